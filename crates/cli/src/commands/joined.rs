//! What `nines credits` says of fees and requests that do not match, and of whom it could work nothing out for.

use std::mem::discriminant;

use nines_engine::slo::PeriodName;
use nines_engine::{Credits, Joined};

use crate::output::note;

/// How many of a kind are told one by one.
const MOST: usize = 5;

/// Says how fees and requests were joined, and for whom no amount could be worked out: each of them, because each needs an
/// answer.
pub(super) fn tell(credits: &Credits, period: PeriodName) {
    // They come by kind.
    for of_kind in credits.joined.chunk_by(|a, b| discriminant(a) == discriminant(b)) {
        of_kind.iter().take(MOST).for_each(|joined| note(format_args!("note: {joined}")));
        if let Some(more) = of_kind.len().checked_sub(MOST).filter(|more| *more > 0) {
            let all = match of_kind.first() {
                Some(Joined::NoFee { .. }) => format!(
                    "; all of them: nines sql \"SELECT agreement, customer, service FROM credits('{period}') WHERE fee_base IS NULL\""
                ),
                _ => String::new(),
            };
            note(format_args!("note: and {more} more of this kind{all}"));
        }
    }
    for ([agreement, customer, service], why) in &credits.failed {
        note(format_args!("failed: {agreement}, {customer}, {service}: {why}"));
    }
}

/// The end of a command that could not work out everything; all else was done.
pub(super) fn some_failed(credits: &Credits) -> Option<String> {
    let failed = credits.failed.len();
    let whom = if failed == 1 { "1 credit".to_string() } else { format!("{failed} credits") };
    let done = "the others are as they would be without";
    (failed > 0).then(|| {
        format!(
            "{whom} could not be worked out; {done} {}. Correct what the lines above name, and run it again",
            if failed == 1 { "it" } else { "them" }
        )
    })
}

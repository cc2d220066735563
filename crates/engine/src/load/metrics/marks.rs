//! The marks of metrics: up to when a source was pulled, and the last sample of each series of its files.

use nines_ingest::Tally;
use nines_store::{Mark, Snapshot};

use crate::Result;

/// Up to when a source was pulled, in µs.
pub(super) fn pulled(source: &str) -> String {
    format!("metrics/{source}/pulled")
}

/// How many times files of a source were loaded.
pub(super) fn loads(source: &str) -> String {
    format!("metrics/{source}/loads")
}

/// Continues the series of a tally from what is stored. The marks that what is new sets; none if nothing is.
pub(super) async fn resume(tally: &mut Tally, snapshot: &Snapshot, source: &str) -> Result<Vec<Mark>> {
    let mut marks = Vec::new();
    for (at, name, only_time) in tally.remembered() {
        let (time, value) = (format!("metrics/{source}/{name}/time"), format!("metrics/{source}/{name}/value"));
        let known = match snapshot.mark(&time).await? {
            Some(known) => Some((known, if only_time { None } else { snapshot.mark(&value).await? })),
            None => None,
        };
        let number = |bits: i64| f64::from_bits(bits.cast_unsigned());
        tally.resume(at, known.map(|(known, bits)| (known, bits.map_or(0.0, number))));
        let Some((newest, last)) =
            tally.newest(at).filter(|(newest, _)| known.is_none_or(|(known, _)| *newest > known))
        else {
            continue;
        };
        marks.push(Mark::lasting(time, known.map(|(known, _)| known), newest));
        if !only_time {
            // Adding makes of -0 a 0.
            let bits = (last + 0.0).to_bits().cast_signed();
            let before = known.and_then(|(_, bits)| bits);
            // A mark that stays what it is needs no place in the log.
            if before != Some(bits) {
                marks.push(Mark::lasting(value, before, bits));
            }
        }
    }
    Ok(marks)
}

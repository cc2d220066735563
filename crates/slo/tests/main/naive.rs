//! What the tests share that compute credits naively.

use nines_slo::{Compacted, Counts, Covered, Evidence, Fraction, Rules, SINCE_EVER, Stored, read};

/// How many cases are drawn. For a longer run: `NINES_CASES=5000`.
pub fn cases(usually: u32) -> u32 {
    std::env::var("NINES_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usually)
}

/// What is recorded, whether or not it would be today.
pub fn recorded(text: &str) -> Stored {
    let document = read("a.yaml", text).documents.remove(0);
    let effective_from = document.effective_from.unwrap_or(SINCE_EVER);
    Stored { kind: document.kind, name: document.name, effective_from, text: document.text, rules: Rules::CURRENT }
}

/// What is kept of counts that come in parts: one after the other, and each by itself, joined.
pub fn in_parts(covered: &Covered<'_>, evidence: &Evidence, parts: &[&[Counts]]) -> Compacted {
    let compactor = covered.compactor(evidence).unwrap();
    let (mut kept, mut joined) = (Compacted::default(), Compacted::default());
    for part in parts {
        compactor.take(covered, part, &mut kept).unwrap();
        let mut own = Compacted::default();
        compactor.take(covered, part, &mut own).unwrap();
        compactor.join(covered, &mut joined, own).unwrap();
    }
    // Months in which nothing was counted may not have been noted.
    kept.other_valid_months.resize(joined.other_valid_months.len(), 0);
    assert_eq!(joined, kept, "by itself");
    kept
}

pub fn whole(number: i64) -> Fraction {
    Fraction::new(number as u64, 1u8)
}

pub fn sum(all: impl Iterator<Item = Fraction>) -> Fraction {
    all.fold(whole(0), |sum, own| sum.plus(&own))
}

pub fn ratio(above: &Fraction, below: &Fraction) -> Fraction {
    Fraction::new(above.numerator() * below.denominator(), above.denominator() * below.numerator())
}

//! What tests of statements draw up.

use nines_timeline::Interval;

use crate::credit::Evidence;
use crate::{Basis, IssuedStatement, Rules, plan};

/// A statement for `c` about service `s` under agreement `a`, which this text says, and what it is drawn up from.
pub(super) fn statement(text: &str, month: &str, evidence: Evidence) -> IssuedStatement {
    let changes = plan(&[], &[("a.yaml".into(), text.into())], 0).unwrap().changes;
    let basis = Basis {
        agreement: "a".into(),
        customer: "客户 \"c\"\n".into(),
        service: "s".into(),
        business: String::new(),
        period: month.parse().unwrap(),
        versions: changes.into_iter().map(|change| change.stored).collect(),
        active: Interval::new(i64::MIN, i64::MAX),
        rules: Rules::CURRENT,
        beside: Vec::new(),
        evidence,
        tables: Default::default(),
        program: "nines".into(),
        complete: true,
        watermark: None,
        missing: Vec::new(),
    };
    IssuedStatement::draw_up(basis, 0).unwrap()
}

/// An agreement by the hour, whose clauses are told beside.
pub(super) fn hourly(duration: &str, zone: &str, clauses: &str) -> String {
    format!(
        "apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: a}}\nspec:\n  service: s\n  period: {{duration: {duration}, \
         timeZone: {zone}}}\n  slice: 1h\n  {clauses}\n  commitment: 99.9%\n  credits: []\n  exclusions: [Attack]\n  \
         lostTelemetry: {{estimateFrom: 7d}}\n"
    )
}

/// Hours in which some requests failed, excluded time and lost telemetry, in hours from an instant (µs).
pub(super) fn hours(
    first: i64,
    counts: &std::collections::BTreeMap<i64, (i64, i64)>,
    excluded: Option<(i64, i64)>,
    lost: &[(i64, i64)],
) -> Evidence {
    let at = |hour: i64| first + hour * 3_600_000_000;
    let slices = counts.iter().map(|(hour, (failed, good))| crate::Counts {
        start: at(*hour),
        valid: failed + good,
        failed: *failed,
    });
    let exclusions = excluded.map(|(from, hours)| crate::Excluded {
        id: "x".into(),
        category: "Attack".into(),
        interval: Interval::new(at(from), at(from + hours)),
        announced: None,
    });
    Evidence {
        slices: slices.collect(),
        exclusions: exclusions.into_iter().collect(),
        lost: lost.iter().map(|(from, hours)| Interval::new(at(*from), at(from + hours))).collect(),
        ..Evidence::default()
    }
}

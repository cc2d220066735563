//! What one set of agreements says of a range beside another: proposed ones beside those in force.

use std::collections::BTreeSet;

use nines_timeline::Interval;

use crate::agreement::{Agreement, Terms};
use crate::statement::clause_changes;

/// How an agreement differs over a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementChange {
    /// Its name.
    pub agreement: String,
    /// When, in µs, inside the range.
    pub interval: Interval,
    /// A sentence for each clause that differs.
    pub changes: Vec<String>,
}

/// Where agreements differ in a range, by name and time. Amounts are not worked out.
pub fn agreement_changes(before: &[Agreement], after: &[Agreement], range: Interval) -> Vec<AgreementChange> {
    let names: BTreeSet<&str> = before.iter().chain(after).map(|agreement| agreement.name.as_str()).collect();
    let mut found: Vec<AgreementChange> = Vec::new();
    for name in names {
        let of = |all: &'_ [Agreement]| all.iter().position(|agreement| agreement.name == name);
        let (before, after) = (of(before).map(|at| &before[at]), of(after).map(|at| &after[at]));
        let versions = before.into_iter().chain(after).flat_map(|agreement| &agreement.versions);
        let mut instants: Vec<i64> = versions.flat_map(|v| [v.in_force.start, v.in_force.end]).collect();
        instants.extend([range.start, range.end]);
        instants.retain(|at| range.start <= *at && *at <= range.end);
        instants.sort_unstable();
        instants.dedup();
        for pair in instants.windows(2) {
            let changes = changes(at(before, pair[0]), at(after, pair[0]));
            match found.last_mut() {
                _ if changes.is_empty() => {}
                Some(last) if last.agreement == name && last.interval.end == pair[0] && last.changes == changes => {
                    last.interval.end = pair[1];
                }
                _ => {
                    let interval = Interval::new(pair[0], pair[1]);
                    found.push(AgreementChange { agreement: name.to_string(), interval, changes });
                }
            }
        }
    }
    found
}

fn at(agreement: Option<&Agreement>, instant: i64) -> Option<&Terms> {
    let versions = agreement.into_iter().flat_map(|agreement| &agreement.versions);
    let mut in_force = versions.filter(|v| v.in_force.start <= instant && instant < v.in_force.end);
    in_force.next().map(|version| version.terms.as_ref())
}

fn changes(before: Option<&Terms>, after: Option<&Terms>) -> Vec<String> {
    match (before, after) {
        (None, None) => Vec::new(),
        (None, Some(_)) => vec!["It is in force; before it was not.".to_string()],
        (Some(_), None) => vec!["It is no longer in force.".to_string()],
        (Some(before), Some(after)) => clause_changes(before, after),
    }
}

//! Rows of events: what the members of a unit counted in a slice.

use std::collections::BTreeMap;

use nines_slo::{Counted as Counts, Mapping};

use super::findings::Findings;
use super::member::Member;
use super::sweep::{Counted, bad};
use super::targets::Part;
use crate::Result;
use crate::samples::whole;

/// What the series of a rule counted.
#[derive(Default)]
struct Parts {
    good: Option<i64>,
    bad: Option<i64>,
    total: Option<i64>,
}

/// Good events and all; `None` where nobody counted all.
pub(super) fn row<'m>(
    mapping: &Mapping,
    start: i64,
    counted: impl Iterator<Item = (&'m Member, Counted)>,
    findings: &mut Findings,
) -> Result<Option<(i64, i64)>> {
    let mut rules: BTreeMap<usize, Parts> = BTreeMap::new();
    for (member, counted) in counted {
        let Counted::Number(more) = counted else { continue };
        let not_whole = |count: f64| bad(member, start, format!("rises by {count}, which is no whole number"));
        let more = whole(more).map_err(not_whole)?;
        let parts = rules.entry(member.target.rule).or_default();
        let part = match member.target.part {
            Part::Good => &mut parts.good,
            Part::Bad => &mut parts.bad,
            _ => &mut parts.total,
        };
        let sum = part.unwrap_or(0).checked_add(more);
        *part = Some(sum.ok_or_else(|| bad(member, start, "counts more than 2^63 - 1 with its like".to_string()))?);
    }
    let mut row = None;
    for (rule, parts) in rules {
        let Some(Counts::Events { good, bad, total, .. }) = mapping.rules.get(rule).map(|rule| &rule.what) else {
            continue;
        };
        // A series of failures is often there only after the first one: without it there was none.
        let (good, total) = match (good.is_empty(), bad.is_empty(), total.is_empty(), parts.total) {
            (false, false, true, _) => {
                let (good, bad) = (parts.good.unwrap_or(0), parts.bad.unwrap_or(0));
                (good, good.saturating_add(bad))
            }
            (_, _, _, None) => {
                findings.excess += u64::from(parts.good.unwrap_or(0) > 0 || parts.bad.unwrap_or(0) > 0);
                continue;
            }
            (true, _, _, Some(total)) => (total - parts.bad.unwrap_or(0), total),
            (false, _, _, Some(total)) => (parts.good.unwrap_or(0), total),
        };
        let within = good.clamp(0, total);
        findings.excess += u64::from(within != good);
        let (sum_good, sum_total) = row.unwrap_or((0i64, 0i64));
        row = Some((sum_good.saturating_add(within), sum_total.saturating_add(total)));
    }
    Ok(row)
}

//! Rows of requests: what the members of a unit counted in a slice, by status and cause.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::findings::Findings;
use super::member::Member;
use super::sweep::{Counted, bad};
use super::targets::Part;
use crate::Result;
use crate::latency::CountsLe;
use crate::rows::LatencyRow;
use crate::samples::{NativeHistogram, whole};

/// What was counted of a status and cause.
#[derive(Default)]
pub(super) struct Row {
    pub requests: i64,
    pub latency: LatencyRow,
}

#[derive(Default)]
struct Parts {
    requests: i64,
    sum: Option<f64>,
    /// By how many units of the observations make a second.
    native: BTreeMap<u64, NativeHistogram>,
    /// Counts up to each bound, by histogram.
    classic: BTreeMap<u32, BTreeMap<i64, i64>>,
}

/// The rows of a slice, by status and cause. Those without a request are left out; if there is none, one without a request says that
/// it was measured.
pub(super) fn rows<'m>(
    start: i64,
    counted: Vec<(&'m Member, Counted)>,
    findings: &mut Findings,
) -> Result<Vec<((i32, &'m str), Row)>> {
    let mut parts: BTreeMap<(i32, &str), Parts> = BTreeMap::new();
    for (member, more) in counted {
        let of = parts.entry((member.target.status, member.target.cause.as_str())).or_default();
        let not_whole = |count: f64| bad(member, start, format!("rises by {count}, which is no whole number"));
        match (more, member.target.part) {
            (Counted::Number(more), Part::LatencySum(in_a_second)) => {
                *of.sum.get_or_insert(0.0) += more / in_a_second as f64;
            }
            (Counted::Number(more), Part::Bucket(Some(bound))) => {
                *of.classic.entry(member.histogram).or_default().entry(bound).or_insert(0) +=
                    whole(more).map_err(not_whole)?;
            }
            (Counted::Number(more), _) => of.requests += whole(more).map_err(not_whole)?,
            (Counted::Histogram(more), part) => {
                let in_a_second = if let Part::Native(units) = part { units } else { 1 };
                of.requests += whole(more.count).map_err(not_whole)?;
                *of.sum.get_or_insert(0.0) += more.sum / in_a_second as f64;
                match of.native.entry(in_a_second) {
                    Entry::Occupied(mut native) => native.get_mut().add(&more),
                    Entry::Vacant(place) => {
                        place.insert(more);
                    }
                }
            }
            (Counted::Sample(..), _) => {}
        }
    }
    let measured = parts.keys().next().copied();
    let mut rows = Vec::new();
    for (key, parts) in parts.into_iter().filter(|(_, parts)| parts.requests > 0) {
        rows.push((key, parts.row(start, findings)?));
    }
    if let (true, Some(key)) = (rows.is_empty(), measured) {
        rows.push((key, Row::default()));
    }
    Ok(rows)
}

impl Parts {
    fn row(self, start: i64, findings: &mut Findings) -> Result<Row> {
        let mut latency = LatencyRow { sum: self.sum.filter(|sum| sum.is_finite()), ..LatencyRow::default() };
        if !self.classic.is_empty() {
            latency.le = Some(shared_bounds(&self.classic));
        }
        if !self.native.is_empty() {
            let not_whole = |count: f64| {
                let at = chrono::DateTime::from_timestamp_micros(start).unwrap_or_default();
                crate::IngestError::bad_line(format!(
                    "a native histogram in the slice {at} counts {count}, which is no whole number"
                ))
            };
            let only_seconds = self.native.get(&1).filter(|_| self.native.len() == 1);
            match only_seconds.and_then(NativeHistogram::stored) {
                Some(stored) => latency.histogram = Some(stored.map_err(not_whole)?),
                None => {
                    findings.coarse += u64::from(only_seconds.is_some());
                    findings.not_seconds += u64::from(only_seconds.is_none());
                    let mut counts = BTreeMap::new();
                    for (at, (in_a_second, native)) in (0..).zip(&self.native) {
                        let at_bounds = native.at_whole_micros(*in_a_second).map_err(not_whole)?;
                        counts.insert(at, at_bounds.into_iter().collect());
                    }
                    latency.le = Some(shared_bounds(&counts)).filter(|counts| !counts.is_empty());
                }
            }
        }
        if let Some(counts) = &mut latency.le {
            findings.uneven += u64::from(level(counts, self.requests));
        }
        Ok(Row { requests: self.requests, latency })
    }
}

/// The counts of all histograms up to the bounds that all of them have: only these are counts of all requests.
fn shared_bounds(histograms: &BTreeMap<u32, BTreeMap<i64, i64>>) -> CountsLe {
    let mut all = histograms.values();
    let mut shared = all.next().cloned().unwrap_or_default();
    for other in all {
        shared.retain(|bound, count| {
            other.get(bound).is_some_and(|more| {
                *count += more;
                true
            })
        });
    }
    shared.into_iter().collect()
}

/// Lets no count exceed that of a wider bound, of which the last is all requests: a scrape between two updates of a histogram sees
/// one bucket counted and another one not yet. Whether there was such a count.
fn level(counts: &mut CountsLe, requests: i64) -> bool {
    let (mut most, mut found) = (requests, false);
    for (_, count) in counts.iter_mut().rev() {
        found |= *count > most;
        most = most.min(*count);
        *count = most;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bounds_that_all_have_count_all() {
        let of = |counts: &[(i64, i64)]| counts.iter().copied().collect::<BTreeMap<_, _>>();
        let histograms =
            BTreeMap::from([(1, of(&[(100, 1), (200, 2), (500, 3)])), (2, of(&[(200, 5), (500, 5), (900, 6)]))]);
        assert_eq!(shared_bounds(&histograms), [(200, 7), (500, 8)]);
        let mut counts = vec![(100, 4), (200, 3), (500, 9)];
        assert!(level(&mut counts, 8));
        assert_eq!(counts, [(100, 3), (200, 3), (500, 8)]);
        assert!(!level(&mut counts, 8));
    }
}

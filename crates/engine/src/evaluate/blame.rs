//! Whether a slice meets its target where endpoints are kept apart, and who decides that it does not.

use std::collections::HashMap;

use nines_timeline::Share;

use super::lane::{Apart, Slots};

/// Whether a measured slice meets its target.
#[inline]
pub(super) fn meets(
    target: Share,
    (good, total): (i64, i64),
    grouped: Option<&[Vec<usize>]>,
    slots: &Slots,
    lanes: &[Apart<'_>],
) -> bool {
    match grouped {
        None => target.met_by(good, total),
        Some(groups) => groups.iter().all(|group| {
            let (good, total) = added_up(group.iter().map(|&lane| lanes[lane].lane.sum(slots)));
            target.met_by(good, total)
        }),
    }
}

/// Sums of lanes whose sum over all lanes fits.
#[inline]
fn added_up(sums: impl Iterator<Item = (i64, i64)>) -> (i64, i64) {
    sums.fold((0, 0), |(good, total), (g, t)| (good.saturating_add(g), total.saturating_add(t)))
}

/// A lane with bad events in a slice in error.
#[derive(Debug)]
pub(super) struct Blamed {
    pub lane: usize,
    pub bad: i64,
    /// Whether the slice would have met its target without them.
    pub decisive: bool,
}

/// Lists who had bad events in a slice in error. A lane decides alone if the slice would have met its target without the bad events of
/// that lane: then no group of another lane misses it.
pub(super) fn accuse(target: Share, grouped: Option<&[Vec<usize>]>, slots: &Slots, lanes: &[Apart<'_>]) -> Vec<Blamed> {
    let sums: Vec<(i64, i64)> = lanes.iter().map(|apart| apart.lane.sum(slots)).collect();
    let together = [(0..lanes.len()).collect()];
    let groups = grouped.unwrap_or(&together);
    let of_groups: Vec<(i64, i64)> =
        groups.iter().map(|group| added_up(group.iter().map(|&lane| sums[lane]))).collect();
    let misses = |&(good, total): &(i64, i64)| !target.met_by(good, total);
    let missing = of_groups.iter().filter(|sums| misses(sums)).count();
    let mut decisive = vec![false; lanes.len()];
    for (group, of_group) in groups.iter().zip(&of_groups) {
        if missing > usize::from(misses(of_group)) {
            continue;
        }
        for &lane in group {
            let (good, total) = sums[lane];
            decisive[lane] = target.met_by(of_group.0, of_group.1 - (total - good));
        }
    }
    let bad = sums.into_iter().map(|(good, total)| total - good).zip(decisive).enumerate();
    bad.filter(|(_, (bad, _))| *bad > 0).map(|(lane, (bad, decisive))| Blamed { lane, bad, decisive }).collect()
}

/// The lanes of each endpoint.
pub(super) fn by_endpoint(lanes: &[Apart<'_>]) -> Vec<Vec<usize>> {
    let mut groups: HashMap<Option<&str>, Vec<usize>> = HashMap::new();
    for (at, apart) in lanes.iter().enumerate() {
        groups.entry(apart.endpoint.map(AsRef::as_ref)).or_default().push(at);
    }
    groups.into_values().collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::evaluate::lane::Lane;

    fn share() -> impl Strategy<Value = Share> {
        prop_oneof![Just("0.5"), Just("0.9"), Just("0.99"), Just("1")].prop_map(|text| text.parse().unwrap())
    }

    proptest! {
        /// A lane decides alone if the slice meets its target once the bad events of that lane are taken out.
        #[test]
        fn who_decides_is_who_decides_one_by_one(
            lanes in prop::collection::vec((0u8..4, 0i64..20, 0i64..4), 1..12),
            target in share(),
            apart in any::<bool>(),
        ) {
            let endpoints: Vec<Arc<str>> = (0..4).map(|at| format!("/{at}").into()).collect();
            let counted = |without: Option<usize>| {
                let counted = lanes.iter().enumerate().map(|(at, (_, good, bad))| {
                    let mut lane = Lane::new(2);
                    lane.add(0, *good, good + if without == Some(at) { 0 } else { *bad });
                    lane.finish();
                    lane
                });
                counted.collect::<Vec<_>>()
            };
            let kept_apart = |counted: &[Lane], run: &mut dyn FnMut(&[Apart<'_>])| {
                let apart: Vec<Apart<'_>> = counted
                    .iter()
                    .zip(&lanes)
                    .map(|(lane, (endpoint, ..))| Apart {
                        lane,
                        endpoint: Some(&endpoints[usize::from(*endpoint)]),
                        cause: None,
                    })
                    .collect();
                run(&apart);
            };
            let slots = [0..1, 1..2];
            let met = |without: Option<usize>| {
                let counted = counted(without);
                let mut met = false;
                kept_apart(&counted, &mut |lanes| {
                    let grouped = apart.then(|| by_endpoint(lanes));
                    let sums = added_up(lanes.iter().map(|apart| apart.lane.sum(&slots)));
                    met = meets(target, sums, grouped.as_deref(), &slots, lanes);
                });
                met
            };
            let mut culprits = Vec::new();
            kept_apart(&counted(None), &mut |lanes| {
                let grouped = apart.then(|| by_endpoint(lanes));
                culprits = accuse(target, grouped.as_deref(), &slots, lanes);
            });
            let guilty = lanes.iter().enumerate().filter(|(_, (.., bad))| *bad > 0);
            let expected: Vec<(String, i64, bool)> = guilty
                .map(|(at, (endpoint, _, bad))| (format!("/{endpoint}"), *bad, met(Some(at))))
                .collect();
            let found: Vec<(String, i64, bool)> =
                culprits.iter().map(|of| (format!("/{}", lanes[of.lane].0), of.bad, of.decisive)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}

//! Credits of several metrics, and of members that are judged apart: put together here from single figures, each of which the other
//! tests compare with a computation of their own.

use std::collections::{BTreeMap, BTreeSet};

use nines_slo::{Counts, Covered, Credit, Evidence, Excluded, Fee, Fraction, Part, Rules, bounds, credit, resolve};
use nines_timeline::Interval;
use proptest::prelude::*;

use crate::credits::MINUTE;
use crate::naive::{cases, recorded};

/// 2026-10-03T00:00:00Z.
const START: i64 = 1_790_985_600_000_000;
/// Minutes of a slice.
const SLICE: i64 = 5;

/// Of a minute, valid and failed requests.
type Minutes = BTreeMap<i64, (i64, i64)>;

#[derive(Debug, Clone)]
struct Case {
    /// Measure and credits of each metric.
    metrics: Vec<(usize, usize)>,
    sum: bool,
    cap: Option<i64>,
    /// `None`, worst, any, all.
    each: usize,
    /// ok, error, ignore.
    silent: usize,
    min_requests: i64,
    removed: bool,
    excluded: Option<(i64, i64)>,
    members: Vec<Minutes>,
}

const MEASURES: [&str; 4] = [
    "measure: MeanErrorRate",
    "measure: BadSlices, bad: errorRate > 30%",
    "measure: Downtime, bad: errorRate >= 40%, minRun: 10m",
    "measure: Proportional, bad: errorRate > 20%",
];
const CREDITS: [&str; 3] = [
    "commitment: 99.9%, credits: [{below: 99.9%, percent: 10}, {below: 99.5%, percent: 25}, {below: 98%, percent: 60}]",
    "commitment: 99.95%, credits: [{below: 99.95%, percent: 5}, {below: 99%, percent: 30}]",
    "commitment: 99%, credits: {times: 3, of: unavailability}",
];
const NAMES: [&str; 3] = ["a", "b", "c"];
const SILENT: [&str; 3] = ["ok", "error", "ignore"];

impl Case {
    fn text(&self, metrics: &str, each: usize) -> String {
        let each = match each {
            0 => String::new(),
            1 => "  each: endpoint\n".into(),
            2 => "  each: {by: endpoint, join: any}\n".into(),
            _ => format!("  each: {{by: endpoint, join: all, of: [a, b], noData: {}}}\n", SILENT[self.silent]),
        };
        let removed = if self.removed { "  excludedTime: removed\n" } else { "" };
        let cap = self.cap.map_or_else(String::new, |cap| format!("  cap: {cap}%\n"));
        format!(
            "apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: a}}\nspec:\n  service: s\n  period: {{duration: 1M, timeZone: \
             UTC}}\n  slice: {SLICE}m\n  minRequests: {}\n  exclusions: [Attack]\n{removed}{cap}{each}{metrics}",
            self.min_requests
        )
    }

    fn metric(&self, at: usize) -> [&'static str; 2] {
        let (measure, credits) = self.metrics[at];
        [MEASURES[measure], CREDITS[credits]]
    }

    /// All of it.
    fn whole(&self) -> String {
        let items = (0..self.metrics.len()).map(|at| {
            let [measure, credits] = self.metric(at);
            format!("    - {{name: m{at}, {measure}, {credits}}}\n")
        });
        let together = if self.sum { "sum" } else { "largest" };
        let together = if self.metrics.len() > 1 { format!("  together: {together}\n") } else { String::new() };
        self.text(&format!("  metrics:\n{}{together}", items.collect::<String>()), self.each)
    }

    fn bare(&self) -> Evidence {
        let excluded = self.excluded.map(|(from, long)| Excluded {
            id: "x".into(),
            category: "Attack".into(),
            interval: Interval::new(START + from * MINUTE, START + (from + long) * MINUTE),
            announced: None,
        });
        Evidence {
            stored_slice: Some(MINUTE),
            exclusions: excluded.into_iter().collect(),
            fee: Some(Fee { currency: "EUR".into(), amount: 1_000_000_000, vouchers: 0 }),
            ..Evidence::default()
        }
    }

    fn is_excluded(&self, minute: i64) -> bool {
        self.excluded.is_some_and(|(from, long)| from <= minute && minute < from + long)
    }

    /// What one metric alone makes of minutes.
    fn alone(&self, metric: usize, minutes: &Minutes) -> Credit {
        let [measure, credits] = self.metric(metric).map(|clauses| clauses.replace(", bad", "\n  bad"));
        let clauses =
            format!("  {measure}\n  {credits}\n").replace(", minRun", "\n  minRun").replace(", credits", "\n  credits");
        let text = Case { cap: None, ..self.clone() }.text(&clauses, 0);
        let agreement = resolve(&[recorded(&text)]).unwrap().agreements.remove(0);
        let covered = covered(&agreement);
        let evidence = Evidence { slices: counts(&covered, &self.bare(), minutes), ..self.bare() };
        credit(&covered, &evidence).unwrap()
    }

    /// The minutes of the member that decides each slice.
    fn joined(&self) -> Minutes {
        let is_agreed = |at: usize| self.each != 3 || at < 2;
        let members: Vec<&Minutes> =
            self.members.iter().enumerate().filter(|(at, _)| is_agreed(*at)).map(|(_, own)| own).collect();
        let slices: BTreeSet<i64> = members.iter().flat_map(|own| own.keys()).map(|minute| minute / SLICE).collect();
        let mut joined = Minutes::new();
        for slice in slices {
            let of_slice = |own: &Minutes| -> Minutes {
                own.range(slice * SLICE..(slice + 1) * SLICE).map(|(at, own)| (*at, *own)).collect()
            };
            let own: Vec<Minutes> = members.iter().map(|own| of_slice(own)).collect();
            let outside = |own: &Minutes| -> (i64, i64) {
                let counted = own.iter().filter(|(at, _)| !self.is_excluded(**at));
                counted.fold((0, 0), |(v, f), (_, (valid, failed))| (v + valid, f + failed))
            };
            let rate = |own: &Minutes| {
                let (valid, failed) = outside(own);
                let spared: i64 =
                    own.iter().filter(|(at, _)| self.is_excluded(**at)).map(|(_, (valid, _))| valid).sum();
                Fraction::new(failed as u64, (valid + if self.removed { 0 } else { spared }) as u64)
            };
            let measured: Vec<&Minutes> = own.iter().filter(|own| outside(own).0 >= self.min_requests).collect();
            let silent = self.each == 3 && measured.len() < 2;
            let decides = match (self.each, SILENT[self.silent]) {
                (3, "ok") if silent => None,
                (3, _) => measured.into_iter().min_by_key(|own| rate(own)),
                _ => measured.into_iter().max_by_key(|own| rate(own)),
            };
            if let Some(decides) = decides {
                joined.extend(decides);
            }
        }
        joined
    }

    /// Percent and amount, and each figure's availability and whether it is kept.
    fn naive(&self) -> (Fraction, i128, Vec<(Fraction, bool)>) {
        let of_metric: Vec<Vec<Credit>> = (0..self.metrics.len())
            .map(|metric| match self.each {
                0 => {
                    let mut all = Minutes::new();
                    for (at, (valid, failed)) in self.members.iter().flatten() {
                        let sum = all.entry(*at).or_default();
                        *sum = (sum.0 + valid, sum.1 + failed);
                    }
                    vec![self.alone(metric, &all)]
                }
                1 => {
                    let there = self.members.iter().filter(|own| !own.is_empty());
                    let figures: Vec<Credit> = there.map(|own| self.alone(metric, own)).collect();
                    if figures.is_empty() { vec![self.alone(metric, &Minutes::new())] } else { figures }
                }
                _ => vec![self.alone(metric, &self.joined())],
            })
            .collect();
        let shares = of_metric.iter().map(|own| own.iter().map(|credit| credit.percent.clone()).max().unwrap());
        let share = match self.sum {
            true => shares.fold(Fraction::zero(), |sum, own| sum.plus(&own)),
            false => shares.max().unwrap(),
        };
        let most = self.cap.map_or_else(Fraction::one, |cap| Fraction::new(cap as u64, 100u8));
        let percent = share.min(most);
        // 1,000 EUR, to the cent.
        let cents = percent.rounded(100_000).to_string().parse::<i128>().unwrap();
        let figures = of_metric.iter().flatten().map(|credit| (credit.availability.clone(), credit.kept)).collect();
        (percent, cents * 10_000, figures)
    }

    fn real(&self) -> Credit {
        let agreement = resolve(&[recorded(&self.whole())]).unwrap_or_else(|m| panic!("{m:?} {}", self.whole()));
        let covered = covered(&agreement.agreements[0]);
        let bare = self.bare();
        let mut evidence = bare.clone();
        for (metric, own) in covered.metrics().iter().enumerate() {
            let members: Vec<(&str, Vec<Counts>)> =
                NAMES.iter().zip(&self.members).map(|(name, minutes)| (*name, counts(own, &bare, minutes))).collect();
            let slices = |slices| Part { metric, member: String::new(), slices, ..Part::default() };
            let parts = match self.each {
                0 => {
                    let mut all: BTreeMap<i64, Counts> = BTreeMap::new();
                    for counts in members.iter().flat_map(|(_, counts)| counts) {
                        let sum = all.entry(counts.start).or_insert(Counts { valid: 0, failed: 0, ..*counts });
                        (sum.valid, sum.failed) = (sum.valid + counts.valid, sum.failed + counts.failed);
                    }
                    vec![slices(all.into_values().collect())]
                }
                1 => {
                    let there = members.into_iter().filter(|(_, counts)| !counts.is_empty());
                    there.map(|(name, own)| Part { member: name.into(), ..slices(own) }).collect()
                }
                _ => {
                    let members: Vec<(&str, &[Counts])> =
                        members.iter().map(|(name, own)| (*name, own.as_slice())).collect();
                    vec![slices(own.compactor(&bare).unwrap().joined(own, &members).unwrap())]
                }
            };
            evidence.parts.extend(parts);
        }
        if !covered.terms.has_parts() {
            evidence.slices = std::mem::take(&mut evidence.parts).remove(0).slices;
        }
        let found = credit(&covered, &evidence).unwrap();
        let (compacted, measured) = evidence.compacted(&covered).unwrap();
        assert_eq!(credit(&covered, &compacted).unwrap(), found, "from what a statement keeps");
        let bounds = bounds(&covered, &compacted, &found, &measured).unwrap();
        assert!(bounds.worst.percent >= found.percent && bounds.best.percent <= found.percent);
        found
    }
}

fn covered(agreement: &nines_slo::Agreement) -> Covered<'_> {
    agreement.covered("2026-10".parse().unwrap(), Interval::new(i64::MIN, i64::MAX), Rules::CURRENT).unwrap()
}

fn counts(covered: &Covered<'_>, bare: &Evidence, minutes: &Minutes) -> Vec<Counts> {
    let pieces = covered.pieces(bare).unwrap();
    let mut counted: BTreeMap<i64, Counts> = BTreeMap::new();
    for (minute, (valid, failed)) in minutes {
        let start = pieces.start_of(START + minute * MINUTE);
        let own = counted.entry(start).or_insert(Counts { start, valid: 0, failed: 0 });
        (own.valid, own.failed) = (own.valid + valid, own.failed + failed);
    }
    counted.into_values().collect()
}

fn case() -> impl Strategy<Value = Case> {
    // Outages of some length, so that runs and bad slices come about.
    let minutes = prop::collection::vec((0..300i64, 1..25i64, 1..6i64, 0..=100i64), 0..6).prop_map(|outages| {
        let mut minutes = Minutes::new();
        for (from, long, valid, percent) in outages {
            minutes.extend((from..from + long).map(|minute| (minute, (valid, valid * percent / 100))));
        }
        minutes
    });
    (
        (prop::collection::vec((0..MEASURES.len(), 0..CREDITS.len()), 1..4), any::<bool>(), prop::option::of(5..90i64)),
        (0..4usize, 0..3usize, 1..8i64, any::<bool>(), prop::option::of((0..300i64, 1..40i64))),
        prop::collection::vec(minutes, 3),
    )
        .prop_map(|((metrics, sum, cap), (each, silent, min_requests, removed, excluded), members)| Case {
            sum: sum && metrics.len() > 1,
            metrics,
            cap,
            each,
            silent,
            min_requests,
            removed,
            excluded,
            members,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(256), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn several_figures_come_to_what_each_alone_says(case in case()) {
        let found = case.real();
        let (percent, amount, figures) = case.naive();
        prop_assert_eq!(&found.percent, &percent, "{}", case.whole());
        prop_assert_eq!(found.amount, Some(amount), "{}", case.whole());
        prop_assert_eq!(found.kept, figures.iter().all(|(_, kept)| *kept));
        let own: Vec<(Fraction, bool)> = match found.parts.is_empty() {
            true => vec![(found.availability.clone(), found.kept)],
            false => found.parts.iter().map(|part| (part.availability.clone(), part.kept)).collect(),
        };
        prop_assert_eq!(own, figures, "{}", case.whole());
        let decides: Vec<_> = found.parts.iter().filter(|part| part.decides).collect();
        prop_assert_eq!(decides.len(), usize::from(!found.parts.is_empty()));
        prop_assert!(decides.iter().all(|part| part.availability == found.availability));
        prop_assert!(decides.iter().all(|part| found.parts.iter().all(|other| other.share <= part.share)));
    }
}

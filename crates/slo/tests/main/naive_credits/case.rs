//! What is drawn for credits of one figure: an agreement, and what was counted.

use chrono::{Months, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;
use nines_slo::{Counts, Credited, Evidence, Excluded, Fee, Rules, day_unit};
use nines_timeline::Interval;
use proptest::prelude::*;

use crate::credits::{DAY, MINUTE};

const HOUR: i64 = 60 * MINUTE;

/// What is drawn. Instants are minutes since the start of the period unless they say otherwise.
#[derive(Debug, Clone)]
pub struct Case {
    pub rules: Rules,
    pub zone: Tz,
    pub month: (i32, u32),
    /// Of the month on which the period begins.
    pub day: u32,
    pub slice: i64,
    pub measure: &'static str,
    pub bad: (bool, i64),
    pub min_run: i64,
    pub min_requests: i64,
    pub removed: bool,
    pub lost_clause: Option<i64>,
    /// From the version's start, the customer's coming and going; where they are none it is always.
    pub from: Option<i64>,
    pub active: (Option<i64>, Option<i64>),
    /// When the customer was away in between.
    pub away: Option<(i64, i64)>,
    /// Whether runs are followed over the ends of what is judged.
    pub split: bool,
    /// Slice number from ten days before the period on, valid, failed.
    pub counts: Vec<(i64, i64, i64)>,
    /// Start, length, category, whether announced in time.
    pub exclusions: Vec<(i64, i64, usize, bool)>,
    pub lost: Vec<(i64, i64)>,
    pub fee: (i128, i128),
    /// How many fees a year's credits come to at most, and what was credited before.
    pub year: Option<(u32, i128)>,
}

pub const CATEGORIES: [&str; 3] = ["Attack", "Maintenance", "Weather"];
pub const TIERS: [(i64, i64); 3] = [(999, 10), (990, 25), (900, 100)];

impl Case {
    pub fn midnight(&self, date: NaiveDate) -> i64 {
        self.zone.from_local_datetime(&date.and_time(NaiveTime::MIN)).earliest().unwrap().timestamp_micros()
    }

    /// The day on which the period begins, or one so many months later.
    pub fn begins(&self, later: u32) -> NaiveDate {
        let first = NaiveDate::from_ymd_opt(self.month.0, self.month.1, 1).unwrap() + Months::new(later);
        chrono::Datelike::with_day(&first, self.day).unwrap_or_else(|| first + Months::new(1) - chrono::Days::new(1))
    }

    pub fn whole(&self) -> (i64, i64) {
        (self.midnight(self.begins(0)), self.midnight(self.begins(1)))
    }

    pub fn at(&self, minute: i64) -> i64 {
        self.whole().0.div_euclid(MINUTE) * MINUTE + minute * MINUTE
    }

    pub fn text(&self) -> String {
        let Case { zone, day, slice, measure, min_run, min_requests, bad: (at_least, percent), .. } = self;
        let mut clauses = String::new();
        if matches!(*measure, "BadSlices" | "Downtime" | "Proportional") {
            clauses += &format!("  bad: errorRate {} {percent}%\n", if *at_least { ">=" } else { ">" });
        }
        if *measure == "Downtime" {
            clauses += &format!("  minRun: {min_run}m\n  overEnd: {}\n", if self.split { "split" } else { "cut" });
        }
        if *measure != "Occurrences" {
            clauses += &format!("  minRequests: {min_requests}\n");
        }
        if self.removed {
            clauses += "  excludedTime: removed\n";
        }
        if let Some(days) = self.lost_clause {
            clauses += &format!("  lostTelemetry: {{estimateFrom: {days}d}}\n");
        }
        let cap =
            self.year.map_or_else(|| "50%".to_string(), |(fees, _)| format!("{{period: 50%, year: {fees} fees}}"));
        let tiers: Vec<String> =
            TIERS.iter().map(|(below, percent)| format!("{{below: {below}e-3, percent: {percent}}}")).collect();
        let effective = self.from.map(|from| {
            let at = chrono::DateTime::from_timestamp_micros(self.at(from)).unwrap();
            format!("nines/effective-from: {}", at.format("%Y-%m-%dT%H:%M:%SZ"))
        });
        format!(
            "apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: a, annotations: {{{}}}}}\nspec:\n  service: s\n  \
             period: {{duration: 1M, from: {day}, timeZone: {zone}}}\n  slice: {}m\n  measure: {measure}\n  commitment: 99.9%\n  \
             credits: [{}]\n  cap: {cap}\n  fees: {{exclude: vouchers}}\n  exclusions: [Attack, {{category: Maintenance, \
             announced: before}}]\n{clauses}",
            effective.unwrap_or_default(),
            slice / MINUTE,
            tiers.join(", "),
        )
    }

    /// From when until when the customer was active, gaps included.
    pub fn active(&self) -> Interval {
        let (from, until) = self.active;
        Interval::new(from.map_or(i64::MIN, |m| self.at(m)), until.map_or(i64::MAX, |m| self.at(m)))
    }

    pub fn evidence(&self) -> Evidence {
        let mut slices: Vec<Counts> = Vec::new();
        let first = self.slice_of(self.whole().0 - 10 * DAY);
        for &(number, valid, failed) in &self.counts {
            slices.push(Counts { start: first + number * self.slice, valid, failed: failed.min(valid) });
        }
        slices.sort_by_key(|counts| counts.start);
        slices.dedup_by_key(|counts| counts.start);
        let exclusions = self.disjoint().into_iter().enumerate().map(|(i, (from, to, category, early))| Excluded {
            id: i.to_string(),
            category: CATEGORIES[category].into(),
            interval: Interval::new(from, to),
            announced: Some(if early { from - 1 } else { from }),
        });
        let (amount, vouchers) = self.fee;
        let whole = self.active();
        let active = match self.away {
            Some((left, back)) => {
                vec![Interval::new(whole.start, self.at(left)), Interval::new(self.at(back), whole.end)]
            }
            None => vec![whole],
        };
        Evidence {
            credited: self.year.map(|(_, amount)| credited(amount)).into_iter().collect(),
            parts: Vec::new(),
            slices,
            other_valid: 0,
            other_valid_months: Vec::new(),
            stored_slice: None,
            exclusions: exclusions.collect(),
            lost: self.lost.iter().map(|(from, long)| Interval::new(self.at(*from), self.at(from + long))).collect(),
            active,
            fee: Some(Fee { currency: "EUR".into(), amount, vouchers: vouchers.min(amount) }),
            month_fees: Vec::new(),
        }
    }

    /// Start of the slice in which an instant lies: from the epoch, by rules 2 from midnight.
    pub fn slice_of(&self, at: i64) -> i64 {
        let origin = if self.rules == Rules::First { 0 } else { self.whole().0 };
        origin + (at - origin).div_euclid(self.slice) * self.slice
    }

    /// Exclusions; by rules 1 none that overlap.
    pub fn disjoint(&self) -> Vec<(i64, i64, usize, bool)> {
        let mut kept: Vec<(i64, i64, usize, bool)> = Vec::new();
        for &(from, long, category, early) in &self.exclusions {
            let (from, to) = (self.at(from), self.at(from + long));
            if self.rules != Rules::First || kept.iter().all(|other| to <= other.0 || other.1 <= from) {
                kept.push((from, to, category, early));
            }
        }
        kept
    }
}

/// What was credited for some month before.
fn credited(cents: i128) -> Credited {
    Credited { period: "2024-01".parse().unwrap(), amount: cents * 10_000, currency: "EUR".into() }
}

pub fn case() -> impl Strategy<Value = Case> {
    let zones = [
        "America/New_York",
        "Asia/Shanghai",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "Australia/Adelaide",
        "Europe/Berlin",
        "UTC",
    ];
    let zone = prop::sample::select(zones.to_vec()).prop_map(|name| name.parse::<Tz>().unwrap());
    let months = vec![(2026, 3), (2026, 11), (2026, 10), (2026, 2), (2024, 2), (2025, 12)];
    let measures = vec!["MeanErrorRate", "BadSlices", "Downtime", "Occurrences", "Proportional"];
    let slices = vec![15 * MINUTE, 30 * MINUTE, HOUR, 4 * HOUR];
    let rare = |of| prop::option::weighted(0.3, of);
    let minute = -3000..46_000i64;
    let terms = (
        (zone, prop::sample::select(vec![Rules::First, Rules::CURRENT])),
        (prop::sample::select(months), prop::sample::select(vec![1, 1, 15, 29, 31])),
        prop::sample::select(slices),
        prop::sample::select(measures),
        (any::<bool>(), 1..100i64),
        ((1..4i64, 0..2i64, any::<bool>()), 1..5i64),
        any::<bool>(),
        prop::option::weighted(0.7, 1..9i64),
    );
    let month = (
        (
            rare(minute.clone()),
            rare(minute.clone()),
            rare(20_000..60_000i64),
            prop::option::weighted(0.3, (0..20_000i64, 1..20_000i64)),
        ),
        (
            prop::collection::vec((0..4000i64, 0..12i64, 0..12i64), 0..300),
            prop::collection::vec((0..6usize, -4..4i64, 1..4i64, prop::bool::weighted(0.2)), 0..8),
        ),
        prop::collection::vec((minute.clone(), 1..3000i64, 0..3usize, any::<bool>()), 0..5),
        prop::collection::vec((minute, 1..2000i64), 0..3),
        ((0..1_000_000_000i128, 0..1_000_000i128), prop::option::weighted(0.3, (1..3u32, 0..200_000i128))),
    );
    (terms, month).prop_map(|(terms, month)| {
        let ((zone, rules), (of, day), slice, measure, bad, (min_run, min_requests), removed, lost_clause) = terms;
        // Nothing that is applied now has slices across midnight.
        let slice = if rules == Rules::First { slice } else { slice.min(day_unit(zone, i64::MIN)) };
        let ((from, came, went, away), (counts, outages), exclusions, lost, (fee, year)) = month;
        // Fewer failures than requests, mostly none, and all of the span whatever the width of a slice. What there is
        // comes in runs of up to four slices.
        let counts = counts.into_iter().flat_map(|(number, valid, failed)| {
            (0..1 + valid % 4)
                .map(move |next| (number % (45 * DAY / slice) + next, valid, if failed > 5 { failed - 5 } else { 0 }))
        });
        let (min_run, split) = (min_run.0 * slice / MINUTE - min_run.1, min_run.2);
        let mut case = Case {
            rules,
            zone,
            month: of,
            day,
            slice,
            measure,
            bad,
            min_run,
            split,
            min_requests,
            removed,
            lost_clause,
            from,
            active: (came, went.filter(|went| came.is_none_or(|came| came < *went))),
            away: away
                .map(|(left, long)| (left, left + long))
                .filter(|(left, back)| came.is_none_or(|came| came < *left) && went.is_none_or(|went| *back < went)),
            counts: counts.collect(),
            exclusions,
            lost,
            fee,
            year,
        };
        // Outages at the ends of what is judged.
        let whole = case.whole();
        let (left, back) = case.away.unwrap_or_default();
        let ends = [came, went, Some(left), Some(back)].map(|minute| case.at(minute.unwrap_or_default()));
        for (end, from, long, is_lost) in outages {
            let at = case.slice_of([whole.0, whole.1, ends[0], ends[1], ends[2], ends[3]][end]);
            let first = (at - case.slice_of(whole.0 - 10 * DAY)) / slice + from;
            if is_lost {
                case.lost.push(((at + from * slice - case.at(0)) / MINUTE, long * slice / MINUTE));
            } else {
                case.counts.extend((first.max(0)..first.max(0) + long).map(|number| (number, 10, 10)));
            }
        }
        case
    })
}

//! What is drawn: an agreement with all of its clauses, and what happened.

use chrono_tz::Tz;

use super::clock::{DAY, Slots, Weekly, day_of_month, first_at, month_of};
use crate::naive_forms::Form;

/// Half minutes: exclusions and losses of telemetry begin and end inside minutes, too.
pub const TICKS: i64 = 2;
/// µs of one.
pub const TICK: i64 = 30_000_000;

pub const ENDPOINTS: [&str; 3] = ["a", "b1", "b2"];
pub const BUSINESSES: [&str; 2] = ["x", "y"];
pub const STATUSES: [i32; 7] = [200, 500, 503, 404, 429, 302, 200];
pub const CAUSES: [&str; 6] = ["", "", "upstream_timeout", "auth_timeout", "rate_limited", "attack"];
pub const CATEGORIES: [&str; 3] = ["Attack", "Maintenance", "Weather"];
pub const PLANS: [&str; 4] = ["gold", "enterprise-eu", "silver", ""];
/// Windows of service, with weekdays from Monday on and minutes of the day; past midnight those of the next day.
pub const HOURS: [(&str, &[Window]); 4] = [
    (
        "[Mon-Fri 08:00-20:00, Sat 10:00-14:00, Sun 01:00-04:00]",
        &[(0, 4, 480, 1200), (5, 5, 600, 840), (6, 6, 60, 240)],
    ),
    ("[Sat-Wed 00:00-24:00]", &[(5, 9, 0, 1440)]),
    ("[Mon-Sun 22:00-06:00, Mon-Fri 06:00-12:00]", &[(0, 6, 1320, 1800), (0, 4, 360, 720)]),
    ("[Mon-Sun 02:00-24:00]", &[(0, 6, 120, 1440)]),
];
/// Which endpoints count, as it is written and which.
pub const NARROWED: [(&str, &[usize]); 3] = [("[a, b1]", &[0, 1]), ("\"b*\"", &[1, 2]), ("b2", &[2])];
/// Statuses from one to another.
pub type FromTo = &'static [(i32, i32)];
/// A window of some weekdays: first and last day, from when until when.
pub type Window = (i64, i64, i64, i64);

/// What is not valid: as it is written, statuses from and to, causes.
pub const NOT_VALID: [(&str, FromTo, &[&str]); 3] = [
    ("{except: [4xx]}", &[(400, 499)], &[]),
    ("{except: [429, rate_limited]}", &[(429, 429)], &["rate_limited"]),
    ("{except: [50x, attack]}", &[(500, 509)], &["attack"]),
];
/// Likewise what fails by status, and by cause.
pub const FAILED: [(&str, FromTo); 4] = [
    ("", &[]),
    ("[5xx]", &[(500, 599)]),
    ("[500-502, 404]", &[(500, 502), (404, 404)]),
    ("[42x, 503]", &[(420, 429), (503, 503)]),
];
pub const FAILED_CAUSES: [&[&str]; 3] = [&[], &["attack"], &["upstream_timeout", "rate_limited"]];
/// Limits in µs: one at which counts are exact, the bound of a bucket, and one within a bucket.
pub const LIMITS: [i64; 3] = [300_000, 250_000, 400_000];
/// µs that requests took; `None`: nobody knows.
pub const LATENCIES: [Option<i64>; 9] = [
    None,
    Some(90_000),
    Some(250_000),
    Some(250_001),
    Some(299_999),
    Some(300_001),
    Some(399_000),
    Some(401_000),
    Some(2_000_000),
];

/// To whom causes and statuses are charged besides what ships.
pub const CHARGED: [&[(&str, &str)]; 4] = [
    &[],
    &[("attack", "gateway")],
    &[("5xx", "nobody"), ("503", "gateway"), ("auth_timeout", "service")],
    &[("upstream_timeout", "nobody"), ("404", "service")],
];

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fails {
    /// What is charged to the gateway, else to the service.
    Charged {
        gateway: bool,
        causes: usize,
    },
    Named {
        statuses: usize,
        causes: usize,
        slower: Option<usize>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Each {
    No,
    Sum,
    Worst,
    Any,
    /// Of the first so many members and, if it is said, of one that has no requests; what a silent one is.
    All {
        of: usize,
        ghost: bool,
        silent: &'static str,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Notice {
    Before,
    /// Minutes.
    Ahead(i64),
}

#[derive(Debug, Clone)]
pub struct Clause {
    pub category: usize,
    pub notice: Option<Notice>,
    /// Minutes of each so many months.
    pub at_most: Option<(i64, i64)>,
}

#[derive(Debug, Clone)]
pub struct Metric {
    /// The minutes of an objective's slices, whose events count in the place of requests.
    pub objective: Option<i64>,
    pub narrowed: Option<usize>,
    pub fails: Fails,
    pub not_valid: Option<usize>,
    pub each: Each,
    pub by_business: bool,
    /// Minutes.
    pub slice: i64,
    pub measure: &'static str,
    /// `>=` or `>`, and percent.
    pub bad: (bool, i64),
    /// Minutes.
    pub min_run: i64,
    pub split: bool,
    pub min_requests: i64,
    /// Thousandths of a percent.
    pub commitment: i128,
    pub round: Option<(u32, &'static str)>,
    pub form: Form,
    pub exclusions: Vec<Clause>,
    pub by_slice: bool,
    pub bridge: bool,
    pub removed: bool,
    /// From how many days is estimated.
    pub lost: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
pub enum Cap {
    None,
    Percent(i128),
    /// In the least units that are paid.
    Money(i128),
    /// Of a year alone.
    Fees(i128),
}

/// The same requests in some slots, one after the other.
#[derive(Debug, Clone)]
pub struct Requests {
    pub from: usize,
    pub long: usize,
    pub endpoint: usize,
    pub business: usize,
    pub status: usize,
    pub cause: usize,
    pub latency: usize,
    pub number: i64,
}

/// Ticks since the epoch.
#[derive(Debug, Clone)]
pub struct Exclusion {
    pub from: i64,
    pub until: i64,
    pub category: usize,
    pub announced: Option<i64>,
}

#[derive(Debug, Clone)]
pub struct Paid {
    /// Minutes since the epoch, where they are known.
    pub from: Option<i64>,
    pub until: Option<i64>,
    pub plan: usize,
    /// In 10⁻⁶ of the currency's unit.
    pub amount: i128,
    pub vouchers: i128,
}

#[derive(Debug, Clone)]
pub struct Case {
    pub zone: Tz,
    pub slots: Slots,
    /// By number from year 0 on, any of the period's.
    pub month: i64,
    pub months: i64,
    pub day: u32,
    /// Where periods are of days: how many, and how many periods after the drawn one begins the one from which they are counted.
    pub days: Option<(i64, i64)>,
    pub hours: Option<usize>,
    pub metrics: Vec<Metric>,
    /// Whether even one metric stands in `metrics`.
    pub listed: bool,
    pub sum: bool,
    /// EUR, else JPY.
    pub cents: bool,
    pub cap: Cap,
    pub cap_of_year: Cap,
    /// Credited before, in the least units that are paid.
    pub before: i128,
    pub min_payout: Option<i128>,
    pub round_amount: Option<(u32, &'static str)>,
    pub exclude_vouchers: bool,
    pub prorate: bool,
    pub plans: bool,
    /// Minutes since the epoch.
    pub effective: (Option<i64>, Option<i64>),
    pub paid: Vec<Paid>,
    pub requests: Vec<Requests>,
    /// From which slot on, for how many of the objective's slices, valid and failed.
    pub events: Vec<(usize, usize, i64, i64)>,
    pub exclusions: Vec<Exclusion>,
    /// With its category and the tick at which it was announced.
    pub weekly: Option<(Weekly, usize, Option<i64>)>,
    /// Ticks since the epoch.
    pub lost: Vec<(i64, i64)>,
}

/// Between which minutes since the epoch a period lies, and on which days since 1970 it begins and ends; one of so many days, where that
/// is said, instead of months.
pub fn period(zone: Tz, month: i64, months: i64, day: u32, days: Option<i64>) -> [(i64, i64); 2] {
    let first = month.div_euclid(months) * months;
    let begins = day_of_month(if days.is_some() { month } else { first }, day);
    [begins, days.map_or_else(|| day_of_month(first + months, day), |days| begins + days)]
        .map(|day| (first_at(day * DAY, zone), day))
}

/// What was paid for a month, of a period of days.
pub struct OfMonth {
    pub month: i64,
    pub from: Option<i64>,
    pub until: Option<i64>,
    pub amount: i128,
    pub vouchers: i128,
}

impl Case {
    pub fn period(&self) -> [(i64, i64); 2] {
        period(self.zone, self.month, self.months, self.day, self.days.map(|(days, _)| days))
    }

    /// Decimal places of the currency, and its name.
    pub fn currency(&self) -> (u32, &'static str) {
        if self.cents { (2, "EUR") } else { (0, "JPY") }
    }

    /// What fees of agreed plans say.
    pub fn agreed(&self) -> Vec<&Paid> {
        // As in `plan: [gold, "enterprise-*"]`.
        self.paid.iter().filter(|paid| !self.plans || paid.plan < 2).collect()
    }

    /// Of a period of days what was paid for each month of which something is judged: a little more from month to month.
    pub fn of_months(&self) -> Vec<OfMonth> {
        let (Some((start, end)), [(_, first), (_, next)]) = (self.covered(), self.period()) else { return Vec::new() };
        let mut found = Vec::new();
        for month in month_of(first)..=month_of(next - 1) {
            let [begins, ends] = [month, month + 1].map(|month| first_at(day_of_month(month, 1) * DAY, self.zone));
            let [begins, ends] = [begins.max(start / TICKS), ends.min(end / TICKS)];
            let is_there =
                |paid: &&&Paid| paid.from.unwrap_or(begins).max(begins) < paid.until.unwrap_or(ends).min(ends);
            let agreed = self.agreed();
            found.extend(agreed.iter().filter(is_there).map(|paid| OfMonth {
                month,
                from: paid.from,
                until: paid.until,
                amount: paid.amount + i128::from(month - month_of(first)) * 1_000_003,
                vouchers: paid.vouchers,
            }));
        }
        found
    }

    /// The exclusions that were recorded, also those that recur, in ticks.
    pub fn excluded(&self) -> Vec<Exclusion> {
        let horizon = self.slots.minute(self.slots.len() - 1);
        let recurring = self.weekly.iter().flat_map(|(weekly, category, announced)| {
            weekly.occurrences(horizon).into_iter().map(|[from, until]| Exclusion {
                from: from * TICKS,
                until: until * TICKS,
                category: *category,
                announced: *announced,
            })
        });
        self.exclusions.iter().cloned().chain(recurring).collect()
    }
}

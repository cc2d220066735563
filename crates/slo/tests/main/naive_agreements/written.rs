//! The agreement's text.

use chrono::DateTime;

use super::drawn::{
    BUSINESSES, CATEGORIES, CHARGED, Cap, Case, Clause, ENDPOINTS, Each, FAILED, FAILED_CAUSES, Fails, HOURS, LIMITS,
    Metric, NARROWED, NOT_VALID, Notice,
};
use crate::naive_forms::thousandths;

impl Metric {
    /// The clauses that a metric may have of its own, key by key.
    fn clauses(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        let mut say = |key, text: String| found.push((key, text));
        if self.objective.is_some() {
            say("objective", "checks".into());
        } else {
            self.whose(&mut say);
        }
        say("slice", format!("{}m", self.slice));
        say("measure", self.measure.into());
        let (at_least, percent) = self.bad;
        if matches!(self.measure, "BadSlices" | "Downtime" | "Proportional") {
            say("bad", format!("errorRate {} {percent}%", if at_least { ">=" } else { ">" }));
        }
        if self.measure == "Downtime" {
            say("minRun", format!("{}m", self.min_run));
            say("overEnd", if self.split { "split" } else { "cut" }.into());
        }
        if self.measure != "Occurrences" {
            say("minRequests", self.min_requests.to_string());
        }
        say("commitment", format!("{}%", thousandths(self.commitment)));
        if let Some((places, mode)) = self.round {
            // A comma would end it in a metric.
            say("round", format!("\"{places}, {mode}\""));
        }
        say("credits", self.form.text());
        let categories: Vec<String> = self.exclusions.iter().map(Clause::text).collect();
        let by_slice = if self.by_slice { ", granularity: slice" } else { "" };
        let bridge = if self.bridge { ", bridge: true" } else { "" };
        say("exclusions", format!("{{categories: [{}]{by_slice}{bridge}}}", categories.join(", ")));
        if self.removed {
            say("excludedTime", "removed".into());
        }
        if let Some(days) = self.lost {
            say("lostTelemetry", format!("{{estimateFrom: {days}d}}"));
        }
        found
    }

    fn whose(&self, say: &mut impl FnMut(&'static str, String)) {
        if let Some(narrowed) = self.narrowed {
            say("endpoint", NARROWED[narrowed].0.into());
        }
        match self.fails {
            Fails::Charged { gateway, causes } => {
                say("party", if gateway { "gateway" } else { "service" }.into());
                let causes: Vec<String> = CHARGED[causes].iter().map(|(cause, to)| format!("{cause}: {to}")).collect();
                say("causes", format!("{{{}}}", causes.join(", ")));
            }
            Fails::Named { statuses, causes, slower } => {
                let mut all = Vec::new();
                if statuses > 0 {
                    all.push(format!("status: {}", FAILED[statuses].0));
                }
                if causes > 0 {
                    all.push(format!("causes: [{}]", FAILED_CAUSES[causes].join(", ")));
                }
                all.extend(slower.map(|limit| format!("slowerThan: {}ms", LIMITS[limit] / 1000)));
                say("failed", format!("{{{}}}", all.join(", ")));
            }
        }
        if let Some(not_valid) = self.not_valid {
            say("valid", NOT_VALID[not_valid].0.into());
        }
        let by = if self.by_business { "business" } else { "endpoint" };
        match self.each {
            Each::No => {}
            Each::Worst => say("each", by.into()),
            Each::Sum => say("each", format!("{{by: {by}, join: sum}}")),
            Each::Any => say("each", format!("{{by: {by}, join: any}}")),
            Each::All { silent, .. } => {
                say("each", format!("{{by: {by}, join: all, of: [{}], noData: {silent}}}", self.all().join(", ")));
            }
        }
    }

    /// The names of the members of `join: all`.
    pub fn all(&self) -> Vec<&'static str> {
        let Each::All { of, ghost, .. } = self.each else { return Vec::new() };
        let members: &[&str] = if self.by_business { &BUSINESSES } else { &ENDPOINTS };
        members.iter().copied().take(of).chain(ghost.then_some("ghost")).collect()
    }
}

impl Clause {
    fn text(&self) -> String {
        let notice = match self.notice {
            None => String::new(),
            Some(Notice::Before) => ", announced: before".into(),
            Some(Notice::Ahead(minutes)) => format!(", announced: {minutes}m"),
        };
        let most =
            self.at_most.map_or_else(String::new, |(minutes, months)| format!(", atMost: {minutes}m per {months}M"));
        let category = CATEGORIES[self.category];
        if notice.is_empty() && most.is_empty() {
            category.into()
        } else {
            format!("{{category: {category}{notice}{most}}}")
        }
    }
}

/// A day since 1970.
pub fn date(day: i64) -> String {
    DateTime::from_timestamp(day * 86_400, 0).unwrap().date_naive().to_string()
}

impl Case {
    /// The name of the period: of months any of its months.
    pub fn name(&self) -> String {
        match self.days {
            None => format!("{:04}-{:02}", self.month.div_euclid(12), self.month.rem_euclid(12) + 1),
            Some(_) => date(self.period()[0].1),
        }
    }

    fn money(&self, units: i128) -> String {
        match self.cents {
            true => format!("{}.{:02} EUR", units / 100, units % 100),
            false => format!("{units} JPY"),
        }
    }

    fn limit(&self, cap: Cap) -> Option<String> {
        match cap {
            Cap::None => None,
            Cap::Percent(percent) => Some(format!("{percent}%")),
            Cap::Money(units) => Some(self.money(units)),
            Cap::Fees(fees) => Some(format!("{fees} fees")),
        }
    }

    pub fn text(&self) -> String {
        let at = |minute: i64| DateTime::from_timestamp(minute * 60, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ");
        let from = self.effective.0.map(|minute| format!("nines/effective-from: {}", at(minute)));
        let until = self.effective.1.map(|minute| format!("nines/effective-until: {}", at(minute)));
        let annotations: Vec<String> = from.into_iter().chain(until).collect();
        let mut text = format!(
            "apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: a, annotations: {{{}}}}}\nspec:\n  service: s\n  period: \
             {{duration: {}, from: {}, timeZone: {}}}\n",
            annotations.join(", "),
            self.days.map_or_else(|| format!("{}M", self.months), |(days, _)| format!("{days}d")),
            self.days.map_or_else(|| self.day.to_string(), |(days, later)| date(self.period()[0].1 + days * later)),
            self.zone
        );
        let mut say = |key: &str, value: &str| text += &format!("  {key}: {value}\n");
        if let Some(hours) = self.hours {
            say("serviceHours", HOURS[hours].0);
        }
        match (self.limit(self.cap), self.limit(self.cap_of_year)) {
            (None, None) => {}
            (Some(cap), None) => say("cap", &cap),
            (None, Some(year)) => say("cap", &format!("{{year: {year}}}")),
            (Some(cap), Some(year)) => say("cap", &format!("{{period: {cap}, year: {year}}}")),
        }
        if let Some(units) = self.min_payout {
            say("minPayout", &format!("[5.00 USD, {}]", self.money(units)));
        }
        if let Some((places, mode)) = self.round_amount {
            say("roundAmount", &format!("{places}, {mode}"));
        }
        let fees = [(self.exclude_vouchers, "exclude: vouchers"), (self.prorate, "prorate: days")];
        let fees: Vec<&str> = fees.iter().filter(|(is_said, _)| *is_said).map(|(_, text)| *text).collect();
        say("fees", &format!("{{{}}}", fees.join(", ")));
        if self.plans {
            say("plan", "[gold, \"enterprise-*\"]");
        }
        let clauses: Vec<_> = self.metrics.iter().map(Metric::clauses).collect();
        // What all metrics say alike stands in the spec.
        let (alike, _): (Vec<_>, Vec<_>) =
            clauses[0].iter().partition(|own| clauses.iter().all(|all| all.contains(own)));
        alike.iter().for_each(|(key, value)| say(key, value));
        if self.metrics.len() > 1 || self.listed {
            text += "  metrics:\n";
            for (at, clauses) in clauses.iter().enumerate() {
                let own = clauses.iter().filter(|own| !alike.contains(own));
                let own: String = own.map(|(key, value)| format!(", {key}: {value}")).collect();
                text += &format!("    - {{name: m{at}{own}}}\n");
            }
        }
        if self.metrics.len() > 1 {
            text += &format!("  together: {}\n", if self.sum { "sum" } else { "largest" });
        }
        text
    }
}

//! `burn_alerts(from, to [, rules [, min_events]])`: when burn-rate alerts would have fired.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::{exec_datafusion_err, plan_err};
use datafusion::error::Result;
use nines_timeline::{Alert, Burning, Interval, MICROS, Rule, burn_alerts};

use super::arguments::{Arguments, By};
use super::columns::{count, counts, float, floats, instant, instants, text, texts};
use super::groups::{Group, groups};
use super::signature::{FROM, Parameter, Signature, TO};
use super::table_function::{Call, TableFunction};
use crate::evaluate::{Detail, Part, Prepared, Tabulation, burning, lines};

/// The rules by which alerts fire.
const RULES: Parameter = Parameter::optional("rules", "'2%:1h:5m'");
/// Events that the long window must have.
const MIN_EVENTS: Parameter = Parameter::optional("min_events", "100");

#[derive(Debug)]
pub(super) struct BurnAlerts;

impl TableFunction for BurnAlerts {
    fn signature(&self) -> Signature {
        Signature { function: "burn_alerts", parameters: &[FROM, TO, RULES, MIN_EVENTS] }
    }

    fn documentation(&self) -> (&'static str, &'static str) {
        (
            "Multi-window, multi-burn-rate alerts of every objective and of every composite SLO with a target, replayed over \
             [from, to): an alert fires when the burn rate over the long and over the short window is at least the factor, and clears \
             when one of them is below. The burn rate is (1 − slo) / (1 − target) by the objective's own method (of a composite by \
             time), over the slices that ended in the window, with the target in force at each; a window shorter than a slice is the \
             last slice that ended. Where nothing was measured, or no event, or fewer than `min_events` events in the long window \
             (none by default; not for composites), no alert fires. The rules are '2%:1h:5m, 5%:6h:30m, 10%:1d:2h, 10%:3d:6h' unless \
             given: the share of the budget that the long window spends, whose factor is share × the objective's window ÷ long \
             window (30 d: 14.4, 6, 3, 1; a month counts 30 days, 30 days without a window); a number without % is the factor itself. \
             `cleared` is NULL for an alert that still fires at the end of what is known.",
            "SELECT objective, factor, fired, cleared FROM burn_alerts('2026-10-01', '2026-11-01') ORDER BY fired",
        )
    }

    fn call(&self, arguments: Arguments<'_>) -> Result<Call> {
        let rules = rules(arguments.text(RULES.name)?.unwrap_or(DEFAULTS))?;
        let min_events = arguments.count(MIN_EVENTS.name)?.unwrap_or(0);
        let range = arguments.range()?;
        let longest = rules.iter().map(|rule| rule.long.max(rule.short)).max().unwrap_or(0);
        Ok(Call {
            // Windows look back.
            ranges: vec![Interval::new(range.start.saturating_sub(longest), range.end)],
            beside: &[],
            detail: Detail::Events { of_all: min_events > 0 },
            columns: &["business", "service", "objective"],
            time: None,
            composites: true,
            answer: Arc::new(Rows { rules, min_events, from: range.start, zone: arguments.zone() }),
        })
    }
}

/// [`Rule::DEFAULTS`] as text.
const DEFAULTS: &str = "2%:1h:5m, 5%:6h:30m, 10%:1d:2h, 10%:3d:6h";

/// A rule before it is known whose.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Wanted {
    level: Level,
    long: i64,
    short: i64,
}

/// From where on a rule fires, a fraction each.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Level {
    /// A burn rate.
    Factor(u32, u32),
    /// The share of the whole budget that the long window spends.
    Share(u32, u32),
}

impl Wanted {
    /// The rule of an objective whose promise is over a window.
    fn rule(&self, window: i64) -> Option<Rule> {
        match self.level {
            Level::Factor(n, d) => Some(Rule { factor: (n, d), long: self.long, short: self.short }),
            Level::Share(n, d) => Rule::spending((n, d), window, self.long, self.short),
        }
    }
}

/// Reads `14.4:1h:5m, 2%:6h:30m`.
fn rules(text: &str) -> Result<Vec<Wanted>> {
    let mut rules = Vec::new();
    for rule in text.split(',') {
        let parts: Vec<&str> = rule.trim().split(':').map(str::trim).collect();
        let read = match parts.as_slice() {
            [rate, long, short] => level(rate).zip(window(long)).zip(window(short)),
            _ => None,
        };
        match read {
            Some(((level, long), short)) if short <= long => rules.push(Wanted { level, long, short }),
            _ => {
                return plan_err!(
                    "burn_alerts: rules must be like '2%:1h:5m, 6:6h:30m', each a share of the budget or a factor, a long and a \
                     short window, got '{}'",
                    rule.trim()
                );
            }
        }
    }
    Ok(rules)
}

/// A share of the budget in percent, or a factor.
fn level(text: &str) -> Option<Level> {
    match text.strip_suffix('%') {
        Some(percent) => {
            let (n, d) = factor(percent.trim_end())?;
            Some(Level::Share(n, d.checked_mul(100)?))
        }
        None => factor(text).map(|(n, d)| Level::Factor(n, d)),
    }
}

/// A positive decimal as a fraction.
fn factor(text: &str) -> Option<(u32, u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction}");
    let is_number = digits.bytes().all(|digit| digit.is_ascii_digit());
    let numerator = digits.parse().ok().filter(|numerator| is_number && *numerator > 0)?;
    Some((numerator, 10u32.checked_pow(u32::try_from(fraction.len()).ok()?)?))
}

/// A number of minutes, hours or days in µs.
fn window(text: &str) -> Option<i64> {
    let (number, seconds) = match text.chars().last()? {
        'm' => (&text[..text.len() - 1], 60),
        'h' => (&text[..text.len() - 1], 3600),
        'd' => (&text[..text.len() - 1], 86_400),
        _ => return None,
    };
    number.parse::<i64>().ok().filter(|number| *number > 0)?.checked_mul(seconds * MICROS)
}

#[derive(Debug)]
struct Rows {
    rules: Vec<Wanted>,
    min_events: i64,
    from: i64,
    zone: Arc<str>,
}

impl Tabulation for Rows {
    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            text("business"),
            text("service"),
            text("objective"),
            float("factor"),
            count("long_window_seconds"),
            count("short_window_seconds"),
            instant("fired", &self.zone),
            instant("cleared", &self.zone),
            float("peak_burn_rate"),
        ]))
    }

    fn rows(&self, prepared: &Prepared, parts: &[&Part]) -> Result<Vec<RecordBatch>> {
        let lines = lines(prepared, parts, 0)?;
        let groups = groups(&lines, By::Objective, &prepared.definitions);
        let mut of: HashMap<usize, Vec<&Part>> = HashMap::new();
        parts.iter().for_each(|part| of.entry(part.subject).or_default().push(*part));
        of.values_mut().for_each(|parts| parts.sort_by_key(|part| part.interval.start));
        let mut fired: Vec<(&Group<'_>, Rule, Alert)> = Vec::new();
        for group in &groups {
            let (burning, min_events) = match group.single() {
                Some(line) => (burning(line, prepared, &of), self.min_events),
                None => match by_time(group) {
                    Some(burning) => (burning, 0),
                    None => continue,
                },
            };
            let window = group.lines.iter().find_map(|line| line.spec.window.as_ref());
            let window = window.map_or(nines_slo::Window::DEFAULT, nines_slo::Window::micros);
            for rule in &self.rules {
                let name = group.objective.unwrap_or_default();
                let rule = rule.rule(window).ok_or_else(|| {
                    exec_datafusion_err!(
                        "burn_alerts: the factor of a rule for {name} is no fraction of 32-bit numbers"
                    )
                })?;
                let alerts = burn_alerts(&burning, &rule, min_events, self.from).ok_or_else(|| {
                    exec_datafusion_err!("burn_alerts: {name} has more events in a window than 128 bits of budget hold")
                })?;
                fired.extend(alerts.into_iter().map(|alert| (group, rule, alert)));
            }
        }
        Ok(vec![RecordBatch::try_new(
            self.schema(),
            vec![
                texts(fired.iter().map(|(group, ..)| group.business)),
                texts(fired.iter().map(|(group, ..)| group.service)),
                texts(fired.iter().map(|(group, ..)| group.objective)),
                floats(fired.iter().map(|(_, rule, _)| Some(rule.factor()))),
                counts(fired.iter().map(|(_, rule, _)| Some(rule.long / MICROS))),
                counts(fired.iter().map(|(_, rule, _)| Some(rule.short / MICROS))),
                instants(fired.iter().map(|(_, _, alert)| Some(alert.fired)), &self.zone),
                instants(fired.iter().map(|(_, _, alert)| alert.cleared), &self.zone),
                floats(fired.iter().map(|(_, _, alert)| Some(alert.peak))),
            ],
        )?])
    }
}

/// A union by time up to the last slice that is over or measured, with what was promised when; `None` where nothing was.
fn by_time(group: &Group<'_>) -> Option<Burning> {
    let promised = group.promises.iter().filter_map(|promise| Some((promise.in_force, promise.target?)));
    let promises: Vec<_> = promised.collect();
    let known = group.lines.iter().map(|line| line.ahead.first().map_or(i64::MAX, |ahead| ahead.start)).max()?;
    let known = Interval::new(group.timeline.start(), known.min(group.timeline.end()));
    (!promises.is_empty()).then(|| Burning::by_time(&group.timeline.clip(known), &promises))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_or_refused() {
        let month = 30 * 86_400 * MICROS;
        let of = |text: &str| rules(text).unwrap().iter().map(|rule| rule.rule(month).unwrap()).collect::<Vec<_>>();
        let defaults =
            Rule::DEFAULTS.map(|(share, long, short)| Rule::spending((share, 100), month, long, short).unwrap());
        assert_eq!(of(DEFAULTS), defaults);
        let factors: Vec<f64> = of("14.4:1h:5m, 6:6h:30m, 3:1d:2h, 1:3d:6h").iter().map(Rule::factor).collect();
        assert_eq!(factors, defaults.iter().map(Rule::factor).collect::<Vec<f64>>());
        for wrong in [
            "",
            "14.4",
            "14.4:1h",
            "x:1h:5m",
            "1:5m:1h",
            "-1:1h:5m",
            "1:1w:5m",
            "1:0h:0m",
            "1.:2.:3.",
            "%:1h:5m",
            "2 %%:1h:5m",
        ] {
            assert!(rules(wrong).is_err(), "{wrong}");
        }
    }
}

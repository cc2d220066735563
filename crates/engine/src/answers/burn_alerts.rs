//! `burn_alerts(from, to [, rules])`: when burn-rate alerts would have fired.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::plan_err;
use datafusion::error::Result;
use nines_timeline::{Alert, Interval, MICROS, Rule, burn_alerts};

use super::arguments::Arguments;
use super::columns::{count, counts, float, floats, instant, instants, text, texts};
use super::signature::{FROM, Parameter, Signature, TO};
use super::{Call, Question};
use crate::evaluate::{Answer, Detail, Line, Part, Prepared, lines};

/// The rules by which alerts fire.
const RULES: Parameter = Parameter::optional("rules", "'14.4:1h:5m'");

#[derive(Debug)]
pub(super) struct BurnAlerts;

impl Question for BurnAlerts {
    fn signature(&self) -> Signature {
        Signature { function: "burn_alerts", parameters: &[FROM, TO, RULES] }
    }

    fn documentation(&self) -> (&'static str, &'static str) {
        (
            "Multi-window, multi-burn-rate alerts of every objective, replayed over [from, to): an alert fires when the burn rate \
             by time, over the long and over the short window, is at least the factor, and clears when one of them is below. \
             The rules are '14.4:1h:5m, 6:6h:30m, 3:1d:2h, 1:3d:6h' unless given. `cleared` is NULL for an alert that still \
             fires at the end. Every slice is judged with the target that was in force last.",
            "SELECT objective, factor, fired, cleared FROM burn_alerts('2026-10-01', '2026-11-01') ORDER BY fired",
        )
    }

    fn call(&self, arguments: Arguments<'_>) -> Result<Call> {
        let rules = match arguments.text(RULES.name)? {
            Some(text) => rules(text)?,
            None => Rule::DEFAULTS.to_vec(),
        };
        let range = arguments.range()?;
        let longest = rules.iter().map(|rule| rule.long.max(rule.short)).max().unwrap_or(0);
        Ok(Call {
            // Windows look back.
            ranges: vec![Interval::new(range.start.saturating_sub(longest), range.end)],
            beside: &[],
            detail: Detail::None,
            columns: &["business", "service", "objective"],
            time: None,
            composites: false,
            answer: Arc::new(Rows { rules, from: range.start, zone: arguments.zone() }),
        })
    }
}

/// Reads `14.4:1h:5m, 6:6h:30m`.
fn rules(text: &str) -> Result<Vec<Rule>> {
    let mut rules = Vec::new();
    for rule in text.split(',') {
        let parts: Vec<&str> = rule.trim().split(':').map(str::trim).collect();
        let read = match parts.as_slice() {
            [rate, long, short] => factor(rate).zip(window(long)).zip(window(short)),
            _ => None,
        };
        match read {
            Some(((factor, long), short)) if short <= long => rules.push(Rule { factor, long, short }),
            _ => {
                return plan_err!(
                    "burn_alerts: rules must be like '14.4:1h:5m, 6:6h:30m', each a factor, a long and a short window, got \
                     '{}'",
                    rule.trim()
                );
            }
        }
    }
    Ok(rules)
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
    rules: Vec<Rule>,
    from: i64,
    zone: Arc<str>,
}

impl Answer for Rows {
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
        let mut fired: Vec<(&Line, &Rule, Alert)> = Vec::new();
        for line in &lines {
            for rule in &self.rules {
                let alerts = burn_alerts(&line.timeline, line.spec.target, rule, self.from);
                fired.extend(alerts.into_iter().map(|alert| (line, rule, alert)));
            }
        }
        Ok(vec![RecordBatch::try_new(
            self.schema(),
            vec![
                texts(fired.iter().map(|(line, ..)| Some(line.business.as_ref()))),
                texts(fired.iter().map(|(line, ..)| Some(line.service.as_ref()))),
                texts(fired.iter().map(|(line, ..)| Some(line.objective.as_ref()))),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_or_refused() {
        assert_eq!(rules("14.4:1h:5m, 6:6h:30m, 3:1d:2h, 1:3d:6h").unwrap(), Rule::DEFAULTS);
        for wrong in ["", "14.4", "14.4:1h", "x:1h:5m", "1:5m:1h", "-1:1h:5m", "1:1w:5m", "1:0h:0m", "1.:2.:3."] {
            assert!(rules(wrong).is_err(), "{wrong}");
        }
    }
}

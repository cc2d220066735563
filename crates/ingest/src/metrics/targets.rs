//! Which rows a series counts for: the rules of a mapping applied to labels.

use nines_slo::{ColumnFrom, Counted, Mapping, Rule, Selector};
use nines_store::TableKind;

use super::status::status;
use crate::samples::Labels;
use crate::{IngestError, Result};

/// What a series counts for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Target {
    pub table: TableKind,
    /// The rule, by its place in the mapping.
    pub rule: usize,
    /// The selector by which it was found, by its place among those of the mapping.
    pub selector: usize,
    pub unit: Unit,
    pub status: i32,
    pub cause: String,
    pub part: Part,
}

/// What rows are of, apart from their slice, status and cause.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Unit {
    pub business: String,
    pub service: String,
    pub endpoint: String,
    pub customer: String,
    pub name: String,
}

/// What of a row a series counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Requests,
    /// Up to a bound in µs; without one all requests of the histogram.
    Bucket(Option<i64>),
    /// Latencies, of which so many make a second.
    LatencySum(u64),
    Native,
    Good,
    Bad,
    Total,
    Gauge,
}

/// All targets of a series.
pub(super) fn targets(mapping: &Mapping, labels: &Labels) -> Result<Vec<Target>> {
    let (mut found, mut before) = (Vec::new(), 0);
    for (at, rule) in mapping.rules.iter().enumerate() {
        let mut rules = OneRule { rule, at, labels, found: &mut found };
        rules.parts(before)?;
        before += rule.what.selectors().count();
    }
    Ok(found)
}

struct OneRule<'a> {
    rule: &'a Rule,
    at: usize,
    labels: &'a Labels,
    found: &'a mut Vec<Target>,
}

impl OneRule<'_> {
    /// `before` is the place of the rule's first selector.
    fn parts(&mut self, before: usize) -> Result<()> {
        match &self.rule.what {
            Counted::Counter { series, .. } => self.whole(series, before, Part::Requests),
            Counted::Gauge { series, .. } => self.whole(series, before, Part::Gauge),
            Counted::Events { good, bad, total, .. } => {
                self.whole(good, before, Part::Good)?;
                self.whole(bad, before + good.len(), Part::Bad)?;
                self.whole(total, before + good.len() + bad.len(), Part::Total)
            }
            Counted::Histogram { series, in_a_second, .. } => {
                for (at, selector) in series.iter().enumerate() {
                    let Some(part) = self.of_histogram(selector, *in_a_second)? else { continue };
                    return self.found(before + at, part);
                }
                Ok(())
            }
        }
    }

    /// A series counts once, however many of these selectors it meets.
    fn whole(&mut self, selectors: &[Selector], before: usize, part: Part) -> Result<()> {
        let labels = self.labels;
        match selectors.iter().position(|selector| selector.matches(|name| labels.get(name))) {
            Some(at) => self.found(before + at, part),
            None => Ok(()),
        }
    }

    fn of_histogram(&self, selector: &Selector, in_a_second: u64) -> Result<Option<Part>> {
        let (labels, Some(base)) = (self.labels, selector.metric()) else { return Ok(None) };
        let Some(suffix) = labels.metric().strip_prefix(base) else { return Ok(None) };
        let part = match suffix {
            "" => Part::Native,
            "_sum" => Part::LatencySum(in_a_second),
            "_bucket" => Part::Bucket(None),
            _ => return Ok(None),
        };
        if !selector.matches(|name| if name == "__name__" { base } else { labels.get(name) }) {
            return Ok(None);
        }
        match part {
            Part::Bucket(_) => Ok(Some(Part::Bucket(bound(labels, in_a_second)?))),
            Part::Native if in_a_second != 1 => {
                let problem = format!(
                    "series {labels}: the buckets of a native histogram are stored in seconds, and 'unit' is another"
                );
                Err(IngestError::bad_line(problem).column("latency"))
            }
            other => Ok(Some(other)),
        }
    }

    fn found(&mut self, selector: usize, part: Part) -> Result<()> {
        let (rule, labels) = (self.rule, self.labels);
        let nothing = ColumnFrom::Constant(String::new());
        let (table, name, code, cause) = match &rule.what {
            Counted::Counter { status, cause, .. } | Counted::Histogram { status, cause, .. } => {
                (TableKind::Requests, &nothing, status, cause)
            }
            Counted::Events { name, .. } => (TableKind::Events, name, &nothing, &nothing),
            Counted::Gauge { name, .. } => (TableKind::Gauges, name, &nothing, &nothing),
        };
        let code = filled(code, labels);
        let Some(status) = status(&code) else {
            return Err(IngestError::bad_line(format!("series {labels}: the status is {code:?}"))
                .column("status")
                .expected("a number from 0 to 999, a class as 5xx, or a code of gRPC")
                .advice("Say in the mapping what it is: status: {label: …, values: {…: 500}}"));
        };
        let text = |from: &ColumnFrom| filled(from, labels);
        let unit = Unit {
            business: text(&rule.business),
            service: text(&rule.service),
            endpoint: text(&rule.endpoint),
            customer: text(&rule.customer),
            name: text(name),
        };
        let cause = filled(cause, labels);
        self.found.push(Target { table, rule: self.at, selector, unit, status, cause, part });
        Ok(())
    }
}

/// What stands in a column for a series.
fn filled(from: &ColumnFrom, labels: &Labels) -> String {
    from.text(|name| labels.get(name)).to_string()
}

/// The bound of a bucket in µs; `None` for all.
fn bound(labels: &Labels, in_a_second: u64) -> Result<Option<i64>> {
    let text = labels.get("le");
    if matches!(text, "+Inf" | "Inf") {
        return Ok(None);
    }
    let refused = |problem: &str| {
        Err(IngestError::bad_line(format!("series {labels}: {problem}"))
            .column("latency_le")
            .advice("Leave the bucket out with a matcher, as le!=\"…\""))
    };
    match text.parse::<f64>() {
        Ok(bound) if bound.is_finite() && bound >= 0.0 => {
            let micros = bound * 1e6 / in_a_second as f64;
            // A bound such as 0.3 is no exact binary number, and neither is its product.
            let whole = micros.round();
            if (micros - whole).abs() > micros.abs() * 1e-12 + 1e-9 || whole > 9e15 {
                return refused("its bound is no whole number of microseconds, which thresholds are");
            }
            Ok(Some(whole as i64))
        }
        _ => refused("le is no bound; expected a number of at least 0, or +Inf"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        Labels::new(pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
    }

    fn found(mapping: &str, pairs: &[(&str, &str)]) -> Vec<(Part, i32, String)> {
        let mapping = Mapping::read("m.yaml", mapping).unwrap();
        let targets = targets(&mapping, &labels(pairs)).unwrap();
        targets.into_iter().map(|target| (target.part, target.status, target.unit.endpoint)).collect()
    }

    #[test]
    fn a_series_counts_for_every_rule_that_it_meets() {
        let mapping = "
requests: [{counter: x_total, status: {label: code}, endpoint: {label: path}}]
events: [{name: e, bad: 'x_total{code=~\"5..\"}', total: [x_total, 'x_total{code=\"503\"}']}]";
        let series = [("__name__", "x_total"), ("code", "503"), ("path", "/a")];
        assert_eq!(
            found(mapping, &series),
            [(Part::Requests, 503, "/a".to_string()), (Part::Bad, 0, String::new()), (Part::Total, 0, String::new())]
        );
        assert_eq!(found(mapping, &[("__name__", "y_total")]), []);
    }

    #[test]
    fn the_series_of_a_histogram_are_its_parts() {
        let mapping = "requests: [{histogram: 'took{job=\"a\"}', status: 200, unit: ms}]";
        let part = |name: &str, le: &str| {
            let found = found(mapping, &[("__name__", name), ("job", "a"), ("le", le)]);
            found.first().map(|(part, ..)| *part)
        };
        assert_eq!(part("took_bucket", "0.3"), Some(Part::Bucket(Some(300))));
        assert_eq!(part("took_bucket", "2.5e3"), Some(Part::Bucket(Some(2_500_000))));
        assert_eq!(part("took_bucket", "+Inf"), Some(Part::Bucket(None)));
        assert_eq!(part("took_sum", ""), Some(Part::LatencySum(1_000)));
        assert_eq!(found("requests: [{histogram: took, status: 200}]", &[("__name__", "took")])[0].0, Part::Native);
        assert_eq!(part("took_count", ""), None);
        assert_eq!(part("took_longer_bucket", "1"), None);
    }

    #[test]
    fn a_label_that_cannot_be_a_value_names_its_series() {
        let mapping = Mapping::read("m.yaml", "requests: [{counter: x, status: {label: code}}]").unwrap();
        let refused = targets(&mapping, &labels(&[("__name__", "x"), ("code", "great")])).unwrap_err().to_string();
        assert!(
            refused.starts_with("series x{code=\"great\"}: the status is \"great\"; expected a number"),
            "{refused}"
        );
        let mapping = Mapping::read("m.yaml", "requests: [{histogram: x, status: 0}]").unwrap();
        let refused =
            |le: &str| targets(&mapping, &labels(&[("__name__", "x_bucket"), ("le", le)])).unwrap_err().to_string();
        assert!(refused("0.0000005").contains("its bound is no whole number of microseconds"));
        assert!(refused("").contains("le is no bound"));
    }
}

//! Which rows a series counts for: the rules of a mapping applied to labels.

use nines_slo::{ColumnFrom, Counted, Mapping, Rule, Selector};
use nines_store::TableKind;

use nines_store::labels_text;

use super::status::status;
use crate::endpoints::OTHER;
use crate::found::{Found, MOST_VALUES, of_label};
use crate::samples::Labels;
use crate::{ErrorKind, IngestError, Result};

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
    /// As they are stored; empty if there are none.
    pub labels: String,
}

/// What of a row a series counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Requests,
    /// Up to a bound in µs; without one all requests of the histogram.
    Bucket(Option<i64>),
    /// Latencies, of which so many make a second.
    LatencySum(u64),
    /// Latencies, likewise.
    Native(u64),
    Good,
    Bad,
    Total,
    Gauge,
}

impl Part {
    /// Whether its samples are histograms, not numbers.
    pub fn is_native(self) -> bool {
        matches!(self, Part::Native(_))
    }
}

/// All targets of a series. Values of labels that are too many are called `other`, and noted in `values`.
pub(super) fn targets(mapping: &Mapping, labels: &Labels, values: &Found) -> Result<Vec<Target>> {
    let (mut found, mut before) = (Vec::new(), 0);
    for (at, rule) in mapping.rules.iter().enumerate() {
        let mut rules = OneRule { rule, at, labels, values, found: &mut found };
        rules.parts(before)?;
        before += rule.what.selectors().count();
    }
    Ok(found)
}

struct OneRule<'a> {
    rule: &'a Rule,
    at: usize,
    labels: &'a Labels,
    values: &'a Found,
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

    fn of_histogram(&self, selector: &Selector, given: Option<u64>) -> Result<Option<Part>> {
        let (labels, Some(base)) = (self.labels, selector.metric()) else { return Ok(None) };
        let Some(suffix) = labels.metric().strip_prefix(base) else { return Ok(None) };
        if !matches!(suffix, "" | "_sum" | "_bucket")
            || !selector.matches(|name| if name == "__name__" { base } else { labels.get(name) })
        {
            return Ok(None);
        }
        let in_a_second = in_a_second(labels, given)?;
        Ok(Some(match suffix {
            "" => Part::Native(in_a_second),
            "_sum" => Part::LatencySum(in_a_second),
            _ => Part::Bucket(bound(labels, in_a_second)?),
        }))
    }

    /// The labels of the rows, as they are stored.
    fn row_labels(&self) -> String {
        let mut values = Vec::new();
        for (name, from) in &self.rule.labels {
            let value = from.text(|label| self.labels.get(label));
            let key = of_label(name);
            let is_kept = value.is_empty() || self.values.keeps(&key, value, MOST_VALUES);
            self.values.add_others(&key, u64::from(!is_kept));
            values.push((name.as_str(), if is_kept { value } else { OTHER }));
        }
        labels_text(values).unwrap_or_default()
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
        let is_counter = !matches!(part, Part::Gauge);
        if is_counter && labels.get(TYPE) == "gauge" {
            // It is the mapping that is wrong, and not a line.
            return Err(IngestError::new(ErrorKind::Options, format!("series {labels}: it may fall"))
                .expected("a counter, which only grows")
                .advice("Map it under gauges, or name another metric"));
        }
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
            service: match text(&rule.service) {
                service if service.is_empty() => labels.get("service.name").to_string(),
                service => service,
            },
            endpoint: text(&rule.endpoint),
            customer: text(&rule.customer),
            name: text(name),
            labels: self.row_labels(),
        };
        let cause = filled(cause, labels);
        self.found.push(Target { table, rule: self.at, selector, unit, status, cause, part });
        Ok(())
    }
}

/// The label with the type of a metric: `gauge`, `counter` and so on, where that is told.
pub(crate) const TYPE: &str = "__type__";

/// The label with the unit of a metric, where that is told.
pub(crate) const UNIT: &str = "__unit__";

/// Units of latencies, as OpenTelemetry and Prometheus call them, and how many make a second.
const UNITS: [(&[&str], u64); 4] = [
    (&["s", "seconds"], 1),
    (&["ms", "milliseconds"], 1_000),
    (&["us", "µs", "μs", "microseconds"], 1_000_000),
    (&["ns", "nanoseconds"], 1_000_000_000),
];

/// How many units of a series' latencies make a second: as the mapping says, else as the metric does, else one.
fn in_a_second(labels: &Labels, given: Option<u64>) -> Result<u64> {
    let told = labels.get(UNIT);
    let known = UNITS.iter().find(|(names, _)| names.contains(&told)).map(|(_, in_a_second)| *in_a_second);
    // It is the mapping that is wrong, and not a line.
    let refused = |problem: String, expected: &str, advice: &str| {
        Err(IngestError::new(ErrorKind::Options, format!("series {labels}: {problem}"))
            .expected(expected.to_string())
            .advice(advice.to_string()))
    };
    match (given, known) {
        (None, None) if told.is_empty() => Ok(1),
        (None, None) => refused(
            format!("its unit is {told:?}"),
            "a histogram of latencies, in s, ms, us or ns",
            "If it is one, say in the mapping in which unit: unit: s",
        ),
        (Some(given), Some(known)) if given != known => refused(
            format!("its unit is {told:?}, and the mapping says another"),
            "one unit",
            "Leave 'unit' out of the mapping",
        ),
        (given, known) => Ok(given.or(known).unwrap_or(1)),
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
        let targets = targets(&mapping, &labels(pairs), &Found::default()).unwrap();
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
        assert_eq!(found("requests: [{histogram: took, status: 200}]", &[("__name__", "took")])[0].0, Part::Native(1));
        assert_eq!(part("took_count", ""), None);
        assert_eq!(part("took_longer_bucket", "1"), None);
    }

    #[test]
    fn a_label_that_cannot_be_a_value_names_its_series() {
        let mapping = Mapping::read("m.yaml", "requests: [{counter: x, status: {label: code}}]").unwrap();
        let refused = targets(&mapping, &labels(&[("__name__", "x"), ("code", "great")]), &Found::default())
            .unwrap_err()
            .to_string();
        assert!(
            refused.starts_with("series x{code=\"great\"}: the status is \"great\"; expected a number"),
            "{refused}"
        );
        let mapping = Mapping::read("m.yaml", "requests: [{histogram: x, status: 0}]").unwrap();
        let refused = |le: &str| {
            let series = labels(&[("__name__", "x_bucket"), ("le", le)]);
            targets(&mapping, &series, &Found::default()).unwrap_err().to_string()
        };
        assert!(refused("0.0000005").contains("its bound is no whole number of microseconds"));
        assert!(refused("").contains("le is no bound"));
    }

    #[test]
    fn the_unit_of_a_metric_is_that_of_its_bounds() {
        let part = |mapping: &str, unit: &str| {
            let mapping =
                Mapping::read("m.yaml", &format!("requests: [{{histogram: took, status: 200{mapping}}}]")).unwrap();
            let series = labels(&[("__name__", "took_bucket"), ("le", "0.25"), (UNIT, unit)]);
            let found = targets(&mapping, &series, &Found::default()).map_err(|error| error.to_string())?;
            Ok::<_, String>(found[0].part)
        };
        assert_eq!(part("", ""), Ok(Part::Bucket(Some(250_000))));
        assert_eq!(part("", "ms"), Ok(Part::Bucket(Some(250))));
        assert_eq!(part(", unit: ms", "milliseconds"), Ok(Part::Bucket(Some(250))));
        assert_eq!(part(", unit: s", "{request}"), Ok(Part::Bucket(Some(250_000))));
        assert!(part("", "By").unwrap_err().contains("its unit is \"By\"; expected a histogram of latencies"));
        assert!(part(", unit: s", "ms").unwrap_err().contains("its unit is \"ms\", and the mapping says another"));
    }

    #[test]
    fn labels_of_series_become_labels_of_rows_and_too_many_values_are_other() {
        let mapping = "requests: [{counter: x, status: 200, labels: [zone, cell], endpoint: {label: path}}]";
        let mapping = Mapping::read("m.yaml", mapping).unwrap();
        let values = Found::default();
        let unit = |zone: &str| {
            let series = labels(&[("__name__", "x"), ("zone", zone), ("service.name", "shop")]);
            targets(&mapping, &series, &values).unwrap()[0].unit.clone()
        };
        assert_eq!(unit("a").labels, r#"{"zone":"a"}"#);
        assert_eq!(unit("").labels, "");
        assert_eq!(unit("a").service, "shop", "the service that reports, where the mapping names none");
        for zone in 1..MOST_VALUES {
            unit(&zone.to_string());
        }
        assert_eq!((unit("b").labels, unit("a").labels), (r#"{"zone":"other"}"#.into(), r#"{"zone":"a"}"#.into()));
        assert_eq!(values.others(), [("label zone".to_string(), 1)]);
    }

    #[test]
    fn what_may_fall_is_no_counter() {
        let mapping = Mapping::read("m.yaml", "requests: [{counter: x, status: 200}]").unwrap();
        let series = labels(&[("__name__", "x"), (TYPE, "gauge")]);
        let refused = targets(&mapping, &series, &Found::default()).unwrap_err().to_string();
        assert!(refused.contains("it may fall; expected a counter, which only grows"), "{refused}");
    }
}

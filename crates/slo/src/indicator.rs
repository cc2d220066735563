//! The `metricSource.spec` of a Nines indicator: its parameters.

use crate::duration;
use crate::fields::{self, Fields};
use crate::mistake::Notes;
use crate::objective::{Causes, Charge, Hold, Indicator, Limit, NoData, Party, Pattern, Rows, SqlIndicator, Statistic};
use crate::sli::{Counts, Measure};
use crate::yaml::Value;

/// All indicator types.
pub(crate) const TYPES: &[&str] = &["nines/availability", "nines/latency", "nines/events", GAUGE, "nines/sql"];
/// The one that an objective's `op` and `value` complete.
pub(crate) const GAUGE: &str = "nines/gauge";

/// Parameters of every type.
const COMMON: [&str; 4] = ["business", "endpoint", "customer", "noData"];

/// Reads the parameters of an indicator of one of the [`TYPES`].
pub(crate) fn read(kind: &str, source: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Measure> {
    let own: &[&str] = match kind {
        "nines/availability" => &["party", "causes"],
        "nines/latency" => &["quantile", "threshold", "baseline", "each"],
        "nines/events" => &["name"],
        GAUGE => &["name", "statistic", "hold"],
        _ => &["from", "where", "good", "total"],
    };
    let known = [own, &COMMON].concat();
    // Without parameters `spec` may be left out; what is required is then missing from the source itself.
    let spec = match source.get("spec") {
        Some(spec) => &Fields::read(spec, "the indicator's spec", &known, notes)?,
        None => &source.nothing("the indicator's spec"),
    };
    let before = notes.errors.len();
    let rows = Rows {
        businesses: patterns(spec, "business", notes),
        endpoints: patterns(spec, "endpoint", notes),
        customers: patterns(spec, "customer", notes),
    };
    let words = [("ok", NoData::Ok), ("error", NoData::Error), ("ignore", NoData::Ignore)];
    let no_data = spec.word("noData", &words, notes);
    let counts = match kind {
        "nines/availability" => availability(spec, notes).map(Counts::Whole),
        "nines/latency" => latency(spec, notes).map(Counts::Whole),
        "nines/events" => {
            let name = spec.need_text("name", notes).map(str::to_string);
            name.map(|name| Counts::Whole(Indicator::Events { name }))
        }
        GAUGE => gauge(spec, notes),
        _ => sql(spec, notes).map(Counts::Whole),
    }?;
    let gauges = match &counts {
        Counts::Whole(indicator) => indicator.table() == "gauges",
        Counts::Gauge { .. } => true,
    };
    let default = if gauges { NoData::Ignore } else { NoData::Ok };
    (notes.errors.len() == before).then(|| Measure { rows, no_data: no_data.unwrap_or(default), counts })
}

/// A name or glob, or a list of them.
pub(crate) fn patterns(spec: &Fields<'_>, name: &str, notes: &mut Notes<'_>) -> Vec<Pattern> {
    let Some(node) = spec.get(name) else { return Vec::new() };
    let items = match &node.value {
        Value::List(items) if items.is_empty() => {
            notes.error_hint(node.place, format!("'{name}' is an empty list"), "leave it out to mean all");
            return Vec::new();
        }
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut patterns = Vec::new();
    for item in items {
        let Some(text) = fields::text(item, name, notes) else { continue };
        match Pattern::new(text) {
            Ok(pattern) => patterns.push(pattern),
            Err(error) => notes.error(item.place, format!("'{name}': bad glob '{text}': {error}")),
        }
    }
    patterns
}

fn availability(spec: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Indicator> {
    let party = party(spec, notes).unwrap_or(Party::Service);
    Some(Indicator::Availability { party, causes: causes(spec, notes) })
}

/// `party`: whose failures count.
pub(crate) fn party(spec: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Party> {
    spec.word("party", &[("service", Party::Service), ("gateway", Party::Gateway)], notes)
}

/// `causes`: the table that ships with Nines, with what is written over it.
pub(crate) fn causes(spec: &Fields<'_>, notes: &mut Notes<'_>) -> Causes {
    let mut causes = Causes::default();
    let Some(written) = spec.get("causes").and_then(|node| Fields::open(node, "causes", notes)) else { return causes };
    let words = [("service", Charge::Service), ("gateway", Charge::Gateway), ("nobody", Charge::Nobody)];
    for (cause, to) in written.entries() {
        let Some(charge) = fields::word(to, cause, &words, notes) else { continue };
        causes.0.insert(cause.to_string(), charge);
    }
    causes
}

fn latency(spec: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Indicator> {
    let quantile = match spec.need("quantile", notes) {
        Some(_) => spec.share("quantile", notes),
        None => None,
    };
    if let (Some(0), Some(node)) = (quantile.map(|q| q.numerator()), spec.get("quantile")) {
        notes.error(node.place, "'quantile' must be above 0");
    }
    let threshold = spec.parse("threshold", notes, |text| duration::micros(text, duration::LATENCY));
    let baseline = spec.word("baseline", &[("previous month", ())], notes);
    let each = spec.word("each", &[("endpoint", ())], notes).is_some();
    let limit = match (spec.get("threshold"), spec.get("baseline")) {
        (Some(_), None) => Limit::Micros(threshold?),
        (None, Some(_)) => baseline.map(|()| Limit::PreviousMonth)?,
        (Some(_), Some(node)) => {
            notes.error(node.place, "a latency has a 'threshold' or a 'baseline', not both");
            return None;
        }
        (None, None) => {
            let hint = "such as threshold: 275ms, or baseline: previous month";
            notes.error_hint(spec.place, "missing field 'threshold' or 'baseline' in the indicator's spec", hint);
            return None;
        }
    };
    Some(Indicator::Latency { quantile: quantile?, limit, each_endpoint: each || limit == Limit::PreviousMonth })
}

fn gauge(spec: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Counts> {
    let words =
        [("last", Statistic::Last), ("min", Statistic::Min), ("max", Statistic::Max), ("mean", Statistic::Mean)];
    let statistic = spec.word("statistic", &words, notes).unwrap_or(Statistic::Last);
    let hold = spec.parse("hold", notes, |text| duration::micros(text, duration::SPAN)).map(Hold);
    Some(Counts::Gauge { name: spec.need_text("name", notes)?.to_string(), statistic, hold })
}

fn sql(spec: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Indicator> {
    let from = spec.need("from", notes);
    let words = [("requests", "requests"), ("events", "events"), ("gauges", "gauges")];
    let from = from.and_then(|node| fields::word(node, "from", &words, notes));
    let filter = spec.get("where").and_then(|_| spec.need_text("where", notes)).map(str::to_string);
    let (good, total) = (spec.need_text("good", notes), spec.need_text("total", notes));
    Some(Indicator::Sql(SqlIndicator {
        from: from?.to_string(),
        filter,
        good: good?.to_string(),
        total: total?.to_string(),
    }))
}

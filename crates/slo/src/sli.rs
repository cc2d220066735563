//! The `spec` of an SLI: where its numbers come from.
//!
//! An SLI of `nines/…` becomes a [`Measure`]; any other OpenSLO metric is checked for shape, recorded and not measured.

use crate::fields::Fields;
use crate::indicators;
use crate::measure::Measure;
use crate::mistake::Notes;
use crate::objective::Vela;
use crate::place::Place;
use crate::yaml::Node;

/// An SLI.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sli {
    pub vela: Option<Vela>,
    pub metric: Metric,
}

/// What an SLI counts by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Metric {
    Nines(Measure),
    /// Of another system, such as `of type Prometheus`: recorded and not measured.
    Foreign(String),
}

/// Where a metric source stands, which decides what it may be.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Part,
    Raw,
    Threshold,
}

/// Reads the `spec` of an SLI.
pub(crate) fn read(spec: &Node, vela: Option<Vela>, notes: &mut Notes<'_>) -> Option<Sli> {
    let fields = Fields::read(spec, "the SLI's spec", &["description", "thresholdMetric", "ratioMetric"], notes)?;
    fields.text("description", notes);
    let metric = match (fields.get("thresholdMetric"), fields.get("ratioMetric")) {
        (Some(threshold), None) => metric(threshold, "thresholdMetric", Role::Threshold, notes)?,
        (None, Some(ratio)) => self::ratio(ratio, notes)?,
        (Some(_), Some(ratio)) => {
            notes.error(ratio.place, "an SLI has a thresholdMetric or a ratioMetric, not both");
            return None;
        }
        (None, None) => {
            notes.error(spec.place, "missing field 'ratioMetric' or 'thresholdMetric' in the SLI's spec");
            return None;
        }
    };
    Some(Sli { vela, metric })
}

fn ratio(node: &Node, notes: &mut Notes<'_>) -> Option<Metric> {
    let fields = Fields::read(node, "ratioMetric", &["counter", "good", "bad", "total", "rawType", "raw"], notes)?;
    fields.flag("counter", notes);
    let raw_type = fields.word("rawType", &[("success", true), ("failure", false)], notes);
    let parts: Vec<_> =
        ["good", "bad", "total"].into_iter().filter_map(|name| Some((name, fields.get(name)?))).collect();
    let Some(raw) = fields.get("raw") else {
        if parts.is_empty() {
            notes.error(node.place, "missing field 'good' or 'bad' with 'total', or 'raw', in ratioMetric");
            return None;
        }
        if !parts.iter().any(|(name, _)| *name != "total") {
            notes.error(node.place, "missing field 'good' or 'bad' in ratioMetric");
        }
        fields.need("total", notes)?;
        // A part cannot be of Nines, which counts good and total together.
        let parts: Vec<_> = parts.into_iter().map(|(name, part)| metric(part, name, Role::Part, notes)).collect();
        return parts.into_iter().flatten().next();
    };
    if let Some((name, part)) = parts.first() {
        notes.error(part.place, format!("a ratioMetric has 'raw' or parts such as '{name}', not both"));
        return None;
    }
    fields.need("rawType", notes)?;
    let measure = metric(raw, "raw", Role::Raw, notes)?;
    if let (Metric::Nines(_), Some(false), Some(node)) = (&measure, raw_type, fields.get("rawType")) {
        notes.error(node.place, "'rawType' must be success: a Nines indicator yields good and total itself");
        return None;
    }
    Some(measure)
}

/// `{metricSource: {type, spec}}`.
fn metric(node: &Node, what: &'static str, role: Role, notes: &mut Notes<'_>) -> Option<Metric> {
    let outer = Fields::read(node, what, &["metricSource"], notes)?;
    let known = ["metricSourceRef", "type", "spec"];
    let source = Fields::read(outer.need("metricSource", notes)?, "metricSource", &known, notes)?;
    let reference = source.text("metricSourceRef", notes);
    let Some(kind) = source.text("type", notes) else {
        if source.get("type").is_some() {
            return None;
        }
        let Some(reference) = reference else {
            source.need("type", notes);
            return None;
        };
        return Some(foreign(&source, source.place, format!("of metric source {reference}"), notes));
    };
    let place = source.get("type").map_or(source.place, |node| node.place);
    if !kind.starts_with("nines/") {
        return Some(foreign(&source, place, format!("of type {kind}"), notes));
    }
    let Some(known) = indicators::ALL.iter().find(|known| known.name == kind) else {
        let names: Vec<&str> = indicators::ALL.iter().map(|known| known.name).collect();
        notes.unknown(place, format!("unknown indicator type '{kind}'"), kind, &names);
        return None;
    };
    match (role, known.is_threshold) {
        (Role::Raw, false) | (Role::Threshold, true) => indicators::read(known, &source, notes).map(Metric::Nines),
        (Role::Part | Role::Raw, true) => {
            let hint = "put it into a thresholdMetric, with op and value in the objective";
            notes.error_hint(place, format!("{kind} does not belong into a ratioMetric"), hint);
            None
        }
        (Role::Part | Role::Threshold, false) => {
            let hint = "write ratioMetric: {rawType: success, raw: {metricSource: …}}";
            notes.error_hint(place, format!("{kind} yields good and total itself, so it belongs into 'raw'"), hint);
            None
        }
    }
}

fn foreign(source: &Fields<'_>, place: Place, kind: String, notes: &mut Notes<'_>) -> Metric {
    if let Some(spec) = source.need("spec", notes) {
        Fields::open(spec, "the metricSource's spec", notes);
    }
    notes.warn(place, format!("recorded, but Nines does not measure indicators {kind}"), None);
    Metric::Foreign(kind)
}

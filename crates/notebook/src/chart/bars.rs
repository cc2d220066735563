//! Bars, one or a group of them per label.

use std::collections::{HashMap, HashSet};

use super::lines;
use super::rows::Rows;
use super::spec::ChartSpec;
use crate::columns::Kind;
use crate::format::{self, names};
use crate::unit::{Unit, Units};

/// The data of bars.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// What each group of bars is about.
    pub labels: Vec<String>,
    /// The series' names and their values, one per label; `None` is no bar.
    pub series: Vec<(String, Vec<Option<f64>>)>,
    /// A rule across.
    pub target: Option<f64>,
    /// Whether bars of a label stand on top of each other.
    pub stack: bool,
    /// The measure of values.
    pub unit: Unit,
    /// How many labels there are beyond those that are drawn.
    pub left_out: usize,
    /// How many series there are beyond those that are drawn.
    pub series_left_out: usize,
}

/// More bars are no chart any more.
const MOST: usize = 200;
/// No more series can be told apart.
const MOST_SERIES: usize = 16;

/// Whether bars stand along time.
pub(super) fn along_time(spec: &ChartSpec, rows: Rows<'_>) -> Result<bool, String> {
    match &spec.x {
        Some(name) => Ok(rows.kind(rows.find("x", name, &[])?) == Kind::Time),
        None => Ok(rows.first(&[Kind::Text, Kind::Bool], &[]).is_none() && rows.first(&[Kind::Time], &[]).is_some()),
    }
}

pub(super) fn read(spec: &ChartSpec, units: &Units, rows: Rows<'_>) -> Result<Bars, String> {
    let x = match &spec.x {
        Some(name) => rows.find("x", name, &[])?,
        None => rows
            .first(&[Kind::Text], &[])
            .or_else(|| rows.first(&[Kind::Bool, Kind::Number], &[]))
            .ok_or_else(|| format!("no column says what bars are about; {}", rows.told()))?,
    };
    let series = match &spec.series {
        Some(name) => Some(rows.find("series", name, &[])?),
        None => None,
    };
    let y = lines::value_columns(spec, rows, &[x], series)?;
    let (all, by) = (rows.labels(x), series.map(|series| rows.labels(series)));
    let mut bars = Bars {
        labels: Vec::new(),
        series: Vec::new(),
        target: spec.target,
        stack: spec.stack,
        unit: units.of(rows.name(y[0]), true),
        left_out: 0,
        series_left_out: 0,
    };
    let mut index = HashMap::new();
    let mut seen = HashSet::new();
    for (row, label) in all.iter().enumerate() {
        let by = by.as_ref().map(|by| by[row].as_str());
        if !seen.insert((label, by)) {
            let which = by.map_or(String::new(), |by| format!(" and series '{by}'"));
            let advice = "group the rows, or tell them apart with series=";
            return Err(format!("column x={} has '{label}'{which} more than once; {advice}", rows.name(x)));
        }
        index.entry(label).or_insert_with(|| {
            bars.labels.push(label.clone());
            bars.labels.len() - 1
        });
    }
    bars.left_out = bars.labels.len().saturating_sub(MOST);
    bars.labels.truncate(MOST);
    let mut places = HashMap::new();
    for (nth, &column) in y.iter().enumerate() {
        for (row, value) in rows.numbers(column).into_iter().enumerate() {
            let next = places.len();
            let by = by.as_ref().map(|by| by[row].as_str());
            let at = *places.entry((nth, by)).or_insert(next);
            if at >= MOST_SERIES {
                continue;
            }
            if at == bars.series.len() {
                let name = match by {
                    Some(by) if y.len() > 1 => format!("{by}, {}", format::printable(rows.name(column))),
                    Some(by) => by.to_string(),
                    None => format::printable(rows.name(column)),
                };
                bars.series.push((name, vec![None; bars.labels.len()]));
            }
            if let Some(slot) = bars.series[at].1.get_mut(index[&all[row]]) {
                *slot = value;
            }
        }
    }
    bars.series_left_out = places.len() - bars.series.len();
    Ok(bars)
}

impl Bars {
    /// The least and the greatest value that must be on the chart, zero among them.
    pub fn range(&self) -> (f64, f64) {
        let (low, high) = self.extent();
        lines::extent([low, high].into_iter().chain(self.target)).unwrap_or((0.0, 1.0))
    }

    /// The same of the bars alone.
    pub(crate) fn extent(&self) -> (f64, f64) {
        let values = (0..self.labels.len()).flat_map(|at| {
            let values = self.series.iter().filter_map(move |(_, values)| values[at]);
            match self.stack {
                true => {
                    let values: Vec<f64> = values.collect();
                    let sum = |above: bool| values.iter().filter(|value| (**value >= 0.0) == above).sum::<f64>();
                    vec![sum(false), sum(true)]
                }
                false => values.collect(),
            }
        });
        lines::extent(values.chain([0.0])).unwrap_or((0.0, 1.0))
    }

    pub(super) fn summary(&self) -> String {
        let (low, high) = self.range();
        format!(
            "Bars of {} for {}, values {} to {}",
            names(self.series.iter().map(|(name, _)| name.as_str())),
            names(self.labels.iter().map(String::as_str)),
            format::number(low, &self.unit),
            format::number(high, &self.unit)
        )
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use nines_engine::datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

    use super::*;

    #[test]
    fn bars_have_an_end() {
        let names: ArrayRef = Arc::new(StringArray::from_iter_values((0..20_000).map(|row| format!("n{row}"))));
        let values: ArrayRef = Arc::new(Int64Array::from_iter_values(0..20_000));
        let batch = RecordBatch::try_from_iter([("a", Arc::clone(&names)), ("by", names), ("n", values)]).unwrap();
        let spec = ChartSpec { series: Some("by".to_string()), ..ChartSpec::default() };
        let rows = Rows { schema: &batch.schema(), batches: &[batch], zone: chrono_tz::Tz::UTC };
        let bars = read(&spec, &Units::default(), rows).unwrap();
        assert_eq!((bars.labels.len(), bars.left_out), (MOST, 20_000 - MOST));
        assert_eq!((bars.series.len(), bars.series_left_out), (MOST_SERIES, 20_000 - MOST_SERIES));
        assert_eq!(bars.series[7].1[7], Some(7.0));
    }
}

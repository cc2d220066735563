//! Bars, one or a group of them per label.

use super::columns::{Kind, Rows};
use super::{ChartSpec, lines, names};
use crate::format;
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
}

/// More bars are no chart any more.
const MOST: usize = 200;

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
    };
    let mut index = std::collections::HashMap::new();
    let mut seen = std::collections::HashSet::new();
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
    for &column in &y {
        for (row, value) in rows.numbers(column).into_iter().enumerate() {
            let name = match by.as_ref().map(|by| by[row].as_str()) {
                Some(by) if y.len() > 1 => format!("{by}, {}", format::printable(rows.name(column))),
                Some(by) => by.to_string(),
                None => format::printable(rows.name(column)),
            };
            let at = match bars.series.iter().position(|(known, _)| *known == name) {
                Some(at) => at,
                None => {
                    bars.series.push((name, vec![None; bars.labels.len()]));
                    bars.series.len() - 1
                }
            };
            bars.series[at].1[index[&all[row]]] = value;
        }
    }
    bars.left_out = bars.labels.len().saturating_sub(MOST);
    bars.labels.truncate(MOST);
    bars.series.iter_mut().for_each(|(_, values)| values.truncate(MOST));
    Ok(bars)
}

impl Bars {
    /// The least and the greatest value that must be on the chart, zero among them.
    pub fn range(&self) -> (f64, f64) {
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
        lines::extent(values.chain(self.target).chain([0.0])).unwrap_or((0.0, 1.0))
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

//! A file's statistics: how many rows, the least and greatest value of every key column, and how many of its values are NULL.
//!
//! Bounds are exact or absent, so that they may order files and answer `min` and `max`, not only
//! prune. They are taken from the Parquet footer that was just written, and travel in the `stats`
//! JSON of the file's add action, where any Delta reader finds them.

use chrono::{DateTime, Utc};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::parquet::file::statistics::Statistics as ChunkStatistics;
use serde_json::{Map, Value};

use crate::error::{Result, StoreError};
use crate::partition::Partition;
use crate::schema::{TableKind, UTC as UTC_ZONE};

/// What is known of each key column, in the order of [`TableKind::key`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bounds(Vec<OfColumn>);

/// What is known of the values of a column.
#[derive(Debug, Clone, Default, PartialEq)]
struct OfColumn {
    /// Least and greatest value; `None` where unknown and where there are NULLs, which they would say nothing of.
    range: Option<(ScalarValue, ScalarValue)>,
    nulls: Option<Nulls>,
}

/// How many values of a column of a file are NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nulls {
    None,
    Some(u64),
    /// All, or the file does not have the column.
    All,
}

impl Nulls {
    fn of(nulls: u64, rows: u64) -> Self {
        match nulls {
            0 => Nulls::None,
            all if all == rows => Nulls::All,
            some => Nulls::Some(some),
        }
    }
}

impl Bounds {
    pub(crate) fn unknown(kind: TableKind) -> Self {
        Self(vec![OfColumn::default(); kind.key().len()])
    }

    /// The bounds of the i-th key column, none of whose values is NULL.
    pub(crate) fn of(&self, key: usize) -> Option<&(ScalarValue, ScalarValue)> {
        self.0.get(key).and_then(|column| column.range.as_ref())
    }

    /// How many values of the i-th key column are NULL; `None` if unknown.
    pub(crate) fn nulls(&self, key: usize) -> Option<Nulls> {
        self.0.get(key).and_then(|column| column.nulls)
    }

    /// The number of NULLs of each key column, as the log tells it of a file with so many rows.
    pub(super) fn null_counts(&self, kind: TableKind, rows: u64) -> Map<String, Value> {
        let count = |nulls| match nulls {
            Nulls::None => 0,
            Nulls::Some(nulls) => nulls,
            Nulls::All => rows,
        };
        let columns = kind.key().iter().zip(&self.0);
        columns.filter_map(|(name, column)| Some((name.to_string(), count(column.nulls?).into()))).collect()
    }

    /// Start of the first and of the last slice, in µs. `time` is the last column of every series' key.
    pub(crate) fn time_range(&self, kind: TableKind) -> Option<(i64, i64)> {
        if !kind.is_series() {
            return None;
        }
        match self.0.last()?.range.as_ref()? {
            (ScalarValue::TimestampMicrosecond(Some(min), _), ScalarValue::TimestampMicrosecond(Some(max), _)) => {
                Some((*min, *max))
            }
            _ => None,
        }
    }

    /// Bounds of a file just written. Long texts, which Parquet abbreviates, have none.
    pub(crate) fn from_parquet(kind: TableKind, metadata: &ParquetMetaData) -> Result<Self> {
        let schema = metadata.file_metadata().schema_descr();
        let rows = metadata.file_metadata().num_rows() as u64;
        let types = kind.stored_schema(1);
        let bounds = kind.key().iter().map(|name| {
            let field = types.field_with_name(name)?;
            let Some(leaf) = (0..schema.num_columns()).find(|&i| schema.column(i).path().string() == *name) else {
                return match field.is_nullable() {
                    true => Ok(OfColumn { range: None, nulls: Some(Nulls::All) }),
                    false => Err(StoreError::internal(format!("column {name} is missing in a file just written"))),
                };
            };
            let groups = || metadata.row_groups().iter().map(|group| group.column(leaf).statistics());
            let nulls = match field.is_nullable() {
                true => groups().map(|stats| stats?.null_count_opt()).sum::<Option<u64>>(),
                false => Some(0),
            };
            let nulls = nulls.map(|nulls| Nulls::of(nulls, rows));
            let range = hull(groups().map(|stats| exact(field.data_type(), stats?)));
            Ok(OfColumn { range: range.filter(|_| nulls == Some(Nulls::None)), nulls })
        });
        Ok(Self(bounds.collect::<Result<_>>()?))
    }

    /// Reads `minValues`, `maxValues` and `nullCount` of key columns of these types, of a file that we wrote.
    pub(super) fn from_json(kind: TableKind, keys: &[DataType], stats: &Value) -> Self {
        let rows = stats.get("numRecords").and_then(Value::as_u64);
        let bounds = kind.key().iter().zip(keys).map(|(name, data_type)| {
            let value = |which: &str| from_json(data_type, stats.get(which)?.get(name)?);
            let nulls = || {
                let counts = stats.get("nullCount")?;
                let all = rows?;
                // What an earlier version wrote says nothing of columns that came in later, and does not have them.
                let nulls = counts.get(name).map_or(Some(all), Value::as_u64)?;
                Some(Nulls::of(nulls, all))
            };
            let nulls = if kind.later().contains(name) { nulls() } else { Some(Nulls::None) };
            let range = value("minValues").zip(value("maxValues"));
            OfColumn { range: range.filter(|_| nulls == Some(Nulls::None)), nulls }
        });
        Self(bounds.collect())
    }
}

/// Least and greatest value over several bounds; `None` if there are none or one of them is unknown.
pub(crate) fn hull(
    bounds: impl IntoIterator<Item = Option<(ScalarValue, ScalarValue)>>,
) -> Option<(ScalarValue, ScalarValue)> {
    let mut bounds = bounds.into_iter();
    let first = bounds.next()??;
    bounds.try_fold(first, |(low, high), next| {
        let (min, max) = next?;
        Some((if min < low { min } else { low }, if max > high { max } else { high }))
    })
}

/// Chunk statistics as scalars of the column's SQL type, if they are exact.
fn exact(data_type: &DataType, stats: &ChunkStatistics) -> Option<(ScalarValue, ScalarValue)> {
    if !stats.min_is_exact() || !stats.max_is_exact() {
        return None;
    }
    match (data_type, stats) {
        (DataType::Timestamp(..), ChunkStatistics::Int64(stats)) => {
            Some((time(*stats.min_opt()?), time(*stats.max_opt()?)))
        }
        (DataType::Date32, ChunkStatistics::Int32(stats)) => {
            Some((ScalarValue::Date32(Some(*stats.min_opt()?)), ScalarValue::Date32(Some(*stats.max_opt()?))))
        }
        (DataType::Int32, ChunkStatistics::Int32(stats)) => {
            Some((ScalarValue::Int32(Some(*stats.min_opt()?)), ScalarValue::Int32(Some(*stats.max_opt()?))))
        }
        (DataType::Utf8View, ChunkStatistics::ByteArray(stats)) => {
            let text = |bytes: &[u8]| Some(ScalarValue::Utf8View(Some(std::str::from_utf8(bytes).ok()?.to_owned())));
            text(stats.min_opt()?.data()).zip(text(stats.max_opt()?.data()))
        }
        _ => None,
    }
}

fn time(micros: i64) -> ScalarValue {
    ScalarValue::TimestampMicrosecond(Some(micros), Some(UTC_ZONE.into()))
}

fn from_json(data_type: &DataType, value: &Value) -> Option<ScalarValue> {
    match data_type {
        DataType::Utf8View => Some(ScalarValue::Utf8View(Some(value.as_str()?.to_owned()))),
        DataType::Int32 => Some(ScalarValue::Int32(Some(value.as_i64()?.try_into().ok()?))),
        DataType::Date32 => Some(ScalarValue::Date32(Some(Partition::Day.read(value.as_str()?)?))),
        DataType::Timestamp(..) => {
            let instant: DateTime<Utc> = value.as_str()?.parse::<DateTime<chrono::FixedOffset>>().ok()?.into();
            Some(time(instant.timestamp_micros()))
        }
        _ => None,
    }
}

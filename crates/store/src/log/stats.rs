//! A file's statistics: how many rows, and the least and greatest value of every key column.
//!
//! Bounds are exact or absent, so that they may order files and answer `min` and `max`, not only
//! prune. They are taken from the Parquet footer that was just written, and travel in the `stats`
//! JSON of the file's add action, where any Delta reader finds them.

use chrono::{DateTime, Utc};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::parquet::file::statistics::Statistics as ChunkStatistics;
use serde_json::Value;

use crate::error::{Result, StoreError};
use crate::partition::Partition;
use crate::schema::{TableKind, UTC as UTC_ZONE};

/// Least and greatest value per key column, in the order of [`TableKind::key`]; `None` where unknown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bounds(Vec<Option<(ScalarValue, ScalarValue)>>);

impl Bounds {
    pub(crate) fn unknown(kind: TableKind) -> Self {
        Self(vec![None; kind.key().len()])
    }

    /// The bounds of the i-th key column.
    pub(crate) fn of(&self, key: usize) -> Option<&(ScalarValue, ScalarValue)> {
        self.0.get(key).and_then(Option::as_ref)
    }

    /// Start of the first and of the last slice, in µs. `time` is the last column of every series' key.
    pub(crate) fn time_range(&self, kind: TableKind) -> Option<(i64, i64)> {
        if !kind.is_series() {
            return None;
        }
        match self.0.last()?.as_ref()? {
            (ScalarValue::TimestampMicrosecond(Some(min), _), ScalarValue::TimestampMicrosecond(Some(max), _)) => {
                Some((*min, *max))
            }
            _ => None,
        }
    }

    /// Bounds of a file just written. Long texts, which Parquet abbreviates, have none.
    pub(crate) fn from_parquet(kind: TableKind, metadata: &ParquetMetaData) -> Result<Self> {
        let schema = metadata.file_metadata().schema_descr();
        let types = kind.schema(1);
        let bounds = kind.key().iter().map(|name| {
            let leaf = (0..schema.num_columns())
                .find(|&i| schema.column(i).path().string() == *name)
                .ok_or_else(|| StoreError::internal(format!("column {name} is missing in a file just written")))?;
            let data_type = types.field_with_name(name)?.data_type();
            let groups = metadata.row_groups().iter().map(|group| exact(data_type, group.column(leaf).statistics()?));
            Ok(hull(groups))
        });
        Ok(Self(bounds.collect::<Result<_>>()?))
    }

    /// Reads `minValues` and `maxValues` of key columns of these types.
    pub(super) fn from_json(kind: TableKind, keys: &[DataType], stats: &Value) -> Self {
        let bounds = kind.key().iter().zip(keys).map(|(name, data_type)| {
            let value = |which: &str| from_json(data_type, stats.get(which)?.get(name)?);
            value("minValues").zip(value("maxValues"))
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

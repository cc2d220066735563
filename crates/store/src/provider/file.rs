//! A data file as DataFusion reads it.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::ScalarValue;
use datafusion::datasource::listing::PartitionedFile;

use super::statistics;
use crate::log::DataFile;

/// The UTC day of all rows of a file of ours, in days since 1970; a file's extension.
#[derive(Debug, Clone, Copy)]
pub(super) struct Day(pub i32);

/// A file as DataFusion reads it, with the values of the columns that are not in it.
pub(super) fn partitioned(file: &DataFile, schema: &SchemaRef, values: Vec<ScalarValue>) -> PartitionedFile {
    // A path of an object store is taken as it is, not percent-encoded once more.
    let mut partitioned = PartitionedFile::new("", file.size());
    partitioned.object_meta.location = file.path().clone();
    // The footer and what belongs to it in one request.
    partitioned.metadata_size_hint = file.tail().map(|tail| tail as usize);
    if let Some(day) = file.one_day() {
        partitioned.extensions.insert(Day(day));
    }
    // Before the statistics, which cover them.
    partitioned.partition_values = values;
    partitioned.with_statistics(Arc::new(statistics::of_file(file, schema)))
}

//! A planned scan of whole files, its partitions made runs of days.
//!
//! A scan for SQL deals files out as is best for reading. Whoever works day by day asks for the same rows in another order:
//! each partition reads a run of days in ascending order, and every day is of exactly one partition. What holds of such a scan
//! stands in [`by_day`](super::by_day).

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_expr::Partitioning;
use datafusion::physical_plan::ExecutionPlan;

use super::by_day::shared_out;
use super::file::Day;

/// A partition may have up to so many times its share of the bytes.
const UNEVEN: f64 = 1.5;

/// Whether this is a scan of a table that is stored by day, and of files of ours alone: sorted, each of one day.
pub fn reads_series(scan: &dyn ExecutionPlan) -> bool {
    let config = config_of(scan);
    let files = || config.into_iter().flat_map(|config| &config.file_groups).flat_map(FileGroup::files);
    files().next().is_some() && files().all(|file| file.extensions.contains::<Day>())
}

fn config_of(scan: &dyn ExecutionPlan) -> Option<&FileScanConfig> {
    Some(scan.downcast_ref::<DataSourceExec>()?.downcast_to_file_source::<ParquetSource>()?.0)
}

/// The same rows, day after day, in about so many partitions. `None` if this is no scan [of series](reads_series), or if the days cannot
/// be shared out evenly and need not be shared out `anyhow`.
pub fn day_after_day(scan: &dyn ExecutionPlan, partitions: usize, anyhow: bool) -> Option<Arc<dyn ExecutionPlan>> {
    let config = config_of(scan)?;
    if config.limit.is_some() || config.output_partitioning.is_some() {
        return None;
    }
    let days = days(config)?;
    let numbers: Vec<i32> = days.keys().copied().collect();
    let bytes = |day: i32| days.get(&day).into_iter().flatten().map(|file| file.object_meta.size).sum::<u64>();
    let shares = shared_out(&numbers, bytes, partitions);
    let of = |share: &[i32]| share.iter().map(|day| bytes(*day)).sum::<u64>();
    let most = shares.iter().map(|share| of(share)).max()?;
    if !anyhow && most as f64 > UNEVEN * of(&numbers) as f64 / partitions.max(1) as f64 {
        return None;
    }
    let group = |share: &[i32]| -> FileGroup { share.iter().flat_map(|day| days[day].iter().cloned()).collect() };
    let groups: Vec<FileGroup> = shares.into_iter().map(group).collect();
    let config = FileScanConfigBuilder::from(config.clone())
        .with_output_ordering(Vec::new())
        // A declared partitioning keeps idle partitions from taking over files of busy ones.
        .with_output_partitioning(Some(Partitioning::UnknownPartitioning(groups.len())))
        .with_file_groups(groups);
    Some(DataSourceExec::from_data_source(config.build()))
}

/// The files of each day, whole, however their bytes were dealt out.
fn days(config: &FileScanConfig) -> Option<BTreeMap<i32, Vec<PartitionedFile>>> {
    let mut days: BTreeMap<i32, Vec<PartitionedFile>> = BTreeMap::new();
    for file in config.file_groups.iter().flat_map(FileGroup::files) {
        let Day(day) = file.extensions.get::<Day>()?;
        days.entry(*day).or_default().push(PartitionedFile { range: None, ..file.clone() });
    }
    for files in days.values_mut() {
        files.sort_by(|a, b| a.object_meta.location.cmp(&b.object_meta.location));
        files.dedup_by(|a, b| a.object_meta.location == b.object_meta.location);
    }
    Some(days)
}

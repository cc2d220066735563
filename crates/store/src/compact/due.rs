//! Which files of a version are worth merging.
//!
//! A partition is *closed* when a later one has rows: few will be added, so its small files become one, or several of the size at
//! which a file is full. In an open one files come all the time, and are merged in tiers: some of about the same size at once,
//! never together with one that is much larger than all of them, so that a row is written again only a few times.

use std::collections::BTreeSet;

use crate::log::{DataFile, FileList};

/// Bytes from which a file of a closed partition is large enough to stay as it is.
const LARGE: u64 = 64 << 20;
/// How many files of an open partition are merged at least.
const FEW: usize = 8;
/// How many files of a closed partition are too many.
const SEVERAL: usize = 4;
/// How many times as large as others a file may be to be merged with them.
const TIMES: u64 = 4;

/// Files of a partition to be merged.
#[derive(Debug, Clone)]
pub(super) struct Merge {
    pub first_day: Option<i32>,
    /// Whether few rows will be added, so that time spent on making files small is well spent.
    pub closed: bool,
    pub files: Vec<DataFile>,
}

impl Merge {
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(DataFile::size).sum()
    }
}

/// Which files are wanted to be merged.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted<'a> {
    /// Those of these partitions only.
    pub only: Option<&'a BTreeSet<Option<i32>>>,
    /// Files of older formats, too, though they are few.
    pub upgrade: bool,
    /// Files of other Delta writers. Without it they are left alone: merged, nobody could tell any longer that they were theirs.
    pub adopt: bool,
    /// Of a closed partition only as many as are worth writing its largest again.
    pub sparing: bool,
}

/// What is to be merged.
pub(super) fn due(list: &FileList, wanted: Wanted<'_>) -> Vec<Merge> {
    let newest = list.partitions().next_back().and_then(|partition| partition.first_day());
    let is_meant = |first_day: Option<i32>| wanted.only.is_none_or(|only| only.contains(&first_day));
    let merges = list.partitions().filter(|partition| is_meant(partition.first_day())).filter_map(|partition| {
        let closed = partition.first_day() < newest;
        let files = of_partition(partition.files(), closed, wanted);
        (!files.is_empty()).then(|| Merge { first_day: partition.first_day(), closed, files })
    });
    merges.collect()
}

fn of_partition(files: &[DataFile], closed: bool, wanted: Wanted<'_>) -> Vec<DataFile> {
    let files: Vec<DataFile> = files.iter().filter(|file| wanted.adopt || !file.foreign()).cloned().collect();
    let merged = match (closed, small(&files)) {
        (true, small) if !wanted.sparing || is_worth_it(&small) => small,
        _ => tier(&files),
    };
    let is_old = |file: &&DataFile| if file.foreign() { wanted.adopt } else { wanted.upgrade && file.tail().is_none() };
    let old: Vec<DataFile> = files.iter().filter(is_old).filter(|file| !merged.contains(file)).cloned().collect();
    [merged, old].concat()
}

/// The files that are not large, if there are several.
fn small(files: &[DataFile]) -> Vec<DataFile> {
    let small: Vec<DataFile> = files.iter().filter(|file| file.size() < LARGE).cloned().collect();
    if small.len() > 1 { small } else { Vec::new() }
}

/// Whether files are several and the largest is not much larger than the others together, or they are many.
fn is_worth_it(files: &[DataFile]) -> bool {
    let largest = files.iter().map(DataFile::size).max().unwrap_or_default();
    let others = files.iter().map(DataFile::size).sum::<u64>() - largest;
    files.len() >= FEW || files.len() >= SEVERAL && largest <= TIMES * others
}

/// The smallest files of about the same size, if they are many.
fn tier(files: &[DataFile]) -> Vec<DataFile> {
    let mut by_size: Vec<&DataFile> = files.iter().filter(|file| file.size() < LARGE).collect();
    by_size.sort_by_key(|file| file.size());
    let mut rest = by_size.as_slice();
    while let Some(smallest) = rest.first() {
        let (tier, larger) = rest.split_at(rest.partition_point(|file| file.size() <= TIMES * smallest.size()));
        if tier.len() >= FEW {
            return tier.iter().map(|file| (*file).clone()).collect();
        }
        rest = larger;
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::object_store::path::Path;

    use super::*;
    use crate::log::FileName;
    use crate::schema::TableKind;

    fn files(sizes: &[u64]) -> Vec<DataFile> {
        let file = |(at, size): (usize, &u64)| {
            let name = FileName::Blocks { content: at as u64, id: 1, tail: 1, crc: 1 }.to_string();
            let path = Path::from(format!("events/{name}"));
            DataFile::new(TableKind::Events, &Arc::from([]), path, &name, *size, Some(7), None)
        };
        sizes.iter().enumerate().map(file).collect()
    }

    fn sizes(files: Vec<DataFile>) -> Vec<u64> {
        files.iter().map(DataFile::size).collect()
    }

    #[test]
    fn files_of_a_closed_partition_become_few() {
        assert_eq!(sizes(small(&files(&[9, LARGE, 7]))), [9, 7]);
        for none in [&[9][..], &[LARGE, 9], &[LARGE, LARGE], &[]] {
            assert_eq!(sizes(small(&files(none))), [] as [u64; 0], "{none:?}");
        }
    }

    #[test]
    fn a_day_that_is_over_is_not_written_again_for_a_late_row() {
        let sparing = Wanted { sparing: true, ..Wanted::default() };
        let merged = |sizes_of: &[u64]| sizes(of_partition(&files(sizes_of), true, sparing));
        assert_eq!(merged(&[40, 8, 1, 1, 1]), [40, 8, 1, 1, 1], "what is left of the tiers of the day");
        for few in [&[50, 1][..], &[1, 1, 1], &[50, 1, 1, 1, 1]] {
            assert_eq!(merged(few), [] as [u64; 0], "{few:?}");
        }
        assert_eq!(merged(&[50, 1, 1, 1, 1, 1, 1, 1]), [50, 1, 1, 1, 1, 1, 1, 1]);
        assert_eq!(sizes(of_partition(&files(&[50, 1]), true, Wanted::default())), [50, 1]);
    }

    #[test]
    fn files_of_other_writers_are_merged_only_on_purpose() {
        let path = Path::from("events/part-0.parquet");
        let theirs = DataFile::new(TableKind::Events, &Arc::from([]), path, "part-0.parquet", 5, Some(7), None);
        let all = [files(&[9, 7]), vec![theirs]].concat();
        let merged = |wanted: Wanted<'_>| sizes(of_partition(&all, true, wanted));
        assert_eq!(merged(Wanted { upgrade: true, ..Wanted::default() }), [9, 7]);
        assert_eq!(merged(Wanted { adopt: true, ..Wanted::default() }), [9, 7, 5]);
    }

    #[test]
    fn a_tier_is_of_files_of_about_the_same_size() {
        assert_eq!(sizes(tier(&files(&[10, 9, 11, 10, 10, 9, 12]))), [] as [u64; 0], "seven are not many");
        assert_eq!(sizes(tier(&files(&[10; 8]))), [10; 8]);
        assert_eq!(sizes(tier(&files(&[10, 10, 10, 10, 40, 10, 10, 10]))), [10, 10, 10, 10, 10, 10, 10, 40]);
        assert_eq!(
            sizes(tier(&files(&[10, 10, 10, 10, 41, 10, 10, 10]))),
            [] as [u64; 0],
            "more than four times as large"
        );
        let two = [[10; 3].as_slice(), &[100; 9], &[1000; 2]].concat();
        assert_eq!(sizes(tier(&files(&two))), [100; 9], "the first tier that is full");
    }

    /// Appends of a day, merged as they come: how many files there are at most, and how often a byte is written.
    #[test]
    fn an_open_day_has_few_files_and_writes_a_byte_few_times() {
        let (mut all, mut most, mut written) = (Vec::<u64>::new(), 0, 0u64);
        const APPENDS: u64 = 1440;
        for _ in 0..APPENDS {
            all.push(1000);
            written += 1000;
            let merged = sizes(tier(&files(&all)));
            for size in &merged {
                let at = all.iter().position(|other| other == size).unwrap();
                all.swap_remove(at);
            }
            if !merged.is_empty() {
                all.push(merged.iter().sum());
                written += merged.iter().sum::<u64>();
            }
            most = most.max(all.len());
        }
        assert!(most <= 28, "{most} files");
        let times = written as f64 / (1000 * APPENDS) as f64;
        assert!(times < 4.0, "a byte is written {times} times");
    }
}

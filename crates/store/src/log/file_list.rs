//! The files of a version by partition.
//!
//! A version shares with the one before it all partitions in which nothing changed, so that making one costs what it changes and
//! a pointer per partition. What statements ask of a partition as a whole is worked out once.

use std::collections::{BTreeMap, HashSet};
use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock};

use datafusion::object_store::path::Path;

use super::DataFile;

/// The files of one partition of a version.
#[derive(Debug)]
pub struct FilePartition {
    first_day: Option<i32>,
    /// By path.
    files: Vec<DataFile>,
    content: u64,
    /// How many are another Delta writer's, of whose rows no order is known.
    foreign: usize,
    times: OnceLock<Times>,
}

/// When the rows of a partition are, in µs.
#[derive(Debug, Clone, Copy, Default)]
struct Times {
    /// Start of the first and of the last slice; `None` if a file does not say.
    range: Option<(i64, i64)>,
    /// The same of those files that say so and are not known to be empty.
    told: Option<(i64, i64)>,
    /// Whether a file that may have rows does not say.
    untold: bool,
}

impl FilePartition {
    fn new(first_day: Option<i32>, mut files: Vec<DataFile>) -> Self {
        files.sort_unstable_by(|a, b| a.path().cmp(b.path()));
        let sum = files.iter().fold(0u64, |sum, file| sum.wrapping_add(file.content()));
        // 0 is what names no rows.
        let content = if files.is_empty() { 0 } else { sum.max(1) };
        let foreign = files.iter().filter(|file| file.foreign()).count();
        Self { first_day, files, content, foreign, times: OnceLock::new() }
    }

    /// Its first UTC day in days since 1970; `None` for a table that is stored together.
    pub fn first_day(&self) -> Option<i32> {
        self.first_day
    }

    /// Its files, by path.
    pub fn files(&self) -> &[DataFile] {
        &self.files
    }

    /// Names the rows: the sum of its files' contents, wrapping; 0 without files.
    pub fn content(&self) -> u64 {
        self.content
    }

    /// Whether the rows of each file are sorted, which only those of our own are known to be.
    pub(crate) fn sorted(&self) -> bool {
        self.foreign == 0
    }

    /// Start of the first and of the last slice in µs; `None` if a file does not say.
    pub(crate) fn time_range(&self) -> Option<(i64, i64)> {
        self.times().range
    }

    /// The same of the files that say so and have rows; and whether there may be rows in another file.
    pub(crate) fn times_told(&self) -> (Option<(i64, i64)>, bool) {
        (self.times().told, self.times().untold)
    }

    fn times(&self) -> Times {
        *self.times.get_or_init(|| {
            let ranges = || self.files.iter().map(DataFile::time_range);
            let hull = |(from, to): (i64, i64), (a, b): (i64, i64)| (from.min(a), to.max(b));
            let may_have_rows = || self.files.iter().filter(|file| file.rows() != Some(0)).map(DataFile::time_range);
            Times {
                range: ranges().reduce(|a, b| a.zip(b).map(|(a, b)| hull(a, b))).flatten(),
                told: may_have_rows().flatten().reduce(hull),
                untold: may_have_rows().any(|range| range.is_none()),
            }
        })
    }
}

/// All files of a version.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileList {
    partitions: BTreeMap<Option<i32>, Arc<FilePartition>>,
    /// How many files are another Delta writer's.
    foreign: usize,
}

impl FileList {
    pub(crate) fn new(files: Vec<DataFile>) -> Self {
        let mut of: BTreeMap<Option<i32>, Vec<DataFile>> = BTreeMap::new();
        for file in files {
            of.entry(file.first_day()).or_default().push(file);
        }
        Self::of_partitions(
            of.into_iter().map(|(day, files)| (day, Arc::new(FilePartition::new(day, files)))).collect(),
        )
    }

    fn of_partitions(partitions: BTreeMap<Option<i32>, Arc<FilePartition>>) -> Self {
        let foreign = partitions.values().map(|partition| partition.foreign).sum();
        Self { partitions, foreign }
    }

    /// How many files are another Delta writer's.
    pub(crate) fn foreign(&self) -> usize {
        self.foreign
    }

    /// The files of another version. `guess` tells from its path in which partition a file most likely is.
    ///
    /// Without deletion vectors a path names a file for good, so one that is listed again replaces itself.
    pub(crate) fn changed(
        &self,
        removed: HashSet<Path>,
        added: Vec<DataFile>,
        guess: impl Fn(&Path) -> Option<i32>,
    ) -> Self {
        let mut list = self.partitions.clone();
        let mut touched: BTreeMap<Option<i32>, (HashSet<Path>, Vec<DataFile>)> = BTreeMap::new();
        for path in removed {
            let likely = guess(&path);
            let day = if self.has(likely, &path) { Some(likely) } else { self.partition_of(&path) };
            if let Some(day) = day {
                touched.entry(day).or_default().0.insert(path);
            }
        }
        for file in &added {
            // A random name of our own is put in one place only.
            let day = if file.sorted() { Some(file.first_day()) } else { self.partition_of(file.path()) };
            if let Some(day) = day {
                touched.entry(day).or_default().0.insert(file.path().clone());
            }
        }
        for file in added {
            touched.entry(file.first_day()).or_default().1.push(file);
        }
        for (day, (gone, mut files)) in touched {
            let before = list.get(&day).map(|partition| partition.files()).unwrap_or_default();
            files.extend(before.iter().filter(|file| !gone.contains(file.path())).cloned());
            match files.is_empty() {
                true => list.remove(&day),
                false => list.insert(day, Arc::new(FilePartition::new(day, files))),
            };
        }
        Self::of_partitions(list)
    }

    fn has(&self, day: Option<i32>, path: &Path) -> bool {
        self.of(day).binary_search_by(|file| file.path().cmp(path)).is_ok()
    }

    fn partition_of(&self, path: &Path) -> Option<Option<i32>> {
        self.partitions.keys().copied().find(|&day| self.has(day, path))
    }

    /// The files of a partition.
    pub(crate) fn of(&self, first_day: Option<i32>) -> &[DataFile] {
        self.partitions.get(&first_day).map(|partition| partition.files()).unwrap_or_default()
    }

    /// A partition; `None` if it has no files.
    pub(crate) fn get(&self, first_day: Option<i32>) -> Option<&FilePartition> {
        self.partitions.get(&first_day).map(AsRef::as_ref)
    }

    /// The partitions that have files, ascending.
    pub(crate) fn partitions(&self) -> impl DoubleEndedIterator<Item = &FilePartition> + Clone {
        self.partitions.values().map(AsRef::as_ref)
    }

    /// Those whose first days are in a range.
    pub(crate) fn partitions_in(
        &self,
        days: RangeInclusive<i32>,
    ) -> impl DoubleEndedIterator<Item = &FilePartition> + Clone {
        // An empty inclusive range is no range for a map.
        let (from, to) = if days.is_empty() { (0, 0) } else { (*days.start(), days.end().saturating_add(1)) };
        self.partitions.range(Some(from)..Some(to)).map(|(_, partition)| partition.as_ref())
    }

    /// All files, by partition and path.
    pub(crate) fn files(&self) -> impl Iterator<Item = &DataFile> + Clone {
        self.partitions().flat_map(FilePartition::files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partition::Partition;
    use crate::schema::TableKind;

    fn file(name: &str) -> DataFile {
        let path = Path::from(format!("events/{name}"));
        let day = Partition::Day.of_folder(&path).or(Some(7));
        DataFile::new(TableKind::Events, &Arc::from([]), path, name, 1, day, None)
    }

    fn list(names: &[&str]) -> FileList {
        FileList::new(names.iter().map(|name| file(name)).collect())
    }

    fn changed(list: &FileList, removed: &[&str], added: &[&str]) -> FileList {
        let removed = removed.iter().map(|name| Path::from(format!("events/{name}"))).collect();
        list.changed(removed, added.iter().map(|name| file(name)).collect(), |path| Partition::Day.of_folder(path))
    }

    fn names(list: &FileList) -> Vec<String> {
        list.files().map(|file| file.path().to_string()).collect()
    }

    #[test]
    fn a_version_shares_the_partitions_in_which_nothing_changed() {
        let days = ["date=2026-10-01/k1-a", "date=2026-10-02/k1-b", "date=2026-10-03/k1-c"];
        let before = list(&days);
        let after = changed(&before, &[days[1]], &["date=2026-10-04/k1-d", "date=2026-10-03/k1-e"]);
        let shared: Vec<i32> = before
            .partitions
            .iter()
            .filter_map(|(day, partition)| {
                after.partitions.get(day).is_some_and(|other| Arc::ptr_eq(partition, other)).then_some(day.unwrap())
            })
            .collect();
        assert_eq!(shared, [20_727]);
        assert_eq!(names(&after), names(&list(&[days[0], days[2], "date=2026-10-03/k1-e", "date=2026-10-04/k1-d"])));
    }

    #[test]
    fn files_of_other_writers_are_found_wherever_they_are() {
        let before = list(&["part-a", "date=1970-01-01/part-b", "date=2026-10-01/k1-a"]);
        assert_eq!(
            names(&changed(&before, &["part-a"], &[])),
            ["events/date=1970-01-01/part-b", "events/date=2026-10-01/k1-a"]
        );
        // Listed again, a file replaces itself; removed and never there, it is in nobody's way.
        assert_eq!(names(&changed(&before, &["part-z", "date=2026-10-01/k1-z"], &["part-a"])), names(&before));
        assert_eq!(changed(&before, &["date=1970-01-01/part-b"], &[]).of(Some(0)).len(), 0);
    }

    #[test]
    fn the_content_of_a_partition_is_the_sum_of_its_files() {
        let (a, b) = ("date=2026-10-01/k1-a", "date=2026-10-01/k1-b");
        let day = Partition::Day.read("2026-10-01");
        let content = |list: &FileList| list.get(day).map_or(0, FilePartition::content);
        assert_eq!(content(&list(&[a, b])), file(a).content().wrapping_add(file(b).content()));
        assert_eq!(content(&changed(&list(&[a]), &[], &[b])), content(&list(&[b, a])));
        assert_eq!((content(&list(&[])), file(a).content()), (0, 7_500_658_897_201_354_374));
    }
}

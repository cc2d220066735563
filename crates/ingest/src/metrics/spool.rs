//! Samples put into order: by group, time and member, in memory as long as there are few, else by sorted runs on disk.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::sync::Arc;

use crate::samples::{NativeHistogram, Temporality};
use crate::{ErrorKind, IngestError, Result};

/// Bytes of samples held at most, roughly.
const HELD: usize = 64 << 20;

/// A sample of a member of a group.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Record {
    pub group: u32,
    /// µs.
    pub time: i64,
    pub member: u32,
    pub value: Sampled,
    /// Since when the value counts.
    pub temporality: Temporality,
}

/// What was sampled.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sampled {
    /// When the member began at 0, in µs. It comes before the number of that instant.
    Began(i64),
    Number(f64),
    Histogram(Arc<NativeHistogram>),
}

/// Groups, members and times are small numbers: two records with the same place say the same, or contradict each other.
type Place = (u32, i64, u32, u8);

impl Record {
    fn place(&self) -> Place {
        (self.group, self.time, self.member, u8::from(!matches!(self.value, Sampled::Began(_))))
    }

    fn bytes(&self) -> usize {
        let histogram = match &self.value {
            Sampled::Histogram(histogram) => 64 + histogram.buckets.len() * 24,
            Sampled::Began(_) | Sampled::Number(_) => 0,
        };
        size_of::<Record>() + histogram
    }

    fn write(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&self.group.to_le_bytes())?;
        to.write_all(&self.time.to_le_bytes())?;
        to.write_all(&self.member.to_le_bytes())?;
        let (is_delta, since) = match self.temporality {
            Temporality::Cumulative(since) => (false, since),
            Temporality::Delta(since) => (true, since),
        };
        to.write_all(&[u8::from(is_delta), u8::from(since.is_some())])?;
        to.write_all(&since.unwrap_or(0).to_le_bytes())?;
        match &self.value {
            Sampled::Began(at) => {
                to.write_all(&[0])?;
                to.write_all(&at.to_le_bytes())
            }
            Sampled::Number(number) => {
                to.write_all(&[1])?;
                to.write_all(&number.to_le_bytes())
            }
            Sampled::Histogram(histogram) => {
                to.write_all(&[2])?;
                to.write_all(&histogram.schema.to_le_bytes())?;
                for number in [histogram.count, histogram.sum, histogram.zero, histogram.zero_threshold] {
                    to.write_all(&number.to_le_bytes())?;
                }
                to.write_all(&(histogram.buckets.len() as u32).to_le_bytes())?;
                histogram.buckets.iter().try_for_each(|(bucket, count)| {
                    to.write_all(&bucket.to_le_bytes())?;
                    to.write_all(&count.to_le_bytes())
                })
            }
        }
    }

    fn read(from: &mut impl Read) -> io::Result<Record> {
        let (group, time, member) =
            (u32::from_le_bytes(take(from)?), i64::from_le_bytes(take(from)?), u32::from_le_bytes(take(from)?));
        let [is_delta, is_told] = take(from)?;
        let since = Some(i64::from_le_bytes(take(from)?)).filter(|_| is_told == 1);
        let temporality = if is_delta == 1 { Temporality::Delta(since) } else { Temporality::Cumulative(since) };
        let value = match take::<1>(from)? {
            [0] => Sampled::Began(i64::from_le_bytes(take(from)?)),
            [1] => Sampled::Number(f64::from_le_bytes(take(from)?)),
            _ => {
                let schema = i32::from_le_bytes(take(from)?);
                let [count, sum, zero, zero_threshold] =
                    [take(from)?, take(from)?, take(from)?, take(from)?].map(f64::from_le_bytes);
                let mut histogram =
                    NativeHistogram { schema, count, sum, zero, zero_threshold, buckets: BTreeMap::new() };
                for _ in 0..u32::from_le_bytes(take(from)?) {
                    histogram.buckets.insert(i32::from_le_bytes(take(from)?), f64::from_le_bytes(take(from)?));
                }
                Sampled::Histogram(Arc::new(histogram))
            }
        };
        Ok(Record { group, time, member, value, temporality })
    }
}

fn take<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Samples in any order; [`sorted`](Spool::sorted) gives them in order, as often as it is asked.
#[derive(Debug, Default)]
pub(super) struct Spool {
    held: Vec<Record>,
    bytes: usize,
    /// Sorted runs, each with the number of its records.
    runs: Vec<(File, u64)>,
}

impl Spool {
    pub fn push(&mut self, record: Record) -> Result<()> {
        self.bytes += record.bytes();
        self.held.push(record);
        if self.bytes < HELD {
            return Ok(());
        }
        self.spill().map_err(failed)
    }

    fn spill(&mut self) -> io::Result<()> {
        self.held.sort_by_key(Record::place);
        let mut run = BufWriter::new(tempfile::tempfile()?);
        self.held.iter().try_for_each(|record| record.write(&mut run))?;
        self.runs.push((run.into_inner().map_err(io::IntoInnerError::into_error)?, self.held.len() as u64));
        self.held.clear();
        self.bytes = 0;
        Ok(())
    }

    /// All samples in order.
    pub fn sorted(&mut self) -> Result<Sorted> {
        self.held.sort_by_key(Record::place);
        let opened = self.runs.iter().map(|(file, records)| {
            let mut file = file.try_clone()?;
            file.rewind()?;
            // All handles of a file share one position, so that a run is read through one at a time.
            Ok(Run::Stored(BufReader::with_capacity(64 << 10, file), *records))
        });
        let mut runs = opened.collect::<io::Result<Vec<_>>>().map_err(failed)?;
        runs.push(Run::Held(std::mem::take(&mut self.held.clone()).into_iter()));
        Sorted::new(runs).map_err(failed)
    }
}

fn failed(error: io::Error) -> IngestError {
    IngestError::new(ErrorKind::Io, format!("samples cannot be put into order on disk: {error}"))
        .caused_by(error)
        .advice("Make room where temporary files are kept, or name another place by TMPDIR")
}

enum Run {
    Stored(BufReader<File>, u64),
    Held(std::vec::IntoIter<Record>),
}

impl Run {
    fn next(&mut self) -> io::Result<Option<Record>> {
        match self {
            Run::Held(records) => Ok(records.next()),
            Run::Stored(_, 0) => Ok(None),
            Run::Stored(file, left) => {
                *left -= 1;
                Record::read(file).map(Some)
            }
        }
    }
}

/// The samples of all runs in order.
pub(super) struct Sorted {
    runs: Vec<Run>,
    /// The next record of each run, and its place.
    next: Vec<Option<Record>>,
    order: BinaryHeap<Reverse<(Place, usize)>>,
}

impl Sorted {
    fn new(mut runs: Vec<Run>) -> io::Result<Self> {
        let next = runs.iter_mut().map(Run::next).collect::<io::Result<Vec<_>>>()?;
        let places = next.iter().enumerate().filter_map(|(run, record)| Some(Reverse((record.as_ref()?.place(), run))));
        let order = places.collect();
        Ok(Sorted { runs, next, order })
    }

    pub fn next(&mut self) -> Result<Option<Record>> {
        let Some(Reverse((_, run))) = self.order.pop() else { return Ok(None) };
        let following = self.runs.get_mut(run).map_or(Ok(None), Run::next).map_err(failed)?;
        if let Some(record) = &following {
            self.order.push(Reverse((record.place(), run)));
        }
        Ok(self.next.get_mut(run).and_then(|next| std::mem::replace(next, following)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_on_disk_come_out_in_one_order_and_again() {
        let mut spool = Spool::default();
        let number = |n: u32| Record {
            group: n % 7,
            time: i64::from(n * 31 % 97),
            member: n % 3,
            value: Sampled::Number(f64::from(n)),
            temporality: match n % 3 {
                0 => Temporality::Cumulative(None),
                1 => Temporality::Cumulative(Some(-7)),
                _ => Temporality::Delta(Some(i64::from(n))),
            },
        };
        let histogram = NativeHistogram {
            schema: 3,
            count: 1.0,
            zero_threshold: 0.5,
            buckets: [(-4, 1.0)].into(),
            ..Default::default()
        };
        for n in 0..1000 {
            spool.push(number(n)).unwrap();
            if n % 300 == 299 {
                spool.push(Record { value: Sampled::Histogram(Arc::new(histogram.clone())), ..number(n) }).unwrap();
                spool.push(Record { value: Sampled::Began(-5), ..number(n) }).unwrap();
                spool.spill().unwrap();
            }
        }
        assert_eq!(spool.runs.len(), 3);
        let mut all = || {
            let (mut sorted, mut records) = (spool.sorted().unwrap(), Vec::new());
            while let Some(record) = sorted.next().unwrap() {
                records.push(record);
            }
            records
        };
        let (first, again) = (all(), all());
        assert_eq!((first.len(), &first), (1006, &again));
        assert!(first.is_sorted_by_key(Record::place));
        let of = |record: &Record| match record.value {
            Sampled::Number(value) => record.temporality == number(value as u32).temporality,
            Sampled::Began(_) | Sampled::Histogram(_) => true,
        };
        assert!(first.iter().all(of));
        assert!(first.iter().any(|record| record.value == Sampled::Histogram(Arc::new(histogram.clone()))));
    }
}

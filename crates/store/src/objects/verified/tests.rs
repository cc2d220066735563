//! Whatever becomes of a data file, no read of it gives other bytes than those that were written.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion::object_store::memory::InMemory;
use datafusion::object_store::path::Path;
use datafusion::object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, Result};
use datafusion::parquet::file::properties::WriterProperties;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::{Verified, sum};
use crate::error::{StoreError, StoreErrorKind};
use crate::log::FileName;
use crate::write::BlockWriter;

const BLOCK: u64 = 256;

/// A file of a few blocks, of which the last is not full.
fn file(seed: u64, older: bool) -> (Path, Vec<u8>, u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let numbers: ArrayRef = Arc::new((0..120).map(|_| Some(random.random::<i64>())).collect::<Int64Array>());
    let batch = RecordBatch::try_from_iter([("number", numbers)]).unwrap();
    let mut writer = BlockWriter::new(&batch.schema(), WriterProperties::default(), BLOCK as usize).unwrap();
    writer.write(&batch).unwrap();
    let file = writer.finish().unwrap();
    let body = file.bytes.len() as u64 - file.tail;
    let name = match older {
        true => FileName::Whole { id: u128::from(seed), crc: sum(&file.bytes) },
        false => FileName::new(seed, file.tail, file.crc),
    };
    (Path::from(format!("requests/date=2026-10-01/{name}")), file.bytes, body)
}

/// What is read, and the bytes that must be right for that.
type Read = (GetRange, Range<u64>);

fn reads(size: u64, body: u64, whole: bool) -> Vec<Read> {
    let needed = |range: Range<u64>| {
        let (start, end) = (range.start / BLOCK * BLOCK, range.end.div_ceil(BLOCK) * BLOCK);
        match whole {
            true => 0..size,
            false if range.start >= body => body..size,
            false => start..if range.end > body { size } else { end.min(body) },
        }
    };
    let mut reads: Vec<Range<u64>> = (0..size - 70).step_by(61).map(|at| at..at + 70).collect();
    reads.extend([0..size, 0..1, size - 1..size, BLOCK - 1..BLOCK, BLOCK..2 * BLOCK, body..size, body - 1..body + 1]);
    let mut reads: Vec<Read> =
        reads.into_iter().map(|range| (GetRange::Bounded(range.clone()), needed(range))).collect();
    reads.push((GetRange::Suffix(9), needed(size - 9..size)));
    reads.push((GetRange::Offset(body / 2), needed(body / 2..size)));
    reads
}

async fn read(objects: &Verified, path: &Path, range: &GetRange) -> Result<Bytes> {
    let options = GetOptions { range: Some(range.clone()), ..GetOptions::default() };
    objects.get_opts(path, options).await?.bytes().await
}

/// An error that names the file and says what to do.
fn names(path: &Path, error: datafusion::object_store::Error) {
    let told = StoreError::found_in(&error).unwrap_or_else(|| panic!("{error:?}"));
    assert_eq!(told.kind(), StoreErrorKind::Corrupt);
    assert!(told.to_string().starts_with(path.as_ref()) && told.to_string().contains("backup"), "{told}");
}

/// Reads everything in every way; what touches `wrong` must fail, and nothing may give other bytes.
async fn all_read(objects: &Verified, path: &Path, written: &[u8], body: u64, wrong: &Range<u64>, whole: bool) {
    let size = written.len() as u64;
    let reads = reads(size, body, whole);
    let part = |range: &Range<u64>| &written[range.start as usize..range.end as usize];
    for (range, needs) in &reads {
        let asked = range.as_range(size).unwrap();
        let touched = needs.start < wrong.end && wrong.start < needs.end;
        match read(objects, path, range).await {
            Ok(bytes) => assert!(!touched && bytes == part(&asked), "{range:?} with {wrong:?} wrong"),
            Err(error) => names(path, error),
        }
    }
    let ranges: Vec<Range<u64>> = reads.iter().filter_map(|(range, _)| range.as_range(size).ok()).collect();
    for ranges in ranges.chunks(3) {
        match objects.get_ranges(path, ranges).await {
            Ok(all) => ranges.iter().zip(all).for_each(|(range, bytes)| assert_eq!(bytes, part(range))),
            Err(error) => names(path, error),
        }
    }
}

async fn stored(path: &Path, bytes: impl Into<Bytes>) -> Arc<InMemory> {
    let objects = Arc::new(InMemory::new());
    objects.put(path, bytes.into().into()).await.unwrap();
    objects
}

#[tokio::test]
async fn no_byte_can_change_unnoticed() {
    for older in [false, true] {
        let (path, written, body) = file(1, older);
        let sound = Verified::new(stored(&path, written.clone()).await, None);
        all_read(&sound, &path, &written, body, &(0..0), older).await;
        assert_eq!(sound.verified_whole(), if older { (1, written.len() as u64) } else { (0, 0) });
        for at in 0..written.len() {
            let mut other = written.clone();
            other[at] ^= 1 << (at % 8);
            let inner = stored(&path, other.clone()).await;
            let wrong = at as u64..at as u64 + 1;
            // A flipped bit in the tail is seen by whoever opens the file.
            let wrong = if wrong.start >= body { 0..written.len() as u64 } else { wrong };
            all_read(&Verified::new(inner, None), &path, &written, body, &wrong, older).await;
        }
    }
}

#[tokio::test]
async fn a_file_that_is_damaged_after_it_was_opened_is_not_read_on() {
    let (path, written, body) = file(1, false);
    for at in (0..written.len()).step_by(7) {
        let inner = stored(&path, written.clone()).await;
        let objects = Verified::new(Arc::clone(&inner) as _, None);
        objects.get_range(&path, body..written.len() as u64).await.unwrap();
        let mut other = written.clone();
        other[at] ^= 1;
        inner.put(&path, other.into()).await.unwrap();
        // The tail is remembered.
        let upto = |end: u64| (at as u64).min(body)..end.min(body);
        all_read(&objects, &path, &written, body, &upto(at as u64 + 1), false).await;
        inner.put(&path, written[..at].to_vec().into()).await.unwrap();
        all_read(&objects, &path, &written, body, &upto(body), false).await;
    }
}

#[tokio::test]
async fn a_file_that_is_cut_emptied_doubled_exchanged_zeroed_or_gone_is_an_error() {
    for older in [false, true] {
        let (path, written, body) = file(1, older);
        let (_, neighbour, _) = file(2, older);
        let doubled = [&written[..], &written[..]].concat();
        let mut zeroed = written.clone();
        zeroed[300..600].fill(0);
        let mut others = vec![Vec::new(), doubled, neighbour];
        others.extend((1..written.len()).step_by(97).map(|end| written[..end].to_vec()));
        others.push([&written[..body as usize], &[0; 9], &written[body as usize..]].concat());
        for other in others {
            let objects = Verified::new(stored(&path, other).await, None);
            all_read(&objects, &path, &written, body, &(0..written.len() as u64), older).await;
        }
        let objects = Verified::new(stored(&path, zeroed).await, None);
        all_read(&objects, &path, &written, body, &(300..600), older).await;
        let objects = Verified::new(Arc::new(InMemory::new()), None);
        all_read(&objects, &path, &written, body, &(0..written.len() as u64), older).await;
    }
}

#[tokio::test]
async fn what_is_asked_of_an_object_besides_its_bytes_is_answered() {
    let (path, written, _) = file(1, false);
    let objects = Verified::new(stored(&path, written.clone()).await, None);
    assert_eq!(objects.head(&path).await.unwrap().size, written.len() as u64);
    assert_eq!(
        objects.get_ranges(&path, &[3..3, 5..9]).await.unwrap(),
        [Bytes::new(), Bytes::from(written[5..9].to_vec())]
    );
    let other = GetOptions { if_match: Some("another".to_string()), ..GetOptions::default() };
    let refused = objects.get_opts(&path, other).await.unwrap_err();
    assert!(matches!(refused, datafusion::object_store::Error::Precondition { .. }), "{refused}");
    // Of what another Delta writer made nothing is known.
    let foreign = Path::from("requests/date=2026-10-01/part-00000.parquet");
    let objects = Verified::new(stored(&foreign, vec![1, 2, 3]).await, None);
    assert_eq!(objects.get(&foreign).await.unwrap().bytes().await.unwrap(), [1u8, 2, 3][..]);
}

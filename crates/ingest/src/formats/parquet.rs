//! Parquet files: columns already, fitted to the table batch by batch. Rows are not combined here.

use std::collections::VecDeque;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::columns::Columns;
use crate::{ErrorKind, IngestError, Options, Progress, Result, conform_rest};

const BATCH_ROWS: usize = 8192;

/// The batches of a Parquet file.
pub(super) struct Parquet {
    name: String,
    reader: ParquetRecordBatchReader,
    options: Options,
    progress: Arc<Progress>,
    file_bytes: u64,
    file_rows: u64,
    rows_read: u64,
    fitted: VecDeque<RecordBatch>,
}

impl Parquet {
    pub(super) fn open(path: &Path, options: &Options, progress: Arc<Progress>) -> Result<Self> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|e| IngestError::io(&name, e))?;
        let file_bytes = file.metadata().map_err(|e| IngestError::io(&name, e))?.len();
        let unreadable = |e| damaged(&name, e);
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(unreadable)?;
        let file_rows = builder.metadata().file_metadata().num_rows().max(0) as u64;
        // Before the first row, so that a wrong file is refused at once, even an empty one.
        let names = builder.schema().fields().iter().map(|field| field.name().as_str());
        Columns::with(options.kind, &options.from)?.find_all(names).map_err(|e| e.in_file(&name))?;
        let reader = builder.with_batch_size(BATCH_ROWS).build().map_err(unreadable)?;
        Ok(Self {
            reader,
            options: options.clone(),
            progress,
            file_bytes,
            file_rows,
            rows_read: 0,
            fitted: VecDeque::new(),
            name,
        })
    }

    fn conform(&mut self, batch: &RecordBatch) -> Result<()> {
        let fitted = conform_rest(batch, &self.options, &self.name, self.rows_read)?;
        let before = self.bytes_read();
        let kept: u64 = fitted.iter().map(|batch| batch.num_rows() as u64).sum();
        self.rows_read += batch.num_rows() as u64;
        self.progress.add_rows(kept);
        self.progress.add_bytes(self.bytes_read() - before);
        self.fitted.extend(fitted);
        Ok(())
    }

    /// The share of the file that corresponds to the rows read; good enough for a progress bar.
    fn bytes_read(&self) -> u64 {
        let share = u128::from(self.file_bytes) * u128::from(self.rows_read) / u128::from(self.file_rows.max(1));
        share as u64
    }
}

impl Iterator for Parquet {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.fitted.pop_front() {
                return Some(Ok(batch));
            }
            let read = match self.reader.next()? {
                Ok(batch) => self.conform(&batch),
                Err(e) => Err(damaged(&self.name, e)),
            };
            if let Err(error) = read {
                return Some(Err(error));
            }
        }
    }
}

fn damaged(name: &str, error: impl std::error::Error + Send + Sync + 'static) -> IngestError {
    IngestError::new(ErrorKind::Io, format!("cannot be read as Parquet: {error}")).caused_by(error).in_file(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{REMEDY, requests, shown};
    use crate::{Format, read, read_from};
    use datafusion::arrow::array::{ArrayRef, Int32Array, Int64Array};
    use datafusion::parquet::arrow::ArrowWriter;

    fn file(columns: Vec<(&str, ArrayRef)>) -> tempfile::NamedTempFile {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut writer = ArrowWriter::try_new(file.reopen().unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        file
    }

    fn refusal(file: &tempfile::NamedTempFile) -> String {
        let mut batches = read([file.path()], None, requests(), Arc::default()).unwrap();
        let error = batches.find_map(Result::err).unwrap().to_string();
        assert!(batches.next().is_none());
        error.replace(&file.path().display().to_string(), "FILE")
    }

    #[test]
    fn rows_come_out_as_the_table_has_them() {
        let rows: i64 = 20_000;
        let file = file(vec![
            ("status", Arc::new(Int32Array::from_iter_values((0..rows).map(|_| 200)))),
            ("time", Arc::new(Int64Array::from_iter_values((0..rows).map(|i| i * 60 + 7)))),
        ]);
        let progress = Arc::new(Progress::new());
        let batches: Vec<_> =
            read([file.path()], None, requests(), Arc::clone(&progress)).unwrap().map(Result::unwrap).collect();
        let shown = shown(&batches);
        assert_eq!(shown.len(), rows as usize);
        assert_eq!(shown[1], "time=1970-01-01T00:01:00Z status=200 requests=1");
        assert_eq!((progress.rows_read(), progress.bytes_read()), (rows as u64, progress.total_bytes()));
    }

    #[test]
    fn a_bad_value_is_refused_with_its_row_in_the_file() {
        let file = file(vec![(
            "time",
            Arc::new(Int64Array::from_iter_values((0..10_000).map(|i| if i == 9_000 { -1 } else { i }))),
        )]);
        assert_eq!(
            refusal(&file),
            format!("FILE: row 9001: time is \"-1\"; expected a time in the years 1970 to 9999. {REMEDY}")
        );
    }

    #[test]
    fn wrong_columns_and_damage_are_refused() {
        let unknown = file(vec![("tme", Arc::new(Int64Array::from(vec![1])))]);
        assert!(refusal(&unknown).starts_with("FILE: unknown column \"tme\"; expected columns of requests: time, "));
        let damaged = file(vec![("time", Arc::new(Int64Array::from(vec![1])))]);
        damaged.as_file().set_len(100).unwrap();
        assert!(refusal(&damaged).starts_with("FILE: cannot be read as Parquet: "));
        let stream = read_from("-", std::io::empty(), Some(Format::Parquet), requests(), Arc::default());
        assert_eq!(
            stream.err().unwrap().to_string(),
            "-: Parquet cannot be read from a stream. Put it into a file and name that"
        );
    }
}

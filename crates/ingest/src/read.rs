//! From files to batches, one after the other, on the caller's thread.

use std::collections::VecDeque;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use nines_store::TableKind;

use crate::formats::{self, BatchesOfOne};
use crate::lines::Lines;
use crate::{ErrorKind, Format, IngestError, Options, Piece, Progress, Result, input, scout};

/// Something to read.
#[derive(Clone)]
#[non_exhaustive]
pub enum Input {
    /// A whole file of this format.
    File(PathBuf, Format),
    /// A piece of a file of single requests, events or samples.
    Piece(Box<Piece>),
}

/// The batches of one or more inputs, in the schema of their table. Blocks while it reads; ends after the first error.
///
/// Rows are combined per slice and key as far as memory allows, so that a key may come out again.
pub struct Batches {
    options: Options,
    progress: Arc<Progress>,
    waiting: VecDeque<Input>,
    current: Option<BatchesOfOne>,
    stop: Arc<AtomicBool>,
}

/// The format of a file, by its name and first bytes.
pub fn detect(path: &Path) -> Result<Format> {
    size(path)?;
    Format::detect(path, &input::open(path, &Arc::default())?.0)
}

/// The same for rows of this table: JSON whose fields are those of a known log of requests is a log of requests.
pub fn detect_for(kind: TableKind, path: &Path) -> Result<Format> {
    size(path)?;
    Format::detect_for(kind, path, &input::open(path, &Arc::default())?.0)
}

/// Reads files one after the other as rows of `options.kind`. Without a format, each file tells its own.
///
/// All files are looked at before the first is read, so that a missing one fails at once.
pub fn read<P: AsRef<Path>>(
    paths: impl IntoIterator<Item = P>,
    format: Option<Format>,
    options: Options,
    progress: Arc<Progress>,
) -> Result<Batches> {
    options.check()?;
    let file = |path: P| {
        let path = path.as_ref();
        Ok(Input::File(path.to_path_buf(), format.map_or_else(|| detect(path), Ok)?))
    };
    read_inputs(paths.into_iter().map(file).collect::<Result<Vec<_>>>()?, options, progress)
}

/// Reads whole files and pieces of files one after the other as rows of `options.kind`.
pub fn read_inputs(
    inputs: impl IntoIterator<Item = Input>,
    options: Options,
    progress: Arc<Progress>,
) -> Result<Batches> {
    options.check()?;
    let mut waiting = VecDeque::new();
    for input in inputs {
        progress.add_total(match &input {
            Input::File(path, _) => size(path)?,
            Input::Piece(piece) => piece.cost().map_err(|e| IngestError::io(&piece.path().display().to_string(), e))?,
        });
        waiting.push_back(input);
    }
    Ok(Batches { options, progress, waiting, current: None, stop: Arc::default() })
}

/// The bytes of what can be read as a file.
fn size(path: &Path) -> Result<u64> {
    let failed = |e| IngestError::io(&path.display().to_string(), e);
    let metadata = fs::metadata(path).map_err(failed)?;
    if metadata.is_dir() { Err(failed(std::io::ErrorKind::IsADirectory.into())) } else { Ok(metadata.len()) }
}

/// Reads one text input, such as standard input, that errors call `name`. Parquet needs a file.
pub fn read_from(
    name: &str,
    input: impl Read + Send + 'static,
    format: Option<Format>,
    options: Options,
    progress: Arc<Progress>,
) -> Result<Batches> {
    options.check()?;
    let (head, input) = input::unpack(name, Box::new(input), &progress)?;
    let format = format.map_or_else(|| Format::detect(Path::new(name), &head), Ok)?;
    let stop = Arc::default();
    let current = Some(formats::text(format, Lines::new(name, input), &options.for_next_input(), &progress, &stop)?);
    Ok(Batches { options, progress, waiting: VecDeque::new(), current, stop })
}

impl Batches {
    /// These batches, which `stop` ends.
    pub(crate) fn of(current: BatchesOfOne, options: Options, progress: Arc<Progress>, stop: Arc<AtomicBool>) -> Self {
        Batches { options, progress, waiting: VecDeque::new(), current: Some(current), stop }
    }

    /// The schema of every batch: the table's.
    pub fn schema(&self) -> SchemaRef {
        self.options.kind.schema(self.options.slice_seconds)
    }

    /// Set from another thread, it makes the next step an error of kind [`ErrorKind::Stopped`].
    pub fn stop_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    fn step(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(current) = &mut self.current {
                if self.stop.load(Relaxed) {
                    return Err(IngestError::stopped());
                }
                if let Some(batch) = current.next() {
                    return batch.map(Some);
                }
                self.current = None;
            }
            let Some(next) = self.waiting.pop_front() else { return Ok(None) };
            self.current = Some(self.open(next)?);
        }
    }

    fn open(&self, input: Input) -> Result<BatchesOfOne> {
        let options = self.options.for_next_input();
        match input {
            Input::File(path, Format::Parquet) => formats::parquet(&path, &options, &self.progress),
            Input::File(path, format) => {
                let open = |progress: &Arc<Progress>| {
                    let (_, bytes) = input::open(&path, progress)?;
                    Ok(Lines::new(&path.display().to_string(), bytes))
                };
                // What is no file is read once.
                let order = if path.is_file() {
                    scout::order(format, &options, None::<fn() -> Result<Lines>>, || open(&Arc::default()))
                } else {
                    None
                };
                formats::text(format, open(&self.progress)?, &options.after(order), &self.progress, &self.stop)
            }
            Input::Piece(piece) => {
                let options = options.for_piece(&piece);
                if piece.format() == Format::Parquet {
                    return formats::parquet(piece.path(), &options, &self.progress);
                }
                let lines = |piece: &Piece| piece.lines(&Arc::default());
                let before = piece.before();
                let before = before.as_ref().map(|before| || lines(before));
                let order = scout::order(piece.format(), &options, before, || lines(&piece));
                let lines = piece.lines(&self.progress)?;
                formats::text(piece.format(), lines, &options.after(order), &self.progress, &self.stop)
            }
        }
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if let Err(error) = &step {
            self.waiting.clear();
            self.current = None;
            if error.kind() == ErrorKind::BadLine {
                self.progress.add_rejected();
            }
        }
        step.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{requests, shown};
    use datafusion::arrow::array::AsArray;
    use datafusion::arrow::datatypes::Int64Type;
    use std::collections::HashMap;
    use std::io::Cursor;

    fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
        let path = dir.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn files_of_several_formats_follow_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let paths = [
            write(dir.path(), "a", "time,status\n0,200\n"),
            write(dir.path(), "b.jsonl", "{\"time\": 60}\n"),
            write(dir.path(), "c", "h - - [01/Jan/1970:00:02:00 +0000] \"GET /x HTTP/1.1\" 200 1\n"),
        ];
        let progress = Arc::new(Progress::new());
        let batches = read(&paths, None, requests(), Arc::clone(&progress)).unwrap();
        assert_eq!(batches.schema(), requests().kind.schema(60));
        assert_eq!(
            shown(&batches.map(Result::unwrap).collect::<Vec<_>>()),
            [
                "time=1970-01-01T00:00:00Z status=200 requests=1",
                "time=1970-01-01T00:01:00Z status=0 requests=1",
                "time=1970-01-01T00:02:00Z endpoint=/x status=200 requests=1",
            ]
        );
        assert_eq!((progress.rows_read(), progress.rejected()), (3, 0));
        assert_eq!(progress.bytes_read(), progress.total_bytes());
    }

    #[test]
    fn the_first_error_ends_the_read() {
        let dir = tempfile::tempdir().unwrap();
        let good = write(dir.path(), "good.csv", "time\n0\n");
        let bad = write(dir.path(), "bad.csv", "time\nx\n");
        let progress = Arc::new(Progress::new());
        let results: Vec<_> = read([&good, &bad, &good], None, requests(), Arc::clone(&progress)).unwrap().collect();
        assert_eq!(results.len(), 2);
        let error = results[1].as_ref().unwrap_err();
        assert_eq!((error.kind(), error.line_number()), (ErrorKind::BadLine, Some(2)));
        assert_eq!(error.file_name(), Some(bad.to_str().unwrap()));
        assert_eq!(progress.rejected(), 1);
    }

    #[test]
    fn what_cannot_be_opened_fails_before_anything_is_read() {
        let message = |path: &str| read([path], None, requests(), Arc::default()).err().unwrap().to_string();
        assert_eq!(message("/no/such.csv"), "/no/such.csv: cannot be read: No such file or directory (os error 2)");
        assert_eq!(message("/"), "/: cannot be read: is a directory");
        let mut options = requests();
        options.slice_seconds = 0;
        let error = read([""; 0], None, options, Arc::default()).err().unwrap();
        assert_eq!(error.to_string(), "the slice width is 0 seconds; expected a positive number of seconds");
    }

    #[test]
    fn many_keys_come_out_in_several_rounds_and_nothing_is_lost() {
        let keys = 300_000;
        let text = (0..keys).fold(String::from("time,endpoint\n"), |text, i| text + &format!("0,/{i}\n0,/hot\n"));
        let batches = read_from("many", Cursor::new(text), Some(Format::Csv), requests(), Arc::default()).unwrap();
        let mut counts = HashMap::new();
        let mut rows = 0;
        for batch in batches {
            let batch = batch.unwrap();
            rows += batch.num_rows();
            let requests = batch["requests"].as_primitive::<Int64Type>();
            for (endpoint, requests) in batch["endpoint"].as_string_view().iter().zip(requests.values()) {
                *counts.entry(endpoint.unwrap().to_string()).or_insert(0) += requests;
            }
        }
        assert_eq!(counts.remove("/hot"), Some(keys));
        assert!(counts.len() == keys as usize && counts.values().all(|&count| count == 1));
        assert_eq!(rows, counts.len() + 2, "the hot key comes out once per round");
    }
}

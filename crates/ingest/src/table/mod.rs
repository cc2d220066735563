//! Files as tables of SQL: the table `input` behind `--select`, and `FROM 'file.csv'`.
//!
//! A file is read twice. The first pass finds the columns and, from every cell, the narrowest type that holds them all
//! as they are written (`numbers`, `times`): a type never depends on how many rows are looked at. The second gives
//! rows, batch by batch, as often as somebody asks. Both read by the readers of `formats/`, so that SQL sees
//! what is ingested without it, and a file that has grown since is read as far as it was measured.
//!
//! What must hold: no cell is NULL, cut or rounded because of its column's type; what does not fit its type, because the
//! file was changed between the passes, is an error. Memory is a batch and what is known of each column.

mod cells;
mod guess;
mod members;
mod names;
mod numbers;
mod record;
mod records;
mod rows;
mod shape;
mod times;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};

use crate::lines::Lines;
use crate::{ErrorKind, Format, IngestError, Piece, Progress, Rejected, Result};
use cells::Written;
use guess::Guess;
use names::Names;
use record::{OncePerRecord, no_json};
use records::Records;
pub use rows::FileRows;
use shape::Shape;

/// A file to be read as a table, or as a part of one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// What it is; `None`: as it tells itself. Parquet is not read here.
    pub format: Option<Format>,
    /// Text columns that all its rows have, such as what its folder's name says.
    pub constants: Vec<(String, String)>,
    /// Where records that cannot be read go, while the others are rows; `None`: there may be none.
    pub rejected: Option<Arc<Rejected>>,
    /// The rows that are given, where they are not all: columns are found in all that the file holds up to their end.
    piece: Option<Piece>,
}

impl Source {
    /// A file in this format.
    pub fn new(path: impl Into<PathBuf>, format: Option<Format>) -> Self {
        Source { path: path.into(), format, constants: Vec::new(), rejected: None, piece: None }
    }

    /// What is new in a file.
    pub fn of_piece(piece: Piece) -> Self {
        Source { piece: Some(piece.clone()), ..Source::new(piece.path(), Some(piece.format())) }
    }
}

/// Files whose rows are one table, columns by name.
#[derive(Debug)]
pub struct FileTable {
    files: Vec<Measured>,
    columns: Vec<(String, Shape)>,
    schema: SchemaRef,
    zone: Arc<str>,
}

/// Columns of single values that are text whatever these look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AsText {
    /// Those of these names.
    Named(Vec<String>),
    /// All but those of these names.
    AllBut(Vec<String>),
}

impl AsText {
    fn holds(&self, column: &str) -> bool {
        match self {
            AsText::Named(names) => names.iter().any(|name| name == column),
            AsText::AllBut(names) => names.iter().all(|name| name != column),
        }
    }
}

/// None.
impl Default for AsText {
    fn default() -> Self {
        AsText::Named(Vec::new())
    }
}

/// A file as the first pass found it.
#[derive(Debug)]
struct Measured {
    source: Source,
    format: Format,
    /// Its unpacked text, in bytes.
    bytes: u64,
    rows: u64,
    /// Records that repeated the header and were skipped.
    headers: u64,
    /// The records that were refused when rows were read, by number. Rows may be read several times.
    told: Arc<Mutex<BTreeSet<u64>>>,
    stamp: Option<(u64, SystemTime)>,
}

impl FileTable {
    /// Reads all files once. Columns of `as_text` are text whatever their cells look like; instants are shown in
    /// `zone`. Bytes read count in `progress`. Blocks.
    pub fn measure(sources: Vec<Source>, as_text: &AsText, zone: &str, progress: &Arc<Progress>) -> Result<FileTable> {
        let mut names = Names::default();
        let mut guesses: Vec<Guess> = Vec::new();
        let mut files = Vec::new();
        for source in sources {
            let name = source.path.display().to_string();
            let stamp = stamp(&source.path);
            progress.add_total(stamp.map_or(0, |(bytes, _)| bytes));
            let read = Arc::new(Progress::new());
            let (format, lines) = match &source.piece {
                Some(piece) => (piece.format(), piece.at_start().lines(progress)?),
                None => {
                    let (head, input) = records::open(&source.path, None, progress, &read)?;
                    let format = source.format.map_or_else(|| Format::detect(&source.path, &head), Ok)?;
                    (format, Lines::new(&name, input))
                }
            };
            let mut records = Records::new(format, lines, zone, &mut names)?;
            let written = records.written();
            let (mut seen, mut rows) = (OncePerRecord::default(), 0);
            // The cells of a record that may be left out.
            let mut cells: Vec<(usize, String)> = Vec::new();
            loop {
                seen.record += 1;
                let next = records.next(
                    &mut names,
                    |_| true,
                    |name, place, cell| {
                        if source.rejected.is_some() {
                            seen.check_alone(name, place, cell, written)?;
                            cells.push((place, cell.to_string()));
                            return Ok(());
                        }
                        seen.check(name, place)?;
                        let is_good = guess_of(&mut guesses, place).add(cell, written);
                        if is_good { Ok(()) } else { Err(no_json(name, cell)) }
                    },
                );
                match next {
                    Ok(Some(_)) => {
                        rows += 1;
                        for (place, cell) in cells.drain(..) {
                            guess_of(&mut guesses, place).add(&cell, written);
                        }
                    }
                    Ok(None) => break,
                    Err(error) if source.rejected.is_some() && Rejected::takes(&error) => cells.clear(),
                    Err(error) => return Err(error),
                }
            }
            let headers = records.repeated_headers();
            for (column, text) in &source.constants {
                let place = names.place(column)?;
                if seen.has(place) {
                    return Err(IngestError::new(
                        ErrorKind::Options,
                        format!("column {column} is in the file, and the folder {column}={text} says it too"),
                    )
                    .in_file(source.path.display().to_string())
                    .advice("Name the file itself, or rename one of both"));
                }
                guess_of(&mut guesses, place).add(text, Written::Plain);
            }
            let told = Arc::default();
            files.push(Measured { source, format, bytes: read.bytes_read(), rows, headers, told, stamp });
        }
        guesses.resize_with(names.list.len(), Guess::default);
        let columns = names.list.into_iter().zip(guesses).map(|(name, guess)| {
            let shape = match guess.shape() {
                Shape::Nothing => Shape::Text,
                nested @ (Shape::Struct(_) | Shape::List(_)) => nested,
                _ if as_text.holds(&name) => Shape::Text,
                shape => shape,
            };
            (name, shape)
        });
        let (columns, zone) = (columns.collect::<Vec<_>>(), Arc::from(zone));
        let fields = columns.iter().map(|(name, shape)| Field::new(name, shape.data_type(&zone), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Ok(FileTable { files, columns, schema, zone })
    }

    /// The columns, by the order in which they first appear.
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// The number of files, each of which is read by itself.
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// The files, to measure them again.
    pub fn sources(&self) -> Vec<Source> {
        self.files.iter().map(|file| file.source.clone()).collect()
    }

    /// Records that repeated the header and were skipped: of a file, or of all.
    pub fn headers(&self, only: Option<usize>) -> u64 {
        let files = self.files.iter().enumerate().filter(|(at, _)| only.is_none_or(|only| only == *at));
        files.map(|(_, file)| file.headers).sum()
    }

    /// Whether the files look as they did when they were measured.
    pub fn is_current(&self) -> bool {
        self.files.iter().all(|file| file.stamp == stamp(&file.source.path))
    }

    /// The rows of a file, in these columns and in batches of at most so many rows. Blocks; ends after the first error.
    pub fn rows(&self, file: usize, projection: &[usize], batch_rows: usize) -> Result<FileRows> {
        let projected = Arc::new(self.schema.project(projection).map_err(|error| internal(&error.to_string()))?);
        let measured = self.files.get(file).ok_or_else(|| internal("there is no such file"))?;
        let name = measured.source.path.display().to_string();
        let read = Arc::new(Progress::new());
        let piece = measured.source.piece.as_ref();
        let lines = match piece {
            Some(piece) => piece.lines(&Arc::default())?,
            None => {
                let (_, input) = records::open(&measured.source.path, Some(measured.bytes), &Arc::default(), &read)?;
                Lines::new(&name, input)
            }
        };
        let mut names = Names::of(self.columns.iter().map(|(name, _)| name.as_str()));
        let records = Records::new(measured.format, lines, &self.zone, &mut names)?;
        let rejected = measured.source.rejected.clone();
        let mut slots = vec![None; self.columns.len()];
        projection.iter().enumerate().for_each(|(slot, &column)| slots[column] = Some(slot));
        let constants = measured.source.constants.iter().filter_map(|(column, text)| {
            let place = self.columns.iter().position(|(name, _)| name == column)?;
            Some((slots[place]?, text.clone()))
        });
        Ok(FileRows {
            constants: constants.collect(),
            name,
            columns: projection.iter().map(|&column| self.columns[column].clone()).collect(),
            zone: Arc::clone(&self.zone),
            schema: projected,
            records,
            names,
            slots,
            batch_rows: batch_rows.max(1),
            read,
            bytes: measured.bytes,
            counted: (projection.is_empty() && piece.is_none() && rejected.is_none() && self.is_current())
                .then_some(measured.rows),
            rejected,
            told: Arc::clone(&measured.told),
            seen: OncePerRecord::default(),
            lines: Vec::new(),
            ended: false,
        })
    }
}

fn guess_of(guesses: &mut Vec<Guess>, place: usize) -> &mut Guess {
    if guesses.len() <= place {
        guesses.resize_with(place + 1, Guess::default);
    }
    &mut guesses[place]
}

/// Size and time of change.
fn stamp(path: &Path) -> Option<(u64, SystemTime)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

fn internal(problem: &str) -> IngestError {
    IngestError::new(ErrorKind::Internal, problem.to_string())
}

#[cfg(test)]
mod tests {
    use super::names::MOST_COLUMNS;
    use super::*;
    use datafusion::arrow::array::RecordBatch;
    use datafusion::arrow::util::pretty::pretty_format_batches;

    struct Place(tempfile::TempDir);

    impl Place {
        fn with(files: &[(&str, &str)]) -> Self {
            let place = Place(tempfile::tempdir().unwrap());
            files.iter().for_each(|(name, text)| place.write(name, text));
            place
        }

        fn write(&self, name: &str, text: &str) {
            std::fs::write(self.0.path().join(name), text).unwrap();
        }

        fn table(&self, names: &[&str]) -> Result<Arc<FileTable>> {
            let sources = names.iter().map(|name| Source::new(self.0.path().join(name), None)).collect();
            FileTable::measure(sources, &AsText::Named(vec!["customer".to_string()]), "UTC", &Arc::default())
                .map(Arc::new)
        }
    }

    fn rows(table: &Arc<FileTable>, projection: &[usize], batch_rows: usize) -> Result<Vec<RecordBatch>> {
        let files =
            (0..table.files()).map(|file| table.rows(file, projection, batch_rows)?.collect::<Result<Vec<_>>>());
        Ok(files.collect::<Result<Vec<_>>>()?.concat())
    }

    fn shown(batches: &[RecordBatch]) -> Vec<String> {
        let table = pretty_format_batches(batches).unwrap().to_string();
        let lines = table.lines().filter(|line| line.starts_with('|')).skip(1);
        lines.map(|line| line.split('|').map(str::trim).collect::<Vec<_>>().join("|")).collect()
    }

    #[test]
    fn files_of_several_formats_are_one_table() {
        let place = Place::with(&[
            ("a.csv", "time;customer;n\n1;7;1\n2;;\n"),
            ("b.jsonl", "{\"n\": 0.5, \"late\": [1]}\n\n{\"customer\": 8}\n"),
            ("c.log", "a \"line\", of text\n"),
        ]);
        let table = place.table(&["a.csv", "b.jsonl", "c.log"]).unwrap();
        let types: Vec<_> = table.columns.iter().map(|(name, shape)| (name.as_str(), shape.clone())).collect();
        let list = Shape::List(Box::new(Shape::Integer));
        let expected = [
            ("time", Shape::Integer),
            ("customer", Shape::Text),
            ("n", Shape::Double),
            ("late", list),
            ("line", Shape::Text),
        ];
        assert_eq!(types, expected);
        let all = ["|1|7|1.0|||", "|2|||||", "|||0.5|[1]||", "||8||||", "|||||a \"line\", of text|"];
        for batch_rows in [1, 2, 8192] {
            let batches = rows(&table, &[0, 1, 2, 3, 4], batch_rows).unwrap();
            assert!(batches.iter().all(|batch| batch.num_rows() <= batch_rows));
            assert_eq!(shown(&batches), all);
        }
        assert_eq!(shown(&rows(&table, &[2, 0], 8192).unwrap())[0], "|1.0|1|");
        let counted = rows(&table, &[], 8192).unwrap();
        assert_eq!(counted.iter().map(RecordBatch::num_rows).sum::<usize>(), 5);
    }

    #[test]
    fn a_file_is_read_as_far_as_it_was_measured() {
        let place = Place::with(&[("a.csv", "n\n1\n")]);
        let table = place.table(&["a.csv"]).unwrap();
        assert!(table.is_current());
        place.write("a.csv", "n\n1\nx\n");
        assert!(!table.is_current());
        assert_eq!(shown(&rows(&table, &[0], 10).unwrap()), ["|1|"]);
        let table_of = |projection: &[usize]| rows(&table, projection, 10).map(|batches| batches[0].num_rows());
        assert_eq!(table_of(&[]).unwrap(), 1);
        let said = |text: &str| {
            place.write("a.csv", text);
            let error = rows(&table, &[0], 10).unwrap_err().to_string();
            error.split_once("a.csv").unwrap().1.to_string()
        };
        let changed = "the file was changed while it was read";
        assert!(said("n\nx\n").starts_with(&format!(":2: {changed}; expected n to be as before, but it is \"x\". ")));
        assert!(said("n\n").starts_with(&format!(": {changed}. ")));
        assert!(said("m\n1\n").contains(changed));
    }

    #[test]
    fn a_record_has_a_column_once_and_a_table_not_countless_ones() {
        let place = Place::with(&[("twice.jsonl", "{\"a\": 1}\n{\"a\": 1, \"b\": 1, \"a\": 2}\n")]);
        let said = place.table(&["twice.jsonl"]).unwrap_err().to_string();
        assert!(said.contains("twice.jsonl:2: a is there twice"), "{said}");
        let names = (0..=MOST_COLUMNS).map(|i| format!("\"{i}\": 1")).collect::<Vec<_>>().join(", ");
        place.write("wide.jsonl", &format!("{{{names}}}\n"));
        let said = place.table(&["wide.jsonl"]).unwrap_err().to_string();
        assert!(said.contains("wide.jsonl:1: there are more than 4096 columns"), "{said}");
        place.write("bad.jsonl", "{\"a\": {\"b\": \"\\ud800\"}}\n");
        assert!(place.table(&["bad.jsonl"]).unwrap_err().to_string().contains("bad.jsonl:1: "));
    }
}

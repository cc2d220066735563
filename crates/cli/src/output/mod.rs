//! Results on their way out: one format per file behind [`Sink`].
//!
//! For people: table and Markdown, with times in the session's zone, floats rounded for the eye and timelines
//! in short. For programs: csv, json, jsonl, parquet and arrow, with full precision and no decoration.

mod cell;
mod columnar;
mod csv;
mod json;
mod markdown;
mod shown;
mod stored;
mod table;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use nines_notebook::format::{printable, printable_drawn};
use tempfile::NamedTempFile;

use crate::error::{CliError, Result, doing};

pub(crate) use cell::{duration, instant, text};
pub(crate) use stored::stored;
pub(crate) use table::whole;

/// A way of printing a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Csv,
    Json,
    Jsonl,
    Markdown,
    Parquet,
    Arrow,
}

impl Format {
    /// Told from a file's name.
    pub fn of_file(file: &Path) -> Result<Format> {
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("csv") => Ok(Format::Csv),
            Some("json") => Ok(Format::Json),
            Some("jsonl" | "ndjson") => Ok(Format::Jsonl),
            Some("md" | "markdown") => Ok(Format::Markdown),
            Some("parquet") => Ok(Format::Parquet),
            Some("arrow" | "ipc") => Ok(Format::Arrow),
            Some("txt") => Ok(Format::Table),
            _ => Err(CliError::Usage(format!("{}: which format? Give it with --format", file.display()))),
        }
    }

    /// Whether a terminal cannot show it.
    pub fn is_binary(self) -> bool {
        matches!(self, Format::Parquet | Format::Arrow)
    }
}

/// A format being written.
trait Sink {
    fn write(&mut self, batch: &RecordBatch) -> Result<()>;
    /// Writes what is still held.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// Where a result goes, and how.
pub(crate) struct Output<'a> {
    pub format: Format,
    pub file: Option<&'a Path>,
    pub time_zone: &'a str,
}

impl Output<'_> {
    /// Writes all rows; how many there were. A file appears only when it is complete.
    pub async fn write(&self, schema: SchemaRef, batches: SendableRecordBatchStream) -> Result<usize> {
        match self.file.filter(|file| !is_standard_output(file)) {
            Some(file) => {
                let whole = beside(file)?;
                let target = doing(file.display(), whole.reopen())?;
                let rows = self.pump(schema, batches, Box::new(std::io::BufWriter::new(target)), false).await?;
                put(whole, file)?;
                Ok(rows)
            }
            None => {
                let terminal = std::io::stdout().is_terminal();
                if terminal && self.format.is_binary() {
                    let problem = "a terminal cannot show this format; give a file with --output";
                    return Err(CliError::Usage(problem.to_string()));
                }
                let writer = std::io::BufWriter::new(std::io::stdout());
                match terminal {
                    true => self.pump(schema, batches, Box::new(shown::Shown::new(writer)), terminal).await,
                    false => self.pump(schema, batches, Box::new(writer), terminal).await,
                }
            }
        }
    }

    /// Writes all rows to a writer; how many there were.
    pub async fn pump(
        &self,
        schema: SchemaRef,
        mut batches: SendableRecordBatchStream,
        writer: Box<dyn Write + Send>,
        terminal: bool,
    ) -> Result<usize> {
        // DDL has no columns and no rows: silence is its answer.
        if schema.fields().is_empty() {
            while let Some(batch) = batches.next().await {
                batch?;
            }
            return Ok(1);
        }
        let mut sink = self.format.sink(writer, schema, self.time_zone, terminal)?;
        let mut rows = 0;
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            rows += batch.num_rows();
            sink.write(&batch)?;
        }
        sink.finish()?;
        Ok(rows)
    }
}

impl Format {
    fn sink<'w>(
        self,
        writer: impl Write + Send + 'w,
        schema: SchemaRef,
        time_zone: &str,
        terminal: bool,
    ) -> Result<Box<dyn Sink + Send + 'w>> {
        Ok(match self {
            Format::Table => Box::new(table::Table::new(writer, schema, time_zone, terminal)),
            Format::Markdown => Box::new(markdown::Markdown::new(writer, schema, time_zone)),
            Format::Csv => Box::new(csv::Csv::new(writer, schema)?),
            Format::Json => Box::new(json::Array::new(writer)),
            Format::Jsonl => Box::new(json::Lines::new(writer)),
            Format::Parquet => Box::new(columnar::Parquet::new(writer, schema)?),
            Format::Arrow => Box::new(columnar::Ipc::new(writer, schema)?),
        })
    }

    /// Rows that are all there, written to a writer.
    pub fn write(
        self,
        writer: impl Write + Send,
        schema: &SchemaRef,
        rows: &[RecordBatch],
        time_zone: &str,
    ) -> Result<()> {
        let mut sink = self.sink(writer, SchemaRef::clone(schema), time_zone, false)?;
        for batch in rows {
            sink.write(batch)?;
        }
        sink.finish()
    }
}

/// Writes a file that appears only when it is complete.
pub(crate) fn whole_file(file: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    if is_standard_output(file) {
        let mut whole = Vec::new();
        write(&mut whole)?;
        return doing("writing to standard output", std::io::stdout().write_all(&whole));
    }
    let mut whole = beside(file)?;
    write(&mut whole)?;
    put(whole, file)
}

/// Refuses a file that cannot be.
pub(crate) fn can_be_written(file: &Path) -> Result<()> {
    if is_standard_output(file) { Ok(()) } else { beside(file).map(drop) }
}

/// Whether a name means standard output: what stands behind it, a file that a shell appends to perhaps, is not replaced.
pub(crate) fn is_standard_output(file: &Path) -> bool {
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| file == Path::new(name))
}

/// A temporary file in the folder of another one, or anywhere if that is a pipe or a device.
fn beside(file: &Path) -> Result<NamedTempFile> {
    let file = &behind(file);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".nines-");
    if is_special(file) {
        return doing(format_args!("writing {}", file.display()), builder.tempfile());
    }
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let wrong = match (folder.is_dir(), file.is_dir()) {
        (false, _) => format!("{}: there is no folder {}", file.display(), folder.display()),
        (_, true) => format!("{} is a folder; expected the name of a file", file.display()),
        _ => String::new(),
    };
    if !wrong.is_empty() {
        return Err(CliError::Usage(wrong));
    }
    let created = builder.permissions(readable()).tempfile_in(folder);
    doing(format_args!("writing {}", file.display()), created)
}

/// What a link leads to: the link stays.
fn behind(file: &Path) -> PathBuf {
    match file.is_symlink() && !is_descriptor(file) {
        true => std::fs::canonicalize(file).unwrap_or_else(|_| file.to_path_buf()),
        false => file.to_path_buf(),
    }
}

/// Whether it is something that takes text but is no file, such as /dev/null: nothing may be put in its place.
fn is_special(file: &Path) -> bool {
    is_descriptor(file) || std::fs::metadata(file).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Whether it is something that this process has open.
fn is_descriptor(file: &Path) -> bool {
    ["/dev/fd", "/proc/self/fd"].iter().any(|folder| file.starts_with(folder)) || file == Path::new("/dev/stderr")
}

/// Puts what was written into its place.
fn put(whole: NamedTempFile, file: &Path) -> Result<()> {
    let file = &behind(file);
    if is_special(file) {
        let copied = || std::io::copy(&mut whole.reopen()?, &mut std::fs::OpenOptions::new().append(true).open(file)?);
        return doing(file.display(), copied()).map(drop);
    }
    // Who may read a file that is replaced may read what replaces it, and nobody else.
    if let Ok(replaced) = std::fs::metadata(file) {
        doing(file.display(), whole.as_file().set_permissions(replaced.permissions()))?;
    }
    doing(file.display(), whole.as_file().sync_all())?;
    whole.persist(file).map(drop).map_err(|error| CliError::Io(file.display().to_string(), error.error))
}

/// A temporary file is private by default; a result is for others too, as the umask allows.
fn readable() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    std::fs::Permissions::from_mode(0o666)
}

/// Prints text that is not a result. A terminal obeys nothing that stands in it.
pub(crate) fn say(text: &str) -> Result<()> {
    doing("writing to the terminal", std::io::stdout().write_all(printable(text).as_bytes()))
}

/// As [`say`], for what was drawn in colours.
pub(crate) fn say_drawn(text: &str) -> Result<()> {
    doing("writing to the terminal", std::io::stdout().write_all(printable_drawn(text).as_bytes()))
}

/// `1 entry` or `1,200 entries`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", indicatif::HumanCount(number), if number == 1 { one } else { many })
}

/// Tells a person something beside the results, in a line of its own.
#[expect(clippy::print_stderr, reason = "the one place that does; nothing is to be done where there is nobody to tell")]
pub(crate) fn note(text: impl std::fmt::Display) {
    eprintln!("{}", printable(&text.to_string()));
}

/// A note at the beginning of the line, over the ^C that the terminal has shown there.
#[expect(clippy::print_stderr, reason = "as in note")]
pub(crate) fn note_over(text: impl std::fmt::Display) {
    eprintln!("\r{}", printable(&text.to_string()));
}

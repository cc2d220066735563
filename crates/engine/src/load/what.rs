//! What is loaded, and what came of it.

use std::path::PathBuf;
use std::sync::Arc;

use nines_ingest::{CauseNames, EndpointNames, Format, FromField, LatencyUnit, LogFormat, RepeatedHour, Tail};
use nines_store::{Commit, Overlap, TableKind};

use super::follow::Rotated;
use super::preview::Preview;

/// What to load.
#[derive(Debug, Clone)]
pub struct Load {
    /// The table to fill.
    pub table: TableKind,
    /// The files, stored together or not at all.
    pub files: Vec<PathBuf>,
    /// Files that are followed, which are read as far as their records are complete.
    pub tails: Vec<Tail>,
    /// Files that were rotated away from those that are followed, of which some are read.
    pub rotated: Vec<Rotated>,
    /// Their format; `None`: told from name and content.
    pub format: Option<Format>,
    /// A query over the table `input`, the files as they are, that yields the table's columns. Of a log, `input`
    /// has one column, `line`. If it yields single rows, it is run over those that are new.
    pub select: Option<String>,
    /// What fills columns that the input leaves empty.
    pub business: Option<String>,
    /// Likewise.
    pub service: Option<String>,
    /// Likewise. Of an access log it is what the names of its pieces begin with, `log` if `None`.
    pub source: Option<String>,
    /// What the files are called among those of their source: the same again changes nothing, the name with other
    /// content is an error. `None`: the hash of their content; access logs have no name then.
    pub batch: Option<String>,
    /// Whether counts are complete for their slices, also those of rows that carry none: the rows replace all that their
    /// source said of these slices, instead of adding to it.
    pub aggregates: bool,
    /// Whether the one raw file is complete from its first slice to its last: its rows replace all that their source said
    /// in between of the same business, service and name.
    pub replace: bool,
    /// Whether samples may be of any time.
    pub any_time: bool,
    /// Which of two a local time is that a clock change repeats; `None`: the order of the rows tells.
    pub repeated_hour: Option<RepeatedHour>,
    /// The unit of whole numbers at the ends of lines of access logs; `None`: they are no latencies. It counts for lines
    /// that are new.
    pub latency_unit: Option<LatencyUnit>,
    /// How the lines of access logs are laid out; `None`: in common or combined log format.
    pub log_format: Option<Arc<LogFormat>>,
    /// Fields of the files that fill columns of another name, and labels.
    pub from: Vec<FromField>,
    /// What the texts of the field are called that fills `cause`.
    pub causes: CauseNames,
    /// How endpoints are called.
    pub endpoints: EndpointNames,
    /// A file for lines and rows that are refused while the others are stored; `None`: one refuses all.
    pub skip_bad: Option<PathBuf>,
    /// Whether all is read and worked out and nothing stored. The table must have been written before.
    pub dry_run: bool,
    /// Whether it is right if a query keeps none of the rows it reads, or all lines of what is followed are refused.
    pub allow_empty: bool,
}

impl Load {
    /// These files into this table, nothing filled in.
    pub fn new(table: TableKind, files: Vec<PathBuf>) -> Self {
        Load {
            table,
            files,
            tails: Vec::new(),
            rotated: Vec::new(),
            format: None,
            select: None,
            business: None,
            service: None,
            source: None,
            batch: None,
            aggregates: false,
            replace: false,
            any_time: false,
            repeated_hour: None,
            latency_unit: None,
            log_format: None,
            from: Vec::new(),
            causes: CauseNames::default(),
            endpoints: EndpointNames::default(),
            skip_bad: None,
            dry_run: false,
            allow_empty: false,
        }
    }
}

impl Load {
    /// The format of the files, if it was said.
    pub(super) fn given_format(&self) -> Option<Format> {
        self.format.or(self.log_format.as_ref().map(|_| Format::Log))
    }
}

/// What a load did.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Loaded {
    /// Lines or rows of input.
    pub read: u64,
    /// What was stored.
    pub commit: Commit,
    /// What was found in each file that is read by pieces, and in others where it differs from what the commit says.
    pub files: Vec<FileRead>,
    /// What a person should look at.
    pub warnings: Vec<Warning>,
    /// Of a dry run, what would be stored.
    pub preview: Option<Preview>,
}

/// What is stored as it was read, but may not be what was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// Single rows lie in slices of which their source said something before.
    Overlap(Overlap),
    /// So many slices have rows of access logs and counts of no named source, which add up.
    Beside(u64),
    /// So many rows went because the batch says something else of their slices.
    Removed(u64),
    /// The first row of a batch of aggregates, at this instant in µs, is not at the start of a slice.
    FirstSlice(i64),
    /// The last row, likewise, does not fill up its slice.
    LastSlice(i64),
    /// Rows of the same source stay because they have other labels than the batch's.
    Relabelled(Overlap),
    /// No row has the field that is to fill or mean something, as the command line says it.
    Unfilled(String),
    /// So many rows have the name `other`, because there are more names of an endpoint or a label than are kept.
    Others(String, u64),
}

/// What was found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileRead {
    /// The file.
    pub file: PathBuf,
    /// Whether there was anything to read.
    pub found: FileState,
    /// Bytes of the last line of a file that is read by pieces, if the line is incomplete and so not read yet.
    pub left: u64,
}

/// Whether a file holds anything to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileState {
    /// Lines that were not read before.
    New,
    /// Only what was read before.
    Known,
    /// No complete line.
    NoLine,
    /// It was rotated away and could not be read, because it is still being packed.
    NotYet,
    /// It was rotated away before it was followed, and nothing of it is stored: it was not read.
    LeftOut,
}

//! What is new in a file of single rows that may have grown, been rotated or been packed since it was read last.
//!
//! A file is known by its *id*: what its rows are for (table, source, business, service) and its first record. Files that
//! begin with the same record have slots of their own under the id: 0, 1, 2 … Each slot remembers with marks how many
//! bytes were read, the hash of these bytes and, for a while, the hash at the end of each earlier piece, so that an old
//! copy is recognised too. A file is the longest slot that its own bytes begin with; what follows is a new piece. Access logs
//! and other raw files differ only in what is a record.
//!
//! Files that are followed are the same, held open. Of those that were rotated away from them only the ones are read that they may
//! have been when they were read last, and later ones.
//!
//! What must hold: a record is stored once, whatever the names and the order of the files; where it cannot be known
//! whether a record was stored, nothing is. Marks are set from what was read here, so that of two writers who go on
//! from the same place one is told so by the store.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use chrono_tz::Tz;
use nines_ingest::{Cut, Format, Log, LogStart, Piece, Progress};
use nines_store::Mark;

use super::marks::{Marks, id};
use crate::load::{FileRead, FileState};
use crate::{EngineError, Load, Result};

/// What is to be read of files, and the marks that say so.
#[derive(Default)]
pub(super) struct Plan {
    pub pieces: Vec<Piece>,
    pub marks: Vec<Mark>,
    /// One per file.
    pub files: Vec<FileRead>,
}

/// Looks at files, given what a mark is in the table. Reads each once, and again where several begin with the same record.
pub(super) fn plan(
    load: &Load,
    files: &[(PathBuf, Format)],
    zone: Tz,
    progress: &Arc<Progress>,
    stored: impl Fn(&str) -> Result<Option<i64>>,
) -> Result<Plan> {
    let mut marks = Marks::new(stored, zone);
    let mut logs = Vec::new();
    for (at, (file, format)) in files.iter().enumerate() {
        let start = LogStart::open(file, *format, progress)?;
        let id = start.first_record(load.replace).map(|record| id(load, *format, &record));
        let ends = id.as_deref().map(|id| marks.ends(id)).transpose()?.unwrap_or_default();
        logs.push((at, id, start.measure(&ends, load.replace)?));
    }
    let mut found = Vec::new();
    for tail in &load.tails {
        let at = logs.len() + found.len();
        let format = tail.format(load.table, load.given_format())?;
        let Some((format, record)) = format.zip(tail.first_record()) else {
            found.push((at, FileRead { file: tail.path().to_path_buf(), found: FileState::NoLine, left: 0 }));
            continue;
        };
        let id = id(load, format, &record);
        let ends = marks.ends(&id)?;
        logs.push((at, Some(id), tail.measure(&ends)?));
    }
    for rotated in &load.rotated {
        for (path, read) in super::rotated::of(load, rotated, &marks)? {
            let at = logs.len() + found.len();
            match read {
                Ok((start, id, ends)) => logs.push((at, Some(id), start.measure(&ends, false)?)),
                Err(state) => found.push((at, FileRead { file: path, found: state, left: 0 })),
            }
        }
    }
    if load.replace {
        check_apart(&logs)?;
    }
    // The shortest first: among copies of one file, each is then the one before it, grown.
    logs.sort_by_key(|(_, _, log)| log.complete().bytes());
    let mut pieces = Vec::new();
    for (at, id, mut log) in logs {
        let is = match &id {
            None => FileState::NoLine,
            Some(id) => match marks.place(id, load, &mut log, progress)? {
                None => FileState::Known,
                Some((n, start)) => {
                    let from = start.as_ref().map_or(0, Cut::bytes);
                    pieces.push(log.piece(start, format!("{id}.{n}@{from}")));
                    FileState::New
                }
            },
        };
        found.push((at, FileRead { file: log.path().to_path_buf(), found: is, left: log.left() }));
    }
    found.sort_by_key(|(at, _)| *at);
    Ok(Plan { pieces, marks: marks.pending(), files: found.into_iter().map(|(_, file)| file).collect() })
}

/// Refuses files that begin with the same record where all of each is read: one may be the beginning of the other, and its rows would
/// count twice.
fn check_apart(logs: &[(usize, Option<String>, Log)]) -> Result<()> {
    let mut begun: HashMap<&str, &Log> = HashMap::new();
    for (_, id, log) in logs {
        let Some(id) = id else { continue };
        if let Some(other) = begun.insert(id, log) {
            return Err(EngineError::Usage(format!(
                "{} and {} begin with the same record: with --replace each file is read from its start, so that what both hold would \
                 count twice. Name the longer one alone, or make them one file",
                other.path().display(),
                log.path().display()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::path::Path;

    use nines_store::TableKind;
    use tempfile::TempDir;

    /// A table that keeps its marks and what was read.
    struct Table {
        folder: TempDir,
        marks: HashMap<String, i64>,
        pieces: Vec<(String, u64, u64)>,
        zone: Tz,
    }

    impl Table {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().unwrap(), marks: HashMap::new(), pieces: Vec::new(), zone: Tz::UTC }
        }

        fn write(&self, name: &str, text: &str) -> PathBuf {
            let path = self.folder.path().join(name);
            let mut bytes = text.as_bytes().to_vec();
            if name.ends_with(".gz") {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(&bytes).unwrap();
                bytes = encoder.finish().unwrap();
            }
            std::fs::write(&path, bytes).unwrap();
            path
        }

        fn plan(&self, load: &Load, files: &[(PathBuf, Format)]) -> Result<Plan> {
            plan(load, files, self.zone, &Arc::default(), |name| Ok(self.marks.get(name).copied()))
        }

        /// Ingests files, named with their text; what was found in each.
        fn ingest_as(&mut self, load: &Load, files: &[(&str, &str)]) -> Result<Vec<FileState>> {
            let files: Vec<_> = files.iter().map(|(name, text)| (self.write(name, text), Format::Log)).collect();
            let plan = self.plan(load, &files)?;
            for mark in plan.marks {
                assert_eq!(self.marks.insert(mark.name.clone(), mark.to), mark.from, "{}", mark.name);
            }
            for piece in &plan.pieces {
                self.pieces.push((piece.name().to_string(), piece.bytes().0, piece.bytes().1));
            }
            Ok(plan.files.into_iter().map(|file| file.found).collect())
        }

        fn ingest(&mut self, files: &[(&str, &str)]) -> Vec<FileState> {
            self.ingest_as(&load(), files).unwrap()
        }

        fn refused(&mut self, name: &str, text: &str) -> String {
            match self.ingest_as(&load(), &[(name, text)]) {
                Err(EngineError::Ingest(error)) => error.to_string(),
                other => panic!("{other:?}"),
            }
        }

        /// From where to where each slot was read, in order.
        fn read(&self) -> Vec<(&str, u64, u64)> {
            let slot = self.pieces.iter().map(|(source, ..)| source.split(['.', '@']).nth(1).unwrap());
            slot.zip(&self.pieces).map(|(slot, (_, from, to))| (slot, *from, *to)).collect()
        }
    }

    fn load() -> Load {
        Load::new(TableKind::Requests, Vec::new())
    }

    /// Lines of ten bytes, of which the first is always the same.
    fn lines(letter: char, n: usize) -> String {
        let line = |at: usize| if at == 0 { "the first\n".to_string() } else { format!("{letter}{at:08}\n") };
        (0..n).map(line).collect()
    }

    #[test]
    fn a_log_that_grew_is_read_from_where_it_ended() {
        let mut table = Table::new();
        assert_eq!(table.ingest(&[("a.log", &lines('a', 3))]), [FileState::New]);
        assert_eq!(table.ingest(&[("a.log", &lines('a', 3))]), [FileState::Known]);
        assert_eq!(table.ingest(&[("a.log", &(lines('a', 5) + "a000"))]), [FileState::New]);
        assert_eq!(table.ingest(&[("a.log", &lines('a', 6))]), [FileState::New]);
        assert_eq!(table.read(), [("0", 0, 30), ("0", 30, 50), ("0", 50, 60)]);
        let (source, ..) = &table.pieces[1];
        let id = id(&load(), Format::Log, b"the first\n");
        assert_eq!(source, &format!("{id}.0@30"));
        assert_eq!(table.marks[&format!("log/{id}/0/end")], 60);
        assert_eq!(table.marks.len(), 5, "end, hash and three ends of pieces");
    }

    #[test]
    fn names_and_packing_say_nothing() {
        let mut table = Table::new();
        table.ingest(&[("access.log", &lines('a', 3))]);
        assert_eq!(table.ingest(&[("access.log.1", &lines('a', 3)), ("access.log.2.gz", &lines('a', 3))]).len(), 2);
        assert_eq!(table.ingest(&[("access.log.3.gz", &lines('a', 4))]), [FileState::New]);
        assert_eq!(table.read(), [("0", 0, 30), ("0", 30, 40)]);
    }

    #[test]
    fn an_old_copy_is_recognised_and_what_is_unknown_refused() {
        let mut table = Table::new();
        for n in [3, 5, 9] {
            table.ingest(&[("a.log", &lines('a', n))]);
        }
        assert_eq!(table.ingest(&[("old.log", &lines('a', 3))]), [FileState::Known]);
        assert_eq!(table.ingest(&[("old.log.gz", &lines('a', 5))]), [FileState::Known]);
        for unknown in [lines('a', 4), lines('b', 3)] {
            let said = table.refused("b.log", &unknown);
            let bytes = unknown.len();
            let expected = format!(
                "of a file that begins with the same line 90 bytes are stored, and here are {bytes}: it cannot be \
                 known whether this is an old copy of that file or another one. An old copy holds nothing new; \
                 --source NAME keeps another file apart"
            );
            assert_eq!(said.split_once(": ").unwrap().1, expected);
        }
        assert_eq!(table.pieces.len(), 3);
        let edge = Load { source: Some("edge".into()), ..load() };
        assert_eq!(table.ingest_as(&edge, &[("b.log", &lines('b', 3))]).unwrap(), [FileState::New]);
    }

    #[test]
    fn logs_that_begin_alike_are_kept_apart() {
        let mut table = Table::new();
        table.ingest(&[("a.log", &lines('a', 3))]);
        table.ingest(&[("b.log", &lines('b', 4))]);
        assert_eq!(
            table.ingest(&[("b.log", &lines('b', 6)), ("a.log", &lines('a', 5))]),
            [FileState::New, FileState::New]
        );
        assert_eq!(table.read(), [("0", 0, 30), ("1", 0, 40), ("0", 30, 50), ("1", 40, 60)]);
        // Both begin with the same three lines: the longer one is the one that grew.
        let mut table = Table::new();
        let fork = lines('a', 3) + "fork\n";
        table.ingest(&[("a.log", &lines('a', 9))]);
        let longer = fork.clone() + &"more of the fork\n".repeat(9);
        table.ingest(&[("fork.log", &longer)]);
        assert_eq!(table.ingest(&[("fork.log", &(longer + "end\n"))]), [FileState::New]);
        assert_eq!(table.read().iter().map(|read| read.0).collect::<Vec<_>>(), ["0", "1", "1"]);
    }

    #[test]
    fn files_of_one_command_know_each_other_in_any_order() {
        let (old, new) = (lines('a', 3), lines('a', 5));
        let files = [("a.log", new.as_str()), ("a.log.1", &old), ("a.log.gz", &new), ("b.log", &lines('b', 4))];
        for rotated in 0..4 {
            let mut table = Table::new();
            let mut files = files;
            files.rotate_left(rotated);
            table.ingest(&files);
            let mut read = table.read();
            read.sort_unstable();
            assert_eq!(read, [("0", 0, 30), ("0", 30, 50), ("1", 0, 40)]);
            assert!(table.ingest(&files).iter().all(|found| *found == FileState::Known));
        }
    }

    #[test]
    fn a_log_counts_where_it_is_for() {
        let mut table = Table::new();
        let text = lines('a', 3);
        for load in [
            load(),
            Load { service: Some("web".into()), ..load() },
            Load { business: Some("web".into()), ..load() },
            Load { source: Some("web".into()), ..load() },
        ] {
            assert_eq!(table.ingest_as(&load, &[("a.log", &text)]).unwrap(), [FileState::New]);
            assert_eq!(table.ingest_as(&load, &[("a.log", &text)]).unwrap(), [FileState::Known]);
        }
    }

    #[test]
    fn without_a_complete_line_there_is_nothing_to_do() {
        let mut table = Table::new();
        assert_eq!(table.ingest(&[("a.log", ""), ("b.log", "the fi")]), [FileState::NoLine, FileState::NoLine]);
        assert!(table.marks.is_empty() && table.pieces.is_empty());
        let plan = table.plan(&load(), &[(table.write("b.log", "the fi"), Format::Log)]).unwrap();
        assert_eq!((plan.files[0].left, plan.files[0].file.file_name()), (6, Path::new("b.log").file_name()));
    }

    #[test]
    fn what_is_packed_is_finished() {
        let mut table = Table::new();
        assert_eq!(table.ingest(&[("a.log.gz", &(lines('a', 2) + "last"))]), [FileState::New]);
        assert_eq!(table.ingest(&[("a.log", &(lines('a', 2) + "last\n"))]), [FileState::New], "the newline alone");
        assert_eq!(table.read(), [("0", 0, 24), ("0", 24, 25)]);
    }

    #[test]
    fn what_replaces_begins_again() {
        let mut table = Table::new();
        let replace = Load { replace: true, ..load() };
        table.ingest(&[("a.log", &lines('a', 3))]);
        assert_eq!(table.ingest_as(&replace, &[("a.log", &lines('a', 3))]).unwrap(), [FileState::New]);
        assert_eq!(table.ingest_as(&replace, &[("a.log", &(lines('a', 4) + "end"))]).unwrap(), [FileState::New]);
        assert_eq!(table.read(), [("0", 0, 30), ("0", 0, 30), ("0", 0, 43)]);
        assert_eq!(table.ingest_as(&replace, &[("b.log", &lines('b', 2))]).unwrap(), [FileState::New], "a shorter one");
        assert_eq!(table.read()[3], ("1", 0, 20));
    }

    #[test]
    fn the_rows_of_a_file_are_read_in_one_time_zone() {
        let mut table = Table::new();
        let ingest = |table: &mut Table, format: Format, zone: Tz, n: usize| {
            table.zone = zone;
            let file = (table.write("a.csv", &("time,status\n".to_string() + &lines('a', n))), format);
            let plan = table.plan(&load(), &[file])?;
            table.marks.extend(plan.marks.into_iter().map(|mark| (mark.name, mark.to)));
            Ok::<_, EngineError>(plan.files[0].found)
        };
        let (utc, shanghai) = (Tz::UTC, Tz::Asia__Shanghai);
        assert_eq!(ingest(&mut table, Format::Csv, utc, 3).unwrap(), FileState::New);
        for n in [3, 4] {
            let said = ingest(&mut table, Format::Csv, shanghai, n).unwrap_err().to_string();
            assert!(
                said.contains("ingested with another --time-zone than Asia/Shanghai. Give that one again"),
                "{said}"
            );
        }
        assert_eq!(ingest(&mut table, Format::Csv, utc, 4).unwrap(), FileState::New);
        // Of what an earlier version read it is not known.
        table.marks.retain(|name, _| !name.ends_with("/zone"));
        assert_eq!(ingest(&mut table, Format::Csv, shanghai, 4).unwrap(), FileState::Known);
        assert_eq!(ingest(&mut table, Format::Log, utc, 4).unwrap(), FileState::New);
        assert_eq!(ingest(&mut table, Format::Log, shanghai, 5).unwrap(), FileState::New);
    }

    #[test]
    fn a_file_that_another_query_mapped_is_said() {
        let mut table = Table::new();
        let mapped = |select: &str| Load { select: Some(select.into()), ..load() };
        let files = |n| [("a.log", lines('a', n))];
        let ingest = |table: &mut Table, load: &Load, n: usize| {
            let files = files(n);
            table.ingest_as(load, &[(files[0].0, &files[0].1)])
        };
        assert_eq!(ingest(&mut table, &mapped("a"), 3).unwrap(), [FileState::New]);
        assert_eq!(ingest(&mut table, &mapped("a"), 3).unwrap(), [FileState::Known]);
        for other in [mapped("b"), load()] {
            let said = ingest(&mut table, &other, 3).unwrap_err().to_string();
            assert!(said.contains("ingested already, through another --select or none. --replace puts"), "{said}");
        }
        assert_eq!(ingest(&mut table, &mapped("b"), 4).unwrap(), [FileState::New], "new lines may be read otherwise");
        assert_eq!(ingest(&mut table, &mapped("b"), 4).unwrap(), [FileState::Known]);
    }
}

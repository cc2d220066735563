//! The marks of a file of single rows: how much of it was read, and how.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use chrono_tz::Tz;
use nines_ingest::{Cut, ErrorKind, Format, Hash, IngestError, Log, Progress, first_64_bits, hex};
use nines_store::Mark;

use crate::{Load, Result};

/// Hexadecimal digits of a file's id.
const DIGITS: usize = 16;

/// What a file is known by: what its rows are for, and its first record.
pub(super) fn id(load: &Load, format: Format, first_record: &[u8]) -> String {
    let scope = Hash::new()
        .field(load.table.name())
        .field(load.source.as_deref().unwrap_or_default())
        .field(load.business.as_deref().unwrap_or_default())
        .field(load.service.as_deref().unwrap_or_default());
    // What a log is known by was settled before other files were.
    let scope = if format == Format::Log { scope } else { scope.field("raw") };
    hex(&scope.field(first_record).finish(), DIGITS)
}

/// 63 bits that stand for a mapping; 0 for none.
fn mapping(load: &Load) -> i64 {
    load.select.as_ref().map_or(0, |select| (first_64_bits(&Hash::new().field(select).finish()) >> 1) as i64)
}

/// 63 bits that stand for a time zone.
fn named(zone: Tz) -> i64 {
    (first_64_bits(&Hash::new().field(zone.name()).finish()) >> 1) as i64
}

/// A file that was read.
struct Slot {
    n: usize,
    end: u64,
    hash: Option<i64>,
}

/// The marks of a table, and those that the files planned so far will set.
pub(super) struct Marks<F> {
    stored: F,
    /// The time zone of times that are written without one.
    zone: Tz,
    /// What was looked up: each look goes through the log.
    known: RefCell<HashMap<String, Option<i64>>>,
    pending: Vec<Mark>,
}

impl<F: Fn(&str) -> Result<Option<i64>>> Marks<F> {
    /// Those that `stored` knows.
    pub fn new(stored: F, zone: Tz) -> Self {
        Marks { stored, zone, known: RefCell::default(), pending: Vec::new() }
    }

    /// Those that what was planned will set.
    pub fn pending(self) -> Vec<Mark> {
        self.pending
    }

    /// Up to where the slots of an id were read, in bytes.
    pub fn ends(&self, id: &str) -> Result<Vec<u64>> {
        Ok(self.slots(id)?.iter().map(|slot| slot.end).collect())
    }

    /// Where to go on in a file, and as which slot; `None` if all of it was read. What replaces begins at its start.
    pub fn place(
        &mut self,
        id: &str,
        load: &Load,
        log: &mut Log,
        progress: &Arc<Progress>,
    ) -> Result<Option<(usize, Option<Cut>)>> {
        let slots = self.slots(id)?;
        let mut grown: Option<(usize, Cut)> = None;
        for slot in &slots {
            if let Some(cut) = log.cut(slot.end, progress)?
                && slot.hash == Some(cut.hash())
                && grown.as_ref().is_none_or(|(_, longest)| longest.bytes() < cut.bytes())
            {
                grown = Some((slot.n, cut));
            }
        }
        let whole = log.complete();
        let (n, start) = match grown {
            Some((n, _)) if load.replace => (n, None),
            Some((n, cut)) if cut.bytes() == whole.bytes() => return self.known(id, n, load, log),
            Some((n, cut)) => (n, Some(cut)),
            None if load.replace => (slots.len(), None),
            None => {
                for slot in &slots {
                    if self.get(&at_mark(id, slot.n, whole))? == Some(whole.hash()) {
                        return self.known(id, slot.n, load, log);
                    }
                }
                if let Some(longer) = slots.iter().find(|slot| slot.end > whole.bytes()) {
                    return Err(unknown(log, longer.end).into());
                }
                (slots.len(), None)
            }
        };
        let end = whole.bytes() as i64;
        self.set(end_mark(id, n), end, Mark::lasting)?;
        self.set(hash_mark(id, n), whole.hash(), Mark::lasting)?;
        self.set(at_mark(id, n, whole), whole.hash(), Mark::passing)?;
        if self.get(&select_mark(id, n))?.unwrap_or(0) != mapping(load) {
            self.set(select_mark(id, n), mapping(load), Mark::lasting)?;
        }
        if start.is_some() {
            self.check_zone(id, n, log)?;
        }
        // Times of a log say their offset.
        if log.format() != Format::Log && self.get(&zone_mark(id, n))? != Some(named(self.zone)) {
            self.set(zone_mark(id, n), named(self.zone), Mark::lasting)?;
        }
        Ok(Some((n, start)))
    }

    /// Refuses a file whose rows so far were read in another time zone. Files of earlier versions do not say in which.
    fn check_zone(&self, id: &str, n: usize, log: &Log) -> Result<()> {
        match self.get(&zone_mark(id, n))? {
            Some(before) if before != named(self.zone) => Err(read_elsewhere(log, self.zone).into()),
            _ => Ok(()),
        }
    }

    /// Nothing is new in a file, unless it was another mapping that read it, or another time zone.
    fn known<T>(&self, id: &str, n: usize, load: &Load, log: &Log) -> Result<Option<T>> {
        self.check_zone(id, n, log)?;
        match self.get(&select_mark(id, n))?.unwrap_or(0) == mapping(load) {
            true => Ok(None),
            false => Err(mapped_otherwise(log).into()),
        }
    }

    fn slots(&self, id: &str) -> Result<Vec<Slot>> {
        let mut slots = Vec::new();
        while let Some(end) = self.get(&end_mark(id, slots.len()))? {
            let n = slots.len();
            slots.push(Slot { n, end: end.unsigned_abs(), hash: self.get(&hash_mark(id, n))? });
        }
        Ok(slots)
    }

    fn get(&self, name: &str) -> Result<Option<i64>> {
        match self.pending.iter().find(|mark| mark.name == name) {
            Some(mark) => Ok(Some(mark.to)),
            None => self.stored(name),
        }
    }

    fn stored(&self, name: &str) -> Result<Option<i64>> {
        if let Some(&known) = self.known.borrow().get(name) {
            return Ok(known);
        }
        let found = (self.stored)(name)?;
        self.known.borrow_mut().insert(name.to_string(), found);
        Ok(found)
    }

    fn set(&mut self, name: String, to: i64, mark: fn(String, Option<i64>, i64) -> Mark) -> Result<()> {
        match self.pending.iter_mut().find(|mark| mark.name == name) {
            Some(mark) => mark.to = to,
            None => {
                let from = self.stored(&name)?;
                self.pending.push(mark(name, from, to));
            }
        }
        Ok(())
    }
}

fn end_mark(id: &str, n: usize) -> String {
    format!("log/{id}/{n}/end")
}

fn hash_mark(id: &str, n: usize) -> String {
    format!("log/{id}/{n}/hash")
}

fn at_mark(id: &str, n: usize, cut: &Cut) -> String {
    format!("log/{id}/{n}/at/{}", cut.bytes())
}

fn select_mark(id: &str, n: usize) -> String {
    format!("log/{id}/{n}/select")
}

fn zone_mark(id: &str, n: usize) -> String {
    format!("log/{id}/{n}/zone")
}

/// A file whose first rows were read in another time zone.
fn read_elsewhere(log: &Log, zone: Tz) -> IngestError {
    let problem = format!("its rows so far were ingested with another --time-zone than {zone}");
    IngestError::new(ErrorKind::Options, problem)
        .in_file(log.path().display().to_string())
        .advice("Give that one again; --replace reads all of the file in this one")
}

/// A file whose rows are stored already, as another query made them.
fn mapped_otherwise(log: &Log) -> IngestError {
    IngestError::new(ErrorKind::Options, "all of it is ingested already, through another --select or none")
        .in_file(log.path().display().to_string())
        .advice("--replace puts these rows in the place of those; --source NAME keeps both apart")
}

/// A file that is shorter than one which begins with the same line.
fn unknown(log: &Log, stored: u64) -> IngestError {
    let (file, bytes) = (log.path().display().to_string(), log.complete().bytes());
    let problem = format!(
        "of a file that begins with the same line {stored} bytes are stored, and here are {bytes}: it cannot be known \
         whether this is an old copy of that file or another one"
    );
    IngestError::new(ErrorKind::Options, problem)
        .in_file(file)
        .advice("An old copy holds nothing new; --source NAME keeps another file apart")
}

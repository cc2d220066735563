//! Files that are read on and on while they grow, through rotations.
//!
//! A [`Follower`] holds each file open and looks from time to time what became of its name. What it finds is a [`Round`], which a
//! load stores like any files: marks in the same commit say how far each file was read. The follower itself remembers
//! nothing that matters: after a crash another one finds by the marks where to go on.
//!
//! - Another file has the name (renamed and created anew, or deleted and created anew): the old one is read until nothing comes any
//!   more, under whatever name or none.
//! - The file was truncated (copied away before): it is read from its start, and the copy is looked for beside it.
//! - Rotations that nobody saw, because no follower ran, or two came between two looks: files beside it whose names say that they
//!   were rotated are looked through, the newest first, for one of which something is stored. It and the newer ones are read.

mod rotated;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use nines_ingest::{FileId, IngestError, Tail};

use crate::files::present_files;
use crate::load::{FileRead, FileState, Load, Loaded};
use crate::{EngineError, Result};
pub use rotated::Rotated;

/// Systems note when a file was written by a clock that is late by so much.
const TICK: Duration = Duration::from_millis(20);

/// A file that has lost its name is read on for so long after it grew last.
const PATIENCE: Duration = Duration::from_secs(600);

/// So often rotated files are looked at again that cannot be read, because they are still being packed.
const TRIES: u32 = 40;

/// Files that are followed: those of a load, which say what they are for.
#[derive(Debug)]
pub struct Follower {
    load: Load,
    followed: BTreeMap<PathBuf, Followed>,
    /// Files that have lost their names.
    leaving: Vec<Leaving>,
    /// Files that do not grow, as they were when they were seen last, and whether they were read.
    whole: BTreeMap<PathBuf, (Stamp, bool)>,
    missing: BTreeSet<PathBuf>,
    /// Whether a round was looked for and not stored: what it held is not new to the files that are held.
    is_pending: bool,
    /// When it began.
    since: SystemTime,
}

/// A file that has a name.
#[derive(Debug)]
struct Followed {
    tail: Tail,
    /// As long as it has no record: when it was written last.
    unread: SystemTime,
    /// How often more rotated files beside it are looked at.
    tries: u32,
}

impl Followed {
    fn new(tail: Tail) -> io::Result<Self> {
        Ok(Followed { unread: tail.written()?, tail, tries: TRIES })
    }

    /// A file that had no record may have had some since, which were copied and truncated away: then there is a copy.
    fn look_at_unread(&mut self) -> io::Result<()> {
        let written = self.tail.written()?;
        if self.tail.first_record().is_none() && written != self.unread {
            (self.unread, self.tries) = (written, TRIES);
        }
        Ok(())
    }
}

/// A file that has lost its name.
#[derive(Debug)]
struct Leaving {
    tail: Tail,
    grew: Instant,
    rounds: u32,
}

/// What tells whether a file is as it was: which, how long and when it was written last.
type Stamp = (FileId, u64, SystemTime);

/// What there is to store.
#[derive(Debug)]
pub struct Round {
    /// It, for [`Session::load`](crate::Session::load).
    pub load: Load,
    /// What a person should know of it, one sentence each.
    pub notes: Vec<String>,
}

impl Round {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.load.files.is_empty() && self.load.tails.is_empty() && self.load.rotated.is_empty()
    }
}

impl Follower {
    /// For the files, folders and patterns of a load. Those that are not there yet are waited for.
    pub fn new(load: Load) -> Result<Self> {
        let refused = [
            (load.select.is_some(), "--select"),
            (load.batch.is_some(), "--batch"),
            (load.aggregates, "--aggregates"),
            (load.replace, "--replace"),
            (load.dry_run, "--dry-run"),
        ];
        if let Some((_, option)) = refused.into_iter().find(|(given, _)| *given) {
            return Err(EngineError::Usage(format!(
                "--follow and {option} exclude each other: what is followed is lines of logs and single rows, of which each is \
                 stored when it is written"
            )));
        }
        if !load.table.is_series() {
            return Err(EngineError::Usage(
                "--follow is for requests, events and gauges: records are ingested as a file that says all of them"
                    .to_string(),
            ));
        }
        let (followed, missing, whole) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        // For a while there may be nothing but lines that are refused.
        let load = Load { allow_empty: true, ..load };
        Ok(Follower {
            load,
            followed,
            leaving: Vec::new(),
            whole,
            missing,
            is_pending: false,
            since: SystemTime::now() - TICK,
        })
    }

    /// What is new since the last round that was stored.
    pub fn look(&mut self) -> Result<Round> {
        let mut round = Round { load: Load { files: Vec::new(), ..self.load.clone() }, notes: Vec::new() };
        for name in self.load.files.clone() {
            let found = present_files(std::slice::from_ref(&name))?.files;
            if found.is_empty() {
                self.is_missing(&name, &mut round);
            }
            for path in found {
                let looked = self.look_at(&path, &mut round);
                looked.map_err(|error| IngestError::unreadable(&path, error))?;
            }
        }
        self.look_at_leaving(&mut round)?;
        let is_named: HashSet<FileId> = self
            .whole
            .values()
            .map(|(stamp, _)| stamp.0)
            .chain(self.followed.values().map(|file| file.tail.id()))
            .collect();
        for (path, followed) in &mut self.followed {
            let failed = |error| IngestError::unreadable(path, error);
            let has_grown = followed.tail.has_grown().map_err(failed)?;
            // Its first record is read here, before rotated files are listed, and not when the round is stored: a copy that was made
            // before that record was written is among them.
            let has_record = followed.tail.format(self.load.table, self.load.given_format())?.is_some();
            if has_record && (has_grown || followed.tries > 0 || self.is_pending) {
                round.load.tails.push(followed.tail.clone());
            }
            if followed.tries > 0 {
                followed.tries -= 1;
                let Some(mut files) = rotated::beside(path)? else {
                    let problem = format!("{}: files were rotated away from it while it was looked at", path.display());
                    return Err(EngineError::Changed(problem));
                };
                // Those that are followed themselves need no looking for.
                files.retain(|file| !is_named.contains(&file.id()));
                if !files.is_empty() {
                    let waits = followed.tries > 0;
                    round.load.rotated.push(Rotated { of: path.clone(), files, waits, since: self.since });
                }
            }
        }
        self.is_pending |= !round.is_empty();
        Ok(round)
    }

    /// A round was stored.
    pub fn stored(&mut self, round: &Round, loaded: &Loaded) {
        self.is_pending = false;
        for (path, followed) in &mut self.followed {
            let is_unread = |read: &FileRead| read.found == FileState::NotYet && rotated::is_of(path, &read.file);
            let waits = loaded.files.iter().any(is_unread);
            if !waits {
                followed.tries = 0;
            }
        }
        for (path, (_, is_read)) in &mut self.whole {
            *is_read |= round.load.files.contains(path);
        }
    }

    fn is_missing(&mut self, path: &Path, round: &mut Round) {
        if self.missing.insert(path.to_path_buf()) {
            round.notes.push(format!("{}: there is no such file; it is waited for", path.display()));
        }
    }

    fn look_at(&mut self, path: &Path, round: &mut Round) -> io::Result<()> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => metadata,
            Ok(_) => return Err(io::Error::other("it is no file, so it cannot be followed")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Between two names, or gone: what is held is read to its end.
                if let Some(old) = self.followed.remove(path) {
                    self.leave(old.tail);
                }
                self.is_missing(path, round);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if self.missing.remove(path) {
            round.notes.push(format!("{}: there it is", path.display()));
        }
        let id = (metadata.dev(), metadata.ino());
        if let Some(followed) = self.followed.get_mut(path)
            && followed.tail.id() == id
        {
            if !followed.tail.is_continued()? {
                round.notes.push(format!("{}: it was truncated; it is read from its start", path.display()));
                *followed = Followed::new(followed.tail.again())?;
            }
            followed.look_at_unread()?;
            return Ok(());
        }
        let stamp = (id, metadata.len(), metadata.modified()?);
        let is_whole = match self.whole.get(path) {
            Some((known, _)) if known.0 == id => true,
            _ => {
                let tail = Tail::open(path)?;
                let is_whole = tail.is_whole().map_err(io::Error::other)?;
                if !is_whole && let Some(old) = self.followed.insert(path.to_path_buf(), Followed::new(tail)?) {
                    round.notes.push(format!(
                        "{}: another file has this name now; the one before is read to its end",
                        path.display()
                    ));
                    self.leave(old.tail);
                }
                is_whole
            }
        };
        if is_whole {
            let before = self.whole.get(path);
            // A file may still be being written: it is read when it is as it was a round before.
            match before {
                Some((known, is_read)) if *known == stamp => {
                    if !is_read {
                        round.load.files.push(path.to_path_buf());
                    }
                }
                _ => {
                    self.whole.insert(path.to_path_buf(), (stamp, false));
                }
            }
        }
        Ok(())
    }

    fn leave(&mut self, tail: Tail) {
        self.leaving.push(Leaving { tail, grew: Instant::now(), rounds: 0 });
    }

    fn look_at_leaving(&mut self, round: &mut Round) -> Result<()> {
        let mut stay = Vec::new();
        for mut leaving in std::mem::take(&mut self.leaving) {
            let failed = |error| IngestError::unreadable(leaving.tail.path(), error);
            if !leaving.tail.is_continued().map_err(failed)? {
                continue;
            }
            if leaving.tail.has_grown().map_err(failed)? || self.is_pending {
                round.load.tails.push(leaving.tail.clone());
                (leaving.grew, leaving.rounds) = (Instant::now(), 0);
            } else {
                leaving.rounds += 1;
            }
            let waits = leaving.grew.elapsed() < PATIENCE && !leaving.tail.is_deleted();
            if waits || leaving.rounds < 3 {
                stay.push(leaving);
            }
        }
        self.leaving = stay;
        Ok(())
    }
}

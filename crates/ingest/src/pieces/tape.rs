//! What is known of a text while it is read: its hash so far, where its last record ends, and the cuts that are wanted.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::cut::Cut;
use crate::ends::Ends;
use crate::hash::CHUNK;
use crate::lines::MAX_LINE;

/// The hash of a file while it is read, and the cuts met on the way.
pub(super) struct Tape {
    pub here: Cut,
    /// After the last record.
    pub complete: Cut,
    pub ends: Ends,
    /// What stands behind the last record, as far as it may be one.
    pub tail: Vec<u8>,
    wanted: Vec<u64>,
    pub cuts: BTreeMap<u64, Cut>,
    /// The last bytes.
    last: Vec<u8>,
}

/// So many of the last bytes are remembered.
const LAST: usize = 4096;

impl Tape {
    pub fn new(wanted: &[u64], ends: Ends) -> Self {
        let (here, complete) = (Cut::start(), Cut::start());
        Self {
            here,
            complete,
            ends,
            tail: Vec::new(),
            wanted: wanted.to_vec(),
            cuts: BTreeMap::new(),
            last: Vec::new(),
        }
    }

    /// From here on remembers these cuts, and no others: of those behind it, if they were met before or it ended there.
    pub fn want(&mut self, wanted: &[u64]) {
        self.cuts.insert(self.complete.bytes, self.complete.clone());
        self.cuts.retain(|bytes, _| wanted.contains(bytes));
        self.wanted = wanted.to_vec();
    }

    /// The last bytes that were read, some thousand of them.
    pub fn last(&self) -> &[u8] {
        &self.last
    }

    pub fn feed_all(&mut self, mut input: impl Read) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK];
        loop {
            match input.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(n) => self.feed(&chunk[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub fn feed(&mut self, mut chunk: &[u8]) {
        let here = self.here.bytes;
        let kept = self.last.len().min(LAST.saturating_sub(chunk.len()));
        self.last.drain(..self.last.len() - kept);
        self.last.extend_from_slice(&chunk[chunk.len().saturating_sub(LAST)..]);
        let ended = self.ends.feed(chunk);
        if ended.is_some() {
            self.tail.clear();
        }
        let tail = &chunk[ended.unwrap_or(0)..];
        self.tail.extend_from_slice(&tail[..tail.len().min((MAX_LINE + 1).saturating_sub(self.tail.len()))]);
        let last_record = ended.map(|at| here + at as u64);
        let within = |cut: &u64| *cut > here && *cut <= here + chunk.len() as u64;
        let mut stops: Vec<u64> = self.wanted.iter().copied().filter(within).chain(last_record).collect();
        stops.sort_unstable();
        stops.dedup();
        for stop in stops {
            let (before, after) = chunk.split_at((stop - self.here.bytes) as usize);
            self.here.advance(before);
            chunk = after;
            if Some(stop) == last_record {
                self.complete = self.here.clone();
            }
            if self.wanted.contains(&stop) {
                self.cuts.insert(stop, self.here.clone());
            }
        }
        self.here.advance(chunk);
    }
}

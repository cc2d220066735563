//! What a log holds after a version, found by asking for the next names and not by listing the folder, which takes the longer the
//! longer the log is, and tells nothing of what was put while it ran.
//!
//! A log ends where the next entry is missing. That it does not only seem to end there, because an entry is gone, is seen by heads
//! and entries of the next few versions, which then are there.
//!
//! The folder is listed only where it is not known at which version to begin.

use std::collections::VecDeque;

use datafusion::object_store::path::Path;
use datafusion::object_store::{Error, ObjectMeta, ObjectStore, Result};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use super::Verified;
use super::damaged::{is_corrupt, missing};
use super::log::LogObject;
use crate::log::{LOG_FOLDER, LogPlace};

/// Versions that are asked for at once, at first.
const FIRST: u64 = 16;
/// And at most.
const MOST: u64 = 256;
/// Versions after which the folder is listed all the same: the log is longer than what lies between checkpoints.
const LISTED_AFTER: u64 = 4096;
/// Versions behind the last that are looked for. Writers are one behind the other, so a gap is as wide as what was lost.
const BEYOND: u64 = 3;

/// How far a listing has come.
struct State {
    objects: Verified,
    table: String,
    /// Where it began, and the next version.
    from: u64,
    next: u64,
    /// Whether the folder was listed, or need not be.
    listed: bool,
    ended: bool,
}

/// The version after which a listing begins, if it is one of a log by version.
fn begins(prefix: Option<&Path>, offset: &Path) -> Option<LogPlace> {
    let mut parts = prefix?.parts();
    let (table, folder) = (parts.next()?, parts.next()?);
    let digits = offset.filename()?;
    let of_log = folder.as_ref() == LOG_FOLDER && parts.next().is_none() && offset.prefix_matches(prefix?);
    let version = digits.parse().ok().filter(|_| of_log && digits.len() == 20 && offset.parts().count() == 3)?;
    Some(LogPlace { table: table.as_ref().to_string(), version })
}

/// The objects of a log from a version on, in order; `None` if something else is to be listed.
pub(super) fn of_log(
    objects: &Verified,
    prefix: Option<&Path>,
    offset: &Path,
) -> Option<BoxStream<'static, Result<ObjectMeta>>> {
    let LogPlace { table, version } = begins(prefix, offset)?;
    let state = State { objects: objects.clone(), table, from: version, next: version, listed: false, ended: false };
    let chunks = stream::try_unfold(state, |mut state| async move {
        let chunk = state.chunk().await?;
        Ok::<_, Error>(chunk.map(|chunk| (stream::iter(chunk.into_iter().map(Ok)), state)))
    });
    Some(chunks.try_flatten().boxed())
}

impl State {
    fn place(&self, version: u64) -> LogPlace {
        LogPlace { table: self.table.clone(), version }
    }

    /// The next objects, in order; `None` at the end.
    async fn chunk(&mut self) -> Result<Option<Vec<ObjectMeta>>> {
        if self.ended {
            return Ok(None);
        }
        let (first, mut found) = (self.next, Vec::new());
        let mut step = FIRST;
        while !self.ended && (found.len() as u64) < MOST {
            if self.next - self.from >= LISTED_AFTER && !self.listed {
                found.extend(self.list().await?);
            }
            self.ask(step, &mut found).await?;
            step = (step * 2).min(MOST);
        }
        match self.ended {
            true => self.leave_out_unusable(first, &mut found).await?,
            false => found.retain(|object| !self.objects.is_unusable(&object.location)),
        }
        Ok(Some(found))
    }

    /// Asks for the next entries, and for checkpoints of their versions.
    async fn ask(&mut self, step: u64, found: &mut Vec<ObjectMeta>) -> Result<()> {
        let versions = self.next..self.next.saturating_add(step);
        let places: Vec<LogPlace> = versions.map(|version| self.place(version)).collect();
        let paths = places.iter().flat_map(|place| [place.checkpoint(), place.entry()]);
        let mut there: VecDeque<_> = self.objects.find(paths.collect(), 2).await?.into();
        for place in places {
            let (checkpoint, entry) = (there.pop_front().flatten(), there.pop_front().flatten());
            // The entry of a checkpoint may have been removed, those after it not.
            let known = entry.is_some() || (checkpoint.is_some() && place.version == self.from);
            if !known {
                return self.end(found).await;
            }
            found.extend(checkpoint.into_iter().chain(entry));
            self.next = place.version + 1;
        }
        Ok(())
    }

    /// The next entry is not there: either the log ends before it, or it is not known where it begins, or it lost entries.
    async fn end(&mut self, found: &mut Vec<ObjectMeta>) -> Result<()> {
        if self.next == self.from && !self.listed {
            let before = self.from.checked_sub(1).map(|version| self.place(version));
            let before = before.map_or_else(Vec::new, |place| vec![place.entry(), place.checkpoint()]);
            if self.objects.find(before, usize::MAX).await?.iter().all(Option::is_none) {
                found.extend(self.list().await?);
                return Ok(());
            }
        }
        let next = self.place(self.next);
        let mut later = vec![next.head()];
        for version in self.next.saturating_add(1)..=self.next.saturating_add(BEYOND) {
            later.extend([self.place(version).entry(), self.place(version).head()]);
        }
        if self.objects.find(later, usize::MAX).await?.iter().any(Option::is_some) {
            // Somebody may have put it since; heads and later entries come after it.
            if self.objects.find(vec![next.entry()], usize::MAX).await?.iter().all(Option::is_none) {
                return Err(missing(&next.entry()));
            }
            return Ok(());
        }
        self.ended = true;
        Ok(())
    }

    /// Everything in the folder from the next version on.
    async fn list(&mut self) -> Result<Vec<ObjectMeta>> {
        self.listed = true;
        let folder = Path::from(format!("{}/{LOG_FOLDER}", self.table));
        let after = folder.clone().join(format!("{:020}", self.next));
        let all: Vec<ObjectMeta> = match self.objects.inner.list_with_offset(Some(&folder), &after).try_collect().await
        {
            Err(Error::NotFound { .. }) => Vec::new(),
            all => all?,
        };
        let (first, mut objects) = (self.next, Vec::new());
        for object in all {
            match LogObject::of(&object.location) {
                Some(LogObject::Entry(place)) => self.next = self.next.max(place.version + 1),
                Some(LogObject::Checkpoint(_)) => {}
                // Checkpoints of other kinds are other writers'.
                None if object.location.filename().is_some_and(|name| name.contains(".checkpoint.")) => {}
                Some(LogObject::LastCheckpoint) | None => continue,
            }
            objects.push(object);
        }
        self.ended = self.next == first;
        Ok(objects)
    }

    /// What is missing where entries begin with `version`, and should have with `expected`.
    async fn lost_before(&self, expected: u64, version: u64) -> Result<Path> {
        let entry = self.place(expected);
        let (begins, before) = (self.place(version), self.place(version - 1));
        let asked = vec![entry.head(), begins.record()];
        let found = self.objects.find(asked, usize::MAX).await?;
        Ok(match (expected, found.as_slice()) {
            (1.., _) | (_, [Some(_), ..]) => entry.entry(),
            // Who removes entries removes their heads, and leaves a checkpoint that stands for them.
            (_, [_, Some(_)]) => begins.checkpoint(),
            _ => before.checkpoint(),
        })
    }

    /// The kernel starts from the last checkpoint that is listed, so that one has to be sound, and the entries from there on whole.
    /// What was found begins with a version, behind all that was given out before.
    async fn leave_out_unusable(&self, first: u64, found: &mut Vec<ObjectMeta>) -> Result<()> {
        let mut unusable = None;
        let mut last = None;
        for at in (0..found.len()).rev() {
            let Some(LogObject::Checkpoint(place)) = LogObject::of(&found[at].location) else { continue };
            match self.objects.verify_checkpoint(&place).await {
                Ok(()) => {
                    last = Some(place.version);
                    break;
                }
                Err(error) if is_corrupt(&error) => unusable = unusable.or(Some(error)),
                Err(error) => return Err(error),
            }
            found.remove(at);
        }
        let foreign = || found.iter().any(|object| LogObject::of(&object.location).is_none());
        if !self.listed || (last.is_none() && (self.from > 0 || foreign())) {
            return Ok(());
        }
        if found.is_empty()
            && let Some(unusable) = unusable
        {
            return Err(unusable);
        }
        let mut expected = last.map_or(first, |version| version + 1);
        for object in found.iter() {
            let Some(LogObject::Entry(place)) = LogObject::of(&object.location) else { continue };
            match place.version {
                version if version < expected => {}
                version if version == expected => expected += 1,
                version => match unusable {
                    Some(unusable) => return Err(unusable),
                    None => return Err(missing(&self.lost_before(expected, version).await?)),
                },
            }
        }
        Ok(())
    }
}

//! `nines.json`: what makes a folder a store, how wide its slices are, and which versions of nines may use it.
//!
//! `format` is 1 as long as the first versions, which know nothing else, read and write the store without harm. Of what they would
//! take for something else it becomes 2, and they refuse it. Later versions ask `min_reader` and `min_writer`: the least
//! versions of nines that read the store right, and that write it without losing anything. A missing one is no demand.

use datafusion::object_store::path::Path;
use serde::{Deserialize, Serialize};

use crate::error::{Result, StoreError, StoreErrorKind};
use crate::log::{LOG_FOLDER, Log};
use crate::objects::Objects;
use crate::schema::TableKind;
use crate::version::Version;

/// The granularity of a store whose creator does not say.
pub const DEFAULT_SLICE_SECONDS: i64 = 60;

/// The object that marks a folder as a store.
pub(crate) const NAME: &str = "nines.json";
/// The layout of a store that this program writes, and the newest that it knows.
const FORMAT: u32 = 1;
const NEWEST_FORMAT: u32 = 2;
/// The least version that reads and writes a store that this program creates.
const SINCE: Version = Version(0, 1, 0);
const SECONDS_PER_DAY: i64 = 86_400;

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Marker {
    format: u32,
    pub slice_seconds: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_reader: Option<Version>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_writer: Option<Version>,
}

impl Marker {
    fn new(slice_seconds: i64) -> Self {
        Self { format: FORMAT, slice_seconds, min_reader: Some(SINCE), min_writer: Some(SINCE) }
    }

    /// The same of a store that holds what the first versions would take for something else: sealed days, or rows that mean something
    /// else by a column that those versions do not know.
    fn newer(self) -> Self {
        let least = |known: Option<Version>| Some(known.map_or(TELLS, |known| known.max(TELLS)));
        Self { format: NEWEST_FORMAT, min_reader: least(self.min_reader), min_writer: least(self.min_writer), ..self }
    }

    /// Refuses a store that an older version of nines than this may not write.
    pub(crate) fn check_writable(&self, objects: &Objects) -> Result<()> {
        needs(objects, "written", self.min_writer)
    }
}

pub(crate) fn check_slice(seconds: i64) -> Result<(), &'static str> {
    match seconds {
        ..=0 => Err("is not positive"),
        _ if SECONDS_PER_DAY % seconds != 0 => Err("does not divide a day into whole slices"),
        _ => Ok(()),
    }
}

/// Refuses a store for which this program is too old.
fn needs(objects: &Objects, done: &str, least: Option<Version>) -> Result<()> {
    let Some(least) = least.filter(|least| *least > Version::OURS) else { return Ok(()) };
    Err(StoreError::new(
        StoreErrorKind::Incompatible,
        format!(
            "the store at {} can be {done} by nines {least} and later versions, and this is nines {}; nothing was changed",
            objects.url(),
            Version::OURS
        ),
    ))
}

/// Reads the marker; `None` if there is none. Refuses one of a store that this program may not read.
pub(crate) async fn read(objects: &Objects) -> Result<Option<Marker>> {
    let Some(bytes) = objects.get(&Path::from(NAME)).await? else { return Ok(None) };
    let damaged =
        |why: String| StoreError::corrupt(format!("{NAME} of the store at {} is damaged: {why}", objects.url()));
    let marker: Marker = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    needs(objects, "read", marker.min_reader)?;
    if !(FORMAT..=NEWEST_FORMAT).contains(&marker.format) {
        return Err(StoreError::new(
            StoreErrorKind::Incompatible,
            format!(
                "the store at {} has format {}, this version of nines knows formats {FORMAT} to {NEWEST_FORMAT}; use a newer \
                 version",
                objects.url(),
                marker.format
            ),
        ));
    }
    check_slice(marker.slice_seconds).map_err(|why| damaged(format!("a slice of {} s {why}", marker.slice_seconds)))?;
    Ok(Some(marker))
}

/// What is wrong with a folder without a marker that is not a new one either; `None` if a store may be made of it.
///
/// Whoever creates a store writes the marker first, so tables without one are those of a store that lost it.
pub(crate) async fn lost(objects: &Objects) -> Result<Option<StoreError>> {
    if objects.any_below(&Path::from(LOG_FOLDER)).await? {
        let problem = format!(
            "{} is a table, not a store: it holds {LOG_FOLDER}; name the folder that this one is in",
            objects.url()
        );
        return Ok(Some(StoreError::new(StoreErrorKind::InvalidArgument, problem)));
    }
    // Whoever finishes it puts the marker first, and then removes this.
    if objects.get(&Path::from(UNFINISHED)).await?.is_some() && read(objects).await?.is_none() {
        return Ok(Some(StoreError::corrupt(format!(
            "{} is a copy of a store that was not finished, and tables of it may be missing. Remove it, and make the copy again with: \
             nines backup",
            objects.url()
        ))));
    }
    let (mut tables, mut slice_seconds, mut newer) = (Vec::new(), None, false);
    for &kind in TableKind::ALL {
        let log = Log::new(kind, DEFAULT_SLICE_SECONDS, objects)?;
        if log.left().await?.is_none() {
            continue;
        }
        tables.push(kind.name());
        let (width, tells) = log.described().await;
        (slice_seconds, newer) = (slice_seconds.or(width), newer || tells);
    }
    // Somebody else may have just created the store.
    if tables.is_empty() || read(objects).await?.is_some() {
        return Ok(None);
    }
    let again = match slice_seconds {
        Some(slice_seconds) => {
            let marker = Marker::new(slice_seconds);
            let marker = if newer { marker.newer() } else { marker };
            let line = serde_json::to_string(&marker).unwrap_or_default();
            format!("or write it again; its tables are of this line: {line}")
        }
        None => "which says how wide the slices are".to_string(),
    };
    Ok(Some(StoreError::corrupt(format!(
        "the store at {} has lost its {NAME}: tables are there ({}), and it is not. Nothing is read or written without \
         it. Put {NAME} back from a backup, {again}",
        objects.url(),
        tables.join(", ")
    ))))
}

/// The least version that knows of sealed days and of exclusions that recur.
const TELLS: Version = Version(0, 2, 0);

/// Says that the store holds what older versions would take for something else: they refuse it from then on, those that know nothing of
/// `min_reader` by the format. Figures of sealed days they would work out from rows that are not there; an exclusion that recurs would be
/// excluded once.
pub(crate) async fn raise(objects: &Objects) -> Result<()> {
    let Some(marker) = read(objects).await? else {
        return Err(StoreError::corrupt(format!("the store at {} has lost its {NAME}", objects.url())));
    };
    let newer = marker.newer();
    if (newer.format, newer.min_reader, newer.min_writer) == (marker.format, marker.min_reader, marker.min_writer) {
        return Ok(());
    }
    let mut bytes = serde_json::to_vec(&newer)
        .map_err(|error| StoreError::caused(StoreErrorKind::Internal, "cannot write the store's marker", error))?;
    bytes.push(b'\n');
    objects.replace(&Path::from(NAME), bytes).await
}

/// What stands in a copy of a store until all of it is there.
pub(crate) const UNFINISHED: &str = "_nines/unfinished.json";

/// Creates the marker, or reads the one that somebody else has just created.
pub(crate) async fn create(objects: &Objects, slice_seconds: i64) -> Result<Marker> {
    let marker = Marker::new(slice_seconds);
    let mut bytes = serde_json::to_vec(&marker)
        .map_err(|error| StoreError::caused(StoreErrorKind::Internal, "cannot write the store's marker", error))?;
    bytes.push(b'\n');
    if objects.put_new(&Path::from(NAME), bytes).await? {
        return Ok(marker);
    }
    read(objects).await?.ok_or_else(|| {
        StoreError::new(
            StoreErrorKind::Io,
            format!("{NAME} of the store at {} exists but cannot be read", objects.url()),
        )
    })
}

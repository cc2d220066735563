//! The engines that this process opened, and what was stored through them: what a command that ends early must say.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nines_engine::store::{Begun, Known};
use nines_engine::{Engine, EngineError, Session, SessionSettings, Settings};

use crate::args::AsOf;
use crate::error::{CliError, Result};
use crate::output::note;

/// How long a commit that is under way is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

static OPENED: Mutex<Vec<Session>> = Mutex::new(Vec::new());

/// The engine and the session of a command.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    pub engine: Settings,
    pub session: SessionSettings,
}

/// The session, remembered.
pub(crate) async fn open(opening: Opening) -> Result<Session> {
    Ok(remembered(Engine::open(opening.engine).await?.session(opening.session).await?))
}

/// The same, as of an earlier time if one is given.
pub(crate) async fn open_as_of(opening: Opening, as_of: &AsOf) -> Result<Session> {
    let settings = SessionSettings { as_of: as_of.as_of.clone(), ..opening.session };
    let session = Engine::open(opening.engine).await?.session(settings).await;
    Ok(remembered(session.map_err(|error| match error {
        EngineError::Usage(said) => CliError::Usage(said),
        other => other.into(),
    })?))
}

/// Says as of when what was shown was read, and which versions that are.
pub(crate) fn tell_as_of(session: &Session) {
    if let Some(read) = session.as_of() {
        note(read);
    }
}

/// The same over a store that is created where there is none, remembered.
pub(crate) async fn open_or_create(opening: Opening, slice_seconds: Option<i64>) -> Result<Session> {
    Ok(remembered(Engine::open_or_create(opening.engine, slice_seconds).await?.session(opening.session).await?))
}

fn remembered(session: Session) -> Session {
    OPENED.lock().unwrap_or_else(PoisonError::into_inner).push(session.clone());
    session
}

/// Ends all statements of this process at their next step.
pub(crate) fn cancel() {
    for session in OPENED.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        session.cancel();
    }
}

/// What has been stored by this process, once no commit is under way.
pub(crate) async fn landed() -> Landed {
    let engines = OPENED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut all = Landed::default();
    for session in &engines {
        all.0.extend(Landed::since(session, 0).await.0);
    }
    all
}

/// Bytes that had to be read beside those that were asked for, from which on that is worth a word.
const MANY: u64 = 256 << 20;

/// Puts what this process wrote into fewer files, where they have become many. What fails there is no failure of the command, which
/// is done: a later one meets it again.
pub(crate) async fn tidy() {
    let engines = OPENED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for session in &engines {
        if let Err(error) = session.tidy().await {
            note(format_args!("note: the files of tables were not merged: {error}"));
        }
    }
}

/// Says what was survived since the last time and people should know.
pub(crate) fn tell_notices() {
    notices().iter().for_each(|notice| note(format_args!("note: {notice}")));
}

fn notices() -> Vec<String> {
    static SAID: AtomicBool = AtomicBool::new(false);
    let engines = OPENED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut notices = Vec::new();
    for store in engines.iter().filter_map(|session| session.store()) {
        notices.extend(store.take_notices());
        let (files, bytes) = store.verified_whole();
        if bytes >= MANY && !SAID.swap(true, Ordering::Relaxed) {
            let megabytes = bytes >> 20;
            notices.push(format!("{files} files of an older format were read whole to be verified, {megabytes} MB"));
        }
    }
    notices
}

/// How many commits an engine's process has begun so far: where those of the next statement begin.
pub(crate) fn begun(session: &Session) -> usize {
    session.store().map_or(0, |store| store.commits().len())
}

/// Commits that changed rows, or may have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Landed(Vec<Begun>);

impl Landed {
    /// Those of an engine after this many.
    pub async fn since(session: &Session, begun: usize) -> Landed {
        let Some(store) = session.store() else { return Landed::default() };
        // A disk that hangs is not waited for: what is still under way then is unknown.
        let _ = tokio::time::timeout(PATIENCE, store.settled()).await;
        Landed(store.commits().into_iter().skip(begun).collect())
    }

    /// Whether rows were stored that somebody delivered, or may have been: not only what Nines can compute again.
    pub fn has_rows(&self) -> bool {
        self.0.iter().any(|begun| !begun.table.is_derived())
    }
}

impl fmt::Display for Landed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |is: &dyn Fn(&Begun) -> bool| {
            let mut tables: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
            for begun in self.0.iter().filter(|begun| is(begun)) {
                tables.entry(begun.table.name()).or_default().push(begun.version);
            }
            let named = tables.into_iter().map(|(table, versions)| match versions.as_slice() {
                [first, .., last] => format!("{} versions of {table}, {first} to {last}", versions.len()),
                [version] => format!("version {version} of {table}"),
                [] => String::new(),
            });
            named.collect::<Vec<_>>().join("; ")
        };
        let stored = named(&|begun| begun.known == Known::Stored && !begun.table.is_derived());
        let unknown = named(&|begun| begun.known != Known::Stored && !begun.table.is_derived());
        let derived = named(&|begun| begun.known == Known::Stored && begun.table.is_derived());
        let mut said = Vec::new();
        if !stored.is_empty() {
            said.push(format!("stored before that, and it stays: {stored}"));
        }
        if !unknown.is_empty() {
            said.push(format!(
                "whether this was stored is not known: {unknown}; run the same again, what is stored already is not stored twice"
            ));
        }
        if !derived.is_empty() {
            said.push(format!("what was evaluated before that is kept: {derived}"));
        }
        if said.is_empty() {
            said.push("nothing was stored".to_string());
        }
        f.write_str(&said.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use nines_engine::store::{Once, TableKind};

    use super::*;

    #[tokio::test]
    async fn what_landed_is_said_by_table_and_version() {
        assert_eq!(Landed::default().to_string(), "nothing was stored");
        let session = Session::open_or_create(Settings::new("memory://landed"), None).await.unwrap();
        let insert = |minute: u32| {
            format!(
                "INSERT INTO requests (time, service, status, requests) VALUES ('2026-10-01 00:{minute:02}', 'web', 200, 1)"
            )
        };
        session.sql(&insert(1)).await.unwrap();
        let before = begun(&session);
        assert_eq!(
            Landed::since(&session, 0).await.to_string(),
            "stored before that, and it stays: version 1 of requests"
        );
        assert_eq!(Landed::since(&session, before).await.to_string(), "nothing was stored");
        // The same rows again change nothing.
        session.sql(&insert(1)).await.unwrap();
        assert!(!Landed::since(&session, before).await.has_rows());
        session.sql(&insert(2)).await.unwrap();
        session.sql(&insert(3)).await.unwrap();
        let landed = Landed::since(&session, before).await;
        assert_eq!(landed.to_string(), "stored before that, and it stays: 2 versions of requests, 2 to 3");
        let days = session.store().unwrap().table(TableKind::SloDays);
        let rows = datafusion::physical_plan::EmptyRecordBatchStream::new(days.schema());
        days.append(Box::pin(rows), Once::default(), session.task()).await.unwrap();
        assert_eq!(Landed::since(&session, before).await, landed);
    }
}

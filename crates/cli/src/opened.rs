//! The engines that this process opened, and what was stored through them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use nines_engine::{Engine, EngineError, Session, SessionSettings, Settings};

use crate::args::AsOf;
use crate::error::{CliError, Result};
use crate::landed::Landed;
use crate::output::note;

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
    Landed::of(&engines).await
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

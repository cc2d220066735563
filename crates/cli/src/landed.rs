//! What commits stored: what a command that ends early must say.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use nines_engine::Session;
use nines_engine::store::{Begun, Known};

/// How long a commit that is under way is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

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

    /// Those of all engines of these sessions.
    pub async fn of(sessions: &[Session]) -> Landed {
        let mut all = Landed::default();
        for session in sessions {
            all.0.extend(Landed::since(session, 0).await.0);
        }
        all
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
    use nines_engine::Settings;
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

//! Reading as of an earlier time: every table at the version that it had then.
//!
//! What must hold: one [`Past`] decides for whatever a session reads, SQL, evaluation and credits alike ([`Pins`](crate::statement::Pins)
//! asks it); nothing that is read so is kept or written, because it would take the place of what is so now; where a time is asked
//! for, that is what time it is to whatever asks ([`Session::now`](crate::Session::now)).

mod past;
mod statement;
mod words;

use std::collections::BTreeMap;

use nines_slo::moment::Moment;
use nines_store::{Store, TableKind};

use crate::told::told;
use crate::{EngineError, Result, Zone};
pub(crate) use past::Past;
use words::{shown, usage};

/// What an `--as-of` may be.
const EXPECTED: &str = "expected versions as requests=41,definitions=3, a time, or statement:ID";
/// What names a statement.
const STATEMENT: &str = "statement:";

/// The past that a text means: `TABLE=VERSION,…`, a time in the session's zone, or `statement:ID`.
pub(crate) async fn past(text: &str, store: Option<&Store>, zone: Zone) -> Result<Past> {
    if let Some(id) = text.trim().strip_prefix(STATEMENT) {
        return statement::past(id.trim(), store).await;
    }
    if text.contains('=') {
        let versions = versions(text)?;
        let asked = versions.iter().map(|(kind, version)| format!("{}={version}", kind.name()));
        let asked = asked.collect::<Vec<_>>().join(",");
        let past = Past::new(asked, versions.iter().map(|(kind, version)| (*kind, *version)).collect(), None);
        // What is named must be there, whether or not it is read.
        for kind in versions.into_keys() {
            let Some(store) = store else {
                return Err(EngineError::Usage(format!("no version of {} is there: there is no store", kind.name())));
            };
            past.snapshot(&store.table(kind)).await?;
        }
        return Ok(past);
    }
    let moment = Moment { now: nines_ingest::clock::now(), zone: zone.tz() };
    // In ranges `now` is cut to the minute, because minutes are asked for. Here nothing that is there shall be left out.
    let is_now = text.trim().eq_ignore_ascii_case("now");
    let at = if is_now { Ok(moment.now) } else { told(text, moment) };
    let at = at.map_err(|expected| usage(format!("as of {text:?}: {EXPECTED}; a time is {expected}")))?;
    Ok(Past::new(shown(at, moment.zone), BTreeMap::new(), Some(at)))
}

/// The versions that a text names.
fn versions(text: &str) -> Result<BTreeMap<TableKind, u64>> {
    let mut versions = BTreeMap::new();
    for part in text.split(',') {
        let wrong = |why: String| usage(format!("as of {text:?}: {why}; {EXPECTED}"));
        let (table, version) = part.split_once('=').ok_or_else(|| wrong(format!("{part:?} names no version")))?;
        let (table, version) = (table.trim(), version.trim());
        let kind = TableKind::from_name(table).ok_or_else(|| {
            let names = TableKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
            usage(format!("as of {text:?}: there is no table {table:?}; expected one of {names}"))
        })?;
        let number = version.parse().map_err(|_| wrong(format!("{version:?} is no version")))?;
        if versions.insert(kind, number).is_some() {
            return Err(wrong(format!("{table} is named twice")));
        }
    }
    Ok(versions)
}

/// The error for whatever would write.
pub(crate) fn nothing_is_written() -> EngineError {
    usage("nothing is written as of an earlier time; do it without --as-of".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_named_by_table() {
        let expected = BTreeMap::from([(TableKind::Requests, 41), (TableKind::Definitions, 3)]);
        assert_eq!(versions("requests=41, definitions = 3").unwrap(), expected);
        for (text, said) in [
            ("requests=41,", "\"\" names no version"),
            ("requests=new", "\"new\" is no version"),
            ("requests=-1", "\"-1\" is no version"),
            ("request=1", "there is no table \"request\"; expected one of requests, "),
            ("requests=1,requests=2", "requests is named twice"),
        ] {
            let error = versions(text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[tokio::test]
    async fn a_time_is_one_of_the_zone() {
        let past = past("2026-11-20 10:00", None, "Asia/Shanghai".parse().unwrap()).await.unwrap();
        assert_eq!(past.at(), Some(1_795_140_000_000_000));
        assert_eq!(past.told(&BTreeMap::new()), "as of 2026-11-20 10:00:00+08:00: nothing was stored yet");
        let error = super::past("some day", None, Zone::UTC).await.unwrap_err().to_string();
        assert!(
            error.starts_with(
                "as of \"some day\": expected versions as requests=41,definitions=3, a time, or statement:ID; "
            ),
            "{error}"
        );
    }
}

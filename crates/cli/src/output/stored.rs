//! What an append did, in a line: `incidents: 2 rows, 1 added, 1 replaced, 0 unchanged; version 7`.

use indicatif::HumanCount;
use nines_engine::store::{Commit, Outcome, TableKind};

use super::say::counted;

pub(crate) fn stored(table: TableKind, commit: &Commit) -> String {
    let (name, changes) = (table.name(), &commit.changes);
    let rows = counted(commit.rows, "row", "rows");
    let [added, replaced, unchanged] = [changes.added, changes.replaced, changes.unchanged].map(HumanCount);
    let mut line = format!("{name}: {rows}, {added} added, {replaced} replaced, {unchanged} unchanged");
    if changes.removed > 0 {
        line.push_str(&format!(", {} removed", HumanCount(changes.removed)));
    }
    match commit.outcome {
        Outcome::Stored(version) => line.push_str(&format!("; version {version}")),
        Outcome::Empty => line = format!("{name}: no rows; nothing to store"),
        _ => line.push_str("; no new version"),
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_append_in_a_line() {
        let mut commit = Commit::default();
        assert_eq!(stored(TableKind::Fees, &commit), "fees: no rows; nothing to store\n");
        (commit.rows, commit.changes.unchanged, commit.outcome) = (1, 1, Outcome::Unchanged);
        assert_eq!(stored(TableKind::Fees, &commit), "fees: 1 row, 0 added, 0 replaced, 1 unchanged; no new version\n");
        (commit.rows, commit.changes.added, commit.changes.unchanged) = (2000, 1999, 0);
        (commit.changes.replaced, commit.changes.removed, commit.outcome) = (1, 3, Outcome::Stored(7));
        assert_eq!(
            stored(TableKind::Requests, &commit),
            "requests: 2,000 rows, 1,999 added, 1 replaced, 0 unchanged, 3 removed; version 7\n"
        );
    }
}

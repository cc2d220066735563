//! Heads of entries that are not there.

use std::collections::BTreeSet;

use super::checked::Problem;
use crate::log::Origin;
use crate::table::Table;

impl Table {
    /// Entries without a head. A writer puts the head of the entry that it follows before it puts its own, so only an entry that none of
    /// ours follows may lack it. One problem for each run of versions.
    pub(super) fn check_heads(&self, origins: &[(u64, Origin)], heads: &BTreeSet<u64>) -> Vec<Problem> {
        let mut runs: Vec<(u64, u64)> = Vec::new();
        for pair in origins.windows(2) {
            let (version, (next, origin)) = (pair[0].0, pair[1]);
            if next != version + 1 || origin != Origin::Nines || heads.contains(&version) {
                continue;
            }
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == version => *last = version,
                _ => runs.push((version, version)),
            }
        }
        let problem = |(first, last): (u64, u64)| {
            let missing = match first == last {
                true => format!("it is missing: the head of the entry of version {first}"),
                false => {
                    format!("it is missing, and so are all up to that of version {last}: the heads of their entries")
                }
            };
            Problem::new(
                self.log().place(first).head(),
                format!(
                    "{missing}. No row is wrong for it, but that entries are lost may go unnoticed. Put the files back from a backup, \
                     or give up these versions with: nines gc {} --now",
                    self.kind().name()
                ),
            )
        };
        runs.into_iter().map(problem).collect()
    }
}

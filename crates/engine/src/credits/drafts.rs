//! Drafting and approving: what becomes of what would be issued, beside the drafts that are open.

use std::collections::{BTreeSet, HashMap, HashSet};

use nines_slo::{IssuedStatement, differences};
use nines_store::{Commit, Once, TableKind};

use super::issue::{Issued, Issuing, appended};
use super::name::{Name, name};
use super::open_drafts::{Drafts, Unapproved};
use super::recorded_rows::draft_rows;
use crate::{Result, Session};

impl Session {
    /// Records drafts of what would be issued. What was drafted before and is still so stays; what would not be issued any more is
    /// withdrawn.
    pub(super) async fn draft(&self, before: Drafts, how: &Issuing, issued: &mut Issued) -> Result<Option<Commit>> {
        let known: HashMap<Name, &IssuedStatement> = before.open.iter().map(|draft| (name(draft), draft)).collect();
        let is_so = |new: &IssuedStatement| known.get(&name(new)).is_some_and(|draft| says_the_same(draft, new));
        let (same, new): (Vec<_>, Vec<_>) = std::mem::take(&mut issued.statements).into_iter().partition(is_so);
        let drawn: HashSet<Name> = same.iter().chain(&new).map(name).collect();
        let withdrawn = before.open.iter().filter(|draft| {
            // Where revisions are not looked for, nothing is known of them.
            let is_looked_for = !how.firsts || draft.revision == 1;
            is_looked_for && !drawn.contains(&name(draft)) && !issued.is_undecided(draft)
        });
        issued.withdrawn = withdrawn.cloned().collect();
        issued.drafted_before = same.len();
        issued.statements = new;
        if issued.statements.is_empty() && issued.withdrawn.is_empty() {
            return Ok(None);
        }
        let table = self.store_to_write().await?.table(TableKind::Drafts);
        let rows = draft_rows(&issued.statements, &issued.withdrawn)?;
        Ok(Some(table.append(appended(rows), Once::since(before.version), self.task()).await?))
    }
}

/// Whether a draft is what would be issued now, but for when it was drawn up.
fn says_the_same(draft: &IssuedStatement, new: &IssuedStatement) -> bool {
    (draft.revision, &draft.before, draft.rules) == (new.revision, &new.before, new.rules)
        && differences(draft, new).is_empty()
}

impl Issued {
    /// Whether it could not be said what is to be issued in the place of a draft.
    fn is_undecided(&self, draft: &IssuedStatement) -> bool {
        let of = name(draft);
        self.unissued.iter().any(|unissued| unissued.agreement == draft.agreement)
            || self.left_out.contains(&draft.agreement)
            || self.credits.failed.contains_key(&of)
            || self.credits.refused.contains_key(&of)
    }

    /// Of what would be issued now leaves what was approved: drafts that say the same. Either all drafts of an agreement are approved or
    /// none.
    pub(super) fn approve(&mut self, drafts: Vec<IssuedStatement>) {
        let mut now: HashMap<Name, IssuedStatement> =
            std::mem::take(&mut self.statements).into_iter().map(|statement| (name(&statement), statement)).collect();
        let (mut approved, mut kept) = (Vec::new(), Vec::new());
        for draft in drafts {
            match now.remove(&name(&draft)) {
                Some(statement) if says_the_same(&draft, &statement) => approved.push(statement),
                other => {
                    let why = self.changed(&draft, other.as_ref());
                    kept.push(Unapproved { draft, why });
                }
            }
        }
        let changed: BTreeSet<&str> = kept.iter().map(|kept| kept.draft.agreement.as_str()).collect();
        approved.retain(|statement| !changed.contains(statement.agreement.as_str()));
        self.statements = approved;
        self.unapproved = kept;
    }

    /// Why a draft is not what would be issued now.
    fn changed(&self, draft: &IssuedStatement, now: Option<&IssuedStatement>) -> Vec<String> {
        let of = name(draft);
        if let Some(now) = now {
            let changes: Vec<String> = differences(draft, now).into_iter().map(|change| change.text).collect();
            return match changes.is_empty() {
                false => changes,
                true => vec![format!("It would be revision {} now.", now.revision)],
            };
        }
        let unissued = self.unissued.iter().find(|unissued| unissued.agreement == draft.agreement);
        let stays = |list: &[(IssuedStatement, String)]| {
            list.iter().find(|(statement, _)| name(statement) == of).map(|(_, why)| why.clone())
        };
        let why = self.credits.failed.get(&of).or(self.credits.refused.get(&of)).cloned();
        let why = why.or_else(|| unissued.map(|unissued| unissued.why.clone()));
        let why = why.or_else(|| stays(&self.deleted)).or_else(|| stays(&self.kept));
        vec![match why {
            Some(why) => why,
            None if self.waiting.contains(&of) => "It waits for a fee now.".to_string(),
            None if draft.revision > 1 => {
                format!("Today's data say the same as revision {}, which was issued.", draft.revision - 1)
            }
            None => "No agreement covers it any more.".to_string(),
        }]
    }
}

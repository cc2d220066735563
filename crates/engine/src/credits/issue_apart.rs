//! Statements issued agreement by agreement, where they cannot be issued together: what is wrong with one keeps no other.

use nines_slo::{ObjectKind, PeriodName};

use super::issue::{Issued, Issuing};
use super::period_terms::Chosen;
use super::{Unissued, UnissuedKind};
use crate::{EngineError, Mistakes, Result, Session};

impl Session {
    /// Issues each agreement by itself. The error is what failed together, told if nothing else was to be had.
    pub(super) async fn issue_apart(
        &self,
        period: PeriodName,
        chosen: &Chosen,
        how: &Issuing,
        error: EngineError,
    ) -> Result<Issued> {
        let (recorded, _) = self.recorded().await?;
        let definitions = nines_slo::resolve(&recorded).map_err(|all| EngineError::Definitions(Mistakes(all)))?;
        let unreadable = definitions.unreadable.iter().filter(|lost| lost.kind == ObjectKind::Agreement);
        let all =
            definitions.agreements.iter().map(|agreement| &agreement.name).chain(unreadable.map(|lost| &lost.name));
        let mut names: Vec<String> = all.filter(|name| chosen.has(name)).cloned().collect();
        names.dedup();
        let (mut done, mut failed): (Option<Issued>, Vec<Unissued>) = (None, Vec::new());
        for name in names {
            match self.issue_together(period, &chosen.among([name.clone()]), how).await {
                Ok(issued) => match &mut done {
                    Some(done) => done.join(issued)?,
                    None => done = Some(issued),
                },
                Err(why @ (EngineError::Sql(_) | EngineError::Usage(_))) => {
                    let (why, kind) = (why.to_string(), UnissuedKind::Failed);
                    failed.push(Unissued { agreement: name, period, why, kind });
                }
                Err(why) => return Err(why),
            }
        }
        match done {
            Some(mut done) => {
                done.unissued.extend(failed);
                Ok(done)
            }
            None => Err(error),
        }
    }
}

impl Issued {
    /// This, and what was issued of other agreements after it.
    fn join(&mut self, other: Issued) -> Result<()> {
        self.statements.extend(other.statements);
        self.unchanged += other.unchanged;
        self.nobody += other.nobody;
        self.waiting.extend(other.waiting);
        self.left_out.extend(other.left_out);
        self.kept.extend(other.kept);
        self.deleted.extend(other.deleted);
        self.unissued.extend(other.unissued);
        self.drafted_before += other.drafted_before;
        self.withdrawn.extend(other.withdrawn);
        self.unapproved.extend(other.unapproved);
        self.replaced += other.replaced;
        self.commit = other.commit.or(self.commit.take());
        self.credits.join(other.credits)
    }
}

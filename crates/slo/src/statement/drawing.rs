//! Statements are drawn up, and revised.

use crate::credit::credit;
use crate::rules::Rules;
use crate::statement::{Basis, IssuedStatement, StatementError, deciding, differences, hash};

impl IssuedStatement {
    /// Computes a first statement, as if none had been issued before.
    pub fn draw_up(basis: Basis, issued_at: i64) -> Result<IssuedStatement, StatementError> {
        let Basis { agreement, customer, service, business, period: name, active, rules, mut evidence, .. } = basis;
        let mut versions = deciding::deciding(&agreement, basis.versions, name, active)?;
        if !rules.within_slices() {
            // Of this earlier rules know nothing, and their form says nothing.
            evidence.stored_slice = None;
            versions.iter_mut().for_each(|version| version.rules = Rules::Second);
        }
        let of = deciding::agreement(&agreement, &versions)?;
        let covered =
            of.covered(name, active, rules).ok_or_else(|| StatementError::nothing_agreed(&agreement, name))?;
        let ((mut evidence, _), period) = (evidence.compacted(&covered)?, covered.period.name);
        if !rules.within_slices() {
            // Nor does it say months.
            evidence.other_valid_months.clear();
        }
        let credit = credit(&covered, &evidence)?;
        let mut statement = IssuedStatement {
            agreement,
            customer,
            service,
            business,
            period,
            revision: 1,
            issued_at,
            versions,
            active,
            rules,
            // Of this earlier rules know nothing, and their form says nothing.
            beside: if rules == Rules::CURRENT { basis.beside } else { Vec::new() },
            evidence,
            credit,
            tables: basis.tables,
            program: basis.program,
            complete: basis.complete,
            watermark: basis.watermark,
            missing: basis.missing,
            changes: Vec::new(),
            before: None,
            sha256: String::new(),
            signature: None,
        };
        statement.sha256 = hash::of(&statement);
        Ok(statement)
    }

    /// This statement as the revision after the one that was issued before. `None`: nothing that matters changed, so
    /// that there is nothing to issue.
    pub fn revised(mut self, before: &IssuedStatement) -> Option<IssuedStatement> {
        let changes = differences(before, &self);
        if changes.is_empty() {
            return None;
        }
        self.revision = before.revision.saturating_add(1);
        self.changes = changes;
        self.before = Some(before.sha256.clone());
        self.sha256 = hash::of(&self);
        self.signature = None;
        Some(self)
    }
}

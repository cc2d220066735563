//! The versions of an agreement that a statement must carry.

use nines_timeline::Interval;

use crate::agreement::{Agreement, Covered, Terms};
use crate::digest::sha256;
use crate::object::ObjectKind;
use crate::object::Stored;
use crate::period::{Period, PeriodName};
use crate::resolve::resolve;
use crate::rules::Rules;
use crate::statement::{AgreementText, IssuedStatement, StatementError};

impl IssuedStatement {
    /// The agreement, read from the texts that the statement carries.
    pub fn agreement(&self) -> Result<Agreement, StatementError> {
        agreement(&self.agreement, &self.versions)
    }

    /// The calendar period that it is about.
    pub fn calendar_period(&self) -> Result<Period, StatementError> {
        Ok(self.covered(&self.agreement()?)?.period)
    }

    /// The µs of which rows decided it: what is judged, and where telemetry was lost the days from which was estimated.
    pub fn reads(&self) -> Result<Interval, StatementError> {
        Ok(self.covered(&self.agreement()?)?.reads(&self.evidence.lost))
    }

    /// How the agreement that the statement carries judges the period.
    pub fn covered<'a>(&self, agreement: &'a Agreement) -> Result<Covered<'a>, StatementError> {
        let covered = agreement.covered(self.period, self.active, self.rules);
        covered.ok_or_else(|| StatementError::nothing_agreed(&self.agreement, self.period))
    }
}

/// The agreement that texts come to.
pub(crate) fn agreement(name: &str, versions: &[AgreementText]) -> Result<Agreement, StatementError> {
    let wrong = |reason: String| StatementError::Agreement { name: name.to_string(), reason };
    let stored = versions.iter().map(|version| Stored {
        kind: ObjectKind::Agreement,
        name: name.to_string(),
        effective_from: version.effective_from,
        text: version.text.clone(),
        rules: version.rules,
    });
    let definitions = resolve(&stored.collect::<Vec<_>>())
        .map_err(|mistakes| wrong(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))?;
    let mut agreements = definitions.agreements;
    match agreements.len() {
        1 => Ok(agreements.remove(0)),
        0 => Err(wrong("it is never in force".to_string())),
        _ => Err(wrong("it holds several agreements".to_string())),
    }
}

/// As few versions as lead to the same judgement of the period, by effective date: so that what is agreed for another
/// time changes no statement.
pub(crate) fn deciding(
    name: &str,
    recorded: Vec<Stored>,
    period: PeriodName,
    active: Interval,
) -> Result<Vec<AgreementText>, StatementError> {
    let own = recorded.into_iter().filter(|stored| stored.kind == ObjectKind::Agreement && stored.name == name);
    let mut versions: Vec<AgreementText> = Vec::new();
    for Stored { effective_from, text, rules, .. } in own {
        // Of several texts of one version the last one counts.
        versions.retain(|version| version.effective_from != effective_from);
        versions.push(AgreementText { effective_from, sha256: sha256(&text), text, rules });
    }
    versions.sort_by_key(|version| version.effective_from);
    let all = agreement(name, &versions)?;
    let Some(whole) = all.covered(period, active, Rules::CURRENT).map(judgement) else {
        return Err(StatementError::nothing_agreed(name, period));
    };
    for i in (0..versions.len()).rev() {
        let mut fewer = versions.clone();
        fewer.remove(i);
        let same = agreement(name, &fewer)
            .is_ok_and(|fewer| fewer.covered(period, active, Rules::CURRENT).map(judgement) == Some(whole));
        if same {
            versions = fewer;
        }
    }
    Ok(versions)
}

/// What must stay the same. No rules decide it.
fn judgement<'a>(covered: Covered<'a>) -> (&'a Terms, Period, Interval) {
    (covered.terms, covered.period, covered.interval)
}

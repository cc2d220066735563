//! `nines credits --sign` and `--verify --key`: keys, and who signed what was issued.

use std::path::Path;
use std::sync::Arc;

use nines_engine::slo::{IssuedStatement, KeyError, PeriodName, PublicKey, Signed, SigningKey};
use nines_engine::{Chosen, Session};

use super::outcome::Outcome;
use super::statements::{many, named};
use crate::error::{CliError, Result, doing};
use crate::output::say;

/// The key that signs what is issued.
pub(super) fn signing(file: Option<&Path>) -> Result<Option<Arc<SigningKey>>> {
    Ok(read(file, SigningKey::from_pem)?.map(Arc::new))
}

/// The key with which signatures are verified.
pub(super) fn public(file: Option<&Path>) -> Result<Option<PublicKey>> {
    read(file, PublicKey::from_pem)
}

fn read<T>(file: Option<&Path>, key: fn(&str) -> std::result::Result<T, KeyError>) -> Result<Option<T>> {
    let Some(file) = file else { return Ok(None) };
    let bytes = doing(file.display(), std::fs::read(file))?;
    // What is no text is no PEM.
    let text = String::from_utf8_lossy(&bytes);
    key(&text).map(Some).map_err(|error| CliError::Usage(format!("{}: {error}", file.display())))
}

/// Says which statements, revisions that were replaced included, are not signed by a key.
pub(super) async fn verify(
    session: &Session,
    parts: &[(PeriodName, Chosen)],
    key: &PublicKey,
    outcome: &mut Outcome,
) -> Result<()> {
    let (mut text, mut all, mut wrong) = (String::new(), 0, 0);
    for (period, chosen) in parts {
        let statements = match session.statements(*period, chosen).await {
            Ok(statements) => statements,
            Err(error) => {
                outcome.take(&period.to_string(), error.into(), parts.len() == 1)?;
                continue;
            }
        };
        all += statements.len();
        for statement in &statements {
            if let Some(what) = complaint(statement, key) {
                wrong += 1;
                text.push_str(&format!("{}: {what}\n", named(statement)));
            }
        }
    }
    let id = key.id();
    match wrong {
        0 if all > 0 => text.push_str(&format!("{} signed by key {id}\n", are(all))),
        0 => {}
        _ => outcome.failed.push(format!("{wrong} of {} not signed by key {id}", are(all))),
    }
    say(&text)
}

/// `1 statement is`, `2 statements are`; every revision is one.
fn are(count: usize) -> String {
    format!("{} {}", many(count, "statement"), if count == 1 { "is" } else { "are" })
}

fn complaint(statement: &IssuedStatement, key: &PublicKey) -> Option<String> {
    match statement.signed_by(key) {
        Signed::ByKey => None,
        Signed::Not => Some("NOT SIGNED".to_string()),
        Signed::ByOther(id) => Some(format!("SIGNED BY ANOTHER KEY, {id}")),
        Signed::Wrong => Some("ITS SIGNATURE IS WRONG".to_string()),
    }
}

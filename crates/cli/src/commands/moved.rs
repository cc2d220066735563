//! `nines credits --moved`: which figures moved since they were issued, and which days are as they were then.

use std::collections::BTreeMap;

use nines_engine::slo::PeriodName;
use nines_engine::timeline::Interval;
use nines_engine::{Chosen, MovedDays, RowsBehind, Session, Today, rows_behind};

use super::outcome::Outcome;
use super::statements::{many, named};
use crate::error::{CliError, Result};
use crate::output::{instant, say};

/// Days that are told one by one.
const MOST: usize = 40;

/// Says of each statement whether today's data say the same, and of the days behind them whether their rows changed since.
pub(super) async fn tell(session: &Session, parts: &[(PeriodName, Chosen)]) -> Result<()> {
    let mut outcome = Outcome::default();
    for (period, chosen) in parts {
        if let Err(error) = of_period(session, *period, chosen).await {
            outcome.take(&period.to_string(), error, parts.len() == 1)?;
        } else {
            outcome.done = true;
        }
    }
    outcome.end()
}

async fn of_period(session: &Session, period: PeriodName, chosen: &Chosen) -> Result<()> {
    let zone = session.settings().time_zone.name();
    let (verified, _) = session.verify(period, chosen).await?;
    if verified.is_empty() {
        return Err(CliError::Nothing(format!(
            "no statement was issued for {period}: its days are not final. Issue it with --issue"
        )));
    }
    let (mut text, mut moved) = (String::new(), 0);
    // Statements that were issued together were issued from the same rows.
    let mut days: BTreeMap<(PeriodName, RowsBehind, Option<Interval>), (usize, MovedDays)> = BTreeMap::new();
    let definitions = session.definitions().await?;
    for one in &verified {
        let statement = &one.statement;
        let issued = instant(statement.issued_at, zone);
        let what = match &one.today {
            Today::Equal => "not moved",
            Today::Differs(_) => "moved",
            Today::Gone => "no agreement covers it any more",
            Today::Failed(_) => "unknown: today's credit cannot be worked out",
            Today::Refused(_) => "today's data cannot be judged by its rules",
            Today::Removed(_) => "unknown: today's data no longer cover the period",
            Today::Unread(_) => "unknown: today's data cannot be read",
            _ => "unknown: no agreement is stored here to compare with",
        };
        text.push_str(&format!("{}, issued {issued}: {what}\n", named(statement)));
        match &one.today {
            Today::Differs(differences) => {
                moved += 1;
                differences.iter().for_each(|difference| text.push_str(&format!("    {}\n", difference.text)));
            }
            Today::Failed(why) | Today::Refused(why) | Today::Removed(why) | Today::Unread(why) => {
                text.push_str(&format!("    {why}\n"))
            }
            _ => {}
        }
        for mut rows in rows_behind(statement, &definitions) {
            // Whether all customers count or one, the days are the same.
            rows.of_customer = false;
            let key = (statement.period, rows, statement.reads().ok());
            if !days.contains_key(&key) {
                days.insert(key.clone(), (0, session.moved_days(statement, &key.1).await?));
            }
            if let Some((count, _)) = days.get_mut(&key) {
                *count += 1;
            }
        }
    }
    for ((period, rows, _), (count, moved)) in days {
        text.push_str(&final_days(&rows, &format!("{period}, {}", many(count, "statement")), &moved, zone));
    }
    text.push_str(&format!("{moved} of {} moved since issued", many(verified.len(), "statement")));
    text.push_str(if moved > 0 { "; --issue records revisions\n" } else { "\n" });
    say(&text)
}

/// Which days behind statements are as they were, and what changed the others last.
fn final_days(rows: &RowsBehind, of: &str, moved: &MovedDays, zone: &str) -> String {
    let (of, table) = (format!("{}, {of}", rows.service), rows.table.name());
    let Some(read) = rows.read.filter(|_| !moved.gone) else {
        return format!("days of {of}: the log no longer tells of all changes since they were issued\n");
    };
    let changed = moved.days.len();
    let same = moved.all.saturating_sub(changed);
    let mut text =
        format!("days of {of}: {same} of {} are final, unchanged since version {read} of {table}\n", moved.all);
    for (day, by) in moved.days.iter().take(MOST) {
        let at = by.timestamp.map_or_else(String::new, |ms| format!(", {}", instant(ms.saturating_mul(1000), zone)));
        let what = by.operation.as_deref().unwrap_or("a change");
        text.push_str(&format!("    {day}: rows may have changed, last by version {} ({what}{at})\n", by.version));
    }
    if let Some(more) = changed.checked_sub(MOST).filter(|more| *more > 0) {
        text.push_str(&format!("    and {more} more days\n"));
    }
    text
}

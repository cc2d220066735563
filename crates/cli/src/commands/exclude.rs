//! `nines exclude`: time that is not counted, recorded, withdrawn, listed.

use std::collections::BTreeSet;

use nines_engine::ingest::{Hash, hex};
use nines_engine::store::TableKind;
use nines_engine::{Edited, Record, Session};
use nines_recurrence::Rule;
use nines_timeline::{Grid, Interval, MICROS};

use super::{record, recurring};
use crate::args::Exclude;
use crate::error::{CliError, Result};
use crate::opened::{self, Opening};
use crate::output::{instant, note};

const TABLE: TableKind = TableKind::Exclusions;

pub(crate) async fn run(opening: Opening, args: Exclude) -> Result<()> {
    let session = opened::open(opening).await?;
    if args.list {
        return list(&session, args.all).await;
    }
    if let Some(id) = &args.withdraw {
        return withdraw(&session, id, args.since.as_deref()).await;
    }
    let (id, edited) = exclude(&session, &args).await?;
    if let Some(category) = &args.category {
        note_unknown(&session, category).await?;
    }
    record::note_unmatched(&session, [args.business.as_str(), &args.service, &args.customer]).await?;
    match edited {
        Some(edited) => {
            record::show(TABLE, &edited, &session)?;
            recurring::show(&edited.after, &session).await?;
            note_cut(&session, &edited.after)
        }
        None => Err(record::unknown(&session, TABLE, &id, "").await?),
    }
}

async fn list(session: &Session, all: bool) -> Result<()> {
    let (more, rows) = if all { (", withdrawn", "true") } else { ("", "NOT withdrawn") };
    let recurring = recurring::list(session, all).await?;
    let columns = "id, category, started, ended, business, service, customer, reason, announced";
    let sql = format!("SELECT {columns}{more} FROM exclusions WHERE every IS NULL AND {rows} ORDER BY started, id");
    if recurring && session.sql(&sql).await?.iter().all(|rows| rows.num_rows() == 0) {
        return Ok(());
    }
    record::list(session, &sql, "nines exclude FROM TO --category NAME --reason TEXT").await
}

async fn withdraw(session: &Session, id: &str, since: Option<&str>) -> Result<()> {
    let edited = match since {
        Some(since) => recurring::end(session, id, since).await?,
        None => match recurring::withdraw_occurrence(session, id).await? {
            Some(edited) => Some(edited),
            None => withdraw_whole(session, id).await?,
        },
    };
    match edited {
        Some(edited) => {
            record::show(TABLE, &edited, session)?;
            recurring::note_apart(session, &edited.after).await
        }
        None => Err(record::unknown(session, TABLE, id, "").await?),
    }
}

/// Says where an exclusion begins or ends inside a stored slice, which then counts.
fn note_cut(session: &Session, exclusion: &Record) -> Result<()> {
    let Some(store) = session.store().filter(|_| !exclusion.is("withdrawn")) else { return Ok(()) };
    let stored = Grid::new(0, store.slice_seconds() * MICROS);
    let (Some(started), Some(ended)) = (exclusion.instant("started"), exclusion.instant("ended")) else {
        return Ok(());
    };
    let zone = session.settings().time_zone.name();
    let mut cut: Vec<String> = [started, ended]
        .into_iter()
        .filter(|at| !stored.begins(*at))
        .map(|at| stored.start_of(at))
        .map(|at| format!("{} to {}", instant(at, zone), instant(at + stored.width(), zone)))
        .collect();
    cut.dedup();
    if !cut.is_empty() {
        note(format_args!(
            "note: it cuts the stored slices of {} s from {}; an exclusion covers stored slices that lie wholly inside it, so \
             these count unless another exclusion covers the rest of them{}",
            store.slice_seconds(),
            cut.join(" and from "),
            match stored.inside(Interval::new(started, ended)).is_empty() {
                true => ". No stored slice lies wholly inside: by itself it excludes nothing",
                false => "",
            }
        ));
    }
    Ok(())
}

/// Objectives honour every category, an agreement only those that it names: a slip of the pen would cost the exclusion.
async fn note_unknown(session: &Session, category: &str) -> Result<()> {
    let agreements = session.agreements().await?;
    let terms = agreements.iter().flat_map(|agreement| &agreement.versions).map(|version| &version.terms);
    let known: BTreeSet<&str> = terms
        .flat_map(|terms| terms.metrics())
        .flat_map(|metric| &metric.exclusions)
        .map(|clause| clause.category.as_str())
        .collect();
    if !known.is_empty() && !known.contains(category) {
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        note(format_args!(
            "note: no agreement knows the category '{category}', so it excludes time from objectives alone; they know {known}"
        ));
    }
    Ok(())
}

/// Its id, and what became of it.
async fn exclude(session: &Session, args: &Exclude) -> Result<(String, Option<Edited>)> {
    let given = |value: &Option<String>| value.clone().unwrap_or_default();
    let to = args.to.as_deref().map(|to| ("TO", to));
    let (started, ended) = record::range(("FROM", &given(&args.from)), to, session)?;
    let time = |argument: &str, text: &Option<String>| {
        text.as_ref().map(|text| record::time(argument, text, session)).transpose()
    };
    let (announced, until) = (time("--announced", &args.announced)?, time("--until", &args.until)?);
    let rule = args.every.as_deref().map(Rule::read_words).transpose();
    let rule = rule.map_err(|error| CliError::Usage(format!("--every: {error}")))?;
    let zone = session.settings().time_zone.name();
    let (category, reason) = (given(&args.category), given(&args.reason));
    let scope = [args.business.as_str(), &args.service, &args.customer];
    let recurs = rule.as_ref().map(|rule| (rule.text(), zone));
    let id = args.id.clone().unwrap_or_else(|| id_of(scope, &category, started, ended, recurs));
    let mut exclusion = Record::new(TABLE, &id)?;
    for (column, text) in [("business", scope[0]), ("service", scope[1]), ("customer", scope[2])] {
        exclusion.set_text(column, text)?;
    }
    exclusion.set_text("category", &category)?;
    exclusion.set_text("reason", &reason)?;
    exclusion.set_instant("started", Some(started))?;
    exclusion.set_instant("ended", Some(ended))?;
    exclusion.set_instant("announced", announced)?;
    if let Some((rule, zone)) = recurs {
        exclusion.set_text("every", rule)?;
        exclusion.set_text("time_zone", zone)?;
        exclusion.set_instant("until", until)?;
    }
    record::check(&exclusion, |column| match column {
        "started" => "FROM".to_string(),
        "ended" => "TO".to_string(),
        "time_zone" => "--time-zone".to_string(),
        other => format!("--{other}"),
    })?;
    let same = ["business", "service", "customer", "category", "started", "ended", "every", "time_zone"];
    let edited = session
        .edit(TABLE, &id, |known| match known {
            // A derived id is 48 bits of a hash: unlikely to meet another's, and refused if it does.
            Some(known) if args.id.is_none() && same.iter().any(|name| known.get(name) != exclusion.get(name)) => {
                Err(CliError::Usage(format!("{id} is another exclusion already; give this one a name with --id")))
            }
            _ => Ok(Some(exclusion.clone())),
        })
        .await?;
    Ok((id, edited))
}

/// `None` if there is none of this id.
async fn withdraw_whole(session: &Session, id: &str) -> Result<Option<Edited>> {
    let withdrawn = session.edit::<CliError>(TABLE, id, |known| {
        let Some(mut exclusion) = known.cloned() else { return Ok(None) };
        exclusion.set_flag("withdrawn", true)?;
        Ok(Some(exclusion))
    });
    withdrawn.await
}

/// What the exclusion is: the same scope, category, times, rule and zone are the same exclusion, whatever its reason and its end.
fn id_of(scope: [&str; 3], category: &str, started: i64, ended: i64, recurs: Option<(&str, &str)>) -> String {
    let fields = scope.into_iter().chain([category]).fold(Hash::new(), Hash::field);
    let fields = fields.field(started.to_be_bytes()).field(ended.to_be_bytes());
    let fields = recurs.into_iter().flat_map(|(rule, zone)| [rule, zone]).fold(fields, Hash::field);
    format!("X-{}", hex(&fields.finish(), 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_made_of_scope_category_times_and_rule_and_never_changes() {
        let id = |service, customer, category| id_of(["", service, customer], category, 0, 60_000_000, None);
        assert_eq!(id("login", "", "Attack"), "X-8055b106a517");
        assert_ne!(id("login", "", "Attack"), id("", "login", "Attack"));
        assert_ne!(id("登录", "", "Attack"), id("登录", "", "Customer"));
        let recurring = |rule, zone| id_of(["", "login", ""], "Attack", 0, 60_000_000, Some((rule, zone)));
        assert_ne!(recurring("FREQ=WEEKLY", "UTC"), id("login", "", "Attack"));
        assert_ne!(recurring("FREQ=WEEKLY", "UTC"), recurring("FREQ=WEEKLY", "Europe/Berlin"));
    }
}

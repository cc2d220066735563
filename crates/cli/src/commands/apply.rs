//! `nines apply`: definitions checked, compared, recorded.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::TryStreamExt;
use nines_engine::slo::{What, agreement_changes};
use nines_engine::{Applied, Session};
use nines_timeline::Interval;

use super::{compared, record};
use crate::args::Apply;
use crate::error::{CliError, Result, doing};
use crate::opened::{self, Opening};
use crate::output::{Format, Output, instant, note, say};

/// Files that a folder's definitions stand in.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

pub(crate) async fn run(opening: Opening, args: Apply) -> Result<()> {
    let files = read(&args.paths)?;
    let session = opened::open(opening).await?;
    let applied = match args.dry_run {
        true => session.plan_apply(&files).await?,
        false => session.apply(&files).await?,
    };
    if applied.changes.is_empty() {
        return Err(CliError::Usage(format!(
            "no definition stands in {}; expected OpenSLO objects or agreements in YAML or JSON",
            files.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>().join(", ")
        )));
    }
    for warning in &applied.warnings {
        note(format_args!("warning: {warning}"));
    }
    for told in &applied.notes {
        note(format_args!("note: {told}"));
    }
    say(&told(&applied, &args, &session))?;
    if let Some(range) = &args.compare {
        compare(&session, &files, range).await?;
    }
    Ok(())
}

/// Every file that is named or stands in a named folder, each once.
fn read(paths: &[PathBuf]) -> Result<Vec<(String, String)>> {
    let mut files = BTreeSet::new();
    for path in paths {
        let mut found = Vec::new();
        collect(path, &mut found)?;
        if found.is_empty() {
            return Err(CliError::Usage(format!("{}: no .yaml, .yml or .json files in this folder", path.display())));
        }
        files.extend(found);
    }
    let text = |path: PathBuf| {
        let text = doing(path.display(), std::fs::read_to_string(&path))?;
        Ok((path.display().to_string(), text))
    };
    files.into_iter().map(text).collect()
}

fn collect(path: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    if !path.is_dir() {
        found.push(path.to_path_buf());
        return Ok(());
    }
    for entry in doing(path.display(), std::fs::read_dir(path))? {
        let inside = doing(path.display(), entry)?.path();
        let is_hidden = inside.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let is_definition = inside.extension().is_some_and(|e| EXTENSIONS.iter().any(|known| e == *known));
        if !is_hidden && (inside.is_dir() || is_definition) {
            collect(&inside, found)?;
        }
    }
    Ok(())
}

fn told(applied: &Applied, args: &Apply, session: &Session) -> String {
    let mut text = String::new();
    let mut unchanged = 0;
    for change in &applied.changes {
        let what = match change.what {
            What::New => "new",
            What::Changed => "changed",
            What::Corrected => "corrected",
            What::Unchanged => {
                unchanged += 1;
                continue;
            }
        };
        let from = match change.stored.effective_from {
            nines_engine::slo::SINCE_EVER => "since ever".to_string(),
            at => format!("from {}", instant(at, session.settings().time_zone.name())),
        };
        let kind = change.stored.kind.to_string();
        text += &format!("{what:<9}  {kind:<7}  {}  {from}  ({}:{})\n", change.stored.name, change.path, change.line);
    }
    let count = |number: usize| format!("{number} definition{}", if number == 1 { "" } else { "s" });
    let changed = applied.changes.len() - unchanged;
    if unchanged > 0 {
        text += &format!("unchanged  {}\n", count(unchanged));
    }
    text += &match (&applied.commit, args.dry_run) {
        (_, true) => format!("dry run    {} would be recorded\n", count(changed)),
        (Some(commit), _) => {
            let version =
                commit.version().map_or_else(String::new, |version| format!("; version {version} of definitions"));
            format!("recorded   {}{version} in {}\n", count(changed), session.store_url())
        }
        (None, _) => "recorded   nothing: all of it is in force already\n".to_string(),
    };
    text
}

/// What the proposed definitions would have said of a range, beside those in force in it.
async fn compare(session: &Session, files: &[(String, String)], range: &[String]) -> Result<()> {
    let from = range.first().map_or("", String::as_str);
    let to = range.get(1).map(|to| ("--compare TO", to.as_str()));
    let (from, to) = record::range(("--compare FROM", from), to, session)?;
    let proposed = session.as_if_applied(files, Interval::new(from, to)).await?;
    let text = |at: i64| chrono::DateTime::from_timestamp_micros(at).unwrap_or_default().to_rfc3339();
    let figures = format!(
        "SELECT business, service, objective, target, slo, slo_error_time, budget_remaining, approximation \
         FROM report('{}', '{}', 'objective')",
        text(from),
        text(to)
    );
    let in_force = session.definitions().await?;
    let range = Interval::new(from, to);
    let agreements = agreement_changes(&in_force.agreements, &proposed.agreements, range);
    let credited = (in_force.clone(), proposed.clone());
    let statement = session.parse(&figures)?;
    let [statement] = statement.as_slice() else { return Ok(()) };
    let answer = session.run_as_if(statement, Arc::new(in_force)).await?;
    let schema = Arc::clone(&answer.schema);
    let in_force = datafusion::physical_plan::common::collect(answer.batches).await?;
    let answer = session.run_as_if(statement, Arc::new(proposed)).await?;
    let proposed = datafusion::physical_plan::common::collect(answer.batches).await?;
    let table = |batches| datafusion::datasource::MemTable::try_new(Arc::clone(&schema), vec![batches]);
    let context = datafusion::prelude::SessionContext::new();
    context.register_table("in_force", Arc::new(table(in_force)?))?;
    context.register_table("proposed", Arc::new(table(proposed)?))?;
    let rounded = context
        .sql(
            "SELECT 1 FROM (SELECT approximation FROM in_force UNION ALL SELECT approximation FROM proposed)
             WHERE approximation IS NOT NULL LIMIT 1",
        )
        .await?;
    let approximation = match rounded.count().await? {
        0 => "",
        _ => ", f.approximation AS approximation, p.approximation AS approximation_proposed",
    };
    let beside = context
        .sql(&format!(
            "SELECT coalesce(p.service, f.service) AS service, coalesce(p.objective, f.objective) AS objective,
                    f.target AS target, p.target AS target_proposed, f.slo AS slo, p.slo AS slo_proposed,
                    f.slo_error_time AS error_time, p.slo_error_time AS error_time_proposed,
                    f.budget_remaining AS budget, p.budget_remaining AS budget_proposed{approximation}
             FROM in_force f FULL JOIN proposed p
               ON f.objective = p.objective AND coalesce(f.service, '') = coalesce(p.service, '')
                  AND coalesce(f.business, '') = coalesce(p.business, '')
             WHERE f.objective IS NULL OR p.objective IS NULL OR (f.target IS DISTINCT FROM p.target)
                OR (f.slo IS DISTINCT FROM p.slo) OR (f.slo_error_time IS DISTINCT FROM p.slo_error_time)
                OR (f.budget_remaining IS DISTINCT FROM p.budget_remaining)
             ORDER BY 1, 2"
        ))
        .await?;
    let rows = beside.execute_stream().await?;
    let output = Output { format: Format::Table, file: None, time_zone: session.settings().time_zone.name() };
    let schema = rows.schema();
    let rows: Vec<RecordBatch> = rows.try_collect().await?;
    if rows.iter().all(|batch| batch.num_rows() == 0) {
        say(match agreements.is_empty() {
            true => "the proposed definitions say the same of this range as those in force\n",
            false => "the proposed objectives say the same of this range as those in force\n",
        })?;
    } else {
        let rows = RecordBatchStreamAdapter::new(Arc::clone(&schema), futures::stream::iter(rows.into_iter().map(Ok)));
        output.write(schema, Box::pin(rows)).await?;
    }
    compared::agreements(session, &agreements, credited.0, credited.1, range).await
}

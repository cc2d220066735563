//! `nines check`: every byte of a store, read.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use nines_engine::Session;
use nines_engine::store::{Checked, TableKind};

use crate::args::Check;
use crate::error::{CliError, Result};
use crate::opened::{self, Opening};
use crate::output::{counted, say};

/// How many objects of a kind are named.
const NAMED: usize = 10;

pub(crate) async fn run(opening: Opening, args: Check) -> Result<()> {
    let session = opened::open(opening).await?;
    if session.store().is_none() {
        return Err(CliError::Usage(format!("there is no store at {}", session.store_url())));
    }
    let mut problems = 0;
    for &kind in TableKind::ALL.iter().filter(|&&kind| args.table.is_none_or(|table| table == kind)) {
        let bytes = Arc::new(AtomicU64::new(0));
        let watching = watch(kind, &bytes);
        let checked = session.check(kind, &bytes).await;
        watching.abort();
        let checked = checked?;
        if checked == Checked::default() {
            continue;
        }
        say(&told(kind, &checked))?;
        if kind.is_derived() && args.repair_caches && !checked.problems.is_empty() {
            say(&format!("{}\n", session.repair(kind, &checked.problems).await?))?;
            continue;
        }
        if !checked.problems.is_empty() && session.is_repairable(kind, &checked.problems).await {
            let name = kind.name();
            say(&format!(
                "{name}  note: all of it can be worked out again; let go of what is damaged with: nines check --repair-caches\n"
            ))?;
        }
        problems += checked.problems.len();
    }
    if problems == 0 && args.table.is_none_or(|table| table == TableKind::SloDays) {
        problems += compared(&session, &args).await?;
    }
    match problems {
        0 => say("all of it is as it was written\n"),
        1 => Err(CliError::Failed("one thing is not as it was written".to_string())),
        many => Err(CliError::Failed(format!("{} things are not as they were written", HumanCount(many as u64)))),
    }
}

/// Compares kept days with what rows say; how many are something else, and stay so.
async fn compared(session: &Session, args: &Check) -> Result<usize> {
    let found = session.compare_kept(args.all, args.repair_caches).await?;
    if let Some(lost) = &found.lost {
        say(&format!("slo_days  problem: {lost}\n"))?;
        return Ok(1);
    }
    if found.kept == 0 {
        return Ok(0);
    }
    let days = match found.compared == found.days {
        true => "all days".to_string(),
        false => {
            format!("{} of {} days, all with --all", HumanCount(found.compared as u64), HumanCount(found.days as u64))
        }
    };
    let mut text = format!(
        "slo_days  {} of objectives compared with what rows say now ({days})\n",
        counted(found.kept as u64, "kept day", "kept days")
    );
    let what = match args.repair_caches {
        true => "was something else than rows say now, and is kept anew",
        false => "is something else than rows say now; keep it anew with: nines check --repair-caches",
    };
    for (objective, day) in found.wrong.iter().take(NAMED) {
        text.push_str(&format!("slo_days  problem: {objective} on {day} {what}\n"));
    }
    if found.wrong.len() > NAMED {
        text.push_str(&format!("slo_days  and {} more\n", HumanCount((found.wrong.len() - NAMED) as u64)));
    }
    say(&text)?;
    Ok(if args.repair_caches { 0 } else { found.wrong.len() })
}

fn told(kind: TableKind, checked: &Checked) -> String {
    let name = kind.name();
    let mut text = format!(
        "{name}  {}, {}, {}, {} now\n",
        counted(checked.entries, "entry", "entries"),
        counted(checked.files, "data file", "data files"),
        HumanBytes(checked.bytes),
        counted(checked.rows, "row", "rows")
    );
    for problem in &checked.problems {
        text.push_str(&format!("{name}  problem: {}: {}\n", problem.object, problem.problem));
    }
    let told = |versions: &[u64]| versions.iter().map(u64::to_string).collect::<Vec<_>>();
    let versions = told(&checked.foreign_entries);
    text.push_str(&named(
        name,
        &versions,
        ("entry", "entries"),
        "of another Delta writer: nobody can tell whether all is as it was written",
    ));
    text.push_str(&named(
        name,
        &told(&checked.foreign_checkpoints),
        ("checkpoint", "checkpoints"),
        "without a record, of another Delta writer or an older nines: nobody can tell whether all is as it was written, and it is read only \
         where entries of the log were removed because of it",
    ));
    text.push_str(&named(
        name,
        &checked.foreign_files,
        ("file", "files"),
        "of another Delta writer: nobody can tell whether all is as it was written",
    ));
    text.push_str(&named(
        name,
        &checked.left_over,
        ("file", "files"),
        match checked.problems.is_empty() {
            true => "in no version: of a writer that is at work, or left by one that died",
            false => "in no version, perhaps because of what is damaged: put that right before anything is removed",
        },
    ));
    text
}

fn named(table: &str, objects: &[String], (one, many): (&str, &str), what: &str) -> String {
    if objects.is_empty() {
        return String::new();
    }
    let more = if objects.len() > NAMED { " …" } else { "" };
    let first = objects.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    format!("{table}  note: {} {what}: {first}{more}\n", counted(objects.len() as u64, one, many))
}

/// Shows how much was read, where somebody looks.
fn watch(kind: TableKind, bytes: &Arc<AtomicU64>) -> tokio::task::JoinHandle<()> {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{spinner} {msg} {bytes}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.set_message(kind.name());
    let read = Arc::clone(bytes);
    tokio::spawn(async move {
        loop {
            bar.set_position(read.load(Relaxed));
            bar.tick();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
}

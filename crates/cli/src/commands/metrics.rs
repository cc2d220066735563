//! `nines ingest prometheus`, `nines ingest otlp` and `nines ingest samples`: samples of metrics in, by a mapping; a summary of what they came to and what they did not.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use nines_engine::ingest::{Findings, MOST_VALUES, Progress};
use nines_engine::prometheus::{Access, Client, Credentials};
use nines_engine::slo::Mapping;
use nines_engine::store::Outcome;
use nines_engine::{
    EngineError, InputFiles, MetricFiles, MetricTable, MetricsLoaded, Mistakes, Pull, Pulled, RowsOf, Session,
};

use super::bar::Bar;
use super::ingest::{for_trial, formats, of_stdin, previewed, unread};
use super::record;
use crate::args::{AsRows, Otlp, Prometheus, Samples};
use crate::error::{CliError, Result, doing};
use crate::opened::{self, Opening};
use crate::output::{can_be_written, counted, instant, note, say};

const SECOND: i64 = 1_000_000;

pub(crate) async fn run(opening: Opening, args: Prometheus) -> Result<()> {
    let Some(url) = &args.url else {
        return load_files(opening, &args.files, args.rows, args.source, None).await;
    };
    let mapping = Arc::new(mapping(&args.rows.mapping)?);
    let client = client(url, &args)?;
    let session = opened::open_or_create(opening, args.rows.slice).await?;
    let to = args.to.as_ref().map(|to| record::time("--to", to, &session)).transpose()?;
    let pull = Pull {
        client,
        mapping,
        source: args.source.clone(),
        from: args.from.as_ref().map(|from| record::time("--from", from, &session)).transpose()?,
        to: to.unwrap_or_else(|| session.now() - args.safety * SECOND),
        lookback: args.lookback * SECOND,
    };
    say(&told_pulled(&pulled(&pull, &session).await?, &args.rows.mapping, &session))
}

pub(crate) async fn run_otlp(opening: Opening, args: Otlp) -> Result<()> {
    load_files(opening, &args.files, args.rows, args.source, None).await
}

pub(crate) async fn run_samples(opening: Opening, args: Samples) -> Result<()> {
    let rows = RowsOf { format: args.format.0, select: args.select, repeated_hour: args.repeated_hour };
    load_files(opening, &args.files, args.rows, args.source, Some(rows)).await
}

async fn load_files(
    opening: Opening,
    named: &[PathBuf],
    args: AsRows,
    source: String,
    rows: Option<RowsOf>,
) -> Result<()> {
    let mapping = Arc::new(mapping(&args.mapping)?);
    let (files, left_out) = files(named)?;
    if let Some(file) = &args.skip_bad {
        let place = |file: &Path| std::fs::canonicalize(file).ok();
        if place(file).is_some_and(|file| Some(file) == place(&args.mapping)) {
            let problem = format!("--skip-bad {}: this is the mapping, and would be written", file.display());
            return Err(CliError::Usage(problem));
        }
        can_be_written(file)?;
    }
    let AsRows { any_time, slice, dry_run, skip_bad, .. } = args;
    let load = MetricFiles { files, mapping, source, any_time, skip_bad, dry_run, rows };
    let session = match dry_run {
        true => for_trial(opening, slice).await?,
        false => opened::open_or_create(opening, slice).await?,
    };
    let progress = Arc::new(Progress::new());
    let bar = Bar::start(progress.clone());
    let loaded = session.load_metrics(&load, progress.clone()).await;
    bar.stop().await;
    let loaded = loaded?;
    let zone = session.settings().time_zone.name();
    let mut text = told(&loaded, &args.mapping, &session);
    found(&mut text, "rejected", progress.rejected(), |n| {
        let file = load.skip_bad.as_deref().map(|file| file.display().to_string()).unwrap_or_default();
        format!(
            "{}, in {file} with the reasons",
            counted(n, "line, message, row or sample", "lines, messages, rows or samples")
        )
    });
    text += &formats(&progress);
    text += &unread(&left_out);
    if dry_run {
        line(&mut text, "stored", "nothing: this was a dry run".to_string());
    }
    for table in &loaded.tables {
        if let Some(preview) = &table.preview {
            text += &previewed(preview, table.table.name(), zone)?;
        }
    }
    say(&text)
}

/// The files that names mean, and those of folders that are not read. A wrong name must not leave a new, empty store behind.
fn files(names: &[PathBuf]) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let names: Vec<PathBuf> = names.iter().map(|name| of_stdin(name)).collect();
    let InputFiles { files, left_out } = nines_engine::input_files(&names)?;
    if files.is_empty() && !names.is_empty() {
        return Err(EngineError::Usage("no file is named whose name says a format".to_string()).into());
    }
    for file in &files {
        // A pipe can be opened only once.
        if doing(file.display(), std::fs::metadata(file))?.is_file() {
            doing(file.display(), std::fs::File::open(file).map(drop))?;
        }
    }
    Ok((files, left_out))
}

fn mapping(path: &Path) -> Result<Mapping> {
    let text = doing(path.display(), std::fs::read_to_string(path))?;
    let read = Mapping::read(&path.display().to_string(), &text);
    read.map_err(|mistakes| EngineError::Definitions(Mistakes(mistakes)).into())
}

/// The server, and who asks it.
fn client(url: &str, args: &Prometheus) -> Result<Client> {
    let secret = |path: &Path| -> Result<String> {
        Ok(doing(path.display(), std::fs::read_to_string(path))?.trim_end_matches(['\r', '\n']).to_string())
    };
    let credentials = match (&args.user, &args.bearer_token_file) {
        (Some(user), _) => {
            let file = args.password_file.as_deref().map(secret).transpose()?;
            let Some(password) = file.or_else(|| args.password.clone()) else {
                let problem = "--user needs a password: --password-file FILE, or NINES_PASSWORD in the environment";
                return Err(CliError::Usage(problem.to_string()));
            };
            Some(Credentials::Basic(user.clone(), password))
        }
        (None, Some(file)) => Some(Credentials::Bearer(secret(file)?)),
        (None, None) => args.bearer_token.clone().map(Credentials::Bearer),
    };
    if args.insecure {
        note(format_args!("warning: --insecure: whoever answers at {url} is believed, and is told who asks"));
    }
    let access = Access {
        credentials,
        headers: args.headers.clone(),
        ca: args.ca_file.clone(),
        client_certificate: args.cert_file.clone().zip(args.key_file.clone()),
        insecure: args.insecure,
        timeout: Some(args.timeout),
    };
    Client::new(url, &access).map_err(|error| CliError::Usage(error.to_string()))
}

async fn pulled(pull: &Pull, session: &Session) -> Result<Pulled> {
    let bar = match std::io::stderr().is_terminal() {
        true => ProgressBar::new(0),
        false => ProgressBar::hidden(),
    };
    let style = ProgressStyle::with_template("{bar:30} up to {msg}  {elapsed}");
    let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let zone = session.settings().time_zone.name();
    let passed = |until: i64, (from, to): (i64, i64)| {
        bar.set_length((to - from).unsigned_abs() / 1_000_000);
        bar.set_position((until - from).unsigned_abs() / 1_000_000);
        bar.set_message(instant(until, zone));
    };
    let pulled = session.pull_metrics(pull, passed).await;
    bar.finish_and_clear();
    Ok(pulled?)
}

fn told_pulled(pulled: &Pulled, mapping: &Path, session: &Session) -> String {
    let zone = session.settings().time_zone.name();
    let (from, to) = pulled.range;
    if from >= to {
        return format!(
            "pulled      nothing: everything up to {} is stored, and no whole slice came after it yet\n",
            instant(from, zone)
        );
    }
    let mut text = format!("pulled      {} to {}\n", instant(from, zone), instant(to, zone));
    text += &told(&pulled.loaded, mapping, session);
    if let Some(since) = pulled.gap_since {
        text.push_str(&format!(
            "warning     from {} to {} nothing was pulled; to fill the gap: --from {:?} --to {:?}\n",
            instant(since, zone),
            instant(from, zone),
            instant(since, zone),
            instant(from, zone)
        ));
    }
    text
}

fn told(loaded: &MetricsLoaded, mapping: &Path, session: &Session) -> String {
    let zone = session.settings().time_zone.name();
    let mut text = format!(
        "read        {}, of which {} of {} meet the mapping\n",
        counted(loaded.samples, "sample", "samples"),
        HumanCount(loaded.matched),
        counted(loaded.series, "series", "series")
    );
    for (format, files) in &loaded.formats {
        text.push_str(&format!(
            "format      {format}{}\n",
            if *files > 1 { format!(", {files} files") } else { String::new() }
        ));
    }
    if let Some((first, last)) = loaded.range {
        text.push_str(&format!("samples     {} to {}\n", instant(first, zone), instant(last, zone)));
    }
    for table in &loaded.tables {
        text += &told_table(table, session);
    }
    let mut all = Findings::default();
    loaded.tables.iter().for_each(|table| all.add(&table.findings));
    line(&mut text, "resets", format!("{}, after which a counter counts from 0", HumanCount(all.resets)));
    found(&mut text, "first", all.first, |n| {
        format!(
            "of {} nothing is known before their first sample, which counts nothing",
            counted(n, "series", "series")
        )
    });
    let with = all.appeared_with;
    found(&mut text, "appeared", all.appeared, |n| {
        format!(
            "{} while others of their target were there, with {with} in all, which is not counted; `newSeries: zero` in the mapping \
             counts it",
            counted(n, "series", "series")
        )
    });
    found(&mut text, "gaps", loaded.stale, |n| {
        format!("{} of NaN or staleness: no data", counted(n, "sample", "samples"))
    });
    found(&mut text, "warning", all.again, |n| {
        format!(
            "at {} a series has several values; the greatest counts. If they are of several processes or instances, tell them \
                 apart by a label",
            counted(n, "instant", "instants")
        )
    });
    found(&mut text, "warning", all.again_stored, |n| {
        format!(
            "{} another value than the one that is stored of the same series and instant; what is stored counts",
            counted(n, "sample has", "samples have")
        )
    });
    found(&mut text, "known", all.known, |n| {
        format!(
            "{} not later than the last one that is stored of {} series; {} nothing. If {} new, use another --source, or \
                 name the files together",
            counted(n, "sample is", "samples are"),
            if n == 1 { "its" } else { "their" },
            if n == 1 { "it counts" } else { "they count" },
            if n == 1 { "it is" } else { "they are" },
        )
    });
    found(&mut text, "gaps", all.infinite, |n| {
        format!("{} of gauges infinite: no data", counted(n, "sample is", "samples are"))
    });
    found(&mut text, "warning", all.excess, |n| {
        format!(
            "in {} more events are good or bad than there are in all: at most all of them count. Counters that are read one \
                 after the other may differ by one or two; more of it means that they do not belong together",
            counted(n, "slice", "slices")
        )
    });
    found(&mut text, "warning", all.uneven, |n| {
        format!("in {} a bucket counts more than a wider one: it counts as many", counted(n, "slice", "slices"))
    });
    found(&mut text, "warning", all.coarse, |n| {
        format!(
            "in {} native or exponential histograms are coarser than schema 5, the stored one, or have much at about zero: of \
                 them the counts at 15.625 ms, 31.25 ms … 1 s, 2 s … are exact and stored (latency_le), everything between is unknown. \
                 Finer ones: a bucket factor of at most 1.0219 in the application, native_histogram_min_bucket_factor in the scrape; \
                 with OpenTelemetry a greater maximum size, such as 640 buckets",
            counted(n, "slice", "slices")
        )
    });
    found(&mut text, "warning", all.not_seconds, |n| {
        format!(
            "in {} histograms with exponential buckets are not in seconds, as the stored ones are: of them the counts at \
                 thresholds that are powers of two of their unit and whole microseconds are exact and stored (latency_le), everything \
                 between is unknown. Let them be recorded in seconds",
            counted(n, "slice", "slices")
        )
    });
    found(&mut text, "warning", all.fallen, |n| {
        format!(
            "{} a counter fell although it did not begin again, as its start time says: what it says after that was counted \
                 whole. If several programs report one series, give each a service.instance.id",
            counted(n, "time", "times")
        )
    });
    found(&mut text, "warning", all.mixed, |n| {
        format!(
            "{} back at once. Each fall counts as a reset; if a series holds the counters of several processes or instances, tell \
                 them apart by a label",
            counted(n, "series falls again and again and is", "series fall again and again and are")
        )
    });
    found(&mut text, "warning", all.overlapping, |n| {
        format!(
            "{} before the one before ends; both count. If several programs report one series, give each a service.instance.id",
            counted(n, "increment of a series begins", "increments of a series begin")
        )
    });
    for (label, series) in &loaded.others {
        line(
            &mut text,
            "warning",
            format!(
                "{label} has more than {} values: of {} it is called other",
                HumanCount(MOST_VALUES as u64),
                counted(*series, "series", "series")
            ),
        );
    }
    for cut in &loaded.cut {
        line(&mut text, "left out", format!("{cut}; ingest the file again when it is"));
    }
    found(&mut text, "left out", loaded.pulled_before, |n| {
        format!("{} of a time that was pulled already", counted(n, "sample", "samples"))
    });
    for of in &loaded.unlabelled {
        let empty = if of.column == "status" { "it is 0" } else { "it is empty" };
        line(
            &mut text,
            "warning",
            format!(
                "{}:{}: of {} {} no label {:?}, which fills {}: {empty}",
                mapping.display(),
                of.line,
                counted(of.series, "series", "series"),
                counted(of.missing, "has", "have"),
                of.label,
                of.column
            ),
        );
    }
    for unmatched in &loaded.unmatched {
        line(
            &mut text,
            "warning",
            format!("{}:{}: no series meets {}", mapping.display(), unmatched.line, unmatched.selector),
        );
    }
    text
}

/// A line of the summary.
fn line(text: &mut String, name: &str, what: String) {
    text.push_str(&format!("{name:<12}{what}\n"));
}

/// A line that says how much of something was found, if anything was.
fn found(text: &mut String, name: &str, n: u64, what: impl Fn(u64) -> String) {
    if n > 0 {
        line(text, name, what(n));
    }
}

fn told_table(table: &MetricTable, session: &Session) -> String {
    let (name, commit) = (table.table.name(), &table.commit);
    let mut text = match commit.outcome {
        Outcome::Stored(_) | Outcome::Tried if commit.rows > 0 => {
            let [added, replaced, unchanged] =
                [commit.changes.added, commit.changes.replaced, commit.changes.unchanged].map(HumanCount);
            let mut text = format!(
                "{name:<12}{}, {added} added, {replaced} replaced, {unchanged} unchanged; {} in {}",
                counted(commit.rows, "aggregate", "aggregates"),
                HumanBytes(commit.bytes),
                counted(commit.files as u64, "file", "files"),
            );
            if let Outcome::Stored(version) = commit.outcome {
                text.push_str(&format!("; version {version} in {}", session.store_url()));
            }
            text + "\n"
        }
        _ if commit.rows > 0 => format!(
            "{name:<12}nothing changed: {} stored already\n",
            counted(commit.rows, "aggregate is", "aggregates are")
        ),
        _ if table.known_series.0 > 0 => {
            format!("{name:<12}nothing new: no sample is later than the last one that is stored of its series\n")
        }
        _ => format!("{name:<12}nothing to count\n"),
    };
    let (_, part) = table.known_series;
    if part > 0 {
        text.push_str(&format!("continued   {} after their last stored sample\n", counted(part, "series", "series")));
    }
    text
}

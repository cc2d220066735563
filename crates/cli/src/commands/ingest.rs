//! `nines ingest`: files in, one commit, a summary of what was read, stored and left.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indicatif::{HumanBytes, HumanCount};
use nines_engine::datafusion::arrow::array::RecordBatch;
use nines_engine::ingest::Progress;
use nines_engine::store::{Commit, Outcome};
use nines_engine::{EngineError, FileState, InputFiles, Load, Loaded, Preview, Session, Settings, Warning};

use super::bar::Bar;
use crate::args::Ingest;
use crate::error::{CliError, Result, doing};
use crate::opened::{self, Opening};
use crate::output::{can_be_written, counted, instant, whole};

pub(crate) async fn run(opening: Opening, args: Ingest) -> Result<()> {
    let slice = args.slice;
    let named: Vec<PathBuf> = args.files.iter().map(|file| of_stdin(file)).collect();
    let InputFiles { files, left_out } = nines_engine::input_files(&named)?;
    if files.is_empty() {
        return Err(EngineError::Usage(format!("{}: it has no file whose name says a format", shown(&named))).into());
    }
    let load = load(args, |_| files);
    // A wrong name must not leave a new, empty store behind.
    for file in &load.files {
        // A pipe can be opened only once.
        let is_file = doing(file.display(), std::fs::metadata(file))?.is_file();
        if is_file {
            doing(file.display(), std::fs::File::open(file).map(drop))?;
        }
    }
    if let Some(file) = &load.skip_bad {
        can_be_written(file)?;
    }
    let session = match load.dry_run {
        true => for_trial(opening, slice).await?,
        false => opened::open_or_create(opening, slice).await?,
    };
    let progress = Arc::new(Progress::new());
    let bar = Bar::start(progress.clone());
    let loaded = session.load(&load, progress.clone()).await;
    bar.stop().await;
    let loaded = loaded?;
    let zone = session.settings().time_zone.name();
    let preview = loaded.preview.as_ref().map(|preview| previewed(preview, load.table.name(), zone)).transpose()?;
    let text = summary(&loaded, &load, &session, progress.rejected())
        + &preview.unwrap_or_default()
        + &units(&progress)
        + &formats(&progress)
        + &holes(&progress)
        + &unread(&left_out)
        + &deleted_since(&loaded, &load, &session).await?;
    doing("writing the summary", std::io::stdout().write_all(text.as_bytes()))
}

/// What the command line says is to be loaded, of these files.
pub(super) fn load(args: Ingest, files: impl FnOnce(&[PathBuf]) -> Vec<PathBuf>) -> Load {
    let files = files(&args.files);
    Load {
        from: args.filling_fields(),
        causes: args.cause_names(),
        endpoints: args.endpoint_names(),
        format: args.format.0,
        select: args.select,
        business: args.business,
        service: args.service,
        source: args.source,
        batch: args.batch,
        aggregates: args.aggregates,
        replace: args.replace,
        any_time: args.any_time,
        repeated_hour: args.repeated_hour,
        latency_unit: args.latency_unit,
        log_format: args.log_format,
        skip_bad: args.skip_bad,
        dry_run: args.dry_run,
        allow_empty: args.allow_empty,
        ..Load::new(args.table, files)
    }
}

/// The session of a dry run: over the store, or over an empty one in memory where there is none yet.
pub(super) async fn for_trial(opening: Opening, slice: Option<i64>) -> Result<Session> {
    let session = opened::open(opening.clone()).await?;
    match session.store().map(|store| store.slice_seconds()) {
        // The error of another width is that of opening.
        Some(width) if slice.is_some_and(|slice| slice != width) => opened::open_or_create(opening, slice).await,
        Some(_) => Ok(session),
        None => {
            let engine = Settings { store: "memory://dry-run".to_string(), ..opening.engine };
            opened::open_or_create(Opening { engine, ..opening }, slice).await
        }
    }
}

/// What would be stored in a table, by service and endpoint, and the first rows.
pub(super) fn previewed(preview: &Preview, table: &str, zone: &str) -> Result<String> {
    let shown = |batch: &RecordBatch| {
        Ok::<_, CliError>(format!("{}\n", whole(&batch.schema(), std::slice::from_ref(batch), zone)?))
    };
    let mut text = String::new();
    if let Some(by) = &preview.by {
        text.push_str(&format!("\nWhat {table} would get:\n{}", shown(by)?));
        if preview.others > 0 {
            text.push_str(&format!("and {} with less\n", counted(preview.others as u64, "other", "others")));
        }
    }
    text.push_str(&format!("\nThe first rows:\n{}", shown(&preview.first)?));
    Ok(text)
}

/// Standard input, which may be called `-`.
pub(super) fn of_stdin(file: &Path) -> PathBuf {
    PathBuf::from(if file.as_os_str() == "-" { "/dev/stdin".as_ref() } else { file.as_os_str() })
}

fn shown(files: &[PathBuf]) -> String {
    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Files of folders that were not read.
pub(super) fn unread(left_out: &[PathBuf]) -> String {
    match left_out {
        [] => String::new(),
        files => format!(
            "not read    {} whose names say no format: {}. To read one, name it\n",
            counted(files.len() as u64, "file", "files"),
            shown(files)
        ),
    }
}

fn summary(loaded: &Loaded, load: &Load, session: &Session, rejected: u64) -> String {
    let commit = &loaded.commit;
    let table = load.table.name();
    let mut text = nothing_new(loaded);
    let refused = load.skip_bad.as_ref().filter(|_| rejected > 0);
    let refused = refused.map_or_else(String::new, |file| format!(", in {} with the reasons", file.display()));
    let read =
        format!("read        {}\nrejected    {}{refused}\n", counted(loaded.read, "row", "rows"), HumanCount(rejected));
    match commit.outcome {
        Outcome::Delivered(Some(version)) => {
            text.push_str(&format!("already ingested at version {version} of {table}; nothing changed\n"));
        }
        Outcome::Delivered(None) => text.push_str(&format!("already ingested into {table}; nothing changed\n")),
        // Every file was said to hold nothing new.
        _ if commit.rows == 0 && !text.is_empty() && loaded.read == 0 => {}
        Outcome::Unchanged => {
            let rows = rows_of(commit, load);
            let all = if commit.rows == 1 { format!("{rows} is") } else { format!("all {rows} are") };
            text.push_str(&format!("{read}changed     nothing: {all} stored already\n"));
        }
        Outcome::Stored(version) => {
            text.push_str(&read);
            text.push_str(&stored(commit, load, session));
            text.push_str(&format!("version     {version} of {table} in {}\n", session.store_url()));
        }
        Outcome::Tried => {
            text.push_str(&read);
            text.push_str(&stored(commit, load, session).replacen("written    ", "would write", 1));
            text.push_str("stored      nothing: this was a dry run\n");
        }
        _ => text.push_str(&format!("{read}written     nothing: the input holds no rows\n")),
    }
    text + &warned(loaded, session) + &left(loaded)
}

/// Rows of a batch that was stored before may have been deleted since: that it is known does not bring them back.
async fn deleted_since(loaded: &Loaded, load: &Load, session: &Session) -> Result<String> {
    let Some(store) = session.store() else { return Ok(String::new()) };
    let is_known = loaded.files.iter().any(|read| matches!(read.found, FileState::Known));
    let (stored, again) = match loaded.commit.outcome {
        Outcome::Delivered(stored) => (stored.unwrap_or_default(), "give the batch a new name: --batch NAME"),
        // Of files that are read on from where they ended, nobody has noted in which version that was.
        _ if is_known => (0, "ingest the whole file with --replace"),
        _ => return Ok(String::new()),
    };
    let last = store.table(load.table).last_delete().await.map_err(EngineError::from)?;
    let Some(version) = last.filter(|version| *version > stored) else { return Ok(String::new()) };
    let table = load.table.name();
    Ok(format!(
        "warning     version {version} has deleted rows of {table} since (see: nines log {table}); what was among them is not stored again. \
         To store it, {again}\n"
    ))
}

/// What to look at, one per line.
pub(super) fn warned(loaded: &Loaded, session: &Session) -> String {
    let zone = session.settings().time_zone.name();
    let width = session.store().map_or(0, |store| store.slice_seconds());
    let said = loaded.warnings.iter().map(|warning| match warning {
        Warning::Overlap(overlap) => {
            format!(
                "{} from {} to {} had rows of the same source before; they add up. That is right for a file that \
                 grew. If another file holds the same rows, these count twice: ingest the one that is complete with \
                 --replace\n",
                counted(overlap.slices, "slice", "slices"),
                instant(overlap.first, zone),
                instant(overlap.last + width * 1_000_000, zone)
            )
        }
        Warning::Removed(rows) => {
            format!("{} went: of their slices this batch says something else\n", counted(*rows, "stored row", "stored rows"))
        }
        Warning::Beside(slices) => format!(
            "in {} there are rows of access logs (source 'log/…') and counts of source '' for the same service; they add \
             up. If both tell of the same requests, these count twice: remove one of them with nines delete requests --where \
             \"source = ''\" or \"source LIKE 'log/%'\"\n",
            counted(*slices, "slice", "slices")
        ),
        Warning::FirstSlice(micros) => format!(
            "the first row is at {}, within a slice of {width} s: the counts that are stored for it are all there is\n",
            instant(*micros, zone)
        ),
        Warning::LastSlice(micros) => format!(
            "the last row is at {}, before its slice of {width} s is over: the counts that are stored for it are all \
             there is\n",
            instant(*micros, zone)
        ),
        Warning::Relabelled(overlap) => format!(
            "in {} rows of the same source stay that have other labels than this batch: a batch replaces rows of its own \
             labels alone. To relabel what is stored, ingest the file with --replace, or remove the old rows with nines \
             delete\n",
            counted(overlap.slices, "slice", "slices")
        ),
        Warning::Unfilled(option) => format!("{option}: no row has such a field, or none says anything\n"),
        Warning::Others(what, rows) => format!(
            "{} called 'other', because there are more names of {what} than are kept. Give those that belong together one \
             name{}\n",
            counted(*rows, "row is", "rows are"),
            if what == "endpoint" { ": --endpoint; or keep more of them: --most-endpoints" } else { " before they are ingested" }
        ),
        _ => String::new(),
    });
    said.filter(|text| !text.is_empty()).map(|text| format!("warning     {text}")).collect()
}

/// The files that had nothing to read, one per line.
fn nothing_new(loaded: &Loaded) -> String {
    let said = loaded.files.iter().filter_map(|read| {
        let file = read.file.display();
        match read.found {
            FileState::Known => Some(format!("already ingested: {file} holds nothing new\n")),
            FileState::NoLine => Some(format!("nothing to read: {file} holds no complete line\n")),
            _ => None,
        }
    });
    said.collect()
}

/// How many rows were stored, and what they are.
fn rows_of(commit: &Commit, load: &Load) -> String {
    let (one, many) = if load.table.is_series() { ("aggregate", "aggregates") } else { ("row", "rows") };
    counted(commit.rows, one, many)
}

/// What was stored.
fn stored(commit: &Commit, load: &Load, session: &Session) -> String {
    let (rows, files) = (rows_of(commit, load), counted(commit.files as u64, "file", "files"));
    let mut text = format!("written     {rows} in {files}, {}\n", HumanBytes(commit.bytes));
    let [added, replaced, unchanged, removed] =
        [commit.changes.added, commit.changes.replaced, commit.changes.unchanged, commit.changes.removed]
            .map(HumanCount);
    text.push_str(&format!("changed     {added} added, {replaced} replaced, {unchanged} unchanged"));
    if removed.0 > 0 {
        text.push_str(&format!(", {removed} removed"));
    }
    text.push('\n');
    if let (Some((first, last)), Some(store)) = (commit.time_range, session.store()) {
        let zone = session.settings().time_zone.name();
        let end = last + store.slice_seconds() * 1_000_000;
        text.push_str(&format!("time range  {} to {}\n", instant(first, zone), instant(end, zone)));
    }
    text
}

/// Numbers of logs whose unit was not said, or was another one.
pub(super) fn units(progress: &Progress) -> String {
    let lines = |of: u64| counted(of, "line ends", "lines end");
    let (without, beside) = (progress.without_unit(), progress.beside_unit());
    let mut text = String::new();
    if let Some(example) = progress.without_unit_example().filter(|_| without > 0) {
        text.push_str(&format!(
            "latency     {} in a whole number, such as {example}, which says no unit: it was not read as a latency. Say its unit with \
             --latency-unit s, ms, us or ns\n",
            lines(without)
        ));
    }
    if beside > 0 {
        text.push_str(&format!(
            "latency     {} in a number with a decimal point: it was read as seconds\n",
            lines(beside)
        ));
    }
    text
}

/// The formats of logs that were known by their lines.
pub(super) fn formats(progress: &Progress) -> String {
    let told = progress.told_formats().into_iter();
    let told = told.map(|format| format!("format      {format}, by its first line; --log-format says another\n"));
    let turned_over = Some(progress.turned_over()).filter(|lines| *lines > 0);
    let skipped = turned_over.map(|lines| {
        format!("skipped     {} left by a rotation (logfile turned over)\n", counted(lines, "line", "lines"))
    });
    let headers = Some(progress.headers()).filter(|headers| *headers > 0);
    let headers = headers.map(|rows| {
        format!("skipped     {} again\n", counted(rows, "row that is the header", "rows that are the header"))
    });
    let others = progress.no_requests().into_iter().map(|(why, lines)| {
        format!(
            "skipped     {} {why}: {}\n",
            counted(lines, "line", "lines"),
            if lines == 1 { "no request" } else { "no requests" }
        )
    });
    told.chain(skipped).chain(headers).chain(others).collect()
}

/// Zero bytes that were skipped.
fn holes(progress: &Progress) -> String {
    let said = progress.holes().into_iter().map(|(file, bytes)| {
        let bytes = counted(bytes, "zero byte", "zero bytes");
        format!("skipped     {bytes} at the start of {file}, which a truncation left in the place of older lines\n")
    });
    said.collect()
}

/// The lines that were still being written, one per file.
fn left(loaded: &Loaded) -> String {
    let files = loaded.files.iter().filter(|file| file.left > 0);
    let said = files.map(|read| {
        let file = if loaded.files.len() > 1 { format!(" of {}", read.file.display()) } else { String::new() };
        let bytes = HumanCount(read.left);
        format!(
            "left        an incomplete last line{file} of {bytes} bytes, for the next time; if the file is finished, end it \
             with a newline\n"
        )
    });
    said.collect()
}

//! A session: what was set, what was run, and how a statement's result comes out.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::common::collect;
use futures::{FutureExt, StreamExt};
use indicatif::HumanCount;
use nines_engine::{EngineError, Parameter, Parameters, Receipt, Session, Statement, bytes_of};
use nines_notebook::format::printable;
use nines_notebook::{Cell, CellAnswer, Given, Moment, Notebook, Page, ParameterKind, RunError, Values};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;

use super::cells::{Cells, Setting};
use super::results::{Keeper, Kept, Results};
use super::screen::{MOST_BYTES, MOST_ROWS, Screen};
use super::watch::{Ended, Watcher};
use crate::error::{CliError, Result, doing};
use crate::landed::{self, Landed};
use crate::opened;
use crate::output::{Format, Output, counted, duration, note, note_over, say, say_drawn, stored, whole};

/// How long a statement that was cancelled is waited for without a word.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) struct ShellState {
    pub session: Session,
    /// Values for `$name`, as they were typed.
    pub parameters: BTreeMap<String, String>,
    /// How results are printed; `None`: as a table, to a file as its name says.
    pub format: Option<Format>,
    /// Where results go instead of the screen.
    pub file: Option<ResultFile>,
    pub timing: bool,
    pub pager: bool,
    pub safe: bool,
    /// Whether a person reads along.
    pub interactive: bool,
    /// How many files are being run within each other.
    pub depth: usize,
    /// The last statement, without its end.
    pub last: Option<String>,
    pub results: Results,
    pub cells: Cells,
    /// Notebooks that this session wrote.
    pub saved: BTreeSet<PathBuf>,
    pub interrupts: UnboundedReceiver<()>,
}

/// A file that results are written to, one after the other.
#[derive(Debug, Clone)]
pub(super) struct ResultFile {
    pub path: PathBuf,
    /// How many results stand in it.
    pub results: usize,
}

/// Where a result goes.
enum Target {
    Screen,
    Stdout,
    File(ResultFile),
}

/// What came of a statement.
enum Outcome {
    /// It has no rows to show.
    Done,
    Stored(Receipt),
    Rows {
        schema: SchemaRef,
        shown: Vec<RecordBatch>,
        rows: usize,
        advice: Option<String>,
    },
}

impl ShellState {
    /// Runs the statements of a text, and shows their results.
    pub async fn run(&mut self, sql: &str) -> Result<()> {
        for statement in self.session.parse(sql)? {
            self.last = Some(sql.to_string());
            let begun = Instant::now();
            let parameters = parameters(&self.settings());
            let target = match &self.file {
                Some(file) => Target::File(file.clone()),
                None if self.interactive => Target::Screen,
                None => Target::Stdout,
            };
            let format = self.format_for(&target)?;
            let cell = Cell { sql: sql.to_string(), ..Cell::default() };
            let (outcome, keeper) = self.execute(statement, parameters.clone(), format, target).await?;
            let elapsed = begun.elapsed();
            let before = self.results.count();
            match outcome {
                Outcome::Done => {
                    self.cells.ran(cell, None, before, &parameters);
                    self.note("done", elapsed)?;
                }
                Outcome::Stored(receipt) => {
                    self.cells.ran(cell, None, before, &parameters);
                    if let Some((table, commit)) = receipt.get() {
                        self.note(stored(*table, commit).trim_end(), elapsed)?;
                    }
                    let tidied = self.cancellable(async {
                        opened::tidy().await;
                        Ok(())
                    });
                    tidied.await?;
                }
                Outcome::Rows { schema, shown, rows, advice } => {
                    let kept = self.results.keep(&self.session, &schema, keeper)?;
                    self.cells.ran(cell, Some(self.results.count()), before, &parameters);
                    self.show(&schema, &shown, rows, format)?;
                    self.tell(rows, kept, elapsed)?;
                    if let Some(advice) = advice {
                        note(advice);
                    }
                }
            }
        }
        Ok(())
    }

    /// Runs a notebook. The results of its cells are results of the session, one for each.
    pub async fn notebook(&mut self, notebook: Notebook, name: &str) -> Result<Page> {
        let known: Vec<&str> = notebook.parameters.iter().flat_map(|parameter| parameter.names()).collect();
        let set = self.parameters.iter().filter(|(name, _)| known.contains(&name.as_str()));
        let set: BTreeMap<String, String> = set.map(|(name, typed)| (name.clone(), typed.clone())).collect();
        let watcher = Watcher::new(self.interactive);
        let (session, clock, name) = (self.session.clone(), self.moment().now, name.to_string());
        let mut watch = watcher.clone();
        let work = async move {
            let given = Given { parameters: &set, clock, now: None };
            nines_notebook::run(&session, &notebook, &name, given, &mut watch).await.map_err(|error| match error {
                RunError::Parameters(mistakes) => {
                    CliError::Usage(mistakes.join("\n").replace("give it one, ", "give it one with \\set "))
                }
                error => CliError::Failed(error.to_string()),
            })
        };
        let page = self.cancellable(work).await;
        watcher.say("");
        let last = self.results.count();
        for Ended { cell, parameters, answer: CellAnswer { schema, batches, .. } } in watcher.ended() {
            let mut result = None;
            if !schema.fields().is_empty() {
                if let Kept::Not(why) = self.results.keep(&self.session, &schema, Keeper::of(batches))? {
                    note(why);
                }
                result = Some(self.results.count());
            }
            self.cells.ran(cell, result, last, &parameters);
        }
        page
    }

    async fn execute(
        &mut self,
        statement: Statement,
        parameters: Parameters,
        format: Format,
        target: Target,
    ) -> Result<(Outcome, Keeper)> {
        let keeper = Keeper::default();
        let work = execute(self.session.clone(), statement, parameters, keeper.clone(), format, target);
        match self.cancellable(work).await {
            Err(CliError::Engine(EngineError::NoValue(name))) => Err(no_value(&name)),
            outcome => Ok((outcome?, keeper)),
        }
    }

    /// The values of `$name`. A word for a time, such as `last week`, is the instant at which that begins, as in notebooks.
    pub fn settings(&self) -> Vec<Setting> {
        let moment = self.moment();
        let mut values = Values::new(moment);
        for (name, typed) in &self.parameters {
            let kind = ParameterKind::Plain { default: Some(typed.clone()) };
            let parameter = nines_notebook::Parameter { name: name.clone(), label: None, kind };
            values.extend(parameter.resolve(&BTreeMap::new(), &[], moment).unwrap_or_default());
        }
        let setting = |(name, value): (&str, String)| {
            let typed = self.parameters.get(name).cloned().unwrap_or_default();
            Setting { name: name.to_string(), typed, value: Parameter::from_text(&value) }
        };
        values.literals().map(setting).collect()
    }

    /// Now, and where days begin.
    pub fn moment(&self) -> Moment {
        let zone = self.session.time_zone().tz();
        Moment { now: nines_engine::ingest::clock::now(), zone }
    }

    /// The rows of a query of the shell's own. It is not a result of the session.
    pub async fn query(
        &mut self,
        sql: &str,
        parameters: &[(&str, Parameter)],
    ) -> Result<(SchemaRef, Vec<RecordBatch>)> {
        let parameters: Parameters = parameters.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
        let session = self.session.clone();
        let statements = session.parse(sql)?;
        let work = async move {
            let mut rows = None;
            for statement in &statements {
                let answer = session.run(statement, &parameters).await?;
                rows = Some((Arc::clone(&answer.schema), collect(answer.batches).await?));
            }
            rows.ok_or_else(|| CliError::Usage("no statement given".to_string()))
        };
        self.cancellable(work).await
    }

    /// Shows rows that are no result of the session, as a table.
    pub fn show_table(&self, schema: &SchemaRef, rows: &[RecordBatch]) -> Result<()> {
        let table = whole(schema, rows, self.session.time_zone().name())?;
        if self.interactive { self.screen().table(table) } else { say(&format!("{table}\n")) }
    }

    /// Shows text that is laid out already.
    pub fn show_text(&self, text: &str) -> Result<()> {
        self.show_drawn(&printable(text))
    }

    /// Shows what was drawn, perhaps in colours.
    pub fn show_drawn(&self, text: &str) -> Result<()> {
        if self.interactive { self.screen().text(text) } else { say_drawn(text) }
    }

    fn screen(&self) -> Screen {
        Screen { pager: self.pager, safe: self.safe }
    }

    fn format_for(&self, target: &Target) -> Result<Format> {
        let format = match (self.format, target) {
            (Some(format), _) => format,
            (None, Target::File(file)) => Format::of_file(&file.path).unwrap_or(Format::Table),
            (None, _) => Format::Table,
        };
        match target {
            Target::Screen | Target::Stdout if format.is_binary() => {
                Err(CliError::Usage("this format is for files; name one with \\o FILE".to_string()))
            }
            Target::File(file) if format.is_binary() && file.results > 0 => Err(CliError::Usage(format!(
                "{} holds a result, and a file of this format takes one; name another with \\o FILE",
                file.path.display()
            ))),
            Target::Screen | Target::Stdout | Target::File(_) => Ok(format),
        }
    }

    fn show(&mut self, schema: &SchemaRef, shown: &[RecordBatch], rows: usize, format: Format) -> Result<()> {
        if let Some(file) = &mut self.file {
            file.results += 1;
            return Ok(());
        }
        if !self.interactive {
            return Ok(());
        }
        let time_zone = self.session.time_zone().name();
        if format == Format::Table {
            self.screen().table(whole(schema, shown, time_zone)?)?;
        } else {
            let mut text = Vec::new();
            format.write(&mut text, schema, shown, time_zone)?;
            self.screen().text(&printable(&String::from_utf8_lossy(&text)))?;
        }
        let laid_out: usize = shown.iter().map(RecordBatch::num_rows).sum();
        if rows > laid_out {
            say(&format!("the first {} of ", HumanCount(laid_out as u64)))?;
        }
        Ok(())
    }

    /// How many rows there were, under which name they are kept, and how long it took.
    fn tell(&self, rows: usize, kept: Kept, elapsed: Duration) -> Result<()> {
        let count = counted(rows as u64, "row", "rows");
        let to = self.file.as_ref().map(|file| format!(", written to {}", file.path.display())).unwrap_or_default();
        match kept {
            Kept::As(name) => self.note(&format!("{count} in {name}{to}"), elapsed),
            Kept::Not(why) => {
                self.note(&format!("{count}{to}"), elapsed)?;
                note(why);
                Ok(())
            }
        }
    }

    /// Prints `on` or `off` and the like for whoever reads along.
    pub fn told(&self, line: &str) -> Result<()> {
        if self.interactive { say(&format!("{line}\n")) } else { Ok(()) }
    }

    /// A line for whoever reads along, with the time that it took.
    pub fn note(&self, line: &str, elapsed: Duration) -> Result<()> {
        let time = spoken(elapsed);
        match (self.interactive, self.timing) {
            (true, true) => say(&format!("{line} ({time})\n")),
            (true, false) => say(&format!("{line}\n")),
            // Results are for a program then; it reads them from the other stream.
            (false, true) => {
                note(time);
                Ok(())
            }
            (false, false) => Ok(()),
        }
    }

    /// Does something that Ctrl-C ends. On threads of its own, so that what does not yield cannot hold up the shell.
    async fn cancellable<T: Send + 'static>(
        &mut self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        // Of before: the pager was interrupted, or a statement that had just ended.
        while self.interrupts.recv().now_or_never().is_some() {}
        let begun = landed::begun(&self.session);
        let mut task = tokio::spawn(work);
        let done = tokio::select! {
            biased;
            _ = self.interrupts.recv() => None,
            done = &mut task => Some(done),
        };
        match done {
            Some(Ok(done)) => {
                opened::tell_notices();
                return done;
            }
            Some(Err(failed)) => {
                if let Ok(panic) = failed.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
            }
            None => {
                self.session.cancel();
                task.abort();
                // Its memory is free and its rows are stored or not once it has ended.
                self.ended(task).await;
            }
        }
        Err(CliError::Interrupted(Landed::since(&self.session, begun).await))
    }

    /// Waits for a statement that was cancelled. If it does not end, another Ctrl-C leaves the shell: what still computes may
    /// be let go where the program ends with it, and nowhere else.
    async fn ended<T>(&mut self, mut task: JoinHandle<T>) {
        let begun = Instant::now();
        let mut told = false;
        loop {
            tokio::select! {
                _ = &mut task => return,
                _ = tokio::time::sleep(PATIENCE), if !told => {
                    told = true;
                    note_over("cancelled, but it does not end yet; Ctrl-C again leaves the shell");
                }
                _ = self.interrupts.recv() => {
                    if begun.elapsed() < PATIENCE {
                        continue;
                    }
                    let interrupted = CliError::Interrupted(Landed::since(&self.session, 0).await);
                    note_over(&interrupted);
                    std::process::exit(i32::from(interrupted.exit_code()));
                }
            }
        }
    }
}

/// What to do about a parameter without a value.
pub(super) fn no_value(name: &str) -> CliError {
    CliError::Usage(format!("${name} has no value; give it one with \\set {name} VALUE"))
}

/// Settings as the engine takes them.
pub(super) fn parameters(settings: &[Setting]) -> Parameters {
    settings.iter().map(|setting| (setting.name.clone(), setting.value.clone())).collect()
}

/// Runs a statement and lets its rows go where they shall.
async fn execute(
    session: Session,
    statement: Statement,
    parameters: Parameters,
    keeper: Keeper,
    format: Format,
    target: Target,
) -> Result<Outcome> {
    let answer = session.run(&statement, &parameters).await?;
    let sources = answer.sources();
    if let Some(receipt) = answer.receipt() {
        collect(answer.batches).await?;
        return Ok(Outcome::Stored(receipt));
    }
    if answer.schema.fields().is_empty() {
        collect(answer.batches).await?;
        return Ok(Outcome::Done);
    }
    let schema = Arc::clone(&answer.schema);
    let batches = keeper.watch(answer.batches);
    let time_zone = session.time_zone().name();
    let mut shown = Vec::new();
    let rows = match target {
        Target::Screen => first(batches, &mut shown).await?,
        Target::Stdout => Output { format, file: None, time_zone }.write(Arc::clone(&schema), batches).await?,
        Target::File(file) if file.results == 0 => {
            Output { format, file: Some(&file.path), time_zone }.write(Arc::clone(&schema), batches).await?
        }
        Target::File(file) => append(&file, Output { format, file: None, time_zone }, &schema, batches).await?,
    };
    Ok(Outcome::Rows { schema, shown, rows, advice: sources.advice().filter(|_| rows == 0) })
}

/// Reads to the end, and holds what can be shown: a row at least, however long.
async fn first(mut batches: SendableRecordBatchStream, shown: &mut Vec<RecordBatch>) -> Result<usize> {
    let (mut rows, mut bytes, mut full) = (0, 0, false);
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        let wanted = MOST_ROWS.saturating_sub(rows).min(batch.num_rows());
        let mut left = if full { 0 } else { wanted };
        while left > usize::from(shown.is_empty()) && bytes + bytes_of(&batch.slice(0, left)) > MOST_BYTES {
            left /= 2;
        }
        full = full || left < wanted;
        if left > 0 {
            shown.push(batch.slice(0, left));
            bytes += bytes_of(&batch.slice(0, left));
        }
        rows += batch.num_rows();
    }
    Ok(rows)
}

/// Adds a result at the end of a file, as soon as it is complete.
async fn append(
    file: &ResultFile,
    output: Output<'_>,
    schema: &SchemaRef,
    batches: SendableRecordBatchStream,
) -> Result<usize> {
    use std::io::{Seek, copy};
    let name = file.path.display();
    let mut whole = doing(&name, tempfile::tempfile())?;
    let writer = Box::new(std::io::BufWriter::new(doing(&name, whole.try_clone())?));
    let rows = output.pump(Arc::clone(schema), batches, writer, false).await?;
    doing(&name, whole.rewind())?;
    let mut target = doing(&name, std::fs::OpenOptions::new().append(true).create(true).open(&file.path))?;
    doing(&name, copy(&mut whole, &mut target).and_then(|_| target.flush()))?;
    Ok(rows)
}

/// A time as people say it.
fn spoken(elapsed: Duration) -> String {
    match elapsed.as_secs_f64() {
        seconds if seconds < 1.0 => format!("{} ms", elapsed.as_millis()),
        seconds if seconds < 60.0 => format!("{seconds:.2} s"),
        seconds => duration(seconds),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{ArrayRef, StringViewArray};
    use datafusion::physical_plan::stream::RecordBatchStreamAdapter;

    use super::*;

    #[tokio::test]
    async fn what_is_shown_is_bounded_in_rows_and_bytes() {
        for (long, batches, least, most) in [(10, 40, 10_000, 10_000), (50_000, 3, 500, 700), (40 << 20, 1, 1, 1)] {
            let rows = if long > 1 << 20 { 2 } else { 500 };
            let texts: ArrayRef = Arc::new(StringViewArray::from_iter_values((0..rows).map(|_| "x".repeat(long))));
            let batch = RecordBatch::try_from_iter([("text", texts)]).unwrap();
            let all = futures::stream::iter(vec![batch.clone(); batches]).map(Ok);
            let mut shown = Vec::new();
            let stream = Box::pin(RecordBatchStreamAdapter::new(batch.schema(), all));
            assert_eq!(first(stream, &mut shown).await.unwrap(), rows * batches);
            let shown: usize = shown.iter().map(RecordBatch::num_rows).sum();
            assert!((least..=most).contains(&shown), "{shown} rows of {long} bytes");
        }
    }
}

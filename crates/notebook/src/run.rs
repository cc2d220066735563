//! Runs a notebook in an engine: parameters get their values, cells their results, and the page holds both.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;
use nines_engine::datafusion::arrow::array::{Array, AsArray, RecordBatch};
use nines_engine::datafusion::arrow::compute::cast;
use nines_engine::datafusion::arrow::datatypes::{DataType, Schema};
use nines_engine::{EngineError, HeldMemory, Parameter as Bound, Parameters, Session};
use thiserror::Error;

use crate::cell::Cell;
use crate::columns::{self, Kind};
use crate::format;
use crate::moment::Moment;
use crate::notebook::{Block, Notebook};
use crate::page::{CellAnswer, Page};
use crate::parameter::{Parameter, ParameterKind, Values};
use crate::unit::Unit;

/// Why a notebook did not begin to run. What goes wrong in a cell stands on the page instead.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// What is wrong with the parameters, one sentence each.
    #[error("{}", .0.join("\n"))]
    Parameters(Vec<String>),
    /// The query of a parameter, or that for `now`, failed.
    #[error("the query of {of} failed: {}", format::printable(&error.to_string()))]
    Query {
        /// Whose it is.
        of: String,
        /// What went wrong.
        #[source]
        error: EngineError,
    },
}

/// What a notebook is run with.
#[derive(Debug, Clone, Copy)]
pub struct Given<'g> {
    /// Values of parameters by name.
    pub parameters: &'g BTreeMap<String, String>,
    /// What the clock shows, in µs.
    pub clock: i64,
    /// What relative times are told against: without it the clock, or the newest data where the notebook asks for that.
    pub now: Option<i64>,
}

/// Follows a notebook while it runs. A closure that takes two numbers is one that looks at [`Watch::begins`] only.
pub trait Watch: Send {
    /// Which cell of how many is about to run.
    fn begins(&mut self, at: usize, of: usize);

    /// What a cell answered, and the values that parameters had in it. One that failed answers nothing.
    fn answered(&mut self, _cell: &Cell, _parameters: &Parameters, _answer: &CellAnswer) {}
}

impl<F: FnMut(usize, usize) + Send> Watch for F {
    fn begins(&mut self, at: usize, of: usize) {
        self(at, of);
    }
}

/// Runs a notebook; `name` is what the page is called if the notebook does not say. A cell that fails does not keep the
/// others from running. All rows of all cells are held at once, within the memory that the session may use.
pub async fn run<W: Watch + ?Sized>(
    session: &Session,
    notebook: &Notebook,
    name: &str,
    given: Given<'_>,
    watch: &mut W,
) -> Result<Page, RunError> {
    let unknown = notebook.unknown(given.parameters);
    if !unknown.is_empty() {
        return Err(RunError::Parameters(unknown));
    }
    // What an earlier notebook left under a name must not stand in for a cell that fails in this one.
    let names = notebook.blocks.iter().filter_map(|block| match block {
        Block::Cell(cell) => cell.name.as_deref(),
        Block::Text(_) => None,
    });
    for name in names {
        session.forget(name).map_err(|error| RunError::Query { of: name.to_string(), error })?;
    }
    // What one cell evaluated, the next ones need not.
    let _sharing = session.sharing();
    let moment = moment(session, notebook, given).await?;
    let (values, parameters) = resolve(session, notebook, given.parameters, moment).await?;
    let mut page = Page::new(notebook, &values, name);
    let zone = moment.zone;
    page.made = Some(format!(
        "Made at {} with Nines {}, as of {}. Times in {zone}.",
        format::instant(whole_minute(given.clock), zone),
        env!("CARGO_PKG_VERSION"),
        format::instant(whole_minute(moment.now), zone),
    ));
    let cells = notebook.blocks.iter().filter(|block| matches!(block, Block::Cell(_))).count();
    let (mut at, mut held) = (0, Vec::new());
    for block in &notebook.blocks {
        match block {
            Block::Text(text) => page.text(text, &values),
            Block::Cell(cell) => {
                at += 1;
                watch.begins(at, cells);
                let outcome = answer(session, cell, &parameters, &mut held).await;
                if let Ok(answer) = &outcome {
                    watch.answered(cell, &parameters, answer);
                }
                page.cell(cell, outcome.map_err(|error| format::printable(&error.to_string())));
            }
        }
    }
    if let (Some(made), Some(read)) = (&mut page.made, session.as_of()) {
        made.push_str(&format!(" Read {read}."));
    }
    Ok(page)
}

/// The result of a cell's last statement that has columns, kept under its name. What it takes joins what is held.
async fn answer(
    session: &Session,
    cell: &Cell,
    parameters: &Parameters,
    held: &mut Vec<HeldMemory>,
) -> Result<CellAnswer, EngineError> {
    let mut last = None;
    for statement in session.parse(&cell.sql)? {
        let (answer, room, stored) = asked(session, statement, parameters).await?;
        if !stored && !answer.schema.fields().is_empty() {
            last = Some((answer, room));
        }
    }
    let answer = match last {
        Some((answer, room)) => {
            held.push(room);
            answer
        }
        None => CellAnswer { schema: Arc::new(Schema::empty()), batches: Vec::new(), advice: None },
    };
    if let Some(name) = &cell.name {
        session.keep(name, Arc::clone(&answer.schema), answer.batches.clone())?;
    }
    Ok(answer)
}

/// The rows of a statement, the memory that they take, and whether it stored something instead of answering.
async fn asked(
    session: &Session,
    statement: nines_engine::Statement,
    parameters: &Parameters,
) -> Result<(CellAnswer, HeldMemory, bool), EngineError> {
    let held = session.hold("rows of a notebook");
    let running = session.run(&statement, parameters).await?;
    let (schema, sources, stored) = (Arc::clone(&running.schema), running.sources(), running.receipt().is_some());
    let batches = held.collect(running.batches).await?;
    Ok((CellAnswer { schema, batches, advice: sources.advice() }, held, stored))
}

/// The rows of a query of the front matter.
async fn query(session: &Session, of: &str, sql: &str, parameters: &Parameters) -> Result<CellAnswer, RunError> {
    let failed = |error| RunError::Query { of: of.to_string(), error };
    let mut last = None;
    for statement in session.parse(sql).map_err(failed)? {
        last = Some(asked(session, statement, parameters).await.map_err(failed)?.0);
    }
    last.ok_or_else(|| failed(EngineError::Usage("no statement given".to_string())))
}

fn whole_minute(at: i64) -> i64 {
    at - at.rem_euclid(60_000_000)
}

/// What relative times are told against: the newest data, where the notebook asks for it and has any.
async fn moment(session: &Session, notebook: &Notebook, given: Given<'_>) -> Result<Moment, RunError> {
    let zone: Tz = session.time_zone().tz();
    // As of an earlier time it is that time.
    let clock = if session.settings().as_of.is_some() { session.now() } else { given.clock };
    let mut now = given.now.unwrap_or(clock);
    if let Some(sql) = notebook.now.as_ref().filter(|_| given.now.is_none()) {
        let newest = query(session, "now", sql, &Parameters::default()).await?;
        let column = newest.batches.first().filter(|batch| batch.num_rows() > 0).map(|batch| batch.column(0));
        match column {
            Some(column) if columns::kind(column.data_type()) == Kind::Time => {
                now = columns::instants(column, zone).first().copied().flatten().map_or(now, |newest| newest.min(now));
            }
            Some(column) if *column.data_type() != DataType::Null => {
                let problem = format!("it must return one instant, got {}", column.data_type());
                return Err(RunError::Query { of: "now".to_string(), error: EngineError::Usage(problem) });
            }
            _ => {}
        }
    }
    Ok(Moment { now, zone })
}

/// The values of all parameters, as a page shows them and as SQL takes them; a query may use those before it.
async fn resolve(
    session: &Session,
    notebook: &Notebook,
    given: &BTreeMap<String, String>,
    moment: Moment,
) -> Result<(Values, Parameters), RunError> {
    let (mut values, mut bound, mut mistakes) = (Values::new(moment), Parameters::default(), Vec::new());
    for parameter in &notebook.parameters {
        let (mut returned, mut advice) = (Vec::new(), None);
        // What a query answers to half of the parameters says nothing.
        if let Some(sql) = parameter.query().filter(|_| mistakes.is_empty()) {
            let answer = query(session, &format!("parameter {}", parameter.name), sql, &bound).await?;
            returned = texts(&answer.batches, moment.zone);
            advice = answer.advice;
        } else if parameter.query().is_some() {
            continue;
        }
        match parameter.resolve(given, &returned, moment) {
            Ok(found) => {
                values.extend(found);
                bind(parameter, &values, &mut bound);
            }
            Err(mistake) => {
                let advice = advice.filter(|_| returned.is_empty());
                let mistake = format::printable(&mistake);
                mistakes.push(advice.map_or(mistake.clone(), |advice| format!("{mistake}: {advice}")));
            }
        }
    }
    if mistakes.is_empty() { Ok((values, bound)) } else { Err(RunError::Parameters(mistakes)) }
}

fn bind(parameter: &Parameter, values: &Values, bound: &mut Parameters) {
    let own = parameter.names();
    for (name, literal) in values.literals().filter(|(name, _)| own.contains(name)) {
        // A service that is called 12 is a name, as is the year 2026 as a period.
        let value = match parameter.kind {
            ParameterKind::Choice { .. } | ParameterKind::Range { .. } => Bound::Text(literal),
            ParameterKind::Plain { .. } => Bound::from_text(&literal),
        };
        bound.set(name, value);
    }
}

/// The first column as text: names and numbers to the letter, for they are compared with what is stored.
fn texts(batches: &[RecordBatch], zone: Tz) -> Vec<String> {
    let mut texts = Vec::new();
    for column in batches.iter().filter(|batch| batch.num_columns() > 0).map(|batch| batch.column(0)) {
        let exact = match columns::kind(column.data_type()) {
            Kind::Text | Kind::Number => cast(column, &DataType::Utf8).ok(),
            Kind::Time | Kind::Bool | Kind::Timeline | Kind::List | Kind::Struct | Kind::Other => None,
        };
        match exact {
            Some(exact) => texts.extend(exact.as_string::<i32>().iter().flatten().map(str::to_string)),
            None => texts.extend((0..column.len()).filter_map(|row| format::value(column, row, &Unit::None, zone))),
        }
    }
    texts
}

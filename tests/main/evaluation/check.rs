//! Answers of the engine beside those of the model.

use std::collections::BTreeSet;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampMicrosecondType};

/// A value of an answer. Instants are µs.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub enum Cell {
    Null,
    Text(String),
    Int(i64),
    Float(f64),
    Flag(bool),
    List(Vec<Cell>),
}

impl Cell {
    pub fn text(text: &str) -> Cell {
        Cell::Text(text.to_string())
    }

    /// Equal; floats to nine digits, since sums of ratios depend on their order.
    fn same(&self, other: &Cell) -> bool {
        match (self, other) {
            (Cell::Float(a), Cell::Float(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-3),
            (Cell::List(a), Cell::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b)),
            (a, b) => a == b,
        }
    }
}

/// The rows of an answer.
pub fn rows(batches: &[RecordBatch]) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    for batch in batches {
        let columns: Vec<Vec<Cell>> = batch.columns().iter().map(|column| cells(column)).collect();
        rows.extend((0..batch.num_rows()).map(|row| columns.iter().map(|cells| cells[row].clone()).collect()));
    }
    rows
}

fn cells(values: &dyn Array) -> Vec<Cell> {
    let cell = |row: usize, value: Cell| if values.is_null(row) { Cell::Null } else { value };
    let count = values.len();
    match values.data_type() {
        DataType::Utf8View => (0..count).map(|row| cell(row, Cell::text(values.as_string_view().value(row)))).collect(),
        DataType::Utf8 => (0..count).map(|row| cell(row, Cell::text(values.as_string::<i32>().value(row)))).collect(),
        DataType::Int64 => {
            (0..count).map(|row| cell(row, Cell::Int(values.as_primitive::<Int64Type>().value(row)))).collect()
        }
        DataType::Float64 => {
            (0..count).map(|row| cell(row, Cell::Float(values.as_primitive::<Float64Type>().value(row)))).collect()
        }
        DataType::Boolean => (0..count).map(|row| cell(row, Cell::Flag(values.as_boolean().value(row)))).collect(),
        DataType::Timestamp(..) => {
            let times = values.as_primitive::<TimestampMicrosecondType>();
            (0..count).map(|row| cell(row, Cell::Int(times.value(row)))).collect()
        }
        DataType::List(_) => {
            let lists = values.as_list::<i32>();
            (0..count).map(|row| cell(row, Cell::List(cells(&lists.value(row))))).collect()
        }
        DataType::Struct(_) => {
            let fields: Vec<Vec<Cell>> = values.as_struct().columns().iter().map(|field| cells(field)).collect();
            (0..count)
                .map(|row| cell(row, Cell::List(fields.iter().map(|field| field[row].clone()).collect())))
                .collect()
        }
        other => panic!("no cell of type {other}"),
    }
}

/// What differs, `None` if nothing does. Rows come in any order.
pub fn difference(mut session: Vec<Vec<Cell>>, mut model: Vec<Vec<Cell>>) -> Option<String> {
    let order = |a: &Vec<Cell>, b: &Vec<Cell>| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal);
    session.sort_by(order);
    model.sort_by(order);
    let same = |(a, b): (&Vec<Cell>, &Vec<Cell>)| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b));
    if session.len() == model.len() && session.iter().zip(&model).all(same) {
        return None;
    }
    // Rows as text, since a slow comparison of each with each would hide what it should show.
    let texts = |rows: &[Vec<Cell>]| rows.iter().map(|row| shown(row)).collect::<BTreeSet<String>>();
    let (ours, theirs) = (texts(&session), texts(&model));
    let only = |these: &BTreeSet<String>, those: &BTreeSet<String>| {
        let rows: Vec<&String> = these.difference(those).collect();
        let few: Vec<String> = rows.iter().take(4).map(|row| format!("    {row}")).collect();
        format!("{}\n{}", rows.len(), few.join("\n"))
    };
    Some(format!(
        "of {} and {} rows differ: engine {}\n  model {}",
        session.len(),
        model.len(),
        only(&ours, &theirs),
        only(&theirs, &ours)
    ))
}

/// Instants as people read them.
fn shown(row: &[Cell]) -> String {
    let cell = |cell: &Cell| match cell {
        Cell::Int(at) if *at > 1_000_000_000_000_000 => super::calendar::instant(*at).replace(":00.000000Z", "Z"),
        Cell::List(list) => format!("[{}]", shown(list)),
        Cell::Float(float) => format!("{float:.9}"),
        other => format!("{other:?}"),
    };
    row.iter().map(cell).collect::<Vec<_>>().join(" ")
}

//! Old and new rows in key order in, the rows that hold from now on out.
//!
//! All rows of a unit agree in the first columns of the key ([`TableKind::group`]), so units never reach across the
//! rows of such a group. Groups are collected until they are whole, several at a time; memory is the largest group
//! of a partition plus a batch. Per row this costs one encoding of its key and, where a group has both old and new rows, one
//! lookup of its unit.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch, StringViewArray, UInt32Array};
use datafusion::arrow::compute::{concat_batches, filter_record_batch, take};
use datafusion::arrow::datatypes::{Int32Type, SchemaRef, TimestampMicrosecondType};
use datafusion::arrow::row::{RowConverter, Rows, SortField};
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;

use super::overlap::Scopes;
use super::rule::Span;
use super::scan::NEW;
use crate::commit::Changes;
use crate::error::{Result, StoreError};
use crate::pieces::{piece_of, plain};
use crate::write::{Combine, Layout};

/// Which stored rows rows of a batch take the place of.
#[derive(Debug, Clone)]
pub(super) enum Means {
    /// Those of their units, pieces included.
    Replace,
    /// None: rows of the same key are combined.
    Merge,
    /// Those of a span.
    Span(Arc<Span>),
}

/// The rows of a merge.
pub(super) struct Resolve {
    input: SendableRecordBatchStream,
    schema: SchemaRef,
    group: Encode,
    unit: Encode,
    key: Encode,
    /// `None` if only keys are read.
    measures: Option<Encode>,
    origin: usize,
    means: Means,
    combine: Option<Combine>,
    scopes: Scopes,
    /// Rows of the last group, which may go on.
    pending: Vec<RecordBatch>,
    ended: bool,
    /// Which stored files hold rows of units of the batch.
    pub touched: BTreeSet<usize>,
    /// What the merge changes. Complete at the end; without measures, rows that stay are counted as replaced.
    pub changes: Changes,
}

impl Resolve {
    /// Only looks for what is shared.
    pub(super) fn keys(layout: &Layout, input: SendableRecordBatchStream, means: Means) -> Result<Self> {
        Self::new(layout, input, means, false)
    }

    /// Merges whole rows.
    pub(super) fn rows(layout: &Layout, input: SendableRecordBatchStream, means: Means) -> Result<Self> {
        Self::new(layout, input, means, true)
    }

    fn new(layout: &Layout, input: SendableRecordBatchStream, means: Means, measures: bool) -> Result<Self> {
        let (kind, schema) = (layout.kind(), input.schema());
        let key = kind.key();
        let measured = kind.measures().iter().map(|(name, _)| *name);
        Ok(Self {
            group: Encode::new(&schema, key[..kind.group()].iter().copied())?,
            unit: Encode::new(&schema, kind.unit())?,
            key: Encode::new(&schema, key.iter().copied())?,
            measures: measures.then(|| Encode::new(&schema, measured)).transpose()?,
            origin: schema.fields().len() - 1,
            combine: match means {
                Means::Merge if measures => Some(Combine::new(kind, Arc::clone(&schema))?),
                Means::Replace | Means::Merge | Means::Span(_) => None,
            },
            means,
            scopes: Scopes::new(kind),
            schema,
            input,
            pending: Vec::new(),
            ended: false,
            touched: BTreeSet::new(),
            changes: Changes::default(),
        })
    }

    /// The next rows that hold, in key order, without their origin.
    pub(super) async fn next(&mut self) -> Result<Option<RecordBatch>> {
        while !self.ended {
            let whole = match self.input.next().await.transpose()? {
                Some(batch) if batch.num_rows() == 0 => continue,
                Some(batch) => self.whole_groups(batch)?,
                None => {
                    self.ended = true;
                    std::mem::take(&mut self.pending)
                }
            };
            if whole.is_empty() {
                continue;
            }
            let rows = concat_batches(&self.schema, &whole)?;
            let held = self.hold(&rows)?;
            let columns: Vec<usize> = (0..self.origin).collect();
            if held.num_rows() > 0 {
                return Ok(Some(held.project(&columns)?));
            }
        }
        Ok(None)
    }

    /// Takes a batch; gives the rows of groups that are complete with it.
    fn whole_groups(&mut self, batch: RecordBatch) -> Result<Vec<RecordBatch>> {
        let groups = self.group.rows(&batch)?;
        let last = batch.num_rows() - 1;
        let start = (0..last).rev().find(|&row| groups.row(row) != groups.row(last)).map_or(0, |row| row + 1);
        if start == 0 {
            let goes_on = match self.pending.last() {
                Some(before) => self.group.rows(&before.slice(0, 1))?.row(0).data() == groups.row(0).data(),
                None => true,
            };
            let whole = if goes_on { Vec::new() } else { std::mem::take(&mut self.pending) };
            self.pending.push(batch);
            return Ok(whole);
        }
        let mut whole = std::mem::take(&mut self.pending);
        whole.push(batch.slice(0, start));
        self.pending.push(batch.slice(start, batch.num_rows() - start));
        Ok(whole)
    }

    /// The rows of whole groups that hold from now on.
    fn hold(&mut self, rows: &RecordBatch) -> Result<RecordBatch> {
        let origins = rows.column(self.origin).as_primitive::<Int32Type>().values();
        let new = origins.iter().filter(|&&origin| origin == NEW).count();
        let touched = match &self.means {
            Means::Span(span) => self.spanned(rows, span),
            Means::Replace | Means::Merge if new == 0 || new == rows.num_rows() => vec![false; rows.num_rows()],
            Means::Replace | Means::Merge => self.of_units(rows)?,
        };
        if !touched.contains(&true) {
            self.changes.added += new as u64;
            return Ok(rows.clone());
        }
        let keys = self.key.rows(rows)?;
        self.count(rows, &keys, &touched)?;
        let files = touched.iter().zip(origins).filter(|(touched, _)| **touched).map(|(_, &origin)| origin as usize);
        self.touched.extend(files);
        if let Some(combine) = &mut self.combine {
            // Keys never reach across groups, so each is whole.
            let combined = [combine.push(Some(rows.clone()))?, combine.push(None)?].concat();
            return Ok(concat_batches(&self.schema, &combined)?);
        }
        let stay = BooleanArray::from_iter(touched.iter().map(|touched| Some(!touched)));
        Ok(filter_record_batch(rows, &stay)?)
    }

    /// Which rows are stored ones of the batch's units, or of pieces of their sources.
    fn of_units(&self, rows: &RecordBatch) -> Result<Vec<bool>> {
        let origins = rows.column(self.origin).as_primitive::<Int32Type>().values();
        let units = self.unit.rows(rows)?;
        let is_new = |row: usize| origins[row] == NEW;
        let batch: HashSet<&[u8]> =
            (0..rows.num_rows()).filter(|&row| is_new(row)).map(|row| units.row(row).data()).collect();
        let mut touched: Vec<bool> =
            (0..rows.num_rows()).map(|row| !is_new(row) && batch.contains(units.row(row).data())).collect();
        let Ok(source) = self.schema.index_of("source") else { return Ok(touched) };
        let sources = rows.column(source).as_string_view();
        let is_piece = |row: usize| piece_of(sources.value(row)).is_some();
        if !(0..rows.num_rows()).any(|row| !is_new(row) && is_piece(row)) {
            return Ok(touched);
        }
        // A piece is also of the unit of its plain source, if that is what the batch speaks for.
        let plain_sources =
            StringViewArray::from_iter_values((0..rows.num_rows()).map(|row| plain(sources.value(row))));
        let mut columns = rows.columns().to_vec();
        columns[source] = Arc::new(plain_sources);
        let of_plain = self.unit.rows(&RecordBatch::try_new(rows.schema(), columns)?)?;
        let spoken_for: HashSet<&[u8]> = (0..rows.num_rows())
            .filter(|&row| is_new(row) && !is_piece(row))
            .map(|row| of_plain.row(row).data())
            .collect();
        for (row, touched) in touched.iter_mut().enumerate() {
            *touched |= !is_new(row) && is_piece(row) && spoken_for.contains(of_plain.row(row).data());
        }
        Ok(touched)
    }

    /// Which rows are stored ones of the span.
    fn spanned(&self, rows: &RecordBatch, span: &Span) -> Vec<bool> {
        let origins = rows.column(self.origin).as_primitive::<Int32Type>().values();
        let times = rows["time"].as_primitive::<TimestampMicrosecondType>().values();
        let within = |row: usize| (span.from..=span.to).contains(&times[row]);
        let of_span = |row| origins[row] != NEW && within(row) && span.scopes.contains(&self.scopes.of(rows, row));
        (0..rows.num_rows()).map(of_span).collect()
    }

    /// Counts what becomes of the rows of one key: stored ones first, then that of the batch.
    fn count(&mut self, rows: &RecordBatch, keys: &Rows, touched: &[bool]) -> Result<()> {
        let origins = rows.column(self.origin).as_primitive::<Int32Type>().values();
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for row in 0..rows.num_rows() {
            let replaced = row > 0 && origins[row] == NEW && touched[row - 1] && keys.row(row - 1) == keys.row(row);
            if replaced {
                old.push(row as u32 - 1);
                new.push(row as u32);
            }
            match origins[row] == NEW {
                true if !replaced => self.changes.added += 1,
                false if touched[row] => self.changes.removed += 1,
                _ => {}
            }
        }
        self.changes.removed -= old.len() as u64;
        let same = match &self.measures {
            // What was added to is another row, whatever it was before.
            Some(_) if matches!(self.means, Means::Merge) => 0,
            Some(measures) => {
                let (old, new) = (measures.rows_at(rows, old.clone())?, measures.rows_at(rows, new)?);
                old.iter().zip(new.iter()).filter(|(old, new)| old.data() == new.data()).count()
            }
            None => 0,
        };
        self.changes.unchanged += same as u64;
        self.changes.replaced += (old.len() - same) as u64;
        Ok(())
    }
}

/// Some columns of a batch as comparable bytes.
struct Encode {
    converter: RowConverter,
    columns: Vec<usize>,
}

impl Encode {
    fn new(schema: &SchemaRef, names: impl IntoIterator<Item = &'static str>) -> Result<Self> {
        let columns: Vec<usize> = names.into_iter().map(|name| Ok(schema.index_of(name)?)).collect::<Result<_>>()?;
        let fields = columns.iter().map(|&at| SortField::new(schema.field(at).data_type().clone())).collect();
        let converter = RowConverter::new(fields)
            .map_err(|error| StoreError::internal(format!("a column cannot be compared: {error}")))?;
        Ok(Self { converter, columns })
    }

    fn rows(&self, batch: &RecordBatch) -> Result<Rows> {
        let columns: Vec<ArrayRef> = self.columns.iter().map(|&at| Arc::clone(batch.column(at))).collect();
        Ok(self.converter.convert_columns(&columns)?)
    }

    fn rows_at(&self, batch: &RecordBatch, rows: Vec<u32>) -> Result<Rows> {
        let rows = UInt32Array::from(rows);
        let columns = self.columns.iter().map(|&at| Ok(take(batch.column(at), &rows, None)?));
        Ok(self.converter.convert_columns(&columns.collect::<Result<Vec<_>>>()?)?)
    }
}

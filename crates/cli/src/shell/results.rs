//! Results that later statements can read: `_1`, `_2` …, and `_`, the last of them. They stay in memory, within bounds.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;
use nines_engine::{Session, bytes_of};

use crate::error::Result;

/// Most bytes of one kept result, and of all of them together.
const ONE: usize = 64 << 20;
const ALL: usize = 256 << 20;

/// The last result's name.
const LAST: &str = "_";

/// Columns and rows, all in memory.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    pub schema: SchemaRef,
    pub batches: Vec<RecordBatch>,
}

/// What became of a result.
#[derive(Debug)]
pub(super) enum Kept {
    /// Under this name.
    As(String),
    /// Why it could not be.
    Not(String),
}

#[derive(Default)]
pub(super) struct Results {
    /// How many there were.
    count: usize,
    /// Number and bytes of those that are kept, the oldest first.
    kept: VecDeque<(usize, usize)>,
    last: Option<Rows>,
}

impl Results {
    /// The last one, if it is kept.
    pub fn last(&self) -> Option<&Rows> {
        self.last.as_ref()
    }

    /// The number of the last one, whether or not it could be kept.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Makes tables of a result; the oldest ones make room for it.
    pub fn keep(&mut self, session: &Session, schema: &SchemaRef, keeper: Keeper) -> Result<Kept> {
        self.count += 1;
        let name = format!("{LAST}{}", self.count);
        // Whatever stands in the way of keeping it, the one before is not the last one any more.
        self.last = None;
        session.forget(LAST)?;
        let Some((batches, bytes)) = keeper.take() else {
            return Ok(Kept::Not(format!(
                "too large to be kept as {name}, over {} MiB; narrow it down, or write it to a file with \\o",
                ONE >> 20
            )));
        };
        let mut names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Ok(Kept::Not(format!(
                "not kept as {name}: two columns are called {}; name them with AS",
                twice[0]
            )));
        }
        session.keep(&name, Arc::clone(schema), batches.clone())?;
        session.keep(LAST, Arc::clone(schema), batches.clone())?;
        self.last = Some(Rows { schema: Arc::clone(schema), batches });
        self.kept.push_back((self.count, bytes));
        while self.kept.iter().map(|(_, bytes)| bytes).sum::<usize>() > ALL {
            let Some((oldest, _)) = self.kept.pop_front() else { break };
            session.forget(&format!("{LAST}{oldest}"))?;
        }
        Ok(Kept::As(name))
    }
}

/// Holds the rows of a result that goes by, until they are too many.
#[derive(Debug, Clone, Default)]
pub(super) struct Keeper(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    batches: Vec<RecordBatch>,
    bytes: usize,
}

impl Held {
    fn add(&mut self, batch: &RecordBatch) {
        self.bytes += bytes_of(batch);
        if self.bytes <= ONE {
            self.batches.push(batch.clone());
        } else {
            self.batches = Vec::new();
        }
    }
}

impl Keeper {
    /// Holds rows that are there already.
    pub fn of(batches: Vec<RecordBatch>) -> Keeper {
        let mut held = Held::default();
        batches.iter().for_each(|batch| held.add(batch));
        Keeper(Arc::new(Mutex::new(held)))
    }

    /// The same stream, its rows held on their way.
    pub fn watch(&self, batches: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let held = Arc::clone(&self.0);
        let schema = batches.schema();
        let batches = batches.inspect(move |batch| {
            let Ok(batch) = batch else { return };
            held.lock().unwrap_or_else(PoisonError::into_inner).add(batch);
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, batches))
    }

    /// The rows and their bytes, unless they were too many.
    fn take(&self) -> Option<(Vec<RecordBatch>, usize)> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (held.bytes <= ONE).then(|| (std::mem::take(&mut held.batches), held.bytes))
    }
}

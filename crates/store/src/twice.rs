//! A key that two rows of a partition have: its rows count twice, because reads never deduplicate.

use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int32Type;
use datafusion::arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::execution::TaskContext;
use futures::StreamExt;

use crate::error::{Result, StoreError};
use crate::log::DataFile;
use crate::rules::key_of;
use crate::table::Table;
use crate::upsert::{ORIGIN, Scan};

/// A key and two files that have it; both may be the same.
#[derive(Debug)]
pub(crate) struct Twice<'a> {
    pub key: String,
    pub files: (&'a DataFile, &'a DataFile),
}

impl Table {
    /// A key that is twice in these files of a partition; `None` if each is there once.
    pub(crate) async fn twice<'a>(&self, files: &[&'a DataFile], task: &Arc<TaskContext>) -> Result<Option<Twice<'a>>> {
        let layout = self.layout(false);
        let scan = Scan { layout: &layout, objects: self.objects(), task };
        let mut keys = scan.keys_where(&[], files, None)?;
        let schema = keys.schema();
        let origin = schema.index_of(ORIGIN)?;
        let fields = schema.fields()[..origin].iter().map(|field| SortField::new(field.data_type().clone()));
        let converter = RowConverter::new(fields.collect())?;
        let mut last: Option<(OwnedRow, i32)> = None;
        let of = |origin: i32| usize::try_from(origin).ok().and_then(|at| files.get(at)).copied();
        while let Some(batch) = keys.next().await.transpose()? {
            let encoded = converter.convert_columns(&batch.columns()[..origin])?;
            let origins = batch.column(origin).as_primitive::<Int32Type>().values();
            for (at, (row, &from)) in encoded.iter().zip(origins).enumerate() {
                if let Some((_, other)) = last.as_ref().filter(|(before, _)| before.row() == row) {
                    let files = of(*other).zip(of(from));
                    let files = files.ok_or_else(|| StoreError::internal("a row is of no file"))?;
                    return Ok(Some(Twice { key: key_of(self.kind(), &batch, at), files }));
                }
                last = Some((row.owned(), from));
            }
        }
        Ok(None)
    }
}

//! Rows that are kept in memory after their statement, counted against the session's limit.

use datafusion::arrow::array::{Array, ArrayData, AsArray, RecordBatch, make_array};
use datafusion::arrow::datatypes::DataType;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use futures::StreamExt;

use crate::{Result, Session};

/// What somebody holds. The memory is given back when this is dropped.
#[derive(Debug)]
pub struct HeldMemory(MemoryReservation);

impl Session {
    /// Begins to hold rows; `what` names them where the limit is reached.
    pub fn hold(&self, what: &str) -> HeldMemory {
        HeldMemory(MemoryConsumer::new(what).register(&self.context().runtime_env().memory_pool))
    }
}

impl HeldMemory {
    /// All rows, or an error as soon as they do not fit any more.
    pub async fn collect(&self, mut batches: SendableRecordBatchStream) -> Result<Vec<RecordBatch>> {
        let mut all = Vec::new();
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            self.0.try_grow(bytes_of(&batch))?;
            all.push(batch);
        }
        Ok(all)
    }
}

/// Bytes of the rows themselves, not of buffers that they share with others.
pub fn bytes_of(batch: &RecordBatch) -> usize {
    let column = |column: &dyn Array| {
        let data = column.to_data();
        data.get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size()) + viewed(&data)
    };
    batch.columns().iter().map(|array| column(array.as_ref())).sum()
}

/// Bytes that views point to, which Arrow leaves out of a slice's size.
fn viewed(data: &ArrayData) -> usize {
    match data.data_type() {
        DataType::Utf8View => make_array(data.clone()).as_string_view().total_buffer_bytes_used(),
        DataType::BinaryView => make_array(data.clone()).as_binary_view().total_buffer_bytes_used(),
        _ => data.child_data().iter().map(viewed).sum(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, StringViewArray, StructArray};
    use datafusion::arrow::datatypes::Field;

    use super::*;
    use crate::{Parameters, Settings};

    fn texts(rows: usize) -> ArrayRef {
        Arc::new(StringViewArray::from_iter_values((0..rows).map(|row| format!("{row:01000}"))))
    }

    #[test]
    fn long_texts_count_with_all_their_letters() {
        let texts = texts(100);
        let batch = RecordBatch::try_from_iter([("text", Arc::clone(&texts))]).unwrap();
        assert!((100_000..110_000).contains(&bytes_of(&batch)), "{}", bytes_of(&batch));
        assert!((10_000..11_000).contains(&bytes_of(&batch.slice(20, 10))), "{}", bytes_of(&batch.slice(20, 10)));
        let fields = vec![(Arc::new(Field::new("text", DataType::Utf8View, true)), texts)];
        let nested: ArrayRef = Arc::new(StructArray::from(fields));
        assert!(bytes_of(&RecordBatch::try_from_iter([("nested", nested)]).unwrap()) > 100_000);
    }

    #[tokio::test]
    async fn what_does_not_fit_is_refused() {
        let settings = Settings { memory_limit: Some(1 << 20), ..Settings::new("memory://held") };
        let session = Session::open(settings).await.unwrap();
        let sql = |rows: u32| format!("SELECT repeat('x', 1000) AS text FROM generate_series(1, {rows})");
        let rows = async |held: &HeldMemory, rows: u32| {
            let statement = session.parse(&sql(rows)).unwrap().remove(0);
            held.collect(session.run(&statement, &Parameters::default()).await.unwrap().batches).await
        };
        let held = session.hold("rows of a test");
        rows(&held, 600).await.unwrap();
        let said = rows(&held, 600).await.unwrap_err().to_string();
        assert!(said.contains("--memory-limit"), "{said}");
        drop(held);
        rows(&session.hold("rows of a test"), 600).await.unwrap();
    }
}

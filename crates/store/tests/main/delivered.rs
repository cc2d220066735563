//! Batches that are delivered again, long after, by processes that know more or less of what was stored since.

use std::sync::Arc;

use datafusion::object_store::memory::InMemory;
use datafusion::object_store::path::Path;
use datafusion::object_store::{ObjectStore, ObjectStoreExt};
use futures::TryStreamExt;
use nines_store::{Batch, Once, Outcome, StoreErrorKind, Table, TableKind};

use crate::fixture::{MINUTE, OCTOBER, context, requests, row, stream_of};
use crate::model::fresh;

async fn deliver(table: &Table, number: u64, content: u64) -> nines_store::Result<Outcome> {
    let rows = requests(&[row(OCTOBER + number as i64 * MINUTE, "web", 1)]);
    let once = Once::batch(Batch::new("edge", number.to_string(), content));
    let told = table.append(stream_of(vec![rows]), once, context().task_ctx()).await;
    table.write_checkpoint().await;
    told.map(|told| told.outcome)
}

/// What is known of numbers that were delivered, of some that were not, and of other content.
async fn knows(table: &Table, delivered: u64) {
    for number in [1, 2, delivered / 2, delivered] {
        assert_eq!(deliver(table, number, number).await.unwrap(), Outcome::Delivered(Some(number)));
        assert_eq!(deliver(table, number, 1 << 40).await.unwrap_err().kind(), StoreErrorKind::Mismatch);
    }
}

#[tokio::test]
async fn a_batch_is_known_however_much_came_since() {
    let objects = Arc::new(InMemory::new());
    let [busy, idle] = [fresh(&objects, TableKind::Requests).await, fresh(&objects, TableKind::Requests).await];
    for number in 1..=3 {
        assert_eq!(deliver(&busy, number, number).await.unwrap(), Outcome::Stored(number));
    }
    knows(&idle, 3).await;
    for number in 4..=260 {
        assert_eq!(deliver(&busy, number, number).await.unwrap(), Outcome::Stored(number));
    }
    // Both have a process's memory of the log; a new process has none, and then one from the checkpoint.
    let new = fresh(&objects, TableKind::Requests).await;
    for table in [&busy, &idle, &new] {
        knows(table, 260).await;
    }
    // A checkpoint that cannot be used is not needed.
    let heads = Path::from("requests/_nines");
    for object in objects.list(Some(&heads)).try_collect::<Vec<_>>().await.unwrap() {
        if object.location.as_ref().ends_with(".checkpoint") {
            objects.delete(&object.location).await.unwrap();
        }
    }
    let table = fresh(&objects, TableKind::Requests).await;
    knows(&table, 260).await;
    assert_eq!(deliver(&table, 261, 261).await.unwrap(), Outcome::Stored(261));
    knows(&idle, 261).await;
}

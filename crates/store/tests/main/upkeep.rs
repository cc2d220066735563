//! What looks after a table, as steps of random sequences: giving up versions, restoring one, deleting rows, copying the store.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::{Expr, col, lit};
use datafusion::object_store::ObjectStore;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use nines_store::{Backup, Condemned, Deletion, Gc, Provider, Store, StoreErrorKind, Table, TableKind, UTC};
use rand::Rng;

use crate::draw;
use crate::fixture::{DAY, MINUTE, OCTOBER};
use crate::model::{Sequence, difference, fresh, rows_of};
use crate::naive::{Cell, Cells};

/// The time now, in µs.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as i64
}

/// A condition over the stored columns of a table.
pub fn condition(kind: TableKind, expr: Expr) -> Arc<dyn PhysicalExpr> {
    let schema = DFSchema::try_from(kind.stored_schema(60).as_ref().clone()).unwrap();
    SessionContext::new().create_physical_expr(expr, &schema).unwrap()
}

fn text(value: &str) -> Expr {
    lit(ScalarValue::Utf8View(Some(value.to_string())))
}

fn instant(micros: i64) -> Expr {
    lit(ScalarValue::TimestampMicrosecond(Some(micros), Some(UTC.into())))
}

impl Sequence {
    pub async fn upkeep(&mut self) {
        if self.versions.is_empty() {
            return;
        }
        match self.rng.random_range(0..4) {
            0 => self.gc().await,
            1 => self.restore().await,
            2 => self.delete().await,
            _ => self.backup().await,
        }
    }

    async fn gc(&mut self) {
        let (handle, newest) = (self.handle(), self.versions.len() as u64 - 1);
        let mut how = match self.rng.random_bool(0.5) {
            true => Gc::newest(now()),
            // Some of the versions were made in this time.
            false => Gc::keep(Duration::from_millis(self.rng.random_range(0..2000)), now()),
        };
        how.dry_run = self.rng.random_bool(0.2);
        self.replay.note(format!("gc: {how:?}, handle {newest}"));
        let told = handle.gc(&how).await.unwrap();
        let oldest = told.oldest.unwrap();
        assert!((self.oldest..=newest).contains(&oldest), "{told:?}");
        // The newest may be what said so last time.
        assert!(how.since.is_some() || oldest + 1 >= newest);
        assert_eq!(told.left_over.files, 0);
        if how.dry_run {
            assert_eq!(told.newest, Some(newest));
            return;
        }
        for _ in newest..told.newest.unwrap() {
            self.versions.push(self.now());
        }
        self.oldest = oldest;
        if oldest > 0 {
            let given_up = fresh(&self.objects, self.kind).await.snapshot_at(oldest - 1).await.unwrap_err();
            assert_eq!(given_up.kind(), StoreErrorKind::NotFound, "{given_up}");
        }
        let table = fresh(&self.objects, self.kind).await;
        self.check_version(&table, oldest as usize).await;
        self.sound(&table).await;
        self.check_replays(oldest, told.newest.unwrap()).await;
        // What is done is not done again.
        let again = handle.gc(&how).await.unwrap();
        assert_eq!((again.log.files, again.data.files), (0, 0), "{again:?}");
        for _ in told.newest.unwrap()..again.newest.unwrap() {
            self.versions.push(self.now());
        }
        self.oldest = again.oldest.unwrap();
    }

    /// Each retained version is opened from a checkpoint, or from the beginning, and at most 50 entries; nothing before that is there.
    async fn check_replays(&self, oldest: u64, newest: u64) {
        let listed: Vec<_> = self.objects.list(None).try_collect().await.unwrap();
        let of = |extension: &str| -> Vec<u64> {
            let names =
                listed.iter().filter_map(|object| object.location.filename()?.strip_suffix(extension)?.parse().ok());
            names.collect()
        };
        let (entries, checkpoints) = (of(".json"), of(".checkpoint.parquet"));
        let first = entries.iter().min().copied().unwrap();
        assert!(first == 0 || checkpoints.contains(&first), "{first} of {checkpoints:?}");
        for version in oldest..=newest {
            let from = checkpoints.iter().filter(|checkpoint| **checkpoint <= version).max();
            assert!(version - from.copied().unwrap_or(0) <= 50, "{version}: {checkpoints:?}");
        }
    }

    async fn restore(&mut self) {
        let handle = self.handle();
        let to = self.rng.random_range(self.oldest..self.versions.len() as u64);
        self.replay.note(format!("restore: {to}"));
        let dry = handle.restore(to, true).await.unwrap();
        let told = handle.restore(to, false).await.unwrap();
        assert_eq!((dry.returned, dry.removed, dry.undone), (told.returned, told.removed, told.undone));
        let then = self.versions[to as usize].clone();
        match told.version {
            Some(version) => {
                assert_eq!(version, self.versions.len() as u64);
                self.versions.push(then);
                self.restored = true;
            }
            None => assert_eq!(then, self.now()),
        }
        if self.oldest > 0 {
            let refused = handle.restore(self.oldest - 1, false).await.unwrap_err();
            assert_eq!(refused.kind(), StoreErrorKind::NotFound);
        }
    }

    async fn delete(&mut self) {
        let (handle, kind, mut after) = (self.handle(), self.kind, self.now());
        if !kind.is_series() {
            let what = Condemned::Before(i32::MAX);
            let refused = handle.delete(&what, &Deletion::default(), self.session.task_ctx()).await.unwrap_err();
            assert_eq!(refused.kind(), StoreErrorKind::InvalidArgument);
            return;
        }
        let place = |name: &str| kind.key().iter().position(|key| *key == name).unwrap();
        let (service, time) = (place("service"), place("time"));
        let of = draw::one(&mut self.rng, &["login", "支付", "nobody"]);
        let before = OCTOBER + self.rng.random_range(-DAY..2 * DAY) / MINUTE * MINUTE;
        let day = before.div_euclid(DAY) as i32;
        type Goes<'a> = Box<dyn Fn(&Cells) -> bool + 'a>;
        let by_day = |key: &Cells, until: i64| matches!(key[time], Cell::Instant(at) if at < until);
        let (what, goes): (Condemned, Goes<'_>) = match self.rng.random_range(0..3) {
            0 => {
                let what = col("service").eq(text(of)).and(col("time").lt(instant(before)));
                let goes = move |key: &Cells| key[service] == Cell::from(of) && by_day(key, before);
                (Condemned::Rows(condition(kind, what)), Box::new(goes))
            }
            // NULL in it is not true.
            1 => {
                let labels = place("labels");
                let what = col("labels").eq(text(r#"{"zone":"a"}"#));
                let goes = move |key: &Cells| key[labels] == Cell::from(r#"{"zone":"a"}"#);
                (Condemned::Rows(condition(kind, what)), Box::new(goes))
            }
            _ => (Condemned::Before(day), Box::new(move |key| by_day(key, i64::from(day) * DAY))),
        };
        let expected = after.rows.keys().filter(|key| goes(key)).count() as u64;
        after.rows.retain(|key, _| !goes(key));
        self.replay.note(format!("delete: {what:?}"));
        let mut how = Deletion::default();
        (how.told, how.dry_run) = (vec![("reason", "a test".to_string())], true);
        let dry = handle.delete(&what, &how, self.session.task_ctx()).await.unwrap();
        how.dry_run = false;
        let told = handle.delete(&what, &how, self.session.task_ctx()).await.unwrap();
        assert_eq!((told.rows, dry.rows, dry.version), (expected, expected, None));
        assert_eq!(told.version, (expected > 0).then_some(self.versions.len() as u64));
        if told.version.is_some() {
            self.versions.push(after);
        }
    }

    /// Copies the store, and looks at the copy as at a store.
    async fn backup(&mut self) {
        let (handle, random) = (self.handle(), uuid::Uuid::new_v4());
        let copy = |which: u32| format!("memory://copy-{random}-{which}");
        self.replay.note("backup".to_string());
        let first = handle.store().backup(&copy(1), &Backup::default()).await.unwrap();
        let newest = self.versions.len() as u64 - 1;
        assert_eq!(first.versions, [(self.kind, newest)]);
        let mut how = Backup::default();
        how.since = Some(copy(1));
        handle.store().backup(&copy(2), &how).await.unwrap();
        let refused = handle.store().backup(&copy(2), &how).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::InvalidArgument);
        for which in [1, 2] {
            let table = Store::open(&copy(which)).await.unwrap().table(self.kind);
            self.sound(&table).await;
            let read = rows_of(&self.session, Provider::newest(table.clone())).await.unwrap();
            assert!(read == self.now().rows, "{}", difference(&read, &self.now().rows));
            let version = self.rng.random_range(self.oldest as usize..self.versions.len());
            self.check_version(&table, version).await;
        }
    }

    fn handle(&mut self) -> Table {
        draw::one(&mut self.rng, &self.handles)
    }

    /// Nothing is wrong with the table, and nothing lies about.
    pub async fn sound(&self, table: &Table) {
        let checked = table.check(&self.session.task_ctx(), &Arc::default()).await.unwrap();
        assert!(checked.problems.is_empty() && checked.left_over.is_empty(), "{checked:#?}");
    }
}

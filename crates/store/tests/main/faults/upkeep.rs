//! Whatever fails while a table is looked after: rows are as before or as after, nothing is wrong, and done again it ends well.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{col, lit};
use datafusion::object_store::memory::InMemory;
use datafusion::prelude::SessionContext;
use nines_store::{
    Backup, Compaction, Condemned, Deletion, Gc, Once, Provider, Result, Sealed, Store, Table, TableKind,
};

use super::objects::{Fault, Faulty, Plan};
use super::{append, open, request, same};
use crate::fixture::{DAY, MINUTE, OCTOBER, context};
use crate::model::{fresh, rows_of};
use crate::naive::{Cell, Rows};
use crate::seed::{Replay, sample};
use crate::upkeep::condition;

/// 2026-10-02, in days since 1970.
const SECOND: i32 = (OCTOBER / DAY) as i32 + 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Compact,
    Gc,
    Restore,
    Delete,
    Retain,
    Backup,
}

const ALL: [Action; 6] = [Action::Compact, Action::Gc, Action::Restore, Action::Delete, Action::Retain, Action::Backup];

/// Where the copy of a case goes.
fn place(case: usize) -> String {
    format!("memory://faulty-copy-{}-{case}", std::process::id())
}

async fn take(session: &SessionContext, table: &Table, action: Action, case: usize) -> Result<()> {
    let task = session.task_ctx();
    match action {
        Action::Compact => {
            table.compact(&Compaction::default(), task).await?;
        }
        Action::Gc => {
            table.gc(&Gc::newest(crate::upkeep::now())).await?;
        }
        Action::Restore => {
            table.restore(2, false).await?;
        }
        Action::Delete => {
            let pay = col("service").eq(lit(ScalarValue::Utf8View(Some("pay".to_string()))));
            let what = Condemned::Rows(condition(TableKind::Requests, pay));
            table.delete(&what, &Deletion::default(), task).await?;
        }
        Action::Retain => {
            table.store().seal().await?;
            let mut how = Deletion::default();
            how.seals = Some(Sealed { from: SECOND - 1, rows_from: SECOND, until: SECOND, held: false });
            table.delete(&Condemned::Before(SECOND), &how, task).await?;
        }
        Action::Backup => {
            table.store().backup(&place(case), &Backup::default()).await?;
        }
    }
    Ok(())
}

fn after(action: Action, versions: &[Rows]) -> Rows {
    let mut rows = versions[versions.len() - 1].clone();
    match action {
        Action::Compact | Action::Gc | Action::Backup => {}
        Action::Restore => rows.clone_from(&versions[2]),
        Action::Delete => rows.retain(|key, _| key[1] != Cell::from("pay")),
        Action::Retain => rows.retain(|key, _| crate::naive::day(key) >= i64::from(SECOND)),
    }
    rows
}

/// A table of two days, each of many files, some of them corrected; its rows by version.
async fn filled(session: &SessionContext) -> (InMemory, Vec<Rows>) {
    let objects = Arc::new(InMemory::new());
    let table = fresh(&objects, TableKind::Requests).await;
    let mut versions = vec![Rows::new()];
    for step in 0..8i64 {
        let service = if step % 3 == 0 { "pay" } else { "login" };
        let minute = OCTOBER + (step / 2) * MINUTE + (step % 2) * DAY;
        let rows = [request(service, "a", "", minute, step + 1), request("upload", "a", "", minute + MINUTE, step + 1)];
        append(session, &table, &rows, &Once::default()).await.unwrap();
        versions.push(rows_of(session, Provider::newest(table.clone())).await.unwrap());
    }
    (objects.fork(), versions)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_fails_upkeep_again_ends_well() {
    let (started, session) = (Instant::now(), context());
    let (base, versions) = filled(&session).await;
    // Every operation of every action, with each of these faults.
    let mut cases: Vec<(Action, Plan, bool)> = Vec::new();
    for (number, action) in ALL.into_iter().enumerate() {
        let faulty = Arc::new(Faulty::over(Arc::new(base.fork())));
        let table = open(Arc::clone(&faulty), TableKind::Requests).await.unwrap();
        faulty.arm(None);
        take(&session, &table, action, usize::MAX - number).await.unwrap();
        for (at, name) in (1..).zip(faulty.done()) {
            for (fault, lasting) in
                [(Fault::Fails, false), (Fault::Fails, true), (Fault::FailsLate, false), (Fault::FailsLate, true)]
            {
                cases.push((
                    action,
                    Plan { at, fault, lasting },
                    !name.starts_with("get") && !name.starts_with("list"),
                ));
            }
        }
    }
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for number in sample("NINES_UPKEEP_FAULTS", 30, cases.len(), |case| cases[case].2) {
        let (action, plan, _) = cases[number];
        let mut replay = Replay::new(number as u64);
        replay.note(format!("{action:?}, {plan:?}"));
        let objects = Arc::new(base.fork());
        let faulty = Arc::new(Faulty::over(Arc::clone(&objects)));
        let table = open(Arc::clone(&faulty), TableKind::Requests).await.unwrap();
        faulty.arm(Some(plan));
        let told = take(&session, &table, action, number).await;
        faulty.arm(None);
        *counts.entry(format!("{action:?} {}", if told.is_ok() { "done" } else { "failed" })).or_default() += 1;
        let (before, after) = (&versions[versions.len() - 1], after(action, &versions));
        let seen = rows_of(&session, Provider::newest(fresh(&objects, TableKind::Requests).await)).await.unwrap();
        assert!(seen == after || (told.is_err() && seen == *before), "{told:?}");
        sound(&session, &fresh(&objects, TableKind::Requests).await).await;
        if action == Action::Backup {
            // What was interrupted is no store, and what is one is whole.
            let copy = Store::open(&place(number)).await;
            assert!(copy.is_ok() || told.is_err(), "{told:?}");
            if let Ok(copy) = copy {
                sound(&session, &copy.table(TableKind::Requests)).await;
                same(
                    &rows_of(&session, Provider::newest(copy.table(TableKind::Requests))).await.unwrap(),
                    before,
                    "the copy",
                );
            }
            continue;
        }
        let table = fresh(&objects, TableKind::Requests).await;
        take(&session, &table, action, number).await.unwrap();
        same(&rows_of(&session, Provider::newest(table.clone())).await.unwrap(), &after, "done again");
        sound(&session, &table).await;
    }
    println!("{} cases in {:.1?}: {counts:?}", counts.values().sum::<u64>(), started.elapsed());
}

async fn sound(session: &SessionContext, table: &Table) {
    let checked = table.check(&session.task_ctx(), &Arc::default()).await.unwrap();
    assert!(checked.problems.is_empty(), "{:#?}", checked.problems);
}

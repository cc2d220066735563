//! The scan that reads days one after the other, against the plain one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int32Type;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, col, lit};
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, collect_partitioned, displayable};
use datafusion::prelude::{SessionConfig, SessionContext};
use nines_store::{ByDay, DayScan, Provider, Snapshot, Store, Table, TableKind};

use crate::fixture::{DAY, MINUTE, OCTOBER, Row, answer, append, lines, querying, requests, requests_table, row};

/// 2026-10-01 in days since 1970.
const FIRST: i32 = (OCTOBER / DAY) as i32;
const COLUMNS: [&str; 4] = ["time", "service", "status", "requests"];

/// Nine days of three services in slices of so many seconds, every day in three files whose keys overlap; the fifth
/// day is missing and the third is the largest.
async fn nine_days(store: &Store) -> Table {
    let table = store.table(TableKind::Requests);
    let slice = store.slice_seconds() * 1_000_000;
    for part in 0..3 {
        let mut rows = Vec::new();
        for day in (0..9).filter(|&day| day != 4) {
            for n in 0..if day == 2 { 2000 } else { 200 } {
                let time = OCTOBER + day * DAY + (3 * n + part) * slice % DAY;
                rows.push(Row {
                    status: [200, 200, 500][n as usize % 3],
                    ..row(time, ["a", "b", "c"][n as usize % 3], n)
                });
            }
        }
        append(&table, vec![requests(&rows)]).await.unwrap();
    }
    let snapshot = table.snapshot().await.unwrap();
    assert_eq!(snapshot.files().count(), 8 * 3);
    table
}

fn session() -> SessionContext {
    // More partitions than any scan here has, and files that are worth splitting: nothing may move nevertheless.
    let config = SessionConfig::new().with_target_partitions(16).with_repartition_file_min_size(1);
    SessionContext::new_with_config(config)
}

fn scan(session: &SessionContext, snapshot: &Snapshot, request: &ByDay) -> DayScan {
    snapshot.scan_by_day(&session.state(), request).unwrap()
}

/// Each partition's rows by day, in the order in which the days came.
async fn days_of(session: &SessionContext, plan: Arc<dyn ExecutionPlan>) -> Vec<Vec<(i32, Vec<String>)>> {
    // As a statement's plan is: whatever the optimizer does to it must leave days where they are.
    let plan = PhysicalOptimizer::new()
        .rules
        .iter()
        .fold(plan, |plan, rule| rule.optimize(plan, session.state().config_options()).unwrap());
    let partitions = collect_partitioned(plan, session.task_ctx()).await.unwrap();
    let by_day = |batches: &Vec<RecordBatch>| {
        let mut days: Vec<(i32, Vec<String>)> = Vec::new();
        for batch in batches {
            let last = batch.num_columns() - 1;
            let of: Vec<i32> = batch.column(last).as_primitive::<Int32Type>().values().to_vec();
            let columns = batch.project(&(0..last).collect::<Vec<_>>()).unwrap();
            for (day, line) in of.into_iter().zip(lines(&[columns])) {
                match days.last_mut() {
                    Some((last, lines)) if *last == day => lines.push(line),
                    _ => days.push((day, vec![line])),
                }
            }
        }
        days
    };
    partitions.iter().map(by_day).collect()
}

/// The rows of each day that has any, by the plain scan.
async fn expected(table: &Table, condition: &str) -> BTreeMap<i32, Vec<String>> {
    let context = querying(Provider::newest(table.clone()));
    let mut days = BTreeMap::new();
    for day in FIRST - 5..FIRST + 15 {
        let start = format!("to_timestamp_micros({})", i64::from(day) * DAY);
        let sql = format!(
            "select {} from t where ({condition}) and time >= {start} and time < {start} + interval '1 day'",
            COLUMNS.join(", ")
        );
        let mut rows = answer(&context, &sql).await;
        rows.sort_unstable();
        if !rows.is_empty() {
            days.insert(day, rows);
        }
    }
    days
}

/// A filter, the same in SQL, and the rows that match it.
struct Case {
    filter: Option<Expr>,
    condition: &'static str,
    expected: BTreeMap<i32, Vec<String>>,
}

async fn case(table: &Table, filter: Option<Expr>, condition: &'static str) -> Case {
    Case { filter, condition, expected: expected(table, condition).await }
}

async fn check(table: &Table, days: &[i32], case: &Case, partitions: usize, lead_in: i32) {
    let Case { filter, condition, expected } = case;
    let (session, snapshot) = (session(), table.snapshot().await.unwrap());
    let request = ByDay { days, columns: &COLUMNS, filter: filter.clone(), exact: true, partitions, lead_in };
    let found = scan(&session, &snapshot, &request);
    let told = format!("{condition}, {partitions} partitions, lead-in of {lead_in}");
    assert_eq!(found.days.concat(), days, "{told}");
    assert!(found.days.len() <= partitions && found.days.len() == found.plan.output_partitioning().partition_count());
    let partitions = days_of(&session, found.plan).await;
    assert_eq!(partitions.len(), found.days.len(), "{told}");
    for (own, read) in found.days.iter().zip(partitions) {
        assert!(read.is_sorted_by(|(a, _), (b, _)| a < b), "{told}: days ascend, each in one piece");
        let seen: BTreeSet<i32> = own.iter().flat_map(|day| day - lead_in..=*day).collect();
        let wanted: Vec<_> = seen.into_iter().filter_map(|day| Some((day, expected.get(&day)?.clone()))).collect();
        let read: Vec<_> = read
            .into_iter()
            .map(|(day, mut rows)| {
                (day, {
                    rows.sort_unstable();
                    rows
                })
            })
            .collect();
        assert_eq!(read, wanted, "{told}");
    }
}

#[tokio::test]
async fn every_day_is_whole_in_one_partition() {
    for slice_seconds in [15, 60] {
        let store =
            Store::open_or_create(&format!("memory://by-day-{slice_seconds}"), Some(slice_seconds)).await.unwrap();
        let table = nine_days(&store).await;
        let all: Vec<i32> = (FIRST - 2..FIRST + 12).collect();
        let failed = col("status").gt_eq(lit(500)).and(col("service").not_eq(lit("a")));
        let both =
            [case(&table, None, "true").await, case(&table, Some(failed), "status >= 500 and service <> 'a'").await];
        for partitions in [1, 2, 3, 5, 40] {
            for lead_in in [0, 1, 3] {
                for case in &both {
                    check(&table, &all, case, partitions, lead_in).await;
                }
            }
        }
        // Days with gaps see what came before each of them.
        let some = [FIRST - 9, FIRST + 1, FIRST + 4, FIRST + 7, FIRST + 8];
        check(&table, &some, &case(&table, Some(col("service").eq(lit("b"))), "service = 'b'").await, 3, 2).await;
        // What only the rows themselves can tell.
        check(&table, &all, &case(&table, Some(col("requests").gt(lit(150))), "requests > 150").await, 2, 1).await;
        check(&table, &all, &case(&table, Some(lit(false)), "false").await, 2, 1).await;
    }
}

#[tokio::test]
async fn a_filter_that_need_not_be_exact_loses_no_row() {
    let store = Store::open_or_create("memory://by-day-hint", None).await.unwrap();
    let table = nine_days(&store).await;
    let (session, snapshot) = (session(), table.snapshot().await.unwrap());
    let days: Vec<i32> = (FIRST..FIRST + 9).collect();
    let all = expected(&table, "true").await;
    for (filter, condition) in
        [(col("service").eq(lit("b")), "service = 'b'"), (col("service").eq(lit("z")), "service = 'z'")]
    {
        let wanted = expected(&table, condition).await;
        let filter = Some(filter);
        let request = ByDay { days: &days, columns: &COLUMNS, filter, exact: false, partitions: 2, lead_in: 0 };
        let found = scan(&session, &snapshot, &request);
        let read: BTreeMap<i32, Vec<String>> = days_of(&session, found.plan).await.into_iter().flatten().collect();
        assert!(read.keys().eq(wanted.keys()), "{condition}");
        for (day, rows) in read {
            assert!(rows.iter().all(|row| all[&day].contains(row)), "{condition}");
            assert!(wanted[&day].iter().all(|row| rows.contains(row)), "{condition}");
        }
    }
}

#[tokio::test]
async fn days_are_shared_out_by_bytes() {
    let store = Store::open_or_create("memory://by-day-bytes", None).await.unwrap();
    let snapshot = nine_days(&store).await.snapshot().await.unwrap();
    let days: Vec<i32> = (FIRST..FIRST + 9).collect();
    let request = ByDay { days: &days, columns: &["requests"], filter: None, exact: true, partitions: 3, lead_in: 0 };
    let shares = scan(&session(), &snapshot, &request).days;
    let bytes = |share: &Vec<i32>| -> u64 {
        share.iter().flat_map(|&day| snapshot.files_of(day)).map(|file| file.size()).sum()
    };
    let (most, all) = (shares.iter().map(bytes).max().unwrap(), bytes(&days));
    let largest = days.iter().map(|&day| bytes(&vec![day])).max().unwrap();
    assert!(shares.len() == 3 && most <= all / 3 + largest, "{shares:?}: {most} of {all}");
}

#[tokio::test]
async fn a_scan_by_day_shows_what_it_does_and_reads_no_more() {
    let (_folder, table) = requests_table().await;
    let table = nine_days(table.store()).await;
    let (session, snapshot) = (session(), table.snapshot().await.unwrap());
    let days: Vec<i32> = (FIRST..FIRST + 9).collect();
    let plan = |filter: Expr| {
        let request = ByDay {
            days: &days,
            columns: &["time", "requests"],
            filter: Some(filter),
            exact: true,
            partitions: 2,
            lead_in: 0,
        };
        scan(&session, &snapshot, &request).plan
    };
    let found = plan(col("service").eq(lit("b")));
    let shown = displayable(found.as_ref()).indent(false).to_string();
    assert!(shown.starts_with("DataSourceExec: file_groups={2 groups"), "{shown}");
    assert!(shown.contains("output_ordering=[__day@2 ASC NULLS LAST]"), "{shown}");
    assert!(shown.contains("predicate=service@2 = "), "{shown}");
    let first = found.schema().field(0).metadata().get(nines_store::SLICE_SECONDS).cloned();
    assert_eq!(first.as_deref(), Some("60"));

    let nothing = plan(col("service").eq(lit("zzz")));
    assert_eq!(displayable(nothing.as_ref()).indent(false).to_string(), "EmptyExec\n");
    assert_eq!(nothing.schema(), found.schema());
    // Bounds leave out what lies in other files.
    let seventh = ScalarValue::TimestampMicrosecond(Some(OCTOBER + 7 * DAY), Some("UTC".into()));
    let newest = plan(col("time").gt_eq(lit(seventh)));
    assert_eq!(displayable(newest.as_ref()).indent(false).to_string().matches(".parquet").count(), 2 * 3);

    let refused =
        |request: ByDay, snapshot: &Snapshot| snapshot.scan_by_day(&session.state(), &request).unwrap_err().to_string();
    let request = ByDay { days: &days, columns: &["nope"], filter: None, exact: true, partitions: 2, lead_in: 0 };
    assert!(refused(request.clone(), &snapshot).contains("nope"));
    let nested = col("requests").gt(lit(0)).and(col("latency").is_null());
    assert!(!snapshot.filters_by_day(&session.state(), &nested).unwrap());
    assert!(snapshot.filters_by_day(&session.state(), &col("service").like(lit("%业务"))).unwrap());
    let unfit = refused(ByDay { filter: Some(nested), columns: &[], ..request.clone() }, &snapshot);
    assert!(unfit.contains("latency@10 IS NULL cannot be decided while requests is read"), "{unfit}");
    let fees = table.store().table(TableKind::Fees).snapshot().await.unwrap();
    assert!(refused(ByDay { columns: &[], ..request }, &fees).contains("fees is not stored by day"));
}

#[tokio::test]
async fn a_snapshot_tells_its_days_and_how_far_it_reaches() {
    let (_folder, table) = requests_table().await;
    let empty = table.snapshot().await.unwrap();
    assert_eq!((empty.days(), empty.watermark(), empty.files_of(FIRST).len()), (None, None, 0));
    append(&table, vec![requests(&[row(OCTOBER - MINUTE, "a", 1), row(OCTOBER, "b", 1)])]).await.unwrap();
    append(&table, vec![requests(&[row(OCTOBER + 5 * MINUTE, "a", 1), row(OCTOBER + 3 * DAY, "a", 1)])]).await.unwrap();
    let snapshot = table.snapshot().await.unwrap();
    assert_eq!(snapshot.days(), Some((FIRST - 1, FIRST + 3)));
    assert_eq!(snapshot.watermark(), Some(OCTOBER + 3 * DAY + MINUTE));
    let numbers = [FIRST - 2, FIRST - 1, FIRST, FIRST + 1, FIRST + 3].map(|day| snapshot.files_of(day).len());
    assert_eq!(numbers, [0, 1, 2, 0, 1]);
    assert!(snapshot.files_of(FIRST).iter().all(|file| file.first_day() == Some(FIRST)));
}

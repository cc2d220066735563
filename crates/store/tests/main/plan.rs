use std::sync::Arc;

use datafusion::object_store::memory::InMemory;
use datafusion::physical_plan::{collect, displayable};
use datafusion::prelude::SessionContext;
use nines_store::{Provider, Store, Table, TableKind};

use crate::faults::objects::Faulty;
use crate::fixture::{MINUTE, OCTOBER, Row, answer, append, context, querying, requests, requests_table, row};

/// Three days of five services, a row per minute and endpoint.
async fn three_days(endpoints: i64) -> (tempfile::TempDir, Table) {
    let (folder, table) = requests_table().await;
    let mut rows = Vec::new();
    for service in ["a", "b", "c", "d", "e"] {
        for endpoint in 0..endpoints {
            let at = |minute: i64| OCTOBER + minute * MINUTE;
            rows.extend(
                (0..4320).map(|minute| Row { endpoint: format!("/{endpoint}"), ..row(at(minute), service, 1) }),
            );
        }
    }
    append(&table, rows.chunks(8192).map(requests).collect()).await.unwrap();
    (folder, table)
}

pub async fn explain(context: &SessionContext, sql: &str) -> String {
    let plan = context.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
    displayable(plan.as_ref()).indent(false).to_string()
}

/// Runs and gives the number that a metric of the scan ends in.
pub async fn metric(context: &SessionContext, sql: &str, name: &str) -> String {
    let analyzed = answer(context, &format!("explain analyze {sql}")).await.join("\n");
    let (_, value) = analyzed.split_once(&format!("{name}=")).unwrap_or_else(|| panic!("no {name} in {analyzed}"));
    value.split([',', ']']).next().unwrap().to_owned()
}

#[tokio::test]
async fn a_narrow_query_reads_few_files_and_pages() {
    let (_folder, table) = three_days(8).await;
    let context = querying(Provider::newest(table));
    let sql = "select sum(requests) from t where service = 'b'
               and time >= '2026-10-02T00:00:00Z' and time < '2026-10-02T12:00:00Z'";
    let plan = explain(&context, sql).await;
    assert_eq!(plan.matches(".parquet").count(), 1, "{plan}");
    assert!(plan.contains("date=2026-10-02"), "{plan}");
    assert_eq!(answer(&context, sql).await, [(8 * 720).to_string()]);
    // 57,600 rows of the day are three pages; service b is in the first.
    assert_eq!(metric(&context, sql, "page_index_pages_pruned").await, "3 total → 2 matched");
}

#[tokio::test]
async fn an_unknown_service_reads_nothing() {
    let (_folder, table) = three_days(1).await;
    let context = querying(Provider::newest(table));
    let plan = explain(&context, "select requests from t where service = 'zzz'").await;
    assert!(!plan.contains(".parquet"), "{plan}");
    let plan = explain(&context, "select requests from t where time > '2027-01-01T00:00:00Z'").await;
    assert!(!plan.contains(".parquet"), "{plan}");
}

#[tokio::test]
async fn counts_and_bounds_are_answered_without_reading() {
    let (_folder, table) = three_days(1).await;
    let context = querying(Provider::newest(table));
    let sql = "select count(*), min(time), max(time) from t";
    let plan = explain(&context, sql).await;
    assert!(!plan.contains("DataSourceExec: file_groups"), "{plan}");
    assert_eq!(answer(&context, sql).await, ["21600|2026-10-01T00:00:00Z|2026-10-03T23:59:00Z"]);
    let filtered = "select count(*) from t where service = 'a' and time < '2026-10-01T01:00:00Z'";
    assert_eq!(answer(&context, filtered).await, ["60"]);
}

#[tokio::test]
async fn a_file_per_partition_is_sorted_by_key() {
    let (_folder, table) = three_days(1).await;
    let key = "business, service, endpoint, customer, status, cause, source, time";
    let one_day = format!("select * from t where time < '2026-10-02T00:00:00Z' order by {key}");
    let context = querying(Provider::newest(table.clone()));
    let plan = explain(&context, &one_day).await;
    assert!(!plan.contains("SortExec"), "{plan}");
    // Two files, two partitions: merged.
    let two_days = format!("select * from t where time < '2026-10-03T00:00:00Z' order by {key}");
    let plan = explain(&context, &two_days).await;
    assert!(!plan.contains("SortExec") && plan.contains("SortPreservingMergeExec"), "{plan}");
    // Three files do not fit two sorted partitions.
    let all = format!("select * from t order by {key}");
    assert!(explain(&context, &all).await.contains("SortExec"));
    // The order is not only declared.
    for sql in [one_day, two_days, all] {
        let plan = context.sql(&sql).await.unwrap().create_physical_plan().await.unwrap();
        let batches = collect(plan, context.task_ctx()).await.unwrap();
        let batches = datafusion::arrow::compute::concat_batches(&table.schema(), &batches).unwrap();
        let columns: Vec<_> = key.split(", ").map(|name| batches.column_by_name(name).unwrap().clone()).collect();
        let rows = datafusion::arrow::row::RowConverter::new(
            columns.iter().map(|column| datafusion::arrow::row::SortField::new(column.data_type().clone())).collect(),
        );
        let rows = rows.unwrap().convert_columns(&columns).unwrap();
        assert!(rows.iter().is_sorted(), "{sql}");
    }
}

#[tokio::test]
async fn a_sorted_scan_aggregates_as_a_stream() {
    let (_folder, table) = three_days(1).await;
    let context = querying(Provider::newest(table));
    let sql =
        "select business, service, sum(requests) from t where time < '2026-10-02T00:00:00Z' group by business, service";
    let plan = explain(&context, sql).await;
    assert!(plan.contains("ordering_mode=Sorted"), "{plan}");
    assert_eq!(answer(&context, &format!("{sql} order by service")).await[0], "shop|a|1440");
}

#[tokio::test]
async fn files_that_follow_each_other_share_a_sorted_partition() {
    let (_folder, table) = requests_table().await;
    for service in ["c", "a", "d", "b"] {
        append(&table, vec![requests(&[row(OCTOBER, service, 1), row(OCTOBER + MINUTE, service, 1)])]).await.unwrap();
    }
    let context = querying(Provider::newest(table));
    context.sql("set datafusion.execution.split_file_groups_by_statistics = true").await.unwrap();
    let sql = "select service, time from t order by business, service, endpoint, customer, status, cause, source, time";
    let plan = explain(&context, sql).await;
    assert!(!plan.contains("SortExec"), "{plan}");
    let services: Vec<_> = answer(&context, sql).await.iter().map(|line| line[..1].to_owned()).collect();
    assert_eq!(services.concat(), "aabbccdd");
}

#[tokio::test]
async fn a_scan_uses_every_partition() {
    let (_folder, table) = three_days(1).await;
    let plan = context();
    plan.register_table("t", Arc::new(Provider::newest(table))).unwrap();
    let plan = explain(&plan, "select service, max(requests) from t group by service").await;
    assert!(plan.contains("file_groups={2 groups"), "{plan}");
}

#[tokio::test]
async fn pruning_does_not_change_answers() {
    let (_folder, table) = three_days(1).await;
    let pruned = querying(Provider::newest(table.clone()));
    for predicate in [
        "service in ('a', 'zz')",
        "service like 'c%' or time = '2026-10-03T23:59:00Z'",
        "not (service > 'b')",
        "time between '2026-10-01T23:58:00Z' and '2026-10-02T00:01:00Z'",
        "date_trunc('day', time) = '2026-10-02T00:00:00Z'",
        "status <> 200 or endpoint = '/0'",
        "service is null",
        "latency is not null",
    ] {
        let sql = format!("select count(*), sum(requests) from t where {predicate}");
        let naive =
            format!("select count(*) filter (where {predicate}), sum(requests) filter (where {predicate}) from t");
        let expected = answer(&pruned, &naive).await;
        assert_eq!(answer(&pruned, &sql).await, expected, "{predicate}");
        pruned.sql("set datafusion.execution.parquet.pushdown_filters = true").await.unwrap();
        assert_eq!(answer(&pruned, &sql).await, expected, "{predicate} with filters in the scan");
        pruned.sql("set datafusion.execution.parquet.pushdown_filters = false").await.unwrap();
    }
}

#[tokio::test]
async fn a_missing_file_is_an_error_that_names_it() {
    let (folder, table) = three_days(1).await;
    let snapshot = table.snapshot().await.unwrap();
    let lost = snapshot.files().nth(1).unwrap();
    std::fs::remove_file(folder.path().join("业务 %20 store#1").join(lost.path().as_ref())).unwrap();
    let context = querying(Provider::newest(table));
    let error = context.sql("select sum(requests) from t").await.unwrap().collect().await.unwrap_err();
    assert!(error.to_string().contains(lost.path().filename().unwrap()), "{error}");
}

#[tokio::test]
async fn a_file_is_opened_by_one_request() {
    let objects = Arc::new(Faulty::over(Arc::new(InMemory::new())));
    let open = || async { Store::over("memory://opened", Arc::clone(&objects) as _, None).await.unwrap() };
    let rows: Vec<Row> = (0..2000).map(|at| row(OCTOBER + at % 1440 * MINUTE, "login", at)).collect();
    append(&open().await.table(TableKind::Requests), vec![requests(&rows)]).await.unwrap();
    let snapshot = open().await.table(TableKind::Requests).snapshot().await.unwrap();
    let files = snapshot.files().count();
    let context = querying(Provider::pinned(snapshot));
    objects.arm(None);
    // The page indexes are asked for too, and come with the footer.
    let found = answer(&context, "select count(*) from t where service = 'login' and requests >= 0").await;
    assert_eq!(found, ["1440"]);
    let asked: Vec<String> = objects.done();
    let of = |how: &str| asked.iter().filter(|name| name.starts_with(how)).count();
    assert_eq!((of("get requests/"), of("get ranges of"), asked.len()), (files, files, 2 * files), "{asked:?}");
}

#[tokio::test]
async fn names_too_long_for_exact_bounds_are_found() {
    let (_folder, table) = requests_table().await;
    let long = |last: char| "长".repeat(100) + &last.to_string();
    for last in ['a', 'b'] {
        let rows = [Row { endpoint: long(last), ..row(OCTOBER, "login", 1) }];
        append(&table, vec![requests(&rows)]).await.unwrap();
    }
    let snapshot = table.snapshot().await.unwrap();
    assert!(snapshot.files().all(|file| file.bounds("endpoint").is_none() && file.bounds("service").is_some()));
    let context = querying(Provider::pinned(snapshot));
    let sql = |last| format!("select count(*) from t where endpoint = '{}'", long(last));
    assert_eq!(answer(&context, &sql('b')).await, ["1"]);
    assert_eq!(answer(&context, &sql('c')).await, ["0"]);
    let sorted = "select endpoint from t order by business, service, endpoint";
    let lines = answer(&context, sorted).await;
    assert!(lines.is_sorted() && lines.len() == 2, "{lines:?}");
}

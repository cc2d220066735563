use datafusion::arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;
use nines_store::{Provider, SLICE_SECONDS, StoreErrorKind, Table};

use crate::fixture::{DAY, MINUTE, OCTOBER, answer, append, querying, requests, requests_table, row};
use crate::plan::{explain, metric};

async fn two_days() -> (tempfile::TempDir, Table) {
    let (folder, table) = requests_table().await;
    let mut rows = Vec::new();
    for i in 0..60_000 {
        rows.push(row(OCTOBER + i % 2 * DAY + i / 2 % 1440 * MINUTE, ["a", "b", "c"][i as usize % 3], 1));
    }
    rows.extend((0..50_000).map(|i| row(OCTOBER + i % 1440 * MINUTE, "z", 1)));
    append(&table, rows.chunks(8192).map(requests).collect()).await.unwrap();
    (folder, table)
}

#[tokio::test]
async fn instants_stay_and_are_told_in_the_zone() {
    let (_folder, table) = two_days().await;
    let provider = Provider::newest(table).with_time_zone("Asia/Shanghai").unwrap();
    let schema = provider.schema();
    assert_eq!(schema.field(0).metadata()[SLICE_SECONDS], "60");
    let DataType::Timestamp(_, Some(zone)) = schema.field(0).data_type() else { panic!("{schema}") };
    assert_eq!(zone.as_ref(), "Asia/Shanghai");
    let context = querying(provider);
    assert_eq!(
        answer(&context, "select min(time), max(time), count(distinct time) from t").await,
        ["2026-10-01T08:00:00+08:00|2026-10-03T07:59:00+08:00|2880"]
    );
    let all = context.sql("select * from t").await.unwrap();
    assert_eq!(all.schema().as_arrow(), schema.as_ref());
    assert_eq!(all.collect().await.unwrap()[0].schema(), schema);
    // A local day takes from two UTC days.
    let by_day = "select date_trunc('day', time) as day, count(distinct time) from t group by day order by day";
    assert_eq!(
        answer(&context, by_day).await,
        ["2026-10-01T00:00:00+08:00|960", "2026-10-02T00:00:00+08:00|1440", "2026-10-03T00:00:00+08:00|480"]
    );
}

#[tokio::test]
async fn filters_in_the_zone_prune_as_in_utc() {
    let (_folder, table) = two_days().await;
    let utc = querying(Provider::newest(table.clone()));
    let local = querying(Provider::newest(table).with_time_zone("Asia/Shanghai").unwrap());
    // Half past noon in Shanghai is 04:30 UTC.
    let local_sql = "select count(*), sum(requests) from t where service = 'a'
                     and time >= '2026-10-01T12:30:00+08:00' and time < '2026-10-01T14:30:00+08:00'";
    let utc_sql = "select count(*), sum(requests) from t where service = 'a'
                   and time >= '2026-10-01T04:30:00Z' and time < '2026-10-01T06:30:00Z'";
    assert_eq!(answer(&local, local_sql).await, answer(&utc, utc_sql).await);
    assert_eq!(explain(&local, local_sql).await.matches(".parquet").count(), 1);
    for name in ["row_groups_pruned_statistics", "page_index_pages_pruned", "bytes_scanned"] {
        assert_eq!(metric(&local, local_sql, name).await, metric(&utc, utc_sql, name).await, "{name}");
    }
    let none = "select requests from t where time >= '2026-10-03T08:00:00+08:00'";
    assert!(!explain(&local, none).await.contains(".parquet"));
    // The order survives.
    let sorted = "select time from t where time < '2026-10-02T08:00:00+08:00'
                  order by business, service, endpoint, customer, status, cause, source, time";
    assert!(!explain(&local, sorted).await.contains("SortExec"));
    // With the filter evaluated inside the scan too.
    local.sql("set datafusion.execution.parquet.pushdown_filters = true").await.unwrap();
    assert_eq!(answer(&local, local_sql).await, answer(&utc, utc_sql).await);
}

#[tokio::test]
async fn an_unknown_zone_is_refused() {
    let (_folder, table) = requests_table().await;
    let error = Provider::newest(table).with_time_zone("Asia/Nowhere").unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::InvalidArgument, "{error}");
}

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::TimestampMicrosecondType;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use nines_store::{Once, Outcome, Provider, Store, TableKind};

use crate::fixture::{
    self, DAY, MINUTE, OCTOBER, Row, answer, append, contexts, querying, requests, requests_table, row, stream_of,
};

#[tokio::test]
async fn rows_come_back_as_they_were_appended() {
    let (_folder, table) = requests_table().await;
    let rows = [
        Row {
            business: "业务",
            endpoint: "/支付/确认".into(),
            latency_sum: Some(1.5),
            latency: Some((1, vec![(-40, 2), (7, 3)])),
            latency_le: Some(vec![(100_000, 2), (275_000, 5)]),
            ..row(OCTOBER, "支付", 6)
        },
        row(OCTOBER + MINUTE, "login", 3),
    ];
    let commit = append(&table, vec![requests(&rows)]).await.unwrap();
    assert_eq!((commit.outcome, commit.files, commit.rows), (Outcome::Stored(1), 1, 2));
    assert_eq!(commit.time_range, Some((OCTOBER, OCTOBER + MINUTE)));
    assert_eq!(table.snapshot().await.unwrap().rows(), Some(2));

    let context = querying(Provider::newest(table.clone()));
    assert_eq!(
        answer(&context, "select * from t order by time").await,
        [
            "2026-10-01T00:00:00Z|业务|支付|/支付/确认||200||test|6|1.5\
             |{zero: 1, buckets: [{bucket: -40, count: 2}, {bucket: 7, count: 3}]}\
             |[{le: 100000, count: 2}, {le: 275000, count: 5}]|NULL",
            "2026-10-01T00:01:00Z|shop|login|/login||200||test|3|NULL|NULL|NULL|NULL",
        ]
    );
    let all = context.sql("select * from t").await.unwrap();
    assert_eq!(all.schema().as_arrow(), table.schema().as_ref());
    let batches = all.collect().await.unwrap();
    assert_eq!(batches[0].schema(), table.schema());
}

/// A DOUBLE of seconds, but whole microseconds: what rows of a key add up to does not depend on their order.
#[tokio::test]
async fn latencies_are_whole_microseconds() {
    let (_folder, table) = requests_table().await;
    let timed = |service: &'static str, seconds: f64| Row { latency_sum: Some(seconds), ..row(OCTOBER, service, 1) };
    let tenths = [0.1, 0.2, 0.3, 0.1, 0.2, 0.1].map(|seconds| timed("many", seconds));
    let (once, small) = (timed("once", 0.123_456_789), [timed("small", 2.000_000_4), timed("small", 3.000_000_6)]);
    let batches = vec![requests(&tenths), requests(&[once]), requests(&small)];
    append(&table, batches).await.unwrap();
    let context = querying(Provider::newest(table));
    let sums = answer(&context, "select service, latency_sum from t order by service").await;
    assert_eq!(sums, ["many|1.0", "once|0.123457", "small|5.000001"]);
}

#[tokio::test]
async fn rows_of_the_same_key_combine() {
    let (_folder, table) = requests_table().await;
    let one = Row {
        latency_sum: Some(0.5),
        latency: Some((1, vec![(1, 1), (3, 1)])),
        latency_le: Some(vec![(1000, 1), (2000, 2)]),
        ..row(OCTOBER, "login", 3)
    };
    let other = Row {
        latency_sum: Some(0.25),
        latency: Some((0, vec![(2, 5), (3, 1)])),
        latency_le: Some(vec![(1000, 3), (2000, 4)]),
        ..row(OCTOBER, "login", 7)
    };
    let unmeasured = row(OCTOBER, "login", 1);
    // In one batch, over batches, and many times over more than a batch of the sort.
    let many = (0..20_000).map(|i| row(OCTOBER + (i % 2) * MINUTE, "often", 1)).collect::<Vec<_>>();
    let batches = vec![requests(&[one, unmeasured]), requests(&many), requests(&[other])];
    let commit = append(&table, batches).await.unwrap();
    assert_eq!(commit.rows, 3);
    let context = querying(Provider::newest(table));
    assert_eq!(
        answer(&context, "select service, requests, latency_sum, latency, latency_le from t order by service, time")
            .await,
        [
            "login|11|0.75|{zero: 1, buckets: [{bucket: 1, count: 1}, {bucket: 2, count: 5}, {bucket: 3, count: 2}]}\
             |[{le: 1000, count: 4}, {le: 2000, count: 6}]",
            "often|10000|NULL|NULL|NULL",
            "often|10000|NULL|NULL|NULL",
        ]
    );
}

#[tokio::test]
async fn unsorted_days_become_one_sorted_file_each() {
    let (folder, table) = requests_table().await;
    let services = ["b", "a", "c"];
    let rows: Vec<Row> = (0..9_000)
        .rev()
        .map(|i| row(OCTOBER - 2 * DAY + (i * 7919 % 4320) * MINUTE, services[i as usize % 3], i))
        .collect();
    let commit = append(&table, rows.chunks(500).map(requests).collect()).await.unwrap();
    assert_eq!(commit.files, 3);
    let snapshot = table.snapshot().await.unwrap();
    let days: Vec<_> = snapshot.files().map(|file| file.day().unwrap().to_string()).collect();
    assert_eq!(days, ["2026-09-29", "2026-09-30", "2026-10-01"]);
    for file in snapshot.files() {
        let path = folder.path().join("业务 %20 store#1").join(file.path().as_ref());
        let bytes = std::fs::read(&path).unwrap();
        let name = file.path().filename().unwrap();
        let [of, content, _, tail, crc] = name.split('-').collect::<Vec<_>>()[..] else { panic!("{name}") };
        let tail = &bytes[bytes.len() - tail.parse::<usize>().unwrap()..];
        let sum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, tail);
        assert_eq!((of, crc), ("k2", format!("{sum:08x}.parquet").as_str()), "{name}");
        assert_eq!(format!("{:016x}", file.content()), content);
        assert!(file.path().as_ref().starts_with(&format!("requests/date={}/", file.day().unwrap())));

        let reader = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(path).unwrap()).unwrap();
        let sorting = reader.metadata().row_group(0).sorting_columns().unwrap();
        assert_eq!(sorting.iter().map(|column| column.column_idx).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7, 0]);
        let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
        let keys: Vec<(String, i64)> = batches
            .iter()
            .flat_map(|batch| {
                let services = batch.column(2).as_string::<i32>();
                let times = batch.column(0).as_primitive::<TimestampMicrosecondType>();
                services.iter().zip(times).map(|(service, time)| (service.unwrap().to_owned(), time.unwrap()))
            })
            .collect();
        assert!(keys.is_sorted_by(|a, b| a < b));
        assert_eq!(Some(keys.len() as u64), file.rows());
        let (min, max) = file.time_range().unwrap();
        assert_eq!(min, keys.iter().map(|(_, time)| *time).min().unwrap());
        assert_eq!(max, keys.iter().map(|(_, time)| *time).max().unwrap());
    }
    let total: i64 = (0..9_000).sum();
    assert_eq!(answer(&querying(Provider::newest(table)), "select sum(requests) from t").await, [total.to_string()]);
}

#[tokio::test]
async fn rows_for_which_there_is_no_memory_to_wait_are_stored_as_well() {
    let rows: Vec<Row> = (0..20_000i64)
        .map(|i| row(OCTOBER + (i * 7919 % 4320) * MINUTE, ["b", "a", "c"][i as usize % 3], 1 + i % 7))
        .collect();
    let mut answers = Vec::new();
    for context in contexts() {
        let (_folder, table) = requests_table().await;
        let batches = rows.chunks(700).map(requests).collect();
        let commit = table.append(stream_of(batches), Once::default(), context.task_ctx()).await.unwrap();
        assert_eq!((commit.rows, commit.files), (4320, 3));
        answers.push(
            answer(&querying(Provider::newest(table)), "select service, time, requests from t order by 1, 2").await,
        );
    }
    assert!(answers.iter().all(|other| *other == answers[0]));
    assert_eq!(answers[0].len(), 4320);
}

#[tokio::test]
async fn an_old_version_keeps_its_rows() {
    let (_folder, table) = requests_table().await;
    assert_eq!(table.snapshot().await.unwrap().version(), None);
    append(&table, vec![requests(&[row(OCTOBER, "login", 1)])]).await.unwrap();
    let pinned = table.snapshot().await.unwrap();
    append(&table, vec![requests(&[row(OCTOBER + MINUTE, "login", 2)])]).await.unwrap();

    let sum = "select sum(requests), count(*) from t";
    assert_eq!(answer(&querying(Provider::newest(table.clone())), sum).await, ["3|2"]);
    assert_eq!(answer(&querying(Provider::at(table.clone(), 1)), sum).await, ["1|1"]);
    assert_eq!(answer(&querying(Provider::pinned(pinned.clone())), sum).await, ["1|1"]);
    assert!(table.snapshot_at(1).await.unwrap().files().eq(pinned.files()));
    assert_eq!(table.snapshot_at(0).await.unwrap().files().count(), 0);
    assert_eq!(answer(&querying(Provider::at(table.clone(), 0)), sum).await, ["NULL|0"]);
    let error = table.snapshot_at(9).await.unwrap_err();
    assert_eq!(error.kind(), nines_store::StoreErrorKind::NotFound, "{error}");

    // Reading on from a known version and reading from the start give the same files.
    let fresh = Store::open(table.store().url().as_str()).await.unwrap().table(TableKind::Requests);
    assert!(table.snapshot().await.unwrap().files().eq(fresh.snapshot().await.unwrap().files()));
}

#[tokio::test]
async fn an_empty_stream_commits_nothing() {
    let (folder, table) = requests_table().await;
    let commit = append(&table, vec![requests(&[])]).await.unwrap();
    assert_eq!(commit, nines_store::Commit::default());
    assert!(!folder.path().join("业务 %20 store#1/requests").exists());
    let empty = querying(Provider::newest(table));
    assert_eq!(answer(&empty, "select count(*), max(time) from t where service = 'x'").await, ["0|NULL"]);
}

#[tokio::test]
async fn a_memory_store_is_the_same_by_its_name() {
    let store = Store::open_or_create("memory://append-memory", Some(15)).await.unwrap();
    let rows = [row(OCTOBER + 15_000_000, "login", 4)];
    append(&store.table(TableKind::Requests), vec![requests(&rows)]).await.unwrap();
    let again = Store::open("memory://append-memory/").await.unwrap();
    assert_eq!((again.slice_seconds(), again.url()), (15, store.url()));
    let context = querying(Provider::newest(again.table(TableKind::Requests)));
    assert_eq!(answer(&context, "select time, requests from t").await, ["2026-10-01T00:00:15Z|4"]);
    assert!(Store::open("memory://append-nothing").await.is_err());
}

#[tokio::test]
async fn the_events_table_takes_what_it_is_given_in_any_order_of_columns() {
    let (_folder, store) = fixture::file_store().await;
    let table = store.table(TableKind::Events);
    let columns = datafusion::prelude::SessionContext::new()
        .sql(
            "select 3::int as total, 2::bigint unsigned as good, 'x' as source, 'sent' as name, '' as customer,
              '' as endpoint, 'mail' as service, '' as business,
              arrow_cast('2026-10-01T00:00:00', 'Timestamp(Millisecond, Some(\"Asia/Shanghai\"))') as time",
        )
        .await
        .unwrap();
    let stream = columns.execute_stream().await.unwrap();
    table.append(stream, Once::default(), fixture::context().task_ctx()).await.unwrap();
    let context = querying(Provider::newest(table));
    assert_eq!(answer(&context, "select time, good, total from t").await, ["2026-09-30T16:00:00Z|2|3"]);
}

//! Makes benchmark history as one Parquet file of aggregates for `nines ingest requests`.
//!
//! `cargo bench --bench history -- OUT.parquet [SERIES] [DAYS]`, by default 200 series × 90 days × 1440 minutes, about
//! 26 million rows. A series is an endpoint with its status; every twentieth is one of failures, present in all
//! minutes too, so that the number of rows is exact. Sorted by time, as a collector would deliver it.

use std::fs::File;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const MINUTE: i64 = 60_000_000;
/// 2026-01-01T00:00:00Z.
const START: i64 = 1_767_225_600_000_000;

/// Services of the benchmark; series are dealt out to them in turn.
const SERVICES: usize = 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Cargo adds `--bench`.
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    let Some(path) = args.next() else {
        eprintln!("usage: cargo bench --bench history -- OUT.parquet [SERIES] [DAYS]");
        return Ok(());
    };
    let series = args.next().map_or(Ok(200), |text| text.parse::<usize>())?;
    let days = args.next().map_or(Ok(90), |text| text.parse::<i64>())?;
    let mut rng = StdRng::seed_from_u64(26);
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let mut writer = ArrowWriter::try_new(File::create(&path)?, hour(series, 0, &mut rng)?.schema(), Some(properties))?;
    for at in 0..days * 24 {
        writer.write(&hour(series, at, &mut rng)?)?;
    }
    let rows = writer.close()?.file_metadata().num_rows();
    println!("{path}: {rows} rows, {series} series, {days} days");
    Ok(())
}

/// All rows of one hour.
fn hour(series: usize, at: i64, rng: &mut StdRng) -> Result<RecordBatch, Box<dyn std::error::Error>> {
    let (mut times, mut services, mut endpoints, mut statuses, mut requests) = (vec![], vec![], vec![], vec![], vec![]);
    for minute in at * 60..(at + 1) * 60 {
        for s in 0..series {
            let failures = s % 20 == 19;
            times.push(START + minute * MINUTE);
            services.push(format!("service-{:02}", s % SERVICES));
            // A series of failures belongs to the endpoint of the series before it.
            endpoints.push(format!("/endpoint/{:03}", if failures { s - 1 } else { s } / SERVICES));
            statuses.push(if failures { 503 } else { 200 });
            // Failures hit service 19 most of the time lightly, sometimes hard: a few hundred error minutes a year.
            let outage = (minute / 7) % 1009 == (s as i64 * 131) % 1009;
            requests.push(match (failures, outage) {
                (false, _) => rng.random_range(800..1200),
                (true, true) => rng.random_range(200..400),
                (true, false) => rng.random_range(0..4),
            });
        }
    }
    let columns: [(&str, ArrayRef); 5] = [
        ("time", Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC"))),
        ("service", Arc::new(StringArray::from(services))),
        ("endpoint", Arc::new(StringArray::from(endpoints))),
        ("status", Arc::new(Int32Array::from(statuses))),
        ("requests", Arc::new(Int64Array::from(requests))),
    ];
    Ok(RecordBatch::try_from_iter(columns)?)
}

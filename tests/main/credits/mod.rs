//! Credits: `credits(period)` over stored rows, and `nines credits`, which issues and verifies.

mod complete;
mod days;
mod drafts;
mod drawn;
mod due;
mod earlier;
mod exported;
mod gone;
mod half_hours;
mod joined;
mod naive;
mod objectives;
mod over_end;
mod overlaps;
mod parts;
mod periods;
mod plans;
mod recurring;
mod refused;
mod signed;
mod slower;
mod statements;
mod vectors;
mod within_slices;
mod year;
mod yearly;

use std::fmt::Write;
use std::path::Path;

use crate::{nines, run};

const SECOND: i64 = 1_000_000;

/// Counts of a slice: start in µs, valid, failed.
type Slice = (i64, i64, i64);

fn text(micros: i64) -> String {
    chrono::DateTime::from_timestamp_micros(micros).unwrap().to_rfc3339()
}

/// Stores requests of a customer of the service `gateway`.
fn ingest(store: &Path, width: i64, customer: &str, slices: &[Slice]) {
    let mut csv = "time,service,customer,status,requests\n".to_string();
    for (start, valid, failed) in slices {
        for (status, count) in [(200, valid - failed), (503, *failed)] {
            // A slice without a request says that the service was silent.
            if count > 0 || *valid == 0 && status == 200 {
                writeln!(csv, "{},gateway,{customer},{status},{count}", text(*start)).unwrap();
            }
        }
    }
    let file = store.with_extension("csv");
    std::fs::write(&file, csv).unwrap();
    let slice = format!("{width}s");
    run(nines().arg("--store").arg(store).args(["ingest", "requests", "--any-time", "--slice", &slice]).arg(&file));
}

/// Stores that a service was silent for days, of UTC, at noon: rows without a request.
fn silent(store: &Path, service: &str, business: &str, from: &str, days: u64) {
    let mut csv = "time,business,service,endpoint,status,requests\n".to_string();
    let first: chrono::NaiveDate = from.parse().unwrap();
    for day in first.iter_days().take(days as usize) {
        writeln!(csv, "{day}T12:00:00Z,{business},{service},/silent,200,0").unwrap();
    }
    let file = store.with_extension("silent.csv");
    std::fs::write(&file, csv).unwrap();
    run(nines().arg("--store").arg(store).args(["ingest", "requests", "--any-time"]).arg(&file));
}

/// Records a definition.
fn apply(store: &Path, definition: &str) {
    let file = store.with_extension("yaml");
    std::fs::write(&file, definition).unwrap();
    run(nines().arg("--store").arg(store).arg("apply").arg(&file));
}

/// Records fees, given without the header.
fn fees(store: &Path, rows: &str) {
    let file = store.with_extension("fees.csv");
    let header = "period,customer,service,currency,amount,voucher_amount,active_from,active_until\n";
    std::fs::write(&file, format!("{header}{rows}")).unwrap();
    run(nines().arg("--store").arg(store).args(["ingest", "fees"]).arg(&file));
}

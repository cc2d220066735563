//! The rules of aggregates: requests, events and gauges of one slice and key.

use std::ops::RangeInclusive;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Float64Type, Int32Type, Int64Type};

use super::broken::{Broken, First};

/// The values of `status`: HTTP's, 0 for none.
pub const STATUSES: RangeInclusive<i64> = 0..=999;

/// How far, as a share of the values' size, a mean or the last value may lie outside `min` and `max`: exports round.
const ROUNDING: f64 = 0.01;

/// Refuses a status that HTTP does not have.
pub fn check_status(status: i64) -> Result<(), Broken> {
    match STATUSES.contains(&status) {
        true => Ok(()),
        false => {
            let (first, last) = (STATUSES.start(), STATUSES.end());
            Err(Broken::new("status", format!("status is \"{status}\""))
                .expected(format!("a whole number from {first} to {last}")))
        }
    }
}

/// Refuses requests that carry more latencies than there are requests: a request has at most one. `latencies` is the
/// number of observations of the histogram, `within` the greatest of the cumulative counts; `None` if not given.
pub fn check_requests(requests: i64, latencies: Option<i128>, within: Option<i64>) -> Result<(), Broken> {
    counted("requests", requests)?;
    if let Some(latencies) = latencies.filter(|&latencies| latencies > i128::from(requests)) {
        return Err(Broken::new("latency", format!("latency holds {latencies} latencies and requests is {requests}"))
            .expected("at most one latency per request"));
    }
    if let Some(within) = within.filter(|&within| within > requests) {
        return Err(Broken::new(
            "latency_le",
            format!("latency_le counts {within} requests and requests is {requests}"),
        )
        .expected("cumulative counts of at most all requests"));
    }
    Ok(())
}

/// Refuses more good events than events.
pub fn check_events(good: i64, total: i64) -> Result<(), Broken> {
    counted("good", good)?;
    counted("total", total)?;
    if good > total {
        return Err(
            Broken::new("good", format!("good is {good} and total is {total}")).expected("good to be at most total")
        );
    }
    Ok(())
}

/// Samples of one value, combined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gauge {
    /// How many.
    pub samples: i64,
    /// Their sum.
    pub sum: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// The one that was taken last.
    pub last: f64,
}

/// Refuses an aggregate that no samples have: of none, or with a mean or a last value outside the least and the greatest.
pub fn check_gauge(gauge: &Gauge) -> Result<(), Broken> {
    let Gauge { samples, sum, min, max, last } = *gauge;
    if samples < 1 {
        return Err(Broken::new("samples", format!("samples is \"{samples}\"")).expected("at least one sample"));
    }
    for (name, number) in [("sum", sum), ("min", min), ("max", max), ("last", last)] {
        if !number.is_finite() {
            return Err(Broken::new(name, format!("{name} is {number}")).expected("a finite number"));
        }
    }
    if min > max {
        return Err(Broken::new("min", format!("min is {min} and max is {max}")).expected("min to be at most max"));
    }
    let slack = ROUNDING * min.abs().max(max.abs());
    let within = |number: f64| min - slack <= number && number <= max + slack;
    let mean = sum / samples as f64;
    if !within(mean) {
        return Err(Broken::new("sum", format!("sum is {sum} of {samples} samples, a mean of {mean}"))
            .expected(format!("a mean from min, {min}, to max, {max}")));
    }
    if !within(last) {
        return Err(
            Broken::new("last", format!("last is {last}")).expected(format!("a value from min, {min}, to max, {max}"))
        );
    }
    Ok(())
}

fn counted(column: &'static str, count: i64) -> Result<(), Broken> {
    match count < 0 {
        true => Err(Broken::new(column, format!("{column} is \"{count}\"")).expected("a whole number of at least 0")),
        false => Ok(()),
    }
}

pub(super) fn requests(batch: &RecordBatch) -> First {
    let status = batch["status"].as_primitive::<Int32Type>().values();
    let requests = batch["requests"].as_primitive::<Int64Type>().values();
    let histograms = batch["latency"].as_struct();
    let (zero, buckets) = (histograms.column(0).as_primitive::<Int64Type>(), histograms.column(1).as_list::<i32>());
    let counts = buckets.values().as_struct().column(1).as_primitive::<Int64Type>().values();
    let cumulative = batch["latency_le"].as_list::<i32>();
    let within = cumulative.values().as_struct().column(1).as_primitive::<Int64Type>().values();
    let latencies = |row: usize| {
        let entries = buckets.value_offsets()[row] as usize..buckets.value_offsets()[row + 1] as usize;
        let counted = counts[entries].iter().map(|&count| i128::from(count)).sum::<i128>();
        histograms.is_valid(row).then(|| i128::from(zero.value(row)) + counted)
    };
    let most = |row: usize| {
        let entries = cumulative.value_offsets()[row] as usize..cumulative.value_offsets()[row + 1] as usize;
        within[entries].last().copied().filter(|_| cumulative.is_valid(row))
    };
    (0..batch.num_rows()).find_map(|row| {
        let checked = check_status(i64::from(status[row]))
            .and_then(|()| check_requests(requests[row], latencies(row), most(row)));
        Some((row, checked.err()?))
    })
}

pub(super) fn events(batch: &RecordBatch) -> First {
    let counts = |name| batch[name].as_primitive::<Int64Type>().values();
    let (good, total) = (counts("good"), counts("total"));
    (0..batch.num_rows()).find_map(|row| Some((row, check_events(good[row], total[row]).err()?)))
}

pub(super) fn gauges(batch: &RecordBatch) -> First {
    let samples = batch["samples"].as_primitive::<Int64Type>().values();
    let number = |name| batch[name].as_primitive::<Float64Type>().values();
    let (sum, min, max, last) = (number("sum"), number("min"), number("max"), number("last"));
    (0..batch.num_rows()).find_map(|row| {
        let gauge = Gauge { samples: samples[row], sum: sum[row], min: min[row], max: max[row], last: last[row] };
        Some((row, check_gauge(&gauge).err()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_at_most_one_latency() {
        assert!(check_requests(3, Some(3), Some(3)).is_ok());
        assert!(check_requests(0, None, None).is_ok());
        let said = |checked: Result<(), Broken>| checked.unwrap_err().to_string();
        assert_eq!(
            said(check_requests(2, Some(3), None)),
            "latency holds 3 latencies and requests is 2; expected at most one latency per request"
        );
        assert_eq!(
            said(check_requests(2, None, Some(3))),
            "latency_le counts 3 requests and requests is 2; expected cumulative counts of at most all requests"
        );
        assert_eq!(said(check_requests(-1, None, None)), "requests is \"-1\"; expected a whole number of at least 0");
        assert_eq!(said(check_status(1000)), "status is \"1000\"; expected a whole number from 0 to 999");
    }

    #[test]
    fn samples_lie_between_the_least_and_the_greatest() {
        let gauge = |samples, sum, min, max, last| check_gauge(&Gauge { samples, sum, min, max, last });
        for (samples, sum, min, max, last) in [
            (1, 0.0, 0.0, 0.0, 0.0),
            (3, -6.0, -3.0, -1.0, -2.0),
            (100, 123.5, 1.24, 1.24, 1.235),
            (2, 0.0, -1.0, 1.0, 1.0),
        ] {
            assert_eq!(gauge(samples, sum, min, max, last), Ok(()), "{samples} {sum} {min} {max} {last}");
        }
        let said = |checked: Result<(), Broken>| checked.unwrap_err().to_string();
        assert_eq!(
            said(gauge(10, 5.0, 4.0, 6.0, 5.0)),
            "sum is 5 of 10 samples, a mean of 0.5; expected a mean from min, 4, to max, 6"
        );
        assert_eq!(said(gauge(2, 10.0, 4.0, 6.0, 7.0)), "last is 7; expected a value from min, 4, to max, 6");
        assert_eq!(said(gauge(2, 10.0, 6.0, 4.0, 5.0)), "min is 6 and max is 4; expected min to be at most max");
        assert_eq!(said(gauge(0, 0.0, 0.0, 0.0, 0.0)), "samples is \"0\"; expected at least one sample");
        assert_eq!(said(gauge(1, f64::NAN, 0.0, 0.0, 0.0)), "sum is NaN; expected a finite number");
    }

    #[test]
    fn good_events_are_events() {
        assert_eq!(check_events(0, 0), Ok(()));
        let said = check_events(110, 100).unwrap_err().to_string();
        assert_eq!(said, "good is 110 and total is 100; expected good to be at most total");
    }
}

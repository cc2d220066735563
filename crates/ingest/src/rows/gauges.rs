//! Samples of a measured value per slice and key.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array};
use datafusion::arrow::error::ArrowError;
use nines_store::{Gauge, check_gauge};

use super::series::Measured;
use super::sum;
use crate::columns::{Column, Named, ONE_OR_THE_OTHER};
use crate::fields::{Cell, misplaced, missing};
use crate::{IngestError, Result};

/// Samples of a slice and key. What comes out of several hand-outs is combined in the order of the input, so `last`
/// is that of the latest sample as far as samples of a slice come together or in order.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    samples: i64,
    sum: f64,
    min: f64,
    max: f64,
    last: f64,
    /// When the last sample was taken.
    last_time: i64,
}

/// One row of samples: either a value or the aggregates of several.
#[derive(Debug, Default)]
pub(crate) struct GaugesRow {
    value: Option<f64>,
    samples: Option<i64>,
    /// `sum`, `min`, `max` and `last`.
    numbers: [Option<f64>; 4],
}

impl Measured for Gauges {
    type Row = GaugesRow;

    fn set(row: &mut GaugesRow, (name, column): Named, cell: Cell<'_>) -> Result<()> {
        match column {
            Column::Value => row.value = Some(cell.number(name)?),
            Column::Count(_) => row.samples = Some(cell.count(name)?),
            Column::Number(at) => row.numbers[at] = Some(cell.number(name)?),
            _ => return Err(misplaced(name)),
        }
        Ok(())
    }

    fn is_counted(row: &GaugesRow) -> bool {
        row.value.is_none()
    }

    fn add(&mut self, row: GaugesRow, time: i64, _agreed: Option<&Arc<[i64]>>) -> Result<()> {
        let more = row.measured(time)?;
        if self.samples == 0 {
            *self = more;
            return Ok(());
        }
        let (samples, total) = (sum("samples", self.samples, more.samples)?, self.sum + more.sum);
        if !total.is_finite() {
            return Err(
                IngestError::bad_line("sum adds up to more than a number can hold for its slice and key").column("sum")
            );
        }
        (self.samples, self.sum) = (samples, total);
        self.min = self.min.min(more.min);
        self.max = self.max.max(more.max);
        if time >= self.last_time {
            (self.last, self.last_time) = (more.last, time);
        }
        Ok(())
    }

    fn array<'a>(column: Column, measured: impl Iterator<Item = &'a Self>) -> Result<ArrayRef, ArrowError> {
        let number = match column {
            Column::Number(0) => |gauge: &Self| gauge.sum,
            Column::Number(1) => |gauge: &Self| gauge.min,
            Column::Number(2) => |gauge: &Self| gauge.max,
            Column::Number(_) => |gauge: &Self| gauge.last,
            _ => return Ok(Arc::new(Int64Array::from_iter_values(measured.map(|gauge| gauge.samples)))),
        };
        Ok(Arc::new(Float64Array::from_iter_values(measured.map(number))))
    }
}

impl Gauges {
    fn as_stored(&self) -> Gauge {
        Gauge { samples: self.samples, sum: self.sum, min: self.min, max: self.max, last: self.last }
    }
}

impl GaugesRow {
    /// One sample.
    pub(crate) fn sample(value: f64) -> Self {
        GaugesRow { value: Some(value), ..GaugesRow::default() }
    }

    /// What the row says, checked.
    fn measured(self, time: i64) -> Result<Gauges> {
        let is_aggregate = self.samples.is_some() || self.numbers.iter().any(Option::is_some);
        if let Some(value) = self.value {
            if is_aggregate {
                return Err(IngestError::bad_line("value stands beside samples, sum, min, max or last")
                    .column("value")
                    .expected(ONE_OR_THE_OTHER));
            }
            return Ok(Gauges { samples: 1, sum: value, min: value, max: value, last: value, last_time: time });
        }
        if !is_aggregate {
            return Err(missing("value"));
        }
        let [sum, min, max, last] = self.numbers;
        let given = |number: Option<f64>, column| number.ok_or_else(|| missing(column));
        let gauge = Gauges {
            samples: self.samples.ok_or_else(|| missing("samples"))?,
            sum: given(sum, "sum")?,
            min: given(min, "min")?,
            max: given(max, "max")?,
            last: given(last, "last")?,
            last_time: time,
        };
        check_gauge(&gauge.as_stored())?;
        Ok(gauge)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use nines_store::TableKind;

    use crate::testing::{REMEDY, of, read_text, refusal, shown};
    use crate::{Format, Options};

    fn gauges() -> Options {
        of(TableKind::Gauges)
    }

    fn csv(text: &str) -> Vec<String> {
        shown(&read_text(Format::Csv, gauges(), text).unwrap())
    }

    #[test]
    fn samples_are_combined_per_slice_and_key() {
        assert_eq!(
            csv("time,service,name,value\n\
                 59,db,temperature,-1.5\n0,db,temperature,2\n30,db,temperature,0.5\n60,db,temperature,7\n"),
            [
                "time=1970-01-01T00:00:00Z service=db name=temperature samples=3 sum=1.0 min=-1.5 max=2.0 last=-1.5",
                "time=1970-01-01T00:01:00Z service=db name=temperature samples=1 sum=7.0 min=7.0 max=7.0 last=7.0",
            ]
        );
    }

    #[test]
    fn of_samples_of_the_same_time_the_later_line_is_last() {
        assert_eq!(
            csv("time;value\n7;1\n7;3\n7;2\n"),
            ["time=1970-01-01T00:00:00Z samples=3 sum=6.0 min=1.0 max=3.0 last=2.0"]
        );
    }

    #[test]
    fn aggregates_are_combined_too_and_json_lines_may_mix() {
        let text = r#"{"time": 40, "samples": 4, "sum": 10, "min": 1, "max": 4.5, "last": 2}
                      {"time": 50, "value": "0.25"}
                      {"time": 10, "samples": 2, "sum": 0, "min": -3, "max": 3, "last": 3}"#;
        assert_eq!(
            shown(&read_text(Format::JsonLines, gauges(), text).unwrap()),
            ["time=1970-01-01T00:00:00Z samples=7 sum=10.25 min=-3.0 max=4.5 last=0.25"]
        );
    }

    #[test]
    fn a_header_has_samples_or_aggregates() {
        let list = "expected columns of gauges: time, business, service, endpoint, name, source, samples, sum, min, \
                    max, last, labels, value. Name it, or choose and compute the columns with --select";
        for (header, message) in [
            ("time,name", format!("there is no column \"value\"; {list}")),
            ("time,samples,sum,min,max", format!("there is no column \"last\"; {list}")),
            ("time,last", format!("there is no column \"samples\"; {list}")),
            ("value", format!("there is no column \"time\"; {list}")),
            (
                "time,value,last",
                "there are columns \"value\" and \"last\"; expected one or the other: value, a sample, fills samples, \
                 sum, min, max and last. Leave one out, or choose and compute the columns with --select"
                    .to_string(),
            ),
        ] {
            assert_eq!(refusal(Format::Csv, gauges(), header), format!("input:1: {message}"));
        }
    }

    #[test]
    fn what_nobody_can_have_measured_is_refused_with_its_line() {
        for value in ["NaN", "inf", "", "high", "1e999"] {
            assert_eq!(
                refusal(Format::Csv, gauges(), format!("time,value\n0,1\n0,{value}\n")),
                format!("input:3: value is {value:?}; expected a finite number. {REMEDY}")
            );
        }
        for (row, message) in [
            ("0,0,0,0,0", "samples is \"0\"; expected at least one sample"),
            ("-1,0,0,0,0", "samples is \"-1\"; expected a whole number of at least 0"),
            ("2,3,2,1,1", "min is 2 and max is 1; expected min to be at most max"),
            ("2,3,1,2,-inf", "last is \"-inf\"; expected a finite number"),
        ] {
            assert_eq!(
                refusal(Format::Csv, gauges(), format!("time,samples,sum,min,max,last\n0,{row}\n")),
                format!("input:2: {message}. {REMEDY}")
            );
        }
        for (row, message) in [
            (
                r#""value": 1, "sum": 1"#,
                "value stands beside samples, sum, min, max or last; expected one or the other: value, a sample, fills \
                 samples, sum, min, max and last",
            ),
            (r#""name": "t""#, "value is missing"),
            (r#""samples": 1, "sum": 1, "min": 1, "max": 1"#, "last is missing"),
            (r#""value": null"#, "value is \"\"; expected a finite number"),
            (r#""value": true"#, "value is \"true\"; expected a finite number"),
        ] {
            assert_eq!(
                refusal(Format::JsonLines, gauges(), format!("{{\"time\": 0, {row}}}")),
                format!("input:1: {message}. {REMEDY}")
            );
        }
        assert_eq!(
            refusal(Format::Csv, gauges(), "time,value\n0,1.7e308\n0,1.7e308\n"),
            format!("input:3: sum adds up to more than a number can hold for its slice and key. {REMEDY}")
        );
    }

    #[test]
    fn a_key_of_several_hand_outs_comes_out_in_the_order_of_the_input() {
        let mut text = String::from("time,name,value\n");
        for n in 0..250_000 {
            writeln!(text, "0,sensor-{n},1\n{},hot,{n}", n % 60).unwrap();
        }
        let batches = read_text(Format::Csv, gauges(), text).unwrap();
        assert!(batches.iter().all(|batch| batch.num_rows() <= 8192));
        let hot = shown(&batches).into_iter().filter(|row| row.contains("name=hot ")).collect::<Vec<_>>();
        assert_eq!(hot.len(), 2, "one per hand-out");
        let hand_out = |row: &str| {
            let of = |name: &str| row.split(name).nth(1).unwrap().split(' ').next().unwrap().parse::<f64>().unwrap();
            (of(" samples="), of(" min="), of(" max="), of(" last="))
        };
        let (first, second) = (hand_out(&hot[0]), hand_out(&hot[1]));
        assert_eq!((first.0 + second.0, first.1, second.2), (250_000.0, 0.0, 249_999.0));
        assert_eq!(first.2 + 1.0, second.1);
        assert_eq!((first.3 % 60.0, second.3), (59.0, 249_959.0), "the latest second, the later line");
    }
}

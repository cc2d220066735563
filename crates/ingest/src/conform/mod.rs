//! Columns that exist already, fitted to a table: Parquet and the results of a SQL mapping.
//!
//! The same rules as for text formats, column by column instead of row by row; equal keys are not
//! combined, because the writer does that anyway.

mod agreed;
mod cast;
mod gauges;
mod labels;
mod latency;
mod names;
mod records;
mod samples;
mod time;

use std::cell::RefCell;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringViewArray,
    TimestampMicrosecondArray, new_null_array,
};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::arrow::util::display::array_value_to_string;
use nines_store::TableKind;

use crate::columns::{Column, Columns, Named, Target};
use crate::fields::{COUNT, SECONDS, STATUS, is_duration, misplaced};
use crate::found::ENDPOINT;
use crate::rows::{check_rules, mixed, uncounted};
use crate::{ErrorKind, Fills, IngestError, Options, Result, RowsAre};
use cast::{bad_row, checked, texts, whole};

pub use samples::SampleRows;

/// Fits a batch to the schema of `options.kind`: columns by name, in any type that holds their values.
///
/// `time` and other instants are any timestamp, date, text or number that a text format may hold. Missing columns
/// are empty, 0 for `status`, 1 for `requests` and what [`TableKind::default_of`] says in a record; the options
/// fill empty texts. NULL is "not given": right for texts, `status`, latencies and what a record may leave out, an
/// error elsewhere. `latency_seconds` fills `latency` and `latency_sum`; latencies may also be JSON text. `value`
/// fills all measures of a gauge, whose rows come out in the order of their times.
///
/// Errors name the row within this batch; see [`IngestError::after_rows`].
///
/// [`TableKind::default_of`]: nines_store::TableKind::default_of
pub fn conform(batch: &RecordBatch, options: &Options) -> Result<RecordBatch> {
    options.check()?;
    let columns = Columns::with(options.kind, &options.from)?;
    let found = columns.find_all(batch.schema_ref().fields().iter().map(|field| field.name().as_str()))?;
    let mut input = Input { batch, columns: &columns, found, options, times: None, others: RefCell::default() };
    input.times = input.find(Column::Time).map(|time| time::of_series(time, options)).transpose()?;
    input.check_kind_of_rows()?;
    if let Some(times) = &input.times {
        time::tell(times, &options.seen);
    }
    let schema = options.kind.schema(options.slice_seconds);
    let arrays = columns.stored().map(|named| input.stored(named)).collect::<Result<Vec<_>>>()?;
    let fitted = RecordBatch::try_new(schema, arrays).map_err(|e| {
        IngestError::new(ErrorKind::Internal, format!("the columns do not fit together: {e}")).caused_by(e)
    })?;
    check_rules(options.kind, &fitted, |refused, row| refused.in_row(row as u64 + 1))?;
    input.tell();
    match &input.times {
        Some(times) if options.kind == TableKind::Gauges => gauges::by_time(fitted, times),
        _ => Ok(fitted),
    }
}

/// The batch to fit, with what its columns mean.
struct Input<'a> {
    batch: &'a RecordBatch,
    columns: &'a Columns,
    found: Vec<Named>,
    options: &'a Options,
    /// When the rows of a series were measured.
    times: Option<TimestampMicrosecondArray>,
    /// By what is named, rows whose name is not kept.
    others: RefCell<Vec<(String, u64)>>,
}

impl Input<'_> {
    /// Refuses columns of counts where the rows are single ones, and single ones where they are counted.
    fn check_kind_of_rows(&self) -> Result<()> {
        let count = self.found.iter().find(|(_, column)| column.is_count());
        match (self.options.rows, count) {
            (RowsAre::Raw, Some((name, _))) => Err(mixed(name)),
            (RowsAre::Counted, None) => Err(uncounted(self.options.kind)),
            (RowsAre::Any | RowsAre::Raw | RowsAre::Counted, _) => Ok(()),
        }
    }

    /// A column of the input: that of its name, also where it fills others.
    fn find(&self, wanted: Column) -> Option<&ArrayRef> {
        let is_own = |column: Column| match column {
            Column::Filling(at) => self.columns.filling()[at].own.is_some_and(|(_, own)| own == wanted),
            _ => false,
        };
        let at = self.found.iter().position(|&(_, column)| column == wanted || is_own(column))?;
        Some(self.batch.column(at))
    }

    /// Tells of rows that are taken in how many the fields that fill columns say something, and whose names are not kept.
    fn tell(&self) {
        self.others.borrow().iter().for_each(|(what, rows)| self.options.found.add_others(what, *rows));
        for (at, filling) in self.columns.filling().iter().enumerate() {
            let Some(array) = self.find(Column::Filling(at)) else { continue };
            let is_given = |row: &usize| {
                array.is_valid(*row) && array_value_to_string(array, *row).is_ok_and(|text| !text.is_empty())
            };
            self.options.found.add_given(&filling.field, (0..array.len()).filter(is_given).count() as u64);
        }
    }

    /// The column that fills a text column of another name.
    fn filling(&self, column: Column) -> Option<&ArrayRef> {
        let Column::Text(at) = column else { return None };
        let fillings = self.columns.filling().iter();
        let field = fillings.clone().position(|filling| filling.targets.contains(&Target::Text(at)))?;
        self.find(Column::Filling(field))
    }

    /// The labels that columns fill.
    fn filled_labels(&self) -> Vec<(&str, ArrayRef)> {
        let names = self.options.from.iter().filter_map(|from| match &from.fills {
            Fills::Label(name) => Some((name.as_str(), &from.field)),
            Fills::Column(_) => None,
        });
        let place = |field: &String| self.columns.filling().iter().position(|filling| filling.field == *field);
        let filled = |(name, field)| Some((name, Arc::clone(self.find(Column::Filling(place(field)?))?)));
        names.filter_map(filled).collect()
    }

    /// The column of the result, the name of the piece put behind each source.
    fn stored(&self, named: Named) -> Result<ArrayRef> {
        let array = self.array(named)?;
        match &self.options.piece {
            Some(piece) if named.0 == "source" => {
                let sources =
                    array.as_string_view().iter().map(|source| format!("{}{piece}", source.unwrap_or_default()));
                Ok(Arc::new(StringViewArray::from_iter_values(sources)))
            }
            _ => Ok(array),
        }
    }

    fn array(&self, (name, column): Named) -> Result<ArrayRef> {
        let rows = self.batch.num_rows();
        let given = self.find(column).or_else(|| self.filling(column));
        Ok(match (column, given) {
            (Column::Time, _) => match &self.times {
                Some(times) => time::slices(times, self.options)?,
                None => return Err(misplaced(name)),
            },
            (Column::Text(_), Some(array)) => {
                let (named, others) = names::named(name, text(name, array, self.options.fill(name))?, self.options);
                self.others.borrow_mut().push((ENDPOINT.to_string(), others));
                named
            }
            (Column::Text(_), None) => {
                Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n(self.options.fill(name), rows)))
            }
            (Column::Status, Some(array)) => status(name, array)?,
            (Column::Status, None) => Arc::new(Int32Array::from_value(0, rows)),
            (Column::Count(_), Some(array)) => count(name, array)?,
            (Column::Count(0), None) if self.find(Column::Ok).is_some() => records::ok(self.find(Column::Ok))?,
            (Column::Count(_), None) => Arc::new(Int64Array::from_value(1, rows)),
            (Column::Number(_), Some(array)) => gauges::numbers(name, array)?,
            (Column::Number(_), None) => match self.find(Column::Value) {
                Some(array) => gauges::numbers("value", array)?,
                None => return Err(misplaced(name)),
            },
            (Column::Field(_, of), given) => records::field((name, of), given, rows, self.options)?,
            (Column::LatencySum | Column::Latency, given) => match (given, self.find(Column::LatencySeconds)) {
                (Some(_), Some(_)) => return Err(both(name)),
                (Some(array), None) if column == Column::Latency => latency::histograms(name, array)?,
                (Some(array), None) => Arc::new(seconds(name, array)?),
                (None, Some(array)) => {
                    let seconds = seconds("latency_seconds", array)?;
                    latency::observed(column, &seconds, &self.requests()?)?
                }
                (None, None) => missing(column, rows),
            },
            (Column::LatencyLe, Some(array)) => latency::counts_le(name, array)?,
            (Column::LatencyLe, None) if self.counts_agreed() => self.agreed()?,
            (Column::Labels, given) => {
                let (labels, others) = labels::labels(given, &self.filled_labels(), rows, &self.options.found)?;
                self.others.borrow_mut().extend(others);
                labels
            }
            (Column::LatencyLe | Column::LatencySeconds | Column::Value | Column::Ok | Column::Filling(_), _) => {
                missing(column, rows)
            }
        })
    }

    /// How many requests each row is.
    fn requests(&self) -> Result<Int64Array> {
        Ok(match self.find(Column::Count(0)) {
            Some(array) => count("requests", array)?.as_primitive::<Int64Type>().clone(),
            None => Int64Array::from_value(1, self.batch.num_rows()),
        })
    }
}

fn both(name: &str) -> IngestError {
    IngestError::new(ErrorKind::Columns, format!("there are columns \"latency_seconds\" and {name:?}"))
        .column(name)
        .expected("one or the other: latency_seconds fills latency and latency_sum")
        .advice("Leave one out with --select")
}

fn missing(column: Column, rows: usize) -> ArrayRef {
    let data_type = match column {
        Column::Latency => nines_store::histogram_type(),
        Column::LatencyLe => nines_store::counts_le_type(),
        _ => DataType::Float64,
    };
    new_null_array(&data_type, rows)
}

fn text(name: &str, array: &ArrayRef, fill: &str) -> Result<ArrayRef> {
    let texts = texts(name, array)?;
    let view = texts.as_string_view();
    let has_empty = view.null_count() > 0 || (!fill.is_empty() && view.lengths().any(|length| length == 0));
    if !has_empty {
        return Ok(texts);
    }
    let filled = view.iter().map(|text| text.filter(|text| !text.is_empty()).unwrap_or(fill));
    Ok(Arc::new(StringViewArray::from_iter_values(filled)))
}

fn count(name: &str, array: &ArrayRef) -> Result<ArrayRef> {
    let counts = whole(name, array, COUNT)?;
    match (0..counts.len()).find(|&row| counts.is_null(row) || counts.value(row) < 0) {
        Some(row) => Err(bad_row(name, array, row, COUNT)),
        None => Ok(Arc::new(counts)),
    }
}

fn status(name: &str, array: &ArrayRef) -> Result<ArrayRef> {
    let statuses = whole(name, array, STATUS)?;
    match (0..statuses.len()).find(|&row| statuses.is_valid(row) && !(0..=999).contains(&statuses.value(row))) {
        Some(row) => Err(bad_row(name, array, row, STATUS)),
        None => Ok(Arc::new(statuses.iter().map(|status| status.unwrap_or(0) as i32).collect::<Int32Array>())),
    }
}

/// Numbers of seconds of at least 0; NULL stays NULL.
fn seconds(name: &str, array: &ArrayRef) -> Result<Float64Array> {
    if array.data_type().is_temporal() || array.data_type() == &DataType::Boolean {
        return Err(cast::impossible(name, array, SECONDS));
    }
    let seconds = checked(name, array, &DataType::Float64, SECONDS)?.as_primitive::<Float64Type>().clone();
    match (0..seconds.len()).find(|&row| seconds.is_valid(row) && !is_duration(seconds.value(row))) {
        Some(row) => Err(bad_row(name, array, row, SECONDS)),
        None => Ok(seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{REMEDY, events, requests, shown};
    use datafusion::arrow::array::*;
    use datafusion::arrow::datatypes::{Field, Int32Type, TimeUnit};

    fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
    }

    fn rows(columns: Vec<(&str, ArrayRef)>) -> Vec<String> {
        let batch = conform(&batch(columns), &requests()).unwrap();
        assert_eq!(batch.schema(), requests().kind.schema(60));
        shown(&[batch])
    }

    fn refused(columns: Vec<(&str, ArrayRef)>) -> String {
        conform(&batch(columns), &requests()).unwrap_err().to_string()
    }

    fn ints<const N: usize>(values: [i64; N]) -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(values))
    }

    fn texts<const N: usize>(values: [&str; N]) -> ArrayRef {
        Arc::new(StringArray::from_iter_values(values))
    }

    #[test]
    fn columns_are_found_by_name_and_cast() {
        let dictionary: DictionaryArray<Int32Type> = [Some("登录"), None].into_iter().collect();
        let mut options = requests();
        options.service = Some("web".into());
        let input = batch(vec![
            ("requests", Arc::new(Float64Array::from(vec![2.0, 3.0]))),
            ("service", Arc::new(dictionary)),
            ("customer", Arc::new(UInt16Array::from(vec![7, 8]))),
            ("status", Arc::new(StringViewArray::from(vec![Some("200"), None]))),
            ("time", ints([60_000_000, 119])),
        ]);
        assert_eq!(
            shown(&[conform(&input, &options).unwrap()]),
            [
                "time=1971-11-26T10:40:00Z service=登录 customer=7 status=200 requests=2",
                "time=1970-01-01T00:01:00Z service=web customer=8 status=0 requests=3",
            ]
        );
        assert_eq!(rows(vec![("time", ints([0]))]), ["time=1970-01-01T00:00:00Z status=0 requests=1"]);
        assert!(rows(vec![("time", ints([]))]).is_empty());
    }

    #[test]
    fn every_type_of_time() {
        let noon = 1_790_856_000;
        let mut options = requests();
        options.time_zone = chrono_tz::Asia::Shanghai;
        let clock = noon + 8 * 3600;
        let times: Vec<ArrayRef> = vec![
            Arc::new(TimestampSecondArray::from(vec![noon]).with_timezone("+02:00")),
            Arc::new(TimestampMillisecondArray::from(vec![clock * 1000 + 999])),
            Arc::new(TimestampMicrosecondArray::from(vec![noon * 1_000_000]).with_timezone("UTC")),
            Arc::new(TimestampNanosecondArray::from(vec![clock * 1_000_000_000])),
            texts(["2026-10-01 20:00:59"]),
            Arc::new(LargeStringArray::from(vec!["2026-10-01T12:00:00Z"])),
            Arc::new(vec!["2026-10-01T12:00:00Z"].into_iter().collect::<DictionaryArray<Int32Type>>()),
            ints([noon * 1000]),
            Arc::new(Float64Array::from(vec![noon as f64 + 0.5])),
            Arc::new(Decimal128Array::from(vec![i128::from(noon) * 1000]).with_precision_and_scale(20, 3).unwrap()),
        ];
        for time in times {
            let kind = time.data_type().clone();
            let conformed = conform(&batch(vec![("time", time)]), &options).unwrap();
            assert_eq!(shown(&[conformed]), ["time=2026-10-01T12:00:00Z status=0 requests=1"], "{kind}");
        }
        let days = Arc::new(Date32Array::from(vec![1]));
        let conformed = conform(&batch(vec![("time", days)]), &options).unwrap();
        assert_eq!(shown(&[conformed]), ["time=1970-01-01T16:00:00Z status=0 requests=1"]);
    }

    #[test]
    fn bad_times_are_refused_by_row() {
        let refused = |time: ArrayRef| refused(vec![("time", time)]);
        assert_eq!(
            refused(ints([0, -1])),
            format!("row 2: time is \"-1\"; expected a time in the years 1970 to 9999. {REMEDY}")
        );
        assert_eq!(
            refused(Arc::new(TimestampSecondArray::from(vec![Some(0), None]))),
            format!("row 2: time is NULL; expected a time. {REMEDY}")
        );
        assert_eq!(
            refused(Arc::new(TimestampSecondArray::from(vec![i64::MAX]))).split(';').next_back().unwrap(),
            format!(" expected a time. {REMEDY}")
        );
        assert_eq!(
            refused(Arc::new(BooleanArray::from(vec![true]))),
            "time is of type Boolean; expected a timestamp, a text or a number. Convert it with --select"
        );
    }

    #[test]
    fn latencies_as_structs_texts_and_seconds() {
        let buckets = r#"{"zero": 1, "buckets": [{"bucket": 5, "count": 2}]}"#;
        let counts = r#"[{"le": 100000, "count": 3}]"#;
        let from_text = vec![
            ("time", ints([0, 0])),
            ("requests", ints([3, 1])),
            ("latency", texts([buckets, ""])),
            ("latency_le", texts([counts, ""])),
        ];
        let expected = [
            "time=1970-01-01T00:00:00Z status=0 requests=3 latency={zero: 1, buckets: [{bucket: 5, count: 2}]} \
             latency_le=[{le: 100000, count: 3}]",
            "time=1970-01-01T00:00:00Z status=0 requests=1",
        ];
        assert_eq!(rows(from_text.clone()), expected);
        let stored = conform(&batch(from_text), &requests()).unwrap();
        assert_eq!(shown(&[conform(&stored, &requests()).unwrap()]), expected);
        assert_eq!(shown(&[conform(&stored.slice(1, 1), &requests()).unwrap()]), expected[1..]);

        let seconds = Float64Array::from(vec![Some(0.5), Some(0.0), None, Some(9.0)]);
        assert_eq!(
            rows(vec![
                ("time", ints([0; 4])),
                ("latency_seconds", Arc::new(seconds)),
                ("requests", ints([4, 1, 1, 0])),
            ]),
            [
                "time=1970-01-01T00:00:00Z status=0 requests=4 latency_sum=2.0 latency={zero: 0, buckets: [{bucket: -33, count: 4}]}",
                "time=1970-01-01T00:00:00Z status=0 requests=1 latency_sum=0.0 latency={zero: 1, buckets: []}",
                "time=1970-01-01T00:00:00Z status=0 requests=1",
                "time=1970-01-01T00:00:00Z status=0 requests=0",
            ]
        );
    }

    /// A list column of structs with two members.
    fn pairs(names: [&str; 2], values: [Vec<Option<i64>>; 2]) -> ArrayRef {
        let length = values[0].len();
        let fields: Vec<Field> = names.iter().map(|name| Field::new(*name, DataType::Int64, true)).collect();
        let columns = values.into_iter().map(|values| Arc::new(Int64Array::from(values)) as ArrayRef).collect();
        let structs = StructArray::new(fields.into(), columns, None);
        let item = Arc::new(Field::new("item", structs.data_type().clone(), true));
        let offsets = datafusion::arrow::buffer::OffsetBuffer::from_lengths([length]);
        Arc::new(LargeListArray::from(
            datafusion::arrow::compute::cast(
                &ListArray::new(item.clone(), offsets, Arc::new(structs), None),
                &DataType::LargeList(item),
            )
            .unwrap()
            .to_data(),
        ))
    }

    #[test]
    fn nested_latencies_of_other_types_fit_or_are_refused() {
        let le = |names, les: Vec<Option<i64>>, counts| {
            vec![("time", ints([0])), ("requests", ints([2])), ("latency_le", pairs(names, [les, counts]))]
        };
        assert_eq!(
            rows(le(["count", "le"], vec![Some(2), Some(1)], vec![Some(200), Some(100)])),
            ["time=1970-01-01T00:00:00Z status=0 requests=2 latency_le=[{le: 100, count: 1}, {le: 200, count: 2}]"]
        );
        assert_eq!(
            refused(le(["le", "count"], vec![Some(100)], vec![None])),
            format!(
                "row 1: latency_le is \"[{{le: 100, count: }}]\"; expected [{{\"le\": µs, \"count\": n}}, …] with counts \
                 that do not fall as thresholds rise. {REMEDY}"
            )
        );
        assert!(refused(le(["a", "b"], vec![], vec![])).starts_with("latency_le is of type LargeList("));
        assert_eq!(
            refused(le(["le", "count"], vec![Some(1), Some(2)], vec![Some(2), Some(1)])),
            format!(
                "row 1: latency_le is \"[{{le: 1, count: 2}}, {{le: 2, count: 1}}]\" (the count falls from 2 at 1 µs to 1 \
                 at 2 µs); expected [{{\"le\": µs, \"count\": n}}, …] with counts that do not fall as thresholds rise. {REMEDY}"
            )
        );
    }

    #[test]
    fn wrong_values_and_types_are_refused() {
        let with = |name, array: ArrayRef| refused(vec![("time", ints([0, 0])), (name, array)]);
        let floats = |values: [f64; 2]| -> ArrayRef { Arc::new(Float64Array::from_iter_values(values)) };
        for (name, array, message) in [
            ("requests", ints([1, -1]), "row 2: requests is \"-1\"; expected a whole number of at least 0"),
            ("requests", floats([1.0, 1.5]), "row 2: requests is \"1.5\"; expected a whole number of at least 0"),
            ("requests", floats([f64::NAN, 1.0]), "row 1: requests is \"NaN\"; expected a whole number of at least 0"),
            ("requests", texts(["1", "x"]), "row 2: requests is \"x\"; expected a whole number of at least 0"),
            (
                "requests",
                Arc::new(UInt64Array::from(vec![1, u64::MAX])),
                "row 2: requests is \"18446744073709551615\"; expected a whole number of at least 0",
            ),
            (
                "requests",
                Arc::new(Int32Array::from(vec![None, Some(1)])),
                "row 1: requests is NULL; expected a whole number of at least 0",
            ),
            (
                "requests",
                Arc::new(Decimal128Array::from(vec![100, 150]).with_precision_and_scale(10, 2).unwrap()),
                "row 2: requests is \"1.50\"; expected a whole number of at least 0",
            ),
            ("status", ints([999, 1000]), "row 2: status is \"1000\"; expected a whole number from 0 to 999"),
            (
                "latency_sum",
                floats([0.0, -1.0]),
                "row 2: latency_sum is \"-1.0\"; expected a number of seconds of at least 0",
            ),
            (
                "latency_seconds",
                floats([f64::INFINITY, 0.0]),
                "row 1: latency_seconds is \"inf\"; expected a number of seconds of at least 0",
            ),
            (
                "endpoint",
                Arc::new(BinaryArray::from(vec![&b"/"[..], b"\xff"])),
                "row 2: endpoint is \"ff\"; expected UTF-8 text",
            ),
        ] {
            assert_eq!(with(name, array), format!("{message}. {REMEDY}"));
        }
        assert_eq!(
            with("endpoint", floats([1.0, 2.0])),
            "endpoint is of type Float64; expected text. Convert it with --select"
        );
        assert_eq!(
            with("requests", Arc::new(BooleanArray::from(vec![true, false]))),
            "requests is of type Boolean; expected a whole number of at least 0. Convert it with --select"
        );
        assert_eq!(
            with("status", Arc::new(DurationSecondArray::from(vec![1, 2]))),
            format!(
                "status is of type {}; expected a whole number from 0 to 999. Convert it with --select",
                DataType::Duration(TimeUnit::Second)
            )
        );
        assert!(with("date", texts(["", ""])).starts_with("unknown column \"date\"; expected columns of requests: "));
        assert_eq!(
            refused(vec![("time", ints([0])), ("latency_seconds", ints([1])), ("latency_sum", ints([1])),]),
            "there are columns \"latency_seconds\" and \"latency_sum\"; expected one or the other: latency_seconds fills \
             latency and latency_sum. Leave one out with --select"
        );
        let more_good = batch(vec![("time", ints([0, 0])), ("good", ints([1, 2])), ("total", ints([1, 1]))]);
        assert_eq!(
            conform(&more_good, &events()).unwrap_err().after_rows(10).in_file("f").to_string(),
            format!("f: row 12: good is 2 and total is 1; expected good to be at most total. {REMEDY}")
        );
    }
}

//! Rows that people write by hand, each stored as it is.
//!
//! They are few, so a row is a list of values; only a batch is columns.

use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::arrow::array::{BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, ScalarValue};
use nines_store::{MONEY, TableKind, UTC, first_invalid_row};

use super::{BATCH_ROWS, MAX_BYTES, Rows};
use crate::columns::{Column, Columns, FieldType, Named};
use crate::fields::{Cell, misplaced, missing};
use crate::time::Clock;
use crate::{ErrorKind, IngestError, Options, Result};

/// Rows of a record.
pub(crate) struct RecordRows {
    kind: TableKind,
    columns: Columns,
    schema: SchemaRef,
    zone: Tz,
    /// What stands in each column that a row leaves out; `None` where it must not.
    defaults: Vec<Option<ScalarValue>>,
    /// The row being read: a value per column of the table.
    row: Vec<Option<ScalarValue>>,
    /// The values of each column.
    held: Vec<Vec<ScalarValue>>,
    /// The line of each row.
    lines: Vec<u64>,
    /// A batch of which a row was refused, without that row, and the lines of its rows.
    rest: Option<(RecordBatch, Vec<u64>)>,
    bytes: usize,
}

impl RecordRows {
    pub(crate) fn new(options: &Options) -> Result<Self> {
        let columns = Columns::of(options.kind)?;
        let defaults: Vec<_> = columns.stored().map(|(name, _)| options.default_of(name)).collect();
        Ok(Self {
            kind: options.kind,
            schema: options.kind.schema(options.slice_seconds),
            zone: options.time_zone,
            row: vec![None; defaults.len()],
            held: vec![Vec::new(); defaults.len()],
            lines: Vec::new(),
            rest: None,
            bytes: 0,
            columns,
            defaults,
        })
    }

    fn batch(&mut self) -> Result<RecordBatch, DataFusionError> {
        let columns = self.held.iter_mut().map(|column| ScalarValue::iter_to_array(column.drain(..)));
        let columns = columns.collect::<Result<_, _>>()?;
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

impl Rows for RecordRows {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn begin(&mut self) {
        self.row.fill(None);
    }

    fn set(&mut self, (name, column): Named, cell: Cell<'_>) -> Result<()> {
        let Column::Field(at, of) = column else { return Err(misplaced(name)) };
        if cell.is_missing() {
            return Ok(());
        }
        self.row[at] = Some(match of {
            FieldType::Text => {
                let text = cell.text(name)?;
                self.bytes += text.len();
                ScalarValue::Utf8View(Some(text.into_owned()))
            }
            FieldType::Instant => {
                let micros = cell.instant(Clock::of_record(name, self.zone))?;
                ScalarValue::TimestampMicrosecond(Some(micros), Some(UTC.into()))
            }
            FieldType::Flag => ScalarValue::Boolean(Some(cell.flag(name)?)),
            FieldType::Money => ScalarValue::Decimal128(Some(cell.money(name)?), MONEY.0, MONEY.1),
        });
        Ok(())
    }

    fn add(&mut self, line: u64) -> Result<()> {
        for ((value, default), (name, _)) in self.row.iter_mut().zip(&self.defaults).zip(self.columns.stored()) {
            if value.is_none() {
                *value = Some(default.clone().ok_or_else(|| missing(name))?);
            }
        }
        for (column, value) in self.held.iter_mut().zip(&mut self.row) {
            column.extend(value.take());
        }
        self.lines.push(line);
        self.bytes += self.held.len() * size_of::<ScalarValue>();
        Ok(())
    }

    fn full(&self) -> bool {
        self.lines.len() >= BATCH_ROWS || self.bytes >= MAX_BYTES
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let (batch, mut lines) = match self.rest.take() {
            Some(rest) => rest,
            None => {
                let lines = std::mem::take(&mut self.lines);
                self.bytes = 0;
                if lines.is_empty() {
                    return Ok(None);
                }
                let batch = self.batch().map_err(|e| {
                    IngestError::new(ErrorKind::Internal, format!("a batch could not be built: {e}")).caused_by(e)
                })?;
                (batch, lines)
            }
        };
        let mut at = None;
        let checked = check_rules(self.kind, &batch, |refused, row| {
            at = Some(row);
            match lines.get(row) {
                Some(&line) => refused.on_line(line),
                None => refused,
            }
        });
        if let (Err(error), Some(row)) = (checked, at) {
            // Who goes on without the row asks again.
            let stay = BooleanArray::from_iter((0..lines.len()).map(|other| Some(other != row)));
            let others = filter_record_batch(&batch, &stay).map_err(|e| {
                IngestError::new(ErrorKind::Internal, format!("a row could not be left out: {e}")).caused_by(e)
            })?;
            lines.remove(row);
            self.rest = Some((others, lines));
            return Err(error);
        }
        Ok(Some(batch))
    }
}

/// Refuses a batch with a row that breaks a rule of its table; `place` says where the row, counted from 0, stands.
pub(crate) fn check_rules(
    kind: TableKind,
    batch: &RecordBatch,
    place: impl FnOnce(IngestError, usize) -> IngestError,
) -> Result<()> {
    match first_invalid_row(kind, batch) {
        Some(invalid) => {
            let refused = match kind.is_series() {
                true => IngestError::from(invalid.broken),
                false => IngestError::bad_line(format!("column {}: {}", invalid.column, invalid.message)),
            };
            Err(place(refused.column(invalid.column), invalid.row))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;
    use crate::testing::{REMEDY, of, read_text, refusal, shown};

    fn csv(kind: TableKind, text: &str) -> Vec<String> {
        shown(&read_text(Format::Csv, of(kind), text).unwrap())
    }

    #[test]
    fn incidents_keep_their_instants_and_order() {
        let mut options = of(TableKind::Incidents);
        options.time_zone = Tz::Asia__Shanghai;
        options.business = Some("shop".into());
        let text = "id\tservice\ttitle\tstarted\tdetected\tfixed\ttelemetry_lost\n\
                    2\t登录\t\"a \"\"big\"\" one\"\t2026-10-01 00:00:07.5\t\t2026-10-02\tYes\n\
                    1\t\t \t1790856000\t2026-10-01T12:00:01Z\t\t\n";
        assert_eq!(
            shown(&read_text(Format::Csv, options, text).unwrap()),
            [
                "id=2 business=shop service=登录 title=a \"big\" one started=2026-09-30T16:00:07.500Z \
                 fixed=2026-10-01T16:00:00Z telemetry_lost=true withdrawn=false",
                "id=1 business=shop started=2026-10-01T12:00:00Z detected=2026-10-01T12:00:01Z telemetry_lost=false \
                 withdrawn=false",
            ]
        );
    }

    #[test]
    fn exclusions_take_defaults() {
        let text = "id;category;started;ended;withdrawn\n7;Attack;2026-10-01;2026-10-02T00:00:00Z;1\n";
        assert_eq!(
            csv(TableKind::Exclusions, text),
            ["id=7 category=Attack started=2026-10-01T00:00:00Z ended=2026-10-02T00:00:00Z withdrawn=true"]
        );
    }

    #[test]
    fn fees_are_exact_in_csv_and_json() {
        let text = "period,service,currency,amount,voucher_amount,active_from\n\
                    2026-10,gateway,EUR,999999999999999999.999999,,\n2026-11,gateway,EUR, 1234.50 ,0.10,2026-11-05\n";
        let rows = [
            "period=2026-10 service=gateway currency=EUR amount=999999999999999999.999999 voucher_amount=0.000000",
            "period=2026-11 service=gateway currency=EUR amount=1234.500000 voucher_amount=0.100000 \
             active_from=2026-11-05T00:00:00Z",
        ];
        assert_eq!(csv(TableKind::Fees, text), rows);
        let text = r#"{"period":"2026-10","service":"gateway","currency":"EUR","amount":"999999999999999999.999999"}
            {"period":"2026-11","service":"gateway","currency":"EUR","amount":1234.50,"voucher_amount":1e-1,"active_from":"2026-11-05","customer":null}"#;
        assert_eq!(shown(&read_text(Format::JsonLines, of(TableKind::Fees), text).unwrap()), rows);
    }

    #[test]
    fn a_required_column_is_named() {
        let missing = |kind, header| refusal(Format::Csv, of(kind), header);
        assert_eq!(
            missing(TableKind::Incidents, "id,title"),
            "input:1: there is no column \"started\"; expected columns of incidents: id, business, service, title, \
             severity, started, detected, located, fixed, verified, telemetry_lost, link, withdrawn. Name it, or choose \
             and compute the columns with --select"
        );
        for (kind, header, column) in [
            (TableKind::Exclusions, "id,started,ended", "category"),
            (TableKind::Exclusions, "id,category,started", "ended"),
            (TableKind::Fees, "period,amount", "currency"),
            (TableKind::Fees, "period,currency", "amount"),
        ] {
            assert!(
                missing(kind, header).starts_with(&format!("input:1: there is no column {column:?}; ")),
                "{column}"
            );
        }
        assert_eq!(
            refusal(Format::JsonLines, of(TableKind::Incidents), r#"{"id": "a", "time": 0}"#).split(';').next(),
            Some("input:1: unknown column \"time\"")
        );
        assert_eq!(
            refusal(Format::JsonLines, of(TableKind::Incidents), r#"{"started": 0}"#),
            format!("input:1: id is missing. {REMEDY}")
        );
    }

    #[test]
    fn a_bad_value_is_refused_with_its_line() {
        let money = "expected an amount like 1234.50, of at most 18 digits before the point and 6 after it";
        let fees = "period,currency,amount,active_from,active_until\n2026-10,EUR,1,,\n";
        let incidents = "id,started,telemetry_lost,fixed\na,0,,\n";
        for (kind, head, row, message) in [
            (TableKind::Fees, fees, "2026-10,EUR,1.0000001,,", format!("amount is \"1.0000001\"; {money}")),
            (TableKind::Fees, fees, "2026-10,EUR,\"1,5\",,", format!("amount is \"1,5\"; {money}")),
            (TableKind::Fees, fees, "2026-10,EUR,,,", "amount is missing".to_string()),
            (TableKind::Fees, fees, ",EUR,1,,", "period is missing".to_string()),
            (
                TableKind::Fees,
                fees,
                "2026-13,EUR,1,,",
                "column period: \"2026-13\" is no month; expected one as 2026-10".to_string(),
            ),
            (TableKind::Fees, fees, "2026-10,EUR,-1,,", "column amount: a fee cannot be negative".to_string()),
            (
                TableKind::Fees,
                fees,
                "2026-10,EUR,1,2026-10-02,2026-10-01",
                "column active_until: 2026-10-01T00:00:00+00:00 must be after active_from, which is \
                 2026-10-02T00:00:00+00:00"
                    .to_string(),
            ),
            (
                TableKind::Incidents,
                incidents,
                "b,0,maybe,",
                "telemetry_lost is \"maybe\"; expected true or false, yes or no, 1 or 0".to_string(),
            ),
            (
                TableKind::Incidents,
                incidents,
                "b,soon,,",
                "started is \"soon\"; expected a time like 2026-10-01T12:00:00Z or 2026-10-01 12:00:00, a date, or a \
                 number of seconds, ms, µs or ns since 1970"
                    .to_string(),
            ),
            (TableKind::Incidents, incidents, "b,,,", "started is missing".to_string()),
            (
                TableKind::Incidents,
                incidents,
                "b,60,,59",
                "column fixed: 1970-01-01T00:00:59+00:00 must not be before started, which is 1970-01-01T00:01:00+00:00"
                    .to_string(),
            ),
        ] {
            let text = format!("{head}{row}\n");
            assert_eq!(refusal(Format::Csv, of(kind), text), format!("input:3: {message}. {REMEDY}"), "{row}");
        }
        for (member, message) in [
            (r#""amount": 12345678901234.123456"#, format!("amount is \"12345678901234.123\"; {money}")),
            (r#""amount": true"#, format!("amount is \"true\"; {money}")),
            (r#""amount": 1, "customer": 1.5"#, "customer is \"1.5\"; expected text".to_string()),
        ] {
            let text = format!("\n{{\"period\": \"2026-10\", \"currency\": \"EUR\", {member}}}");
            let refused = refusal(Format::JsonLines, of(TableKind::Fees), text);
            assert_eq!(refused, format!("input:2: {message}. {REMEDY}"));
        }
    }

    #[test]
    fn many_rows_come_out_in_batches_and_errors_keep_their_line() {
        let rows = 20_000;
        let text = (0..rows).fold(String::from("id,started\n"), |text, n| text + &format!("i-{n},{n}\n"));
        let batches = read_text(Format::Csv, of(TableKind::Incidents), &text).unwrap();
        assert_eq!(batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [8192, 8192, 3616]);
        let line = |n| match n {
            9000 => "a,0,,\"two\nlines\"\n".to_string(),
            9999 => "b,60,59,\n".to_string(),
            n => format!("i-{n},0,,\n"),
        };
        let text = (0..rows).fold(String::from("id,started,fixed,title\n"), |text, n| text + &line(n));
        let refused = refusal(Format::Csv, of(TableKind::Incidents), text);
        assert!(refused.starts_with("input:10002: column fixed: "), "{refused}");
    }

    #[test]
    fn options_fill_only_columns_that_the_table_has() {
        let refused = |kind, set: fn(&mut Options)| {
            let mut options = of(kind);
            set(&mut options);
            refusal(Format::Csv, options, "")
        };
        assert_eq!(
            refused(TableKind::Incidents, |options| options.source = Some("pager".into())),
            "the table incidents has no column \"source\" to fill. Leave --source out"
        );
        assert_eq!(
            refused(TableKind::Fees, |options| options.business = Some("shop".into())),
            "the table fees has no column \"business\" to fill. Leave --business out"
        );
        let mut options = of(TableKind::Fees);
        options.service = Some("gateway".into());
        let rows = read_text(Format::Csv, options, "period,currency,amount\n2026-10,EUR,1\n").unwrap();
        assert_eq!(
            shown(&rows),
            ["period=2026-10 service=gateway currency=EUR amount=1.000000 voucher_amount=0.000000"]
        );
        assert_eq!(
            refusal(Format::Log, of(TableKind::Fees), "x"),
            "input: an access log holds no fees. Ingest it into the table requests"
        );
    }
}

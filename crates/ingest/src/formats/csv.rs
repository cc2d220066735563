//! Values separated by commas, tabs or semicolons, with a header line (RFC 4180).

use std::borrow::Cow;
use std::sync::Arc;

use super::delimited::RecordReader;
use super::records::Records;
use crate::columns::{Columns, Named};
use crate::fields::Cell;
use crate::lines::Lines;
use crate::rows::Rows;
use crate::{Progress, Result};

/// The records of a CSV input.
pub(super) struct Csv {
    records: RecordReader,
    header: Vec<Named>,
    /// Told of headers that come again; `None` while records are only looked at.
    progress: Option<Arc<Progress>>,
}

impl Csv {
    pub(super) fn new(lines: Lines, columns: &Columns, progress: Option<&Arc<Progress>>) -> Result<Self> {
        let (records, names) = RecordReader::with_header(lines)?;
        let header = columns.find_all(names.iter().map(String::as_str)).map_err(|e| records.refuse(e))?;
        Ok(Self { records, header, progress: progress.cloned() })
    }
}

impl<R: Rows> Records<R> for Csv {
    fn read_one(&mut self, rows: &mut R) -> Result<bool> {
        let records = &mut self.records;
        let is_row = records.next_row()?;
        if let Some(progress) = &self.progress {
            progress.add_headers(records.take_repeated());
        }
        if !is_row {
            return Ok(false);
        }
        rows.begin();
        for (at, &named) in self.header.iter().enumerate() {
            let text = records.text(at, named.0)?;
            rows.set(named, Cell::Text(Cow::Borrowed(text))).map_err(|e| records.refuse(e))?;
        }
        rows.add(records.line()).map_err(|e| records.refuse(e))?;
        Ok(true)
    }

    fn text(&self) -> Cow<'_, str> {
        self.records.shown()
    }
}

#[cfg(test)]
mod tests {
    use crate::Format;
    use crate::lines::MAX_LINE;
    use crate::testing::{REMEDY, events, read_text, refusal, requests, shown};
    use chrono_tz::Tz;

    fn csv(text: impl AsRef<[u8]>) -> Vec<String> {
        shown(&read_text(Format::Csv, requests(), text).unwrap())
    }

    fn refused(text: impl AsRef<[u8]>) -> String {
        refusal(Format::Csv, requests(), text)
    }

    #[test]
    fn rows_are_combined_per_slice_and_key() {
        let rows = csv("\u{feff}status,time,service,requests,latency_seconds\r\n\
             200,2026-10-01T12:00:01Z,登录,2,0.5\r\n\
             \r\n\
             200,2026-10-01 12:00:59,登录,3,1.0\r\n\
             ,1790856060,登录, 1 ,");
        assert_eq!(
            rows,
            [
                "time=2026-10-01T12:00:00Z service=登录 status=200 requests=5 latency_sum=4.0 \
                 latency={zero: 0, buckets: [{bucket: -33, count: 2}, {bucket: -1, count: 3}]}",
                "time=2026-10-01T12:01:00Z service=登录 status=0 requests=1",
            ]
        );
    }

    #[test]
    fn a_header_that_comes_again_is_skipped() {
        let rows = csv("time,service,status\n0,a,200\n time , service,status\n60,a,500\n\"time\",service,status\n");
        assert_eq!(rows.len(), 2, "{rows:?}");
        assert_eq!(csv("time,service\n0,service\n").len(), 1, "only a whole header is one");
    }

    #[test]
    fn options_fill_what_is_absent_or_empty() {
        let mut options = requests();
        (options.business, options.service) = (Some("shop".into()), Some("cart".into()));
        options.time_zone = Tz::Asia__Shanghai;
        let rows =
            read_text(Format::Csv, options, "time;service\n2026-10-01 08:00:00;\n2026-10-01 08:00:00;pay\n").unwrap();
        assert_eq!(
            shown(&rows),
            [
                "time=2026-10-01T00:00:00Z business=shop service=cart status=0 requests=1",
                "time=2026-10-01T00:00:00Z business=shop service=pay status=0 requests=1",
            ]
        );
    }

    #[test]
    fn latencies_as_json_merge_too() {
        let rows = csv("time\tlatency\tlatency_sum\tlatency_le\trequests\n\
             60\t\"{\"\"zero\"\":1,\"\"buckets\"\":[{\"\"bucket\"\":5,\"\"count\"\":2}]}\"\t2.5\t\
             \"[{\"\"le\"\":200000,\"\"count\"\":3},{\"\"le\"\":100000,\"\"count\"\":1}]\"\t3\n\
             60\t\"{\"\"buckets\"\":[{\"\"bucket\"\":4,\"\"count\"\":1}]}\"\t1\t\
             \"[{\"\"le\"\":100000,\"\"count\"\":1},{\"\"le\"\":200000,\"\"count\"\":1}]\"\t1\n");
        assert_eq!(
            rows,
            ["time=1970-01-01T00:01:00Z status=0 requests=4 latency_sum=3.5 \
              latency={zero: 1, buckets: [{bucket: 4, count: 1}, {bucket: 5, count: 2}]} \
              latency_le=[{le: 100000, count: 2}, {le: 200000, count: 4}]"]
        );
    }

    #[test]
    fn events_need_their_counts() {
        let rows = read_text(Format::Csv, events(), "time,name,good,total\n0,login,1,2\n1,login,3,3.0\n").unwrap();
        assert_eq!(shown(&rows), ["time=1970-01-01T00:00:00Z name=login good=4 total=5"]);
        assert_eq!(
            refusal(Format::Csv, events(), "time,good\n0,1\n"),
            "input:1: there is no column \"total\"; expected columns of events: time, business, service, endpoint, \
             customer, name, source, good, total, labels, ok. Name it, or choose and compute the columns with --select"
        );
        assert_eq!(
            refusal(Format::Csv, events(), "time,good,total\n0,2,1\n"),
            format!("input:2: good is 2 and total is 1; expected good to be at most total. {REMEDY}")
        );
    }

    #[test]
    fn a_wrong_header_is_refused() {
        assert_eq!(refused(""), "input: there is no header line");
        assert_eq!(
            refused("time,stauts\n"),
            "input:1: unknown column \"stauts\"; expected columns of requests: time, business, service, endpoint, \
             customer, status, cause, source, requests, latency_sum, latency, latency_le, labels, latency_seconds. Rename it, \
             or choose and compute the columns with --select"
        );
        assert_eq!(refused("time,time\n"), "input:1: column \"time\" is there twice");
        assert!(
            refused("status\n").starts_with("input:1: there is no column \"time\"; expected columns of requests: ")
        );
    }

    #[test]
    fn a_bad_value_is_refused_with_its_line() {
        let head = "time,endpoint,status,requests,latency_seconds,latency_sum,latency,latency_le\n";
        for (row, message) in [
            ("0,/,2x0,1,,,,", "status is \"2x0\"; expected a whole number from 0 to 999"),
            ("0,/,1000,1,,,,", "status is \"1000\"; expected a whole number from 0 to 999"),
            ("0,/,200,-1,,,,", "requests is \"-1\"; expected a whole number of at least 0"),
            ("0,/,200,1.5,,,,", "requests is \"1.5\"; expected a whole number of at least 0"),
            ("0,/,200,,,,,", "requests is \"\"; expected a whole number of at least 0"),
            ("0,/,200,1,-0.1,,,", "latency_seconds is \"-0.1\"; expected a number of seconds of at least 0"),
            ("0,/,200,1,NaN,,,", "latency_seconds is \"NaN\"; expected a number of seconds of at least 0"),
            ("0,/,200,1,,inf,,", "latency_sum is \"inf\"; expected a number of seconds of at least 0"),
            (
                "0,/,200,1,1,1,,",
                "latency_seconds stands beside latency or latency_sum; expected one or the other: latency_seconds fills both",
            ),
            (
                "0,/,200,1,,,{},[1]",
                "latency_le is \"[1]\" (invalid type: integer `1`, expected struct CountLeJson); expected \
                 [{\"le\": µs, \"count\": n}, …] with counts that do not fall as thresholds rise",
            ),
            (
                "0,/,200,1,,,{,",
                "latency is \"{\" (EOF while parsing an object at line 1 column 1); expected \
                 {\"zero\": n, \"buckets\": [{\"bucket\": i, \"count\": n}, …]} with counts of at least 0",
            ),
            ("0,/,200", "there are 3 fields; expected 8 as in the header"),
            (
                ",/,200,1,,,,",
                "time is \"\"; expected a time like 2026-10-01T12:00:00Z or 2026-10-01 12:00:00, or a number of \
                 seconds, ms, µs or ns since 1970",
            ),
        ] {
            let text = format!("{head}\n0,\"a\nb\",200,1,,,,\n{row}\n");
            assert_eq!(refused(&text), format!("input:5: {message}. {REMEDY}"), "{row}");
            let crlf = text.replace('\n', "\r\n");
            assert_eq!(refused(&crlf), format!("input:5: {message}. {REMEDY}"), "{row} with CRLF");
            assert_eq!(refused(text.trim_end()), format!("input:5: {message}. {REMEDY}"), "{row} without newline");
        }
        assert_eq!(
            refused(b"time,endpoint\n0,/\xff\n"),
            "input:2: endpoint is \"/\u{fffd}\"; expected UTF-8 text. Convert the file from its encoding: \
             iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW"
        );
    }

    #[test]
    fn thresholds_of_one_key_must_agree() {
        assert_eq!(
            refused(
                "time,latency_le\n0,\"[{\"\"le\"\":5,\"\"count\"\":1}]\"\n0,\"[{\"\"le\"\":6,\"\"count\"\":1}]\"\n"
            ),
            format!(
                "input:3: latency_le has the thresholds [6] µs; expected [5] as before for the same slice and key. {REMEDY}"
            )
        );
    }

    #[test]
    fn counts_do_not_overflow() {
        let max = i64::MAX;
        assert_eq!(
            refused(format!("time,requests\n0,{max}\n0,1\n")),
            format!("input:3: requests adds up to more than 2^63 - 1 for its slice and key. {REMEDY}")
        );
    }

    #[test]
    fn an_open_quote_does_not_swallow_the_file() {
        assert_eq!(
            refused("time,endpoint\n0,/\n0,\"/cart\n0,/\n"),
            format!("input:3: the quoted field \"/cart\\n0,/\\n\" is never closed. {REMEDY}")
        );
        let long = format!("time,endpoint\n0,\"/cart\n{}", "0,/\n".repeat(MAX_LINE / 4));
        assert_eq!(refused(long), "input:2: the record is longer than 1 MiB. Is a quote not closed?");
        let long = format!("time,endpoint\n0,{}\n", "a".repeat(MAX_LINE));
        assert_eq!(
            refused(long),
            "input:2: the line is longer than 1 MiB. Is this a text file, and of the given --format?"
        );
    }

    #[test]
    fn lines_may_end_in_cr_alone() {
        assert_eq!(csv("time,requests\r0,1\r0,2\r"), ["time=1970-01-01T00:00:00Z status=0 requests=3"]);
    }

    #[test]
    fn more_columns_than_the_first_guess_are_cut_right() {
        let names =
            "time,business,service,endpoint,customer,status,cause,source,requests,latency_sum,latency,latency_le";
        let refused = refused(format!("{names},latency_seconds,{}\n", "x,".repeat(40)));
        assert!(refused.starts_with("input:1: unknown column \"x\""), "{refused}");
    }
}

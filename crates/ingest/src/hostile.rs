//! Inputs that are damaged: each is read or refused with its place, never with a panic, and no row comes out that no line is for.
//!
//! `PROPTEST_CASES=100000 cargo test -p nines-ingest hostile::` tries more of them.

use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::Arc;

use nines_store::TableKind;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::table::{AsText, FileTable, Source};
use crate::testing::of;
use crate::{ErrorKind, Format, LogFormat, Options, Progress, Rejected, Result, read_from, read_samples, samples};

/// What is damaged: a table and a few rows of it, in each format and layout.
const INPUTS: [(TableKind, &str); 18] = [
    (
        TableKind::Requests,
        "time,service,status,requests,latency_sum\n2026-10-14T12:00:00Z,web,200,5,0.5\n,web,\"5\n00\",1,\n",
    ),
    (TableKind::Requests, "time;status;latency_seconds\n1791979200;200;0.5\n14.10.2026 12:00;500;\n"),
    (
        TableKind::Requests,
        "{\"time\": 1791979200, \"latency\": {\"zero\": 1, \"buckets\": [{\"bucket\": -1, \"count\": 3}]}, \"requests\": 9}\n",
    ),
    (
        TableKind::Requests,
        "{\"time\": \"2026-10-14T12:00:00Z\", \"requests\": 2, \"labels\": {\"zone\": \"eu\"}, \"latency_le\": [{\"le\": 9, \"count\": 1}]}\n",
    ),
    (TableKind::Requests, "h - - [14/Oct/2026:12:00:01 +0000] \"GET /a/17?x=y HTTP/1.1\" 200 5 \"-\" \"curl\" 0.123\n"),
    (TableKind::Requests, "h:80 ::1 - - [14/Oct/2026:12:00:01 +0200] \"\\x16\\x03\" 400 0 \"-\" \"-\"\n"),
    (
        TableKind::Requests,
        "10.0.0.1 - - [14/Oct/2026:12:00:01 +0000] \"GET / HTTP/2.0\" 502 0 \"-\" \"x\" 90 0.001 [ns-svc-80] [] 10.2.3.4:80, \
         10.2.3.5:80 0, 5 0.001, 0.002 502, 200 0f0f\n",
    ),
    (
        TableKind::Requests,
        "[2026-10-14T12:00:01.123Z] \"GET /x HTTP/1.1\" 503 UF,URX 0 91 12 - \"-\" \"curl\" \"id\" \"shop\" \"10.0.0.1:80\"\n",
    ),
    (
        TableKind::Requests,
        "Oct 14 12:00:01 lb haproxy[14389]: 10.0.1.2:33317 [14/Oct/2026:12:00:01.655] front back/s1 10/0/30/69/109 200 2750 - - \
         ---- 1/1/1/1/0 0/0 {1wt.eu} {} \"GET /index.html HTTP/1.1\"\n",
    ),
    (
        TableKind::Requests,
        "#Version: 1.0\n#Fields: date time cs-method cs-uri-stem sc-status time-taken\n2026-10-14 12:00:01 GET /x 200 15\n#Fields: \
         time date sc-status\n12:00:02 2026-10-14 500\n",
    ),
    (
        TableKind::Requests,
        "https 2026-10-14T12:00:01.186641Z app/lb/5 192.0.2.1:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 \"GET \
         https://x.example:443/a HTTP/1.1\" \"curl\" - - arn \"-\" \"-\" \"-\" 0 2026-10-14T12:00:00Z \"forward\" \"-\" \"-\" \"-\" \"-\"\n",
    ),
    (
        TableKind::Requests,
        "{\"level\":\"info\",\"ts\":1791979200.5,\"logger\":\"http.log.access\",\"msg\":\"handled \
         request\",\"request\":{\"method\":\"GET\",\"uri\":\"/x\",\"host\":\"h\"},\"duration\":0.01,\"status\":200}\n",
    ),
    (TableKind::Events, "time,service,name,good,total\n1791979200,web,orders,3,5\n1791979260,web,orders,5,5\n"),
    (TableKind::Events, "{\"time\": 1791979200123, \"service\": \"web\", \"ok\": false}\n"),
    (TableKind::Gauges, "time\tservice\tvalue\n1791979200\tweb\t1.5e3\n1791979260\tweb\t-0\n"),
    (TableKind::Incidents, "id,service,started,fixed,severity\nI1,web,2026-10-14 12:00,2026-10-14 12:30,2\n"),
    (
        TableKind::Exclusions,
        "{\"id\": \"E1\", \"service\": \"web\", \"category\": \"maintenance\", \"started\": \"2026-10-14T12:00:00+02:00\", \"ended\": \"2026-10-14T14:00Z\"}\n",
    ),
    (TableKind::Fees, "period,service,customer,amount,currency\n2026-10,web,acme,1234.50,EUR\n"),
];

/// What is damaged of files of samples.
const SAMPLES: [&str; 6] = [
    "{__name__=\"x_total\", instance=\"a\\\"b\"} 1000 1791979200000\n{__name__=\"x_total\"} NaN 1791979230000\n",
    "# HELP x what\n# TYPE x histogram\nx_bucket{le=\"0.5\"} 1 1791979200\nx_bucket{le=\"+Inf\"} 2 1791979200\nx_sum 1.5 1791979200\n# EOF\n",
    "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":{\"__name__\":\"x\"},\"values\":[[1791979200,\"1\"]]}]}}",
    "{\"metric\":{\"__name__\":\"x\"},\"values\":[1,2],\"timestamps\":[1791979200000,1791979260000]}\n",
    "{__name__=\"h\"} {count:3, sum:2.5, [-0.1,0.1]:1, (0.5,1]:2} 1791979200000\n",
    "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"x\",\"gauge\":{\"dataPoints\":[{\"timeUnixNano\":\"1\",\"asDouble\":1}]}}]}]}]}\n",
];

/// Formats of logs.
const LAYOUTS: [(&str, &str); 4] = [
    (
        "$remote_addr [$time_local] \"$request\" $status $request_time \"$upstream_status\"",
        "h [14/Oct/2026:12:00:01 +0000] \"GET / HTTP/1.1\" 200 0.5 \"502, 200\"\n",
    ),
    (
        "%h %l %u [%{%d/%b/%Y %T}t.%{msec_frac}t] \"%r\" %>s %D %{ms}T",
        "h - - [14/Oct/2026 12:00:01.500] \"GET / HTTP/1.1\" 200 5 5\n",
    ),
    (
        "[%START_TIME(%s.%3f)%] %REQ(:METHOD)% %REQ(X-PATH?:PATH)% %RESPONSE_CODE% %DURATION% %RESPONSE_FLAGS%",
        "[1791979200.123] GET /x 200 5 -\n",
    ),
    (
        "json time=a.b status=c taken=d:ms target=e",
        "{\"a\": {\"b\": \"2026-10-14T12:00:00Z\"}, \"c\": \"200\", \"d\": 5, \"e\": \"/x\"}\n",
    ),
];

/// What is done to bytes.
#[derive(Debug, Clone)]
enum Damage {
    Put(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, Index),
    Repeat(Index, Index, u8),
    Cut(Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let nasty = prop::sample::select(vec![
        &b"\0"[..],
        b"\n",
        b"\r",
        b"\"",
        b"\\",
        b",",
        b"{",
        b"[",
        b"]",
        b"-",
        b"99999999999999999999",
        b"1e309",
        b"NaN",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\\u0000",
        b"\\ud800",
        b"0000-00-00",
        b"#Fields:",
        b"%",
        b"$",
        b"\t",
        b":",
        b"+25:99",
    ]);
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Put(at, byte)),
        (any::<Index>(), nasty).prop_map(|(at, bytes)| Damage::Insert(at, bytes.to_vec())),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Damage::Remove(from, to)),
        (any::<Index>(), any::<Index>(), 1u8..9).prop_map(|(from, to, times)| Damage::Repeat(from, to, times)),
        any::<Index>().prop_map(Damage::Cut),
    ]
}

fn damaged(text: &[u8], all: &[Damage]) -> Vec<u8> {
    let mut bytes = text.to_vec();
    for damage in all {
        let place = |at: &Index| at.index(bytes.len() + 1);
        let range = |a: &Index, b: &Index| place(a).min(place(b))..place(a).max(place(b));
        match damage {
            Damage::Put(at, byte) if !bytes.is_empty() => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Damage::Put(..) => {}
            Damage::Insert(at, more) => {
                let at = place(at);
                bytes.splice(at..at, more.iter().copied());
            }
            Damage::Remove(from, to) => drop(bytes.drain(range(from, to))),
            Damage::Repeat(from, to, times) => {
                let part = bytes[range(from, to)].to_vec();
                let at = place(from);
                bytes.splice(at..at, part.repeat(usize::from(*times)));
            }
            Damage::Cut(at) => bytes.truncate(place(at)),
        }
    }
    bytes
}

/// Reads all rows; how many lines or rows were taken, and how many were refused one by one.
fn read_all(mut options: Options, bytes: &[u8], is_lenient: bool) -> Result<(u64, u64)> {
    let folder = tempfile::tempdir().unwrap();
    let progress = Arc::new(Progress::new());
    if is_lenient {
        let rejected = Rejected::to(&folder.path().join("refused.csv"), Arc::clone(&progress));
        options.rejected = Some(Arc::new(rejected.unwrap()));
    }
    // What is packed tells its format when it is read.
    let format = Format::detect_for(options.kind, Path::new("input"), bytes).ok();
    let batches = read_from("input", Cursor::new(bytes.to_vec()), format, options, Arc::clone(&progress))?;
    for batch in batches {
        let batch = batch?;
        nines_store::TableKind::ALL.iter().find(|kind| kind.schema(60) == batch.schema()).unwrap();
    }
    Ok((progress.rows_read(), progress.rejected()))
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Rows that a text can have at the most: one per line, or one per object of JSON, of which a line may have several.
fn most_rows(bytes: &[u8]) -> u64 {
    let of = |one: fn(&u8) -> bool| bytes.iter().filter(|byte| one(byte)).count() as u64;
    (of(|byte| matches!(byte, b'\n' | b'\r')) + 1).max(of(|byte| *byte == b'{'))
}

/// An error says where it is: the file, and of a line that is refused its number.
fn has_a_place(error: &crate::IngestError) {
    assert_eq!(error.file_name(), Some("input"), "{error}");
    assert!(error.kind() != ErrorKind::BadLine || error.line_number().is_some(), "{error}");
    assert!(error.kind() != ErrorKind::Internal, "{error}");
}

proptest! {
    #[test]
    fn damaged_rows_are_read_or_refused(at in 0..INPUTS.len(), all in prop::collection::vec(damage(), 0..6), is_lenient: bool) {
        let (kind, text) = INPUTS[at];
        let bytes = damaged(text.as_bytes(), &all);
        match read_all(of(kind), &bytes, is_lenient) {
            Ok((taken, refused)) => prop_assert!(taken + refused <= most_rows(&bytes), "{taken} {refused} {bytes:?}"),
            Err(error) => has_a_place(&error),
        }
        // The same as a table of SQL, whose columns are guessed.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("input.csv");
        std::fs::write(&path, &bytes).unwrap();
        let mut source = Source::new(&path, None);
        let _ = FileTable::measure(vec![source.clone()], &AsText::default(), "UTC", &Arc::default());
        // Both passes leave out the same records.
        let progress = Arc::new(Progress::new());
        let rejected = Rejected::to(&folder.path().join("refused.csv"), Arc::clone(&progress)).unwrap();
        source.rejected = Some(Arc::new(rejected));
        if let Ok(table) = FileTable::measure(vec![source], &AsText::default(), "UTC", &progress).map(Arc::new) {
            let columns: Vec<usize> = (0..table.schema().fields().len()).collect();
            let rows = || table.rows(0, &columns, 3).unwrap().collect::<Result<Vec<_>>>().unwrap();
            let (first, refused) = (rows(), progress.rejected());
            prop_assert_eq!((rows(), progress.rejected()), (first, refused), "told once, however often rows are read");
        }
    }

    #[test]
    fn damaged_packings_are_read_or_refused(at in 0..INPUTS.len(), all in prop::collection::vec(damage(), 1..4)) {
        let (kind, text) = INPUTS[at];
        let bytes = damaged(&packed(text.as_bytes()), &all);
        if let Err(error) = read_all(of(kind), &bytes, false) {
            has_a_place(&error);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0..INPUTS.len()) {
        if let Err(error) = read_all(of(INPUTS[at].0), &bytes, false) {
            has_a_place(&error);
        }
    }

    #[test]
    fn damaged_samples_are_read_or_refused(at in 0..SAMPLES.len(), all in prop::collection::vec(damage(), 0..6)) {
        let bytes = damaged(SAMPLES[at].as_bytes(), &all);
        let mut taken = 0;
        let read = read_samples("input", bytes.clone(), &mut |_| {
            taken += 1;
            Ok(())
        });
        prop_assert!(taken <= bytes.len(), "{taken}");
        if let Err(error) = &read {
            prop_assert_eq!(error.file_name(), Some("input"), "{}", error);
        }
        // What is whole is taken whole, and of the rest something is refused, or all of it.
        let folder = tempfile::tempdir().unwrap();
        let (path, progress) = (folder.path().join("input"), Arc::new(Progress::new()));
        std::fs::write(&path, &bytes).unwrap();
        let rejected = Rejected::to(&folder.path().join("refused.csv"), Arc::clone(&progress)).unwrap();
        let mut left = 0;
        let lenient = samples::read_file(&path, &progress, Some(&rejected), &mut |_| {
            left += 1;
            Ok(())
        });
        match read {
            Ok(()) => prop_assert_eq!((left, progress.rejected()), (taken, 0)),
            Err(_) => prop_assert!(lenient.is_err() || progress.rejected() > 0),
        }
    }

    #[test]
    fn damaged_formats_of_logs_are_taken_or_refused(
        at in 0..LAYOUTS.len(),
        format in prop::collection::vec(damage(), 0..4),
        line in prop::collection::vec(damage(), 0..4),
    ) {
        let (text, log) = LAYOUTS[at];
        let text = String::from_utf8_lossy(&damaged(text.as_bytes(), &format)).into_owned();
        // What names a file is none of the formats.
        if text.contains('/') && std::path::Path::new(text.split('#').next().unwrap_or_default()).exists() {
            return Ok(());
        }
        if let Ok(read) = LogFormat::read(&text) {
            let mut options = of(TableKind::Requests);
            options.log_format = Some(Arc::new(read));
            let bytes = damaged(log.as_bytes(), &line);
            let input = Cursor::new(bytes);
            let batches = read_from("input", input, Some(Format::Log), options, Arc::default());
            if let Err(error) = batches.and_then(|batches| batches.collect::<Result<Vec<_>>>()) {
                has_a_place(&error);
            }
        }
    }
}

/// The inputs as they are: at least one row of each is taken, so that damage is done to what is read.
#[test]
fn what_is_damaged_is_read_as_it_is() {
    for (kind, text) in INPUTS {
        let read = read_all(of(kind), text.as_bytes(), true);
        assert!(read.as_ref().is_ok_and(|(taken, _)| *taken > 0), "{text}: {read:?}");
    }
    for text in SAMPLES {
        let mut taken = 0;
        read_samples("input", text.into(), &mut |_| {
            taken += 1;
            Ok(())
        })
        .unwrap();
        assert!(taken > 0, "{text}");
    }
    for (format, line) in LAYOUTS {
        let mut options = of(TableKind::Requests);
        options.log_format = Some(Arc::new(LogFormat::read(format).unwrap()));
        let read = read_from("input", Cursor::new(line), Some(Format::Log), options, Arc::default());
        let batches = read.and_then(|batches| batches.collect::<Result<Vec<_>>>());
        assert!(batches.as_ref().is_ok_and(|batches| batches.len() == 1), "{format}: {batches:?}");
    }
}

/// A few bytes that unpack to many are read piece by piece: a line of them is refused before it is held.
#[test]
fn a_line_without_end_is_refused_before_it_is_held() {
    let zeros = packed(&vec![b'x'; 64 << 20]);
    assert!(zeros.len() < 1 << 20);
    for (kind, text) in [(TableKind::Requests, "h - - "), (TableKind::Events, "time,ok\n")] {
        let bytes = [packed(text.as_bytes()), zeros.clone()].concat();
        let error = read_all(of(kind), &bytes, false).unwrap_err();
        assert!(error.to_string().contains("is longer than 1 MiB") || error.kind() != ErrorKind::Internal, "{error}");
    }
}

//! The same metrics in every encoding; what is broken, and where.

use proptest::prelude::*;

use super::super::{Reader, Sample, Sink, Temporality, Value, reader};
use super::messages::{
    AnyValue, Buckets, ExponentialHistogramDataPoint, HistogramDataPoint, KeyValue, NumberDataPoint, Resource, Scope,
};
use crate::Result;

/// The messages around those that are decoded whole, to write them.
mod whole {
    use super::{ExponentialHistogramDataPoint, HistogramDataPoint, NumberDataPoint, Resource, Scope};

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Request {
        #[prost(message, repeated, tag = "1")]
        pub resource_metrics: Vec<ResourceMetrics>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct ResourceMetrics {
        #[prost(message, optional, tag = "1")]
        pub resource: Option<Resource>,
        #[prost(message, repeated, tag = "2")]
        pub scope_metrics: Vec<ScopeMetrics>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct ScopeMetrics {
        #[prost(message, optional, tag = "1")]
        pub scope: Option<Scope>,
        #[prost(message, repeated, tag = "2")]
        pub metrics: Vec<Metric>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Metric {
        #[prost(string, tag = "1")]
        pub name: String,
        #[prost(string, tag = "2")]
        pub description: String,
        #[prost(string, tag = "3")]
        pub unit: String,
        #[prost(message, optional, tag = "7")]
        pub sum: Option<Sum>,
        #[prost(message, optional, tag = "9")]
        pub histogram: Option<Histogram>,
        #[prost(message, optional, tag = "10")]
        pub exponential_histogram: Option<ExponentialHistogram>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Sum {
        #[prost(message, repeated, tag = "1")]
        pub data_points: Vec<NumberDataPoint>,
        #[prost(int32, tag = "2")]
        pub aggregation_temporality: i32,
        #[prost(bool, tag = "3")]
        pub is_monotonic: bool,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Histogram {
        #[prost(message, repeated, tag = "1")]
        pub data_points: Vec<HistogramDataPoint>,
        #[prost(int32, tag = "2")]
        pub aggregation_temporality: i32,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct ExponentialHistogram {
        #[prost(message, repeated, tag = "1")]
        pub data_points: Vec<ExponentialHistogramDataPoint>,
        #[prost(int32, tag = "2")]
        pub aggregation_temporality: i32,
    }
}

/// What is read, for a person, and the format.
fn read_all(bytes: &[u8]) -> Result<(Vec<String>, String, Option<String>)> {
    let mut samples = Vec::new();
    let head = bytes[..bytes.len().min(4096)].to_vec();
    let mut reader: Box<dyn Reader> = reader("m", head, Box::new(std::io::Cursor::new(bytes.to_vec())))?;
    let mut take = |Sample { labels, time, value, temporality }: Sample| {
        let value = match value {
            Value::Number(number) => number.to_string(),
            Value::Histogram(of) => {
                format!("{}@{} zero {} {:?} sum {}", of.count, of.schema, of.zero, of.buckets, of.sum)
            }
        };
        let since = match temporality {
            Temporality::Cumulative(since) => format!("since {since:?}"),
            Temporality::Delta(since) => format!("delta {since:?}"),
        };
        samples.push(format!("{labels} {value} at {time} {since}"));
        Ok(())
    };
    reader.read(&mut Sink::new("m", &mut take, None)).map_err(|error| error.in_file("m"))?;
    Ok((samples, reader.format(), reader.cut()))
}

fn read(bytes: &[u8]) -> Result<Vec<String>> {
    read_all(bytes).map(|(samples, ..)| samples)
}

fn refused(bytes: &[u8]) -> String {
    read(bytes).unwrap_err().to_string()
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = AnyValue { string_value: Some(value.to_string()), ..AnyValue::default() };
    KeyValue { key: key.to_string(), value: Some(value) }
}

const SECOND: u64 = 1_000_000_000;

fn request() -> whole::Request {
    let code = AnyValue { int_value: Some(200), ..AnyValue::default() };
    let attributes = vec![KeyValue { key: "code".to_string(), value: Some(code) }];
    let sum = NumberDataPoint {
        attributes: attributes.clone(),
        start_time_unix_nano: SECOND,
        time_unix_nano: 61 * SECOND,
        as_int: Some(7),
        ..NumberDataPoint::default()
    };
    let buckets = HistogramDataPoint {
        start_time_unix_nano: SECOND,
        time_unix_nano: 61 * SECOND + 1,
        count: 6,
        sum: Some(1.5),
        bucket_counts: vec![1, 2, 3],
        explicit_bounds: vec![0.25, 5.0],
        ..HistogramDataPoint::default()
    };
    let exponential = ExponentialHistogramDataPoint {
        start_time_unix_nano: 0,
        time_unix_nano: 61 * SECOND,
        count: 6,
        scale: 5,
        zero_count: 1,
        positive: Some(Buckets { offset: -2, bucket_counts: vec![0, 2, 3] }),
        ..ExponentialHistogramDataPoint::default()
    };
    let metric =
        |name: &str| whole::Metric { name: name.to_string(), unit: "s".to_string(), ..whole::Metric::default() };
    let metrics = vec![
        whole::Metric {
            sum: Some(whole::Sum { data_points: vec![sum], aggregation_temporality: 2, is_monotonic: true }),
            unit: String::new(),
            ..metric("http.requests")
        },
        whole::Metric {
            histogram: Some(whole::Histogram { data_points: vec![buckets], aggregation_temporality: 1 }),
            ..metric("took")
        },
        whole::Metric {
            exponential_histogram: Some(whole::ExponentialHistogram {
                data_points: vec![exponential],
                aggregation_temporality: 2,
            }),
            ..metric("took.exp")
        },
    ];
    let scope = Scope { name: "http".to_string(), ..Scope::default() };
    let resource = Resource { attributes: vec![text("service.name", "shop"), text("code", "a")] };
    whole::Request {
        resource_metrics: vec![whole::ResourceMetrics {
            resource: Some(resource),
            scope_metrics: vec![whole::ScopeMetrics { scope: Some(scope), metrics }],
        }],
    }
}

fn protobuf() -> Vec<u8> {
    prost::Message::encode_to_vec(&request())
}

/// The same, scope and resource last, 64 bits as texts and as numbers, with fields that are not known.
const JSON: &str = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
{"name":"http.requests","sum":{"dataPoints":[{"attributes":[{"key":"code","value":{"intValue":"200"}}],
  "startTimeUnixNano":"1000000000","timeUnixNano":61000000000,"asInt":"7","exemplars":[{"traceId":"5b8efff798038103d269b633813fc60c"}]}],
  "aggregationTemporality":"AGGREGATION_TEMPORALITY_CUMULATIVE","isMonotonic":true}},
{"name":"took","unit":"s","description":null,"histogram":{"aggregationTemporality":1,"dataPoints":[{
  "startTimeUnixNano":"1000000000","timeUnixNano":"61000000001","count":"6","sum":1.5,"bucketCounts":["1",2,"3"],"explicitBounds":[0.25,5]}]}},
{"name":"took.exp","unit":"s","exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[{
  "timeUnixNano":"61000000000","count":6,"scale":5,"zeroCount":"1","positive":{"offset":-2,"bucketCounts":["0","2","3"]}}]}}
],"scope":{"name":"http"},"schemaUrl":"x"}],"resource":{"attributes":[
{"key":"service.name","value":{"stringValue":"shop"}},{"key":"code","value":{"stringValue":"a"}}]}}]}"#;

fn framed(messages: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for message in messages {
        bytes.extend_from_slice(&(message.len() as u32).to_be_bytes());
        bytes.extend_from_slice(message);
    }
    bytes
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

#[test]
fn every_encoding_says_the_same() {
    let labels = |name: &str, more: &str, kind: &str, rest: &str| {
        let before = format!("__type__=\"{kind}\"{more}");
        format!("{name}{{{before}, {rest}otel.scope.name=\"http\"")
    };
    let took = |name: &str, le: &str, value: &str| {
        let types = ", __unit__=\"s\", code=\"a\"";
        let before =
            format!("{name}{{__temporality__=\"delta\", __type__=\"histogram\"{types}, {le}otel.scope.name=\"http\"");
        format!("{before}, service.name=\"shop\"}} {value} at 61000001 delta Some(1000000)")
    };
    let exponential = |name: &str, value: &str| {
        let before = labels(name, ", __unit__=\"s\", code=\"a\"", "histogram", "");
        format!("{before}, service.name=\"shop\"}} {value} at 61000000 since None")
    };
    let expected = [
        format!(
            "{}, resource.code=\"a\", service.name=\"shop\"}} 7 at 61000000 since Some(1000000)",
            labels("http.requests", ", code=\"200\"", "counter", "")
        ),
        took("took_bucket", "le=\"0.25\", ", "1"),
        took("took_bucket", "le=\"5\", ", "3"),
        took("took_bucket", "le=\"+Inf\", ", "6"),
        took("took_sum", "", "1.5"),
        took("took_count", "", "6"),
        exponential("took.exp_count", "6"),
        exponential("took.exp", "6@5 zero 1 {-1: 2.0, 0: 3.0} sum NaN"),
    ];
    let protobuf = protobuf();
    let line = JSON.replace('\n', "");
    for (bytes, times, format) in [
        (protobuf.clone(), 1, "OTLP as a message of protobuf"),
        (framed(&[&protobuf, b"", &protobuf]), 2, "OTLP as protobuf behind lengths"),
        (framed(&[&zstd(&protobuf)]), 1, "OTLP as protobuf behind lengths, packed by zstd"),
        (framed(&[&zstd(line.as_bytes())]), 1, "OTLP as JSON behind lengths, packed by zstd"),
        (JSON.as_bytes().to_vec(), 1, "OTLP as JSON"),
        (format!("{line}\n{line}\n\n").into_bytes(), 2, "OTLP as JSON"),
        (
            format!("{{\"resourceSpans\":[{{}}]}}\n{line}").into_bytes(),
            1,
            "OTLP as JSON, with messages of traces, logs or profiles, which are left out",
        ),
    ] {
        let (samples, found, cut) = read_all(&bytes).unwrap();
        assert_eq!(samples, vec![expected.clone(); times].concat(), "{format}");
        assert_eq!((found.as_str(), cut), (format, None));
    }
}

#[test]
fn a_file_that_is_still_written_is_read_as_far_as_it_is_complete() {
    let (line, protobuf) = (JSON.replace('\n', ""), protobuf());
    for (bytes, place) in [
        (format!("{line}\n{}", &line[..line.len() - 9]).into_bytes(), "m: the message at line 2 is not complete"),
        (framed(&[&protobuf, &protobuf])[..protobuf.len() + 99].to_vec(), "m: the message at byte"),
        (framed(&[&protobuf, &protobuf])[..protobuf.len() + 6].to_vec(), "m: the message at byte"),
    ] {
        let (samples, _, cut) = read_all(&bytes).unwrap();
        assert_eq!(samples.len(), 8);
        assert!(cut.as_ref().is_some_and(|cut| cut.starts_with(place)), "{cut:?}");
    }
}

#[test]
fn a_point_without_a_value_is_a_gap() {
    let json = |points: &str| format!("{{\"resourceMetrics\":[{{\"scopeMetrics\":[{{\"metrics\":[{points}]}}]}}]}}");
    let point = "{\"timeUnixNano\":1000000000,\"flags\":1,\"count\":0}";
    let read = |kind: &str| {
        let points = format!("{{\"name\":\"x\",\"{kind}\":{{\"aggregationTemporality\":2,\"dataPoints\":[{point}]}}}}");
        read(json(&points).as_bytes()).unwrap()
    };
    assert_eq!(read("gauge"), ["x{__type__=\"gauge\"} NaN at 1000000 since None"]);
    let histogram = read("histogram");
    assert!(histogram.iter().all(|sample| sample.contains(" NaN")), "{histogram:?}");
    assert!(read("exponentialHistogram").iter().any(|sample| sample.starts_with("x{__type__=\"histogram\"} NaN@0")));
}

#[test]
fn attributes_of_every_kind_are_texts() {
    let attributes = r#"[{"key":"a","value":{"boolValue":true}},{"key":"b","value":{"doubleValue":1.5}},
        {"key":"c","value":{"arrayValue":{"values":[{"stringValue":"x"},{"intValue":"2"}]}}},
        {"key":"d","value":{"kvlistValue":{"values":[{"key":"k","value":{"bytesValue":"aGk="}}]}}},
        {"key":"e","value":{"bytesValue":"aGk="}},{"key":"f","value":{"doubleValue":"NaN"}},{"key":"g","value":null}]"#;
    let json = format!(
        "{{\"resourceMetrics\":[{{\"scopeMetrics\":[{{\"metrics\":[{{\"name\":\"x\",\"gauge\":{{\"dataPoints\":[\
         {{\"timeUnixNano\":1000,\"asDouble\":2,\"attributes\":{attributes}}}]}}}}]}}]}}]}}"
    );
    assert_eq!(
        read(json.as_bytes()).unwrap(),
        [
            r#"x{__type__="gauge", a="true", b="1.5", c="[\"x\",2]", d="{\"k\":\"aGk=\"}", e="aGk=", f="NaN"} 2 at 1 since None"#
        ]
    );
}

#[test]
fn what_is_wrong_with_json_is_told_with_line_and_column() {
    let mut differ = Vec::new();
    for (from, to, said) in [
        ("61000000000,\"asInt\"", "0,\"asInt\"", "m:3:126: the point has no time; expected timeUnixNano"),
        ("\"1\",2,\"3\"", "\"1\",2", "m:6:136: 2 bucket counts for 2 bounds; expected 3"),
        ("\"count\":\"6\"", "\"count\":\"7\"", "m:6:140: the buckets count 6 in all, and the count is 7"),
        ("[0.25,5]", "[5,0.25]", "m:6:140: the bounds of the buckets do not ascend"),
        ("\"scale\":5", "\"scale\":21", "m:8:123: the scale is 21; expected -10 to 20"),
        ("\"positive\"", "\"negative\"", "m:8:122: a bucket below zero counts something; expected latencies"),
        ("\"offset\":-2", "\"offset\":2147483647", "m:8:130: the buckets from 2147483647 on are too many"),
        ("\"asInt\":\"7\"", "\"asInt\":\"x\"", "m:3:73: invalid value: string \"x\", expected a whole number (i64)"),
        (
            "\"aggregationTemporality\":1",
            "\"aggregationTemporality\":0",
            "m:10:100: metric \"took\" has the aggregation temporality 0; expected 1 (delta) or 2 (cumulative)",
        ),
        ("\"intValue\":\"200\"", "\"bytesValue\":\"?\"", "m:2:100: bytesValue is no base64"),
        ("{\"name\":\"took\",", "{\"name\":1,", "m:5:10: invalid type: integer `1`, expected a string"),
    ] {
        assert!(JSON.contains(from), "{from}");
        let refused = refused(JSON.replacen(from, to, 1).as_bytes());
        if !refused.starts_with(said) {
            differ.push(refused);
        }
    }
    assert!(differ.is_empty(), "{differ:#?}");
    assert!(refused(b"{\"resourceMetrics\":[]} []").starts_with("m:1:24: invalid type: sequence, expected a message"));
}

#[test]
fn what_is_wrong_with_protobuf_is_told_with_its_byte() {
    let at = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|window| window == what).unwrap();
    let good = protobuf();
    // The time of the first point, 61 s in nanoseconds.
    let time = at(&good, &(61 * SECOND).to_le_bytes());
    let mut bytes = good.clone();
    bytes[time..time + 8].fill(0);
    let said = refused(&bytes);
    assert!(
        said.starts_with("m: at byte ") && said.contains("metric \"http.requests\": the point has no time"),
        "{said}"
    );
    // The wire type of that field.
    bytes.clone_from(&good);
    bytes[time - 1] = 0x18;
    let said = refused(&bytes);
    assert!(said.contains("NumberDataPoint.time_unix_nano: invalid wire type"), "{said}");
    let byte: usize = said.strip_prefix("m: at byte ").unwrap().split(':').next().unwrap().parse().unwrap();
    assert_eq!(byte, time);
    // A text that is none, a length that is too long, a field that nobody knows.
    bytes.clone_from(&good);
    let name = at(&good, b"http.requests");
    bytes[name] = 0xff;
    assert_eq!(refused(&bytes).split(". ").next().unwrap(), format!("m: at byte {name}: the text is no UTF-8"));
    bytes.clone_from(&good);
    bytes.truncate(good.len() - 1);
    assert!(refused(&bytes).contains("bytes should follow, and"), "{}", refused(&bytes));
    let said = refused(&[&good[..], &[0x0b]].concat());
    assert!(said.starts_with(&format!("m: at byte {}: field 1 has the wire type 3", good.len())), "{said}");
    // Behind lengths the byte is that of the file, or says of which message it is.
    let said = refused(&framed(&[&good, &bytes]));
    assert!(said.starts_with("m: at byte "), "{said}");
    let said = refused(&framed(&[&zstd(&good), &zstd(&bytes)]));
    assert!(said.contains("the message at byte ") && said.contains(", unpacked: "), "{said}");
    let said = refused(&[0x04, 0, 0, 1, 0x0a]);
    assert!(said.starts_with("m: at byte 0: the message is longer than 64 MiB"), "{said}");
}

#[test]
fn a_message_that_unpacks_to_more_than_can_be_held_is_refused() {
    let bomb = zstd(&vec![0x0au8; 80 << 20]);
    assert!(bomb.len() < 1 << 20);
    let said = refused(&framed(&[&bomb]));
    assert!(said.starts_with("m: at byte 0: the message is longer than 64 MiB"), "{said}");
    let long = format!("{{\"resourceMetrics\":[{{\"schemaUrl\":\"{}\"}}]}}", "x".repeat(65 << 20));
    let said = refused(long.as_bytes());
    assert!(said.contains("the message is longer than 64 MiB"), "{said}");
    let wide =
        NumberDataPoint { attributes: vec![text("a", &"x".repeat(2 << 20))], time_unix_nano: 1, ..Default::default() };
    let mut request = request();
    let sum = request.resource_metrics[0].scope_metrics[0].metrics[0].sum.as_mut().unwrap();
    sum.data_points = vec![wide];
    let said = refused(&prost::Message::encode_to_vec(&request));
    assert!(said.contains("a point, scope or resource is longer than 1 MiB"), "{said}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_bytes_are_read_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..600), first in 0usize..6) {
        let starts: [&[u8]; 6] = [b"", b"\x0a", b"\0\0\0\x20", b"{\"resourceMetrics\":[", b"\0\0\0\x30\x28\xb5\x2f\xfd", b"\x0a\x10\x12\x05"];
        bytes.splice(0..0, starts[first].iter().copied());
        let _ = read(&bytes);
    }

    /// Bytes of valid files changed, taken out and put in.
    #[test]
    fn files_that_are_almost_valid_are_read_or_refused(
        encoding in 0usize..4,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 1..6),
    ) {
        let protobuf = protobuf();
        let mut bytes = match encoding {
            0 => protobuf,
            1 => framed(&[&protobuf, &protobuf]),
            2 => framed(&[&zstd(&protobuf)]),
            _ => JSON.as_bytes().to_vec(),
        };
        for (at, byte, change) in changes {
            let at = at.index(bytes.len());
            match change {
                0 => bytes[at] = byte,
                1 => {
                    bytes.remove(at);
                }
                _ => bytes.insert(at, byte),
            }
        }
        let _ = read(&bytes);
    }
}

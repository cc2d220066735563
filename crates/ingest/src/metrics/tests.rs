//! Samples in, rows out, beside a computation that follows each series by itself.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use nines_slo::Mapping;
use nines_store::TableKind;
use proptest::prelude::*;

use super::{Collected, Findings};
use crate::samples::read_bytes;
use crate::testing::{shared, shown};
use crate::{Options, Result};

const MINUTE: i64 = 60_000_000;

fn collected(mapping: &str) -> Collected {
    Collected::new(Arc::new(Mapping::read("m.yaml", mapping).unwrap()))
}

fn add(to: &mut Collected, text: &str) -> Result<()> {
    read_bytes("samples", text.as_bytes().to_vec(), &mut |sample| to.add(&sample))
}

/// The rows of a table, and what was found.
fn rows(collected: &mut Collected, kind: TableKind, from: i64) -> Result<(Vec<String>, Findings)> {
    let tally = collected.tallies.iter_mut().find(|tally| tally.kind() == kind).unwrap();
    let batches = tally.batches(Options::new(kind, 60), from, Arc::default())?.collect::<Result<Vec<_>>>()?;
    Ok((shown(&batches), tally.accept()))
}

fn once(mapping: &str, kind: TableKind, text: &str) -> (Vec<String>, Findings) {
    let mut all = collected(mapping);
    add(&mut all, text).unwrap();
    rows(&mut all, kind, i64::MIN).unwrap()
}

#[test]
fn instances_add_and_statuses_stand_beside_each_other() {
    let mapping = "requests: [{counter: x_total, service: shop, endpoint: {label: path}, status: {label: code}}]";
    let text = "x_total{path=\"/a\",code=\"200\",instance=\"1\"} 10 0\n\
                x_total{path=\"/a\",code=\"200\",instance=\"1\"} 15 30\n\
                x_total{path=\"/a\",code=\"200\",instance=\"2\"} 100 1\n\
                x_total{path=\"/a\",code=\"200\",instance=\"2\"} 3 31\n\
                x_total{path=\"/a\",code=\"500\",instance=\"1\"} 1 0\n\
                x_total{path=\"/a\",code=\"500\",instance=\"1\"} 1 30\n\
                x_total{path=\"/a\",code=\"500\",instance=\"1\"} 2 60\n\
                x_total{path=\"/b\",code=\"200\"} 7 30\n\
                x_total{path=\"/b\",code=\"200\"} 7 59.999\n\
                x_total{path=\"/b\",code=\"200\"} NaN 70\n";
    let (rows, found) = once(mapping, TableKind::Requests, text);
    assert_eq!(
        rows,
        [
            "time=1970-01-01T00:00:00Z service=shop endpoint=/a status=200 requests=8",
            "time=1970-01-01T00:01:00Z service=shop endpoint=/a status=500 requests=1",
            "time=1970-01-01T00:00:00Z service=shop endpoint=/b status=200 requests=0",
        ]
    );
    assert_eq!((found.resets, found.first), (1, 4));
    // The same series at the same instants, in other files and in another order, count once.
    let mut lines: Vec<&str> = text.lines().chain(text.lines()).collect();
    lines.reverse();
    let again = once(mapping, TableKind::Requests, &(lines.join("\n") + "\n"));
    assert_eq!((again.0.len(), again.1), (3, found));
    assert!(rows.iter().all(|row| again.0.contains(row)));
}

#[test]
fn a_classic_histogram_counts_requests_and_exact_thresholds() {
    let mapping = "requests: [{histogram: took_seconds, status: 200}]";
    let mut text = String::new();
    for (time, fast, slow, all, sum) in [(0, 1, 2, 3, 1.5), (30, 3, 5, 9, 4.25), (60, 3, 5, 9, 4.25)] {
        for (le, count) in [("0.1", fast), ("0.5", slow), ("+Inf", all)] {
            writeln!(text, "took_seconds_bucket{{le=\"{le}\"}} {count} {time}").unwrap();
        }
        writeln!(text, "took_seconds_sum {sum} {time}\ntook_seconds_count {all} {time}").unwrap();
    }
    let (rows, _) = once(mapping, TableKind::Requests, &text);
    assert_eq!(
        rows,
        [
            "time=1970-01-01T00:00:00Z status=200 requests=6 latency_sum=2.75 \
         latency_le=[{le: 100000, count: 2}, {le: 500000, count: 3}]",
            "time=1970-01-01T00:01:00Z status=200 requests=0",
        ]
    );
}

#[test]
fn native_histograms_are_kept_and_coarse_ones_are_exact_at_powers_of_two() {
    let mapping = "requests: [{histogram: took, status: 200}]";
    // Schema 5: bounds are powers of 2^(1/32).
    let bound = |i: i32| (f64::from(i) / 32.0).exp2();
    let fine = format!(
        "took {{count:2, sum:1, ({0},{1}]:2}} 0\ntook {{count:5, sum:3, ({0},{1}]:4, ({1},{2}]:1}} 30\n",
        bound(-33),
        bound(-32),
        bound(-31)
    );
    let (rows, found) = once(mapping, TableKind::Requests, &fine);
    assert_eq!(
        rows,
        ["time=1970-01-01T00:00:00Z status=200 requests=3 latency_sum=2.0 \
         latency={zero: 0, buckets: [{bucket: -33, count: 2}, {bucket: -32, count: 1}]}"]
    );
    assert_eq!(found.coarse, 0);
    let coarse = "took {count:0, sum:0} 0\ntook {count:5, sum:3, (0.25,0.5]:4, (0.5,1]:1} 30\n";
    let (rows, found) = once(mapping, TableKind::Requests, coarse);
    assert!(
        rows[0].contains("requests=5") && rows[0].contains("{le: 250000, count: 0}, {le: 500000, count: 4}"),
        "{rows:?}"
    );
    assert!(rows[0].contains("{le: 1000000, count: 5}"));
    assert_eq!(found.coarse, 1);
}

#[test]
fn events_are_two_of_three_counts() {
    let text = "e_total 10 0\nok_total 9 0\nbad_total 1 0\n\
                e_total 20 30\nok_total 18 30\nbad_total 2 30\n\
                e_total 30 60\nok_total 29 60\nbad_total 2 60\n";
    let first = "time=1970-01-01T00:00:00Z name=e good=9 total=10";
    let second = "time=1970-01-01T00:01:00Z name=e good=10 total=10";
    for (counts, second, excess) in [
        ("good: ok_total, total: e_total", second, 1),
        ("bad: bad_total, total: e_total", second, 0),
        ("good: ok_total, bad: bad_total", "time=1970-01-01T00:01:00Z name=e good=11 total=11", 0),
        ("bad: never_total, total: e_total", second, 0),
    ] {
        let (rows, found) = once(&format!("events: [{{name: e, {counts}}}]"), TableKind::Events, text);
        let first = if counts.contains("never") { "time=1970-01-01T00:00:00Z name=e good=10 total=10" } else { first };
        assert_eq!(rows, [first, second], "{counts}");
        assert_eq!(found.excess, excess, "{counts}");
    }
}

#[test]
fn gauges_keep_every_sample_and_no_gap() {
    let mapping = "gauges: [{gauge: up, name: up, endpoint: {label: instance}}]";
    let text = "up{instance=\"a\"} 1 0\nup{instance=\"a\"} 0 30\nup{instance=\"a\"} NaN 45\nup{instance=\"a\"} 1 200\n";
    assert_eq!(
        once(mapping, TableKind::Gauges, text).0,
        [
            "time=1970-01-01T00:00:00Z endpoint=a name=up samples=2 sum=1.0 min=0.0 max=1.0 last=0.0",
            "time=1970-01-01T00:03:00Z endpoint=a name=up samples=1 sum=1.0 min=1.0 max=1.0 last=1.0",
        ]
    );
}

#[test]
fn a_series_that_appears_counts_wholly_only_where_the_mapping_says_so() {
    let text = "x_total{code=\"200\"} 5 0\nx_total{code=\"200\"} 6 60\nx_total{code=\"500\"} 3 60\nx_total{code=\"500\"} 4 90\n";
    let mapping = |new: &str| format!("requests: [{{counter: x_total, status: {{label: code}}, newSeries: {new}}}]");
    let (rows, found) = once(&mapping("unknown"), TableKind::Requests, text);
    assert_eq!(rows[1], "time=1970-01-01T00:01:00Z status=500 requests=1");
    assert_eq!((found.first, found.appeared, found.appeared_with), (1, 1, 3.0));
    let (rows, found) = once(&mapping("zero"), TableKind::Requests, text);
    assert_eq!(rows[1], "time=1970-01-01T00:01:00Z status=500 requests=4");
    assert_eq!((found.first, found.appeared), (1, 0));
}

#[test]
fn what_openmetrics_says_of_its_beginning_is_a_reset() {
    let mapping = "requests: [{counter: x_total, status: 200}]";
    let text = "x_total 5 0\nx_created 0 0\nx_total 9 60\nx_created 50 60\n";
    let (rows, found) = once(mapping, TableKind::Requests, text);
    assert!(rows.contains(&"time=1970-01-01T00:01:00Z status=200 requests=9".to_string()), "{rows:?}");
    // It began in the slice of its first sample, so that the first one counts, too.
    assert!(rows.contains(&"time=1970-01-01T00:00:00Z status=200 requests=5".to_string()), "{rows:?}");
    assert_eq!((found.resets, found.first), (1, 0));
}

#[test]
fn what_no_counter_can_be_is_told_with_its_series() {
    let refused = |text: &str| {
        let mut all = collected("requests: [{counter: x, status: 200}]");
        let added = add(&mut all, text);
        added.and_then(|()| rows(&mut all, TableKind::Requests, i64::MIN)).unwrap_err().to_string()
    };
    assert!(refused("x{a=\"b\"} 1 0\nx{a=\"b\"} 1.5 60\n").starts_with(
        "series x{a=\"b\"} at 1970-01-01T00:01:00Z: it rises by 0.5, which is no whole number; expected a counter of requests"
    ));
    assert!(
        refused("x 1 0\nx -1 9\n")
            .starts_with("samples:2: series x at 1970-01-01T00:00:09Z: it is -1; expected a number of at least 0")
    );
}

/// Snapshots of real counters: the deltas that are known for the file, and a counter of two processes that must not be taken for
/// one which begins again and again.
#[test]
fn snapshots_of_a_real_server_become_the_deltas_that_are_known() {
    let Some(file) = shared("elastic-nginxplus/nginxplus_json_logs") else { return };
    let mut text = String::new();
    for line in std::fs::read_to_string(file).unwrap().lines() {
        let Ok(snapshot) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let time = &snapshot["timestamp"];
        for (zone, counters) in snapshot["server_zones"].as_object().unwrap() {
            for class in ["1xx", "2xx", "3xx", "4xx", "5xx"] {
                let count = &counters["responses"][class];
                writeln!(text, "responses_total{{zone=\"{zone}\",code=\"{class}\"}} {count} {time}").unwrap();
            }
        }
        let (pid, handshakes) = (&snapshot["pid"], &snapshot["ssl"]["handshakes"]);
        writeln!(text, "handshakes_total{{pid=\"{pid}\"}} {handshakes} {time}").unwrap();
    }
    let mapping = "requests: [{counter: responses_total, service: {label: zone}, status: {label: code}}]\n\
                   events: [{name: handshakes, good: handshakes_total, bad: none_total}]";
    let mut all = collected(mapping);
    add(&mut all, &text).unwrap();
    let (requests, found) = rows(&mut all, TableKind::Requests, i64::MIN).unwrap();
    let sum = |service: &str, status: &str| {
        let matching = requests.iter().filter(|row| row.contains(service) && row.contains(status));
        matching.map(|row| row.rsplit('=').next().unwrap().parse::<i64>().unwrap()).sum::<i64>()
    };
    assert_eq!(
        (sum("=hg.", ""), sum("=hg.", "status=5"), sum("=trac.", ""), sum("=trac.", "status=5")),
        (298, 3, 752, 0)
    );
    assert_eq!((sum("=lxr.", ""), found.resets), (90, 0));
    let (_, found) = rows(&mut all, TableKind::Events, i64::MIN).unwrap();
    assert_eq!(found.resets, 0, "two processes, two series");
}

/// Increments per slice, series by series, with nothing but a list.
fn naive(samples: &BTreeMap<(usize, i64), u32>, series: usize) -> BTreeMap<i64, i64> {
    let mut slices = BTreeMap::new();
    for of in 0..series {
        let own: Vec<(i64, i64)> = samples
            .range((of, i64::MIN)..=(of, i64::MAX))
            .map(|((_, time), value)| (*time, i64::from(*value)))
            .collect();
        for pair in own.windows(2) {
            let [(_, before), (time, value)] = pair else { continue };
            let more = if value < before { *value } else { value - before };
            *slices.entry(time * 1_000_000 / MINUTE * MINUTE).or_insert(0) += more;
        }
    }
    slices
}

fn by_slice(rows: &[String]) -> BTreeMap<i64, i64> {
    let mut slices = BTreeMap::new();
    for row in rows {
        let field = |name: &str| row.split(' ').find_map(|field| field.strip_prefix(name)).unwrap().to_string();
        let time = chrono::DateTime::parse_from_rfc3339(&field("time=")).unwrap().timestamp_micros();
        *slices.entry(time).or_insert(0) += field("requests=").parse::<i64>().unwrap();
    }
    slices
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Random counters with resets and gaps, in any order and told twice: the sums of a naive computation, in one go and in chunks
    /// that begin anywhere.
    #[test]
    fn chunks_and_one_go_are_the_naive_computation(
        samples in prop::collection::btree_map((0usize..4, 0i64..900), 0u32..50, 1..120),
        cuts in prop::collection::btree_set(1i64..15, 0..4),
        seed in any::<u64>(),
    ) {
        let mapping = "requests: [{counter: x, status: 200}]";
        let line = |((series, time), value): (&(usize, i64), &u32)| format!("x{{instance=\"{series}\"}} {value} {time}\n");
        let mut lines: Vec<String> = samples.iter().map(line).collect();
        lines.extend(lines.clone().into_iter().take(20));
        lines.sort_by_key(|line| line.bytes().fold(seed, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte))));
        let expected = naive(&samples, 4);
        let (all, _) = once(mapping, TableKind::Requests, &lines.concat());
        prop_assert_eq!(&by_slice(&all), &expected);
        let mut parts = collected(mapping);
        let mut counted = BTreeMap::new();
        let mut from = 0;
        for to in cuts.iter().map(|minute| minute * 60).chain([900]) {
            let chunk: String = samples.iter().filter(|((_, time), _)| (from..to).contains(time)).map(line).collect();
            if !chunk.is_empty() {
                add(&mut parts, &chunk).unwrap();
            }
            let (some, _) = rows(&mut parts, TableKind::Requests, from * 1_000_000).unwrap();
            for (slice, more) in by_slice(&some) {
                prop_assert!(counted.insert(slice, more).is_none());
            }
            from = to;
        }
        prop_assert_eq!(counted, expected);
    }
}

/// When exports begin, in seconds.
const BEGIN: i64 = 3_600;

/// What a service counted between exports: when it exported, how many requests, and whether it began again before.
type Exports = Vec<(i64, u32, bool)>;

/// Lines of OTLP for these exports of some instances, of cumulative or delta temporality: a sum, and an exponential histogram that
/// counts the same requests by how many there were.
fn otlp(instances: &[Exports], is_delta: bool) -> Vec<(i64, String)> {
    let mut lines = Vec::new();
    for (instance, exports) in instances.iter().enumerate() {
        // They began long before, but for one that begins again before its first export.
        let (mut start, mut sum, mut buckets, mut last) = (BEGIN - 1_000, 0u64, BTreeMap::<i64, u64>::new(), BEGIN);
        for &(time, requests, again) in exports {
            if again || is_delta {
                (start, sum, buckets) = (last, 0, BTreeMap::new());
            }
            if again {
                start = last + (time - last) / 2;
            }
            sum += u64::from(requests);
            *buckets.entry(i64::from(requests % 7)).or_default() += u64::from(requests);
            last = time;
            let nanos = |seconds: i64| seconds as u64 * 1_000_000_000;
            let counts = (0..7).map(|bucket| format!("\"{}\"", buckets.get(&bucket).unwrap_or(&0))).collect::<Vec<_>>();
            let times = format!("\"startTimeUnixNano\":\"{}\",\"timeUnixNano\":\"{}\"", nanos(start), nanos(time));
            let temporality = if is_delta { 1 } else { 2 };
            lines.push((
                time,
                format!(
                    "{{\"resourceMetrics\":[{{\"resource\":{{\"attributes\":[{{\"key\":\"service.instance.id\",\"value\":{{\
                     \"stringValue\":\"{instance}\"}}}}]}},\"scopeMetrics\":[{{\"metrics\":[{{\"name\":\"x\",\"sum\":{{\
                     \"isMonotonic\":true,\"aggregationTemporality\":{temporality},\"dataPoints\":[{{{times},\"asInt\":\"{sum}\"}}]}}}},\
                     {{\"name\":\"took\",\"unit\":\"s\",\"exponentialHistogram\":{{\"aggregationTemporality\":{temporality},\
                     \"dataPoints\":[{{{times},\"scale\":6,\"count\":\"{sum}\",\"sum\":1,\"positive\":{{\"offset\":-3,\
                     \"bucketCounts\":[{}]}}}}]}}}}]}}]}}]}}\n",
                    counts.join(",")
                ),
            ));
        }
    }
    lines
}

/// Requests and buckets of scale 5 by slice, from the exports themselves.
fn counted(instances: &[Exports], is_delta: bool) -> BTreeMap<i64, (i64, BTreeMap<i64, i64>)> {
    let mut slices: BTreeMap<i64, (i64, BTreeMap<i64, i64>)> = BTreeMap::new();
    for exports in instances {
        for (at, &(time, requests, again)) in exports.iter().enumerate() {
            let start = (time - 1).div_euclid(60) * 60;
            // What a cumulative counter counted before its first export is not known, unless it began in that slice.
            if at == 0 && !is_delta && !(again && BEGIN + (time - BEGIN) / 2 >= start) {
                continue;
            }
            let slice = slices.entry(start * 1_000_000).or_default();
            slice.0 += i64::from(requests);
            if requests > 0 {
                *slice.1.entry((i64::from(requests % 7) - 3).div_euclid(2)).or_default() += i64::from(requests);
            }
        }
    }
    slices
}

fn exports() -> impl Strategy<Value = Vec<Exports>> {
    let of_one = prop::collection::btree_map(BEGIN + 1..BEGIN + 900, (0u32..20, prop::bool::weighted(0.1)), 1..25)
        .prop_map(|all| all.into_iter().map(|(time, (requests, again))| (time, requests, again)).collect());
    prop::collection::vec(of_one, 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Both temporalities, out of order and told twice: what the exports counted. Sums, and buckets without loss.
    #[test]
    fn sums_and_exponential_histograms_of_both_temporalities_count_what_was_exported(
        instances in exports(),
        is_delta in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let mapping = "requests:\n  - {counter: x, status: 200, service: sum}\n  - {histogram: took, status: 200, service: exp}\n";
        let mut lines: Vec<String> = otlp(&instances, is_delta).into_iter().map(|(_, line)| line).collect();
        lines.extend(lines.clone().into_iter().take(10));
        lines.sort_by_key(|line| line.bytes().fold(seed, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte))));
        let (rows, found) = once(mapping, TableKind::Requests, &lines.concat());
        prop_assert_eq!(found.fallen, 0);
        let expected = counted(&instances, is_delta);
        for service in ["sum", "exp"] {
            let own: Vec<String> = rows.iter().filter(|row| row.contains(&format!("service={service} "))).cloned().collect();
            let by_slice = by_slice(&own);
            let mut wanted: BTreeMap<i64, i64> = expected.iter().map(|(slice, (requests, _))| (*slice, *requests)).collect();
            // A slice that only first samples are in has no row.
            wanted.retain(|slice, requests| *requests > 0 || by_slice.contains_key(slice));
            prop_assert_eq!(&by_slice, &wanted, "{}", service);
        }
        for (slice, (_, buckets)) in expected.iter().filter(|(_, (requests, _))| *requests > 0) {
            let time = chrono::DateTime::from_timestamp_micros(*slice).unwrap();
            let time = time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
            let row = rows.iter().find(|row| row.contains(&format!("time={time} service=exp"))).unwrap();
            let shown: Vec<String> = buckets.iter().map(|(bucket, count)| format!("{{bucket: {bucket}, count: {count}}}")).collect();
            prop_assert!(row.contains(&format!("latency={{zero: 0, buckets: [{}]}}", shown.join(", "))), "{} {:?}", row, buckets);
        }
    }
}

/// A message with points of one metric, of these seconds: start, time, instance and value.
fn sum(points: &[(u64, u64, &str, i64)], temporality: u8) -> String {
    let points = points.iter().map(|(start, time, instance, value)| {
        format!(
            "{{\"startTimeUnixNano\":\"{start}000000000\",\"timeUnixNano\":\"{time}000000000\",\"asInt\":\"{value}\",\
             \"attributes\":[{{\"key\":\"service.instance.id\",\"value\":{{\"stringValue\":\"{instance}\"}}}}]}}"
        )
    });
    format!(
        "{{\"resourceMetrics\":[{{\"scopeMetrics\":[{{\"metrics\":[{{\"name\":\"x\",\"sum\":{{\"isMonotonic\":true,\
         \"aggregationTemporality\":{temporality},\"dataPoints\":[{}]}}}}]}}]}}]}}\n",
        points.collect::<Vec<_>>().join(",")
    )
}

#[test]
fn an_interval_counts_in_the_last_slice_that_it_touches() {
    let mapping = "requests: [{counter: x, status: 200}]";
    // From minute to minute, within a minute, over two minutes, and one that ends a moment later than a minute.
    let points = [(60, 120, "a", 1), (125, 130, "a", 2), (130, 240, "a", 4), (240, 301, "a", 8)];
    let (rows, found) = once(mapping, TableKind::Requests, &sum(&points, 1));
    let counts: Vec<(i64, i64)> = by_slice(&rows).into_iter().map(|(slice, count)| (slice / MINUTE, count)).collect();
    assert_eq!(counts, [(1, 1), (2, 2), (3, 4), (5, 8)]);
    assert_eq!(found.overlapping, 0);
}

#[test]
fn a_program_that_begins_while_others_are_watched_counts_wholly_where_the_mapping_says_so() {
    // b began at 100 s, c before anything was read.
    let points = [(10, 80, "a", 5), (10, 120, "a", 6), (100, 180, "b", 3), (20, 180, "c", 9)];
    for (new, expected, appeared) in [("unknown", 1, (1, 3.0)), ("zero", 4, (0, 0.0))] {
        let mapping = format!("requests: [{{counter: x, status: 200, newSeries: {new}}}]");
        let (rows, found) = once(&mapping, TableKind::Requests, &sum(&points, 2));
        assert_eq!(by_slice(&rows).values().sum::<i64>(), expected, "{new}");
        assert_eq!((found.appeared, found.appeared_with), appeared, "{new}");
        assert_eq!(found.first, 2, "{new}");
    }
}

#[test]
fn programs_that_report_one_series_are_found() {
    let mapping = "requests: [{counter: x, status: 200}]";
    let cumulative = [(10, 60, "a", 50), (20, 61, "a", 10), (10, 120, "a", 55), (20, 121, "a", 12)];
    assert_eq!(once(mapping, TableKind::Requests, &sum(&cumulative, 2)).1.fallen, 2);
    let delta = [(10, 60, "a", 50), (20, 61, "a", 10), (60, 120, "a", 5), (61, 121, "a", 2)];
    let (rows, found) = once(mapping, TableKind::Requests, &sum(&delta, 1));
    assert_eq!((by_slice(&rows).values().sum::<i64>(), found.overlapping), (67, 3));
    // One that begins again says so.
    let again = [(10, 60, "a", 50), (61, 120, "a", 3)];
    let (_, found) = once(mapping, TableKind::Requests, &sum(&again, 2));
    assert_eq!((found.resets, found.fallen), (1, 0));
}

#[test]
fn changes_are_no_value_of_a_gauge() {
    let mut all = collected("gauges: [{gauge: x, name: x}]");
    let refused = add(&mut all, &sum(&[(10, 60, "a", 5)], 1)).unwrap_err().to_string();
    assert!(
        refused.starts_with("samples:1:")
            && refused.contains("it says by how much it changed, not what it is; expected values for a gauge"),
        "{refused}"
    );
}

#[test]
fn a_histogram_in_milliseconds_keeps_what_is_exact() {
    let mapping = "requests: [{histogram: took, status: 200}]";
    let message = |unit: &str, kind: &str, point: &str| {
        format!(
            "{{\"resourceMetrics\":[{{\"scopeMetrics\":[{{\"metrics\":[{{\"name\":\"took\",\"unit\":\"{unit}\",\"{kind}\":{{\
             \"aggregationTemporality\":1,\"dataPoints\":[{{\"startTimeUnixNano\":\"1\",\"timeUnixNano\":\"50000000000\",{point}}}]}}}}]}}]}}]}}"
        )
    };
    let classic = r#""count":3,"sum":600,"bucketCounts":[1,2,0],"explicitBounds":[0.5,300]"#;
    let (rows, _) = once(mapping, TableKind::Requests, &message("ms", "histogram", classic));
    assert_eq!(
        rows,
        [
            "time=1970-01-01T00:00:00Z status=200 requests=3 latency_sum=0.6 latency_le=[{le: 500, count: 1}, {le: 300000, count: 3}]"
        ]
    );
    // (128, 256] ms and (256, 512] ms.
    let exponential = r#""count":3,"sum":600,"scale":0,"positive":{"offset":7,"bucketCounts":[1,2]}"#;
    let (rows, found) = once(mapping, TableKind::Requests, &message("ms", "exponentialHistogram", exponential));
    assert!(rows[0].contains("{le: 128000, count: 0}, {le: 256000, count: 1}, {le: 512000, count: 3}"), "{rows:?}");
    assert_eq!((found.not_seconds, found.coarse), (1, 0));
    let exponential = exponential.replace(r#""sum":600,"#, "");
    let (rows, _) = once(mapping, TableKind::Requests, &message("ns", "exponentialHistogram", &exponential));
    assert_eq!(rows, ["time=1970-01-01T00:00:00Z status=200 requests=3"]);
}

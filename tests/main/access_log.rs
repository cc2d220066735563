//! A real access log, in and out again, against a recomputation line by line.

use std::collections::{BTreeMap, BTreeSet};

use crate::{nines, query, run, shared};

/// Endpoint and minute of each line, and whether it failed.
fn naive(log: &str) -> Vec<(String, i64, bool)> {
    let line = |line: &str| {
        let (_, rest) = line.split_once('[').unwrap();
        let (time, rest) = rest.split_once("] \"").unwrap();
        let (request, rest) = rest.split_once("\" ").unwrap();
        let status = rest.split(' ').next().unwrap().parse::<u16>().unwrap();
        let path = request.split(' ').nth(1).unwrap_or_default();
        let path = path.split(['?', '#']).next().unwrap_or_default();
        // 17/May/2015:10:05:03 +0000: one month, one zone.
        let number = |range: std::ops::Range<usize>| time[range].parse::<i64>().unwrap();
        assert!(&time[2..12] == "/May/2015:" && time.ends_with("+0000"), "{time}");
        let days_to_may_2015 = 16_556;
        let minute = ((days_to_may_2015 + number(0..2) - 1) * 24 + number(12..14)) * 60 + number(15..17);
        (path.to_string(), minute, status >= 400)
    };
    log.lines().map(line).collect()
}

#[test]
fn figures_of_the_apache_log_equal_a_naive_recomputation() {
    let Some(log) = shared("elastic-apache/apache_logs") else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let summary =
        run(nines().arg("--store").arg(&store).args(["ingest", "requests"]).arg(&log).args(["--service", "web"]));
    assert!(summary.contains("read        10,000 rows\nrejected    0\n"), "{summary}");
    assert!(summary.contains("time range  2015-05-17 10:05:00Z to 2015-05-20 21:06:00Z"), "{summary}");
    assert!(summary.contains("version     1 of requests"), "{summary}");

    let statuses =
        query(&store, "SELECT status, sum(requests) AS n FROM requests GROUP BY status ORDER BY n DESC, status");
    assert_eq!(statuses, ["200,9126", "304,445", "404,213", "301,164", "206,45", "500,3", "403,2", "416,2"]);

    let lines = naive(&std::fs::read_to_string(&log).unwrap());
    let minutes = lines.iter().map(|(_, minute, _)| *minute).collect::<BTreeSet<_>>();
    let (first, last) = (*minutes.first().unwrap(), *minutes.last().unwrap());
    for (from, to) in [(first, last + 1), (first + 600, first + 3000), (first - 100, first + 700), (last, last + 1)] {
        // An endpoint's minute is in error if less than 90 % of its requests succeeded; the service is if any endpoint is.
        let mut counts = BTreeMap::<(&str, i64), (i64, i64)>::new();
        for (endpoint, minute, failed) in lines.iter().filter(|(_, minute, _)| (from..to).contains(minute)) {
            let count = counts.entry((endpoint, *minute)).or_default();
            *count = (count.0 + i64::from(!failed), count.1 + 1);
        }
        let measured = counts.keys().map(|(_, minute)| *minute).collect::<BTreeSet<_>>();
        let error = counts.iter().filter(|(_, (good, total))| good * 10 < total * 9).map(|((_, minute), _)| *minute);
        let error = error.collect::<BTreeSet<_>>();
        let (mut failures, mut failing) = (0, false);
        for minute in &measured {
            failures += i64::from(error.contains(minute) && !failing);
            failing = error.contains(minute);
        }
        let ok = (measured.len() - error.len()) as f64;
        let sql = format!(
            "SELECT service, availability(t), error_seconds(t), failure_count(t), mtbf(t), mttr(t)
             FROM (SELECT service, error_union(t) AS t
                   FROM (SELECT service, endpoint, ratio_timeline(time, good, requests, 0.9) AS t
                         FROM (SELECT *, CASE WHEN status < 400 THEN requests ELSE 0 END AS good FROM requests
                               WHERE time >= to_timestamp({}) AND time < to_timestamp({}))
                         GROUP BY service, endpoint)
                   GROUP BY service)",
            from * 60,
            to * 60
        );
        let rows = query(&store, &sql);
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        let cells = row.split(',').collect::<Vec<_>>();
        let float = |at: usize| cells[at].parse::<f64>().unwrap_or(f64::NAN);
        assert_eq!(cells[0], "web");
        assert_eq!(float(1), ok / measured.len() as f64, "availability of {from}..{to}");
        assert_eq!(float(2), error.len() as f64 * 60.0);
        assert_eq!(float(3), failures as f64);
        if failures > 0 {
            assert_eq!(float(4), ok * 60.0 / failures as f64);
            // Any measured minute that is ok ends a failure, and what was not measured does not count.
            assert_eq!(float(5), error.len() as f64 * 60.0 / failures as f64);
        }
    }
}

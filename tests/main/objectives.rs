//! What figures of objectives mean where time is odd: zones of half hours, the live edge, time that is not measured.

use assert_cmd::Command;

use crate::case::Case;
use crate::{fails, run};

impl Case {
    fn ingest_rows(&self, table: &str, rows: &str) {
        run(&mut self.ingest(table, ("rows.csv", rows), &[]));
    }

    /// Events of a service `x` every minute, some of them bad.
    fn minutes(&self, from: &str, minutes: usize, is_bad: impl Fn(usize) -> bool) {
        let from = from.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp();
        let mut rows = "time,service,name,good,total\n".to_string();
        for minute in 0..minutes {
            let good = usize::from(!is_bad(minute));
            rows += &format!("{},x,e,{good},1\n", from + 60 * minute as i64);
        }
        self.ingest_rows("events", &rows);
    }

    fn apply(&self, text: &str) -> Command {
        let path = self.file("slo.yaml", text);
        let mut command = self.nines(&["apply"]);
        command.arg(path);
        command
    }

    fn query_in(&self, zone: &str, sql: &str) -> Vec<String> {
        let text = run(self.nines(&["--time-zone", zone, "sql", "--format", "csv", sql]).env_remove("TZ"));
        text.lines().skip(1).map(str::to_string).collect()
    }
}

/// An SLO of the service `x`.
fn slo(source: &str, window: &str, objective: &str) -> String {
    format!(
        "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: x}}\nspec:\n  service: x\n  indicator: {{spec: {source}}}\n  \
         timeWindow: [{window}]\n  budgetingMethod: Timeslices\n  objectives: [{objective}]\n"
    )
}

const EVENTS: &str = "{ratioMetric: {rawType: success, raw: {metricSource: {type: nines/events, spec: {name: e}}}}}";
const ROLLING: &str = "{duration: 28d, isRolling: true}";

fn calendar(zone: &str, time: &str) -> String {
    format!("{{duration: 1M, calendar: {{startTime: \"2025-01-01 {time}\", timeZone: {zone}}}}}")
}

fn events(window: &str, slice: &str) -> String {
    slo(EVENTS, window, &format!("{{target: 0.99, timeSliceWindow: {slice}}}"))
}

/// Errors on both sides of a day of maintenance are one failure, as long as was measured of it.
#[test]
fn a_failure_lasts_as_long_as_was_measured() {
    let case = Case::new();
    case.minutes("2026-02-01T00:00:00Z", 2 * 1440, |minute| matches!(minute, 595..600 | 2040..2045));
    run(&mut case.apply(&events(ROLLING, "1m")));
    let exclude = ["exclude", "2026-02-01 10:00", "2026-02-02 10:00", "--category", "M", "--reason", "m"];
    run(&mut case.nines(&exclude));
    let figures = "slo_error_time, failures, mttr, mtbf, abs(mtbf / (mtbf + mttr) - availability) < 1e-12";
    assert_eq!(
        case.rows(&format!("SELECT {figures} FROM report('2026-02-01', '2026-02-03')")),
        ["600.0,1,600.0,85800.0,true"]
    );
    let failures = "started, ended, seconds, unmeasured_seconds, excluded_seconds, begins_before, continues";
    assert_eq!(
        case.rows(&format!("SELECT {failures} FROM failures('2026-02-01', '2026-02-03')")),
        ["2026-02-01T09:55:00Z,2026-02-02T10:05:00Z,600.0,0.0,86400.0,false,false"]
    );
    // Each range cuts the failure, and says so.
    assert_eq!(
        case.rows(&format!("SELECT {failures} FROM failures('2026-02-01', '2026-02-01 09:58')")),
        ["2026-02-01T09:55:00Z,2026-02-01T09:58:00Z,180.0,0.0,0.0,false,true"]
    );
    assert_eq!(
        case.rows(&format!("SELECT {failures} FROM failures('2026-02-02 10:02', '2026-02-03')")),
        ["2026-02-02T10:02:00Z,2026-02-02T10:05:00Z,180.0,0.0,0.0,true,false"]
    );
    let lists = "SELECT failure['seconds'] FROM (SELECT unnest(failure_intervals(timeline)) AS failure
                 FROM timelines('2026-02-01', '2026-02-03'))";
    assert_eq!(case.rows(lists), ["600.0"]);
}

/// Whatever else the table holds, a sample is known to the end of its hold, and not beyond now.
#[test]
fn a_held_sample_lives_on_beyond_the_newest_slice() {
    let case = Case::new();
    case.ingest_rows(
        "gauges",
        "time,service,name,source,value\n2026-05-05T09:50:00Z,x,alive,d,1\n2026-05-05T10:00:00Z,x,alive,d,1\n",
    );
    let source =
        "{thresholdMetric: {metricSource: {type: nines/gauge, spec: {name: alive, hold: 10m, noData: error}}}}";
    run(&mut case.apply(&slo(source, ROLLING, "{op: gte, value: 1, target: 0.99}")));
    let report = "SELECT slo, slo_error_time, failures FROM report('2026-05-05 10:00', '2026-05-05 10:10')";
    assert_eq!(case.rows(report), ["1.0,0.0,0"]);
    // In the middle of the hold the rest is not known yet.
    let early = "SELECT state, count(*) FROM slices('2026-05-05 10:00', '2026-05-05 10:10') GROUP BY 1 ORDER BY 1";
    let text = run(case.nines(&["sql", "--format", "csv", early]).env("NINES_NOW", "2026-05-05T10:04:30Z"));
    assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), ["no data,6", "ok,4"]);
    case.ingest_rows("gauges", "time,service,name,source,value\n2026-05-05T10:10:00Z,other,x,d,1\n");
    assert_eq!(case.rows(report), ["1.0,0.0,0"]);
    assert_eq!(case.rows(&report.replace("10:10", "10:12")), ["0.8333333333333334,120.0,1"]);
}

#[test]
fn lost_telemetry_of_an_open_incident_reaches_to_now() {
    let case = Case::new();
    case.minutes("2026-05-05T00:00:00Z", 600, |_| false);
    run(&mut case.apply(&events(ROLLING, "5m")));
    run(&mut case.nines(&["incident", "A", "--started", "2026-05-05 09:52", "--telemetry-lost=true"]));
    let report = "SELECT slo_error_time, availability FROM report('2026-05-05', '2026-05-06')";
    let at = |now: &str| run(case.nines(&["sql", "--format", "csv", report]).env("NINES_NOW", now));
    // From 09:50 on, the slice that it touches first.
    assert_eq!(at("2026-05-05T12:00:00Z").lines().nth(1), Some("7800.0,0.8194444444444444"));
    assert_eq!(at("2026-05-05T12:01:00Z").lines().nth(1), Some("8100.0,0.8137931034482758"));
    assert_eq!(case.rows(report)[0].split(',').next(), Some("51000.0"));
}

/// An exclusion takes out stored slices, of wider slices, too.
#[test]
fn an_exclusion_takes_the_outage_out_of_wider_slices() {
    let case = Case::new();
    case.minutes("2026-05-05T00:00:00Z", 1440, |minute| (602..662).contains(&minute));
    run(&mut case.apply(&events(ROLLING, "5m")));
    let report = "SELECT slo_error_time, failures, measured_seconds(timeline), good, total
                  FROM report('2026-05-05', '2026-05-06') AS r JOIN timelines('2026-05-05', '2026-05-06') AS t
                  ON t.objective = r.objective";
    assert_eq!(case.rows(report), ["3900.0,1,86400.0,1380,1440"]);
    // Two that touch, inside a stored slice, are one.
    for (from, to) in [("10:02", "10:30:30"), ("10:30:30", "11:02")] {
        let range = [format!("2026-05-05 {from}"), format!("2026-05-05 {to}")];
        let done = case.nines(&["exclude", &range[0], &range[1], "--category", "M", "--reason", "m"]).output().unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(
            done.status.success() && said.contains("cuts the stored slices of 60 s from 2026-05-05 10:30:00Z to"),
            "{said}"
        );
    }
    // 10:05 to 11:00 is gone, the slices at both ends are judged by what is left of them.
    assert_eq!(case.rows(report), ["0.0,0,83100.0,1380,1380"]);
    let states = "SELECT time, good, total, state FROM slices('2026-05-05 10:00', '2026-05-05 10:10')";
    assert_eq!(case.rows(states), ["2026-05-05T10:00:00Z,2,2,ok", "2026-05-05T10:05:00Z,0,5,excluded"]);
}

/// An hour across midnight, of UTC or of the zone, belongs to the day in which it begins: to one day, and to one alone.
#[test]
fn days_in_zones_of_half_hours_share_no_hour_and_lose_none() {
    let of = |window: &str, slice: &str| {
        let case = Case::new();
        // Outages at 23:40 and 00:10 in Kolkata, and at 23:50 UTC.
        case.minutes("2026-05-04T00:00:00Z", 4 * 1440, |minute| [1090, 2560, 2870].contains(&minute));
        run(&mut case.apply(&events(window, slice)));
        case
    };
    let days = "SELECT seconds FROM (
                  SELECT 1 AS day, error_seconds(timeline) AS seconds FROM timelines('2026-05-04', '2026-05-05')
                  UNION ALL SELECT 2, error_seconds(timeline) FROM timelines('2026-05-05', '2026-05-06')
                  UNION ALL SELECT 3, error_seconds(timeline) FROM timelines('2026-05-06', '2026-05-07')) ORDER BY day";
    let clipped = "SELECT error_seconds(clip(timeline, '2026-05-04', '2026-05-06')), error_seconds(clip(timeline, '2026-05-06', '2026-05-08'))
                   FROM timelines('2026-05-04', '2026-05-08')";
    for (window, utc, kolkata, both) in [
        (ROLLING.to_string(), ["3600.0", "7200.0", "0.0"], ["3600.0", "3600.0", "3600.0"], "7200.0,3600.0"),
        (
            calendar("Asia/Kolkata", "00:00:00"),
            ["3600.0", "7200.0", "0.0"],
            ["3600.0", "0.0", "7200.0"],
            "3600.0,7200.0",
        ),
    ] {
        let case = of(&window, "1h");
        // Once counted, once as it was kept.
        for _ in 0..2 {
            assert_eq!(case.rows(days), utc, "{window}");
            assert_eq!(case.query_in("Asia/Kolkata", days), kolkata, "{window}");
            assert_eq!(case.query_in("Asia/Kolkata", clipped), [both], "{window}");
        }
    }
    let first = "SELECT min(time) FROM slices('2026-05-05', '2026-05-06')";
    // From the calendar's time of day.
    let case = of(&calendar("Asia/Kolkata", "06:10:00"), "1h");
    assert_eq!(case.rows(first), ["2026-05-05T00:40:00Z"]);
    // Whole days of the zone, from six in the morning: 24 hours from 00:30 UTC.
    let case = of(&calendar("Asia/Kolkata", "06:00:00"), "1d");
    assert_eq!(
        case.rows("SELECT time, good, total, state FROM slices('2026-05-05', '2026-05-08') ORDER BY time"),
        [
            "2026-05-05T00:30:00Z,1438,1440,ok",
            "2026-05-06T00:30:00Z,1440,1440,ok",
            "2026-05-07T00:30:00Z,1410,1410,no data"
        ]
    );
}

#[test]
fn slices_that_do_not_divide_every_day_of_the_zone_are_refused() {
    let case = Case::new();
    for (zone, slice, widest) in
        [("America/New_York", "2h", "1 h"), ("Europe/Berlin", "1d", "1 h"), ("Australia/Lord_Howe", "1h", "30 min")]
    {
        let said = fails(1, &mut case.apply(&events(&calendar(zone, "00:00:00"), slice)));
        assert!(
            said.contains(&format!("do not divide every day of {zone}, where clocks change; as {widest} or less do")),
            "{said}"
        );
    }
    for (zone, slice) in [("America/New_York", "1h"), ("Australia/Lord_Howe", "30m"), ("Asia/Kolkata", "1d")] {
        run(&mut case.apply(&events(&calendar(zone, "00:00:00"), slice)));
    }
}

/// An hour of which half is stored says nothing yet.
#[test]
fn a_slice_that_is_not_over_is_no_data() {
    let case = Case::new();
    case.minutes("2026-05-05T08:00:00Z", 150, |minute| [61, 121].contains(&minute));
    run(&mut case.apply(&events(ROLLING, "1h")));
    let slices = "SELECT time, total, state FROM slices('2026-05-05 08:00', '2026-05-05 12:00') ORDER BY time";
    assert_eq!(
        case.rows(slices),
        [
            "2026-05-05T08:00:00Z,60,ok",
            "2026-05-05T09:00:00Z,60,error",
            "2026-05-05T10:00:00Z,30,no data",
            "2026-05-05T11:00:00Z,0,no data"
        ]
    );
    let report = "SELECT slo, slo_error_time FROM report('2026-05-05', '2026-05-06')";
    assert_eq!(case.rows(report), ["0.5,3600.0"]);
}

/// The mean of whole lengths, not the sum of means over different incidents; open ones count among neither.
#[test]
fn incidents_have_a_mean_of_their_whole_lengths() {
    let case = Case::new();
    case.ingest_rows(
        "events",
        "time,service,name,good,total\n2026-11-01T00:00:00Z,x,e,1,1\n2026-11-27T00:00:00Z,x,e,1,1\n",
    );
    run(&mut case.apply(&events(ROLLING, "1m")));
    let incident = |id: &str, times: &[(&str, &str)]| {
        let mut command = case.nines(&["incident", id, "--service", "x"]);
        times.iter().for_each(|(phase, time)| {
            command.args([format!("--{phase}"), format!("2026-11-{time}")]);
        });
        run(&mut command);
    };
    incident(
        "A",
        &[("started", "02 09:00"), ("detected", "02 09:10"), ("fixed", "02 10:00"), ("verified", "02 10:05")],
    );
    incident(
        "B",
        &[
            ("started", "09 09:00"),
            ("detected", "09 09:02"),
            ("located", "09 09:05"),
            ("fixed", "09 09:30"),
            ("verified", "09 09:35"),
        ],
    );
    let figures =
        "SELECT incidents, mtti, mttk, mttf, mttv, incident_mttr, mtti_n, mttk_n, mttf_n, mttv_n, incident_mttr_n
                   FROM report('2026-11-01', '2026-12-01', 'service')";
    assert_eq!(case.rows(figures), ["2,360.0,180.0,1500.0,300.0,3000.0,2,1,1,2,2"]);
    // One that is fixed and not verified ended then; one that is open did not.
    incident("C", &[("started", "12 00:00"), ("fixed", "12 00:10")]);
    incident("D", &[("started", "20 00:00"), ("detected", "20 00:01")]);
    assert_eq!(case.rows(figures), ["4,260.0,180.0,1500.0,300.0,2200.0,3,1,1,2,3"]);
    // It belongs to the range in which it started.
    let of_day = figures.replace("'2026-11-01', '2026-12-01'", "'2026-11-02 09:30', '2026-11-09'");
    assert_eq!(case.rows(&of_day), ["0,,,,,,0,0,0,0,0"]);
}

//! Three months of probes of a computing centre's sites: failures and error time are what the probes' own service
//! published, and what a walk from minute to minute finds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::{nines, query, run, shared};

/// In minutes, as in `data/public/upptime.yaml`.
const HOLD: i64 = 11 * 60;
/// A state that is not known fails the load.
const SELECT: &str = "
    SELECT commit_unix AS time, slug AS service, 'up' AS name,
           CASE WHEN subject_state IN ('up', 'degraded') THEN 1 WHEN subject_state = 'down' THEN 0 END AS value
    FROM input WHERE subject_state <> ''";
const RANGE: &str = "'2026-05-10', '2026-08-11'";
/// The end of the range, in minutes since 1970. The last probes came on the day before.
const END: i64 = 20_676 * 24 * 60;

/// What was published: site, failures, minutes in error.
const PUBLISHED: [(&str, f64, f64); 3] = [
    ("access-registry-technical-endpoint", 35.0, 1336.0),
    ("curc-statuspage-alpine-component", 36.0, 5661.0),
    ("curc-data-transfer-node-ssh-tcp-reachability", 1.0, 565.0),
];
/// Seconds that a probe lies after its minute began, at both ends of a failure.
const TOLERANCE: f64 = 2.0;

#[derive(Debug, Default, PartialEq)]
struct Site {
    failures: usize,
    errors: BTreeSet<i64>,
    measured: usize,
}

/// Walks minute by minute to the end of the range: what the last probe said stands, unless it is too long ago.
fn naive(probes: &str) -> BTreeMap<String, Site> {
    let mut lines = probes.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let place = |name: &str| header.iter().position(|column| *column == name).unwrap();
    let (time, slug, state) = (place("commit_unix"), place("slug"), place("subject_state"));
    let mut said: BTreeMap<String, BTreeMap<i64, bool>> = BTreeMap::new();
    for line in lines.filter(|line| !line[state].is_empty()) {
        let minute = line[time].parse::<i64>().unwrap() / 60;
        said.entry(line[slug].to_string()).or_default().insert(minute, line[state] == "up");
    }
    let walk = |probes: BTreeMap<i64, bool>| {
        let mut site = Site::default();
        let (mut last, mut is_failing) = (None, false);
        for minute in *probes.keys().next().unwrap()..END {
            last = probes.get(&minute).map(|up| (minute, *up)).or(last);
            let Some((_, up)) = last.filter(|(at, _)| minute - at < HOLD) else { continue };
            site.measured += 1;
            site.failures += usize::from(!up && !is_failing);
            is_failing = !up;
            if !up {
                site.errors.insert(minute);
            }
        }
        site
    };
    said.into_iter().map(|(slug, probes)| (slug, walk(probes))).collect()
}

/// The published minutes down by site and UTC day.
fn summary(json: &str) -> BTreeMap<(String, String), f64> {
    let mut found = BTreeMap::new();
    let mut slug = String::new();
    // It is printed with a field on each line.
    for line in json.lines() {
        let Some((name, value)) = line.trim().trim_end_matches(',').split_once(": ") else { continue };
        match name.trim_matches('"') {
            "slug" => slug = value.trim_matches('"').to_string(),
            day if day.starts_with("20") => {
                found.insert((slug.clone(), day.to_string()), value.parse().unwrap());
            }
            _ => {}
        }
    }
    found
}

fn number(text: &str) -> f64 {
    text.parse().unwrap()
}

/// All probes with their objectives.
pub fn store() -> Option<(tempfile::TempDir, PathBuf)> {
    let (scratch, store, _) = loaded(&shared("upptime-curc")?);
    Some((scratch, store))
}

/// The store, and what the probes say of the sites that have an objective.
fn loaded(folder: &Path) -> (tempfile::TempDir, PathBuf, BTreeMap<String, Site>) {
    let scratch = tempfile::tempdir().unwrap();
    let store = scratch.path().join("store");
    let probes = folder.join("probes.tsv");
    run(nines().arg("--store").arg(&store).args(["ingest", "gauges"]).arg(&probes).args(["--select", SELECT]));
    let definitions = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/public/upptime.yaml");
    run(nines().arg("--store").arg(&store).arg("apply").arg(definitions));
    let mut sites = naive(&fs::read_to_string(probes).unwrap());
    // Five sites were probed once, before the list of sites was final.
    sites.retain(|_, site| site.measured as i64 > HOLD);
    (scratch, store, sites)
}

#[test]
fn failures_error_time_and_mttr_are_as_published() {
    let Some(folder) = shared("upptime-curc") else { return };
    let (_scratch, store, sites) = loaded(&folder);
    assert_eq!(sites.len(), 11);
    let sql = format!(
        "SELECT objective, failures, slo_error_time / 60, coalesce(mttr, 0) / 60, availability
         FROM report({RANGE}, 'objective')"
    );
    let mut report = BTreeMap::new();
    for row in query(&store, &sql) {
        let cells: Vec<&str> = row.split(',').collect();
        let (failures, minutes) = (number(cells[1]), number(cells[2]));
        let site = &sites[cells[0]];
        assert_eq!((failures, minutes), (site.failures as f64, site.errors.len() as f64), "{row}");
        assert_eq!(number(cells[4]), 1.0 - minutes / site.measured as f64, "{row}");
        report.insert(cells[0].to_string(), (failures, minutes, number(cells[3])));
    }
    assert_eq!(report.len(), sites.len());
    for (site, failures, minutes) in PUBLISHED {
        let (ours, error, mttr) = report[site];
        assert_eq!(ours, failures, "{site}");
        assert!((error - minutes).abs() <= TOLERANCE, "{site}: {error} minutes, published {minutes}");
        assert!((mttr - minutes / failures).abs() <= TOLERANCE, "{site}: MTTR {mttr}");
    }
    // One by one they are the same failures.
    let sql = format!("SELECT scope, count(*), sum(seconds) / 60 FROM failures({RANGE}) GROUP BY scope ORDER BY scope");
    let expected = report.iter().filter(|(_, (failures, ..))| *failures > 0.0);
    let expected: Vec<String> =
        expected.map(|(site, (failures, minutes, _))| format!("{site},{failures},{minutes:?}")).collect();
    assert_eq!(query(&store, &sql), expected);
}

#[test]
fn day_totals_are_as_published() {
    let Some(folder) = shared("upptime-curc") else { return };
    let (_scratch, store, sites) = loaded(&folder);
    let sql = format!(
        "SELECT objective, CAST(day AS DATE), date_part('epoch', day), error_seconds(clip(timeline, day, day + interval '1 day')) / 60 AS minutes
         FROM (SELECT objective, timeline,
                      unnest(generate_series(DATE '2026-05-10', DATE '2026-08-10', interval '1 day')) AS day
               FROM timelines({RANGE}))"
    );
    let mut ours = BTreeMap::new();
    for row in query(&store, &sql) {
        let cells: Vec<&str> = row.split(',').collect();
        let (midnight, minutes) = (number(cells[2]) as i64 / 60, number(cells[3]));
        let naive = sites[cells[0]].errors.range(midnight..midnight + 24 * 60).count();
        assert_eq!(minutes, naive as f64, "{row}");
        if naive > 0 {
            ours.insert((cells[0].to_string(), cells[1].to_string()), minutes);
        }
    }
    let published = summary(&fs::read_to_string(folder.join("summary.json")).unwrap());
    assert_eq!(published.len(), 144);
    let either: BTreeSet<_> = published.keys().chain(ours.keys()).collect();
    let agrees = |key: &&(String, String)| {
        let minutes = |of: &BTreeMap<_, f64>| of.get(*key).copied().unwrap_or(0.0);
        (minutes(&published) - minutes(&ours)).abs() <= TOLERANCE
    };
    let (agree, differ): (Vec<_>, Vec<_>) = either.into_iter().partition(agrees);
    assert_eq!((agree.len(), differ.len()), (142, 17), "{differ:?}");
    // One site's summary disagrees with its own probes; the last day was not over when the summary was written.
    let is_known = |(site, day): &&&(String, String)| site == "access-website-public-webpage" || day == "2026-08-10";
    assert_eq!(differ.iter().filter(is_known).count(), 17, "{differ:?}");
}

//! The recipes of `docs/sources.md` for monitors, incidents, calendars and deploys: what the page types gives the figures of a walk
//! over the exports from minute to minute, and exports that come again, or longer, say what they say alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use chrono::{DateTime, NaiveDateTime};
use serde_json::Value;

use crate::readme::{blocks, shell};
use crate::{query, run};

/// The page from the first of these recipes on.
fn recipes() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sources.md");
    let page = fs::read_to_string(page).unwrap();
    let start = page.find("\n## Uptime monitors").unwrap();
    page[start..].to_string()
}

/// A folder in which commands of the page run.
struct Place {
    folder: tempfile::TempDir,
    page: String,
}

impl Place {
    fn new() -> Self {
        Place { folder: tempfile::tempdir().unwrap(), page: recipes() }
    }

    /// All of the page, typed.
    fn typed() -> Self {
        let place = Place::new();
        place.type_blocks("");
        place
    }

    /// Types the blocks in which a text stands.
    fn type_blocks(&self, with: &str) {
        let found = blocks(&self.page).into_iter().filter(|(language, text)| *language == "sh" && text.contains(with));
        let ran: Vec<String> = found.map(|(_, text)| run(&mut shell(self.folder.path(), text, None))).collect();
        assert!(!ran.is_empty(), "{with}");
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    /// All that a store holds, sorted.
    fn rows(&self, store: &str) -> BTreeMap<&'static str, BTreeSet<String>> {
        let tables = ["gauges", "incidents", "exclusions", "annotations"];
        let rows = |table| query(&self.path(store), &format!("SELECT * FROM {table}")).into_iter().collect();
        tables.into_iter().map(|table| (table, rows(table))).collect()
    }
}

/// The stores of the page.
const STORES: [&str; 7] = ["probes", "upptime", "incidents", "opsgenie", "incident-io", "statuspage", "calendar"];

/// Checks of one service: at which second, and how it was.
type Checks = BTreeMap<i64, f64>;

/// Of each minute that is known, whether it is in error: what the last check up to its end said, held from the minute of the check on.
fn walk(checks: &Checks, hold: i64, least: f64, excluded: &[(i64, i64)], end: i64) -> BTreeMap<i64, bool> {
    let first = *checks.keys().next().unwrap() / 60;
    let last = (*checks.keys().last().unwrap() / 60 + hold).min(end / 60);
    let mut minutes = BTreeMap::new();
    for minute in first..last {
        let (start, over) = (minute * 60, (minute + 1) * 60);
        if excluded.iter().any(|(from, to)| *from <= start && over <= *to) {
            continue;
        }
        let Some((at, value)) = checks.range(..over).next_back() else { continue };
        if minute < at / 60 + hold {
            minutes.insert(minute, *value < least);
        }
    }
    minutes
}

/// The same of an objective of a store.
fn minutes(place: &Place, store: &str, objective: &str) -> BTreeMap<i64, bool> {
    let sql = format!(
        "SELECT CAST(to_unixtime(time) AS BIGINT) / 60, state FROM slices('2026-10-14', '2026-10-15')
         WHERE objective = '{objective}' AND state IN ('ok', 'error')"
    );
    let minute = |row: String| {
        let (minute, state) = row.split_once(',').unwrap();
        (minute.parse().unwrap(), state == "error")
    };
    query(&place.path(store), &sql).into_iter().map(minute).collect()
}

/// Seconds since 1970.
fn at(text: &str) -> i64 {
    match DateTime::parse_from_rfc3339(text) {
        Ok(at) => at.timestamp(),
        Err(_) => NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").unwrap().and_utc().timestamp(),
    }
}

/// 15 October 2026.
const MIDNIGHT: i64 = 1_792_022_400;

#[test]
fn minutes_of_monitors_are_those_of_a_walk_over_their_checks() {
    assert_eq!(at("2026-10-15T00:00:00Z"), MIDNIGHT);
    let place = Place::typed();

    let (mut checks, mut maintained): (BTreeMap<String, Checks>, Vec<i64>) = Default::default();
    for line in place.read("heartbeats.csv").lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let time = at(cells[1].trim_matches('"'));
        match cells[2] {
            "3" => maintained.push(time),
            status => {
                let value = f64::from(u8::from(status == "1"));
                checks.entry(cells[0].to_string()).or_default().insert(time, value);
            }
        }
    }
    assert_eq!((checks.len(), maintained.len()), (2, 2));
    // From the first such check to the next that is none, which is the shop's at 12:07.
    let until = *checks["shop"].range(maintained[1]..).next().unwrap().0;
    for (service, checks) in &checks {
        let excluded: Vec<_> = (service == "shop").then_some((maintained[0], until)).into_iter().collect();
        let expected = walk(checks, 6, 1.0, &excluded, MIDNIGHT);
        assert_eq!(minutes(&place, "probes", &format!("{service}-up")), expected, "{service}");
    }

    let results = place.json("gatus.json")[0]["results"].clone();
    let check = |result: &Value| {
        let value = f64::from(u8::from(result["success"].as_bool().unwrap()));
        (at(result["timestamp"].as_str().unwrap()), value)
    };
    let checks: Checks = results.as_array().unwrap().iter().map(check).collect();
    assert_eq!(minutes(&place, "probes", "core_search-up"), walk(&checks, 6, 1.0, &[], MIDNIGHT));

    let samples = place.read("probes.txt");
    let sample = |line: &str| {
        let cells: Vec<&str> = line.rsplitn(3, ' ').collect();
        (cells[0].parse::<i64>().unwrap() / 1000, cells[1].parse().unwrap())
    };
    let checks: Checks = samples.lines().map(sample).collect();
    assert_eq!(minutes(&place, "probes", "cart-up"), walk(&checks, 6, 1.0, &[], MIDNIGHT));

    let commits = place.read("upptime.tsv");
    let commit = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let states = [(" is up (", 1.0), (" is degraded (", 0.5), (" is down (", 0.0)];
        let state = states.into_iter().find(|(words, _)| cells[2].contains(words))?;
        Some((cells[0].parse().unwrap(), state.1))
    };
    let checks: Checks = commits.lines().skip(1).filter_map(commit).collect();
    let excluded = [(at("2026-10-14T12:40:00Z"), at("2026-10-14T13:00:00Z"))];
    for (objective, least) in [("www-1", 1.0), ("www-0.5", 0.5)] {
        let expected = walk(&checks, 25 * 60, least, &excluded, MIDNIGHT);
        assert_eq!(minutes(&place, "upptime", objective), expected, "{objective}");
    }
}

#[test]
fn the_same_exports_again_change_nothing() {
    let place = Place::typed();
    let before: Vec<_> = STORES.iter().map(|store| place.rows(store)).collect();
    assert!(before.iter().all(|tables| tables.values().any(|rows| !rows.is_empty())));
    place.type_blocks(" ingest ");
    // The same rows in another file are no batch that is known.
    for file in [
        "heartbeats.csv",
        "upptime.tsv",
        "gatus.json",
        "pagerduty.json",
        "statuspage.json",
        "maintenance.ics",
        "releases.json",
    ] {
        place.write(file, &(place.read(file) + "\n"));
    }
    place.type_blocks(" ingest ");
    for (store, before) in STORES.iter().zip(before) {
        assert_eq!(place.rows(store), before, "{store}");
    }
}

#[test]
fn heartbeats_that_come_longer_and_longer_are_those_of_the_longest() {
    let place = Place::new();
    place.type_blocks("cat > heartbeats.csv");
    let all = place.read("heartbeats.csv");
    let lines: Vec<&str> = all.lines().collect();
    for end in 2..=lines.len() {
        place.write("heartbeats.csv", &(lines[..end].join("\n") + "\n"));
        // There is no objective here, and the page asks for none in this block but by name.
        place.type_blocks("ingest gauges heartbeats.csv");
    }
    let alone = Place::new();
    alone.type_blocks("cat > heartbeats.csv");
    alone.type_blocks("ingest gauges heartbeats.csv");
    assert_eq!(place.rows("probes"), alone.rows("probes"));
    assert_eq!(alone.rows("probes")["exclusions"].len(), 1);
}

#[test]
fn incidents_that_were_open_are_closed_by_a_later_export() {
    let place = Place::new();
    for (file, ingest, store, open) in [
        ("pagerduty.json", "ingest incidents pagerduty.json", "incidents", "\"resolved_at\": \"2026-10-14T12:31:00Z\""),
        (
            "statuspage.json",
            "ingest incidents statuspage.json",
            "statuspage",
            "\"resolved_at\": \"2026-10-14T14:45:00.000+02:00\"",
        ),
    ] {
        place.type_blocks(&format!("cat > {file}"));
        let whole = place.read(file);
        assert_eq!(whole.matches(open).count(), 1, "{file}");
        place.write(file, &whole.replace(open, "\"resolved_at\": null"));
        place.type_blocks(ingest);
        let column = if store == "incidents" { "fixed" } else { "verified" };
        let closed = format!("SELECT count({column}) FROM incidents");
        let before: u32 = query(&place.path(store), &closed)[0].parse().unwrap();
        place.write(file, &whole);
        place.type_blocks(ingest);
        assert_eq!(query(&place.path(store), &closed), [(before + 1).to_string()], "{store}");
        assert_eq!(place.rows(store), Place::typed_only(&[&format!("cat > {file}"), ingest]).rows(store), "{store}");
    }
}

impl Place {
    fn typed_only(with: &[&str]) -> Self {
        let place = Place::new();
        with.iter().for_each(|with| place.type_blocks(with));
        place
    }
}

/// Runs a block of commands of other programs that the page shows; false, said aloud, if a program is not there.
fn ran(place: &Place, program: &str, with: &str) -> bool {
    if Command::new(program).arg("--version").output().is_err() {
        eprintln!("skipped: there is no {program}");
        return false;
    }
    let blocks = blocks(&place.page);
    let (_, text) = blocks.iter().find(|(language, text)| *language == "console" && text.contains(with)).unwrap();
    // Of the last command somebody's own access is needed.
    let text = text.split("gh issue list").next().unwrap();
    run(&mut shell(place.folder.path(), text, None));
    true
}

#[test]
fn a_database_of_uptime_kuma_is_exported_as_the_page_shows() {
    let place = Place::new();
    place.type_blocks("cat > heartbeats.csv");
    let shown = place.read("heartbeats.csv");
    let mut sql = "CREATE TABLE monitor (id INTEGER PRIMARY KEY, name VARCHAR(150), interval INTEGER NOT NULL DEFAULT 20);
         CREATE TABLE heartbeat (id INTEGER PRIMARY KEY, important BOOLEAN, monitor_id INTEGER, status SMALLINT, msg TEXT, time DATETIME,
                                 ping INTEGER, duration INTEGER, down_count INTEGER);
         INSERT INTO monitor (id, name) VALUES (1, 'shop'), (2, 'blog');\n"
        .to_string();
    for line in shown.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let (id, time) = (1 + u8::from(cells[0] == "blog"), cells[1].trim_matches('"'));
        sql += &format!("INSERT INTO heartbeat (monitor_id, status, time) VALUES ({id}, {}, '{time}');\n", cells[2]);
    }
    let made = Command::new("sqlite3").arg(place.path("kuma.db")).arg(sql).output();
    if made.is_ok_and(|made| made.status.success()) && ran(&place, "sqlite3", "sqlite3") {
        assert_eq!(place.read("heartbeats.csv").replace('\r', ""), shown);
    }
}

#[test]
fn a_repository_of_upptime_is_exported_as_the_page_shows() {
    let place = Place::new();
    place.type_blocks("upptime.tsv\ncat > issues.json");
    let shown = place.read("upptime.tsv");
    let mut script =
        "git init --quiet . && mkdir history && git config user.name upptime && git config user.email u@example.org\n"
            .to_string();
    for line in shown.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let (time, slug, subject) = (cells[0], cells[1], cells[2]);
        script += &format!(
            "echo {time} > history/{slug}.yml; git add history; GIT_AUTHOR_DATE='{time} +0000' GIT_COMMITTER_DATE='{time} +0000' \
             git commit --quiet --no-gpg-sign -m '{subject}'\n"
        );
    }
    if Command::new("git").arg("--version").output().is_ok() {
        run(&mut shell(place.folder.path(), &script, None));
        assert!(ran(&place, "git", "git log"));
        assert_eq!(place.read("upptime.tsv"), shown);
    }
}

#[test]
fn a_document_without_counts_says_how_it_is_ingested() {
    let place = Place::new();
    place.type_blocks("cat > gatus.json");
    let select = "SELECT result['timestamp'] AS time, key AS service, 'up' AS name, 1 AS value FROM (SELECT key, unnest(results) AS result FROM input)";
    let mut command = crate::nines();
    command.current_dir(place.folder.path()).args(["ingest", "gauges", "gatus.json", "--select", select]);
    let said = crate::fails(1, &mut command);
    assert!(
        said.starts_with("error: gatus.json: what was added to a document cannot be told from what was there"),
        "{said}"
    );
    assert!(said.contains("--aggregates") && said.contains("jq -c"), "{said}");
    let mut plain = crate::nines();
    plain.current_dir(place.folder.path()).args(["ingest", "exclusions", "maintenance.ics"]);
    place.type_blocks("cat > maintenance.ics");
    let said = crate::fails(1, &mut plain);
    assert!(said.contains("somebody must say what its events mean") && said.contains("--select"), "{said}");
}

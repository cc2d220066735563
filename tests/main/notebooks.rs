//! Notebooks on stores of all sorts: pages without an error, parameters, reports for owners.

use std::fs;
use std::path::{Path, PathBuf};

use crate::demo::demo_store;
use crate::{fails, nezha, nines, query, run, upptime};

const NOTEBOOKS: [&str; 6] = ["company", "business", "feature", "weekly", "review", "incident"];

/// Runs a notebook; the page it wrote.
fn page(store: &Path, name: &str, parameters: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    let mut command = nines();
    command.arg("--store").arg(store).args(["run", name, "-o"]).arg(&file);
    for parameter in parameters {
        command.args(["--param", parameter]);
    }
    assert_eq!(run(&mut command), "");
    fs::read_to_string(file).unwrap()
}

/// A page for a browser must be one file without an error, and show data.
fn is_whole(page: &str) {
    let failed: Vec<&str> =
        page.split("role=\"alert\">").skip(1).map(|rest| rest.split("</div>").next().unwrap()).collect();
    assert!(failed.is_empty(), "{failed:?}");
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    for fetched in ["src=\"http", "href=\"http", "url(http", "@import"] {
        assert!(!page.contains(fetched), "it fetches something: {fetched}");
    }
    assert!(page.contains("<svg") && page.contains("<tbody>"), "neither chart nor table");
}

fn notebook(folder: &Path, text: &str) -> PathBuf {
    let file = folder.join("own.md");
    fs::write(&file, text).unwrap();
    file
}

#[test]
fn every_notebook_renders_on_the_demo() {
    let (_folder, store) = demo_store();
    for name in NOTEBOOKS {
        is_whole(&page(&store, name, &[]));
    }
    for name in ["feature", "weekly", "incident"] {
        let chinese = page(&store, name, &["service=商城结算"]);
        is_whole(&chinese);
        assert!(chinese.contains("<h1>商城结算"));
    }
}

#[test]
fn every_notebook_renders_on_real_data() {
    let stores = [nezha::store(), upptime::store()];
    for (_folder, store) in stores.iter().flatten() {
        for name in NOTEBOOKS {
            let page = page(store, name, &[]);
            is_whole(&page);
            // Neither has requests: what has nothing to show is not there.
            assert!(!page.contains("Volume: requests per minute"));
        }
    }
}

#[test]
fn a_store_without_objectives_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let events = folder.path().join("events.csv");
    fs::write(&events, "time,name,good,total\n2026-10-01T00:00:00Z,paid,1,1\n").unwrap();
    run(nines().arg("--store").arg(&store).args(["ingest", "events", "--service", "a"]).arg(&events));
    let company = page(&store, "company", &[]);
    assert!(!company.contains("role=\"alert\"") && company.contains("No objective is defined"), "{company}");
    let said = fails(2, nines().arg("--store").arg(&store).args(["run", "feature"]));
    assert!(said.contains("service") && said.contains("nines apply"), "{said}");
}

#[test]
fn a_failing_cell_stands_in_its_place_and_the_rest_runs() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        "# Own\n\n```sql\nSELECT 1 AS first\n```\n\n```sql\nSELECT nothing\n```\n\n```sql\nSELECT 3 AS third\n```\n";
    let file = notebook(folder.path(), text);
    let out = folder.path().join("own.md.html");
    let said = fails(1, nines().args(["run"]).arg(&file).arg("-o").arg(&out));
    assert!(said.contains("a cell failed; the page shows which"), "{said}");
    let page = fs::read_to_string(&out).unwrap();
    assert!(page.contains("<th class=\"n\">first</th>") && page.contains("<th class=\"n\">third</th>"), "{page}");
    assert_eq!(page.matches("role=\"alert\"").count(), 1);
    assert!(page.contains("there is no column nothing"), "{page}");
    for format in ["md", "terminal"] {
        let done = nines().args(["run", "--format", format, "-o", "-"]).arg(&file).output().unwrap();
        let text = String::from_utf8(done.stdout).unwrap();
        assert_eq!(done.status.code(), Some(1));
        assert!(text.contains("there is no column nothing") && text.contains("third"), "{text}");
    }
}

#[test]
fn parameters_have_defaults_choices_and_later_ones_from_earlier_ones() {
    let folder = tempfile::tempdir().unwrap();
    let text = "---\ntitle: \"{{stage}} of {{period}}\"\nparameters:\n  period: {range: last month}\n  stage: {choices: [staging, production], \
                default: production}\n  twice: {query: \"SELECT $stage || $stage\"}\n---\n\n\
                ```sql name=one\nSELECT $stage AS stage, $twice AS twice, CAST($to AS DATE) - CAST($from AS DATE) AS days\n```\n\n\
                ```sql\nSELECT stage || '!' AS loud FROM one\n```\n";
    let file = notebook(folder.path(), text);
    let markdown = |given: &[&str]| {
        let mut command = nines();
        command.args(["run", "-o", "-", "--now", "2026-03-15T12:00:00Z"]).arg(&file);
        given.iter().for_each(|given| {
            command.args(["--param", given]);
        });
        run(&mut command)
    };
    let page = markdown(&[]);
    assert!(page.contains("# production of 2026-02") && page.contains("productionproduction"), "{page}");
    assert!(page.contains("| 28 |") && page.contains("| production\\! |"), "{page}");
    let page = markdown(&["stage=staging", "period=2024-02"]);
    assert!(page.contains("# staging of 2024-02") && page.contains("stagingstaging") && page.contains("29"), "{page}");

    let said = |given: &str| fails(2, nines().arg("run").arg(&file).args(["--param", given]));
    let choices = said("stage=live");
    assert!(choices.contains("staging") && choices.contains("production") && choices.contains("live"), "{choices}");
    let unknown = said("stag=staging");
    assert!(unknown.contains("stag") && unknown.contains("stage"), "{unknown}");
    let time = said("period=some time");
    assert!(time.contains("some time") && time.contains("last month"), "{time}");
}

#[test]
fn mistakes_are_told_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = notebook(folder.path(), "# Own\n\n```sql chart=pie\nSELECT 1\n```\n");
    let said = fails(2, nines().arg("run").arg(&file));
    assert!(said.contains("own.md:3:") && said.contains("pie") && said.contains("timeline"), "{said}");
    let said = fails(2, nines().args(["run", "compny"]));
    assert!(said.contains("company"), "{said}");
    let said = fails(2, nines().arg("--store").arg(folder.path().join("none")).args(["run", "company"]));
    assert!(said.contains("there is no store at"), "{said}");
    let own = notebook(folder.path(), "# Own\n\n```sql\nSELECT 1\n```\n");
    let said = fails(2, nines().arg("run").arg(&own).arg("-o").arg(folder.path().join("own.md")));
    assert!(
        said.contains("is the notebook itself") && fs::read_to_string(&own).unwrap().contains("SELECT 1"),
        "{said}"
    );
    let said = fails(2, nines().args(["run", "company", "-o", "company.pdf"]));
    assert!(said.contains(".html"), "{said}");
}

#[test]
fn every_owner_gets_a_report_and_the_index_lists_them() {
    let (folder, store) = demo_store();
    let pages = folder.path().join("pages");
    let log = folder.path().join("log");
    let exec = format!("f() {{ echo \"$NINES_REPORT $NINES_OWNER $(basename \"$1\")\" >> '{}'; }}; f", log.display());
    let mut command = nines();
    command.arg("--store").arg(&store).args(["report", "weekly", "--all", "-o"]).arg(&pages).args(["--exec", &exec]);
    run(&mut command);
    let owners = query(&store, "SELECT DISTINCT owner FROM slos ORDER BY owner");
    assert!(owners.len() > 2, "{owners:?}");
    let handed: Vec<String> = fs::read_to_string(&log).unwrap().lines().map(str::to_string).collect();
    assert_eq!(handed.len(), owners.len(), "{handed:?}");
    let index = fs::read_to_string(pages.join("index.html")).unwrap();
    for (owner, handed) in owners.iter().zip(&handed) {
        let file = handed.strip_prefix(&format!("weekly {owner} ")).unwrap();
        is_whole(&fs::read_to_string(pages.join(file)).unwrap());
        assert!(index.contains(owner.as_str()) && index.contains(&format!(">{owner}</a>")), "{owner}");
    }
    // A command that fails is told of; the other pages are made and handed on.
    let mut command = nines();
    command.arg("--store").arg(&store).args(["report", "weekly", "--all", "-o"]).arg(folder.path().join("again"));
    let said =
        fails(1, command.args(["--exec", &format!("test \"$NINES_OWNER\" != '{}'; test $? = 0 -a -f", owners[0])]));
    assert_eq!(said.matches("exit status").count(), 1, "{said}");
    assert_eq!(fs::read_dir(folder.path().join("again")).unwrap().count(), owners.len() + 1);
}

/// A year of a hundred objectives, one of which was in error for one minute.
#[test]
fn a_single_bad_minute_of_a_year_is_seen_and_found() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let (mut rows, mut definitions) = (String::from("time,service,name,good,total\n"), String::new());
    for day in 0..365_i64 {
        let at = 1_735_689_600 + day * 86_400;
        for objective in 0..100 {
            rows += &format!("{at},service {},event {objective},1000,1000\n", objective / 10);
        }
    }
    rows += "1752147480,service 4,event 42,0,7\n";
    for objective in 0..100 {
        definitions += &format!(
            "---\napiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: objective {objective}}}\nspec:\n  service: service {}\n  \
             indicator:\n    metadata: {{name: event {objective}}}\n    spec: {{ratioMetric: {{rawType: success, raw: {{metricSource: \
             {{type: nines/events, spec: {{name: event {objective}}}}}}}}}}}\n  timeWindow: [{{duration: 28d, isRolling: true}}]\n  \
             budgetingMethod: Timeslices\n  objectives: [{{target: 0.999, timeSliceTarget: 0.99, timeSliceWindow: 1m}}]\n",
            objective / 10
        );
    }
    let (events, objectives) = (folder.path().join("events.csv"), folder.path().join("objectives.yaml"));
    fs::write(&events, rows).unwrap();
    fs::write(&objectives, definitions).unwrap();
    run(nines().arg("--store").arg(&store).args(["ingest", "events"]).arg(&events));
    run(nines().arg("--store").arg(&store).arg("apply").arg(&objectives));
    let text = "---\ntitle: 2025\n---\n\n```sql chart=timeline\nSELECT objective, timeline FROM timelines('2025-01-01', '2026-01-01') \
                ORDER BY objective\n```\n\n```sql\nSELECT objective, slo_error_time, failures FROM report('2025-01-01', '2026-01-01')\n\
                ORDER BY objective\n```\n\n```sql\nSELECT objective, started, ended FROM failures('2025-01-01', '2026-01-01', 'objective')\n```\n";
    let file = notebook(folder.path(), text);
    let html = page(&store, file.to_str().unwrap(), &[]);
    is_whole(&html);
    assert!(html.len() < 2_000_000, "{} bytes", html.len());
    assert!(html.contains("<td>2025-07-10 11:38</td>"), "the table of failures");
    // Once for wide windows and once for narrow ones; the former tell what it was.
    assert_eq!(html.matches("class=\"t-error\"").count(), 2);
    assert_eq!(html.matches("objective 42\nerror 2025-07-10 11:38").count(), 1);
    let terminal = run(nines().arg("--store").arg(&store).arg("run").arg(&file));
    let strip = terminal.lines().filter(|line| line.contains("objective 42 ")).collect::<Vec<_>>();
    assert!(strip.iter().any(|line| line.matches('▄').count() == 1), "{strip:?}");
}

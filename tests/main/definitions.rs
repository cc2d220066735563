//! `nines apply`, what it refuses, and what is answered from what it recorded.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

use crate::{fails, nines, query, run, shared};

fn at(store: &Path) -> Command {
    let mut command = nines();
    command.arg("--store").arg(store);
    command
}

/// An SLO of one objective as YAML, its indicator a success ratio.
fn slo(name: &str, service: &str, source: &str, objective: &str) -> String {
    format!(
        "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: {name}}}\nspec:\n  service: {service}\n  indicator:\n    spec:\n      \
         ratioMetric:\n        rawType: success\n        raw: {{metricSource: {source}}}\n  budgetingMethod: Timeslices\n  \
         objectives: [{objective}]\n"
    )
}

const AVAILABILITY: &str = "{type: nines/availability}";

fn success(target: &str) -> String {
    slo("success", "login", AVAILABILITY, &format!("{{target: {target}, timeSliceTarget: 0.9}}"))
}

/// A folder with a store of requests: `login` on two whole days from 2026-10-01 and some of the third, 100 requests a
/// minute, of which 20 fail from 12:00 to 12:10 on each day.
struct Fixture {
    folder: tempfile::TempDir,
    store: PathBuf,
}

impl Fixture {
    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        Fixture { folder, store }
    }

    fn filled() -> Self {
        let fixture = Self::empty();
        let mut rows = "time,service,endpoint,status,requests\n".to_string();
        for minute in 0..2 * 1440 + 900 {
            let (time, bad) = (1_790_812_800 + minute * 60, if (720..730).contains(&(minute % 1440)) { 20 } else { 0 });
            rows += &format!("{time},login,/login,200,{}\n", 100 - bad);
            if bad > 0 {
                rows += &format!("{time},login,/login,500,{bad}\n");
            }
        }
        let file = fixture.write("rows.csv", &rows);
        run(at(&fixture.store).args(["ingest", "requests"]).arg(file));
        fixture
    }

    /// Requests, and objectives of several kinds over them.
    fn defined() -> Self {
        let fixture = Self::filled();
        let quick = slo("lenient", "login", AVAILABILITY, "{target: 0.9, timeSliceTarget: 0.5, timeSliceWindow: 5m}");
        fixture.apply(&(success("0.99") + "---\n" + &quick));
        fixture
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Applies a text as `a.yaml`, named without its folder.
    fn command(&self, text: &str) -> Command {
        self.write("a.yaml", text);
        let mut command = at(&self.store);
        command.current_dir(self.folder.path()).args(["apply", "a.yaml"]);
        command
    }

    fn apply(&self, text: &str) -> String {
        run(&mut self.command(text)).replace(self.store.to_str().unwrap(), "STORE")
    }

    fn query(&self, sql: &str) -> Vec<String> {
        query(&self.store, sql)
    }

    /// What every function says of the two days and the begun one.
    fn answers(&self) -> Vec<Vec<String>> {
        let questions = [
            "SELECT * FROM report('2026-10-01', '2026-10-04')",
            "SELECT * FROM report('2026-10-01', '2026-10-04', 'service')",
            "SELECT objective, availability(timeline), error_seconds(timeline), good, total FROM timelines('2026-10-01', '2026-10-04')",
            "SELECT * FROM failures('2026-10-01', '2026-10-04')",
            "SELECT * FROM culprits('2026-10-01', '2026-10-04')",
            "SELECT objective, state, count(*) FROM slices('2026-10-01', '2026-10-04') GROUP BY objective, state ORDER BY 1, 2",
            "SELECT * FROM review('2026-10-01', '2026-10-04')",
            "SELECT * FROM burn_alerts('2026-10-01', '2026-10-04') ORDER BY objective, factor, fired",
        ];
        let answers: Vec<Vec<String>> = questions.iter().map(|sql| self.query(sql)).collect();
        assert!(answers.iter().all(|rows| !rows.is_empty()), "{answers:?}");
        answers
    }
}

/// OpenSLO's files beside the project: those that must be refused, and those that must load.
fn openslo() -> Option<(PathBuf, Vec<PathBuf>, Vec<PathBuf>)> {
    fn files(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => files(&path, found),
                false if path.extension().is_some_and(|extension| extension == "yaml") => found.push(path),
                false => {}
            }
        }
    }
    let root = shared("openslo")?;
    let mut all = Vec::new();
    files(&root, &mut all);
    all.sort();
    // Of another version, with a field that is none, or about an SLI that is not there.
    let wrong = [
        "invalid-apiversion.yaml",
        "unknown-field.yaml",
        "v1_slo_invalid_sli.yaml",
        "inline/inputs/custom_config.yaml",
        "inline/outputs/custom_config.yaml",
    ];
    let is_wrong = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        text.contains("v1alpha") || text.contains("v2alpha") || wrong.iter().any(|name| path.ends_with(name))
    };
    let (refused, valid) = all.into_iter().partition(is_wrong);
    Some((root, refused, valid))
}

#[test]
fn every_valid_file_of_openslo_applies() {
    let Some((root, _, valid)) = openslo() else { return };
    assert!(valid.len() > 25, "{valid:#?}");
    let folder = tempfile::tempdir().unwrap();
    let mut known = HashSet::new();
    let mut together = Vec::new();
    for (number, file) in valid.iter().enumerate() {
        let store = folder.path().join(number.to_string());
        let told = run(at(&store).arg("apply").arg(file));
        let objects: Vec<String> = told
            .lines()
            .filter(|line| line.starts_with("new "))
            .map(|line| line.split("  since ever").next().unwrap().to_string())
            .collect();
        assert!(!objects.is_empty(), "{told}");
        assert_eq!(
            query(&store, "SELECT count(*) FROM definitions"),
            [objects.len().to_string()],
            "{}",
            file.display()
        );
        if objects.iter().all(|object| !known.contains(object)) {
            known.extend(objects);
            together.push(file);
        }
    }
    let store = folder.path().join("together");
    run(at(&store).arg("apply").args(&together));
    assert_eq!(query(&store, "SELECT count(*) FROM definitions"), [known.len().to_string()]);
    let again = run(at(&store).arg("apply").args(&together));
    assert!(again.contains("nothing: all of it is in force already"), "{again}");
    // Of files that repeat each other's objects the last one counts, and the first is named.
    let done = at(&folder.path().join("all")).current_dir(&root).arg("apply").arg("examples").output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success(), "{said}");
    assert!(
        said.contains(
            "warning: examples/treat-low-traffic-as-equally-important/timeslices-slo.yaml:1:1: SLO 'service-availability' stands \
             here again, before in examples/budgeting-method/timeslices-slo.yaml:2; the last one counts"
        ),
        "{said}"
    );
}

#[test]
fn every_other_file_of_openslo_is_refused_and_nothing_is_recorded() {
    let Some((_, refused, valid)) = openslo() else { return };
    assert!(refused.len() > 15, "{refused:#?}");
    let fixture = Fixture::empty();
    fixture.apply(&success("0.99"));
    let recorded = "SELECT kind, name, effective_from, sha256, applied_at FROM definitions";
    let before = fixture.query(recorded);
    let fresh = fixture.folder.path().join("fresh");
    for file in &refused {
        let said = fails(1, at(&fresh).arg("apply").arg(file));
        let place = said.strip_prefix(&format!("error: {}:", file.display())).unwrap_or_else(|| panic!("{said}"));
        let mut parts = place.split(':');
        assert!(
            parts.next().unwrap().parse::<usize>().is_ok() && parts.next().unwrap().parse::<usize>().is_ok(),
            "{said}"
        );
        assert!(!fresh.exists(), "{}", file.display());
        // One wrong file among right ones: all or nothing.
        fails(1, at(&fixture.store).arg("apply").arg(&valid[0]).arg(file));
    }
    assert_eq!(fixture.query(recorded), before);
}

#[test]
fn all_mistakes_of_all_files_come_in_one_run() {
    let fixture = Fixture::filled();
    let sql = |good: &str| format!("{{type: nines/sql, spec: {{from: requests, good: \"{good}\", total: requests}}}}");
    fs::create_dir_all(fixture.folder.path().join("slos/more")).unwrap();
    fixture.write("slos/a.yaml", &success("99.9"));
    fixture.write("slos/more/b.yml", &(success("0.9").replace("name: success", "name: b") + "  budget: 1\n"));
    fixture
        .write("slos/c.json", "{\"apiVersion\": \"openslo/v1\", \"kind\": \"Slo\", \"metadata\": {\"name\": \"c\"}}");
    fixture.write("slos/notes.txt", "not a definition");
    fixture.write("slos/.hidden.yaml", "not: a definition");
    let apply = |path: &str| fails(1, at(&fixture.store).current_dir(fixture.folder.path()).args(["apply", path]));
    let mut said = apply("slos");
    // What only the store can tell: which columns there are, and how wide its slices.
    let objective = "{target: 0.9, timeSliceTarget: 0.9}";
    let wrong = [
        slo("unknown", "login", &sql("requets"), objective),
        slo("summed", "login", &sql("sum(requests)"), objective),
        slo("float", "login", &sql("requests * 0.5"), objective),
        slo("text", "login", &sql("endpoint"), objective),
        slo("no-sql", "login", &sql("requests +"), objective),
        slo("narrow", "login", AVAILABILITY, "{target: 0.9, timeSliceWindow: 15s}"),
        slo("uneven", "login", AVAILABILITY, "{target: 0.9, timeSliceWindow: 90s}"),
    ];
    fixture.write("b.yaml", &wrong.join("---\n"));
    said += &apply("b.yaml");
    insta::assert_snapshot!(said);
    assert_eq!(fixture.query("SELECT * FROM definitions"), Vec::<String>::new());
    assert!(!fixture.store.join("definitions").exists());
}

#[test]
fn slices_fit_a_store_of_quarter_minutes() {
    let fixture = Fixture::empty();
    let rows = fixture.write("rows.csv", "time,service,status,requests\n1790812800,login,200,1\n");
    run(at(&fixture.store).args(["ingest", "requests", "--slice", "15s"]).arg(rows));
    let objective =
        |window: &str| slo("a", "login", AVAILABILITY, &format!("{{target: 0.9, timeSliceWindow: {window}}}"));
    assert!(fixture.apply(&objective("15s")).contains("recorded   1 definition"));
    assert!(fixture.apply(&objective("1m")).contains("changed"));
    let said = fails(1, &mut fixture.command(&objective("20s")));
    assert!(
        said.contains("a.yaml:1:1: slices of 20 s cannot be judged in this store, whose slices are of 15 s"),
        "{said}"
    );
}

#[test]
fn what_nines_has_no_use_for_is_recorded_with_a_warning() {
    let fixture = Fixture::empty();
    let text = slo("a", "login", "{type: Prometheus, spec: {query: up}}", "{target: 0.9, timeSliceWindow: 1m}")
        + "---\napiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: prometheus}\nspec: {type: Prometheus, \
           connectionDetails: {url: http://localhost}}\n"
        + "---\napiVersion: openslo/v1\nkind: Service\nmetadata: {name: login}\n".repeat(2).as_str();
    let done = fixture.command(&text).output().unwrap();
    assert!(done.status.success());
    let told = String::from_utf8(done.stderr).unwrap() + &String::from_utf8(done.stdout).unwrap();
    insta::assert_snapshot!(told.replace(fixture.store.to_str().unwrap(), "STORE"));
    assert_eq!(
        fixture.query("SELECT kind, name FROM definitions ORDER BY kind"),
        ["DataSource,prometheus", "SLO,a", "Service,login"]
    );
}

#[test]
fn applying_again_changes_nothing_and_a_dry_run_records_nothing() {
    let fixture = Fixture::empty();
    let told = run(fixture.command(&success("0.99")).arg("--dry-run"));
    assert!(
        told.contains("new        SLO      success  since ever  (a.yaml:1)\ndry run    1 definition would"),
        "{told}"
    );
    assert!(!fixture.store.exists());
    assert!(fixture.apply(&success("0.99")).ends_with("recorded   1 definition; version 1 of definitions in STORE\n"));
    let again = fixture.apply(&success("0.99"));
    assert_eq!(again, "unchanged  1 definition\nrecorded   nothing: all of it is in force already\n");
    let dry = run(fixture.command(&success("0.999")).arg("--dry-run"));
    assert!(dry.contains("changed    SLO      success  from "), "{dry}");
    assert_eq!(fixture.query("SELECT kind, name, count(*) FROM definitions GROUP BY kind, name"), ["SLO,success,1"]);
}

#[test]
fn a_comparison_shows_what_a_proposal_would_have_said() {
    let fixture = Fixture::defined();
    let compare = |text: &str| run(fixture.command(text).args(["--dry-run", "--compare", "2026-10-01", "2026-10-03"]));
    let undated = compare(&success("0.999"));
    let (planned, beside) = undated.split_once("would be recorded\n").unwrap();
    assert!(planned.contains("changed    SLO      success  from "), "{planned}");
    insta::assert_snapshot!(beside);
    // One that is dated after the range is a proposal like any other.
    let later =
        success("0.999").replace("{name: success}", "{name: success, annotations: {nines/effective-from: 2026-10-03}}");
    assert_eq!(compare(&later).split_once("would be recorded\n").unwrap().1, beside);
    let same = success("0.99").replace("kind: SLO", "kind: SLO # the same");
    assert!(compare(&same).ends_with("say the same of this range as those in force\n"));
    let stricter = success("0.99").replace("timeSliceTarget: 0.9", "timeSliceTarget: 0.5");
    assert!(compare(&stricter).contains("1200 ┆                   0"), "{}", compare(&stricter));
    assert!(compare(&stricter).contains("1 row"));
    assert_eq!(fixture.query("SELECT count(*) FROM definitions"), ["2"]);
}

#[test]
fn a_version_from_the_middle_of_a_day_leaves_what_was_before() {
    let fixture = Fixture::defined();
    let error_time =
        "SELECT error_seconds(timeline) FROM timelines('2026-10-01', '2026-10-03') WHERE objective = 'success'";
    assert_eq!(fixture.query(error_time), ["1200.0"]);
    let later = success("0.95")
        .replace("timeSliceTarget: 0.9", "timeSliceTarget: 0.5")
        .replace("{name: success}", "{name: success, annotations: {nines/effective-from: \"2026-10-02T12:03:00Z\"}}");
    assert!(fixture.apply(&later).contains("changed    SLO      success  from 2026-10-02 12:03:00Z"));
    assert_eq!(fixture.query(error_time), ["780.0"], "ten minutes of the first day and three of the second");
    let targets = "SELECT slice_target, min(time), count(*) FROM slices('2026-10-02', '2026-10-03')
                   WHERE objective = 'success' GROUP BY slice_target ORDER BY 2";
    assert_eq!(fixture.query(targets), ["0.9,2026-10-02T00:00:00Z,723", "0.5,2026-10-02T12:03:00Z,717"]);

    let slos = |arguments: &[&str]| run(at(&fixture.store).arg("slos").args(arguments));
    let at = |time: &str| {
        slos(&["--at", time]).lines().filter(|line| line.contains("success")).map(str::to_string).collect()
    };
    let (before, after): (Vec<String>, Vec<String>) = (at("2026-10-02 12:02:59"), at("2026-10-02 12:03"));
    assert!(before.len() == 1 && before[0].contains("0.99 ┆   0.9 "), "{before:?}");
    assert!(after.len() == 1 && after[0].contains("0.95 ┆   0.5 "), "{after:?}");
    assert_eq!(slos(&[]).matches(" login ").count(), 2);
    assert_eq!(slos(&["--service", "login"]), slos(&[]));
    let versions =
        "SELECT target, effective_from, effective_until FROM slos WHERE objective = 'success' ORDER BY target DESC";
    assert_eq!(fixture.query(versions), ["0.99,,2026-10-02T12:03:00Z", "0.95,2026-10-02T12:03:00Z,"]);
    let texts = "SELECT kind, name, length(sha256), text LIKE '%objectives%' FROM definitions WHERE name = 'success'";
    assert_eq!(fixture.query(texts), ["SLO,success,64,true", "SLO,success,64,true"]);
}

#[test]
fn baselines_are_the_quantiles_of_the_month_before() {
    let fixture = Fixture::empty();
    let mut rows = "time,service,endpoint,status,latency_seconds\n".to_string();
    for (month, seconds) in [("2026-08", "0.1"), ("2026-09", "0.2")] {
        (1..=9).for_each(|day| rows += &format!("{month}-{day:02}T10:00:00Z,login,/login,200,{seconds}\n"));
        rows += &format!("{month}-10T10:00:00Z,login,/login,200,9\n");
    }
    let rows = fixture.write("rows.csv", &rows);
    run(at(&fixture.store).args(["ingest", "requests"]).arg(rows));
    let source = "{type: nines/latency, spec: {quantile: 0.9, baseline: previous month}}";
    fixture.apply(&slo("quick", "login", source, "{target: 0.9}"));
    let baselines =
        "SELECT objective, service, month, quantile, round(threshold_seconds, 2) FROM baselines ORDER BY month";
    assert_eq!(fixture.query(baselines), ["quick,login,2026-08,0.9,", "quick,login,2026-09,0.9,0.1"]);
}

#[test]
fn an_empty_answer_says_what_to_do_next() {
    let fixture = Fixture::empty();
    let said = |arguments: &[&str]| {
        let done = at(&fixture.store).args(arguments).output().unwrap();
        assert!(done.status.success());
        let rows = String::from_utf8(done.stdout).unwrap();
        assert!(rows.contains("\n0 rows\n"), "{rows}");
        String::from_utf8(done.stderr).unwrap().replace(fixture.store.to_str().unwrap(), "STORE")
    };
    let report = "SELECT objective FROM report('2026-10-01', '2026-10-02')";
    let unknown = "SELECT objective FROM report('2026-10-01', '2026-10-02') WHERE service = 'logout'";
    let mut all = said(&["sql", report]) + &said(&["slos"]);
    fixture.apply(&success("0.99").replace("login", "logon"));
    all += &(said(&["sql", "SELECT * FROM failures('2026-10-01', '2026-10-02')"])
        + &said(&["slos", "--service", "login"]));
    let fixture = Fixture::filled();
    let said = |arguments: &[&str]| {
        let done = at(&fixture.store).args(arguments).output().unwrap();
        String::from_utf8(done.stderr).unwrap().replace(fixture.store.to_str().unwrap(), "STORE")
    };
    all += &(said(&["sql", report]) + &said(&["slos"]));
    fixture.apply(&success("0.99"));
    all += &(said(&["sql", unknown]) + &said(&["slos", "--service", "logout"]));
    insta::assert_snapshot!(all);
    // No failure is a good answer, not a wrong question.
    assert_eq!(said(&["sql", "SELECT * FROM failures('2026-10-01', '2026-10-02') WHERE seconds > 100000"]), "");
}

#[test]
fn refreshing_again_adds_nothing_and_two_at_once_agree() {
    let fixture = Fixture::defined();
    let before = fixture.answers();
    fs::remove_dir_all(fixture.store.join("slo_days")).unwrap();
    let kept = || fixture.query("SELECT objective, definition, date, key FROM slo_days ORDER BY 1, 2, 3");
    let refresh = || {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("nines"));
        command.env_remove("NINES_STORE").arg("--store").arg(&fixture.store).arg("refresh");
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        command.spawn().unwrap()
    };
    let both: Vec<_> = [refresh(), refresh()].into_iter().map(|process| process.wait_with_output().unwrap()).collect();
    for done in &both {
        let (told, said) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(
            done.status.success() && told.starts_with("2 objectives over 3 days from 2026-10-01, in "),
            "{told}{said}"
        );
    }
    let after_both = kept();
    assert_eq!(after_both.len(), 2 * 2, "two objectives, two days that are over: {after_both:?}");
    let again = run(at(&fixture.store).arg("refresh"));
    assert!(again.ends_with("4 days of objectives kept, of days that are over\n"), "{again}");
    assert_eq!(kept(), after_both);
    assert_eq!(fixture.answers(), before);
    let plan = fixture.query("EXPLAIN ANALYZE SELECT * FROM timelines('2026-10-01', '2026-10-03')").concat();
    assert!(plan.contains("days_kept=4") && !plan.contains("DataSourceExec"), "{plan}");
}

#[test]
fn planning_reads_logs_alone() {
    let fixture = Fixture::defined();
    let answers = fixture.answers();
    let questions = [
        "report('2026-10-01', '2026-10-03')",
        "timelines('2026-10-01', '2026-10-03')",
        "slices('2026-10-01', '2026-10-03')",
        "failures('2026-10-01', '2026-10-03')",
        "culprits('2026-10-01', '2026-10-03')",
        "review('2026-10-01', '2026-10-03')",
        "burn_alerts('2026-10-01', '2026-10-03')",
        "credits('2026-10')",
        "slos",
        "baselines",
        "requests",
    ];
    let aside = |from: &str, to: &str| {
        for path in data_of(&fixture.store, from) {
            fs::rename(&path, path.with_extension(to)).unwrap();
        }
    };
    assert!(!data_of(&fixture.store, "parquet").is_empty());
    aside("parquet", "aside");
    for question in questions {
        let plan = fixture.query(&format!("EXPLAIN SELECT * FROM {question}")).concat();
        assert!(plan.contains("Exec"), "{plan}");
    }
    fails(1, at(&fixture.store).args(["sql", "SELECT * FROM report('2026-10-01', '2026-10-03')"]));
    aside("aside", "parquet");
    assert_eq!(fixture.answers(), answers);
}

/// The data files of a store with this extension.
fn data_of(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("_delta_log") {
            found.extend(data_of(&path, extension));
        } else if path.extension().is_some_and(|of| of == extension) {
            found.push(path);
        }
    }
    found
}

/// The folders of what is derived.
const DERIVED: [&str; 2] = ["slo_days", "slo_facts"];

#[test]
fn what_is_kept_is_never_needed() {
    let fixture = Fixture::defined();
    let cold = fixture.answers();
    assert_eq!(fixture.answers(), cold, "warm");
    for folder in DERIVED {
        fs::remove_dir_all(fixture.store.join(folder)).unwrap();
        assert_eq!(fixture.answers(), cold, "{folder} is gone");
    }
    // Where nothing can be kept.
    for folder in DERIVED {
        fs::remove_dir_all(fixture.store.join(folder)).unwrap();
        fs::write(fixture.store.join(folder), "in the way").unwrap();
    }
    assert_eq!(fixture.answers(), cold);
    // Whoever asks for it to be kept is told.
    let said = fails(1, at(&fixture.store).arg("refresh"));
    assert!(said.starts_with("error: cannot read the log of slo_days in "), "{said}");
}

#[test]
fn a_store_that_cannot_be_written_answers() {
    use std::os::unix::fs::PermissionsExt;
    fn set(path: &Path, folder: u32, file: u32) {
        if path.is_dir() {
            fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
            fs::read_dir(path).unwrap().for_each(|entry| set(&entry.unwrap().path(), folder, file));
            fs::set_permissions(path, PermissionsExt::from_mode(folder)).unwrap();
        } else {
            fs::set_permissions(path, PermissionsExt::from_mode(file)).unwrap();
        }
    }
    let fixture = Fixture::defined();
    let cold = fixture.answers();
    for folder in DERIVED {
        fs::remove_dir_all(fixture.store.join(folder)).unwrap();
    }
    set(&fixture.store, 0o555, 0o444);
    let answers = fixture.answers();
    set(&fixture.store, 0o755, 0o644);
    assert_eq!(answers, cold);
}

/// Files of a folder and below, but for those of its log.
fn parquet(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true if !path.ends_with("_delta_log") => parquet(&path, found),
            false if path.extension().is_some_and(|extension| extension == "parquet") => found.push(path),
            _ => {}
        }
    }
}

#[test]
fn a_damaged_cache_changes_no_answer() {
    let fixture = Fixture::defined();
    let answers = || {
        let questions = ["report('2026-10-01', '2026-10-04')", "culprits('2026-10-01', '2026-10-04')"];
        questions.map(|question| fixture.query(&format!("SELECT * FROM {question}")))
    };
    let cold = answers();
    let mut files = Vec::new();
    DERIVED.iter().for_each(|folder| parquet(&fixture.store.join(folder), &mut files));
    assert!(files.len() >= 2, "{files:?}");
    for file in &files {
        let whole = fs::read(file).unwrap();
        let damaged: [(&str, Option<Vec<u8>>); 4] = [
            ("cut", Some(whole[..whole.len() / 2].to_vec())),
            ("empty", Some(Vec::new())),
            ("overwritten", Some(whole.iter().map(|byte| byte ^ 0x55).collect())),
            ("gone", None),
        ];
        for (how, bytes) in damaged {
            // Writing over a hard link would change its other names.
            fs::remove_file(file).unwrap();
            if let Some(bytes) = bytes {
                fs::write(file, bytes).unwrap();
            }
            assert_eq!(answers(), cold, "{} {how}", file.display());
            fs::write(file, &whole).unwrap();
        }
    }
}

//! A store that is not whole is an error that names what is missing, and is left as it is.

use std::path::Path;

use crate::{fails, nines, query, run};

fn insert(store: &Path, minute: u32) -> assert_cmd::Command {
    let mut command = nines();
    command.arg("--store").arg(store).args(["sql", &format!(
        "INSERT INTO requests (time, service, status, requests) VALUES ('2026-10-01 00:{minute:02}', 'web', 200, 10)"
    )]);
    command
}

fn names(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        names.push(path.display().to_string());
        if path.is_dir() {
            names.extend(self::names(&path));
        }
    }
    names.sort();
    names
}

#[test]
fn a_store_in_part_is_neither_read_nor_written() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("x.csv");
    std::fs::write(&csv, "time,status\n1791936000,200\n").unwrap();
    let yaml = folder.path().join("slo.yaml");
    std::fs::write(&yaml, "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: web}\n").unwrap();
    type Damage<'d> = (&'d str, &'d dyn Fn(&Path), i32, &'d str);
    let damages: [Damage<'_>; 4] = [
        ("no description", &|store| std::fs::remove_file(store.join("nines.json")).unwrap(), 1, "nines.json"),
        (
            "no log",
            &|store| std::fs::remove_dir_all(store.join("requests/_delta_log")).unwrap(),
            1,
            "requests/_delta_log",
        ),
        (
            "an empty log",
            &|store| {
                std::fs::remove_dir_all(store.join("requests/_delta_log")).unwrap();
                std::fs::create_dir(store.join("requests/_delta_log")).unwrap();
            },
            1,
            "requests/_delta_log",
        ),
        (
            "other slices",
            &|store| std::fs::write(store.join("nines.json"), "{\"format\":1,\"slice_seconds\":15}\n").unwrap(),
            1,
            "slices of 60 s",
        ),
    ];
    for (at, (what, damage, code, said)) in damages.into_iter().enumerate() {
        let store = folder.path().join(format!("store {at}"));
        run(&mut insert(&store, 0));
        damage(&store);
        let before = names(&store);
        let on = || {
            let mut command = nines();
            command.arg("--store").arg(&store);
            command
        };
        for command in [
            on().args(["sql", "--format", "csv", "SELECT count(*) FROM requests"]),
            on().args(["ingest", "requests"]).arg(&csv),
            &mut insert(&store, 1),
            on().args(["sql", "SELECT * FROM report('2026-10-01', '2026-10-02', 'objective')"]),
        ] {
            // Without a description, nothing at all can be said of the store; without a log, nothing of its table.
            let told = fails(code, command);
            assert!(told.contains(said), "{what}: {told}");
            assert_eq!(names(&store), before, "{what}");
        }
        if what == "no description" {
            assert!(fails(1, on().arg("apply").arg(&yaml)).contains("nines.json"));
            assert_eq!(names(&store), before);
            // The line that the message gives makes it whole again.
            std::fs::write(store.join("nines.json"), "{\"format\":1,\"slice_seconds\":60}\n").unwrap();
            assert_eq!(query(&store, "SELECT count(*) FROM requests"), ["1"]);
        }
    }
}

#[test]
fn kept_days_that_lost_their_log_are_computed_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("demo");
    run(nines().args(["demo", "--days", "3", "--until", "2026-10-03"]).arg(&store));
    let sql = "SELECT service, slo, slo_error_time FROM report('2026-10-01', '2026-10-04', 'service') ORDER BY service";
    let before = query(&store, sql);
    assert!(!before.is_empty());
    for table in ["slo_days", "slo_facts"] {
        std::fs::remove_dir_all(store.join(table).join("_delta_log")).unwrap();
    }
    assert_eq!(query(&store, sql), before);
}

/// Flips a bit in the middle of each Parquet file below a folder; their names.
fn flip(folder: &Path) -> Vec<String> {
    let mut flipped = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        if path.is_dir() && !name.starts_with('_') {
            flipped.extend(flip(&path));
        } else if name.ends_with(".parquet") {
            let mut bytes = std::fs::read(&path).unwrap();
            // Behind the mark with which the file begins, in the first column.
            bytes[9] ^= 4;
            std::fs::write(&path, bytes).unwrap();
            flipped.push(name);
        }
    }
    flipped
}

#[test]
fn a_flipped_bit_is_an_error_that_names_the_file_and_no_correction_covers_it_up() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    run(&mut insert(&store, 0));
    let [file] = &flip(&store.join("requests"))[..] else { panic!("one file") };
    let before = names(&store);
    let on = |sql: &str| {
        let mut command = nines();
        command.arg("--store").arg(&store).args(["sql", sql]);
        command
    };
    for command in [
        &mut on("SELECT * FROM requests"),
        &mut on("SELECT service, max(requests) FROM requests WHERE status = 200 GROUP BY 1"),
        &mut insert(&store, 0),
    ] {
        let told = fails(1, command);
        assert!(told.contains(file.as_str()) && told.contains("backup"), "{told}");
        assert!(told.starts_with("error: requests/") && told.trim().lines().count() == 1, "{told}");
        assert_eq!(names(&store), before);
    }
}

#[test]
fn kept_days_that_are_damaged_are_computed_again_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("demo");
    run(nines().args(["demo", "--days", "3", "--until", "2026-10-03"]).arg(&store));
    let sql = "SELECT service, slo, slo_error_time FROM report('2026-10-01', '2026-10-04', 'service') ORDER BY service";
    let before = query(&store, sql);
    let flipped = flip(&store.join("slo_days"));
    assert!(!flipped.is_empty() && !flip(&store.join("slo_facts")).is_empty());
    let done = nines().arg("--store").arg(&store).args(["sql", "--format", "csv", sql]).output().unwrap();
    assert!(done.status.success());
    let rows: Vec<String> = String::from_utf8(done.stdout).unwrap().lines().skip(1).map(str::to_string).collect();
    assert_eq!(rows, before);
    let told = String::from_utf8(done.stderr).unwrap();
    assert!(told.contains("note: ") && flipped.iter().any(|file| told.contains(file.as_str())), "{told}");
    // Asked for themselves they are an error.
    let told = fails(1, nines().arg("--store").arg(&store).args(["sql", "SELECT * FROM slo_days"]));
    assert!(flipped.iter().any(|file| told.contains(file.as_str())), "{told}");
}

#[test]
fn figures_of_a_store_that_is_not_there_come_with_a_note() {
    let folder = tempfile::tempdir().unwrap();
    let done =
        nines().arg("--store").arg(folder.path()).args(["sql", "SELECT count(*) FROM requests"]).output().unwrap();
    assert!(done.status.success());
    let noted = String::from_utf8(done.stderr).unwrap();
    assert!(noted.contains("there is no store"), "{noted}");
    let done = nines().arg("--store").arg(folder.path()).args(["sql", "SELECT 1"]).output().unwrap();
    assert_eq!(String::from_utf8(done.stderr).unwrap(), "");
}

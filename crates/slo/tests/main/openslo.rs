//! The published examples of OpenSLO v1 load; what its tools refuse is refused.

use std::path::{Path, PathBuf};

use nines_slo::{Reading, plan, read};

/// The folder of OpenSLO's files beside the workspace, or under `NINES_SHARED`; none, said aloud, if it is absent.
fn openslo() -> Option<PathBuf> {
    let root = std::env::var_os("NINES_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), PathBuf::from);
    let path = root.join("data/openslo");
    if !path.exists() {
        eprintln!("skipped: {} is absent (set NINES_SHARED to the folder that holds data/)", path.display());
        return None;
    }
    Some(path)
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        match path.is_dir() {
            true => files(&path, found),
            false if path.extension().is_some_and(|extension| extension == "yaml") => found.push(path),
            false => {}
        }
    }
}

/// Every file, by its path in the folder.
fn readings() -> Vec<(String, String, Reading)> {
    let Some(root) = openslo() else { return Vec::new() };
    let mut paths = Vec::new();
    files(&root, &mut paths);
    assert!(!paths.is_empty());
    let read_one = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_string();
        let reading = read(&name, &text);
        (name, text, reading)
    };
    paths.into_iter().map(read_one).collect()
}

#[test]
fn every_valid_file_of_v1_loads() {
    for (path, text, reading) in readings() {
        let other = text.contains("v1alpha") || text.contains("v2alpha");
        if other || path.ends_with("invalid-apiversion.yaml") || path.ends_with("unknown-field.yaml") {
            continue;
        }
        assert!(reading.mistakes.is_empty(), "{:#?}", reading.mistakes);
        let objects = text.lines().filter(|line| line.contains("apiVersion:")).count();
        assert_eq!(reading.documents.len(), objects, "{path}");
        for document in &reading.documents {
            let again = read(&path, &document.text);
            assert_eq!((again.documents.len(), again.mistakes), (1, vec![]), "{}", document.text);
            assert_eq!(again.documents[0].text, document.text);
            assert_eq!(again.documents[0].name, document.name);
        }
    }
}

#[test]
fn what_is_not_v1_is_refused_by_file_line_and_reason() {
    let mut told = String::new();
    for (path, _, reading) in readings() {
        if path.starts_with("oslo/") {
            reading.mistakes.iter().for_each(|mistake| told += &format!("{mistake}\n"));
        }
        if path.contains("v2alpha") {
            assert!(reading.documents.is_empty() && !reading.mistakes.is_empty(), "{path}");
        }
    }
    if told.is_empty() {
        return;
    }
    insta::assert_snapshot!(told, @r#"
    oslo/test/inputs/validate/invalid-apiversion.yaml:1:13: apiVersion 'foo' is not read; Nines reads openslo/v1, and nines/v1 for kind Agreement
    oslo/test/inputs/validate/mix/1.yaml:1:15: apiVersion 'openslo/v1alpha' is not read; Nines reads openslo/v1, and nines/v1 for kind Agreement
    oslo/test/inputs/validate/mix/3.yaml:1:15: apiVersion 'openslo.com/v2alpha' is not read; Nines reads openslo/v1, and nines/v1 for kind Agreement
    oslo/test/inputs/validate/recursive/nested/2.yaml:1:15: apiVersion 'openslo.com/v2alpha' is not read; Nines reads openslo/v1, and nines/v1 for kind Agreement
    oslo/test/inputs/validate/recursive/nested/nested2/nested3/3.yaml:1:15: apiVersion 'openslo.com/v2alpha' is not read; Nines reads openslo/v1, and nines/v1 for kind Agreement
    oslo/test/inputs/validate/unknown-field.yaml:6:3: unknown field 'markdown' in spec; expected description
    oslo/test/inputs/validate/v1alpha.yaml:1:15: apiVersion 'openslo/v1alpha' is not read; Nines reads openslo/v1, and nines/v1 for kind Agreement
    oslo/test/inputs/validate/v1alpha.yaml:8:15: apiVersion 'openslo/v1alpha' is not read; Nines reads openslo/v1, and nines/v1 for kind Agreement
    oslo/test/inputs/validate/v1alpha.yaml:13:13: apiVersion 'openslo/v1alpha' is not read; Nines reads openslo/v1, and nines/v1 for kind Agreement
    oslo/test/inputs/validate/v1alpha.yaml:40:13: apiVersion 'openslo/v1alpha' is not read; Nines reads openslo/v1, and nines/v1 for kind Agreement
    oslo/test/inputs/validate/v2alpha.yaml:1:15: apiVersion 'openslo.com/v2alpha' is not read; Nines reads openslo/v1, and nines/v1 for kind Agreement
    oslo/test/inputs/validate/v2alpha.yaml:38:15: apiVersion 'openslo.com/v2alpha' is not read; Nines reads openslo/v1, and nines/v1 for kind Agreement
    oslo/test/inputs/validate/v2alpha.yaml:47:15: apiVersion 'openslo.com/v2alpha' is not read; Nines reads openslo/v1, and nines/v1 for kind Agreement
    "#);
}

#[test]
fn references_to_nothing_are_refused_unless_only_alerts_lean_on_them() {
    let mut told = String::new();
    for (path, text, _) in readings() {
        let Some(name) = path.strip_prefix("go-sdk/pkg/openslosdk/test_data/inline/inputs/") else { continue };
        match plan(&[], &[(name.to_string(), text)], 0) {
            Err(mistakes) => mistakes.iter().for_each(|mistake| told += &format!("error {mistake}\n")),
            Ok(plan) => {
                let warnings = plan.warnings.iter().filter(|warning| warning.reason.starts_with("there is no"));
                warnings.for_each(|warning| told += &format!("warning {warning}\n"));
            }
        }
    }
    if told.is_empty() {
        return;
    }
    insta::assert_snapshot!(told, @r#"
    error custom_config.yaml:20:19: there is no SLI 'my-sli'
    warning v1_alert_policies_invalid_condition.yaml:8:23: there is no AlertCondition 'cpu-usage-breach'; Nines does not alert
    warning v1_alert_policies_invalid_target.yaml:25:20: there is no AlertNotificationTarget 'devs-email-notification'; Nines does not alert
    warning v1_slo_invalid_policy.yaml:9:25: there is no AlertPolicy 'no-policy'; Nines does not alert
    error v1_slo_invalid_sli.yaml:7:19: there is no SLI 'no-sli'; did you mean 'my-sli'?
    warning v1_slo_invalid_target.yaml:32:26: there is no AlertNotificationTarget 'devs-email-notification'; Nines does not alert
    "#);
}

//! Every file in `queries/` runs on the demo's history and answers something.

use std::path::Path;

use crate::demo::demo_store;
use crate::{nines, query, run};

#[test]
fn every_question_has_an_answer() {
    let (_folder, store) = demo_store();
    let queries = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries");
    let mut files = std::fs::read_dir(queries).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    assert!(files.len() >= 18);
    for file in files {
        let sql = std::fs::read_to_string(&file).unwrap();
        let mut command = nines();
        command.arg("--store").arg(&store).args(["sql", "--format", "jsonl", "-f"]).arg(&file);
        let parameters = [
            ("service", "login"),
            ("from", "2026-10-26"),
            ("to", "2026-11-01"),
            ("target", "0.999"),
            ("shortest", "60"),
            ("month", "2026-10-01"),
        ];
        for (name, value) in parameters {
            if sql.contains(&format!("${name}")) {
                command.args(["--param", &format!("{name}={value}")]);
            }
        }
        let rows = run(&mut command);
        assert!(rows.lines().count() >= 1, "{} answers nothing", file.display());
    }
}

#[test]
fn examples_of_table_functions_run() {
    let (_folder, store) = demo_store();
    let sql = "SELECT example FROM functions WHERE kind = 'table' AND section = 'Objectives' ORDER BY name";
    let examples = query(&store, sql);
    assert!(examples.len() >= 7, "{examples:?}");
    for example in examples {
        run(nines().arg("--store").arg(&store).args(["sql", example.trim_matches('"')]));
    }
}

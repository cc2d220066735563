//! What the README tells people to type works, and prints what the README shows.

use std::path::Path;

use assert_cmd::Command;

use crate::run;

/// Fenced blocks in order: language and text.
fn blocks(markdown: &str) -> Vec<(&str, &str)> {
    let fenced = markdown.split("\n```").skip(1).step_by(2);
    fenced.map(|block| block.split_once('\n').unwrap_or((block, ""))).collect()
}

#[test]
fn its_commands_print_what_it_shows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for shared in ["data", "queries"] {
        std::os::unix::fs::symlink(root.join(shared), folder.path().join(shared)).unwrap();
    }
    // The one file that the README takes for granted.
    std::fs::write(folder.path().join("success.csv"), "TimeStamp,SuccessRate(%)\n1661140279,99.5\n").unwrap();
    let binary = assert_cmd::cargo::cargo_bin("nines");
    let mut ran = 0;
    let blocks = blocks(&readme);
    for (at, (language, text)) in blocks.iter().enumerate() {
        if *language != "sh" || text.contains("cargo ") {
            continue;
        }
        let script = format!("nines() {{ '{}' \"$@\"; }}\n{text}", binary.display());
        let shown = run(Command::new("bash").args(["-euc", &script]).current_dir(folder.path()));
        if let Some(("text", expected)) = blocks.get(at + 1) {
            assert_eq!(shown.trim_end(), expected.trim_end(), "{text}");
        }
        ran += 1;
    }
    assert!(ran >= 5, "{ran} blocks ran");
}

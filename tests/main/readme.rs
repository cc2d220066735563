//! What the README, the manual, the tour and the page about public data tell people to type works, and prints what they show.

use std::path::Path;

use assert_cmd::Command;

use crate::manual::pages;
use crate::{run, shared};

/// Fenced blocks in order: language and text.
pub(crate) fn blocks(markdown: &str) -> Vec<(&str, &str)> {
    let fenced = markdown.split("\n```").skip(1).step_by(2);
    fenced.map(|block| block.split_once('\n').unwrap_or((block, ""))).collect()
}

/// Runs the shell blocks of a page, in a folder of their own, and compares with what it shows. How many ran.
fn walk(page: &Path, data: Option<&Path>) -> usize {
    let folder = tempfile::tempdir().unwrap();
    walk_in(folder.path(), page, data)
}

/// The same in a folder that is there.
pub(crate) fn walk_in(folder: &Path, page: &Path, data: Option<&Path>) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let markdown = std::fs::read_to_string(root.join(page)).unwrap();
    for shared in ["data", "queries"] {
        std::os::unix::fs::symlink(root.join(shared), folder.join(shared)).unwrap();
    }
    let mut ran = 0;
    let blocks = blocks(&markdown);
    for (at, (language, text)) in blocks.iter().enumerate() {
        if *language != "sh" || text.contains("cargo ") {
            continue;
        }
        let shown = run(&mut shell(folder, text, data));
        if let Some(("text", expected)) = blocks.get(at + 1) {
            assert_eq!(shown.trim_end(), expected.trim_end(), "{}: {text}", page.display());
        }
        ran += 1;
    }
    ran
}

/// What runs a shell block in a folder.
pub(crate) fn shell(folder: &Path, block: &str, data: Option<&Path>) -> Command {
    let binary = assert_cmd::cargo::cargo_bin("nines");
    let script = format!("nines() {{ '{}' \"$@\"; }}\n{block}", binary.display());
    let mut shell = Command::new("bash");
    shell.args(["-euc", &script]).current_dir(folder);
    if let Some(data) = data {
        shell.env("DATA", data);
    }
    shell
}

#[test]
fn its_commands_print_what_it_shows() {
    let ran = walk(Path::new("README.md"), None);
    assert!(ran >= 5, "{ran} blocks ran");
}

#[test]
fn the_commands_of_the_manual_print_what_it_shows() {
    let pages = pages();
    assert!(pages.len() >= 6, "{pages:?}");
    let ran: usize = std::thread::scope(|scope| {
        let walks: Vec<_> = pages.iter().map(|page| scope.spawn(move || (page, walk(page, None)))).collect();
        let ran = walks.into_iter().map(|walk| walk.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        ran.map(|(page, ran)| {
            assert!(ran >= 3, "{ran} blocks of {} ran", page.display());
            ran
        })
        .sum()
    });
    assert!(ran >= 40, "{ran} blocks ran");
}

#[test]
fn the_tour_finds_the_cause_in_less_than_ten_commands() {
    let ran = walk(Path::new("queries/tour.md"), None);
    assert!((5..10).contains(&ran), "{ran} blocks ran");
}

#[test]
fn the_commands_about_public_data_print_what_their_page_shows() {
    let Some(data) = shared("") else { return };
    let ran = walk(Path::new("data/public/README.md"), Some(&data.canonicalize().unwrap()));
    assert!(ran >= 8, "{ran} blocks ran");
}

//! The manual in `docs/`: its reference is what the program says of itself, and no link of a page leads nowhere.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::{nines, run};

/// Where the repository is.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages of the manual, by name.
pub(crate) fn pages() -> Vec<PathBuf> {
    let files = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|ending| ending == "md")).collect();
    pages.sort();
    pages
}

/// Between these lines stands what is generated.
const BEGIN: &str = "<!-- generated: reference -->\n";
const END: &str = "<!-- end of generated: reference -->\n";

/// The sections of functions that Nines adds, in the order of the manual, and how the manual calls them.
const OWN: [(&str, &str); 6] = [
    ("Objectives", "Table functions: objectives"),
    ("Agreements", "Table functions: agreements"),
    ("Timelines", "Timelines"),
    ("Counts", "Counts"),
    ("Labels", "Labels"),
    ("Histograms", "Latency histograms"),
];

/// Functions that Nines has in the place of SQL's own.
fn replaces_sqls_own(name: &str) -> bool {
    matches!(name, "sum" | "avg") || name.starts_with("checked_")
}

/// A row of the table `functions`; what is NULL is empty.
struct Function {
    name: String,
    kind: String,
    section: String,
    syntax: String,
    description: String,
    example: String,
}

fn functions() -> Vec<Function> {
    let text = run(nines().args(["sql", "--format", "jsonl", "SELECT * FROM functions ORDER BY name, kind"]));
    let rows = text.lines().map(|line| serde_json::from_str::<BTreeMap<String, Option<String>>>(line).unwrap());
    let functions = rows.map(|mut row| {
        let mut of = |name: &str| row.remove(name).flatten().unwrap_or_default();
        Function {
            name: of("name"),
            kind: of("kind"),
            section: of("section"),
            syntax: of("syntax"),
            description: of("description"),
            example: of("example"),
        }
    });
    functions.collect()
}

/// The rows of the tables that the shell draws for commands such as `\d requests`, in their order.
fn drawn(commands: &[String]) -> Vec<Vec<Vec<String>>> {
    let text = run(nines().arg("shell").write_stdin(commands.join("\n") + "\n"));
    let mut tables: Vec<Vec<Vec<String>>> = Vec::new();
    for line in text.lines() {
        if line.starts_with('┌') {
            tables.push(Vec::new());
        }
        let (Some(table), Some(row)) = (tables.last_mut(), line.strip_prefix('│')) else { continue };
        table.push(row.trim_end_matches('│').split('┆').map(|cell| cell.trim().to_string()).collect());
    }
    // The first row of each is its header.
    tables.iter_mut().for_each(|table| drop(table.remove(0)));
    tables
}

/// `` `time` instant, key; `service` text `` of a table or table function.
fn columns(rows: &[Vec<String>]) -> String {
    let column = |row: &Vec<String>| {
        let what = row[1].trim_end_matches(", shown in UTC");
        let key = if row.get(2).is_some_and(|key| key == "key") { ", key" } else { "" };
        format!("`{}` {what}{key}", row[0])
    };
    rows.iter().map(column).collect::<Vec<_>>().join("; ")
}

/// One function: syntax, description, an example and what it prints; of a table function also its columns.
fn entry(function: &Function, columns: Option<&String>) -> String {
    let call = if function.syntax.is_empty() { &function.name } else { &function.syntax };
    let mut text = format!("#### `{call}`\n\n");
    if !matches!(function.kind.as_str(), "scalar" | "table") {
        let _ = write!(text, "*An {}.* ", function.kind);
    }
    let _ = write!(text, "{}\n\n", function.description.split_whitespace().collect::<Vec<_>>().join(" "));
    let example = function.example.trim_start_matches("> ");
    // An example is a statement, and perhaps what it prints.
    let (statement, printed) = example.split_once("\n+").map_or((example, None), |(sql, printed)| (sql, Some(printed)));
    let _ = write!(text, "```sql\n{}\n```\n\n", statement.trim_end());
    if let Some(printed) = printed {
        let _ = write!(text, "```text\n+{}\n```\n\n", printed.trim_end());
    }
    if let Some(columns) = columns {
        let _ = write!(text, "Columns: {columns}.\n\n");
    }
    text
}

/// All of the reference.
fn reference() -> String {
    let functions = functions();
    let tables: Vec<String> = drawn(&["\\d".to_string()]).remove(0).into_iter().map(|mut row| row.remove(0)).collect();
    let calls = functions.iter().filter(|f| f.kind == "table" && !f.section.is_empty()).map(|f| f.name.clone());
    let described: Vec<String> = tables.iter().cloned().chain(calls).collect();
    let of_each = drawn(&described.iter().map(|name| format!("\\d {name}")).collect::<Vec<_>>());
    assert_eq!(of_each.len(), described.len());
    let of_each: BTreeMap<&str, String> =
        described.iter().map(String::as_str).zip(of_each.iter().map(|rows| columns(rows))).collect();
    let mut text = String::new();
    for (section, title) in OWN {
        let own: Vec<&Function> = functions.iter().filter(|function| function.section == section).collect();
        assert!(!own.is_empty(), "no function is of section {section}");
        let _ = write!(text, "### {title}\n\n");
        for function in own {
            let columns = of_each.get(function.name.as_str()).filter(|_| function.kind == "table");
            text.push_str(&entry(function, columns));
        }
    }
    text.push_str("### Sums, means and integers\n\n");
    let replaced = functions.iter().filter(|function| replaces_sqls_own(&function.name));
    replaced.for_each(|function| text.push_str(&entry(function, None)));
    text.push_str("### Columns of the tables\n\n");
    for table in &tables {
        let _ = writeln!(text, "- **`{table}`**: {}.", of_each[table.as_str()]);
    }
    text.push_str(
        "\n### SQL's own functions\n\nThese are DataFusion's. `\\df NAME` in the shell and the table `functions` describe each, with an \
         example.\n\n",
    );
    let mut others: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let is_own = |f: &Function| OWN.iter().any(|(section, _)| *section == f.section) || replaces_sqls_own(&f.name);
    for function in functions.iter().filter(|function| !is_own(function)) {
        let section = if function.section.is_empty() { "Table functions" } else { function.section.as_str() };
        others.entry(section).or_default().push(format!("`{}`", function.name));
    }
    for (section, names) in others {
        let _ = writeln!(text, "- **{section}**: {}.", names.join(", "));
    }
    text.push('\n');
    text
}

#[test]
fn the_reference_is_what_the_program_says_of_itself() {
    let file = root().join("docs/sql.md");
    let page = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    let reference = format!("\n{}", reference());
    if std::env::var_os("NINES_REWRITE").is_some() {
        std::fs::write(&file, format!("{before}{BEGIN}{reference}{END}{after}")).unwrap();
        return;
    }
    let differs = written.lines().zip(reference.lines()).find(|(written, said)| written != said);
    assert!(
        written == reference,
        "the reference in docs/sql.md is not what the program says; write it anew with: NINES_REWRITE=1 cargo test --test main \
         manual\nthe first lines that differ: {differs:?}"
    );
}

/// The text of a page without its fenced and indented code.
fn prose(page: &str) -> String {
    let mut fenced = false;
    let lines = page.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        !fenced && !is_fence && !line.starts_with("    ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The name by which a heading is linked to: lower case, blanks as hyphens, of all other signs `_` and `-` alone.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn anchors(page: &str) -> HashSet<String> {
    let text = prose(page);
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|heading| anchor(heading.trim_start_matches('#'))).collect()
}

/// The targets of links: what stands in the parentheses of `[text](target)`.
fn targets(page: &str) -> Vec<String> {
    let text = prose(page);
    let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    links.map(|(target, _)| target.to_string()).collect()
}

#[test]
fn every_relative_link_leads_somewhere() {
    let pages = pages().into_iter();
    let others =
        ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "data/README.md", "data/public/README.md", "queries/tour.md"];
    let (mut followed, mut broken) = (0, Vec::new());
    for page in pages.chain(others.map(|name| root().join(name))) {
        let text = std::fs::read_to_string(&page).unwrap();
        for target in targets(&text).iter().filter(|target| !target.contains("://")) {
            followed += 1;
            let (file, heading) = target.split_once('#').unwrap_or((target.as_str(), ""));
            let to = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let is_there = to.exists()
                && (heading.is_empty() || anchors(&std::fs::read_to_string(&to).unwrap()).contains(heading));
            if !is_there {
                broken.push(format!("{}: {target}", page.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(followed >= 50, "{followed} links were followed");
}

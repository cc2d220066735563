//! From a notebook's name to its page, and from the page to where it goes.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::Path;

use chrono::Utc;
use indicatif::ProgressBar;
use nines_engine::Engine;
use nines_notebook::{Given, Notebook, Page, RunError, page};

use super::record;
use crate::args::{PageFormat, Running};
use crate::error::{CliError, Result, doing};
use crate::notebooks;
use crate::output::{say, whole_file};

/// Columns of a page that goes into a pipe or a file.
const PIPED: usize = 100;

/// A notebook and what it is called.
pub(super) struct Named {
    pub name: String,
    pub notebook: Notebook,
}

/// The notebook in a file, or the one of this name that comes with Nines.
pub(super) fn find(name: &str) -> Result<Named> {
    let path = Path::new(name);
    if path.is_file() {
        return read(name, &doing(name, std::fs::read_to_string(path))?);
    }
    if notebooks::text(name).is_some() {
        return shipped(name);
    }
    if path.extension().is_none() && path.components().count() == 1 {
        let names: Vec<&str> = notebooks::ALL.iter().map(|(name, _)| *name).collect();
        let problem = format!("there is neither a file nor a notebook {name}; there are {}", names.join(", "));
        return Err(CliError::Usage(problem));
    }
    read(name, &doing(name, std::fs::read_to_string(path))?)
}

/// The notebook of this name that comes with Nines, whatever files there are.
pub(super) fn shipped(name: &str) -> Result<Named> {
    let text = notebooks::text(name).ok_or_else(|| CliError::Usage(format!("no notebook {name} comes with Nines")))?;
    read(&format!("{name}.md"), text)
}

fn read(file: &str, text: &str) -> Result<Named> {
    let notebook = Notebook::parse(file, text)
        .map_err(|mistakes| CliError::Usage(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))?;
    let name = Path::new(file).file_stem().map_or(file.to_string(), |stem| stem.to_string_lossy().into_owned());
    Ok(Named { name, notebook })
}

/// Values of parameters by name; the last one given counts.
pub(super) fn given(running: &Running) -> BTreeMap<String, String> {
    running.parameters.iter().cloned().collect()
}

/// Runs it, showing which cell is at work.
pub(super) async fn made(
    engine: &Engine,
    named: &Named,
    parameters: &BTreeMap<String, String>,
    running: &Running,
) -> Result<Page> {
    let now = running.now.as_ref().map(|text| record::time("--now", text, engine)).transpose()?;
    let spinner = ProgressBar::new_spinner();
    let ticking = spinner.clone();
    let mut watch = |at: usize, of: usize| {
        ticking.set_message(format!("{}: cell {at} of {of}", named.name));
        ticking.tick();
    };
    let given = Given { parameters, clock: Utc::now().timestamp_micros(), now };
    let page = nines_notebook::run(engine, &named.notebook, &named.name, given, &mut watch).await;
    spinner.finish_and_clear();
    page.map_err(|error| match error {
        RunError::Parameters(mistakes) => {
            CliError::Usage(mistakes.join("\n").replace("give it one, ", "give it one with --param "))
        }
        error => CliError::Failed(error.to_string()),
    })
}

/// What to write: what is asked for, else by the file's name, else as usual.
pub(super) fn format(asked: Option<PageFormat>, file: Option<&Path>) -> Result<PageFormat> {
    let ending = file.and_then(Path::extension).and_then(|ending| ending.to_str());
    match (asked, file, ending) {
        (Some(format), _, _) => Ok(format),
        (None, None, _) => Ok(PageFormat::Terminal),
        (None, Some(file), _) if is_standard_output(file) => Ok(PageFormat::Md),
        (None, _, Some("html" | "htm")) => Ok(PageFormat::Html),
        (None, _, Some("md" | "markdown")) => Ok(PageFormat::Md),
        (None, _, Some("txt")) => Ok(PageFormat::Terminal),
        (None, Some(file), _) => {
            let problem = "name it .html, .md or .txt, or give the format with --format";
            Err(CliError::Usage(format!("{}: which format? {problem}", file.display())))
        }
    }
}

pub(super) fn is_standard_output(file: &Path) -> bool {
    file == Path::new("-")
}

/// The page as text; a terminal gets its width and colours.
pub(super) fn drawn(page: &Page, format: PageFormat, screen: bool) -> String {
    match format {
        PageFormat::Html => page::html(page),
        PageFormat::Md => page::markdown(page),
        PageFormat::Terminal if screen && std::io::stdout().is_terminal() => {
            let colour = std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
            page::terminal(page, usize::from(console::Term::stdout().size().1), colour)
        }
        PageFormat::Terminal => page::terminal(page, PIPED, false),
    }
}

/// Writes the page to its file, or to standard output.
pub(super) fn put(page: &Page, format: PageFormat, file: Option<&Path>) -> Result<()> {
    match file.filter(|file| !is_standard_output(file)) {
        Some(file) => {
            let text = drawn(page, format, false);
            whole_file(file, |writer| doing(file.display(), writer.write_all(text.as_bytes())))
        }
        None => say(&drawn(page, format, true)),
    }
}

/// An error if a cell failed; the page shows which.
pub(super) fn check(page: &Page, name: &str) -> Result<()> {
    match page.failures() {
        0 => Ok(()),
        1 => Err(CliError::Failed(format!("{name}: a cell failed; the page shows which, and why"))),
        n => Err(CliError::Failed(format!("{name}: {n} cells failed; the page shows which, and why"))),
    }
}

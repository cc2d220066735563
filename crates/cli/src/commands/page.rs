//! From a notebook's name to its page, and from the page to where it goes.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::Path;

use indicatif::ProgressBar;
use nines_engine::Session;
use nines_engine::ingest::clock;
use nines_notebook::format::printable;
use nines_notebook::{Given, Page, RunError, page};

use super::record;
use crate::args::{PageFormat, Running};
use crate::error::{CliError, Result, doing};
use crate::notebooks::{self, Named};
use crate::output::{is_standard_output, say_drawn, whole_file};

/// Columns of a page that goes into a pipe or a file.
const PIPED: usize = 100;

/// Values of parameters by name; the last one given counts.
pub(super) fn given(running: &Running) -> BTreeMap<String, String> {
    running.parameters.iter().cloned().collect()
}

/// Runs it, showing which cell is at work.
pub(super) async fn made(
    session: &Session,
    named: &Named,
    parameters: &BTreeMap<String, String>,
    running: &Running,
) -> Result<Page> {
    let now = running.now.as_ref().map(|text| record::time("--now", text, session)).transpose()?;
    let spinner = ProgressBar::new_spinner();
    let ticking = spinner.clone();
    let mut watch = |at: usize, of: usize| {
        ticking.set_message(printable(&format!("{}: cell {at} of {of}", named.name)));
        ticking.tick();
    };
    let given = Given { parameters, clock: clock::now(), now };
    let page = nines_notebook::run(session, &named.notebook, &named.name, given, &mut watch).await;
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

/// Nobody wants the page instead of the notebook.
pub(super) fn keeps(notebook: &Path, output: Option<&Path>) -> Result<()> {
    let place = |file: &Path| file.canonicalize().ok();
    let same = |file: &Path| place(file).is_some_and(|file| Some(file) == place(notebook));
    match output.filter(|file| same(file)) {
        Some(file) => Err(CliError::Usage(format!("{} is the notebook itself; name another file", file.display()))),
        None => Ok(()),
    }
}

/// The notebooks that come with Nines are about a store: without one a page would look as if all were well.
pub(super) fn needs_store(session: &Session, notebook: &str) -> Result<()> {
    if session.store().is_some() || notebooks::text(notebook).is_none() {
        return Ok(());
    }
    let problem = format!("there is no store at {}; name one with --store, or try `nines demo`", session.store_url());
    Err(CliError::Usage(problem))
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
        // A program, or a person; a terminal obeys nothing either way.
        None => match format {
            PageFormat::Html | PageFormat::Md if !std::io::stdout().is_terminal() => {
                doing("writing the page", std::io::stdout().write_all(drawn(page, format, true).as_bytes()))
            }
            PageFormat::Html | PageFormat::Md | PageFormat::Terminal => say_drawn(&drawn(page, format, true)),
        },
    }
}

//! `\save` and `\run`: the session as a notebook, and notebooks in the session.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use nines_notebook::page::terminal;
use nines_notebook::{Block, Notebook, Page, Values};

use super::chart::look;
use super::files::expanded;
use super::told;
use crate::error::{CliError, Result, doing};
use crate::shell::cells::Setting;
use crate::shell::session::Session;
use crate::shell::vocabulary::column;

pub(super) fn save(session: &mut Session, argument: &str) -> Result<()> {
    if session.cells.count() == 0 {
        return Err(CliError::Usage("there is nothing to save yet: nothing was run".to_string()));
    }
    let path = expanded(argument);
    // What somebody wrote by hand is not given up for what was typed in passing.
    if path.exists() && !session.saved.contains(&path) {
        return Err(CliError::Usage(format!("{} is there already; name another file, or remove it", path.display())));
    }
    let title = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let text = session.cells.notebook(&title, &session.settings()).to_markdown();
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let mut file = doing(path.display(), tempfile::Builder::new().prefix(".nines-").tempfile_in(folder))?;
    doing(path.display(), file.write_all(text.as_bytes()))?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    doing(path.display(), file.as_file().set_permissions(mode))?;
    file.persist(&path).map_err(|error| CliError::Io(path.display().to_string(), error.error))?;
    let cells = session.cells.count();
    let left_out = match session.cells.left_out {
        0 => String::new(),
        1 => "; left out 1 statement that writes".to_string(),
        n => format!("; left out {n} statements that write"),
    };
    told(session, &format!("{cells} cell{} in {}{left_out}", if cells == 1 { "" } else { "s" }, path.display()))?;
    session.saved.insert(path);
    Ok(())
}

/// Runs a notebook's cells and shows its page. A cell that fails does not keep the others from running.
pub(super) async fn run(session: &mut Session, argument: &str) -> Result<()> {
    let path = expanded(argument);
    let name = path.display().to_string();
    let text = doing(&name, std::fs::read_to_string(&path))?;
    let notebook = Notebook::parse(&name, &text)
        .map_err(|mistakes| CliError::Usage(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))?;
    let values = values(session, &notebook).await?;
    let settings: Vec<Setting> = values
        .literals()
        .map(|(name, value)| Setting { name: name.to_string(), typed: value.clone(), value })
        .collect();
    let mut page = Page::new(&notebook, &values, &name);
    let cells = notebook.blocks.iter().filter(|block| matches!(block, Block::Cell(_))).count();
    let (mut at, mut failed) = (0, 0);
    let before = session.results.count();
    for block in &notebook.blocks {
        match block {
            Block::Text(text) => page.text(text, &values),
            Block::Cell(cell) => {
                at += 1;
                progress(session, &format!("cell {at} of {cells}"));
                let answer = match session.cell(cell, &settings).await {
                    Err(CliError::Interrupted) => return Err(CliError::Interrupted),
                    answer => answer.map_err(|error| error.to_string()),
                };
                failed += usize::from(answer.is_err());
                page.cell(cell, answer);
            }
        }
    }
    progress(session, "");
    let look = look(session);
    session.show_text(&format!("{}\n", terminal(&page, look.width, look.colour).trim_end()))?;
    if session.results.count() > before {
        told(session, &format!("the results are _{} to _{}", before + 1, session.results.count()))?;
    }
    match failed {
        0 if page.failed() => Err(CliError::Usage(format!("{name}: a chart could not be drawn"))),
        0 => Ok(()),
        _ => Err(CliError::Failed(format!("{name}: {failed} of {cells} cells failed"))),
    }
}

/// The values of its parameters: what is set in the session, else their defaults.
async fn values(session: &mut Session, notebook: &Notebook) -> Result<Values> {
    let known: Vec<&str> = notebook.parameters.iter().flat_map(|parameter| parameter.names()).collect();
    let given = session.parameters.iter().filter(|(name, _)| known.contains(&name.as_str()));
    let given: BTreeMap<String, String> = given.map(|(name, value)| (name.clone(), value.clone())).collect();
    let mut returned = BTreeMap::new();
    for parameter in &notebook.parameters {
        if let Some(sql) = parameter.query() {
            let (_, rows) = session.query(sql, &[]).await?;
            returned.insert(parameter.name.clone(), column(&rows, 0)?);
        }
    }
    let moment = session.moment();
    let given_by = |mistakes: Vec<String>| mistakes.join("\n").replace("give it one, ", "give it one with \\set ");
    notebook.resolve(&given, &returned, moment).map_err(|mistakes| CliError::Usage(given_by(mistakes)))
}

/// What is being done, on a line that the next one overwrites.
fn progress(session: &Session, doing: &str) {
    if session.interactive {
        eprint!("\r{doing}\x1b[K");
    }
}

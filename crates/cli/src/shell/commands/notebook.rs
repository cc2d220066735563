//! `\save` and `\run`: the session as a notebook, and notebooks in the session.

use std::io::Write;
use std::path::Path;

use nines_notebook::page::terminal;

use super::chart::look;
use super::files::expanded;
use crate::error::{CliError, Result, doing};
use crate::notebooks::{self, Named};
use crate::shell::command::{Command, Does, Takes};
use crate::shell::state::ShellState;

pub(super) const SAVE: Command = Command {
    name: "save",
    arguments: "FILE.md",
    takes: Takes::File,
    help: "write the statements of this session as a notebook",
    does: Does::Now(save),
};

pub(super) const RUN: Command = Command {
    name: "run",
    arguments: "NOTEBOOK",
    takes: Takes::Notebook,
    help: "run a notebook, a file or weekly and the like; what is \\set is its parameters",
    does: Does::Later(|shell, argument| Box::pin(run(shell, argument))),
};

fn save(shell: &mut ShellState, argument: &str) -> Result<()> {
    if shell.cells.count() == 0 {
        return Err(CliError::Usage("there is nothing to save yet: nothing was run".to_string()));
    }
    let path = expanded(argument);
    // What somebody wrote by hand is not given up for what was typed in passing.
    if path.exists() && !shell.saved.contains(&path) {
        return Err(CliError::Usage(format!("{} is there already; name another file, or remove it", path.display())));
    }
    let title = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let text = shell.cells.notebook(&title, &shell.settings()).to_markdown();
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let mut file = doing(path.display(), tempfile::Builder::new().prefix(".nines-").tempfile_in(folder))?;
    doing(path.display(), file.write_all(text.as_bytes()))?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    doing(path.display(), file.as_file().set_permissions(mode))?;
    file.persist(&path).map_err(|error| CliError::Io(path.display().to_string(), error.error))?;
    let cells = shell.cells.count();
    let left_out = match shell.cells.left_out {
        0 => String::new(),
        1 => "; left out 1 statement that writes".to_string(),
        n => format!("; left out {n} statements that write"),
    };
    shell.told(&format!("{cells} cell{} in {}{left_out}", if cells == 1 { "" } else { "s" }, path.display()))?;
    shell.saved.insert(path);
    Ok(())
}

/// Runs a notebook as `nines run` does, shows its page and keeps the results of its cells.
async fn run(shell: &mut ShellState, argument: &str) -> Result<()> {
    let Named { name, notebook } = notebooks::find(argument, &expanded(argument), shell.safe)?;
    let before = shell.results.count();
    let page = shell.notebook(notebook, &name).await?;
    let look = look(shell);
    shell.show_drawn(&format!("{}\n", terminal(&page, look.width, look.colour).trim_end()))?;
    if shell.results.count() > before {
        shell.told(&format!("the results are _{} to _{}", before + 1, shell.results.count()))?;
    }
    notebooks::check(&page, &name)
}

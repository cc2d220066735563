//! How a command over several periods ends: what failed is told last, and nothing of it keeps anything else.

use crate::error::{CliError, Result};

/// What became of the parts of a command.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Whether anything was done.
    pub done: bool,
    /// What failed, and what to do about it.
    pub failed: Vec<String>,
    /// What to do about some of it, told once.
    pub hint: Option<&'static str>,
    /// Of what some could not be done; the rest was.
    pub partly: Vec<String>,
    /// What is not what it was.
    pub differs: Vec<String>,
    /// Where there was nothing to do, and why.
    pub nothing: Vec<String>,
}

impl Outcome {
    /// Takes an error of a part. It ends a command that has no other part.
    pub fn take(&mut self, part: &str, error: CliError, is_only: bool) -> Result<()> {
        if is_only || matches!(error, CliError::Interrupted(_)) || error.is_broken_pipe() {
            return Err(error);
        }
        match error {
            CliError::Nothing(why) => self.nothing.push(why),
            CliError::Differs(why) => self.differs.push(why),
            CliError::Partly(why) => self.partly.push(why),
            error if part.is_empty() => self.failed.push(error.to_string()),
            error => self.failed.push(format!("{part}: {error}")),
        }
        Ok(())
    }

    /// The end of the command.
    pub fn end(mut self) -> Result<()> {
        self.failed.extend(self.hint.filter(|_| !self.failed.is_empty()).map(str::to_string));
        let told = |texts: Vec<String>| texts.join("\n");
        if !self.failed.is_empty() {
            self.failed.append(&mut self.partly);
        }
        match (self.done, self.nothing) {
            _ if !self.failed.is_empty() => Err(CliError::Failed(told(self.failed))),
            _ if !self.partly.is_empty() => Err(CliError::Partly(told(self.partly))),
            _ if !self.differs.is_empty() => Err(CliError::Differs(told(self.differs))),
            (true, _) => Ok(()),
            (false, nothing) if nothing.is_empty() => Ok(()),
            (false, nothing) => Err(CliError::Nothing(told(nothing))),
        }
    }
}

//! What is done, for whoever looks for a cause: events and spans on stderr.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::error::{CliError, Result};

/// The target of what Nines says of itself.
const OURS: &str = "nines";

/// Begins to say what passes a filter: a level, which is Nines' own then, or targets with their levels.
pub(crate) fn begin(filter: Option<&str>) -> Result<()> {
    let Some(filter) = filter.map(str::trim).filter(|filter| !filter.is_empty()) else { return Ok(()) };
    let is_level = filter.parse::<tracing_subscriber::filter::LevelFilter>().is_ok();
    let whole = if is_level { format!("{OURS}={filter}") } else { filter.to_string() };
    let filter = EnvFilter::try_new(whole).map_err(|error| {
        CliError::Usage(format!(
            "--log {filter:?}: {error}; expected error, warn, info, debug or trace, or targets with their levels, as \
             nines=debug,delta_kernel=warn"
        ))
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        // With how long each took.
        .with_span_events(FmtSpan::CLOSE)
        .init();
    Ok(())
}

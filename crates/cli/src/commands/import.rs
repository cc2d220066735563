//! `nines import`: definitions of other programs become objectives and a mapping; what does not is listed.

use std::path::Path;

use nines_engine::slo::{self, ImportFormat};

use crate::args::Import;
use crate::error::{CliError, Result, doing};
use crate::output::{counted, note, say};

pub(crate) fn run(args: &Import) -> Result<()> {
    let read = |path: &std::path::PathBuf| {
        let text = doing(path.display(), std::fs::read_to_string(path))?;
        Ok((path.display().to_string(), text))
    };
    let files = args.files.iter().map(read).collect::<Result<Vec<_>>>()?;
    let imported = slo::import(args.format, &files);
    for left_out in &imported.left_out {
        note(format_args!("left out: {left_out}"));
    }
    for other in &imported.notes {
        note(format_args!("note: {other}"));
    }
    if imported.objectives.is_empty() {
        return Err(CliError::Failed("nothing was imported".to_string()));
    }
    doing(args.output.display(), std::fs::create_dir_all(&args.output))?;
    let (objectives, mapping) = (args.output.join("objectives.yaml"), args.output.join("mapping.yaml"));
    for (path, text) in [(&objectives, &imported.definitions), (&mapping, &imported.mapping)] {
        put(path, text)?;
    }
    let (objectives, mapping) = (objectives.display(), mapping.display());
    let from = match args.format {
        // Datadog hands out no counters: they come from whoever sends them there.
        ImportFormat::Datadog => format!("nines ingest otlp FILE --mapping {mapping}, or nines ingest samples"),
        _ => format!("nines ingest prometheus --mapping {mapping} --url http://localhost:9090 --from 2026-10-01"),
    };
    say(&format!(
        "imported    {}\nwritten     {objectives}, {mapping}\nleft out    {}\n\nnext        {from}\n            nines apply {objectives}\n",
        counted(imported.objectives.len() as u64, "objective", "objectives"),
        imported.left_out.len()
    ))
}

/// Writes a file that is not there, or is there as it would be written: what a person changed in it is not lost.
fn put(path: &Path, text: &str) -> Result<()> {
    match std::fs::read_to_string(path) {
        Ok(before) if before == text => Ok(()),
        Ok(_) => Err(CliError::Usage(format!(
            "{} is there already and says something else; move it away, or give another folder with --output",
            path.display()
        ))),
        Err(_) => doing(path.display(), std::fs::write(path, text)),
    }
}

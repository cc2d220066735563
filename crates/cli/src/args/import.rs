//! The command line of `nines import`.

use std::path::PathBuf;

use nines_engine::slo::ImportFormat;

#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// Whose definitions they are: sloth, pyrra, with queries of Prometheus openslo, slo-generator or nobl9, or datadog
    #[arg(value_parser = format)]
    pub format: ImportFormat,

    /// The definitions; of datadog what its SLO API answers
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// The folder for objectives.yaml, to be applied, and mapping.yaml, for nines ingest prometheus, otlp or samples
    #[arg(short, long, value_name = "FOLDER", default_value = ".")]
    pub output: PathBuf,
}

fn format(name: &str) -> Result<ImportFormat, String> {
    let names = ImportFormat::ALL.map(ImportFormat::name);
    let found = ImportFormat::ALL.into_iter().find(|format| format.name() == name);
    found.ok_or_else(|| format!("expected one of {}", names.join(", ")))
}

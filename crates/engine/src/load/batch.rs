//! The name of a batch: the hash of its content and of what shapes its rows, so that the same delivery is recognised.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, stream};
use nines_ingest::{FromField, Hash, Progress, first_64_bits, hex};
use nines_store::Batch;

use crate::{EngineError, Load, Result};

/// Hexadecimal digits of the hash that names a batch which was given no name.
const DIGITS: usize = 32;

/// A file and all that its path says about how it is read: the format, as told or found.
pub(super) struct Content {
    pub path: PathBuf,
    pub read_as: String,
}

/// The batch that these files are; `None` if they cannot be hashed before they are read, as a pipe. Reads all of them.
pub(super) fn batch(
    load: &Load,
    files: &[Content],
    time_zone: &str,
    progress: &Arc<Progress>,
) -> Result<Option<Batch>> {
    if let Some(pipe) = files.iter().find(|file| file.path.exists() && !file.path.is_file()) {
        return match load.batch {
            Some(_) => Err(EngineError::Usage(format!("{}: only files can be a --batch", pipe.path.display()))),
            None => Ok(None),
        };
    }
    // A delivery is the same whatever the order of its files.
    let mut contents = Vec::new();
    for file in files {
        contents.push(Hash::new().field(&file.read_as).file(&file.path, progress)?.finish());
    }
    contents.sort_unstable();
    let shaped = Hash::new()
        .field(load.table.name())
        .optional(load.select.as_ref())
        .optional(load.business.as_ref())
        .optional(load.service.as_ref())
        .optional(load.source.as_ref())
        .field(time_zone);
    let shaped = match load.latency_unit {
        Some(unit) => shaped.field(unit.name()),
        None => shaped,
    };
    let shaped = match &load.log_format {
        Some(format) => shaped.field(format.text()),
        None => shaped,
    };
    let shaped = match shape(load) {
        shape if shape.is_empty() => shaped,
        shape => shaped.field(&shape),
    };
    let hash = contents.into_iter().fold(shaped, Hash::field).finish();
    let source = load.source.clone().unwrap_or_default();
    let id = load.batch.clone().unwrap_or_else(|| hex(&hash, DIGITS));
    Ok(Some(Batch::new(source, id, first_64_bits(&hash))))
}

/// What fills columns from other fields and names endpoints; empty where nothing is said.
fn shape(load: &Load) -> String {
    let mut shape: Vec<String> = load.from.iter().map(FromField::option).collect();
    shape.extend(load.causes.given.iter().map(|(text, cause)| format!("--cause {text}={cause}")));
    shape.extend(load.endpoints.options());
    shape.join("\0")
}

/// Size and time of change of files, before they are hashed and again after they were read: the rows that are stored must be
/// those whose hash names the batch.
#[derive(Clone)]
pub(super) struct Stamps(Vec<(PathBuf, Option<(u64, SystemTime)>)>);

impl Stamps {
    pub(super) fn of<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> Self {
        Self(files.into_iter().filter(|file| file.is_file()).map(|file| (file.clone(), stamp(file))).collect())
    }

    /// The rows, and at their end an error if a file has changed meanwhile.
    pub(super) fn checked_after(&self, rows: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let (schema, stamps) = (rows.schema(), self.clone());
        let end = stream::once(async move {
            stamps.0.iter().find(|(file, before)| stamp(file) != *before).map(|(file, _)| {
                let problem =
                    format!("{}: it changed while it was read; nothing is stored, ingest it again", file.display());
                Err(DataFusionError::External(Box::new(EngineError::Usage(problem))))
            })
        });
        let rows = rows.chain(end.filter_map(|changed| async move { changed }));
        Box::pin(RecordBatchStreamAdapter::new(schema, rows))
    }
}

fn stamp(file: &Path) -> Option<(u64, SystemTime)> {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nines_store::TableKind;

    #[test]
    fn a_batch_is_its_content_and_what_shapes_its_rows() {
        let folder = tempfile::tempdir().unwrap();
        let content = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            Content { path, read_as: "csv".to_string() }
        };
        let (a, b) = (content("a", "time\n1\n"), content("b", "time\n2\n"));
        let (same, json) = (content("same", "time\n1\n"), Content { path: a.path.clone(), read_as: "jsonl".into() });
        let load = Load::new(TableKind::Requests, Vec::new());
        let named = |load: &Load, files: &[&Content], zone: &str| {
            let files: Vec<_> =
                files.iter().map(|file| Content { path: file.path.clone(), read_as: file.read_as.clone() }).collect();
            batch(load, &files, zone, &Arc::default()).unwrap().unwrap()
        };
        let first = named(&load, &[&a, &b], "UTC");
        assert_eq!((first.source.as_str(), first.id.len()), ("", DIGITS));
        assert_eq!(named(&load, &[&b, &same], "UTC"), first, "order and names of files say nothing");
        let web = Load { service: Some("web".into()), ..load.clone() };
        let edge = Load { source: Some("edge".into()), ..load.clone() };
        let select = Load { select: Some("SELECT * FROM input".into()), ..load.clone() };
        let other = [
            named(&load, &[&a], "UTC"),
            named(&load, &[&a, &a], "UTC"),
            named(&load, &[&json, &b], "UTC"),
            named(&load, &[&a, &b], "Asia/Shanghai"),
            named(&web, &[&a, &b], "UTC"),
            named(&edge, &[&a, &b], "UTC"),
            named(&select, &[&a, &b], "UTC"),
        ];
        assert!(other.iter().all(|other| other.id != first.id && other.content != first.content));
        let given = Load { batch: Some("monday".into()), ..edge };
        let given = named(&given, &[&a, &b], "UTC");
        assert_eq!((given.source.as_str(), given.id.as_str(), given.content), ("edge", "monday", other[5].content));
    }

    #[test]
    fn what_can_be_read_only_once_is_no_batch() {
        let null = [Content { path: "/dev/null".into(), read_as: "csv".into() }];
        let mut load = Load::new(TableKind::Requests, Vec::new());
        assert!(batch(&load, &null, "UTC", &Arc::default()).unwrap().is_none());
        load.batch = Some("monday".into());
        let said = batch(&load, &null, "UTC", &Arc::default()).unwrap_err().to_string();
        assert_eq!(said, "/dev/null: only files can be a --batch");
    }
}

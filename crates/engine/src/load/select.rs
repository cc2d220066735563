//! The table `input`: files, or what is new in them, as a query reads them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use datafusion::dataframe::DataFrame;
use datafusion::prelude::ParquetReadOptions;
use nines_ingest::table::{AsText, Source};
use nines_ingest::{Format, Piece, Progress, Rejected};
use url::Url;

use crate::files::provider::FileProvider;
use crate::{EngineError, Load, Result, Session};

impl Session {
    /// The files as a table, columns by their names, and what counts the rows that are read of them. Of pieces, the columns are
    /// those of all of them and the rows those of one.
    pub(super) async fn input(
        &self,
        load: &Load,
        pieces: Option<(&[Piece], usize)>,
        rejected: Option<&Arc<Rejected>>,
        progress: &Arc<Progress>,
    ) -> Result<(DataFrame, Arc<AtomicU64>)> {
        // Whatever its values look like, a column that the table keeps as text is text.
        let schema = load.table.schema(nines_store::DEFAULT_SLICE_SECONDS);
        let texts = schema.fields().iter().filter(|field| field.data_type().is_string());
        let texts = AsText::Named(texts.map(|field| field.name().clone()).collect());
        let (mut sources, mut parquet, mut only) = (Vec::new(), Vec::new(), None);
        match pieces {
            Some((pieces, wanted)) => {
                for (at, piece) in pieces.iter().enumerate() {
                    if at == wanted && piece.format() != Format::Parquet {
                        only = Some(sources.len());
                    }
                    match piece.format() {
                        Format::Parquet if at == wanted => parquet.push(piece.path().to_path_buf()),
                        Format::Parquet => {}
                        _ => sources.push(Source::of_piece(piece.clone())),
                    }
                }
                if only.is_none() {
                    sources.clear();
                }
            }
            None => return self.input_of(&load.files, load.format, texts, rejected, progress).await,
        }
        self.table_of((sources, &parquet), only, texts, rejected, progress).await
    }

    /// Files as a table, columns by their names, and what counts the rows that are read of them.
    pub(super) async fn input_of(
        &self,
        files: &[PathBuf],
        format: Option<Format>,
        as_text: AsText,
        rejected: Option<&Arc<Rejected>>,
        progress: &Arc<Progress>,
    ) -> Result<(DataFrame, Arc<AtomicU64>)> {
        let (mut sources, mut parquet) = (Vec::new(), Vec::new());
        for file in files {
            match format.map_or_else(|| nines_ingest::detect(file), Ok)? {
                Format::Parquet => parquet.push(file.clone()),
                format => sources.push(Source::new(file, Some(format))),
            }
        }
        self.table_of((sources, &parquet), None, as_text, rejected, progress).await
    }

    async fn table_of(
        &self,
        (mut sources, parquet): (Vec<Source>, &[PathBuf]),
        only: Option<usize>,
        as_text: AsText,
        rejected: Option<&Arc<Rejected>>,
        progress: &Arc<Progress>,
    ) -> Result<(DataFrame, Arc<AtomicU64>)> {
        let context = self.context();
        let mut counted = Arc::default();
        let mut all: Option<DataFrame> = None;
        if !sources.is_empty() {
            sources.iter_mut().for_each(|source| source.rejected = rejected.cloned());
            let zone = self.settings().time_zone.name();
            let provider = FileProvider::open(sources, as_text, zone, progress.clone()).await?.only(only);
            progress.add_headers(provider.headers());
            counted = provider.counted();
            all = Some(context.read_table(Arc::new(provider))?);
        }
        for file in parquet {
            let extension = extension(file);
            let parquet = ParquetReadOptions { file_extension: &extension, ..ParquetReadOptions::default() };
            let frame = context.read_parquet(location(file)?, parquet).await?;
            // Files read as one would take their columns from the first, by place.
            all = Some(match all {
                Some(before) => before.union_by_name(frame)?,
                None => frame,
            });
        }
        let all = all.ok_or_else(|| EngineError::Usage("no file to load".to_string()))?;
        Ok((all, counted))
    }
}

/// All that the names of the files say about how they are read.
pub(super) fn read_as(files: &[PathBuf], format: Option<Format>) -> Result<String> {
    let (format, extension) = first(files, format)?;
    Ok(format!("{format} {}", delimiter(&extension)))
}

/// What the first file decides for all: format, and extension.
fn first(files: &[PathBuf], format: Option<Format>) -> Result<(Format, String)> {
    let Some(first) = files.first() else {
        return Err(EngineError::Usage("no file to load".to_string()));
    };
    let format = match format {
        Some(format) => format,
        None => nines_ingest::detect(first)?,
    };
    Ok((format, extension(first)))
}

/// DataFusion wants to be told how the name ends.
fn extension(file: &Path) -> String {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.split_once('.').map_or("", |(_, extension)| extension).to_string()
}

fn delimiter(extension: &str) -> u8 {
    if extension.starts_with("tsv") { b'\t' } else { b',' }
}

/// Where a file is, as DataFusion takes it: a bare path with `[` or `*` in it would be a pattern.
fn location(file: &Path) -> Result<String> {
    let failed = |error: std::io::Error| EngineError::Usage(format!("{}: {error}", file.display()));
    let url = Url::from_file_path(std::path::absolute(file).map_err(failed)?)
        .map_err(|()| EngineError::Usage(format!("{}: the path cannot be written as a URL", file.display())))?;
    Ok(url.into())
}

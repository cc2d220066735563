//! `FROM 'file'`: a name that no table has is looked for among the files.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use datafusion::catalog::{TableProvider, UrlTableFactory};
use datafusion::common::{internal_datafusion_err, plan_datafusion_err, plan_err};
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::Result;
use datafusion::execution::SessionState;
use nines_ingest::table::{AsText, Source};
use nines_ingest::{ErrorKind, Format};
use url::Url;

use super::named::{Named, constants, named};
use super::provider::{FileProvider, refused, zone};
use crate::catalog::SharedState;

/// Makes a table of files that SQL names.
#[derive(Debug, Default)]
pub(super) struct Urls {
    session: OnceLock<SharedState>,
}

impl Urls {
    /// Says whose time zone and memory are used; once the session is there.
    pub fn belongs_to(&self, session: SharedState) {
        // A session is made once.
        let _ = self.session.set(session);
    }

    fn state(&self) -> Result<SessionState> {
        let session = self.session.get().and_then(|session| session.upgrade());
        Ok(session.ok_or_else(|| internal_datafusion_err!("the session is gone"))?.read().clone())
    }
}

#[async_trait]
impl UrlTableFactory for Urls {
    async fn try_new(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(found) = named(name)? else { return Ok(None) };
        let mut formats = Vec::new();
        for file in &found.files {
            match nines_ingest::detect(file) {
                Ok(format) => formats.push(format),
                // A table that is not there may have the name of a file that is no table.
                Err(_) if !name.contains(['/', '.']) => return Ok(None),
                Err(error) if error.kind() != ErrorKind::UnknownFormat => return Err(refused(error)),
                Err(error) => {
                    let advice = "Name it with an ending that says what it is: .csv, .tsv, .jsonl, .json, .ics, .log or .parquet";
                    return Err(refused(error.advice(advice)));
                }
            }
        }
        let Some(&first) = formats.first() else {
            return plan_err!("{name}: there is no file in it whose name ends as that of a table, such as .csv");
        };
        if formats.iter().any(|&format| format != first) {
            return plan_err!("{name} has files of several formats; name those of one, as '{name}/*.{first}'");
        }
        let state = self.state()?;
        if first == Format::Parquet {
            return parquet(&found, &state).await.map(Some);
        }
        let sources = found.files.iter().zip(formats).map(|(file, format)| {
            let mut source = Source::new(file, Some(format));
            if found.is_several {
                source.constants = constants(&found.base, file);
            }
            source
        });
        let provider = FileProvider::open(sources.collect(), AsText::default(), &zone(&state), Arc::default()).await?;
        Ok(Some(Arc::new(provider)))
    }
}

/// Parquet files as DataFusion reads them, with the columns that the names of folders give.
async fn parquet(found: &Named, state: &SessionState) -> Result<Arc<dyn TableProvider>> {
    let folder = found.is_several && found.base.is_dir() && found.files.iter().all(|file| is_below(&found.base, file));
    let places = if folder && found.files.iter().any(|file| file.parent() != Some(&found.base)) {
        vec![url(&found.base)?]
    } else {
        found.files.iter().map(|file| url(file)).collect::<Result<_>>()?
    };
    let format = ParquetFormat::default().with_options(state.table_options().parquet.clone());
    let options = ListingOptions::new(Arc::new(format)).with_file_extension("");
    let config = ListingTableConfig::new_with_multi_paths(places).with_listing_options(options);
    let config = config.infer_partitions_from_path(state).await?.infer_schema(state).await?;
    Ok(Arc::new(ListingTable::try_new(config)?))
}

fn is_below(base: &Path, file: &Path) -> bool {
    file.starts_with(base)
}

/// The place of a file or folder: a bare path with `[` or `*` in it would be a pattern.
fn url(path: &Path) -> Result<ListingTableUrl> {
    let absolute = std::path::absolute(path)?;
    let made = if absolute.is_dir() { Url::from_directory_path(&absolute) } else { Url::from_file_path(&absolute) };
    let made = made.map_err(|()| plan_datafusion_err!("{}: the path cannot be written as a URL", path.display()))?;
    ListingTableUrl::parse(made)
}

//! `nines run`: a notebook becomes a page.

use std::path::Path;

use nines_engine::Settings;

use super::page;
use crate::args::Run;
use crate::error::Result;
use crate::notebooks;
use crate::opened;

pub(crate) async fn run(settings: Settings, args: Run) -> Result<()> {
    let format = page::format(args.format, args.output.as_deref())?;
    let named = notebooks::find(&args.notebook, Path::new(&args.notebook), false)?;
    page::keeps(Path::new(&args.notebook), args.output.as_deref())?;
    let settings = Settings { files: !args.safe, writes: !args.safe, ..settings };
    let engine = opened::open_as_of(settings, &args.as_of).await?;
    page::needs_store(&engine, &args.notebook)?;
    let page = page::made(&engine, &named, &page::given(&args.running), &args.running).await?;
    page::put(&page, format, args.output.as_deref())?;
    opened::tell_as_of(&engine);
    notebooks::check(&page, &named.name)
}

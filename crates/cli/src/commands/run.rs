//! `nines run`: a notebook becomes a page.

use nines_engine::{Engine, Settings};

use super::page;
use crate::args::Run;
use crate::error::Result;

pub(crate) async fn run(settings: Settings, args: Run) -> Result<()> {
    let format = page::format(args.format, args.output.as_deref())?;
    let named = page::find(&args.notebook)?;
    let engine = Engine::open(settings).await?;
    let page = page::made(&engine, &named, &page::given(&args.running), &args.running).await?;
    page::put(&page, format, args.output.as_deref())?;
    page::check(&page, &named.name)
}

//! `nines run`: a notebook becomes a page.

use std::path::Path;

use super::page;
use nines_engine::Role;

use crate::args::Run;
use crate::error::Result;
use crate::notebooks;
use crate::opened::{self, Opening};

pub(crate) async fn run(opening: Opening, args: Run) -> Result<()> {
    let format = page::format(args.format, args.output.as_deref())?;
    let named = notebooks::find(&args.notebook, Path::new(&args.notebook), false)?;
    page::keeps(Path::new(&args.notebook), args.output.as_deref())?;
    let mut opening = opening;
    if args.safe {
        opening.session.role = Role::Reader;
    }
    let session = opened::open_as_of(opening, &args.as_of).await?;
    page::needs_store(&session, &args.notebook)?;
    let page = page::made(&session, &named, &page::given(&args.running), &args.running).await?;
    page::put(&page, format, args.output.as_deref())?;
    opened::tell_as_of(&session);
    notebooks::check(&page, &named.name)
}

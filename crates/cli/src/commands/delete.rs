//! `nines delete`: rows removed on purpose.

use nines_engine::Deleting;
use nines_engine::slo::moment;

use crate::args;
use crate::error::{CliError, Result};
use crate::opened::{self, Opening};
use crate::output::{counted, say};

pub(crate) async fn run(opening: Opening, args: args::Delete) -> Result<()> {
    let session = opened::open(opening).await?;
    if session.store().is_none() {
        return Err(CliError::Usage(format!("there is no store at {}", session.store_url())));
    }
    let mut how = Deleting::default();
    (how.condition, how.reason) = (args.condition, args.reason);
    (how.dry_run, how.issued) = (args.dry_run, args.even_issued);
    let done = session.delete(args.table, &how).await?;
    let name = args.table.name();
    let Some((first, last)) = done.time_range else {
        return say(&format!("{name}  no row matches; nothing was changed\n"));
    };
    let zone = session.time_zone().tz();
    let at =
        |micros| moment::local(micros, zone).map_or_else(String::new, |at| at.format("%Y-%m-%d %H:%M").to_string());
    let (rows, are) = (counted(done.rows, "row", "rows"), if done.rows == 1 { "is" } else { "are" });
    let range = format!("{rows} of {} to {}", at(first), at(last));
    say(&match done.version {
        Some(version) => format!(
            "{name}  {range} {are} deleted; version {version} of {name}. Earlier versions still have them, until: nines gc {name} --now\n"
        ),
        None => format!("{name}  {range} would be deleted\n"),
    })
}

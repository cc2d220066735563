//! The command line of what looks after a store: its history, its room, its copies.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use nines_engine::store::TableKind;

use super::values::{any_table, quantity, table};
use crate::output::Format;

#[derive(Debug, clap::Args)]
pub(crate) struct Gc {
    /// The table [default: all]
    #[arg(value_name = "TABLE", value_parser = any_table)]
    pub table: Option<TableKind>,

    /// Keep the versions of the last so long readable, as 30d, 12h or 8w
    #[arg(long, value_name = "AGE", default_value = "30d", value_parser = age)]
    pub keep: Duration,

    /// Keep the newest version only: what was deleted or replaced before is gone for good. Readers of earlier versions fail
    #[arg(long, conflicts_with = "keep")]
    pub now: bool,

    /// Say what would be removed, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Delete {
    /// The table: requests, events or gauges
    #[arg(value_name = "TABLE", value_parser = any_table)]
    pub table: TableKind,

    /// Which rows: a condition over the table's columns, as behind WHERE in SQL
    #[arg(long = "where", value_name = "SQL")]
    pub condition: String,

    /// Why, for whoever reads the log
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub reason: String,

    /// Delete also rows from which a statement was issued. The statement stays, with its evidence
    #[arg(long)]
    pub even_issued: bool,

    /// Say how many rows would go, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Retain {
    /// The table: requests, events or gauges
    #[arg(value_name = "TABLE", value_parser = table)]
    pub table: TableKind,

    /// Keep the raw rows of the last so long, as 400d: whole UTC days that are older go
    #[arg(value_name = "AGE", value_parser = age)]
    pub keep: Duration,

    /// Remove also rows for which a credit was not issued yet, or may still be complained about
    #[arg(long)]
    pub even_owed: bool,

    /// Say what would go, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Restore {
    /// The table
    #[arg(value_name = "TABLE", value_parser = any_table)]
    pub table: TableKind,

    /// The version whose rows shall be the newest again
    #[arg(long, value_name = "VERSION")]
    pub to: u64,

    /// Say what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Backup {
    /// Where to: a folder that is not there yet, or is empty
    #[arg(value_name = "TO")]
    pub to: String,

    /// An earlier copy: files that it has are not copied again but shared with it, where both are on one file system
    #[arg(long, value_name = "COPY")]
    pub since: Option<String>,
}

/// `30d`, `12h`, `8w`. An `m` is no unit: who means months must not lose all but some minutes.
pub(super) fn age(text: &str) -> Result<Duration, String> {
    let age = quantity(text).and_then(|(number, unit)| {
        let unit = match unit {
            "s" => 1.0,
            "min" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            "w" => 7.0 * 86_400.0,
            _ => return None,
        };
        Some(number * unit)
    });
    match age {
        Some(seconds) if (1.0..1e10).contains(&seconds) => Ok(Duration::from_secs(seconds as u64)),
        _ => Err("expected an age such as 30d, 12h or 8w".to_string()),
    }
}

/// What is said to whoever reads the log.
fn reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("expected why the rows go, in words".to_string()),
        reason => Ok(reason.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        assert_eq!(age("30d"), Ok(Duration::from_secs(30 * 86_400)));
        assert_eq!(age("1.5h"), Ok(Duration::from_secs(5400)));
        for wrong in ["30", "d", "0d", "1y", "12m", "3mo", "-3d", "1e9d", ""] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Refresh {
    /// From when on [default: the first day with rows]
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,

    /// Until when [default: the last day with rows]
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// The table [default: all]
    #[arg(value_name = "TABLE", value_parser = any_table)]
    pub table: Option<TableKind>,

    /// Compare every kept day of every objective with what rows say now, not only some days
    #[arg(long)]
    pub all: bool,

    /// Let go of what is damaged in slo_days and slo_facts, and keep anew what is not what rows say now
    #[arg(long)]
    pub repair_caches: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Log {
    /// The table [default: all but slo_days and slo_facts, which hold what can be computed again]
    #[arg(value_name = "TABLE", value_parser = any_table)]
    pub table: Option<TableKind>,

    /// How many versions, the newest first
    #[arg(long, value_name = "N", default_value_t = 20, conflicts_with = "all", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    pub last: usize,

    /// All versions whose entries are still there
    #[arg(long)]
    pub all: bool,

    /// How to print; with --output told from the file's name [default: table]
    #[arg(long, value_enum)]
    pub format: Option<Format>,

    /// Write to a file, which appears only when it is complete
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Compact {
    /// The table [default: all]
    #[arg(value_name = "TABLE", value_parser = any_table)]
    pub table: Option<TableKind>,

    /// Say what would be merged, and change nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Write files of an older format anew as well: reading them is quicker then
    #[arg(long)]
    pub upgrade: bool,

    /// Write files of other Delta writers anew, too: their rows are vouched for from then on
    #[arg(long)]
    pub adopt: bool,
}

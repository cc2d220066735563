//! The command line of what is said of services: incidents, excluded time, objectives, credits.

use std::path::PathBuf;

use super::AsOf;
use crate::output::Format;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Times are RFC 3339, or without an offset in --time-zone as 2026-10-03 09:12, or a date alone for \
                        its midnight there.\n\
                        Scopes you omit match everything; a scope you give must equal the objective's.\n\
                        What recurs at 02:00 does so whatever the clock did before. A local time that the clock shows twice is the first \
                        one; one that it skips is the instant at which it skips it, and of what it skips whole nothing is excluded."
)]
pub(crate) struct Exclude {
    /// When it begins, or all of it: yesterday, 2026-10-03
    #[arg(required_unless_present_any = ["withdraw", "list"])]
    pub from: Option<String>,

    /// When it is over; left out where FROM is a whole range
    pub to: Option<String>,

    /// Why such time does not count: "Scheduled Maintenance", "Attack", "Customer", "Force Majeure", or any other
    /// name that the agreement uses
    #[arg(long, value_name = "NAME", required_unless_present_any = ["withdraw", "list"])]
    pub category: Option<String>,

    /// What happened
    #[arg(long, value_name = "TEXT", required_unless_present_any = ["withdraw", "list"])]
    pub reason: Option<String>,

    /// Only for this business
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub business: String,

    /// Only for this service
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub service: String,

    /// Only for this customer
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub customer: String,

    /// When the customers were told
    #[arg(long, value_name = "TIME")]
    pub announced: Option<String>,

    /// How often it recurs, FROM TO being the first time: day, weekday, week, '2 weeks', Sunday, 'Monday and Thursday', 'first
    /// Sunday', 'last day' (of the month), month, year, or a rule of RFC 5545 such as 'FREQ=MONTHLY;BYDAY=2TU'. It recurs by
    /// the clock of --time-zone, which stays with it
    #[arg(long, value_name = "RULE")]
    pub every: Option<String>,

    /// With --every: until when it recurs; what would start then or later is not excluded [default: for ever]
    #[arg(long, value_name = "TIME", requires = "every")]
    pub until: Option<String>,

    /// The name under which it is kept [default: made of scope, category, times and rule, so that recording the same
    /// twice changes nothing, and once more with another reason corrects the reason]
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,

    /// Let this one no longer count; what was recorded stays. Of one that recurs: all of it, or one occurrence, by its id
    /// such as X-b31d1a8070a5@2026-10-04
    #[arg(long, value_name = "ID", conflicts_with_all = ["from", "to", "category", "reason", "business", "service",
          "customer", "announced", "every", "until", "id", "list"])]
    pub withdraw: Option<String>,

    /// With --withdraw, of one that recurs: only what starts from then on
    #[arg(long, value_name = "TIME", requires = "withdraw")]
    pub since: Option<String>,

    /// Show those in force; of those that recur how often they did and what comes next
    #[arg(long, conflicts_with_all = ["from", "to", "category", "reason", "business", "service", "customer",
          "announced", "every", "until", "id"])]
    pub list: bool,

    /// With --list: the withdrawn ones too
    #[arg(long, requires = "list")]
    pub all: bool,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Times are RFC 3339, or without an offset in --time-zone as 2026-10-03 09:12, or a date alone for \
                        its midnight there.\n\
                        What is not given stays as it is; '' clears a text or a time."
)]
pub(crate) struct Incident {
    /// The incident, as INC-42. One that is not known yet is recorded, and needs --started
    #[arg(required_unless_present = "list")]
    pub id: Option<String>,

    /// The part of the company that it touches
    #[arg(long, value_name = "NAME")]
    pub business: Option<String>,

    /// The service that it touches
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,

    /// What it was, in a line
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,

    /// How bad it is, in your own words
    #[arg(long, value_name = "TEXT")]
    pub severity: Option<String>,

    /// When it began
    #[arg(long, value_name = "TIME")]
    pub started: Option<String>,

    /// When it was noticed
    #[arg(long, value_name = "TIME")]
    pub detected: Option<String>,

    /// When its cause was known
    #[arg(long, value_name = "TIME")]
    pub located: Option<String>,

    /// When it was over
    #[arg(long, value_name = "TIME")]
    pub fixed: Option<String>,

    /// When that was confirmed
    #[arg(long, value_name = "TIME")]
    pub verified: Option<String>,

    /// Whether failures could not be counted from its beginning until it was fixed
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub telemetry_lost: Option<bool>,

    /// Where to read more
    #[arg(long, value_name = "URL")]
    pub link: Option<String>,

    /// Let it no longer count; what was recorded stays
    #[arg(long, conflicts_with = "restore")]
    pub withdraw: bool,

    /// Let it count again
    #[arg(long)]
    pub restore: bool,

    /// Show all but withdrawn ones
    #[arg(long, conflicts_with_all = ["id", "business", "service", "title", "severity", "started", "detected",
          "located", "fixed", "verified", "telemetry_lost", "link", "withdraw", "restore"])]
    pub list: bool,

    /// With --list: the withdrawn ones too
    #[arg(long, requires = "list")]
    pub all: bool,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Definitions are OpenSLO v1, and agreements of nines/v1. Each is in force from its annotation nines/effective-from; without \
                        one a first version since ever, a later one from now on."
)]
pub(crate) struct Apply {
    /// Files, or folders of .yaml, .yml and .json files
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Check, and show what would be recorded, without recording it
    #[arg(long)]
    pub dry_run: bool,

    /// With --dry-run: show what the proposed definitions say of this range beside those in force. FROM alone may be a
    /// whole range: 'last month', 2026-10
    #[arg(long, num_args = 1..=2, value_names = ["FROM", "TO"], requires = "dry_run")]
    pub compare: Option<Vec<String>>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Slos {
    /// Those in force at this time [default: now]
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,

    /// Only those of this service
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,

    #[command(flatten)]
    pub as_of: AsOf,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 done, 3 nothing to do (nothing is owed, all is issued already, nothing was issued, all the rest waits \
                        for a fee), 4 a statement is no longer what is stored today, 5 some credits could not be worked out, for \
                        example because of their fees, and all others were; others are errors.\n\
                        A period that is longer than a month is named by any month of it, a period of days by its first day.",
    group(clap::ArgGroup::new("drafting").args(["issue", "pending", "pages"]).multiple(true)),
    group(clap::ArgGroup::new("signing").args(["issue", "pending", "approve"]).multiple(true))
)]
pub(crate) struct Credits {
    /// The period: a month such as 2026-10, the first day of a period of days such as 2026-10-05, or last-month: of each agreement in
    /// its own time zone; where periods are of days, the last that is over
    #[arg(required_unless_present_any = ["pending", "all"])]
    pub period: Option<String>,

    /// Issue every period that is over, complete and not issued yet, however old. What was issued stays as it is
    #[arg(long, conflicts_with_all = ["period", "issue", "verify", "moved", "format", "output"])]
    pub pending: bool,

    /// Only under this agreement
    #[arg(long, value_name = "NAME")]
    pub agreement: Option<String>,

    /// Only of this customer
    #[arg(long, value_name = "NAME")]
    pub customer: Option<String>,

    #[command(flatten)]
    pub as_of: AsOf,

    /// Record a statement for each customer and service, with its evidence; a revision where later data say
    /// something else
    #[arg(long, conflicts_with = "verify")]
    pub issue: bool,

    /// With --issue or --pending: record drafts for review, and issue nothing. Drafting again replaces a draft. With --pages: the pages
    /// of the drafts
    #[arg(long, requires = "drafting", conflicts_with_all = ["verify", "moved", "revision"])]
    pub draft: bool,

    /// Issue the drafts of the period. Refused where the data behind a draft changed since
    #[arg(long, conflicts_with_all = ["issue", "draft", "pending", "verify", "moved", "revision"])]
    pub approve: bool,

    /// Sign what is issued with this private key, so that whoever has the public one sees that it was issued here: Ed25519, as `openssl
    /// genpkey -algorithm ed25519` writes it
    #[arg(long, value_name = "KEYFILE", requires = "signing", conflicts_with = "draft")]
    pub sign: Option<PathBuf>,

    /// With --issue: though not all of the period is stored yet
    #[arg(long, requires = "issue")]
    pub incomplete: bool,

    /// With --issue: revise also statements for which rows were deleted since (`nines delete`): by what is left
    #[arg(long, requires = "issue")]
    pub even_deleted: bool,

    /// With --issue: by which rules what was issued is judged again: `current` revises what today's rules judge otherwise
    /// [default: the rules by which it was issued]
    #[arg(long, value_enum, requires = "issue")]
    pub rules: Option<Rules>,

    /// Verify what was issued: from its evidence, and from what is stored today, by the rules by which it was issued
    #[arg(long)]
    pub verify: bool,

    /// With --verify: whether each statement was signed by the private key that belongs to this public one
    #[arg(long, value_name = "PUBLIC.pem", requires = "verify")]
    pub key: Option<PathBuf>,

    /// With --verify: every statement that was ever issued
    #[arg(long, requires = "verify", conflicts_with = "period")]
    pub all: bool,

    /// Say which figures moved since they were issued, and of which days the rows changed since
    #[arg(long, conflicts_with_all = ["issue", "verify", "pages", "format", "output"])]
    pub moved: bool,

    /// Write the statements that were issued as a page for each customer, Markdown and HTML, into this folder, and beside it what
    /// each was worked out from, a line of JSON for each statement
    #[arg(long, value_name = "FOLDER", conflicts_with = "verify")]
    pub pages: Option<PathBuf>,

    /// With --pages: this revision of each statement [default: the last]
    #[arg(long, value_name = "N", requires = "pages", conflicts_with_all = ["issue", "pending"],
          value_parser = clap::value_parser!(u32).range(1..))]
    pub revision: Option<u32>,

    /// Print statements instead of figures, a row for each, whatever became of it: issued, superseded by a later revision, or
    /// waiting for a fee. For accounting; with --issue as they are afterwards
    #[arg(long, conflicts_with_all = ["pending", "verify", "moved", "revision"])]
    pub statements: bool,

    /// How to print figures [default: by the file's name, else table; with --issue none without a file]
    #[arg(long, value_enum, conflicts_with = "verify")]
    pub format: Option<Format>,

    /// Write figures to a file, which appears only when it is complete; {period} in its name is the period's, with a file for each
    #[arg(short, long, value_name = "FILE", conflicts_with = "verify")]
    pub output: Option<PathBuf>,
}

/// The rules of a credit's arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Rules {
    /// Those of this version
    Current,
}

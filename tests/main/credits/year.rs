//! A year is played with a moved clock, in a store of the last version: each month is ingested, paid for and issued as the manual says, and
//! what happens to agreements happens. Amounts and availabilities are worked out here, in fractions, from what was ingested.

use super::due::Store;
use super::{apply, earlier};
use crate::{nines, query};

/// An hour with requests of a customer: its start in UTC, valid and failed ones.
struct Hour {
    customer: &'static str,
    at: &'static str,
    valid: i128,
    failed: i128,
    /// Whether it is excluded, as the calendar of Berlin has it.
    excluded: bool,
}

const fn hour(customer: &'static str, at: &'static str, valid: i128, failed: i128) -> Hour {
    Hour { customer, at, valid, failed, excluded: false }
}

/// One in the maintenance of Sunday.
const fn sunday(customer: &'static str, at: &'static str, valid: i128, failed: i128) -> Hour {
    Hour { customer, at, valid, failed, excluded: true }
}

/// Months, the hours that they have in Berlin, and what happened in them.
const YEAR: [(&str, i128, &[Hour]); 14] = [
    // 0.8 hours of 720: below 99.9 %.
    ("2026-06", 720, &[hour("acme", "2026-06-03T08", 100, 80), hour("nova", "2026-06-03T08", 100, 10)]),
    // 0.744 of 744 is not below 99.9 %, and 0.745 is.
    ("2026-07", 744, &[hour("acme", "2026-07-14T10", 1000, 744), hour("nova", "2026-07-14T10", 1000, 745)]),
    // 7 1/3 hours of 744 are not yet below 99 %, 7 1/2 are.
    (
        "2026-08",
        744,
        &[
            hour("acme", "2026-08-25T08", 10, 10),
            hour("acme", "2026-08-25T09", 10, 10),
            hour("acme", "2026-08-25T10", 10, 10),
            hour("acme", "2026-08-25T11", 10, 10),
            hour("acme", "2026-08-25T12", 10, 10),
            hour("acme", "2026-08-25T13", 10, 10),
            hour("acme", "2026-08-25T14", 10, 10),
            hour("acme", "2026-08-26T10", 2, 1),
            hour("nova", "2026-08-24T22", 7, 2),
        ],
    ),
    ("2026-09", 720, &[hour("acme", "2026-09-10T10", 500, 100), hour("nova", "2026-09-30T21", 9, 9)]),
    // Clocks go back: both hours at 02:00, and the month has one more. By the first version, though there is a second one.
    (
        "2026-10",
        745,
        &[
            hour("acme", "2026-10-25T00", 8, 4),
            hour("acme", "2026-10-25T01", 8, 2),
            hour("nova", "2026-10-20T01", 5, 5),
        ],
    ),
    // By the second one: hours in which more than a tenth fails, maintenance apart.
    (
        "2026-11",
        720,
        &[
            sunday("acme", "2026-11-08T01", 10, 10),
            sunday("acme", "2026-11-08T02", 10, 9),
            hour("acme", "2026-11-08T03", 10, 9),
            hour("acme", "2026-11-12T03", 10, 1),
            hour("nova", "2026-11-12T03", 100, 11),
        ],
    ),
    // What was cancelled is no maintenance. Nova is away from the 11th to the 19th.
    (
        "2026-12",
        744,
        &[
            hour("acme", "2026-12-06T01", 10, 10),
            sunday("acme", "2026-12-13T01", 10, 10),
            hour("nova", "2026-12-05T05", 10, 10),
            hour("nova", "2026-12-28T05", 10, 4),
        ],
    ),
    ("2027-01", 744, &[hour("acme", "2027-01-07T03", 3, 1), hour("nova", "2027-01-08T03", 3, 1)]),
    ("2027-02", 672, &[]),
    // Clocks go forth on the 28th: of the maintenance from 02:00 to 04:00 the hour from 03:00 is left.
    ("2027-03", 743, &[sunday("acme", "2027-03-28T01", 5, 5), hour("acme", "2027-03-28T02", 5, 5)]),
    (
        "2027-04",
        720,
        &[
            hour("acme", "2027-04-01T03", 5, 5),
            hour("acme", "2027-04-02T03", 5, 5),
            hour("acme", "2027-04-03T03", 5, 5),
            hour("acme", "2027-04-29T03", 5, 5),
        ],
    ),
    ("2027-05", 744, &[hour("nova", "2027-05-12T03", 5, 5)]),
    ("2027-06", 720, &[hour("acme", "2027-06-12T03", 20, 2), hour("nova", "2027-06-12T03", 20, 3)]),
    ("2027-07", 744, &[hour("acme", "2027-07-05T00", 5, 5), sunday("acme", "2027-07-11T00", 5, 5)]),
];

fn divisor(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { divisor(b, a % b) }
}

/// A fraction as it is printed.
fn fraction((n, d): (i128, i128)) -> String {
    let by = divisor(n, d);
    format!("{}/{}", n / by, d / by)
}

/// 1 less the mean of the error rates of all hours.
fn mean(hours: i128, of: &[(i128, i128)]) -> (i128, i128) {
    let (mut n, mut d) = (0, 1);
    for (valid, failed) in of {
        (n, d) = (n * valid + failed * d, d * valid);
    }
    (hours * d - n, hours * d)
}

/// The share of hours in which not more than a tenth failed.
fn good(hours: i128, of: &[(i128, i128)]) -> (i128, i128) {
    let bad = of.iter().filter(|(valid, failed)| 10 * failed > *valid).count() as i128;
    (hours - bad, hours)
}

/// The percent of the highest tier, of bounds in millionths and percents, that is missed.
fn credit((n, d): (i128, i128), tiers: [(i128, i128); 2]) -> i128 {
    let missed = tiers.iter().filter(|(bound, _)| n * 1_000_000 < d * bound);
    missed.map(|(_, percent)| *percent).max().unwrap_or(0)
}

/// Percent of cents, rounded half to even, as it is printed.
fn amount(cents: i128, percent: i128) -> String {
    let (whole, rest) = (cents * percent / 100, cents * percent % 100);
    let cents = whole + i128::from(rest > 50 || rest == 50 && whole % 2 == 1);
    format!("{}.{:02}0000", cents / 100, cents % 100)
}

/// What a statement must say of a month: availability, amount, currency.
fn owed(month: &str, customer: &str, hours: i128, of: &[(i128, i128)], (cents, currency): (i128, &str)) -> String {
    let (availability, percent) = match month < "2026-11" {
        true => (mean(hours, of), [(999_000, 10), (990_000, 25)]),
        false => (good(hours, of), [(999_500, 15), (995_000, 30)]),
    };
    format!("{month},{customer},{},{},{currency}", fraction(availability), amount(cents, credit(availability, percent)))
}

/// What was counted of a customer in a month.
fn counted(month: &str, customer: &str) -> (i128, Vec<(i128, i128)>) {
    let (_, hours, happened) = YEAR.iter().find(|(name, ..)| *name == month).unwrap();
    let own = happened.iter().filter(|hour| hour.customer == customer && !hour.excluded);
    (*hours, own.map(|hour| (hour.valid, hour.failed)).collect())
}

/// What a month costs a customer, in cents.
fn fee(month: &str, customer: &str) -> (i128, &'static str) {
    match customer {
        "nova" => (50_000, "EUR"),
        _ if month < "2027-01" => (100_001, "USD"),
        _ => (90_005, "EUR"),
    }
}

const HEADER: &str = "time,service,customer,status,requests\n";

fn rows<'a>(hours: impl IntoIterator<Item = (&'a str, &'a str, i128, i128)>) -> String {
    let line = |(at, customer, valid, failed): (&str, &str, i128, i128)| {
        format!("{at}:00:00Z,api,{customer},200,{}\n{at}:00:00Z,api,{customer},503,{failed}\n", valid - failed)
    };
    hours.into_iter().map(line).collect()
}

struct Year {
    store: Store,
    /// What must have been issued: period, customer, availability, amount, currency, revision.
    ledger: Vec<String>,
}

impl Year {
    /// A command at a time, that ends so; what it said on both streams.
    fn at(&self, now: &str, code: i32, args: &[&str]) -> String {
        let mut command = nines();
        let done = command.env("NINES_NOW", now).arg("--store").arg(&self.store.0).args(args).output().unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert_eq!(done.status.code(), Some(code), "{now}, {args:?}: {text}");
        text
    }

    /// Stores what happened in some days of a month, the first and the last; each day has a row.
    fn ingest(&self, month: &str, [first, last]: [u64; 2]) {
        let (_, _, happened) = YEAR.iter().find(|(name, ..)| *name == month).unwrap();
        let silent: String = (first..=last).map(|day| format!("{month}-{day:02}T12:00:00Z,api,,200,0\n")).collect();
        let days = |hour: &&Hour| hour.at[8..10].parse().is_ok_and(|day: u64| (first..=last).contains(&day));
        let hours = happened.iter().filter(days).map(|hour| (hour.at, hour.customer, hour.valid, hour.failed));
        self.store.put("requests", &format!("{HEADER}{silent}{}", rows(hours)));
    }

    fn corrects(&self, hour: (&str, &str, i128, i128)) {
        self.store.put("requests", &format!("{HEADER}{}", rows([hour])));
    }

    fn fees(&self, month: &str, customers: &[&str]) {
        let line = |customer: &&str| {
            let (cents, currency) = fee(month, customer);
            format!("{month},{customer},api,{currency},{}.{:02}\n", cents / 100, cents % 100)
        };
        let lines: String = customers.iter().map(line).collect();
        self.store.put("fees", &format!("period,customer,service,currency,amount\n{lines}"));
    }

    /// The job of each day, for this agreement: those of the store's earlier years were never paid for after May.
    fn pending(&self, now: &str, code: i32) -> String {
        self.at(now, code, &["credits", "--pending", "--agreement", "api"])
    }

    /// Writes down what must have been issued of a month.
    fn owes(&mut self, month: &str, customers: &[&str]) {
        for customer in customers {
            let (hours, of) = counted(month, customer);
            self.ledger.push(owed(month, customer, hours, &of, fee(month, customer)) + ",1");
        }
    }

    fn issued(&mut self, month: &str, customers: &[&str]) {
        self.owes(month, customers);
        self.check();
    }

    fn check(&mut self) {
        self.ledger.sort();
        let columns = "period, customer, availability_exact, amount, currency, revision";
        let found =
            query(&self.store.0, &format!("SELECT {columns} FROM statements WHERE agreement = 'api' ORDER BY 1, 2, 6"));
        assert_eq!(found, self.ledger);
    }

    /// A month in which all comes in time.
    fn plain(&mut self, month: &str, days: u64, next: &str) {
        self.ingest(month, [1, days]);
        self.fees(month, &BOTH);
        let said = self.pending(&format!("{next}-02T06:00:00Z"), 0);
        assert!(said.contains(&format!("issued     2 statements and 0 revisions for {month}")), "{said}");
        self.issued(month, &BOTH);
    }
}

const BOTH: [&str; 2] = ["acme", "nova"];

fn agreement(from: &str, terms: &str) -> String {
    format!(
        "apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: api, annotations: {{nines/effective-from: {from}}}}}\nspec:\n  \
         service: api\n  period: {{duration: 1M, timeZone: Europe/Berlin}}\n  slice: 1h\n  claimWithin: 60d\n{terms}"
    )
}

const FIRST: &str = "  measure: MeanErrorRate\n  commitment: 99.9%\n  credits: [{below: 99.9%, percent: 10}, {below: 99%, percent: 25}]\n";
const SECOND: &str = "  measure: BadSlices
  bad: errorRate > 10%
  commitment: 99.95%
  credits: [{below: 99.95%, percent: 15}, {below: 99.5%, percent: 30}]
  exclusions: [{category: Maintenance, announced: 3d}]
";

#[test]
fn a_year_is_played() {
    let folder = tempfile::tempdir().unwrap();
    let mut year = Year { store: Store(earlier::store(folder.path())), ledger: Vec::new() };

    // An upgrade: what was issued by rules 1 holds, and revises itself by no command.
    let verified = year.at("2026-06-01T06:00:00Z", 0, &["credits", "--verify", "--all"]);
    assert!(
        verified.ends_with("12 statements hold\n") && verified.contains("Issued by rules 1; by rules 3"),
        "{verified}"
    );
    apply(&year.store.0, &agreement("2026-06-01", FIRST));
    year.pending("2026-06-15T06:00:00Z", 3);

    year.plain("2026-06", 30, "2026-07");
    year.pending("2026-07-03T06:00:00Z", 3);

    // Fees that are late: one of two statements waits.
    year.ingest("2026-07", [1, 31]);
    year.fees("2026-07", &["nova"]);
    let said = year.pending("2026-08-01T06:00:00Z", 0);
    assert!(said.contains("issued     1 statement") && said.contains("waiting    1 statement for a fee"), "{said}");
    year.issued("2026-07", &["nova"]);
    year.pending("2026-08-02T06:00:00Z", 3);
    year.fees("2026-07", &["acme"]);
    year.pending("2026-08-09T06:00:00Z", 0);
    year.issued("2026-07", &["acme"]);

    // Data that are late: nothing is issued, and the days are named.
    year.ingest("2026-08", [1, 20]);
    year.fees("2026-08", &BOTH);
    let said = year.pending("2026-09-01T06:00:00Z", 1);
    assert!(said.contains("2026-08 is not complete for agreement api") && said.contains("2026-08-20"), "{said}");
    year.check();
    year.ingest("2026-08", [21, 31]);
    year.pending("2026-09-04T06:00:00Z", 0);
    year.issued("2026-08", &BOTH);

    // A correction: nothing revises itself; who asks is told, and a revision is issued.
    year.plain("2026-09", 30, "2026-10");
    year.corrects(("2026-09-10T10", "acme", 500, 400));
    year.pending("2026-10-10T06:00:00Z", 3);
    year.check();
    let october = "2026-10-10T07:00:00Z";
    let said = year.at(october, 4, &["credits", "2026-09", "--agreement", "api", "--verify"]);
    assert!(said.contains("api, acme, api, 2026-09, revision 1: evidence holds; TODAY'S DATA DIFFER"), "{said}");
    assert!(said.contains("api, nova, api, 2026-09, revision 1: evidence holds; today's data say the same"), "{said}");
    let said = year.at(october, 0, &["credits", "2026-09", "--agreement", "api", "--issue"]);
    assert!(said.contains("issued     0 statements and 1 revision for 2026-09, 1 unchanged"), "{said}");
    year.ledger.push(owed("2026-09", "acme", 720, &[(500, 400)], fee("2026-09", "acme")) + ",2");
    year.check();
    year.at(october, 0, &["credits", "2026-09", "--agreement", "api", "--verify"]);

    // Other terms from the middle of October on: they count from November on.
    let file = folder.path().join("second.yaml");
    std::fs::write(&file, agreement("2026-10-15", SECOND)).unwrap();
    let said = year.at("2026-10-14T06:00:00Z", 0, &["apply", file.to_str().unwrap()]);
    assert!(said.contains("2026-11"), "{said}");
    year.plain("2026-10", 31, "2026-11");

    // A maintenance on Sundays, announced in time; it recurs without an end.
    let sundays = [
        "--every",
        "Sunday",
        "--id",
        "M",
        "--category",
        "Maintenance",
        "--reason",
        "updates",
        "--time-zone",
        "Europe/Berlin",
    ];
    let times = ["exclude", "2026-11-01 02:00", "2026-11-01 04:00", "--service", "api", "--announced", "2026-10-28"];
    year.at("2026-10-28T06:00:00Z", 0, &[&times[..], &sundays].concat());
    year.plain("2026-11", 30, "2026-12");
    let said = year.at("2026-12-05T06:00:00Z", 0, &["exclude", "--withdraw", "M@2026-12-06"]);
    assert!(said.contains("withdrawn       true"), "{said}");

    // Gone and back within December: two spans, whose fees add up. 10 and 12 days are judged.
    year.ingest("2026-12", [1, 31]);
    year.fees("2026-12", &["acme"]);
    year.store.put(
        "fees",
        "period,customer,service,currency,amount,active_from,active_until,span\n\
         2026-12,nova,api,EUR,160.15,,2026-12-10T23:00:00Z,first\n2026-12,nova,api,EUR,190.10,2026-12-19T23:00:00Z,,second\n",
    );
    year.corrects(("2026-12-15T05", "nova", 10, 10));
    year.pending("2027-01-02T06:00:00Z", 0);
    let (_, of) = counted("2026-12", "nova");
    year.ledger.push(owed("2026-12", "nova", 22 * 24, &of, (35_025, "EUR")) + ",1");
    year.issued("2026-12", &["acme"]);

    // Rows of November may still be complained about.
    let said = year.at("2027-01-15T06:00:00Z", 1, &["retain", "requests", "40d"]);
    assert!(
        said.contains(
            "agreement api for 'acme', api, 2026-11 can be complained about until 2027-01-30 00:00 Europe/Berlin"
        ),
        "{said}"
    );

    // Another currency from January on; a slip of the pen concerns its customer alone.
    year.ingest("2027-01", [1, 31]);
    let wrong = folder.path().join("wrong.csv");
    std::fs::write(&wrong, "period,customer,service,currency,amount\n2027-01,acme,api,EURO,900.05\n").unwrap();
    let said = year.at("2027-02-01T05:00:00Z", 1, &["ingest", "fees", wrong.to_str().unwrap()]);
    assert!(said.contains("\"EURO\" is no currency"), "{said}");
    year.fees("2027-01", &BOTH);
    let other = |withdrawn: bool| {
        format!("period,customer,service,currency,amount,span,withdrawn\n2027-01,nova,api,USD,1,second,{withdrawn}\n")
    };
    year.store.put("fees", &other(false));
    let said = year.pending("2027-02-01T06:00:00Z", 5);
    assert!(said.contains("failed: api, nova, api") && said.contains("1 credit could not be worked out"), "{said}");
    year.issued("2027-01", &["acme"]);
    year.store.put("fees", &other(true));
    year.pending("2027-02-01T07:00:00Z", 0);
    year.issued("2027-01", &["nova"]);

    year.plain("2027-02", 28, "2027-03");

    // Retention: rows of which credits were never issued stay, unless it is said that they go.
    let said = year.at("2027-03-05T06:00:00Z", 1, &["retain", "requests", "95d"]);
    assert!(said.contains("was not issued yet; nothing was removed"), "{said}");
    year.at("2027-03-05T06:00:00Z", 0, &["retain", "requests", "95d", "--even-owed"]);
    let said = year.at("2027-03-05T07:00:00Z", 4, &["credits", "2026-09", "--agreement", "api", "--verify"]);
    assert_eq!(said.matches("evidence holds; today's data no longer cover the period").count(), 2, "{said}");
    year.at("2027-03-05T07:00:00Z", 1, &["credits", "2026-09", "--agreement", "api", "--issue", "--incomplete"]);
    year.pending("2027-03-05T08:00:00Z", 3);
    year.check();

    year.plain("2027-03", 31, "2027-04");
    year.plain("2027-04", 30, "2027-05");
    // A month that was missed is caught up with the next.
    for (month, days) in [("2027-05", 31), ("2027-06", 30)] {
        year.ingest(month, [1, days]);
        year.fees(month, &BOTH);
    }
    let said = year.pending("2027-07-02T06:00:00Z", 0);
    assert!(said.contains("2 statements and 0 revisions for 2027-05"), "{said}");
    assert!(said.contains("2 statements and 0 revisions for 2027-06"), "{said}");
    year.owes("2027-05", &BOTH);
    year.issued("2027-06", &BOTH);
    year.plain("2027-07", 31, "2027-08");

    // The audit: all evidence holds; of what is older than what is kept there is nothing to compare it with.
    let said = year.at("2027-08-05T06:00:00Z", 4, &["credits", "--verify", "--all"]);
    let of = |what: &str| said.lines().filter(|line| line.starts_with("api, ") && line.ends_with(what)).count();
    assert_eq!(of("evidence holds; today's data no longer cover the period"), 2 * 6, "{said}");
    assert_eq!(of("evidence holds; today's data say the same"), 2 * 8, "{said}");
    assert!(!said.contains("DOES NOT HOLD") && !said.contains("DIFFER") && !said.contains("NEVER ISSUED"), "{said}");
    assert_eq!(said.matches(": evidence holds").count(), 12 + 28, "{said}");
    year.check();
    assert_eq!(year.ledger.len(), 2 * 14 + 1);
}

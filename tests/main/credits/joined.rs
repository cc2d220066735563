//! How fees and requests are joined: what waits, what fails alone, and what is told.

use assert_cmd::Command;
use std::path::{Path, PathBuf};

use super::{SECOND, apply, fees, ingest, silent};
use crate::{fails, nines, query, run};

const AGREEMENT: &str = "apiVersion: nines/v1
kind: Agreement
metadata: {name: gateway}
spec:
  service: gateway
  period: {duration: 1M, timeZone: UTC}
  slice: 1m
  measure: Occurrences
  commitment: 99.9%
  credits: [{below: 99.9%, percent: 10}]
  minPayout: 1.00 EUR
";

/// A store with half of the requests of these customers failed in September.
fn store(folder: &Path, customers: &[&str]) -> PathBuf {
    let store = folder.join("store");
    let september = "2026-09-01T00:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_micros();
    let last = september + (30 * 1440 - 1) * 60 * SECOND;
    for customer in customers {
        ingest(&store, 60, customer, &[(september, 10, 5), (last, 10, 0)]);
    }
    silent(&store, "gateway", "", "2026-09-01", 30);
    apply(&store, AGREEMENT);
    store
}

fn credits(store: &Path, more: &[&str]) -> Command {
    let mut command = nines();
    command.arg("--store").arg(store).args(["credits", "2026-09"]).args(more);
    command
}

/// What a command that must be done says on both streams.
fn said(command: &mut Command) -> (String, String) {
    let done = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    (text(done.stdout), text(done.stderr))
}

const ISSUED: &str = "SELECT customer, revision, amount, currency FROM statements ORDER BY 1, 2";

#[test]
fn one_bad_fee_blocks_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), &["acme", "nova"]);
    fees(&store, "2026-09,acme,gateway,USD,100,,,\n2026-09,nova,gateway,EUR,100,,,\n");
    let why = "gateway, acme, gateway: the fee is in USD, but the agreement's minPayout is in EUR";
    for more in [&["--issue"][..], &[], &["--issue"]] {
        let said = fails(5, &mut credits(&store, more));
        assert!(
            said.contains(&format!("failed: {why}")) && said.contains("1 credit could not be worked out"),
            "{said}"
        );
        assert!(!said.contains("waits"), "{said}");
    }
    assert_eq!(query(&store, ISSUED), ["nova,1,10.000000,EUR"]);
    // It concerns nobody who is asked for without it.
    said(&mut credits(&store, &["--customer", "nova"]));
    let sql = "SELECT customer, availability, fee_base, amount, currency FROM credits('2026-09')";
    let ask = |more: &str| {
        said(nines().arg("--store").arg(&store).args(["sql", "--format", "csv", &format!("{sql} {more}")]))
    };
    let (rows, told) = ask("ORDER BY 1");
    assert!(rows.contains("\nacme,75.000000,,,\nnova,75.000000,100.000000,10.000000,EUR\n"), "{rows}");
    assert!(told.contains("no amount could be worked out for agreement gateway, customer 'acme'"), "{told}");
    for others in ["customer = 'nova'", "customer LIKE 'n%' AND amount > 0", "agreement = 'other'"] {
        assert_eq!(ask(&format!("WHERE {others}")).1, "", "{others}");
    }
    let verified = run(&mut credits(&store, &["--verify"]));
    assert!(verified.ends_with("1 statements hold\n"), "{verified}");

    fees(&store, "2026-09,acme,gateway,EUR,50,,,\n");
    run(&mut credits(&store, &["--issue"]));
    assert_eq!(query(&store, ISSUED), ["acme,1,5.000000,EUR", "nova,1,10.000000,EUR"]);

    // What was issued stays while its fee is wrong.
    fees(&store, "2026-09,acme,gateway,USD,50,,,\n");
    fails(5, &mut credits(&store, &["--issue"]));
    let said = fails(4, &mut credits(&store, &["--verify"]));
    assert!(said.contains("1 of 2 statements are no longer"), "{said}");
    assert_eq!(query(&store, ISSUED).len(), 2);
}

#[test]
fn a_quarter_in_two_currencies_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), &["acme", "nova"]);
    apply(&store, &AGREEMENT.replace("name: gateway", "name: quarter").replace("1M", "1Q"));
    fees(
        &store,
        "2026-07,acme,gateway,USD,1,,,\n2026-09,acme,gateway,EUR,100,,,\n2026-07,nova,gateway,EUR,100,,,\n\
         2026-09,nova,gateway,EUR,100,,,\n",
    );
    let said = fails(5, &mut credits(&store, &["--issue", "--agreement", "quarter", "--incomplete"]));
    assert!(said.contains(
        "failed: quarter, acme, gateway: the fees of 'acme' for gateway are in USD and, for 2026-09, in EUR"
    ));
    assert_eq!(query(&store, ISSUED), ["nova,1,20.000000,EUR"]);
}

#[test]
fn a_statement_waits_for_its_fee() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), &["acme", "nova"]);
    let said_nothing = fails(3, &mut credits(&store, &["--issue"]));
    assert!(said_nothing.contains("nothing to issue now; 2 statements wait for a fee"), "{said_nothing}");
    assert!(said_nothing.contains("note: 'acme' has requests for gateway and no fee: under gateway nothing is issued"));
    fees(&store, "2026-09,nova,gateway,EUR,100,,,\n");
    let (told, _) = said(&mut credits(&store, &["--issue"]));
    assert!(told.contains("issued     1 statement") && told.contains("waiting    1 statement for a fee"), "{told}");
    assert_eq!(query(&store, ISSUED), ["nova,1,10.000000,EUR"]);
    assert!(run(&mut credits(&store, &["--verify"])).ends_with("1 statements hold\n"), "what waits is not missing");
    let again = fails(3, &mut credits(&store, &["--issue"]));
    assert!(again.contains("1 statement waits for a fee"), "{again}");
    // A fee of nothing is one.
    fees(&store, "2026-09,acme,gateway,EUR,0,,,\n");
    run(&mut credits(&store, &["--issue"]));
    assert_eq!(query(&store, ISSUED), ["acme,1,0.000000,EUR", "nova,1,10.000000,EUR"]);
    assert!(fails(3, &mut credits(&store, &["--issue"])).contains("it was issued before"));
}

#[test]
fn what_does_not_match_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), &["acme", "late", "nova"]);
    let rows = "2026-09,Acme ,gateway,EUR,100,,,\n2026-09,nova,gateway,EUR,100,,,\n2026-09,silent,gateway,EUR,100,,,\n\
                2026-09,late,gateway,EUR,100,,2026-10-02T00:00:00Z,\n2026-09,nova,storage,EUR,7,,,\n\
                2026-09,gone,gateway,EUR,5,,,2026-09-01T00:00:00Z\n";
    fees(&store, rows);
    apply(&store, &AGREEMENT.replace("name: gateway", "name: all").replace("service: gateway", "service: \"gate*\""));
    // Nor if one customer is asked for, and the rows of the others are not read.
    let told = fails(3, &mut credits(&store, &["--issue", "--agreement", "gateway", "--customer", "Acme "]));
    assert!(told.contains("note: the fee of 'Acme ' for 'gateway' and the requests of 'acme'"), "{told}");
    assert!(!told.contains("no traffic"), "{told}");
    let (_, told) = said(&mut credits(&store, &["--issue", "--agreement", "gateway"]));
    for line in [
        "the fee of 'Acme ' for 'gateway' and the requests of 'acme' for 'gateway' have names that differ in case or blanks alone",
        "no traffic: 'silent' has a fee for gateway and no request that gateway counts; the availability is 100 %",
        "the fee of 'late' for gateway in 2026-09 is not counted: active_from of its row is 2026-10-02T00:00:00+00:00",
        "the fee of 'gone' for gateway in 2026-09 is not counted: active_until of its row is 2026-09-01T00:00:00+00:00",
    ] {
        assert!(told.contains(&format!("note: {line}")), "{line}\n{told}");
    }
    assert!(!told.contains("storage"), "{told}");
    let issued = ["nova,1,10.000000,EUR", "silent,1,0.000000,EUR"];
    assert_eq!(query(&store, ISSUED), issued, "whose fee it is, is not guessed");
    let (_, told) = said(&mut credits(&store, &[]));
    assert!(told.contains("note: 'nova' has a fee for storage, but no agreement covers"), "{told}");
}

#[test]
fn statuses_are_classes_and_ranges_in_figures_too() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let rows = [
        (200, "", 80),
        (404, "", 10),
        (499, "client_abort", 3),
        (502, "upstream_timeout", 4),
        (503, "", 5),
        (504, "", 6),
    ];
    let rows =
        rows.map(|(status, cause, count)| format!("2026-09-01T00:00:00Z,gateway,acme,{status},{cause},{count}\n"));
    let file = folder.path().join("r.csv");
    std::fs::write(&file, format!("time,service,customer,status,cause,requests\n{}", rows.concat())).unwrap();
    run(nines().arg("--store").arg(&store).args(["ingest", "requests", "--any-time"]).arg(&file));
    let figures = |more: &str| {
        apply(
            &store,
            &AGREEMENT
                .replace("  credits:", &format!("{more}  credits:"))
                .replace("name: gateway}", "name: gateway, annotations: {nines/effective-from: 2026-01-01}}"),
        );
        query(&store, "SELECT valid, failed FROM credits('2026-09')")
    };
    assert_eq!(figures(""), ["108,15"]);
    assert_eq!(figures("  valid: {except: [4xx, 504]}\n"), ["89,9"]);
    // A cause is read first, then the narrowest statuses.
    assert_eq!(figures("  causes: {5xx: nobody}\n"), ["108,4"]);
    assert_eq!(figures("  causes: {502-504: nobody, \"503\": service, 4xx: service}\n"), ["108,19"]);
    let objective = |causes: &str| {
        apply(
            &store,
            &format!(
                "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: up, annotations: {{nines/effective-from: 2026-01-01}}}}\nspec:\n  service: gateway\n  \
                 indicator: {{metadata: {{name: up}}, spec: {{ratioMetric: {{rawType: success, raw: {{metricSource: {{type: \
                 nines/availability, spec: {{causes: {causes}}}}}}}}}}}}}\n  timeWindow: [{{duration: 28d, isRolling: true}}]\n  \
                 budgetingMethod: Occurrences\n  objectives: [{{target: 0.9}}]\n"
            ),
        );
        query(&store, "SELECT round(slo * 95) FROM report('2026-09-01', '2026-09-02', 'objective')")
    };
    assert_eq!(objective("{}"), ["80.0"]);
    // 80 of 84 once nobody is charged for 503 and 504.
    assert_eq!(objective("{503-504: nobody}"), ["90.0"]);
}

/// Records fees, given with their header.
fn fees_of(store: &Path, rows: &str) {
    let file = store.with_extension("spans.csv");
    std::fs::write(&file, rows).unwrap();
    run(nines().arg("--store").arg(store).args(["ingest", "fees"]).arg(&file));
}

#[test]
fn names_that_are_nearly_the_same_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), &["acme", "ACME", "a", "b", "c", "d", "e"]);
    fees(&store, "2026-09,acme,gateway,EUR,100,,,\n2026-09,ac  me,gateway,EUR,5,,,\n");
    let (_, told) = said(&mut credits(&store, &["--issue"]));
    // Whose fee each is is known; that nobody else was meant is not.
    for line in [
        "and no fee: under gateway nothing is issued until there is one. Ingest it into fees; a fee of 0 if nothing is paid. There is \
         a fee of 'acme' for 'gateway': these names differ in case or blanks alone",
        "note: and 1 more of this kind; all of them: nines sql \"SELECT agreement, customer, service FROM credits('2026-09') WHERE \
         fee_base IS NULL\"",
    ] {
        assert!(told.contains(line), "{told}");
    }
    assert_eq!(query(&store, ISSUED).first().unwrap(), "ac  me,1,0.000000,EUR", "blanks between letters are seen");
}

const SPANS: &str = "period,customer,service,span,currency,amount,active_from,active_until,withdrawn\n";

#[test]
fn who_leaves_and_returns_within_a_month_has_several_fees() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), &["acme"]);
    let away = "2026-09-15T00:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_micros();
    ingest(&store, 60, "acme", &[(away, 1000, 1000)]);
    let rows = "2026-09,acme,gateway,,EUR,60,,2026-09-11,\n2026-09,acme,gateway,back,EUR,40.50,2026-09-21,,\n";
    fees_of(&store, &format!("{SPANS}{rows}"));
    let figures = "SELECT valid, failed, fee_base, amount FROM credits('2026-09')";
    assert_eq!(query(&store, figures), ["20,5,100.500000,10.050000"]);
    run(&mut credits(&store, &["--issue"]));
    let statement = query(&store, "SELECT text FROM statements").concat();
    assert!(statement.contains("2026-09-11T00:00:00Z") && statement.contains("2026-09-21T00:00:00Z"), "{statement}");

    // Two fees for one time are a mistake in one of them.
    fees_of(&store, &format!("{SPANS}2026-09,acme,gateway,twice,EUR,7,2026-09-10,2026-09-12,\n"));
    let said = fails(5, &mut credits(&store, &[]));
    assert!(
        said.contains("two fees of 'acme' for gateway in 2026-09 are for the same time, those of span '' and 'twice'"),
        "{said}"
    );
    run(nines().arg("--store").arg(&store).args([
        "sql",
        "INSERT INTO fees (period, customer, service, span, currency, amount, withdrawn)
         SELECT period, customer, service, span, currency, amount, true FROM fees WHERE span = 'twice'",
    ]));
    assert_eq!(query(&store, figures), ["20,5,100.500000,10.050000"]);
    assert_eq!(
        query(&store, "SELECT span, amount, withdrawn FROM fees ORDER BY 2"),
        ["twice,7.000000,true", "back,40.500000,", ",60.000000,"]
    );
    assert!(run(&mut credits(&store, &["--verify"])).ends_with("1 statements hold\n"));
    let refused = fails(1, nines().arg("--store").arg(&store).args([
        "sql",
        "INSERT INTO fees (period, customer, service, span, currency, amount) VALUES ('2026-09', 'a', 's', ' ', 'EUR', 1)",
    ]));
    assert!(refused.contains("column span: must not be empty; NULL if there is one fee"), "{refused}");
}

#[test]
fn a_wrong_fee_is_withdrawn() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), &["acme", "nova"]);
    fees(&store, "2026-09,acme,gateway,EUR,100,,,\n2026-09,nova,gateway,EUR,100,,,\n2026-09,ghost,gateway,EUR,5,,,\n");
    fees_of(&store, &format!("{SPANS}2026-09,ghost,gateway,,EUR,5,,,true\n"));
    let (_, told) = said(&mut credits(&store, &["--issue"]));
    assert!(!told.contains("ghost"), "{told}");
    assert_eq!(query(&store, ISSUED), ["acme,1,10.000000,EUR", "nova,1,10.000000,EUR"]);
    fees_of(&store, &format!("{SPANS}2026-09,acme,gateway,,EUR,100,,,yes\n"));
    let told = fails(3, &mut credits(&store, &["--issue"]));
    assert!(
        told.contains(
            "note: the statement of gateway for 'acme', gateway was issued with a fee, and there is none now: it stays as it was"
        ),
        "{told}"
    );
    assert_eq!(query(&store, ISSUED).len(), 2, "no statement of nothing");
    fails(4, &mut credits(&store, &["--verify"]));
    fees(&store, "2026-09,acme,gateway,EUR,0,,,\n");
    run(&mut credits(&store, &["--issue"]));
    assert_eq!(query(&store, ISSUED), ["acme,1,10.000000,EUR", "acme,2,0.000000,EUR", "nova,1,10.000000,EUR"]);
    let said = fails(1, nines().arg("--store").arg(&store).args(["sql", "DELETE FROM fees"]));
    assert!(
        said.contains("rows of fees are withdrawn, never deleted: INSERT the row again with withdrawn = true"),
        "{said}"
    );
}

#[test]
fn one_fee_under_two_agreements_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), &["acme", "nova"]);
    fees(&store, "2026-09,acme,gateway,EUR,100,,,\n2026-09,nova,gateway,EUR,100,,,\n");
    let told_of = |definition: &str| {
        let file = store.with_extension("yaml");
        std::fs::write(&file, definition).unwrap();
        said(nines().arg("--store").arg(&store).arg("apply").arg(&file)).1
    };
    let all = AGREEMENT.replace("name: gateway", "name: all").replace("service: gateway", "service: \"*\"");
    let told = told_of(&all);
    let warning = "warning: ";
    assert!(told.starts_with(warning), "{told}");
    assert!(
        told.contains(
            ":1:1: service 'gateway' is under agreement gateway, too: each of them credits from the whole fee"
        ),
        "{told}"
    );
    assert_eq!(told.matches(warning).count(), 1, "{told}");
    // Of other services, or of other customers, it is no matter.
    assert_eq!(
        told_of(&all.replace("name: all", "name: o").replace("\"*\"", "storage")).matches("is under").count(),
        1
    );
    let narrowed = |name: &str, customer: &str| {
        AGREEMENT
            .replace("name: gateway", &format!("name: {name}"))
            .replace("service: gateway", &format!("service: web\n  customer: {customer}"))
    };
    let told = told_of(&format!("{}---\n{}", narrowed("a", "acme"), narrowed("n", "\"n*\"")));
    assert!(!told.contains("is under agreement a, too") && !told.contains("is under agreement n, too"), "{told}");
    assert!(told.contains("service 'web' is under agreement all, too"), "{told}");

    let several =
        "note: the fee of 'nova' for gateway is under 2 agreements, all and gateway: each credits from the whole fee";
    for chosen in [&["--issue"][..], &["--agreement", "gateway"], &["--customer", "nova"]] {
        let (_, told) = said(&mut credits(&store, chosen));
        assert_eq!(told.matches(several).count(), 1, "{told}");
    }
    let pages = folder.path().join("pages");
    run(credits(&store, &["--pages"]).arg(&pages));
    for file in ["2026-09-nova.md", "2026-09-nova.html"] {
        let page = std::fs::read_to_string(pages.join(file)).unwrap();
        for other in ["all", "gateway"] {
            let line = format!("The same fee is the base of credits under {other}, too; each is worked out by itself.");
            assert!(page.contains(&line), "{page}");
        }
    }
    assert!(run(&mut credits(&store, &["--verify"])).ends_with("4 statements hold\n"));
}

#[test]
fn an_agreement_that_matches_nothing_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), &["acme"]);
    fees(&store, "2026-09,acme,gateway,EUR,100,,,\n");
    apply(&store, &AGREEMENT.replace("name: gateway", "name: typo").replace("service: gateway", "service: gatewya"));
    let idle = "no row of requests and no fee is of a service 'gatewya' in it";
    let (_, told) = said(&mut credits(&store, &["--issue"]));
    assert!(told.contains(&format!("note: agreement typo matches nothing in 2026-09: {idle}")), "{told}");
    fails(3, &mut credits(&store, &["--issue"]));
    for more in [&["--issue"][..], &[]] {
        let told = fails(1, credits(&store, more).args(["--agreement", "typo"]));
        assert!(told.contains(idle), "{told}");
    }
    fails(3, &mut credits(&store, &["--customer", "nobody"]));
}

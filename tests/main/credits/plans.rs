//! Agreements of some plans: customers whose fees are of these, and of their fees these alone.

use super::due::{Store, agreement};
use crate::nines;

fn of_plan(name: &str, plan: &str, percent: &str) -> String {
    agreement(name, "1M", &format!("  plan: {plan}\n")).replace("percent: 10", &format!("percent: {percent}"))
}

fn fees(store: &Store, rows: &[&str]) {
    store.put(
        "fees",
        &format!("period,customer,service,currency,amount,active_from,active_until,span,plan\n{}\n", rows.join("\n")),
    );
}

#[test]
fn an_agreement_judges_those_who_pay_for_its_plans() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    store.silent("", "2026-09-01", 61);
    store.apply(&[of_plan("gold", "[gold, \"enterprise-*\"]", "20"), of_plan("silver", "silver", "10")]);
    // An hour fails whole: of a month 1/744, of ten days 1/240.
    let fails = |customer: &str, day: u32| format!("2026-10-{day:02}T07:00:00Z,,gateway,/,{customer},503,5");
    let rows: Vec<String> = ["acme", "nova", "orbit", "stray", "blank"]
        .iter()
        .flat_map(|customer| [fails(customer, 5), fails(customer, 25)])
        .collect();
    store.requests(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    fees(
        &store,
        &[
            "2026-10,acme,gateway,EUR,1000,,,,gold",
            "2026-10,nova,gateway,EUR,500,,,,silver",
            // Goes from silver to a larger plan on 11 October.
            "2026-10,orbit,gateway,EUR,100,,2026-10-11T00:00:00Z,before,silver",
            "2026-10,orbit,gateway,EUR,700,2026-10-11T00:00:00Z,,after,enterprise-s",
            "2026-10,blank,gateway,EUR,9,,,,",
            "2026-10,quiet,gateway,EUR,9,,,,",
        ],
    );
    let figures = "agreement, customer, slices, failed, fee_base, amount";
    assert_eq!(
        store.sql(figures, "credits('2026-10') ORDER BY 1, 2"),
        [
            "gold,acme,744,10,1000.000000,200.000000",
            "gold,orbit,504,5,700.000000,140.000000",
            "silver,nova,744,10,500.000000,50.000000",
            "silver,orbit,240,5,100.000000,10.000000"
        ]
    );
    let now = "2026-11-02T00:00:00Z";
    let said = store.said_at(now, 0, &["2026-10", "--issue"]);
    for customer in ["stray", "blank", "quiet"] {
        let note = format!(
            "'{customer}' has requests or a fee for gateway, and no row of fees says of which plan: nothing is owed under gold and silver"
        );
        assert!(said.contains(&note), "{said}");
    }
    assert!(!said.contains("has a fee for gateway, but no agreement"), "{said}");
    assert!(!said.contains("each credits from the whole fee"), "a fee is of one plan: {said}");
    assert_eq!(store.sql("count(*)", "statements"), ["4"]);
    assert!(store.said_at(now, 0, &["2026-10", "--verify"]).contains("4 statements hold"));
    assert!(store.said_at(now, 3, &["--pending"]).contains("nothing is pending"), "who has no plan is not waited for");
    // An agreement without plans is for everybody, beside those that are for some.
    store.apply(&[agreement("all", "1M", "")]);
    let said = store.said_at(now, 0, &["2026-10", "--format", "csv"]);
    assert!(said.contains("the fee of 'acme' for gateway is under 2 agreements, all and gold"), "{said}");
    assert!(!said.contains("no row of fees says of which plan"), "{said}");
}

#[test]
fn a_plan_that_nobody_pays_for_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    store.silent("", "2026-10-01", 31);
    fees(&store, &["2026-10,acme,gateway,EUR,1000,,,,gold"]);
    let file = folder.path().join("a.yaml");
    let applied = |definitions: &[String]| {
        std::fs::write(&file, definitions.join("---\n")).unwrap();
        let output = nines().arg("--store").arg(&store.0).arg("apply").arg("--dry-run").arg(&file).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    let said = applied(&[of_plan("a", "[gold, golt]", "5")]);
    assert!(said.contains("no fee is of the plan 'golt'; did you mean 'gold'?"), "{said}");
    let said = applied(&[of_plan("a", "gold", "5"), of_plan("b", "silver", "6")]);
    assert!(!said.contains("each of them credits"), "{said}");
    let said = applied(&[of_plan("a", "gold", "5"), of_plan("b", "\"*\"", "6")]);
    assert!(said.contains("each of them credits from the whole fee"), "{said}");
}

//! How long a thousand SLOs take. `cargo test -p nines-slo --release -- --ignored --nocapture speed`

use std::time::Instant;

use nines_slo::{Counts, Evidence, IssuedStatement, Standing, Stored, differences, html, plan, resolve};

use crate::credits::{agreement, owed, start};
use crate::statements::{OCTOBER, basis, stored};

#[test]
#[ignore = "a measurement"]
fn a_thousand_slos() {
    let mut text = String::new();
    for i in 0..1000 {
        text += &format!(
            "---\napiVersion: openslo/v1\nkind: SLO\nmetadata:\n  name: slo-{i}\n  displayName: Number {i}\n  labels: \
             {{vela: availability}}\nspec:\n  description: Requests to service {i} succeed\n  service: service-{}\n  \
             indicator:\n    metadata: {{name: sli-{i}}}\n    spec:\n      ratioMetric:\n        rawType: success\n        \
             raw:\n          metricSource:\n            type: nines/availability\n            spec: {{party: service, \
             endpoint: [/a{i}, \"/b{i}/*\"]}}\n  timeWindow: [{{duration: 28d, isRolling: true}}]\n  budgetingMethod: \
             Timeslices\n  objectives:\n    - {{target: 0.999, timeSliceTarget: 0.99, timeSliceWindow: 1m}}\n",
            i % 100
        );
    }
    for i in 0..100 {
        text += &format!("---\n{{apiVersion: openslo/v1, kind: Service, metadata: {{name: service-{i}}}}}\n");
    }
    let start = Instant::now();
    let plan = plan(&[], &[("a.yaml".into(), text)], 0).unwrap();
    eprintln!("plan: {:?}", start.elapsed());
    let stored: Vec<Stored> = plan.changes.into_iter().map(|change| change.stored).collect();
    let start = Instant::now();
    let definitions = resolve(&stored).unwrap();
    eprintln!("resolve: {:?}", start.elapsed());
    let start = Instant::now();
    let matching = definitions.objectives.iter().filter(|o| o.versions[0].spec.rows.matches("/b7/c", "", "")).count();
    eprintln!("first match of a name with all: {:?}", start.elapsed());
    assert_eq!(matching, 1);
    assert_eq!(definitions.objectives.len(), 1000);
}

#[test]
#[ignore = "a measurement"]
fn a_month_of_fifteen_seconds() {
    let gateway = agreement("slice: 15s\nmeasure: MeanErrorRate\ncommitment: 99.90%\ncredits: []");
    let first = start(&gateway, "2026-10");
    let month = |slices: i64, of: &dyn Fn(i64) -> (i64, i64)| {
        let step = 178_560 / slices;
        let counts = (0..slices).map(|i| {
            let (valid, failed) = of(i);
            Counts { start: first + i * step * 15_000_000, valid, failed }
        });
        Evidence { slices: counts.collect(), ..Evidence::default() }
    };
    let time = |what: &str, evidence: &Evidence| {
        let begun = Instant::now();
        let credit = owed(&gateway, "2026-10", evidence).unwrap();
        let digits = credit.availability.denominator().bits() * 3 / 10;
        eprintln!("{what}: {:?}, a denominator of {digits} digits", begun.elapsed());
        let begun = Instant::now();
        let length = credit.availability.to_string().len();
        eprintln!("  written out in {:?}, {length} letters", begun.elapsed());
    };
    time("5,000 slices, a tenth with failures", &month(5_000, &|i| (1000 + i % 977, i64::from(i % 10 == 0))));
    time("every slice with failures of about 10,000", &month(178_560, &|i| (10_000 + i * 7919 % 600, 1 + i % 3)));
    time(
        "every slice with failures of about a million",
        &month(178_560, &|i| (1_000_000 + i * 7919 % 60_000, 1 + i % 3)),
    );
    time("every slice with another number", &month(178_560, &|i| (1_000_003 + i, 1)));
}

#[test]
#[ignore = "a measurement"]
fn a_statement() {
    let text = "apiVersion: nines/v1\nkind: Agreement\nmetadata: {name: gateway}\nspec:\n  service: gateway\n  period: \
                {duration: 1M, timeZone: Asia/Shanghai}\n  slice: 15s\n  measure: MeanErrorRate\n  commitment: 99.90%\n  \
                credits: []\n";
    let time = |what: &str, slices: i64, of: &dyn Fn(i64) -> (i64, i64)| {
        let step = 178_560 / slices;
        let counts = (0..slices).map(|i| {
            let (valid, failed) = of(i);
            Counts { start: OCTOBER + i * step * 15_000_000, valid, failed }
        });
        let evidence = Evidence { slices: counts.collect(), ..Evidence::default() };
        let took = |begun: Instant| format!("{:?}", begun.elapsed());
        let begun = Instant::now();
        let statement = IssuedStatement::draw_up(basis(stored(text), "2026-10", evidence), 0).unwrap();
        let drawn_up = took(begun);
        let begun = Instant::now();
        let json = statement.to_json();
        let written = took(begun);
        let begun = Instant::now();
        let read = IssuedStatement::from_json(&json).unwrap();
        let reading = took(begun);
        let begun = Instant::now();
        assert!(read.verify().holds());
        let verified = took(begun);
        let begun = Instant::now();
        assert!(differences(&statement, &read).is_empty());
        let compared = took(begun);
        let begun = Instant::now();
        let page = html(&[read], Standing::Issued).unwrap().len();
        eprintln!(
            "{what}: drawn up {drawn_up}, {} bytes written {written}, read {reading}, verified {verified}, compared \
             {compared}, {page} bytes of HTML {}",
            json.len(),
            took(begun)
        );
    };
    time("a quiet month", 20, &|_| (1000, 1));
    time("5,000 slices with failures of about 1,000", 5000, &|i| (1000 + i % 977, 1 + i % 3));
    time("every slice with failures of about 10,000", 178_560, &|i| (10_000 + i * 7919 % 600, 1 + i % 3));
    time("every slice with another number", 178_560, &|i| (1_000_003 + i, 1));
}

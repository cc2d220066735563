//! How long a thousand SLOs take. `cargo test -p nines-slo --release -- --ignored --nocapture speed`

use std::time::Instant;

use nines_slo::{Stored, plan, resolve};

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
    let matching = definitions.objectives.iter().filter(|o| o.versions[0].spec.rows.matches("/b7/c", "")).count();
    eprintln!("first match of a name with all: {:?}", start.elapsed());
    assert_eq!(matching, 1);
    assert_eq!(definitions.objectives.len(), 1000);
}

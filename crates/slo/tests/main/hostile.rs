//! Files that are damaged: mappings and definitions of other programs are read or refused, never with a panic.

use nines_slo::{ImportFormat, Mapping, import};
use proptest::prelude::*;
use proptest::sample::Index;

const MAPPING: &str = "requests:\n  - counter: http_requests_total{job=~\"shop|api\", code!=\"200\"}\n    service: {label: app}\n    \
                       status: {label: code}\nevents:\n  - name: orders\n    service: shop\n    bad: [x, 'y{z=\"1\"}']\n    total: x\n";

const SLOTH: &str = "version: prometheus/v1\nservice: shop\nslos:\n  - name: availability\n    objective: 99.9\n    sli:\n      events:\n        \
                     error_query: sum(rate(http_requests_total{job=\"shop\",code=~\"5..\"}[{{.window}}]))\n        total_query: \
                     sum(rate(http_requests_total{job=\"shop\"}[{{.window}}]))\n";

const PYRRA: &str = "apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\nmetadata:\n  name: shop\nspec:\n  target: \"99\"\n  window: 4w\n  \
                     indicator:\n    latency:\n      success:\n        metric: h_bucket{le=\"1\"}\n      total:\n        metric: h_count\n";

const DATADOG: &str = "{\"data\":[{\"name\":\"shop \\ud83d\\udd25\",\"type\":\"metric\",\"tags\":[\"service:shop\"],\"query\":{\"numerator\":\
                       \"sum:a.hits{env:prod,!code:5*} by {zone}.as_count() - default_zero(sum:b{*}.as_count())\",\"denominator\":\
                       \"sum:a.hits{env:prod,!code:5*}.as_count()\"},\"thresholds\":[{\"timeframe\":\"30d\",\"target\":99.9}]}]}";

const NOBL9: &str = "apiVersion: n9/v1alpha\nkind: SLO\nmetadata: {name: web}\nspec:\n  service: shop\n  timeWindows: [{unit: Month, count: 1, \
                     calendar: {startTime: 2026-01-01 06:00:00, timeZone: Europe/Berlin}}]\n  objectives:\n    - target: 0.95\n      \
                     countMetrics:\n        incremental: true\n        good: {prometheus: {promql: a}}\n        total: {prometheus: \
                     {promql: b}}\n";

/// Changes of a text at some places: what is put there, and how much goes.
fn changed(text: &str, changes: &[(Index, Index, String)]) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for (at, to, put) in changes {
        let (at, to) = (at.index(text.len() + 1), to.index(text.len() + 1));
        let range = at.min(to)..at.max(to).min(at.min(to) + 40);
        text.splice(range, put.chars());
    }
    text.into_iter().collect()
}

fn changes() -> impl Strategy<Value = Vec<(Index, Index, String)>> {
    let put = prop::sample::select(vec![
        "",
        "\n",
        ":",
        "- ",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        "&a ",
        "*a",
        "<<: *a\n",
        "\t",
        "#",
        "%",
        "((((((((",
        "5..",
        "le",
        "1e400",
        "-1",
        "\u{0}",
        "|\n",
        "!!binary x",
        "? ",
        "[5m] offset 1d",
        " unless ",
        " / ",
        "sum by (",
        "\\ud83d\\",
        ".as_rate()",
        "…",
    ]);
    prop::collection::vec((any::<Index>(), any::<Index>(), put.prop_map(str::to_string)), 0..5)
}

proptest! {
    #[test]
    fn damaged_mappings_are_read_or_refused(changes in changes()) {
        let text = changed(MAPPING, &changes);
        if let Err(mistakes) = Mapping::read("mapping.yaml", &text) {
            prop_assert!(!mistakes.is_empty());
            for mistake in mistakes {
                prop_assert!(mistake.to_string().starts_with("mapping.yaml:"), "{mistake}");
            }
        }
    }

    #[test]
    fn damaged_definitions_are_imported_or_left_out(
        text in prop::sample::select(vec![SLOTH, PYRRA, NOBL9, DATADOG]),
        at in 0..ImportFormat::ALL.len(),
        changes in changes(),
    ) {
        import(ImportFormat::ALL[at], &[("slo.yaml".to_string(), changed(text, &changes))]);
    }
}

#[test]
fn what_is_damaged_is_read_as_it_is() {
    let read = Mapping::read("mapping.yaml", MAPPING);
    assert!(read.is_ok(), "{read:?}");
    for (format, text) in [
        (ImportFormat::Sloth, SLOTH),
        (ImportFormat::Pyrra, PYRRA),
        (ImportFormat::Nobl9, NOBL9),
        (ImportFormat::Datadog, DATADOG),
    ] {
        let imported = import(format, &[("slo.yaml".to_string(), text.to_string())]);
        assert_eq!(imported.objectives.len(), 1, "{text}");
    }
}

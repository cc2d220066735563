//! Laws of reading, on random text.

use nines_slo::{Spec, plan, read, resolve};
use proptest::prelude::*;

use crate::reading::{raw, slo};

/// Lines that look like definitions, and lines that do not.
fn line() -> impl Strategy<Value = String> {
    let words = [
        "apiVersion: openslo/v1",
        "kind: SLO",
        "kind: Service",
        "kind: SLI",
        "metadata:",
        "name: 業務",
        "name: &a b",
        "spec:",
        "service: *a",
        "indicator:",
        "indicatorRef: x",
        "ratioMetric:",
        "rawType: success",
        "raw:",
        "metricSource:",
        "type: nines/latency",
        "threshold: 275µs",
        "objectives:",
        "- target: 0.9",
        "- ",
        "? a",
        "---",
        "...",
        "description: |+",
        "text",
        "\"quoted",
        "{a: b}",
        "[a, b",
        "# comment",
        "%TAG ! x",
        "!t",
        "\t",
        "",
        "timeWindow: [{duration: 28d}]",
        "budgetingMethod: Timeslices",
        "'",
        "}",
        "labels: {vela: latency}",
    ];
    let garbage = "[ -~\u{e4}\u{1f980}\u{85}\u{2028}\r\t]{0,20}";
    let text = prop_oneof![4 => prop::sample::select(words.to_vec()).prop_map(str::to_string), 1 => garbage];
    (0..6usize, text).prop_map(|(indent, text)| format!("{}{text}", "  ".repeat(indent)))
}

/// An object whose description is any text, indented and placed in any way that is right.
fn object() -> impl Strategy<Value = String> {
    let fields = (any::<String>(), "[a-z/ 業]{0,8}x", 0..3usize, any::<bool>());
    fields.prop_map(|(description, name, style, reversed)| {
        let printable =
            description.chars().filter(|c| !c.is_control() && !matches!(c, '\u{feff}' | '\u{2028}'..='\u{2029}'));
        let quoted = printable.collect::<String>().replace('\\', "\\\\").replace('"', "\\\"");
        let quoted = format!("\"{quoted}\"");
        let spec = match style {
            0 => format!("spec:\n    description: {quoted}"),
            1 => "spec:\n    # what\n    description: |+\n        one\n\n          two\n\n".to_string(),
            _ => format!("spec: {{\n    description: {quoted}\n    }}  # end"),
        };
        let mut lines =
            ["apiVersion: openslo/v1".into(), "kind: Service".into(), format!("metadata: {{name: \"{name}\"}}"), spec];
        if reversed {
            lines.reverse();
        }
        lines.join("\n") + "\n"
    })
}

fn listed(object: &str) -> String {
    let indented = object.lines().map(|line| if line.is_empty() { "\n".into() } else { format!("    {line}\n") });
    let text = indented.collect::<String>();
    format!("-{}", &text[1..])
}

/// An SLO with a piece torn out and something else in its place.
fn torn() -> impl Strategy<Value = String> {
    let indicator = raw("{type: nines/latency, spec: {quantile: 0.9, threshold: 275ms, endpoint: [/a, '/b/*']}}");
    let window = "timeWindow: [{duration: 1M, calendar: {timeZone: Asia/Shanghai}}]";
    let whole =
        slo("a", &indicator, &format!("\n  - {{target: 0.999}}\n  - displayName: 業務\n    target: 1\n  {window}"));
    let whole = whole.replace("{name: a}", "{name: a, annotations: {nines/effective-from: 2026-10-01 12:30}}");
    let piece = prop_oneof!["[ -~\n]{0,3}", "[0-9.%:+-]{1,24}", Just("&a *a".to_string()), Just("9".repeat(50))];
    (0..whole.chars().count(), 0..12usize, piece).prop_map(move |(at, length, piece)| {
        let (head, tail) = (whole.chars().take(at), whole.chars().skip(at + length));
        head.chain(piece.chars()).chain(tail).collect()
    })
}

/// The same of an agreement.
fn torn_agreement() -> impl Strategy<Value = String> {
    let whole = "apiVersion: nines/v1\nkind: Agreement\nmetadata: {name: a}\nspec:\n  service: [a, 'b*']\n  period: \
                 {duration: 1M, timeZone: Asia/Shanghai}\n  slice: 15s\n  measure: Downtime\n  bad: errorRate > 10%\n  \
                 minRun: 1m\n  commitment: 99.9%\n  credits: [{below: 99.9%, percent: 10}, {below: 99%, percent: 25}]\n  \
                 minPayout: 1.01 USD\n  claimWithin: 60d\n  exclusions: [業務, {category: c, announced: before}]\n  \
                 lostTelemetry: {estimateFrom: 7d}\n";
    let piece = prop_oneof!["[ -~\n]{0,3}", "[0-9.%:+-]{1,24}", Just("業".to_string()), Just("9".repeat(50))];
    (0..whole.chars().count(), 0..12usize, piece).prop_map(move |(at, length, piece)| {
        let (head, tail) = (whole.chars().take(at), whole.chars().skip(at + length));
        head.chain(piece.chars()).chain(tail).collect()
    })
}

/// Reads and plans; what is found right must read the same by itself.
fn calmly(text: &str) -> Result<(), TestCaseError> {
    let reading = read("a.yaml", text);
    for document in &reading.documents {
        let again = read("a.yaml", &document.text);
        prop_assert_eq!(again.mistakes, vec![]);
        prop_assert_eq!(&again.documents[0].text, &document.text);
    }
    if let Ok(plan) = plan(&[], &[("a.yaml".into(), text.into())], 0) {
        let stored: Vec<_> = plan.changes.into_iter().map(|change| change.stored).collect();
        let resolved = resolve(&stored).map_err(|mistakes| TestCaseError::fail(format!("{mistakes:?}")))?;
        prop_assert_eq!(format!("{resolved:?}"), format!("{:?}", plan.definitions));
        for version in resolved.objectives.iter().flat_map(|objective| &objective.versions) {
            prop_assert_eq!(&Spec::of_text(&version.spec.to_text()), &Ok(version.spec.as_ref().clone()));
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn garbage_is_refused_calmly(lines in prop::collection::vec(line(), 0..30), garbage in any::<String>()) {
        calmly(&lines.join("\n"))?;
        calmly(&garbage)?;
    }

    #[test]
    fn torn_definitions_are_read_calmly(text in torn()) {
        calmly(&text)?;
    }

    #[test]
    fn torn_agreements_are_read_calmly(text in torn_agreement()) {
        calmly(&text)?;
    }

    #[test]
    fn an_object_is_the_same_wherever_it_stands(objects in prop::collection::vec(object(), 1..4)) {
        let documents = read("a.yaml", &objects.join("---\n"));
        let list = read("a.yaml", &objects.iter().map(|object| listed(object)).collect::<String>());
        prop_assert_eq!(&documents.mistakes, &vec![]);
        prop_assert_eq!(&list.mistakes, &vec![]);
        prop_assert_eq!(documents.documents.len(), objects.len());
        for ((one, two), object) in documents.documents.iter().zip(&list.documents).zip(&objects) {
            prop_assert_eq!(&one.text, &two.text);
            prop_assert_eq!(one.text.trim_end(), object.trim_end());
        }
    }
}

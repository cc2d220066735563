//! Versions in time: what is recorded when files are applied again and again, and what was in force when.

use nines_slo::{Plan, SINCE_EVER, Stored, What, plan, resolve};

use crate::reading::{raw, slo};

const DAY: i64 = 86_400_000_000;

/// A store of definitions, and days since the epoch instead of instants.
#[derive(Default)]
struct Applied(Vec<Stored>);

impl Applied {
    /// Applies a text and says what became of each object and from which day.
    fn apply(&mut self, day: i64, text: &str) -> Vec<(What, i64)> {
        let Plan { changes, .. } = self.plan(day, text);
        let told = changes.iter().map(|change| (change.what, change.stored.effective_from.max(0) / DAY)).collect();
        for change in changes {
            let same = |s: &Stored| {
                (s.kind, &s.name, s.effective_from)
                    == (change.stored.kind, &change.stored.name, change.stored.effective_from)
            };
            self.0.retain(|stored| !same(stored));
            self.0.push(change.stored);
        }
        told
    }

    fn plan(&self, day: i64, text: &str) -> Plan {
        match plan(&self.0, &[("a.yaml".into(), text.into())], day * DAY) {
            Ok(plan) => plan,
            Err(mistakes) => panic!("{mistakes:#?}"),
        }
    }

    /// `objective: start–end what`, one line per version.
    fn history(&self, what: impl Fn(&nines_slo::Spec) -> String) -> Vec<String> {
        let definitions = resolve(&self.0).unwrap();
        let day = |t: i64| match t {
            i64::MIN => "ever".to_string(),
            i64::MAX => "on".to_string(),
            t => (t / DAY).to_string(),
        };
        let versions = definitions.objectives.iter().flat_map(|o| o.versions.iter().map(move |v| (o, v)));
        versions
            .map(|(o, v)| format!("{}: {}–{} {}", o.name, day(v.in_force.start), day(v.in_force.end), what(&v.spec)))
            .collect()
    }
}

fn target(target: &str) -> String {
    slo("a", &raw("{type: nines/availability}"), &format!("[{{target: {target}}}]"))
}

fn dated(text: &str, annotation: &str) -> String {
    text.replace("{name: a}", &format!("{{name: a, annotations: {{{annotation}}}}}"))
}

fn percent(spec: &nines_slo::Spec) -> String {
    format!("{}/{}", spec.target.numerator(), spec.target.denominator())
}

#[test]
fn a_new_target_never_rewrites_the_past() {
    let mut store = Applied::default();
    assert_eq!(store.apply(10, &target("0.9")), [(What::New, 0)]);
    assert_eq!(store.0[0].effective_from, SINCE_EVER);
    assert_eq!(store.apply(11, &(target("0.9") + "\n\n")), [(What::Unchanged, 0)]);
    assert_eq!(store.apply(12, &target("0.99")), [(What::Changed, 12)]);
    assert_eq!(store.apply(12, &target("0.8")), [(What::Corrected, 12)]);
    assert_eq!(store.apply(13, &target("0.9")), [(What::Changed, 13)], "back to what it was");
    assert_eq!(store.history(percent), ["a: ever–12 9/10", "a: 12–13 4/5", "a: 13–on 9/10"]);
}

#[test]
fn a_dated_version_is_in_force_from_its_date() {
    let mut store = Applied::default();
    let later = dated(&target("0.99"), "nines/effective-from: 1970-02-01");
    assert_eq!(store.apply(10, &later), [(What::New, 31)]);
    assert_eq!(store.history(percent), ["a: 31–on 99/100"]);
    assert_eq!(store.apply(10, &later), [(What::Unchanged, 31)]);
    assert_eq!(store.apply(20, &target("0.9")), [(What::Changed, 20)]);
    assert_eq!(store.apply(21, &target("0.9")), [(What::Unchanged, 20)], "in force, though another is still to come");
    let ever = dated(&target("0.5"), "nines/effective-from: 0001-01-01");
    assert_eq!(store.apply(22, &ever), [(What::Changed, 0)]);
    assert_eq!(store.history(percent), ["a: ever–20 1/2", "a: 20–31 9/10", "a: 31–on 99/100"]);
    let until = dated(&target("0.95"), "nines/effective-from: 1970-02-10, nines/effective-until: 1970-02-20");
    assert_eq!(store.apply(30, &until), [(What::Changed, 40)]);
    assert_eq!(store.history(percent)[2..], ["a: 31–40 99/100", "a: 40–50 19/20"]);
}

#[test]
fn a_file_of_the_whole_history_can_be_applied_again() {
    let mut store = Applied::default();
    let both = format!("{}---\n{}", target("0.9"), dated(&target("0.99"), "nines/effective-from: 1970-02-01"));
    assert_eq!(store.apply(10, &both), [(What::New, 0), (What::New, 31)]);
    assert_eq!(store.apply(40, &both), [(What::Unchanged, 0), (What::Unchanged, 31)]);
}

#[test]
fn an_objective_changes_with_its_indicator_and_its_service() {
    let mut store = Applied::default();
    let sli = |party: &str| {
        format!(
            "apiVersion: openslo/v1\nkind: SLI\nmetadata: {{name: b}}\nspec: {{ratioMetric: {{rawType: success, raw: \
             {{metricSource: {{type: nines/availability, spec: {{party: {party}}}}}}}}}}}\n"
        )
    };
    let service = |business: &str| {
        format!("apiVersion: openslo/v1\nkind: Service\nmetadata: {{name: login, labels: {{business: {business}}}}}\n")
    };
    let dated_service =
        service("games").replace("{name: login,", "{name: login, annotations: {nines/effective-from: 1970-02-01},");
    store.apply(1, &format!("{}---\n{}", slo("a", "indicatorRef: b", "[{target: 0.9}]"), sli("service")));
    store.apply(10, &sli("gateway"));
    store.apply(12, &(sli("gateway") + "# only a remark\n"));
    // The first version of a service holds before it, too.
    store.apply(15, &dated_service);
    store.apply(40, &service("shop"));
    let what = |spec: &nines_slo::Spec| format!("{} {}", spec.indicator, spec.business.as_deref().unwrap_or("-"));
    assert_eq!(
        store.history(what),
        [
            "a: ever–10 2xx / (2xx + charged to service) games",
            "a: 10–40 2xx / (2xx + charged to gateway) games",
            "a: 40–on 2xx / (2xx + charged to gateway) shop",
        ]
    );
}

#[test]
fn an_objective_ends_with_the_version_that_no_longer_has_it() {
    let mut store = Applied::default();
    let objectives = |objectives: &str| slo("a", &raw("{type: nines/availability}"), objectives);
    store.apply(1, &objectives("[{displayName: x, target: 0.9}, {displayName: y, target: 0.9}]"));
    store.apply(5, &objectives("[{displayName: y, target: 0.9}, {displayName: z, target: 0.9}]"));
    store.apply(9, &objectives("[{displayName: x, target: 0.9}, {displayName: y, target: 0.9}]"));
    let history = store.history(|_| String::new());
    assert_eq!(history, ["a/x: ever–5 ", "a/x: 9–on ", "a/y: ever–on ", "a/z: 5–9 "]);
}

#[test]
fn of_one_version_that_stands_twice_the_last_one_counts() {
    let mut store = Applied::default();
    let both = format!("{}---\n{}", target("0.9"), target("0.99"));
    let warnings = store.plan(10, &both).warnings;
    assert_eq!(
        warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["a.yaml:10:1: SLO 'a' stands here again, before in a.yaml:1; the last one counts; versions of one object \
          differ in their annotation nines/effective-from"]
    );
    assert_eq!(store.apply(10, &both), [(What::New, 0)]);
    assert_eq!(store.apply(11, &both), [(What::Unchanged, 0)], "the first one is not taken for another version");
    assert_eq!(store.history(percent), ["a: ever–on 99/100"]);
    let later = |target: &str| dated(&self::target(target), "nines/effective-from: 1970-02-01");
    let three = format!("{}---\n{}---\n{}", later("0.5"), later("0.6"), target("0.99"));
    assert_eq!(store.apply(12, &three), [(What::Changed, 31), (What::Unchanged, 0)]);
    assert_eq!(store.history(percent), ["a: ever–31 99/100", "a: 31–on 3/5"]);
}

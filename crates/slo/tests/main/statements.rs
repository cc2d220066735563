//! Statements: written, read, verified, compared.

use nines_slo::{
    Basis, Counts, Evidence, Excluded, Fee, IssuedStatement, MonthFee, ObjectKind, Rules, Standing, StatementError,
    Stored, Subject, credit, differences, html, markdown, plan, steps,
};
use nines_timeline::Interval;
use proptest::prelude::*;

use crate::credits::{ALWAYS, DAY, MINUTE};
use crate::naive::recorded;
use crate::naive_credits::{Case, case};

/// The versions that a text comes to.
pub fn stored(text: &str) -> Vec<Stored> {
    match plan(&[], &[("a.yaml".into(), text.into())], 0) {
        Ok(plan) => plan.changes.into_iter().map(|change| change.stored).collect(),
        Err(mistakes) => panic!("{mistakes:#?}"),
    }
}

/// What a statement of an agreement is drawn up from.
pub fn basis(versions: Vec<Stored>, month: &str, evidence: Evidence) -> Basis {
    Basis {
        agreement: versions[0].name.clone(),
        customer: "acme".into(),
        service: "gateway".into(),
        business: String::new(),
        period: month.parse().unwrap(),
        versions,
        active: ALWAYS,
        rules: Rules::CURRENT,
        beside: Vec::new(),
        evidence,
        tables: [("requests".to_string(), 12), ("fees".to_string(), 3)].into(),
        program: "nines 0.1.0".into(),
        complete: true,
        watermark: Some(1_793_000_000_000_000),
        missing: Vec::new(),
    }
}

fn of(case: &Case) -> Option<IssuedStatement> {
    let evidence = case.evidence();
    let month = format!("{:04}-{:02}", case.month.0, case.month.1);
    let active = case.active();
    let basis = Basis { active, rules: case.rules, ..basis(vec![recorded(&case.text())], &month, evidence.clone()) };
    match IssuedStatement::draw_up(basis, 1_793_600_000_000_000) {
        Ok(statement) => {
            let agreement = statement.agreement().unwrap();
            assert_eq!(credit(&statement.covered(&agreement).unwrap(), &evidence).unwrap(), statement.credit);
            Some(statement)
        }
        Err(StatementError::NothingAgreed { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

/// A letter of the same kind, so that most texts stay readable.
fn other(byte: u8, by: u8) -> u8 {
    match byte {
        b'0'..=b'9' => b'0' + (byte - b'0' + 1 + by % 9) % 10,
        b'a'..=b'z' => b'a' + (byte - b'a' + 1 + by % 25) % 26,
        _ => 32 + (byte.wrapping_add(by) % 94),
    }
}

/// Whether a change of the text goes unseen although it changed what is stated.
fn unseen(statement: &IssuedStatement, text: &str, at: usize, by: u8) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] = other(bytes[at], by);
    let changed = String::from_utf8(bytes).ok()?;
    let read = IssuedStatement::from_json(&changed).ok()?;
    (read != *statement && read.verify().holds()).then_some(changed)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_and_holds(case in case()) {
        let Some(statement) = of(&case) else { return Ok(()) };
        let text = statement.to_json();
        let read = IssuedStatement::from_json(&text).unwrap();
        prop_assert_eq!(&read, &statement);
        prop_assert_eq!(read.to_json(), text);
        prop_assert_eq!(read.verify().problems, Vec::<String>::new());
        prop_assert!(differences(&statement, &read).is_empty());
        prop_assert!(steps(&read).unwrap().iter().all(|step| !step.lines.is_empty()));
    }

    #[test]
    fn a_changed_letter_is_found(case in case(), places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 64)) {
        let Some(statement) = of(&case) else { return Ok(()) };
        let text = statement.to_json();
        for (place, by) in places {
            prop_assert_eq!(unseen(&statement, &text, place.index(text.len()), by), None);
        }
    }

    /// Two months under the same agreement differ in words exactly if they differ.
    #[test]
    fn differences_are_told(one in case(), other in case()) {
        let Some(old) = of(&one) else { return Ok(()) };
        let mut two = one.clone();
        two.month = other.month;
        for case in [one.clone(), two, other] {
            let Some(new) = of(&case) else { continue };
            let same = old.evidence == new.evidence && old.credit == new.credit && old.period == new.period;
            let found = differences(&old, &new);
            prop_assert!(same || !found.is_empty());
            prop_assert!(found.iter().all(|difference| difference.text.ends_with('.')));
            prop_assert_eq!(new.clone().revised(&old).is_some(), !found.is_empty());
        }
    }
}

const GATEWAY: &str = "apiVersion: nines/v1\nkind: Agreement\nmetadata: {name: gateway, annotations: {nines/effective-from: \
    2026-01-01}}\nspec:\n  service: gateway\n  party: gateway\n  period: {duration: 1M, timeZone: Asia/Shanghai}\n  slice: \
    15s\n  measure: MeanErrorRate\n  commitment: 99.90%\n  credits: [{below: 99.90%, percent: 10}, {below: 99.00%, \
    percent: 25}]\n  exclusions: [{category: Maintenance, announced: before}, Attack]\n  fees: {exclude: vouchers}\n  \
    lostTelemetry: {estimateFrom: 7d}\n  claimWithin: 60d\n";

/// The first instant of October 2026 in Shanghai.
pub const OCTOBER: i64 = 1_790_784_000_000_000;

/// A month with an outage, an attack and lost telemetry.
pub fn october() -> Evidence {
    let at = |day: i64, minute: i64| OCTOBER + (day - 1) * DAY + minute * MINUTE;
    let mut slices: Vec<Counts> = Vec::new();
    let mut run = |from: i64, count: i64, valid: i64, failed: &dyn Fn(i64) -> i64| {
        slices.extend((0..count).map(|i| Counts { start: from + i * 15_000_000, valid, failed: failed(i) }));
    };
    run(at(2, 100), 3, 200, &|_| 1);
    run(at(8, 601), 40, 180, &|i| 20 + i % 7);
    run(at(14, 724), 400, 150, &|i| 60 + i % 90);
    run(at(20, 30), 8, 90, &|_| 90);
    // The days from which is estimated are listed whole: ten requests in each minute's first slice.
    let quiet = (at(16, 0)..at(23, 0)).step_by(MINUTE as usize).map(|start| Counts { start, valid: 10, failed: 0 });
    let failing = slices.clone();
    slices.extend(quiet.filter(|counts| failing.iter().all(|other| other.start != counts.start)));
    slices.sort_by_key(|counts| counts.start);
    let excluded = |id: &str, category: &str, from: i64, to: i64, announced: Option<i64>| Excluded {
        id: id.into(),
        category: category.into(),
        interval: Interval::new(from, to),
        announced,
    };
    Evidence {
        credited: Vec::new(),
        parts: Vec::new(),
        slices,
        other_valid: 3_456_789,
        other_valid_months: Vec::new(),
        stored_slice: None,
        exclusions: vec![
            excluded("ddos-7", "Attack", at(20, 25), at(20, 40), None),
            excluded("chg-31", "Maintenance", at(27, 120), at(27, 180), Some(at(20, 600))),
            excluded("chg-32", "Maintenance", at(28, 120), at(28, 125), Some(at(28, 121))),
        ],
        lost: vec![Interval::new(at(23, 700), at(23, 712))],
        active: Vec::new(),
        month_fees: Vec::new(),
        fee: Some(Fee { currency: "CNY".into(), amount: 12_345_670_000, vouchers: 345_670_000 }),
    }
}

fn gateway() -> IssuedStatement {
    IssuedStatement::draw_up(basis(stored(GATEWAY), "2026-10", october()), 1_793_600_000_000_000).unwrap()
}

#[test]
fn every_letter_counts() {
    let mut evidence = october();
    evidence.slices.retain(|counts| counts.failed > 0);
    evidence.slices.truncate(20);
    let basis = Basis { beside: vec!["web".into()], ..basis(stored(GATEWAY), "2026-10", evidence) };
    let statement = IssuedStatement::draw_up(basis, 0).unwrap();
    let text = statement.to_json();
    let missed = (0..text.len()).filter_map(|at| unseen(&statement, &text, at, at as u8)).next();
    assert_eq!(missed, None);
}

#[test]
fn other_agreements_of_the_same_fee_are_named() {
    let with = |rules: Rules, beside: &[&str]| {
        let beside = beside.iter().map(ToString::to_string).collect();
        let basis = Basis { beside, rules, ..basis(stored(GATEWAY), "2026-10", october()) };
        IssuedStatement::draw_up(basis, 1_793_600_000_000_000).unwrap()
    };
    let statement = with(Rules::CURRENT, &["all", "web"]);
    assert!(statement.verify().holds());
    assert_eq!(IssuedStatement::from_json(&statement.to_json()).unwrap(), statement);
    let said = "The same fee is the base of credits under all and web, too; each is worked out by itself.";
    let pages = [
        markdown(std::slice::from_ref(&statement), Standing::Issued).unwrap(),
        html(std::slice::from_ref(&statement), Standing::Issued).unwrap(),
    ];
    assert!(pages.iter().all(|page| page.contains(said)));
    // That one was agreed since revises nothing, and earlier rules know nothing of it.
    assert_eq!(with(Rules::CURRENT, &[]), gateway());
    assert_eq!(statement.revised(&gateway()), None);
    assert_eq!(with(Rules::First, &["all"]), with(Rules::First, &[]));
}

#[test]
fn the_form_is_strict() {
    let text = gateway().to_json();
    let error = |from: &str, to: &str| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        IssuedStatement::from_json(&changed).unwrap_err().to_string()
    };
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&text).unwrap()).unwrap();
    assert_eq!(IssuedStatement::from_json(&pretty).unwrap(), gateway(), "spaces and order mean nothing");
    let unread = "this is no statement that can be read: ";
    assert_eq!(
        error("\"format\":3", "\"format\":6"),
        format!("{unread}its format is 6, and this version knows 5; use a newer one")
    );
    // Only a period of several months is of format 4, and one of days of format 5.
    for other in ["\"format\":4", "\"format\":5"] {
        assert!(error("\"format\":3", other).contains("not written as a statement writes it"));
    }
    assert_eq!(error("\"format\":3", "\"format\":\"2\""), format!("{unread}unknown format \"2\""));
    assert_eq!(error("\"format\":3,", ""), format!("{unread}it has no field 'format'"));
    assert_eq!(
        error("\"rules\":3", "\"rules\":4"),
        format!("{unread}its rules are 4, and this version knows 3; use a newer one")
    );
    assert!(error("\"agreement\":", "\"agreements\":").contains("unknown field `agreements`"));
    assert!(error("\"revision\":1", "\"revision\":1.0").contains("invalid type"));
    assert!(error("\"business\":\"\",", "").contains("missing field `business`"));
    let otherwise = format!("{unread}a value is not written as a statement writes it");
    assert_eq!(error("\"before\":null,", ""), otherwise);
    assert_eq!(error("\"format\":3", "\"format\":2"), otherwise, "of rules 2");
    assert_eq!(
        [error("\"rules\":3,", ""), error("\"rules\":3", "\"rules\":1")],
        [otherwise.clone(), otherwise.clone()]
    );
    assert_eq!(error("\"12345.67\"", "\"12345.670\""), otherwise);
    assert_eq!(error("T16:00:00Z", "T16:00:00.000Z"), otherwise);
    assert_eq!(error("T16:00:00Z", "T17:00:00+01:00"), otherwise);
    assert!(error("\"12345.67\"", "\"1e4\"").contains("no decimal"));
    assert!(error("T16:00:00Z", "T26:00:00Z").contains("no instant"));
    assert!(IssuedStatement::from_json("{").unwrap_err().to_string().starts_with(&format!("{unread}no JSON")));
    assert!(IssuedStatement::from_json("[]").is_err() && IssuedStatement::from_json("").is_err());
}

/// What is paid for months is evidence as well: the part that counts is worked out again.
#[test]
fn a_period_of_days_carries_the_fees_of_its_months() {
    let text = GATEWAY.replace("duration: 1M", "duration: 30d, from: 2026-10-10");
    let month_fee = |month: &str, amount: i128, vouchers: i128| MonthFee {
        month: month.parse().unwrap(),
        amount,
        vouchers,
        active: ALWAYS,
    };
    let evidence = Evidence {
        fee: Some(Fee { currency: "CNY".into(), amount: 610_000_000, vouchers: 61_000_000 }),
        month_fees: vec![month_fee("2026-10", 310_000_000, 31_000_000), month_fee("2026-11", 300_000_000, 30_000_000)],
        ..Evidence::default()
    };
    let statement = IssuedStatement::draw_up(basis(stored(&text), "2026-10-10", evidence.clone()), 0).unwrap();
    // 22 days of October and 8 of November, without vouchers.
    assert_eq!(statement.credit.fee_base, Some(198_000_000 + 72_000_000));
    let json = statement.to_json();
    assert!(json.starts_with("{\"format\":5,") && json.contains("\"period\":\"2026-10-10\""), "{json}");
    assert_eq!(IssuedStatement::from_json(&json).unwrap(), statement);
    assert!(statement.verify().holds());
    let wrong = |change: &dyn Fn(&mut Evidence)| {
        let mut wrong = statement.clone();
        change(&mut wrong.evidence);
        wrong.verify().problems.join(" ")
    };
    assert!(
        wrong(&|own| own.month_fees[0].active.end = OCTOBER + 20 * DAY)
            .contains("The fee base is stated as 270.00 CNY")
    );
    assert!(wrong(&|own| own.month_fees[0].amount += 1).contains("the fee is not the sum of those of the months"));
    assert!(wrong(&|own| own.month_fees.clear()).contains("not the sum"));
    let october = IssuedStatement::draw_up(basis(stored(GATEWAY), "2026-10", evidence.clone()), 0);
    assert!(october.unwrap_err().to_string().contains("fees of months stand beside a period of months"));
    for none in ["2026-10", "2026-10-11"] {
        let of_none = IssuedStatement::draw_up(basis(stored(&text), none, evidence.clone()), 0);
        assert!(matches!(of_none, Err(StatementError::NothingAgreed { .. })), "{none}");
    }
    // Another fee of one month is told as that.
    let later =
        Evidence { month_fees: vec![evidence.month_fees[0].clone(), month_fee("2026-11", 600_000_000, 0)], ..evidence };
    let fee = Some(Fee { currency: "CNY".into(), amount: 910_000_000, vouchers: 31_000_000 });
    let later = IssuedStatement::draw_up(basis(stored(&text), "2026-10-10", Evidence { fee, ..later }), 0).unwrap();
    let told: Vec<String> = differences(&statement, &later).into_iter().map(|change| change.text).collect();
    let now = "2026-11: 600.00 CNY, of which vouchers paid 0.00 CNY (8 of 30 days)";
    assert!(told.iter().any(|text| text.contains(now)), "{told:?}");
    assert!(
        markdown(std::slice::from_ref(&statement), Standing::Issued)
            .unwrap()
            .contains("10 October 2026 to 8 November 2026")
    );
}

#[test]
fn numbers_at_the_ends_are_kept() {
    let mut statement = gateway();
    statement.watermark = Some(i64::MAX);
    statement.issued_at = i64::MIN;
    statement.active = Interval::new(i64::MIN + 1, i64::MAX - 1);
    statement.evidence.slices = vec![
        Counts { start: i64::MIN, valid: i64::MAX, failed: -1 },
        Counts { start: i64::MAX, valid: 0, failed: i64::MIN },
        Counts { start: 5, valid: 0, failed: 0 },
    ];
    statement.evidence.fee = Some(Fee { currency: String::new(), amount: i128::MIN, vouchers: i128::MAX });
    statement.customer = "客户 \"\u{0}\u{1f600}\\".into();
    assert_eq!(IssuedStatement::from_json(&statement.to_json()).unwrap(), statement);
    assert!(!statement.verify().holds());
}

#[test]
fn a_month_of_slices_stays_small() {
    let slices =
        (0..5000).map(|i| Counts { start: OCTOBER + i * 35 * 15_000_000, valid: 1200 + i % 90, failed: 1 + i % 3 });
    let evidence = Evidence { slices: slices.collect(), ..october() };
    let statement = IssuedStatement::draw_up(basis(stored(GATEWAY), "2026-10", evidence), 0).unwrap();
    let text = statement.to_json();
    assert!(text.len() < 120_000, "{}", text.len());
    assert!(text.contains("\"unit_micros\":525000000,\"counts\":[[0,1200,1],[1,1201,2],"), "distance, valid, failed");
    assert_eq!(IssuedStatement::from_json(&text).unwrap(), statement);
}

#[test]
fn only_versions_that_decide_are_carried() {
    let version = |from: &str, percent: u32| {
        GATEWAY.replace("2026-01-01", from).replace("percent: 10", &format!("percent: {percent}"))
    };
    let text = ["2026-01-01", "2026-05-01", "2026-10-10", "2027-01-01"].iter().zip(11..);
    let text: Vec<String> = text.map(|(from, percent)| version(from, percent)).collect();
    let mut all = stored(&text.join("---\n"));
    all.push(Stored {
        kind: ObjectKind::Service,
        name: "gateway".into(),
        effective_from: 0,
        text: String::new(),
        rules: Rules::CURRENT,
    });
    let of = |month: &str, versions: &[Stored]| {
        let evidence = Evidence { exclusions: Vec::new(), lost: Vec::new(), slices: Vec::new(), ..october() };
        IssuedStatement::draw_up(basis(versions.to_vec(), month, evidence), 0).unwrap()
    };
    let october = of("2026-10", &all);
    assert_eq!(october.versions.len(), 1);
    assert!(october.versions[0].text.contains("percent: 12"), "the one in force when the month began");
    assert!(of("2026-11", &all).versions[0].text.contains("percent: 13"));
    assert!(of("2026-11", &all).verify().holds());
    assert!(differences(&of("2026-10", &all[..2]), &october).is_empty(), "what was agreed later changes nothing");
    let error = IssuedStatement::draw_up(basis(all, "2025-10", Evidence::default()), 0).unwrap_err();
    assert_eq!(error.to_string(), "agreement 'gateway' covers nothing of 2025-10 for this customer");
}

/// Whatever is changed in the evidence is told, and under its own heading.
#[test]
fn each_change_is_told() {
    type Change = fn(&mut Evidence);
    let changes: [(Change, Subject, &str); 14] = [
        (|e| e.slices[0].valid += 1, Subject::Requests, "1 of 201 failed, before 1 of 200 failed"),
        (|e| e.slices[0].failed += 1, Subject::Requests, "2 of 200 failed, before 1 of 200 failed"),
        (
            |e| e.slices.retain(|c| c.start != OCTOBER + DAY + 100 * MINUTE),
            Subject::Requests,
            "no failures, before 1 of 200 failed",
        ),
        (|e| e.other_valid += 1, Subject::Requests, "number of valid requests"),
        (
            |e| e.slices.iter_mut().for_each(|c| c.valid += 1),
            Subject::LostTelemetry,
            "slices, times 48 slices); before",
        ),
        (|e| e.slices.iter_mut().rfind(|c| c.valid == 10).unwrap().valid = 9, Subject::Requests, "In 1 slice the"),
        (|e| e.exclusions[0].category = "Weather".into(), Subject::Exclusions, "the agreement has no such category"),
        (|e| e.exclusions[1].announced = None, Subject::Exclusions, "not announced (does not count"),
        (|e| e.exclusions[2].interval.end += 1, Subject::Exclusions, "chg-32 is Maintenance"),
        (|e| e.exclusions.truncate(1), Subject::Exclusions, "chg-31 is withdrawn"),
        (|e| e.lost[0].end += 1, Subject::LostTelemetry, "Telemetry was lost 2026-10-23 11:40 to"),
        (|e| e.active = vec![Interval::new(OCTOBER, i64::MAX)], Subject::Period, "from 2026-10-01 00:00 on"),
        (|e| e.fee = None, Subject::Amount, "There is no amount any more; before it was 1,200.00 CNY."),
        (|e| e.fee.iter_mut().for_each(|fee| fee.amount += 1), Subject::Fee, "12,345.670001 CNY"),
    ];
    let old = gateway();
    for (change, about, words) in changes {
        let mut evidence = october();
        change(&mut evidence);
        let new = IssuedStatement::draw_up(basis(stored(GATEWAY), "2026-10", evidence), 0).unwrap();
        let found = differences(&old, &new);
        let told = found.iter().any(|difference| difference.about == about && difference.text.contains(words));
        assert!(told, "{words}: {found:#?}");
        assert!(new.verify().holds() && new.revised(&old).unwrap().verify().holds());
    }
    let incomplete = Basis { complete: false, ..basis(stored(GATEWAY), "2026-10", october()) };
    let found = differences(&IssuedStatement::draw_up(incomplete, 0).unwrap(), &old);
    assert_eq!(found.iter().map(|difference| difference.about).collect::<Vec<_>>(), [Subject::Completeness]);
    let comment = stored(&GATEWAY.replace("spec:", "# As signed.\nspec:"));
    let commented = IssuedStatement::draw_up(basis(comment, "2026-10", october()), 0).unwrap();
    assert_eq!(differences(&old, &commented), [], "another text of the same terms");
}

#[test]
fn a_revision_says_what_changed() {
    let first = gateway();
    let again = Basis { tables: [("requests".into(), 99)].into(), ..basis(stored(GATEWAY), "2026-10", october()) };
    let again =
        IssuedStatement::draw_up(Basis { program: "nines 0.2.0".into(), ..again }, 1_794_000_000_000_000).unwrap();
    assert_eq!(again.clone().revised(&first), None, "neither the program nor the tables matter");

    let mut evidence = october();
    evidence.slices.iter_mut().filter(|counts| counts.valid == 180).for_each(|counts| counts.failed += 100);
    evidence.exclusions.retain(|exclusion| exclusion.id != "ddos-7");
    evidence.exclusions[0].interval.end += 30 * MINUTE;
    evidence.fee = Some(Fee { currency: "CNY".into(), amount: 12_345_670_000, vouchers: 0 });
    evidence.lost.clear();
    let text = GATEWAY.replace("60d", "2M");
    let second = IssuedStatement::draw_up(basis(stored(&text), "2026-10", evidence), 1_794_000_000_000_000).unwrap();
    let second = second.revised(&first).unwrap();
    assert!(second.verify().holds() && second.follows(&first).holds() && !first.follows(&second).holds());
    assert_eq!((second.revision, second.before.as_ref()), (2, Some(&first.sha256)));
    let told: Vec<String> =
        second.changes.iter().map(|change| format!("{:?}: {}", change.about, change.text)).collect();
    insta::assert_snapshot!(told.join("\n"));
    assert!(second.changes.iter().any(|change| change.about == Subject::Terms));
    assert_eq!(IssuedStatement::from_json(&second.to_json()).unwrap(), second);
}

#[test]
fn the_arithmetic_of_each_measure() {
    let measures = [
        "measure: MeanErrorRate",
        "measure: BadSlices\n  bad: errorRate >= 50%\n  minRequests: 100",
        "measure: Downtime\n  bad: errorRate > 50%\n  minRun: 5m",
        "measure: Occurrences",
        "measure: Proportional\n  bad: errorRate > 50%\n  cap: 20%\n  excludedTime: removed\n  minPayout: 5000.00 CNY",
    ];
    let mut out = String::new();
    for measure in measures {
        let text = GATEWAY.replace("measure: MeanErrorRate", measure);
        let text = if measure.ends_with("Occurrences") { text.replace("99.90%", "99.9999%") } else { text };
        let active = Interval::new(OCTOBER + 12 * MINUTE, i64::MAX);
        let basis = Basis { active, ..basis(stored(&text), "2026-10", october()) };
        let statement = IssuedStatement::draw_up(basis, 0).unwrap();
        out += &format!("# {measure}\n");
        for step in steps(&statement).unwrap() {
            out += &format!("{}\n  {}\n", step.title, step.lines.join("\n  "));
        }
    }
    insta::assert_snapshot!(out);
}

/// Hourly slices in a zone of half hours: the rules are the reason, where they change a figure.
#[test]
fn rules_are_a_reason_where_they_change_something() {
    let text = |zone: &str, slice: &str| GATEWAY.replace("Asia/Shanghai", zone).replace("15s", slice);
    let of = |text: &str, rules: Rules, start: i64| {
        let slices = vec![Counts { start, valid: 10, failed: 5 }];
        let evidence = Evidence { slices, ..Evidence::default() };
        // As it was recorded then.
        let recorded = stored(text).into_iter().map(|own| Stored { rules: Rules::Second, ..own });
        IssuedStatement::draw_up(Basis { rules, ..basis(recorded.collect(), "2026-10", evidence) }, 0).unwrap()
    };
    // 05:30 in India.
    let (noon, hourly) = (OCTOBER + 12 * 60 * MINUTE, text("Asia/Kolkata", "1h"));
    let (old, new) = (of(&hourly, Rules::First, noon), of(&hourly, Rules::CURRENT, noon + 30 * MINUTE));
    assert_eq!((old.credit.slices, new.credit.slices), (743, 744));
    assert!(old.verify().holds() && new.verify().holds());
    assert!(!old.to_json().contains("\"rules\"") && old.to_json().starts_with("{\"format\":1,"));
    let revision = new.revised(&old).unwrap();
    assert_eq!(revision.changes[0].about, Subject::Rules);
    assert!(
        revision.changes[0]
            .text
            .starts_with("It is worked out by rules 3, before by rules 1: now slices are laid from")
    );
    assert!(revision.verify().holds() && revision.follows(&old).holds());
    // Judged by other rules than its own, the evidence does not even fit.
    let mut forged = old.clone();
    forged.rules = Rules::CURRENT;
    assert!(forged.verify().problems.iter().any(|problem| problem.contains("does not begin where a slice")));

    let minutes = text("Asia/Kolkata", "1m");
    let (old, new) = (of(&minutes, Rules::First, noon), of(&minutes, Rules::CURRENT, noon));
    assert_eq!(new.revised(&old), None, "a change of rules alone is no revision");
}

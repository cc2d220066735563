//! Wrong agreements, and exactly what is said about them.

use crate::reading::slo;
use crate::refusals::table;

/// Each clause of a right agreement that measures downtime replaced, its last line.
#[test]
fn forms_of_credits_and_limits() {
    let clauses = [
        "credits: {percent: 5}",
        "credits: {per: 30m}",
        "credits: {per: 30, of: outages, round: half, percent: 5}",
        "credits: {per: 30m, of: outage, round: up, percent: 5, days: 1}",
        "credits: {per: 30m, of: outage, round: up, percent: 500}",
        "credits: {per: 30m, of: outage, round: up, days: 0}",
        "credits: {per: 30m, of: outage, round: up, percent: 5, atMost: 1 per hour, after: soon}",
        "credits: {times: 0, of: unavailability}",
        "credits: {times: 1.5}",
        "credits: [{below: 99%, atOrBelow: 98%, percent: 10}]",
        "credits: [{atOrBelow: 99.9%, percent: 10}]",
        "credits: [{below: 99.9%, days: 3}, {below: 99%, percent: 10}]",
        "credits: [{below: 99.9%, percent: 10}, {atOrBelow: 99.9%, percent: 20}]",
        "round: 2",
        "round: 7, half-up",
        "roundAmount: 2, up",
        "cap: 5 EURO",
        "minPayout: [1 EUR, 1 USD, 2 EUR]",
        "claimWithin: {within: 0h}",
        "claimWithin: {from: outage}",
        "claimWithin: {within: 72h, from: start}",
    ];
    let with = |clause: &&str| {
        let right = [
            "service: s",
            "period: {duration: 1M, timeZone: UTC}",
            "slice: 1m",
            "measure: Downtime",
            "bad: errorRate > 10%",
            "minRun: 1m",
            "commitment: 99.9%",
            "credits: [{below: 99.9%, percent: 10}]",
        ];
        let name = |line: &str| line.split(':').next().unwrap_or("").to_string();
        let kept = right.iter().filter(|line| name(line) != name(clause)).map(|line| format!("  {line}\n"));
        let kept: String = kept.collect();
        format!("apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: a}}\nspec:\n{kept}  {clause}")
    };
    let mut texts: Vec<String> = clauses.iter().map(with).collect();
    let other = |clause| with(&clause).replace("Downtime\n  bad: errorRate > 10%\n  minRun: 1m", "MeanErrorRate");
    texts.push(other("credits: {per: 30m, of: outage, round: up, percent: 5}"));
    texts.push(other("claimWithin: {within: 72h, from: outage}"));
    insta::assert_snapshot!(table(&texts));
}

#[test]
fn agreements() {
    // Each clause replaces that of a right agreement, which has it last so that it is the line shown.
    let with = |clause: &str| {
        let right = [
            "service: s",
            "period: {duration: 1M, timeZone: UTC}",
            "slice: 15s",
            "measure: MeanErrorRate",
            "commitment: 99.9%",
            "credits: [{below: 99.9%, percent: 10}]",
        ];
        let name = |line: &str| line.split(':').next().unwrap_or("").to_string();
        let kept = right.iter().filter(|line| name(line) != name(clause)).map(|line| format!("  {line}\n"));
        let kept: String = kept.collect();
        let text = format!("apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: a}}\nspec:\n{kept}  {clause}");
        let condition = clause.starts_with("bad:") && clause != "bad: errorRate > 10%";
        if condition { text.replace("MeanErrorRate", "BadSlices") } else { text }
    };
    let clauses = [
        "service:",
        "service: []",
        "services: s",
        "party: customer",
        "causes: {a: everybody}",
        "period: 1M",
        "period: {duration: 5M, timeZone: UTC}",
        "period: {duration: 28d, timezone: UTC}",
        "period: {duration: 6d, from: 2026-01-10, timeZone: UTC}",
        "period: {duration: 30d, from: 15, timeZone: UTC}",
        "period: {duration: 1M, from: 2026-01-10, timeZone: UTC}",
        "period: {duration: 1M, timeZone: Asia/Shanghia}",
        "slice:",
        "slice: 7m",
        "measure: MeanErrors",
        "measure: BadSlices",
        "measure: Downtime",
        "bad: errorRate > 10%",
        "minRun: 5m",
        "bad: errors > 10%",
        "bad: errorRate < 90%",
        "bad: errorRate > 100%",
        "bad: errorRate >= 0",
        "bad: errorRate > 110%",
        "minRequests: 0",
        "commitment:",
        "commitment: 99.9",
        "credits:",
        "credits: {below: 99.9%, percent: 10}",
        "credits: [{below: 99%}, {belw: 99%, percent: 10}, {below: 99%, percent: 110}, {below: 0, percent: 1}]",
        "credits: [{below: 99.95%, percent: 10}]",
        "credits: [{below: 99%, percent: 10}, {below: 99.9%, percent: 25}, {below: 95%, percent: 25}]",
        "cap: 0.5",
        "cap: half",
        "minPayout: 1",
        "minPayout: 1 usd",
        "minPayout: 1.001 USD",
        "claimWithin: 2 months",
        "claimWithin: 0d",
        "exclusions: Attack",
        "exclusions: [Attack, {category: Attack, announced: before}, {category: ''}, {announced: after}, {catgory: a}]",
        "excludedTime: remove",
        "valid: some",
        "valid: {except: 403}",
        "valid: {}",
        "fees: vouchers",
        "fees: {exclude: voucher}",
        "lostTelemetry: {}",
        "lostTelemetry: {estimateFrom: 7}",
    ];
    let clauses: Vec<String> = clauses.iter().map(|clause| with(clause)).collect();
    insta::assert_snapshot!(table(&clauses), @r#"
    service:
    a.yaml:5:3: missing field 'service' in the agreement's spec

    service: []
    a.yaml:10:12: 'service' names no service; write "*" for one agreement about each of them

    services: s
    a.yaml:11:3: unknown field 'services' in the agreement's spec; did you mean 'service'?

    party: customer
    a.yaml:11:10: 'party' cannot be 'customer'; expected service or gateway

    causes: {a: everybody}
    a.yaml:11:15: 'a' cannot be 'everybody'; expected service, gateway or nobody

    period: 1M
    a.yaml:10:11: expected a mapping for period, got '1M'

    period: {duration: 5M, timeZone: UTC}
    a.yaml:10:22: 'duration': '5M' is no period of an agreement: expected calendar months that divide a year, as in 1M, 1Q or 1Y, or days such as 30d

    period: {duration: 28d, timezone: UTC}
    a.yaml:10:11: missing field 'from' in period, which periods of 28 days need: they are counted from a day; a day on which one begins, such as from: 2026-01-10
    a.yaml:10:11: missing field 'timeZone' in period
    a.yaml:10:27: unknown field 'timezone' in period; did you mean 'timeZone'?

    period: {duration: 6d, from: 2026-01-10, timeZone: UTC}
    a.yaml:10:22: 'duration': '6d' is no period of an agreement: expected 7 to 366 days, as in 30d

    period: {duration: 30d, from: 15, timeZone: UTC}
    a.yaml:10:33: 'from': '15' is no date: periods of days are counted from a day on which one begins, such as 2026-01-10

    period: {duration: 1M, from: 2026-01-10, timeZone: UTC}
    a.yaml:10:32: 'from': '2026-01-10' is no day of a month: periods of months begin on a day of the month, such as 15; those of days, such as duration: 30d, are counted from a date

    period: {duration: 1M, timeZone: Asia/Shanghia}
    a.yaml:10:36: unknown time zone 'Asia/Shanghia'; did you mean 'Asia/Shanghai'?

    slice:
    a.yaml:5:3: missing field 'slice' in the agreement's spec

    slice: 7m
    a.yaml:10:10: 'slice': slices of 7m do not divide a day into whole slices, as 1m, 5m or 1h do

    measure: MeanErrors
    a.yaml:10:12: 'measure' cannot be 'MeanErrors'; expected MeanErrorRate, BadSlices, Downtime, Occurrences or Proportional

    measure: BadSlices
    a.yaml:5:3: missing field 'bad' in the agreement's spec, which BadSlices needs; what makes a slice bad, such as bad: errorRate > 10%

    measure: Downtime
    a.yaml:5:3: missing field 'bad' in the agreement's spec, which Downtime needs; what makes a slice bad, such as bad: errorRate > 10%
    a.yaml:5:3: missing field 'minRun' in the agreement's spec, which Downtime needs; how long bad slices must last, such as minRun: 1m

    bad: errorRate > 10%
    a.yaml:11:8: 'bad' means nothing for MeanErrorRate

    minRun: 5m
    a.yaml:11:11: 'minRun' means nothing for MeanErrorRate

    bad: errors > 10%
    a.yaml:11:8: 'bad': 'errors > 10%' is no condition: expected one such as errorRate > 10% or errorRate >= 100%

    bad: errorRate < 90%
    a.yaml:11:8: 'bad': 'errorRate < 90%' is no condition: expected one such as errorRate > 10% or errorRate >= 100%

    bad: errorRate > 100%
    a.yaml:11:8: 'bad': 'errorRate > 100%' makes no slice bad

    bad: errorRate >= 0
    a.yaml:11:8: 'bad': 'errorRate >= 0' makes every slice bad

    bad: errorRate > 110%
    a.yaml:11:8: 'bad': expected a share between 0 and 1, got 110%; write 99.9 % as 0.999

    minRequests: 0
    a.yaml:11:16: 'minRequests': expected a whole number of requests from 1 on, got '0'

    commitment:
    a.yaml:5:3: missing field 'commitment' in the agreement's spec

    commitment: 99.9
    a.yaml:10:15: 'commitment' must be between 0 and 1, got 99.9; write 99.9 % as 0.999 or 99.9%

    credits:
    a.yaml:5:3: missing field 'credits' in the agreement's spec; write credits: [] until they are agreed

    credits: {below: 99.9%, percent: 10}
    a.yaml:10:12: tiers stand in a list, also if there is one; write credits: [{…}]

    credits: [{below: 99%}, {belw: 99%, percent: 10}, {below: 99%, percent: 110}, {below: 0, percent: 1}]
    a.yaml:10:13: missing field 'percent' in the tier
    a.yaml:10:27: missing field 'below' in the tier
    a.yaml:10:28: unknown field 'belw' in the tier; did you mean 'below'?
    a.yaml:10:75: 'percent' must be a number from 0 to 100, got 110
    a.yaml:10:89: 'below' must be above 0: no availability is lower

    credits: [{below: 99.95%, percent: 10}]
    a.yaml:10:13: the tier begins above the commitment: a credit would be due although it is kept

    credits: [{below: 99%, percent: 10}, {below: 99.9%, percent: 25}, {below: 95%, percent: 25}]
    a.yaml:10:40: 'below' is not lower than that of the tier before; tiers go from the highest bound down, as in [{below: 99.9%, percent: 10}, {below: 99%, percent: 25}]
    a.yaml:10:69: 'percent' is not higher than that of the tier before; the lower the availability, the higher the credit

    cap: 0.5
    a.yaml:11:8: 'cap' must be a percent or money, got '0.5'; such as cap: 50%, cap: 1000.00 EUR, or cap: {period: 50%, year: 2 fees}

    cap: half
    a.yaml:11:8: 'cap' must be a percent or money, got 'half'; such as cap: 50%, cap: 1000.00 EUR, or cap: {period: 50%, year: 2 fees}

    minPayout: 1
    a.yaml:11:14: 'minPayout': '1' is no amount: expected a number and a currency such as 1.00 USD

    minPayout: 1 usd
    a.yaml:11:14: 'minPayout': unknown currency 'usd': write USD

    minPayout: 1.001 USD
    a.yaml:11:14: 'minPayout': '1.001 USD' cannot be paid: USD has 2 decimal places

    claimWithin: 2 months
    a.yaml:11:16: 'claimWithin': '2 months' is no time to claim: expected such as 60d, 2M, 72h or 10 working days

    claimWithin: 0d
    a.yaml:11:16: 'claimWithin': '0d' is no time to claim: expected such as 60d, 2M, 72h or 10 working days

    exclusions: Attack
    a.yaml:11:15: expected a list for 'exclusions', got 'Attack'

    exclusions: [Attack, {category: Attack, announced: before}, {category: ''}, {announced: after}, {catgory: a}]
    a.yaml:11:24: category 'Attack' stands here again
    a.yaml:11:74: 'category' is empty
    a.yaml:11:79: missing field 'category' in the exclusion
    a.yaml:11:91: 'announced': expected before, or a time before the start such as 5d or 48h; got 'after'
    a.yaml:11:99: missing field 'category' in the exclusion
    a.yaml:11:100: unknown field 'catgory' in the exclusion; did you mean 'category'?

    excludedTime: remove
    a.yaml:11:17: 'excludedTime' cannot be 'remove'; did you mean 'removed'?

    valid: some
    a.yaml:11:10: 'valid' cannot be 'some'; expected all, or such as {except: [403, 5xx, rate_limited]}

    valid: {except: 403}
    a.yaml:11:19: expected a list for 'except', got '403'

    valid: {}
    a.yaml:11:10: missing field 'except' in valid

    fees: vouchers
    a.yaml:11:9: expected a mapping for fees, got 'vouchers'

    fees: {exclude: voucher}
    a.yaml:11:19: 'exclude' cannot be 'voucher'; did you mean 'vouchers'?

    lostTelemetry: {}
    a.yaml:11:18: missing field 'estimateFrom' in lostTelemetry

    lostTelemetry: {estimateFrom: 7}
    a.yaml:11:33: 'estimateFrom': '7' is not a number of days from 1 to 366, as in 7d
    "#);
    insta::assert_snapshot!(table(&[
        with("slice: 15s").replace("nines/v1", "openslo/v1"),
        slo("a", "indicatorRef: b", "[{target: 0.9}]").replace("openslo/v1", "nines/v1"),
        with("slice: 15s").replace("{name: a}", "{name: a, annotations: {nines/target: 0.9}}"),
        with("minRequests: 10").replace("MeanErrorRate", "Occurrences"),
    ]), @r#"
    slice: 15s
    a.yaml:1:13: kind Agreement belongs to apiVersion nines/v1, not to openslo/v1

    objectives: [{target: 0.9}]
    a.yaml:1:13: kind SLO belongs to apiVersion openslo/v1, not to nines/v1

    slice: 15s
    a.yaml:3:35: 'nines/target' belongs on Service or SLO, not on Agreement

    minRequests: 10
    a.yaml:11:16: 'minRequests' means nothing for Occurrences
    "#);
}

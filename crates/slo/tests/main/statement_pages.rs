//! The pages that a customer reads.

use nines_slo::{Basis, Evidence, Fee, IssuedStatement, html, markdown};

use crate::statements::{OCTOBER, basis, october, stored};

const NAMES: &str = "<b>&\"";

/// An agreement about services of all names.
fn agreement(clauses: &str) -> String {
    format!(
        "apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: gateway, displayName: 'API gateway <b>&\"'}}\nspec:\n  \
         description: Calls through the gateway do not fail because of the gateway\n  service: \"*\"\n  party: gateway\n  \
         causes: {{login_expired: nobody}}\n  period: {{duration: 1M, timeZone: Asia/Shanghai}}\n  slice: 15s\n  \
         commitment: 99.90%\n  credits: [{{below: 99.90%, percent: 10}}, {{below: 99.00%, percent: 25}}]\n  exclusions: \
         [{{category: Maintenance, announced: before}}, Attack]\n  fees: {{exclude: vouchers}}\n  lostTelemetry: \
         {{estimateFrom: 7d}}\n  claimWithin: 60d\n{clauses}"
    )
}

/// A bad month that was revised, a good one in another currency, and one under another measure.
fn pages() -> Vec<IssuedStatement> {
    let mean = stored(&agreement("  measure: MeanErrorRate\n"));
    let of = |basis: Basis, issued_at: i64| IssuedStatement::draw_up(basis, issued_at).unwrap();
    let customer = |basis: Basis| Basis { customer: "客户".into(), business: "商城".into(), ..basis };
    let before = Evidence { exclusions: Vec::new(), ..october() };
    let before = of(customer(basis(mean.clone(), "2026-10", before)), OCTOBER + 32 * 86_400_000_000);
    let bad = of(customer(basis(mean.clone(), "2026-10", october())), OCTOBER + 40 * 86_400_000_000);
    let bad = bad.revised(&before).unwrap();
    let fee = Some(Fee { currency: "JPY".into(), amount: 800_000_000, vouchers: 0 });
    let quiet = Evidence { other_valid: 1_234_567, fee, ..Evidence::default() };
    let good = customer(basis(mean, "2026-10", quiet));
    let good = of(Basis { service: NAMES.into(), complete: false, ..good }, OCTOBER + 32 * 86_400_000_000);
    let minutes = stored(&agreement("  measure: Downtime\n  bad: errorRate > 50%\n  minRun: 5m\n  minRequests: 100\n"));
    let active = nines_timeline::Interval::new(OCTOBER + 6 * 86_400_000_000, i64::MAX);
    let other = customer(basis(minutes, "2026-10", Evidence { fee: None, ..october() }));
    let other = of(Basis { service: "支付".into(), active, ..other }, OCTOBER + 32 * 86_400_000_000);
    vec![bad, good, other]
}

#[test]
fn a_page_of_markdown() {
    let page = markdown(&pages()).unwrap();
    let hashes = pages().into_iter().flat_map(|statement| [Some(statement.sha256), statement.before]);
    let page = hashes.flatten().fold(page, |page, hash| page.replace(&hash, "…").replace(&hash[..12], "…"));
    insta::assert_snapshot!(page);
}

#[test]
fn a_page_of_html() {
    let page = html(&pages()).unwrap();
    // Where a person can look at it.
    std::fs::write(concat!(env!("CARGO_TARGET_TMPDIR"), "/statement.html"), &page).unwrap();
    assert!(!page.contains(NAMES) && page.contains("&lt;b&gt;&amp;&quot;"), "names are text");
    assert!(page.contains("客户") && page.contains("商城"));
    for foreign in ["<script", "http", "url(", "@import", "javascript:", " src="] {
        assert!(!page.contains(foreign), "self-contained: {foreign}");
    }
    let count = |what: &str| page.matches(what).count();
    assert_eq!((count("<section>"), count("</section>")), (3, 3));
    assert_eq!(count("<li title="), 3 * 31, "a cell a day");
    assert_eq!(count("class=\"outside\""), 6, "the customer came on the seventh");
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("@media print"));
    assert!(page.contains("Provisional"));
    balanced(&page);
}

/// Every element that is opened is closed, in order.
fn balanced(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in page.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap();
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap();
        if tag.starts_with('!') || tag.ends_with('/') || name == "meta" {
            continue;
        }
        match tag.starts_with('/') {
            true => assert_eq!(open.pop(), Some(name)),
            false => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn pages_are_of_one_customer_and_period() {
    let error = |statements: &[IssuedStatement]| markdown(statements).unwrap_err().to_string();
    assert_eq!(error(&[]), "there is no statement to show");
    let mut mixed = pages();
    mixed[1].customer = "other".into();
    let reason = "the statements are not all about one customer and one period; make a page of each";
    assert_eq!(error(&mixed), reason);
    assert_eq!(html(&mixed).unwrap_err().to_string(), reason);
}

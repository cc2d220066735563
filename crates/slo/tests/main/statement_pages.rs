//! The pages that a customer reads.

use nines_slo::{Basis, Evidence, Fee, IssuedStatement, Standing, html, markdown};

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
    let page = markdown(&pages(), Standing::Issued).unwrap();
    let hashes = pages().into_iter().flat_map(|statement| [Some(statement.sha256), statement.before]);
    let page = hashes.flatten().fold(page, |page, hash| page.replace(&hash, "…").replace(&hash[..12], "…"));
    insta::assert_snapshot!(page);
}

#[test]
fn a_page_of_html() {
    let page = html(&pages(), Standing::Issued).unwrap();
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
    let error = |statements: &[IssuedStatement]| markdown(statements, Standing::Issued).unwrap_err().to_string();
    assert_eq!(error(&[]), "there is no statement to show");
    let mut mixed = pages();
    mixed[1].customer = "other".into();
    let reason = "the statements are not all about one customer and one period; make a page of each";
    assert_eq!(error(&mixed), reason);
    assert_eq!(html(&mixed, Standing::Issued).unwrap_err().to_string(), reason);
}

/// The page and the HTML of a good month, with more clauses.
fn of_clauses(clauses: &str) -> [String; 2] {
    let versions = stored(&agreement(&format!("  measure: MeanErrorRate\n{clauses}")));
    let quiet = Evidence { other_valid: 10, ..Evidence::default() };
    let basis = Basis { customer: "acme".into(), service: "net".into(), ..basis(versions, "2026-10", quiet) };
    let statement = IssuedStatement::draw_up(basis, OCTOBER + 32 * 86_400_000_000).unwrap();
    [
        markdown(std::slice::from_ref(&statement), Standing::Issued).unwrap(),
        html(&[statement], Standing::Issued).unwrap(),
    ]
}

#[test]
fn who_drew_a_statement_up_stands_on_it() {
    let issuer = "  issuer: {name: Vela Cloud, contact: sla@vela.example, number: \"{period}/{customer}/{service}-{revision}\"}\n";
    let owed = "Number 2026-10/acme/net-1. Drawn up by Vela Cloud, who owes the credit; questions to sla@vela.example.";
    let claimed = "Drawn up for the customer, who claims the credit from the operator of net.";
    for (clauses, said) in [(issuer, owed), ("  side: claimed\n", claimed)] {
        let pages = of_clauses(clauses);
        assert!(pages.iter().all(|page| page.contains(said)), "{}", pages[0]);
    }
    let unnamed = of_clauses("");
    let said = "The operator of net owes the credit.";
    assert!(unnamed.iter().all(|page| page.contains(said) && !page.contains("Drawn up")), "{}", unnamed[0]);
}

#[test]
fn the_page_of_a_draft_says_so_at_its_top_and_with_each_statement() {
    let all = pages();
    let page = markdown(&all, Standing::Draft).unwrap();
    assert!(
        page.starts_with(
            "# DRAFT: Service levels of October 2026 for 客户\n\n> **DRAFT.** This is a draft for review."
        ),
        "{page}"
    );
    assert_eq!(page.matches("DRAFT of revision ").count(), all.len());
    assert!(page.contains("not issued, would replace the one with SHA-256"), "{page}");
    let page = html(&all, Standing::Draft).unwrap();
    assert!(page.contains("<body class=\"draft\">") && page.contains("<title>DRAFT: Service levels"));
    assert!(!html(&all, Standing::Issued).unwrap().contains("DRAFT:"));
}

/// Whatever stands on a page as a time has its zone beside it, or at the head of its column.
#[test]
fn every_time_of_a_page_says_its_zone() {
    let page = markdown(&pages(), Standing::Issued).unwrap();
    let has_time = |line: &str| {
        let bytes = line.as_bytes();
        let digits = |at: usize| bytes.get(at..at + 2).is_some_and(|two| two.iter().all(u8::is_ascii_digit));
        (1..bytes.len()).any(|at| bytes[at] == b':' && at >= 2 && digits(at - 2) && digits(at + 1))
    };
    let (mut head, mut seen) = ("", 0);
    for line in page.lines() {
        if !line.starts_with('|') {
            head = "";
        } else if head.is_empty() {
            head = line;
        }
        if has_time(line) {
            seen += 1;
            let told = line.contains("Asia/Shanghai") || line.contains("UTC") || head.contains("(Asia/Shanghai)");
            assert!(told, "{line}");
        }
    }
    assert!(seen > 20, "{seen} lines with times");
}

#[test]
fn a_signature_stands_on_the_page() {
    let mut statement = pages().remove(0);
    let pages = |statement: &IssuedStatement| {
        let own = std::slice::from_ref(statement);
        [markdown(own, Standing::Issued).unwrap(), html(own, Standing::Issued).unwrap()]
    };
    assert!(pages(&statement).iter().all(|page| !page.contains("Signed by")));
    statement.signature = Some("ed25519:0123456789abcdef:c2lnbmF0dXJl".into());
    let [markdown, html] = pages(&statement);
    assert!(markdown.contains("Signed by the Ed25519 key 0123456789abcdef: `c2lnbmF0dXJl`"), "{markdown}");
    assert!(html.contains("Signed by the Ed25519 key 0123456789abcdef: <code>c2lnbmF0dXJl</code>"), "{html}");
}

#[test]
fn the_months_of_a_quarter_are_a_table() {
    let counted = Evidence { other_valid: 0, ..october() };
    let text = agreement("  measure: MeanErrorRate\n").replace("duration: 1M", "duration: 1Q");
    let basis = Basis { customer: "acme".into(), service: "api".into(), ..basis(stored(&text), "2026-10", counted) };
    let statement = IssuedStatement::draw_up(basis, OCTOBER + 100 * 86_400_000_000).unwrap();
    let all = statement.credit.valid;
    let page = markdown(std::slice::from_ref(&statement), Standing::Issued).unwrap();
    let table = page.split("### The months (Asia/Shanghai)").nth(1).unwrap().split("###").next().unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    assert_eq!(
        rows.iter().map(|row| row[1]).collect::<Vec<_>>(),
        ["Month", "---", "2026-10", "2026-11", "2026-12", "all"]
    );
    let number = |cell: &str| cell.replace(',', "").parse::<i64>().unwrap();
    assert_eq!(rows[2..5].iter().map(|row| number(row[2])).sum::<i64>(), all);
    assert_eq!(number(rows[5][2]), all);
    assert!(html(&[statement], Standing::Issued).unwrap().contains("The months"));
    assert!(!markdown(&pages(), Standing::Issued).unwrap().contains("The months"), "a month has none");
}

//! Statements that nest deeply, before anything walks through them.
//!
//! Planning, optimising and even dropping an expression goes down its tree, and a tree as deep as its text is long ends the
//! program. Parsers limit brackets; what is left are chains: `a OR b OR c …` is a tree with a level for each term. Chains of AND
//! and of OR are made shallow, which changes nothing about them, up to a length that the planner, which makes some of them long
//! again, can take; whatever else is too deep is refused.

use std::ops::ControlFlow;

use datafusion::sql::parser::{CopyToSource, DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Query, Select, SetExpr, Value, VisitMut, VisitorMut};

use crate::{EngineError, Result, tokens};

/// Levels that an expression may have.
const MOST: usize = 600;
/// Terms that a chain of AND or of OR may have.
const MOST_TERMS: usize = 1000;
/// Levels that an expression of a definition may have: it is planned again and again, by versions to come, too.
const MOST_DEFINED: usize = 400;
/// Bytes that it may have.
const LONGEST: usize = 16 << 10;
/// Queries that one chain of UNIONs may have, and tables that one FROM may join: each is a level of the plan.
const MOST_JOINED: usize = 300;
/// A text that cannot have more levels than this is parsed on the stack that is there.
const FEW: usize = 500;
/// A text that may have more levels than this is not parsed at all.
const MOST_TO_PARSE: usize = 200_000;
/// Stack for a level. Memory that is not used is not taken.
const LEVEL: usize = 2 << 10;

/// Does something with a text and what it parses to, on a stack that is large enough to parse it and to drop the result.
pub(crate) fn with_stack<T>(text: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    match levels(text) {
        ..=FEW => work(),
        levels @ ..=MOST_TO_PARSE => stacker::grow((8 << 20) + levels * LEVEL, work),
        _ => Err(too_deep("an expression")),
    }
}

/// No fewer than the levels of the tree to which a text parses: the words and signs between commas, in brackets within each other.
fn levels(text: &str) -> usize {
    let (mut open, mut sum, mut most) = (vec![0usize], 0usize, 0);
    let mut bytes = text.bytes().peekable();
    let mut between = true;
    while let Some(byte) = bytes.next() {
        match byte {
            // What stands in quotes is one word; a doubled quote ends one and begins the next.
            b'\'' | b'"' => while bytes.next().is_some_and(|next| next != byte) {},
            b'-' if bytes.peek() == Some(&b'-') => while bytes.next().is_some_and(|next| next != b'\n') {},
            b'(' | b'[' => open.push(0),
            b')' | b']' if open.len() > 1 => sum -= open.pop().unwrap_or_default(),
            b',' | b';' => sum -= open.last_mut().map(std::mem::take).unwrap_or_default(),
            _ => {}
        }
        let is_word = byte.is_ascii_alphanumeric() || !byte.is_ascii() || matches!(byte, b'_' | b'.');
        if (!is_word || between) && !byte.is_ascii_whitespace() && !matches!(byte, b',' | b';') {
            sum += 1;
            if let Some(top) = open.last_mut() {
                *top += 1;
            }
        }
        between = !is_word;
        most = most.max(sum);
    }
    most
}

/// The statement with shallow chains, or an error if it is too deep all the same.
pub(crate) fn shallow(statement: &mut Statement) -> Result<()> {
    match statement {
        Statement::Statement(sql) => shallow_within(sql.as_mut()),
        Statement::Explain(explain) => shallow(explain.statement.as_mut()),
        Statement::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => shallow_within(query.as_mut()),
            CopyToSource::Relation(_) => Ok(()),
        },
        Statement::CreateExternalTable(_) | Statement::Reset(_) => Ok(()),
    }
}

/// As [`shallow`], for a part of a statement.
pub(crate) fn shallow_within(node: &mut impl VisitMut) -> Result<()> {
    match node.visit(&mut Walk { depth: 0, most: MOST, balances: true }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(what) => Err(too_deep(what)),
    }
}

/// What is too much about an expression that a definition shall carry for good; `None` if it is well.
pub(crate) fn too_much(text: &str) -> Option<String> {
    if text.len() > LONGEST {
        return Some(format!("is {} bytes long; at most {LONGEST} are possible", text.len()));
    }
    let measured = with_stack(text, || {
        let parsed = DFParserBuilder::new(text).with_dialect(&tokens::DIALECT).build()?.parse_into_expr();
        // What is wrong about it otherwise is said by whoever plans it.
        let Ok(mut parsed) = parsed else { return Ok(()) };
        match parsed.expr.visit(&mut Walk { depth: 0, most: MOST_DEFINED, balances: false }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(_) => Err(too_deep("an expression")),
        }
    });
    measured
        .err()
        .map(|_| format!("nests more than {MOST_DEFINED} levels deep; write it shorter: IN (…) for many values"))
}

fn too_deep(what: &str) -> EngineError {
    EngineError::Usage(match what {
        "an expression" => format!(
            "an expression nests more than {MOST} levels deep, or has more than {MOST_TERMS} terms with AND or OR; write it shorter: \
             IN (…) for many values, a table of values to join for many cases"
        ),
        what => format!("{what}: at most {MOST_JOINED} are possible in one statement; put the rows into a table first"),
    })
}

struct Walk {
    depth: usize,
    most: usize,
    balances: bool,
}

impl VisitorMut for Walk {
    type Break = &'static str;

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Self::Break> {
        if self.balances && !balance(expression) {
            return ControlFlow::Break("an expression");
        }
        self.depth += 1;
        if self.depth > self.most { ControlFlow::Break("an expression") } else { ControlFlow::Continue(()) }
    }

    fn post_visit_expr(&mut self, _: &mut Expr) -> ControlFlow<Self::Break> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Self::Break> {
        let (mut body, mut chained) = (query.body.as_ref(), 1);
        while let SetExpr::SetOperation { left, .. } = body {
            (body, chained) = (left.as_ref(), chained + 1);
        }
        if chained > MOST_JOINED { ControlFlow::Break("UNION of many queries") } else { ControlFlow::Continue(()) }
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Self::Break> {
        let joined: usize = select.from.iter().map(|from| 1 + from.joins.len()).sum();
        if joined > MOST_JOINED { ControlFlow::Break("FROM with many tables") } else { ControlFlow::Continue(()) }
    }
}

/// A long chain of AND, or of OR, becomes a tree that is as shallow as can be. Both are associative, with NULL too. `false` if
/// it is too long.
fn balance(expression: &mut Expr) -> bool {
    const LONG: usize = 16;
    let Expr::BinaryOp { op: op @ (BinaryOperator::And | BinaryOperator::Or), .. } = &*expression else { return true };
    let op = op.clone();
    let mut length = 1;
    let mut left = &*expression;
    while let Expr::BinaryOp { left: next, op: other, .. } = left
        && *other == op
    {
        (left, length) = (next, length + 1);
    }
    if !(LONG..=MOST_TERMS).contains(&length) {
        return length < LONG;
    }
    let null = || Expr::Value(Value::Null.with_empty_span());
    let mut terms = Vec::with_capacity(length);
    let mut left = std::mem::replace(expression, null());
    loop {
        match left {
            Expr::BinaryOp { left: next, op: other, right } if other == op => {
                terms.push(*right);
                left = *next;
            }
            first => {
                terms.push(first);
                break;
            }
        }
    }
    terms.reverse();
    while terms.len() > 1 {
        let mut pairs = Vec::with_capacity(terms.len().div_ceil(2));
        let mut rest = terms.into_iter();
        while let Some(left) = rest.next() {
            pairs.push(match rest.next() {
                Some(right) => Expr::BinaryOp { left: Box::new(left), op: op.clone(), right: Box::new(right) },
                None => left,
            });
        }
        terms = pairs;
    }
    if let Some(whole) = terms.pop() {
        *expression = whole;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Session, Settings};

    /// The answer of a statement, on a stack as the program's threads have it.
    fn answer(sql: &str) -> Result<String> {
        let sql = sql.to_string();
        let work = move || -> Result<String> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let settings =
                    Settings { partitions: std::num::NonZeroUsize::new(1), ..Settings::new("memory://depth") };
                let rows = Session::open(settings).await?.sql(&sql).await?;
                let text = datafusion::arrow::util::pretty::pretty_format_batches(&rows);
                Ok::<_, EngineError>(text.map_err(datafusion::error::DataFusionError::from)?.to_string())
            })
        };
        std::thread::Builder::new().stack_size(8 << 20).spawn(work).unwrap().join().unwrap()
    }

    fn chain(of: &str, terms: usize, between: &str) -> String {
        vec![of; terms].join(between)
    }

    #[test]
    fn chains_of_and_and_or_may_be_long() {
        let cases: Vec<String> = (0..1000).map(|n| format!("x = {n}")).collect();
        let sql =
            format!("SELECT count(*) AS n FROM (VALUES (999), (1000), (NULL)) AS t (x) WHERE {}", cases.join(" OR "));
        assert!(answer(&sql).unwrap().contains("| 1 "));
        let none: Vec<String> = (0..1000).map(|n| format!("x <> {n}")).collect();
        let sql =
            format!("SELECT count(*) AS n FROM (VALUES (999), (1000), (NULL)) AS t (x) WHERE {}", none.join(" AND "));
        assert!(answer(&sql).unwrap().contains("| 1 "));
        // Grouping is kept where it matters.
        let mixed = format!(
            "SELECT (({}) AND false) AS a, (true OR {}) AS b",
            chain("true", 40, " OR "),
            chain("false", 40, " AND ")
        );
        assert!(answer(&mixed).unwrap().contains("| false | true |"), "{}", answer(&mixed).unwrap());
    }

    #[test]
    fn what_is_deep_all_the_same_is_refused_or_works() {
        let deep = [
            format!("SELECT count(*) FROM generate_series(1, 9) t (x) WHERE {}", chain("x = 1", 8_000, " OR ")),
            format!("SELECT count(*) FROM generate_series(1, 9) t (x) WHERE {}", chain("x > 1", 8_000, " AND ")),
            format!("SELECT {}", chain("1", 5_000, " + ")),
            format!("SELECT {}", chain("'x'", 150_000, " || ")),
            format!("SELECT 1{}", "::INT".repeat(5_000)),
            format!("SELECT 1{}", " IS NULL".repeat(5_000)),
            format!("SELECT {}1{}", "(".repeat(3_000), ")".repeat(3_000)),
            format!("SELECT {} true", "NOT ".repeat(3_000)),
            format!("SELECT {}1{}", "CASE WHEN true THEN ".repeat(3_000), " END".repeat(3_000)),
            chain("SELECT 1", 5_000, " UNION ALL "),
            format!("SELECT count(*) FROM {}", chain("(SELECT 1)", 3_000, ", ")),
            format!("SELECT {}", chain("1", 400_000, " + ")),
            format!("EXPLAIN SELECT {}", chain("1", 5_000, " - ")),
        ];
        for sql in deep {
            let refused = answer(&sql).unwrap_err().to_string();
            assert!(refused.len() < 400, "{refused}");
        }
        for sql in [
            format!("SELECT {} AS sum", chain("1", 150, " + ")),
            format!("SELECT {} AS text", chain("'x'", 500, " || ")),
            chain("SELECT 1", 250, " UNION ALL "),
            format!("SELECT 1 IN ({}) AS found", chain("2", 5_000, ", ")),
            format!("SELECT length('{}') AS n", "a (b ".repeat(10_000)),
            format!("SELECT count(*) FROM (VALUES {})", chain("(1, 'a b c', 2 + 3)", 2_000, ", ")),
            format!("SELECT CASE {} END", "WHEN 1 = 2 THEN 3 ".repeat(500)),
        ] {
            if let Err(error) = answer(&sql) {
                panic!("{}…: {error}", &sql[..60]);
            }
        }
    }

    #[test]
    fn levels_are_never_underestimated() {
        assert!(levels("SELECT 1+1+1+1+1") >= 5);
        assert!(levels("SELECT (1+(1+(1+1)))") >= 6);
        assert!(levels(&format!("SELECT * FROM t WHERE {}", chain("a", 1000, " OR "))) >= 1000);
        assert!(levels(&format!("VALUES {}", chain("(1, 'x')", 1000, ", "))) < 20);
        assert!(levels(&format!("SELECT '{}'", "a b ".repeat(1000))) < 20);
    }
}

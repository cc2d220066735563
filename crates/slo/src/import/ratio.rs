//! Which counters an expression adds up.
//!
//! `sum(rate(x[5m]))` and `increase` count `x`; sums and `or` add, a difference takes away. What they say of time is left aside: the
//! store counts each slice once, whatever window is asked for later.

use super::imported::Counts;
use crate::promql::{Expression, Node, Refused, Selector, parse};

/// Counters that are added, and those that are taken away.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Terms {
    pub plus: Vec<Selector>,
    pub minus: Vec<Selector>,
}

/// How a query names its counters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Queried {
    /// By `rate` or `increase`.
    Rates,
    /// Or as they are.
    Counters,
}

/// Bad events among all.
pub(super) fn bad_of_total(bad: &str, total: &str, queried: Queried) -> Result<Counts, String> {
    let (bad, total) = (terms(bad, queried)?, whole(total, queried)?);
    of_parts(bad, total, false)
}

/// Good events among all.
pub(super) fn good_of_total(good: &str, total: &str, queried: Queried) -> Result<Counts, String> {
    let (good, total) = (terms(good, queried)?, whole(total, queried)?);
    of_parts(good, total, true)
}

/// Good and bad events.
pub(super) fn good_and_bad(good: &str, bad: &str, queried: Queried) -> Result<Counts, String> {
    Ok(Counts::Events { good: whole(good, queried)?, bad: whole(bad, queried)?, total: Vec::new() })
}

/// The ratio of bad events, or of good ones: `a / b`, or `1 - a / b`.
pub(super) fn ratio(text: &str, is_good: bool) -> Result<Counts, String> {
    let read = parse(text).map_err(|refused| refused.told(text))?;
    divided(&read, is_good).map_err(|refused| refused.told(text))
}

fn divided(read: &Expression, is_good: bool) -> Result<Counts, Refused> {
    match &read.node {
        Node::Binary { sign, left, right } if sign == "/" => {
            let (mut part, mut total) = (Terms::default(), Terms::default());
            add(left, false, Queried::Rates, &mut part)?;
            add(right, false, Queried::Rates, &mut total)?;
            if !total.minus.is_empty() {
                return Err(Refused::new(right.at, "all events are a difference"));
            }
            of_parts(part, total.plus, is_good).map_err(|reason| Refused::new(read.at, reason))
        }
        Node::Binary { sign, left, right } if sign == "-" && matches!(&left.node, Node::Number(one) if one == "1") => {
            divided(right, !is_good)
        }
        Node::Binary { sign, left, right } if sign == "or" && is_zero(right) => divided(left, is_good),
        _ => Err(Refused::new(read.at, "expected a ratio of counters, as sum(rate(a[5m])) / sum(rate(b[5m]))")),
    }
}

/// A part of all events; one that is all less another part is that other part's opposite.
pub(super) fn of_parts(part: Terms, total: Vec<Selector>, is_good: bool) -> Result<Counts, String> {
    let events = |part: Vec<Selector>, is_good: bool, total| match is_good {
        true => Counts::Events { good: part, bad: Vec::new(), total },
        false => Counts::Events { good: Vec::new(), bad: part, total },
    };
    let is_all = |terms: &[Selector]| terms.len() == total.len() && terms.iter().all(|one| total.contains(one));
    match part.minus.is_empty() {
        true => Ok(events(part.plus, is_good, total)),
        false if is_all(&part.plus) => Ok(events(part.minus, !is_good, total)),
        false => Err("a difference counts only where it begins with all events".to_string()),
    }
}

fn terms(text: &str, queried: Queried) -> Result<Terms, String> {
    let mut terms = Terms::default();
    parse(text).and_then(|read| add(&read, false, queried, &mut terms)).map_err(|refused| refused.told(text))?;
    Ok(terms)
}

/// A sum without a difference.
fn whole(text: &str, queried: Queried) -> Result<Vec<Selector>, String> {
    let terms = terms(text, queried)?;
    match terms.minus.is_empty() {
        true => Ok(terms.plus),
        false => Err(format!("all events are a difference: `{}`", text.trim())),
    }
}

fn add(read: &Expression, is_less: bool, queried: Queried, terms: &mut Terms) -> Result<(), Refused> {
    match &read.node {
        Node::Series { selector, .. } if queried == Queried::Counters => {
            if is_less { &mut terms.minus } else { &mut terms.plus }.push(selector.clone());
            Ok(())
        }
        Node::Series { .. } => {
            Err(Refused::new(read.at, "a counter without rate or increase: nobody can tell what it grew by"))
        }
        Node::Call { function, arguments, grouping } => match (function.as_str(), arguments.as_slice(), grouping) {
            ("sum", [of], None) => add(of, is_less, queried, terms),
            ("sum", [_], Some(grouping)) => {
                let how = if grouping.by { "by" } else { "without" };
                let labels = grouping.labels.join(", ");
                Err(Refused::new(
                    read.at,
                    format!("'sum {how} ({labels})' keeps series apart, and an objective is one"),
                ))
            }
            ("rate" | "increase", [Expression { node: Node::Series { selector, range: Some(_) }, .. }], None) => {
                if is_less { &mut terms.minus } else { &mut terms.plus }.push(selector.clone());
                Ok(())
            }
            _ => Err(Refused::new(
                read.at,
                format!("'{function}' does not count events; 'sum', 'rate' and 'increase' do"),
            )),
        },
        Node::Binary { sign, left, right } if sign == "or" && is_zero(right) => add(left, is_less, queried, terms),
        Node::Binary { sign, left, right } if sign == "+" || sign == "or" => {
            add(left, is_less, queried, terms)?;
            add(right, is_less, queried, terms)
        }
        Node::Binary { sign, left, right } if sign == "-" => {
            add(left, is_less, queried, terms)?;
            add(right, !is_less, queried, terms)
        }
        Node::Binary { sign, .. } => Err(Refused::new(read.at, format!("'{sign}' does not count events"))),
        Node::Negative(_) | Node::Number(_) | Node::Text => Err(Refused::new(read.at, "this is no count of events")),
    }
}

/// `vector(0)`, which stands where there is no series.
fn is_zero(read: &Expression) -> bool {
    let Node::Call { function, arguments, .. } = &read.node else { return false };
    function == "vector" && matches!(arguments.as_slice(), [Expression { node: Node::Number(zero), .. }] if zero == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(counts: Result<Counts, String>) -> String {
        match counts {
            Ok(Counts::Events { good, bad, total }) => {
                let of =
                    |selectors: &[Selector]| selectors.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + ");
                format!("good {} bad {} total {}", of(&good), of(&bad), of(&total))
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn counters_are_found_in_ratios() {
        let total = "sum(rate(x[{{.window}}]))";
        for (bad, expected) in [
            ("sum(rate(x{code=~\"5..\"}[{{.window}}]))", "good  bad x{code=~\"5..\"} total x"),
            ("(sum(rate(x[5m])) - sum(rate(y[5m])))", "good y bad  total x"),
            ("sum(increase(a[5m])) + sum(rate(b[5m])) OR on() vector(0)", "good  bad a + b total x"),
        ] {
            assert_eq!(shown(bad_of_total(bad, total, Queried::Rates)), expected, "{bad}");
        }
        assert_eq!(shown(ratio("1 - (sum(rate(a[5m])) / sum(rate(b[5m])))", false)), "good a bad  total b");
        assert_eq!(shown(ratio("sum(rate(a[5m])) / sum(rate(b[5m]))", false)), "good  bad a total b");
        assert_eq!(shown(good_of_total("sum(a)", "sum(b)", Queried::Counters)), "good a bad  total b");
    }

    #[test]
    fn what_is_no_count_is_refused_with_its_place() {
        let said = |bad: &str| bad_of_total(bad, "sum(rate(x[5m]))", Queried::Rates).unwrap_err();
        assert_eq!(
            said("sum(x)"),
            "a counter without rate or increase: nobody can tell what it grew by (character 5 of `sum(x)`)"
        );
        assert_eq!(
            said("count(rate(x[5m]))"),
            "'count' does not count events; 'sum', 'rate' and 'increase' do (character 1 of `count(rate(x[5m]))`)"
        );
        assert!(said("sum by (job) (rate(x[5m]))").starts_with("'sum by (job)' keeps series apart"));
        assert!(said("sum(rate(x[5m])) * 2").starts_with("'*' does not count events"));
        assert!(said("sum(rate(y[5m])) - sum(rate(z[5m]))").starts_with("a difference counts only where"));
        assert!(said("sum(rate(x[5m]").starts_with("the parenthesis is not closed"));
    }
}

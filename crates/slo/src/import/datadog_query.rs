//! Queries of Datadog, as far as they add up counts: `sum:orders{env:prod,!status:5*}.as_count() - sum:lost{*}.as_count()`.
//!
//! A tag is a label of the same name. What is not understood is refused with its place.

use super::ratio::Terms;
use crate::promql::{Matcher, Refused, Selector};

/// Which counters a query adds up.
#[derive(Debug, PartialEq)]
pub(super) struct Sum {
    pub terms: Terms,
    /// The tags behind `by`, which divide it.
    pub groups: Vec<String>,
}

/// How deep parentheses may be nested.
const DEEPEST: usize = 64;

/// Reads a query, or a formula over queries that have names; otherwise what is wrong, for a person.
pub(super) fn sum(text: &str, named: &[(&str, &str)]) -> Result<Sum, String> {
    let read = Sum { terms: Terms::default(), groups: Vec::new() };
    let mut reader = Reader { text, at: 0, depth: 0, named, read };
    match reader.whole() {
        Ok(()) => Ok(reader.read),
        Err(refused) => Err(refused.told(text)),
    }
}

struct Reader<'t> {
    text: &'t str,
    /// In bytes.
    at: usize,
    depth: usize,
    named: &'t [(&'t str, &'t str)],
    read: Sum,
}

impl<'t> Reader<'t> {
    fn whole(&mut self) -> Result<(), Refused> {
        self.sum(false)?;
        match self.rest() {
            "" => Ok(()),
            _ => Err(Refused::new(self.at, "expected + or -, or the end of the query")),
        }
    }

    /// `a + b - (c + d)`.
    fn sum(&mut self, is_less: bool) -> Result<(), Refused> {
        self.term(is_less)?;
        loop {
            if self.takes("+") {
                self.term(is_less)?;
            } else if self.takes("-") {
                self.term(!is_less)?;
            } else if let Some(sign) = self.rest().chars().next().filter(|sign| matches!(sign, '*' | '/')) {
                return Err(Refused::new(self.at, format!("'{sign}' does not count events")));
            } else {
                return Ok(());
            }
        }
    }

    fn term(&mut self, is_less: bool) -> Result<(), Refused> {
        self.skip_blanks();
        if self.depth == DEEPEST {
            return Err(Refused::new(self.at, "nested too deeply"));
        }
        self.depth += 1;
        self.one(is_less)?;
        self.depth -= 1;
        Ok(())
    }

    fn one(&mut self, is_less: bool) -> Result<(), Refused> {
        let at = self.at;
        if self.takes("(") {
            return self.closed(at, is_less);
        }
        let word = self.word();
        if word.is_empty() {
            return Err(Refused::new(at, "expected a count, as sum:orders{env:prod}.as_count()"));
        }
        if self.takes(":") {
            return self.count(at, word, is_less);
        }
        if self.takes("(") {
            return match word {
                // Where there is no series, nothing was counted.
                "default_zero" => self.closed(at, is_less),
                _ => Err(Refused::new(at, format!("'{word}' does not count events"))),
            };
        }
        let Some((_, query)) = self.named.iter().find(|(name, _)| *name == word) else {
            return Err(Refused::new(at, format!("'{word}' is no count of events")));
        };
        let mut inner = sum(query, &[]).map_err(|reason| Refused::new(at, reason))?;
        let Terms { plus, minus } = &mut inner.terms;
        let (plus, minus) = if is_less { (minus, plus) } else { (plus, minus) };
        self.read.terms.plus.append(plus);
        self.read.terms.minus.append(minus);
        self.read.groups.append(&mut inner.groups);
        Ok(())
    }

    /// What stands in parentheses that are open.
    fn closed(&mut self, at: usize, is_less: bool) -> Result<(), Refused> {
        self.sum(is_less)?;
        match self.takes(")") {
            true => Ok(()),
            false => Err(Refused::new(at, "the parenthesis is not closed")),
        }
    }

    /// `orders{env:prod} by {zone}.as_count()`, behind the colon.
    fn count(&mut self, at: usize, aggregation: &str, is_less: bool) -> Result<(), Refused> {
        if aggregation != "sum" {
            return Err(Refused::new(at, format!("'{aggregation}' does not count events; 'sum' does")));
        }
        let from = self.at;
        let metric = self.word();
        if metric.is_empty() {
            return Err(Refused::new(from, "expected the name of a metric"));
        }
        let (scope_at, scope) = self.braced("expected the tags of the metric in braces, as {*} or {env:prod}")?;
        let named = Matcher::new("__name__", "=", metric).map_err(|reason| Refused::new(from, reason))?;
        let mut matchers = vec![named];
        conditions(scope, scope_at, &mut matchers)?;
        if self.takes("by") {
            let (_, groups) = self.braced("expected tags in braces behind 'by'")?;
            for group in groups.split(',').map(str::trim).filter(|group| !group.is_empty()) {
                if !self.read.groups.iter().any(|known| known == group) {
                    self.read.groups.push(group.to_string());
                }
            }
        }
        let mut is_count = false;
        while self.takes(".") {
            let function_at = self.at;
            let function = self.word();
            if function != "as_count" || !self.takes("(") || !self.takes(")") {
                let reason = format!("'.{function}' does not count events; '.as_count()' does");
                return Err(Refused::new(function_at, reason));
            }
            is_count = true;
        }
        if !is_count {
            return Err(Refused::new(at, "a sum without .as_count() is none of events"));
        }
        let terms = &mut self.read.terms;
        if is_less { &mut terms.minus } else { &mut terms.plus }.push(Selector { matchers });
        Ok(())
    }

    /// What stands in braces, and where.
    fn braced(&mut self, expected: &str) -> Result<(usize, &'t str), Refused> {
        self.skip_blanks();
        let open = self.at;
        if !self.takes("{") {
            return Err(Refused::new(open, expected));
        }
        let (at, rest) = (self.at, self.rest());
        let Some(end) = rest.find('}') else { return Err(Refused::new(open, "the brace is not closed")) };
        self.at += end + 1;
        Ok((at, &rest[..end]))
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn takes(&mut self, sign: &str) -> bool {
        self.skip_blanks();
        let is_next = self.rest().starts_with(sign);
        if is_next {
            self.at += sign.len();
        }
        is_next
    }

    /// The name that comes next, perhaps empty.
    fn word(&mut self) -> &'t str {
        self.skip_blanks();
        let rest = self.rest();
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        let end = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }
}

/// `env:prod,!status:5*`: all of them must hold. `at` is where they begin.
fn conditions(scope: &str, at: usize, matchers: &mut Vec<Matcher>) -> Result<(), Refused> {
    let mut from = at;
    for listed in scope.split(',') {
        let mut place = from;
        from += listed.len() + 1;
        for one in listed.split(AND) {
            let blanks = one.len() - one.trim_start().len();
            let (text, text_at) = (one.trim(), place + blanks);
            place += one.len() + AND.len();
            if text.is_empty() || text == "*" {
                continue;
            }
            let matcher = condition(text, text_at)?;
            let asked = |known: &Matcher| known.label == matcher.label && !known.is_not && !matcher.is_not;
            if matchers.iter().any(asked) {
                let reason = format!("the tag '{}' stands here twice, and a series has one value of it", matcher.label);
                return Err(Refused::new(text_at, reason));
            }
            matchers.push(matcher);
        }
    }
    Ok(())
}

const AND: &str = " AND ";

/// `env:prod`, `!env:prod`, `status:5*`, `env:*`.
fn condition(text: &str, at: usize) -> Result<Matcher, Refused> {
    let (is_not, pair) = match text.strip_prefix('!') {
        Some(pair) => (true, pair),
        None => (false, text),
    };
    let is_of_value = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ':' | '.' | '/' | '*' | '@' | '+');
    let parts = pair.split_once(':').filter(|(tag, value)| {
        let is_tag = tag.starts_with(char::is_alphabetic) && !tag.contains('*') && tag.chars().all(is_of_value);
        is_tag && !value.is_empty() && value.chars().all(is_of_value)
    });
    let Some((tag, value)) = parts else {
        let reason = format!(
            "'{text}' is no tag with its value, as env:prod or !env:prod; OR, NOT, IN, parentheses and variables are not read"
        );
        return Err(Refused::new(at, reason));
    };
    let (sign, value) = match value {
        // Any value: that the tag is there.
        "*" => (if is_not { "!~" } else { "=~" }, ".+".to_string()),
        _ if value.contains('*') => {
            let parts: Vec<String> = value.split('*').map(regex::escape).collect();
            (if is_not { "!~" } else { "=~" }, parts.join(".*"))
        }
        _ => (if is_not { "!=" } else { "=" }, value.to_string()),
    };
    Matcher::new(tag, sign, &value).map_err(|reason| Refused::new(at, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let read = sum(text, &[]).unwrap();
        let of = |selectors: &[Selector]| selectors.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + ");
        format!("{} - ({}) by {:?}", of(&read.terms.plus), of(&read.terms.minus), read.groups)
    }

    #[test]
    fn sums_are_read_with_their_signs_and_tags() {
        for (text, expected) in [
            ("sum:a{*}.as_count()", "a - () by []"),
            (" sum:a{x:1} . as_count ( ) ", "a{x=\"1\"} - () by []"),
            ("sum:a{x:1, !y:b-c/d}.as_count()", "a{x=\"1\", y!=\"b-c/d\"} - () by []"),
            ("sum:a{x:1 AND u:http://h:80,*}.as_count()", "a{x=\"1\", u=\"http://h:80\"} - () by []"),
            (
                "sum:a{x:2*,!y:*.b*,z:*,!w:*}.as_count()",
                "a{x=~\"2.*\", y!~\".*\\\\.b.*\", z=~\".+\", w!~\".+\"} - () by []",
            ),
            ("sum:a{*}.as_count()-sum:b{*}.as_count()-sum:c{*}.as_count()", "a - (b + c) by []"),
            ("sum:a{*}.as_count() - (sum:b{*}.as_count() - default_zero(sum:c{*}.as_count()))", "a + c - (b) by []"),
            ("sum:a{*} by {x, y}.as_count() + sum:b{*} by {x}.as_count()", "a + b - () by [\"x\", \"y\"]"),
            ("sum:a{!x:1,!x:2}.as_count()", "a{x!=\"1\", x!=\"2\"} - () by []"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn names_stand_for_queries() {
        let named = [("a", "sum:x{*}.as_count() - sum:y{*}.as_count()"), ("b", "sum:z{*}.as_count()")];
        let read = sum("b - a", &named).unwrap();
        assert_eq!(read.terms.plus.iter().map(ToString::to_string).collect::<Vec<_>>(), ["z", "y"]);
        assert_eq!(read.terms.minus.iter().map(ToString::to_string).collect::<Vec<_>>(), ["x"]);
        assert_eq!(sum("a * 2", &named).unwrap_err(), "'*' does not count events (character 3 of `a * 2`)");
    }

    #[test]
    fn what_adds_up_no_counts_is_refused_with_its_place() {
        let tag =
            "is no tag with its value, as env:prod or !env:prod; OR, NOT, IN, parentheses and variables are not read";
        for (text, expected) in [
            ("", "expected a count, as sum:orders{env:prod}.as_count() (character 1 of ``)".to_string()),
            ("avg:a{*}", "'avg' does not count events; 'sum' does (character 1 of `avg:a{*}`)".to_string()),
            ("sum:a{*}", "a sum without .as_count() is none of events (character 1 of `sum:a{*}`)".to_string()),
            (
                "sum:a{*}.as_rate()",
                "'.as_rate' does not count events; '.as_count()' does (character 10 of `sum:a{*}.as_rate()`)"
                    .to_string(),
            ),
            (
                "sum:a{*}.as_count() / 2",
                "'/' does not count events (character 21 of `sum:a{*}.as_count() / 2`)".to_string(),
            ),
            ("sum:a.as_count()", {
                "expected the tags of the metric in braces, as {*} or {env:prod} (character 15 of `sum:a.as_count()`)"
                    .to_string()
            }),
            ("sum:a{x:1", "the brace is not closed (character 6 of `sum:a{x:1`)".to_string()),
            (
                "(sum:a{*}.as_count()",
                "the parenthesis is not closed (character 1 of `(sum:a{*}.as_count()`)".to_string(),
            ),
            ("cumsum(sum:a{*}.as_count())", {
                "'cumsum' does not count events (character 1 of `cumsum(sum:a{*}.as_count())`)".to_string()
            }),
            ("100", "'100' is no count of events (character 1 of `100`)".to_string()),
            ("sum:a{x:1 OR x:2}.as_count()", {
                format!("'x:1 OR x:2' {tag} (character 7 of `sum:a{{x:1 OR x:2}}.as_count()`)")
            }),
            ("sum:a{y:1, $env}.as_count()", format!("'$env' {tag} (character 12 of `sum:a{{y:1, $env}}.as_count()`)")),
            ("sum:a{x:1,x:2}.as_count()", {
                "the tag 'x' stands here twice, and a series has one value of it (character 11 of `sum:a{x:1,x:2}.as_count()`)"
                    .to_string()
            }),
        ] {
            assert_eq!(sum(text, &[]).unwrap_err(), expected);
        }
        assert!(sum(&"(".repeat(1000), &[]).unwrap_err().starts_with("nested too deeply"));
    }
}

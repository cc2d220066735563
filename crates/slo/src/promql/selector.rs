//! Selectors of series: `http_requests_total{job="shop", code=~"5.."}`.

use std::fmt;

use regex::Regex;

/// The label that holds a metric's name.
const NAME: &str = "__name__";

/// Which series are meant: those whose labels meet every matcher. The metric's name is the label `__name__`.
#[derive(Debug, Clone, PartialEq)]
pub struct Selector {
    /// At least one of them does not match the empty text.
    pub matchers: Vec<Matcher>,
}

/// What a label must be. A label that a series does not have is empty.
#[derive(Debug, Clone)]
pub struct Matcher {
    /// The label's name.
    pub label: String,
    /// The value as written, of a regular expression its text.
    pub value: String,
    /// Whether the value must not match.
    pub is_not: bool,
    /// Anchored at both ends, as Prometheus does; `None`: equality.
    regex: Option<Regex>,
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        let parts = |matcher: &Self| (matcher.is_not, matcher.regex.is_some());
        self.label == other.label && self.value == other.value && parts(self) == parts(other)
    }
}

impl Matcher {
    /// A matcher by one of `=`, `!=`, `=~` and `!~`; otherwise what is wrong with the regular expression.
    pub(crate) fn new(label: &str, sign: &str, value: &str) -> Result<Self, String> {
        let regex = match sign {
            "=~" | "!~" => Some(Regex::new(&format!("^(?s:{value})$")).map_err(|error| {
                let said = error.to_string();
                let reason = said.lines().last().unwrap_or_default().trim_start_matches("error: ").to_string();
                format!("{value:?} is no regular expression: {reason}")
            })?),
            _ => None,
        };
        Ok(Matcher { label: label.to_string(), value: value.to_string(), is_not: sign.starts_with('!'), regex })
    }

    /// Whether a label's value is as it must be.
    pub fn matches(&self, value: &str) -> bool {
        self.is_not != self.regex.as_ref().map_or(value == self.value, |regex| regex.is_match(value))
    }

    /// The one value that matches, if there is only one.
    pub fn exact(&self) -> Option<&str> {
        (!self.is_not && self.regex.is_none()).then_some(self.value.as_str())
    }
}

impl Selector {
    /// Whether a series matches, by its labels: `label` gives the value of a label, empty if there is none.
    pub fn matches<'a>(&self, label: impl Fn(&str) -> &'a str) -> bool {
        self.matchers.iter().all(|matcher| matcher.matches(label(&matcher.label)))
    }

    /// The metric's name, if only one can match.
    pub fn metric(&self) -> Option<&str> {
        self.matchers.iter().filter(|matcher| matcher.label == NAME).find_map(Matcher::exact)
    }

    /// The same for a metric of another name.
    #[must_use]
    pub fn named(&self, metric: &str) -> Self {
        let mut matchers =
            vec![Matcher { label: NAME.to_string(), value: metric.to_string(), is_not: false, regex: None }];
        matchers.extend(self.matchers.iter().filter(|matcher| matcher.label != NAME).cloned());
        Selector { matchers }
    }

    /// The same without the matchers of a label.
    #[must_use]
    pub fn without(&self, label: &str) -> Self {
        Selector { matchers: self.matchers.iter().filter(|matcher| matcher.label != label).cloned().collect() }
    }

    /// The value that a label must have, if a matcher says exactly one.
    pub fn exact(&self, label: &str) -> Option<&str> {
        self.matchers.iter().filter(|matcher| matcher.label == label).find_map(Matcher::exact)
    }
}

/// As Prometheus writes it.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metric = self.metric().filter(|metric| is_plain(metric));
        f.write_str(metric.unwrap_or_default())?;
        let mut others = self.matchers.iter().filter(|m| !(m.label == NAME && metric.is_some() && m.exact() == metric));
        let mut next = others.next();
        if next.is_none() {
            return Ok(());
        }
        f.write_str("{")?;
        let mut between = "";
        while let Some(matcher) = next {
            let sign = match (matcher.is_not, &matcher.regex) {
                (false, None) => "=",
                (true, None) => "!=",
                (false, Some(_)) => "=~",
                (true, Some(_)) => "!~",
            };
            let label = if is_plain(&matcher.label) { matcher.label.clone() } else { written(&matcher.label) };
            write!(f, "{between}{label}{sign}{}", written(&matcher.value))?;
            (between, next) = (", ", others.next());
        }
        f.write_str("}")
    }
}

fn is_plain(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '_' | ':'))
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))
}

fn written(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(selector: &str, labels: &[(&str, &str)]) -> bool {
        let value = |name: &str| labels.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| *value);
        Selector::read(selector).unwrap().matches(value)
    }

    #[test]
    fn a_series_meets_every_matcher() {
        let series = [("__name__", "http_requests_total"), ("code", "503"), ("job", "shop\nweb")];
        for selector in [
            "http_requests_total",
            "http_requests_total{code=~\"5..\",}",
            "{__name__=~\"http_.*\", code!=\"200\"}",
            "http_requests_total{tenant=\"\"}",
            "{\"http_requests_total\", 'code'!~'4..|2..'}",
            "http_requests_total{job=~\"shop.web\"}",
        ] {
            assert!(matches(selector, &series), "{selector}");
        }
        for selector in ["http_requests", "http_requests_total{code=~\"50\"}", "http_requests_total{tenant!=\"\"}"] {
            assert!(!matches(selector, &series), "{selector}");
        }
    }

    #[test]
    fn it_is_written_as_prometheus_reads_it() {
        for text in ["up", "up{job=\"a\\\"b\"}", "{__name__=~\"a|b\", c!=\"d\"}", "up{\"a.b\"!~\"x\"}"] {
            assert_eq!(Selector::read(text).unwrap().to_string(), text);
        }
        let selector = Selector::read("{__name__=\"a\",le=\"1\", b=\"c\"}").unwrap();
        assert_eq!((selector.metric(), selector.exact("le")), (Some("a"), Some("1")));
        assert_eq!(selector.named("z").without("le").to_string(), "z{b=\"c\"}");
        let dotted = Selector::read("http.server.requests{service.name=\"a\"}").unwrap();
        assert_eq!((dotted.metric(), dotted.exact("service.name")), (Some("http.server.requests"), Some("a")));
        assert_eq!(Selector::read(&dotted.to_string()).unwrap(), dotted);
    }

    #[test]
    fn what_is_no_selector_is_refused_with_its_place() {
        let said = |text: &str| Selector::read(text).unwrap_err();
        assert_eq!(said("up{job=}"), "expected the value of label job in quotes (character 8 of `up{job=}`)");
        assert_eq!(
            said("up{job=~\"(\"}"),
            "\"(\" is no regular expression: unclosed group (character 9 of `up{job=~\"(\"}`)"
        );
        assert!(said("up[5m]").starts_with("[5m] does not belong here"));
        assert!(said("rate(up[5m])").starts_with("expected a selector, as "));
        assert_eq!(said("{}"), "a selector of every series (character 1 of `{}`)");
        assert_eq!(said("{a=~\".*\"}"), "a selector of every series (character 1 of `{a=~\".*\"}`)");
        assert_eq!(said("up{a=\"b\""), "the brace is not closed (character 3 of `up{a=\"b\"`)");
        assert_eq!(said(""), "expected an expression (character 1 of ``)");
    }
}

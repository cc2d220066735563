//! From tokens to an expression.

use super::token::{Token, TokenKind, tokens};
use super::{Expression, Grouping, Matcher, Node, Refused, Selector};

/// How deep expressions may be nested.
const DEEPEST: usize = 64;

/// What a binary operator binds, the loosest first.
const LEVELS: [&[&str]; 5] =
    [&["or"], &["and", "unless"], &["==", "!=", "<=", ">=", "<", ">"], &["+", "-"], &["*", "/", "%"]];

/// Words that follow an operator and say which series are matched.
const MATCHING: [&str; 4] = ["on", "ignoring", "group_left", "group_right"];

/// Reads one expression.
pub(crate) fn parse(text: &str) -> Result<Expression, Refused> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0 };
    let read = parser.binary(0)?;
    match parser.peek() {
        TokenKind::End => Ok(read),
        _ => Err(parser.refused("expected the end of the expression")),
    }
}

impl Selector {
    /// Reads a selector, and nothing else; otherwise what is wrong, for a person.
    pub fn read(text: &str) -> Result<Self, String> {
        let read = parse(text).map_err(|refused| refused.told(text))?;
        match read {
            Expression { node: Node::Series { selector, range: None }, .. } => Ok(selector),
            Expression { node: Node::Series { range: Some(range), .. }, .. } => {
                Err(format!("[{range}] does not belong here: counters are counted sample by sample. Leave it out"))
            }
            _ => Err("expected a selector, as http_requests_total{job=\"shop\"}: without functions and operators"
                .to_string()),
        }
    }
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> &TokenKind {
        self.tokens.get(self.next).map_or(&TokenKind::End, |token| &token.kind)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).or(self.tokens.last()).map_or(0, |token| token.at)
    }

    fn take(&mut self) -> TokenKind {
        let taken = self.peek().clone();
        self.next += 1;
        taken
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.peek(), TokenKind::Sign(next) if *next == sign);
        self.next += usize::from(is_next);
        is_next
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_next = matches!(self.peek(), TokenKind::Name(next) if next.eq_ignore_ascii_case(word));
        self.next += usize::from(is_next);
        is_next
    }

    fn refused(&self, reason: impl Into<String>) -> Refused {
        Refused::new(self.at(), reason)
    }

    fn binary(&mut self, level: usize) -> Result<Expression, Refused> {
        let Some(signs) = LEVELS.get(level) else { return self.power() };
        let mut left = self.binary(level + 1)?;
        loop {
            let sign = match self.peek() {
                TokenKind::Sign(sign) if signs.contains(sign) => (*sign).to_string(),
                TokenKind::Name(word) if signs.contains(&word.to_lowercase().as_str()) => word.to_lowercase(),
                _ => return Ok(left),
            };
            self.next += 1;
            self.matching()?;
            let right = self.binary(level + 1)?;
            left =
                Expression { at: left.at, node: Node::Binary { sign, left: Box::new(left), right: Box::new(right) } };
        }
    }

    /// `bool`, `on (…) group_left (…)`.
    fn matching(&mut self) -> Result<(), Refused> {
        self.takes_word("bool");
        while MATCHING.into_iter().any(|word| self.takes_word(word)) {
            if matches!(self.peek(), TokenKind::Sign("(")) {
                self.labels()?;
            }
        }
        Ok(())
    }

    fn power(&mut self) -> Result<Expression, Refused> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.refused("nested too deeply"));
        }
        let read = self.powered();
        self.depth -= 1;
        read
    }

    fn powered(&mut self) -> Result<Expression, Refused> {
        let at = self.at();
        if self.takes("-") {
            let of = self.power()?;
            return Ok(Expression { at, node: Node::Negative(Box::new(of)) });
        }
        self.takes("+");
        let left = self.single()?;
        if !self.takes("^") {
            return Ok(left);
        }
        let right = self.power()?;
        Ok(Expression {
            at,
            node: Node::Binary { sign: "^".to_string(), left: Box::new(left), right: Box::new(right) },
        })
    }

    fn single(&mut self) -> Result<Expression, Refused> {
        let at = self.at();
        let node = match self.peek().clone() {
            TokenKind::Number(number) => {
                self.next += 1;
                Node::Number(number)
            }
            TokenKind::Text(_) => {
                self.next += 1;
                Node::Text
            }
            TokenKind::Sign("(") => {
                self.next += 1;
                let within = self.binary(0)?;
                if !self.takes(")") {
                    return Err(Refused::new(at, "the parenthesis is not closed"));
                }
                within.node
            }
            TokenKind::Sign("{") => self.series(None)?,
            TokenKind::Name(name) => {
                self.next += 1;
                match self.peek() {
                    TokenKind::Sign("(") => self.call(name, None)?,
                    TokenKind::Name(word) if word == "by" || word == "without" => {
                        let by = word == "by";
                        self.next += 1;
                        let labels = self.labels()?;
                        self.call(name, Some(Grouping { by, labels }))?
                    }
                    _ => self.series(Some(name))?,
                }
            }
            _ => return Err(self.refused("expected an expression")),
        };
        if let TokenKind::Range(_) = self.peek() {
            return Err(self.refused("a range of what is no selector"));
        }
        if self.takes_word("offset") {
            return Err(Refused::new(at, "'offset' counts another time"));
        }
        Ok(Expression { at, node })
    }

    fn call(&mut self, function: String, grouping: Option<Grouping>) -> Result<Node, Refused> {
        let at = self.at();
        if !self.takes("(") {
            return Err(self.refused(format!("expected what {function} is of, in parentheses")));
        }
        let mut arguments = Vec::new();
        while !self.takes(")") {
            arguments.push(self.binary(0)?);
            if !self.takes(",") && !matches!(self.peek(), TokenKind::Sign(")")) {
                return match self.peek() {
                    TokenKind::End => Err(Refused::new(at, "the parenthesis is not closed")),
                    _ => Err(self.refused("expected a comma or a parenthesis")),
                };
            }
        }
        let grouping = match self.peek() {
            TokenKind::Name(word) if grouping.is_none() && (word == "by" || word == "without") => {
                let by = word == "by";
                self.next += 1;
                Some(Grouping { by, labels: self.labels()? })
            }
            _ => grouping,
        };
        Ok(Node::Call { function, arguments, grouping })
    }

    /// `(a, b)`.
    fn labels(&mut self) -> Result<Vec<String>, Refused> {
        if !self.takes("(") {
            return Err(self.refused("expected labels in parentheses"));
        }
        let mut labels = Vec::new();
        while !self.takes(")") {
            match self.take() {
                TokenKind::Name(label) | TokenKind::Text(label) => labels.push(label),
                _ => {
                    self.next -= 1;
                    return Err(self.refused("expected the name of a label"));
                }
            }
            self.takes(",");
        }
        Ok(labels)
    }

    fn series(&mut self, name: Option<String>) -> Result<Node, Refused> {
        let at = self.at();
        let named = |name: &str, at: usize| Matcher::new("__name__", "=", name).map_err(|why| Refused::new(at, why));
        let mut matchers = name.map(|name| named(&name, at)).transpose()?.into_iter().collect::<Vec<_>>();
        if self.takes("{") {
            while !self.takes("}") {
                let from = self.at();
                let label = match self.take() {
                    // A metric whose name is no plain word stands among the matchers.
                    TokenKind::Text(metric) if matches!(self.peek(), TokenKind::Sign("," | "}")) => {
                        matchers.push(named(&metric, from)?);
                        self.takes(",");
                        continue;
                    }
                    TokenKind::Name(label) | TokenKind::Text(label) => label,
                    TokenKind::End => return Err(Refused::new(at, "the brace is not closed")),
                    _ => return Err(Refused::new(from, "expected the name of a label")),
                };
                let sign = match self.peek() {
                    TokenKind::Sign(sign @ ("=" | "!=" | "=~" | "!~")) => *sign,
                    _ => return Err(self.refused(format!("expected =, !=, =~ or !~ after label {label}"))),
                };
                self.next += 1;
                let value_at = self.at();
                let TokenKind::Text(value) = self.take() else {
                    return Err(Refused::new(value_at, format!("expected the value of label {label} in quotes")));
                };
                matchers.push(Matcher::new(&label, sign, &value).map_err(|reason| Refused::new(value_at, reason))?);
                if !self.takes(",") && !matches!(self.peek(), TokenKind::Sign("}")) {
                    return match self.peek() {
                        TokenKind::End => Err(Refused::new(at, "the brace is not closed")),
                        _ => Err(self.refused("expected a comma or a brace")),
                    };
                }
            }
        }
        if matchers.iter().all(|matcher| matcher.matches("")) {
            return Err(Refused::new(at, "a selector of every series"));
        }
        let range = match self.peek() {
            TokenKind::Range(range) => Some(range.clone()),
            _ => None,
        };
        self.next += usize::from(range.is_some());
        Ok(Node::Series { selector: Selector { matchers }, range })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        parse(text).unwrap_err().told(text)
    }

    #[test]
    fn operators_bind_as_in_prometheus() {
        let Node::Binary { sign, right, .. } = parse("1 - a / b * 2").unwrap().node else { panic!() };
        assert_eq!(sign, "-");
        let Node::Binary { sign, left, .. } = right.node else { panic!() };
        assert!(sign == "*" && matches!(&left.node, Node::Binary { sign, .. } if sign == "/"));
        let Node::Binary { sign, .. } = parse("a or b / on(x) group_left(y) c > bool 1").unwrap().node else {
            panic!()
        };
        assert_eq!(sign, "or");
    }

    #[test]
    fn aggregations_have_their_labels_before_or_behind() {
        for text in ["sum by (job, \"a.b\") (rate(x[5m]))", "sum(rate(x[5m])) by (job, 'a.b')"] {
            let Node::Call { function, arguments, grouping } = parse(text).unwrap().node else { panic!("{text}") };
            assert_eq!((function.as_str(), arguments.len()), ("sum", 1));
            let grouping = grouping.unwrap();
            assert_eq!((grouping.by, grouping.labels), (true, vec!["job".to_string(), "a.b".to_string()]));
        }
    }

    #[test]
    fn what_is_not_understood_is_told_with_its_place() {
        assert_eq!(refusal("sum(rate(x[5m])"), "the parenthesis is not closed (character 4 of `sum(rate(x[5m])`)");
        assert_eq!(refusal("a b"), "expected the end of the expression (character 3 of `a b`)");
        assert_eq!(
            refusal("rate(x[5m] offset 1h)"),
            "'offset' counts another time (character 6 of `rate(x[5m] offset 1h)`)"
        );
        assert_eq!(refusal("a + "), "expected an expression (character 5 of `a + `)".replace("a + `", "a +`"));
        assert_eq!(refusal("max(x)[5m:1m]"), "a range of what is no selector (character 7 of `max(x)[5m:1m]`)");
        assert!(refusal(&"(".repeat(1000)).starts_with("nested too deeply"));
        assert!(refusal(&"-".repeat(1000)).starts_with("nested too deeply"));
    }
}

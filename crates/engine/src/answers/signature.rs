//! What a table function takes: the one list of its parameters, from which its syntax, its named arguments and its messages come.

use std::fmt;

/// A parameter of a table function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub name: &'static str,
    /// Whether every call must give it.
    pub required: bool,
    /// A constant in SQL that fits: what stands in for `$1` while a statement is prepared.
    pub such_as: &'static str,
}

impl Parameter {
    pub const fn required(name: &'static str, such_as: &'static str) -> Self {
        Parameter { name, required: true, such_as }
    }

    pub const fn optional(name: &'static str, such_as: &'static str) -> Self {
        Parameter { name, required: false, such_as }
    }
}

/// The beginning of a range of time, or all of it, such as '2026-10'.
pub(crate) const FROM: Parameter = Parameter::required("from", "'2026-10-01'");
/// The end of a range of time. Left out where `from` is a whole range.
pub(crate) const TO: Parameter = Parameter::optional("to", "'2026-11-01'");
/// By what an answer is grouped.
pub(crate) const BY: Parameter = Parameter::optional("by", "'service'");

/// A table function's name and its parameters in their order. Those that are required come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signature {
    pub function: &'static str,
    pub parameters: &'static [Parameter],
}

impl Signature {
    /// Where a parameter stands among the arguments.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.parameters.iter().position(|parameter| parameter.name == name)
    }

    pub fn names(&self) -> Vec<&'static str> {
        self.parameters.iter().map(|parameter| parameter.name).collect()
    }
}

/// The syntax, as `report(from, to [, by])`. `to` does not stand in brackets: most calls give it.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |parameter: &&Parameter| parameter.required || **parameter == TO;
        let always: Vec<&str> = self.parameters.iter().take_while(plain).map(|parameter| parameter.name).collect();
        write!(f, "{}({}", self.function, always.join(", "))?;
        let optional = &self.parameters[always.len()..];
        optional.iter().try_for_each(|parameter| write!(f, " [, {}", parameter.name))?;
        write!(f, "{})", "]".repeat(optional.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syntax_is_made_of_the_parameters() {
        const RULES: Parameter = Parameter::optional("rules", "'1:1h:5m'");
        let syntax = |parameters| Signature { function: "report", parameters }.to_string();
        assert_eq!(syntax(&[FROM, TO]), "report(from, to)");
        assert_eq!(syntax(&[FROM, TO, BY]), "report(from, to [, by])");
        assert_eq!(syntax(&[FROM, TO, BY, RULES]), "report(from, to [, by [, rules]])");
    }
}

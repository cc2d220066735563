//! `issuer` and `side`: who draws up statements, and whether the credit is owed by them or claimed. No figure depends on it.

use crate::fields::Fields;
use crate::mistake::Notes;

/// Who draws up statements.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Issuer {
    /// As it stands on the page.
    pub name: String,
    /// Whom to ask: a mail address, a page.
    pub contact: Option<String>,
    /// How statements are numbered: a text in which `{agreement}`, `{customer}`, `{service}`, `{period}` and `{revision}` are
    /// filled in.
    pub number: Option<String>,
}

/// Which side of the agreement the issuer is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The issuer promises the availability, and owes what is credited.
    Owed,
    /// The issuer was promised it, and claims what is credited.
    Claimed,
}

impl Side {
    /// As it stands in an agreement.
    pub fn word(self) -> &'static str {
        match self {
            Side::Owed => "owed",
            Side::Claimed => "claimed",
        }
    }
}

/// What can be filled in, and whether two statements have the same number without it.
const PLACES: [(&str, bool); 5] =
    [("agreement", false), ("customer", true), ("service", true), ("period", true), ("revision", true)];

impl Issuer {
    /// The number of a statement: `values` in the order of agreement, customer, service, period and revision.
    pub(crate) fn number(&self, values: [&str; 5]) -> Option<String> {
        let mut rest = self.number.as_deref()?;
        let mut number = String::new();
        // What was filled in is not read again.
        while let Some((before, after)) = rest.split_once('{') {
            number.push_str(before);
            let Some((name, after)) = after.split_once('}') else { break };
            let at = PLACES.iter().position(|(known, _)| *known == name);
            number.push_str(at.map_or("", |at| values[at]));
            rest = after;
        }
        number.push_str(rest);
        Some(number)
    }
}

/// `{name: …, contact: …, number: …}`. `is_one_service`: the agreement is about a single service.
pub(crate) fn issuer(fields: &Fields<'_>, is_one_service: bool, notes: &mut Notes<'_>) -> Option<Issuer> {
    let inner = Fields::read(fields.get("issuer")?, "issuer", &["name", "contact", "number"], notes)?;
    let name = inner.need_text("name", notes)?.to_string();
    let contact = inner.text("contact", notes).map(str::to_string);
    let number = inner.parse("number", notes, |text| pattern(text, is_one_service));
    Some(Issuer { name, contact, number })
}

fn pattern(text: &str, is_one_service: bool) -> Result<String, String> {
    let known = || PLACES.map(|(name, _)| format!("{{{name}}}")).join(", ");
    let names = text.split('{').skip(1).map(|part| part.split_once('}').map(|(name, _)| name));
    for name in names {
        if name.is_none_or(|name| !PLACES.iter().any(|(known, _)| *known == name)) {
            return Err(format!("'{text}' has a place that is not known; there are {}", known()));
        }
    }
    let lacks = |name: &str| !text.contains(&format!("{{{name}}}"));
    let tells_apart =
        |(name, needed): &&(&str, bool)| *needed && !(*name == "service" && is_one_service) && lacks(name);
    match PLACES.iter().find(tells_apart) {
        Some((name, _)) => Err(format!("'{text}' gives several statements one number; add {{{name}}}")),
        None => Ok(text.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_filled_in_once() {
        let issuer = |number: &str| Issuer { name: "x".into(), contact: None, number: Some(number.into()) };
        let values = ["a", "{period}", "s", "2026-10", "2"];
        let number = issuer("SLA/{period}/{customer}-{service}.{revision}").number(values);
        assert_eq!(number.as_deref(), Some("SLA/2026-10/{period}-s.2"));
    }

    #[test]
    fn a_number_belongs_to_one_statement() {
        assert!(pattern("{customer}-{period}-{revision}", true).is_ok());
        let error = |text: &str, one| pattern(text, one).map_or_else(|error| error, |_| String::new());
        assert_eq!(
            error("{customer}-{period}-{revision}", false),
            "'{customer}-{period}-{revision}' gives several statements one number; add {service}"
        );
        assert!(error("{customer} {month}", true).contains("a place that is not known"));
        assert!(error("{customer", true).contains("a place that is not known"));
    }
}

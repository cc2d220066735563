//! A name that no stored row carries, and what was probably meant.

use nines_slo::nearest;
use nines_store::TableKind;

/// A condition on rows: values of columns.
pub(crate) type Look = Vec<(&'static str, String)>;

/// Something that no stored row carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Miss {
    /// What it is about: a condition on rows of this table that none meets; `None` where there is nothing to look for.
    pub look: Option<Look>,
    pub table: TableKind,
    /// The sentence.
    pub text: String,
}

impl Miss {
    /// A name that none of the known ones is. `of` says whose rows were looked through, such as ` of service 'login'`.
    pub(super) fn name(table: TableKind, what: (&'static str, &str), of: &Of<'_>, known: &[&str]) -> Miss {
        let (column, name) = what;
        let mut look = of.rows.clone();
        look.push((column, name.to_string()));
        let text =
            format!("no row of {}{} has {} '{name}'{}", table.name(), of.said, article(column), meant(name, known));
        Miss { look: Some(look), table, text }
    }

    /// A glob that matches none of the known names.
    pub(super) fn glob(
        table: TableKind,
        (column, glob): (&str, &str),
        of: &Of<'_>,
        known: &[&str],
        since: &str,
    ) -> Miss {
        let text = format!(
            "no row of {}{}{since} has {} that matches '{glob}'{}",
            table.name(),
            of.said,
            article(column),
            listed(known)
        );
        Miss { look: None, table, text }
    }
}

/// Whose rows are meant, as conditions and in words.
pub(super) struct Of<'a> {
    pub rows: Look,
    pub said: &'a str,
}

pub(super) fn article(column: &str) -> String {
    let an = if column.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{an} {column}")
}

/// `; did you mean 'login'?`, else which there are, if they are few.
pub(super) fn meant(name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(near) => format!("; did you mean '{near}'?"),
        None => listed(known),
    }
}

fn listed(known: &[&str]) -> String {
    const MOST: usize = 6;
    let named: Vec<String> = known.iter().filter(|name| !name.is_empty()).map(|name| format!("'{name}'")).collect();
    match named.len() {
        0 => String::new(),
        1..=MOST => format!("; there are {}", named.join(", ")),
        _ => String::new(),
    }
}

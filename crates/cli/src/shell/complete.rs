//! What may be meant at the cursor.

use datafusion::sql::sqlparser::tokenizer::{Token, Whitespace};
use nines_engine::{Tokens, tokens};
use rustyline::completion::{FilenameCompleter, Pair};

use super::clause::{wants_table, word_of};
use super::command::Takes;
use super::commands;
use super::keywords::{KEYWORDS, is_keyword};
use super::split::{Cut, Next};
use super::vocabulary::{Table, Vocabulary};
use crate::notebooks;

/// What the third argument of functions over objectives may be.
const BY: [&str; 4] = ["objective", "service", "business", "company"];

/// Where in the line the word at the cursor begins, and what it may become.
pub(super) fn complete(vocabulary: &Vocabulary, line: &str, cursor: usize, safe: bool) -> (usize, Vec<Pair>) {
    let typed = &line[..cursor];
    let mut cut = Cut::new(typed);
    let rest = loop {
        let rest = cut.rest();
        match cut.next() {
            Ok(Next::Command(command)) if cut.rest().is_empty() => {
                // With the spaces at its end: they part the argument from what comes next.
                let begun = typed.trim_end().len() - command.len();
                return in_command(vocabulary, &typed[begun..], typed, safe);
            }
            Ok(Next::Statement(_) | Next::Command(_)) => {}
            Ok(Next::Unfinished(_)) => break rest,
            Err(_) => return (cursor, Vec::new()),
        }
    };
    let begun = typed.len() - rest.len();
    let (start, found) = in_statement(vocabulary, rest, &line[cursor..]);
    (begun + start, found)
}

/// Names of a command, then what it takes.
fn in_command(vocabulary: &Vocabulary, command: &str, typed: &str, safe: bool) -> (usize, Vec<Pair>) {
    let (name, argument) = command.split_once(char::is_whitespace).map_or((command, None), |(n, a)| (n, Some(a)));
    let Some(argument) = argument else {
        let names = commands::ALL.iter().map(|known| format!("\\{}", known.name));
        return (typed.len() - name.len(), starting_with(name, names, ""));
    };
    let argument = argument.trim_start();
    let start = typed.len() - argument.len();
    let takes = commands::named(name.trim_start_matches('\\')).map(|known| known.takes);
    let found = match takes {
        Some(Takes::Table) => starting_with(argument, vocabulary.tables.iter().map(|table| table.name.clone()), ""),
        Some(Takes::Function) => {
            let functions = vocabulary.tables.iter().filter(|table| table.is_function).map(|table| &table.name);
            starting_with(argument, functions.chain(&vocabulary.functions).cloned(), "")
        }
        Some(Takes::Objective) => starting_with(argument, vocabulary.objectives.iter().cloned(), ""),
        Some(Takes::Parameter) => starting_with(argument, vocabulary.parameters.iter().cloned(), ""),
        Some(Takes::OneOf(words)) => starting_with(argument, words().into_iter(), ""),
        Some(Takes::Notebook) => {
            let shipped = notebooks::ALL.iter().map(|(name, _)| name.to_string());
            let mut found = starting_with(argument, shipped, "");
            if !safe {
                let (from, files) = FilenameCompleter::new().complete_path(typed, typed.len()).unwrap_or_default();
                match found.is_empty() {
                    true => return (from, files),
                    false => found.extend(files.into_iter().filter(|_| from == start)),
                }
            }
            found
        }
        Some(Takes::File) if !safe => {
            return FilenameCompleter::new().complete_path(typed, typed.len()).unwrap_or((start, Vec::new()));
        }
        Some(Takes::Nothing | Takes::Sql | Takes::File) | None => Vec::new(),
    };
    (start, found)
}

fn in_statement(vocabulary: &Vocabulary, typed: &str, after: &str) -> (usize, Vec<Pair>) {
    let tokens = tokens(typed);
    if tokens.open < typed.len() {
        return in_open_token(vocabulary, typed, after, &tokens);
    }
    if let Some((Token::Whitespace(Whitespace::SingleLineComment { comment, .. }), _)) = tokens.all.last()
        && !comment.ends_with('\n')
    {
        return (typed.len(), Vec::new());
    }
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let start =
        typed.rfind(|c: char| !is_part(c)).map_or(0, |at| at + typed[at..].chars().next().map_or(0, char::len_utf8));
    let word = &typed[start..];
    if let Some(name) = word.strip_prefix('$') {
        return (start + 1, starting_with(name, vocabulary.parameters.iter().cloned(), ""));
    }
    let before: Vec<&Token> = meant(&tokens).filter(|(_, from)| *from < start).map(|(token, _)| token).collect();
    let statement = format!("{typed}{after}");
    let mentioned = mentioned(vocabulary, &statement);
    if before.last() == Some(&&Token::Period) {
        let owner = before.iter().rev().nth(1).and_then(|token| word_of(token)).unwrap_or_default();
        let of_owner = mentioned.iter().filter(|(name, _)| name.eq_ignore_ascii_case(owner));
        let columns = of_owner.flat_map(|(_, table)| table.columns.iter().cloned());
        return (start, starting_with(word, columns, ""));
    }
    let tables = vocabulary.tables.iter().filter(|table| !table.is_function).map(|table| table.name.clone());
    let table_functions = vocabulary.tables.iter().filter(|table| table.is_function).map(|table| table.name.clone());
    if wants_table(&before) {
        let mut found = starting_with(word, tables, "");
        found.extend(starting_with(word, table_functions, "("));
        return (start, found);
    }
    // Of the tables that are named; where none is yet, of all.
    let of: Vec<&Table> = match mentioned.is_empty() {
        true => vocabulary.tables.iter().collect(),
        false => mentioned.iter().map(|(_, table)| *table).collect(),
    };
    let mut columns: Vec<String> = of.iter().flat_map(|table| table.columns.iter().cloned()).collect();
    columns.extend(mentioned.iter().map(|(name, _)| name.to_string()));
    columns.sort_unstable();
    columns.dedup();
    let mut found = starting_with(word, columns.into_iter(), "");
    if !word.is_empty() {
        found.extend(starting_with(word, vocabulary.functions.iter().cloned(), "("));
        let upper = word.chars().all(|c| !c.is_lowercase());
        let keywords = KEYWORDS.iter().map(|known| if upper { known.to_string() } else { known.to_ascii_lowercase() });
        found.extend(starting_with(word, keywords, ""));
    }
    (start, found)
}

/// Within quotes: names that are values, or columns.
fn in_open_token(vocabulary: &Vocabulary, typed: &str, after: &str, tokens: &Tokens) -> (usize, Vec<Pair>) {
    let start = tokens.open + 1;
    let open = &typed[tokens.open..];
    let before: Vec<&Token> = meant(tokens).map(|(token, _)| token).collect();
    match open.as_bytes().first() {
        Some(b'\'') => {
            let close = if after.starts_with('\'') { "" } else { "'" };
            (start, starting_with(&open[1..], values(vocabulary, &before), close))
        }
        Some(b'"') => {
            let tables = vocabulary.tables.iter().map(|table| &table.name);
            let columns = vocabulary.tables.iter().flat_map(|table| &table.columns);
            let mut names: Vec<String> = tables.chain(columns).cloned().collect();
            names.sort_unstable();
            names.dedup();
            (start, starting_with(&open[1..], names.into_iter(), if after.starts_with('"') { "" } else { "\"" }))
        }
        _ => (typed.len(), Vec::new()),
    }
}

/// Names that a string may be, told from the column that it is compared with.
fn values(vocabulary: &Vocabulary, before: &[&Token]) -> impl Iterator<Item = String> + use<> {
    let is_between = |token: &&&Token| match token {
        Token::Word(word) => ["in", "like", "ilike", "not"].contains(&word.value.to_ascii_lowercase().as_str()),
        Token::Eq | Token::Neq | Token::LParen | Token::Comma => true,
        Token::SingleQuotedString(_) | Token::Placeholder(_) => true,
        _ => false,
    };
    let column = before.iter().rev().find(|token| !is_between(token)).and_then(|token| word_of(token));
    let commas = before.iter().rev().take_while(is_between).filter(|token| ***token == Token::Comma).count();
    let all = || [&vocabulary.objectives, &vocabulary.services, &vocabulary.businesses].into_iter().flatten().cloned();
    let mut names: Vec<String> = match column.unwrap_or_default().to_ascii_lowercase().as_str() {
        "objective" | "slo" => vocabulary.objectives.clone(),
        "service" => vocabulary.services.clone(),
        "business" => vocabulary.businesses.clone(),
        name if vocabulary.table(name).is_some_and(|table| table.is_function) => match commas {
            0 | 1 => Vec::new(),
            _ => BY.map(str::to_string).to_vec(),
        },
        _ => all().collect(),
    };
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| name.replace('\'', "''"))
}

/// Tokens without space and comments, and where they begin.
fn meant(tokens: &Tokens) -> impl Iterator<Item = (&Token, usize)> {
    let all = tokens.all.iter().map(|(token, bytes)| (token, bytes.start));
    all.filter(|(token, _)| !matches!(token, Token::Whitespace(_)))
}

/// Tables that a statement names, each under its alias or its own name.
fn mentioned<'v>(vocabulary: &'v Vocabulary, statement: &str) -> Vec<(String, &'v Table)> {
    let tokens = tokens(statement);
    let all: Vec<&Token> = meant(&tokens).map(|(token, _)| token).collect();
    let mut found = Vec::new();
    for (at, token) in all.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| all[before]);
        let Some(table) = word_of(token).and_then(|name| vocabulary.table(name)) else { continue };
        let follows = before.is_some_and(|token| {
            *token == Token::Comma
                || word_of(token).is_some_and(|w| ["FROM", "JOIN"].contains(&w.to_ascii_uppercase().as_str()))
        });
        if !follows {
            continue;
        }
        let mut next = at + 1;
        if all.get(next) == Some(&&Token::LParen) {
            let close = all[next..].iter().position(|token| **token == Token::RParen);
            next += close.map_or(all.len(), |close| close + 1);
        }
        let mut alias = all.get(next).and_then(|token| word_of(token));
        if alias.is_some_and(|word| word.eq_ignore_ascii_case("as")) {
            alias = all.get(next + 1).and_then(|token| word_of(token));
        }
        let alias = alias.filter(|word| !is_keyword(word));
        found.push((alias.unwrap_or(&table.name).to_string(), table));
    }
    found
}

fn starting_with(prefix: &str, names: impl Iterator<Item = String>, then: &str) -> Vec<Pair> {
    let begins = |name: &String| {
        let mut letters = name.chars().flat_map(char::to_lowercase);
        prefix.chars().flat_map(char::to_lowercase).all(|letter| letters.next() == Some(letter))
    };
    let pair = |name: String| Pair { replacement: format!("{name}{then}"), display: name };
    names.filter(begins).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, columns: &[&str], is_function: bool) -> Table {
        Table { name: name.to_string(), columns: columns.iter().map(|name| name.to_string()).collect(), is_function }
    }

    fn vocabulary() -> Vocabulary {
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        Vocabulary {
            tables: vec![
                table("report", &["objective", "slo", "mttr"], true),
                table("requests", &["time", "service", "requests"], false),
                table("events", &["time", "service", "good"], false),
            ],
            functions: names(&["max", "mttr"]),
            objectives: names(&["login-success", "upload/parts quick", "下单成功率"]),
            services: names(&["login"]),
            businesses: names(&["shop"]),
            parameters: names(&["from"]),
        }
    }

    /// What the text becomes with each candidate; `|` is the cursor.
    fn becomes(line: &str) -> Vec<String> {
        let cursor = line.find('|').unwrap();
        let line = line.replace('|', "");
        let (start, found) = complete(&vocabulary(), &line, cursor, false);
        let with = |pair: Pair| format!("{}{}{}", &line[..start], pair.replacement, &line[cursor..]);
        found.into_iter().map(with).collect()
    }

    #[test]
    fn the_place_tells_what_is_meant() {
        let cases: &[(&str, &[&str])] = &[
            ("SELECT * FROM req|", &["SELECT * FROM requests"]),
            ("SELECT * FROM rep|", &["SELECT * FROM report("]),
            ("SELECT * FROM requests, ev|", &["SELECT * FROM requests, events"]),
            ("SELECT * FROM (SELECT 1) AS a, ev|", &["SELECT * FROM (SELECT 1) AS a, events"]),
            ("SELECT go| FROM events", &["SELECT good FROM events"]),
            ("SELECT r.re| FROM requests AS r, events", &["SELECT r.requests FROM requests AS r, events"]),
            ("SELECT x.sl| FROM report('a', 'b') x", &["SELECT x.slo FROM report('a', 'b') x"]),
            ("SELECT 1; SEL|", &["SELECT 1; SELECT"]),
            ("sel|", &["select"]),
            ("SELECT mt| FROM report(", &["SELECT mttr FROM report(", "SELECT mttr( FROM report("]),
            ("SELECT * FROM slos WHERE objective = 'log|", &["SELECT * FROM slos WHERE objective = 'login-success'"]),
            ("SELECT 1 WHERE objective IN ('x', '下|')", &["SELECT 1 WHERE objective IN ('x', '下单成功率')"]),
            ("SELECT 1 WHERE service = 'log|", &["SELECT 1 WHERE service = 'login'"]),
            (
                "SELECT * FROM report('2026-01-01', $from, 'com|",
                &["SELECT * FROM report('2026-01-01', $from, 'company'"],
            ),
            ("SELECT $f|", &["SELECT $from"]),
            ("\\tim|", &["\\timing"]),
            ("\\slo upl|", &["\\slo upload/parts quick"]),
            ("\\d ev|", &["\\d events"]),
            ("SELECT 1 -- fr|", &[]),
            ("\\run wee|", &["\\run weekly"]),
            ("SELECT 1; \\slo 下|", &["SELECT 1; \\slo 下单成功率"]),
            // A space ends a name.
            ("\\slo 下 |", &[]),
            ("\\d ev |", &[]),
            ("\\d \u{3000}ev|", &["\\d \u{3000}events"]),
            ("\\slo upload/parts |", &["\\slo upload/parts quick"]),
        ];
        for (line, expected) in cases {
            let expected: Vec<String> = expected.iter().map(|text| text.to_string()).collect();
            assert_eq!(becomes(line), expected, "{line}");
        }
    }
}

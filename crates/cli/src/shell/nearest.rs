//! The name that was probably meant.

/// Of these names one that begins so, else one that few letters set apart, or its beginning.
pub(super) fn nearest<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let names: Vec<&str> = names.collect();
    // Of a single letter every other one is as near as any.
    word.chars().nth(1)?;
    let letters = |text: &str| text.to_lowercase().chars().collect::<Vec<_>>();
    let typed = letters(word);
    let begins = names.iter().find(|name| letters(name).starts_with(&typed));
    begins.copied().or_else(|| nines_engine::slo::nearest(word, &names)).or_else(|| {
        let beginning = |name: &&str| name.chars().take(typed.len() + 1).collect::<String>();
        let beginnings: Vec<String> = names.iter().map(beginning).collect();
        let known: Vec<&str> = beginnings.iter().map(String::as_str).collect();
        let near = nines_engine::slo::nearest(word, &known)?;
        known.iter().position(|beginning| *beginning == near).map(|at| names[at])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::commands::ALL;

    #[test]
    fn names_are_guessed() {
        let names = || ALL.iter().map(|command| command.name);
        for (word, meant) in [("timin", "timing"), ("explian", "explain"), ("sett", "set"), ("fromat", "format")] {
            assert_eq!(nearest(word, names()), Some(meant), "{word}");
        }
        assert_eq!(nearest("logn", ["search", "login-success"].into_iter()), Some("login-success"));
        assert!(nearest("zzzzzz", names()).is_none() && nearest("x", names()).is_none());
    }
}

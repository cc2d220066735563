//! Which word was probably meant.

/// What to say about a word that is none of the known ones.
pub fn hint(word: &str, known: &[&str]) -> String {
    near_hint(word, known).unwrap_or_else(|| format!("expected {}", list(known)))
}

/// The same where the known words are too many to list.
pub(crate) fn near_hint(word: &str, known: &[&str]) -> Option<String> {
    nearest(word, known).map(|near| format!("did you mean '{near}'?"))
}

/// `a`, `a or b`, `a, b or c`.
pub fn list(words: &[&str]) -> String {
    match words {
        [] => "nothing".to_string(),
        [one] => one.to_string(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}

/// The known word that at most a third of the letters set apart from this one; case counts for nothing.
pub fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word = word.to_lowercase();
    let length = word.chars().count();
    // Nobody mistypes a word into a page of text, and the distance of two of those takes its time.
    if length > 64 {
        return None;
    }
    let most = (length / 3).max(1);
    let near = known.iter().map(|&candidate| (strsim::osa_distance(&word, &candidate.to_lowercase()), candidate));
    near.filter(|(distance, _)| *distance <= most).min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_seen_through() {
        let known = ["target", "targetPercent", "timeSliceTarget", "timeSliceWindow"];
        assert_eq!(hint("tagret", &known), "did you mean 'target'?");
        assert_eq!(hint("timesliceTarget", &known), "did you mean 'timeSliceTarget'?");
        assert_eq!(hint("time_slice_window", &known), "did you mean 'timeSliceWindow'?");
        assert_eq!(hint("goal", &["ok", "error", "ignore"]), "expected ok, error or ignore");
        assert_eq!(hint("markdown", &["description"]), "expected description");
    }
}

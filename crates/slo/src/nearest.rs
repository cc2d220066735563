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
    let word = letters(word);
    let most = (word.len() / 3).max(1);
    // Nobody mistypes a word into a page of text, and the distance of two of those takes its time.
    if word.len() > 64 {
        return None;
    }
    let near = known.iter().map(|&candidate| (distance(&word, &letters(candidate)), candidate));
    near.filter(|(distance, _)| *distance <= most).min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

fn letters(word: &str) -> Vec<char> {
    word.chars().flat_map(char::to_lowercase).collect()
}

/// Letters to insert, remove, replace or swap with their neighbour ("optimal string alignment").
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
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

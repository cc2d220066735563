//! Sources of pieces: `edge/4f1c09d2a87be365.0@1024` is a piece of a file that the source `edge` delivered.
//!
//! A piece adds to all others, so it has a source of its own; what is said of its rows as a whole is said of the source before
//! the slash, the *plain* source.

/// Digits of a file's id.
const DIGITS: usize = 16;

/// The plain source of a piece, and the piece's file; `None` if the source is not that of a piece.
pub fn piece_of(source: &str) -> Option<(&str, &str)> {
    let (plain, piece) = source.rsplit_once('/')?;
    let (file, from) = piece.split_once('@')?;
    let (id, slot) = file.split_once('.')?;
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_id = id.len() == DIGITS && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_id && number(slot) && number(from)).then_some((plain, file))
}

/// Who delivered a row: its source, of a piece the plain one.
pub(crate) fn plain(source: &str) -> &str {
    piece_of(source).map_or(source, |(plain, _)| plain)
}

/// The last source that a piece of a source up to `max` may have: pieces sort behind their source, not beside it.
pub(crate) fn last_piece_up_to(max: &str) -> String {
    let ends = max.char_indices().map(|(at, _)| at).chain([max.len()]);
    let last = ends.map(|end| format!("{}/\u{10ffff}", &max[..end])).max();
    last.filter(|last| last.as_str() > max).unwrap_or_else(|| max.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_bears_its_plain_source_and_its_file() {
        assert_eq!(piece_of("edge/4f1c09d2a87be365.0@1024"), Some(("edge", "4f1c09d2a87be365.0")));
        assert_eq!(piece_of("/4f1c09d2a87be365.12@0"), Some(("", "4f1c09d2a87be365.12")));
        assert_eq!(plain("a/b/4f1c09d2a87be365.0@0"), "a/b");
        for other in
            ["", "edge", "edge/4f1c", "edge/4f1c09d2a87be365", "edge/4f1c09d2a87be365.0", "edge/4F1C09D2A87BE365.0@0"]
        {
            assert_eq!((piece_of(other), plain(other)), (None, other));
        }
    }

    #[test]
    fn every_piece_of_a_source_lies_before_the_last_one() {
        let piece = "/4f1c09d2a87be365.0@1024";
        for max in ["", "edge", "edge!", "edge/a", "e", "業"] {
            let last = last_piece_up_to(max);
            for source in ["", "e", "edge", "edge!", "edge/a", "業"].into_iter().filter(|source| *source <= max) {
                assert!(source <= last.as_str() && format!("{source}{piece}") <= last, "{source} {max} {last}");
            }
        }
    }
}

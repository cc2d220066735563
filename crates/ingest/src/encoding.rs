//! What the bytes of an input are, told by the first of them: packed, in which encoding, or no text at all.
//!
//! Gzip, zstd, xz and bzip2 are unpacked, UTF-16 with its byte order mark becomes UTF-8, and in a text whose lines end in carriage
//! returns alone each becomes a newline. All else that is no UTF-8 text is refused with its name and the command
//! that makes text of it, because a file that is read as nothing looks like a file that holds nothing.

use std::io::{self, Read};

use crate::{ErrorKind, IngestError, Result};

/// How an input is packed, where that is undone here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Zstd,
    Xz,
    Bzip2,
}

/// How the text of an input is written, where it is not plain UTF-8 with newlines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf16 {
        big_endian: bool,
    },
    /// Lines end in carriage returns alone, as on the first Macintosh.
    CarriageReturns,
}

/// What packed inputs begin with.
const PACKED: [(&[u8], Packing); 4] = [
    (b"\x1f\x8b", Packing::Gzip),
    (b"\x28\xb5\x2f\xfd", Packing::Zstd),
    (b"\xfd7zXZ\0", Packing::Xz),
    (b"BZh", Packing::Bzip2),
];

/// What follows at the size of its blocks in a text that is packed by bzip2: that of a block, or the end of none.
const BLOCKS: [&[u8]; 2] = [b"1AY&SY", b"\x17rE8P\x90"];

/// Bytes that `packing` wants to see.
pub(crate) const MAGIC: usize = 10;

/// How an input that begins so is packed.
pub(crate) fn packing(first: &[u8]) -> Option<Packing> {
    let packing = PACKED.iter().find(|(magic, _)| first.starts_with(magic)).map(|(_, packing)| *packing)?;
    // A text may begin with these letters.
    let is_text = packing == Packing::Bzip2
        && !BLOCKS.iter().any(|block| first.get(4..).is_some_and(|rest| rest.starts_with(block)));
    (!is_text).then_some(packing)
}

/// How the text that begins so is written.
pub(crate) fn encoding(head: &[u8]) -> Option<Encoding> {
    if UTF_32_MARKS.iter().any(|mark| head.starts_with(mark)) {
        None
    } else if head.starts_with(b"\xff\xfe") {
        Some(Encoding::Utf16 { big_endian: false })
    } else if head.starts_with(b"\xfe\xff") {
        Some(Encoding::Utf16 { big_endian: true })
    } else {
        // A return at the very end may be half of a line ending that is being written.
        let within = &head[..head.len().saturating_sub(1)];
        (within.contains(&b'\r') && !head.contains(&b'\n')).then_some(Encoding::CarriageReturns)
    }
}

const UTF_32_MARKS: [&[u8]; 2] = [b"\xff\xfe\0\0", b"\0\0\xfe\xff"];

/// What is no text, by its first bytes: what it is, and what to do.
const KNOWN: &[(&[u8], &str, &str)] = &[
    (b"\x04\x22\x4d\x18", "packed by lz4", "Unpack it first: lz4 -dc FILE > NEW"),
    (b"\x1f\x9d", "packed by compress", "Unpack it first: uncompress -c FILE > NEW"),
    (b"LZIP", "packed by lzip", "Unpack it first: lzip -dc FILE > NEW"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "Unpack it first: 7z x FILE"),
    (
        b"PK\x03\x04",
        "a ZIP archive or a spreadsheet",
        "Unpack an archive first: unzip FILE. Save a spreadsheet as CSV in UTF-8",
    ),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet or document", "Save it as CSV in UTF-8"),
    (b"Rar!", "a RAR archive", "Unpack it first: unrar x FILE"),
    (b"%PDF-", "a PDF document", "Ingest what it was made from"),
    (
        b"SQLite format 3",
        "an SQLite database",
        "Export the table first: sqlite3 -csv -header FILE 'SELECT …' > NEW.csv",
    ),
    (b"Obj\x01", "an Avro file", "Convert it to Parquet or JSON lines first"),
    (b"ORC", "an ORC file", "Convert it to Parquet first"),
    (b"ARROW1\0", "an Arrow file", "Convert it to Parquet first"),
];

/// Where the name of a tar archive's format stands.
const TAR: std::ops::Range<usize> = 257..262;

/// Refuses an unpacked input that begins so and is not text, unless it is Parquet.
pub(crate) fn check_text(head: &[u8]) -> Result<()> {
    let refused = |what: String, advice: String| {
        Err(IngestError::new(ErrorKind::Encoding, format!("this is {what}, not text")).advice(advice))
    };
    if let Some((_, what, advice)) = KNOWN.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return refused(what.to_string(), advice.to_string());
    }
    if packing(head).is_some() {
        return refused(
            "packed twice".to_string(),
            "Unpack it once first: gunzip, zstd -d, xz -d or bzip2 -d".to_string(),
        );
    }
    if head.get(TAR).is_some_and(|name| name == b"ustar") {
        return refused("a tar archive".to_string(), "Unpack it first: tar -xf FILE".to_string());
    }
    if let Some(encoding) = wide(head) {
        let advice = format!("Convert it first: iconv -f {encoding} -t UTF-8 FILE > NEW");
        return Err(
            IngestError::new(ErrorKind::Encoding, format!("this is text in {encoding}, not in UTF-8")).advice(advice)
        );
    }
    // A later line may be damaged in a text; whoever reads it says which.
    let line = head.iter().position(|&byte| byte == b'\n').map_or(head, |end| &head[..=end]);
    match line.iter().position(|&byte| byte == 0) {
        None => Ok(()),
        Some(at) => {
            let zeros = line[at..].iter().take_while(|&&byte| byte == 0).count();
            Err(zero_bytes(ErrorKind::Encoding, zeros).expected(format!("text, but byte {} is zero", at + 1)))
        }
    }
}

/// The error for zero bytes in text.
pub(crate) fn zero_bytes(kind: ErrorKind, zeros: usize) -> IngestError {
    let found = if zeros == 1 { "there is a zero byte".to_string() } else { format!("there are {zeros} zero bytes") };
    IngestError::new(kind, found).advice(
        "Is it a binary file? A loss of power leaves zeros in the last lines of a log: tr -d '\\000' < FILE > NEW removes them, \
         --skip-bad goes on behind such a line",
    )
}

/// UTF-16 without its mark, and UTF-32: between the letters of names and digits stand zeros.
fn wide(head: &[u8]) -> Option<&'static str> {
    let [little, big] = UTF_32_MARKS;
    if head.starts_with(little) || head.starts_with(big) {
        return Some("UTF-32");
    }
    let head = &head[..head.len().min(4096)];
    let most = |size: usize, is: fn(&[u8]) -> bool| {
        let (units, like) = (head.len() / size, head.chunks_exact(size).filter(|unit| is(unit)).count());
        units >= 4 && like * 10 >= units * 8
    };
    if most(4, |unit| unit[0] != 0 && unit[1..] == [0; 3]) {
        Some("UTF-32LE")
    } else if most(4, |unit| unit[3] != 0 && unit[..3] == [0; 3]) {
        Some("UTF-32BE")
    } else if most(2, |unit| unit[0] != 0 && unit[1] == 0) {
        Some("UTF-16LE")
    } else if most(2, |unit| unit[0] == 0 && unit[1] != 0) {
        Some("UTF-16BE")
    } else {
        None
    }
}

/// UTF-16 as UTF-8, without its mark.
pub(crate) struct Utf16<R> {
    input: R,
    big_endian: bool,
    /// Bytes read of which no character was made yet: at most three.
    raw: Vec<u8>,
    text: Vec<u8>,
    given: usize,
}

impl<R: Read> Utf16<R> {
    pub(crate) fn new(input: R, big_endian: bool) -> Self {
        Self { input, big_endian, raw: Vec::new(), text: Vec::new(), given: 0 }
    }

    /// Makes text of the next bytes; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        let mut chunk = [0; 16 << 10];
        let read = self.input.read(&mut chunk)?;
        if read == 0 {
            return if self.raw.is_empty() { Ok(false) } else { Err(broken("it ends within a character of UTF-16")) };
        }
        self.raw.extend_from_slice(&chunk[..read]);
        let unit = |pair: &[u8]| match self.big_endian {
            true => u16::from_be_bytes([pair[0], pair[1]]),
            false => u16::from_le_bytes([pair[0], pair[1]]),
        };
        let mut units: Vec<u16> = self.raw.chunks_exact(2).map(unit).collect();
        // The second half of a pair may come with the next bytes.
        if units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit)) {
            units.pop();
        }
        self.raw.drain(..units.len() * 2);
        self.text.clear();
        self.given = 0;
        let mut letter = [0; 4];
        for decoded in char::decode_utf16(units) {
            let decoded = decoded.map_err(|_| broken("half a character of UTF-16 stands alone"))?;
            if decoded != '\u{feff}' {
                self.text.extend_from_slice(decoded.encode_utf8(&mut letter).as_bytes());
            }
        }
        Ok(true)
    }
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() {
            if buffer.is_empty() || !self.fill()? {
                return Ok(0);
            }
        }
        let n = buffer.len().min(self.text.len() - self.given);
        buffer[..n].copy_from_slice(&self.text[self.given..][..n]);
        self.given += n;
        Ok(n)
    }
}

/// A text with a newline for each carriage return; after one, a newline adds nothing.
pub(crate) struct Newlines<R> {
    input: R,
    after_return: bool,
}

impl<R: Read> Newlines<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input, after_return: false }
    }
}

impl<R: Read> Read for Newlines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.input.read(buffer)?;
            let mut kept = 0;
            for at in 0..read {
                let byte = buffer[at];
                let again = byte == b'\n' && self.after_return;
                self.after_return = byte == b'\r';
                if !again {
                    buffer[kept] = if byte == b'\r' { b'\n' } else { byte };
                    kept += 1;
                }
            }
            if kept > 0 || read == 0 {
                return Ok(kept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a byte at a time, as a slow pipe may.
    struct Slowly<'a>(&'a [u8]);

    impl Read for Slowly<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = self.0.len().min(1);
            buffer[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    fn utf16(text: &str, big_endian: bool) -> Vec<u8> {
        let bytes = |unit: u16| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() };
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn utf16_becomes_utf8() {
        let text = "time,服务\n1,😀\n".repeat(3000);
        for big_endian in [false, true] {
            let bytes = utf16(&format!("\u{feff}{text}"), big_endian);
            assert_eq!(encoding(&bytes), Some(Encoding::Utf16 { big_endian }));
            let mut whole = String::new();
            Utf16::new(&bytes[..], big_endian).read_to_string(&mut whole).unwrap();
            assert_eq!(whole, text);
            let mut slowly = String::new();
            Utf16::new(Slowly(&bytes), big_endian).read_to_string(&mut slowly).unwrap();
            assert_eq!(slowly, text);
        }
        let said = |bytes: &[u8]| Utf16::new(bytes, false).read_to_end(&mut Vec::new()).unwrap_err().to_string();
        assert_eq!(said(b"a\0b"), "it ends within a character of UTF-16");
        assert_eq!(said(b"\x00\xd8"), "it ends within a character of UTF-16");
        assert_eq!(said(b"\x00\xdca\0"), "half a character of UTF-16 stands alone");
    }

    #[test]
    fn carriage_returns_alone_end_lines() {
        assert_eq!(encoding(b"a\rb\r"), Some(Encoding::CarriageReturns));
        assert_eq!((encoding(b"a\r\nb\r"), encoding(b"a\r")), (None, None));
        let mut text = String::new();
        Newlines::new(Slowly(b"a\rb\r\r\nc\n\nd")).read_to_string(&mut text).unwrap();
        assert_eq!(text, "a\nb\n\nc\n\nd");
    }

    #[test]
    fn what_is_no_text_is_named_with_what_to_do() {
        let said = |head: &[u8]| check_text(head).unwrap_err().to_string();
        assert_eq!(
            said(b"\x04\x22\x4d\x18\x60"),
            "this is packed by lz4, not text. Unpack it first: lz4 -dc FILE > NEW"
        );
        assert!(said(b"\xfd7zXZ\0\0\x04").contains("packed twice"));
        assert!(said(b"PK\x03\x04\x14\0").contains("ZIP archive or a spreadsheet"));
        assert!(said(&[&[b'a'; 257][..], b"ustar\x0000"].concat()).contains("tar -xf FILE"));
        let text = "time,status\n1791936000,200\n";
        for (encoding, big_endian) in [("UTF-16LE", false), ("UTF-16BE", true)] {
            let advice = format!("iconv -f {encoding} -t UTF-8 FILE > NEW");
            assert!(said(&utf16(text, big_endian)).ends_with(&advice), "{encoding}");
        }
        let wide: Vec<u8> = text.chars().flat_map(|letter| (letter as u32).to_le_bytes()).collect();
        assert!(said(&wide).contains("iconv -f UTF-32LE"));
        assert!(said(&[b"\xff\xfe\0\0", &wide[..]].concat()).contains("iconv -f UTF-32 "));
        assert!(said(b"\x1f\x8b\x08").contains("packed twice"));
        assert!(
            said(b"a line\0\0\0\0\nanother\n")
                .starts_with("there are 4 zero bytes; expected text, but byte 7 is zero. ")
        );
        // Whoever reads the line says so.
        assert!(check_text(b"a line\n\0\0\0\0another\n").is_ok());
        assert!(said(&[0; 4096]).contains("tr -d '\\000' < FILE > NEW"));
        // What follows the last line is not written yet.
        assert!(check_text(b"a line\n\0\0\0\0").is_ok());
        assert!(check_text("время,статус\n".as_bytes()).is_ok() && check_text(b"").is_ok());
    }
}

//! A file is read or refused with what it is and what to do; success without rows means that there is nothing new.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::{fails, nines, query, run};

const LINE: &str = "h - - [14/Oct/2026:09:00:01 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"";

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn ingest(&self, name: &str, bytes: impl AsRef<[u8]>) -> assert_cmd::Command {
        fs::write(self.0.path().join(name), bytes).unwrap();
        self.command(&["ingest", "requests", name])
    }

    fn command(&self, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = nines();
        command.current_dir(self.0.path()).args(["--store", "store"]).args(arguments);
        command
    }

    fn statuses(&self) -> Vec<String> {
        query(&self.0.path().join("store"), "SELECT status, sum(requests) FROM requests GROUP BY 1 ORDER BY 1")
    }
}

/// What a program makes of bytes; `None` if it is not installed.
fn through(program: &[&str], bytes: &[u8]) -> Option<Vec<u8>> {
    let mut command = Command::new(program[0]);
    let child = command.args(&program[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.ok()?;
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program:?}");
    Some(output.stdout)
}

fn utf16(text: &str, big_endian: bool) -> Vec<u8> {
    text.encode_utf16().flat_map(|unit| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

#[test]
fn what_can_be_read_is_read_whatever_it_is_called() {
    let two = format!("{LINE}\n{}\n", LINE.replace(" 200 ", " 500 "));
    let rows = ["200,1", "500,1"];
    let csv = "time,status,requests\n1791936000,200,1\n1791936000,500,1\n";
    let json =
        "{\"time\":1791936000,\"status\":200,\"requests\":1}\n{\"time\":1791936000,\"status\":500,\"requests\":1}\n";
    let mut files = vec![
        ("cr.log", two.replace('\n', "\r").into_bytes()),
        ("cr.csv", csv.replace('\n', "\r").into_bytes()),
        ("crlf.log", two.replace('\n', "\r\n").into_bytes()),
        ("little.log", utf16(&format!("\u{feff}{two}"), false)),
        ("big.csv", utf16(&format!("\u{feff}{csv}"), true)),
        ("mark.jsonl", format!("\u{feff}{json}").into_bytes()),
        ("json.log", json.into()),
        ("table.log", csv.into()),
        ("log.csv", two.clone().into_bytes()),
        ("json.csv", json.into()),
    ];
    for (name, program) in
        [("packed.log", "gzip"), ("packed.log.zst", "zstd"), ("packed.xz", "xz"), ("packed.csv.bz2", "bzip2")]
    {
        let packed = |text: &str| through(&[program, "-c"], text.as_bytes());
        files.extend(packed(&two).map(|packed| (name, packed)));
        // Members one after the other are one text.
        let (first, second) = two.split_at(LINE.len() + 1);
        files.extend(packed(first).zip(packed(second)).map(|(first, second)| (name, [first, second].concat())));
    }
    for (name, bytes) in files {
        let place = Place::new();
        let said = run(&mut place.ingest(name, bytes));
        assert!(said.starts_with("read        2 rows\n"), "{name}: {said}");
        assert_eq!(place.statuses(), rows, "{name}");
        // SQL sees as many rows, and a pipe holds the same.
        let sql = format!("SELECT count(*) FROM '{name}'");
        assert_eq!(run(&mut place.command(&["sql", "--format", "csv", &sql])).lines().nth(1), Some("2"), "{name}");
        let piped = fs::read(place.0.path().join(name)).unwrap();
        let pipe = Place::new();
        run(pipe.command(&["ingest", "requests", "/dev/stdin"]).write_stdin(piped));
        assert_eq!(pipe.statuses(), rows, "{name} from a pipe");
    }
}

#[test]
fn what_cannot_be_read_is_named_with_what_to_do() {
    let text = format!("{LINE}\n").repeat(20);
    let place = Place::new();
    let mut files = vec![
        ("cut.log.zst", b"\x28\xb5\x2f\xfd\x04\x58".to_vec(), "cannot be read: "),
        ("bare.csv", utf16("time,status\n1791936000,200\n", false), "iconv -f UTF-16LE -t UTF-8 FILE > NEW"),
        ("a.zip", b"PK\x03\x04\x14\0\0\0\x08\0".to_vec(), "unzip FILE"),
        ("hole.log", [text.as_bytes(), &[0; 5000], text.as_bytes()].concat(), "tr -d '\\000' < FILE > NEW"),
        ("zeros.log", vec![0; 4096], "tr -d '\\000' < FILE > NEW"),
        ("binary.csv", (0..=255).collect(), "Is it a binary file?"),
        ("page.csv", b"<!DOCTYPE html>\n<html>404</html>\n".to_vec(), "this is HTML or XML"),
        ("page.log", b"<html>\n".to_vec(), "this is HTML or XML"),
    ];
    files.extend(through(&["lz4", "-c"], text.as_bytes()).map(|packed| ("packed.log", packed, "lz4 -dc FILE > NEW")));
    // What was cut is no whole input.
    for (name, program) in [("cut.log.xz", "xz"), ("cut.log.bz2", "bzip2")] {
        let packed = through(&[program, "-c"], text.as_bytes());
        files.extend(packed.map(|packed| (name, packed[..packed.len() - 20].to_vec(), "cannot be read: ")));
    }
    for (name, bytes, advice) in files {
        let said = fails(1, &mut place.ingest(name, bytes.clone()));
        assert!(said.starts_with(&format!("error: {name}")) && said.contains(advice), "{name}: {said}");
        let said = fails(1, &mut place.command(&["sql", &format!("SELECT * FROM '{name}'")]));
        assert!(said.contains(advice), "{name} in SQL: {said}");
        let select = ["ingest", "requests", name, "--select", "SELECT * FROM input"];
        assert!(fails(1, &mut place.command(&select)).contains(advice), "{name} behind --select");
        let piped = fails(1, place.command(&["ingest", "requests", "/dev/stdin"]).write_stdin(bytes));
        assert!(piped.starts_with("error: /dev/stdin") && !piped.contains("/tmp"), "{name} from a pipe: {piped}");
    }
    let holed = [text.as_bytes(), &[0; 5000], text.as_bytes()].concat();
    assert!(fails(1, &mut place.ingest("again.log", holed)).starts_with("error: again.log"));
    assert_eq!(place.statuses(), [""; 0]);
}

#[test]
fn zeros_after_the_last_line_are_not_written_yet() {
    let place = Place::new();
    let line = format!("{LINE}\n");
    let said = run(&mut place.ingest("a.log", [line.as_bytes(), &[0; 1000]].concat()));
    assert!(said.contains("read        1 row") && said.contains("incomplete last line of 1,000 bytes"), "{said}");
    run(&mut place.ingest("a.log", [line.as_bytes(), line.as_bytes(), &[0; 900]].concat()));
    assert_eq!(place.statuses(), ["200,2"]);
}

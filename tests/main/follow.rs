//! Logs that are followed: through rotations and kills, what is stored is what one ingest of all lines stores.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::case::Case;
use crate::{count, fails, run};

/// A program that follows, in the folder of a case.
struct Follower {
    child: Child,
    said: PathBuf,
}

impl Follower {
    fn of(case: &Case, arguments: &[&str]) -> Follower {
        let said = case.folder.path().join("said");
        let open = || OpenOptions::new().append(true).create(true).open(&said).unwrap();
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("nines"));
        command
            .current_dir(case.folder.path())
            .env_remove("NINES_STORE")
            .arg("--store")
            .arg(&case.store)
            .args(arguments);
        let child = command.stdin(Stdio::null()).stdout(open()).stderr(open()).spawn().unwrap();
        Follower { child, said }
    }

    fn log(case: &Case) -> Follower {
        Self::of(case, &["ingest", "requests", "access.log", "--follow", "--slice", "1s", "--service", "shop"])
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Ends it as `systemctl stop` does; all that it said.
    fn stop(mut self) -> String {
        self.signal("TERM");
        let status = self.child.wait().unwrap();
        let said = fs::read_to_string(&self.said).unwrap();
        assert_eq!(status.code(), Some(0), "{said}");
        said
    }

    /// Waits until it has said something.
    fn says(&mut self, text: &str) {
        self.waits(|said| said.contains(text), text);
    }

    fn waits(&mut self, mut until: impl FnMut(&str) -> bool, what: &str) {
        let started = Instant::now();
        loop {
            let said = fs::read_to_string(&self.said).unwrap();
            if until(&said) {
                return;
            }
            assert!(self.child.try_wait().unwrap().is_none(), "it ended: {said}");
            assert!(started.elapsed() < Duration::from_secs(60), "no '{what}' in {said}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn line(n: u64) -> String {
    let (minute, second) = (n / 600 % 60, n / 10 % 60);
    let status = if n.is_multiple_of(7) { 500 } else { 200 };
    format!(
        "h - - [14/Oct/2026:{:02}:{minute:02}:{second:02} +0000] \"GET /p{} HTTP/1.1\" {status} {n}\n",
        n / 36_000,
        n % 5
    )
}

/// How a log is rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rotation {
    /// Renamed, and created anew; its writer goes on in the old one for a while.
    Rename,
    /// Copied, and truncated; its writer goes on at the end.
    CopyTruncate,
    /// Likewise; its writer goes on where it was, so that a hole of zeros is before.
    CopyTruncateWithHole,
    /// Deleted, and created anew.
    Recreate,
}

/// Who writes a log.
struct Writer {
    path: PathBuf,
    file: File,
    /// Where it goes on; `None`: at the end.
    at: Option<u64>,
    /// All that it wrote.
    all: String,
    /// What of the last line is not written yet.
    rest: String,
    lines: u64,
}

impl Writer {
    fn new(path: &Path) -> Writer {
        let file = OpenOptions::new().append(true).create(true).open(path).unwrap();
        Writer { path: path.to_path_buf(), file, at: None, all: String::new(), rest: String::new(), lines: 0 }
    }

    fn put(&mut self, text: &str) {
        match &mut self.at {
            None => self.file.write_all(text.as_bytes()).unwrap(),
            Some(at) => {
                self.file.write_all_at(text.as_bytes(), *at).unwrap();
                *at += text.len() as u64;
            }
        }
        self.all.push_str(text);
    }

    fn finish_line(&mut self) {
        let rest = std::mem::take(&mut self.rest);
        self.put(&rest);
    }

    /// Some lines, of which the last may be begun only.
    fn write(&mut self, draw: &mut StdRng) {
        self.finish_line();
        for _ in 0..draw.random_range(1..40) {
            let text = line(self.lines);
            self.lines += 1;
            self.put(&text);
        }
        if draw.random_bool(0.3) {
            let text = line(self.lines);
            self.lines += 1;
            let (begun, rest) = text.split_at(draw.random_range(1..text.len()));
            self.put(begun);
            self.rest = rest.to_string();
        }
    }

    /// Gives the files that were rotated before the next number, and packs one of them.
    fn shift(&self) -> PathBuf {
        let name = |n: usize, packed: &str| {
            let name = self.path.file_name().unwrap().to_string_lossy().into_owned();
            self.path.with_file_name(format!("{name}.{n}{packed}"))
        };
        for n in (1..500).rev() {
            for packed in ["", ".gz"] {
                if name(n, packed).exists() {
                    fs::rename(name(n, packed), name(n + 1, packed)).unwrap();
                }
            }
        }
        let plain = name(3, "");
        if plain.exists() {
            let mut encoder =
                flate2::write::GzEncoder::new(File::create(name(3, ".gz")).unwrap(), flate2::Compression::fast());
            encoder.write_all(&fs::read(&plain).unwrap()).unwrap();
            let packed = encoder.finish().unwrap();
            packed.set_modified(fs::metadata(&plain).unwrap().modified().unwrap()).unwrap();
            fs::remove_file(plain).unwrap();
        }
        name(1, "")
    }

    fn rotate(&mut self, rotation: Rotation, draw: &mut StdRng) {
        let size = self.file.metadata().unwrap().len();
        if rotation == Rotation::Rename {
            fs::rename(&self.path, self.shift()).unwrap();
            self.write(draw);
            self.finish_line();
            *self = self.anew();
            return;
        }
        self.finish_line();
        if rotation == Rotation::Recreate {
            fs::remove_file(&self.path).unwrap();
            self.write(draw);
            self.finish_line();
            *self = self.anew();
            return;
        }
        fs::copy(&self.path, self.shift()).unwrap();
        self.file.set_len(0).unwrap();
        if rotation == Rotation::CopyTruncateWithHole {
            self.file = OpenOptions::new().write(true).open(&self.path).unwrap();
            self.at = Some(self.at.unwrap_or(0).max(size) + 1000);
        }
    }

    /// The same over a new file.
    fn anew(&mut self) -> Writer {
        let all = std::mem::take(&mut self.all);
        Writer { all, lines: self.lines, ..Writer::new(&self.path) }
    }
}

fn stored(case: &Case) -> Vec<String> {
    case.rows(
        "SELECT time, service, endpoint, status, sum(requests) FROM requests GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
    )
}

fn stored_lines(case: &Case) -> u64 {
    case.rows("SELECT coalesce(sum(requests), 0) FROM requests")[0].parse().unwrap()
}

/// The follower is killed at any moment and begun again; rotations come while it runs and while it does not, also several.
#[test]
fn a_log_is_followed_through_kills_and_rotations() {
    let (kills, seed) = (count("NINES_KILLS", 20), count("NINES_SEED", 20_261_129));
    let draw = &mut StdRng::seed_from_u64(seed);
    let case = Case::new();
    let mut writer = Writer::new(&case.folder.path().join("access.log"));
    writer.write(draw);
    let mut follower = Follower::log(&case);
    follower.says("version 1 of requests");
    let mut rotations = [0; 4];
    for kill in 0..kills {
        for _ in 0..draw.random_range(1..5) {
            writer.write(draw);
            let rotation =
                [Rotation::Rename, Rotation::CopyTruncate, Rotation::CopyTruncateWithHole][draw.random_range(0..3)];
            if draw.random_bool(0.5) {
                writer.rotate(rotation, draw);
                rotations[rotation as usize] += 1;
            }
            std::thread::sleep(Duration::from_millis(draw.random_range(0..400)));
        }
        // What is deleted before it was read is gone: the follower must know the file, and live until it has read it.
        if kill % 4 == 3 {
            writer.write(draw);
            writer.finish_line();
            let at = stored_when(&mut follower, &case, writer.all.lines().count() as u64);
            assert_eq!(at, writer.all.lines().count() as u64, "seed {seed}, kill {kill}: {}", situation(&case));
            writer.rotate(Rotation::Recreate, draw);
            rotations[Rotation::Recreate as usize] += 1;
            let at = stored_when(&mut follower, &case, writer.all.lines().count() as u64);
            assert_eq!(at, writer.all.lines().count() as u64, "seed {seed}, kill {kill}: {}", situation(&case));
        }
        follower.kill();
        if draw.random_bool(0.3) {
            writer.write(draw);
            writer.rotate(Rotation::Rename, draw);
            writer.write(draw);
            writer.rotate(Rotation::CopyTruncate, draw);
        }
        follower = Follower::log(&case);
    }
    writer.write(draw);
    writer.finish_line();
    // A signal before it listens to signals ends it as any program.
    follower.kill();
    fs::write(case.folder.path().join("said"), "").unwrap();
    follower = Follower::log(&case);
    follower.says("following");
    let said = follower.stop();
    assert!(said.ends_with("stopped: every complete line is stored\n"), "{said}");
    assert!(rotations.iter().all(|&times| times > 0), "{rotations:?}");
    let whole = Case::new();
    let all = ("all.log", writer.all.as_bytes());
    run(&mut whole.ingest("requests", all, &["--slice", "1s", "--service", "shop"]));
    assert_eq!(stored(&case), stored(&whole), "seed {seed}");
    let lines = writer.all.lines().count() as u64;
    assert_eq!(stored_lines(&case), lines);
    eprintln!("{lines} lines through {kills} kills and {rotations:?} rotations");
}

/// What a person wants to see where it failed: what the followers said, and the files.
fn situation(case: &Case) -> String {
    let mut text = fs::read_to_string(case.folder.path().join("said")).unwrap();
    let mut files: Vec<_> = fs::read_dir(case.folder.path()).unwrap().map(|entry| entry.unwrap()).collect();
    files.sort_by_key(|entry| entry.file_name());
    for file in files {
        let metadata = file.metadata().unwrap();
        text.push_str(&format!("{:?} {} {:?}\n", file.file_name(), metadata.len(), metadata.modified().unwrap()));
    }
    text
}

/// How many lines are stored once so many are, or the follower has had time for them.
fn stored_when(follower: &mut Follower, case: &Case, lines: u64) -> u64 {
    let started = Instant::now();
    loop {
        assert!(follower.child.try_wait().unwrap().is_none(), "{}", fs::read_to_string(&follower.said).unwrap());
        let stored = stored_lines(case);
        if stored >= lines || started.elapsed() > Duration::from_secs(30) {
            return stored;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// What is stored in each round is what was written until then; a late line adds to its slice.
#[test]
fn a_slice_is_stored_when_it_is_over() {
    let case = Case::new();
    let mut follower = Follower::log(&case);
    follower.says("access.log: there is no such file; it is waited for");
    case.file("access.log", line(0) + &line(1));
    follower.says("access.log: there it is");
    follower.says("2 rows; 2 aggregates stored, version 1 of requests");
    let mut log = OpenOptions::new().append(true).open(case.folder.path().join("access.log")).unwrap();
    log.write_all((line(600) + &line(5) + "h - -").as_bytes()).unwrap();
    follower.says("2 rows; 2 aggregates stored, version 2 of requests");
    let said = follower.stop();
    assert!(said.contains("following access.log into requests of "), "{said}");
    assert!(said.contains(", every 1 s; Ctrl-C ends it\n") && !said.contains("warning"), "{said}");
    let sql = "SELECT time, sum(requests) FROM requests GROUP BY 1 ORDER BY 1";
    assert_eq!(case.rows(sql), ["2026-10-14T00:00:00Z,3", "2026-10-14T00:01:00Z,1"]);
    // A plain ingest knows what was followed.
    let said = run(&mut case.nines(&["ingest", "requests", "access.log", "--service", "shop"]));
    assert!(
        said.contains("already ingested: access.log holds nothing new\nleft        an incomplete last line of 5 bytes"),
        "{said}"
    );
}

/// Also of lines that were rotated away before anything was stored.
#[test]
fn what_is_rotated_since_it_is_followed_is_read() {
    let case = Case::new();
    case.file("access.log", "");
    let mut follower = Follower::log(&case);
    follower.says("following");
    case.file("access.log", line(0) + &line(1));
    fs::copy(case.folder.path().join("access.log"), case.folder.path().join("access.log.1")).unwrap();
    case.file("access.log", line(600));
    follower.waits(|_| stored_lines(&case) == 3, "three lines");
    let said = follower.stop();
    assert!(!said.contains("not read"), "{said}");
}

#[test]
fn what_was_rotated_before_is_said_and_not_read() {
    let case = Case::new();
    case.file("access.log.1", line(0));
    case.file("access.log.2", "no log at all\n");
    case.file("access.log", line(600));
    // What was written within the last tick of the clock may have been written since.
    std::thread::sleep(Duration::from_millis(50));
    let mut follower = Follower::log(&case);
    follower.says("version 1 of requests");
    let said = follower.stop();
    assert!(
        said.contains("access.log.1: rotated before it was followed, and not read: to store it as well, name it"),
        "{said}"
    );
    assert_eq!(stored_lines(&case), 1);
    run(&mut case.nines(&["ingest", "requests", "access.log.1", "--service", "shop"]));
    assert_eq!(stored_lines(&case), 2);
}

#[test]
fn many_logs_are_followed_as_a_file_says() {
    let case = Case::new();
    let json = |at: &str, n: u64| {
        format!("{{\"time\": \"2026-10-14T12:00:0{n}Z\", \"service\": \"{at}\", \"ok\": {}}}\n", n.is_multiple_of(2))
    };
    case.file("shop.log", line(0));
    fs::create_dir(case.folder.path().join("logs")).unwrap();
    case.file("logs/a.log", line(1) + "nonsense\n");
    case.file("orders.jsonl", json("orders", 1));
    case.file(
        "follow.toml",
        "[[ingest]]\ntable = 'requests'\nfiles = ['shop.log']\nservice = 'shop'\n\n\
         [[ingest]]\ntable = 'requests'\nfiles = ['logs/*.log']\nservice = 'api'\nskip-bad = 'refused.csv'\n\n\
         [[ingest]]\ntable = 'events'\nfiles = 'orders.jsonl'\n",
    );
    let mut follower = Follower::of(&case, &["follow", "follow.toml", "--slice", "1s", "--every", "1s"]);
    follower.says("of events");
    case.file("logs/b.log", line(2) + &line(3));
    case.file("logs/packed.log.gz", packed(&line(4)));
    case.file("logs/c.log", "more nonsense\n");
    let mut orders = OpenOptions::new().append(true).open(case.folder.path().join("orders.jsonl")).unwrap();
    orders.write_all(json("orders", 2).as_bytes()).unwrap();
    follower.says("version 2 of events");
    follower.waits(|_| stored_lines(&case) == 4, "four requests");
    let said = follower.stop();
    assert!(said.contains("1 row, 1 rejected; 1 aggregate stored"), "{said}");
    let sql = "SELECT service, sum(requests) FROM requests GROUP BY 1 ORDER BY 1";
    assert_eq!(case.rows(sql), ["api,3", "shop,1"], "{said}");
    assert_eq!(case.rows("SELECT sum(good), sum(total) FROM events"), ["1,2"]);
    let refused = fs::read_to_string(case.folder.path().join("refused.csv")).unwrap();
    assert_eq!(refused.lines().count(), 3, "{refused}");
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn what_cannot_be_followed_is_refused() {
    let case = Case::new();
    case.file("a.log", line(0) + "nonsense\n");
    case.file("counts.csv", "time,requests\n0,5\n");
    let said = fails(1, &mut case.nines(&["ingest", "requests", "a.log", "--follow"]));
    assert!(said.contains("a.log into requests: a.log:2:1: there is"), "{said}");
    let said = fails(1, &mut case.nines(&["ingest", "requests", "counts.csv", "--follow"]));
    assert!(said.contains("counts.csv: its rows carry counts, or are none of requests; --follow is for"), "{said}");
    for (option, value) in
        [("--select", "SELECT 1"), ("--batch", "x"), ("--replace", ""), ("--dry-run", ""), ("--aggregates", "")]
    {
        let mut command = case.nines(&["ingest", "requests", "a.log", "--follow", option]);
        if !value.is_empty() {
            command.arg(value);
        }
        let said = fails(1, &mut command);
        assert!(said.contains(&format!("--follow and {option} exclude each other")), "{said}");
    }
    let said = fails(1, &mut case.nines(&["ingest", "fees", "a.log", "--follow"]));
    assert!(said.contains("--follow is for requests, events and gauges"), "{said}");
    let said = fails(2, &mut case.nines(&["ingest", "requests", "a.log", "--every", "1m"]));
    assert!(said.contains("--follow"), "{said}");
    let said = fails(1, &mut case.nines(&["ingest", "requests", ".", "--follow"]));
    assert!(said.contains("./counts.csv: its rows carry counts"), "{said}");
    let said = fails(1, &mut case.nines(&["ingest", "requests", "a[.log", "--follow"]));
    assert!(said.contains("a[.log: ") && !said.contains("waited for"), "{said}");
    case.file("none.toml", "[[ingest]]\ntable = 'requests'\n");
    assert!(fails(2, &mut case.nines(&["follow", "none.toml"])).contains("none.toml:1: [[ingest]]: files is missing"));
}

/// A hole at the start of a file is no text, whether it is followed or ingested.
#[test]
fn a_hole_is_skipped_and_said() {
    let case = Case::new();
    let text = ["\0".repeat(100_000), line(0), line(1)].concat();
    let said = run(&mut case.ingest("requests", ("a.log", &text), &[]));
    assert!(said.contains("skipped     100,000 zero bytes at the start of a.log, which a truncation left"), "{said}");
    let said = run(&mut case.ingest("requests", ("a.log.gz", packed(&text)), &[]));
    assert!(said.contains("already ingested: a.log.gz holds nothing new"), "{said}");
    let said = run(&mut case.ingest("requests", ("b.log", line(0) + &line(1) + &line(2)), &[]));
    assert!(said.starts_with("read        1 row\n"), "{said}");
    let mut read = String::new();
    File::open(case.folder.path().join("b.log")).unwrap().read_to_string(&mut read).unwrap();
    assert_eq!(stored_lines(&case), read.lines().count() as u64);
}

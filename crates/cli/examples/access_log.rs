//! Prints a generated access log: one day of a small shop, in the combined format with `$request_time` appended.
//!
//! About 2,000 lines, the same each time (as long as `rand` keeps its `StdRng`). For seven minutes at noon
//! (UTC) most requests of `/checkout` fail with 502 or 504, and clients try again. `data/README.md` names the
//! command that makes `data/access.log` from it.

use std::io::{self, BufWriter, Write};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

const DAY: &str = "14/Oct/2026";
const LINES: usize = 1_950;

/// The burst: seconds of the day, and requests of the broken path that come on top (people try again).
const BURST: std::ops::Range<u32> = 12 * 3600 + 4 * 60..12 * 3600 + 11 * 60;
const RETRIES: usize = 70;
const BROKEN: &str = "/checkout";

/// (method, path, usual status, parts of the traffic, median seconds, bytes)
const PATHS: [(&str, &str, u16, u32, f64, u32); 10] = [
    ("GET", "/", 200, 22, 0.030, 8_200),
    ("GET", "/search", 200, 18, 0.110, 14_000),
    ("GET", "/product", 200, 24, 0.045, 11_500),
    ("GET", "/%E6%89%8B%E6%9C%BA", 200, 6, 0.050, 9_800),
    ("GET", "/static/app.js", 304, 9, 0.002, 0),
    ("POST", "/cart", 201, 8, 0.060, 640),
    ("POST", BROKEN, 200, 5, 0.240, 2_100),
    ("GET", "/old-shop", 301, 3, 0.001, 178),
    ("GET", "/wp-login.php", 404, 4, 0.001, 153),
    ("GET", "/healthz", 200, 6, 0.001, 2),
];

const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/143.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/605.1",
    "Mozilla/5.0 (compatible; ExampleBot/2.1)",
    "curl/8.14.1",
];

fn main() -> io::Result<()> {
    let rng = &mut StdRng::seed_from_u64(14);
    let mut seconds: Vec<(u32, bool)> = (0..LINES).map(|_| (second(rng), false)).collect();
    seconds.extend((0..RETRIES).map(|_| (rng.random_range(BURST), true)));
    seconds.sort_unstable();

    let mut out = BufWriter::new(io::stdout().lock());
    for (second, retry) in seconds {
        line(&mut out, second, retry, rng)?;
    }
    out.flush()
}

/// A second of the day, rarely one of the night.
fn second(rng: &mut StdRng) -> u32 {
    loop {
        let second = rng.random_range(0..86_400);
        let hour = second / 3600;
        if (7..23).contains(&hour) || rng.random_bool(0.3) {
            return second;
        }
    }
}

fn line(out: &mut impl Write, second: u32, retry: bool, rng: &mut StdRng) -> io::Result<()> {
    let mut pick = rng.random_range(0..PATHS.iter().map(|path| path.3).sum::<u32>());
    let drawn = PATHS.iter().find(|path| {
        let here = pick < path.3;
        pick = pick.saturating_sub(path.3);
        here
    });
    let checkout = PATHS.iter().find(|path| path.1 == BROKEN);
    let Some(&(method, path, usual, _, median, size)) = (if retry { checkout } else { drawn }) else { return Ok(()) };

    // The sum of four uniform numbers is bell-shaped: a log-normal latency without a logarithm.
    let bell = (0..4).map(|_| rng.random_range(-1.0..1.0)).sum::<f64>();
    let (mut status, mut bytes, mut seconds) = (usual, size + rng.random_range(0..=size / 3), median * bell.exp2());
    let broken = path == BROKEN && BURST.contains(&second);
    if broken && rng.random_bool(0.85) {
        (status, bytes) = (if rng.random_bool(0.6) { 504 } else { 502 }, 167);
        seconds = if status == 504 { 10.0 + rng.random_range(0.0..0.02) } else { rng.random_range(0.001..0.05) };
    } else if usual == 200 && rng.random_bool(0.01) {
        (status, bytes) = (if rng.random_bool(0.8) { 404 } else { 400 }, 153);
    }
    let query = match path {
        "/search" => format!("?q={}", ["phone", "lamp", "%E8%8C%B6", "desk"].choose(rng).unwrap_or(&"")),
        "/product" => format!("?id={}", rng.random_range(1000..9999)),
        _ => String::new(),
    };
    let agent = match path {
        "/wp-login.php" => AGENTS[2],
        "/healthz" => AGENTS[3],
        _ => AGENTS[rng.random_range(0..2)],
    };
    let host = rng.random_range(2..250);
    let net = if path == "/healthz" { "10.0.0" } else { ["192.0.2", "198.51.100", "203.0.113"][host % 3] };
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    writeln!(
        out,
        "{net}.{host} - - [{DAY}:{hour:02}:{minute:02}:{second:02} +0000] \"{method} {path}{query} HTTP/1.1\" \
         {status} {bytes} \"-\" \"{agent}\" {seconds:.3}",
    )
}

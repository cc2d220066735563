//! Time as tests need it: days, months of a few zones in 2025 and 2026, and how instants are written.

pub const SECOND: i64 = 1_000_000;
pub const HOUR: i64 = 3600 * SECOND;
pub const DAY: i64 = 24 * HOUR;

/// A time zone whose clock changes are written down here by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    Utc,
    Shanghai,
    NewYork,
    Berlin,
    Kolkata,
    Kathmandu,
    LordHowe,
}

impl Zone {
    pub const ALL: [Zone; 7] =
        [Zone::Utc, Zone::Shanghai, Zone::NewYork, Zone::Berlin, Zone::Kolkata, Zone::Kathmandu, Zone::LordHowe];

    pub fn name(self) -> &'static str {
        match self {
            Zone::Utc => "UTC",
            Zone::Shanghai => "Asia/Shanghai",
            Zone::NewYork => "America/New_York",
            Zone::Berlin => "Europe/Berlin",
            Zone::Kolkata => "Asia/Kolkata",
            Zone::Kathmandu => "Asia/Kathmandu",
            Zone::LordHowe => "Australia/Lord_Howe",
        }
    }

    /// The widest slice that divides every day, in seconds.
    pub fn widest(self) -> i64 {
        match self {
            Zone::Utc | Zone::Shanghai | Zone::Kolkata | Zone::Kathmandu => 86_400,
            Zone::NewYork | Zone::Berlin => 3600,
            Zone::LordHowe => 1800,
        }
    }

    /// The first instant of a day, from 2025-04 to 2026-10.
    pub fn midnight(self, day: i64) -> i64 {
        let minutes_ahead = match self {
            Zone::Utc => 0,
            Zone::Shanghai => 8 * 60,
            Zone::NewYork if day > self::day(2025, 11, 2) && day <= self::day(2026, 3, 8) => -5 * 60,
            Zone::NewYork => -4 * 60,
            Zone::Berlin if day > self::day(2025, 10, 26) && day <= self::day(2026, 3, 29) => 60,
            Zone::Berlin => 2 * 60,
            Zone::Kolkata => 5 * 60 + 30,
            Zone::Kathmandu => 5 * 60 + 45,
            Zone::LordHowe if day > self::day(2025, 10, 5) && day <= self::day(2026, 4, 5) => 11 * 60,
            Zone::LordHowe => 10 * 60 + 30,
        };
        day * DAY - minutes_ahead * 60 * SECOND
    }

    /// First instants of the months from 2025-06 on.
    pub fn months(self) -> Vec<i64> {
        let of_2025 = (6..=12).map(|month| day(2025, month, 1));
        of_2025.chain((1..=6).map(|month| day(2026, month, 1))).map(|day| self.midnight(day)).collect()
    }
}

/// Days since the epoch (Howard Hinnant's `days_from_civil`).
pub fn day(year: i64, month: i64, of_month: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + of_month - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month, day of a day since the epoch.
fn civil(day: i64) -> (i64, i64, i64) {
    let days = day + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let (of_month, month) = (of_year - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    (year + era * 400 + i64::from(month <= 2), month, of_month)
}

/// An instant as RFC 3339 writes it.
pub fn instant(at: i64) -> String {
    let (year, month, day) = civil(at.div_euclid(DAY));
    let of_day = at.rem_euclid(DAY);
    let seconds = of_day / SECOND;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:06}Z", of_day % SECOND)
}

/// The last multiple of `grid` at or before an instant.
pub fn floor(at: i64, grid: i64) -> i64 {
    at.div_euclid(grid) * grid
}

/// The first multiple of `grid` at or after an instant.
pub fn ceil(at: i64, grid: i64) -> i64 {
    -floor(-at, grid)
}

pub fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

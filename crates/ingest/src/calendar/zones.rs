//! The time zones that a calendar names.

use chrono_tz::Tz;

use super::content::{Calendar, Content};
use super::windows_zones::ZONES;
use crate::{IngestError, Result};

const EXPECTED: &str =
    "a name of IANA such as Europe/Berlin, one of Windows, or a VTIMEZONE that says where it is by X-LIC-LOCATION";

/// What names mean in a calendar.
pub(super) struct Zones<'a> {
    calendar: &'a Calendar,
    /// Whose clock counts where a time names no zone, and the calendar none either.
    otherwise: Tz,
}

impl<'a> Zones<'a> {
    pub fn new(calendar: &'a Calendar, otherwise: Tz) -> Self {
        Self { calendar, otherwise }
    }

    /// The zone of a time.
    pub fn of(&self, time: &Content) -> Result<Tz> {
        let (content, name) = match (time.parameter("TZID"), &self.calendar.zone) {
            (Some(name), _) => (time, name),
            (None, Some(zone)) => (zone, zone.value.as_str()),
            (None, None) => return Ok(self.otherwise),
        };
        self.named(name).ok_or_else(|| IngestError::bad_value("the time zone", name, EXPECTED).on_line(content.line))
    }

    fn named(&self, name: &str) -> Option<Tz> {
        let iana = |name: &str| name.trim().parse::<Tz>().ok();
        // Registries put something of their own before: `/example.org/Olson_20011030_5/Europe/Berlin`.
        let within = || name.match_indices('/').find_map(|(at, _)| iana(&name[at + 1..]));
        let located = || self.calendar.located.get(name).and_then(|place| iana(place));
        let of_windows = || {
            let zone = ZONES.iter().find(|(windows, _)| windows.eq_ignore_ascii_case(name.trim()))?;
            iana(zone.1)
        };
        iana(name).or_else(located).or_else(of_windows).or_else(within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_zones() {
        let calendar = Calendar::default();
        let zones = Zones::new(&calendar, Tz::UTC);
        for (name, zone) in [
            ("Europe/Berlin", Some("Europe/Berlin")),
            ("w. europe standard time", Some("Europe/Berlin")),
            ("China Standard Time", Some("Asia/Shanghai")),
            ("/freeassociation.sourceforge.net/America/Argentina/Ushuaia", Some("America/Argentina/Ushuaia")),
            ("UTC", Some("UTC")),
            ("Moon", None),
            ("", None),
        ] {
            assert_eq!(zones.named(name).map(Tz::name), zone, "{name}");
        }
        for (windows, iana) in ZONES {
            assert!(iana.parse::<Tz>().is_ok(), "{windows}: {iana}");
        }
    }
}

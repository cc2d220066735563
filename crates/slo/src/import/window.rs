//! Time windows of objectives: those are imported that `nines apply` reads.

use crate::duration::shorthand;
use crate::fields::Fields;
use crate::instant;
use crate::mistake::Notes;
use crate::slo;
use crate::yaml::Node;

/// The time window of an objective.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Window {
    /// As `28d` or `1M`.
    pub duration: String,
    /// Otherwise by the calendar.
    pub rolling: bool,
    /// Without one the calendar is that of UTC.
    pub calendar: Option<Calendar>,
}

/// Of which calendar months, weeks and days are.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Calendar {
    pub time_zone: String,
    /// A time, as it is written.
    pub start: Option<String>,
}

/// The SLO is left out. The reason is among the notes.
pub(super) struct LeftOut;

/// How a format writes the length of a window: as `28d`, otherwise why it is none.
pub(super) type Length = fn(&Fields<'_>) -> Result<String, String>;

impl Window {
    /// A rolling window of so many days.
    pub fn days(days: u32) -> Self {
        Window { duration: format!("{days}d"), rolling: true, calendar: None }
    }

    /// A rolling window of a length such as `4w`; otherwise why it is none.
    pub fn of_length(text: &str) -> Result<Self, String> {
        Ok(Window { duration: shorthand(text)?, rolling: true, calendar: None })
    }

    /// The one window in a list of an SLO's specification, if there is one. `slo` is its name.
    pub fn read(
        spec: &Fields<'_>,
        list: &str,
        length: Length,
        slo: &str,
        notes: &mut Notes<'_>,
    ) -> Result<Option<Self>, LeftOut> {
        if spec.get(list).is_none() {
            return Ok(None);
        }
        let node = match spec.list(list, notes).ok_or(LeftOut)? {
            [] => return Ok(None),
            [one] => one,
            [_, second, ..] => {
                notes.error(second.place, format!("{slo}: an SLO has one time window"));
                return Err(LeftOut);
            }
        };
        let fields = Fields::open(node, "the time window", notes).ok_or(LeftOut)?;
        let duration = match length(&fields).and_then(|text| shorthand(&text)) {
            Ok(duration) => duration,
            Err(reason) => {
                notes.error(node.place, format!("{slo}: its time window: {reason}"));
                return Err(LeftOut);
            }
        };
        let calendar = match fields.get("calendar") {
            Some(node) => Some(calendar(node, notes).ok_or(LeftOut)?),
            None => None,
        };
        let rolling = match fields.get("isRolling") {
            Some(_) => fields.flag("isRolling", notes).ok_or(LeftOut)?,
            None => calendar.is_none(),
        };
        if rolling && calendar.is_some() {
            notes.error(node.place, format!("{slo}: a rolling window has no calendar"));
            return Err(LeftOut);
        }
        Ok(Some(Window { duration, rolling, calendar }))
    }
}

fn calendar(node: &Node, notes: &mut Notes<'_>) -> Option<Calendar> {
    let fields = Fields::open(node, "calendar", notes)?;
    let zone = slo::time_zone(&fields, notes)?;
    let start = match fields.get("startTime") {
        Some(_) => {
            let read = |text: &str| instant::time_of_day(text, zone).map(|_| text.to_string());
            Some(fields.parse("startTime", notes, read)?)
        }
        None => None,
    };
    Some(Calendar { time_zone: zone.name().to_string(), start })
}

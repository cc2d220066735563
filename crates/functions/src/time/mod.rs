//! DataFusion's time functions, so that text with an offset and epoch numbers are instants in every session, and zoneless text is
//! in the session's time zone.
//!
//! DataFusion's own read such text in UTC where they make a zoneless time of it, refuse columns of text, and take epoch numbers
//! for times of the session's clock. Ours have their names, call them, and are planned with the session's time zone; what is
//! planned carries the zone in its types.

mod in_zone;
mod instants;
mod set_clock;
mod to_date;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::functions::datetime;
use datafusion::logical_expr::ScalarUDF;

use in_zone::InZone;
use set_clock::SetClock;
use to_date::ToDate;

/// The time functions of a session in this time zone. `now` is the instant at which its clock stands still; `None` if it goes on.
pub fn times(time_zone: &str, now: Option<DateTime<Utc>>) -> Vec<Arc<ScalarUDF>> {
    let zone: Arc<str> = time_zone.into();
    let mut all = vec![
        InZone::function(datetime::date_trunc(), &zone, &[1]),
        InZone::function(datetime::date_part(), &zone, &[1]),
        InZone::function(datetime::date_bin(), &zone, &[1, 2]),
        InZone::function(datetime::to_char(), &zone, &[0]),
        InZone::function(datetime::to_local_time(), &zone, &[0]),
        InZone::with_dates(datetime::to_unixtime(), &zone),
        ScalarUDF::clone(&to_date(&zone)),
    ];
    all.extend(instants::all(&zone));
    let clocks = [
        datetime::now::NowFunc::new_with_config(&instants::in_zone(&zone)).into(),
        datetime::current_date::CurrentDateFunc::new().into(),
        datetime::current_time::CurrentTimeFunc::new().into(),
    ];
    all.extend(clocks.map(|clock: ScalarUDF| match now {
        Some(now) => ScalarUDF::new_from_impl(SetClock::new(clock, now)),
        None => clock,
    }));
    all.into_iter().map(Arc::new).collect()
}

/// The day of a text, a time or a number of days on the calendar of this zone.
pub fn to_date(zone: &Arc<str>) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(ToDate::new(zone)))
}

/// The zone whose calendar a `to_date` of ours takes days from; `None` for any other function.
pub fn zone_of_to_date(function: &ScalarUDF) -> Option<&str> {
    function.inner().downcast_ref::<ToDate>().map(ToDate::zone)
}

//! Which incidents there are: the demo's story, drawn from the seed.
//!
//! Incidents are drawn per block of 30 days, counted back from the end, so that a longer history adds older
//! incidents and changes none. In each block every service has one or two small ones of its own, and a few
//! large ones have a place of their own each. On top comes one bad week of `login`: a release of `/token` that
//! hangs, tried again and again.

use super::catalog::{Business, main_endpoints, services};
use super::incident::{Incident, Kind};
use super::rhythm::weekday;
use super::rng::Rng;
use super::{DAY, HOUR, MINUTE, Spec, stream};

const BLOCK_DAYS: u32 = 30;

/// Rollouts in the worst week of `login`: (day of the week, hour in UTC), when people work.
const ROLLOUTS: [(i64, i64); 5] = [(1, 2), (1, 7), (2, 3), (3, 6), (4, 5)];

/// The incidents of a history, by their start.
pub fn incidents(spec: &Spec) -> Vec<Incident> {
    let mut incidents = Vec::new();
    for block in 0..i64::from(spec.days.div_ceil(BLOCK_DAYS)) {
        let from = spec.end - (block + 1) * i64::from(BLOCK_DAYS) * DAY;
        for (index, (business, service)) in services().into_iter().enumerate() {
            let rng = Rng::of(spec.seed, [stream::STORY, block, index as i64]);
            small(&mut Draw { rng, from, incidents: &mut incidents }, business, service);
        }
        let rng = Rng::of(spec.seed, [stream::STORY, block, -1]);
        large(&mut Draw { rng, from, incidents: &mut incidents }, block);
    }
    let (from, _) = worst_login_week(spec);
    let rng = Rng::of(spec.seed, [stream::WORST_WEEK, 0, 0]);
    worst_week(&mut Draw { rng, from, incidents: &mut incidents });

    incidents.retain(|incident| incident.started >= spec.start() && incident.ended <= spec.end);
    incidents.sort_by(|a, b| (a.started, &a.services).cmp(&(b.started, &b.services)));
    for (number, incident) in incidents.iter_mut().enumerate() {
        incident.id = format!("INC-{:04}", number + 1);
    }
    incidents
}

/// The week, Monday to Monday in UTC, in which `login` was worst: about two and a half weeks before the end
/// (the middle of a history shorter than that), over by the last days of any history of three weeks.
pub fn worst_login_week(spec: &Spec) -> (i64, i64) {
    let anchor = spec.end - i64::from(spec.days / 2).min(17) * DAY;
    let day = anchor - anchor.rem_euclid(DAY);
    let monday = day - weekday(day) * DAY;
    (monday, monday + 7 * DAY)
}

/// When something tends to happen. Local time is UTC+8.
#[derive(Clone, Copy)]
enum When {
    /// Any day, but not in the small hours: who would notice?
    Any,
    /// When customers come.
    Evening,
    /// On weekdays, when people change things.
    Work,
}

/// Where incidents are drawn to: a block of days that begins at `from`.
struct Draw<'a> {
    rng: Rng,
    from: i64,
    incidents: &'a mut Vec<Incident>,
}

/// Minutes (shortest, longest), share of requests that fail (least, most), slowing.
type Size = ((f64, f64), (f64, f64), f64);

impl Draw<'_> {
    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.rng.below(from.len())]
    }

    fn start(&mut self, when: When) -> i64 {
        let day = self.from + self.rng.below(BLOCK_DAYS as usize) as i64 * DAY;
        let past_friday = (weekday(day) - 4).max(0);
        let (day, from, to) = match when {
            When::Any => (day, 0.0, 20.0),
            When::Evening => (day, 11.0, 14.0),
            When::Work => (day - past_friday * DAY, 2.0, 10.0),
        };
        let seconds = self.rng.between(from, to) * 3600.0;
        day + seconds as i64 * nines_timeline::MICROS
    }

    /// Adds an incident on one service or several.
    fn add(
        &mut self,
        kind: Kind,
        when: When,
        business: Business,
        services: &[&'static str],
        size: Size,
    ) -> &mut Incident {
        let started = self.start(when);
        self.add_at(started, kind, business, services, size)
    }

    fn add_at(
        &mut self,
        started: i64,
        kind: Kind,
        business: Business,
        services: &[&'static str],
        ((shortest, longest), (least, most), slowing): Size,
    ) -> &mut Incident {
        let rng = &mut self.rng;
        let seconds = |minutes: f64| (minutes * 60.0) as i64 * nines_timeline::MICROS;
        let length = seconds(rng.log_between(shortest, longest));
        let detected = started + seconds(rng.between(1.0, 6.0)).min(length / 3);
        let located = detected + ((started + length - detected) as f64 * rng.between(0.3, 0.8)) as i64;
        let ended = started + length;
        let incident = Incident {
            id: String::new(),
            business: business.name(),
            services: services.to_vec(),
            endpoint: "",
            customer: "",
            kind,
            severity: if services.len() > 1 {
                1
            } else if length > 20 * MINUTE {
                2
            } else {
                3
            },
            started,
            detected,
            located: located - located.rem_euclid(nines_timeline::MICROS),
            ended,
            verified: ended + seconds(rng.between(5.0, 30.0)),
            share: rng.between(least, most),
            slowing,
        };
        self.incidents.push(incident);
        let last = self.incidents.len() - 1;
        &mut self.incidents[last]
    }
}

/// One or two of a service's own, over within twenty minutes.
fn small(draw: &mut Draw, business: Business, service: &'static str) {
    for _ in 0..1 + draw.rng.below(2) {
        let chance = draw.rng.unit();
        if service == "gateway" && chance < 0.7 {
            draw.add(Kind::AuthFailure, When::Any, business, &[service], ((2.0, 8.0), (0.1, 0.4), 1.0));
        } else if chance < 0.55 {
            let endpoint = draw.pick(&main_endpoints(service));
            draw.add(Kind::BadDeploy, When::Work, business, &[service], ((3.0, 18.0), (0.25, 0.6), 1.3)).endpoint =
                endpoint;
        } else if chance < 0.85 {
            draw.add(Kind::Crash, When::Any, business, &[service], ((2.0, 6.0), (0.1, 0.5), 1.1));
        } else {
            draw.add(Kind::Flapping, When::Any, business, &[service], ((6.0, 18.0), (0.08, 0.3), 1.0));
        }
    }
}

/// The ones that people remember.
fn large(draw: &mut Draw, block: i64) {
    use Business::{Chat, Media, Shop};
    let (business, victims) = match block % 2 {
        0 => (Shop, ["payment", "cart", "商城结算"]),
        _ => (Chat, ["messages", "profile", "notifications"]),
    };
    draw.add(Kind::DatabaseOutage, When::Evening, business, &victims, ((28.0, 55.0), (0.35, 0.7), 2.5));
    draw.add(Kind::AuthFailure, When::Evening, Media, &["gateway"], ((10.0, 25.0), (0.3, 0.6), 1.0));

    let (business, service, endpoint) = draw.pick(&[
        (Chat, "profile", "/avatar"),
        (Media, "playback", "/play"),
        (Shop, "cart", "/cart"),
        (Shop, "search", "/search"),
    ]);
    let size = ((25.0, 170.0), (0.08, 0.3), 1.0);
    draw.add(Kind::RouteMisconfigured, When::Work, business, &[service], size).endpoint = endpoint;
    if block % 2 == 0 {
        draw.add(Kind::BodyLimit, When::Work, Media, &["upload"], ((20.0, 60.0), (0.05, 0.2), 1.0)).endpoint = "/part";
    }

    for _ in 0..2 {
        let (business, service) =
            draw.pick(&[(Shop, "search"), (Shop, "payment"), (Chat, "messages"), (Media, "upload")]);
        let slowing = draw.rng.between(1.8, 3.5);
        draw.add(Kind::Slowdown, When::Any, business, &[service], ((50.0, 170.0), (0.0, 0.0), slowing));
    }
    let (business, service) = draw.pick(&[(Chat, "notifications"), (Media, "playback"), (Shop, "search")]);
    draw.add(Kind::Flapping, When::Evening, business, &[service], ((25.0, 60.0), (0.15, 0.4), 1.2));
    let storm = draw.add(Kind::RateLimitStorm, When::Any, Media, &["gateway"], ((20.0, 60.0), (2.0, 5.0), 1.0));
    (storm.endpoint, storm.customer) = ("/v1/invoke", "nova");
}

/// Five rollouts of the same release.
fn worst_week(draw: &mut Draw) {
    for (day, hour) in ROLLOUTS {
        let started = draw.from + day * DAY + hour * HOUR + draw.rng.below(3600) as i64 * nines_timeline::MICROS;
        let size = ((32.0, 75.0), (0.3, 0.55), 1.6);
        let incident = draw.add_at(started, Kind::BadDeploy, Business::Chat, &["login"], size);
        (incident.endpoint, incident.severity) = ("/token", 1);
    }
}

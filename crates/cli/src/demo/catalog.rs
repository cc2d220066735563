//! Who serves what: the businesses, services and endpoints of the demo, and their everyday traffic.
//!
//! Every number here describes an ordinary day; what goes wrong is in [`super::incidents`]. Rates are chosen
//! so that a healthy minute stays above 99 % good: errors come from incidents, not from noise.

/// A part of the company. Its customers decide when it is busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Business {
    Chat,
    Media,
    Shop,
}

impl Business {
    pub(super) const ALL: [Business; 3] = [Business::Chat, Business::Media, Business::Shop];

    pub(super) fn name(self) -> &'static str {
        match self {
            Business::Chat => "chat",
            Business::Media => "media",
            Business::Shop => "shop",
        }
    }
}

/// Answers that are neither plain successes nor the background of server errors: a part of all requests.
pub(super) struct Share {
    pub status: i32,
    pub cause: &'static str,
    pub rate: f64,
}

/// Who an agreement is with, or a class of users.
pub(super) struct Customer {
    pub name: &'static str,
    /// Part of the endpoint's traffic.
    pub part: f64,
    /// Times as long as usual that requests take.
    pub slowing: f64,
}

/// An endpoint on an ordinary day.
pub(super) struct Endpoint {
    pub business: Business,
    pub service: &'static str,
    pub path: &'static str,
    pub customers: &'static [Customer],
    /// Requests a minute in the busiest hour.
    pub peak: f64,
    /// Status of a success.
    pub ok: i32,
    /// Background errors, in parts of all requests; half the cause-less 500s of a bug, half timeouts upstream.
    pub errors: f64,
    /// Median latency in seconds at the end of the history, and the standard deviation of its logarithm.
    pub latency: (f64, f64),
    /// Times as long as 30 days later that requests take, where somebody works on it.
    pub quickening: f64,
    pub shares: &'static [Share],
}

const fn share(status: i32, cause: &'static str, rate: f64) -> Share {
    Share { status, cause, rate }
}

const fn customer(name: &'static str, part: f64) -> Customer {
    Customer { name, part, slowing: 1.0 }
}

const NOBODY: &[Customer] = &[customer("", 1.0)];
const TENANTS: &[Customer] = &[customer("acme", 0.55), customer("nova", 0.3), customer("华北医疗", 0.15)];
/// VIPs are told apart, and answered by machines that are less busy.
const VIPS: &[Customer] = &[customer("", 0.92), Customer { name: "vip", part: 0.08, slowing: 0.75 }];

const RACE: Share = share(502, "keepalive_race", 0.000_04);

/// One line per endpoint, so that the whole company fits on a screen.
#[rustfmt::skip]
pub(super) const ENDPOINTS: &[Endpoint] = {
    use Business::{Chat, Media, Shop};
    &[
        Endpoint { customers: VIPS,
            ..endpoint(Chat, "login", "/login", 850.0, 200, 0.000_15, (0.120, 0.45),
                &[share(302, "", 0.06), share(401, "", 0.035), share(429, "rate_limited", 0.000_3), RACE]) },
        endpoint(Chat, "login", "/logout", 90.0, 204, 0.000_05, (0.025, 0.40), &[]),
        endpoint(Chat, "login", "/token", 1_900.0, 200, 0.000_10, (0.045, 0.50),
            &[share(401, "", 0.008), share(429, "rate_limited", 0.000_2), RACE]),
        endpoint(Chat, "messages", "/history", 1_300.0, 200, 0.000_10, (0.070, 0.55),
            &[share(404, "", 0.000_5), share(499, "client_abort", 0.000_2)]),
        endpoint(Chat, "messages", "/send", 3_600.0, 200, 0.000_05, (0.035, 0.50), &[share(400, "", 0.001), RACE]),
        endpoint(Chat, "notifications", "/push", 1_500.0, 202, 0.000_08, (0.018, 0.40), &[RACE]),
        endpoint(Chat, "profile", "/avatar", 420.0, 200, 0.000_10, (0.030, 0.60),
            &[share(304, "", 0.35), share(404, "", 0.001)]),
        Endpoint { customers: VIPS,
            ..endpoint(Chat, "profile", "/profile", 640.0, 200, 0.000_12, (0.055, 0.45),
                &[share(403, "", 0.000_4), share(504, "auth_timeout", 0.000_05)]) },
        Endpoint { customers: TENANTS,
            ..endpoint(Media, "gateway", "/v1/batch", 70.0, 202, 0.000_02, (0.240, 0.55), &[]) },
        Endpoint { customers: TENANTS,
            ..endpoint(Media, "gateway", "/v1/invoke", 760.0, 200, 0.000_05, (0.060, 0.50),
                &[share(400, "", 0.000_8), share(429, "rate_limited", 0.000_6), RACE]) },
        Endpoint { quickening: 1.05,
            ..endpoint(Media, "playback", "/play", 1_150.0, 200, 0.000_10, (0.090, 0.60),
                &[share(304, "", 0.12), share(404, "", 0.004), share(499, "client_abort", 0.000_9), RACE]) },
        endpoint(Media, "transcode", "/jobs", 4.0, 201, 0.0, (0.900, 0.60), &[share(400, "", 0.004)]),
        endpoint(Media, "upload", "/part", 480.0, 201, 0.000_10, (0.450, 0.60),
            &[share(499, "client_abort", 0.003), RACE]),
        endpoint(Media, "upload", "/upload", 60.0, 201, 0.000_05, (0.800, 0.60),
            &[share(400, "", 0.002), share(499, "client_abort", 0.004)]),
        endpoint(Shop, "cart", "/cart", 900.0, 200, 0.000_12, (0.050, 0.45),
            &[share(404, "", 0.000_6), share(504, "auth_timeout", 0.000_04), RACE]),
        endpoint(Shop, "payment", "/pay", 310.0, 200, 0.000_10, (0.380, 0.40), &[share(402, "", 0.02)]),
        endpoint(Shop, "payment", "/refund", 9.0, 200, 0.0, (0.520, 0.45), &[share(409, "", 0.01)]),
        endpoint(Shop, "search", "/search", 1_700.0, 200, 0.000_15, (0.110, 0.60),
            &[share(400, "", 0.002), share(429, "rate_limited", 0.000_4), share(499, "client_abort", 0.000_3), RACE]),
        endpoint(Shop, "商城结算", "/报价", 380.0, 200, 0.000_08, (0.085, 0.45), &[share(422, "", 0.001)]),
        endpoint(Shop, "商城结算", "/结算", 240.0, 201, 0.000_08, (0.210, 0.45), &[share(409, "", 0.004), RACE]),
    ]
};

#[expect(clippy::too_many_arguments, reason = "one line of a table")]
const fn endpoint(
    business: Business,
    service: &'static str,
    path: &'static str,
    peak: f64,
    ok: i32,
    errors: f64,
    latency: (f64, f64),
    shares: &'static [Share],
) -> Endpoint {
    Endpoint { business, service, path, customers: NOBODY, peak, ok, errors, latency, quickening: 1.0, shares }
}

/// A business event: something a user wanted, and whether it came about.
pub(super) struct Event {
    pub business: Business,
    pub service: &'static str,
    pub name: &'static str,
    /// Events a minute in the busiest hour.
    pub peak: f64,
    /// Part that fails on an ordinary day.
    pub failing: f64,
}

#[rustfmt::skip]
pub(super) const EVENTS: &[Event] = &[
    Event { business: Business::Chat, service: "login", name: "authentication", peak: 820.0, failing: 0.002 },
    Event { business: Business::Chat, service: "messages", name: "message delivered", peak: 3_500.0, failing: 0.000_3 },
    Event { business: Business::Media, service: "upload", name: "upload completed", peak: 55.0, failing: 0.002 },
    Event { business: Business::Shop, service: "商城结算", name: "order placed", peak: 225.0, failing: 0.002 },
];

/// The services, each once, with their businesses.
pub(super) fn services() -> Vec<(Business, &'static str)> {
    let mut services: Vec<_> = ENDPOINTS.iter().map(|e| (e.business, e.service)).collect();
    services.dedup();
    services
}

/// The endpoints of a service that carry enough of its traffic for their failure to be the service's.
pub(super) fn main_endpoints(service: &str) -> Vec<&'static str> {
    let of_service = || ENDPOINTS.iter().filter(|e| e.service == service);
    let busiest = of_service().map(|e| e.peak).fold(0.0, f64::max);
    of_service().filter(|e| e.peak * 5.0 >= busiest).map(|e| e.path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_in_key_order_and_customers_add_up() {
        assert!(ENDPOINTS.is_sorted_by_key(|e| (e.business.name(), e.service, e.path)));
        assert!(EVENTS.is_sorted_by_key(|e| (e.business.name(), e.service, e.name)));
        for e in ENDPOINTS {
            assert!(e.customers.is_sorted_by_key(|c| c.name));
            assert!((e.customers.iter().map(|c| c.part).sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn three_businesses_run_twelve_services() {
        assert_eq!(services().len(), 12);
        for business in Business::ALL {
            assert_eq!(services().iter().filter(|(b, _)| *b == business).count(), 4);
        }
        assert_eq!(main_endpoints("payment"), ["/pay"]);
        assert_eq!(main_endpoints("login"), ["/login", "/token"]);
    }
}

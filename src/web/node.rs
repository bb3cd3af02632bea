//! One running instance: what its handlers and workers share.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use governor::DefaultKeyedRateLimiter;
use prometheus::{Gauge, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry};

use super::door::{self, Doors};
use super::ready::Ready;
use crate::config::Settings;
use crate::db::Db;
use crate::kernel::{Clock, Instant, Seal};

/// One running instance of the service.
pub struct Node {
    pub settings: Settings,
    pub db: Db,
    pub clock: Clock,
    pub seal: Seal,
    pub metrics: Metrics,
    leaving: AtomicBool,
    pub(super) limiter: Option<DefaultKeyedRateLimiter<IpAddr>>,
    pub(super) ready: Ready,
    pub(super) doors: Doors,
}

/// What is counted, for `/metrics`.
pub struct Metrics {
    pub registry: Registry,
    pub(super) requests: IntCounterVec,
    pub(super) seconds: HistogramVec,
    /// Letters whose outcome this node wrote down, by outcome.
    pub deliveries: IntCounterVec,
    /// Deliveries that wait, by urgency.
    pub waiting: IntGaugeVec,
    /// Letters of dispatches settled a second, over the last minute.
    pub rate: Gauge,
    /// How many seconds what waits takes at that rate; not a number while nothing goes.
    pub seconds_left: Gauge,
}

impl Metrics {
    /// Fresh counters.
    ///
    /// # Errors
    /// When two carry the same name.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let requests = IntCounterVec::new(
            Opts::new("skala_http_requests_total", "Answered requests, by route, method and status."),
            &["route", "method", "status"],
        )?;
        let seconds = HistogramVec::new(
            HistogramOpts::new("skala_http_request_seconds", "How long answers took, in seconds, by route.")
                .buckets(vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0]),
            &["route"],
        )?;
        let deliveries = IntCounterVec::new(
            Opts::new("skala_deliveries_total", "Letters whose outcome this node wrote down, by outcome."),
            &["outcome"],
        )?;
        let waiting = IntGaugeVec::new(
            Opts::new("skala_deliveries_waiting", "Letters that wait, by urgency: personal, digest, bulk, paused."),
            &["urgency"],
        )?;
        let rate = Gauge::new("skala_dispatch_rate", "Letters of dispatches settled a second, over the last minute.")?;
        let seconds_left =
            Gauge::new("skala_dispatch_seconds_left", "How many seconds what waits takes at that rate.")?;
        registry.register(Box::new(waiting.clone()))?;
        registry.register(Box::new(rate.clone()))?;
        registry.register(Box::new(seconds_left.clone()))?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(seconds.clone()))?;
        registry.register(Box::new(deliveries.clone()))?;
        Ok(Self { registry, requests, seconds, deliveries, waiting, rate, seconds_left })
    }
}

impl Node {
    /// An instance over an opened database.
    ///
    /// # Errors
    /// When the counters cannot be set up.
    pub fn new(settings: Settings, db: Db, clock: Clock, seal: Seal) -> Result<Self, prometheus::Error> {
        // A client may save up two seconds' worth, so that a page with its parts is no burst.
        let limiter = settings.rate_limit.map(|rate| {
            let burst = rate.saturating_mul(std::num::NonZeroU32::MIN.saturating_add(1));
            governor::RateLimiter::keyed(governor::Quota::per_second(rate).allow_burst(burst))
        });
        let (metrics, leaving) = (Metrics::new()?, AtomicBool::new(false));
        let (ready, doors) = (Ready::default(), door::doors());
        Ok(Self { settings, db, clock, seal, metrics, leaving, limiter, ready, doors })
    }

    /// From now on the node says that it is about to stop: it still answers, but wants no more requests.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    /// Whether it is about to stop.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// This moment.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The full address of a path of this service.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.settings.public_url)
    }
}

//! The only source of "now". Rules take the moment as an argument, so that a test can stand at a
//! deadline to the second.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use chrono_tz::Europe::Copenhagen;

/// A moment in UTC, cut to whole microseconds: the precision both databases keep.
pub type Instant = DateTime<Utc>;

/// Where the service takes the time from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's own clock.
    #[default]
    System,
    /// A clock that stands still until it is moved: microseconds since 1970.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `at` until it is moved.
    #[must_use]
    pub fn standing_at(at: Instant) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(at.timestamp_micros())))
    }

    /// This moment.
    #[must_use]
    pub fn now(&self) -> Instant {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
            Self::System => {
                let now = Utc::now();
                now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now)
            }
            Self::Manual(micros) => DateTime::from_timestamp_micros(micros.load(Ordering::SeqCst)).unwrap_or_default(),
        }
    }

    /// Moves a manual clock forward; the machine's own clock cannot be moved and stays as it is.
    pub fn advance(&self, by: TimeDelta) {
        if let Self::Manual(micros) = self {
            let by = by.num_microseconds().unwrap_or_default();
            micros.fetch_add(by, Ordering::SeqCst);
        }
    }
}

/// The same moment on Danish clocks.
#[must_use]
pub fn copenhagen(at: Instant) -> DateTime<chrono_tz::Tz> {
    at.with_timezone(&Copenhagen)
}

/// A moment as a Dane writes it, with its zone: `23-11-2026 kl. 12.00 (dansk tid)`.
#[must_use]
pub fn copenhagen_text(at: Instant) -> crate::kernel::Text {
    let local = copenhagen(at);
    crate::kernel::Text {
        da: format!("{} (dansk tid)", local.format("%d-%m-%Y kl. %H.%M")),
        en: format!("{} (Danish time)", local.format("%d %B %Y at %H:%M")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_shown_on_danish_clocks_in_summer_and_winter() {
        let noon_utc = |text: &str| text.parse::<Instant>().unwrap();
        assert_eq!(copenhagen_text(noon_utc("2026-07-01T12:00:00Z")).da, "01-07-2026 kl. 14.00 (dansk tid)");
        assert_eq!(copenhagen_text(noon_utc("2026-12-01T12:00:00Z")).en, "01 December 2026 at 13:00 (Danish time)");
    }

    #[test]
    fn a_manual_clock_stands_still_until_it_is_moved() {
        let clock = Clock::standing_at("2026-11-22T08:00:00Z".parse().unwrap());
        assert_eq!(clock.now(), clock.now());
        clock.advance(TimeDelta::hours(1));
        assert_eq!(clock.now().to_rfc3339(), "2026-11-22T09:00:00+00:00");
    }
}

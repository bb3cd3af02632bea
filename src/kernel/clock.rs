//! The only source of "now". Rules take the moment as an argument, so that a test can stand at a
//! deadline to the second.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::offset::LocalResult;
use chrono::{DateTime, DurationRound, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::Europe::Copenhagen;
use chrono_tz::{OffsetComponents, Tz};

use super::{Text, text};

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

/// A moment as a Dane writes it, with its zone: `23-11-2026 kl. 12.00 (dansk tid)`. In the hour that Danish clocks show
/// twice it says which of the two is meant; seconds are shown where there are any.
#[must_use]
pub fn copenhagen_text(at: Instant) -> Text {
    let local = copenhagen(at);
    let (da, en) = if at.timestamp() % 60 == 0 { ("%H.%M", "%H:%M") } else { ("%H.%M.%S", "%H:%M:%S") };
    let Text { da: zone_da, en: zone_en } = zone(&local);
    Text {
        da: format!("{} ({zone_da})", local.format(&format!("%d-%m-%Y kl. {da}"))),
        en: format!("{} ({zone_en})", local.format(&format!("%d %B %Y at {en}"))),
    }
}

/// From one moment to another, the day named once where it is one.
#[must_use]
pub fn copenhagen_span(from: Instant, to: Instant) -> Text {
    let (begins, ends) = (copenhagen(from), copenhagen(to));
    let both_plain =
        [&begins, &ends].iter().all(|at| is_shown_once(at)) && from.timestamp() % 60 + to.timestamp() % 60 == 0;
    if begins.date_naive() != ends.date_naive() || !both_plain {
        let (Text { da, en }, until) = (copenhagen_text(from), copenhagen_text(to));
        return Text { da: format!("{da} til {}", until.da), en: format!("{en} to {}", until.en) };
    }
    Text {
        da: format!("{}–{} (dansk tid)", begins.format("%d-%m-%Y kl. %H.%M"), ends.format("%H.%M")),
        en: format!("{}–{} (Danish time)", begins.format("%d %B %Y at %H:%M"), ends.format("%H:%M")),
    }
}

/// A day, as people write it.
#[must_use]
pub fn day_text(day: NaiveDate) -> Text {
    Text { da: day.format("%d-%m-%Y").to_string(), en: day.format("%d %B %Y").to_string() }
}

/// Whether Danish clocks show this moment's hour and minute once that day.
fn is_shown_once(local: &DateTime<Tz>) -> bool {
    matches!(Copenhagen.from_local_datetime(&local.naive_local()), LocalResult::Single(_))
}

fn zone(local: &DateTime<Tz>) -> Text {
    if is_shown_once(local) {
        text!("dansk tid", "Danish time")
    } else if local.offset().dst_offset() > TimeDelta::zero() {
        text!("dansk sommertid", "Danish summer time")
    } else {
        text!("dansk normaltid", "Danish standard time")
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
    fn in_the_hour_that_clocks_show_twice_the_words_say_which_is_meant() {
        let da = |text: &str| copenhagen_text(text.parse().unwrap()).da;
        assert_eq!(da("2026-10-25T00:30:00Z"), "25-10-2026 kl. 02.30 (dansk sommertid)");
        assert_eq!(da("2026-10-25T01:30:00Z"), "25-10-2026 kl. 02.30 (dansk normaltid)");
        // In spring the clocks jump from 02.00 to 03.00: no moment is shown as 02.30.
        assert_eq!(da("2027-03-28T00:59:59Z"), "28-03-2027 kl. 01.59.59 (dansk tid)");
        assert_eq!(da("2027-03-28T01:00:00Z"), "28-03-2027 kl. 03.00 (dansk tid)");
    }

    #[test]
    fn a_span_names_its_day_once() {
        let at = |text: &str| text.parse::<Instant>().unwrap();
        let span = |from, to| copenhagen_span(at(from), at(to)).da;
        assert_eq!(span("2027-01-12T09:00:00Z", "2027-01-12T12:00:00Z"), "12-01-2027 kl. 10.00–13.00 (dansk tid)");
        assert_eq!(
            span("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
            "25-10-2026 kl. 02.30 (dansk sommertid) til 25-10-2026 kl. 02.30 (dansk normaltid)"
        );
    }

    proptest::proptest! {
        #[test]
        fn two_moments_are_never_written_alike_around_the_changes_of_the_clock(
            change in proptest::sample::select(vec!["2026-10-25T01:00:00Z", "2027-03-28T01:00:00Z", "2027-10-31T01:00:00Z"]),
            one in -20_000_i64..20_000,
            other in -20_000_i64..20_000,
        ) {
            let at = |seconds| copenhagen_text(change.parse::<Instant>().unwrap() + TimeDelta::seconds(seconds));
            proptest::prop_assert_eq!(at(one) == at(other), one == other);
        }
    }

    #[test]
    fn a_manual_clock_stands_still_until_it_is_moved() {
        let clock = Clock::standing_at("2026-11-22T08:00:00Z".parse().unwrap());
        assert_eq!(clock.now(), clock.now());
        clock.advance(TimeDelta::hours(1));
        assert_eq!(clock.now().to_rfc3339(), "2026-11-22T09:00:00+00:00");
    }
}

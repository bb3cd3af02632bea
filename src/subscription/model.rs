//! What a subscription is, and when it is due.

mod filter;
mod hint;
mod why;

pub use filter::{Filter, Names, Notice, words_of};
pub use hint::{Hint, HintKind, hints};
pub use why::{Reason, Why};

use chrono::{Datelike, Days, NaiveTime, TimeDelta, TimeZone, Weekday};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{Email, Fitting, Flaws, Id, Instant, Language, Text, copenhagen, text};

/// When letters come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Frequency {
    /// With every notice.
    #[default]
    Immediate,
    /// Together, at 07:00 Danish time.
    Daily,
    /// Together, on Mondays at 07:00 Danish time.
    Weekly,
}

impl Frequency {
    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
        }
    }

    /// The frequency of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Immediate, Self::Daily, Self::Weekly].into_iter().find(|frequency| frequency.word() == word)
    }

    /// In words.
    #[must_use]
    pub fn words(self) -> Text {
        match self {
            Self::Immediate => text!("med det samme", "at once"),
            Self::Daily => text!("samlet, hver dag kl. 7", "together, daily at 7"),
            Self::Weekly => text!("samlet, mandag kl. 7", "together, Mondays at 7"),
        }
    }

    /// When the next digest goes, strictly after `now`; none for letters that go at once.
    ///
    /// 07:00 on Danish clocks exists once on every day of the year: the clocks change between 02:00 and 03:00.
    #[must_use]
    pub fn next_digest(self, now: Instant) -> Option<Instant> {
        let today = copenhagen(now).date_naive();
        let is_day = |day: &chrono::NaiveDate| match self {
            Self::Immediate => false,
            Self::Daily => true,
            Self::Weekly => day.weekday() == Weekday::Mon,
        };
        let seven = NaiveTime::from_hms_opt(7, 0, 0)?;
        (0..=7)
            .filter_map(|ahead| today.checked_add_days(Days::new(ahead)))
            .filter(is_day)
            .filter_map(|day| chrono_tz::Europe::Copenhagen.from_local_datetime(&day.and_time(seven)).earliest())
            .map(|at| at.to_utc())
            .find(|at| *at > now)
    }

    /// When something is told that was published at `now`: at once if the frequency says so or a date falls before
    /// the next digest; otherwise with that digest.
    #[must_use]
    pub fn due(self, now: Instant, next_date: Option<Instant>) -> Option<Instant> {
        self.next_digest(now).filter(|digest| next_date.is_none_or(|date| date > *digest + TimeDelta::hours(1)))
    }
}

/// What was agreed to, when, and by which way it came; the proof that the letters are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    pub text: String,
    pub at: Instant,
    pub source: String,
}

/// How far a subscription has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Unconfirmed,
    Confirmed { confirmed_at: Instant },
    Unsubscribed { unsubscribed_at: Instant },
}

impl State {
    /// The word that stands in the database.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unconfirmed => "unconfirmed",
            Self::Confirmed { .. } => "confirmed",
            Self::Unsubscribed { .. } => "unsubscribed",
        }
    }
}

/// What its owner can set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"language": "da", "frequency": "daily", "filter": {"cpv": ["33000000"], "nuts": ["DK03"], "themes": [], "process_ids": [], "text": "fald, natligt tilsyn"}}))]
pub struct SubscriptionBody {
    /// Danish when left out.
    #[serde(default)]
    pub language: Language,
    /// At once when left out.
    #[serde(default)]
    pub frequency: Frequency,
    /// Everything when left out.
    #[serde(default)]
    pub filter: Filter,
}

impl Fitting for SubscriptionBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        self.filter.fit_at("/filter", flaws);
    }
}

/// A subscription.
#[derive(Clone, Debug)]
pub struct Subscription {
    pub id: Id<Subscription>,
    pub email: Email,
    pub body: SubscriptionBody,
    pub state: State,
    pub consent: Consent,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub version: i64,
}

impl Subscription {
    /// Whether letters go out by it.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        matches!(self.state, State::Confirmed { .. })
    }

    /// The same subscription in another state.
    #[must_use]
    pub fn in_state(self, state: State, now: Instant) -> Self {
        Self { state, updated_at: now, version: self.version + 1, ..self }
    }
}

/// What a subscriber agrees to.
#[must_use]
pub fn consent_text() -> Text {
    text!(
        "Jeg vil have mail fra Skala om markedsdialoger, der passer til mit filter. Jeg kan altid framelde mig med ét \
         klik eller få mine oplysninger slettet.",
        "I want mail from Skala about market dialogues that match my filter. I can unsubscribe with one click or have \
         my data erased at any time."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn a_digest_goes_at_seven_on_danish_clocks_in_summer_and_winter() {
        let daily = |now| Frequency::Daily.next_digest(at(now)).unwrap();
        assert_eq!(daily("2026-11-22T05:59:59Z"), at("2026-11-22T06:00:00Z"));
        assert_eq!(daily("2026-11-22T06:00:00Z"), at("2026-11-23T06:00:00Z"));
        assert_eq!(daily("2026-07-01T04:00:00Z"), at("2026-07-01T05:00:00Z"));
        // The night in which the clocks go forward, and the night in which they go back.
        assert_eq!(daily("2027-03-27T12:00:00Z"), at("2027-03-28T05:00:00Z"));
        assert_eq!(daily("2026-10-24T12:00:00Z"), at("2026-10-25T06:00:00Z"));
    }

    #[test]
    fn a_weekly_digest_goes_on_mondays() {
        let weekly = |now| Frequency::Weekly.next_digest(at(now)).unwrap();
        assert_eq!(weekly("2026-11-22T12:00:00Z"), at("2026-11-23T06:00:00Z"));
        assert_eq!(weekly("2026-11-23T06:00:00Z"), at("2026-11-30T06:00:00Z"));
        assert_eq!(Frequency::Immediate.next_digest(at("2026-11-23T06:00:00Z")), None);
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_clock_says_the_next_digest_lies_ahead_and_within_its_week(second in 0_i64..4_000_000_000) {
            let now = chrono::DateTime::from_timestamp(second, 0).unwrap();
            for (frequency, days) in [(Frequency::Daily, 1), (Frequency::Weekly, 7)] {
                let next = frequency.next_digest(now).unwrap();
                // A day is an hour longer when the clocks go back.
                proptest::prop_assert!(next > now && next <= now + TimeDelta::days(days) + TimeDelta::hours(1));
                proptest::prop_assert!(frequency.next_digest(next).unwrap() > next);
            }
        }
    }

    #[test]
    fn a_date_before_the_next_digest_goes_at_once() {
        let now = at("2026-11-24T12:00:00Z");
        assert_eq!(Frequency::Weekly.due(now, Some(at("2026-11-27T11:00:00Z"))), None);
        assert_eq!(Frequency::Daily.due(now, Some(at("2026-11-27T11:00:00Z"))), Some(at("2026-11-25T06:00:00Z")));
        assert_eq!(Frequency::Weekly.due(now, None), Some(at("2026-11-30T06:00:00Z")));
    }
}

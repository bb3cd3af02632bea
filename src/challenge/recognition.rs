//! "Det har vi også": how far a body goes with a challenge, from recognising it to being bound.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{Fitting, Flaws, Id, Instant, Money, OrganisationId, Quantity, Text, text};

/// How far a body has committed itself, from out to bound: `withdrawn` takes no part any more; `recognises` and
/// `interested` bind to nothing; `intends` binds morally, not financially; `option` gives a right but no duty to buy,
/// under the cap; `committed` is bound to buy. `GET /commitment-levels` says it in the reader's language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Withdrawn,
    Recognises,
    Interested,
    Intends,
    Option,
    Committed,
}

impl Level {
    /// All of them, from out to bound.
    pub const ALL: [Self; 6] =
        [Self::Withdrawn, Self::Recognises, Self::Interested, Self::Intends, Self::Option, Self::Committed];

    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Withdrawn => "withdrawn",
            Self::Recognises => "recognises",
            Self::Interested => "interested",
            Self::Intends => "intends",
            Self::Option => "option",
            Self::Committed => "committed",
        }
    }

    /// The level of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.word() == word)
    }

    /// What it binds a body to.
    #[must_use]
    pub fn meaning(self) -> Text {
        match self {
            Self::Withdrawn => text!("Er ikke længere med", "Takes no part any more"),
            Self::Recognises => text!(
                "Har samme udfordring og siger det med egne tal; forpligter til intet",
                "Has the same challenge and says so with its own figures; binds to nothing"
            ),
            Self::Interested => text!(
                "Vil gerne høre og tale med; forpligter til intet",
                "Wants to hear and take part in the talk; binds to nothing"
            ),
            Self::Intends => text!(
                "Har til hensigt at gå med, som i en hensigtserklæring; forpligter moralsk, ikke økonomisk",
                "Intends to join, as in a letter of intent; binds morally, not financially"
            ),
            Self::Option => text!(
                "Har en ret, men ingen pligt, til at købe inden for loftet",
                "Has a right but no duty to buy, under the cap"
            ),
            Self::Committed => text!("Er bundet til at købe", "Is bound to buy"),
        }
    }

    /// Whether figures that were said on a lower level may be counted on this one when two bodies become one. From
    /// `intends` on a level binds: there only what was said on it counts.
    #[must_use]
    pub fn takes_in(self, lower: Self) -> bool {
        lower == self || (lower > Self::Withdrawn && self < Self::Intends)
    }
}

/// What another body says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"level": "recognises", "volume": {"quantity": 400, "unit": "plejeboliger"}, "hours_saved_per_year": 2100, "note": "Vi går fem runder."}))]
pub struct RecognitionBody {
    pub level: Level,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Quantity>,
    /// Further volumes, in other units or years; at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, max_items = 20)]
    pub volumes: Vec<Quantity>,
    /// What it is worth a year, in the prices of the year in which it was said; a rate, as hours saved a year are. A figure
    /// for one year stands in `volumes`, with that year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annual_value: Option<Money>,
    /// 0 to 100,000,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 100_000_000)]
    pub hours_saved_per_year: Option<f64>,
    /// At most 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub note: Option<String>,
}

impl Fitting for RecognitionBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        Quantity::check_all(&mut self.volume, &mut self.volumes, flaws);
        if let Some(value) = self.annual_value {
            value.check("/annual_value", flaws);
        }
        if let Some(hours) = self.hours_saved_per_year {
            flaws.number("/hours_saved_per_year", hours, 0.0, 1e8);
        }
        if let Some(note) = &mut self.note {
            flaws.kept_prose("/note", note, 0, 2000);
        }
    }
}

impl RecognitionBody {
    /// Whether it says how much there is.
    #[must_use]
    pub fn has_volume(&self) -> bool {
        self.volume.iter().chain(&self.volumes).any(|volume| volume.quantity > 0.0)
            || self.annual_value.is_some_and(|value| value.amount > 0)
            || self.hours_saved_per_year.is_some_and(|hours| hours > 0.0)
    }

    /// What two bodies said, said by the one that follows both; `last` was said last.
    ///
    /// They told of different places, so their figures add up, by unit and year; of values in two currencies the one that
    /// was said last stands. The higher level stands. From `intends` on a level binds, and a body is
    /// bound to no more than was said on that level: figures of a lower one are left out, and stay in the history.
    #[must_use]
    pub fn together(first: Self, last: Self) -> Self {
        let level = first.level.max(last.level);
        let (first, last) = match (level.takes_in(first.level), level.takes_in(last.level)) {
            (true, true) => (first, last),
            (true, false) => return first,
            _ => return last,
        };
        let quantities = first.volume.into_iter().chain(first.volumes).chain(last.volume).chain(last.volumes);
        let (volume, volumes) = Quantity::together(quantities);
        Self {
            level,
            volume,
            volumes,
            annual_value: Money::together(first.annual_value, last.annual_value),
            hours_saved_per_year: match (first.hours_saved_per_year, last.hours_saved_per_year) {
                (Some(one), Some(other)) => Some(one + other),
                (one, other) => other.or(one),
            },
            note: match (first.note, last.note) {
                (Some(one), Some(other)) => Some(format!("{one}\n{other}")),
                (one, other) => other.or(one),
            },
        }
    }
}

/// A body's word on another body's challenge.
#[derive(Clone, Debug)]
pub struct Recognition {
    pub id: Id<Recognition>,
    pub organisation_id: OrganisationId,
    pub organisation: String,
    pub body: RecognitionBody,
    pub said_by: String,
    pub said_at: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(level: Level, beds: f64, unit: &str) -> RecognitionBody {
        let volume = Some(Quantity { quantity: beds, unit: unit.into(), year: None });
        let hours_saved_per_year = Some(beds);
        RecognitionBody { level, volume, volumes: Vec::new(), annual_value: None, hours_saved_per_year, note: None }
    }

    fn beds(said: &RecognitionBody) -> f64 {
        said.volume.as_ref().unwrap().quantity
    }

    #[test]
    fn two_bodies_that_said_the_same_say_it_together_with_both_figures() {
        let both =
            RecognitionBody::together(said(Level::Recognises, 400.0, "senge"), said(Level::Recognises, 100.0, "Senge"));
        assert_eq!((both.level, beds(&both), both.hours_saved_per_year), (Level::Recognises, 500.0, Some(500.0)));
        let apart =
            RecognitionBody::together(said(Level::Recognises, 400.0, "senge"), said(Level::Recognises, 7.0, "huse"));
        assert_eq!(
            (beds(&apart), apart.volumes[0].unit.as_str()),
            (400.0, "huse"),
            "beds and houses stand side by side"
        );
    }

    #[test]
    fn nobody_is_bound_to_more_than_was_said_on_that_level() {
        let bound =
            RecognitionBody::together(said(Level::Committed, 400.0, "senge"), said(Level::Interested, 100.0, "senge"));
        assert_eq!((bound.level, beds(&bound)), (Level::Committed, 400.0));
        let unbound =
            RecognitionBody::together(said(Level::Recognises, 400.0, "senge"), said(Level::Interested, 100.0, "senge"));
        assert_eq!((unbound.level, beds(&unbound)), (Level::Interested, 500.0));
        let out =
            RecognitionBody::together(said(Level::Withdrawn, 400.0, "senge"), said(Level::Recognises, 100.0, "senge"));
        assert_eq!((out.level, beds(&out)), (Level::Recognises, 100.0));
    }
}

//! What is told of a need, and where it stands.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::challenge::Challenge;
use crate::kernel::{Email, Fitting, Flaws, Id, Instant, Language, OrganisationId, Text, figure, fold, text};

/// How much anybody may tell at an open door, in characters.
pub const MOST_WORDS: usize = 4000;
/// Weeks in a year, as the criteria reckon.
const WEEKS: f64 = 52.0;

/// What a number of times is counted over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    #[default]
    Day,
    Week,
    Month,
}

impl Per {
    /// For people.
    #[must_use]
    pub fn words(self) -> Text {
        match self {
            Self::Day => text!("om dagen", "a day"),
            Self::Week => text!("om ugen", "a week"),
            Self::Month => text!("om måneden", "a month"),
        }
    }
}

/// How often it happens, and what it takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"times": 4.0, "per": "day", "minutes": 10.0, "people": 2}))]
pub struct HowOften {
    /// 0.01 to 1,000.
    #[schema(minimum = 0.01, maximum = 1000)]
    pub times: f64,
    pub per: Per,
    /// Minutes each time and person, 0 to 1,440.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1440)]
    pub minutes: Option<f64>,
    /// How many of the staff it takes each time, 1 to 10,000; 1 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 10_000)]
    pub people: Option<u32>,
}

impl HowOften {
    /// Records what is out of bounds below `/how_often`.
    pub fn check(&self, flaws: &mut Flaws) {
        flaws.number("/how_often/times", self.times, 0.01, 1000.0);
        if let Some(minutes) = self.minutes {
            flaws.number("/how_often/minutes", minutes, 0.0, 1440.0);
        }
        if let Some(people) = self.people {
            flaws.number("/how_often/people", f64::from(people), 1.0, 10_000.0);
        }
    }

    /// Hours of work a year: what happens in a day happens on all seven days of the week; `None` unless minutes are told.
    #[must_use]
    pub fn hours_per_year(&self) -> Option<f64> {
        let a_year = match self.per {
            Per::Day => 7.0 * WEEKS,
            Per::Week => WEEKS,
            Per::Month => 12.0,
        };
        Some(self.times * a_year * self.minutes? / 60.0 * f64::from(self.people.unwrap_or(1)))
    }

    /// For people: "4 gange om dagen, 10 minutter, 2 personer".
    #[must_use]
    pub fn words(&self) -> Text {
        let (per, times) = (self.per.words(), figure(self.times));
        let gang = if self.times > 1.0 { text!("gange", "times") } else { text!("gang", "time") };
        let mut words = Text {
            da: format!("{} {} {}", times.da, gang.da, per.da),
            en: format!("{} {} {}", times.en, gang.en, per.en),
        };
        let mut add = |number: Text, unit: Text| {
            words.da.push_str(&format!(", {} {}", number.da, unit.da));
            words.en.push_str(&format!(", {} {}", number.en, unit.en));
        };
        match self.minutes {
            Some(minutes) if minutes > 1.0 => add(figure(minutes), text!("minutter", "minutes")),
            Some(minutes) => add(figure(minutes), text!("minut", "minute")),
            None => {}
        }
        match self.people {
            Some(1) => add(figure(1), text!("person", "person")),
            Some(people) => add(figure(people), text!("personer", "people")),
            None => {}
        }
        words
    }
}

/// A need, as somebody tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NeedTold, example = json!({"what": "Vi går fire runder hver nat, og de fleste sover. Mange vågner, når døren går.",
    "how_often": {"times": 4.0, "per": "day", "minutes": 10.0, "people": 2}, "who": "patienter, nattevagter",
    "today": "Vi lister og bruger lommelygte.", "department": "Kirurgisk afdeling"}))]
pub struct Told {
    /// What happens; 1 to 4,000 characters, with `who` and `today` together. No markup, no CPR number.
    #[schema(min_length = 1, max_length = 4000)]
    pub what: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how_often: Option<HowOften>,
    /// Whom it troubles; at most 500 characters.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub who: String,
    /// What is done about it today; at most 4,000 characters.
    #[serde(default)]
    #[schema(max_length = 4000)]
    pub today: String,
    /// Where; at most 120 characters.
    #[serde(default)]
    #[schema(max_length = 120)]
    pub department: String,
}

impl Fitting for Told {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.open_prose("/what", &mut self.what, 1, MOST_WORDS);
        flaws.open_prose("/who", &mut self.who, 0, 500);
        flaws.open_prose("/today", &mut self.today, 0, MOST_WORDS);
        flaws.line("/department", &mut self.department, 0, 120);
        if let Some(how_often) = &self.how_often {
            how_often.check(flaws);
        }
        let length: usize = [&self.what, &self.who, &self.today].iter().map(|words| words.chars().count()).sum();
        if flaws.0.is_empty() && length > MOST_WORDS {
            let detail = text!(
                "Højst {MOST_WORDS} tegn i alt; her er {length}",
                "At most {MOST_WORDS} characters altogether; there are {length}"
            );
            flaws.add("/what", "too_long", detail);
        }
    }
}

impl Told {
    /// All its words.
    #[must_use]
    pub fn words(&self) -> String {
        [self.what.as_str(), &self.who, &self.today].join("\n")
    }

    /// What stays when its sender wants the words gone: figures and department, which count and tell of nobody.
    #[must_use]
    pub fn without_words(self) -> Self {
        Self { what: "(slettet af afsenderen)".to_owned(), who: String::new(), today: String::new(), ..self }
    }
}

/// Where a need stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    New,
    Seen,
    Gathered { challenge_id: Id<Challenge> },
    Answered { answer: String },
    SetAside { reason: String },
}

impl State {
    /// The word that stands in the database.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Seen => "seen",
            Self::Gathered { .. } => "gathered",
            Self::Answered { .. } => "answered",
            Self::SetAside { .. } => "set_aside",
        }
    }

    /// For people.
    #[must_use]
    pub fn name(&self) -> Text {
        match self {
            Self::New => text!("modtaget", "received"),
            Self::Seen => text!("set", "seen"),
            Self::Gathered { .. } => text!("samlet i en udfordring", "gathered into a challenge"),
            Self::Answered { .. } => text!("besvaret", "answered"),
            Self::SetAside { .. } => text!("lagt til side", "set aside"),
        }
    }

    /// Whether it waits for the body.
    #[must_use]
    pub fn waits(&self) -> bool {
        matches!(self, Self::New | Self::Seen)
    }
}

/// A deed that the need's state does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfOrder {
    pub is: State,
}

/// A need.
#[derive(Clone, Debug, PartialEq)]
pub struct Need {
    pub id: Id<Need>,
    pub inbox_id: Id<Inbox>,
    pub organisation_id: OrganisationId,
    pub told: Told,
    pub state: State,
    pub state_at: Instant,
    /// Who brought it there; empty while it is new.
    pub state_by: String,
    /// The public process that its sender was told of.
    pub process_id: Option<String>,
    /// Whether other departments and bodies may see its words.
    pub shared: bool,
    pub email: Option<Email>,
    pub language: Language,
    pub left_at: Instant,
    pub version: i64,
}

impl Need {
    /// Whether others may say that they have it too: it is shared, and neither answered nor set aside.
    #[must_use]
    pub fn is_offered(&self) -> bool {
        self.shared && !matches!(self.state, State::Answered { .. } | State::SetAside { .. })
    }

    /// Moves one that waits into another state.
    ///
    /// # Errors
    /// [`OutOfOrder`] for one that is gathered, answered or set aside already.
    pub fn settle(self, state: State, by: &str, now: Instant) -> Result<Self, OutOfOrder> {
        if self.state.waits() { Ok(self.step(state, by, now)) } else { Err(OutOfOrder { is: self.state }) }
    }

    /// Somebody looked at it, or takes it up again.
    #[must_use]
    pub fn see(self, by: &str, now: Instant) -> Self {
        self.step(State::Seen, by, now)
    }

    fn step(self, state: State, by: &str, now: Instant) -> Self {
        Self { state, state_at: now, state_by: by.to_owned(), version: self.version + 1, ..self }
    }
}

/// Another department or body that has the need too.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = NeedRecognition)]
pub struct Recognition {
    #[schema(value_type = String, format = "uuid")]
    pub id: Id<Recognition>,
    #[schema(value_type = String, format = "uuid")]
    pub organisation_id: OrganisationId,
    pub organisation: String,
    /// Empty for a body as a whole.
    pub department: String,
    #[schema(required, nullable)]
    pub how_often: Option<HowOften>,
    pub note: String,
    pub said_at: DateTime<Utc>,
}

/// What a body tells of an inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NeedsInboxBody, example = json!({"title": "Behov på natten", "asks": "Hvad koster jer tid om natten?", "language": "da", "address": "natbehov", "open": true}))]
pub struct InboxBody {
    /// 1 to 120 characters.
    #[schema(min_length = 1, max_length = 120)]
    pub title: String,
    /// What it asks for; 1 to 2,000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    pub asks: String,
    /// The language of its page and letters; Danish when left out.
    #[serde(default)]
    pub language: Language,
    /// The last part of its address: 3 to 40 small letters, digits and hyphens; one that nobody guesses when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 3, max_length = 40, pattern = "^[a-z0-9-]+$")]
    pub address: Option<String>,
    /// Whether needs are taken; true when left out.
    #[serde(default = "open")]
    #[schema(default = true)]
    pub open: bool,
}

fn open() -> bool {
    true
}

impl Fitting for InboxBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.line("/title", &mut self.title, 1, 120);
        flaws.kept_prose("/asks", &mut self.asks, 1, 2000);
        if let Some(address) = &mut self.address {
            flaws.line("/address", address, 3, 40);
            if !address.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
                let detail = text!("Små bogstaver a–z, cifre og bindestreg", "Small letters a–z, digits and hyphens");
                flaws.add("/address", "not_an_address", detail);
            }
        }
    }
}

/// Where a body's staff leave needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbox {
    pub id: Id<Inbox>,
    pub organisation_id: OrganisationId,
    pub address: String,
    pub title: String,
    pub asks: String,
    pub language: Language,
    pub open: bool,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub version: i64,
}

impl Inbox {
    /// What was told of it.
    #[must_use]
    pub fn body(&self) -> InboxBody {
        InboxBody {
            title: self.title.clone(),
            asks: self.asks.clone(),
            language: self.language,
            address: Some(self.address.clone()),
            open: self.open,
        }
    }
}

/// Departments are the same whatever the letter case and spacing.
#[must_use]
pub fn department_key(department: &str) -> String {
    fold(department).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Fit;

    #[test]
    fn hours_are_times_and_minutes_and_people_over_the_year() {
        let often = |per, minutes| HowOften { times: 3.0, per, minutes, people: Some(2) };
        assert_eq!(often(Per::Day, Some(10.0)).hours_per_year(), Some(3.0 * 364.0 * 10.0 / 60.0 * 2.0));
        assert_eq!(often(Per::Week, Some(60.0)).hours_per_year(), Some(312.0));
        assert_eq!(often(Per::Month, Some(30.0)).hours_per_year(), Some(36.0));
        assert_eq!(often(Per::Day, None).hours_per_year(), None);
    }

    #[test]
    fn how_often_is_said_as_people_say_it() {
        let often = |times, minutes, people| HowOften { times, per: Per::Week, minutes, people };
        assert_eq!(often(2.5, Some(90.0), Some(2)).words().da, "2,5 gange om ugen, 90 minutter, 2 personer");
        assert_eq!(often(1.0, Some(1.0), Some(1)).words().da, "1 gang om ugen, 1 minut, 1 person");
        assert_eq!(often(1.0, None, None).words().en, "1 time a week");
    }

    #[test]
    fn four_thousand_characters_altogether_and_not_one_more() {
        let told = |what: usize, today: usize| Told {
            what: "ø".repeat(what),
            how_often: None,
            who: String::new(),
            today: "å".repeat(today),
            department: String::new(),
        };
        assert!(Fit::check(told(2000, 2000)).is_ok());
        let flaws = Fit::check(told(2000, 2001)).unwrap_err();
        assert_eq!(
            flaws.0.iter().map(|flaw| (flaw.pointer.as_str(), flaw.code)).collect::<Vec<_>>(),
            [("/what", "too_long")]
        );
    }
}

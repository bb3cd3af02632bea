//! The notice: what the market is told.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Event;
use crate::kernel::{Fitting, Flaws, Instant, Language, OrganisationId, fold, text};

/// What kind of purchase may follow (udbudsloven § 24).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Nature {
    Works,
    Supplies,
    Services,
}

/// Whom suppliers write to: a line of words, or a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(as = NoticeContact)]
pub enum Contact {
    /// At most 300 characters.
    Words(String),
    Person(Person),
}

/// Somebody to write to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DialogueContact)]
pub struct Person {
    pub name: String,
    pub email: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

impl Contact {
    /// As one line.
    #[must_use]
    pub fn line(&self) -> String {
        match self {
            Self::Words(words) => words.clone(),
            Self::Person(Person { name, email, phone: None }) => format!("{name}, {email}"),
            Self::Person(Person { name, email, phone: Some(phone) }) => format!("{name}, {email}, {phone}"),
        }
    }

    fn fit(&mut self, flaws: &mut Flaws) {
        match self {
            Self::Words(words) => flaws.line("/contact", words, 1, 300),
            Self::Person(person) => {
                flaws.line("/contact/name", &mut person.name, 1, 200);
                flaws.email("/contact/email", &mut person.email);
                if let Some(phone) = &mut person.phone {
                    flaws.line("/contact/phone", phone, 1, 50);
                }
            }
        }
    }
}

/// Material that suppliers should read, kept elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DialogueDocument)]
pub struct Document {
    /// 1 to 200 characters.
    pub title: String,
    pub url: String,
    /// SHA-256 of its content, 64 hexadecimal digits (`sha256sum FILE`): shows that all read the same. Required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// How large it is, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub size: Option<i64>,
}

impl Document {
    /// By what a reader can tell that a copy is the same.
    #[must_use]
    pub fn proof(&self, language: Language) -> String {
        let hash = self.sha256.as_deref().unwrap_or_default();
        let size = self.size.map(|size| text!(", {size} byte", ", {size} bytes").to(language).to_owned());
        format!("SHA-256 {hash}{}", size.unwrap_or_default())
    }
}

/// What the market is told: the needs, the questions, the deadlines and the meetings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DialogueNotice, example = json!({
    "title": "Markedsdialog om natligt tilsyn uden forstyrrelse", "description": "Tre kommuner vil vide, hvordan ...",
    "nature": "supplies", "cpv": ["33195000"], "nuts": ["DK03"], "languages": ["da", "en"],
    "questions": ["Hvad kan løses i dag, og hvad mangler?"], "question_deadline": "2027-01-15T11:00:00Z",
    "answer_deadline": "2027-01-29T11:00:00Z", "contact": {"name": "Mette Holm", "email": "mette@odense.example"},
    "events": [{"kind": "conference", "title": "Leverandørkonference", "starts_at": "2027-01-12T09:00:00Z",
                "ends_at": "2027-01-12T12:00:00Z", "place": "Odense Rådhus", "seats": 80}]
}))]
pub struct Notice {
    /// 1 to 400 characters.
    #[schema(min_length = 1, max_length = 400)]
    pub title: String,
    /// 1 to 6,000 characters.
    #[schema(min_length = 1, max_length = 6000)]
    pub description: String,
    pub nature: Nature,
    /// CPV codes, the main one first.
    #[serde(default)]
    pub cpv: Vec<String>,
    /// Where (NUTS).
    #[serde(default)]
    pub nuts: Vec<String>,
    /// Themes beside those of the process's challenges, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub themes: Vec<String>,
    /// Languages that answers may be written in (ISO 639-1).
    #[serde(default)]
    pub languages: Vec<String>,
    /// What the market is asked; at most 50 questions of 2,000 characters.
    #[serde(default)]
    pub questions: Vec<String>,
    /// The last moment for answers; lies after publication and after the question deadline.
    pub answer_deadline: DateTime<Utc>,
    /// The last moment for asking; the answer deadline when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question_deadline: Option<DateTime<Utc>>,
    // No words of its own here: the spec would take them for an object and refuse a line of words.
    #[schema(inline)]
    pub contact: Contact,
    /// Who leads where several buy; required at publication when the process has two buyers or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub lead_buyer_id: Option<OrganisationId>,
    /// Meetings that suppliers can sign up to; at most 50.
    #[serde(default)]
    pub events: Vec<Event>,
    /// Material to read; at most 50 links.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<Document>,
}

impl Notice {
    /// The same notice with every event named: a known event keeps its id, by the id itself or by kind and title.
    #[must_use]
    pub fn with_event_ids(mut self, known: &[Event], now: Instant) -> Self {
        let mut left: Vec<&Event> = known.iter().collect();
        for event in &mut self.events {
            let place = match event.id {
                Some(id) => left.iter().position(|old| old.id == Some(id)),
                None => left.iter().position(|old| old.kind == event.kind && old.title == event.title),
            };
            let old = place.and_then(|place| left.swap_remove(place).id);
            event.id = old.or_else(|| Some(crate::kernel::Id::made_at(now)));
        }
        self
    }

    /// The first deadline or meeting that lies after `now`: what a reader must not learn of too late.
    #[must_use]
    pub fn next_date(&self, now: Instant) -> Option<Instant> {
        let dates = [Some(self.answer_deadline), self.question_deadline];
        let dates = dates.into_iter().flatten().chain(self.events.iter().map(|event| event.starts_at));
        dates.filter(|date| *date > now).min()
    }
}

impl Fitting for Notice {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.line("/title", &mut self.title, 1, 400);
        flaws.prose("/description", &mut self.description, 1, 6000);
        flaws.cpv_codes("/cpv", &mut self.cpv);
        flaws.nuts_codes("/nuts", &mut self.nuts);
        flaws.names("/themes", &mut self.themes, 20, 100);
        self.fit_languages(flaws);
        flaws.count("/questions", &self.questions, 0, 50);
        for (index, question) in self.questions.iter_mut().enumerate() {
            flaws.prose(&format!("/questions/{index}"), question, 1, 2000);
        }
        self.contact.fit(flaws);
        flaws.date("/answer_deadline", Some(self.answer_deadline.date_naive()));
        flaws.date("/question_deadline", self.question_deadline.map(|at| at.date_naive()));
        if self.question_deadline.is_some_and(|questions| questions >= self.answer_deadline) {
            flaws.add(
                "/answer_deadline",
                "not_after_question_deadline",
                text!(
                    "Svarfristen skal ligge efter spørgefristen",
                    "The answer deadline must lie after the question deadline"
                ),
            );
        }
        flaws.count("/events", &self.events, 0, 50);
        for (index, event) in self.events.iter_mut().enumerate() {
            event.fit(&format!("/events/{index}"), flaws);
        }
        flaws.count("/documents", &self.documents, 0, 50);
        for (index, document) in self.documents.iter_mut().enumerate() {
            document.fit(&format!("/documents/{index}"), flaws);
        }
    }
}

impl Notice {
    fn fit_languages(&mut self, flaws: &mut Flaws) {
        flaws.count("/languages", &self.languages, 0, 30);
        for (index, language) in self.languages.iter_mut().enumerate() {
            *language = language.trim().to_ascii_lowercase();
            if language.len() != 2 || !language.bytes().all(|b| b.is_ascii_lowercase()) {
                let detail = text!("Et sprog er to bogstaver, fx da", "A language is two letters, e.g. da");
                flaws.add(&format!("/languages/{index}"), "not_a_language", detail);
            }
        }
        let mut seen = std::collections::HashSet::new();
        self.languages.retain(|language| seen.insert(fold(language)));
    }
}

impl Document {
    fn fit(&mut self, pointer: &str, flaws: &mut Flaws) {
        flaws.line(&format!("{pointer}/title"), &mut self.title, 1, 200);
        flaws.url(&format!("{pointer}/url"), &mut self.url);
        let hash = self.sha256.get_or_insert_default();
        *hash = hash.trim().to_ascii_lowercase();
        if hash.is_empty() {
            let detail = text!(
                "Skriv dokumentets SHA-256 (sha256sum FIL), så alle kan se, at de læser det samme",
                "State the document's SHA-256 (sha256sum FILE), so that all can see that they read the same"
            );
            flaws.add(&format!("{pointer}/sha256"), "required", detail);
        } else {
            if hash.len() != 64 || !hash.bytes().all(|b| b.is_ascii_hexdigit()) {
                let detail = text!("En SHA-256 er 64 hexadecimale cifre", "A SHA-256 is 64 hexadecimal digits");
                flaws.add(&format!("{pointer}/sha256"), "not_a_hash", detail);
            }
        }
        if let Some(size) = self.size
            && !(0..=1_000_000_000_000).contains(&size)
        {
            let detail = text!("Størrelsen er i byte, fra 0", "The size is in bytes, from 0");
            flaws.add(&format!("{pointer}/size"), "out_of_range", detail);
        }
    }
}

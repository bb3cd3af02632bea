//! What a dialogue is, and what may become of it.

mod answer;
mod difference;
mod event;
mod notice;
mod question;

pub use answer::WrittenAnswer;
pub use difference::{Change, LeadBuyers, difference, event_line};
pub use event::{Event, EventKind, Signup, SignupState, moving_up};
pub use notice::{Contact, Document, Nature, Notice};
pub use question::{Question, QuestionState};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{Fit, Id, Instant, OrganisationId, Text, fold, text};
use crate::process::Process;

/// How far a dialogue has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Draft,
    /// Will be published by itself at a moment that lies ahead; until then it is a draft to everybody but staff.
    Scheduled,
    Published,
    Closed,
    Cancelled,
}

/// A state, with what belongs to it: a closed dialogue without a summary cannot be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Draft,
    Scheduled { publish_at: Instant },
    Published { published_at: Instant, number: i32 },
    Closed { published_at: Instant, number: i32, closed_at: Instant, summary: String },
    Cancelled { published: Option<(Instant, i32)>, cancelled_at: Instant, reason: String },
}

impl Status {
    /// Its word in the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Scheduled => "scheduled",
            Self::Published => "published",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl State {
    /// Its name alone.
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::Draft => Status::Draft,
            Self::Scheduled { .. } => Status::Scheduled,
            Self::Published { .. } => Status::Published,
            Self::Closed { .. } => Status::Closed,
            Self::Cancelled { .. } => Status::Cancelled,
        }
    }

    /// When the market first saw it, and its latest version; none for what it never saw.
    #[must_use]
    pub fn published(&self) -> Option<(Instant, i32)> {
        match self {
            Self::Draft | Self::Scheduled { .. } => None,
            Self::Published { published_at, number } | Self::Closed { published_at, number, .. } => {
                Some((*published_at, *number))
            }
            Self::Cancelled { published, .. } => *published,
        }
    }
}

/// A market dialogue.
#[derive(Clone, Debug)]
pub struct Dialogue {
    pub id: Id<Dialogue>,
    pub process_id: Id<Process>,
    pub notice: Notice,
    pub state: State,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub version: i64,
}

/// What a version tells: the needs, or how the dialogue ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VersionKind {
    Notice,
    Closing,
    Cancellation,
}

impl VersionKind {
    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Closing => "closing",
            Self::Cancellation => "cancellation",
        }
    }

    /// The kind of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Notice, Self::Closing, Self::Cancellation].into_iter().find(|kind| kind.word() == word)
    }
}

/// What the market saw from one moment on; never changed again.
#[derive(Clone, Debug)]
pub struct Version {
    pub id: Id<Version>,
    pub dialogue_id: Id<Dialogue>,
    /// 1, 2, 3 … within the dialogue.
    pub number: i32,
    pub kind: VersionKind,
    pub notice: Notice,
    /// Why it was changed or cancelled, or the summary that closed it; none for the first.
    pub words: Option<String>,
    pub published_at: Instant,
    pub published_by: String,
}

/// Why a deed cannot be done to a dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is in a state that this deed does not start from.
    OutOfOrder { from: Status, wanted: &'static str },
    /// The answer deadline is not after publication.
    DeadlinePassed,
    /// The moment for publishing does not lie ahead.
    NotAhead,
    /// Within its last second before publication nothing about it changes any more: on some node's clock, and before
    /// some reader's eyes, it may be public already.
    AboutToBePublished,
    /// A published notice is changed, and nobody says why.
    ReasonMissing,
    /// The change changes nothing.
    Unchanged,
}

/// How long before its publication a scheduled dialogue changes no more.
const LOCKED: TimeDelta = TimeDelta::seconds(1);

impl Dialogue {
    /// A draft.
    #[must_use]
    pub fn draft(process_id: Id<Process>, notice: Fit<Notice>, now: Instant) -> Self {
        let notice = notice.into_inner().with_event_ids(&[], now);
        let state = State::Draft;
        Self { id: Id::made_at(now), process_id, notice, state, created_at: now, updated_at: now, version: 1 }
    }

    /// Publishes a draft: from now on the market sees it, or from `publish_at` on. What is scheduled can be published
    /// at another moment, or at once.
    ///
    /// # Errors
    /// [`Refusal`] unless it is unseen, and its answer deadline lies after publication.
    pub fn publish(self, publish_at: Option<Instant>, now: Instant, by: &str) -> Result<(Self, Version), Refusal> {
        let (State::Draft | State::Scheduled { .. }) = self.state else { return Err(self.out_of_order("published")) };
        self.require_time_left(now)?;
        if publish_at.is_some_and(|at| at <= now) {
            return Err(Refusal::NotAhead);
        }
        let at = publish_at.unwrap_or(now);
        self.require_deadline_after(at)?;
        let state = match publish_at {
            Some(publish_at) => State::Scheduled { publish_at },
            None => State::Published { published_at: now, number: 1 },
        };
        let dialogue = self.in_state(state, now);
        let version = dialogue.new_version(1, VersionKind::Notice, None, at, by);
        Ok((dialogue, version))
    }

    /// Takes a scheduled publication back: a draft again.
    ///
    /// # Errors
    /// [`Refusal`] unless it is scheduled.
    pub fn unschedule(self, now: Instant) -> Result<Self, Refusal> {
        let State::Scheduled { .. } = self.state else { return Err(self.out_of_order("unscheduled")) };
        self.require_time_left(now)?;
        Ok(self.in_state(State::Draft, now))
    }

    /// Changes the notice: an unseen one as often as one likes, a published one by a new version that says why. What
    /// is scheduled gets its first version anew.
    ///
    /// # Errors
    /// [`Refusal`] for one that has ended, a change without a reason, or a deadline moved into the past.
    pub fn change(
        self,
        notice: Fit<Notice>,
        reason: Option<String>,
        now: Instant,
        by: &str,
    ) -> Result<(Self, Option<Version>), Refusal> {
        self.require_time_left(now)?;
        let notice = notice.into_inner().with_event_ids(&self.notice.events, now);
        let unchanged = notice == self.notice;
        let state = self.state.clone();
        let changed = Self { notice, ..self };
        match state {
            State::Draft => Ok((changed.in_state(state, now), None)),
            State::Scheduled { publish_at } => {
                changed.require_deadline_after(publish_at)?;
                let dialogue = changed.in_state(state, now);
                let version = dialogue.new_version(1, VersionKind::Notice, None, publish_at, by);
                Ok((dialogue, Some(version)))
            }
            State::Published { .. } if unchanged => Err(Refusal::Unchanged),
            State::Published { published_at, number } => {
                let (number, reason) = (number + 1, reason.ok_or(Refusal::ReasonMissing)?);
                changed.require_deadline_after(now)?;
                let dialogue = changed.in_state(State::Published { published_at, number }, now);
                let version = dialogue.new_version(number, VersionKind::Notice, Some(reason), now, by);
                Ok((dialogue, Some(version)))
            }
            State::Closed { .. } | State::Cancelled { .. } => Err(changed.out_of_order("changed")),
        }
    }

    /// Names another lead buyer of one that the market has not seen.
    #[must_use]
    pub fn led_by(self, lead: OrganisationId, now: Instant) -> Self {
        let (notice, state) = (Notice { lead_buyer_id: Some(lead), ..self.notice.clone() }, self.state.clone());
        Self { notice, ..self }.in_state(state, now)
    }

    /// Cancels it; the market is told why if it ever saw it.
    ///
    /// # Errors
    /// [`Refusal`] for one that has ended.
    pub fn cancel(self, reason: String, now: Instant, by: &str) -> Result<(Self, Option<Version>), Refusal> {
        self.require_time_left(now)?;
        let published = match self.state {
            State::Draft | State::Scheduled { .. } => None,
            State::Published { published_at, number } => Some((published_at, number + 1)),
            State::Closed { .. } | State::Cancelled { .. } => return Err(self.out_of_order("cancelled")),
        };
        let state = State::Cancelled { published, cancelled_at: now, reason: reason.clone() };
        let dialogue = self.in_state(state, now);
        let version =
            published.map(|(_, number)| dialogue.new_version(number, VersionKind::Cancellation, Some(reason), now, by));
        Ok((dialogue, version))
    }

    /// Closes a published one with the summary of what was heard.
    ///
    /// # Errors
    /// [`Refusal`] unless it is published.
    pub fn close(self, summary: String, now: Instant, by: &str) -> Result<(Self, Version), Refusal> {
        let State::Published { published_at, number } = self.state else { return Err(self.out_of_order("closed")) };
        let number = number + 1;
        let state = State::Closed { published_at, number, closed_at: now, summary: summary.clone() };
        let dialogue = self.in_state(state, now);
        let version = dialogue.new_version(number, VersionKind::Closing, Some(summary), now, by);
        Ok((dialogue, version))
    }

    /// Whether questions may be asked at `now`: it is published, and neither deadline has passed.
    #[must_use]
    pub fn takes_questions(&self, now: Instant) -> bool {
        let until = self.notice.question_deadline.unwrap_or(self.notice.answer_deadline);
        matches!(self.state, State::Published { .. }) && now <= until
    }

    fn in_state(self, state: State, now: Instant) -> Self {
        Self { state, updated_at: now, version: self.version + 1, ..self }
    }

    fn new_version(&self, number: i32, kind: VersionKind, words: Option<String>, at: Instant, by: &str) -> Version {
        Version {
            id: Id::made_at(at),
            dialogue_id: self.id,
            number,
            kind,
            notice: self.notice.clone(),
            words,
            published_at: at,
            published_by: by.to_owned(),
        }
    }

    fn require_deadline_after(&self, publication: Instant) -> Result<(), Refusal> {
        if self.notice.answer_deadline > publication { Ok(()) } else { Err(Refusal::DeadlinePassed) }
    }

    fn require_time_left(&self, now: Instant) -> Result<(), Refusal> {
        match self.state {
            State::Scheduled { publish_at } if publish_at - now < LOCKED => Err(Refusal::AboutToBePublished),
            _ => Ok(()),
        }
    }

    fn out_of_order(&self, wanted: &'static str) -> Refusal {
        Refusal::OutOfOrder { from: self.state.status(), wanted }
    }
}

/// How many companies take part: have a seat, wait for one, or answered; by CVR number or name.
#[must_use]
pub fn suppliers(signups: &[Signup], answers: &[WrittenAnswer]) -> usize {
    let signed_up = signups
        .iter()
        .filter(|one| matches!(one.state, SignupState::Confirmed | SignupState::Waiting))
        .map(|one| (&one.cvr, &one.company));
    let answered = answers.iter().map(|one| (&one.cvr, &one.company));
    let key = |(cvr, company): (&Option<String>, &String)| cvr.clone().unwrap_or_else(|| fold(company));
    signed_up.chain(answered).map(key).collect::<std::collections::HashSet<_>>().len()
}

/// The warning that goes with so few suppliers; none where two or more take part.
#[must_use]
pub fn few_suppliers(count: usize) -> Option<Text> {
    (count < 2).then(|| {
        text!(
            "Færre end to leverandører har tilmeldt sig eller svaret. Overvej, om markedet er hørt bredt nok.",
            "Fewer than two suppliers signed up or answered. Consider whether the market was heard widely enough."
        )
    })
}

/// Said with every notice (udbudsloven § 39: nobody gains or loses by a market dialogue).
#[must_use]
pub fn taking_part_is_free() -> Text {
    text!(
        "Der er ikke mødepligt: Det er ingen betingelse for at deltage i et senere udbud, at man har deltaget i \
         markedsdialogen, og deltagelse giver ingen fordel.",
        "Nobody has to attend: taking part in the market dialogue is no condition for taking part in a later tender, \
         and gives no advantage there."
    )
}

/// Said with every notice.
#[must_use]
pub fn nobody_is_bound() -> Text {
    text!(
        "Markedsdialogen forpligter ingen: Hverken de offentlige købere eller leverandørerne er bundet til at \
         gennemføre et udbud eller at afgive tilbud.",
        "The market dialogue binds nobody: neither the public buyers nor the suppliers are bound to hold a tender or \
         to submit one."
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::Language;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn notice() -> Notice {
        serde_json::from_value(serde_json::json!({
            "title": "Ro om natten", "description": "Natligt tilsyn uden at vække", "nature": "supplies",
            "answer_deadline": "2027-01-29T11:00:00Z", "question_deadline": "2027-01-15T11:00:00Z",
            "contact": "Mette Holm, mette@odense.example",
            "events": [{"kind": "conference", "title": "Leverandørkonference", "starts_at": "2027-01-12T09:00:00Z",
                        "ends_at": "2027-01-12T12:00:00Z", "seats": 2}]
        }))
        .unwrap()
    }

    fn draft() -> Dialogue {
        Dialogue::draft(Id::from_bytes([1; 16]), Fit::check(notice()).unwrap(), at("2026-11-22T08:00:00Z"))
    }

    fn later(title: &str) -> Fit<Notice> {
        Fit::check(Notice { title: title.into(), ..notice() }).unwrap()
    }

    const NOW: &str = "2026-11-23T08:00:00Z";

    #[test]
    fn the_answer_deadline_lies_after_publication_and_after_the_question_deadline() {
        assert!(draft().publish(None, at("2027-01-29T10:59:59Z"), "Mette").is_ok());
        assert_eq!(draft().publish(None, at("2027-01-29T11:00:00Z"), "Mette").unwrap_err(), Refusal::DeadlinePassed);
        let flaws = Fit::check(Notice { question_deadline: Some(at("2027-01-29T11:00:00Z")), ..notice() }).unwrap_err();
        assert_eq!(flaws.0[0].code, "not_after_question_deadline");
    }

    #[test]
    fn what_the_market_saw_changes_only_by_a_new_version_with_a_reason() {
        let (dialogue, none) = draft().change(later("Ny"), None, at(NOW), "Mette").unwrap();
        assert!(none.is_none(), "a draft changes freely");
        let (dialogue, first) = dialogue.publish(None, at(NOW), "Mette").unwrap();
        assert_eq!((first.number, first.kind, first.words), (1, VersionKind::Notice, None));
        let same = Fit::check(dialogue.notice.clone()).unwrap();
        assert_eq!(dialogue.clone().change(same, None, at(NOW), "").unwrap_err(), Refusal::Unchanged);
        assert_eq!(dialogue.clone().change(later("Nyere"), None, at(NOW), "").unwrap_err(), Refusal::ReasonMissing);
        let (dialogue, second) = dialogue.change(later("Nyere"), Some("Stavefejl".into()), at(NOW), "Mette").unwrap();
        let second = second.unwrap();
        assert_eq!((second.number, second.words.as_deref()), (2, Some("Stavefejl")));
        assert_eq!(dialogue.state.published().unwrap().1, 2);
    }

    #[test]
    fn an_event_keeps_its_name_through_changes() {
        let (dialogue, _) = draft().publish(None, at(NOW), "").unwrap();
        let id = dialogue.notice.events[0].id;
        assert!(id.is_some());
        let (dialogue, _) = dialogue.change(later("Ny"), Some("x".into()), at(NOW), "").unwrap();
        assert_eq!(dialogue.notice.events[0].id, id);
    }

    #[test]
    fn a_version_says_in_words_what_it_changed() {
        let new = Notice { title: "Ro hele natten".into(), answer_deadline: at("2027-02-05T11:00:00Z"), ..notice() };
        let changes = difference(&notice(), &new, &LeadBuyers::new());
        let fields: Vec<_> = changes.iter().map(|change| (change.field, change.after.to(Language::Da))).collect();
        assert_eq!(fields, [("title", "Ro hele natten"), ("answer_deadline", "05-02-2027 kl. 12.00 (dansk tid)")]);
    }

    #[test]
    fn a_scheduled_publication_is_moved_changed_and_taken_back_until_its_last_second() {
        let publish_at = at("2026-12-01T07:00:00Z");
        assert_eq!(draft().publish(Some(at(NOW)), at(NOW), "").unwrap_err(), Refusal::NotAhead);
        let after_deadline = Some(at("2027-01-29T11:00:00Z"));
        assert_eq!(draft().publish(after_deadline, at(NOW), "").unwrap_err(), Refusal::DeadlinePassed);
        let (dialogue, version) = draft().publish(Some(publish_at), at(NOW), "Mette").unwrap();
        assert_eq!((version.number, version.published_at), (1, publish_at));
        assert_eq!(dialogue.state.published(), None, "nobody has seen it");
        let (dialogue, again) = dialogue.change(later("Ny"), None, at(NOW), "Mette").unwrap();
        assert_eq!(again.map(|version| (version.number, version.published_at)), Some((1, publish_at)));
        let last_second = publish_at - TimeDelta::milliseconds(999);
        let refused = Refusal::AboutToBePublished;
        assert_eq!(dialogue.clone().change(later("x"), None, last_second, "").unwrap_err(), refused);
        assert_eq!(dialogue.clone().unschedule(last_second).unwrap_err(), refused);
        assert_eq!(dialogue.clone().cancel("x".into(), last_second, "").unwrap_err(), refused);
        let (moved, version) = dialogue.clone().publish(None, at(NOW), "").unwrap();
        assert_eq!((moved.state.status(), version.published_at), (Status::Published, at(NOW)));
        assert!(dialogue.clone().cancel("x".into(), at(NOW), "").unwrap().1.is_none(), "the market is told nothing");
        assert_eq!(dialogue.unschedule(at(NOW)).unwrap().state, State::Draft);
    }

    #[derive(Clone, Debug)]
    enum Deed {
        Publish,
        Change,
        Cancel,
        Close,
    }

    fn deeds() -> impl Strategy<Value = Vec<Deed>> {
        prop::collection::vec(
            prop_oneof![Just(Deed::Publish), Just(Deed::Change), Just(Deed::Cancel), Just(Deed::Close)],
            0..12,
        )
    }

    proptest! {
        #[test]
        fn versions_are_numbered_without_gaps_and_nothing_follows_an_end(deeds in deeds()) {
            let mut dialogue = draft();
            let mut versions: Vec<Version> = Vec::new();
            for (turn, deed) in deeds.into_iter().enumerate() {
                let before = dialogue.state.status();
                let now = at(NOW) + TimeDelta::seconds(i64::try_from(turn).unwrap());
                let current = dialogue.clone();
                let done = match deed {
                    Deed::Publish => current.publish(None, now, "x").map(|(d, v)| (d, Some(v))),
                    Deed::Change => current.change(later(&format!("Titel {turn}")), Some("x".into()), now, "x"),
                    Deed::Cancel => current.cancel("x".into(), now, "x"),
                    Deed::Close => current.close("x".into(), now, "x").map(|(d, v)| (d, Some(v))),
                };
                if let Ok((next, version)) = done {
                    prop_assert!(!matches!(before, Status::Closed | Status::Cancelled));
                    prop_assert_eq!(next.version, dialogue.version + 1);
                    versions.extend(version);
                    dialogue = next;
                }
            }
            let numbers: Vec<i32> = versions.iter().map(|version| version.number).collect();
            prop_assert_eq!(&numbers, &(1..=i32::try_from(numbers.len()).unwrap()).collect::<Vec<_>>());
            prop_assert_eq!(dialogue.state.published().map(|(_, number)| number), numbers.last().copied());
        }
    }
}

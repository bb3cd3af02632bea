//! Meetings, and who signed up to them.
//!
//! ```text
//! sign-up: unconfirmed ──link in the mail──▶ confirmed (has a seat) ──▶ cancelled
//!              │  holds a seat for an hour        ▲                        ▲
//!              └──────────────────────▶ waiting ──┘ when a seat comes free │
//!                                          └───────────────────────────────┘
//! ```

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Dialogue;
use crate::kernel::{Flaws, Id, Instant, Language, text};

/// The kinds of meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    InformationMeeting,
    Workshop,
    Conference,
    OneToOne,
}

/// A meeting of the dialogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DialogueEvent)]
pub struct Event {
    /// Given by the service; send it along in a change, so that the event keeps its sign-ups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub id: Option<Id<Event>>,
    pub kind: EventKind,
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub title: String,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    /// Where people meet; at most 300 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Where it can be joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// How many can take part, 1 to 10,000; no bound when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 10000)]
    pub seats: Option<i32>,
    /// One-to-one only: how long each company's talk lasts, 5 to 480 minutes. All get the same; the number of talks
    /// that fit is the number of seats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 5, maximum = 480)]
    pub slot_minutes: Option<i32>,
}

impl Event {
    /// How many can take part; none when there is no bound.
    #[must_use]
    pub fn capacity(&self) -> Option<usize> {
        match self.slot_minutes {
            Some(_) => Some(self.slots().len()),
            None => self.seats.map(|seats| usize::try_from(seats).unwrap_or(0)),
        }
    }

    /// When the equal talks of a one-to-one event begin; empty for other events.
    #[must_use]
    pub fn slots(&self) -> Vec<Instant> {
        let Some(length) = self.slot_minutes.filter(|minutes| *minutes > 0) else { return Vec::new() };
        let length = TimeDelta::minutes(i64::from(length));
        let most = self.seats.map_or(usize::MAX, |seats| usize::try_from(seats).unwrap_or(0));
        std::iter::successors(Some(self.starts_at), |start| Some(*start + length))
            .take_while(|start| *start + length <= self.ends_at)
            .take(most)
            .collect()
    }

    /// Whether nobody who comes has to know of the difference: everything but the number of seats is the same.
    #[must_use]
    pub fn meets_as(&self, other: &Event) -> bool {
        *self == Event { seats: self.seats, ..other.clone() }
    }

    pub(super) fn fit(&mut self, pointer: &str, flaws: &mut Flaws) {
        flaws.line(&format!("{pointer}/title"), &mut self.title, 1, 200);
        if let Some(place) = &mut self.place {
            flaws.line(&format!("{pointer}/place"), place, 1, 300);
        }
        if let Some(url) = &mut self.url {
            flaws.url(&format!("{pointer}/url"), url);
        }
        if let Some(seats) = self.seats {
            flaws.number(&format!("{pointer}/seats"), f64::from(seats), 1.0, 10_000.0);
        }
        flaws.date(&format!("{pointer}/starts_at"), Some(self.starts_at.date_naive()));
        flaws.date(&format!("{pointer}/ends_at"), Some(self.ends_at.date_naive()));
        let length = self.ends_at - self.starts_at;
        if length <= TimeDelta::zero() || length > TimeDelta::days(31) {
            let detail = text!(
                "Mødet skal slutte efter sin begyndelse og inden en måned",
                "The event must end after it begins, and within a month"
            );
            flaws.add(&format!("{pointer}/ends_at"), "not_after_start", detail);
        }
        if let Some(minutes) = self.slot_minutes {
            flaws.number(&format!("{pointer}/slot_minutes"), f64::from(minutes), 5.0, 480.0);
            if self.kind != EventKind::OneToOne || TimeDelta::minutes(i64::from(minutes)) > length {
                let detail = text!(
                    "Kun en-til-en-møder deles op, og mindst én samtale skal kunne nås",
                    "Only one-to-one events are divided, and at least one talk must fit"
                );
                flaws.add(&format!("{pointer}/slot_minutes"), "does_not_fit", detail);
            }
        }
    }
}

/// How far a sign-up has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignupState {
    /// The link in the mail was not used yet.
    Unconfirmed,
    /// Has a seat.
    Confirmed,
    /// On the waiting list, in the order of confirming.
    Waiting,
    Cancelled,
}

impl SignupState {
    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Unconfirmed => "unconfirmed",
            Self::Confirmed => "confirmed",
            Self::Waiting => "waiting",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Unconfirmed, Self::Confirmed, Self::Waiting, Self::Cancelled].into_iter().find(|s| s.word() == word)
    }
}

/// A company's sign-up to an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signup {
    pub id: Id<Signup>,
    pub event_id: Id<Event>,
    pub dialogue_id: Id<Dialogue>,
    pub company: String,
    pub cvr: Option<String>,
    pub name: String,
    pub email: String,
    pub language: Language,
    pub state: SignupState,
    /// Until when a seat is kept for somebody who has not confirmed; none without such a seat.
    pub held_until: Option<Instant>,
    /// One-to-one: when the talk begins.
    pub slot: Option<Instant>,
    pub signed_up_at: Instant,
    /// When it was confirmed: the order of the waiting list.
    pub confirmed_at: Option<Instant>,
}

/// How long a seat is kept for somebody who has not confirmed.
const HOLD: TimeDelta = TimeDelta::hours(1);

impl Signup {
    /// Whether it takes a seat at `now`.
    #[must_use]
    pub fn takes_seat(&self, now: Instant) -> bool {
        match self.state {
            SignupState::Confirmed => true,
            SignupState::Unconfirmed => self.held_until.is_some_and(|until| now < until),
            SignupState::Waiting | SignupState::Cancelled => false,
        }
    }

    /// The same sign-up, now that the event has changed: the third talk stays the third. Who had a talk that is no more
    /// waits for one.
    #[must_use]
    pub fn moved(self, old: &Event, new: &Event) -> Self {
        if new.slot_minutes.is_none() {
            return Self { slot: None, ..self };
        }
        let place = old.slots().iter().position(|slot| Some(*slot) == self.slot);
        let slot = place.and_then(|place| new.slots().get(place).copied());
        let state = match self.state {
            SignupState::Confirmed if slot.is_none() => SignupState::Waiting,
            state => state,
        };
        Self { state, slot, ..self }
    }

    /// Keeps a seat for an hour if one is free among the others.
    #[must_use]
    pub fn held(self, event: &Event, others: &[Signup], now: Instant) -> Self {
        match free_place(event, others, self.slot, now) {
            Some(slot) => Self { held_until: Some(now + HOLD), slot, ..self },
            None => Self { held_until: None, slot: None, ..self },
        }
    }

    /// Confirms it: a seat that was kept or is free is taken for good, otherwise the waiting list is joined.
    #[must_use]
    pub fn confirmed(self, event: &Event, others: &[Signup], now: Instant) -> Self {
        let wanted = self.slot;
        let slot = if self.takes_seat(now) { Some(wanted) } else { free_place(event, others, wanted, now) };
        let state = if slot.is_some() { SignupState::Confirmed } else { SignupState::Waiting };
        Self { state, slot: slot.flatten(), held_until: None, confirmed_at: Some(now), ..self }
    }
}

/// A free place among these sign-ups: the wanted slot or the first free one; `Some(None)` where places have no time.
fn free_place(event: &Event, others: &[Signup], wanted: Option<Instant>, now: Instant) -> Option<Option<Instant>> {
    let taken: Vec<&Signup> = others.iter().filter(|other| other.takes_seat(now)).collect();
    if event.slot_minutes.is_some() {
        let free: Vec<Instant> =
            event.slots().into_iter().filter(|slot| taken.iter().all(|other| other.slot != Some(*slot))).collect();
        let wanted = wanted.filter(|wanted| free.contains(wanted));
        return wanted.or_else(|| free.first().copied()).map(Some);
    }
    event.capacity().is_none_or(|seats| taken.len() < seats).then_some(None)
}

/// Who moves up from the waiting list, longest waiting first, now that places may be free.
#[must_use]
pub fn moving_up(event: &Event, all: &[Signup], now: Instant) -> Vec<Signup> {
    let mut all = all.to_vec();
    let mut waiting: Vec<Signup> = all.extract_if(.., |one| one.state == SignupState::Waiting).collect();
    waiting.sort_by_key(|one| (one.confirmed_at, one.id));
    let mut moved = Vec::new();
    for one in waiting {
        let Some(slot) = free_place(event, &all, one.slot, now) else { break };
        let up = Signup { state: SignupState::Confirmed, slot, ..one };
        all.push(up.clone());
        moved.push(up);
    }
    moved
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: &str = "2026-11-23T08:00:00Z";

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn conference() -> Event {
        serde_json::from_value(serde_json::json!({
            "kind": "conference", "title": "Leverandørkonference", "starts_at": "2027-01-12T09:00:00Z",
            "ends_at": "2027-01-12T12:00:00Z", "seats": 2
        }))
        .unwrap()
    }

    fn signup(number: u8) -> Signup {
        Signup {
            id: Id::from_bytes([number; 16]),
            event_id: Id::from_bytes([9; 16]),
            dialogue_id: Id::from_bytes([1; 16]),
            company: format!("Firma {number}"),
            cvr: None,
            name: "Ane".into(),
            email: format!("ane{number}@firma.dk"),
            language: Language::Da,
            state: SignupState::Unconfirmed,
            held_until: None,
            slot: None,
            signed_up_at: at(NOW),
            confirmed_at: None,
        }
    }

    #[test]
    fn a_kept_seat_is_given_away_after_an_hour_and_the_waiting_list_moves_up_in_order() {
        let event = Event { seats: Some(1), ..conference() };
        let now = at(NOW);
        let first = signup(1).held(&event, &[], now);
        let second = signup(2).held(&event, std::slice::from_ref(&first), now).confirmed(
            &event,
            std::slice::from_ref(&first),
            now,
        );
        assert_eq!(second.state, SignupState::Waiting, "the seat is kept for the first");
        let third = signup(3).confirmed(&event, std::slice::from_ref(&first), now + TimeDelta::minutes(1));
        let late = now + TimeDelta::hours(1);
        assert!(!first.takes_seat(late));
        let moved = moving_up(&event, &[first, third, second.clone()], late);
        assert_eq!(moved.iter().map(|one| one.id).collect::<Vec<_>>(), [second.id]);
    }

    #[test]
    fn talks_are_equal_and_each_is_taken_once() {
        let event = Event { kind: EventKind::OneToOne, seats: None, slot_minutes: Some(50), ..conference() };
        assert_eq!(event.slots().len(), 3);
        let first = signup(1).confirmed(&event, &[], at(NOW));
        let second = Signup { slot: first.slot, ..signup(2) }.confirmed(&event, std::slice::from_ref(&first), at(NOW));
        assert_ne!(first.slot, second.slot);
        assert!(second.slot.is_some());
    }

    #[test]
    fn when_the_talks_are_moved_each_keeps_its_place_and_none_is_taken_twice() {
        let event = Event { kind: EventKind::OneToOne, seats: None, slot_minutes: Some(50), ..conference() };
        let mut all: Vec<Signup> = Vec::new();
        for number in 1..=3 {
            all.push(signup(number).confirmed(&event, &all, at(NOW)));
        }
        let shorter =
            Event { starts_at: at("2027-01-13T09:00:00Z"), ends_at: at("2027-01-13T10:40:00Z"), ..event.clone() };
        assert!(!event.meets_as(&shorter) && event.meets_as(&Event { seats: Some(9), ..event.clone() }));
        let moved: Vec<Signup> = all.into_iter().map(|one| one.moved(&event, &shorter)).collect();
        let slots: Vec<_> = moved.iter().map(|one| one.slot).collect();
        assert_eq!(slots, [Some(at("2027-01-13T09:00:00Z")), Some(at("2027-01-13T09:50:00Z")), None]);
        assert_eq!(moved[2].state, SignupState::Waiting, "there is no third talk any more");
    }

    proptest! {
        #[test]
        fn seats_are_never_oversold(seats in 1_i32..5, steps in prop::collection::vec((0_u8..8, 0_u8..4, 0_i64..90), 0..60)) {
            let event = Event { seats: Some(seats), ..conference() };
            let mut all: Vec<Signup> = Vec::new();
            let mut now = at(NOW);
            for (who, what, minutes) in steps {
                now += TimeDelta::minutes(minutes);
                let (mine, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.id == signup(who).id);
                let mine = mine.into_iter().next();
                let next = match (what, mine) {
                    (0, None) => Some(signup(who).held(&event, &others, now)),
                    (1, Some(one)) if one.state == SignupState::Unconfirmed => Some(one.confirmed(&event, &others, now)),
                    (2, Some(one)) => Some(Signup { state: SignupState::Cancelled, held_until: None, ..one }),
                    (_, mine) => mine,
                };
                all = others.into_iter().chain(next).collect();
                for up in moving_up(&event, &all, now) {
                    all.retain(|one| one.id != up.id);
                    all.push(up);
                }
                let taken = all.iter().filter(|one| one.takes_seat(now)).count();
                prop_assert!(taken <= usize::try_from(seats).unwrap(), "{taken} of {seats}");
            }
        }
    }
}

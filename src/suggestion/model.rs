//! A suggestion and its states.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::challenge::Challenge;
use crate::criteria::Call;
use crate::kernel::{Email, Fitting, Flaws, Id, Instant, Language, OrganisationId, Text, text};

/// What somebody tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SuggestionTold, example = json!({"what": "Hjemmehjælpen kører forgæves, fordi borgeren er indlagt. Det sker hver dag.",
    "who": "hjemmehjælpere, borgere", "place": "Aarhus Kommune"}))]
pub struct Told {
    /// What the problem is; 1 to 4,000 characters. No markup, no CPR number.
    #[schema(min_length = 1, max_length = 4000)]
    pub what: String,
    /// Whom it troubles; at most 500 characters.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub who: String,
    /// Where it was met: a municipality, a hospital …; at most 200 characters.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub place: String,
}

impl Fitting for Told {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.open_prose("/what", &mut self.what, 1, 4000);
        flaws.open_prose("/who", &mut self.who, 0, 500);
        flaws.open_prose("/place", &mut self.place, 0, 200);
    }
}

impl Told {
    /// What stays when its sender wants the words gone.
    #[must_use]
    pub fn erased() -> Self {
        Self { what: "(slettet af afsenderen)".to_owned(), ..Self::default() }
    }
}

/// Where a suggestion stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has used the link in the mail.
    Unconfirmed,
    /// It waits for CO-PI.
    Waiting,
    /// It waits for a body's answer.
    Invited {
        organisation_id: OrganisationId,
    },
    /// A body owns it as a challenge.
    Accepted {
        organisation_id: OrganisationId,
        challenge_id: Id<Challenge>,
    },
    SetAside {
        reason: String,
    },
}

impl State {
    /// The word that stands in the database.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unconfirmed => "unconfirmed",
            Self::Waiting => "waiting",
            Self::Invited { .. } => "invited",
            Self::Accepted { .. } => "accepted",
            Self::SetAside { .. } => "set_aside",
        }
    }

    /// For people.
    #[must_use]
    pub fn name(&self) -> Text {
        match self {
            Self::Unconfirmed => text!("ikke bekræftet", "not confirmed"),
            Self::Waiting => text!("hos CO-PI", "with CO-PI"),
            Self::Invited { .. } => text!("hos en organisation", "with a body"),
            Self::Accepted { .. } => text!("en udfordring", "a challenge"),
            Self::SetAside { .. } => text!("lagt til side", "set aside"),
        }
    }
}

/// A deed that the suggestion's state does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfOrder {
    pub is: State,
}

/// A suggestion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    pub id: Id<Suggestion>,
    pub call_id: Id<Call>,
    pub told: Told,
    pub state: State,
    pub state_at: Instant,
    /// Whoever suggested it, until it is settled.
    pub email: Option<Email>,
    pub language: Language,
    pub left_at: Instant,
    pub version: i64,
}

impl Suggestion {
    /// Its sender proved the address.
    ///
    /// # Errors
    /// [`OutOfOrder`] unless it is unconfirmed.
    pub fn confirm(self, now: Instant) -> Result<Self, OutOfOrder> {
        match self.state {
            State::Unconfirmed => Ok(self.step(State::Waiting, now)),
            is => Err(OutOfOrder { is }),
        }
    }

    /// CO-PI asks a body to own it.
    ///
    /// # Errors
    /// [`OutOfOrder`] unless it waits for CO-PI or for another body.
    pub fn invite(self, organisation_id: OrganisationId, now: Instant) -> Result<Self, OutOfOrder> {
        match self.state {
            State::Waiting | State::Invited { .. } => Ok(self.step(State::Invited { organisation_id }, now)),
            is => Err(OutOfOrder { is }),
        }
    }

    /// The invited body owns it from now on.
    ///
    /// # Errors
    /// [`OutOfOrder`] unless that body is invited.
    pub fn accept(self, by: OrganisationId, challenge_id: Id<Challenge>, now: Instant) -> Result<Self, OutOfOrder> {
        match self.state {
            State::Invited { organisation_id } if organisation_id == by => {
                Ok(self.step(State::Accepted { organisation_id, challenge_id }, now))
            }
            is => Err(OutOfOrder { is }),
        }
    }

    /// The invited body says no: it waits for CO-PI again.
    ///
    /// # Errors
    /// [`OutOfOrder`] unless that body is invited.
    pub fn decline(self, by: OrganisationId, now: Instant) -> Result<Self, OutOfOrder> {
        match self.state {
            State::Invited { organisation_id } if organisation_id == by => Ok(self.step(State::Waiting, now)),
            is => Err(OutOfOrder { is }),
        }
    }

    /// CO-PI does not go on with it.
    ///
    /// # Errors
    /// [`OutOfOrder`] unless it waits for CO-PI or a body.
    pub fn set_aside(self, reason: String, now: Instant) -> Result<Self, OutOfOrder> {
        match self.state {
            State::Waiting | State::Invited { .. } => Ok(self.step(State::SetAside { reason }, now)),
            is => Err(OutOfOrder { is }),
        }
    }

    fn step(self, state: State, now: Instant) -> Self {
        Self { state, state_at: now, version: self.version + 1, ..self }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Instant {
        "2026-11-22T08:00:00Z".parse().unwrap()
    }

    fn deed(suggestion: Suggestion, number: u8) -> Result<Suggestion, OutOfOrder> {
        let body = |byte| OrganisationId::from_bytes([byte; 16]);
        match number {
            0 => suggestion.confirm(now()),
            1 => suggestion.invite(body(1), now()),
            2 => suggestion.invite(body(2), now()),
            3 => suggestion.accept(body(1), Id::from_bytes([9; 16]), now()),
            4 => suggestion.decline(body(2), now()),
            _ => suggestion.set_aside("nej".to_owned(), now()),
        }
    }

    proptest! {
        #[test]
        fn only_the_body_that_is_invited_comes_to_own_it(deeds in prop::collection::vec(0_u8..6, 0..20)) {
            let mut suggestion = Suggestion {
                id: Id::from_bytes([1; 16]), call_id: Id::from_bytes([2; 16]), told: Told::default(),
                state: State::Unconfirmed, state_at: now(), email: None, language: Language::Da, left_at: now(), version: 1,
            };
            for number in deeds {
                let before = suggestion.clone();
                match deed(suggestion, number) {
                    Ok(after) => {
                        if number == 3 {
                            let invited = State::Invited { organisation_id: OrganisationId::from_bytes([1; 16]) };
                            prop_assert_eq!(before.state, invited);
                        }
                        suggestion = after;
                    }
                    Err(OutOfOrder { is }) => {
                        prop_assert_eq!(&is, &before.state);
                        suggestion = before;
                    }
                }
            }
        }
    }
}

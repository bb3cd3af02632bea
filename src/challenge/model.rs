//! The life of a challenge. Each stage carries what is true of it alone, so that an approved challenge without
//! an approver, or a declined one without a reason, cannot be written down.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Description;
use crate::criteria::{Assessment, Verdict};
use crate::kernel::{Id, Instant, OrganisationId, Text, text};

/// The word for a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ChallengeStatus)]
pub enum Status {
    Draft,
    Submitted,
    Returned,
    Approved,
    Declined,
    Grouped,
    Withdrawn,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Draft, Self::Submitted, Self::Returned, Self::Approved, Self::Declined, Self::Grouped, Self::Withdrawn];

    /// Those in which every public body may read it.
    pub const SHARED: [Self; 3] = [Self::Submitted, Self::Approved, Self::Grouped];

    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Returned => "returned",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Grouped => "grouped",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The status of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    /// In Danish, for people.
    #[must_use]
    pub fn name(self) -> Text {
        match self {
            Self::Draft => text!("kladde", "draft"),
            Self::Submitted => text!("indsendt", "submitted"),
            Self::Returned => text!("sendt tilbage", "returned"),
            Self::Approved => text!("godkendt", "approved"),
            Self::Declined => text!("afvist", "declined"),
            Self::Grouped => text!("i en skaleringsproces", "grouped"),
            Self::Withdrawn => text!("trukket tilbage", "withdrawn"),
        }
    }

    /// Whether every public body may read it.
    #[must_use]
    pub fn is_shared(self) -> bool {
        Self::SHARED.contains(&self)
    }
}

/// What staff decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub by: String,
    pub at: Instant,
    pub reason: Option<String>,
    /// Whether it goes against the verdict; then there is a reason.
    pub overridden: bool,
}

/// Where a challenge stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    Draft,
    /// Since when it waits for CO-PI.
    Submitted {
        at: Instant,
    },
    Returned {
        by: String,
        at: Instant,
        reason: String,
    },
    Approved(Decision),
    Declined {
        by: String,
        at: Instant,
        reason: String,
    },
    Grouped {
        decision: Decision,
        process_id: String,
    },
    Withdrawn {
        by: String,
        at: Instant,
        reason: Option<String>,
    },
}

impl Stage {
    /// The word for it.
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::Draft => Status::Draft,
            Self::Submitted { .. } => Status::Submitted,
            Self::Returned { .. } => Status::Returned,
            Self::Approved(_) => Status::Approved,
            Self::Declined { .. } => Status::Declined,
            Self::Grouped { .. } => Status::Grouped,
            Self::Withdrawn { .. } => Status::Withdrawn,
        }
    }
}

/// Why a deed cannot be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutOfOrder {
    /// The stage does not allow it.
    Stage { is: Status, allowed: &'static [Status] },
    /// The verdict is against it, and no override with a reason was given.
    AgainstVerdict(Verdict),
    /// An override says why.
    OverrideNeedsReason,
}

/// A challenge.
#[derive(Clone, Debug, PartialEq)]
pub struct Challenge {
    pub id: Id<Challenge>,
    pub organisation_id: OrganisationId,
    pub description: Description,
    pub stage: Stage,
    pub submitted_at: Option<Instant>,
    pub assessment: Assessment,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

/// A challenge that may be gathered into a process.
#[derive(Clone, Debug)]
pub struct Approved(Challenge, Decision);

impl TryFrom<Challenge> for Approved {
    type Error = OutOfOrder;
    fn try_from(challenge: Challenge) -> Result<Self, OutOfOrder> {
        match &challenge.stage {
            Stage::Approved(decision) => {
                let decision = decision.clone();
                Ok(Self(challenge, decision))
            }
            _ => Err(challenge.out_of_order(&[Status::Approved])),
        }
    }
}

impl Approved {
    /// The challenge itself.
    #[must_use]
    pub fn challenge(&self) -> &Challenge {
        &self.0
    }

    /// Puts it into a process; it stays itself.
    #[must_use]
    pub fn group(self, process_id: String, now: Instant) -> Challenge {
        self.0.step(Stage::Grouped { decision: self.1, process_id }, now)
    }
}

impl Challenge {
    /// Whether its owner may still change it.
    ///
    /// # Errors
    /// [`OutOfOrder`] once it was submitted.
    pub fn require_editable(&self) -> Result<(), OutOfOrder> {
        match self.stage {
            Stage::Draft | Stage::Returned { .. } => Ok(()),
            _ => Err(self.out_of_order(&[Status::Draft, Status::Returned])),
        }
    }

    /// Whether it waits for CO-PI's decision.
    ///
    /// # Errors
    /// [`OutOfOrder`] unless it is submitted.
    pub fn require_waiting(&self) -> Result<(), OutOfOrder> {
        match self.stage {
            Stage::Submitted { .. } => Ok(()),
            _ => Err(self.out_of_order(&[Status::Submitted])),
        }
    }

    /// Hands it to CO-PI.
    ///
    /// # Errors
    /// [`OutOfOrder`] unless it is a draft or was returned.
    pub fn submit(self, now: Instant) -> Result<Self, OutOfOrder> {
        self.require_editable()?;
        let first = self.submitted_at.or(Some(now));
        Ok(Self { submitted_at: first, ..self.step(Stage::Submitted { at: now }, now) })
    }

    /// Gives it back to its owner with a question.
    ///
    /// # Errors
    /// [`OutOfOrder`] unless it is submitted.
    pub fn send_back(self, by: String, reason: String, now: Instant) -> Result<Self, OutOfOrder> {
        match self.stage {
            Stage::Submitted { .. } => Ok(self.step(Stage::Returned { by, at: now, reason }, now)),
            _ => Err(self.out_of_order(&[Status::Submitted])),
        }
    }

    /// Approves it. Against the verdict this takes an override, and the override a reason.
    ///
    /// # Errors
    /// [`OutOfOrder`].
    pub fn approve(
        self,
        by: String,
        reason: Option<String>,
        overriding: bool,
        now: Instant,
    ) -> Result<Self, OutOfOrder> {
        let Stage::Submitted { .. } = self.stage else { return Err(self.out_of_order(&[Status::Submitted])) };
        let against = self.assessment.outcome != Verdict::Met;
        match (against, overriding, &reason) {
            (true, false, _) => Err(OutOfOrder::AgainstVerdict(self.assessment.outcome)),
            (true, true, None) => Err(OutOfOrder::OverrideNeedsReason),
            _ => Ok(self.step(Stage::Approved(Decision { by, at: now, reason, overridden: against }), now)),
        }
    }

    /// Says no, and why.
    ///
    /// # Errors
    /// [`OutOfOrder`] unless it is submitted.
    pub fn decline(self, by: String, reason: String, now: Instant) -> Result<Self, OutOfOrder> {
        match self.stage {
            Stage::Submitted { .. } => Ok(self.step(Stage::Declined { by, at: now, reason }, now)),
            _ => Err(self.out_of_order(&[Status::Submitted])),
        }
    }

    /// The owner takes it back. One that is in a process is taken out of it first.
    ///
    /// # Errors
    /// [`OutOfOrder`] when it is grouped, declined or withdrawn.
    pub fn withdraw(self, by: String, reason: Option<String>, now: Instant) -> Result<Self, OutOfOrder> {
        match self.stage {
            Stage::Draft | Stage::Submitted { .. } | Stage::Returned { .. } | Stage::Approved(_) => {
                Ok(self.step(Stage::Withdrawn { by, at: now, reason }, now))
            }
            _ => Err(self.out_of_order(&[Status::Draft, Status::Submitted, Status::Returned, Status::Approved])),
        }
    }

    /// Takes it out of its process: it is approved, as before.
    ///
    /// # Errors
    /// [`OutOfOrder`] unless it is grouped.
    pub fn ungroup(self, now: Instant) -> Result<Self, OutOfOrder> {
        match self.stage.clone() {
            Stage::Grouped { decision, .. } => Ok(self.step(Stage::Approved(decision), now)),
            _ => Err(self.out_of_order(&[Status::Grouped])),
        }
    }

    fn step(self, stage: Stage, now: Instant) -> Self {
        Self { stage, updated_at: now, version: self.version + 1, ..self }
    }

    fn out_of_order(&self, allowed: &'static [Status]) -> OutOfOrder {
        OutOfOrder::Stage { is: self.stage.status(), allowed }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::criteria::{Evidence, assess, built_in};

    fn now() -> Instant {
        "2026-11-22T08:00:00Z".parse().unwrap()
    }

    fn draft() -> Challenge {
        let description = serde_json::from_value(serde_json::json!({"title": "T", "problem": "P"})).unwrap();
        Challenge {
            id: Id::made_at(now()),
            organisation_id: OrganisationId::from_bytes([1; 16]),
            description,
            stage: Stage::Draft,
            submitted_at: None,
            assessment: assess(&built_in()[0], &Evidence::default(), now()),
            version: 1,
            created_at: now(),
            updated_at: now(),
        }
    }

    #[test]
    fn approving_against_the_verdict_takes_an_override_with_a_reason() {
        let submitted = draft().submit(now()).unwrap();
        let approve = |reason: Option<&str>, overriding| {
            submitted.clone().approve("Bo".into(), reason.map(Into::into), overriding, now())
        };
        assert_eq!(approve(None, false).unwrap_err(), OutOfOrder::AgainstVerdict(Verdict::Unclear));
        assert_eq!(approve(None, true).unwrap_err(), OutOfOrder::OverrideNeedsReason);
        let approved = approve(Some("Vi kender dem"), true).unwrap();
        assert!(matches!(approved.stage, Stage::Approved(Decision { overridden: true, .. })));
    }

    #[test]
    fn what_is_in_a_process_can_be_taken_out_and_is_approved_as_before() {
        let approved = draft().submit(now()).unwrap().approve("Bo".into(), Some("ja".into()), true, now()).unwrap();
        let stage = approved.stage.clone();
        let grouped = Approved::try_from(approved).unwrap().group("p".into(), now());
        assert_eq!(grouped.ungroup(now()).unwrap().stage, stage);
    }

    fn deed(challenge: Challenge, deed: u8) -> Result<Challenge, OutOfOrder> {
        let who = || "Bo".to_owned();
        match deed {
            0 => challenge.submit(now()),
            1 => challenge.send_back(who(), "hvorfor?".into(), now()),
            2 => challenge.approve(who(), Some("fordi".into()), true, now()),
            3 => challenge.decline(who(), "nej".into(), now()),
            4 => challenge.withdraw(who(), None, now()),
            5 => Approved::try_from(challenge).map(|approved| approved.group("p".into(), now())),
            _ => challenge.ungroup(now()),
        }
    }

    proptest! {
        #[test]
        fn no_sequence_of_deeds_reaches_an_impossible_state(deeds in prop::collection::vec(0_u8..7, 0..30)) {
            let mut challenge = draft();
            for number in deeds {
                let before = challenge.clone();
                match deed(challenge, number) {
                    Ok(after) => {
                        prop_assert_eq!(after.version, before.version + 1);
                        prop_assert_eq!(&after.description, &before.description);
                        challenge = after;
                    }
                    Err(_) => challenge = before,
                }
                let status = challenge.stage.status();
                prop_assert!(challenge.submitted_at.is_some() || matches!(status, Status::Draft | Status::Withdrawn));
            }
        }

        #[test]
        fn declined_and_withdrawn_are_final(number in 0_u8..7) {
            let declined = deed(draft().submit(now()).unwrap(), 3).unwrap();
            prop_assert!(deed(declined, number).is_err());
            prop_assert!(deed(deed(draft(), 4).unwrap(), number).is_err());
        }
    }
}

//! The life of a process, and its six steps.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{Fitting, Flaws, Id, Instant, Language, Money, OrganisationId, Text, text};

/// Where a process stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ProcessStatus)]
pub enum Status {
    Preparing,
    Active,
    Paused,
    Completed,
    Abandoned,
}

impl Status {
    const WORDS: [(Self, &'static str); 5] = [
        (Self::Preparing, "preparing"),
        (Self::Active, "active"),
        (Self::Paused, "paused"),
        (Self::Completed, "completed"),
        (Self::Abandoned, "abandoned"),
    ];

    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(status, _)| *status == self).map_or("", |(_, word)| word)
    }

    /// The status of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(status, _)| *status)
    }

    /// Whether a process may go from here to there.
    #[must_use]
    pub fn leads_to(self, next: Self) -> bool {
        use Status::{Abandoned, Active, Completed, Paused, Preparing};
        matches!(
            (self, next),
            (Preparing, Active | Abandoned)
                | (Active, Paused | Completed | Abandoned)
                | (Paused, Active | Completed | Abandoned)
        )
    }
}

/// How far a step has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StepState {
    Waiting,
    Open,
    Done,
    Skipped,
}

/// One of the six steps, as CO-PI runs them. `alongside` are earlier steps that it may run beside.
struct StepPlan {
    number: u8,
    title: fn() -> Text,
    alongside: &'static [u8],
}

const PLAN: [StepPlan; 6] = [
    StepPlan { number: 1, title: || text!("Innovationsbehov", "Need"), alongside: &[] },
    StepPlan { number: 2, title: || text!("Matchmaking", "Matchmaking"), alongside: &[1] },
    StepPlan { number: 3, title: || text!("Fælles behovsafklaring", "Shared needs mapping"), alongside: &[2] },
    StepPlan { number: 4, title: || text!("Markedsdialog", "Market dialogue"), alongside: &[2, 3] },
    StepPlan {
        number: 5,
        title: || text!("Fælles hensigtserklæring", "Joint letter of intent"),
        alongside: &[2, 3, 4],
    },
    StepPlan {
        number: 6,
        title: || text!("Udbud og indkøb, spredning", "Tender, purchase, spread"),
        alongside: &[2, 5],
    },
];

/// A step of one process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub number: u8,
    pub state: StepState,
    pub since: Option<Instant>,
    pub reason: Option<String>,
}

impl Step {
    /// What the step is called.
    #[must_use]
    pub fn title(&self, language: Language) -> String {
        PLAN.iter()
            .find(|plan| plan.number == self.number)
            .map(|plan| (plan.title)().to(language).to_owned())
            .unwrap_or_default()
    }
}

/// What staff tell of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Sammen om natlige tilsyn", "summary": "Fire kommuner vil færre unødige tilsyn.", "status": "active",
    "option_cap": {"amount": 160_000_000, "currency": "DKK"}}))]
pub struct ProcessBody {
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub title: String,
    /// At most 6,000 characters.
    #[serde(default)]
    #[schema(max_length = 6000)]
    pub summary: String,
    pub status: Status,
    /// The body that leads the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub lead_organisation_id: Option<OrganisationId>,
    /// What purchase options may sum to at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option_cap: Option<Money>,
}

impl Fitting for ProcessBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.line("/title", &mut self.title, 1, 200);
        flaws.no_cpr("/title", &self.title);
        flaws.kept_prose("/summary", &mut self.summary, 0, 6000);
        if let Some(cap) = self.option_cap {
            cap.check("/option_cap", flaws);
        }
    }
}

/// A process.
#[derive(Clone, Debug, PartialEq)]
pub struct Process {
    pub id: Id<Process>,
    pub body: ProcessBody,
    pub steps: Vec<Step>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

/// Why a process cannot go that way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WrongTurn {
    /// Not from this status to that.
    Status { is: Status, wanted: Status },
    /// Pausing and abandoning say why; so does skipping a step.
    NeedsReason,
    /// There is no such step.
    NoSuchStep,
    /// An earlier step is not done, and this one does not run beside it.
    TooEarly { waits_for: u8 },
    /// Only an open step can be done.
    NotOpen,
    /// The work is over.
    Ended,
}

impl Process {
    /// A new process, being prepared: its first step is open.
    #[must_use]
    pub fn new(id: Id<Self>, title: String, summary: String, lead: Option<OrganisationId>, now: Instant) -> Self {
        let step = |plan: &StepPlan| {
            let first = plan.number == 1;
            let state = if first { StepState::Open } else { StepState::Waiting };
            Step { number: plan.number, state, since: first.then_some(now), reason: None }
        };
        let body =
            ProcessBody { title, summary, status: Status::Preparing, lead_organisation_id: lead, option_cap: None };
        Self { id, body, steps: PLAN.iter().map(step).collect(), version: 1, created_at: now, updated_at: now }
    }

    /// Whether everybody may see it.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.body.status != Status::Preparing
    }

    /// Whether it still takes challenges, participants and commitments.
    ///
    /// # Errors
    /// [`WrongTurn::Ended`].
    pub fn require_running(&self) -> Result<(), WrongTurn> {
        match self.body.status {
            Status::Completed | Status::Abandoned => Err(WrongTurn::Ended),
            _ => Ok(()),
        }
    }

    /// Changes what is told of it; a change of status must be a way that exists, and stopping says why.
    ///
    /// # Errors
    /// [`WrongTurn`].
    pub fn change(self, body: ProcessBody, reason: Option<&str>, now: Instant) -> Result<Self, WrongTurn> {
        let (is, wanted) = (self.body.status, body.status);
        if is != wanted && !is.leads_to(wanted) {
            return Err(WrongTurn::Status { is, wanted });
        }
        let stops = is != wanted && matches!(wanted, Status::Paused | Status::Abandoned);
        if stops && reason.is_none() {
            return Err(WrongTurn::NeedsReason);
        }
        Ok(Self { body, updated_at: now, version: self.version + 1, ..self })
    }

    /// Opens, finishes or skips a step.
    ///
    /// # Errors
    /// [`WrongTurn`].
    pub fn step(
        mut self,
        number: u8,
        wanted: StepState,
        reason: Option<String>,
        now: Instant,
    ) -> Result<Self, WrongTurn> {
        self.require_running()?;
        let plan = PLAN.iter().find(|plan| plan.number == number).ok_or(WrongTurn::NoSuchStep)?;
        let blocking = self.steps.iter().find(|earlier| {
            let over = matches!(earlier.state, StepState::Done | StepState::Skipped);
            let beside = earlier.state == StepState::Open && plan.alongside.contains(&earlier.number);
            earlier.number < number && !over && !beside
        });
        if let (StepState::Open, Some(blocking)) = (wanted, blocking) {
            return Err(WrongTurn::TooEarly { waits_for: blocking.number });
        }
        let step = self.steps.iter_mut().find(|step| step.number == number).ok_or(WrongTurn::NoSuchStep)?;
        match wanted {
            StepState::Done if step.state != StepState::Open => return Err(WrongTurn::NotOpen),
            StepState::Skipped | StepState::Waiting if reason.is_none() => return Err(WrongTurn::NeedsReason),
            _ => {}
        }
        *step = Step { number, state: wanted, since: Some(now), reason };
        Ok(Self { updated_at: now, version: self.version + 1, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Instant {
        "2026-11-22T08:00:00Z".parse().unwrap()
    }

    fn process() -> Process {
        Process::new(Id::made_at(now()), "T".into(), String::new(), None, now())
    }

    fn with(status: Status) -> ProcessBody {
        ProcessBody { status, ..process().body }
    }

    #[test]
    fn stopping_says_why_and_what_is_over_stays_over() {
        let active = process().change(with(Status::Active), None, now()).unwrap();
        assert_eq!(active.clone().change(with(Status::Paused), None, now()), Err(WrongTurn::NeedsReason));
        let abandoned = active.change(with(Status::Abandoned), Some("ingen penge"), now()).unwrap();
        assert!(abandoned.clone().change(with(Status::Active), None, now()).is_err());
        assert_eq!(abandoned.step(2, StepState::Open, None, now()), Err(WrongTurn::Ended));
    }

    #[test]
    fn needs_mapping_runs_beside_matchmaking_but_the_market_waits_for_the_need() {
        let step = |process: Process, number, state| process.step(number, state, None, now());
        let one = process();
        assert_eq!(step(one.clone(), 3, StepState::Open), Err(WrongTurn::TooEarly { waits_for: 1 }));
        let two = step(step(one, 1, StepState::Done).unwrap(), 2, StepState::Open).unwrap();
        let three = step(two, 3, StepState::Open).unwrap();
        assert!(step(three.clone(), 4, StepState::Open).is_ok());
        assert_eq!(step(three, 6, StepState::Open), Err(WrongTurn::TooEarly { waits_for: 3 }));
    }

    #[test]
    fn a_step_is_skipped_with_a_reason_and_done_only_when_open() {
        assert_eq!(process().step(2, StepState::Skipped, None, now()), Err(WrongTurn::NeedsReason));
        assert_eq!(process().step(2, StepState::Done, None, now()), Err(WrongTurn::NotOpen));
        assert_eq!(process().step(7, StepState::Open, None, now()), Err(WrongTurn::NoSuchStep));
        assert!(process().step(2, StepState::Skipped, Some("kendt".into()), now()).is_ok());
    }
}

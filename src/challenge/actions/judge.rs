//! Holding challenges against their criteria sets.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::challenge::lint::cpr_places;
use crate::challenge::sponsor::{SponsorRequest, backings};
use crate::challenge::{Challenge, Description, Level, Recognition, Stage, store};
use crate::criteria::{self, Assessment, Call, CriteriaSet, Evidence, Recogniser};
use crate::db::{AnyConnection, DbError};
use crate::kernel::{Fit, Flaws, Id, Instant, OrganisationId, text};
use crate::organisation::{self, Organisation};
use crate::reference;
use crate::web::Problem;

/// The criteria set of challenges that answer no call.
const DEFAULT_CRITERIA_SET: &str = "welfare-technology";

/// Holds a description against the criteria set of its call, with what other bodies have said of it.
///
/// # Errors
/// 422 for an unknown call.
pub fn assess(
    connection: &mut AnyConnection,
    now: Instant,
    owner: Option<OrganisationId>,
    told: &Description,
    support: &Support,
) -> Result<Assessment, Problem> {
    Judge::default().assess(connection, now, owner, told, support)
}

/// What others say of a challenge: bodies that have it too, and its sponsors.
#[derive(Debug, Default)]
pub struct Support {
    pub recognitions: Vec<Recognition>,
    pub sponsors: Vec<SponsorRequest>,
}

impl Support {
    /// What was said of this challenge.
    ///
    /// # Errors
    /// Those of the database.
    pub fn of(connection: &mut AnyConnection, id: Id<Challenge>) -> Result<Self, DbError> {
        let recognitions = store::recognitions(connection, id)?;
        Ok(Self { recognitions, sponsors: store::sponsor_requests(connection, id)? })
    }
}

/// Assesses challenges one after another, and looks each call, criteria set and owner up only once.
#[derive(Debug, Default)]
pub struct Judge {
    calls: HashMap<Option<Id<Call>>, (CriteriaSet, bool)>,
    owners: HashMap<OrganisationId, Option<Organisation>>,
}

impl Judge {
    fn assess(
        &mut self,
        connection: &mut AnyConnection,
        now: Instant,
        owner: Option<OrganisationId>,
        told: &Description,
        support: &Support,
    ) -> Result<Assessment, Problem> {
        let owner = owner.map(|id| self.owner(connection, id)).transpose()?.flatten().map(|owner| owner.body.name);
        let (set, _) = self.call(connection, now, told.call_id)?;
        Ok(criteria::assess(set, &evidence(owner, told, support), now))
    }

    /// Assesses a challenge anew: while its owner may still change it by the newest version of its criteria set, and from
    /// then on by the one that it was handed in under.
    ///
    /// # Errors
    /// Those of the database.
    pub fn again(
        &mut self,
        connection: &mut AnyConnection,
        now: Instant,
        challenge: &Challenge,
    ) -> Result<Assessment, Problem> {
        let support = Support::of(connection, challenge.id)?;
        let (owner, told) = (challenge.organisation_id, &challenge.description);
        if challenge.require_editable().is_ok() {
            return self.assess(connection, now, Some(owner), told, &support);
        }
        let Assessment { criteria_set, version, .. } = &challenge.assessment;
        let set = criteria::store::find_version(connection, criteria_set, *version)?;
        let set = set.ok_or_else(|| Problem::internal(&format!("criteria set {criteria_set} {version} is gone")))?;
        let owner = self.owner(connection, owner)?.map(|owner| owner.body.name);
        Ok(criteria::assess(&set, &evidence(owner, told, &support), now))
    }

    fn owner(&mut self, connection: &mut AnyConnection, id: OrganisationId) -> Result<Option<Organisation>, Problem> {
        if let Some(known) = self.owners.get(&id) {
            return Ok(known.clone());
        }
        let owner = organisation::store::find(connection, id)?;
        Ok(self.owners.entry(id).or_insert(owner).clone())
    }

    /// The criteria set of a call, and whether the call is open.
    fn call(
        &mut self,
        connection: &mut AnyConnection,
        now: Instant,
        id: Option<Id<Call>>,
    ) -> Result<&(CriteriaSet, bool), Problem> {
        match self.calls.entry(id) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => {
                let (key, open) = match id {
                    None => (DEFAULT_CRITERIA_SET.to_owned(), true),
                    Some(id) => {
                        let call = criteria::store::find_call(connection, id)?.ok_or_else(unknown_call)?;
                        let open = call.is_open(now);
                        (call.body.criteria_set, open)
                    }
                };
                let missing = || Problem::internal(&format!("criteria set {key} is gone"));
                let set = criteria::store::newest(connection, &key)?.ok_or_else(missing)?;
                Ok(place.insert((set, open)))
            }
        }
    }

    /// A new draft of a body, assessed, not yet stored.
    ///
    /// # Errors
    /// 409 for a body that is no more, 422 for an unknown call, and for codes that a loaded list does not have.
    pub fn draft(
        &mut self,
        connection: &mut AnyConnection,
        now: Instant,
        owner: OrganisationId,
        told: Fit<Description>,
    ) -> Result<Challenge, Problem> {
        if let Some(owner) = self.owner(connection, owner)? {
            owner.require_existing(now)?;
        }
        require_known_codes(connection, &told)?;
        let assessment = self.assess(connection, now, Some(owner), &told, &Support::default())?;
        Ok(Challenge {
            id: Id::made_at(now),
            organisation_id: owner,
            description: told.into_inner(),
            stage: Stage::Draft,
            submitted_at: None,
            assessment,
            version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    /// Whether a challenge may be handed in, as far as its words and its call are concerned.
    ///
    /// # Errors
    /// 409 when its call is closed, 422 with a CPR number in it.
    pub fn require_submittable(
        &mut self,
        connection: &mut AnyConnection,
        now: Instant,
        challenge: &Challenge,
    ) -> Result<(), Problem> {
        require_no_cpr(&challenge.description)?;
        let (_, open) = self.call(connection, now, challenge.description.call_id)?;
        if *open {
            return Ok(());
        }
        let detail = text!("Indkaldelsen er ikke åben", "The call is not open");
        Err(Problem::conflict("call_closed", detail))
    }
}

/// A CPR number is not shared with anybody.
pub(super) fn require_no_cpr(told: &Description) -> Result<(), Problem> {
    let mut flaws = Flaws::default();
    for place in cpr_places(told) {
        let words =
            text!("Fjern CPR-nummeret, før udfordringen deles", "Remove the CPR number before the challenge is shared");
        flaws.add(&place, "cpr_number", words);
    }
    if flaws.0.is_empty() { Ok(()) } else { Err(flaws.into()) }
}

fn evidence(owner: Option<String>, told: &Description, support: &Support) -> Evidence {
    let counts = |said: &&Recognition| said.body.level > Level::Withdrawn;
    let recogniser =
        |said: &Recognition| Recogniser { organisation: said.organisation.clone(), has_volume: said.body.has_volume() };
    Evidence {
        owner,
        time_savings: told.time_savings.clone(),
        reduction: told.reduction.clone(),
        scale: told.scale.clone(),
        anchoring: told.anchoring.clone(),
        backings: backings(&support.sponsors, told),
        recognitions: support.recognitions.iter().filter(counts).map(recogniser).collect(),
    }
}

pub(super) fn require_known_codes(connection: &mut AnyConnection, told: &Description) -> Result<(), Problem> {
    let mut flaws = Flaws::default();
    reference::check_cpv(connection, "/cpv", &told.cpv, &mut flaws)?;
    reference::check_nuts(connection, |index| format!("/nuts/{index}"), &told.nuts, &mut flaws)?;
    if flaws.0.is_empty() { Ok(()) } else { Err(flaws.into()) }
}

fn unknown_call() -> Problem {
    Problem::unfit("/call_id", "unknown", text!("Indkaldelsen findes ikke", "The call does not exist"))
}

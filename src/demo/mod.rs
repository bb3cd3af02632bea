//! A world to try the service in: CO-PI's two running processes, the third call, the needs behind biological light,
//! some open challenges, and one process with the whole road before and after it. It is told in `world.json` and comes into being through the same deeds as everything else.
//!
//! The processes and their participants are as public pages tell them; the open challenges and the road ([`road`]) are made up.

mod road;

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;

use crate::access::{Admin, Caller, Person, Role, Scope, Staff};
use crate::account::{self, Invitation, hash_checked};
use crate::challenge::{self, Challenge, Description, Level, RecognitionBody};
use crate::criteria::{self, Call, CallBody};
use crate::db::{DbError, Tx, is_in_use};
use crate::kernel::{Email, Fit, Fitting, Id, Instant, Language, Money, OrganisationId};
use crate::organisation::{self, Kind, OrganisationBody};
use crate::process::{
    self, CommitmentBody, ParticipantBody, ParticipantState, Process, ProcessBody, Role as Part, StepState,
    TimelineBody,
};
use crate::web::{Node, Problem};
use actix_web::web::Data;

/// What everybody in the demo signs in with.
pub const PASSWORD: &str = "en gul cykel i regnvejr";

/// Who can sign in, as the demo prints them.
pub const SIGN_INS: [(&str, &str); 4] = [
    ("member", "mette@odense.example"),
    ("another member", "anders@aarhus.example"),
    ("facilitator", "karen@co-pi.example"),
    ("admin", "admin@skala.example"),
];

#[derive(Deserialize)]
struct World {
    organisations: Vec<TownHall>,
    people: Vec<Somebody>,
    calls: Vec<CallBody>,
    processes: Vec<Work>,
    open: Vec<Need>,
    road: road::Road,
}

#[derive(Deserialize)]
struct TownHall {
    successor: Option<String>,
    #[serde(flatten)]
    body: OrganisationBodyInWorld,
}

/// As [`OrganisationBody`], which refuses to stand beside other fields.
#[derive(Deserialize)]
struct OrganisationBodyInWorld {
    name: String,
    kind: Kind,
    cvr: Option<String>,
    nuts: Option<String>,
    valid_from: Option<chrono::NaiveDate>,
    valid_to: Option<chrono::NaiveDate>,
}

#[derive(Deserialize)]
struct Somebody {
    email: String,
    name: String,
    role: Role,
    organisation: Option<String>,
}

#[derive(Deserialize)]
struct Work {
    title: String,
    summary: String,
    status: process::Status,
    lead: String,
    open_steps: Vec<u8>,
    option_cap: Option<i64>,
    participants: Vec<Taker>,
    #[serde(default)]
    options: Vec<String>,
    /// Those who buy, and are bound to.
    #[serde(default)]
    buyers: Vec<String>,
    timeline: Vec<TimelineBody>,
    challenges: Vec<Need>,
}

#[derive(Deserialize)]
struct Taker {
    organisation: String,
    role: Part,
    joined_on: chrono::NaiveDate,
    state: ParticipantState,
}

#[derive(Deserialize)]
struct Need {
    organisation: String,
    call: String,
    /// Who registered it, by address.
    by: String,
    #[serde(default)]
    stage: Stage,
    #[serde(default)]
    recognised_by: Vec<String>,
    need: Description,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Stage {
    Draft,
    Submitted,
    #[default]
    Approved,
}

/// Why the world could not come into being.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("world.json: {0}")]
    Story(String),
    #[error("{}{}", .0.detail.to(Language::En), .0.cause.as_ref().map(|cause| format!(" ({cause})")).unwrap_or_default())]
    Deed(Problem),
}

impl From<Problem> for DemoError {
    fn from(problem: Problem) -> Self {
        Self::Deed(problem)
    }
}

/// Clears the demo's folder, if it is one.
///
/// # Errors
/// When files cannot be removed.
pub fn clear(folder: &Path) -> std::io::Result<()> {
    let file = folder.join("skala.db");
    if !file.exists() {
        return Ok(());
    }
    if is_in_use(&file) {
        return Err(std::io::Error::other("a demo is running in this folder; stop it first"));
    }
    std::fs::remove_dir_all(folder)
}

/// Brings the world into being, unless it is there already. Returns whether it was new.
///
/// # Errors
/// [`DemoError`].
pub async fn load(node: &Data<Node>) -> Result<bool, DemoError> {
    let world: World = serde_json::from_str(include_str!("world.json")).map_err(|e| DemoError::Story(e.to_string()))?;
    let there = node.db.read(|connection| organisation::store::find_by_name(connection, "CO-PI")).await;
    if there?.is_some() {
        return Ok(false);
    }
    let hash = hash_checked(PASSWORD.to_owned(), &[]).await?;
    let now = node.now();
    // One transaction: a demo that was cut off while it loaded begins anew.
    let inside = node.clone();
    node.db.write(move |tx| tell(tx, &inside, now, world, &hash)).await?;
    Ok(true)
}

fn tell(tx: &mut Tx<'_>, node: &Node, now: Instant, world: World, hash: &str) -> Result<(), DemoError> {
    let World { organisations, people, calls, processes, open, road } = world;
    let admin = Admin::at_the_command_line();
    let bodies = add_organisations(tx, now, &admin.as_staff(), organisations)?;
    let mut persons = HashMap::new();
    for somebody in people {
        let organisation_id = somebody.organisation.as_deref().map(|name| named(&bodies, name)).transpose()?;
        let email = Email::parse(&somebody.email).ok_or_else(|| DemoError::Story(somebody.email.clone()))?;
        let invitation = Invitation { email, name: somebody.name, role: somebody.role, organisation_id };
        let account = account::add(tx, now, admin.actor(), invitation, Some(hash.to_owned()))?;
        persons.insert(somebody.email, account.person);
    }
    let maker = Maker { now, staff: admin.as_staff(), bodies, persons };
    let calls = maker.make(tx, calls, processes, open)?;
    maker.road(tx, node, &calls, road)
}

impl From<DbError> for DemoError {
    fn from(error: DbError) -> Self {
        Self::Deed(error.into())
    }
}

type Bodies = HashMap<String, OrganisationId>;
type Calls = HashMap<String, Id<Call>>;

fn add_organisations(tx: &mut Tx<'_>, now: Instant, staff: &Staff, halls: Vec<TownHall>) -> Result<Bodies, DemoError> {
    let mut bodies = Bodies::new();
    for TownHall { successor, body } in halls {
        let OrganisationBodyInWorld { name, kind, cvr, nuts, valid_from, valid_to } = body;
        let successor_id = successor.map(|name| named(&bodies, &name)).transpose()?;
        let body = OrganisationBody {
            name: name.clone(),
            kind,
            cvr,
            country: "DK".to_owned(),
            nuts,
            valid_from,
            valid_to,
            successor_id,
        };
        let added = organisation::add(tx, now, staff, fit(body)?)?;
        bodies.insert(name, added.id);
    }
    Ok(bodies)
}

fn named(bodies: &Bodies, name: &str) -> Result<OrganisationId, DemoError> {
    bodies.get(name).copied().ok_or_else(|| DemoError::Story(format!("no organisation is called {name}")))
}

fn fit<T: Fitting>(value: T) -> Result<Fit<T>, DemoError> {
    Fit::check(value).map_err(|flaws| DemoError::Story(format!("{flaws:?}")))
}

/// Makes what needs organisations and people to be there.
struct Maker {
    now: Instant,
    staff: Staff,
    bodies: Bodies,
    persons: HashMap<String, Person>,
}

impl Maker {
    fn make(
        &self,
        tx: &mut Tx<'_>,
        calls: Vec<CallBody>,
        works: Vec<Work>,
        open: Vec<Need>,
    ) -> Result<Calls, DemoError> {
        let mut known = Calls::new();
        for call in calls {
            let title = call.title.clone();
            known.insert(title, criteria::announce(tx, self.now, &self.staff, fit(call)?)?.id);
        }
        for work in works {
            self.process(tx, &known, work)?;
        }
        for need in open {
            self.challenge(tx, &known, need)?;
        }
        Ok(known)
    }

    fn process(&self, tx: &mut Tx<'_>, calls: &Calls, work: Work) -> Result<Id<Process>, DemoError> {
        let needs =
            work.challenges.into_iter().map(|need| self.challenge(tx, calls, need)).collect::<Result<Vec<_>, _>>()?;
        let lead = Some(named(&self.bodies, &work.lead)?);
        let process = process::actions::gather(tx, self.now, &self.staff, work.title, work.summary, &[], lead)?;
        let id = process.id;
        for taker in work.participants {
            let Taker { organisation, role, joined_on, state } = taker;
            let organisation_id = named(&self.bodies, &organisation)?;
            let body = ParticipantBody { organisation_id, role, joined_on, state, left_on: None };
            process::actions::add_participant(tx, self.now, &self.staff, id, fit(body)?)?;
        }
        for need in needs {
            process::actions::add_challenge(tx, self.now, &self.staff, id, need)?;
        }
        for entry in work.timeline {
            process::actions::add_to_timeline(tx, self.now, &self.staff, id, fit(entry)?)?;
        }
        for number in work.open_steps {
            self.open_step(tx, id, number)?;
        }
        self.settle(tx, id, work.status, work.option_cap)?;
        let buyers = work.buyers.iter().map(|name| (name, Level::Committed));
        for (name, level) in buyers.chain(work.options.iter().map(|name| (name, Level::Option))) {
            let organisation_id = named(&self.bodies, name)?;
            let body = CommitmentBody {
                volumes: Vec::new(),
                organisation_id,
                level,
                volume: None,
                annual_value: None,
                option_value: None,
                signed_by: None,
                signed_on: None,
            };
            process::actions::commit(tx, self.now, self.staff.actor(), id, fit(body)?, Language::Da)?;
        }
        Ok(id)
    }

    /// The steps before the last one that is open are done.
    fn open_step(&self, tx: &mut Tx<'_>, id: Id<Process>, number: u8) -> Result<(), DemoError> {
        let step =
            |tx: &mut Tx<'_>, number, state| process::actions::step(tx, self.now, &self.staff, id, number, state, None);
        if number > 1 {
            step(tx, number - 1, StepState::Done)?;
        }
        step(tx, number, StepState::Open)?;
        Ok(())
    }

    fn settle(
        &self,
        tx: &mut Tx<'_>,
        id: Id<Process>,
        status: process::Status,
        cap: Option<i64>,
    ) -> Result<(), DemoError> {
        let found = process::store::find(tx.connection, id)?;
        let process = found.ok_or_else(Problem::not_found)?;
        let body = ProcessBody { status, option_cap: cap.map(Money::dkk), ..process.body.clone() };
        let settled = process.change(body, None, self.now).map_err(Problem::from)?;
        process::store::update(tx, &settled)?;
        Ok(())
    }

    fn challenge(&self, tx: &mut Tx<'_>, calls: &Calls, need: Need) -> Result<Id<Challenge>, DemoError> {
        let owner = named(&self.bodies, &need.organisation)?;
        let call = calls.get(&need.call).copied().ok_or_else(|| DemoError::Story(need.call.clone()))?;
        let by = self.person(&need.by)?.actor();
        let told = fit(Description { call_id: Some(call), ..need.need })?;
        let id = challenge::actions::draft(tx, self.now, owner, by.clone(), told)?.id;
        if need.stage >= Stage::Submitted {
            challenge::actions::submit(tx, self.now, owner, by, id)?;
        }
        for neighbour in need.recognised_by {
            let member = Caller::Person(self.person(&neighbour)?.clone()).member(Scope::ChallengesWrite)?;
            let body = RecognitionBody {
                volumes: Vec::new(),
                level: Level::Recognises,
                volume: None,
                annual_value: None,
                hours_saved_per_year: Some(1800.0),
                note: Some("Vi går også runder, som ikke finder noget.".to_owned()),
            };
            challenge::actions::recognise(tx, self.now, &member, id, fit(body)?)?;
        }
        if need.stage >= Stage::Approved {
            self.approve(tx, id)?;
        }
        Ok(id)
    }

    fn approve(&self, tx: &mut Tx<'_>, id: Id<Challenge>) -> Result<(), DemoError> {
        let why = Some("Vi kender udfordringen fra andre kommuner".to_owned());
        challenge::actions::approve_untold(tx, self.now, &self.staff, id, why, true)?;
        Ok(())
    }

    fn person(&self, email: &str) -> Result<&Person, DemoError> {
        self.persons.get(email).ok_or_else(|| DemoError::Story(format!("nobody has the address {email}")))
    }
}

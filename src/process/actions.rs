//! The deeds on processes.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use serde_json::json;

use super::demand::{Demand, Figures, Heard, Hours, Region, Regions, Source, Voice, aggregate, heard};
use super::{
    Commitment, CommitmentBody, Participant, ParticipantBody, ParticipantState, Process, ProcessBody, Role, StepState,
    TimelineBody, TimelineEntry, WrongTurn, store,
};
use crate::access::{Member, Staff};
use crate::challenge::{self, Approved, Challenge, Level};
use crate::criteria;
use crate::db::{AnyConnection, Tx};
use crate::kernel::{Fit, Id, Instant, Language, Money, OrganisationId, copenhagen, text};
use crate::need;
use crate::organisation::{self, Kind, Organisation};
use crate::outbox::{Actor, Fact, Subject, record};
use crate::reference;
use crate::web::{IfMatch, Node, Patch, Problem};

/// Gathers approved challenges into a new process; their owners become its need owners.
///
/// # Errors
/// 422 for unknown challenges or an unknown lead, 409 for challenges that are not approved.
pub fn gather(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    title: String,
    summary: String,
    challenges: &[Id<Challenge>],
    lead: Option<OrganisationId>,
) -> Result<Process, Problem> {
    require_organisation(tx.connection, "/lead_organisation_id", lead)?;
    let process = Process::new(Id::made_at(now), title, summary, lead, now);
    store::insert(tx, &process)?;
    record(tx, fact(&process, "opened", staff.actor(), now).with(json!({"challenges": challenges})))?;
    for (index, id) in challenges.iter().enumerate() {
        put_in(tx, now, staff, &process, *id, &format!("/challenge_ids/{index}"))?;
    }
    Ok(process)
}

/// Tells whoever left a need behind one of the challenges of the process, as soon as the public sees it; each once.
///
/// # Errors
/// Those of the database.
pub fn tell_senders(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    staff: &Staff,
    process: &Process,
) -> Result<(), Problem> {
    if !process.is_public() {
        return Ok(());
    }
    let id = process.id.to_string();
    let inside = challenge::store::in_process(tx.connection, &id)?;
    let challenges: Vec<_> = inside.iter().map(|challenge| challenge.id).collect();
    need::actions::reached_process(tx, node, now, &staff.actor(), &challenges, (&id, &process.body.title))
}

/// Puts an approved challenge into a process; its owner joins, if it is not there already.
fn put_in(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    process: &Process,
    id: Id<Challenge>,
    pointer: &str,
) -> Result<(), Problem> {
    let unknown =
        || Problem::unfit(pointer, "unknown", text!("Udfordringen findes ikke", "The challenge does not exist"));
    let found = challenge::store::find(tx.connection, id)?.ok_or_else(unknown)?;
    let grouped = Approved::try_from(found)?.group(process.id.to_string(), now);
    challenge::store::update(tx, &grouped)?;
    let told = Fact::new(Subject::Challenge, id, "grouped", staff.actor(), now);
    record(tx, told.with(json!({"process_id": process.id, "title": process.body.title})))?;
    let owner = grouped.organisation_id;
    if store::participants(tx.connection, process.id)?.iter().all(|p| p.body.organisation_id != owner) {
        let joined_on = copenhagen(now).date_naive();
        let body = ParticipantBody {
            organisation_id: owner,
            role: Role::NeedOwner,
            joined_on,
            state: ParticipantState::Partner,
            left_on: None,
        };
        store::insert_participant(tx, process.id, Id::made_at(now), &body)?;
    }
    Ok(())
}

/// Adds a challenge to a running process.
///
/// # Errors
/// 404, 409 unless the challenge is approved and the process runs.
pub fn add_challenge(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<Process>,
    added: Id<Challenge>,
) -> Result<Process, Problem> {
    let process = running(tx, id)?;
    put_in(tx, now, staff, &process, added, "/challenge_id")?;
    touch(tx, now, process, "challenge_added", staff.actor(), json!({"challenge_id": added}), None)
}

/// Takes a challenge out; it is approved again, as before. Its owner stays a participant until it leaves.
///
/// # Errors
/// 404 unless it is in this process.
pub fn take_out(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<Process>,
    taken: Id<Challenge>,
    reason: String,
) -> Result<(), Problem> {
    let process = running(tx, id)?;
    let inside = challenge::store::in_process(tx.connection, &id.to_string())?;
    let found = inside.into_iter().find(|challenge| challenge.id == taken).ok_or_else(Problem::not_found)?;
    challenge::store::update(tx, &found.ungroup(now)?)?;
    let told = Fact::new(Subject::Challenge, taken, "ungrouped", staff.actor(), now);
    record(tx, told.because(&reason).with(json!({"process_id": id})))?;
    touch(tx, now, process, "challenge_taken_out", staff.actor(), json!({"challenge_id": taken}), Some(reason))?;
    Ok(())
}

/// Changes what is told of a process, or where it stands.
///
/// # Errors
/// 404, 409 for a way that does not exist or a cap below the options that stand, 412, 422.
pub fn change(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<Process>,
    seen: &IfMatch,
    patch: &Patch,
    reason: Option<&str>,
) -> Result<Process, Problem> {
    let process = store::find(tx.connection, id)?.ok_or_else(Problem::not_found)?;
    seen.require(process.version)?;
    let body: ProcessBody = patch.apply(&process.body)?.into_inner();
    require_organisation(tx.connection, "/lead_organisation_id", body.lead_organisation_id)?;
    require_under_cap(&options(tx.connection, id, None)?, body.option_cap)?;
    let (before, after) = (json!(process.body), json!(body));
    let changed = process.change(body, reason, now)?;
    store::update(tx, &changed)?;
    let told = fact(&changed, "changed", staff.actor(), now).with(json!({"before": before, "after": after}));
    record(tx, Fact { reason: reason.map(str::to_owned), ..told })?;
    Ok(changed)
}

/// Opens, finishes or skips a step.
///
/// # Errors
/// 404, 409.
pub fn step(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<Process>,
    number: u8,
    state: StepState,
    reason: Option<String>,
) -> Result<Process, Problem> {
    let process = store::find(tx.connection, id)?.ok_or_else(Problem::not_found)?;
    let was = process.steps.iter().find(|step| step.number == number).map(|step| step.state);
    let stepped = process.step(number, state, reason.clone(), now)?;
    store::update(tx, &stepped)?;
    let told = json!({"step": number, "state": state, "before": {"state": was}, "after": {"state": state}});
    let told = fact(&stepped, "stepped", staff.actor(), now).with(told);
    record(tx, Fact { reason, ..told })?;
    Ok(stepped)
}

/// Adds a participant, from whatever day it joined.
///
/// # Errors
/// 404, 409 for one that takes part already, 422 for an unknown organisation or a company as need owner.
pub fn add_participant(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<Process>,
    body: Fit<ParticipantBody>,
) -> Result<Participant, Problem> {
    let process = running(tx, id)?;
    let organisation = require_fit(tx.connection, &body)?;
    if body.state != ParticipantState::Left {
        organisation.require_existing(now)?;
    }
    let already = store::participants(tx.connection, id)?;
    if already.iter().any(|participant| participant.body.organisation_id == body.organisation_id) {
        let detail = text!("Organisationen deltager allerede", "The organisation takes part already");
        return Err(Problem::conflict("takes_part", detail));
    }
    let participant = Participant {
        id: Id::made_at(now),
        organisation: organisation.body.name,
        body: body.into_inner(),
        signed_on: None,
    };
    store::insert_participant(tx, id, participant.id, &participant.body)?;
    let told = json!({"organisation": participant.organisation, "role": participant.body.role, "state": participant.body.state});
    touch(tx, now, process, "participant_added", staff.actor(), told, None)?;
    Ok(participant)
}

/// Changes a participant's role, state or dates.
///
/// # Errors
/// 404, 422.
pub fn change_participant(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<Process>,
    participant: Id<Participant>,
    patch: &Patch,
) -> Result<Participant, Problem> {
    let process = store::find(tx.connection, id)?.ok_or_else(Problem::not_found)?;
    let known = store::participants(tx.connection, id)?;
    let found = known.into_iter().find(|known| known.id == participant).ok_or_else(Problem::not_found)?;
    let body = patch.apply(&found.body)?;
    if body.organisation_id != found.body.organisation_id {
        let detail = text!("En deltager kan ikke blive en anden", "A participant cannot become another");
        return Err(Problem::unfit("/organisation_id", "fixed", detail));
    }
    require_fit(tx.connection, &body)?;
    store::update_participant(tx, participant, &body)?;
    if body.state == ParticipantState::Left {
        // Whoever is out wants nothing of it any more: the option is free for others.
        store::retire_commitment(tx, id, body.organisation_id)?;
    }
    let told = json!({"organisation": found.organisation, "before": found.body, "after": *body});
    touch(tx, now, process, "participant_changed", staff.actor(), told, None)?;
    Ok(Participant { body: body.into_inner(), ..found })
}

/// A body asks to join, at any step; one that was invited accepts, and is in as a guest.
///
/// # Errors
/// 404 for what is neither public nor an invitation, 409 for one that takes part already.
pub fn join(tx: &mut Tx<'_>, now: Instant, member: &Member, id: Id<Process>) -> Result<Participant, Problem> {
    let process = running(tx, id)?;
    let known = store::participants(tx.connection, id)?;
    let before = known.into_iter().find(|known| known.body.organisation_id == member.organisation_id());
    if !process.is_public() && before.is_none() {
        return Err(Problem::not_found());
    }
    let joined_on = copenhagen(now).date_naive();
    let body = ParticipantBody {
        organisation_id: member.organisation_id(),
        role: Role::NeedOwner,
        joined_on,
        state: ParticipantState::Interested,
        left_on: None,
    };
    let organisation = require_fit(tx.connection, &body)?;
    organisation.require_existing(now)?;
    let participant = match before {
        Some(before) if before.body.state == ParticipantState::Left => {
            store::update_participant(tx, before.id, &body)?;
            Participant { body, ..before }
        }
        Some(before) if before.body.state == ParticipantState::Invited => {
            let body = ParticipantBody { state: ParticipantState::Guest, joined_on, ..before.body };
            store::update_participant(tx, before.id, &body)?;
            let told = json!({"organisation": before.organisation, "before": {"state": "invited"}, "after": {"state": "guest"}});
            touch(tx, now, process, "invitation_accepted", member.actor(), told, None)?;
            return Ok(Participant { body, ..before });
        }
        Some(_) => {
            let detail = text!("I deltager allerede", "You take part already");
            return Err(Problem::conflict("takes_part", detail));
        }
        None => {
            let id_of = Id::made_at(now);
            store::insert_participant(tx, id, id_of, &body)?;
            Participant { id: id_of, organisation: organisation.body.name, body, signed_on: None }
        }
    };
    let told = json!({"organisation": participant.organisation});
    touch(tx, now, process, "join_requested", member.actor(), told, None)?;
    Ok(participant)
}

/// Writes down what a body wants; options stay under the cap.
///
/// # Errors
/// 404, 409 when the options would exceed the cap or the body takes no part, 422.
pub fn commit(
    tx: &mut Tx<'_>,
    now: Instant,
    by: Actor,
    id: Id<Process>,
    body: Fit<CommitmentBody>,
    language: Language,
) -> Result<Commitment, Problem> {
    let process = running(tx, id)?;
    let known = store::participants(tx.connection, id)?;
    let takes_part =
        |p: &&Participant| p.body.organisation_id == body.organisation_id && p.body.state != ParticipantState::Left;
    let Some(participant) = known.iter().find(takes_part) else {
        let detail = text!("Organisationen deltager ikke i processen", "The organisation takes no part in the process");
        return Err(Problem::conflict("takes_no_part", detail));
    };
    if let Some(option) = body.option_value
        && body.level > Level::Withdrawn
    {
        let cap = process.body.option_cap.ok_or_else(|| {
            let detail = text!("Processen har intet loft for optioner", "The process has no cap on options");
            Problem::conflict("no_option_cap", detail)
        })?;
        if cap.currency != option.currency {
            let detail = text!("Optioner angives i loftets valuta", "Options are stated in the cap's currency");
            return Err(Problem::unfit("/option_value/currency", "other_currency", detail));
        }
        let mut options = options(tx.connection, id, Some(body.organisation_id))?;
        options.push(option);
        require_under_cap(&options, Some(cap))?;
    }
    let before = store::commitments(tx.connection, id, Language::Da)?;
    let before =
        before.into_iter().find(|said| said.body.organisation_id == body.organisation_id).map(|said| said.body);
    let said = Commitment {
        id: Id::made_at(now),
        organisation: participant.organisation.clone(),
        binds_to: body.level.meaning().to(language).to_owned(),
        body: body.into_inner(),
        counts: true,
        said_by: by.name.clone(),
        said_at: now,
    };
    store::insert_commitment(tx, id, &said)?;
    let told =
        json!({"organisation": said.organisation, "level": said.body.level, "before": before, "after": said.body});
    touch(tx, now, process, "committed", by, told, None)?;
    Ok(said)
}

/// A participant's signature on the letter of intent stands from this day, or no longer.
///
/// # Errors
/// Those of the database.
pub fn mark_signed(
    tx: &mut Tx<'_>,
    id: Id<Process>,
    body: OrganisationId,
    on: Option<NaiveDate>,
) -> Result<(), Problem> {
    Ok(store::mark_signed(tx, id, body, on)?)
}

/// The options that stand, but for one body's.
fn options(
    connection: &mut AnyConnection,
    id: Id<Process>,
    but: Option<OrganisationId>,
) -> Result<Vec<Money>, Problem> {
    let said = store::commitments(connection, id, Language::Da)?;
    let stands = |said: &&Commitment| said.body.level > Level::Withdrawn && Some(said.body.organisation_id) != but;
    Ok(said
        .iter()
        .filter(stands)
        .filter_map(|said| said.body.option_value)
        .filter(|option| option.amount > 0)
        .collect())
}

/// Options are summed in the cap's currency and in no other: a cap that would leave some uncounted is refused.
fn require_under_cap(options: &[Money], cap: Option<Money>) -> Result<(), Problem> {
    if options.is_empty() {
        return Ok(());
    }
    let Some(cap) = cap else {
        let detail = text!(
            "Der er givet optioner; loftet kan ikke fjernes, så længe de står",
            "Options were given; the cap cannot be taken away while they stand"
        );
        return Err(Problem::conflict("options_stand", detail));
    };
    if let Some(other) = options.iter().find(|option| option.currency != cap.currency) {
        let (other, own) = (other.currency, cap.currency);
        let detail = text!(
            "Der er givet optioner i {other:?}; loftet kan ikke være i {own:?}, så længe de står",
            "Options were given in {other:?}; the cap cannot be in {own:?} while they stand"
        );
        return Err(Problem::conflict("options_in_other_currency", detail));
    }
    let sum = options.iter().fold(0_i64, |sum, option| sum.saturating_add(option.amount));
    if sum <= cap.amount {
        return Ok(());
    }
    let amount = cap.amount;
    let detail = text!(
        "Optionerne ville løbe op i {sum}, og loftet er {amount}",
        "The options would sum to {sum}, and the cap is {amount}"
    );
    Err(Problem::conflict("over_option_cap", detail))
}

/// Adds an event or a document to a process's timeline.
///
/// # Errors
/// 404.
pub fn add_to_timeline(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<Process>,
    body: Fit<TimelineBody>,
) -> Result<TimelineEntry, Problem> {
    let process = store::find(tx.connection, id)?.ok_or_else(Problem::not_found)?;
    let entry = TimelineEntry { id: Id::made_at(now), body: body.into_inner() };
    store::insert_timeline(tx, id, &entry, now)?;
    touch(tx, now, process, "timeline_added", staff.actor(), json!({"title": entry.body.title}), None)?;
    Ok(entry)
}

/// What the participants together want, from their challenges, recognitions and commitments. A body that left wants
/// nothing of it.
///
/// # Errors
/// Those of the database.
pub fn demand(
    connection: &mut AnyConnection,
    now: Instant,
    process: &Process,
    language: Language,
) -> Result<Demand, Problem> {
    let voices = voices(connection, process.id, language)?;
    add_up(connection, now, &voices, process.body.option_cap, language)
}

/// What each body in the process wants, as the demand reckons.
///
/// # Errors
/// Those of the database.
pub fn heard_in(
    connection: &mut AnyConnection,
    process: Id<Process>,
    language: Language,
) -> Result<BTreeMap<OrganisationId, Heard>, Problem> {
    Ok(heard(&voices(connection, process, language)?))
}

fn voices(connection: &mut AnyConnection, process: Id<Process>, language: Language) -> Result<Vec<Voice>, Problem> {
    let challenges = challenge::store::in_process(connection, &process.to_string())?;
    let mut voices = voices_of(connection, &challenges)?;
    for said in store::commitments(connection, process, language)? {
        let CommitmentBody { organisation_id, level, volume, volumes, annual_value, option_value, .. } = said.body;
        let volumes = volume.into_iter().chain(volumes).collect();
        let figures = Figures { volumes, annual_value, option_value, hours: None };
        voices.push(Voice { body: organisation_id, level, source: Source::Commitment, figures });
    }
    let participants = store::participants(connection, process)?;
    let left = |voice: &Voice| {
        participants.iter().any(|p| p.body.organisation_id == voice.body && p.body.state == ParticipantState::Left)
    };
    voices.retain(|voice| !left(voice));
    Ok(voices)
}

/// What the owners and recognisers of these challenges would want together, were they a process.
///
/// # Errors
/// Those of the database.
pub fn demand_of(
    connection: &mut AnyConnection,
    now: Instant,
    challenges: &[Challenge],
    language: Language,
) -> Result<Demand, Problem> {
    let voices = voices_of(connection, challenges)?;
    add_up(connection, now, &voices, None, language)
}

fn add_up(
    connection: &mut AnyConnection,
    now: Instant,
    voices: &[Voice],
    option_cap: Option<Money>,
    language: Language,
) -> Result<Demand, Problem> {
    let bodies: Vec<_> = voices.iter().map(|voice| voice.body).collect();
    let places = organisation::store::places(connection, &bodies)?;
    // NUTS level 2: a country and two more characters.
    let region = |nuts: &String| nuts.get(..4).unwrap_or(nuts).to_owned();
    let codes: Vec<String> = places.values().map(region).collect();
    let names = reference::store::nuts_names(connection, &codes)?;
    let name = |nuts: &String| names.get(nuts).map(|name| name.to(language).to_owned());
    let regions: Regions = places
        .iter()
        .map(|(body, nuts)| (*body, region(nuts)))
        .map(|(body, nuts)| (body, Region { name: name(&nuts), nuts }))
        .collect();
    Ok(aggregate(voices, &regions, option_cap, now))
}

/// The owner of each challenge, and every body that recognised it, with their figures.
fn voices_of(connection: &mut AnyConnection, challenges: &[Challenge]) -> Result<Vec<Voice>, Problem> {
    let (mut voices, mut working_years) = (Vec::new(), HashMap::new());
    for challenge in challenges {
        let assessed = &challenge.assessment;
        let set = (&assessed.criteria_set, assessed.version);
        let working_year = match working_years.get(&set) {
            Some(known) => *known,
            None => {
                let found = criteria::store::find_version(connection, set.0, set.1)?
                    .ok_or_else(|| Problem::internal(&"a challenge was held to no criteria set"))?;
                *working_years.entry(set).or_insert(found.body.hours_per_full_time_equivalent)
            }
        };
        let hours = |per_year| Hours { per_year, working_year };
        let scale = challenge.description.scale.clone().unwrap_or_default();
        let figures = Figures {
            volumes: scale.volume.into_iter().collect(),
            annual_value: scale.annual_value,
            option_value: None,
            hours: assessed.hours_per_year.map(hours),
        };
        let (level, source) = (Level::Recognises, Source::Challenge);
        voices.push(Voice { body: challenge.organisation_id, level, source, figures });
        let others = challenge::store::recognitions(connection, challenge.id)?.into_iter().map(|said| Voice {
            body: said.organisation_id,
            level: said.body.level,
            source: Source::Recognition,
            figures: Figures {
                volumes: said.body.volume.into_iter().chain(said.body.volumes).collect(),
                annual_value: said.body.annual_value,
                option_value: None,
                hours: said.body.hours_saved_per_year.map(hours),
            },
        });
        voices.extend(others);
    }
    Ok(voices)
}

fn running(tx: &mut Tx<'_>, id: Id<Process>) -> Result<Process, Problem> {
    let process = store::find(tx.connection, id)?.ok_or_else(Problem::not_found)?;
    process.require_running()?;
    Ok(process)
}

fn require_organisation(
    connection: &mut AnyConnection,
    pointer: &str,
    id: Option<OrganisationId>,
) -> Result<Option<Organisation>, Problem> {
    let Some(id) = id else { return Ok(None) };
    let unknown =
        || Problem::unfit(pointer, "unknown", text!("Organisationen findes ikke", "The organisation does not exist"));
    organisation::store::find(connection, id)?.map(Some).ok_or_else(unknown)
}

/// Rule 6 of the domain: a supplier is never a need owner.
fn require_fit(connection: &mut AnyConnection, body: &ParticipantBody) -> Result<Organisation, Problem> {
    let found = require_organisation(connection, "/organisation_id", Some(body.organisation_id))?;
    let organisation = found.ok_or_else(Problem::not_found)?;
    if organisation.body.kind == Kind::Company && body.role == Role::NeedOwner {
        let detail = text!("En leverandør kan ikke være behovsejer", "A supplier cannot be a need owner");
        return Err(Problem::unfit("/role", "supplier_as_need_owner", detail));
    }
    Ok(organisation)
}

/// Marks a process as changed by something that belongs to it, and records what.
///
/// # Errors
/// Those of the database.
pub fn touch(
    tx: &mut Tx<'_>,
    now: Instant,
    process: Process,
    deed: &'static str,
    by: Actor,
    particulars: serde_json::Value,
    reason: Option<String>,
) -> Result<Process, Problem> {
    let process = Process { updated_at: now, version: process.version + 1, ..process };
    store::update(tx, &process)?;
    record(tx, Fact { reason, ..fact(&process, deed, by, now).with(particulars) })?;
    Ok(process)
}

fn fact(process: &Process, deed: &'static str, by: Actor, now: Instant) -> Fact {
    Fact::new(Subject::Process, process.id, deed, by, now)
}

impl From<WrongTurn> for Problem {
    fn from(situation: WrongTurn) -> Self {
        match situation {
            WrongTurn::Status { is, wanted } => {
                let (is, wanted) = (is.word(), wanted.word());
                Self::conflict(
                    "wrong_state",
                    text!(
                        "Processen er {is} og kan ikke blive {wanted}",
                        "The process is {is} and cannot become {wanted}"
                    ),
                )
            }
            WrongTurn::NeedsReason => {
                Self::unfit("/reason", "required", text!("Det kræver en begrundelse", "This takes a reason"))
            }
            WrongTurn::NoSuchStep => Self::not_found(),
            WrongTurn::TooEarly { waits_for } => Self::conflict(
                "too_early",
                text!("Trinnet venter på trin {waits_for}", "The step waits for step {waits_for}"),
            ),
            WrongTurn::NotOpen => Self::conflict("not_open", text!("Trinnet er ikke åbent", "The step is not open")),
            WrongTurn::Ended => Self::conflict("ended", text!("Processen er slut", "The process is over")),
        }
    }
}

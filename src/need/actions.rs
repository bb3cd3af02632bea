//! The deeds on inboxes and needs.

mod gather;

use chrono::TimeDelta;
use serde_json::json;

use super::letters::{self, News};
use super::model::department_key;
use super::{HowOften, Inbox, InboxBody, Need, OutOfOrder, Recognition, State, Told, store};
use crate::access::Member;
use crate::challenge::{self, Challenge};
use crate::db::{AnyConnection, Tx};
use crate::kernel::{Email, Fit, Id, Instant, Language, OrganisationId, Seal, SealedFor, random_token, text};
use crate::organisation;
use crate::outbox::{Actor, Fact, Subject, record};
use crate::post::store::{may_be_asked, queue_letter};
use crate::web::{IfMatch, Node, Patch, Problem};

pub use gather::{Gathering, gather, told_by, voices};

/// How long a link to a need is good after the letter or page that showed it.
const FOLLOW_LIFETIME: TimeDelta = TimeDelta::days(2 * 365);
/// Words that come again within this long are the same need.
const TWICE: TimeDelta = TimeDelta::minutes(10);
/// How many needs an inbox holds that nobody has looked at.
const MOST_UNSEEN: i64 = 5000;

/// Opens an inbox of a body.
///
/// # Errors
/// 409 when its address is another inbox's.
pub fn open(tx: &mut Tx<'_>, now: Instant, member: &Member, body: Fit<InboxBody>) -> Result<Inbox, Problem> {
    let body = body.into_inner();
    let address = match body.address {
        Some(address) => address,
        None => unguessable()?,
    };
    require_free(tx.connection, &address, None)?;
    let inbox = Inbox {
        id: Id::made_at(now),
        organisation_id: member.organisation_id(),
        address,
        title: body.title,
        asks: body.asks,
        language: body.language,
        open: body.open,
        created_at: now,
        updated_at: now,
        version: 1,
    };
    store::insert_inbox(tx, &inbox)?;
    record(tx, Fact::new(Subject::NeedsInbox, inbox.id, "opened", member.actor(), now))?;
    Ok(inbox)
}

/// Ten letters and digits that nobody guesses and a phone can type.
fn unguessable() -> Result<String, Problem> {
    let random = random_token().map_err(|error| Problem::internal(&error))?.to_lowercase();
    Ok(random.chars().filter(|c| c.is_ascii_alphanumeric() && !"01lo".contains(*c)).take(10).collect())
}

fn require_free(connection: &mut AnyConnection, address: &str, own: Option<Id<Inbox>>) -> Result<(), Problem> {
    match store::inbox_at(connection, address)? {
        Some(other) if Some(other.id) != own => {
            let detail = text!("Adressen er taget", "The address is taken");
            Err(Problem::conflict("address_taken", detail))
        }
        _ => Ok(()),
    }
}

/// Changes an inbox of the member's body, or closes it.
///
/// # Errors
/// 404, 409 for an address that is taken, 412, 422.
pub fn change_inbox(
    tx: &mut Tx<'_>,
    now: Instant,
    member: &Member,
    id: Id<Inbox>,
    seen: &IfMatch,
    patch: &Patch,
) -> Result<Inbox, Problem> {
    let inbox = own_inbox(tx.connection, member.organisation_id(), id)?;
    seen.require(inbox.version)?;
    let body: InboxBody = patch.apply(&inbox.body())?.into_inner();
    let address = body.address.clone().unwrap_or_else(|| inbox.address.clone());
    require_free(tx.connection, &address, Some(id))?;
    let particulars = json!({"before": inbox.body(), "after": body});
    let changed = Inbox {
        address,
        title: body.title,
        asks: body.asks,
        language: body.language,
        open: body.open,
        updated_at: now,
        version: inbox.version + 1,
        ..inbox
    };
    store::update_inbox(tx, &changed)?;
    record(tx, Fact::new(Subject::NeedsInbox, id, "changed", member.actor(), now).with(particulars))?;
    Ok(changed)
}

/// An inbox of this body.
///
/// # Errors
/// 404.
pub fn own_inbox(connection: &mut AnyConnection, body: OrganisationId, id: Id<Inbox>) -> Result<Inbox, Problem> {
    let found = store::find_inbox(connection, id)?.filter(|inbox| inbox.organisation_id == body);
    found.ok_or_else(Problem::not_found)
}

/// A need of this body.
///
/// # Errors
/// 404.
pub fn own(connection: &mut AnyConnection, body: OrganisationId, id: Id<Need>) -> Result<Need, Problem> {
    store::find(connection, id)?.filter(|need| need.organisation_id == body).ok_or_else(Problem::not_found)
}

/// The inbox at an address, as long as it takes needs.
///
/// # Errors
/// 404, 409 when it is closed.
fn taking(connection: &mut AnyConnection, address: &str) -> Result<Inbox, Problem> {
    let inbox = store::inbox_at(connection, address)?.ok_or_else(Problem::not_found)?;
    if inbox.open {
        return Ok(inbox);
    }
    let detail = text!("Indbakken er lukket", "The inbox is closed");
    Err(Problem::conflict("inbox_closed", detail))
}

/// Leaves a need in an inbox, with or without an address. The same words again within ten minutes are the same need.
///
/// # Errors
/// 404, 409 when the inbox is closed or full.
pub fn leave(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    address: &str,
    told: Fit<Told>,
    email: Option<Email>,
    language: Option<Language>,
) -> Result<Need, Problem> {
    let inbox = taking(tx.connection, address)?;
    if let Some(twin) = store::twin(tx.connection, inbox.id, &told, TWICE, now)? {
        return Ok(twin);
    }
    if store::unseen(tx.connection, inbox.id)? >= MOST_UNSEEN {
        let detail = text!("Indbakken er fuld, indtil nogen har set på den", "The inbox is full until it is looked at");
        return Err(Problem::conflict("inbox_full", detail));
    }
    // An address that is written to too often already is not kept: others could bomb it.
    let email = match email {
        Some(email) if may_be_asked(tx, &email, now)? => Some(email),
        _ => None,
    };
    let need = Need {
        id: Id::made_at(now),
        inbox_id: inbox.id,
        organisation_id: inbox.organisation_id,
        told: told.into_inner(),
        state: State::New,
        state_at: now,
        state_by: String::new(),
        process_id: None,
        shared: false,
        email,
        language: language.unwrap_or(inbox.language),
        left_at: now,
        version: 1,
    };
    store::insert(tx, &need)?;
    record(tx, Fact::new(Subject::Need, need.id, "left", Actor::visitor(), now))?;
    tell(tx, node, now, &need, &News::Received)?;
    Ok(need)
}

/// Tells whoever left a need and an address what became of it.
fn tell(tx: &mut Tx<'_>, node: &Node, now: Instant, need: &Need, news: &News<'_>) -> Result<(), Problem> {
    let Some(email) = &need.email else { return Ok(()) };
    let inbox = store::find_inbox(tx.connection, need.inbox_id)?.ok_or_else(Problem::not_found)?;
    let body = organisation::store::find(tx.connection, need.organisation_id)?.map(|body| body.body.name);
    let letter = letters::about(need, email, &inbox, &body.unwrap_or_default(), news, follow_url(node, need.id, now));
    Ok(queue_letter(tx, &letter, now)?)
}

/// The token by which whoever left a need sees what became of it.
#[must_use]
pub fn follow_token(node: &Node, id: Id<Need>, now: Instant) -> String {
    node.seal.token(SealedFor::FollowNeed, id, Some(now + FOLLOW_LIFETIME), "")
}

/// The page behind that token.
#[must_use]
pub fn follow_url(node: &Node, id: Id<Need>, now: Instant) -> String {
    node.url(&format!("/api/v1/needs/follow/{}", follow_token(node, id, now)))
}

/// The need that a link names.
///
/// # Errors
/// 410 for a link that is altered or expired, or whose need is gone.
pub fn followed(connection: &mut AnyConnection, node: &Node, now: Instant, token: &str) -> Result<Need, Problem> {
    let id: Id<Need> = Seal::named_by(token).ok_or_else(Problem::dead_link)?;
    if !node.seal.opens(token, SealedFor::FollowNeed, id, "", now) {
        return Err(Problem::dead_link());
    }
    store::find(connection, id)?.ok_or_else(Problem::dead_link)
}

/// Sends no more mail about a need: its address is forgotten.
///
/// # Errors
/// 410.
pub fn stop(tx: &mut Tx<'_>, node: &Node, now: Instant, token: &str) -> Result<Need, Problem> {
    let need = followed(tx.connection, node, now, token)?;
    let quiet = Need { email: None, version: need.version + 1, ..need };
    store::update(tx, &quiet)?;
    record(tx, Fact::new(Subject::Need, quiet.id, "stopped_following", Actor::visitor(), now))?;
    Ok(quiet)
}

/// Forgets a need. One that is part of a challenge leaves its figures there, so that the count stays true, and no word.
///
/// # Errors
/// 410.
pub fn erase(tx: &mut Tx<'_>, node: &Node, now: Instant, token: &str) -> Result<(), Problem> {
    let need = followed(tx.connection, node, now, token)?;
    let id = need.id;
    if matches!(need.state, State::Gathered { .. }) {
        let (told, version) = (need.told.clone().without_words(), need.version + 1);
        store::update(tx, &Need { told, email: None, shared: false, version, ..need })?;
    } else {
        store::delete(tx, id)?;
    }
    Ok(record(tx, Fact::new(Subject::Need, id, "erased", Actor::visitor(), now))?)
}

/// Says that a department has a shared need too, at the inbox's own address.
///
/// # Errors
/// 404 for a need that is not shared there or is settled, 409 when the inbox is closed.
pub fn recognise_at(
    tx: &mut Tx<'_>,
    now: Instant,
    address: &str,
    id: Id<Need>,
    department: String,
    how_often: Option<HowOften>,
) -> Result<Recognition, Problem> {
    let inbox = taking(tx.connection, address)?;
    let found = store::find(tx.connection, id)?.filter(|need| need.inbox_id == inbox.id && need.is_offered());
    let need = found.ok_or_else(Problem::not_found)?;
    let said = (department, how_often, String::new());
    say_so(tx, now, &need, inbox.organisation_id, said, Actor::visitor())
}

/// Says that the member's body, or one of its departments, has a need too.
///
/// # Errors
/// 404 for others' needs that are not shared or are settled, 422 for the body's own need without a department.
pub fn recognise(
    tx: &mut Tx<'_>,
    now: Instant,
    member: &Member,
    id: Id<Need>,
    department: String,
    how_often: Option<HowOften>,
    note: String,
) -> Result<Recognition, Problem> {
    let body = member.organisation_id();
    let found = store::find(tx.connection, id)?.filter(|need| need.is_offered() || need.organisation_id == body);
    let need = found.ok_or_else(Problem::not_found)?;
    if need.organisation_id == body && department.is_empty() {
        let detail = text!("Skriv, hvilken afdeling der har det", "Say which department has it");
        return Err(Problem::unfit("/department", "required", detail));
    }
    say_so(tx, now, &need, body, (department, how_often, note), member.actor())
}

fn say_so(
    tx: &mut Tx<'_>,
    now: Instant,
    need: &Need,
    body: OrganisationId,
    (department, how_often, note): (String, Option<HowOften>, String),
    by: Actor,
) -> Result<Recognition, Problem> {
    let own = body == need.organisation_id;
    if own && department_key(&department) == department_key(&need.told.department) {
        let detail = text!("Behovet kom fra den afdeling", "The need came from that department");
        return Err(Problem::conflict("own_need", detail));
    }
    let organisation = organisation::store::find(tx.connection, body)?.ok_or_else(Problem::not_found)?.body.name;
    let id = Id::made_at(now);
    let said = Recognition { id, organisation_id: body, organisation, department, how_often, note, said_at: now };
    store::insert_recognition(tx, need.id, &said, &by.name)?;
    let fact = Fact::new(Subject::Need, need.id, "recognised", by, now);
    record(tx, fact.with(json!({"organisation": said.organisation, "department": said.department})))?;
    Ok(said)
}

/// What a body decides on needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Somebody looked at them, or takes them up again.
    See,
    Answer(String),
    SetAside(String),
}

/// Decides on needs of the member's body, all or none; those who left an address hear of answers and reasons.
///
/// # Errors
/// 404 with the place of the first that is not the body's, 409 with the place of the first that is settled already.
pub fn decide(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    member: &Member,
    ids: &[Id<Need>],
    decision: &Decision,
) -> Result<Vec<Need>, Problem> {
    let by = member.actor();
    let mut decided = Vec::new();
    for (place, id) in ids.iter().enumerate() {
        let need = named(tx.connection, member.organisation_id(), *id, place)?;
        let (need, deed, reason) = match decision {
            Decision::See => (see(tx.connection, need, &by.name, now)?, "seen", None),
            Decision::Answer(answer) => {
                let state = State::Answered { answer: answer.clone() };
                (need.settle(state, &by.name, now)?, "answered", Some(answer))
            }
            Decision::SetAside(reason) => {
                let state = State::SetAside { reason: reason.clone() };
                (need.settle(state, &by.name, now)?, "set_aside", Some(reason))
            }
        };
        store::update(tx, &need)?;
        let fact = Fact::new(Subject::Need, *id, deed, by.clone(), now);
        record(tx, Fact { reason: reason.cloned(), ..fact })?;
        match decision {
            Decision::See => {}
            Decision::Answer(answer) => tell(tx, node, now, &need, &News::Answered { answer })?,
            Decision::SetAside(reason) => tell(tx, node, now, &need, &News::SetAside { reason })?,
        }
        decided.push(need);
    }
    Ok(decided)
}

/// Takes a need up again. Out of a challenge only while that is being written: later the path must stay.
fn see(connection: &mut AnyConnection, need: Need, by: &str, now: Instant) -> Result<Need, Problem> {
    if let State::Gathered { challenge_id } = need.state {
        let challenge = challenge::store::find(connection, challenge_id)?.ok_or_else(Problem::not_found)?;
        challenge.require_editable()?;
    }
    Ok(need.see(by, now))
}

/// A need of the body, by its place in a request.
fn named(connection: &mut AnyConnection, body: OrganisationId, id: Id<Need>, place: usize) -> Result<Need, Problem> {
    own(connection, body, id).map_err(|problem| {
        if problem.status.is_server_error() {
            return problem;
        }
        let detail = text!("Behovet findes ikke", "The need does not exist");
        Problem::unfit(&format!("/need_ids/{place}"), "unknown", detail)
    })
}

/// Changes the words of a need, as to take out what points to a person, or whether it is shared.
///
/// # Errors
/// 404, 412, 422.
pub fn change(
    tx: &mut Tx<'_>,
    now: Instant,
    member: &Member,
    id: Id<Need>,
    seen: &IfMatch,
    mut patch: Patch,
) -> Result<Need, Problem> {
    let need = own(tx.connection, member.organisation_id(), id)?;
    seen.require(need.version)?;
    let shared = match patch.take("shared") {
        None => need.shared,
        Some(shared) => shared.as_bool().ok_or_else(|| {
            Problem::unfit("/shared", "wrong_type", text!("Forventede true eller false", "Expected true or false"))
        })?,
    };
    let told: Told = patch.apply(&need.told)?.into_inner();
    // The words before are not kept: they may be changed because they point to somebody.
    let particulars = json!({"shared": shared, "reworded": told != need.told});
    let changed = Need { told, shared, version: need.version + 1, ..need };
    store::update(tx, &changed)?;
    record(tx, Fact::new(Subject::Need, id, "changed", member.actor(), now).with(particulars))?;
    Ok(changed)
}

/// Tells those whose needs stand behind these challenges that they are in a process that the public sees; each once.
///
/// # Errors
/// Those of the database.
pub fn reached_process(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    by: &Actor,
    challenges: &[Id<Challenge>],
    (process_id, process): (&str, &str),
) -> Result<(), Problem> {
    for need in store::behind(tx.connection, challenges)? {
        if need.process_id.as_deref() == Some(process_id) {
            continue;
        }
        let need = Need { process_id: Some(process_id.to_owned()), version: need.version + 1, ..need };
        store::update(tx, &need)?;
        let url = node.url(&format!("/processes/{process_id}"));
        tell(tx, node, now, &need, &News::InProcess { process, url })?;
        let fact = Fact::new(Subject::Need, need.id, "reached_process", by.clone(), now);
        record(tx, fact.with(json!({"process_id": process_id, "title": process})))?;
    }
    Ok(())
}

impl From<OutOfOrder> for Problem {
    fn from(OutOfOrder { is }: OutOfOrder) -> Self {
        let is = is.name();
        let (da, en) = (is.da, is.en);
        let detail =
            text!("Behovet er {da}; tag det op igen først (see)", "The need is {en}; take it up again first (see)");
        Self::conflict("wrong_state", detail)
    }
}

//! Processes and all that belongs to them, in the database.

mod published;

pub use published::PUBLISHED;

use std::collections::HashMap;

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use super::{
    Commitment, CommitmentBody, Participant, ParticipantBody, ParticipantState, Process, ProcessBody, Role, Status,
    TimelineEntry,
};
use crate::challenge::Level;
use crate::db::schema::{commitment, participant, process, timeline_entry};
use crate::db::{AnyConnection, DbError, Lift, Tx, by_change, optional};
use crate::kernel::{Cursor, Direction, Id, Instant, Language, OrganisationId, Page, PageRequest};
use crate::organisation::store::names;

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = process, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Row {
    id: String,
    title: String,
    summary: String,
    status: String,
    lead_organisation_id: Option<String>,
    option_cap: Option<String>,
    steps: String,
    version: i64,
    changed: i64,
    created_at: NaiveDateTime,
    updated_at: NaiveDateTime,
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, DbError> {
    serde_json::to_string(value).map_err(|error| DbError::Refused(error.to_string()))
}

impl Row {
    fn of(process: &Process, change: i64) -> Result<Self, DbError> {
        let body = process.body.clone();
        Ok(Self {
            id: process.id.to_string(),
            title: body.title,
            summary: body.summary,
            status: body.status.word().to_owned(),
            lead_organisation_id: body.lead_organisation_id.map(|id| id.to_string()),
            option_cap: body.option_cap.as_ref().map(json).transpose()?,
            steps: json(&process.steps)?,
            version: process.version,
            changed: change,
            created_at: process.created_at.naive_utc(),
            updated_at: process.updated_at.naive_utc(),
        })
    }
}

impl TryFrom<Row> for Process {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let lift = Lift::new("process", &row.id);
        let lead = row.lead_organisation_id.as_ref().map(|id| lift.id("lead_organisation_id", id));
        Ok(Self {
            id: lift.id("id", &row.id)?,
            body: ProcessBody {
                status: lift.some("status", Status::from_word(&row.status))?,
                lead_organisation_id: lead.transpose()?,
                option_cap: row.option_cap.as_ref().map(|cap| lift.json("option_cap", cap)).transpose()?,
                title: row.title,
                summary: row.summary,
            },
            steps: lift.json("steps", &row.steps)?,
            version: row.version,
            created_at: row.created_at.and_utc(),
            updated_at: row.updated_at.and_utc(),
        })
    }
}

/// The name of the list, which its cursors carry.
pub const LIST: &str = "process";

/// One page of processes; those being prepared only for staff.
///
/// # Errors
/// [`DbError`].
pub fn list(
    connection: &mut AnyConnection,
    staff: bool,
    status: Option<Status>,
    request: &PageRequest,
) -> Result<Page<Process>, DbError> {
    use process as p;
    let mut query = p::table.into_boxed();
    if !staff {
        query = query.filter(p::status.ne(Status::Preparing.word()));
    }
    if let Some(status) = status {
        query = query.filter(p::status.eq(status.word()));
    }
    query = by_change!(query, p, request.direction, request.after.as_ref());
    let rows: Vec<Row> = query.limit(request.limit + 1).load(connection)?;
    Page::of(LIST, request, rows, |row| Cursor { changed: row.changed, id: row.id.clone() }).try_map(Process::try_from)
}

/// The process of this id.
///
/// # Errors
/// [`DbError`].
pub fn find(connection: &mut AnyConnection, id: Id<Process>) -> Result<Option<Process>, DbError> {
    let row: Option<Row> = optional(process::table.find(id.to_string()).first(connection))?;
    row.map(Process::try_from).transpose()
}

/// Adds a process.
///
/// # Errors
/// [`DbError`].
pub fn insert(tx: &mut Tx<'_>, process: &Process) -> Result<(), DbError> {
    diesel::insert_into(process::table).values(Row::of(process, tx.change)?).execute(tx.connection)?;
    Ok(())
}

/// Stores a process that was changed.
///
/// # Errors
/// [`DbError`].
pub fn update(tx: &mut Tx<'_>, process: &Process) -> Result<(), DbError> {
    diesel::update(process::table.find(process.id.to_string()))
        .set(Row::of(process, tx.change)?)
        .execute(tx.connection)?;
    Ok(())
}

type ParticipantRow = (String, String, String, String, NaiveDate, Option<NaiveDate>, Option<NaiveDate>);

/// Whether the body was let in among the participants, and has not left.
///
/// # Errors
/// [`DbError`].
pub fn is_inside(
    connection: &mut AnyConnection,
    process: Id<Process>,
    body: Option<OrganisationId>,
) -> Result<bool, DbError> {
    let known = participants(connection, process)?;
    Ok(known.iter().any(|one| Some(one.body.organisation_id) == body && one.body.state.is_let_in()))
}

/// Who takes part, in the order of joining.
///
/// # Errors
/// [`DbError`].
pub fn participants(connection: &mut AnyConnection, process: Id<Process>) -> Result<Vec<Participant>, DbError> {
    use participant as p;
    let rows: Vec<ParticipantRow> = p::table
        .filter(p::process_id.eq(process.to_string()))
        .order((p::joined_on, p::id))
        .select((p::id, p::organisation_id, p::role, p::state, p::joined_on, p::left_on, p::signed_on))
        .load(connection)?;
    let bodies = rows.iter().map(|row| Lift::new("participant", &row.0).id("organisation_id", &row.1));
    let names = names(connection, &bodies.collect::<Result<Vec<_>, _>>()?)?;
    let lift = |(id, body, role, state, joined_on, left_on, signed_on): ParticipantRow| {
        let row = Lift::new("participant", &id);
        let organisation_id: OrganisationId = row.id("organisation_id", &body)?;
        Ok(Participant {
            id: row.id("id", &id)?,
            organisation: names.get(&organisation_id).cloned().unwrap_or_default(),
            body: ParticipantBody {
                organisation_id,
                role: row.some("role", Role::from_word(&role))?,
                state: row.some("state", ParticipantState::from_word(&state))?,
                joined_on,
                left_on,
            },
            signed_on,
        })
    };
    rows.into_iter().map(lift).collect()
}

/// The processes that the public does not see.
///
/// # Errors
/// [`DbError`].
pub fn hidden(connection: &mut AnyConnection) -> Result<Vec<Id<Process>>, DbError> {
    use process as p;
    let rows: Vec<String> = p::table.filter(p::status.eq(Status::Preparing.word())).select(p::id).load(connection)?;
    rows.iter().map(|id| Lift::new("process", id).id("id", id)).collect()
}

/// A body that asked to join and was not answered.
#[derive(Clone, Debug)]
pub struct JoinRequest {
    pub participant: Id<Participant>,
    pub process: Id<Process>,
    pub title: String,
    pub organisation: String,
    pub joined_on: NaiveDate,
}

/// The bodies that asked to join a process that goes on, longest waiting first.
///
/// # Errors
/// [`DbError`].
pub fn join_requests(connection: &mut AnyConnection, limit: i64) -> Result<Vec<JoinRequest>, DbError> {
    use participant as p;
    let over = [Status::Completed.word(), Status::Abandoned.word()];
    let rows: Vec<(String, String, String, NaiveDate, String)> = p::table
        .inner_join(process::table)
        .filter(p::state.eq(ParticipantState::Interested.word()).and(process::status.ne_all(over)))
        .order((p::joined_on, p::id))
        .limit(limit)
        .select((p::id, p::process_id, p::organisation_id, p::joined_on, process::title))
        .load(connection)?;
    let bodies = rows.iter().map(|row| Lift::new("participant", &row.0).id("organisation_id", &row.2));
    let names = names(connection, &bodies.collect::<Result<Vec<_>, _>>()?)?;
    let lift = |(id, process, body, joined_on, title): (String, String, String, NaiveDate, String)| {
        let row = Lift::new("participant", &id);
        let body: OrganisationId = row.id("organisation_id", &body)?;
        let organisation = names.get(&body).cloned().unwrap_or_default();
        Ok(JoinRequest {
            participant: row.id("id", &id)?,
            process: row.id("process_id", &process)?,
            title,
            organisation,
            joined_on,
        })
    };
    rows.into_iter().map(lift).collect()
}

/// The titles of those of these processes that go on.
///
/// # Errors
/// [`DbError`].
pub fn running_titles(
    connection: &mut AnyConnection,
    ids: &[Id<Process>],
) -> Result<HashMap<Id<Process>, String>, DbError> {
    let over = [Status::Completed.word(), Status::Abandoned.word()];
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let rows: Vec<(String, String)> = process::table
        .filter(process::id.eq_any(ids).and(process::status.ne_all(over)))
        .select((process::id, process::title))
        .load(connection)?;
    rows.into_iter().map(|(id, title)| Ok((Lift::new("process", &id).id("id", &id)?, title))).collect()
}

/// A body's part in a process that goes on.
#[derive(Clone, Debug)]
pub struct Part {
    pub process: Id<Process>,
    pub title: String,
    pub state: ParticipantState,
    pub joined_on: NaiveDate,
    /// Whether its role is one that wants something of the process.
    pub may_commit: bool,
    pub has_committed: bool,
}

/// The processes that go on and that this body takes part in, was asked into, or asked to join.
///
/// # Errors
/// [`DbError`].
pub fn parts_of(connection: &mut AnyConnection, body: OrganisationId) -> Result<Vec<Part>, DbError> {
    use participant as p;
    let over = [Status::Completed.word(), Status::Abandoned.word()];
    let rows: Vec<(String, String, String, String, NaiveDate, String)> = p::table
        .inner_join(process::table)
        .filter(p::organisation_id.eq(body.to_string()))
        .filter(p::state.ne(ParticipantState::Left.word()).and(process::status.ne_all(over)))
        .order((p::joined_on, p::id))
        .select((p::id, p::process_id, p::role, p::state, p::joined_on, process::title))
        .load(connection)?;
    let committed: Vec<String> = commitment::table
        .filter(commitment::organisation_id.eq(body.to_string()).and(commitment::counts.eq(true)))
        .select(commitment::process_id)
        .load(connection)?;
    let lift = |(id, process, role, state, joined_on, title): (String, String, String, String, NaiveDate, String)| {
        let row = Lift::new("participant", &id);
        let role = row.some("role", Role::from_word(&role))?;
        Ok(Part {
            has_committed: committed.contains(&process),
            process: row.id("process_id", &process)?,
            title,
            state: row.some("state", ParticipantState::from_word(&state))?,
            joined_on,
            may_commit: matches!(role, Role::NeedOwner | Role::ScalingPartner),
        })
    };
    rows.into_iter().map(lift).collect()
}

/// Where processes stand in the order of change: those changed after a place and at most at `until`.
///
/// # Errors
/// [`DbError`].
pub fn changed_after(
    connection: &mut AnyConnection,
    staff: bool,
    after: Option<&Cursor>,
    until: i64,
    limit: i64,
) -> Result<Vec<(Cursor, Process)>, DbError> {
    use process as p;
    let mut query = p::table.filter(p::changed.le(until)).into_boxed();
    if !staff {
        query = query.filter(p::status.ne(Status::Preparing.word()));
    }
    let query = by_change!(query, p, Direction::OldestFirst, after);
    let rows: Vec<Row> = query.limit(limit).load(connection)?;
    rows.into_iter()
        .map(|row| Ok((Cursor { changed: row.changed, id: row.id.clone() }, Process::try_from(row)?)))
        .collect()
}

/// Adds a participant.
///
/// # Errors
/// [`DbError`], also for an organisation that takes part already: look first.
pub fn insert_participant(
    tx: &mut Tx<'_>,
    process: Id<Process>,
    id: Id<Participant>,
    body: &ParticipantBody,
) -> Result<(), DbError> {
    use participant as p;
    diesel::insert_into(p::table)
        .values((
            p::id.eq(id.to_string()),
            p::process_id.eq(process.to_string()),
            p::organisation_id.eq(body.organisation_id.to_string()),
            p::role.eq(body.role.word()),
            p::state.eq(body.state.word()),
            p::joined_on.eq(body.joined_on),
            p::left_on.eq(body.left_on),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// Stores a participant that was changed.
///
/// # Errors
/// [`DbError`].
pub fn update_participant(tx: &mut Tx<'_>, id: Id<Participant>, body: &ParticipantBody) -> Result<(), DbError> {
    use participant as p;
    diesel::update(p::table.find(id.to_string()))
        .set((
            p::role.eq(body.role.word()),
            p::state.eq(body.state.word()),
            p::joined_on.eq(body.joined_on),
            p::left_on.eq(body.left_on),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// Stores whether a participant's signature stands.
///
/// # Errors
/// [`DbError`].
pub fn mark_signed(
    tx: &mut Tx<'_>,
    process: Id<Process>,
    body: OrganisationId,
    on: Option<NaiveDate>,
) -> Result<(), DbError> {
    use participant as p;
    let signer = p::table.filter(p::process_id.eq(process.to_string())).filter(p::organisation_id.eq(body.to_string()));
    diesel::update(signer).set(p::signed_on.eq(on)).execute(tx.connection)?;
    Ok(())
}

type CommitmentRow = (String, String, String, String, bool, String, NaiveDateTime);

/// The commitments that count, one a body.
///
/// # Errors
/// [`DbError`].
pub fn commitments(
    connection: &mut AnyConnection,
    process: Id<Process>,
    language: Language,
) -> Result<Vec<Commitment>, DbError> {
    let mut said = all_commitments(connection, process, language)?;
    said.retain(|said| said.counts);
    Ok(said)
}

/// All that was ever said, oldest first.
///
/// # Errors
/// [`DbError`].
pub fn all_commitments(
    connection: &mut AnyConnection,
    process: Id<Process>,
    language: Language,
) -> Result<Vec<Commitment>, DbError> {
    use commitment as c;
    let rows: Vec<CommitmentRow> = c::table
        .filter(c::process_id.eq(process.to_string()))
        .order((c::said_at, c::id))
        .select((c::id, c::organisation_id, c::level, c::figures, c::counts, c::said_by, c::said_at))
        .load(connection)?;
    let bodies = rows.iter().map(|row| Lift::new("commitment", &row.0).id("organisation_id", &row.1));
    let names = names(connection, &bodies.collect::<Result<Vec<_>, _>>()?)?;
    let lift = |(id, body, level, figures, counts, said_by, said_at): CommitmentRow| {
        let row = Lift::new("commitment", &id);
        let organisation_id: OrganisationId = row.id("organisation_id", &body)?;
        let level = row.some("level", Level::from_word(&level))?;
        Ok(Commitment {
            id: row.id("id", &id)?,
            organisation: names.get(&organisation_id).cloned().unwrap_or_default(),
            body: CommitmentBody { level, organisation_id, ..row.json("figures", &figures)? },
            binds_to: level.meaning().to(language).to_owned(),
            counts,
            said_by,
            said_at: said_at.and_utc(),
        })
    };
    rows.into_iter().map(lift).collect()
}

/// The processes that a body takes part in, has committed itself to, or leads.
///
/// # Errors
/// [`DbError`].
pub fn processes_of(connection: &mut AnyConnection, body: OrganisationId) -> Result<Vec<Id<Process>>, DbError> {
    let body = body.to_string();
    let (p, c) = (participant::process_id, commitment::process_id);
    let mut ids: Vec<String> =
        participant::table.filter(participant::organisation_id.eq(&body)).select(p).load(connection)?;
    let committed = commitment::table.filter(commitment::organisation_id.eq(&body).and(commitment::counts.eq(true)));
    ids.extend(committed.select(c).load::<String>(connection)?);
    let led = process::table.filter(process::lead_organisation_id.eq(&body));
    ids.extend(led.select(process::id).load::<String>(connection)?);
    ids.sort_unstable();
    ids.dedup();
    ids.iter().map(|id| Lift::new("process", id).id("id", id)).collect()
}

/// In how many processes a body takes part, and to how many it is committed.
///
/// # Errors
/// [`DbError`].
pub fn count_of(connection: &mut AnyConnection, body: OrganisationId) -> Result<(usize, usize), DbError> {
    let body = body.to_string();
    let left = ParticipantState::Left.word();
    let there = participant::table.filter(participant::organisation_id.eq(&body).and(participant::state.ne(left)));
    let committed = commitment::table.filter(commitment::organisation_id.eq(&body).and(commitment::counts.eq(true)));
    let (there, committed): (i64, i64) =
        (there.count().get_result(connection)?, committed.count().get_result(connection)?);
    Ok((usize::try_from(there).unwrap_or_default(), usize::try_from(committed).unwrap_or_default()))
}

/// A body's commitment no longer counts, and is kept.
///
/// # Errors
/// [`DbError`].
pub fn retire_commitment(tx: &mut Tx<'_>, process: Id<Process>, body: OrganisationId) -> Result<(), DbError> {
    use commitment as c;
    let before = c::table
        .filter(c::process_id.eq(process.to_string()))
        .filter(c::organisation_id.eq(body.to_string()).and(c::counts.eq(true)));
    diesel::update(before).set(c::counts.eq(false)).execute(tx.connection)?;
    Ok(())
}

/// Writes down a commitment; the body's one before it no longer counts and is kept.
///
/// # Errors
/// [`DbError`].
pub fn insert_commitment(tx: &mut Tx<'_>, process: Id<Process>, said: &Commitment) -> Result<(), DbError> {
    use commitment as c;
    retire_commitment(tx, process, said.body.organisation_id)?;
    diesel::insert_into(c::table)
        .values((
            c::id.eq(said.id.to_string()),
            c::process_id.eq(process.to_string()),
            c::organisation_id.eq(said.body.organisation_id.to_string()),
            c::level.eq(said.body.level.word()),
            c::figures.eq(json(&said.body)?),
            c::said_by.eq(&said.said_by),
            c::said_at.eq(said.said_at.naive_utc()),
            c::counts.eq(said.counts),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// What happened in a process, oldest first.
///
/// # Errors
/// [`DbError`].
pub fn timeline(connection: &mut AnyConnection, process: Id<Process>) -> Result<Vec<TimelineEntry>, DbError> {
    use timeline_entry as t;
    let rows: Vec<(String, String)> = t::table
        .filter(t::process_id.eq(process.to_string()))
        .order((t::happened_on, t::id))
        .select((t::id, t::body))
        .load(connection)?;
    let lift = |(id, body): (String, String)| {
        let row = Lift::new("timeline_entry", &id);
        Ok(TimelineEntry { id: row.id("id", &id)?, body: row.json("body", &body)? })
    };
    rows.into_iter().map(lift).collect()
}

/// Adds an entry to a timeline.
///
/// # Errors
/// [`DbError`].
pub fn insert_timeline(
    tx: &mut Tx<'_>,
    process: Id<Process>,
    entry: &TimelineEntry,
    now: Instant,
) -> Result<(), DbError> {
    use timeline_entry as t;
    diesel::insert_into(t::table)
        .values((
            t::id.eq(entry.id.to_string()),
            t::process_id.eq(process.to_string()),
            t::happened_on.eq(entry.body.happened_on),
            t::body.eq(json(&entry.body)?),
            t::created_at.eq(now.naive_utc()),
        ))
        .execute(tx.connection)?;
    Ok(())
}

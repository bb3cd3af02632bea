//! Adoptions and outcomes in the database.

mod published;

pub use published::PUBLISHED;

use std::collections::HashMap;

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use super::{Adoption, BuyerContact, Figures, Outcome, OutcomeState, Report, Stage, StageEntry, Way};
use crate::db::schema::{adoption, adoption_stage, outcome};
use crate::db::{AnyConnection, DbError, Lift, Tx, by_change, optional};
use crate::kernel::{Cursor, Id, Instant, OrganisationId, Page, PageRequest};
use crate::organisation::store::names;
use crate::process::Process;

type Row = (String, String, String, NaiveDate, String, Option<String>, String);

const COLUMNS: (
    adoption::id,
    adoption::process_id,
    adoption::organisation_id,
    adoption::adopted_on,
    adoption::way,
    adoption::contact,
    adoption::expected,
) = (
    adoption::id,
    adoption::process_id,
    adoption::organisation_id,
    adoption::adopted_on,
    adoption::way,
    adoption::contact,
    adoption::expected,
);

fn json<T: serde::Serialize>(value: &T) -> Result<String, DbError> {
    serde_json::to_string(value).map_err(|error| DbError::Refused(error.to_string()))
}

/// The rows with their stages and the names of their bodies.
fn whole(connection: &mut AnyConnection, rows: Vec<Row>) -> Result<Vec<Adoption>, DbError> {
    use adoption_stage as s;
    let ids: Vec<&String> = rows.iter().map(|row| &row.0).collect();
    let entries: Vec<(String, String, NaiveDate)> = s::table
        .filter(s::adoption_id.eq_any(&ids))
        .order((s::adoption_id, s::turn))
        .select((s::adoption_id, s::stage, s::since))
        .load(connection)?;
    let mut stages: HashMap<String, Vec<StageEntry>> = HashMap::new();
    for (id, stage, since) in entries {
        let stage = Lift::new("adoption_stage", &id).some("stage", Stage::from_word(&stage))?;
        stages.entry(id).or_default().push(StageEntry { stage, since });
    }
    let bodies = rows.iter().map(|row| Lift::new("adoption", &row.0).id("organisation_id", &row.2));
    let names = names(connection, &bodies.collect::<Result<Vec<_>, _>>()?)?;
    let lift = |(id, process, body, adopted_on, way, contact, expected): Row| {
        let row = Lift::new("adoption", &id);
        let organisation_id: OrganisationId = row.id("organisation_id", &body)?;
        Ok(Adoption {
            id: row.id("id", &id)?,
            process_id: row.id("process_id", &process)?,
            organisation_id,
            organisation: names.get(&organisation_id).cloned().unwrap_or_default(),
            adopted_on,
            way: row.some("way", Way::from_word(&way))?,
            contact: contact.map(|contact| row.json::<BuyerContact>("contact", &contact)).transpose()?,
            expected: row.json::<Figures>("expected", &expected)?,
            stages: stages.remove(&id).unwrap_or_default(),
        })
    };
    rows.into_iter().map(lift).collect()
}

/// Who takes the solution over, in the order of doing so.
///
/// # Errors
/// [`DbError`].
pub fn of_process(connection: &mut AnyConnection, process: Id<Process>) -> Result<Vec<Adoption>, DbError> {
    use adoption as a;
    let rows: Vec<Row> = a::table
        .filter(a::process_id.eq(process.to_string()))
        .order((a::adopted_on, a::id))
        .select(COLUMNS)
        .load(connection)?;
    whole(connection, rows)
}

/// The adoption of this id.
///
/// # Errors
/// [`DbError`].
pub fn find(connection: &mut AnyConnection, id: Id<Adoption>) -> Result<Option<Adoption>, DbError> {
    let row: Option<Row> = optional(adoption::table.find(id.to_string()).select(COLUMNS).first(connection))?;
    Ok(whole(connection, row.into_iter().collect())?.pop())
}

/// A process's adoption by this body.
///
/// # Errors
/// [`DbError`].
pub fn of_body(
    connection: &mut AnyConnection,
    process: Id<Process>,
    body: OrganisationId,
) -> Result<Option<Adoption>, DbError> {
    use adoption as a;
    let found = a::table
        .filter(a::process_id.eq(process.to_string()).and(a::organisation_id.eq(body.to_string())))
        .select(COLUMNS)
        .first(connection);
    let row: Option<Row> = optional(found)?;
    Ok(whole(connection, row.into_iter().collect())?.pop())
}

/// The adoptions whose contact can be asked.
///
/// # Errors
/// [`DbError`].
pub fn with_contact(connection: &mut AnyConnection) -> Result<Vec<Adoption>, DbError> {
    let rows: Vec<Row> =
        adoption::table.filter(adoption::contact.is_not_null()).order(adoption::id).select(COLUMNS).load(connection)?;
    whole(connection, rows)
}

/// Adds an adoption, or stores what changed of it.
///
/// # Errors
/// [`DbError`].
pub fn put(tx: &mut Tx<'_>, one: &Adoption, by: &str, now: Instant) -> Result<(), DbError> {
    use adoption as a;
    let contact = one.contact.as_ref().map(json).transpose()?;
    let told = (
        a::adopted_on.eq(one.adopted_on),
        a::way.eq(one.way.word()),
        a::contact.eq(contact),
        a::expected.eq(json(&one.expected)?),
    );
    let id = one.id.to_string();
    if diesel::update(a::table.find(&id)).set(told.clone()).execute(tx.connection)? == 0 {
        let named = (
            a::id.eq(&id),
            a::process_id.eq(one.process_id.to_string()),
            a::organisation_id.eq(one.organisation_id.to_string()),
            a::created_at.eq(now.naive_utc()),
        );
        diesel::insert_into(a::table).values((named, told)).execute(tx.connection)?;
    }
    put_stages(tx, &id, &one.stages, by, now)
}

/// Stages are added; only the day of a first one is ever mended.
fn put_stages(tx: &mut Tx<'_>, id: &str, stages: &[StageEntry], by: &str, now: Instant) -> Result<(), DbError> {
    use adoption_stage as s;
    let known: i64 = s::table.filter(s::adoption_id.eq(id)).count().get_result(tx.connection)?;
    for (turn, entry) in (1_i64..).zip(stages) {
        if turn > known {
            diesel::insert_into(s::table)
                .values((
                    s::adoption_id.eq(id),
                    s::turn.eq(turn),
                    s::stage.eq(entry.stage.word()),
                    s::since.eq(entry.since),
                    s::said_by.eq(by),
                    s::said_at.eq(now.naive_utc()),
                ))
                .execute(tx.connection)?;
        } else if turn == 1 {
            let first = s::table.find((id, turn));
            diesel::update(first).set(s::since.eq(entry.since)).execute(tx.connection)?;
        }
    }
    Ok(())
}

type OutcomeRow = (
    String,
    String,
    i32,
    String,
    Option<NaiveDateTime>,
    Option<NaiveDateTime>,
    Option<String>,
    Option<NaiveDateTime>,
    Option<String>,
    i64,
);

fn lift(row: OutcomeRow) -> Result<Outcome, DbError> {
    let (id, adoption, months, status, asked_at, reminded_at, report, reported_at, reported_by, _) = row;
    let row = Lift::new("outcome", &id);
    let state = match status.as_str() {
        "asked" => OutcomeState::Asked {
            asked_at: row.some("asked_at", asked_at)?.and_utc(),
            reminded_at: reminded_at.map(|at| at.and_utc()),
        },
        "passed_over" => OutcomeState::PassedOver,
        "reported" => OutcomeState::Reported {
            report: row.json::<Report>("report", &row.some("report", report)?)?,
            reported_at: row.some("reported_at", reported_at)?.and_utc(),
            reported_by: row.some("reported_by", reported_by)?,
        },
        _ => return Err(row.impossible("status")),
    };
    Ok(Outcome { id: row.id("id", &id)?, adoption_id: row.id("adoption_id", &adoption)?, months, state })
}

/// The outcome of this id.
///
/// # Errors
/// [`DbError`].
pub fn find_outcome(connection: &mut AnyConnection, id: Id<Outcome>) -> Result<Option<Outcome>, DbError> {
    let row: Option<OutcomeRow> = optional(outcome::table.find(id.to_string()).first(connection))?;
    row.map(lift).transpose()
}

/// What is known of these adoptions' outcomes, by adoption.
///
/// # Errors
/// [`DbError`].
pub fn outcomes_of(
    connection: &mut AnyConnection,
    adoptions: &[Id<Adoption>],
) -> Result<HashMap<Id<Adoption>, Vec<Outcome>>, DbError> {
    use outcome as o;
    let mut found: HashMap<Id<Adoption>, Vec<Outcome>> = HashMap::new();
    // As many names as either engine takes in one statement.
    for ids in adoptions.chunks(500) {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let rows: Vec<OutcomeRow> = o::table.filter(o::adoption_id.eq_any(ids)).order(o::months).load(connection)?;
        for row in rows {
            let one = lift(row)?;
            found.entry(one.adoption_id).or_default().push(one);
        }
    }
    Ok(found)
}

/// Adds an outcome, or stores how it stands now.
///
/// # Errors
/// [`DbError`].
pub fn put_outcome(tx: &mut Tx<'_>, one: &Outcome) -> Result<(), DbError> {
    use outcome as o;
    let (asked_at, reminded_at, report, reported_at, reported_by) = match &one.state {
        OutcomeState::Asked { asked_at, reminded_at } => (Some(*asked_at), *reminded_at, None, None, None),
        OutcomeState::PassedOver => (None, None, None, None, None),
        OutcomeState::Reported { report, reported_at, reported_by } => {
            (None, None, Some(json(report)?), Some(reported_at.naive_utc()), Some(reported_by.clone()))
        }
    };
    let stands = (
        o::status.eq(one.state.word()),
        o::asked_at.eq(asked_at.map(|at| at.naive_utc())),
        o::reminded_at.eq(reminded_at.map(|at| at.naive_utc())),
        o::report.eq(report),
        o::reported_at.eq(reported_at),
        o::reported_by.eq(reported_by),
        o::changed.eq(tx.change),
    );
    let id = one.id.to_string();
    if diesel::update(o::table.find(&id)).set(stands.clone()).execute(tx.connection)? == 0 {
        let named = (o::id.eq(&id), o::adoption_id.eq(one.adoption_id.to_string()), o::months.eq(one.months));
        diesel::insert_into(o::table).values((named, stands)).execute(tx.connection)?;
    }
    Ok(())
}

/// The name of the list, which its cursors carry.
pub const LIST: &str = "outcome";

/// One page of what was reported, of all processes but the hidden ones or of one, with whose it is.
///
/// # Errors
/// [`DbError`].
pub fn reported(
    connection: &mut AnyConnection,
    process: Option<Id<Process>>,
    hidden: &[Id<Process>],
    request: &PageRequest,
) -> Result<Page<(Outcome, Adoption)>, DbError> {
    use outcome as o;
    let mut query = o::table.filter(o::status.eq("reported")).into_boxed();
    if let Some(process) = process {
        let of_process = adoption::table.filter(adoption::process_id.eq(process.to_string())).select(adoption::id);
        query = query.filter(o::adoption_id.eq_any(of_process));
    }
    if !hidden.is_empty() {
        let hidden: Vec<String> = hidden.iter().map(ToString::to_string).collect();
        let of_hidden = adoption::table.filter(adoption::process_id.eq_any(hidden)).select(adoption::id);
        query = query.filter(o::adoption_id.ne_all(of_hidden));
    }
    query = by_change!(query, o, request.direction, request.after.as_ref());
    let rows: Vec<OutcomeRow> = query.limit(request.limit + 1).load(connection)?;
    let page = Page::of(LIST, request, rows, |row| Cursor { changed: row.9, id: row.0.clone() });
    let ids: Vec<&String> = page.items.iter().map(|row| &row.1).collect();
    let adoptions: Vec<Row> = adoption::table.filter(adoption::id.eq_any(ids)).select(COLUMNS).load(connection)?;
    let adoptions = whole(connection, adoptions)?;
    let adoptions: HashMap<Id<Adoption>, Adoption> = adoptions.into_iter().map(|one| (one.id, one)).collect();
    page.try_map(|row| {
        let one = lift(row)?;
        let of = adoptions.get(&one.adoption_id).cloned();
        let of = Lift::new("outcome", &one.id).some("adoption_id", of)?;
        Ok((one, of))
    })
}

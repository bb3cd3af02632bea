//! Challenges and recognitions in the database.

mod desk;
mod sponsor;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::{Challenge, Decision, Description, Level, Recognition, Stage, Status};
use crate::criteria::Call;
use crate::db::schema::{challenge, challenge_cpv, recognition};
use crate::db::{AnyConnection, DbError, Lift, Tx, by_change, optional};
use crate::kernel::{Cpv, Cursor, Direction, Id, OrganisationId, Page, PageRequest, fold};
use crate::organisation::store::{contains, names};

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = challenge, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Row {
    id: String,
    organisation_id: String,
    call_id: Option<String>,
    theme: String,
    description: String,
    words: String,
    status: String,
    status_at: NaiveDateTime,
    status_by: String,
    reason: Option<String>,
    overridden: bool,
    submitted_at: Option<NaiveDateTime>,
    process_id: Option<String>,
    assessment: String,
    version: i64,
    changed: i64,
    created_at: NaiveDateTime,
    updated_at: NaiveDateTime,
}

impl Row {
    fn of(challenge: &Challenge, change: i64) -> Result<Self, DbError> {
        let json = |error: serde_json::Error| DbError::Refused(error.to_string());
        let told = &challenge.description;
        let nobody = || (challenge.updated_at, String::new(), None, false);
        let ((at, by, reason, overridden), process_id) = match challenge.stage.clone() {
            Stage::Draft => (nobody(), None),
            Stage::Submitted { at } => ((at, String::new(), None, false), None),
            Stage::Returned { by, at, reason } | Stage::Declined { by, at, reason } => {
                ((at, by, Some(reason), false), None)
            }
            Stage::Withdrawn { by, at, reason } => ((at, by, reason, false), None),
            Stage::Approved(Decision { by, at, reason, overridden }) => ((at, by, reason, overridden), None),
            Stage::Grouped { decision: Decision { by, at, reason, overridden }, process_id } => {
                ((at, by, reason, overridden), Some(process_id))
            }
        };
        Ok(Self {
            id: challenge.id.to_string(),
            organisation_id: challenge.organisation_id.to_string(),
            call_id: told.call_id.map(|id| id.to_string()),
            theme: fold(&told.theme),
            words: fold(
                &[&told.title, &told.problem, &told.desired_effect, &told.affected_users]
                    .map(String::as_str)
                    .join("\n"),
            ),
            description: serde_json::to_string(told).map_err(json)?,
            status: challenge.stage.status().word().to_owned(),
            status_at: at.naive_utc(),
            status_by: by,
            reason,
            overridden,
            submitted_at: challenge.submitted_at.map(|at| at.naive_utc()),
            process_id,
            assessment: serde_json::to_string(&challenge.assessment).map_err(json)?,
            version: challenge.version,
            changed: change,
            created_at: challenge.created_at.naive_utc(),
            updated_at: challenge.updated_at.naive_utc(),
        })
    }
}

impl TryFrom<Row> for Challenge {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let lift = Lift::new("challenge", &row.id);
        let (by, at) = (row.status_by, row.status_at.and_utc());
        let decision = || Decision { by: by.clone(), at, reason: row.reason.clone(), overridden: row.overridden };
        let because = || lift.some("reason", row.reason.clone());
        let stage = match lift.some("status", Status::from_word(&row.status))? {
            Status::Draft => Stage::Draft,
            Status::Submitted => Stage::Submitted { at },
            Status::Returned => Stage::Returned { reason: because()?, by: by.clone(), at },
            Status::Approved => Stage::Approved(decision()),
            Status::Declined => Stage::Declined { reason: because()?, by: by.clone(), at },
            Status::Grouped => {
                Stage::Grouped { decision: decision(), process_id: lift.some("process_id", row.process_id.clone())? }
            }
            Status::Withdrawn => Stage::Withdrawn { by: by.clone(), at, reason: row.reason.clone() },
        };
        Ok(Self {
            id: lift.id("id", &row.id)?,
            organisation_id: lift.id("organisation_id", &row.organisation_id)?,
            description: lift.json("description", &row.description)?,
            stage,
            submitted_at: row.submitted_at.map(|at| at.and_utc()),
            assessment: lift.json("assessment", &row.assessment)?,
            version: row.version,
            created_at: row.created_at.and_utc(),
            updated_at: row.updated_at.and_utc(),
        })
    }
}

pub use desk::{Assignee, Place, assign, assignees, changed_after, release, waiting};
pub use sponsor::{
    find_sponsor_request, forget_expired_sponsor_addresses, forget_sponsor_address, put_sponsor_request,
    sponsor_requests,
};

/// Who looks, which decides what there is to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Its own challenges whatever their stage, and what others share.
    Body(OrganisationId),
    /// Everything that was submitted.
    Staff,
}

impl Reader {
    /// Whether this reader may see the challenge at all.
    #[must_use]
    pub fn sees(self, challenge: &Challenge) -> bool {
        let status = challenge.stage.status();
        match self {
            Self::Staff => status != Status::Draft && challenge.submitted_at.is_some(),
            Self::Body(body) => challenge.organisation_id == body || status.is_shared(),
        }
    }
}

/// What a list of challenges may be narrowed to.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub status: Option<Status>,
    pub organisation_id: Option<OrganisationId>,
    pub call_id: Option<Id<Call>>,
    pub theme: Option<String>,
    pub cpv: Option<Cpv>,
    /// Words that title, problem, effect or users contain.
    pub q: Option<String>,
}

/// The name of the list, which its cursors carry.
pub const LIST: &str = "challenge";

/// One page of the challenges that this reader may see.
///
/// # Errors
/// [`DbError`].
pub fn list(
    connection: &mut AnyConnection,
    reader: Reader,
    filter: &Filter,
    request: &PageRequest,
) -> Result<Page<Challenge>, DbError> {
    use challenge as c;
    let mut query = narrowed(reader, filter);
    query = by_change!(query, c, request.direction, request.after.as_ref());
    let rows: Vec<Row> = query.limit(request.limit + 1).load(connection)?;
    let page = Page::of(LIST, request, rows, |row| Cursor { changed: row.changed, id: row.id.clone() });
    page.try_map(Challenge::try_from)
}

/// Of these challenges those that the reader may see and the filter lets through, in no particular order.
///
/// # Errors
/// [`DbError`].
pub fn passing(
    connection: &mut AnyConnection,
    reader: Reader,
    filter: &Filter,
    among: &[Id<Challenge>],
) -> Result<Vec<Challenge>, DbError> {
    let among: Vec<String> = among.iter().map(ToString::to_string).collect();
    let rows: Vec<Row> = narrowed(reader, filter).filter(challenge::id.eq_any(among)).load(connection)?;
    rows.into_iter().map(Challenge::try_from).collect()
}

/// What a body sees: its own, and what is shared. Said as what it does not see (see [`by_change!`]), and status by status:
/// a statement with a list in it is prepared anew each time.
#[diesel::dsl::auto_type(no_type_alias)]
fn seen_by(body: OrganisationId) -> _ {
    let body: String = body.to_string();
    let one: &'static str = Status::SHARED[0].word();
    let two: &'static str = Status::SHARED[1].word();
    let three: &'static str = Status::SHARED[2].word();
    diesel::dsl::not(
        challenge::organisation_id
            .ne(body)
            .and(challenge::status.ne(one))
            .and(challenge::status.ne(two))
            .and(challenge::status.ne(three)),
    )
}

type Narrowed<'a> = challenge::BoxedQuery<'a, <AnyConnection as Connection>::Backend>;

fn narrowed(reader: Reader, filter: &Filter) -> Narrowed<'static> {
    use challenge as c;
    let mut query = c::table.into_boxed();
    query = match reader {
        // One that was withdrawn before it was ever submitted was never theirs to read.
        Reader::Staff => query.filter(c::status.ne(Status::Draft.word()).and(c::submitted_at.is_not_null())),
        Reader::Body(body) => query.filter(seen_by(body)),
    };
    if let Some(status) = filter.status {
        query = query.filter(c::status.eq(status.word()));
    }
    if let Some(body) = filter.organisation_id {
        query = query.filter(c::organisation_id.eq(body.to_string()));
    }
    if let Some(call) = filter.call_id {
        query = query.filter(c::call_id.eq(call.to_string()));
    }
    if let Some(theme) = &filter.theme {
        query = query.filter(c::theme.eq(fold(theme)));
    }
    if let Some(cpv) = &filter.cpv {
        let below = challenge_cpv::table.filter(challenge_cpv::code.like(format!("{}%", cpv.stem())));
        query = query.filter(c::id.eq_any(below.select(challenge_cpv::challenge_id)));
    }
    for word in filter.q.iter().flat_map(|q| q.split_whitespace()) {
        query = query.filter(c::words.like(contains(word)).escape('\\'));
    }
    query
}

/// The challenge of this id.
///
/// # Errors
/// [`DbError`].
pub fn find(connection: &mut AnyConnection, id: Id<Challenge>) -> Result<Option<Challenge>, DbError> {
    let row: Option<Row> = optional(challenge::table.find(id.to_string()).first(connection))?;
    row.map(Challenge::try_from).transpose()
}

/// The challenges of these ids, in no particular order.
///
/// # Errors
/// [`DbError`].
pub fn find_all(connection: &mut AnyConnection, ids: &[Id<Challenge>]) -> Result<Vec<Challenge>, DbError> {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let rows: Vec<Row> = challenge::table.filter(challenge::id.eq_any(ids)).load(connection)?;
    rows.into_iter().map(Challenge::try_from).collect()
}

/// The challenges in a process, oldest first.
///
/// # Errors
/// [`DbError`].
pub fn in_process(connection: &mut AnyConnection, process_id: &str) -> Result<Vec<Challenge>, DbError> {
    let rows: Vec<Row> =
        challenge::table.filter(challenge::process_id.eq(process_id)).order(challenge::id).load(connection)?;
    rows.into_iter().map(Challenge::try_from).collect()
}

/// The ids of all challenges in this status, oldest first.
///
/// # Errors
/// [`DbError`].
pub fn ids_with(connection: &mut AnyConnection, status: Status) -> Result<Vec<Id<Challenge>>, DbError> {
    let ids: Vec<String> = challenge::table
        .filter(challenge::status.eq(status.word()))
        .order(challenge::id)
        .select(challenge::id)
        .load(connection)?;
    ids.iter().map(|id| Lift::new("challenge", id).id("id", id)).collect()
}

/// A challenge that changed: its place in the order of change, its id, and what it tells while it is shared.
pub type Changed = (Cursor, Id<Challenge>, Option<Description>);

/// Everything that was changed after this place, oldest change first: for what is derived from what is shared. No more
/// of a row is read than that takes.
///
/// # Errors
/// [`DbError`].
pub fn changed_since(connection: &mut AnyConnection, after: &Cursor, limit: i64) -> Result<Vec<Changed>, DbError> {
    use challenge as c;
    let query = by_change!(c::table.into_boxed(), c, Direction::OldestFirst, Some(after));
    let rows: Vec<(i64, String, String, String)> =
        query.limit(limit).select((c::changed, c::id, c::status, c::description)).load(connection)?;
    let lifted = rows.into_iter().map(|(changed, id, status, description)| {
        let row = Lift::new("challenge", &id);
        let status = row.some("status", Status::from_word(&status))?;
        let told = if status.is_shared() { Some(row.json("description", &description)?) } else { None };
        Ok((Cursor { changed, id: id.clone() }, row.id("id", &id)?, told))
    });
    lifted.collect()
}

/// Challenges in the order in which they were registered: for what goes through all of them.
///
/// # Errors
/// [`DbError`].
pub fn registered_after(
    connection: &mut AnyConnection,
    reader: Reader,
    status: Option<Status>,
    after: Option<Id<Challenge>>,
    limit: i64,
) -> Result<Vec<Challenge>, DbError> {
    use challenge as c;
    let mut query = c::table.into_boxed();
    query = match reader {
        // One that was withdrawn before it was ever submitted was never theirs to read.
        Reader::Staff => query.filter(c::status.ne(Status::Draft.word()).and(c::submitted_at.is_not_null())),
        Reader::Body(body) => query.filter(c::organisation_id.eq(body.to_string())),
    };
    if let Some(status) = status {
        query = query.filter(c::status.eq(status.word()));
    }
    if let Some(after) = after {
        query = query.filter(c::id.gt(after.to_string()));
    }
    let rows: Vec<Row> = query.order(c::id).limit(limit).load(connection)?;
    rows.into_iter().map(Challenge::try_from).collect()
}

/// Adds a challenge.
///
/// # Errors
/// [`DbError`].
pub fn insert(tx: &mut Tx<'_>, challenge: &Challenge) -> Result<(), DbError> {
    diesel::insert_into(challenge::table).values(Row::of(challenge, tx.change)?).execute(tx.connection)?;
    insert_cpv(tx, challenge)
}

/// Stores a challenge that was changed.
///
/// # Errors
/// [`DbError`].
pub fn update(tx: &mut Tx<'_>, challenge: &Challenge) -> Result<(), DbError> {
    diesel::update(challenge::table.find(challenge.id.to_string()))
        .set(Row::of(challenge, tx.change)?)
        .execute(tx.connection)?;
    diesel::delete(challenge_cpv::table.filter(challenge_cpv::challenge_id.eq(challenge.id.to_string())))
        .execute(tx.connection)?;
    insert_cpv(tx, challenge)
}

fn insert_cpv(tx: &mut Tx<'_>, challenge: &Challenge) -> Result<(), DbError> {
    for code in &challenge.description.cpv {
        diesel::insert_into(challenge_cpv::table)
            .values((challenge_cpv::challenge_id.eq(challenge.id.to_string()), challenge_cpv::code.eq(code)))
            .execute(tx.connection)?;
    }
    Ok(())
}

/// The words that count on a challenge, one a body, in the order in which they were first said.
///
/// # Errors
/// [`DbError`].
pub fn recognitions(connection: &mut AnyConnection, id: Id<Challenge>) -> Result<Vec<Recognition>, DbError> {
    use recognition as r;
    type Row = (String, String, String, String, String, NaiveDateTime);
    let rows: Vec<Row> = r::table
        .filter(r::challenge_id.eq(id.to_string()).and(r::counts.eq(true)))
        .order((r::said_at, r::id))
        .select((r::id, r::organisation_id, r::level, r::figures, r::said_by, r::said_at))
        .load(connection)?;
    let bodies = rows.iter().map(|row| Lift::new("recognition", &row.0).id("organisation_id", &row.1));
    let names = names(connection, &bodies.collect::<Result<Vec<_>, _>>()?)?;
    let lift = |(id, body, level, figures, said_by, said_at): Row| {
        let row = Lift::new("recognition", &id);
        let organisation_id = row.id("organisation_id", &body)?;
        let mut body: super::RecognitionBody = row.json("figures", &figures)?;
        body.level = row.some("level", Level::from_word(&level))?;
        Ok(Recognition {
            id: row.id("id", &id)?,
            organisation_id,
            organisation: names.get(&organisation_id).cloned().unwrap_or_default(),
            body,
            said_by,
            said_at: said_at.and_utc(),
        })
    };
    rows.into_iter().map(lift).collect()
}

/// The challenges on which a body's word counts.
///
/// # Errors
/// [`DbError`].
pub fn recognised_by(connection: &mut AnyConnection, body: OrganisationId) -> Result<Vec<Id<Challenge>>, DbError> {
    use recognition as r;
    let ids: Vec<String> = r::table
        .filter(r::organisation_id.eq(body.to_string()).and(r::counts.eq(true)))
        .order(r::challenge_id)
        .select(r::challenge_id)
        .load(connection)?;
    ids.iter().map(|id| Lift::new("recognition", id).id("challenge_id", id)).collect()
}

/// How many challenges a body has.
///
/// # Errors
/// [`DbError`].
pub fn count_of(connection: &mut AnyConnection, body: OrganisationId) -> Result<usize, DbError> {
    let own = challenge::table.filter(challenge::organisation_id.eq(body.to_string()));
    let count: i64 = own.count().get_result(connection)?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// A body's word on a challenge no longer counts; it is kept.
///
/// # Errors
/// [`DbError`].
pub fn silence(tx: &mut Tx<'_>, challenge: Id<Challenge>, body: OrganisationId) -> Result<(), DbError> {
    use recognition as r;
    let said =
        r::table.filter(r::challenge_id.eq(challenge.to_string())).filter(r::organisation_id.eq(body.to_string()));
    diesel::update(said).set(r::counts.eq(false)).execute(tx.connection)?;
    Ok(())
}

/// Writes down a body's word; the one before it no longer counts and is kept.
///
/// # Errors
/// [`DbError`].
pub fn insert_recognition(tx: &mut Tx<'_>, challenge: Id<Challenge>, said: &Recognition) -> Result<(), DbError> {
    use recognition as r;
    silence(tx, challenge, said.organisation_id)?;
    let figures = serde_json::to_string(&said.body).map_err(|error| DbError::Refused(error.to_string()))?;
    diesel::insert_into(r::table)
        .values((
            r::id.eq(said.id.to_string()),
            r::challenge_id.eq(challenge.to_string()),
            r::organisation_id.eq(said.organisation_id.to_string()),
            r::level.eq(said.body.level.word()),
            r::figures.eq(figures),
            r::said_by.eq(&said.said_by),
            r::said_at.eq(said.said_at.naive_utc()),
            r::counts.eq(true),
        ))
        .execute(tx.connection)?;
    Ok(())
}

//! Suggestions in the database.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::{State, Suggestion};
use crate::challenge::Challenge;
use crate::criteria::Call;
use crate::db::schema::suggestion;
use crate::db::{AnyConnection, DbError, Lift, Tx, by_change, optional};
use crate::kernel::{Cursor, Email, Id, Instant, Language, OrganisationId, Page, PageRequest};

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = suggestion, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Row {
    id: String,
    call_id: String,
    told: String,
    state: String,
    state_at: NaiveDateTime,
    reason: Option<String>,
    organisation_id: Option<String>,
    challenge_id: Option<String>,
    email: Option<String>,
    language: String,
    left_at: NaiveDateTime,
    version: i64,
    changed: i64,
}

impl Row {
    fn of(suggestion: &Suggestion, change: i64) -> Result<Self, DbError> {
        let (organisation, challenge, reason) = match &suggestion.state {
            State::Unconfirmed | State::Waiting => (None, None, None),
            State::Invited { organisation_id } => (Some(organisation_id), None, None),
            State::Accepted { organisation_id, challenge_id } => (Some(organisation_id), Some(challenge_id), None),
            State::SetAside { reason } => (None, None, Some(reason.clone())),
        };
        Ok(Self {
            id: suggestion.id.to_string(),
            call_id: suggestion.call_id.to_string(),
            told: serde_json::to_string(&suggestion.told).map_err(|error| DbError::Refused(error.to_string()))?,
            state: suggestion.state.word().to_owned(),
            state_at: suggestion.state_at.naive_utc(),
            reason,
            organisation_id: organisation.map(ToString::to_string),
            challenge_id: challenge.map(ToString::to_string),
            email: suggestion.email.as_ref().map(|email| email.as_str().to_owned()),
            language: suggestion.language.tag().to_owned(),
            left_at: suggestion.left_at.naive_utc(),
            version: suggestion.version,
            changed: change,
        })
    }
}

impl TryFrom<Row> for Suggestion {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let lift = Lift::new("suggestion", &row.id);
        let body = || lift.id("organisation_id", lift.some("organisation_id", row.organisation_id.as_deref())?);
        let state = match row.state.as_str() {
            "unconfirmed" => State::Unconfirmed,
            "waiting" => State::Waiting,
            "invited" => State::Invited { organisation_id: body()? },
            "accepted" => {
                let challenge = lift.some("challenge_id", row.challenge_id.as_deref())?;
                State::Accepted { organisation_id: body()?, challenge_id: lift.id("challenge_id", challenge)? }
            }
            "set_aside" => State::SetAside { reason: lift.some("reason", row.reason.clone())? },
            _ => return Err(lift.impossible("state")),
        };
        let email = row.email.as_deref().map(|email| lift.some("email", Email::parse(email)));
        Ok(Self {
            id: lift.id("id", &row.id)?,
            call_id: lift.id("call_id", &row.call_id)?,
            told: lift.json("told", &row.told)?,
            state,
            state_at: row.state_at.and_utc(),
            email: email.transpose()?,
            language: lift.some("language", Language::from_tag(&row.language))?,
            left_at: row.left_at.and_utc(),
            version: row.version,
        })
    }
}

/// What a list of suggestions may be narrowed to.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub call_id: Option<Id<Call>>,
    pub state: Option<&'static str>,
}

/// The name of the list, which its cursors carry.
pub const LIST: &str = "suggestion";

/// One page of what was confirmed.
///
/// # Errors
/// [`DbError`].
pub fn list(
    connection: &mut AnyConnection,
    filter: &Filter,
    request: &PageRequest,
) -> Result<Page<Suggestion>, DbError> {
    use suggestion as s;
    let mut query = s::table.filter(s::state.ne("unconfirmed")).into_boxed();
    if let Some(call) = filter.call_id {
        query = query.filter(s::call_id.eq(call.to_string()));
    }
    if let Some(state) = filter.state {
        query = query.filter(s::state.eq(state));
    }
    query = by_change!(query, s, request.direction, request.after.as_ref());
    let rows: Vec<Row> = query.limit(request.limit + 1).load(connection)?;
    let page = Page::of(LIST, request, rows, |row| Cursor { changed: row.changed, id: row.id.clone() });
    page.try_map(Suggestion::try_from)
}

/// The suggestion of this id.
///
/// # Errors
/// [`DbError`].
pub fn find(connection: &mut AnyConnection, id: Id<Suggestion>) -> Result<Option<Suggestion>, DbError> {
    let row: Option<Row> = optional(suggestion::table.find(id.to_string()).first(connection))?;
    row.map(Suggestion::try_from).transpose()
}

/// The newest confirmed suggestions to a call.
///
/// # Errors
/// [`DbError`].
pub fn of_call(connection: &mut AnyConnection, call: Id<Call>, limit: i64) -> Result<Vec<Suggestion>, DbError> {
    use suggestion as s;
    let rows: Vec<Row> = s::table
        .filter(s::call_id.eq(call.to_string()).and(s::state.ne("unconfirmed")))
        .order(s::id.desc())
        .limit(limit)
        .load(connection)?;
    rows.into_iter().map(Suggestion::try_from).collect()
}

/// Those that wait for CO-PI, longest first.
///
/// # Errors
/// [`DbError`].
pub fn waiting(connection: &mut AnyConnection, limit: i64) -> Result<Vec<Suggestion>, DbError> {
    use suggestion as s;
    let waits = s::table.filter(s::state.eq("waiting")).order((s::state_at, s::id));
    let rows: Vec<Row> = waits.limit(limit).load(connection)?;
    rows.into_iter().map(Suggestion::try_from).collect()
}

/// Those that wait for this body's answer, longest first.
///
/// # Errors
/// [`DbError`].
pub fn invitations(connection: &mut AnyConnection, body: OrganisationId) -> Result<Vec<Suggestion>, DbError> {
    use suggestion as s;
    let invited = s::organisation_id.eq(body.to_string()).and(s::state.eq("invited"));
    let rows: Vec<Row> = s::table.filter(invited).order((s::state_at, s::id)).load(connection)?;
    rows.into_iter().map(Suggestion::try_from).collect()
}

/// Those that are with this body: it is invited to own them, or owns them.
///
/// # Errors
/// [`DbError`].
pub fn with_body(connection: &mut AnyConnection, body: OrganisationId) -> Result<Vec<Suggestion>, DbError> {
    use suggestion as s;
    let rows: Vec<Row> = s::table.filter(s::organisation_id.eq(body.to_string())).order(s::id).load(connection)?;
    rows.into_iter().map(Suggestion::try_from).collect()
}

/// What a challenge grew from.
///
/// # Errors
/// [`DbError`].
pub fn behind(connection: &mut AnyConnection, challenge: Id<Challenge>) -> Result<Vec<Suggestion>, DbError> {
    use suggestion as s;
    let rows: Vec<Row> = s::table.filter(s::challenge_id.eq(challenge.to_string())).order(s::id).load(connection)?;
    rows.into_iter().map(Suggestion::try_from).collect()
}

/// Adds a suggestion.
///
/// # Errors
/// [`DbError`].
pub fn insert(tx: &mut Tx<'_>, suggestion: &Suggestion) -> Result<(), DbError> {
    diesel::insert_into(suggestion::table).values(Row::of(suggestion, tx.change)?).execute(tx.connection)?;
    Ok(())
}

/// Stores a suggestion that was changed.
///
/// # Errors
/// [`DbError`].
pub fn update(tx: &mut Tx<'_>, suggestion: &Suggestion) -> Result<(), DbError> {
    let row = Row::of(suggestion, tx.change)?;
    diesel::update(suggestion::table.find(suggestion.id.to_string())).set(row).execute(tx.connection)?;
    Ok(())
}

/// Forgets a suggestion.
///
/// # Errors
/// [`DbError`].
pub fn delete(tx: &mut Tx<'_>, id: Id<Suggestion>) -> Result<(), DbError> {
    diesel::delete(suggestion::table.find(id.to_string())).execute(tx.connection)?;
    Ok(())
}

/// Forgets what nobody confirmed and was left before this moment.
///
/// # Errors
/// [`DbError`].
pub fn forget_unconfirmed(tx: &mut Tx<'_>, before: Instant) -> Result<usize, DbError> {
    let old = suggestion::state.eq("unconfirmed").and(suggestion::left_at.lt(before.naive_utc()));
    Ok(diesel::delete(suggestion::table.filter(old)).execute(tx.connection)?)
}

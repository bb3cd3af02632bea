//! Requests for support in the database.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use serde::de::DeserializeOwned;

use super::model::Closing;
use super::{Ask, State, SupportRequest};
use crate::db::schema::support_request;
use crate::db::{AnyConnection, DbError, Lift, Tx, by_change, optional};
use crate::kernel::{Cursor, Email, Id, Instant, Language, OrganisationId, Page, PageRequest, UserId};

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = support_request, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Row {
    id: String,
    kind: String,
    user_group: String,
    text: String,
    organisation_id: Option<String>,
    user_id: Option<String>,
    email: Option<String>,
    language: String,
    state: String,
    state_at: NaiveDateTime,
    answer: Option<String>,
    reason: Option<String>,
    asked_at: NaiveDateTime,
    version: i64,
    changed: i64,
}

impl Row {
    fn of(request: &SupportRequest, change: i64) -> Self {
        let (answer, reason) = match &request.state {
            State::Unconfirmed | State::Waiting => (None, None),
            State::Answered { answer } | State::Closed(Closing::Answered { answer }) => (Some(answer.clone()), None),
            State::Closed(Closing::Unanswered { reason }) => (None, Some(reason.clone())),
        };
        Self {
            id: request.id.to_string(),
            kind: request.ask.kind.word().to_owned(),
            user_group: request.ask.user_group.word().to_owned(),
            text: request.ask.text.clone(),
            organisation_id: request.organisation_id.map(|id| id.to_string()),
            user_id: request.user_id.map(|id| id.to_string()),
            email: request.email.as_ref().map(|email| email.as_str().to_owned()),
            language: request.language.tag().to_owned(),
            state: request.state.word().to_owned(),
            state_at: request.state_at.naive_utc(),
            answer,
            reason,
            asked_at: request.asked_at.naive_utc(),
            version: request.version,
            changed: change,
        }
    }
}

/// The value of a word, as JSON spells it.
fn word<T: DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(word.into()).ok()
}

impl TryFrom<Row> for SupportRequest {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let lift = Lift::new("support_request", &row.id);
        let state = match (row.state.as_str(), row.answer, row.reason) {
            ("unconfirmed", ..) => State::Unconfirmed,
            ("waiting", ..) => State::Waiting,
            ("answered", Some(answer), _) => State::Answered { answer },
            ("closed", Some(answer), _) => State::Closed(Closing::Answered { answer }),
            ("closed", None, Some(reason)) => State::Closed(Closing::Unanswered { reason }),
            _ => return Err(lift.impossible("state")),
        };
        let email = row.email.as_deref().map(|email| lift.some("email", Email::parse(email)));
        Ok(Self {
            id: lift.id("id", &row.id)?,
            ask: Ask {
                kind: lift.some("kind", word(&row.kind))?,
                user_group: lift.some("user_group", word(&row.user_group))?,
                text: row.text,
            },
            organisation_id: row.organisation_id.as_deref().map(|id| lift.id("organisation_id", id)).transpose()?,
            user_id: row.user_id.as_deref().map(|id| lift.id("user_id", id)).transpose()?,
            email: email.transpose()?,
            language: lift.some("language", Language::from_tag(&row.language))?,
            state,
            state_at: row.state_at.and_utc(),
            asked_at: row.asked_at.and_utc(),
            version: row.version,
        })
    }
}

/// What a list of requests may be narrowed to.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this person alone.
    pub user_id: Option<UserId>,
    pub state: Option<&'static str>,
    pub kind: Option<&'static str>,
}

/// The name of the list, which its cursors carry.
pub const LIST: &str = "support-request";

/// One page of what was confirmed.
///
/// # Errors
/// [`DbError`].
pub fn list(
    connection: &mut AnyConnection,
    filter: &Filter,
    request: &PageRequest,
) -> Result<Page<SupportRequest>, DbError> {
    use support_request as s;
    let mut query = s::table.filter(s::state.ne("unconfirmed")).into_boxed();
    if let Some(user) = filter.user_id {
        query = query.filter(s::user_id.eq(user.to_string()));
    }
    if let Some(state) = filter.state {
        query = query.filter(s::state.eq(state));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(s::kind.eq(kind));
    }
    query = by_change!(query, s, request.direction, request.after.as_ref());
    let rows: Vec<Row> = query.limit(request.limit + 1).load(connection)?;
    let page = Page::of(LIST, request, rows, |row| Cursor { changed: row.changed, id: row.id.clone() });
    page.try_map(SupportRequest::try_from)
}

/// The request of this id.
///
/// # Errors
/// [`DbError`].
pub fn find(connection: &mut AnyConnection, id: Id<SupportRequest>) -> Result<Option<SupportRequest>, DbError> {
    let row: Option<Row> = optional(support_request::table.find(id.to_string()).first(connection))?;
    row.map(SupportRequest::try_from).transpose()
}

/// Those that wait for CO-PI, longest first.
///
/// # Errors
/// [`DbError`].
pub fn waiting(connection: &mut AnyConnection, limit: i64) -> Result<Vec<SupportRequest>, DbError> {
    use support_request as s;
    let waits = s::table.filter(s::state.eq("waiting")).order((s::state_at, s::id));
    let rows: Vec<Row> = waits.limit(limit).load(connection)?;
    rows.into_iter().map(SupportRequest::try_from).collect()
}

/// Those of this body that are not closed, oldest first.
///
/// # Errors
/// [`DbError`].
pub fn open_of(connection: &mut AnyConnection, body: OrganisationId) -> Result<Vec<SupportRequest>, DbError> {
    use support_request as s;
    let open = s::organisation_id.eq(body.to_string()).and(s::state.ne("closed"));
    let rows: Vec<Row> = s::table.filter(open).order(s::id).load(connection)?;
    rows.into_iter().map(SupportRequest::try_from).collect()
}

/// The newest that nobody answered: waiting, or closed without an answer.
///
/// # Errors
/// [`DbError`].
pub fn unanswered(connection: &mut AnyConnection, limit: i64) -> Result<Vec<SupportRequest>, DbError> {
    use support_request as s;
    let without = s::answer.is_null().and(s::state.ne("unconfirmed"));
    let rows: Vec<Row> = s::table.filter(without).order(s::id.desc()).limit(limit).load(connection)?;
    rows.into_iter().map(SupportRequest::try_from).collect()
}

/// Kind, user group and moment of everything that was confirmed and asked from one moment until before another.
///
/// # Errors
/// [`DbError`].
pub fn asked_between(
    connection: &mut AnyConnection,
    from: Instant,
    until: Instant,
) -> Result<Vec<(String, String, Instant)>, DbError> {
    use support_request as s;
    let between = s::asked_at.ge(from.naive_utc()).and(s::asked_at.lt(until.naive_utc()));
    let rows: Vec<(String, String, NaiveDateTime)> = s::table
        .filter(between.and(s::state.ne("unconfirmed")))
        .select((s::kind, s::user_group, s::asked_at))
        .load(connection)?;
    Ok(rows.into_iter().map(|(kind, group, at)| (kind, group, at.and_utc())).collect())
}

/// Adds a request.
///
/// # Errors
/// [`DbError`].
pub fn insert(tx: &mut Tx<'_>, request: &SupportRequest) -> Result<(), DbError> {
    diesel::insert_into(support_request::table).values(Row::of(request, tx.change)).execute(tx.connection)?;
    Ok(())
}

/// Stores a request that was changed.
///
/// # Errors
/// [`DbError`].
pub fn update(tx: &mut Tx<'_>, request: &SupportRequest) -> Result<(), DbError> {
    let row = Row::of(request, tx.change);
    diesel::update(support_request::table.find(request.id.to_string())).set(row).execute(tx.connection)?;
    Ok(())
}

/// Forgets a request.
///
/// # Errors
/// [`DbError`].
pub fn delete(tx: &mut Tx<'_>, id: Id<SupportRequest>) -> Result<(), DbError> {
    diesel::delete(support_request::table.find(id.to_string())).execute(tx.connection)?;
    Ok(())
}

/// Forgets what nobody confirmed and was asked before this moment.
///
/// # Errors
/// [`DbError`].
pub fn forget_unconfirmed(tx: &mut Tx<'_>, before: Instant) -> Result<usize, DbError> {
    let old = support_request::state.eq("unconfirmed").and(support_request::asked_at.lt(before.naive_utc()));
    Ok(diesel::delete(support_request::table.filter(old)).execute(tx.connection)?)
}

//! Inboxes, needs and their recognitions in the database.

use std::collections::HashMap;

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;

use super::model::department_key;
use super::{Inbox, Need, Recognition, State, Told};
use crate::challenge::Challenge;
use crate::db::schema::{need, need_recognition, needs_inbox};
use crate::db::{AnyConnection, DbError, Lift, Tx, by_change, optional};
use crate::kernel::{Cursor, Direction, Email, Id, Instant, Language, OrganisationId, Page, PageRequest};
use crate::organisation::store::names;

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = needs_inbox, treat_none_as_null = true)]
struct InboxRow {
    id: String,
    organisation_id: String,
    address: String,
    title: String,
    asks: String,
    language: String,
    open: bool,
    version: i64,
    changed: i64,
    created_at: NaiveDateTime,
    updated_at: NaiveDateTime,
}

impl InboxRow {
    fn of(inbox: &Inbox, change: i64) -> Self {
        Self {
            id: inbox.id.to_string(),
            organisation_id: inbox.organisation_id.to_string(),
            address: inbox.address.clone(),
            title: inbox.title.clone(),
            asks: inbox.asks.clone(),
            language: inbox.language.tag().to_owned(),
            open: inbox.open,
            version: inbox.version,
            changed: change,
            created_at: inbox.created_at.naive_utc(),
            updated_at: inbox.updated_at.naive_utc(),
        }
    }
}

impl TryFrom<InboxRow> for Inbox {
    type Error = DbError;
    fn try_from(row: InboxRow) -> Result<Self, DbError> {
        let lift = Lift::new("needs_inbox", &row.id);
        Ok(Self {
            id: lift.id("id", &row.id)?,
            organisation_id: lift.id("organisation_id", &row.organisation_id)?,
            language: lift.some("language", Language::from_tag(&row.language))?,
            address: row.address,
            title: row.title,
            asks: row.asks,
            open: row.open,
            created_at: row.created_at.and_utc(),
            updated_at: row.updated_at.and_utc(),
            version: row.version,
        })
    }
}

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = need, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Row {
    id: String,
    inbox_id: String,
    organisation_id: String,
    told: String,
    state: String,
    state_at: NaiveDateTime,
    state_by: String,
    reason: Option<String>,
    challenge_id: Option<String>,
    process_id: Option<String>,
    shared: bool,
    email: Option<String>,
    language: String,
    left_at: NaiveDateTime,
    version: i64,
    changed: i64,
}

impl Row {
    fn of(need: &Need, change: i64) -> Result<Self, DbError> {
        let (reason, challenge_id) = match &need.state {
            State::New | State::Seen => (None, None),
            State::Gathered { challenge_id } => (None, Some(challenge_id.to_string())),
            State::Answered { answer: words } | State::SetAside { reason: words } => (Some(words.clone()), None),
        };
        Ok(Self {
            id: need.id.to_string(),
            inbox_id: need.inbox_id.to_string(),
            organisation_id: need.organisation_id.to_string(),
            told: serde_json::to_string(&need.told).map_err(|error| DbError::Refused(error.to_string()))?,
            state: need.state.word().to_owned(),
            state_at: need.state_at.naive_utc(),
            state_by: need.state_by.clone(),
            reason,
            challenge_id,
            process_id: need.process_id.clone(),
            shared: need.shared,
            email: need.email.as_ref().map(|email| email.as_str().to_owned()),
            language: need.language.tag().to_owned(),
            left_at: need.left_at.naive_utc(),
            version: need.version,
            changed: change,
        })
    }
}

impl TryFrom<Row> for Need {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let lift = Lift::new("need", &row.id);
        let words = || lift.some("reason", row.reason.clone());
        let state = match row.state.as_str() {
            "new" => State::New,
            "seen" => State::Seen,
            "gathered" => {
                let challenge = lift.some("challenge_id", row.challenge_id.as_deref())?;
                State::Gathered { challenge_id: lift.id("challenge_id", challenge)? }
            }
            "answered" => State::Answered { answer: words()? },
            "set_aside" => State::SetAside { reason: words()? },
            _ => return Err(lift.impossible("state")),
        };
        let email = row.email.as_deref().map(|email| lift.some("email", Email::parse(email)));
        Ok(Self {
            id: lift.id("id", &row.id)?,
            inbox_id: lift.id("inbox_id", &row.inbox_id)?,
            organisation_id: lift.id("organisation_id", &row.organisation_id)?,
            told: lift.json("told", &row.told)?,
            state,
            state_at: row.state_at.and_utc(),
            state_by: row.state_by.clone(),
            process_id: row.process_id.clone(),
            shared: row.shared,
            email: email.transpose()?,
            language: lift.some("language", Language::from_tag(&row.language))?,
            left_at: row.left_at.and_utc(),
            version: row.version,
        })
    }
}

/// The inboxes of a body, oldest first.
///
/// # Errors
/// [`DbError`].
pub fn inboxes(connection: &mut AnyConnection, body: OrganisationId) -> Result<Vec<Inbox>, DbError> {
    use needs_inbox as i;
    let rows: Vec<InboxRow> = i::table.filter(i::organisation_id.eq(body.to_string())).order(i::id).load(connection)?;
    rows.into_iter().map(Inbox::try_from).collect()
}

/// The inbox of this id.
///
/// # Errors
/// [`DbError`].
pub fn find_inbox(connection: &mut AnyConnection, id: Id<Inbox>) -> Result<Option<Inbox>, DbError> {
    let row: Option<InboxRow> = optional(needs_inbox::table.find(id.to_string()).first(connection))?;
    row.map(Inbox::try_from).transpose()
}

/// The inbox at this address.
///
/// # Errors
/// [`DbError`].
pub fn inbox_at(connection: &mut AnyConnection, address: &str) -> Result<Option<Inbox>, DbError> {
    // No address has it, and PostgreSQL takes no text with it.
    if address.contains('\0') {
        return Ok(None);
    }
    let found = needs_inbox::table.filter(needs_inbox::address.eq(address)).first(connection);
    let row: Option<InboxRow> = optional(found)?;
    row.map(Inbox::try_from).transpose()
}

/// Adds an inbox.
///
/// # Errors
/// [`DbError`].
pub fn insert_inbox(tx: &mut Tx<'_>, inbox: &Inbox) -> Result<(), DbError> {
    diesel::insert_into(needs_inbox::table).values(InboxRow::of(inbox, tx.change)).execute(tx.connection)?;
    Ok(())
}

/// Stores an inbox that was changed.
///
/// # Errors
/// [`DbError`].
pub fn update_inbox(tx: &mut Tx<'_>, inbox: &Inbox) -> Result<(), DbError> {
    let row = InboxRow::of(inbox, tx.change);
    diesel::update(needs_inbox::table.find(inbox.id.to_string())).set(row).execute(tx.connection)?;
    Ok(())
}

/// What a list of needs may be narrowed to.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub inbox_id: Option<Id<Inbox>>,
    pub state: Option<&'static str>,
    pub challenge_id: Option<Id<Challenge>>,
}

/// The name of the list, which its cursors carry.
pub const LIST: &str = "need";
/// The name of the list of shared needs.
pub const SHARED: &str = "shared-need";

/// One page of a body's needs.
///
/// # Errors
/// [`DbError`].
pub fn list(
    connection: &mut AnyConnection,
    body: OrganisationId,
    filter: &Filter,
    request: &PageRequest,
) -> Result<Page<Need>, DbError> {
    let mut query = need::table.filter(need::organisation_id.eq(body.to_string())).into_boxed();
    if let Some(inbox) = filter.inbox_id {
        query = query.filter(need::inbox_id.eq(inbox.to_string()));
    }
    if let Some(state) = filter.state {
        query = query.filter(need::state.eq(state));
    }
    if let Some(challenge) = filter.challenge_id {
        query = query.filter(need::challenge_id.eq(challenge.to_string()));
    }
    page(connection, query, LIST, request)
}

/// The states in which a shared need is shown: what is answered or set aside is nobody's to recognise any more.
const OFFERED: [&str; 3] = ["new", "seen", "gathered"];

/// One page of the needs that other bodies share and have not answered or set aside.
///
/// # Errors
/// [`DbError`].
pub fn shared_by_others(
    connection: &mut AnyConnection,
    body: OrganisationId,
    request: &PageRequest,
) -> Result<Page<Need>, DbError> {
    let others = need::shared.eq(true).and(need::organisation_id.ne(body.to_string()));
    let offered = need::table.filter(others.and(need::state.eq_any(OFFERED)));
    page(connection, offered.into_boxed(), SHARED, request)
}

/// The newest needs that other bodies share and have not answered or set aside.
///
/// # Errors
/// [`DbError`].
pub fn newest_shared_by_others(
    connection: &mut AnyConnection,
    body: OrganisationId,
    limit: i64,
) -> Result<Vec<Need>, DbError> {
    let request = PageRequest { limit, direction: Direction::NewestFirst, after: None };
    Ok(shared_by_others(connection, body, &request)?.items)
}

fn page<'a>(
    connection: &mut AnyConnection,
    mut query: need::BoxedQuery<'a, <AnyConnection as Connection>::Backend>,
    name: &str,
    request: &PageRequest,
) -> Result<Page<Need>, DbError> {
    query = by_change!(query, need, request.direction, request.after.as_ref());
    let rows: Vec<Row> = query.limit(request.limit + 1).load(connection)?;
    let page = Page::of(name, request, rows, |row| Cursor { changed: row.changed, id: row.id.clone() });
    page.try_map(Need::try_from)
}

/// The need of this id.
///
/// # Errors
/// [`DbError`].
pub fn find(connection: &mut AnyConnection, id: Id<Need>) -> Result<Option<Need>, DbError> {
    let row: Option<Row> = optional(need::table.find(id.to_string()).first(connection))?;
    row.map(Need::try_from).transpose()
}

/// The needs of these ids, oldest first.
///
/// # Errors
/// [`DbError`].
pub fn find_all(connection: &mut AnyConnection, ids: &[Id<Need>]) -> Result<Vec<Need>, DbError> {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let rows: Vec<Row> = need::table.filter(need::id.eq_any(ids)).order(need::id).load(connection)?;
    rows.into_iter().map(Need::try_from).collect()
}

/// The needs behind these challenges, oldest first.
///
/// # Errors
/// [`DbError`].
pub fn behind(connection: &mut AnyConnection, challenges: &[Id<Challenge>]) -> Result<Vec<Need>, DbError> {
    let ids: Vec<String> = challenges.iter().map(ToString::to_string).collect();
    let rows: Vec<Row> = need::table.filter(need::challenge_id.eq_any(ids)).order(need::id).load(connection)?;
    rows.into_iter().map(Need::try_from).collect()
}

/// The newest of a body's needs that wait, at most `limit`; of one inbox or of all.
///
/// # Errors
/// [`DbError`].
pub fn waiting(
    connection: &mut AnyConnection,
    body: OrganisationId,
    inbox: Option<Id<Inbox>>,
    limit: i64,
) -> Result<Vec<Need>, DbError> {
    let waits = need::organisation_id.eq(body.to_string()).and(need::state.eq_any(["new", "seen"]));
    let mut query = need::table.filter(waits).into_boxed();
    if let Some(inbox) = inbox {
        query = query.filter(need::inbox_id.eq(inbox.to_string()));
    }
    let rows: Vec<Row> = query.order(need::id.desc()).limit(limit).load(connection)?;
    rows.into_iter().map(Need::try_from).collect()
}

/// The newest shared needs of an inbox that still wait.
///
/// # Errors
/// [`DbError`].
pub fn shared_in(connection: &mut AnyConnection, inbox: Id<Inbox>, limit: i64) -> Result<Vec<Need>, DbError> {
    let shared = need::inbox_id.eq(inbox.to_string()).and(need::shared.eq(true));
    let rows: Vec<Row> = need::table
        .filter(shared.and(need::state.eq_any(OFFERED)))
        .order(need::id.desc())
        .limit(limit)
        .load(connection)?;
    rows.into_iter().map(Need::try_from).collect()
}

/// What waits in an inbox: how many in this state, and since when the oldest does.
#[derive(Clone, Debug)]
pub struct Pile {
    pub inbox_id: Id<Inbox>,
    pub state: String,
    pub count: i64,
    pub oldest: Option<Instant>,
}

/// How many needs of a body wait, by inbox and state.
///
/// # Errors
/// [`DbError`].
pub fn piles(connection: &mut AnyConnection, body: OrganisationId) -> Result<Vec<Pile>, DbError> {
    use diesel::dsl::{count_star, min};
    let rows: Vec<(String, String, i64, Option<NaiveDateTime>)> = need::table
        .filter(need::organisation_id.eq(body.to_string()).and(need::state.eq_any(["new", "seen"])))
        .group_by((need::inbox_id, need::state))
        .select((need::inbox_id, need::state, count_star(), min(need::left_at)))
        .load(connection)?;
    let lift = |(inbox, state, count, oldest): (String, String, i64, Option<NaiveDateTime>)| {
        let inbox_id = Lift::new("need", &inbox).id("inbox_id", &inbox)?;
        Ok(Pile { inbox_id, state, count, oldest: oldest.map(|at| at.and_utc()) })
    };
    rows.into_iter().map(lift).collect()
}

/// How many needs of an inbox nobody has looked at.
///
/// # Errors
/// [`DbError`].
pub fn unseen(connection: &mut AnyConnection, inbox: Id<Inbox>) -> Result<i64, DbError> {
    let new = need::table.filter(need::inbox_id.eq(inbox.to_string()).and(need::state.eq("new")));
    Ok(new.count().get_result(connection)?)
}

/// The same words, left in the same inbox a moment ago: somebody pressed twice.
///
/// # Errors
/// [`DbError`].
pub fn twin(
    connection: &mut AnyConnection,
    inbox: Id<Inbox>,
    told: &Told,
    within: TimeDelta,
    now: Instant,
) -> Result<Option<Need>, DbError> {
    let told = serde_json::to_string(told).map_err(|error| DbError::Refused(error.to_string()))?;
    let recent = need::inbox_id.eq(inbox.to_string()).and(need::left_at.gt((now - within).naive_utc()));
    let row: Option<Row> = optional(need::table.filter(recent).filter(need::told.eq(told)).first(connection))?;
    row.map(Need::try_from).transpose()
}

/// Adds a need.
///
/// # Errors
/// [`DbError`].
pub fn insert(tx: &mut Tx<'_>, need: &Need) -> Result<(), DbError> {
    diesel::insert_into(need::table).values(Row::of(need, tx.change)?).execute(tx.connection)?;
    Ok(())
}

/// Stores a need that was changed.
///
/// # Errors
/// [`DbError`].
pub fn update(tx: &mut Tx<'_>, need: &Need) -> Result<(), DbError> {
    let row = Row::of(need, tx.change)?;
    diesel::update(need::table.find(need.id.to_string())).set(row).execute(tx.connection)?;
    Ok(())
}

/// Forgets a need, with what was said of it.
///
/// # Errors
/// [`DbError`].
pub fn delete(tx: &mut Tx<'_>, id: Id<Need>) -> Result<(), DbError> {
    let said = need_recognition::table.filter(need_recognition::need_id.eq(id.to_string()));
    diesel::delete(said).execute(tx.connection)?;
    diesel::delete(need::table.find(id.to_string())).execute(tx.connection)?;
    Ok(())
}

/// Who has these needs too, in the order in which it was said.
///
/// # Errors
/// [`DbError`].
pub fn recognitions(
    connection: &mut AnyConnection,
    needs: &[Id<Need>],
) -> Result<HashMap<Id<Need>, Vec<Recognition>>, DbError> {
    use need_recognition as r;
    type Row = (String, String, String, String, Option<String>, String, NaiveDateTime);
    let ids: Vec<String> = needs.iter().map(ToString::to_string).collect();
    let rows: Vec<Row> = r::table
        .filter(r::need_id.eq_any(ids))
        .order((r::said_at, r::id))
        .select((r::id, r::need_id, r::organisation_id, r::department, r::how_often, r::note, r::said_at))
        .load(connection)?;
    let bodies = rows.iter().map(|row| Lift::new("need_recognition", &row.0).id("organisation_id", &row.2));
    let names = names(connection, &bodies.collect::<Result<Vec<_>, _>>()?)?;
    let mut found: HashMap<Id<Need>, Vec<Recognition>> = HashMap::new();
    for (id, need_id, body, department, how_often, note, said_at) in rows {
        let row = Lift::new("need_recognition", &id);
        let organisation_id = row.id("organisation_id", &body)?;
        found.entry(row.id("need_id", &need_id)?).or_default().push(Recognition {
            id: row.id("id", &id)?,
            organisation_id,
            organisation: names.get(&organisation_id).cloned().unwrap_or_default(),
            department,
            how_often: how_often.map(|json| row.json("how_often", &json)).transpose()?,
            note,
            said_at: said_at.and_utc(),
        });
    }
    Ok(found)
}

/// Writes down that a department or body has the need too, in the place of what it said before.
///
/// # Errors
/// [`DbError`].
pub fn insert_recognition(tx: &mut Tx<'_>, need: Id<Need>, said: &Recognition, by: &str) -> Result<(), DbError> {
    use need_recognition as r;
    let key = department_key(&said.department);
    let of_need = r::need_id.eq(need.to_string()).and(r::organisation_id.eq(said.organisation_id.to_string()));
    diesel::delete(r::table.filter(of_need).filter(r::department_key.eq(&key))).execute(tx.connection)?;
    let how_often = said.how_often.map(|often| serde_json::to_string(&often)).transpose();
    let row = (
        r::id.eq(said.id.to_string()),
        r::need_id.eq(need.to_string()),
        r::organisation_id.eq(said.organisation_id.to_string()),
        r::department.eq(&said.department),
        r::department_key.eq(key),
        r::how_often.eq(how_often.map_err(|error| DbError::Refused(error.to_string()))?),
        r::note.eq(&said.note),
        r::said_by.eq(by),
        r::said_at.eq(said.said_at.naive_utc()),
    );
    diesel::insert_into(r::table).values(row).execute(tx.connection)?;
    Ok(())
}

/// All needs of a body, oldest first.
///
/// # Errors
/// [`DbError`].
pub fn of_body(connection: &mut AnyConnection, body: OrganisationId) -> Result<Vec<Need>, DbError> {
    let of_body = need::table.filter(need::organisation_id.eq(body.to_string()));
    let rows: Vec<Row> = of_body.order(need::id).load(connection)?;
    rows.into_iter().map(Need::try_from).collect()
}

/// A body's words on needs become another's, as those of its part `part` where they name no department. Of two words of
/// the same department the newer counts.
///
/// # Errors
/// [`DbError`].
pub fn hand_over_recognitions(
    tx: &mut Tx<'_>,
    from: OrganisationId,
    to: OrganisationId,
    part: &str,
) -> Result<(), DbError> {
    use need_recognition as r;
    type Said = (String, String, String, String, NaiveDateTime);
    let said: Vec<Said> = r::table
        .filter(r::organisation_id.eq(from.to_string()))
        .order(r::id)
        .select((r::id, r::need_id, r::department, r::department_key, r::said_at))
        .load(tx.connection)?;
    for (id, need, department, key, at) in said {
        let (department, key) =
            if key.is_empty() { (part.to_owned(), department_key(part)) } else { (department, key) };
        let same = r::need_id.eq(need).and(r::organisation_id.eq(to.to_string())).and(r::department_key.eq(&key));
        let newer: i64 = r::table.filter(same.clone().and(r::said_at.gt(at))).count().get_result(tx.connection)?;
        if newer > 0 {
            diesel::delete(r::table.find(id)).execute(tx.connection)?;
            continue;
        }
        diesel::delete(r::table.filter(same)).execute(tx.connection)?;
        let moved = (r::organisation_id.eq(to.to_string()), r::department.eq(department), r::department_key.eq(&key));
        diesel::update(r::table.find(id)).set(moved).execute(tx.connection)?;
    }
    Ok(())
}

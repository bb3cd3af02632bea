//! Users, sessions and API keys in the database.

mod key;
mod session;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::{Person, Role};
use crate::db::schema::user_account;
use crate::db::{AnyConnection, DbError, Lift, Tx, by_change, optional};
use crate::kernel::{Cursor, Email, Instant, OrganisationId, Page, PageRequest, UserId, fold};

pub use key::{ApiKey, insert_key, keys_of, person_by_key, revoke_key, revoke_keys_of, touch_key};
pub use session::{
    Device, Session, begin_session, draw_token, end_other_sessions, end_session, end_sessions, forget_expired_sessions,
    person_by_session, sessions_of, shown_token, spend_token, touch_session,
};

/// A user, with what only signing in needs to know.
#[derive(Clone, Debug)]
pub struct Account {
    pub person: Person,
    pub email: Email,
    /// None until the invitation was accepted.
    pub password_hash: Option<String>,
    /// Since when it is closed; none while it can be used.
    pub deactivated_at: Option<Instant>,
    pub created_at: Instant,
    pub version: i64,
}

impl Account {
    /// An account that was just made.
    #[must_use]
    pub fn new(person: Person, email: Email, password_hash: Option<String>, now: Instant) -> Self {
        Self { person, email, password_hash, deactivated_at: None, created_at: now, version: 1 }
    }

    /// Whether it can be used at all.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.deactivated_at.is_none()
    }
}

type AccountRow =
    (String, String, String, String, Option<String>, Option<String>, Option<NaiveDateTime>, NaiveDateTime, i64, i64);

const ACCOUNT: (
    user_account::id,
    user_account::email,
    user_account::name,
    user_account::role,
    user_account::organisation_id,
    user_account::password_hash,
    user_account::deactivated_at,
    user_account::created_at,
    user_account::version,
    user_account::changed,
) = (
    user_account::id,
    user_account::email,
    user_account::name,
    user_account::role,
    user_account::organisation_id,
    user_account::password_hash,
    user_account::deactivated_at,
    user_account::created_at,
    user_account::version,
    user_account::changed,
);

fn lift_account(row: AccountRow) -> Result<Account, DbError> {
    let (id, email, name, role, organisation_id, password_hash, deactivated_at, created_at, version, _) = row;
    let row = Lift::new("user_account", &id);
    Ok(Account {
        email: row.some("email", Email::parse(&email))?,
        person: Person {
            user_id: row.id("id", &id)?,
            name,
            role: row.some("role", Role::from_word(&role))?,
            organisation_id: organisation_id.map(|body| row.id("organisation_id", &body)).transpose()?,
            scopes: None,
        },
        password_hash,
        deactivated_at: deactivated_at.map(|at| at.and_utc()),
        created_at: created_at.and_utc(),
        version,
    })
}

/// The name of the list of users, which its cursors carry.
pub const LIST: &str = "user";

/// One page of users: all, or those of one body; those whose name or address contains some words.
///
/// # Errors
/// [`DbError`].
pub fn list(
    connection: &mut AnyConnection,
    body: Option<OrganisationId>,
    q: Option<&str>,
    request: &PageRequest,
) -> Result<Page<Account>, DbError> {
    use user_account as u;
    let mut query = u::table.into_boxed();
    if let Some(body) = body {
        query = query.filter(u::organisation_id.eq(body.to_string()));
    }
    query = by_change!(query, u, request.direction, request.after.as_ref());
    let wanted = q.map(fold);
    let limit = usize::try_from(request.limit).unwrap_or(usize::MAX).saturating_add(1);
    // Names are not kept folded, and people are few: what is searched for is looked for here.
    let mut rows: Vec<AccountRow> = if wanted.is_some() {
        query.select(ACCOUNT).load(connection)?
    } else {
        query.limit(request.limit + 1).select(ACCOUNT).load(connection)?
    };
    if let Some(wanted) = wanted {
        rows.retain(|(_, email, name, ..)| fold(name).contains(&wanted) || fold(email).contains(&wanted));
    }
    rows.truncate(limit);
    Page::of(LIST, request, rows, |row| Cursor { changed: row.9, id: row.0.clone() }).try_map(lift_account)
}

/// The account of this address.
///
/// # Errors
/// [`DbError`].
pub fn account_by_email(connection: &mut AnyConnection, email: &Email) -> Result<Option<Account>, DbError> {
    let found = user_account::table.filter(user_account::email_key.eq(email.key())).select(ACCOUNT).first(connection);
    optional(found)?.map(lift_account).transpose()
}

/// The account of this user.
///
/// # Errors
/// [`DbError`].
pub fn account(connection: &mut AnyConnection, id: UserId) -> Result<Option<Account>, DbError> {
    let found = user_account::table.find(id.to_string()).select(ACCOUNT).first(connection);
    optional(found)?.map(lift_account).transpose()
}

/// The members and administrators of a body whom a letter to the body goes to: those who can sign in.
///
/// # Errors
/// [`DbError`].
pub fn accounts_of(connection: &mut AnyConnection, body: OrganisationId) -> Result<Vec<Account>, DbError> {
    let rows: Vec<AccountRow> = user_account::table
        .filter(user_account::organisation_id.eq(body.to_string()))
        .filter(user_account::deactivated_at.is_null())
        .order((user_account::created_at, user_account::id))
        .select(ACCOUNT)
        .load(connection)?;
    rows.into_iter().map(lift_account).collect()
}

/// All people of a body, also those whose account is closed.
///
/// # Errors
/// [`DbError`].
pub fn people_of(connection: &mut AnyConnection, body: OrganisationId) -> Result<Vec<Account>, DbError> {
    let own = user_account::table.filter(user_account::organisation_id.eq(body.to_string()));
    let rows: Vec<AccountRow> = own.order(user_account::id).select(ACCOUNT).load(connection)?;
    rows.into_iter().map(lift_account).collect()
}

/// Adds a user.
///
/// # Errors
/// [`DbError`], also when the address is taken: look first.
pub fn insert_account(tx: &mut Tx<'_>, account: &Account) -> Result<(), DbError> {
    use user_account as u;
    let person = &account.person;
    diesel::insert_into(u::table)
        .values((
            u::id.eq(person.user_id.to_string()),
            u::email.eq(account.email.as_str()),
            u::email_key.eq(account.email.key()),
            u::name.eq(&person.name),
            u::role.eq(person.role.word()),
            u::organisation_id.eq(person.organisation_id.map(|id| id.to_string())),
            u::password_hash.eq(&account.password_hash),
            u::created_at.eq(account.created_at.naive_utc()),
            u::version.eq(account.version),
            u::changed.eq(tx.change),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// Stores an account that was changed; its address stays.
///
/// # Errors
/// [`DbError`].
pub fn update_account(tx: &mut Tx<'_>, account: &Account) -> Result<(), DbError> {
    use user_account as u;
    let person = &account.person;
    diesel::update(u::table.find(person.user_id.to_string()))
        .set((
            u::name.eq(&person.name),
            u::role.eq(person.role.word()),
            u::organisation_id.eq(person.organisation_id.map(|id| id.to_string())),
            u::password_hash.eq(&account.password_hash),
            u::deactivated_at.eq(account.deactivated_at.map(|at| at.naive_utc())),
            u::version.eq(account.version),
            u::changed.eq(tx.change),
        ))
        .execute(tx.connection)?;
    Ok(())
}

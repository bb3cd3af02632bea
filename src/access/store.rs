//! Users and API keys in the database.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;

use super::{Person, Role, Scope};
use crate::db::schema::{api_key, user_account};
use crate::db::{AnyConnection, DbError, Lift, Tx, optional};
use crate::kernel::{Email, Id, Instant, OrganisationId, UserId};

/// A user, with what only signing in needs to know.
#[derive(Clone, Debug)]
pub struct Account {
    pub person: Person,
    pub email: Email,
    /// None until the invitation was accepted.
    pub password_hash: Option<String>,
}

/// A key as it is listed: never the key itself.
#[derive(Clone, Debug)]
pub struct ApiKey {
    pub id: Id<ApiKey>,
    pub name: String,
    pub scopes: Vec<Scope>,
    pub created_at: Instant,
    pub expires_at: Option<Instant>,
    pub last_used_at: Option<Instant>,
}

type AccountRow = (String, String, String, String, Option<String>, Option<String>);

const ACCOUNT: (
    user_account::id,
    user_account::email,
    user_account::name,
    user_account::role,
    user_account::organisation_id,
    user_account::password_hash,
) = (
    user_account::id,
    user_account::email,
    user_account::name,
    user_account::role,
    user_account::organisation_id,
    user_account::password_hash,
);

fn lift_account((id, email, name, role, organisation_id, password_hash): AccountRow) -> Result<Account, DbError> {
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
    })
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

/// The members and administrators of a body whom a letter to the body goes to.
///
/// # Errors
/// [`DbError`].
pub fn accounts_of(connection: &mut AnyConnection, body: OrganisationId) -> Result<Vec<Account>, DbError> {
    let rows: Vec<AccountRow> = user_account::table
        .filter(user_account::organisation_id.eq(body.to_string()))
        .order((user_account::created_at, user_account::id))
        .select(ACCOUNT)
        .load(connection)?;
    rows.into_iter().map(lift_account).collect()
}

/// Adds a user.
///
/// # Errors
/// [`DbError`], also when the address is taken: look first.
pub fn insert_account(tx: &mut Tx<'_>, account: &Account, now: Instant) -> Result<(), DbError> {
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
            u::created_at.eq(now.naive_utc()),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// Sets a user's password.
///
/// # Errors
/// [`DbError`].
pub fn set_password(tx: &mut Tx<'_>, id: UserId, hash: &str) -> Result<(), DbError> {
    diesel::update(user_account::table.find(id.to_string()))
        .set(user_account::password_hash.eq(hash))
        .execute(tx.connection)?;
    Ok(())
}

/// Whoever holds the key of this hash, as far as the key reaches; `None` when it is unknown, revoked or expired.
/// Says also whether its last use should be written down: to the minute is enough.
///
/// # Errors
/// [`DbError`].
pub fn person_by_key(
    connection: &mut AnyConnection,
    key_hash: &str,
    now: Instant,
) -> Result<Option<(Person, Option<Id<ApiKey>>)>, DbError> {
    type KeyRow = (String, String, Option<NaiveDateTime>, Option<NaiveDateTime>);
    let found = api_key::table
        .inner_join(user_account::table)
        .filter(api_key::key_hash.eq(key_hash))
        .filter(api_key::revoked_at.is_null())
        .select(((api_key::id, api_key::scopes, api_key::expires_at, api_key::last_used_at), ACCOUNT))
        .first::<(KeyRow, AccountRow)>(connection);
    let Some(((id, scopes, expires_at, last_used_at), user)) = optional(found)? else { return Ok(None) };
    if expires_at.is_some_and(|expires_at| expires_at.and_utc() <= now) {
        return Ok(None);
    }
    let row = Lift::new("api_key", &id);
    let person = Person { scopes: Some(row.json("scopes", &scopes)?), ..lift_account(user)?.person };
    let stale = last_used_at.is_none_or(|used| used.and_utc() + TimeDelta::minutes(1) < now);
    Ok(Some((person, stale.then(|| row.id("id", &id)).transpose()?)))
}

/// Writes down that a key was used.
///
/// # Errors
/// [`DbError`].
pub fn touch_key(tx: &mut Tx<'_>, id: Id<ApiKey>, now: Instant) -> Result<(), DbError> {
    diesel::update(api_key::table.find(id.to_string()))
        .set(api_key::last_used_at.eq(now.naive_utc()))
        .execute(tx.connection)?;
    Ok(())
}

/// Adds a key of this hash.
///
/// # Errors
/// [`DbError`].
pub fn insert_key(tx: &mut Tx<'_>, key: &ApiKey, owner: UserId, key_hash: &str) -> Result<(), DbError> {
    use api_key as k;
    diesel::insert_into(k::table)
        .values((
            k::id.eq(key.id.to_string()),
            k::user_id.eq(owner.to_string()),
            k::name.eq(&key.name),
            k::scopes.eq(serde_json::to_string(&key.scopes).unwrap_or_default()),
            k::key_hash.eq(key_hash),
            k::created_at.eq(key.created_at.naive_utc()),
            k::expires_at.eq(key.expires_at.map(|at| at.naive_utc())),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// A user's keys that are not revoked, newest first.
///
/// # Errors
/// [`DbError`].
pub fn keys_of(connection: &mut AnyConnection, owner: UserId) -> Result<Vec<ApiKey>, DbError> {
    type Row = (String, String, String, NaiveDateTime, Option<NaiveDateTime>, Option<NaiveDateTime>);
    let rows: Vec<Row> = api_key::table
        .filter(api_key::user_id.eq(owner.to_string()))
        .filter(api_key::revoked_at.is_null())
        .order((api_key::created_at.desc(), api_key::id.desc()))
        .select((
            api_key::id,
            api_key::name,
            api_key::scopes,
            api_key::created_at,
            api_key::expires_at,
            api_key::last_used_at,
        ))
        .load(connection)?;
    let lift = |(id, name, scopes, created_at, expires_at, last_used_at): Row| {
        let row = Lift::new("api_key", &id);
        Ok(ApiKey {
            id: row.id("id", &id)?,
            scopes: row.json("scopes", &scopes)?,
            name,
            created_at: created_at.and_utc(),
            expires_at: expires_at.map(|at| at.and_utc()),
            last_used_at: last_used_at.map(|at| at.and_utc()),
        })
    };
    rows.into_iter().map(lift).collect()
}

/// Revokes a key of this owner; says whether there was one.
///
/// # Errors
/// [`DbError`].
pub fn revoke_key(tx: &mut Tx<'_>, id: Id<ApiKey>, owner: UserId, now: Instant) -> Result<bool, DbError> {
    let key = api_key::table
        .find(id.to_string())
        .filter(api_key::user_id.eq(owner.to_string()))
        .filter(api_key::revoked_at.is_null());
    Ok(diesel::update(key).set(api_key::revoked_at.eq(now.naive_utc())).execute(tx.connection)? == 1)
}

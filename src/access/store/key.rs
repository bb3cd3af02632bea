//! API keys. Only their hashes are kept.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;

use super::{ACCOUNT, AccountRow, lift_account};
use crate::access::{Person, Scope};
use crate::db::schema::{api_key, user_account};
use crate::db::{AnyConnection, DbError, Lift, Tx, optional};
use crate::kernel::{Id, Instant, UserId};

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

/// Whoever holds the key of this hash, as far as the key reaches; `None` when it is unknown, revoked or expired, or
/// its owner's account is closed.
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
        .filter(api_key::revoked_at.is_null().and(user_account::deactivated_at.is_null()))
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

/// Revokes all keys of this owner.
///
/// # Errors
/// [`DbError`].
pub fn revoke_keys_of(tx: &mut Tx<'_>, owner: UserId, now: Instant) -> Result<(), DbError> {
    let keys = api_key::table.filter(api_key::user_id.eq(owner.to_string())).filter(api_key::revoked_at.is_null());
    diesel::update(keys).set(api_key::revoked_at.eq(now.naive_utc())).execute(tx.connection)?;
    Ok(())
}

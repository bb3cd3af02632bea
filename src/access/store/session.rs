//! Sessions: from signing in to leaving, each a chain of refresh tokens. Only hashes of tokens are kept.

use chrono::NaiveDateTime;
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::{ACCOUNT, AccountRow, lift_account};
use crate::access::Person;
use crate::db::schema::{refresh_token, session, user_account};
use crate::db::{AnyConnection, DbError, Lift, Tx, optional};
use crate::kernel::{Id, Instant, UserId};

/// From where somebody signed in, as coarse as helps them to know it again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Browser and system, or the program: `Firefox, Linux`.
    pub name: String,
    /// The network without its last part: `192.0.2.0/24`, `2001:db8:1::/48`.
    pub network: String,
}

/// A signed-in session, as it is listed.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: Id<Session>,
    pub created_at: Instant,
    /// When its newest pair of tokens was drawn.
    pub last_used_at: Instant,
    /// When it ends by itself unless it is used.
    pub expires_at: Instant,
    pub device: Device,
}

/// A refresh token that somebody showed.
pub struct Shown {
    pub session_id: Id<Session>,
    pub user_id: UserId,
    /// When its session began.
    pub begun_at: Instant,
    pub expires_at: Instant,
    pub spent: bool,
    pub ended: bool,
}

/// Begins a session of this user.
///
/// # Errors
/// [`DbError`].
pub fn begin_session(
    tx: &mut Tx<'_>,
    id: Id<Session>,
    user: UserId,
    device: &Device,
    now: Instant,
) -> Result<(), DbError> {
    diesel::insert_into(session::table)
        .values((
            session::id.eq(id.to_string()),
            session::user_id.eq(user.to_string()),
            session::created_at.eq(now.naive_utc()),
            session::last_used_at.eq(now.naive_utc()),
            session::device.eq(&device.name),
            session::network.eq(&device.network),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// Writes down that a session was used, and from where.
///
/// # Errors
/// [`DbError`].
pub fn touch_session(tx: &mut Tx<'_>, id: Id<Session>, device: &Device, now: Instant) -> Result<(), DbError> {
    diesel::update(session::table.find(id.to_string()))
        .set((
            session::last_used_at.eq(now.naive_utc()),
            session::device.eq(&device.name),
            session::network.eq(&device.network),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// Whoever this session is of; `None` when it has ended or the account is closed.
///
/// # Errors
/// [`DbError`].
pub fn person_by_session(connection: &mut AnyConnection, id: Id<Session>) -> Result<Option<Person>, DbError> {
    let found = session::table
        .inner_join(user_account::table)
        .filter(session::id.eq(id.to_string()))
        .filter(session::ended_at.is_null().and(user_account::deactivated_at.is_null()))
        .select(ACCOUNT)
        .first::<AccountRow>(connection);
    Ok(optional(found)?.map(lift_account).transpose()?.map(|account| account.person))
}

/// A user's sessions that go on, the one that was used last first.
///
/// # Errors
/// [`DbError`].
pub fn sessions_of(connection: &mut AnyConnection, user: UserId, now: Instant) -> Result<Vec<Session>, DbError> {
    type Row = (String, NaiveDateTime, Option<NaiveDateTime>, String, String, NaiveDateTime);
    // Exactly one token of a session is unspent: the one that it lives by.
    let rows: Vec<Row> = session::table
        .inner_join(refresh_token::table)
        .filter(session::user_id.eq(user.to_string()).and(session::ended_at.is_null()))
        .filter(refresh_token::spent_at.is_null().and(refresh_token::expires_at.gt(now.naive_utc())))
        .order((refresh_token::issued_at.desc(), session::id.desc()))
        .select((
            session::id,
            session::created_at,
            session::last_used_at,
            session::device,
            session::network,
            refresh_token::expires_at,
        ))
        .load(connection)?;
    let lift = |(id, created_at, last_used_at, name, network, expires_at): Row| {
        let created_at = created_at.and_utc();
        Ok(Session {
            id: Lift::new("session", &id).id("id", &id)?,
            created_at,
            last_used_at: last_used_at.map_or(created_at, |at| at.and_utc()),
            expires_at: expires_at.and_utc(),
            device: Device { name, network },
        })
    };
    rows.into_iter().map(lift).collect()
}

/// Ends a session.
///
/// # Errors
/// [`DbError`].
pub fn end_session(tx: &mut Tx<'_>, id: Id<Session>, now: Instant) -> Result<(), DbError> {
    diesel::update(session::table.find(id.to_string()).filter(session::ended_at.is_null()))
        .set(session::ended_at.eq(now.naive_utc()))
        .execute(tx.connection)?;
    Ok(())
}

/// Ends all sessions of a user.
///
/// # Errors
/// [`DbError`].
pub fn end_sessions(tx: &mut Tx<'_>, user: UserId, now: Instant) -> Result<(), DbError> {
    end_other_sessions(tx, user, None, now)
}

/// Ends all sessions of a user but one.
///
/// # Errors
/// [`DbError`].
pub fn end_other_sessions(
    tx: &mut Tx<'_>,
    user: UserId,
    but: Option<Id<Session>>,
    now: Instant,
) -> Result<(), DbError> {
    let but = but.map(|id| id.to_string()).unwrap_or_default();
    let others = session::table
        .filter(session::user_id.eq(user.to_string()).and(session::ended_at.is_null()))
        .filter(session::id.ne(but));
    diesel::update(others).set(session::ended_at.eq(now.naive_utc())).execute(tx.connection)?;
    Ok(())
}

/// Writes down a new refresh token of a session.
///
/// # Errors
/// [`DbError`].
pub fn draw_token(
    tx: &mut Tx<'_>,
    hash: &str,
    session_id: Id<Session>,
    now: Instant,
    expires_at: Instant,
) -> Result<(), DbError> {
    use refresh_token as r;
    diesel::insert_into(r::table)
        .values((
            r::token_hash.eq(hash),
            r::session_id.eq(session_id.to_string()),
            r::issued_at.eq(now.naive_utc()),
            r::expires_at.eq(expires_at.naive_utc()),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// Forgets refresh tokens that have expired, and sessions that have none left. Until then a spent token that is shown again
/// ends its session; an expired one is refused whether it is known or not.
///
/// # Errors
/// [`DbError`].
pub fn forget_expired_sessions(tx: &mut Tx<'_>, now: Instant) -> Result<(), DbError> {
    let expired = refresh_token::table.filter(refresh_token::expires_at.le(now.naive_utc()));
    diesel::delete(expired).execute(tx.connection)?;
    let alive = refresh_token::table.filter(refresh_token::session_id.eq(session::id));
    diesel::delete(session::table.filter(not(exists(alive)))).execute(tx.connection)?;
    Ok(())
}

/// Writes down that a refresh token was used.
///
/// # Errors
/// [`DbError`].
pub fn spend_token(tx: &mut Tx<'_>, hash: &str, now: Instant) -> Result<(), DbError> {
    diesel::update(refresh_token::table.find(hash))
        .set(refresh_token::spent_at.eq(now.naive_utc()))
        .execute(tx.connection)?;
    Ok(())
}

/// The refresh token of this hash.
///
/// # Errors
/// [`DbError`].
pub fn shown_token(tx: &mut Tx<'_>, hash: &str) -> Result<Option<Shown>, DbError> {
    type Row = (String, String, NaiveDateTime, NaiveDateTime, Option<NaiveDateTime>, Option<NaiveDateTime>);
    let found: Option<Row> = optional(
        refresh_token::table
            .inner_join(session::table)
            .filter(refresh_token::token_hash.eq(hash))
            .select((
                session::id,
                session::user_id,
                session::created_at,
                refresh_token::expires_at,
                refresh_token::spent_at,
                session::ended_at,
            ))
            .first(tx.connection),
    )?;
    let lift = |(session_id, user_id, begun_at, expires_at, spent_at, ended_at): Row| {
        let row = Lift::new("session", &session_id);
        Ok(Shown {
            session_id: row.id("id", &session_id)?,
            user_id: row.id("user_id", &user_id)?,
            begun_at: begun_at.and_utc(),
            expires_at: expires_at.and_utc(),
            spent: spent_at.is_some(),
            ended: ended_at.is_some(),
        })
    };
    found.map(lift).transpose()
}

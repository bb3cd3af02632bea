//! Sessions in the database. Only hashes of refresh tokens are kept.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::schema::{refresh_token, session};
use crate::db::{DbError, Lift, Tx, optional};
use crate::kernel::{Id, Instant, UserId};

/// A signed-in session: a chain of refresh tokens.
pub(super) struct Session;

/// A refresh token that somebody showed.
pub(super) struct Shown {
    pub(super) session_id: Id<Session>,
    pub(super) user_id: UserId,
    pub(super) expires_at: Instant,
    pub(super) spent: bool,
    pub(super) ended: bool,
}

pub(super) fn begin_session(tx: &mut Tx<'_>, id: Id<Session>, user: UserId, now: Instant) -> Result<(), DbError> {
    diesel::insert_into(session::table)
        .values((
            session::id.eq(id.to_string()),
            session::user_id.eq(user.to_string()),
            session::created_at.eq(now.naive_utc()),
        ))
        .execute(tx.connection)?;
    Ok(())
}

pub(super) fn end_session(tx: &mut Tx<'_>, id: Id<Session>, now: Instant) -> Result<(), DbError> {
    diesel::update(session::table.find(id.to_string()).filter(session::ended_at.is_null()))
        .set(session::ended_at.eq(now.naive_utc()))
        .execute(tx.connection)?;
    Ok(())
}

pub(super) fn insert_token(
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

pub(super) fn spend_token(tx: &mut Tx<'_>, hash: &str, now: Instant) -> Result<(), DbError> {
    diesel::update(refresh_token::table.find(hash))
        .set(refresh_token::spent_at.eq(now.naive_utc()))
        .execute(tx.connection)?;
    Ok(())
}

pub(super) fn shown_token(tx: &mut Tx<'_>, hash: &str) -> Result<Option<Shown>, DbError> {
    type Row = (String, String, NaiveDateTime, Option<NaiveDateTime>, Option<NaiveDateTime>);
    let found: Option<Row> = optional(
        refresh_token::table
            .inner_join(session::table)
            .filter(refresh_token::token_hash.eq(hash))
            .select((
                session::id,
                session::user_id,
                refresh_token::expires_at,
                refresh_token::spent_at,
                session::ended_at,
            ))
            .first(tx.connection),
    )?;
    let lift = |(session_id, user_id, expires_at, spent_at, ended_at): Row| {
        let row = Lift::new("session", &session_id);
        Ok(Shown {
            session_id: row.id("id", &session_id)?,
            user_id: row.id("user_id", &user_id)?,
            expires_at: expires_at.and_utc(),
            spent: spent_at.is_some(),
            ended: ended_at.is_some(),
        })
    };
    found.map(lift).transpose()
}

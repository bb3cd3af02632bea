//! Tries to sign in, known places and wishes for a new password, in the database.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::throttle::{KEPT, KNOWN_FOR, Tries};
use crate::access::store as people;
use crate::db::schema::{password_request, sign_in_attempt, sign_in_place};
use crate::db::{AnyConnection, DbError, Lift, Tx};
use crate::kernel::{Email, Id, Instant, Language};

/// Which account is tried, and from where; both as keyed digests.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) account: String,
    pub(super) place: String,
}

/// A name for ids.
pub(super) struct Attempt;

/// The tries that bear on this pair.
pub(super) fn tries(connection: &mut AnyConnection, pair: &Pair, now: Instant) -> Result<Tries, DbError> {
    use {sign_in_attempt as a, sign_in_place as p};
    let since = (now - KEPT).naive_utc();
    let recent = || a::table.filter(a::tried_at.gt(since)).order((a::tried_at, a::id)).select(a::tried_at);
    let lift = |rows: Vec<NaiveDateTime>| rows.into_iter().map(|at| at.and_utc()).collect();
    let (of_account, from_place) = (a::account_key.eq(&pair.account), a::place_key.eq(&pair.place));
    let known = p::table
        .find((&pair.account, &pair.place))
        .filter(p::signed_in_at.gt((now - KNOWN_FOR).naive_utc()))
        .count()
        .get_result::<i64>(connection)?;
    Ok(Tries {
        pair: lift(recent().filter(of_account.and(from_place)).load(connection)?),
        place: lift(recent().filter(from_place).load(connection)?),
        account: lift(recent().filter(of_account).load(connection)?),
        known: known > 0,
    })
}

/// Writes a try down, before it is known whether it succeeds.
pub(super) fn insert_try(tx: &mut Tx<'_>, pair: &Pair, now: Instant) -> Result<(), DbError> {
    use sign_in_attempt as a;
    diesel::insert_into(a::table)
        .values((
            a::id.eq(Id::<Attempt>::made_at(now).to_string()),
            a::account_key.eq(&pair.account),
            a::place_key.eq(&pair.place),
            a::tried_at.eq(now.naive_utc()),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// The owner was there: the tries of this pair are forgotten, and the place is known.
pub(super) fn welcome(tx: &mut Tx<'_>, pair: &Pair, now: Instant) -> Result<(), DbError> {
    use {sign_in_attempt as a, sign_in_place as p};
    let tried = a::table.filter(a::account_key.eq(&pair.account)).filter(a::place_key.eq(&pair.place));
    diesel::delete(tried).execute(tx.connection)?;
    diesel::delete(p::table.find((&pair.account, &pair.place))).execute(tx.connection)?;
    diesel::insert_into(p::table)
        .values((p::account_key.eq(&pair.account), p::place_key.eq(&pair.place), p::signed_in_at.eq(now.naive_utc())))
        .execute(tx.connection)?;
    Ok(())
}

/// Forgets all tries at an account: its owner proved themselves otherwise.
pub(super) fn forgive(tx: &mut Tx<'_>, account_key: &str) -> Result<(), DbError> {
    let tried = sign_in_attempt::table.filter(sign_in_attempt::account_key.eq(account_key));
    diesel::delete(tried).execute(tx.connection)?;
    Ok(())
}

/// Forgets tries, places and sessions that no longer bear on anything.
///
/// # Errors
/// [`DbError`].
pub fn forget_old(tx: &mut Tx<'_>, now: Instant) -> Result<(), DbError> {
    use {sign_in_attempt as a, sign_in_place as p};
    diesel::delete(a::table.filter(a::tried_at.le((now - KEPT).naive_utc()))).execute(tx.connection)?;
    diesel::delete(p::table.filter(p::signed_in_at.le((now - KNOWN_FOR).naive_utc()))).execute(tx.connection)?;
    people::forget_expired_sessions(tx, now)
}

/// A wish for a link that sets a new password.
pub(super) struct PasswordRequest {
    pub(super) id: Id<PasswordRequest>,
    pub(super) email: Email,
    pub(super) language: Language,
}

/// Writes a wish down.
pub(super) fn insert_request(tx: &mut Tx<'_>, email: &Email, language: Language, now: Instant) -> Result<(), DbError> {
    use password_request as r;
    diesel::insert_into(r::table)
        .values((
            r::id.eq(Id::<PasswordRequest>::made_at(now).to_string()),
            r::email.eq(email.as_str()),
            r::language.eq(language.tag()),
            r::asked_at.eq(now.naive_utc()),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// The oldest wishes that nobody has looked at.
pub(super) fn requests(connection: &mut AnyConnection, limit: i64) -> Result<Vec<PasswordRequest>, DbError> {
    use password_request as r;
    let rows: Vec<(String, String, String)> =
        r::table.order((r::asked_at, r::id)).limit(limit).select((r::id, r::email, r::language)).load(connection)?;
    let lift = |(id, email, language): (String, String, String)| {
        let row = Lift::new("password_request", &id);
        Ok(PasswordRequest {
            id: row.id("id", &id)?,
            email: row.some("email", Email::parse(&email))?,
            language: row.some("language", Language::from_tag(&language))?,
        })
    };
    rows.into_iter().map(lift).collect()
}

/// Takes a wish away; says whether it was still there.
pub(super) fn take_request(tx: &mut Tx<'_>, id: Id<PasswordRequest>) -> Result<bool, DbError> {
    Ok(diesel::delete(password_request::table.find(id.to_string())).execute(tx.connection)? == 1)
}

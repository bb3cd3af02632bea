//! Letters that came back, and addresses that get no more.

use chrono::TimeDelta;
use diesel::prelude::*;

use crate::db::schema::{bounce, delivery, suppression};
use crate::db::{AnyConnection, DbError, Lift, Rows, Statement, Tx, optional};
use crate::kernel::{Id, Instant};
use crate::post::Delivery;

/// A delivery that a report speaks of.
#[derive(Clone, Debug)]
pub struct Returned {
    pub id: Id<Delivery>,
    /// The address; a keyed hash when it asked to be forgotten.
    pub recipient: String,
    pub recipient_key: String,
    pub notice_version_id: Option<String>,
}

/// The delivery of this id, and those that went with it in one letter.
///
/// # Errors
/// [`DbError`].
pub fn returned(connection: &mut AnyConnection, id: Id<Delivery>) -> Result<Option<Returned>, DbError> {
    type Row = (String, String, String, Option<String>);
    let row: Option<Row> = optional(
        delivery::table
            .find(id.to_string())
            .select((delivery::id, delivery::recipient, delivery::recipient_key, delivery::notice_version_id))
            .first(connection),
    )?;
    row.map(|(id, recipient, recipient_key, notice_version_id)| {
        let id = Lift::new("delivery", &id).id("id", &id)?;
        Ok(Returned { id, recipient, recipient_key, notice_version_id })
    })
    .transpose()
}

/// Writes down that a letter came back; returns how many did from this address since `since`, or none when this one was
/// known already.
///
/// # Errors
/// [`DbError`].
pub fn bounced(
    tx: &mut Tx<'_>,
    id: Id<Delivery>,
    address_hash: &str,
    words: &str,
    since: TimeDelta,
    now: Instant,
) -> Result<Option<i64>, DbError> {
    let id = id.to_string();
    let known = bounce::table.find(&id);
    if diesel::select(diesel::dsl::exists(known)).get_result::<bool>(tx.connection)? {
        return Ok(None);
    }
    diesel::insert_into(bounce::table)
        .values((
            bounce::delivery_id.eq(&id),
            bounce::address_hash.eq(address_hash),
            bounce::bounced_at.eq(now.naive_utc()),
        ))
        .execute(tx.connection)?;
    let words: String = words.chars().filter(|c| *c != '\0').take(500).collect();
    diesel::update(delivery::table.find(&id))
        .set((delivery::bounced_at.eq(now.naive_utc()), delivery::bounce.eq(words)))
        .execute(tx.connection)?;
    let count = bounce::table
        .filter(bounce::address_hash.eq(address_hash).and(bounce::bounced_at.gt((now - since).naive_utc())))
        .count()
        .get_result(tx.connection)?;
    Ok(Some(count))
}

/// Lets an address get nothing more that it subscribed to.
///
/// # Errors
/// [`DbError`].
pub fn suppress(tx: &mut Tx<'_>, address_hash: &str, reason: &str, now: Instant) -> Result<(), DbError> {
    if is_suppressed(tx.connection, address_hash)? {
        return Ok(());
    }
    diesel::insert_into(suppression::table)
        .values((
            suppression::address_hash.eq(address_hash),
            suppression::reason.eq(reason),
            suppression::suppressed_at.eq(now.naive_utc()),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// Whether this address gets nothing that it subscribed to.
///
/// # Errors
/// [`DbError`].
pub fn is_suppressed(connection: &mut AnyConnection, address_hash: &str) -> Result<bool, DbError> {
    Ok(diesel::select(diesel::dsl::exists(suppression::table.find(address_hash))).get_result(connection)?)
}

/// Those of these addresses that get nothing, and why.
///
/// # Errors
/// [`DbError`].
pub fn suppressed(connection: &mut AnyConnection, hashes: &[String]) -> Result<Vec<(String, String)>, DbError> {
    let among = Rows::on(connection).texts("$1");
    let statement = format!("SELECT address_hash, reason FROM suppression WHERE address_hash IN {among}");
    let rows: Vec<Suppressed> =
        Statement::<Suppressed>::new(statement, vec![Rows::written(hashes)?]).load(connection)?;
    Ok(rows.into_iter().map(|row| (row.address_hash, row.reason)).collect())
}

#[derive(QueryableByName)]
#[diesel(table_name = suppression)]
struct Suppressed {
    address_hash: String,
    reason: String,
}

/// An address has proved anew that it is read: what came back from it no longer counts.
///
/// # Errors
/// [`DbError`].
pub fn lift_suppression(tx: &mut Tx<'_>, address_hash: &str) -> Result<(), DbError> {
    diesel::delete(suppression::table.find(address_hash)).execute(tx.connection)?;
    diesel::delete(bounce::table.filter(bounce::address_hash.eq(address_hash))).execute(tx.connection)?;
    Ok(())
}

//! What people said, in the database.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::verdict::{Pair, Rejection, Said, Verdict};
use crate::challenge::Challenge;
use crate::db::schema::{match_verdict, rejected_suggestion};
use crate::db::{AnyConnection, DbError, Lift, Tx};
use crate::kernel::Id;

type Row = (String, String, String, String, Option<String>, String, NaiveDateTime);

/// The verdicts that count; with an id, those on this challenge.
///
/// # Errors
/// [`DbError`].
pub fn verdicts(connection: &mut AnyConnection, on: Option<Id<Challenge>>) -> Result<Vec<Pair>, DbError> {
    use match_verdict as v;
    let mut query = v::table.filter(v::counts.eq(true)).into_boxed();
    if let Some(id) = on {
        query = query.filter(v::first_id.eq(id.to_string()).or(v::second_id.eq(id.to_string())));
    }
    let columns = (v::id, v::first_id, v::second_id, v::verdict, v::reason, v::said_by, v::said_at);
    let rows: Vec<Row> = query.select(columns).order(v::id).load(connection)?;
    let lift = |(id, first, second, verdict, reason, said_by, said_at): Row| {
        let row = Lift::new("match_verdict", &id);
        let verdict = row.some("verdict", Verdict::from_word(&verdict))?;
        let said = Said { verdict, reason, said_by, said_at: said_at.and_utc() };
        Ok((row.id("first_id", &first)?, row.id("second_id", &second)?, said))
    };
    rows.into_iter().map(lift).collect()
}

/// Writes down a verdict; the one before it no longer counts and is kept.
///
/// # Errors
/// [`DbError`].
pub fn insert_verdict(tx: &mut Tx<'_>, (one, other, said): &Pair) -> Result<(), DbError> {
    use match_verdict as v;
    let (one, other) = (one.to_string(), other.to_string());
    let (first, second) = if one < other { (one, other) } else { (other, one) };
    diesel::update(v::table.filter(v::first_id.eq(&first)).filter(v::second_id.eq(&second)))
        .set(v::counts.eq(false))
        .execute(tx.connection)?;
    diesel::insert_into(v::table)
        .values((
            v::id.eq(Id::<Said>::made_at(said.said_at).to_string()),
            v::first_id.eq(first),
            v::second_id.eq(second),
            v::verdict.eq(said.verdict.word()),
            v::reason.eq(&said.reason),
            v::said_by.eq(&said.said_by),
            v::said_at.eq(said.said_at.naive_utc()),
            v::counts.eq(true),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// The groups that were turned down, oldest first.
///
/// # Errors
/// [`DbError`].
pub fn rejections(connection: &mut AnyConnection) -> Result<Vec<Rejection>, DbError> {
    use rejected_suggestion as r;
    type Row = (String, String, String, String, NaiveDateTime);
    let rows: Vec<Row> =
        r::table.select((r::id, r::challenge_ids, r::reason, r::said_by, r::said_at)).order(r::id).load(connection)?;
    let lift = |(id, challenges, reason, said_by, said_at): Row| {
        let row = Lift::new("rejected_suggestion", &id);
        let challenge_ids = row.json("challenge_ids", &challenges)?;
        Ok(Rejection { id: row.id("id", &id)?, challenge_ids, reason, said_by, said_at: said_at.and_utc() })
    };
    rows.into_iter().map(lift).collect()
}

/// Writes down that a group was turned down.
///
/// # Errors
/// [`DbError`].
pub fn insert_rejection(tx: &mut Tx<'_>, rejection: &Rejection) -> Result<(), DbError> {
    use rejected_suggestion as r;
    let challenges =
        serde_json::to_string(&rejection.challenge_ids).map_err(|error| DbError::Refused(error.to_string()))?;
    diesel::insert_into(r::table)
        .values((
            r::id.eq(rejection.id.to_string()),
            r::challenge_ids.eq(challenges),
            r::reason.eq(&rejection.reason),
            r::said_by.eq(&rejection.said_by),
            r::said_at.eq(rejection.said_at.naive_utc()),
        ))
        .execute(tx.connection)?;
    Ok(())
}

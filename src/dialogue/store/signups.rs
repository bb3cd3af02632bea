//! Sign-ups in the database.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::schema::signup;
use crate::db::{AnyConnection, DbError, Lift, Tx, optional};
use crate::dialogue::{Dialogue, Event, Signup, SignupState};
use crate::kernel::{Id, Instant, Language};

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = signup, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Row {
    id: String,
    event_id: String,
    dialogue_id: String,
    company: String,
    cvr: Option<String>,
    name: String,
    email: String,
    email_key: String,
    language: String,
    status: String,
    held_until: Option<NaiveDateTime>,
    slot: Option<NaiveDateTime>,
    signed_up_at: NaiveDateTime,
    confirmed_at: Option<NaiveDateTime>,
}

impl Row {
    fn of(signup: &Signup) -> Self {
        Self {
            id: signup.id.to_string(),
            event_id: signup.event_id.to_string(),
            dialogue_id: signup.dialogue_id.to_string(),
            company: signup.company.clone(),
            cvr: signup.cvr.clone(),
            name: signup.name.clone(),
            email_key: signup.email.to_lowercase(),
            email: signup.email.clone(),
            language: signup.language.tag().to_owned(),
            status: signup.state.word().to_owned(),
            held_until: signup.held_until.map(|at| at.naive_utc()),
            slot: signup.slot.map(|at| at.naive_utc()),
            signed_up_at: signup.signed_up_at.naive_utc(),
            confirmed_at: signup.confirmed_at.map(|at| at.naive_utc()),
        }
    }
}

impl TryFrom<Row> for Signup {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let lift = Lift::new("signup", &row.id);
        Ok(Self {
            id: lift.id("id", &row.id)?,
            event_id: lift.id("event_id", &row.event_id)?,
            dialogue_id: lift.id("dialogue_id", &row.dialogue_id)?,
            language: lift.some("language", Language::from_tag(&row.language))?,
            state: lift.some("status", SignupState::from_word(&row.status))?,
            company: row.company,
            cvr: row.cvr,
            name: row.name,
            email: row.email,
            held_until: row.held_until.map(|at| at.and_utc()),
            slot: row.slot.map(|at| at.and_utc()),
            signed_up_at: row.signed_up_at.and_utc(),
            confirmed_at: row.confirmed_at.map(|at| at.and_utc()),
        })
    }
}

/// The sign-ups to a dialogue's events, in the order in which they came.
///
/// # Errors
/// [`DbError`].
pub fn signups(connection: &mut AnyConnection, dialogue: Id<Dialogue>) -> Result<Vec<Signup>, DbError> {
    let rows: Vec<Row> = signup::table
        .filter(signup::dialogue_id.eq(dialogue.to_string()))
        .order((signup::signed_up_at, signup::id))
        .load(connection)?;
    rows.into_iter().map(Signup::try_from).collect()
}

/// The sign-up of this id.
///
/// # Errors
/// [`DbError`].
pub fn find_signup(connection: &mut AnyConnection, id: Id<Signup>) -> Result<Option<Signup>, DbError> {
    let row: Option<Row> = optional(signup::table.find(id.to_string()).first(connection))?;
    row.map(Signup::try_from).transpose()
}

/// The sign-up of this address to this event.
///
/// # Errors
/// [`DbError`].
pub fn signup_of(connection: &mut AnyConnection, event: Id<Event>, email_key: &str) -> Result<Option<Signup>, DbError> {
    let row: Option<Row> = optional(
        signup::table
            .filter(signup::event_id.eq(event.to_string()))
            .filter(signup::email_key.eq(email_key))
            .first(connection),
    )?;
    row.map(Signup::try_from).transpose()
}

/// Adds a sign-up.
///
/// # Errors
/// [`DbError`].
pub fn insert_signup(tx: &mut Tx<'_>, signup: &Signup) -> Result<(), DbError> {
    diesel::insert_into(signup::table).values(Row::of(signup)).execute(tx.connection)?;
    Ok(())
}

/// Stores a sign-up that was changed.
///
/// # Errors
/// [`DbError`].
pub fn update_signup(tx: &mut Tx<'_>, signup: &Signup) -> Result<(), DbError> {
    diesel::update(signup::table.find(signup.id.to_string())).set(Row::of(signup)).execute(tx.connection)?;
    Ok(())
}

/// Forgets sign-ups that nobody confirmed; returns how many.
///
/// # Errors
/// [`DbError`].
pub fn forget_unconfirmed_signups(tx: &mut Tx<'_>, before: Instant) -> Result<usize, DbError> {
    let old =
        signup::table.filter(signup::status.eq("unconfirmed")).filter(signup::signed_up_at.lt(before.naive_utc()));
    Ok(diesel::delete(old).execute(tx.connection)?)
}

/// Gives seats free that were kept until now for somebody who did not confirm; returns where.
///
/// # Errors
/// [`DbError`].
pub fn release_holds(tx: &mut Tx<'_>, now: Instant) -> Result<Vec<(Id<Dialogue>, Id<Event>)>, DbError> {
    let over = || signup::table.filter(signup::held_until.le(now.naive_utc()));
    let rows: Vec<(String, String, String)> =
        over().select((signup::id, signup::dialogue_id, signup::event_id)).load(tx.connection)?;
    diesel::update(over()).set(signup::held_until.eq(None::<NaiveDateTime>)).execute(tx.connection)?;
    let lift = |(id, dialogue, event): &(String, String, String)| {
        let row = Lift::new("signup", id);
        Ok((row.id("dialogue_id", dialogue)?, row.id("event_id", event)?))
    };
    rows.iter().map(lift).collect()
}

/// When the next seat comes free that is kept for somebody; none when none is kept.
///
/// # Errors
/// [`DbError`].
pub fn next_hold_end(connection: &mut AnyConnection) -> Result<Option<Instant>, DbError> {
    let next: Option<NaiveDateTime> = signup::table.select(diesel::dsl::min(signup::held_until)).first(connection)?;
    Ok(next.map(|at| at.and_utc()))
}

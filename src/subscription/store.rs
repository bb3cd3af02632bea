//! Subscriptions in the database.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::{Consent, Filter, Frequency, State, Subscription, SubscriptionBody};
use crate::db::schema::{followed_dialogue, subscription};
use crate::db::{AnyConnection, DbError, Lift, Rows, Statement, Tx, optional};
use crate::dialogue::Dialogue;
use crate::kernel::{Email, Id, Instant, Language};

#[derive(Queryable, QueryableByName, Insertable, AsChangeset)]
#[diesel(table_name = subscription, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Row {
    id: String,
    email: String,
    email_key: String,
    language: String,
    frequency: String,
    filter: String,
    status: String,
    consent_text: String,
    consent_at: NaiveDateTime,
    consent_source: String,
    confirmed_at: Option<NaiveDateTime>,
    unsubscribed_at: Option<NaiveDateTime>,
    created_at: NaiveDateTime,
    updated_at: NaiveDateTime,
    version: i64,
}

impl Row {
    fn of(subscription: &Subscription) -> Result<Self, DbError> {
        let (confirmed_at, unsubscribed_at) = match &subscription.state {
            State::Unconfirmed => (None, None),
            State::Confirmed { confirmed_at } => (Some(confirmed_at), None),
            State::Unsubscribed { unsubscribed_at } => (None, Some(unsubscribed_at)),
        };
        let filter = serde_json::to_string(&subscription.body.filter);
        Ok(Self {
            id: subscription.id.to_string(),
            email: subscription.email.as_str().to_owned(),
            email_key: subscription.email.key(),
            language: subscription.body.language.tag().to_owned(),
            frequency: subscription.body.frequency.word().to_owned(),
            filter: filter.map_err(|error| DbError::Refused(error.to_string()))?,
            status: subscription.state.word().to_owned(),
            consent_text: subscription.consent.text.clone(),
            consent_at: subscription.consent.at.naive_utc(),
            consent_source: subscription.consent.source.clone(),
            confirmed_at: confirmed_at.map(Instant::naive_utc),
            unsubscribed_at: unsubscribed_at.map(Instant::naive_utc),
            created_at: subscription.created_at.naive_utc(),
            updated_at: subscription.updated_at.naive_utc(),
            version: subscription.version,
        })
    }
}

impl TryFrom<Row> for Subscription {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let lift = Lift::new("subscription", &row.id);
        let state = match row.status.as_str() {
            "unconfirmed" => State::Unconfirmed,
            "confirmed" => State::Confirmed { confirmed_at: lift.some("confirmed_at", row.confirmed_at)?.and_utc() },
            "unsubscribed" => {
                State::Unsubscribed { unsubscribed_at: lift.some("unsubscribed_at", row.unsubscribed_at)?.and_utc() }
            }
            _ => return Err(lift.impossible("status")),
        };
        Ok(Self {
            id: lift.id("id", &row.id)?,
            email: lift.some("email", Email::parse(&row.email))?,
            body: SubscriptionBody {
                language: lift.some("language", Language::from_tag(&row.language))?,
                frequency: lift.some("frequency", Frequency::from_word(&row.frequency))?,
                filter: lift.json("filter", &row.filter)?,
            },
            state,
            consent: Consent { text: row.consent_text, at: row.consent_at.and_utc(), source: row.consent_source },
            created_at: row.created_at.and_utc(),
            updated_at: row.updated_at.and_utc(),
            version: row.version,
        })
    }
}

/// The subscription of this id.
///
/// # Errors
/// [`DbError`].
pub fn find(connection: &mut AnyConnection, id: Id<Subscription>) -> Result<Option<Subscription>, DbError> {
    let row: Option<Row> = optional(subscription::table.find(id.to_string()).first(connection))?;
    row.map(Subscription::try_from).transpose()
}

/// These subscriptions by their ids, as far as they are there; each by itself, so that one that cannot be read stands in
/// no other's way.
///
/// # Errors
/// [`DbError`].
pub fn find_all(
    connection: &mut AnyConnection,
    ids: &[&str],
) -> Result<HashMap<String, Result<Subscription, DbError>>, DbError> {
    // Named, since a statement that was prepared outlives a table that gets another column.
    let statement = format!(
        "SELECT id, email, email_key, language, frequency, filter, status, consent_text, consent_at, consent_source, \
         confirmed_at, unsubscribed_at, created_at, updated_at, version FROM subscription WHERE id IN {}",
        Rows::on(connection).texts("$1")
    );
    let rows: Vec<Row> = Statement::<Row>::new(statement, vec![Rows::written(ids)?]).load(connection)?;
    Ok(rows.into_iter().map(|row| (row.id.clone(), Subscription::try_from(row))).collect())
}

/// Which of these subscriptions are confirmed as things stand.
///
/// # Errors
/// [`DbError`].
pub fn confirmed_among(connection: &mut AnyConnection, ids: &[&str]) -> Result<HashSet<String>, DbError> {
    let among = Rows::on(connection).texts("$1");
    let statement = format!("SELECT id FROM subscription WHERE status || '' = 'confirmed' AND id IN {among}");
    let rows: Vec<Confirmed> = Statement::<Confirmed>::new(statement, vec![Rows::written(ids)?]).load(connection)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

#[derive(QueryableByName)]
#[diesel(table_name = subscription)]
struct Confirmed {
    id: String,
}

/// All subscriptions of one address.
///
/// # Errors
/// [`DbError`].
pub fn of_address(connection: &mut AnyConnection, email: &Email) -> Result<Vec<Subscription>, DbError> {
    let rows: Vec<Row> =
        subscription::table.filter(subscription::email_key.eq(email.key())).order(subscription::id).load(connection)?;
    rows.into_iter().map(Subscription::try_from).collect()
}

/// Somebody whom a notice may concern.
#[derive(Clone, Debug)]
pub struct Listener {
    pub id: String,
    pub email: Email,
    pub email_key: String,
    pub language: Language,
    pub frequency: Frequency,
    pub filter: Filter,
}

/// Up to `count` subscriptions that were confirmed no later than `by`, in the order of their ids, after `place`; and the
/// place of the last when there may be more. One that cannot be read is left out and logged: the others are told.
///
/// # Errors
/// [`DbError`].
pub fn listeners(
    connection: &mut AnyConnection,
    place: &str,
    by: Instant,
    count: i64,
) -> Result<(Vec<Listener>, Option<String>), DbError> {
    let rows: Vec<ListenerRow> =
        listening(by.naive_utc()).filter(subscription::id.gt(place)).limit(count).load(connection)?;
    let is_full = i64::try_from(rows.len()).is_ok_and(|found| found == count);
    let place = rows.last().filter(|_| is_full).map(|(id, ..)| id.clone());
    Ok((rows.into_iter().filter_map(readable).collect(), place))
}

/// All subscriptions of these addresses that were confirmed no later than `by`.
///
/// # Errors
/// [`DbError`].
pub fn listeners_at(
    connection: &mut AnyConnection,
    email_keys: &[&str],
    by: Instant,
) -> Result<Vec<Listener>, DbError> {
    let rows: Vec<ListenerRow> =
        listening(by.naive_utc()).filter(subscription::email_key.eq_any(email_keys)).load(connection)?;
    Ok(rows.into_iter().filter_map(readable).collect())
}

type ListenerRow = (String, String, String, String, String, String);

/// What was confirmed no later than this, in the order of ids.
#[diesel::dsl::auto_type(no_type_alias)]
fn listening(by: NaiveDateTime) -> _ {
    subscription::table
        .filter(subscription::status.eq("confirmed").and(subscription::confirmed_at.le(by)))
        .order(subscription::id)
        .select((
            subscription::id,
            subscription::email,
            subscription::email_key,
            subscription::language,
            subscription::frequency,
            subscription::filter,
        ))
}

fn readable((id, email, email_key, language, frequency, filter): ListenerRow) -> Option<Listener> {
    let lift = || {
        let row = Lift::new("subscription", &id);
        let email = row.some("email", Email::parse(&email))?;
        let language = row.some("language", Language::from_tag(&language))?;
        let frequency = row.some("frequency", Frequency::from_word(&frequency))?;
        let filter = row.json("filter", &filter)?;
        Ok::<_, DbError>(Listener { id: id.clone(), email, email_key, language, frequency, filter })
    };
    lift().inspect_err(|error| tracing::error!(%error, "a subscriber is not told")).ok()
}

/// Adds a subscription.
///
/// # Errors
/// [`DbError`].
pub fn insert(tx: &mut Tx<'_>, subscription: &Subscription) -> Result<(), DbError> {
    diesel::insert_into(subscription::table).values(Row::of(subscription)?).execute(tx.connection)?;
    index_followed(tx, subscription)
}

/// Stores a subscription that was changed.
///
/// # Errors
/// [`DbError`].
pub fn update(tx: &mut Tx<'_>, subscription: &Subscription) -> Result<(), DbError> {
    diesel::update(subscription::table.find(subscription.id.to_string()))
        .set(Row::of(subscription)?)
        .execute(tx.connection)?;
    let old = followed_dialogue::table.filter(followed_dialogue::subscription_id.eq(subscription.id.to_string()));
    diesel::delete(old).execute(tx.connection)?;
    index_followed(tx, subscription)
}

/// Notes which dialogues the subscription follows, so that its followers are found without reading every filter.
fn index_followed(tx: &mut Tx<'_>, subscription: &Subscription) -> Result<(), DbError> {
    use followed_dialogue as f;
    let followed: BTreeSet<String> = subscription.body.filter.dialogue_ids.iter().map(ToString::to_string).collect();
    for dialogue in followed {
        diesel::insert_into(f::table)
            .values((f::subscription_id.eq(subscription.id.to_string()), f::dialogue_id.eq(dialogue)))
            .execute(tx.connection)?;
    }
    Ok(())
}

/// The confirmed subscriptions that follow this dialogue, in the order of their ids.
///
/// # Errors
/// [`DbError`].
pub fn followers(connection: &mut AnyConnection, dialogue: Id<Dialogue>) -> Result<Vec<Subscription>, DbError> {
    use followed_dialogue as f;
    let following = f::table.filter(f::dialogue_id.eq(dialogue.to_string())).select(f::subscription_id);
    let rows: Vec<Row> = subscription::table
        .filter(subscription::status.eq("confirmed").and(subscription::id.eq_any(following)))
        .order(subscription::id)
        .load(connection)?;
    rows.into_iter().map(Subscription::try_from).collect()
}

/// Forgets a subscription.
///
/// # Errors
/// [`DbError`].
pub fn delete(tx: &mut Tx<'_>, id: Id<Subscription>) -> Result<(), DbError> {
    diesel::delete(subscription::table.find(id.to_string())).execute(tx.connection)?;
    Ok(())
}

/// Forgets subscriptions that nobody confirmed; returns how many.
///
/// # Errors
/// [`DbError`].
pub fn forget_unconfirmed(tx: &mut Tx<'_>, before: Instant) -> Result<usize, DbError> {
    let old = subscription::table
        .filter(subscription::status.eq("unconfirmed"))
        .filter(subscription::updated_at.lt(before.naive_utc()));
    Ok(diesel::delete(old).execute(tx.connection)?)
}

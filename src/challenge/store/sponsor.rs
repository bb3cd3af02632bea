//! Sponsors who were asked.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::challenge::Challenge;
use crate::challenge::sponsor::{Answer, Refusal, SponsorRequest};
use crate::criteria::Side;
use crate::db::schema::sponsor_request;
use crate::db::{AnyConnection, DbError, Lift, Tx, optional};
use crate::kernel::{Email, Id, Instant, Language};

#[derive(Queryable, Insertable)]
#[diesel(table_name = sponsor_request, treat_none_as_default_value = false)]
struct Row {
    id: String,
    challenge_id: String,
    side: String,
    name: String,
    title: String,
    email: Option<String>,
    language: String,
    text_digest: String,
    answer: String,
    answered_at: Option<NaiveDateTime>,
    reason: Option<String>,
    asked_by: String,
    asked_at: NaiveDateTime,
    mailed_at: NaiveDateTime,
    expires_at: NaiveDateTime,
}

impl From<&SponsorRequest> for Row {
    fn from(request: &SponsorRequest) -> Self {
        let no = request.refusal();
        let (answer, answered_at) = match &request.answer {
            Answer::Waiting { .. } => ("waiting", no.map(|no| no.at)),
            Answer::Confirmed { at } => ("confirmed", Some(*at)),
            Answer::Refused(no) => ("refused", Some(no.at)),
        };
        Self {
            id: request.id.to_string(),
            challenge_id: request.challenge_id.to_string(),
            side: request.side.word().to_owned(),
            name: request.name.clone(),
            title: request.title.clone(),
            email: request.email.as_ref().map(ToString::to_string),
            language: request.language.tag().to_owned(),
            text_digest: request.text_digest.clone(),
            answer: answer.to_owned(),
            answered_at: answered_at.map(|at| at.naive_utc()),
            reason: no.and_then(|no| no.reason.clone()),
            asked_by: request.asked_by.clone(),
            asked_at: request.asked_at.naive_utc(),
            mailed_at: request.mailed_at.naive_utc(),
            expires_at: request.expires_at.naive_utc(),
        }
    }
}

impl TryFrom<Row> for SponsorRequest {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let lift = Lift::new("sponsor_request", &row.id);
        let no = row.answered_at.map(|at| Refusal { at: at.and_utc(), reason: row.reason.clone() });
        let answer = match row.answer.as_str() {
            "waiting" => Answer::Waiting { before: no },
            "confirmed" => Answer::Confirmed { at: lift.some("answered_at", row.answered_at)?.and_utc() },
            "refused" => Answer::Refused(lift.some("answered_at", no)?),
            _ => return Err(lift.impossible("answer")),
        };
        Ok(Self {
            id: lift.id("id", &row.id)?,
            challenge_id: lift.id("challenge_id", &row.challenge_id)?,
            side: lift.some("side", Side::from_word(&row.side))?,
            language: lift.some("language", Language::from_tag(&row.language))?,
            email: row.email.as_ref().map(|email| lift.some("email", Email::parse(email))).transpose()?,
            name: row.name,
            title: row.title,
            text_digest: row.text_digest,
            answer,
            asked_by: row.asked_by,
            asked_at: row.asked_at.and_utc(),
            mailed_at: row.mailed_at.and_utc(),
            expires_at: row.expires_at.and_utc(),
        })
    }
}

/// The sponsors of a challenge who were asked, at most one a side.
///
/// # Errors
/// [`DbError`].
pub fn sponsor_requests(connection: &mut AnyConnection, of: Id<Challenge>) -> Result<Vec<SponsorRequest>, DbError> {
    use sponsor_request as s;
    let rows: Vec<Row> = s::table.filter(s::challenge_id.eq(of.to_string())).order(s::side.desc()).load(connection)?;
    rows.into_iter().map(SponsorRequest::try_from).collect()
}

/// The request of this id.
///
/// # Errors
/// [`DbError`].
pub fn find_sponsor_request(
    connection: &mut AnyConnection,
    id: Id<SponsorRequest>,
) -> Result<Option<SponsorRequest>, DbError> {
    let row: Option<Row> = optional(sponsor_request::table.find(id.to_string()).first(connection))?;
    row.map(SponsorRequest::try_from).transpose()
}

/// Puts a request in the place of the one that its side had.
///
/// # Errors
/// [`DbError`].
pub fn put_sponsor_request(tx: &mut Tx<'_>, request: &SponsorRequest) -> Result<(), DbError> {
    use sponsor_request as s;
    let of_side = s::table.filter(s::challenge_id.eq(request.challenge_id.to_string()));
    diesel::delete(of_side.filter(s::side.eq(request.side.word()))).execute(tx.connection)?;
    diesel::insert_into(s::table).values(Row::from(request)).execute(tx.connection)?;
    Ok(())
}

/// Forgets the addresses of sponsors who can no longer answer: of this challenge.
///
/// # Errors
/// [`DbError`].
pub fn forget_sponsor_address(tx: &mut Tx<'_>, id: Id<SponsorRequest>) -> Result<(), DbError> {
    diesel::update(sponsor_request::table.find(id.to_string()))
        .set(sponsor_request::email.eq(None::<String>))
        .execute(tx.connection)?;
    Ok(())
}

/// Forgets the addresses of sponsors whose links have expired; returns how many.
///
/// # Errors
/// [`DbError`].
pub fn forget_expired_sponsor_addresses(tx: &mut Tx<'_>, now: Instant) -> Result<usize, DbError> {
    use sponsor_request as s;
    let expired = s::table.filter(s::expires_at.lt(now.naive_utc())).filter(s::email.is_not_null());
    Ok(diesel::update(expired).set(s::email.eq(None::<String>)).execute(tx.connection)?)
}

//! The same request twice is done once: `Idempotency-Key` on any POST.
//!
//! A key is claimed before the deed and its answer is kept for 24 hours. When the service dies in between, or cannot
//! find out whether a commit holds, the key stays claimed: a retry is told to look before it repeats, and nothing can
//! happen twice.

use actix_web::body::{BoxBody, MessageBody, to_bytes};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LOCATION};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, HttpResponse, web};
use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;

use super::frame::{in_words, refuse};
use super::{Node, Problem, RawBody};
use crate::db::schema::idempotency;
use crate::db::{DbError, Tx, optional};
use crate::kernel::{Instant, digest, text};

/// How long an answer is kept.
const KEPT: TimeDelta = TimeDelta::hours(24);
/// After this long without an answer, a request is taken to have been cut off.
const CUT_OFF: TimeDelta = TimeDelta::minutes(2);

/// The answer's headers that are kept with it.
const HEADERS: [HeaderName; 3] = [CONTENT_TYPE, LOCATION, ETAG];

#[derive(Insertable, Queryable)]
#[diesel(table_name = idempotency, treat_none_as_default_value = false)]
struct Row {
    principal: String,
    key: String,
    request: String,
    status: Option<i32>,
    headers: Option<String>,
    body: Option<String>,
    begun_at: NaiveDateTime,
}

/// An answer as it is kept; a secret's body is not.
#[derive(Clone)]
struct Kept {
    status: u16,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

enum Claim {
    New,
    Answered(Kept),
    OtherRequest,
    Running,
    CutOff,
}

/// Does a keyed POST once. `principal` tells who asks: keys of different people never meet.
///
/// # Errors
/// None of its own; refusals are answers.
pub async fn once(
    node: web::Data<Node>,
    principal: impl FnOnce(&Node, &HttpRequest) -> String,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // A stream has no end to hash before it is read; it answers line by line and is safe to send again.
    let kind = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let streamed = kind.starts_with(b"application/x-ndjson") || kind.starts_with(b"text/csv");
    let key = request.headers().get("idempotency-key").cloned();
    let (Some(key), false, &Method::POST) = (key, streamed, request.method()) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let principal = principal(&node, request.request());
    let claimed = match begin(&node, principal, &key, &mut request).await {
        Ok(claimed) => claimed,
        Err(problem) => return Ok(refuse(request, &problem)),
    };
    let place = match claimed {
        Begun::Answered(kept) => {
            let answer = kept.answer();
            return Ok(match answer {
                Ok(answer) => request.into_response(answer),
                Err(problem) => refuse(request, &problem),
            });
        }
        Begun::New(place) => place,
    };

    let response = match next.call(request).await {
        Ok(response) => response.map_into_boxed_body(),
        Err(error) => {
            settle_in_time(node, place, None).await;
            return Err(error);
        }
    };
    let problem = response.response().error().and_then(|error| error.as_error::<Problem>());
    if problem.is_some_and(|problem| problem.code == Problem::UNSETTLED) {
        return Ok(in_words(response));
    }
    let response = in_words(response);
    let (http, response) = response.into_parts();
    let (response, body) = response.into_parts();
    let bytes = to_bytes(body).await.unwrap_or_default();
    let status = response.status();
    let secret = status.is_success() && response.headers().get(CACHE_CONTROL).is_some_and(|value| value == "no-store");
    // What failed on our side, or asked for patience or a sign-in, may be tried again under the same key.
    let again = status.is_server_error() || matches!(status, StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS);
    let header = |name: &HeaderName| Some((name.to_string(), response.headers().get(name)?.to_str().ok()?.to_owned()));
    let kept = Kept {
        status: status.as_u16(),
        headers: HEADERS.iter().filter_map(header).collect(),
        body: (!secret).then(|| String::from_utf8_lossy(&bytes).into_owned()),
    };
    settle_in_time(node, place, (!again).then_some(kept)).await;
    Ok(ServiceResponse::new(http, response.set_body(bytes).map_into_boxed_body()))
}

/// Whose key, and which.
type Place = (String, String);

enum Begun {
    New(Place),
    Answered(Kept),
}

async fn begin(
    node: &Node,
    principal: String,
    key: &HeaderValue,
    request: &mut ServiceRequest,
) -> Result<Begun, Problem> {
    let key = read_key(key)?;
    let RawBody(body) = request.extract::<RawBody>().await?;
    let described = [request.method().as_str().as_bytes(), request.uri().to_string().as_bytes(), &body].join(&0);
    request.set_payload(actix_web::dev::Payload::from(body));

    let now = node.now();
    let place = (principal, key.to_owned());
    let (claimed, hash) = (place.clone(), digest(&described));
    let claim = node.db.write(move |tx| claim(tx, claimed, hash, now)).await;
    match claim.map_err(|error: DbError| Problem::from(error))? {
        Claim::New => Ok(Begun::New(place)),
        Claim::Answered(kept) => Ok(Begun::Answered(kept)),
        Claim::OtherRequest => {
            let detail = text!(
                "Nøglen er allerede brugt til en anden forespørgsel",
                "The key was already used for another request"
            );
            Err(Problem::unfit("", "idempotency_key_reused", detail))
        }
        Claim::Running => {
            let detail =
                text!("Den samme forespørgsel er stadig i gang", "The same request is still being carried out");
            Err(Problem { retry_after: Some(1), ..Problem::conflict("still_running", detail) })
        }
        Claim::CutOff => {
            let detail = text!(
                "Den første forespørgsel blev afbrudt. Se efter, om den blev udført, før du sender den igen med en ny nøgle",
                "The first request was cut off. See whether it was carried out before you send it again with a new key"
            );
            Err(Problem::conflict("cut_off", detail))
        }
    }
}

/// What a client calls its request.
fn read_key(key: &HeaderValue) -> Result<&str, Problem> {
    key.to_str().ok().filter(|key| (1..=255).contains(&key.len())).ok_or_else(|| {
        let detail =
            text!("Idempotency-Key er 1 til 255 synlige tegn", "Idempotency-Key is 1 to 255 visible characters");
        Problem::unfit("", "bad_idempotency_key", detail)
    })
}

impl Kept {
    fn answer(self) -> Result<HttpResponse, Problem> {
        let Some(body) = self.body else {
            let detail = text!(
                "Det er allerede gjort. Svaret indeholdt en hemmelighed, som kun vises én gang",
                "This is already done. The answer held a secret that is shown only once"
            );
            return Err(Problem::conflict("already_done", detail));
        };
        let mut response = HttpResponse::build(StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK));
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.insert_header((name, value));
            }
        }
        Ok(response.insert_header(("Idempotency-Replayed", "true")).body(body))
    }
}

fn claim(tx: &mut Tx<'_>, (principal, key): Place, hash: String, now: Instant) -> Result<Claim, DbError> {
    let place = idempotency::table.find((principal.clone(), key.clone()));
    let row: Option<Row> = optional(place.clone().first(tx.connection))?;
    if let Some(row) = row.filter(|row| row.begun_at.and_utc() + KEPT > now) {
        return Ok(if row.request != hash {
            Claim::OtherRequest
        } else if let Some(status) = row.status {
            let headers = serde_json::from_str(row.headers.as_deref().unwrap_or("[]")).unwrap_or_default();
            Claim::Answered(Kept { status: u16::try_from(status).unwrap_or(200), headers, body: row.body })
        } else if row.begun_at.and_utc() + CUT_OFF > now {
            Claim::Running
        } else {
            Claim::CutOff
        });
    }
    diesel::delete(place).execute(tx.connection)?;
    let row = Row { principal, key, request: hash, status: None, headers: None, body: None, begun_at: now.naive_utc() };
    diesel::insert_into(idempotency::table).values(&row).execute(tx.connection)?;
    Ok(Claim::New)
}

/// Keeps the answer, or gives the key free. What was done stands whether that succeeds or not: when the database is
/// away, the answer goes out, and the key is settled when it is back.
async fn settle_in_time(node: web::Data<Node>, place: Place, kept: Option<Kept>) {
    let Err(error) = settle(&node, place.clone(), kept.clone()).await else { return };
    tracing::warn!(%error, "the answer to a keyed request is kept later");
    actix_web::rt::spawn(async move {
        for _ in 0..CUT_OFF.num_seconds() {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            if settle(&node, place.clone(), kept.clone()).await.is_ok() {
                return;
            }
        }
    });
}

async fn settle(node: &Node, place: Place, kept: Option<Kept>) -> Result<(), DbError> {
    node.db
        .write(move |tx| {
            let place = idempotency::table.find(place);
            match kept {
                None => diesel::delete(place).execute(tx.connection)?,
                Some(kept) => diesel::update(place)
                    .set((
                        idempotency::status.eq(i32::from(kept.status)),
                        idempotency::headers.eq(serde_json::to_string(&kept.headers).ok()),
                        idempotency::body.eq(kept.body),
                    ))
                    .execute(tx.connection)?,
            };
            Ok(())
        })
        .await
}

/// Forgets answers older than 24 hours; returns how many.
///
/// # Errors
/// [`DbError`].
pub fn forget_old(tx: &mut Tx<'_>, now: Instant) -> Result<usize, DbError> {
    let old = idempotency::table.filter(idempotency::begun_at.lt((now - KEPT).naive_utc()));
    Ok(diesel::delete(old).execute(tx.connection)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_key_is_its_visible_characters_or_none(bytes in proptest::collection::vec(32_u8..=255, 0..300)) {
            let Ok(header) = HeaderValue::from_bytes(&bytes) else { return Ok(()) };
            let fits = (1..=255).contains(&bytes.len()) && bytes.iter().all(|byte| (32..127).contains(byte));
            proptest::prop_assert_eq!(read_key(&header).ok().map(str::as_bytes), fits.then_some(bytes.as_slice()));
        }
    }
}

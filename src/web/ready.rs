//! Answers at hand: what is read is asked for far more often than it changes.
//!
//! The answer to a GET is kept as ready bytes for the moment it was made in: until this node commits anything, or hears that
//! another did, or the clock's second is over. So whoever writes here reads it back at once; what falls due by the clock, the
//! end of a token among it, shows from the next second on.
//!
//! A stranger is answered without any look at the database: what another node wrote shows from the next second on. For somebody
//! who is signed in the database is asked first whether anything was committed since the answer was made, and an answer is
//! at hand for the very credentials it was made for alone. So no node shows them what any commit has changed: a session that ended, a key
//! that was revoked and a role that changed are commits as well.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CACHE_CONTROL, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{Error, HttpMessage, HttpResponse, web};

use super::frame::{Asker, Route, refuse};
use super::reply::is_seen;
use super::{Node, Problem};
use crate::db::DbError;
use crate::kernel::{UserId, digest};

/// How many answers are kept at once.
const MOST: usize = 1024;
/// How many bytes all answers together may have.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// The largest answer that is kept, in bytes.
const LARGEST: u64 = 256 * 1024;
/// The longest question that is remembered, in bytes.
const LONGEST: usize = 1024;

/// The answers of one moment.
#[derive(Debug, Default)]
pub struct Ready(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    moment: Moment,
    answers: HashMap<Asked, Kept>,
    bytes: usize,
}

/// The newest change that this node knew of before it looked, and the second that the clock showed.
type Moment = (i64, i64);

/// All that an answer depends on: the address with its query, what the client would rather have, and who it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Asked {
    uri: String,
    accept: HeaderValue,
    language: HeaderValue,
    /// The hash of the credentials; none of a stranger.
    who: Option<String>,
}

impl Asked {
    /// What was asked; none for what changes something, or is longer than sense.
    fn of(request: &ServiceRequest) -> Option<Self> {
        let headers = request.headers();
        let header = |name| headers.get(name).cloned().unwrap_or_else(|| HeaderValue::from_static(""));
        let (uri, accept, language) = (request.uri().to_string(), header(ACCEPT), header(ACCEPT_LANGUAGE));
        let length = uri.len() + accept.len() + language.len();
        let who = || headers.get(AUTHORIZATION).map(|credentials| digest(credentials.as_bytes()));
        let reads = request.method() == Method::GET && length <= LONGEST;
        reads.then(|| Self { uri, accept, language, who: who() })
    }
}

#[derive(Clone, Debug)]
struct Kept {
    route: String,
    asker: Option<UserId>,
    headers: HeaderMap,
    body: Bytes,
}

impl Ready {
    fn find(&self, moment: Moment, asked: &Asked) -> Option<Kept> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.moment != moment {
            *held = Held { moment, ..Held::default() };
        }
        held.answers.get(asked).cloned()
    }

    /// Keeps an answer, unless the moment it was begun in has passed meanwhile.
    fn keep(&self, moment: Moment, asked: Asked, answer: Kept) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = held.bytes + answer.body.len();
        if held.moment == moment && held.answers.len() < MOST && bytes <= MOST_BYTES {
            held.bytes = bytes;
            held.answers.insert(asked, answer);
        }
    }
}

/// What is at hand for this moment, which is the database's for whoever is signed in.
///
/// It is only asked when there is an answer that may be good: without one, what this node knows of is as good a moment to
/// begin an answer in. Were it behind, the answer would be taken for older than it is, and made again.
async fn look(node: &Node, asked: &Asked) -> Result<(Moment, Option<Kept>), DbError> {
    let moment @ (known, second) = (node.db.last_commit(), node.now().timestamp());
    let kept = node.ready.find(moment, asked);
    if kept.is_none() || asked.who.is_none() {
        return Ok((moment, kept));
    }
    let newest = node.db.newest_change().await?;
    if newest == known {
        return Ok((moment, kept));
    }
    let moment = (newest, second);
    Ok((moment, node.ready.find(moment, asked)))
}

/// Answers a GET from what is at hand, or lets it through and keeps what came.
///
/// # Errors
/// Those of the handler.
pub async fn at_hand(
    node: web::Data<Node>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(asked) = Asked::of(&request) else { return Ok(next.call(request).await?.map_into_boxed_body()) };
    let (moment, kept) = match look(&node, &asked).await {
        Ok(looked) => looked,
        Err(error) => return Ok(refuse(request, &Problem::from(error))),
    };
    if let Some(kept) = kept {
        let seen = request.headers().get(IF_NONE_MATCH).cloned();
        request.extensions_mut().insert(Route(kept.route.clone()));
        if let (Some(user), Some(asker)) = (kept.asker, request.extensions().get::<Asker>()) {
            asker.0.set(user).ok();
        }
        return Ok(request.into_response(answer(kept, seen.as_ref())));
    }
    let response = next.call(request).await?.map_into_boxed_body();
    let lasts = response.headers().get(CACHE_CONTROL).is_some_and(|value| value.as_bytes() != b"no-store");
    let small = matches!(response.response().body().size(), BodySize::Sized(bytes) if bytes <= LARGEST);
    if !lasts || !small || response.status() != StatusCode::OK {
        return Ok(response);
    }
    let route = response.request().match_pattern().unwrap_or_default();
    let asker = response.request().extensions().get::<Asker>().and_then(|asker| asker.0.get().copied());
    let headers = response.headers().clone();
    let (request, response) = response.into_parts();
    let (response, body) = response.into_parts();
    Ok(match body.try_into_bytes() {
        Ok(body) => {
            node.ready.keep(moment, asked, Kept { route, asker, headers, body: body.clone() });
            ServiceResponse::new(request, response.set_body(BoxBody::new(body)))
        }
        Err(body) => ServiceResponse::new(request, response.set_body(body)),
    })
}

fn answer(kept: Kept, seen: Option<&HeaderValue>) -> HttpResponse {
    let unchanged = kept.headers.get(ETAG).is_some_and(|etag| is_seen(seen, etag));
    let status = if unchanged { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let mut response = HttpResponse::new(status);
    *response.headers_mut() = kept.headers;
    if unchanged { response } else { response.set_body(BoxBody::new(kept.body)) }
}

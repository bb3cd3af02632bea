//! Answers at hand: what everybody may read is asked for far more often than it changes.
//!
//! An answer to a stranger's GET is kept as ready bytes for the moment it was made in: until this node commits anything,
//! or hears that another did, or the clock's second is over. So whoever writes here reads it back at once; what another node wrote, and what falls
//! due by the clock, shows from the next second on. Nothing is kept of what was asked with credentials.

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

use super::Node;
use super::frame::Route;
use super::reply::is_seen;

/// How many answers are kept at once.
const MOST: usize = 1024;
/// The largest answer that is kept, in bytes.
const LARGEST: u64 = 64 * 1024;
/// The longest question that is remembered, in bytes.
const LONGEST: usize = 1024;

/// The answers of one moment.
#[derive(Debug, Default)]
pub struct Ready(Mutex<(Moment, HashMap<Asked, Kept>)>);

/// The last change that this node committed, and the second that the clock shows.
type Moment = (i64, i64);

/// All that an answer to a stranger depends on: the address with its query, and what the client would rather have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Asked {
    uri: String,
    accept: HeaderValue,
    language: HeaderValue,
}

impl Asked {
    /// What a stranger asked; none for what is done with credentials, changes something, or is longer than sense.
    fn of(request: &ServiceRequest) -> Option<Self> {
        let headers = request.headers();
        let header = |name| headers.get(name).cloned().unwrap_or_else(|| HeaderValue::from_static(""));
        let asked = Self { uri: request.uri().to_string(), accept: header(ACCEPT), language: header(ACCEPT_LANGUAGE) };
        let length = asked.uri.len() + asked.accept.len() + asked.language.len();
        let stranger = request.method() == Method::GET && !headers.contains_key(AUTHORIZATION);
        (stranger && length <= LONGEST).then_some(asked)
    }
}

#[derive(Clone, Debug)]
struct Kept {
    route: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Ready {
    fn find(&self, moment: Moment, asked: &Asked) -> Option<Kept> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.0 != moment {
            *held = (moment, HashMap::new());
        }
        held.1.get(asked).cloned()
    }

    /// Keeps an answer, unless the moment it was begun in has passed meanwhile.
    fn keep(&self, moment: Moment, asked: Asked, answer: Kept) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.0 == moment && held.1.len() < MOST {
            held.1.insert(asked, answer);
        }
    }
}

/// Answers a stranger's GET from what is at hand, or lets it through and keeps what came.
///
/// # Errors
/// Those of the handler.
pub async fn at_hand(
    node: web::Data<Node>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(asked) = Asked::of(&request) else { return Ok(next.call(request).await?.map_into_boxed_body()) };
    let moment = (node.db.last_commit(), node.now().timestamp());
    if let Some(kept) = node.ready.find(moment, &asked) {
        let seen = request.headers().get(IF_NONE_MATCH).cloned();
        request.extensions_mut().insert(Route(kept.route.clone()));
        return Ok(request.into_response(answer(kept, seen.as_ref())));
    }
    let response = next.call(request).await?.map_into_boxed_body();
    let lasts = response.headers().get(CACHE_CONTROL).is_some_and(|value| value.as_bytes() != b"no-store");
    let small = matches!(response.response().body().size(), BodySize::Sized(bytes) if bytes <= LARGEST);
    if !lasts || !small || response.status() != StatusCode::OK {
        return Ok(response);
    }
    let route = response.request().match_pattern().unwrap_or_default();
    let headers = response.headers().clone();
    let (request, response) = response.into_parts();
    let (response, body) = response.into_parts();
    Ok(match body.try_into_bytes() {
        Ok(body) => {
            node.ready.keep(moment, asked, Kept { route, headers, body: body.clone() });
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

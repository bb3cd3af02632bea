//! Around every request: its id, the client's limit, problems put into words, headers that protect, a log
//! line and a count. Logs name routes, never paths: a path may hold somebody's secret link.

use std::cell::OnceCell;
use std::net::IpAddr;
use std::rc::Rc;
use std::str::FromStr;
use std::time::Instant as Stopwatch;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderName, HeaderValue, RETRY_AFTER};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, Responder, web};
use governor::clock::{Clock as _, DefaultClock};
use uuid::Uuid;

use super::{HtmlPage, Node, Prefers, Problem};
use crate::kernel::{Language, UserId, text};
use crate::mail::Prose;

/// The id that the answer, the log and the problem share.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Who turned out to have asked, for the log: an id, which says nothing to strangers.
#[derive(Clone, Debug, Default)]
pub struct Asker(pub Rc<OnceCell<UserId>>);

/// The route of a request that was answered before the router saw it.
pub(super) struct Route(pub(super) String);

/// The media type of what the buttons of pages send; the API itself takes none of it.
const FORM: &str = "application/x-www-form-urlencoded";

const PROTECTION: [(&str, &str); 5] = [
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

/// The frame around every request.
///
/// # Errors
/// None of its own, and none from handlers: their errors become answers here.
pub async fn frame(
    node: web::Data<Node>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Stopwatch::now();
    let id = Uuid::now_v7().simple().to_string();
    request.extensions_mut().insert(RequestId(id.clone()));
    let asker = Asker::default();
    request.extensions_mut().insert(asker.clone());
    let method = request.method().clone();
    if method == Method::HEAD {
        // HEAD is GET whose body the connection leaves out (RFC 9110, section 9.3.2).
        request.head_mut().method = Method::GET;
    }
    let mut response = match within_limit(&node, request.request()) {
        Err(problem) => refuse(request, &problem),
        // No clone of the request may live while the router looks at it.
        Ok(()) => in_words(next.call(request).await?.map_into_boxed_body()),
    };

    // A connection that is kept would be cut in the middle of the next request.
    if node.is_leaving() {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    for (name, value) in PROTECTION {
        let name = HeaderName::from_static(name);
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if node.settings.public_url.starts_with("https://") {
        let a_year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(HeaderName::from_static("strict-transport-security"), a_year);
    }

    let at_hand = response.request().extensions_mut().remove::<Route>().map(|Route(route)| route);
    let route = at_hand.or_else(|| response.request().match_pattern()).unwrap_or_else(|| "none".to_owned());
    let status = response.status().as_u16();
    let seconds = started.elapsed().as_secs_f64();
    node.metrics.requests.with_label_values(&[route.as_str(), method.as_str(), status.to_string().as_str()]).inc();
    node.metrics.seconds.with_label_values(&[route.as_str()]).observe(seconds);
    let user = asker.0.get().map(tracing::field::display);
    tracing::info!(request_id = %id, %method, %route, status, user, ms = seconds * 1000.0, "answered");
    Ok(response)
}

/// A response whose handler failed gets the problem's words as its body; others stay as they are.
pub(super) fn in_words(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let Some(error) = response.response().error() else { return response };
    let problem = understand(error);
    let answer = put(response.request(), &problem);
    ServiceResponse::new(response.into_parts().0, answer)
}

/// Answers a request that goes no further.
pub(super) fn refuse(request: ServiceRequest, problem: &Problem) -> ServiceResponse<BoxBody> {
    let answer = put(request.request(), problem);
    request.into_response(answer)
}

fn put(request: &HttpRequest, problem: &Problem) -> HttpResponse {
    let id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    if let Some(cause) = &problem.cause {
        tracing::error!(request_id = %id, code = problem.code, %cause, "a request failed");
    }
    // Who opens a page with a browser, or presses the button of one, reads a page; the API answers everybody alike.
    let is_page = !request.path().starts_with("/api/") || request.content_type() == FORM;
    if Prefers::of(request) == Prefers::Html && is_page {
        let page = HtmlPage::of_problem(problem, language(request)).words(&Prose::default().small(id));
        let mut response = page.respond_to(request);
        if let Some(seconds) = problem.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        return response;
    }
    problem.response(language(request), request.path(), &id)
}

fn understand(error: &Error) -> Problem {
    if let Some(problem) = error.as_error::<Problem>() {
        return problem.clone();
    }
    match error.as_response_error().status_code() {
        StatusCode::PAYLOAD_TOO_LARGE => super::body::too_large(),
        status if status.is_client_error() => {
            Problem::new(status, "unreadable", text!("Forespørgslen kan ikke læses", "The request cannot be read"))
        }
        _ => Problem::internal(error),
    }
}

/// The language that the client asked for.
#[must_use]
pub fn language(request: &HttpRequest) -> Language {
    let header = request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Language::negotiate(header.unwrap_or_default())
}

/// The client's address; the word of a trusted proxy counts, anybody else's `X-Forwarded-For` does not.
#[must_use]
pub fn client_address(node: &Node, request: &HttpRequest) -> Option<IpAddr> {
    let trusted = |address: &IpAddr| node.settings.trusted_proxies.contains(address);
    let peer = request.peer_addr()?.ip();
    if !trusted(&peer) {
        return Some(peer);
    }
    let forwarded = request.headers().get("x-forwarded-for").and_then(|value| value.to_str().ok()).unwrap_or_default();
    // Each proxy appends whom it heard from: the last that is no proxy of ours is the client.
    let client = forwarded.rsplit(',').filter_map(|a| IpAddr::from_str(a.trim()).ok()).find(|a| !trusted(a));
    Some(client.unwrap_or(peer))
}

fn within_limit(node: &Node, request: &HttpRequest) -> Result<(), Problem> {
    let (Some(limiter), Some(client)) = (&node.limiter, client_address(node, request)) else { return Ok(()) };
    let Err(not_until) = limiter.check_key(&client) else { return Ok(()) };
    let seconds = not_until.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
    if limiter.len() > 10_000 {
        limiter.retain_recent();
    }
    let detail = text!("Vent {seconds} sekund(er), og prøv igen", "Wait {seconds} second(s) and try again");
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail);
    Err(Problem { retry_after: Some(seconds), ..problem })
}

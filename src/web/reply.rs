//! Answers: a status, a body, and the headers that belong to it.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;

use crate::kernel::{Language, Page};

/// An answer.
#[derive(Debug)]
pub struct Reply<T> {
    status: StatusCode,
    body: T,
    etag: Option<String>,
    location: Option<String>,
    next: Option<String>,
    secret: bool,
}

impl<T> Reply<T> {
    /// 200 with this body.
    pub fn ok(body: T) -> Self {
        Self { status: StatusCode::OK, body, etag: None, location: None, next: None, secret: false }
    }

    /// Another status.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// 201, and where the new thing is.
    pub fn created(body: T, location: String) -> Self {
        Self { status: StatusCode::CREATED, location: Some(location), ..Self::ok(body) }
    }

    /// Marks an answer that holds a secret: it is never cached and never stored for a repeated request.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// With the entity tag of this version, as shown in `language`.
    #[must_use]
    pub fn tagged(mut self, version: i64, language: Language) -> Self {
        self.etag = Some(etag(version, language));
        self
    }
}

impl<T> Reply<Page<T>> {
    /// One page of a list, with a `Link` to the next.
    #[must_use]
    pub fn page(page: Page<T>) -> Self {
        Self { next: page.next.clone(), ..Self::ok(page) }
    }
}

/// The entity tag of a version: the words differ by language, so the tag does.
#[must_use]
pub fn etag(version: i64, language: Language) -> String {
    format!("\"{version}.{}\"", language.tag())
}

/// Whether a client that sent this `If-None-Match` has the version of this entity tag (RFC 9110, section 13.1.2).
pub(super) fn is_seen(if_none_match: Option<&HeaderValue>, etag: &HeaderValue) -> bool {
    let seen = if_none_match.and_then(|value| value.to_str().ok()).unwrap_or_default();
    seen == "*" || seen.split(',').any(|tag| tag.trim().trim_start_matches("W/").as_bytes() == etag.as_bytes())
}

/// Whether the client asks for comma-separated values.
#[must_use]
pub fn wants_csv(request: &HttpRequest) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("text/csv")
}

/// 200 with comma-separated values (RFC 4180).
#[must_use]
pub fn csv(text: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::VARY, "Accept-Language, Authorization, Accept"))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .body(text)
}

impl<T: Serialize> Responder for Reply<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response.insert_header((header::VARY, "Accept-Language, Authorization, Accept"));
        let cache = if self.secret { "no-store" } else { "private, no-cache" };
        response.insert_header((header::CACHE_CONTROL, cache));
        if let Some(location) = self.location {
            response.insert_header((header::LOCATION, location));
        }
        if let Some(next) = self.next {
            response.insert_header((header::LINK, format!("<{}>; rel=\"next\"", with_cursor(request, &next))));
        }
        if let Some(etag) = self.etag {
            let mut unchanged = false;
            if let Ok(etag) = HeaderValue::from_str(&etag) {
                unchanged = is_seen(request.headers().get(header::IF_NONE_MATCH), &etag);
                response.insert_header((header::ETAG, etag));
            }
            if unchanged && request.method().is_safe() {
                return response.status(StatusCode::NOT_MODIFIED).finish();
            }
        }
        if self.status == StatusCode::NO_CONTENT {
            return response.finish();
        }
        match serde_json::to_vec(&self.body) {
            Ok(body) => response.content_type("application/json").body(body),
            Err(error) => {
                tracing::error!(%error, "an answer could not be written");
                HttpResponse::InternalServerError().finish()
            }
        }
    }
}

/// The address of this request with another cursor.
fn with_cursor(request: &HttpRequest, cursor: &str) -> String {
    let kept = request
        .query_string()
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("cursor=") && !pair.starts_with("since="));
    let cursor = format!("cursor={cursor}");
    let query: Vec<&str> = kept.chain(std::iter::once(cursor.as_str())).collect();
    format!("{}?{}", request.path(), query.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn who_has_the_version_is_told_so_and_no_header_breaks_the_reader(version: i64, other: i64, bytes in proptest::collection::vec(32_u8..=255, 0..60)) {
            let etag = HeaderValue::from_str(&etag(version, Language::En)).unwrap();
            let listed = HeaderValue::from_str(&format!("\"{other}.da\", W/{}", etag.to_str().unwrap())).unwrap();
            proptest::prop_assert!(is_seen(Some(&listed), &etag) && is_seen(Some(&etag), &etag) && !is_seen(None, &etag));
            let _ = HeaderValue::from_bytes(&bytes).map(|header| is_seen(Some(&header), &etag));
        }
    }
}

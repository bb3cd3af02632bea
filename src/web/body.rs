//! Request bodies: read, understood, and checked whole before a handler sees them.

use std::future::Future;
use std::pin::Pin;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, IF_MATCH};
use actix_web::{FromRequest, HttpRequest, dev, web};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Problem;
use super::json::{read_json, read_value};
use crate::kernel::{Fit, Fitting, text};

/// The largest body that is taken, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;

/// A JSON body that was found fit.
pub struct Body<T>(pub Fit<T>);

/// A JSON body that may be left out whole; one that is sent is checked like any other.
pub struct OptionalBody<T>(pub Option<Fit<T>>);

/// A body's bytes, at most 1 MiB, whatever they are.
pub struct RawBody(pub web::Bytes);

/// A merge patch (RFC 7396), not yet applied.
pub struct Patch(Value);

/// The version that a client saw last (`If-Match`, RFC 9110 § 13.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfMatch(Option<Vec<i64>>);

impl IfMatch {
    /// Fails with 412 unless the client saw this version or said that any will do.
    ///
    /// # Errors
    /// 412.
    pub fn require(&self, version: i64) -> Result<(), Problem> {
        if self.0.as_ref().is_none_or(|seen| seen.contains(&version)) {
            return Ok(());
        }
        let detail = text!(
            "Den er ændret, siden du hentede den. Hent den igen, og ret oven på den nye udgave",
            "It has changed since you fetched it. Fetch it again and make your change on the new version"
        );
        Err(Problem::new(StatusCode::PRECONDITION_FAILED, "stale", detail))
    }
}

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let header = request.headers().get(IF_MATCH).and_then(|value| value.to_str().ok());
        std::future::ready(match header {
            None => Err(Problem::new(
                StatusCode::PRECONDITION_REQUIRED,
                "if_match_missing",
                text!("Send den ETag, du hentede, som If-Match", "Send the ETag that you fetched as If-Match"),
            )),
            Some("*") => Ok(Self(None)),
            // Our tags are "VERSION.LANGUAGE"; a tag that is none of ours matches nothing.
            Some(tags) => Ok(Self(Some(
                tags.split(',')
                    .filter_map(|tag| tag.trim().trim_matches('"').split('.').next()?.parse().ok())
                    .collect(),
            ))),
        })
    }
}

impl FromRequest for RawBody {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let bytes = web::Bytes::from_request(request, payload);
        Box::pin(async move {
            let bytes = bytes.await.map_err(|error| {
                if error.as_response_error().status_code() == StatusCode::PAYLOAD_TOO_LARGE {
                    too_large()
                } else {
                    Problem::unreadable(text!("Indholdet kom ikke helt frem", "The body did not arrive whole"))
                }
            })?;
            Ok(Self(bytes))
        })
    }
}

impl<T: DeserializeOwned + Fitting + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let json = require_type(request, &["application/json"]);
        let raw = RawBody::from_request(request, payload);
        Box::pin(async move {
            json?;
            let value: T = read_json(&raw.await?.0)?;
            Ok(Self(Fit::check(value)?))
        })
    }
}

impl<T: DeserializeOwned + Fitting + 'static> FromRequest for OptionalBody<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let json = require_type(request, &["application/json"]);
        let raw = RawBody::from_request(request, payload);
        Box::pin(async move {
            let bytes = raw.await?.0;
            if bytes.is_empty() || *bytes == *b"null" {
                return Ok(Self(None));
            }
            json?;
            Ok(Self(Some(Fit::check(read_json(&bytes)?)?)))
        })
    }
}

impl FromRequest for Patch {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let json = require_type(request, &["application/merge-patch+json", "application/json"]);
        let raw = RawBody::from_request(request, payload);
        Box::pin(async move {
            json?;
            Ok(Self(read_json(&raw.await?.0)?))
        })
    }
}

impl Patch {
    /// The value with the patch applied, read and checked as if it had been sent whole.
    ///
    /// # Errors
    /// 422 when the result is unfit.
    pub fn apply<T: serde::Serialize + DeserializeOwned + Fitting>(&self, current: &T) -> Result<Fit<T>, Problem> {
        let mut target = serde_json::to_value(current).map_err(|error| Problem::internal(&error))?;
        merge(&mut target, &self.0);
        Ok(Fit::check(read_value(&target)?)?)
    }

    /// Takes a field out of the patch that is no part of the thing itself.
    pub fn take(&mut self, field: &str) -> Option<Value> {
        self.0.as_object_mut().and_then(|fields| fields.shift_remove(field))
    }
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(fields) = target else { return };
    for (name, change) in changes {
        if change.is_null() {
            fields.shift_remove(name);
        } else {
            merge(fields.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}

/// Insists on one of these types of body.
///
/// # Errors
/// 415.
pub(crate) fn require_type(request: &HttpRequest, wanted: &[&str]) -> Result<(), Problem> {
    let header = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = header.split(';').next().unwrap_or_default().trim();
    if wanted.iter().any(|known| essence.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    let known = wanted.join(", ");
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        text!("Send indholdet som {known}", "Send the body as {known}"),
    ))
}

pub(super) fn too_large() -> Problem {
    let detail = text!("Indholdet må højst fylde 1 MiB", "The body may be at most 1 MiB");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_merge_patch_changes_adds_and_removes() {
        let mut target = json!({"a": "b", "c": {"d": "e", "f": "g"}});
        merge(&mut target, &json!({"a": "z", "c": {"f": null}, "h": {"i": null, "j": 1}}));
        assert_eq!(target, json!({"a": "z", "c": {"d": "e"}, "h": {"j": 1}}));
    }

    #[test]
    fn if_match_knows_our_tags_and_the_star() {
        let tags = IfMatch(Some(vec![3, 4]));
        assert!(tags.require(4).is_ok() && tags.require(5).is_err() && IfMatch(None).require(9).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn an_etag_is_matched_by_itself_and_no_header_breaks_the_reader(version in 1_i64.., bytes in proptest::collection::vec(32_u8..=255, 0..60)) {
            let read = |value: &[u8]| {
                let request = actix_web::test::TestRequest::default();
                let value = actix_web::http::header::HeaderValue::from_bytes(value).ok()?;
                let request = request.insert_header((IF_MATCH, value)).to_http_request();
                IfMatch::from_request(&request, &mut dev::Payload::None).into_inner().ok()
            };
            let etag = crate::web::reply::etag(version, crate::kernel::Language::Da);
            let (same, among) = (read(etag.as_bytes()).unwrap(), read(format!("\"0.en\", {etag}").as_bytes()).unwrap());
            proptest::prop_assert!(same.require(version).is_ok() && among.require(version).is_ok());
            proptest::prop_assert!(same.require(version - 1).is_err());
            let _ = read(&bytes);
        }

        #[test]
        fn a_merge_patch_twice_is_the_patch_once(told in "[a-c]{1,3}", patch in "[a-c]{1,3}", null: bool) {
            let mut target = json!({ (told.clone()): {"x": 1}, "a": [told] });
            let patch = json!({ (patch.clone()): if null { Value::Null } else { json!({"x": null, "y": patch}) } });
            merge(&mut target, &patch);
            let once = target.clone();
            merge(&mut target, &patch);
            proptest::prop_assert_eq!(target, once);
        }
    }
}

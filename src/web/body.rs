//! Request bodies: read, understood, and checked whole before a handler sees them.

use std::future::Future;
use std::pin::Pin;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, IF_MATCH};
use actix_web::{FromRequest, HttpRequest, dev, web};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Problem;
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
            let patch: Value = read_json(&raw.await?.0)?;
            if patch.is_object() {
                return Ok(Self(patch));
            }
            Err(Problem::unfit("", "not_an_object", text!("Forventede et objekt", "Expected an object")))
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

/// Reads JSON: what is no JSON at all is 400, what has the wrong shape is 422 with the place.
///
/// # Errors
/// 400 or 422.
pub(crate) fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut json).map_err(|error| shape_problem(&error));
    let value = read?;
    json.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

/// Reads what is JSON already; what has the wrong shape is 422 with the place.
///
/// # Errors
/// 422.
pub(crate) fn read_value<T: DeserializeOwned>(value: &Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| shape_problem(&error))
}

fn not_json(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    Problem::unreadable(text!(
        "Det er ikke gyldig JSON (linje {line}, tegn {column})",
        "This is not valid JSON (line {line}, column {column})"
    ))
}

fn shape_problem(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let inner = error.inner();
    if inner.is_syntax() || inner.is_eof() || inner.is_io() {
        return not_json(inner);
    }
    let message = inner.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let named = || message.split('`').nth(1).unwrap_or_default();
    let pointer = pointer(error.path());
    let here_or_below = |name: &str| {
        let below = format!("/{}", escape_pointer(name));
        if pointer.ends_with(&below) { pointer.clone() } else { format!("{pointer}{below}") }
    };
    if message.starts_with("unknown field") {
        let detail = text!("Feltet kendes ikke", "The field is unknown");
        Problem::unfit(&here_or_below(named()), "unknown_field", detail)
    } else if message.starts_with("missing field") {
        Problem::unfit(
            &here_or_below(named()),
            "required",
            text!("Feltet skal udfyldes", "The field must be filled in"),
        )
    } else if message.starts_with("unknown variant") {
        let known = message.split(", expected ").nth(1).unwrap_or_default().replace('`', "");
        Problem::unfit(
            &pointer,
            "unknown_value",
            text!("Ukendt værdi; kendte er: {known}", "Unknown value; expected {known}"),
        )
    } else {
        Problem::unfit(&pointer, "wrong_type", text!("Forkert type ({message})", "Wrong type ({message})"))
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path.iter() {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", escape_pointer(key))),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

fn escape_pointer(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code)]
        count: u32,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code)]
        items: Vec<Inner>,
    }

    fn flaw(json: &str) -> (u16, String, &'static str) {
        let problem = read_json::<Outer>(json.as_bytes()).unwrap_err();
        let flaw = problem.errors.first();
        (problem.status.as_u16(), flaw.map(|f| f.pointer.clone()).unwrap_or_default(), flaw.map_or("", |f| f.code))
    }

    #[test]
    fn a_flaw_in_the_shape_points_to_its_place() {
        assert_eq!(flaw(r#"{"items":[{"count":1},{"count":"x"}]}"#), (422, "/items/1/count".into(), "wrong_type"));
        assert_eq!(flaw(r#"{"items":[{"count":1,"color":2}]}"#), (422, "/items/0/color".into(), "unknown_field"));
        assert_eq!(flaw(r#"{"items":[{}]}"#), (422, "/items/0/count".into(), "required"));
        assert_eq!(flaw(r"{}"), (422, "/items".into(), "required"));
        assert_eq!(flaw(r#"{"items":[]"#).0, 400);
        assert_eq!(flaw("æ").0, 400);
        assert_eq!(flaw(r#"{"items":[]} x"#).0, 400);
    }

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
}

//! Answers that say what is wrong (RFC 9457), in the reader's language.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::DbError;
use crate::kernel::{DeadLink, Flaw, Flaws, Language, Text, text};

/// Why a request was not carried out.
#[derive(Clone, Debug)]
pub struct Problem {
    pub status: StatusCode,
    pub code: &'static str,
    pub detail: Text,
    pub errors: Vec<Flaw>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u64>,
    /// The methods that this place takes (RFC 9110 § 15.5.6).
    pub allow: Option<String>,
    /// For the log alone.
    pub cause: Option<String>,
}

/// `application/problem+json` (RFC 9457), with the places of flaws and the request's id.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem, example = json!({
    "type": "https://skala.example/problems/unfit", "title": "Indholdet kan ikke bruges", "status": 422,
    "detail": "1 felt skal rettes", "code": "unfit", "instance": "/api/v1/challenges",
    "request_id": "0193f1c27a5e7c319d3e3f6a2b1c0d4e",
    "errors": [{"pointer": "/title", "code": "too_long", "detail": "Højst 200 tegn; her er 214"}]
}))]
pub struct ProblemBody<'a> {
    /// An address that stands for the kind of problem; it need not resolve.
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    /// The path that was asked for.
    instance: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FlawBody<'a>>,
}

/// One flaw of a body.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Flaw)]
struct FlawBody<'a> {
    /// Where (RFC 6901).
    pointer: &'a str,
    code: &'a str,
    detail: &'a str,
}

impl Problem {
    /// The code of a deed that may be done or not: all other problems mean that nothing was.
    pub const UNSETTLED: &'static str = "unsettled";

    /// A problem with this status, code and explanation.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, detail: Text) -> Self {
        Self { status, code, detail, errors: Vec::new(), retry_after: None, allow: None, cause: None }
    }

    /// 400: the request cannot be read.
    #[must_use]
    pub fn unreadable(detail: Text) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "unreadable", detail)
    }

    /// 401: who are you?
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", text!("Log ind først", "Sign in first"))
    }

    /// 403: not you.
    #[must_use]
    pub fn forbidden(detail: Text) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 404: not there, or not for you to see.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", text!("Det findes ikke", "It does not exist"))
    }

    /// 405: there, but not for this method.
    #[must_use]
    pub fn method_not_allowed(methods: &[String]) -> Self {
        let methods = methods.join(", ");
        let detail = text!("Her kan man bruge {methods}", "This takes {methods}");
        let problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
        Self { allow: Some(methods), ..problem }
    }

    /// 409: the thing's state, or another thing, stands in the way.
    #[must_use]
    pub fn conflict(code: &'static str, detail: Text) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 410: a link that opens nothing (any more).
    #[must_use]
    pub fn dead_link() -> Self {
        let detail = text!(
            "Linket er udløbet, brugt eller ændret. Bed om et nyt",
            "The link has expired, was used or was altered. Ask for a new one"
        );
        Self::gone("dead_link", detail)
    }

    /// 410: no longer there, and why.
    #[must_use]
    pub fn gone(code: &'static str, detail: Text) -> Self {
        Self::new(StatusCode::GONE, code, detail)
    }

    /// 429: too soon after the last time.
    #[must_use]
    pub fn too_soon(seconds: u64, detail: Text) -> Self {
        Self { retry_after: Some(seconds), ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too_soon", detail) }
    }

    /// 422: readable, and unfit at one place.
    #[must_use]
    pub fn unfit(pointer: &str, code: &'static str, detail: Text) -> Self {
        let mut flaws = Flaws::default();
        flaws.add(pointer, code, detail);
        flaws.into()
    }

    /// 500: our fault. The cause goes to the log; the answer shows only the request's id.
    #[must_use]
    pub fn internal(cause: &dyn fmt::Display) -> Self {
        let detail = text!(
            "Noget gik galt hos os. Skriv til os med forespørgslens id, hvis det bliver ved",
            "Something went wrong on our side. Write to us with the request's id if it goes on"
        );
        Self { cause: Some(cause.to_string()), ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail) }
    }

    fn title(&self) -> Text {
        match self.status.as_u16() {
            400 => text!("Forespørgslen kan ikke læses", "The request cannot be read"),
            401 => text!("Hvem er du?", "Who are you?"),
            403 => text!("Det må du ikke", "You may not do this"),
            404 => text!("Findes ikke", "Not found"),
            405 => text!("Det kan man ikke her", "That cannot be done here"),
            409 => text!("Det strider mod noget, der allerede gælder", "It conflicts with what already holds"),
            410 => text!("Linket gælder ikke længere", "The link is no longer valid"),
            412 => text!("Nogen kom dig i forkøbet", "Somebody was there before you"),
            413 => text!("For stort", "Too large"),
            415 => text!("Formatet kendes ikke", "Unknown format"),
            422 => text!("Indholdet kan ikke bruges", "The content cannot be used"),
            428 => text!("If-Match mangler", "If-Match is missing"),
            429 => text!("For mange forespørgsler", "Too many requests"),
            503 => text!("Utilgængelig lige nu", "Unavailable right now"),
            _ => text!("Fejl", "Error"),
        }
    }

    /// The answer, in the reader's language.
    #[must_use]
    pub fn response(&self, language: Language, instance: &str, request_id: &str) -> HttpResponse {
        let title = self.title();
        let errors = self.errors.iter().map(|flaw| FlawBody {
            pointer: &flaw.pointer,
            code: flaw.code,
            detail: flaw.text.to(language),
        });
        let body = ProblemBody {
            kind: format!("https://skala.example/problems/{}", self.code),
            title: title.to(language),
            status: self.status.as_u16(),
            detail: self.detail.to(language),
            code: self.code,
            instance,
            request_id,
            errors: errors.collect(),
        };
        let mut response = HttpResponse::build(self.status);
        if let Some(seconds) = self.retry_after {
            response.insert_header(("Retry-After", seconds.to_string()));
        }
        if let Some(methods) = &self.allow {
            response.insert_header(("Allow", methods.as_str()));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header(("WWW-Authenticate", "Bearer"));
        }
        response
            .content_type("application/problem+json")
            .insert_header(("Content-Language", language.tag()))
            .insert_header(("Cache-Control", "no-store"))
            .body(serde_json::to_string(&body).unwrap_or_default())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

/// The frame writes the body: only it knows the reader's language and the request's id.
impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status)
    }
}

impl From<Flaws> for Problem {
    fn from(flaws: Flaws) -> Self {
        let count = flaws.0.len();
        let detail = if count == 1 {
            text!("1 felt skal rettes", "1 field needs correction")
        } else {
            text!("{count} felter skal rettes", "{count} fields need correction")
        };
        Self { errors: flaws.0, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unfit", detail) }
    }
}

impl From<DeadLink> for Problem {
    fn from(why: DeadLink) -> Self {
        let detail = match why {
            DeadLink::Altered => text!(
                "Linket er ikke helt, eller det hører til noget andet. Kopiér hele linket fra mailen",
                "The link is not whole, or belongs to something else. Copy the whole link from the mail"
            ),
            DeadLink::Expired => {
                text!("Linket er udløbet. Bed om et nyt", "The link has expired. Ask for a new one")
            }
            DeadLink::Used => text!("Linket er brugt", "The link was used"),
        };
        Self { detail, ..Self::dead_link() }
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        match &error {
            DbError::Unavailable(_) => {
                let detail = text!(
                    "Databasen svarer ikke lige nu. Intet blev gemt; prøv igen om lidt",
                    "The database does not answer right now. Nothing was stored; try again in a moment"
                );
                let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail);
                Self { retry_after: Some(2), cause: Some(error.to_string()), ..problem }
            }
            DbError::Unsettled(_) => {
                let detail = text!(
                    "Databasen forsvandt, mens den gemte, og vi ved ikke, om det nåede at blive gemt. Se efter, før du prøver igen",
                    "The database was lost while it stored, and we do not know whether it was stored. See before you try again"
                );
                let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, Self::UNSETTLED, detail);
                Self { retry_after: Some(5), cause: Some(error.to_string()), ..problem }
            }
            DbError::Refused(_) | DbError::Impossible { .. } => Self::internal(&error),
        }
    }
}

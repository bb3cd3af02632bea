//! Query strings and path ids.

use std::str::FromStr;

use actix_web::{FromRequest, HttpRequest, dev};
use serde::de::DeserializeOwned;

use super::Problem;
use super::json::{escape_pointer, known_in, name_in};
use crate::kernel::{Cursor, Direction, Id, PageRequest, text};

/// Query parameters; an unknown or ill-formed one is 422.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        // A NUL is no text to PostgreSQL; nobody searches for one.
        if request.query_string().contains("%00") {
            let detail = text!("Parametrene indeholder et styretegn", "The parameters contain a control character");
            return std::future::ready(Err(Problem::unfit("", "control_character", detail)));
        }
        let read = actix_web::web::Query::<T>::from_query(request.query_string());
        std::future::ready(
            read.map(|query| Self(query.into_inner()))
                .map_err(|error| flaw(&error.to_string(), request.query_string())),
        )
    }
}

/// What is wrong with the parameters, in the words of people; `told` is what serde says of it.
fn flaw(told: &str, query: &str) -> Problem {
    let told = told.trim_start_matches("Query deserialize error: ");
    let name = name_in(told);
    if told.starts_with("unknown field") {
        let detail = text!("Parameteren kendes ikke", "The parameter is unknown");
        return Problem::unfit(&format!("/{}", escape_pointer(name)), "unknown_field", detail);
    }
    if told.starts_with("unknown variant") {
        let known = known_in(told);
        let mut sent = url::form_urlencoded::parse(query.as_bytes());
        let pointer = sent.find(|(_, value)| value == name).map(|(name, _)| format!("/{}", escape_pointer(&name)));
        let detail = text!("Ukendt værdi; kendte er: {known}", "Unknown value; expected {known}");
        return Problem::unfit(&pointer.unwrap_or_default(), "unknown_value", detail);
    }
    if told.starts_with("missing field") {
        let detail = text!("Parameteren skal være der", "The parameter is required");
        return Problem::unfit(&format!("/{}", escape_pointer(name)), "required", detail);
    }
    Problem::unfit("", "bad_parameter", text!("Parametrene kan ikke bruges", "The parameters cannot be used: {told}"))
}

/// The id in a path; what is no id names nothing (404).
pub struct PathId<T>(pub Id<T>);

impl<T: 'static> FromRequest for PathId<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let written = request.match_info().get("id").unwrap_or_default();
        std::future::ready(Id::from_str(written).map(Self).map_err(|_| Problem::not_found()))
    }
}

/// The parameters that every list takes, as they were written.
#[derive(Clone, Debug, Default)]
pub struct Paging {
    pub limit: Option<i64>,
    pub cursor: Option<String>,
    pub order: Option<String>,
    pub since: Option<String>,
}

impl Paging {
    /// What is asked of the list of this name.
    ///
    /// # Errors
    /// 422 for a limit outside 1–200, an unknown order, or a cursor that is not this list's.
    pub fn of(self, list: &str) -> Result<PageRequest, Problem> {
        let limit = self.limit.unwrap_or(50);
        if !(1..=200).contains(&limit) {
            let detail = text!("limit skal ligge mellem 1 og 200", "limit must lie between 1 and 200");
            return Err(Problem::unfit("/limit", "out_of_range", detail));
        }
        let direction = match self.order.as_deref() {
            None | Some("newest") => Direction::NewestFirst,
            Some("changed") => Direction::OldestFirst,
            Some(_) => {
                let detail = text!("order er newest eller changed", "order is newest or changed");
                return Err(Problem::unfit("/order", "unknown_value", detail));
            }
        };
        let after = self.cursor.or(self.since).filter(|cursor| !cursor.is_empty());
        let after = after.map(|written| Cursor::open(&written, list, direction).ok_or(()));
        let after = after.transpose().map_err(|()| {
            let detail = text!("Markøren hører ikke til denne liste", "The cursor does not belong to this list");
            Problem::unfit("/cursor", "bad_cursor", detail)
        })?;
        Ok(PageRequest { limit, direction, after })
    }
}

//! JSON that comes in: read once, by one parser, with the place of each flaw.

use std::fmt;

use serde::de::{DeserializeOwned, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::Problem;
use crate::kernel::text;

/// Reads JSON: what is no JSON at all is 400, what has the wrong shape is 422 with the place.
///
/// # Errors
/// 400 or 422.
pub(crate) fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let value = parse(bytes)?;
    // Serde would take a list for an object, its items for the fields in the order of the code.
    if !value.is_object() {
        return Err(Problem::unfit("", "not_an_object", text!("Forventede et objekt", "Expected an object")));
    }
    read_value(&value)
}

/// Every body becomes a value first: one parser for all of them, and the shape is read from what it understood.
fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let Unambiguous(value) = serde_path_to_error::deserialize(&mut json).map_err(|error| shape_problem(&error))?;
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

/// JSON in which no object names a field twice (RFC 7493, section 2.3): nobody can say which of the two was meant.
struct Unambiguous(Value);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, yes: bool) -> Result<Value, E> {
        Ok(yes.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, words: &str) -> Result<Value, E> {
        Ok(words.into())
    }

    fn visit_string<E>(self, words: String) -> Result<Value, E> {
        Ok(words.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unambiguous(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
            }
            let Unambiguous(value) = fields.next_value()?;
            object.insert(name, value);
        }
        Ok(object.into())
    }
}

fn not_json(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    if error.is_eof() && column == 0 {
        return Problem::unreadable(text!("Der mangler et indhold", "The body is missing"));
    }
    let message = error.to_string();
    if message.starts_with("recursion limit") {
        return Problem::unreadable(text!("Indholdet er for dybt indlejret", "The body is nested too deeply"));
    }
    if message.starts_with("number out of range") {
        return Problem::unreadable(text!("Et tal er for stort", "A number is too large"));
    }
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
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    let named = || name_in(message);
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
        let known = known_in(message);
        Problem::unfit(
            &pointer,
            "unknown_value",
            text!("Ukendt værdi; kendte er: {known}", "Unknown value; expected {known}"),
        )
    } else if message.starts_with("duplicate field") {
        let detail = text!("Feltet står der to gange", "The field stands there twice");
        Problem::unfit(&here_or_below(named()), "duplicate_field", detail)
    } else {
        let wanted = message.rsplit_once("expected ").map_or("", |(_, wanted)| wanted);
        let detail = match in_danish(wanted) {
            Some(danish) => text!("Forkert type; her skal stå {danish}", "Wrong type ({message})"),
            None => text!("Forkert type", "Wrong type ({message})"),
        };
        Problem::unfit(&pointer, "wrong_type", detail)
    }
}

/// The values that serde would have taken: `a, b, c`.
pub(super) fn known_in(message: &str) -> String {
    let known = message.rsplit_once(", expected ").map_or("", |(_, known)| known);
    known.trim_start_matches("one of ").replace('`', "").replace(" or ", ", ")
}

/// What serde would have taken, for a reader of Danish.
fn in_danish(wanted: &str) -> Option<&'static str> {
    Some(match wanted {
        "a string" | "a borrowed string" => "en tekst",
        "a boolean" => "true eller false",
        "a sequence" => "en liste",
        "f32" | "f64" => "et tal",
        "a map" => "et objekt",
        _ if wanted.starts_with("struct ") => "et objekt",
        _ if wanted.starts_with(['i', 'u']) && wanted.len() <= 5 => "et helt tal",
        _ if wanted.to_lowercase().contains("uuid") => "et id (UUID)",
        _ => return None,
    })
}

/// The field that serde names: all between the first backtick and the one before what it expected instead, since a name
/// may hold backticks itself.
pub(super) fn name_in(message: &str) -> &str {
    let behind = message.split_once('`').map_or("", |(_, behind)| behind);
    let ends = ["`, expected ", "`, there are no fields"];
    let end = ends.iter().filter_map(|end| behind.rfind(end)).max().or_else(|| behind.rfind('`'));
    end.and_then(|end| behind.get(..end)).unwrap_or_default()
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

pub(super) fn escape_pointer(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
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
    fn a_flaw_is_told_in_the_words_of_its_reader() {
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum Answer {
            Yes,
            No,
            Unknown,
        }
        #[derive(Debug, Deserialize)]
        struct Asked {
            #[expect(dead_code)]
            answer: Answer,
            #[expect(dead_code)]
            why: String,
        }
        let told = |json: &str| {
            let problem = read_json::<Asked>(json.as_bytes()).unwrap_err();
            problem.errors.first().map_or(problem.detail.da.clone(), |flaw| flaw.text.da.clone())
        };
        assert_eq!(told(r#"{"answer": "maybe", "why": ""}"#), "Ukendt værdi; kendte er: yes, no, unknown");
        assert_eq!(told(r#"{"answer": "yes", "why": 5}"#), "Forkert type; her skal stå en tekst");
        assert_eq!(told(""), "Der mangler et indhold");
        assert_eq!(told(&"[".repeat(200)), "Indholdet er for dybt indlejret");
        assert_eq!(told(r#"{"why": 1e400}"#), "Et tal er for stort");
    }

    #[test]
    fn a_field_that_stands_twice_is_refused_wherever_it_stands() {
        let refused = (422, "/items/0/count".into(), "duplicate_field");
        assert_eq!(flaw(r#"{"items":[{"count":1,"count":2}]}"#), refused);
        assert_eq!(flaw(r#"{"items":[],"items":[]}"#), (422, "/items".into(), "duplicate_field"));
    }

    proptest::proptest! {
        #[test]
        fn a_pointer_leads_to_what_it_speaks_of_whatever_the_field_is_called(name in ".{1,20}") {
            let told = serde_json::json!({ "items": [{ "count": 1, (name.clone()): true }] });
            proptest::prop_assume!(name != "count");
            let problem = read_json::<Outer>(told.to_string().as_bytes()).unwrap_err();
            let flaw = problem.errors.first().unwrap();
            proptest::prop_assert_eq!((flaw.code, told.pointer(&flaw.pointer)), ("unknown_field", Some(&true.into())));
        }

        #[test]
        fn what_was_written_is_what_is_read(bytes in ".{0,200}", number: f64, whole: i64) {
            // No bytes whatever make it panic, and what serde_json reads is read the same way here.
            let _ = parse(bytes.as_bytes());
            let told = serde_json::json!({"a": [bytes, number, whole, null, true], "b": {"c": {}}}).to_string();
            proptest::prop_assert_eq!(parse(told.as_bytes()).unwrap(), serde_json::from_str::<Value>(&told).unwrap());
        }
    }
}

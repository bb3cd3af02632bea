//! What the spec promises, held against every answer.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::{Registry, Validator};
use serde_json::{Value, json};

use super::Answer;

static SPEC: LazyLock<Value> = LazyLock::new(skala::app::spec);

/// The address under which schemas find each other.
const HERE: &str = "urn:skala";

static REGISTRY: LazyLock<Registry<'static>> =
    LazyLock::new(|| Registry::new().add(HERE, &*SPEC).unwrap().prepare().unwrap());

/// One operation of the spec.
#[derive(Clone, Copy)]
pub struct Operation {
    pub method: &'static str,
    /// With its parameters in braces.
    pub path: &'static str,
    pub about: &'static Value,
}

impl Operation {
    /// Where the spec speaks of it (RFC 6901).
    pub fn pointer(&self) -> String {
        format!("/paths/{}/{}", escape(self.path), self.method)
    }

    /// Whether strangers may use it.
    pub fn is_public(&self) -> bool {
        self.about["security"].as_array().is_some_and(|schemes| schemes.contains(&json!({})))
    }

    fn matches(&self, path: &str) -> bool {
        let (pattern, path): (Vec<_>, Vec<_>) = (self.path.split('/').collect(), path.split('/').collect());
        pattern.len() == path.len()
            && pattern
                .iter()
                .zip(path)
                .all(|(want, is)| if want.starts_with('{') { !is.is_empty() } else { *want == is })
    }
}

/// Every operation of the spec.
pub fn operations() -> impl Iterator<Item = Operation> {
    let paths = SPEC["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, about)| Operation { method, path, about })
    })
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The validator of the schema at this place of the spec.
pub fn schema_at(pointer: &str) -> Arc<Validator> {
    static COMPILED: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    if let Some(compiled) = COMPILED.lock().unwrap().get(pointer) {
        return compiled.clone();
    }
    let fragment = pointer.bytes().map(|byte| match byte {
        b'/' | b'~' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    let reference = json!({"$ref": format!("{HERE}#{}", fragment.collect::<String>())});
    let options = jsonschema::options().with_registry(&REGISTRY).should_validate_formats(true).offline();
    let compiled = options.build(&reference).unwrap_or_else(|error| panic!("the schema at {pointer}: {error}"));
    COMPILED.lock().unwrap().entry(pointer.to_owned()).or_insert(Arc::new(compiled)).clone()
}

/// Checks that the spec promises this answer: its status, its type, its body.
#[track_caller]
pub(super) fn check(method: &str, path: &str, answer: &Answer) {
    let told = || format!("{method} {path} answered {}: {}", answer.status, answer.text);
    assert!(!answer.header("x-request-id").is_empty(), "no request id; {}", told());
    let kind = essence(answer.header("Content-Type"));
    let mut known = operations().filter(|known| known.matches(path)).collect::<Vec<_>>();
    // `/subscriptions/confirm` is no `/subscriptions/{token}`.
    let parameters = |known: &Operation| known.path.matches('{').count();
    let fewest = known.iter().map(parameters).min();
    known.retain(|known| Some(parameters(known)) == fewest);
    let told_as = if method == "HEAD" { "GET" } else { method };
    let Some(operation) = known.iter().find(|known| known.method.eq_ignore_ascii_case(told_as)) else {
        let status = if known.is_empty() { [404, 429] } else { [405, 429] };
        if method == "HEAD" {
            return assert!(status.contains(&answer.status), "{}", told());
        }
        assert!(status.contains(&answer.status) && kind == "application/problem+json", "{}", told());
        return require(&schema_at("/components/schemas/Problem"), &answer.body, &told);
    };

    let mut place = format!("{}/responses/{}", operation.pointer(), answer.status);
    let response = SPEC.pointer(&place).unwrap_or_else(|| panic!("an undocumented status; {}", told()));
    if let Some(reference) = response["$ref"].as_str() {
        place = reference.trim_start_matches('#').to_owned();
    }
    if method == "HEAD" {
        return assert!(answer.text.is_empty(), "a body where only the head was asked for; {}", told());
    }
    let Some(types) = SPEC.pointer(&place).unwrap()["content"].as_object() else {
        assert!(answer.text.is_empty(), "a body where none is documented; {}", told());
        return;
    };
    let (documented, _) = types
        .iter()
        .find(|(documented, _)| essence(documented) == kind)
        .unwrap_or_else(|| panic!("{kind} is not documented; {}", told()));
    if kind.ends_with("json") {
        let schema = schema_at(&format!("{place}/content/{}/schema", escape(documented)));
        if kind == "application/x-ndjson" {
            answer.lines().iter().for_each(|line| require(&schema, line, &told));
        } else {
            require(&schema, &answer.body, &told);
        }
    }
}

fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

fn require(schema: &Validator, body: &Value, told: &impl Fn() -> String) {
    let flaws: Vec<_> = schema.iter_errors(body).map(|flaw| format!("{}: {flaw}", flaw.instance_path())).collect();
    assert!(flaws.is_empty(), "the body is not what the spec says: {flaws:?}; {}", told());
}

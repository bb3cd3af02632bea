//! The spec: complete, true to its own schemas, and what the committed file says.

use std::collections::HashSet;
use std::fs;

use serde_json::{Value, json};
use ureq::http::Method;

use crate::support::{Client, Named, Operation, TestApp, given, operations, schema_at};

/// An id of nothing.
const NOBODY: &str = "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e";

/// The path with every parameter filled in.
fn filled(operation: Operation) -> String {
    let parts = operation.path.split('/').map(|part| match part {
        "{n}" => "1",
        part if part.starts_with('{') => NOBODY,
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

/// The request body that the spec gives as its example.
fn example_of(operation: Operation) -> Option<(&'static str, Vec<u8>)> {
    let (kind, content) = operation.about["requestBody"]["content"].as_object()?.iter().next()?;
    let example = &content["example"];
    Some((kind, example.as_str().map_or_else(|| example.to_string(), str::to_owned).into()))
}

fn method(operation: Operation) -> Method {
    operation.method.to_uppercase().parse().unwrap()
}

#[test]
fn the_committed_file_is_what_the_code_says() {
    let current = format!("{}\n", serde_json::to_string_pretty(&skala::app::spec()).unwrap());
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all("openapi").unwrap();
        fs::write("openapi/openapi.json", &current).unwrap();
    }
    let committed = fs::read_to_string("openapi/openapi.json").unwrap_or_default();
    assert!(committed == current, "openapi/openapi.json is old; run: UPDATE=1 cargo test --test it spec");
}

#[test]
fn the_service_serves_what_the_code_says() {
    let app = TestApp::start();
    assert_eq!(app.anonymous().outside().get("/openapi.json").expect(200).body, skala::app::spec());
    let docs = app.anonymous().outside().get("/docs").expect(200);
    assert!(!docs.text.contains("src=\"http") && !docs.text.contains("href=\"http"), "the page needs the internet");
}

#[test]
fn every_operation_is_named_summed_up_and_filed() {
    let mut names = HashSet::new();
    for operation in operations() {
        let place = format!("{} {}", operation.method, operation.path);
        let text = |field: &str| operation.about[field].as_str().unwrap_or_default();
        assert!(names.insert(text("operationId")), "{place} shares its operationId");
        assert!(text("operationId").contains('_') || operation.path.contains("/auth/"), "{place}: verb_resource");
        assert!(!text("summary").is_empty(), "{place} has no summary");
        assert!(operation.about["tags"].as_array().is_some_and(|tags| !tags.is_empty()), "{place} has no tag");
    }
}

#[test]
fn every_example_is_valid_against_its_schema() {
    let mut examples = 0;
    let mut check = |place: String, content: &Value| {
        assert!(!content["example"].is_null() || !content["examples"].is_null(), "no example at {place}");
        let schema = schema_at(&format!("{place}/schema"));
        let flaws: Vec<_> =
            schema.iter_errors(&content["example"]).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(flaws.is_empty(), "the example at {place}: {flaws:#?}\n{}", content["example"]);
        examples += 1;
    };
    let escape = |name: &str| name.replace('~', "~0").replace('/', "~1");
    for operation in operations() {
        let pointer = operation.pointer();
        let bodies = operation.about["requestBody"]["content"].as_object();
        let in_request = bodies.map(|content| (format!("{pointer}/requestBody/content"), content));
        let responses = operation.about["responses"].as_object().unwrap().iter();
        let in_responses = responses.filter_map(|(status, about)| {
            Some((format!("{pointer}/responses/{status}/content"), about["content"].as_object()?))
        });
        for (place, content) in in_request.into_iter().chain(in_responses) {
            for (kind, content) in content {
                check(format!("{place}/{}", escape(kind)), content);
            }
        }
    }
    assert!(examples > 10, "only {examples} examples were found");
}

#[test]
fn every_schema_with_an_example_of_its_own_takes_it() {
    let spec = skala::app::spec();
    for (name, schema) in spec["components"]["schemas"].as_object().unwrap() {
        let validator = schema_at(&format!("/components/schemas/{name}"));
        if let Some(example) = schema.get("example") {
            let flaws: Vec<_> = validator.iter_errors(example).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert!(flaws.is_empty(), "{name}: {flaws:#?}");
        }
    }
}

#[test]
fn every_operation_refuses_strangers_unless_it_is_public() {
    let app = TestApp::start();
    let stranger = app.anonymous().outside().with("If-Match", "*");
    for operation in operations().filter(|operation| !operation.is_public()) {
        let body = example_of(operation);
        let body = body.as_ref().map(|(kind, bytes)| (*kind, bytes.clone()));
        let answer = stranger.send(method(operation), &filled(operation), body);
        let place = format!("{} {}", operation.method, operation.path);
        assert!(
            [401, 403, 404].contains(&answer.status),
            "{place} let a stranger in: {} {}",
            answer.status,
            answer.text
        );
    }
}

#[test]
fn no_operation_takes_a_body_that_it_does_not_speak_of() {
    let app = TestApp::start();
    let admin = app.admin().outside().with("If-Match", "*");
    for operation in operations().filter(|operation| operation.about["requestBody"].is_null()) {
        let answer = admin.send(method(operation), &filled(operation), None);
        let place = format!("{} {}", operation.method, operation.path);
        assert!(![400, 415].contains(&answer.status), "{place} wants a body that the spec does not show");
    }
}

#[test]
fn a_bad_token_is_refused_everywhere_in_the_api() {
    let app = TestApp::start();
    let client = app.bearer("no.such.token").outside().with("If-Match", "*");
    for operation in operations().filter(|operation| operation.path.starts_with("/api/")) {
        let body = example_of(operation);
        let body = body.as_ref().map(|(kind, bytes)| (*kind, bytes.clone()));
        client.send(method(operation), &filled(operation), body).refused(401, "unauthorized");
    }
}

#[test]
fn hostile_bodies_are_refused_by_every_operation_that_takes_one() {
    let app = TestApp::start();
    let admin = app.admin().outside().with("If-Match", "*");
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    for operation in operations() {
        let Some((kind, _)) = example_of(operation) else { continue };
        // A stream of lines answers a bad line in its place.
        if !kind.ends_with("json") || kind.ends_with("ndjson") {
            continue;
        }
        for hostile in
            ["", "null", "[]", "7", "{", "{\"x\":", "\u{feff}{}", "{\"unknown_to_everybody\":1}", deep.as_str()]
        {
            let answer = admin.send(method(operation), &filled(operation), Some((kind, hostile.into())));
            let place = format!("{} {}", operation.method, operation.path);
            let short: String = hostile.chars().take(30).collect();
            assert!((400..500).contains(&answer.status), "{place} took {short}: {} {}", answer.status, answer.text);
        }
    }
}

/// A world with one of everything, so that hostile requests get as far as they can.
struct World {
    app: TestApp,
    ids: Vec<(&'static str, String)>,
}

fn world() -> World {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let aarhus = given::municipality(&app, "Aarhus Kommune");
    let member = app.member(&odense);
    let grouped = given::approved(&app, &app.member(&aarhus), "Uro om natten");
    let process = given::gathered(&app, "Sammen om nattero", &[&grouped]);
    let draft = given::drafted(&member, "Natlige tilsyn");
    let ids = vec![("organisations", odense.id), ("challenges", draft.id), ("processes", process.id)];
    World { app, ids }
}

impl World {
    /// The operation's path, leading to what is there.
    fn path(&self, operation: Operation) -> String {
        let path = filled(operation);
        let known = |part: &str| self.ids.iter().find(|(name, _)| *name == part).map(|(_, id)| id.as_str());
        let resource = operation.path.split('/').nth(3).and_then(known);
        resource.map_or(path.clone(), |id| path.replacen(NOBODY, id, 1))
    }

    /// Sends as whoever gets furthest: an admin, or a member where only members may.
    fn send(&self, client: &[Client], operation: Operation, path: &str, body: Option<(&str, Vec<u8>)>) {
        for client in client {
            let answer = client.send(method(operation), path, body.clone());
            if answer.status == 403 {
                continue;
            }
            let sent = body.map(|(_, bytes)| String::from_utf8_lossy(&bytes).chars().take(300).collect::<String>());
            assert!(answer.status < 500, "{} {path} {sent:?} answered {}", operation.method, answer.text);
            return;
        }
    }

    fn clients(&self) -> [Client; 2] {
        let odense = Named { id: self.ids[0].1.clone(), name: String::new() };
        let hostile = |client: Client| client.outside().with("If-Match", "*");
        [hostile(self.app.admin()), hostile(self.app.member(&odense))]
    }
}

/// Where every leaf of a JSON value is (RFC 6901).
fn leaves(value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| leaves(field, &format!("{place}/{name}"), found))
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().for_each(|(index, item)| leaves(item, &format!("{place}/{index}"), found));
        }
        _ => found.push(place.to_owned()),
    }
}

#[test]
fn nothing_that_stands_in_a_field_brings_an_operation_down() {
    let world = world();
    let clients = world.clients();
    for operation in operations() {
        let Some((kind, example)) = example_of(operation) else { continue };
        let Ok(example) = serde_json::from_slice::<Value>(&example) else { continue };
        let mut places = Vec::new();
        leaves(&example, "", &mut places);
        for place in places {
            let hostile: &[Value] = match example.pointer(&place).unwrap() {
                Value::String(_) => {
                    &[json!("a\u{0}b"), json!("+200000-01-01"), json!("-200000-01-01T00:00:00Z"), json!("\u{202e}💥")]
                }
                Value::Number(_) => &[json!(-1), json!(i64::MAX), json!(1e308)],
                _ => &[json!(null), json!({"a": []})],
            };
            for hostile in hostile {
                let mut body = example.clone();
                *body.pointer_mut(&place).unwrap() = hostile.clone();
                world.send(&clients, operation, &world.path(operation), Some((kind, body.to_string().into())));
            }
        }
    }
    world.app.mails();
}

#[test]
fn nothing_that_stands_in_an_address_brings_an_operation_down() {
    let world = world();
    let clients = world.clients();
    for operation in operations().filter(|operation| operation.method == "get") {
        let path = world.path(operation);
        for hostile in ["%00", "%FF", "..%2F..%2Fetc", "'%20OR%201=1", "%F0%9F%92%A5", "99999999999999999999"] {
            if operation.path.contains('{') {
                let own = filled(operation);
                world.send(
                    &clients,
                    operation,
                    &own.replace(NOBODY, hostile).replace("/1", &format!("/{hostile}")),
                    None,
                );
            }
            let parameters = operation.about["parameters"].as_array().cloned().unwrap_or_default();
            for parameter in parameters.iter().filter(|parameter| parameter["in"] == "query") {
                let name = parameter["name"].as_str().unwrap();
                world.send(&clients, operation, &format!("{path}?{name}={hostile}"), None);
            }
        }
    }
}

#[test]
fn what_is_not_there_is_404_and_what_is_not_done_there_is_405() {
    let app = TestApp::start();
    let client = app.anonymous();
    for path in ["/nothing", "/organisations/", "/organisations/x/y", "//organisations"] {
        client.get(path).refused(404, "not_found");
    }
    // No file of any folder is served.
    for path in ["/nothing", "/.git/config", "/skala.db", "/skala.secret", "/docs/", "/feeds", "/../Cargo.toml"] {
        client.outside().get(path).refused(404, "not_found");
    }
    client.send(Method::TRACE, "/organisations", None).refused(405, "method_not_allowed");
    let refused = client.delete("/organisations").refused(405, "method_not_allowed");
    let allowed: HashSet<_> = refused.header("Allow").split(", ").collect();
    assert_eq!(allowed, HashSet::from(["GET", "HEAD", "POST"]));
    assert_eq!(app.admin().post("/me", json!({})).refused(405, "method_not_allowed").header("Allow"), "GET, HEAD");
}

#[test]
fn every_reference_of_the_spec_leads_somewhere() {
    fn follow(spec: &Value, node: &Value) {
        if let Some(reference) = node["$ref"].as_str() {
            assert!(spec.pointer(reference.trim_start_matches('#')).is_some(), "{reference} leads nowhere");
        }
        node.as_object().into_iter().flat_map(|fields| fields.values()).for_each(|below| follow(spec, below));
        node.as_array().into_iter().flatten().for_each(|below| follow(spec, below));
    }
    let spec = skala::app::spec();
    follow(&spec, &spec);
}

//! The spec: complete, true to its own schemas, and what the committed file says.

use std::collections::HashSet;
use std::fs;

use serde_json::{Value, json};
use ureq::http::Method;

use crate::support::{Operation, TestApp, operations, schema_at};

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

#[test]
fn what_is_not_there_is_404_and_what_is_not_done_there_is_405() {
    let app = TestApp::start();
    let client = app.anonymous();
    for path in ["/nothing", "/organisations/", "/organisations/x/y", "//organisations"] {
        client.get(path).refused(404, "not_found");
    }
    client.outside().get("/").refused(404, "not_found");
    let refused = client.delete("/organisations").refused(405, "method_not_allowed");
    let allowed: HashSet<_> = refused.header("Allow").split(", ").collect();
    assert_eq!(allowed, HashSet::from(["GET", "POST"]));
    assert_eq!(app.admin().post("/me", json!({})).refused(405, "method_not_allowed").header("Allow"), "GET");
}

//! Object-level authorization, from the spec: every operation that names an object, tried by every role against what
//! another body has. [`table`] says what happens; an operation that stands in the spec and not there fails.

mod table;
mod world;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use ureq::http::Method;

use self::table::{Row, rows};
use self::world::{SECRET, World, world};
use crate::support::{Client, Operation, operations};

/// Every scope that an API key can have.
const SCOPES: [&str; 6] =
    ["challenges:read", "challenges:write", "processes:read", "processes:write", "dialogues:write", "admin"];

/// Somebody who tries.
struct Caller {
    name: String,
    client: Client,
    /// What the key reaches; `None` for who signed in.
    scope: Option<&'static str>,
    /// Which of the table's columns of staff is theirs; `None` for everybody else.
    staff: Option<usize>,
}

/// Everybody who has no business with A's things.
fn others(world: &World) -> Vec<Caller> {
    let app = &world.app;
    let owner = app.org_admin(&world.b);
    let keys = SCOPES.map(|scope| {
        let key = owner.post("/api-keys", json!({"name": scope, "scopes": [scope]})).expect(201).text_of("key");
        Caller { name: format!("key {scope}"), client: app.bearer(&key), scope: Some(scope), staff: None }
    });
    let plain = |name: &str, client: &Client| Caller {
        name: name.to_owned(),
        client: client.clone(),
        scope: None,
        staff: None,
    };
    let people = [plain("stranger", &app.anonymous()), plain("member", &app.member(&world.b)), plain("owner", &owner)];
    people.into_iter().chain(keys).collect()
}

/// Where an operation leads, with A's objects filled in: the objects' names, and the path.
fn targets(world: &World, operation: Operation) -> Vec<(String, String)> {
    let mut found = vec![(Vec::new(), String::new())];
    let mut before = "";
    for part in operation.path.split('/').skip(1) {
        let resource = match (part, before) {
            ("{id}", "forslag") => "calls",
            ("{id}", "queue") => "challenges",
            ("{id}", resource) => resource,
            ("{address}", _) => "address",
            _ if part.starts_with('{') => part.trim_matches(['{', '}']),
            _ => "",
        };
        let choices: Vec<(&str, String)> = match resource {
            "" => vec![("", part.to_owned())],
            "n" => vec![("", "1".to_owned())],
            "key" => vec![("", key_of(before).to_owned())],
            _ => {
                let objects = world.objects.iter().filter(|(of, ..)| *of == resource);
                objects.map(|(_, name, id)| (*name, id.clone())).collect()
            }
        };
        assert!(!choices.is_empty(), "{} {}: A has no {resource}", operation.method, operation.path);
        let longer = found.iter().flat_map(|(names, path)| {
            choices.iter().map(move |(name, id)| {
                let names: Vec<&str> =
                    names.iter().copied().chain([*name].into_iter().filter(|n| !n.is_empty())).collect();
                (names, format!("{path}/{id}"))
            })
        });
        found = longer.collect();
        before = part;
    }
    found.into_iter().map(|(names, path)| (names.join(",").replace(' ', "_"), path)).collect()
}

/// The key of something that is not A's: a criteria set, a template, an item of a checklist.
fn key_of(before: &str) -> &'static str {
    match before {
        "criteria-sets" => "welfare-technology",
        "letter-templates" => "letter-of-intent",
        _ => "needs_known",
    }
}

/// The spec's example, about A and its things.
fn body(world: &World, operation: Operation) -> Option<(&'static str, Vec<u8>)> {
    let (kind, content) = operation.about["requestBody"]["content"].as_object()?.iter().next()?;
    let mut example = content["example"].clone();
    if let Value::Object(fields) = &mut example {
        for (name, id) in [
            ("organisation_id", world.a.id.as_str()),
            ("successor_id", &world.b.id),
            ("challenge_id", world.id("challenges", "submitted")),
            ("need_id", world.id("needs", "shared")),
            ("event_id", world.id("event_id", "event")),
        ] {
            if fields.contains_key(name) {
                fields.insert(name.to_owned(), json!(id));
            }
        }
    }
    let bytes = match (example.as_str(), kind.contains("form")) {
        (Some(text), _) => text.to_owned(),
        (None, true) => String::new(),
        (None, false) => example.to_string(),
    };
    Some((kind, bytes.into_bytes()))
}

fn send(world: &World, client: &Client, operation: Operation, path: &str) -> (u16, String) {
    let method: Method = operation.method.to_uppercase().parse().unwrap();
    let path = if method == Method::DELETE && path.contains("/challenges/") {
        format!("{path}?reason=x")
    } else {
        path.to_owned()
    };
    let answer = client.outside().with("If-Match", "*").send(method, &path, body(world, operation));
    (answer.status, answer.text)
}

/// Operations on an object: reading first, then changing, then adding and deciding, then removing. Where a link is the
/// key, it does not matter who holds it.
fn with_objects() -> Vec<Operation> {
    let is_link = |operation: &Operation| operation.path.contains("token}");
    let mut found: Vec<_> = operations().filter(|one| one.path.contains('{') && !is_link(one)).collect();
    found.sort_by_key(|operation| ["get", "patch", "post", "delete"].iter().position(|m| *m == operation.method));
    found
}

fn name_of(operation: Operation) -> &'static str {
    operation.about["operationId"].as_str().unwrap()
}

/// What a status says of the door: how it stayed shut, or that it opened, whatever the rules made of it then.
fn told(status: u16) -> &'static str {
    match status {
        401 => "401",
        403 => "403",
        404 => "404",
        ..500 => "ok",
        _ => "a fault",
    }
}

/// Tries everybody on every object and tells where the table says something else: first those who are refused, which
/// must leave everything as it was, then those who are let in.
fn walk(world: &World, callers: &[Caller], wrong: &mut Vec<String>) {
    let rows = rows();
    let before = world.seen();
    for open in [false, true] {
        for operation in with_objects() {
            for (object, path) in targets(world, operation) {
                let name = name_of(operation);
                let Some(row) = rows.iter().find(|row| (row.operation, row.object) == (name, object.as_str())) else {
                    wrong.push(format!("{name} on {object:?} is not in the table"));
                    continue;
                };
                for caller in callers.iter().filter(|caller| (row.expects(caller) == "ok") == open) {
                    wrong.extend(tried(world, row, caller, operation, &path));
                }
            }
        }
        if !open {
            for ((path, before), (_, after)) in before.iter().zip(&world.seen()) {
                if before != after {
                    wrong.push(format!("a call that was refused changed {path}: {before} became {after}"));
                }
            }
        }
    }
}

fn tried(world: &World, row: &Row, caller: &Caller, operation: Operation, path: &str) -> Option<String> {
    let (status, text) = send(world, &caller.client, operation, path);
    let place = format!("{} on {:?} by {}", row.operation, row.object, caller.name);
    if caller.staff.is_none() && text.contains(SECRET) {
        return Some(format!("{place} tells A's secrets: {text}"));
    }
    (told(status) != row.expects(caller)).then(|| format!("{place}: {}, not {}", told(status), row.expects(caller)))
}

#[test]
fn what_another_body_has_opens_to_nobody_but_as_the_table_says() {
    let mut wrong = Vec::new();
    let outside = world();
    walk(&outside, &others(&outside), &mut wrong);
    outside.app.mails();
    // What one of the staff did cannot be done again: each has a world of its own.
    for (column, name) in ["facilitator", "admin"].into_iter().enumerate() {
        let world = world();
        let client = if column == 0 { world.app.facilitator() } else { world.app.admin() };
        walk(&world, &[Caller { name: name.to_owned(), client, scope: None, staff: Some(column) }], &mut wrong);
        world.app.mails();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_speaks_of_nothing_that_is_not_in_the_spec() {
    let known: BTreeSet<_> = with_objects().into_iter().map(name_of).collect();
    let rows = rows();
    let strange: Vec<_> = rows.iter().map(|row| row.operation).filter(|name| !known.contains(name)).collect();
    assert!(strange.is_empty(), "{strange:?}");
    let places: BTreeSet<_> = rows.iter().map(|row| (row.operation, row.object)).collect();
    assert_eq!(places.len(), rows.len(), "something stands there twice");
}

#[test]
fn no_list_feed_export_or_search_tells_what_is_anothers_own() {
    let world = world();
    let mut callers = others(&world);
    let own = Caller { name: "A itself".into(), client: world.owner_a.clone(), scope: None, staff: None };
    callers.push(own);
    let mut told_to_a = 0;
    for operation in operations().filter(|one| one.method == "get" && !one.path.contains('{')) {
        let mut paths = vec![operation.path.to_owned()];
        for parameter in operation.about["parameters"].as_array().into_iter().flatten() {
            let values: &[&str] = match parameter["name"].as_str() {
                // Not all of it: a page shows again what was searched for.
                Some("q" | "text") => &[&SECRET[..SECRET.len() - 1], "tilsyn"],
                Some("organisation_id") => &[&world.a.id],
                Some("process_id") => &[world.id("processes", "active")],
                Some("status") => &["draft", "withdrawn", "preparing"],
                Some("order") => &["changed"],
                _ => &[],
            };
            let name = parameter["name"].as_str().unwrap_or_default();
            paths.extend(values.iter().map(|value| format!("{}?{name}={value}", operation.path)));
        }
        for path in paths {
            for caller in &callers {
                let answer = caller.client.outside().get(&path);
                if caller.name == "A itself" {
                    told_to_a += usize::from(answer.text.contains(SECRET));
                } else {
                    assert!(!answer.text.contains(SECRET), "{path} tells {}: {}", caller.name, answer.text);
                }
            }
        }
    }
    assert!(told_to_a > 5, "A sees its own in {told_to_a} places only: the secret is not where it should be");
    // What is looked up by likeness: B's own challenge beside A's draft, and a text that nobody stored.
    let member = world.app.member(&world.b);
    let theirs = world.id("other_id", "match");
    assert!(!member.get(&format!("/challenges/{theirs}/matches?limit=50")).expect(200).text.contains(SECRET));
    let checked = member.post("/challenges/check", crate::support::given::challenge_body("Natlige tilsyn")).expect(200);
    assert!(!checked.text.contains(SECRET), "{}", checked.text);
}

/// The secrets at the end of the links that were mailed, each with the link.
fn tokens(world: &World) -> Vec<(String, String)> {
    let words = world.mails.iter().flat_map(|mail| mail.text.split_whitespace());
    let links = words.filter_map(|word| word.strip_prefix("https://skala.example"));
    let secret = |link: &str| (link.rsplit(['/', '#']).next().unwrap_or_default().to_owned(), link.to_owned());
    let mut found: Vec<_> = links.map(secret).filter(|(token, _)| token.len() > 40).collect();
    found.sort();
    found.dedup();
    found
}

#[test]
fn a_link_opens_the_door_that_it_was_made_for_and_no_other() {
    let world = world();
    let mut tokens = tokens(&world);
    tokens.push((world.manage_token.clone(), format!("/api/v1/subscriptions/{}", world.manage_token)));
    assert!(tokens.len() > 5, "{tokens:?}");
    let stranger = world.app.anonymous().outside().with("If-Match", "*");
    let mut tries = 0;
    for operation in operations() {
        let in_body = operation.about["requestBody"]["content"]["application/json"]["example"]["token"].is_string();
        if !in_body && !operation.path.contains("token}") {
            continue;
        }
        let door = operation.path.split("/{").next().unwrap_or_default();
        let door = door.trim_end_matches("/accept").trim_end_matches("/answer").trim_start_matches("/api/v1");
        for (token, link) in tokens.iter().filter(|(_, link)| !link.contains(&format!("{door}/"))) {
            let path = operation.path.replace("{token}", token).replace("{manage_token}", token);
            let body = body(&world, operation).map(|(kind, bytes)| {
                let Ok(mut json) = serde_json::from_slice::<Value>(&bytes) else { return (kind, bytes) };
                if in_body {
                    json["token"] = json!(token);
                }
                (kind, json.to_string().into_bytes())
            });
            let method: Method = operation.method.to_uppercase().parse().unwrap();
            let answer = stranger.send(method.clone(), &path, body);
            // A page that only asks to be pressed says the same to everybody.
            let shut = answer.status >= 400 || (method == Method::GET && !answer.text.contains(SECRET));
            assert!(shut, "{} opened to {link}: {}", name_of(operation), answer.text);
            tries += 1;
        }
    }
    assert!(tries > 100, "{tries}");
    world.app.mails();
}

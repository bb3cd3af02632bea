//! The spec, finished: what every operation has in common is said here once instead of at each handler.

#![expect(clippy::indexing_slicing, reason = "indexing a JSON object with a name makes the field or reads null")]

use serde_json::{Map, Value, json};

/// Turns what was collected from the handlers into the whole OpenAPI 3.1 document.
#[must_use]
pub fn finish(collected: &utoipa::openapi::OpenApi) -> Value {
    let mut spec = serde_json::to_value(collected).unwrap_or_default();
    spec["info"] = json!({
        "title": "Skala",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Matchmaking for Danish scaling processes (skaleringsprocesser): public bodies register shared \
                        challenges, CO-PI bundles them into processes, and suppliers hear of market dialogues.",
        "license": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
    });
    spec["servers"] = json!([{"url": "/"}]);
    spec["security"] = json!([{"bearer": []}]);
    spec["components"]["securitySchemes"] = json!({"bearer": {
        "type": "http", "scheme": "bearer",
        "description": "An access token from POST /auth/token, or an API key (skala_…).",
    }});
    spec["components"]["responses"] = common_responses();
    spec["components"]["parameters"] = common_parameters();
    if let Some(problem) = spec["components"]["schemas"].as_object_mut()
        && !problem.contains_key("Problem")
    {
        add_problem_schemas(problem);
    }
    let components = spec["components"].clone();
    merge_flattened(&mut spec["components"]["schemas"], &components);
    let components = spec["components"].clone();
    for (path, item) in object(&mut spec["paths"]) {
        for (method, operation) in object(item) {
            complete(path, method, operation);
            add_examples(operation, &components);
        }
    }
    spec
}

/// A body that is shown with more fields beside it (serde's `flatten`) becomes one object. As a part of `allOf` it
/// would refuse the very fields that stand beside it, because as a request it refuses what it does not know.
fn merge_flattened(schema: &mut Value, components: &Value) {
    match schema {
        Value::Array(parts) => parts.iter_mut().for_each(|part| merge_flattened(part, components)),
        Value::Object(fields) => fields.values_mut().for_each(|field| merge_flattened(field, components)),
        _ => return,
    }
    if schema["allOf"].is_array() {
        let example = example(schema, components, 0);
        *schema = whole(schema, components);
        schema["example"] = example;
    }
}

/// A schema without references at its top and with all its parts in one, that takes fields it does not know.
fn whole(schema: &Value, components: &Value) -> Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/components/schemas/")) {
        return whole(&components["schemas"][name], components);
    }
    let Value::Object(mut whole_schema) = schema.clone() else { return Value::Null };
    whole_schema.shift_remove("additionalProperties");
    for choice in whole_schema.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten() {
        *choice = whole(choice, components);
    }
    let Some(Value::Array(parts)) = whole_schema.shift_remove("allOf") else { return whole_schema.into() };
    let (mut required, mut properties, mut choices) = (Vec::new(), Map::new(), Vec::new());
    for part in parts.iter().map(|part| whole(part, components)) {
        if part["properties"].is_object() {
            properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
            required.extend(part["required"].as_array().cloned().unwrap_or_default());
            choices.extend(part["allOf"].as_array().cloned().unwrap_or_default());
        } else {
            choices.push(part);
        }
    }
    whole_schema.insert("type".to_owned(), json!("object"));
    whole_schema.insert("required".to_owned(), required.into());
    whole_schema.insert("properties".to_owned(), properties.into());
    if !choices.is_empty() {
        whole_schema.insert("allOf".to_owned(), choices.into());
    }
    whole_schema.into()
}

fn object(value: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    value.as_object_mut().into_iter().flatten()
}

fn add_problem_schemas(schemas: &mut Map<String, Value>) {
    use utoipa::{PartialSchema, ToSchema};
    let problem = super::problem::ProblemBody::schema();
    schemas.insert("Problem".to_owned(), serde_json::to_value(problem).unwrap_or_default());
    let mut parts = Vec::new();
    super::problem::ProblemBody::schemas(&mut parts);
    for (name, schema) in parts {
        schemas.insert(name, serde_json::to_value(schema).unwrap_or_default());
    }
}

/// Statuses that any operation can answer, by what it is: (status, name, words).
const COMMON: [(&str, &str, &str); 13] = [
    ("400", "Unreadable", "The request cannot be read."),
    ("401", "Unauthorized", "Who are you? Sign in or send an API key."),
    ("403", "Forbidden", "You may not do this."),
    ("404", "NotFound", "It does not exist, or is not for you to see."),
    ("409", "Conflict", "Its state, or another thing, stands in the way."),
    ("412", "Stale", "It has changed since it was fetched."),
    ("413", "TooLarge", "The body is larger than 1 MiB."),
    ("415", "UnsupportedMediaType", "The body's type is unknown."),
    ("422", "Unfit", "Readable, but unfit; `errors` says where and why."),
    ("428", "IfMatchMissing", "Send the ETag that was fetched as If-Match."),
    ("429", "TooManyRequests", "Wait for Retry-After seconds."),
    ("500", "Internal", "Our fault; the request's id finds it in the log."),
    (
        "503",
        "Unavailable",
        "The database does not answer, or the node has just started and still reads what is asked for; nothing was stored. Try again after Retry-After seconds.",
    ),
];

fn common_responses() -> Value {
    let schema = json!({"$ref": "#/components/schemas/Problem"});
    let response =
        |words: &str| json!({"description": words, "content": {"application/problem+json": {"schema": schema}}});
    COMMON.iter().map(|(_, name, words)| ((*name).to_owned(), response(words))).collect::<Map<_, _>>().into()
}

fn common_parameters() -> Value {
    let header = |name: &str, words: &str, required: bool, example: &str| {
        json!({"name": name, "in": "header", "required": required, "description": words,
               "schema": {"type": "string"}, "example": example})
    };
    json!({
        "IdempotencyKey": header("Idempotency-Key", "The same key and body again is done once; kept 24 hours.", false, "9b2c6e0e-registrering-17"),
        "IfMatch": header("If-Match", "The ETag that was fetched last.", true, "\"3.da\""),
        "IfNoneMatch": header("If-None-Match", "The ETag that was fetched last; unchanged answers 304.", false, "\"3.da\""),
        "AcceptLanguage": header("Accept-Language", "da (default) or en.", false, "da"),
    })
}

fn complete(path: &str, method: &str, operation: &mut Value) {
    let public = operation["security"].as_array().is_some_and(|schemes| schemes.iter().any(|s| s == &json!({})));
    let has_id = path.contains('{');
    let has_body = !operation["requestBody"].is_null();
    let (post, patch, get) = (method == "post", method == "patch", method == "get");
    // Whoever presses a button in a browser reads on a page why something was not done.
    let of_a_page = operation["requestBody"]["content"]["application/x-www-form-urlencoded"].is_object();
    let single = get && operation["responses"]["200"]["headers"]["ETag"].is_object();

    let mut parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    for name in path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
        if !parameters.iter().any(|p| p["name"] == name && p["in"] == "path") {
            let schema = match name {
                "id" => json!({"type": "string", "format": "uuid"}),
                name if name.ends_with("_id") => json!({"type": "string", "format": "uuid"}),
                _ => json!({"type": "string"}),
            };
            let example = if schema["format"] == "uuid" {
                "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e"
            } else {
                "AZPxwnpefDGdPj9qKxwNTg"
            };
            parameters
                .push(json!({"name": name, "in": "path", "required": true, "schema": schema, "example": example}));
        }
    }
    let mut refer = |wanted: bool, name: &str| {
        if wanted {
            parameters.push(json!({"$ref": format!("#/components/parameters/{name}")}));
        }
    };
    refer(post, "IdempotencyKey");
    refer(patch, "IfMatch");
    refer(single, "IfNoneMatch");
    refer(true, "AcceptLanguage");
    operation["parameters"] = parameters.into();

    let Some(responses) = operation["responses"].as_object_mut() else { return };
    let applies = |status: &str| match status {
        "400" | "413" => has_body || post,
        "415" => has_body,
        // Credentials that came along must be good, even where none are needed.
        "401" => true,
        "403" => !public,
        "404" => has_id,
        "409" => post || method == "delete" || patch,
        "412" | "428" => patch,
        "422" => true,
        _ => true,
    };
    for (status, name, words) in COMMON {
        if applies(status) && !responses.contains_key(status) {
            let response = if of_a_page {
                json!({"description": words, "content": {"text/html": {"schema": {"type": "string"}}}})
            } else {
                json!({"$ref": format!("#/components/responses/{name}")})
            };
            responses.insert(status.to_owned(), response);
        }
    }
    if single {
        responses.insert("304".to_owned(), json!({"description": "Unchanged since If-None-Match."}));
    }
    responses.sort_keys();
    for (status, response) in responses.iter_mut() {
        if response["$ref"].is_null() && response["description"].as_str().is_none_or(str::is_empty) {
            response["description"] = json!(match status.as_str() {
                "201" => "Added.",
                "202" => "Taken.",
                "204" => "Done.",
                _ => "As asked for.",
            });
        }
        // A page that says why something was not done stands beside the problem, which programs get.
        if status.as_str() >= "400" && response["$ref"].is_null() {
            response["content"]["application/problem+json"] =
                json!({"schema": {"$ref": "#/components/schemas/Problem"}});
        }
    }
}

fn add_examples(operation: &mut Value, components: &Value) {
    let bodies = std::iter::once("/requestBody/content".to_owned()).chain(
        operation["responses"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(status, _)| format!("/responses/{status}/content")),
    );
    for pointer in bodies.collect::<Vec<_>>() {
        let Some(Value::Object(types)) = operation.pointer_mut(&pointer) else { continue };
        for (_, content) in types {
            if content["example"].is_null() && content["examples"].is_null() && !content["schema"].is_null() {
                content["example"] = example(&content["schema"], components, 0);
            }
        }
    }
}

/// An example of a schema: its own, or one put together from its parts.
fn example(schema: &Value, components: &Value, depth: u8) -> Value {
    if depth > 16 {
        return Value::Null;
    }
    let deeper = |schema: &Value| example(schema, components, depth + 1);
    if let Some(own) = schema.get("example") {
        return own.clone();
    }
    if let Some(own) = schema["examples"].get(0).or_else(|| schema.get("default")).or_else(|| schema.get("const")) {
        return own.clone();
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/components/schemas/")) {
        return deeper(&components["schemas"][name]);
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(first) = schema[choice].as_array().and_then(|all| all.iter().find(|one| one["type"] != "null")) {
            return deeper(first);
        }
    }
    if let Some(all) = schema["allOf"].as_array() {
        let parts = all.iter().filter_map(|part| deeper(part).as_object().cloned());
        return parts.flatten().collect::<Map<_, _>>().into();
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"].get(0).and_then(Value::as_str)).unwrap_or_default();
    match kind {
        "object" => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            fields.map(|(name, field)| (name.clone(), deeper(field))).collect::<Map<_, _>>().into()
        }
        "array" => json!([deeper(&schema["items"])]),
        "boolean" => json!(true),
        "integer" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "number" => schema.get("minimum").cloned().unwrap_or(json!(1.0)),
        "string" => match schema["format"].as_str() {
            Some("uuid") => json!("0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e"),
            Some("date-time") => json!("2026-11-22T08:00:00Z"),
            Some("date") => json!("2026-11-22"),
            _ => json!("tekst"),
        },
        _ => Value::Null,
    }
}

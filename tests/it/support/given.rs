//! States that tests begin from, reached as the world would reach them: through the API.

use serde_json::{Value, json};

use super::{Named, TestApp};

/// A municipality of this name.
pub fn municipality(app: &TestApp, name: &str) -> Named {
    organisation(app, json!({"name": name, "kind": "municipality", "nuts": "DK031"}))
}

/// An organisation.
pub fn organisation(app: &TestApp, body: Value) -> Named {
    let added = app.admin().post("/organisations", body).expect(201);
    Named { id: added.id(), name: added.text_of("name") }
}

//! Organisations.

use serde_json::json;

use crate::support::{TestApp, given};

#[test]
fn staff_add_an_organisation_and_everybody_sees_it() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let seen = app.anonymous().get(&format!("/organisations/{}", odense.id)).expect(200);
    assert_eq!(seen["name"], "Odense Kommune");
    assert_eq!(app.anonymous().get("/organisations").expect(200).each("name"), ["Odense Kommune"]);
    app.member(&odense).post("/organisations", json!({"name": "Firma", "kind": "company"})).refused(403, "forbidden");
}

//! Looking after users: seeing, changing, closing.

use serde_json::{Value, json};

use super::{PASSWORD, accept, invitation, invite, make_key, mette, refresh, sign_in};
use crate::support::{TestApp, given};

#[test]
fn an_admin_sees_all_users_and_an_org_admin_its_own() {
    let app = TestApp::start();
    let (odense, aarhus) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Aarhus Kommune"));
    invite(&app, &odense, "mette@odense.example");
    invite(&app, &aarhus, "anders@aarhus.example");
    let emails = |path: &str| app.admin().get(path).expect(200).each("email");
    assert!(emails("/users").len() > 2);
    assert_eq!(emails(&format!("/users?organisation_id={}", aarhus.id)), ["anders@aarhus.example"]);
    assert_eq!(emails("/users?q=METTE@odense"), ["mette@odense.example"]);
    assert_eq!(emails("/users?q=ingen").len(), 0);
    let org_admin = app.org_admin(&odense);
    let own = org_admin.get("/users").expect(200);
    assert!(own.each("email").contains(&"mette@odense.example".to_owned()));
    assert!(own.items().iter().all(|user| user["organisation"]["id"] == json!(odense.id)));
    assert_eq!(own.items().iter().find(|user| user["email"] == "mette@odense.example").unwrap()["status"], "invited");
    org_admin.get(&format!("/users?organisation_id={}", aarhus.id)).refused(403, "forbidden");
    app.member(&odense).get("/users").refused(403, "forbidden");
    app.facilitator().get("/users").refused(403, "forbidden");
}

#[test]
fn the_list_of_users_has_pages() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    for number in 0..5 {
        app.admin().post("/users", invitation(&odense, &format!("p{number}@odense.example"), "member")).expect(201);
    }
    app.mails();
    let admin = app.org_admin(&odense);
    let (mut seen, mut path) = (Vec::new(), "/users?limit=2".to_owned());
    loop {
        let page = admin.get(&path).expect(200);
        seen.extend(page.each("email"));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/users?limit=2&cursor={next}");
    }
    seen.dedup();
    assert_eq!(seen.len(), 6, "five and the administrator: {seen:?}");
    let foreign = app.anonymous().get("/organisations?order=changed").expect(200).text_of("next");
    admin.get(&format!("/users?cursor={foreign}")).unfit(&[("/cursor", "bad_cursor")]);
}

#[test]
fn a_closed_account_stops_working_everywhere_at_once() {
    let app = TestApp::start();
    let (odense, pair) = mette(&app);
    let me = app.bearer(&pair.text_of("access_token"));
    let system = app.bearer(&make_key(&me, &["challenges:read"]).text_of("key"));
    system.get("/challenges").expect(200);
    let path = format!("/users/{}", me.get("/me").expect(200).id());
    let closed = app.org_admin(&odense).change(&path, json!({"active": false})).expect(200);
    assert_eq!(closed["status"], "deactivated");
    me.get("/me").refused(401, "unauthorized");
    system.get("/challenges").refused(401, "unauthorized");
    refresh(&app, &pair).refused(401, "unauthorized");
    sign_in(&app, "mette@odense.example", PASSWORD).refused(401, "bad_credentials");
    app.anonymous().post("/password-resets", json!({"email": "mette@odense.example"})).expect(202);
    assert!(app.mails().is_empty());

    let opened = app.org_admin(&odense).change(&path, json!({"active": true})).expect(200);
    assert_eq!(opened["status"], "active");
    sign_in(&app, "mette@odense.example", PASSWORD).expect(200);
    me.get("/me").refused(401, "unauthorized");
    system.get("/challenges").refused(401, "unauthorized");
}

#[test]
fn a_closed_account_gets_no_more_letters_to_its_body() {
    let app = TestApp::start();
    let (_, pair) = mette(&app);
    let me = app.bearer(&pair.text_of("access_token"));
    let challenge = given::submitted(&me, "Natlige tilsyn");
    let path = format!("/users/{}", me.get("/me").expect(200).id());
    app.admin().change(&path, json!({"active": false})).expect(200);
    app.facilitator().post(&format!("/challenges/{}/approve", challenge.id), json!({})).expect(200);
    assert!(app.mails().is_empty());
}

#[test]
fn an_invitation_of_a_closed_account_opens_nothing() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let mail = invite(&app, &odense, "mette@odense.example");
    let id = app.admin().get("/users?q=mette@odense.example").expect(200).items()[0]["id"].clone();
    app.admin().change(&format!("/users/{}", id.as_str().unwrap()), json!({"active": false})).expect(200);
    accept(&app, &mail, PASSWORD).refused(410, "dead_link");
}

#[test]
fn nobody_changes_their_own_role_or_closes_their_own_account() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    for client in [app.admin(), app.org_admin(&odense)] {
        let path = format!("/users/{}", client.get("/me").expect(200).id());
        for change in [json!({"active": false}), json!({"role": "member"})] {
            client.change(&path, change).refused(409, "own_account");
        }
        assert_eq!(client.change(&path, json!({"name": "Åse Øst"})).expect(200)["name"], "Åse Øst");
    }
}

#[test]
fn an_org_admin_changes_its_own_people_within_its_own_body() {
    let app = TestApp::start();
    let (odense, aarhus) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Aarhus Kommune"));
    let id_of = |client: &crate::support::Client| format!("/users/{}", client.get("/me").expect(200).id());
    let org_admin = app.org_admin(&odense);
    let own = id_of(&app.member(&odense));
    org_admin.change(&own, json!({"role": "org_admin"})).expect(200);
    org_admin.change(&own, json!({"role": "facilitator"})).refused(403, "forbidden");
    org_admin.change(&own, json!({"organisation_id": aarhus.id})).refused(403, "forbidden");
    org_admin.get(&id_of(&app.member(&aarhus))).refused(404, "not_found");
    let others = id_of(&app.facilitator());
    org_admin.with("If-Match", "*").patch(&others, json!({"name": "Ny"})).refused(404, "not_found");
    app.admin().change(&own, json!({"organisation_id": null})).unfit(&[("/organisation_id", "required")]);
    app.admin().change(&own, json!({"colour": 1})).unfit(&[("/colour", "unknown_field")]);
    app.admin().patch(&own, json!({"name": "Ny"})).refused(428, "if_match_missing");
    app.admin().with("If-Match", "\"1.da\"").patch(&own, json!({"name": "Ny"})).refused(412, "stale");
}

#[test]
fn an_invitation_can_be_sent_again_until_it_is_accepted() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    invite(&app, &odense, "mette@odense.example");
    let org_admin = app.org_admin(&odense);
    let users = org_admin.get("/users?q=mette@odense.example").expect(200).items();
    let path = format!("/users/{}/invite", users[0]["id"].as_str().unwrap());
    org_admin.post(&path, Value::Null).expect(204);
    accept(&app, &app.mail_to("mette@odense.example"), PASSWORD).expect(204);
    org_admin.post(&path, Value::Null).refused(409, "not_invited");
}

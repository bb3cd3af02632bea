//! Accounts: invitation, sign-in, staying signed in, API keys.

mod password;
mod session;
mod throttle;
mod user;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Mail, Named, TestApp, given};

const PASSWORD: &str = "en gul cykel i regnvejr";

fn invitation(body: &Named, email: &str, role: &str) -> Value {
    json!({"email": email, "name": "Mette Holm", "role": role, "organisation_id": body.id})
}

fn invite(app: &TestApp, body: &Named, email: &str) -> Mail {
    app.admin().post("/users", invitation(body, email, "member")).expect(201);
    app.mail_to(email)
}

fn accept(app: &TestApp, mail: &Mail, password: &str) -> Answer {
    app.anonymous().post("/invitations/accept", json!({"token": mail.token("/invitations/"), "password": password}))
}

fn sign_in(app: &TestApp, email: &str, password: &str) -> Answer {
    app.anonymous().post("/auth/token", json!({"email": email, "password": password}))
}

fn refresh(app: &TestApp, pair: &Answer) -> Answer {
    app.anonymous().post("/auth/refresh", json!({"refresh_token": pair.text_of("refresh_token")}))
}

/// Mette of Odense, invited, accepted and signed in.
fn mette(app: &TestApp) -> (Named, Answer) {
    let odense = given::municipality(app, "Odense Kommune");
    let mail = invite(app, &odense, "mette@odense.example");
    accept(app, &mail, PASSWORD).expect(204);
    (odense, sign_in(app, "mette@odense.example", PASSWORD).expect(200))
}

#[test]
fn who_is_invited_chooses_a_password_and_signs_in() {
    let app = TestApp::start();
    let (odense, pair) = mette(&app);
    assert_eq!((&pair["token_type"], &pair["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert_eq!(pair.header("Cache-Control"), "no-store");
    let me = app.bearer(&pair.text_of("access_token")).get("/me").expect(200);
    assert_eq!(me["email"], "mette@odense.example");
    assert_eq!(me["role"], "member");
    assert_eq!(me["organisation"], json!({"id": odense.id, "name": "Odense Kommune"}));
}

#[test]
fn the_invitation_is_in_danish_and_links_to_this_service() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let mail = invite(&app, &odense, "mette@odense.example");
    assert_eq!(mail.subject, "Din konto hos Skala");
    assert!(mail.link("/invitations/").starts_with("https://skala.example/"));
    assert!(mail.text.contains("Hej Mette Holm") && mail.html.contains("Vælg kodeord"));
    assert!(mail.message_id.ends_with("@skala.example"));
    assert_eq!(mail.one_click, None, "a personal letter is no subscription");
}

#[test]
fn nobody_signs_in_before_the_invitation_is_accepted() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    invite(&app, &odense, "mette@odense.example");
    sign_in(&app, "mette@odense.example", PASSWORD).refused(401, "bad_credentials");
}

#[test]
fn an_invitation_link_is_good_once_for_fourteen_days_and_only_unaltered() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let mail = invite(&app, &odense, "mette@odense.example");
    let token = mail.token("/invitations/");
    let accept_token =
        |token: &str| app.anonymous().post("/invitations/accept", json!({"token": token, "password": PASSWORD}));
    for dead in ["", "x", &token[1..], &token.replace(|c: char| c.is_ascii_digit(), "x")] {
        let refused = accept_token(dead).refused(410, "dead_link");
        assert!(refused.text_of("detail").starts_with("Linket er ikke helt"), "{dead}");
    }
    app.advance(TimeDelta::days(13));
    accept(&app, &mail, PASSWORD).expect(204);
    let used = accept(&app, &mail, "en helt anden sætning").refused(410, "dead_link");
    assert_eq!(used["detail"], "Linket er brugt");
    sign_in(&app, "mette@odense.example", PASSWORD).expect(200);

    let late = invite(&app, &odense, "for@sent.example");
    app.advance(TimeDelta::days(14) + TimeDelta::seconds(1));
    let expired = accept(&app, &late, PASSWORD).refused(410, "dead_link");
    assert!(expired.text_of("detail").starts_with("Linket er udløbet"));
}

#[test]
fn a_weak_password_is_refused_and_the_link_stays_good() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let mail = invite(&app, &odense, "mette@odense.example");
    accept(&app, &mail, "kort").unfit(&[("/password", "too_short")]);
    accept(&app, &mail, "KommuneSommer26").unfit(&[("/password", "too_common")]);
    accept(&app, &mail, &"æ".repeat(201)).unfit(&[("/password", "too_long")]);
    accept(&app, &mail, PASSWORD).expect(204);
}

#[test]
fn a_wrong_address_and_a_wrong_password_are_answered_alike() {
    let app = TestApp::start();
    mette(&app);
    let wrong_password = sign_in(&app, "mette@odense.example", "en grøn cykel i solskin");
    let wrong_password = wrong_password.refused(401, "bad_credentials");
    for email in ["nobody@odense.example", "no address", ""] {
        let answer = sign_in(&app, email, PASSWORD).refused(401, "bad_credentials");
        assert_eq!(answer["detail"], wrong_password["detail"]);
    }
    sign_in(&app, "METTE@odense.example", PASSWORD).expect(200);
}

#[test]
fn an_access_token_is_good_for_fifteen_minutes() {
    let app = TestApp::start();
    let (_, pair) = mette(&app);
    let client = app.bearer(&pair.text_of("access_token"));
    app.advance(TimeDelta::minutes(15) - TimeDelta::seconds(1));
    client.get("/me").expect(200);
    app.advance(TimeDelta::seconds(1));
    assert_eq!(client.get("/me").refused(401, "unauthorized").header("WWW-Authenticate"), "Bearer");
}

#[test]
fn a_refresh_token_is_good_once_and_using_it_again_ends_the_session() {
    let app = TestApp::start();
    let (_, first) = mette(&app);
    let second = refresh(&app, &first).expect(200);
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    app.bearer(&second.text_of("access_token")).get("/me").expect(200);
    refresh(&app, &first).refused(401, "unauthorized");
    refresh(&app, &second).refused(401, "unauthorized");
    sign_in(&app, "mette@odense.example", PASSWORD).expect(200);
}

#[test]
fn one_stolen_session_does_not_end_another() {
    let app = TestApp::start();
    let (_, stolen) = mette(&app);
    let other = sign_in(&app, "mette@odense.example", PASSWORD).expect(200);
    refresh(&app, &stolen).expect(200);
    refresh(&app, &stolen).expect(401);
    refresh(&app, &other).expect(200);
}

#[test]
fn a_session_that_is_not_used_ends_after_thirty_days() {
    let app = TestApp::start();
    let (_, pair) = mette(&app);
    app.advance(TimeDelta::days(29));
    let pair = refresh(&app, &pair).expect(200);
    app.advance(TimeDelta::days(30));
    refresh(&app, &pair).refused(401, "unauthorized");
}

#[test]
fn signing_out_ends_the_session_and_tells_a_stranger_nothing() {
    let app = TestApp::start();
    let (_, pair) = mette(&app);
    let body = json!({"refresh_token": pair["refresh_token"]});
    app.anonymous().post("/auth/logout", body.clone()).expect(204);
    app.anonymous().post("/auth/logout", body).expect(204);
    app.anonymous().post("/auth/logout", json!({"refresh_token": "of nobody"})).expect(204);
    refresh(&app, &pair).refused(401, "unauthorized");
}

#[test]
fn two_refreshes_at_the_same_moment_do_not_both_succeed() {
    let app = TestApp::start();
    let (_, pair) = mette(&app);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..4).map(|_| scope.spawn(|| refresh(&app, &pair).status)).collect();
        tries.into_iter().map(|tried| tried.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
}

#[test]
fn an_admin_invites_anybody_and_an_org_admin_its_own_people_only() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let aarhus = given::municipality(&app, "Aarhus Kommune");
    let org_admin = app.org_admin(&odense);
    org_admin.post("/users", invitation(&odense, "a@odense.example", "member")).expect(201);
    org_admin.post("/users", invitation(&odense, "b@odense.example", "org_admin")).expect(201);
    org_admin.post("/users", invitation(&aarhus, "c@aarhus.example", "member")).refused(403, "forbidden");
    org_admin.post("/users", invitation(&odense, "d@odense.example", "facilitator")).refused(403, "forbidden");
    org_admin.post("/users", invitation(&odense, "d@odense.example", "admin")).refused(403, "forbidden");
    let staff = json!({"email": "e@co-pi.example", "name": "Ea", "role": "facilitator"});
    org_admin.post("/users", staff.clone()).refused(403, "forbidden");
    app.member(&odense).post("/users", invitation(&odense, "f@odense.example", "member")).refused(403, "forbidden");
    app.facilitator().post("/users", staff.clone()).refused(403, "forbidden");
    app.admin().post("/users", staff).expect(201);
    app.admin().post("/users", invitation(&aarhus, "g@aarhus.example", "org_admin")).expect(201);
    let invited: Vec<_> = app.mails().into_iter().map(|mail| mail.to).collect();
    assert_eq!(invited, ["a@odense.example", "b@odense.example", "e@co-pi.example", "g@aarhus.example"]);
}

#[test]
fn an_address_has_one_account_whatever_its_letter_case() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    invite(&app, &odense, "mette@odense.example");
    let again = app.admin().post("/users", invitation(&odense, "Mette@Odense.example", "member"));
    again.refused(409, "email_taken");
}

#[test]
fn an_unfit_invitation_is_refused_with_every_flaw() {
    let app = TestApp::start();
    let admin = app.admin();
    let invitation = json!({"email": "no address", "name": "", "role": "member"});
    admin.post("/users", invitation).unfit(&[("/email", "not_an_email"), ("/name", "required")]);
    let nowhere = json!({"email": "a@b.dk", "name": "Ane", "role": "member"});
    admin.post("/users", nowhere).unfit(&[("/organisation_id", "required")]);
    let unknown = Named { id: "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e".into(), name: String::new() };
    admin.post("/users", invitation_to(&unknown)).unfit(&[("/organisation_id", "unknown")]);
    let role = json!({"email": "a@b.dk", "name": "Ane", "role": "king"});
    admin.post("/users", role).unfit(&[("/role", "unknown_value")]);
}

fn invitation_to(body: &Named) -> Value {
    invitation(body, "a@b.dk", "member")
}

fn make_key(client: &Client, scopes: &[&str]) -> Answer {
    client.post("/api-keys", json!({"name": "Sagssystemet", "scopes": scopes})).expect(201)
}

#[test]
fn an_api_key_acts_for_whoever_made_it_until_it_is_revoked() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let member = app.member(&odense);
    let key = make_key(&member, &["challenges:read"]);
    assert!(key.text_of("key").starts_with("skala_"));
    assert_eq!(key.header("Cache-Control"), "no-store");
    let system = app.bearer(&key.text_of("key"));
    assert_eq!(system.get("/me").expect(200)["id"], member.get("/me").expect(200)["id"]);
    member.delete(&format!("/api-keys/{}", key.id())).expect(204);
    system.get("/me").refused(401, "unauthorized");
    member.delete(&format!("/api-keys/{}", key.id())).refused(404, "not_found");
    assert!(member.get("/api-keys").expect(200).items().is_empty());
}

#[test]
fn a_key_is_shown_once_and_its_use_is_noted_to_the_minute() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let member = app.member(&odense);
    let key = make_key(&member, &["challenges:read", "challenges:write"]);
    let listed = || member.get("/api-keys").expect(200).items().remove(0);
    assert_eq!(listed()["key"], Value::Null);
    assert_eq!(listed()["last_used_at"], Value::Null);
    app.bearer(&key.text_of("key")).get("/me").expect(200);
    let first = listed()["last_used_at"].clone();
    assert_ne!(first, Value::Null);
    app.advance(TimeDelta::seconds(30));
    app.bearer(&key.text_of("key")).get("/me").expect(200);
    assert_eq!(listed()["last_used_at"], first);
    app.advance(TimeDelta::minutes(2));
    app.bearer(&key.text_of("key")).get("/me").expect(200);
    assert_ne!(listed()["last_used_at"], first);
}

#[test]
fn a_key_stops_working_when_it_expires() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let member = app.member(&odense);
    let body = |expires_at: &str| json!({"name": "Kort", "scopes": ["challenges:read"], "expires_at": expires_at});
    member.post("/api-keys", body("2026-11-22T08:00:00Z")).unfit(&[("/expires_at", "in_the_past")]);
    let key = member.post("/api-keys", body("2026-11-22T10:00:00+01:00")).expect(201);
    assert_eq!(key["expires_at"], "2026-11-22T09:00:00Z");
    let system = app.bearer(&key.text_of("key"));
    app.advance(TimeDelta::minutes(59));
    system.get("/me").expect(200);
    app.advance(TimeDelta::minutes(1));
    system.get("/me").refused(401, "unauthorized");
}

#[test]
fn a_key_reaches_no_further_than_its_scopes() {
    let app = TestApp::start();
    let admin = app.admin();
    let reader = app.bearer(&make_key(&admin, &["challenges:read"]).text_of("key"));
    let organisation = json!({"name": "Odense Kommune", "kind": "municipality"});
    reader.post("/organisations", organisation.clone()).refused(403, "forbidden");
    reader.post("/api-keys", json!({"name": "Mere", "scopes": ["admin"]})).refused(403, "forbidden");
    reader.get("/api-keys").refused(403, "forbidden");
    let writer = app.bearer(&make_key(&admin, &["admin"]).text_of("key"));
    writer.post("/organisations", organisation).expect(201);
}

#[test]
fn nobody_sees_or_revokes_another_persons_key() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let (mette, jens) = (app.member(&odense), app.member(&odense));
    let key = make_key(&mette, &["challenges:read"]);
    assert!(jens.get("/api-keys").expect(200).items().is_empty());
    jens.delete(&format!("/api-keys/{}", key.id())).refused(404, "not_found");
    app.bearer(&key.text_of("key")).get("/me").expect(200);
}

#[test]
fn an_unfit_key_is_refused() {
    let app = TestApp::start();
    let admin = app.admin();
    let post = |body: Value| admin.post("/api-keys", body);
    post(json!({"name": " ", "scopes": []})).unfit(&[("/name", "required"), ("/scopes", "too_few")]);
    post(json!({"name": "x", "scopes": ["everything"]})).unfit(&[("/scopes/0", "unknown_value")]);
    let until = |expires_at: &str| post(json!({"name": "x", "scopes": ["admin"], "expires_at": expires_at}));
    until("i morgen").unfit(&[("/expires_at", "wrong_type")]);
    until("+200000-01-01T00:00:00Z").unfit(&[("/expires_at", "out_of_range")]);
}

#[test]
fn a_mutilated_authorization_is_no_anonymous_visit() {
    let app = TestApp::start();
    for header in ["Basic bWV0dGU6a29kZQ==", "Bearer", "Bearer ", "Bearer skala_unknown", "skala_unknown"] {
        let client = app.anonymous().with("Authorization", header);
        client.get("/organisations").refused(401, "unauthorized");
    }
}

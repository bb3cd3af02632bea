//! Sessions: seen, and ended.

use chrono::TimeDelta;
use serde_json::json;

use super::{PASSWORD, mette, refresh, sign_in};
use crate::support::{Answer, TestApp, given};

#[test]
fn a_person_sees_where_they_are_signed_in() {
    let app = TestApp::with(&[("SKALA_TRUSTED_PROXIES", "127.0.0.1,::1")]);
    let (_, first) = mette(&app);
    app.advance(TimeDelta::hours(1));
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
    let at_home = app.anonymous().with("User-Agent", agent).with("X-Forwarded-For", "192.0.2.17");
    let credentials = json!({"email": "mette@odense.example", "password": PASSWORD});
    let second = at_home.post("/auth/token", credentials).expect(200);
    app.advance(TimeDelta::minutes(10));
    refresh(&app, &first).expect(200);
    let seen = app.bearer(&second.text_of("access_token")).get("/sessions").expect(200).items();
    assert_eq!(seen.len(), 2);
    assert_eq!((&seen[0]["current"], &seen[0]["last_used_at"]), (&json!(false), &json!("2026-11-22T09:10:00Z")));
    assert_eq!(
        (&seen[1]["device"], &seen[1]["network"], &seen[1]["current"]),
        (&json!("Firefox, Linux"), &json!("192.0.2.0/24"), &json!(true))
    );
    assert_eq!(
        (&seen[1]["created_at"], &seen[1]["expires_at"]),
        (&json!("2026-11-22T09:00:00Z"), &json!("2026-12-22T09:00:00Z"))
    );
}

#[test]
fn a_session_that_is_ended_stops_working_at_once() {
    let app = TestApp::start();
    let (_, here) = mette(&app);
    let there = sign_in(&app, "mette@odense.example", PASSWORD).expect(200);
    let (me, thief) = (app.bearer(&here.text_of("access_token")), app.bearer(&there.text_of("access_token")));
    let sessions = me.get("/sessions").expect(200).items();
    let other = sessions.iter().find(|session| session["current"] == false).unwrap();
    me.delete(&format!("/sessions/{}", other["id"].as_str().unwrap())).expect(204);
    thief.get("/me").refused(401, "unauthorized");
    refresh(&app, &there).refused(401, "unauthorized");
    assert_eq!(me.get("/sessions").expect(200).items().len(), 1);
    me.delete(&format!("/sessions/{}", other["id"].as_str().unwrap())).refused(404, "not_found");
}

#[test]
fn all_other_sessions_end_with_one_request() {
    let app = TestApp::start();
    let (_, here) = mette(&app);
    let others: Vec<_> = (0..3).map(|_| sign_in(&app, "mette@odense.example", PASSWORD).expect(200)).collect();
    let me = app.bearer(&here.text_of("access_token"));
    me.delete("/sessions").expect(204);
    for other in others {
        app.bearer(&other.text_of("access_token")).get("/me").refused(401, "unauthorized");
    }
    refresh(&app, &here).expect(200);
}

#[test]
fn nobody_sees_or_ends_another_persons_session() {
    let app = TestApp::start();
    let (odense, pair) = mette(&app);
    let id = app.bearer(&pair.text_of("access_token")).get("/sessions").expect(200).items()[0]["id"].clone();
    let jens = app.member(&odense);
    assert!(!jens.get("/sessions").expect(200).each("id").contains(&id.as_str().unwrap().to_owned()));
    jens.delete(&format!("/sessions/{}", id.as_str().unwrap())).refused(404, "not_found");
    app.bearer(&pair.text_of("access_token")).get("/me").expect(200);
}

#[test]
fn a_stolen_refresh_token_ends_the_session_with_all_its_tokens() {
    let app = TestApp::start();
    let (_, first) = mette(&app);
    let second = refresh(&app, &first).expect(200);
    app.bearer(&second.text_of("access_token")).get("/me").expect(200);
    refresh(&app, &first).refused(401, "unauthorized");
    for pair in [&first, &second] {
        app.bearer(&pair.text_of("access_token")).get("/me").refused(401, "unauthorized");
        refresh(&app, pair).refused(401, "unauthorized");
    }
}

#[test]
fn signing_out_ends_the_access_token_too() {
    let app = TestApp::start();
    let (_, pair) = mette(&app);
    app.anonymous().post("/auth/logout", json!({"refresh_token": pair["refresh_token"]})).expect(204);
    app.bearer(&pair.text_of("access_token")).get("/me").refused(401, "unauthorized");
}

#[test]
fn a_changed_role_counts_at_once() {
    let app = TestApp::start();
    let (odense, pair) = mette(&app);
    let me = app.bearer(&pair.text_of("access_token"));
    me.get("/users").refused(403, "forbidden");
    let id = me.get("/me").expect(200).id();
    app.admin().change(&format!("/users/{id}"), json!({"role": "org_admin"})).expect(200);
    assert!(me.get("/users").expect(200).each("id").contains(&id));
    let aarhus = given::municipality(&app, "Aarhus Kommune");
    app.admin().change(&format!("/users/{id}"), json!({"organisation_id": aarhus.id})).expect(200);
    assert_ne!(me.get("/me").expect(200)["organisation"]["id"], json!(odense.id));
}

#[test]
fn a_clock_that_jumps_locks_nobody_out_and_opens_nothing_that_has_ended() {
    let app = TestApp::start();
    let (_, pair) = mette(&app);
    let signed_in = |pair: &Answer| app.bearer(&pair.text_of("access_token")).get("/me");
    app.anonymous().post("/password-resets", json!({"email": "mette@odense.example"})).expect(202);
    let link = app.mail_to("mette@odense.example").token("/password-resets/");
    app.advance(-TimeDelta::days(1));
    signed_in(&pair).expect(200);
    let pair = refresh(&app, &pair).expect(200);
    app.advance(TimeDelta::days(1) + TimeDelta::hours(2));
    signed_in(&pair).refused(401, "unauthorized");
    let reset = json!({"token": link, "password": "en helt anden sætning"});
    app.anonymous().post("/password-resets/accept", reset).refused(410, "dead_link");
    let pair = refresh(&app, &pair).expect(200);
    signed_in(&pair).expect(200);
    app.advance(-TimeDelta::hours(3));
    signed_in(&pair).expect(200);
    refresh(&app, &pair).expect(200);
}

#[test]
fn a_session_is_forgotten_when_its_last_token_has_expired_and_a_stolen_one_ends_it_until_then() {
    let app = TestApp::start();
    let (_, first) = mette(&app);
    let count = |table: &str| app.database.count(table);
    let (sessions, tokens) = (count("session"), count("refresh_token"));
    app.advance(TimeDelta::days(20));
    let second = refresh(&app, &first).expect(200);
    app.advance(TimeDelta::days(10) - TimeDelta::seconds(1));
    app.mails();
    assert_eq!((count("session"), count("refresh_token")), (sessions, tokens + 1), "what was spent is still known");
    app.advance(TimeDelta::seconds(1));
    app.mails();
    assert_eq!((count("session"), count("refresh_token")), (sessions, tokens), "the first token has expired");
    refresh(&app, &first).refused(401, "unauthorized");
    let third = refresh(&app, &second).expect(200);
    // Spent, and shown again within its 30 days: it gives the thief away.
    app.advance(TimeDelta::days(19));
    app.mails();
    refresh(&app, &second).refused(401, "unauthorized");
    refresh(&app, &third).refused(401, "unauthorized");
    app.advance(TimeDelta::days(30));
    app.mails();
    assert_eq!((count("session"), count("refresh_token")), (sessions - 1, tokens - 1));
}

#[test]
fn a_session_ends_ninety_days_after_it_began_however_much_it_is_used() {
    let app = TestApp::start();
    let (_, mut pair) = mette(&app);
    for _ in 0..4 {
        app.advance(TimeDelta::days(20));
        pair = refresh(&app, &pair).expect(200);
    }
    let seen = app.bearer(&pair.text_of("access_token")).get("/sessions").expect(200).items();
    assert_eq!(seen[0]["expires_at"], "2027-02-20T08:00:00Z", "90 days after the sign-in, not 30 from now");
    app.advance(TimeDelta::days(10));
    refresh(&app, &pair).refused(401, "unauthorized");
    app.bearer(&pair.text_of("access_token")).get("/me").refused(401, "unauthorized");
}

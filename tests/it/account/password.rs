//! Passwords: the pages behind the links, resets, and a change while signed in.

use chrono::TimeDelta;
use serde_json::json;

use super::{PASSWORD, invite, make_key, mette, refresh, sign_in};
use crate::support::{Answer, Client, TestApp, given};

const NEW: &str = "to blå biler i solskin";

fn ask(app: &TestApp, email: &str) -> Answer {
    app.anonymous().post("/password-resets", json!({"email": email})).expect(202)
}

/// The token that came after asking.
fn asked(app: &TestApp, email: &str) -> String {
    ask(app, email);
    app.mail_to(email).token("/password-resets/")
}

fn reset(app: &TestApp, token: &str, password: &str) -> Answer {
    app.anonymous().post("/password-resets/accept", json!({"token": token, "password": password}))
}

/// A person with a browser.
fn browser(app: &TestApp) -> Client {
    app.anonymous().with("Accept", "text/html")
}

fn press(client: &Client, path: &str, form: &str) -> Answer {
    client.post_raw(path, "application/x-www-form-urlencoded", form)
}

#[test]
fn a_forgotten_password_is_replaced_by_a_link_that_is_good_once() {
    let app = TestApp::start();
    let (_, pair) = mette(&app);
    let token = asked(&app, "METTE@odense.example".to_lowercase().as_str());
    sign_in(&app, "mette@odense.example", PASSWORD).expect(200);
    reset(&app, &token, NEW).expect(204);
    assert!(app.mail_to("mette@odense.example").text.contains("Kodeordet til din konto"), "its owner is told");
    sign_in(&app, "mette@odense.example", PASSWORD).refused(401, "bad_credentials");
    sign_in(&app, "mette@odense.example", NEW).expect(200);
    app.bearer(&pair.text_of("access_token")).get("/me").refused(401, "unauthorized");
    refresh(&app, &pair).refused(401, "unauthorized");
    assert_eq!(reset(&app, &token, "en helt anden sætning").refused(410, "dead_link")["detail"], "Linket er brugt");
}

#[test]
fn a_new_password_spends_every_link_that_was_sent_before() {
    let app = TestApp::start();
    mette(&app);
    let (first, second) = (asked(&app, "mette@odense.example"), asked(&app, "mette@odense.example"));
    reset(&app, &second, NEW).expect(204);
    reset(&app, &first, "en helt anden sætning").refused(410, "dead_link");
    app.mail_to("mette@odense.example");
}

#[test]
fn a_reset_link_expires_after_an_hour_and_opens_nothing_else() {
    let app = TestApp::start();
    mette(&app);
    let token = asked(&app, "mette@odense.example");
    let invitation = json!({"token": token, "password": NEW});
    app.anonymous().post("/invitations/accept", invitation).refused(410, "dead_link");
    let altered = format!("{}A", &token[..token.len() - 2]);
    for dead in ["", "x", &altered] {
        let refused = reset(&app, dead, NEW).refused(410, "dead_link");
        assert!(refused.text_of("detail").starts_with("Linket er ikke helt"));
    }
    reset(&app, &token, "kort").unfit(&[("/password", "too_short")]);
    reset(&app, &token, "Mette Holm 1987").unfit(&[("/password", "too_common")]);
    app.advance(TimeDelta::hours(1) + TimeDelta::seconds(1));
    let expired = reset(&app, &token, NEW).refused(410, "dead_link");
    assert!(expired.text_of("detail").starts_with("Linket er udløbet"));
}

#[test]
fn asking_is_answered_alike_for_every_address_and_before_anybody_looks() {
    let app = TestApp::start();
    mette(&app);
    let (known, unknown) = (ask(&app, "mette@odense.example"), ask(&app, "ingen@odense.example"));
    assert_eq!((known.status, &known.text), (unknown.status, &unknown.text));
    assert!(app.mailbox.empty().is_empty(), "nothing is looked up or sent while the answer is made");
    app.mail_to("mette@odense.example");
    app.anonymous().post("/password-resets", json!({"email": "x"})).unfit(&[("/email", "not_an_email")]);
}

#[test]
fn nobody_is_bombed_with_links() {
    let app = TestApp::start();
    mette(&app);
    for _ in 0..8 {
        ask(&app, "mette@odense.example");
    }
    assert_eq!(app.mails().len(), 5);
    app.advance(TimeDelta::hours(1));
    ask(&app, "mette@odense.example");
    app.mail_to("mette@odense.example");
}

#[test]
fn who_never_accepted_an_invitation_gets_a_new_one_in_their_language() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    invite(&app, &odense, "mette@odense.example");
    app.advance(TimeDelta::days(20));
    let english = app.anonymous().with("Accept-Language", "en");
    english.post("/password-resets", json!({"email": "mette@odense.example"})).expect(202);
    let mail = app.mail_to("mette@odense.example");
    assert_eq!(mail.subject, "Your account with Skala");
    let body = json!({"token": mail.token("/invitations/"), "password": PASSWORD});
    app.anonymous().post("/invitations/accept", body).expect(204);
    sign_in(&app, "mette@odense.example", PASSWORD).expect(200);
}

#[test]
fn an_invited_person_chooses_a_password_in_a_browser() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let link = invite(&app, &odense, "mette@odense.example").link("/invitations/");
    let path = link.strip_prefix("https://skala.example").unwrap();
    let browser = browser(&app);
    for _ in 0..2 {
        let page = browser.get(path).expect(200);
        assert!(page.text.contains("<h1>Vælg et kodeord</h1>") && page.text.contains("mette@odense.example"));
        assert!(page.text.contains("type=\"password\"") && page.text.contains("new-password"));
        assert!(page.header("Content-Security-Policy").contains("form-action 'self'"));
        assert_eq!(page.header("Referrer-Policy"), "no-referrer");
        assert_eq!(page.header("Cache-Control"), "no-store");
    }
    let differ = press(&browser, path, "password=en+gul+cykel+i+regnvejr&repeated=en+anden").expect(422);
    assert!(
        differ.text.contains("role=\"alert\"") && differ.text.contains("ikke ens") && differ.text.contains("<form")
    );
    let short = press(&browser, path, "password=kort&repeated=kort").expect(422);
    assert!(short.text.contains("Mindst 12 tegn; en kort"), "{}", short.text);
    assert!(!short.text.contains("value=\"kort\""), "a password is never shown");
    let english = browser.with("Accept-Language", "en").get(path).expect(200);
    assert!(english.text.contains("Choose a password") && english.text.contains("lang=\"en\""));
    let form = "password=en+gul+cykel+i+regnvejr&repeated=en+gul+cykel+i+regnvejr";
    assert!(press(&browser, path, form).expect(200).text.contains("Dit kodeord er gemt"));
    sign_in(&app, "mette@odense.example", PASSWORD).expect(200);
    let again = press(&browser, path, form).expect(410);
    assert!(again.text.contains("Linket er brugt") && again.text.contains("/api/v1/password-resets"));
    assert!(browser.get(path).expect(410).text.contains("Linket er brugt"), "also after the back button");
}

#[test]
fn a_forgotten_password_is_replaced_in_a_browser() {
    let app = TestApp::start();
    mette(&app);
    let browser = browser(&app);
    let page = browser.get("/password-resets").expect(200);
    assert!(page.text.contains("action=\"/api/v1/password-resets/ask\"") && page.text.contains("Glemt kodeord"));
    let wrong = press(&browser, "/password-resets/ask", "email=mette").expect(422);
    assert!(wrong.text.contains("role=\"alert\"") && wrong.text.contains("value=\"mette\""));
    let known = press(&browser, "/password-resets/ask", "email=mette%40odense.example").expect(200);
    let unknown = press(&browser, "/password-resets/ask", "email=ingen%40odense.example").expect(200);
    assert_eq!(known.text, unknown.text);
    let link = app.mail_to("mette@odense.example").link("/password-resets/");
    let path = link.strip_prefix("https://skala.example").unwrap();
    assert!(browser.get(path).expect(200).text.contains("Vælg et nyt kodeord"));
    let form = "password=to+bl%C3%A5+biler+i+solskin&repeated=to+bl%C3%A5+biler+i+solskin";
    press(&browser, path, form).expect(200);
    sign_in(&app, "mette@odense.example", NEW).expect(200);
    app.mail_to("mette@odense.example");
    assert_eq!(browser.get("/password-resets/nonsense").expect(410).text.matches("<form").count(), 0);
}

#[test]
fn who_is_signed_in_changes_their_password_with_the_one_that_stands() {
    let app = TestApp::start();
    let (_, here) = mette(&app);
    let there = sign_in(&app, "mette@odense.example", PASSWORD).expect(200);
    let me = app.bearer(&here.text_of("access_token"));
    let key = make_key(&me, &["admin"]);
    let change =
        |current: &str, new: &str| me.post("/me/password", json!({"current_password": current, "password": new}));
    change("en grøn cykel i solskin", NEW).unfit(&[("/current_password", "wrong_password")]);
    change(PASSWORD, "kort").unfit(&[("/password", "too_short")]);
    change(PASSWORD, NEW).expect(204);
    app.mail_to("mette@odense.example");
    me.get("/me").expect(200);
    app.bearer(&there.text_of("access_token")).get("/me").refused(401, "unauthorized");
    sign_in(&app, "mette@odense.example", NEW).expect(200);
    let body = json!({"current_password": NEW, "password": PASSWORD});
    app.bearer(&key.text_of("key")).post("/me/password", body).refused(403, "forbidden");
    for _ in 0..5 {
        change("en grøn cykel i solskin", PASSWORD).expect(422);
    }
    change(NEW, PASSWORD).refused(429, "too_many_tries");
}

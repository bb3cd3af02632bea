//! Subscribing, managing, leaving: with a mail address and nothing else.

use chrono::TimeDelta;
use serde_json::{Value, json};
use skala::dispatch::audience::{enter_page, next_page};

use super::support::{TestApp, given, wait_for};

fn wish(email: &str) -> Value {
    json!({"email": email, "language": "da", "frequency": "immediate", "filter": {"cpv": ["33000000"]}})
}

#[test]
fn an_address_counts_only_once_its_owner_confirmed_and_the_link_works_once() {
    let app = TestApp::start();
    let anyone = app.anonymous();
    let first = anyone.post("/subscriptions", wish("ane@firma.example")).expect(202);
    let mail = app.mail_to("ane@firma.example");
    let link = mail.link("/subscriptions/confirm/");
    let page = anyone.get(link.strip_prefix("https://skala.example").unwrap()).expect(200);
    assert!(page.text.contains("<form method=\"post\"") && page.header("Content-Type").starts_with("text/html"));
    let token = mail.token("/subscriptions/confirm/");
    let managed = anyone.post("/subscriptions/confirm", json!({"token": token})).expect(200).text_of("manage_token");
    anyone.post("/subscriptions/confirm", json!({"token": token})).refused(410, "dead_link");
    let shown = anyone.get(&format!("/subscriptions/{managed}")).expect(200);
    assert_eq!((shown["status"].as_str(), shown["email"].as_str()), (Some("confirmed"), Some("ane@firma.example")));
    assert!(shown["consent"]["text"].as_str().unwrap().contains("markedsdialoger"));
    let again = anyone.post("/subscriptions", wish("ANE@firma.example")).expect(202);
    assert_eq!(first.text, again.text, "the answer does not tell that the address is known");
    assert!(app.mail_to("ane@firma.example").subject.contains("allerede"));
}

#[test]
fn a_link_is_dead_after_seven_days_and_the_address_forgotten() {
    let app = TestApp::start();
    app.anonymous().post("/subscriptions", wish("ane@firma.example")).expect(202);
    let token = app.mail_to("ane@firma.example").token("/subscriptions/confirm/");
    app.advance(TimeDelta::days(7) + TimeDelta::seconds(1));
    app.send_what_waits();
    app.anonymous().post("/subscriptions/confirm", json!({"token": token})).refused(410, "dead_link");
}

#[test]
fn nobody_can_be_bombed_with_confirmations() {
    let app = TestApp::start();
    for number in 0..30 {
        let mut wish = wish("ane@firma.example");
        wish["filter"] = json!({"text": format!("ord{number}")});
        app.anonymous().post("/subscriptions", wish).expect(202);
    }
    assert_eq!(app.mails().len(), 5);
}

#[test]
fn a_network_can_cause_only_so_many_confirmations_whoever_they_go_to() {
    let app = TestApp::with(&[("SKALA_TRUSTED_PROXIES", "127.0.0.1")]);
    let from = |address: &str| app.anonymous().with("X-Forwarded-For", address);
    for number in 0..60 {
        let address = format!("203.0.113.{number}");
        from(&address).post("/subscriptions", wish(&format!("nr{number}@firma.example"))).expect(202);
    }
    let refused = from("203.0.113.200").post("/subscriptions", wish("ny@firma.example"));
    assert_eq!(refused.refused(429, "too_many_confirmations").header("Retry-After"), "3600");
    from("198.51.100.1").post("/subscriptions", wish("ny@firma.example")).expect(202);
    assert_eq!(app.mails().len(), 61);
    app.advance(TimeDelta::hours(1));
    from("203.0.113.200").post("/subscriptions", wish("ane@firma.example")).expect(202);
    app.mail_to("ane@firma.example");
}

#[test]
fn a_dialogue_is_followed_by_mail_and_its_answers_reach_who_asked_and_who_follows_at_once() {
    let app = TestApp::start();
    let id = given::published(&app, "Natligt tilsyn");
    let other = given::published(&app, "Kørsel");
    let follower = given::subscriber(&app, "f@firma.example", "immediate", json!({"dialogue_ids": [id]}));
    given::subscriber(&app, "g@firma.example", "immediate", json!({"dialogue_ids": [other]}));
    let anyone = app.anonymous();
    let question = json!({"email": "a@firma.example", "text": "Skal den virke uden net?"});
    anyone.post(&format!("/dialogues/{id}/questions"), question.clone()).expect(202);
    let token = app.mail_to("a@firma.example").token("/questions/confirm/");
    let asked = anyone.post("/questions/confirm", json!({"token": token})).expect(200).id();
    let page = anyone.outside().get(&format!("/subscriptions/{follower}")).expect(200);
    assert!(page.text.contains("Markedsdialoger: »Natligt tilsyn«"), "{}", page.text);
    // A form that is sent twice is one question.
    anyone.post(&format!("/dialogues/{id}/questions"), question).expect(202);
    assert!(app.mails().is_empty());
    let staff = app.facilitator();
    staff.post(&format!("/questions/{asked}/answer"), json!({"answer": "Ja, i 12 timer."})).expect(200);
    let mails = app.mails();
    let to: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(to, ["a@firma.example", "f@firma.example"]);
    let told = &mails[1];
    assert!(told.text.contains("Leverandør 1 spurgte:") && told.text.contains("Ja, i 12 timer."), "{}", told.text);
    assert!(told.text.contains("du følger markedsdialogen »Natligt tilsyn«") && told.one_click.is_some());
    assert!(!told.text.contains("a@firma.example"));
    staff.post(&format!("/dialogues/{id}/cancel"), json!({"reason": "Ingen penge"})).expect(200);
    assert!(app.mail_to("f@firma.example").subject.starts_with("Aflyst"));
    anyone.delete(&format!("/subscriptions/{follower}")).expect(204);
}

#[test]
fn a_subscription_is_changed_by_its_link() {
    let app = TestApp::start();
    let token = given::subscriber(&app, "ane@firma.example", "immediate", json!({"cpv": ["33000000"]}));
    let path = format!("/subscriptions/{token}");
    let anyone = app.anonymous();
    anyone.patch(&path, json!({"frequency": "daily"})).refused(428, "if_match_missing");
    let changed = anyone.change(&path, json!({"frequency": "daily", "filter": {"text": "tilsyn"}})).expect(200);
    assert_eq!(
        changed["filter"],
        json!({"cpv": ["33000000"], "nuts": [], "themes": [], "process_ids": [], "text": "tilsyn"})
    );
    anyone.change(&path, json!({"filter": {"cpv": ["x"]}})).unfit(&[("/filter/cpv/0", "not_a_cpv_code")]);
    anyone.change(&path, json!({"email": "x@y.dk"})).unfit(&[("/email", "unknown_field")]);
    let led = anyone.with("Accept", "text/html").get(&path).expect(303);
    assert_eq!(led.header("Location"), path, "a person is led to the page");
    anyone.get("/subscriptions/AZPxwnpefDGdPj9qKxwNTg").expect(404);
}

#[test]
fn addresses_of_every_kind_are_taken_or_refused_in_clear_words() {
    let app = TestApp::start();
    let of_length = |length: usize| {
        let labels = [60, 60, length - 64 - 60 - 60 - 1 - 2 - 8].map(|length| "a".repeat(length));
        format!("{}@{}.example", "b".repeat(64), labels.join("."))
    };
    let (longest, too_long) = (of_length(254), of_length(255));
    assert_eq!((longest.len(), too_long.len()), (254, 255));
    for address in ["søren@økøb.dk", "ane+skala@firma.example", &longest, "=?utf-8?q?a?=@firma.example"] {
        app.anonymous().post("/subscriptions", wish(address)).expect(202);
        assert!(app.mail_to(address).text.contains("CPV-koder: 33000000"));
    }
    for address in ["", " ", &too_long, "a@b.example\r\nBcc: x@y.example", "a\u{2028}@b.example", "a@b.example\u{0}"] {
        app.anonymous().post("/subscriptions", wish(address)).refused(422, "unfit");
    }
}

#[test]
fn one_click_ends_it_without_cookie_or_redirect_and_looking_changes_nothing() {
    let app = TestApp::start();
    let token = given::subscriber(&app, "ane@firma.example", "immediate", json!({}));
    given::published(&app, "Natligt tilsyn");
    let one_click = app.mail_to("ane@firma.example").one_click.unwrap();
    let path = one_click.unsubscribe_url.strip_prefix("https://skala.example").unwrap().to_owned();
    let (anyone, status) =
        (app.anonymous(), || app.anonymous().get(&format!("/subscriptions/{token}")).expect(200).text_of("status"));
    assert!(anyone.get(&path).expect(200).text.contains("<button>"));
    assert_eq!(status(), "confirmed");
    for _ in 0..2 {
        let left =
            anyone.post_raw(&path, "application/x-www-form-urlencoded", "List-Unsubscribe=One-Click").expect(200);
        assert!(left.header("Set-Cookie").is_empty());
        assert_eq!(status(), "unsubscribed");
    }
    anyone.post_raw(&format!("{}x", path), "application/x-www-form-urlencoded", "").expect(410);
    given::published(&app, "Noget andet");
    assert!(app.mails().is_empty());
}

#[test]
fn who_is_erased_while_recipients_are_found_does_not_come_back() {
    let app = TestApp::start();
    let erased = given::subscriber(&app, "ane@firma.example", "immediate", json!({}));
    given::subscriber(&app, "bo@andet.example", "immediate", json!({}));
    let id = given::published(&app, "Natligt tilsyn");
    let (now, seal) = (app.now(), app.node.seal.clone());
    let page = wait_for(app.node.db.read(move |connection| next_page(connection, None, now))).unwrap().unwrap();
    app.anonymous().delete(&format!("/subscriptions/{erased}")).expect(204);
    wait_for(app.node.db.write(move |tx| enter_page(tx, &seal, page, now))).unwrap();
    let to: Vec<String> = app.mails().into_iter().map(|mail| mail.to).collect();
    assert_eq!(to, ["bo@andet.example"]);
    let ledger = app.facilitator().get(&format!("/dialogues/{id}/ledger")).expect(200);
    assert_eq!(ledger.each("recipient"), ["bo@andet.example"]);
}

#[test]
fn erasing_leaves_a_hash_in_the_ledger_and_no_address() {
    let app = TestApp::start();
    let token = given::subscriber(&app, "ane@firma.example", "immediate", json!({}));
    let id = given::published(&app, "Natligt tilsyn");
    app.mail_to("ane@firma.example");
    app.anonymous().delete(&format!("/subscriptions/{token}")).expect(204);
    app.anonymous().get(&format!("/subscriptions/{token}")).expect(404);
    let ledger = app.facilitator().get(&format!("/dialogues/{id}/ledger")).expect(200);
    assert_eq!(ledger.each("status"), ["sent"]);
    assert!(ledger.each("recipient")[0].starts_with("erased:") && !ledger.text.contains("firma.example"));
}

//! "Kender du en velfærdsudfordring?": from an open page to a challenge that a body owns.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Client, TestApp, given};

const FORM: &str = "application/x-www-form-urlencoded";

fn call(app: &TestApp) -> String {
    let call = json!({"title": "Kender du en velfærdsudfordring?", "theme": "velfærdsteknologi", "criteria_set": "welfare-technology",
        "description": "CO-PI søger udfordringer, der frigiver tid på ældreområdet.", "opens_at": "2026-11-01T08:00:00Z",
        "closes_at": "2027-11-01T08:00:00Z"});
    app.facilitator().post("/calls", call).expect(201).id()
}

fn told(what: &str, email: &str) -> Value {
    json!({"what": what, "who": "hjemmehjælpere, borgere", "place": "Aarhus", "email": email})
}

/// A suggestion that its sender confirmed.
fn suggested(app: &TestApp, call: &str, what: &str, email: &str) -> String {
    app.anonymous().post(&format!("/calls/{call}/suggestions"), told(what, email)).expect(202);
    let token = app.mail_to(email).token("/suggestions/confirm/");
    app.anonymous().post("/suggestions/confirm", json!({"token": token})).expect(204);
    app.facilitator().get("/suggestions?state=waiting").expect(200).items()[0]["id"].as_str().unwrap().to_owned()
}

fn path(link: &str) -> String {
    link.strip_prefix("https://skala.example").unwrap().to_owned()
}

#[test]
fn the_page_says_the_criteria_in_plain_words_before_the_field_and_loses_nothing_typed() {
    let app = TestApp::start();
    let call = call(&app);
    let phone = app.anonymous().outside().with("Accept", "text/html");
    let address = format!("/forslag/{call}");
    let page = phone.get(&address).expect(200).text;
    let place = |words: &str| page.find(words).unwrap_or_else(|| panic!("{words}: {page}"));
    for words in ["Det skal frigive tid", "Andre skal kunne kende det", "Toppen skal kunne stå bag"] {
        assert!(place(words) < place("<textarea name=\"what\""), "{words} comes first");
    }
    let english = phone.with("Accept-Language", "en").get(&address).expect(200).text;
    assert!(english.contains("It must free time") && english.contains("What is the problem?"), "{english}");
    let wrong = phone.post_raw(&address, FORM, "what=Vi+k%C3%B8rer+forg%C3%A6ves&email=lis").expect(422);
    assert!(
        wrong.text.contains(">\nVi kører forgæves</textarea>") && wrong.text.contains("value=\"lis\""),
        "{}",
        wrong.text
    );
    let sent = phone.post_raw(&address, FORM, "what=Vi+k%C3%B8rer+forg%C3%A6ves&email=lis%40hjem.example").expect(200);
    assert!(sent.text.contains("Bekræft forslaget"));
    let letter = app.mail_to("lis@hjem.example");
    let link = path(&letter.link("/suggestions/confirm/"));
    assert!(phone.get(&link).expect(200).text.contains("<button>"));
    assert!(
        app.facilitator().get("/suggestions").expect(200).items().is_empty(),
        "looking at the page confirms nothing"
    );
    phone.post_raw(&link, FORM, "").expect(200);
    phone.post_raw(&link, FORM, "").expect(410);
    assert_eq!(app.facilitator().get("/suggestions").expect(200).each("what"), ["Vi kører forgæves"]);
    phone.get("/forslag/0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e").expect(404);
    app.advance(TimeDelta::days(400));
    assert!(phone.get(&address).expect(409).text.contains("ikke åben"));
}

#[test]
fn the_door_is_throttled_confirmed_and_takes_words_alone() {
    let app = TestApp::start();
    let call = call(&app);
    let door = format!("/calls/{call}/suggestions");
    let anyone = app.anonymous();
    anyone.post(&door, told("<b>x</b>", "a@b.dk")).unfit(&[("/what", "markup")]);
    anyone.post(&door, told("010190-1234", "a@b.dk")).unfit(&[("/what", "cpr_number")]);
    anyone.post(&door, told(&"ø".repeat(4001), "a@b.dk")).unfit(&[("/what", "too_long")]);
    anyone.post(&door, json!({"what": "x"})).unfit(&[("/email", "required")]);
    for number in 0..30 {
        anyone.post(&door, told(&format!("Nr. {number}"), "lis@hjem.example")).expect(202);
    }
    anyone.post(&door, told("Nr. 30", "lis@hjem.example")).refused(429, "too_many_requests");
    let mails = app.mails();
    assert_eq!(mails.len(), 5, "nobody is bombed with confirmations");
    assert!(app.facilitator().get("/suggestions").expect(200).items().is_empty());
    let token = mails[0].token("/suggestions/confirm/");
    app.advance(TimeDelta::days(8));
    app.send_what_waits();
    anyone.post("/suggestions/confirm", json!({"token": token})).refused(410, "dead_link");
}

#[test]
fn staff_see_likely_twins_and_the_invited_body_owns_the_challenge_by_its_link() {
    let app = TestApp::start();
    let call = call(&app);
    let vejle = given::municipality(&app, "Vejle Kommune");
    let known = given::submitted(&app.member(&vejle), "Natlige tilsyn vækker beboerne");
    let staff = app.facilitator();
    let first = suggested(
        &app,
        &call,
        "Nattevagten går runder, og beboerne på plejehjemmet vågner ved de natlige tilsyn.",
        "bo@hjem.example",
    );
    let id = suggested(
        &app,
        &call,
        "Beboerne vågner om natten, når nattevagten fører tilsyn på plejehjemmet. Det sker hver nat.",
        "lis@hjem.example",
    );
    suggested(&app, &call, "Hjemmehjælpen kører forgæves, fordi borgeren er indlagt.", "eva@hjem.example");
    let seen = staff.get(&format!("/suggestions/{id}")).expect(200);
    assert_eq!(seen["similar_challenges"][0]["challenge"]["id"], known.id.as_str());
    assert_eq!(seen["similar_suggestions"][0]["suggestion"]["id"], first.as_str());
    assert!(!seen.text.contains("hjem.example"), "addresses are shown to nobody");
    let mut waiting = staff.get("/queue").expect(200).each("kind");
    waiting.sort();
    assert_eq!(waiting, ["challenge", "suggestion", "suggestion", "suggestion"]);

    // A body without accounts is invited by address, another by its people; the newest invitation counts.
    let ikast = given::municipality(&app, "Ikast-Brande Kommune");
    let invite = format!("/suggestions/{id}/invite");
    let body = |organisation: &str| json!({"organisation_id": organisation, "note": "I nævnte det på mødet."});
    staff.post(&invite, body(&ikast.id)).unfit(&[("/email", "required")]);
    let mut first_try = body(&ikast.id);
    first_try["email"] = json!("udvikling@ikast.example");
    staff.post(&invite, first_try).expect(200);
    let overtaken = path(&app.mail_to("udvikling@ikast.example").link("/suggestions/invitation/"));
    let odense = given::municipality(&app, "Odense Kommune");
    let mette = app.member(&odense);
    staff.post(&invite, body(&odense.id)).expect(200);
    let letter = app.mails().remove(0);
    assert!(
        letter.text.contains("I nævnte det på mødet.") && letter.text.contains("Odense Kommune"),
        "{}",
        letter.text
    );
    let link = path(&letter.link("/suggestions/invitation/"));
    let browser = app.anonymous().with("Accept", "text/html");
    browser.get(&overtaken).expect(410);
    let todo = mette.get("/todo").expect(200);
    assert_eq!(todo["invitations"][0]["suggestion_id"], id.as_str());
    let page = browser.get(&link).expect(200);
    assert!(
        page.text.contains("value=\"Beboerne vågner om natten, når nattevagten fører tilsyn på plejehjemmet\""),
        "{}",
        page.text
    );
    browser.post_raw(&link, FORM, "deed=accept&words=Natlige+tilsyn").expect(200);
    browser.post_raw(&link, FORM, "deed=accept&words=").expect(410);
    let ended = app.mail_to("lis@hjem.example");
    assert!(ended.text.contains("Odense Kommune har taget det på sig"), "{}", ended.text);

    // The draft is Odense's alone, and remembers where it came from.
    let owned = staff.get(&format!("/suggestions/{id}")).expect(200);
    let challenge = owned.text_of("challenge_id");
    let drafted = mette.get(&format!("/challenges/{challenge}")).expect(200);
    assert_eq!((&drafted["title"], &drafted["call_id"]), (&json!("Natlige tilsyn"), &json!(call)));
    assert_eq!(
        mette.get(&format!("/challenges/{challenge}/suggestions")).expect(200).each("id"),
        std::slice::from_ref(&id)
    );
    assert_eq!(
        mette.get(&format!("/challenges/{challenge}/history")).expect(200).each("deed"),
        ["drafted", "grew_from_suggestion"]
    );
    app.member(&vejle).get(&format!("/challenges/{challenge}/suggestions")).refused(404, "not_found");
    staff.post(&format!("/suggestions/{id}/set-aside"), json!({"reason": "x"})).refused(409, "wrong_state");
}

#[test]
fn a_body_answers_signed_in_and_one_that_says_no_gives_it_back_to_co_pi() {
    let app = TestApp::start();
    let call = call(&app);
    let staff = app.facilitator();
    let id = suggested(&app, &call, "Hjemmehjælpen kører forgæves.", "lis@hjem.example");
    let (odense, vejle) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Vejle Kommune"));
    let (mette, birte) = (app.member(&odense), app.member(&vejle));
    let invite = |body: &str| staff.post(&format!("/suggestions/{id}/invite"), json!({"organisation_id": body}));
    let deed = |client: &Client, deed: &str, body: Value| client.post(&format!("/suggestions/{id}/{deed}"), body);
    deed(&mette, "accept", json!({})).refused(404, "not_found");
    mette.get(&format!("/suggestions/{id}")).refused(404, "not_found");
    invite(&odense.id).expect(200);
    app.mails();
    mette.get(&format!("/suggestions/{id}")).expect(200);
    deed(&birte, "accept", json!({})).refused(404, "not_found");
    deed(&mette, "decline", json!({"reason": "Vi har løst det."})).expect(204);
    assert_eq!(staff.get(&format!("/suggestions/{id}")).expect(200)["state"], "waiting");
    deed(&mette, "accept", json!({})).refused(404, "not_found");
    invite(&vejle.id).expect(200);
    app.mails();
    let accepted = deed(&birte, "accept", json!({})).expect(201);
    assert_eq!(accepted["title"], "Hjemmehjælpen kører forgæves");
    assert!(app.mail_to("lis@hjem.example").text.contains("Vejle Kommune"));
    deed(&birte, "accept", json!({})).refused(409, "wrong_state");
}

#[test]
fn whoever_suggested_it_erases_the_address_or_the_words_by_the_link_in_the_mail() {
    let app = TestApp::start();
    let (call, staff, browser) = (call(&app), app.facilitator(), app.anonymous().with("Accept", "text/html"));
    let suggest = |email: &str| {
        let body = json!({"what": format!("Kaffen er kold, siger {}.", &email[..3]), "email": email});
        let asked = app.anonymous().post(&format!("/calls/{call}/suggestions"), body).expect(202);
        assert_eq!(asked["warnings"], json!([]));
        let mail = app.mail_to(email);
        (mail.token("/suggestions/confirm/"), path(&mail.link("/suggestions/forget/")))
    };
    let confirm = |token: &str| app.anonymous().post("/suggestions/confirm", json!({"token": token}));

    // Before it is confirmed there is nothing to keep, whichever button is pressed.
    let (token, link) = suggest("ane@hjem.example");
    browser.post_raw(&link, FORM, "deed=stop").expect(200);
    browser.get(&link).expect(410);
    confirm(&token).refused(410, "dead_link");

    // While it waits, the address goes alone, or the suggestion with it.
    let (token, link) = suggest("bos@hjem.example");
    confirm(&token).expect(204);
    let page = browser.get(&link).expect(200);
    assert!(page.text.contains("hos CO-PI") && page.text.contains("Slet kun min adresse"), "{}", page.text);
    browser.post_raw(&link, FORM, "deed=stop").expect(200);
    assert!(!browser.get(&link).expect(200).text.contains("Slet kun min adresse"));
    let id = staff.get("/suggestions").expect(200).items()[0]["id"].as_str().unwrap().to_owned();
    staff.post(&format!("/suggestions/{id}/set-aside"), json!({"reason": "Det frigiver ingen tid."})).expect(200);
    assert!(app.mails().is_empty(), "who is forgotten hears no more");
    browser.post_raw(&link, FORM, "deed=erase").expect(200);
    staff.get(&format!("/suggestions/{id}")).refused(404, "not_found");
    browser.post_raw(&link, FORM, "deed=erase").expect(410);

    // What a body took on is its own from then on: where it came from stays, without a word.
    let (token, link) = suggest("eva@hjem.example");
    confirm(&token).expect(204);
    let id = staff.get("/suggestions").expect(200).items()[0]["id"].as_str().unwrap().to_owned();
    let odense = given::municipality(&app, "Odense Kommune");
    let invitation = json!({"organisation_id": odense.id, "email": "kontakt@odense.example", "language": "en"});
    staff.post(&format!("/suggestions/{id}/invite"), invitation).expect(200);
    assert_eq!(
        app.mail_to("kontakt@odense.example").subject,
        "CO-PI has a suggestion that could be your challenge",
        "in the language that staff chose"
    );
    app.member(&odense).post(&format!("/suggestions/{id}/accept"), json!({})).expect(201);
    app.mail_to("eva@hjem.example");
    browser.post_raw(&link, FORM, "deed=erase").expect(200);
    let left = staff.get(&format!("/suggestions/{id}")).expect(200);
    assert_eq!((&left["state"], &left["what"]), (&json!("accepted"), &json!("(slettet af afsenderen)")));
}

#[test]
fn one_that_is_set_aside_says_why_and_its_sender_is_forgotten() {
    let app = TestApp::start();
    let call = call(&app);
    let staff = app.facilitator();
    let id = suggested(&app, &call, "Kaffen er kold.", "lis@hjem.example");
    staff.post(&format!("/suggestions/{id}/set-aside"), json!({"reason": ""})).unfit(&[("/reason", "required")]);
    staff.post(&format!("/suggestions/{id}/set-aside"), json!({"reason": "Det frigiver ingen tid."})).expect(200);
    let letter = app.mail_to("lis@hjem.example");
    assert!(letter.text.contains("Det frigiver ingen tid.") && letter.text.contains("slettet"), "{}", letter.text);
    let odense = given::municipality(&app, "Odense Kommune");
    let invitation = json!({"organisation_id": odense.id, "email": "x@odense.example"});
    staff.post(&format!("/suggestions/{id}/invite"), invitation).refused(409, "wrong_state");
    app.member(&odense).get("/suggestions").refused(403, "forbidden");
}

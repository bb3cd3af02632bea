//! Challenges: from a draft to a decision, and who else has them.

use serde_json::{Value, json};

use crate::support::{Answer, Client, Named, TestApp, given};

fn path(challenge: &Named) -> String {
    format!("/challenges/{}", challenge.id)
}

fn act(client: &Client, challenge: &Named, deed: &str, body: Value) -> Answer {
    client.post(&format!("{}/{deed}", path(challenge)), body)
}

fn status(client: &Client, challenge: &Named) -> String {
    client.get(&path(challenge)).expect(200).text_of("status")
}

#[test]
fn a_member_drafts_changes_and_submits() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let member = app.member(&odense);
    let drafted = member.post("/challenges", given::challenge_body("Natlige tilsyn")).expect(201);
    assert_eq!(drafted["status"], "draft");
    assert_eq!(drafted["organisation"], json!({"id": odense.id, "name": "Odense Kommune"}));
    assert_eq!(drafted["cpv"], json!(["33190000"]));
    let path = format!("/challenges/{}", drafted.id());
    let changed = member.with("If-Match", drafted.etag()).patch(&path, json!({"title": "Nattero", "nuts": null}));
    let changed = changed.expect(200);
    assert_eq!((&changed["title"], &changed["nuts"]), (&json!("Nattero"), &json!([])));
    assert_eq!(changed["problem"], drafted["problem"], "what is not named stays");
    let submitted = member.post(&format!("{path}/submit"), json!({})).expect(200);
    assert_eq!(
        (&submitted["status"], &submitted["submitted_at"]),
        (&json!("submitted"), &json!("2026-11-22T08:00:00Z"))
    );
    member.change(&path, json!({"title": "For sent"})).refused(409, "wrong_state");
}

#[test]
fn a_draft_is_invisible_to_every_other_body_and_to_staff() {
    let app = TestApp::start();
    let (odense, aarhus) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Aarhus Kommune"));
    let (owner, colleague, other) = (app.member(&odense), app.org_admin(&odense), app.member(&aarhus));
    let draft = given::drafted(&owner, "Natlige tilsyn");
    assert_eq!(status(&colleague, &draft), "draft", "colleagues share their drafts");
    for stranger in [other.clone(), app.facilitator(), app.admin()] {
        stranger.get(&path(&draft)).refused(404, "not_found");
        stranger.get(&format!("{}/history", path(&draft))).refused(404, "not_found");
        assert!(stranger.get("/challenges").expect(200).items().is_empty());
        assert!(stranger.get("/challenges?status=draft").expect(200).items().is_empty());
    }
    other.with("If-Match", "*").patch(&path(&draft), json!({"title": "Vores"})).refused(404, "not_found");
    for deed in ["submit", "withdraw"] {
        act(&other, &draft, deed, json!({})).refused(404, "not_found");
    }
    act(&other, &draft, "recognitions", json!({"level": "recognises"})).refused(404, "not_found");
    act(&app.facilitator(), &draft, "approve", json!({})).refused(404, "not_found");
}

#[test]
fn what_is_submitted_is_seen_by_other_bodies_and_changed_by_none() {
    let app = TestApp::start();
    let (odense, aarhus) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Aarhus Kommune"));
    let (owner, other) = (app.member(&odense), app.member(&aarhus));
    let challenge = given::submitted(&owner, "Natlige tilsyn");
    assert_eq!(status(&other, &challenge), "submitted");
    assert_eq!(status(&app.facilitator(), &challenge), "submitted");
    other.with("If-Match", "*").patch(&path(&challenge), json!({"title": "Vores"})).refused(403, "forbidden");
    act(&other, &challenge, "withdraw", json!({})).refused(403, "forbidden");
    act(&other, &challenge, "submit", json!({})).expect(404);
}

#[test]
fn strangers_read_no_challenges() {
    let app = TestApp::start();
    let challenge = given::submitted(&app.member(&given::municipality(&app, "Odense Kommune")), "Natlige tilsyn");
    app.anonymous().get("/challenges").refused(401, "unauthorized");
    app.anonymous().get(&path(&challenge)).refused(401, "unauthorized");
}

#[test]
fn a_member_cannot_decide() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let challenge = given::submitted(&app.member(&odense), "Natlige tilsyn");
    for client in [app.member(&odense), app.org_admin(&odense)] {
        act(&client, &challenge, "approve", json!({})).refused(403, "forbidden");
        act(&client, &challenge, "decline", json!({"reason": "nej"})).refused(403, "forbidden");
        act(&client, &challenge, "return", json!({"reason": "hvorfor?"})).refused(403, "forbidden");
    }
}

#[test]
fn staff_write_no_challenges_of_their_own() {
    let app = TestApp::start();
    app.facilitator().post("/challenges", given::challenge_body("T")).refused(403, "forbidden");
    app.admin().post("/challenges", given::challenge_body("T")).refused(403, "forbidden");
}

#[test]
fn staff_approve_and_the_body_hears_of_it() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let member = app.member(&odense);
    let challenge = given::submitted(&member, "Natlige tilsyn");
    let approved = act(&app.facilitator(), &challenge, "approve", json!({"reason": "God sag"})).expect(200);
    assert_eq!(approved["status"], "approved");
    let decision = &approved["decision"];
    assert_eq!((&decision["reason"], &decision["override"]), (&json!("God sag"), &json!(false)));
    assert_eq!((&decision["by"], &decision["at"]), (&json!("facilitator"), &json!("2026-11-22T08:00:00Z")));
    let mails = app.mails();
    let [mail] = mails.as_slice() else { panic!("{mails:?}") };
    assert_eq!(mail.subject, "Jeres udfordring er godkendt");
    assert!(mail.text.contains("Natlige tilsyn") && mail.text.contains("God sag"), "{}", mail.text);
}

#[test]
fn approving_against_the_verdict_takes_an_override_with_a_reason() {
    let app = TestApp::start();
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    let thin = json!({"title": "Nattero", "problem": "Beboere vågner hver nat."});
    let drafted = member.post("/challenges", thin).expect(201);
    assert_eq!(drafted["assessment"]["outcome"], "unclear");
    let challenge = Named { id: drafted.id(), name: String::new() };
    act(&member, &challenge, "submit", json!({})).expect(200);
    let staff = app.facilitator();
    act(&staff, &challenge, "approve", json!({})).refused(409, "against_verdict");
    act(&staff, &challenge, "approve", json!({"override": true})).unfit(&[("/reason", "required")]);
    act(&staff, &challenge, "approve", json!({"override": true, "reason": "  "})).unfit(&[("/reason", "required")]);
    let body = json!({"override": true, "reason": "Borgmesteren har ringet"});
    let approved = act(&staff, &challenge, "approve", body).expect(200);
    assert_eq!(approved["decision"]["override"], true);
    app.mails();
}

#[test]
fn a_returned_challenge_is_mended_and_submitted_again() {
    let app = TestApp::start();
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    let challenge = given::submitted(&member, "Natlige tilsyn");
    let staff = app.facilitator();
    act(&staff, &challenge, "return", json!({})).unfit(&[("/reason", "required")]);
    let returned = act(&staff, &challenge, "return", json!({"reason": "Hvor mange går runderne?"})).expect(200);
    assert_eq!(
        (&returned["status"], &returned["decision"]["reason"]),
        (&json!("returned"), &json!("Hvor mange går runderne?"))
    );
    assert!(app.mails()[0].text.contains("Hvor mange går runderne?"));
    member.change(&path(&challenge), json!({"affected_users": "30 nattevagter"})).expect(200);
    act(&member, &challenge, "submit", json!({})).expect(200);
    act(&staff, &challenge, "decline", json!({"reason": "Den er løst"})).expect(200);
    assert_eq!(app.mails().len(), 1);
    for (client, deed, body) in [
        (&member, "submit", json!({})),
        (&member, "withdraw", json!({})),
        (&staff, "approve", json!({})),
        (&staff, "return", json!({"reason": "?"})),
    ] {
        act(client, &challenge, deed, body).refused(409, "wrong_state");
    }
}

#[test]
fn a_withdrawal_says_why_or_nothing_but_never_something_else() {
    let app = TestApp::start();
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    let (one, other) = (given::drafted(&member, "A"), given::submitted(&member, "B"));
    act(&member, &one, "withdraw", json!({"raeson": "x"})).unfit(&[("/raeson", "unknown_field")]);
    act(&member, &one, "withdraw", json!({"reason": "x".repeat(2001)})).unfit(&[("/reason", "too_long")]);
    let with_reason = act(&member, &one, "withdraw", json!({"reason": "Løst"})).expect(200);
    assert_eq!((&with_reason["status"], &with_reason["decision"]["reason"]), (&json!("withdrawn"), &json!("Løst")));
    let without = member.send(ureq::http::Method::POST, &format!("{}/withdraw", path(&other)), None).expect(200);
    assert_eq!(without["decision"]["reason"], Value::Null);
}

#[test]
fn a_cpr_number_blocks_submitting_and_products_only_warn() {
    let app = TestApp::start();
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    let mut body = given::challenge_body("En app til nattevagter");
    body["problem"] = json!("Fru Hansen, 010140-1234, vågner hver nat.");
    let drafted = member.post("/challenges", body).expect(201);
    let codes: Vec<_> = drafted["warnings"].as_array().unwrap().iter().map(|w| w["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"product_words") && codes.contains(&"cpr_number"), "{codes:?}");
    let challenge = Named { id: drafted.id(), name: String::new() };
    act(&member, &challenge, "submit", json!({})).unfit(&[("/problem", "cpr_number")]);
    member.change(&path(&challenge), json!({"problem": "Fru Hansen vågner hver nat."})).expect(200);
    act(&member, &challenge, "submit", json!({})).expect(200);
}

#[test]
fn every_flaw_of_a_challenge_is_named() {
    let app = TestApp::start();
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    let body = json!({
        "title": "", "problem": "x", "cpv": ["33190000", "33"], "nuts": ["DK031", "??"], "language": "dansk",
        "contacts": [{"name": "Mette", "email": "nowhere", "department": "innovation"}],
        "time_savings": {"basis": "measured", "minutes_per_occasion": -1},
        "scale": {"volume": {"quantity": 1, "unit": ""}},
    });
    let refused = member.post("/challenges", body).refused(422, "unfit");
    let places: Vec<_> = refused["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    for place in [
        "/title",
        "/cpv/1",
        "/nuts/1",
        "/language",
        "/contacts/0/email",
        "/time_savings/minutes_per_occasion",
        "/scale/volume/unit",
    ] {
        assert!(places.contains(&place), "{place} is not in {places:?}");
    }
    let deep = json!({"title": "T", "problem": "P", "time_savings": {"basis": "guessed"}});
    member.post("/challenges", deep).unfit(&[("/time_savings/basis", "unknown_value")]);
    let unknown = json!({"title": "T", "problem": "P", "scale": {"colour": "red"}});
    member.post("/challenges", unknown).unfit(&[("/scale/colour", "unknown_field")]);
}

#[test]
fn another_body_says_that_it_has_it_too_and_the_verdict_moves() {
    let app = TestApp::start();
    let (odense, aarhus) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Aarhus Kommune"));
    let (owner, other) = (app.member(&odense), app.member(&aarhus));
    let mut body = given::challenge_body("Natlige tilsyn");
    body["scale"] = json!({"known_bodies": [], "estimated_bodies": 1});
    let drafted = owner.post("/challenges", body).expect(201);
    assert_eq!(drafted["assessment"]["outcome"], "not_met");
    let challenge = Named { id: drafted.id(), name: String::new() };
    act(&owner, &challenge, "submit", json!({})).expect(200);
    let recognition = json!({"level": "recognises", "volume": {"quantity": 400, "unit": "plejeboliger"}, "note": "Vi går fem runder."});
    act(&owner, &challenge, "recognitions", recognition.clone()).refused(409, "own_challenge");
    act(&app.facilitator(), &challenge, "recognitions", recognition.clone()).refused(403, "forbidden");
    let said = act(&other, &challenge, "recognitions", recognition).expect(201);
    assert_eq!(said["organisation"], "Aarhus Kommune");
    let seen = owner.get(&path(&challenge)).expect(200);
    assert_eq!(seen["assessment"]["outcome"], "met");
    assert_eq!(seen["recognitions"].as_array().unwrap().len(), 1);

    act(&other, &challenge, "recognitions", json!({"level": "withdrawn"})).expect(201);
    let seen = owner.get(&path(&challenge)).expect(200);
    assert_eq!(seen["assessment"]["outcome"], "not_met", "a new word replaces the one before it");
    let history = owner.get(&format!("{}/history", path(&challenge))).expect(200).each("deed");
    assert_eq!(history, ["drafted", "submitted", "recognised", "recognised"]);
}

#[test]
fn a_recognition_of_the_same_body_by_two_people_counts_once() {
    let app = TestApp::start();
    let (odense, aarhus) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Aarhus Kommune"));
    let owner = app.member(&odense);
    let challenge = given::submitted(&owner, "Natlige tilsyn");
    for client in [app.member(&aarhus), app.org_admin(&aarhus)] {
        act(&client, &challenge, "recognitions", json!({"level": "interested"})).expect(201);
    }
    assert_eq!(owner.get(&path(&challenge)).expect(200)["recognitions"].as_array().unwrap().len(), 1);
}

#[test]
fn the_history_says_who_did_what_when_and_why() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let member = app.member(&odense);
    let challenge = given::drafted(&member, "Natlige tilsyn");
    member.change(&path(&challenge), json!({"title": "Nattero"})).expect(200);
    act(&member, &challenge, "submit", json!({})).expect(200);
    act(&app.facilitator(), &challenge, "decline", json!({"reason": "Den er løst"})).expect(200);
    app.mails();
    let history = member.get(&format!("{}/history", path(&challenge))).expect(200);
    assert_eq!(history.each("deed"), ["drafted", "changed", "submitted", "declined"]);
    let items = history.items();
    assert_eq!(items[1]["data"], json!({"before": {"title": "Natlige tilsyn"}, "after": {"title": "Nattero"}}));
    assert_eq!(
        (&items[2]["by"], &items[2]["organisation_id"]),
        (&json!("member hos Odense Kommune"), &json!(odense.id))
    );
    assert_eq!((&items[3]["by"], &items[3]["reason"]), (&json!("facilitator"), &json!("Den er løst")));
}

#[test]
fn challenges_are_found_by_what_they_are() {
    let app = TestApp::start();
    let (odense, aarhus) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Aarhus Kommune"));
    let (one, other) = (app.member(&odense), app.member(&aarhus));
    given::submitted(&one, "Natlige tilsyn");
    given::drafted(&one, "Genvask af tøj");
    let mut road = given::challenge_body("Huller i vejen");
    (road["theme"], road["cpv"], road["problem"]) =
        (json!("veje"), json!(["45233141"]), json!("Asfalten slår revner hver vinter."));
    let road = Named { id: other.post("/challenges", road).expect(201).id(), name: String::new() };
    act(&other, &road, "submit", json!({})).expect(200);
    let found = |query: &str| {
        let mut titles = one.get(&format!("/challenges?{query}")).expect(200).each("title");
        titles.sort();
        titles
    };
    assert_eq!(found(""), ["Genvask af tøj", "Huller i vejen", "Natlige tilsyn"]);
    assert_eq!(found("status=draft"), ["Genvask af tøj"]);
    assert_eq!(found("theme=veje"), ["Huller i vejen"]);
    assert_eq!(found("cpv=33000000"), ["Genvask af tøj", "Natlige tilsyn"], "a parent covers its descendants");
    assert_eq!(found("cpv=45233141-9"), ["Huller i vejen"]);
    assert_eq!(found(&format!("organisation_id={}", aarhus.id)), ["Huller i vejen"]);
    assert_eq!(found("q=ASFALT"), ["Huller i vejen"]);
    one.get("/challenges?cpv=33").unfit(&[("/cpv", "not_a_cpv_code")]);
    one.get("/challenges?status=lost").refused(422, "unfit");
}

#[test]
fn a_key_that_may_read_may_not_write() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let member = app.member(&odense);
    let key = member.post("/api-keys", json!({"name": "Læser", "scopes": ["challenges:read"]})).expect(201);
    let reader = app.bearer(&key.text_of("key"));
    let challenge = given::submitted(&member, "Natlige tilsyn");
    reader.get(&path(&challenge)).expect(200);
    reader.post("/challenges", given::challenge_body("T")).refused(403, "forbidden");
    act(&reader, &challenge, "withdraw", json!({})).refused(403, "forbidden");
    let key = member.post("/api-keys", json!({"name": "Skriver", "scopes": ["challenges:write"]})).expect(201);
    app.bearer(&key.text_of("key")).post("/challenges", given::challenge_body("T")).expect(201);
}

#[test]
fn two_decisions_at_the_same_moment_do_not_both_stand() {
    let app = TestApp::start();
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    let challenge = given::submitted(&member, "Natlige tilsyn");
    let staff = app.facilitator();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let decide = |deed: &'static str| {
            let (staff, challenge) = (&staff, &challenge);
            scope.spawn(move || act(staff, challenge, deed, json!({"reason": "x"})).status)
        };
        let running = [decide("approve"), decide("decline"), decide("return"), decide("approve")];
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(app.mails().len(), 1);
}

#[test]
fn words_that_were_never_handed_in_stay_with_the_owner() {
    let app = TestApp::start();
    let (odense, vejle) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Vejle Kommune"));
    let owner = app.member(&odense);
    let challenge = given::drafted(&owner, "Natlige tilsyn");
    owner.change(&path(&challenge), json!({"problem": "Det sker for 010190-1234 hver nat."})).expect(200);
    act(&owner, &challenge, "submit", json!({})).unfit(&[("/problem", "cpr_number")]);
    owner.change(&path(&challenge), json!({"problem": "Det sker hver nat."})).expect(200);
    act(&owner, &challenge, "submit", json!({})).expect(200);
    act(&app.facilitator(), &challenge, "return", json!({"reason": "Hvor mange?"})).expect(200);
    app.mails();
    owner.change(&path(&challenge), json!({"affected_users": "40 beboere"})).expect(200);
    act(&owner, &challenge, "submit", json!({})).expect(200);

    let history = |client: &Client| client.get(&format!("{}/history", path(&challenge))).expect(200);
    assert!(history(&owner).text.contains("010190-1234"));
    let (other, staff) = (history(&app.member(&vejle)), history(&app.facilitator()));
    for seen in [&other, &staff] {
        assert!(!seen.text.contains("010190-1234"), "{}", seen.text);
        assert_eq!(seen.items()[1]["data"]["fields"], json!(["problem"]));
    }
    assert!(staff.text.contains("40 beboere") && !other.text.contains("40 beboere"));
}

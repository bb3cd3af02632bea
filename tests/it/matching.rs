//! Who else has this need.

use serde_json::{Value, json};

use crate::support::{Client, TestApp, given};

fn need(title: &str, problem: &str) -> Value {
    json!({"title": title, "problem": problem, "affected_users": "beboere på plejehjem"})
}

fn submitted(member: &Client, body: Value) -> String {
    let id = member.post("/challenges", body).expect(201).id();
    member.post(&format!("/challenges/{id}/submit"), json!({})).expect(200);
    id
}

#[test]
fn a_body_finds_who_else_has_its_need_and_reads_why() {
    let app = TestApp::start();
    let (odense, aarhus) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Aarhus Kommune"));
    let night = "Nattevagten går runder hver nat og vækker beboerne, selv om alt er i orden.";
    let own = submitted(&app.member(&odense), need("Natlige tilsyn vækker beboerne", night));
    let same = "Vi kigger ind til borgerne flere gange om natten for en sikkerheds skyld. Det forstyrrer søvnen.";
    let twin = submitted(&app.member(&aarhus), need("Tilsyn om natten, som ingen har bedt om", same));
    submitted(&app.member(&aarhus), need("Huller i vejen", "Asfalten revner hvert forår, og bilisterne klager."));

    let matches = app.member(&odense).get(&format!("/challenges/{own}/matches?limit=1")).expect(200);
    let best = &matches["items"][0];
    assert_eq!(best["challenge"]["id"], twin);
    assert_eq!(best["challenge"]["organisation"]["name"], "Aarhus Kommune");
    assert!(best["reasons"].as_array().is_some_and(|reasons| !reasons.is_empty()), "{best}");
}

#[test]
fn another_bodys_draft_is_never_a_match_and_a_change_is_seen_by_the_next_question() {
    let app = TestApp::start();
    let (odense, aarhus) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Aarhus Kommune"));
    let body = need("Natlige tilsyn", "Nattevagten går runder hver nat og vækker beboerne.");
    let member = app.member(&aarhus);
    let draft = member.post("/challenges", body.clone()).expect(201).id();
    let similar = || app.member(&odense).post("/challenges/check", body.clone()).expect(200)["similar"].clone();
    assert_eq!(similar(), json!([]), "a draft is nobody else's business");
    member.post(&format!("/challenges/{draft}/submit"), json!({})).expect(200);
    assert_eq!(similar()[0]["challenge"]["id"], draft);
    member.post(&format!("/challenges/{draft}/withdraw"), json!({})).expect(200);
    assert_eq!(similar(), json!([]));
}

#[test]
fn a_stranger_may_check_a_need_but_not_see_who_else_has_it() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let body = need("Natlige tilsyn", "Nattevagten går runder hver nat og vækker beboerne.");
    submitted(&app.member(&odense), body.clone());
    let checked = app.anonymous().post("/challenges/check", body).expect(200);
    assert_eq!(checked["similar"], json!([]));
    assert_eq!(checked["assessment"]["criteria_set"], "welfare-technology");
}

#[test]
fn odd_texts_are_answered() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let member = app.member(&odense);
    submitted(&member, need("Natlige tilsyn", "Nattevagten går runder hver nat."));
    for problem in ["x", &"a".repeat(6000), "<b>nat</b>", "🌙🌙🌙", "ليل", "natt night nat natten"] {
        member.post("/challenges/check", need("Prøve", problem)).expect(200);
    }
}

#[test]
fn matches_are_shown_to_whoever_may_see_the_challenge() {
    let app = TestApp::start();
    let (odense, aarhus) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Aarhus Kommune"));
    let draft = given::drafted(&app.member(&aarhus), "Natlige tilsyn");
    let path = format!("/challenges/{}/matches", draft.id);
    app.member(&aarhus).get(&path).expect(200);
    app.member(&odense).get(&path).refused(404, "not_found");
    app.facilitator().get(&path).refused(404, "not_found");
    for limit in [0, 51] {
        app.member(&aarhus).get(&format!("{path}?limit={limit}")).unfit(&[("/limit", "out_of_range")]);
    }
}

#[test]
fn what_one_node_learns_the_other_finds() {
    let one = TestApp::start();
    let other = TestApp::on(one.database.clone(), &[]);
    let (odense, aarhus) = (given::municipality(&one, "Odense Kommune"), given::municipality(&other, "Aarhus Kommune"));
    let own = given::submitted(&one.member(&odense), "Natlige tilsyn");
    let path = format!("/challenges/{}/matches", own.id);
    assert!(one.member(&odense).get(&path).expect(200).items().is_empty());
    let twin = given::submitted(&other.member(&aarhus), "Nattero på plejehjem");
    for app in [&one, &other] {
        assert_eq!(app.member(&odense).get(&path).expect(200).items()[0]["challenge"]["id"], twin.id);
    }
}

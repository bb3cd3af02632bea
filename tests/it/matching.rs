//! Who else has this need.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Client, Named, TestApp, given};

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
fn a_question_to_a_node_that_has_just_started_waits_until_it_has_read_what_there_is() {
    let app = TestApp::start();
    let (odense, aarhus) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Aarhus Kommune"));
    let night = "Nattevagten går runder hver nat og vækker beboerne, selv om alt er i orden.";
    let own = submitted(&app.member(&odense), need("Natlige tilsyn vækker beboerne", night));
    let twin = submitted(&app.member(&aarhus), need("Natlige tilsyn, som ingen har bedt om", night));
    // What cannot be read holds the new node up.
    let write = |description: &str| {
        app.database.execute(&format!("UPDATE challenge SET description = {description} WHERE id = '{twin}'"));
    };
    write("'!' || description");
    let started = TestApp::on(app.database.clone(), &[]);
    let member = started.member(&odense);
    std::thread::scope(|scope| {
        let matches = scope.spawn(|| member.get(&format!("/challenges/{own}/matches")).expect(200));
        std::thread::sleep(Duration::from_millis(200));
        assert!(!matches.is_finished());
        write("substr(description, 2)");
        assert_eq!(matches.join().unwrap()["items"][0]["challenge"]["id"], twin);
    });
}

#[test]
fn the_questions_to_an_idea_are_asked_at_intake_with_what_the_matching_knows() {
    let app = TestApp::start();
    let (odense, aarhus) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Aarhus Kommune"));
    let body = need("Natlige tilsyn", "Nattevagten går runder hver nat og vækker beboerne.");
    submitted(&app.member(&aarhus), body.clone());
    let member = app.member(&odense);
    let questions = member.post("/challenges/check", body.clone()).expect(200)["questions"].clone();
    let keys: Vec<_> = questions.as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["who_else_has_it", "can_it_be_bought", "how_many_share_it", "is_purchasing_involved"]);
    assert!(questions[0]["hint"].as_str().unwrap().starts_with("1 lignende"), "{questions}");
    assert_eq!(questions[1]["answered"], false);
    let stranger = app.anonymous().with("Accept-Language", "en").post("/challenges/check", body.clone()).expect(200);
    assert_eq!(
        (&stranger["questions"][0]["hint"], &stranger["questions"][3]["text"]),
        (&Value::Null, &json!("Is the procurement department with you?"))
    );
    // A draft is asked, what was submitted no more.
    let draft = member.post("/challenges", body).expect(201);
    assert_eq!(draft["questions"].as_array().unwrap().len(), 4);
    let sent = member.post(&format!("/challenges/{}/submit", draft.id()), json!({})).expect(200);
    assert_eq!(sent["questions"], Value::Null);
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

/// Two municipalities with the same need in other words, each with its challenge.
struct Twins {
    app: TestApp,
    odense: Named,
    aarhus: Named,
    own: String,
    twin: String,
}

fn twins() -> Twins {
    let app = TestApp::start();
    let (odense, aarhus) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Aarhus Kommune"));
    let night = "Nattevagten går runder hver nat og vækker beboerne, selv om alt er i orden.";
    let own = submitted(&app.member(&odense), need("Natlige tilsyn vækker beboerne", night));
    let twin = submitted(&app.member(&aarhus), need("Natlige tilsyn på plejehjem", night));
    Twins { app, odense, aarhus, own, twin }
}

#[test]
fn a_verdict_is_shown_with_who_and_why_and_outranks_the_score() {
    let Twins { app, odense, aarhus, own, twin } = twins();
    let third = submitted(&app.member(&aarhus), need("Nattevagter", "Nattevagten går runder og vækker beboerne."));
    let matches = |of: &Named, id: &str| app.member(of).get(&format!("/challenges/{id}/matches")).expect(200).body;
    let score = |matches: &Value, id: &str| {
        let items = matches["items"].as_array().unwrap().clone();
        items.into_iter().find(|found| found["challenge"]["id"] == id).map(|found| found["score"].clone())
    };
    let before = matches(&odense, &own);
    let path = format!("/challenges/{own}/matches/{twin}/verdict");
    let no = json!({"verdict": "different", "reason": "Vores runder er lovpligtige."});
    let said = app.member(&odense).post(&path, no).expect(201);
    assert_eq!(said["verdict"], "different");
    let after = matches(&odense, &own);
    assert_eq!(score(&after, &twin), Some(json!(0.0)));
    assert_eq!(score(&after, &third), score(&before, &third), "no other pair is changed");
    let from_the_other_side = matches(&aarhus, &twin);
    let judged = from_the_other_side["items"].as_array().unwrap().iter().find(|m| m["challenge"]["id"] == own);
    let verdict = &judged.unwrap()["verdict"];
    assert_eq!(verdict["reason"], "Vores runder er lovpligtige.");
    assert_eq!(verdict["said_by"], said["said_by"]);

    app.facilitator().post(&path, json!({"verdict": "same"})).expect(201);
    assert_eq!(score(&matches(&odense, &own), &twin), Some(json!(1.0)), "the newest word counts");
    let history = app.member(&aarhus).get(&format!("/challenges/{twin}/history")).expect(200);
    let judged = history["items"].as_array().unwrap().iter().filter(|fact| fact["deed"] == "judged").count();
    assert_eq!(judged, 2, "every word is kept");
}

#[test]
fn a_verdict_is_for_the_owners_of_the_two_and_staff() {
    let Twins { app, odense, own, twin, .. } = twins();
    let stranger = given::municipality(&app, "Vejle Kommune");
    let path = format!("/challenges/{own}/matches/{twin}/verdict");
    let same = json!({"verdict": "same"});
    app.member(&stranger).post(&path, same.clone()).expect(403);
    app.anonymous().post(&path, same.clone()).expect(401);
    app.member(&odense).post(&format!("/challenges/{own}/matches/{own}/verdict"), same.clone()).expect(422);
    app.member(&odense).post(&format!("/challenges/{own}/matches/nobody/verdict"), same).expect(404);
    app.member(&odense).post(&path, json!({"verdict": "perhaps"})).expect(422);
    let draft = app.member(&stranger).post("/challenges", need("Nat", "Nattevagten går.")).expect(201).id();
    let unseen = format!("/challenges/{own}/matches/{draft}/verdict");
    app.member(&odense).post(&unseen, json!({"verdict": "same"})).expect(404);
}

#[test]
fn bodies_that_probably_have_it_are_ranked_by_what_they_did_and_are() {
    let Twins { app, odense, aarhus, own, twin } = twins();
    let (vejle, fyn) = (given::municipality(&app, "Vejle Kommune"), given::municipality(&app, "Nyborg Kommune"));
    let said = json!({"level": "recognises"});
    app.member(&vejle).post(&format!("/challenges/{twin}/recognitions"), said.clone()).expect(201);
    let likely = app.member(&odense).get(&format!("/challenges/{own}/likely-bodies")).expect(200);
    let names: Vec<&str> =
        likely["items"].as_array().unwrap().iter().map(|b| b["organisation"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, [aarhus.name.as_str(), vejle.name.as_str(), fyn.name.as_str()]);
    let kinds: Vec<&Value> = likely["items"].as_array().unwrap().iter().map(|b| &b["reasons"][0]["kind"]).collect();
    assert_eq!(kinds, ["registered", "recognised", "kind"]);
    app.member(&vejle).post(&format!("/challenges/{own}/recognitions"), said).expect(201);
    let likely = app.member(&odense).get(&format!("/challenges/{own}/likely-bodies")).expect(200);
    assert!(!likely.text.contains("Vejle"), "who has said it is known already: {}", likely.text);
}

#[test]
fn a_rejected_suggestion_comes_back_only_when_something_new_speaks_for_it() {
    let Twins { app, own, twin, .. } = twins();
    let staff = app.facilitator();
    for id in [&own, &twin] {
        let yes = json!({"override": true, "reason": "prøve"});
        staff.post(&format!("/challenges/{id}/approve"), yes).expect(200);
    }
    app.mails();
    let suggested = || staff.get("/process-suggestions").expect(200)["items"].as_array().unwrap().len();
    assert_eq!(suggested(), 1);
    let no = json!({"challenge_ids": [own, twin], "reason": "De har hver sin leverandør."});
    staff.post("/process-suggestions/reject", no).expect(201);
    assert_eq!(suggested(), 0);
    assert_eq!(suggested(), 0, "asking again changes nothing");
    app.advance(TimeDelta::minutes(5));
    staff.post(&format!("/challenges/{own}/matches/{twin}/verdict"), json!({"verdict": "same"})).expect(201);
    assert_eq!(suggested(), 1);
    let different = json!({"verdict": "different"});
    staff.post(&format!("/challenges/{own}/matches/{twin}/verdict"), different).expect(201);
    assert_eq!(suggested(), 0, "what people hold apart is not gathered");
    let unfit = json!({"challenge_ids": [own], "reason": "x"});
    staff.post("/process-suggestions/reject", unfit).expect(422);
}

#[test]
fn a_search_answers_best_first_in_other_words_too_and_page_by_page() {
    let app = TestApp::start();
    let (odense, aarhus) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Aarhus Kommune"));
    let (one, other) = (app.member(&odense), app.member(&aarhus));
    submitted(&other, need("Utætte rør", "Vi opdager først læk på vandledningen, når vandet står på vejen."));
    submitted(&other, need("Huller i vejen", "Asfalten revner hvert forår, og bilisterne klager."));
    submitted(&other, need("Vejsalt", "Vi strøer for meget salt på vejene, og træerne dør."));
    let own = one.post("/challenges", need("Asfalt på prøve", "En kladde om asfalt.")).expect(201).id();
    let found = |client: &Client, query: &str| client.get(&format!("/challenges?{query}")).expect(200).each("title");
    assert_eq!(found(&one, "q=l%C3%A6kage").first().map(String::as_str), Some("Utætte rør"), "other words");
    assert_eq!(found(&one, "q=vandlednigner").first().map(String::as_str), Some("Utætte rør"), "a slip of the hand");
    assert_eq!(found(&one, "q=road%20salt").first().map(String::as_str), Some("Vejsalt"), "another language");
    let asphalt = found(&one, "q=ASFALT");
    assert!(asphalt.contains(&"Asfalt på prøve".to_owned()), "the reader's own draft: {asphalt:?}");
    assert!(!found(&other, "q=asfalt").contains(&"Asfalt på prøve".to_owned()), "another body's draft");
    assert_eq!(found(&one, "q=asfalt&status=draft"), ["Asfalt på prøve"]);
    assert_eq!(found(&one, "q=zorbleflux"), Vec::<String>::new());

    let first = one.get("/challenges?q=asfalt&limit=1").expect(200);
    let second = one.get(&format!("/challenges?q=asfalt&limit=1&cursor={}", first.text_of("next"))).expect(200);
    assert_eq!([first.each("title"), second.each("title")].concat(), asphalt[..2]);
    one.get(&format!("/challenges?cursor={}", first.text_of("next"))).unfit(&[("/cursor", "bad_cursor")]);
    assert_eq!(one.get("/challenges?q=pr%C3%B8ve&order=changed").expect(200).each("id"), [own]);
    for odd in ["%F0%9F%8C%99", "%25", "_", "%D9%84%D9%8A%D9%84", &"a".repeat(2000), "%3Cb%3Enat%3C%2Fb%3E"] {
        one.get(&format!("/challenges?q={odd}")).expect(200);
    }
}

#[test]
fn what_one_node_writes_the_other_s_next_question_sees() {
    let here = TestApp::start();
    let there = TestApp::on(here.database.clone(), &[]);
    let (odense, aarhus) = (given::municipality(&here, "Odense Kommune"), given::municipality(&here, "Aarhus Kommune"));
    let member = here.member(&aarhus);
    let body = need("Natlige tilsyn", "Nattevagten går runder hver nat og vækker beboerne.");
    let similar = || there.member(&odense).post("/challenges/check", body.clone()).expect(200)["similar"].clone();
    assert_eq!(similar(), json!([]), "the other node has its index from now on");
    let id = submitted(&member, body.clone());
    assert_eq!(similar()[0]["challenge"]["id"], id);
    let found = || there.member(&odense).get("/challenges?q=nattevagt").expect(200).each("id");
    assert_eq!(found(), std::slice::from_ref(&id));
    member.post(&format!("/challenges/{id}/withdraw"), json!({})).expect(200);
    assert_eq!(similar(), json!([]));
    assert_eq!(found(), Vec::<String>::new());
}

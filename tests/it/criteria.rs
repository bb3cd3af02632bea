//! Criteria sets, calls, and what an assessment says.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Client, TestApp, given};

fn verdicts(assessment: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let criteria = assessment["criteria"].as_array().unwrap();
    criteria.iter().map(|criterion| (text(&criterion["key"]), text(&criterion["verdict"]))).collect()
}

fn verdict(assessment: &Value, key: &str) -> String {
    verdicts(assessment).into_iter().find(|(known, _)| known == key).unwrap().1
}

/// The assessment of a draft of this body.
fn assessed(member: &Client, body: Value) -> Value {
    member.post("/challenges", body).expect(201)["assessment"].clone()
}

/// A whole challenge with one field told otherwise.
fn with(field: &str, value: Value) -> Value {
    let mut body = given::challenge_body("Natlige tilsyn");
    body[field] = value;
    body
}

fn call(app: &TestApp, criteria_set: &str) -> String {
    let body = json!({"title": "Kender du en udfordring?", "theme": "velfærdsteknologi", "criteria_set": criteria_set,
        "description": "Vi søger udfordringer.", "opens_at": "2026-11-01T08:00:00+01:00"});
    app.facilitator().post("/calls", body).expect(201).id()
}

#[test]
fn the_built_in_sets_are_there_for_everybody() {
    let app = TestApp::start();
    let sets = app.anonymous().get("/criteria-sets").expect(200);
    let mut keys = sets.each("key");
    keys.sort();
    assert_eq!(keys, ["green-transition", "welfare-technology"]);
    let welfare = app.anonymous().get("/criteria-sets/welfare-technology").expect(200);
    let criteria: Vec<_> = welfare["criteria"].as_array().unwrap().iter().map(|c| c["key"].clone()).collect();
    assert_eq!(criteria, ["time_savings", "scale", "anchoring"]);
    app.anonymous().get("/criteria-sets/unknown").refused(404, "not_found");
    app.anonymous().get("/criteria-sets/%00").refused(404, "not_found");
}

#[test]
fn a_whole_challenge_meets_the_criteria_and_shows_its_figures() {
    let app = TestApp::start();
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    let assessment = assessed(&member, given::challenge_body("Natlige tilsyn"));
    assert_eq!(assessment["outcome"], "met");
    assert_eq!((&assessment["criteria_set"], &assessment["version"]), (&json!("welfare-technology"), &json!(1)));
    // 6 minutes × 140 times a week × 30 staff, over a year of 52 weeks.
    assert_eq!(assessment["hours_per_year"], 21840.0);
    assert_eq!(assessment["full_time_equivalents"], 11.35);
}

#[test]
fn each_trap_of_the_criteria_is_seen() {
    let app = TestApp::start();
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    let judge = |field: &str, key: &str, value: Value| verdict(&assessed(&member, with(field, value)), key);
    let quality = json!({"basis": "assumed", "quality_gain": true});
    assert_eq!(judge("time_savings", "time_savings", quality), "not_met", "better quality alone");
    let both = json!({"basis": "assumed", "quality_gain": true, "hours_per_year": 300});
    assert_eq!(judge("time_savings", "time_savings", both), "met");
    let half = json!({"basis": "measured", "minutes_per_occasion": 5});
    assert_eq!(judge("time_savings", "time_savings", half), "unclear", "a missing factor");
    let local = json!({"known_bodies": [], "estimated_bodies": 1, "affected_people": 20});
    assert_eq!(judge("scale", "scale", local), "not_met", "a purely local problem");
    let itself = json!({"known_bodies": ["odense kommune"], "affected_people": 20});
    assert_ne!(judge("scale", "scale", itself), "met", "nobody is another to themselves");
    let sponsor = json!({"name": "Ib Lund", "title": "Rådmand", "date": "2026-10-01"});
    assert_eq!(judge("anchoring", "anchoring", json!({"political": sponsor})), "unclear", "one of the two");
    assert_eq!(judge("anchoring", "anchoring", json!({"administrative": sponsor})), "unclear", "the other of the two");
}

#[test]
fn what_is_not_met_says_the_smallest_change_in_the_readers_language() {
    let app = TestApp::start();
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    let body = with("anchoring", Value::Null);
    let reason = |client: &Client| {
        let assessment = assessed(client, body.clone());
        let criteria = assessment["criteria"].as_array().unwrap().clone();
        let anchoring = criteria.into_iter().find(|criterion| criterion["key"] == "anchoring").unwrap();
        anchoring["to_change"].as_str().unwrap().to_owned()
    };
    assert!(reason(&member).starts_with("Nævn en politisk og en administrativ leder"));
    assert!(reason(&member.with("Accept-Language", "en")).starts_with("Name a political and an administrative leader"));
}

#[test]
fn a_green_call_asks_for_a_reduction_instead_of_time() {
    let app = TestApp::start();
    let call = call(&app, "green-transition");
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    let mut body = with("call_id", json!(call));
    body.as_object_mut().unwrap().remove("time_savings");
    let without = assessed(&member, body.clone());
    assert_eq!(without["criteria_set"], "green-transition");
    assert_eq!(verdict(&without, "emission_or_resource_reduction"), "unclear");
    body["reduction"] = json!({"kind": "co2", "quantity": 75_000, "unit": "ton CO2 pr. år", "basis": "estimated"});
    assert_eq!(assessed(&member, body)["outcome"], "met");
}

#[test]
fn a_new_version_of_a_set_judges_anew_and_leaves_what_was_said() {
    let app = TestApp::start();
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    let before = member.post("/challenges", given::challenge_body("Natlige tilsyn")).expect(201);
    let version = json!({"title_da": "Velfærdsteknologi", "title_en": "Welfare technology", "criteria": [
        {"key": "time_savings", "title_da": "Tid", "title_en": "Time",
         "rule": {"kind": "time_savings", "min_hours_per_year": 100_000}}]});
    let path = "/criteria-sets/welfare-technology";
    app.facilitator().post(&format!("{path}/versions"), version.clone()).refused(403, "forbidden");
    let added = app.admin().post(&format!("{path}/versions"), version).expect(201);
    assert_eq!(added["version"], 2);
    let kept = member.get(&format!("/challenges/{}", before.id())).expect(200);
    assert_eq!((&kept["assessment"]["version"], &kept["assessment"]["outcome"]), (&json!(1), &json!("met")));
    let after = assessed(&member, given::challenge_body("Natlige tilsyn"));
    assert_eq!((&after["version"], &after["outcome"]), (&json!(2), &json!("not_met")));
    assert_eq!(app.anonymous().get(path).expect(200)["versions"].as_array().unwrap().len(), 2);
}

#[test]
fn an_unfit_version_is_refused() {
    let app = TestApp::start();
    let path = "/criteria-sets/welfare-technology/versions";
    let none = json!({"title_da": "", "title_en": "W", "criteria": []});
    app.admin().post(path, none).unfit(&[("/title_da", "required"), ("/criteria", "too_few")]);
    let criterion = |rule: Value| {
        json!({"title_da": "V", "title_en": "W", "criteria": [
        {"key": "k", "title_da": "T", "title_en": "T", "rule": rule}]})
    };
    app.admin().post(path, criterion(json!({"kind": "magic"}))).expect(422);
    app.admin().post(path, criterion(json!({"kind": "anchoring", "colour": "red"}))).expect(422);
    let sound = criterion(json!({"kind": "anchoring"}));
    app.admin().post("/criteria-sets/Ikke%20En%20N%C3%B8gle/versions", sound).expect(422);
}

#[test]
fn staff_announce_calls_and_everybody_reads_them() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let id = call(&app, "welfare-technology");
    let seen = app.anonymous().get(&format!("/calls/{id}")).expect(200);
    assert_eq!(seen["opens_at"], "2026-11-01T07:00:00Z");
    assert_eq!(app.anonymous().get("/calls").expect(200).each("id"), [id]);
    let body = json!({"title": "T", "theme": "t", "description": "d", "criteria_set": "unknown",
        "opens_at": "2026-11-01T08:00:00Z"});
    app.member(&odense).post("/calls", body.clone()).refused(403, "forbidden");
    app.facilitator().post("/calls", body).unfit(&[("/criteria_set", "unknown")]);
    let backwards = json!({"title": "T", "theme": "t", "description": "d", "criteria_set": "welfare-technology",
        "opens_at": "2026-11-02T08:00:00Z", "closes_at": "2026-11-01T08:00:00Z"});
    app.facilitator().post("/calls", backwards).unfit(&[("/closes_at", "before_opens_at")]);
}

#[test]
fn nothing_is_submitted_to_a_call_that_is_not_open() {
    let app = TestApp::start();
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    let body = json!({"title": "T", "theme": "t", "description": "d", "criteria_set": "welfare-technology",
        "opens_at": "2026-11-23T08:00:00Z", "closes_at": "2026-11-24T08:00:00Z"});
    let call = app.facilitator().post("/calls", body).expect(201).id();
    let drafts: Vec<_> =
        (0..3).map(|_| member.post("/challenges", with("call_id", json!(call))).expect(201).id()).collect();
    let submit = |draft: &str| member.post(&format!("/challenges/{draft}/submit"), json!({}));
    submit(&drafts[0]).refused(409, "call_closed");
    app.advance(TimeDelta::days(1));
    submit(&drafts[1]).expect(200);
    app.advance(TimeDelta::days(1));
    submit(&drafts[2]).refused(409, "call_closed");
    let unknown = with("call_id", json!("0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e"));
    member.post("/challenges", unknown).unfit(&[("/call_id", "unknown")]);
}

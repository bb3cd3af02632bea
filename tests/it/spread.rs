//! Spread: stages, the growth of a process, and what solutions brought.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Named, TestApp, given};

struct World {
    app: TestApp,
    odense: Named,
    process: Named,
}

fn world() -> World {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let process = given::process(&app, "Ro om natten");
    World { app, odense, process }
}

impl World {
    fn path(&self, rest: &str) -> String {
        format!("/processes/{}{rest}", self.process.id)
    }

    /// An adoption whose contact can be asked.
    fn adopt(&self, body: &Named, on: &str, stage: &str) -> String {
        let adoption = json!({"organisation_id": body.id, "adopted_on": on, "way": "copied", "stage": stage,
            "contact": {"name": "Mette Holm", "email": "mette@odense.example", "language": "da"},
            "expected": {"hours_saved_per_year": 2000.0, "volume": {"quantity": 400.0, "unit": "plejeboliger"}}});
        self.app.facilitator().post(&self.path("/adoptions"), adoption).expect(201).id()
    }
}

#[test]
fn the_growth_of_a_process_is_read_from_the_stages_as_of_any_day() {
    let world = world();
    let (app, staff) = (&world.app, world.app.facilitator());
    for (number, on) in [(1, "2024-03-01"), (2, "2024-06-01"), (3, "2025-02-01"), (4, "2026-05-01")] {
        let body = given::municipality(app, &format!("Kommune {number}"));
        let adoption = json!({"organisation_id": body.id, "adopted_on": on, "way": "copied", "in_use": true});
        assert_eq!(staff.post(&world.path("/adoptions"), adoption).expect(201)["stage"], "in_use");
    }
    let id = world.adopt(&world.odense, "2024-01-01", "bought");
    let spread = |query: &str| app.anonymous().get(&world.path(&format!("/spread{query}"))).expect(200);
    let curve = spread("");
    let by_year: Vec<_> = curve["years"].as_array().unwrap().iter().map(|year| year["spread"].clone()).collect();
    assert_eq!((curve["as_of"].as_str(), by_year), (Some("2026-11-22"), vec![json!(2), json!(3), json!(4)]));
    assert_eq!((&curve["years"][2]["bought"], &spread("?as_of=2024-03-01")["spread"]), (&json!(1), &json!(1)));
    let csv = app.anonymous().with("Accept", "text/csv").get(&world.path("/spread")).expect(200);
    assert!(csv.text.ends_with("2026,2026-11-22,4,0,1,4,0,0\r\n"), "{}", csv.text);
    app.anonymous().get(&world.path("/spread?as_of=2026-11-23")).unfit(&[("/as_of", "in_the_future")]);

    // The body itself says that it uses it; nobody else may, and a stage keeps its place in time.
    let member = app.member(&world.odense);
    let stage = |stage: &str, since: &str| json!({"stage": stage, "since": since});
    let stages = format!("/adoptions/{id}/stages");
    let reached = member.post(&stages, stage("practice_changed", "2026-02-01")).expect(201);
    assert_eq!((&reached["in_use"], reached["stages"].as_array().unwrap().len()), (&json!(true), 2));
    member.post(&stages, stage("practice_changed", "2026-03-01")).refused(409, "same_stage");
    member.post(&stages, stage("ended", "2026-01-31")).unfit(&[("/since", "before_previous_stage")]);
    let other = given::municipality(app, "Vejle Kommune");
    app.member(&other).post(&stages, stage("ended", "2026-03-01")).refused(403, "forbidden");
    assert_eq!((&spread("")["spread"], &spread("?as_of=2026-01-31")["spread"]), (&json!(5), &json!(3)));
    app.mail_to("mette@odense.example");
}

#[test]
fn in_use_and_stage_are_two_words_for_one_thing() {
    let world = world();
    let staff = world.app.facilitator();
    let tell = |more: Value| {
        let mut body = json!({"organisation_id": world.odense.id, "adopted_on": "2026-03-01", "way": "adapted"});
        more.as_object().unwrap().iter().for_each(|(name, value)| body[name] = value.clone());
        staff.post(&world.path("/adoptions"), body)
    };
    tell(json!({})).unfit(&[("/stage", "required")]);
    tell(json!({"in_use": true, "stage": "bought"})).unfit(&[("/in_use", "contradicts_stage")]);
    let first = tell(json!({"in_use": false})).expect(201);
    assert_eq!((&first["stage"], &first["since"]), (&json!("planned"), &json!("2026-03-01")));
    let used = tell(json!({"in_use": true})).expect(201);
    assert_eq!((used.id(), &used["stage"], &used["since"]), (first.id(), &json!("in_use"), &json!("2026-11-22")));
    assert_eq!(tell(json!({"stage": "practice_changed"})).expect(201)["in_use"], true);
    assert_eq!(tell(json!({"in_use": true})).expect(201)["stage"], "practice_changed", "it is used, as before");
    let ended = tell(json!({"in_use": false})).expect(201);
    assert_eq!(ended["stage"], "ended");
    let all = world.app.anonymous().get(&world.path("/adoptions")).expect(200).items();
    let stages: Vec<_> = all[0]["stages"].as_array().unwrap().iter().map(|entry| entry["stage"].clone()).collect();
    assert_eq!(stages, ["planned", "in_use", "practice_changed", "ended"]);
}

#[test]
fn a_contact_is_asked_once_a_term_and_reminded_once_and_its_name_is_for_staff_alone() {
    let world = world();
    world.adopt(&world.odense, "2026-05-22", "bought");
    let letter = world.app.mail_to("mette@odense.example");
    assert!(letter.subject.contains("Ro om natten"), "{}", letter.subject);
    for words in ["for 6 måneder siden", "2.000 timer om året", "400 plejeboliger", "21-01-2027"] {
        assert!(letter.text.contains(words), "{words}: {}", letter.text);
    }
    assert!(world.app.mails().is_empty(), "another look finds nothing due");
    world.app.advance(TimeDelta::days(21));
    assert!(world.app.mail_to("mette@odense.example").subject.starts_with("Påmindelse"));
    world.app.advance(TimeDelta::days(50));
    assert!(world.app.mails().is_empty());
    let seen = world.app.anonymous().get(&world.path("/adoptions")).expect(200);
    assert!(!seen.text.contains("mette@odense.example"));
    let seen = world.app.facilitator().get(&world.path("/adoptions")).expect(200);
    assert_eq!(seen.items()[0]["contact"]["email"], "mette@odense.example");
}

#[test]
fn after_a_long_pause_one_letter_comes_for_the_newest_term_alone() {
    let world = world();
    world.adopt(&world.odense, "2024-01-01", "in_use");
    assert!(world.app.mail_to("mette@odense.example").text.contains("for 24 måneder siden"));
    world.app.advance(TimeDelta::days(400));
    assert!(world.app.mails().is_empty());
    let planned = given::municipality(&world.app, "Vejle Kommune");
    world.adopt(&planned, "2024-01-01", "planned");
    assert!(world.app.mails().is_empty(), "what was never bought brought nothing");
}

#[test]
fn what_was_realised_is_told_by_a_link_that_works_once_and_is_open_data() {
    let world = world();
    let app = &world.app;
    let id = world.adopt(&world.odense, "2026-05-01", "in_use");
    let letter = app.mail_to("mette@odense.example");
    let token = letter.token("/outcomes/report/");
    let page = letter.link("/outcomes/report/").replace("https://skala.example", "");
    let browser = app.anonymous().outside();
    let shown = browser.get(&page).expect(200);
    assert!(shown.text.contains("Odense Kommune") && shown.text.contains("2.000 timer om året"), "{}", shown.text);
    let send = |form: &str| browser.post_raw(&page, "application/x-www-form-urlencoded", form);
    let again =
        send("stage=ended&realised.hours_saved_per_year=mange&supplier.cvr=12345678&note=Se+010190-1234").expect(422);
    for words in [
        "Skriv et tal",
        "Skriv også leverandørens navn",
        "Det ligner et CPR-nummer",
        "value=\"mange\"",
        "hvorfor den blev droppet",
    ] {
        assert!(again.text.contains(words), "{words}: {}", again.text);
    }
    for (note, code) in [("Spørg 010190-1234", "cpr_number"), ("Se <b>her</b>", "markup")] {
        let told = json!({"token": token, "report": {"stage": "in_use", "note": note}});
        app.anonymous().post("/outcomes/report", told).unfit(&[("/report/note", code)]);
    }
    let sent = "stage=ended&realised.hours_saved_per_year=1.800,5&realised.annual_value.amount=900.000&dropped_reason=Den+larmer\
        &supplier.name=Firma+ApS&supplier.cvr=DK+64942212";
    assert!(send(sent).expect(200).text.contains("Tak"));
    for again in [send(sent).expect(410), browser.get(&page).expect(410)] {
        assert!(again.text.contains("I har allerede svaret. Tak"), "{}", again.text);
    }
    let report =
        |token: &str| app.anonymous().post("/outcomes/report", json!({"token": token, "report": {"stage": "in_use"}}));
    report(&token).refused(410, "link_used");
    let altered = format!("{}{}", &token[..token.len() - 1], if token.ends_with('A') { 'B' } else { 'A' });
    report(&altered).refused(410, "dead_link");
    app.advance(TimeDelta::days(61));
    report(&token).refused(410, "link_used");

    let outcomes = app.anonymous().get(&format!("/outcomes?process_id={}", world.process.id)).expect(200);
    let outcome = &outcomes.items()[0];
    assert_eq!((&outcome["months"], &outcome["stage"]), (&json!(6), &json!("ended")));
    assert_eq!(outcome["realised"]["hours_saved_per_year"], 1800.5);
    assert_eq!(outcome["expected"]["volume"]["quantity"], 400.0);
    assert_eq!(outcome["supplier"], json!({"name": "Firma ApS", "cvr": "64942212"}));
    assert!(!outcomes.text.contains("Mette"), "{}", outcomes.text);
    let csv = app.anonymous().with("Accept", "text/csv").get("/outcomes").expect(200);
    assert!(
        csv.text.contains(
            ",Odense Kommune,6,ended,2000,1800.5,400,,plejeboliger,,900000,DKK,Den larmer,Firma ApS,64942212,,"
        ),
        "{}",
        csv.text
    );
    let adoption = app.anonymous().get(&world.path("/adoptions")).expect(200).items()[0].clone();
    assert_eq!((&adoption["id"], &adoption["stage"]), (&json!(id), &json!("ended")), "the report moves the stage");

    // Staff mend it, and tell of a term that nobody answered.
    let mend = |months: i32, report: Value| {
        app.facilitator().post(&format!("/adoptions/{id}/outcomes"), json!({"months": months, "report": report}))
    };
    mend(7, json!({"stage": "in_use"})).unfit(&[("/months", "unknown_value")]);
    mend(6, json!({"stage": "in_use", "realised": {"hours_saved_per_year": 5.0}})).expect(201);
    let items = app.anonymous().get("/outcomes").expect(200).items();
    assert_eq!((items.len(), &items[0]["realised"]["hours_saved_per_year"]), (1, &json!(5.0)));
}

#[test]
fn outcomes_of_a_process_in_preparation_are_nobody_elses_business() {
    let app = TestApp::start();
    let (staff, odense) = (app.facilitator(), given::municipality(&app, "Odense Kommune"));
    let process = staff.post("/processes", json!({"title": "Under opsejling"})).expect(201).id();
    let adoption = json!({"organisation_id": odense.id, "adopted_on": "2026-05-01", "way": "copied", "in_use": true});
    let id = staff.post(&format!("/processes/{process}/adoptions"), adoption).expect(201).id();
    let report = json!({"months": 6, "report": {"stage": "in_use"}});
    staff.post(&format!("/adoptions/{id}/outcomes"), report).expect(201);
    assert!(app.anonymous().get("/outcomes").expect(200).items().is_empty());
    staff.change(&format!("/processes/{process}"), json!({"status": "active"})).expect(200);
    assert_eq!(app.anonymous().get("/outcomes").expect(200).items().len(), 1);
}

#[test]
fn outcomes_come_in_pages() {
    let world = world();
    let staff = world.app.facilitator();
    for number in 0..3 {
        let body = given::municipality(&world.app, &format!("Kommune {number}"));
        let adoption = json!({"organisation_id": body.id, "adopted_on": "2026-05-01", "way": "copied", "in_use": true});
        let id = staff.post(&world.path("/adoptions"), adoption).expect(201).id();
        let report = json!({"months": 6, "report": {"stage": "in_use", "realised": {"hours_saved_per_year": 1.0}}});
        staff.post(&format!("/adoptions/{id}/outcomes"), report).expect(201);
    }
    let first = world.app.anonymous().with("Accept", "text/csv").get("/outcomes?limit=2").expect(200);
    assert_eq!(first.text.lines().count(), 3);
    let next = first.header("Link").trim_start_matches('<').split('>').next().unwrap().to_owned();
    assert_eq!(world.app.anonymous().get(&next).expect(200).each("organisation"), ["Kommune 0"]);
}

//! Processes: challenges gathered, bodies joined, the demand they make together.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Named, TestApp, given};

/// Odense and Aarhus, each with an approved challenge, in one active process.
struct World {
    app: TestApp,
    odense: Named,
    aarhus: Named,
    challenges: [Named; 2],
    process: Named,
}

fn world() -> World {
    let app = TestApp::start();
    let (odense, aarhus) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Aarhus Kommune"));
    let one = given::approved(&app, &app.member(&odense), "Natlige tilsyn");
    let other = given::approved(&app, &app.member(&aarhus), "Uro om natten");
    let process = given::gathered(&app, "Sammen om nattero", &[&one, &other]);
    World { app, odense, aarhus, challenges: [one, other], process }
}

impl World {
    fn path(&self, rest: &str) -> String {
        format!("/processes/{}{rest}", self.process.id)
    }

    fn demand(&self) -> Value {
        self.app.anonymous().get(&self.path("/demand")).expect(200).body
    }

    fn commit(&self, client: &Client, body: &Named, mut commitment: Value) -> Answer {
        commitment["organisation_id"] = json!(body.id);
        client.post(&self.path("/commitments"), commitment)
    }
}

fn kroner(amount: i64) -> Value {
    json!({"amount": amount, "currency": "DKK"})
}

#[test]
fn staff_gather_approved_challenges_and_their_owners_take_part() {
    let world = world();
    let seen = world.app.anonymous().get(&world.path("")).expect(200);
    assert_eq!((&seen["title"], &seen["status"]), (&json!("Sammen om nattero"), &json!("active")));
    assert_eq!(seen["participant_count"], json!({"count": 2, "as_of": "2026-11-22"}));
    let participants = seen["participants"].as_array().unwrap();
    assert!(participants.iter().all(|p| p["role"] == "need_owner" && p["joined_on"] == "2026-11-22"));
    assert_eq!(seen["steps"].as_array().unwrap().len(), 6);
    assert_eq!(seen["current_steps"], json!([1]));
    let member = world.app.member(&world.odense);
    for challenge in &world.challenges {
        let grouped = member.get(&format!("/challenges/{}", challenge.id)).expect(200);
        assert_eq!((&grouped["status"], &grouped["process_id"]), (&json!("grouped"), &json!(world.process.id)));
        assert_eq!(grouped["title"], challenge.name, "a bundle, never a merge");
    }
}

#[test]
fn only_staff_open_and_run_processes() {
    let world = world();
    let member = world.app.member(&world.odense);
    let strange = [
        member.post("/processes", json!({"title": "Vores"})),
        member.change(&world.path(""), json!({"title": "Vores"})),
        member.post(&world.path("/challenges"), json!({"challenge_id": world.challenges[0].id})),
        member.post(&world.path("/steps/1"), json!({"state": "done"})),
        member.post(&world.path("/timeline"), json!({"kind": "x", "title": "X", "happened_on": "2026-11-22"})),
    ];
    for answer in strange {
        answer.refused(403, "forbidden");
    }
}

#[test]
fn only_approved_challenges_are_gathered_and_each_once() {
    let world = world();
    let (app, staff) = (&world.app, world.app.facilitator());
    let waiting = given::submitted(&app.member(&world.odense), "Venter");
    let open = |id: &str| staff.post("/processes", json!({"title": "T", "challenge_ids": [id]}));
    open(&waiting.id).refused(409, "wrong_state");
    open(&world.challenges[0].id).refused(409, "wrong_state");
    open("0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e").unfit(&[("/challenge_ids/0", "unknown")]);
    assert_eq!(staff.get("/processes").expect(200).items().len(), 1, "a refused process leaves nothing");
    let twice = given::approved(app, &app.member(&world.odense), "To gange");
    let opened = staff.post("/processes", json!({"title": "T", "challenge_ids": [twice.id, twice.id]})).expect(201);
    assert_eq!(opened["participant_count"]["count"], 1);
}

#[test]
fn a_process_in_preparation_is_seen_by_staff_and_its_participants() {
    let app = TestApp::start();
    let (odense, aarhus) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Aarhus Kommune"));
    let challenge = given::approved(&app, &app.member(&odense), "Natlige tilsyn");
    let body = json!({"title": "T", "challenge_ids": [challenge.id]});
    let path = format!("/processes/{}", app.facilitator().post("/processes", body).expect(201).id());
    for rest in ["", "/demand", "/timeline", "/adoptions"] {
        app.anonymous().get(&format!("{path}{rest}")).refused(404, "not_found");
        app.member(&aarhus).get(&format!("{path}{rest}")).refused(404, "not_found");
        app.member(&odense).get(&format!("{path}{rest}")).expect(200);
    }
    app.member(&aarhus).get(&format!("{path}/challenges")).refused(404, "not_found");
    app.member(&aarhus).get(&format!("{path}/history")).refused(404, "not_found");
    app.member(&aarhus).post(&format!("{path}/join"), json!({})).refused(404, "not_found");
    assert!(app.anonymous().get("/processes").expect(200).items().is_empty());
    assert_eq!(app.facilitator().get("/processes").expect(200).items().len(), 1);
}

#[test]
fn a_challenge_that_is_taken_out_is_approved_as_before() {
    let world = world();
    let staff = world.app.facilitator();
    let challenge = &world.challenges[0];
    let path = world.path(&format!("/challenges/{}", challenge.id));
    staff.delete(&path).unfit(&[("/reason", "required")]);
    staff.delete(&format!("{path}?reason=Andet%20behov")).expect(204);
    staff.delete(&format!("{path}?reason=igen")).refused(404, "not_found");
    let taken = staff.get(&format!("/challenges/{}", challenge.id)).expect(200);
    assert_eq!((&taken["status"], &taken["process_id"]), (&json!("approved"), &Value::Null));
    let owner = world.app.member(&world.odense);
    let history = owner.get(&format!("/challenges/{}/history", challenge.id)).expect(200);
    assert_eq!(history.each("deed").last().unwrap(), "ungrouped");
    assert_eq!(history.items().last().unwrap()["reason"], "Andet behov");
    staff.post(&world.path("/challenges"), json!({"challenge_id": challenge.id})).expect(200);
}

#[test]
fn a_process_goes_only_the_ways_that_exist() {
    let world = world();
    let staff = world.app.facilitator();
    let go = |status: &str, reason: Option<&str>| {
        let mut body = json!({"status": status});
        if let Some(reason) = reason {
            body["reason"] = json!(reason);
        }
        staff.change(&world.path(""), body)
    };
    go("preparing", None).refused(409, "wrong_state");
    go("paused", None).unfit(&[("/reason", "required")]);
    go("paused", Some("Valg")).expect(200);
    go("active", None).expect(200);
    go("completed", None).expect(200);
    go("active", None).refused(409, "wrong_state");
    staff.post(&world.path("/steps/2"), json!({"state": "open"})).refused(409, "ended");
    let member = world.app.member(&given::municipality(&world.app, "Vejle Kommune"));
    member.post(&world.path("/join"), json!({})).refused(409, "ended");
}

#[test]
fn steps_run_in_order_and_some_beside_each_other() {
    let world = world();
    let staff = world.app.facilitator();
    let step = |n: u8, body: Value| staff.post(&world.path(&format!("/steps/{n}")), body);
    step(3, json!({"state": "open"})).refused(409, "too_early");
    step(1, json!({"state": "done"})).expect(200);
    step(2, json!({"state": "open"})).expect(200);
    assert_eq!(step(3, json!({"state": "open"})).expect(200)["current_steps"], json!([2, 3]));
    step(4, json!({"state": "skipped"})).unfit(&[("/reason", "required")]);
    step(4, json!({"state": "skipped", "reason": "Markedet er kendt"})).expect(200);
    step(7, json!({"state": "open"})).refused(404, "not_found");
    step(1, json!({"state": "flying"})).unfit(&[("/state", "unknown_value")]);
    let title = world.app.anonymous().with("Accept-Language", "en").get(&world.path("")).expect(200);
    assert_eq!(title["steps"][3]["title"], "Market dialogue");
}

#[test]
fn a_body_joins_at_any_step_and_comes_back_after_leaving() {
    let world = world();
    let vejle = given::municipality(&world.app, "Vejle Kommune");
    let member = world.app.member(&vejle);
    let joined = member.post(&world.path("/join"), json!({})).expect(201);
    assert_eq!((&joined["state"], &joined["joined_on"]), (&json!("interested"), &json!("2026-11-22")));
    member.post(&world.path("/join"), json!({})).refused(409, "takes_part");
    world.app.facilitator().post(&world.path("/join"), json!({})).refused(403, "forbidden");
    let staff = world.app.facilitator();
    let path = world.path(&format!("/participants/{}", joined.id()));
    let patch = |body: Value| {
        let seen = staff.get(&world.path("")).expect(200).etag();
        staff.with("If-Match", seen).patch(&path, body)
    };
    patch(json!({"state": "left"})).unfit(&[("/left_on", "left_on_with_left")]);
    patch(json!({"state": "left", "left_on": "2026-11-01"})).unfit(&[("/left_on", "before_joined_on")]);
    patch(json!({"organisation_id": world.odense.id})).unfit(&[("/organisation_id", "fixed")]);
    patch(json!({"state": "left", "left_on": "2026-11-22"})).expect(200);
    member.post(&world.path("/join"), json!({})).expect(201);
}

#[test]
fn a_supplier_is_never_a_need_owner() {
    let world = world();
    let company = given::organisation(&world.app, json!({"name": "Firma A/S", "kind": "company"}));
    let staff = world.app.facilitator();
    let add = |role: &str| {
        let body = json!({"organisation_id": company.id, "role": role, "joined_on": "2026-11-22", "state": "partner"});
        staff.post(&world.path("/participants"), body)
    };
    add("need_owner").unfit(&[("/role", "supplier_as_need_owner")]);
    let added = add("knowledge_partner").expect(201);
    let seen = staff.get(&world.path("")).expect(200).etag();
    let path = world.path(&format!("/participants/{}", added.id()));
    staff
        .with("If-Match", seen)
        .patch(&path, json!({"role": "need_owner"}))
        .unfit(&[("/role", "supplier_as_need_owner")]);
    let refused = world.app.member(&company).post(&world.path("/join"), json!({}));
    refused.unfit(&[("/role", "supplier_as_need_owner")]);
}

#[test]
fn the_demand_counts_each_body_once_at_what_it_said_last() {
    let world = world();
    let at_first = world.demand();
    assert_eq!((&at_first["bodies"], &at_first["as_of"]), (&json!(2), &json!("2026-11-22T08:00:00Z")));
    assert_eq!(at_first["by_level"]["recognises"]["volume"], json!([{"quantity": 2400.0, "unit": "plejeboliger"}]));
    assert_eq!(at_first["hours_saved_per_year"], 43680.0);

    let odense = world.app.member(&world.odense);
    let third = given::approved(&world.app, &odense, "En til fra Odense");
    let staff = world.app.facilitator();
    staff.post(&world.path("/challenges"), json!({"challenge_id": third.id})).expect(200);
    assert_eq!(world.demand()["bodies"], 2, "a body with two challenges is one body");
    assert_eq!(world.demand()["by_level"]["recognises"]["volume"][0]["quantity"], 2400.0);

    let intends = json!({"level": "intends", "volume": {"quantity": 500, "unit": "plejeboliger"}, "annual_value": kroner(4_000_000)});
    world.commit(&odense, &world.odense, intends).expect(201);
    let demand = world.demand();
    assert_eq!(demand["by_level"]["intends"]["volume"], json!([{"quantity": 500.0, "unit": "plejeboliger"}]));
    assert_eq!(demand["by_level"]["recognises"]["bodies"], 1);
    world.commit(&odense, &world.odense, json!({"level": "withdrawn"})).expect(201);
    assert_eq!(world.demand()["bodies"], 1);
}

#[test]
fn a_recognition_counts_in_the_demand_of_the_process() {
    let world = world();
    let vejle = given::municipality(&world.app, "Vejle Kommune");
    let recognition = json!({"level": "interested", "volume": {"quantity": 300, "unit": "Plejeboliger"}, "hours_saved_per_year": 1924});
    let path = format!("/challenges/{}/recognitions", world.challenges[0].id);
    world.app.member(&vejle).post(&path, recognition).expect(201);
    let demand = world.demand();
    assert_eq!((&demand["bodies"], &demand["by_level"]["interested"]["bodies"]), (&json!(3), &json!(1)));
    assert_eq!(demand["hours_saved_per_year"], 43680.0 + 1924.0);
}

#[test]
fn full_time_equivalents_are_reckoned_by_the_criteria_set_of_each_challenge() {
    let app = TestApp::start();
    let set = json!({"title_da": "V", "title_en": "W", "hours_per_full_time_equivalent": 1600.0, "criteria": [
        {"key": "anchoring", "title_da": "A", "title_en": "A", "rule": {"kind": "anchoring"}}]});
    let approved = |body: &str| {
        let body = given::municipality(&app, body);
        given::approved(&app, &app.member(&body), "Natlige tilsyn")
    };
    let before = approved("Odense Kommune");
    app.admin().post("/criteria-sets/welfare-technology/versions", set).expect(201);
    let after = approved("Vejle Kommune");
    let process = given::gathered(&app, "Ro om natten", &[&before, &after]);
    let demand = app.anonymous().get(&format!("/processes/{}/demand", process.id)).expect(200);
    // 21,840 hours each: by 1,924 and by 1,600.
    assert_eq!((&demand["hours_saved_per_year"], &demand["full_time_equivalents"]), (&json!(43680.0), &json!(25.0)));
}

#[test]
fn the_demand_comes_as_csv_too() {
    let world = world();
    let csv = world.app.anonymous().with("Accept", "text/csv").get(&world.path("/demand")).expect(200);
    assert!(csv.header("Content-Type").starts_with("text/csv"));
    let lines: Vec<_> = csv.text.lines().collect();
    assert_eq!(lines[0], "as_of,level,bodies,quantity,unit,annual_value,currency");
    assert_eq!(lines[1], "2026-11-22T08:00:00+00:00,recognises,2,2400,plejeboliger,,");
}

#[test]
fn options_never_sum_to_more_than_the_cap() {
    let world = world();
    let (odense, aarhus) = (world.app.member(&world.odense), world.app.member(&world.aarhus));
    let option = |amount: i64| json!({"level": "option", "option_value": kroner(amount)});
    world.commit(&odense, &world.odense, option(100_000_000)).expect(201);
    world.commit(&aarhus, &world.aarhus, option(60_000_001)).refused(409, "over_option_cap");
    world.commit(&aarhus, &world.aarhus, option(60_000_000)).expect(201);
    assert_eq!(world.demand()["option_sum"], kroner(160_000_000));
    world.commit(&odense, &world.odense, option(100_000_001)).refused(409, "over_option_cap");
    world.commit(&odense, &world.odense, option(90_000_000)).expect(201);
    let staff = world.app.facilitator();
    staff.change(&world.path(""), json!({"option_cap": kroner(149_999_999)})).refused(409, "over_option_cap");
    staff.change(&world.path(""), json!({"option_cap": kroner(150_000_000)})).expect(200);
    let euro = json!({"level": "option", "option_value": {"amount": 1, "currency": "EUR"}});
    world.commit(&aarhus, &world.aarhus, euro).unfit(&[("/option_value/currency", "other_currency")]);
}

#[test]
fn options_taken_at_the_same_moment_stay_under_the_cap() {
    let world = world();
    let staff = world.app.facilitator();
    let bodies: Vec<Named> = (0..8).map(|n| given::municipality(&world.app, &format!("Kommune {n}"))).collect();
    for body in &bodies {
        let part =
            json!({"organisation_id": body.id, "role": "need_owner", "joined_on": "2026-11-22", "state": "partner"});
        staff.post(&world.path("/participants"), part).expect(201);
    }
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let world = &world;
        let take = |body| {
            let staff = staff.clone();
            scope.spawn(move || {
                world.commit(&staff, body, json!({"level": "option", "option_value": kroner(50_000_000)})).status
            })
        };
        let running: Vec<_> = bodies.iter().map(take).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 3, "{statuses:?}");
    assert_eq!(world.demand()["option_sum"], kroner(150_000_000));
}

#[test]
fn a_body_commits_itself_and_nobody_else() {
    let world = world();
    let member = world.app.member(&world.odense);
    world.commit(&member, &world.aarhus, json!({"level": "intends"})).refused(403, "forbidden");
    let staff = world.app.facilitator();
    let signed = json!({"level": "committed", "signed_by": "Ib Lund", "signed_on": "2026-11-20"});
    let said = world.commit(&staff, &world.aarhus, signed).expect(201);
    assert_eq!((&said["said_by"], &said["binds_to"]), (&json!("facilitator"), &json!("Er bundet til at købe")));
    let half = json!({"level": "committed", "signed_by": "Ib Lund"});
    world.commit(&member, &world.odense, half).unfit(&[("/signed_on", "required")]);
    let vejle = given::municipality(&world.app, "Vejle Kommune");
    world.commit(&world.app.member(&vejle), &vejle, json!({"level": "intends"})).refused(409, "takes_no_part");
    world.app.member(&vejle).get(&world.path("/commitments")).refused(403, "forbidden");
    assert_eq!(member.get(&world.path("/commitments")).expect(200).each("organisation"), ["Aarhus Kommune"]);
}

#[test]
fn the_timeline_and_the_spread_are_public_and_dated() {
    let world = world();
    let staff = world.app.facilitator();
    let entry = |kind: &str, on: &str| json!({"kind": kind, "title": kind, "happened_on": on, "precision": "month"});
    staff.post(&world.path("/timeline"), entry("workshop", "2026-06-01")).expect(201);
    staff.post(&world.path("/timeline"), entry("agreement", "2026-01-01")).expect(201);
    let script = json!({"kind": "x", "title": "X", "happened_on": "2026-01-01", "url": "javascript:alert(1)"});
    staff.post(&world.path("/timeline"), script).unfit(&[("/url", "not_a_url")]);
    assert_eq!(world.app.anonymous().get(&world.path("/timeline")).expect(200).each("kind"), ["agreement", "workshop"]);

    let adopt =
        |way: &str| json!({"organisation_id": world.odense.id, "adopted_on": "2026-11-01", "way": way, "in_use": true});
    staff.post(&world.path("/adoptions"), adopt("inspired")).expect(201);
    staff.post(&world.path("/adoptions"), adopt("copied")).expect(201);
    let adoptions = world.app.anonymous().get(&world.path("/adoptions")).expect(200);
    assert_eq!(
        (adoptions.each("organisation"), adoptions.each("way")),
        (vec!["Odense Kommune".into()], vec!["copied".into()])
    );
}

#[test]
fn the_history_tells_how_the_process_came_to_be() {
    let world = world();
    let history = world.app.member(&world.odense).get(&world.path("/history")).expect(200);
    assert_eq!(history.each("deed"), ["opened", "changed"]);
    world.app.anonymous().get(&world.path("/history")).refused(401, "unauthorized");
}

#[test]
fn days_that_no_database_keeps_are_refused() {
    let world = world();
    let staff = world.app.facilitator();
    let far = "+200000-01-01";
    let part = json!({"organisation_id": world.odense.id, "role": "supporter", "joined_on": far, "state": "guest"});
    staff.post(&world.path("/participants"), part).unfit(&[("/joined_on", "out_of_range")]);
    let entry = json!({"kind": "x", "title": "X", "happened_on": far});
    staff.post(&world.path("/timeline"), entry).unfit(&[("/happened_on", "out_of_range")]);
    let adoption = json!({"organisation_id": world.odense.id, "adopted_on": far, "way": "copied", "in_use": true});
    staff.post(&world.path("/adoptions"), adoption).unfit(&[("/adopted_on", "out_of_range")]);
    let signed = json!({"level": "committed", "signed_by": "Ib", "signed_on": far});
    world.commit(&staff, &world.odense, signed).unfit(&[("/signed_on", "out_of_range")]);
}

#[test]
fn the_demand_adds_up_by_year_and_by_region_and_each_has_its_csv() {
    let world = world();
    let aarhus = world.app.admin().get(&format!("/organisations/{}", world.aarhus.id)).expect(200).etag();
    let moved = world.app.admin().with("If-Match", aarhus);
    moved.patch(&format!("/organisations/{}", world.aarhus.id), json!({"nuts": "DK042"})).expect(200);
    let (odense, aarhus) = (world.app.member(&world.odense), world.app.member(&world.aarhus));
    let beds = |quantity: i64, year: Option<i64>| match year {
        Some(year) => json!({"quantity": quantity, "unit": "senge", "year": year}),
        None => json!({"quantity": quantity, "unit": "senge"}),
    };
    let spread = json!({"level": "intends", "volume": beds(100, Some(2027)), "volumes": [beds(200, Some(2028))],
        "annual_value": kroner(3_000_000)});
    let said = world.commit(&odense, &world.odense, spread).expect(201);
    assert_eq!(said["volumes"], json!([{"quantity": 200.0, "unit": "senge", "year": 2028}]));
    world.commit(&aarhus, &world.aarhus, json!({"level": "committed", "volume": beds(5, Some(2028))})).expect(201);
    let twice = json!({"level": "intends", "volume": beds(1, None), "volumes": [{"quantity": 2, "unit": "Senge"}]});
    world.commit(&odense, &world.odense, twice).unfit(&[("/volumes/0", "twice")]);
    let late = json!({"level": "intends", "volume": beds(1, Some(1999))});
    world.commit(&odense, &world.odense, late).unfit(&[("/volume/year", "out_of_range")]);

    let demand = world.demand();
    assert_eq!(demand["by_level"]["intends"]["volume"], json!([{"quantity": 300.0, "unit": "senge"}]));
    let years = json!([
        {"year": 2027, "bodies": 1, "volume": [{"quantity": 100.0, "unit": "senge"}]},
        {"year": 2028, "bodies": 2, "volume": [{"quantity": 205.0, "unit": "senge"}]},
    ]);
    assert_eq!(demand["by_year"], years);
    let regions = demand["by_region"].as_array().unwrap();
    let regions: Vec<_> =
        regions.iter().map(|r| (r["nuts"].clone(), r["bodies"].clone(), r["annual_value"].clone())).collect();
    assert_eq!(regions, [(json!("DK03"), json!(1), kroner(3_000_000)), (json!("DK04"), json!(1), Value::Null)]);
    let csv = |by: &str| {
        let path = world.path(&format!("/demand?by={by}"));
        let csv = world.app.anonymous().with("Accept", "text/csv").get(&path).expect(200);
        csv.text
            .lines()
            .map(|line| line.trim_start_matches("2026-11-22T08:00:00+00:00,").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(csv("year")[1..], ["2027,1,100,senge,,", "2028,2,205,senge,,"]);
    assert_eq!(csv("region")[1..], ["DK03,1,300,senge,3000000,DKK", "DK04,1,5,senge,,"]);
    world.app.anonymous().get(&world.path("/demand?by=colour")).unfit(&[("/by", "unknown_value")]);
}

#[test]
fn a_body_that_left_wants_nothing_and_its_option_is_free_for_others() {
    let world = world();
    let (odense, aarhus) = (world.app.member(&world.odense), world.app.member(&world.aarhus));
    let option = |amount: i64| json!({"level": "option", "option_value": kroner(amount)});
    world.commit(&odense, &world.odense, option(160_000_000)).expect(201);
    world.commit(&aarhus, &world.aarhus, option(1)).refused(409, "over_option_cap");
    let staff = world.app.facilitator();
    let seen = staff.get(&world.path("")).expect(200);
    let participants = seen["participants"].as_array().unwrap();
    let own = participants.iter().find(|p| p["organisation_id"] == json!(world.odense.id)).unwrap();
    let path = world.path(&format!("/participants/{}", own["id"].as_str().unwrap()));
    let leaves = json!({"state": "left", "left_on": "2026-11-22"});
    staff.with("If-Match", seen.etag()).patch(&path, leaves).expect(200);

    let demand = world.demand();
    assert_eq!(
        (&demand["bodies"], &demand["option_sum"]),
        (&json!(1), &Value::Null),
        "its challenge stays, its wish does not"
    );
    world.commit(&odense, &world.odense, option(1)).refused(409, "takes_no_part");
    world.app.advance(TimeDelta::minutes(1));
    world.commit(&aarhus, &world.aarhus, option(160_000_000)).expect(201);
    odense.post(&world.path("/join"), json!({})).expect(201);
    assert_eq!(world.demand()["option_sum"], kroner(160_000_000), "coming back revives no option");
    let said = staff.get(&world.path("/commitments?all=true")).expect(200);
    let counts: Vec<_> = said.items().iter().map(|said| said["counts"].clone()).collect();
    assert_eq!(counts, [json!(false), json!(true)]);
    assert_eq!(staff.get(&world.path("/commitments")).expect(200).items().len(), 1);
}

#[test]
fn a_cap_keeps_its_currency_and_stays_while_options_stand() {
    let world = world();
    let odense = world.app.member(&world.odense);
    world.commit(&odense, &world.odense, json!({"level": "option", "option_value": kroner(10)})).expect(201);
    let staff = world.app.facilitator();
    let cap = |cap: Value| staff.change(&world.path(""), json!({"option_cap": cap}));
    cap(json!({"amount": 1_000_000, "currency": "EUR"})).refused(409, "options_in_other_currency");
    cap(Value::Null).refused(409, "options_stand");
    world.commit(&odense, &world.odense, json!({"level": "withdrawn"})).expect(201);
    cap(json!({"amount": 1_000_000, "currency": "EUR"})).expect(200);
    cap(Value::Null).expect(200);
}

#[test]
fn what_a_body_said_before_is_kept_with_who_and_when() {
    let world = world();
    let odense = world.app.member(&world.odense);
    for level in ["interested", "intends"] {
        world.commit(&odense, &world.odense, json!({"level": level})).expect(201);
    }
    let history = odense.get(&world.path("/history")).expect(200);
    let last = history.items().pop().unwrap();
    assert_eq!((&last["deed"], &last["by"]), (&json!("committed"), &json!("member hos Odense Kommune")));
    assert_eq!(
        (&last["data"]["before"]["level"], &last["data"]["after"]["level"]),
        (&json!("interested"), &json!("intends"))
    );
}

#[test]
fn what_bodies_committed_to_is_told_to_participants_alone() {
    let world = world();
    let odense = world.app.member(&world.odense);
    world.commit(&odense, &world.odense, json!({"level": "intends", "annual_value": kroner(7)})).expect(201);
    let stranger = world.app.member(&given::municipality(&world.app, "Vejle Kommune"));
    let told = |client: &Client| client.get(&world.path("/history")).expect(200).items().pop().unwrap();
    assert_eq!((&told(&stranger)["deed"], &told(&stranger)["data"]), (&json!("committed"), &json!({})));
    for insider in [odense, world.app.member(&world.aarhus), world.app.facilitator()] {
        assert_eq!(told(&insider)["data"]["after"]["annual_value"], kroner(7));
    }
    stranger.get(&world.path("/commitments")).refused(403, "forbidden");
}

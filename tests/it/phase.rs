//! OPI phases: checklists in versions, tracks, and the library.

use serde_json::{Value, json};

use crate::support::{Client, Named, TestApp, given};

struct World {
    app: TestApp,
    body: Named,
    track: String,
}

fn world() -> World {
    let app = TestApp::start();
    let body = given::municipality(&app, "Odense Kommune");
    let process = given::process(&app, "Ro om natten");
    let part = json!({"organisation_id": body.id, "role": "need_owner", "joined_on": "2026-11-01", "state": "partner"});
    app.facilitator().post(&format!("/processes/{}/participants", process.id), part).expect(201);
    World { app, body, track: format!("/processes/{}/opi-track", process.id) }
}

impl World {
    fn mark(&self, who: &Client, key: &str, state: &str, reason: Option<&str>) -> crate::support::Answer {
        let mut body = json!({"state": state});
        if let Some(reason) = reason {
            body["reason"] = json!(reason);
        }
        who.post(&format!("{}/items/{key}", self.track), body)
    }
}

#[test]
fn a_process_carries_a_track_whose_items_are_done_or_waived_by_somebody_for_a_reason() {
    let world = world();
    let (staff, member) = (world.app.facilitator(), world.app.member(&world.body));
    staff.get(&world.track).refused(404, "not_found");
    let begun = staff.post(&world.track, Value::Null).expect(201);
    assert_eq!((&begun["phase"], &begun["checklist_version"]), (&json!("idea"), &json!(1)));
    assert_eq!(begun["phases"].as_array().unwrap().len(), 5);
    staff.post(&world.track, Value::Null).refused(409, "has_track");

    world.mark(&member, "needs_known", "done", None).expect(200);
    world.mark(&member, "no_product_yet", "done", None).refused(403, "forbidden");
    world.mark(&member, "nothing", "done", None).refused(404, "not_found");
    world.mark(&staff, "no_product_yet", "waived", None).unfit(&[("/reason", "required")]);
    world.mark(&staff, "no_product_yet", "waived", Some("Ingen virksomhed endnu")).expect(200);
    let stranger = given::municipality(&world.app, "Fremmed");
    world.mark(&world.app.member(&stranger), "needs_known", "open", None).refused(404, "not_found");
    world.app.member(&stranger).get(&world.track).refused(403, "forbidden");

    let english = member.with("Accept-Language", "en").get(&world.track).expect(200);
    let idea = &english["phases"][0];
    assert_eq!((&idea["title"], &idea["open"]), (&json!("Idea"), &json!(9)));
    let items = idea["items"].as_array().unwrap();
    let done = items.iter().find(|item| item["key"] == "needs_known").unwrap();
    assert_eq!((&done["state"], &done["marked_by"]), (&json!("done"), &json!("member hos Odense Kommune")));
    let waived = items.iter().find(|item| item["key"] == "no_product_yet").unwrap();
    assert_eq!((&waived["state"], &waived["reason"]), (&json!("waived"), &json!("Ingen virksomhed endnu")));
}

#[test]
fn a_phase_with_open_items_is_left_only_with_a_reason_and_the_history_keeps_it() {
    let world = world();
    let staff = world.app.facilitator();
    staff.post(&world.track, Value::Null).expect(201);
    let advance = |body: Value| staff.post(&format!("{}/advance", world.track), body);
    let refused = advance(json!({})).refused(409, "open_items");
    assert!(refused.text.contains("needs_known"), "{}", refused.text);
    assert_eq!(advance(json!({"reason": "Resten er kendt"})).expect(200)["phase"], "startup");
    for phase in ["innovation", "market_maturation", "implementation"] {
        assert_eq!(advance(json!({"reason": "videre"})).expect(200)["phase"], phase);
    }
    let ended = advance(json!({"reason": "slut"})).expect(200);
    assert_eq!((&ended["phase"], &ended["finished_at"]), (&json!("implementation"), &json!("2026-11-22T08:00:00Z")));
    advance(json!({"reason": "mere"})).refused(409, "ended");
    let history = staff.get(&world.track.replace("/opi-track", "/history")).expect(200);
    let first = history.items().into_iter().find(|fact| fact["deed"] == "opi_advanced").unwrap();
    assert_eq!(
        (&first["reason"], first["data"]["open_items"].as_array().unwrap().len()),
        (&json!("Resten er kendt"), 11)
    );
}

#[test]
fn the_checklist_is_data_and_a_track_keeps_its_version_until_it_is_renewed() {
    let world = world();
    let staff = world.app.facilitator();
    staff.post(&world.track, Value::Null).expect(201);
    world.mark(&staff, "needs_known", "done", None).expect(200);
    let item =
        |key: &str| json!({"key": key, "phase": "idea", "actor": "public_body", "text_da": "Det", "text_en": "It"});
    let add = |items: Vec<Value>| staff.post("/opi-checklists", json!({"items": items}));
    add(vec![item("a"), item("a")]).unfit(&[("/items/1/key", "twice")]);
    add(vec![item("Å")]).unfit(&[("/items/0/key", "not_a_key")]);
    assert_eq!(add(vec![item("needs_known"), item("fresh")]).expect(201)["version"], 2);
    let versions = world.app.anonymous().get("/opi-checklists").expect(200).items();
    assert_eq!(versions.iter().map(|one| one["version"].clone()).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(staff.get(&world.track).expect(200)["checklist_version"], 1);
    let renewed = staff.post(&format!("{}/renew", world.track), Value::Null).expect(200);
    assert_eq!((&renewed["checklist_version"], &renewed["open_before_next"]), (&json!(2), &json!(["fresh"])));
    world.app.member(&world.body).post("/opi-checklists", json!({"items": [item("x")]})).refused(403, "forbidden");
}

#[test]
fn tools_and_cases_are_found_by_phase_and_actor() {
    let app = TestApp::start();
    let staff = app.facilitator();
    let entry = |kind: &str, title: &str, phases: &[&str], actors: &[&str]| {
        json!({"kind": kind, "title": title, "url": "https://eksempel.dk/x", "phases": phases, "actors": actors,
            "themes": ["Velfærdsteknologi"], "language": "da"})
    };
    let tool = staff.post("/library", entry("tool", "Interview", &["idea", "startup"], &["public_body"])).expect(201);
    staff.post("/library", entry("case", "Biologisk lys", &["innovation"], &["public_body", "company"])).expect(201);
    staff.post("/library", entry("tool", "x", &[], &["company"])).unfit(&[("/phases", "too_few")]);
    let mut script = entry("tool", "x", &["idea"], &["company"]);
    script["url"] = json!("javascript:alert(1)");
    staff.post("/library", script).unfit(&[("/url", "not_a_url")]);
    let find = |query: &str| app.anonymous().get(&format!("/library{query}")).expect(200).each("title");
    assert_eq!(find(""), ["Biologisk lys", "Interview"]);
    assert_eq!(find("?phase=startup"), ["Interview"]);
    assert_eq!(find("?phase=innovation&actor=company&kind=case"), ["Biologisk lys"]);
    assert_eq!(find("?theme=velf%C3%A6rdsteknologi&language=da&limit=1"), ["Biologisk lys"]);
    assert!(find("?actor=knowledge_institution").is_empty() && find("?theme=velf").is_empty());
    let path = format!("/library/{}", tool.id());
    assert_eq!(
        staff.change(&path, json!({"title": "Interview i fem trin"})).expect(200)["title"],
        "Interview i fem trin"
    );
    staff.delete(&path).expect(204);
    staff.get(&path).refused(404, "not_found");
    let body = given::municipality(&app, "Odense Kommune");
    app.member(&body).post("/library", entry("tool", "x", &["idea"], &["company"])).refused(403, "forbidden");
}

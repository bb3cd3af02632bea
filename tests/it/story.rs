//! The main job, from a municipality's need to its market, on one page.

use serde_json::json;

use crate::support::{TestApp, given};

#[test]
fn a_need_becomes_a_challenge_a_process_and_a_shared_demand() {
    let app = TestApp::start();
    let staff = app.facilitator();

    // Odense is invited into the service, and Mette chooses her password.
    let odense = given::municipality(&app, "Odense Kommune");
    let aarhus = given::municipality(&app, "Aarhus Kommune");
    let invitation =
        json!({"email": "mette@odense.example", "name": "Mette Holm", "role": "member", "organisation_id": odense.id});
    app.admin().post("/users", invitation).expect(201);
    let token = app.mail_to("mette@odense.example").token("/invitation#");
    let password = "en gul cykel i regnvejr";
    app.anonymous().post("/invitations/accept", json!({"token": token, "password": password})).expect(204);
    let credentials = json!({"email": "mette@odense.example", "password": password});
    let mette = app.bearer(&app.anonymous().post("/auth/token", credentials).expect(200).text_of("access_token"));
    let anders = app.member(&aarhus);

    // CO-PI announces a call. Mette tells of her need, learns at once how it stands, mends it and hands it in.
    let call = json!({"title": "Kender du en velfærdsudfordring?", "theme": "velfærdsteknologi", "criteria_set": "welfare-technology",
        "description": "Vi søger udfordringer, der frigiver tid på ældreområdet.", "opens_at": "2026-11-01T08:00:00Z"});
    let call = staff.post("/calls", call).expect(201);
    let mut need = given::challenge_body("Natlige tilsyn vækker beboerne");
    need["call_id"] = json!(call.id());
    need["anchoring"] = json!({"political": need["anchoring"]["political"]});
    let drafted = mette.post("/challenges", need).expect(201);
    assert_eq!(drafted["assessment"]["outcome"], "unclear");
    let challenge = format!("/challenges/{}", drafted.id());
    let director = json!({"name": "Eva Skov", "title": "Direktør", "date": "2026-10-02"});
    let mended =
        mette.with("If-Match", drafted.etag()).patch(&challenge, json!({"anchoring": {"administrative": director}}));
    assert_eq!(mended.expect(200)["assessment"]["outcome"], "met");
    mette.post(&format!("{challenge}/submit"), json!({})).expect(200);

    // Aarhus has it too, with its own figures and its own challenge. CO-PI approves both, and their owners hear of it.
    let recognition = json!({"level": "interested", "volume": {"quantity": 900, "unit": "plejeboliger"}});
    anders.post(&format!("{challenge}/recognitions"), recognition).expect(201);
    staff.post(&format!("{challenge}/approve"), json!({"reason": "Klar til flere"})).expect(200);
    let letter = app.mail_to("mette@odense.example");
    assert_eq!(letter.subject, "Jeres udfordring er godkendt");
    assert!(letter.text.contains("Klar til flere"));
    let other = given::approved(&app, &anders, "Beboere på plejehjem vågner om natten");

    // The two are gathered into a process that everybody can read.
    let process = json!({"title": "Sammen om nattero", "summary": "To kommuner vil have færre unødige tilsyn.",
        "challenge_ids": [drafted.id(), other.id], "lead_organisation_id": odense.id});
    let process = format!("/processes/{}", staff.post("/processes", process).expect(201).id());
    app.anonymous().get(&process).refused(404, "not_found");
    let cap = json!({"amount": 160_000_000, "currency": "DKK"});
    staff.change(&process, json!({"status": "active", "option_cap": cap})).expect(200);
    assert_eq!(app.anonymous().get(&process).expect(200)["participant_count"]["count"], 2);

    // A third body joins late. What they want together is counted, each body once, and stays under the cap.
    let vejle = given::municipality(&app, "Vejle Kommune");
    let birte = app.member(&vejle);
    birte.post(&format!("{process}/join"), json!({})).expect(201);
    let option = |amount: i64| json!({"amount": amount, "currency": "DKK"});
    let commit = json!({"organisation_id": vejle.id, "level": "option", "option_value": option(20_000_000)});
    birte.post(&format!("{process}/commitments"), commit).expect(201);
    let too_much = json!({"organisation_id": odense.id, "level": "option", "option_value": option(140_000_001)});
    mette.post(&format!("{process}/commitments"), too_much).refused(409, "over_option_cap");
    let demand = app.anonymous().get(&format!("{process}/demand")).expect(200);
    assert_eq!((&demand["bodies"], &demand["option_sum"]), (&json!(3), &option(20_000_000)));

    // The steps are taken up to the market dialogue, and every challenge remembers how it came here.
    for (step, state) in [(1, "done"), (2, "open"), (3, "open"), (4, "open")] {
        staff.post(&format!("{process}/steps/{step}"), json!({"state": state})).expect(200);
    }
    let deeds = mette.get(&format!("{challenge}/history")).expect(200).each("deed");
    assert_eq!(deeds, ["drafted", "changed", "submitted", "recognised", "approved", "grouped"]);
}

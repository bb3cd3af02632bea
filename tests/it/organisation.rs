//! Organisations.

use serde_json::json;

use crate::support::{TestApp, given};

#[test]
fn staff_add_an_organisation_and_everybody_sees_it() {
    let app = TestApp::start();
    let body = json!({"name": "  Odense Kommune ", "kind": "municipality", "cvr": "DK 35 20 91 15", "nuts": "dk031"});
    let added = app.facilitator().post("/organisations", body).expect(201);
    let path = format!("/api/v1/organisations/{}", added.id());
    assert_eq!(added.header("Location"), path);
    let seen = app.anonymous().get(&path).expect(200);
    assert_eq!(seen.body, added.body);
    assert_eq!(seen.etag(), added.etag());
    assert_eq!(
        (&seen["name"], &seen["cvr"], &seen["country"], &seen["nuts"]),
        (&json!("Odense Kommune"), &json!("35209115"), &json!("DK"), &json!("DK031"))
    );
}

#[test]
fn only_staff_add_and_change_organisations() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let path = format!("/organisations/{}", odense.id);
    for client in [app.member(&odense), app.org_admin(&odense)] {
        client.post("/organisations", json!({"name": "Firma", "kind": "company"})).refused(403, "forbidden");
        client.change(&path, json!({"name": "Vores"})).refused(403, "forbidden");
    }
    app.facilitator().change(&path, json!({"name": "Odense"})).expect(200);
    app.admin().change(&path, json!({"name": "Odense Kommune"})).expect(200);
}

#[test]
fn every_flaw_of_an_organisation_is_named() {
    let app = TestApp::start();
    let body = json!({
        "name": "\u{7}", "kind": "municipality", "cvr": "35209116", "country": "Danmark", "nuts": "?",
        "valid_from": "2027-01-01", "valid_to": "2026-12-31",
    });
    app.admin().post("/organisations", body).unfit(&[
        ("/name", "control_character"),
        ("/cvr", "not_a_cvr_number"),
        ("/country", "not_a_country"),
        ("/nuts", "not_a_nuts_code"),
        ("/valid_to", "before_valid_from"),
    ]);
    let kind = json!({"name": "Odense", "kind": "kingdom"});
    app.admin().post("/organisations", kind).unfit(&[("/kind", "unknown_value")]);
}

#[test]
fn a_name_and_a_cvr_number_belong_to_one_organisation() {
    let app = TestApp::start();
    let admin = app.admin();
    let body = |name: &str, cvr: &str| json!({"name": name, "kind": "municipality", "cvr": cvr});
    admin.post("/organisations", body("Ærø Kommune", "28856075")).expect(201);
    let other = admin.post("/organisations", body("Odense Kommune", "35209115")).expect(201);
    admin.post("/organisations", body("ÆRØ KOMMUNE", "64942212")).refused(409, "name_taken");
    let refused = admin.post("/organisations", body("Aarhus Kommune", "DK-35209115")).refused(409, "cvr_taken");
    assert!(refused.text_of("detail").contains("Odense Kommune"));
    let path = format!("/organisations/{}", other.id());
    admin.change(&path, json!({"name": "ærø kommune"})).refused(409, "name_taken");
    admin.change(&path, json!({"name": "ODENSE KOMMUNE"})).expect(200);
}

#[test]
fn a_region_hands_over_to_its_successor() {
    let app = TestApp::start();
    let admin = app.admin();
    let east = json!({"name": "Region Østdanmark", "kind": "region", "valid_from": "2027-01-01"});
    let east = given::organisation(&app, east);
    let old = given::organisation(&app, json!({"name": "Region Sjælland", "kind": "region"}));
    let path = format!("/organisations/{}", old.id);
    let handed_over = json!({"valid_to": "2026-12-31", "successor_id": east.id});
    let changed = admin.change(&path, handed_over).expect(200);
    assert_eq!((&changed["successor_id"], &changed["valid_to"]), (&json!(east.id), &json!("2026-12-31")));
    admin.change(&path, json!({"successor_id": old.id})).unfit(&[("/successor_id", "unknown")]);
    let nobody = "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e";
    admin.change(&path, json!({"successor_id": nobody})).unfit(&[("/successor_id", "unknown")]);
    let cleared = admin.change(&path, json!({"successor_id": null, "valid_to": null})).expect(200);
    assert!(cleared.body.get("successor_id").is_none());
}

#[test]
fn organisations_are_found_by_kind_and_by_a_part_of_the_name() {
    let app = TestApp::start();
    for (name, kind) in [("Odense Kommune", "municipality"), ("Aarhus Havn", "port"), ("100% Havn_", "port")] {
        given::organisation(&app, json!({"name": name, "kind": kind}));
    }
    let found = |query: &str| app.anonymous().get(&format!("/organisations?{query}")).expect(200).each("name");
    assert_eq!(found("kind=port"), ["100% Havn_", "Aarhus Havn"]);
    assert_eq!(found("q=HAVN&kind=port"), ["100% Havn_", "Aarhus Havn"]);
    assert_eq!(found("q=odense"), ["Odense Kommune"]);
    assert_eq!(found("q=%25"), ["100% Havn_"], "a percent sign is only a percent sign");
    assert_eq!(found("q=_"), ["100% Havn_"]);
    assert_eq!(found("q=%5C"), Vec::<String>::new());
    assert_eq!(found("q=%20"), found(""));
    let unknown = app.anonymous().get("/organisations?kind=kingdom");
    unknown.refused(422, "unfit");
}

#[test]
fn hostile_words_in_a_search_find_nothing_and_break_nothing() {
    let app = TestApp::start();
    given::municipality(&app, "Odense Kommune");
    for hostile in ["%00", "'%20OR%201=1--", "%F0%9F%92%A9", "%ED%A0%80", "%FF", "\u{6f}\u{308}".repeat(2000).as_str()]
    {
        let query: String =
            hostile.chars().map(|c| if c.is_ascii() { c.to_string() } else { "%CC%88".into() }).collect();
        let answer = app.anonymous().get(&format!("/organisations?q={query}"));
        assert!([200, 422].contains(&answer.status), "{hostile:.20}: {} {}", answer.status, answer.text);
    }
}

#[test]
fn a_date_that_no_calendar_shows_is_refused() {
    let app = TestApp::start();
    let add = |date: &str| {
        let body = json!({"name": format!("Fra {date}"), "kind": "other", "valid_from": date});
        app.admin().post("/organisations", body)
    };
    for date in ["-200000-01-01", "+200000-01-01", "0000-01-01", "1899-12-31"] {
        add(date).unfit(&[("/valid_from", "out_of_range")]);
    }
    for date in ["2026-02-30", "22-11-2026", "2026-11-22T08:00:00Z"] {
        add(date).unfit(&[("/valid_from", "wrong_type")]);
    }
    for date in ["1900-01-01", "9999-12-31"] {
        assert_eq!(add(date).expect(201)["valid_from"], date);
    }
}

#[test]
fn the_history_of_an_organisation_says_who_when_what_why_and_what_was_before() {
    let app = TestApp::start();
    let old = given::municipality(&app, "Odense");
    let new = given::municipality(&app, "Fyn Kommune");
    let path = format!("/organisations/{}", old.id);
    app.facilitator().change(&path, json!({"name": "Odense Kommune"})).expect(200);
    let plan = json!({"successor_id": new.id, "takes_effect_on": "2027-01-01", "reason": "Fynske sammenlægninger"});
    app.facilitator().post(&format!("{path}/succession"), plan).expect(201);
    let told = app.member(&old).get(&format!("{path}/history")).expect(200);
    assert_eq!(told.each("deed"), ["added", "changed", "succession_planned"]);
    let (changed, planned) = (&told.items()[1], &told.items()[2]);
    assert_eq!((&changed["by"], &changed["at"]), (&json!("facilitator"), &json!("2026-11-22T08:00:00Z")));
    assert_eq!(
        (&changed["data"]["before"]["name"], &changed["data"]["after"]["name"]),
        (&json!("Odense"), &json!("Odense Kommune"))
    );
    assert_eq!(planned["reason"], "Fynske sammenlægninger");
    app.anonymous().get(&format!("{path}/history")).refused(401, "unauthorized");
    let nobody = "/organisations/0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e/history";
    app.facilitator().get(nobody).refused(404, "not_found");
    app.member(&new).get(&format!("{path}/history")).refused(403, "forbidden");
}

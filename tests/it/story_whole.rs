//! The whole road, from a night nurse's two minutes on: what comes before and after the main job in `story`.

use serde_json::json;

use crate::support::{Client, Named, TestApp, given};

/// What stands when the needs have become a process.
struct Gathered {
    /// The need owners, the leading body first, each with one of its people.
    bodies: Vec<(Named, Client)>,
    process: Named,
}

/// Nurses leave needs in their hospital's inbox; the hospital sorts them, another body has it too, and CO-PI gathers both
/// bodies' challenges in a process.
fn from_needs_to_a_process(app: &TestApp) -> Gathered {
    let hospital = given::organisation(app, json!({"name": "Bispebjerg Hospital", "kind": "region", "nuts": "DK011"}));
    let odense = given::municipality(app, "Odense Kommune");
    let (louise, mette) = (app.member(&hospital), app.member(&odense));

    // An inbox with an address for the wall of the ward room; what comes is anonymous, but for one who wants to hear.
    let body = json!({"title": "Behov på natten", "asks": "Hvad koster jer tid om natten?", "address": "natbehov"});
    louise.post("/needs-inboxes", body).expect(201);
    let door = "/needs-inboxes/at/natbehov/needs";
    for (department, what, email) in [
        (
            "Kirurgisk",
            "Vi går fire runder på stuerne hver nat, og de fleste patienter vågner.",
            Some("nat@hospital.example"),
        ),
        ("Medicinsk", "Natlige tilsyn vækker patienterne, selv om alt er i orden.", None),
        ("Geriatrisk", "Nattevagten fører tilsyn hver anden time, og patienterne vågner, når døren går.", None),
        ("Medicinsk", "Vi leder efter infusionspumper på hele gangen.", None),
    ] {
        let often = json!({"times": 4.0, "per": "day", "minutes": 15.0, "people": 2});
        let need =
            json!({"what": what, "who": "patienter", "department": department, "how_often": often, "email": email});
        app.anonymous().post(door, need).expect(201);
    }
    app.mail_to("nat@hospital.example");

    // The three that speak of the same lie together; Odense has it too, with a word and with a challenge of its own.
    let clusters = louise.get("/needs/clusters").expect(200).items();
    let nights: Vec<String> =
        clusters[0]["needs"].as_array().unwrap().iter().map(|need| need["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((clusters.len(), nights.len()), (2, 3));
    louise.change(&format!("/needs/{}", nights[0]), json!({"shared": true})).expect(200);
    let shared = mette.get("/shared-needs").expect(200).items()[0]["id"].as_str().unwrap().to_owned();
    mette.post(&format!("/needs/{shared}/recognitions"), json!({"note": "På alle plejehjem."})).expect(201);
    let gathering = json!({"need_ids": nights, "title": "Natlige tilsyn vækker patienterne"});
    let challenge = louise.post("/needs/gather", gathering).expect(201).text_of("challenge_id");
    assert!(app.mail_to("nat@hospital.example").subject.contains("udfordring"));

    // The draft is filled in from the counts; what only the top can give is added, and CO-PI approves.
    let path = format!("/challenges/{challenge}");
    let anchoring = json!({"political": {"name": "Ib Lund", "title": "Formand", "date": "2026-10-01"},
                           "administrative": {"name": "Eva Skov", "title": "Direktør", "date": "2026-10-02"}});
    assert_eq!(louise.change(&path, json!({"anchoring": anchoring})).expect(200)["assessment"]["outcome"], "met");
    louise.post(&format!("{path}/submit"), json!({})).expect(200);
    app.facilitator().post(&format!("{path}/approve"), json!({})).expect(200);
    app.mails();
    let other = given::approved(app, &mette, "Beboere på plejehjem vågner om natten");

    // In the process, one can walk back to every need.
    let challenge = Named { id: challenge, name: "Natlige tilsyn vækker patienterne".to_owned() };
    let process = given::gathered(app, "Sammen om nattero", &[&challenge, &other]);
    assert!(app.mail_to("nat@hospital.example").text.contains("Sammen om nattero"));
    let back = app.anonymous().get(&format!("/processes/{}/needs", process.id)).expect(200);
    let behind = back["challenges"].as_array().unwrap().iter().find(|one| one["challenge_id"] == challenge.id.as_str());
    assert_eq!((&back["needs"], &behind.unwrap()["other_bodies"]), (&json!(3), &json!(1)));
    Gathered { bodies: vec![(hospital, louise), (odense, mette)], process }
}

#[test]
fn a_need_on_the_floor_becomes_a_process_and_goes_on_from_there() {
    let app = TestApp::start();
    let Gathered { bodies, process } = from_needs_to_a_process(&app);
    let participants = app.anonymous().get(&format!("/processes/{}", process.id)).expect(200);
    assert_eq!(participants["participant_count"]["count"], bodies.len());
    let demand = bodies[0].1.get(&format!("/processes/{}/demand", process.id)).expect(200);
    assert_eq!(demand["bodies"], 2);
}

//! The whole road, from a night nurse's two minutes to what the solution brought twenty-nine bodies: what comes before
//! and after the main job in `story`, as one story with the same bodies and the same process.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Mail, Named, TestApp, given};

#[test]
fn needs_on_the_floor_become_one_process_that_is_signed_for_heard_adopted_and_reported_on() {
    let app = TestApp::start();
    let staff = app.facilitator();
    let hospital = given::organisation(&app, json!({"name": "Bispebjerg Hospital", "kind": "region", "nuts": "DK011"}));
    let odense = given::municipality(&app, "Odense Kommune");
    let (louise, mette) = (app.member(&hospital), app.member(&odense));

    // The hospital opens an inbox with an address for the wall of the ward room. Four leave a need there; one of them
    // wants to hear what becomes of it.
    let inbox = json!({"title": "Behov på natten", "asks": "Hvad koster jer tid om natten?", "address": "natbehov"});
    louise.post("/needs-inboxes", inbox).expect(201);
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
        app.anonymous().post("/needs-inboxes/at/natbehov/needs", need).expect(201);
    }
    app.mail_to("nat@hospital.example");

    // The three that speak of the same lie together. A department that wrote nothing has it too, and so has Odense.
    let clusters = louise.get("/needs/clusters").expect(200).items();
    let nights: Vec<&str> = ids(&clusters[0]["needs"]);
    assert_eq!((clusters.len(), nights.len()), (2, 3));
    let shared = louise.change(&format!("/needs/{}", nights[0]), json!({"shared": true})).expect(200).id();
    let recognitions = format!("/needs/{shared}/recognitions");
    let often = json!({"times": 2.0, "per": "day", "minutes": 15.0, "people": 2});
    louise.post(&recognitions, json!({"department": "Neurologisk", "how_often": often})).expect(201);
    assert_eq!(mette.get("/shared-needs").expect(200).each("id"), [shared]);
    mette.post(&recognitions, json!({"note": "På alle plejehjem."})).expect(201);

    // They become one challenge: time and scale are counted up from what four departments said, Odense is named in it.
    let gathering = json!({"need_ids": nights, "title": "Natlige tilsyn vækker patienterne"});
    let challenge = louise.post("/needs/gather", gathering).expect(201).text_of("challenge_id");
    assert!(app.mail_to("nat@hospital.example").subject.contains("udfordring"));
    let challenge = Named { id: challenge, name: "Natlige tilsyn vækker patienterne".to_owned() };
    let path = format!("/challenges/{}", challenge.id);
    let drafted = louise.get(&path).expect(200);
    assert_eq!(drafted["time_savings"]["hours_per_year"], (4.0 * 3.0 + 2.0) * 364.0 * 30.0 / 60.0);
    assert_eq!(drafted["scale"]["volume"], json!({"quantity": 4.0, "unit": "afdelinger"}));
    assert_eq!(drafted["scale"]["known_bodies"], json!(["Odense Kommune"]));

    // What only the top can give is added, CO-PI approves, and a process gathers it with a challenge of Odense's own.
    let anchoring = json!({"political": {"name": "Ib Lund", "title": "Formand", "date": "2026-10-01"},
                           "administrative": {"name": "Eva Skov", "title": "Direktør", "date": "2026-10-02"}});
    assert_eq!(louise.change(&path, json!({"anchoring": anchoring})).expect(200)["assessment"]["outcome"], "met");
    louise.post(&format!("{path}/submit"), json!({})).expect(200);
    staff.post(&format!("{path}/approve"), json!({})).expect(200);
    app.mails();
    let other = given::approved(&app, &mette, "Beboere på plejehjem vågner om natten");
    let process = format!("/processes/{}", given::gathered(&app, "Sammen om nattero", &[&challenge, &other]).id);
    let letter = app.mail_to("nat@hospital.example");
    assert!(letter.text.contains("Sammen om nattero"), "{}", letter.text);

    // Three more bodies join, and all five say how much they want.
    let join = |body: &Named| {
        let part =
            json!({"organisation_id": body.id, "role": "need_owner", "joined_on": "2026-11-22", "state": "partner"});
        staff.post(&format!("{process}/participants"), part).expect(201);
    };
    let mut bodies = vec![hospital, odense];
    bodies.extend(["Vejle Kommune", "Kolding Kommune", "Randers Kommune"].map(|name| given::municipality(&app, name)));
    bodies.iter().skip(2).for_each(join);
    for (body, places) in bodies.iter().zip([400, 300, 200, 100, 50]) {
        let said = json!({"organisation_id": body.id, "level": "interested", "volume": {"quantity": places, "unit": "pladser"}});
        app.member(body).post(&format!("{process}/commitments"), said).expect(201);
    }

    // The letter of intent names the five with their figures. Odense comments, and its words are taken in.
    let drafted = staff.post(&format!("{process}/letters-of-intent"), json!({"language": "da"})).expect(201);
    assert!(drafted.text_of("text").contains("5 organisationer, 1.050 pladser"), "{}", drafted.text);
    let letter = format!("/letters-of-intent/{}", drafted.id());
    staff.post(&format!("{letter}/comments/open"), json!({"until": "2026-11-29T11:00:00Z"})).expect(200);
    let comment = mette.post(&format!("{letter}/comments"), json!({"text": "Skriv, at vi også vil dele data."}));
    staff.post(&format!("{letter}/comments/close"), Value::Null).expect(200);
    let text = format!("{}\n\nVi deler også data.", drafted.text_of("text"));
    staff.change(&letter, json!({"text": text})).expect(200);
    let resolve = format!("/letter-comments/{}/resolve", comment.expect(201).id());
    staff.post(&resolve, json!({"text": "Taget ind"})).expect(200);

    // It goes out to all five, three of whom sign.
    let name = |body: &Named, email: &str| {
        let signatory = json!({"organisation_id": body.id, "name": "Kim Lind", "title": "Borgmester", "email": email});
        staff.post(&format!("{letter}/signatories"), signatory).expect(201)
    };
    for (number, body) in bodies.iter().enumerate() {
        name(body, &format!("top{number}@example.org"));
    }
    staff.post(&format!("{letter}/send"), json!({})).expect(200);
    let asked = app.mails();
    assert_eq!(asked.len(), 5);
    asked.iter().take(3).for_each(|mail| sign(&app, mail));
    let signed = app.anonymous().get(&letter).expect(200);
    assert_eq!(signed["signatories"].as_array().unwrap().len(), 3);

    // A sixth joins later, by an addendum to the text that stays as it was. A partner is not a signatory.
    let sixth = given::municipality(&app, "Ikast-Brande Kommune");
    join(&sixth);
    assert_eq!(name(&sixth, "top6@example.org")["kind"], "addendum");
    sign(&app, &app.mail_to("top6@example.org"));
    bodies.push(sixth);
    let with_sixth = app.anonymous().get(&letter).expect(200);
    assert_eq!((with_sixth["signatories"].as_array().unwrap().len(), &with_sixth["sha256"]), (4, &signed["sha256"]));
    let participants = staff.get(&process).expect(200)["participants"].as_array().unwrap().clone();
    let signatories = participants.iter().filter(|one| !one["signed_on"].is_null()).count();
    assert_eq!((participants.len(), signatories), (6, 4));

    // The market is heard.
    for (step, state) in [(1, "done"), (2, "open"), (3, "open"), (4, "open")] {
        staff.post(&format!("{process}/steps/{step}"), json!({"state": state})).expect(200);
    }
    given::subscriber(&app, "pleje@firma.example", "immediate", json!({"cpv": ["33000000"]}));
    let mut notice = given::notice("Markedsdialog om natligt tilsyn");
    notice["lead_buyer_id"] = json!(bodies[0].id);
    let dialogue = staff.post(&format!("{process}/dialogues"), notice).expect(201).id();
    staff.post(&format!("/dialogues/{dialogue}/publish"), Value::Null).expect(200);
    app.mail_to("pleje@firma.example");
    staff.post(&format!("/dialogues/{dialogue}/close"), json!({"summary": "Markedet kan løse det."})).expect(200);
    app.mail_to("pleje@firma.example");

    // Eight take the solution into use in the first year; one that has only bought it does not count as spread.
    app.advance(TimeDelta::days(60));
    let adopt = |body: &Named, on: &str, stage: &str, contact: Value| {
        let adoption = json!({"organisation_id": body.id, "adopted_on": on, "way": "copied", "stage": stage,
            "expected": {"hours_saved_per_year": 2000.0}, "contact": contact});
        staff.post(&format!("{process}/adoptions"), adoption).expect(201);
    };
    bodies.extend((7..=29).map(|number| given::municipality(&app, &format!("Kommune {number}"))));
    adopt(&bodies[0], "2027-01-15", "in_use", json!({"name": "Louise Dam", "email": "louise@hospital.example"}));
    bodies[1..8].iter().for_each(|body| adopt(body, "2027-01-15", "in_use", Value::Null));
    adopt(&given::municipality(&app, "Kommune 30"), "2027-01-15", "bought", Value::Null);

    // After half a year the hospital says what came of it, by the link in the mail; after two years it is asked again.
    app.advance(TimeDelta::days(180));
    let token = app.mail_to("louise@hospital.example").token("/outcomes/report/");
    let report = json!({"stage": "practice_changed", "realised": {"hours_saved_per_year": 1650.0},
                        "supplier": {"name": "Firma ApS", "cvr": "64942212"}});
    app.anonymous().post("/outcomes/report", json!({"token": token, "report": report})).expect(201);
    app.advance(TimeDelta::days(500));
    app.mail_to("louise@hospital.example");

    // By then twenty-nine have it in use.
    bodies[8..12].iter().for_each(|body| adopt(body, "2028-02-01", "in_use", Value::Null));
    bodies[12..].iter().for_each(|body| adopt(body, "2028-09-01", "in_use", Value::Null));
    let spread = app.anonymous().get(&format!("{process}/spread")).expect(200);
    let years = spread["years"].as_array().unwrap();
    let years: Vec<_> = years.iter().map(|year| (&year["year"], &year["spread"])).collect();
    assert_eq!(years, [(&json!(2027), &json!(8)), (&json!(2028), &json!(29))]);
    assert_eq!(app.anonymous().get(&format!("{process}/spread?as_of=2028-03-01")).expect(200)["spread"], 12);

    let page = app.anonymous().outside().get(&process).expect(200).text;
    for words in ["underskrevet af 4", "<td>29</td>", "som den bygger på:</b> 3"] {
        assert!(page.contains(words), "{words}: {page}");
    }

    // What it brought is open data, against what was expected.
    let outcome = app.anonymous().get("/outcomes").expect(200).items().remove(0);
    let hours = |what: &str| outcome[what]["hours_saved_per_year"].clone();
    assert_eq!((hours("expected"), hours("realised")), (json!(2000.0), json!(1650.0)));

    // Every deed is on record, and from the end one can walk back to every need.
    let deeds = staff.get(&format!("{process}/history")).expect(200).each("deed");
    for deed in ["opened", "committed", "adopted", "outcome_reported"] {
        assert!(deeds.contains(&deed.to_owned()), "{deed}: {deeds:?}");
    }
    let back = app.anonymous().get(&format!("{process}/needs")).expect(200);
    let behind = back["challenges"].as_array().unwrap().iter().find(|one| one["challenge_id"] == challenge.id.as_str());
    let behind = behind.unwrap();
    assert_eq!((&back["needs"], &behind["departments"], &behind["other_bodies"]), (&json!(3), &json!(4), &json!(1)));
    let own = louise.get(&format!("{process}/needs")).expect(200);
    let told = own["challenges"].as_array().unwrap().iter().find(|one| !one["items"].is_null()).unwrap();
    assert_eq!(ids(&told["items"]).len(), 3);
}

/// Signs by the link in a mail; the receipt is read.
fn sign(app: &TestApp, mail: &Mail) {
    let token = mail.token("/letters-of-intent/sign/");
    app.anonymous().post("/letters-of-intent/sign", json!({"token": token, "sign": true})).expect(200);
    app.mails();
}

fn ids(items: &Value) -> Vec<&str> {
    items.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

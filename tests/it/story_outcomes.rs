//! The road from a process to what its solution brought: signed for, heard by the market, spread, reported on.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Client, Named, TestApp, given};

#[test]
fn a_shared_need_is_signed_for_bought_spread_and_reported_on() {
    let app = TestApp::start();
    let staff = app.facilitator();
    let mut bodies: Vec<Named> = (1..=5).map(|n| given::municipality(&app, &format!("Kommune {n}"))).collect();
    let challenge = given::approved(&app, &app.member(&bodies[0]), "Natlige tilsyn vækker beboerne");
    let process = given::gathered(&app, "Sammen om nattero", &[&challenge]);
    let process = format!("/processes/{}", process.id);
    from_a_process_to_outcomes(&app, &staff, &process, &mut bodies, 1);
}

/// Goes on from a process, of whose five bodies the first so many take part already.
pub fn from_a_process_to_outcomes(
    app: &TestApp,
    staff: &Client,
    process: &str,
    bodies: &mut Vec<Named>,
    already: usize,
) {
    let join = |body: &Named| {
        let part =
            json!({"organisation_id": body.id, "role": "need_owner", "joined_on": "2026-11-22", "state": "partner"});
        staff.post(&format!("{process}/participants"), part).expect(201);
    };
    bodies.iter().skip(already).for_each(join);
    for (body, homes) in bodies.iter().zip([400, 300, 200, 100, 50]) {
        let said = json!({"organisation_id": body.id, "level": "interested", "volume": {"quantity": homes, "unit": "plejeboliger"}});
        app.member(body).post(&format!("{process}/commitments"), said).expect(201);
    }

    // The letter of intent names all five with their figures; they comment, and three of them sign.
    let letter = staff.post(&format!("{process}/letters-of-intent"), json!({"language": "da"})).expect(201);
    assert!(letter.text_of("text").contains("5 organisationer, 1050 plejeboliger"), "{}", letter.text);
    let letter = format!("/letters-of-intent/{}", letter.id());
    staff.post(&format!("{letter}/comments/open"), json!({"until": "2026-11-29T11:00:00Z"})).expect(200);
    let comment = json!({"text": "Skriv, at vi også vil dele data."});
    let comment = app.member(&bodies[1]).post(&format!("{letter}/comments"), comment).expect(201).id();
    staff.post(&format!("{letter}/comments/close"), Value::Null).expect(200);
    let text = format!("{}\n\nVi deler også data.", staff.get(&letter).expect(200).text_of("text"));
    staff.change(&letter, json!({"text": text})).expect(200);
    staff.post(&format!("/letter-comments/{comment}/resolve"), json!({"text": "Taget ind"})).expect(200);
    let name = |body: &Named, number: usize| {
        let email = format!("borgmester{number}@kommune.example");
        let named = json!({"organisation_id": body.id, "name": format!("Borgmester {number}"), "title": "Borgmester", "email": email});
        staff.post(&format!("{letter}/signatories"), named).expect(201)
    };
    for (number, body) in bodies.iter().enumerate() {
        name(body, number + 1);
    }
    staff.post(&format!("{letter}/send"), json!({})).expect(200);
    let asked = app.mails();
    assert_eq!(asked.len(), 5);
    let sign = |mail: &crate::support::Mail| {
        let token = mail.token("/letters-of-intent/sign/");
        app.anonymous().post("/letters-of-intent/sign", json!({"token": token, "sign": true})).expect(200)
    };
    asked.iter().take(3).for_each(|mail| drop(sign(mail)));
    app.mails();
    let signed = app.anonymous().get(&letter).expect(200);
    assert_eq!(signed["signatories"].as_array().unwrap().len(), 3);

    // A sixth joins later, by an addendum to the text that stays as it was.
    let sixth = given::municipality(app, "Kommune 6");
    join(&sixth);
    assert_eq!(name(&sixth, 6)["kind"], "addendum");
    sign(&app.mail_to("borgmester6@kommune.example"));
    app.mails();
    let with_sixth = app.anonymous().get(&letter).expect(200);
    assert_eq!((with_sixth["signatories"].as_array().unwrap().len(), &with_sixth["sha256"]), (4, &signed["sha256"]));
    let participants = staff.get(process).expect(200)["participants"].as_array().unwrap().clone();
    let signatories = participants.iter().filter(|one| !one["signed_on"].is_null()).count();
    assert_eq!((participants.len(), signatories), (6, 4), "a partner is not a signatory");
    bodies.push(sixth);

    // The market is heard.
    for (step, state) in [(1, "done"), (2, "open"), (3, "open"), (4, "open")] {
        staff.post(&format!("{process}/steps/{step}"), json!({"state": state})).expect(200);
    }
    given::subscriber(app, "pleje@firma.example", "immediate", json!({"cpv": ["33000000"]}));
    let mut notice = given::notice("Markedsdialog om natligt tilsyn");
    notice["lead_buyer_id"] = json!(bodies[0].id);
    let dialogue = staff.post(&format!("{process}/dialogues"), notice).expect(201).id();
    staff.post(&format!("/dialogues/{dialogue}/publish"), Value::Null).expect(200);
    app.mail_to("pleje@firma.example");
    staff.post(&format!("/dialogues/{dialogue}/close"), json!({"summary": "Markedet kan løse det."})).expect(200);
    app.mail_to("pleje@firma.example");

    // Eight take the solution into use in the first year, and twenty-nine by the third.
    app.advance(TimeDelta::days(60));
    let adopt = |body: &Named, on: &str, contact: bool| {
        let mut adoption = json!({"organisation_id": body.id, "adopted_on": on, "way": "copied", "stage": "in_use",
            "expected": {"hours_saved_per_year": 2000.0}});
        if contact {
            adoption["contact"] = json!({"name": "Mette Holm", "email": "mette@kommune.example"});
        }
        staff.post(&format!("{process}/adoptions"), adoption).expect(201);
    };
    bodies.extend((7..=29).map(|n| given::municipality(app, &format!("Kommune {n}"))));
    for (index, body) in bodies.iter().enumerate().take(8) {
        adopt(body, "2027-01-15", index == 0);
    }
    let unused = given::municipality(app, "Kommune 30");
    let bought = json!({"organisation_id": unused.id, "adopted_on": "2027-01-15", "way": "copied", "stage": "bought"});
    staff.post(&format!("{process}/adoptions"), bought).expect(201);
    app.advance(TimeDelta::days(180));
    let letter = app.mail_to("mette@kommune.example");
    let token = letter.token("/outcomes/report/");
    let report = json!({"stage": "practice_changed", "realised": {"hours_saved_per_year": 1650.0},
        "supplier": {"name": "Firma ApS", "cvr": "64942212"}});
    app.anonymous().post("/outcomes/report", json!({"token": token, "report": report})).expect(201);
    app.advance(TimeDelta::days(500));
    app.mail_to("mette@kommune.example");
    for (body, on) in bodies.iter().skip(8).zip(["2028-02-01"; 4].into_iter().chain(std::iter::repeat("2028-09-01"))) {
        adopt(body, on, false);
    }
    let spread = app.anonymous().get(&format!("{process}/spread")).expect(200);
    let by_year: Vec<_> =
        spread["years"].as_array().unwrap().iter().map(|year| (year["year"].clone(), year["spread"].clone())).collect();
    assert_eq!(by_year, [(json!(2027), json!(8)), (json!(2028), json!(29))]);
    assert_eq!(app.anonymous().get(&format!("{process}/spread?as_of=2028-03-01")).expect(200)["spread"], 12);

    // What it brought is open data, against what was expected, and every step of the road is on record.
    let outcome = app.anonymous().get("/outcomes").expect(200).items().remove(0);
    assert_eq!(
        (&outcome["expected"]["hours_saved_per_year"], &outcome["realised"]["hours_saved_per_year"]),
        (&json!(2000.0), &json!(1650.0))
    );
    let deeds = staff.get(&format!("{process}/history")).expect(200).each("deed");
    for deed in ["opened", "committed", "adopted", "outcome_reported"] {
        assert!(deeds.contains(&deed.to_owned()), "{deed}: {deeds:?}");
    }
}

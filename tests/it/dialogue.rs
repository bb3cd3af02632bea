//! Market dialogues: what staff do with them, and what people without an account do.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::support::{TestApp, given};

fn publish(app: &TestApp, id: &str) {
    app.facilitator().post(&format!("/dialogues/{id}/publish"), Value::Null).expect(200);
}

#[test]
fn a_draft_is_seen_by_staff_alone_until_it_is_published() {
    let app = TestApp::start();
    let process = given::process(&app, "Ro om natten");
    let id = given::draft(&app, &process, given::notice("Natligt tilsyn"));
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    for stranger in [app.anonymous(), member] {
        stranger.get(&format!("/dialogues/{id}")).expect(404);
        assert!(stranger.get("/dialogues").expect(200).items().is_empty());
        stranger.post(&format!("/dialogues/{id}/questions"), json!({"email": "a@b.dk", "text": "?"})).expect(404);
    }
    assert_eq!(app.facilitator().get(&format!("/dialogues/{id}")).expect(200)["status"], "draft");
    publish(&app, &id);
    let seen = app.anonymous().get(&format!("/dialogues/{id}")).expect(200);
    assert_eq!((seen["status"].as_str(), seen["version"].as_i64()), (Some("published"), Some(1)));
    assert_eq!(seen["danish_time"]["answer_deadline"], "29-01-2027 kl. 12.00 (dansk tid)");
    assert_eq!(seen["answer_deadline"], "2027-01-29T11:00:00Z");
    assert!(seen["statements"][0].as_str().unwrap().contains("ingen betingelse"));
    assert_eq!(app.anonymous().get("/dialogues?q=natligt").expect(200).each("id"), [id]);
}

#[test]
fn only_staff_publish_and_each_state_leads_only_where_it_can() {
    let app = TestApp::start();
    let process = given::process(&app, "Ro om natten");
    let id = given::draft(&app, &process, given::notice("Natligt tilsyn"));
    let path = |deed: &str| format!("/dialogues/{id}/{deed}");
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    member.post(&path("publish"), Value::Null).refused(403, "forbidden");
    app.anonymous().post(&path("publish"), Value::Null).expect(401);
    let staff = app.facilitator();
    staff.post(&path("close"), json!({"summary": "Ingen svarede"})).refused(409, "out_of_order");
    let published = staff.post(&path("publish"), Value::Null).expect(200);
    assert_eq!(published["version"], 1);
    assert!(published["dispatch_id"].is_string() && published["published_at"].is_string());
    staff.post(&path("publish"), Value::Null).refused(409, "out_of_order");
    staff.post(&path("close"), json!({})).unfit(&[("/summary", "required")]);
    let closed = staff.post(&path("close"), json!({"summary": "Ni svarede"})).expect(200);
    assert_eq!((closed["status"].as_str(), closed["summary"].as_str()), (Some("closed"), Some("Ni svarede")));
    staff.post(&path("cancel"), json!({"reason": "For sent"})).refused(409, "out_of_order");
}

#[test]
fn a_notice_is_refused_with_every_flaw_at_its_place() {
    let app = TestApp::start();
    let process = given::process(&app, "Ro om natten");
    let mut notice = given::notice("Natligt tilsyn");
    notice["title"] = "x".repeat(401).into();
    notice["question_deadline"] = "2027-01-29T11:00:00Z".into();
    notice["events"][0]["ends_at"] = "2027-01-12T08:00:00Z".into();
    notice["cpv"] = json!(["3319"]);
    let path = format!("/processes/{}/dialogues", process.id);
    app.facilitator().post(&path, notice).unfit(&[
        ("/title", "too_long"),
        ("/cpv/0", "not_a_cpv_code"),
        ("/answer_deadline", "not_after_question_deadline"),
        ("/events/0/ends_at", "not_after_start"),
    ]);
}

#[test]
fn an_answer_deadline_lies_after_publication() {
    let app = TestApp::start();
    let process = given::process(&app, "Ro om natten");
    let id = given::draft(&app, &process, given::notice("Natligt tilsyn"));
    app.advance(TimeDelta::days(100));
    app.facilitator().post(&format!("/dialogues/{id}/publish"), Value::Null).refused(409, "answer_deadline_passed");
}

#[test]
fn what_the_market_saw_changes_by_versions_that_stay_readable() {
    let app = TestApp::start();
    let id = given::published(&app, "Natligt tilsyn");
    let (staff, path) = (app.facilitator(), format!("/dialogues/{id}"));
    staff.change(&path, json!({"title": "Tilsyn om natten"})).unfit(&[("/change_reason", "required")]);
    let seen = staff.get(&path).expect(200).etag();
    let change = json!({"answer_deadline": "2027-02-05T11:00:00Z", "change_reason": "Flere bad om mere tid"});
    let changed = staff.with("If-Match", seen.clone()).patch(&path, change).expect(200);
    assert_eq!(changed["version"], 2);
    staff.with("If-Match", seen).patch(&path, json!({"title": "x", "change_reason": "y"})).refused(412, "stale");
    let first = app.anonymous().get(&format!("{path}/versions/1")).expect(200);
    assert_eq!(first["answer_deadline"], "2027-01-29T11:00:00Z");
    let second = app.anonymous().get(&format!("{path}/versions/2")).expect(200);
    assert_eq!(second["change_reason"], "Flere bad om mere tid");
    assert_eq!(second["changes"][0]["name"], "Svarfrist");
    assert_eq!(second["changes"][0]["after"], "05-02-2027 kl. 12.00 (dansk tid)");
    app.anonymous().get(&format!("{path}/versions/3")).expect(404);
}

#[test]
fn where_two_buy_one_leads() {
    let app = TestApp::start();
    let process = given::process(&app, "Ro om natten");
    let buyers = ["Odense Kommune", "Aarhus Kommune"].map(|name| given::municipality(&app, name));
    let staff = app.facilitator();
    for buyer in &buyers {
        let body =
            json!({"organisation_id": buyer.id, "role": "need_owner", "joined_on": "2026-11-22", "state": "partner"});
        staff.post(&format!("/processes/{}/participants", process.id), body).expect(201);
    }
    let id = given::draft(&app, &process, given::notice("Natligt tilsyn"));
    staff.post(&format!("/dialogues/{id}/publish"), Value::Null).unfit(&[("/lead_buyer_id", "required")]);
    let stranger = given::municipality(&app, "Vejle Kommune");
    staff.change(&format!("/dialogues/{id}"), json!({"lead_buyer_id": stranger.id})).expect(200);
    staff.post(&format!("/dialogues/{id}/publish"), Value::Null).unfit(&[("/lead_buyer_id", "not_a_buyer")]);
    staff.change(&format!("/dialogues/{id}"), json!({"lead_buyer_id": buyers[0].id})).expect(200);
    publish(&app, &id);
}

#[test]
fn a_question_is_confirmed_answered_to_all_and_its_asker_stays_unnamed() {
    let app = TestApp::start();
    let id = given::published(&app, "Natligt tilsyn");
    let (anyone, staff) = (app.anonymous(), app.facilitator());
    let questions = format!("/dialogues/{id}/questions");
    let ask = |email: &str, text: &str| {
        app.advance(TimeDelta::seconds(1));
        anyone.post(&questions, json!({"email": email, "text": text})).expect(202);
        let token = app.mail_to(email).token("/questions/confirm/");
        let page = anyone.outside().get(&format!("/api/v1/questions/confirm/{token}")).expect(200);
        assert!(page.text.contains("<button>"));
        assert!(anyone.get(&questions).expect(200).items().is_empty());
        let confirmed = anyone.post("/questions/confirm", json!({"token": token})).expect(200);
        anyone.post("/questions/confirm", json!({"token": token})).refused(410, "dead_link");
        confirmed.id()
    };
    let asked = [("a@firma.example", "Ét?"), ("b@andet.example", "To?"), ("A@firma.example", "Tre?")];
    let ids = asked.map(|(email, text)| ask(email, text));
    assert_eq!(staff.get(&questions).expect(200).each("status"), ["asked"; 3]);
    for (id, (email, text)) in ids.iter().zip(asked) {
        staff.post(&format!("/questions/{id}/answer"), json!({"answer": format!("Svar på {text}")})).expect(200);
        assert!(app.mail_to(email).text.contains(&format!("Svar på {text}")));
    }
    let public = anyone.get(&questions).expect(200);
    assert_eq!(public.each("asker"), ["Leverandør 1", "Leverandør 2", "Leverandør 1"]);
    assert!(!public.text.contains("firma.example"));
    staff.post(&format!("/questions/{}/answer", ids[0]), json!({"answer": "Igen"})).refused(409, "already_settled");
    app.advance(TimeDelta::days(60));
    anyone.post(&questions, json!({"email": "a@firma.example", "text": "Fire?"})).refused(409, "questions_closed");
}

#[test]
fn seats_are_kept_confirmed_waited_for_and_given_back() {
    let app = TestApp::start();
    let id = given::published(&app, "Natligt tilsyn");
    let anyone = app.anonymous();
    let event = anyone.get(&format!("/dialogues/{id}/events")).expect(200).items()[0].clone();
    let sign_up = |company: &str, email: &str| {
        app.advance(TimeDelta::seconds(1));
        let body = json!({"event_id": event["id"], "company": company, "name": "Ane", "email": email});
        let answer = anyone.post(&format!("/dialogues/{id}/signups"), body).expect(202);
        (answer["seat"].as_bool().unwrap(), app.mail_to(email).token("/signups/confirm/"))
    };
    let confirm = |token: &str, email: &str| {
        let answer = anyone.post("/signups/confirm", json!({"token": token})).expect(200);
        (answer.text_of("status"), app.mail_to(email))
    };
    let (seat_1, first) = sign_up("Firma 1", "a@firma.example");
    let (seat_2, second) = sign_up("Firma 2", "b@firma.example");
    let (seat_3, third) = sign_up("Firma 3", "c@firma.example");
    assert_eq!([seat_1, seat_2, seat_3], [true, true, false]);
    let (status, mail) = confirm(&first, "a@firma.example");
    assert_eq!(status, "confirmed");
    assert_eq!(confirm(&third, "c@firma.example").0, "waiting");
    assert_eq!(confirm(&second, "b@firma.example").0, "confirmed");
    assert_eq!(anyone.get(&format!("/dialogues/{id}/events")).expect(200).items()[0]["seats_left"], 0);
    let cancel = mail.token("/signups/cancel/");
    assert!(anyone.get(&format!("/signups/cancel/{cancel}")).expect(200).text.contains("<button>"));
    anyone.post_raw(&format!("/signups/cancel/{cancel}"), "application/x-www-form-urlencoded", "").expect(200);
    assert!(app.mail_to("c@firma.example").text.contains("Du har en plads"));
    let all = app.facilitator().get(&format!("/dialogues/{id}/signups")).expect(200);
    assert_eq!(all.each("status"), ["cancelled", "confirmed", "confirmed"]);
    anyone.get(&format!("/dialogues/{id}/signups")).expect(401);
}

#[test]
fn a_person_with_a_browser_gets_a_page() {
    let app = TestApp::start();
    let mut notice = given::notice("<b>Natligt</b> tilsyn");
    notice["description"] = "<script>alert(1)</script>".into();
    let process = given::process(&app, "Ro om natten");
    let id = given::draft(&app, &process, notice);
    publish(&app, &id);
    let page = app.anonymous().with("Accept", "text/html,*/*;q=0.8").get(&format!("/dialogues/{id}")).expect(200);
    assert!(page.header("Content-Type").starts_with("text/html"));
    assert!(page.text.contains("&lt;script&gt;") && !page.text.contains("<script>"));
    assert!(page.text.contains("29-01-2027 kl. 12.00 (dansk tid)"));
}

#[test]
fn a_written_answer_gets_a_receipt_and_a_late_one_is_marked_to_the_second() {
    let app = TestApp::start();
    let id = given::published(&app, "Natligt tilsyn");
    let path = format!("/dialogues/{id}/answers");
    let answer = |email: &str, answers: Value| json!({"company": "Firma ApS", "name": "Ane", "email": email, "answers": answers, "confidential": "Prisen"});
    let anyone = app.anonymous();
    anyone.post(&path, answer("a@firma.example", json!(["Ét", "To"]))).unfit(&[("/answers", "wrong_number")]);
    let deadline = "2027-01-29T11:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    app.advance(deadline - app.now());
    let receipt = anyone.post(&path, answer("a@firma.example", json!(["Det kan løses"]))).expect(201);
    assert_eq!(receipt["late"], false, "the deadline's own second is in time");
    assert!(app.mail_to("a@firma.example").text.contains(&receipt.text_of("receipt")));
    app.advance(TimeDelta::seconds(1));
    assert_eq!(anyone.post(&path, answer("b@firma.example", json!(["For sent"]))).expect(201)["late"], true);
    assert!(app.mail_to("b@firma.example").text.contains("efter svarfristen"));
    anyone.get(&path).expect(401);
    assert_eq!(app.facilitator().get(&path).expect(200).each("receipt")[0], receipt.text_of("receipt"));
}

#[test]
fn the_report_tells_all_that_was_done_with_the_market() {
    let app = TestApp::start();
    given::subscriber(&app, "a@firma.example", "immediate", json!({}));
    let id = given::published(&app, "Natligt tilsyn");
    app.mail_to("a@firma.example");
    let body = json!({"company": "Firma ApS", "name": "Ane", "email": "a@firma.example", "answers": ["Det kan løses"]});
    app.anonymous().post(&format!("/dialogues/{id}/answers"), body).expect(201);
    app.mail_to("a@firma.example");
    let staff = app.facilitator();
    staff.post(&format!("/dialogues/{id}/close"), json!({"summary": "Én svarede"})).expect(200);
    app.mail_to("a@firma.example");
    let path = format!("/dialogues/{id}/report");
    app.anonymous().get(&path).expect(401);
    let report = staff.get(&path).expect(200);
    assert_eq!(report["versions"].as_array().unwrap().len(), 2);
    assert_eq!(report["told"].as_array().unwrap().len(), 2);
    assert_eq!(report["suppliers"], 1);
    assert!(report["warnings"][0].as_str().unwrap().contains("Færre end to"));
    let page = staff.with("Accept", "text/html").get(&path).expect(200);
    assert!(page.text.contains("Én svarede") && page.text.contains("a@firma.example"));
}

#[test]
fn a_cpr_number_is_told_to_nobody() {
    let app = TestApp::start();
    let process = given::process(&app, "Nattero");
    let mut notice = given::notice("Nattero");
    notice["questions"] = json!(["Hvad gør I for 010190-1234?"]);
    let draft = given::draft(&app, &process, notice);
    let publish = || app.facilitator().post(&format!("/dialogues/{draft}/publish"), Value::Null);
    publish().unfit(&[("/questions/0", "cpr_number")]);
    app.facilitator().change(&format!("/dialogues/{draft}"), json!({"questions": ["Hvad gør I?"]})).expect(200);
    publish().expect(200);
    app.mails();
}

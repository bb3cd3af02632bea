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
    given::subscriber(&app, "a@firma.example", "immediate", json!({}));
    publish(&app, &id);
    app.mails();
    let change = json!({"lead_buyer_id": buyers[1].id, "change_reason": "Aarhus fører an"});
    staff.change(&format!("/dialogues/{id}"), change).expect(200);
    assert!(app.mail_to("a@firma.example").text.contains("Ledende køber: Odense Kommune → Aarhus Kommune"));
    let change = &app.anonymous().get(&format!("/dialogues/{id}/versions/2")).expect(200)["changes"][0];
    assert_eq!((&change["before"], &change["after"]), (&json!("Odense Kommune"), &json!("Aarhus Kommune")));
    let page = app.anonymous().outside().get(&format!("/dialogues/{id}")).expect(200);
    assert!(page.text.contains("<td>Odense Kommune</td><td>Aarhus Kommune</td>"), "{}", page.text);
}

#[test]
fn staff_reads_who_did_what_to_a_dialogue_when_and_why() {
    let app = TestApp::start();
    let id = given::published(&app, "Natligt tilsyn");
    let staff = app.facilitator();
    let change = json!({"title": "Tilsyn om natten", "change_reason": "Kortere"});
    staff.change(&format!("/dialogues/{id}"), change).expect(200);
    let answer = json!({"company": "Firma ApS", "name": "Ane", "email": "a@firma.example", "answers": ["I dag"]});
    app.anonymous().post(&format!("/dialogues/{id}/answers"), answer).expect(201);
    app.mail_to("a@firma.example");
    staff.post(&format!("/dialogues/{id}/cancel"), json!({"reason": "Ingen penge"})).expect(200);
    let history = staff.get(&format!("/dialogues/{id}/history")).expect(200);
    assert_eq!(history.each("deed"), ["drafted", "published", "changed", "received_answer", "cancelled"]);
    let (changed, cancelled) = (&history.items()[2], &history.items()[4]);
    assert_eq!(
        (&changed["reason"], &changed["data"]["version"], &changed["by"]),
        (&json!("Kortere"), &json!(2), &json!("facilitator"))
    );
    assert_eq!(cancelled["reason"], "Ingen penge");
    assert!(!history.text.contains("a@firma.example"), "history is kept for good, and people may be forgotten");
    app.member(&given::municipality(&app, "Odense Kommune"))
        .get(&format!("/dialogues/{id}/history"))
        .refused(403, "forbidden");
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
fn a_version_shows_only_what_it_changed() {
    let app = TestApp::start();
    let id = given::published(&app, "Natligt tilsyn");
    let mut events = app.anonymous().get(&format!("/dialogues/{id}")).expect(200)["events"].clone();
    let mut more = events[0].clone();
    more.as_object_mut().unwrap().remove("id");
    more["title"] = "Informationsmøde".into();
    more["seats"] = 1.into();
    events.as_array_mut().unwrap().push(more);
    let change = json!({"events": events, "change_reason": "Et møde mere"});
    app.facilitator().change(&format!("/dialogues/{id}"), change).expect(200);
    let second = app.anonymous().get(&format!("/dialogues/{id}/versions/2")).expect(200);
    assert_eq!(second["changes"][0]["before"], "");
    let after = second["changes"][0]["after"].as_str().unwrap();
    assert!(after.contains("Informationsmøde") && after.lines().count() == 1, "{after}");
    assert!(after.ends_with(", 1 plads"), "{after}");
}

#[test]
fn the_report_tells_a_lawyer_who_was_told_what_when_and_proves_it() {
    let app = TestApp::start();
    given::subscriber(&app, "a@firma.example", "immediate", json!({}));
    given::subscriber(&app, "b@firma.example", "daily", json!({}));
    let id = given::published(&app, "Natligt <tilsyn>");
    app.mail_to("a@firma.example");
    let (anyone, staff) = (app.anonymous(), app.facilitator());
    let warnings = staff.get(&format!("/dialogues/{id}")).expect(200)["warnings"].clone();
    assert!(warnings[0].as_str().unwrap().contains("Færre end to"));
    assert!(anyone.get(&format!("/dialogues/{id}")).expect(200)["warnings"].is_null());
    app.advance(TimeDelta::seconds(1));
    anyone.post(&format!("/dialogues/{id}/questions"), json!({"email": "q@firma.example", "text": "Ét?"})).expect(202);
    let token = app.mail_to("q@firma.example").token("/questions/confirm/");
    let question = anyone.post("/questions/confirm", json!({"token": token})).expect(200).id();
    staff.post(&format!("/questions/{question}/answer"), json!({"answer": "Ja."})).expect(200);
    app.mail_to("q@firma.example");
    let body = json!({"company": "Firma ApS", "cvr": "64942212", "name": "Ane", "email": "a@firma.example",
                      "answers": ["Det kan løses"], "confidential": "Prisen"});
    anyone.post(&format!("/dialogues/{id}/answers"), body).expect(201);
    app.mail_to("a@firma.example");
    app.advance(TimeDelta::hours(23));
    app.mail_to("b@firma.example");
    staff.post(&format!("/dialogues/{id}/close"), json!({"summary": "Én svarede"})).expect(200);
    app.mails();

    let path = format!("/dialogues/{id}/report");
    anyone.get(&path).expect(401);
    let report = staff.get(&path).expect(200);
    let first = &report["publications"][0];
    assert_eq!((first["recipients"].as_u64(), first["sent"].as_u64()), (Some(2), Some(2)));
    let at = |field: &str| first[field].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert!(at("published_at") <= at("first_queued_at") && at("first_queued_at") <= at("first_sent_at"));
    assert_eq!(at("last_sent_at") - at("first_sent_at"), TimeDelta::hours(23) + TimeDelta::seconds(1));
    assert_eq!(report["publications"].as_array().unwrap().len(), 2);
    assert_eq!(report["questions"][0]["mailed"][0]["recipient"], "q@firma.example");
    assert!(report["questions"][0]["mailed"][0]["sent_at"].is_string());
    let answer = &report["answers"][0];
    assert_eq!((answer["version"].as_i64(), answer["confidential"].as_bool()), (Some(1), Some(true)));
    assert!(!report.text.contains("Prisen") && !report.text.contains("Det kan løses"), "their words are not for it");
    assert_eq!(report["suppliers"], 1);
    assert_eq!(report["ledger_head"]["hash"], anyone.get("/ledger/head").expect(200)["hash"]);

    let link = report.text_of("page_url");
    let page = anyone.get(link.strip_prefix("https://skala.example").unwrap()).expect(200);
    for words in ["Én svarede", "a@firma.example", "Firma ApS (CVR 64942212)", "Natligt &lt;tilsyn&gt;", "hovedbog"] {
        assert!(page.text.contains(words), "{words}");
    }
    assert_eq!(page.header("Cache-Control"), "no-store");
    assert!(staff.with("Accept", "text/html").get(&path).expect(200).text.contains("Én svarede"));
    app.advance(TimeDelta::days(31));
    assert_eq!(app.mail_to("b@firma.example").subject, "Afsluttet markedsdialog: Natligt <tilsyn>");
    anyone.get(link.strip_prefix("https://skala.example").unwrap()).expect(410);
}

#[test]
fn a_deadline_is_held_to_the_second_through_both_changes_of_the_clock() {
    // In the minute that follows the hour left out in spring, at a second, and in the hour shown twice in autumn.
    for (deadline, words) in [
        ("2027-03-28T01:00:00Z", "28-03-2027 kl. 03.00 (dansk tid)"),
        ("2026-12-24T22:59:59Z", "24-12-2026 kl. 23.59.59 (dansk tid)"),
        ("2027-10-31T00:30:00Z", "31-10-2027 kl. 02.30 (dansk sommertid)"),
        ("2027-10-31T01:30:00Z", "31-10-2027 kl. 02.30 (dansk normaltid)"),
    ] {
        let app = TestApp::start();
        let process = given::process(&app, "Ro om natten");
        let mut notice = given::notice("Natligt tilsyn");
        notice["question_deadline"] = Value::Null;
        notice["events"] = json!([]);
        notice["answer_deadline"] = deadline.into();
        let id = given::draft(&app, &process, notice);
        publish(&app, &id);
        let shown = app.anonymous().get(&format!("/dialogues/{id}")).expect(200);
        assert_eq!(shown["danish_time"]["answer_deadline"], words);
        let end = deadline.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        for (second, late) in [(-1, false), (0, false), (1, true)] {
            app.advance(end + TimeDelta::seconds(second) - app.now());
            let body = json!({"company": "Firma", "name": "Ane", "email": "a@firma.example",
                              "answers": [second.to_string()]});
            let received = app.anonymous().post(&format!("/dialogues/{id}/answers"), body).expect(201);
            assert_eq!(received["late"], late, "{deadline} {second}");
            app.mail_to("a@firma.example");
        }
    }
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

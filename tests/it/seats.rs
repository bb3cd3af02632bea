//! Seats at events: never oversold, kept for a while, waited for, moved with the event.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::support::{Answer, Mail, TestApp, TestDatabase, given};

/// A published dialogue with one event, and the event's id.
fn with_event(app: &TestApp, event: Value) -> (String, String) {
    let process = given::process(app, "Ro om natten");
    let mut notice = given::notice("Natligt tilsyn");
    notice["events"] = json!([event]);
    let id = given::draft(app, &process, notice);
    app.facilitator().post(&format!("/dialogues/{id}/publish"), Value::Null).expect(200);
    let event = app.anonymous().get(&format!("/dialogues/{id}/events")).expect(200).items()[0]["id"].clone();
    (id, event.as_str().unwrap().to_owned())
}

fn conference(seats: i32) -> Value {
    json!({"kind": "conference", "title": "Leverandørkonference", "starts_at": "2027-01-12T09:00:00Z",
           "ends_at": "2027-01-12T12:00:00Z", "place": "Odense Rådhus", "seats": seats})
}

fn talks() -> Value {
    json!({"kind": "one_to_one", "title": "En-til-en", "starts_at": "2027-01-13T09:00:00Z",
           "ends_at": "2027-01-13T12:00:00Z", "slot_minutes": 60, "url": "https://moede.example/1"})
}

fn sign_up(app: &TestApp, dialogue: &str, event: &str, number: usize) -> Answer {
    let body = json!({"event_id": event, "company": format!("Firma {number}"), "name": "Ane Øst",
                      "email": format!("nr{number}@firma.example")});
    app.anonymous().post(&format!("/dialogues/{dialogue}/signups"), body).expect(202)
}

/// Signs up and confirms; returns how the sign-up stands.
fn confirmed(app: &TestApp, dialogue: &str, event: &str, number: usize) -> Answer {
    sign_up(app, dialogue, event, number);
    let token = app.mail_to(&format!("nr{number}@firma.example")).token("/signups/confirm/");
    let answer = app.anonymous().post("/signups/confirm", json!({"token": token})).expect(200);
    app.mail_to(&format!("nr{number}@firma.example"));
    answer
}

#[test]
fn many_at_once_on_two_nodes_never_get_more_seats_or_talks_than_there_are() {
    for (event, places) in [(conference(3), 3), (talks(), 3)] {
        let database = Arc::new(TestDatabase::migrated());
        let nodes = [TestApp::on(database.clone(), &[]), TestApp::on(database, &[])];
        let (dialogue, event) = with_event(&nodes[0], event);
        let people = 16;
        std::thread::scope(|scope| {
            for number in 0..people {
                let (node, dialogue, event) = (&nodes[number % 2], &dialogue, &event);
                scope.spawn(move || sign_up(node, dialogue, event, number));
            }
        });
        let tokens: Vec<String> = nodes.iter().flat_map(TestApp::mails).map(|m| m.token("/signups/confirm/")).collect();
        assert_eq!(tokens.len(), people);
        std::thread::scope(|scope| {
            for (number, token) in tokens.iter().enumerate() {
                let client = nodes[number % 2].anonymous();
                scope.spawn(move || client.post("/signups/confirm", json!({"token": token})).expect(200));
            }
        });
        nodes.iter().for_each(|node| drop(node.mails()));
        let all = nodes[0].facilitator().get(&format!("/dialogues/{dialogue}/signups")).expect(200).items();
        let seated: Vec<_> = all.iter().filter(|one| one["status"] == "confirmed").collect();
        assert_eq!(seated.len(), places);
        assert_eq!(all.iter().filter(|one| one["status"] == "waiting").count(), people - places);
        let mut slots: Vec<_> = seated.iter().filter_map(|one| one["slot"].as_str()).collect();
        let taken = slots.len();
        slots.sort_unstable();
        slots.dedup();
        assert_eq!(slots.len(), taken, "a talk was given twice");
    }
}

#[test]
fn a_seat_that_nobody_confirms_comes_free_by_itself_and_goes_to_who_waited_longest() {
    let app = TestApp::start();
    let (dialogue, event) = with_event(&app, conference(1));
    sign_up(&app, &dialogue, &event, 1);
    app.mail_to("nr1@firma.example");
    assert_eq!(confirmed(&app, &dialogue, &event, 2)["status"], "waiting");
    app.advance(TimeDelta::minutes(1));
    assert_eq!(confirmed(&app, &dialogue, &event, 3)["status"], "waiting");
    app.advance(TimeDelta::minutes(58));
    app.send_what_waits();
    assert!(app.mails().is_empty());
    app.advance(TimeDelta::minutes(1));
    assert_eq!(app.mail_to("nr2@firma.example").subject, "Du har en plads");
    assert!(app.mails().is_empty());
}

#[test]
fn a_late_newcomer_does_not_overtake_who_waits() {
    let app = TestApp::start();
    let (dialogue, event) = with_event(&app, conference(1));
    sign_up(&app, &dialogue, &event, 1);
    app.mail_to("nr1@firma.example");
    confirmed(&app, &dialogue, &event, 2);
    // No worker has looked since the hour ended.
    app.advance(TimeDelta::hours(1));
    assert_eq!(sign_up(&app, &dialogue, &event, 3)["seat"], false);
    let mails = app.mails();
    let subjects: Vec<_> = mails.iter().map(|mail| (mail.to.as_str(), mail.subject.as_str())).collect();
    assert!(subjects.contains(&("nr2@firma.example", "Du har en plads")), "{subjects:?}");
}

#[test]
fn who_signed_up_is_told_of_a_move_and_of_the_end_and_more_seats_let_people_in() {
    let app = TestApp::start();
    let (dialogue, event) = with_event(&app, conference(1));
    assert_eq!(confirmed(&app, &dialogue, &event, 1)["status"], "confirmed");
    assert_eq!(confirmed(&app, &dialogue, &event, 2)["status"], "waiting");
    let (staff, path) = (app.facilitator(), format!("/dialogues/{dialogue}"));
    let change = |seats: i32, place: &str| {
        let mut one = conference(seats);
        one["id"] = event.clone().into();
        one["place"] = place.into();
        json!({"events": [one], "change_reason": "Større sal"})
    };
    staff.change(&path, change(2, "Odense Rådhus")).expect(200);
    assert_eq!(app.mail_to("nr2@firma.example").subject, "Du har en plads");
    assert!(app.mails().is_empty(), "more seats change nothing for who has one");
    staff.change(&path, change(1, "Odense Rådhus")).unfit(&[("/events/0/seats", "fewer_than_taken")]);
    staff.change(&path, change(2, "Ørbæk Kro")).expect(200);
    let mails = app.mails();
    let to = |mails: &[Mail]| mails.iter().map(|mail| mail.to.clone()).collect::<Vec<_>>();
    assert_eq!(to(&mails), ["nr1@firma.example", "nr2@firma.example"]);
    assert_eq!(mails[0].subject, "Mødet er ændret");
    assert!(mails[0].text.contains("Ørbæk Kro") && mails[0].text.contains("Du har stadig din plads"), "{mails:?}");
    staff.change(&path, json!({"events": [], "change_reason": "Ingen møder"})).expect(200);
    let mails = app.mails();
    assert_eq!(to(&mails), ["nr1@firma.example", "nr2@firma.example"]);
    assert!(mails.iter().all(|mail| mail.subject == "Mødet er aflyst"));
    let all = staff.get(&format!("{path}/signups")).expect(200);
    assert_eq!(all.each("status"), ["cancelled", "cancelled"]);
}

#[test]
fn each_company_has_one_talk_of_the_same_length_and_a_moved_day_moves_them_all() {
    let app = TestApp::start();
    let (dialogue, event) = with_event(&app, talks());
    let first = confirmed(&app, &dialogue, &event, 1);
    let second = confirmed(&app, &dialogue, &event, 2);
    assert_eq!([first.text_of("slot"), second.text_of("slot")], ["2027-01-13T09:00:00Z", "2027-01-13T10:00:00Z"]);
    let again = json!({"event_id": event, "company": "FIRMA 1", "name": "Bo", "email": "bo@firma.example"});
    app.anonymous().post(&format!("/dialogues/{dialogue}/signups"), again).expect(202);
    let token = app.mail_to("bo@firma.example").token("/signups/confirm/");
    app.anonymous().post("/signups/confirm", json!({"token": token})).refused(409, "company_has_a_talk");
    let mut moved = talks();
    moved["id"] = event.into();
    moved["starts_at"] = "2027-01-14T08:00:00Z".into();
    moved["ends_at"] = "2027-01-14T11:00:00Z".into();
    let change = json!({"events": [moved], "change_reason": "Sygdom"});
    app.facilitator().change(&format!("/dialogues/{dialogue}"), change).expect(200);
    let mails = app.mails();
    assert_eq!(mails.len(), 2);
    assert!(mails[1].text.contains("14-01-2027 kl. 10.00 (dansk tid)"), "{}", mails[1].text);
    app.facilitator().post(&format!("/dialogues/{dialogue}/cancel"), json!({"reason": "Ingen penge"})).expect(200);
    assert_eq!(app.mails().iter().filter(|mail| mail.subject == "Mødet er aflyst").count(), 2);
}

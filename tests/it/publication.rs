//! Publishing is one instant: on every node, for page, lists and mail together, now or at a second that was set before.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::support::{TestApp, TestDatabase, given};

const AT: &str = "2026-12-01T07:00:00Z";

fn scheduled(app: &TestApp) -> String {
    let process = given::process(app, "Ro om natten");
    let id = given::draft(app, &process, given::notice("Natligt tilsyn"));
    let answer = app.facilitator().post(&format!("/dialogues/{id}/publish"), json!({"publish_at": AT})).expect(200);
    assert_eq!((answer["version"].as_i64(), answer["published_at"].as_str()), (Some(1), Some(AT)));
    id
}

fn until_publication(app: &TestApp) -> TimeDelta {
    AT.parse::<chrono::DateTime<chrono::Utc>>().unwrap() - app.now()
}

#[test]
fn what_is_scheduled_becomes_visible_at_its_second_on_every_node_and_is_dispatched_once() {
    let database = Arc::new(TestDatabase::migrated());
    let (app, other) = (TestApp::on(database.clone(), &[]), TestApp::on(database, &[]));
    given::subscriber(&app, "a@firma.example", "immediate", json!({}));
    let id = scheduled(&app);
    let path = format!("/dialogues/{id}");
    let staff = app.facilitator();
    assert_eq!(staff.get(&path).expect(200)["status"], "scheduled");
    assert_eq!(staff.get("/dialogues?status=scheduled").expect(200).each("id"), [id.as_str()]);
    assert!(staff.get("/dialogues?status=published").expect(200).items().is_empty());
    let before = TimeDelta::milliseconds(1);
    for node in [&app, &other] {
        node.advance(until_publication(node) - before);
        node.anonymous().get(&path).expect(404);
        node.anonymous().get(&format!("{path}/versions")).expect(404);
        assert!(node.anonymous().get("/dialogues").expect(200).items().is_empty());
        assert!(node.mails().is_empty());
        node.advance(before);
        // No worker has run since: the clock alone has made it public.
        let seen = node.anonymous().get(&path).expect(200);
        assert_eq!((seen["status"].as_str(), seen["published_at"].as_str()), (Some("published"), Some(AT)));
        assert_eq!(node.anonymous().get(&format!("{path}/versions")).expect(200).items().len(), 1);
        assert_eq!(node.anonymous().get("/dialogues").expect(200).each("id"), [id.as_str()]);
    }
    assert_eq!(app.mail_to("a@firma.example").subject, "Ny markedsdialog: Natligt tilsyn");
    assert!(other.mails().is_empty(), "the other node finds nothing left to send");
    let ledger = staff.get(&format!("{path}/ledger")).expect(200);
    assert_eq!(ledger.each("status"), ["sent"]);
}

#[test]
fn whoever_follows_the_changes_of_the_list_does_not_miss_what_the_clock_published() {
    let app = TestApp::start();
    scheduled(&app);
    // Something newer is read meanwhile: the follower's place lies beyond the scheduled row.
    let seen = given::published(&app, "Noget andet");
    let first = app.anonymous().get("/dialogues?order=changed").expect(200);
    assert_eq!(first.each("id"), [seen]);
    app.advance(until_publication(&app));
    app.mails();
    let next = app.anonymous().get(&format!("/dialogues?order=changed&since={}", first.text_of("next"))).expect(200);
    assert_eq!(next.each("title"), ["Natligt tilsyn"]);
}

#[test]
fn a_scheduled_publication_is_changed_moved_and_taken_back_and_the_market_hears_nothing() {
    let app = TestApp::start();
    given::subscriber(&app, "a@firma.example", "immediate", json!({}));
    let id = scheduled(&app);
    let (staff, path) = (app.facilitator(), format!("/dialogues/{id}"));
    // No reason is needed: nobody has seen it.
    staff.change(&path, json!({"title": "Tilsyn om natten"})).expect(200);
    let late = json!({"answer_deadline": "2026-12-01T07:00:00Z", "question_deadline": null});
    staff.change(&path, late).refused(409, "answer_deadline_passed");
    let moved = json!({"publish_at": "2026-12-02T07:00:00+01:00"});
    assert_eq!(staff.post(&format!("{path}/publish"), moved).expect(200)["published_at"], "2026-12-02T06:00:00Z");
    app.advance(until_publication(&app));
    app.anonymous().get(&path).expect(404);
    assert_eq!(staff.post(&format!("{path}/unschedule"), Value::Null).expect(200)["status"], "draft");
    staff.post(&format!("{path}/unschedule"), Value::Null).refused(409, "out_of_order");
    app.advance(TimeDelta::days(2));
    app.anonymous().get(&path).expect(404);
    assert!(app.mails().is_empty());
    let past = json!({"publish_at": "2026-12-01T07:00:00Z"});
    staff.post(&format!("{path}/publish"), past).unfit(&[("/publish_at", "not_ahead")]);
    staff.post(&format!("{path}/publish"), json!({})).expect(200);
    assert_eq!(app.mail_to("a@firma.example").subject, "Ny markedsdialog: Tilsyn om natten");
    assert_eq!(app.anonymous().get(&path).expect(200)["version"], 1);
}

#[test]
fn in_its_last_second_a_scheduled_dialogue_changes_no_more() {
    let app = TestApp::start();
    let id = scheduled(&app);
    let (staff, path) = (app.facilitator(), format!("/dialogues/{id}"));
    app.advance(until_publication(&app) - TimeDelta::milliseconds(500));
    staff.change(&path, json!({"title": "Tilsyn"})).refused(409, "about_to_be_published");
    staff.post(&format!("{path}/cancel"), json!({"reason": "Nej"})).refused(409, "about_to_be_published");
    app.advance(TimeDelta::milliseconds(500));
    staff.change(&path, json!({"title": "Tilsyn", "change_reason": "Kortere titel"})).expect(200);
    assert_eq!(app.anonymous().get(&path).expect(200)["version"], 2);
}

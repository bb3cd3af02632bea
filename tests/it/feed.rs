//! One feed of all that changed.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::support::{Client, TestApp, given};

/// Reads the feed from a cursor to its present end: ids, and where to go on.
fn follow(client: &Client, mut cursor: String, limit: usize) -> (Vec<String>, String) {
    let mut ids = Vec::new();
    loop {
        let page = client.get(&format!("/changes?limit={limit}&cursor={cursor}")).expect(200);
        let found = page.each("id");
        if let Some(next) = page["next"].as_str() {
            cursor = next.to_owned();
        }
        let done = found.len() < limit;
        ids.extend(found);
        if done {
            return (ids, cursor);
        }
    }
}

#[test]
fn the_feed_tells_what_changed_oldest_first_and_only_what_one_may_see() {
    let app = TestApp::start();
    let (odense, vejle) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Vejle Kommune"));
    let (own, other) = (app.member(&odense), app.member(&vejle));
    let id = own.post("/challenges", json!({"title": "Kladde", "problem": "Vi venter."})).expect(201).id();
    let bodies = vec![odense.id.clone(), vejle.id.clone()];
    assert_eq!(follow(&own, String::new(), 2).0, [bodies.clone(), vec![id.clone()]].concat());
    let (seen, place) = follow(&other, String::new(), 1);
    assert_eq!(seen, bodies, "a draft is its owner's alone");
    own.post(&format!("/challenges/{id}/submit"), json!({})).expect(200);
    assert_eq!(follow(&other, place.clone(), 1).0, vec![id.clone()]);
    let change = &other.get(&format!("/changes?cursor={place}")).expect(200).items()[0];
    assert_eq!(
        (&change["kind"], &change["status"], &change["title"]),
        (&json!("challenge"), &json!("submitted"), &json!("Kladde"))
    );
    own.get(change["url"].as_str().unwrap()).expect(200);
    // A dialogue once the market sees it, also when it is the clock that shows it.
    let (process, staff) = (given::process(&app, "Ro om natten"), app.facilitator());
    let dialogue = given::draft(&app, &process, given::notice("Natligt tilsyn"));
    let (seen, place) = follow(&other, place, 2);
    assert!(!seen.contains(&dialogue));
    assert!(follow(&staff, String::new(), 2).0.contains(&dialogue));
    let at = json!({"publish_at": "2026-12-01T07:00:00Z"});
    staff.post(&format!("/dialogues/{dialogue}/publish"), at).expect(200);
    assert!(follow(&other, place.clone(), 1).0.is_empty());
    app.advance(chrono::TimeDelta::days(30));
    app.send_what_waits();
    let change = &other.get(&format!("/changes?cursor={place}")).expect(200).items()[0];
    assert_eq!((&change["kind"], &change["status"]), (&json!("dialogue"), &json!("published")));
    other.get(change["url"].as_str().unwrap()).expect(200);
    let foreign = own.get("/challenges?order=changed").expect(200).text_of("next");
    own.get(&format!("/changes?cursor={foreign}")).unfit(&[("/cursor", "bad_cursor")]);
    app.anonymous().get("/changes").refused(401, "unauthorized");
}

#[test]
fn no_row_is_missed_or_repeated_while_others_write() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let writers: Vec<Client> = (0..4).map(|_| app.member(&odense)).collect();
    let (reader, staff) = (app.member(&odense), app.facilitator());
    let over = AtomicBool::new(false);
    let (mut written, mut seen) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        let following = scope.spawn(|| {
            let (mut ids, mut cursor) = (Vec::new(), String::new());
            loop {
                // Asked before the page is read, so that the last page comes after the last write.
                let last = over.load(Ordering::SeqCst);
                let (found, next) = follow(&reader, cursor, 3);
                ids.extend(found);
                cursor = next;
                if last {
                    return ids;
                }
            }
        });
        let writing = writers.iter().enumerate().map(|(writer, client)| {
            let staff = &staff;
            scope.spawn(move || {
                let write = |number: usize| {
                    let name = format!("{writer}-{number}");
                    if number.is_multiple_of(3) {
                        staff.post("/organisations", json!({"name": name, "kind": "port"})).expect(201).id()
                    } else {
                        client.post("/challenges", json!({"title": name, "problem": "Vi venter."})).expect(201).id()
                    }
                };
                (0..25).map(write).collect::<Vec<_>>()
            })
        });
        let writing: Vec<_> = writing.collect();
        written = writing.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
        over.store(true, Ordering::SeqCst);
        seen = following.join().unwrap();
    });
    written.push(odense.id.clone());
    assert_eq!(seen.len(), seen.iter().collect::<HashSet<_>>().len(), "a row came twice");
    assert_eq!(seen.into_iter().collect::<HashSet<_>>(), written.into_iter().collect::<HashSet<_>>());
}

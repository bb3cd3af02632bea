//! Answers at hand: quick, and never old.

use chrono::TimeDelta;
use serde_json::json;

use crate::support::{Client, Named, TestApp, given};

#[test]
fn what_strangers_read_is_at_hand_and_yet_never_old() {
    let app = TestApp::start();
    let strangers = |language: &str| app.anonymous().with("Accept-Language", language);
    let read = || strangers("da").get("/organisations").expect(200).each("name");
    assert_eq!(read(), Vec::<String>::new());
    for name in ["Odense Kommune", "Ærø Kommune"] {
        given::municipality(&app, name);
        assert_eq!(read()[0], name, "a write shows at once");
        assert_eq!(read()[0], name, "and again, from what is at hand");
    }

    let set = "/criteria-sets/welfare-technology";
    let (danish, english) = (strangers("da").get(set).expect(200), strangers("en").get(set).expect(200));
    assert_ne!(danish.etag(), english.etag());
    assert_eq!(strangers("da").get(set).text, danish.text);
    assert_eq!(strangers("da").with("If-None-Match", danish.etag()).get(set).expect(304).text, "");
    assert_eq!(strangers("da").with("If-None-Match", english.etag()).get(set).expect(200).text, danish.text);
    let metrics = app.anonymous().outside().get("/metrics").expect(200).text;
    let counted = r#"skala_http_requests_total{method="GET",route="/api/v1/criteria-sets/{key}",status="200"} 4"#;
    assert!(metrics.contains(counted), "{metrics}");
}

#[test]
fn what_somebody_may_see_is_at_hand_for_nobody_else() {
    let app = TestApp::start();
    let opened = json!({"title": "Ro om natten", "summary": "Sammen er det mere."});
    app.facilitator().post("/processes", opened).expect(201);
    for _ in 0..2 {
        assert_eq!(app.anonymous().get("/processes").expect(200).items().len(), 0);
        assert_eq!(app.facilitator().get("/processes").expect(200).items().len(), 1);
        app.bearer("nonsense").get("/processes").expect(401);
    }
}

/// Two nodes on one database.
fn two_nodes() -> (TestApp, TestApp) {
    let one = TestApp::start();
    let other = TestApp::on(one.database.clone(), &[]);
    (one, other)
}

/// An API key of somebody's: the key, and its id.
fn key_of(client: &Client) -> (String, String) {
    let key = client.post("/api-keys", json!({"name": "Sagssystemet", "scopes": ["challenges:read"]})).expect(201);
    (key.text_of("key"), key.id())
}

/// Asks until the answer is at hand: the first question may begin in a moment that this node knew too little of.
fn read_until_at_hand(client: &Client, path: &str) {
    for _ in 0..3 {
        client.get(path).expect(200);
    }
}

#[test]
fn what_somebody_who_is_signed_in_reads_is_at_hand_until_anything_is_committed() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let member = app.member(&odense);
    let path = format!("/organisations/{}", odense.id);
    let read = || member.get(&path).expect(200).text_of("name");
    assert_eq!(read(), "Odense Kommune");
    // Behind the service's back, so that it shows from where the answer comes.
    app.database.execute("UPDATE organisation SET name = 'Odense'");
    assert_eq!(read(), "Odense Kommune", "it is at hand");
    given::municipality(&app, "Vejle Kommune");
    assert_eq!(read(), "Odense", "any commit ends it");
    app.database.execute("UPDATE organisation SET name = 'Fyn'");
    assert_eq!(read(), "Odense");
    app.advance(TimeDelta::seconds(1));
    assert_eq!(read(), "Fyn", "and so does the second");
}

#[test]
fn no_node_shows_somebody_who_is_signed_in_less_than_another_committed() {
    let (one, other) = two_nodes();
    let (writes, reads) = (one.facilitator(), other.facilitator());
    for number in 0..10 {
        read_until_at_hand(&reads, "/challenges?limit=5");
        read_until_at_hand(&reads, "/organisations?order=changed");
        let name = format!("Kommune {number}");
        writes.post("/organisations", json!({"name": name, "kind": "municipality"})).expect(201);
        let seen = reads.get("/organisations?order=changed").expect(200).each("name");
        assert_eq!(seen.last(), Some(&name));
    }
}

#[test]
fn a_key_that_is_revoked_on_one_node_opens_nothing_on_another() {
    let (one, other) = two_nodes();
    let member = one.member(&given::municipality(&one, "Odense Kommune"));
    let (key, id) = key_of(&member);
    let nodes = [one.bearer(&key), other.bearer(&key)];
    nodes.iter().for_each(|node| read_until_at_hand(node, "/me"));
    member.delete(&format!("/api-keys/{id}")).expect(204);
    nodes.iter().for_each(|node| drop(node.get("/me").refused(401, "unauthorized")));
}

#[test]
fn a_session_that_ended_on_one_node_reads_nothing_on_another() {
    let (one, other) = two_nodes();
    let member = one.member(&given::municipality(&one, "Odense Kommune"));
    let token = member.token();
    let nodes = [one.bearer(&token), other.bearer(&token)];
    nodes.iter().for_each(|node| read_until_at_hand(node, "/challenges"));
    let session = member.get("/sessions").expect(200).items().remove(0)["id"].as_str().unwrap().to_owned();
    member.delete(&format!("/sessions/{session}")).expect(204);
    nodes.iter().for_each(|node| drop(node.get("/challenges").refused(401, "unauthorized")));
}

#[test]
fn a_role_that_was_taken_on_one_node_reads_nothing_on_another() {
    let (one, other) = two_nodes();
    let admin = one.admin();
    let id = admin.get("/me").expect(200).id();
    let token = admin.token();
    let nodes = [one.bearer(&token), other.bearer(&token)];
    nodes.iter().for_each(|node| read_until_at_hand(node, "/users"));
    one.admin().change(&format!("/users/{id}"), json!({"role": "facilitator"})).expect(200);
    nodes.iter().for_each(|node| drop(node.get("/users").refused(403, "forbidden")));
}

#[test]
fn a_token_that_expires_opens_nothing_that_was_at_hand() {
    let app = TestApp::start();
    let client = app.bearer(&app.facilitator().token());
    app.advance(TimeDelta::minutes(15) - TimeDelta::seconds(1));
    read_until_at_hand(&client, "/challenges");
    app.advance(TimeDelta::seconds(1));
    client.get("/challenges").refused(401, "unauthorized");
}

#[test]
fn what_is_at_hand_for_one_person_is_for_nobody_else() {
    let app = TestApp::start();
    let [odense, vejle] = ["Odense Kommune", "Vejle Kommune"].map(|name| given::municipality(&app, name));
    let (own, other) = (app.member(&odense), app.member(&vejle));
    let draft = given::drafted(&own, "Tunge løft");
    let (list, one) = ("/challenges".to_owned(), format!("/challenges/{}", draft.id));
    for _ in 0..3 {
        assert_eq!(own.get(&list).expect(200).items().len(), 1);
        assert_eq!(own.get(&one).expect(200).id(), draft.id);
        assert_eq!(other.get(&list).expect(200).items().len(), 0);
        other.get(&one).refused(404, "not_found");
        app.anonymous().get(&list).refused(401, "unauthorized");
        app.bearer(&format!("{}x", own.token())).get(&list).refused(401, "unauthorized");
        assert_ne!(own.get("/me").expect(200)["id"], other.get("/me").expect(200)["id"]);
    }
}

#[test]
fn an_answer_at_hand_depends_on_the_language_and_on_what_was_seen() {
    let app = TestApp::start();
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    let Named { id, .. } = given::drafted(&member, "Tunge løft");
    let (path, english) = (format!("/challenges/{id}"), member.with("Accept-Language", "en"));
    for _ in 0..3 {
        let (danish, english) = (member.get(&path).expect(200), english.get(&path).expect(200));
        assert_ne!((danish.etag(), &danish.text), (english.etag(), &english.text));
        assert_eq!(member.with("If-None-Match", danish.etag()).get(&path).expect(304).text, "");
        assert_eq!(member.with("If-None-Match", english.etag()).get(&path).expect(200).text, danish.text);
    }
}

#[test]
fn what_is_at_hand_counts_as_any_other_answer_does() {
    let app = TestApp::with(&[("SKALA_RATE_LIMIT", "2")]);
    let facilitator = app.facilitator();
    let statuses: Vec<u16> = (0..6).map(|_| facilitator.get("/challenges").status).collect();
    assert_eq!(statuses[..4], [200; 4], "a client may save up two seconds' worth");
    assert_eq!(statuses[4..], [429; 2], "from what is at hand too");
    let metrics = TestApp::on(app.database.clone(), &[]);
    let client = metrics.facilitator();
    (0..5).for_each(|_| drop(client.get("/challenges").expect(200)));
    let counted = r#"skala_http_requests_total{method="GET",route="/api/v1/challenges",status="200"} 5"#;
    let told = metrics.anonymous().outside().get("/metrics").expect(200).text;
    assert!(told.contains(counted), "{told}");
}

//! What every resource has in common: problems, languages, entity tags, idempotency, cursors, limits.

use chrono::TimeDelta;
use serde_json::{Value, json};
use ureq::http::Method;

use crate::support::{Answer, Client, TestApp, given};

fn body(name: &str) -> Value {
    json!({"name": name, "kind": "municipality"})
}

#[test]
fn a_problem_says_what_where_and_why_in_the_readers_language() {
    let app = TestApp::start();
    let post = |client: Client| client.post("/organisations", json!({"name": "", "kind": "port"})).expect(422);
    let danish = post(app.admin());
    assert_eq!(danish.header("Content-Type"), "application/problem+json");
    assert_eq!(danish.header("Content-Language"), "da");
    assert_eq!(danish.header("x-request-id"), danish.text_of("request_id"));
    assert_eq!(danish["instance"], "/api/v1/organisations");
    assert_eq!(danish["status"], 422);
    assert_eq!(danish["title"], "Indholdet kan ikke bruges");
    let flaw = json!({"pointer": "/name", "code": "required", "detail": "Feltet skal udfyldes"});
    assert_eq!(danish["errors"], json!([flaw]));

    let english = post(app.admin().with("Accept-Language", "en-GB, da;q=0.5"));
    assert_eq!(english.header("Content-Language"), "en");
    assert_eq!(english["title"], "The content cannot be used");
    assert_eq!(english["errors"][0]["detail"], "The field must be filled in");
    assert_eq!(english["type"], danish["type"]);
}

#[test]
fn two_requests_have_two_ids() {
    let app = TestApp::start();
    let id = || app.anonymous().get("/organisations").expect(200).header("x-request-id").to_owned();
    assert_ne!(id(), id());
}

#[test]
fn every_answer_carries_the_headers_that_protect() {
    let app = TestApp::start();
    for path in ["/api/v1/organisations", "/api/v1/nothing", "/docs", "/healthz"] {
        let answer = app.anonymous().outside().get(path);
        for (header, part) in [
            ("Content-Security-Policy", "default-src 'none'"),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
        ] {
            assert!(answer.header(header).contains(part), "{path}: {header}: {}", answer.header(header));
        }
    }
}

#[test]
fn head_answers_as_get_does_but_without_the_body() {
    let app = TestApp::start();
    let id = given::municipality(&app, "Odense Kommune").id;
    for client in [app.anonymous(), app.facilitator()] {
        let path = format!("/organisations/{id}");
        let (head, get) = (client.head(&path).expect(200), client.get(&path).expect(200));
        for name in ["ETag", "Content-Type", "Content-Length", "Cache-Control", "Vary"] {
            assert_eq!(head.header(name), get.header(name), "{name}");
        }
        client.head("/organisations/0").expect(404);
    }
    app.anonymous().head("/auth/token").expect(405);
}

#[test]
fn an_unknown_field_is_refused_where_it_stands() {
    let app = TestApp::start();
    let sent = json!({"name": "Odense", "kind": "port", "colour": "red"});
    app.admin().post("/organisations", sent).unfit(&[("/colour", "unknown_field")]);
    let query = app.anonymous().get("/organisations?colour=red");
    query.refused(422, "unfit");
}

#[test]
fn a_missing_field_and_a_wrong_type_point_to_their_place() {
    let app = TestApp::start();
    let admin = app.admin();
    admin.post("/organisations", json!({"kind": "port"})).unfit(&[("/name", "required")]);
    admin.post("/organisations", json!({"name": 7, "kind": "port"})).unfit(&[("/name", "wrong_type")]);
}

#[test]
fn what_is_no_json_is_unreadable() {
    let app = TestApp::start();
    for broken in ["{", "{\"name\": \"Odense\",}", "\u{0}", "{\"name\": \"\u{1}\"}"] {
        app.admin().post_raw("/organisations", "application/json", broken).refused(400, "unreadable");
    }
    let twice = format!("{0} {0}", body("Odense Kommune"));
    app.admin().post_raw("/organisations", "application/json", twice).refused(400, "unreadable");
    app.admin().post_raw("/organisations", "application/json", vec![b'{', 0xff, b'}']).refused(400, "unreadable");
}

#[test]
fn a_body_of_another_type_is_not_taken() {
    let app = TestApp::start();
    let sent = body("Odense Kommune").to_string();
    for kind in ["text/plain", "application/xml", "application/x-www-form-urlencoded", "application/jsonp", ""] {
        let refused = app.admin().post_raw("/organisations", kind, sent.clone());
        refused.refused(415, "unsupported_media_type");
    }
    app.admin().post_raw("/organisations", "Application/JSON; charset=utf-8", sent).expect(201);
}

#[test]
fn a_body_may_be_one_mebibyte_and_no_more() {
    let app = TestApp::start();
    let filled_to = |size: usize| {
        let sent = body("Odense Kommune").to_string();
        let spaces = " ".repeat(size - sent.len());
        format!("{sent}{spaces}")
    };
    app.admin().post_raw("/organisations", "application/json", filled_to(1024 * 1024)).expect(201);
    let too_large = || filled_to(1024 * 1024 + 1);
    app.admin().post_raw("/organisations", "application/json", too_large()).refused(413, "too_large");
    let keyed = app.admin().with("Idempotency-Key", "stor");
    keyed.post_raw("/organisations", "application/json", too_large()).refused(413, "too_large");
    app.anonymous().post_raw("/auth/token", "application/json", too_large()).refused(413, "too_large");
}

#[test]
fn what_was_seen_before_and_is_unchanged_is_not_sent_again() {
    let app = TestApp::start();
    let path = format!("/organisations/{}", given::municipality(&app, "Odense Kommune").id);
    let client = app.anonymous();
    let tag = client.get(&path).expect(200).etag();
    for seen in [tag.clone(), format!("\"0.da\", {tag}"), format!("W/{tag}"), "*".to_owned()] {
        let unchanged = client.with("If-None-Match", seen).get(&path).expect(304);
        assert_eq!((unchanged.etag(), unchanged.text.as_str()), (tag.clone(), ""));
    }
    client.with("If-None-Match", "\"0.da\"").get(&path).expect(200);
    let english = client.with("Accept-Language", "en").with("If-None-Match", tag.clone()).get(&path).expect(200);
    assert_ne!(english.etag(), tag, "the words differ by language, so the tag does");
    app.admin().change(&path, json!({"name": "Odense"})).expect(200);
    let changed = client.with("If-None-Match", tag.clone()).get(&path).expect(200);
    assert_ne!(changed.etag(), tag);
}

#[test]
fn a_change_needs_the_version_that_was_seen() {
    let app = TestApp::start();
    let path = format!("/organisations/{}", given::municipality(&app, "Odense Kommune").id);
    let admin = app.admin();
    let first = admin.get(&path).expect(200).etag();
    admin.patch(&path, json!({"name": "A"})).refused(428, "if_match_missing");
    let second = admin.with("If-Match", &first).patch(&path, json!({"name": "B"})).expect(200).etag();
    admin.with("If-Match", &first).patch(&path, json!({"name": "C"})).refused(412, "stale");
    admin.with("If-Match", "\"nonsense\"").patch(&path, json!({"name": "C"})).refused(412, "stale");
    admin.with("If-Match", format!("\"99.da\", {second}")).patch(&path, json!({"name": "D"})).expect(200);
    admin.with("If-Match", "*").patch(&path, json!({"name": "E"})).expect(200);
    assert_eq!(admin.get(&path).expect(200)["name"], "E");
}

#[test]
fn of_two_who_change_the_same_version_one_is_told() {
    let app = TestApp::start();
    let path = format!("/organisations/{}", given::municipality(&app, "Odense Kommune").id);
    let tag = app.anonymous().get(&path).expect(200).etag();
    let admin = app.admin().with("If-Match", tag);
    let statuses = at_once(8, |n| admin.patch(&path, json!({"name": format!("Udgave {n}")})).status);
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 7, "{statuses:?}");
}

/// Does the same thing in as many threads at once.
fn at_once<T: Send>(count: usize, deed: impl Fn(usize) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let deed = &deed;
        let running: Vec<_> = (0..count).map(|n| scope.spawn(move || deed(n))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn a_merge_patch_is_an_object_that_leaves_a_whole_thing() {
    let app = TestApp::start();
    let path = format!("/organisations/{}", given::municipality(&app, "Odense Kommune").id);
    let admin = app.admin();
    admin.change(&path, json!(["name"])).unfit(&[("", "not_an_object")]);
    // Nor is a list an object whose fields come in the order of the code.
    admin.post("/organisations", json!(["Aarhus Kommune", "municipality"])).unfit(&[("", "not_an_object")]);
    admin.change(&path, json!({"name": null})).unfit(&[("/name", "required")]);
    admin.change(&path, json!({"colour": "red"})).unfit(&[("/colour", "unknown_field")]);
    admin.change(&path, json!({"id": "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e"})).unfit(&[("/id", "unknown_field")]);
    let plain = admin.with("If-Match", "*");
    let json_type = Some(("application/json", b"{\"nuts\": null}".to_vec()));
    assert_eq!(plain.send(Method::PATCH, &path, json_type).expect(200)["nuts"], Value::Null);
    let text_type = Some(("text/plain", b"{}".to_vec()));
    plain.send(Method::PATCH, &path, text_type).refused(415, "unsupported_media_type");
}

#[test]
fn the_same_request_under_the_same_key_is_done_once() {
    let app = TestApp::start();
    let admin = app.admin().with("Idempotency-Key", "registrering-17");
    let first = admin.post("/organisations", body("Odense Kommune")).expect(201);
    app.advance(TimeDelta::hours(23));
    let again = admin.post("/organisations", body("Odense Kommune")).expect(201);
    assert_eq!(again.header("Idempotency-Replayed"), "true");
    assert_eq!((again.body.clone(), again.etag()), (first.body.clone(), first.etag()));
    assert_eq!(again.header("Location"), first.header("Location"));
    assert_eq!(app.anonymous().get("/organisations").expect(200).items().len(), 1);
}

#[test]
fn a_key_is_not_good_for_another_request() {
    let app = TestApp::start();
    let admin = app.admin().with("Idempotency-Key", "1");
    admin.post("/organisations", body("Odense Kommune")).expect(201);
    admin.post("/organisations", body("Aarhus Kommune")).unfit(&[("", "idempotency_key_reused")]);
    let elsewhere = json!({"email": "a@b.dk", "name": "Ane", "role": "facilitator"});
    admin.post("/users", elsewhere).unfit(&[("", "idempotency_key_reused")]);
}

#[test]
fn a_key_is_forgotten_after_a_day_and_keys_of_different_people_never_meet() {
    let app = TestApp::start();
    let admin = app.admin().with("Idempotency-Key", "1");
    admin.post("/organisations", body("Odense Kommune")).expect(201);
    app.admin().with("Idempotency-Key", "1").post("/organisations", body("Aarhus Kommune")).expect(201);
    app.advance(TimeDelta::hours(24));
    admin.post("/organisations", body("Ærø Kommune")).expect(201);
}

#[test]
fn a_refusal_is_kept_under_its_key_as_well() {
    let app = TestApp::start();
    let admin = app.admin();
    admin.post("/organisations", body("Odense Kommune")).expect(201);
    let keyed = admin.with("Idempotency-Key", "1");
    let first = keyed.post("/organisations", body("Odense Kommune")).refused(409, "name_taken");
    let again = keyed.post("/organisations", body("Odense Kommune")).refused(409, "name_taken");
    assert_eq!(again["detail"], first["detail"]);
    assert_eq!(again.header("Content-Type"), "application/problem+json");
}

#[test]
fn who_signs_in_after_being_refused_may_use_the_key_again() {
    let app = TestApp::start();
    let keyed = |client: Client| client.with("Idempotency-Key", "1").post("/organisations", body("Odense Kommune"));
    keyed(app.anonymous()).refused(401, "unauthorized");
    keyed(app.anonymous()).refused(401, "unauthorized");
    keyed(app.admin()).expect(201);
}

#[test]
fn a_secret_is_shown_once_even_under_a_key() {
    let app = TestApp::start();
    let admin = app.admin().with("Idempotency-Key", "1");
    let asked = json!({"name": "Sagssystemet", "scopes": ["admin"]});
    admin.post("/api-keys", asked.clone()).expect(201);
    let again = admin.post("/api-keys", asked).refused(409, "already_done");
    assert!(!again.text.contains("skala_"));
    assert_eq!(admin.get("/api-keys").expect(200).items().len(), 1);
}

#[test]
fn the_same_request_at_the_same_moment_is_done_once() {
    let app = TestApp::start();
    let admin = app.admin().with("Idempotency-Key", "1");
    let answers = at_once(8, |_| admin.post("/organisations", body("Odense Kommune")));
    for answer in answers {
        match answer.status {
            201 => {}
            _ => drop(answer.refused(409, "still_running")),
        }
    }
    assert_eq!(app.anonymous().get("/organisations").expect(200).items().len(), 1);
    admin.post("/organisations", body("Odense Kommune")).expect(201);
}

#[test]
fn a_request_that_was_cut_off_is_not_repeated_unseen() {
    let app = TestApp::start();
    let admin = app.admin().with("Idempotency-Key", "1");
    admin.post("/organisations", body("Odense Kommune")).expect(201);
    // As a node leaves it that dies between the claim and the answer.
    app.database.execute("UPDATE idempotency SET status = NULL, headers = NULL, body = NULL");
    admin.post("/organisations", body("Odense Kommune")).refused(409, "still_running");
    app.advance(TimeDelta::minutes(3));
    admin.post("/organisations", body("Odense Kommune")).refused(409, "cut_off");
}

#[test]
fn a_key_that_is_no_key_is_refused() {
    let app = TestApp::start();
    for key in ["", "æøå", "x".repeat(256).as_str()] {
        let refused = app.admin().with("Idempotency-Key", key).post("/organisations", body("Odense"));
        refused.unfit(&[("", "bad_idempotency_key")]);
    }
}

/// Follows `next` to the end.
fn all_pages(client: &Client, path: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next {
        let page = client.get(&path).expect(200);
        assert!(names.len() < 1000, "pages without end");
        names.extend(page.each("name"));
        next = link(&page);
        assert_eq!(next.is_some(), !page["next"].is_null(), "the Link header and the body agree");
    }
    names
}

/// The address of the next page, by the header.
fn link(page: &Answer) -> Option<String> {
    let (address, relation) = page.header("Link").split_once('>')?;
    assert_eq!(relation, "; rel=\"next\"");
    Some(address.trim_start_matches('<').to_owned())
}

#[test]
fn pages_show_every_row_once_newest_first() {
    let app = TestApp::start();
    let names: Vec<String> = (1..=7).map(|n| given::municipality(&app, &format!("Kommune {n}")).name).collect();
    let newest: Vec<String> = names.iter().rev().cloned().collect();
    for limit in [1, 2, 3, 6, 7, 8, 200] {
        assert_eq!(all_pages(&app.anonymous(), &format!("/organisations?limit={limit}")), newest);
    }
    let narrowed = all_pages(&app.anonymous(), "/organisations?limit=2&kind=municipality&q=kommune%20");
    assert_eq!(narrowed, newest, "the next page keeps what was asked");
}

#[test]
fn a_feed_of_changes_goes_on_where_it_stopped() {
    let app = TestApp::start();
    let client = app.anonymous();
    let first = given::municipality(&app, "Kommune 1");
    given::municipality(&app, "Kommune 2");
    let page = client.get("/organisations?order=changed").expect(200);
    assert_eq!(page.each("name"), ["Kommune 1", "Kommune 2"]);
    let since = |page: &Answer| format!("/organisations?order=changed&since={}", page.text_of("next"));
    let nothing_new = client.get(&since(&page)).expect(200);
    assert!(nothing_new.items().is_empty());
    assert_eq!(nothing_new["next"], page["next"], "it keeps its place");
    given::municipality(&app, "Kommune 3");
    app.admin().change(&format!("/organisations/{}", first.id), json!({"name": "Kommune 1a"})).expect(200);
    assert_eq!(client.get(&since(&page)).expect(200).each("name"), ["Kommune 3", "Kommune 1a"]);
}

#[test]
fn a_feed_that_is_followed_while_many_write_misses_nothing() {
    let app = TestApp::start();
    let (admin, reader) = (app.admin(), app.anonymous());
    let seen = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let admin = admin.clone();
                scope.spawn(move || {
                    for n in 0..10 {
                        admin.post("/organisations", body(&format!("Kommune {writer}-{n}"))).expect(201);
                    }
                })
            })
            .collect();
        let mut seen = Vec::new();
        let mut since = String::new();
        loop {
            let finished = writers.iter().all(std::thread::ScopedJoinHandle::is_finished);
            let page = reader.get(&format!("/organisations?order=changed&limit=7&since={since}")).expect(200);
            seen.extend(page.each("name"));
            since = page["next"].as_str().unwrap_or_default().to_owned();
            if finished && page.items().is_empty() {
                return seen;
            }
        }
    });
    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert_eq!((seen.len(), once.len()), (40, 40), "{seen:?}");
}

#[test]
fn a_limit_a_cursor_or_an_order_that_is_none_is_refused() {
    let app = TestApp::start();
    let client = app.anonymous();
    for name in ["Kommune 1", "Kommune 2"] {
        given::municipality(&app, name);
    }
    for limit in ["0", "201", "-1"] {
        client.get(&format!("/organisations?limit={limit}")).unfit(&[("/limit", "out_of_range")]);
    }
    client.get("/organisations?limit=mange").refused(422, "unfit");
    client.get("/organisations?order=sideways").unfit(&[("/order", "unknown_value")]);
    let cursor = client.get("/organisations?limit=1").expect(200).text_of("next");
    let others = ["%C3%A6", "AAAA", &cursor[2..], "b3JnYW5pc2F0aW9uLTo5OTk5OTk5OTk5OTk5OTk5OTk5OTp4"];
    for other in others {
        client.get(&format!("/organisations?cursor={other}")).unfit(&[("/cursor", "bad_cursor")]);
    }
    let turned = client.get(&format!("/organisations?order=changed&cursor={cursor}"));
    turned.unfit(&[("/cursor", "bad_cursor")]);
}

#[test]
fn who_asks_too_often_is_told_when_to_come_back() {
    let app = TestApp::with(&[("SKALA_RATE_LIMIT", "2")]);
    let client = app.anonymous();
    // Two seconds' worth may be saved up; more than that within the test's fraction of a second is too often.
    let answers: Vec<_> = (0..40).map(|_| client.get("/organisations")).collect();
    let refused: Vec<_> = answers.into_iter().filter(|answer| answer.status != 200).collect();
    assert!(!refused.is_empty(), "nobody was held back");
    for answer in refused {
        let answer = answer.refused(429, "too_many_requests");
        let seconds: u64 = answer.header("Retry-After").parse().unwrap();
        assert!((1..=2).contains(&seconds), "{seconds}");
    }
}

#[test]
fn a_trusted_proxys_clients_are_limited_apart_and_nobody_elses_word_counts() {
    let statuses = |app: &TestApp, header: &dyn Fn(usize) -> String| -> Vec<u16> {
        let client = app.anonymous();
        (0..12).map(|n| client.with("X-Forwarded-For", header(n)).get("/organisations").status).collect()
    };
    let behind_proxy = || TestApp::with(&[("SKALA_RATE_LIMIT", "1"), ("SKALA_TRUSTED_PROXIES", "127.0.0.1")]);
    let each_their_own = statuses(&behind_proxy(), &|n| format!("192.0.2.{n}"));
    assert_eq!(each_their_own, vec![200; 12]);
    let through_two = statuses(&behind_proxy(), &|n| format!("192.0.2.{n}, 127.0.0.1"));
    assert_eq!(through_two, vec![200; 12], "a proxy of ours is not the client");
    let pretended = statuses(&behind_proxy(), &|n| format!("192.0.2.{n}, 198.51.100.7"));
    assert!(pretended.contains(&429), "what the client wrote itself does not count");
    let direct = TestApp::with(&[("SKALA_RATE_LIMIT", "1")]);
    assert!(statuses(&direct, &|n| format!("192.0.2.{n}")).contains(&429));
}

#[test]
fn an_operator_sees_that_it_is_up_ready_and_what_it_did() {
    let app = TestApp::start();
    let operator = app.anonymous().outside();
    assert_eq!(operator.get("/healthz").expect(200)["status"], "ok");
    assert_eq!(operator.get("/readyz").expect(200)["status"], "ok");
    let organisation = given::municipality(&app, "Odense Kommune");
    app.anonymous().get(&format!("/organisations/{}", organisation.id)).expect(200);
    let metrics = operator.get("/metrics").expect(200).text;
    let counted = "skala_http_requests_total{method=\"GET\",route=\"/api/v1/organisations/{id}\",status=\"200\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
    assert!(!metrics.contains(&organisation.id), "a path may hold a secret; routes are counted");
}

#[test]
fn a_node_whose_tables_are_not_its_own_is_not_ready() {
    let app = TestApp::start();
    app.database.execute("DELETE FROM __diesel_schema_migrations");
    app.anonymous().outside().get("/readyz").refused(503, "not_ready");
    app.anonymous().outside().get("/healthz").expect(200);
}

#[test]
fn the_button_of_a_page_answers_a_browser_with_a_page_whatever_was_sent() {
    let app = TestApp::start();
    let form = "application/x-www-form-urlencoded";
    for path in [
        "/sponsorships/x",
        "/letters-of-intent/sign/x",
        "/outcomes/report/x",
        "/invitations/x",
        "/needs/follow/x",
        "/suggestions/invitation/x",
        "/support-requests/forget/x",
    ] {
        let browser = app.anonymous().with("Accept", "text/html,*/*;q=0.8").with("Accept-Language", "en");
        let page = browser.post_raw(path, form, "answer=maybe").expect(400);
        assert!(page.header("Content-Type").starts_with("text/html"), "{path}: {}", page.text);
        assert!(
            page.text.contains("That did not work") && page.text.contains("cannot be read"),
            "{path}: {}",
            page.text
        );
        app.anonymous().post_raw(path, form, "answer=maybe").refused(400, "unreadable");
    }
}

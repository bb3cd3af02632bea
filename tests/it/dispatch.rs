//! Everybody who asked hears the same, at the same moment, once.

use chrono::TimeDelta;
use serde_json::{Value, json};
use skala::mail::Failure;

use super::support::{TestApp, given};

fn publish(app: &TestApp, notice: Value) -> String {
    let process = given::process(app, "Ro om natten");
    let id = given::draft(app, &process, notice);
    app.facilitator().post(&format!("/dialogues/{id}/publish"), Value::Null).expect(200);
    id
}

fn recipients(app: &TestApp) -> Vec<String> {
    app.mails().into_iter().map(|mail| mail.to).collect()
}

#[test]
fn a_notice_reaches_exactly_those_who_confirmed_and_whose_filter_matches() {
    let app = TestApp::start();
    for (email, filter) in [
        ("alt@firma.example", json!({})),
        ("cpv@firma.example", json!({"cpv": ["33000000"]})),
        ("andet@firma.example", json!({"cpv": ["45000000"]})),
        ("ord@firma.example", json!({"text": "natlige tilsyn"})),
        ("sted@firma.example", json!({"nuts": ["DK03"]})),
        ("fjern@firma.example", json!({"cpv": ["33000000"], "nuts": ["DK05"]})),
    ] {
        given::subscriber(&app, email, "immediate", filter);
    }
    let body = json!({"email": "ubekræftet@firma.example", "filter": {}});
    app.anonymous().post("/subscriptions", body).expect(202);
    app.mail_to("ubekræftet@firma.example");
    let id = publish(&app, given::notice("Natligt tilsyn"));
    let mails = app.mails();
    let came: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(came, ["alt@firma.example", "cpv@firma.example", "ord@firma.example", "sted@firma.example"]);
    let mail = &mails[1];
    for words in [
        "CPV-koden 33195100, som hører under 33000000",
        "29-01-2027 kl. 12.00 (dansk tid)",
        "ingen betingelse",
        "forpligter ingen",
        "https://skala.example/subscriptions/",
        "/api/v1/unsubscribe/",
        &format!("https://skala.example/dialogues/{id}"),
    ] {
        assert!(mail.text.contains(words), "{words}\n{}", mail.text);
    }
    assert_eq!(mail.one_click.as_ref().unwrap().list_id, "dialogues.skala.example");
    let ledger = app.facilitator().get(&format!("/dialogues/{id}/ledger")).expect(200);
    assert_eq!(ledger.each("status"), ["sent"; 4]);
    let entry = ledger.items().into_iter().find(|entry| entry["recipient"] == mail.to.as_str()).unwrap();
    assert!(mail.message_id.starts_with(entry["delivery_id"].as_str().unwrap()));
}

#[test]
fn a_new_version_tells_all_who_were_told_and_whoever_matches_now_and_nobody_twice() {
    let app = TestApp::start();
    given::subscriber(&app, "a@firma.example", "immediate", json!({"text": "tilsyn"}));
    let id = publish(&app, given::notice("Natligt tilsyn"));
    assert_eq!(recipients(&app), ["a@firma.example"]);
    given::subscriber(&app, "b@firma.example", "immediate", json!({"text": "kørsel"}));
    let change = json!({"title": "Kørsel om natten", "description": "Om kørsel", "change_reason": "Rettet emne"});
    app.facilitator().change(&format!("/dialogues/{id}"), change).expect(200);
    let mails = app.mails();
    assert_eq!(mails.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), ["a@firma.example", "b@firma.example"]);
    assert!(mails[0].text.contains("du har fået en tidligere udgave") && mails[0].text.contains("Rettet emne"));
    assert!(mails[0].text.contains("Titel: Natligt tilsyn → Kørsel om natten"));
    app.send_what_waits();
    assert!(app.mails().is_empty());
    app.facilitator().post(&format!("/dialogues/{id}/cancel"), json!({"reason": "Ingen penge"})).expect(200);
    let mails = app.mails();
    assert_eq!(mails.len(), 2);
    assert!(mails[0].subject.starts_with("Aflyst") && mails[0].text.contains("Ingen penge"));
}

#[test]
fn one_address_with_two_filters_gets_one_letter() {
    let app = TestApp::start();
    given::subscriber(&app, "a@firma.example", "immediate", json!({"text": "tilsyn"}));
    given::subscriber(&app, "a@firma.example", "immediate", json!({"cpv": ["33000000"]}));
    publish(&app, given::notice("Natligt tilsyn"));
    assert_eq!(recipients(&app), ["a@firma.example"]);
}

#[test]
fn one_address_hears_once_and_by_the_first_letter_that_goes_of_all_that_match() {
    let app = TestApp::start();
    // Monday after seven: the next daily digest goes before the next weekly one.
    app.advance(TimeDelta::days(1));
    for (address, frequencies) in
        [("a@firma.example", ["daily", "immediate", "weekly"]), ("b@firma.example", ["weekly", "daily", "weekly"])]
    {
        for (frequency, filter) in
            frequencies.into_iter().zip([json!({}), json!({"text": "tilsyn"}), json!({"cpv": ["33000000"]})])
        {
            given::subscriber(&app, address, frequency, filter);
        }
    }
    // What would go sooner, and does not match, stands in nobody's way.
    given::subscriber(&app, "b@firma.example", "immediate", json!({"text": "kørsel"}));
    let id = publish(&app, given::notice("Natligt tilsyn"));
    let letter = app.mail_to("a@firma.example");
    assert!(letter.text.contains("ordene »tilsyn«"), "{}", letter.text);
    app.advance(TimeDelta::days(1));
    assert!(app.mail_to("b@firma.example").text.contains("ordene »tilsyn«"));
    app.advance(TimeDelta::days(8));
    assert!(app.mails().is_empty());
    let change = json!({"title": "Tilsyn om natten", "change_reason": "Rettet"});
    app.facilitator().change(&format!("/dialogues/{id}"), change).expect(200);
    // The second version is news to all who had the first: each by its quickest subscription.
    assert_eq!(recipients(&app), ["a@firma.example", "b@firma.example"]);
    app.advance(TimeDelta::days(8));
    assert!(app.mails().is_empty());
}

#[test]
fn a_digest_gathers_what_waits_and_a_near_deadline_does_not_wait() {
    let app = TestApp::start();
    given::subscriber(&app, "dag@firma.example", "daily", json!({}));
    given::subscriber(&app, "uge@firma.example", "weekly", json!({}));
    publish(&app, given::notice("Natligt tilsyn"));
    let id = publish(&app, given::notice("Kørsel"));
    app.facilitator()
        .change(&format!("/dialogues/{id}"), json!({"title": "Kørsel med el", "change_reason": "Præciseret"}))
        .expect(200);
    assert!(recipients(&app).is_empty(), "nothing goes before seven o'clock");
    app.advance(TimeDelta::hours(22));
    // Monday 07:00 in Denmark: both are due.
    let mails = app.mails();
    assert_eq!(
        mails.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(),
        ["dag@firma.example", "uge@firma.example"]
    );
    let text = &mails[0].text;
    assert_eq!(mails[0].subject, "2 nyheder om markedsdialoger");
    assert!(
        text.contains("Kørsel med el")
            && text.contains("Natligt tilsyn")
            && !text.contains("Ny markedsdialog: Kørsel\n")
    );
    let mut soon = given::notice("Haster");
    soon["question_deadline"] = Value::Null;
    soon["answer_deadline"] = "2026-11-24T05:30:00Z".into();
    soon["events"] = json!([]);
    publish(&app, soon);
    assert_eq!(recipients(&app), ["dag@firma.example", "uge@firma.example"]);
}

#[test]
fn a_clock_that_jumps_to_and_fro_sends_every_letter_once() {
    let app = TestApp::start();
    given::subscriber(&app, "straks@firma.example", "immediate", json!({}));
    given::subscriber(&app, "dag@firma.example", "daily", json!({}));
    publish(&app, given::notice("Natligt tilsyn"));
    assert_eq!(recipients(&app), ["straks@firma.example"]);
    let jumps =
        [(-48, None), (48, None), (22, Some("dag@firma.example")), (-24, None), (24, None), (-1, None), (48, None)];
    for (hours, told) in jumps {
        app.advance(TimeDelta::hours(hours));
        assert_eq!(recipients(&app), told.into_iter().collect::<Vec<_>>(), "after a jump of {hours} hours");
    }
    // What is published while the clock is wrong goes out all the same.
    app.advance(-TimeDelta::hours(30));
    publish(&app, given::notice("Kørsel"));
    assert_eq!(recipients(&app), ["straks@firma.example"]);
    app.advance(TimeDelta::days(3));
    assert_eq!(recipients(&app), ["dag@firma.example"]);
}

#[test]
fn a_digest_goes_before_the_notice_to_many_that_was_due_earlier() {
    let app = TestApp::start();
    given::subscriber(&app, "dag@firma.example", "daily", json!({}));
    publish(&app, given::notice("Natligt tilsyn"));
    app.send_what_waits();
    given::crowd(&app.node.db, (0..3).map(|number| format!("nr{number}@firma.example")), app.now());
    app.advance(TimeDelta::hours(21));
    publish(&app, given::notice("Kørsel"));
    app.advance(TimeDelta::hours(1));
    app.send_what_waits();
    let order: Vec<String> = app.mailbox.empty().into_iter().map(|(_, letter)| letter.to).collect();
    assert_eq!(order.len(), 4);
    assert_eq!(order[0], "dag@firma.example");
}

#[test]
fn whoever_leaves_between_queueing_and_sending_gets_nothing() {
    let app = TestApp::start();
    let left = given::subscriber(&app, "a@firma.example", "daily", json!({}));
    let erased = given::subscriber(&app, "b@firma.example", "daily", json!({}));
    let id = publish(&app, given::notice("Natligt tilsyn"));
    app.send_what_waits();
    let form = "deed=unsubscribe";
    app.anonymous()
        .outside()
        .post_raw(&format!("/subscriptions/{left}"), "application/x-www-form-urlencoded", form)
        .expect(200);
    app.anonymous().delete(&format!("/subscriptions/{erased}")).expect(204);
    app.advance(TimeDelta::days(1));
    assert!(recipients(&app).is_empty());
    let ledger = app.facilitator().get(&format!("/dialogues/{id}/ledger")).expect(200);
    assert_eq!(ledger.each("status"), ["suppressed"; 2]);
}

#[test]
fn a_letter_that_is_refused_for_now_goes_later_and_the_dispatch_ends_when_all_are_settled() {
    let app = TestApp::start();
    given::subscriber(&app, "a@firma.example", "immediate", json!({}));
    let process = given::process(&app, "Ro om natten");
    let id = given::draft(&app, &process, given::notice("Natligt tilsyn"));
    let staff = app.facilitator();
    let dispatch = staff.post(&format!("/dialogues/{id}/publish"), Value::Null).expect(200).text_of("dispatch_id");
    app.mailbox.refuse_next(Failure::ForNow("450 greylisted".into()));
    assert!(recipients(&app).is_empty());
    let shown = staff.get(&format!("/dispatches/{dispatch}")).expect(200);
    assert_eq!((shown["status"].as_str(), shown["queued"].as_i64()), (Some("expanded"), Some(1)));
    app.advance(TimeDelta::minutes(2));
    assert_eq!(recipients(&app), ["a@firma.example"]);
    let shown = staff.get(&format!("/dispatches/{dispatch}")).expect(200);
    assert_eq!((shown["status"].as_str(), shown["sent"].as_i64()), (Some("done"), Some(1)));
}

#[test]
fn a_version_that_cannot_be_read_stops_its_own_dispatch_and_no_other() {
    let app = TestApp::start();
    given::subscriber(&app, "a@firma.example", "immediate", json!({}));
    let damaged = given::published(&app, "Natligt tilsyn");
    // What no program writes.
    let set = |notice: &str, of: &str| {
        app.database.execute(&format!("UPDATE dialogue_version SET notice = {notice} WHERE dialogue_id = '{of}'"));
    };
    let copy = format!("(SELECT notice FROM dialogue WHERE id = '{damaged}')");
    set("'{'", &damaged);
    app.advance(TimeDelta::minutes(1));
    given::published(&app, "Kørsel");
    assert_eq!(app.mail_to("a@firma.example").subject, "Ny markedsdialog: Kørsel");
    // Nor does it stop what else the worker does.
    app.anonymous().post("/subscriptions", json!({"email": "ny@firma.example"})).expect(202);
    assert_eq!(app.mails().len(), 1);
    set(&copy, &damaged);
    assert_eq!(app.mail_to("a@firma.example").subject, "Ny markedsdialog: Natligt tilsyn");
}

#[test]
fn a_digest_goes_without_a_version_that_cannot_be_read_and_that_follows_when_it_can() {
    let app = TestApp::start();
    given::subscriber(&app, "dag@firma.example", "daily", json!({}));
    let damaged = given::published(&app, "Natligt tilsyn");
    given::published(&app, "Kørsel");
    assert!(app.mails().is_empty(), "nothing goes before seven o'clock");
    let set = |notice: &str| {
        app.database.execute(&format!("UPDATE dialogue_version SET notice = {notice} WHERE dialogue_id = '{damaged}'"));
    };
    set("'{'");
    app.advance(TimeDelta::hours(22));
    let mail = app.mail_to("dag@firma.example");
    assert!(mail.text.contains("Kørsel") && !mail.text.contains("Natligt tilsyn"), "{}", mail.text);
    app.advance(TimeDelta::minutes(2));
    assert!(app.mails().is_empty(), "it cannot be read yet");
    set(&format!("(SELECT notice FROM dialogue WHERE id = '{damaged}')"));
    app.advance(TimeDelta::minutes(10));
    assert!(app.mail_to("dag@firma.example").text.contains("Natligt tilsyn"));
    assert!(app.mails().is_empty(), "each was told once");
}

#[test]
fn a_large_audience_is_found_page_by_page() {
    let app = TestApp::start();
    given::crowd(&app.node.db, (0..1203).map(|number| format!("nr{number}@firma.example")), app.now());
    let id = publish(&app, given::notice("Natligt tilsyn"));
    assert_eq!(app.mails().len(), 1203);
    let ledger = app.facilitator().get(&format!("/dialogues/{id}/ledger")).expect(200);
    assert_eq!(ledger.items().len(), 1203);
}

#[test]
fn a_preview_shows_what_a_filter_would_have_brought_and_why() {
    let app = TestApp::start();
    let id = publish(&app, given::notice("Natligt tilsyn"));
    let preview = |filter: Value| app.anonymous().post("/subscriptions/preview", json!({"filter": filter})).expect(200);
    let found = preview(json!({"cpv": ["33000000"]})).items();
    assert_eq!(found[0]["dialogue"]["id"], id);
    assert_eq!(found[0]["why"][0]["kind"], "cpv");
    let missed = preview(json!({"cpv": ["33140000"]}));
    assert!(missed.items().is_empty());
    // The notice's own code, and the one around both; the narrower says more.
    assert_eq!(missed["hints"][0], json!({"kind": "cpv", "code": "33195100", "name": null, "adds": 1}));
    assert_eq!(preview(json!({"cpv": ["45000000"]}))["hints"], json!([]));
    app.advance(TimeDelta::days(366));
    assert!(preview(json!({})).items().is_empty());
}

#[test]
fn the_ledger_is_whole_outlives_erasure_and_shows_every_tampering() {
    use diesel::RunQueryDsl;
    use skala::db::DbError;
    use skala::dispatch::ledger::{verify, verify_by};
    let app = TestApp::start();
    let token = given::subscriber(&app, "a@firma.example", "immediate", json!({}));
    given::subscriber(&app, "b@firma.example", "daily", json!({}));
    publish(&app, given::notice("Natligt tilsyn"));
    publish(&app, given::notice("Kørsel"));
    app.mails();
    app.advance(TimeDelta::days(1));
    app.mail_to("b@firma.example");
    app.anonymous().delete(&format!("/subscriptions/{token}")).expect(204);
    let look = || super::support::wait_for(app.node.db.read(|connection| verify(connection, None))).unwrap();
    let tamper = |statement: &'static str| {
        let done = app.node.db.write(move |tx| Ok::<_, DbError>(diesel::sql_query(statement).execute(tx.connection)?));
        assert_eq!(super::support::wait_for(done).unwrap(), 1);
    };
    let whole = look();
    assert_eq!((whole.flaw.clone(), whole.deliveries), (None, 4));
    // However few are compared at a time.
    for window in [1, 3, 4] {
        let look = app.node.db.read(move |connection| verify_by(connection, None, window));
        assert_eq!(super::support::wait_for(look).unwrap(), whole);
    }
    tamper(
        "UPDATE delivery SET status = 'sent', id = '0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e' WHERE recipient LIKE 'b@%' \
            AND notice_version_id = (SELECT MIN(notice_version_id) FROM delivery)",
    );
    let flaw = "delivery 0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e is sent, and the ledger does not say so";
    assert_eq!(look().flaw.as_deref(), Some(flaw));
    tamper("UPDATE ledger_entry SET data = '{}' WHERE number = 2");
    assert_eq!(look().flaw.as_deref(), Some("entry 2 is not as it was written"));
    tamper("DELETE FROM ledger_entry WHERE number = 2");
    assert_eq!(look().flaw.as_deref(), Some("entry 2 is missing"));
}

#[test]
fn a_head_that_was_kept_shows_that_the_ledgers_end_was_cut_off_or_written_anew() {
    use diesel::RunQueryDsl;
    use skala::db::DbError;
    use skala::dispatch::ledger::{Head, Verdict, verify};
    let app = TestApp::start();
    assert_eq!(app.anonymous().get("/ledger/head").expect(200)["number"], 0);
    given::subscriber(&app, "a@firma.example", "immediate", json!({}));
    publish(&app, given::notice("Natligt tilsyn"));
    app.mails();
    let head = app.anonymous().get("/ledger/head").expect(200);
    let (number, hash) = (head["number"].as_i64().unwrap(), head.text_of("hash"));
    let kept: Head = format!("{number}:{hash}").parse().unwrap();
    assert!("x".parse::<Head>().is_err());
    let look = |kept: Head| -> Verdict {
        super::support::wait_for(app.node.db.read(move |connection| verify(connection, Some(&kept)))).unwrap()
    };
    publish(&app, given::notice("Kørsel"));
    app.mails();
    assert_eq!(look(kept.clone()).flaw, None, "it may grow");
    let other = Head { hash: "0".repeat(64), ..kept.clone() };
    assert_eq!(look(other).flaw, Some(format!("entry {number} is another than when its head was kept")));
    let cut = format!("DELETE FROM ledger_entry WHERE number >= {number}");
    let done = app.node.db.write(move |tx| Ok::<_, DbError>(diesel::sql_query(cut).execute(tx.connection)?));
    super::support::wait_for(done).unwrap();
    assert_eq!(look(kept).flaw, Some(format!("entries {number} to {number} are missing")));
}

#[test]
fn a_digest_has_the_dates_ahead_on_top_and_the_newest_news_first() {
    let app = TestApp::start();
    given::subscriber(&app, "a@firma.example", "weekly", json!({}));
    let later = || {
        app.send_what_waits();
        app.advance(TimeDelta::minutes(1));
    };
    publish(&app, given::notice("Natligt tilsyn"));
    later();
    let cancelled = publish(&app, given::notice("Kørsel"));
    later();
    let mut soon = given::notice("Løft");
    soon["question_deadline"] = "2027-01-05T11:00:00Z".into();
    publish(&app, soon);
    later();
    app.facilitator().post(&format!("/dialogues/{cancelled}/cancel"), json!({"reason": "Ingen penge"})).expect(200);
    later();
    app.advance(TimeDelta::hours(23));
    let mail = app.mail_to("a@firma.example");
    assert_eq!(mail.subject, "3 nyheder om markedsdialoger");
    let place = |words: &str| mail.text.find(words).unwrap_or_else(|| panic!("{words}\n{}", mail.text));
    let places = [
        "- 05-01-2027 kl. 12.00 (dansk tid): spørgefrist, Løft",
        "- 12-01-2027 kl. 10.00 (dansk tid): Leverandørkonference",
        "- 29-01-2027 kl. 12.00 (dansk tid): svarfrist, Natligt tilsyn",
        "Aflyst markedsdialog: Kørsel",
        "Ny markedsdialog: Løft",
        "Ny markedsdialog: Natligt tilsyn",
    ]
    .map(place);
    assert!(places.is_sorted(), "{places:?}\n{}", mail.text);
    assert!(!mail.text.contains("svarfrist, Kørsel"), "what is cancelled has no deadline");
}

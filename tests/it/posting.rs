//! How letters go out in number: over real sockets, past domains that are slow or refuse, and through every mishap.

use std::sync::mpsc;

use chrono::TimeDelta;
use serde_json::{Value, json};
use skala::dialogue::Dialogue;
use skala::dispatch::{postman, work};
use skala::kernel::{Email, Id};
use skala::mail::{Failure, Postman};
use skala::outbox::{Subject, history};
use skala::post::Outcome;
use skala::post::store::{Posted, Postmark, Term, entries, is_suppressed, lease, put_postmark};
use tokio::sync::watch;

use super::support::{Manner, Sink, TestApp, given, wait_for};

const HANDS: usize = 8;

fn smtp(app: &TestApp, url: &str) -> Postman {
    Postman::smtp(url, app.node.settings.mail_from.clone(), "skala.example").unwrap()
}

/// Publishes a dialogue to so many at each of these domains; returns the dialogue and its dispatch.
fn publish(app: &TestApp, domains: &[&str], each: usize) -> (String, String) {
    let addresses = domains.iter().flat_map(|domain| (0..each).map(move |number| format!("nr{number}@{domain}")));
    given::crowd(&app.node.db, addresses, app.now());
    let process = given::process(app, "Ro om natten");
    let id = given::draft(app, &process, given::notice("Natligt tilsyn"));
    let published = app.facilitator().post(&format!("/dialogues/{id}/publish"), Value::Null).expect(200);
    (id, published.text_of("dispatch_id"))
}

fn progress(app: &TestApp, dispatch: &str) -> (i64, i64, i64) {
    let shown = app.facilitator().get(&format!("/dispatches/{dispatch}")).expect(200);
    let count = |field: &str| shown[field].as_i64().unwrap();
    (count("queued"), count("sent"), count("failed"))
}

#[test]
fn a_domain_that_hangs_does_not_hold_up_the_others() {
    let app = TestApp::start();
    let hangs = |to: &str| to.ends_with("@hangs.example").then_some(Manner::HangsAtRecipient);
    let sink = Sink::by_recipient(hangs);
    publish(&app, &["hangs.example", "quick.example"], 60);
    // Ten minutes for an answer: whoever waits for that domain waits for good.
    let postman = smtp(&app, &format!("{}?timeout=600", sink.url));
    let (stop, stopping) = watch::channel(false);
    let (node, done) = (app.node.clone(), mpsc::channel::<()>());
    let working = std::thread::spawn(move || {
        wait_for(async {
            tokio::select! { () = work(node, postman, stopping) => {}, () = heard(done.1) => {} }
        });
    });
    while sink.letters().len() < 60 {
        std::thread::yield_now();
    }
    let tried = sink.commands().iter().filter(|heard| heard.contains("@hangs.example")).count();
    assert!((1..=HANDS / 4).contains(&tried), "{tried} hands wait for the domain that hangs");
    stop.send_replace(true);
    drop(done.0);
    working.join().unwrap();
    app.mails();
}

/// Returns when the other end is dropped.
async fn heard(end: mpsc::Receiver<()>) {
    tokio::task::spawn_blocking(move || end.recv().ok()).await.ok();
}

#[test]
fn a_domain_that_refuses_rests_and_the_others_get_their_letters() {
    let app = TestApp::start();
    let refuses = |to: &str| to.ends_with("@full.example").then_some(Manner::RefusesRecipient("450 4.2.1 try later"));
    let sink = Sink::by_recipient(refuses);
    let (_, dispatch) = publish(&app, &["full.example", "quick.example"], 100);
    app.send_by(&smtp(&app, &sink.url));
    assert_eq!((sink.letters().len(), progress(&app, &dispatch)), (100, (100, 100, 0)));
    let tried = sink.commands().iter().filter(|heard| heard.contains("@full.example")).count();
    assert!((20..20 + HANDS).contains(&tried), "{tried} letters were tried before the domain was let rest");
}

#[test]
fn a_greylisting_domain_gets_every_letter_at_the_second_try() {
    let app = TestApp::start();
    let seen = std::sync::Mutex::new(std::collections::HashSet::new());
    let greylists = move |to: &str| {
        seen.lock().unwrap().insert(to.to_owned()).then_some(Manner::RefusesRecipient("451 4.7.1 greylisted"))
    };
    let sink = Sink::by_recipient(greylists);
    let (_, dispatch) = publish(&app, &["a.example", "b.example"], 10);
    app.send_by(&smtp(&app, &sink.url));
    assert_eq!(progress(&app, &dispatch), (20, 0, 0));
    app.advance(TimeDelta::minutes(2));
    app.send_by(&smtp(&app, &sink.url));
    assert_eq!((sink.copies().len(), progress(&app, &dispatch)), (20, (0, 20, 0)));
}

#[test]
fn what_is_refused_for_good_is_given_up_and_a_dead_address_gets_no_more() {
    let app = TestApp::start();
    let refuses = |to: &str| {
        let answer =
            if to.starts_with("nr0@") { "550 5.1.1 <nr0@a.example>: no such mailbox" } else { "554 5.7.1 not you" };
        Some(Manner::RefusesRecipient(answer))
    };
    let sink = Sink::by_recipient(refuses);
    let (dialogue, dispatch) = publish(&app, &["a.example"], 2);
    app.send_by(&smtp(&app, &sink.url));
    assert_eq!(progress(&app, &dispatch), (0, 0, 2));
    let change = json!({"title": "Natligt tilsyn igen", "change_reason": "Præciseret"});
    app.facilitator().change(&format!("/dialogues/{dialogue}"), change).expect(200);
    let to: Vec<String> = app.mails().into_iter().map(|mail| mail.to).collect();
    assert_eq!(to, ["nr1@a.example"]);
    let ledger = app.facilitator().get(&format!("/dialogues/{dialogue}/ledger")).expect(200);
    let suppressed: Vec<_> = ledger.items().into_iter().filter(|entry| entry["status"] == "suppressed").collect();
    assert!(!ledger.text.contains("<nr0@a.example>"), "the server's words name no address: {}", ledger.text);
    assert!(suppressed[0]["answer"].as_str().unwrap().contains("there is no such mailbox"), "{suppressed:?}");
    // Whoever confirms anew is there again.
    given::subscriber(&app, "nr0@a.example", "immediate", json!({"cpv": ["33000000"]}));
    let change = json!({"title": "Natligt tilsyn til sidst", "change_reason": "Præciseret"});
    app.facilitator().change(&format!("/dialogues/{dialogue}"), change).expect(200);
    assert_eq!(app.mails().len(), 2);
}

#[test]
fn a_server_that_takes_few_connections_still_gets_every_letter() {
    let app = TestApp::start();
    let busy = [Manner::Greets("421 4.7.0 too many connections"); 3];
    let sink = Sink::with(&[busy.as_slice(), &[Manner::Takes]].concat());
    let (_, dispatch) = publish(&app, &["a.example", "b.example", "c.example"], 20);
    app.send_by(&smtp(&app, &sink.url));
    // Those that met a busy server go a little later, and count as tried; the others were not kept from going.
    app.advance(TimeDelta::minutes(2));
    app.send_by(&smtp(&app, &sink.url));
    assert_eq!((sink.copies().len(), progress(&app, &dispatch)), (60, (0, 60, 0)));
}

#[test]
fn while_the_mail_server_is_away_nothing_is_given_up() {
    let app = TestApp::start();
    let sink = Sink::with(&[Manner::Takes]);
    let (_, dispatch) = publish(&app, &["a.example"], 1);
    let mut days = 0;
    while days < 4 {
        app.mailbox.refuse_next(Failure::Away("connection refused".into()));
        app.send_what_waits();
        app.advance(TimeDelta::days(1));
        days += 1;
    }
    assert_eq!(progress(&app, &dispatch), (1, 0, 0));
    app.send_by(&smtp(&app, &sink.url));
    assert_eq!(progress(&app, &dispatch), (0, 1, 0));
}

#[test]
fn a_folder_that_cannot_be_written_keeps_letters_waiting() {
    let app = TestApp::start();
    let (_, dispatch) = publish(&app, &["a.example"], 1);
    let folder = app.database.folder.path().join("mails");
    std::fs::write(&folder, "in the way").unwrap();
    let postman = Postman::folder(folder.clone(), app.node.settings.mail_from.clone(), "skala.example");
    app.send_by(&postman);
    assert_eq!(progress(&app, &dispatch), (1, 0, 0));
    std::fs::remove_file(&folder).unwrap();
    app.advance(TimeDelta::minutes(2));
    app.send_by(&postman);
    assert_eq!((progress(&app, &dispatch), std::fs::read_dir(&folder).unwrap().count()), ((0, 1, 0), 1));
}

#[test]
fn a_disk_that_is_full_loses_no_letter_and_leaves_none_half_written() {
    let app = TestApp::start();
    let (dialogue, dispatch) = publish(&app, &["a.example"], 2);
    // Finds the recipients and sends nothing yet.
    app.mailbox.refuse_next(Failure::Away("not yet".into()));
    app.mailbox.refuse_next(Failure::Away("not yet".into()));
    app.send_what_waits();
    let folder = app.database.folder.path().join("mails");
    std::fs::create_dir(&folder).unwrap();
    let draft = |id: &str| folder.join(format!(".{}-{id}.eml", app.now().format("%Y%m%dT%H%M%S")));
    let versions = app.anonymous().get(&format!("/dialogues/{dialogue}/versions")).expect(200).each("id");
    let waiting = wait_for(app.node.db.read(move |connection| entries(connection, &versions))).unwrap();
    let drafts: Vec<_> = waiting.iter().map(|entry| draft(&entry.id)).collect();
    // Every write into this file says that there is no room (ENOSPC).
    drafts.iter().for_each(|draft| std::os::unix::fs::symlink("/dev/full", draft).unwrap());
    let postman = Postman::folder(folder.clone(), app.node.settings.mail_from.clone(), "skala.example");
    app.advance(TimeDelta::minutes(2));
    app.send_by(&postman);
    assert_eq!((progress(&app, &dispatch), std::fs::read_dir(&folder).unwrap().count()), ((2, 0, 0), 0));
    app.advance(TimeDelta::minutes(5));
    app.send_by(&postman);
    assert_eq!((progress(&app, &dispatch), std::fs::read_dir(&folder).unwrap().count()), ((0, 2, 0), 2));
}

#[test]
fn a_database_that_is_full_says_503_and_keeps_all_that_it_acknowledged() {
    use diesel::RunQueryDsl;
    let app = TestApp::start();
    if app.database.engine() != skala::db::Engine::Sqlite {
        // PostgreSQL's disk is filled by `cargo test --test faults database-full`.
        return;
    }
    let odense = given::municipality(&app, "Odense Kommune");
    let member = app.member(&odense);
    let bound = |statement: &'static str| {
        let set = app
            .node
            .db
            .write(move |tx| Ok::<_, skala::db::DbError>(diesel::sql_query(statement).execute(tx.connection)?));
        wait_for(set).unwrap();
    };
    // SQLite then says what it says when the disk has no room.
    bound("PRAGMA max_page_count = 1");
    let mut acknowledged = Vec::new();
    let refused = loop {
        let answer = member.post("/challenges", given::challenge_body("Natligt tilsyn"));
        match answer.status {
            201 => acknowledged.push(answer.id()),
            _ => break answer,
        }
        assert!(acknowledged.len() < 1000, "the bound is not one");
    };
    let refused = refused.refused(503, "unavailable");
    assert!(!refused.header("Retry-After").is_empty());
    app.anonymous().get("/organisations").expect(200);
    bound("PRAGMA max_page_count = 1000000");
    let again = member.post("/challenges", given::challenge_body("Natligt tilsyn")).expect(201).id();
    acknowledged.push(again);
    let mut kept = member.get("/challenges?limit=200").expect(200).each("id");
    kept.sort();
    acknowledged.sort();
    assert_eq!(kept, acknowledged);
}

#[test]
fn staff_pauses_a_dispatch_and_lets_it_go_on() {
    let app = TestApp::start();
    let (dialogue, dispatch) = publish(&app, &["a.example"], 5);
    let staff = app.facilitator();
    let path = |deed: &str| format!("/dispatches/{dispatch}/{deed}");
    staff.post(&path("pause"), json!({"reason": ""})).unfit(&[("/reason", "required")]);
    let paused = staff.post(&path("pause"), json!({"reason": "Fristen er forkert"})).expect(200);
    assert!(!paused["paused_at"].is_null());
    staff.post(&path("pause"), json!({"reason": "Igen"})).expect(200);
    // Whatever else is due goes.
    let other = given::subscriber(&app, "ny@b.example", "immediate", json!({}));
    assert_eq!(progress(&app, &dispatch), (5, 0, 0));
    let resumed = staff.post(&path("resume"), Value::Null).expect(200);
    assert!(resumed["paused_at"].is_null() && !other.is_empty());
    assert_eq!(app.mails().len(), 5);
    staff.post(&path("resume"), Value::Null).expect(200);
    let shown = staff.get(&format!("/dispatches/{dispatch}")).expect(200);
    assert_eq!((&shown["status"], &shown["sent"], &shown["seconds_left"]), (&json!("done"), &json!(5), &json!(0)));
    staff.post(&path("pause"), json!({"reason": "For sent"})).refused(409, "dispatch_done");
    let id: Id<Dialogue> = dialogue.parse().unwrap();
    let history = wait_for(app.node.db.read(move |connection| history(connection, Subject::Dialogue, id))).unwrap();
    let history: Vec<_> = history.iter().filter(|fact| fact.deed.starts_with("dispatch_")).collect();
    let [paused, resumed] = history.as_slice() else { panic!("{history:?}") };
    assert_eq!((paused.deed.as_str(), paused.reason.as_deref()), ("dispatch_paused", Some("Fristen er forkert")));
    assert_eq!(resumed.deed, "dispatch_resumed");
    app.member(&given::municipality(&app, "Odense Kommune")).post(&path("pause"), json!({"reason": "x"})).expect(403);
}

#[test]
fn a_clock_that_is_set_back_leaves_no_letter_on_lease() {
    let app = TestApp::start();
    let (_, dispatch) = publish(&app, &["a.example"], 3);
    app.send_by(&{
        app.mailbox.refuse_next(Failure::ForNow("450 later".into()));
        Postman::mailbox(app.mailbox.clone(), app.node.settings.mail_from.clone(), "skala.example")
    });
    assert_eq!(app.mailbox.empty().len(), 2);
    app.advance(TimeDelta::days(2));
    let (now, clock) = (app.now(), app.node.clock.clone());
    // A worker takes it and dies; then the clock is put right.
    let taken = app.node.db.write(move |tx| {
        let term = Term::of(TimeDelta::minutes(1), &clock, tx.connection)?;
        lease(tx, [10, 10, 10], term, &[], |_, _| None, now)
    });
    assert_eq!(wait_for(taken).unwrap().held.len(), 1);
    app.send_what_waits();
    assert!(app.mailbox.empty().is_empty(), "it is on lease");
    app.advance(TimeDelta::hours(-47));
    assert_eq!(app.mails().len(), 1);
    assert_eq!(progress(&app, &dispatch), (0, 3, 0));
}

#[test]
fn what_has_its_postmark_is_settled_by_whoever_comes_and_never_posted_again() {
    let app = TestApp::start();
    let (_, dispatch) = publish(&app, &["a.example"], 4);
    (0..4).for_each(|_| app.mailbox.refuse_next(Failure::ForNow("450 later".into())));
    app.send_what_waits();
    assert!(app.mails().is_empty());
    app.advance(TimeDelta::days(1));
    let (now, clock) = (app.now(), app.node.clock.clone());
    let taken = app.node.db.write(move |tx| {
        let term = Term::of(TimeDelta::minutes(1), &clock, tx.connection)?;
        lease(tx, [10, 10, 10], term, &[], |_, _| None, now)
    });
    let held = wait_for(taken).unwrap().held;
    let by_address = |address: &str| held.iter().find(|held| held.recipient.as_str() == address).unwrap();
    let mark = |address: &str, outcome: Outcome, gone: Option<&str>| {
        let letters = vec![Posted::of(by_address(address), &outcome, gone.map(str::to_owned))];
        let mark = Postmark { at: app.now(), letters };
        wait_for(app.node.db.write_aside(move |connection| put_postmark(connection, &mark))).unwrap();
    };
    // The worker dies before it has settled anything: one postmark cannot be read, and one letter has none.
    mark("nr2@a.example", Outcome::Sent { answer: "250 lost".into() }, None);
    app.database.execute("UPDATE postmark SET letters = '{'");
    mark("nr0@a.example", Outcome::Sent { answer: "250 taken".into() }, None);
    mark("nr0@a.example", Outcome::Sent { answer: "250 taken".into() }, None);
    mark("nr1@a.example", Outcome::Failed { answer: "550 5.1.1 unknown".into() }, Some("its hash"));
    app.send_what_waits();
    assert!(app.mailbox.empty().is_empty(), "the others are on lease");
    assert_eq!(progress(&app, &dispatch), (2, 1, 1));
    app.advance(TimeDelta::minutes(2));
    let mut to: Vec<String> = app.mails().into_iter().map(|mail| mail.to).collect();
    to.sort();
    assert_eq!(to, ["nr2@a.example", "nr3@a.example"]);
    assert_eq!(progress(&app, &dispatch), (0, 3, 1));
    let version = held[0].content.notices()[0].notice_version_id.clone();
    let told = wait_for(app.node.db.read(move |connection| entries(connection, &[version]))).unwrap();
    let of = |address: &str| told.iter().find(|entry| entry.recipient == address).unwrap();
    assert_eq!(of("nr0@a.example").settled_at, Some(now), "when the server answered, not when it was settled");
    assert_eq!(of("nr1@a.example").answer.as_deref(), Some("550 5.1.1 unknown"));
    let gets_no_more = app.node.db.read(|connection| is_suppressed(connection, "its hash"));
    assert!(wait_for(gets_no_more).unwrap());
    let ledger = wait_for(app.node.db.read(|connection| skala::dispatch::ledger::verify(connection, None))).unwrap();
    assert_eq!((ledger.flaw, ledger.deliveries), (None, 4));
}

#[test]
fn what_a_clock_that_was_ahead_put_off_goes_when_it_is_put_right() {
    let app = TestApp::start();
    app.advance(TimeDelta::days(40));
    given::subscriber(&app, "uge@b.example", "weekly", json!({}));
    let (_, dispatch) = publish(&app, &["a.example"], 1);
    app.mailbox.refuse_next(Failure::ForNow("450 later".into()));
    app.send_what_waits();
    assert!(app.mails().is_empty());
    app.advance(TimeDelta::days(-40));
    let mut to: Vec<String> = app.mails().into_iter().map(|mail| mail.to).collect();
    to.sort();
    assert_eq!(to, ["nr0@a.example", "uge@b.example"]);
    assert_eq!(progress(&app, &dispatch), (0, 2, 0));
}

#[test]
fn a_row_that_cannot_be_read_fails_alone() {
    let app = TestApp::start();
    let (_, dispatch) = publish(&app, &["a.example"], 4);
    app.mailbox.refuse_next(Failure::ForNow("450 later".into()));
    (0..3).for_each(|_| app.mailbox.refuse_next(Failure::ForNow("450 later".into())));
    app.send_what_waits();
    app.anonymous().post("/subscriptions", json!({"email": "ny@b.example"})).expect(202);
    // What no program writes: a reason, a letter, an address and a filter that are none.
    for damage in [
        "UPDATE delivery SET why = '{' WHERE recipient = 'nr0@a.example'",
        "UPDATE delivery SET recipient = 'nobody' WHERE recipient = 'nr1@a.example'",
        "UPDATE delivery SET letter = '{' WHERE recipient = 'ny@b.example'",
        "UPDATE subscription SET filter = '{' WHERE email = 'nr2@a.example'",
    ] {
        app.database.execute(damage);
    }
    app.advance(TimeDelta::minutes(2));
    assert_eq!(app.mail_to("nr3@a.example").subject, "Ny markedsdialog: Natligt tilsyn");
    assert_eq!(progress(&app, &dispatch), (0, 1, 3));
    let ledger = wait_for(app.node.db.read(|connection| skala::dispatch::ledger::verify(connection, None))).unwrap();
    assert_eq!((ledger.flaw, ledger.deliveries), (None, 4));
    let metrics = app.anonymous().outside().get("/metrics").expect(200).text;
    assert!(metrics.contains("skala_deliveries_total{outcome=\"failed\"} 4"), "{metrics}");
    // A damaged subscription keeps no other from the next notice.
    let process = given::process(&app, "Ro");
    let id = given::draft(&app, &process, given::notice("Kørsel"));
    app.facilitator().post(&format!("/dialogues/{id}/publish"), Value::Null).expect(200);
    assert_eq!(app.mails().len(), 3);
}

#[test]
fn headers_cannot_be_smuggled_in_by_any_text() {
    let app = TestApp::start();
    let sink = Sink::with(&[Manner::Takes]);
    given::subscriber(&app, "a@firma.example", "immediate", json!({}));
    let hostile = "Tilsyn\r\nBcc: x@y.example\r\n\r\n<script>alert(1)</script>";
    let process = given::process(&app, "Ro");
    let staff = app.facilitator();
    let mut notice = given::notice("Natligt tilsyn");
    notice["title"] = hostile.into();
    let refused = staff.post(&format!("/processes/{}/dialogues", process.id), notice.clone());
    assert_eq!(refused.status, 422, "a title is one line: {}", refused.text);
    notice["title"] = "<b>Tilsyn</b> & \"mere\"".into();
    notice["description"] = hostile.into();
    let id = given::draft(&app, &process, notice);
    staff.post(&format!("/dialogues/{id}/publish"), Value::Null).expect(200);
    app.send_by(&smtp(&app, &sink.url));
    let letter = sink.letters().remove(0);
    let (head, body) = letter.split_once("\n\n").unwrap();
    let names: Vec<&str> =
        head.lines().filter(|line| !line.starts_with(' ')).filter_map(|line| line.split(':').next()).collect();
    assert_eq!(
        names,
        [
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "Auto-Submitted",
            "List-Unsubscribe",
            "List-Unsubscribe-Post",
            "List-Id",
            "MIME-Version",
            "Content-Type"
        ]
    );
    assert!(
        !body.contains("<script>") || body.matches("<script>").count() == 1,
        "only the plain text holds it: {body}"
    );
    assert!(Email::parse("a@b.example\r\nBcc: x@y.example").is_none());
}

#[test]
fn a_key_that_cannot_be_read_is_said_so_at_the_start() {
    let app = TestApp::with(&[("SKALA_DKIM_KEY", "/nowhere/key.pem"), ("SKALA_DKIM_SELECTOR", "a")]);
    let said = postman(&app.node.settings).err().unwrap().to_string();
    assert!(said.starts_with("SKALA_DKIM_KEY: /nowhere/key.pem: "), "{said}");
}

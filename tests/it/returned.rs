//! What comes back is taken in by `skala bounce`, as a mail server's pipe hands it over.

use std::io::Write;
use std::process::Stdio;

use chrono::TimeDelta;
use serde_json::json;

use super::program::skala;
use super::support::{TestApp, given};

/// Hands a mail to the program; its exit code and what it said.
fn bounce(app: &TestApp, arguments: &[&str], mail: &str) -> (Option<i32>, String) {
    let mut command = skala(&app.database, &[&["bounce"], arguments].concat());
    command.env("SKALA_SECRET", "a secret that only the tests know of").env("SKALA_LOG", "off");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(mail.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap().trim().to_owned())
}

fn report(kind: &str, fields: &str, message_id: &str) -> String {
    format!(
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nTo: bounce@skala.example\nAuto-Submitted: auto-replied\n\
         MIME-Version: 1.0\nContent-Type: multipart/report; report-type={kind}; boundary=\"b\"\n\n--b\n\
         Content-Type: text/plain\n\nNej.\n\n--b\nContent-Type: message/{kind}\n\n{fields}\n\n--b\n\
         Content-Type: text/rfc822-headers\n\nMessage-ID: <{message_id}>\nSubject: x\n\n--b--\n"
    )
}

fn failed(status: &str, message_id: &str) -> String {
    let fields = format!(
        "Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; a@firma.example\nAction: failed\nStatus: {status}\n\
         Diagnostic-Code: smtp; 550 {status} no"
    );
    report("delivery-status", &fields, message_id)
}

/// Tells the market once more; returns the Message-IDs of the letters that came.
fn tell_again(app: &TestApp, dialogue: &str, title: &str) -> Vec<String> {
    app.advance(TimeDelta::minutes(1));
    let change = json!({"title": title, "change_reason": "Præciseret"});
    app.facilitator().change(&format!("/dialogues/{dialogue}"), change).expect(200);
    app.mails().into_iter().map(|mail| mail.message_id).collect()
}

#[test]
fn a_dead_address_gets_no_more_and_the_ledger_says_that_the_letter_came_back() {
    let app = TestApp::start();
    given::subscriber(&app, "a@firma.example", "immediate", json!({}));
    let dialogue = given::published(&app, "Natligt tilsyn");
    let id = app.mail_to("a@firma.example").message_id;
    assert_eq!(bounce(&app, &[], &failed("5.1.1", &id)), (Some(0), "the address gets no more".into()));
    assert_eq!(bounce(&app, &[], &failed("5.1.1", &id)), (Some(0), "nothing to do".into()), "the same report again");
    assert!(tell_again(&app, &dialogue, "Tilsyn to").is_empty());
    let staff = app.facilitator();
    let ledger = staff.get(&format!("/dialogues/{dialogue}/ledger")).expect(200);
    assert_eq!(ledger.each("status"), ["sent", "suppressed"]);
    let sent = &ledger.items()[0];
    assert!(sent["bounce"].as_str().unwrap().starts_with("5.1.1") && !sent["bounced_at"].is_null());
    let verdict =
        super::support::wait_for(app.node.db.read(|connection| skala::dispatch::ledger::verify(connection, None)))
            .unwrap();
    assert_eq!(verdict.flaw, None);
    // Whoever confirms anew is there again.
    given::subscriber(&app, "a@firma.example", "immediate", json!({"text": "tilsyn"}));
    assert_eq!(tell_again(&app, &dialogue, "Tilsyn tre").len(), 1);
}

#[test]
fn an_address_from_which_letters_keep_coming_back_gets_no_more() {
    let app = TestApp::start();
    given::subscriber(&app, "a@firma.example", "immediate", json!({}));
    let dialogue = given::published(&app, "Natligt tilsyn");
    let mut ids = vec![app.mail_to("a@firma.example").message_id];
    ids.extend((0..4).flat_map(|number| tell_again(&app, &dialogue, &format!("Tilsyn {number}"))));
    let said: Vec<_> = ids.iter().map(|id| bounce(&app, &[], &failed("5.2.2", id)).1).collect();
    assert_eq!(said, ["counted", "counted", "counted", "counted", "the address gets no more"]);
    assert!(tell_again(&app, &dialogue, "Tilsyn til sidst").is_empty());
}

#[test]
fn whoever_complains_is_unsubscribed_from_all() {
    let app = TestApp::start();
    let first = given::subscriber(&app, "a@firma.example", "immediate", json!({}));
    given::subscriber(&app, "a@firma.example", "daily", json!({"cpv": ["45000000"]}));
    given::subscriber(&app, "b@firma.example", "immediate", json!({}));
    let dialogue = given::published(&app, "Natligt tilsyn");
    let mails = app.mails();
    let id = &mails[0].message_id;
    let not_spam = report("feedback-report", "Feedback-Type: not-spam\nVersion: 1", id);
    assert_eq!(bounce(&app, &[], &not_spam), (Some(0), "nothing to do".into()));
    let abuse = report("feedback-report", "Feedback-Type: abuse\nUser-Agent: x/1\nVersion: 1", id);
    assert_eq!(bounce(&app, &[], &abuse), (Some(0), "2 subscriptions ended".into()));
    let shown = app.anonymous().get(&format!("/subscriptions/{first}")).expect(200);
    assert_eq!(shown["status"], "unsubscribed");
    assert_eq!(tell_again(&app, &dialogue, "Tilsyn to").len(), 1);
}

#[test]
fn the_mail_server_is_told_what_to_do_by_the_exit_code() {
    let app = TestApp::start();
    given::subscriber(&app, "a@firma.example", "immediate", json!({}));
    given::published(&app, "Natligt tilsyn");
    let id = app.mail_to("a@firma.example").message_id;
    let away = "From: a@firma.example\nAuto-Submitted: auto-replied\n\nFerie.\n";
    assert_eq!(bounce(&app, &[], away), (Some(0), "nothing to do".into()));
    let human = "From: a@firma.example\nSubject: Hej\n\nHvem er I?\n";
    assert_eq!(bounce(&app, &[], human), (Some(65), "skala: this is no report on a letter".into()));
    let unknown = failed("5.1.1", "01a20244-e800-752e-8f17-2866c192fa03@skala.example");
    assert_eq!(bounce(&app, &[], &unknown), (Some(0), "it speaks of no letter that is known".into()));
    let named = format!("bounce+{}@skala.example", id.split('@').next().unwrap().replace('-', ""));
    let nameless = failed("5.2.2", "x@y");
    assert_eq!(bounce(&app, &["--recipient", &named], &nameless), (Some(0), "counted".into()));
    let mut command = skala(&app.database, &["bounce"]);
    command.env("SKALA_DATABASE_URL", "postgres://nobody@127.0.0.1:1/none").env("SKALA_LOG", "off");
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(failed("5.1.1", &id).as_bytes()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(75));
}

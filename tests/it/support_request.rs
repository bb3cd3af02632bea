//! Help that is asked for: asking, answering, and what it adds up to.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Client, TestApp, given};

const FORM: &str = "application/x-www-form-urlencoded";

fn wish(kind: &str, group: &str, text: &str) -> Value {
    json!({"kind": kind, "user_group": group, "text": text})
}

fn asked(client: &Client, kind: &str, group: &str, text: &str) -> String {
    client.post("/support-requests", wish(kind, group, text)).expect(201).id()
}

#[test]
fn anybody_asks_with_an_address_that_is_confirmed_and_gets_the_answer_by_mail() {
    let app = TestApp::start();
    let anyone = app.anonymous();
    let mut ask = wish("template", "procurement", "Findes der en skabelon til en markedsdialog?");
    anyone.post("/support-requests", ask.clone()).unfit(&[("/email", "required")]);
    ask["email"] = json!("indkoeb@kommune.example");
    anyone.post("/support-requests", ask.clone()).expect(202);
    ask["text"] = json!("Ring til 61 81 27 76");
    ask["email"] = json!("ring@kommune.example");
    assert_eq!(anyone.post("/support-requests", ask).expect(202)["warnings"][0]["code"], "phone_number");
    let mails = app.mails();
    assert_eq!(mails.len(), 2);
    let token = mails[0].token("/support-requests/confirm/");
    let staff = app.facilitator();
    assert!(staff.get("/support-requests").expect(200).items().is_empty());
    anyone.post("/support-requests/confirm", json!({"token": token})).expect(204);
    anyone.post("/support-requests/confirm", json!({"token": token})).refused(410, "dead_link");
    assert_eq!(staff.get("/queue").expect(200).each("kind"), ["support_request"]);
    let id = staff.get("/support-requests?state=waiting&kind=template").expect(200).items()[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/support-requests/{id}");
    staff.post(&format!("{path}/close"), json!({})).unfit(&[("/reason", "required")]);
    staff.post(&format!("{path}/answer"), json!({"answer": "Ja, den ligger her."})).expect(200);
    let letter = app.mail_to("indkoeb@kommune.example");
    assert!(letter.text.contains("Ja, den ligger her.") && letter.text.contains("skabelon"), "{}", letter.text);
    assert_eq!(staff.post(&format!("{path}/close"), json!({})).expect(200)["state"], "closed");
    staff.post(&format!("{path}/answer"), json!({"answer": "Mere"})).refused(409, "wrong_state");
    assert!(staff.get("/queue").expect(200).items().is_empty());
    assert!(!staff.get("/support-requests").expect(200).text.contains("kommune.example"));
}

#[test]
fn whoever_asked_erases_the_address_or_the_words_by_the_link_in_the_mail() {
    let app = TestApp::start();
    let (staff, browser) = (app.facilitator(), app.anonymous().with("Accept", "text/html"));
    let ask = |email: &str| {
        let mut ask = wish("template", "procurement", "Findes der en skabelon?");
        ask["email"] = json!(email);
        app.anonymous().post("/support-requests", ask).expect(202);
        let mail = app.mail_to(email);
        let link = mail.link("/support-requests/forget/").strip_prefix("https://skala.example").unwrap().to_owned();
        let token = mail.token("/support-requests/confirm/");
        app.anonymous().post("/support-requests/confirm", json!({"token": token})).expect(204);
        (staff.get("/support-requests").expect(200).items()[0]["id"].as_str().unwrap().to_owned(), link)
    };
    // While it waits, it goes as a whole.
    let (id, link) = ask("ane@kommune.example");
    assert!(browser.get(&link).expect(200).text.contains("Findes der en skabelon?"));
    browser.post_raw(&link, FORM, "deed=erase").expect(200);
    staff.get(&format!("/support-requests/{id}")).refused(404, "not_found");
    browser.get(&link).expect(410);
    // Without the address it is still answered, and whoever asked hears nothing.
    let (id, link) = ask("bo@kommune.example");
    browser.post_raw(&link, FORM, "deed=stop").expect(200);
    staff.post(&format!("/support-requests/{id}/answer"), json!({"answer": "Ja."})).expect(200);
    assert!(app.mails().is_empty());
    // What was answered leaves what counts, and no word.
    browser.post_raw(&link, FORM, "deed=erase").expect(200);
    let left = staff.get(&format!("/support-requests/{id}")).expect(200);
    assert_eq!((&left["kind"], &left["text"]), (&json!("template"), &json!("(slettet af afsenderen)")));
}

#[test]
fn the_page_takes_a_request_and_shows_again_what_it_cannot_take() {
    let app = TestApp::start();
    let phone = app.anonymous().outside().with("Accept", "text/html");
    let page = phone.get("/hjaelp").expect(200);
    for words in ["partnerskabs- og finansieringsmodel", "videninstitution", "<textarea name=\"text\""] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    let sent = |rest: &str| phone.post_raw("/hjaelp", FORM, format!("kind=network&user_group=company&{rest}"));
    let wrong = sent("text=%3Ci%3Ehej%3C%2Fi%3E&email=x").expect(422);
    assert!(
        wrong.text.contains("&lt;i&gt;hej&lt;/i&gt;") && wrong.text.contains("value=\"network\" selected"),
        "{}",
        wrong.text
    );
    let personal = sent("text=Ring+61812776&email=ole%40firma.example").expect(422);
    assert!(personal.text.contains("telefonnummer"));
    sent("text=Ring+61812776&email=ole%40firma.example&warned=yes").expect(200);
    let link = app.mail_to("ole@firma.example").link("/support-requests/confirm/");
    let link = link.strip_prefix("https://skala.example").unwrap();
    phone.get(link).expect(200);
    phone.post_raw(link, FORM, "").expect(200);
    phone.post_raw(link, FORM, "").expect(410);
    assert_eq!(app.facilitator().get("/support-requests").expect(200).each("user_group"), ["company"]);
}

#[test]
fn who_is_signed_in_asks_at_once_and_sees_its_own_alone() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let (mette, other) = (app.member(&odense), app.member(&odense));
    let id = asked(&mette, "sparring", "innovation", "Hvordan inddrager vi indkøb tidligt?");
    assert_eq!(mette.get(&format!("/support-requests/{id}")).expect(200)["organisation"]["name"], "Odense Kommune");
    other.get(&format!("/support-requests/{id}")).refused(404, "not_found");
    assert!(other.get("/support-requests").expect(200).items().is_empty());
    mette.get("/support-requests/demand").refused(403, "forbidden");
    mette.post(&format!("/support-requests/{id}/answer"), json!({"answer": "x"})).refused(403, "forbidden");
    let staff = app.facilitator();
    staff
        .post(&format!("/support-requests/{id}/close"), json!({"reason": "Det har vi ikke folk til i år."}))
        .expect(200);
    let letter = app.mails().remove(0);
    assert!(letter.text.contains("ikke folk til i år"), "{}", letter.text);
    assert_eq!(mette.get(&format!("/support-requests/{id}")).expect(200)["reason"], "Det har vi ikke folk til i år.");
}

#[test]
fn demand_is_counted_by_kind_group_and_quarter_and_small_numbers_cannot_be_worked_out() {
    let app = TestApp::start();
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    let ask = |kind: &str, group: &str, count: usize| {
        for number in 0..count {
            asked(&member, kind, group, &format!("Spørgsmål {number}"));
        }
    };
    ask("template", "procurement", 5);
    ask("template", "innovation", 1);
    ask("network", "procurement", 4);
    ask("network", "innovation", 6);
    app.advance(TimeDelta::days(60));
    ask("guide", "company", 3);
    let demand = app.facilitator().get("/support-requests/demand").expect(200);
    let quarters = demand["quarters"].as_array().unwrap();
    assert_eq!(quarters.iter().map(|q| q["quarter"].as_str().unwrap()).collect::<Vec<_>>(), ["2027-Q1", "2026-Q4"]);
    assert_eq!(quarters[0]["sum"]["count"], 3);
    let autumn = &quarters[1];
    let row = |kind: &str| autumn["kinds"].as_array().unwrap().iter().find(|row| row["kind"] == kind).unwrap();
    let shown = |row: &Value| {
        row["counts"].as_array().unwrap()[..2]
            .iter()
            .map(|c| c["shown"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    // The one request does not follow from the sums: the three others of its rectangle are hidden with it.
    assert_eq!(shown(row("template")), ["*", "*"]);
    assert_eq!(shown(row("network")), ["*", "*"]);
    assert_eq!((&row("template")["sum"]["count"], &autumn["sum"]["count"]), (&json!(6), &json!(16)));
    assert!(!demand.text.contains("Odense") && !demand.text.contains("Spørgsmål"));
    let since = app.facilitator().get("/support-requests/demand?from=2027-01-15").expect(200);
    assert_eq!(since["quarters"].as_array().unwrap().len(), 1);
    app.facilitator().get("/support-requests/demand?from=2030-01-01").unfit(&[("/from", "out_of_range")]);
}

#[test]
fn what_recurs_without_an_answer_stands_on_top() {
    let app = TestApp::start();
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    let staff = app.facilitator();
    asked(
        &member,
        "case",
        "management",
        "Vi mangler eksempler på, at ledelsen har fået noget ud af et innovationspartnerskab.",
    );
    for text in [
        "Vi mangler en skabelon til kontrakt om rettigheder i et innovationspartnerskab.",
        "Findes der en skabelon til kontrakt og rettigheder ved innovationspartnerskab?",
        "Har I en skabelon for rettigheder i kontrakten til et innovationspartnerskab?",
    ] {
        asked(&member, "template", "legal", text);
    }
    let answered = asked(&member, "network", "procurement", "Er der et netværk for indkøbere af velfærdsteknologi?");
    staff.post(&format!("/support-requests/{answered}/answer"), json!({"answer": "Ja."})).expect(200);
    app.mails();
    let recurring = staff.get("/support-requests/recurring").expect(200).items();
    assert_eq!(recurring[0]["requests"].as_array().unwrap().len(), 3, "{recurring:#?}");
    assert!(recurring.iter().flat_map(|group| group["requests"].as_array().unwrap()).all(|r| r["kind"] != "network"));
    member.get("/support-requests/recurring").refused(403, "forbidden");
}

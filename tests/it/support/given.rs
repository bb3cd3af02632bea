//! States that tests begin from, reached as the world would reach them: through the API.

use serde_json::{Value, json};

use super::{Named, TestApp};

/// A municipality of this name.
pub fn municipality(app: &TestApp, name: &str) -> Named {
    organisation(app, json!({"name": name, "kind": "municipality", "nuts": "DK031"}))
}

/// An organisation.
pub fn organisation(app: &TestApp, body: Value) -> Named {
    let added = app.admin().post("/organisations", body).expect(201);
    Named { id: added.id(), name: added.text_of("name") }
}

/// A process that is running, with no body in it yet.
pub fn process(app: &TestApp, title: &str) -> Named {
    let staff = app.facilitator();
    let opened = staff.post("/processes", json!({"title": title, "summary": "Sammen er det mere."})).expect(201);
    let id = opened.id();
    staff.change(&format!("/processes/{id}"), json!({"status": "active"})).expect(200);
    Named { id, name: title.to_owned() }
}

/// What the market is told, in the least words.
pub fn notice(title: &str) -> Value {
    json!({
        "title": title, "description": "Tre kommuner vil føre natligt tilsyn uden at vække beboerne.",
        "nature": "supplies", "cpv": ["33195100-4"], "nuts": ["DK031"], "languages": ["da", "en"],
        "questions": ["Hvad kan løses i dag, og hvad mangler?"],
        "question_deadline": "2027-01-15T11:00:00Z", "answer_deadline": "2027-01-29T11:00:00Z",
        "contact": {"name": "Mette Holm", "email": "mette@odense.example"},
        "events": [{"kind": "conference", "title": "Leverandørkonference", "starts_at": "2027-01-12T09:00:00Z",
                    "ends_at": "2027-01-12T12:00:00Z", "place": "Odense Rådhus", "seats": 2}]
    })
}

/// A drafted dialogue.
pub fn draft(app: &TestApp, process: &Named, notice: Value) -> String {
    app.facilitator().post(&format!("/processes/{}/dialogues", process.id), notice).expect(201).id()
}

/// A dialogue that the market sees; its mails are left in the mailbox.
pub fn published(app: &TestApp, title: &str) -> String {
    let process = process(app, "Ro om natten");
    let id = draft(app, &process, notice(title));
    app.facilitator().post(&format!("/dialogues/{id}/publish"), Value::Null).expect(200);
    id
}

/// A confirmed subscription; returns its manage token.
pub fn subscriber(app: &TestApp, email: &str, frequency: &str, filter: Value) -> String {
    let wish = json!({"email": email, "language": "da", "frequency": frequency, "filter": filter});
    app.anonymous().post("/subscriptions", wish).expect(202);
    let token = app.mail_to(email).token("/subscriptions/confirm/");
    app.anonymous().post("/subscriptions/confirm", json!({"token": token})).expect(200).text_of("manage_token")
}

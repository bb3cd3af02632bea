//! States that tests begin from, reached as the world would reach them: through the API.

use serde_json::{Value, json};
use skala::db::{Db, DbError};
use skala::kernel::{Email, Id, Instant};
use skala::subscription::{Consent, State, Subscription, store};

use super::{Client, Named, TestApp};

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

/// Confirmed subscribers in number, who want everything: put in directly, since each would cost two letters.
pub fn crowd(db: &Db, addresses: impl Iterator<Item = String>, now: Instant) {
    let addresses: Vec<String> = addresses.collect();
    let put = db.write(move |tx| {
        for address in addresses {
            let subscription = Subscription {
                id: Id::made_at(now),
                email: Email::parse(&address).unwrap(),
                body: serde_json::from_value(json!({})).unwrap(),
                state: State::Confirmed { confirmed_at: now },
                consent: Consent { text: "ja".into(), at: now, source: "test".into() },
                created_at: now,
                updated_at: now,
                version: 1,
            };
            store::insert(tx, &subscription)?;
        }
        Ok::<_, DbError>(())
    });
    super::wait_for(put).unwrap();
}

/// What a municipality could tell of a challenge: whole, and met by the criteria of `welfare-technology`.
pub fn challenge_body(title: &str) -> Value {
    json!({
        "title": title,
        "problem": "Nattevagterne går fire runder hver nat. Mange beboere vågner, og de fleste tilsyn viser, at alt er i orden.",
        "desired_effect": "Nattevagten går kun ind, når nogen har brug for det.",
        "affected_users": "beboere på plejehjem, nattevagter",
        "theme": "velfærdsteknologi",
        "cpv": ["33190000-8"],
        "nuts": ["DK031"],
        "contacts": [{"name": "Mette Holm", "email": "mette@odense.example", "department": "innovation"}],
        "time_savings": {"minutes_per_occasion": 6, "occasions_per_week": 140, "staff_count": 30, "basis": "measured"},
        "scale": {"known_bodies": ["Vejle Kommune"], "volume": {"quantity": 1200, "unit": "plejeboliger"}},
        "anchoring": {
            "political": {"name": "Ib Lund", "title": "Rådmand", "date": "2026-10-01"},
            "administrative": {"name": "Eva Skov", "title": "Direktør", "date": "2026-10-02"},
        },
    })
}

/// A draft of this member's body.
pub fn drafted(member: &Client, title: &str) -> Named {
    let drafted = member.post("/challenges", challenge_body(title)).expect(201);
    Named { id: drafted.id(), name: title.to_owned() }
}

/// A challenge that waits for CO-PI's decision.
pub fn submitted(member: &Client, title: &str) -> Named {
    let challenge = drafted(member, title);
    member.post(&format!("/challenges/{}/submit", challenge.id), json!({})).expect(200);
    challenge
}

/// A challenge that CO-PI approved; the letter to its owner is read.
pub fn approved(app: &TestApp, member: &Client, title: &str) -> Named {
    let challenge = submitted(member, title);
    app.facilitator().post(&format!("/challenges/{}/approve", challenge.id), json!({})).expect(200);
    app.mails();
    challenge
}

/// A process around these challenges, open to the public.
pub fn gathered(app: &TestApp, title: &str, challenges: &[&Named]) -> Named {
    let staff = app.facilitator();
    let ids: Vec<&str> = challenges.iter().map(|challenge| challenge.id.as_str()).collect();
    let summary = "Kommunerne vil have færre unødige tilsyn om natten.";
    let opened =
        staff.post("/processes", json!({"title": title, "summary": summary, "challenge_ids": ids})).expect(201);
    let path = format!("/processes/{}", opened.id());
    let cap = json!({"amount": 160_000_000, "currency": "DKK"});
    staff.change(&path, json!({"status": "active", "option_cap": cap})).expect(200);
    Named { id: opened.id(), name: title.to_owned() }
}

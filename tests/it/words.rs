//! Whatever anybody writes, field by field: a text that reaches a letter is refused where it stands, or it arrives as
//! text, in exactly one letter with the headers that letters have.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use skala::mail::Postman;

use super::support::{Answer, Client, Manner, Sink, TestApp, given};

/// What people write who are up to something, and what they write who are not. All speak of a `tilsyn`.
const WORDS: [&str; 9] = [
    "Tilsyn\r\nBcc: x@y.example\r\n\r\nSom om det var en mail til",
    "Tilsyn\nBcc: x@y.example",
    "Tilsyn\0 og mere",
    "Tilsyn\u{b}\u{1b}[31m og mere",
    "Tilsyn =?utf-8?q?=0D=0ABcc:_x=40y.example?= og mere",
    "Tilsyn <script>alert(1)</script><img src=x onerror=alert(1)>",
    "Tilsyn \u{202e}nysliT\u{202c} og \u{2066}mere\u{2069}",
    "Tilsyn\u{2028}Bcc: x@y.example\u{85}Cc: x@y.example",
    "Tilsyn & \"rødgrød med fløde\" <på> Ærø – 'nu'",
];

/// Refused for what they hold, and for nothing else.
const CODES: [&str; 2] = ["control_character", "markup"];

/// A field, its place in the request's body, and how words in it come to reach a letter. The answer is that to the request
/// that holds them.
struct Field {
    name: &'static str,
    pointer: &'static str,
    write: fn(&TestApp, &str) -> Answer,
}

const FIELDS: [Field; 38] = [
    Field { name: "notice", pointer: "/title", write: |app, words| notice(app, "/title", words) },
    Field { name: "notice", pointer: "/description", write: |app, words| notice(app, "/description", words) },
    Field { name: "notice", pointer: "/questions/0", write: |app, words| notice(app, "/questions/0", words) },
    Field { name: "notice", pointer: "/contact/name", write: |app, words| notice(app, "/contact/name", words) },
    Field { name: "notice", pointer: "/events/0/title", write: |app, words| notice(app, "/events/0/title", words) },
    Field { name: "notice", pointer: "/events/0/place", write: |app, words| notice(app, "/events/0/place", words) },
    Field {
        name: "notice",
        pointer: "/documents/0/title",
        write: |app, words| notice(app, "/documents/0/title", words),
    },
    Field {
        name: "change",
        pointer: "/change_reason",
        write: |app, words| {
            let path = format!("/dialogues/{}", told(app));
            app.facilitator().change(&path, json!({"title": "Tilsyn om natten", "change_reason": words}))
        },
    },
    Field {
        name: "cancellation",
        pointer: "/reason",
        write: |app, words| {
            let path = format!("/dialogues/{}/cancel", told(app));
            app.facilitator().post(&path, json!({"reason": words}))
        },
    },
    Field {
        name: "closing",
        pointer: "/summary",
        write: |app, words| {
            let path = format!("/dialogues/{}/close", told(app));
            app.facilitator().post(&path, json!({"summary": words}))
        },
    },
    Field {
        name: "process",
        pointer: "/title",
        write: |app, words| {
            let staff = app.facilitator();
            let opened = staff.post("/processes", json!({"title": words, "summary": "Sammen er det mere."}));
            if opened.status == 201 {
                staff.change(&format!("/processes/{}", opened.id()), json!({"status": "active"})).expect(200);
                let drafted = staff.post(&format!("/processes/{}/dialogues", opened.id()), given::notice("Tilsyn"));
                staff.post(&format!("/dialogues/{}/publish", drafted.expect(201).id()), Value::Null).expect(200);
            }
            opened
        },
    },
    Field {
        name: "filter",
        pointer: "/filter/text",
        write: |app, words| {
            let wish = json!({"email": address(app), "filter": {"text": words}});
            let wished = app.anonymous().post("/subscriptions", wish);
            if wished.status == 202 {
                let token = app.mails()[0].token("/subscriptions/confirm/");
                app.anonymous().post("/subscriptions/confirm", json!({"token": token})).expect(200);
                // What the filter looks for stands in the notice.
                notice(app, "/description", words).expect(201);
            }
            wished
        },
    },
    Field {
        name: "question",
        pointer: "/text",
        write: |app, words| {
            let path = format!("/dialogues/{}/questions", told(app));
            app.anonymous().post(&path, json!({"email": address(app), "text": words}))
        },
    },
    Field {
        name: "answer",
        pointer: "/answer",
        write: |app, words| {
            let path = format!("/questions/{}/answer", asked(app));
            app.facilitator().post(&path, json!({"answer": words}))
        },
    },
    Field {
        name: "rejection",
        pointer: "/reason",
        write: |app, words| {
            let path = format!("/questions/{}/reject", asked(app));
            app.facilitator().post(&path, json!({"reason": words}))
        },
    },
    Field {
        name: "sign-up",
        pointer: "/company",
        write: |app, words| {
            let (path, event) = event(app);
            let body = json!({"event_id": event, "company": words, "name": "Ane Holm", "email": address(app)});
            app.anonymous().post(&path, body)
        },
    },
    Field {
        name: "written answer",
        pointer: "/company",
        write: |app, words| {
            let path = format!("/dialogues/{}/answers", told(app));
            let body =
                json!({"company": words, "name": "Ane Holm", "email": address(app), "answers": ["Det kan løses"]});
            app.anonymous().post(&path, body)
        },
    },
    Field {
        name: "user",
        pointer: "/name",
        write: |app, words| {
            app.admin().post("/users", json!({"email": address(app), "name": words, "role": "facilitator"}))
        },
    },
    Field {
        name: "organisation",
        pointer: "/name",
        write: |app, words| {
            let body = app.admin().post("/organisations", json!({"name": words, "kind": "municipality"}));
            if body.status == 201 {
                let named = super::support::Named { id: body.id(), name: words.to_owned() };
                need(app, &app.member(&named), "Behov", "Vi leder efter pumper.").expect(201);
            }
            body
        },
    },
    Field {
        name: "needs inbox",
        pointer: "/title",
        write: |app, words| {
            let member = app.member(&given::municipality(app, &name()));
            let body = json!({"title": words, "asks": "Hvad koster jer tid?", "address": name()});
            let opened = member.post("/needs-inboxes", body);
            if opened.status == 201 {
                leave(app, &opened.text_of("address"), "Vi leder efter pumper.").expect(201);
            }
            opened
        },
    },
    Field {
        name: "need",
        pointer: "/what",
        write: |app, words| need(app, &app.member(&given::municipality(app, &name())), "Behov", words),
    },
    Field { name: "need answered", pointer: "/words", write: |app, words| decide(app, "answer", words) },
    Field { name: "need set aside", pointer: "/words", write: |app, words| decide(app, "set_aside", words) },
    Field {
        name: "call",
        pointer: "/title",
        write: |app, words| {
            let call = call(app, words);
            if call.status == 201 {
                suggest(app, &call.id(), "Vi kører forgæves.").expect(202);
            }
            call
        },
    },
    Field {
        name: "suggestion",
        pointer: "/what",
        write: |app, words| suggest(app, &call(app, "Kender du en udfordring?").expect(201).id(), words),
    },
    Field {
        name: "suggestion set aside",
        pointer: "/reason",
        write: |app, words| {
            let id = suggested(app);
            app.facilitator().post(&format!("/suggestions/{id}/set-aside"), json!({"reason": words}))
        },
    },
    Field {
        name: "invitation to a suggestion",
        pointer: "/note",
        write: |app, words| {
            let (id, body) = (suggested(app), given::municipality(app, &name()));
            let invitation = json!({"organisation_id": body.id, "email": address(app), "note": words});
            app.facilitator().post(&format!("/suggestions/{id}/invite"), invitation)
        },
    },
    Field { name: "support", pointer: "/text", write: support },
    Field {
        name: "support answered",
        pointer: "/answer",
        write: |app, words| {
            support(app, "Findes der en skabelon?").expect(202);
            let token = app.mails()[0].token("/support-requests/confirm/");
            app.anonymous().post("/support-requests/confirm", json!({"token": token})).expect(204);
            let waiting = app.facilitator().get("/support-requests?state=waiting&limit=200").expect(200).items();
            let path = format!("/support-requests/{}/answer", waiting.last().unwrap()["id"].as_str().unwrap());
            let answer = app.facilitator().post(&path, json!({"answer": words}));
            if answer.status != 200 {
                app.facilitator().post(&path, json!({"answer": "Ja"})).expect(200);
                app.mails();
            }
            answer
        },
    },
    Field { name: "sponsor", pointer: "/anchoring/political/name", write: |app, words| sponsor(app, "name", words) },
    Field { name: "sponsor", pointer: "/anchoring/political/title", write: |app, words| sponsor(app, "title", words) },
    Field {
        name: "adoption",
        pointer: "/contact/name",
        write: |app, words| {
            let (body, process) = (given::municipality(app, &name()), given::process(app, "Ro om natten"));
            let adoption = json!({"organisation_id": body.id, "adopted_on": "2024-01-01", "way": "copied", "stage": "in_use",
                "contact": {"name": words, "email": address(app), "language": "da"}});
            app.facilitator().post(&format!("/processes/{}/adoptions", process.id), adoption)
        },
    },
    Field {
        name: "challenge",
        pointer: "/title",
        write: |app, words| {
            let member = app.member(&given::municipality(app, &name()));
            let drafted = member.post("/challenges", given::challenge_body(words));
            if drafted.status == 201 {
                let path = format!("/challenges/{}", drafted.id());
                member.post(&format!("{path}/submit"), json!({})).expect(200);
                app.facilitator().post(&format!("{path}/return"), json!({"reason": "Hvor mange?"})).expect(200);
            }
            drafted
        },
    },
    Field {
        name: "challenge returned",
        pointer: "/reason",
        write: |app, words| {
            let member = app.member(&given::municipality(app, &name()));
            let challenge = given::submitted(&member, "Natlige tilsyn");
            app.facilitator().post(&format!("/challenges/{}/return", challenge.id), json!({"reason": words}))
        },
    },
    Field { name: "signatory", pointer: "/name", write: |app, words| signatory(app, "name", words).1 },
    Field {
        name: "signatory",
        pointer: "/title",
        write: |app, words| {
            let (_, named) = signatory(app, "title", words);
            if named.status == 201 {
                sign(app, json!({"sign": true})).expect(200);
            }
            named
        },
    },
    Field {
        name: "signature declined",
        pointer: "/reason",
        write: |app, words| {
            signatory(app, "title", "Borgmester").1.expect(201);
            sign(app, json!({"sign": false, "reason": words}))
        },
    },
    Field {
        name: "letter of intent withdrawn",
        pointer: "/reason",
        write: |app, words| {
            let (letter, _) = signatory(app, "title", "Borgmester");
            app.facilitator().post(&format!("{letter}/withdraw"), json!({"reason": words}))
        },
    },
];

/// A number that no other call gets: names and addresses are used once.
fn number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn name() -> String {
    format!("sted-{}", number())
}

/// An address, after what was sent so far is read.
fn address(app: &TestApp) -> String {
    app.mails();
    format!("nr{}@firma.example", number())
}

/// Somebody from a network of their own.
fn stranger(app: &TestApp) -> Client {
    let number = number();
    app.anonymous().with("X-Forwarded-For", format!("10.{}.{}.7", number / 250 % 250, number % 250))
}

/// A dialogue that a subscriber has been told of.
fn told(app: &TestApp) -> String {
    let id = given::published(app, "Natligt tilsyn");
    app.mails();
    id
}

fn notice(app: &TestApp, pointer: &str, words: &str) -> Answer {
    let process = given::process(app, "Ro om natten");
    let mut notice = given::notice("Natligt tilsyn");
    notice["documents"] = json!([{"title": "Bilag", "url": "https://a.example/b", "sha256": "0".repeat(64)}]);
    *notice.pointer_mut(pointer).unwrap() = words.into();
    let drafted = app.facilitator().post(&format!("/processes/{}/dialogues", process.id), notice);
    if drafted.status == 201 {
        app.facilitator().post(&format!("/dialogues/{}/publish", drafted.id()), Value::Null).expect(200);
    }
    drafted
}

/// A letter of intent that is out to one who is named so; and the answer to naming them.
fn signatory(app: &TestApp, field: &str, words: &str) -> (String, Answer) {
    let (staff, body) = (app.facilitator(), given::municipality(app, &name()));
    let process = format!("/processes/{}", given::process(app, "Ro om natten").id);
    let part = json!({"organisation_id": body.id, "role": "need_owner", "joined_on": "2026-11-01", "state": "partner"});
    staff.post(&format!("{process}/participants"), part).expect(201);
    let drafted = staff.post(&format!("{process}/letters-of-intent"), json!({"language": "da"})).expect(201);
    let letter = format!("/letters-of-intent/{}", drafted.id());
    let mut named =
        json!({"organisation_id": body.id, "name": "Ane Holm", "title": "Borgmester", "email": address(app)});
    named[field] = words.into();
    let named = staff.post(&format!("{letter}/signatories"), named);
    if named.status == 201 {
        staff.post(&format!("{letter}/send"), json!({})).expect(200);
    }
    (letter, named)
}

/// Answers the letter that asks to sign.
fn sign(app: &TestApp, mut answer: Value) -> Answer {
    answer["token"] = app.mails()[0].token("/letters-of-intent/sign/").into();
    app.anonymous().post("/letters-of-intent/sign", answer)
}

/// A question whose asker confirmed it.
fn asked(app: &TestApp) -> String {
    let path = format!("/dialogues/{}/questions", told(app));
    app.anonymous().post(&path, json!({"email": address(app), "text": "Skal den kunne bruges uden net?"})).expect(202);
    let token = app.mails()[0].token("/questions/confirm/");
    app.anonymous().post("/questions/confirm", json!({"token": token})).expect(200).id()
}

fn event(app: &TestApp) -> (String, String) {
    let id = told(app);
    let event = app.anonymous().get(&format!("/dialogues/{id}/events")).expect(200).items().remove(0);
    (format!("/dialogues/{id}/signups"), event["id"].as_str().unwrap().to_owned())
}

fn leave(app: &TestApp, inbox: &str, what: &str) -> Answer {
    let email = address(app);
    stranger(app).post(&format!("/needs-inboxes/at/{inbox}/needs"), json!({"what": what, "email": email}))
}

fn need(app: &TestApp, member: &Client, title: &str, what: &str) -> Answer {
    let inbox = member.post("/needs-inboxes", json!({"title": title, "asks": "Hvad koster tid?", "address": name()}));
    leave(app, &inbox.expect(201).text_of("address"), what)
}

fn decide(app: &TestApp, decision: &str, words: &str) -> Answer {
    let member = app.member(&given::municipality(app, &name()));
    let id = need(app, &member, "Behov", "Vi leder efter pumper.").expect(201).id();
    app.mails();
    member.post("/needs/decisions", json!({"need_ids": [id], "decision": decision, "words": words}))
}

fn call(app: &TestApp, title: &str) -> Answer {
    let call = json!({"title": title, "theme": "velfærdsteknologi", "criteria_set": "welfare-technology",
                      "description": "Vi søger udfordringer.", "opens_at": "2026-11-01T08:00:00Z"});
    app.facilitator().post("/calls", call)
}

fn suggest(app: &TestApp, call: &str, what: &str) -> Answer {
    let email = address(app);
    stranger(app).post(&format!("/calls/{call}/suggestions"), json!({"what": what, "email": email}))
}

/// A suggestion that its sender confirmed.
fn suggested(app: &TestApp) -> String {
    suggest(app, &call(app, "Kender du en udfordring?").expect(201).id(), "Vi kører forgæves.").expect(202);
    let token = app.mails()[0].token("/suggestions/confirm/");
    app.anonymous().post("/suggestions/confirm", json!({"token": token})).expect(204);
    let waiting = app.facilitator().get("/suggestions?state=waiting&limit=200").expect(200).items();
    let newest = waiting.iter().max_by_key(|one| one["id"].as_str().unwrap().to_owned()).unwrap();
    newest["id"].as_str().unwrap().to_owned()
}

fn support(app: &TestApp, text: &str) -> Answer {
    let email = address(app);
    let ask = json!({"kind": "template", "user_group": "procurement", "text": text, "email": email});
    stranger(app).post("/support-requests", ask)
}

fn sponsor(app: &TestApp, field: &str, words: &str) -> Answer {
    let member = app.member(&given::municipality(app, &name()));
    let mut body = given::challenge_body("Natlige tilsyn");
    body["anchoring"]["political"][field] = words.into();
    let drafted = member.post("/challenges", body);
    if drafted.status == 201 {
        let ask = json!({"political_email": address(app)});
        member.post(&format!("/challenges/{}/anchoring/requests", drafted.id()), ask).expect(202);
    }
    drafted
}

/// A letter as its reader's program takes it apart.
struct Read {
    headers: Vec<(String, String)>,
    text: String,
    html: String,
}

impl Read {
    fn of(letter: &str) -> Self {
        // RFC 5321 § 4.5.2: a dot at the beginning of a line travels doubled.
        let lines = letter.split('\n').map(|line| line.strip_prefix('.').unwrap_or(line));
        let letter = lines.collect::<Vec<_>>().join("\n");
        assert!(letter.is_ascii() && !letter.contains(['\0', '\r']), "{letter:?}");
        let (head, body) = letter.split_once("\n\n").unwrap();
        let unfolded = head.replace("\n ", " ");
        let headers: Vec<(String, String)> = unfolded
            .lines()
            .map(|line| line.split_once(": ").unwrap_or_else(|| panic!("a header that is none: {line:?}")))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let (_, content_type) = headers.iter().find(|(name, _)| name == "Content-Type").unwrap();
        let boundary = format!("--{}", content_type.split('"').nth(1).unwrap());
        let parts: Vec<&str> = body.split(&boundary).skip(1).collect();
        let [plain, html, "--" | "--\n"] = parts.as_slice() else { panic!("two parts and the end: {body}") };
        let read = |part: &str, kind: &str| {
            let (head, body) = part.trim_start().split_once("\n\n").unwrap();
            assert!(head.contains(kind) && head.contains("quoted-printable"), "{head}");
            unquoted(body)
        };
        Self { text: read(plain, "text/plain"), html: read(html, "text/html"), headers }
    }

    fn names(&self) -> Vec<&str> {
        self.headers.iter().map(|(name, _)| name.as_str()).collect()
    }
}

/// Quoted-printable, read (RFC 2045 § 6.7).
fn unquoted(body: &str) -> String {
    let body = body.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = body.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'=' {
            let code = std::str::from_utf8(&after[..2]).unwrap();
            bytes.push(u8::from_str_radix(code, 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// What a browser shows of HTML that has nothing hidden.
fn shown(html: &str) -> String {
    let words: String = html
        .split('<')
        .map(|piece| piece.split_once('>').map_or(piece, |(_, after)| after))
        .collect::<Vec<_>>()
        .join(" ");
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    entities.iter().fold(words, |words, (entity, c)| words.replace(entity, c))
}

/// The words without how they are laid out on lines.
fn bare(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

const HEADERS: [&str; 8] =
    ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"];
const LISTED: [&str; 3] = ["List-Unsubscribe", "List-Unsubscribe-Post", "List-Id"];

fn app() -> TestApp {
    TestApp::with(&[("SKALA_TRUSTED_PROXIES", "127.0.0.1")])
}

fn smtp(app: &TestApp, sink: &Sink) -> Postman {
    Postman::smtp(&sink.url, app.node.settings.mail_from.clone(), "skala.example").unwrap()
}

#[test]
fn words_in_any_field_that_reaches_a_letter_are_refused_or_stay_words() {
    let app = app();
    given::subscriber(&app, "a@firma.example", "immediate", json!({}));
    for Field { name, pointer, write } in FIELDS {
        let mut arrived = 0;
        for words in WORDS {
            app.mails();
            let answer = write(&app, words);
            if answer.status == 422 {
                let flaws = answer.body["errors"].as_array().unwrap();
                let fits = |flaw: &Value| flaw["pointer"] == pointer && CODES.contains(&flaw["code"].as_str().unwrap());
                assert!(!flaws.is_empty() && flaws.iter().all(fits), "{name}{pointer}, {words:?}: {}", answer.text);
                app.mails();
                continue;
            }
            assert!((200..300).contains(&answer.status), "{name}{pointer}, {words:?}: {}", answer.text);
            let sink = Sink::with(&[Manner::Takes]);
            app.send_by(&smtp(&app, &sink));
            let recipients = sink.commands().iter().filter(|heard| heard.starts_with("RCPT")).count();
            let letters: Vec<Read> = sink.letters().iter().map(|letter| Read::of(letter)).collect();
            assert_eq!(letters.len(), recipients, "{name}{pointer}, {words:?}: one letter for each recipient");
            assert!(!sink.commands().iter().any(|heard| heard.contains("x@y.example")), "{name}{pointer}: {words:?}");
            for letter in &letters {
                let names: Vec<_> = letter.names().into_iter().filter(|name| !LISTED.contains(name)).collect();
                assert_eq!(names, HEADERS, "{name}{pointer}, {words:?}");
                for markup in ["<script", "<img", "<på>"] {
                    assert!(!letter.html.contains(markup), "{name}{pointer}: {}", letter.html);
                }
            }
            let said = |letter: &&Read| {
                bare(&letter.text).contains(&bare(words)) && bare(&shown(&letter.html)).contains(&bare(words))
            };
            assert!(
                letters.iter().any(|letter| said(&letter)),
                "{name}{pointer}: {words:?} reached no letter: {:?}",
                letters.iter().map(|letter| &letter.text).collect::<Vec<_>>()
            );
            arrived += 1;
        }
        assert!(arrived >= 2, "{name}{pointer}: of all words only {arrived} arrive");
    }
}

/// A field that takes an address to which a letter goes.
struct Address {
    name: &'static str,
    pointer: &'static str,
    write: fn(&TestApp, &str) -> Answer,
}

const ADDRESSES: [Address; 9] = [
    Address {
        name: "subscription",
        pointer: "/email",
        write: |app, email| app.anonymous().post("/subscriptions", json!({"email": email})),
    },
    Address {
        name: "question",
        pointer: "/email",
        write: |app, email| {
            let path = format!("/dialogues/{}/questions", told(app));
            app.anonymous().post(&path, json!({"email": email, "text": "Skal den kunne bruges uden net?"}))
        },
    },
    Address {
        name: "sign-up",
        pointer: "/email",
        write: |app, email| {
            let (path, event) = event(app);
            let body = json!({"event_id": event, "company": "Firma ApS", "name": "Ane Holm", "email": email});
            app.anonymous().post(&path, body)
        },
    },
    Address {
        name: "written answer",
        pointer: "/email",
        write: |app, email| {
            let path = format!("/dialogues/{}/answers", told(app));
            let body =
                json!({"company": "Firma ApS", "name": "Ane Holm", "email": email, "answers": ["Det kan løses"]});
            app.anonymous().post(&path, body)
        },
    },
    Address {
        name: "user",
        pointer: "/email",
        write: |app, email| {
            app.admin().post("/users", json!({"email": email, "name": "Mette Holm", "role": "facilitator"}))
        },
    },
    Address {
        name: "need",
        pointer: "/email",
        write: |app, email| {
            let member = app.member(&given::municipality(app, &name()));
            let body = json!({"title": "Behov", "asks": "Hvad koster tid?", "address": name()});
            let inbox = member.post("/needs-inboxes", body).expect(201).text_of("address");
            let need = json!({"what": "Vi leder efter pumper.", "email": email});
            stranger(app).post(&format!("/needs-inboxes/at/{inbox}/needs"), need)
        },
    },
    Address {
        name: "suggestion",
        pointer: "/email",
        write: |app, email| {
            let call = call(app, "Kender du en udfordring?").expect(201).id();
            let body = json!({"what": "Vi kører forgæves.", "email": email});
            stranger(app).post(&format!("/calls/{call}/suggestions"), body)
        },
    },
    Address {
        name: "support",
        pointer: "/email",
        write: |app, email| {
            let ask = json!({"kind": "template", "user_group": "procurement", "text": "Findes der en skabelon?",
                             "email": email});
            stranger(app).post("/support-requests", ask)
        },
    },
    Address {
        name: "sponsor",
        pointer: "/political_email",
        write: |app, email| {
            let member = app.member(&given::municipality(app, &name()));
            let path = format!("/challenges/{}/anchoring/requests", given::drafted(&member, "Natlige tilsyn").id);
            member.post(&path, json!({"political_email": email}))
        },
    },
];

#[test]
fn an_address_in_any_field_is_refused_or_gets_the_letter_that_is_its() {
    let app = app();
    let long =
        |n| format!("{:a<64}@{}.example", format!("nr{n}"), ["b".repeat(60), "c".repeat(60), "d".repeat(59)].join("."));
    for Address { name, pointer, write } in ADDRESSES {
        let n = number();
        for wrong in [
            format!("nr{n}"),
            format!("nr{n}@b.example\r\nBcc: x@y.example"),
            format!("nr{n}@b.example\0"),
            format!("nr{n}@b.example,x@y.example"),
            format!("nr{n}@b.example> x@y.example"),
            format!("<script>{n}@b.example"),
            format!("nr{n}\u{2028}@b.example"),
            long(n).replace('@', "a@"),
        ] {
            let answer = write(&app, &wrong);
            let flaws = answer.body["errors"].as_array().cloned().unwrap_or_default();
            assert_eq!((answer.status, flaws.len()), (422, 1), "{name}, {wrong:?}: {}", answer.text);
            assert_eq!(flaws[0]["pointer"], pointer, "{name}, {wrong:?}: {}", answer.text);
        }
        for (right, travels) in [
            (format!("nr{n}+skala@firma.example"), format!("nr{n}+skala@firma.example")),
            (format!("nr{n}.søren@økøb.dk"), format!("nr{n}.søren@xn--kb-kkab.dk")),
            (long(n), long(n)),
        ] {
            app.mails();
            let answer = write(&app, &right);
            assert!((200..300).contains(&answer.status), "{name}, {right}: {}", answer.text);
            let offers = "250-hello\r\n250-SMTPUTF8\r\n250-PIPELINING\r\n250 8BITMIME";
            let sink = Sink::offering(&[Manner::Takes], offers, |_| None);
            app.send_by(&smtp(&app, &sink));
            let (heard, letters) = (sink.commands(), sink.letters());
            assert!(heard.contains(&format!("RCPT TO:<{travels}>")), "{name}: {heard:?}");
            let to: Vec<_> =
                letters.iter().filter_map(|letter| letter.lines().find(|line| line.starts_with("To: "))).collect();
            assert_eq!(to, [format!("To: {travels}")], "{name}");
        }
    }
}

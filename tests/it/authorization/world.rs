//! A world in which one body has something of every kind, so that others can be refused it.

use serde_json::{Value, json};

use crate::support::{Client, Mail, Named, TestApp, given};

/// Stands in everything of body A that is nobody else's business; no answer to anybody else may hold it.
pub const SECRET: &str = "kuvertnoegle";

/// Body A with its things, and body B that would like to see them.
pub struct World {
    pub app: TestApp,
    pub a: Named,
    pub b: Named,
    /// Looks after A's users, and made most of A's things.
    pub owner_a: Client,
    /// A supplier's manage token.
    pub manage_token: String,
    /// What the parameters of a path stand for: the resource, the object's name in the table, and its id.
    pub objects: Vec<(&'static str, &'static str, String)>,
    /// Every link that was mailed.
    pub mails: Vec<Mail>,
}

/// A text that is A's own.
fn secret(words: &str) -> String {
    format!("{words} {SECRET}")
}

/// Who looks after the body's users, signed in as people are.
fn signed_in(app: &TestApp, body: &Named) -> Client {
    let email = "ejer@alfa.example";
    let invited = json!({"email": email, "name": "Ejer", "role": "org_admin", "organisation_id": body.id});
    app.admin().post("/users", invited).expect(201);
    let token = app.mail_to(email).token("/invitations/");
    let password = "en gul cykel i regnvejr";
    app.anonymous().post("/invitations/accept", json!({"token": token, "password": password})).expect(204);
    let pair = app.anonymous().post("/auth/token", json!({"email": email, "password": password})).expect(200);
    app.bearer(&pair.text_of("access_token"))
}

pub fn world() -> World {
    let app = TestApp::start();
    let (a, b) = (given::municipality(&app, "Alfa Kommune"), given::municipality(&app, "Beta Kommune"));
    let owner_a = signed_in(&app, &a);
    let manage_token = given::subscriber(&app, &format!("{SECRET}@firma.example"), "weekly", json!({"text": "tilsyn"}));
    let mut world = World { app, a, b, owner_a, manage_token, objects: Vec::new(), mails: Vec::new() };
    world.add_people();
    world.add_challenges();
    world.add_needs();
    world.add_requests();
    world.add_process();
    world.add_dialogues();
    world.mails.extend(world.app.mails());
    world
}

impl World {
    fn add(&mut self, resource: &'static str, object: &'static str, id: String) -> String {
        self.objects.push((resource, object, id.clone()));
        id
    }

    pub fn id(&self, resource: &str, object: &str) -> &str {
        let found = self.objects.iter().find(|(of, name, _)| (*of, *name) == (resource, object));
        &found.unwrap_or_else(|| panic!("no {object} among {resource}")).2
    }

    fn staff(&self) -> Client {
        self.app.facilitator()
    }

    fn add_people(&mut self) {
        self.add("organisations", "its own", self.a.id.clone());
        let invited = json!({"email": format!("{SECRET}@alfa.example"), "name": secret("Ane"), "role": "member", "organisation_id": self.a.id});
        let user = self.app.admin().post("/users", invited).expect(201).id();
        self.add("users", "invited", user);
        let me = self.owner_a.get("/me").expect(200).id();
        self.add("users", "at work", me);
        let key = json!({"name": secret("Sagssystem"), "scopes": ["challenges:read"]});
        let key = self.owner_a.post("/api-keys", key).expect(201).id();
        self.add("api-keys", "key", key);
        let session = self.owner_a.get("/sessions").expect(200).items()[0]["id"].as_str().unwrap().to_owned();
        self.add("sessions", "session", session);
        let heir = given::municipality(&self.app, "Gamma Kommune");
        let plan = json!({"successor_id": heir.id, "takes_effect_on": "2027-06-01", "reason": secret("Sammenlægning")});
        self.staff().post(&format!("/organisations/{}/succession", self.a.id), plan).expect(201);
    }

    fn add_challenges(&mut self) {
        let mut body = given::challenge_body("Kladden");
        body["title"] = json!(secret("Natlige tilsyn"));
        let draft = self.owner_a.post("/challenges", body).expect(201).id();
        self.owner_a
            .post(&format!("/challenges/{draft}/anchoring/requests"), json!({"political_email": "ib@alfa.example"}))
            .expect(202);
        self.add("challenges", "draft", draft);
        let submitted = given::submitted(&self.owner_a, "Natlige tilsyn vækker beboerne");
        self.add("challenges", "submitted", submitted.id);
        let withdrawn = given::drafted(&self.owner_a, &secret("Fortrudt"));
        self.owner_a.post(&format!("/challenges/{}/withdraw", withdrawn.id), json!({"reason": "Løst"})).expect(200);
        self.add("challenges", "withdrawn draft", withdrawn.id);
        let theirs = given::submitted(&self.app.member(&self.b), "Nattevagten går runder hos os");
        self.add("other_id", "match", theirs.id);
    }

    fn add_needs(&mut self) {
        for (inbox, address, open) in [("open", "aabenkasse", true), ("closed", "lukketkasse", false)] {
            let body = json!({"title": "Behov", "asks": "Hvad koster jer tid?", "address": address});
            let id = self.owner_a.post("/needs-inboxes", body).expect(201).id();
            let door = format!("/needs-inboxes/at/{address}/needs");
            let need = json!({"what": secret("Vi lister om natten."), "who": "beboere", "department": "Nat"});
            let need = self.app.anonymous().post(&door, need).expect(201).id();
            if open {
                self.add("needs", "own", need);
                let shared = json!({"what": "Døren vækker beboerne.", "department": secret("Nat")});
                let shared = self.app.anonymous().post(&door, shared).expect(201).id();
                self.owner_a.change(&format!("/needs/{shared}"), json!({"shared": true})).expect(200);
                self.add("needs", "shared", shared);
            } else {
                self.owner_a.change(&format!("/needs-inboxes/{id}"), json!({"open": false})).expect(200);
            }
            self.add("needs-inboxes", inbox, id);
            self.add("address", inbox, address.to_owned());
        }
    }

    fn add_requests(&mut self) {
        let wish =
            json!({"kind": "sparring", "user_group": "innovation", "text": secret("Hvordan inddrager vi indkøb?")});
        let request = self.owner_a.post("/support-requests", wish).expect(201).id();
        self.add("support-requests", "asked", request);
        let call = json!({"title": "Kender du en udfordring?", "theme": "velfærdsteknologi", "criteria_set": "welfare-technology",
            "description": "CO-PI søger udfordringer.", "opens_at": "2026-11-01T08:00:00Z", "closes_at": "2027-11-01T08:00:00Z"});
        let call = self.staff().post("/calls", call).expect(201).id();
        self.add("calls", "open", call.clone());
        let told = json!({"what": secret("Kaffen er kold."), "email": "lis@hjem.example"});
        self.app.anonymous().post(&format!("/calls/{call}/suggestions"), told).expect(202);
        let mails = self.app.mails();
        let asked = mails.iter().find(|mail| mail.to == "lis@hjem.example").unwrap();
        let token = asked.token("/suggestions/confirm/");
        self.app.anonymous().post("/suggestions/confirm", json!({"token": token})).expect(204);
        self.mails.extend(mails);
        let id = self.staff().get("/suggestions").expect(200).items()[0]["id"].as_str().unwrap().to_owned();
        let invitation = json!({"organisation_id": self.a.id, "note": secret("I nævnte det selv.")});
        self.staff().post(&format!("/suggestions/{id}/invite"), invitation).expect(200);
        self.add("suggestions", "offered", id);
        let entry = json!({"kind": "tool", "title": "Behovsinterview", "url": "https://eksempel.dk/i", "phases": ["idea"],
            "actors": ["public_body"], "themes": ["velfærdsteknologi"], "language": "da"});
        let entry = self.staff().post("/library", entry).expect(201).id();
        self.add("library", "entry", entry);
    }

    fn add_process(&mut self) {
        let staff = self.staff();
        let grouped = given::approved(&self.app, &self.owner_a, "Uro om natten");
        let process = given::gathered(&self.app, "Sammen om nattero", &[&grouped]);
        self.add("challenge_id", "grouped", grouped.id);
        let path = format!("/processes/{}", process.id);
        self.add("processes", "active", process.id);
        let hidden = json!({"title": secret("Endnu ikke"), "summary": "Kladde."});
        let hidden = staff.post("/processes", hidden).expect(201).id();
        self.add("processes", "preparing", hidden);
        let seen = staff.get(&path).expect(200);
        let part = seen["participants"][0]["id"].as_str().unwrap().to_owned();
        self.add("participant_id", "participant", part);
        let said = json!({"organisation_id": self.a.id, "level": "interested", "volume": {"quantity": 100, "unit": "plejeboliger"}});
        self.owner_a.post(&format!("{path}/commitments"), said).expect(201);
        staff.post(&format!("{path}/opi-track"), Value::Null).expect(201);
        let adoption = json!({"organisation_id": self.a.id, "adopted_on": "2026-05-22", "way": "copied", "stage": "bought",
            "contact": {"name": secret("Mette"), "email": "mette@alfa.example", "language": "da"}});
        let adoption = staff.post(&format!("{path}/adoptions"), adoption).expect(201).id();
        self.add("adoptions", "bought", adoption);

        let letters = format!("{path}/letters-of-intent");
        let draft = staff.post(&letters, json!({"language": "da"})).expect(201).id();
        staff.change(&format!("/letters-of-intent/{draft}"), json!({"title": secret("Erklæring")})).expect(200);
        let letter = format!("/letters-of-intent/{draft}");
        staff.post(&format!("{letter}/comments/open"), json!({"until": "2026-12-05T11:00:00Z"})).expect(200);
        let comment =
            self.owner_a.post(&format!("{letter}/comments"), json!({"text": secret("Punkt 4")})).expect(201).id();
        self.add("letter-comments", "comment", comment);
        self.add("letters-of-intent", "draft", draft);
        let sent = staff.post(&letters, json!({"language": "da"})).expect(201).id();
        let letter = format!("/letters-of-intent/{sent}");
        let named =
            json!({"organisation_id": self.a.id, "name": "Ib Lund", "title": "Borgmester", "email": "ib@alfa.example"});
        let signatory = staff.post(&format!("{letter}/signatories"), named).expect(201).id();
        staff.post(&format!("{letter}/send"), json!({})).expect(200);
        self.add("letters-of-intent", "sent", sent);
        self.add("signatories", "asked", signatory);
    }

    fn add_dialogues(&mut self) {
        let process = Named { id: self.id("processes", "active").to_owned(), name: String::new() };
        let draft = given::draft(&self.app, &process, given::notice(&secret("Senere")));
        self.add("dialogues", "draft", draft);
        let staff = self.staff();
        let dialogue = given::draft(&self.app, &process, given::notice("Natligt tilsyn"));
        let published = staff.post(&format!("/dialogues/{dialogue}/publish"), Value::Null).expect(200);
        self.add("dispatches", "dispatch", published.text_of("dispatch_id"));
        let path = format!("/dialogues/{dialogue}");
        self.mails.extend(self.app.mails());
        let anyone = self.app.anonymous();
        let email = format!("{SECRET}@spoerger.example");
        anyone
            .post(&format!("{path}/questions"), json!({"email": email, "text": secret("Skal den virke?")}))
            .expect(202);
        let asked = self.app.mail_to(&email);
        let question =
            anyone.post("/questions/confirm", json!({"token": asked.token("/questions/confirm/")})).expect(200).id();
        self.add("questions", "asked", question);
        let event = anyone.get(&format!("{path}/events")).expect(200).items()[0]["id"].as_str().unwrap().to_owned();
        let signup = json!({"event_id": event, "company": "Firma", "name": secret("Ane"), "email": email});
        anyone.post(&format!("{path}/signups"), signup).expect(202);
        let answer = json!({"company": "Firma", "name": secret("Ane"), "email": email, "answers": ["Ja"],
            "confidential": secret("Prisen")});
        anyone.post(&format!("{path}/answers"), answer);
        self.add("event_id", "event", event);
        self.add("dialogues", "published", dialogue);
        self.mails.push(asked);
    }

    /// Everything that A and the staff see of A's things.
    pub fn seen(&self) -> Vec<(String, String)> {
        let (admin, owner) = (self.app.admin(), self.owner_a.clone());
        let at = |resource: &str, object: &str, rest: &str| format!("/{resource}/{}{rest}", self.id(resource, object));
        let paths = [
            at("challenges", "draft", ""),
            at("challenges", "draft", "/history"),
            at("challenges", "draft", "/anchoring/requests"),
            at("challenges", "submitted", ""),
            at("challenges", "submitted", "/history"),
            at("challenges", "withdrawn draft", ""),
            at("needs-inboxes", "open", ""),
            at("needs-inboxes", "closed", ""),
            "/needs".into(),
            at("needs", "own", "/history"),
            at("support-requests", "asked", ""),
            at("suggestions", "offered", ""),
            "/api-keys".into(),
            "/sessions".into(),
            "/me".into(),
            at("processes", "active", ""),
            at("processes", "active", "/history"),
            at("processes", "active", "/commitments"),
            at("processes", "active", "/opi-track"),
            at("processes", "active", "/adoptions"),
            at("processes", "active", "/timeline"),
            at("letters-of-intent", "draft", ""),
            at("letters-of-intent", "draft", "/comments"),
            at("letters-of-intent", "draft", "/history"),
            at("letters-of-intent", "sent", ""),
            at("letters-of-intent", "sent", "/history"),
            at("users", "invited", ""),
            at("users", "at work", ""),
            at("organisations", "its own", ""),
        ];
        let own = paths.map(|path| (owner.get(&path).text, path));
        let staffs = [
            at("organisations", "its own", "/succession"),
            at("processes", "preparing", ""),
            at("dialogues", "draft", ""),
            at("dialogues", "published", ""),
            at("dialogues", "published", "/signups"),
            at("dialogues", "published", "/answers"),
            at("dialogues", "published", "/questions"),
            at("dispatches", "dispatch", ""),
            at("library", "entry", ""),
            at("calls", "open", ""),
            "/library".into(),
            "/criteria-sets".into(),
            "/letter-templates".into(),
        ];
        let staffs = staffs.map(|path| (admin.get(&path).text, path));
        own.into_iter().chain(staffs).map(|(text, path)| (path, text)).collect()
    }
}

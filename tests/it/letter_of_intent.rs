//! Letters of intent: text from a template, comments, signatures on exactly one text.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Mail, Named, TestApp, given};

struct World {
    app: TestApp,
    process: Named,
    bodies: Vec<Named>,
}

/// A process of so many bodies, each with its figures.
fn world(count: usize) -> World {
    let app = TestApp::start();
    let process = given::process(&app, "Ro om natten");
    let mut world = World { app, process, bodies: Vec::new() };
    for number in 1..=count {
        world.join(&format!("Kommune {number}"), "need_owner", 100 * number);
    }
    world
}

impl World {
    fn join(&mut self, name: &str, role: &str, homes: usize) -> Named {
        let body = given::municipality(&self.app, name);
        let part = json!({"organisation_id": body.id, "role": role, "joined_on": "2026-11-01", "state": "partner"});
        self.staff().post(&self.path("/participants"), part).expect(201);
        let said = json!({"organisation_id": body.id, "level": "recognises", "volume": {"quantity": homes, "unit": "plejeboliger"}});
        self.staff().post(&self.path("/commitments"), said).expect(201);
        self.bodies.push(body.clone());
        body
    }

    fn staff(&self) -> Client {
        self.app.facilitator()
    }

    fn path(&self, rest: &str) -> String {
        format!("/processes/{}{rest}", self.process.id)
    }

    fn draft(&self) -> Answer {
        self.staff().post(&self.path("/letters-of-intent"), json!({"language": "da"})).expect(201)
    }

    fn name(&self, letter: &str, body: &Named) -> Answer {
        let email = format!("{}@kommune.example", body.name.replace(' ', "").to_lowercase());
        let named = json!({"organisation_id": body.id, "name": format!("Borgmester i {}", body.name), "title": "Borgmester", "email": email});
        self.staff().post(&format!("{letter}/signatories"), named).expect(201)
    }

    /// A letter that is out to all bodies, with the letters that ask them.
    fn sent(&self) -> (String, Vec<Mail>) {
        let letter = format!("/letters-of-intent/{}", self.draft().id());
        for body in &self.bodies {
            self.name(&letter, body);
        }
        self.staff().post(&format!("{letter}/send"), json!({})).expect(200);
        (letter, self.app.mails())
    }

    fn participant(&self, body: &Named) -> Value {
        let seen = self.staff().get(&self.path("")).expect(200);
        let all = seen["participants"].as_array().unwrap().clone();
        all.into_iter().find(|one| one["organisation_id"] == body.id.as_str()).unwrap()
    }

    fn answer(&self, mail: &Mail, answer: Value) -> Answer {
        let mut body = answer;
        body["token"] = json!(mail.token("/letters-of-intent/sign/"));
        self.app.anonymous().post("/letters-of-intent/sign", body)
    }
}

fn sha256(words: &str) -> String {
    skala::kernel::digest(words.as_bytes())
}

#[test]
fn a_letter_is_made_from_the_template_with_the_bodies_and_their_figures() {
    let world = world(2);
    let letter = world.draft();
    let text = letter.text_of("text");
    for words in [
        "»Ro om natten«",
        "- Kommune 1: 100 plejeboliger\n- Kommune 2: 200 plejeboliger",
        "2 organisationer, 300 plejeboliger",
        "22-11-2026",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("{{"), "{text}");
    assert_eq!(
        (&letter["status"], &letter["template_version"], &letter["number"]),
        (&json!("draft"), &json!(1), &json!(1))
    );
    let path = format!("/letters-of-intent/{}", letter.id());
    let document = world.staff().get(&format!("{path}/document")).expect(200).text;
    assert_eq!(sha256(&document), letter.text_of("sha256"));
    let english = world.staff().post(&world.path("/letters-of-intent"), json!({"language": "en"})).expect(201);
    assert!(
        english.text_of("text").contains("What we intend")
            && english.text_of("title").starts_with("Joint letter of intent")
    );

    // Until somebody signs, it is for participants and staff.
    world.app.anonymous().get(&path).refused(404, "not_found");
    world.app.member(&world.bodies[0]).get(&path).expect(200);
    let stranger = given::municipality(&world.app, "Fremmed");
    world.app.member(&stranger).get(&path).refused(404, "not_found");
    assert!(world.app.anonymous().get(&world.path("/letters-of-intent")).expect(200).items().is_empty());
}

#[test]
fn a_letter_without_summary_or_commitments_speaks_of_the_challenges_and_their_figures() {
    let app = TestApp::start();
    let (odense, aarhus) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Aarhus Kommune"));
    let one = given::approved(&app, &app.member(&odense), "Natlige tilsyn");
    app.advance(TimeDelta::minutes(1));
    let other = given::approved(&app, &app.member(&aarhus), "Unødige opvågninger");
    let staff = app.facilitator();
    let gathered = json!({"title": "Ro om natten", "challenge_ids": [one.id, other.id]});
    let path = format!("/processes/{}", staff.post("/processes", gathered).expect(201).id());
    staff.change(&path, json!({"status": "active"})).expect(200);
    let letter = staff.post(&format!("{path}/letters-of-intent"), json!({"language": "da"})).expect(201);
    let text = letter.text_of("text");
    for words in [
        "Det handler om\n- Natlige tilsyn\n- Unødige opvågninger\n",
        "- Aarhus Kommune: 1.200 plejeboliger; 21.840 timer frigivet om året\n\
         - Odense Kommune: 1.200 plejeboliger; 21.840 timer frigivet om året\n",
        "Tilsammen: 2 organisationer, 2.400 plejeboliger\n",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let demand = app.anonymous().get(&format!("{path}/demand")).expect(200);
    let wanted = json!([{"quantity": 2400.0, "unit": "plejeboliger"}]);
    assert_eq!((&demand["bodies"], &demand["by_level"]["recognises"]["volume"]), (&json!(2), &wanted));

    // What is said to the process overrules the challenge, figure by figure, as in the demand.
    let said =
        json!({"organisation_id": odense.id, "level": "intends", "volume": {"quantity": 900, "unit": "plejeboliger"}});
    staff.post(&format!("{path}/commitments"), said).expect(201);
    let renewed = staff.post(&format!("/letters-of-intent/{}/renew", letter.id()), Value::Null).expect(200);
    let text = renewed.text_of("text");
    for words in
        ["- Odense Kommune: 900 plejeboliger; 21.840 timer", "Tilsammen: 2 organisationer, 2.100 plejeboliger\n"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn a_body_that_withdrew_its_commitment_is_not_in_the_letter() {
    let world = world(3);
    let said = json!({"organisation_id": world.bodies[1].id, "level": "withdrawn",
        "volume": {"quantity": 200, "unit": "plejeboliger"}});
    world.staff().post(&world.path("/commitments"), said).expect(201);
    let text = world.draft().text_of("text");
    for words in [
        "- Kommune 1: 100 plejeboliger\n- Kommune 3: 300 plejeboliger\n",
        "Tilsammen: 2 organisationer, 400 plejeboliger\n",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("Kommune 2"), "{text}");
}

#[test]
fn a_template_has_versions_and_a_letter_keeps_its_own() {
    let world = world(1);
    let before = format!("/letters-of-intent/{}", world.draft().id());
    let mut template = world.app.anonymous().get("/letter-templates").expect(200).items().remove(0);
    for field in ["key", "version"] {
        template.as_object_mut().unwrap().remove(field);
    }
    template["text_da"] = json!("Kort: {{bodies}}");
    let add = |body: Value| world.staff().post("/letter-templates/letter-of-intent/versions", body);
    assert_eq!(add(template.clone()).expect(201)["version"], 2);
    assert_eq!(world.draft()["text"], "Kort: - Kommune 1: 100 plejeboliger");
    let renewed = world.staff().post(&format!("{before}/renew"), Value::Null).expect(200);
    assert!(renewed.text_of("text").len() > 300, "made anew from the version it was made from");
    template["text_da"] = json!("{{hvem}}");
    add(template.clone()).unfit(&[("/text_da", "unknown_place")]);
    template["text_da"] = json!("Vi vil.");
    world.app.member(&world.bodies[0]).post("/letter-templates/x/versions", template).refused(403, "forbidden");
}

#[test]
fn participants_comment_while_a_round_is_open_and_each_comment_is_answered_before_it_goes_out() {
    let world = world(1);
    let letter = format!("/letters-of-intent/{}", world.draft().id());
    let member = world.app.member(&world.bodies[0]);
    let comment = json!({"text": "Punkt 4 bør nævne drift."});
    member.post(&format!("{letter}/comments"), comment.clone()).refused(409, "comments_closed");
    let round = json!({"until": "2026-12-01T11:00:00Z"});
    world
        .staff()
        .post(&format!("{letter}/comments/open"), json!({"until": "2026-11-22T07:00:00Z"}))
        .unfit(&[("/until", "in_the_past")]);
    world.staff().post(&format!("{letter}/comments/open"), round).expect(200);
    let said = member.post(&format!("{letter}/comments"), comment.clone()).expect(201);
    assert_eq!((&said["organisation"], &said["number"]), (&json!("Kommune 1"), &json!(1)));
    let stranger = given::municipality(&world.app, "Fremmed");
    world.app.member(&stranger).post(&format!("{letter}/comments"), comment.clone()).refused(404, "not_found");

    let send = || world.staff().post(&format!("{letter}/send"), json!({}));
    send().refused(409, "comments_open");
    world.staff().post(&format!("{letter}/comments/close"), Value::Null).expect(200);
    member.post(&format!("{letter}/comments"), comment).refused(409, "comments_closed");
    send().refused(409, "unresolved_comments");
    let resolve = format!("/letter-comments/{}/resolve", said.id());
    world.staff().post(&resolve, json!({"text": "Taget ind"})).expect(200);
    world.staff().post(&resolve, json!({"text": "Igen"})).refused(409, "already_settled");
    send().refused(409, "no_signatories");
    let comments = member.get(&format!("{letter}/comments")).expect(200);
    assert_eq!(comments.items()[0]["resolution"], "Taget ind");
    let history = member.get(&format!("{letter}/history")).expect(200);
    assert_eq!(
        history.each("deed"),
        ["drafted", "opened_for_comments", "commented", "closed_for_comments", "resolved_comment"]
    );
}

#[test]
fn each_body_signs_for_itself_and_the_first_signature_freezes_the_text() {
    let world = world(3);
    let (letter, mails) = world.sent();
    assert_eq!(mails.len(), 3);
    assert!(
        mails[0].text.contains("22-12-2026") && mails[0].subject == "Hensigtserklæring til underskrift",
        "{}",
        mails[0].text
    );
    let browser = world.app.anonymous().outside();
    let page = mails[0].link("/letters-of-intent/sign/").replace("https://skala.example", "");
    let shown = browser.get(&page).expect(200);
    let seen = world.staff().get(&letter).expect(200);
    assert!(
        shown.text.contains(&seen.text_of("sha256")) && shown.text.contains("Underskriv for Kommune 1"),
        "{}",
        shown.text
    );
    assert_eq!(world.participant(&world.bodies[0])["signed_on"], Value::Null, "showing a page changes nothing");

    let signed = browser.post_raw(&page, "application/x-www-form-urlencoded", "deed=sign").expect(200);
    assert!(signed.text.contains("Du underskrev 22-11-2026 kl. 09.00"), "{}", signed.text);
    let receipt = world.app.mail_to("kommune1@kommune.example");
    assert!(receipt.subject == "Du har underskrevet" && receipt.text.contains(&seen.text_of("sha256")));
    for again in ["deed=sign", "deed=decline&reason=Nej"] {
        let shown = browser.post_raw(&page, "application/x-www-form-urlencoded", again).expect(200);
        assert!(shown.text.contains("Du underskrev"), "a second press changes nothing: {}", shown.text);
    }
    assert!(world.app.mails().is_empty());
    assert!(browser.get(&page).expect(200).text.contains("Du underskrev"), "the back button shows what was done");

    // It is public now, with who signed what and when, and its text stays.
    let public = world.app.anonymous().get(&letter).expect(200);
    assert_eq!(public["frozen_at"], "2026-11-22T08:00:00Z");
    let signatories = public["signatories"].as_array().unwrap();
    assert_eq!((signatories.len(), &signatories[0]["sha256"]), (1, &public["sha256"]));
    assert!(!public.text.contains("@kommune.example"));
    let text = world.app.anonymous().with("Accept", "text/plain").get(&letter).expect(200).text;
    assert!(text.contains("- Kommune 1: Borgmester i Kommune 1, Borgmester"), "{text}");
    let html = world.app.anonymous().with("Accept", "text/html").get(&letter).expect(200).text;
    assert!(html.starts_with("<!doctype html>") && html.contains("Borgmester i Kommune 1"));
    world.staff().change(&letter, json!({"text": "Noget andet"})).refused(409, "frozen");
    world.staff().post(&format!("{letter}/renew"), Value::Null).refused(409, "frozen");

    // A partner is not a signatory, and a signatory intends at least.
    assert_eq!(world.participant(&world.bodies[0])["signed_on"], "2026-11-22");
    let other = world.participant(&world.bodies[1]);
    assert_eq!((&other["state"], &other["signed_on"]), (&json!("partner"), &Value::Null));
    let said = world.staff().get(&world.path("/commitments")).expect(200).items();
    let said = said.iter().find(|said| said["organisation_id"] == world.bodies[0].id.as_str()).unwrap();
    assert_eq!(
        (&said["level"], &said["signed_on"], &said["volume"]["quantity"]),
        (&json!("intends"), &json!("2026-11-22"), &json!(100.0))
    );

    // Another declines, and says why.
    world.answer(&mails[1], json!({"sign": false})).unfit(&[("/reason", "required")]);
    for (reason, code) in [("Spørg 010190-1234", "cpr_number"), ("Se <b>her</b>", "markup")] {
        world.answer(&mails[1], json!({"sign": false, "reason": reason})).unfit(&[("/reason", code)]);
    }
    assert_eq!(
        world.answer(&mails[1], json!({"sign": false, "reason": "Byrådet vil vente"})).expect(200)["state"],
        "declined"
    );
    assert_eq!(world.app.mail_to("kommune2@kommune.example").subject, "Du har afslået");
    assert_eq!(world.app.anonymous().get(&letter).expect(200)["signatories"].as_array().unwrap().len(), 1);
    let all = world.app.member(&world.bodies[2]).get(&letter).expect(200)["signatories"].as_array().unwrap().clone();
    let states: Vec<_> = all.iter().map(|one| one["state"].as_str().unwrap()).collect();
    assert_eq!((states, &all[1]["reason"]), (vec!["signed", "declined", "asked"], &json!("Byrådet vil vente")));
}

#[test]
fn a_signature_on_a_changed_text_is_impossible() {
    let world = world(2);
    let (letter, old) = world.sent();
    world.staff().change(&letter, json!({"text": "Vi vil noget andet."})).expect(200);
    let new = world.app.mails();
    assert!(new.len() == 2 && new[0].subject.starts_with("Ny tekst"), "{new:?}");
    world.answer(&old[0], json!({"sign": true})).refused(410, "dead_link");
    let page = old[0].link("/letters-of-intent/sign/").replace("https://skala.example", "");
    world.app.anonymous().outside().get(&page).expect(410);
    assert_eq!(world.app.anonymous().get(&letter).status, 404, "nobody has signed");
    let versions = world.app.member(&world.bodies[0]).get(&format!("{letter}/versions")).expect(200).items();
    assert_eq!(versions.iter().map(|one| one["number"].clone()).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(
        (&versions[0]["text"], &versions[0]["written_by"]),
        (&json!("Vi vil noget andet."), &json!("facilitator"))
    );
    let signed = world.answer(&new[0], json!({"sign": true})).expect(200);
    assert_eq!(
        signed["sha256"],
        json!(sha256(&world.app.anonymous().get(&format!("{letter}/document")).expect(200).text))
    );
    world.app.mails();
    // A link that was altered opens nothing either.
    let token = new[1].token("/letters-of-intent/sign/");
    let altered = format!("{}{}", if token.starts_with('K') { 'L' } else { 'K' }, &token[1..]);
    world
        .app
        .anonymous()
        .post("/letters-of-intent/sign", json!({"token": altered, "sign": true}))
        .refused(410, "dead_link");
}

#[test]
fn who_comes_later_joins_by_an_addendum_and_a_supporter_signs_a_declaration() {
    let mut world = world(2);
    let (letter, mails) = world.sent();
    world.answer(&mails[0], json!({"sign": true})).expect(200);
    world.app.mails();
    let late = world.join("Kommune 3", "need_owner", 300);
    let supporter = world.join("Netværket", "supporter", 1);
    assert_eq!(world.name(&letter, &late)["kind"], "addendum");
    assert_eq!(world.name(&letter, &supporter)["kind"], "declaration");
    let mails = world.app.mails();
    let frozen = world.app.anonymous().get(&letter).expect(200).text_of("sha256");
    let page = mails[0].link("/letters-of-intent/sign/").replace("https://skala.example", "");
    let shown = world.app.anonymous().outside().get(&page).expect(200);
    assert!(
        shown.text.contains("Tillæg") && shown.text.contains(&frozen) && shown.text.contains("300 plejeboliger"),
        "{}",
        shown.text
    );
    for mail in &mails {
        world.answer(mail, json!({"sign": true})).expect(200);
    }
    world.app.mails();
    let public = world.app.anonymous().get(&letter).expect(200);
    assert_eq!(public["sha256"], json!(frozen), "the letter stays as it was");
    let signatories = public["signatories"].as_array().unwrap();
    let addendum = signatories.iter().find(|one| one["kind"] == "addendum").unwrap();
    let words = addendum["text"].as_str().unwrap();
    assert!(words.contains(&frozen), "{words}");
    assert_eq!(addendum["sha256"], json!(sha256(words)));
    assert_eq!(world.participant(&late)["signed_on"], "2026-11-22");
    assert_eq!(world.participant(&supporter)["signed_on"], Value::Null, "a supporter is no signatory");
    let text = world.app.anonymous().with("Accept", "text/plain").get(&letter).expect(200).text;
    assert!(text.contains("Partnererklæring: Netværket") && text.contains(&frozen), "{text}");
}

#[test]
fn links_run_out_are_reminded_of_once_and_can_be_sent_again() {
    let world = world(1);
    let (letter, mails) = world.sent();
    world.app.advance(TimeDelta::days(22));
    assert!(world.app.mails().is_empty());
    world.app.advance(TimeDelta::days(2));
    let reminder = world.app.mail_to("kommune1@kommune.example");
    assert!(reminder.subject.starts_with("Påmindelse"));
    assert!(world.app.mails().is_empty(), "once");
    world.app.advance(TimeDelta::days(7));
    for old in [&mails[0], &reminder] {
        world.answer(old, json!({"sign": true})).refused(410, "dead_link");
    }
    let signatory = world.staff().get(&letter).expect(200)["signatories"][0].clone();
    assert_eq!(signatory["state"], "expired");
    let again = format!("/signatories/{}/send-again", signatory["id"].as_str().unwrap());
    world.staff().post(&again, json!({"until": "2028-01-01T00:00:00Z"})).unfit(&[("/until", "out_of_range")]);
    world.staff().post(&again, json!({})).expect(200);
    let fresh = world.app.mail_to("kommune1@kommune.example");
    world.answer(&fresh, json!({"sign": true})).expect(200);
    world.app.mails();
    world.staff().post(&again, json!({})).refused(409, "already_settled");
}

#[test]
fn what_waits_with_a_letter_stands_on_the_desks_until_it_is_seen_to() {
    let world = world(2);
    let (staff, first) = (world.staff(), world.app.member(&world.bodies[0]));
    let letter = format!("/letters-of-intent/{}", world.draft().id());
    let todo = |member: &Client| {
        let items = member.get("/todo").expect(200).items();
        let letters = items.into_iter().filter(|item| item["kind"] == "letter");
        letters.map(|item| item["action"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let queue = || staff.get("/queue").expect(200).each("kind");

    // A draft that takes comments waits for each body until it has said something, and what it said for staff.
    assert!(todo(&first).is_empty());
    staff.post(&format!("{letter}/comments/open"), json!({"until": "2026-11-29T11:00:00Z"})).expect(200);
    assert_eq!(todo(&first), ["comment"]);
    let comment = first.post(&format!("{letter}/comments"), json!({"text": "Nævn data."})).expect(201).id();
    assert!(todo(&first).is_empty());
    let item = staff.get("/queue").expect(200).items().remove(0);
    assert_eq!(
        (&item["kind"], &item["id"], &item["organisation"]),
        (&json!("letter_comment"), &json!(comment), &json!("Kommune 1"))
    );
    staff.post(&format!("{letter}/comments/close"), Value::Null).expect(200);
    staff.post(&format!("/letter-comments/{comment}/resolve"), json!({"text": "Taget ind"})).expect(200);
    assert!(queue().is_empty());

    // A signature that is declined, or not given in time, waits for both.
    world.name(&letter, &world.bodies[0].clone());
    world.name(&letter, &world.bodies[1].clone());
    staff.post(&format!("{letter}/send"), json!({})).expect(200);
    let asked = world.app.mails();
    assert!(queue().is_empty() && todo(&first).is_empty());
    let mail = asked.iter().find(|mail| mail.to == "kommune1@kommune.example").unwrap();
    world.answer(mail, json!({"sign": false, "reason": "Byrådet er imod."})).expect(200);
    world.app.mails();
    assert_eq!((queue(), todo(&first)), (vec!["signature".to_owned()], vec!["name_signatory".to_owned()]));
    assert!(first.get("/todo").expect(200).text.contains("Byrådet er imod."));
    let second = world.app.member(&world.bodies[1]);
    world.app.advance(TimeDelta::days(31));
    world.app.send_what_waits();
    assert_eq!((queue().len(), todo(&first).len(), todo(&second)), (1, 0, vec!["remind".to_owned()]));
    let missing = staff.get("/queue").expect(200).items().remove(0);
    let again = format!("/signatories/{}/send-again", missing["id"].as_str().unwrap());
    staff.post(&again, json!({})).expect(200);
    world.app.mails();
    assert!(queue().is_empty() && todo(&second).is_empty());
}

#[test]
fn nothing_is_signed_when_the_process_is_over_and_the_page_says_so_before_any_button() {
    let world = world(1);
    let (_, asked) = world.sent();
    let over = json!({"status": "completed"});
    world.staff().change(&world.path(""), over).expect(200);
    let link = asked[0].link("/letters-of-intent/sign/");
    let page = world.app.anonymous().get(link.strip_prefix("https://skala.example").unwrap()).expect(200);
    assert!(page.text.contains("er slut, så der kan ikke underskrives mere") && !page.text.contains("<button"));
    let refused = world.answer(&asked[0], json!({"sign": true})).refused(409, "ended");
    assert!(refused.text.contains("Skriv til CO-PI"), "{}", refused.text);
}

#[test]
fn a_signature_and_a_letter_can_be_taken_back_with_a_reason() {
    let world = world(2);
    let (letter, mails) = world.sent();
    let signed = world.answer(&mails[0], json!({"sign": true})).expect(200);
    world.app.mails();
    let back = format!("/signatories/{}/withdraw", signed.id());
    world.staff().post(&back, json!({"reason": "Nyt byråd"})).expect(200);
    world.staff().post(&back, json!({"reason": "Igen"})).refused(409, "not_signed");
    assert_eq!(world.participant(&world.bodies[0])["signed_on"], Value::Null);
    world.staff().post(&format!("{letter}/withdraw"), json!({"reason": "Processen stopper"})).expect(200);
    let told = world.app.mail_to("kommune2@kommune.example");
    assert!(told.text.contains("Processen stopper"), "{}", told.text);
    world.answer(&mails[1], json!({"sign": true})).refused(410, "dead_link");
    world.staff().post(&format!("{letter}/withdraw"), json!({"reason": "Igen"})).refused(409, "withdrawn");
    let stranger = given::municipality(&world.app, "Fremmed");
    let named = json!({"organisation_id": stranger.id, "name": "X", "title": "Y", "email": "x@y.example"});
    world.staff().post(&format!("{letter}/signatories"), named.clone()).refused(409, "withdrawn");
    let other = format!("/letters-of-intent/{}", world.draft().id());
    world.staff().post(&format!("{other}/signatories"), named).refused(409, "takes_no_part");
}

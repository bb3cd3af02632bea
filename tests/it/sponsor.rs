//! Anchoring, said by the sponsors themselves.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Named, TestApp, given};

const POLITICAL: &str = "ib.lund@odense.example";
const ADMINISTRATIVE: &str = "eva.skov@odense.example";

struct World {
    app: TestApp,
    member: Client,
    challenge: Named,
}

fn world() -> World {
    let app = TestApp::start();
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    let challenge = given::drafted(&member, "Natlige tilsyn");
    World { app, member, challenge }
}

impl World {
    fn path(&self, rest: &str) -> String {
        format!("/challenges/{}{rest}", self.challenge.id)
    }

    fn ask(&self, body: Value) -> Answer {
        self.member.post(&self.path("/anchoring/requests"), body)
    }

    /// Asks the political sponsor, and takes the token out of the mail.
    fn asked(&self) -> String {
        self.ask(json!({"political_email": POLITICAL})).expect(202);
        self.app.mail_to(POLITICAL).token("/sponsorships/")
    }

    fn answer(&self, token: &str, answer: &str) -> Answer {
        self.app.anonymous().post("/sponsorships/answer", json!({"token": token, "answer": answer}))
    }

    fn anchoring(&self) -> Value {
        let seen = self.member.get(&self.path("")).expect(200);
        seen["assessment"]["criteria"][2].clone()
    }

    fn standing(&self) -> Value {
        self.anchoring()["facts"]["political"]["standing"].clone()
    }
}

#[test]
fn a_sponsor_confirms_from_the_mail_alone() {
    let world = world();
    assert_eq!(world.standing(), "claimed");
    let asked = world.ask(json!({"political_email": POLITICAL, "administrative_email": ADMINISTRATIVE})).expect(202);
    assert_eq!(asked["assessment"]["criteria"][2]["facts"]["political"]["standing"], "asked");
    let mails = world.app.mails();
    let [eva, ib] = mails.as_slice() else { panic!("{mails:?}") };
    assert_eq!((eva.to.as_str(), ib.to.as_str()), (ADMINISTRATIVE, POLITICAL));
    assert!(ib.text.contains("Nattevagterne går fire runder hver nat") && ib.text.contains("Rådmand"), "{}", ib.text);
    assert!(ib.text.contains("21.840 timer om året (målt)") && ib.text.contains("1200 plejeboliger"), "{}", ib.text);

    let path = format!("/sponsorships/{}", ib.token("/sponsorships/"));
    let browser = world.app.anonymous().with("Accept", "text/html");
    let page = browser.get(&path).expect(200);
    assert!(page.text.contains("Nattevagterne går fire runder hver nat") && page.text.matches("<button>").count() == 2);
    assert!(page.text.contains("Ændres den, skal du spørges igen"));
    let told = world.app.anonymous().get(&path).expect(200);
    assert_eq!((&told["organisation"], &told["side"]), (&json!("Odense Kommune"), &json!("political")));
    assert_eq!(world.standing(), "asked", "looking changes nothing");

    let form = "application/x-www-form-urlencoded";
    let thanks = browser.post_raw(&path, form, "answer=confirm").expect(200);
    assert!(thanks.text.contains("Du står bag udfordringen"));
    assert_eq!(world.app.mails()[0].subject, "Ib Lund står bag jeres udfordring");
    let anchoring = world.anchoring();
    assert_eq!(
        (&anchoring["verdict"], &anchoring["facts"]["political"]["standing"]),
        (&json!("met"), &json!("confirmed"))
    );
    assert_eq!(anchoring["facts"]["administrative"]["standing"], "asked");
    let history = world.member.get(&world.path("/history")).expect(200);
    let deeds = history.each("deed");
    assert_eq!(deeds[deeds.len() - 3..], ["sponsor_asked", "sponsor_asked", "sponsor_confirmed"]);
    assert_eq!(history.items().last().unwrap()["by"], "Ib Lund");
    assert!(!history.text.contains(POLITICAL), "the address is nobody's to read");
    let listed = world.member.get(&world.path("/anchoring/requests")).expect(200);
    assert_eq!(listed.each("standing"), ["confirmed", "asked"]);
    assert!(!listed.text.contains("@odense.example"));
}

#[test]
fn a_no_turns_the_verdict_until_somebody_else_is_named_or_the_same_one_says_yes() {
    let world = world();
    let token = world.asked();
    let no = json!({"token": token, "answer": "refuse", "reason": "For dyrt i år"});
    world.app.anonymous().post("/sponsorships/answer", no).expect(200);
    assert!(world.app.mails()[0].text.contains("For dyrt i år"));
    let anchoring = world.anchoring();
    assert_eq!(
        (&anchoring["verdict"], &anchoring["reasons"][0]),
        (&json!("not_met"), &json!("Ib Lund vil ikke stå bag: For dyrt i år"))
    );

    world.member.change(&world.path(""), json!({"title": "Natlige tilsyn på plejehjem"})).expect(200);
    assert_eq!(world.standing(), "refused", "another title is no answer to a no");
    let somebody = json!({"anchoring": {"political": {"name": "Bo Dam", "title": "Borgmester", "date": "2026-11-01"}}});
    world.member.change(&world.path(""), somebody).expect(200);
    assert_eq!((world.standing(), world.anchoring()["verdict"].clone()), (json!("claimed"), json!("met")));

    let back = json!({"anchoring": {"political": {"name": "Ib Lund", "title": "Rådmand", "date": "2026-10-01"}}});
    world.member.change(&world.path(""), back).expect(200);
    assert_eq!(world.standing(), "refused");
    world.ask(json!({"political_email": POLITICAL})).refused(429, "too_soon");
    world.app.advance(TimeDelta::days(1));
    let token = world.asked();
    assert_eq!(world.anchoring()["verdict"], "unclear", "asked again is not yet a yes");
    world.answer(&token, "confirm").expect(200);
    world.app.mails();
    assert_eq!((world.standing(), world.anchoring()["verdict"].clone()), (json!("confirmed"), json!("met")));
}

#[test]
fn a_link_that_is_used_expired_altered_anothers_or_about_an_older_text_says_so() {
    let world = world();
    let browser = world.app.anonymous().with("Accept", "text/html");
    let token = world.asked();
    let altered = format!("{}{}", &token[..20], if token.as_bytes()[20] == b'A' { "B" } else { "A" }) + &token[21..];
    for strange in [altered.as_str(), "AZPxwnpefDGdPj9qKxwNTg", "%00", "x"] {
        world.app.anonymous().get(&format!("/sponsorships/{strange}")).refused(410, "link_unknown");
        world.answer(strange, "confirm").refused(410, "link_unknown");
    }
    // A link for something else opens nothing here, and this one nothing elsewhere.
    world.app.anonymous().post("/questions/confirm", json!({"token": token})).refused(410, "dead_link");
    let other = given::subscriber(&world.app, "salg@firma.example", "immediate", json!({"cpv": ["33000000"]}));
    world.answer(&other, "confirm").refused(410, "link_unknown");

    world.member.change(&world.path(""), json!({"problem": "Vi går fem runder hver nat."})).expect(200);
    assert_eq!(world.standing(), "claimed");
    let page = browser.get(&format!("/sponsorships/{token}")).expect(410);
    assert!(page.text.contains("Teksten er ændret"), "{}", page.text);
    world.answer(&token, "confirm").refused(410, "text_changed");

    let newer = world.asked();
    world.answer(&token, "confirm").refused(410, "link_unknown");
    world.app.advance(TimeDelta::days(14) + TimeDelta::seconds(1));
    world.answer(&newer, "confirm").refused(410, "link_expired");
    let last = world.asked();
    world.answer(&last, "confirm").expect(200);
    world.app.mails();
    world.answer(&last, "refuse").refused(410, "link_used");
    world.app.anonymous().get(&format!("/sponsorships/{last}")).refused(410, "link_used");
    assert_eq!(world.standing(), "confirmed");
    world.ask(json!({"political_email": POLITICAL})).refused(409, "already_confirmed");
    world.member.post(&world.path("/withdraw"), json!({})).expect(200);
    world.ask(json!({"political_email": POLITICAL})).refused(409, "wrong_state");
}

#[test]
fn reminders_are_a_day_apart_and_a_mistyped_address_is_put_right_at_once() {
    let world = world();
    let wrong = {
        world.ask(json!({"political_email": "ib.lund@odnse.example"})).expect(202);
        world.app.mails()[0].token("/sponsorships/")
    };
    let first = world.asked();
    world.answer(&wrong, "confirm").refused(410, "link_unknown");
    let early = world.ask(json!({"political_email": POLITICAL})).refused(429, "too_soon");
    assert_eq!(early.header("Retry-After"), "86400");
    let last_asked = || world.member.get(&world.path("/anchoring/requests")).expect(200).items()[0]["asked_at"].clone();
    assert_eq!(last_asked(), "2026-11-22T08:00:00Z");
    world.app.advance(TimeDelta::days(1));
    let reminded = world.asked();
    assert_eq!(last_asked(), "2026-11-23T08:00:00Z");
    assert_eq!(world.member.get(&world.path("/history")).expect(200).each("deed").last().unwrap(), "sponsor_reminded");
    world.answer(&first, "confirm").expect(200);
    world.app.mails();
    world.answer(&reminded, "confirm").refused(410, "link_used");
}

#[test]
fn who_may_ask_whom() {
    let world = world();
    let aarhus = given::municipality(&world.app, "Aarhus Kommune");
    let body = json!({"political_email": POLITICAL});
    world.app.member(&aarhus).post(&world.path("/anchoring/requests"), body.clone()).refused(404, "not_found");
    world.app.facilitator().post(&world.path("/anchoring/requests"), body).refused(403, "forbidden");
    world.ask(json!({})).unfit(&[("/political_email", "required")]);
    world.ask(json!({"political_email": "Ib Lund"})).unfit(&[("/political_email", "not_an_email")]);
    let same = json!({"political_email": POLITICAL, "administrative_email": POLITICAL.to_uppercase()});
    world.ask(same).unfit(&[("/administrative_email", "same_address")]);
    let own = world.member.get("/me").expect(200).text_of("email");
    world.ask(json!({"political_email": own})).unfit(&[("/political_email", "own_address")]);
    world.member.change(&world.path(""), json!({"anchoring": null})).expect(200);
    world.ask(json!({"political_email": POLITICAL})).unfit(&[("/political_email", "sponsor_not_named")]);
    assert!(world.app.mails().is_empty());
}

#[test]
fn a_set_can_ask_for_the_sponsors_own_word() {
    let world = world();
    let rule = json!({"title_da": "V", "title_en": "W", "criteria": [{"key": "anchoring", "title_da": "A", "title_en": "A",
        "rule": {"kind": "anchoring", "must_be_confirmed": true}}]});
    world.app.admin().post("/criteria-sets/welfare-technology/versions", rule).expect(201);
    let kept = world.member.get(&world.path("")).expect(200);
    assert_eq!((&kept["assessment"]["version"], &kept["assessment"]["outcome"]), (&json!(1), &json!("met")));
    let submitted = world.member.post(&world.path("/submit"), json!({})).expect(200);
    assert_eq!(submitted["assessment"]["version"], 2, "handing in is judged by what holds now");
    assert_eq!(submitted["assessment"]["outcome"], "unclear");
    let looser = json!({"title_da": "V", "title_en": "W", "criteria": [{"key": "anchoring", "title_da": "A", "title_en": "A",
        "rule": {"kind": "anchoring"}}]});
    world.app.admin().post("/criteria-sets/welfare-technology/versions", looser).expect(201);
    world.ask(json!({"political_email": POLITICAL, "administrative_email": ADMINISTRATIVE})).expect(202);
    for mail in world.app.mails() {
        world.answer(&mail.token("/sponsorships/"), "confirm").expect(200);
    }
    world.app.mails();
    let seen = world.member.get(&world.path("")).expect(200);
    assert_eq!((&seen["assessment"]["version"], &seen["assessment"]["outcome"]), (&json!(2), &json!("met")));
}

#[test]
fn an_address_is_forgotten_with_the_answer_with_the_text_and_with_the_link() {
    let world = world();
    let kept = |world: &World| {
        let read = world.app.node.db.read(|connection| {
            use diesel::prelude::*;
            skala::db::schema::sponsor_request::table
                .select(skala::db::schema::sponsor_request::email)
                .load::<Option<String>>(connection)
                .map_err(skala::db::DbError::from)
        });
        crate::support::wait_for(read).unwrap()
    };
    let token = world.asked();
    assert_eq!(kept(&world), [Some(POLITICAL.to_owned())]);
    world.answer(&token, "confirm").expect(200);
    world.app.mails();
    assert_eq!(kept(&world), [None]);
    world.member.change(&world.path(""), json!({"title": "En anden"})).expect(200);
    world.asked();
    world.member.change(&world.path(""), json!({"title": "En tredje"})).expect(200);
    assert_eq!(kept(&world), [None]);
    world.asked();
    world.app.advance(TimeDelta::days(15));
    world.app.send_what_waits();
    assert_eq!(kept(&world), [None]);
}

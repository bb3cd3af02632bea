//! Needs that a body's staff leave in its inbox: the open door, sorting, gathering, and the way back.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Client, Named, TestApp, given};

/// What the staff of a hospital tell, matter by matter: each line is somebody else's words for it.
const TOLD: [&[&str]; 5] = [
    &[
        "Vi går fire runder hver nat på stuerne, og de fleste patienter vågner, når vi åbner døren.",
        "Nattevagten fører tilsyn hver anden time. Patienterne bliver vækket, selv om alt er i orden.",
        "Om natten lister vi ind for at se, om patienten sover. Så vågner de og kan ikke sove igen.",
        "Natlige tilsyn forstyrrer søvnen hos patienterne, og vi ved ikke, hvem der har brug for os.",
    ],
    &[
        "Vi leder efter infusionspumper på hele gangen, før vi kan starte medicinen.",
        "Der mangler altid en infusionspumpe, og en af os går rundt på de andre afsnit og leder.",
        "Pumper og andet udstyr bliver væk, og vi bruger tid på at lede efter det i depoterne.",
        "Hver vagt går der tid med at lede efter udstyr, mest pumper, som står et andet sted.",
    ],
    &[
        "Vi skal være to om at vende en tung patient i sengen, og den anden må hentes fra en anden stue.",
        "Tunge løft og vendinger i sengen kræver to, og ryggen værker efter en vagt.",
        "At forflytte patienter fra seng til stol er tungt, og vi venter på en kollega.",
        "Vi løfter og vender patienter hele dagen, og der er sjældent to til det.",
    ],
    &[
        "Vi skriver det samme ind i tre systemer, når en patient bliver indlagt.",
        "Dokumentation ved indlæggelse bliver tastet dobbelt, først på papir og så i journalen.",
        "De samme oplysninger skal skrives flere steder i journalen, og det tager tid fra patienten.",
        "Dobbelt dokumentation i journal og skema hver gang en patient kommer ind.",
    ],
    &[
        "Patienter med andet sprog venter på tolk, og samtalen bliver udskudt.",
        "Tolken kommer for sent eller slet ikke, så vi kan ikke forklare patienten behandlingen.",
        "Vi mangler tolk om aftenen, og pårørende må oversætte for patienten.",
        "Når patienten ikke taler dansk, venter vi længe på en tolk til samtalen.",
    ],
];

const DEPARTMENTS: [&str; 7] = ["Kirurgisk", "Medicinsk", "Geriatrisk", "Akut", "Ortopædkirurgisk", "Neurologisk", ""];

/// The service behind a proxy, so that everybody can come from a network of their own.
fn behind_a_proxy() -> TestApp {
    TestApp::with(&[("SKALA_TRUSTED_PROXIES", "127.0.0.1")])
}

fn from(app: &TestApp, number: usize) -> Client {
    app.anonymous().with("X-Forwarded-For", format!("10.{}.{}.7", number / 250, number % 250))
}

fn inbox(member: &Client, address: &str) -> String {
    let body = json!({"title": "Behov på natten", "asks": "Hvad koster jer tid om natten?", "address": address});
    member.post("/needs-inboxes", body).expect(201).id()
}

fn need(what: &str) -> Value {
    json!({"what": what, "how_often": {"times": 4.0, "per": "day", "minutes": 10.0, "people": 2},
           "who": "patienter, nattevagter", "today": "Vi lister.", "department": "Kirurgisk"})
}

fn leave(client: &Client, address: &str, body: Value) -> String {
    client.post(&format!("/needs-inboxes/at/{address}/needs"), body).expect(201).id()
}

fn hospital(app: &TestApp) -> (Named, Client) {
    let hospital = given::organisation(app, json!({"name": "Bispebjerg Hospital", "kind": "region", "nuts": "DK011"}));
    let member = app.member(&hospital);
    (hospital, member)
}

#[test]
fn a_hundred_and_thirty_nine_needs_become_one_process_and_the_way_leads_back_to_each() {
    let app = behind_a_proxy();
    let (_, member) = hospital(&app);
    inbox(&member, "natbehov");
    for number in 0..139 {
        let words = TOLD[number % 5];
        let body = json!({
            "what": words[number / 5 % 4],
            "how_often": {"times": 1 + number % 3, "per": "day", "minutes": 10.0, "people": 2},
            "who": "patienter, nattevagter", "department": DEPARTMENTS[number % 7],
            "today": format!("Sådan gør vi på stue {number}."),
            "email": if number == 0 { json!("nat@hospital.example") } else { Value::Null },
        });
        leave(&from(&app, number), "natbehov", body);
        app.advance(TimeDelta::seconds(1));
    }
    let receipt = app.mail_to("nat@hospital.example");
    assert_eq!(receipt.subject, "Vi har modtaget dit behov");
    let todo = member.get("/todo").expect(200);
    assert_eq!((&todo["inboxes"][0]["new"], &todo["inboxes"][0]["seen"]), (&json!(139), &json!(0)));

    // Like needs lie together, and what they share has a name.
    let clusters = member.get("/needs/clusters").expect(200);
    let kind = |need: &Value| TOLD.iter().position(|words| words.contains(&need["what"].as_str().unwrap())).unwrap();
    let strays: usize = clusters
        .items()
        .iter()
        .map(|cluster| {
            let kinds: Vec<usize> = cluster["needs"].as_array().unwrap().iter().map(kind).collect();
            let most = (0..TOLD.len()).map(|one| kinds.iter().filter(|kind| **kind == one).count()).max().unwrap();
            kinds.len() - most
        })
        .sum();
    assert!(strays * 20 <= 139, "matters are mixed: {strays} needs lie with others' kind");
    let sizes: Vec<usize> = clusters.items().iter().map(|c| c["needs"].as_array().unwrap().len()).collect();
    assert!(sizes.len() <= 7, "matters are torn apart: {sizes:?}");
    let all = clusters.items().into_iter().flat_map(|cluster| cluster["needs"].as_array().unwrap().clone());
    let nights: Vec<Value> = all.filter(|need| kind(need) == 0).collect();

    // They become one challenge: hours and scale are counted up from theirs, as an estimate.
    let ids: Vec<&Value> = nights.iter().map(|need| &need["id"]).collect();
    let body = json!({"need_ids": ids, "title": "Natlige tilsyn vækker patienterne", "theme": "velfærdsteknologi"});
    let gathered = member.post("/needs/gather", body.clone()).expect(201);
    assert_eq!(gathered["needs"], ids.len());
    member.post("/needs/gather", body).refused(409, "wrong_state");
    let challenge = format!("/challenges/{}", gathered.text_of("challenge_id"));
    let drafted = member.get(&challenge).expect(200);
    assert_eq!(drafted["time_savings"]["basis"], "estimated");
    // Seven departments (one unnamed) of four voices each: medians of 1.5, 2 or 2.5 times a day, 13.5 together, at
    // 10 minutes for 2 people on all days of 52 weeks.
    assert_eq!(drafted["time_savings"]["hours_per_year"], 13.5 * 364.0 * 20.0 / 60.0);
    assert_eq!(drafted["scale"]["volume"], json!({"quantity": 7.0, "unit": "afdelinger"}));
    assert_eq!(drafted["affected_users"], "patienter, nattevagter");
    assert!(drafted.text_of("problem").contains("åbner døren"), "{}", drafted.text);
    assert!(app.mail_to("nat@hospital.example").text.contains("Natlige tilsyn vækker patienterne"));

    // All the others become challenges too; one process gathers them.
    let mut challenges = vec![gathered.text_of("challenge_id")];
    for cluster in member.get("/needs/clusters").expect(200).items() {
        let ids: Vec<&Value> = cluster["needs"].as_array().unwrap().iter().map(|need| &need["id"]).collect();
        let body = json!({"need_ids": ids, "title": format!("Nr. {}", challenges.len())});
        challenges.push(member.post("/needs/gather", body).expect(201).text_of("challenge_id"));
    }
    let staff = app.facilitator();
    for id in &challenges {
        member.post(&format!("/challenges/{id}/submit"), json!({})).expect(200);
        let why = json!({"override": true, "reason": "Vi kender dem."});
        staff.post(&format!("/challenges/{id}/approve"), why).expect(200);
    }
    app.mails();
    let opening = json!({"title": "Sammen om natten", "summary": "", "challenge_ids": challenges});
    let process = format!("/processes/{}", staff.post("/processes", opening).expect(201).id());
    assert!(app.mails().is_empty(), "nobody hears of a process that is being prepared");
    staff.change(&process, json!({"status": "active"})).expect(200);
    let letter = app.mail_to("nat@hospital.example");
    assert!(letter.text.contains("Sammen om natten"), "{}", letter.text);
    staff.change(&process, json!({"status": "paused", "reason": "Ferie"})).expect(200);
    staff.change(&process, json!({"status": "active"})).expect(200);
    assert!(app.mails().is_empty(), "the same news comes once");

    // From the process back to every need: counts for all, words for the body alone.
    let back = app.anonymous().get(&format!("{process}/needs")).expect(200);
    assert_eq!(back["needs"], 139);
    assert!(!back.text.contains("stue"), "{}", back.text);
    let own = member.get(&format!("{process}/needs")).expect(200);
    let told: usize = own["challenges"].as_array().unwrap().iter().map(|c| c["items"].as_array().unwrap().len()).sum();
    assert_eq!(told, 139);
    let first = format!("/needs/{}", nights[0]["id"].as_str().unwrap());
    let deeds = member.get(&format!("{first}/history")).expect(200).each("deed");
    assert_eq!(deeds, ["left", "gathered", "reached_process"]);
    let shown = member.get(&first).expect(200);
    assert_eq!(shown["challenge"]["status"], "grouped");
    assert!(process.ends_with(shown["challenge"]["process_id"].as_str().unwrap()));
    let follow = letter.link("/needs/follow/");
    let page = app.anonymous().with("Accept", "text/html").get(follow.strip_prefix("https://skala.example").unwrap());
    assert!(page.expect(200).text.contains("Sammen om natten"));
}

#[test]
fn a_need_is_left_on_the_page_and_what_cannot_be_taken_is_shown_again_with_what_is_wrong() {
    let app = behind_a_proxy();
    let (_, member) = hospital(&app);
    inbox(&member, "natbehov");
    let phone = app.anonymous().outside().with("Accept", "text/html");
    let form = "application/x-www-form-urlencoded";
    let page = phone.get("/behov/natbehov").expect(200);
    for words in ["Hvad koster jer tid om natten?", "Bispebjerg Hospital", "<textarea name=\"what\"", "CPR-numre"] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    let wrong =
        "what=Det+er+sv%C3%A6rt+for+%3Cb%3E010190-1234%3C%2Fb%3E&how_often.times=mange&how_often.per=week&email=nat%40";
    let again = phone.post_raw("/behov/natbehov", form, wrong).expect(422);
    for words in [
        "Det er svært for &lt;b&gt;010190-1234",
        "CPR-nummer",
        "Skriv ren tekst",
        "Skriv et tal",
        "value=\"nat@\"",
        "<option value=\"week\" selected>",
    ] {
        assert!(again.text.contains(words), "{words}: {}", again.text);
    }
    // What points to a person is warned of once, and then is the sender's own affair.
    let personal = "what=Ring+til+fru+Hansen+p%C3%A5+61812776&how_often.times=2%2C5&how_often.minutes=10&warned=";
    let warned = phone.post_raw("/behov/natbehov", form, personal).expect(422);
    assert!(warned.text.contains("telefonnummer") && warned.text.contains("name=\"warned\" value=\"yes\""));
    let sent = phone.post_raw("/behov/natbehov", form, format!("{personal}yes")).expect(200);
    assert!(sent.text.contains("/api/v1/needs/follow/"), "{}", sent.text);
    // The button pressed twice is one need.
    phone.post_raw("/behov/natbehov", form, format!("{personal}yes")).expect(200);
    let needs = member.get("/needs").expect(200).items();
    assert_eq!(needs.len(), 1);
    assert_eq!(needs[0]["how_often"], json!({"times": 2.5, "per": "day", "minutes": 10.0}));
    // Long Danish words do not meet the limit of small forms.
    let long = format!("what={}", "%C3%B8".repeat(4000));
    phone.post_raw("/behov/natbehov", form, long).expect(200);
    let longer = format!("what={}", "%C3%B8".repeat(4001));
    phone.post_raw("/behov/natbehov", form, longer).expect(422);
    phone.get("/behov/findesikke").expect(404);
    phone.post_raw("/behov/findesikke", form, "what=x").expect(404);
}

#[test]
fn the_open_door_takes_no_markup_no_cpr_number_and_no_more_than_four_thousand_characters() {
    let app = TestApp::start();
    let (_, member) = hospital(&app);
    inbox(&member, "natbehov");
    let door = app.anonymous();
    let path = "/needs-inboxes/at/natbehov/needs";
    let told = |what: &str| json!({"what": what});
    door.post(path, told("")).unfit(&[("/what", "required")]);
    door.post(path, told("<script>x</script>")).unfit(&[("/what", "markup")]);
    door.post(path, told("Patient 010190-1234 vågner")).unfit(&[("/what", "cpr_number")]);
    door.post(path, told(&"ø".repeat(4001))).unfit(&[("/what", "too_long")]);
    let both =
        json!({"what": "ø".repeat(2001), "today": "å".repeat(2000), "who": "010190-1234", "email": "x", "file": ""});
    door.post(path, both.clone()).unfit(&[("/file", "unknown_field")]);
    let mut both = both;
    both.as_object_mut().unwrap().remove("file");
    door.post(path, both).unfit(&[("/who", "cpr_number"), ("/email", "not_an_email")]);
    let often = json!({"what": "x", "how_often": {"times": 0.0, "per": "day", "minutes": 2000.0, "people": 0}});
    door.post(path, often).unfit(&[
        ("/how_often/times", "out_of_range"),
        ("/how_often/minutes", "out_of_range"),
        ("/how_often/people", "out_of_range"),
    ]);
    let left = door.post(path, told("Ring til 61 81 27 76")).expect(201);
    assert_eq!(left["warnings"][0]["code"], "phone_number");
    assert_eq!(left.header("Cache-Control"), "no-store");
    door.post("/needs-inboxes/at/andet/needs", told("x")).refused(404, "not_found");
    let id = member.get("/needs-inboxes").expect(200).items()[0]["id"].as_str().unwrap().to_owned();
    member.change(&format!("/needs-inboxes/{id}"), json!({"open": false})).expect(200);
    door.post(path, told("x")).refused(409, "inbox_closed");
    assert!(door.outside().get("/behov/natbehov").expect(200).text.contains("Indbakken er lukket"));
}

#[test]
fn one_network_cannot_fill_an_inbox_and_another_still_gets_in() {
    let app = behind_a_proxy();
    let (_, member) = hospital(&app);
    inbox(&member, "natbehov");
    let path = "/needs-inboxes/at/natbehov/needs";
    for number in 0..30 {
        from(&app, 1).post(path, json!({"what": format!("Nr. {number}")})).expect(201);
    }
    let refused = from(&app, 1).post(path, json!({"what": "En til"})).refused(429, "too_many_requests");
    assert!(refused.header("Retry-After").parse::<u64>().unwrap() <= 20);
    from(&app, 2).post(path, json!({"what": "Fra et andet sted"})).expect(201);
    let form = "application/x-www-form-urlencoded";
    let page = from(&app, 1).outside().with("Accept", "text/html").post_raw("/behov/natbehov", form, "what=Vi+venter");
    assert!(page.expect(429).text.contains(">\nVi venter</textarea>"), "what was typed is not lost");
}

#[test]
fn an_inbox_belongs_to_its_body_and_has_an_address_of_its_own() {
    let app = TestApp::start();
    let (_, member) = hospital(&app);
    let other = app.member(&given::municipality(&app, "Odense Kommune"));
    let id = inbox(&member, "natbehov");
    let body = json!({"title": "Andre", "asks": "Hvad?", "address": "natbehov"});
    other.post("/needs-inboxes", body).refused(409, "address_taken");
    let bad = json!({"title": "", "asks": "Hvad?", "address": "Nat Behov"});
    other.post("/needs-inboxes", bad).unfit(&[("/title", "required"), ("/address", "not_an_address")]);
    let unguessable = other.post("/needs-inboxes", json!({"title": "Andre", "asks": "Hvad?"})).expect(201);
    assert!(unguessable.text_of("address").len() >= 8);
    assert_eq!(unguessable.text_of("url"), format!("https://skala.example/behov/{}", unguessable.text_of("address")));
    other.get(&format!("/needs-inboxes/{id}")).refused(404, "not_found");
    app.facilitator().get("/needs-inboxes").refused(403, "forbidden");
    let need = leave(&app.anonymous(), "natbehov", need("Vi går fire runder."));
    other.get(&format!("/needs/{need}")).refused(404, "not_found");
    app.facilitator().get(&format!("/needs/{need}")).refused(403, "forbidden");
    assert!(other.get("/needs").expect(200).items().is_empty());
    other.post("/needs/gather", json!({"need_ids": [need], "title": "T"})).unfit(&[("/need_ids/0", "unknown")]);
}

#[test]
fn whoever_left_an_address_hears_what_became_of_it_and_is_forgotten_on_demand() {
    let app = TestApp::start();
    let (_, member) = hospital(&app);
    inbox(&member, "natbehov");
    let with_address = |what: &str, email: &str| {
        let mut body = need(what);
        body["email"] = json!(email);
        body["language"] = json!("en");
        leave(&app.anonymous(), "natbehov", body)
    };
    let answered = with_address("Dørene knirker.", "ane@hospital.example");
    let aside = with_address("Kaffen er kold.", "bo@hospital.example");
    let mails = app.mails();
    assert!(mails.iter().all(|mail| mail.subject == "We have received your need"), "{mails:?}");
    let decide = |id: &str, decision: &str, words: &str| {
        member.post("/needs/decisions", json!({"need_ids": [id], "decision": decision, "words": words}))
    };
    decide(&answered, "answer", "").unfit(&[("/words", "required")]);
    decide(&answered, "see", "").expect(200);
    assert!(app.mails().is_empty(), "that somebody looked is no news for a mailbox");
    decide(&answered, "answer", "Der kommer nye hængsler i marts.").expect(200);
    let letter = app.mail_to("ane@hospital.example");
    assert!(letter.text.contains("nye hængsler i marts") && letter.text.contains("Dørene knirker."), "{}", letter.text);
    decide(&answered, "set_aside", "Nej").refused(409, "wrong_state");
    decide(&aside, "set_aside", "Det hører til køkkenet.").expect(200);
    assert!(app.mail_to("bo@hospital.example").text.contains("Det hører til køkkenet."));
    // No address is shown to the body.
    assert!(!member.get("/needs").expect(200).text.contains("hospital.example"));

    let follow = |mail: &crate::support::Mail| {
        mail.link("/needs/follow/").strip_prefix("https://skala.example").unwrap().to_owned()
    };
    let (path, anyone) = (follow(&letter), app.anonymous());
    assert_eq!(anyone.get(&path).expect(200)["answer"], "Der kommer nye hængsler i marts.");
    let form = "application/x-www-form-urlencoded";
    anyone.post_raw(&path, form, "deed=stop").expect(200);
    assert_eq!(anyone.get(&path).expect(200)["followed_by_mail"], false);
    decide(&answered, "see", "").expect(200);
    decide(&answered, "answer", "Hængslerne er her.").expect(200);
    assert!(app.mails().is_empty(), "who stopped hears no more");
    anyone.post_raw(&path, form, "deed=erase").expect(200);
    anyone.get(&path).refused(410, "dead_link");
    anyone.get(&format!("{path}x")).refused(410, "dead_link");
    member.get(&format!("/needs/{answered}")).refused(404, "not_found");
    app.advance(TimeDelta::days(731));
    anyone.get(&follow(&mails[1])).refused(410, "dead_link");
}

#[test]
fn one_that_is_erased_out_of_a_challenge_leaves_its_figures_and_no_word() {
    let app = TestApp::start();
    let (_, member) = hospital(&app);
    inbox(&member, "natbehov");
    let mut body = need("Vi går fire runder hver nat.");
    body["email"] = json!("ane@hospital.example");
    let id = leave(&app.anonymous(), "natbehov", body);
    let path = app.mail_to("ane@hospital.example").link("/needs/follow/");
    let path = path.strip_prefix("https://skala.example").unwrap();
    let challenge = member.post("/needs/gather", json!({"need_ids": [id], "title": "Nat"})).expect(201);
    app.mails();
    app.anonymous().post_raw(path, "application/x-www-form-urlencoded", "deed=erase").expect(200);
    let behind = member.get(&format!("/challenges/{}/needs", challenge.text_of("challenge_id"))).expect(200);
    assert_eq!((&behind["needs"], &behind["departments"]), (&json!(1), &json!(1)));
    assert!(!behind.text.contains("runder") && behind["items"][0]["followed"] == false, "{}", behind.text);
}

#[test]
fn departments_and_other_bodies_have_it_too_and_move_the_estimate_and_the_scale() {
    let app = TestApp::start();
    let (_, member) = hospital(&app);
    let vejle = app.member(&given::municipality(&app, "Vejle Kommune"));
    inbox(&member, "natbehov");
    let id = leave(&app.anonymous(), "natbehov", need("Vi går fire runder hver nat."));
    let path = format!("/needs/{id}");
    vejle.post(&format!("{path}/recognitions"), json!({})).refused(404, "not_found");
    assert!(vejle.get("/shared-needs").expect(200).items().is_empty());
    member.change(&path, json!({"what": "Vi går fire runder.", "shared": true})).expect(200);
    assert_eq!(vejle.get("/shared-needs").expect(200).items()[0]["organisation"]["name"], "Bispebjerg Hospital");
    assert!(member.get("/shared-needs").expect(200).items().is_empty());
    vejle.post(&format!("{path}/recognitions"), json!({"note": "Plejehjem"})).expect(201);
    vejle.post(&format!("{path}/recognitions"), json!({"note": "Alle plejehjem"})).expect(201);
    member.post(&format!("{path}/recognitions"), json!({})).unfit(&[("/department", "required")]);
    member.post(&format!("{path}/recognitions"), json!({"department": "kirurgisk "})).refused(409, "own_need");
    let here = app.anonymous().get("/needs-inboxes/at/natbehov").expect(200);
    assert_eq!(here["shared"][0]["what"], "Vi går fire runder.");
    let often = json!({"times": 2.0, "per": "day", "minutes": 10.0, "people": 2});
    let said = json!({"need_id": id, "department": "Medicinsk", "how_often": often});
    app.anonymous().post("/needs-inboxes/at/natbehov/recognitions", said).expect(201);
    let form = format!("need_id={id}&department=Geriatrisk");
    let kind = "application/x-www-form-urlencoded";
    app.anonymous().outside().post_raw("/behov/natbehov/det-har-vi-ogsaa", kind, form).expect(200);
    app.anonymous()
        .outside()
        .post_raw("/behov/natbehov/det-har-vi-ogsaa", kind, format!("need_id={id}&department="))
        .expect(422);
    let seen = member.get(&path).expect(200);
    assert_eq!(seen["recognitions"].as_array().unwrap().len(), 3, "the newest word of each counts: {}", seen.text);
    let gathered = member.post("/needs/gather", json!({"need_ids": [id], "title": "Nat"})).expect(201);
    let challenge = member.get(&format!("/challenges/{}", gathered.text_of("challenge_id"))).expect(200);
    assert_eq!(challenge["scale"]["known_bodies"], json!(["Vejle Kommune"]));
    assert_eq!(challenge["scale"]["volume"]["quantity"], 3.0);
    // 4 and 2 times × 10 minutes × 2 people on 364 days; the third department gave no figures.
    assert_eq!(challenge["time_savings"]["hours_per_year"], 485.0 + 243.0);
    let scale = challenge["assessment"]["criteria"].as_array().unwrap().iter().find(|c| c["key"] == "scale").unwrap();
    assert_eq!(scale["verdict"], "met");
}

#[test]
fn what_other_bodies_share_lies_beside_what_is_like_it_until_it_is_settled() {
    let app = TestApp::start();
    let (_, hospital) = hospital(&app);
    let vejle = app.member(&given::municipality(&app, "Vejle Kommune"));
    inbox(&hospital, "natbehov");
    inbox(&vejle, "vejle");
    leave(&app.anonymous(), "natbehov", need(TOLD[0][0]));
    leave(&app.anonymous(), "natbehov", need(TOLD[1][0]));
    let theirs = leave(&app.anonymous(), "vejle", need(TOLD[0][1]));
    let elsewhere = || {
        let clusters = hospital.get("/needs/clusters").expect(200).items();
        let of =
            |words: &str| clusters.iter().find(|one| one["needs"][0]["what"] == words).unwrap()["elsewhere"].clone();
        (of(TOLD[0][0]), of(TOLD[1][0]))
    };
    assert_eq!(elsewhere(), (json!([]), json!([])), "what is not shared is seen by nobody else");
    vejle.change(&format!("/needs/{theirs}"), json!({"shared": true})).expect(200);
    let (nights, pumps) = elsewhere();
    assert_eq!((&nights[0]["id"], &nights[0]["organisation"]["name"]), (&json!(theirs), &json!("Vejle Kommune")));
    assert_eq!((&nights[0]["recognised"], &pumps), (&json!(false), &json!([])));
    hospital.post(&format!("/needs/{theirs}/recognitions"), json!({})).expect(201);
    assert_eq!(elsewhere().0[0]["recognised"], true);
    assert_eq!(hospital.get("/shared-needs").expect(200).items()[0]["recognised"], true);
    let aside = json!({"need_ids": [theirs], "decision": "set_aside", "words": "Det er løst."});
    vejle.post("/needs/decisions", aside).expect(200);
    assert_eq!(elsewhere().0, json!([]));
    assert!(hospital.get("/shared-needs").expect(200).items().is_empty());
    hospital.post(&format!("/needs/{theirs}/recognitions"), json!({})).refused(404, "not_found");
}

#[test]
fn a_need_comes_out_of_a_draft_again_and_never_out_of_what_was_submitted() {
    let app = TestApp::start();
    let (_, member) = hospital(&app);
    inbox(&member, "natbehov");
    let (one, two) = (
        leave(&app.anonymous(), "natbehov", need("Vi går fire runder hver nat.")),
        leave(&app.anonymous(), "natbehov", need("Vi leder efter pumper.")),
    );
    let draft = member.post("/needs/gather", json!({"need_ids": [one], "title": "Nat"})).expect(201);
    let challenge = draft.text_of("challenge_id");
    let more = json!({"need_ids": [two], "challenge_id": challenge});
    assert_eq!(member.post("/needs/gather", more.clone()).expect(201)["needs"], 2);
    let see = json!({"need_ids": [two], "decision": "see"});
    member.post("/needs/decisions", see.clone()).expect(200);
    assert_eq!(member.get(&format!("/challenges/{challenge}/needs")).expect(200)["needs"], 1);
    member
        .post("/needs/gather", json!({"need_ids": [two], "challenge_id": challenge, "title": "X"}))
        .unfit(&[("/challenge_id", "with_more")]);
    member.post(&format!("/challenges/{challenge}/submit"), json!({})).expect(200);
    member.post("/needs/gather", more).refused(409, "wrong_state");
    member.post("/needs/decisions", json!({"need_ids": [one, two], "decision": "see"})).refused(409, "wrong_state");
    let deeds = member.get(&format!("/challenges/{challenge}/history")).expect(200).each("deed");
    assert_eq!(deeds, ["drafted", "gathered_from_needs", "gathered_from_needs", "submitted"]);
    // All or none: the first of a refused decision was not touched.
    assert_eq!(member.get(&format!("/needs/{two}")).expect(200)["state"], "seen");
}

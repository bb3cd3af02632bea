//! The pages: a supplier with only a mail address finds, subscribes, asks, signs up, answers and leaves, without scripts.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::support::{Answer, Client, TestApp, given};

/// Somebody with a browser.
fn browser(app: &TestApp) -> Client {
    app.anonymous().outside().with("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
}

fn press(browser: &Client, path: &str, fields: &[(&str, &str)]) -> Answer {
    let encode = |words: &str| words.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    browser.post_raw(path, "application/x-www-form-urlencoded", body.join("&"))
}

/// The link of a letter, as a browser of this app follows it.
fn path(link: &str) -> String {
    link.strip_prefix("https://skala.example").unwrap().to_owned()
}

#[test]
fn a_supplier_with_a_mail_address_finds_subscribes_asks_signs_up_answers_and_leaves() {
    let app = TestApp::start();
    let me = "sælger@firma.example";
    let id = given::published(&app, "Natligt tilsyn");
    let browser = browser(&app);
    let front = browser.get("/").expect(200);
    assert!(front.text.contains(&format!("href=\"/dialogues/{id}\"")), "{}", front.text);
    let page = browser.get(&format!("/dialogues/{id}")).expect(200);
    assert!(page.text.contains("12-01-2027 kl. 10.00–13.00 (dansk tid), Odense Rådhus, 2 pladser; 2 ledige, 0 venter"));

    let look = press(&browser, "/subscribe", &[("cpv", "33000000"), ("deed", "preview")]).expect(200);
    assert!(look.text.contains("ville filteret have givet 1 markedsdialog"), "{}", look.text);
    press(&browser, "/subscribe", &[("email", me), ("cpv", "33000000"), ("deed", "subscribe")]).expect(200);
    let confirm = path(&app.mail_to(me).link("/subscriptions/confirm/"));
    assert!(browser.get(&confirm).expect(200).text.contains("<button>"));
    assert!(press(&browser, &confirm, &[]).expect(200).text.contains("Abonnementet er bekræftet"));

    press(&browser, &format!("/dialogues/{id}/questions"), &[("email", me), ("text", "Skal den virke uden net?")])
        .expect(200);
    let confirm = path(&app.mail_to(me).link("/questions/confirm/"));
    press(&browser, &confirm, &[]).expect(200);
    let asked = app.facilitator().get(&format!("/dialogues/{id}/questions")).expect(200).items()[0]["id"].clone();
    let asked = asked.as_str().unwrap();
    app.facilitator().post(&format!("/questions/{asked}/answer"), json!({"answer": "Ja, i 12 timer."})).expect(200);
    let letter = app.mail_to(me);
    let page = browser.get(&path(&letter.link("/dialogues/"))).expect(200);
    assert!(page.text.contains("Leverandør 1 spurgte") && page.text.contains("Ja, i 12 timer."));
    assert!(!page.text.contains(me));

    let event = app.anonymous().get(&format!("/dialogues/{id}/events")).expect(200).items()[0]["id"].clone();
    let event = event.as_str().unwrap();
    let fields = [("place", event), ("company", "Firma ApS"), ("cvr", ""), ("name", "Ane Øst"), ("email", me)];
    press(&browser, &format!("/dialogues/{id}/signups"), &fields).expect(200);
    let confirm = path(&app.mail_to(me).link("/signups/confirm/"));
    assert!(press(&browser, &confirm, &[]).expect(200).text.contains("Du har en plads"));
    app.mail_to(me);

    let fields = [("company", "Firma ApS"), ("name", "Ane Øst"), ("email", me), ("answers.0", "Det kan løses i dag")];
    let receipt = press(&browser, &format!("/dialogues/{id}/answers"), &fields).expect(200);
    assert!(app.mail_to(me).text.contains("Rettidigt: inden svarfristen"));
    // The button pressed again is the same answer, and no other letter.
    let again = press(&browser, &format!("/dialogues/{id}/answers"), &fields).expect(200);
    assert_eq!(receipt.text, again.text);
    assert_eq!(app.facilitator().get(&format!("/dialogues/{id}/answers")).expect(200).items().len(), 1);

    given::published(&app, "Noget nyt");
    let leave = path(&app.mail_to(me).link("/unsubscribe/"));
    assert!(browser.get(&leave).expect(200).text.contains("<button>"));
    press(&browser, &leave, &[]).expect(200);
    given::published(&app, "Noget tredje");
    assert!(app.mails().is_empty());
}

#[test]
fn a_subscriber_changes_the_whole_filter_pauses_and_erases_on_the_page_that_every_letter_links_to() {
    let app = TestApp::start();
    let browser = browser(&app);
    let (me, process) = ("ane@firma.example", given::process(&app, "Ro om natten"));
    let other = given::subscriber(&app, me, "weekly", json!({"nuts": ["DK03"]}));
    given::subscriber(&app, me, "immediate", json!({"text": "tilsyn"}));
    given::published(&app, "Natligt tilsyn");
    let manage = path(&app.mail_to(me).link("/subscriptions/"));
    let page = browser.get(&manage).expect(200);
    assert_eq!(page.header("Cache-Control"), "no-store", "whoever uses the computer next does not see it");
    for part in
        ["name=\"text\" value=\"tilsyn\"", me, "Steder: DK03 (aktivt)", &format!("href=\"/subscriptions/{other}\"")]
    {
        assert!(page.text.contains(part), "{part}\n{}", page.text);
    }
    let typed = [
        ("cpv", "33000000 45000000"),
        ("nuts", "DK03, DK04"),
        ("themes", "velfærd, ældre"),
        ("process_id", process.id.as_str()),
        ("text", "fald"),
        ("frequency", "daily"),
        ("language", "en"),
    ];
    let with = |deed, change: &[(&'static str, &'static str)]| {
        let mut fields = typed.to_vec();
        for (name, value) in change {
            fields.iter_mut().filter(|(field, _)| field == name).for_each(|field| field.1 = value);
        }
        press(&browser, &manage, &[fields, vec![("deed", deed)]].concat())
    };
    let refused = with("change", &[("cpv", "33000000 331"), ("nuts", "på Fyn")]).expect(422).text;
    assert_eq!(refused.matches("aria-invalid").count(), 2, "{refused}");
    for part in [
        "value=\"33000000 331\"",
        "value=\"på Fyn\"",
        "value=\"velfærd, ældre\"",
        "value=\"daily\" selected",
        " checked",
    ] {
        assert!(refused.contains(part), "what was typed is kept: {part}\n{refused}");
    }
    let look = with("preview", &[]).expect(200).text;
    assert!(look.contains("ville filteret have givet 1 markedsdialog.") && look.contains("value=\"fald\""), "{look}");
    let saved = with("change", &[]).expect(200).text;
    assert!(saved.contains("Saved.") && saved.contains("Scaling processes: »Ro om natten«"), "{saved}");
    let api = format!("/api/v1{manage}");
    let kept = app.anonymous().outside().get(&api).expect(200);
    assert_eq!(
        (&kept["frequency"], &kept["filter"]),
        (
            &json!("daily"),
            &json!({"cpv": ["33000000", "45000000"], "nuts": ["DK03", "DK04"], "themes": ["velfærd", "ældre"],
                    "process_ids": [process.id], "text": "fald"})
        )
    );
    let seen = kept["consent"]["at"].clone();
    app.advance(TimeDelta::hours(1));
    assert!(press(&browser, &manage, &[("deed", "unsubscribe")]).expect(200).text.contains("Begin again"));
    assert_eq!(app.anonymous().outside().get(&api).expect(200)["status"], "unsubscribed");
    assert!(press(&browser, &manage, &[("deed", "resume")]).expect(200).text.contains("Mail comes again."));
    let again = app.anonymous().outside().get(&api).expect(200);
    assert_eq!(again["status"], "confirmed");
    assert_ne!(again["consent"]["at"], seen, "it is consented to anew");
    press(&browser, &manage, &[("deed", "hop")]).expect(422);
    assert!(press(&browser, &manage, &[("deed", "erase")]).expect(200).text.contains("Dine oplysninger er slettet"));
    browser.get(&manage).expect(404);
    press(&browser, &manage, &[("deed", "erase")]).expect(404);
    browser.get(&format!("/subscriptions/{other}")).expect(200);
}

#[test]
fn who_lets_go_of_the_one_dialogue_that_they_follow_does_not_get_all_the_others() {
    let app = TestApp::start();
    let browser = browser(&app);
    let id = given::published(&app, "Natligt tilsyn");
    press(&browser, &format!("/dialogues/{id}/follow"), &[("email", "ane@firma.example")]).expect(200);
    let confirm = path(&app.mail_to("ane@firma.example").link("/subscriptions/confirm/"));
    let page = press(&browser, &confirm, &[]).expect(200);
    let manage = page.text.split("href=\"").find(|part| part.starts_with("/subscriptions/")).unwrap();
    let manage = manage.split('"').next().unwrap();
    let checked = format!("value=\"{id}\" checked> Natligt tilsyn");
    assert!(browser.get(manage).expect(200).text.contains(&checked));
    let fields = [("deed", "change"), ("frequency", "daily"), ("language", "da")];
    assert!(press(&browser, manage, &fields).expect(422).text.contains("tryk på Frameld"));
    press(&browser, manage, &[fields.as_slice(), &[("dialogue_id", id.as_str())]].concat()).expect(200);
    assert!(press(&browser, manage, &[("deed", "unsubscribe")]).expect(200).text.contains("Begynd igen"));
}

#[test]
fn a_form_that_cannot_be_used_comes_back_with_what_was_typed_and_what_is_wrong_beside_it() {
    let app = TestApp::start();
    let id = given::published(&app, "Natligt tilsyn");
    let browser = browser(&app);
    let page = press(&browser, &format!("/dialogues/{id}/questions"), &[("email", "ane@"), ("text", "Hvad med <Ø>?")]);
    let page = page.expect(422).text;
    assert!(page.contains("value=\"ane@\"") && page.contains("Hvad med &lt;Ø&gt;?"), "{page}");
    assert_eq!(page.matches("aria-invalid").count(), 1);
    let fields =
        [("company", "F"), ("name", ""), ("email", "a@b.dk"), ("cvr", "12345678"), ("answers.0", "Langt svar")];
    let page = press(&browser, &format!("/dialogues/{id}/answers"), &fields).expect(422).text;
    assert!(page.contains("Langt svar") && page.contains("Det er ikke et gyldigt CVR-nummer"), "{page}");
    let page =
        press(&browser, &format!("/dialogues/{id}/signups"), &[("place", "x"), ("company", "Firma")]).expect(422);
    assert!(page.text.contains("Vælg et møde") && page.text.contains("value=\"Firma\""));
    let page =
        press(&browser, "/subscribe", &[("email", "a@b"), ("cvr", ""), ("cpv", "33000000 331")]).expect(422).text;
    assert_eq!(page.matches("aria-invalid").count(), 2, "{page}");
    assert!(page.contains("value=\"33000000 331\""));
    press(&browser, &format!("/dialogues/{id}/follow"), &[("email", "")]).expect(422);
    app.advance(TimeDelta::days(60));
    let late = press(&browser, &format!("/dialogues/{id}/questions"), &[("email", "a@b.dk"), ("text", "Sent?")]);
    assert!(late.expect(409).text.contains("Sent?"), "what was typed is not lost by a deadline");
    let nobody = "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e";
    press(&browser, &format!("/dialogues/{nobody}/questions"), &[("email", "a@b.dk")]).expect(404);
}

#[test]
fn pages_need_no_scripts_take_no_markup_from_anybody_and_tell_their_language() {
    let app = TestApp::start();
    let process = given::process(&app, "<b>Ro</b> om natten");
    let mut notice = given::notice("<img src=x onerror=alert(1)>");
    notice["description"] = "<script>alert(1)</script>".into();
    notice["documents"] = json!([{"title": "Bilag Ø", "url": "https://co-pi.example/bilag.pdf", "size": 1234,
                                  "sha256": "a".repeat(64)}]);
    let id = given::draft(&app, &process, notice);
    let browser = browser(&app);
    browser.get(&format!("/dialogues/{id}")).expect(404);
    app.facilitator().post(&format!("/dialogues/{id}/publish"), Value::Null).expect(200);
    for path in [
        "/".to_owned(),
        "/dialogues".to_owned(),
        "/dialogues?q=alert".to_owned(),
        format!("/dialogues/{id}"),
        format!("/dialogues/{id}/versions/1"),
        "/processes".to_owned(),
        format!("/processes/{}", process.id),
        format!("/subscribe?process_id={}", process.id),
    ] {
        let page = browser.get(&path).expect(200);
        for forbidden in ["<script", "<img", "<b>Ro", "javascript:", "onclick"] {
            assert!(!page.text.contains(forbidden), "{path} holds {forbidden}");
        }
        assert!(page.header("Content-Security-Policy").contains("default-src 'none'"));
        assert_eq!(page.text.matches("<h1>").count(), 1, "{path}");
        assert_eq!(
            page.text.matches("<input").count(),
            page.text.matches("<label").count()
                - page.text.matches("<select").count()
                - page.text.matches("<textarea").count(),
            "{path}: every field has its label"
        );
        assert!(page.text.contains("<html lang=\"da\">"));
        let english = browser.with("Accept-Language", "en").get(&path).expect(200);
        assert!(english.text.contains("<html lang=\"en\">") && english.text.contains("Market dialogues"), "{path}");
    }
    let page = browser.get(&format!("/dialogues/{id}")).expect(200);
    assert!(page.text.contains(&format!("SHA-256 {}, 1234 byte", "a".repeat(64))));
    browser.get(&format!("/dialogues/{id}/versions/2")).expect(404);
    let led = browser.get(&format!("/api/v1/dialogues/{id}")).expect(303);
    assert_eq!(led.header("Location"), format!("/dialogues/{id}"));
}

#[test]
fn a_mangled_address_gives_a_browser_a_page_and_a_program_a_problem() {
    let app = TestApp::start();
    for path in ["/dialogues/%00", "/dialogues/x", "/processes/x"] {
        let page = browser(&app).get(path).expect(404);
        assert!(page.text.contains("Det findes ikke") && page.text.contains("href=\"/dialogues\""), "{}", page.text);
        app.anonymous().outside().get(path).refused(404, "not_found");
    }
    browser(&app).get("/api/v1/dialogues/x").refused(404, "not_found");
}

#[test]
fn a_document_without_a_hash_is_refused() {
    let app = TestApp::start();
    let process = given::process(&app, "Ro om natten");
    let mut notice = given::notice("Natligt tilsyn");
    notice["documents"] = json!([{"title": "Bilag", "url": "https://co-pi.example/bilag.pdf", "size": -1}]);
    app.facilitator()
        .post(&format!("/processes/{}/dialogues", process.id), notice)
        .unfit(&[("/documents/0/sha256", "required"), ("/documents/0/size", "out_of_range")]);
}

#[test]
fn feeds_take_the_filter_of_a_subscription_and_say_when_nothing_changed() {
    let app = TestApp::start();
    let id = given::published(&app, "Natligt tilsyn & <ro>");
    let anyone = app.anonymous().outside();
    let atom = anyone.get("/feeds/dialogues.atom?cpv=33000000&nuts=DK").expect(200);
    assert!(atom.text.contains("<title>Natligt tilsyn &amp; &lt;ro&gt;</title>"), "{}", atom.text);
    assert!(!anyone.get("/feeds/dialogues.atom?cpv=45000000").expect(200).text.contains("<entry>"));
    let seen = atom.etag();
    let again = anyone.with("If-None-Match", seen.clone());
    assert_eq!(again.get("/feeds/dialogues.atom?cpv=33000000&nuts=DK").expect(304).text, "");
    let json = anyone.get("/feeds/dialogues.json?text=tilsyn").expect(200);
    assert_eq!(json["items"][0]["url"], format!("https://skala.example/dialogues/{id}"));
    assert_eq!(json["items"][0]["_skala"]["version"], 1);
    app.advance(TimeDelta::hours(1));
    let change = json!({"title": "Natligt tilsyn", "change_reason": "Kortere"});
    app.facilitator().change(&format!("/dialogues/{id}"), change).expect(200);
    assert_ne!(again.get("/feeds/dialogues.atom?cpv=33000000&nuts=DK").expect(200).etag(), seen);
    let processes = anyone.get("/feeds/processes.json?text=natten").expect(200);
    assert_eq!(processes["items"].as_array().unwrap().len(), 1);
    assert!(anyone.get("/feeds/processes.atom").expect(200).text.contains("<title>Ro om natten</title>"));
    anyone.get("/feeds/dialogues.atom?cpv=33").unfit(&[("/cpv/0", "not_a_cpv_code")]);
    anyone.get("/feeds/dialogues.atom?kode=33").refused(422, "unfit");
    let page = browser(&app).get("/dialogues").expect(200);
    assert!(page.text.contains("<link rel=\"alternate\" type=\"application/atom+xml\""));
}

#[test]
fn the_calendar_keeps_an_event_through_its_changes_and_shows_what_was_cancelled() {
    let app = TestApp::start();
    let id = given::published(&app, "Natligt tilsyn");
    let calendar = |app: &TestApp| {
        let found = app.anonymous().outside().get(&format!("/feeds/events.ics?dialogue_id={id}")).expect(200);
        assert!(found.header("Content-Type").starts_with("text/calendar"));
        found.text
    };
    let first = calendar(&app);
    assert!(first.contains("SEQUENCE:0\r\n") && first.contains("DTSTART;TZID=Europe/Copenhagen:20270112T100000\r\n"));
    let uid = first.lines().find(|line| line.starts_with("UID:")).unwrap().to_owned();
    let mut event = app.anonymous().get(&format!("/dialogues/{id}")).expect(200)["events"][0].clone();
    event["place"] = "Ørbæk; sal 1".into();
    app.advance(TimeDelta::hours(1));
    let staff = app.facilitator();
    staff.change(&format!("/dialogues/{id}"), json!({"events": [event], "change_reason": "Ny sal"})).expect(200);
    let second = calendar(&app);
    assert!(second.contains(&uid) && second.contains("SEQUENCE:1\r\n") && second.contains("LOCATION:Ørbæk\\; sal 1"));
    staff.post(&format!("/dialogues/{id}/cancel"), json!({"reason": "Ingen penge"})).expect(200);
    let third = calendar(&app);
    assert!(third.contains(&uid) && third.contains("SEQUENCE:2\r\n") && third.contains("STATUS:CANCELLED\r\n"));
}

#[test]
fn what_the_clock_will_publish_is_on_no_page_and_in_no_feed_before_its_second() {
    let app = TestApp::start();
    let process = given::process(&app, "Ro om natten");
    let id = given::draft(&app, &process, given::notice("Natligt tilsyn"));
    let at = json!({"publish_at": "2026-12-01T07:00:00Z"});
    app.facilitator().post(&format!("/dialogues/{id}/publish"), at).expect(200);
    let paths = [
        "/".to_owned(),
        "/dialogues".to_owned(),
        format!("/processes/{}", process.id),
        "/feeds/dialogues.atom".to_owned(),
        "/feeds/dialogues.json".to_owned(),
        "/feeds/events.ics".to_owned(),
    ];
    let shows = |path: &str| app.anonymous().outside().get(path).expect(200).text.replace("\r\n ", "").contains(&id);
    let publication: chrono::DateTime<chrono::Utc> = "2026-12-01T07:00:00Z".parse().unwrap();
    app.advance(publication - app.now() - TimeDelta::milliseconds(1));
    assert!(paths.iter().all(|path| !shows(path)));
    app.anonymous().outside().get(&format!("/dialogues/{id}")).expect(404);
    app.advance(TimeDelta::milliseconds(1));
    for path in &paths {
        assert!(shows(path), "{path}");
    }
    app.anonymous().outside().get(&format!("/dialogues/{id}")).expect(200);
}

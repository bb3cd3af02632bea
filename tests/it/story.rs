//! The main job, from a municipality's need to its market, on one page.

use serde_json::{Value, json};

use crate::support::{TestApp, given};

#[test]
fn a_need_becomes_a_shared_demand_and_its_market_hears_of_it() {
    let app = TestApp::start();
    let staff = app.facilitator();

    // Odense is invited into the service, and Mette chooses her password.
    let odense = given::municipality(&app, "Odense Kommune");
    let aarhus = given::municipality(&app, "Aarhus Kommune");
    let invitation =
        json!({"email": "mette@odense.example", "name": "Mette Holm", "role": "member", "organisation_id": odense.id});
    app.admin().post("/users", invitation).expect(201);
    let token = app.mail_to("mette@odense.example").token("/invitations/");
    let password = "en gul cykel i regnvejr";
    app.anonymous().post("/invitations/accept", json!({"token": token, "password": password})).expect(204);
    let credentials = json!({"email": "mette@odense.example", "password": password});
    let mette = app.bearer(&app.anonymous().post("/auth/token", credentials).expect(200).text_of("access_token"));
    let anders = app.member(&aarhus);

    // CO-PI announces a call. Mette tells of her need, learns at once how it stands, mends it and hands it in.
    let call = json!({"title": "Kender du en velfærdsudfordring?", "theme": "velfærdsteknologi", "criteria_set": "welfare-technology",
        "description": "Vi søger udfordringer, der frigiver tid på ældreområdet.", "opens_at": "2026-11-01T08:00:00Z"});
    let call = staff.post("/calls", call).expect(201);
    let mut need = given::challenge_body("Natlige tilsyn vækker beboerne");
    need["call_id"] = json!(call.id());
    need["anchoring"] = json!({"political": need["anchoring"]["political"]});
    let drafted = mette.post("/challenges", need).expect(201);
    assert_eq!(drafted["assessment"]["outcome"], "unclear");
    let challenge = format!("/challenges/{}", drafted.id());
    let director = json!({"name": "Eva Skov", "title": "Direktør", "date": "2026-10-02"});
    let mended =
        mette.with("If-Match", drafted.etag()).patch(&challenge, json!({"anchoring": {"administrative": director}}));
    assert_eq!(mended.expect(200)["assessment"]["outcome"], "met");
    mette.post(&format!("{challenge}/submit"), json!({})).expect(200);

    // Aarhus has it too, with its own figures and its own challenge. CO-PI approves both, and their owners hear of it.
    let recognition = json!({"level": "interested", "volume": {"quantity": 900, "unit": "plejeboliger"}});
    anders.post(&format!("{challenge}/recognitions"), recognition).expect(201);
    staff.post(&format!("{challenge}/approve"), json!({"reason": "Klar til flere"})).expect(200);
    let letter = app.mail_to("mette@odense.example");
    assert_eq!(letter.subject, "Jeres udfordring er godkendt");
    assert!(letter.text.contains("Klar til flere"));
    let other = given::approved(&app, &anders, "Beboere på plejehjem vågner om natten");

    // The two are gathered into a process that everybody can read.
    let process = json!({"title": "Sammen om nattero", "summary": "To kommuner vil have færre unødige tilsyn.",
        "challenge_ids": [drafted.id(), other.id], "lead_organisation_id": odense.id});
    let process = format!("/processes/{}", staff.post("/processes", process).expect(201).id());
    app.anonymous().get(&process).refused(404, "not_found");
    let cap = json!({"amount": 160_000_000, "currency": "DKK"});
    staff.change(&process, json!({"status": "active", "option_cap": cap})).expect(200);
    assert_eq!(app.anonymous().get(&process).expect(200)["participant_count"]["count"], 2);

    // A third body joins late. What they want together is counted, each body once, and stays under the cap.
    let vejle = given::municipality(&app, "Vejle Kommune");
    let birte = app.member(&vejle);
    birte.post(&format!("{process}/join"), json!({})).expect(201);
    let option = |amount: i64| json!({"amount": amount, "currency": "DKK"});
    let commit = json!({"organisation_id": vejle.id, "level": "option", "option_value": option(20_000_000)});
    birte.post(&format!("{process}/commitments"), commit).expect(201);
    let too_much = json!({"organisation_id": odense.id, "level": "option", "option_value": option(140_000_001)});
    mette.post(&format!("{process}/commitments"), too_much).refused(409, "over_option_cap");
    let demand = app.anonymous().get(&format!("{process}/demand")).expect(200);
    assert_eq!((&demand["bodies"], &demand["option_sum"]), (&json!(3), &option(20_000_000)));

    // The steps are taken up to the market dialogue, and every challenge remembers how it came here.
    for (step, state) in [(1, "done"), (2, "open"), (3, "open"), (4, "open")] {
        staff.post(&format!("{process}/steps/{step}"), json!({"state": state})).expect(200);
    }
    let deeds = mette.get(&format!("{challenge}/history")).expect(200).each("deed");
    assert_eq!(deeds, ["drafted", "changed", "submitted", "recognised", "approved", "grouped"]);

    // Suppliers say what they wish to hear about, and confirm it; one never does.
    for (email, filter) in [
        ("pleje@firma.example", json!({"cpv": ["33000000"]})),
        ("lyd@firma.example", json!({"text": "natligt tilsyn"})),
        ("asfalt@firma.example", json!({"cpv": ["45000000"]})),
    ] {
        given::subscriber(&app, email, "immediate", filter);
    }
    let undecided =
        json!({"email": "uafklaret@firma.example", "language": "da", "frequency": "immediate", "filter": {}});
    app.anonymous().post("/subscriptions", undecided).expect(202);
    app.mail_to("uafklaret@firma.example");

    // The dialogue is drafted unseen, then published to all at the same moment.
    let mut notice = given::notice("Markedsdialog om natligt tilsyn");
    notice["lead_buyer_id"] = json!(odense.id);
    let dialogue = staff.post(&format!("{process}/dialogues"), notice).expect(201).id();
    let dialogue = format!("/dialogues/{dialogue}");
    app.anonymous().get(&dialogue).refused(404, "not_found");
    let published = staff.post(&format!("{dialogue}/publish"), Value::Null).expect(200);
    assert_eq!(published["version"], 1);
    assert_eq!(app.anonymous().get(&dialogue).expect(200)["status"], "published");
    let mails = app.mails();
    let told: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(told, ["lyd@firma.example", "pleje@firma.example"]);
    for mail in &mails {
        assert!(mail.text.contains("29-01-2027 kl. 12.00 (dansk tid)"), "{}", mail.text);
        assert!(mail.one_click.is_some());
    }

    // One click ends it; the other hears of the new version, with what changed and why.
    let unsubscribe = mails[1].one_click.as_ref().unwrap().unsubscribe_url.trim_start_matches("https://skala.example");
    let click = app.anonymous().outside();
    click.post_raw(unsubscribe, "application/x-www-form-urlencoded", "List-Unsubscribe=One-Click").expect(200);
    let later = json!({"answer_deadline": "2027-02-05T11:00:00Z", "change_reason": "Flere har bedt om tid"});
    staff.change(&dialogue, later).expect(200);
    let mail = app.mail_to("lyd@firma.example");
    assert!(mail.text.contains("Flere har bedt om tid") && mail.text.contains("05-02-2027 kl. 12.00"), "{}", mail.text);

    // It ends with a public summary, and the ledger says for good who was told what.
    staff.post(&format!("{dialogue}/close"), json!({"summary": "Ni svarede; markedet kan løse det."})).expect(200);
    assert_eq!(app.anonymous().get(&dialogue).expect(200)["summary"], "Ni svarede; markedet kan løse det.");
    assert!(app.mail_to("lyd@firma.example").subject.starts_with("Afsluttet markedsdialog"));
    let ledger = staff.get(&format!("{dialogue}/ledger")).expect(200);
    assert_eq!(ledger.each("status"), ["sent"; 4]);
}

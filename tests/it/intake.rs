//! The intake on one page: a weak challenge becomes a strong one by the answers of the API alone, neighbours join it with
//! numbers, its sponsors speak for themselves, and the staff's queue is emptied, one by one and all at once.

use serde_json::{Value, json};

use crate::support::{Client, Mail, Named, TestApp, given};

/// Does to a description what an answer of the API says, as a program would that understands no words.
fn follow(told: &mut Value, change: &Value, turn: usize) {
    let pointer = change["pointer"].as_str().unwrap();
    let least = change["at_least"].as_u64().unwrap_or(1);
    let value = match pointer {
        "/time_savings/basis" => json!("estimated"),
        "/scale/known_bodies" => (0..least).map(|n| format!("Kommune {n}")).collect(),
        "/anchoring/political" | "/anchoring/administrative" => {
            json!({"name": format!("Leder {turn}"), "title": "Leder", "date": "2026-11-01"})
        }
        _ => json!(least),
    };
    let mut place = &mut *told;
    for step in pointer.trim_start_matches('/').split('/') {
        place = &mut place[step];
    }
    *place = value;
}

fn criteria(assessment: &Value) -> Vec<Value> {
    assessment["criteria"].as_array().unwrap().clone()
}

/// A sponsor reads the mail, opens the link in a browser, and presses one of the buttons.
fn press(app: &TestApp, mail: &Mail, button: usize) -> String {
    let browser = app.anonymous().with("Accept", "text/html").outside();
    let link = mail.link("/sponsorships/").replace("https://skala.example", "");
    let page = browser.get(&link).expect(200).text;
    let form = page.split("<form ").nth(button).unwrap();
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!("{name}=\"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let hidden = form.split("<input ").nth(1).unwrap();
    let sent = format!("{}={}", attribute(hidden, "name"), attribute(hidden, "value"));
    browser.post_raw(&attribute(form, "action"), "application/x-www-form-urlencoded", sent).expect(200).text
}

#[test]
fn a_weak_challenge_is_led_from_not_met_to_met_and_gathers_its_neighbours_and_sponsors() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let member = app.member(&odense);
    let mut told = json!({
        "title": "Natlige tilsyn vækker beboerne",
        "problem": "Nattevagterne går fire runder hver nat, og mange beboere vågner.",
        "time_savings": {"basis": "assumed", "quality_gain": true},
        "scale": {"known_bodies": []},
    });

    // Guided only by the answers.
    let check = |told: &Value| app.anonymous().post("/challenges/check", told.clone()).expect(200).body;
    let weak = check(&told);
    assert_eq!(weak["assessment"]["outcome"], "not_met");
    assert!(weak["warnings"].as_array().unwrap().iter().any(|warning| warning["code"] == "missing_who"));
    for (turn, criterion) in criteria(&weak["assessment"]).iter().enumerate() {
        assert_ne!(criterion["verdict"], "met");
        assert!(criterion["to_change"].as_str().is_some_and(|words| words.len() > 20), "{criterion}");
        for (step, change) in criterion["changes"].as_array().unwrap().iter().enumerate() {
            follow(&mut told, change, turn * 10 + step);
        }
    }
    told["affected_users"] = json!("beboere på plejehjem");
    let strong = check(&told);
    assert_eq!((&strong["assessment"]["outcome"], &strong["warnings"]), (&json!("met"), &json!([])));

    let challenge = Named { id: member.post("/challenges", told).expect(201).id(), name: String::new() };
    let path = |rest: &str| format!("/challenges/{}{rest}", challenge.id);
    let assessed = || member.get(&path("")).expect(200)["assessment"].clone();

    // Both sponsors say yes from the mail alone.
    let addresses = json!({"political_email": "pol@odense.example", "administrative_email": "adm@odense.example"});
    member.post(&path("/anchoring/requests"), addresses).expect(202);
    assert_eq!(member.get("/todo").expect(200).each("waiting_on"), ["you", "sponsor", "sponsor"]);
    let mails = app.mails();
    for mail in &mails {
        assert!(press(&app, mail, 1).contains("Du står bag udfordringen"));
    }
    app.mails();
    let anchoring = &criteria(&assessed())[2];
    for side in ["political", "administrative"] {
        assert_eq!(anchoring["facts"][side]["standing"], "confirmed");
    }
    assert_eq!(member.get("/todo").expect(200).each("action"), ["submit"]);

    // Three bodies say "det har vi også", with numbers; one of them was named, and counts once.
    member.post(&path("/submit"), json!({})).expect(200);
    let neighbours: Vec<Named> = ["Kommune 0", "Vejle Kommune", "Aarhus Kommune"]
        .into_iter()
        .zip(["DK032", "DK032", "DK042"])
        .map(|(name, nuts)| given::organisation(&app, json!({"name": name, "kind": "municipality", "nuts": nuts})))
        .collect();
    for (number, body) in (1..).zip(&neighbours) {
        let said = json!({"level": "recognises", "hours_saved_per_year": 100 * number,
            "volume": {"quantity": 10 * number, "unit": "boliger", "year": 2027 + number % 2}});
        let said = app.member(body).post(&path("/recognitions"), said).expect(201);
        assert_eq!(said["binds_to"], "Har samme udfordring og siger det med egne tal; forpligter til intet");
    }
    let facts = criteria(&assessed())[1]["facts"].clone();
    assert_eq!(
        (&facts["recognising_bodies"], &facts["named_bodies"], &facts["other_bodies"]),
        (&json!(3), &json!(0), &json!(3))
    );

    // CO-PI decides, and the demand adds up by level, year and region.
    let staff = app.facilitator();
    let waiting = staff.get("/queue").expect(200);
    assert_eq!((waiting.each("id"), waiting.each("outcome")), (vec![challenge.id.clone()], vec!["met".to_owned()]));
    staff.post(&path("/approve"), json!({})).expect(200);
    app.mails();
    let process = given::gathered(&app, "Sammen om nattero", &[&challenge]);
    let demand = app.anonymous().get(&format!("/processes/{}/demand", process.id)).expect(200);
    assert_eq!(demand["bodies"], 4);
    assert_eq!(demand["by_level"]["recognises"]["volume"], json!([{"quantity": 60.0, "unit": "boliger"}]));
    let years = demand["by_year"].as_array().unwrap();
    let years: Vec<_> =
        years.iter().map(|y| (y["year"].clone(), y["bodies"].clone(), y["volume"][0]["quantity"].clone())).collect();
    assert_eq!(years, [(json!(2027), json!(1), json!(20.0)), (json!(2028), json!(2), json!(40.0))]);
    let regions = demand["by_region"].as_array().unwrap();
    let regions: Vec<_> = regions.iter().map(|r| (r["nuts"].clone(), r["bodies"].clone())).collect();
    assert_eq!(regions, [(json!("DK03"), json!(3)), (json!("DK04"), json!(1))]);

    // Who, when, what, why, before and after.
    let history = member.get(&path("/history")).expect(200);
    let deeds = history.each("deed");
    let expected = [
        "drafted",
        "sponsor_asked",
        "sponsor_asked",
        "sponsor_confirmed",
        "sponsor_confirmed",
        "submitted",
        "recognised",
        "recognised",
        "recognised",
        "approved",
        "grouped",
    ];
    assert_eq!(deeds, expected);
    assert_eq!(history.items()[9]["data"]["before"], json!({"status": "submitted"}));
}

#[test]
fn a_facilitator_decides_ten_challenges_with_ten_requests_or_with_one() {
    let app = TestApp::start();
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    let staff = app.facilitator();
    let ten =
        |member: &Client| -> Vec<Named> { (0..10).map(|n| given::submitted(member, &format!("Nr. {n}"))).collect() };
    let waiting = || staff.get("/queue").expect(200).items();

    let first = ten(&member);
    assert_eq!(waiting().len(), 10);
    for one in &first {
        staff.post(&format!("/challenges/{}/approve", one.id), json!({})).expect(200);
    }
    assert!(waiting().is_empty());

    let second = ten(&member);
    let decisions: Vec<Value> =
        second.iter().map(|one| json!({"challenge_id": one.id, "decision": "approve"})).collect();
    let decided = staff.post("/queue/decisions", json!({"decisions": decisions})).expect(200);
    assert!(decided.each("status").iter().all(|status| status == "approved"), "{}", decided.text);
    assert!(waiting().is_empty());
    assert_eq!(app.mails().len(), 20, "each owner hears of each decision");
}

#[test]
fn a_cpr_number_stands_in_no_decision_and_no_summary() {
    let app = TestApp::start();
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    let challenge = given::submitted(&member, "Natlige tilsyn");
    let (staff, told) = (app.facilitator(), "Spørg borgeren 010190-1234");
    let cpr = |pointer: &'static str| [(pointer, "cpr_number")];
    for deed in ["return", "decline", "approve"] {
        staff.post(&format!("/challenges/{}/{deed}", challenge.id), json!({"reason": told})).unfit(&cpr("/reason"));
    }
    let decision = json!({"challenge_id": challenge.id, "decision": "return", "reason": told});
    let decided = staff.post("/queue/decisions", json!({"decisions": [decision]})).expect(200);
    assert_eq!(decided["items"][0]["errors"][0]["code"], "cpr_number", "{}", decided.text);
    staff.post("/processes", json!({"title": "Sammen", "summary": told})).unfit(&cpr("/summary"));
    let process = given::process(&app, "Sammen");
    staff.change(&format!("/processes/{}", process.id), json!({"summary": told})).unfit(&cpr("/summary"));
    staff.change(&format!("/processes/{}", process.id), json!({"title": told})).unfit(&cpr("/title"));
}

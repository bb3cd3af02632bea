//! On 1 January 2027 Region Østdanmark carries on what Region Hovedstaden and Region Sjælland had.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use skala::succession::PLACES;

use crate::db::columns_and_rules;
use crate::support::{Client, Named, TestApp, TestDatabase, given};

/// The three regions, with a succession planned for both that end.
struct Regions {
    app: TestApp,
    capital: Named,
    zealand: Named,
    east: Named,
}

fn region(app: &TestApp, name: &str) -> Named {
    given::organisation(app, json!({"name": name, "kind": "region"}))
}

fn plan(app: &TestApp, from: &Named, to: &Named, day: &str) -> Value {
    let body = json!({"successor_id": to.id, "takes_effect_on": day, "reason": "Lov om Region Østdanmark"});
    app.facilitator().post(&format!("/organisations/{}/succession", from.id), body).expect(201).body
}

fn regions() -> Regions {
    let app = TestApp::start();
    let (capital, zealand) = (region(&app, "Region Hovedstaden"), region(&app, "Region Sjælland"));
    let east = json!({"name": "Region Østdanmark", "kind": "region", "valid_from": "2027-01-01"});
    let east = given::organisation(&app, east);
    for from in [&capital, &zealand] {
        plan(&app, from, &east, "2027-01-01");
    }
    Regions { app, capital, zealand, east }
}

impl Regions {
    fn go_to(&self, moment: &str) {
        let moment: DateTime<Utc> = moment.parse().unwrap();
        self.app.advance(moment - self.app.now());
    }

    /// The first night of the new region; the letters to its people are read.
    fn new_year(&self) {
        self.go_to("2026-12-31T23:00:00Z");
        self.app.mails();
    }
}

fn commit(member: &Client, process: &Named, body: Value) {
    member.post(&format!("/processes/{}/commitments", process.id), body).expect(201);
}

/// The participants of a process: (organisation, state, joined, left).
fn participants(app: &TestApp, process: &Named) -> Vec<(String, String, String, String)> {
    let told = app.facilitator().get(&format!("/processes/{}", process.id)).expect(200);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = told["participants"].as_array().unwrap().iter();
    let row =
        |one: &Value| (text(&one["organisation"]), text(&one["state"]), text(&one["joined_on"]), text(&one["left_on"]));
    let mut rows: Vec<_> = rows.map(row).collect();
    // Those who joined at the same moment stand in no order.
    rows.sort();
    rows
}

#[test]
fn a_succession_is_planned_ahead_and_says_what_will_pass_on() {
    let regions = regions();
    let Regions { app, capital, east, .. } = &regions;
    given::drafted(&app.member(capital), "Natlige tilsyn");
    let path = format!("/organisations/{}/succession", capital.id);
    let plan = app.facilitator().get(&path).expect(200);
    assert_eq!((&plan["successor"], &plan["takes_effect_on"]), (&json!("Region Østdanmark"), &json!("2027-01-01")));
    assert_eq!(
        (&plan["reason"], &plan["planned_by"], &plan["handed_over_at"]),
        (&json!("Lov om Region Østdanmark"), &json!("facilitator"), &Value::Null)
    );
    assert_eq!((&plan["carries"]["challenges"], &plan["carries"]["users"]), (&json!(1), &json!(1)));
    let capital = app.anonymous().get(&format!("/organisations/{}", capital.id)).expect(200);
    assert_eq!((&capital["valid_to"], &capital["successor_id"]), (&json!("2026-12-31"), &json!(east.id)));
    app.facilitator().get(&format!("/organisations/{}/succession", east.id)).refused(404, "not_found");
}

#[test]
fn a_plan_that_cannot_be_is_refused_where_it_is_wrong() {
    let regions = regions();
    let Regions { app, capital, zealand, east } = &regions;
    let firm = given::organisation(app, json!({"name": "Firma A/S", "kind": "company"}));
    let path = |from: &Named| format!("/organisations/{}/succession", from.id);
    let body = |to: &str, day: &str| json!({"successor_id": to, "takes_effect_on": day, "reason": "Lov"});
    let staff = app.facilitator();
    let refused = |from: &Named, to: &str, day: &str, flaw: (&str, &str)| {
        staff.post(&path(from), body(to, day)).unfit(&[flaw]);
    };
    refused(capital, &capital.id, "2027-01-01", ("/successor_id", "unknown"));
    refused(capital, "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e", "2027-01-01", ("/successor_id", "unknown"));
    refused(capital, &east.id, "2026-12-01", ("/successor_id", "not_valid_then"));
    refused(capital, &firm.id, "2027-01-01", ("/successor_id", "supplier_as_successor"));
    refused(east, &zealand.id, "2027-06-01", ("/successor_id", "not_valid_then"));
    refused(east, &east.id, "2026-12-31", ("/takes_effect_on", "before_valid_from"));
    staff.change(&format!("/organisations/{}", zealand.id), json!({"valid_to": null})).expect(200);
    refused(east, &zealand.id, "2027-06-01", ("/successor_id", "circular"));
    staff
        .post(&path(capital), json!({"successor_id": east.id, "takes_effect_on": "2027-01-01", "reason": " "}))
        .unfit(&[("/reason", "required")]);
    app.org_admin(capital).post(&path(capital), body(&east.id, "2027-01-01")).refused(403, "forbidden");
}

#[test]
fn a_plan_can_be_changed_and_taken_back_until_its_day() {
    let regions = regions();
    let Regions { app, capital, zealand, east } = &regions;
    let path = format!("/organisations/{}/succession", zealand.id);
    assert_eq!(plan(app, zealand, east, "2027-02-01")["takes_effect_on"], "2027-02-01");
    app.facilitator().delete(&path).expect(204);
    app.facilitator().delete(&path).refused(404, "not_found");
    let challenge = given::drafted(&app.member(zealand), "Natlige tilsyn");
    regions.new_year();
    app.member(zealand).get(&format!("/challenges/{}", challenge.id)).expect(200);
    let done = format!("/organisations/{}", capital.id);
    app.facilitator().delete(&format!("{done}/succession")).refused(409, "handed_over");
    app.facilitator().change(&done, json!({"valid_to": "2027-12-31"})).refused(409, "handed_over");
    app.facilitator().change(&done, json!({"name": "Region Hovedstaden (2007–2026)"})).expect(200);
}

#[test]
fn on_its_first_day_the_successor_has_what_both_had_and_not_a_second_before() {
    let regions = regions();
    let Regions { app, capital, zealand, east } = &regions;
    let (anna, bo) = (app.member(capital), app.member(zealand));
    let key = anna.post("/api-keys", json!({"name": "sag", "scopes": ["challenges:write"]})).expect(201);
    let system = app.bearer(&key.text_of("key"));
    let draft = given::drafted(&anna, "Kladde");
    let approved = given::approved(app, &bo, "Godkendt");
    regions.go_to("2026-12-31T22:59:59Z");
    app.mails();
    assert_eq!(system.get("/me").expect(200)["organisation"]["name"], "Region Hovedstaden");
    let told = anna.get(&format!("/challenges/{}/history", approved.id)).expect(200).each("deed");

    app.advance(TimeDelta::seconds(1));
    let mails = app.mails();
    assert_eq!(mails.len(), 2);
    assert!(mails.iter().all(|mail| mail.subject.ends_with("er nu Region Østdanmark hos Skala")));
    for client in [&anna, &bo, &system] {
        assert_eq!(client.get("/me").expect(200)["organisation"]["id"], json!(east.id));
    }
    // Each sees and changes what was the other's.
    let path = format!("/challenges/{}", draft.id);
    assert_eq!(bo.change(&path, json!({"title": "Fælles"})).expect(200)["title"], "Fælles");
    system.post(&format!("{path}/submit"), json!({})).expect(200);
    let moved = anna.get(&format!("/challenges/{}", approved.id)).expect(200);
    assert_eq!((&moved["status"], &moved["organisation"]["id"]), (&json!("approved"), &json!(east.id)));
    let history = anna.get(&format!("/challenges/{}/history", approved.id)).expect(200);
    assert_eq!(history.each("deed"), [told, vec!["handed_over".to_owned()]].concat());
    let last = history.items().pop().unwrap();
    assert_eq!(last["data"], json!({"from": "Region Sjælland", "to": "Region Østdanmark"}));
    // Once.
    app.mails();
    app.advance(TimeDelta::days(1));
    assert!(app.mails().is_empty());
    let plan = app.facilitator().get(&format!("/organisations/{}/succession", zealand.id)).expect(200);
    assert_eq!((&plan["handed_over_at"], &plan["carries"]["challenges"]), (&json!("2026-12-31T23:00:00Z"), &json!(1)));
}

#[test]
fn a_service_that_was_down_over_the_day_hands_over_with_the_right_dates() {
    let regions = regions();
    let Regions { app, capital, zealand, .. } = &regions;
    let approved = given::approved(app, &app.member(capital), "Godkendt");
    let process = given::gathered(app, "Sammen", &[&approved]);
    app.member(zealand).post(&format!("/processes/{}/join", process.id), Value::Null).expect(201);
    regions.go_to("2027-03-15T12:00:00Z");
    app.mails();
    let row = |name: &str, state: &str, joined: &str, left: &str| {
        (name.to_owned(), state.to_owned(), joined.to_owned(), left.to_owned())
    };
    assert_eq!(
        participants(app, &process),
        [
            row("Region Hovedstaden", "left", "2026-11-22", "2026-12-31"),
            row("Region Sjælland", "left", "2026-11-22", "2026-12-31"),
            row("Region Østdanmark", "partner", "2027-01-01", ""),
        ]
    );
}

#[test]
fn two_nodes_hand_over_once() {
    let regions = regions();
    let Regions { app, capital, .. } = &regions;
    app.member(capital);
    let other = TestApp::on(app.database.clone(), &[]);
    regions.go_to("2027-01-01T00:00:00Z");
    other.advance(app.now() - other.now());
    let counts: Vec<usize> = std::thread::scope(|scope| {
        let nodes = [app, &other].map(|node| scope.spawn(|| node.mails().len()));
        nodes.into_iter().map(|node| node.join().unwrap()).collect()
    });
    assert_eq!(counts.iter().sum::<usize>(), 1, "{counts:?}");
}

#[test]
fn two_commitments_become_one_and_no_body_counts_twice() {
    let regions = regions();
    let Regions { app, capital, zealand, east } = &regions;
    let odense = given::municipality(app, "Odense Kommune");
    let approved = given::approved(app, &app.member(&odense), "Natlige tilsyn");
    let process = given::gathered(app, "Sammen", &[&approved]);
    let kr = |amount: i64| json!({"amount": amount, "currency": "DKK"});
    let beds = |quantity: f64| json!({"quantity": quantity, "unit": "senge"});
    for (body, quantity) in [(capital, 400.0), (zealand, 100.0)] {
        let member = app.member(body);
        member.post(&format!("/processes/{}/join", process.id), Value::Null).expect(201);
        let said = json!({"organisation_id": body.id, "level": "option", "volume": beds(quantity),
            "option_value": kr(70_000_000)});
        commit(&member, &process, said);
    }
    let demand = || app.anonymous().get(&format!("/processes/{}/demand", process.id)).expect(200);
    let before = demand();
    regions.new_year();
    let after = demand();
    assert_eq!((before["bodies"].as_u64(), after["bodies"].as_u64()), (Some(3), Some(2)));
    assert_eq!(after["by_level"]["option"]["volume"], before["by_level"]["option"]["volume"]);
    assert_eq!((&after["option_sum"], &before["option_sum"]), (&kr(140_000_000), &kr(140_000_000)));
    let rows = app.facilitator().get(&format!("/processes/{}/commitments", process.id)).expect(200).items();
    assert_eq!(rows.iter().map(|row| &row["organisation_id"]).collect::<Vec<_>>(), [&json!(east.id)]);
    assert_eq!(rows[0]["volume"]["quantity"], 500.0);
}

#[test]
fn recognitions_pass_on_and_nobody_recognises_its_own_challenge() {
    let regions = regions();
    let Regions { app, capital, zealand, east } = &regions;
    let odense = given::municipality(app, "Odense Kommune");
    let others = given::submitted(&app.member(&odense), "Odenses");
    let own = given::submitted(&app.member(capital), "Hovedstadens");
    let recognise = |body: &Named, challenge: &Named, quantity: f64| {
        let said = json!({"level": "recognises", "volume": {"quantity": quantity, "unit": "senge"}});
        app.member(body).post(&format!("/challenges/{}/recognitions", challenge.id), said).expect(201);
    };
    recognise(capital, &others, 400.0);
    recognise(zealand, &others, 100.0);
    recognise(zealand, &own, 100.0);
    recognise(&odense, &own, 10.0);
    let recognitions = |challenge: &Named| {
        let told = app.facilitator().get(&format!("/challenges/{}", challenge.id)).expect(200);
        let rows = told["recognitions"].as_array().cloned().unwrap_or_default();
        rows.iter().map(|row| (row["organisation"].clone(), row["volume"]["quantity"].clone())).collect::<Vec<_>>()
    };
    regions.new_year();
    assert_eq!(recognitions(&others), [(json!("Region Østdanmark"), json!(500.0))]);
    assert_eq!(recognitions(&own), [(json!("Odense Kommune"), json!(10.0))]);
    let deeds = |challenge: &Named| {
        app.facilitator().get(&format!("/challenges/{}/history", challenge.id)).expect(200).each("deed")
    };
    assert_eq!(deeds(&others)[2..], ["recognised", "recognised", "recognition_handed_over", "recognition_handed_over"]);
    let feed = app.member(east).get("/changes?limit=200").expect(200).each("id");
    assert!([&others.id, &own.id, &capital.id, &zealand.id].iter().all(|id| feed.contains(id)));
}

#[test]
fn a_body_that_is_no_more_gets_no_challenges_no_people_and_no_part_in_a_process() {
    let app = TestApp::start();
    let old =
        given::organisation(&app, json!({"name": "Gammel Kommune", "kind": "municipality", "valid_to": "2026-11-22"}));
    let (member, staff) = (app.member(&old), app.facilitator());
    let challenge = given::challenge_body("Sent");
    member.post("/challenges", challenge.clone()).expect(201);
    app.advance(TimeDelta::days(1));
    let refused = member.post("/challenges", challenge.clone()).refused(409, "organisation_ended");
    assert!(refused.text_of("detail").contains("2026-11-22"));
    let mut line = challenge;
    line["organisation"] = json!("Gammel Kommune");
    let imported = staff.post_raw("/challenges/import", "application/x-ndjson", line.to_string()).expect(200);
    assert_eq!(imported.lines()[0]["errors"][0]["code"], "organisation_ended");
    let process = given::process(&app, "Sammen");
    member.post(&format!("/processes/{}/join", process.id), Value::Null).refused(409, "organisation_ended");
    let part = json!({"organisation_id": old.id, "role": "need_owner", "joined_on": "2026-11-22", "state": "partner"});
    let participants = format!("/processes/{}/participants", process.id);
    staff.post(&participants, part).refused(409, "organisation_ended");
    let past = json!({"organisation_id": old.id, "role": "need_owner", "joined_on": "2026-11-01", "state": "left",
        "left_on": "2026-11-22"});
    staff.post(&participants, past).expect(201);
    let person = json!({"email": "ny@gammel.example", "name": "Ny", "role": "member", "organisation_id": old.id});
    app.admin().post("/users", person).refused(409, "organisation_ended");
}

#[test]
fn what_passes_on_twice_arrives_in_the_end() {
    let app = TestApp::start();
    let [first, second, third] = ["Amt", "Region", "Land"].map(|name| region(&app, name));
    let challenge = given::drafted(&app.member(&first), "Natlige tilsyn");
    plan(&app, &second, &third, "2027-02-01");
    plan(&app, &first, &second, "2027-01-01");
    app.advance(TimeDelta::days(200));
    app.mails();
    app.member(&third).get(&format!("/challenges/{}", challenge.id)).expect(200);
}

#[test]
fn a_day_that_has_come_takes_effect_at_once() {
    let app = TestApp::start();
    let (old, new) = (region(&app, "Gammel"), region(&app, "Ny"));
    let challenge = given::drafted(&app.member(&old), "Natlige tilsyn");
    assert_ne!(plan(&app, &old, &new, "2026-11-22")["handed_over_at"], Value::Null);
    app.member(&new).get(&format!("/challenges/{}", challenge.id)).expect(200);
    app.mails();
}

fn decided(table: &str, column: &str) -> bool {
    PLACES.iter().any(|place| (place.0, place.1) == (table, column))
}

#[test]
fn every_column_that_names_an_organisation_has_its_fate() {
    let (columns, rules) = columns_and_rules(&TestDatabase::migrated());
    for (table, column, _) in &columns {
        let speaks_of_one = ["organisation", "buyer", "successor"].iter().any(|word| column.contains(word));
        assert!(
            !speaks_of_one || decided(table, column),
            "{table}.{column}: pass it on or keep it, and say so in PLACES"
        );
    }
    let keys = rules.iter().filter_map(|rule| rule.strip_suffix(") refers to organisation (id)"));
    for (table, column) in keys.map(|key| key.split_once(" (").unwrap()) {
        assert!(decided(table, column), "{table}.{column}: pass it on or keep it, and say so in PLACES");
    }
    for (table, column, ..) in PLACES {
        assert!(
            columns.iter().any(|one| (one.0.as_str(), one.1.as_str()) == (table, column)),
            "{table}.{column} is gone"
        );
    }
}

/// Where a text stands that nobody need decide on: the thing itself, its history, and answers kept for a day.
const OF_ITSELF: [(&str, &str); 5] = [
    ("organisation", "id"),
    ("fact", "subject_id"),
    ("fact", "data"),
    ("idempotency", "body"),
    ("idempotency", "headers"),
];

/// Columns of text that contain this id.
fn places_of(app: &TestApp, id: &str) -> Vec<(String, String)> {
    let (columns, _) = columns_and_rules(&app.database);
    let texts = columns.into_iter().filter(|(_, _, kind)| kind == "text").map(|(table, column, _)| (table, column));
    texts.filter(|(table, column)| app.database.count(&format!("{table} WHERE {column} LIKE '%{id}%'")) > 0).collect()
}

/// Region Hovedstaden in the middle of everything that a body can be in the middle of.
struct Busy {
    process: Named,
    letters: [String; 2],
    inbox: String,
    need: String,
    others_need: String,
    suggestion: String,
    support: [String; 2],
    dialogues: [String; 3],
    adoption: String,
}

fn letter(regions: &Regions, process: &Named, signed: bool) -> String {
    let (app, staff) = (&regions.app, regions.app.facilitator());
    let drafted = staff.post(&format!("/processes/{}/letters-of-intent", process.id), json!({"language": "da"}));
    let path = format!("/letters-of-intent/{}", drafted.expect(201).id());
    let named = json!({"organisation_id": regions.capital.id, "name": "Lars Gaardhøj", "title": "Regionsrådsformand",
        "email": "lars@hovedstaden.example"});
    staff.post(&format!("{path}/signatories"), named).expect(201);
    staff.post(&format!("{path}/send"), json!({})).expect(200);
    let link = app.mail_to("lars@hovedstaden.example").token("/letters-of-intent/sign/");
    if signed {
        app.anonymous().post("/letters-of-intent/sign", json!({"token": link, "sign": true})).expect(200);
        app.mails();
    }
    path
}

fn busy(regions: &Regions) -> Busy {
    let Regions { app, capital, zealand, .. } = regions;
    let (staff, anna) = (app.facilitator(), app.member(capital));
    let challenge = given::approved(app, &anna, "Natlige tilsyn");
    let process = given::gathered(app, "Sammen", &[&challenge]);
    app.mails();
    let letters = [letter(regions, &process, true), letter(regions, &process, false)];

    let opened = |member: &Client, address: &str| {
        let body = json!({"title": "Behov på natten", "asks": "Hvad koster jer tid om natten?", "address": address});
        member.post("/needs-inboxes", body).expect(201).id()
    };
    let left = |address: &str| {
        let told = json!({"what": "Vi går fire runder hver nat.", "department": "Kirurgisk"});
        app.anonymous().post(&format!("/needs-inboxes/at/{address}/needs"), told).expect(201);
    };
    let newest = |member: &Client| member.get("/needs").expect(200).items()[0]["id"].as_str().unwrap().to_owned();
    let inbox = opened(&anna, "behov-hovedstaden");
    left("behov-hovedstaden");
    let need = newest(&anna);
    let bo = app.member(zealand);
    opened(&bo, "behov-sjaelland");
    left("behov-sjaelland");
    let others_need = newest(&bo);
    bo.change(&format!("/needs/{others_need}"), json!({"shared": true})).expect(200);
    anna.post(&format!("/needs/{others_need}/recognitions"), json!({"note": "Det har vi også"})).expect(201);

    let call = json!({"title": "Kender du en?", "theme": "velfærdsteknologi", "criteria_set": "welfare-technology",
        "description": "CO-PI søger udfordringer.", "opens_at": "2026-11-01T08:00:00Z", "closes_at": "2027-11-01T08:00:00Z"});
    let call = staff.post("/calls", call).expect(201).id();
    let told = json!({"what": "Vi kører forgæves", "who": "borgere", "place": "", "email": "lis@hjem.example"});
    app.anonymous().post(&format!("/calls/{call}/suggestions"), told).expect(202);
    let token = app.mail_to("lis@hjem.example").token("/suggestions/confirm/");
    app.anonymous().post("/suggestions/confirm", json!({"token": token})).expect(204);
    let suggestion = staff.get("/suggestions?state=waiting").expect(200).items()[0]["id"].as_str().unwrap().to_owned();
    let invitation =
        json!({"organisation_id": capital.id, "email": "anna@hovedstaden.example", "note": "Er det jeres?"});
    staff.post(&format!("/suggestions/{suggestion}/invite"), invitation).expect(200);

    let ask = || {
        let wish = json!({"kind": "template", "user_group": "procurement", "text": "Findes der en skabelon?"});
        anna.post("/support-requests", wish).expect(201).id()
    };
    let support = [ask(), ask()];
    staff.post(&format!("/support-requests/{}/close", support[1]), json!({"reason": "Dobbelt"})).expect(200);

    let mut notice = given::notice("Ro om natten");
    notice["lead_buyer_id"] = json!(capital.id);
    let dialogues = [(); 3].map(|()| given::draft(app, &process, notice.clone()));
    staff.post(&format!("/dialogues/{}/publish", dialogues[0]), Value::Null).expect(200);
    let later = json!({"publish_at": "2027-01-04T07:00:00Z"});
    staff.post(&format!("/dialogues/{}/publish", dialogues[1]), later).expect(200);

    let adoption =
        json!({"organisation_id": capital.id, "adopted_on": "2026-11-01", "way": "copied", "stage": "bought"});
    let adoption = staff.post(&format!("/processes/{}/adoptions", process.id), adoption).expect(201).id();
    app.mails();
    Busy { process, letters, inbox, need, others_need, suggestion, support, dialogues, adoption }
}

#[test]
fn open_work_passes_on_and_what_was_signed_or_done_stays() {
    let regions = regions();
    let Regions { app, capital, east, .. } = &regions;
    let busy = busy(&regions);
    let mut undecided = places_of(app, &capital.id);
    undecided.retain(|(table, column)| !decided(table, column) && !OF_ITSELF.contains(&(table, column)));
    assert!(undecided.is_empty(), "{undecided:?}: pass it on or keep it, and say so in PLACES");
    let succession = format!("/organisations/{}/succession", capital.id);
    let foreseen = app.facilitator().get(&succession).expect(200)["carries"].clone();
    let kinds = ["needs_inboxes", "needs", "suggestions", "support_requests", "signatories", "dialogues"];
    assert_eq!(kinds.map(|kind| foreseen[kind].as_u64().unwrap()), [1, 1, 1, 1, 1, 2]);
    regions.new_year();
    let done = app.facilitator().get(&succession).expect(200);
    assert_ne!(done["handed_over_at"], Value::Null);
    assert_eq!(done["carries"], foreseen, "what was foreseen passed on");

    let (staff, dorte) = (app.facilitator(), app.member(east));
    let signatories = |letter: &str| {
        let told = staff.get(letter).expect(200);
        let one = told["signatories"].as_array().unwrap()[0].clone();
        (one["organisation"].clone(), one["state"].clone())
    };
    assert_eq!(signatories(&busy.letters[0]), (json!("Region Hovedstaden"), json!("signed")));
    assert_eq!(signatories(&busy.letters[1]), (json!("Region Østdanmark"), json!("named")));
    dorte.get(&busy.letters[0]).expect(200);

    assert!(dorte.get("/needs-inboxes").expect(200).each("id").contains(&busy.inbox));
    dorte.get(&format!("/needs/{}", busy.need)).expect(200);
    app.anonymous().post("/needs-inboxes/at/behov-hovedstaden/needs", json!({"what": "Stadig"})).expect(201);
    // Both regions are one body now, and what was said between them is said between its parts.
    let said = dorte.get(&format!("/needs/{}", busy.others_need)).expect(200);
    let said = said["recognitions"].as_array().unwrap()[0].clone();
    assert_eq!(
        (&said["organisation"], &said["department"]),
        (&json!("Region Østdanmark"), &json!("Region Hovedstaden"))
    );

    let todo = dorte.get("/todo").expect(200);
    assert_eq!(todo["invitations"][0]["suggestion_id"], json!(busy.suggestion));
    let asked_for =
        |id: &str| staff.get(&format!("/support-requests/{id}")).expect(200)["organisation"]["name"].clone();
    assert_eq!(asked_for(&busy.support[0]), "Region Østdanmark");
    assert_eq!(asked_for(&busy.support[1]), "Region Hovedstaden");

    let led = |id: &str| staff.get(&format!("/dialogues/{id}")).expect(200)["lead_buyer_id"].clone();
    assert_eq!(led(&busy.dialogues[0]), json!(capital.id), "published words stay");
    assert_eq!([led(&busy.dialogues[1]), led(&busy.dialogues[2])], [json!(east.id), json!(east.id)]);
    regions.go_to("2027-01-04T07:00:00Z");
    app.mails();
    let seen = app.anonymous().get(&format!("/dialogues/{}/versions/1", busy.dialogues[1])).expect(200);
    assert_eq!(seen["lead_buyer_id"], json!(east.id));

    let adoptions = app.anonymous().get(&format!("/processes/{}/adoptions", busy.process.id)).expect(200).items();
    assert_eq!(adoptions[0]["organisation"], "Region Hovedstaden");
    let stages = format!("/adoptions/{}/stages", busy.adoption);
    dorte.post(&stages, json!({"stage": "in_use", "since": "2027-01-02"})).expect(201);
    let stranger = given::municipality(app, "Odense Kommune");
    app.member(&stranger).post(&stages, json!({"stage": "ended"})).refused(403, "forbidden");
}

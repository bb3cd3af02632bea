//! What waits for whom: the staff's queue, many decisions at once, a body's own list.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Client, TestApp, given};

/// A challenge that meets every criterion, with this title.
fn strong(title: &str) -> Value {
    json!({
        "title": title, "problem": "Nattevagten går fire runder hver nat.", "affected_users": "beboere",
        "time_savings": {"hours_per_year": 900, "basis": "measured"},
        "scale": {"known_bodies": ["Vejle Kommune"], "affected_people": 40},
        "anchoring": {"political": {"name": "Ib", "title": "Rådmand", "date": "2026-10-01"},
                      "administrative": {"name": "Eva", "title": "Direktør", "date": "2026-10-02"}},
    })
}

fn submitted(member: &Client, body: Value) -> String {
    let id = member.post("/challenges", body).expect(201).id();
    member.post(&format!("/challenges/{id}/submit"), json!({})).expect(200);
    id
}

#[test]
fn the_queue_shows_what_waits_longest_first_and_who_looks_at_it() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let member = app.member(&odense);
    let first = submitted(&member, strong("Første"));
    app.advance(TimeDelta::hours(1));
    let second = submitted(&member, json!({"title": "Anden", "problem": "Vi venter."}));
    app.advance(TimeDelta::hours(1));
    // What other bodies say of it does not send it to the back of the queue.
    let vejle = given::municipality(&app, "Vejle Kommune");
    app.member(&vejle).post(&format!("/challenges/{first}/recognitions"), json!({"level": "recognises"})).expect(201);
    let staff = app.facilitator();
    let queue = staff.get("/queue").expect(200);
    assert_eq!(queue.each("id"), [first.clone(), second.clone()]);
    assert_eq!(queue.each("waiting_since"), ["2026-11-22T08:00:00Z", "2026-11-22T09:00:00Z"]);
    assert_eq!(queue.each("waiting_on"), ["CO-PI", "CO-PI"]);
    assert_eq!(queue.each("outcome"), ["met", "unclear"]);
    assert_eq!(queue.items()[0]["criteria"].as_array().unwrap().len(), 3);

    staff.post(&format!("/queue/{second}/take"), Value::Null).expect(204);
    assert_eq!(staff.get("/queue").expect(200).each("waiting_on"), ["CO-PI", "facilitator"]);
    staff.delete(&format!("/queue/{second}/take")).expect(204);
    assert_eq!(staff.get("/queue").expect(200).each("waiting_on"), ["CO-PI", "CO-PI"]);

    let page = staff.get("/queue?limit=1").expect(200);
    let rest = staff.get(&format!("/queue?limit=1&cursor={}", page.text_of("next"))).expect(200);
    assert_eq!((page.each("id"), rest.each("id")), (vec![first], vec![second]));
    assert_eq!(rest["next"], Value::Null);
    member.get("/queue").refused(403, "forbidden");
    let foreign = app.anonymous().get("/organisations?limit=1").expect(200).text_of("next");
    staff.get(&format!("/queue?cursor={foreign}")).unfit(&[("/cursor", "bad_cursor")]);
}

#[test]
fn ten_challenges_are_decided_with_one_request_and_each_by_itself() {
    let app = TestApp::start();
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    let ids: Vec<String> = (0..10).map(|number| submitted(&member, strong(&format!("Nr. {number}")))).collect();
    let weak = submitted(&member, json!({"title": "Svag", "problem": "Vi venter."}));
    let approve = |id: &String| json!({"challenge_id": id, "decision": "approve"});
    let mut decisions: Vec<Value> = ids[..8].iter().map(approve).collect();
    decisions.push(json!({"challenge_id": ids[8], "decision": "return", "reason": "Hvor mange?", "codes": ["scale"]}));
    decisions
        .push(json!({"challenge_id": ids[9], "decision": "decline", "reason": "Løst.", "codes": ["already_solved"]}));
    decisions.push(approve(&weak));
    decisions.push(approve(&ids[0]));
    let staff = app.facilitator();
    let answer = staff.post("/queue/decisions", json!({"decisions": decisions})).expect(200);
    let results = answer.each("result");
    assert!(results[..10].iter().all(|result| result == "done"), "{}", answer.text);
    assert_eq!(answer.each("status")[7..10], ["approved", "returned", "declined"]);
    let codes: Vec<_> = answer.items()[10..].iter().map(|item| item["errors"][0]["code"].clone()).collect();
    assert_eq!(codes, ["against_verdict", "wrong_state"]);
    assert_eq!(staff.get("/queue").expect(200).each("id"), [weak]);
    let mails = app.mails();
    assert_eq!(mails.len(), 10);
    assert!(mails.iter().any(|mail| mail.text.contains("Det drejer sig om: skalaen.")));
    let history = member.get(&format!("/challenges/{}/history", ids[9])).expect(200);
    assert_eq!(history.items().last().unwrap()["data"]["codes"], json!(["already_solved"]));
    staff.post("/queue/decisions", json!({"decisions": []})).unfit(&[("/decisions", "too_few")]);
    member.post("/queue/decisions", json!({"decisions": [approve(&ids[0])]})).refused(403, "forbidden");
}

#[test]
fn a_decision_without_a_fit_reason_is_told_so_and_harms_no_other() {
    let app = TestApp::start();
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    let ids: Vec<String> = (0..4).map(|number| submitted(&member, strong(&format!("Nr. {number}")))).collect();
    let decide = |id: usize, decision: &str, reason: &str| json!({"challenge_id": ids[id], "decision": decision, "reason": reason});
    let decisions = [
        decide(0, "return", ""),
        decide(1, "decline", "Se borger 010190-1234"),
        decide(2, "return", &"x".repeat(2001)),
        decide(3, "approve", ""),
    ];
    let answer = app.facilitator().post("/queue/decisions", json!({"decisions": decisions})).expect(200);
    assert_eq!(answer.each("result"), ["error", "error", "error", "done"]);
    let flaws: Vec<_> = answer.items()[..3].iter().map(|item| item["errors"][0].clone()).collect();
    for (flaw, code) in flaws.iter().zip(["required", "cpr_number", "too_long"]) {
        assert_eq!((&flaw["pointer"], &flaw["code"]), (&json!("/reason"), &json!(code)));
    }
    let mut waiting = app.facilitator().get("/queue").expect(200).each("id");
    waiting.sort_by_key(|id| ids.iter().position(|known| known == id));
    assert_eq!(waiting, ids[..3]);
    assert_eq!(app.mails().len(), 1, "only the owner of the approved one hears of it");
}

#[test]
fn a_body_sees_what_it_must_do_next() {
    let app = TestApp::start();
    let (odense, vejle) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Vejle Kommune"));
    let member = app.member(&odense);
    let sent_back = submitted(&member, strong("Spurgt"));
    app.facilitator().post(&format!("/challenges/{sent_back}/return"), json!({"reason": "Hvor mange?"})).expect(200);
    app.mails();
    member.post("/challenges", strong("Klar")).expect(201);
    member.post("/challenges", json!({"title": "Svag", "problem": "Vi venter."})).expect(201);
    submitted(&member, strong("Hos CO-PI"));
    let todo = member.get("/todo").expect(200);
    let mut seen: Vec<_> = todo
        .items()
        .iter()
        .map(|i| (i["title"].as_str().unwrap().to_owned(), i["action"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(seen.pop().unwrap().1, "wait");
    seen.sort();
    let pair = |title: &str, action: &str| (title.to_owned(), action.to_owned());
    assert_eq!(seen, [pair("Klar", "submit"), pair("Spurgt", "answer"), pair("Svag", "improve")]);
    let asked = todo.items().into_iter().find(|item| item["action"] == "answer").unwrap();
    assert_eq!(asked["what"][0], "CO-PI spørger: Hvor mange?");
    assert!(app.member(&vejle).get("/todo").expect(200).items().is_empty());
    app.facilitator().get("/todo").refused(403, "forbidden");
}

#[test]
fn the_ladder_says_what_each_step_binds_to() {
    let app = TestApp::start();
    let ladder = app.anonymous().get("/commitment-levels").expect(200);
    assert_eq!(ladder.each("level"), ["withdrawn", "recognises", "interested", "intends", "option", "committed"]);
    assert_eq!(ladder.items()[5]["meaning"], "Er bundet til at købe");
}

#[test]
fn the_queue_shows_possible_twins_what_would_turn_a_verdict_and_questions_from_the_market() {
    let app = TestApp::start();
    let (odense, vejle) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Vejle Kommune"));
    let one = given::submitted(&app.member(&odense), "Natlige tilsyn vækker beboerne");
    app.advance(TimeDelta::minutes(1));
    let other = given::submitted(&app.member(&vejle), "Natlige tilsyn vækker beboerne");
    app.advance(TimeDelta::minutes(1));
    submitted(&app.member(&vejle), json!({"title": "Huller i vejen", "problem": "Asfalten revner hver vinter."}));
    let staff = app.facilitator();
    let queue = staff.get("/queue").expect(200);
    let items = queue.items();
    let twin = |at: usize| items[at]["possible_twins"][0]["challenge_id"].clone();
    assert_eq!((twin(0), twin(1)), (json!(other.id), json!(one.id)));
    assert_eq!(items[0]["possible_twins"][0]["organisation"], "Vejle Kommune");
    assert_eq!((&items[2]["possible_twins"], items[2]["to_change"].as_array().unwrap().len()), (&json!([]), 3));

    app.advance(TimeDelta::minutes(1));
    let dialogue = given::published(&app, "Nattero");
    app.mails();
    let asks = json!({"email": "salg@firma.example", "text": "Skal det virke uden net?"});
    app.anonymous().post(&format!("/dialogues/{dialogue}/questions"), asks).expect(202);
    let token = app.mail_to("salg@firma.example").token("/questions/confirm/");
    assert_eq!(staff.get("/queue").expect(200).items().len(), 3, "what nobody confirmed waits for nobody");
    let question = app.anonymous().post("/questions/confirm", json!({"token": token})).expect(200).id();
    let waits = staff.get("/queue").expect(200).items().pop().unwrap();
    assert_eq!(
        (&waits["kind"], &waits["id"], &waits["dialogue_id"]),
        (&json!("question"), &json!(question), &json!(dialogue))
    );
    assert_eq!((&waits["title"], &waits["organisation"]), (&json!("Nattero"), &json!("Leverandør 1")));
    staff.post(&format!("/questions/{question}/answer"), json!({"answer": "Ja."})).expect(200);
    app.mails();
    assert_eq!(staff.get("/queue").expect(200).items().len(), 3);
}

#[test]
fn a_body_sees_its_processes_and_sponsors_in_its_list_and_accepts_an_invitation() {
    let app = TestApp::start();
    let (odense, vejle) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Vejle Kommune"));
    let member = app.member(&odense);
    let process = given::process(&app, "Ro om natten");
    let staff = app.facilitator();
    let invite =
        json!({"organisation_id": odense.id, "role": "need_owner", "joined_on": "2026-11-20", "state": "invited"});
    staff.post(&format!("/processes/{}/participants", process.id), invite).expect(201);
    let todo = || member.get("/todo").expect(200);
    assert_eq!(
        (todo().each("action"), todo().each("process_id")),
        (vec!["accept".to_owned()], vec![process.id.clone()])
    );
    let joined = member.post(&format!("/processes/{}/join", process.id), json!({})).expect(201);
    assert_eq!((&joined["state"], &joined["joined_on"]), (&json!("guest"), &json!("2026-11-22")));
    assert_eq!(todo().each("action"), ["commit"]);
    let commits = json!({"organisation_id": odense.id, "level": "interested"});
    member.post(&format!("/processes/{}/commitments", process.id), commits).expect(201);
    assert!(todo().items().is_empty());

    let other = app.member(&vejle);
    other.post(&format!("/processes/{}/join", process.id), json!({})).expect(201);
    assert_eq!(
        (other.get("/todo").expect(200).each("action"), staff.get("/queue").expect(200).each("kind")),
        (vec!["wait".to_owned()], vec!["join_request".to_owned()])
    );

    let challenge = given::submitted(&member, "Natlige tilsyn");
    let ask = json!({"political_email": "ib.lund@odense.example"});
    member.post(&format!("/challenges/{}/anchoring/requests", challenge.id), ask).expect(202);
    assert_eq!(todo().each("waiting_on"), ["sponsor", "copi"]);
    let token = app.mails()[0].token("/sponsorships/");
    let no = json!({"token": token, "answer": "refuse", "reason": "Ikke i år"});
    app.anonymous().post("/sponsorships/answer", no).expect(200);
    app.mails();
    let first = todo().items().remove(0);
    assert_eq!(
        (&first["kind"], &first["action"], &first["waiting_on"]),
        (&json!("sponsor"), &json!("replace_sponsor"), &json!("you"))
    );
    assert!(first["what"][0].as_str().unwrap().contains("Ikke i år"));
}

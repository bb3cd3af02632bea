//! Which route: the answer hangs on what is known, and never on a guess.

use serde_json::{Value, json};
use skala::route;
use skala::web::Problem;

use crate::support::{Answer, TestApp, wait_for};

const LIST: &str = "period,authority,category,eur,dkk_ex_vat,basis\n\
    2024-2025,regional/kommunal/offentligretlig (sub-central),varer og tjenesteydelser,221000,1644638,quoted\n\
    2024-2025,alle,bygge- og anlægsarbejder,5538000,41212688,derived\n\
    2026-2027,regional/kommunal/offentligretlig (sub-central),varer og tjenesteydelser,216000,,EUR quoted\n";

fn load(app: &TestApp, list: &str) -> Result<usize, Problem> {
    let list = list.to_owned();
    wait_for(app.node.db.write(move |tx| route::load(tx, &list)))
}

fn purchase() -> Value {
    json!({"solution_exists": "no", "development": "new_solution", "buying_included": "yes", "authority": "sub_central",
        "nature": "supplies", "value": {"amount": 3_000_000, "currency": "DKK"}, "several_buyers": "yes",
        "paid_by": "authority", "results_owned_by": "shared"})
}

fn verdict(answer: &Answer, route: &str) -> String {
    let routes = answer["routes"].as_array().unwrap();
    routes.iter().find(|one| one["route"] == route).unwrap()["verdict"].as_str().unwrap().to_owned()
}

#[test]
fn a_value_is_held_against_the_threshold_of_its_day_and_currency() {
    let app = TestApp::start();
    assert_eq!(load(&app, LIST).unwrap(), 3);
    let check = |changes: Value| {
        let mut body = purchase();
        changes.as_object().unwrap().iter().for_each(|(name, value)| body[name] = value.clone());
        app.anonymous().post("/routes/check", body).expect(200)
    };
    let then = check(json!({"begins_on": "2025-06-01"}));
    assert_eq!((&then["reaches_threshold"], &then["threshold"]["dkk"]), (&json!("yes"), &json!(1_644_638)));
    assert_eq!(verdict(&then, "innovation_partnership"), "candidate");
    assert_eq!(then["routes"][0]["route"], "innovation_partnership");
    assert_eq!(then["routes"][0]["provision"], "Udbudsloven §§ 73-79");

    // The period of today has a figure in euro alone: kroner are not converted.
    let now = check(json!({}));
    assert_eq!((&now["reaches_threshold"], &now["threshold"]["dkk"]), (&json!("unknown"), &Value::Null));
    assert_eq!(verdict(&now, "innovation_partnership"), "unclear");
    assert!(now["missing"].as_array().unwrap().iter().any(|missing| missing["question"] == "threshold"));
    let euro = check(json!({"value": {"amount": 400_000, "currency": "EUR"}}));
    assert_eq!(verdict(&euro, "innovation_partnership"), "candidate");

    let no_period = check(json!({"begins_on": "2031-01-01"}));
    assert_eq!((&no_period["threshold"], &no_period["reaches_threshold"]), (&Value::Null, &json!("unknown")));
}

#[test]
fn anybody_asks_and_is_told_that_it_is_guidance_in_either_language() {
    let app = TestApp::start();
    let danish = app.anonymous().post("/routes/check", json!({})).expect(200);
    assert!(danish.text_of("guidance").contains("ikke juridisk rådgivning"));
    let routes = danish["routes"].as_array().unwrap();
    assert!(
        routes.iter().all(|route| route["verdict"] == "unclear" && !route["missing"].as_array().unwrap().is_empty())
    );
    let english = app.anonymous().with("Accept-Language", "en").post("/routes/check", purchase()).expect(200);
    assert!(english.text_of("guidance").contains("not legal advice"));
    let exempt = english["routes"].as_array().unwrap().iter().find(|one| one["route"] == "opi_without_tender").unwrap();
    assert_eq!(exempt["verdict"], "no_candidate");
    assert_eq!(exempt["speaks_against"], json!(["Buying the finished solution is not exempt and must be tendered"]));
}

#[test]
fn an_unfit_question_and_an_unfit_list_say_where() {
    let app = TestApp::start();
    let check = |body: Value| app.anonymous().post("/routes/check", body);
    check(json!({"solution_exists": "no", "value": {"amount": 5, "currency": "SEK"}}))
        .unfit(&[("/value/currency", "other_currency")]);
    check(json!({"solution_exists": "no", "authority": "kommune"})).unfit(&[("/authority", "unknown_value")]);
    check(json!({"solution_exists": "no", "price": 1})).unfit(&[("/price", "unknown_field")]);
    let refused = |list: &str| {
        let flaws = load(&app, list).unwrap_err().errors;
        flaws.into_iter().map(|flaw| (flaw.pointer, flaw.code)).collect::<Vec<_>>()
    };
    let header = "period,authority,category,eur,dkk_ex_vat\n";
    let bad =
        format!("{header}2024,alle,delydelser,,5\n2024-2025,konge,delydelser,,5\n2024-2025,alle,delydelser,x,5\n");
    let found = refused(&bad);
    assert_eq!(
        found,
        [
            ("/2/period".to_owned(), "not_a_period"),
            ("/3/authority".to_owned(), "unknown_value"),
            ("/4/eur".to_owned(), "not_an_amount"),
        ]
    );
    let twice = refused(&format!("{header}2024-2025,alle,delydelser,,5\n2024-2025,alle,delydelser,,6\n"));
    assert_eq!(twice, [("/3".to_owned(), "twice")]);
}

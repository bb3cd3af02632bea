//! Files in and out: challenges and organisations by the line, reference lists by command.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Answer, Client, TestApp, given};

/// A challenge, as a line tells it.
fn line(title: &str) -> Value {
    json!({"title": title, "problem": "Nattevagten går fire runder hver nat.", "affected_users": "beboere"})
}

fn text(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn import(client: &Client, query: &str, body: impl Into<Vec<u8>>) -> Answer {
    client.post_raw(&format!("/challenges/import{query}"), "application/x-ndjson", body).expect(200)
}

/// Line, status, and the first flaw's pointer and code.
fn told(answer: &Answer) -> Vec<(u64, String, String)> {
    let lines = answer.lines().into_iter().map(|line| {
        let flaw = &line["errors"][0];
        let flaw = if flaw.is_null() {
            String::new()
        } else {
            format!("{} {}", flaw["pointer"].as_str().unwrap(), flaw["code"].as_str().unwrap())
        };
        (line["line"].as_u64().unwrap(), line["status"].as_str().unwrap().to_owned(), flaw)
    });
    lines.collect()
}

fn said(line: u64, status: &str, flaw: &str) -> (u64, String, String) {
    (line, status.to_owned(), flaw.to_owned())
}

#[test]
fn a_bad_line_harms_no_other() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let member = app.member(&odense);
    let mut body: Vec<u8> = Vec::new();
    body.extend("\u{feff}".as_bytes());
    body.extend(format!("{}\r\n\r\n", line("Første")).bytes());
    body.extend(b"{\"title\": \"\xe6\", \"problem\": \"x\"}\n".iter());
    body.extend(b"{\"title\": \"x\",\n[]\n");
    body.extend(format!("{}\n", json!({"title": " ", "problem": "x"})).bytes());
    body.extend(format!("{}\n", json!({"title": "x", "problem": "x", "colour": 1})).bytes());
    body.extend(format!("{}\n", json!({"title": "x", "problem": "x", "cpv": ["33190000", "x"]})).bytes());
    body.extend(vec![b'x'; 2 * 1024 * 1024]);
    body.extend(format!("\n{}\n", json!({"title": "x", "problem": "x", "call_id": odense.id})).bytes());
    body.extend(format!("{}\n", json!({"title": "x", "problem": "x", "organisation": "Ingen"})).bytes());
    body.extend(line("Sidste").to_string().bytes());
    let results = told(&import(&member, "", body));
    let wanted = [
        said(1, "created", ""),
        said(3, "error", " not_utf8"),
        said(4, "error", " unreadable"),
        said(5, "error", " not_an_object"),
        said(6, "error", "/title required"),
        said(7, "error", "/colour unknown_field"),
        said(8, "error", "/cpv/1 not_a_cpv_code"),
        said(9, "error", " line_too_long"),
        said(10, "error", "/call_id unknown"),
        said(11, "error", "/organisation unknown"),
        said(12, "created", ""),
    ];
    assert_eq!(results, wanted);
    assert_eq!(member.get("/challenges").expect(200).each("title").len(), 2);
}

#[test]
fn a_dry_run_says_the_same_and_stores_nothing() {
    let app = TestApp::start();
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    let body = text(&[line("God"), json!({"problem": "uden titel"})]);
    let dry = told(&import(&member, "?dry_run=true", body.clone()));
    assert_eq!(dry, [said(1, "valid", ""), said(2, "error", "/title required")]);
    assert!(member.get("/challenges").expect(200).items().is_empty());
    assert_eq!(told(&import(&member, "", body))[0], said(1, "created", ""));
}

#[test]
fn lines_can_be_handed_in_at_once_but_not_with_a_cpr_number() {
    let app = TestApp::start();
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    let mut private = line("Privat");
    private["problem"] = json!("Borgeren 010190-1234 ringer hver dag og er ked af det.");
    let results = import(&member, "?submit=true", text(&[line("Delt"), private]));
    assert_eq!(told(&results), [said(1, "created", ""), said(2, "error", "/problem cpr_number")]);
    let id = results.lines()[0]["id"].as_str().unwrap().to_owned();
    let shared = member.get(&format!("/challenges/{id}")).expect(200);
    assert_eq!((&shared["status"], &shared["assessment"]["outcome"]), (&json!("submitted"), &json!("unclear")));
    let history = member.get(&format!("/challenges/{id}/history")).expect(200);
    assert_eq!(history.each("deed"), ["drafted", "submitted"]);
}

#[test]
fn staff_speak_for_the_body_that_a_line_names_and_a_member_for_its_own() {
    let app = TestApp::start();
    let (odense, aarhus) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Aarhus Kommune"));
    let of = |field: &str, value: &str| {
        let mut line = line("Af en anden");
        line[field] = json!(value);
        line
    };
    let lines = [
        of("organisation", "odense KOMMUNE"),
        of("organisation_id", &aarhus.id),
        line("Ingens"),
        of("organisation_id", "x"),
    ];
    let staff = told(&import(&app.facilitator(), "", text(&lines)));
    let wanted = [
        said(1, "created", ""),
        said(2, "created", ""),
        said(3, "error", "/organisation required"),
        said(4, "error", "/organisation_id wrong_type"),
    ];
    assert_eq!(staff, wanted);
    let member = told(&import(&app.member(&odense), "", text(&lines[..3])));
    let wanted = [said(1, "created", ""), said(2, "error", "/organisation_id not_yours"), said(3, "created", "")];
    assert_eq!(member, wanted);
}

#[test]
fn an_export_given_back_to_an_import_reproduces_what_was_imported() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let member = app.member(&odense);
    let lines: Vec<Value> = (0..450).map(|number| line(&format!("Udfordring {number}"))).collect();
    let results = import(&member, "", text(&lines));
    assert!(told(&results).iter().all(|(_, status, _)| status == "created"));
    assert_eq!(results.lines().len(), 450);
    let exported = member.get("/challenges/export").expect(200);
    let titles = |answer: &Answer| answer.lines().iter().map(|line| line["title"].to_string()).collect::<Vec<_>>();
    assert_eq!(titles(&exported).len(), 450);
    assert_eq!(titles(&exported)[7], "\"Udfordring 7\"", "in the order of the file");
    assert_eq!(exported.lines()[0]["organisation"], "Odense Kommune");

    let other = TestApp::start();
    let again = other.member(&given::municipality(&other, "Odense Kommune"));
    assert!(told(&import(&again, "", exported.text.clone())).iter().all(|(_, status, _)| status == "created"));
    assert_eq!(again.get("/challenges/export").expect(200).text, exported.text);
}

#[test]
fn an_export_holds_what_is_ones_own_and_for_staff_no_drafts() {
    let app = TestApp::start();
    let (odense, aarhus) = (given::municipality(&app, "Odense Kommune"), given::municipality(&app, "Aarhus Kommune"));
    import(&app.member(&odense), "?submit=true", text(&[line("Delt")]));
    import(&app.member(&odense), "", text(&[line("Kladde")]));
    let count =
        |client: &Client, query: &str| client.get(&format!("/challenges/export{query}")).expect(200).lines().len();
    assert_eq!(count(&app.member(&odense), ""), 2);
    assert_eq!(count(&app.member(&odense), "?status=draft"), 1);
    assert_eq!(count(&app.member(&aarhus), ""), 0);
    assert_eq!(count(&app.facilitator(), ""), 1);
}

#[test]
fn an_import_is_a_stream_of_lines_and_nothing_else() {
    let app = TestApp::start();
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    member.post("/challenges/import", json!({})).refused(415, "unsupported_media_type");
    member.post_raw("/challenges/import?wet=true", "application/x-ndjson", "").refused(422, "unfit");
    assert_eq!(import(&member, "", "").text, "");
    assert_eq!(import(&member, "", "\n\r\n  \n").text, "");
}

#[test]
fn a_stream_that_breaks_off_keeps_its_whole_lines_and_says_so() {
    let app = TestApp::start();
    let odense = given::municipality(&app, "Odense Kommune");
    let key = app.member(&odense).post("/api-keys", json!({"name": "sag", "scopes": ["challenges:write"]})).expect(201);
    let mut stream = TcpStream::connect(app.address).unwrap();
    let sent = format!("{}\n{{\"title\": \"halv", line("Hel"));
    let head = format!(
        "POST /api/v1/challenges/import HTTP/1.1\r\nHost: skala\r\nAuthorization: Bearer {}\r\nContent-Type: \
         application/x-ndjson\r\nContent-Length: 9999\r\n\r\n{sent}",
        key.text_of("key")
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answered = String::new();
    stream.read_to_string(&mut answered).unwrap();
    let results: Vec<Value> = answered.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let results: Vec<&Value> = results.iter().filter(|result| result.is_object()).collect();
    assert!(answered.starts_with("HTTP/1.1 200") && results.len() == 2, "{answered}");
    assert_eq!((&results[0]["line"], &results[0]["status"]), (&json!(1), &json!("created")));
    assert_eq!((&results[1]["line"], &results[1]["errors"][0]["code"]), (&json!(2), &json!("truncated")));
    assert_eq!(app.member(&odense).get("/challenges").expect(200).each("title"), ["Hel"]);
}

const ORGANISATIONS: &str = "kind,name,short_name,authority_code,region,nuts3,cvr,valid_from,valid_to,successor\r\n\
    municipality,Odense Kommune,Odense,0461,Region Syddanmark,DK031,35209115,,,\r\n\
    region,Region Sjælland,Sjælland,1085,Region Sjælland,,29190658,,2026-12-31,Region Østdanmark\r\n\
    region,Region Østdanmark,Østdanmark,,Region Østdanmark,,,2027-01-01,,\r\n";

fn organisations(client: &Client, query: &str, kind: &str, body: impl Into<Vec<u8>>) -> Answer {
    client.post_raw(&format!("/organisations/import{query}"), kind, body)
}

#[test]
fn organisations_come_from_a_table_with_their_successors() {
    let app = TestApp::start();
    let staff = app.facilitator();
    let dry = organisations(&staff, "?dry_run=true", "text/csv", ORGANISATIONS).expect(200);
    assert_eq!(told(&dry), [said(2, "valid", ""), said(3, "valid", ""), said(4, "valid", "")]);
    assert!(app.anonymous().get("/organisations").expect(200).items().is_empty());
    let done = organisations(&staff, "", "text/csv; charset=utf-8", ORGANISATIONS).expect(200);
    let ids: Vec<String> = done.lines().iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect();
    let old = app.anonymous().get(&format!("/organisations/{}", ids[1])).expect(200);
    assert_eq!((&old["successor_id"], &old["valid_to"]), (&json!(ids[2]), &json!("2026-12-31")));
    let again = organisations(&staff, "", "text/csv", ORGANISATIONS).expect(200);
    assert!(told(&again).iter().all(|(_, status, flaw)| status == "error" && flaw == " name_taken"));
    let body =
        text(&[json!({"kind": "port", "name": "Aarhus Havn", "successor": "Region Østdanmark"}), json!({"name": "x"})]);
    let lines = organisations(&staff, "", "application/x-ndjson", body).expect(200);
    assert_eq!(told(&lines), [said(1, "created", ""), said(2, "error", "/kind required")]);
}

#[test]
fn a_table_says_what_is_wrong_with_it() {
    let app = TestApp::start();
    let staff = app.facilitator();
    organisations(&staff, "", "text/csv", "name\nx\n").unfit(&[("/kind", "missing_column")]);
    organisations(&staff, "", "text/csv", "kind,name,colour\n").unfit(&[("/colour", "unknown_column")]);
    organisations(&staff, "", "text/csv", b"kind,name\nport,\xe6\n".to_vec()).refused(400, "unreadable");
    organisations(&staff, "", "text/plain", "").refused(415, "unsupported_media_type");
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    organisations(&member, "", "text/csv", "kind,name\n").refused(403, "forbidden");
    let rows = "kind;name;cvr;successor\nport;A;35209116;\nkingdom;B;;\nport;C;35209115;C\nport;D;;Ingen\nport;E\nport;F;35209115;\nport;f;;\n";
    let wanted = [
        said(2, "error", "/cvr not_a_cvr_number"),
        said(3, "error", "/kind unknown_value"),
        said(4, "error", "/successor unknown"),
        said(5, "error", "/successor unknown"),
        said(6, "error", " wrong_number_of_fields"),
        said(7, "created", ""),
        said(8, "error", "/name twice"),
    ];
    assert_eq!(told(&organisations(&staff, "", "text/csv", rows).expect(200)), wanted);
}

/// Runs `skala import …` on the test's database; gives its output and whether it went well.
fn command(app: &TestApp, arguments: &[&str]) -> (String, bool) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skala"));
    command.arg("import").args(arguments).env_clear().env("SKALA_DATABASE_URL", app.database.url());
    command
        .env("SKALA_MAIL_DIR", app.database.folder.path())
        .env("SKALA_SECRET", "a secret that only the tests know of");
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&text).into_owned(), output.status.success())
}

#[test]
fn the_command_line_imports_by_the_same_rules() {
    let app = TestApp::start();
    let file = |name: &str, text: &str| {
        let path = app.database.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let table = file("organisations.csv", ORGANISATIONS);
    assert!(command(&app, &["organisations", &table]).1);
    let lines = file("challenges.ndjson", &text(&[line("Fra en fil"), json!({"title": 7})]));
    let (output, well) = command(&app, &["challenges", &lines, "--organisation", "Odense Kommune", "--submit"]);
    assert!(
        !well && output.contains("\"status\":\"created\"") && output.contains("1 of 2 lines were refused"),
        "{output}"
    );
    assert_eq!(app.facilitator().get("/challenges").expect(200).each("title"), ["Fra en fil"]);
}

/// What `skala import` says of a file with these bytes.
fn imported(app: &TestApp, kind: &str, name: &str, bytes: &[u8]) -> String {
    let path = app.database.folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let (output, well) = command(app, &[kind, &path.display().to_string()]);
    assert!(!well, "{output}");
    output
}

#[test]
fn the_command_line_says_what_is_wrong_with_a_file() {
    let app = TestApp::start();
    let table = |bytes: &[u8]| imported(&app, "organisations", "bad.csv", bytes);
    assert!(table(b"kind,name\nport,\xe6\n").contains("UTF-8"));
    assert!(table(b"name\nx\n").contains("/kind: The column kind is missing"));
    assert!(table(b"kind,name,colour\n").contains("/colour: The column is unknown"));
    let long = [b"kind,name\r\n\r\nport,".as_slice(), &vec![b'x'; 2 * 1024 * 1024], b"\r\nport,Havn"].concat();
    let told = table(&long);
    assert!(told.contains("\"line\":3,\"status\":\"error\"") && told.contains("too_long"), "{told}");
    assert!(told.contains("\"line\":4,\"status\":\"created\"") && told.contains("1 of 2 lines were refused"), "{told}");
    given::municipality(&app, "Odense Kommune");
    let mut whole = line("Hel");
    whole["organisation"] = json!("Odense Kommune");
    let mut bytes = format!("\u{feff}{whole}\r\n\r\n").into_bytes();
    bytes.extend(b"{\"title\": \"\xe6\"}\n");
    bytes.extend(vec![b'x'; 2 * 1024 * 1024]);
    bytes.extend(b"\n{\"colour\": 1}\n{\"title\": \"halv");
    let told = imported(&app, "challenges", "bad.ndjson", &bytes);
    let codes = ["created", "not_utf8", "line_too_long", "unknown_field", "unreadable"];
    for (number, code) in [1, 3, 4, 5, 6].into_iter().zip(codes) {
        let said = told.lines().find(|said| said.contains(&format!("\"line\":{number},"))).unwrap_or_default();
        assert!(said.contains(code), "{number} {code}: {told}");
    }
    assert_eq!(app.facilitator().get("/organisations?q=havn").expect(200).each("name"), ["Havn"]);
}

#[test]
fn an_export_of_organisations_given_back_to_an_import_reproduces_them() {
    let app = TestApp::start();
    let rows: String = (0..450).map(|number| format!("port,Havn {number}\n")).collect();
    let table = format!("kind,name\n{rows}other,-Lolland\nother,\"'=A1, B\"\n");
    organisations(&app.facilitator(), "", "text/csv", ORGANISATIONS).expect(200);
    organisations(&app.facilitator(), "", "text/csv", table).expect(200);
    let exported =
        |app: &TestApp, kind: &str| app.anonymous().with("Accept", kind).get("/organisations/export").expect(200).text;
    for kind in ["text/csv", "application/x-ndjson"] {
        let file = exported(&app, kind);
        assert!(file.contains("-Lolland") && file.contains("Region Østdanmark"), "{file:.400}");
        let other = TestApp::start();
        let results = organisations(&other.facilitator(), "", kind, file.clone()).expect(200);
        assert_eq!(results.lines().len(), 455);
        assert!(told(&results).iter().all(|(_, status, _)| status == "created"));
        assert_eq!(exported(&other, kind), file);
    }
}

#[test]
fn a_code_is_checked_against_the_list_once_one_is_loaded() {
    let app = TestApp::start();
    let member = app.member(&given::municipality(&app, "Odense Kommune"));
    let told = |cpv: &str, nuts: &str| {
        let mut line = line("Med koder");
        (line["cpv"], line["nuts"]) = (json!([cpv]), json!([nuts]));
        line
    };
    member.post("/challenges", told("33190001", "DK999")).expect(201);
    let file = |name: &str, text: &str| {
        let path = app.database.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let cpv = file(
        "cpv.csv",
        "code,check_digit,parent,label_da,label_en\n33190000,8,,Medicinsk udstyr,\"Devices, medical\"\n",
    );
    let nuts = file("nuts.csv", "code,country,level,parent,label_da,label_en,validity\nDK031,DK,3,DK03,Fyn,Fyn,\n");
    assert!(command(&app, &["cpv", &cpv]).1 && command(&app, &["nuts", &nuts]).1);
    let both = [("/cpv/0", "unknown_cpv_code"), ("/nuts/0", "unknown_nuts_code")];
    member.post("/challenges", told("33190001", "DK999")).unfit(&both);
    member.post("/challenges", told("33190000-8", "SE110")).expect(201);
    let other = json!({"name": "Et sted", "kind": "other", "nuts": "DK999"});
    app.admin().post("/organisations", other).unfit(&[("/nuts", "unknown_nuts_code")]);
    let (output, well) = command(&app, &["cpv", &file("bad.csv", "code,label_da,label_en,colour\n")]);
    assert!(!well && output.contains("colour"), "{output}");
}

#[test]
fn a_table_is_taken_as_spreadsheets_save_it() {
    let app = TestApp::start();
    let staff = app.facilitator();
    let rows =
        "\u{feff}Kind;Name;CVR\r\n\r\nport;Ærø Havn;\r\n;;\r\n\"municipality\";\"Odense; Kommune\";DK 35 20 91 15\r\n";
    let told_of = told(&organisations(&staff, "", "text/csv", rows).expect(200));
    assert_eq!(told_of, [said(3, "created", ""), said(5, "created", "")]);
    let found = app.anonymous().get("/organisations?q=odense").expect(200).items();
    assert_eq!((&found[0]["name"], &found[0]["cvr"]), (&json!("Odense; Kommune"), &json!("35209115")));
}

#[test]
fn organisations_by_the_line_are_judged_each_by_itself() {
    let app = TestApp::start();
    let staff = app.facilitator();
    let mut body: Vec<u8> = Vec::new();
    body.extend("\u{feff}{\"kind\": \"port\", \"name\": \"Ærø Havn\"}\r\n\r\n".bytes());
    body.extend(b"{\"kind\": \"port\", \"name\": \"\xc6r\xf8\"}\n");
    body.extend(b"{\"kind\": \"port\", \"name\": \"x\", \"colour\": 1}\n{\"kind\": \"port\",\n[]\n");
    body.extend(b"{\"kind\": \"port\", \"name\": \"Odense Havn\"}");
    let wanted = [
        said(1, "created", ""),
        said(3, "error", " not_utf8"),
        said(4, "error", "/colour unknown_field"),
        said(5, "error", " unreadable"),
        said(6, "error", " not_an_object"),
        said(7, "created", ""),
    ];
    assert_eq!(told(&organisations(&staff, "", "application/x-ndjson", body).expect(200)), wanted);
}

#[test]
fn a_file_of_organisations_that_is_too_large_or_breaks_off_leaves_nothing() {
    let app = TestApp::start();
    let admin = app.admin();
    let large = format!("kind,name\nport,{}\n", "x".repeat(2 * 1024 * 1024));
    organisations(&admin, "", "text/csv", large).refused(413, "too_large");
    let key = admin.post("/api-keys", json!({"name": "sag", "scopes": ["admin"]})).expect(201);
    let mut stream = TcpStream::connect(app.address).unwrap();
    let head = format!(
        "POST /api/v1/organisations/import HTTP/1.1\r\nHost: skala\r\nAuthorization: Bearer {}\r\nContent-Type: \
         text/csv\r\nContent-Length: 9999\r\n\r\nkind,name\nport,Hel\nport,Hal",
        key.text_of("key")
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answered = String::new();
    stream.read_to_string(&mut answered).ok();
    assert!(answered.is_empty() || answered.starts_with("HTTP/1.1 400"), "{answered}");
    assert!(app.anonymous().get("/organisations").expect(200).items().is_empty());
}

//! Everything public, out and in again.

use std::fs;

use serde_json::{Value, json};
use skala::archive::{Archive, ArchiveError, export};
use skala::db::DbError;
use skala::outbox::Actor;

use crate::program::{run, skala};
use crate::support::{Folder, TestApp, given, wait_for};

/// What strangers can ask for, in a world with something of everything.
fn public(app: &TestApp) -> Vec<(String, Value)> {
    let anonymous = app.anonymous();
    let mut paths =
        vec!["/organisations".to_owned(), "/calls".to_owned(), "/criteria-sets".to_owned(), "/outcomes".to_owned()];
    for list in ["/processes", "/dialogues"] {
        paths.push(list.to_owned());
        for item in anonymous.get(list).expect(200).items() {
            let one = format!("{list}/{}", item["id"].as_str().unwrap());
            let parts: &[&str] = if list == "/processes" {
                &["timeline", "adoptions"]
            } else {
                &["versions/1", "versions/2", "questions"]
            };
            paths.extend(parts.iter().map(|part| format!("{one}/{part}")));
            paths.push(one);
        }
    }
    let mut seen = Vec::new();
    for path in paths {
        let mut answer = anonymous.get(&path).expect(200).body;
        // The contact does not travel.
        strip(&mut answer);
        seen.push((path, answer));
    }
    seen.sort_by(|one, other| one.0.cmp(&other.0));
    seen
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("contact");
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => {
            items.iter_mut().for_each(strip);
            // Lists are read by their order of change, and all changed when it came in.
            items.sort_by_key(|item| item["id"].to_string());
        }
        _ => {}
    }
}

/// A world with something of everything that strangers may see, and of what they may not.
fn fill(app: &TestApp) {
    let (odense, aarhus) = (given::municipality(app, "Odense Kommune"), given::municipality(app, "Århus Kommune"));
    let staff = app.facilitator();
    let challenge = given::approved(app, &app.member(&odense), "Ro om natten");
    let process = given::gathered(app, "Natligt tilsyn, \"uden\" at vække", &[&challenge]);
    app.member(&aarhus).post(&format!("/processes/{}/join", process.id), Value::Null).expect(201);
    let entry = json!({"happened_on": "2026-10-01", "kind": "milestone", "title": "Begyndt; første møde"});
    let entered = staff.post(&format!("/processes/{}/timeline", process.id), entry);
    assert!([200, 201].contains(&entered.status), "{}", entered.text);
    let adopted = json!({"organisation_id": odense.id, "adopted_on": "2026-11-01", "way": "adapted", "in_use": true});
    let adopted = staff.post(&format!("/processes/{}/adoptions", process.id), adopted);
    assert!([200, 201].contains(&adopted.status), "{}", adopted.text);
    let report = json!({"months": 6, "report": {"stage": "in_use", "realised": {"hours_saved_per_year": 1650.0}}});
    staff.post(&format!("/adoptions/{}/outcomes", adopted.id()), report).expect(201);
    given::process(app, "En mere");
    let opens = json!({"title": "Grøn omstilling", "theme": "grøn", "description": "Mindre CO2.",
                       "criteria_set": "green-transition", "opens_at": "2026-11-01T00:00:00Z"});
    staff.post("/calls", opens).expect(201);

    let mut notice = given::notice("Løsninger til natten");
    notice["lead_buyer_id"] = odense.id.clone().into();
    let dialogue = given::draft(app, &process, notice);
    given::draft(app, &process, given::notice("En kladde, som ingen må se"));
    staff.post(&format!("/dialogues/{dialogue}/publish"), Value::Null).expect(200);
    let path = format!("/dialogues/{dialogue}");
    staff.change(&path, json!({"description": "Nu fire kommuner.", "change_reason": "En mere kom til."})).expect(200);
    let questions = format!("{path}/questions");
    let ask = json!({"email": "spoerger@firma.example", "text": "Må man være to om det?"});
    app.anonymous().post(&questions, ask).expect(202);
    let token = app.mail_to("spoerger@firma.example").token("/questions/confirm/");
    app.anonymous().post("/questions/confirm", json!({"token": token})).expect(200);
    let question = staff.get(&questions).expect(200).each("id").remove(0);
    staff.post(&format!("/questions/{question}/answer"), json!({"answer": "Ja, gerne."})).expect(200);
    app.mails();
}

fn write(app: &TestApp, folder: &Folder, name: &str) -> std::path::PathBuf {
    let path = folder.path().join(name);
    let (to, now) = (path.clone(), app.now());
    let written = wait_for(app.node.db.read(move |connection| {
        Ok::<_, DbError>(export(connection, &to, now).map(drop).map_err(|error| error.to_string()))
    }));
    written.unwrap().unwrap();
    path
}

fn read_into(app: &TestApp, path: &std::path::Path) -> Result<(), String> {
    let archive = Archive::read(path).map_err(|error| error.to_string())?;
    let now = app.now();
    let stored: Result<(), ArchiveError> =
        wait_for(app.node.db.write(move |tx| archive.store(tx, now, &Actor::service()).map(drop)));
    stored.map_err(|error| error.to_string())
}

#[test]
fn an_empty_skala_that_reads_an_export_shows_strangers_the_same() {
    let (one, other, folder) = (TestApp::start(), TestApp::start(), Folder::new());
    fill(&one);
    let path = write(&one, &folder, "ud");
    read_into(&other, &path).unwrap();
    for (before, after) in public(&one).iter().zip(&public(&other)) {
        assert_eq!(before, after);
    }
    let again = write(&other, &folder, "ud-igen");
    for file in fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()) {
        // Single commitments do not travel, and demand is made of them.
        if file.to_string_lossy().ends_with(".ndjson") && file != "demand.ndjson" {
            let (before, after) = (fs::read_to_string(path.join(&file)), fs::read_to_string(again.join(&file)));
            assert_eq!(before.unwrap(), after.unwrap(), "{file:?}");
        }
    }
    // What came in can be worked on.
    let dialogue = other.anonymous().get("/dialogues").expect(200).each("id").remove(0);
    other
        .facilitator()
        .post(&format!("/dialogues/{dialogue}/close"), json!({"summary": "Tak for svarene."}))
        .expect(200);
    let refused = read_into(&other, &path).unwrap_err();
    assert!(refused.contains("already has organisations"), "{refused}");
}

#[test]
fn an_export_holds_nothing_personal_and_nothing_that_is_not_public() {
    let (app, folder) = (TestApp::start(), Folder::new());
    fill(&app);
    let path = write(&app, &folder, "ud");
    let mut files = 0;
    for entry in fs::read_dir(&path).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for private in ["@", "Mette Holm", "Ib Lund", "Eva Skov", "En kladde", "facilitator", "spoerger", "plejehjem"] {
            assert!(!text.contains(private), "{private} stands in {text}");
        }
        files += 1;
    }
    assert_eq!(files, 13 * 2 + 2);
    let package: Value = serde_json::from_str(&fs::read_to_string(path.join("datapackage.json")).unwrap()).unwrap();
    for resource in package["resources"].as_array().unwrap() {
        let file = path.join(resource["path"].as_str().unwrap());
        assert_eq!(fs::metadata(file).unwrap().len(), resource["bytes"].as_u64().unwrap());
        for field in resource["schema"]["fields"].as_array().unwrap() {
            assert!(!field["description"].as_str().unwrap().is_empty(), "{field}");
        }
    }
    let csv = fs::read_to_string(path.join("processes.csv")).unwrap();
    assert!(
        csv.starts_with("id,title,summary,status,") && csv.contains("\"Natligt tilsyn, \"\"uden\"\" at vække\""),
        "{csv}"
    );
}

#[test]
fn an_export_that_was_altered_or_is_none_is_refused_with_its_place() {
    let (one, other, folder) = (TestApp::start(), TestApp::start(), Folder::new());
    fill(&one);
    let path = write(&one, &folder, "ud");
    let file = path.join("processes.ndjson");
    let whole = fs::read_to_string(&file).unwrap();
    fs::write(&file, whole.replace("tilsyn", "fravær")).unwrap();
    let refused = read_into(&other, &path).unwrap_err();
    assert!(refused.contains("processes.ndjson was changed"), "{refused}");
    assert!(read_into(&other, folder.path()).unwrap_err().contains("is no export of Skala"));
    assert!(other.anonymous().get("/organisations").expect(200).items().is_empty());
}

#[test]
fn the_command_line_exports_and_imports() {
    let database = crate::support::TestDatabase::migrated();
    let (done, said, error) = run(&mut skala(&database, &["export", "ud"]));
    assert!(done && said.contains("processes"), "{said}{error}");
    let (done, _, said) = run(&mut skala(&database, &["export", "ud"]));
    assert!(!done && said.contains("already there"), "{said}");
    let (done, said, error) = run(&mut skala(&database, &["import", "export", "ud"]));
    assert!(done && said.contains("organisations"), "{said}{error}");
}

//! Nothing lost, nothing doubled: the program is killed (`kill -9`) at random moments of finding recipients and of
//! posting, and started again. Every recipient has the version; a second copy carries the same Message-ID, and there are
//! no more of them than letters were in flight.
//!
//! `SKALA_CRASHES=100 cargo test crash` kills it a hundred times.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use skala::db::Db;

use super::program::{Service, add_admin, run, skala};
use super::support::{Manner, Sink, TestDatabase, given};

const SUBSCRIBERS: usize = 150;
const IN_FLIGHT: usize = 8;

fn start(database: &TestDatabase, sink: &Sink) -> Service {
    let in_flight = IN_FLIGHT.to_string();
    let settings = [
        ("SKALA_SMTP_URL", sink.url.as_str()),
        ("SKALA_MAIL_IN_FLIGHT", &in_flight),
        ("SKALA_MAIL_LEASE", "2"),
        ("SKALA_SECRET", "a secret that only the crash test knows of"),
    ];
    Service::of(skala(database, &["serve"]).envs(settings))
}

/// Publishes a dialogue of its own; returns its title and the dispatch.
fn publish(service: &Service, token: &str, round: usize) -> (String, String) {
    let post = |path: &str, body: Value| {
        let (status, body) = service.post(path, Some(token), &body).unwrap();
        assert!(status < 300, "{path}: {status} {body}");
        body
    };
    let title = format!("Runde {round}.");
    let process = post("/processes", json!({"title": title, "summary": "Sammen er det mere."}));
    let mut notice = given::notice(&title);
    notice["events"] = json!([]);
    notice["question_deadline"] = Value::Null;
    notice["answer_deadline"] = "2090-01-29T11:00:00Z".into();
    let dialogue = post(&format!("/processes/{}/dialogues", process["id"].as_str().unwrap()), notice);
    let published = post(&format!("/dialogues/{}/publish", dialogue["id"].as_str().unwrap()), Value::Null);
    (title, published["dispatch_id"].as_str().unwrap().to_owned())
}

/// Waits for something that other processes do; a failure if it never comes.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let patience = Instant::now();
    while !is_so() {
        assert!(patience.elapsed() < Duration::from_secs(300), "{what}");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// How many copies each recipient got of the letters with this title, by Message-ID.
fn copies(sink: &Sink, title: &str) -> HashMap<String, Vec<usize>> {
    let mut copies: HashMap<String, HashMap<String, usize>> = HashMap::new();
    for letter in sink
        .letters()
        .iter()
        .filter(|letter| letter.lines().any(|line| line == format!("Subject: Ny markedsdialog: {title}")))
    {
        let header = |name: &str| letter.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
        *copies.entry(header("To: ")).or_default().entry(header("Message-ID: ")).or_default() += 1;
    }
    copies.into_iter().map(|(to, by_id)| (to, by_id.into_values().collect())).collect()
}

#[test]
fn a_crash_loses_no_letter_and_doubles_at_most_those_in_flight() {
    let rounds: usize = std::env::var("SKALA_CRASHES").map_or(3, |rounds| rounds.parse().unwrap());
    let database = TestDatabase::migrated();
    add_admin(&database);
    let db = Db::open(&database.url().parse().unwrap()).unwrap();
    let addresses = (0..SUBSCRIBERS).map(|number| format!("nr{number}@d{}.example", number % 7));
    given::crowd(&db, addresses, "2026-11-22T08:00:00Z".parse().unwrap());
    drop(db);
    let sink = Sink::with(&[Manner::Takes]);
    let mut random = u64::from(std::process::id());
    let mut doubled = 0;
    for round in 0..rounds {
        let mut service = start(&database, &sink);
        let token = service.sign_in("admin@co-pi.example");
        // Every other time two nodes share the work, and one of them dies.
        let other = (round % 2 == 1).then(|| start(&database, &sink));
        let before = sink.letters().len();
        let (title, dispatch) = publish(&service, &token, round);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let enough = usize::try_from(random >> 33).unwrap() % SUBSCRIBERS;
        // At none it dies while recipients are found.
        until("letters come", || sink.letters().len() - before >= enough);
        service.send("-KILL");
        service.wait();
        let again = other.unwrap_or_else(|| start(&database, &sink));
        let token = again.sign_in("admin@co-pi.example");
        until("the dispatch ends", || again.get(&format!("/dispatches/{dispatch}"), &token)["status"] == "done");
        let copies = copies(&sink, &title);
        let lost: Vec<_> = (0..SUBSCRIBERS)
            .map(|number| format!("nr{number}@d{}.example", number % 7))
            .filter(|to| !copies.contains_key(to))
            .collect();
        assert!(lost.is_empty(), "round {round}, killed after {enough}: lost {lost:?}");
        let by_two_names: Vec<_> = copies.iter().filter(|(_, by_id)| by_id.len() > 1).collect();
        assert!(by_two_names.is_empty(), "round {round}: doubled under another Message-ID: {by_two_names:?}");
        let twice = copies.values().flatten().map(|count| count - 1).sum::<usize>();
        assert!(twice <= IN_FLIGHT, "round {round}, killed after {enough}: {twice} copies");
        doubled += twice;
    }
    let (whole, said, error) = run(&mut skala(&database, &["ledger", "verify"]));
    assert!(whole, "{said}{error}");
    println!("{rounds} crashes, {} letters, {doubled} copies", rounds * SUBSCRIBERS);
}

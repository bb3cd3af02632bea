//! The program itself, as an operator runs it: started, stopped, killed.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::mpsc;

use serde_json::{Value, json};

use crate::support::TestDatabase;

const PASSWORD: &str = "en gul cykel i regnvejr";

/// The program with these settings and nothing else from the environment.
pub fn skala(database: &TestDatabase, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skala"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SKALA_")) {
        command.env_remove(name);
    }
    command.args(arguments).current_dir(database.folder.path());
    command.env("SKALA_DATABASE_URL", database.url()).env("SKALA_LISTEN", "127.0.0.1:0").env("SKALA_RATE_LIMIT", "off");
    command.env("SKALA_DRAIN", "0");
    command
}

/// Runs it to its end: whether it went well, and what it said.
pub fn run(command: &mut Command) -> (bool, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

/// A service that runs until it is told to stop.
pub struct Service {
    pub child: Child,
    pub address: String,
    log: Mutex<mpsc::Receiver<String>>,
}

impl Service {
    pub fn start(database: &TestDatabase) -> Self {
        Self::of(&mut skala(database, &["serve"]))
    }

    pub fn of(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, log) = mpsc::channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut service = Self { child, address: String::new(), log: Mutex::new(log) };
        service.address = service.wait_until_it_serves();
        service
    }

    /// Its address, which it says when it is ready.
    fn wait_until_it_serves(&self) -> String {
        let mut heard = Vec::new();
        for line in self.log.lock().unwrap().iter() {
            let fields = serde_json::from_str::<Value>(&line).unwrap_or_default()["fields"].clone();
            if fields["message"] == "serving" {
                return fields["listen"].as_str().unwrap().to_owned();
            }
            heard.push(line);
        }
        panic!("it did not start: {heard:#?}");
    }

    pub fn send(&mut self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    pub fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Result<(u16, Value), ureq::Error> {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().new_agent();
        let mut request = agent.post(format!("http://{}/api/v1{path}", self.address)).content_type("application/json");
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let mut answer = request.send(body.to_string())?;
        let text = answer.body_mut().read_to_string()?;
        Ok((answer.status().as_u16(), serde_json::from_str(&text).unwrap_or_default()))
    }

    pub fn sign_in(&self, email: &str) -> String {
        let (status, body) = self.post("/auth/token", None, &json!({"email": email, "password": PASSWORD})).unwrap();
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    pub fn get(&self, path: &str, token: &str) -> Value {
        let agent = ureq::Agent::config_builder().proxy(None).build().new_agent();
        let request = agent.get(format!("http://{}/api/v1{path}", self.address));
        let text =
            request.header("Authorization", format!("Bearer {token}")).call().unwrap().body_mut().read_to_string();
        serde_json::from_str(&text.unwrap()).unwrap()
    }

    pub fn names(&self) -> Vec<String> {
        let (mut names, mut cursor) = (Vec::new(), String::new());
        loop {
            let url = format!("http://{}/api/v1/organisations?limit=200&cursor={cursor}", self.address);
            let text = ureq::get(url).call().unwrap().body_mut().read_to_string().unwrap();
            let page: Value = serde_json::from_str(&text).unwrap();
            let items = page["items"].as_array().unwrap();
            names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => return names,
            }
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Adds an admin at the command line, as an operator does on a new machine.
pub fn add_admin(database: &TestDatabase) {
    let mut command =
        skala(database, &["user", "add", "--email", "admin@co-pi.example", "--role", "admin", "--password-stdin"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_newcomer_migrates_adds_an_admin_and_signs_in() {
    let database = TestDatabase::empty();
    assert!(run(&mut skala(&database, &["migrate"])).0);
    add_admin(&database);
    let service = Service::start(&database);
    let token = service.sign_in("admin@co-pi.example");
    let body = json!({"name": "Odense Kommune", "kind": "municipality"});
    assert_eq!(service.post("/organisations", Some(&token), &body).unwrap().0, 201);
}

#[test]
fn a_sign_in_outlives_a_restart() {
    let database = TestDatabase::migrated();
    add_admin(&database);
    let token = Service::start(&database).sign_in("admin@co-pi.example");
    let service = Service::start(&database);
    let body = json!({"name": "Odense Kommune", "kind": "municipality"});
    assert_eq!(service.post("/organisations", Some(&token), &body).unwrap().0, 201);
}

#[test]
fn the_command_line_prints_the_committed_spec() {
    let database = TestDatabase::empty_sqlite();
    let (done, printed, _) = run(&mut skala(&database, &["openapi"]));
    assert!(done);
    assert!(
        printed == fs::read_to_string("openapi/openapi.json").unwrap(),
        "the program was built before the file was last written"
    );
    assert_eq!(fs::read_dir(database.folder.path()).unwrap().count(), 0, "printing needs no database");
}

#[test]
fn a_taken_port_is_said_so() {
    let database = TestDatabase::migrated();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (done, _, said) = run(skala(&database, &["serve"]).env("SKALA_LISTEN", &address));
    assert!(!done);
    assert!(said.contains(&format!("cannot listen on {address}")), "{said}");
}

#[test]
fn an_unknown_database_is_refused_and_leaves_no_file() {
    for url in ["postgress://skala@localhost/skala", "mysql://localhost/skala", "skala.db"] {
        let database = TestDatabase::empty_sqlite();
        let (done, _, said) = run(skala(&database, &["serve"]).env("SKALA_DATABASE_URL", url));
        assert!(!done && said.contains("SKALA_DATABASE_URL"), "{said}");
        assert_eq!(fs::read_dir(database.folder.path()).unwrap().count(), 0, "{url}");
    }
}

#[test]
fn a_postgres_that_is_not_there_is_said_so_without_its_password() {
    let database = TestDatabase::empty_sqlite();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("postgres://skala:hemmeligt@{free}/skala");
    let (done, _, said) = run(skala(&database, &["serve"]).env("SKALA_DATABASE_URL", &url));
    assert!(!done && said.contains("cannot be reached") && !said.contains("hemmeligt"), "{said}");
}

#[test]
fn a_newer_database_is_refused() {
    let database = TestDatabase::migrated();
    database.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000001')");
    let (done, _, said) = run(&mut skala(&database, &["serve"]));
    assert!(!done && said.contains("20991231000001") && said.contains("newer version"), "{said}");
}

#[test]
fn a_setting_that_makes_no_sense_names_itself() {
    let database = TestDatabase::empty_sqlite();
    let (done, _, said) = run(skala(&database, &["serve"]).env("SKALA_RATE_LIMIT", "many"));
    assert!(!done && said.contains("SKALA_RATE_LIMIT"), "{said}");
}

#[test]
fn a_user_without_a_body_or_with_a_weak_password_is_not_added() {
    let database = TestDatabase::migrated();
    let add = |arguments: &[&str]| run(skala(&database, &[&["user", "add"], arguments].concat()).stdin(Stdio::null()));
    let (done, _, said) = add(&["--email", "a@b.dk", "--role", "member"]);
    assert!(!done && said.contains("organisation_id"), "{said}");
    let (done, _, said) = add(&["--email", "a@b.dk", "--role", "admin", "--password-stdin"]);
    assert!(!done && said.contains("/password"), "{said}");
    let (done, _, said) = add(&["--email", "a@b.dk", "--role", "king"]);
    assert!(!done && said.contains("--role"), "{said}");
    let (done, _, said) = add(&["--email", "a@b.dk", "--role", "member", "--organisation", "Ingen"]);
    assert!(!done && said.contains("no organisation is called Ingen"), "{said}");
}

#[test]
fn a_stop_finishes_what_is_in_hand_and_leaves_in_peace() {
    let database = TestDatabase::migrated();
    let mut service = Service::start(&database);
    let mut half = std::net::TcpStream::connect(&service.address).unwrap();
    let body = json!({"email": "a@b.dk", "password": PASSWORD}).to_string();
    let head = format!(
        "POST /api/v1/auth/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    half.write_all(head.as_bytes()).unwrap();
    half.write_all(&body.as_bytes()[..10]).unwrap();
    // The server has begun with the request before it hears that it should stop.
    assert!(service.post("/auth/token", None, &json!({"email": "c@d.dk", "password": PASSWORD})).is_ok());
    service.send("-TERM");
    half.write_all(&body.as_bytes()[10..]).unwrap();
    let mut status = String::new();
    BufReader::new(half).read_line(&mut status).unwrap();
    assert!(status.starts_with("HTTP/1.1 401"), "{status}");
    assert!(service.wait().success());
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let database = TestDatabase::migrated();
    add_admin(&database);
    let mut service = Service::start(&database);
    let token = service.sign_in("admin@co-pi.example");
    let acknowledged = Mutex::new(Vec::new());
    let (enough, heard) = mpsc::channel();
    let pid = service.child.id().to_string();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let (service, token, acknowledged, enough) = (&service, &token, &acknowledged, enough.clone());
            scope.spawn(move || {
                for n in 0.. {
                    let name = format!("Kommune {writer}-{n}");
                    let body = json!({"name": name, "kind": "municipality"});
                    let Ok((201, _)) = service.post("/organisations", Some(token), &body) else { return };
                    let mut acknowledged = acknowledged.lock().unwrap();
                    acknowledged.push(name);
                    if acknowledged.len() == 40 {
                        enough.send(()).unwrap();
                    }
                }
            });
        }
        heard.recv().unwrap();
        assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
    });
    service.wait();
    let acknowledged = acknowledged.into_inner().unwrap();
    let kept = Service::start(&database).names();
    let lost: Vec<_> = acknowledged.iter().filter(|name| !kept.contains(name)).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    assert!(kept.len() <= acknowledged.len() + 4, "at most what was in hand may have landed unacknowledged");
}

#[test]
fn the_log_speaks_of_routes_and_keeps_secrets() {
    let database = TestDatabase::migrated();
    add_admin(&database);
    let mut service = Service::start(&database);
    let token = service.sign_in("admin@co-pi.example");
    let key = json!({"name": "Sagssystemet", "scopes": ["admin"]});
    let (_, key) = service.post("/api-keys", Some(&token), &key).unwrap();
    let secret = key["key"].as_str().unwrap().to_owned();
    let body = json!({"name": "Odense Kommune", "kind": "municipality"});
    service.post("/organisations", Some(&secret), &body).unwrap();
    service.post("/invitations/accept", None, &json!({"token": "hemmeligt-link", "password": PASSWORD})).unwrap();
    let guess = json!({"email": "admin@co-pi.example", "password": "ikke det rigtige"});
    assert_eq!(service.post("/auth/token", None, &guess).unwrap().0, 401);
    for _ in 0..3 {
        let me = ureq::get(format!("http://{}/api/v1/me", service.address));
        me.header("Authorization", format!("Bearer {token}")).call().unwrap();
    }
    service.send("-TERM");
    assert!(service.wait().success());
    let log: Vec<String> = service.log.lock().unwrap().iter().collect();
    let named = log.iter().filter(|line| line.contains("/api/v1/me\"") && line.contains("\"user\":")).count();
    assert_eq!(named, 3, "also where the answer was at hand: {log:?}");
    let log = log.join("\n");
    for told in ["/api/v1/organisations", "\"signed in\"", "\"a sign-in was refused\"", "\"user\":"] {
        assert!(log.contains(told), "{told}: {log}");
    }
    for private in [PASSWORD, token.as_str(), secret.as_str(), "hemmeligt-link", "admin@co-pi.example"] {
        assert!(!log.contains(private), "{private} stands in the log");
    }
}

#[test]
fn the_demo_finds_its_world_again_until_it_begins_anew() {
    let database = TestDatabase::empty_sqlite();
    let demo = |arguments: &[&str]| Service::of(&mut skala(&database, &[&["demo"], arguments].concat()));
    let service = demo(&[]);
    let token = service.sign_in("karen@co-pi.example");
    let added = json!({"name": "Nyborg Kommune i demoen", "kind": "municipality"});
    assert_eq!(service.post("/organisations", Some(&token), &added).unwrap().0, 201);
    let names = service.names();
    drop(service);
    assert_eq!(demo(&[]).names(), names);
    {
        let running = demo(&[]);
        for port in [running.address.clone(), "127.0.0.1:0".to_owned()] {
            let (done, _, said) = run(skala(&database, &["demo", "--fresh"]).env("SKALA_LISTEN", &port));
            assert!(!done && (said.contains("cannot listen") || said.contains("a demo is running")), "{said}");
        }
        assert_eq!(running.names(), names, "a demo that runs keeps its world");
    }
    let anew = demo(&["--fresh"]).names();
    assert_eq!(anew.len(), names.len() - 1, "{anew:?}");
    assert!(!database.folder.path().join("skala.db").exists(), "the demo has a folder of its own");
}

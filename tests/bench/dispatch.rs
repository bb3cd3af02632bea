//! A dispatch, measured: letters a second against `smtp-source` into the same `smtp-sink` (Debian's `postfix`), with as many
//! connections and letters of the same size; against Nodemailer and Python's smtplib; and how fast recipients are found.
//!
//! ```sh
//! cargo bench --bench dispatch                      # 20,000 letters, 1,000,000 subscriptions
//! cargo bench --bench dispatch -- 5000 100000
//! ```
//!
//! `SKALA_BENCH_DATABASE_URL` names a PostgreSQL that may create databases (default
//! `postgres://postgres@127.0.0.1:5432/postgres`); without one, SQLite alone is measured. Nodemailer is installed into
//! `target/bench-peers` at the first run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a benchmark that meets the unexpected stops on the spot"
)]

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use actix_web::web::Data;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, RunQueryDsl, SqliteConnection};
use serde_json::{Value, json};
use skala::access::store::{Account, Device, begin_session, draw_token, insert_account};
use skala::access::{Person, Role, issue, use_hmac_sha256};
use skala::config::Settings;
use skala::db::{AnyConnection, Db, DbError};
use skala::kernel::{Clock, Email, Id, Instant as Moment, Language, Seal};
use skala::mail::{Letter, Mailbox, Postman, Signer};
use skala::subscription::{Consent, State, Subscription, store};
use skala::web::Node;
use skala::{app, dispatch};

const CONNECTIONS: usize = 8;
const DOMAINS: usize = 500;
const SECRET: &str = "a secret that only the benchmark knows of";
const HOST: &str = "skala.example";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|first| first == "worker") {
        return work();
    }
    use_hmac_sha256();
    let number = |place: usize, usual: usize| arguments.get(place).map_or(usual, |given| given.parse().unwrap());
    let (letters, subscriptions) = (number(0, 20_000), number(1, 1_000_000));
    let folder = std::env::temp_dir().join(format!("skala-bench-dispatch-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();

    let sample = sample(&folder);
    let size = written(&sample, &[]).len();
    println!("{letters} letters of {size} bytes to {DOMAINS} domains, {CONNECTIONS} connections\n");
    rendering(&sample);
    println!("\n| sender | letters/s | of smtp-source | most memory, MiB |\n|---|---:|---:|---:|");
    let mut databases = vec![Database::sqlite(&folder)];
    databases.extend(Database::postgres());
    for database in &databases {
        if std::env::var("ONLY").is_ok_and(|only| only != database.name) {
            continue;
        }
        for (name, connections, keys) in [
            ("", CONNECTIONS, ""),
            (", DKIM Ed25519", CONNECTIONS, "ed25519"),
            (", DKIM RSA-2048", CONNECTIONS, "rsa"),
            (", one connection", 1, ""),
        ] {
            database.fill(letters, "immediate");
            let sink = Sink::start();
            let source = source(&sink, letters, size, connections);
            let (rate, memory) = dispatched(database, &folder, &sink, letters, connections, keys);
            let share = rate / source;
            println!("| smtp-source -d -s {connections} | {source:.0} | 1 | |");
            if std::env::var("ONLY").is_ok() {
                println!("{rate:.0} {share:.2}");
                return;
            }
            println!("| Skala, {}{name} | {rate:.0} | {share:.2} | {memory:.0} |", database.name);
        }
    }
    peers(letters.min(5_000), size);
    println!(
        "\n| finding recipients among {subscriptions} | rows/s | of the client | most memory, MiB |\n|---|---:|---:|---:|"
    );
    for database in &databases {
        expansion(database, &folder, subscriptions);
    }
    drop(databases);
    std::fs::remove_dir_all(&folder).ok();
}

/// The worker in a process of its own, as `skala worker` is: its memory is its own.
fn work() {
    actix_web::rt::System::new().block_on(async {
        let settings = Settings::read(|name| std::env::var(name).ok()).unwrap();
        let db = Db::open(&settings.database).unwrap();
        db.listen().unwrap();
        let postman = dispatch::postman(&settings).unwrap();
        let node = Node::new(settings, db, Clock::System, Seal::new(SECRET.as_bytes())).unwrap();
        let (_stop, stopping) = tokio::sync::watch::channel(false);
        dispatch::work(Data::new(node), postman, stopping).await;
    });
}

/// A database of the benchmark's own.
struct Database {
    name: &'static str,
    url: String,
    server: Option<String>,
}

impl Database {
    fn sqlite(folder: &Path) -> Self {
        Self { name: "SQLite", url: format!("sqlite://{}", folder.join("skala.db").display()), server: None }
    }

    fn postgres() -> Option<Self> {
        let usual = || "postgres://postgres@127.0.0.1:5432/postgres".to_owned();
        let server = std::env::var("SKALA_BENCH_DATABASE_URL").unwrap_or_else(|_| usual());
        if PgConnection::establish(&server).is_err() {
            println!("no PostgreSQL answers: SQLite alone is measured");
            return None;
        }
        let (base, _) = server.rsplit_once('/')?;
        Some(Self { name: "PostgreSQL", url: format!("{base}/skala_bench_dispatch"), server: Some(server) })
    }

    /// Begins anew.
    fn clear(&self) {
        match &self.server {
            Some(server) => {
                let mut connection = PgConnection::establish(server).unwrap();
                connection.batch_execute("DROP DATABASE IF EXISTS skala_bench_dispatch WITH (FORCE)").unwrap();
                connection.batch_execute("CREATE DATABASE skala_bench_dispatch").unwrap();
            }
            None => {
                let file = self.url.trim_start_matches("sqlite://");
                ["", "-wal", "-shm"].iter().for_each(|end| drop(std::fs::remove_file(format!("{file}{end}"))));
            }
        }
        drop(Db::open(&self.url.parse().unwrap()).unwrap());
    }

    /// Begins anew with so many confirmed subscribers, whose filters are mixed; about half match the notice.
    fn fill(&self, count: usize, frequency: &str) {
        self.clear();
        let everybody = frequency == "immediate";
        let filters = if everybody {
            "'{}'".to_owned()
        } else {
            let filters = [
                json!({"cpv": ["33000000"]}),
                json!({"cpv": ["45000000"]}),
                json!({"text": "natligt tilsyn, fald"}),
                json!({"nuts": ["DK05"], "cpv": ["33000000"]}),
                json!({"themes": ["energi"], "text": "varme"}),
                json!({}),
            ];
            let arms = filters.iter().enumerate().map(|(place, filter)| format!("WHEN {place} THEN '{filter}'"));
            format!("CASE n % 6 {} END", arms.collect::<Vec<_>>().join(" "))
        };
        let numbers =
            format!("WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})");
        let id = if self.server.is_some() {
            "'01890000-0000-7000-8000-' || lpad(to_hex(n), 12, '0')"
        } else {
            "printf('01890000-0000-7000-8000-%012x', n)"
        };
        let address = format!("'nr' || n || '@d' || (n % {DOMAINS}) || '.example'");
        let at = if self.server.is_some() { "TIMESTAMP '2026-01-01 00:00:00'" } else { "'2026-01-01 00:00:00'" };
        self.execute(&format!(
            "{numbers} INSERT INTO subscription (id, email, email_key, language, frequency, filter, status, consent_text, \
             consent_at, consent_source, confirmed_at, created_at, updated_at, version) SELECT {id}, {address}, {address}, \
             'da', '{frequency}', {filters}, 'confirmed', 'ja', {at}, 'benchmark', {at}, {at}, {at}, 1 FROM numbers"
        ));
        self.execute("ANALYZE");
    }

    fn execute(&self, sql: &str) {
        match &self.server {
            Some(_) => PgConnection::establish(&self.url).unwrap().batch_execute(sql).unwrap(),
            None => SqliteConnection::establish(self.url.trim_start_matches("sqlite://"))
                .unwrap()
                // The service of the run before may still be about to go.
                .batch_execute(&format!("PRAGMA busy_timeout = 10000; {sql}"))
                .unwrap(),
        }
    }

    /// Runs statements by the database's own client; none when it is not installed.
    fn by_its_client(&self, sql: &str) -> Option<Duration> {
        let begun = Instant::now();
        let mut command = match &self.server {
            Some(_) => Command::new("psql"),
            None => Command::new("sqlite3"),
        };
        match &self.server {
            Some(_) => command.args([self.url.as_str(), "-q", "-v", "ON_ERROR_STOP=1", "-c", sql]),
            None => {
                command.args([self.url.trim_start_matches("sqlite://"), &format!("PRAGMA synchronous = FULL; {sql}")])
            }
        };
        let done = command.stdout(Stdio::null()).status().ok()?;
        assert!(done.success(), "{command:?}");
        Some(begun.elapsed())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            let mut connection = PgConnection::establish(server).unwrap();
            connection.batch_execute("DROP DATABASE IF EXISTS skala_bench_dispatch WITH (FORCE)").ok();
        }
    }
}

/// Debian's `smtp-sink`, until it goes.
struct Sink {
    child: Child,
    port: u16,
}

impl Sink {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("smtp-sink").args(["-u", "nobody", &format!("127.0.0.1:{port}"), "1000"]).spawn();
        let child = child.expect("smtp-sink, of Debian's package postfix");
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { child, port }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Letters a second by `smtp-source`.
fn source(sink: &Sink, letters: usize, size: usize, connections: usize) -> f64 {
    let begun = Instant::now();
    let sent = Command::new("smtp-source")
        .args(["-d", "-s", &connections.to_string(), "-m", &letters.to_string(), "-l", &size.to_string()])
        .args(["-f", "skala@skala.example", "-t", "nr1@d1.example", &format!("127.0.0.1:{}", sink.port)])
        .status();
    assert!(sent.unwrap().success());
    letters as f64 / begun.elapsed().as_secs_f64()
}

/// A service in this process, to publish with.
struct Service {
    node: Data<Node>,
    address: std::net::SocketAddr,
    token: String,
}

impl Service {
    fn on(database: &Database) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let variable = |name: &str| match name {
            "SKALA_DATABASE_URL" => Some(database.url.clone()),
            "SKALA_PUBLIC_URL" => Some(format!("https://{HOST}")),
            "SKALA_RATE_LIMIT" => Some("off".to_owned()),
            _ => None,
        };
        let settings = Settings::read(variable).unwrap();
        let db = Db::open(&settings.database).unwrap();
        let node = Data::new(Node::new(settings, db, Clock::System, Seal::new(SECRET.as_bytes())).unwrap());
        let (inside, now) = (node.clone(), node.now());
        std::thread::spawn(move || {
            actix_web::rt::System::new()
                .block_on(async { app::serve(inside, listener, std::future::pending()).unwrap().await })
                .unwrap();
        });
        let person = Person {
            user_id: Id::made_at(now),
            name: "Karen".into(),
            role: Role::Admin,
            organisation_id: None,
            scopes: None,
        };
        let (user, session) = (person.user_id, Id::made_at(now));
        let token = issue(&node.seal, user, session, now).unwrap();
        let email = Email::parse("karen@co-pi.example").unwrap();
        let account = Account::new(person, email, None, now);
        let added = node.db.write(move |tx| {
            insert_account(tx, &account)?;
            begin_session(tx, session, user, &Device::default(), now)?;
            draw_token(tx, &session.to_string(), session, now, now + chrono::TimeDelta::days(1))
        });
        wait_for(added).unwrap();
        Self { node, address, token }
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}/api/v1{path}", self.address))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Content-Type", "application/json")
            .header("If-Match", "*");
        let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().new_agent();
        let mut answer = if method == "GET" {
            agent.run(request.body(()).unwrap()).unwrap()
        } else {
            agent.run(request.body(body.to_string()).unwrap()).unwrap()
        };
        let text = answer.body_mut().read_to_string().unwrap();
        assert!(answer.status().is_success(), "{method} {path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Publishes a dialogue; returns its dispatch.
    fn publish(&self) -> String {
        let process = self.call("POST", "/processes", &json!({"title": "Ro om natten", "summary": "Sammen."}));
        let words =
            "Tre kommuner vil foere natligt tilsyn uden at vaekke beboerne, og de vil hoere, hvad markedet kan. ";
        let notice = json!({
            "title": "Natligt tilsyn", "description": words.repeat(7), "nature": "supplies", "cpv": ["33195100-4"],
            "nuts": ["DK031"], "languages": ["da"], "questions": ["Hvad kan l\u{f8}ses i dag, og hvad mangler?"],
            "answer_deadline": "2090-01-29T11:00:00Z", "contact": {"name": "Mette Holm", "email": "mette@odense.example"},
        });
        let drafted = self.call("POST", &format!("/processes/{}/dialogues", process["id"].as_str().unwrap()), &notice);
        let published =
            self.call("POST", &format!("/dialogues/{}/publish", drafted["id"].as_str().unwrap()), &Value::Null);
        published["dispatch_id"].as_str().unwrap().to_owned()
    }

    /// Whether the dispatch is done, asked of the database: what the API says of it counts every letter, and is not what
    /// is measured.
    fn is_done(&self) -> bool {
        #[derive(diesel::QueryableByName)]
        struct Open {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            count: i64,
        }
        let look = |connection: &mut AnyConnection| {
            let open = "SELECT count(*) AS count FROM dispatch WHERE status <> 'done'";
            Ok::<_, DbError>(diesel::sql_query(open).get_result::<Open>(connection)?.count == 0)
        };
        wait_for(self.node.db.read(look)).unwrap()
    }

    fn dispatch(&self, id: &str) -> Value {
        self.call("GET", &format!("/dispatches/{id}"), &Value::Null)
    }
}

fn wait_for<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A worker process, until it goes.
struct WorkerProcess(Child);

impl WorkerProcess {
    fn start(database: &Database, smtp: Option<&Sink>, folder: &Path, connections: usize, keys: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .arg("worker")
            .env("SKALA_DATABASE_URL", &database.url)
            .env("SKALA_PUBLIC_URL", format!("https://{HOST}"));
        command.env("SKALA_MAIL_FROM", "Skala <skala@skala.example>").env("SKALA_MAIL_DIR", folder.join("mails"));
        command.env("SKALA_MAIL_CONNECTIONS", connections.to_string());
        if let Some(sink) = smtp {
            command.env("SKALA_SMTP_URL", format!("smtp://127.0.0.1:{}", sink.port));
        }
        if !keys.is_empty() {
            command.env("SKALA_DKIM_KEY", key(folder, keys)).env("SKALA_DKIM_SELECTOR", "bench");
        }
        Self(command.spawn().unwrap())
    }

    /// The most memory it held, in MiB.
    fn most_memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() / 1024.0
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A key made by `openssl`.
fn key(folder: &Path, kind: &str) -> PathBuf {
    let file = folder.join(format!("{kind}.pem"));
    let algorithm = if kind == "rsa" { ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"].as_slice() } else { &["ed25519"] };
    let mut command = Command::new("openssl");
    command.args(["genpkey", "-out"]).arg(&file).arg("-algorithm").args(algorithm);
    assert!(command.stderr(Stdio::null()).status().unwrap().success());
    file
}

/// Letters a second from publishing to the last settled delivery, recipients found on the way; and the most memory.
fn dispatched(
    database: &Database,
    folder: &Path,
    sink: &Sink,
    letters: usize,
    connections: usize,
    keys: &str,
) -> (f64, f64) {
    let worker = WorkerProcess::start(database, Some(sink), folder, connections, keys);
    let service = Service::on(database);
    // The worker is awake and connected before it counts.
    std::thread::sleep(Duration::from_secs(2));
    let begun = Instant::now();
    let dispatch = service.publish();
    while !service.is_done() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(service.dispatch(&dispatch)["sent"], letters);
    (letters as f64 / seconds, worker.most_memory())
}

/// How fast recipients are found, and nothing is sent: everything is for Monday's digest.
fn expansion(database: &Database, folder: &Path, subscriptions: usize) {
    database.fill(subscriptions, "weekly");
    let worker = WorkerProcess::start(database, None, folder, CONNECTIONS, "");
    let service = Service::on(database);
    std::thread::sleep(Duration::from_secs(2));
    let begun = Instant::now();
    let dispatch = service.publish();
    let shown = loop {
        let shown = service.dispatch(&dispatch);
        if !shown["expanded_at"].is_null() {
            break shown;
        }
        std::thread::sleep(Duration::from_millis(250));
    };
    let rate = subscriptions as f64 / begun.elapsed().as_secs_f64();
    let memory = worker.most_memory();
    let queued = shown["queued"].as_i64().unwrap();
    // The same rows by the client, into a table with the same keys, the reasons ready.
    let copy = match &database.server {
        Some(_) => "CREATE TABLE delivery_copy (LIKE delivery INCLUDING ALL)",
        None => {
            "CREATE TABLE delivery_copy AS SELECT * FROM delivery LIMIT 0; \
             CREATE UNIQUE INDEX c0 ON delivery_copy (id); CREATE UNIQUE INDEX c1 ON delivery_copy (notice_version_id, recipient_key); \
             CREATE INDEX c2 ON delivery_copy (status, urgency, due_at, id); CREATE INDEX c3 ON delivery_copy (dispatch_id, status, settled_at); \
             CREATE INDEX c4 ON delivery_copy (recipient_key); CREATE INDEX c5 ON delivery_copy (digest); \
             CREATE INDEX c6 ON delivery_copy (subscription_id)"
        }
    };
    database.execute(copy);
    let client = database.by_its_client(
        "INSERT INTO delivery_copy SELECT d.* FROM delivery d JOIN subscription s ON s.id = d.subscription_id",
    );
    let share = client.map_or_else(
        || "no client".to_owned(),
        |took| format!("{:.2}", begun_rate(queued, took).recip() * queued as f64 / (subscriptions as f64 / rate)),
    );
    println!("| Skala, {}: {queued} match | {rate:.0} | {share} | {memory:.0} |", database.name);
    drop((worker, service.node));
}

fn begun_rate(rows: i64, took: Duration) -> f64 {
    rows as f64 / took.as_secs_f64()
}

/// A letter as the worker writes it.
fn sample(folder: &Path) -> Letter {
    let database =
        Database { name: "sample", url: format!("sqlite://{}", folder.join("sample.db").display()), server: None };
    database.clear();
    let service = Service::on(&database);
    let now = service.node.now();
    let subscription = Subscription {
        id: Id::made_at(now),
        email: Email::parse("nr10000@d100.example").unwrap(),
        body: serde_json::from_value(json!({})).unwrap(),
        state: State::Confirmed { confirmed_at: now },
        consent: Consent { text: "ja".into(), at: now, source: "benchmark".into() },
        created_at: now,
        updated_at: now,
        version: 1,
    };
    wait_for(service.node.db.write(move |tx| store::insert(tx, &subscription)))
        .map_err(|error: DbError| error)
        .unwrap();
    service.publish();
    let mailbox = Mailbox::default();
    let postman = Postman::mailbox(mailbox.clone(), "Skala <skala@skala.example>".parse().unwrap(), HOST);
    wait_for(dispatch::Worker::new(service.node.clone(), postman).drain()).unwrap();
    let (_, letter) = mailbox.empty().remove(0);
    assert_eq!(letter.language, Language::Da);
    letter
}

fn written(letter: &Letter, signers: &[Signer]) -> String {
    let from = "Skala <skala@skala.example>".parse().unwrap();
    let date: Moment = "2026-11-22T08:00:00Z".parse().unwrap();
    let spelling = skala::mail::Spelling::ForServers;
    let id = format!("0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e@{HOST}");
    let message = letter.written(&from, &id, date, spelling).unwrap();
    signers.iter().fold(message, |message, signer| signer.sign(&message, date).unwrap())
}

/// What it costs to write a letter, and to sign it.
fn rendering(letter: &Letter) {
    let folder = std::env::temp_dir();
    println!("| one letter | microseconds |\n|---|---:|");
    for (name, kind) in
        [("written", ""), ("written and signed, Ed25519", "ed25519"), ("written and signed, RSA-2048", "rsa")]
    {
        let signers: Vec<Signer> = if kind.is_empty() {
            Vec::new()
        } else {
            let file = key(&folder, kind);
            let signer = Signer::from_pem(&std::fs::read_to_string(&file).unwrap(), "bench", HOST).unwrap();
            std::fs::remove_file(file).unwrap();
            vec![signer]
        };
        let begun = Instant::now();
        let mut bytes = 0;
        for _ in 0..2_000 {
            bytes += written(letter, &signers).len();
        }
        assert!(bytes > 0);
        println!("| {name} | {:.0} |", begun.elapsed().as_secs_f64() * 1e6 / 2_000.0);
    }
}

/// Others, each with one connection.
fn peers(letters: usize, size: usize) {
    let (letters, size) = (letters.to_string(), size.to_string());
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/peers");
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench-peers");
    std::fs::create_dir_all(&place).unwrap();
    let installed = place.join("node_modules/nodemailer").exists()
        || Command::new("npm")
            .args(["install", "--silent", "nodemailer@6"])
            .current_dir(&place)
            .status()
            .is_ok_and(|done| done.success());
    let measure = |name: &str, command: &mut Command, sink: &Sink| {
        let begun = Instant::now();
        match command.status() {
            Ok(done) if done.success() => {
                let rate = letters.parse::<f64>().unwrap() / begun.elapsed().as_secs_f64();
                println!("| {name}, one connection | {rate:.0} | | |");
            }
            other => println!("| {name} | not measured: {other:?} | | |"),
        }
        let _ = sink;
    };
    let sink = Sink::start();
    let port = sink.port.to_string();
    if installed {
        let script = scripts.join("with_nodemailer.mjs");
        measure(
            "Nodemailer, pooled",
            Command::new("node").arg(script).args([place.to_str().unwrap(), &port, &letters, &size]),
            &sink,
        );
    } else {
        println!("| Nodemailer | not measured: npm does not install it | | |");
    }
    let script = scripts.join("with_smtplib.py");
    measure("Python's smtplib", Command::new("python3").arg(script).args([&port, &letters, &size]), &sink);
}

//! The main calls, measured: against a bare handler that sends as many bytes (the limit), and against the same calls
//! by FastAPI and by Django REST framework on the same PostgreSQL with the same rows (the peers).
//!
//! ```sh
//! cargo bench --bench calls                         # 1,000 challenges, 5 seconds a call
//! cargo bench --bench calls -- 100000 10            # 100,000 challenges, 10 seconds a call
//! ```
//!
//! `SKALA_BENCH_DATABASE_URL` names a PostgreSQL that may create databases (default
//! `postgres://postgres@127.0.0.1:5432/postgres`); without one, SQLite alone is measured. The peers need `python3` with
//! `venv`; their libraries are installed into `target/bench-peers` at the first run.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "what goes wrong here ends the measurement, as it should"
)]

#[path = "support/mod.rs"]
mod support;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use actix_web::{App, HttpResponse, HttpServer, web};
use diesel::prelude::*;
use serde_json::{Value, json};
use support::load::{self, Outcome, Request};
use support::postgres::Postgres;
use support::server::{Server, free_port};
use support::skala::{run_with_password, sign_in};

const PROCESSES: usize = 60;

fn main() {
    // Cargo appends `--bench`; the bare server is this very program, started anew.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [bare, port] = arguments.as_slice()
        && bare == "bare"
    {
        return serve_bare(port.parse().unwrap());
    }
    let number = |index: usize, usual: usize| arguments.get(index).map_or(usual, |given| given.parse().unwrap());
    let (challenges, time) = (number(0, 1_000), Duration::from_secs(number(1, 5) as u64));
    println!("{challenges} challenges, {PROCESSES} processes, 16 connections, {} s a call\n", time.as_secs());
    println!("| call | by | requests/s | of the bare handler | p50 ms | p99 ms | CPU s per 1,000 | MiB |");
    println!("|---|---|---:|---:|---:|---:|---:|---:|");

    let folder = std::env::temp_dir().join(format!("skala-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let port = free_port();
    let bare = Server::start(Command::new(std::env::current_exe().unwrap()).args(["bare", &port.to_string()]), port);

    let sqlite = format!("sqlite://{}", folder.join("skala.db").display());
    let durable = measure(&bare, "Skala, SQLite", &sqlite, challenges, time);
    let alone = one_commit_a_write(&folder.join("alone.db"), time);
    println!(
        "\nSQLite writes, synchronous=FULL: {durable:.0}/s created, {alone:.0}/s by one commit a row: {:.1} times\n",
        durable / alone
    );
    if let Some(database) = Postgres::create("calls") {
        measure(&bare, "Skala, PostgreSQL", &database.url, challenges, time);
        measure_peers(&bare, &database.url, time);
    } else {
        println!("no PostgreSQL answers: neither it nor the peers are measured");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// One measured call: its name, and how its n-th request is made.
struct Call<'a> {
    name: &'static str,
    request: Box<dyn Fn(usize) -> Request + Sync + 'a>,
}

fn get<'a>(name: &'static str, path: String, headers: Vec<(&'a str, &'a str)>) -> Call<'a> {
    Call { name, request: Box::new(move |_| Request::new("GET", &path, &headers, None)) }
}

fn post<'a>(name: &'static str, path: String, headers: Vec<(&'a str, &'a str)>, body: fn(usize) -> Value) -> Call<'a> {
    let request = move |number| {
        // Each wish comes from a network of its own: what guards an address against floods is not what is measured.
        let from = format!("10.{}.{}.1", number / 250 % 250, number % 250);
        let headers: Vec<_> = headers.iter().copied().chain([("X-Forwarded-For", from.as_str())]).collect();
        Request::new("POST", &path, &headers, Some(&body(number).to_string()))
    };
    Call { name, request: Box::new(request) }
}

/// The seven calls, of a service whose paths begin with `base`.
fn calls<'a>(base: &str, bearer: &'a str, process: &str, challenge: &str) -> Vec<Call<'a>> {
    let signed = || vec![("Authorization", bearer)];
    vec![
        get("list of processes", format!("{base}/processes"), vec![]),
        get("one process", format!("{base}/processes/{process}"), vec![]),
        post("check", format!("{base}/challenges/check"), vec![], challenge_body),
        post("create", format!("{base}/challenges"), signed(), challenge_body),
        get("matches", format!("{base}/challenges/{challenge}/matches"), signed()),
        get("changes", format!("{base}/changes"), signed()),
        post("subscribe", format!("{base}/subscriptions"), vec![], wish),
    ]
}

/// Measures Skala on a database of its own; returns how many challenges it created in a second.
fn measure(bare: &Server, by: &str, database: &str, challenges: usize, time: Duration) -> f64 {
    let folder = std::env::temp_dir().join(format!("skala-bench-{}", std::process::id()));
    let port = free_port();
    let command = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skala"));
        command.current_dir(&folder).env("SKALA_DATABASE_URL", database).env("SKALA_LOG", "warn");
        command.env("SKALA_LISTEN", format!("127.0.0.1:{port}")).env("SKALA_RATE_LIMIT", "off");
        command.env("SKALA_TRUSTED_PROXIES", "127.0.0.1").env("SKALA_WORKER", "off");
        command
    };
    add_user(command(), "karen@co-pi.example", "facilitator");
    let begun = Instant::now();
    let server = Server::start(command().arg("serve"), port);
    let ready = begun.elapsed();
    let staff = sign_in(&server, "karen@co-pi.example");
    let (process, challenge) = seed(&server, &staff, challenges);
    let member = {
        add_member(command());
        sign_in(&server, "mette@odense.example")
    };
    println!("| {by}: ready after {} ms, idle | | | | | | | {:.0} |", ready.as_millis(), server.memory());
    let mut created = 0.0;
    for call in calls("/api/v1", &member, &process, &challenge) {
        let outcome = one(bare, &server, by, &call, time);
        if call.name == "create" {
            created = outcome.per_second;
        }
    }
    created
}

fn measure_peers(bare: &Server, database: &str, time: Duration) {
    let Some(python) = peers_python() else {
        return println!("no python3 with venv: the peers are not measured");
    };
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/peers");
    let mut connection = PgConnection::establish(database).unwrap();
    let tables = "CREATE TABLE bench_challenge (id text primary key, theme text, description text, status text, created_at timestamp);
        CREATE TABLE bench_fact (id text primary key, subject_id text, deed text, at timestamp);
        CREATE TABLE bench_subscription (id text primary key, email text, wish text, created_at timestamp);
        CREATE INDEX bench_words ON challenge USING gin (to_tsvector('danish', words)); ANALYZE";
    for statement in tables.split(';') {
        diesel::sql_query(statement).execute(&mut connection).unwrap();
    }
    let id = |connection: &mut PgConnection, table: &str| {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::Text)]
            id: String,
        }
        let newest = format!("SELECT id FROM {table} ORDER BY changed LIMIT 1");
        diesel::sql_query(newest).get_result::<Row>(connection).unwrap().id
    };
    let (process, challenge) = (id(&mut connection, "process"), id(&mut connection, "challenge"));
    let programs = python.parent().unwrap();
    for (by, program, arguments) in [
        ("FastAPI", "uvicorn", vec!["with_fastapi:app", "--workers", "2", "--log-level", "warning", "--port"]),
        (
            "Django",
            "gunicorn",
            vec![
                "with_django:app",
                "--workers",
                "2",
                "--threads",
                "8",
                "--keep-alive",
                "75",
                "--log-level",
                "warning",
                "--bind",
            ],
        ),
    ] {
        let port = free_port();
        let mut command = Command::new(programs.join(program));
        command.current_dir(&here).env("DATABASE_URL", database).env("PYTHONDONTWRITEBYTECODE", "1").args(arguments);
        let server = Server::start(
            command.arg(if by == "Django" { format!("127.0.0.1:{port}") } else { port.to_string() }),
            port,
        );
        let (_, body) = load::once(server.address, &Request::new("GET", "/token", &[], None));
        let token = serde_json::from_slice::<Value>(&body).unwrap()["access_token"].as_str().unwrap().to_owned();
        for call in calls("", &format!("Bearer {token}"), &process, &challenge) {
            one(bare, &server, by, &call, time);
        }
    }
}

/// Measures one call, and the bare handler with as many bytes right after it.
fn one(bare: &Server, server: &Server, by: &str, call: &Call<'_>, time: Duration) -> Outcome {
    let (_, answer) = load::once(server.address, &(call.request)(usize::MAX / 2));
    let spent = server.cpu_seconds();
    let outcome = load::run(server.address, time, &call.request);
    let cpu = (server.cpu_seconds() - spent) / outcome.answered as f64 * 1000.0;
    let path = format!("/{}", answer.len());
    let limit = load::run(bare.address, time.min(Duration::from_secs(3)), |_| Request::new("GET", &path, &[], None));
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "| {} ({} bytes) | {by} | {:.0} | {:.2} | {:.2} | {:.2} | {cpu:.3} | {:.0} |",
        call.name,
        answer.len(),
        outcome.per_second,
        outcome.per_second / limit.per_second,
        ms(outcome.p50),
        ms(outcome.p99),
        server.memory(),
    );
    outcome
}

fn challenge_body(number: usize) -> Value {
    const PLACES: [&str; 8] =
        ["plejehjemmet", "skolen", "genbrugspladsen", "havnen", "biblioteket", "hospitalet", "rådhuset", "værkstedet"];
    const TROUBLES: [&str; 9] = [
        "bruger personalet en time på at lede efter udstyr",
        "venter borgerne på svar i ugevis",
        "tastes de samme oplysninger tre gange",
        "vågner beboerne, når der bliver tilset",
        "løber vandet ind i kælderen ved skybrud",
        "kører bilerne halvtomme rundt",
        "bliver maden smidt ud",
        "kan ingen læse brevet",
        "løfter to medarbejdere det samme to gange om dagen",
    ];
    const CAUSES: [&str; 7] = [
        "fordi ingen ved, hvor det står",
        "fordi systemerne ikke taler sammen",
        "fordi det altid har været sådan",
        "fordi alarmerne går uden grund",
        "fordi rørene er for små",
        "fordi aftalerne ligger på papir",
        "fordi der mangler en person",
    ];
    let pick =
        |of: &[&'static str], step: usize| of[(number.wrapping_mul(2_654_435_761).rotate_left(13) / step) % of.len()];
    let (place, trouble, cause) = (pick(&PLACES, 1), pick(&TROUBLES, 8), pick(&CAUSES, 72));
    json!({
        "title": format!("På {place} {trouble} ({number})"),
        "problem": format!("Hver dag {trouble} på {place}, {cause}. Det sker {} gange om ugen og rammer {} borgere.", number % 40, number % 900),
        "desired_effect": "Tiden bruges på borgerne i stedet.", "affected_users": format!("medarbejdere på {place}"),
        "theme": "velfærdsteknologi", "cpv": ["33190000-8"], "nuts": ["DK031"],
        "time_savings": {"minutes_per_occasion": 15.0, "occasions_per_week": 20.0, "staff_count": 40, "basis": "measured"}
    })
}

fn wish(number: usize) -> Value {
    json!({"email": format!("salg{number}@firma{}.example", number % 977), "language": "da", "frequency": "daily",
        "filter": {"cpv": ["33000000"], "nuts": ["DK"]}})
}

/// Fills the service through its API; returns a process and a challenge to ask for.
fn seed(server: &Server, staff: &str, challenges: usize) -> (String, String) {
    let send = |method: &str, path: &str, body: Value| {
        let headers = [("Authorization", staff), ("If-Match", "*")];
        let request = Request::new(method, &format!("/api/v1{path}"), &headers, Some(&body.to_string()));
        let (status, answer) = load::once(server.address, &request);
        assert!(status < 300, "{path}: {status}: {}", String::from_utf8_lossy(&answer));
        serde_json::from_slice::<Value>(&answer).unwrap_or_default()
    };
    let id = |answer: &Value| answer["id"].as_str().unwrap().to_owned();
    let bodies: Vec<String> = (0..10)
        .map(|n| {
            let name = if n == 0 { "Odense Kommune".to_owned() } else { format!("Kommune {n}") };
            id(&send("POST", "/organisations", json!({"name": name, "kind": "municipality"})))
        })
        .collect();
    let mut process = String::new();
    for n in 0..PROCESSES {
        let opened =
            json!({"title": format!("Sammen om sag {n}"), "summary": "Flere kommuner vil have det samme løst."});
        process = id(&send("POST", "/processes", opened));
        send("PATCH", &format!("/processes/{process}"), json!({"status": "active"}));
        for body in &bodies {
            let part =
                json!({"organisation_id": body, "role": "need_owner", "joined_on": "2026-01-15", "state": "partner"});
            send("POST", &format!("/processes/{process}/participants"), part);
        }
    }
    let lines = |range: std::ops::Range<usize>| {
        let line = |n: usize| {
            let mut told = challenge_body(n);
            told["organisation_id"] = json!(bodies[n % bodies.len()]);
            format!("{told}\n")
        };
        range.map(line).collect::<String>()
    };
    for from in (0..challenges).step_by(1_000) {
        import(server.address, staff, &lines(from..(from + 1_000).min(challenges)));
    }
    let listed = Request::new("GET", "/api/v1/challenges?limit=1", &[("Authorization", staff)], None);
    let (_, listed) = load::once(server.address, &listed);
    let challenge = serde_json::from_slice::<Value>(&listed).unwrap()["items"][0]["id"].as_str().unwrap().to_owned();
    (process, challenge)
}

/// The import answers as a stream, which ends with the connection here.
fn import(address: SocketAddr, staff: &str, lines: &str) {
    use std::io::Read;
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /api/v1/challenges/import?submit=true HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {staff}\r\nConnection: close\r\n\
         Content-Type: application/x-ndjson\r\nContent-Length: {}\r\n\r\n",
        lines.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut writer = stream.try_clone().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || writer.write_all(lines.as_bytes()).unwrap());
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && !answer.contains("\"refused\""), "{answer}");
    });
}

fn add_user(mut command: Command, email: &str, role: &str) {
    run_with_password(command.args(["user", "add", "--email", email, "--role", role, "--password-stdin"]));
}

fn add_member(mut command: Command) {
    let who =
        ["user", "add", "--email", "mette@odense.example", "--role", "member", "--organisation", "Odense Kommune"];
    run_with_password(command.args(who).arg("--password-stdin"));
}

/// A handler that does nothing but send the bytes that the path names.
fn serve_bare(port: u16) {
    let answer = |length: web::Path<usize>| async move {
        HttpResponse::Ok().content_type("application/json").body("x".repeat(length.into_inner()))
    };
    let server = HttpServer::new(move || App::new().route("/{length}", web::get().to(answer)));
    actix_web::rt::System::new().block_on(server.bind(("127.0.0.1", port)).unwrap().run()).unwrap();
}

/// How many rows a second one connection inserts when each is a commit of its own, on disk.
fn one_commit_a_write(file: &Path, time: Duration) -> f64 {
    let mut connection = SqliteConnection::establish(&file.display().to_string()).unwrap();
    for setting in [
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "CREATE TABLE written (id INTEGER PRIMARY KEY, told TEXT)",
    ] {
        diesel::sql_query(setting).execute(&mut connection).unwrap();
    }
    let (begun, mut written) = (Instant::now(), 0);
    while begun.elapsed() < time {
        let told = challenge_body(written).to_string();
        diesel::sql_query("INSERT INTO written (told) VALUES (?)")
            .bind::<diesel::sql_types::Text, _>(told)
            .execute(&mut connection)
            .unwrap();
        written += 1;
    }
    written as f64 / begun.elapsed().as_secs_f64()
}

/// The Python of the peers' own environment, made at the first run.
fn peers_python() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (venv, list) = (root.join("target/bench-peers"), root.join("tests/bench/peers/requirements.txt"));
    let python = venv.join("bin/python");
    if !python.exists() {
        let made =
            Command::new("python3").args(["-m", "venv"]).arg(&venv).status().is_ok_and(|status| status.success());
        let install = ["-m", "pip", "install", "--quiet", "--requirement"];
        let installed = made && Command::new(&python).args(install).arg(&list).status().is_ok_and(|s| s.success());
        if !installed {
            std::fs::remove_dir_all(&venv).ok();
            return None;
        }
    }
    Some(python)
}

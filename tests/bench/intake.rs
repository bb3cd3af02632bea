//! How fast challenges come in: an import against the database's own client that inserts the same rows in one
//! transaction, and `check` against a handler that parses and answers the same body without the rules.
//!
//! ```sh
//! cargo bench --bench intake                        # 10,000 lines, 5 seconds of checks
//! ```
//!
//! It needs `sqlite3`; for PostgreSQL (`SKALA_BENCH_DATABASE_URL`, as for `calls`) `psql` and `pg_dump`. Client and service
//! share the machine, so the ratios say more than the rates.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "what goes wrong here ends the measurement, as it should"
)]

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use actix_web::{App, HttpResponse, HttpServer, web};
use serde_json::{Value, json};
use skala::challenge::Description;
use support::load::{self, Request};
use support::postgres::Postgres;
use support::server::{Server, free_port};
use support::skala::{run_with_password, sign_in};

const LINES: usize = 10_000;
const TIME: Duration = Duration::from_secs(5);

/// The tables that an imported challenge stands in, after those that they refer to.
const TABLES: [&str; 4] = ["organisation", "challenge", "challenge_cpv", "fact"];

fn main() {
    // The handler without rules is this very program, started anew.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [bare, port] = arguments.as_slice()
        && bare == "bare"
    {
        return serve_bare(port.parse().unwrap());
    }
    let folder = std::env::temp_dir().join(format!("skala-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let port = free_port();
    let bare = Server::start(Command::new(std::env::current_exe().unwrap()).args(["bare", &port.to_string()]), port);
    println!("| what | engine | Skala, a second | peer | peer, a second | ratio | MiB before, peak |");
    println!("|---|---|---:|---|---:|---:|---:|");
    let file = |name: &str| folder.join(name);
    let sqlite = |name: &str| format!("sqlite://{}", file(name).display());
    measure(&bare, "SQLite", &sqlite("ours.db"), &folder);
    by_sqlite3(&file("ours.db"), &sqlite("peer.db"), &folder);
    match (Postgres::create("ours"), Postgres::create("peer")) {
        (Some(ours), Some(peer)) => {
            measure(&bare, "PostgreSQL", &ours.url, &folder);
            by_psql(&ours.url, &peer.url, &folder);
        }
        _ => println!("\nno PostgreSQL answers: it is not measured"),
    }
    fs::remove_dir_all(&folder).unwrap();
}

fn skala(database: &str, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skala"));
    command.current_dir(folder).env("SKALA_DATABASE_URL", database).env("SKALA_LOG", "warn");
    command.env("SKALA_RATE_LIMIT", "off").env("SKALA_WORKER", "off");
    command
}

fn row(what: &str, engine: &str, ours: f64, peer: &str, theirs: f64, memory: &str) {
    println!("| {what} | {engine} | {ours:.0} | {peer} | {theirs:.0} | {:.2} | {memory} |", ours / theirs);
}

/// Measures the checks, then the import; its rate is kept for the peer's row.
fn measure(bare: &Server, engine: &str, database: &str, folder: &Path) {
    run_with_password(skala(database, folder).args([
        "user",
        "add",
        "--email",
        "karen@co-pi.example",
        "--role",
        "admin",
        "--password-stdin",
    ]));
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let server = Server::start(skala(database, folder).env("SKALA_LISTEN", listen).arg("serve"), port);
    let staff = sign_in(&server, "karen@co-pi.example");

    // Before the import: what is measured are the rules, not the search among ten thousand.
    let body = challenge(1).to_string();
    let check = |server: &Server, path: &str| {
        load::run(server.address, TIME, |_| Request::new("POST", path, &[], Some(&body))).per_second
    };
    check(&server, "/api/v1/challenges/check");
    let (ours, theirs) = (check(&server, "/api/v1/challenges/check"), check(bare, "/"));
    row("`check`", engine, ours, "a handler that parses and answers the same body", theirs, "");

    let added = json!({"name": "Odense Kommune", "kind": "municipality"}).to_string();
    let add = Request::new("POST", "/api/v1/organisations", &[("Authorization", &staff)], Some(&added));
    assert_eq!(load::once(server.address, &add).0, 201);
    let before = server.memory();
    let taken = import(&server, &staff);
    fs::write(folder.join("taken"), format!("{} {before:.0}, {:.0}", taken.as_secs_f64(), server.peak_memory()))
        .unwrap();
}

fn challenge(number: usize) -> Value {
    json!({
        "title": format!("Natlige tilsyn vækker beboerne på plejehjem {number}"),
        "problem": format!("Nattevagterne på plejehjem {number} går fire runder hver nat. Mange beboere vågner, og de \
                            fleste tilsyn viser, at alt er i orden."),
        "desired_effect": "Nattevagten går kun ind, når nogen har brug for det.",
        "affected_users": "beboere på plejehjem, nattevagter", "theme": "velfærdsteknologi",
        "cpv": ["33190000-8", "85311100-3"], "nuts": ["DK031"],
        "contacts": [{"name": "Mette Holm", "email": "mette@odense.example", "department": "innovation"}],
        "time_savings": {"minutes_per_occasion": 6.0, "occasions_per_week": 140.0, "staff_count": 30, "basis": "measured"},
        "scale": {"known_bodies": ["Vejle Kommune"], "volume": {"quantity": 1200.0, "unit": "plejeboliger"}},
        "anchoring": {"political": {"name": "Ib Lund", "title": "Rådmand", "date": "2026-10-01"},
                      "administrative": {"name": "Eva Skov", "title": "Direktør", "date": "2026-10-02"}}
    })
}

/// Sends all lines as one stream while the results come back; returns how long it took.
fn import(server: &Server, staff: &str) -> Duration {
    let line = |number| {
        let mut line = challenge(number);
        line["organisation"] = json!("Odense Kommune");
        format!("{line}\n")
    };
    let lines: String = (0..LINES).map(line).collect();
    let head = format!(
        "POST /api/v1/challenges/import HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {staff}\r\nConnection: close\r\n\
         Content-Type: application/x-ndjson\r\nContent-Length: {}\r\n\r\n",
        lines.len()
    );
    let begun = Instant::now();
    let mut stream = TcpStream::connect(server.address).unwrap();
    let mut writer = stream.try_clone().unwrap();
    let mut answer = String::new();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(lines.as_bytes())).unwrap()
        });
        stream.read_to_string(&mut answer).unwrap();
    });
    let taken = begun.elapsed();
    assert_eq!(answer.matches("\"status\":\"created\"").count(), LINES, "{}", &answer[..answer.len().min(500)]);
    taken
}

/// Writes the row of an import: how it went here, and how long the peer took.
fn import_row(engine: &str, peer: &str, theirs: Duration, folder: &Path) {
    let told = fs::read_to_string(folder.join("taken")).unwrap();
    let (taken, memory) = told.split_once(' ').unwrap();
    let rate = |seconds: f64| f64::from(u32::try_from(LINES).unwrap()) / seconds;
    row("import, lines", engine, rate(taken.parse().unwrap()), peer, rate(theirs.as_secs_f64()), memory);
}

/// The rows as `INSERT`s, read out by the client and put into a database with the same tables by it.
fn by_sqlite3(ours: &Path, peer: &str, folder: &Path) {
    let script: String = TABLES.iter().map(|table| format!(".mode insert {table}\nSELECT * FROM {table};\n")).collect();
    let reading = Command::new("sqlite3").arg(ours).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut reading = reading.unwrap();
    reading.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let rows = String::from_utf8(reading.wait_with_output().unwrap().stdout).unwrap();
    let file = folder.join("rows.sql");
    fs::write(&file, format!("PRAGMA synchronous = FULL;\nBEGIN;\n{rows}COMMIT;\n")).unwrap();
    run(skala(peer, folder).arg("migrate"));
    let begun = Instant::now();
    let target = peer.trim_start_matches("sqlite://");
    run(Command::new("sqlite3").args(["-bail", target]).stdin(fs::File::open(&file).unwrap()));
    import_row("SQLite", "`sqlite3`, the same rows in one transaction", begun.elapsed(), folder);
}

fn by_psql(ours: &str, peer: &str, folder: &Path) {
    let file: PathBuf = folder.join("rows.sql");
    let tables = TABLES.map(|table| format!("--table={table}"));
    fs::write(&file, run(Command::new("pg_dump").args(["--data-only", "--inserts"]).args(tables).arg(ours))).unwrap();
    run(skala(peer, folder).arg("migrate"));
    let begun = Instant::now();
    run(Command::new("psql").args(["-q", "-1", "-v", "ON_ERROR_STOP=1", "-f"]).arg(&file).arg(peer));
    import_row("PostgreSQL", "`psql`, the same rows in one transaction", begun.elapsed(), folder);
}

/// Runs a program to its end, and gives what it wrote.
fn run(command: &mut Command) -> Vec<u8> {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

/// A service that reads the same body into the same type and answers it.
fn serve_bare(port: u16) {
    let answer = async |body: web::Json<Description>| HttpResponse::Ok().json(body.into_inner());
    let server = HttpServer::new(move || App::new().route("/", web::post().to(answer)));
    actix_web::rt::System::new().block_on(server.bind(("127.0.0.1", port)).unwrap().run()).unwrap();
}

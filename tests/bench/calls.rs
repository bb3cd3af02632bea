//! The main calls, measured: against a bare handler that sends as many bytes (the limit), against the same calls by
//! FastAPI and by Django REST framework on the same PostgreSQL with the same rows (the peers), and at several sizes.
//!
//! ```sh
//! cargo bench --bench calls                           # at 1,000 challenges and subscriptions, 5 seconds a call
//! cargo bench --bench calls -- 1000 100000 1000000    # the same, and how it grows
//! cargo bench --bench calls -- 1000 --seconds 2
//! cargo bench --bench calls -- --only create          # the calls of this name alone
//! ```
//!
//! The first 1,000 challenges come through the import. A larger database is made from them in SQL: each is copied under new
//! ids with other words put in ([`fill`]), and subscriptions come as rows. The sizes after the first, and all of 100,000 or
//! more, are asked for 2 seconds a call, without the bare handler and the peers.
//!
//! A read is measured twice: asked again and again, as it is at hand until something is committed or the second is over; and
//! *anew*, with an `Accept-Language` that nobody sent before, so that each answer comes from the database. CPU time is that
//! of the service and, beside it, that of PostgreSQL for it.
//!
//! `SKALA_BENCH_DATABASE_URL` names a PostgreSQL on this machine that may create databases and whose user is superuser
//! (default `postgres://postgres@127.0.0.1:5432/postgres`); without one, SQLite alone is measured. The peers need `python3`
//! with `venv`; their libraries are installed into `target/bench-peers` at the first run.

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
use serde_json::{Value, json};
use support::database::Database;
use support::fill::{self, MARK};
use support::load::{self, Outcome, Request};
use support::postgres::Postgres;
use support::server::{Server, free_port};
use support::skala::{run_with_password, sign_in};

const PROCESSES: usize = 60;
/// How many challenges come through the API.
const IMPORTED: usize = 1_000;
/// From so many challenges on the peers and the bare handler are left out.
const LARGE: usize = 100_000;

fn main() {
    // Cargo appends `--bench`; the bare server is this very program, started anew.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [bare, port] = arguments.as_slice()
        && bare == "bare"
    {
        return serve_bare(port.parse().unwrap());
    }
    let (mut sizes, mut seconds, mut only) = (Vec::new(), 5, String::new());
    let mut given = arguments.iter();
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--seconds" => seconds = given.next().unwrap().parse().unwrap(),
            "--only" => only.clone_from(given.next().unwrap()),
            size => sizes.push(size.parse().unwrap()),
        }
    }
    if sizes.is_empty() {
        sizes.push(IMPORTED);
    }
    let time = Duration::from_secs(seconds);
    let folder = std::env::temp_dir().join(format!("skala-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let port = free_port();
    let bare = Server::start(Command::new(std::env::current_exe().unwrap()).args(["bare", &port.to_string()]), port);

    let small = sizes[0] < LARGE;
    if small {
        println!("{} challenges, {PROCESSES} processes, 16 connections, {seconds} s a call\n", sizes[0]);
        println!(
            "| call | by | requests/s | of the bare handler | p50 ms | p99 ms | CPU s per 1,000 | PostgreSQL's | MiB |"
        );
        println!("|---|---|---:|---:|---:|---:|---:|---:|---:|");
    }
    let sqlite = Database::new(format!("sqlite://{}", folder.join("skala.db").display()));
    let mut bench = Bench { bare, folder, time, only, grown: Vec::new(), starts: Vec::new() };
    let writes = bench.measure("SQLite", &sqlite, None, &sizes);
    let postgres = Postgres::create("calls");
    match &postgres {
        Some(postgres) => {
            drop(bench.measure("PostgreSQL", &Database::new(postgres.url.clone()), Some(postgres), &sizes))
        }
        None => println!("no PostgreSQL answers: neither it nor the peers are measured"),
    }
    println!("\n{writes}\n");
    bench.print(&sizes);
    std::fs::remove_dir_all(&bench.folder).unwrap();
}

/// What is measured, and what came of it.
struct Bench {
    bare: Server,
    folder: PathBuf,
    time: Duration,
    /// How the names of the calls begin that are measured.
    only: String,
    /// Engine, call, and what it took at each size.
    grown: Vec<(&'static str, String, Vec<Cost>)>,
    /// A line of the table of starts each.
    starts: Vec<String>,
}

struct Cost {
    p50_ms: f64,
    cpu: f64,
    /// PostgreSQL's.
    database: f64,
}

impl Bench {
    /// Skala, and the peers, on one engine at every size; returns what is to be said of writes.
    fn measure(
        &mut self,
        engine: &'static str,
        database: &Database,
        postgres: Option<&Postgres>,
        sizes: &[usize],
    ) -> String {
        let by = format!("Skala, {engine}");
        self.add_user(database, &["karen@co-pi.example", "--role", "facilitator"]);
        let (server, _) = self.start(engine, database, 0);
        let staff = sign_in(&server, "karen@co-pi.example");
        let process = seed(&server, &staff, IMPORTED.min(sizes[0]));
        self.add_user(database, &["mette@odense.example", "--role", "member", "--organisation", "Odense Kommune"]);
        drop(server);
        let mut writes = String::new();
        for (place, size) in sizes.iter().enumerate() {
            if *size > IMPORTED {
                let begun = Instant::now();
                fill::fill(database, *size);
                eprintln!("{engine}: filled to {size} in {:.0} s", begun.elapsed().as_secs_f64());
            }
            let (server, start) = self.start(engine, database, *size);
            let idle = server.memory();
            let member = sign_in(&server, "mette@odense.example");
            let ids = database.column(&fill::some_challenges(*size));
            // Until the index is there a node may say that it takes too long.
            let first = get(&format!("/api/v1/challenges/{}/matches", ids[0]), Some(&member), None);
            let (_, took) = timed(|| while load::once(server.address, &first).0 != 200 {});
            let index = server.memory() - idle;
            let matched = format!("{:.0} | {index:.0}", took.as_secs_f64() * 1000.0);
            let wanted = Wanted { base: "/api/v1", bearer: &member, process: &process, ids: &ids, only: &self.only };
            if place == 0 && *size < LARGE {
                for call in wanted.calls(true) {
                    self.one(&server, postgres, &by, &call);
                }
                if postgres.is_none() {
                    writes = self.writes(&server, &member);
                }
            }
            for call in wanted.calls(false) {
                let (_, cost) = self.load(&server, postgres, &call, self.time.min(Duration::from_secs(2)));
                match self.grown.iter_mut().find(|(of, name, _)| *of == engine && *name == call.name) {
                    Some((.., costs)) => costs.push(cost),
                    None => self.grown.push((engine, call.name, vec![cost])),
                }
            }
            let after = server.memory();
            self.starts.push(format!("{start} | {idle:.0} | {matched} | {after:.0} | {:.0} |", after - index));
            drop(server);
            if let Some(postgres) = postgres.filter(|_| place == 0 && *size < LARGE) {
                self.measure_peers(database, postgres, &process, &ids);
            }
        }
        writes
    }

    fn skala(&self, database: &Database) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skala"));
        command.current_dir(&self.folder).env("SKALA_DATABASE_URL", &database.url).env("SKALA_LOG", "warn");
        command.env("SKALA_RATE_LIMIT", "off").env("SKALA_TRUSTED_PROXIES", "127.0.0.1").env("SKALA_WORKER", "off");
        command
    }

    fn add_user(&self, database: &Database, who: &[&str]) {
        let mut command = self.skala(database);
        run_with_password(command.args(["user", "add", "--password-stdin", "--email"]).args(who));
    }

    /// A service that says it is ready, and the beginning of its line in the table of starts.
    fn start(&self, engine: &str, database: &Database, size: usize) -> (Server, String) {
        let port = free_port();
        let begun = Instant::now();
        let mut command = self.skala(database);
        let server = Server::start(command.env("SKALA_LISTEN", format!("127.0.0.1:{port}")).arg("serve"), port);
        while load::once(server.address, &Request::new("GET", "/readyz", &[], None)).0 != 200 {}
        let ready = begun.elapsed().as_millis();
        (server, format!("| {engine} | {size} | {ready}"))
    }

    /// Loads a service with a call.
    fn load(&self, server: &Server, postgres: Option<&Postgres>, call: &Call<'_>, time: Duration) -> (Outcome, Cost) {
        let spent = || (server.cpu_seconds(), postgres.map_or(0.0, Postgres::cpu_seconds));
        let before = spent();
        let outcome = load::run(server.address, time, &call.request);
        let after = spent();
        let per = |after: f64, before: f64| (after - before) / outcome.answered as f64 * 1000.0;
        let cost = Cost {
            p50_ms: outcome.p50.as_secs_f64() * 1000.0,
            cpu: per(after.0, before.0),
            database: per(after.1, before.1),
        };
        (outcome, cost)
    }

    /// Measures one call, and the bare handler with as many bytes right after it.
    fn one(&self, server: &Server, postgres: Option<&Postgres>, by: &str, call: &Call<'_>) {
        let (_, answer) = load::once(server.address, &(call.request)(usize::MAX / 2));
        let (outcome, cost) = self.load(server, postgres, call, self.time);
        let path = format!("/{}", answer.len());
        let limit = self.time.min(Duration::from_secs(2));
        let limit = load::run(self.bare.address, limit, |_| Request::new("GET", &path, &[], None));
        let database = postgres.map_or_else(|| "–".to_owned(), |_| format!("{:.3}", cost.database));
        println!(
            "| {} ({} bytes) | {by} | {:.0} | {:.2} | {:.2} | {:.2} | {:.3} | {database} | {:.0} |",
            call.name,
            answer.len(),
            outcome.per_second,
            outcome.per_second / limit.per_second,
            cost.p50_ms,
            outcome.p99.as_secs_f64() * 1000.0,
            cost.cpu,
            server.memory(),
        );
    }

    /// The same deed by many at once, who share commits, and by one after another, a commit each.
    fn writes(&self, server: &Server, member: &str) -> String {
        let create = Wanted { base: "/api/v1", bearer: member, process: "", ids: &[], only: "" }.create();
        let shared = load::run(server.address, self.time, &create.request).per_second;
        // Other bodies, so that none is a repetition.
        let alone = load::run_by(1, server.address, self.time, |n| (create.request)(n + 50_000_000)).per_second;
        let flush = flush(&self.folder.join("flushed"));
        format!(
            "SQLite, synchronous=FULL: {shared:.0}/s created by 16 clients, who share commits; {alone:.0}/s by one client after \
             another, a commit each: {:.1} times. A commit alone takes {:.2} ms here, of which a flush to this disk {:.2} ms: what \
             is shared is worth as much as a flush costs.",
            shared / alone,
            1000.0 / alone,
            flush.as_secs_f64() * 1000.0,
        )
    }

    fn measure_peers(&self, database: &Database, postgres: &Postgres, process: &str, ids: &[String]) {
        let Some(python) = peers_python() else {
            return println!("no python3 with venv: the peers are not measured");
        };
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/peers");
        database.execute(PEERS_TABLES);
        let uvicorn = vec!["with_fastapi:app", "--workers", "2", "--log-level", "warning", "--port"];
        let gunicorn =
            "with_django:app --workers 2 --threads 8 --keep-alive 75 --log-level warning --bind".split(' ').collect();
        for (by, program, arguments) in [("FastAPI", "uvicorn", uvicorn), ("Django", "gunicorn", gunicorn)] {
            let port = free_port();
            let mut command = Command::new(python.parent().unwrap().join(program));
            command.current_dir(&here).env("DATABASE_URL", &database.url).env("PYTHONDONTWRITEBYTECODE", "1");
            let place = if by == "Django" { format!("127.0.0.1:{port}") } else { port.to_string() };
            let server = Server::start(command.args(arguments).arg(place), port);
            let (_, body) = load::once(server.address, &Request::new("GET", "/token", &[], None));
            let token = serde_json::from_slice::<Value>(&body).unwrap()["access_token"].as_str().unwrap().to_owned();
            let bearer = format!("Bearer {token}");
            let wanted = Wanted { base: "", bearer: &bearer, process, ids, only: &self.only };
            // They keep nothing at hand: once is enough.
            for call in wanted.calls(false) {
                self.one(&server, Some(postgres), by, &call);
            }
        }
        database.execute("DROP TABLE bench_challenge, bench_cpv, bench_fact, bench_subscription, bench_letter; DROP INDEX bench_words");
    }

    fn print(&self, sizes: &[usize]) {
        println!(
            "| engine | challenges | ready after, ms | MiB then | the first matches after, ms | MiB of the matching index | MiB after all calls | of these without the index |"
        );
        println!("|---|---:|---:|---:|---:|---:|---:|---:|");
        self.starts.iter().for_each(|line| println!("{line}"));
        if sizes.len() < 2 {
            return;
        }
        let columns = |of: &str| sizes.iter().map(|size| format!(" {of} at {size} |")).collect::<String>();
        println!("\n| call, from the database | engine |{}{}", columns("p50 ms"), columns("CPU s per 1,000"));
        println!("|---|---|{}", "---:|".repeat(sizes.len() * 2));
        for (engine, call, costs) in &self.grown {
            let p50: String = costs.iter().map(|cost| format!(" {:.2} |", cost.p50_ms)).collect();
            let cpu: String = costs.iter().map(|cost| format!(" {:.3} |", cost.cpu + cost.database)).collect();
            println!("| {call} | {engine} |{p50}{cpu}");
        }
    }
}

/// The tables that the peers write to, and the index that their full-text search uses.
const PEERS_TABLES: &str =
    "CREATE TABLE bench_challenge (id text primary key, organisation_id text references organisation, theme text, \
    description text, words text, status text, assessment text, created_at timestamp, updated_at timestamp);
    CREATE INDEX ON bench_challenge USING gin (to_tsvector('danish', words));
    CREATE TABLE bench_cpv (challenge_id text references bench_challenge, code text, primary key (challenge_id, code));
    CREATE TABLE bench_fact (id text primary key, subject_id text, deed text, at timestamp);
    CREATE TABLE bench_subscription (id text primary key, email text, wish text, status text, created_at timestamp);
    CREATE TABLE bench_letter (id text primary key, email text, letter text, created_at timestamp);
    CREATE INDEX ON bench_letter (email, created_at);
    CREATE INDEX bench_words ON challenge USING gin (to_tsvector('danish', words)); ANALYZE";

/// One measured call: its name, and how its n-th request is made.
struct Call<'a> {
    name: String,
    request: Box<dyn Fn(usize) -> Request + Sync + 'a>,
}

/// What the calls ask for, of a service whose paths begin with `base`.
struct Wanted<'a> {
    base: &'a str,
    bearer: &'a str,
    process: &'a str,
    ids: &'a [String],
    only: &'a str,
}

impl<'a> Wanted<'a> {
    /// The main calls; `at_hand` with every read once more, asked again and again.
    fn calls(&self, at_hand: bool) -> Vec<Call<'a>> {
        let Self { base, process, ids, bearer, only } = *self;
        let fixed = |path: &str| {
            let path = format!("{base}{path}");
            move |_: usize| path.clone()
        };
        let challenge = move |n: usize| format!("{base}/challenges/{}", ids[n % ids.len()]);
        let mut calls = Vec::new();
        calls.extend(read(at_hand, "list of processes", None, fixed("/processes")));
        calls.extend(read(at_hand, "one process", None, fixed(&format!("/processes/{process}"))));
        calls.extend(read(at_hand, "list of challenges, signed in", Some(bearer), fixed("/challenges")));
        calls.extend(read(at_hand, "one challenge, signed in", Some(bearer), challenge));
        let matches = move |n| format!("{}/matches", challenge(n));
        calls.extend(read(at_hand, "matches, signed in", Some(bearer), matches));
        calls.extend(read(at_hand, "changes, signed in", Some(bearer), fixed("/changes")));
        let check = format!("{base}/challenges/check");
        calls.push(post("check", check.clone(), None, challenge_body));
        calls.push(post("check with like challenges, signed in", check, Some(bearer), challenge_body));
        calls.push(self.create());
        calls.push(post("subscribe", format!("{base}/subscriptions"), None, wish));
        calls.retain(|call| call.name.starts_with(only));
        calls
    }

    fn create(&self) -> Call<'a> {
        post("create, signed in", format!("{}/challenges", self.base), Some(self.bearer), challenge_body)
    }
}

/// A read from the database, and before it the same from what is at hand.
fn read<'a>(
    at_hand: bool,
    name: &str,
    bearer: Option<&'a str>,
    path: impl Fn(usize) -> String + Clone + Sync + 'a,
) -> impl Iterator<Item = Call<'a>> {
    let again = at_hand.then(|| {
        let path = path.clone();
        Call { name: format!("{name}, at hand"), request: Box::new(move |_| get(&path(0), bearer, None)) }
    });
    let anew = Call { name: name.to_owned(), request: Box::new(move |n| get(&path(n), bearer, Some(n))) };
    again.into_iter().chain([anew])
}

fn get(path: &str, bearer: Option<&str>, anew: Option<usize>) -> Request {
    let language = anew.map(|n| format!("da, x-{n}"));
    let headers = [("Authorization", bearer), ("Accept-Language", language.as_deref())];
    let headers: Vec<_> = headers.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    Request::new("GET", path, &headers, None)
}

fn post<'a>(name: &str, path: String, bearer: Option<&'a str>, body: fn(usize) -> Value) -> Call<'a> {
    let request = move |number| {
        // Each wish comes from a network of its own: what guards an address against floods is not what is measured.
        let from = format!("10.{}.{}.1", number / 250 % 250, number % 250);
        let headers: Vec<_> = bearer
            .map(|bearer| ("Authorization", bearer))
            .into_iter()
            .chain([("X-Forwarded-For", from.as_str())])
            .collect();
        Request::new("POST", &path, &headers, Some(&body(number).to_string()))
    };
    Call { name: name.to_owned(), request: Box::new(request) }
}

fn timed<T>(deed: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    (deed(), begun.elapsed())
}

/// How long one flush of a few pages takes: the median of 200.
fn flush(file: &Path) -> Duration {
    let mut file = std::fs::File::create(file).unwrap();
    let mut times: Vec<_> = (0..200)
        .map(|_| {
            file.write_all(&[7; 16 * 1024]).unwrap();
            timed(|| file.sync_data().unwrap()).1
        })
        .collect();
    times.sort_unstable();
    times[100]
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
        "problem": format!("Hver dag {trouble} på {place}, {cause}. Det handler om {MARK} og sker {} gange om ugen for {} borgere.", number % 40, number % 900),
        "desired_effect": "Tiden bruges på borgerne i stedet.", "affected_users": format!("medarbejdere på {place}"),
        "theme": "velfærdsteknologi", "cpv": ["33190000-8"], "nuts": ["DK031"],
        "time_savings": {"minutes_per_occasion": 15.0, "occasions_per_week": 20.0, "staff_count": 40, "basis": "measured"}
    })
}

fn wish(number: usize) -> Value {
    json!({"email": format!("salg{number}@firma{}.example", number % 977), "language": "da", "frequency": "daily",
        "filter": {"cpv": ["33000000"], "nuts": ["DK"]}})
}

/// Fills the service through its API; returns a process to ask for.
fn seed(server: &Server, staff: &str, challenges: usize) -> String {
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
    process
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

/// A handler that does nothing but send the bytes that the path names.
fn serve_bare(port: u16) {
    let answer = |length: web::Path<usize>| async move {
        HttpResponse::Ok().content_type("application/json").body("x".repeat(length.into_inner()))
    };
    let server = HttpServer::new(move || App::new().route("/{length}", web::get().to(answer)));
    actix_web::rt::System::new().block_on(server.bind(("127.0.0.1", port)).unwrap().run()).unwrap();
}

/// The Python of the peers' own environment, made at the first run; none when that cannot be.
fn peers_python() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (venv, list) = (root.join("target/bench-peers"), root.join("tests/bench/peers/requirements.txt"));
    let python = venv.join("bin/python");
    let succeeds = |command: &mut Command| command.status().is_ok_and(|status| status.success());
    if !python.exists() && !succeeds(Command::new("python3").args(["-m", "venv"]).arg(&venv)) {
        return None;
    }
    // What is installed already is left as it is.
    let install = ["-m", "pip", "install", "--quiet", "--requirement"];
    succeeds(Command::new(&python).args(install).arg(&list)).then_some(python)
}

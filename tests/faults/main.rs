//! Faults, on purpose: what becomes of the service when a machine, a disk, a network or a mail server fails.
//!
//! `cargo test --release --test faults` starts a PostgreSQL, a mail server and nodes of its own, breaks them one way
//! after another, and says of each what must hold and what was seen. Words after `--` choose scenarios by name;
//! `--pause 60` is how many seconds something stands still. It needs PostgreSQL's server programs, and for clocks Debian's `faketime`; it
//! touches nothing but 127.0.0.1 and a folder for temporary files.
//!
//! Of every write that a client sent in the meantime: what was acknowledged is there, what was refused with the words
//! that nothing was stored is not, and nothing was answered later than 35 seconds or otherwise than by success or 503.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a suite that meets the unexpected stops the scenario on the spot"
)]

mod clock;
mod cluster;
mod proxy;
mod replica;
mod sink;
mod world;

use std::io::Write;
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::time::{Duration, Instant};

use diesel::Connection;
use diesel::connection::SimpleConnection;

use cluster::{Cluster, Folder, family, signal};
use proxy::{Manner, Proxy};
use sink::Mood;
use world::{AUDIENCE, World};

/// An answer within this time, come what may: the 30 seconds that a node waits for its database, and some.
const LIMIT: Duration = Duration::from_secs(35);

type Seen = Result<String, String>;

/// A fault, what must hold, and how it is tried.
struct Scenario {
    name: &'static str,
    holds: &'static str,
    run: fn(&Suite) -> Seen,
}

struct Suite {
    cluster: Cluster,
    pause: Duration,
}

const SCENARIOS: [Scenario; 17] = [
    Scenario {
        name: "node-killed",
        holds: "kill -9 of a serving node, three times: nothing acknowledged is lost",
        run: node_killed,
    },
    Scenario {
        name: "worker-killed",
        holds: "kill -9 of a worker, three times: all are told, at most 32 letters a kill go twice",
        run: worker_killed,
    },
    Scenario { name: "node-stopped", holds: "SIGSTOP of one node: the other goes on within 10 s", run: node_stopped },
    Scenario {
        name: "database-stopped",
        holds: "SIGSTOP of the database: 503 within the limit, and back within 10 s",
        run: database_stopped,
    },
    Scenario {
        name: "database-away",
        holds: "the database is shut down and started: 503, and back within 10 s",
        run: database_away,
    },
    Scenario { name: "database-slow", holds: "20 ms on each way: slower, and no refusal", run: database_slow },
    Scenario { name: "database-full", holds: "the disk is full: 503, and back when there is room", run: database_full },
    Scenario {
        name: "sqlite-full",
        holds: "the disk of a SQLite database is full: 503 for writes, reads go on, and back when there is room",
        run: sqlite_full,
    },
    Scenario {
        name: "no-connections",
        holds: "no connection is to be had: 503, and back when there is",
        run: no_connections,
    },
    Scenario { name: "read-only", holds: "the database takes no writes: 503 for those, reads go on", run: read_only },
    Scenario {
        name: "network-silent",
        holds: "nothing passes between node and database: 503 within the limit",
        run: network_silent,
    },
    Scenario {
        name: "network-cut",
        holds: "connections are cut 40 times in full load: every answer is true",
        run: network_cut,
    },
    Scenario {
        name: "mail-later",
        holds: "the mail server hangs up, is slow, says later: all are told, nobody twice",
        run: mail_later,
    },
    Scenario {
        name: "slow-loris",
        holds: "10,000 connections that dawdle: others are answered within 5 s",
        run: slow_loris,
    },
    Scenario {
        name: "failover",
        holds: "kill -9 of the primary in full load, promotion: nothing acknowledged is lost, all are told",
        run: failover,
    },
    Scenario {
        name: "replica-lags",
        holds: "a standby for reads stands still or dies: nobody reads what is older than what was written",
        run: replica::replica_lags,
    },
    Scenario {
        name: "clock-jump",
        holds: "clocks jump by an hour and back: nothing acknowledged is lost, all are told, at most 32 letters go twice",
        run: clock::clock_jump,
    },
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let pause = arguments.iter().position(|word| word == "--pause").and_then(|at| arguments.get(at + 1)?.parse().ok());
    let wanted: Vec<&String> =
        arguments.iter().filter(|word| word.contains(|c: char| c.is_alphabetic()) && !word.starts_with("--")).collect();
    let suite = Suite { cluster: Cluster::start("main", ""), pause: Duration::from_secs(pause.unwrap_or(60)) };
    println!("| fault | what must hold | what was seen |\n|---|---|---|");
    let mut failed = 0;
    for Scenario { name, holds, run } in SCENARIOS {
        if !wanted.is_empty() && !wanted.iter().any(|word| name.contains(word.as_str())) {
            continue;
        }
        let begun = Instant::now();
        let seen = catch_unwind(AssertUnwindSafe(|| run(&suite))).unwrap_or_else(|_| Err("it broke off".to_owned()));
        let (word, seen) = match seen {
            Ok(seen) => ("holds", seen),
            Err(seen) => {
                failed += 1;
                ("**FAILS**", seen)
            }
        };
        println!("| {name} | {holds} | {word}: {seen} ({:.0?}) |", begun.elapsed());
        std::io::stdout().flush().unwrap();
    }
    // An exit would leave the database running.
    drop(suite);
    if failed > 0 {
        eprintln!("{failed} scenarios failed");
        std::process::exit(1);
    }
}

fn sleep(seconds: f32) {
    std::thread::sleep(Duration::from_secs_f32(seconds));
}

/// A moment that differs from run to run.
fn moment() -> f32 {
    let noise = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos();
    0.3 + (noise % 1000) as f32 / 1000.0
}

impl Suite {
    /// Two nodes on a database of this name, which they reach directly.
    fn world(&self, name: &str, workers: usize) -> (World, String) {
        let database = name.replace('-', "_");
        self.cluster.create(&database);
        let url = self.cluster.url(&database);
        (World::new(name, &[url.clone(), url.clone()], workers), url)
    }

    /// Two nodes that reach the database through a network of the suite's own.
    fn through_proxy(&self, name: &str) -> (World, Proxy) {
        let database = name.replace('-', "_");
        self.cluster.create(&database);
        let proxy = Proxy::to(self.cluster.port);
        let url = format!("postgres://postgres@127.0.0.1:{}/{database}", proxy.port);
        (World::new(name, &[url.clone(), url], 0), proxy)
    }
}

fn back_within(limit: u64, took: Duration) -> Seen {
    if took <= Duration::from_secs(limit) {
        Ok(format!("ready again after {took:.1?}"))
    } else {
        Err(format!("ready only after {took:.1?}"))
    }
}

fn node_killed(suite: &Suite) -> Seen {
    let (world, _) = suite.world("node-killed", 0);
    let mut seen = Vec::new();
    for round in 0..3 {
        let told = world.under_load(4, |world| {
            sleep(moment());
            world.serving[round % 2].kill_and_start();
        });
        seen.push(told.verdict(LIMIT)?);
    }
    Ok(seen.join("; "))
}

fn worker_killed(suite: &Suite) -> Seen {
    let (world, url) = suite.world("worker-killed", 2);
    world.sink.set(Mood::Slow(Duration::from_millis(50)));
    world.publish(&url);
    for round in 0..3 {
        sleep(moment());
        world.working[round % 2].kill_and_start();
    }
    let (told, twice) = world.wait_until_told(Duration::from_secs(120));
    let whole = world.ledger_is_whole(&url);
    let seen = format!("{told} of {AUDIENCE} told, {twice} letters twice, ledger whole: {whole}");
    if told == AUDIENCE && twice <= 3 * 32 && whole { Ok(seen) } else { Err(seen) }
}

fn node_stopped(suite: &Suite) -> Seen {
    let (world, _) = suite.world("node-stopped", 0);
    let stopped = world.serving[1].pid();
    let mut slowest = Duration::ZERO;
    let told = world.under_load(4, |world| {
        signal("STOP", &[stopped]);
        let begun = Instant::now();
        while begun.elapsed() < suite.pause {
            let asked = Instant::now();
            world.try_both();
            slowest = slowest.max(asked.elapsed());
            sleep(0.1);
        }
        signal("CONT", &[stopped]);
    });
    let seen = told.verdict(Duration::from_secs(60))?;
    let seen = format!("the other node's slowest answer {slowest:.1?}; {seen}");
    if slowest < Duration::from_secs(10) { Ok(seen) } else { Err(seen) }
}

fn database_stopped(suite: &Suite) -> Seen {
    let (world, _) = suite.world("database-stopped", 0);
    let mut took = Duration::ZERO;
    let told = world.under_load(4, |world| {
        let family = family(suite.cluster.pid());
        signal("STOP", &family);
        sleep(suite.pause.as_secs_f32());
        signal("CONT", &family);
        took = world.wait_until_ready(Duration::from_secs(60));
    });
    Ok(format!("{}; {}", back_within(10, took)?, told.verdict(Duration::from_secs(41))?))
}

fn database_away(_: &Suite) -> Seen {
    let mut cluster = Cluster::start("away", "");
    cluster.create("away");
    let url = cluster.url("away");
    let world = World::new("away", &[url.clone(), url], 0);
    let mut took = Duration::ZERO;
    let told = world.under_load(4, |world| {
        cluster.kill();
        sleep(5.0);
        cluster.run();
        took = world.wait_until_ready(Duration::from_secs(60));
    });
    Ok(format!("{}; {}", back_within(10, took)?, told.verdict(LIMIT)?))
}

fn database_slow(suite: &Suite) -> Seen {
    let (world, proxy) = suite.through_proxy("database-slow");
    let told = world.under_load(4, |_| {
        proxy.set(Manner::Dawdles(Duration::from_millis(20)));
        sleep(8.0);
        proxy.set(Manner::Passes);
    });
    let seen = told.verdict(Duration::from_secs(10))?;
    if seen.contains("; 0 refused") { Ok(seen) } else { Err(seen) }
}

fn database_full(_: &Suite) -> Seen {
    let folder = Folder::new("full");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=120m", "tmpfs"]).arg(&folder.0).status();
    if !mounted.is_ok_and(|status| status.success()) {
        return Ok("NOT TRIED: a small disk can be mounted by root only".to_owned());
    }
    let seen = catch_unwind(|| {
        let mut cluster = Cluster::start_in(folder.0.clone(), None, "max_wal_size = 20MB\nmin_wal_size = 2MB");
        cluster.create("full_disk");
        let url = cluster.url("full_disk");
        let world = World::new("full-disk", &[url.clone(), url], 0);
        let ballast = folder.0.join("ballast");
        let told = world.under_load(4, |_| {
            let mut file = std::fs::File::create(&ballast).unwrap();
            while file.write_all(&[0; 64 * 1024]).is_ok() {}
            sleep(8.0);
            std::fs::remove_file(&ballast).unwrap();
            sleep(2.0);
            // Without room for its log PostgreSQL stops; whoever looks after it starts it again.
            if diesel::PgConnection::establish(&cluster.url("postgres")).is_err() {
                cluster.kill();
                cluster.run();
            }
        });
        told.verdict(LIMIT)
    });
    Command::new("umount").arg("-l").arg(&folder.0).status().ok();
    seen.unwrap_or_else(|_| Err("it broke off".to_owned()))
}

fn sqlite_full(_: &Suite) -> Seen {
    let folder = Folder::new("sqlite-full");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(&folder.0).status();
    if !mounted.is_ok_and(|status| status.success()) {
        return Ok("NOT TRIED: a small disk can be mounted by root only".to_owned());
    }
    let seen = catch_unwind(|| {
        let world = World::new("sqlite-full", &[format!("sqlite://{}/skala.db", folder.0.display())], 0);
        let ballast = folder.0.join("ballast");
        let mut meanwhile = (0, 0);
        let told = world.under_load(4, |world| {
            let mut file = std::fs::File::create(&ballast).unwrap();
            while file.write_all(&[0; 4096]).is_ok() {}
            sleep(5.0);
            meanwhile = world.try_both();
            std::fs::remove_file(&ballast).unwrap();
        });
        let seen = format!("meanwhile a read {} and a write {}; {}", meanwhile.0, meanwhile.1, told.verdict(LIMIT)?);
        if meanwhile == (200, 503) { Ok(seen) } else { Err(seen) }
    });
    Command::new("umount").arg("-l").arg(&folder.0).status().ok();
    seen.unwrap_or_else(|_| Err("it broke off".to_owned()))
}

fn no_connections(_: &Suite) -> Seen {
    let cluster = Cluster::start("connections", "max_connections = 24\nsuperuser_reserved_connections = 0");
    cluster.create("connections");
    let url = cluster.url("connections");
    let world = World::new("connections", &[url.clone(), url.clone()], 0);
    let told = world.under_load(4, |_| {
        let mut taken = vec![cluster.connect("postgres")];
        let mut drop_all = cluster.connect("postgres");
        drop_all
            .batch_execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'connections'")
            .unwrap();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(6) {
            match diesel::PgConnection::establish(&url) {
                Ok(connection) => taken.push(connection),
                Err(_) => {
                    drop_all
                        .batch_execute(
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'skala'",
                        )
                        .unwrap();
                    sleep(0.05);
                }
            }
        }
    });
    told.verdict(LIMIT)
}

fn read_only(suite: &Suite) -> Seen {
    let (world, _) = suite.world("read-only", 0);
    let mut meanwhile = (0, 0);
    let set = |value: &str| {
        let mut admin = suite.cluster.connect("postgres");
        admin.batch_execute(&format!("ALTER DATABASE read_only SET default_transaction_read_only = {value}")).unwrap();
        admin
            .batch_execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'read_only'")
            .unwrap();
    };
    let told = world.under_load(4, |world| {
        set("on");
        sleep(3.0);
        for _ in 0..20 {
            meanwhile = world.try_both();
            if meanwhile.0 == 200 {
                break;
            }
        }
        set("off");
    });
    let seen = format!("meanwhile a read {} and a write {}; {}", meanwhile.0, meanwhile.1, told.verdict(LIMIT)?);
    if meanwhile == (200, 503) { Ok(seen) } else { Err(seen) }
}

fn network_silent(suite: &Suite) -> Seen {
    let (world, proxy) = suite.through_proxy("network-silent");
    let mut took = Duration::ZERO;
    let told = world.under_load(4, |world| {
        proxy.set(Manner::Silent);
        sleep(15.0);
        proxy.drop_all();
        proxy.set(Manner::Passes);
        took = world.wait_until_ready(Duration::from_secs(60));
    });
    Ok(format!("{}; {}", back_within(10, took)?, told.verdict(LIMIT)?))
}

fn network_cut(suite: &Suite) -> Seen {
    let (world, proxy) = suite.through_proxy("network-cut");
    let told = world.under_load(6, |_| {
        for _ in 0..40 {
            sleep(moment() / 4.0);
            proxy.drop_all();
        }
        proxy.set(Manner::Cut);
        sleep(2.0);
        proxy.set(Manner::Passes);
    });
    told.verdict(LIMIT)
}

fn mail_later(suite: &Suite) -> Seen {
    let (world, url) = suite.world("mail-later", 2);
    world.sink.set(Mood::HangsUp);
    world.publish(&url);
    for mood in [Mood::Later, Mood::Slow(Duration::from_millis(100)), Mood::HangsUp] {
        sleep(2.0);
        world.sink.set(mood);
    }
    sleep(2.0);
    world.sink.set(Mood::Takes);
    let begun = Instant::now();
    let (told, twice) = world.wait_until_told(Duration::from_secs(300));
    let whole = world.ledger_is_whole(&url);
    let seen = format!(
        "{told} of {AUDIENCE} told {:.0?} after the server was well, {twice} letters twice, ledger whole: {whole}",
        begun.elapsed()
    );
    if told == AUDIENCE && twice == 0 && whole { Ok(seen) } else { Err(seen) }
}

fn slow_loris(suite: &Suite) -> Seen {
    let (world, _) = suite.world("slow-loris", 0);
    let address = world.serving[0].address.clone();
    let mut open = Vec::new();
    for _ in 0..10_000 {
        let Ok(mut stream) = TcpStream::connect(&address) else { break };
        stream.write_all(b"GET /api/v1/organisations HTTP/1.1\r\nHost: x\r\nX-Slow: ").ok();
        open.push(stream);
    }
    let count = open.len();
    let told = world.under_load(4, |_| {
        for _ in 0..15 {
            for stream in &mut open {
                stream.write_all(b"a").ok();
            }
            sleep(1.0);
        }
    });
    let gone = |mut stream: &TcpStream| stream.write_all(b"a").and_then(|()| stream.write_all(b"a")).is_err();
    let dropped = open.iter().filter(|stream| gone(stream)).count();
    let seen =
        format!("{count} connections, {dropped} of them closed by the node; {}", told.verdict(Duration::from_secs(5))?);
    if count >= 5_000 { Ok(seen) } else { Err(format!("only {count} connections could be opened (ulimit -n); {seen}")) }
}

fn failover(_: &Suite) -> Seen {
    let mut primary = Cluster::start("one", "wal_level = replica\nmax_wal_senders = 4\nsynchronous_commit = on");
    let standby = primary.standby("two");
    primary.connect("postgres").batch_execute("ALTER SYSTEM SET synchronous_standby_names = 'two'").unwrap();
    primary.connect("postgres").batch_execute("SELECT pg_reload_conf()").unwrap();
    sleep(1.0);
    primary.create("failover");
    let url = format!("postgres://postgres@127.0.0.1:{},127.0.0.1:{}/failover", primary.port, standby.port);
    let world = World::new("failover", &[url.clone(), url.clone()], 2);
    world.sink.set(Mood::Slow(Duration::from_millis(50)));
    world.publish(&url);
    let told = world.under_load(8, |_| {
        sleep(moment());
        primary.kill();
        sleep(1.0);
        standby.promote();
        sleep(6.0);
    });
    let writes = told.verdict(LIMIT)?;
    let (reached, twice) = world.wait_until_told(Duration::from_secs(120));
    let whole = world.ledger_is_whole(&url);
    let seen = format!(
        "{writes} (promoted 1 s after the kill); {reached} of {AUDIENCE} told, {twice} letters twice, ledger whole: {whole}"
    );
    if reached == AUDIENCE && twice <= 64 && whole { Ok(seen) } else { Err(seen) }
}

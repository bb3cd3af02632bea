//! A standby that nodes read from and that lags as much as it likes: nobody reads what is older than what was written.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{PgConnection, RunQueryDsl};
use serde_json::json;

use crate::cluster::Cluster;
use crate::world::World;
use crate::{LIMIT, Seen, Suite, sleep};

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many transactions the standby has had in this database: reads that went there are among them.
fn looks(standby: &mut PgConnection) -> i64 {
    // The server writes its count down a second late at most; asking for it is a transaction too.
    sleep(1.2);
    let count = "SELECT xact_commit AS count FROM pg_stat_database WHERE datname = 'replica'";
    diesel::sql_query(count).get_result::<Count>(standby).unwrap().count
}

/// Writes and reads at once what was written, at both nodes, until this is over; returns how often, and what was older.
fn read_your_writes(world: &World, lasting: Duration) -> (usize, Vec<String>) {
    let (begun, mut tried, mut older) = (Instant::now(), 0, Vec::new());
    while begun.elapsed() < lasting {
        let name = format!("Replika {:?}", Instant::now());
        let (status, body) = world.post(tried % 2, "/organisations", &json!({"name": name, "kind": "municipality"}));
        assert_eq!(status, 201, "{body}");
        let path = format!("/api/v1/organisations/{}", body["id"].as_str().unwrap());
        for node in 0..2 {
            match world.ask(node, &path) {
                Some((200, found)) if found["name"] == name.as_str() => {}
                other => older.push(format!("node {node} says {other:?} of {name}")),
            }
        }
        tried += 1;
    }
    (tried, older)
}

pub fn replica_lags(_: &Suite) -> Seen {
    let primary = Cluster::start("primary", "wal_level = replica\nmax_wal_senders = 4");
    primary.create("replica");
    let mut standby = primary.standby("behind");
    let (url, read) = (primary.url("replica"), standby.url("replica"));
    let more = [("SKALA_DATABASE_READ_URL", read)];
    let world = World::with("replica", &[url.clone(), url], 0, &more, None);
    let mut inside = standby.connect("replica");
    let phase = |word: &str, inside: &mut PgConnection| {
        let before = looks(inside);
        let (tried, older) = read_your_writes(&world, Duration::from_secs(3));
        let there = looks(inside) - before;
        if older.is_empty() {
            Ok((tried, there))
        } else {
            Err(format!("{word}: {} older reads: {older:?}", older.len()))
        }
    };
    let (abreast, there) = phase("abreast", &mut inside)?;
    let mut toggled = 0;
    let told = world.under_load(4, |_| {
        for _ in 0..10 {
            inside.batch_execute("SELECT pg_wal_replay_pause()").unwrap();
            sleep(0.4);
            inside.batch_execute("SELECT pg_wal_replay_resume()").unwrap();
            sleep(0.2);
            toggled += 1;
        }
    });
    let writes = told.verdict(LIMIT)?;
    inside.batch_execute("SELECT pg_wal_replay_pause()").unwrap();
    let (behind, _) = phase("behind", &mut inside)?;
    drop(inside);
    standby.kill();
    let (tried, older) = read_your_writes(&world, Duration::from_secs(3));
    if !older.is_empty() {
        return Err(format!("without the standby: {older:?}"));
    }
    let seen = format!(
        "read back at once at both nodes: {abreast} writes while it is abreast ({there} looks at the standby), {behind} \
         while its replay is paused, {tried} after it was killed, none older; {writes} (paused and resumed {toggled} times)"
    );
    // Were nothing read there, nothing would have been tried.
    if there > i64::try_from(abreast).unwrap() { Ok(seen) } else { Err(seen) }
}

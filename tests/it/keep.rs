//! Keeping what there is: backups while it serves, and the move from SQLite to PostgreSQL.

use std::fs;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection};
use serde_json::json;
use skala::db::Engine;

use crate::program::{Service, add_admin, run, skala};
use crate::support::TestDatabase;

#[test]
fn a_backup_while_it_serves_is_whole_and_replaces_nothing() {
    let database = TestDatabase::empty_sqlite();
    add_admin(&database);
    let service = Service::start(&database);
    let token = service.sign_in("admin@co-pi.example");
    let write = |name: &str| {
        let body = json!({"name": name, "kind": "municipality"});
        assert_eq!(service.post("/organisations", Some(&token), &body).unwrap().0, 201);
    };
    write("Odense Kommune");
    let (copied, enough) = (database.folder.path().join("kopi.db"), AtomicBool::new(false));
    let back_up = || run(&mut skala(&database, &["backup", "kopi.db"]));
    std::thread::scope(|scope| {
        scope.spawn(|| (0..).take_while(|_| !enough.load(Ordering::Relaxed)).for_each(|n| write(&format!("By {n}"))));
        let (done, said, error) = back_up();
        assert!(done && said.contains("sound and on disk") && said.contains("skala.secret"), "{said}{error}");
        enough.store(true, Ordering::Relaxed);
    });
    write("Aarhus Kommune");
    let before = fs::read(&copied).unwrap();
    let (done, _, said) = back_up();
    assert!(!done && said.contains("already there"), "{said}");
    assert_eq!(fs::read(&copied).unwrap(), before);
    let mut restored = skala(&database, &["serve"]);
    let names = Service::of(restored.env("SKALA_DATABASE_URL", "sqlite://kopi.db")).names();
    assert!(names.contains(&"Odense Kommune".to_owned()) && !names.contains(&"Aarhus Kommune".to_owned()), "{names:?}");
    let left: Vec<_> = fs::read_dir(database.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("partial")), "{left:?}");
}

#[test]
fn a_backup_that_cannot_be_made_says_why_and_leaves_no_file() {
    let database = TestDatabase::empty_sqlite();
    let (done, _, said) = run(&mut skala(&database, &["backup", "kopi.db"]));
    assert!(!done && said.contains("there is no database"), "{said}");
    let mut postgres = skala(&database, &["backup", "kopi.db"]);
    let (done, _, said) = run(postgres.env("SKALA_DATABASE_URL", "postgres://localhost/skala"));
    assert!(!done && said.contains("pg_dump"), "{said}");
    assert_eq!(fs::read_dir(database.folder.path()).unwrap().count(), 0);
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn source(database: &TestDatabase) -> SqliteConnection {
    let file = database.folder.path().join("skala-demo/skala.db");
    SqliteConnection::establish(file.to_str().unwrap()).unwrap()
}

/// A database with something of everything in it, which nobody has open.
fn world() -> TestDatabase {
    let database = TestDatabase::empty_sqlite();
    let mut demo = Service::of(&mut skala(&database, &["demo"]));
    demo.sign_in("karen@co-pi.example");
    demo.send("-TERM");
    assert!(demo.wait().success());
    database
}

/// `skala migrate-to` from the demo's database.
fn migrate(database: &TestDatabase, target: &TestDatabase) -> std::process::Command {
    let mut command = skala(database, &["migrate-to", target.url()]);
    command.env("SKALA_DATABASE_URL", "sqlite://skala-demo/skala.db");
    command
}

#[test]
fn every_table_moves_from_sqlite_to_postgres_with_its_sign_ins() {
    let target = TestDatabase::empty();
    if target.engine() == Engine::Sqlite {
        return;
    }
    let database = world();
    let before = fs::read(database.folder.path().join("skala-demo/skala.db")).unwrap();
    // A move that is killed in the middle leaves nothing behind.
    for _ in 0..3 {
        let mut broken = migrate(&database, &target).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(60));
        broken.kill().unwrap();
        broken.wait().unwrap();
    }
    let (done, said, error) = run(&mut migrate(&database, &target));
    assert!(done && said.contains("equal on both sides"), "{said}{error}");
    assert_eq!(fs::read(database.folder.path().join("skala-demo/skala.db")).unwrap(), before, "the source changed");

    let (mut here, mut there) = (source(&database), PgConnection::establish(target.url()).unwrap());
    let tables: Vec<Name> = diesel::sql_query(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )
    .load(&mut here)
    .unwrap();
    let mut rows = 0;
    for Name { name } in tables {
        let count = format!("SELECT count(*) AS count FROM \"{name}\"");
        let here: Count = diesel::sql_query(&count).get_result(&mut here).unwrap();
        let there: Count = diesel::sql_query(&count).get_result(&mut there).unwrap();
        // The secret lay in a file beside SQLite.
        assert!(here.count == there.count || (name == "service_secret" && there.count == 1), "{name}");
        assert!(name == "__diesel_schema_migrations" || said.contains(&format!("{name} ")), "{name} was not told of");
        rows += here.count;
    }
    assert!(rows > 100, "a world of {rows} rows");
    drop(here);

    let (done, said, _) = run(&mut migrate(&database, &target));
    assert!(done && said.contains("was there already"), "{said}");
    let service = Service::start(&target);
    let token = service.sign_in("karen@co-pi.example");
    let added = json!({"name": "Nyborg Kommune på PostgreSQL", "kind": "municipality"});
    assert_eq!(service.post("/organisations", Some(&token), &added).unwrap().0, 201);
    let (done, said, _) = run(&mut skala(&target, &["ledger", "verify"]));
    assert!(done && said.contains("the ledger is whole"), "{said}");
    let (done, _, said) = run(&mut migrate(&database, &target));
    assert!(!done && said.contains("not empty"), "{said}");
}

#[test]
fn a_move_is_refused_while_somebody_has_the_source_open_or_when_the_tables_differ() {
    let target = TestDatabase::empty();
    if target.engine() == Engine::Sqlite {
        return;
    }
    let database = world();
    let demo = Service::of(&mut skala(&database, &["demo"]));
    let (done, _, said) = run(&mut migrate(&database, &target));
    assert!(!done && said.contains("stop the service first"), "{said}");
    // A copy can be moved meanwhile.
    let mut backup = skala(&database, &["backup", "kopi.db"]);
    assert!(run(backup.env("SKALA_DATABASE_URL", "sqlite://skala-demo/skala.db")).0);
    diesel::connection::SimpleConnection::batch_execute(
        &mut SqliteConnection::establish(database.folder.path().join("kopi.db").to_str().unwrap()).unwrap(),
        "CREATE TABLE surprise (word TEXT)",
    )
    .unwrap();
    let mut copied = migrate(&database, &target);
    let (done, _, said) = run(copied.env("SKALA_DATABASE_URL", "sqlite://kopi.db"));
    assert!(!done && said.contains("surprise"), "{said}");
    drop(demo);
    assert!(run(&mut migrate(&database, &target)).0, "nothing was left of what was refused");
}

#[test]
fn a_move_goes_one_way() {
    let database = TestDatabase::empty_sqlite();
    let (done, _, said) = run(&mut skala(&database, &["migrate-to", "sqlite://anden.db"]));
    assert!(!done && said.contains("from sqlite://FILE to postgres://"), "{said}");
    assert_eq!(fs::read_dir(database.folder.path()).unwrap().count(), 0);
}

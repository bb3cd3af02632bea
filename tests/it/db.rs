//! The database: which one, what tables, and what becomes of writes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::{Connection, PgConnection, RunQueryDsl, SqliteConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use serde_json::json;
use skala::db::{Db, DbError, Engine, MigrateError};
use skala::outbox::{Actor, Fact, Subject, record};

use crate::support::{Folder, TestApp, TestDatabase, given, wait_for};

fn migrations() -> FileBasedMigrations {
    FileBasedMigrations::from_path("migrations/portable").unwrap()
}

fn sqlite(database: &TestDatabase) -> SqliteConnection {
    SqliteConnection::establish(database.url().trim_start_matches("sqlite://")).unwrap()
}

fn postgres(database: &TestDatabase) -> PgConnection {
    PgConnection::establish(database.url()).unwrap()
}

/// A column, as both engines can tell of it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, diesel::QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Bool)]
    nullable: bool,
    #[diesel(sql_type = Nullable<BigInt>)]
    key_place: Option<i64>,
}

fn sqlite_columns(connection: &mut SqliteConnection) -> Vec<Column> {
    let query = "SELECT t.name AS table_name, c.cid + 1 AS place, c.name AS name, lower(c.type) AS kind,
                        c.\"notnull\" = 0 AS nullable, nullif(c.pk, 0) AS key_place
                 FROM sqlite_master t, pragma_table_info(t.name) c
                 WHERE t.type = 'table' AND t.name NOT LIKE '\\_\\_diesel%' ESCAPE '\\' AND t.name NOT LIKE 'sqlite%'
                 ORDER BY 1, 2";
    diesel::sql_query(query).load(connection).unwrap()
}

fn postgres_columns(connection: &mut PgConnection) -> Vec<Column> {
    let query = "SELECT c.relname::text AS table_name, a.attnum::bigint AS place, a.attname::text AS name,
                        CASE format_type(a.atttypid, a.atttypmod)
                          WHEN 'timestamp without time zone' THEN 'timestamp'
                          WHEN 'double precision' THEN 'double'
                          ELSE format_type(a.atttypid, a.atttypmod) END AS kind,
                        NOT a.attnotnull AS nullable,
                        (SELECT array_position(i.indkey::int2[], a.attnum)::bigint + 1
                         FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) AS key_place
                 FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
                   AND NOT a.attisdropped AND c.relname NOT LIKE '\\_\\_diesel%'
                 ORDER BY c.relname COLLATE \"C\", 2";
    let mut columns: Vec<Column> = diesel::sql_query(query).load(connection).unwrap();
    // PostgreSQL's index vectors count from 0.
    columns.iter_mut().for_each(|column| column.key_place = column.key_place.map(|place| place.max(1)));
    columns
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Keys to other tables, unique constraints and indexes, written alike for both engines.
fn sqlite_rules(connection: &mut SqliteConnection) -> BTreeSet<String> {
    let query = "SELECT t.name || ' (' || f.\"from\" || ') refers to ' || f.\"table\" || ' (' || f.\"to\" || ')' AS line
                 FROM sqlite_master t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table'
                 UNION ALL
                 SELECT t.name || CASE WHEN i.\"unique\" THEN ' unique (' ELSE ' index (' END
                        || (SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno))
                        || ')'
                 FROM sqlite_master t, pragma_index_list(t.name) i
                 WHERE t.type = 'table' AND i.origin <> 'pk' AND t.name NOT LIKE '\\_\\_diesel%' ESCAPE '\\'";
    let lines: Vec<Line> = diesel::sql_query(query).load(connection).unwrap();
    lines.into_iter().map(|line| line.line).collect()
}

fn postgres_rules(connection: &mut PgConnection) -> BTreeSet<String> {
    let names =
        "(SELECT string_agg(a.attname, ', ' ORDER BY n.place) FROM unnest(KEYS) WITH ORDINALITY n (number, place)
                  JOIN pg_attribute a ON a.attrelid = TABLE_OID AND a.attnum = n.number)";
    let of = |keys: &str, table: &str| names.replace("KEYS", keys).replace("TABLE_OID", table);
    let query = format!(
        "SELECT conrelid::regclass || ' (' || {} || ') refers to ' || confrelid::regclass || ' (' || {} || ')' AS line
         FROM pg_constraint WHERE contype = 'f'
         UNION ALL
         SELECT indrelid::regclass || CASE WHEN indisunique THEN ' unique (' ELSE ' index (' END || {} || ')'
         FROM pg_index JOIN pg_class c ON c.oid = indrelid
         WHERE NOT indisprimary AND c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE '\\_\\_diesel%'",
        of("conkey", "conrelid"),
        of("confkey", "confrelid"),
        of("indkey::int2[]", "indrelid"),
    );
    let lines: Vec<Line> = diesel::sql_query(query).load(connection).unwrap();
    lines.into_iter().map(|line| line.line).collect()
}

/// Every column as (table, column, type), and the rules as one line each.
pub fn columns_and_rules(database: &TestDatabase) -> (Vec<(String, String, String)>, BTreeSet<String>) {
    let (columns, rules) = match database.engine() {
        Engine::Sqlite => {
            let mut connection = sqlite(database);
            (sqlite_columns(&mut connection), sqlite_rules(&mut connection))
        }
        Engine::Postgres => {
            let mut connection = postgres(database);
            (postgres_columns(&mut connection), postgres_rules(&mut connection))
        }
    };
    (columns.into_iter().map(|column| (column.table_name, column.name, column.kind)).collect(), rules)
}

#[test]
fn migrations_go_up_down_and_up_again_to_the_same_tables() {
    let database = TestDatabase::empty();
    match database.engine() {
        Engine::Sqlite => {
            let mut connection = sqlite(&database);
            connection.run_pending_migrations(migrations()).unwrap();
            let before = (sqlite_columns(&mut connection), sqlite_rules(&mut connection));
            connection.revert_all_migrations(migrations()).unwrap();
            assert!(sqlite_columns(&mut connection).is_empty(), "{:?}", sqlite_columns(&mut connection));
            connection.run_pending_migrations(migrations()).unwrap();
            assert_eq!((sqlite_columns(&mut connection), sqlite_rules(&mut connection)), before);
        }
        Engine::Postgres => {
            let mut connection = postgres(&database);
            connection.run_pending_migrations(migrations()).unwrap();
            let before = (postgres_columns(&mut connection), postgres_rules(&mut connection));
            connection.revert_all_migrations(migrations()).unwrap();
            assert!(postgres_columns(&mut connection).is_empty(), "{:?}", postgres_columns(&mut connection));
            connection.run_pending_migrations(migrations()).unwrap();
            assert_eq!((postgres_columns(&mut connection), postgres_rules(&mut connection)), before);
        }
    }
}

#[test]
fn each_migration_can_be_taken_back_alone() {
    let database = TestDatabase::empty_sqlite();
    let mut connection = sqlite(&database);
    MigrationHarness::<diesel::sqlite::Sqlite>::applied_migrations(&mut connection).unwrap();
    let mut all = MigrationSource::<diesel::sqlite::Sqlite>::migrations(&migrations()).unwrap();
    all.sort_by_key(|migration| migration.name().to_string());
    for migration in all {
        let before = (sqlite_columns(&mut connection), sqlite_rules(&mut connection));
        connection.run_migration(&migration).unwrap();
        connection.revert_last_migration(migrations()).unwrap();
        let after = (sqlite_columns(&mut connection), sqlite_rules(&mut connection));
        assert!(after == before, "{} leaves something behind", migration.name());
        connection.run_migration(&migration).unwrap();
    }
}

#[test]
fn sqlite_and_postgres_have_the_same_columns_keys_and_indexes() {
    let database = TestDatabase::empty();
    if database.engine() == Engine::Sqlite {
        return;
    }
    let mut postgres = postgres(&database);
    postgres.run_pending_migrations(migrations()).unwrap();
    let other = TestDatabase::empty_sqlite();
    let mut sqlite = sqlite(&other);
    sqlite.run_pending_migrations(migrations()).unwrap();
    for (one, other) in sqlite_columns(&mut sqlite).iter().zip(&postgres_columns(&mut postgres)) {
        let same_name = (&one.table_name, one.place, &one.name) == (&other.table_name, other.place, &other.name);
        assert!(same_name && one.kind == other.kind && one.nullable == other.nullable, "{one:?}\n{other:?}");
        assert_eq!(one.key_place.is_some(), other.key_place.is_some(), "{one:?}\n{other:?}");
    }
    assert_eq!(sqlite_columns(&mut sqlite).len(), postgres_columns(&mut postgres).len());
    let (one, other) = (sqlite_rules(&mut sqlite), postgres_rules(&mut postgres));
    assert_eq!(&one - &other, BTreeSet::new(), "only on SQLite");
    assert_eq!(&other - &one, BTreeSet::new(), "only on PostgreSQL");
}

/// The columns that `src/db/schema.rs` gives each table: name, type, nullable.
fn declared() -> BTreeMap<String, Vec<(String, String, bool)>> {
    let source = fs::read_to_string("src/db/schema.rs").unwrap();
    let mut tables = BTreeMap::new();
    for block in source.split("diesel::table! {").skip(1) {
        let mut lines = block.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
        let table = lines.next().unwrap().split_whitespace().next().unwrap().to_owned();
        let columns =
            lines.take_while(|line| *line != "}").filter_map(|line| line.trim_end_matches(',').split_once(" -> "));
        let columns = columns.map(|(name, kind)| {
            let inner = kind.strip_prefix("Nullable<").and_then(|rest| rest.strip_suffix('>'));
            let kind = inner.unwrap_or(kind).to_lowercase().replace("bool", "boolean");
            (name.to_owned(), kind, inner.is_some())
        });
        tables.insert(table, columns.collect());
    }
    tables
}

#[test]
fn the_tables_that_the_code_declares_are_those_that_the_migrations_make() {
    let database = TestDatabase::empty_sqlite();
    let mut connection = sqlite(&database);
    connection.run_pending_migrations(migrations()).unwrap();
    let mut made: BTreeMap<String, Vec<(String, String, bool)>> = BTreeMap::new();
    for column in sqlite_columns(&mut connection) {
        made.entry(column.table_name).or_default().push((column.name, column.kind, column.nullable));
    }
    for (table, declared) in declared() {
        let made = made.get(&table).unwrap_or_else(|| panic!("no migration makes {table}"));
        assert_eq!(*made, declared, "{table}");
    }
}

#[test]
fn every_text_that_names_something_is_required() {
    let database = TestDatabase::empty_sqlite();
    let mut connection = sqlite(&database);
    connection.run_pending_migrations(migrations()).unwrap();
    for column in sqlite_columns(&mut connection) {
        assert!(column.key_place.is_none() || !column.nullable, "a key that may be NULL: {column:?}");
        assert!(!column.kind.contains('('), "SQLite does not hold to lengths: {column:?}");
    }
}

#[test]
fn a_database_that_nobody_knows_is_refused_without_a_stray_file() {
    let folder = Folder::new();
    for url in ["postgress://skala@localhost/skala", "mysql://skala@localhost/skala", "skala.db", "sqlite:skala.db"] {
        assert!(url.parse::<skala::db::DatabaseUrl>().is_err(), "{url}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_database_of_a_newer_version_is_refused_and_left_alone() {
    let database = TestDatabase::migrated();
    database.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000001')");
    let opened = Db::open(&database.url().parse().unwrap()).map(drop);
    assert!(matches!(&opened, Err(MigrateError::Newer(versions)) if versions == "20991231000001"), "{opened:?}");
    assert!(opened.unwrap_err().to_string().contains("newer version of skala"));
}

#[test]
fn an_address_that_demands_tls_is_refused_and_not_served_in_the_clear() {
    let database = TestDatabase::migrated();
    if database.engine() == skala::db::Engine::Postgres {
        for demand in ["require", "verify-ca", "verify-full"] {
            let url = format!("{}?sslmode={demand}", database.url());
            let said = Db::open(&url.parse().unwrap()).map(drop).unwrap_err().to_string();
            assert!(said.contains("SSL support is not compiled in"), "{said}");
        }
    }
}

#[test]
fn a_folder_that_cannot_be_written_gives_a_clear_error() {
    let folder = Folder::new();
    let missing = folder.path().join("nowhere").join("skala.db");
    let opened = Db::open(&format!("sqlite://{}", missing.display()).parse().unwrap()).map(drop);
    assert!(opened.unwrap_err().to_string().contains("cannot be reached"));
    // A folder where the file should be: nobody can write that, not even root.
    let taken = folder.path().join("skala.db");
    fs::create_dir(&taken).unwrap();
    let opened = Db::open(&format!("sqlite://{}", taken.display()).parse().unwrap()).map(drop);
    assert!(opened.unwrap_err().to_string().contains("cannot be reached"));
}

#[test]
fn a_database_that_does_not_answer_is_503_and_the_service_recovers_with_it() {
    let app = TestApp::start();
    let admin = app.admin();
    let body = |name: &str| json!({"name": name, "kind": "municipality"});
    match app.database.engine() {
        Engine::Sqlite => {
            // Somebody else holds the file for longer than anybody waits.
            let mut other = sqlite(&app.database);
            other.batch_execute("BEGIN IMMEDIATE").unwrap();
            let refused = admin.post("/organisations", body("Odense Kommune")).refused(503, "unavailable");
            assert_eq!(refused.header("Retry-After"), "2");
            other.batch_execute("ROLLBACK").unwrap();
        }
        Engine::Postgres => {
            // The server was restarted: every connection that lies in wait is dead.
            admin.post("/organisations", body("Aarhus Kommune")).expect(201);
            app.database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            );
            let mut refusals = 0;
            while app.anonymous().get("/organisations").status != 200 {
                refusals += 1;
                assert!(refusals <= 8, "more refusals than connections");
            }
        }
    }
    admin.post("/organisations", body("Odense Kommune")).expect(201);
}

#[test]
fn many_who_write_at_once_all_land_with_a_number_of_their_own() {
    let database = Arc::new(TestDatabase::migrated());
    // Two nodes on one database, as behind a load balancer.
    let nodes =
        [Db::open(&database.url().parse().unwrap()).unwrap(), Db::open(&database.url().parse().unwrap()).unwrap()];
    let now = "2026-11-22T08:00:00Z".parse().unwrap();
    let numbers: Vec<i64> = std::thread::scope(|scope| {
        let write = |db: &Db, n: u8| {
            let id = skala::kernel::OrganisationId::from_bytes([n; 16]);
            let written: Result<i64, DbError> = wait_for(db.write(move |tx| {
                record(tx, Fact::new(Subject::Organisation, id, "added", Actor::service(), now))?;
                Ok(tx.change)
            }));
            written.unwrap()
        };
        let threads: Vec<_> = (0..16_u8)
            .map(|n| {
                scope.spawn({
                    let db = &nodes[usize::from(n % 2)];
                    move || (0..10).map(|_| write(db, n)).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let once: BTreeSet<i64> = numbers.iter().copied().collect();
    assert_eq!((numbers.len(), once.len()), (160, 160));
    let kept: Result<Vec<_>, DbError> = wait_for(nodes[0].read(|connection| {
        let mut kept = Vec::new();
        for n in 0..16_u8 {
            let id = skala::kernel::OrganisationId::from_bytes([n; 16]);
            kept.extend(skala::outbox::history(connection, Subject::Organisation, id)?);
        }
        Ok(kept)
    }));
    assert_eq!(kept.unwrap().len(), 160);
}

/// Something that happened to one body, and [`kept`], how often that is on record.
fn added(now: skala::kernel::Instant) -> Fact {
    Fact::new(Subject::Organisation, skala::kernel::OrganisationId::from_bytes([7; 16]), "added", Actor::service(), now)
}

fn kept(app: &TestApp) -> usize {
    let history: Result<_, DbError> = wait_for(app.node.db.read(|connection| {
        skala::outbox::history(connection, Subject::Organisation, skala::kernel::OrganisationId::from_bytes([7; 16]))
    }));
    history.unwrap().len()
}

#[test]
fn a_deed_that_fails_or_panics_takes_only_itself_back() {
    let app = TestApp::start();
    let now = app.now();
    let db = app.node.db.clone();
    let failed: Result<(), DbError> = wait_for(db.write(move |tx| {
        record(tx, added(now))?;
        Err(DbError::Refused("changed my mind".to_owned()))
    }));
    assert!(matches!(failed, Err(DbError::Refused(_))));
    let panicked: Result<(), DbError> = wait_for(db.write(move |tx| {
        record(tx, added(now))?;
        panic!("on purpose")
    }));
    assert!(matches!(panicked, Err(DbError::Unavailable(_))), "{panicked:?}");
    let refused: Result<(), DbError> = wait_for(db.write(move |tx| {
        record(tx, added(now))?;
        diesel::sql_query("INSERT INTO no_such_table VALUES (1)").execute(tx.connection)?;
        Ok(())
    }));
    assert!(matches!(refused, Err(DbError::Refused(_))), "{refused:?}");
    let landed: Result<(), DbError> = wait_for(db.write(move |tx| record(tx, added(now))));
    landed.unwrap();
    assert_eq!(kept(&app), 1);
}

#[test]
fn of_deeds_that_share_a_commit_each_takes_only_itself_back() {
    let app = TestApp::start();
    let now = app.now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // What is asked for while the writer is held up waits together.
    let (go_on, held_up) = std::sync::mpsc::channel::<()>();
    let (begun, has_begun) = std::sync::mpsc::channel();
    let db = app.node.db.clone();
    let first = runtime.spawn(async move {
        db.write(move |_| {
            begun.send(()).unwrap();
            held_up.recv().unwrap();
            Ok::<_, DbError>(())
        })
        .await
    });
    runtime.block_on(tokio::task::yield_now());
    has_begun.recv().unwrap();
    let together: Vec<_> = ["keep", "refuse", "panic", "keep", "refuse", "refuse", "keep", "panic"]
        .into_iter()
        .map(|what| {
            let db = app.node.db.clone();
            runtime.spawn(async move {
                db.write(move |tx| {
                    record(tx, added(now))?;
                    match what {
                        "keep" => Ok(()),
                        "panic" => panic!("on purpose"),
                        _ => Err(DbError::Refused("changed my mind".to_owned())),
                    }
                })
                .await
            })
        })
        .collect();
    runtime.block_on(tokio::task::yield_now());
    go_on.send(()).unwrap();
    runtime.block_on(first).unwrap().unwrap();
    let done: Vec<bool> = together.into_iter().map(|one| runtime.block_on(one).unwrap().is_ok()).collect();
    assert_eq!(done, [true, false, false, true, false, false, true, false]);
    assert_eq!(kept(&app), 3);
}

#[test]
fn what_an_error_has_ended_is_never_called_done() {
    let app = TestApp::start();
    let now = app.now();
    // A deed that looks away from an error: PostgreSQL has taken everything back by then, and SQLite only that statement.
    let looked_away: Result<(), DbError> = wait_for(app.node.db.write(move |tx| {
        record(tx, added(now))?;
        diesel::sql_query("INSERT INTO no_such_table VALUES (1)").execute(tx.connection).ok();
        Ok(())
    }));
    assert_eq!(looked_away.is_ok(), kept(&app) == 1, "{looked_away:?}");
    assert_eq!(looked_away.is_ok(), app.node.db.engine() == Engine::Sqlite);
}

#[test]
fn a_reader_cannot_write() {
    let app = TestApp::start();
    let written: Result<usize, DbError> = wait_for(
        app.node
            .db
            .read(|connection| Ok(diesel::sql_query("UPDATE change_counter SET value = 0").execute(connection)?)),
    );
    assert!(written.is_err());
}

/// The number of the process that serves a connection.
#[derive(diesel::QueryableByName)]
struct Backend {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    pid: i32,
}

#[test]
fn reads_use_their_connections_again() {
    let app = TestApp::start();
    if app.node.db.engine() == Engine::Sqlite {
        // The file's connections have no names; the pool is the same.
        return;
    }
    let backend = || {
        let asked = app.node.db.read(|connection| -> Result<Backend, DbError> {
            Ok(diesel::sql_query("SELECT pg_backend_pid() AS pid").get_result(connection)?)
        });
        wait_for(asked).unwrap().pid
    };
    let backends: BTreeSet<i32> = (0..40).map(|_| backend()).collect();
    assert!(backends.len() <= 8, "{} connections for 40 reads, one after another", backends.len());
}

#[test]
fn a_connection_that_the_server_closed_is_not_used_again() {
    let (one, other) = (TestApp::start(), TestApp::start());
    if one.node.db.engine() == Engine::Sqlite {
        return;
    }
    let backend = |app: &TestApp| {
        let asked = app.node.db.read(|connection| -> Result<Backend, DbError> {
            Ok(diesel::sql_query("SELECT pg_backend_pid() AS pid").get_result(connection)?)
        });
        wait_for(asked).unwrap().pid
    };
    for _ in 0..10 {
        let pid = backend(&one);
        let end = format!("SELECT {pid} AS pid FROM pg_terminate_backend({pid}, 5000) AS gone WHERE gone");
        let ended: Result<Backend, DbError> =
            wait_for(other.node.db.read(move |connection| Ok(diesel::sql_query(end).get_result(connection)?)));
        assert_eq!(ended.unwrap().pid, pid);
        assert_ne!(backend(&one), pid);
    }
}

#[test]
fn two_nodes_on_one_database_see_each_others_writes() {
    let one = TestApp::start();
    let other = TestApp::on(one.database.clone(), &[]);
    let odense = given::municipality(&one, "Odense Kommune");
    let path = format!("/organisations/{}", odense.id);
    other.admin().change(&path, json!({"name": "Odense"})).expect(200);
    assert_eq!(one.anonymous().get(&path).expect(200)["name"], "Odense");
    let client = other.admin().with("Idempotency-Key", "1");
    let body = json!({"name": "Aarhus Kommune", "kind": "municipality"});
    client.post("/organisations", body).expect(201);
}

//! A database for one test: a copy of one that was migrated once, gone when the test ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::{Connection, PgConnection, RunQueryDsl, SqliteConnection};
use skala::db::{Db, Engine};
use skala::kernel::random_token;

/// How every PostgreSQL database of a test begins.
const PREFIX: &str = "skala_test_";

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A folder of a test's own, gone with it.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let name = format!("skala-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// A database that one test has for itself, and a folder for what lies beside it.
pub struct TestDatabase {
    pub folder: Folder,
    url: String,
    server: Option<String>,
}

impl TestDatabase {
    /// One with all tables, on the engine that the environment names.
    pub fn migrated() -> Self {
        let database = Self::named(true);
        if database.engine() == Engine::Sqlite {
            fs::write(database.folder.path().join("skala.db"), sqlite_template()).unwrap();
        }
        database
    }

    /// One without any table, on the engine that the environment names.
    pub fn empty() -> Self {
        Self::named(false)
    }

    /// A SQLite database without any table, whatever the environment names.
    pub fn empty_sqlite() -> Self {
        let folder = Folder::new();
        let url = format!("sqlite://{}", folder.path().join("skala.db").display());
        Self { folder, url, server: None }
    }

    fn named(from_template: bool) -> Self {
        let Some(server) = server() else { return Self::empty_sqlite() };
        let run = postgres_run(&server);
        let name = format!("{}_{}", run.prefix, NEXT.fetch_add(1, Ordering::Relaxed));
        let template = if from_template { run.template.as_str() } else { "template0" };
        // Copies of one template are made one after another: PostgreSQL refuses two at a time.
        let _turn = run.turn.lock().unwrap();
        let create = format!("CREATE DATABASE {name} TEMPLATE {template}");
        connect(&server).batch_execute(&create).unwrap();
        Self { folder: Folder::new(), url: at(&server, &name), server: Some(server.clone()) }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn engine(&self) -> Engine {
        if self.server.is_some() { Engine::Postgres } else { Engine::Sqlite }
    }

    /// How many rows a table has, or `table WHERE …`.
    pub fn count(&self, table: &str) -> i64 {
        #[derive(diesel::QueryableByName)]
        struct Count {
            #[diesel(sql_type = BigInt)]
            count: i64,
        }
        let query = diesel::sql_query(format!("SELECT count(*) AS count FROM {table}"));
        let counted: Count = match self.engine() {
            Engine::Postgres => query.get_result(&mut connect(&self.url)).unwrap(),
            Engine::Sqlite => {
                let file = self.url.trim_start_matches("sqlite://");
                query.get_result(&mut SqliteConnection::establish(file).unwrap()).unwrap()
            }
        };
        counted.count
    }

    /// Runs statements beside the service, for what only a database can be told.
    pub fn execute(&self, sql: &str) {
        match self.engine() {
            Engine::Postgres => connect(&self.url).batch_execute(sql).unwrap(),
            Engine::Sqlite => {
                let file = self.url.trim_start_matches("sqlite://");
                SqliteConnection::establish(file).unwrap().batch_execute(sql).unwrap();
            }
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let (Some(server), Some((_, name))) = (&self.server, self.url.rsplit_once('/')) {
            connect(server).batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).ok();
        }
    }
}

/// The PostgreSQL server that the environment names.
pub fn server() -> Option<String> {
    std::env::var("SKALA_TEST_DATABASE_URL").ok().filter(|url| !url.is_empty())
}

/// The same server's database of this name.
fn at(server: &str, name: &str) -> String {
    let (start, path) = server.split_once("://").expect("SKALA_TEST_DATABASE_URL is postgres://USER@HOST/DATABASE");
    let (authority, _) = path.split_once('/').unwrap_or((path, ""));
    format!("{start}://{authority}/{name}")
}

pub fn connect(url: &str) -> PgConnection {
    PgConnection::establish(url).unwrap_or_else(|error| panic!("SKALA_TEST_DATABASE_URL: {error}"))
}

/// The bytes of a SQLite file with all tables, made once.
fn sqlite_template() -> &'static [u8] {
    static TEMPLATE: OnceLock<Vec<u8>> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let made = TestDatabase::empty_sqlite();
        drop(Db::open(&made.url.parse().unwrap()).unwrap());
        made.execute("PRAGMA wal_checkpoint(TRUNCATE)");
        fs::read(made.folder.path().join("skala.db")).unwrap()
    })
}

/// What this process made on the PostgreSQL server.
struct PostgresRun {
    prefix: String,
    template: String,
    turn: Mutex<()>,
    /// Holds the lock that says that this run is alive.
    _alive: Mutex<PgConnection>,
}

fn postgres_run(server: &str) -> &'static PostgresRun {
    static RUN: OnceLock<PostgresRun> = OnceLock::new();
    RUN.get_or_init(|| {
        let mut alive = connect(server);
        drop_leftovers(server, &mut alive);
        let random = random_token().unwrap().to_lowercase().replace(['-', '_'], "0");
        let prefix = format!("{PREFIX}{}", &random[..12]);
        assert!(lock(&mut alive, &prefix), "two runs drew the same name");
        let template = format!("{prefix}_template");
        alive.batch_execute(&format!("CREATE DATABASE {template} TEMPLATE template0")).unwrap();
        let mut made = connect(&at(server, &template));
        let migrations = diesel_migrations::FileBasedMigrations::from_path("migrations/portable").unwrap();
        diesel_migrations::MigrationHarness::run_pending_migrations(&mut made, migrations).unwrap();
        PostgresRun { prefix, template, turn: Mutex::new(()), _alive: Mutex::new(alive) }
    })
}

#[derive(diesel::QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    datname: String,
}

#[derive(diesel::QueryableByName)]
struct Got {
    #[diesel(sql_type = Bool)]
    got: bool,
}

/// A run holds a lock in its name for as long as it lives; so what belongs to a name that can be locked is left over.
fn lock(connection: &mut PgConnection, run: &str) -> bool {
    let query = diesel::sql_query("SELECT pg_try_advisory_lock(hashtext($1)) AS got").bind::<Text, _>(run);
    query.get_result::<Got>(connection).unwrap().got
}

fn drop_leftovers(server: &str, connection: &mut PgConnection) {
    let query = format!("SELECT datname FROM pg_database WHERE datname LIKE '{}%'", PREFIX.replace('_', "\\_"));
    let names: Vec<Name> = diesel::sql_query(query).load(connection).unwrap();
    // A connection of its own: the locks of the dead runs go with it.
    let mut looking = connect(server);
    for Name { datname } in names {
        let run = datname.rsplit_once('_').map_or(datname.as_str(), |(run, _)| run);
        if lock(&mut looking, run) {
            connection.batch_execute(&format!("DROP DATABASE IF EXISTS {datname} WITH (FORCE)")).ok();
        }
    }
}

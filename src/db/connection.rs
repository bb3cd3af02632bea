//! One connection type over both engines, and how each is set up.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use diesel::connection::SimpleConnection;
use diesel::r2d2::{HandleError, ManageConnection};
use diesel::{Connection as _, PgConnection, SqliteConnection};

use super::DbError;

/// A connection to whichever engine the URL names.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

/// The engines the service runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// Where the data is: `sqlite://FILE` or `postgres://…`.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    pub engine: Engine,
    /// The file, or the whole address.
    pub(super) target: String,
}

/// An address that names no database we know.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a database is named by sqlite://FILE or postgres://USER@HOST/NAME, not by {0:?}")]
pub struct UrlError(String);

impl FromStr for DatabaseUrl {
    type Err = UrlError;

    // The scheme decides, never a trial: a mistyped `postgres` must not become a file of that name.
    fn from_str(url: &str) -> Result<Self, UrlError> {
        // Wherever a password stands in it, it is not repeated.
        let refused = || match url.split_once("://") {
            Some((scheme, _)) => UrlError(format!("{scheme}://…")),
            None => UrlError(if url.contains(['@', '?']) { "…".to_owned() } else { url.to_owned() }),
        };
        match url.split_once("://") {
            Some(("postgres" | "postgresql", rest)) if !rest.is_empty() => {
                Ok(Self { engine: Engine::Postgres, target: url.to_owned() })
            }
            Some(("sqlite", file)) if !file.is_empty() => Ok(Self { engine: Engine::Sqlite, target: file.to_owned() }),
            _ => Err(refused()),
        }
    }
}

impl DatabaseUrl {
    /// The servers of a PostgreSQL address, without names, passwords and parameters.
    fn hosts(&self) -> &str {
        let authority = self.target.split_once("://").and_then(|(_, rest)| rest.split(['/', '?']).next());
        authority.and_then(|authority| authority.rsplit_once('@')).map_or("", |(_, hosts)| hosts)
    }

    /// The folder that holds the SQLite file; `None` on PostgreSQL.
    #[must_use]
    pub fn folder(&self) -> Option<PathBuf> {
        match self.engine {
            Engine::Postgres => None,
            Engine::Sqlite => {
                let file = PathBuf::from(&self.target);
                let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
                Some(folder.map_or_else(|| PathBuf::from("."), PathBuf::from))
            }
        }
    }
}

/// Without the password that a URL may hold.
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.engine {
            Engine::Sqlite => write!(f, "sqlite://{}", self.target),
            Engine::Postgres => write!(f, "postgres://…@{}", self.hosts()),
        }
    }
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Read,
    Write,
}

/// How a connection finds its server and notices that it is gone. What the address says itself, counts.
///
/// Of several hosts only the one that takes writes will do, for reads too: another would be behind. A host that does not
/// answer is left after 3 seconds, and a connection whose other end is silent after 5 or 6.
fn conninfo(url: &str, usage: Use) -> String {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let authority = place.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
    let several = authority.contains(',') || parameter("host").is_some_and(|hosts| hosts.contains(','));
    let mut defaults = vec![
        ("application_name", "skala"),
        ("connect_timeout", "3"),
        ("keepalives_idle", "3"),
        ("keepalives_interval", "1"),
        ("keepalives_count", "3"),
        ("tcp_user_timeout", "5000"),
    ];
    if several || usage == Use::Write {
        defaults.push(("target_session_attrs", "read-write"));
    }
    let missing = defaults.into_iter().filter(|(name, _)| parameter(name).is_none());
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(str::to_owned);
    let pairs: Vec<_> = pairs.chain(missing.map(|(name, value)| format!("{name}={value}"))).collect();
    format!("{place}?{}", pairs.join("&"))
}

/// Opens a connection and makes the two engines behave alike.
pub(super) fn open(url: &DatabaseUrl, usage: Use) -> Result<AnyConnection, DbError> {
    let unavailable = |error: &dyn fmt::Display| DbError::Unavailable(error.to_string());
    let (mut connection, setup) = match url.engine {
        Engine::Sqlite => {
            let connection = SqliteConnection::establish(&url.target).map_err(|error| {
                unavailable(&format_args!("{error}: {}; is its folder there, and may it be written?", url.target))
            })?;
            // WAL lets readers go on while one writes; FULL is what survives a power cut.
            let setup = match usage {
                Use::Write => {
                    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                     PRAGMA foreign_keys = ON;"
                }
                Use::Read => "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON;",
            };
            (AnyConnection::Sqlite(connection), setup)
        }
        Engine::Postgres => {
            let connection =
                PgConnection::establish(&conninfo(&url.target, usage)).map_err(|error| unavailable(&error))?;
            // A node that stalls in the middle of a write must not hold up the others for long. Plans are kept as long as
            // the connection is, and some were made when a table was empty and reading all of it looked cheapest.
            let setup = match usage {
                Use::Write => {
                    "SET TIME ZONE 'UTC'; SET client_min_messages = warning; \
                     SET idle_in_transaction_session_timeout = '5s'; SET statement_timeout = '30s'; \
                     SET synchronous_commit = on; SET enable_seqscan = off; SET jit = off;"
                }
                Use::Read => {
                    "SET TIME ZONE 'UTC'; SET statement_timeout = '30s'; SET default_transaction_read_only = on;"
                }
            };
            (AnyConnection::Postgres(connection), setup)
        }
    };
    connection.batch_execute(setup).map_err(|error| unavailable(&error))?;
    Ok(connection)
}

/// Whether an unclassified message means that the database is away rather than that we asked something wrong.
pub(super) fn is_outage(message: &str) -> bool {
    const SIGNS: [&str; 14] = [
        "server closed the connection",
        "terminating connection",
        "connection to server",
        "could not connect",
        "no connection to the server",
        "idle-in-transaction timeout",
        "database or disk is full",
        "disk I/O error",
        "attempt to write a readonly database",
        "No space left on device",
        "onnection timed out",
        "onnection reset by peer",
        "statement timeout",
        "conflict with recovery",
    ];
    SIGNS.iter().any(|sign| message.contains(sign))
        || message.contains("database is locked")
        || message.contains("unable to open database file")
}

/// Looks whether the other end has closed it, without a word to the server: a question there and back would cost as much
/// as what the connection is wanted for.
pub(super) fn is_open(connection: &mut AnyConnection) -> Result<(), DbError> {
    if let AnyConnection::Postgres(connection) = connection {
        // Twice: what is read first may be the server's farewell, and the end comes behind it.
        for _ in 0..2 {
            connection.notifications_iter().try_for_each(|heard| heard.map(drop))?;
        }
    }
    Ok(())
}

/// Opens the pool's connections.
#[derive(Debug)]
pub(super) struct Opener(pub(super) DatabaseUrl);

impl ManageConnection for Opener {
    type Connection = AnyConnection;
    type Error = DbError;

    fn connect(&self) -> Result<AnyConnection, DbError> {
        open(&self.0, Use::Read)
    }

    /// Asked before each use.
    fn is_valid(&self, connection: &mut AnyConnection) -> Result<(), DbError> {
        is_open(connection)
    }

    fn has_broken(&self, _: &mut AnyConnection) -> bool {
        std::thread::panicking()
    }
}

/// Failed attempts to connect go to the log, with the service's other words.
#[derive(Debug)]
pub(super) struct LogConnectErrors;

impl HandleError<DbError> for LogConnectErrors {
    fn handle_error(&self, error: DbError) {
        tracing::warn!(%error, "no database connection");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_known_scheme_names_a_database() {
        assert_eq!("sqlite://skala.db".parse::<DatabaseUrl>().unwrap().engine, Engine::Sqlite);
        assert_eq!("postgres://a@b/c".parse::<DatabaseUrl>().unwrap().engine, Engine::Postgres);
        for wrong in ["postgress://a@b/c", "skala.db", "", "mysql://a/b", "sqlite://", "postgres://"] {
            assert!(wrong.parse::<DatabaseUrl>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn sqlite_is_built_with_the_flags_that_the_project_sets() -> Result<(), Box<dyn std::error::Error>> {
        #[derive(diesel::QueryableByName)]
        struct Flag {
            #[diesel(sql_type = diesel::sql_types::Text)]
            compile_options: String,
        }
        let mut connection = SqliteConnection::establish(":memory:")?;
        let flags: Vec<Flag> = diesel::RunQueryDsl::load(diesel::sql_query("PRAGMA compile_options"), &mut connection)?;
        for wanted in ["ENABLE_QPSG", "THREADSAFE=2", "OMIT_LOAD_EXTENSION"] {
            assert!(flags.iter().any(|flag| flag.compile_options == wanted), "{wanted}");
        }
        assert!(flags.iter().all(|flag| !flag.compile_options.contains("STAT4")));
        Ok(())
    }

    #[test]
    fn what_an_address_says_itself_counts() {
        let told = conninfo("postgres://a@x:1,y:2/c?connect_timeout=9", Use::Read);
        assert!(told.starts_with("postgres://a@x:1,y:2/c?connect_timeout=9&application_name=skala&"), "{told}");
        assert!(told.ends_with("&target_session_attrs=read-write"), "{told}");
        assert_eq!(told.matches("connect_timeout").count(), 1);
        let one = conninfo("postgres://a@x/c", Use::Read);
        assert!(!one.contains("target_session_attrs"), "a single host may be one that only reads: {one}");
        assert!(conninfo("postgres://a@x/c", Use::Write).contains("target_session_attrs=read-write"));
        assert!(conninfo("postgres:///c?host=x,y&target_session_attrs=any", Use::Write).contains("attrs=any"));
    }

    #[test]
    fn a_password_is_never_shown() {
        let url = "postgres://skala:hemmeligt@db.example/skala".parse::<DatabaseUrl>().unwrap();
        assert_eq!(format!("{url:?}"), "postgres://…@db.example");
        let wrong = "postgress://skala:hemmeligt@db.example/skala".parse::<DatabaseUrl>().unwrap_err();
        assert!(!wrong.to_string().contains("hemmeligt"));
    }

    proptest::proptest! {
        #[test]
        fn no_address_breaks_the_reader_and_none_shows_its_password(text in ".{0,40}", scheme in "(postgres|postgresql|postgress|sqlite)?", at in "[a-z@:/?&=]{0,12}") {
            let _ = text.parse::<DatabaseUrl>();
            for url in [
                format!("{scheme}://u:HEMMELIGT@h{at}"),
                format!("{scheme}://u@h/d?{at}&password=HEMMELIGT"),
                format!("{scheme}://u:HEMMELIGT{at}@h/d"),
            ] {
                let shown = match url.parse::<DatabaseUrl>() {
                    // A file is named by all that stands there.
                    Ok(url) if url.engine == Engine::Sqlite => continue,
                    Ok(url) => format!("{url:?}"),
                    Err(error) => error.to_string(),
                };
                proptest::prop_assert!(!shown.contains("HEMMELIGT"), "{} shows {}", url, shown);
            }
        }

        #[test]
        fn what_is_added_to_an_address_leaves_what_stood_there(place in "[a-z0-9@:/,.]{1,30}", query in "([a-z_]{1,8}=[a-z0-9]{1,5}(&[a-z_]{1,8}=[a-z0-9]{1,5}){0,3})?") {
            let told = conninfo(&format!("postgres://{place}?{query}"), Use::Write);
            let head = format!("postgres://{place}?{query}");
            proptest::prop_assert!(told.starts_with(&head), "{}", told);
            proptest::prop_assert_eq!(conninfo(&told, Use::Write), told.clone());
        }
    }
}

//! Databases on a PostgreSQL server.

use std::cell::RefCell;

use diesel::prelude::*;

use super::server::{cpu_seconds, siblings_ended};

/// A database of this run, dropped at its end.
pub struct Postgres {
    server: String,
    name: String,
    pub url: String,
    /// Kept open, so that its end is not measured.
    asked: RefCell<PgConnection>,
}

impl Postgres {
    /// A new one on the server that `SKALA_BENCH_DATABASE_URL` names; none when no server answers.
    pub fn create(what_for: &str) -> Option<Self> {
        let usual = "postgres://postgres@127.0.0.1:5432/postgres".to_owned();
        let server = std::env::var("SKALA_BENCH_DATABASE_URL").unwrap_or(usual);
        let name = format!("skala_bench_{}_{what_for}", std::process::id());
        let mut connection = PgConnection::establish(&server).ok()?;
        diesel::sql_query(format!("CREATE DATABASE {name}")).execute(&mut connection).unwrap();
        let url = format!("{}/{name}", server.rsplit_once('/')?.0);
        Some(Self { server, name, url, asked: RefCell::new(connection) })
    }

    /// CPU seconds of the processes that serve this database's connections, where PostgreSQL runs on this machine, and of
    /// all that served any and have ended: nobody knows whose those were.
    pub fn cpu_seconds(&self) -> f64 {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::Integer)]
            pid: i32,
        }
        // The first is the one that is asked: it serves another database.
        let serving = format!(
            "SELECT pid FROM pg_stat_activity WHERE datname = '{}' OR pid = pg_backend_pid() \
             ORDER BY pid = pg_backend_pid() DESC",
            self.name
        );
        let rows: Vec<Row> = diesel::sql_query(serving).load(&mut *self.asked.borrow_mut()).unwrap();
        let pids: Vec<u32> = rows.iter().map(|row| row.pid.cast_unsigned()).collect();
        cpu_seconds(&pids[1..]) + siblings_ended(pids[0])
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut connection = PgConnection::establish(&self.server).unwrap();
        diesel::sql_query(format!("DROP DATABASE {} WITH (FORCE)", self.name)).execute(&mut connection).unwrap();
    }
}

//! A database made large in SQL: what would take hours through the API.

use std::fmt::Write;

use super::database::Database;

/// The word of an imported challenge that each copy has others for.
pub const MARK: &str = "udstyr";

/// What else a copy is about: two of these.
const THINGS: [&str; 40] = [
    "senge",
    "kørestole",
    "lifte",
    "medicin",
    "journaler",
    "blanketter",
    "skilte",
    "lamper",
    "pumper",
    "ventiler",
    "kloakker",
    "veje",
    "cykler",
    "busser",
    "containere",
    "affald",
    "tøj",
    "måltider",
    "nøgler",
    "tablets",
    "kabler",
    "planter",
    "træer",
    "legepladser",
    "haller",
    "både",
    "kajer",
    "bøger",
    "arkiver",
    "kort",
    "målere",
    "vinduer",
    "tage",
    "kedler",
    "batterier",
    "sandsække",
    "briller",
    "høreapparater",
    "skolebænke",
    "kopimaskiner",
];

/// Copies the imported challenges, which are those that were submitted, until there are so many and as many confirmed
/// subscriptions. Every copy has an id and a change number of its own, its words, its CPV codes and a fact in its history.
pub fn fill(database: &Database, size: usize) {
    let postgres = database.file().is_none();
    let at = if postgres { "TIMESTAMP '2026-01-01 00:00:00'" } else { "'2026-01-01 00:00:00'" };
    // What is copied keeps to the constraints; nobody is about to cut the power.
    let quick = if postgres {
        "SET session_replication_role = replica; SET synchronous_commit = off;"
    } else {
        "PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;"
    };
    // A first call takes down which were imported; a later one goes on after the copies that are there.
    let count = |sql: &str| database.column(sql)[0].parse::<usize>().unwrap();
    database.execute(
        "CREATE TABLE IF NOT EXISTS bench_imported (id TEXT NOT NULL PRIMARY KEY, number BIGINT NOT NULL); \
         INSERT INTO bench_imported SELECT id, row_number() OVER (ORDER BY id) FROM challenge \
         WHERE status = 'submitted' AND NOT EXISTS (SELECT 1 FROM bench_imported)",
    );
    let imported = count("SELECT CAST(count(*) AS TEXT) AS value FROM bench_imported");
    let there = count("SELECT CAST(count(*) AS TEXT) AS value FROM challenge WHERE status = 'submitted'") / imported;
    let change = count("SELECT CAST(value AS TEXT) AS value FROM change_counter");
    let mut sql = format!("{quick} BEGIN;");
    for copy in there..size.div_ceil(imported) {
        // The last twelve digits of an id are its own; what comes before them tells one copy from another.
        let id = |of: &str| format!("'019b0000-{copy:04x}-7000-8000-' || substr({of}, 25, 12)");
        let things = format!("{} og {}", THINGS[copy % 40], THINGS[copy / 40 % 40]);
        let change = format!("{change} + {} + b.number", (copy - there) * imported);
        write!(
            sql,
            "INSERT INTO challenge (id, organisation_id, call_id, theme, description, words, status, status_at, status_by, reason, \
             overridden, submitted_at, process_id, assessment, version, changed, created_at, updated_at) \
             SELECT {}, organisation_id, call_id, theme, replace(description, '{MARK}', '{things}'), replace(words, '{MARK}', '{things}'), \
             status, status_at, status_by, reason, overridden, submitted_at, process_id, assessment, version, {change}, created_at, \
             updated_at FROM bench_imported b JOIN challenge c ON c.id = b.id; \
             INSERT INTO challenge_cpv (challenge_id, code) SELECT {}, code FROM bench_imported b JOIN challenge_cpv c ON \
             c.challenge_id = b.id; \
             INSERT INTO fact (change, turn, at, subject, subject_id, deed, actor_name, data) SELECT {change}, 0, {at}, 'challenge', {}, \
             'submitted', 'Mette Holm', '{{}}' FROM bench_imported b;",
            id("b.id"),
            id("b.id"),
            id("b.id"),
        )
        .unwrap();
        if copy % 50 == 49 {
            sql.push_str("COMMIT; BEGIN;");
        }
    }
    let subscribed = count("SELECT CAST(count(*) AS TEXT) AS value FROM subscription WHERE status = 'confirmed'");
    let id = if postgres {
        "'01890000-0000-7000-8000-' || lpad(to_hex(n), 12, '0')"
    } else {
        "printf('01890000-0000-7000-8000-%012x', n)"
    };
    let address = "'nr' || n || '@d' || (n % 977) || '.example'";
    write!(
        sql,
        "UPDATE change_counter SET value = (SELECT max(changed) FROM challenge); \
         WITH RECURSIVE numbers (n) AS (SELECT {subscribed} + 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {size}) \
         INSERT INTO subscription (id, email, email_key, language, frequency, filter, status, consent_text, consent_at, consent_source, \
         confirmed_at, created_at, updated_at, version) SELECT {id}, {address}, {address}, 'da', 'daily', \
         '{{\"cpv\":[\"33000000\"],\"nuts\":[\"DK\"]}}', 'confirmed', 'ja', {at}, 'benchmark', {at}, {at}, {at}, 1 FROM numbers; COMMIT;"
    )
    .unwrap();
    if postgres {
        // As it does by itself after some minutes.
        sql.push_str("ANALYZE; CHECKPOINT;");
    } else {
        sql.push_str("PRAGMA wal_checkpoint(TRUNCATE);");
    }
    database.execute(&sql);
}

/// A query for some hundred submitted challenges from all over a database of this size.
pub fn some_challenges(size: usize) -> String {
    format!(
        "SELECT id AS value FROM challenge WHERE status = 'submitted' AND changed % {} = 0 LIMIT 500",
        (size / 500).max(1)
    )
}

//! PostgreSQL as a peer: its full text and its trigrams over the same texts, in tables of one session.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Float, Integer, Text};

/// A connection to compare with.
pub struct Postgres(PgConnection);

/// A text that PostgreSQL found.
#[derive(QueryableByName)]
struct Hit {
    #[diesel(sql_type = Integer)]
    id: i32,
}

/// How PostgreSQL ranks.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    /// `ts_rank` over Danish stems, the words of the question joined by OR.
    FullText,
    /// `similarity` of pg_trgm.
    Trigrams,
}

/// Rows put in with one statement.
const BATCH: usize = 5_000;

impl Postgres {
    /// # Errors
    /// Where there is no such server.
    pub fn connect(url: &str) -> Result<Postgres, ConnectionError> {
        PgConnection::establish(url).map(Postgres)
    }

    /// Fills the table with these texts and indexes it, in the place of what was there.
    ///
    /// # Errors
    /// PostgreSQL's.
    pub fn fill(&mut self, texts: &[String]) -> QueryResult<()> {
        for statement in [
            "DROP TABLE IF EXISTS evaluated",
            "CREATE TEMP TABLE evaluated (id INTEGER PRIMARY KEY, body TEXT NOT NULL, words TSVECTOR NOT NULL)",
        ] {
            sql_query(statement).execute(&mut self.0)?;
        }
        for (batch, texts) in texts.chunks(BATCH).enumerate() {
            let first = batch * BATCH;
            let ids: Vec<i32> = (first..).take(texts.len()).filter_map(|id| i32::try_from(id).ok()).collect();
            sql_query(
                "INSERT INTO evaluated SELECT id, body, to_tsvector('danish', body) FROM unnest($1, $2) AS t(id, body)",
            )
            .bind::<Array<Integer>, _>(ids)
            .bind::<Array<Text>, _>(texts)
            .execute(&mut self.0)?;
        }
        for statement in ["CREATE INDEX ON evaluated USING gin (words)", "ANALYZE evaluated"] {
            sql_query(statement).execute(&mut self.0)?;
        }
        Ok(())
    }

    /// Whether pg_trgm is there, or could be made.
    pub fn has_trigrams(&mut self) -> bool {
        sql_query("CREATE EXTENSION IF NOT EXISTS pg_trgm").execute(&mut self.0).is_ok()
    }

    /// The texts that PostgreSQL ranks first for this one.
    ///
    /// # Errors
    /// PostgreSQL's.
    pub fn best(&mut self, way: Way, text: &str, limit: usize) -> QueryResult<Vec<usize>> {
        let limit = i32::try_from(limit).unwrap_or(i32::MAX);
        let hits: Vec<Hit> = match way {
            Way::FullText => sql_query(
                "WITH asked AS (SELECT string_agg(quote_literal(word), ' | ')::tsquery AS words \
                 FROM unnest(tsvector_to_array(to_tsvector('danish', $1))) AS t(word)) \
                 SELECT id FROM evaluated, asked WHERE evaluated.words @@ asked.words \
                 ORDER BY ts_rank(evaluated.words, asked.words) DESC, id LIMIT $2",
            )
            .bind::<Text, _>(text)
            .bind::<Integer, _>(limit)
            .load(&mut self.0)?,
            Way::Trigrams => sql_query(
                "SELECT id FROM evaluated WHERE similarity(body, $1) > $3 ORDER BY similarity(body, $1) DESC, id LIMIT $2",
            )
            .bind::<Text, _>(text)
            .bind::<Integer, _>(limit)
            .bind::<Float, _>(0.0)
            .load(&mut self.0)?,
        };
        Ok(hits.into_iter().filter_map(|hit| usize::try_from(hit.id).ok()).collect())
    }
}

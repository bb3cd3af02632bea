//! The ledger of equal treatment: what was published, who was queued for it, what became of each letter. It only
//! grows. Each entry's hash covers the entry before, so that nothing can be changed, put in or taken out unseen; people
//! stand in it by a keyed hash of their address, so that it outlives their erasure.

use std::collections::HashMap;
use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;

use super::store;
use crate::db::{AnyConnection, DbError, Tx};
use crate::dialogue::Version;
use crate::kernel::{Instant, digest};
use crate::post;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// 1, 2, 3 … without gaps.
    pub number: i64,
    pub at: Instant,
    pub dialogue_id: String,
    /// published, queued or settled.
    pub deed: String,
    pub data: String,
    pub hash: String,
}

impl Entry {
    /// The hash that the entry must carry after one with this hash.
    #[must_use]
    pub fn hash_after(&self, previous: &str) -> String {
        let Self { number, at, dialogue_id, deed, data, .. } = self;
        digest(format!("{previous}\n{number}\n{}\n{dialogue_id}\n{deed}\n{data}", at.timestamp_micros()).as_bytes())
    }
}

/// How many deliveries are compared with the ledger at a time: what bounds the memory that a check takes. The ledger is
/// read once for each so many.
const WINDOW: usize = 200_000;

/// What a check of the whole ledger found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub entries: i64,
    pub deliveries: usize,
    /// The first thing that is wrong; none when the ledger is whole.
    pub flaw: Option<String>,
}

/// What an entry says of deliveries of one version, a line for each.
#[derive(Serialize)]
pub(super) struct OfVersion<'a, Line> {
    pub(super) version_id: &'a str,
    pub(super) deliveries: Vec<Line>,
}

/// What became of one delivery.
#[derive(Serialize)]
pub(super) struct Became<'a> {
    pub(super) id: String,
    pub(super) outcome: &'a str,
    pub(super) answer: &'a str,
    /// The letter that told it: for those of one digest the same. Left out where it bears the delivery's own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) letter: Option<String>,
}

/// Adds an entry.
///
/// # Errors
/// [`DbError`].
pub(super) fn append(
    tx: &mut Tx<'_>,
    at: Instant,
    dialogue_id: String,
    deed: &str,
    data: &impl Serialize,
) -> Result<(), DbError> {
    let (last, previous) =
        store::last_entry(tx.connection)?.map_or((0, String::new()), |(number, _, hash)| (number, hash));
    let data = serde_json::to_string(data).map_err(|error| DbError::Refused(error.to_string()))?;
    let (deed, hash) = (deed.to_owned(), String::new());
    let mut entry = Entry { number: last + 1, at, dialogue_id, deed, data, hash };
    entry.hash = entry.hash_after(&previous);
    store::insert_entry(tx, entry)
}

/// Whether the ledger says that this version was published.
///
/// # Errors
/// [`DbError`].
pub(super) fn tells_of(connection: &mut AnyConnection, version: &Version) -> Result<bool, DbError> {
    let id = Value::String(version.id.to_string());
    let entries = store::entries_of(connection, &version.dialogue_id.to_string(), "published")?;
    let tells = |entry: &Entry| {
        serde_json::from_str::<Value>(&entry.data).is_ok_and(|data| data.get("version_id") == Some(&id))
    };
    Ok(entries.iter().any(tells))
}

/// A head of the ledger that somebody kept: how many entries there were, and the hash over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub number: i64,
    pub hash: String,
}

impl FromStr for Head {
    type Err = String;
    fn from_str(written: &str) -> Result<Self, String> {
        let read = written.split_once(':').and_then(|(number, hash)| Some((number.parse().ok()?, hash)));
        let head = read.map(|(number, hash)| Self { number, hash: hash.to_owned() });
        head.ok_or_else(|| "NUMBER:HASH, as a report or /api/v1/ledger/head says it".to_owned())
    }
}

/// Reads the whole ledger and every delivery of a notice, and says whether they belong together. The chain alone shows that
/// no entry was changed, put in or taken out before its end; a head that was kept shows that the end was not cut off or
/// written anew either.
///
/// # Errors
/// [`DbError`].
pub fn verify(connection: &mut AnyConnection, kept: Option<&Head>) -> Result<Verdict, DbError> {
    verify_by(connection, kept, WINDOW)
}

/// The same, comparing so many deliveries at a time.
///
/// # Errors
/// [`DbError`].
pub fn verify_by(connection: &mut AnyConnection, kept: Option<&Head>, window: usize) -> Result<Verdict, DbError> {
    let (mut place, mut deliveries) = (String::new(), 0);
    loop {
        // Deliveries first: what is in the window was in the ledger before.
        let mut known = HashMap::new();
        while known.len() < window {
            let page = post::store::notices_after(connection, &place)?;
            let Some((end, _)) = page.last() else { break };
            place.clone_from(end);
            known.extend(
                page.into_iter().map(|(id, status)| (id, Known { is_sent: status == "sent", ..Known::default() })),
            );
        }
        let (entries, flaw) = walk(connection, kept, |entry| note(entry, &mut known))?;
        if flaw.is_some() {
            return Ok(Verdict { entries, deliveries, flaw });
        }
        deliveries += known.len();
        let untold = |(_, known): &(&String, &Known)| !known.says_queued || (known.is_sent && !known.says_sent);
        if let Some((id, known)) = known.iter().filter(untold).min_by_key(|(id, _)| *id) {
            let status = if known.is_sent { "sent" } else { "queued" };
            let flaw = Some(format!("delivery {id} is {status}, and the ledger does not say so"));
            return Ok(Verdict { entries, deliveries, flaw });
        }
        if known.len() < window {
            return Ok(Verdict { entries, deliveries, flaw: None });
        }
    }
}

/// Reads the ledger from its beginning to its end; returns how many entries hold together, and what is wrong with the
/// next.
fn walk(
    connection: &mut AnyConnection,
    kept: Option<&Head>,
    mut note: impl FnMut(&Entry),
) -> Result<(i64, Option<String>), DbError> {
    let (mut last, mut hash) = (0, String::new());
    loop {
        let page = store::entries_after(connection, last)?;
        if page.is_empty() {
            break;
        }
        for entry in page {
            let number = last + 1;
            if entry.number != number {
                return Ok((last, Some(format!("entry {number} is missing"))));
            }
            if entry.hash != entry.hash_after(&hash) {
                return Ok((last, Some(format!("entry {number} is not as it was written"))));
            }
            if kept.is_some_and(|kept| kept.number == number && kept.hash != entry.hash) {
                return Ok((last, Some(format!("entry {number} is another than when its head was kept"))));
            }
            note(&entry);
            (last, hash) = (number, entry.hash);
        }
    }
    let cut = kept.filter(|kept| kept.number > last);
    Ok((last, cut.map(|kept| format!("entries {} to {} are missing", last + 1, kept.number))))
}

/// A delivery, and what the ledger says of it.
#[derive(Default)]
struct Known {
    is_sent: bool,
    says_queued: bool,
    says_sent: bool,
}

/// Notes what an entry says of the deliveries that are looked at.
fn note(entry: &Entry, known: &mut HashMap<String, Known>) {
    let data: Value = serde_json::from_str(&entry.data).unwrap_or_default();
    let deliveries = data.get("deliveries").and_then(Value::as_array).into_iter().flatten();
    for delivery in deliveries {
        let field = |name: &str| delivery.get(name).and_then(Value::as_str).unwrap_or_default();
        let Some(known) = known.get_mut(field("id")) else { continue };
        known.says_queued |= entry.deed == "queued";
        known.says_sent |= entry.deed == "settled" && field("outcome") == "sent";
    }
}

/// The ids of the deliveries that the data of an entry speaks of.
pub(super) fn deliveries_of(data: &Value) -> Vec<String> {
    let deliveries = data.get("deliveries").and_then(Value::as_array).into_iter().flatten();
    deliveries.filter_map(|delivery| delivery.get("id")?.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_head_is_read_as_it_was_written_and_no_text_breaks_the_reader(number: i64, hash in "[0-9a-f]{64}", text in ".{0,40}") {
            let read: Head = format!("{number}:{hash}").parse().unwrap();
            proptest::prop_assert_eq!(read, Head { number, hash });
            let _ = text.parse::<Head>();
        }
    }
}

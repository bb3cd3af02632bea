//! One body carries on another's challenges, and its words on those of others.

use std::collections::BTreeSet;

use serde_json::json;

use super::actions::Judge;
use super::store::{self, Reader};
use super::{Challenge, Recognition, RecognitionBody};
use crate::db::Tx;
use crate::kernel::{Id, Instant};
use crate::organisation::Handover;
use crate::outbox::{Actor, Fact, Subject, record};
use crate::web::Problem;

/// How many challenges are read at a time.
const PAGE: i64 = 200;

/// Moves the challenges of a body to its successor, whatever their stage, and its recognitions; each keeps its history.
/// They are assessed anew, since a body does not count as another to itself. Returns how many challenges and how many
/// recognitions there were.
///
/// # Errors
/// Those of the database.
pub fn take_over(tx: &mut Tx<'_>, now: Instant, by: &Actor, handover: &Handover) -> Result<(usize, usize), Problem> {
    let moved = take_over_challenges(tx, now, by, handover)?;
    let recognised = store::recognised_by(tx.connection, handover.from.id)?;
    for id in &recognised {
        take_over_word(tx, now, *id, handover)?;
        let told = Fact::new(Subject::Challenge, *id, "recognition_handed_over", by.clone(), now);
        record(tx, told.with(names(handover)))?;
    }
    // What the successor had said of a challenge that is its own now.
    for id in &moved {
        store::silence(tx, *id, handover.to.id)?;
    }
    for id in moved.iter().chain(&recognised).collect::<BTreeSet<_>>() {
        let challenge = store::find(tx.connection, *id)?.ok_or_else(Problem::not_found)?;
        let assessment = Judge::default().again(tx.connection, now, &challenge)?;
        let version = challenge.version + 1;
        store::update(tx, &Challenge { assessment, version, updated_at: now, ..challenge })?;
    }
    Ok((moved.len(), recognised.len()))
}

fn take_over_challenges(
    tx: &mut Tx<'_>,
    now: Instant,
    by: &Actor,
    handover: &Handover,
) -> Result<Vec<Id<Challenge>>, Problem> {
    let mut moved = Vec::new();
    loop {
        // Those that were moved are no longer among them.
        let page = store::registered_after(tx.connection, Reader::Body(handover.from.id), None, None, PAGE)?;
        if page.is_empty() {
            return Ok(moved);
        }
        for challenge in page {
            let id = challenge.id;
            store::update(tx, &Challenge { organisation_id: handover.to.id, ..challenge })?;
            record(tx, Fact::new(Subject::Challenge, id, "handed_over", by.clone(), now).with(names(handover)))?;
            moved.push(id);
        }
    }
}

/// The predecessor's word no longer counts and is kept; the successor says it, together with what it had said itself,
/// unless the challenge is its own.
fn take_over_word(tx: &mut Tx<'_>, now: Instant, id: Id<Challenge>, handover: &Handover) -> Result<(), Problem> {
    let said = store::recognitions(tx.connection, id)?;
    let of = |body| said.iter().find(|said| said.organisation_id == body).cloned();
    let (Some(word), own) = (of(handover.from.id), of(handover.to.id)) else { return Ok(()) };
    store::silence(tx, id, handover.from.id)?;
    let challenge = store::find(tx.connection, id)?.ok_or_else(Problem::not_found)?;
    if challenge.organisation_id == handover.to.id {
        return Ok(());
    }
    let (first, last) = match own {
        None => (None, word),
        Some(own) if own.said_at <= word.said_at => (Some(own), word),
        Some(own) => (Some(word), own),
    };
    let body = match first {
        None => last.body,
        Some(first) => RecognitionBody::together(first.body, last.body),
    };
    let together = Recognition {
        id: Id::made_at(now),
        organisation_id: handover.to.id,
        organisation: handover.to.body.name.clone(),
        body,
        said_by: last.said_by,
        said_at: last.said_at,
    };
    Ok(store::insert_recognition(tx, id, &together)?)
}

fn names(handover: &Handover) -> serde_json::Value {
    json!({"from": handover.from.body.name, "to": handover.to.body.name})
}

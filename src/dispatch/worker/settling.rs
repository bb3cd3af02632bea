//! Settling what has a postmark: deliveries, the ledger, and addresses that turned out to be none, in one transaction.

use std::collections::{BTreeMap, HashMap};

use crate::db::{DbError, Tx};
use crate::dialogue;
use crate::dispatch::bounce;
use crate::dispatch::ledger::{self, Became, OfVersion};
use crate::kernel::Instant;
use crate::post::Outcome;
use crate::post::store::{Postmark, Unfit, settle, suppress, take_postmarks};

/// Settles all that has a postmark; returns how many letters that were. `dialogues` tells the dialogues of versions, as far
/// as they are known.
///
/// # Errors
/// [`DbError`].
pub(super) fn settle_all(tx: &mut Tx<'_>, dialogues: &HashMap<String, String>, now: Instant) -> Result<usize, DbError> {
    let marks = take_postmarks(tx)?;
    if marks.is_empty() {
        return Ok(0);
    }
    settle(tx, &marks)?;
    enter(tx, marks.iter().flat_map(lines), dialogues, now)?;
    for hash in marks.iter().flat_map(|mark| &mark.letters).filter_map(|posted| posted.gone.as_ref()) {
        suppress(tx, hash, bounce::NO_MAILBOX, now)?;
    }
    Ok(marks.iter().map(|mark| mark.letters.len()).sum())
}

/// Enters into the ledger that deliveries which cannot be read were given up, as far as they are of a notice.
///
/// # Errors
/// [`DbError`].
pub(super) fn enter_unfit(
    tx: &mut Tx<'_>,
    unfit: &[Unfit],
    dialogues: &HashMap<String, String>,
    now: Instant,
) -> Result<(), DbError> {
    let lines = unfit.iter().filter_map(|unfit| {
        let line = Became { id: unfit.id.clone(), outcome: "failed", answer: &unfit.why, letter: None };
        Some((unfit.notice_version_id.as_deref()?, line))
    });
    enter(tx, lines, dialogues, now)
}

/// What the ledger says of letters that are done with: the version, and the line.
fn lines(mark: &Postmark) -> impl Iterator<Item = (&str, Became<'_>)> {
    mark.letters.iter().flat_map(|posted| {
        let outcome = word(&posted.outcome);
        let answer = match &posted.outcome {
            Outcome::Sent { answer } | Outcome::Failed { answer } | Outcome::Suppressed { why: answer } => Some(answer),
            Outcome::Retry { .. } => None,
        };
        let named_by = posted.deliveries.first().map(|(id, _)| *id);
        posted.deliveries.iter().filter_map(move |(id, version)| {
            let letter = named_by.filter(|letter| letter != id).map(|letter| letter.to_string());
            Some((version.as_deref()?, Became { id: id.to_string(), outcome, answer: answer?, letter }))
        })
    })
}

/// An entry for each version.
fn enter<'a>(
    tx: &mut Tx<'_>,
    lines: impl Iterator<Item = (&'a str, Became<'a>)>,
    dialogues: &HashMap<String, String>,
    now: Instant,
) -> Result<(), DbError> {
    let mut by_version: BTreeMap<&str, Vec<Became>> = BTreeMap::new();
    for (version, line) in lines {
        by_version.entry(version).or_default().push(line);
    }
    for (version_id, deliveries) in by_version {
        let dialogue = match dialogues.get(version_id) {
            Some(dialogue) => dialogue.clone(),
            // Of a version that is gone the line is kept all the same: it must not hold up all others.
            None => dialogue::store::dialogue_of(tx.connection, version_id)?.unwrap_or_default(),
        };
        ledger::append(tx, now, dialogue, "settled", &OfVersion { version_id, deliveries })?;
    }
    Ok(())
}

/// What became of a letter, in one word.
pub(super) fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Sent { .. } => "sent",
        Outcome::Retry { .. } => "retry",
        Outcome::Failed { .. } => "failed",
        Outcome::Suppressed { .. } => "suppressed",
    }
}

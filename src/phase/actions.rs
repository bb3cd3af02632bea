//! The deeds on tracks, checklists and the library.

use serde_json::json;

use super::{Actor, Checklist, ChecklistBody, Entry, EntryBody, Mark, MarkState, Phase, Track, WrongTurn, store};
use crate::access::{Member, Staff};
use crate::db::{AnyConnection, Tx};
use crate::kernel::{Fit, Id, Instant, text};
use crate::outbox;
use crate::process::actions::touch;
use crate::process::{self, Process};
use crate::web::{IfMatch, Patch, Problem};

/// Adds the next version of the checklist. Tracks keep theirs until they are renewed.
///
/// # Errors
/// Those of the database.
pub fn add_checklist(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    body: Fit<ChecklistBody>,
) -> Result<Checklist, Problem> {
    let newest = newest(tx.connection)?;
    let checklist = Checklist { version: newest.version + 1, body: body.into_inner() };
    store::insert_checklist(tx, &checklist, &staff.actor().name, now)?;
    Ok(checklist)
}

fn newest(connection: &mut AnyConnection) -> Result<Checklist, Problem> {
    let found = store::checklists(connection)?.into_iter().next();
    found.ok_or_else(|| Problem::internal(&"no checklist"))
}

/// Lets a process carry a track, beginning with the idea and the newest checklist.
///
/// # Errors
/// 404, 409 for a process that has ended or carries one.
pub fn begin(tx: &mut Tx<'_>, now: Instant, staff: &Staff, id: Id<Process>) -> Result<Track, Problem> {
    let process = process::store::find(tx.connection, id)?.ok_or_else(Problem::not_found)?;
    process.require_running()?;
    if store::track(tx.connection, id)?.is_some() {
        let detail = text!("Processen har allerede et OPI-forløb", "The process carries an OPI track already");
        return Err(Problem::conflict("has_track", detail));
    }
    let checklist = newest(tx.connection)?;
    let track = Track {
        process_id: id,
        checklist,
        phase: Phase::Idea,
        finished_at: None,
        marks: Vec::new(),
        version: 1,
        created_at: now,
    };
    let told = json!({"checklist_version": track.checklist.version});
    save(tx, now, process, &track, staff.actor(), "opi_begun", told, None)?;
    Ok(track)
}

/// Whoever marks an item: staff any, a participating public body those of the public body.
pub enum Marker {
    Staff(Staff),
    Member(Member),
}

/// Marks an item as done or waived, or opens it again.
///
/// # Errors
/// 404, 403 for another actor's item, 422 for waiving without a reason.
pub fn mark(
    tx: &mut Tx<'_>,
    now: Instant,
    by: &Marker,
    id: Id<Process>,
    key: &str,
    state: MarkState,
    reason: Option<String>,
) -> Result<Track, Problem> {
    let (process, track) = carried(tx.connection, id)?;
    let actor = match by {
        Marker::Staff(staff) => staff.actor(),
        Marker::Member(member) => {
            if !process::store::is_inside(tx.connection, id, Some(member.organisation_id()))? {
                return Err(Problem::not_found());
            }
            let item = track.checklist.body.items.iter().find(|item| item.key == key);
            if item.is_some_and(|item| item.actor != Actor::PublicBody) {
                let detail =
                    text!("I kan kun svare for den offentlige part", "You can only answer for the public body");
                return Err(Problem::forbidden(detail));
            }
            member.actor()
        }
    };
    let mark = Mark { key: key.to_owned(), state, by: actor.name.clone(), at: now, reason: reason.clone() };
    let track = track.set(mark)?;
    save(tx, now, process, &track, actor, "opi_item_marked", json!({"item": key, "state": state}), reason)?;
    Ok(track)
}

/// Goes on to the next phase, or to the end; with open items only with a reason.
///
/// # Errors
/// 404, 409 with open items and no reason, or at the end.
pub fn advance(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<Process>,
    reason: Option<String>,
) -> Result<Track, Problem> {
    let (process, track) = carried(tx.connection, id)?;
    let open: Vec<String> = track.open(track.phase).map(|item| item.key.clone()).collect();
    let before = track.phase;
    let track = track.advance(reason.as_deref(), now)?;
    let told = json!({"from": before, "to": track.phase, "finished": track.finished_at.is_some(), "open_items": open});
    save(tx, now, process, &track, staff.actor(), "opi_advanced", told, reason)?;
    Ok(track)
}

/// Takes the newest checklist over; what was marked stays with its key.
///
/// # Errors
/// 404.
pub fn renew(tx: &mut Tx<'_>, now: Instant, staff: &Staff, id: Id<Process>) -> Result<Track, Problem> {
    let (process, track) = carried(tx.connection, id)?;
    let newest = newest(tx.connection)?;
    let told = json!({"from": track.checklist.version, "to": newest.version});
    let track = track.renewed(newest);
    save(tx, now, process, &track, staff.actor(), "opi_checklist_renewed", told, None)?;
    Ok(track)
}

/// The process and the track that it carries.
///
/// # Errors
/// 404 for either.
pub fn carried(connection: &mut AnyConnection, id: Id<Process>) -> Result<(Process, Track), Problem> {
    let process = process::store::find(connection, id)?.ok_or_else(Problem::not_found)?;
    let track = store::track(connection, id)?.ok_or_else(Problem::not_found)?;
    Ok((process, track))
}

#[expect(clippy::too_many_arguments, reason = "who did what, when and why, to which track of which process")]
fn save(
    tx: &mut Tx<'_>,
    now: Instant,
    process: Process,
    track: &Track,
    by: outbox::Actor,
    deed: &'static str,
    told: serde_json::Value,
    reason: Option<String>,
) -> Result<(), Problem> {
    store::put_track(tx, track)?;
    touch(tx, now, process, deed, by, told, reason)?;
    Ok(())
}

/// Adds a tool or a case to the library.
///
/// # Errors
/// Those of the database.
pub fn add_entry(tx: &mut Tx<'_>, now: Instant, _: &Staff, body: Fit<EntryBody>) -> Result<Entry, Problem> {
    let entry = Entry { id: Id::made_at(now), body: body.into_inner(), version: 1, created_at: now, updated_at: now };
    store::put_entry(tx, &entry)?;
    Ok(entry)
}

/// Changes a tool or a case.
///
/// # Errors
/// 404, 412, 422.
pub fn change_entry(
    tx: &mut Tx<'_>,
    now: Instant,
    _: &Staff,
    id: Id<Entry>,
    seen: &IfMatch,
    patch: &Patch,
) -> Result<Entry, Problem> {
    let entry = store::find_entry(tx.connection, id)?.ok_or_else(Problem::not_found)?;
    seen.require(entry.version)?;
    let body = patch.apply(&entry.body)?.into_inner();
    let entry = Entry { body, version: entry.version + 1, updated_at: now, ..entry };
    store::put_entry(tx, &entry)?;
    Ok(entry)
}

/// Takes a tool or a case out of the library.
///
/// # Errors
/// 404.
pub fn remove_entry(tx: &mut Tx<'_>, _: &Staff, id: Id<Entry>) -> Result<(), Problem> {
    store::find_entry(tx.connection, id)?.ok_or_else(Problem::not_found)?;
    Ok(store::remove_entry(tx, id)?)
}

impl From<WrongTurn> for Problem {
    fn from(situation: WrongTurn) -> Self {
        match situation {
            WrongTurn::NoSuchItem => Self::not_found(),
            WrongTurn::NeedsReason => {
                Self::unfit("/reason", "required", text!("Det kræver en begrundelse", "This takes a reason"))
            }
            WrongTurn::OpenItems { keys } => {
                let (count, keys) = (keys.len(), keys.join(", "));
                Self::conflict(
                    "open_items",
                    text!(
                        "{count} punkt(er) er åbne ({keys}); gør dem færdige, eller giv en begrundelse",
                        "{count} item(s) are open ({keys}); finish them, or give a reason"
                    ),
                )
            }
            WrongTurn::Finished => Self::conflict("ended", text!("Forløbet er slut", "The track has ended")),
        }
    }
}

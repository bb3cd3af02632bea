//! Checklists, tracks and the library in the database. Version 1 of the checklist is built in and needs no row.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::{Actor, Checklist, ChecklistBody, Entry, EntryBody, EntryKind, Mark, MarkState, Phase, Track, built_in};
use crate::db::schema::{library_entry, opi_checklist, opi_mark, opi_track};
use crate::db::{AnyConnection, DbError, Lift, Tx, by_change, optional};
use crate::kernel::{Cursor, Id, Instant, Page, PageRequest, fold};
use crate::process::Process;

fn json<T: serde::Serialize>(value: &T) -> Result<String, DbError> {
    serde_json::to_string(value).map_err(|error| DbError::Refused(error.to_string()))
}

/// Every version of the checklist, the newest first.
///
/// # Errors
/// [`DbError`].
pub fn checklists(connection: &mut AnyConnection) -> Result<Vec<Checklist>, DbError> {
    use opi_checklist as c;
    let rows: Vec<(i32, String)> = c::table.order(c::version.desc()).select((c::version, c::body)).load(connection)?;
    let lift = |(version, body): (i32, String)| {
        let body = Lift::new("opi_checklist", &version).json::<ChecklistBody>("body", &body)?;
        Ok(Checklist { version, body })
    };
    let mut all = rows.into_iter().map(lift).collect::<Result<Vec<_>, DbError>>()?;
    all.push(built_in().map_err(|error| DbError::Refused(error.to_string()))?);
    Ok(all)
}

/// Adds a version of the checklist.
///
/// # Errors
/// [`DbError`].
pub fn insert_checklist(tx: &mut Tx<'_>, one: &Checklist, by: &str, now: Instant) -> Result<(), DbError> {
    use opi_checklist as c;
    let row = (
        c::version.eq(one.version),
        c::body.eq(json(&one.body)?),
        c::written_by.eq(by),
        c::written_at.eq(now.naive_utc()),
    );
    diesel::insert_into(c::table).values(row).execute(tx.connection)?;
    Ok(())
}

type TrackRow = (String, i32, String, Option<NaiveDateTime>, i64, NaiveDateTime);
type MarkRow = (String, String, String, NaiveDateTime, Option<String>);

/// The track that a process carries.
///
/// # Errors
/// [`DbError`].
pub fn track(connection: &mut AnyConnection, process: Id<Process>) -> Result<Option<Track>, DbError> {
    use opi_mark as m;
    let row: Option<TrackRow> = optional(opi_track::table.find(process.to_string()).first(connection))?;
    let Some((id, checklist, phase, finished_at, version, created_at)) = row else { return Ok(None) };
    let row = Lift::new("opi_track", &id);
    let known = checklists(connection)?.into_iter().find(|one| one.version == checklist);
    let marks: Vec<MarkRow> = m::table
        .filter(m::process_id.eq(&id))
        .order((m::marked_at, m::item_key))
        .select((m::item_key, m::state, m::marked_by, m::marked_at, m::reason))
        .load(connection)?;
    let mark = |(key, state, by, at, reason): MarkRow| {
        let state = Lift::new("opi_mark", &key).some("state", MarkState::from_word(&state))?;
        Ok(Mark { key, state, by, at: at.and_utc(), reason })
    };
    Ok(Some(Track {
        process_id: process,
        checklist: row.some("checklist", known)?,
        phase: row.some("phase", Phase::from_word(&phase))?,
        finished_at: finished_at.map(|at| at.and_utc()),
        marks: marks.into_iter().map(mark).collect::<Result<_, DbError>>()?,
        version,
        created_at: created_at.and_utc(),
    }))
}

/// Adds a track, or stores one that was changed.
///
/// # Errors
/// [`DbError`].
pub fn put_track(tx: &mut Tx<'_>, track: &Track) -> Result<(), DbError> {
    use {opi_mark as m, opi_track as t};
    let id = track.process_id.to_string();
    let stands = (
        t::checklist.eq(track.checklist.version),
        t::phase.eq(track.phase.word()),
        t::finished_at.eq(track.finished_at.map(|at| at.naive_utc())),
        t::version.eq(track.version),
    );
    if diesel::update(t::table.find(&id)).set(stands).execute(tx.connection)? == 0 {
        let named = (t::process_id.eq(&id), t::created_at.eq(track.created_at.naive_utc()));
        diesel::insert_into(t::table).values((named, stands)).execute(tx.connection)?;
    }
    diesel::delete(m::table.filter(m::process_id.eq(&id))).execute(tx.connection)?;
    for mark in &track.marks {
        diesel::insert_into(m::table)
            .values((
                m::process_id.eq(&id),
                m::item_key.eq(&mark.key),
                m::state.eq(mark.state.word()),
                m::marked_by.eq(&mark.by),
                m::marked_at.eq(mark.at.naive_utc()),
                m::reason.eq(&mark.reason),
            ))
            .execute(tx.connection)?;
    }
    Ok(())
}

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = library_entry)]
struct EntryRow {
    id: String,
    kind: String,
    body: String,
    /// Words between bars, so that one is found whole.
    phases: String,
    actors: String,
    themes: String,
    language: String,
    version: i64,
    changed: i64,
    created_at: NaiveDateTime,
    updated_at: NaiveDateTime,
}

fn barred<T: AsRef<str>>(words: impl Iterator<Item = T>) -> String {
    let words: Vec<String> = words.map(|word| word.as_ref().replace('|', " ")).collect();
    format!("|{}|", words.join("|"))
}

impl TryFrom<EntryRow> for Entry {
    type Error = DbError;
    fn try_from(row: EntryRow) -> Result<Self, DbError> {
        let lift = Lift::new("library_entry", &row.id);
        Ok(Self {
            id: lift.id("id", &row.id)?,
            body: lift.json::<EntryBody>("body", &row.body)?,
            version: row.version,
            created_at: row.created_at.and_utc(),
            updated_at: row.updated_at.and_utc(),
        })
    }
}

/// What the library may be narrowed to.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub kind: Option<EntryKind>,
    pub phase: Option<Phase>,
    pub actor: Option<Actor>,
    pub theme: Option<String>,
    pub language: Option<String>,
}

/// The name of the list, which its cursors carry.
pub const LIBRARY: &str = "library";

/// One page of the library.
///
/// # Errors
/// [`DbError`].
pub fn library(connection: &mut AnyConnection, filter: &Filter, request: &PageRequest) -> Result<Page<Entry>, DbError> {
    use library_entry as e;
    let holds = |word: &str| format!("%|{}|%", word.replace(['|', '%', '_'], " "));
    let mut query = e::table.into_boxed();
    if let Some(kind) = filter.kind {
        query = query.filter(e::kind.eq(kind.word()));
    }
    if let Some(phase) = filter.phase {
        // The words of phases hold the sign that stands for any letter; none is another's disguise.
        query = query.filter(e::phases.like(format!("%|{}|%", phase.word())));
    }
    if let Some(actor) = filter.actor {
        query = query.filter(e::actors.like(format!("%|{}|%", actor.word())));
    }
    if let Some(theme) = &filter.theme {
        query = query.filter(e::themes.like(holds(&fold(theme))));
    }
    if let Some(language) = &filter.language {
        query = query.filter(e::language.eq(language.clone()));
    }
    query = by_change!(query, e, request.direction, request.after.as_ref());
    let rows: Vec<EntryRow> = query.limit(request.limit + 1).load(connection)?;
    Page::of(LIBRARY, request, rows, |row| Cursor { changed: row.changed, id: row.id.clone() }).try_map(Entry::try_from)
}

/// The entry of this id.
///
/// # Errors
/// [`DbError`].
pub fn find_entry(connection: &mut AnyConnection, id: Id<Entry>) -> Result<Option<Entry>, DbError> {
    let row: Option<EntryRow> = optional(library_entry::table.find(id.to_string()).first(connection))?;
    row.map(Entry::try_from).transpose()
}

/// Adds an entry, or stores one that was changed.
///
/// # Errors
/// [`DbError`].
pub fn put_entry(tx: &mut Tx<'_>, entry: &Entry) -> Result<(), DbError> {
    let body = &entry.body;
    let row = EntryRow {
        id: entry.id.to_string(),
        kind: body.kind.word().to_owned(),
        body: json(body)?,
        phases: barred(body.phases.iter().map(|phase| phase.word())),
        actors: barred(body.actors.iter().map(|actor| actor.word())),
        themes: barred(body.themes.iter().map(|theme| fold(theme))),
        language: body.language.clone(),
        version: entry.version,
        changed: tx.change,
        created_at: entry.created_at.naive_utc(),
        updated_at: entry.updated_at.naive_utc(),
    };
    if diesel::update(library_entry::table.find(&row.id)).set(&row).execute(tx.connection)? == 0 {
        diesel::insert_into(library_entry::table).values(&row).execute(tx.connection)?;
    }
    Ok(())
}

/// Takes an entry out.
///
/// # Errors
/// [`DbError`].
pub fn remove_entry(tx: &mut Tx<'_>, id: Id<Entry>) -> Result<(), DbError> {
    diesel::delete(library_entry::table.find(id.to_string())).execute(tx.connection)?;
    Ok(())
}

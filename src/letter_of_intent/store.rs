//! Letters of intent and all that belongs to them, in the database.

pub mod signatories;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::{Comment, Document, LetterOfIntent, Status, Template, TemplateBody, built_in};
use crate::db::schema::{letter_comment, letter_of_intent, letter_template, letter_version};
use crate::db::{AnyConnection, DbError, Lift, Tx, optional};
use crate::kernel::{Id, Instant, Language, OrganisationId};
use crate::organisation::store::names;
use crate::process::Process;

pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<String, DbError> {
    serde_json::to_string(value).map_err(|error| DbError::Refused(error.to_string()))
}

type TemplateRow = (String, i32, String);

fn lift_template((key, version, body): TemplateRow) -> Result<Template, DbError> {
    let body = Lift::new("letter_template", &key).json::<TemplateBody>("body", &body)?;
    Ok(Template { key, version, body })
}

/// Every version of every template, by key and then newest first. The built-in ones need no row.
///
/// # Errors
/// [`DbError`].
pub fn templates(connection: &mut AnyConnection) -> Result<Vec<Template>, DbError> {
    use letter_template as t;
    let rows: Vec<TemplateRow> = t::table.select((t::key, t::version, t::body)).load(connection)?;
    let mut all = rows.into_iter().map(lift_template).collect::<Result<Vec<_>, _>>()?;
    all.extend(built_in());
    all.sort_by(|one, other| one.key.cmp(&other.key).then(other.version.cmp(&one.version)));
    Ok(all)
}

/// Adds a version of a template.
///
/// # Errors
/// [`DbError`].
pub fn insert_template(tx: &mut Tx<'_>, template: &Template, now: Instant) -> Result<(), DbError> {
    use letter_template as t;
    let row = (
        t::key.eq(&template.key),
        t::version.eq(template.version),
        t::body.eq(json(&template.body)?),
        t::created_at.eq(now.naive_utc()),
    );
    diesel::insert_into(t::table).values(row).execute(tx.connection)?;
    Ok(())
}

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = letter_of_intent, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Row {
    id: String,
    process_id: String,
    language: String,
    template_key: String,
    template_version: i32,
    status: String,
    number: i32,
    bodies: String,
    frozen_at: Option<NaiveDateTime>,
    comments_until: Option<NaiveDateTime>,
    withdrawn_reason: Option<String>,
    version: i64,
    created_at: NaiveDateTime,
    updated_at: NaiveDateTime,
}

impl Row {
    fn of(letter: &LetterOfIntent) -> Result<Self, DbError> {
        Ok(Self {
            id: letter.id.to_string(),
            process_id: letter.process_id.to_string(),
            language: letter.language.tag().to_owned(),
            template_key: letter.template.0.clone(),
            template_version: letter.template.1,
            status: letter.status.word().to_owned(),
            number: letter.document.number,
            bodies: json(&letter.bodies)?,
            frozen_at: letter.frozen_at.map(|at| at.naive_utc()),
            comments_until: letter.comments_until.map(|at| at.naive_utc()),
            withdrawn_reason: letter.withdrawn_reason.clone(),
            version: letter.version,
            created_at: letter.created_at.naive_utc(),
            updated_at: letter.updated_at.naive_utc(),
        })
    }

    fn lift(self, connection: &mut AnyConnection) -> Result<LetterOfIntent, DbError> {
        use letter_version as v;
        let (title, text): (String, String) =
            v::table.find((&self.id, self.number)).select((v::title, v::text)).first(connection)?;
        let row = Lift::new("letter_of_intent", &self.id);
        Ok(LetterOfIntent {
            id: row.id("id", &self.id)?,
            process_id: row.id("process_id", &self.process_id)?,
            language: row.some("language", Language::from_tag(&self.language))?,
            template: (self.template_key, self.template_version),
            status: row.some("status", Status::from_word(&self.status))?,
            document: Document { number: self.number, title, text },
            bodies: row.json("bodies", &self.bodies)?,
            frozen_at: self.frozen_at.map(|at| at.and_utc()),
            comments_until: self.comments_until.map(|at| at.and_utc()),
            withdrawn_reason: self.withdrawn_reason,
            version: self.version,
            created_at: self.created_at.and_utc(),
            updated_at: self.updated_at.and_utc(),
        })
    }
}

/// The letter of this id.
///
/// # Errors
/// [`DbError`].
pub fn find(connection: &mut AnyConnection, id: Id<LetterOfIntent>) -> Result<Option<LetterOfIntent>, DbError> {
    let row: Option<Row> = optional(letter_of_intent::table.find(id.to_string()).first(connection))?;
    row.map(|row| row.lift(connection)).transpose()
}

/// The letters of a process, the newest first.
///
/// # Errors
/// [`DbError`].
pub fn of_process(connection: &mut AnyConnection, process: Id<Process>) -> Result<Vec<LetterOfIntent>, DbError> {
    use letter_of_intent as l;
    let rows: Vec<Row> = l::table
        .filter(l::process_id.eq(process.to_string()))
        .order((l::created_at.desc(), l::id.desc()))
        .load(connection)?;
    rows.into_iter().map(|row| row.lift(connection)).collect()
}

/// Adds a letter, or stores one that was changed. Its words stand in [`write_version`].
///
/// # Errors
/// [`DbError`].
pub fn put(tx: &mut Tx<'_>, letter: &LetterOfIntent) -> Result<(), DbError> {
    let row = Row::of(letter)?;
    let table = letter_of_intent::table;
    if diesel::update(table.find(letter.id.to_string())).set(&row).execute(tx.connection)? == 0 {
        diesel::insert_into(table).values(&row).execute(tx.connection)?;
    }
    Ok(())
}

/// Keeps the version of the text that a letter has now, unless it is kept already.
///
/// # Errors
/// [`DbError`].
pub fn write_version(tx: &mut Tx<'_>, letter: &LetterOfIntent, by: &str, now: Instant) -> Result<(), DbError> {
    use letter_version as v;
    let Document { number, title, text } = &letter.document;
    let known: i64 = v::table.find((letter.id.to_string(), number)).count().get_result(tx.connection)?;
    if known == 0 {
        let version = (
            v::letter_id.eq(letter.id.to_string()),
            v::number.eq(number),
            v::title.eq(title),
            v::text.eq(text),
            v::sha256.eq(letter.document.sha256()),
            v::written_by.eq(by),
            v::written_at.eq(now.naive_utc()),
        );
        diesel::insert_into(v::table).values(version).execute(tx.connection)?;
    }
    Ok(())
}

/// A version that the text had, who wrote it and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub document: Document,
    pub by: String,
    pub at: Instant,
}

/// Every version that the text had, the newest first.
///
/// # Errors
/// [`DbError`].
pub fn versions(connection: &mut AnyConnection, letter: Id<LetterOfIntent>) -> Result<Vec<Written>, DbError> {
    use letter_version as v;
    let rows: Vec<(i32, String, String, String, NaiveDateTime)> = v::table
        .filter(v::letter_id.eq(letter.to_string()))
        .order(v::number.desc())
        .select((v::number, v::title, v::text, v::written_by, v::written_at))
        .load(connection)?;
    let lift = |(number, title, text, by, at): (i32, String, String, String, NaiveDateTime)| Written {
        document: Document { number, title, text },
        by,
        at: at.and_utc(),
    };
    Ok(rows.into_iter().map(lift).collect())
}

type CommentRow =
    (String, String, String, i32, String, String, NaiveDateTime, Option<String>, Option<String>, Option<NaiveDateTime>);

fn lift_comments(connection: &mut AnyConnection, rows: Vec<CommentRow>) -> Result<Vec<Comment>, DbError> {
    let bodies = rows.iter().map(|row| Lift::new("letter_comment", &row.0).id("organisation_id", &row.2));
    let names = names(connection, &bodies.collect::<Result<Vec<_>, _>>()?)?;
    let lift = |(id, letter, body, number, text, said_by, said_at, resolution, by, at): CommentRow| {
        let row = Lift::new("letter_comment", &id);
        let organisation_id: OrganisationId = row.id("organisation_id", &body)?;
        Ok(Comment {
            id: row.id("id", &id)?,
            letter_id: row.id("letter_id", &letter)?,
            organisation_id,
            organisation: names.get(&organisation_id).cloned().unwrap_or_default(),
            number,
            text,
            said_by,
            said_at: said_at.and_utc(),
            resolution: resolution.zip(by).zip(at).map(|((words, by), at)| (words, by, at.and_utc())),
        })
    };
    rows.into_iter().map(lift).collect()
}

/// What was said of a draft, oldest first.
///
/// # Errors
/// [`DbError`].
pub fn comments(connection: &mut AnyConnection, letter: Id<LetterOfIntent>) -> Result<Vec<Comment>, DbError> {
    use letter_comment as c;
    let rows = c::table.filter(c::letter_id.eq(letter.to_string())).order((c::said_at, c::id)).load(connection)?;
    lift_comments(connection, rows)
}

/// What was said of drafts and has no answer, longest first, and the process that it is about.
///
/// # Errors
/// [`DbError`].
pub fn unanswered_comments(connection: &mut AnyConnection, limit: i64) -> Result<Vec<(Comment, Id<Process>)>, DbError> {
    use letter_comment as c;
    let rows: Vec<(CommentRow, String)> = c::table
        .inner_join(letter_of_intent::table)
        .filter(c::resolution.is_null().and(letter_of_intent::status.eq(Status::Draft.word())))
        .order((c::said_at, c::id))
        .limit(limit)
        .select((c::all_columns, letter_of_intent::process_id))
        .load(connection)?;
    let (rows, processes): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let processes = processes.iter().map(|id| Lift::new("letter_of_intent", id).id("process_id", id));
    let processes = processes.collect::<Result<Vec<_>, _>>()?;
    Ok(lift_comments(connection, rows)?.into_iter().zip(processes).collect())
}

/// The drafts in these processes that take comments, and of which this body has said nothing yet.
///
/// # Errors
/// [`DbError`].
pub fn waiting_for_comments(
    connection: &mut AnyConnection,
    processes: &[Id<Process>],
    body: OrganisationId,
    now: Instant,
) -> Result<Vec<LetterOfIntent>, DbError> {
    use {letter_comment as c, letter_of_intent as l};
    let ids: Vec<String> = processes.iter().map(ToString::to_string).collect();
    let open = l::status.eq(Status::Draft.word()).and(l::comments_until.ge(now.naive_utc()));
    let said = c::table.filter(c::organisation_id.eq(body.to_string())).select(c::letter_id);
    let rows: Vec<Row> =
        l::table.filter(l::process_id.eq_any(ids).and(open).and(l::id.ne_all(said))).order(l::id).load(connection)?;
    rows.into_iter().map(|row| row.lift(connection)).collect()
}

/// The comment of this id.
///
/// # Errors
/// [`DbError`].
pub fn find_comment(connection: &mut AnyConnection, id: Id<Comment>) -> Result<Option<Comment>, DbError> {
    let row: Option<CommentRow> = optional(letter_comment::table.find(id.to_string()).first(connection))?;
    Ok(lift_comments(connection, row.into_iter().collect())?.pop())
}

/// Adds a comment.
///
/// # Errors
/// [`DbError`].
pub fn insert_comment(tx: &mut Tx<'_>, comment: &Comment) -> Result<(), DbError> {
    use letter_comment as c;
    diesel::insert_into(c::table)
        .values((
            c::id.eq(comment.id.to_string()),
            c::letter_id.eq(comment.letter_id.to_string()),
            c::organisation_id.eq(comment.organisation_id.to_string()),
            c::number.eq(comment.number),
            c::text.eq(&comment.text),
            c::said_by.eq(&comment.said_by),
            c::said_at.eq(comment.said_at.naive_utc()),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// Stores what staff did with a comment.
///
/// # Errors
/// [`DbError`].
pub fn resolve_comment(tx: &mut Tx<'_>, id: Id<Comment>, words: &str, by: &str, now: Instant) -> Result<(), DbError> {
    use letter_comment as c;
    diesel::update(c::table.find(id.to_string()))
        .set((c::resolution.eq(words), c::resolved_by.eq(by), c::resolved_at.eq(now.naive_utc())))
        .execute(tx.connection)?;
    Ok(())
}

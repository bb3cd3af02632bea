//! Signatories in the database.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::schema::{letter_of_intent, signatory};
use crate::db::{AnyConnection, DbError, Lift, Tx, optional};
use crate::kernel::{Id, Instant, Language, OrganisationId};
use crate::letter_of_intent::{Kind, LetterOfIntent, Signatory, SignatoryState, Status};
use crate::organisation::store::names;
use crate::process::Process;

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = signatory, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Row {
    id: String,
    letter_id: String,
    organisation_id: String,
    kind: String,
    name: String,
    title: String,
    email: String,
    language: String,
    turn: i32,
    words: Option<String>,
    state: String,
    asked_until: Option<NaiveDateTime>,
    reminded: bool,
    settled_at: Option<NaiveDateTime>,
    sha256: Option<String>,
    reason: Option<String>,
}

impl Row {
    fn of(one: &Signatory) -> Self {
        let (asked_until, reminded, settled_at, sha256, reason) = match one.state.clone() {
            SignatoryState::Named => (None, false, None, None, None),
            SignatoryState::Asked { until, reminded } => (Some(until), reminded, None, None, None),
            SignatoryState::Signed { at, sha256 } => (None, false, Some(at), Some(sha256), None),
            SignatoryState::Declined { at, reason } | SignatoryState::Withdrawn { at, reason } => {
                (None, false, Some(at), None, Some(reason))
            }
        };
        Self {
            id: one.id.to_string(),
            letter_id: one.letter_id.to_string(),
            organisation_id: one.organisation_id.to_string(),
            kind: one.kind.word().to_owned(),
            name: one.name.clone(),
            title: one.title.clone(),
            email: one.email.clone(),
            language: one.language.tag().to_owned(),
            turn: one.turn,
            words: one.words.clone(),
            state: one.state.word().to_owned(),
            asked_until: asked_until.map(|at| at.naive_utc()),
            reminded,
            settled_at: settled_at.map(|at| at.naive_utc()),
            sha256,
            reason,
        }
    }

    fn state(&self) -> Result<SignatoryState, DbError> {
        let row = Lift::new("signatory", &self.id);
        let at = || row.some("settled_at", self.settled_at).map(|at| at.and_utc());
        let reason = || row.some("reason", self.reason.clone());
        Ok(match self.state.as_str() {
            "named" => SignatoryState::Named,
            "asked" => {
                let until = row.some("asked_until", self.asked_until)?.and_utc();
                SignatoryState::Asked { until, reminded: self.reminded }
            }
            "signed" => SignatoryState::Signed { at: at()?, sha256: row.some("sha256", self.sha256.clone())? },
            "declined" => SignatoryState::Declined { at: at()?, reason: reason()? },
            "withdrawn" => SignatoryState::Withdrawn { at: at()?, reason: reason()? },
            _ => return Err(row.impossible("state")),
        })
    }
}

fn lift(connection: &mut AnyConnection, rows: Vec<Row>) -> Result<Vec<Signatory>, DbError> {
    let bodies = rows.iter().map(|row| Lift::new("signatory", &row.id).id("organisation_id", &row.organisation_id));
    let names = names(connection, &bodies.collect::<Result<Vec<_>, _>>()?)?;
    let lift = |found: Row| {
        let row = Lift::new("signatory", &found.id);
        let organisation_id: OrganisationId = row.id("organisation_id", &found.organisation_id)?;
        Ok(Signatory {
            id: row.id("id", &found.id)?,
            letter_id: row.id("letter_id", &found.letter_id)?,
            organisation_id,
            organisation: names.get(&organisation_id).cloned().unwrap_or_default(),
            kind: row.some("kind", Kind::from_word(&found.kind))?,
            language: row.some("language", Language::from_tag(&found.language))?,
            state: found.state()?,
            name: found.name.clone(),
            title: found.title.clone(),
            email: found.email.clone(),
            turn: found.turn,
            words: found.words.clone(),
        })
    };
    rows.into_iter().map(lift).collect()
}

/// Who signs a letter, by the name of the body.
///
/// # Errors
/// [`DbError`].
pub fn of_letter(connection: &mut AnyConnection, letter: Id<LetterOfIntent>) -> Result<Vec<Signatory>, DbError> {
    use signatory as s;
    let rows = s::table.filter(s::letter_id.eq(letter.to_string())).order(s::id).load(connection)?;
    let mut all = lift(connection, rows)?;
    all.sort_by(|one, other| one.organisation.cmp(&other.organisation));
    Ok(all)
}

/// The signatory of this id.
///
/// # Errors
/// [`DbError`].
pub fn find(connection: &mut AnyConnection, id: Id<Signatory>) -> Result<Option<Signatory>, DbError> {
    let row: Option<Row> = optional(signatory::table.find(id.to_string()).first(connection))?;
    Ok(lift(connection, row.into_iter().collect())?.pop())
}

/// Those who were asked, whose link ends before `before` and not before `now`, and who were not reminded.
///
/// # Errors
/// [`DbError`].
pub fn to_remind(connection: &mut AnyConnection, now: Instant, before: Instant) -> Result<Vec<Signatory>, DbError> {
    use signatory as s;
    let rows = s::table
        .filter(s::state.eq("asked").and(s::reminded.eq(false)))
        .filter(s::asked_until.ge(now.naive_utc()).and(s::asked_until.lt(before.naive_utc())))
        .order(s::id)
        .load(connection)?;
    lift(connection, rows)
}

/// Signatures of letters that are out and that somebody must see to: declined since `since`, or asked for by a link that ran
/// out since then; with the process.
///
/// # Errors
/// [`DbError`].
pub fn missing(
    connection: &mut AnyConnection,
    since: Instant,
    now: Instant,
) -> Result<Vec<(Signatory, Id<Process>)>, DbError> {
    use signatory as s;
    let since = since.naive_utc();
    let declined = s::state.eq("declined").and(s::settled_at.ge(since));
    let expired = s::state.eq("asked").and(s::asked_until.ge(since)).and(s::asked_until.lt(now.naive_utc()));
    let out = letter_of_intent::status.eq(Status::Signing.word());
    let rows = s::table
        .inner_join(letter_of_intent::table)
        .filter(out.and(declined.or(expired)))
        .order(s::id)
        .select((s::all_columns, letter_of_intent::process_id))
        .load(connection)?;
    with_process(connection, rows)
}

/// A body's signatures that are asked for or were declined, in letters that are out; with the process.
///
/// # Errors
/// [`DbError`].
pub fn of_body(connection: &mut AnyConnection, body: OrganisationId) -> Result<Vec<(Signatory, Id<Process>)>, DbError> {
    use signatory as s;
    let out = letter_of_intent::status.eq(Status::Signing.word());
    let rows = s::table
        .inner_join(letter_of_intent::table)
        .filter(s::organisation_id.eq(body.to_string()).and(s::state.eq_any(["asked", "declined"])).and(out))
        .order(s::id)
        .select((s::all_columns, letter_of_intent::process_id))
        .load(connection)?;
    with_process(connection, rows)
}

fn with_process(
    connection: &mut AnyConnection,
    rows: Vec<(Row, String)>,
) -> Result<Vec<(Signatory, Id<Process>)>, DbError> {
    let (rows, processes): (Vec<Row>, Vec<String>) = rows.into_iter().unzip();
    let processes = processes.iter().map(|id| Lift::new("letter_of_intent", id).id("process_id", id));
    let processes = processes.collect::<Result<Vec<_>, _>>()?;
    Ok(lift(connection, rows)?.into_iter().zip(processes).collect())
}

/// Adds a signatory, or stores one that was changed.
///
/// # Errors
/// [`DbError`].
pub fn put(tx: &mut Tx<'_>, one: &Signatory) -> Result<(), DbError> {
    let row = Row::of(one);
    if diesel::update(signatory::table.find(one.id.to_string())).set(&row).execute(tx.connection)? == 0 {
        diesel::insert_into(signatory::table).values(&row).execute(tx.connection)?;
    }
    Ok(())
}

/// What a body has not answered yet, of letters that are not withdrawn.
///
/// # Errors
/// [`DbError`].
pub fn open_of(connection: &mut AnyConnection, body: OrganisationId) -> Result<Vec<Signatory>, DbError> {
    use signatory as s;
    let open = s::organisation_id.eq(body.to_string()).and(s::state.eq_any(["named", "asked"]));
    let rows: Vec<Row> = s::table
        .inner_join(letter_of_intent::table)
        .filter(open.and(letter_of_intent::status.ne(Status::Withdrawn.word())))
        .order(s::id)
        .select(s::all_columns)
        .load(connection)?;
    lift(connection, rows)
}

/// Forgets that somebody was named, where nothing was answered.
///
/// # Errors
/// [`DbError`].
pub fn forget(tx: &mut Tx<'_>, id: Id<Signatory>) -> Result<(), DbError> {
    diesel::delete(signatory::table.find(id.to_string())).execute(tx.connection)?;
    Ok(())
}

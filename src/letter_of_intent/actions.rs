//! The deeds on letters of intent: writing, commenting, sending out, withdrawing.

pub mod handover;
pub mod signing;

use chrono::TimeDelta;
use serde_json::json;

use super::model::template::{KEY, figures};
use super::{
    Comment, Document, LetterOfIntent, Situation, Status, Template, TemplateBody, Words, letters, render, store,
};
use crate::access::{Member, Staff};
use crate::challenge::{self, Level};
use crate::db::{AnyConnection, Tx};
use crate::kernel::{Fit, Id, Instant, Language, OrganisationId, Quantity, copenhagen, figure, text};
use crate::outbox::{Actor, Fact, Subject, record};
use crate::post::store::queue_letter;
use crate::process::demand::{Figures, add_volume};
use crate::process::{self, Participant, ParticipantState, Process, Role};
use crate::web::{IfMatch, Node, Patch, Problem};

/// How long somebody has to sign, when nothing else is said.
pub const TIME_TO_SIGN: TimeDelta = TimeDelta::days(30);

/// Adds the next version of a template, or the first of a new one. Letters made before keep theirs.
///
/// # Errors
/// Those of the database.
pub fn add_template_version(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    key: &str,
    body: Fit<TemplateBody>,
) -> Result<Template, Problem> {
    let known = store::templates(tx.connection)?.into_iter().find(|template| template.key == key);
    let version = known.map_or(1, |known| known.version + 1);
    let template = Template { key: key.to_owned(), version, body: body.into_inner() };
    store::insert_template(tx, &template, now)?;
    let told = json!({"key": key, "version": version});
    let fact = Fact {
        subject_id: key.to_owned(),
        ..Fact::new(Subject::LetterOfIntent, Id::<Template>::made_at(now), "template_added", staff.actor(), now)
    };
    record(tx, fact.with(told))?;
    Ok(template)
}

/// Who signs the letter itself: those who take part as anything but supporters.
fn signs_the_letter(participant: &Participant) -> bool {
    let takes_part = matches!(participant.body.state, ParticipantState::Guest | ParticipantState::Partner);
    takes_part && matches!(participant.body.role, Role::NeedOwner | Role::ScalingPartner | Role::ProcessLead)
}

/// What the template says now of the process, its bodies and their figures; and which bodies it names.
fn fill(
    connection: &mut AnyConnection,
    now: Instant,
    process: &Process,
    template: &TemplateBody,
    language: Language,
) -> Result<(Words, Vec<OrganisationId>), Problem> {
    let participants = process::store::participants(connection, process.id)?;
    let heard = process::actions::heard_in(connection, process.id, language)?;
    let of = |one: &Participant| heard.get(&one.body.organisation_id);
    let wants_it = |one: &Participant| of(one).is_none_or(|(level, _)| *level > Level::Withdrawn);
    let signs = |one: &&Participant| signs_the_letter(one) && wants_it(one);
    let mut signers: Vec<&Participant> = participants.iter().filter(signs).collect();
    signers.sort_by(|one, other| one.organisation.cmp(&other.organisation));
    let line = |one: &&Participant| {
        let figures = figures(of(one).map(|(_, figures)| figures), language);
        format!("- {}: {figures}", one.organisation)
    };
    let bodies: Vec<String> = signers.iter().map(line).collect();
    let bodies = if bodies.is_empty() { "-".to_owned() } else { bodies.join("\n") };
    let wanted = signers.iter().filter_map(|one| of(one)).map(|(_, figures)| figures);
    let demand = demand(wanted, signers.len(), language);
    let summary = summary(connection, process)?;
    let date = copenhagen(now).format("%d-%m-%Y").to_string();
    let places = [
        ("process", process.body.title.as_str()),
        ("summary", summary.as_str()),
        ("bodies", bodies.as_str()),
        ("demand", demand.as_str()),
        ("date", date.as_str()),
    ];
    let (title, text) = match language {
        Language::Da => (&template.title_da, &template.text_da),
        Language::En => (&template.title_en, &template.text_en),
    };
    let bodies = signers.iter().map(|one| one.body.organisation_id).collect();
    Ok((Words { title: render(title, &places), text: render(text, &places) }, bodies))
}

/// What the process is about: its summary, else the titles of its challenges, a line each, else its own title.
pub(super) fn summary(connection: &mut AnyConnection, process: &Process) -> Result<String, Problem> {
    if !process.body.summary.is_empty() {
        return Ok(process.body.summary.clone());
    }
    let challenges = challenge::store::in_process(connection, &process.id.to_string())?;
    let titles: Vec<String> = challenges.iter().map(|one| format!("- {}", one.description.title)).collect();
    Ok(if titles.is_empty() { process.body.title.clone() } else { titles.join("\n") })
}

/// What the bodies want together, in words.
fn demand<'a>(wanted: impl Iterator<Item = &'a Figures>, bodies: usize, language: Language) -> String {
    let mut sums: Vec<Quantity> = Vec::new();
    wanted.flat_map(|figures| &figures.volumes).for_each(|volume| add_volume(&mut sums, volume));
    let bodies = match bodies {
        1 => text!("1 organisation", "1 organisation"),
        bodies => text!("{bodies} organisationer", "{bodies} organisations"),
    };
    let sums = sums.iter().map(|sum| format!("{} {}", figure(sum.quantity).to(language), sum.unit));
    std::iter::once(bodies.to(language).to_owned()).chain(sums).collect::<Vec<_>>().join(", ")
}

/// The very version of the template that the letter was made from.
pub(super) fn template_of(connection: &mut AnyConnection, letter: &LetterOfIntent) -> Result<TemplateBody, Problem> {
    let (key, version) = &letter.template;
    let found = store::templates(connection)?.into_iter().find(|one| one.key == *key && one.version == *version);
    found.map(|template| template.body).ok_or_else(|| Problem::internal(&"a letter of no template"))
}

fn newest(connection: &mut AnyConnection, key: &str) -> Result<Template, Problem> {
    let unknown =
        || Problem::unfit("/template", "unknown", text!("Skabelonen findes ikke", "The template does not exist"));
    store::templates(connection)?.into_iter().find(|template| template.key == key).ok_or_else(unknown)
}

/// Drafts a letter from a template, with the bodies and the figures of this moment.
///
/// # Errors
/// 404, 409 for a process that has ended, 422 for an unknown template.
pub fn draft(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<Process>,
    template: Option<String>,
    language: Language,
) -> Result<LetterOfIntent, Problem> {
    let process = process::store::find(tx.connection, id)?.ok_or_else(Problem::not_found)?;
    process.require_running()?;
    let template = newest(tx.connection, template.as_deref().unwrap_or(KEY))?;
    let (Words { title, text }, bodies) = fill(tx.connection, now, &process, &template.body, language)?;
    let letter = LetterOfIntent {
        id: Id::made_at(now),
        process_id: id,
        language,
        template: (template.key, template.version),
        status: Status::Draft,
        document: Document { number: 1, title, text },
        bodies,
        frozen_at: None,
        comments_until: None,
        withdrawn_reason: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    save(tx, now, &letter, staff.actor(), "drafted", None)?;
    Ok(letter)
}

/// Another text, by hand. Whoever has a link gets a new one.
///
/// # Errors
/// 404, 409 once a body has signed, 412, 422.
pub fn change(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    staff: &Staff,
    id: Id<LetterOfIntent>,
    seen: &IfMatch,
    patch: &Patch,
) -> Result<LetterOfIntent, Problem> {
    let letter = required(tx.connection, id)?;
    seen.require(letter.version)?;
    let Document { title, text, .. } = letter.document.clone();
    let words = patch.apply(&Words { title, text })?.into_inner();
    let bodies = letter.bodies.clone();
    rewrite(tx, node, now, staff, letter, words, bodies)
}

/// The text from the template anew, with the bodies and figures of now. Whoever has a link gets a new one.
///
/// # Errors
/// 404, 409 once a body has signed.
pub fn renew(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    staff: &Staff,
    id: Id<LetterOfIntent>,
) -> Result<LetterOfIntent, Problem> {
    let letter = required(tx.connection, id)?;
    let process = of_process(tx.connection, &letter)?;
    let template = template_of(tx.connection, &letter)?;
    let (words, bodies) = fill(tx.connection, now, &process, &template, letter.language)?;
    rewrite(tx, node, now, staff, letter, words, bodies)
}

fn rewrite(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    staff: &Staff,
    letter: LetterOfIntent,
    words: Words,
    bodies: Vec<OrganisationId>,
) -> Result<LetterOfIntent, Problem> {
    let before = letter.document.number;
    let letter = letter.change(words, bodies, now)?;
    save(tx, now, &letter, staff.actor(), "changed", None)?;
    if letter.document.number != before {
        signing::ask_anew(tx, node, now, &letter)?;
    }
    Ok(letter)
}

/// Opens a round of comments until then, or closes it.
///
/// # Errors
/// 404, 409 once it is out for signature, 422 for a moment that has passed.
pub fn take_comments(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<LetterOfIntent>,
    until: Option<Instant>,
) -> Result<LetterOfIntent, Problem> {
    if until.is_some_and(|until| until <= now) {
        let detail = text!("Fristen skal ligge i fremtiden", "The deadline must lie in the future");
        return Err(Problem::unfit("/until", "in_the_past", detail));
    }
    let letter = required(tx.connection, id)?.take_comments(until, now)?;
    let deed = if until.is_some() { "opened_for_comments" } else { "closed_for_comments" };
    save(tx, now, &letter, staff.actor(), deed, None)?;
    Ok(letter)
}

/// A participating body's member comments on the draft.
///
/// # Errors
/// 404 for who takes no part, 409 while comments are not taken.
pub fn comment(
    tx: &mut Tx<'_>,
    now: Instant,
    member: &Member,
    id: Id<LetterOfIntent>,
    words: String,
) -> Result<Comment, Problem> {
    let letter = required(tx.connection, id)?;
    let known = process::store::participants(tx.connection, letter.process_id)?;
    let mut known = known.into_iter().filter(|one| one.body.state.is_let_in());
    let own = known.find(|one| one.body.organisation_id == member.organisation_id());
    let own = own.ok_or_else(Problem::not_found)?;
    if !letter.takes_comments(now) {
        return Err(Situation::CommentsClosed.into());
    }
    let comment = Comment {
        id: Id::made_at(now),
        letter_id: id,
        organisation_id: member.organisation_id(),
        organisation: own.organisation,
        number: letter.document.number,
        text: words,
        said_by: member.actor().name,
        said_at: now,
        resolution: None,
    };
    store::insert_comment(tx, &comment)?;
    note(tx, now, &letter, member.actor(), "commented", json!({"comment_id": comment.id}), None)?;
    Ok(comment)
}

/// Says what was done with a comment.
///
/// # Errors
/// 404, 409 for one that has its answer.
pub fn resolve(
    tx: &mut Tx<'_>,
    now: Instant,
    staff: &Staff,
    id: Id<Comment>,
    words: String,
) -> Result<Comment, Problem> {
    let comment = store::find_comment(tx.connection, id)?.ok_or_else(Problem::not_found)?;
    if comment.resolution.is_some() {
        return Err(Situation::Settled.into());
    }
    let by = staff.actor();
    store::resolve_comment(tx, id, &words, &by.name, now)?;
    let letter = required(tx.connection, comment.letter_id)?;
    note(tx, now, &letter, by.clone(), "resolved_comment", json!({"comment_id": id}), Some(words.clone()))?;
    Ok(Comment { resolution: Some((words, by.name, now)), ..comment })
}

/// Sends the letter out: each signatory gets a link.
///
/// # Errors
/// 404, 409 while comments are open or unanswered, or nobody is to sign.
pub fn send(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    staff: &Staff,
    id: Id<LetterOfIntent>,
    until: Option<Instant>,
) -> Result<LetterOfIntent, Problem> {
    let until = signing::deadline(until, now)?;
    let letter = required(tx.connection, id)?;
    let unresolved = store::comments(tx.connection, id)?.iter().filter(|one| one.resolution.is_none()).count();
    let signatories = store::signatories::of_letter(tx.connection, id)?;
    let letter = letter.send(unresolved, signatories.len(), now)?;
    save(tx, now, &letter, staff.actor(), "sent", None)?;
    for one in signatories.into_iter().filter(|one| one.is_open()) {
        signing::ask(tx, node, now, &letter, one, until)?;
    }
    Ok(letter)
}

/// Takes the letter back. Links open nothing any more; those who were asked or have signed are told.
///
/// # Errors
/// 404, 409 when it is withdrawn already.
pub fn withdraw(
    tx: &mut Tx<'_>,
    node: &Node,
    now: Instant,
    staff: &Staff,
    id: Id<LetterOfIntent>,
    reason: String,
) -> Result<LetterOfIntent, Problem> {
    let letter = required(tx.connection, id)?.withdraw(reason.clone(), now)?;
    save(tx, now, &letter, staff.actor(), "withdrawn", Some(reason))?;
    for one in store::signatories::of_letter(tx.connection, id)? {
        if let Some(notice) = letters::withdrawn(node, &letter, &one) {
            queue_letter(tx, &notice, now)?;
        }
        if one.state.word() == "signed" {
            process::actions::mark_signed(tx, letter.process_id, one.organisation_id, None)?;
        }
    }
    Ok(letter)
}

/// The letter of this id.
///
/// # Errors
/// 404.
pub fn required(connection: &mut AnyConnection, id: Id<LetterOfIntent>) -> Result<LetterOfIntent, Problem> {
    store::find(connection, id)?.ok_or_else(Problem::not_found)
}

pub(super) fn of_process(connection: &mut AnyConnection, letter: &LetterOfIntent) -> Result<Process, Problem> {
    let process = process::store::find(connection, letter.process_id)?;
    process.ok_or_else(|| Problem::internal(&"a letter of no process"))
}

fn save(
    tx: &mut Tx<'_>,
    now: Instant,
    letter: &LetterOfIntent,
    by: Actor,
    deed: &'static str,
    reason: Option<String>,
) -> Result<(), Problem> {
    store::put(tx, letter)?;
    store::write_version(tx, letter, &by.name, now)?;
    let told = json!({"number": letter.document.number, "sha256": letter.document.sha256(), "status": letter.status});
    note(tx, now, letter, by, deed, told, reason)
}

fn note(
    tx: &mut Tx<'_>,
    now: Instant,
    letter: &LetterOfIntent,
    by: Actor,
    deed: &'static str,
    told: serde_json::Value,
    reason: Option<String>,
) -> Result<(), Problem> {
    let fact = Fact::new(Subject::LetterOfIntent, letter.id, deed, by, now).with(told);
    Ok(record(tx, Fact { reason, ..fact })?)
}

impl From<Situation> for Problem {
    fn from(situation: Situation) -> Self {
        match situation {
            Situation::Frozen => Self::conflict(
                "frozen",
                text!(
                    "Erklæringen er underskrevet af mindst én og kan ikke ændres; nye kan tiltræde med et tillæg",
                    "Somebody has signed the letter and it cannot change; others can join by an addendum"
                ),
            ),
            Situation::Withdrawn => {
                Self::conflict("withdrawn", text!("Erklæringen er trukket tilbage", "The letter is withdrawn"))
            }
            Situation::Status { is } => {
                let is = is.word();
                Self::conflict("wrong_state", text!("Erklæringen er {is}", "The letter is {is}"))
            }
            Situation::CommentsOpen => {
                Self::conflict("comments_open", text!("Luk kommentarrunden først", "Close the round of comments first"))
            }
            Situation::CommentsClosed => Self::conflict(
                "comments_closed",
                text!("Der tages ikke imod kommentarer nu", "Comments are not taken now"),
            ),
            Situation::Unresolved { count } => Self::conflict(
                "unresolved_comments",
                text!("{count} kommentar(er) mangler svar", "{count} comment(s) have no answer"),
            ),
            Situation::NoSignatories => Self::conflict(
                "no_signatories",
                text!("Nævn først, hvem der skal underskrive", "Name first who is to sign"),
            ),
            Situation::Settled => {
                Self::conflict("already_settled", text!("Det er allerede afgjort", "It is settled already"))
            }
            Situation::NotSigned => {
                Self::conflict("not_signed", text!("Der er ingen underskrift", "There is no signature"))
            }
        }
    }
}

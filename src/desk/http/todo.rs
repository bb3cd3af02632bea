//! What a body must do next, over HTTP.

use actix_web::get;
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::queue::since;
use crate::access::{Context, Scope};
use crate::challenge::sponsor::SponsorRequest;
use crate::challenge::store::{self, Filter, Reader};
use crate::challenge::{Challenge, Stage, Status};
use crate::criteria::{Backing, Verdict};
use crate::db::AnyConnection;
use crate::kernel::{Direction, Id, Language, OrganisationId, PageRequest, Text, copenhagen_text, text};
use crate::letter_of_intent::{self, LetterOfIntent, SignatoryState};
use crate::need::{self, Inbox};
use crate::process::store::Part;
use crate::process::{self, ParticipantState, Process};
use crate::suggestion::{self, Suggestion};
use crate::web::{Problem, Reply};

/// How long a body is reminded that its signatory declined.
const DECLINED_SHOWN: TimeDelta = TimeDelta::days(30);

/// What the item is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TodoKind)]
enum Kind {
    /// One of the body's challenges.
    Challenge,
    /// A sponsor of one of them.
    Sponsor,
    /// A process that the body takes part in, or was asked into, or asked to join.
    Process,
    /// A letter of intent: a draft that takes comments, or a signature that does not come.
    Letter,
}

/// What a body can do next.
#[derive(Debug, Serialize, ToSchema)]
struct TodoItem {
    kind: Kind,
    /// The challenge, where it is about one or a sponsor of one.
    #[schema(value_type = Option<String>, required, nullable, format = "uuid")]
    challenge_id: Option<Id<Challenge>>,
    /// The process, where it is about one or its letter of intent.
    #[schema(value_type = Option<String>, required, nullable, format = "uuid")]
    process_id: Option<Id<Process>>,
    /// The letter of intent, where it is about one.
    #[schema(value_type = Option<String>, required, nullable, format = "uuid")]
    letter_id: Option<Id<LetterOfIntent>>,
    /// Of the challenge, or of the process.
    title: String,
    /// Where the challenge stands.
    #[schema(required, nullable)]
    status: Option<Status>,
    /// `you`, `copi` or `sponsor`.
    #[schema(example = "you")]
    waiting_on: &'static str,
    waiting_since: DateTime<Utc>,
    /// `improve`, `submit`, `answer`, `accept`, `commit`, `replace_sponsor`, `remind`, `comment`, `name_signatory` or `wait`.
    #[schema(example = "answer")]
    action: &'static str,
    /// What to do, in words.
    what: Vec<String>,
}

/// What a body must do next: first what waits for itself, then what waits for others; longest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Todo {
    items: Vec<TodoItem>,
    /// Inboxes where needs wait to be sorted, longest first.
    inboxes: Vec<TodoInbox>,
    /// Suggestions that CO-PI invites the body to own, longest first.
    invitations: Vec<TodoInvitation>,
}

/// An inbox where needs wait to be sorted.
#[derive(Debug, Serialize, ToSchema)]
struct TodoInbox {
    #[schema(value_type = String, format = "uuid")]
    inbox_id: Id<Inbox>,
    title: String,
    /// Needs that nobody has looked at.
    new: i64,
    /// Needs that were looked at and are neither gathered, answered nor set aside.
    seen: i64,
    /// When the oldest of them was left.
    waiting_since: DateTime<Utc>,
}

/// A suggestion that the body is invited to own.
#[derive(Debug, Serialize, ToSchema)]
struct TodoInvitation {
    #[schema(value_type = String, format = "uuid")]
    suggestion_id: Id<Suggestion>,
    what: String,
    waiting_since: DateTime<Utc>,
}

/// What the caller's body must do next: with its challenges, their sponsors, and the processes it is in; with the needs in its
/// inboxes; and with what CO-PI invites it to own.
#[utoipa::path(tag = "desk", responses((status = 200, body = Todo)))]
#[get("/todo")]
pub(super) async fn get_todo(context: Context) -> Result<Reply<Todo>, Problem> {
    let body = context.caller.member(Scope::ChallengesRead)?.organisation_id();
    let (language, now) = (context.language, context.now);
    let todo = context.db.read(move |connection| {
        let mut items = challenges(connection, body, language, now)?;
        let parts = process::store::parts_of(connection, body)?;
        items.extend(letters(connection, body, &parts, language, now)?);
        items.extend(parts.into_iter().filter_map(|part| next_in_process(part, language)));
        items.sort_by_key(|item| (item.waiting_on != "you", item.waiting_since));
        let inboxes = waiting_inboxes(connection, body)?;
        Ok::<_, Problem>(Todo { items, inboxes, invitations: invitations(connection, body)? })
    });
    Ok(Reply::ok(todo.await?))
}

fn waiting_inboxes(connection: &mut AnyConnection, body: OrganisationId) -> Result<Vec<TodoInbox>, Problem> {
    let piles = need::store::piles(connection, body)?;
    let waiting = need::store::inboxes(connection, body)?.into_iter().filter_map(|inbox| {
        let of_inbox: Vec<_> = piles.iter().filter(|pile| pile.inbox_id == inbox.id).collect();
        let count = |state: &str| of_inbox.iter().filter(|pile| pile.state == state).map(|pile| pile.count).sum();
        Some(TodoInbox {
            waiting_since: of_inbox.iter().filter_map(|pile| pile.oldest).min()?,
            inbox_id: inbox.id,
            title: inbox.title,
            new: count("new"),
            seen: count("seen"),
        })
    });
    let mut waiting: Vec<TodoInbox> = waiting.collect();
    waiting.sort_by_key(|inbox| inbox.waiting_since);
    Ok(waiting)
}

fn invitations(connection: &mut AnyConnection, body: OrganisationId) -> Result<Vec<TodoInvitation>, Problem> {
    let show =
        |one: Suggestion| TodoInvitation { suggestion_id: one.id, what: one.told.what, waiting_since: one.state_at };
    Ok(suggestion::store::invitations(connection, body)?.into_iter().map(show).collect())
}

fn challenges(
    connection: &mut AnyConnection,
    body: OrganisationId,
    language: Language,
    now: DateTime<Utc>,
) -> Result<Vec<TodoItem>, Problem> {
    let mut items = Vec::new();
    for status in [Status::Returned, Status::Draft, Status::Submitted, Status::Approved, Status::Grouped] {
        let filter = Filter { status: Some(status), organisation_id: Some(body), ..Filter::default() };
        let request = PageRequest { limit: 200, direction: Direction::NewestFirst, after: None };
        for challenge in store::list(connection, Reader::Body(body), &filter, &request)?.items {
            for sponsor in store::sponsor_requests(connection, challenge.id)? {
                items.extend(next_with_sponsor(&challenge, &sponsor, language, now));
            }
            items.extend(next_step(challenge, language));
        }
    }
    Ok(items)
}

fn next_step(challenge: Challenge, language: Language) -> Option<TodoItem> {
    let words = |text: &Text| text.to(language).to_owned();
    let changes = challenge.assessment.criteria.iter().filter_map(|criterion| criterion.to_change.as_ref()).map(words);
    let met = challenge.assessment.outcome == Verdict::Met;
    let (waiting_on, action, what) = match &challenge.stage {
        Stage::Returned { reason, .. } => {
            let asked = text!("CO-PI spørger: {reason}", "CO-PI asks: {reason}");
            ("you", "answer", std::iter::once(words(&asked)).chain(changes).collect())
        }
        Stage::Submitted { .. } => ("copi", "wait", vec![words(&text!("CO-PI ser på den", "CO-PI is looking at it"))]),
        Stage::Draft if met => {
            ("you", "submit", vec![words(&text!("Den er klar til at blive indsendt", "It is ready to be submitted"))])
        }
        Stage::Draft => ("you", "improve", changes.collect()),
        _ => return None,
    };
    Some(TodoItem {
        kind: Kind::Challenge,
        challenge_id: Some(challenge.id),
        process_id: None,
        letter_id: None,
        status: Some(challenge.stage.status()),
        waiting_on,
        waiting_since: since(&challenge),
        action,
        what,
        title: challenge.description.title,
    })
}

fn next_with_sponsor(
    challenge: &Challenge,
    request: &SponsorRequest,
    language: Language,
    now: DateTime<Utc>,
) -> Option<TodoItem> {
    let name = &request.name;
    let told = &challenge.description;
    let (waiting_on, waiting_since, action, what) = match request.backing(told) {
        Backing::Refused { refused_at, reason } => {
            let why = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            let what = text!(
                "{name} vil ikke stå bag{why}. Ret det og spørg igen, eller nævn en anden",
                "{name} does not stand behind it{why}. Mend it and ask again, or name another"
            );
            ("you", refused_at, "replace_sponsor", what)
        }
        Backing::Asked { asked_at, .. } if now <= request.expires_at => {
            let what = text!(
                "{name} har ikke svaret endnu; I kan minde om det",
                "{name} has not answered yet; you can send a reminder"
            );
            ("sponsor", asked_at, "wait", what)
        }
        Backing::Asked { .. } => {
            let what = text!(
                "{name} svarede ikke, før linket udløb; spørg igen",
                "{name} did not answer before the link expired; ask again"
            );
            ("you", request.expires_at, "remind", what)
        }
        Backing::Claimed | Backing::Confirmed { .. } => return None,
    };
    Some(TodoItem {
        kind: Kind::Sponsor,
        challenge_id: Some(challenge.id),
        process_id: None,
        letter_id: None,
        title: told.title.clone(),
        status: Some(challenge.stage.status()),
        waiting_on,
        waiting_since,
        action,
        what: vec![what.to(language).to_owned()],
    })
}

/// What a body can do with the letters of intent of its processes.
fn letters(
    connection: &mut AnyConnection,
    body: OrganisationId,
    parts: &[Part],
    language: Language,
    now: DateTime<Utc>,
) -> Result<Vec<TodoItem>, Problem> {
    let processes: Vec<_> = parts.iter().map(|part| part.process).collect();
    let item = |process: Id<Process>, letter_id, (waiting_on, action), waiting_since, what: Text| {
        let part = parts.iter().find(|part| part.process == process)?;
        Some(TodoItem {
            kind: Kind::Letter,
            challenge_id: None,
            process_id: Some(process),
            letter_id: Some(letter_id),
            title: part.title.clone(),
            status: None,
            waiting_on,
            waiting_since,
            action,
            what: vec![what.to(language).to_owned()],
        })
    };
    let mut items = Vec::new();
    for letter in letter_of_intent::store::waiting_for_comments(connection, &processes, body, now)? {
        let Some(until) = letter.comments_until else { continue };
        let Text { da, en } = copenhagen_text(until);
        let what = text!(
            "Hensigtserklæringen er til kommentering indtil {da}",
            "The letter of intent takes comments until {en}"
        );
        items.extend(item(letter.process_id, letter.id, ("you", "comment"), letter.updated_at, what));
    }
    for (one, process) in letter_of_intent::store::signatories::of_body(connection, body)? {
        let name = &one.name;
        let (turn, since, what) = match &one.state {
            SignatoryState::Asked { until, .. } if now > *until => {
                let what = text!(
                    "{name} underskrev ikke, før linket udløb; bed CO-PI om et nyt",
                    "{name} did not sign before the link ran out; ask CO-PI for another"
                );
                (("you", "remind"), *until, what)
            }
            SignatoryState::Declined { at, reason } if now - *at <= DECLINED_SHOWN => {
                let what = text!(
                    "{name} har afslået at underskrive: {reason}. Vil I alligevel, så bed CO-PI spørge en anden",
                    "{name} declined to sign: {reason}. If you will all the same, have CO-PI ask another"
                );
                (("you", "name_signatory"), *at, what)
            }
            _ => continue,
        };
        items.extend(item(process, one.letter_id, turn, since, what));
    }
    Ok(items)
}

fn next_in_process(part: Part, language: Language) -> Option<TodoItem> {
    let (waiting_on, action, what) = match part.state {
        ParticipantState::Invited => (
            "you",
            "accept",
            text!(
                "I er inviteret med; sig ja med POST /processes/{{id}}/join",
                "You are invited; say yes by POST /processes/{{id}}/join"
            ),
        ),
        ParticipantState::Interested => {
            ("copi", "wait", text!("I har bedt om at være med; CO-PI svarer", "You asked to join; CO-PI will answer"))
        }
        ParticipantState::Guest | ParticipantState::Partner if part.may_commit && !part.has_committed => {
            ("you", "commit", text!("Sig, hvad I vil, og hvor meget", "Say how far you go, and how much you want"))
        }
        ParticipantState::Guest | ParticipantState::Partner | ParticipantState::Left => return None,
    };
    Some(TodoItem {
        kind: Kind::Process,
        challenge_id: None,
        process_id: Some(part.process),
        letter_id: None,
        title: part.title,
        status: None,
        waiting_on,
        waiting_since: part.joined_on.and_time(NaiveTime::MIN).and_utc(),
        action,
        what: vec![what.to(language).to_owned()],
    })
}

//! The dialogue report: all that was done with the market, so that a lawyer can see that nobody heard earlier or more.
//!
//! It says of every version when it was public and when the first and the last letter about it was queued and sent; of
//! every question to whom the answer went; of every company what it signed up to and when it answered; and of every
//! recipient what was told, why, when, and what the mail server said. What stands in it comes from what was recorded when
//! it happened, and the ledger's head stands below it.

mod page;

use std::collections::HashMap;

use actix_web::{Either, get, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::http::{LedgerEntry, ledger_of};
use super::{ledger, store};
use crate::access::{Context, Scope};
use crate::db::AnyConnection;
use crate::dialogue::http::view::{self, DialogueView, VersionView};
use crate::dialogue::{
    self, Dialogue, Event, Question, QuestionState, Signup, SignupState, Version, VersionKind, WrittenAnswer,
};
use crate::kernel::{Id, Instant, Language, Seal, SealedFor, Text, text};
use crate::post;
use crate::web::{HtmlPage, PathId, Prefers, Problem, Reply};

/// How long the link to the page is good.
const LINK_LIFETIME: TimeDelta = TimeDelta::days(30);

/// One version, and how the market came to know of it.
#[derive(Serialize, ToSchema)]
struct ReportedPublication {
    version: i32,
    kind: VersionKind,
    /// From this moment page, API and feeds showed it, to everybody.
    published_at: DateTime<Utc>,
    published_by: String,
    /// SHA-256 of the notice as it is stored: the same text went to all.
    notice_sha256: String,
    /// How many were told by mail.
    recipients: usize,
    /// When the first letter about it was queued; never before it was public.
    #[schema(required, nullable)]
    first_queued_at: Option<DateTime<Utc>>,
    #[schema(required, nullable)]
    last_queued_at: Option<DateTime<Utc>>,
    #[schema(required, nullable)]
    first_sent_at: Option<DateTime<Utc>>,
    #[schema(required, nullable)]
    last_sent_at: Option<DateTime<Utc>>,
    sent: usize,
    /// Given up, or no longer wanted.
    not_sent: usize,
    /// On their way, or kept for a digest.
    waiting: usize,
}

/// Somebody to whom an answer was mailed.
#[derive(Serialize, ToSchema)]
struct AnswerMailed {
    /// The address, or a keyed hash of one that asked to be forgotten.
    recipient: String,
    queued_at: DateTime<Utc>,
    #[schema(required, nullable)]
    sent_at: Option<DateTime<Utc>>,
    /// What the mail server said last.
    #[schema(required, nullable)]
    answer: Option<String>,
}

/// A question of the report.
#[derive(Serialize, ToSchema)]
struct ReportedQuestion {
    #[schema(example = "Leverandør 1")]
    asker: String,
    asked_at: DateTime<Utc>,
    text: String,
    #[schema(example = "answered")]
    status: &'static str,
    /// The answer, or why there is none.
    #[schema(required, nullable)]
    answer: Option<String>,
    /// When the answer was public, or the question rejected.
    #[schema(required, nullable)]
    settled_at: Option<DateTime<Utc>>,
    /// To whom the answer was mailed besides: who asked, and who follows the dialogue.
    mailed: Vec<AnswerMailed>,
}

/// A company at an event.
#[derive(Serialize, ToSchema)]
struct ReportedSignup {
    event: String,
    company: String,
    #[schema(required, nullable)]
    cvr: Option<String>,
    status: SignupState,
    /// One-to-one: when its talk begins.
    #[schema(required, nullable)]
    slot: Option<DateTime<Utc>>,
    signed_up_at: DateTime<Utc>,
    #[schema(required, nullable)]
    confirmed_at: Option<DateTime<Utc>>,
}

/// A written answer, without its words.
#[derive(Serialize, ToSchema)]
struct ReportedAnswer {
    company: String,
    #[schema(required, nullable)]
    cvr: Option<String>,
    /// The version that stood when it came.
    version: i32,
    received_at: DateTime<Utc>,
    late: bool,
    /// Whether a part of it is confidential, and kept apart.
    confidential: bool,
    /// SHA-256 of what was received.
    receipt: String,
}

/// The last entry of the ledger when the report was made: proof that nothing before it was changed or taken out since.
#[derive(Serialize, ToSchema)]
#[schema(as = ReportedHead)]
struct Head {
    number: i64,
    hash: String,
}

/// All that was done with the market in one dialogue.
#[derive(Serialize, ToSchema)]
pub(super) struct DialogueReport {
    dialogue: DialogueView,
    /// By which ways the market was told.
    channels: Vec<String>,
    publications: Vec<ReportedPublication>,
    versions: Vec<VersionView>,
    questions: Vec<ReportedQuestion>,
    signups: Vec<ReportedSignup>,
    answers: Vec<ReportedAnswer>,
    /// Who was told of which version, when and why.
    told: Vec<LedgerEntry>,
    /// How many companies signed up or answered.
    suppliers: usize,
    /// What a reader should know, such as that fewer than two suppliers took part.
    warnings: Vec<String>,
    #[schema(required, nullable)]
    ledger_head: Option<Head>,
    /// The same as a page, for whoever has this link; good for 30 days.
    page_url: String,
    made_at: DateTime<Utc>,
}

/// The report of a dialogue: publications, versions, questions, sign-ups, answers, and who was told what when; a page when
/// the client would rather have HTML. For CO-PI's staff.
#[utoipa::path(tag = "dialogues", responses((status = 200, content((DialogueReport = "application/json"), (String = "text/html")))))]
#[get("/dialogues/{id}/report")]
pub(super) async fn get_dialogue_report(
    context: Context,
    id: PathId<Dialogue>,
    prefers: Prefers,
) -> Result<Either<Reply<DialogueReport>, HtmlPage>, Problem> {
    context.caller.staff(Scope::DialoguesWrite)?;
    let report = report(&context, id.0).await?;
    Ok(match prefers {
        Prefers::Json => Either::Left(Reply::ok(report).secret()),
        Prefers::Html => Either::Right(page::draw(&report, context.language)),
    })
}

/// The report as a page, for whoever has the link: it opens one report, for 30 days.
#[utoipa::path(tag = "dialogues", security(()), responses((status = 200, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html")))]
#[get("/reports/{token}")]
pub(super) async fn show_dialogue_report(context: Context, token: web::Path<String>) -> Result<HtmlPage, Problem> {
    let language = context.language;
    let id = Seal::named_by::<Dialogue>(&token)
        .filter(|id| context.seal.opens(&token, SealedFor::ReadReport, *id, "", context.now));
    let made = match id {
        Some(id) => report(&context, id).await,
        None => Err(Problem::dead_link()),
    };
    HtmlPage::of(made.map(|report| page::draw(&report, language)), language)
}

async fn report(context: &Context, id: Id<Dialogue>) -> Result<DialogueReport, Problem> {
    let (language, now) = (context.language, context.now);
    let token = context.seal.token(SealedFor::ReadReport, id, Some(now + LINK_LIFETIME), "");
    let page_url = context.url(&format!("/api/v1/reports/{token}"));
    context.db.read(move |connection| make(connection, id, language, page_url, now)).await
}

fn make(
    connection: &mut AnyConnection,
    id: Id<Dialogue>,
    language: Language,
    page_url: String,
    now: Instant,
) -> Result<DialogueReport, Problem> {
    let dialogue = dialogue::store::find(connection, id, now)?.ok_or_else(Problem::not_found)?;
    let versions = dialogue::store::versions(connection, id, now)?;
    let events: Vec<Event> = versions.iter().flat_map(|version| version.notice.events.clone()).collect();
    let signups = dialogue::store::signups(connection, id)?;
    let answers = dialogue::store::written_answers(connection, id)?;
    let suppliers = dialogue::suppliers(&signups, &answers);
    let warnings = dialogue::few_suppliers(suppliers).iter().map(|words| words.to(language).to_owned()).collect();
    let channels = [
        text!(
            "Offentlig side og API, for alle fra samme øjeblik",
            "Public page and API, for everybody from the same moment"
        ),
        text!(
            "Feeds (Atom, JSON Feed, kalender), fra samme øjeblik",
            "Feeds (Atom, JSON Feed, calendar), from the same moment"
        ),
        text!("Mail til alle abonnenter med et filter, der passer", "Mail to every subscriber whose filter matches"),
    ];
    let told = ledger_of(connection, id, language, now)?;
    let mut mailed = mailed_answers(connection, id)?;
    let questions = dialogue::store::questions(connection, id)?;
    let head = store::last_entry(connection)?.map(|(number, _, hash)| Head { number, hash });
    Ok(DialogueReport {
        publications: versions.iter().map(|version| publication(version, &told)).collect::<Result<_, _>>()?,
        questions: questions
            .into_iter()
            .map(|question| {
                let mailed = mailed.remove(&question.id.to_string()).unwrap_or_default();
                reported(question, mailed, language)
            })
            .collect(),
        signups: signups.into_iter().map(|signup| at_event(signup, &events)).collect(),
        answers: answers.into_iter().map(|answer| received(answer, &versions)).collect(),
        dialogue: view::show(connection, dialogue, language)?,
        versions: view::versions(connection, versions, language)?,
        channels: channels.iter().map(|words| words.to(language).to_owned()).collect(),
        told,
        suppliers,
        warnings,
        ledger_head: head,
        page_url,
        made_at: now,
    })
}

fn publication(version: &Version, told: &[LedgerEntry]) -> Result<ReportedPublication, Problem> {
    let of_it = || told.iter().filter(|entry| entry.version == version.number);
    let count = |words: &[&str]| of_it().filter(|entry| words.contains(&entry.status.as_str())).count();
    Ok(ReportedPublication {
        version: version.number,
        kind: version.kind,
        published_at: version.published_at,
        published_by: version.published_by.clone(),
        notice_sha256: super::actions::notice_sha256(version)?,
        recipients: of_it().count(),
        first_queued_at: of_it().map(|entry| entry.queued_at).min(),
        last_queued_at: of_it().map(|entry| entry.queued_at).max(),
        first_sent_at: of_it().filter_map(|entry| entry.sent_at).min(),
        last_sent_at: of_it().filter_map(|entry| entry.sent_at).max(),
        sent: count(&["sent"]),
        not_sent: count(&["failed", "suppressed"]),
        waiting: count(&["queued"]),
    })
}

/// To whom each answer was mailed, by the question's id: as the ledger has it.
fn mailed_answers(
    connection: &mut AnyConnection,
    id: Id<Dialogue>,
) -> Result<HashMap<String, Vec<AnswerMailed>>, Problem> {
    let mut mailed = HashMap::new();
    for entry in store::entries_of(connection, &id.to_string(), "answered")? {
        let data: Value = serde_json::from_str(&entry.data).unwrap_or_default();
        let question = data.get("question_id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let deliveries = ledger::deliveries_of(&data);
        let letters = post::store::entries_by_id(connection, &deliveries)?.into_iter().map(|letter| AnswerMailed {
            recipient: letter.recipient,
            queued_at: letter.queued_at,
            sent_at: letter.settled_at.filter(|_| letter.status == "sent"),
            answer: letter.answer,
        });
        mailed.insert(question, letters.collect());
    }
    Ok(mailed)
}

fn reported(question: Question, mailed: Vec<AnswerMailed>, language: Language) -> ReportedQuestion {
    let asker = question.pseudonym().to(language).to_owned();
    let status = question.state.word();
    let (answer, settled_at) = match question.state {
        QuestionState::Unconfirmed | QuestionState::Asked => (None, None),
        QuestionState::Answered { answer, answered_at } => (Some(answer), Some(answered_at)),
        QuestionState::Rejected { reason, rejected_at } => (Some(reason), Some(rejected_at)),
    };
    ReportedQuestion { asker, asked_at: question.asked_at, text: question.text, status, answer, settled_at, mailed }
}

fn at_event(signup: Signup, events: &[Event]) -> ReportedSignup {
    let event = events.iter().rev().find(|event| event.id == Some(signup.event_id));
    ReportedSignup {
        event: event.map(|event| event.title.clone()).unwrap_or_default(),
        company: signup.company,
        cvr: signup.cvr,
        status: signup.state,
        slot: signup.slot,
        signed_up_at: signup.signed_up_at,
        confirmed_at: signup.confirmed_at,
    }
}

fn received(answer: WrittenAnswer, versions: &[Version]) -> ReportedAnswer {
    let receipt = answer.receipt();
    let stood = versions.iter().rev().find(|version| version.published_at <= answer.received_at);
    let WrittenAnswer { company, cvr, received_at, late, confidential, .. } = answer;
    ReportedAnswer {
        company,
        cvr,
        version: stood.map_or(0, |version| version.number),
        received_at,
        late,
        confidential: confidential.is_some(),
        receipt,
    }
}

/// The head of the ledger, for everybody.
#[derive(Serialize, ToSchema)]
#[schema(as = LedgerHead)]
struct LedgerHead {
    /// How many entries there are.
    number: i64,
    /// SHA-256 over the last entry and all before it; empty while there are none.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    hash: String,
    #[schema(required, nullable)]
    at: Option<DateTime<Utc>>,
}

/// The head of the ledger of equal treatment. Whoever keeps it can have it proven later (`skala ledger verify --head
/// NUMBER:HASH`) that nothing up to it was changed, put in or taken out, not even at the end.
#[utoipa::path(tag = "dialogues", security(()), responses((status = 200, body = LedgerHead)))]
#[get("/ledger/head")]
pub(super) async fn get_ledger_head(context: Context) -> Result<Reply<LedgerHead>, Problem> {
    let last = context.db.read(store::last_entry).await?;
    let head = last.map(|(number, at, hash)| LedgerHead { number, hash, at: Some(at) });
    Ok(Reply::ok(head.unwrap_or_else(|| LedgerHead { number: 0, hash: String::new(), at: None })))
}

/// A status in the reader's words.
fn status_words(word: &str) -> Text {
    match word {
        "sent" => text!("sendt", "sent"),
        "failed" => text!("kunne ikke leveres", "could not be delivered"),
        "suppressed" => text!("ikke længere ønsket", "no longer wanted"),
        _ => text!("venter", "waiting"),
    }
}

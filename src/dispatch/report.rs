//! The dialogue report: all that was done with the market, for a lawyer to read.

use actix_web::{Either, get};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::http::{LedgerEntry, ledger_of};
use crate::access::{Context, Scope};
use crate::db::AnyConnection;
use crate::dialogue::http::view::{self, DialogueView, VersionView};
use crate::dialogue::{self, Dialogue, Event, Question, QuestionState, Signup, SignupState, WrittenAnswer};
use crate::kernel::{Language, Text, copenhagen_text, fold, text};
use crate::mail::Prose;
use crate::web::{HtmlPage, PathId, Prefers, Problem, Reply};

/// A question of the report.
#[derive(Serialize, ToSchema)]
struct ReportedQuestion {
    asker: String,
    asked_at: DateTime<Utc>,
    text: String,
    #[schema(example = "answered")]
    status: &'static str,
    /// The answer, or why there is none.
    #[schema(required, nullable)]
    answer: Option<String>,
    #[schema(required, nullable)]
    settled_at: Option<DateTime<Utc>>,
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
}

/// A written answer, without its words.
#[derive(Serialize, ToSchema)]
struct ReportedAnswer {
    company: String,
    #[schema(required, nullable)]
    cvr: Option<String>,
    received_at: DateTime<Utc>,
    late: bool,
    /// SHA-256 of what was received.
    receipt: String,
}

/// All that was done with the market in one dialogue.
#[derive(Serialize, ToSchema)]
pub(super) struct DialogueReport {
    dialogue: DialogueView,
    /// By which ways the market was told.
    channels: Vec<String>,
    versions: Vec<VersionView>,
    questions: Vec<ReportedQuestion>,
    signups: Vec<ReportedSignup>,
    answers: Vec<ReportedAnswer>,
    /// Who was told what, when and why.
    told: Vec<LedgerEntry>,
    /// How many companies signed up or answered.
    suppliers: usize,
    /// What a reader should know, such as that fewer than two suppliers took part.
    warnings: Vec<String>,
    made_at: DateTime<Utc>,
}

/// The report of a dialogue: invitations, versions, questions, sign-ups, answers, and who was told what when; a page
/// when the client would rather have HTML. For CO-PI's staff.
#[utoipa::path(tag = "dialogues", responses((status = 200, content((DialogueReport = "application/json"), (String = "text/html")))))]
#[get("/dialogues/{id}/report")]
pub(super) async fn get_dialogue_report(
    context: Context,
    id: PathId<Dialogue>,
    prefers: Prefers,
) -> Result<Either<Reply<DialogueReport>, HtmlPage>, Problem> {
    context.caller.staff(Scope::DialoguesWrite)?;
    let (language, now) = (context.language, context.now);
    let report = context.db.read(move |connection| {
        let dialogue = dialogue::store::find(connection, id.0)?.ok_or_else(Problem::not_found)?;
        make(connection, dialogue, language, now)
    });
    let report = report.await?;
    Ok(match prefers {
        Prefers::Json => Either::Left(Reply::ok(report)),
        Prefers::Html => Either::Right(page(&report, language)),
    })
}

fn make(
    connection: &mut AnyConnection,
    dialogue: Dialogue,
    language: Language,
    now: DateTime<Utc>,
) -> Result<DialogueReport, Problem> {
    let id = dialogue.id;
    let versions = dialogue::store::versions(connection, id)?;
    let events: Vec<Event> = versions.iter().flat_map(|version| version.notice.events.clone()).collect();
    let signups = dialogue::store::signups(connection, id)?;
    let answers = dialogue::store::written_answers(connection, id)?;
    let suppliers = companies(&signups, &answers);
    let mut warnings = Vec::new();
    if suppliers < 2 {
        let few = text!(
            "Færre end to leverandører har tilmeldt sig eller svaret. Overvej, om markedet er hørt bredt nok.",
            "Fewer than two suppliers signed up or answered. Consider whether the market was heard widely enough."
        );
        warnings.push(few.to(language).to_owned());
    }
    let channels = [
        text!("Offentlig side og API", "Public page and API"),
        text!("Mail til alle abonnenter med et filter, der passer", "Mail to every subscriber whose filter matches"),
    ];
    Ok(DialogueReport {
        told: ledger_of(connection, id, language)?,
        questions: dialogue::store::questions(connection, id)?
            .into_iter()
            .map(|question| reported(question, language))
            .collect(),
        signups: signups.into_iter().map(|signup| at_event(signup, &events)).collect(),
        answers: answers.into_iter().map(received).collect(),
        dialogue: view::show(connection, dialogue, language)?,
        versions: view::versions(versions, language),
        channels: channels.iter().map(|words| words.to(language).to_owned()).collect(),
        suppliers,
        warnings,
        made_at: now,
    })
}

/// How many companies there are among these, by CVR number or name.
fn companies(signups: &[Signup], answers: &[WrittenAnswer]) -> usize {
    let signed_up = signups
        .iter()
        .filter(|one| matches!(one.state, SignupState::Confirmed | SignupState::Waiting))
        .map(|one| (&one.cvr, &one.company));
    let answered = answers.iter().map(|one| (&one.cvr, &one.company));
    let key = |(cvr, company): (&Option<String>, &String)| cvr.clone().unwrap_or_else(|| fold(company));
    signed_up.chain(answered).map(key).collect::<std::collections::HashSet<_>>().len()
}

fn reported(question: Question, language: Language) -> ReportedQuestion {
    let asker = question.pseudonym().to(language).to_owned();
    let status = question.state.word();
    let (answer, settled_at) = match question.state {
        QuestionState::Unconfirmed | QuestionState::Asked => (None, None),
        QuestionState::Answered { answer, answered_at } => (Some(answer), Some(answered_at)),
        QuestionState::Rejected { reason, rejected_at } => (Some(reason), Some(rejected_at)),
    };
    ReportedQuestion { asker, asked_at: question.asked_at, text: question.text, status, answer, settled_at }
}

fn at_event(signup: Signup, events: &[Event]) -> ReportedSignup {
    let event = events.iter().rev().find(|event| event.id == Some(signup.event_id));
    ReportedSignup {
        event: event.map(|event| event.title.clone()).unwrap_or_default(),
        company: signup.company,
        cvr: signup.cvr,
        status: signup.state,
        slot: signup.slot,
    }
}

fn received(answer: WrittenAnswer) -> ReportedAnswer {
    let receipt = answer.receipt();
    let WrittenAnswer { company, cvr, received_at, late, .. } = answer;
    ReportedAnswer { company, cvr, received_at, late, receipt }
}

fn page(report: &DialogueReport, language: Language) -> HtmlPage {
    let say = |text: Text| text.to(language).to_owned();
    let moment = |at: DateTime<Utc>| copenhagen_text(at).to(language).to_owned();
    let title = &report.dialogue.notice.title;
    let mut prose = Prose::default()
        .fact(say(text!("Skaleringsproces", "Scaling process")), &report.dialogue.process.title)
        .fact(say(text!("Rapporten er lavet", "The report was made")), moment(report.made_at))
        .fact(say(text!("Leverandører, der deltog", "Suppliers that took part")), report.suppliers.to_string());
    prose = report.warnings.iter().fold(prose, Prose::paragraph);
    for words in [&report.dialogue.summary, &report.dialogue.cancel_reason].into_iter().flatten() {
        prose = prose.paragraph(words);
    }
    prose = prose.heading(say(text!("Udgaver", "Versions")));
    for version in &report.versions {
        let (number, at) = (version.version, moment(version.published_at));
        let reason = version.change_reason.as_deref().unwrap_or_default();
        prose = prose.fact(say(text!("Udgave {number}", "Version {number}")), format!("{at} {reason}"));
        for change in &version.changes {
            prose = prose.item(format!("{}: {} → {}", change.name, change.before, change.after));
        }
    }
    prose = prose.heading(say(text!("Spørgsmål og svar", "Questions and answers")));
    for question in &report.questions {
        prose = prose.fact(format!("{}, {}", question.asker, moment(question.asked_at)), &question.text);
        prose = question.answer.iter().fold(prose, Prose::paragraph);
    }
    prose = prose.heading(say(text!("Tilmeldinger", "Sign-ups")));
    for signup in &report.signups {
        prose = prose.item(format!("{}: {} ({:?})", signup.event, signup.company, signup.status));
    }
    prose = prose.heading(say(text!("Skriftlige svar", "Written answers")));
    for answer in &report.answers {
        let (company, at, receipt) = (&answer.company, moment(answer.received_at), &answer.receipt);
        let late = if answer.late { say(text!(", for sent", ", late")) } else { String::new() };
        prose = prose.item(format!("{company}: {at}{late}, SHA-256 {receipt}"));
    }
    prose = prose.heading(say(text!("Hvem fik hvad at vide, hvornår og hvorfor", "Who was told what, when and why")));
    prose = report.channels.iter().fold(prose, Prose::item);
    for entry in &report.told {
        prose = prose.item(entry.line(language));
    }
    HtmlPage::new(language, say(text!("Rapport: {title}", "Report: {title}")), &prose)
}

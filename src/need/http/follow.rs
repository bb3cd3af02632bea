//! What became of a need, for whoever left it: by the link in the letter or on the page.

use actix_web::{Either, get, post, web};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::Context;
use crate::challenge::{self, Challenge, Status};
use crate::db::AnyConnection;
use crate::kernel::{Id, Instant, Language, Text, copenhagen_text, text};
use crate::mail::Prose;
use crate::need::{Need, State, actions};
use crate::outbox::{FactRow, Subject, history};
use crate::web::{ForgetDeed, ForgetForm, HtmlPage, Node, Prefers, Problem, Reply, with_forget_buttons};

/// The challenge that a need is part of.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct ChallengeOfNeed {
    #[schema(value_type = String, format = "uuid")]
    pub id: Id<Challenge>,
    #[schema(example = "Natlige tilsyn vækker patienterne")]
    pub title: String,
    pub status: Status,
    /// The process it is in, once the public sees that.
    #[schema(required, nullable, format = "uuid")]
    pub process_id: Option<String>,
}

/// The challenge that a need is part of, if any.
///
/// # Errors
/// Those of the database.
pub(super) fn challenge_of(connection: &mut AnyConnection, need: &Need) -> Result<Option<ChallengeOfNeed>, Problem> {
    let State::Gathered { challenge_id } = need.state else { return Ok(None) };
    let found = challenge::store::find(connection, challenge_id)?;
    Ok(found.map(|challenge| ChallengeOfNeed {
        id: challenge.id,
        status: challenge.stage.status(),
        title: challenge.description.title,
        process_id: need.process_id.clone(),
    }))
}

/// What became of a need.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FollowedNeed)]
struct Followed {
    what: String,
    left_at: DateTime<Utc>,
    /// new, seen, gathered, answered or set_aside.
    #[schema(example = "gathered")]
    state: &'static str,
    /// The answer, or why it was set aside.
    #[schema(required, nullable)]
    answer: Option<String>,
    #[schema(required, nullable)]
    challenge: Option<ChallengeOfNeed>,
    /// Whether letters come.
    followed_by_mail: bool,
    /// What happened, oldest first.
    steps: Vec<Step>,
}

/// Something that happened to a need.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NeedStep)]
struct Step {
    at: DateTime<Utc>,
    #[schema(example = "Samlet med andre i udfordringen »Natlige tilsyn vækker patienterne«")]
    what: String,
}

/// The steps that concern its sender; who at the body did them is the body's own affair.
fn step(fact: &FactRow, language: Language) -> Option<Step> {
    let title = fact.data.get("title").and_then(serde_json::Value::as_str).unwrap_or_default();
    let words = match fact.deed.as_str() {
        "left" => text!("Du skrev behovet", "You left the need"),
        "seen" => text!("Nogen har set på det", "Somebody looked at it"),
        "gathered" => {
            text!("Samlet med andre i udfordringen »{title}«", "Gathered with others into the challenge “{title}”")
        }
        "reached_process" => {
            text!("Udfordringen er nået til processen »{title}«", "The challenge reached the process “{title}”")
        }
        "recognised" => text!("Flere siger, at de har det også", "More say that they have it too"),
        "answered" => text!("Besvaret", "Answered"),
        "set_aside" => text!("Lagt til side", "Set aside"),
        _ => return None,
    };
    Some(Step { at: fact.at, what: words.to(language).to_owned() })
}

fn look(
    connection: &mut AnyConnection,
    node: &Node,
    now: Instant,
    token: &str,
    language: Language,
) -> Result<Followed, Problem> {
    let need = actions::followed(connection, node, now, token)?;
    let challenge = challenge_of(connection, &need)?;
    let facts = history(connection, Subject::Need, need.id)?;
    let answer = match &need.state {
        State::Answered { answer: words } | State::SetAside { reason: words } => Some(words.clone()),
        _ => None,
    };
    Ok(Followed {
        what: need.told.what,
        left_at: need.left_at,
        state: need.state.word(),
        answer,
        challenge,
        followed_by_mail: need.email.is_some(),
        steps: facts.iter().filter_map(|fact| step(fact, language)).collect(),
    })
}

/// What became of a need, for whoever has its link; a page for people when the client would rather have HTML.
#[utoipa::path(tag = "needs", security(()), responses((status = 200, content((Followed = "application/json"), (String = "text/html"))), (status = 410, content((Object = "application/problem+json"), (String = "text/html")))))]
#[get("/needs/follow/{token}")]
pub(super) async fn follow_need(
    context: Context,
    token: web::Path<String>,
    prefers: Prefers,
) -> Result<Either<Reply<Followed>, HtmlPage>, Problem> {
    let (node, now, language) = (context.node.clone(), context.now, context.language);
    let named = token.clone();
    let found = context.db.read(move |connection| look(connection, &node, now, &named, language)).await;
    match prefers {
        Prefers::Json => found.map(|followed| Either::Left(Reply::ok(followed).secret())),
        Prefers::Html => {
            let page = found.map(|followed| page(&followed, &token, language, None));
            HtmlPage::of(page, language).map(Either::Right)
        }
    }
}

fn page(followed: &Followed, token: &str, language: Language, news: Option<Text>) -> HtmlPage {
    let say = |text: Text| text.to(language).to_owned();
    let prose = news.into_iter().fold(Prose::default(), |prose, words| prose.paragraph(say(words)));
    let prose = prose.paragraph(&followed.what);
    let prose = followed
        .steps
        .iter()
        .fold(prose, |prose, step| prose.item(format!("{}: {}", say(copenhagen_text(step.at)), step.what)));
    let prose = followed.answer.iter().fold(prose, |prose, answer| prose.paragraph(answer));
    let prose = match &followed.challenge {
        Some(ChallengeOfNeed { process_id: Some(process), .. }) => {
            let words = say(text!("Se processen", "See the process"));
            prose.link(words, format!("/processes/{process}"))
        }
        _ => prose,
    };
    let page = HtmlPage::new(language, say(text!("Hvad blev der af dit behov?", "What became of your need?")), &prose);
    let action = format!("/api/v1/needs/follow/{token}");
    let stop = followed.followed_by_mail.then(|| text!("Send mig ikke mere om det", "Send me no more about it"));
    with_forget_buttons(page, &action, stop, language)
}

/// What the buttons of the page do: no more mail, or forget the need and its address.
#[utoipa::path(tag = "needs", security(()), request_body(content = ForgetForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html")))]
#[post("/needs/follow/{token}")]
pub(super) async fn press_followed_need(
    context: Context,
    token: web::Path<String>,
    form: web::Form<ForgetForm>,
) -> Result<HtmlPage, Problem> {
    let (node, now, language) = (context.node.clone(), context.now, context.language);
    let token = token.into_inner();
    let deed = form.deed;
    let done = context.db.write(move |tx| match deed {
        ForgetDeed::Stop => {
            actions::stop(tx, &node, now, &token)?;
            let followed = look(tx.connection, &node, now, &token, language)?;
            Ok(page(&followed, &token, language, Some(deed.done())))
        }
        ForgetDeed::Erase => {
            actions::erase(tx, &node, now, &token)?;
            Ok(deed.done_page(language))
        }
    });
    HtmlPage::of(done.await, language)
}

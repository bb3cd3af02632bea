//! Questions over HTTP.

use actix_web::http::StatusCode;
use actix_web::{get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{Context, Scope};
use crate::dialogue::actions::{self, Asked};
use crate::dialogue::{Dialogue, Question, QuestionState, store};
use crate::kernel::{Email, Fitting, Flaws, Id, Language, Text, text};
use crate::mail::Prose;
use crate::web::{Body, HtmlPage, PathId, Problem, Reply, Routes};

pub(super) fn routes(config: &mut impl Routes) {
    config
        .service(ask_question)
        .service(list_questions)
        .service(confirm_question)
        .service(show_question_confirmation)
        .service(press_question_confirmation)
        .service(reject_question);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "salg@firma.example", "text": "Skal løsningen kunne bruges uden netværk?"}))]
pub struct QuestionBody {
    /// Where the link for confirming goes, and the answer; never shown.
    email: String,
    /// 1 to 2,000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    text: String,
}
impl Fitting for QuestionBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.email("/email", &mut self.email);
        flaws.kept_prose("/text", &mut self.text, 1, 2000);
    }
}

impl QuestionBody {
    /// The question, for whoever asks it in this request.
    ///
    /// # Errors
    /// None, once it was checked.
    pub fn asked(self, context: &Context) -> Result<Asked, Problem> {
        let email = Email::parse(&self.email).ok_or_else(|| Problem::internal(&"an unchecked address"))?;
        Ok(Asked { email, text: self.text, language: context.language, network: context.network.clone() })
    }
}

/// What is to happen next.
#[derive(Serialize, ToSchema)]
pub(super) struct Next {
    /// In words.
    #[schema(example = "Vi har sendt en mail. Bekræft via linket i den.")]
    pub(super) next: String,
}

impl Next {
    pub(super) fn look_in_your_mail(language: Language) -> Self {
        let next = text!(
            "Se i din mail, og bekræft via linket inden 7 dage",
            "Look in your mail, and confirm by the link within 7 days"
        );
        Self { next: next.to(language).to_owned() }
    }
}

/// Asks a question, without an account; it counts once the link in the mail was used.
#[utoipa::path(tag = "dialogues", security(()), request_body = QuestionBody, responses((status = 202, body = Next)))]
#[post("/dialogues/{id}/questions")]
async fn ask_question(
    context: Context,
    id: PathId<Dialogue>,
    body: Body<QuestionBody>,
) -> Result<Reply<Next>, Problem> {
    let asked = body.0.into_inner().asked(&context)?;
    let (node, now) = (context.node.clone(), context.now);
    context.db.write(move |tx| actions::ask(tx, &node, now, id.0, asked)).await?;
    Ok(Reply::ok(Next::look_in_your_mail(context.language)).status(StatusCode::ACCEPTED))
}

/// A question, its asker under a pseudonym.
#[derive(Serialize, ToSchema)]
#[schema(as = Question)]
pub struct QuestionView {
    #[schema(value_type = String, format = "uuid")]
    id: Id<Question>,
    /// The same for all questions of one asker in this dialogue.
    #[schema(example = "Leverandør 3")]
    asker: String,
    text: String,
    /// asked, answered or rejected; only answered ones are public.
    #[schema(example = "answered")]
    status: &'static str,
    #[schema(required, nullable)]
    answer: Option<String>,
    #[schema(required, nullable)]
    answered_at: Option<DateTime<Utc>>,
    /// Why it was rejected; shown to staff.
    #[schema(required, nullable)]
    reason: Option<String>,
    asked_at: DateTime<Utc>,
}

impl QuestionView {
    /// The question, for a reader of this language.
    #[must_use]
    pub fn of(question: Question, language: Language) -> Self {
        let asker = question.pseudonym().to(language).to_owned();
        let status = question.state.word();
        let (answer, answered_at, reason) = match question.state {
            QuestionState::Unconfirmed | QuestionState::Asked => (None, None, None),
            QuestionState::Answered { answer, answered_at } => (Some(answer), Some(answered_at), None),
            QuestionState::Rejected { reason, .. } => (None, None, Some(reason)),
        };
        let Question { id, text, asked_at, .. } = question;
        Self { id, asker, text, status, answer, answered_at, reason, asked_at }
    }
}

/// The questions to a dialogue, oldest first.
#[derive(Serialize, ToSchema)]
struct Questions {
    items: Vec<QuestionView>,
}

/// The questions to a dialogue with their answers; staff also see those that wait for one.
#[utoipa::path(tag = "dialogues", security(()), responses((status = 200, body = Questions)))]
#[get("/dialogues/{id}/questions")]
async fn list_questions(context: Context, id: PathId<Dialogue>) -> Result<Reply<Questions>, Problem> {
    let (staff, language, now) = (context.caller.is_staff(), context.language, context.now);
    let questions = context
        .db
        .read(move |connection| {
            let dialogue = super::visible(store::find(connection, id.0, now)?, staff)?;
            Ok::<_, Problem>(store::questions(connection, dialogue.id)?)
        })
        .await?;
    let shown = questions.into_iter().filter(|one| staff || matches!(one.state, QuestionState::Answered { .. }));
    Ok(Reply::ok(Questions { items: shown.map(|question| QuestionView::of(question, language)).collect() }))
}

/// A token from a link in a mail.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LinkToken, example = json!({"token": "AZPxwnpefDGdPj9qKxwNTg"}))]
pub(super) struct TokenBody {
    pub(super) token: String,
}
impl Fitting for TokenBody {
    fn fit(&mut self, _: &mut Flaws) {}
}

/// Confirms a question by the token from the mail.
#[utoipa::path(tag = "dialogues", security(()), request_body = TokenBody, responses((status = 200, body = QuestionView), (status = 410, description = "The link has expired, was used or was altered.")))]
#[post("/questions/confirm")]
async fn confirm_question(context: Context, body: Body<TokenBody>) -> Result<Reply<QuestionView>, Problem> {
    let token = body.0.into_inner().token;
    let language = context.language;
    confirm(&context, token).await.map(|question| Reply::ok(QuestionView::of(question, language)))
}

async fn confirm(context: &Context, token: String) -> Result<Question, Problem> {
    let (node, now) = (context.node.clone(), context.now);
    context.db.write(move |tx| actions::confirm_question(tx, &node, now, &token)).await
}

/// The page behind the link in the mail; shows a button and changes nothing.
#[utoipa::path(tag = "dialogues", security(()), responses((status = 200, body = String, content_type = "text/html")))]
#[get("/questions/confirm/{token}")]
async fn show_question_confirmation(context: Context, token: actix_web::web::Path<String>) -> HtmlPage {
    let say = |text: Text| text.to(context.language).to_owned();
    let words = text!("Tryk på knappen for at stille spørgsmålet.", "Press the button to ask the question.");
    HtmlPage::new(
        context.language,
        say(text!("Stil spørgsmålet", "Ask the question")),
        &Prose::default().paragraph(say(words)),
    )
    .form(&format!("/api/v1/questions/confirm/{token}"), &[], &say(text!("Stil spørgsmålet", "Ask the question")))
}

/// What the page's button does: confirms the question.
#[utoipa::path(tag = "dialogues", security(()), responses((status = 200, body = String, content_type = "text/html"), (status = 409, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html")))]
#[post("/questions/confirm/{token}")]
async fn press_question_confirmation(
    context: Context,
    token: actix_web::web::Path<String>,
) -> Result<HtmlPage, Problem> {
    let language = context.language;
    let done = confirm(&context, token.into_inner()).await.map(|question| {
        let say = |text: Text| text.to(language).to_owned();
        let pseudonym = question.pseudonym();
        let name = pseudonym.to(language);
        let words = text!(
            "Spørgsmålet er stillet. Du optræder som {name}. Svaret vises for alle, og du får det også på mail.",
            "The question is asked. You appear as {name}. The answer is shown to everybody, and mailed to you as well."
        );
        HtmlPage::new(language, say(text!("Tak", "Thank you")), &Prose::default().paragraph(say(words)))
    });
    HtmlPage::of(done, language)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RejectionBody, example = json!({"reason": "Spørgsmålet handler om en anden markedsdialog."}))]
struct RejectionBody {
    /// 1 to 2,000 characters; only the asker is told.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}
impl Fitting for RejectionBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.kept_prose("/reason", &mut self.reason, 1, 2000);
    }
}

/// Rejects a question, with a reason for the asker alone; by CO-PI's staff.
#[utoipa::path(tag = "dialogues", request_body = RejectionBody, responses((status = 200, body = QuestionView)))]
#[post("/questions/{id}/reject")]
async fn reject_question(
    context: Context,
    id: PathId<Question>,
    body: Body<RejectionBody>,
) -> Result<Reply<QuestionView>, Problem> {
    let staff = context.caller.staff(Scope::DialoguesWrite)?;
    let reason = body.0.into_inner().reason;
    let (node, now, language) = (context.node.clone(), context.now, context.language);
    let rejected = context.db.write(move |tx| actions::reject(tx, &node, now, &staff, id.0, reason)).await?;
    Ok(Reply::ok(QuestionView::of(rejected.question, language)))
}

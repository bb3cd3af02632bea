//! Signatories over HTTP.

use actix_web::http::StatusCode;
use actix_web::post;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{UntilBody, WhyBody};
use crate::access::{Context, Scope};
use crate::kernel::{Email, Fitting, Flaws, Id, Instant, Language, OrganisationId, text};
use crate::letter_of_intent::actions::signing::{self, Answer, Named};
use crate::letter_of_intent::{Kind, LetterOfIntent, Signatory, SignatoryState};
use crate::web::{Body, OptionalBody, PathId, Problem, Reply, Routes};

pub(super) fn routes(config: &mut impl Routes) {
    config
        .service(name_letter_signatory)
        .service(send_signatory_again)
        .service(withdraw_signature)
        .service(sign_letter_of_intent);
}

/// How it stands with a signature.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = SignatureState)]
enum StateView {
    Named,
    Asked,
    /// The link has run out without an answer.
    Expired,
    Signed,
    Declined,
    Withdrawn,
}

/// Who signs for a body.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Signatory)]
pub(super) struct SignatoryView {
    #[schema(value_type = String, format = "uuid")]
    pub(super) id: Id<Signatory>,
    #[schema(value_type = String, format = "uuid")]
    organisation_id: OrganisationId,
    pub(super) organisation: String,
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) title: String,
    /// For CO-PI's staff alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    state: StateView,
    /// Until when the link is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<DateTime<Utc>>,
    #[schema(required, nullable)]
    pub(super) signed_at: Option<DateTime<Utc>>,
    /// Of exactly the words that were signed.
    #[schema(required, nullable)]
    pub(super) sha256: Option<String>,
    /// The words of an addendum or a declaration.
    #[schema(required, nullable)]
    pub(super) text: Option<String>,
    /// When it was declined or taken back, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
}

impl SignatoryView {
    pub(super) fn of(one: &Signatory, staff: bool, now: Instant) -> Self {
        let (state, until, signed_at, sha256, ended_at, reason) = match one.state.clone() {
            SignatoryState::Named => (StateView::Named, None, None, None, None, None),
            SignatoryState::Asked { until, .. } => {
                let state = if now <= until { StateView::Asked } else { StateView::Expired };
                (state, Some(until), None, None, None, None)
            }
            SignatoryState::Signed { at, sha256 } => (StateView::Signed, None, Some(at), Some(sha256), None, None),
            SignatoryState::Declined { at, reason } => (StateView::Declined, None, None, None, Some(at), Some(reason)),
            SignatoryState::Withdrawn { at, reason } => {
                (StateView::Withdrawn, None, None, None, Some(at), Some(reason))
            }
        };
        Self {
            id: one.id,
            organisation_id: one.organisation_id,
            organisation: one.organisation.clone(),
            kind: one.kind,
            name: one.name.clone(),
            title: one.title.clone(),
            email: staff.then(|| one.email.clone()),
            state,
            until,
            signed_at,
            sha256,
            text: one.words.clone(),
            ended_at,
            reason,
        }
    }
}

/// Who is to sign for a body.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignatoryBody, example = json!({"organisation_id": "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e", "name": "Ib Lund",
    "title": "Rådmand", "email": "ib@odense.example"}))]
struct SignatoryBody {
    #[schema(value_type = String, format = "uuid")]
    organisation_id: OrganisationId,
    /// 1 to 120 characters.
    #[schema(min_length = 1, max_length = 120)]
    name: String,
    /// 1 to 120 characters.
    #[schema(min_length = 1, max_length = 120)]
    title: String,
    #[schema(format = "email")]
    email: String,
    /// The language of the mail.
    #[serde(default)]
    language: Language,
    /// Until when the link is good, where it is sent at once; 30 days when left out.
    #[serde(default)]
    until: Option<DateTime<Utc>>,
}
impl Fitting for SignatoryBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.line("/name", &mut self.name, 1, 120);
        flaws.line("/title", &mut self.title, 1, 120);
        flaws.email("/email", &mut self.email);
    }
}

/// Names who signs for a participating body, or another person while nobody has; by CO-PI's staff. Supporters sign a partner
/// declaration, a body that the frozen text does not name an addendum. Once the letter is out, the link is sent at once.
#[utoipa::path(tag = "letters", request_body = SignatoryBody, responses((status = 201, body = SignatoryView)))]
#[post("/letters-of-intent/{id}/signatories")]
async fn name_letter_signatory(
    context: Context,
    id: PathId<LetterOfIntent>,
    body: Body<SignatoryBody>,
) -> Result<Reply<SignatoryView>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let SignatoryBody { organisation_id, name, title, email, language, until } = body.0.into_inner();
    let email = Email::parse(&email).ok_or_else(|| Problem::internal(&"an unchecked address"))?;
    let named = Named { organisation_id, name, title, email, language, until };
    let (node, now) = (context.node.clone(), context.now);
    let named = context.db.write(move |tx| signing::name_signatory(tx, &node, now, &staff, id.0, named)).await?;
    Ok(Reply::ok(SignatoryView::of(&named, true, now)).status(StatusCode::CREATED))
}

/// Sends a new link to somebody who has not answered; by CO-PI's staff. The old link opens nothing any more.
#[utoipa::path(tag = "letters", request_body = Option<UntilBody>, responses((status = 200, body = SignatoryView)))]
#[post("/signatories/{id}/send-again")]
async fn send_signatory_again(
    context: Context,
    id: PathId<Signatory>,
    body: OptionalBody<UntilBody>,
) -> Result<Reply<SignatoryView>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let (node, now) = (context.node.clone(), context.now);
    let until = body.0.and_then(|body| body.until);
    let sent = context.db.write(move |tx| signing::send_again(tx, &node, now, &staff, id.0, until)).await?;
    Ok(Reply::ok(SignatoryView::of(&sent, true, now)))
}

/// Takes a signature back at the body's word, with the reason; by CO-PI's staff. That it was given stays in the history.
#[utoipa::path(tag = "letters", request_body = WhyBody, responses((status = 200, body = SignatoryView)))]
#[post("/signatories/{id}/withdraw")]
async fn withdraw_signature(
    context: Context,
    id: PathId<Signatory>,
    body: Body<WhyBody>,
) -> Result<Reply<SignatoryView>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let now = context.now;
    let reason = body.0.into_inner().reason;
    let back = context.db.write(move |tx| signing::withdraw_signature(tx, now, &staff, id.0, reason)).await?;
    Ok(Reply::ok(SignatoryView::of(&back, true, now)))
}

/// Signing or declining by the link in the mail.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignatureAnswer, example = json!({"token": "KQGT8cJ6Xnwx", "sign": true}))]
struct AnswerBody {
    token: String,
    /// True signs exactly the text that the link shows, false declines.
    sign: bool,
    /// Why it is declined; 1 to 2,000 characters, with false only.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: Option<String>,
}
impl Fitting for AnswerBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        if let Some(reason) = &mut self.reason {
            flaws.open_prose("/reason", reason, 0, 2000);
        }
        self.reason = self.reason.take().filter(|reason| !reason.is_empty());
        if !self.sign && self.reason.is_none() {
            flaws.add("/reason", "required", text!("Skriv en begrundelse", "Give a reason"));
        }
    }
}

/// Signs exactly the text that the link shows, or declines with a reason, without an account. The link works once.
#[utoipa::path(tag = "letters", security(()), request_body = AnswerBody, responses((status = 200, body = SignatoryView), (status = 410, description = "The link has expired, was altered, or is for another text.")))]
#[post("/letters-of-intent/sign")]
async fn sign_letter_of_intent(context: Context, body: Body<AnswerBody>) -> Result<Reply<SignatoryView>, Problem> {
    let AnswerBody { token, sign, reason } = body.0.into_inner();
    let answer = if sign { Answer::Sign } else { Answer::Decline { reason: reason.unwrap_or_default() } };
    let (node, now) = (context.node.clone(), context.now);
    let (_, signatory) = context.db.write(move |tx| signing::answer(tx, &node, now, &token, answer)).await?;
    Ok(Reply::ok(SignatoryView::of(&signatory, false, now)))
}

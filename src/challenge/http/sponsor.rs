//! Sponsors over HTTP: the owner asks, the sponsor answers by the link in the mail.

use actix_web::http::StatusCode;
use actix_web::{Either, get, post, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ChallengeView, reader, show};
use crate::access::{Context, Scope};
use crate::challenge::sponsor::{Answer, SponsorRequest};
use crate::challenge::{Challenge, actions, letters, store};
use crate::criteria::{Backing, Side};
use crate::kernel::{Email, Fit, Fitting, Flaws, Language, Text, text};
use crate::mail::Prose;
use crate::web::{Body, Field, HtmlPage, PathId, Prefers, Problem, Reply, Routes};

pub(super) fn routes(config: &mut impl Routes) {
    config
        .service(ask_sponsors)
        .service(list_sponsors)
        .service(answer_sponsorship)
        .service(get_sponsorship)
        .service(press_sponsorship);
}

/// Where the sponsors can be asked; at least one address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"political_email": "ib.lund@odense.example", "administrative_email": "eva.skov@odense.example"}))]
struct SponsorsBody {
    /// Kept until the sponsor has answered, at most 14 days; never shown.
    #[serde(default)]
    #[schema(format = "email")]
    political_email: Option<String>,
    /// Likewise.
    #[serde(default)]
    #[schema(format = "email")]
    administrative_email: Option<String>,
    /// The language of the mail; da when left out.
    #[serde(default)]
    language: Language,
}

impl SponsorsBody {
    fn addresses(&self) -> Vec<(Side, Email)> {
        let read = |address: &Option<String>| Email::parse(address.as_ref()?);
        let both =
            [(Side::Political, read(&self.political_email)), (Side::Administrative, read(&self.administrative_email))];
        both.into_iter().filter_map(|(side, email)| Some((side, email?))).collect()
    }
}

impl Fitting for SponsorsBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        if self.political_email.is_none() && self.administrative_email.is_none() {
            let words = text!("Angiv mindst én adresse", "Give at least one address");
            flaws.add("/political_email", "required", words);
        }
        let both = [
            ("/political_email", &mut self.political_email),
            ("/administrative_email", &mut self.administrative_email),
        ];
        for (pointer, address) in both {
            if let Some(address) = address {
                flaws.email(pointer, address);
            }
        }
    }
}

/// Asks the sponsors whom the challenge names whether they stand behind it, by a link in a mail, without account; by the
/// owner. Asking again reminds them, at most once a day. The assessment says how each stands.
#[utoipa::path(tag = "challenges", request_body = SponsorsBody, responses((status = 202, body = ChallengeView)))]
#[post("/challenges/{id}/anchoring/requests")]
async fn ask_sponsors(
    context: Context,
    id: PathId<Challenge>,
    body: Body<SponsorsBody>,
) -> Result<Reply<ChallengeView>, Problem> {
    let member = context.caller.member(Scope::ChallengesWrite)?;
    let (now, node, language) = (context.now, context.node.clone(), context.language);
    let asked = context.db.write(move |tx| {
        let addresses = body.0.addresses();
        let challenge = actions::ask_sponsors(tx, &node, now, &member, id.0, addresses, body.0.language)?;
        show(tx.connection, challenge, language)
    });
    let (version, view) = asked.await?;
    Ok(Reply::ok(view).status(StatusCode::ACCEPTED).tagged(version, context.language))
}

/// How a sponsor's backing stands.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Standing {
    /// The body says so; the text changed since the sponsor was asked, or somebody else is named.
    Claimed,
    /// A mail is out.
    Asked,
    Confirmed,
    Refused,
}

/// A sponsor who was asked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sponsorship)]
struct SponsorshipView {
    side: Side,
    name: String,
    title: String,
    standing: Standing,
    asked_by: String,
    asked_at: DateTime<Utc>,
    /// When the link in the mail ends.
    expires_at: DateTime<Utc>,
    /// Whether the link can still be answered.
    open: bool,
    #[schema(required, nullable)]
    answered_at: Option<DateTime<Utc>>,
    /// Why not, where a no gave a reason.
    #[schema(required, nullable)]
    reason: Option<String>,
}

impl SponsorshipView {
    fn of(request: SponsorRequest, challenge: &Challenge, now: DateTime<Utc>) -> Self {
        let told = &challenge.description;
        let (standing, answered_at) = match request.backing(told) {
            Backing::Claimed => (Standing::Claimed, None),
            Backing::Asked { .. } => (Standing::Asked, None),
            Backing::Confirmed { confirmed_at } => (Standing::Confirmed, Some(confirmed_at)),
            Backing::Refused { refused_at, .. } => (Standing::Refused, Some(refused_at)),
        };
        let open = request.require_open(told, now).is_ok();
        let reason = request.refusal().and_then(|no| no.reason.clone());
        let SponsorRequest { side, name, title, asked_by, asked_at, expires_at, .. } = request;
        Self { side, name, title, standing, asked_by, asked_at, expires_at, open, answered_at, reason }
    }
}

/// The sponsors who were asked, at most one a side.
#[derive(Debug, Serialize, ToSchema)]
struct Sponsorships {
    items: Vec<SponsorshipView>,
}

/// The sponsors of a challenge who were asked, and what they answered; for whoever may see the challenge.
#[utoipa::path(tag = "challenges", responses((status = 200, body = Sponsorships)))]
#[get("/challenges/{id}/anchoring/requests")]
async fn list_sponsors(context: Context, id: PathId<Challenge>) -> Result<Reply<Sponsorships>, Problem> {
    let (reader, now) = (reader(&context.caller)?, context.now);
    let items = context.db.read(move |connection| {
        let found = store::find(connection, id.0)?.filter(|challenge| reader.sees(challenge));
        let challenge = found.ok_or_else(Problem::not_found)?;
        let asked = store::sponsor_requests(connection, id.0)?.into_iter();
        Ok::<_, Problem>(asked.map(|request| SponsorshipView::of(request, &challenge, now)).collect())
    });
    Ok(Reply::ok(Sponsorships { items: items.await? }))
}

/// What a sponsor is asked, behind the link in the mail.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SponsorshipQuestion)]
struct QuestionView {
    /// The body that named the sponsor.
    organisation: String,
    side: Side,
    name: String,
    title: String,
    asked_by: String,
    expires_at: DateTime<Utc>,
    /// The text, with its figures, that the answer is bound to.
    text: String,
    /// What a yes means, who reads the answer, and what becomes of the address.
    terms: Vec<String>,
}

async fn opened(context: &Context, token: String) -> Result<(SponsorRequest, Challenge, String), Problem> {
    let (node, now) = (context.node.clone(), context.now);
    context.db.read(move |connection| actions::sponsor_of_link(connection, &node, now, &token)).await
}

/// The text that a sponsor is asked to stand behind; a page with two buttons when the client would rather have HTML.
/// Showing it changes nothing.
#[utoipa::path(tag = "challenges", security(()), responses(
    (status = 200, content((QuestionView = "application/json"), (String = "text/html"))),
    (status = 410, body = String, content_type = "text/html", description = "The link is unknown, used, expired, or about a text that changed.")))]
#[get("/sponsorships/{token}")]
async fn get_sponsorship(
    context: Context,
    token: web::Path<String>,
    prefers: Prefers,
) -> Result<Either<Reply<QuestionView>, HtmlPage>, Problem> {
    let token = token.into_inner();
    let opened = opened(&context, token.clone()).await;
    if prefers == Prefers::Html {
        let page = opened.map(|(request, challenge, owner)| page(&request, &challenge, &owner, &token));
        return HtmlPage::of(page, context.language).map(Either::Right);
    }
    let (request, challenge, organisation) = opened?;
    let language = context.language;
    let terms = [letters::what_a_yes_means(), letters::privacy(&organisation)];
    let view = QuestionView {
        text: letters::what_is_asked(Prose::default(), &challenge.description, language).text(),
        terms: terms.iter().map(|words| words.to(language).to_owned()).collect(),
        organisation,
        side: request.side,
        name: request.name,
        title: request.title,
        asked_by: request.asked_by,
        expires_at: request.expires_at,
    };
    Ok(Either::Left(Reply::ok(view).secret()))
}

fn page(request: &SponsorRequest, challenge: &Challenge, owner: &str, token: &str) -> HtmlPage {
    let language = request.language;
    let say = |text: Text| text.to(language).to_owned();
    let prose = Prose::default().paragraph(say(letters::role(request, owner)));
    let prose = letters::what_is_asked(prose, &challenge.description, language)
        .paragraph(say(letters::what_a_yes_means()))
        .paragraph(say(text!(
            "Dit svar gælder netop denne tekst. Ændres den, skal du spørges igen.",
            "Your answer holds for this very text. If it is changed, you must be asked again."
        )))
        .small(say(letters::privacy(owner)));
    let action = format!("/api/v1/sponsorships/{token}");
    let answer = |value| Field::Hidden { name: "answer", value };
    let title = say(text!("Står du bag denne udfordring?", "Do you stand behind this challenge?"));
    let why = say(text!("Hvorfor ikke? (kan udelades; vises)", "Why not? (may be left out; is shown)"));
    let reason = Field::Line { name: "reason", label: &why, value: "" };
    HtmlPage::new(language, title, &prose)
        .form(&action, &[answer("confirm")], &say(text!("Ja, jeg står bag", "Yes, I stand behind it")))
        .form(&action, &[answer("refuse"), reason], &say(text!("Nej, jeg står ikke bag", "No, I do not")))
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = SponsorAnswer)]
enum YesOrNo {
    Confirm,
    Refuse,
}

/// What the page's buttons send.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SponsorAnswerForm, example = json!({"answer": "confirm"}))]
struct AnswerForm {
    answer: YesOrNo,
    /// Why not; at most 1,000 characters.
    #[serde(default)]
    #[schema(max_length = 1000)]
    reason: Option<String>,
}

impl Fitting for AnswerForm {
    fn fit(&mut self, flaws: &mut Flaws) {
        if let Some(reason) = &mut self.reason {
            flaws.prose("/reason", reason, 0, 1000);
        }
    }
}

/// A sponsor's answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SponsorAnswerBody, example = json!({"token": "AZPxwnpefDGdPj9qKxwNTg", "answer": "refuse", "reason": "Vi har ikke råd i år."}))]
struct AnswerBody {
    /// From the link in the mail.
    token: String,
    answer: YesOrNo,
    /// Why not; at most 1,000 characters.
    #[serde(default)]
    #[schema(max_length = 1000)]
    reason: Option<String>,
}

impl Fitting for AnswerBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        if let Some(reason) = &mut self.reason {
            flaws.prose("/reason", reason, 0, 1000);
        }
    }
}

async fn answer(
    context: &Context,
    token: String,
    answer: YesOrNo,
    reason: Option<String>,
) -> Result<SponsorRequest, Problem> {
    let (node, now) = (context.node.clone(), context.now);
    let (yes, reason) = (answer == YesOrNo::Confirm, reason.filter(|reason| !reason.is_empty()));
    context.db.write(move |tx| actions::answer_sponsor(tx, &node, now, &token, yes, reason)).await
}

/// What became of an answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SponsorAnswered)]
struct AnsweredView {
    side: Side,
    name: String,
    standing: Standing,
}

/// Answers for a sponsor by the token from the mail; it works once.
#[utoipa::path(tag = "challenges", security(()), request_body = AnswerBody, responses((status = 200, body = AnsweredView), (status = 410, description = "The link is unknown, used, expired, or about a text that changed.")))]
#[post("/sponsorships/answer")]
async fn answer_sponsorship(context: Context, body: Body<AnswerBody>) -> Result<Reply<AnsweredView>, Problem> {
    let AnswerBody { token, answer: said, reason } = body.0.into_inner();
    let SponsorRequest { side, name, answer, .. } = answer(&context, token, said, reason).await?;
    let standing = if matches!(answer, Answer::Confirmed { .. }) { Standing::Confirmed } else { Standing::Refused };
    Ok(Reply::ok(AnsweredView { side, name, standing }))
}

/// What the page's buttons do: confirm, or refuse with or without a reason.
#[utoipa::path(tag = "challenges", security(()), request_body(content = AnswerForm, content_type = "application/x-www-form-urlencoded"), responses((status = 200, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html"), (status = 422, body = String, content_type = "text/html")))]
#[post("/sponsorships/{token}")]
async fn press_sponsorship(
    context: Context,
    token: web::Path<String>,
    form: web::Form<AnswerForm>,
) -> Result<HtmlPage, Problem> {
    let done = press(&context, token.into_inner(), form.into_inner()).await;
    HtmlPage::of(done, context.language)
}

async fn press(context: &Context, token: String, form: AnswerForm) -> Result<HtmlPage, Problem> {
    let AnswerForm { answer: said, reason } = Fit::check(form)?.into_inner();
    let language = answer(context, token, said, reason).await?.language;
    let (title, words) = match said {
        YesOrNo::Confirm => (
            text!("Tak", "Thank you"),
            text!(
                "Du står bag udfordringen, og organisationen har fået besked. Din mailadresse er slettet hos os.",
                "You stand behind the challenge, and the organisation was told. Your address is deleted with us."
            ),
        ),
        YesOrNo::Refuse => (
            text!("Tak for svaret", "Thank you for answering"),
            text!(
                "Du står ikke bag udfordringen, og organisationen har fået besked. Din mailadresse er slettet hos os.",
                "You do not stand behind the challenge, and the organisation was told. Your address is deleted with us."
            ),
        ),
    };
    Ok(HtmlPage::new(language, title.to(language), &Prose::default().paragraph(words.to(language))))
}

//! The invited body's answer: by the link in the letter, or signed in.

use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{Context, Scope};
use crate::challenge::Challenge;
use crate::kernel::{Fitting, Flaws, Id, Language, Text, text};
use crate::mail::Prose;
use crate::suggestion::actions::{Answering, headline};
use crate::suggestion::{Suggestion, actions};
use crate::web::{Body, Field, HtmlPage, OptionalBody, PathId, Problem, Reply};

/// The page behind the link in an invitation: the suggestion, and yes or no. Showing it changes nothing.
#[utoipa::path(tag = "suggestions", security(()), responses((status = 200, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html")))]
#[get("/suggestions/invitation/{token}")]
pub(super) async fn show_suggestion_invitation(
    context: Context,
    token: web::Path<String>,
) -> Result<HtmlPage, Problem> {
    let (node, now, language) = (context.node.clone(), context.now, context.language);
    let named = token.clone();
    let found = context.db.read(move |connection| {
        let (suggestion, _) = actions::invited_by(connection, &node, now, &named)?;
        let call = actions::call_of(connection, &suggestion)?;
        Ok::<_, Problem>((suggestion, call))
    });
    let page = found.await.map(|(suggestion, call)| {
        let say = |text: Text| text.to(language).to_owned();
        let prose =
            Prose::default().fact(say(text!("Indkaldelse", "Call")), &call.body.title).paragraph(&suggestion.told.what);
        let fact =
            |prose: Prose, name: Text, what: &str| if what.is_empty() { prose } else { prose.fact(say(name), what) };
        let prose = fact(prose, text!("Hvem det går ud over", "Whom it troubles"), &suggestion.told.who);
        let prose = fact(prose, text!("Hvor det er mødt", "Where it was met"), &suggestion.told.place);
        let prose = prose.paragraph(say(text!(
            "Siger I ja, får I en kladde til en udfordring, som er jeres: I retter den og indsender den, når I vil.",
            "If you say yes, you get a draft of a challenge that is yours: mend it and submit it when you like."
        )));
        let action = format!("/api/v1/suggestions/invitation/{token}");
        HtmlPage::new(language, say(text!("Kunne det være jeres udfordring?", "Could this be your challenge?")), &prose)
            .form(
                &action,
                &[
                    Field::Hidden { name: "deed", value: "accept" },
                    Field::Line {
                        name: "words",
                        label: &say(text!("Udfordringens titel", "The challenge's title")),
                        value: &headline(&suggestion.told.what),
                    },
                ],
                &say(text!("Ja, den er vores", "Yes, it is ours")),
            )
            .form(
                &action,
                &[
                    Field::Hidden { name: "deed", value: "decline" },
                    Field::Line {
                        name: "words",
                        label: &say(text!("Hvorfor ikke? (hvis I vil)", "Why not? (if you like)")),
                        value: "",
                    },
                ],
                &say(text!("Nej tak", "No, thank you")),
            )
    });
    HtmlPage::of(page, language)
}

/// What the buttons of an invitation send.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InvitationForm)]
pub(super) struct InvitationForm {
    deed: Deed,
    /// The challenge's title, or why not.
    #[serde(default)]
    words: String,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = InvitationDeed)]
enum Deed {
    Accept,
    Decline,
}

/// What the buttons of an invitation do: own the suggestion as a draft challenge, or say no. The link works once.
#[utoipa::path(tag = "suggestions", security(()), request_body(content = InvitationForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html"), (status = 422, body = String, content_type = "text/html")))]
#[post("/suggestions/invitation/{token}")]
pub(super) async fn press_suggestion_invitation(
    context: Context,
    token: web::Path<String>,
    form: web::Form<InvitationForm>,
) -> Result<HtmlPage, Problem> {
    let language = context.language;
    let done = answer(&context, token.into_inner(), form.into_inner()).await;
    HtmlPage::of(done.map(|words| tell(language, &words)), language)
}

async fn answer(context: &Context, token: String, form: InvitationForm) -> Result<Text, Problem> {
    let InvitationForm { deed, mut words } = form;
    let mut flaws = Flaws::default();
    match deed {
        Deed::Accept => flaws.line("/words", &mut words, 0, 200),
        Deed::Decline => flaws.kept_prose("/words", &mut words, 0, 2000),
    }
    if !flaws.0.is_empty() {
        return Err(flaws.into());
    }
    let words = Some(words).filter(|words| !words.is_empty());
    let (node, now) = (context.node.clone(), context.now);
    context
        .db
        .write(move |tx| {
            let (suggestion, body) = actions::invited_by(tx.connection, &node, now, &token)?;
            let answering = Answering::by_link(body);
            match deed {
                Deed::Accept => {
                    let challenge = actions::accept(tx, now, &answering, suggestion.id, words)?;
                    let title = challenge.description.title;
                    Ok(text!(
                        "»{title}« er nu jeres. Den ligger som en kladde hos jer i Skala; log ind for at rette og indsende den. Har I ikke adgang, så skriv til CO-PI.",
                        "“{title}” is yours now. It lies as a draft of yours in Skala; sign in to mend and submit it. If you have no account, write to CO-PI."
                    ))
                }
                Deed::Decline => {
                    actions::decline(tx, now, &answering, suggestion.id, words)?;
                    Ok(text!("Tak for svaret. CO-PI spørger andre.", "Thank you for the answer. CO-PI asks others."))
                }
            }
        })
        .await
}

fn tell(language: Language, words: &Text) -> HtmlPage {
    HtmlPage::new(language, text!("Tak", "Thank you").to(language), &Prose::default().paragraph(words.to(language)))
}

/// How a body takes a suggestion on.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = SuggestionAcceptance, example = json!({"title": "Forgæves kørsel i hjemmeplejen"}))]
pub(super) struct AcceptBody {
    /// The challenge's title; at most 200 characters. The suggestion's first sentence when left out.
    #[schema(max_length = 200)]
    title: String,
}

impl Fitting for AcceptBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.line("/title", &mut self.title, 0, 200);
    }
}

/// The challenge that a suggestion became.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AcceptedSuggestion {
    #[schema(value_type = String, format = "uuid")]
    challenge_id: Id<Challenge>,
    title: String,
}

/// Owns a suggestion that the caller's body is invited to: as a draft challenge.
#[utoipa::path(tag = "suggestions", request_body = AcceptBody, responses((status = 201, body = AcceptedSuggestion)))]
#[post("/suggestions/{id}/accept")]
pub(super) async fn accept_suggestion(
    context: Context,
    id: PathId<Suggestion>,
    body: OptionalBody<AcceptBody>,
) -> Result<Reply<AcceptedSuggestion>, Problem> {
    let answering = Answering::member(&context.caller.member(Scope::ChallengesWrite)?);
    let title = body.0.map(|body| body.into_inner().title).filter(|title| !title.is_empty());
    let now = context.now;
    let challenge = context.db.write(move |tx| actions::accept(tx, now, &answering, id.0, title)).await?;
    let location = format!("/api/v1/challenges/{}", challenge.id);
    let accepted = AcceptedSuggestion { challenge_id: challenge.id, title: challenge.description.title };
    Ok(Reply::created(accepted, location))
}

/// Why a body says no.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SuggestionDeclination, example = json!({"reason": "Vi har allerede løst det."}))]
pub(super) struct DeclineBody {
    /// At most 2,000 characters.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: String,
}

impl Fitting for DeclineBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.kept_prose("/reason", &mut self.reason, 0, 2000);
    }
}

/// Says no to a suggestion that the caller's body is invited to; CO-PI may ask others.
#[utoipa::path(tag = "suggestions", request_body = DeclineBody, responses((status = 204, description = "CO-PI has it again.")))]
#[post("/suggestions/{id}/decline")]
pub(super) async fn decline_suggestion(
    context: Context,
    id: PathId<Suggestion>,
    body: Body<DeclineBody>,
) -> Result<Reply<()>, Problem> {
    let answering = Answering::member(&context.caller.member(Scope::ChallengesWrite)?);
    let reason = Some(body.0.into_inner().reason).filter(|reason| !reason.is_empty());
    let now = context.now;
    context.db.write(move |tx| actions::decline(tx, now, &answering, id.0, reason).map(|_| ())).await?;
    Ok(Reply::ok(()).status(StatusCode::NO_CONTENT))
}

//! Suggestions over HTTP: the open page of a call, the links in the letters, and CO-PI's side.

mod forget;
mod invitation;
mod pages;
mod staff;

use actix_web::http::StatusCode;
use actix_web::post;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Told, actions};
use crate::access::Context;
use crate::criteria::Call;
use crate::kernel::privacy::{Warning, traces};
use crate::kernel::{Email, Fit, Fitting, Flaws, Id, Language, Network, text};
use crate::web::{Body, PathId, Problem, Reply, Routes};

/// Mounts the slice.
pub fn routes(config: &mut impl Routes) {
    config
        .service(add_suggestion)
        .service(confirm_suggestion)
        .service(pages::show_suggestion_confirmation)
        .service(pages::press_suggestion_confirmation)
        .service(forget::show_suggestion_to_forget)
        .service(forget::press_suggestion_to_forget)
        .service(invitation::show_suggestion_invitation)
        .service(invitation::press_suggestion_invitation)
        .service(invitation::accept_suggestion)
        .service(invitation::decline_suggestion)
        .service(staff::list_suggestions)
        .service(staff::invite_to_suggestion)
        .service(staff::set_suggestion_aside)
        .service(staff::get_suggestion)
        .service(staff::list_challenge_suggestions);
}

/// Mounts the calls' open pages, beside the API.
pub fn addresses(config: &mut impl Routes) {
    config.service(pages::show_call_page).service(pages::press_call_page);
}

/// A suggestion, and whom to tell how it ends.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSuggestion, example = json!({"what": "Hjemmehjælpen kører forgæves, fordi borgeren er indlagt. Det sker hver dag.",
    "who": "hjemmehjælpere, borgere", "place": "Aarhus Kommune", "email": "lis@hjem.example", "language": "da"}))]
struct NewSuggestion {
    /// What the problem is; 1 to 4,000 characters. No markup, no CPR number.
    #[schema(min_length = 1, max_length = 4000)]
    what: String,
    /// Whom it troubles; at most 500 characters.
    #[serde(default)]
    #[schema(max_length = 500)]
    who: String,
    /// Where it was met: a municipality, a hospital …; at most 200 characters.
    #[serde(default)]
    #[schema(max_length = 200)]
    place: String,
    /// A mail asks to confirm; at most 254 characters.
    #[schema(format = "email")]
    email: String,
    /// The language of letters; Danish when left out.
    #[serde(default)]
    language: Language,
}

impl NewSuggestion {
    fn told(&self) -> Told {
        Told { what: self.what.clone(), who: self.who.clone(), place: self.place.clone() }
    }
}

impl Fitting for NewSuggestion {
    fn fit(&mut self, flaws: &mut Flaws) {
        let mut told = self.told();
        told.fit(flaws);
        flaws.email("/email", &mut self.email);
        let Told { what, who, place } = told;
        *self = Self { what, who, place, ..self.clone() };
    }
}

/// What is to happen next.
#[derive(Debug, Serialize, ToSchema)]
struct SuggestionAsked {
    #[schema(example = "Se i din mail, og bekræft via linket inden 7 dage")]
    next: String,
    /// What in the words points to a person; erase it by the link in the mail, and write again without.
    warnings: Vec<Warning>,
}

/// Suggests something to a call, without an account. A mail asks the address's owner to confirm; the answer here is the same for
/// every address. At most 30 at once and 3 a minute from one network.
#[utoipa::path(tag = "suggestions", security(()), request_body = NewSuggestion, responses((status = 202, body = SuggestionAsked)))]
#[post("/calls/{id}/suggestions")]
async fn add_suggestion(
    context: Context,
    network: Network,
    id: PathId<Call>,
    body: Body<NewSuggestion>,
) -> Result<Reply<SuggestionAsked>, Problem> {
    let told = body.0.told();
    let personal = traces(&[told.what.as_str(), &told.who, &told.place].join("\n"));
    let warnings = Warning::all(personal, context.language);
    suggest(&context, &network, id.0, body.0).await?;
    let next = text!(
        "Se i din mail, og bekræft via linket inden 7 dage",
        "Look in your mail, and confirm by the link within 7 days"
    );
    let next = next.to(context.language).to_owned();
    Ok(Reply::ok(SuggestionAsked { next, warnings }).status(StatusCode::ACCEPTED))
}

/// Takes a knock at the call's door, and the suggestion.
async fn suggest(context: &Context, network: &Network, call: Id<Call>, new: Fit<NewSuggestion>) -> Result<(), Problem> {
    context.knock(&format!("suggestions/{call}"), network)?;
    let told = Fit::check(new.told())?;
    let email = Email::parse(&new.email).ok_or_else(|| Problem::internal(&"an unchecked address"))?;
    let (node, now, language) = (context.node.clone(), context.now, new.language);
    context.db.write(move |tx| actions::suggest(tx, &node, now, call, told, email, language)).await
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SuggestionConfirmation, example = json!({"token": "AZPxwnpefDGdPj9qKxwNTg"}))]
struct TokenBody {
    /// From the link in the mail.
    token: String,
}

impl Fitting for TokenBody {
    fn fit(&mut self, _: &mut Flaws) {}
}

/// Confirms a suggestion by the token from the mail; works once, within 7 days.
#[utoipa::path(tag = "suggestions", security(()), request_body = TokenBody, responses((status = 204, description = "CO-PI has it."), (status = 410, description = "The link has expired, was used or was altered.")))]
#[post("/suggestions/confirm")]
async fn confirm_suggestion(context: Context, body: Body<TokenBody>) -> Result<Reply<()>, Problem> {
    confirm(&context, body.0.into_inner().token).await?;
    Ok(Reply::ok(()).status(StatusCode::NO_CONTENT))
}

async fn confirm(context: &Context, token: String) -> Result<(), Problem> {
    let (node, now) = (context.node.clone(), context.now);
    context.db.write(move |tx| actions::confirm(tx, &node, now, &token).map(|_| ())).await
}

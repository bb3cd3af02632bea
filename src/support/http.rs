//! Support over HTTP: asking, answering, and what is asked for on the whole.

mod forget;
mod overview;
mod pages;

use actix_web::http::StatusCode;
use actix_web::{Either, get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::model::Closing;
use super::store::{self, Filter};
use super::{Ask, Kind, State, SupportRequest, UserGroup, actions};
use crate::access::{Caller, Context, Scope};
use crate::challenge::http::OwnerView;
use crate::db::AnyConnection;
use crate::kernel::privacy::{Warning, traces};
use crate::kernel::{Email, Fit, Fitting, Flaws, Id, Language, Network, OrganisationId, Page, text};
use crate::organisation::store::names;
use crate::web::{Body, OptionalBody, Paging, PathId, Problem, Query, Reply, Routes};

/// Mounts the slice.
pub fn routes(config: &mut impl Routes) {
    config
        .service(ask_for_support)
        .service(confirm_support_request)
        .service(pages::show_support_confirmation)
        .service(pages::press_support_confirmation)
        .service(forget::show_support_to_forget)
        .service(forget::press_support_to_forget)
        .service(overview::get_support_demand)
        .service(overview::list_recurring_support_requests)
        .service(list_support_requests)
        .service(answer_support_request)
        .service(close_support_request)
        .service(get_support_request);
}

/// Mounts the page where anybody asks, beside the API.
pub fn addresses(config: &mut impl Routes) {
    config.service(pages::show_support_page).service(pages::press_support_page);
}

/// What somebody wants support with.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSupportRequest, example = json!({"kind": "template", "user_group": "procurement",
    "text": "Findes der en skabelon til en markedsdialog med små virksomheder?", "email": "indkoeb@kommune.example", "language": "da"}))]
struct NewRequest {
    kind: Kind,
    user_group: UserGroup,
    /// 1 to 4,000 characters. No markup, no CPR number.
    #[schema(min_length = 1, max_length = 4000)]
    text: String,
    /// Whom to answer; needed from those who are not signed in, who confirm it by mail.
    #[serde(default)]
    #[schema(format = "email")]
    email: Option<String>,
    /// The language of letters; Danish when left out.
    #[serde(default)]
    language: Language,
}

impl NewRequest {
    fn ask(&self) -> Ask {
        Ask { kind: self.kind, user_group: self.user_group, text: self.text.clone() }
    }
}

impl Fitting for NewRequest {
    fn fit(&mut self, flaws: &mut Flaws) {
        let mut ask = self.ask();
        ask.fit(flaws);
        self.text = ask.text;
        if let Some(email) = &mut self.email {
            flaws.email("/email", email);
        }
    }
}

/// What is to happen next.
#[derive(Debug, Serialize, ToSchema)]
struct SupportAsked {
    #[schema(example = "Se i din mail, og bekræft via linket inden 7 dage")]
    next: String,
    /// What in the words points to a person; erase it by the link in the mail, and write again without.
    warnings: Vec<Warning>,
}

/// A request for support.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SupportRequest)]
struct RequestView {
    #[schema(value_type = String, format = "uuid")]
    id: Id<SupportRequest>,
    #[serde(flatten)]
    #[schema(inline)]
    ask: Ask,
    /// The body of whoever asked, for those who are signed in.
    #[schema(required, nullable)]
    organisation: Option<OwnerView>,
    /// waiting, answered or closed.
    #[schema(example = "answered")]
    state: &'static str,
    /// Since when.
    since: DateTime<Utc>,
    #[schema(required, nullable)]
    answer: Option<String>,
    /// Why it was closed without an answer.
    #[schema(required, nullable)]
    reason: Option<String>,
    asked_at: DateTime<Utc>,
}

fn views(connection: &mut AnyConnection, requests: Vec<SupportRequest>) -> Result<Vec<RequestView>, Problem> {
    let bodies: Vec<OrganisationId> = requests.iter().filter_map(|request| request.organisation_id).collect();
    let names = names(connection, &bodies)?;
    let view = |request: SupportRequest| {
        let owner = |id| OwnerView { id, name: names.get(&id).cloned().unwrap_or_default() };
        let state = request.state.word();
        let (answer, reason) = match request.state {
            State::Unconfirmed | State::Waiting => (None, None),
            State::Answered { answer } | State::Closed(Closing::Answered { answer }) => (Some(answer), None),
            State::Closed(Closing::Unanswered { reason }) => (None, Some(reason)),
        };
        RequestView {
            id: request.id,
            ask: request.ask,
            organisation: request.organisation_id.map(owner),
            state,
            since: request.state_at,
            answer,
            reason,
            asked_at: request.asked_at,
        }
    };
    Ok(requests.into_iter().map(view).collect())
}

fn one(connection: &mut AnyConnection, request: SupportRequest) -> Result<(i64, RequestView), Problem> {
    let version = request.version;
    let view = views(connection, vec![request])?.pop();
    Ok((version, view.ok_or_else(|| Problem::internal(&"a request without a view"))?))
}

/// Asks CO-PI for support: signed in, it waits at once (201); without an account a mail asks to confirm the address (202), and
/// the answer here is the same for every address. Without an account at most 30 at once and 3 a minute from one network.
#[utoipa::path(tag = "support", security((), ("bearer" = [])), request_body = NewRequest, responses((status = 201, body = RequestView), (status = 202, body = SupportAsked)))]
#[post("/support-requests")]
async fn ask_for_support(
    context: Context,
    network: Network,
    body: Body<NewRequest>,
) -> Result<Either<Reply<RequestView>, Reply<SupportAsked>>, Problem> {
    if let Caller::Anonymous = &context.caller {
        let warnings = Warning::all(traces(&body.0.text), context.language);
        ask_by_mail(&context, &network, &body.0).await?;
        let next = text!(
            "Se i din mail, og bekræft via linket inden 7 dage",
            "Look in your mail, and confirm by the link within 7 days"
        );
        let next = next.to(context.language).to_owned();
        return Ok(Either::Right(Reply::ok(SupportAsked { next, warnings }).status(StatusCode::ACCEPTED)));
    }
    let person = context.caller.person(Scope::ChallengesWrite)?.clone();
    let (now, language, ask) = (context.now, body.0.language, Fit::check(body.0.ask())?);
    let asked = context.db.write(move |tx| {
        let request = actions::ask_signed_in(tx, now, &person, ask, language)?;
        one(tx.connection, request)
    });
    let (version, view) = asked.await?;
    let location = format!("/api/v1/support-requests/{}", view.id);
    Ok(Either::Left(Reply::created(view, location).tagged(version, context.language)))
}

/// Takes a knock at the door, and the request.
async fn ask_by_mail(context: &Context, network: &Network, new: &Fit<NewRequest>) -> Result<(), Problem> {
    let Some(email) = new.email.as_deref().and_then(Email::parse) else {
        let detail = text!("Skriv, hvor svaret skal hen", "Say where the answer shall go");
        return Err(Problem::unfit("/email", "required", detail));
    };
    context.knock("support", network)?;
    let (node, now, language, ask) = (context.node.clone(), context.now, new.language, Fit::check(new.ask())?);
    context.db.write(move |tx| actions::ask(tx, &node, now, ask, email, language)).await
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SupportConfirmation, example = json!({"token": "AZPxwnpefDGdPj9qKxwNTg"}))]
struct TokenBody {
    /// From the link in the mail.
    token: String,
}

impl Fitting for TokenBody {
    fn fit(&mut self, _: &mut Flaws) {}
}

/// Confirms a request by the token from the mail; works once, within 7 days.
#[utoipa::path(tag = "support", security(()), request_body = TokenBody, responses((status = 204, description = "CO-PI has it."), (status = 410, description = "The link has expired, was used or was altered.")))]
#[post("/support-requests/confirm")]
async fn confirm_support_request(context: Context, body: Body<TokenBody>) -> Result<Reply<()>, Problem> {
    confirm(&context, body.0.into_inner().token).await?;
    Ok(Reply::ok(()).status(StatusCode::NO_CONTENT))
}

async fn confirm(context: &Context, token: String) -> Result<(), Problem> {
    let (node, now) = (context.node.clone(), context.now);
    context.db.write(move |tx| actions::confirm(tx, &node, now, &token).map(|_| ())).await
}

/// The word for a state that is shown.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SupportState)]
enum StateWord {
    Waiting,
    Answered,
    Closed,
}

/// What a list of requests may be narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    #[param(inline)]
    state: Option<StateWord>,
    kind: Option<Kind>,
    /// Rows a page, 1 to 200; 50 when left out.
    limit: Option<i64>,
    cursor: Option<String>,
    /// `newest` (default) or `changed`: oldest change first.
    order: Option<String>,
    since: Option<String>,
}

/// The requests for support: all of them for CO-PI's staff, one's own for everybody else.
#[utoipa::path(tag = "support", params(ListQuery), responses((status = 200, body = Page<RequestView>)))]
#[get("/support-requests")]
async fn list_support_requests(context: Context, query: Query<ListQuery>) -> Result<Reply<Page<RequestView>>, Problem> {
    let person = context.caller.person(Scope::ChallengesRead)?;
    let user_id = if context.caller.is_staff() { None } else { Some(person.user_id) };
    let Query(ListQuery { state, kind, limit, cursor, order, since }) = query;
    let request = Paging { limit, cursor, order, since }.of(store::LIST)?;
    let state = state.map(|state| match state {
        StateWord::Waiting => "waiting",
        StateWord::Answered => "answered",
        StateWord::Closed => "closed",
    });
    let filter = Filter { user_id, state, kind: kind.map(Kind::word) };
    let page = context.db.read(move |connection| {
        let Page { items, next } = store::list(connection, &filter, &request)?;
        Ok::<_, Problem>(Page { items: views(connection, items)?, next })
    });
    Ok(Reply::page(page.await?))
}

/// One request; for CO-PI's staff and whoever asked.
#[utoipa::path(tag = "support", responses((status = 200, body = RequestView, headers(("ETag")))))]
#[get("/support-requests/{id}")]
async fn get_support_request(context: Context, id: PathId<SupportRequest>) -> Result<Reply<RequestView>, Problem> {
    let user = context.caller.person(Scope::ChallengesRead)?.user_id;
    let staff = context.caller.is_staff();
    let found = context.db.read(move |connection| {
        let request = actions::confirmed(connection, id.0)?;
        if !staff && request.user_id != Some(user) {
            return Err(Problem::not_found());
        }
        one(connection, request)
    });
    let (version, view) = found.await?;
    Ok(Reply::ok(view).tagged(version, context.language))
}

/// An answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SupportAnswer, example = json!({"answer": "Ja, den ligger under skabeloner på vores side. Ring, hvis den skal tilpasses."}))]
struct AnswerBody {
    /// 1 to 6,000 characters.
    #[schema(min_length = 1, max_length = 6000)]
    answer: String,
}

impl Fitting for AnswerBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.kept_prose("/answer", &mut self.answer, 1, 6000);
    }
}

/// Answers a request, by mail to whoever asked; by CO-PI's staff. A later answer takes the place of the one before.
#[utoipa::path(tag = "support", request_body = AnswerBody, responses((status = 200, body = RequestView)))]
#[post("/support-requests/{id}/answer")]
async fn answer_support_request(
    context: Context,
    id: PathId<SupportRequest>,
    body: Body<AnswerBody>,
) -> Result<Reply<RequestView>, Problem> {
    let staff = context.caller.staff(Scope::ChallengesWrite)?;
    let (now, answer) = (context.now, body.0.into_inner().answer);
    let answered = context.db.write(move |tx| {
        let request = actions::answer(tx, now, &staff, id.0, answer)?;
        one(tx.connection, request)
    });
    let (version, view) = answered.await?;
    Ok(Reply::ok(view).tagged(version, context.language))
}

/// Why a request is closed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = SupportClosing, example = json!({"reason": "Vi har ingen model for det endnu."}))]
struct CloseBody {
    /// At most 2,000 characters; needed where there is no answer, and then whoever asked reads it.
    #[schema(max_length = 2000)]
    reason: String,
}

impl Fitting for CloseBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.kept_prose("/reason", &mut self.reason, 0, 2000);
    }
}

/// Closes a request; by CO-PI's staff. The address of whoever asked is forgotten.
#[utoipa::path(tag = "support", request_body = CloseBody, responses((status = 200, body = RequestView)))]
#[post("/support-requests/{id}/close")]
async fn close_support_request(
    context: Context,
    id: PathId<SupportRequest>,
    body: OptionalBody<CloseBody>,
) -> Result<Reply<RequestView>, Problem> {
    let staff = context.caller.staff(Scope::ChallengesWrite)?;
    let reason = body.0.map(|body| body.into_inner().reason).filter(|reason| !reason.is_empty());
    let now = context.now;
    let closed = context.db.write(move |tx| {
        let request = actions::close(tx, now, &staff, id.0, reason)?;
        one(tx.connection, request)
    });
    let (version, view) = closed.await?;
    Ok(Reply::ok(view).tagged(version, context.language))
}

//! Events and sign-ups over HTTP.

use actix_web::http::StatusCode;
use actix_web::{get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::questions::TokenBody;
use crate::access::{Context, Scope};
use crate::dialogue::actions::{self, SignedUp};
use crate::dialogue::{Dialogue, Event, Signup, SignupState, store};
use crate::kernel::{Cvr, Email, Fitting, Flaws, Id, Instant, Language, Text, copenhagen_text, text};
use crate::mail::Prose;
use crate::web::{Body, HtmlPage, PathId, Problem, Reply, Routes};

pub(super) fn routes(config: &mut impl Routes) {
    config
        .service(list_events)
        .service(sign_up)
        .service(list_signups)
        .service(confirm_signup)
        .service(show_signup_confirmation)
        .service(press_signup_confirmation)
        .service(show_signup_cancellation)
        .service(press_signup_cancellation);
}

/// An event, with its free seats.
#[derive(Serialize, ToSchema)]
struct EventView {
    #[serde(flatten)]
    event: Event,
    /// When it begins on Danish clocks, in words.
    #[schema(example = "12-01-2027 kl. 10.00 (dansk tid)")]
    danish_time: String,
    /// planned (before publication), open, closed_for_signup (it has begun), held, cancelled.
    #[schema(example = "open")]
    status: &'static str,
    /// Null when there is no bound.
    #[schema(required, nullable)]
    seats_left: Option<usize>,
    /// How many wait for a seat.
    waiting: usize,
    /// One-to-one: when the talks begin that nobody has taken.
    free_slots: Vec<DateTime<Utc>>,
}

/// The events of a dialogue.
#[derive(Serialize, ToSchema)]
struct Events {
    items: Vec<EventView>,
}

/// The events of a dialogue with their free seats.
#[utoipa::path(tag = "dialogues", security(()), responses((status = 200, body = Events)))]
#[get("/dialogues/{id}/events")]
async fn list_events(context: Context, id: PathId<Dialogue>) -> Result<Reply<Events>, Problem> {
    let (staff, language, now) = (context.caller.is_staff(), context.language, context.now);
    let (dialogue, signups) = context
        .db
        .read(move |connection| {
            let dialogue = super::visible(store::find(connection, id.0, now)?, staff)?;
            let signups = store::signups(connection, dialogue.id)?;
            Ok::<_, Problem>((dialogue, signups))
        })
        .await?;
    let show = |event: &Event| {
        let of_event = || signups.iter().filter(|one| Some(one.event_id) == event.id);
        let taken: Vec<&Signup> = of_event().filter(|one| one.takes_seat(now)).collect();
        let free = |slot: &Instant| taken.iter().all(|one| one.slot != Some(*slot));
        EventView {
            danish_time: copenhagen_text(event.starts_at).to(language).to_owned(),
            status: status(&dialogue, event, now),
            seats_left: event.capacity().map(|seats| seats.saturating_sub(taken.len())),
            waiting: of_event().filter(|one| one.state == SignupState::Waiting).count(),
            free_slots: event.slots().into_iter().filter(free).collect(),
            event: event.clone(),
        }
    };
    Ok(Reply::ok(Events { items: dialogue.notice.events.iter().map(show).collect() }))
}

fn status(dialogue: &Dialogue, event: &Event, now: Instant) -> &'static str {
    use crate::dialogue::State;
    match dialogue.state {
        State::Draft | State::Scheduled { .. } => "planned",
        State::Cancelled { .. } => "cancelled",
        _ if event.ends_at <= now => "held",
        State::Closed { .. } => "closed_for_signup",
        State::Published { .. } if event.starts_at <= now => "closed_for_signup",
        State::Published { .. } => "open",
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"event_id": "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e", "company": "Firma ApS", "cvr": "64942212", "name": "Ane Holm", "email": "ane@firma.example"}))]
pub struct SignupBody {
    #[schema(value_type = String, format = "uuid")]
    event_id: Id<Event>,
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    company: String,
    #[serde(default)]
    cvr: Option<String>,
    /// Who comes; 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    email: String,
    /// One-to-one: the wanted talk, one of `free_slots`; the first free one when left out.
    #[serde(default)]
    slot: Option<DateTime<Utc>>,
}
impl Fitting for SignupBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.line("/company", &mut self.company, 1, 200);
        flaws.line("/name", &mut self.name, 1, 200);
        flaws.email("/email", &mut self.email);
        if let Some(written) = self.cvr.take() {
            match Cvr::parse(&written) {
                Some(cvr) => self.cvr = Some(cvr.to_string()),
                None => flaws.add(
                    "/cvr",
                    "not_a_cvr_number",
                    text!("Det er ikke et gyldigt CVR-nummer", "This is not a valid CVR number"),
                ),
            }
        }
    }
}

impl SignupBody {
    /// The sign-up, for whoever makes it in this request.
    ///
    /// # Errors
    /// None, once it was checked.
    pub fn wish(self, context: &Context) -> Result<SignedUp, Problem> {
        let Self { event_id, company, cvr, name, email, slot } = self;
        let email = Email::parse(&email).ok_or_else(|| Problem::internal(&"an unchecked address"))?;
        let (language, network) = (context.language, context.network.clone());
        Ok(SignedUp { event_id, company, cvr, name, email, slot, language, network })
    }
}

/// A sign-up, as whoever made it sees it.
#[derive(Serialize, ToSchema)]
#[schema(as = Signup)]
struct SignupView {
    #[schema(value_type = String, format = "uuid")]
    id: Id<Signup>,
    #[schema(value_type = String, format = "uuid")]
    event_id: Id<Event>,
    /// unconfirmed until the link in the mail was used; then confirmed (has a seat) or waiting.
    status: SignupState,
    /// Whether a seat is taken or kept for it.
    seat: bool,
    /// Until when a seat is kept for somebody who has not confirmed.
    #[schema(required, nullable)]
    held_until: Option<DateTime<Utc>>,
    /// One-to-one: when the talk begins.
    #[schema(required, nullable)]
    slot: Option<DateTime<Utc>>,
}

impl SignupView {
    fn of(signup: &Signup, now: Instant) -> Self {
        Self {
            id: signup.id,
            event_id: signup.event_id,
            status: signup.state,
            seat: signup.takes_seat(now),
            held_until: signup.held_until,
            slot: signup.slot,
        }
    }
}

/// Signs somebody up to an event, without an account. A seat is kept for an hour if one is free, and is taken for
/// good by the link in the mail; otherwise the link leads to the waiting list.
#[utoipa::path(tag = "dialogues", security(()), request_body = SignupBody, responses((status = 202, body = SignupView)))]
#[post("/dialogues/{id}/signups")]
async fn sign_up(context: Context, id: PathId<Dialogue>, body: Body<SignupBody>) -> Result<Reply<SignupView>, Problem> {
    let wish = body.0.into_inner().wish(&context)?;
    let (node, now) = (context.node.clone(), context.now);
    let signup = context.db.write(move |tx| actions::sign_up(tx, &node, now, id.0, wish)).await?;
    Ok(Reply::ok(SignupView::of(&signup, now)).status(StatusCode::ACCEPTED))
}

/// A sign-up, as staff see it.
#[derive(Serialize, ToSchema)]
struct StaffSignup {
    #[serde(flatten)]
    signup: SignupView,
    company: String,
    #[schema(required, nullable)]
    cvr: Option<String>,
    name: String,
    email: String,
    signed_up_at: DateTime<Utc>,
    #[schema(required, nullable)]
    confirmed_at: Option<DateTime<Utc>>,
}

/// The sign-ups to a dialogue's events.
#[derive(Serialize, ToSchema)]
struct StaffSignups {
    items: Vec<StaffSignup>,
}

/// Who signed up to the dialogue's events; for CO-PI's staff.
#[utoipa::path(tag = "dialogues", responses((status = 200, body = StaffSignups)))]
#[get("/dialogues/{id}/signups")]
async fn list_signups(context: Context, id: PathId<Dialogue>) -> Result<Reply<StaffSignups>, Problem> {
    context.caller.staff(Scope::DialoguesWrite)?;
    let now = context.now;
    let signups = context
        .db
        .read(move |connection| {
            let dialogue = super::visible(store::find(connection, id.0, now)?, true)?;
            Ok::<_, Problem>(store::signups(connection, dialogue.id)?)
        })
        .await?;
    let show = |signup: Signup| StaffSignup {
        signup: SignupView::of(&signup, now),
        company: signup.company,
        cvr: signup.cvr,
        name: signup.name,
        email: signup.email,
        signed_up_at: signup.signed_up_at,
        confirmed_at: signup.confirmed_at,
    };
    Ok(Reply::ok(StaffSignups { items: signups.into_iter().map(show).collect() }))
}

/// Confirms a sign-up by the token from the mail.
#[utoipa::path(tag = "dialogues", security(()), request_body = TokenBody, responses((status = 200, body = SignupView), (status = 410, description = "The link has expired, was used or was altered.")))]
#[post("/signups/confirm")]
async fn confirm_signup(context: Context, body: Body<TokenBody>) -> Result<Reply<SignupView>, Problem> {
    let now = context.now;
    let confirmed = confirm(&context, body.0.into_inner().token).await?;
    Ok(Reply::ok(SignupView::of(&confirmed, now)))
}

async fn confirm(context: &Context, token: String) -> Result<Signup, Problem> {
    let (node, now) = (context.node.clone(), context.now);
    context.db.write(move |tx| actions::confirm_signup(tx, &node, now, &token)).await
}

/// The page behind the link in the mail; shows a button and changes nothing.
#[utoipa::path(tag = "dialogues", security(()), responses((status = 200, body = String, content_type = "text/html")))]
#[get("/signups/confirm/{token}")]
async fn show_signup_confirmation(context: Context, token: actix_web::web::Path<String>) -> HtmlPage {
    let title = text!("Bekræft tilmeldingen", "Confirm the sign-up");
    ask(context.language, &title, &format!("/api/v1/signups/confirm/{token}"))
}

/// What the page's button does: confirms the sign-up.
#[utoipa::path(tag = "dialogues", security(()), responses((status = 200, body = String, content_type = "text/html"), (status = 409, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html")))]
#[post("/signups/confirm/{token}")]
async fn press_signup_confirmation(context: Context, token: actix_web::web::Path<String>) -> Result<HtmlPage, Problem> {
    let language = context.language;
    let done = confirm(&context, token.into_inner()).await.map(|signup| {
        let words = match signup.state {
            SignupState::Confirmed => {
                text!("Du har en plads. Detaljerne er sendt på mail.", "You have a seat. The details are in your mail.")
            }
            _ => text!(
                "Alle pladser er taget. Du er på ventelisten og får en mail, hvis en plads bliver ledig.",
                "All seats are taken. You are on the waiting list and get a mail if a seat comes free."
            ),
        };
        tell(language, &words)
    });
    HtmlPage::of(done, language)
}

/// The page behind the link for giving a seat back; shows a button and changes nothing.
#[utoipa::path(tag = "dialogues", security(()), responses((status = 200, body = String, content_type = "text/html")))]
#[get("/signups/cancel/{token}")]
async fn show_signup_cancellation(context: Context, token: actix_web::web::Path<String>) -> HtmlPage {
    let title = text!("Meld fra", "Give the seat back");
    ask(context.language, &title, &format!("/api/v1/signups/cancel/{token}"))
}

/// What the page's button does: gives the seat back, and whoever waited longest moves up.
#[utoipa::path(tag = "dialogues", security(()), responses((status = 200, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html")))]
#[post("/signups/cancel/{token}")]
async fn press_signup_cancellation(context: Context, token: actix_web::web::Path<String>) -> Result<HtmlPage, Problem> {
    let (node, now, language) = (context.node.clone(), context.now, context.language);
    let token = token.into_inner();
    let done = context.db.write(move |tx| actions::cancel_signup(tx, &node, now, &token)).await;
    let words = text!("Du er meldt fra.", "Your seat is given back.");
    HtmlPage::of(done.map(|_| tell(language, &words)), language)
}

fn ask(language: Language, title: &Text, action: &str) -> HtmlPage {
    HtmlPage::new(language, title.to(language), &Prose::default()).form(action, &[], title.to(language))
}

fn tell(language: Language, words: &Text) -> HtmlPage {
    HtmlPage::new(language, text!("Tak", "Thank you").to(language), &Prose::default().paragraph(words.to(language)))
}

//! Passwords over HTTP: for programs as JSON, and for people as the pages behind the links in mails. Showing a page
//! changes nothing; its button POSTs.

use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::Context;
use crate::access::store::Account;
use crate::account::actions;
use crate::account::link::Link;
use crate::account::origin::Origin;
use crate::kernel::{Email, Fit, Fitting, Flaws, Language, Text, text};
use crate::mail::Prose;
use crate::web::{Body, Field, HtmlPage, Problem, Reply, Routes};

pub(super) fn routes(config: &mut impl Routes) {
    config
        .service(accept_invitation)
        .service(show_invitation)
        .service(press_invitation)
        .service(ask_password_reset)
        .service(show_password_reset_wish)
        .service(press_password_reset_wish)
        .service(accept_password_reset)
        .service(show_password_reset)
        .service(press_password_reset)
        .service(change_password);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token": "AZPxwnpefDGdPj9qKxwNTg…", "password": "en gul cykel i regnvejr"}))]
struct Acceptance {
    /// From the link in the mail.
    token: String,
    /// 12 to 200 characters, neither a common one nor one's own name.
    #[schema(min_length = 12, max_length = 200)]
    password: String,
}
impl Fitting for Acceptance {
    fn fit(&mut self, _: &mut Flaws) {}
}

/// Sets the first password, by the link in the invitation.
#[utoipa::path(tag = "sign-in", security(()), request_body = Acceptance, responses((status = 204, description = "The account can be used."), (status = 410, description = "The link has expired, was used or was altered.")))]
#[post("/invitations/accept")]
async fn accept_invitation(context: Context, origin: Origin, body: Body<Acceptance>) -> Result<Reply<()>, Problem> {
    accept(context, origin, Link::Invitation, body).await
}

/// Sets a new password, by the link in the mail. All sessions end.
#[utoipa::path(tag = "sign-in", security(()), request_body = Acceptance, responses((status = 204, description = "The new password counts."), (status = 410, description = "The link has expired, was used or was altered.")))]
#[post("/password-resets/accept")]
async fn accept_password_reset(context: Context, origin: Origin, body: Body<Acceptance>) -> Result<Reply<()>, Problem> {
    accept(context, origin, Link::Reset, body).await
}

async fn accept(context: Context, origin: Origin, link: Link, body: Body<Acceptance>) -> Result<Reply<()>, Problem> {
    let Acceptance { token, password } = body.0.into_inner();
    actions::set(&context.node, context.now, origin, link, token, password).await?;
    Ok(Reply::ok(()).status(StatusCode::NO_CONTENT))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "mette@odense.example"}))]
struct Wish {
    #[schema(format = "email", max_length = 254)]
    email: String,
}
impl Fitting for Wish {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.email("/email", &mut self.email);
    }
}

/// Asks for a mail with a link that sets a new password, good for an hour. The answer is the same, and takes as long,
/// whether or not the address has an account.
#[utoipa::path(tag = "sign-in", security(()), request_body = Wish, responses((status = 202, body = MailComes)))]
#[post("/password-resets")]
async fn ask_password_reset(context: Context, body: Body<Wish>) -> Result<Reply<MailComes>, Problem> {
    ask(&context, body.0).await?;
    Ok(Reply::ok(MailComes { next: mail_comes().to(context.language).to_owned() }).status(StatusCode::ACCEPTED))
}

/// What comes next.
#[derive(Serialize, ToSchema)]
struct MailComes {
    next: String,
}

fn mail_comes() -> Text {
    text!(
        "Har adressen en konto, kommer der om lidt en mail med et link. Det gælder i en time.",
        "If the address has an account, a mail with a link comes in a moment. It is good for an hour."
    )
}

async fn ask(context: &Context, wish: Fit<Wish>) -> Result<(), Problem> {
    let email = Email::parse(&wish.email).ok_or_else(|| Problem::internal(&"an unchecked address"))?;
    actions::ask(context, context.now, email, context.language).await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"current_password": "en gul cykel i regnvejr", "password": "to blå biler i solskin"}))]
struct PasswordChange {
    current_password: String,
    /// 12 to 200 characters, neither a common one nor one's own name.
    #[schema(min_length = 12, max_length = 200)]
    password: String,
}
impl Fitting for PasswordChange {
    fn fit(&mut self, _: &mut Flaws) {}
}

/// Changes one's own password; all other sessions end, and a mail says so. Not with an API key.
#[utoipa::path(tag = "sign-in", request_body = PasswordChange, responses((status = 204, description = "The new password counts."), (status = 429, description = "Too many tries; wait for Retry-After seconds.")))]
#[post("/me/password")]
async fn change_password(context: Context, origin: Origin, body: Body<PasswordChange>) -> Result<Reply<()>, Problem> {
    let person = super::signed_in(&context)?;
    let session = context.session.ok_or_else(|| {
        let detail = text!("Det kan en API-nøgle ikke; log ind", "An API key cannot do this; sign in");
        Problem::forbidden(detail)
    })?;
    let PasswordChange { current_password, password } = body.0.into_inner();
    actions::change(&context.node, context.now, origin, &person, session, current_password, password).await?;
    Ok(Reply::ok(()).status(StatusCode::NO_CONTENT))
}

/// The page behind the link in an invitation; asks for a password and changes nothing.
#[utoipa::path(tag = "sign-in", security(()), responses((status = 200, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html")))]
#[get("/invitations/{token}")]
async fn show_invitation(context: Context, token: web::Path<String>) -> Result<HtmlPage, Problem> {
    show(&context, Link::Invitation, &token).await
}

/// The page behind a link that sets a new password; changes nothing.
#[utoipa::path(tag = "sign-in", security(()), responses((status = 200, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html")))]
#[get("/password-resets/{token}")]
async fn show_password_reset(context: Context, token: web::Path<String>) -> Result<HtmlPage, Problem> {
    show(&context, Link::Reset, &token).await
}

/// What the button of a page that asks for a password sends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordForm {
    /// 12 to 200 characters.
    password: String,
    /// The same again.
    repeated: String,
}

/// What the invitation's button does: sets the first password.
#[utoipa::path(tag = "sign-in", security(()), request_body(content = PasswordForm, content_type = "application/x-www-form-urlencoded"), responses((status = 200, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html"), (status = 422, body = String, content_type = "text/html")))]
#[post("/invitations/{token}")]
async fn press_invitation(
    context: Context,
    origin: Origin,
    token: web::Path<String>,
    form: web::Form<PasswordForm>,
) -> Result<HtmlPage, Problem> {
    press(&context, origin, Link::Invitation, token.into_inner(), form.into_inner()).await
}

/// What the button does: sets a new password. All sessions end.
#[utoipa::path(tag = "sign-in", security(()), request_body(content = PasswordForm, content_type = "application/x-www-form-urlencoded"), responses((status = 200, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html"), (status = 422, body = String, content_type = "text/html")))]
#[post("/password-resets/{token}")]
async fn press_password_reset(
    context: Context,
    origin: Origin,
    token: web::Path<String>,
    form: web::Form<PasswordForm>,
) -> Result<HtmlPage, Problem> {
    press(&context, origin, Link::Reset, token.into_inner(), form.into_inner()).await
}

async fn show(context: &Context, link: Link, token: &str) -> Result<HtmlPage, Problem> {
    match actions::look(context, context.now, link, token).await {
        Ok(account) => Ok(asking(context.language, link, token, &account, None)),
        Err(problem) => dead(context, problem),
    }
}

async fn press(
    context: &Context,
    origin: Origin,
    link: Link,
    token: String,
    form: PasswordForm,
) -> Result<HtmlPage, Problem> {
    let account = match actions::look(context, context.now, link, &token).await {
        Ok(account) => account,
        Err(problem) => return dead(context, problem),
    };
    let set = if form.password == form.repeated {
        actions::set(&context.node, context.now, origin, link, token.clone(), form.password).await
    } else {
        let words = text!("De to kodeord er ikke ens", "The two passwords are not the same");
        Err(Problem::unfit("/repeated", "not_the_same", words))
    };
    match set {
        Ok(()) => Ok(done(context.language, &account)),
        Err(problem) if problem.status == StatusCode::UNPROCESSABLE_ENTITY => {
            Ok(asking(context.language, link, &token, &account, Some(&problem)))
        }
        Err(problem) => dead(context, problem),
    }
}

/// The page that asks for a password, again with what was wrong with the one before.
fn asking(language: Language, link: Link, token: &str, account: &Account, wrong: Option<&Problem>) -> HtmlPage {
    let say = |text: Text| text.to(language).to_owned();
    let title = match link {
        Link::Invitation => text!("Vælg et kodeord", "Choose a password"),
        Link::Reset => text!("Vælg et nyt kodeord", "Choose a new password"),
    };
    let prose = Prose::default().fact(say(text!("Konto", "Account")), account.email.as_str()).paragraph(say(text!(
        "Mindst 12 tegn. En kort sætning er let at huske og svær at gætte.",
        "At least 12 characters. A short sentence is easy to remember and hard to guess."
    )));
    let page = HtmlPage::new(language, say(title), &prose);
    let page = match wrong {
        Some(problem) => page.refused(problem),
        None => page,
    };
    let fields = [
        Field::NewPassword { name: "password", label: &say(text!("Kodeord", "Password")) },
        Field::NewPassword { name: "repeated", label: &say(text!("Det samme igen", "The same again")) },
    ];
    page.form(&format!("{}/{token}", link.path()), &fields, &say(text!("Gem kodeordet", "Save the password")))
}

fn done(language: Language, account: &Account) -> HtmlPage {
    let address = account.email.as_str();
    let words = text!(
        "Dit kodeord er gemt. Log ind med {address} dér, hvor du bruger Skala.",
        "Your password is saved. Sign in as {address} where you use Skala."
    );
    HtmlPage::new(language, text!("Det er gjort", "Done").to(language), &Prose::default().paragraph(words.to(language)))
}

/// The page that says why a link opens nothing, and how to get one that does.
fn dead(context: &Context, problem: Problem) -> Result<HtmlPage, Problem> {
    if !problem.status.is_client_error() {
        return Err(problem);
    }
    let language = context.language;
    let prose = Prose::default()
        .paragraph(problem.detail.to(language))
        .link(text!("Få et nyt link", "Get a new link").to(language), context.url(Link::Reset.path()));
    let title = text!("Linket virker ikke", "The link does not work");
    Ok(HtmlPage::new(language, title.to(language), &prose).status(problem.status))
}

/// The page where somebody asks for a link that sets a new password.
#[utoipa::path(tag = "sign-in", security(()), responses((status = 200, body = String, content_type = "text/html")))]
#[get("/password-resets")]
async fn show_password_reset_wish(context: Context) -> HtmlPage {
    wishing(context.language, "", None)
}

/// What its button does: asks for the mail. The page that follows is the same for every address.
#[utoipa::path(tag = "sign-in", security(()), request_body(content = Wish, content_type = "application/x-www-form-urlencoded"), responses((status = 200, body = String, content_type = "text/html"), (status = 422, body = String, content_type = "text/html")))]
#[post("/password-resets/ask")]
async fn press_password_reset_wish(context: Context, form: web::Form<Wish>) -> Result<HtmlPage, Problem> {
    let language = context.language;
    let written = form.email.clone();
    let asked = match Fit::check(form.into_inner()) {
        Ok(wish) => ask(&context, wish).await,
        Err(flaws) => Err(flaws.into()),
    };
    match asked {
        Err(problem) if problem.status == StatusCode::UNPROCESSABLE_ENTITY => {
            Ok(wishing(language, &written, Some(&problem)))
        }
        Err(problem) => Err(problem),
        Ok(()) => {
            let title = text!("Se i din indbakke", "Look in your inbox");
            Ok(HtmlPage::new(language, title.to(language), &Prose::default().paragraph(mail_comes().to(language))))
        }
    }
}

fn wishing(language: Language, written: &str, wrong: Option<&Problem>) -> HtmlPage {
    let say = |text: Text| text.to(language).to_owned();
    let words = text!(
        "Skriv din mailadresse, så sender vi et link, hvor du vælger et kodeord.",
        "Write your e-mail address, and we send a link where you choose a password."
    );
    let page = HtmlPage::new(
        language,
        say(text!("Glemt kodeord", "Forgotten password")),
        &Prose::default().paragraph(say(words)),
    );
    let page = match wrong {
        Some(problem) => page.refused(problem),
        None => page,
    };
    let field = Field::Email { name: "email", label: &say(text!("Mailadresse", "E-mail")), value: written };
    page.form(&format!("{}/ask", Link::Reset.path()), &[field], &say(text!("Send linket", "Send the link")))
}

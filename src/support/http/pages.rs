//! The page where anybody asks for support, and the one that confirms.

use actix_web::{get, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{NewRequest, ask_by_mail, confirm};
use crate::access::Context;
use crate::kernel::privacy::traces;
use crate::kernel::{Fit, Flaws, Language, Network, Text, text};
use crate::mail::Prose;
use crate::support::{Kind, UserGroup};
use crate::web::{Field, HtmlPage, Problem};

/// What the page's form sends.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SupportForm)]
pub(super) struct Form {
    kind: Kind,
    user_group: UserGroup,
    #[serde(default)]
    text: String,
    #[serde(default)]
    email: String,
    /// Set once the warning about personal data was shown.
    #[serde(default)]
    warned: String,
}

impl Default for Form {
    fn default() -> Self {
        let (text, email, warned) = Default::default();
        Self { kind: Kind::Knowledge, user_group: UserGroup::Procurement, text, email, warned }
    }
}

/// The page where anybody asks CO-PI for support.
#[utoipa::path(tag = "support", security(()), responses((status = 200, body = String, content_type = "text/html")))]
#[get("/hjaelp")]
pub(super) async fn show_support_page(context: Context) -> HtmlPage {
    whole(context.language, &Form::default(), None)
}

/// What the page's button does: takes the request and asks by mail to confirm it. What cannot be taken is shown again with what
/// is wrong beside it.
#[utoipa::path(tag = "support", security(()), request_body(content = Form, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html"), (status = 422, body = String, content_type = "text/html"), (status = 429, body = String, content_type = "text/html")))]
#[post("/hjaelp")]
pub(super) async fn press_support_page(
    context: Context,
    network: Network,
    form: web::Form<Form>,
) -> Result<HtmlPage, Problem> {
    let (form, language) = (form.into_inner(), context.language);
    let new = NewRequest {
        kind: form.kind,
        user_group: form.user_group,
        text: form.text.clone(),
        email: Some(form.email.clone()),
        language,
    };
    let new = match Fit::check(new) {
        Ok(new) => new,
        Err(flaws) => return Ok(whole(language, &form, Some(&flaws.into()))),
    };
    let personal = traces(&form.text);
    if !personal.is_empty() && form.warned.is_empty() {
        let mut flaws = Flaws::default();
        personal.into_iter().for_each(|trace| flaws.add("/text", trace.word(), trace.words()));
        let detail = text!(
            "Peger teksten på en person? Ret den, eller send den, som den er, med knappen igen",
            "Do the words point to a person? Change them, or send them as they are with the button again"
        );
        let form = Form { warned: "yes".to_owned(), ..form };
        return Ok(whole(language, &form, Some(&Problem { detail, ..flaws.into() })));
    }
    match ask_by_mail(&context, &network, &new).await {
        Ok(()) => {
            let words = text!(
                "Vi har sendt dig en mail. Bekræft via linket i den inden 7 dage, så når spørgsmålet frem til CO-PI.",
                "A mail is on its way to you. Confirm by its link within 7 days, and the question reaches CO-PI."
            );
            Ok(tell(language, &text!("Se i din mail", "Look in your mail"), &words))
        }
        Err(problem) if problem.status.is_client_error() => Ok(whole(language, &form, Some(&problem))),
        Err(problem) => Err(problem),
    }
}

fn tell(language: Language, title: &Text, words: &Text) -> HtmlPage {
    HtmlPage::new(language, title.to(language), &Prose::default().paragraph(words.to(language)))
}

fn whole(language: Language, form: &Form, wrong: Option<&Problem>) -> HtmlPage {
    let say = |text: Text| text.to(language).to_owned();
    let prose = Prose::default().paragraph(say(text!(
        "Arbejder du med innovative indkøb, og mangler du noget til det? Skriv det til CO-PI. Vi svarer på mail, og det tæller med, når vi ser på, hvad der skal laves mere af.",
        "Do you work with innovative procurement, and is something missing? Write to CO-PI. We answer by mail, and it counts when we look at what to make more of."
    )));
    let page =
        HtmlPage::new(language, say(text!("Hvad kunne du bruge hjælp til?", "What could you use help with?")), &prose);
    let page = match wrong {
        Some(problem) => page.refused(problem),
        None => page,
    };
    let kinds = Kind::ALL.map(|kind| (kind.word(), say(kind.name())));
    let kinds: Vec<(&str, &str)> = kinds.iter().map(|(word, words)| (*word, words.as_str())).collect();
    let groups = UserGroup::ALL.map(|group| (group.word(), say(group.name())));
    let groups: Vec<(&str, &str)> = groups.iter().map(|(word, words)| (*word, words.as_str())).collect();
    let fields = [
        Field::Hidden { name: "warned", value: &form.warned },
        Field::Choice {
            name: "kind",
            label: &say(text!("Jeg kunne bruge", "I could use")),
            options: &kinds,
            chosen: form.kind.word(),
        },
        Field::Choice {
            name: "user_group",
            label: &say(text!("Jeg arbejder med", "I work with")),
            options: &groups,
            chosen: form.user_group.word(),
        },
        Field::Area {
            name: "text",
            label: &say(text!("Hvad mangler du?", "What is missing?")),
            value: &form.text,
            most: 4000,
        },
        Field::Email {
            name: "email",
            label: &say(text!(
                "Din mailadresse (den slettes, når spørgsmålet er lukket)",
                "Your e-mail address (erased when the question is closed)"
            )),
            value: &form.email,
        },
    ];
    page.form("/hjaelp", &fields, &say(text!("Send", "Send")))
}

/// The page behind the link in the confirmation mail; shows a button and changes nothing.
#[utoipa::path(tag = "support", security(()), responses((status = 200, body = String, content_type = "text/html")))]
#[get("/support-requests/confirm/{token}")]
pub(super) async fn show_support_confirmation(context: Context, token: web::Path<String>) -> HtmlPage {
    let say = |text: Text| text.to(context.language).to_owned();
    let words =
        text!("Tryk på knappen for at sende spørgsmålet til CO-PI.", "Press the button to send the question to CO-PI.");
    tell(context.language, &text!("Bekræft, at du vil have hjælp", "Confirm that you want help"), &words).form(
        &format!("/api/v1/support-requests/confirm/{token}"),
        &[],
        &say(text!("Ja, send det", "Yes, send it")),
    )
}

/// What the page's button does: confirms the request.
#[utoipa::path(tag = "support", security(()), responses((status = 200, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html")))]
#[post("/support-requests/confirm/{token}")]
pub(super) async fn press_support_confirmation(
    context: Context,
    token: web::Path<String>,
) -> Result<HtmlPage, Problem> {
    let language = context.language;
    let words = text!("CO-PI har fået spørgsmålet og svarer på mail.", "CO-PI has the question and answers by mail.");
    let done = confirm(&context, token.into_inner()).await;
    HtmlPage::of(done.map(|()| tell(language, &text!("Tak", "Thank you"), &words)), language)
}

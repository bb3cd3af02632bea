//! The letter as a page, and the page behind the link to sign. Showing a page changes nothing; its buttons POST.

use actix_web::{get, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::LetterView;
use super::signatories::SignatoryView;
use crate::access::Context;
use crate::kernel::{Flaws, Language, Text, copenhagen_text, text};
use crate::letter_of_intent::actions::signing::{self, Answer};
use crate::letter_of_intent::letters::what;
use crate::letter_of_intent::{Kind, LetterOfIntent, Signatory, SignatoryState};
use crate::mail::Prose;
use crate::web::{Field, HtmlPage, Problem, Routes};

pub(super) fn routes(config: &mut impl Routes) {
    config.service(show_letter_to_sign).service(press_letter_signature);
}

/// The letter and who has signed it, as words.
pub(super) fn prose(letter: &LetterView, language: Language) -> Prose {
    let say = |text: Text| text.to(language).to_owned();
    let prose = document(Prose::default().heading(&letter.title), &letter.text).fact("SHA-256", &letter.sha256);
    let prose = match &letter.withdrawn_reason {
        Some(reason) => prose.fact(say(text!("Trukket tilbage", "Withdrawn")), reason),
        None => prose,
    };
    let signed: Vec<&SignatoryView> = letter.signatories.iter().filter(|one| one.signed_at.is_some()).collect();
    let prose = prose.heading(say(text!("Underskrevet af", "Signed by")));
    let prose = match signed.as_slice() {
        [] => prose.paragraph(say(text!("Ingen endnu.", "Nobody yet."))),
        signed => signed.iter().fold(prose, |prose, one| prose.item(line(one, language))),
    };
    let others = letter.signatories.iter().filter(|one| one.kind != Kind::Letter);
    others.filter(|one| one.signed_at.is_some()).fold(prose, |prose, one| {
        let title = what(one.kind);
        let prose = prose.heading(format!("{}: {}", title.to(language), one.organisation));
        let prose = document(prose, one.text.as_deref().unwrap_or_default());
        match &one.sha256 {
            Some(sha256) => prose.fact("SHA-256", sha256),
            None => prose,
        }
    })
}

fn line(one: &SignatoryView, language: Language) -> String {
    let kind = what(one.kind);
    let kind = kind.to(language).to_lowercase();
    let at = one.signed_at.map(|at| copenhagen_text(at).to(language).to_owned()).unwrap_or_default();
    format!("{}: {}, {} – {kind}, {at}", one.organisation, one.name, one.title)
}

/// A text whose paragraphs are apart by empty lines.
fn document(prose: Prose, text: &str) -> Prose {
    text.trim().split("\n\n").fold(prose, Prose::paragraph)
}

pub(super) fn letter(letter: &LetterView, language: Language) -> HtmlPage {
    let title = what(Kind::Letter);
    HtmlPage::new(language, title.to(language), &prose(letter, language))
}

/// The page behind the link to sign: exactly the text, its SHA-256, and a button each to sign and to decline.
#[utoipa::path(tag = "letters", security(()), responses((status = 200, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html")))]
#[get("/letters-of-intent/sign/{token}")]
async fn show_letter_to_sign(context: Context, token: web::Path<String>) -> Result<HtmlPage, Problem> {
    let token = token.into_inner();
    let shown = opened(&context, token.clone()).await.map(|(letter, one, over)| match over {
        // Nobody presses a button in vain: what can no longer be signed is only shown.
        Some(over) if one.is_open() => HtmlPage::new(one.language, over.detail.to(one.language), &words(&letter, &one)),
        _ => page(&letter, &one, &token, "", None),
    });
    HtmlPage::of(shown, context.language)
}

/// What a link opens, and what says that the process is over.
async fn opened(context: &Context, token: String) -> Result<(LetterOfIntent, Signatory, Option<Problem>), Problem> {
    let (node, now) = (context.node.clone(), context.now);
    let found = context.db.read(move |connection| {
        let (letter, one) = signing::opened(connection, &node, now, &token)?;
        let over = match signing::require_running(connection, &letter) {
            Err(problem) if problem.status.is_server_error() => return Err(problem),
            over => over.err(),
        };
        Ok((letter, one, over))
    });
    found.await
}

/// What the buttons send.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignatureForm)]
struct SignForm {
    deed: Deed,
    #[serde(default)]
    reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = SignatureDeed)]
enum Deed {
    Sign,
    Decline,
}

/// What the page's buttons do: sign, or decline with a reason.
#[utoipa::path(tag = "letters", security(()), request_body(content = SignForm, content_type = "application/x-www-form-urlencoded"), responses((status = 200, body = String, content_type = "text/html"), (status = 409, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html"), (status = 422, body = String, content_type = "text/html")))]
#[post("/letters-of-intent/sign/{token}")]
async fn press_letter_signature(
    context: Context,
    token: web::Path<String>,
    form: web::Form<SignForm>,
) -> Result<HtmlPage, Problem> {
    HtmlPage::of(press(&context, token.into_inner(), form.into_inner()).await, context.language)
}

async fn press(context: &Context, token: String, form: SignForm) -> Result<HtmlPage, Problem> {
    let mut reason = form.reason.clone();
    let answer = match form.deed {
        Deed::Sign => Answer::Sign,
        Deed::Decline => {
            let mut flaws = Flaws::default();
            flaws.open_prose("/reason", &mut reason, 1, 2000);
            if !flaws.0.is_empty() {
                let (letter, one, _) = opened(context, token.clone()).await?;
                return Ok(page(&letter, &one, &token, &form.reason, Some(&flaws.into())));
            }
            Answer::Decline { reason }
        }
    };
    let (node, now, inside) = (context.node.clone(), context.now, token.clone());
    let done = context.db.write(move |tx| signing::answer(tx, &node, now, &inside, answer)).await;
    let (letter, one) = match done {
        // Pressed twice, or in another tab: what was answered is shown.
        Err(problem) if problem.code == "already_settled" => {
            let (letter, one, _) = opened(context, token.clone()).await?;
            (letter, one)
        }
        done => done?,
    };
    Ok(page(&letter, &one, &token, "", None))
}

/// Exactly what somebody signs, and who it is.
fn words(letter: &LetterOfIntent, one: &Signatory) -> Prose {
    let say = |text: Text| text.to(one.language).to_owned();
    let prose = match one.kind {
        Kind::Letter | Kind::Declaration => Prose::default(),
        Kind::Addendum => document(Prose::default().heading(&letter.document.title), &letter.document.text)
            .fact("SHA-256", letter.document.sha256())
            .heading(say(what(one.kind))),
    };
    let prose = match &one.words {
        Some(words) => document(prose, words),
        None => document(prose, &letter.document.text),
    };
    prose
        .fact("SHA-256", one.sha256(letter))
        .fact(say(text!("Underskriver", "Signatory")), format!("{}, {}", one.name, one.title))
        .fact(say(text!("For", "For")), &one.organisation)
}

fn page(letter: &LetterOfIntent, one: &Signatory, token: &str, reason: &str, refused: Option<&Problem>) -> HtmlPage {
    let say = |text: Text| text.to(one.language).to_owned();
    let prose = words(letter, one);
    let settled = match &one.state {
        SignatoryState::Signed { at, .. } => {
            let Text { da, en } = copenhagen_text(*at);
            Some(text!("Du underskrev {da}. Tak.", "You signed on {en}. Thank you."))
        }
        SignatoryState::Declined { at, .. } => {
            let Text { da, en } = copenhagen_text(*at);
            Some(text!("Du afslog {da}.", "You declined on {en}."))
        }
        SignatoryState::Withdrawn { .. } => {
            Some(text!("Underskriften er trukket tilbage.", "The signature is withdrawn."))
        }
        SignatoryState::Named | SignatoryState::Asked { .. } => None,
    };
    if let Some(settled) = settled {
        return HtmlPage::new(one.language, say(settled), &prose);
    }
    let title = if one.kind == Kind::Letter { letter.document.title.clone() } else { say(what(one.kind)) };
    let action = format!("/api/v1/letters-of-intent/sign/{token}");
    let organisation = &one.organisation;
    let sign = say(text!("Underskriv for {organisation}", "Sign for {organisation}"));
    let page = HtmlPage::new(one.language, title, &prose).form(
        &action,
        &[Field::Hidden { name: "deed", value: "sign" }],
        &sign,
    );
    let page = match refused {
        Some(problem) => page.refused(problem),
        None => page,
    };
    let label = say(text!("Vil I ikke underskrive? Skriv hvorfor", "You will not sign? Say why"));
    page.form(
        &action,
        &[
            Field::Hidden { name: "deed", value: "decline" },
            Field::Area { name: "reason", label: &label, value: reason, most: 2000 },
        ],
        &say(text!("Afslå", "Decline")),
    )
}

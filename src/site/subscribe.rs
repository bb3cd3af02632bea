//! Subscribing from a page, with a look at what the filter would have brought.

use actix_web::{get, post, web};

use super::filter::{Offered, body, form, in_form, look, show};
use super::forms::address;
use super::{Typed, page};
use crate::access::Context;
use crate::kernel::{Text, text};
use crate::mail::Prose;
use crate::subscription::{actions, consent_text};
use crate::web::{HtmlPage, Problem};

/// The page for subscribing; `cpv`, `nuts`, `themes`, `text` and `process_id` in the address fill it in.
#[utoipa::path(tag = "pages", security(()), responses((status = 200, body = String, content_type = "text/html"), (status = 422, content((String = "text/html"), (Object = "application/problem+json")))))]
#[get("/subscribe")]
pub(super) async fn show_subscribe(
    context: Context,
    query: web::Query<Vec<(String, String)>>,
) -> Result<HtmlPage, Problem> {
    let typed = Typed(query.into_inner());
    let title = text!("Få mail om markedsdialoger", "Get mail about market dialogues");
    let words = text!(
        "Ingen konto: en mailadresse er nok. Du bekræfter via et link, og du kan framelde dig med ét klik. Udfyld kun det, \
         der er vigtigt for dig; et tomt filter giver alle markedsdialoger.",
        "No account: an e-mail address is enough. You confirm by a link, and you can leave with one click. Fill in only \
         what matters to you; an empty filter brings all market dialogues."
    );
    let language = context.language;
    let drawn = HtmlPage::new(language, title.to(language), &Prose::default().paragraph(words.to(language)));
    Ok(page(drawn_form(&context, drawn, &typed).await?, language))
}

/// Subscribes from the page, or shows what the filter would have brought in the last 12 months.
#[utoipa::path(tag = "pages", security(()), request_body(content = String, content_type = "application/x-www-form-urlencoded", example = json!("email=salg%40firma.example&cpv=33000000&deed=preview")), responses((status = 200, body = String, content_type = "text/html"), (status = 422, content((String = "text/html"), (Object = "application/problem+json"))), (status = 429, content((String = "text/html"), (Object = "application/problem+json")))))]
#[post("/subscribe")]
pub(super) async fn press_subscribe(
    context: Context,
    sent: web::Form<Vec<(String, String)>>,
) -> Result<HtmlPage, Problem> {
    let typed = Typed(sent.into_inner());
    let language = context.language;
    let done = match typed.get("deed") {
        "preview" => look(&context, &typed).await.map(Some),
        _ => subscribe(&context, &typed).await.map(|()| None),
    };
    let title = text!("Få mail om markedsdialoger", "Get mail about market dialogues");
    let drawn = match done {
        Ok(None) => {
            let words = text!(
                "Vi har sendt dig en mail. Bekræft via linket i den inden 7 dage. Kommer der ingen mail, så se i \
                 spam-mappen.",
                "We sent you a mail. Confirm by the link in it within 7 days. If none comes, look in the spam folder."
            );
            let thanks = text!("Tak", "Thank you");
            HtmlPage::new(language, thanks.to(language), &Prose::default().paragraph(words.to(language)))
        }
        Ok(Some(preview)) => {
            let drawn = show(HtmlPage::new(language, title.to(language), &Prose::default()), &preview, language);
            drawn_form(&context, drawn, &typed).await?
        }
        Err(problem) if problem.status.is_client_error() => {
            let drawn = HtmlPage::new(language, title.to(language), &Prose::default()).refused(&in_form(problem));
            drawn_form(&context, drawn, &typed).await?
        }
        Err(problem) => return Err(problem),
    };
    Ok(page(drawn, language))
}

async fn subscribe(context: &Context, typed: &Typed) -> Result<(), Problem> {
    // Everything that is wrong is said at once.
    let (email, body) = (address(typed.get("email")), body(typed));
    let (email, body) = match (email, body) {
        (Ok(email), Ok(body)) => (email, body.into_inner()),
        (Err(mut one), Err(other)) => {
            one.errors.extend(other.errors);
            return Err(one);
        }
        (Err(problem), _) | (_, Err(problem)) => return Err(problem),
    };
    let (node, now, network) = (context.node.clone(), context.now, context.network.clone());
    let source = "POST /subscribe";
    context.db.write(move |tx| actions::subscribe(tx, &node, now, email, body, source, network.as_ref())).await
}

async fn drawn_form(context: &Context, drawn: HtmlPage, typed: &Typed) -> Result<HtmlPage, Problem> {
    let language = context.language;
    let offered = Offered::find(context, typed, &[]).await?;
    let deeds: [(&str, Text); 2] = [
        ("subscribe", text!("Send mig mails", "Send me mail")),
        ("preview", text!("Vis, hvad filteret ville have givet", "Show what the filter would have brought")),
    ];
    let consent = Prose::default().small(consent_text().to(language));
    Ok(form(drawn, "/subscribe", true, typed, &offered, &deeds, language).words(&consent))
}

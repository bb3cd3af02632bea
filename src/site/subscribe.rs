//! Subscribing from a page, with a look at what the filter would have brought.

use actix_web::{get, post, web};

use super::forms::address;
use super::process::public_title;
use super::start::line;
use super::{Typed, page};
use crate::access::Context;
use crate::dispatch::preview::{Preview, preview};
use crate::kernel::{Direction, Fit, Id, Language, PageRequest, Text, text};
use crate::mail::Prose;
use crate::process::{self, Process, Status};
use crate::subscription::{Filter, Frequency, SubscriptionBody, actions, consent_text};
use crate::web::{Field, HtmlPage, Problem};

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
    Ok(page(form(&context, drawn, &typed).await?, language))
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
            form(&context, drawn, &typed).await?
        }
        Err(problem) if problem.status.is_client_error() => {
            let drawn = HtmlPage::new(language, title.to(language), &Prose::default()).refused(&in_form(problem));
            form(&context, drawn, &typed).await?
        }
        Err(problem) => return Err(problem),
    };
    Ok(page(drawn, language))
}

/// The problem at the fields of the form: `/filter/cpv/2` is the third code of one line.
fn in_form(mut problem: Problem) -> Problem {
    for flaw in &mut problem.errors {
        let field = flaw.pointer.strip_prefix("/filter/").unwrap_or(flaw.pointer.trim_start_matches('/'));
        flaw.pointer = format!("/{}", field.split('/').next().unwrap_or_default());
    }
    problem
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

fn body(typed: &Typed) -> Result<Fit<SubscriptionBody>, Problem> {
    let list = |name: &str, parts: &[char]| {
        let items = typed.get(name).split(parts).map(str::trim).filter(|item| !item.is_empty());
        items.map(str::to_owned).collect::<Vec<_>>()
    };
    let codes = [',', ';', ' ', '\n', '\t'];
    let process_ids =
        typed.said("process_id").map(|id| id.trim().parse::<Id<Process>>()).transpose().map_err(|_| {
            Problem::unfit("/process_id", "unknown", text!("Processen findes ikke", "The process does not exist"))
        })?;
    let filter = Filter {
        cpv: list("cpv", &codes),
        nuts: list("nuts", &codes),
        themes: list("themes", &[',', ';', '\n']),
        process_ids: process_ids.into_iter().collect(),
        text: typed.said("text").map(str::to_owned),
        ..Filter::default()
    };
    let language = Language::from_tag(typed.get("language")).unwrap_or_default();
    let frequency = Frequency::from_word(typed.get("frequency")).unwrap_or_default();
    Ok(Fit::check(SubscriptionBody { language, frequency, filter })?)
}

async fn look(context: &Context, typed: &Typed) -> Result<Preview, Problem> {
    let (filter, now) = (body(typed)?.into_inner().filter, context.now);
    Ok(context.db.read(move |connection| preview(connection, &filter, now)).await?)
}

fn show(drawn: HtmlPage, preview: &Preview, language: Language) -> HtmlPage {
    let say = |text: Text| text.to(language).to_owned();
    let count = preview.hits.len();
    let words = text!(
        "De sidste 12 måneder ville filteret have givet {count} markedsdialog(er).",
        "In the last 12 months the filter would have brought {count} market dialogue(s)."
    );
    let mut drawn = drawn
        .section("preview", &say(text!("Det ville filteret have givet", "What the filter would have brought")))
        .words(&Prose::default().paragraph(say(words)));
    let hits: Vec<_> = preview
        .hits
        .iter()
        .map(|(dialogue, why)| {
            let (words, path) = line(dialogue, language);
            (format!("{words} ({})", why.line(language)), path)
        })
        .collect();
    drawn = if hits.is_empty() { drawn } else { drawn.links(&hits) };
    if !preview.hints.is_empty() {
        drawn = drawn
            .section("hints", &say(text!("Koder tæt på, der ville give flere", "Codes nearby that would bring more")));
        let hints = preview.hints.iter().fold(Prose::default(), |prose, (hint, name)| {
            let (code, adds) = (&hint.code, hint.adds);
            let name = name.as_ref().map(|name| format!(" ({})", name.to(language))).unwrap_or_default();
            prose.item(say(text!("{code}{name}: {adds} mere", "{code}{name}: {adds} more")))
        });
        drawn = drawn.words(&hints);
    }
    drawn
}

async fn form(context: &Context, drawn: HtmlPage, typed: &Typed) -> Result<HtmlPage, Problem> {
    let language = context.language;
    let say = |text: Text| text.to(language).to_owned();
    let wanted = typed.said("process_id").and_then(|id| id.trim().parse::<Id<Process>>().ok());
    let request = PageRequest { limit: 200, direction: Direction::NewestFirst, after: None };
    let read = context.db.read(move |connection| {
        let open = process::store::list(connection, false, Some(Status::Active), &request)?;
        let mut processes: Vec<(String, String)> =
            open.items.into_iter().map(|one| (one.id.to_string(), one.body.title)).collect();
        // One that is paused or over can still be asked for by its address.
        if let Some(id) = wanted.filter(|id| processes.iter().all(|(known, _)| *known != id.to_string()))
            && let Some(title) = public_title(connection, id)?
        {
            processes.push((id.to_string(), title));
        }
        Ok::<_, Problem>(processes)
    });
    let mut processes = read.await?;
    processes.insert(0, (String::new(), say(text!("Alle", "All"))));
    let processes: Vec<(&str, &str)> = processes.iter().map(|(id, title)| (id.as_str(), title.as_str())).collect();
    let frequencies =
        [Frequency::Immediate, Frequency::Daily, Frequency::Weekly].map(|one| (one.word(), say(one.words())));
    let frequencies: Vec<(&str, &str)> = frequencies.iter().map(|(word, words)| (*word, words.as_str())).collect();
    let labels = [
        text!("Din mailadresse", "Your e-mail address"),
        text!(
            "CPV-koder, fx 33190000 45000000; en kode dækker alle under den",
            "CPV codes, e.g. 33190000 45000000; a code covers all below it"
        ),
        text!(
            "Steder (NUTS), fx DK03; et sted dækker alle i det",
            "Places (NUTS), e.g. DK03; a place covers all within it"
        ),
        text!("Temaer, adskilt af komma", "Themes, separated by commas"),
        text!("Ord, adskilt af komma: fald, natligt tilsyn", "Words, separated by commas: falls, night rounds"),
        text!("Skaleringsproces", "Scaling process"),
        text!("Mails kommer", "Mail comes"),
        text!("Sprog", "Language"),
    ]
    .map(say);
    let [email, cpv, nuts, themes, words, process, frequency, tongue] = &labels;
    let chosen = typed.said("language").unwrap_or(language.tag());
    let fields = [
        Field::Email { name: "email", label: email, value: typed.get("email") },
        Field::Line { name: "text", label: words, value: typed.get("text") },
        Field::Line { name: "cpv", label: cpv, value: typed.get("cpv") },
        Field::Line { name: "nuts", label: nuts, value: typed.get("nuts") },
        Field::Line { name: "themes", label: themes, value: typed.get("themes") },
        Field::Choice { name: "process_id", label: process, options: &processes, chosen: typed.get("process_id") },
        Field::Choice { name: "frequency", label: frequency, options: &frequencies, chosen: typed.get("frequency") },
        Field::Choice { name: "language", label: tongue, options: &[("da", "dansk"), ("en", "English")], chosen },
    ];
    let buttons = [
        ("subscribe", say(text!("Send mig mails", "Send me mail"))),
        ("preview", say(text!("Vis, hvad filteret ville have givet", "Show what the filter would have brought"))),
    ];
    let buttons: Vec<(&str, &str)> = buttons.iter().map(|(deed, words)| (*deed, words.as_str())).collect();
    let consent = Prose::default().small(say(consent_text()));
    Ok(drawn.form_of_deeds("/subscribe", &fields, &buttons).words(&consent))
}

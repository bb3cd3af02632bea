//! The filter as a form: what a subscriber fills in, and what it would have brought.

use super::Typed;
use super::process::public_title;
use super::start::line;
use crate::access::Context;
use crate::dialogue::{self, Dialogue};
use crate::dispatch::preview::{Preview, preview};
use crate::kernel::{Direction, Fit, Id, Language, PageRequest, Text, text};
use crate::mail::Prose;
use crate::process::{self, Process, Status};
use crate::subscription::{Filter, Frequency, SubscriptionBody};
use crate::web::{Field, HtmlPage, Problem};

/// What can be chosen by name: its value, and words.
pub(super) struct Offered {
    processes: Vec<(String, String)>,
    dialogues: Vec<(String, String)>,
}

impl Offered {
    /// The open processes, what else was chosen, and these dialogues.
    pub(super) async fn find(context: &Context, typed: &Typed, dialogues: &[Id<Dialogue>]) -> Result<Self, Problem> {
        let chosen: Vec<Id<Process>> = typed.all("process_id").filter_map(|id| id.trim().parse().ok()).collect();
        let (now, dialogues) = (context.now, dialogues.to_vec());
        let request = PageRequest { limit: 200, direction: Direction::NewestFirst, after: None };
        let read = context.db.read(move |connection| {
            let open = process::store::list(connection, false, Some(Status::Active), &request)?;
            let mut processes: Vec<(String, String)> =
                open.items.into_iter().map(|one| (one.id.to_string(), one.body.title)).collect();
            // One that is paused or over stays chosen, and can be asked for by its address.
            for id in chosen {
                if processes.iter().all(|(known, _)| *known != id.to_string())
                    && let Some(title) = public_title(connection, id)?
                {
                    processes.push((id.to_string(), title));
                }
            }
            let mut followed = Vec::new();
            for id in dialogues {
                let found = dialogue::store::find(connection, id, now)?;
                let title = found.map_or_else(|| id.to_string(), |dialogue| dialogue.notice.title);
                followed.push((id.to_string(), title));
            }
            Ok::<_, Problem>(Self { processes, dialogues: followed })
        });
        read.await
    }
}

/// What was stored, as if it had been typed.
pub(super) fn as_typed(body: &SubscriptionBody) -> Typed {
    let SubscriptionBody { language, frequency, filter } = body;
    let field = |name: &str, value: String| (name.to_owned(), value);
    let mut fields = vec![
        field("text", filter.text.clone().unwrap_or_default()),
        field("cpv", filter.cpv.join(" ")),
        field("nuts", filter.nuts.join(" ")),
        field("themes", filter.themes.join(", ")),
        field("frequency", frequency.word().to_owned()),
        field("language", language.tag().to_owned()),
    ];
    fields.extend(filter.process_ids.iter().map(|id| field("process_id", id.to_string())));
    fields.extend(filter.dialogue_ids.iter().map(|id| field("dialogue_id", id.to_string())));
    Typed(fields)
}

/// A subscription as the API takes it, made of what was typed.
pub(super) fn body(typed: &Typed) -> Result<Fit<SubscriptionBody>, Problem> {
    let list = |name: &str, parts: &[char]| {
        let items = typed.get(name).split(parts).map(str::trim).filter(|item| !item.is_empty());
        items.map(str::to_owned).collect::<Vec<_>>()
    };
    let codes = [',', ';', ' ', '\n', '\t'];
    let filter = Filter {
        cpv: list("cpv", &codes),
        nuts: list("nuts", &codes),
        themes: list("themes", &[',', ';', '\n']),
        process_ids: ids(typed, "process_id", text!("Processen findes ikke", "The process does not exist"))?,
        dialogue_ids: ids(typed, "dialogue_id", text!("Markedsdialogen findes ikke", "The dialogue does not exist"))?,
        text: typed.said("text").map(str::to_owned),
    };
    let language = Language::from_tag(typed.get("language")).unwrap_or_default();
    let frequency = Frequency::from_word(typed.get("frequency")).unwrap_or_default();
    Ok(Fit::check(SubscriptionBody { language, frequency, filter })?)
}

fn ids<T>(typed: &Typed, name: &str, unknown: Text) -> Result<Vec<Id<T>>, Problem> {
    let said = typed.all(name).map(str::trim).filter(|id| !id.is_empty());
    let read: Result<Vec<Id<T>>, _> = said.map(str::parse).collect();
    read.map_err(|_| Problem::unfit(&format!("/{name}"), "unknown", unknown))
}

/// The problem at the fields of the form: `/filter/cpv/2` is the third code of one line.
pub(super) fn in_form(mut problem: Problem) -> Problem {
    for flaw in &mut problem.errors {
        let field = flaw.pointer.strip_prefix("/filter/").unwrap_or(flaw.pointer.trim_start_matches('/'));
        let field = match field.split('/').next().unwrap_or_default() {
            "process_ids" => "process_id",
            "dialogue_ids" => "dialogue_id",
            field => field,
        };
        flaw.pointer = format!("/{field}");
    }
    problem
}

/// What the typed filter would have brought in the last 12 months.
pub(super) async fn look(context: &Context, typed: &Typed) -> Result<Preview, Problem> {
    let (filter, now) = (body(typed)?.into_inner().filter, context.now);
    Ok(context.db.read(move |connection| preview(connection, &filter, now)).await?)
}

/// What a filter would have brought, and codes nearby that would bring more.
pub(super) fn show(drawn: HtmlPage, preview: &Preview, language: Language) -> HtmlPage {
    let say = |text: Text| text.to(language).to_owned();
    let count = preview.hits.len();
    let words = if count == 1 {
        text!(
            "De sidste 12 måneder ville filteret have givet 1 markedsdialog.",
            "In the last 12 months the filter would have brought 1 market dialogue."
        )
    } else {
        text!(
            "De sidste 12 måneder ville filteret have givet {count} markedsdialoger.",
            "In the last 12 months the filter would have brought {count} market dialogues."
        )
    };
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

/// The form for a filter with what was typed, and a button for each deed; `asks_address` for who has not given one.
pub(super) fn form(
    drawn: HtmlPage,
    action: &str,
    asks_address: bool,
    typed: &Typed,
    offered: &Offered,
    deeds: &[(&str, Text)],
    language: Language,
) -> HtmlPage {
    let say = |text: Text| text.to(language).to_owned();
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
        text!("Skaleringsprocesser", "Scaling processes"),
        text!("Markedsdialoger, du følger", "Market dialogues that you follow"),
        text!("Mails kommer", "Mail comes"),
        text!("Sprog", "Language"),
    ]
    .map(say);
    let [email, cpv, nuts, themes, words, processes, dialogues, frequency, tongue] = &labels;
    let chosen = typed.said("language").unwrap_or(language.tag());
    let (chosen_processes, chosen_dialogues) =
        (typed.all("process_id").collect::<Vec<_>>(), typed.all("dialogue_id").collect::<Vec<_>>());
    let mut fields = Vec::new();
    if asks_address {
        fields.push(Field::Email { name: "email", label: email, value: typed.get("email") });
    }
    fields.extend([
        Field::Line { name: "text", label: words, value: typed.get("text") },
        Field::Line { name: "cpv", label: cpv, value: typed.get("cpv") },
        Field::Line { name: "nuts", label: nuts, value: typed.get("nuts") },
        Field::Line { name: "themes", label: themes, value: typed.get("themes") },
        Field::Checks { name: "process_id", label: processes, options: &offered.processes, chosen: &chosen_processes },
        Field::Checks { name: "dialogue_id", label: dialogues, options: &offered.dialogues, chosen: &chosen_dialogues },
        Field::Choice { name: "frequency", label: frequency, options: &frequencies, chosen: typed.get("frequency") },
        Field::Choice { name: "language", label: tongue, options: &[("da", "dansk"), ("en", "English")], chosen },
    ]);
    let deeds: Vec<(&str, &str)> = deeds.iter().map(|(deed, words)| (*deed, words.to(language))).collect();
    drawn.form_of_deeds(action, &fields, &deeds)
}

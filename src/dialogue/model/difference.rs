//! What one version changed, for people to read.

use std::collections::HashMap;

use super::{Event, EventKind, Nature, Notice};
use crate::kernel::{Instant, Language, OrganisationId, Text, copenhagen_span, copenhagen_text, text};

/// One field that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The field's name in the notice.
    pub field: &'static str,
    pub name: Text,
    pub before: Text,
    pub after: Text,
}

/// What lead buyers are called.
pub type LeadBuyers = HashMap<OrganisationId, String>;

/// Every field in which the two differ, in the order of the notice; lead buyers by their names.
#[must_use]
pub fn difference(old: &Notice, new: &Notice, names: &LeadBuyers) -> Vec<Change> {
    let lead = |notice: &Notice| {
        let name = |id: OrganisationId| names.get(&id).cloned().unwrap_or_else(|| id.to_string());
        plain(&notice.lead_buyer_id.map(name).unwrap_or_default())
    };
    let fields = [
        field("title", text!("Titel", "Title"), plain(&old.title), plain(&new.title)),
        field("description", text!("Beskrivelse", "Description"), plain(&old.description), plain(&new.description)),
        field("nature", text!("Art", "Nature"), nature(old.nature), nature(new.nature)),
        field("cpv", text!("CPV-koder", "CPV codes"), list(&old.cpv), list(&new.cpv)),
        field("nuts", text!("Steder", "Places"), list(&old.nuts), list(&new.nuts)),
        field("themes", text!("Temaer", "Themes"), list(&old.themes), list(&new.themes)),
        field("languages", text!("Sprog", "Languages"), list(&old.languages), list(&new.languages)),
        field("questions", text!("Spørgsmål", "Questions"), lines(&old.questions), lines(&new.questions)),
        field(
            "question_deadline",
            text!("Spørgefrist", "Question deadline"),
            moment(old.question_deadline),
            moment(new.question_deadline),
        ),
        field(
            "answer_deadline",
            text!("Svarfrist", "Answer deadline"),
            moment(Some(old.answer_deadline)),
            moment(Some(new.answer_deadline)),
        ),
        field("contact", text!("Kontakt", "Contact"), plain(&old.contact.line()), plain(&new.contact.line())),
        field("lead_buyer_id", text!("Ledende køber", "Lead buyer"), lead(old), lead(new)),
        field("events", text!("Møder", "Events"), events(&old.events), events(&new.events)),
        field("documents", text!("Dokumenter", "Documents"), documents(old), documents(new)),
    ];
    fields.into_iter().filter(|change| change.before != change.after).collect()
}

fn field(field: &'static str, name: Text, before: Text, after: Text) -> Change {
    let (before_da, after_da) = apart(&before.da, &after.da);
    let (before_en, after_en) = apart(&before.en, &after.en);
    Change { field, name, before: Text { da: before_da, en: before_en }, after: Text { da: after_da, en: after_en } }
}

/// Of two texts of several lines, only those lines that the other does not have; where that leaves nothing, as when lines
/// changed places, both whole.
fn apart(before: &str, after: &str) -> (String, String) {
    let without = |text: &str, other: &str| {
        let mut left: Vec<&str> = other.lines().collect();
        let differs = |line: &&str| match left.iter().position(|known| known == line) {
            Some(place) => {
                left.swap_remove(place);
                false
            }
            None => true,
        };
        text.lines().filter(differs).collect::<Vec<_>>().join("\n")
    };
    match (without(before, after), without(after, before)) {
        (one, other) if one.is_empty() && other.is_empty() => (before.to_owned(), after.to_owned()),
        lines => lines,
    }
}

fn plain(words: &str) -> Text {
    Text { da: words.to_owned(), en: words.to_owned() }
}

fn list(items: &[String]) -> Text {
    plain(&items.join(", "))
}

fn lines(items: &[String]) -> Text {
    plain(&items.join("\n"))
}

fn moment(at: Option<Instant>) -> Text {
    at.map_or_else(|| plain(""), copenhagen_text)
}

fn nature(nature: Nature) -> Text {
    match nature {
        Nature::Works => text!("bygge og anlæg", "works"),
        Nature::Supplies => text!("varer", "supplies"),
        Nature::Services => text!("tjenester", "services"),
    }
}

fn documents(notice: &Notice) -> Text {
    Text { da: document_lines(notice, Language::Da), en: document_lines(notice, Language::En) }
}

fn document_lines(notice: &Notice, language: Language) -> String {
    let line =
        |document: &super::Document| format!("{}: {} ({})", document.title, document.url, document.proof(language));
    notice.documents.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn events(events: &[Event]) -> Text {
    let all: Vec<Text> = events.iter().map(event_line).collect();
    Text {
        da: all.iter().map(|line| line.da.as_str()).collect::<Vec<_>>().join("\n"),
        en: all.iter().map(|line| line.en.as_str()).collect::<Vec<_>>().join("\n"),
    }
}

/// A meeting on one line: what, when, where, how many.
#[must_use]
pub fn event_line(event: &Event) -> Text {
    let Text { da: kind_da, en: kind_en } = match event.kind {
        EventKind::InformationMeeting => text!("Informationsmøde", "Information meeting"),
        EventKind::Workshop => text!("Workshop", "Workshop"),
        EventKind::Conference => text!("Leverandørkonference", "Supplier conference"),
        EventKind::OneToOne => text!("En-til-en-møder", "One-to-one meetings"),
    };
    let Text { da, en } = copenhagen_span(event.starts_at, event.ends_at);
    // Many an event is called what it is.
    let named = |kind: String| if event.title == kind { kind } else { format!("{kind}: {}", event.title) };
    let (named_da, named_en) = (named(kind_da), named(kind_en));
    let places = [&event.place, &event.url].into_iter().flatten();
    let place: String = places.map(|place| format!(", {place}")).collect();
    let Text { da: seats_da, en: seats_en } = match event.capacity() {
        Some(1) => text!(", 1 plads", ", 1 seat"),
        Some(seats) => text!(", {seats} pladser", ", {seats} seats"),
        None => text!("", ""),
    };
    text!("{named_da}, {da}{place}{seats_da}", "{named_en}, {en}{place}{seats_en}")
}

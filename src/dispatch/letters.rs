//! The letters to subscribers: one notice, or a digest of several.

use std::sync::OnceLock;

use crate::dialogue::{
    Change, Dialogue, Event, Question, Version, VersionKind, event_line, nobody_is_bound, taking_part_is_free,
};
use crate::kernel::{Id, Instant, Language, Text, copenhagen_text, text};
use crate::mail::{Letter, OneClick, Prose};
use crate::subscription::actions::{manage_url, unsubscribe_url};
use crate::subscription::{Reason, Subscription, Why};
use crate::web::Node;

/// A version, with what a letter about it needs beside.
#[derive(Debug)]
pub(super) struct News {
    pub(super) version: Version,
    process_title: String,
    /// What differs from the version before.
    changes: Vec<Change>,
    /// What everybody is told, in the languages that somebody asked for it in.
    danish: OnceLock<Prose>,
    english: OnceLock<Prose>,
}

impl News {
    pub(super) fn new(version: Version, process_title: String, changes: Vec<Change>) -> Self {
        Self { version, process_title, changes, danish: OnceLock::new(), english: OnceLock::new() }
    }

    fn subject(&self) -> Text {
        let title = &self.version.notice.title;
        let number = self.version.number;
        match self.version.kind {
            VersionKind::Notice if number == 1 => text!("Ny markedsdialog: {title}", "New market dialogue: {title}"),
            VersionKind::Notice => text!("Ændret markedsdialog: {title}", "Changed market dialogue: {title}"),
            VersionKind::Closing => text!("Afsluttet markedsdialog: {title}", "Closed market dialogue: {title}"),
            VersionKind::Cancellation => text!("Aflyst markedsdialog: {title}", "Cancelled market dialogue: {title}"),
        }
    }

    /// Deadlines first, on Danish clocks.
    fn dates(&self, prose: Prose, language: Language) -> Prose {
        let say = |text: Text| text.to(language).to_owned();
        let notice = &self.version.notice;
        let moment = |at: Instant| say(copenhagen_text(at));
        let prose = match notice.question_deadline {
            Some(at) => prose.fact(say(text!("Spørgefrist", "Question deadline")), moment(at)),
            None => prose,
        };
        prose.fact(say(text!("Svarfrist", "Answer deadline")), moment(notice.answer_deadline))
    }
}

impl News {
    /// The deadlines and meetings that lie ahead; none of a dialogue that has ended.
    fn dates_ahead(&self, now: Instant) -> Vec<(Instant, Text)> {
        let notice = &self.version.notice;
        if self.version.kind != VersionKind::Notice {
            return Vec::new();
        }
        let title = &notice.title;
        let question = |at| (at, text!("spørgefrist, {title}", "question deadline, {title}"));
        let answers = (notice.answer_deadline, text!("svarfrist, {title}", "answer deadline, {title}"));
        let meeting = |event: &Event| {
            let name = &event.title;
            (event.starts_at, text!("{name}, {title}", "{name}, {title}"))
        };
        let deadlines = notice.question_deadline.map(question).into_iter().chain([answers]);
        deadlines.chain(notice.events.iter().map(meeting)).filter(|(at, _)| *at > now).collect()
    }
}

/// One notice to one subscriber.
pub(super) fn notice(node: &Node, news: &News, subscription: &Subscription, why: &Why) -> Letter {
    let language = subscription.body.language;
    let told = match language {
        Language::Da => &news.danish,
        Language::En => &news.english,
    };
    let told = told.get_or_init(|| told_to_all(node, news, language).for_many());
    letter(node, subscription, news.subject().to(language).to_owned(), told.clone(), &why.line(language))
}

/// What a notice tells everybody alike.
fn told_to_all(node: &Node, news: &News, language: Language) -> Prose {
    let say = |text: Text| text.to(language).to_owned();
    let version = &news.version;
    let prose = Prose::default()
        .heading(&version.notice.title)
        .fact(say(text!("Skaleringsproces", "Scaling process")), &news.process_title)
        .fact(say(text!("Udgave", "Version")), version.number.to_string());
    let prose = match version.kind {
        VersionKind::Notice => whole_notice(prose, news, language),
        VersionKind::Closing | VersionKind::Cancellation => ending(prose, news, language),
    };
    prose
        .link(say(text!("Se markedsdialogen", "See the market dialogue")), page(node, version.dialogue_id))
        .paragraph(say(taking_part_is_free()))
        .paragraph(say(nobody_is_bound()))
}

/// An answer, to somebody who follows the dialogue.
pub(super) fn answer(node: &Node, dialogue: &Dialogue, question: &Question, follower: &Subscription) -> Letter {
    let language = follower.body.language;
    let say = |text: Text| text.to(language).to_owned();
    let title = &dialogue.notice.title;
    let (answer, name) = (question.answer().unwrap_or_default(), question.pseudonym());
    let name = name.to(language);
    let prose = Prose::default()
        .heading(title)
        .paragraph(say(text!("{name} spurgte:", "{name} asked:")))
        .paragraph(&question.text)
        .paragraph(say(text!("Svaret, som alle kan læse:", "The answer, which everybody can read:")))
        .paragraph(answer)
        .link(say(text!("Se markedsdialogen", "See the market dialogue")), page(node, dialogue.id));
    let subject = say(text!("Svar på et spørgsmål: {title}", "A question was answered: {title}"));
    let why = Reason::Dialogue { title: title.clone() }.words();
    letter(node, follower, subject, prose, why.to(language))
}

fn whole_notice(mut prose: Prose, news: &News, language: Language) -> Prose {
    let say = |text: Text| text.to(language).to_owned();
    let notice = &news.version.notice;
    prose = news.dates(prose, language);
    if let Some(reason) = &news.version.words {
        prose = prose.paragraph(say(text!("Ændret, fordi: {reason}", "Changed because: {reason}")));
        for change in &news.changes {
            let (before, after) = (shortened(change.before.to(language)), shortened(change.after.to(language)));
            prose = prose.item(format!("{}: {before} → {after}", change.name.to(language)));
        }
    }
    prose = prose.paragraph(&notice.description);
    if !notice.questions.is_empty() {
        prose = prose.paragraph(say(text!("Spørgsmål til markedet:", "Questions to the market:")));
        prose = notice.questions.iter().fold(prose, Prose::item);
    }
    if !notice.events.is_empty() {
        prose = prose.paragraph(say(text!("Møder:", "Events:")));
        prose = notice.events.iter().fold(prose, |prose, event| prose.item(say(event_line(event))));
    }
    for document in &notice.documents {
        prose = prose.link(&document.title, &document.url);
    }
    prose.fact(say(text!("Kontakt", "Contact")), notice.contact.line())
}

fn ending(prose: Prose, news: &News, language: Language) -> Prose {
    let words = news.version.words.clone().unwrap_or_default();
    let heading = match news.version.kind {
        VersionKind::Cancellation => {
            text!("Markedsdialogen er aflyst. Begrundelse:", "The market dialogue is cancelled. The reason:")
        }
        _ => text!(
            "Markedsdialogen er afsluttet. Det hørte vi:",
            "The market dialogue is closed. This is what was heard:"
        ),
    };
    prose.paragraph(heading.to(language)).paragraph(words)
}

/// All that waited for one subscriber: the dates that lie ahead on top, then the news by process, the newest first. Of
/// several versions of one dialogue only the newest is told: it is the state of things.
pub(super) fn digest(node: &Node, news: &[(std::sync::Arc<News>, Why)], subscription: &Subscription) -> Letter {
    let language = subscription.body.language;
    let say = |text: Text| text.to(language).to_owned();
    let mut newest: Vec<&(std::sync::Arc<News>, Why)> = Vec::new();
    for one in news {
        let same = |other: &&(std::sync::Arc<News>, Why)| other.0.version.dialogue_id == one.0.version.dialogue_id;
        match newest.iter().position(same) {
            Some(place) => {
                if let Some(kept) = newest.get_mut(place).filter(|kept| kept.0.version.number < one.0.version.number) {
                    *kept = one;
                }
            }
            None => newest.push(one),
        }
    }
    newest.sort_by_key(|(news, _)| std::cmp::Reverse((news.version.published_at, news.version.id)));
    let count = newest.len();
    let subject = if count == 1 {
        newest.first().map_or_else(String::new, |(news, _)| say(news.subject()))
    } else {
        say(text!("{count} nyheder om markedsdialoger", "{count} pieces of news on market dialogues"))
    };
    let mut prose = Prose::default().heading(&subject);
    if count > 1 {
        let now = node.now();
        let mut ahead: Vec<(Instant, Text)> = newest.iter().flat_map(|(news, _)| news.dates_ahead(now)).collect();
        ahead.sort_by_key(|(at, _)| *at);
        for (at, what) in ahead {
            prose = prose.item(format!("{}: {}", copenhagen_text(at).to(language), what.to(language)));
        }
    }
    let mut processes: Vec<&str> = Vec::new();
    for (news, _) in &newest {
        if !processes.contains(&news.process_title.as_str()) {
            processes.push(&news.process_title);
        }
    }
    for process in processes {
        prose = prose.heading(process);
        for (news, why) in newest.iter().filter(|(news, _)| news.process_title == process) {
            prose = prose.paragraph(say(news.subject()));
            prose = match news.version.kind {
                VersionKind::Notice => {
                    news.dates(prose, language).paragraph(shortened(&news.version.notice.description))
                }
                _ => ending(prose, news, language),
            };
            if let (VersionKind::Notice, Some(reason)) = (news.version.kind, &news.version.words) {
                prose = prose.paragraph(say(text!("Ændret, fordi: {reason}", "Changed because: {reason}")));
            }
            prose = prose
                .link(say(text!("Se markedsdialogen", "See the market dialogue")), page(node, news.version.dialogue_id))
                .fact(say(text!("Derfor", "Why")), why.line(language));
        }
    }
    let prose = prose.paragraph(say(taking_part_is_free())).paragraph(say(nobody_is_bound()));
    let frequency = subscription.body.frequency.words();
    letter(node, subscription, subject, prose, frequency.to(language))
}

/// What stands under every letter: why it came, and how to change or stop it.
fn letter(node: &Node, subscription: &Subscription, subject: String, prose: Prose, why: &str) -> Letter {
    let language = subscription.body.language;
    let say = |text: Text| text.to(language).to_owned();
    let unsubscribe_url = unsubscribe_url(node, subscription.id);
    let prose = prose
        .small(say(text!(
            "Du får mailen, fordi du abonnerer på markedsdialoger hos Skala: {why}.",
            "You get this mail because you subscribe to market dialogues at Skala: {why}."
        )))
        .link(say(text!("Ret abonnementet", "Change the subscription")), manage_url(node, subscription.id))
        .link(say(text!("Frameld", "Unsubscribe")), &unsubscribe_url);
    let list_id = format!("dialogues.{}", node.settings.public_host());
    let one_click = Some(OneClick { unsubscribe_url, list_id });
    Letter { one_click, ..Letter::new(&subscription.email, language, subject, prose) }
}

fn page(node: &Node, dialogue: Id<Dialogue>) -> String {
    node.url(&format!("/dialogues/{dialogue}"))
}

/// At most 400 characters, cut between words.
fn shortened(words: &str) -> String {
    match words.char_indices().nth(400) {
        None => words.to_owned(),
        Some((end, _)) => {
            let start = words.get(..end).unwrap_or_default();
            let start = start.rsplit_once(char::is_whitespace).map_or(start, |(start, _)| start);
            format!("{start} …")
        }
    }
}

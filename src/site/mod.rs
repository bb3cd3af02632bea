//! The pages that people see: open market dialogues with all that can be done to them, processes, subscribing, and the
//! feeds of all that. Whole in themselves, without scripts; nobody signs in.
//!
//! A page shows what everybody may see. A form on it does what the API does for programs, and answers with a page: what
//! is to happen next, or the form again with what was typed and what is wrong beside it. Sending a form twice is the same
//! as sending it once: the deeds behind it know their own repetition, so going back and pressing again does no harm.

mod dialogue;
mod feeds;
mod filter;
mod forms;
mod ical;
mod manage;
mod process;
mod start;
mod subscribe;
mod syndication;

use crate::kernel::{Language, Text, text};
use crate::web::{HtmlPage, Routes};

/// Mounts the pages and the feeds.
pub fn routes(config: &mut impl Routes) {
    config
        .service(start::show_start)
        .service(start::show_dialogues)
        .service(dialogue::show_dialogue)
        .service(dialogue::show_dialogue_version)
        .service(forms::press_question)
        .service(forms::press_signup)
        .service(forms::press_written_answer)
        .service(forms::press_follow)
        .service(process::show_processes)
        .service(process::show_process)
        .service(subscribe::show_subscribe)
        .service(subscribe::press_subscribe)
        .service(manage::show_subscription)
        .service(manage::press_subscription)
        .service(feeds::get_dialogue_atom)
        .service(feeds::get_dialogue_feed)
        .service(feeds::get_process_atom)
        .service(feeds::get_process_feed)
        .service(feeds::get_event_calendar);
}

/// What was typed into a form, by the names of its fields.
struct Typed(Vec<(String, String)>);

impl Typed {
    /// Nothing yet.
    const NOTHING: Self = Self(Vec::new());

    /// What stands in this field; nothing when it was not sent.
    fn get(&self, name: &str) -> &str {
        self.sent(name).unwrap_or_default()
    }

    /// What was sent in this field; none when it was not on the form.
    fn sent(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// All that was sent in fields of this name.
    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// What stands in this field, where nothing typed means that nothing is said.
    fn said(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.trim().is_empty())
    }
}

/// A page for everybody, with the feeds that a reader of the whole site may follow.
fn page(page: HtmlPage, language: Language) -> HtmlPage {
    let say = |text: Text| text.to(language).to_owned();
    page.open_to_all()
        .alternate("application/atom+xml", &say(text!("Markedsdialoger", "Market dialogues")), "/feeds/dialogues.atom")
        .alternate("application/feed+json", &say(text!("Markedsdialoger", "Market dialogues")), "/feeds/dialogues.json")
        .alternate("text/calendar", &say(text!("Møder", "Events")), "/feeds/events.ics")
}

//! What everybody may have of the market dialogues: what the market saw, without the people behind it.

use serde_json::Value;

use crate::db::{Row, Sheet};
use crate::kernel::fold;
use crate::outbox::Subject;

/// What stands where somebody's name stood.
const LEFT_OUT: &str = "Udeladt af eksporten";

// What the clock will publish has a dispatch that has not begun, and no line in the ledger yet.
const PUBLIC: &str = "published_at IS NOT NULL AND process_id IN (SELECT id FROM process WHERE status <> 'preparing') \
    AND id NOT IN (SELECT dialogue_id FROM dispatch WHERE status = 'open' AND place = '' \
    AND dialogue_id NOT IN (SELECT dialogue_id FROM ledger_entry WHERE deed = 'published'))";

const OF_A_PUBLIC_DIALOGUE: &str = "dialogue_id IN (SELECT id FROM dialogue WHERE published_at IS NOT NULL \
    AND process_id IN (SELECT id FROM process WHERE status <> 'preparing') \
    AND id NOT IN (SELECT dialogue_id FROM dispatch WHERE status = 'open' AND place = '' \
    AND dialogue_id NOT IN (SELECT dialogue_id FROM ledger_entry WHERE deed = 'published')))";

const OF_AN_ANSWERED_QUESTION: &str = "status = 'answered' AND dialogue_id IN (SELECT id FROM dialogue \
    WHERE published_at IS NOT NULL AND process_id IN (SELECT id FROM process WHERE status <> 'preparing'))";

pub static PUBLISHED: [(Sheet, Option<Subject>); 3] = [
    (
        Sheet {
            name: "dialogues",
            about: "Market dialogues as they stand now",
            table: "dialogue",
            public: PUBLIC,
            key: &["id"],
            columns: &[
                ("id", "Its id"),
                ("process_id", "The process"),
                ("status", "published, closed or cancelled"),
                ("notice", "What the market is told: needs, questions, deadlines, meetings; without the contact"),
                ("published_at", "When it was published"),
                ("number", "The number of its newest version"),
                ("ended_at", "When it was closed or cancelled"),
                ("ending", "The summary that closed it, or why it was cancelled"),
                ("version", "How often it was changed"),
                ("created_at", "When it was made"),
                ("updated_at", "When it was last changed"),
            ],
            json: &["notice"],
            clean: leave_the_contact_out,
            restore: |row, change| {
                let told = |field: &str| row.get("notice")?.get(field)?.as_str().map(str::to_owned);
                let (title, description) = (told("title").unwrap_or_default(), told("description").unwrap_or_default());
                let words_key = fold(&format!("{title}\n{description}"));
                row.extend([("words_key".to_owned(), words_key.into()), ("changed".to_owned(), change.into())]);
            },
        },
        Some(Subject::Dialogue),
    ),
    (
        Sheet {
            name: "dialogue_versions",
            about: "What the market saw, from each version's moment on",
            table: "dialogue_version",
            public: OF_A_PUBLIC_DIALOGUE,
            key: &["id"],
            columns: &[
                ("id", "Its id"),
                ("dialogue_id", "The dialogue"),
                ("number", "1, 2, 3 … within the dialogue"),
                ("kind", "notice, closing or cancellation"),
                ("notice", "What the market was told; without the contact"),
                ("words", "Why it was changed or cancelled, or the summary that closed it"),
                ("published_at", "When it was published"),
            ],
            json: &["notice"],
            clean: leave_the_contact_out,
            restore: |row, _| {
                row.insert("published_by".to_owned(), LEFT_OUT.into());
            },
        },
        None,
    ),
    (
        Sheet {
            name: "questions",
            about: "Questions of the market and their answers, as everybody could read them",
            table: "question",
            public: OF_AN_ANSWERED_QUESTION,
            key: &["id"],
            columns: &[
                ("id", "Its id"),
                ("dialogue_id", "The dialogue"),
                ("asker", "The asker's number within the dialogue"),
                ("text", "The question"),
                ("language", "Its language"),
                ("status", "answered"),
                ("answer", "The answer"),
                ("settled_at", "When it was answered"),
                ("asked_at", "When it was asked"),
            ],
            json: &[],
            clean: |_| {},
            restore: |row, change| {
                // Of one asker in one dialogue, as before; of nobody who could come back.
                let asker = row.get("asker").map(Value::to_string).unwrap_or_default();
                row.extend([
                    ("asker_key".to_owned(), format!("imported:{asker}").into()),
                    ("changed".to_owned(), change.into()),
                ]);
            },
        },
        None,
    ),
];

fn leave_the_contact_out(row: &mut Row) {
    if let Some(contact) = row.get_mut("notice").and_then(|notice| notice.get_mut("contact")) {
        *contact = LEFT_OUT.into();
    }
}

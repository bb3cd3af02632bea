//! What everybody may have of criteria sets and calls: all of it.

use crate::db::{Row, Sheet};
use crate::outbox::Subject;

pub static PUBLISHED: [(Sheet, Option<Subject>); 2] = [
    (
        Sheet {
            name: "criteria_sets",
            about: "Versions of criteria sets beside those that are built in",
            table: "criteria_set",
            public: "true",
            key: &["key", "version"],
            columns: &[
                ("key", "The set's name"),
                ("version", "1, 2, 3 …"),
                ("body", "Its criteria, with what each asks for"),
                ("created_at", "When the version was added"),
            ],
            json: &["body"],
            clean: |_| {},
            restore: |_, _| {},
        },
        None,
    ),
    (
        Sheet {
            name: "calls",
            about: "Invitations for challenges on a theme",
            table: "call",
            public: "true",
            key: &["id"],
            columns: &[
                ("id", "Its id"),
                ("title", "Its title"),
                ("theme", "Its theme"),
                ("description", "What is asked for"),
                ("criteria_set", "The set that challenges are checked against"),
                ("opens_at", "From when challenges can be handed in"),
                ("closes_at", "Until when"),
                ("created_at", "When it was made"),
            ],
            json: &[],
            clean: |_| {},
            restore: changed_now,
        },
        Some(Subject::Call),
    ),
];

fn changed_now(row: &mut Row, change: i64) {
    row.insert("changed".to_owned(), change.into());
}

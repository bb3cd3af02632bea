//! What everybody may have of the spread: who took a solution over, and how far each has come. Whom to ask is nobody's
//! business, and what was realised is told as open data of its own.

use crate::db::Sheet;
use crate::outbox::Subject;

pub static PUBLISHED: [(Sheet, Option<Subject>); 2] = [
    (
        Sheet {
            name: "adoptions",
            about: "Bodies that take the solution over",
            table: "adoption",
            public: "process_id IN (SELECT id FROM process WHERE status <> 'preparing')",
            key: &["id"],
            columns: &[
                ("id", "Its id"),
                ("process_id", "The process"),
                ("organisation_id", "The body"),
                ("adopted_on", "Since this day"),
                ("way", "copied, adapted or inspired"),
                ("expected", "Hours, volume and value expected in a year"),
                ("created_at", "When it was entered"),
            ],
            json: &["expected"],
            clean: |_| {},
            restore: |_, _| {},
        },
        None,
    ),
    (
        Sheet {
            name: "adoption_stages",
            about: "The stages that an adoption came through",
            table: "adoption_stage",
            public: "adoption_id IN (SELECT id FROM adoption WHERE process_id IN \
                     (SELECT id FROM process WHERE status <> 'preparing'))",
            key: &["adoption_id", "turn"],
            columns: &[
                ("adoption_id", "The adoption"),
                ("turn", "Its place in the order"),
                ("stage", "planned, bought, in_use, practice_changed or ended"),
                ("since", "Since this day"),
                ("said_at", "When it was entered"),
            ],
            json: &[],
            clean: |_| {},
            restore: |row, _| {
                row.insert("said_by".to_owned(), "Skala".into());
            },
        },
        None,
    ),
];

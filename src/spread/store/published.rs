//! What everybody may have of the spread: who took a solution over, how far each has come, and what it brought. Whom to
//! ask and who answered is nobody's business.

use crate::db::Sheet;
use crate::outbox::Subject;

pub static PUBLISHED: [(Sheet, Option<Subject>); 3] = [
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
    (
        Sheet {
            name: "outcomes",
            about: "What a solution brought a body, as it reported after some months",
            table: "outcome",
            public: "status = 'reported' AND adoption_id IN (SELECT id FROM adoption WHERE process_id IN \
                     (SELECT id FROM process WHERE status <> 'preparing'))",
            key: &["id"],
            columns: &[
                ("id", "Its id"),
                ("adoption_id", "The adoption"),
                ("months", "After how many months"),
                ("status", "reported"),
                ("report", "The stage, what was realised, why it was dropped, the supplier"),
                ("reported_at", "When it was reported"),
            ],
            json: &["report"],
            clean: |_| {},
            restore: |row, change| {
                row.insert("reported_by".to_owned(), "Skala".into());
                row.insert("changed".to_owned(), change.into());
            },
        },
        None,
    ),
];

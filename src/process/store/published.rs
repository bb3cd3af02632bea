//! What everybody may have of the processes: of those that are public, everything but single commitments.

use crate::db::Sheet;
use crate::outbox::Subject;

const OF_A_PUBLIC_PROCESS: &str = "process_id IN (SELECT id FROM process WHERE status <> 'preparing')";

pub static PUBLISHED: [(Sheet, Option<Subject>); 3] = [
    (
        Sheet {
            name: "processes",
            about: "Joint work of several bodies on one shared challenge",
            table: "process",
            public: "status <> 'preparing'",
            key: &["id"],
            columns: &[
                ("id", "Its id"),
                ("title", "Its title"),
                ("summary", "What it is about"),
                ("status", "active, paused, completed or abandoned"),
                ("lead_organisation_id", "The body that leads it"),
                ("option_cap", "What purchase options may come to at most; excl. VAT"),
                ("steps", "The six steps: their states, since when, and why"),
                ("version", "How often it was changed"),
                ("created_at", "When it was opened"),
                ("updated_at", "When it was last changed"),
            ],
            json: &["option_cap", "steps"],
            clean: |_| {},
            restore: |row, change| {
                row.insert("changed".to_owned(), change.into());
            },
        },
        Some(Subject::Process),
    ),
    (
        Sheet {
            name: "participants",
            about: "Organisations in a process, in a role, from a day",
            table: "participant",
            public: OF_A_PUBLIC_PROCESS,
            key: &["id"],
            columns: &[
                ("id", "Its id"),
                ("process_id", "The process"),
                ("organisation_id", "The organisation"),
                ("role", "need_owner, process_lead, project_manager, scaling_partner, knowledge_partner or supporter"),
                ("state", "interested, invited, guest, partner or left"),
                ("joined_on", "Since this day"),
                ("left_on", "Until this day"),
            ],
            json: &[],
            clean: |_| {},
            restore: |_, _| {},
        },
        None,
    ),
    (
        Sheet {
            name: "timeline",
            about: "Dated events and documents of a process",
            table: "timeline_entry",
            public: OF_A_PUBLIC_PROCESS,
            key: &["id"],
            columns: &[
                ("id", "Its id"),
                ("process_id", "The process"),
                ("happened_on", "The day"),
                ("body", "Kind, title, precision and link"),
                ("created_at", "When it was entered"),
            ],
            json: &["body"],
            clean: |_| {},
            restore: |_, _| {},
        },
        None,
    ),
];

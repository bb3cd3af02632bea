//! What everybody may have of the organisations.

use serde_json::Value;

use crate::db::Sheet;
use crate::kernel::fold;
use crate::outbox::Subject;

pub static PUBLISHED: [(Sheet, Option<Subject>); 1] = [(
    Sheet {
        name: "organisations",
        about: "Public bodies and others, with their validity in time",
        table: "organisation",
        public: "true",
        key: &["id"],
        columns: &[
            ("id", "Its id"),
            ("name", "Its name"),
            ("kind", "municipality, region, state, utility, port …"),
            ("cvr", "CVR number, 8 digits"),
            ("country", "ISO 3166-1, two letters"),
            ("nuts", "Where it is (NUTS)"),
            ("valid_from", "From this day"),
            ("valid_to", "Until this day"),
            ("successor_id", "The organisation that took over"),
            ("version", "How often it was changed"),
            ("created_at", "When it was added"),
            ("updated_at", "When it was last changed"),
        ],
        json: &[],
        clean: |_| {},
        restore: |row, change| {
            let name_key = fold(row.get("name").and_then(Value::as_str).unwrap_or_default());
            row.extend([("name_key".to_owned(), name_key.into()), ("changed".to_owned(), change.into())]);
        },
    },
    Some(Subject::Organisation),
)];

//! Lists in the order of change, read the way an index over `(changed, id)` holds them.

/// Narrows a boxed query of `$table` to the rows after a place, an `Option<&Cursor>`, and puts it in the order of change.
///
/// It says which rows are *left out*. Of the usual `changed > ? OR (changed = ? AND id > ?)` SQLite makes two searches
/// and sorts all that both find, the whole rest of the table, before it gives a page; of this, one walk from the place on.
macro_rules! by_change {
    ($query:expr, $table:ident, $direction:expr, $after:expr) => {{
        use $crate::kernel;
        let (mut query, direction, after): (_, kernel::Direction, Option<&kernel::Cursor>) =
            ($query, $direction, $after);
        if let Some(kernel::Cursor { changed, id }) = after.cloned() {
            let same = $table::changed.eq(changed);
            query = match direction {
                kernel::Direction::NewestFirst => {
                    query.filter($table::changed.le(changed).and(diesel::dsl::not(same.and($table::id.ge(id)))))
                }
                kernel::Direction::OldestFirst => {
                    query.filter($table::changed.ge(changed).and(diesel::dsl::not(same.and($table::id.le(id)))))
                }
            };
        }
        match direction {
            kernel::Direction::NewestFirst => query.order(($table::changed.desc(), $table::id.desc())),
            kernel::Direction::OldestFirst => query.order(($table::changed, $table::id)),
        }
    }};
}

pub(crate) use by_change;

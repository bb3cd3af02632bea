//! Comma-separated values (RFC 4180), as spreadsheets write them: with a header, quotes, and in Denmark semicolons.

use super::{Flaw, Flaws, Text, text};

/// One row below the header, or why it is none.
pub type Row = (u64, Result<Vec<(String, String)>, Flaw>);

/// Reads a whole text: each row as (column, value) pairs without empty values, with the number of the line it begins on.
///
/// # Errors
/// When the first line does not name the columns: each of `required`, others only of `optional`, none twice.
pub fn read(text: &str, required: &[&str], optional: &[&str]) -> Result<Vec<Row>, Flaws> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().next().unwrap_or_default();
    let separator = if first.contains(';') && !first.contains(',') { ';' } else { ',' };
    let mut records = split(text, separator).into_iter();
    let columns = records.next().and_then(|(_, fields)| fields.ok()).unwrap_or_default();
    let columns: Vec<String> = columns.iter().map(|name| name.trim().to_lowercase()).collect();
    check_header(&columns, required, optional)?;
    let name = |(line, fields): (u64, Result<Vec<String>, Flaw>)| {
        let named = fields.and_then(|fields| {
            if fields.len() != columns.len() {
                let (is, wanted) = (fields.len(), columns.len());
                let words =
                    text!("Linjen har {is} felter; der skal være {wanted}", "The line has {is} fields, not {wanted}");
                return Err(flaw("wrong_number_of_fields", words));
            }
            let pairs = columns.iter().cloned().zip(fields);
            let pairs = pairs.filter(|(_, value)| !value.trim().is_empty());
            Ok(pairs.map(|(column, value)| (column, bare(value))).collect())
        });
        (line, named)
    };
    Ok(records.map(name).collect())
}

/// What would make a field a formula to a spreadsheet, or look like one that is guarded.
const SIGNS: [char; 6] = ['=', '+', '-', '@', '\t', '\''];

/// A value without the guard that [`field`] gives it.
fn bare(value: String) -> String {
    match value.strip_prefix('\'') {
        Some(guarded) if guarded.starts_with(SIGNS) => guarded.to_owned(),
        _ => value,
    }
}

/// Words as one field: quoted where they must be, and never a formula to a spreadsheet, which a leading sign would make.
/// [`read`] gives them back as they were.
#[must_use]
pub fn field(words: &str) -> String {
    let words = if words.starts_with(SIGNS) { format!("'{words}") } else { words.to_owned() };
    if words.contains([',', ';', '"', '\n', '\r']) { format!("\"{}\"", words.replace('"', "\"\"")) } else { words }
}

fn check_header(columns: &[String], required: &[&str], optional: &[&str]) -> Result<(), Flaws> {
    let mut flaws = Flaws::default();
    for name in required.iter().filter(|name| !columns.iter().any(|column| column == *name)) {
        let words = text!("Kolonnen {name} mangler i første linje", "The column {name} is missing from the first line");
        flaws.add(&format!("/{name}"), "missing_column", words);
    }
    for (index, column) in columns.iter().enumerate() {
        if columns.iter().take(index).any(|before| before == column) {
            flaws.add(
                &format!("/{column}"),
                "column_twice",
                text!("Kolonnen står to gange", "The column is there twice"),
            );
        } else if !required.iter().chain(optional).any(|known| known == column) {
            let known = [required, optional].concat().join(", ");
            let words = text!("Kolonnen kendes ikke; kendte er {known}", "The column is unknown; known are {known}");
            flaws.add(&format!("/{column}"), "unknown_column", words);
        }
    }
    if flaws.0.is_empty() { Ok(()) } else { Err(flaws) }
}

fn flaw(code: &'static str, text: Text) -> Flaw {
    Flaw { pointer: String::new(), code, text }
}

/// The records of a text, blank ones left out. A quoted field may hold separators, line breaks and doubled quotes.
fn split(text: &str, separator: char) -> Vec<(u64, Result<Vec<String>, Flaw>)> {
    let mut records = Vec::new();
    let (mut fields, mut field) = (Vec::new(), String::new());
    let (mut line, mut began, mut quoted, mut was_quoted) = (1, 1, false, false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if field.is_empty() && !was_quoted => (quoted, was_quoted) = (true, true),
            '\r' if !quoted && letters.peek() == Some(&'\n') => {}
            '\n' => {
                line += 1;
                if quoted {
                    field.push('\n');
                    continue;
                }
                fields.push(std::mem::take(&mut field));
                was_quoted = false;
                let record: Vec<String> = std::mem::take(&mut fields);
                if record.iter().any(|field| !field.trim().is_empty()) {
                    records.push((began, Ok(record)));
                }
                began = line;
            }
            letter if letter == separator && !quoted => {
                fields.push(std::mem::take(&mut field));
                was_quoted = false;
            }
            letter => field.push(letter),
        }
    }
    if quoted {
        let words = text!("Et citationstegn bliver aldrig lukket", "A quotation mark is never closed");
        records.push((began, Err(flaw("unclosed_quote", words))));
    } else if !field.is_empty() || !fields.is_empty() {
        fields.push(field);
        if fields.iter().any(|field| !field.trim().is_empty()) {
            records.push((began, Ok(fields)));
        }
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(u64, Result<Vec<(String, String)>, &'static str>)> {
        let rows = read(text, &["name"], &["note"]).unwrap();
        rows.into_iter().map(|(line, row)| (line, row.map_err(|flaw| flaw.code))).collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn quotes_semicolons_and_line_breaks_are_read_as_spreadsheets_write_them() {
        let text = "\u{feff}Name;note\r\n\"Ærø; \"\"by\"\"\";\"a\nb\"\r\n\r\nOdense;\r\n";
        assert_eq!(
            rows(text),
            [(2, Ok(vec![pair("name", "Ærø; \"by\""), pair("note", "a\nb")])), (5, Ok(vec![pair("name", "Odense")]))]
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        assert_eq!(rows("name,note\na,b,c\nd,\"e\n"), [(2, Err("wrong_number_of_fields")), (3, Err("unclosed_quote"))]);
        let header = |text: &str| {
            let flaws = read(text, &["name"], &["note"]).unwrap_err().0;
            flaws.into_iter().map(|flaw| (flaw.pointer, flaw.code)).collect::<Vec<_>>()
        };
        assert_eq!(header(""), [("/name".to_owned(), "missing_column")]);
        assert_eq!(
            header("name,x,name\n"),
            [("/x".to_owned(), "unknown_column"), ("/name".to_owned(), "column_twice")]
        );
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_as_a_field_is_read_as_it_was(name in "[a-zæ\",;\r\n ]{0,30}", note in "[a-z\"\n, ]{0,30}") {
            let text = format!("name,note\r\n{},{}\r\n", field(&name), field(&note));
            let told: Vec<_> = [("name", &name), ("note", &note)]
                .into_iter().filter(|(_, value)| !value.trim().is_empty()).map(|(column, value)| pair(column, value)).collect();
            let read: Vec<_> = rows(&text).into_iter().map(|(_, row)| row).collect();
            proptest::prop_assert_eq!(read, if told.is_empty() { vec![] } else { vec![Ok(told)] });
        }

        #[test]
        fn no_text_breaks_the_reader_and_no_row_is_more_than_the_text(text in ".{0,200}", signs in "[a\",;\n\r]{0,80}") {
            for text in [text, format!("name,note\n{signs}"), format!("name;note\n{signs}")] {
                let Ok(rows) = read(&text, &["name"], &["note"]) else { continue };
                let size: usize = rows.iter().filter_map(|(_, row)| row.as_ref().ok()).flatten().map(|(_, value)| value.len()).sum();
                proptest::prop_assert!(size <= text.len());
            }
        }

        #[test]
        fn no_field_is_a_formula(words in ".{0,30}", sign in "[=+@\t-]") {
            let field = field(&format!("{sign}{words}"));
            proptest::prop_assert!(field.trim_start_matches('"').starts_with('\''), "{}", field);
        }
    }
}

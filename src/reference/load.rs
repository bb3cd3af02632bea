//! Loading a list from a file of comma-separated values; all of it or nothing.

use super::store::{Code, replace_cpv, replace_nuts};
use crate::db::Tx;
use crate::kernel::{Cpv, Flaws, Nuts, csv, text};
use crate::web::Problem;

/// Replaces the list of CPV codes by that of a file; returns how many there are.
///
/// # Errors
/// 422 for a missing or unknown column, and for each code that is none or stands there twice.
pub fn load_cpv(tx: &mut Tx<'_>, file: &str) -> Result<usize, Problem> {
    let codes = codes(file, &["check_digit", "parent"], |code| Cpv::parse(code).map(|code| code.to_string()))?;
    replace_cpv(tx, &codes)?;
    Ok(codes.len())
}

/// Replaces the list of NUTS codes by that of a file; returns how many there are.
///
/// # Errors
/// As [`load_cpv`].
pub fn load_nuts(tx: &mut Tx<'_>, file: &str) -> Result<usize, Problem> {
    let others = ["country", "level", "parent", "validity"];
    let codes = codes(file, &others, |code| Nuts::parse(code).map(|code| code.to_string()))?;
    replace_nuts(tx, &codes)?;
    Ok(codes.len())
}

fn codes(file: &str, others: &[&str], parse: impl Fn(&str) -> Option<String>) -> Result<Vec<Code>, Problem> {
    let rows = csv::read(file, &["code", "label_da", "label_en"], others)?;
    let (mut codes, mut seen, mut flaws) = (Vec::new(), std::collections::HashSet::new(), Flaws::default());
    for (line, row) in rows {
        let row = match row {
            Ok(row) => row,
            Err(flaw) => {
                flaws.add(&format!("/{line}"), flaw.code, flaw.text);
                continue;
            }
        };
        let field = |wanted: &str| {
            let found = row.iter().find(|(column, _)| column == wanted);
            found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        match parse(&field("code")) {
            Some(code) if seen.insert(code.clone()) => {
                codes.push(Code { code, label_da: field("label_da"), label_en: field("label_en") });
            }
            Some(_) => {
                flaws.add(&format!("/{line}/code"), "twice", text!("Koden står to gange", "The code is there twice"))
            }
            None => {
                flaws.add(&format!("/{line}/code"), "not_a_code", text!("Det er ikke en kode", "This is not a code"))
            }
        }
    }
    if flaws.0.is_empty() { Ok(codes) } else { Err(flaws.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn no_list_of_codes_breaks_the_reader_and_none_holds_a_code_twice(text in ".{0,100}", cells in "[0-9a-zA-Z,;\"\n -]{0,100}") {
            for text in [text, format!("code,label_da,label_en\n{cells}")] {
                let read = codes(&text, &[], |code| Cpv::parse(code).map(|cpv| cpv.to_string()));
                let codes = read.map_or(Vec::new(), |codes| codes.into_iter().map(|code| code.code).collect());
                let once: std::collections::HashSet<_> = codes.iter().collect();
                proptest::prop_assert_eq!(once.len(), codes.len());
            }
        }
    }
}

//! The lists in the database.

use std::collections::{HashMap, HashSet};

use diesel::dsl::exists;
use diesel::prelude::*;

use crate::db::schema::{cpv_code, nuts_code};
use crate::db::{AnyConnection, DbError, Tx};
use crate::kernel::Text;

/// One code with its name in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    pub code: String,
    pub label_da: String,
    pub label_en: String,
}

/// The codes that the loaded list does not have; none while no list is loaded.
///
/// # Errors
/// [`DbError`].
pub fn unknown_cpv(connection: &mut AnyConnection, codes: &[String]) -> Result<HashSet<String>, DbError> {
    if codes.is_empty()
        || !diesel::select(exists(cpv_code::table.select(cpv_code::code))).get_result::<bool>(connection)?
    {
        return Ok(HashSet::new());
    }
    let known: Vec<String> =
        cpv_code::table.filter(cpv_code::code.eq_any(codes)).select(cpv_code::code).load(connection)?;
    Ok(codes.iter().filter(|code| !known.contains(code)).cloned().collect())
}

/// The codes that the loaded list does not have although it holds their country.
///
/// # Errors
/// [`DbError`].
pub fn unknown_nuts(connection: &mut AnyConnection, codes: &[String]) -> Result<HashSet<String>, DbError> {
    if codes.is_empty() {
        return Ok(HashSet::new());
    }
    let country = |code: &String| code.get(..2).unwrap_or_default().to_owned();
    let countries: HashSet<String> = codes.iter().map(country).collect();
    let mut rows: Vec<(String, String)> = Vec::new();
    for country in countries {
        let of_it = nuts_code::table.filter(nuts_code::country.eq(country));
        rows.extend(of_it.select((nuts_code::code, nuts_code::country)).load::<(String, String)>(connection)?);
    }
    let (known, held): (HashSet<String>, HashSet<String>) = rows.into_iter().unzip();
    Ok(codes.iter().filter(|code| held.contains(&country(code)) && !known.contains(*code)).cloned().collect())
}

/// The names of these NUTS codes, as far as the loaded list has them.
///
/// # Errors
/// [`DbError`].
pub fn nuts_names(connection: &mut AnyConnection, codes: &[String]) -> Result<HashMap<String, Text>, DbError> {
    use nuts_code as n;
    let rows: Vec<(String, String, String)> =
        n::table.filter(n::code.eq_any(codes)).select((n::code, n::label_da, n::label_en)).load(connection)?;
    Ok(rows.into_iter().map(|(code, da, en)| (code, Text { da, en })).collect())
}

/// These CPV codes and places with their names, as far as the loaded lists have them.
///
/// # Errors
/// [`DbError`].
pub fn named(connection: &mut AnyConnection, cpv: &[String], nuts: &[String]) -> Result<Vec<Code>, DbError> {
    use {cpv_code as c, nuts_code as n};
    let codes = c::table.filter(c::code.eq_any(cpv)).select((c::code, c::label_da, c::label_en));
    let mut rows: Vec<(String, String, String)> = codes.load(connection)?;
    let places = n::table.filter(n::code.eq_any(nuts)).select((n::code, n::label_da, n::label_en));
    rows.extend(places.load::<(String, String, String)>(connection)?);
    Ok(rows.into_iter().map(|(code, label_da, label_en)| Code { code, label_da, label_en }).collect())
}

/// Replaces the list of CPV codes.
///
/// # Errors
/// [`DbError`].
pub fn replace_cpv(tx: &mut Tx<'_>, codes: &[Code]) -> Result<(), DbError> {
    use cpv_code as c;
    diesel::delete(c::table).execute(tx.connection)?;
    for Code { code, label_da, label_en } in codes {
        let row = (c::code.eq(code), c::label_da.eq(label_da), c::label_en.eq(label_en));
        diesel::insert_into(c::table).values(row).execute(tx.connection)?;
    }
    Ok(())
}

/// Replaces the list of NUTS codes.
///
/// # Errors
/// [`DbError`].
pub fn replace_nuts(tx: &mut Tx<'_>, codes: &[Code]) -> Result<(), DbError> {
    use nuts_code as n;
    diesel::delete(n::table).execute(tx.connection)?;
    for Code { code, label_da, label_en } in codes {
        let country = code.get(..2).unwrap_or_default();
        let row = (n::code.eq(code), n::country.eq(country), n::label_da.eq(label_da), n::label_en.eq(label_en));
        diesel::insert_into(n::table).values(row).execute(tx.connection)?;
    }
    Ok(())
}

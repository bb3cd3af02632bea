//! The thresholds in the database.

use diesel::prelude::*;

use super::model::{Authority, Nature};
use super::threshold::{Threshold, ThresholdAuthority, ThresholdCategory};
use crate::db::schema::threshold;
use crate::db::{AnyConnection, DbError, Lift, Tx};

type Row = (i32, i32, String, String, Option<i64>, Option<i64>, String);

/// The threshold of such a purchase that begins in this year, if the list has one.
///
/// # Errors
/// [`DbError`].
pub fn find(
    connection: &mut AnyConnection,
    year: i32,
    authority: Authority,
    nature: Nature,
) -> Result<Option<Threshold>, DbError> {
    use threshold as t;
    let rows: Vec<Row> = t::table
        .filter(t::first_year.le(year).and(t::last_year.ge(year)))
        .select((t::first_year, t::last_year, t::authority, t::category, t::eur, t::dkk, t::basis))
        .load(connection)?;
    let known = rows.into_iter().map(lift).collect::<Result<Vec<_>, _>>()?;
    Ok(known.into_iter().find(|one| one.is_for(year, authority, nature)))
}

fn lift((first_year, last_year, authority, category, eur, dkk, basis): Row) -> Result<Threshold, DbError> {
    let row = Lift::new("threshold", &first_year);
    Ok(Threshold {
        first_year,
        last_year,
        authority: row.some("authority", ThresholdAuthority::from_word(&authority))?,
        category: row.some("category", ThresholdCategory::from_word(&category))?,
        eur,
        dkk,
        basis,
    })
}

/// Replaces the list.
///
/// # Errors
/// [`DbError`].
pub fn replace(tx: &mut Tx<'_>, thresholds: &[Threshold]) -> Result<(), DbError> {
    use threshold as t;
    diesel::delete(t::table).execute(tx.connection)?;
    for one in thresholds {
        let row = (
            t::first_year.eq(one.first_year),
            t::last_year.eq(one.last_year),
            t::authority.eq(one.authority.word()),
            t::category.eq(one.category.word()),
            t::eur.eq(one.eur),
            t::dkk.eq(one.dkk),
            t::basis.eq(&one.basis),
        );
        diesel::insert_into(t::table).values(row).execute(tx.connection)?;
    }
    Ok(())
}

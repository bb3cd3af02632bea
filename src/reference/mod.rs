//! The official lists of codes: what is bought (CPV) and where (NUTS).
//!
//! A list is loaded by command and replaced whole. While it is not loaded, codes are checked by their form; once it
//! is, a code that the list does not have is refused where it stands. A list of places speaks for the countries it
//! holds and for no other.

mod load;
pub mod store;

pub use load::{load_cpv, load_nuts};

use crate::db::{AnyConnection, DbError};
use crate::kernel::{Flaws, text};

/// Records each CPV code that the loaded list does not have.
///
/// # Errors
/// [`DbError`].
pub fn check_cpv(
    connection: &mut AnyConnection,
    pointer: &str,
    codes: &[String],
    flaws: &mut Flaws,
) -> Result<(), DbError> {
    let unknown = store::unknown_cpv(connection, codes)?;
    for (index, _) in codes.iter().enumerate().filter(|(_, code)| unknown.contains(*code)) {
        let words = text!("Koden står ikke i CPV-listen", "The code is not in the CPV list");
        flaws.add(&format!("{pointer}/{index}"), "unknown_cpv_code", words);
    }
    Ok(())
}

/// Records each NUTS code that the loaded list does not have, of the countries it holds.
///
/// # Errors
/// [`DbError`].
pub fn check_nuts(
    connection: &mut AnyConnection,
    pointer: impl Fn(usize) -> String,
    codes: &[String],
    flaws: &mut Flaws,
) -> Result<(), DbError> {
    let unknown = store::unknown_nuts(connection, codes)?;
    for (index, _) in codes.iter().enumerate().filter(|(_, code)| unknown.contains(*code)) {
        let words = text!("Koden står ikke i NUTS-listen", "The code is not in the NUTS list");
        flaws.add(&pointer(index), "unknown_nuts_code", words);
    }
    Ok(())
}

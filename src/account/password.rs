//! Passwords: argon2id (RFC 9106) with the parameters that OWASP recommends (19 MiB, 2 passes, 1 lane).

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error, PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

use crate::kernel::{Flaws, fold, text};
use crate::web::Problem;

/// The shortest password that is taken (NIST SP 800-63B asks for 8, we for more).
const SHORTEST: usize = 12;
/// The longest, so that hashing stays bounded.
const LONGEST: usize = 200;

/// Hashing takes memory and time: a few at once are enough, and the rest wait in line.
static AT_ONCE: Semaphore = Semaphore::const_new(4);

/// What unknown addresses are checked against, so that they take as long as known ones.
static NOBODY: LazyLock<Result<String, Error>> = LazyLock::new(|| made_of(NOBODYS));

/// The password behind it, which opens nothing either.
const NOBODYS: &str = "nobody has this password";

/// What people try first: the words at the head of every list of leaked passwords, walks over the keyboard, and their
/// Danish kin. A longer password that is made of them alone is as bad as they are.
const COMMON: &str = "\
    password passord passwort kodeord adgangskode løsenord kode secret hemmelig hemmeligt login master root user test \
    admin administrator welcome velkommen letmein trustno changeme default guest gæst demo start \
    qwertyuiop qwerty azerty qwertz asdfghjkl asdfgh asdf zxcvbnm zxcvbn zxcv qwe asd zxc qaz wsx edc rfv tgb yhn ujm \
    abcdefghijklmnopqrstuvwxyz abcdefgh abcdef abcd abc xyz aaa \
    iloveyou jegelskerdig elsker love you princess sunshine shadow superman batman pokemon starwars monkey dragon \
    football fodbold baseball soccer hockey ninja michael charlie jordan hunter killer cookie summer winter spring \
    autumn sommer vinter efterår forår januar februar marts april maj juni juli august september oktober november \
    december mandag tirsdag onsdag torsdag fredag lørdag søndag monday friday sunday \
    danmark denmark danish københavn aarhus odense aalborg esbjerg brøndby kommune kommunen region regionen styrelsen \
    jylland sjælland fyn hund kat mus sol hej skat smukke computer internet google facebook microsoft windows apple \
    skala copi correct horse battery staple";

/// Records what is wrong with a password that somebody wants. Long enough and not easy to guess is all that is asked
/// (NIST SP 800-63B: no rules of composition); `about` holds words that belong to the person, such as their name.
pub(super) fn check(pointer: &str, password: &str, about: &[&str], flaws: &mut Flaws) {
    let length = password.chars().count();
    if length < SHORTEST {
        flaws.add(
            pointer,
            "too_short",
            text!(
                "Mindst {SHORTEST} tegn; en kort sætning er let at huske",
                "At least {SHORTEST} characters; a short sentence is easy to remember"
            ),
        );
    } else if length > LONGEST {
        flaws.add(pointer, "too_long", text!("Højst {LONGEST} tegn", "At most {LONGEST} characters"));
    } else if is_common(password, about) {
        flaws.add(
            pointer,
            "too_common",
            text!("Det kodeord er let at gætte; vælg et andet", "That password is easy to guess; choose another"),
        );
    }
}

/// Few different characters, a run of neighbours, or nothing but well-known and personal words, digits and signs:
/// also where digits and signs stand in for letters.
fn is_common(password: &str, about: &[&str]) -> bool {
    let folded = fold(password);
    let mut different: Vec<char> = folded.chars().collect();
    different.sort_unstable();
    different.dedup();
    let run = folded.chars().zip(folded.chars().skip(1)).all(|(a, b)| u32::from(a).abs_diff(u32::from(b)) <= 1);
    let disguised: String = folded.chars().map(undisguised).collect();
    different.len() < 5 || run || [folded, disguised].iter().any(|password| letters_left(password, about) < 4)
}

/// The letter that a digit or sign often stands in for.
fn undisguised(letter: char) -> char {
    match letter {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

/// How many letters remain when the well-known words are taken out, longest first.
fn letters_left(password: &str, about: &[&str]) -> usize {
    let personal = about.iter().flat_map(|words| words.split(|c: char| !c.is_alphanumeric())).map(fold);
    let mut words: Vec<String> =
        COMMON.split_whitespace().map(fold).chain(personal.filter(|word| word.chars().count() > 2)).collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    let letters: String = password.chars().filter(|c| c.is_alphabetic()).collect();
    words.iter().fold(letters, |rest, word| rest.replace(word.as_str(), " ")).matches(char::is_alphabetic).count()
}

fn made_of(password: &str) -> Result<String, Error> {
    Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string())
}

/// The hash to keep.
///
/// # Errors
/// 500 when the operating system gives no randomness.
pub(super) async fn hash(password: String) -> Result<String, Problem> {
    beside(move || made_of(&password)).await?.map_err(|error| Problem::internal(&error))
}

/// Whether the password is the one of this hash; takes as long when there is none.
///
/// # Errors
/// 500 when the check could not be run.
pub(super) async fn is_right(password: String, hash: Option<String>) -> Result<bool, Problem> {
    beside(move || {
        let nobodys = NOBODY.as_ref().map_err(|error| Problem::internal(error))?;
        let right = PasswordHash::new(hash.as_ref().unwrap_or(nobodys))
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        Ok(hash.is_some() && right)
    })
    .await?
}

async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    let _turn = AT_ONCE.acquire().await.map_err(|error| Problem::internal(&error))?;
    tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(password: &str, about: &[&str]) -> bool {
        let mut flaws = Flaws::default();
        check("/password", password, about, &mut flaws);
        !flaws.0.is_empty()
    }

    #[test]
    fn short_common_and_monotonous_passwords_are_refused() {
        for bad in [
            "kort",
            "aaaaaaaaaaaa",
            "123456789012",
            "abcdefghijkl",
            "Password2026!",
            "P4$$w0rd-2026",
            "KommuneSommer26",
            "kodeord-kodeord",
            "1qaz2wsx3edc",
            "q1w2e3r4t5y6",
            "qwertyuiop123",
            "iloveyou1234",
            "Velkommen2027!",
            "correcthorsebatterystaple",
            "Region-Sjælland-2027",
        ] {
            assert!(refused(bad, &[]), "{bad}");
        }
        for good in ["en gul cykel i regnvejr", "Tre høns & 7 æg", "v9#Lq2!xTz0p", "kommunens gule bus kl. 7"] {
            assert!(!refused(good, &[]), "{good}");
        }
    }

    #[actix_web::test]
    async fn nobodys_password_is_checked_at_the_cost_of_anybodys_and_opens_nothing() {
        let (nobodys, anybodys) = (NOBODY.clone().unwrap(), hash("en gul cykel i regnvejr".into()).await.unwrap());
        let parts = |hash: &str| {
            let hash = PasswordHash::new(hash).unwrap();
            let lengths = (hash.salt.unwrap().len(), hash.hash.unwrap().len());
            (hash.algorithm.to_string(), hash.version, hash.params.to_string(), lengths)
        };
        assert_eq!(parts(&nobodys), parts(&anybodys));
        // It is checked to the end: against the right password it would be right.
        assert!(is_right(NOBODYS.into(), Some(nobodys)).await.unwrap());
        assert!(!is_right(NOBODYS.into(), None).await.unwrap());
        assert!(is_right("en gul cykel i regnvejr".into(), Some(anybodys)).await.unwrap());
    }

    #[test]
    fn ones_own_name_and_address_are_no_password() {
        let about = ["Mette Holm", "mette.holm@odense.example"];
        assert!(refused("MetteHolm1987", &about) && !refused("MetteHolm1987", &[]));
        assert!(refused("m3tt3.holm@odense", &about));
        assert!(!refused("Mette køber to æg", &about));
    }
}

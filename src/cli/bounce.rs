//! `skala bounce`: takes in what comes back, as a mail server's pipe hands it over, and answers with the exit codes that
//! mail servers understand (sysexits).

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

use super::{CliError, open};
use crate::config::Settings;
use crate::dispatch::bounce::{TakenIn, take_in};
use crate::mail::{Report, letter_of};

/// It is no report: the mail server tells its sender.
const EX_DATAERR: u8 = 65;
/// It is to be tried again: the database is away, or the settings are to be put right.
const EX_TEMPFAIL: u8 = 75;
/// More is not read of one mail, in bytes; a report with what it returns is smaller.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Reads one mail from standard input and takes it in.
pub(super) async fn run(recipient: Option<String>) -> ExitCode {
    match taken_in(recipient).await {
        Ok(Some(words)) => {
            writeln!(std::io::stdout(), "{words}").ok();
            ExitCode::SUCCESS
        }
        Ok(None) => {
            writeln!(std::io::stderr(), "skala: this is no report on a letter").ok();
            ExitCode::from(EX_DATAERR)
        }
        Err(error) => {
            writeln!(std::io::stderr(), "skala: {error}").ok();
            ExitCode::from(EX_TEMPFAIL)
        }
    }
}

async fn taken_in(recipient: Option<String>) -> Result<Option<String>, CliError> {
    let mut mail = Vec::new();
    std::io::stdin().take(LARGEST).read_to_end(&mut mail).map_err(CliError::from)?;
    let Some(mut report) = Report::read(&mail) else { return Ok(None) };
    if let (Report::Bounce { letters, .. } | Report::Complaint { letters, .. }, Some(recipient)) =
        (&mut report, recipient)
    {
        letters.extend(letter_of(&recipient));
    }
    let settings = Settings::read(|name| std::env::var(name).ok()).map_err(CliError::from)?;
    let node = open(settings).await?;
    let (inside, now) = (node.clone(), node.now());
    let taken = node.db.write(move |tx| take_in(tx, &inside.seal, &report, now)).await?;
    Ok(Some(in_words(taken)))
}

fn in_words(taken: TakenIn) -> String {
    match taken {
        TakenIn::Suppressed => "the address gets no more".to_owned(),
        TakenIn::Counted => "counted".to_owned(),
        TakenIn::Unsubscribed(count) => format!("{count} subscriptions ended"),
        TakenIn::Nothing => "nothing to do".to_owned(),
        TakenIn::Unknown => "it speaks of no letter that is known".to_owned(),
    }
}

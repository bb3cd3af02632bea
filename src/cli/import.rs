//! `skala import …`: what others have on file, by the same rules as over HTTP.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use actix_web::web::Data;
use clap::{Args, Subcommand};

use super::CliError;
use crate::access::Admin;
use crate::archive::{Archive, ArchiveError};
use crate::challenge::import::{Import, Importer};
use crate::db::DbError;
use crate::kernel::Language;
use crate::organisation::{self, import::Format};
use crate::reference::{load_cpv, load_nuts};
use crate::route;
use crate::subscription::{self, import::Taken};
use crate::web::lines::{Batches, LineResult, LineStatus, Lines};
use crate::web::{Node, Problem};

#[derive(Subcommand)]
pub(super) enum ImportCommand {
    /// Organisations: CSV with a header, or NDJSON when the name ends in .ndjson or .jsonl
    Organisations {
        #[command(flatten)]
        file: FileArgs,
    },
    /// Challenges: NDJSON, a challenge a line
    Challenges {
        #[command(flatten)]
        file: FileArgs,
        /// Whose they are, where a line does not say so itself: an organisation's name
        #[arg(long)]
        organisation: Option<String>,
        /// Hand each in at once
        #[arg(long)]
        submit: bool,
    },
    /// Subscribers with the consent on record: CSV with the columns
    /// email,language,frequency,cpv,nuts,themes,consent_text,consent_at,consent_source
    Subscriptions { file: PathBuf },
    /// The list of CPV codes, which replaces the one before: CSV with code, label_da, label_en
    Cpv { file: PathBuf },
    /// The list of NUTS codes, which replaces the one before: CSV with code, label_da, label_en
    Nuts { file: PathBuf },
    /// A folder that `skala export` wrote, into an empty database
    Export { directory: PathBuf },
    /// The EU's thresholds, which replace those before: CSV with period, authority, category, eur, dkk_ex_vat, basis
    Thresholds { file: PathBuf },
}

#[derive(Args)]
pub(super) struct FileArgs {
    file: PathBuf,
    /// Look only, and store nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(node: Data<Node>, command: ImportCommand) -> Result<(), CliError> {
    match command {
        ImportCommand::Organisations { file } => organisations(&node, file).await,
        ImportCommand::Challenges { file, organisation, submit } => challenges(&node, file, organisation, submit).await,
        ImportCommand::Subscriptions { file } => subscriptions(&node, &file).await,
        ImportCommand::Cpv { file } => {
            let text = read_text(&file)?;
            let count = node.db.write(move |tx| load_cpv(tx, &text)).await?;
            told(&format!("{count} CPV codes are known"))
        }
        ImportCommand::Nuts { file } => {
            let text = read_text(&file)?;
            let count = node.db.write(move |tx| load_nuts(tx, &text)).await?;
            told(&format!("{count} NUTS codes are known"))
        }
        ImportCommand::Export { directory } => {
            let archive = Archive::read(&directory).map_err(CliError::from)?;
            let (now, by) = (node.now(), Admin::at_the_command_line().actor());
            let stored = node.db.write(move |tx| archive.store(tx, now, &by)).await;
            let stored = stored.map_err(|error: ArchiveError| CliError::from(error))?;
            stored.iter().try_for_each(|sheet| told(&format!("{:<20} {:>8} rows", sheet.name, sheet.rows)))
        }
        ImportCommand::Thresholds { file } => {
            let text = read_text(&file)?;
            let count = node.db.write(move |tx| route::load(tx, &text)).await?;
            told(&format!("{count} thresholds are known"))
        }
    }
}

fn told(line: &str) -> Result<(), CliError> {
    writeln!(std::io::stdout(), "{line}").map_err(CliError::from)
}

fn about(path: &Path, error: &std::io::Error) -> CliError {
    CliError(format!("{}: {error}", path.display()))
}

fn read_text(path: &Path) -> Result<String, CliError> {
    let bytes = std::fs::read(path).map_err(|error| about(path, &error))?;
    String::from_utf8(bytes).map_err(|_| CliError(format!("{}: not UTF-8; save the file as UTF-8", path.display())))
}

async fn organisations(node: &Node, FileArgs { file, dry_run }: FileArgs) -> Result<(), CliError> {
    let bytes = std::fs::read(&file).map_err(|error| about(&file, &error))?;
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let format = if matches!(ending, "ndjson" | "jsonl") { Format::Ndjson } else { Format::Csv };
    let import = organisation::import::Import::read(format, &bytes)?;
    let (now, by) = (node.now(), Admin::at_the_command_line().actor());
    let results = if dry_run {
        node.db.read(move |connection| import.look(connection, Language::En)).await?
    } else {
        node.db.write(move |tx| import.store(tx, now, &by, Language::En)).await?
    };
    let mut sum = Sum::default();
    sum.add(&results)?;
    sum.finish()
}

async fn challenges(
    node: &Node,
    FileArgs { file, dry_run }: FileArgs,
    organisation: Option<String>,
    submit: bool,
) -> Result<(), CliError> {
    let owner = match organisation {
        None => None,
        Some(wanted) => {
            let name = wanted.clone();
            let found = node.db.read(move |connection| organisation::store::find_by_name(connection, &name)).await;
            let found = found.map_err(|error: DbError| CliError::from(error))?;
            Some(found.ok_or_else(|| CliError(format!("no organisation is called {wanted}")))?.id)
        }
    };
    let import = Import {
        db: node.db.clone(),
        now: node.now(),
        language: Language::En,
        importer: Importer::Operator(owner),
        dry_run,
        submit,
    };
    let mut reader = File::open(&file).map_err(|error| about(&file, &error))?;
    let (mut lines, mut batches, mut sum) = (Lines::default(), Batches::default(), Sum::default());
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = reader.read(&mut buffer).map_err(|error| about(&file, &error))?;
        batches.add(lines.feed(buffer.get(..count).unwrap_or_default()));
        if count == 0 {
            break;
        }
        while let Some(batch) = batches.next(false) {
            sum.add(&import.clone().batch(batch).await)?;
        }
    }
    batches.add(lines.end(true));
    while let Some(batch) = batches.next(true) {
        sum.add(&import.clone().batch(batch).await)?;
    }
    sum.finish()
}

/// How many lines one transaction takes over.
const LINES_AT_ONCE: usize = 500;

async fn subscriptions(node: &Node, file: &Path) -> Result<(), CliError> {
    let (shown, text) = (file.display(), read_text(file)?);
    let mut lines = subscription::import::read(&text).map_err(Problem::from)?.into_iter().peekable();
    let (mut added, mut known, mut left, mut unfit) = (0, 0, 0, 0);
    while lines.peek().is_some() {
        let mut wishes = Vec::new();
        for line in lines.by_ref().take(LINES_AT_ONCE) {
            match line.wish {
                Ok(wish) => wishes.push(wish),
                Err(flaw) => {
                    unfit += 1;
                    writeln!(std::io::stderr(), "{shown}:{}: {flaw}", line.number).map_err(CliError::from)?;
                }
            }
        }
        let now = node.now();
        let taken = node.db.write(move |tx| {
            wishes
                .into_iter()
                .map(|wish| subscription::import::take(tx, now, wish))
                .collect::<Result<Vec<_>, Problem>>()
        });
        for one in taken.await? {
            match one {
                Taken::Added => added += 1,
                Taken::Known => known += 1,
                Taken::Left => left += 1,
            }
        }
    }
    told(&format!("{added} added, {known} already there, {left} had left and stay so, {unfit} unfit"))?;
    if unfit == 0 { Ok(()) } else { Err(CliError(format!("{unfit} lines were not taken; each says why"))) }
}

/// How many lines went well.
#[derive(Default)]
struct Sum {
    good: usize,
    bad: usize,
}

impl Sum {
    fn add(&mut self, results: &[LineResult]) -> Result<(), CliError> {
        let mut out = std::io::stdout().lock();
        for result in results {
            if result.status == LineStatus::Error {
                self.bad += 1
            } else {
                self.good += 1
            }
            out.write_all(result.written().as_bytes()).map_err(CliError::from)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<(), CliError> {
        let Self { good, bad } = self;
        if bad == 0 {
            writeln!(std::io::stderr(), "{good} lines, all well").map_err(CliError::from)
        } else {
            Err(CliError(format!("{bad} of {} lines were refused; each says why", good + bad)))
        }
    }
}

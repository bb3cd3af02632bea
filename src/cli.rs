//! What `skala …` does on the command line.

mod bounce;
mod import;
mod keep;

use std::io::{IsTerminal, Read};
use std::net::TcpListener;
use std::process::ExitCode;
use std::time::Duration;

use actix_web::web::Data;
use clap::{Parser, Subcommand};
use tokio::sync::watch;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

use self::import::ImportCommand;
use crate::access::{Admin, Role};
use crate::account::{Invitation, add_with_password, invite};
use crate::config::Settings;
use crate::db::{Db, DbError};
use crate::dispatch::ledger;
use crate::kernel::{Clock, Email, Language};
use crate::matching::lexicon::{Lexicon, house};
use crate::web::{Node, Problem};
use crate::{app, demo, dispatch, organisation, secret};

/// Matchmaking for Denmark's scaling processes.
#[derive(Parser)]
#[command(name = "skala", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API, and send what is due unless SKALA_WORKER=off
    Serve,
    /// Serve a world to try: its own folder, its own sign-ins
    Demo {
        /// Begin anew
        #[arg(long)]
        fresh: bool,
    },
    /// Send what is due, and nothing else: deliveries on a node of their own
    Worker,
    /// Bring the database's tables up to date
    Migrate,
    /// Copy the database to a new file while it is in use (SQLite)
    Backup { file: std::path::PathBuf },
    /// Write everything public into a new folder, as NDJSON and CSV with a description
    Export { directory: std::path::PathBuf },
    /// Move everything from SQLite to an empty PostgreSQL database: postgres://USER@HOST/NAME
    MigrateTo { url: String },
    /// Look after users
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Bring in what others have on file; a result a line on standard output
    Import {
        #[command(subcommand)]
        command: ImportCommand,
    },
    /// Look after the lexicon that the matching reads with
    Lexicon {
        #[command(subcommand)]
        command: LexiconCommand,
    },
    /// Look after the ledger of who was told what
    Ledger {
        #[command(subcommand)]
        command: LedgerCommand,
    },
    /// Take in a mail that came back (standard input): a delivery status notification, or a complaint
    Bounce {
        /// The address that it came to, as the mail server knows it
        #[arg(long)]
        recipient: Option<String>,
    },
    /// Print the OpenAPI document
    Openapi,
    /// Measure the service against labelled data
    Evaluate {
        #[command(subcommand)]
        command: EvaluateCommand,
    },
}

#[derive(Subcommand)]
enum EvaluateCommand {
    /// Quality of the matching on DIR's challenges.jsonl, topics.json, suppliers.jsonl, hard_negatives.json
    Matching {
        directory: std::path::PathBuf,
        /// Measure speed instead, on this many challenges made by recombining the set's sentences; may be repeated
        #[arg(long)]
        speed: Vec<usize>,
        /// A PostgreSQL to compare with: its full text and pg_trgm, on tables of this session alone
        #[arg(long)]
        postgres: Option<String>,
    },
}

#[derive(Subcommand)]
enum LexiconCommand {
    /// Read FILE, or a folder's `.txt` files, as SKALA_LEXICON would; says what it adds or what is wrong in which line
    Check { file: std::path::PathBuf },
}

#[derive(Subcommand)]
enum LedgerCommand {
    /// Prove that nothing in it was changed, put in or taken out
    Verify {
        /// A head that was kept (NUMBER:HASH, as a report or /api/v1/ledger/head says it): proves its end as well
        #[arg(long)]
        head: Option<ledger::Head>,
    },
}

#[derive(Subcommand)]
enum UserCommand {
    /// Add a user: with an invitation by mail, or with a password from standard input
    Add {
        #[arg(long)]
        email: String,
        /// member, org_admin, facilitator or admin
        #[arg(long)]
        role: String,
        #[arg(long, default_value = "")]
        name: String,
        /// The name of an organisation that exists
        #[arg(long)]
        organisation: Option<String>,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
}

/// Why a command was not carried out, in words for the terminal.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CliError(String);

impl CliError {
    fn from(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl From<Problem> for CliError {
    fn from(problem: Problem) -> Self {
        let detail = problem.detail.to(Language::En).to_owned();
        let flaws = problem.errors.iter().map(|flaw| format!("\n  {}: {}", flaw.pointer, flaw.text.to(Language::En)));
        let cause = problem.cause.map(|cause| format!(" ({cause})")).unwrap_or_default();
        Self(flaws.fold(detail + &cause, |all, flaw| all + &flaw))
    }
}

/// Carries out a command.
///
/// # Errors
/// What went wrong, in words for the terminal.
pub async fn run(cli: Cli) -> Result<ExitCode, CliError> {
    if let Command::Bounce { recipient } = cli.command {
        return Ok(bounce::run(recipient).await);
    }
    carry_out(cli).await.map(|()| ExitCode::SUCCESS)
}

async fn carry_out(cli: Cli) -> Result<(), CliError> {
    if matches!(cli.command, Command::Openapi) {
        print!("{}", app::committed_spec());
        return Ok(());
    }
    if let Command::Lexicon { command: LexiconCommand::Check { file } } = cli.command {
        return check_lexicon(&file);
    }
    let settings = Settings::read(|name| std::env::var(name).ok()).map_err(CliError::from)?;
    if let Command::Evaluate { command: EvaluateCommand::Matching { directory, speed, postgres } } = cli.command {
        return evaluate_matching(&settings, &directory, &speed, postgres.as_deref());
    }
    log_to_stderr();
    match cli.command {
        Command::Serve => serve(settings).await,
        Command::Demo { fresh } => serve_demo(settings, fresh).await,
        Command::Worker => worker(settings).await,
        Command::Migrate => Db::open(&settings.database).map(drop).map_err(CliError::from),
        Command::Backup { file } => keep::back_up(&settings, &file),
        Command::Export { directory } => {
            let node = open(settings).await?;
            keep::export_to(&node, directory).await
        }
        Command::MigrateTo { url } => keep::migrate_to(&settings, &url),
        Command::User { command } => add_user(settings, command).await,
        Command::Import { command } => import::run(open(settings).await?, command).await,
        Command::Ledger { command: LedgerCommand::Verify { head } } => verify_ledger(settings, head).await,
        Command::Openapi | Command::Evaluate { .. } | Command::Bounce { .. } | Command::Lexicon { .. } => Ok(()),
    }
}

fn evaluate_matching(
    settings: &Settings,
    directory: &std::path::Path,
    speed: &[usize],
    postgres: Option<&str>,
) -> Result<(), CliError> {
    use crate::matching::evaluate::{labelled::Labelled, postgres::Postgres, report, speed};
    use_lexicon(settings)?;
    let lexicon = house::lexicon().map_err(CliError)?;
    let set = Labelled::read(directory).map_err(CliError::from)?;
    let mut peer = postgres.map(Postgres::connect).transpose().map_err(CliError::from)?;
    println!("lexicon: {} concepts, {} terms", lexicon.len(), lexicon.term_count());
    if speed.is_empty() {
        print!("{}", report::evaluate(&set, &lexicon, peer.as_mut()).map_err(CliError::from)?);
    } else {
        println!("{}", speed::HEAD);
    }
    for challenges in speed {
        let measured = speed::measure(&set, &lexicon, *challenges, 300, peer.as_mut()).map_err(CliError::from)?;
        println!("{measured}");
    }
    Ok(())
}

/// Takes in the operator's own lexicon before anything is read with the built-in one.
fn use_lexicon(settings: &Settings) -> Result<(), CliError> {
    let Some(path) = &settings.lexicon else { return Ok(()) };
    house::add(path).map(drop).map_err(|flaws| CliError(format!("SKALA_LEXICON: {flaws}")))
}

fn check_lexicon(file: &std::path::Path) -> Result<(), CliError> {
    let built_in = Lexicon::embedded().map_err(|_| CliError("the built-in lexicon is flawed".into()))?;
    let with = house::check(file).map_err(CliError)?;
    let (concepts, terms) = (with.len() - built_in.len(), with.term_count() - built_in.term_count());
    println!("{}: {concepts} new concepts, {terms} new terms; nothing is wrong", file.display());
    Ok(())
}

/// Lines for people at a terminal, JSON for everything else; `SKALA_LOG` sets how much (`info`, `skala=debug`).
fn log_to_stderr() {
    let wanted = std::env::var("SKALA_LOG").ok().and_then(|wanted| wanted.parse().ok());
    let wanted = wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if std::io::stderr().is_terminal() { lines.boxed() } else { lines.json().boxed() };
    tracing_subscriber::registry().with(lines.with_filter(wanted)).init();
}

async fn open(settings: Settings) -> Result<Data<Node>, CliError> {
    let db = Db::open(&settings.database).map_err(CliError::from)?;
    node(settings, db).await
}

/// How long those who ask over HTTP wait for the database at most.
const PATIENCE: Duration = Duration::from_secs(30);

/// A node that works beside others, for people who wait.
async fn open_to_serve(settings: Settings) -> Result<Data<Node>, CliError> {
    let db = Db::open(&settings.database).map_err(CliError::from)?.answering_within(PATIENCE);
    let db = settings.replica.iter().fold(db, Db::with_replica);
    db.listen().map_err(CliError::from)?;
    node(settings, db).await
}

async fn node(settings: Settings, db: Db) -> Result<Data<Node>, CliError> {
    use_lexicon(&settings)?;
    let seal = secret::seal(&settings, &db).await.map_err(CliError::from)?;
    Node::new(settings, db, Clock::System, seal).map(Data::new).map_err(CliError::from)
}

async fn serve(settings: Settings) -> Result<(), CliError> {
    let listener = listen(&settings)?;
    // A setting for mail that cannot be used is told before a database is made.
    dispatch::postman(&settings).map_err(CliError::from)?;
    serve_on(open_to_serve(settings).await?, listener).await
}

fn listen(settings: &Settings) -> Result<TcpListener, CliError> {
    let listen = settings.listen;
    TcpListener::bind(listen).map_err(|error| CliError(format!("cannot listen on {listen}: {error}")))
}

/// Serves, and sends what is due unless that is another process's work; both finish what is in hand.
async fn serve_on(node: Data<Node>, listener: TcpListener) -> Result<(), CliError> {
    // With port 0 the system chooses one.
    let listen = listener.local_addr().map_err(CliError::from)?;
    let postman = dispatch::postman(&node.settings).map_err(CliError::from)?;
    tracing::info!(%listen, database = ?node.settings.database, "serving");
    let (stop, stopping) = watch::channel(false);
    let server = app::serve(node.clone(), listener, leave(node.clone())).map_err(CliError::from)?;
    let working = actix_web::rt::spawn(async move {
        if node.settings.worker {
            dispatch::work(node, postman, stopping).await;
        }
    });
    let served = server.await.map_err(CliError::from);
    // The letters in hand are settled before the process ends.
    stop.send_replace(true);
    working.await.map_err(CliError::from)?;
    served
}

async fn worker(settings: Settings) -> Result<(), CliError> {
    let node = open_to_serve(settings).await?;
    let postman = dispatch::postman(&node.settings).map_err(CliError::from)?;
    tracing::info!(database = ?node.settings.database, "sending what is due");
    let (stop, stopping) = watch::channel(false);
    let working = actix_web::rt::spawn(dispatch::work(node, postman, stopping));
    told_to_stop().await.map_err(CliError::from)?;
    stop.send_replace(true);
    working.await.map_err(CliError::from)
}

/// How the process is asked to end.
#[derive(PartialEq)]
enum Stop {
    /// By Ctrl-C: somebody sits there and waits.
    Interrupted,
    /// By SIGTERM, as service managers do.
    Terminated,
}

/// Returns when the process is asked to end.
async fn told_to_stop() -> std::io::Result<Stop> {
    let interrupted = actix_web::rt::signal::ctrl_c();
    #[cfg(unix)]
    {
        use actix_web::rt::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            _ = terminate.recv() => Ok(Stop::Terminated),
            interrupted = interrupted => interrupted.map(|()| Stop::Interrupted),
        }
    }
    #[cfg(not(unix))]
    interrupted.await.map(|()| Stop::Interrupted)
}

/// Returns when no more requests are to be taken: at once when somebody waits for it, and otherwise once those who
/// spread the requests have had time to see that the node is leaving.
async fn leave(node: Data<Node>) {
    match told_to_stop().await {
        Ok(Stop::Terminated) => {
            node.leave();
            tracing::info!(seconds = node.settings.drain.as_secs(), "leaving");
            tokio::select! {
                () = tokio::time::sleep(node.settings.drain) => {}
                _ = told_to_stop() => {}
            }
        }
        Ok(Stop::Interrupted) => node.leave(),
        Err(error) => {
            tracing::error!(%error, "signals cannot be heard; only a kill will end this process");
            std::future::pending().await
        }
    }
}

/// Where the demo lives, below the folder that it is started in.
const DEMO: &str = "skala-demo";

async fn serve_demo(settings: Settings, fresh: bool) -> Result<(), CliError> {
    // Nothing is cleared or made where it could not be served.
    let listener = listen(&settings)?;
    let folder = std::path::PathBuf::from(DEMO);
    if fresh {
        demo::clear(&folder).map_err(CliError::from)?;
    }
    std::fs::create_dir_all(&folder).map_err(|error| CliError(format!("cannot make the folder {DEMO}: {error}")))?;
    let database = format!("sqlite://{DEMO}/skala.db").parse().map_err(CliError::from)?;
    let settings = Settings { database, mail_dir: folder.join("mails"), smtp_url: None, ..settings };
    let node = open_to_serve(settings).await?;
    let new = demo::load(&node).await.map_err(CliError::from)?;
    let (url, mails) = (&node.settings.public_url, node.settings.mail_dir.display());
    println!("Skala's demo {} {DEMO}/", if new { "is new in" } else { "goes on in" });
    println!("\n  pages      {url}/\n  API        {url}/api/v1, described at {url}/docs\n  mails      {mails}/\n");
    for (who, email) in demo::SIGN_INS {
        println!("  {who:<15} {email:<24} {}", demo::PASSWORD);
    }
    println!("\nStop it with Ctrl-C; `skala demo --fresh` begins anew.");
    serve_on(node, listener).await
}

async fn verify_ledger(settings: Settings, head: Option<ledger::Head>) -> Result<(), CliError> {
    let node = open(settings).await?;
    let verdict = node
        .db
        .read(move |connection| ledger::verify(connection, head.as_ref()))
        .await
        .map_err(|error: DbError| CliError::from(error))?;
    let (entries, deliveries) = (verdict.entries, verdict.deliveries);
    match verdict.flaw {
        None => {
            println!("the ledger is whole: {entries} entries, {deliveries} deliveries");
            Ok(())
        }
        Some(flaw) => Err(CliError(format!("the ledger is broken after {entries} sound entries: {flaw}"))),
    }
}

async fn add_user(settings: Settings, command: UserCommand) -> Result<(), CliError> {
    let UserCommand::Add { email, role, name, organisation, password_stdin } = command;
    let role =
        Role::from_word(&role).ok_or_else(|| CliError("--role is member, org_admin, facilitator or admin".into()))?;
    let email = Email::parse(&email).ok_or_else(|| CliError("--email is no address".into()))?;
    let node = open(settings).await?;
    let body = match organisation {
        None => None,
        Some(wanted) => {
            let found = node.db.read({
                let wanted = wanted.clone();
                move |connection| organisation::store::find_by_name(connection, &wanted)
            });
            let found = found.await.map_err(|error: DbError| CliError::from(error))?;
            Some(found.ok_or_else(|| CliError(format!("no organisation is called {wanted}")))?.id)
        }
    };
    let name = if name.is_empty() { email.as_str().to_owned() } else { name };
    let invitation = Invitation { email: email.clone(), name, role, organisation_id: body };
    let admin = Admin::at_the_command_line();
    if password_stdin {
        let mut password = String::new();
        std::io::stdin().read_to_string(&mut password).map_err(CliError::from)?;
        add_with_password(&node, admin, invitation, password.trim_end_matches(['\r', '\n']).to_owned()).await?;
        println!("{email} can sign in");
    } else {
        let (now, inside) = (node.now(), node.clone());
        node.db.write(move |tx| invite(tx, &inside, now, admin.actor(), invitation)).await?;
        println!("{email} is invited by mail");
    }
    Ok(())
}

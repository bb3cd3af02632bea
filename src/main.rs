//! The command line.

use std::process::ExitCode;

use clap::Parser;
use skala::cli::{Cli, run};

fn main() -> ExitCode {
    match actix_web::rt::System::new().block_on(run(Cli::parse())) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("skala: {error}");
            ExitCode::FAILURE
        }
    }
}

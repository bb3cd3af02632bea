//! People of a service that is measured.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::load::{self, Request};
use super::server::Server;

const PASSWORD: &str = "en gul cykel i regnvejr";

/// Runs a command that reads a password from its standard input.
pub fn run_with_password(command: &mut Command) {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{command:?}");
}

/// Signs somebody in with that password; gives the `Authorization`.
pub fn sign_in(server: &Server, email: &str) -> String {
    let credentials = json!({"email": email, "password": PASSWORD}).to_string();
    let request = Request::new("POST", "/api/v1/auth/token", &[], Some(&credentials));
    let (_, answer) = load::once(server.address, &request);
    format!("Bearer {}", serde_json::from_slice::<Value>(&answer).unwrap()["access_token"].as_str().unwrap())
}

//! The actix application: every slice mounted once, inside one frame.

mod operations;

pub use operations::committed_spec;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Server, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, Error, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::Value;

use crate::web::{Description, Node, Problem, Routes, frame, idempotency, openapi, ready};
use crate::{
    access, account, challenge, criteria, desk, dialogue, dispatch, feed, letter_of_intent, matching, need,
    organisation, phase, process, route, site, spread, subscription, succession, suggestion, support,
};

/// Where every resource lives.
const BASE: &str = "/api/v1";

fn routes(config: &mut impl Routes) {
    account::http::routes(config);
    organisation::http::routes(config);
    succession::http::routes(config);
    criteria::http::routes(config);
    matching::http::routes(config);
    need::http::routes(config);
    challenge::http::routes(config);
    process::http::routes(config);
    desk::http::routes(config);
    feed::http::routes(config);
    dialogue::http::routes(config);
    dispatch::http::routes(config);
    subscription::http::routes(config);
    route::http::routes(config);
    letter_of_intent::http::routes(config);
    phase::http::routes(config);
    spread::http::routes(config);
    suggestion::http::routes(config);
    support::http::routes(config);
}

/// What lies beside the API: pages with an address that people type, and what those who run the service look at.
fn beside(config: &mut impl Routes) {
    need::http::addresses(config);
    suggestion::http::addresses(config);
    support::http::addresses(config);
    operations::routes(config);
}

/// The OpenAPI document of exactly what is mounted. Where it is committed, the program carries it along instead of
/// making it (see [`operations`]): what describes a tenth of the code need not be part of it.
#[must_use]
pub fn spec() -> Value {
    let mut described = Description::under(BASE);
    routes(&mut described);
    described.go_on_under("");
    site::routes(&mut described);
    beside(&mut described);
    openapi::finish(&described.openapi())
}

/// Serves on an open socket until `leave` comes to pass or it is stopped; then it finishes what is in hand.
///
/// # Errors
/// When the socket cannot be used.
pub fn serve(
    node: web::Data<Node>,
    listener: TcpListener,
    leave: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<Server> {
    access::use_hmac_sha256();
    let spec = web::Data::new(operations::Spec::committed()?);
    let live = Arc::new(matching::live::Live::default());
    actix_web::rt::spawn(Arc::clone(&live).fill(node.db.clone()));
    let live = web::Data::new(live);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(node.clone())
            .app_data(spec.clone())
            .app_data(live.clone())
            .app_data(web::PayloadConfig::new(crate::web::MAX_BODY))
            .app_data(web::FormConfig::default().limit(crate::web::MAX_BODY))
            .service(web::scope(BASE).configure(routes))
            .configure(site::routes)
            .configure(beside)
            .default_service(web::to(nothing_here))
            .wrap(from_fn(once))
            .wrap(from_fn(ready::at_hand))
            .wrap(from_fn(frame::frame))
    });
    // A client that dawdles over its headers may not hold a connection for long.
    let server = server
        .client_request_timeout(Duration::from_secs(10))
        .client_disconnect_timeout(Duration::from_secs(2))
        .keep_alive(Duration::from_secs(30))
        .shutdown_timeout(30)
        .shutdown_signal(leave)
        .listen(listener)?;
    Ok(server.run())
}

async fn once(
    node: web::Data<Node>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    idempotency::once(node, access::principal, request, next).await
}

/// A path that is not there, or is but not for this method.
async fn nothing_here(spec: web::Data<operations::Spec>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(match spec.methods_of(request.path()) {
        methods if methods.is_empty() => Problem::not_found(),
        methods => Problem::method_not_allowed(&methods),
    })
}

//! For those who run the service: is it up, is it ready, what has it done, what can it do.

use actix_web::dev::ResourceDef;
use actix_web::http::header;
use actix_web::{HttpResponse, Responder, get, web};
use prometheus::{Encoder, TextEncoder};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::dispatch;
use crate::kernel::{text, unpack};
use crate::web::{Node, Problem, Reply, Routes};

pub(super) fn routes(config: &mut impl Routes) {
    config.service(get_health).service(get_readiness).service(get_metrics).service(get_openapi).service(get_docs);
}

/// The document as it is served, and the paths that it knows.
pub(super) struct Spec {
    json: String,
    paths: Vec<(ResourceDef, Vec<String>)>,
}

impl Spec {
    /// The document as it was committed: a test holds it to what the handlers say.
    pub(super) fn committed() -> serde_json::Result<Self> {
        let json = committed_spec();
        let spec: Value = serde_json::from_str(&json)?;
        let paths = spec.get("paths").and_then(Value::as_object).into_iter().flatten().map(|(path, item)| {
            let methods = item.as_object().into_iter().flatten().map(|(method, _)| method.to_uppercase());
            (ResourceDef::new(path.as_str()), methods.collect())
        });
        Ok(Self { paths: paths.collect(), json })
    }

    /// The methods that this path takes; what can be got has a head too.
    pub(super) fn methods_of(&self, path: &str) -> Vec<String> {
        let known = self.paths.iter().filter(|(pattern, _)| pattern.is_match(path));
        let mut methods: Vec<_> = known.flat_map(|(_, methods)| methods.clone()).collect();
        if methods.iter().any(|method| method == "GET") {
            methods.push("HEAD".to_owned());
        }
        methods
    }
}

/// The committed OpenAPI document.
#[must_use]
pub fn committed_spec() -> String {
    unpack(include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json.packed")))
}

#[derive(Serialize, ToSchema)]
struct Health {
    #[schema(example = "ok")]
    status: &'static str,
}

/// Whether the process is up.
#[utoipa::path(tag = "operations", security(()), responses((status = 200, body = Health)))]
#[get("/healthz")]
async fn get_health() -> impl Responder {
    Reply::ok(Health { status: "ok" })
}

/// Whether the node takes requests: the database answers, its tables are this version's, and the node is not about to stop.
#[utoipa::path(tag = "operations", security(()), responses((status = 200, body = Health)))]
#[get("/readyz")]
async fn get_readiness(node: web::Data<Node>) -> Result<Reply<Health>, Problem> {
    let not_ready = |cause: Option<String>| {
        let detail = text!("Tjenesten er ikke klar", "The service is not ready");
        let problem = Problem::new(actix_web::http::StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail);
        Problem { retry_after: Some(2), cause, ..problem }
    };
    if node.is_leaving() {
        return Err(not_ready(None));
    }
    node.db.check().await.map_err(|error| not_ready(Some(error.to_string())))?;
    Ok(Reply::ok(Health { status: "ok" }))
}

/// Counters and timings, in the Prometheus text format.
#[utoipa::path(tag = "operations", security(()), responses((status = 200, body = String, content_type = "text/plain; version=0.0.4")))]
#[get("/metrics")]
async fn get_metrics(node: web::Data<Node>) -> Result<HttpResponse, Problem> {
    // A database that is away shows in what is missing; the rest is told all the same.
    if let Err(error) = dispatch::measure(&node).await {
        tracing::warn!(%error, "what waits could not be counted");
    }
    let mut text = Vec::new();
    let encoder = TextEncoder::new();
    encoder.encode(&node.metrics.registry.gather(), &mut text).map_err(|error| Problem::internal(&error))?;
    Ok(HttpResponse::Ok().content_type(encoder.format_type().to_owned()).body(text))
}

/// This document.
#[utoipa::path(tag = "operations", security(()), responses((status = 200, body = Object)))]
#[get("/openapi.json")]
async fn get_openapi(spec: web::Data<Spec>) -> impl Responder {
    HttpResponse::Ok().content_type("application/json").body(spec.json.clone())
}

/// This document, for people.
#[utoipa::path(tag = "operations", security(()), responses((status = 200, body = String, content_type = "text/html")))]
#[get("/docs")]
async fn get_docs() -> impl Responder {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, DOCS_POLICY))
        .body(include_str!("docs.html"))
}

/// The page brings all it needs and asks this service alone.
const DOCS_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; \
                           base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

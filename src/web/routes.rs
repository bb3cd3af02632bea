//! Where a slice mounts its handlers: in the running service, or in the description of it. The handlers are named once
//! and the two cannot differ, yet what describes them stays out of the program that serves them.

use actix_web::dev::HttpServiceFactory;
use actix_web::web::ServiceConfig;
use utoipa::openapi::{Components, OpenApi, OpenApiBuilder, Paths};
use utoipa_actix_web::OpenApiFactory;

/// Takes handlers.
pub trait Routes {
    /// Takes one more.
    fn service(&mut self, handler: impl HttpServiceFactory + OpenApiFactory + 'static) -> &mut Self;
}

impl Routes for ServiceConfig {
    fn service(&mut self, handler: impl HttpServiceFactory + OpenApiFactory + 'static) -> &mut Self {
        ServiceConfig::service(self, handler)
    }
}

/// What the handlers say of themselves.
pub struct Description {
    base: &'static str,
    paths: Paths,
    components: Components,
}

impl Description {
    /// Nothing yet; the handlers' paths lie under `base`.
    #[must_use]
    pub fn under(base: &'static str) -> Self {
        Self { base, paths: Paths::new(), components: Components::new() }
    }

    /// The paths of the handlers to come lie under another base.
    pub const fn go_on_under(&mut self, base: &'static str) {
        self.base = base;
    }

    #[must_use]
    pub fn openapi(self) -> OpenApi {
        OpenApiBuilder::new().paths(self.paths).components(Some(self.components)).build()
    }
}

impl Routes for Description {
    fn service(&mut self, handler: impl HttpServiceFactory + OpenApiFactory + 'static) -> &mut Self {
        let mut schemas = Vec::new();
        handler.schemas(&mut schemas);
        self.components.schemas.extend(schemas);
        let mut paths = handler.paths();
        paths.paths = paths.paths.into_iter().map(|(path, item)| (format!("{}{path}", self.base), item)).collect();
        self.paths.merge(paths);
        self
    }
}

//! The desk over HTTP.

mod decide;
mod queue;
mod todo;

use utoipa_actix_web::service_config::ServiceConfig;

/// Mounts the desk.
pub fn routes(config: &mut ServiceConfig<'_>) {
    queue::routes(config);
    config.service(decide::decide_queue).service(todo::get_todo);
}

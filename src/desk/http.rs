//! The desk over HTTP.

mod decide;
mod queue;
mod todo;

use crate::web::Routes;

/// Mounts the desk.
pub fn routes(config: &mut impl Routes) {
    queue::routes(config);
    config.service(decide::decide_queue).service(todo::get_todo);
}

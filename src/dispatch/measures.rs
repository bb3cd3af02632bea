//! What the worker's progress looks like to those who watch the service.

use chrono::TimeDelta;

use super::{Status, store};
use crate::db::{AnyConnection, DbError};
use crate::post;
use crate::post::Urgency;
use crate::web::Node;

/// Over how long the rate is taken.
const OVER: TimeDelta = TimeDelta::seconds(60);

/// Sets the gauges of what waits and how fast it goes.
///
/// # Errors
/// [`DbError`].
pub async fn measure(node: &Node) -> Result<(), DbError> {
    let now = node.now();
    let since = now - OVER;
    let look = move |connection: &mut AnyConnection| {
        let mut settled = 0;
        for status in [Status::Open, Status::Expanded] {
            for dispatch in store::in_status(connection, status, now)? {
                settled += post::store::settled_since(connection, &dispatch.id.to_string(), since)?;
            }
        }
        Ok::<_, DbError>((post::store::count_waiting(connection)?, settled))
    };
    let (waiting, settled) = node.db.read(look).await?;
    let count =
        |urgency: Urgency| waiting.iter().find(|(rank, _)| *rank == urgency.rank()).map_or(0, |(_, count)| *count);
    let words = [
        ("personal", Urgency::Personal),
        ("digest", Urgency::Digest),
        ("bulk", Urgency::Bulk),
        ("paused", Urgency::Paused),
    ];
    for (word, urgency) in words {
        node.metrics.waiting.with_label_values(&[word]).set(count(urgency));
    }
    let number = |count: i64| f64::from(i32::try_from(count).unwrap_or(i32::MAX));
    let rate = number(settled) / number(OVER.num_seconds());
    node.metrics.rate.set(rate);
    node.metrics.seconds_left.set(if rate > 0.0 { number(count(Urgency::Bulk)) / rate } else { f64::NAN });
    Ok(())
}

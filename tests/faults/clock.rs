//! Clocks that are set while nodes write and post: each node has one of its own, by Debian's `libfaketime`. The time that
//! passes since a moment (the monotonic clock) is the machine's, as it is when somebody sets a real clock.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::sink::Mood;
use crate::world::{AUDIENCE, World};
use crate::{LIMIT, Seen, Suite, sleep};

const HOUR: i64 = 60 * 60;

fn library() -> Option<PathBuf> {
    let places = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"];
    places.iter().map(|place| Path::new(place).join("faketime/libfaketimeMT.so.1")).find(|library| library.exists())
}

pub fn clock_jump(suite: &Suite) -> Seen {
    let Some(library) = library() else {
        return Ok("NOT TRIED: needs Debian's `faketime`".to_owned());
    };
    suite.cluster.create("clock_jump");
    let url = suite.cluster.url("clock_jump");
    let world = World::with("clock-jump", &[url.clone(), url.clone()], 2, &[], Some(library));
    let set_all = |seconds| world.serving.iter().chain(&world.working).for_each(|node| node.set_clock(seconds));
    world.sink.set(Mood::Slow(Duration::from_secs(1)));
    world.publish(&url);
    // Before anything jumps, letters are on their way.
    while world.sink.count().0 == 0 {
        sleep(0.1);
    }
    let mut there = (0, 0);
    let told = world.under_load(4, |world| {
        // All together: ahead, back, behind, right.
        for seconds in [HOUR, 0, -HOUR, 0] {
            set_all(seconds);
            sleep(3.0);
        }
        there = world.sink.count();
        // One worker alone, which dies with leases that end in an hour, and comes back with its clock put right.
        world.working[0].set_clock(HOUR);
        sleep(3.0);
        world.working[0].kill();
        world.working[0].set_clock(0);
        world.working[0].kill_and_start();
    });
    world.sign_in(0, &world.bearer());
    world.sink.set(Mood::Takes);
    let writes = told.verdict(LIMIT)?;
    let (reached, twice) = world.wait_until_told(Duration::from_secs(120));
    let whole = world.ledger_is_whole(&url);
    let seen = format!(
        "{writes}; {reached} of {AUDIENCE} told ({} while clocks jumped), {twice} letters twice ({} of them before the kill), ledger whole: {whole}",
        there.0, there.1
    );
    if reached == AUDIENCE && twice <= 32 && whole { Ok(seen) } else { Err(seen) }
}

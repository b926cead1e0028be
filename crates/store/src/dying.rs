//! Ends this process at a chosen write to the store, so that tests meet every
//! position at which a crash can find it. Only builds with debug assertions
//! know how; in all others a step is the write itself and nothing else.
//!
//! `ROLLCALL_DIE_AT` names the edge, the method and which of its calls:
//! `before agree 3`, `after journal 1`.

use crate::contract::Reply;
use crate::error::Error;
use std::future::Future;

#[cfg(not(debug_assertions))]
pub(crate) fn step<'a, T>(
    _: &'static str,
    write: impl Future<Output = Result<T, Error>> + Send + 'a,
) -> Reply<'a, T> {
    Box::pin(write)
}

#[cfg(debug_assertions)]
pub(crate) fn step<'a, T>(
    name: &'static str,
    write: impl Future<Output = Result<T, Error>> + Send + 'a,
) -> Reply<'a, T> {
    Box::pin(async move {
        end::reached("before", name);
        let outcome = write.await;
        end::reached("after", name);
        outcome
    })
}

#[cfg(debug_assertions)]
mod end {
    use std::process::Command;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct End {
        place: String,
        calls: u64,
        left: AtomicU64,
    }

    static END: LazyLock<Option<End>> = LazyLock::new(|| {
        let said = std::env::var("ROLLCALL_DIE_AT").ok()?;
        let (place, calls) = said.rsplit_once(' ')?;
        let calls = calls.parse().ok()?;
        Some(End { place: place.to_owned(), calls, left: AtomicU64::new(calls) })
    });

    /// SIGKILL, where it was asked for: no handler runs, nothing is flushed.
    /// This thread waits meanwhile, so that nothing of ours goes on.
    pub(super) fn reached(edge: &str, name: &str) {
        let Some(end) = &*END else { return };
        if end.place != format!("{edge} {name}") || end.left.fetch_sub(1, Ordering::Relaxed) != 1 {
            return;
        }
        eprintln!("rollcall dies {} {}", end.place, end.calls);
        loop {
            // Killed by its child, the only way without a line of unsafe code.
            let _ = Command::new("/bin/sh").args(["-c", "kill -KILL $PPID; sleep 1"]).status();
        }
    }
}

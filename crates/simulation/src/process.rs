//! One running Rollcall. Everything it does to the world outside passes
//! [`Process::step`]: there it may die, there time passes, and there other
//! people do things meanwhile.

use crate::stage::Stage;
use crate::{exchange, relay};
use directory::Dial;
use effects::BoxFuture;
use pbx::Exchange;
use rollcall::app::{App, Net};
use std::fmt;
use std::future::{Future, pending};
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::{Gate, Passing};
use tokio_util::sync::CancellationToken;

pub struct Process {
    pub stage: Arc<Stage>,
    pub number: u64,
    steps: AtomicU64,
    /// It dies at this step; 0 = never.
    dies_at: u64,
    death: CancellationToken,
}

impl Process {
    pub fn start(stage: &Arc<Stage>, dies_at: u64) -> Arc<Self> {
        Arc::new(Process {
            stage: stage.clone(),
            number: stage.next_process(),
            steps: AtomicU64::new(0),
            dies_at,
            death: CancellationToken::new(),
        })
    }

    /// The product, with this process's effects.
    pub fn app(self: &Arc<Self>) -> App {
        App {
            store: Arc::new(self.stage.store().behind(self.clone())),
            clock: self.stage.clock.clone(),
            random: self.stage.secrets.clone(),
            net: Arc::new(Wires(self.clone())),
            notify: Arc::new(rollcall::notify::Noted::default()),
        }
    }

    /// Lives until the work is done; none if it died before.
    pub async fn live<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let done = self.death.run_until_cancelled(work).await;
        if done.is_none() {
            // What was on the wire arrives all the same.
            self.stage.settle().await;
        }
        done
    }

    pub async fn until_death<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.death.run_until_cancelled(work).await
    }

    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    pub async fn step(&self, what: String) {
        let step = self.steps.fetch_add(1, Ordering::Relaxed) + 1;
        self.stage.note(format_args!("{}.{step} {what}", self.number));
        if step == self.dies_at {
            self.stage.note(format_args!("{} dies", self.number));
            self.stage.count("death of the process");
            self.death.cancel();
            pending::<()>().await;
        }
        self.stage.meanwhile().await;
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Process {}", self.number)
    }
}

impl Gate for Process {
    fn pass(&self, passing: Passing, place: &'static Location<'static>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let file = place.file().rsplit('/').next().unwrap_or_default();
            self.step(format!("{passing:?} {file}:{}", place.line())).await;
        })
    }
}

#[derive(Debug)]
struct Wires(Arc<Process>);

impl Net for Wires {
    fn dial(&self) -> Arc<dyn Dial> {
        Arc::new(relay::Line(self.0.clone()))
    }

    fn exchange(&self, _: &pbx::Settings) -> Result<Arc<dyn Exchange>, pbx::Error> {
        Ok(Arc::new(exchange::Line(self.0.clone())))
    }
}

//! The cycle: read → plan → guard → apply → agree. Preview, command line and
//! scheduler all come through here; a preview stops before apply.

mod apply;
mod canary;
mod fence;
mod follow;
mod gather;
mod lease;
mod people;
mod photo;
mod plausible;
mod progress;
mod recover;
pub mod report;
mod run;
mod step;
mod undo;

pub use plausible::Expect;
pub use progress::{Phase, Progress, Silent};
pub use report::Report;
pub use run::{apply, preview, sync};
pub use step::StepRef;
pub use undo::{Asked, preview_undo, undo};

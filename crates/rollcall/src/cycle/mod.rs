//! The cycle: read → plan → guard → apply → agree. Preview, command line and
//! scheduler all come through here; a preview stops before apply.

mod apply;
mod canary;
mod fence;
mod follow;
mod gather;
mod lease;
mod looked;
mod notices;
mod people;
pub(crate) mod plans;
mod plausible;
mod progress;
mod recover;
pub mod report;
mod run;
mod step;
pub mod stops;
mod undo;

pub use looked::look_first;
pub use notices::{program, set_program, test as test_program};
pub use plausible::Expect;
pub use progress::{Phase, Progress, Seen, Silent};
pub use report::Report;
pub use run::{apply, people_of, preview, sync};
pub use step::StepRef;
pub use undo::{Asked, preview_undo, undo, undoable};

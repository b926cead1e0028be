//! The cycle: read → plan → guard → apply → agree. Preview, command line and
//! scheduler all come through here; a preview stops before apply.

mod apply;
mod gather;
mod lease;
mod people;
mod photo;
mod progress;
mod recover;
pub mod report;
mod run;
mod step;
mod undo;

pub use progress::{Phase, Progress, Silent};
pub use report::Report;
pub use run::{apply, people_of, preview, sync};
pub use step::StepRef;
pub use undo::{Asked, preview_undo, undo};

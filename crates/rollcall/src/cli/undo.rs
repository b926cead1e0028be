//! Undo a run: call the cycle, show its report.

use super::args::UndoArgs;
use super::output::Out;
use super::progress;
use super::report::{Extent, Kind, Known, ReportView};
use crate::app::App;
use crate::cycle::{self, Asked};
use anyhow::Result;

pub async fn run(app: &App, args: &UndoArgs, out: &Out) -> Result<u8> {
    let asked = Asked { run: args.run, person: args.person.clone(), steps: args.steps.clone() };
    let progress = progress::watched(out.json);
    let (report, kind) = match args.preview {
        true => (cycle::preview_undo(app, &asked, &*progress).await?, Kind::Preview),
        false => (cycle::undo(app, &asked, &*progress).await?, Kind::Run),
    };
    out.show(&ReportView { report, kind, extent: Extent::Whole, known: Known::default() })
}

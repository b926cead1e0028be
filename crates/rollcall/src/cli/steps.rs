//! The steps of a diagnosis, for servers and the PBX alike.

use super::output::{Cell, Ink, NONE, Page, View};
use directory::StepState;
use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct Steps {
    pub ok: bool,
    pub steps: Vec<Step>,
    #[serde(skip)]
    title: String,
}

#[derive(Debug, Serialize)]
pub struct Step {
    pub name: &'static str,
    pub ok: bool,
    pub state: StepState,
    pub detail: String,
}

impl From<directory::Step> for Step {
    fn from(step: directory::Step) -> Self {
        Step { name: step.name.as_str(), ok: step.is_ok(), state: step.state, detail: step.detail }
    }
}

impl From<pbx::Step> for Step {
    fn from(step: pbx::Step) -> Self {
        let state = if step.ok { StepState::Ok } else { StepState::Failed };
        Step { name: step.name, ok: step.ok, state, detail: step.detail }
    }
}

impl Steps {
    pub fn of(title: String, steps: impl IntoIterator<Item: Into<Step>>) -> Self {
        let steps: Vec<Step> = steps.into_iter().map(Into::into).collect();
        Steps { ok: steps.iter().all(|step| step.ok), steps, title }
    }
}

impl View for Steps {
    fn write(&self, page: &mut Page) {
        page.title(format!("Testing {}", self.title));
        page.grid(self.steps.iter().map(|step| {
            let (mark, ink, detail) = match step.state {
                StepState::Ok => (Cell::new("✓", Ink::Good), Ink::Plain, step.detail.as_str()),
                StepState::Failed => (Cell::new("✗", Ink::Bad), Ink::Bad, step.detail.as_str()),
                StepState::NotReached => (Cell::new(NONE, Ink::Dim), Ink::Dim, "not reached"),
            };
            let detail = Cell::new(detail, ink);
            [mark, step.name.into(), detail]
        }));
        page.gap();
        match self.ok {
            true => page.say("Everything works.", Ink::Good),
            false => page.say("It does not work yet. Nothing was written anywhere.", Ink::Bad),
        }
    }

    fn exit_code(&self) -> u8 {
        u8::from(!self.ok)
    }
}

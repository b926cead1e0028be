//! The steps of a diagnosis, for servers and the PBX alike.

use super::output::{Cell, Ink, Page, View};
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
    pub detail: String,
}

impl Steps {
    pub fn of(title: String, steps: impl Iterator<Item = (&'static str, bool, String)>) -> Self {
        let steps: Vec<Step> = steps.map(|(name, ok, detail)| Step { name, ok, detail }).collect();
        Steps { ok: steps.iter().all(|step| step.ok), steps, title }
    }
}

impl View for Steps {
    fn write(&self, page: &mut Page) {
        page.title(format!("Testing {}", self.title));
        page.grid(self.steps.iter().map(|step| {
            let mark = if step.ok { Cell::new("✓", Ink::Good) } else { Cell::new("✗", Ink::Bad) };
            let detail = Cell::new(&step.detail, if step.ok { Ink::Plain } else { Ink::Bad });
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

//! Which attribute is which field, and in which direction it goes; with what
//! three people have there, and whether our account may write it.

use super::NEW;
use super::draft::Edited;
use crate::cli::errors::{describe, usage};
use crate::cli::server::range;
use crate::web::Web;
use crate::web::auth::FlashKind;
use crate::web::problem::Problem;
use crate::web::render::{Nav, Page, html};
use crate::web::visit::Visit;
use anyhow::Result;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use directory::{AttributeRight, MayWrite, Sample, SampleValue, Schema, Source};
use reconcile::{BothChanged, Direction, Field, FirstMeeting, NumberRange, canonical};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::time::Duration;

/// How long the page waits for the directory before it is shown without it.
const LOOK_TIME_MAX: Duration = Duration::from_secs(15);

const DIRECTIONS: [Direction; 4] =
    [Direction::Both, Direction::ToPbx, Direction::ToDirectory, Direction::Off];
const BOTH_CHANGED: [BothChanged; 4] =
    [BothChanged::Newest, BothChanged::Directory, BothChanged::Pbx, BothChanged::Ask];
const FIRST_MEETING: [FirstMeeting; 3] = [FirstMeeting::Directory, FirstMeeting::Pbx, FirstMeeting::Ask];

#[derive(Template)]
#[template(path = "server-attributes.html")]
struct AttributesPage {
    p: Page,
    id: i64,
    tab: &'static str,
    edited: Edited,
    rows: Vec<Row>,
    looked: Looked,
    error: Option<String>,
    directions: [Direction; 4],
    both_changed: [BothChanged; 4],
    first_meetings: [FirstMeeting; 3],
}

/// One field.
struct Row {
    field: Field,
    source: String,
    direction: Direction,
    both_changed: BothChanged,
    first_meeting: FirstMeeting,
    clear: bool,
    clearable: bool,
    /// Up to three people's values.
    samples: Vec<String>,
    right: Option<MayWrite>,
    /// Keys of what does not go together.
    doubts: Vec<&'static str>,
}

/// What the live directory said.
#[derive(Default)]
struct Looked {
    schema: Option<Schema>,
    samples: Vec<Sample>,
    rights: Vec<AttributeRight>,
    error: Option<String>,
}

impl AttributesPage {
    fn is_new(&self) -> bool {
        self.id == NEW
    }

    fn is(&self, a: &impl Serialize, b: &impl Serialize) -> bool {
        serde_json::to_value(a).ok() == serde_json::to_value(b).ok()
    }

    fn word(&self, value: &impl Serialize) -> String {
        let value = serde_json::to_value(value).ok();
        value.as_ref().and_then(|value| value.as_str()).unwrap_or_default().to_owned()
    }

    fn ranges(&self) -> String {
        let text = |range: &NumberRange| format!("{}-{}", range.from, range.to);
        self.edited.draft.policy.numbers.iter().map(text).collect::<Vec<_>>().join(", ")
    }
}

pub async fn show(State(web): State<Web>, visit: Visit, Path(id): Path<i64>) -> Result<Response, Problem> {
    if id == NEW {
        return Ok(Redirect::to("/servers/new").into_response());
    }
    let edited = Edited::of(&web, &visit, id).await?;
    page(&web, &visit, id, edited, None).await
}

async fn page(
    web: &Web,
    visit: &Visit,
    id: i64,
    edited: Edited,
    error: Option<String>,
) -> Result<Response, Problem> {
    let looked = match tokio::time::timeout(LOOK_TIME_MAX, look(web, &edited)).await {
        Ok(Ok(looked)) => looked,
        Ok(Err(error)) => Looked { error: Some(describe(&error)), ..Looked::default() },
        Err(_) => Looked { error: Some(visit.lang.say("look-too-long", &[])), ..Looked::default() },
    };
    let rows = Field::ALL.into_iter().map(|field| row(&edited, &looked, field, visit)).collect();
    let p = Page::of(web, visit, Nav::Servers, edited.name.clone()).await?;
    html(&AttributesPage {
        p,
        id,
        tab: "attributes",
        edited,
        rows,
        looked,
        error,
        directions: DIRECTIONS,
        both_changed: BOTH_CHANGED,
        first_meetings: FIRST_MEETING,
    })
}

/// Asks the live directory. What it does not tell is left out, and said.
async fn look(web: &Web, edited: &Edited) -> Result<Looked> {
    edited.draft.settings.check()?;
    let mut directory = edited.directory(&web.app).await?;
    let samples = directory.samples().await?;
    let mut looked = Looked { samples, ..Looked::default() };
    match directory.schema().await {
        Ok(schema) => looked.schema = Some(schema),
        Err(error) => looked.error = Some(error.to_string()),
    }
    if let Some(sample) = looked.samples.first() {
        match directory.rights(&sample.dn).await {
            Ok(rights) => looked.rights = rights,
            Err(error) => looked.error = Some(error.to_string()),
        }
    }
    directory.close().await;
    Ok(looked)
}

fn row(edited: &Edited, looked: &Looked, field: Field, visit: &Visit) -> Row {
    let (settings, policy) = (&edited.draft.settings, &edited.draft.policy);
    let source = settings.map.fields[field].as_ref();
    let chosen = &policy.fields[field];
    let values = looked.samples.iter().filter_map(|sample| sample.fields.get(&field));
    let samples = values.map(|values| match values.as_slice() {
        [] => visit.lang.say("value-empty", &[]),
        values => values.iter().map(|value| sample(value, visit)).collect::<Vec<_>>().join(", "),
    });
    let right = looked.rights.iter().find(|right| right.field == field).map(|right| right.may_write.clone());
    let mut doubts = Vec::new();
    let writes = chosen.direction.to_directory() && source.is_some();
    if writes && !policy.write_back {
        doubts.push("doubt-write-back");
    } else if writes && policy.read_only[field] {
        doubts.push("doubt-read-only");
    } else if writes && matches!(right, Some(MayWrite::No)) {
        doubts.push("doubt-right");
    }
    if field == Field::SipPassword && source.is_some() {
        doubts.push("doubt-sip-plain");
    }
    if source.is_none() && matches!(field, Field::Name) {
        doubts.push("doubt-no-name");
    }
    if chosen.both_changed == BothChanged::Newest
        && source.is_some()
        && chosen.direction == Direction::Both
        && settings.kind != directory::Kind::ActiveDirectory
    {
        doubts.push("doubt-newest");
    }
    Row {
        field,
        source: source.map(ToString::to_string).unwrap_or_default(),
        direction: chosen.direction,
        both_changed: chosen.both_changed,
        first_meeting: chosen.first_meeting,
        clear: chosen.clear,
        clearable: field.clearable(),
        samples: if source.is_some() { samples.collect() } else { Vec::new() },
        right,
        doubts,
    }
}

fn sample(value: &SampleValue, visit: &Visit) -> String {
    match value {
        SampleValue::Text { raw, .. } => raw.clone(),
        SampleValue::Unusable { raw, why } => format!("{raw} ({why})"),
        SampleValue::Picture { bytes } => visit.lang.say("sample-picture", &[("n", (*bytes).into())]),
        SampleValue::Set => visit.lang.say("value-set", &[]),
    }
}

/// Every field has inputs of its own: `map-name`, `direction-name`, and so on.
pub async fn take(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<i64>,
    Form(form): Form<HashMap<String, String>>,
) -> Result<Response, Problem> {
    let mut edited = Edited::of(&web, &visit, id).await?;
    let applied = apply(&form, &mut edited);
    web.drafts.keep(&web, &visit, id, edited.clone()).await?;
    edited.is_changed = true;
    if let Err(error) = applied {
        return page(&web, &visit, id, edited, Some(describe(&error))).await;
    }
    if form.get("do").is_some_and(|what| what == "look") {
        return page(&web, &visit, id, edited, None).await;
    }
    match edited.save(&web.app).await {
        Ok(_) => {
            web.drafts.forget(&visit, id);
            web.sessions.tell(visit.session.as_ref(), FlashKind::Good, visit.lang.say("saved", &[]));
            Ok(Redirect::to(&format!("/servers/{id}/attributes")).into_response())
        }
        Err(error) => page(&web, &visit, id, edited, Some(describe(&error))).await,
    }
}

fn apply(form: &HashMap<String, String>, edited: &mut Edited) -> Result<()> {
    let text = |name: &str| form.get(name).map(|text| text.trim()).unwrap_or_default();
    let optional = |name: &str| Some(text(name).to_owned()).filter(|text| !text.is_empty());
    let draft = &mut edited.draft;
    for field in Field::ALL {
        draft.settings.map.fields[field] = match optional(&format!("map-{field}")) {
            Some(source) => Some(source.parse::<Source>().map_err(|why| usage(format!("{field}: {why}")))?),
            None => None,
        };
        let policy = &mut draft.policy.fields[field];
        policy.direction = meant(text(&format!("direction-{field}"))).unwrap_or(policy.direction);
        policy.both_changed = meant(text(&format!("both-{field}"))).unwrap_or(policy.both_changed);
        policy.first_meeting = meant(text(&format!("first-{field}"))).unwrap_or(policy.first_meeting);
        policy.clear = field.clearable() && form.contains_key(&format!("clear-{field}"));
    }
    draft.policy.write_back = form.contains_key("write_back");
    draft.settings.map.account_state = optional("account_state");
    draft.settings.region = optional("region").map(|region| region.to_uppercase());
    if let Some(region) = draft.settings.region.as_deref().filter(|region| !canonical::is_region(region)) {
        return Err(usage(format!("`{region}` is no country whose phone numbers are known: RU, DE, …")));
    }
    let ranges = text("numbers").split([',', ' ', ';']).filter(|text| !text.is_empty());
    draft.policy.numbers = ranges.map(range).collect::<Result<_>>()?;
    draft.follow();
    draft.settings.check()?;
    Ok(())
}

fn meant<T: DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::from(word)).ok()
}

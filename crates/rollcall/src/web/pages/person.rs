//! One person: what each side says, what was agreed, what was written, and
//! why it stands so.

use super::employees::href;
use super::server;
use super::steps::StepLine;
use crate::cli::conflicts::view::ConflictView;
use crate::cli::explain::view::{Explained, FieldView, Standing};
use crate::cli::explain::{self, view};
use crate::limits;
use crate::mentions;
use crate::web::Web;
use crate::web::lang::Arg;
use crate::web::lists::{Wishes, cut};
use crate::web::problem::Problem;
use crate::web::render::{Nav, Page, Pager, html, when};
use crate::web::visit::{Visit, encoded};
use anyhow::Result;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use pbx::PhotoAnswer;
use reconcile::{EmployeeId, Field, PersonId};
use store::DirectoryRow;

#[derive(Template)]
#[template(path = "person.html")]
struct PersonPage {
    p: Page,
    id: i64,
    person: Explained,
    href: String,
    /// The employee's page in the PBX.
    pbx_page: Option<String>,
    has_photo: bool,
    why: Vec<String>,
    fields: Vec<FieldLine>,
    steps: Vec<StepLine>,
    pager: Pager,
}

struct FieldLine {
    field: Field,
    view: FieldView,
    standing: &'static str,
    tone: &'static str,
}

pub async fn show(
    State(web): State<Web>,
    visit: Visit,
    Path((id, person)): Path<(i64, String)>,
    Query(wishes): Query<Wishes>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let row = server(&web, id).await?;
    let person = PersonId::new(&*person);
    let mut explained = explain::one(&web.app, &row, &person).await?.ok_or_else(Problem::not_found)?;
    let p = Page::of(&web, &visit, Nav::Employees, &explained.name).await?;
    let (steps, pager) = cut(std::mem::take(&mut explained.journal), wishes.page(), limits::PAGE_ROWS);
    html(&PersonPage {
        id,
        href: href(row.id, &person),
        pbx_page: pbx_page(&web, &row, explained.employee, &headers).await?,
        has_photo: has_photo(&explained),
        why: why(&p, &explained),
        fields: std::mem::take(&mut explained.fields).into_iter().map(|of| line(&p, of)).collect(),
        steps: steps.into_iter().map(|step| StepLine::of(&p, step, None)).collect(),
        pager,
        person: explained,
        p,
    })
}

async fn pbx_page(
    web: &Web,
    row: &DirectoryRow,
    employee: Option<u64>,
    headers: &HeaderMap,
) -> Result<Option<String>> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    match employee {
        Some(employee) => mentions::employee_page(&web.app, row, EmployeeId(employee), host).await,
        None => Ok(None),
    }
}

fn has_photo(person: &Explained) -> bool {
    let seen = person.fields.get(&Field::Photo).and_then(|view| view.pbx.as_ref());
    seen.is_some_and(|seen| seen.value.is_some())
}

fn line(p: &Page, (field, mut view): (Field, FieldView)) -> FieldLine {
    if field == Field::SipPassword {
        let seen = [&mut view.directory, &mut view.pbx].into_iter().flatten().map(|seen| &mut seen.value);
        let agreed = view.agreed.iter_mut().flat_map(|agreed| [&mut agreed.directory, &mut agreed.pbx]);
        seen.chain(agreed).flatten().for_each(|value| *value = p.t("value-set"));
    }
    let (standing, tone) = match view.standing() {
        Standing::NotMapped => ("not-mapped", ""),
        Standing::NotYet => ("not-yet", ""),
        Standing::Held => ("held", "warn"),
        Standing::Moved => ("moved", "accent"),
        Standing::Differs => ("differs", "warn"),
        Standing::Agreed => ("agreed", "good"),
    };
    FieldLine { field, view, standing, tone }
}

/// Why it is as it is, one sentence after the other.
fn why(p: &Page, person: &Explained) -> Vec<String> {
    let since = |reason: Option<String>, ms: i64, key: &str| {
        let (reason, when) = (reason.unwrap_or_default(), when(ms));
        p.lang.say(key, &[("reason", Arg::from(&reason)), ("when", Arg::from(&when))])
    };
    let mut why = vec![match &person.state {
        view::State::Unlinked => p.t("why-unlinked"),
        view::State::Active => p.t("why-active"),
        view::State::Left { reason, since_ms } => {
            since(Some(p.named("state", reason)), *since_ms, "why-left")
        }
        view::State::Resting { since_ms } => since(None, *since_ms, "why-resting"),
    }];
    for (field, view) in &person.fields {
        let key = match view.standing() {
            Standing::Held => "why-held",
            Standing::Moved => "why-moved",
            Standing::Differs => "why-differs",
            Standing::NotYet => "why-not-yet",
            Standing::NotMapped | Standing::Agreed => continue,
        };
        let field = p.word("field", field);
        why.push(p.lang.say(key, &[("field", Arg::from(&field))]));
    }
    if let Some(last) = &person.last_run {
        let status = p.word("status", &last.status);
        let args = [("run", Arg::from(last.run)), ("status", Arg::from(&status))];
        let said = p.lang.say("why-last-run", &args);
        why.push(match &last.reason {
            Some(reason) => format!("{said}: {}", p.told(reason)),
            None => format!("{said}."),
        });
    }
    why
}

/// The picture that the PBX has of an employee.
pub async fn photo(
    State(web): State<Web>,
    Path((id, person)): Path<(i64, String)>,
) -> Result<Response, Problem> {
    let row = server(&web, id).await?;
    let link = web.app.store.link(row.id, &PersonId::new(&*person)).await?;
    let link = link.ok_or_else(Problem::not_found)?;
    let answer = match web.app.pbx(row.pbx).await {
        Ok(pbx) => pbx.photo(link.employee, None).await.map_err(anyhow::Error::from),
        Err(error) => Err(error),
    };
    match answer {
        Ok(PhotoAnswer::Picture { bytes, .. }) => {
            let kind = kind_of(&bytes).ok_or_else(Problem::not_found)?;
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
                (header::CACHE_CONTROL, HeaderValue::from_static(limits::PHOTO_CACHE)),
            ];
            Ok((headers, bytes).into_response())
        }
        Ok(PhotoAnswer::Missing | PhotoAnswer::NotModified) => Err(Problem::not_found()),
        // A page without its picture is still a page.
        Err(error) => {
            tracing::warn!(%error, "a picture cannot be shown");
            Err(Problem::not_found())
        }
    }
}

/// What a picture is, by its first bytes; nothing that could hold a script.
fn kind_of(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// In one line: which value it is about, and what the matter is.
fn conflict_line(p: &Page, conflict: &ConflictView) -> String {
    let kind = p.named("conflict-kind", &conflict.conflict.kind);
    match conflict.conflict.field {
        Some(field) => format!("{}: {kind}", p.word("field", field)),
        None => kind,
    }
}

impl PersonPage {
    fn conflict(&self, conflict: &ConflictView) -> String {
        conflict_line(&self.p, conflict)
    }

    /// Where it can be answered.
    fn answers(&self, conflict: &ConflictView) -> String {
        let (id, name) = (self.id, encoded(&conflict.conflict.name));
        format!("/conflicts?server={id}&state={}&search={name}#conflict-{}", conflict.state, conflict.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_are_pictures() {
        for (bytes, kind) in [
            (&b"\xFF\xD8\xFF\xE0\0\x10JFIF"[..], Some("image/jpeg")),
            (b"\x89PNG\r\n\x1A\n\0", Some("image/png")),
            (b"GIF89a....", Some("image/gif")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"RIFF\0\0\0\0WAVEfmt ", None),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>", None),
            (b"<!doctype html>", None),
            (b"GIF8", None),
            (b"", None),
        ] {
            assert_eq!(kind_of(bytes), kind, "{bytes:?}");
        }
    }
}

//! The event bus: one message for each changed row, sent while the change is
//! still under way, kept for ten seconds and fifty messages.
//!
//! It never tells that a subscriber has missed something. The WebSocket form
//! is absent; EventSource and long-poll carry the same messages.

use http::HeaderMap;
use http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::broadcast;

pub(super) const PATH: &str = "/pbxcore/api/nchan/sub/event-bus";
pub(super) const PUBLISH_PATH: &str = "/pbxcore/api/nchan/pub/event-bus";
const KEPT_MAX: usize = 50;
const KEPT_MS: i64 = 10_000;
/// What a subscriber may lag behind before it loses messages.
const LAG_MAX: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Model {
    Users,
    Extensions,
    Sip,
    ExtensionForwardingRights,
    ExternalPhones,
}

/// A row that was saved or deleted, and the columns that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    model: Model,
    row: u64,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Created,
    Changed(Vec<&'static str>),
    Deleted,
}

/// A message as it was sent.
#[derive(Clone, Debug)]
pub struct Message {
    pub id: MessageId,
    pub data: Value,
    at_ms: i64,
}

/// `<unix seconds>:<n>`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageId {
    pub seconds: i64,
    pub n: u64,
}

/// What was missed, and what will come.
#[derive(Debug)]
pub struct Subscription {
    pub missed: VecDeque<Arc<Message>>,
    coming: broadcast::Receiver<Arc<Message>>,
}

#[derive(Debug)]
pub(super) struct Bus {
    kept: VecDeque<Arc<Message>>,
    last: MessageId,
    sender: broadcast::Sender<Arc<Message>>,
}

impl Event {
    pub(super) fn created(model: Model, row: u64) -> Self {
        Event { model, row, what: What::Created }
    }

    pub(super) fn deleted(model: Model, row: u64) -> Self {
        Event { model, row, what: What::Deleted }
    }

    /// `None` where nothing changed: unchanged rows send nothing. The columns
    /// come out in the order of the table.
    pub(super) fn changed(model: Model, row: u64, mut columns: Vec<&'static str>) -> Option<Self> {
        let place = |column: &&str| model.columns().iter().position(|known| known == column);
        columns.sort_by_key(place);
        columns.dedup();
        (!columns.is_empty()).then_some(Event { model, row, what: What::Changed(columns) })
    }

    fn message(&self) -> Value {
        let id_and = |first: bool| -> Vec<&str> {
            let all = self.model.columns().iter().copied();
            if first { ["id"].into_iter().chain(all).collect() } else { all.chain(["id"]).collect() }
        };
        let (row, action, columns) = match &self.what {
            What::Created => (json!(self.row.to_string()), "afterSave", id_and(false)),
            What::Changed(columns) => (json!(self.row), "afterSave", columns.clone()),
            What::Deleted => (json!(self.row), "afterDelete", id_and(true)),
        };
        json!({
            "type": "models-changed",
            "data": {
                "model": format!("MikoPBX\\Common\\Models\\{:?}", self.model),
                "recordId": row,
                "action": action,
                "changedFields": columns,
            },
        })
    }
}

impl Model {
    /// Without `id`.
    fn columns(self) -> &'static [&'static str] {
        match self {
            Model::Users => &["email", "username", "language", "avatar"],
            Model::Extensions => &[
                "number",
                "type",
                "callerid",
                "userid",
                "show_in_phonebook",
                "public_access",
                "is_general_user_number",
                "search_index",
            ],
            Model::Sip => &[
                "uniqid",
                "disabled",
                "extension",
                "type",
                "registration_type",
                "host",
                "port",
                "username",
                "secret",
                "transport",
                "outbound_proxy",
                "fromuser",
                "fromdomain",
                "nat",
                "dtmfmode",
                "qualifyfreq",
                "qualify",
                "networkfilterid",
                "manualattributes",
                "disablefromuser",
                "noregister",
                "description",
                "enableRecording",
                "weakSecret",
                "cid_source",
                "cid_custom_header",
                "cid_parser_start",
                "cid_parser_end",
                "cid_parser_regex",
                "did_source",
                "did_custom_header",
                "did_parser_start",
                "did_parser_end",
                "did_parser_regex",
                "cid_did_debug",
            ],
            Model::ExtensionForwardingRights => {
                &["extension", "forwarding", "forwardingonbusy", "forwardingonunavailable", "ringlength"]
            }
            Model::ExternalPhones => &[
                "extension",
                "uniqid",
                "dialstring",
                "manualdialplanincoming",
                "manualdialplanoutgoing",
                "disabled",
            ],
        }
    }
}

impl Bus {
    pub(super) fn new() -> Self {
        let (sender, _) = broadcast::channel(LAG_MAX);
        Bus { kept: VecDeque::new(), last: MessageId { seconds: 0, n: 0 }, sender }
    }

    pub(super) fn publish(&mut self, event: &Event, now_ms: i64) {
        let seconds = now_ms.div_euclid(1000);
        let n = if self.last.seconds == seconds { self.last.n + 1 } else { 0 };
        self.last = MessageId { seconds, n };
        let message = Arc::new(Message { id: self.last, data: event.message(), at_ms: now_ms });
        self.kept.push_back(Arc::clone(&message));
        if self.kept.len() > KEPT_MAX {
            self.kept.pop_front();
        }
        // Nobody listens, then.
        let _ = self.sender.send(message);
    }

    /// Whoever tells the last message they saw gets those after it that are
    /// still kept. Whoever does not gets nothing old.
    pub(super) fn subscribe(&self, after: Option<MessageId>, now_ms: i64) -> Subscription {
        let fresh = |message: &&Arc<Message>| message.at_ms >= now_ms - KEPT_MS;
        let missed = match after {
            Some(after) => {
                self.kept.iter().filter(fresh).filter(|message| message.id > after).cloned().collect()
            }
            None => VecDeque::new(),
        };
        Subscription { missed, coming: self.sender.subscribe() }
    }
}

impl Subscription {
    /// The next message, when it comes; `None` when the PBX is gone.
    pub async fn next(&mut self) -> Option<Arc<Message>> {
        if let Some(message) = self.missed.pop_front() {
            return Some(message);
        }
        loop {
            match self.coming.recv().await {
                Ok(message) => return Some(message),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    /// What is there already.
    pub fn drain(&mut self) -> Vec<Arc<Message>> {
        let mut messages: Vec<_> = self.missed.drain(..).collect();
        while let Ok(message) = self.coming.try_recv() {
            messages.push(message);
        }
        messages
    }
}

impl MessageId {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (seconds, n) = text.split_once(':')?;
        Some(MessageId { seconds: seconds.parse().ok()?, n: n.parse().ok()? })
    }
}

/// The last message that a subscriber saw, in the words of EventSource or of
/// long-poll.
pub(super) fn last_seen(headers: &HeaderMap) -> Option<MessageId> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(id) = header("last-event-id") {
        return MessageId::parse(id);
    }
    let since = header(IF_MODIFIED_SINCE.as_str())?;
    let n = header(IF_NONE_MATCH.as_str())?.parse().ok()?;
    let seconds = jiff::fmt::strtime::parse("%a, %d %b %Y %H:%M:%S GMT", since).ok()?.to_datetime().ok()?;
    let seconds = jiff::tz::TimeZone::UTC.to_timestamp(seconds).ok()?.as_second();
    Some(MessageId { seconds, n })
}

impl std::fmt::Display for MessageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.seconds, self.n)
    }
}

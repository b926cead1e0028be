//! API keys: their resource, their permissions, and the memory of verdicts
//! that outlives a change or a deletion.

use super::envelope::{Refusal, Reply, hex, local_time};
use super::record;
use super::request::{API, Call};
use super::state::State;
use effects::Random;
use http::Method;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};

const LIST: &str = "ApiKeys\\GetListAction::main";
const GET: &str = "ApiKeys\\GetRecordAction::main";
const SAVE: &str = "ApiKeys\\SaveRecordAction::main";
const DELETE: &str = "ApiKeys\\DeleteRecordAction::main";
const GENERATE: &str = "ApiKeys\\GenerateKeyAction::main";
const GOOD_S: u64 = 300;
const BAD_S: u64 = 60;
const VERDICTS_MAX: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Keys {
    keys: BTreeMap<u64, Key>,
    last_id: u64,
    /// By digest of the key: what it was when it was first used.
    verdicts: HashMap<[u8; 32], Verdict>,
}

#[derive(Clone, Debug, Default)]
struct Key {
    digest: [u8; 32],
    display: String,
    description: String,
    full_permissions: bool,
    /// Path to `read` or `write`.
    allowed_paths: BTreeMap<String, String>,
    /// Empty for none. A key with a filter is refused everywhere, because the
    /// shipped filter denies everybody first.
    networkfilterid: String,
    created_at: String,
    last_used_at: String,
}

#[derive(Debug)]
struct Verdict {
    key: Option<Key>,
    until_ms: i64,
}

impl Keys {
    pub(super) fn admits(
        &mut self,
        token: &str,
        verb: &Method,
        path: &str,
        now_ms: i64,
        memory_s: Option<u64>,
    ) -> bool {
        let digest: [u8; 32] = Sha256::digest(token).into();
        if self.verdicts.get(&digest).is_none_or(|verdict| verdict.until_ms <= now_ms) {
            let key = self.keys.values().find(|key| key.digest == digest).cloned();
            let seconds = memory_s.unwrap_or(if key.is_some() { GOOD_S } else { BAD_S });
            let until_ms = now_ms + i64::try_from(seconds * 1000).unwrap_or(i64::MAX / 2);
            if self.verdicts.len() >= VERDICTS_MAX {
                self.verdicts.retain(|_, verdict| verdict.until_ms > now_ms);
            }
            self.verdicts.insert(digest, Verdict { key, until_ms });
        }
        let verdict = self.verdicts.get(&digest).and_then(|verdict| verdict.key.as_ref());
        let admits = verdict.is_some_and(|key| key.permits(verb, path));
        if let Some(key) = self.keys.values_mut().find(|key| admits && key.digest == digest) {
            key.last_used_at = local_time(now_ms);
        }
        admits
    }

    pub(super) fn serve(
        &mut self,
        call: &Call,
        state: &State,
        random: &dyn Random,
        now_ms: i64,
    ) -> Option<Reply> {
        Some(match (&call.verb, call.method.as_deref(), call.record_id()) {
            (&Method::POST, Some("generateKey"), _) => {
                let mut bytes = [0; 32];
                random.fill(&mut bytes);
                Reply::ok("generateKey", GENERATE, json!({ "key": hex(&bytes) }))
            }
            (_, Some(_), _) => return None,
            (&Method::GET, None, None) => self.list(),
            (&Method::GET, None, Some(id)) => match self.keys.get(&id) {
                Some(key) => Reply::ok("getRecord", GET, key.detail(id, state)),
                None => Reply::text("getRecord", GET, "API key not found"),
            },
            (&Method::POST, None, _) => self.save(call, "create", None, state, random, now_ms),
            (&Method::PUT, None, id) => self.save(call, "update", id, state, random, now_ms),
            (&Method::PATCH, None, id) => self.save(call, "patch", id, state, random, now_ms),
            (_, None, id) => match id.and_then(|id| self.keys.remove(&id).map(|_| id)) {
                Some(id) => Reply::ok("delete", DELETE, json!({ "deleted_id": id.to_string() })),
                None => Reply::text("delete", DELETE, "API key not found").coded(404),
            },
        })
    }

    fn list(&self) -> Reply {
        let mut keys: Vec<(&u64, &Key)> = self.keys.iter().collect();
        keys.sort_by(|a, b| a.1.description.cmp(&b.1.description));
        let rows = keys.into_iter().map(|(id, key)| {
            json!({
                "id": id.to_string(),
                "description": key.description,
                "represent": format!("<i class=\"key icon\"></i> API key - {}", key.display),
                "created_at": key.created_at,
                "last_used_at": key.last_used_at,
                "allowed_paths_count": key.allowed_paths.len(),
                "has_network_filter": !key.networkfilterid.is_empty(),
                "has_key": true,
                "key_display": key.display,
                "full_permissions": key.full_permissions,
            })
        });
        Reply::ok("getList", LIST, rows.collect())
    }

    /// `id` is that of a PUT or PATCH. A key that is made here is never told.
    fn save(
        &mut self,
        call: &Call,
        function: &str,
        id: Option<u64>,
        state: &State,
        random: &dyn Random,
        now_ms: i64,
    ) -> Reply {
        let refuse = |refusal| Reply::refused(function, SAVE, refusal);
        let stored = id.and_then(|id| self.keys.get(&id)).cloned();
        if function != "create" && stored.is_none() {
            return refuse(Refusal::text("API key not found").coded(404));
        }
        if call.text("description").is_empty() {
            let error = json!({ "description": "Description is required" });
            return refuse(Refusal { status: 422, coded: true, error });
        }
        let mut key = stored.unwrap_or_else(|| Key::new(call, random, now_ms));
        if let Err(refusal) = key.change(call) {
            return refuse(refusal);
        }
        let created = id.is_none();
        let id = id.unwrap_or(self.last_id + 1);
        self.last_id = self.last_id.max(id);
        let data = key.detail(id, state);
        self.keys.insert(id, key);
        let reply = Reply::ok(function, SAVE, data).coded(if created { 201 } else { 200 });
        Reply { reload: created.then(|| format!("api-keys/modify/{id}")), ..reply }
    }
}

impl Key {
    fn new(call: &Call, random: &dyn Random, now_ms: i64) -> Self {
        let mut text = call.text("key");
        if text.is_empty() {
            let mut bytes = [0; 32];
            random.fill(&mut bytes);
            text = hex(&bytes);
        }
        let edge = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        Key {
            digest: Sha256::digest(&text).into(),
            display: format!("{}...{}", edge(0, 5), edge(text.len().saturating_sub(5), text.len())),
            created_at: local_time(now_ms),
            ..Key::default()
        }
    }

    fn change(&mut self, call: &Call) -> Result<(), Refusal> {
        self.description = call.text("description");
        if call.params.contains_key("full_permissions") {
            self.full_permissions = matches!(call.text("full_permissions").as_str(), "1" | "true");
        }
        match call.params.get("allowed_paths") {
            None => {}
            Some(Value::Object(paths)) => self.allowed_paths = granted(paths)?,
            // A list is accepted and stored as nothing.
            Some(_) => self.allowed_paths.clear(),
        }
        if call.params.contains_key("networkfilterid") {
            self.networkfilterid = match call.text("networkfilterid").as_str() {
                "none" | "localhost" => String::new(),
                id => id.to_owned(),
            };
        }
        Ok(())
    }

    fn permits(&self, verb: &Method, path: &str) -> bool {
        if !self.networkfilterid.is_empty() {
            return false;
        }
        let granted = self.allowed_paths.get(base_path(path)).map(String::as_str);
        self.full_permissions || granted == Some("write") || (granted == Some("read") && verb == Method::GET)
    }

    fn detail(&self, id: u64, state: &State) -> Value {
        let (filter, represent) = record::filter(state, &self.networkfilterid);
        let paths = if self.allowed_paths.is_empty() { json!([]) } else { json!(self.allowed_paths) };
        json!({
            "id": id.to_string(),
            "description": self.description,
            "created_at": self.created_at,
            "last_used_at": self.last_used_at,
            "networkfilterid": filter,
            "networkfilter_represent": represent,
            "has_network_filter": !self.networkfilterid.is_empty(),
            "key_display": self.display,
            "has_key": true,
            "full_permissions": self.full_permissions,
            "allowed_paths": paths,
            "allowed_paths_count": self.allowed_paths.len(),
        })
    }
}

fn granted(paths: &Map<String, Value>) -> Result<BTreeMap<String, String>, Refusal> {
    let mut granted = BTreeMap::new();
    for (path, permission) in paths {
        if !is_path(path) {
            let text = format!(
                "Invalid path format '{path}'. Must match pattern /api/v{{number}}/{{resource}}[/{{resource}}]"
            );
            return Err(Refusal::text(text).coded(422));
        }
        let permission = permission.as_str().unwrap_or_default();
        if !matches!(permission, "read" | "write") {
            let text =
                format!("Invalid permission at path '{path}': '{permission}'. Must be 'read' or 'write'");
            return Err(Refusal::text(text).coded(422));
        }
        granted.insert(path.clone(), permission.to_owned());
    }
    Ok(granted)
}

/// `^/api/v[0-9]+/[a-z0-9-]+(/[a-z0-9-]+)*$`, 10 to 255 characters.
fn is_path(path: &str) -> bool {
    let Some(rest) = path.strip_prefix("/api/v") else { return false };
    let Some((version, resources)) = rest.split_once('/') else { return false };
    let word = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    (10..=255).contains(&path.len()) && super::text::is_digits(version) && resources.split('/').all(word)
}

/// The path that a grant must name: without prefix, method and a trailing id.
/// A trailing word is no id, so single settings cannot be granted.
fn base_path(path: &str) -> &str {
    let api_root = API.find("/api/").unwrap_or(0);
    let path = path.get(api_root..).unwrap_or_default().trim_end_matches('/');
    let path = path.split_once(':').map_or(path, |(head, _)| head);
    match path.rsplit_once('/') {
        Some((head, id)) if super::text::is_digits(id) => head,
        _ => path,
    }
}

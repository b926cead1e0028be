//! What a request asks for: its parameters as the PBX sees them, and the
//! route that fits.

use super::text;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Number, Value};

pub(super) const API: &str = "/pbxcore/api/v3/";

pub(super) type Params = Map<String, Value>;

/// A call that has found its action.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub verb: Method,
    pub resource: &'static str,
    pub id: Option<String>,
    pub method: Option<String>,
    pub params: Params,
}

struct Resource {
    name: &'static str,
    verbs: &'static [Method],
    numeric_ids: bool,
}

const ALL: &[Method] = &[Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
const READ: &[Method] = &[Method::GET];
const RESOURCES: [Resource; 9] = [
    Resource { name: "employees", verbs: ALL, numeric_ids: true },
    Resource { name: "extensions", verbs: &[Method::GET, Method::POST], numeric_ids: false },
    Resource { name: "users", verbs: READ, numeric_ids: true },
    Resource { name: "sip", verbs: READ, numeric_ids: false },
    Resource { name: "passwords", verbs: &[Method::GET, Method::POST], numeric_ids: true },
    Resource { name: "auth", verbs: &[Method::POST], numeric_ids: true },
    Resource { name: "api-keys", verbs: ALL, numeric_ids: true },
    Resource { name: "system", verbs: READ, numeric_ids: true },
    Resource { name: "general-settings", verbs: READ, numeric_ids: false },
];

/// The call, or `None` where no route fits.
pub(super) fn route(verb: &Method, path: &str) -> Option<Call> {
    let path = decode(path.strip_prefix(API)?);
    let path = path.trim_end_matches('/');
    let (head, method) = match path.split_once(':') {
        Some((head, method)) => (head, Some(method)),
        None => (path, None),
    };
    let (name, id) = match head.split_once('/') {
        Some((name, id)) => (name, Some(id)),
        None => (head, None),
    };
    let resource = RESOURCES.iter().find(|resource| resource.name == name)?;
    let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
    let id_fits = |id: &str| if resource.numeric_ids { text::is_digits(id) } else { word(id) };
    let fits = resource.verbs.contains(verb) && id.is_none_or(id_fits) && method.is_none_or(word);
    fits.then(|| Call {
        verb: verb.clone(),
        resource: resource.name,
        id: id.map(str::to_owned),
        method: method.map(str::to_owned),
        params: Params::new(),
    })
}

/// Query arguments override the body, and an id in the path overrides both.
pub(super) fn params(query: &str, headers: &HeaderMap, body: &[u8], id: Option<&str>) -> Params {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut params = if content_type.contains("application/json") {
        // Anything but an object counts as an empty body.
        serde_json::from_slice(body).unwrap_or_default()
    } else {
        form(&String::from_utf8_lossy(body))
    };
    params.extend(form(query));
    params.values_mut().for_each(sanitise);
    if let Some(id) = id.filter(|id| *id != "0") {
        params.insert("id".to_owned(), id.into());
    }
    params
}

pub(super) fn form(text: &str) -> Params {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(&name.replace('+', " ")), Value::String(decode(&value.replace('+', " "))))
        })
        .collect()
}

pub(super) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

impl Call {
    /// A text parameter; scalars become text as in PHP.
    pub(super) fn text(&self, name: &str) -> String {
        self.params.get(name).and_then(scalar).unwrap_or_default()
    }

    /// An integer parameter, or `None` where it is absent.
    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.params.get(name).and_then(scalar).map(|text| integer(&text))
    }

    /// The id, from the path or the body. `0` and rubbish count as none.
    pub(super) fn record_id(&self) -> Option<u64> {
        self.text("id").parse().ok().filter(|id| *id != 0)
    }
}

/// `None` for null, arrays and objects.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(true) => Some("1".to_owned()),
        Value::Bool(false) => Some(String::new()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// PHP's cast of a text to an integer.
pub(super) fn integer(text: &str) -> i64 {
    let text = text::trim(text);
    let sign = usize::from(text.starts_with(['-', '+']));
    let digits = text[sign..].bytes().take_while(u8::is_ascii_digit).count();
    text[..sign + digits].parse().unwrap_or(0)
}

fn sanitise(value: &mut Value) {
    match value {
        Value::String(text) => {
            let is_address = text.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("http"));
            *text = if is_address { text::url_characters(text) } else { text::trim(text).to_owned() };
        }
        // Only digits and signs are kept: 3.7 becomes 37.
        Value::Number(number) => {
            let kept: String =
                number.to_string().chars().filter(|c| c.is_ascii_digit() || "+-".contains(*c)).collect();
            *number = Number::from(integer(&kept));
        }
        Value::Array(items) => items.iter_mut().for_each(sanitise),
        Value::Object(items) => items.values_mut().for_each(sanitise),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn routes_are_those_of_the_pbx() {
        let found =
            |verb, path: &str| route(&verb, &format!("{API}{path}")).map(|call| (call.id, call.method));
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(found(Method::GET, "employees/"), Some((None, None)));
        assert_eq!(found(Method::GET, "employees/12"), Some((text("12"), None)));
        assert_eq!(found(Method::GET, "employees%3AgetDefault"), Some((None, text("getDefault"))));
        assert_eq!(found(Method::POST, "employees/120:activate"), Some((text("120"), text("activate"))));
        for (verb, path) in
            [(Method::GET, "employees/abc"), (Method::POST, "users:available"), (Method::HEAD, "employees")]
        {
            assert_eq!(found(verb, path), None, "{path}");
        }
    }

    #[test]
    fn parameters_are_sanitised() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, "application/json; charset=utf-8".parse().unwrap());
        let body = json!({"a": "  x ", "n": 3.7, "b": true, "h": "Httpov Иван", "q": "body", "id": "5"});
        let seen = params("q=query+1", &headers, body.to_string().as_bytes(), Some("7"));
        assert_eq!(
            Value::Object(seen),
            json!({"a": "x", "n": 37, "b": true, "h": "Httpov", "q": "query 1", "id": "7"})
        );
        for broken in ["{broken", "[]", "\"x\"", ""] {
            assert!(params("", &headers, broken.as_bytes(), None).is_empty(), "{broken}");
        }
    }
}

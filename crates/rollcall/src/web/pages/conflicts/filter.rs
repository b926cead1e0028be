//! Which conflicts a page shows, and the addresses of other pages of the list.

use crate::web::visit::encoded;
use reconcile::ConflictKind;
use serde::Deserialize;
use store::{ConflictQuery, ConflictSort, ConflictState, DirectoryId, DirectoryRow, Order, Window};

/// As it comes in an address; what means nothing is ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    server: String,
    kind: String,
    state: String,
    search: String,
    sort: String,
    page: String,
}

impl Wanted {
    pub fn of(value: impl Fn(&str) -> String) -> Self {
        Wanted {
            server: value("server"),
            kind: value("kind"),
            state: value("state"),
            search: value("search"),
            sort: String::new(),
            page: String::new(),
        }
    }

    pub fn page(&self) -> u32 {
        self.page.parse().unwrap_or(1).max(1)
    }

    pub fn filter(&self, servers: &[DirectoryRow]) -> Filter {
        let server = servers.iter().map(|row| row.id).find(|id| id.to_string() == self.server);
        Filter {
            server,
            kind: ConflictKind::ALL.into_iter().find(|kind| kind.as_str() == self.kind),
            state: match self.state.as_str() {
                "silenced" => ConflictState::Silenced,
                _ => ConflictState::Open,
            },
            search: self.search.trim().to_owned(),
            sort: Sort::ALL.into_iter().find(|sort| sort.as_str() == self.sort).unwrap_or_default(),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Filter {
    pub server: Option<DirectoryId>,
    pub kind: Option<ConflictKind>,
    pub state: ConflictState,
    pub search: String,
    pub sort: Sort,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    NewestFirst,
    OldestFirst,
    Person,
    PersonBackwards,
}

impl Sort {
    const ALL: [Sort; 4] = [Sort::NewestFirst, Sort::OldestFirst, Sort::Person, Sort::PersonBackwards];

    pub const fn as_str(self) -> &'static str {
        match self {
            Sort::NewestFirst => "",
            Sort::OldestFirst => "oldest",
            Sort::Person => "person",
            Sort::PersonBackwards => "person-backwards",
        }
    }
}

impl Filter {
    pub fn query(&self, window: Window) -> ConflictQuery {
        let (sort, order) = match self.sort {
            Sort::NewestFirst => (ConflictSort::Date, Order::Descending),
            Sort::OldestFirst => (ConflictSort::Date, Order::Ascending),
            Sort::Person => (ConflictSort::Person, Order::Ascending),
            Sort::PersonBackwards => (ConflictSort::Person, Order::Descending),
        };
        let (directory, kind, state) = (self.server, self.kind, Some(self.state));
        ConflictQuery { directory, kind, state, search: self.search.clone(), sort, order, window }
    }

    pub fn server_text(&self) -> String {
        self.server.map(|id| id.to_string()).unwrap_or_default()
    }

    pub fn kind_text(&self) -> &'static str {
        self.kind.map_or("", ConflictKind::as_str)
    }

    pub const fn state_text(&self) -> &'static str {
        match self.state {
            ConflictState::Silenced => "silenced",
            _ => "",
        }
    }

    pub fn is_server(&self, id: &DirectoryId) -> bool {
        self.server == Some(*id)
    }

    pub fn is_kind(&self, kind: &ConflictKind) -> bool {
        self.kind == Some(*kind)
    }

    pub fn is_state(&self, state: &ConflictState) -> bool {
        self.state == *state
    }

    /// Whether anything narrows the list.
    pub fn is_narrow(&self) -> bool {
        self.server.is_some() || self.kind.is_some() || !self.search.is_empty()
    }

    pub fn with_state(&self, state: &ConflictState) -> String {
        Filter { state: *state, kind: None, ..self.clone() }.base()
    }

    pub fn with_kind(&self, kind: &ConflictKind) -> String {
        Filter { kind: Some(*kind), ..self.clone() }.base()
    }

    pub fn with_every_kind(&self) -> String {
        Filter { kind: None, ..self.clone() }.base()
    }

    /// Sorted by date, or turned round if it is already.
    pub fn by_date(&self) -> String {
        let sort = if self.sort == Sort::NewestFirst { Sort::OldestFirst } else { Sort::NewestFirst };
        Filter { sort, ..self.clone() }.base()
    }

    pub fn by_person(&self) -> String {
        let sort = if self.sort == Sort::Person { Sort::PersonBackwards } else { Sort::Person };
        Filter { sort, ..self.clone() }.base()
    }

    /// `aria-sort` of the two columns.
    pub const fn date_order(&self) -> &'static str {
        match self.sort {
            Sort::NewestFirst => "descending",
            Sort::OldestFirst => "ascending",
            _ => "none",
        }
    }

    pub const fn person_order(&self) -> &'static str {
        match self.sort {
            Sort::Person => "ascending",
            Sort::PersonBackwards => "descending",
            _ => "none",
        }
    }

    /// The address of this list, up to the number of the page.
    pub fn base(&self) -> String {
        let (server, search) = (self.server_text(), encoded(&self.search));
        let all = [
            ("server", server.as_str()),
            ("kind", self.kind_text()),
            ("state", self.state_text()),
            ("search", &search),
            ("sort", self.sort.as_str()),
        ];
        let said = all.iter().filter(|(_, value)| !value.is_empty());
        said.fold("?".to_owned(), |text, (name, value)| format!("{text}{name}={value}&"))
    }
}

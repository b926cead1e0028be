//! Those who may sign in, and what the server lets them see and do.

use super::schema::Personality;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeSet;

/// An account that programs sign in with. It is no entry of the directory.
#[derive(Clone, Debug)]
pub struct Account {
    pub name: String,
    pub password: SecretString,
    pub standing: Standing,
    pub rights: Rights,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Good,
    Disabled,
    PasswordExpired,
    MustChangePassword,
    LockedOut,
}

/// Attribute names in any spelling of case.
#[derive(Clone, Debug)]
pub struct Rights {
    pub writes: Writes,
    /// Left out of answers as if they were not there.
    pub hidden: BTreeSet<String>,
    /// More than this many entries unpaged end with code 4.
    pub unpaged_max: Option<usize>,
    /// More than this many in all end with code 4, paged or not.
    pub total_max: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Writes {
    Nothing,
    /// These attributes of any entry.
    Only(BTreeSet<String>),
    /// All but these, and adds, moves and deletes entries.
    AllBut(BTreeSet<String>),
}

impl Account {
    /// May do everything.
    pub fn administrator(name: &str, password: SecretString) -> Self {
        Account { name: name.to_owned(), password, standing: Standing::Good, rights: Rights::everything() }
    }

    /// Writes nothing and sees no SIP password.
    pub fn reader(name: &str, password: SecretString) -> Self {
        let mut account = Account::administrator(name, password);
        account.rights.writes = Writes::Nothing;
        account.rights.hidden.insert("sipPassword".to_owned());
        account.rights.unpaged_max = Some(500);
        account
    }

    /// Writes the attributes that a synchronisation writes.
    pub fn synchroniser(name: &str, password: SecretString) -> Self {
        let written =
            ["displayName", "cn", "ipPhone", "mobile", "mail", "jpegPhoto", "thumbnailPhoto", "sipPassword"];
        let mut account = Account::administrator(name, password);
        account.rights.writes = Writes::Only(written.map(str::to_owned).into());
        account.rights.unpaged_max = Some(500);
        account
    }

    pub fn has_password(&self, password: &str) -> bool {
        self.password.expose_secret() == password
    }

    /// The account's DN below the directory's base.
    pub fn dn(&self, personality: Personality, base: &str) -> String {
        match personality {
            Personality::OpenLdap => format!("cn={},{base}", self.name),
            Personality::ActiveDirectory => format!("CN={},CN=Users,{base}", self.name),
        }
    }
}

impl Rights {
    pub const fn everything() -> Self {
        Rights {
            writes: Writes::AllBut(BTreeSet::new()),
            hidden: BTreeSet::new(),
            unpaged_max: None,
            total_max: None,
        }
    }

    pub fn sees(&self, attribute: &str) -> bool {
        !has(&self.hidden, attribute)
    }

    pub fn may_write(&self, attribute: &str) -> bool {
        match &self.writes {
            Writes::Nothing => false,
            Writes::Only(these) => has(these, attribute),
            Writes::AllBut(these) => !has(these, attribute),
        }
    }

    pub fn may_shape_the_tree(&self) -> bool {
        matches!(self.writes, Writes::AllBut(_))
    }
}

fn has(names: &BTreeSet<String>, name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

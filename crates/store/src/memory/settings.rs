//! PBXes, directories, secrets and small things, in memory.

use super::{Memory, MemoryStore, next};
use crate::contract::{Reply, Settings};
use crate::error::Error;
use crate::rows::{By, DirectoryId, DirectoryRow, PbxRow, SecretOf};
use reconcile::canonical::Fingerprinter;
use secrecy::{ExposeSecret, SecretString};

impl Settings for MemoryStore {
    fn put_pbx<'a>(&'a self, row: &'a PbxRow, secret: Option<&'a SecretString>) -> Reply<'a, ()> {
        self.reply(move |memory| {
            if memory.pbxes.values().any(|other| other.id != row.id && other.name == row.name) {
                return Err(Error::NameTaken(row.name.clone()));
            }
            memory.pbxes.insert(row.id, row.clone());
            put_secret(memory, SecretOf::Pbx(row.id), secret);
            Ok(())
        })
    }

    fn pbxes(&self) -> Reply<'_, Vec<PbxRow>> {
        self.reply(|memory| Ok(memory.pbxes.values().cloned().collect()))
    }

    fn put_directory<'a>(
        &'a self,
        row: &'a DirectoryRow,
        secret: Option<&'a SecretString>,
    ) -> Reply<'a, DirectoryId> {
        self.reply(move |memory| {
            let before = match row.id {
                DirectoryId::NEW => None,
                id => Some(memory.directory(id)?.clone()),
            };
            check(memory, row, before.as_ref())?;
            let (id, observed) = match before {
                Some(before) => (row.id, before),
                None => {
                    let (last_complete_ms, pbx_complete_ms, references) = (0, 0, Vec::new());
                    let new = DirectoryRow { last_complete_ms, pbx_complete_ms, references, ..row.clone() };
                    (DirectoryId(next(&mut memory.last_directory)), DirectoryRow { ran_before: false, ..new })
                }
            };
            let (name, pbx) = (row.name.clone(), row.pbx);
            let (settings, policy) = (row.settings.clone(), row.policy.clone());
            let stored = DirectoryRow { id, name, pbx, settings, policy, ..observed };
            memory.directories.insert(id, stored);
            put_secret(memory, SecretOf::Directory(id), secret);
            Ok(id)
        })
    }

    fn directories(&self) -> Reply<'_, Vec<DirectoryRow>> {
        self.reply(|memory| {
            let mut rows: Vec<DirectoryRow> = memory.directories.values().cloned().collect();
            rows.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(rows)
        })
    }

    fn remove_directory(&self, directory: DirectoryId) -> Reply<'_, ()> {
        self.reply(move |memory| {
            memory.directories.remove(&directory);
            memory.leases.remove(&directory);
            memory.secrets.remove(&SecretOf::Directory(directory));
            memory.links.retain(|(of, _), _| *of != directory);
            memory.conflicts.retain(|_, row| row.directory != directory);
            memory.decisions.retain(|(of, ..), _| *of != directory);
            memory.quarantine.retain(|(of, ..), _| *of != directory);
            memory.plans.retain(|(of, _), _| *of != directory);
            memory.plan_people.retain(|(of, _), _| *of != directory);
            memory.pictures.retain(|_, picture| picture.directory != directory);
            let names = format!("{}/", SecretOf::Directory(directory));
            memory.meta.retain(|name, _| !name.starts_with(&names));
            Ok(())
        })
    }

    fn note_directory_read<'a>(&'a self, by: By, at_ms: i64, references: &'a [String]) -> Reply<'a, ()> {
        self.reply(move |memory| {
            let directory = memory.fenced(by)?;
            let row = memory.directory(directory)?;
            row.last_complete_ms = at_ms;
            row.references = references.to_vec();
            Ok(())
        })
    }

    fn note_pbx_read(&self, by: By, at_ms: i64) -> Reply<'_, ()> {
        self.reply(move |memory| {
            let directory = memory.fenced(by)?;
            memory.directory(directory)?.pbx_complete_ms = at_ms;
            Ok(())
        })
    }

    fn secret(&self, of: SecretOf) -> Reply<'_, Option<SecretString>> {
        self.reply(move |memory| Ok(memory.secrets.get(&of).cloned()))
    }

    fn meta<'a>(&'a self, name: &'a str) -> Reply<'a, Option<String>> {
        self.reply(move |memory| Ok(memory.meta.get(name).cloned()))
    }

    fn put_meta<'a>(&'a self, name: &'a str, value: Option<&'a str>) -> Reply<'a, ()> {
        self.reply(move |memory| {
            match value {
                Some(value) => memory.meta.insert(name.to_owned(), value.to_owned()),
                None => memory.meta.remove(name),
            };
            Ok(())
        })
    }

    fn swap_meta<'a>(&'a self, name: &'a str, was: Option<&'a str>, now: &'a str) -> Reply<'a, bool> {
        self.reply(move |memory| {
            let is_as_it_was = memory.meta.get(name).map(String::as_str) == was;
            if is_as_it_was {
                memory.meta.insert(name.to_owned(), now.to_owned());
            }
            Ok(is_as_it_was)
        })
    }

    fn metas<'a>(&'a self, prefix: &'a str) -> Reply<'a, Vec<(String, String)>> {
        self.reply(move |memory| {
            let named = memory.meta.iter().filter(|(name, _)| name.starts_with(prefix));
            Ok(named.map(|(name, value)| (name.clone(), value.clone())).collect())
        })
    }

    fn remove_metas<'a>(&'a self, names: &'a [String]) -> Reply<'a, ()> {
        self.reply(move |memory| {
            memory.meta.retain(|name, _| !names.contains(name));
            Ok(())
        })
    }

    fn fingerprinter(&self) -> Fingerprinter {
        self.fingerprinter.clone()
    }
}

fn check(memory: &Memory, row: &DirectoryRow, before: Option<&DirectoryRow>) -> Result<(), Error> {
    if memory.directories.values().any(|other| other.id != row.id && other.name == row.name) {
        return Err(Error::NameTaken(row.name.clone()));
    }
    if !memory.pbxes.contains_key(&row.pbx) {
        return Err(Error::missing("PBX", row.pbx));
    }
    let linked = memory.links.keys().any(|(of, _)| *of == row.id);
    if linked && before.is_some_and(|before| before.pbx != row.pbx) {
        return Err(Error::PbxFixed(row.name.clone()));
    }
    Ok(())
}

fn put_secret(memory: &mut Memory, of: SecretOf, secret: Option<&SecretString>) {
    match secret {
        None => {}
        Some(secret) if secret.expose_secret().is_empty() => {
            memory.secrets.remove(&of);
        }
        Some(secret) => {
            memory.secrets.insert(of, secret.clone());
        }
    }
}

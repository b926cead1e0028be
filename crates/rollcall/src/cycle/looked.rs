//! The gate before automatic runs: what they would do, a human has looked at
//! with exactly these settings. A preview counts, and so does a run that a
//! human started and that was carried out; a plan nobody asked for does not.

use crate::app::{App, directory_settings, pbx_settings};
use anyhow::Result;
use reconcile::Policy;
use reconcile::guard::LookFirst;
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{DirectoryId, DirectoryRow};

/// The settings of a server as a fingerprint.
pub async fn settings_of(app: &App, row: &DirectoryRow) -> Result<String> {
    let pbx = pbx_settings(&app.pbx_row(row.pbx).await?)?;
    Ok(fingerprint(&directory_settings(row)?, &row.policy, &pbx))
}

/// Why an automatic run of this server has to wait for a human, if so. Nothing
/// is known of one whose PBX nobody has set yet.
pub async fn look_first(app: &App, row: &DirectoryRow) -> Result<Option<LookFirst>> {
    match app.store.pbxes().await?.iter().any(|pbx| pbx.id == row.pbx && !pbx.settings.is_null()) {
        true => missing(app, row.id, &settings_of(app, row).await?).await,
        false => Ok(Some(LookFirst::NeverLooked)),
    }
}

/// Why an automatic run with these settings has to wait for a human, if so.
pub async fn missing(app: &App, directory: DirectoryId, settings: &str) -> Result<Option<LookFirst>> {
    Ok(match app.store.meta(&key(directory)).await? {
        None => Some(LookFirst::NeverLooked),
        Some(looked) if looked != settings => Some(LookFirst::SettingsChanged),
        Some(_) => None,
    })
}

/// A human has seen what a run with these settings does.
pub async fn note(app: &App, directory: DirectoryId, settings: &str) -> Result<()> {
    match missing(app, directory, settings).await? {
        None => Ok(()),
        Some(_) => Ok(app.store.put_meta(&key(directory), Some(settings)).await?),
    }
}

/// Everything that decides what is read, from where, and which way it goes.
/// Taken apart without a rest: whoever adds a setting decides here whether a
/// change of it wants a look.
fn fingerprint(directory: &directory::Settings, policy: &Policy, pbx: &pbx::Settings) -> String {
    let directory::Settings {
        kind,
        hosts,
        domain,
        port,
        security: _,
        trust: _,
        // Whom we sign in as decides what may be read.
        sign_in,
        client_certificate: _,
        base_dn,
        ous,
        exclude,
        groups,
        filter,
        id_attribute,
        map,
        allow_plain: _,
        region,
        page_size: _,
    } = directory;
    let Policy {
        write_back,
        fields,
        // Both follow from the map and the region above.
        read_only: _,
        region: _,
        numbers: _,
        cool_down_ms: _,
        thresholds: _,
    } = policy;
    let pbx::Settings { url, sign_in: _, trust: _ } = pbx;
    let servers = domain.as_ref().map_or_else(|| json!(hosts), |domain| json!({ "domain": domain }));
    let decisive = json!([
        [kind, servers, port, sign_in, base_dn, ous, exclude, groups, filter, id_attribute, map, region],
        [write_back, fields],
        [url],
    ]);
    Sha256::digest(decisive.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn key(directory: DirectoryId) -> String {
    format!("directory/{directory}/looked")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::pbx::SignIn as PbxSignIn;
    use directory::{AttributeMap, Kind, Security, SignIn, Source, Trust};
    use reconcile::{BothChanged, Direction, Field, FirstMeeting, NumberRange};

    struct All {
        directory: directory::Settings,
        policy: Policy,
        pbx: ::pbx::Settings,
    }

    type Edit = fn(&mut All);

    fn all() -> All {
        let kind = Kind::OpenLdap;
        All {
            directory: directory::Settings {
                kind,
                hosts: vec!["ldap.example.test".to_owned()],
                domain: None,
                port: 636,
                security: Security::Ldaps,
                trust: Trust::System,
                sign_in: SignIn::Simple { dn: "cn=sync,dc=example,dc=test".to_owned() },
                client_certificate: None,
                base_dn: "dc=example,dc=test".to_owned(),
                ous: Vec::new(),
                exclude: Vec::new(),
                groups: Vec::new(),
                filter: None,
                id_attribute: None,
                map: AttributeMap::default_of(kind),
                allow_plain: false,
                region: None,
                page_size: 500,
            },
            policy: Policy::default(),
            pbx: ::pbx::Settings {
                url: "https://pbx.example.test".to_owned(),
                sign_in: PbxSignIn::ApiKey,
                trust: ::pbx::Trust::SystemRoots,
            },
        }
    }

    fn print(all: &All) -> String {
        fingerprint(&all.directory, &all.policy, &all.pbx)
    }

    #[test]
    fn whatever_is_read_or_written_otherwise_wants_a_look() {
        let changes: [(&str, Edit); 22] = [
            ("kind", |all| all.directory.kind = Kind::Ds389),
            ("domain", |all| all.directory.domain = Some("example.test".to_owned())),
            ("hosts", |all| all.directory.hosts.push("other.example.test".to_owned())),
            ("port", |all| all.directory.port = 3636),
            ("account", |all| all.directory.sign_in = SignIn::External),
            ("domain root", |all| all.directory.base_dn = "ou=x,dc=example,dc=test".to_owned()),
            ("subdivisions", |all| all.directory.ous.push("ou=x,dc=example,dc=test".to_owned())),
            ("excluded", |all| all.directory.exclude.push("ou=x,dc=example,dc=test".to_owned())),
            ("groups", |all| all.directory.groups.push("ou=x,dc=example,dc=test".to_owned())),
            ("filter", |all| all.directory.filter = Some("(l=Berlin)".to_owned())),
            ("id attribute", |all| all.directory.id_attribute = Some("uid".to_owned())),
            ("attribute", |all| all.directory.map.fields[Field::Email] = None),
            ("template", |all| {
                let template: Source = "{sn} {givenName}".parse().unwrap();
                all.directory.map.fields[Field::Name] = Some(template);
            }),
            ("account state", |all| all.directory.map.account_state = Some("employeeType".to_owned())),
            ("region", |all| all.directory.region = Some("DE".to_owned())),
            ("write back", |all| all.policy.write_back = true),
            ("direction", |all| all.policy.fields[Field::Mobile].direction = Direction::ToPbx),
            ("direction of another", |all| all.policy.fields[Field::Photo].direction = Direction::ToPbx),
            ("both changed", |all| all.policy.fields[Field::Mobile].both_changed = BothChanged::Pbx),
            ("first meeting", |all| all.policy.fields[Field::Mobile].first_meeting = FirstMeeting::Pbx),
            ("clear", |all| all.policy.fields[Field::Mobile].clear = false),
            ("the PBX", |all| all.pbx.url = "https://other.example.test".to_owned()),
        ];
        let mut prints = vec![("nothing", print(&all()))];
        for (what, change) in changes {
            let mut changed = all();
            change(&mut changed);
            let print = print(&changed);
            let same = prints.iter().find(|(_, other)| *other == print);
            assert_eq!(same, None, "{what}");
            prints.push((what, print));
        }
    }

    #[test]
    fn what_only_protects_or_paces_wants_none() {
        let changes: [(&str, Edit); 8] = [
            ("encryption", |all| all.directory.security = Security::StartTls),
            ("trust", |all| all.directory.trust = Trust::CaPem("PEM".to_owned())),
            ("plain", |all| all.directory.allow_plain = true),
            ("page size", |all| all.directory.page_size = 7),
            ("number ranges", |all| all.policy.numbers = vec![NumberRange { from: 200, to: 299 }]),
            ("limits", |all| all.policy.thresholds.percent = 50),
            ("cool-down", |all| all.policy.cool_down_ms = 1),
            ("how we sign in to the PBX", |all| all.pbx.sign_in = PbxSignIn::Local),
        ];
        for (what, change) in changes {
            let mut changed = all();
            change(&mut changed);
            assert_eq!(print(&changed), print(&all()), "{what}");
        }
    }

    #[tokio::test]
    async fn a_look_holds_for_the_settings_it_was_at() {
        let app = crate::cli::testing::app();
        let directory = crate::cli::testing::server(&app).await;
        let missing = |settings: &'static str| missing(&app, directory, settings);
        assert_eq!(missing("these").await.unwrap(), Some(LookFirst::NeverLooked));
        note(&app, directory, "these").await.unwrap();
        assert_eq!(missing("these").await.unwrap(), None);
        assert_eq!(missing("others").await.unwrap(), Some(LookFirst::SettingsChanged));
        note(&app, directory, "others").await.unwrap();
        assert_eq!(missing("these").await.unwrap(), Some(LookFirst::SettingsChanged));
    }
}

//! The client against the sandbox's directory, in both its personalities:
//! what the demo and the simulations stand on.

#![allow(clippy::unwrap_used, clippy::panic)]

use directory::{
    AttributeMap, AttributeRight, Content, Count, Dial, Directory, Kind, Known, MayWrite, Outcome,
    SampleValue, Security, Settings, SignIn, StepName, Stream, Target, Trust, Write, naming_contexts,
};
use effects::{BoxFuture, ManualClock, SeededRandom};
use reconcile::canonical::Fingerprinter;
use reconcile::{Field, FieldMap, Person, Reading, Value, Whereabouts};
use sandbox::company::Company;
use sandbox::directory::{Options, Personality};
use std::io;
use std::sync::Arc;
use uuid::Uuid;

const PEOPLE: usize = 120;

#[derive(Debug)]
struct Pipe(sandbox::directory::Directory);

impl Dial for Pipe {
    fn dial<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let server = self.0.clone();
        tokio::spawn(async move { server.attach(theirs).await });
        Box::pin(async { Ok(Box::new(ours) as Box<dyn Stream>) })
    }
}

fn company(personality: Personality) -> (sandbox::directory::Directory, Directory) {
    let clock = Arc::new(ManualClock::at(1_800_000_000_000));
    let random = Arc::new(SeededRandom::new(7));
    let options = Options::new(personality, "secret".to_owned().into(), clock, random);
    let server = sandbox::directory::Directory::new(options).unwrap();
    server.populate(&Company::new(PEOPLE, 7)).unwrap();
    let kind = match personality {
        Personality::OpenLdap => Kind::OpenLdap,
        Personality::ActiveDirectory => Kind::ActiveDirectory,
    };
    let mut fields: FieldMap<_> = AttributeMap::default_of(kind).fields;
    for (field, name) in
        [(Field::Name, "displayName"), (Field::Extension, "ipPhone"), (Field::SipPassword, "sipPassword")]
    {
        fields[field] = Some(name.parse().unwrap());
    }
    let settings = Settings {
        kind,
        hosts: vec!["sandbox".to_owned()],
        domain: None,
        port: 389,
        security: Security::None,
        trust: Trust::System,
        sign_in: SignIn::Simple { dn: server.account_dn("pbx-sync").unwrap() },
        client_certificate: None,
        base_dn: server.base().to_owned(),
        ous: Vec::new(),
        exclude: Vec::new(),
        groups: Vec::new(),
        filter: None,
        id_attribute: None,
        map: AttributeMap { fields, account_state: None },
        allow_plain: true,
        region: Some("RU".to_owned()),
        page_size: 50,
    };
    let client = signed_in(&server, settings);
    (server, client)
}

fn signed_in(server: &sandbox::directory::Directory, settings: Settings) -> Directory {
    let clock = Arc::new(ManualClock::at(1_800_000_000_000));
    let dial = Arc::new(Pipe(server.clone()));
    let secret = Some("secret".to_owned().into());
    Directory::new(settings, secret, Fingerprinter::new([3; 32]), dial, clock).unwrap()
}

async fn everybody(client: &mut Directory) -> Vec<Person> {
    let read = client.read_people(&Known::default(), &mut |_| {}).await.unwrap();
    assert!(read.snapshot.verdict.is_complete(), "{:?}", read.snapshot.verdict);
    read.snapshot.rows
}

async fn a_whole_story(personality: Personality) {
    let (server, mut client) = company(personality);
    let people = everybody(&mut client).await;
    assert_eq!(people.len(), PEOPLE);
    assert!(people.iter().any(|person| !person.account.active()));
    assert!(people.iter().all(|person| person.mark.is_some()));

    let id = server
        .hire(&server.people_unit(), "newcomer", "Новиков Пётр", &[("mobile", "+7 916 000-00-01")])
        .unwrap();
    let person =
        everybody(&mut client).await.into_iter().find(|person| *person.id.0 == *id.to_string()).unwrap();
    let target = Target::from(&person);
    let before = person.fields[Field::Mobile].values()[0].clone();
    let writes = server.writes();
    let changes = [
        Write { field: Field::Extension, before: None, after: Some(Content::Text("299".to_owned())) },
        Write {
            field: Field::Mobile,
            before: Some(before.clone()),
            after: Some(Content::Text("+79160000002".to_owned())),
        },
        Write {
            field: Field::SipPassword,
            before: None,
            after: Some(Content::Secret("Secret-1".to_owned().into())),
        },
    ];
    for (field, outcome) in client.write(&target, &changes).await.outcomes {
        assert!(matches!(&outcome, Outcome::Stored(Reading::Values(_))), "{field}: {outcome:?}");
    }
    assert_eq!(server.writes(), writes + 1, "one modify for all of them");
    let stale = Write { field: Field::Mobile, before: Some(before), after: None };
    let report = client.write(&target, &[stale]).await;
    assert!(matches!(report.outcomes[..], [(Field::Mobile, Outcome::Stale(_))]), "{report:?}");
    assert_eq!(server.writes(), writes + 1);

    dated(&server, &mut client, &target, id).await;
    assert_eq!(client.whereabouts(&target).await.unwrap(), Whereabouts::InScope);
    server.delete(id).unwrap();
    assert_eq!(client.whereabouts(&target).await.unwrap(), Whereabouts::NotFound);
}

/// Active Directory dates attributes; a removal leaves its date.
async fn dated(server: &sandbox::directory::Directory, client: &mut Directory, target: &Target, id: Uuid) {
    let person = client.person(target).await.unwrap().unwrap();
    server.set::<&str>(id, "mobile", &[]).unwrap();
    let after = client.person(target).await.unwrap().unwrap();
    assert_eq!(after.fields[Field::Mobile], Reading::Absent);
    assert_ne!(after.mark, person.mark);
    let changes = client.attribute_changes(target).await.unwrap();
    let is_ad = server.personality() == Personality::ActiveDirectory;
    assert_eq!(changes[Field::Mobile].is_some(), is_ad);
    assert_eq!(changes[Field::SipPassword].is_some(), is_ad, "an attribute added to the schema");
    if is_ad {
        assert_eq!(changes[Field::Mobile].as_ref().map(|change| &change.mark), after.mark.as_ref());
    }
}

#[tokio::test]
async fn a_whole_story_on_openldap() {
    // Spawned: every future of the client may move between threads.
    tokio::spawn(a_whole_story(Personality::OpenLdap)).await.unwrap();
}

#[tokio::test]
async fn a_whole_story_on_active_directory() {
    a_whole_story(Personality::ActiveDirectory).await;
}

#[tokio::test]
async fn the_account_we_sign_in_with_is_nobody_on_active_directory() {
    let (server, client) = company(Personality::ActiveDirectory);
    let account = server.account_dn("pbx-sync").unwrap();
    let (_, place) = account.split_once(',').unwrap();
    let id = server.hire(place, "pbx-sync", "pbx-sync", &[]).unwrap();
    let target = Target { id: reconcile::PersonId::new(id.to_string()), dn: account.clone() };
    let netbios = server.base().split(['=', ',']).nth(1).unwrap().to_uppercase();
    let realm = server.base().to_lowercase().replace("dc=", "").replace(',', ".");
    let names = [account.clone(), format!("{netbios}\\pbx-sync"), format!("pbx-sync@{realm}")];
    for dn in names {
        let settings = Settings { sign_in: SignIn::Simple { dn: dn.clone() }, ..client.settings().clone() };
        let mut client = signed_in(&server, settings);
        assert_eq!(everybody(&mut client).await.len(), PEOPLE, "{dn}");
        let whereabouts = client.whereabouts(&target).await.unwrap();
        assert!(matches!(whereabouts, Whereabouts::FilteredOut { .. }), "{dn}: {whereabouts:?}");
    }
}

#[tokio::test]
async fn the_rights_are_told_in_words() {
    let (server, client) = company(Personality::ActiveDirectory);
    let rights = async |name: &str| {
        let sign_in = SignIn::Simple { dn: server.account_dn(name).unwrap() };
        let settings = Settings { sign_in, ..client.settings().clone() };
        signed_in(&server, settings).test().await.pop().unwrap()
    };
    let all = rights("admin").await;
    assert!(all.is_ok() && all.detail.starts_with("may write displayName"), "{all:?}");
    let reader = rights("pbx-reader").await;
    assert!(!reader.is_ok() && reader.detail.starts_with("may not write displayName"), "{reader:?}");
    assert!(reader.detail.contains("give the account the right to write them, unless"), "{reader:?}");
}

#[tokio::test]
async fn photos_are_read_one_by_one() {
    let (_, mut client) = company(Personality::OpenLdap);
    let targets: Vec<Target> = everybody(&mut client).await.iter().map(Target::from).collect();
    let mut found: Vec<(Target, Value)> = Vec::new();
    client
        .photos(&targets, &mut |id, reading| {
            let target = targets.iter().find(|target| target.id == *id).unwrap();
            found.extend(reading.values().iter().map(|value| (target.clone(), value.clone())));
        })
        .await
        .unwrap();
    assert!(!found.is_empty(), "some people have a photo");
    let (target, value) = &found[0];
    let bytes = client.photo_bytes(target, value).await.unwrap().unwrap();
    assert_eq!(reconcile::canonical::photo(&bytes).as_ref(), Ok(value));
}

#[tokio::test]
async fn what_the_page_of_a_server_asks_is_answered() {
    for personality in [Personality::OpenLdap, Personality::ActiveDirectory] {
        let (server, mut client) = company(personality);
        let ad = personality == Personality::ActiveDirectory;
        let writes = server.writes();

        let clock: Arc<dyn effects::Clock> = Arc::new(ManualClock::at(1_800_000_000_000));
        let secret = Some("secret".to_owned().into());
        let dial = Pipe(server.clone());
        let contexts = naming_contexts(client.settings(), secret.as_ref(), &dial, &clock).await.unwrap();
        assert_eq!((contexts.suggested.as_deref(), contexts.all.len()), (Some(server.base()), 1));

        let root = client.subdivisions(server.base()).await.unwrap();
        let names: Vec<&str> = root.subdivisions.iter().map(|one| one.name.as_str()).collect();
        let expected: &[&str] = if ad {
            &["Computers", "Users", "Группы", "Сотрудники"]
        } else {
            &["Группы", "Сотрудники"]
        };
        assert_eq!((names.as_slice(), root.more), (expected, false));
        let people = root.subdivisions.last().unwrap();
        assert!(people.has_subdivisions && people.dn == server.people_unit());
        assert!(!root.subdivisions[names.len() - 2].has_subdivisions);

        assert_eq!(client.count_people().await.unwrap(), Count { people: PEOPLE, cut_short: None });

        let schema = client.schema().await.unwrap();
        let of = |name: &str| schema.attributes.iter().find(|one| one.name == name).unwrap();
        assert!(of("ipPhone").of_people && of("mail").of_people && !of("member").of_people);
        assert_eq!(of("mobile").single_valued, ad);
        assert!(of(if ad { "objectGUID" } else { "entryUUID" }).servers_own);

        let samples = client.samples().await.unwrap();
        assert_eq!(samples.len(), 3);
        assert_eq!(samples[0].fields[&Field::SipPassword], [SampleValue::Set]);
        let pictures = |sample: &directory::Sample| sample.fields[&Field::Photo].clone();
        let is_picture = |value: SampleValue| matches!(value, SampleValue::Picture { bytes: 100.. });
        assert!(samples.iter().flat_map(pictures).all(is_picture));

        let rights = client.rights(&samples[0].dn).await.unwrap();
        let told = |right: &AttributeRight| right.may_write == MayWrite::Yes;
        assert!(rights.len() == 6 && rights.iter().all(told) == ad, "{rights:?}");
        assert_eq!(server.writes(), writes, "nothing is written to find out");
    }
}

/// The group of some person, and the people in it.
fn a_group(server: &sandbox::directory::Directory) -> (String, Uuid, Vec<String>) {
    let group = server.people().into_iter().find_map(|id| server.entry(id)?.text("memberOf")).unwrap();
    let name = group.split(['=', ',']).nth(1).unwrap();
    let id = server.find("cn", name)[0];
    let members = &server.entry(id).unwrap().attributes["member"];
    let members = members.iter().map(|dn| String::from_utf8(dn.clone()).unwrap()).collect();
    (group, id, members)
}

#[tokio::test]
async fn groups_narrow_the_people_and_nobody_leaves_by_silence() {
    for personality in [Personality::OpenLdap, Personality::ActiveDirectory] {
        let (server, client) = company(personality);
        let (group, id, members) = a_group(&server);
        let settings = Settings { groups: vec![group.clone()], ..client.settings().clone() };
        let mut client = signed_in(&server, settings.clone());
        let people = everybody(&mut client).await;
        assert_eq!(people.len(), members.len());
        assert_eq!(client.count_people().await.unwrap().people, members.len());
        let steps = client.test().await;
        assert!(steps.iter().any(|step| step.name == StepName::Groups && step.is_ok()), "{steps:#?}");

        let target = Target::from(&people[0]);
        assert_eq!(client.whereabouts(&target).await.unwrap(), Whereabouts::InScope);
        // Whose entry says nothing because nobody may read what it says.
        let hide = |hide: bool| {
            server.with_account("pbx-sync", |account| {
                match hide {
                    true => account.rights.hidden.insert("memberOf".to_owned()),
                    false => account.rights.hidden.remove("memberOf"),
                };
            })
        };
        hide(true).unwrap();
        assert_eq!(everybody(&mut client).await.len(), 0);
        match client.whereabouts(&target).await.unwrap() {
            Whereabouts::Refused(why) => assert!(why.contains("does not say so"), "{why}"),
            other => panic!("{personality:?}: {other:?}"),
        }
        hide(false).unwrap();

        let rest: Vec<&String> = members.iter().filter(|dn| **dn != *target.dn).collect();
        let all_others = if rest.is_empty() { vec![&group] } else { rest };
        server.set(id, "member", &all_others).unwrap();
        let left = client.whereabouts(&target).await.unwrap();
        assert!(matches!(left, Whereabouts::FilteredOut { .. }), "{personality:?}: {left:?}");
        server
            .with_account("pbx-sync", |account| {
                account.rights.hidden.insert("member".to_owned());
            })
            .unwrap();
        let unseen = client.whereabouts(&target).await.unwrap();
        assert!(matches!(unseen, Whereabouts::Refused(_)), "{personality:?}: {unseen:?}");
    }
}

#[tokio::test]
async fn groups_in_groups_count_on_active_directory() {
    let (server, client) = company(Personality::ActiveDirectory);
    let (group, id, members) = a_group(&server);
    let other = server.people().into_iter().filter_map(|id| server.entry(id)?.text("memberOf"));
    let outer = other.into_iter().find(|other| *other != group).unwrap();
    let outer_id = server.find("cn", outer.split(['=', ',']).nth(1).unwrap())[0];
    server.set(outer_id, "member", &[&group]).unwrap();
    let settings = Settings { groups: vec![outer], ..client.settings().clone() };
    let mut client = signed_in(&server, settings);
    let people = everybody(&mut client).await;
    assert_eq!(people.len(), members.len());
    server.set(id, "member", &members[1..]).unwrap();
    let target = people.iter().find(|person| *person.dn == *members[0]).map(Target::from).unwrap();
    let left = client.whereabouts(&target).await.unwrap();
    assert!(matches!(left, Whereabouts::FilteredOut { .. }), "{left:?}");
}

#[tokio::test]
async fn excluded_people_are_out_of_scope_for_reads_and_look_ups() {
    let (server, client) = company(Personality::OpenLdap);
    let mut all = signed_in(&server, client.settings().clone());
    let people = everybody(&mut all).await;
    let (_, unit) = people[0].dn.split_once(',').unwrap();
    let inside = people.iter().filter(|person| person.dn.ends_with(unit)).count();
    let settings = Settings { exclude: vec![unit.to_uppercase()], ..client.settings().clone() };
    let mut client = signed_in(&server, settings);
    assert_eq!(everybody(&mut client).await.len(), PEOPLE - inside);
    assert_eq!(client.count_people().await.unwrap().people, PEOPLE - inside);
    let target = Target::from(&people[0]);
    let place = client.whereabouts(&target).await.unwrap();
    assert!(matches!(place, Whereabouts::OutOfScope { .. }), "{place:?}");
}

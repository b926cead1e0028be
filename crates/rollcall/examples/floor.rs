//! The measured side of `scripts/bench`: reads and plans a real directory,
//! plans links that stand still, creates employees in a sandbox PBX. Each
//! figure is printed as `name value`, to be set against its floor.

use anyhow::{Context, Result, bail};
use directory::{AttributeMap, Directory, Kind, Known, Security, Settings, SignIn, TcpDial, Trust};
use effects::{SystemClock, SystemRandom};
use reconcile::canonical::{self, Fingerprinter};
use reconcile::guard::Touched;
use reconcile::plan::plan;
use reconcile::{
    Account, Employee, EmployeeId, Field, FieldMap, Interval, Link, LinkState, Mark, Pair, Person, PersonId,
    Policy, Reading, Sight, Snapshot, Value, Verdict, World,
};
use secrecy::SecretString;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["read", host, port, base, dn, password] => read(host, port.parse()?, base, dn, password).await,
        ["plan", people] => plan_standing_still(people.parse()?),
        ["create", people, tasks] => create(people.parse()?, tasks.parse()?).await,
        _ => bail!("floor read HOST PORT BASE DN PASSWORD | plan PEOPLE | create PEOPLE TASKS"),
    }
}

/// Reads everybody and plans a first synchronisation with an empty PBX.
async fn read(host: &str, port: u16, base: &str, dn: &str, password: &str) -> Result<()> {
    let settings = Settings {
        kind: Kind::OpenLdap,
        hosts: vec![host.to_owned()],
        domain: None,
        port,
        security: Security::None,
        trust: Trust::System,
        sign_in: SignIn::Simple { dn: dn.to_owned() },
        client_certificate: None,
        base_dn: base.to_owned(),
        ous: Vec::new(),
        exclude: Vec::new(),
        groups: Vec::new(),
        filter: None,
        id_attribute: None,
        map: AttributeMap::default_of(Kind::OpenLdap),
        allow_plain: false,
        region: Some("RU".to_owned()),
        page_size: 1000,
    };
    let mapped = settings.map.mapped();
    let secret = Some(SecretString::from(password.to_owned()));
    let (dial, clock) = (Arc::new(TcpDial), Arc::new(SystemClock));
    let mut directory = Directory::new(settings, secret, Fingerprinter::new([7; 32]), dial, clock)?;
    let start = Instant::now();
    let read = directory.read_people(&Known::default(), &mut |_| {}).await?;
    let read_ms = start.elapsed().as_millis();
    if let Verdict::Partial(why) = &read.snapshot.verdict {
        bail!("the read was incomplete: {why}");
    }
    let people = read.snapshot.rows.len();
    let world = World { people: read.snapshot, mapped, ..world() };
    let start = Instant::now();
    let plan = plan(&world);
    println!("people {people}\nread_ms {read_ms}\nplan_ms {}", start.elapsed().as_millis());
    println!("planned {}\npeak_kib {}", plan.actions.len(), peak_kib()?);
    Ok(())
}

/// Plans links on which nothing changed: what every later run does.
fn plan_standing_still(people: u64) -> Result<()> {
    let world = standing_still(people);
    let mut best_us = u128::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        let plan = plan(&world);
        best_us = best_us.min(start.elapsed().as_micros());
        if !plan.actions.is_empty() || !plan.conflicts.is_empty() {
            bail!("nothing changed, and yet {} actions were planned", plan.actions.len());
        }
    }
    println!("links {people}\nplan_us {best_us}\npeak_kib {}", peak_kib()?);
    Ok(())
}

/// Creates employees through the client, as many at a time as a run does, and
/// then the same number with bare concurrent POSTs.
async fn create(people: u32, tasks: usize) -> Result<()> {
    use futures_util::{StreamExt, TryStreamExt, stream};
    let url = std::env::var("PBX_URL").context("PBX_URL names the sandbox PBX")?;
    let settings =
        pbx::Settings { url: url.clone(), sign_in: pbx::SignIn::Local, trust: pbx::Trust::SystemRoots };
    let exchange = Arc::new(pbx::HttpExchange::new(&settings)?);
    let client = pbx::Pbx::new(
        &settings,
        None,
        exchange,
        Arc::new(SystemClock),
        Fingerprinter::new([7; 32]),
        std::time::Duration::from_secs(30),
    )?;
    let start = Instant::now();
    stream::iter(0..people)
        .map(|n| {
            let client = &client;
            async move {
                let new = pbx::NewEmployee {
                    name: format!("Client {n}"),
                    number: (2_000_000 + n).to_string(),
                    secret: pbx::checks::generate_secret(&SystemRandom),
                    email: Some(format!("client{n}@example.test")),
                    mobile: None,
                };
                client.create(&new, None).await.map(drop)
            }
        })
        .buffer_unordered(tasks)
        .try_collect::<Vec<()>>()
        .await?;
    let ours = f64::from(people) / start.elapsed().as_secs_f64();
    let bare = reqwest::Client::new();
    let start = Instant::now();
    stream::iter(0..people)
        .map(|n| {
            let (bare, url) = (&bare, format!("{url}/pbxcore/api/v3/employees"));
            async move {
                let body = serde_json::json!({
                    "user_username": format!("Bare {n}"), "number": (3_000_000 + n).to_string(),
                    "sip_secret": format!("Kx7{n:08}pQzRw4tYb"), "user_email": format!("bare{n}@example.test"),
                    "sip_transport": "udp,tcp",
                });
                let answer = bare.post(url).json(&body).send().await?.error_for_status()?;
                answer.bytes().await.map(drop)
            }
        })
        .buffer_unordered(tasks)
        .try_collect::<Vec<()>>()
        .await?;
    let floor = f64::from(people) / start.elapsed().as_secs_f64();
    println!("creates_per_s {ours:.1}\nbare_posts_per_s {floor:.1}");
    Ok(())
}

fn standing_still(people: u64) -> World {
    let rows = (0..people).map(|n| triple(n).expect("made-up values have canonical forms"));
    let (mut persons, mut employees, mut links) = (Vec::new(), Vec::new(), Vec::new());
    for (person, employee, link) in rows {
        persons.push(person);
        employees.push(employee);
        links.push(link);
    }
    let mapped = FieldMap::from_fn(|field| field != Field::SipPassword && field != Field::Photo);
    let base = world();
    World {
        people: Snapshot { rows: persons, ..base.people },
        employees: Snapshot { rows: employees, ..base.employees },
        links,
        mapped,
        ran_before: true,
        ..base
    }
}

type Triple = (Person, Employee, Link);

fn triple(n: u64) -> Result<Triple, reconcile::Unusable> {
    let id = PersonId::new(format!("00000000-0000-4000-8000-{n:012}"));
    let mobile = format!("{:07}", n % 10_000_000);
    let (mail, number) = (format!("u{n}@example.test"), (100_000 + n).to_string());
    let name = canonical::name(&format!("Person Number {n}"))?;
    let theirs: FieldMap<Option<Value>> = FieldMap::from_fn(|field| match field {
        Field::Name => Some(name.clone()),
        Field::Extension => canonical::extension(&number).ok(),
        Field::Mobile => canonical::mobile(&format!("+7 (926) {mobile}"), Some("RU")).ok(),
        Field::Email => canonical::email(&mail).ok(),
        Field::Photo | Field::SipPassword => None,
    });
    let ours: FieldMap<Option<Value>> = FieldMap::from_fn(|field| match field {
        Field::Mobile => canonical::mobile_in_pbx(&format!("7926{mobile}"), Some("RU")).ok(),
        field => theirs[field].clone(),
    });
    let reading = |values: &FieldMap<Option<Value>>| {
        FieldMap::from_fn(|field| values[field].clone().map_or(Reading::Unmapped, Reading::one))
    };
    let mark = Some(Mark("20261123075914.997246Z#000000#001#000000".into()));
    let sights = |values: &FieldMap<Option<Value>>, mark: &Option<Mark>| {
        FieldMap::from_fn(|field| {
            let change = Interval { after_ms: 0, by_ms: 1 };
            values[field].clone().map(|value| Sight { value: Some(value), change, mark: mark.clone() })
        })
    };
    let link = Link {
        person: id.clone(),
        employee: EmployeeId(n + 1),
        state: LinkState::Active,
        pairs: FieldMap::from_fn(|field| {
            let (directory, pbx) = (theirs[field].clone(), ours[field].clone());
            directory.is_some().then_some(Pair { directory, pbx, held: false })
        }),
        directory: sights(&theirs, &mark),
        pbx: sights(&ours, &None),
        name: name.canonical().into(),
        dn: format!("uid=u{n},ou=people,dc=example,dc=test").into(),
        dial: format!("7926{mobile}").into(),
        record_looked_ms: 1,
        photo_looked_ms: 0,
        photo_etag: None,
        photo_mark: None,
    };
    let person = Person {
        id,
        dn: link.dn.clone(),
        account: Account::Enabled,
        fields: reading(&theirs),
        mark,
        modified_ms: Some(1),
    };
    let employee = Employee {
        id: link.employee,
        fields: reading(&ours),
        dial: link.dial.clone(),
        has_photo: false,
        disabled: false,
    };
    Ok((person, employee, link))
}

fn world() -> World {
    World {
        now_ms: 2,
        policy: Policy { region: Some("RU".to_owned()), ..Policy::default() },
        mapped: FieldMap::default(),
        people: Snapshot { rows: Vec::new(), verdict: Verdict::Complete, at_ms: 2 },
        employees: Snapshot { rows: Vec::new(), verdict: Verdict::Complete, at_ms: 2 },
        numbers: Vec::new(),
        extensions_length: 6,
        links: Vec::new(),
        linked_elsewhere: HashMap::new(),
        reserved: Vec::new(),
        cooling: Vec::new(),
        decisions: Vec::new(),
        set_aside: Vec::new(),
        whereabouts: HashMap::new(),
        attribute_changes: HashMap::new(),
        dates_attributes: false,
        directory_seen_ms: 1,
        pbx_seen_ms: 1,
        skew_ms: None,
        recent: Touched::new(),
        stopped: BTreeSet::new(),
        lost_released: BTreeSet::new(),
        ran_before: false,
    }
}

/// The most memory this process ever had, in KiB (Linux).
fn peak_kib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).context("no VmHWM in /proc")?;
    let digits: String = line.chars().filter(char::is_ascii_digit).collect();
    Ok(digits.parse()?)
}

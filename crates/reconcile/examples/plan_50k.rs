//! How long the pure passes take over 50,000 links with nothing to do:
//! `cargo run --release -p reconcile --example plan_50k`.

use reconcile::guard::Touched;
use reconcile::needs::needs;
use reconcile::observe::observe;
use reconcile::plan::plan;
use reconcile::{
    Account, Employee, EmployeeId, Field, FieldMap, Interval, Link, LinkState, Mark, Pair, Person, PersonId,
    Policy, Reading, Sight, Snapshot, TakenNumber, Value, Verdict, World,
};
use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

const PEOPLE: u64 = 50_000;
const NOW_MS: i64 = 1_000_000;

fn main() {
    let world = world();
    for (what, pass) in [
        ("plan", (|world| plan(world).actions.len()) as fn(&World) -> usize),
        ("needs", |world| needs(world).records.len()),
        ("observe", |world| observe(world).len()),
    ] {
        let times = (0..7).map(|_| {
            let begun = Instant::now();
            let found = pass(&world);
            (begun.elapsed(), found)
        });
        let (best, found) = times.min().expect("seven times are more than none");
        println!("{what:8} {best:>10.1?}  {found} to do");
    }
}

fn world() -> World {
    let mut people: Vec<Person> = (0..PEOPLE).map(person).collect();
    people.sort_by(|a, b| a.id.cmp(&b.id));
    let mut links: Vec<Link> = (0..PEOPLE).map(link).collect();
    links.sort_by(|a, b| a.person.cmp(&b.person));
    let employees: Vec<Employee> = (0..PEOPLE).map(employee).collect();
    let number = |at| TakenNumber {
        number: value(Field::Extension, at).canonical().into(),
        kind: "SIP".into(),
        holder: "".into(),
    };
    World {
        now_ms: NOW_MS,
        policy: Policy { write_back: true, ..Policy::default() },
        mapped: FieldMap::from_fn(|_| true),
        people: Snapshot { rows: people, verdict: Verdict::Complete, at_ms: NOW_MS },
        employees: Snapshot { rows: employees, verdict: Verdict::Complete, at_ms: NOW_MS },
        numbers: (0..PEOPLE).map(number).collect(),
        extensions_length: 6,
        links,
        linked_elsewhere: HashMap::new(),
        reserved: Vec::new(),
        cooling: Vec::new(),
        decisions: Vec::new(),
        set_aside: Vec::new(),
        whereabouts: HashMap::new(),
        attribute_changes: HashMap::new(),
        dates_attributes: true,
        directory_seen_ms: 1,
        pbx_seen_ms: 1,
        skew_ms: None,
        recent: Touched::new(),
        stopped: BTreeSet::new(),
        lost_released: BTreeSet::new(),
        ran_before: true,
    }
}

fn id(at: u64) -> PersonId {
    PersonId::new(format!("8a6e0804-2bd0-4672-b79d-{:012x}", at.wrapping_mul(0x9E37_79B9_7F4A)))
}

fn value(field: Field, at: u64) -> Value {
    match field {
        Field::Name => Value::new(format!("First{at} Last{at}"), format!("First{at} Last{at}")),
        Field::Extension => Value::new((200_000 + at).to_string(), (200_000 + at).to_string()),
        Field::Mobile => Value::new(format!("8 926 {at:07}"), format!("+7926{at:07}")),
        Field::Email => Value::new(format!("P{at}@example.org"), format!("p{at}@example.org")),
        Field::Photo => Value::new("JPEG, 9000 bytes", format!("sha256:{at:064x}")),
        Field::SipPassword => Value::new("set", format!("fp:{at:032x}")),
    }
}

fn person(at: u64) -> Person {
    Person {
        id: id(at),
        dn: format!("CN=First{at} Last{at},OU=Unit{},DC=example,DC=org", at % 50).into(),
        account: Account::Enabled,
        fields: FieldMap::from_fn(|field| Reading::one(value(field, at))),
        mark: Some(Mark(format!("dc1:{at}").into())),
        modified_ms: None,
    }
}

fn employee(at: u64) -> Employee {
    Employee {
        id: EmployeeId(at),
        fields: FieldMap::from_fn(|field| Reading::one(value(field, at))),
        dial: "".into(),
        has_photo: true,
        disabled: false,
    }
}

fn link(at: u64) -> Link {
    let mark = Some(Mark(format!("dc1:{at}").into()));
    let change = Interval { after_ms: 0, by_ms: 1 };
    let sight = |field, mark| Some(Sight { value: Some(value(field, at)), change, mark });
    let agreed = |field| Some(value(field, at));
    Link {
        person: id(at),
        employee: EmployeeId(at),
        state: LinkState::Active,
        pairs: FieldMap::from_fn(|f| Some(Pair { directory: agreed(f), pbx: agreed(f), held: false })),
        directory: FieldMap::from_fn(|field| sight(field, mark.clone())),
        pbx: FieldMap::from_fn(|field| sight(field, None)),
        name: format!("First{at} Last{at}").into(),
        dn: format!("CN=First{at} Last{at},OU=Unit{},DC=example,DC=org", at % 50).into(),
        dial: "".into(),
        record_looked_ms: 1,
        photo_looked_ms: 1,
        photo_etag: None,
        photo_mark: mark,
    }
}

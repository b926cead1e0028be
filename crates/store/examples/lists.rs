//! The measured side of `scripts/bench` for lists: a store with as many linked
//! people as asked for and three runs that tell of all of them, and how long
//! each list takes. Printed as `milliseconds list`, the slowest last.

use effects::SystemRandom;
use reconcile::{
    Conflict, ConflictKind, EmployeeId, Field, FieldMap, Interval, LeftReason, Link, LinkState, Pair,
    PersonId, Policy, RefusedBy, Sight, Value,
};
use serde_json::json;
use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{
    By, ConflictQuery, ConflictSort, DirectoryId, DirectoryRow, Lists, Order, PbxId, PbxRow, PeopleQuery,
    PeopleSort, PersonStatus, PlanPeopleQuery, PlanPerson, RunId, RunPeopleQuery, RunPerson, RunQuery,
    RunStart, SqlStore, Standing, Store, Trigger, Updated, Window,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ROWS: u32 = 50;
const FAMILY: [&str; 8] =
    ["Смирнов", "Иванов", "Кузнецов", "Попов", "Васильев", "Петров", "Соколов", "Ёлкин"];
const GIVEN: [&str; 8] = ["Иван", "Пётр", "Анна", "Мария", "Сергей", "Ольга", "Дмитрий", "Елена"];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let people: u32 = std::env::args().nth(1).ok_or("lists PEOPLE")?.parse()?;
    let dir = tempfile::tempdir()?;
    let store = SqlStore::open(dir.path(), None, Arc::new(SystemRandom)).await?;
    let start = Instant::now();
    let (id, run) = fill(&store, people).await?;
    eprintln!("filled in {:.1} s", start.elapsed().as_secs_f64());
    let mut times = people_lists(&store, id, people).await?;
    times.extend(other_lists(&store, id, run, people).await?);
    times.sort();
    for (time, list) in times {
        println!("{:.1} {list}", time.as_secs_f64() * 1e3);
    }
    Ok(())
}

async fn people_lists(store: &SqlStore, id: DirectoryId, people: u32) -> Result<Vec<(Duration, String)>> {
    let deep = people.saturating_sub(ROWS);
    let mut times = Vec::new();
    let sorts =
        [PeopleSort::Name, PeopleSort::Number, PeopleSort::Email, PeopleSort::Since, PeopleSort::LastRun];
    let states =
        [None, Some(Standing::Active), Some(Standing::Left), Some(Standing::LeftAs(LeftReason::Expired))];
    for sort in sorts {
        for (order, directory) in [(Order::Ascending, None), (Order::Descending, Some(id))] {
            for offset in [0, deep] {
                let query =
                    PeopleQuery { sort, order, directory, window: window(offset), ..PeopleQuery::default() };
                let name = format!("people by {sort:?} {order:?}, from {offset}");
                times.push((measure(async || store.people(&query).await.map(drop)).await?, name));
            }
            for search in ["nobody at all", "нет таких", "100", "иван", "a"] {
                let search = search.to_owned();
                let name = format!("people by {sort:?} {order:?}, with `{search}`");
                let query = PeopleQuery {
                    sort,
                    order,
                    directory,
                    search,
                    window: window(0),
                    ..PeopleQuery::default()
                };
                times.push((measure(async || store.people(&query).await.map(drop)).await?, name));
            }
        }
        for state in states {
            let query =
                PeopleQuery { sort, state, directory: Some(id), window: window(0), ..PeopleQuery::default() };
            let name = format!("people by {sort:?}, {state:?}");
            times.push((measure(async || store.people(&query).await.map(drop)).await?, name));
        }
    }
    Ok(times)
}

async fn other_lists(
    store: &SqlStore,
    id: DirectoryId,
    run: RunId,
    people: u32,
) -> Result<Vec<(Duration, String)>> {
    let mut times = Vec::new();
    for (offset, search) in [(0, ""), (people.saturating_sub(ROWS), ""), (0, "иван"), (0, "нет таких")]
    {
        let (window, search) = (window(offset), search.to_owned());
        let of_run = RunPeopleQuery { search: search.clone(), window, ..RunPeopleQuery::default() };
        let time = measure(async || store.run_people_page(run, &of_run).await.map(drop)).await?;
        times.push((time, format!("people of a run, with `{search}`, from {offset}")));
        let of_plan = PlanPeopleQuery { search: search.clone(), window, ..PlanPeopleQuery::default() };
        let time = measure(async || store.plan_people(id, "hash", &of_plan).await.map(drop)).await?;
        times.push((time, format!("people of a plan, with `{search}`, from {offset}")));
        for sort in [ConflictSort::Date, ConflictSort::Person] {
            let query = ConflictQuery { sort, search: search.clone(), window, ..ConflictQuery::default() };
            let time = measure(async || store.conflict_page(&query).await.map(drop)).await?;
            times.push((time, format!("conflicts by {sort:?}, with `{search}`, from {offset}")));
        }
    }
    let conflicts = RunPeopleQuery {
        status: Some(PersonStatus::Conflict),
        updated: Some(Updated::Nothing),
        window: window(0),
        ..RunPeopleQuery::default()
    };
    let time = measure(async || store.run_people_page(run, &conflicts).await.map(drop)).await?;
    times.push((time, "people of a run in conflict".to_owned()));
    let kind = PlanPeopleQuery { kind: Some("join".into()), window: window(0), ..PlanPeopleQuery::default() };
    let time = measure(async || store.plan_people(id, "hash", &kind).await.map(drop)).await?;
    times.push((time, "people of a plan of one kind".to_owned()));
    let runs = RunQuery { directory: Some(id), trigger: Some(Trigger::Automatic), window: window(0) };
    times.push((measure(async || store.run_page(&runs).await.map(drop)).await?, "runs".to_owned()));
    let time = measure(async || store.run_counts(run).await.map(drop)).await?;
    times.push((time, "counts of a run".to_owned()));
    let time = measure(async || store.plan_counts(id, "hash").await.map(drop)).await?;
    times.push((time, "counts of a plan".to_owned()));
    let time = measure(async || store.conflict_counts(None).await.map(drop)).await?;
    times.push((time, "counts of conflicts".to_owned()));
    let time = measure(async || store.directory_counts().await.map(drop)).await?;
    times.push((time, "counts of servers".to_owned()));
    Ok(times)
}

const fn window(offset: u32) -> Window {
    Window { limit: ROWS, offset }
}

/// The best of five: what else runs here does not count.
async fn measure(list: impl AsyncFn() -> std::result::Result<(), store::Error>) -> Result<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        list().await?;
        best = best.min(start.elapsed());
    }
    Ok(best)
}

async fn fill(store: &dyn Store, people: u32) -> Result<(DirectoryId, RunId)> {
    store.put_pbx(&PbxRow { id: PbxId::DEFAULT, name: "office".into(), settings: json!({}) }, None).await?;
    let directory = DirectoryRow {
        id: DirectoryId::NEW,
        name: "head office".into(),
        pbx: PbxId::DEFAULT,
        settings: json!({}),
        policy: Policy::default(),
        created_ms: 1,
        last_complete_ms: 0,
        pbx_complete_ms: 0,
        references: Vec::new(),
        ran_before: false,
    };
    let id = store.put_directory(&directory, None).await?;
    let links: Vec<Link> = (0..people).map(link).collect();
    store.agree(By::Hand(id), &[], &links).await?;
    let holder = "bench".to_owned();
    store.take_lease(id, &holder, i64::MAX, 0).await?;
    let mut last = RunId(0);
    for started_ms in [1_000, 2_000, 3_000] {
        let start =
            RunStart { directory: id, trigger: Trigger::Automatic, started_ms, holder: holder.clone() };
        last = store.start_run(&start).await?;
        let told: Vec<RunPerson> = (0..people).map(told).collect();
        store.add_run_people(last, &told).await?;
    }
    let conflicts: Vec<Conflict> = (0..people).map(conflict).collect();
    store.sync_conflicts(By::Run(last), 4_000, &conflicts, &BTreeSet::new()).await?;
    store.put_plan(id, "hash", 4_000, "{}").await?;
    let planned: Vec<PlanPerson> = (0..people).map(planned).collect();
    store.put_plan_people(id, "hash", &planned).await?;
    Ok((id, last))
}

/// Ids as a directory gives them: in no order.
fn person(number: u32) -> PersonId {
    let mixed = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let hex = format!("{mixed:032x}");
    PersonId::new(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}

fn name(number: u32) -> String {
    let pick = |of: [&'static str; 8], by: u32| of[(number / by) as usize % 8];
    format!("{}{} {} {}ович", pick(FAMILY, 1), number % 997, pick(GIVEN, 8), pick(GIVEN, 64))
}

fn link(number: u32) -> Link {
    let value = |field| match field {
        Field::Name => Value::new(name(number), name(number)),
        Field::Extension => Value::new((10_000 + number).to_string(), (10_000 + number).to_string()),
        Field::Mobile => Value::new(format!("+7 926 {number:07}"), format!("+7926{number:07}")),
        Field::Email => Value::new(format!("user{number}@example.org"), format!("user{number}@example.org")),
        Field::Photo | Field::SipPassword => Value::new("set", format!("fp:{number:032x}")),
    };
    let sights = || {
        let change = Interval { after_ms: 1_764_000_000_000, by_ms: 1_764_000_300_000 };
        FieldMap::from_fn(|field| Some(Sight { value: Some(value(field)), change, mark: None }))
    };
    let pair = |field| Some(Pair { directory: Some(value(field)), pbx: Some(value(field)), held: false });
    let state = match number % 20 {
        0 => LinkState::Left { reason: LeftReason::Disabled, since_ms: number.into() },
        1 => LinkState::Left { reason: LeftReason::Expired, since_ms: number.into() },
        _ => LinkState::Active,
    };
    Link {
        state,
        name: name(number).into(),
        pairs: FieldMap::from_fn(pair),
        directory: sights(),
        pbx: sights(),
        record_looked_ms: 1_764_000_300_000,
        ..Link::blank(person(number), EmployeeId(number.into()), "uid=user,ou=people,dc=example,dc=org")
    }
}

fn told(number: u32) -> RunPerson {
    RunPerson {
        person: person(number),
        employee: Some(EmployeeId(number.into())),
        name: name(number),
        extension: (10_000 + number).to_string(),
        status: if number.is_multiple_of(20) { PersonStatus::Conflict } else { PersonStatus::Processed },
        updated: if number.is_multiple_of(20) { Updated::Nothing } else { Updated::Pbx },
        changes: json!([{"field": "mobile", "before": "79260000000", "after": format!("7926{number:07}")}]),
        reason: "the directory changed".into(),
    }
}

fn planned(number: u32) -> PlanPerson {
    PlanPerson {
        person: person(number),
        employee: None,
        name: name(number),
        extension: (10_000 + number).to_string(),
        kind: if number.is_multiple_of(20) { "join" } else { "create" }.into(),
        changes: json!([{"field": "mobile", "before": null, "after": format!("7926{number:07}")}]),
        reason: "new in the directory".into(),
    }
}

fn conflict(number: u32) -> Conflict {
    Conflict {
        person: person(number),
        employee: Some(EmployeeId(number.into())),
        kind: ConflictKind::BothChanged,
        field: Some(Field::Mobile),
        name: name(number),
        refused_by: RefusedBy::Rollcall,
        directory_value: Some(format!("+7 926 {number:07}")),
        pbx_value: Some(format!("7926{number:07}")),
        reason: "both sides changed".into(),
        ways_out: Vec::new(),
        candidates: Vec::new(),
        stands_on: "digest".into(),
    }
}

//! What the tests of commands start from: a store in memory and no network.

use crate::app::{App, Net};
use crate::cli::server::Draft;
use crate::cycle::report::{
    ChangeReport, ChangeResult, Counts, PersonReport, Report, Side, SideRead, Status, Updated, Writes,
};
use directory::{Dial, Kind, TcpDial};
use effects::{ManualClock, SeededRandom};
use pbx::Exchange;
use reconcile::merge::Cause;
use reconcile::{
    Candidate, Conflict, ConflictKind, EmployeeId, Field, FieldMap, Interval, Link, LinkState, Pair,
    PersonId, Policy, RefusedBy, Sight, Value, Verdict, WayOut,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{DirectoryId, DirectoryRow, MemoryStore, PbxId, PbxRow, RunId, RunStart, Trigger};

/// 2023-11-14 22:13 UTC.
pub const NOW_MS: i64 = 1_700_000_000_000;

pub fn app() -> App {
    let random = Arc::new(SeededRandom::new(1));
    App {
        store: Arc::new(MemoryStore::new(&*random)),
        clock: Arc::new(ManualClock::at(NOW_MS)),
        random,
        net: Arc::new(Unplugged),
    }
}

/// The id of a new server `hq`, which nobody has to reach.
pub async fn server(app: &App) -> DirectoryId {
    let unset = PbxRow { id: PbxId::DEFAULT, name: "pbx".to_owned(), settings: serde_json::Value::Null };
    app.store.put_pbx(&unset, None).await.unwrap();
    let row = DirectoryRow {
        id: DirectoryId::NEW,
        name: "hq".to_owned(),
        pbx: PbxId::DEFAULT,
        settings: serde_json::to_value(Draft::new(Kind::ActiveDirectory).settings).unwrap(),
        policy: Policy::default(),
        created_ms: NOW_MS,
        last_complete_ms: 0,
        pbx_complete_ms: 0,
        references: Vec::new(),
        ran_before: true,
    };
    app.store.put_directory(&row, None).await.unwrap()
}

/// A run that was started by hand, under a lease that lasts for the test.
pub async fn start(app: &App, directory: DirectoryId) -> RunId {
    let (holder, started_ms) = ("test".to_owned(), app.clock.now_ms());
    app.store.take_lease(directory, &holder, i64::MAX, started_ms).await.unwrap();
    let start = RunStart { directory, trigger: Trigger::Manual, started_ms, holder };
    app.store.start_run(&start).await.unwrap()
}

#[derive(Debug)]
struct Unplugged;

impl Net for Unplugged {
    fn dial(&self) -> Arc<dyn Dial> {
        Arc::new(TcpDial)
    }

    fn exchange(&self, _: &pbx::Settings) -> Result<Arc<dyn Exchange>, pbx::Error> {
        Err(pbx::Error::Settings("no network in this test".to_owned()))
    }
}

pub fn link(person: &str, name: &str, employee: u64, number: &str) -> Link {
    let value = |text: &str| Some(Value::new(text, text));
    let sight = |text: Option<Value>| {
        let change = Interval { after_ms: NOW_MS - 120_000, by_ms: NOW_MS - 60_000 };
        Some(Sight { value: text, change, mark: None })
    };
    let mut link = Link {
        person: PersonId::new(person),
        employee: EmployeeId(employee),
        state: LinkState::Active,
        pairs: FieldMap::default(),
        directory: FieldMap::default(),
        pbx: FieldMap::default(),
        name: name.into(),
        dn: format!("uid={number},ou=Склад,dc=example,dc=test").into(),
        dial: "".into(),
        record_looked_ms: NOW_MS,
        photo_looked_ms: 0,
        photo_etag: None,
        photo_mark: None,
    };
    for (field, text) in [(Field::Name, name), (Field::Extension, number)] {
        link.directory[field] = sight(value(text));
        link.pbx[field] = sight(value(text));
        link.pairs[field] = Some(Pair { directory: value(text), pbx: value(text), held: false });
    }
    link
}

pub fn conflict(person: &str, name: &str, kind: ConflictKind, field: Option<Field>) -> Conflict {
    Conflict {
        person: PersonId::new(person),
        employee: None,
        kind,
        field,
        name: name.to_owned(),
        refused_by: RefusedBy::Rollcall,
        directory_value: None,
        pbx_value: None,
        reason: "it changed on both sides to different values since they last agreed".to_owned(),
        ways_out: Vec::new(),
        candidates: Vec::new(),
        stands_on: "then".to_owned(),
    }
}

pub fn both_changed() -> Conflict {
    Conflict {
        directory_value: Some("+7 926 123-45-67".to_owned()),
        pbx_value: Some("79031112233".to_owned()),
        ways_out: vec![WayOut::UseDirectory, WayOut::UsePbx, WayOut::LeaveAsIs],
        ..conflict("p1", "Иванов Пётр", ConflictKind::BothChanged, Some(Field::Mobile))
    }
}

pub fn ambiguous() -> Conflict {
    let candidate = |id, extension: &str, differs: Vec<Field>| Candidate {
        employee: EmployeeId(id),
        name: "Пётр Иванов".to_owned(),
        extension: extension.to_owned(),
        agrees: vec![Field::Name],
        differs,
    };
    Conflict {
        reason: "several people or employees match, or only in part: nobody was joined or created".to_owned(),
        ways_out: vec![WayOut::PickEmployee, WayOut::NewEmployee, WayOut::LeaveOut],
        candidates: vec![candidate(12, "212", Vec::new()), candidate(14, "214", vec![Field::Email])],
        ..conflict("p2", "Иванов Пётр", ConflictKind::AmbiguousMatch, None)
    }
}

pub fn change(
    side: Side,
    field: Field,
    before: Option<&str>,
    after: Option<&str>,
    cause: Cause,
) -> ChangeReport {
    ChangeReport {
        side,
        field,
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
        cause,
        result: ChangeResult::Done,
        note: None,
    }
}

pub fn person(
    name: &str,
    status: Status,
    updated: Option<Updated>,
    changes: Vec<ChangeReport>,
) -> PersonReport {
    PersonReport {
        id: name.to_lowercase(),
        name: name.to_owned(),
        extension: Some("212".to_owned()),
        employee: Some(12),
        values: BTreeMap::new(),
        status,
        updated,
        changes,
        reason: None,
        differs: Vec::new(),
    }
}

/// A run in which a little of everything happened.
pub fn report() -> Report {
    use Cause::{DirectoryChanged, NewEmployee, NewNumber, PbxChanged};
    let refused = ChangeReport {
        result: ChangeResult::Refused,
        note: Some("the PBX refused: not an address".to_owned()),
        ..change(Side::Pbx, Field::Email, Some("a@example.test"), Some("b@example.test"), DirectoryChanged)
    };
    let people = vec![
        person(
            "Müller, Jörg",
            Status::Processed,
            Some(Updated::Both),
            vec![
                change(Side::Pbx, Field::Name, None, Some("Müller, Jörg"), NewEmployee),
                change(Side::Pbx, Field::Mobile, None, Some("4915174100039"), NewEmployee),
                change(Side::Pbx, Field::SipPassword, None, Some("set"), NewEmployee),
                change(Side::Pbx, Field::Extension, None, Some("212"), NewNumber),
                change(Side::Directory, Field::Extension, None, Some("212"), NewNumber),
            ],
        ),
        person(
            "Иванов Пётр Сергеевич",
            Status::Processed,
            Some(Updated::Pbx),
            vec![change(
                Side::Pbx,
                Field::Mobile,
                Some("79031112233"),
                Some("79261234567"),
                DirectoryChanged,
            )],
        ),
        person("Кузнецова Зоя", Status::Conflict, None, vec![refused]),
        person(
            "欧阳芳",
            Status::Processed,
            Some(Updated::Directory),
            vec![change(Side::Directory, Field::Extension, Some("216"), Some("316"), PbxChanged)],
        ),
        PersonReport {
            reason: Some("disabled in the directory".to_owned()),
            ..person("Щербаков Илья", Status::Processed, None, Vec::new())
        },
        PersonReport {
            reason: Some("left out by an administrator".to_owned()),
            employee: None,
            ..person("Seán Ó Súilleabháin", Status::Skipped, None, Vec::new())
        },
        person("Weiß, Björn", Status::Processed, None, Vec::new()),
    ];
    Report {
        run: Some(7),
        server: "hq".to_owned(),
        plan: "3fa9c2d1e0b84756aa11bb22cc33dd44".to_owned(),
        directory: SideRead { verdict: Verdict::Complete, read: 7 },
        pbx: SideRead { verdict: Verdict::Complete, read: 6 },
        counts: Counts {
            unchanged: 2,
            created: 1,
            updated_in_pbx: 1,
            updated_in_directory: 2,
            disabled: 1,
            conflicts: 2,
            ..Counts::default()
        },
        writes: Writes { pbx: 2, directory: 2 },
        people,
        conflicts: vec![both_changed(), ambiguous()],
        held_back: Vec::new(),
        halted: None,
        warnings: Vec::new(),
        undoes: None,
        not_undone: Vec::new(),
    }
}

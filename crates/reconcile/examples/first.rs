use reconcile::canonical::*;
use reconcile::*;
use std::collections::HashMap;
use std::time::Instant;
fn main() {
    let n = 50000u64;
    let t = Instant::now();
    let people: Vec<Person> = (0..n)
        .map(|i| {
            let nm = format!("Иванов Пётр Номер{}", i % 7000);
            Person {
                id: PersonId::new(format!("00000000-0000-4000-8000-{i:012}")),
                dn: format!("uid=u{i},ou=Бухгалтерия,ou=Москва,ou=Сотрудники,dc=example,dc=test").into(),
                account: Account::Enabled,
                fields: FieldMap::from_fn(|f| match f {
                    Field::Name => Reading::one(name(&nm).unwrap()),
                    Field::Email => Reading::one(email(&format!("u{i}@example.test")).unwrap()),
                    Field::Mobile => Reading::one(mobile(&format!("+7 (926) {:07}", i), Some("RU")).unwrap()),
                    _ => Reading::Unmapped,
                }),
                mark: None,
                modified_ms: None,
            }
        })
        .collect();
    println!("make {:?}", t.elapsed());
    let world = World {
        now_ms: 2,
        policy: Policy::default(),
        mapped: FieldMap::from_fn(|f| matches!(f, Field::Name | Field::Email | Field::Mobile)),
        people: Snapshot { rows: people, verdict: Verdict::Complete, at_ms: 2 },
        employees: Snapshot { rows: vec![], verdict: Verdict::Complete, at_ms: 2 },
        numbers: vec![],
        extensions_length: 6,
        links: vec![],
        linked_elsewhere: HashMap::new(),
        reserved: vec![],
        cooling: vec![],
        decisions: vec![],
        set_aside: vec![],
        whereabouts: HashMap::new(),
        attribute_changes: HashMap::new(),
        dates_attributes: false,
        directory_seen_ms: 1,
        pbx_seen_ms: 1,
        skew_ms: None,
        recent: Default::default(),
        ran_before: false,
    };
    for _ in 0..3 {
        let t = Instant::now();
        let p = plan::plan(&world);
        println!("plan {:?} {} conflicts {}", t.elapsed(), p.actions.len(), p.conflicts.len());
        let t = Instant::now();
        let h = p.hash();
        println!("hash {:?} {h}", t.elapsed());
    }
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", s.lines().find(|l| l.starts_with("VmHWM")).unwrap());
}

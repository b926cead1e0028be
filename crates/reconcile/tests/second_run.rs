//! What the first run answered, the second one does not answer differently.

mod support;

use support::*;

#[test]
fn safety_4_a_namesake_of_somebody_joined_now_is_created_now_and_not_next_time() {
    let mut company = company();
    company.employee(1).name("Ivan Ivanov").ext("201").mail("ivan@example.org");
    company.person("p1").name("Ivan Ivanov").mail("ivan@example.org");
    company.person("p2").name("Ivan Ivanov").mail("other@example.org");
    let first = company.run();
    assert_eq!(first.conflicts, []);
    assert_eq!(company.linked("p1"), Some(1));
    assert!(company.linked("p2").is_some_and(|employee| employee != 1));
    company.settle();
    assert_eq!(company.preview().actions, []);
}

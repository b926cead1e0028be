use crate::support::*;
#[test]
fn it_settles() {
    let mut company = staff(3);
    assert_eq!(company.linked("p02"), Some(2));
    company.person("p02").mail("new@example.org");
    let plan = company.run();
    assert_eq!(sent(&plan.action("p02").pbx, Email), Some("new@example.org"));
    assert_eq!(company.ours(2, Email), "new@example.org");
    company.person("new").name("New One").mail("n@x.org");
    let plan = company.run();
    assert_eq!(plan.number("new"), "204");
    company.settle();
    assert_eq!(company.theirs("new", Extension), "204");
    assert_eq!(company.theirs("new", SipPassword), "secret-of-1001");
}

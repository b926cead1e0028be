//! Everybody, and one of them.

use super::*;
use crate::cli::testing::{both_changed, report};
use reconcile::{Pair, Value};
use std::collections::BTreeSet;

/// The names on a page, in their order.
fn names(text: &str) -> Vec<String> {
    let rows = text.split("<td data-label=\"Name\"><a href=\"").skip(1);
    let name = |row: &str| row.split(['>', '<']).nth(1).unwrap_or_default().to_owned();
    rows.map(name).collect()
}

async fn shown(site: &Site, query: &str) -> Vec<String> {
    names(&site.get(&format!("/employees{query}")).await.text())
}

#[tokio::test]
async fn people_are_found_filtered_and_sorted() {
    let (app, id) = few().await;
    let site = Site::of(app).await;
    let evil = "&#60;script&#62;alert(1)&#60;/script&#62;";
    let all = [evil, "Иванов Пётр", "Яковлева Анна"];
    assert_eq!(shown(&site, "").await, all);
    assert_eq!(shown(&site, "?sort=number&order=desc").await, [evil, "Яковлева Анна", "Иванов Пётр"]);
    assert_eq!(shown(&site, "?search=пётр").await, ["Иванов Пётр"]);
    assert_eq!(shown(&site, "?search=213").await, ["Яковлева Анна"]);
    assert_eq!(shown(&site, "?state=active").await, [evil, "Иванов Пётр"]);
    assert_eq!(shown(&site, "?state=left").await, ["Яковлева Анна"]);
    assert_eq!(shown(&site, "?state=disabled").await, ["Яковлева Анна"]);
    assert!(shown(&site, "?state=deleted").await.is_empty());
    assert!(shown(&site, "?state=resting").await.is_empty());
    assert_eq!(shown(&site, &format!("?server={id}")).await, all);
    let text = site.get(&format!("/employees?search={}", crate::web::visit::encoded(EVIL))).await.text();
    assert!(!text.contains(EVIL), "{text}");
}

#[tokio::test]
async fn a_long_list_has_pages_and_a_last_one() {
    let (app, _) = many().await;
    let site = Site::of(app).await;
    let first = shown(&site, "").await;
    assert_eq!((first.len(), &*first[0], &*first[49]), (50, "Person 001", "Person 050"));
    let last = shown(&site, "?page=3").await;
    assert_eq!((last.len(), &*last[0]), (20, "Person 101"));
    assert_eq!(shown(&site, "?page=4294967295").await, last, "behind the last page is the last page");
    assert_eq!(shown(&site, "?page=0").await, first);
    let second = site.get("/employees?page=2&state=active&sort=number").await.content();
    assert!(second.contains("?state=active&#38;sort=number&#38;order=asc&#38;page=1"), "{second}");
}

#[tokio::test]
async fn the_list_looks_like_this() {
    let (app, _) = nobody().await;
    insta::assert_snapshot!("employees_none", Site::of(app).await.get("/employees").await.content());
    let (app, id) = few().await;
    let mut news = report();
    (news.people[0].id, news.people[2].id) = ("192df0c9-fb24".to_owned(), "p3".to_owned());
    news.people.truncate(3);
    ran(&app, id, Trigger::Manual, Outcome::Done, &news).await;
    let site = Site::of(app).await;
    insta::assert_snapshot!("employees_few", site.get("/employees").await.content());
    insta::assert_snapshot!("employees_few_ru", site.get_in("ru", "/employees").await.content());
    insta::assert_snapshot!("employees_nobody_found", site.get("/employees?search=zz").await.content());
}

/// Somebody with a story: values that differ, a conflict, steps of a run.
async fn story() -> (Site, String) {
    let (app, id) = few().await;
    let person = "192df0c9-fb24";
    let mut first = app.store.link(id, &PersonId::new(person)).await.unwrap().unwrap();
    let value = |text: &str| Some(Value::new(text, text));
    first.pairs[Field::Mobile] = Some(Pair { directory: value("+7 926"), pbx: value("79031"), held: true });
    for (side, text) in [(&mut first.directory, "+7 926"), (&mut first.pbx, "79031")] {
        side[Field::Mobile] = side[Field::Name].clone();
        side[Field::Mobile].as_mut().unwrap().value = value(text);
        side[Field::Photo] = side[Field::Name].clone();
        side[Field::Photo].as_mut().unwrap().value = value("JPEG, 5000 bytes");
    }
    first.pbx[Field::Extension].as_mut().unwrap().value = value("299");
    linked(&app, id, &[first]).await;
    let conflict = reconcile::Conflict { person: PersonId::new(person), ..both_changed() };
    app.store.sync_conflicts(By::Hand(id), NOW_MS, &[conflict], &BTreeSet::new()).await.unwrap();
    let run = start_as(&app, id, Trigger::Manual).await;
    wrote(&app, id, run).await;
    (Site::of(app).await, format!("/employees/{id}/{person}"))
}

#[tokio::test]
async fn one_person_is_told_whole() {
    let (site, path) = story().await;
    insta::assert_snapshot!("person", site.get(&path).await.content());
    insta::assert_snapshot!("person_ru", site.get_in("ru", &path).await.content());
}

#[tokio::test]
async fn ids_are_texts_of_any_kind() {
    let (app, id) = few().await;
    let site = Site::of(app).await;
    let list = site.get("/employees").await.text();
    let path = format!("/employees/{id}/p%2F2%20%3F");
    assert!(list.contains(&format!("href=\"{path}\"")), "{list}");
    let text = site.get(&path).await.content();
    assert!(text.contains("<h1>Яковлева Анна</h1>") && text.contains("p/2 ?"), "{text}");
    let evil = site.get(&format!("/employees/{id}/p3")).await.text();
    assert!(!evil.contains(EVIL), "{evil}");
}

#[tokio::test]
async fn somebody_who_is_not_linked_is_known_by_what_runs_told() {
    let (app, id) = nobody().await;
    ran(&app, id, Trigger::Manual, Outcome::Done, &report()).await;
    let site = Site::of(app).await;
    let person = crate::web::visit::encoded("seán ó súilleabháin");
    let text = site.get(&format!("/employees/{id}/{person}")).await.content();
    assert!(text.contains("No employee is linked to this person."), "{text}");
    assert!(text.contains("left out by an administrator"), "{text}");
}

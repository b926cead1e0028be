//! Whoever is disabled or gone.

use super::*;
use axum::http::header;

#[tokio::test]
async fn the_list_looks_like_this() {
    let (app, _) = nobody().await;
    insta::assert_snapshot!("disabled_none", Site::of(app).await.get("/disabled").await.content());
    let (app, _) = few().await;
    let site = Site::of(app).await;
    insta::assert_snapshot!("disabled_few", site.get("/disabled").await.content());
    insta::assert_snapshot!("disabled_few_ru", site.get_in("ru", "/disabled").await.content());
}

#[tokio::test]
async fn leavers_are_found_and_filtered() {
    let (app, id) = many().await;
    let site = Site::of(app).await;
    let count = async |query: &str| {
        let text = site.get(&format!("/disabled{query}")).await.text();
        text.matches("<details data-fetch=").count()
    };
    assert_eq!(count("").await, 40);
    assert_eq!(count("?reason=deleted").await, 40);
    assert_eq!(count("?reason=expired").await, 0);
    assert_eq!(count(&format!("?server={id}&search=009")).await, 1);
    assert_eq!(count("?search=001").await, 0, "that one works");
}

#[tokio::test]
async fn who_returns_leaves_the_list_by_himself() {
    let (app, id) = few().await;
    let person = PersonId::new("p/2 ?");
    let site = Site::of(app.clone()).await;
    assert!(site.get("/disabled").await.text().contains("Яковлева Анна"));
    let link = app.store.link(id, &person).await.unwrap().unwrap();
    linked(&app, id, &[Link { state: LinkState::Active, ..link }]).await;
    assert!(!site.get("/disabled").await.text().contains("Яковлева Анна"));
}

#[tokio::test]
async fn the_list_is_a_file_as_well() {
    let (app, id) = few().await;
    linked(&app, id, &[left("p9", "=1+1, \"x\"", 219, LeftReason::Locked)]).await;
    let site = Site::of(app).await;
    let file = site.get("/disabled/disabled.csv?reason=locked").await;
    assert_eq!(file.headers[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    let text = file.text();
    let expected = "\u{feff}\"name\",\"number\",\"email\",\"reason\",\"since\",\"server\",\"employee\"\r\n\
        \"'=1+1, \"\"x\"\"\",\"219\",\"\",\"locked\",\"2023-11-11T22:13:20Z\",\"hq\",\"219\"\r\n";
    assert_eq!(text, expected);
    let all = site.get("/disabled/disabled.csv").await.text();
    assert_eq!(all.lines().count(), 3, "{all}");
}

#[tokio::test]
async fn what_mentions_a_number_is_a_part_and_a_page() {
    let (app, id) = few().await;
    let site = Site::of(app).await;
    let path = format!("/disabled/{id}/p%2F2%20%3F");
    let part = site.get_part(&path).await.text();
    assert!(part.starts_with("<p>Not known:") && part.contains("no PBX is set"), "{part}");
    let page = site.get(&path).await.content();
    assert!(page.contains(part.trim()), "{page}");
    assert!(page.contains("Яковлева Анна"), "{page}");
}

//! From nothing to automatic synchronisation, as an administrator does it in
//! five minutes: with the sandbox, and with real slapd over TLS.

use super::site::{Site, at_a_new_site, at_an_unknown_office};
use super::support::lab::{self, Kind};
use super::support::office::PASSWORD;
use super::window::Window;

#[test]
fn five_minutes_with_the_sandbox() {
    at_an_unknown_office(5, async |site, driver| {
        let window = driver.window(&site.serving.url).await;
        site.first_visit(&window).await;
        connect_the_pbx(site, &window).await;

        let office = site.office();
        window.press("Begin").await;
        window.arrives("/servers/new").await;
        window.fill("name", "Head office").await;
        window.choose("kind", "active-directory").await;
        window.choose("security", "none").await;
        window.fill("hosts", "127.0.0.1").await;
        window.fill("port", &office.port().to_string()).await;
        window.fill("login", &office.directory.account_dn("pbx-sync").expect("the account")).await;
        window.fill("password", PASSWORD).await;

        // The tree offers the domain root, and its departments.
        window.press("Pick from the tree").await;
        window.press("This is the domain root").await;
        window.press_in("Staff", "Take in").await;
        window.sees("taken in").await;
        window.press("Done").await;
        window.arrives("/servers/new").await;
        window.press("Test").await;
        window.sees("Everything is in order.").await;
        window.press("Count people").await;
        window.sees("These settings find 5 people.").await;
        assert!(!window.client.source().await.expect("a page").contains(PASSWORD), "a password came back");
        window.press("Save").await;
        window.arrives("/servers/1/attributes").await;

        map_and_run(site, &window, 5).await;
        window.close().await;
    });
}

#[test]
fn five_minutes_with_slapd_over_tls() {
    let server = lab::slapd("browser-setup", 4820, &lab::people(Kind::Slapd, 12, 3));
    at_a_new_site(async |site, driver| {
        let window = driver.window(&site.serving.url).await;
        site.first_visit(&window).await;
        connect_the_pbx(site, &window).await;
        let (host, port) = server.tls_url.trim_start_matches("ldaps://").split_once(':').expect("a port");

        // Every step of the diagnosis fails once, and says so.
        window.press("Begin").await;
        window.fill("name", "slapd").await;
        window.choose("kind", "openldap").await;
        window.fill("hosts", "no-such-host.invalid").await;
        window.fill("login", &server.writer).await;
        window.fill("base_dn", &server.base).await;
        window.fill("password", "wrong password").await;
        fails(&window, "Name").await;
        window.fill("hosts", host).await;
        window.fill("port", "9").await;
        fails(&window, "Port").await;
        window.fill("port", port).await;
        fails(&window, "TLS").await;
        window.sees("The server shows this certificate").await;
        window.press("Trust exactly this certificate").await;
        // The wrong password was kept on the way, and never shown.
        failed(&window, "Sign-in").await;
        window.fill("password", &server.password).await;
        window.fill("base_dn", &format!("ou=nowhere,{}", server.base)).await;
        fails(&window, "Domain root").await;
        window.fill("base_dn", &server.base).await;
        window.fill("filter", "(mail=*").await;
        window.press("Count people").await;
        window.element("#filter-error").await;
        window.fill("filter", "").await;
        window.press("Test").await;
        window.sees("Sign-in").await;
        assert_eq!(window.count(".steps .bad").await, 0, "{}", window.text().await);
        window.press("Save").await;
        window.arrives("/servers/1/attributes").await;

        map_and_run(site, &window, 12).await;
        window.close().await;
    });
}

/// The test stops at this step.
async fn fails(window: &Window, step: &str) {
    window.press("Test").await;
    failed(window, step).await;
}

async fn failed(window: &Window, step: &str) {
    window.sees_in(".steps .bad h3", step).await;
}

async fn connect_the_pbx(site: &Site, window: &Window) {
    window.press("Begin").await;
    window.arrives("/pbx").await;
    window.fill("url", &site.pbx().url()).await;
    window.choose("sign_in", "api-key").await;
    window.fill("secret", "0000000000000000000000000000000000000000000000000000000000000000").await;
    window.press("Save and test").await;
    window.sees_in(".steps .bad h3", "Sign-in").await;
    window.fill("secret", &site.pbx().key()).await;
    window.press("Save and test").await;
    window.sees("The PBX answers, and everything Rollcall needs is allowed.").await;
    assert!(!window.client.source().await.expect("a page").contains(&site.pbx().key()), "a key came back");
    window.press("Go on").await;
    window.arrives("/first-steps").await;
}

/// Map, run request, synchronise, automatic.
async fn map_and_run(site: &Site, window: &Window, people: usize) {
    window.element("datalist#attributes option").await;
    window.fill("map-extension", "not an attribute!").await;
    window.press("Save").await;
    window.element(".note.bad").await;
    window.fill("map-extension", "").await;
    window.press("Save").await;
    window.sees("Saved.").await;

    let before = site.pbx().writes();
    window.open("/first-steps").await;
    window.press("Begin").await;
    window.arrives("/servers/1/request").await;
    window.press_in("Far fewer people", "Run request").await;
    window.arrives("/servers/1/plans/").await;
    assert_eq!(site.pbx().writes(), before, "a run request wrote something");
    window.press("Apply this plan").await;
    window.arrives("/history/1").await;
    let made = site.pbx().employees().len();
    assert!(made <= people && made > people / 2, "{made} employees of {people} people");

    window.open("/first-steps").await;
    window.press("Begin").await;
    window.arrives("/servers").await;
    window.press("Switch on").await;
    window.sees("is synchronised automatically from now on").await;
    window.open("/first-steps").await;
    window.sees("Everything is set up.").await;
}

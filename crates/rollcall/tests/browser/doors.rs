//! Who is let in, and how.

use super::site::{LOGIN, PASSWORD, at_a_new_site};

#[test]
fn the_first_visit_needs_the_key_and_makes_the_administrator() {
    at_a_new_site(async |site, driver| {
        let window = driver.window(&site.serving.url).await;
        window.open("/servers").await;
        window.arrives("/setup").await;
        window.sees("it holds a key").await;
        assert_eq!(window.count("input[type=password]").await, 0);
        window.open("/setup?key=0123456789abcdef").await;
        assert_eq!(window.count("input[type=password]").await, 0, "a wrong key opens nothing");

        window.open(site.serving.setup.as_deref().expect("a way in")).await;
        window.fill("login", LOGIN).await;
        window.fill("password", PASSWORD).await;
        window.fill("again", "something else entirely").await;
        window.press("Begin").await;
        window.sees("The two passwords are not the same.").await;
        window.fill("password", PASSWORD).await;
        window.fill("again", PASSWORD).await;
        window.press("Begin").await;
        window.arrives("/first-steps").await;

        window.open(site.serving.setup.as_deref().expect("a way in")).await;
        window.arrives("/first-steps").await;
        window.close().await;
    });
}

#[test]
fn signing_in_leads_back_and_signing_out_ends_it() {
    at_a_new_site(async |site, driver| {
        let window = driver.window(&site.serving.url).await;
        site.first_visit(&window).await;
        window.press("Sign out").await;
        window.arrives("/sign-in").await;
        window.open("/pbx?x=1").await;
        window.arrives("/sign-in?then=").await;
        window.fill("login", LOGIN).await;
        window.fill("password", "wrong password").await;
        window.press("Sign in").await;
        window.sees("Login or password is wrong.").await;
        window.fill("password", PASSWORD).await;
        window.press("Sign in").await;
        window.arrives("/pbx?x=1").await;

        // Nobody is led elsewhere.
        window.press("Sign out").await;
        window.open("/sign-in?then=//evil.example/").await;
        window.fill("login", LOGIN).await;
        window.fill("password", PASSWORD).await;
        window.press("Sign in").await;
        window.arrives("/first-steps").await;
        window.close().await;
    });
}

#[test]
fn who_guesses_has_to_wait_even_with_the_right_password() {
    at_a_new_site(async |site, driver| {
        let window = driver.window(&site.serving.url).await;
        site.first_visit(&window).await;
        window.press("Sign out").await;
        for _ in 0..rollcall::limits::SIGN_IN_TRIES {
            window.fill("login", LOGIN).await;
            window.fill("password", "a guess").await;
            window.press("Sign in").await;
            window.sees("wrong").await;
        }
        window.fill("password", PASSWORD).await;
        window.press("Sign in").await;
        window.sees("Too many tries.").await;
        window.close().await;
    });
}

#[test]
fn language_and_theme_are_remembered_by_the_browser() {
    at_a_new_site(async |site, driver| {
        let window = driver.window(&site.serving.url).await;
        site.first_visit(&window).await;
        window.choose("language", "ru").await;
        window.sees("Первые шаги").await;
        window.choose("theme", "dark").await;
        window.element("html[data-theme=dark][lang=ru]").await;
        window.open("/pbx").await;
        window.sees("Подключение АТС").await;
        window.close().await;
    });
}

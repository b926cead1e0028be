use super::*;
use crate::cli::args::{Cli, Command};
use crate::cli::errors::is_usage;
use crate::cli::output::tests::text;
use crate::cli::testing::{app, both_changed, link};
use clap::Parser;
use reconcile::{Direction, Field, PersonId, Value};
use secrecy::ExposeSecret;

const ADD: &str = "server add hq --type openldap --host ldap.example.test --bind-dn cn=sync,dc=example,dc=test \
                   --base-dn dc=example,dc=test";

fn command(line: &str) -> ServerCommand {
    let words = std::iter::once("rollcall").chain(line.split_whitespace());
    match Cli::try_parse_from(words).map(|cli| cli.command) {
        Ok(Command::Server(command)) => command,
        other => panic!("{line}: {other:?}"),
    }
}

/// Adds a server with a password, and more options.
async fn added(app: &App, more: &str) -> Result<DirectoryRow> {
    let ServerCommand::Add(args) = command(&format!("{ADD} {more}")) else { panic!("not an add") };
    let mut draft = Draft::new(args.kind.into());
    draft.take(&args.options)?;
    store(app, &args.name, draft, Some(&SecretString::from("s3cret"))).await
}

async fn edited(app: &App, more: &str) -> Result<(DirectoryRow, Dropped)> {
    let ServerCommand::Edit(args) = command(&format!("server edit hq {more}")) else { panic!("not an edit") };
    let row = app.server("hq").await?;
    alone(app, &row, change(app, &row, &args)).await
}

/// The words with which these options are refused.
async fn refused(app: &App, more: &str) -> String {
    let error = edited(app, more).await.map(|_| ()).expect_err(more);
    assert!(is_usage(&error), "{more}: {error}");
    error.to_string()
}

#[tokio::test]
async fn options_become_settings_and_policy() {
    let app = app();
    let more = "--security starttls --map name={sn},{givenName} --map extension=telephoneNumber:inner --map photo= \
                --map account-state=employeeType --numbers 200-299 --numbers 1000-1999 --write-back --region ru \
                --direction mobile=to-pbx --both-changed email=newest --first-meeting extension=directory \
                --clear mobile=no";
    let row = added(&app, more).await.unwrap();
    let settings = directory_settings(&row).unwrap();
    assert_eq!((settings.port, settings.region.as_deref()), (389, Some("RU")));
    assert_eq!(settings.map.account_state.as_deref(), Some("employeeType"));
    assert_eq!(settings.map.fields[Field::Photo], None);
    assert!(row.policy.read_only[Field::Name] && row.policy.read_only[Field::Extension]);
    assert_eq!(row.policy.direction(Field::Extension), Direction::ToPbx);
    assert_eq!(row.policy.direction(Field::Email), Direction::Both);
    assert!(!row.policy.fields[Field::Mobile].clear && row.policy.fields[Field::Email].clear);
    assert_eq!(row.policy.numbers.len(), 2);
    let secret = app.store.secret(SecretOf::Directory(row.id)).await.unwrap().unwrap();
    assert_eq!(secret.expose_secret(), "s3cret");
    let view = view(&app, &row).await.unwrap();
    assert!(!serde_json::to_string(&view).unwrap().contains("s3cret"));
    insta::assert_snapshot!("server_80", text(&view, 80));
    insta::assert_snapshot!("server_120", text(&view, 120));
}

#[tokio::test]
async fn what_is_not_named_stays_and_empty_takes_back() {
    let app = app();
    added(&app, "--ou ou=a,dc=example,dc=test --exclude-ou ou=b,ou=a,dc=example,dc=test --group cn=g,dc=example,dc=test --filter (l=Berlin) --numbers 200-299 --region DE")
        .await
        .unwrap();
    let (row, _) = edited(&app, "--security none --allow-plain --host 10.0.0.1").await.unwrap();
    let settings = directory_settings(&row).unwrap();
    assert_eq!((settings.port, settings.hosts.len(), settings.ous.len()), (389, 1, 1));
    assert_eq!((settings.exclude.len(), settings.groups.len()), (1, 1));
    assert_eq!((settings.filter.as_deref(), settings.region.as_deref()), (Some("(l=Berlin)"), Some("DE")));
    assert_eq!(
        app.store.secret(SecretOf::Directory(row.id)).await.unwrap().map(|s| s.expose_secret().len()),
        Some(6)
    );
    let (row, _) =
        edited(&app, "--ou= --exclude-ou= --group= --filter= --numbers= --region= --security ldaps")
            .await
            .unwrap();
    let settings = directory_settings(&row).unwrap();
    assert_eq!((settings.port, settings.ous.len(), settings.filter, settings.region), (636, 0, None, None));
    assert!(settings.exclude.is_empty() && settings.groups.is_empty());
    assert!(!settings.allow_plain && row.policy.numbers.is_empty());
}

#[tokio::test]
async fn every_wrong_option_is_refused_in_words() {
    let app = app();
    added(&app, "").await.unwrap();
    for (more, words) in [
        ("--map mobil=mobile", "unknown field `mobil`"),
        ("--map mobile", "--map is written FIELD=ATTRIBUTE"),
        ("--map name={sn", "`}` is missing"),
        ("--map email=mobile", "mapped to both"),
        ("--numbers 200", "the `-` is missing"),
        ("--numbers 299-200", "ends before it begins"),
        ("--numbers 1-99", "single digit"),
        ("--numbers 0200-0299", "zero"),
        ("--region Russia", "no country"),
        ("--direction mobile=sideways", "none of both, to-pbx"),
        ("--both-changed mobile=older", "none of newest"),
        ("--first-meeting mobile=newest", "none of directory"),
        ("--clear sip-password=yes", "never cleared"),
        ("--clear mobile=maybe", "neither yes nor no"),
        ("--fingerprint AB:CD", "64 hexadecimal digits"),
        ("--ca-file /nonexistent.pem", "cannot read"),
        ("--filter (cn=x", "additional user filter"),
        ("--security none", "allow it explicitly with --allow-plain"),
        ("--bind-dn cn=x,dc=a --sasl-external", "two ways to sign in"),
        ("--base-dn dc=other,dc=test", "another naming context is another directory"),
    ] {
        let refused = refused(&app, more).await;
        assert!(refused.contains(words), "{more}: {refused}");
    }
}

#[tokio::test]
async fn a_new_server_names_all_it_lacks() {
    let ServerCommand::Add(args) = command("server add hq --type freeipa") else { panic!("not an add") };
    let error = options::check_complete(&args.options).unwrap_err();
    for option in ["--host", "--bind-dn", "--base-dn"] {
        assert!(error.to_string().contains(option), "{error}");
    }
    let ServerCommand::Add(args) = command(ADD) else { panic!("not an add") };
    let error = options::check_complete(&args.options).unwrap_err();
    assert!(error.to_string().contains("--password-file"), "{error}");
}

#[tokio::test]
async fn names_are_unique_and_printable() {
    let app = app();
    added(&app, "").await.unwrap();
    assert!(added(&app, "").await.unwrap_err().to_string().contains("rollcall server edit hq"));
    for name in ["", " hq", "a\tb", &"x".repeat(65), "-x"] {
        assert!(is_usage(&check_name(name).unwrap_err()), "{name:?}");
    }
    check_name("Филиал №2").unwrap();
}

#[tokio::test]
async fn pairs_are_dropped_before_the_settings_change() {
    let app = app();
    let row = added(&app, "--map name=displayName").await.unwrap();
    let mut one = link("p1", "Müller, Jörg", 12, "212");
    one.pairs[Field::Name].as_mut().unwrap().pbx = Some(Value::new("Jörg", "Jörg"));
    app.store.agree(By::Hand(row.id), &[], std::slice::from_ref(&one)).await.unwrap();
    let (_, dropped) = edited(&app, "--write-back").await.unwrap();
    assert_eq!(dropped.pairs[Field::Name], 1);
    let now = app.store.links(row.id).await.unwrap();
    assert_eq!(now[0].pairs[Field::Name], None);
    assert!(now[0].pairs[Field::Extension].is_some());
    for more in ["--type 389ds", "--id-attribute uid"] {
        let refused = refused(&app, more).await;
        assert!(refused.contains("another directory"), "{refused}");
    }
}

#[tokio::test]
async fn other_settings_are_another_try_for_all_that_was_refused() {
    let app = app();
    let row = added(&app, "").await.unwrap();
    let refused = store::QuarantineRow {
        person: PersonId::new("p1"),
        field: Some(Field::Mobile),
        attempts: 1,
        next_try_ms: i64::MAX,
        stands_on: "then".to_owned(),
        conflict: both_changed(),
    };
    app.store.change_quarantine(By::Hand(row.id), &[], &[refused]).await.unwrap();
    edited(&app, "--map mobile=other").await.unwrap();
    assert_eq!(app.store.quarantine(row.id).await.unwrap(), []);
}

#[tokio::test]
async fn nobody_edits_or_removes_in_the_middle_of_a_run() {
    let app = app();
    let row = added(&app, "").await.unwrap();
    let now_ms = app.clock.now_ms();
    let lease = |until_ms| app.store.take_lease(row.id, "a run", until_ms, now_ms);
    lease(now_ms + 1_000).await.unwrap();
    let busy = edited(&app, "--write-back").await.unwrap_err();
    assert!(busy.to_string().contains("being synchronised"), "{busy}");
    app.store.release_lease(row.id, "a run").await.unwrap();
    edited(&app, "--write-back").await.unwrap();
    assert_eq!(app.store.lease_holder(row.id, now_ms).await.unwrap(), None);
}

#[test]
fn domains_are_told_apart_by_their_ends() {
    for (a, b, same) in [
        ("DC=example,DC=com", "ou=Sales, dc=Example,dc=com", true),
        ("DC=example,DC=com", "DC=sub,DC=example,DC=com", false),
        ("ou=a,o=corp", "ou=b,o=Corp", true),
        ("o=corp", "o=other", false),
        (r"ou=a\,dc\=b,dc=x", "dc=x", true),
    ] {
        assert_eq!(domain(a) == domain(b), same, "{a} and {b}");
    }
}

//! Servers that break off, lie, or are no directory at all.

// Helpers of tests are no test functions to the lint.
#![allow(clippy::unwrap_used, clippy::panic)]

mod diagnosis;
mod script;

use directory::{Content, Directory, Error, Known, Outcome, Security, Settings, SignIn, Target, Write};
use ldap3_proto::proto::{
    LdapBindResponse, LdapExtendedResponse, LdapFilter, LdapIntermediateResponse, LdapMsg, LdapOp,
    LdapPartialAttribute, LdapResultCode, LdapSearchResultEntry, LdapSearchResultReference,
};
use reconcile::{Field, PersonId, Value, Verdict, Whereabouts};
use script::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

async fn read(directory: &mut Directory, known: &Known) -> (usize, Verdict) {
    let read = directory.read_people(known, &mut |_| {}).await.unwrap();
    (read.snapshot.rows.len(), read.snapshot.verdict)
}

fn partial(verdict: &Verdict) -> &str {
    verdict.reason().expect("the read must not count as complete")
}

#[tokio::test]
async fn two_pages_are_complete() {
    let (mut directory, _) = directory(settings(), |message| {
        ordinary(message, |message, _| match cookie(message).as_deref() {
            Some(b"") => done(message, vec![person(1), person(2)], LdapResultCode::Success, Some(b"next")),
            Some(b"next") => done(message, vec![person(2), person(3)], LdapResultCode::Success, Some(b"")),
            other => panic!("{other:?}"),
        })
    });
    assert_eq!(read(&mut directory, &Known::default()).await, (3, Verdict::Complete), "nobody is read twice");
}

#[tokio::test]
async fn a_server_without_paging_is_read_all_the_same() {
    let (mut directory, _) = directory(settings(), |message| {
        ordinary(message, |message, _| {
            done(message, (0..5).map(person).collect(), LdapResultCode::Success, None)
        })
    });
    assert_eq!(read(&mut directory, &Known::default()).await, (5, Verdict::Complete));
}

#[tokio::test]
async fn a_page_of_a_server_without_paging_is_partial() {
    let (mut directory, _) = directory(settings(), |message| match &message.op {
        LdapOp::SearchRequest(search) if search.base.is_empty() => {
            let root = LdapSearchResultEntry { dn: String::new(), attributes: Vec::new() };
            done(message, vec![LdapOp::SearchResultEntry(root)], LdapResultCode::Success, None)
        }
        _ => ordinary(message, |message, _| {
            done(message, vec![person(1)], LdapResultCode::Success, Some(b"next"))
        }),
    });
    let (count, verdict) = read(&mut directory, &Known::default()).await;
    assert!(count == 1 && partial(&verdict).contains("first page"), "{verdict:?}");
}

#[tokio::test]
async fn what_was_read_before_a_break_is_partial() {
    let second_page = |reply: Turn| {
        move |message: &LdapMsg| {
            ordinary(message, |message, _| match cookie(message).as_deref() {
                Some(b"next") => reply(message),
                _ => done(message, vec![person(1), person(2)], LdapResultCode::Success, Some(b"next")),
            })
        }
    };
    let notice = |_: &LdapMsg| {
        let mut res = result(LdapResultCode::Unavailable);
        res.message = "shutting down".to_owned();
        let name = Some("1.3.6.1.4.1.1466.20036".to_owned());
        let notice = LdapOp::ExtendedResponse(LdapExtendedResponse { res, name, value: None });
        Reply::Messages(vec![LdapMsg::new(0, notice)])
    };
    let cases: [(&str, Turn); 7] = [
        ("closed", |_| Reply::Last(Vec::new())),
        ("closed", |_| Reply::Last(vec![0x30, 0x82, 0x01])),
        ("shutting down", notice),
        ("size limit", |message| {
            done(message, vec![person(3)], LdapResultCode::SizeLimitExceeded, Some(b""))
        }),
        ("busy", |message| done(message, Vec::new(), LdapResultCode::Busy, None)),
        ("16 MiB", |_| Reply::Bytes(vec![0x30, 0x84, 0x7f, 0xff, 0xff, 0xff])),
        ("not LDAP", |_| Reply::Bytes(b"HTTP/1.1 200 OK\r\n".to_vec())),
    ];
    for (words, reply) in cases {
        let (mut directory, _) = directory(settings(), second_page(reply));
        let (count, verdict) = read(&mut directory, &Known::default()).await;
        assert!(count >= 2, "{words}");
        assert!(partial(&verdict).contains(words), "{words}: {verdict:?}");
    }
}

#[tokio::test]
async fn garbage_instead_of_an_answer_is_an_error_in_words() {
    let nested: Vec<u8> = (0..60_u8).rev().flat_map(|inner| [0x30, 2 * inner]).collect();
    for (bytes, words) in [
        (b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), "not LDAP"),
        (vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff], "16 MiB"),
        (nested, "nested"),
        (vec![0x30, 0x00], "no answer to a client"),
        (vec![0x30, 5, 2, 1, 9, 0x65, 0], "understand"),
    ] {
        let (mut directory, _) = directory(settings(), move |_| Reply::Bytes(bytes.clone()));
        let error = directory.read_people(&Known::default(), &mut |_| {}).await.expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[tokio::test]
async fn nobody_and_new_references_are_not_complete() {
    let (mut directory, _) = directory(settings(), |message| {
        ordinary(message, |message, _| {
            let reference = LdapSearchResultReference { uris: vec!["ldap://other/dc=x".to_owned()] };
            done(message, vec![LdapOp::SearchResultReference(reference)], LdapResultCode::Success, None)
        })
    });
    let (_, verdict) = read(&mut directory, &Known::default()).await;
    assert!(partial(&verdict).contains("ldap://other/dc=x"));
    let mut known = Known { references: ["ldap://other/dc=x".to_owned()].into(), linked: 0 };
    assert_eq!(read(&mut directory, &known).await, (0, Verdict::Complete));
    known.linked = 1;
    let (_, verdict) = read(&mut directory, &known).await;
    assert!(partial(&verdict).contains("nobody was found although 1 people are linked"));
}

#[tokio::test]
async fn entries_without_an_id_we_may_read_make_it_partial() {
    let script = |message: &LdapMsg| {
        ordinary(message, |message, _| {
            let nameless = LdapSearchResultEntry { dn: format!("cn=x,{BASE}"), attributes: Vec::new() };
            let ops = vec![person(1), LdapOp::SearchResultEntry(nameless)];
            done(message, ops, LdapResultCode::Success, None)
        })
    };
    let (mut plain, _) = directory(settings(), script);
    let (count, verdict) = read(&mut plain, &Known::default()).await;
    assert!(count == 1 && partial(&verdict).contains("1 entries came without their id"));
    // Somebody's own attribute may well be empty: that is only a warning.
    let own = Settings { id_attribute: Some("employeeNumber".to_owned()), ..settings() };
    let (mut own, _) = directory(own, script);
    let read = own.read_people(&Known::default(), &mut |_| {}).await.unwrap();
    assert_eq!(read.snapshot.verdict, Verdict::Complete);
    assert_eq!(read.warnings.len(), 2);
}

#[tokio::test]
async fn the_account_we_sign_in_with_is_nobody() {
    let sign_in = SignIn::Simple { dn: "UID = 1, DC=example,dc=TEST".to_owned() };
    let (mut directory, _) = directory(Settings { sign_in, ..settings() }, |message| {
        ordinary(message, |message, search| {
            let people = match &search.filter {
                LdapFilter::Equality(_, id) => vec![person(id[24..].parse().unwrap())],
                _ => vec![person(1), person(2)],
            };
            done(message, people, LdapResultCode::Success, None)
        })
    });
    let read = directory.read_people(&Known::default(), &mut |_| {}).await.unwrap();
    assert_eq!(read.snapshot.verdict, Verdict::Complete);
    assert_eq!(read.warnings, [""; 0]);
    let people: Vec<&str> = read.snapshot.rows.iter().map(|person| &*person.dn).collect();
    assert_eq!(people, ["uid=2,dc=example,dc=test"]);
    let target = |number: usize| {
        let id = PersonId::new(format!("00000000-0000-0000-0000-{number:012}"));
        Target { id, dn: String::new() }
    };
    let dn = "uid=1,dc=example,dc=test".to_owned();
    assert_eq!(directory.whereabouts(&target(1)).await.unwrap(), Whereabouts::FilteredOut { dn });
    assert_eq!(directory.whereabouts(&target(2)).await.unwrap(), Whereabouts::InScope);
}

#[tokio::test]
async fn a_hidden_value_is_told_from_an_attribute_the_server_does_not_know() {
    for (code, words) in [
        (LdapResultCode::AttributeOrValueExists, "looks empty to the account"),
        (LdapResultCode::AssertionFailed, "looks empty to the account"),
        (LdapResultCode::NoSuchAttribute, "does not know this attribute"),
    ] {
        let (mut directory, _) = directory(settings(), move |message| match message.op {
            LdapOp::ModifyRequest(_) => Reply::Messages(vec![LdapMsg::new(
                message.msgid,
                LdapOp::ModifyResponse(result(code.clone())),
            )]),
            _ => {
                ordinary(message, |message, _| done(message, vec![person(7)], LdapResultCode::Success, None))
            }
        });
        let target = Target { id: PersonId::new("00000000-0000-0000-0000-000000000007"), dn: String::new() };
        let change = Write { field: Field::Mobile, before: None, after: Some(Content::Text("x".to_owned())) };
        match &directory.write(&target, &[change]).await.outcomes[..] {
            [(Field::Mobile, Outcome::Refused(refusal))] => {
                assert!(refusal.advice.contains(words), "{refusal}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn empty_pages_without_end_are_given_up() {
    let (mut directory, _) = directory(settings(), |message| {
        ordinary(message, |message, _| match cookie(message).as_deref() {
            Some(b"") => done(message, vec![person(1)], LdapResultCode::Success, Some(b"again")),
            _ => done(message, Vec::new(), LdapResultCode::Success, Some(b"again")),
        })
    });
    let (count, verdict) = read(&mut directory, &Known::default()).await;
    assert!(count == 1 && partial(&verdict).contains("page after page"));
}

#[tokio::test]
async fn answers_without_end_are_given_up() {
    // Entries that are nobody, page after page; a page has as many as it takes to be done soon.
    let (mut nobody, _) = directory(settings(), |message| {
        ordinary(message, |message, _| {
            let nameless = LdapSearchResultEntry { dn: String::new(), attributes: Vec::new() };
            let page = vec![LdapOp::SearchResultEntry(nameless); 25_000];
            done(message, page, LdapResultCode::Success, Some(b"again"))
        })
    });
    let error = nobody.read_people(&Known::default(), &mut |_| {}).await.expect_err("nobody").to_string();
    assert!(error.contains("we stopped at our own limit"), "{error}");

    // What nobody asked for, and more entries than anybody has, in a search that does not end.
    let chatter = LdapOp::IntermediateResponse(LdapIntermediateResponse::Raw {
        name: Some("1.2.3".to_owned()),
        value: None,
    });
    let reference =
        LdapOp::SearchResultReference(LdapSearchResultReference { uris: vec!["ldap://x".to_owned()] });
    for op in [chatter, reference, person(1)] {
        let (mut directory, _) = directory(settings(), move |message| {
            ordinary(message, |message, _| {
                Reply::Messages(vec![LdapMsg::new(message.msgid, op.clone()); 12_000])
            })
        });
        let target = Target { id: PersonId::new("00000000-0000-0000-0000-000000000001"), dn: String::new() };
        let error = directory.person(&target).await.expect_err("a search without end").to_string();
        assert!(error.contains("does not stop answering"), "{error}");
    }
}

#[tokio::test]
async fn a_subdivision_that_is_gone_makes_it_partial_and_a_missing_root_an_error() {
    let script = |missing: &'static str| {
        move |message: &LdapMsg| match &message.op {
            LdapOp::SearchRequest(search) if search.base == missing => {
                done(message, Vec::new(), LdapResultCode::NoSuchObject, None)
            }
            _ => {
                ordinary(message, |message, _| done(message, vec![person(1)], LdapResultCode::Success, None))
            }
        }
    };
    let (here, gone) = (format!("ou=here,{BASE}"), "ou=gone,dc=example,dc=test");
    let both = Settings { ous: vec![here, gone.to_owned()], ..settings() };
    let (mut directory_, _) = directory(both.clone(), script(gone));
    let (count, verdict) = read(&mut directory_, &Known::default()).await;
    assert!(count == 1 && partial(&verdict).contains("ou=gone"));
    let (mut directory_, _) = directory(both, script(BASE));
    let error = directory_.read_people(&Known::default(), &mut |_| {}).await.expect_err("no root");
    assert!(error.to_string().contains("the domain root `dc=example,dc=test` cannot be read"), "{error}");
}

#[tokio::test]
async fn a_refused_subdivision_does_not_hide_the_others() {
    let (closed, open) = (format!("ou=closed,{BASE}"), format!("ou=open,{BASE}"));
    let both = Settings { ous: vec![closed.clone(), open], ..settings() };
    let (mut directory, _) = directory(both, move |message| {
        ordinary(message, |message, search| match search.base == closed {
            true => done(message, Vec::new(), LdapResultCode::InsufficentAccessRights, None),
            false => done(message, vec![person(1)], LdapResultCode::Success, None),
        })
    });
    let (count, verdict) = read(&mut directory, &Known::default()).await;
    assert!(count == 1 && partial(&verdict).contains("ou=closed"), "{verdict:?}");
}

#[tokio::test]
async fn a_search_that_is_refused_altogether_is_an_error() {
    let (mut directory, _) = directory(settings(), |message| {
        ordinary(message, |message, _| {
            done(message, Vec::new(), LdapResultCode::InsufficentAccessRights, None)
        })
    });
    let error = directory.read_people(&Known::default(), &mut |_| {}).await.expect_err("nothing was read");
    assert!(error.to_string().contains("no right to read"), "{error}");
}

#[tokio::test]
async fn a_busy_server_is_asked_once() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let (mut directory, _) = directory(settings(), move |message| match message.op {
        LdapOp::ModifyRequest(_) => {
            counter.fetch_add(1, Ordering::SeqCst);
            Reply::Messages(vec![LdapMsg::new(
                message.msgid,
                LdapOp::ModifyResponse(result(LdapResultCode::Busy)),
            )])
        }
        _ => ordinary(message, |message, _| done(message, vec![person(7)], LdapResultCode::Success, None)),
    });
    let target = Target { id: PersonId::new("00000000-0000-0000-0000-000000000007"), dn: String::new() };
    let change = |field| Write { field, before: None, after: Some(Content::Text("x".to_owned())) };
    let report = directory.write(&target, &[change(Field::Mobile), change(Field::Email)]).await;
    let refusals = report
        .outcomes
        .iter()
        .filter(|(_, outcome)| matches!(outcome, Outcome::Refused(r) if r.code == Some(51)));
    assert_eq!((refusals.count(), asked.load(Ordering::SeqCst)), (2, 1));
}

#[tokio::test]
async fn the_next_host_is_tried_and_remembered() {
    let hosts = vec!["down".to_owned(), "localhost".to_owned()];
    let (mut directory, dial) = directory(Settings { hosts, ..settings() }, |message| {
        ordinary(message, |_, _| Reply::Last(Vec::new()))
    });
    for _ in 0..2 {
        let answer = directory.read_people(&Known::default(), &mut |_| {}).await;
        assert!(matches!(answer, Err(Error::Lost { .. })), "{answer:?}");
    }
    assert_eq!(*dial.dialled.lock().unwrap(), ["down", "localhost", "localhost"]);
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_only() {
    let hosts = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let (mut directory, dial) = directory(Settings { hosts, ..settings() }, |message| {
        let refused = LdapBindResponse { res: result(LdapResultCode::InvalidCredentials), saslcreds: None };
        Reply::Messages(vec![LdapMsg::new(message.msgid, LdapOp::BindResponse(refused))])
    });
    let error = directory.read_people(&Known::default(), &mut |_| {}).await.expect_err("a wrong password");
    assert!(matches!(error, Error::SignIn { .. }), "{error}");
    assert_eq!(dial.dialled.lock().unwrap().len(), 1, "more would lock the account");
}

#[tokio::test]
async fn bytes_before_tls_are_tampering() {
    let settings = Settings { security: Security::StartTls, ..settings() };
    let (mut directory, _) = directory(settings, |message| {
        let res = result(LdapResultCode::Success);
        let go = LdapMsg::new(
            message.msgid,
            LdapOp::ExtendedResponse(LdapExtendedResponse { res, name: None, value: None }),
        );
        let injected = LdapBindResponse { res: result(LdapResultCode::Success), saslcreds: None };
        let injected = LdapMsg::new(message.msgid + 1, LdapOp::BindResponse(injected));
        Reply::Messages(vec![go, injected])
    });
    let error = directory.read_people(&Known::default(), &mut |_| {}).await.expect_err("tampering");
    assert!(error.to_string().contains("before TLS was in place"), "{error}");
}

#[tokio::test]
async fn a_refused_starttls_never_goes_on_in_the_clear() {
    let settings = Settings { security: Security::StartTls, ..settings() };
    let (mut directory, _) = directory(settings, |message| {
        assert!(matches!(message.op, LdapOp::ExtendedRequest(_)), "nothing else is sent in the clear");
        let res = result(LdapResultCode::ProtocolError);
        let refused = LdapExtendedResponse { res, name: None, value: None };
        Reply::Messages(vec![LdapMsg::new(message.msgid, LdapOp::ExtendedResponse(refused))])
    });
    let error = directory.read_people(&Known::default(), &mut |_| {}).await.expect_err("no TLS");
    assert!(error.to_string().contains("does not offer StartTLS"), "{error}");
}

#[tokio::test]
async fn a_dropped_read_leaves_the_connection_usable() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let (mut directory, dial) = directory(settings(), move |message| {
        ordinary(message, |message, _| match counter.fetch_add(1, Ordering::SeqCst) {
            0 => Reply::Messages(vec![LdapMsg::new(message.msgid, person(1))]),
            _ => {
                // The rest of the dropped search comes first.
                let mut messages = vec![LdapMsg::new(
                    message.msgid - 2,
                    LdapOp::SearchResultDone(result(LdapResultCode::Success)),
                )];
                if let Reply::Messages(answer) = done(message, vec![person(7)], LdapResultCode::Success, None)
                {
                    messages.extend(answer);
                }
                Reply::Messages(messages)
            }
        })
    });
    let known = Known::default();
    let hung = async {
        let _ = directory.read_people(&known, &mut |_| {}).await;
    };
    assert!(tokio::time::timeout(std::time::Duration::from_millis(100), hung).await.is_err());
    // A look-up uses the same connection, now with an abandoned search on it.
    let target = Target { id: PersonId::new("00000000-0000-0000-0000-000000000007"), dn: String::new() };
    let found = directory.person(&target).await.unwrap();
    assert_eq!(found.map(|person| person.dn), Some(format!("uid=7,{BASE}").into()));
    assert_eq!(dial.dialled.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_idle_connection_that_died_is_replaced() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let (mut directory, dial) = directory(settings(), move |message| {
        ordinary(message, |message, _| match counter.fetch_add(1, Ordering::SeqCst) {
            1 => Reply::Last(Vec::new()),
            _ => done(message, vec![person(7)], LdapResultCode::Success, None),
        })
    });
    let target = Target { id: PersonId::new("00000000-0000-0000-0000-000000000007"), dn: String::new() };
    for _ in 0..2 {
        assert!(directory.person(&target).await.unwrap().is_some());
    }
    assert_eq!(dial.dialled.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_change_whose_answer_never_came_is_unknown() {
    let (mut directory, _) = directory(settings(), |message| match message.op {
        LdapOp::ModifyRequest(_) => Reply::Last(Vec::new()),
        _ => ordinary(message, |message, _| done(message, vec![person(7)], LdapResultCode::Success, None)),
    });
    let target = Target { id: PersonId::new("00000000-0000-0000-0000-000000000007"), dn: String::new() };
    let change =
        Write { field: Field::Mobile, before: None, after: Some(Content::Text("+79161234567".to_owned())) };
    let report = directory.write(&target, &[change]).await;
    assert!(matches!(&report.outcomes[..], [(Field::Mobile, Outcome::Unknown(_))]), "{report:?}");
}

#[tokio::test]
async fn nothing_is_sent_for_an_equal_or_a_moved_value() {
    let (mut directory, _) = directory(settings(), |message| match message.op {
        LdapOp::ModifyRequest(_) => panic!("a modify"),
        _ => ordinary(message, |message, _| {
            let mut op = person(7);
            if let LdapOp::SearchResultEntry(entry) = &mut op {
                let mobile = vec![b"+79161234567".to_vec()];
                entry.attributes.push(LdapPartialAttribute { atype: "mobile".to_owned(), vals: mobile });
            }
            done(message, vec![op], LdapResultCode::Success, None)
        }),
    });
    let target = Target { id: PersonId::new("00000000-0000-0000-0000-000000000007"), dn: String::new() };
    let text = |text: &str| Some(Content::Text(text.to_owned()));
    let before = |raw: &str| Some(Value::new(raw, raw));
    let mut outcome = async |before, after| {
        let change = Write { field: Field::Mobile, before, after };
        directory.write(&target, &[change]).await.outcomes.remove(0).1
    };
    assert!(matches!(outcome(None, text("+79161234567")).await, Outcome::Stored(_)));
    assert!(matches!(outcome(before("+79161234567"), text("+79161234567")).await, Outcome::Stored(_)));
    assert!(matches!(outcome(before("+79990000000"), text("+79161234567")).await, Outcome::Stored(_)));
    assert!(matches!(outcome(before("+79990000000"), text("+79162222222")).await, Outcome::Stale(_)));
    assert!(matches!(outcome(None, text("+79162222222")).await, Outcome::Stale(_)));
    assert!(matches!(outcome(before("+79990000000"), None).await, Outcome::Stale(_)));
}

#[tokio::test]
async fn a_context_that_may_not_be_searched_proves_no_deletion() {
    let ou = format!("ou=people,{BASE}");
    let (mut directory, _) = directory(Settings { base_dn: ou.clone(), ..settings() }, move |message| {
        ordinary(message, |message, search| match search.base == ou {
            true => done(message, Vec::new(), LdapResultCode::Success, None),
            false => done(message, Vec::new(), LdapResultCode::NoSuchObject, None),
        })
    });
    let target = Target { id: PersonId::new("00000000-0000-0000-0000-000000000007"), dn: String::new() };
    match directory.whereabouts(&target).await.unwrap() {
        Whereabouts::Refused(why) => assert!(why.contains("deleted or moved"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn silence_has_an_end() {
    let (mut mute, _) = directory(settings(), |_| Reply::Silence);
    let error = mute.read_people(&Known::default(), &mut |_| {}).await.expect_err("silence").to_string();
    assert!(error.contains("no answer to the sign-in"), "{error}");
    let (mut stuck, _) = directory(settings(), |message| {
        ordinary(message, |message, _| match cookie(message).as_deref() {
            Some(b"") => done(message, vec![person(1)], LdapResultCode::Success, Some(b"next")),
            _ => Reply::Silence,
        })
    });
    let (count, verdict) = read(&mut stuck, &Known::default()).await;
    assert!(count == 1 && partial(&verdict).contains("did not answer for 60 seconds"));
}

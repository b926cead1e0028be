//! The directory as the command-line tools of OpenLDAP see it, over TCP.

use crate::client::{AD_BASE, OPEN_BASE, PASSWORD, directory};
use sandbox::company::Company;
use sandbox::directory::{Directory, Personality, Running, serve};
use std::io::Write;
use std::process::{Command, Output, Stdio};

async fn served(personality: Personality) -> (Directory, Running) {
    let directory = directory(personality);
    directory.populate(&Company::new(60, 1)).unwrap();
    let running = serve(directory.clone(), ([127, 0, 0, 1], 0).into()).await.unwrap();
    (directory, running)
}

/// Runs a tool against the server; what it reads from its input is `input`.
async fn run(running: &Running, who: &str, tool: &'static str, args: &[&str], input: &str) -> Output {
    let mut command = Command::new(tool);
    command.args(["-x", "-H", &format!("ldap://{}", running.addr), "-D", who, "-w", PASSWORD]);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let input = input.to_owned();
    let output = tokio::task::spawn_blocking(move || {
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("{tool} (package ldap-utils): {error}"));
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    });
    output.await.unwrap()
}

fn lines(output: &Output, start: &str) -> usize {
    String::from_utf8_lossy(&output.stdout).lines().filter(|line| line.starts_with(start)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn ldapsearch_reads_openldap() {
    let (directory, running) = served(Personality::OpenLdap).await;
    let who = directory.account_dn("pbx-sync").unwrap();
    let search = ["-LLL", "-b", OPEN_BASE];
    let all = run(&running, &who, "ldapsearch", &[&search[..], &["(objectClass=person)"]].concat(), "").await;
    assert_eq!((all.status.code(), lines(&all, "dn:")), (Some(0), 60));
    let paged = ["-E", "pr=7/noprompt", "(uid=*)", "1.1"];
    let paged = run(&running, &who, "ldapsearch", &[&search[..], &paged].concat(), "").await;
    assert_eq!((paged.status.code(), lines(&paged, "dn:")), (Some(0), 60));
    let limited =
        run(&running, &who, "ldapsearch", &[&search[..], &["-z", "3", "(uid=*)"]].concat(), "").await;
    assert_eq!((limited.status.code(), lines(&limited, "dn:")), (Some(4), 3));
    let wrong = run(&running, "cn=nobody,dc=example,dc=test", "ldapsearch", &search, "").await;
    assert_eq!(wrong.status.code(), Some(49));
}

#[tokio::test(flavor = "multi_thread")]
async fn ldapmodify_and_its_kin_write_openldap() {
    let (directory, running) = served(Personality::OpenLdap).await;
    let who = directory.account_dn("admin").unwrap();
    let id = directory.people()[0];
    let uid = directory.entry(id).unwrap().text("uid").unwrap();
    let dn = format!("uid={uid},{OPEN_BASE}");
    directory.move_to(id, OPEN_BASE).unwrap();
    let change = format!("dn: {dn}\nchangetype: modify\nreplace: mobile\nmobile: 12\n");
    let refused = run(&running, &who, "ldapmodify", &["-e", "!assert=(mobile=11)"], &change).await;
    assert_eq!(refused.status.code(), Some(122));
    let post_read = ["-e", "!postread=mobile,entryCSN"];
    let done = run(&running, &who, "ldapmodify", &post_read, &change).await;
    assert_eq!((done.status.code(), lines(&done, "mobile: 12"), lines(&done, "entryCSN: ")), (Some(0), 1, 1));
    let compared = run(&running, &who, "ldapcompare", &[&dn, "mobile:1 2"], "").await;
    assert_eq!(compared.status.code(), Some(6));
    let renamed = run(&running, &who, "ldapmodrdn", &["-r", &dn, "uid=new"], "").await;
    assert_eq!(renamed.status.code(), Some(0));
    let deleted = run(&running, &who, "ldapdelete", &[&format!("uid=new,{OPEN_BASE}")], "").await;
    assert_eq!((deleted.status.code(), directory.entry(id)), (Some(0), None));
    let me = run(&running, &who, "ldapwhoami", &[], "").await;
    assert_eq!(String::from_utf8_lossy(&me.stdout), format!("dn:{who}\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn ldapsearch_reads_active_directory() {
    let (directory, running) = served(Personality::ActiveDirectory).await;
    let id = directory.people()[0];
    let guid: String = id.to_bytes_le().iter().map(|byte| format!("\\{byte:02x}")).collect();
    let bits = "(&(objectCategory=person)(userAccountControl:1.2.840.113556.1.4.803:=2)(displayName=*))";
    let disabled = directory.find("userAccountControl", "514").len();
    for (base, filter, found) in [
        (AD_BASE, "(&(objectCategory=person)(objectClass=user)(givenName=*))", 60),
        (AD_BASE, bits, disabled),
        // Bytes that are no UTF-8 find their way into a filter.
        (AD_BASE, &format!("(objectGUID={guid})"), 1),
        (AD_BASE, &format!("(objectGUID={id})"), 1),
        (&format!("<GUID={id}>"), "(objectClass=*)", 1),
    ] {
        let args = ["-LLL", "-b", base, "-E", "pr=1000/noprompt", filter, "objectGUID"];
        let output = run(&running, "AD\\pbx-reader", "ldapsearch", &args, "").await;
        assert_eq!((output.status.code(), lines(&output, "objectGUID:")), (Some(0), found), "{filter}");
    }
    assert!(disabled >= 2);
}

//! The sandbox PBX on a loopback port, in the process of the story: Rollcall
//! reaches it over HTTP with an API key, the story reads and edits it directly.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sandbox::faults::Faults;
use sandbox::pbx::{self, Options, Running};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use tokio::runtime::Runtime;

/// 64 hexadecimal digits, as the PBX makes them.
const KEY: &str = "5f2b0c8e41d97a36f0c4be12a7d8e935160bf7a2c94d8e03b5a1c6f7e2d90b48";

#[derive(Debug)]
pub struct Pbx {
    pbx: pbx::Pbx,
    addr: SocketAddr,
    _running: Running,
    // Dropped last: the server runs on it.
    _runtime: Runtime,
}

/// An employee as the web page shows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Employee {
    pub id: u64,
    pub number: String,
    pub name: String,
    pub email: String,
    pub mobile: String,
    pub secret: String,
}

impl Pbx {
    /// A PBX where nobody works yet.
    pub fn start() -> Self {
        Pbx::start_with(Options::default())
    }

    pub fn start_with(options: Options) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let pbx = pbx::Pbx::new(options);
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let running = runtime.block_on(pbx::serve(pbx.clone(), loopback)).expect("a free port");
        let started = Pbx { pbx, addr: running.addr, _running: running, _runtime: runtime };
        started.make_key();
        started
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub fn key(&self) -> String {
        KEY.to_owned()
    }

    /// Requests that changed something, or meant to.
    pub fn writes(&self) -> u64 {
        self.pbx.attempts()
    }

    pub fn employees(&self) -> Vec<Employee> {
        self.pbx.employees().into_iter().filter_map(shown).collect()
    }

    pub fn employee(&self, id: u64) -> Employee {
        let found = self.employees().into_iter().find(|employee| employee.id == id);
        found.unwrap_or_else(|| panic!("no employee {id}"))
    }

    pub fn numbered(&self, number: &str) -> Employee {
        let found = self.employees().into_iter().find(|employee| employee.number == number);
        found.unwrap_or_else(|| panic!("nobody has the number {number} among {:#?}", self.employees()))
    }

    pub fn named(&self, name: &str) -> Employee {
        let found = self.employees().into_iter().find(|employee| employee.name == name);
        found.unwrap_or_else(|| panic!("no employee is called {name}"))
    }

    /// A new employee, made in the web page.
    pub fn hire(&self, number: &str, name: &str, email: &str, mobile: &str) -> u64 {
        let secret = format!("Made-1n-the-PBX-{number}");
        let fields = json!({
            "number": number, "user_username": name, "user_email": email, "sip_secret": secret,
            "mobile_number": mobile, "mobile_dialstring": mobile,
        });
        self.pbx.add(fields).expect("the PBX takes it")
    }

    /// A change made in the web page; fields are those of the API.
    pub fn edit(&self, id: u64, fields: Value) {
        self.pbx.edit(id, fields).expect("the PBX takes it");
    }

    pub fn set_mobile(&self, id: u64, mobile: &str) {
        self.edit(id, json!({ "mobile_number": mobile, "mobile_dialstring": mobile }));
    }

    pub fn set_photo(&self, id: u64, jpeg: &[u8]) {
        let data = format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg));
        self.edit(id, json!({ "user_avatar": data }));
    }

    pub fn delete(&self, id: u64) {
        self.pbx.delete(id).expect("nothing refers to them");
    }

    pub fn queue(&self, number: &str) {
        assert!(self.pbx.add_queue(number), "{number} is taken");
    }

    pub fn photo(&self, id: u64) -> Option<Vec<u8>> {
        self.pbx.picture(id).map(Into::into)
    }

    /// Misbehaves from now on, as `pbx.…` of [`Faults`] says.
    pub fn misbehave(&self, spec: &str) {
        self.pbx.set_faults(Faults::parse(spec).expect("a known fault").pbx);
    }

    /// Every SIP password.
    pub fn secrets(&self) -> Vec<String> {
        self.employees().into_iter().map(|employee| employee.secret).collect()
    }

    fn make_key(&self) {
        let body = json!({ "description": "rollcall", "key": KEY, "full_permissions": true }).to_string();
        let mut stream = TcpStream::connect(self.addr).expect("the PBX listens");
        let head = format!(
            "POST /pbxcore/api/v3/api-keys HTTP/1.1\r\nHost: pbx\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).expect("the PBX reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the PBX answers");
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }
}

fn shown(employee: pbx::Employee) -> Option<Employee> {
    let sip = employee.sip?;
    Some(Employee {
        id: employee.id,
        number: sip.number,
        name: employee.username,
        email: employee.email,
        mobile: employee.mobile.map(|mobile| mobile.number).unwrap_or_default(),
        secret: sip.secret.expose_secret().to_owned(),
    })
}

//! A name server that knows which servers offer a service (SRV, RFC 2782), and
//! nothing else.

use std::io;
use std::net::SocketAddr;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

const SRV: [u8; 2] = [0, 33];
const INTERNET: [u8; 2] = [0, 1];
const HEADER_BYTES: usize = 12;
const MESSAGE_BYTES_MAX: usize = 512;

/// `_ldap._tcp.example.org`, and who offers it: priority, weight, port, name.
/// An empty name is the domain's word that nobody does.
pub type Offer = (String, Vec<(u16, u16, u16, String)>);

/// Answers until it is dropped.
#[derive(Debug)]
pub struct NameServer {
    pub addr: SocketAddr,
    task: JoinHandle<()>,
}

impl NameServer {
    pub async fn start(offers: Vec<Offer>) -> io::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        let addr = socket.local_addr()?;
        let task = tokio::spawn(async move {
            let mut message = [0; MESSAGE_BYTES_MAX];
            while let Ok((length, from)) = socket.recv_from(&mut message).await {
                let Some(answer) = answer(&message[..length], &offers) else { continue };
                // Who does not hear it asks again.
                drop(socket.send_to(&answer, from).await);
            }
        });
        Ok(NameServer { addr, task })
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// None where the question cannot be read.
fn answer(query: &[u8], offers: &[Offer]) -> Option<Vec<u8>> {
    let question = query.get(HEADER_BYTES..)?;
    let (mut name, mut at) = (Vec::new(), 0);
    loop {
        let length = usize::from(*question.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        name.push(std::str::from_utf8(question.get(at..at + length)?).ok()?);
        at += length;
    }
    let is_srv = question.get(at..at + 2)? == SRV;
    let name = name.join(".");
    let offer = offers.iter().find(|(of, _)| of.eq_ignore_ascii_case(&name));
    let known = offer.map(|(_, servers)| servers.as_slice()).unwrap_or_default();
    let servers = if is_srv { known } else { &[] };

    let no_such_name = if offer.is_some() { 0 } else { 3 };
    let count = u16::try_from(servers.len()).ok()?.to_be_bytes();
    let mut answer = query.get(..2)?.to_vec();
    answer.extend([0x85, 0x80 | no_such_name, 0, 1, count[0], count[1], 0, 0, 0, 0]);
    answer.extend(question.get(..at + 4)?);
    for (priority, weight, port, target) in servers {
        let labels = target.split('.').filter(|label| !label.is_empty());
        let target: Vec<u8> = labels
            .flat_map(|label| [&[u8::try_from(label.len()).unwrap_or_default()], label.as_bytes()].concat())
            .chain([0])
            .collect();
        // The name of the question, and a minute to live.
        answer.extend([0xc0, 0x0c]);
        answer.extend([SRV, INTERNET].concat());
        answer.extend([0, 0, 0, 60]);
        answer.extend(u16::try_from(6 + target.len()).ok()?.to_be_bytes());
        answer.extend([priority, weight, port].into_iter().flat_map(|number| number.to_be_bytes()));
        answer.extend(target);
    }
    Some(answer)
}

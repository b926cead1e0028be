//! What every command starts from: the store, the effects, and how to reach a
//! directory and a PBX by what is stored about them.

use crate::notify::{Notify, RunProgram};
use anyhow::{Context, Result, anyhow};
use directory::{Dial, Directory};
use effects::{Clock, Random};
use pbx::{Exchange, HttpExchange, Pbx};
use secrecy::SecretString;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::{DirectoryRow, PbxId, PbxRow, SecretOf, SqlStore, Store};

/// How long one call may wait for a PBX that asks for patience.
const PBX_PATIENCE: Duration = Duration::from_secs(30);

/// `ADDRESS` or `ADDRESS:PORT` of a name server that knows the domain.
const NAME_SERVER: &str = "ROLLCALL_DNS";
const DNS_PORT: u16 = 53;

#[derive(Clone, Debug)]
pub struct App {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub net: Arc<dyn Net>,
    pub notify: Arc<dyn Notify>,
}

/// The network, so that a simulation can bring its own.
pub trait Net: Send + Sync + fmt::Debug {
    fn dial(&self) -> Arc<dyn Dial>;

    fn exchange(&self, settings: &pbx::Settings) -> Result<Arc<dyn Exchange>, pbx::Error>;
}

#[derive(Clone, Copy, Debug, Default)]
pub struct RealNet {
    /// Asked for the servers of a domain, instead of the machine's own.
    pub name_server: Option<SocketAddr>,
}

impl RealNet {
    /// A machine beside the domain often asks other name servers than the
    /// domain's.
    fn from_environment() -> Result<Self> {
        let Some(text) = std::env::var_os(NAME_SERVER).filter(|text| !text.is_empty()) else {
            return Ok(RealNet::default());
        };
        let text = text.to_string_lossy();
        let address =
            text.parse().or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, DNS_PORT)));
        let wrong = |_| anyhow!(Usage(format!("{NAME_SERVER}: `{text}` is no address of a name server")));
        Ok(RealNet { name_server: Some(address.map_err(wrong)?) })
    }
}

impl Net for RealNet {
    fn dial(&self) -> Arc<dyn Dial> {
        match self.name_server {
            Some(address) => Arc::new(directory::DialByDns(address)),
            None => Arc::new(directory::TcpDial),
        }
    }

    fn exchange(&self, settings: &pbx::Settings) -> Result<Arc<dyn Exchange>, pbx::Error> {
        Ok(Arc::new(HttpExchange::new(settings)?))
    }
}

/// The command was called wrongly: exit code 2.
#[derive(Debug)]
pub struct Usage(pub String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

impl App {
    /// Opens the state directory, making it where it does not exist.
    pub async fn open(state: &Path) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(effects::SystemClock);
        let random: Arc<dyn Random> = Arc::new(effects::SystemRandom);
        let store = SqlStore::open(state, credentials().as_deref(), random.clone())
            .await
            .with_context(|| format!("cannot use the state directory {}", state.display()))?;
        let (net, notify) = (Arc::new(RealNet::from_environment()?), Arc::new(RunProgram::default()));
        Ok(App { store: Arc::new(store), clock, random, net, notify })
    }

    /// The server of this name, or advice on what names there are.
    pub async fn server(&self, name: &str) -> Result<DirectoryRow> {
        if let Some(row) = self.store.directory(name).await? {
            return Ok(row);
        }
        let names: Vec<String> = self.store.directories().await?.into_iter().map(|row| row.name).collect();
        let known = match names.is_empty() {
            true => "add one with `rollcall server add`".to_owned(),
            false => format!("there are: {}", names.join(", ")),
        };
        Err(anyhow!(Usage(format!("there is no server `{name}`; {known}"))))
    }

    /// The PBX, or advice on how to say which it is.
    pub async fn pbx_row(&self, id: PbxId) -> Result<PbxRow> {
        let rows = self.store.pbxes().await?;
        rows.into_iter().find(|row| row.id == id && !row.settings.is_null()).ok_or_else(|| {
            anyhow!(Usage("no PBX is set; say which with `rollcall pbx set --url URL`".to_owned()))
        })
    }

    /// A directory ready to be asked; connects on first use.
    pub async fn directory(&self, row: &DirectoryRow) -> Result<Directory> {
        let settings = directory_settings(row)?;
        let secret = self.store.secret(SecretOf::Directory(row.id)).await?;
        Ok(self.directory_with(settings, secret)?)
    }

    pub fn directory_with(
        &self,
        settings: directory::Settings,
        secret: Option<SecretString>,
    ) -> Result<Directory, directory::Error> {
        Directory::new(settings, secret, self.store.fingerprinter(), self.net.dial(), self.clock.clone())
    }

    pub async fn pbx(&self, id: PbxId) -> Result<Pbx> {
        let settings = pbx_settings(&self.pbx_row(id).await?)?;
        let secret = self.store.secret(SecretOf::Pbx(id)).await?;
        Ok(self.pbx_with(&settings, secret)?)
    }

    pub fn pbx_with(
        &self,
        settings: &pbx::Settings,
        secret: Option<SecretString>,
    ) -> Result<Pbx, pbx::Error> {
        let exchange = self.net.exchange(settings)?;
        let (clock, prints) = (self.clock.clone(), self.store.fingerprinter());
        Pbx::new(settings, secret, exchange, clock, prints, PBX_PATIENCE)
    }
}

/// Where systemd hands over the vault key as a credential, if it is told to.
pub fn credentials() -> Option<PathBuf> {
    std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from)
}

pub fn directory_settings(row: &DirectoryRow) -> Result<directory::Settings> {
    serde_json::from_value(row.settings.clone())
        .with_context(|| format!("the settings of server `{}` cannot be read; add it again", row.name))
}

pub fn pbx_settings(row: &PbxRow) -> Result<pbx::Settings> {
    serde_json::from_value(row.settings.clone())
        .context("the settings of the PBX cannot be read; set it again with `rollcall pbx set`")
}

//! Which PBX it is about.

use super::args::{PbxCommand, PbxSetArgs};
use super::errors::usage;
use super::files;
use super::output::{Cell, Ink, Out, Page, View};
use super::steps::Steps;
use crate::app::{App, pbx_settings};
use anyhow::Result;
use pbx::{Settings, SignIn, Trust, Warning};
use secrecy::SecretString;
use serde::Serialize;
use store::{PbxId, PbxRow, SecretOf};

pub async fn run(app: &App, command: PbxCommand, out: &Out) -> Result<u8> {
    match command {
        PbxCommand::Set(args) => {
            let (settings, secret) = settings(&args)?;
            store(app, &settings, secret.as_ref()).await?;
            out.show(&PbxView { next: Some("Try it: rollcall pbx test"), ..view(app).await? })
        }
        PbxCommand::Show => out.show(&view(app).await?),
        PbxCommand::Test => {
            stored(app).await?;
            let steps = app.pbx(PbxId::DEFAULT).await?.test().await;
            out.show(&Steps::of("the PBX".to_owned(), steps))
        }
    }
}

/// Stores which PBX it is. An empty secret forgets an earlier one.
pub async fn store(app: &App, settings: &Settings, secret: Option<&SecretString>) -> Result<()> {
    settings.check().map_err(|error| usage(error.to_string()))?;
    let name = app.store.pbxes().await?.into_iter().find(|row| row.id == PbxId::DEFAULT).map(|row| row.name);
    let row = PbxRow {
        id: PbxId::DEFAULT,
        name: name.unwrap_or_else(|| "pbx".to_owned()),
        settings: serde_json::to_value(settings)?,
    };
    Ok(app.store.put_pbx(&row, secret).await?)
}

fn settings(args: &PbxSetArgs) -> Result<(Settings, Option<SecretString>)> {
    let (sign_in, secret) = match (&args.api_key_file, &args.login, &args.password_file) {
        (Some(file), _, _) => (SignIn::ApiKey, files::secret("--api-key-file", file)?),
        (None, Some(login), Some(file)) => {
            (SignIn::Login { login: login.clone() }, files::secret("--password-file", file)?)
        }
        _ => (SignIn::Local, SecretString::default()),
    };
    let trust = match (&args.ca_file, &args.fingerprint) {
        (Some(file), _) => Trust::Authority { pem: files::text("--ca-file", file)?.to_string() },
        (None, Some(sha256)) => Trust::Pinned { sha256: sha256.clone() },
        (None, None) => Trust::SystemRoots,
    };
    let settings = Settings { url: args.url.clone(), sign_in, trust };
    // The address comes first: other credentials would not mend it.
    let with_key = Settings { sign_in: SignIn::ApiKey, ..settings.clone() };
    with_key.check().map_err(|error| usage(error.to_string()))?;
    if settings.sign_in == SignIn::Local {
        settings.check().map_err(|error| {
            usage(format!("{error}; otherwise give --api-key-file, or --login with --password-file"))
        })?;
    }
    Ok((settings, Some(secret)))
}

async fn stored(app: &App) -> Result<Settings> {
    let row = app.store.pbxes().await?.into_iter().find(|row| row.id == PbxId::DEFAULT);
    match row.filter(|row| !row.settings.is_null()) {
        Some(row) => pbx_settings(&row),
        None => Err(usage("no PBX is set; say which with `rollcall pbx set --url URL`")),
    }
}

async fn view(app: &App) -> Result<PbxView> {
    let settings = stored(app).await?;
    let secret = app.store.secret(SecretOf::Pbx(PbxId::DEFAULT)).await?.is_some();
    let (sign_in, login) = match &settings.sign_in {
        SignIn::Local => ("local", None),
        SignIn::ApiKey => ("api-key", None),
        SignIn::Login { login } => ("login", Some(login.clone())),
    };
    Ok(PbxView {
        sign_in,
        login,
        secret: if secret { "set" } else { "none" },
        trust: match &settings.trust {
            Trust::SystemRoots => "system".to_owned(),
            Trust::Authority { .. } => "ca-file".to_owned(),
            Trust::Pinned { sha256 } => sha256.clone(),
        },
        warnings: settings.check().unwrap_or_default(),
        url: settings.url,
        next: None,
    })
}

#[derive(Debug, Serialize)]
struct PbxView {
    url: String,
    sign_in: &'static str,
    login: Option<String>,
    /// `set` or `none`.
    secret: &'static str,
    trust: String,
    warnings: Vec<Warning>,
    #[serde(skip)]
    next: Option<&'static str>,
}

impl View for PbxView {
    fn write(&self, page: &mut Page) {
        page.title("PBX");
        let sign_in = match (self.sign_in, &self.login) {
            ("local", _) => "none: on the PBX itself".to_owned(),
            (_, Some(login)) => format!("login {login} (password: {})", self.secret),
            _ => format!("API key (key: {})", self.secret),
        };
        page.facts([
            ("address", Cell::from(self.url.clone())),
            ("sign-in", sign_in.into()),
            ("trust", self.trust.clone().into()),
        ]);
        for warning in &self.warnings {
            page.gap();
            page.say(format!("Warning: {warning}"), Ink::Warn);
        }
        if let Some(next) = self.next {
            page.gap();
            page.say(next, Ink::Dim);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_address_is_told_before_the_sign_in() {
        let refused = |url: &str| {
            let (api_key_file, login, password_file, ca_file, fingerprint) = (None, None, None, None, None);
            let url = url.to_owned();
            let args = PbxSetArgs { url, api_key_file, login, password_file, ca_file, fingerprint };
            settings(&args).unwrap_err().to_string()
        };
        for url in ["127.0.0.1", "ftp://pbx", "pbx.example.org:8080", ""] {
            let why = refused(url);
            assert!(why.contains("must begin with http:// or https://") && !why.contains("--login"), "{why}");
        }
        assert!(refused("https://pbx.example.org").contains("--api-key-file"));
    }
}

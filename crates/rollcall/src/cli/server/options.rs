//! From options to settings: what is named changes, the rest stays.

use crate::cli::args::{KindArg, SecurityArg, ServerOptions};
use crate::cli::errors::usage;
use crate::cli::files;
use crate::cli::words;
use anyhow::Result;
use directory::{AttributeMap, Kind, LDAPI, Security, Settings, SignIn, Source, Trust};
use reconcile::{Field, NumberRange, Policy, canonical};
use secrecy::SecretString;
use serde::de::DeserializeOwned;

/// Everything about a server that options can change.
#[derive(Clone, Debug)]
pub struct Draft {
    pub settings: Settings,
    pub policy: Policy,
}

impl Draft {
    /// A server about which nothing is known but its kind.
    pub fn new(kind: Kind) -> Self {
        let settings = Settings {
            kind,
            hosts: Vec::new(),
            domain: None,
            port: Security::Ldaps.default_port(),
            security: Security::Ldaps,
            trust: Trust::System,
            sign_in: SignIn::Simple { dn: String::new() },
            client_certificate: None,
            base_dn: String::new(),
            ous: Vec::new(),
            exclude: Vec::new(),
            groups: Vec::new(),
            filter: None,
            id_attribute: None,
            map: AttributeMap::default_of(kind),
            allow_plain: false,
            region: None,
            page_size: Settings::default_page_size(kind),
        };
        Draft { settings, policy: Policy::default() }
    }

    /// Takes over what the options name. Everything else stays.
    pub fn take(&mut self, options: &ServerOptions) -> Result<()> {
        self.connection(options)?;
        self.sign_in(options)?;
        self.scope(options);
        self.attributes(options)?;
        self.policy(options)?;
        self.follow();
        self.settings.check().map_err(|error| {
            // Which word allows it is the command line's to say.
            let plain = Settings { allow_plain: true, ..self.settings.clone() };
            match plain.check() {
                Err(other) if other == error => usage(error.to_string()),
                _ => usage(format!("{error} with --allow-plain")),
            }
        })
    }

    /// What of the policy follows from the settings.
    pub fn follow(&mut self) {
        self.policy.read_only = self.settings.map.read_only();
        self.policy.region.clone_from(&self.settings.region);
    }

    /// Another kind of server brings its own defaults, where nobody chose.
    pub fn change_kind(&mut self, kind: Kind) {
        let settings = &mut self.settings;
        if settings.map == AttributeMap::default_of(settings.kind) {
            settings.map = AttributeMap::default_of(kind);
        }
        if settings.page_size == Settings::default_page_size(settings.kind) {
            settings.page_size = Settings::default_page_size(kind);
        }
        settings.kind = kind;
    }

    fn connection(&mut self, options: &ServerOptions) -> Result<()> {
        let settings = &mut self.settings;
        if !options.hosts.is_empty() {
            settings.hosts.clone_from(&options.hosts);
            settings.domain = None;
        }
        if let Some(domain) = &options.domain {
            settings.domain = Some(domain.clone());
            settings.hosts.clear();
        }
        let before = settings.security;
        let local = settings.hosts.iter().all(|host| host.starts_with(LDAPI)) && !settings.hosts.is_empty();
        match options.security {
            Some(SecurityArg::None) => settings.security = Security::None,
            Some(SecurityArg::StartTls) => settings.security = Security::StartTls,
            Some(SecurityArg::Ldaps) => settings.security = Security::Ldaps,
            // TLS has no meaning on a Unix socket.
            None if local && !options.hosts.is_empty() => settings.security = Security::None,
            None => {}
        }
        match options.port {
            Some(port) => settings.port = port,
            None if settings.port == before.default_port() => {
                settings.port = settings.security.default_port()
            }
            None => {}
        }
        if let Some(file) = &options.ca_file {
            settings.trust = Trust::CaPem(files::text("--ca-file", file)?.to_string());
        }
        if let Some(text) = &options.fingerprint {
            settings.trust = match text.as_str() {
                "" => Trust::System,
                text => {
                    Trust::Fingerprint(text.parse().map_err(|why| usage(format!("--fingerprint: {why}")))?)
                }
            };
        }
        // The word was about one connection, not about all that may follow.
        settings.allow_plain =
            options.allow_plain || (settings.allow_plain && settings.security == Security::None);
        Ok(())
    }

    fn sign_in(&mut self, options: &ServerOptions) -> Result<()> {
        let settings = &mut self.settings;
        match (&options.bind_dn, options.sasl_external) {
            (Some(_), true) => {
                return Err(usage("--bind-dn and --sasl-external are two ways to sign in: choose one"));
            }
            (Some(dn), false) => settings.sign_in = SignIn::Simple { dn: dn.clone() },
            (None, true) => settings.sign_in = SignIn::External,
            (None, false) => return Ok(()),
        }
        settings.client_certificate = None;
        if let Some(file) = &options.client_certificate {
            let text = files::text("--client-certificate", file)?;
            settings.client_certificate = Some(files::pem(&text, "CERTIFICATE").to_string());
        }
        Ok(())
    }

    fn scope(&mut self, options: &ServerOptions) {
        let settings = &mut self.settings;
        if let Some(base) = &options.base_dn {
            settings.base_dn.clone_from(base);
        }
        if !options.ous.is_empty() {
            settings.ous = stated(&options.ous);
        }
        if !options.exclude.is_empty() {
            settings.exclude = stated(&options.exclude);
        }
        if !options.groups.is_empty() {
            settings.groups = stated(&options.groups);
        }
        if let Some(filter) = &options.filter {
            settings.filter = some(filter);
        }
        if let Some(attribute) = &options.id_attribute {
            settings.id_attribute = some(attribute);
        }
    }

    fn attributes(&mut self, options: &ServerOptions) -> Result<()> {
        let map = &mut self.settings.map;
        for text in &options.maps {
            let (name, attribute) = named("--map", "FIELD=ATTRIBUTE", text)?;
            if name == "account-state" {
                map.account_state = some(attribute);
                continue;
            }
            let field = field("--map", name)?;
            map.fields[field] = match some(attribute) {
                Some(text) => {
                    Some(text.parse::<Source>().map_err(|why| usage(format!("--map {field}: {why}")))?)
                }
                None => None,
            };
        }
        if let Some(region) = &options.region {
            let region = some(&region.to_uppercase());
            if let Some(code) = region.as_deref().filter(|code| !canonical::is_region(code)) {
                return Err(usage(format!(
                    "--region: `{code}` is no country whose phone numbers are known; write RU or DE"
                )));
            }
            self.settings.region = region;
        }
        Ok(())
    }

    fn policy(&mut self, options: &ServerOptions) -> Result<()> {
        let policy = &mut self.policy;
        if options.write_back || options.no_write_back {
            policy.write_back = options.write_back;
        }
        if !options.numbers.is_empty() {
            policy.numbers =
                stated(&options.numbers).iter().map(|text| range(text)).collect::<Result<_>>()?;
        }
        self.limits(options)?;
        let policy = &mut self.policy;
        for text in &options.directions {
            let (field, choice) = chosen("--direction", "both, to-pbx, to-directory, off", text)?;
            policy.fields[field].direction = choice;
        }
        for text in &options.both_changed {
            let (field, choice) = chosen("--both-changed", "newest, directory, pbx, ask", text)?;
            policy.fields[field].both_changed = choice;
        }
        for text in &options.first_meeting {
            let (field, choice) = chosen("--first-meeting", "directory, pbx, ask", text)?;
            policy.fields[field].first_meeting = choice;
        }
        for text in &options.clear {
            let (name, choice) = named("--clear", "FIELD=yes|no", text)?;
            let field = field("--clear", name)?;
            policy.fields[field].clear = match choice {
                "yes" if !field.clearable() => {
                    return Err(usage(format!("--clear: the {field} of an employee is never cleared")));
                }
                "yes" => true,
                "no" => false,
                _ => return Err(usage(format!("--clear: `{choice}` is neither yes nor no"))),
            };
        }
        Ok(())
    }
}

impl Draft {
    /// When the guard stops a run.
    fn limits(&mut self, options: &ServerOptions) -> Result<()> {
        let limits = &mut self.policy.thresholds;
        limits.floor = options.guard_floor.unwrap_or(limits.floor);
        limits.percent = options.guard_percent.unwrap_or(limits.percent);
        limits.ceiling = options.guard_ceiling.unwrap_or(limits.ceiling);
        if limits.percent > 100 {
            return Err(usage("--guard-percent: a share is at most 100 percent"));
        }
        if limits.floor > limits.ceiling {
            return Err(usage(format!(
                "--guard-floor {} lies above --guard-ceiling {}: then the floor means nothing",
                limits.floor, limits.ceiling
            )));
        }
        Ok(())
    }
}

impl From<KindArg> for Kind {
    fn from(kind: KindArg) -> Kind {
        match kind {
            KindArg::ActiveDirectory => Kind::ActiveDirectory,
            KindArg::OpenLdap => Kind::OpenLdap,
            KindArg::Ds389 => Kind::Ds389,
            KindArg::FreeIpa => Kind::FreeIpa,
        }
    }
}

/// The secret the options bring along, and whether an earlier one is void.
pub fn secret(options: &ServerOptions, before: Option<&SignIn>) -> Result<Option<SecretString>> {
    if let Some(file) = &options.password_file {
        return files::secret("--password-file", file).map(Some);
    }
    if let Some(file) = &options.client_certificate {
        let key = files::pem(&files::text("--client-certificate", file)?, "PRIVATE KEY");
        return match key.is_empty() {
            true => Err(usage(format!("--client-certificate: {} holds no private key", file.display()))),
            false => Ok(Some(SecretString::from(key.as_str()))),
        };
    }
    match (before, &options.bind_dn, options.sasl_external) {
        (Some(SignIn::External), Some(_), _) => {
            Err(usage("--bind-dn needs --password-file: its first line is the password"))
        }
        // The Unix user needs no secret.
        (Some(SignIn::Simple { .. }), _, true) => Ok(Some(SecretString::default())),
        _ => Ok(None),
    }
}

/// What `server add` cannot do without.
pub fn check_complete(options: &ServerOptions) -> Result<()> {
    let mut missing = Vec::new();
    if options.hosts.is_empty() && options.domain.is_none() {
        missing.push("--host or --domain (where the directory is)");
    }
    if options.bind_dn.is_none() && !options.sasl_external {
        missing.push("--bind-dn with --password-file, or --sasl-external (how to sign in)");
    }
    if options.bind_dn.is_some() && options.password_file.is_none() {
        missing.push("--password-file (its first line is the password)");
    }
    if options.base_dn.is_none() {
        missing.push("--base-dn (the domain root, for example DC=example,DC=com)");
    }
    match missing.is_empty() {
        true => Ok(()),
        false => Err(usage(format!("a new server also needs {}", missing.join(" and ")))),
    }
}

/// An internal number range. Both ends as the PBX would take them.
pub fn range(text: &str) -> Result<NumberRange> {
    let end = |text: &str| {
        let number = canonical::extension(text).map_err(|bad| bad.why)?;
        match number.canonical().starts_with('0') {
            true => Err("a range cannot begin with a zero".to_owned()),
            false => number.canonical().parse::<u32>().map_err(|error| error.to_string()),
        }
    };
    let wrong = |why: &str| usage(format!("--numbers: `{text}` is not a range like 200-299: {why}"));
    let (from, to) = text.split_once('-').ok_or_else(|| wrong("the `-` is missing"))?;
    let range =
        NumberRange { from: end(from).map_err(|why| wrong(&why))?, to: end(to).map_err(|why| wrong(&why))? };
    if range.from > range.to {
        return Err(wrong("it ends before it begins"));
    }
    Ok(range)
}

fn chosen<T: DeserializeOwned>(option: &str, choices: &str, text: &str) -> Result<(Field, T)> {
    let (name, choice) = named(option, &format!("FIELD={}", choices.replace(", ", "|")), text)?;
    let field = field(option, name)?;
    let choice =
        words::meaning(choice).ok_or_else(|| usage(format!("{option}: `{choice}` is none of {choices}")))?;
    Ok((field, choice))
}

fn named<'a>(option: &str, form: &str, text: &'a str) -> Result<(&'a str, &'a str)> {
    let (name, value) =
        text.split_once('=').ok_or_else(|| usage(format!("{option} is written {form}, not `{text}`")))?;
    Ok((name.trim(), value.trim()))
}

fn field(option: &str, name: &str) -> Result<Field> {
    name.parse().map_err(|why| usage(format!("{option}: {why}")))
}

/// An empty text takes back what was set.
fn some(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn stated(texts: &[String]) -> Vec<String> {
    texts.iter().filter_map(|text| some(text)).collect()
}

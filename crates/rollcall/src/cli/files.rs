//! What an option names a file for: secrets and certificates. None of them is
//! ever taken from the command line itself, where other users would see it.

use super::errors::usage;
use anyhow::Result;
use secrecy::SecretString;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use zeroize::Zeroizing;

const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The first line of a file, or of standard input where the file is `-`.
pub fn secret(option: &str, path: &Path) -> Result<SecretString> {
    let text = text(option, path)?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(usage(format!("{option}: the first line of {} is empty", path.display())));
    }
    Ok(SecretString::from(line))
}

/// A whole file.
pub fn text(option: &str, path: &Path) -> Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let read = |from: &mut dyn Read, text: &mut String| from.take(FILE_BYTES_MAX + 1).read_to_string(text);
    let read = match path.as_os_str() == "-" {
        true => read(&mut io::stdin().lock(), &mut text),
        false => File::open(path).and_then(|mut file| read(&mut file, &mut text)),
    };
    match read {
        Ok(bytes) if bytes as u64 > FILE_BYTES_MAX => {
            Err(usage(format!("{option}: {} is larger than 1 MiB", path.display())))
        }
        Ok(_) => Ok(text),
        Err(error) => Err(usage(format!("{option}: cannot read {}: {error}", path.display()))),
    }
}

/// The blocks of a PEM text whose label ends so, and nothing between them.
pub fn pem(text: &str, label: &str) -> Zeroizing<String> {
    let mut blocks = Zeroizing::new(String::with_capacity(text.len()));
    let mut inside = false;
    for line in text.lines() {
        let is = |edge: &str| line.starts_with(edge) && line.trim_end().ends_with(&format!("{label}-----"));
        inside |= is("-----BEGIN ");
        if inside {
            blocks.push_str(line);
            blocks.push('\n');
        }
        inside &= !is("-----END ");
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::errors::is_usage;
    use secrecy::ExposeSecret;

    #[test]
    fn a_secret_is_the_first_line_without_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let file = |content: &str| {
            let path = dir.path().join("secret");
            std::fs::write(&path, content).unwrap();
            secret("--password-file", &path)
        };
        for content in ["pass word ", "pass word \n", "pass word \r\nsecond\n"] {
            assert_eq!(file(content).unwrap().expose_secret(), "pass word ", "{content:?}");
        }
        for content in ["", "\n", "\nsecond"] {
            assert!(is_usage(&file(content).unwrap_err()), "{content:?}");
        }
        let missing = secret("--password-file", &dir.path().join("missing")).unwrap_err();
        assert!(missing.to_string().starts_with("--password-file: cannot read"), "{missing}");
    }
    #[test]
    fn certificates_and_keys_are_told_apart() {
        let block = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        let (one, two, key) = (block("CERTIFICATE"), block("CERTIFICATE"), block("EC PRIVATE KEY"));
        let text = format!("subject=x\n{one}{key}{two}");
        assert_eq!(*pem(&text, "CERTIFICATE"), one + &two);
        assert_eq!(*pem(&text, "PRIVATE KEY"), key);
    }
}

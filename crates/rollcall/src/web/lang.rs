//! Languages. One Fluent file per language in `locales/`; what a language does
//! not say is said in English. Adding a language is adding its file.

mod told;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use rust_embed::RustEmbed;
use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;
use unic_langid::LanguageIdentifier;

const ENGLISH: &str = "en";

#[derive(RustEmbed)]
#[folder = "locales/"]
struct Files;

struct Language {
    code: String,
    bundle: FluentBundle<FluentResource>,
}

/// English first, the others by their codes.
static LANGUAGES: LazyLock<Vec<Language>> = LazyLock::new(|| {
    let mut languages: Vec<Language> = Files::iter().filter_map(|file| load(&file)).collect();
    languages.sort_by(|a, b| (a.code != ENGLISH, &a.code).cmp(&(b.code != ENGLISH, &b.code)));
    languages
});

/// A file that does not parse is caught by a test; of one that has a mistake
/// all the same, the rest counts.
fn load(file: &str) -> Option<Language> {
    let code = file.strip_suffix(".ftl")?.to_owned();
    let text = String::from_utf8(Files::get(file)?.data.into_owned()).ok()?;
    let resource = FluentResource::try_new(text).unwrap_or_else(|(resource, _)| resource);
    let mut bundle = FluentBundle::new_concurrent(vec![code.parse::<LanguageIdentifier>().ok()?]);
    // Every text is shown in a cell of its own: no marks of direction.
    bundle.set_use_isolating(false);
    bundle.add_resource_overriding(resource);
    Some(Language { code, bundle })
}

/// A language that there is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Lang(usize);

impl fmt::Debug for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Lang {
    pub fn all() -> impl Iterator<Item = Lang> {
        (0..LANGUAGES.len()).map(Lang)
    }

    pub fn of(code: &str) -> Option<Lang> {
        LANGUAGES.iter().position(|language| language.code == code).map(Lang)
    }

    /// The first language a browser asks for that there is. Browsers list them
    /// in the order of preference.
    pub fn preferred(accept_language: &str) -> Lang {
        accept_language
            .split(',')
            .filter_map(|part| part.trim().split([';', '-']).next())
            .find_map(Lang::of)
            .unwrap_or_default()
    }

    pub fn code(self) -> &'static str {
        LANGUAGES.get(self.0).map_or(ENGLISH, |language| &language.code)
    }

    /// What the language calls itself.
    pub fn name(self) -> String {
        self.say("language-name", &[])
    }

    pub fn say(self, key: &str, args: &[(&str, Arg<'_>)]) -> String {
        let args: FluentArgs<'_> =
            args.iter().map(|(name, arg)| (Cow::Owned((*name).to_owned()), arg.value())).collect();
        let find = |language: &Language| format_message(&language.bundle, key, &args);
        let here = LANGUAGES.get(self.0).and_then(find);
        here.or_else(|| LANGUAGES.first().and_then(find)).unwrap_or_else(|| key.to_owned())
    }
}

fn format_message(bundle: &FluentBundle<FluentResource>, key: &str, args: &FluentArgs<'_>) -> Option<String> {
    let (name, attribute) = key.split_once('.').map_or((key, None), |(name, rest)| (name, Some(rest)));
    let message = bundle.get_message(name)?;
    let pattern = match attribute {
        Some(attribute) => message.get_attribute(attribute)?.value(),
        None => message.value()?,
    };
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, Some(args), &mut errors).into_owned();
    debug_assert!(errors.is_empty(), "{key}: {errors:?}");
    Some(text)
}

/// What a text has a place for.
#[derive(Clone, Copy, Debug)]
pub enum Arg<'a> {
    Text(&'a str),
    /// Chooses the plural form; written without any grouping.
    Number(i64),
}

impl<'a> Arg<'a> {
    fn value(self) -> FluentValue<'a> {
        match self {
            Arg::Text(text) => FluentValue::from(text),
            Arg::Number(number) => FluentValue::from(number),
        }
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Arg::Text(text)
    }
}

impl<'a> From<&'a String> for Arg<'a> {
    fn from(text: &'a String) -> Self {
        Arg::Text(text)
    }
}

/// Numbers as they are, and as templates pass them.
macro_rules! numbers {
    ($($number:ty)*) => { $(
        impl From<$number> for Arg<'_> {
            fn from(number: $number) -> Self {
                Arg::Number(i64::try_from(number).unwrap_or(i64::MAX))
            }
        }

        impl From<&$number> for Arg<'_> {
            fn from(number: &$number) -> Self {
                Arg::from(*number)
            }
        }
    )* };
}

numbers! { u16 u32 u64 usize i64 }

#[cfg(test)]
mod tests;

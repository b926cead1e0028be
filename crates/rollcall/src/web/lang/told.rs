//! What the inner crates say, in the visitor's language. They speak English; a
//! language says the same under `told-…`. The English text of such a key is the
//! sentence to the letter: by it the sentence is recognised, and whatever stands
//! in its places is told in turn. What nobody knows stays as it is: names,
//! values, and the words of a server.

use super::{Arg, ENGLISH, Files, Lang};
use fluent_bundle::FluentResource;
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use std::cmp::Reverse;
use std::sync::LazyLock;

const PREFIX: &str = "told-";

pub(super) struct Sentence {
    pub key: String,
    parts: Vec<Part>,
}

enum Part {
    Words(String),
    /// What stands here is told in turn.
    Place(String),
    /// A place in backquotes: a name, which stays.
    Name(String),
}

/// Those that say the most first: a general one does not take what a special
/// one says.
pub(super) static SENTENCES: LazyLock<Vec<Sentence>> = LazyLock::new(|| {
    let text = Files::get(&format!("{ENGLISH}.ftl")).map(|file| file.data.into_owned()).unwrap_or_default();
    let text = String::from_utf8(text).unwrap_or_default();
    let resource = FluentResource::try_new(text).unwrap_or_else(|(resource, _)| resource);
    let mut sentences: Vec<Sentence> = resource.entries().filter_map(Sentence::of).collect();
    sentences.sort_by_key(|sentence| Reverse(sentence.words()));
    sentences
});

impl Lang {
    pub fn told(self, said: &str) -> String {
        let told =
            if self.code() == ENGLISH { None } else { self.sentence(said).or_else(|| self.list(said)) };
        told.unwrap_or_else(|| said.to_owned())
    }

    fn sentence(self, said: &str) -> Option<String> {
        SENTENCES.iter().find_map(|sentence| {
            let places: Vec<(&str, String)> =
                sentence.places(said)?.into_iter().filter_map(|(part, text)| self.fill(part, text)).collect();
            let args: Vec<(&str, Arg<'_>)> = places.iter().map(|(name, text)| (*name, text.into())).collect();
            Some(self.say(&sentence.key, &args))
        })
    }

    fn fill<'a>(self, part: &'a Part, text: &str) -> Option<(&'a str, String)> {
        match part {
            Part::Place(name) => Some((name, self.told(text))),
            Part::Name(name) => Some((name, text.to_owned())),
            Part::Words(_) => None,
        }
    }

    /// Several sentences or words in a row, of which one at least is known.
    fn list(self, said: &str) -> Option<String> {
        ["; ", ", "].into_iter().filter(|between| said.contains(between)).find_map(|between| {
            let said: Vec<&str> = said.split(between).collect();
            let told: Vec<String> = said.iter().map(|one| self.told(one)).collect();
            (said != told).then(|| told.join(between))
        })
    }
}

impl Sentence {
    fn of(entry: &Entry<&str>) -> Option<Self> {
        let Entry::Message(message) = entry else { return None };
        let (key, pattern) = (message.id.name, message.value.as_ref()?);
        key.starts_with(PREFIX).then(|| Sentence { key: key.to_owned(), parts: parts(pattern) })
    }

    fn words(&self) -> usize {
        let length = |part: &Part| match part {
            Part::Words(words) => words.len(),
            Part::Place(_) | Part::Name(_) => 0,
        };
        self.parts.iter().map(length).sum()
    }

    /// What stands in its places, if this is what is said.
    fn places<'a>(&'a self, said: &'a str) -> Option<Vec<(&'a Part, &'a str)>> {
        let mut found = Vec::new();
        take(&self.parts, said, &mut found).then_some(found)
    }
}

/// Takes a text apart. A place holds something, and as little as will do; the
/// last words end the text. So nothing is tried twice, whatever a server says.
fn take<'a>(parts: &'a [Part], said: &'a str, found: &mut Vec<(&'a Part, &'a str)>) -> bool {
    match parts {
        [] => said.is_empty(),
        [Part::Words(words), rest @ ..] => {
            said.strip_prefix(words.as_str()).is_some_and(|said| take(rest, said, found))
        }
        [place] => {
            found.push((place, said));
            !said.is_empty()
        }
        [place, Part::Words(words)] => said.strip_suffix(words.as_str()).is_some_and(|held| {
            found.push((place, held));
            !held.is_empty()
        }),
        [place, rest @ ..] => {
            // Nobody could tell where one place ends and the next begins.
            let [Part::Words(words), ..] = rest else { return false };
            let first = said.chars().next().map_or(0, char::len_utf8);
            said[first..].find(words.as_str()).is_some_and(|at| {
                let (held, said) = said.split_at(first + at);
                found.push((place, held));
                !held.is_empty() && take(rest, said, found)
            })
        }
    }
}

fn parts(pattern: &Pattern<&str>) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for element in &pattern.elements {
        let (words, place) = match element {
            PatternElement::TextElement { value } => (*value, None),
            PatternElement::Placeable { expression: Expression::Inline(inline) } => match inline {
                InlineExpression::StringLiteral { value } => (*value, None),
                InlineExpression::VariableReference { id } => ("", Some(id.name)),
                _ => continue,
            },
            PatternElement::Placeable { .. } => continue,
        };
        match (parts.last_mut(), place) {
            (Some(Part::Words(before)), Some(name)) if before.ends_with('`') => {
                parts.push(Part::Name(name.to_owned()));
            }
            (_, Some(name)) => parts.push(Part::Place(name.to_owned())),
            (Some(Part::Words(before)), None) => before.push_str(words),
            (_, None) => parts.push(Part::Words(words.to_owned())),
        }
    }
    parts
}

#[cfg(test)]
mod tests;

//! One answer in two forms: a JSON object for scripts, text for people. The
//! text is laid out for the terminal at hand and holds no control characters
//! of anybody else's.

use anyhow::{Context, Result};
use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Color, ColumnConstraint, ContentArrangement, LineStyle, Width};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use std::env;
use std::io::{self, IsTerminal, Write};

/// Where nobody says how wide a line may be.
const WIDTH_DEFAULT: u16 = 120;
const WIDTH_MIN: u16 = 40;
const WIDTH_MAX: u16 = 200;
/// Words up to this long are kept whole, the longest for which there is room.
const LONGEST_WORDS: [usize; 6] = [48, 40, 32, 24, 16, 12];
/// How an empty value is shown.
pub const NONE: &str = "—";

/// What a command has to say.
pub trait View: Serialize {
    fn write(&self, page: &mut Page);

    fn exit_code(&self) -> u8 {
        0
    }
}

/// Standard output, and which form it wants.
#[derive(Clone, Debug)]
pub struct Out {
    pub json: bool,
    pub look: Look,
}

impl Out {
    pub fn new(json: bool) -> Self {
        Out { json, look: Look::of_stdout() }
    }

    /// Prints the answer; its exit code.
    pub fn show(&self, view: &impl View) -> Result<u8> {
        if self.json {
            let mut text = if io::stdout().is_terminal() {
                serde_json::to_string_pretty(view)
            } else {
                serde_json::to_string(view)
            }
            .context("the answer cannot be put into JSON")?;
            text.push('\n');
            print(&text)?;
        } else {
            self.page(|page| view.write(page))?;
        }
        Ok(view.exit_code())
    }

    /// Prints text for people.
    pub fn page(&self, write: impl FnOnce(&mut Page)) -> Result<()> {
        let mut page = Page::new(self.look.clone());
        write(&mut page);
        print(&page.into_text())
    }
}

/// Writes to standard output. A reader who has seen enough is no error.
pub fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// How wide, how colourful and in which time zone.
#[derive(Clone, Debug)]
pub struct Look {
    pub width: u16,
    pub colour: bool,
    pub zone: TimeZone,
}

impl Look {
    fn of_stdout() -> Self {
        let terminal = io::stdout().is_terminal();
        let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let asked = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let width = asked.or_else(|| comfy_table::Table::new().width()).unwrap_or(WIDTH_DEFAULT);
        Look {
            width: width.clamp(WIDTH_MIN, WIDTH_MAX),
            colour: terminal && !dumb && !set("NO_COLOR"),
            zone: TimeZone::system(),
        }
    }

    /// A point in time, to the minute.
    pub fn time(&self, ms: i64) -> String {
        self.written(ms, "%Y-%m-%d %H:%M")
    }

    /// The day of a point in time.
    pub fn day(&self, ms: i64) -> String {
        self.written(ms, "%Y-%m-%d")
    }

    fn written(&self, ms: i64, format: &str) -> String {
        match Timestamp::from_millisecond(ms) {
            Ok(time) if ms > 0 => time.to_zoned_datetime(self.zone.clone()).strftime(format).to_string(),
            _ => NONE.to_owned(),
        }
    }
}

/// What a text is about, shown as colour or weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    Plain,
    Strong,
    Dim,
    Good,
    Warn,
    Bad,
}

#[derive(Clone, Debug)]
pub struct Cell {
    text: String,
    ink: Ink,
}

impl Cell {
    pub fn new(text: impl Into<String>, ink: Ink) -> Self {
        Cell { text: clean(&text.into()), ink }
    }

    fn styled(&self) -> comfy_table::Cell {
        let cell = comfy_table::Cell::new(&self.text);
        match self.ink {
            Ink::Plain => cell,
            Ink::Strong => cell.add_attribute(Attribute::Bold),
            Ink::Dim => cell.add_attribute(Attribute::Dim),
            Ink::Good => cell.fg(Color::Green),
            Ink::Warn => cell.fg(Color::Yellow),
            Ink::Bad => cell.fg(Color::Red),
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Cell::new(text, Ink::Plain)
    }
}

/// A table under a headline; columns that are kept do not wrap.
#[derive(Debug)]
pub struct Table {
    header: Vec<&'static str>,
    kept: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub fn new(header: impl Into<Vec<&'static str>>) -> Self {
        Table { header: header.into(), kept: Vec::new(), rows: Vec::new() }
    }

    pub fn keep(mut self, columns: impl Into<Vec<&'static str>>) -> Self {
        self.kept = columns.into();
        self
    }

    pub fn row(&mut self, cells: impl Into<Vec<Cell>>) {
        self.rows.push(cells.into());
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// How wide each column must be for its words to stay whole; words longer
    /// than the width allows may break. None where nothing helps.
    fn narrowest(&self, width: u16) -> Vec<u16> {
        let texts = |at: usize| {
            let cells = self.rows.iter().filter_map(move |row| row.get(at)).map(|cell| cell.text.as_str());
            cells.chain(self.header.get(at).copied())
        };
        let longest = |at: usize| {
            let separator = if self.kept.contains(&self.header[at]) { '\n' } else { ' ' };
            let parts = texts(at).flat_map(|text| text.split([separator, '\n']));
            parts.map(|part| part.chars().count()).max().unwrap_or_default()
        };
        let columns: Vec<usize> = (0..self.header.len()).map(longest).collect();
        // One for the padding, one for the line that is not drawn.
        let gaps = 2 * columns.len().saturating_sub(1);
        let bounded = |longest_word: usize| {
            let bound = |(at, column): (usize, &usize)| match self.kept.contains(&self.header[at]) {
                true => *column,
                false => *column.min(&longest_word),
            };
            columns.iter().enumerate().map(bound).collect::<Vec<usize>>()
        };
        let fits = |columns: &Vec<usize>| columns.iter().sum::<usize>() + gaps <= usize::from(width);
        let columns = LONGEST_WORDS.into_iter().map(bounded).find(fits).unwrap_or_default();
        columns.into_iter().filter_map(|column| u16::try_from(column).ok()).collect()
    }
}

/// Text under construction.
#[derive(Debug)]
pub struct Page {
    pub look: Look,
    text: String,
}

impl Page {
    pub fn new(look: Look) -> Self {
        Page { look, text: String::new() }
    }

    pub fn into_text(self) -> String {
        self.text
    }

    /// A headline, with an empty line before it unless it is the first.
    pub fn title(&mut self, text: impl Into<String>) {
        self.gap();
        self.say(text, Ink::Strong);
    }

    /// A paragraph.
    pub fn say(&mut self, text: impl Into<String>, ink: Ink) {
        self.indented(0, text, ink);
    }

    /// A paragraph further in; no text is no paragraph.
    pub fn indented(&mut self, by: u16, text: impl Into<String>, ink: Ink) {
        let text = text.into();
        if text.is_empty() {
            return;
        }
        let mut table = self.bare();
        table.add_row([Cell::new(text, ink).styled()]);
        pad(&mut table, 0, (by, 0));
        self.put(&table);
    }

    /// A line for the reader to copy: never wrapped.
    pub fn command(&mut self, by: u16, text: &str) {
        let line = format!("{:width$}{}\n", "", clean(text), width = usize::from(by));
        self.text.push_str(&line);
    }

    /// An empty line, but never two and never at the top.
    pub fn gap(&mut self) {
        let there = self.text.is_empty() || self.text == "\n" || self.text.ends_with("\n\n");
        if !there {
            self.text.push('\n');
        }
    }

    /// Labels and what belongs to them.
    pub fn facts(&mut self, facts: impl IntoIterator<Item = (&'static str, Cell)>) {
        self.grid(facts.into_iter().map(|(label, value)| [Cell::new(label, Ink::Dim), value]));
    }

    /// Columns without a headline; only the last one wraps.
    pub fn grid<const N: usize>(&mut self, rows: impl IntoIterator<Item = [Cell; N]>) {
        let mut table = self.bare();
        for row in rows {
            table.add_row(row.iter().map(Cell::styled));
        }
        if table.is_empty() {
            return;
        }
        for at in 0..N {
            let last = at + 1 == N;
            pad(&mut table, at, (if at == 0 { 2 } else { 0 }, if last { 0 } else { 2 }));
            if !last {
                keep(&mut table, at);
            }
        }
        self.put(&table);
    }

    pub fn table(&mut self, rows: &Table) {
        let mut table = self.bare();
        table.load_style(NOTHING.header_separator(LineStyle::none().fill('─').junction('─')));
        table.set_header(rows.header.iter().map(|name| Cell::new(*name, Ink::Strong).styled()));
        for row in &rows.rows {
            table.add_row(row.iter().map(Cell::styled));
        }
        let narrowest = rows.narrowest(self.look.width);
        for (at, name) in rows.header.iter().enumerate() {
            let last = at + 1 == rows.header.len();
            pad(&mut table, at, (0, u16::from(!last)));
            match narrowest.get(at) {
                _ if rows.kept.contains(name) => keep(&mut table, at),
                Some(width) => bound(&mut table, at, width + u16::from(!last)),
                None => {}
            }
        }
        self.put(&table);
    }

    fn bare(&self) -> comfy_table::Table {
        let mut table = comfy_table::Table::new();
        table
            .load_style(NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(self.look.width);
        if self.look.colour {
            table.enforce_styling()
        } else {
            table.force_no_tty()
        };
        table
    }

    fn put(&mut self, table: &comfy_table::Table) {
        self.text.push_str(&table.trim_fmt());
        self.text.push('\n');
    }
}

/// A value as people see it.
pub fn shown(value: Option<&str>) -> String {
    match value {
        Some(value) => value.replace(['\n', '\r', '\t'], " "),
        None => NONE.to_owned(),
    }
}

/// `1 person`, `5 people`.
pub fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// A name as a shell takes it.
pub fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    match name.chars().all(plain) {
        true => name.to_owned(),
        false => format!("'{}'", name.replace('\'', r"'\''")),
    }
}

/// What a directory or a PBX says must not move the cursor or turn text round.
fn clean(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' => c,
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(shown).collect()
}

fn pad(table: &mut comfy_table::Table, at: usize, padding: (u16, u16)) {
    if let Some(column) = table.column_mut(at) {
        column.set_padding(padding);
    }
}

fn keep(table: &mut comfy_table::Table, at: usize) {
    if let Some(column) = table.column_mut(at) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
}

/// Padding included.
fn bound(table: &mut comfy_table::Table, at: usize, width: u16) {
    if let Some(column) = table.column_mut(at) {
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A view as it is printed where there is no terminal.
    pub fn text(view: &impl View, width: u16) -> String {
        let mut page = Page::new(Look { width, colour: false, zone: TimeZone::UTC });
        view.write(&mut page);
        page.into_text()
    }

    #[test]
    fn foreign_control_characters_do_not_reach_the_terminal() {
        let mut page = Page::new(Look { width: 80, colour: false, zone: TimeZone::UTC });
        page.say("a\u{1b}[2J\u{202e}b\tc", Ink::Bad);
        assert_eq!(page.into_text(), "a�[2J�b�c\n");
    }

    #[test]
    fn paragraphs_wrap_and_commands_do_not() {
        let mut page = Page::new(Look { width: 40, colour: false, zone: TimeZone::UTC });
        page.indented(2, "word ".repeat(12), Ink::Plain);
        page.command(2, &"x".repeat(60));
        let text = page.into_text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[0].len() <= 40 && lines[2].len() == 62, "{text}");
    }

    #[test]
    fn words_stay_whole_where_there_is_room() {
        let mut page = Page::new(Look { width: 80, colour: false, zone: TimeZone::UTC });
        let mut table = Table::new(["Person", "Type", "Reason", "E-mail"]).keep(["Type"]);
        let (email, reason) = ("k.blagoveshchensky@example.org", "moved out of the synchronised part");
        table.row(["Konstantin".into(), "active-directory".into(), reason.into(), email.into()]);
        page.table(&table);
        let text = page.into_text();
        for word in ["Konstantin", "active-directory", email] {
            assert!(text.contains(word), "{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn colours_only_where_they_are_wanted() {
        let look = Look { width: 80, colour: true, zone: TimeZone::UTC };
        let mut page = Page::new(look);
        page.say("done", Ink::Good);
        assert!(page.into_text().contains("\u{1b}["));
    }

    #[test]
    fn times_are_short_and_unknown_ones_say_so() {
        let look = Look { width: 80, colour: false, zone: TimeZone::UTC };
        assert_eq!(look.time(1_700_000_000_000), "2023-11-14 22:13");
        assert_eq!(look.time(0), NONE);
    }
}

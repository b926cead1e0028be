//! The three-way merge of one field: the table of the specification, as one
//! pure function. What a change looks like, who refuses it and when it is
//! written are deliberately not known here.

use crate::field::Field;
use crate::link::{Interval, Pair};
use crate::policy::{BothChanged, Direction, FieldPolicy, FirstMeeting};
use crate::value::Value;
use serde::{Deserialize, Serialize};

/// What is known of a field on one side, after absence was proved or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State<'a> {
    /// Unreadable or not looked: nothing is concluded.
    Unknown,
    Empty,
    Set(&'a Value),
    /// Something without a canonical form. Counts as set and is never touched.
    Unusable,
}

impl<'a> State<'a> {
    pub fn of(value: Option<&'a Value>) -> Self {
        value.map_or(State::Empty, State::Set)
    }

    /// The value to agree on: `None` is emptiness. Unknown states have none
    /// and must not be asked.
    pub fn value(self) -> Option<&'a Value> {
        match self {
            State::Set(value) => Some(value),
            State::Unknown | State::Empty | State::Unusable => None,
        }
    }

    fn equivalent(self, other: Option<&Value>) -> bool {
        match (self, other) {
            (State::Empty, None) => true,
            (State::Set(mine), Some(theirs)) => mine.equivalent(theirs),
            _ => false,
        }
    }

    /// The same to the letter.
    fn identical(self, other: Option<&Value>) -> bool {
        match (self, other) {
            (State::Empty, None) => true,
            (State::Set(mine), Some(theirs)) => mine == theirs,
            _ => false,
        }
    }
}

/// What to do about one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// In step, or nothing may be concluded.
    Nothing,
    /// Write nothing; the pair becomes what both sides have now. `held` says
    /// that a human's "leave as is" still stands.
    Agree {
        held: bool,
    },
    ToPbx(Cause),
    ToDirectory(Cause),
    /// A human has to choose.
    Ask(Question),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    DirectoryChanged,
    PbxChanged,
    FirstMeeting,
    BothChangedDirectoryWins,
    BothChangedPbxWins,
    Newest,
    Decision,
    NewEmployee,
    NewNumber,
    /// An administrator undid an earlier write.
    Undo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    FirstMeeting,
    BothChanged,
}

/// When each side's value became what it is, for the `newest` policy.
#[derive(Clone, Copy, Debug)]
pub struct Ages {
    pub directory: Interval,
    pub pbx: Interval,
}

/// Decides one field. `direction` is the one in force (see
/// [`crate::Policy::direction`]); `ages` is asked only when both changed.
pub fn merge(
    field: Field,
    policy: FieldPolicy,
    direction: Direction,
    pair: Option<&Pair>,
    directory: State<'_>,
    pbx: State<'_>,
    ages: impl FnOnce() -> Ages,
) -> Outcome {
    use State::{Unknown, Unusable};
    // Nothing is concluded from what was not seen, and what has no canonical
    // form is neither filled nor overwritten nor sent.
    if direction == Direction::Off
        || matches!(directory, Unknown | Unusable)
        || matches!(pbx, Unknown | Unusable)
    {
        return Outcome::Nothing;
    }
    let crossing = Crossing { field, policy, direction, directory, pbx };
    let Some(pair) = pair else { return crossing.first_meeting() };
    let as_agreed = directory.identical(pair.directory.as_ref()) && pbx.identical(pair.pbx.as_ref());
    if as_agreed {
        return Outcome::Nothing;
    }
    let directory_changed = !directory.equivalent(pair.directory.as_ref());
    let pbx_changed = !pbx.equivalent(pair.pbx.as_ref());
    match (directory_changed, pbx_changed) {
        // Spelt otherwise, no more.
        (false, false) => Outcome::Agree { held: pair.held },
        // Changed towards each other: in agreement, whoever moved.
        _ if directory.equivalent(pbx.value()) => Outcome::Agree { held: false },
        (true, false) => crossing.to_pbx(Cause::DirectoryChanged),
        (false, true) => crossing.to_directory(Cause::PbxChanged),
        (true, true) => crossing.both_changed(ages),
    }
}

/// The side a human preferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Winner {
    Directory,
    Pbx,
}

/// What a human's choice of one side comes to. It crosses as any change would:
/// within the direction in force, and an emptiness only where it may. What may
/// not cross stays as it is on both sides.
pub fn decide(
    field: Field,
    policy: FieldPolicy,
    direction: Direction,
    directory: State<'_>,
    pbx: State<'_>,
    winner: Winner,
) -> Outcome {
    let crossing = Crossing { field, policy, direction, directory, pbx };
    match winner {
        Winner::Directory => crossing.to_pbx(Cause::Decision),
        Winner::Pbx => crossing.to_directory(Cause::Decision),
    }
}

/// The two sides of one field, known and different, and what may cross.
struct Crossing<'a> {
    field: Field,
    policy: FieldPolicy,
    direction: Direction,
    directory: State<'a>,
    pbx: State<'a>,
}

impl Crossing<'_> {
    fn first_meeting(&self) -> Outcome {
        if self.directory.equivalent(self.pbx.value()) {
            return Outcome::Agree { held: false };
        }
        // A first meeting clears nothing: the empty side takes the other's.
        match (self.directory, self.pbx) {
            (State::Empty, _) => self.to_directory(Cause::FirstMeeting),
            (_, State::Empty) => self.to_pbx(Cause::FirstMeeting),
            _ => match self.policy.first_meeting {
                FirstMeeting::Directory => self.to_pbx(Cause::FirstMeeting),
                FirstMeeting::Pbx => self.to_directory(Cause::FirstMeeting),
                FirstMeeting::Ask => Outcome::Ask(Question::FirstMeeting),
            },
        }
    }

    fn both_changed(&self, ages: impl FnOnce() -> Ages) -> Outcome {
        match self.direction {
            // One-way: the receiving side's edit is overwritten once the
            // sending side changes.
            Direction::ToPbx => self.to_pbx(Cause::DirectoryChanged),
            Direction::ToDirectory => self.to_directory(Cause::PbxChanged),
            Direction::Both | Direction::Off => match self.policy.both_changed {
                BothChanged::Directory => self.to_pbx(Cause::BothChangedDirectoryWins),
                BothChanged::Pbx => self.to_directory(Cause::BothChangedPbxWins),
                BothChanged::Ask => Outcome::Ask(Question::BothChanged),
                BothChanged::Newest => self.newest(ages()),
            },
        }
    }

    /// The later change wins; intervals that overlap are a tie, which goes to
    /// the PBX for a SIP password (phones are registered with it) and to a
    /// human for everything else.
    fn newest(&self, ages: Ages) -> Outcome {
        if ages.directory.after_ms > ages.pbx.by_ms {
            self.to_pbx(Cause::Newest)
        } else if ages.pbx.after_ms > ages.directory.by_ms || self.field == Field::SipPassword {
            self.to_directory(Cause::Newest)
        } else {
            Outcome::Ask(Question::BothChanged)
        }
    }

    fn to_pbx(&self, cause: Cause) -> Outcome {
        if self.direction.to_pbx() && self.may_cross(self.directory) {
            Outcome::ToPbx(cause)
        } else {
            Outcome::Agree { held: false }
        }
    }

    fn to_directory(&self, cause: Cause) -> Outcome {
        if self.direction.to_directory() && self.may_cross(self.pbx) {
            Outcome::ToDirectory(cause)
        } else {
            Outcome::Agree { held: false }
        }
    }

    /// Emptiness crosses only where the field may be cleared and its policy
    /// says so. What may not cross stays as it is on both sides; the pair
    /// remembers that, so that the next change starts from there.
    fn may_cross(&self, sender: State<'_>) -> bool {
        match sender {
            State::Empty => self.field.clearable() && self.policy.clear,
            State::Set(_) => true,
            State::Unknown | State::Unusable => false,
        }
    }
}

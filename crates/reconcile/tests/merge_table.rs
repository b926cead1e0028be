//! The three-way table, exhaustively, against a statement of the law written
//! from the specification and not from the code.

use reconcile::merge::{Ages, Cause, Outcome, State, Winner, decide, merge};
use reconcile::{BothChanged, Direction, Field, FieldPolicy, FirstMeeting, Interval, Pair, Value};

/// Fields that stand for all: one that may be cleared, one that may not, one
/// that may not and has its own rule for ties.
const FIELDS: [Field; 3] = [Field::Email, Field::Name, Field::SipPassword];
const DIRECTIONS: [Direction; 4] =
    [Direction::Both, Direction::ToPbx, Direction::ToDirectory, Direction::Off];
const BOTH_CHANGED: [BothChanged; 4] =
    [BothChanged::Newest, BothChanged::Directory, BothChanged::Pbx, BothChanged::Ask];
const FIRST_MEETING: [FirstMeeting; 3] = [FirstMeeting::Directory, FirstMeeting::Pbx, FirstMeeting::Ask];

/// What one side says, relative to the values the test knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Unknown,
    Unusable,
    Empty,
    /// Spelling and value; two spellings of one value are equivalent.
    Set(&'static str, &'static str),
}

const SAID: [Said; 8] = [
    Said::Unknown,
    Said::Unusable,
    Said::Empty,
    Said::Set("a", "a"),
    Said::Set("A", "a"),
    Said::Set("b", "b"),
    Said::Set("B", "b"),
    Said::Set("c", "c"),
];

impl Said {
    fn known(self) -> bool {
        !matches!(self, Said::Unknown | Said::Unusable)
    }

    /// The value without its spelling; nothing is a value too.
    fn meaning(self) -> Option<&'static str> {
        if let Said::Set(_, meaning) = self { Some(meaning) } else { None }
    }

    fn value(self) -> Option<Value> {
        if let Said::Set(raw, meaning) = self { Some(Value::new(raw, meaning)) } else { None }
    }
}

/// The pairs the sides may have agreed on.
#[derive(Clone, Copy, Debug)]
struct Agreed {
    directory: Said,
    pbx: Said,
    held: bool,
}

fn pairs() -> Vec<Option<Agreed>> {
    let spelt = [Said::Empty, Said::Set("a", "a"), Said::Set("A", "a"), Said::Set("b", "b")];
    let mut pairs = vec![None];
    for directory in spelt {
        for pbx in spelt {
            for held in [false, true] {
                pairs.push(Some(Agreed { directory, pbx, held }));
            }
        }
    }
    pairs
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Later {
    Directory,
    Pbx,
    /// The intervals touch, this way or the other.
    Tie,
    Eit,
}

impl Later {
    fn ages(self) -> Ages {
        let early = Interval { after_ms: 10, by_ms: 20 };
        let late = Interval { after_ms: 21, by_ms: 30 };
        let (directory, pbx) = match self {
            Later::Directory => (late, early),
            Later::Pbx => (early, late),
            Later::Tie => (early, Interval { after_ms: 20, by_ms: 30 }),
            Later::Eit => (Interval { after_ms: 20, by_ms: 30 }, early),
        };
        Ages { directory, pbx }
    }
}

#[derive(Clone, Copy, Debug)]
struct Case {
    field: Field,
    policy: FieldPolicy,
    direction: Direction,
    agreed: Option<Agreed>,
    directory: Said,
    pbx: Said,
    later: Later,
}

impl Case {
    fn merge(&self) -> Outcome {
        let (directory, pbx) = (self.directory.value(), self.pbx.value());
        let pair = self.agreed.map(|agreed| Pair {
            directory: agreed.directory.value(),
            pbx: agreed.pbx.value(),
            held: agreed.held,
        });
        let (directory, pbx) = (state(self.directory, &directory), state(self.pbx, &pbx));
        merge(self.field, self.policy, self.direction, pair.as_ref(), directory, pbx, || self.later.ages())
    }
}

fn state(said: Said, value: &Option<Value>) -> State<'_> {
    match said {
        Said::Unknown => State::Unknown,
        Said::Unusable => State::Unusable,
        Said::Empty | Said::Set(..) => State::of(value.as_ref()),
    }
}

fn every_case(mut see: impl FnMut(Case)) {
    let pairs = pairs();
    for field in FIELDS {
        for (direction, both_changed) in
            DIRECTIONS.into_iter().flat_map(|direction| BOTH_CHANGED.map(|both| (direction, both)))
        {
            for (first_meeting, clear) in
                FIRST_MEETING.into_iter().flat_map(|first| [true, false].map(|clear| (first, clear)))
            {
                let policy = FieldPolicy { direction, both_changed, first_meeting, clear };
                for (directory, pbx) in SAID.into_iter().flat_map(|d| SAID.map(|p| (d, p))) {
                    for agreed in &pairs {
                        // Ages are asked by one policy only.
                        let ages = if both_changed == BothChanged::Newest { 4 } else { 1 };
                        for later in
                            [Later::Tie, Later::Eit, Later::Directory, Later::Pbx].into_iter().take(ages)
                        {
                            let agreed = *agreed;
                            see(Case { field, policy, direction, agreed, directory, pbx, later });
                        }
                    }
                }
            }
        }
    }
}

/// What the law wants, in its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Law {
    /// Neither a write nor a question.
    Rest,
    SendToPbx,
    SendToDirectory,
    Ask,
}

fn law(case: &Case) -> Law {
    let (theirs, ours) = (case.directory.meaning(), case.pbx.meaning());
    let flows = |to: Law| match (case.direction, to) {
        (Direction::Both, _) => true,
        (Direction::ToPbx, to) => to == Law::SendToPbx,
        (Direction::ToDirectory, to) => to == Law::SendToDirectory,
        (Direction::Off, _) => false,
    };
    let may_clear = case.policy.clear && case.field == Field::Email;
    // Sending crosses in an allowed direction, and nothing only where allowed.
    let send = |to: Law| {
        let value = if to == Law::SendToPbx { theirs } else { ours };
        if flows(to) && (value.is_some() || may_clear) { to } else { Law::Rest }
    };
    let in_step = theirs == ours;
    let Some(agreed) = case.agreed else {
        return match (theirs, ours) {
            _ if case.direction == Direction::Off || !case.directory.known() || !case.pbx.known() => {
                Law::Rest
            }
            _ if in_step => Law::Rest,
            (None, _) => send(Law::SendToDirectory),
            (_, None) => send(Law::SendToPbx),
            _ => match case.policy.first_meeting {
                FirstMeeting::Directory => send(Law::SendToPbx),
                FirstMeeting::Pbx => send(Law::SendToDirectory),
                FirstMeeting::Ask => Law::Ask,
            },
        };
    };
    if case.direction == Direction::Off || !case.directory.known() || !case.pbx.known() || in_step {
        return Law::Rest;
    }
    match (theirs != agreed.directory.meaning(), ours != agreed.pbx.meaning()) {
        (false, false) => Law::Rest,
        (true, false) => send(Law::SendToPbx),
        (false, true) => send(Law::SendToDirectory),
        (true, true) => match (case.direction, case.policy.both_changed, case.later) {
            (Direction::ToPbx, ..) => send(Law::SendToPbx),
            (Direction::ToDirectory, ..) => send(Law::SendToDirectory),
            (_, BothChanged::Directory, _) => send(Law::SendToPbx),
            (_, BothChanged::Pbx, _) => send(Law::SendToDirectory),
            (_, BothChanged::Ask, _) => Law::Ask,
            (_, BothChanged::Newest, Later::Directory) => send(Law::SendToPbx),
            (_, BothChanged::Newest, Later::Pbx) => send(Law::SendToDirectory),
            (_, BothChanged::Newest, Later::Tie | Later::Eit) if case.field == Field::SipPassword => {
                send(Law::SendToDirectory)
            }
            (_, BothChanged::Newest, Later::Tie | Later::Eit) => Law::Ask,
        },
    }
}

fn kept(outcome: Outcome) -> Law {
    match outcome {
        Outcome::Nothing | Outcome::Agree { .. } => Law::Rest,
        Outcome::ToPbx(_) => Law::SendToPbx,
        Outcome::ToDirectory(_) => Law::SendToDirectory,
        Outcome::Ask(_) => Law::Ask,
    }
}

#[test]
fn the_table_is_the_law() {
    let mut cases = 0;
    every_case(|case| {
        cases += 1;
        assert_eq!(kept(case.merge()), law(&case), "{case:?}");
    });
    assert_eq!(cases, 3 * 4 * (4 + 1 + 1 + 1) * 3 * 2 * 64 * 33);
}

/// After a write is stored or a pair agreed, the same values are at rest: an
/// outcome never has to be reached twice, and nothing is written again.
#[test]
fn what_was_done_is_done() {
    every_case(|case| {
        let (directory, pbx, held) = match case.merge() {
            Outcome::Agree { held } => (case.directory, case.pbx, held),
            Outcome::ToPbx(_) => (case.directory, case.directory, false),
            Outcome::ToDirectory(_) => (case.pbx, case.pbx, false),
            Outcome::Nothing => {
                let at_rest = case.direction == Direction::Off
                    || !case.directory.known()
                    || !case.pbx.known()
                    || case
                        .agreed
                        .is_some_and(|agreed| (agreed.directory, agreed.pbx) == (case.directory, case.pbx));
                assert!(at_rest, "nothing is remembered of a state that is not the agreed one: {case:?}");
                return;
            }
            Outcome::Ask(_) => return,
        };
        let agreed = Some(Agreed { directory, pbx, held });
        let again = Case { agreed, directory, pbx, ..case };
        assert_eq!(again.merge(), Outcome::Nothing, "{case:?} then {again:?}");
    });
}

#[test]
fn an_equal_value_is_never_written_and_a_clear_crosses_only_where_it_may() {
    every_case(|case| {
        let (sent, found) = match case.merge() {
            Outcome::ToPbx(_) => (case.directory, case.pbx),
            Outcome::ToDirectory(_) => (case.pbx, case.directory),
            Outcome::Nothing | Outcome::Agree { .. } | Outcome::Ask(_) => return,
        };
        assert_ne!(sent.meaning(), found.meaning(), "{case:?}");
        if sent == Said::Empty {
            assert!(case.field.clearable() && case.policy.clear, "{case:?}");
            assert!(case.agreed.is_some(), "a first meeting clears nothing: {case:?}");
        }
    });
}

#[test]
fn leave_as_is_holds_until_a_value_changes() {
    every_case(|case| {
        let Outcome::Agree { held } = case.merge() else { return };
        let still_held = case.agreed.is_some_and(|agreed| {
            agreed.held
                && case.directory.meaning() == agreed.directory.meaning()
                && case.pbx.meaning() == agreed.pbx.meaning()
        });
        assert_eq!(held, still_held, "{case:?}");
    });
}

#[test]
fn a_cause_says_what_happened() {
    every_case(|case| {
        let outcome = case.merge();
        let (Outcome::ToPbx(cause) | Outcome::ToDirectory(cause)) = outcome else { return };
        let to_pbx = matches!(outcome, Outcome::ToPbx(_));
        let Some(agreed) = case.agreed else {
            return assert_eq!(cause, Cause::FirstMeeting, "{case:?}");
        };
        let changed = (
            case.directory.meaning() != agreed.directory.meaning(),
            case.pbx.meaning() != agreed.pbx.meaning(),
        );
        let expected = match (changed, case.direction, case.policy.both_changed, to_pbx) {
            ((true, false), ..) => Cause::DirectoryChanged,
            ((false, true), ..) => Cause::PbxChanged,
            (_, Direction::ToPbx, ..) => Cause::DirectoryChanged,
            (_, Direction::ToDirectory, ..) => Cause::PbxChanged,
            (_, _, BothChanged::Newest, _) => Cause::Newest,
            (_, _, _, true) => Cause::BothChangedDirectoryWins,
            (_, _, _, false) => Cause::BothChangedPbxWins,
        };
        assert_eq!(cause, expected, "{case:?}");
    });
}

/// The law favours neither side: seen in a mirror it is the same law, but for
/// the tie of a SIP password.
#[test]
fn the_table_is_symmetric() {
    every_case(|case| {
        if case.field == Field::SipPassword && matches!(case.later, Later::Tie | Later::Eit) {
            return;
        }
        let mirrored = mirror(&case);
        let seen = match mirrored.merge() {
            Outcome::ToPbx(_) => Law::SendToDirectory,
            Outcome::ToDirectory(_) => Law::SendToPbx,
            other => kept(other),
        };
        assert_eq!(kept(case.merge()), seen, "{case:?} and {mirrored:?}");
    });
}

fn mirror(case: &Case) -> Case {
    let direction = match case.direction {
        Direction::ToPbx => Direction::ToDirectory,
        Direction::ToDirectory => Direction::ToPbx,
        other => other,
    };
    let both_changed = match case.policy.both_changed {
        BothChanged::Directory => BothChanged::Pbx,
        BothChanged::Pbx => BothChanged::Directory,
        other => other,
    };
    let first_meeting = match case.policy.first_meeting {
        FirstMeeting::Directory => FirstMeeting::Pbx,
        FirstMeeting::Pbx => FirstMeeting::Directory,
        FirstMeeting::Ask => FirstMeeting::Ask,
    };
    let later = match case.later {
        Later::Directory => Later::Pbx,
        Later::Pbx => Later::Directory,
        Later::Tie => Later::Eit,
        Later::Eit => Later::Tie,
    };
    let agreed =
        case.agreed.map(|agreed| Agreed { directory: agreed.pbx, pbx: agreed.directory, held: agreed.held });
    let policy = FieldPolicy { direction, both_changed, first_meeting, clear: case.policy.clear };
    Case { direction, policy, agreed, later, directory: case.pbx, pbx: case.directory, ..*case }
}

/// A human's choice crosses like any change: within the direction in force,
/// and an emptiness only where it may.
#[test]
fn a_choice_obeys_direction_and_clearing() {
    for field in FIELDS {
        for (direction, clear) in
            DIRECTIONS.into_iter().flat_map(|direction| [true, false].map(|clear| (direction, clear)))
        {
            let policy = FieldPolicy { direction, clear, ..FieldPolicy::default_of(field) };
            for (directory, pbx) in
                [(Said::Set("a", "a"), Said::Set("b", "b")), (Said::Empty, Said::Set("b", "b"))]
            {
                let (theirs, ours) = (directory.value(), pbx.value());
                let (theirs, ours) = (state(directory, &theirs), state(pbx, &ours));
                let chosen = |winner| kept(decide(field, policy, direction, theirs, ours, winner));
                let clears = directory == Said::Empty && !(clear && field == Field::Email);
                let to_pbx = if direction.to_pbx() && !clears { Law::SendToPbx } else { Law::Rest };
                assert_eq!(chosen(Winner::Directory), to_pbx, "{field} {direction:?} {directory:?}");
                let to_directory = if direction.to_directory() { Law::SendToDirectory } else { Law::Rest };
                assert_eq!(chosen(Winner::Pbx), to_directory, "{field} {direction:?}");
            }
        }
    }
}

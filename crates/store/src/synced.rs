//! What a run's conflicts do to the remembered ones. Pure, so that both stores
//! do the same.

use crate::rows::{ConflictId, ConflictRow, ConflictState, DirectoryId};
use reconcile::{Answer, Conflict, ConflictKind, Decision, Field};
use std::collections::{BTreeMap, BTreeSet};

type Key<'a> = (&'a str, ConflictKind, Option<Field>);

/// The id of a row that has none yet.
pub(crate) const UNNUMBERED: ConflictId = ConflictId(0);

/// The rows that change, new ones last.
pub(crate) fn sync(
    directory: DirectoryId,
    now_ms: i64,
    live: &[ConflictRow],
    decisions: &[Decision],
    found: &[Conflict],
    judged: &BTreeSet<ConflictId>,
) -> Vec<ConflictRow> {
    let answers: BTreeMap<Key, &Decision> = decisions
        .iter()
        .map(|decision| ((decision.person.as_str(), decision.kind, decision.field), decision))
        .collect();
    let mut news: BTreeMap<Key, &Conflict> = found.iter().map(|conflict| (key(conflict), conflict)).collect();
    let mut changed = Vec::new();
    for row in live {
        let answer = answers.get(&key(&row.conflict)).copied();
        match news.remove(&key(&row.conflict)) {
            Some(conflict) => changed.push(seen_again(row, conflict, answer, now_ms)),
            None if judged.contains(&row.id) => changed.extend(unseen(row, answer, now_ms)),
            None => {}
        }
    }
    changed.extend(news.into_values().map(|conflict| ConflictRow {
        id: UNNUMBERED,
        directory,
        conflict: conflict.clone(),
        first_seen_ms: now_ms,
        last_seen_ms: now_ms,
        count: 1,
        state: ConflictState::Open,
        ended_ms: None,
    }));
    changed
}

/// Whether this answer silences a conflict instead of ending it.
pub(crate) const fn silences(answer: &Answer) -> bool {
    matches!(answer, Answer::LeaveAsIs | Answer::LeaveOut)
}

/// Oldest first, and always the same order.
pub(crate) fn age(decision: &Decision) -> impl Ord + use<> {
    (decision.at_ms, decision.person.clone(), decision.kind, decision.field)
}

fn key(conflict: &Conflict) -> Key<'_> {
    (conflict.person.as_str(), conflict.kind, conflict.field)
}

fn seen_again(row: &ConflictRow, conflict: &Conflict, answer: Option<&Decision>, now_ms: i64) -> ConflictRow {
    let left =
        answer.is_some_and(|answer| silences(&answer.answer) && answer.stands_on == conflict.stands_on);
    ConflictRow {
        conflict: conflict.clone(),
        last_seen_ms: now_ms,
        count: row.count + 1,
        state: if left { ConflictState::Silenced } else { ConflictState::Open },
        ..row.clone()
    }
}

/// A run that could judge this one did not meet it: it was left as it is, or
/// its cause is gone.
fn unseen(row: &ConflictRow, answer: Option<&Decision>, now_ms: i64) -> Option<ConflictRow> {
    let answer = answer.filter(|answer| answer.stands_on == row.conflict.stands_on);
    let state = match answer {
        Some(answer) if silences(&answer.answer) => ConflictState::Silenced,
        Some(_) => ConflictState::Decided,
        None => ConflictState::ResolvedByItself,
    };
    let ended_ms = (!state.is_live()).then_some(now_ms);
    (state != row.state).then(|| ConflictRow { state, ended_ms, ..row.clone() })
}

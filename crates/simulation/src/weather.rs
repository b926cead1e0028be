//! How a directory misbehaves for a while, drawn by lot.

use crate::lot::Lot;
use ldap3_proto::LdapResultCode as Code;
use sandbox::directory::{Failure, Faults};

/// Codes a server may give at any time, and those only a broken one gives.
const CODES: [Code; 9] = [
    Code::Busy,
    Code::Unavailable,
    Code::UnwillingToPerform,
    Code::OperationsError,
    Code::InsufficentAccessRights,
    Code::NoSuchObject,
    Code::AdminLimitExceeded,
    Code::TimeLimitExceeded,
    Code::SizeLimitExceeded,
];

pub fn directory(lot: &Lot) -> Faults {
    let failure = |permille: u16| {
        let code = lot.pick(&CODES)?.clone();
        let every = 1 + lot.below(12);
        lot.strikes(permille).then_some(Failure { code, every })
    };
    let number = |permille: u16, most: u64| lot.strikes(permille).then_some(1 + lot.below(most));
    Faults {
        bind: failure(40),
        search: failure(150),
        write: failure(200),
        cut_after: number(80, 20),
        page_short: number(200, 3).and_then(|n| usize::try_from(n).ok()),
        page_lost: number(80, 3).and_then(|n| u32::try_from(n).ok()),
        disconnect_at: number(80, 15),
        size_limit: number(60, 6).and_then(|n| usize::try_from(n).ok()),
        lose_answer: number(200, 4),
        forget_ids: number(100, 60),
        ..Faults::default()
    }
}

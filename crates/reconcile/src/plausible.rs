//! Whether a read that looks complete can be all there is. A server that lost
//! half of its people says so to nobody; only the last read knows better.

/// Less than this share of the last complete read is doubted, in percent.
pub const SHARE_MIN_PERCENT: usize = 50;
/// A read that is short of fewer rows than this never is.
pub const MISSING_MIN: usize = 10;

/// Whether `read` rows are too few after `before` of them.
pub fn too_few(read: usize, before: usize) -> bool {
    let share = read.saturating_mul(100) < before.saturating_mul(SHARE_MIN_PERCENT);
    share && before - read >= MISSING_MIN
}

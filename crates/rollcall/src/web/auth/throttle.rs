//! How often somebody may try a password: a few times at once, then slowly.
//! Counted per address, so that a stranger does not lock the administrator out.

use crate::limits;
use governor::clock::Clock as _;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

pub struct Throttle(DefaultKeyedRateLimiter<IpAddr>);

impl Default for Throttle {
    fn default() -> Self {
        let burst = NonZeroU32::new(limits::SIGN_IN_TRIES).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(Duration::from_millis(limits::SIGN_IN_TRY_MS));
        let quota = quota.unwrap_or(Quota::per_second(NonZeroU32::MIN)).allow_burst(burst);
        Throttle(RateLimiter::keyed(quota))
    }
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Throttle of {} addresses", self.0.len())
    }
}

impl Throttle {
    /// Counts one try; how many seconds to wait if it is one too many.
    pub fn try_from(&self, address: IpAddr) -> Result<(), u64> {
        if self.0.len() >= limits::THROTTLED_ADDRESSES_MAX {
            self.0.retain_recent();
        }
        self.0.check_key(&network(address)).map_err(|until| {
            let wait = until.wait_time_from(self.0.clock().now());
            wait.as_secs() + 1
        })
    }
}

/// Whoever has one IPv6 address has a network of them.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        other => other.to_canonical(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_tries_then_a_wait_and_others_are_not_touched() {
        let throttle = Throttle::default();
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        for _ in 0..limits::SIGN_IN_TRIES {
            assert_eq!(throttle.try_from(one), Ok(()));
        }
        let wait = throttle.try_from(one).unwrap_err();
        assert!((1..=limits::SIGN_IN_TRY_MS / 1000 + 1).contains(&wait), "{wait}");
        assert_eq!(throttle.try_from(other), Ok(()));
    }
}

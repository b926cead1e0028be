//! Plans, the lease and the guard.

use crate::common::{company, directory, everywhere, person};
use crate::rows::start;
use store::{DirectoryId, Error, Lease, PLANS_KEPT_MAX, PlanState, RunId, Touch, Trigger};

#[tokio::test]
async fn plans_are_kept_under_their_hash_and_not_too_many() {
    everywhere(async |store| {
        let id = company(store).await;
        for number in 0..=PLANS_KEPT_MAX {
            store.put_plan(id, &format!("hash {number}"), number as i64, "{}").await.unwrap();
        }
        let heads = store.plans(id).await.unwrap();
        assert_eq!(heads.len(), PLANS_KEPT_MAX);
        assert_eq!(heads[0].hash, format!("hash {PLANS_KEPT_MAX}"));
        assert_eq!(store.plan(id, "hash 0").await.unwrap(), None);
        store.settle_plan(id, "hash 1", PlanState::Applied).await.unwrap();
        let (head, body) = store.plan(id, "hash 1").await.unwrap().unwrap();
        assert_eq!((head.state, head.made_ms, &*body), (PlanState::Applied, 1, "{}"));
        store.put_plan(id, "hash 1", 500, "{1}").await.unwrap();
        let (head, body) = store.plan(id, "hash 1").await.unwrap().unwrap();
        assert_eq!((head.state, head.made_ms, &*body), (PlanState::Pending, 500, "{1}"));
        assert!(matches!(store.settle_plan(id, "none", PlanState::Applied).await, Err(Error::Missing(_))));
        assert!(matches!(store.put_plan(DirectoryId(9), "h", 1, "").await, Err(Error::Missing(_))));
    })
    .await;
}

#[tokio::test]
async fn one_holds_the_lease() {
    everywhere(async |store| {
        let id = DirectoryId(1);
        let take =
            async |holder: &'static str, until, now| store.take_lease(id, holder, until, now).await.unwrap();
        assert_eq!(take("a", 100, 0).await, Lease::Held);
        assert_eq!(take("b", 150, 99).await, Lease::HeldBy { holder: "a".into(), until_ms: 100 });
        assert_eq!(take("a", 110, 50).await, Lease::Held);
        assert!(store.renew_lease(id, "a", 120, 109).await.unwrap());
        assert!(!store.renew_lease(id, "b", 200, 109).await.unwrap());
        assert_eq!(store.lease_holder(id, 119).await.unwrap(), Some(("a".into(), 120)));
        assert_eq!(store.lease_holder(id, 120).await.unwrap(), None);
        // Expired: whoever comes first takes it, and the old holder has lost.
        assert!(!store.renew_lease(id, "a", 300, 120).await.unwrap());
        assert_eq!(take("b", 200, 120).await, Lease::Held);
        assert!(!store.renew_lease(id, "a", 300, 130).await.unwrap());
        store.release_lease(id, "a").await.unwrap();
        assert_eq!(store.lease_holder(id, 130).await.unwrap(), Some(("b".into(), 200)));
        store.release_lease(id, "b").await.unwrap();
        assert_eq!(take("a", 300, 130).await, Lease::Held);
        assert_eq!(store.take_lease(DirectoryId(2), "b", 300, 130).await.unwrap(), Lease::Held);
    })
    .await;
}

#[tokio::test]
async fn the_guard_counts_people_of_recent_automatic_runs_once() {
    everywhere(async |store| {
        let id = company(store).await;
        let other = store.put_directory(&directory("other"), None).await.unwrap();
        let touch = |kind: &str, number| Touch { kind: kind.into(), person: person(number) };
        for (directory, trigger, started_ms, touches) in [
            (id, Trigger::Automatic, 5, vec![touch("clears", 9)]),
            (id, Trigger::Automatic, 10, vec![touch("clears", 1), touch("clears", 1), touch("disables", 1)]),
            (id, Trigger::Automatic, 11, vec![touch("clears", 1), touch("clears", 2)]),
            (id, Trigger::Apply, 12, vec![touch("clears", 3)]),
            (other, Trigger::Automatic, 13, vec![touch("clears", 4)]),
        ] {
            let run = start(store, directory, trigger, started_ms).await;
            store.touch(run, &touches).await.unwrap();
        }
        let touched: Vec<Touch> = store.touched(id, 10).await.unwrap().into_iter().collect();
        assert_eq!(touched, [touch("clears", 1), touch("clears", 2), touch("disables", 1)]);
        assert!(matches!(store.touch(RunId(99), &[touch("clears", 1)]).await, Err(Error::Missing(_))));
    })
    .await;
}

//! Reviewed plans, the lease and the guard's counts, in memory.

use super::MemoryStore;
use crate::contract::{Coordination, Reply};
use crate::error::Error;
use crate::history::Trigger;
use crate::lists::PlanPerson;
use crate::rows::{By, DirectoryId, Lease, PlanHead, PlanState, RunId, Touch};
use crate::{PLAN_PEOPLE_KEPT_MAX, PLANS_KEPT_MAX};
use std::cmp::Reverse;
use std::collections::BTreeSet;

impl Coordination for MemoryStore {
    fn put_plan<'a>(
        &'a self,
        directory: DirectoryId,
        hash: &'a str,
        made_ms: i64,
        body: &'a str,
    ) -> Reply<'a, ()> {
        self.reply(move |memory| {
            memory.directory(directory)?;
            let head = PlanHead { directory, hash: hash.to_owned(), made_ms, state: PlanState::Pending };
            memory.plans.insert((directory, hash.to_owned()), (head, body.to_owned()));
            for head in newest_first(memory, directory).into_iter().skip(PLANS_KEPT_MAX) {
                let key = (directory, head.hash);
                memory.plans.remove(&key);
                memory.plan_people.remove(&key);
            }
            Ok(())
        })
    }

    fn put_plan_people<'a>(
        &'a self,
        directory: DirectoryId,
        hash: &'a str,
        people: &'a [PlanPerson],
    ) -> Reply<'a, ()> {
        self.reply(move |memory| {
            let key = (directory, hash.to_owned());
            if !memory.plans.contains_key(&key) {
                return Err(Error::missing("plan", hash));
            }
            memory.plan_people.insert(key, people.to_vec());
            for head in newest_first(memory, directory).into_iter().skip(PLAN_PEOPLE_KEPT_MAX) {
                memory.plan_people.remove(&(directory, head.hash));
            }
            Ok(())
        })
    }

    fn plans(&self, directory: DirectoryId) -> Reply<'_, Vec<PlanHead>> {
        self.reply(move |memory| Ok(newest_first(memory, directory)))
    }

    fn plan<'a>(&'a self, directory: DirectoryId, hash: &'a str) -> Reply<'a, Option<(PlanHead, String)>> {
        self.reply(move |memory| Ok(memory.plans.get(&(directory, hash.to_owned())).cloned()))
    }

    fn settle_plan<'a>(&'a self, directory: DirectoryId, hash: &'a str, state: PlanState) -> Reply<'a, ()> {
        self.reply(move |memory| {
            let plan = memory.plans.get_mut(&(directory, hash.to_owned()));
            plan.ok_or_else(|| Error::missing("plan", hash))?.0.state = state;
            Ok(())
        })
    }

    fn take_lease<'a>(
        &'a self,
        directory: DirectoryId,
        holder: &'a str,
        until_ms: i64,
        now_ms: i64,
    ) -> Reply<'a, Lease> {
        self.reply(move |memory| match memory.leases.get(&directory) {
            Some((other, until_ms)) if other != holder && *until_ms > now_ms => {
                Ok(Lease::HeldBy { holder: other.clone(), until_ms: *until_ms })
            }
            _ => {
                memory.leases.insert(directory, (holder.to_owned(), until_ms));
                Ok(Lease::Held)
            }
        })
    }

    fn renew_lease<'a>(
        &'a self,
        directory: DirectoryId,
        holder: &'a str,
        until_ms: i64,
        now_ms: i64,
    ) -> Reply<'a, bool> {
        self.reply(move |memory| {
            let lease = memory.leases.get_mut(&directory);
            let held = lease.filter(|(current, until_ms)| current == holder && *until_ms > now_ms);
            Ok(held.map(|lease| lease.1 = until_ms).is_some())
        })
    }

    fn release_lease<'a>(&'a self, directory: DirectoryId, holder: &'a str) -> Reply<'a, ()> {
        self.reply(move |memory| {
            if memory.leases.get(&directory).is_some_and(|(current, _)| current == holder) {
                memory.leases.remove(&directory);
            }
            Ok(())
        })
    }

    fn lease_holder(&self, directory: DirectoryId, now_ms: i64) -> Reply<'_, Option<(String, i64)>> {
        self.reply(move |memory| {
            Ok(memory.leases.get(&directory).filter(|(_, until_ms)| *until_ms > now_ms).cloned())
        })
    }

    fn touch<'a>(&'a self, run: RunId, touches: &'a [Touch]) -> Reply<'a, ()> {
        self.reply(move |memory| {
            memory.fenced(By::Run(run))?;
            memory.run(run)?.touches.extend(touches.iter().cloned());
            Ok(())
        })
    }

    fn touched(&self, directory: DirectoryId, since_ms: i64) -> Reply<'_, BTreeSet<Touch>> {
        self.reply(move |memory| {
            let runs = memory.runs.values().filter(|run| {
                run.row.directory == directory
                    && run.row.trigger == Trigger::Automatic
                    && run.row.started_ms >= since_ms
            });
            Ok(runs.flat_map(|run| run.touches.iter().cloned()).collect())
        })
    }
}

fn newest_first(memory: &super::Memory, directory: DirectoryId) -> Vec<PlanHead> {
    let own = memory.plans.iter().filter(|((of, _), _)| *of == directory);
    let mut heads: Vec<PlanHead> = own.map(|(_, (head, _))| head.clone()).collect();
    // Stable: plans of the same time stay in the order of their hashes.
    heads.sort_by_key(|head| Reverse(head.made_ms));
    heads
}

//! What Rollcall remembers: settings, links, observations, conflicts, runs, journal, vault

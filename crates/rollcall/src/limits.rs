//! Every bound of a run, in one place.

use std::time::Duration;

/// Requests to the PBX under way at once. It writes one after the other; more
/// only queue up there.
pub const PBX_CONCURRENCY: usize = 3;

/// Pictures asked for at once; they are served as plain files.
pub const AVATAR_CONCURRENCY: usize = 8;

/// Records read in turn per run, beyond those a decision needs. A PBX on
/// loopback has no rate limit.
pub const RECORDS_IN_TURN_LOCAL: usize = 1_000;
pub const RECORDS_IN_TURN_REMOTE: usize = 60;

/// Pictures asked for per run; the longest not looked at come first.
pub const AVATARS_IN_TURN: usize = 5_000;

/// Look-ups of one kind that may fail in a run; then the rest waits for the
/// next one. Each may take as long as its time limit, and there are thousands.
pub const FAILED_LOOKUPS_MAX: usize = 10;

/// Other numbers tried when a free one turns out to be occupied.
pub const NUMBER_TRIES: usize = 5;

/// How long after it was asked a PBX may still create an employee: a job rests
/// up to 35 s in its queue. Who is not there by then will not be.
pub const CREATION_LATE_MS: i64 = 40_000;

/// The PBX refuses smaller pictures, and loses the old one doing so.
pub const PBX_PHOTO_BYTES_MIN: usize = 1_024;
/// What is sent to a PBX at most: the whole body passes through its queue.
pub const PBX_PHOTO_BYTES_MAX: usize = 4 * 1024 * 1024;
/// AD's `thumbnailPhoto` takes no more.
pub const AD_PHOTO_BYTES_MAX: usize = 102_400;

/// How long one synchroniser may hold a directory without renewing, in ms.
pub const LEASE_MS: i64 = 120_000;
/// How often it renews, in ms.
pub const LEASE_RENEW_MS: u64 = 20_000;
/// With less than this left of the lease nothing is sent any more, in ms: no
/// request to either side takes longer.
pub const LEASE_MARGIN_MS: i64 = 60_000;
/// How often a waiting command looks whether the other run is done, in ms.
pub const FOLLOW_POLL_MS: u64 = 250;
/// How often a run says at most how far it is, in ms.
pub const PROGRESS_EVERY_MS: u64 = 500;

/// First wait after a refusal, doubled with each further one, in ms.
pub const RETRY_FIRST_MS: i64 = 15 * 60_000;
pub const RETRY_MAX_MS: i64 = 24 * 3_600_000;

/// The guard looks back over this much time, in ms.
pub const GUARD_WINDOW_MS: i64 = 24 * 3_600_000;

/// How long a notification program may take before it is ended.
pub const NOTIFY_TIME_MAX: Duration = Duration::from_secs(30);
/// As much of what it complains of is passed on.
pub const NOTIFY_OUTPUT_BYTES_MAX: u64 = 2_048;
/// Arguments it may be given.
pub const NOTIFY_ARGUMENTS_MAX: usize = 32;
/// As much text as a notice has.
pub const NOTICE_CHARS_MAX: usize = 4_096;
/// Halted plans somebody was told of, remembered per server.
pub const NOTICES_REMEMBERED_MAX: usize = 20;

/// People of a past run fetched at once.
pub const RUN_PEOPLE_PAGE: u32 = 5_000;

/// As much of a plan's hash as a human has to type.
pub const HASH_SHOWN: usize = 12;

/// A session ends when nobody was seen for so long, and in any case in the end, in ms.
pub const SESSION_IDLE_MS: i64 = 12 * 3_600_000;
pub const SESSION_MS: i64 = 7 * 24 * 3_600_000;
/// How often it is noted that a session is used, in ms.
pub const SESSION_SEEN_MS: i64 = 60_000;
/// Sessions at once; the longest unseen one ends for a new one.
pub const SESSIONS_MAX: usize = 200;
/// As much of what a browser calls itself is kept.
pub const AGENT_CHARS_MAX: usize = 120;
pub const LOGIN_CHARS_MAX: usize = 64;
pub const PASSWORD_CHARS_MIN: usize = 10;
pub const PASSWORD_CHARS_MAX: usize = 256;
/// Passwords that are hashed at once: each takes 19 MiB and a processor.
pub const HASHES_MAX: usize = 2;
/// Passwords that an address may try at once, and how long until it may try one more, in ms.
pub const SIGN_IN_TRIES: u32 = 5;
pub const SIGN_IN_TRY_MS: u64 = 15_000;
/// Addresses that are counted before the quiet ones are forgotten.
pub const THROTTLED_ADDRESSES_MAX: usize = 10_000;

/// Tokens of the JSON API, as much of a name as one has, and how often it is
/// noted that one is used, in ms.
pub const TOKENS_MAX: usize = 100;
pub const TOKEN_NAME_CHARS_MAX: usize = 64;
pub const TOKEN_USED_MS: i64 = 60_000;
/// Runs of a server that a support bundle tells of.
pub const SUPPORT_RUNS: u32 = 20;
/// Rows of a list that the JSON API gives at once, unless asked for others.
pub const API_ROWS: u32 = 100;

/// People of a run that is under way, kept for who watches it.
pub const LIVE_PEOPLE: usize = 100;
/// How often a watcher is told at most, in ms.
pub const LIVE_EVERY_MS: u64 = 400;
/// Watchers at once.
pub const WATCHERS_MAX: usize = 64;
/// Rows of a list on one page.
pub const PAGE_ROWS: u32 = 50;
/// Steps that an undo left as they are, listed one by one.
pub const NOT_UNDONE_SHOWN: usize = 40;
/// How long a browser may show a picture without asking again.
pub const PHOTO_CACHE: &str = "private, max-age=300";
/// What a browser may send at most: a form with a certificate authority in it.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// How long a request may take, a live one apart.
pub const REQUEST_TIME_MAX: Duration = Duration::from_secs(120);
/// TLS handshakes under way at once, and how long one may take.
pub const HANDSHAKES_MAX: usize = 64;
pub const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);
/// How long open connections may take to end when the service ends.
pub const FAREWELL_TIME_MAX: Duration = Duration::from_secs(5);

/// Minutes between automatic runs: unless something else is said, and as what may be said.
pub const SCHEDULE_MIN_DEFAULT: u32 = 15;
pub const SCHEDULE_MIN_MAX: u32 = 7 * 24 * 60;
/// As long as a server that fails again and again waits between runs, in ms.
pub const SCHEDULE_BACKOFF_MS: i64 = 4 * 3_600_000;
/// How often a change of a schedule begins anew because somebody else changed it meanwhile.
pub const SCHEDULE_TRIES: u32 = 16;
/// How often it is looked whose turn it is, in ms.
pub const SCHEDULE_TICK_MS: u64 = 2_000;
/// People of a plan that are fetched at once for a download.
pub const DOWNLOAD_ROWS: u32 = 500;
/// Servers that people are working on without having saved them.
pub const DRAFTS_MAX: usize = 200;

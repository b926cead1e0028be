-- Fit for SQLite and PostgreSQL alike. Times are ms since the epoch, an absent
-- field is the empty text, everything that is neither searched nor sorted is
-- JSON.

CREATE TABLE counter (name text PRIMARY KEY NOT NULL, last bigint NOT NULL);
INSERT INTO counter VALUES ('directory', 0), ('conflict', 0), ('run', 0), ('picture', 0);

CREATE TABLE meta (name text PRIMARY KEY NOT NULL, value text NOT NULL);

CREATE TABLE secret (owner text PRIMARY KEY NOT NULL, sealed bytea NOT NULL);

CREATE TABLE pbx (
    id bigint PRIMARY KEY NOT NULL,
    name text NOT NULL UNIQUE,
    settings text NOT NULL
);

CREATE TABLE directory (
    id bigint PRIMARY KEY NOT NULL,
    name text NOT NULL UNIQUE,
    pbx bigint NOT NULL REFERENCES pbx (id),
    settings text NOT NULL,
    policy text NOT NULL,
    created_ms bigint NOT NULL,
    last_complete_ms bigint NOT NULL,
    pbx_complete_ms bigint NOT NULL,
    referrals text NOT NULL,
    ran_before bigint NOT NULL
);

CREATE TABLE link (
    directory bigint NOT NULL REFERENCES directory (id) ON DELETE CASCADE,
    person text NOT NULL,
    pbx bigint NOT NULL REFERENCES pbx (id),
    employee bigint NOT NULL,
    name text NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (directory, person),
    UNIQUE (pbx, employee)
);

CREATE TABLE released_number (
    pbx bigint NOT NULL REFERENCES pbx (id),
    number text NOT NULL,
    at_ms bigint NOT NULL,
    PRIMARY KEY (pbx, number)
);

CREATE TABLE conflict (
    id bigint PRIMARY KEY NOT NULL,
    directory bigint NOT NULL REFERENCES directory (id) ON DELETE CASCADE,
    person text NOT NULL,
    kind text NOT NULL,
    field text NOT NULL,
    stands_on text NOT NULL,
    body text NOT NULL,
    first_seen_ms bigint NOT NULL,
    last_seen_ms bigint NOT NULL,
    seen bigint NOT NULL,
    state text NOT NULL,
    ended_ms bigint
);
CREATE UNIQUE INDEX conflict_live ON conflict (directory, person, kind, field) WHERE ended_ms IS NULL;
CREATE INDEX conflict_person ON conflict (directory, person);

CREATE TABLE decision (
    directory bigint NOT NULL REFERENCES directory (id) ON DELETE CASCADE,
    person text NOT NULL,
    kind text NOT NULL,
    field text NOT NULL,
    at_ms bigint NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (directory, person, kind, field)
);

CREATE TABLE quarantine (
    directory bigint NOT NULL REFERENCES directory (id) ON DELETE CASCADE,
    person text NOT NULL,
    field text NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (directory, person, field)
);

-- History outlives its directory: from here on nothing refers to that table.
CREATE TABLE run (
    id bigint PRIMARY KEY NOT NULL,
    directory bigint NOT NULL,
    directory_name text NOT NULL,
    started_by text NOT NULL,
    started_ms bigint NOT NULL,
    ended_ms bigint,
    outcome text NOT NULL,
    plan_hash text,
    report text NOT NULL,
    holder text NOT NULL,
    progress text
);
CREATE INDEX run_directory ON run (directory, id);

CREATE TABLE run_person (
    run bigint NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    seq bigint NOT NULL,
    directory bigint NOT NULL,
    person text NOT NULL,
    employee bigint,
    name text NOT NULL,
    extension text NOT NULL,
    status text NOT NULL,
    updated text NOT NULL,
    changes text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (run, seq)
);
CREATE INDEX run_person_latest ON run_person (directory, person, run);

CREATE TABLE journal (
    run bigint NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    seq bigint NOT NULL,
    directory bigint NOT NULL,
    at_ms bigint NOT NULL,
    person text NOT NULL,
    employee bigint,
    side text NOT NULL,
    what text NOT NULL,
    cause text NOT NULL,
    value_before text NOT NULL,
    value_after text NOT NULL,
    state text NOT NULL,
    reserved_number text,
    fingerprint text,
    picture bigint,
    PRIMARY KEY (run, seq)
);
CREATE INDEX journal_person ON journal (directory, person, run, seq);
CREATE INDEX journal_unfinished ON journal (directory) WHERE state IN ('intended', 'unknown');

CREATE TABLE touch (
    run bigint NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    kind text NOT NULL,
    person text NOT NULL,
    PRIMARY KEY (run, kind, person)
);

CREATE TABLE picture (
    id bigint PRIMARY KEY NOT NULL,
    directory bigint NOT NULL,
    person text NOT NULL,
    taken_ms bigint NOT NULL,
    size bigint NOT NULL,
    bytes bytea NOT NULL
);

CREATE TABLE reviewed_plan (
    directory bigint NOT NULL REFERENCES directory (id) ON DELETE CASCADE,
    hash text NOT NULL,
    made_ms bigint NOT NULL,
    state text NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (directory, hash)
);

CREATE TABLE lease (
    directory bigint PRIMARY KEY NOT NULL,
    holder text NOT NULL,
    until_ms bigint NOT NULL
);

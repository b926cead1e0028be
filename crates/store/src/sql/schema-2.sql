-- What lists sort and search. Keys are bytes, because databases disagree about
-- the order of texts; a folded text is written as people search for it. Each is
-- filled from what is stored already when this schema is reached.

-- A link as lists show it, narrow, so that all of them are looked through at
-- once. The newest row of a run that tells of the person is (run, seq); 0, 0 is
-- none.
CREATE TABLE listed (
    pbx bigint NOT NULL,
    employee bigint NOT NULL,
    directory bigint NOT NULL,
    person text NOT NULL,
    name text NOT NULL,
    number text NOT NULL,
    email text NOT NULL,
    mobile text NOT NULL,
    state text NOT NULL,
    since_ms bigint NOT NULL,
    name_key bytea NOT NULL,
    number_key bytea NOT NULL,
    email_key bytea NOT NULL,
    search text NOT NULL,
    run bigint NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (pbx, employee),
    FOREIGN KEY (pbx, employee) REFERENCES link (pbx, employee) ON DELETE CASCADE
);
CREATE INDEX listed_name ON listed (name_key, pbx, employee, directory, state);
CREATE INDEX listed_number ON listed (number_key, pbx, employee, directory, state);
CREATE INDEX listed_email ON listed (email_key, pbx, employee, directory, state);
CREATE INDEX listed_since ON listed (since_ms, pbx, employee, directory, state);
CREATE INDEX listed_run ON listed (run, pbx, employee, directory, state);

-- From here on the indexes hold everything a list is filtered by, so that only
-- the rows of one page are fetched.
ALTER TABLE run_person ADD COLUMN search text NOT NULL DEFAULT '';
CREATE INDEX run_person_listed ON run_person (run, seq, status, updated, search);

ALTER TABLE conflict ADD COLUMN name_key bytea NOT NULL DEFAULT '';
ALTER TABLE conflict ADD COLUMN search text NOT NULL DEFAULT '';
CREATE INDEX conflict_name ON conflict (name_key, id, directory, kind, state, search);
CREATE INDEX conflict_date ON conflict (first_seen_ms, id, directory, kind, state, search);

CREATE INDEX run_listed ON run (id, directory, started_by);

-- What a reviewed plan has in store for each person.
CREATE TABLE plan_person (
    directory bigint NOT NULL,
    hash text NOT NULL,
    seq bigint NOT NULL,
    person text NOT NULL,
    employee bigint,
    name text NOT NULL,
    extension text NOT NULL,
    kind text NOT NULL,
    changes text NOT NULL,
    reason text NOT NULL,
    search text NOT NULL,
    PRIMARY KEY (directory, hash, seq),
    FOREIGN KEY (directory, hash) REFERENCES reviewed_plan (directory, hash) ON DELETE CASCADE
);
CREATE INDEX plan_person_listed ON plan_person (directory, hash, seq, kind, search);

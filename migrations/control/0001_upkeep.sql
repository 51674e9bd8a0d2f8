-- What keeps the platform: backups and their tests, stores that were restored beside the
-- living ones, regular tasks, and how cells grow.

-- Everything that takes longer than a job may, each taken up by a process that can do it:
-- one that is configured with the repository, or any worker for archives of stores.
create table keeping_runs (
    id          text collate "C" primary key,  -- run_…
    kind        text not null check (kind in ('full', 'differential', 'incremental', 'files', 'store', 'restore_test', 'restore_store', 'load_store')),
    subject     text not null default '',      -- the stanza or the store; empty for all that there is
    args        jsonb not null default '{}',
    asked_by    text not null,
    state       text not null default 'waiting' check (state in ('waiting', 'running', 'succeeded', 'failed')),
    attempts    int not null default 0,
    progress    real not null default 0 check (progress between 0 and 1),
    host        text not null default '',      -- where it was taken up
    lease_until timestamptz,                   -- after that, whoever had it is taken for dead
    bytes       bigint not null default 0,     -- that it came to
    detail      jsonb not null default '{}',
    error       text not null default '',
    asked_at    timestamptz not null default now(),
    started_at  timestamptz,
    finished_at timestamptz
);
create unique index keeping_runs_open on keeping_runs (kind, subject) where state in ('waiting', 'running'); -- one at a time
create index keeping_runs_done on keeping_runs (kind, finished_at) where state in ('succeeded', 'failed');

-- What was restored of a side of a store beside it. Its schema is in the state 'beside'.
create table store_restores (
    id         text collate "C" primary key,   -- rst_…
    store_id   text collate "C" not null references stores (id) on delete cascade,
    mode       text not null check (mode in ('live', 'test')),
    schema     bigint not null references schemas (number),
    state      text not null default 'filling' check (state in ('filling', 'ready', 'swapped', 'discarded')),
    at         timestamptz not null,           -- the instant that it is of
    detail     jsonb not null default '{}',    -- what was shown to the operator
    created_at timestamptz not null default now(),
    swapped_at timestamptz
);
create unique index store_restores_open on store_restores (store_id, mode) where state <> 'discarded';

-- Regular tasks, as they last went.
create table tasks (
    name         text primary key,
    interval_s   double precision not null,    -- seconds between two runs
    began_at     timestamptz,
    succeeded_at timestamptz,
    failed_at    timestamptz,
    took_s       double precision not null default 0,
    successes    bigint not null default 0,
    failures     bigint not null default 0,
    error        text not null default ''      -- of the last run, if it failed
);

-- How full cells were, day by day.
create table cell_sizes (
    cell    text not null references cells (name),
    day     date not null,
    schemas bigint not null,
    bytes   bigint not null,
    connections     int not null default 0,    -- to the cell's server, the most that were seen that day
    connections_max int not null default 0,    -- that it takes of the program
    primary key (cell, day)
);


-- Whose data was erased, without saying who it was.
create table erasures (
    id          text collate "C" primary key,
    state       text not null default 'running' check (state in ('running', 'done')),
    customer_id text collate "C",              -- that is no more; null of who was known by e-mail only
    reason      text not null default '',
    places      jsonb not null,                -- [{"place": "orders", "rows": 2, "outcome": "anonymised"}]
    sealed      bytea,                         -- who it is, for as long as that is needed
    created_at  timestamptz not null default now(),
    finished_at timestamptz,
    check ((state = 'done') = (sealed is null) and (state = 'done') = (finished_at is not null))
);

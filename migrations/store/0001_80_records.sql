-- What happened, and who is told.

create table events (
    id         text collate "C" primary key,
    type       text not null,
    object_id  text collate "C" not null,
    object_sequence bigint not null,            -- its place among the events of the object; see platform/journal
    data       jsonb not null,
    request_id text not null default '',
    created_at timestamptz not null default now()
);
create index events_object on events (object_id, object_sequence);
create index events_created on events (created_at);

create table webhook_endpoints (
    id             text collate "C" primary key,
    url            text not null,
    description    text not null default '',
    events         text[] not null,             -- types, or with wildcards: order.*
    enabled        boolean not null default true,
    disabled_reason text not null default '',
    secrets        jsonb not null,              -- [{"sealed": "…", "until": null}], newest first
    failing_since  timestamptz,
    version        int not null default 1,
    created_at     timestamptz not null default now(),
    updated_at     timestamptz not null default now()
);

create table audit_entries (
    id         text collate "C" primary key,
    at         timestamptz not null default now(),
    actor_kind text not null,
    actor_id   text not null default '',
    actor      text not null default '',
    action     text not null,
    object_id  text collate "C" not null default '',
    before     jsonb,
    after      jsonb,
    reason     text not null default '',
    request_id text not null default '',
    ip         text not null default '',
    session_id text not null default '',
    user_agent text not null default '',
    undoes     text collate "C" not null default ''         -- the entry of the change that this one took back
);
create index audit_entries_object on audit_entries (object_id, id);
create index audit_entries_undoes on audit_entries (undoes) where undoes <> '';

-- Rows by which what an entry tells of can be taken back for a while, as those of what was
-- deleted.
create table audit_kept (
    entry_id text collate "C" primary key,
    kept     jsonb not null                -- by table
);

-- Work that takes long.

-- Long-running work that was asked for, and what became of each of its rows.
create table operations (
    id           text collate "C" primary key,
    kind         text not null,
    state        text not null check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    input        jsonb not null,                -- what to work on
    checkpoint   bigint not null default 0,     -- where in it the work goes on
    done         bigint not null default 0,
    total        bigint,
    counts       jsonb not null,                -- {"created": 0, …}
    messages     jsonb not null default '[]',   -- about all of it, as those of a row
    error        jsonb,                         -- {"code": "…", "detail": "…"}
    created_by   jsonb not null,                -- {"kind": "key", "id": "…", "label": "…"}
    created_from jsonb not null default '{}',   -- from where: {"ip": "…", "session_id": "…", "user_agent": "…"}
    request_id   text not null default '',
    undoes       text collate "C" references operations (id) on delete cascade,
    undo_until   timestamptz,                   -- what it did can be undone until then
    file         jsonb,                         -- what an export writes: see operations.File; null once it is removed
    created_at   timestamptz not null default now(),
    started_at   timestamptz,
    finished_at  timestamptz,
    updated_at   timestamptz not null default now() -- also when a worker last asked for its turn
);

create table operation_rows (
    operation_id text collate "C" not null references operations (id) on delete cascade,
    line         int not null,
    handle       text collate "C" not null default '',
    outcome      text not null check (outcome in ('pending', 'created', 'updated', 'deleted', 'skipped', 'failed')),
    object_id    text collate "C" not null default '',
    messages     jsonb not null default '[]',   -- [{"severity": "warning", "code": "…", "field": null, "detail": "…"}]
    input        jsonb,                         -- what is to be done, where that is the row's own
    undo         jsonb,                         -- what undoes it, as long as it can be undone
    primary key (operation_id, line)
);
create index operations_undoes on operations (undoes) where undoes is not null;
create index operation_rows_handle on operation_rows (operation_id, handle, line) where object_id <> '';

-- Pictures that an import names by their addresses and that are still to be fetched. A
-- few of an operation's are asked for at a time, each by a job.
create table import_images (
    image_id     text collate "C" primary key references images (id) on delete cascade,
    operation_id text collate "C" not null references operations (id) on delete cascade,
    line         int not null,
    product_id   text collate "C" not null,
    variant_ids  text[] not null,               -- those that are to show it
    asked        boolean not null default false -- there is a job for it
);
create index import_images_operation on import_images (operation_id, asked, line);

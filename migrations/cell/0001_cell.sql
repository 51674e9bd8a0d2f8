-- The tables of a cell that are not any one store's: records that are appended for all
-- stores, and the hand-over to the workers. Store roles get at them only as the grants
-- and policies below say: "store" is always the role that acts.

create table cell.schema_versions (
    number     bigint primary key,
    version    int not null,
    error      text not null default '',
    updated_at timestamptz not null default now()
);

-- Jobs written in the transaction of what they tell of. The relay hands them to the
-- queue in turn, store by store.
create table cell.outbox (
    id         bigint generated always as identity primary key,
    store      text collate "C" not null default current_user check (store = current_user),
    lane       text collate "C" not null default '', -- served in turn with the store's others; empty for what needs none of its own
    kind       text not null,
    args       jsonb not null,
    request_id text not null default '',       -- of the request that asked for it
    trace      text not null default '',       -- its W3C traceparent, where it is traced
    run_at     timestamptz not null default now(),
    created_at timestamptz not null default now()
);
create index outbox_due on cell.outbox (store, lane, run_at, id);

-- What a store used: changes, written in the transaction of what they count, and their
-- sums by day, which a worker makes of them.
create table cell.usage_deltas (
    id         bigint generated always as identity primary key,
    store      text collate "C" not null default current_user check (store = current_user),
    day        date not null default (now() at time zone 'UTC')::date,
    metric     text not null,                  -- orders, revenue:EUR, products, staff
    delta      bigint not null
);
create index usage_deltas_store on cell.usage_deltas (store);
alter table cell.usage_deltas enable row level security;
create policy usage_deltas_own on cell.usage_deltas to stoa_store using (store = current_user);
create table cell.usage_days (
    store      text collate "C" not null,
    day        date not null,
    metric     text not null,
    value      bigint not null,
    primary key (store, day, metric)
);
alter table cell.usage_days enable row level security;
create policy usage_days_own on cell.usage_days to stoa_store using (store = current_user);

-- Answers to requests with an Idempotency-Key.
create table cell.idempotency (
    store        text collate "C" not null default current_user check (store = current_user),
    scope        bytea not null,               -- digest of key, token, method and path
    fingerprint  bytea not null,
    state        text not null check (state in ('running', 'done')),
    status       int,
    headers      jsonb,
    body         bytea,
    secret_body  bytea,
    secret_until timestamptz,
    lease_until  timestamptz,
    step         jsonb,
    created_at   timestamptz not null default now(),
    primary key (store, scope)
);
create index idempotency_created on cell.idempotency (created_at);
alter table cell.idempotency enable row level security;
create policy idempotency_own on cell.idempotency to stoa_store using (store = current_user);

-- Webhook deliveries and their answers.
create table cell.deliveries (
    id           text collate "C" primary key,
    store        text collate "C" not null default current_user check (store = current_user),
    endpoint_id  text collate "C" not null,
    event_id     text collate "C" not null,
    event_type   text not null,
    state        text not null check (state in ('pending', 'delivered', 'failed')),
    attempts     jsonb not null default '[]',
    next_at      timestamptz,
    created_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now()
);
create index deliveries_endpoint on cell.deliveries (store, endpoint_id, id);
create unique index deliveries_event on cell.deliveries (store, endpoint_id, event_id);
create index deliveries_created on cell.deliveries (created_at);
alter table cell.deliveries enable row level security;
create policy deliveries_own on cell.deliveries to stoa_store using (store = current_user);

grant usage on schema cell to stoa_store;
grant usage on schema ext to stoa_store;
grant insert on cell.outbox, cell.usage_deltas to stoa_store;
grant select on cell.usage_deltas, cell.usage_days to stoa_store;
grant select, insert, update on cell.idempotency, cell.deliveries to stoa_store;
grant delete on cell.idempotency to stoa_store; -- a claim that is given back


-- The calls of the API, each in the partition of the week in which its store's plan has it go, so
-- that what is old goes with its partition (tenants/requestlog). The platform writes them, many
-- at a time; a store's role reads its own.
create table cell.requests (
    id             text collate "C" not null,      -- req_…
    store          text collate "C" not null,      -- the role of the store
    gone_on        date not null,                  -- UTC; the first day on which it is there no more
    at             timestamptz not null,
    took_us        bigint not null,
    operation      text not null,                  -- operationId
    method         text not null,
    path           text not null,                  -- without secrets
    status         int not null,
    code           text not null,                  -- of the problem; empty where there was none
    actor_kind     text not null,
    actor_id       text collate "C" not null,      -- key_…, acc_…
    actor          text not null,                  -- the key's name; of people nothing
    api_version    text not null,
    dry_run        boolean not null,
    request_state  text not null check (request_state in ('none', 'whole', 'redacted', 'cut', 'erased')),
    response_state text not null check (response_state in ('none', 'whole', 'redacted', 'cut', 'erased')),
    people         text[] not null,                -- whom it may tell of: IDs of customers, carts and orders, digests of e-mail addresses
    sealed         bytea,                          -- query, headers, bodies; null once they were erased
    primary key (store, id, gone_on)
) partition by range (gone_on);
create index requests_at on cell.requests (store, at, id); -- IDs that a proxy gave are in no order
create index requests_operation on cell.requests (store, operation, at, id);
create index requests_actor on cell.requests (store, actor_id, at, id);
create index requests_failed on cell.requests (store, at, id) where status >= 400;
create index requests_people on cell.requests using gin (people) where people <> '{}';
alter table cell.requests enable row level security;
create policy requests_own on cell.requests to stoa_store using (store = current_user);
grant select on cell.requests to stoa_store;

-- The weeks that there must be before the workers first look.
do $$
declare week date := date_trunc('week', now() at time zone 'UTC')::date;
begin
    for i in 0..6 loop
        execute format('create table cell.requests_%s partition of cell.requests for values from (%L) to (%L)',
            to_char(week + 7 * i, 'YYYYMMDD'), week + 7 * i, week + 7 * (i + 1));
    end loop;
end $$;

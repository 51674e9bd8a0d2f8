-- What is sold at other prices: to some, of many, or for a while.

create table price_lists (
    id         text collate "C" primary key,
    name       text not null,
    kind       text not null check (kind in ('sale', 'override')),
    active     boolean not null default true,
    starts_at  timestamptz,                     -- null: since ever
    ends_at    timestamptz check (ends_at > starts_at),
    group_ids  text[] not null default '{}',    -- of customers; empty: for everybody
    version    int not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index price_lists_starts on price_lists (starts_at) where active and starts_at is not null;
create index price_lists_ends on price_lists (ends_at) where active and ends_at is not null;

create table price_list_prices (
    variant_id    text collate "C" not null references variants (id) on delete cascade,
    currency      text not null,
    price_list_id text collate "C" not null references price_lists (id) on delete cascade,
    min_quantity  int not null check (min_quantity between 1 and 9999), -- from so many on
    amount        bigint not null check (amount >= 0),
    primary key (variant_id, currency, price_list_id, min_quantity)
);
create index price_list_prices_list on price_list_prices (price_list_id, variant_id, currency, min_quantity);

-- What one of a variant costs everybody, from each instant on. What is to come stands there
-- already; it is written anew when something changes before. The past is never changed.
create table price_history (
    variant_id text collate "C" not null references variants (id) on delete cascade,
    currency   text not null,
    starts_at  timestamptz not null,
    amount     bigint,                          -- null: not for sale in the currency
    reduced    boolean not null,                -- announced as less than it was
    primary key (variant_id, currency, starts_at)
);

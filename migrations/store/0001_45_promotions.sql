-- What makes it cheaper.

create table promotions (
    id                 text collate "C" primary key,
    title              text not null,
    automatic          boolean not null,           -- else by code
    rule               json not null,              -- what it asks for and what it takes off; carts read it as it is
    active             boolean not null default true,
    starts_at          timestamptz not null default now(),
    ends_at            timestamptz,
    usage_limit        bigint check (usage_limit > 0),
    customer_limit     bigint check (customer_limit > 0), -- uses by one customer
    used               bigint not null default 0 check (used >= 0),
    version            int not null default 1,
    created_at         timestamptz not null default now(),
    updated_at         timestamptz not null default now(),
    check (ends_at > starts_at),
    check (usage_limit is null or used <= usage_limit)
);
create index promotions_active on promotions (automatic, id) where active;

create table promotion_codes (
    code         text collate "C" primary key,     -- in capitals
    promotion_id text collate "C" not null references promotions (id) on delete cascade,
    usage_limit  bigint check (usage_limit > 0),
    used         bigint not null default 0 check (used >= 0),
    created_at   timestamptz not null default now(),
    check (usage_limit is null or used <= usage_limit)
);
create index promotion_codes_promotion on promotion_codes (promotion_id, code);

-- What orders made use of. It is written when an order is placed and taken back when its
-- payment fails.
create table promotion_uses (
    promotion_id text collate "C" not null references promotions (id) on delete cascade,
    order_id     text collate "C" not null,
    code         text collate "C" not null default '',
    email        text not null,                    -- who the customer is
    currency     text not null,
    amount       bigint not null check (amount > 0),
    created_at   timestamptz not null default now(),
    primary key (promotion_id, order_id)
);
create index promotion_uses_order on promotion_uses (order_id);
create index promotion_uses_customer on promotion_uses (promotion_id, email);

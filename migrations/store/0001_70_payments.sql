-- Money that came and went.

-- A pending payment is an attempt to complete a cart: it exists before the provider is
-- called, and what the provider is called with bears its ID.
create table payments (
    id          text collate "C" primary key,
    cart_id     text collate "C" not null,
    order_id    text collate "C" not null,
    provider    text not null,
    attempt     text not null default '',       -- digest of the caller's own name for the attempt
    reference   text not null default '',       -- the provider's own ID
    state       text not null check (state in ('pending', 'captured', 'failed')),
    currency    text not null,
    amount      bigint not null check (amount >= 0),
    refunded_amount bigint not null default 0,
    failure     text not null default '',
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    check (refunded_amount between 0 and amount)
);
create index payments_order on payments (order_id);
create index payments_cart on payments (cart_id);
create index payments_pending on payments (created_at) where state = 'pending';

create table refunds (
    id          text collate "C" primary key,
    order_id    text collate "C" not null references orders (id) on delete cascade,
    payment_id  text collate "C" not null references payments (id),
    state       text not null check (state in ('pending', 'succeeded', 'failed')),
    currency    text not null,
    amount      bigint not null check (amount > 0),
    attempt     text not null default '',       -- digest of the caller's own name for the attempt
    reason      text not null default '',
    reference   text not null default '',
    failure     text not null default '',
    restock     boolean not null default false,
    lines       jsonb not null default '[]',    -- [{"line_id": "orl_…", "quantity": 1}]
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);
create index refunds_order on refunds (order_id);
create index refunds_pending on refunds (created_at) where state = 'pending';

-- The ledger of the test provider, which plays a payment provider in sandboxes and demo
-- stores: what happened at "the other house", whatever became of our own records.
create table test_charges (
    reference  text collate "C" primary key,
    state      text not null check (state in ('succeeded', 'declined', 'voided')),
    currency   text not null,
    amount     bigint not null,
    failure    text not null default '',
    refunds    jsonb not null default '{}',     -- {"ref_…": 500}
    created_at timestamptz not null default now()
);

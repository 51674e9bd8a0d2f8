-- Money that the shop owes shoppers: gift cards, and the store credit of customers.

create table credit_accounts (
    id              text collate "C" primary key,
    kind            text not null check (kind in ('gift_card', 'store_credit')),
    currency        text not null,
    balance         bigint not null default 0 check (balance >= 0), -- the sum of its entries
    code_digest     bytea unique,                  -- of a gift card's code, which is kept nowhere
    last_characters text not null default '',      -- of that code
    customer_id     text collate "C" references customers (id) on delete set null, -- whose it is
    active          boolean not null default true,
    expires_at      timestamptz,
    note            text not null default '',
    version         int not null default 1,
    created_at      timestamptz not null default now(),
    updated_at      timestamptz not null default now(),
    check ((kind = 'gift_card') = (code_digest is not null))
);
create unique index credit_accounts_store_credit on credit_accounts (customer_id, currency) where kind = 'store_credit';
create index credit_accounts_customer on credit_accounts (customer_id, id);
create index credit_accounts_last on credit_accounts (last_characters) where kind = 'gift_card';

-- The ledger: entries are added, and stay as they are.
create table credit_entries (
    id         text collate "C" primary key,
    account_id text collate "C" not null references credit_accounts (id),
    kind       text not null check (kind in ('issue', 'adjustment', 'spend', 'release', 'refund')),
    amount     bigint not null check (amount <> 0), -- what came, or went where it is negative
    balance    bigint not null check (balance >= 0), -- after it
    order_id   text collate "C",
    payment_id text collate "C",                   -- that it was spent by, or whose attempt failed
    refund_id  text collate "C",
    reason     text not null default '',           -- of an adjustment
    created_at timestamptz not null default now(),
    check (kind not in ('spend', 'release') or payment_id is not null),
    check ((kind = 'refund') = (refund_id is not null))
);
create index credit_entries_account on credit_entries (account_id, id desc);
create unique index credit_entries_payment on credit_entries (payment_id, kind) where kind in ('spend', 'release'); -- once each
create unique index credit_entries_refund on credit_entries (refund_id, account_id) where kind = 'refund';

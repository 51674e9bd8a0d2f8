-- Money that came and went.

-- A pending payment is an attempt to complete a cart, or to pay what is owed of an order: it
-- exists before the provider is called, and what the provider is called with bears its ID. One that requires action, or
-- that the provider is still at work on, is under way too. A due one has an order, whose
-- money comes by ways that no provider tells of; an authorised one is held, not taken.
-- What gift cards and store credit pay of it are payments beside the attempt, taken and given
-- back with it, whose reference is the account.
create table payments (
    id          text collate "C" primary key,
    cart_id     text collate "C",               -- null where it is of an order's balance
    order_id    text collate "C" not null,
    provider    text not null,
    account     text not null default '',       -- the provider's account that it is of
    capture     text not null default 'automatic' check (capture in ('automatic', 'manual')),
    request     jsonb not null default '{}',    -- what else the provider was asked with
    attempt     text not null default '',       -- digest of the caller's own name for the attempt
    reference   text not null default '',       -- the provider's own ID
    state       text not null check (state in ('pending', 'requires_action', 'processing', 'due', 'authorised', 'captured', 'voided', 'failed')),
    asked       text not null default '' check (asked in ('', 'capture', 'void')), -- of the provider, which has not answered yet
    asked_amount bigint not null default 0,     -- how much it is to take
    asker       text not null default '',       -- digest of the caller's own name for what was last asked
    currency    text not null,
    amount      bigint not null check (amount >= 0),
    released_amount bigint not null default 0,  -- what of it was let go when the rest was captured
    refunded_amount bigint not null default 0,
    failure     text not null default '',
    disputes    jsonb not null default '[]',    -- what the shopper's bank asks back, as the API shows it
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    check (released_amount between 0 and amount),
    check (refunded_amount between 0 and amount - released_amount),
    check (refunded_amount + released_amount = 0 or state = 'captured'),
    check (asked = '' or state = 'authorised')
);
create index payments_order on payments (order_id);
create index payments_under_way on payments (updated_at) where state in ('pending', 'requires_action', 'processing') or asked <> '';
create unique index payments_of_cart on payments (cart_id) where state <> 'failed' and provider not in ('gift_card', 'store_credit'); -- one at a time, and one for good
create unique index payments_of_balance on payments (order_id) where cart_id is null and state in ('pending', 'requires_action', 'processing'); -- one at a time
create index payments_by_credit on payments (cart_id) where provider in ('gift_card', 'store_credit');

-- Money paid back of an order, in as many parts as the payments that it goes back to. What
-- became of each is written with it: [{"id": "ref_…", "payment_id": "pay_…", "amount": 500,
-- "state": "succeeded", …}], where the first one's ID is the refund's.
create table refunds (
    id          text collate "C" primary key,
    order_id    text collate "C" not null references orders (id) on delete cascade,
    state       text not null check (state in ('pending', 'succeeded', 'failed')),
    currency    text not null,
    amount      bigint not null check (amount > 0), -- of the parts that were paid back, once it has ended
    set_off_amount bigint not null default 0 check (set_off_amount between 0 and amount), -- not paid back, as it was owed for what was exchanged
    parts       jsonb not null check (jsonb_typeof(parts) = 'array' and (parts <> '[]' or set_off_amount = amount)),
    attempt     text not null default '',       -- digest of the caller's own name for the attempt
    reason      text not null default '',
    failure     text not null default '',       -- why a part, or all of it, was not paid back
    restock     boolean not null default false,
    lines       jsonb not null default '[]',    -- [{"line_id": "orl_…", "quantity": 1}]
    return_id   text collate "C" references returns (id), -- what it is paid back for
    fee_amount  bigint not null default 0 check (fee_amount >= 0), -- kept of what its lines were worth
    of_balance  boolean not null default false, -- of what the merchant owes, not of what the order contains
    edit_id     text collate "C" references order_edits (id), -- whose difference it is
    succeeded_at timestamptz,                   -- when it came to count
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);
create index refunds_order on refunds (order_id);
create unique index refunds_return on refunds (return_id) where state <> 'failed'; -- a return is paid back once
create index refunds_pending on refunds (created_at) where state = 'pending';

-- The ledger of the test provider, which plays a payment provider in sandboxes and demo
-- stores: what happened at "the other house", whatever became of our own records.
create table test_charges (
    reference  text collate "C" primary key,
    state      text not null check (state in ('waiting', 'processing', 'authorised', 'succeeded', 'declined', 'voided')),
    currency   text not null,
    amount     bigint not null,
    taken      bigint,                          -- where it is less
    failure    text not null default '',
    ready_at   timestamptz,                     -- when what is being processed will have succeeded
    refunds    jsonb not null default '{}',     -- {"ref_…": 500}
    created_at timestamptz not null default now()
);

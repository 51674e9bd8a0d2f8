-- What somebody is about to buy, whoever put it together: a shopper or, of a draft order,
-- the merchant.

create table carts (
    id                 text collate "C" primary key,
    token_hash         bytea not null,
    other_tokens       bytea[] not null default '{}', -- of its customer's other devices
    state              text not null default 'open' check (state in ('open', 'completing', 'completed')),
    currency           text not null,
    customer_id        text collate "C" references customers (id) on delete set null,
    email              text not null default '',
    country            text not null default '', -- where it is likely to go, while no address says so
    locales            text[] not null default '{}', -- whose texts it shows, the nearest first; none as they are written
    tax_exempt_reason  text not null default '', -- empty: taxed like its customer
    shipping_address   jsonb,
    billing_address    jsonb,
    shipping_method_id text collate "C",
    note               text not null default '',
    codes              text[] not null default '{}', -- of promotions, in the order in which they were given
    gift_cards         text[] not null default '{}', -- accounts of credit, in the order in which they were given
    use_store_credit   boolean not null default false, -- its customer pays with what the shop owes them, as far as that goes
    quotes             jsonb not null default '{}', -- what each rate service said of it; see commerce/rates
    draft              jsonb,                   -- what the merchant has agreed on, of a draft order; see commerce/cart
    abandoned_at       timestamptz,             -- when it was found to be, and told of
    version            int not null default 1,
    created_at         timestamptz not null default now(),
    updated_at         timestamptz not null default now(),
    expires_at         timestamptz not null
);
create index carts_expiry on carts (expires_at);
create index carts_customer on carts (customer_id, updated_at desc) where state = 'open' and customer_id is not null;
create index carts_drafts on carts (id) where draft is not null;

create table cart_lines (
    id         text collate "C" primary key,
    cart_id    text collate "C" not null references carts (id) on delete cascade,
    variant_id text collate "C" references variants (id) on delete cascade, -- null of what is in no catalogue
    quantity   int not null check (quantity between 1 and 9999),
    unit_amount bigint not null check (unit_amount >= 0), -- what the shopper was shown or, of a draft's line, what was agreed
    agreed     jsonb,                           -- what else was agreed, of a draft's line; see commerce/cart
    attributes jsonb not null default '{}',     -- {"Engraving": "Ada"}
    attributes_digest text not null generated always as (md5(attributes::text || case when agreed is null then '' else id end)) stored,
    created_at timestamptz not null default now(),
    unique (cart_id, variant_id, attributes_digest), -- others make another line
    check (variant_id is not null or agreed is not null)
);

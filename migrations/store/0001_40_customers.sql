-- Who buys.

create table customer_groups (
    id         text collate "C" primary key,
    name       text not null unique,
    version    int not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table customers (
    id                text collate "C" primary key,
    email             text not null,
    email_verified_at timestamptz,
    name              text not null default '',
    phone             text not null default '',
    password_hash     text,                     -- null: known from orders only, or not verified yet
    accepts_marketing boolean not null default false, -- by mail
    accepts_sms_marketing boolean not null default false,
    addresses         jsonb not null default '[]' check (jsonb_array_length(addresses) <= 50), -- [{"id", "address", "default_shipping", "default_billing"}]
    default_address   jsonb generated always as (jsonb_path_query_first(addresses, '$[*] ? (@.default_shipping == true).address')) stored,
    default_billing_address jsonb generated always as (jsonb_path_query_first(addresses, '$[*] ? (@.default_billing == true).address')) stored,
    tax_exempt_reason text not null default '', -- empty: taxed like anybody
    note              text not null default '',
    group_ids         text[] not null default '{}',
    tags              text[] not null default '{}', -- the merchant's own labels
    disabled_at       timestamptz,              -- since when the account opens nothing
    custom_fields     jsonb not null default '{}', -- by the keys of field_definitions
    version           int not null default 1,
    created_at        timestamptz not null default now(),
    updated_at        timestamptz not null default now()
);
create unique index customers_email on customers (email);
create index customers_groups on customers using gin (group_ids);
create index customers_tags on customers using gin (tags) where tags <> '{}';
create index customers_text on customers using gin ((email || ' ' || name || ' ' || phone) ext.gin_trgm_ops);

-- Tokens of customers: sessions, and the one-time tokens that travel by mail.
create table customer_tokens (
    hash        bytea primary key,
    customer_id text collate "C" references customers (id) on delete cascade, -- null: of a registration that is not proven yet
    purpose     text not null check (purpose in ('session', 'verify_email', 'reset_password', 'change_email', 'newsletter')),
    data        jsonb not null default '{}',    -- what its use puts into force: a registration's password hash, an e-mail address, a consent
    expires_at  timestamptz not null,
    created_at  timestamptz not null default now()
);
create index customer_tokens_customer on customer_tokens (customer_id, purpose);
create index customer_tokens_expiry on customer_tokens (expires_at);

-- How customers agreed to be written to, and took it back: rows are added, and stay as they are.
create table marketing_consents (
    id           text collate "C" primary key,
    customer_id  text collate "C" not null references customers (id) on delete cascade,
    email        text not null,                 -- of the customer then
    channel      text not null default 'email' check (channel in ('email', 'sms')),
    granted      boolean not null,
    method       text not null check (method in ('double_opt_in', 'account', 'staff', 'link')),
    wording      text not null default '',      -- that was agreed to
    requested_at timestamptz,                   -- of a double opt-in: when it was asked for
    requested_ip text not null default '',      -- and from where
    ip           text not null default '',
    actor_kind   text not null,
    actor_id     text not null default '',
    actor        text not null default '',      -- what they are called
    created_at   timestamptz not null default now()
);
create index marketing_consents_customer on marketing_consents (customer_id, id desc);

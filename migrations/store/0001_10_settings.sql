-- Every store's tables. The same text runs in each store's schema with search_path set
-- to it, so no name carries a schema but those of functions in ext.

-- What the store says of itself, how it sends and how it taxes.

-- The one row of settings.
create table settings (
    id                 int primary key check (id = 1),
    name               text not null,
    description        text not null default '',
    contact_email      text not null,
    country            text not null,
    currency           text not null,           -- the currency that reports are kept in
    currencies         text[] not null,         -- the currencies that are sold in
    locale             text not null default 'en',
    prices_include_tax boolean not null default true,
    order_prefix       text not null default '#',
    theme              jsonb not null default '{}', -- {"accent_color": "#1f5f5b"}
    invoicing          jsonb not null default '{}', -- who sells, and how invoices are numbered: see commerce/documents
    product_count      bigint not null default 0 check (product_count >= 0), -- for the plan's limit; held under the row's lock
    version            int not null default 1,
    updated_at         timestamptz not null default now()
);

create table shipping_methods (
    id         text collate "C" primary key,
    name       text not null,
    description text not null default '',
    countries  text[] not null,                 -- empty: everywhere
    amounts    jsonb not null,                  -- {"EUR": 490}
    position   int not null default 0,
    active     boolean not null default true,
    version    int not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table tax_rates (
    id         text collate "C" primary key,
    country    text not null unique,
    name       text not null,
    rate_bps   int not null check (rate_bps between 0 and 10000),
    applies_to_shipping boolean not null default true,
    version    int not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

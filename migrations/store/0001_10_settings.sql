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
    name       text not null,
    country    text not null,
    region     text not null default '',        -- empty: all of the country
    postal_codes text[] not null default '{}',  -- beginnings and ranges; empty: all of the region
    tax_class  text not null default '',        -- empty: what has none of its own
    rate       int not null check (rate between 0 and 1000000), -- in millionths
    combinable boolean not null default false,  -- with the rates of the wider area, instead of in their place
    applies_to_shipping boolean not null default true,
    version    int not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint tax_rates_name unique (country, region, tax_class, name)
);
create unique index tax_rates_place on tax_rates (country, region, tax_class) where not combinable and postal_codes = '{}';

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
    locale             text not null default 'en', -- what everything is written in
    locales            jsonb not null default '[]', -- those that it is translated into: [{"locale": "de", "published": true}]
    translations       jsonb not null default '{}' check (pg_column_size(translations) <= 1000000), -- of what the store says of itself; see commerce/translations
    prices_include_tax boolean not null default true,
    time_zone          text not null default 'UTC', -- whose days reports are of
    analytics          jsonb not null default '{}', -- which figures reports are read from: see commerce/analytics
    order_prefix       text not null default '#',
    theme              jsonb not null default '{}', -- {"accent_color": "#1f5f5b", "design": what shoppers see, "published_at": since when}; see commerce/themes
    theme_draft        jsonb,                       -- a design that is to be published
    theme_version      int not null default 1,      -- of both
    menus              jsonb not null default '{}', -- {"header": {"items": …, "version": 2, "updated_at": …}}
    payments           jsonb not null default '{}', -- how shoppers may pay; commerce/payments reads it
    abandoned_cart_minutes int not null default 60 check (abandoned_cart_minutes between 15 and 43200),
    abandoned_cart_mail text not null default 'off' check (abandoned_cart_mail in ('off', 'consenting', 'everyone')),
    low_stock_told_at  timestamptz,             -- what became scarce until then was mailed to the staff
    shop_access        jsonb not null default '{"state": "open", "message": "", "password": "", "seed": ""}', -- who may come into the hosted shop
    invoicing          jsonb not null default '{}', -- who sells, and how invoices are numbered: see commerce/documents
    product_count      bigint not null default 0 check (product_count >= 0), -- for the plan's limit; held under the row's lock
    version            int not null default 1,
    updated_at         timestamptz not null default now()
);

-- What mails say where the merchant has them say something else; see commerce/mailtemplates.
create table mail_templates (
    kind       text collate "C" not null,
    locale     text collate "C" not null,
    subject    text,                            -- null: the default's
    body_html  text,                            -- null: the default's
    version    int not null default 0,
    updated_at timestamptz not null default now(),
    primary key (kind, locale)
);

-- Parts of the world that are sent to in the same ways.
create table shipping_zones (
    id          text collate "C" primary key,
    name        text not null,
    territories jsonb not null,                 -- [{"country": "US", "region": "NY", "postal_codes": ["100..104"]}]; empty: everywhere else
    version     int not null default 1,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);

-- Addresses of the merchant's that are asked for what else the tables here say.
create table rate_services (
    id         text collate "C" primary key,
    kind       text not null check (kind in ('carrier', 'tax')),
    name       text not null,
    url        text not null,
    secret     bytea not null,                  -- sealed; what questions are signed with
    active     boolean not null default true,
    failed_at  timestamptz,                     -- when it last gave no answer of use
    failure    text not null default '',        -- and why
    version    int not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create unique index rate_services_tax on rate_services (kind) where kind = 'tax' and active;

create table shipping_methods (
    id         text collate "C" primary key,
    zone_id    text collate "C" references shipping_zones (id), -- null: everywhere
    name       text not null,
    description text not null default '',
    tiered_by  text not null default '' check (tiered_by in ('', 'weight', 'price', 'quantity')),
    carrier_service_id text collate "C" references rate_services (id), -- who says what it costs; the prices are what counts without
    carrier_rate text,                          -- by which of the carrier's rates
    prices     jsonb not null,                  -- {"EUR": {"amount": 490, "free_from": 5000, "tiers": [{"from": 2000, "amount": 690}]}}
    pickup_address jsonb,                       -- where it is fetched instead of being sent
    translations jsonb not null default '{}' check (pg_column_size(translations) <= 1000000),
    position   int not null default 0,
    active     boolean not null default true,
    version    int not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    check ((carrier_service_id is null) = (carrier_rate is null))
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

-- What is for sale. Translations are by locale; see commerce/translations:
-- {"de": {"version": 2, "texts": {"title": "Hemd"}, "sources": {"title": "9f86d081"}}}

create table categories (
    id          text collate "C" primary key,
    parent_id   text collate "C" references categories (id),
    path        text collate "C" not null,      -- IDs from the root on, each followed by '/'
    lineage     text[] collate "C" generated always as (string_to_array(rtrim(path, '/'), '/')) stored,
    name        text not null,
    handle      text collate "C" not null unique,
    description text not null default '',
    seo_title   text not null default '',
    seo_description text not null default '',
    position    int not null default 0,
    custom_fields jsonb not null default '{}', -- by the keys of field_definitions
    translations jsonb not null default '{}' check (pg_column_size(translations) <= 1000000),
    version     int not null default 1,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);
create index categories_path on categories (path);
create index categories_parent on categories (parent_id, position);

create table products (
    id           text collate "C" primary key,
    handle       text collate "C" not null unique,
    title        text not null,
    description  text not null default '',      -- HTML, sanitised
    vendor       text not null default '',
    product_type text not null default '',
    status       text not null check (status in ('draft', 'active', 'archived')),
    tags         text[] not null default '{}',
    options      jsonb not null default '[]',   -- [{"name": "Size", "values": ["S", "M"]}]
    category_id  text collate "C" references categories (id),
    seo_title    text not null default '',
    seo_description text not null default '',
    publish_at   timestamptz,                   -- an active one is shown from then on
    unpublish_at timestamptz check (unpublish_at > publish_at), -- and until then
    published_at timestamptz,                   -- when it was first to be shown
    rating_sum   bigint not null default 0 check (rating_sum >= 0), -- of the reviews that are shown; see commerce/reviews
    rating_count bigint not null default 0 check (rating_count >= 0),
    custom_fields jsonb not null default '{}', -- by the keys of field_definitions
    translations jsonb not null default '{}' check (pg_column_size(translations) <= 1000000),
    version      int not null default 1,
    created_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now()
);
create index products_listed on products (id desc) where status = 'active';
create index products_publish on products (publish_at) where publish_at is not null;
create index products_unpublish on products (unpublish_at) where unpublish_at is not null;
create index products_category on products (category_id, id desc);
create index products_tags on products using gin (tags);
create index products_custom_fields on products using gin (custom_fields jsonb_path_ops);

create table variants (
    id                text collate "C" primary key,
    product_id        text collate "C" not null references products (id) on delete cascade,
    position          int not null,
    title             text not null,
    options           text[] not null default '{}',
    sku               text collate "C",
    barcode           text not null default '',
    weight_grams      int check (weight_grams >= 0),
    length_mm         int check (length_mm >= 0),
    width_mm          int check (width_mm >= 0),
    height_mm         int check (height_mm >= 0),
    net_content       jsonb,                    -- {"value": "250", "unit": "g"}
    cost_amount       bigint check (cost_amount >= 0), -- what one costs the merchant; never shown to shoppers
    cost_currency     text,
    image_id          text collate "C",         -- one of its product's
    requires_shipping boolean not null default true,
    taxable           boolean not null default true,
    tax_class         text not null default '', -- empty: the standard one
    track_stock       boolean not null default true,
    oversell          boolean not null default false,
    stock             bigint not null default 0, -- on hand at all active locations
    reserved          bigint not null default 0 check (reserved >= 0),
    low_stock_threshold int check (low_stock_threshold >= 0),
    backorder_limit   int check (backorder_limit >= 0), -- how far it may be oversold; null: without end
    backorder_expected_on date,                 -- when there is more of it
    bounded           boolean not null generated always as (track_stock and not oversell) stored, -- never below nothing
    custom_fields jsonb not null default '{}', -- by the keys of field_definitions
    translations jsonb not null default '{}' check (pg_column_size(translations) <= 1000000),
    version           int not null default 1,
    created_at        timestamptz not null default now(),
    updated_at        timestamptz not null default now(),
    unique (id, bounded),
    check (not track_stock or stock - reserved >= case when oversell then -backorder_limit else 0 end),
    constraint variants_cost_check check ((cost_amount is null) = (cost_currency is null))
);
create index variants_product on variants (product_id, position);
create index variants_sku on variants (sku) where sku is not null;

create table prices (
    variant_id        text collate "C" not null references variants (id) on delete cascade,
    currency          text not null,
    amount            bigint not null check (amount >= 0),
    compare_at_amount bigint check (compare_at_amount >= 0),
    primary key (variant_id, currency)
);

create table images (
    id           text collate "C" primary key,
    product_id   text collate "C" references products (id) on delete cascade, -- null: the shop's own, such as its logo
    position     int not null,
    alt          text not null default '',
    state        text not null default 'ready' check (state in ('pending', 'ready', 'failed')),
    source_url   text not null default '',
    content_type text not null default '',
    width        int not null default 0,
    height       int not null default 0,
    bytes        int not null default 0,
    sizes        jsonb not null default '[]',   -- [{"width": 480, "height": 480, "key": "…"}]
    translations jsonb not null default '{}' check (pg_column_size(translations) <= 1000000),
    created_at   timestamptz not null default now()
);
create index images_product on images (product_id, position);
create index images_own on images (id desc) where product_id is null;

-- What a collection's rules look at is written in commerce/collections.
create table collections (
    id          text collate "C" primary key,
    handle      text collate "C" not null unique,
    title       text not null,
    description text not null default '',
    seo_title   text not null default '',
    seo_description text not null default '',
    match       text not null default 'all' check (match in ('all', 'any')),
    rules       jsonb,                          -- [{"field": "tag", "operator": "equals", "value": "summer"}]; null when it is put together by hand
    sort_order  text not null default 'manual' check (sort_order in ('manual', 'best_selling', 'newest', 'title', 'price_ascending', 'price_descending')),
    ranked_at   timestamptz,                    -- when its best sellers were last counted
    custom_fields jsonb not null default '{}', -- by the keys of field_definitions
    translations jsonb not null default '{}' check (pg_column_size(translations) <= 1000000),
    version     int not null default 1,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);
create index collections_by_stock on collections (id) where rules @? '$[*] ? (@.field == "stock" || @.field == "available")';

create table collection_products (
    collection_id text collate "C" not null references collections (id) on delete cascade,
    product_id    text collate "C" not null references products (id) on delete cascade,
    sort_key      text collate "C" not null,    -- its place in the collection's order
    shown         boolean not null,             -- whether the product is active
    primary key (collection_id, product_id)
);
create index collection_products_product on collection_products (product_id);
create index collection_products_order on collection_products (collection_id, sort_key, product_id);
create index collection_products_shown on collection_products (collection_id, sort_key, product_id) where shown;

-- Handles that things once had: who comes by one is shown the way.
create table former_handles (
    kind      text not null check (kind in ('product', 'category', 'collection', 'page', 'post')),
    handle    text collate "C" not null,
    object_id text collate "C" not null,
    primary key (kind, handle)
);

-- What merchants add to things: the fields' definitions. The values are with the things.
create table field_definitions (
    id          text collate "C" primary key,
    resource    text not null check (resource in ('product', 'variant', 'collection', 'category', 'customer', 'order')),
    key         text collate "C" not null,
    name        text not null,
    description text not null default '',
    type        text not null,
    list        boolean not null default false,
    validations jsonb not null default '{}',    -- {"min": "0", "max_length": 60, "choices": ["S", "M"]}
    shown       boolean not null default false, -- to shoppers
    filterable  boolean not null default false, -- lists of products ask for its values
    translations jsonb not null default '{}' check (pg_column_size(translations) <= 1000000),
    version     int not null default 1,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    constraint field_definitions_key unique (resource, key)
);

-- Every store's tables. The same text runs in each store's schema with search_path set
-- to it, so no name carries a schema but those of functions in ext.

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

create table categories (
    id          text collate "C" primary key,
    parent_id   text collate "C" references categories (id),
    path        text collate "C" not null,      -- IDs from the root on, each followed by '/'
    name        text not null,
    handle      text collate "C" not null unique,
    description text not null default '',
    position    int not null default 0,
    version     int not null default 1,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);
create index categories_path on categories (path text_pattern_ops);
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
    search       tsvector not null default '',
    published_at timestamptz,                   -- when it first became active
    version      int not null default 1,
    created_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now()
);
create index products_listed on products (id desc) where status = 'active';
create index products_category on products (category_id, id desc);
create index products_search on products using gin (search);
create index products_title on products using gin (title ext.gin_trgm_ops);

create table variants (
    id                text collate "C" primary key,
    product_id        text collate "C" not null references products (id) on delete cascade,
    position          int not null,
    title             text not null,
    options           text[] not null default '{}',
    sku               text collate "C",
    barcode           text not null default '',
    weight_grams      int check (weight_grams >= 0),
    image_id          text collate "C",         -- one of its product's
    requires_shipping boolean not null default true,
    taxable           boolean not null default true,
    track_stock       boolean not null default true,
    oversell          boolean not null default false,
    stock             bigint not null default 0, -- on hand; the sum of its movements
    reserved          bigint not null default 0 check (reserved >= 0),
    version           int not null default 1,
    created_at        timestamptz not null default now(),
    updated_at        timestamptz not null default now(),
    check (oversell or not track_stock or stock >= reserved)
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

create table stock_movements (
    id         text collate "C" primary key,
    variant_id text collate "C" not null,
    quantity   bigint not null,                 -- how many came, or went when negative
    stock      bigint not null,                 -- how many there were afterwards
    reason     text not null check (reason in ('initial', 'received', 'correction', 'damaged', 'returned', 'other', 'sale', 'cancellation', 'refund', 'import')),
    note       text not null default '',
    order_id   text collate "C",
    actor_kind text not null,
    actor_id   text not null default '',
    actor      text not null default '',
    created_at timestamptz not null default now()
);
create index stock_movements_variant on stock_movements (variant_id, id);
create index stock_movements_order on stock_movements (order_id) where order_id is not null;

create table images (
    id           text collate "C" primary key,
    product_id   text collate "C" not null references products (id) on delete cascade,
    position     int not null,
    alt          text not null default '',
    state        text not null default 'ready' check (state in ('pending', 'ready', 'failed')),
    source_url   text not null default '',
    content_type text not null default '',
    width        int not null default 0,
    height       int not null default 0,
    bytes        int not null default 0,
    sizes        jsonb not null default '[]',   -- [{"width": 480, "height": 480, "key": "…"}]
    created_at   timestamptz not null default now()
);
create index images_product on images (product_id, position);

create table collections (
    id          text collate "C" primary key,
    handle      text collate "C" not null unique,
    title       text not null,
    description text not null default '',
    version     int not null default 1,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);
create table collection_products (
    collection_id text collate "C" not null references collections (id) on delete cascade,
    product_id    text collate "C" not null references products (id) on delete cascade,
    position      int not null default 0,
    primary key (collection_id, product_id)
);
create index collection_products_product on collection_products (product_id);

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

create table customers (
    id                text collate "C" primary key,
    email             text not null,
    email_verified_at timestamptz,
    name              text not null default '',
    phone             text not null default '',
    password_hash     text,                     -- null: known from orders only, or not verified yet
    accepts_marketing boolean not null default false,
    default_address   jsonb,
    note              text not null default '',
    version           int not null default 1,
    created_at        timestamptz not null default now(),
    updated_at        timestamptz not null default now()
);
create unique index customers_email on customers (email);

-- Tokens of customers: sessions, and the one-time tokens that travel by mail.
create table customer_tokens (
    hash        bytea primary key,
    customer_id text collate "C" references customers (id) on delete cascade, -- null: of a registration that is not proven yet
    purpose     text not null check (purpose in ('session', 'verify_email', 'reset_password')),
    data        jsonb not null default '{}',    -- what its use puts into force: a registration's password hash
    expires_at  timestamptz not null,
    created_at  timestamptz not null default now()
);
create index customer_tokens_customer on customer_tokens (customer_id, purpose);
create index customer_tokens_expiry on customer_tokens (expires_at);

create table carts (
    id                 text collate "C" primary key,
    token_hash         bytea not null,
    state              text not null default 'open' check (state in ('open', 'completing', 'completed')),
    currency           text not null,
    customer_id        text collate "C" references customers (id) on delete set null,
    email              text not null default '',
    shipping_address   jsonb,
    billing_address    jsonb,
    shipping_method_id text collate "C",
    note               text not null default '',
    version            int not null default 1,
    created_at         timestamptz not null default now(),
    updated_at         timestamptz not null default now(),
    expires_at         timestamptz not null
);
create index carts_expiry on carts (expires_at);
create table cart_lines (
    id         text collate "C" primary key,
    cart_id    text collate "C" not null references carts (id) on delete cascade,
    variant_id text collate "C" not null references variants (id) on delete cascade,
    quantity   int not null check (quantity between 1 and 9999),
    unit_amount bigint not null,                -- what the shopper was shown
    created_at timestamptz not null default now(),
    unique (cart_id, variant_id)
);

create sequence order_numbers start 1001;

create table orders (
    id               text collate "C" primary key,
    number           bigint not null unique,
    cart_id          text collate "C" not null unique,
    customer_id      text collate "C" references customers (id) on delete set null,
    token_hash       bytea not null,            -- the cart's, so that its holder can see the order
    state            text not null check (state in ('pending', 'open', 'completed', 'cancelled')),
    payment_state    text not null check (payment_state in ('pending', 'paid', 'partially_refunded', 'refunded', 'failed')),
    fulfilment_state text not null check (fulfilment_state in ('unfulfilled', 'partially_fulfilled', 'fulfilled')),
    currency         text not null,
    email            text not null,
    shipping_address jsonb,
    billing_address  jsonb,
    shipping_method  jsonb,
    prices_include_tax boolean not null,
    tax_name         text not null default '',
    tax_country      text not null default '',
    tax_rate_bps     int not null default 0,
    subtotal_amount  bigint not null,
    shipping_amount  bigint not null,
    tax_amount       bigint not null,
    total_amount     bigint not null,
    refunded_amount  bigint not null default 0,
    note             text not null default '',
    cancel_reason    text not null default '',
    cancelled_at     timestamptz,
    version          int not null default 1,
    placed_at        timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    check (refunded_amount between 0 and total_amount)
);
create index orders_customer on orders (customer_id, id desc);
create index orders_email on orders (email, id desc);
create index orders_pending on orders (placed_at) where state = 'pending'; -- attempts

create table order_lines (
    id                 text collate "C" primary key,
    order_id           text collate "C" not null references orders (id) on delete cascade,
    position           int not null,
    variant_id         text collate "C" not null,
    product_id         text collate "C" not null,
    title              text not null,
    variant_title      text not null,
    sku                text not null default '',
    image_key          text not null default '',
    quantity           int not null check (quantity > 0),
    unit_amount        bigint not null,
    total_amount       bigint not null,
    tax_amount         bigint not null,
    requires_shipping  boolean not null,
    tracks_stock       boolean not null,
    fulfilled_quantity int not null default 0,
    refunded_quantity  int not null default 0,
    check (fulfilled_quantity between 0 and quantity),
    check (refunded_quantity between 0 and quantity)
);
create index order_lines_order on order_lines (order_id, position);

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

create table fulfilments (
    id               text collate "C" primary key,
    order_id         text collate "C" not null references orders (id) on delete cascade,
    lines            jsonb not null,        -- [{"line_id": "orl_…", "quantity": 1}]
    tracking_number  text not null default '',
    tracking_url     text not null default '',
    carrier          text not null default '',
    created_at       timestamptz not null default now()
);
create index fulfilments_order on fulfilments (order_id);

create table events (
    id         text collate "C" primary key,
    type       text not null,
    object_id  text collate "C" not null,
    data       jsonb not null,
    request_id text not null default '',
    created_at timestamptz not null default now()
);
create index events_object on events (object_id, id);
create index events_created on events (created_at);

create table webhook_endpoints (
    id             text collate "C" primary key,
    url            text not null,
    description    text not null default '',
    events         text[] not null,             -- types, or with wildcards: order.*
    enabled        boolean not null default true,
    disabled_reason text not null default '',
    secrets        jsonb not null,              -- [{"sealed": "…", "until": null}], newest first
    failing_since  timestamptz,
    version        int not null default 1,
    created_at     timestamptz not null default now(),
    updated_at     timestamptz not null default now()
);

-- Long-running work that was asked for, and what became of each of its rows.
create table operations (
    id           text collate "C" primary key,
    kind         text not null,
    state        text not null check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    input        jsonb not null,                -- what to work on
    checkpoint   bigint not null default 0,     -- where in it the work goes on
    done         bigint not null default 0,
    total        bigint,
    counts       jsonb not null,                -- {"created": 0, …}
    messages     jsonb not null default '[]',   -- about all of it, as those of a row
    error        jsonb,                         -- {"code": "…", "detail": "…"}
    created_by   jsonb not null,                -- {"kind": "key", "id": "…", "label": "…"}
    created_at   timestamptz not null default now(),
    started_at   timestamptz,
    finished_at  timestamptz,
    updated_at   timestamptz not null default now() -- also when a worker last asked for its turn
);
create table operation_rows (
    operation_id text collate "C" not null references operations (id) on delete cascade,
    line         int not null,
    handle       text collate "C" not null default '',
    outcome      text not null check (outcome in ('created', 'updated', 'skipped', 'failed')),
    object_id    text collate "C" not null default '',
    messages     jsonb not null default '[]',   -- [{"severity": "warning", "code": "…", "field": null, "detail": "…"}]
    primary key (operation_id, line)
);
create index operation_rows_handle on operation_rows (operation_id, handle, line) where object_id <> '';

-- Pictures that an import names by their addresses and that are still to be fetched. A
-- few of an operation's are asked for at a time, each by a job.
create table import_images (
    image_id     text collate "C" primary key references images (id) on delete cascade,
    operation_id text collate "C" not null references operations (id) on delete cascade,
    line         int not null,
    product_id   text collate "C" not null,
    variant_ids  text[] not null,               -- those that are to show it
    asked        boolean not null default false -- there is a job for it
);
create index import_images_operation on import_images (operation_id, asked, line);

create table audit_entries (
    id         text collate "C" primary key,
    at         timestamptz not null default now(),
    actor_kind text not null,
    actor_id   text not null default '',
    actor      text not null default '',
    action     text not null,
    object_id  text collate "C" not null default '',
    before     jsonb,
    after      jsonb,
    reason     text not null default '',
    request_id text not null default '',
    ip         text not null default ''
);
create index audit_entries_object on audit_entries (object_id, id);

-- What was bought.

create sequence order_numbers start 1001;

create table orders (
    id               text collate "C" primary key,
    number           bigint not null unique,
    cart_id          text collate "C" not null unique,
    customer_id      text collate "C" references customers (id) on delete set null,
    token_hash       bytea not null,            -- of the cart's token that it was placed with, whose holder can see the order
    state            text not null check (state in ('pending', 'open', 'completed', 'cancelled')),
    payment_state    text not null check (payment_state in ('pending', 'authorised', 'partially_paid', 'paid', 'partially_refunded', 'refunded', 'voided', 'failed')),
    fulfilment_state text not null check (fulfilment_state in ('unfulfilled', 'partially_fulfilled', 'fulfilled')),
    currency         text not null,
    locale           text not null default '',  -- that it was placed in, and its lines are called in; empty: the store's own
    email            text not null,
    shipping_address jsonb,
    billing_address  jsonb,
    shipping_method  jsonb,                     -- {"id", "name", "pickup_address", "discount", "tax", "taxes"}, as the API shows them
    prices_include_tax boolean not null,
    tax_exempt_reason text not null default '',
    taxes            jsonb not null default '[]', -- of all lines and of shipping, as the API shows them
    discounts        jsonb not null default '[]', -- what each promotion took off, as the API shows it
    subtotal_amount  bigint not null check (subtotal_amount >= 0), -- before discounts
    discount_amount  bigint not null default 0,  -- of the lines and of shipping
    shipping_amount  bigint not null check (shipping_amount >= 0), -- before its discount
    tax_amount       bigint not null check (tax_amount >= 0),
    total_amount     bigint not null check (total_amount = subtotal_amount + shipping_amount - discount_amount
                         + case when prices_include_tax then 0 else tax_amount end),
    refunded_amount  bigint not null default 0,
    note             text not null default '',
    tags             text[] not null default '{}', -- the merchant's own labels
    custom_fields    jsonb not null default '{}', -- by the keys of field_definitions
    cancel_reason    text not null default '',
    cancelled_at     timestamptz,
    version          int not null default 1,
    placed_at        timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    check (discount_amount between 0 and subtotal_amount + shipping_amount),
    check (refunded_amount between 0 and total_amount)
);
create index orders_customer on orders (customer_id, id desc);
create index orders_email on orders (email, id desc);
create index orders_tags on orders using gin (tags) where tags <> '{}';
create index orders_pending on orders (placed_at) where state = 'pending'; -- attempts

create table order_lines (
    id                 text collate "C" primary key,
    order_id           text collate "C" not null references orders (id) on delete cascade,
    position           int not null,
    cart_line_id       text collate "C",         -- that it was in the cart
    variant_id         text collate "C",         -- null of what is in no catalogue, as its product
    product_id         text collate "C",
    title              text not null,
    variant_title      text not null,
    sku                text not null default '',
    image_key          text not null default '',
    quantity           int not null check (quantity > 0),
    unit_amount        bigint not null check (unit_amount >= 0),
    price_list         json,                    -- that the price was of: {"id", "name", "kind"}; null for the variant's own
    discount_amount    bigint not null default 0,
    discounts          jsonb not null default '[]',                 -- how the discount came about, as the API shows it
    total_amount       bigint not null check (total_amount >= 0),   -- after the discount
    tax_amount         bigint not null check (tax_amount >= 0),     -- contained in it or not, as the order's prices are
    taxes              jsonb not null default '[]',                 -- how the tax came about, as the API shows it
    requires_shipping  boolean not null,
    tracks_stock       boolean not null,
    attributes         jsonb not null default '{}', -- {"Engraving": "Ada"}
    allocations        jsonb not null default '[]', -- where it is served from: [{"location_id": "loc_…", "quantity": 1}]
    fulfilled_quantity int not null default 0,
    refunded_quantity  int not null default 0,
    returned_quantity  int not null default 0,  -- that came back and were accepted
    check (discount_amount >= 0 and total_amount = unit_amount * quantity - discount_amount),
    check (fulfilled_quantity between 0 and quantity),
    check (refunded_quantity between 0 and quantity),
    check (returned_quantity between 0 and fulfilled_quantity),
    check ((variant_id is null) = (product_id is null) and (variant_id is not null or not tracks_stock))
);
create index order_lines_order on order_lines (order_id, position);
create index order_lines_product on order_lines (product_id, order_id); -- what sells best, and what is bought together

-- What was changed of an order after it was placed: in lines as documents tell of it, with the
-- difference that each makes.
create table order_edits (
    id           text collate "C" primary key,
    order_id     text collate "C" not null references orders (id) on delete cascade,
    return_id    text collate "C",              -- whose goods are exchanged
    reason       text not null default '',
    lines        jsonb not null,                -- [{"line_id", "variant_id", "product_id", "title", "variant", "sku", "quantity", "unit", "total", "taxes"}]; of shipping without a line
    discounts    jsonb not null default '[]',   -- those of the order that it changed, as they were before it
    total_before bigint not null,
    total_after  bigint not null,
    invoiced     boolean not null,              -- there was an invoice already, so that it has a document of its own
    created_at   timestamptz not null default now()
);
create index order_edits_order on order_edits (order_id, id);
create unique index order_edits_return on order_edits (return_id); -- a return is exchanged once

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

-- Goods that come back. What is asked for is written with its lines, and so is what the
-- inspection found.
create table returns (
    id         text collate "C" primary key,
    order_id   text collate "C" not null references orders (id) on delete cascade,
    state      text not null check (state in ('requested', 'approved', 'declined', 'received', 'inspected', 'closed', 'cancelled')),
    lines      jsonb not null,              -- as the API shows them
    exchange   jsonb not null default '[]', -- what is to be sent instead: [{"variant_id": "var_…", "quantity": 1}]
    note       text not null default '',    -- of whoever asked for it
    message    text not null default '',    -- what the shopper was last told
    version    int not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index returns_order on returns (order_id);
create index returns_state on returns (state, id);

-- What there is of it, and where.

create table locations (
    id         text collate "C" primary key,
    name       text not null,
    address    jsonb,
    active     boolean not null default true,   -- what lies at others is not for sale
    priority   int not null default 0,          -- the lowest that can serve an order does
    version    int not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

-- How many of a variant there are at a location. What is on hand is the sum of the
-- movements, what is reserved that of the reservations.
create table stock_levels (
    variant_id  text collate "C" not null,
    location_id text collate "C" not null references locations (id),
    on_hand     bigint not null default 0,
    reserved    bigint not null default 0 check (reserved >= 0),
    bounded     boolean not null,               -- the variant's
    updated_at  timestamptz not null default now(),
    primary key (variant_id, location_id),
    foreign key (variant_id, bounded) references variants (id, bounded) on update cascade on delete cascade,
    check (not bounded or on_hand >= reserved)
);
create index stock_levels_location on stock_levels (location_id, variant_id);

-- What is promised to a cart: until a time or, while it is being paid for, without one.
-- What has lapsed is as good as released, whether or not its row is gone yet. Carts are
-- not referred to, as a row that went with its cart would leave its level reserved.
create table reservations (
    cart_id     text collate "C" not null,
    variant_id  text collate "C" not null references variants (id) on delete cascade,
    location_id text collate "C" not null references locations (id),
    quantity    bigint not null check (quantity > 0),
    paying      boolean not null,
    expires_at  timestamptz not null,
    primary key (cart_id, variant_id, location_id)
);
create index reservations_lapsing on reservations (variant_id, expires_at) where not paying;
create index reservations_expiry on reservations (expires_at) where not paying;

create table stock_movements (
    id          text collate "C" primary key,
    variant_id  text collate "C" not null,
    location_id text collate "C" not null,
    type        text not null check (type in ('receipt', 'sale', 'return', 'adjustment', 'transfer')),
    quantity    bigint not null,                -- how many came, or went when negative
    stock       bigint not null,                -- how many there were at the location afterwards
    reason      text not null check (reason in ('initial', 'received', 'correction', 'damaged', 'returned', 'other', 'sale', 'cancellation', 'refund', 'import', 'transfer')),
    note        text not null default '',
    order_id    text collate "C",
    transfer_id text collate "C",               -- what both movements of a transfer have in common
    actor_kind  text not null,
    actor_id    text not null default '',
    actor       text not null default '',
    created_at  timestamptz not null default now()
);
create index stock_movements_variant on stock_movements (variant_id, id);
create index stock_movements_order on stock_movements (order_id) where order_id is not null;
create index stock_movements_transfer on stock_movements (transfer_id) where transfer_id is not null;

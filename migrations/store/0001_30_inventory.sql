-- What there is of it.

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

-- Who wants to be told when something is back, until they are.

create table stock_alerts (
    id           text collate "C" primary key,
    variant_id   text collate "C" not null references variants (id) on delete cascade,
    email        text not null,
    locale       text not null default '',      -- empty: the store's
    asked_at     timestamptz not null default now(), -- when the mail that asks whether it was them was last written
    confirmed_at timestamptz,                   -- when it was
    created_at   timestamptz not null default now(),
    unique (variant_id, email)
);
create index stock_alerts_created on stock_alerts (created_at);

-- What shoppers think of products, and what they wish for.

create table reviews (
    id          text collate "C" primary key,
    product_id  text collate "C" not null,      -- it may be gone
    customer_id text collate "C" not null references customers (id) on delete cascade,
    rating      int not null check (rating between 1 and 5),
    title       text not null default '',
    body        text not null default '',
    author      text not null default '',       -- what the customer is called beside it
    verified    boolean not null,               -- the customer had bought it
    state       text not null default 'pending' check (state in ('pending', 'approved', 'rejected')),
    reply       text not null default '',       -- of the merchant
    replied_at  timestamptz,
    locale      text not null default '',       -- that it was written in
    version     int not null default 1,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);
create unique index reviews_one on reviews (customer_id, product_id);
create index reviews_product on reviews (product_id, state, id desc);
create index reviews_state on reviews (state, id desc);

create table wishlists (
    id          text collate "C" primary key,
    customer_id text collate "C" not null references customers (id) on delete cascade,
    name        text not null,
    items       jsonb not null default '[]' check (jsonb_array_length(items) <= 200), -- [{"id", "product_id", "variant_id", "title", "added_at"}]
    share_token text collate "C",               -- in the link by which others see it; null: nobody does
    version     int not null default 1,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);
create index wishlists_customer on wishlists (customer_id, id);
create index wishlists_share on wishlists (share_token) where share_token is not null;

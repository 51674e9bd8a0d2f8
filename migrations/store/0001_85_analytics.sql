-- What reports are read from.

-- What an order comes to in the figures, change by change, as it was last counted there.
create table analytics_orders (
    order_id  text collate "C" primary key,
    currency  text not null,
    regular   boolean not null,                 -- its customer had ordered before
    facts     jsonb not null                    -- as commerce/analytics writes them
);

-- Sums of the facts, of each day, week and month in the store's time zone. What a column
-- says depends on the kind; see commerce/analytics.
create table analytics_figures (
    edition   int not null,                     -- the one that reports are read from is in settings.analytics
    kind      text not null check (kind in ('sales', 'product', 'tax', 'discount', 'refund')),
    currency  text not null,
    grain     text not null check (grain in ('day', 'week', 'month')),
    day       date not null,                    -- the first one of a week or a month
    key       text collate "C" not null,
    orders    bigint not null,
    quantity  bigint not null,
    returned  bigint not null,
    base      bigint not null,
    gross     bigint not null,
    discounts bigint not null,
    returns   bigint not null,
    shipping  bigint not null,
    taxes     bigint not null,
    fees      bigint not null,
    primary key (edition, kind, currency, grain, day, key)
);

-- How many visitors came how far on a day. Who they were is kept nowhere: the sketches are of
-- digests with the day's salt, and both are gone soon after the day.
create table analytics_visits (
    day      date primary key,
    salt     bytea,
    sketches bytea[],
    visitors bigint[] not null                  -- by step: see commerce/analytics
);

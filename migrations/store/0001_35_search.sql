-- What products are found, filtered, counted and sorted by: made of other tables, by
-- commerce/search alone, in the transactions that change those. It is narrow, so that counting
-- what there is of everything reads little.
create table product_index (
    product_id   text collate "C" primary key references products (id) on delete cascade,
    status       text not null,
    publish_at   timestamptz,
    unpublish_at timestamptz,
    title        text collate "C" not null,     -- as it is sorted by
    vendor       text collate "C" not null,
    category_id  text collate "C",
    attributes   text[] collate "C" not null,   -- options and custom fields: a kind's letter, a name, U+001F and a value
    prices       bigint[] not null,             -- what the cheapest of it costs everybody, in the main currency and the others in their order
    available    boolean[] not null,            -- whether something of it can be bought in these
    prices_until timestamptz,                   -- the instant from which on they are others
    names        tsvector not null,             -- the words that its rank goes by
    search       tsvector not null              -- all of its words
) with (fillfactor = 80);
create index product_index_search on product_index using gin (search);
create index product_index_title on product_index (title, product_id) where status = 'active';
create index product_index_cheap on product_index (coalesce(prices[1], 9223372036854775807), product_id) where status = 'active';
create index product_index_dear on product_index (coalesce(prices[1], -1) desc, product_id desc) where status = 'active';
create index product_index_due on product_index (prices_until) where prices_until is not null;

-- What shoppers looked for, by the day, for the merchant to read.
create table searches (
    day      date not null,
    words    text collate "C" not null,
    count    bigint not null,                   -- how often
    empty    bigint not null,                   -- and how often nothing was found
    primary key (day, words)
);
create index searches_words on searches (words);

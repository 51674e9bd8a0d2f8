-- What products are filtered, counted and sorted by: made of other tables, by commerce/search
-- alone, in the transactions that change those. Counting what there is of everything reads all
-- of it. So it is narrow, what counting needs comes first, and texts have keys, by which they
-- are found again.
create table product_index (
    attribute_key bigint generated always as (hash_array_extended(attributes, 0)) stored,
    active        boolean generated always as (status = 'active') stored,
    category_key  bigint,                       -- hashtextextended of the category's ID
    vendor_key    bigint generated always as (hashtextextended(nullif(vendor, ''), 0)) stored,
    price         bigint generated always as (prices[1]) stored,
    buyable       boolean generated always as (available[1]) stored,
    publish_at    timestamptz,
    unpublish_at  timestamptz,
    prices_until  timestamptz,                  -- the instant from which on prices are others
    keys          bytea not null generated always as (int8send(coalesce(category_key, 0)) || int8send(coalesce(hashtextextended(nullif(vendor, ''), 0), 0))
        || int8send(coalesce(hash_array_extended(attributes, 0), 0))) stored, -- of category, vendor and attributes as one value, as reading three costs thrice as much
    product_id    text collate "C" primary key references products (id) on delete cascade,
    status        text not null,
    prices        bigint[] not null,            -- what the cheapest of it costs everybody, in the main currency and the others in their order
    available     boolean[] not null,           -- whether something of it can be bought in these
    title         text collate "C" not null,    -- as it is sorted by
    vendor        text collate "C" not null,
    attributes    text[] collate "C" not null   -- options and custom fields: a kind's letter, a name, U+001F and a value
) with (fillfactor = 80);
create index product_index_category on product_index (category_key, product_id);
create index product_index_vendor on product_index (vendor_key, product_id);
create index product_index_attributes on product_index (attribute_key, product_id);
create index product_index_title on product_index (title, product_id) where active;
create index product_index_cheap on product_index (coalesce(price, 9223372036854775807), product_id) where active;
create index product_index_dear on product_index (coalesce(price, -1) desc, product_id desc) where active;
create index product_index_due on product_index (prices_until) where prices_until is not null;

-- The same once more with the words that products are found by, so that finding reads one table.
create table product_words (
    like product_index including generated,
    names  tsvector not null,                   -- that its rank goes by
    search tsvector not null,                   -- all of them
    primary key (product_id),
    foreign key (product_id) references products (id) on delete cascade
) with (fillfactor = 80);
create index product_words_search on product_words using gin (search);
create index product_words_category on product_words (category_key);
create index product_words_vendor on product_words (vendor_key);

-- What shoppers looked for, by the day, for the merchant to read.
create table searches (
    day      date not null,
    words    text collate "C" not null,
    count    bigint not null,                   -- how often
    empty    bigint not null,                   -- and how often nothing was found
    primary key (day, words)
);
create index searches_words on searches (words);

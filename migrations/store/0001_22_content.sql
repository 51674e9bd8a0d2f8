-- What a shop says besides its goods: pages and the posts of its blog.

create table contents (
    id           text collate "C" primary key,
    kind         text not null check (kind in ('page', 'post')),
    handle       text collate "C" not null,
    title        text not null,
    body         text not null default '',      -- HTML, sanitised
    excerpt      text not null default '',      -- of a post
    author       text not null default '',      -- of a post
    image_id     text collate "C",              -- of a post: one of the shop's own images
    purpose      text not null default '',      -- of a page that the law asks for
    seo_title    text not null default '',
    seo_description text not null default '',
    published_at timestamptz,                   -- shown from then on; null: a draft
    translations jsonb not null default '{}' check (pg_column_size(translations) <= 1000000),
    version      int not null default 1,
    created_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now(),
    constraint contents_handle unique (kind, handle)
);
create unique index contents_purpose on contents (purpose) where purpose <> '';
create index contents_shown on contents (kind, published_at desc, id desc) where published_at is not null;

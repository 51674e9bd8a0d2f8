-- Invoices and credit notes.

-- A document is never changed: it holds copies of all that it says. Its PDF is written when
-- it is first asked for, and is the same from then on.
create table documents (
    id           text collate "C" primary key,
    kind         text not null check (kind in ('invoice', 'credit_note')),
    order_id     text collate "C" not null references orders (id) on delete restrict,
    refund_id    text collate "C" unique references refunds (id) on delete restrict,
    edit_id      text collate "C" unique references order_edits (id) on delete restrict,
    year         int not null,                  -- 0 of a series that goes on over the years
    sequence     bigint not null,               -- within the series; none is left out
    number       text not null,
    currency     text not null,
    tax_amount   bigint not null,
    total_amount bigint not null,
    content      jsonb not null,
    pdf          bytea,
    sealed       bytea,                         -- all that it says, once its buyer was erased; content and PDF are empty then
    kept_until   date,                          -- until when that is kept
    issued_at    timestamptz not null,
    unique (kind, year, sequence),
    unique (kind, number),
    check (num_nonnulls(refund_id, edit_id) <= 1 and (refund_id is null or kind = 'credit_note') and (kind = 'invoice' or num_nonnulls(refund_id, edit_id) = 1))
);
create unique index documents_invoice on documents (order_id) where kind = 'invoice' and edit_id is null; -- the others are of edits
create index documents_order on documents (order_id);
create index documents_kind on documents (kind, id);

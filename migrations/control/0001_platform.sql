-- The platform's own tables: who exists, which stores there are and where they live.
-- No merchant's goods, customers or orders are kept here.

-- A cell is one Postgres database that holds stores. Where it is reached is
-- configuration; whether it takes new stores is kept here.
create table cells (
    name        text primary key,
    max_stores  int not null,
    open        boolean not null default true,
    created_at  timestamptz not null default now()
);

-- The logins of a cell. Each is a member of its own share of the stores' roles.
create table cell_logins (
    cell            text not null references cells (name),
    login           int not null,
    password_sealed bytea not null,
    primary key (cell, login)
);

-- Every store schema that was made. A ready one waits for a store; a store takes one
-- for its live side at birth and one for its sandbox at first use.
create table schemas (
    number     bigint generated always as identity primary key,
    cell       text not null references cells (name),
    login      int not null,
    state      text not null default 'making' check (state in ('making', 'ready', 'taken', 'beside', 'retired')), -- beside: what was restored of a store, beside the living one
    store_id   text collate "C",
    mode       text check (mode in ('live', 'test')),
    created_at timestamptz not null default now(),
    taken_at   timestamptz,                    -- by the store, which may not show itself yet
    check ((state in ('taken', 'beside')) = (store_id is not null and mode is not null) or state = 'retired')
);
create index schemas_ready on schemas (cell, number) where state = 'ready';
create unique index schemas_store on schemas (store_id, mode) where state = 'taken';

create table accounts (
    id                text collate "C" primary key,
    email             text not null,
    email_verified_at timestamptz,
    name              text not null default '',
    password_hash     text not null,
    totp_sealed       bytea,
    totp_confirmed_at timestamptz,
    totp_last_step    bigint,
    epoch             int not null default 1,   -- sessions begun under an earlier one have ended
    signup_noted_at   timestamptz,              -- when its owner was last told of a sign-up with its address
    version           int not null default 1,
    created_at        timestamptz not null default now(),
    updated_at        timestamptz not null default now()
);
create unique index accounts_email on accounts (lower(email)); -- kept as typed

-- One-time tokens that travel by mail; only their hash is kept.
create table account_tokens (
    hash       bytea primary key,
    account_id text collate "C" not null references accounts (id) on delete cascade,
    purpose    text not null check (purpose in ('verify_email', 'reset_password', 'change_email')),
    email      text not null,
    expires_at timestamptz not null,
    created_at timestamptz not null default now()
);
create index account_tokens_account on account_tokens (account_id, purpose);

-- Keys that sign in without a password; none of it is secret.
create table passkeys (
    id            text collate "C" primary key,
    account_id    text collate "C" not null references accounts (id) on delete cascade,
    credential_id bytea not null unique,
    credential    jsonb not null,               -- the public key, its counter, and what it can do
    name          text not null,
    created_at    timestamptz not null default now(),
    last_used_at  timestamptz
);
create index passkeys_account on passkeys (account_id, id);

create table recovery_codes (
    account_id text collate "C" not null references accounts (id) on delete cascade,
    hash       bytea not null,
    primary key (account_id, hash)
);

create table stores (
    id           text collate "C" primary key,
    name         text not null,
    address      text not null,                -- the host's first label
    skeleton     text not null,                -- the address with confusable characters folded
    status       text not null default 'active' check (status in ('active', 'suspended', 'deleted', 'purged')),
    suspension_reason text not null default '',
    demo         boolean not null default false,
    plan         text not null default 'free',
    country      text not null,
    currency     text not null,
    cell         text not null references cells (name),
    live_schema  bigint not null unique references schemas (number),
    test_schema  bigint unique references schemas (number),
    revision     bigint not null default 1,    -- grows with every change that shoppers can see
    version      int not null default 1,
    created_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now(),
    suspended_at timestamptz,                  -- kept while deleted, so that restoring restores it too
    deleted_at   timestamptz,
    purge_after  timestamptz
);
-- A purged store gives its address back; a deleted one keeps it through the grace period.
create unique index stores_address on stores (address) where status <> 'purged';
create unique index stores_skeleton on stores (skeleton) where status <> 'purged';
create index stores_status on stores (status, purge_after);
create index stores_cell on stores (cell);

create table roles (
    id          text collate "C" primary key,
    store_id    text collate "C" not null references stores (id) on delete cascade,
    name        text not null,
    description text not null default '',
    permissions text[] not null,
    version     int not null default 1,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);
create unique index roles_name on roles (store_id, lower(name));
create index roles_store on roles (store_id, id);

create table members (
    store_id   text collate "C" not null references stores (id) on delete cascade,
    account_id text collate "C" not null references accounts (id) on delete cascade,
    role       text not null,                  -- a built-in role, or 'custom'
    role_id    text collate "C" references roles (id),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (store_id, account_id),
    check ((role = 'custom') = (role_id is not null))
);
create index members_account on members (account_id);
create index members_role on members (role_id) where role_id is not null;

create table invitations (
    id          text collate "C" primary key,
    store_id    text collate "C" not null references stores (id) on delete cascade,
    email       text not null,
    role        text not null,
    role_id     text collate "C" references roles (id) on delete set null,
    token_hash  bytea not null unique,
    invited_by  jsonb not null,                -- kind, id and label of who did
    expires_at  timestamptz not null,
    accepted_at timestamptz,
    revoked_at  timestamptz,
    created_at  timestamptz not null default now()
);
create unique index invitations_open on invitations (store_id, lower(email)) where accepted_at is null and revoked_at is null;
create index invitations_store on invitations (store_id, id);
create index invitations_role on invitations (role_id) where role_id is not null;

-- API keys. Only a keyed digest of the secret is kept.
create table api_keys (
    id              text collate "C" primary key,
    store_id        text collate "C" not null references stores (id) on delete cascade,
    kind            text not null check (kind in ('secret', 'restricted', 'publishable')),
    mode            text not null check (mode in ('live', 'test')),
    name            text not null,
    prefix          text not null,
    last4           text not null,
    digest          bytea not null unique,
    scopes          text[] not null default '{}',
    allowed_ips     text[] not null default '{}',
    allowed_origins text[] not null default '{}',
    api_version     text not null,
    created_by      jsonb not null,            -- kind, id and label of who did
    rotated_to      text collate "C",
    expires_at      timestamptz,
    expiry_told_at  timestamptz,               -- when its merchant was mailed that it will expire
    revoked_at      timestamptz,
    last_used_at    timestamptz,
    version         int not null default 1,
    created_at      timestamptz not null default now(),
    updated_at      timestamptz not null default now()
);
create index api_keys_store on api_keys (store_id, id);
create index api_keys_expiry on api_keys (expires_at) where expiry_told_at is null and revoked_at is null;

create table operator_keys (
    id           text collate "C" primary key,
    name         text not null,
    role         text not null check (role in ('read', 'support', 'admin')),
    prefix       text not null,
    last4        text not null,
    digest       bytea not null unique,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz,
    created_at   timestamptz not null default now()
);

-- How many requests a store made on a day. Counts are absolute for each process that
-- counted ("generation"), so that writing one down twice counts once.
create table usage_requests (
    store_id   text collate "C" not null,
    day        date not null,
    generation text not null,
    requests   bigint not null,
    primary key (store_id, day, generation)
);

-- Secrets of the platform itself (the key pepper), sealed under the key ring.
create table platform_secrets (
    name   text primary key,
    sealed bytea not null
);

-- What accounts and operators did outside of a store's own data.
create table audit_entries (
    id         text collate "C" primary key,
    at         timestamptz not null default now(),
    actor_kind text not null,
    actor_id   text not null default '',
    actor      text not null default '',
    store_id   text collate "C",
    mode       text not null default 'live' check (mode in ('live', 'test')), -- of the store's sides, which was acted upon
    action     text not null,
    object_id  text not null default '',
    before     jsonb,
    after      jsonb,
    reason     text not null default '',
    request_id text not null default '',
    ip         text not null default '',
    session_id text not null default '',
    user_agent text not null default ''
);
create index audit_entries_store on audit_entries (store_id, id);
create index audit_entries_actor on audit_entries (actor_id, id);

-- What differed in a store's books when they were last compared, and when that was.
create table differences (
    store_id  text collate "C" not null references stores (id) on delete cascade,
    mode      text not null check (mode in ('live', 'test')),
    kind      text not null,
    object_id text collate "C" not null,
    detail    jsonb not null,
    found_at  timestamptz not null,            -- first, and since then each time
    seen_at   timestamptz not null,
    primary key (store_id, mode, kind, object_id)
);
create table reconciliations (
    store_id text collate "C" not null references stores (id) on delete cascade,
    mode     text not null check (mode in ('live', 'test')),
    at       timestamptz not null,
    primary key (store_id, mode)
);

-- Domains of merchants' own. Several stores may claim a name; one at most has proven that it
-- is theirs, and is served there.
create table domains (
    id                  text collate "C" primary key,
    store_id            text collate "C" not null references stores (id) on delete cascade,
    name                text not null,         -- in ASCII and lower case
    state               text not null default 'pending' check (state in ('pending', 'active', 'failing', 'lost')),
    main                boolean not null default false, -- the merchant wants the shop to be at it
    canonical           boolean not null default false, -- and there it is: it is active, and has its certificate
    seen                jsonb,                 -- its records, as they were last found
    checked_at          timestamptz,
    check_at            timestamptz not null,  -- when they are looked up again
    verified_at         timestamptz,           -- since when it is known to be the store's
    failing_since       timestamptz,           -- since when it leads elsewhere
    certify_at          timestamptz,           -- when a certificate is asked for again; null while none is to be
    certifying_until    timestamptz,           -- somebody is at it, at most until then
    certified_until     timestamptz,           -- when the present certificate expires
    certificate_tries   int not null default 0, -- that have failed, one after the other
    certificate_failure text not null default '',
    version             int not null default 1,
    created_at          timestamptz not null default now(),
    updated_at          timestamptz not null default now()
);
create unique index domains_store on domains (store_id, name);
create unique index domains_served on domains (name) where state in ('active', 'failing');
create unique index domains_main on domains (store_id) where main;
create index domains_name on domains (name);
create index domains_due on domains (check_at);

create table certificates (
    domain_id   text collate "C" primary key references domains (id) on delete cascade,
    serial      text not null,
    chain       text not null,                 -- in PEM, the domain's own first
    key_sealed  bytea not null,
    expires_at  timestamptz not null,
    obtained_at timestamptz not null default now()
);

-- Each time that a certificate was asked for, whatever came of it, for as long as it counts
-- against what may be asked for.
create table certificate_orders (
    store_id text collate "C" not null references stores (id) on delete cascade,
    at       timestamptz not null default now()
);
create index certificate_orders_at on certificate_orders (at);

-- Answers to operations without a store, for Idempotency-Key.
create table idempotency (
    scope        bytea primary key,            -- digest of who, key, method and path
    fingerprint  bytea not null,
    state        text not null check (state in ('running', 'done')),
    status       int,
    headers      jsonb,
    body         bytea,
    secret_body  bytea,                        -- sealed; an answer that carries secrets
    secret_until timestamptz,
    lease_until  timestamptz,
    step         jsonb,
    created_at   timestamptz not null default now()
);
create index idempotency_created on idempotency (created_at);

-- Jobs written in the transaction of what they tell of, as in a cell.
create table outbox (
    id         bigint generated always as identity primary key,
    store      text collate "C" not null default '',
    kind       text not null,
    args       jsonb not null,
    request_id text not null default '',
    trace      text not null default '',
    run_at     timestamptz not null default now(),
    created_at timestamptz not null default now()
);
create index outbox_due on outbox (store, run_at, id);

-- Mail that was not sent out: everything in development, sandboxes always.
create table mailbox (
    id         text collate "C" primary key,
    store_id   text collate "C",
    kind       text not null,
    recipient  text not null,
    subject    text not null,
    html       text not null,
    text       text not null,
    created_at timestamptz not null default now()
);
create index mailbox_recipient on mailbox (recipient, id);

-- The role by which Prometheus's exporter asks a database, once a database:
--
--	psql "$STOA_DATABASE_URL" -v password="'…'" -f observability/exporters/postgres.sql
--
-- It sees what the server does (pg_monitor) and of the platform's tables three columns; of a
-- store's nothing.
select 'create role stoa_exporter login' where not exists (select from pg_roles where rolname = 'stoa_exporter') \gexec
alter role stoa_exporter password :password;
grant pg_monitor to stoa_exporter;
select 'grant usage on schema cell to stoa_exporter; grant select (version, error) on cell.schema_versions to stoa_exporter'
where to_regclass('cell.schema_versions') is not null \gexec
select 'grant usage on schema public to stoa_exporter; grant select (expires_at) on public.certificates to stoa_exporter'
where to_regclass('public.certificates') is not null \gexec

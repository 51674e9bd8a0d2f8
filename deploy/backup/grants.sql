-- What the program's role needs beside its own tables, where it is no superuser, so that it
-- can test that restoring works. Run as the superuser, in the control database and each cell:
--
--     psql -d stoa -v role=stoa -f grants.sql
grant execute on function pg_create_restore_point(text) to :role;
grant pg_read_all_stats to :role;

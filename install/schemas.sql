-- ---------- the schema of what is registered ----------

DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) 'event_schema') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'duplicate_schema',
			MESSAGE = 'a schema called event_schema exists already',
			DETAIL = 'Extension event_validate keeps registered schemas as functions in a schema of this name, which it creates itself.',
			HINT = 'Rename or drop the existing schema.';
	END IF;
END
$$;

-- The owner of the database, not of the extension: a database owner who is no
-- superuser can then grant CREATE on it, and restore a dump.
CREATE SCHEMA event_schema AUTHORIZATION pg_database_owner;
GRANT USAGE ON SCHEMA event_schema TO PUBLIC;
COMMENT ON SCHEMA event_schema IS 'event schemas and what belongs to them, as functions';


-- ---------- the schemas ----------

DO $$
DECLARE
	name pg_catalog.text;
BEGIN
	FOREACH name IN ARRAY '{event_schema,_event_validate}'::pg_catalog.text[] LOOP
		IF pg_catalog.to_regnamespace(name) IS NOT NULL THEN
			RAISE EXCEPTION USING
				ERRCODE = 'duplicate_schema',
				MESSAGE = pg_catalog.format('schema "%s" already exists', name),
				DETAIL = 'Extension event_validate creates this schema itself.',
				HINT = 'Rename or drop the existing schema.';
		END IF;
	END LOOP;
END
$$;

-- The owner of the database owns it, not the owner of the extension: a database
-- owner without superuser can then grant CREATE on it, and restore a dump.
CREATE SCHEMA event_schema AUTHORIZATION pg_database_owner;
GRANT USAGE ON SCHEMA event_schema TO PUBLIC;
COMMENT ON SCHEMA event_schema IS 'event schemas and their upcasts and policies, as functions';

-- A superuser owns it, also where a database owner installs the extension, and
-- no other role may create objects in it.
CREATE SCHEMA _event_validate;
GRANT USAGE ON SCHEMA _event_validate TO PUBLIC;
COMMENT ON SCHEMA _event_validate IS 'internal functions of extension event_validate';


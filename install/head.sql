-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION event_validate" to load this file. \quit

-- Functions that users call are created in the extension's schema, internal ones
-- in _event_validate.
--
-- Other roles may create functions, operators and types in the extension's schema
-- and in the caller's search_path, and none of them may match a call here.  So:
-- - A function has "SET search_path = pg_catalog, pg_temp", unless it reads users'
--   expressions, or runs commands that may run users' code.
-- - Such a function names everything with its schema and uses no operators.  It
--   leaves the rest to functions that have a search_path.  The SQL that they write
--   for it names everything with its schema, too.
-- - Functions in the extension's schema are called with all of their arguments, of
--   exactly their types.
-- (test/hostile/test_overloads.py)
--
-- A PL/pgSQL function begins with "hidden CONSTANT boolean := _event_validate.hide_context()",
-- which hides the function in the CONTEXT of its errors.


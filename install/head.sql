/* event_validate--1.0.sql: "make event_validate--1.0.sql" writes it from the files in install */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION event_validate" to load this file. \quit

-- The schema that this is installed in may be one where others create functions,
-- operators and types: for them no call here may be a better match.  So every
-- name has its schema, every operator too, and the extension's own functions are
-- called with exactly their types, all of them.  A body that reads no expression of
-- a user's has a search_path of its own instead, and then only the last rule
-- counts.  (test/hostile/test_overloads.py)


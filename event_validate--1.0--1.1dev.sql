/* event_validate--1.0--1.1dev.sql */

-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION event_validate UPDATE TO '1.1dev'" to load this file. \quit

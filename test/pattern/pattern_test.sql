-- The functions of pattern_test.c, for a session that may load libraries.
CREATE OR REPLACE FUNCTION pattern_test(pattern text, string text) RETURNS boolean
	AS '$libdir/pattern_test' LANGUAGE c IMMUTABLE STRICT;
CREATE OR REPLACE FUNCTION pattern_valid(pattern text) RETURNS boolean
	AS '$libdir/pattern_test' LANGUAGE c IMMUTABLE STRICT;
CREATE OR REPLACE FUNCTION pattern_error(pattern text) RETURNS text
	AS '$libdir/pattern_test' LANGUAGE c IMMUTABLE STRICT;
CREATE OR REPLACE FUNCTION pattern_time(pattern text, string text, loops int,
	OUT compile_us float8, OUT match_ns float8, OUT bytes int8, OUT kind text)
	AS '$libdir/pattern_test' LANGUAGE c VOLATILE STRICT;

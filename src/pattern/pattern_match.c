/*
 * pattern_match.c
 *	  Does a pattern match a string?
 *
 * The scan of an automaton is in this file, beside its only caller, for speed.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "pattern/pattern_internal.h"

#define INTERRUPT_BYTES		(64 * 1024)

static inline int
class_of_code(const EvAutomaton *a, uint32 code)
{
	if (code >= a->block_limit)
		return a->last_class;
	return a->block_classes[((uint32) a->blocks[code >> 8] << 8) + (code & 0xFF)];
}

static pg_attribute_always_inline bool
scan(const EvAutomaton *a, const unsigned char *string, int length,
	 bool backward, bool bytewise)
{
	const uint32 *table = a->table;
	const unsigned char *at = backward ? string + length : string;
	const unsigned char *end = backward ? string : string + length;
	uint32		state = a->start;
	uint32		accept = EV_ACCEPT_ROW(a);

	if (state <= accept)
		return state == accept;

	while (at != end)
	{
		const unsigned char *stop = end;

		if (backward ? at - end > INTERRUPT_BYTES : end - at > INTERRUPT_BYTES)
		{
			CHECK_FOR_INTERRUPTS();
			stop = backward ? at - INTERRUPT_BYTES : at + INTERRUPT_BYTES;
		}

		/* may pass `stop` by the rest of a character, but never the end */
		while (backward ? at > stop : at < stop)
		{
			int			class;

			if (bytewise)
				class = a->byte_class[backward ? *--at : *at++];
			else if (!backward)
			{
				if (likely(*at < 0x80))
					class = a->byte_class[*at++];
				else
				{
					class = class_of_code(a, ev_utf8_decode(at));
					at += ev_utf8_length(*at);
				}
			}
			else
			{
				if (likely(*--at < 0x80))
					class = a->byte_class[*at];
				else
				{
					while ((*at & 0xC0) == 0x80)
						at--;
					class = class_of_code(a, ev_utf8_decode(at));
				}
			}
			state = table[state + class];
			if (state <= accept)
				return state == accept;
		}
	}
	return table[state + a->end_column] == accept;
}


static bool
automaton_matches(const EvAutomaton *a, const unsigned char *string, int length)
{
	if (a->bytewise)
		return a->backward ? scan(a, string, length, true, true) :
			scan(a, string, length, false, true);
	return a->backward ? scan(a, string, length, true, false) :
		scan(a, string, length, false, false);
}

/*
 * Runs the other forms.  Out of line, since the fast path calls shapes and
 * literals directly.
 */
static pg_noinline bool
other_matches(const EvPattern *pattern, const char *string, int length)
{
	if (pattern->shape != NULL)
		return ev_shape_matches(pattern->shape, string, length);
	if (pattern->literals != NULL)
		return ev_literals_match(pattern->literals, string, length);
	if (pattern->later != NULL)
	{
		const EvPattern *tables = ev_later_tables(pattern->later, length);

		return tables != NULL ? ev_pattern_matches(tables, string, length) :
			ev_lazy_matches(ev_later_lazy(pattern->later), string, length);
	}
	if (pattern->lazy != NULL)
		return ev_lazy_matches(pattern->lazy, string, length);
	if (pattern->looks != NULL)
		return ev_looks_match(pattern->looks, string, length);
	return ev_regex_matches(pattern->regex, string, length);
}

bool
ev_pattern_matches(const EvPattern *pattern, const char *string, int length)
{
	for (; pattern != NULL; pattern = pattern->next)
	{
		bool		matches;

		if (pattern->automaton != NULL)
		{
			/*
			 * the strings are short, but a document may have millions of them
			 */
			CHECK_FOR_INTERRUPTS();
			matches = automaton_matches(pattern->automaton,
										(const unsigned char *) string, length);
		}
		else
			matches = other_matches(pattern, string, length);
		if (matches == pattern->negated)
			return false;
	}
	return true;
}

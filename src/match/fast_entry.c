/*
 * fast_entry.c
 *	  The entry functions of the fast path, for callers that need only true
 *	  or false.
 *
 * Checking a small document costs little more than the function call.  So an
 * entry function does as little as possible: while it can decide alone, it
 * sets up no run, calls no other function and reads nothing twice.  It leaves
 * all other cases to other functions with a tail call.
 */
#include "postgres.h"

#include "jsonb/jsonb_number.h"
#include "jsonb/jsonb_value.h"
#include "match/key_cache.h"
#include "match/match_internal.h"
#include "match/remember.h"

/* ---------- constant answers ---------- */

static Datum
match_any(const EvProgram *program pg_attribute_unused(), const JsonbContainer *root pg_attribute_unused())
{
	return BoolGetDatum(true);
}

static Datum
match_none(const EvProgram *program pg_attribute_unused(), const JsonbContainer *root pg_attribute_unused())
{
	return BoolGetDatum(false);
}

/* ---------- any value ---------- */

/*
 * Matches a document that has a valid type, and whose value must be checked.
 */
static pg_noinline Datum
match_value(const EvProgram *program, const JsonbContainer *root)
{
	const EvCheck *check = &program->root;
	EvInstance	in = {.data = (const char *) root};
	EvMatch		m;

	ev_begin_run(&m, program);
	if (JsonContainerIsScalar(root))
	{
		/* a scalar is stored in an array with one element */
		JEntry		entry = root->children[0];

		in = ev_entry_value(entry, (const char *) &root->children[1], 0, ev_entry_end(entry, 0));
	}
	else if (check->kind == EV_CHECK_OBJECT)
		return BoolGetDatum(ev_match_plain_object(&m, check->u.object, root));
	else if (check->kind == EV_CHECK_ARRAY)
		return BoolGetDatum(ev_match_plain_array(&m, check->u.array, root));
	else
		in.type = JsonContainerIsArray(root) ? EV_ARRAY : EV_OBJECT;
	return BoolGetDatum(ev_match_check(&m, check, in));
}

static Datum
match_root(const EvProgram *program, const JsonbContainer *root)
{
	uint32		type = JsonContainerIsObject(root) ? EV_OBJECT :
		JsonContainerIsScalar(root) ? (root->children[0] & JENTRY_TYPEMASK) >> 28 : EV_ARRAY;

	if ((program->root.types & EV_BIT(type)) == 0)
		return BoolGetDatum(false);
	if ((program->root.checked & EV_BIT(type)) == 0)
		return BoolGetDatum(true);
	return match_value(program, root);
}

/* ---------- objects ---------- */

/*
 * Matches the values of an object whose keys are in the cache, without the
 * first `done`.  Checks of scalars that take a few instructions are run here.
 */
static pg_attribute_always_inline Datum
match_known_object(const EvProgram *program, const JsonbContainer *root, const EvKeySet *set,
				   uint32 done, uint32 start)
{
	const EvCheck *check = set->checks + done;
	const EvCheck *end = set->checks + set->checked;
	const JEntry *value = root->children + set->count + done;

	for (; check < end; check++, value++)
	{
		uint32		type = (*value & JENTRY_TYPEMASK) >> 28;
		uint32		value_end = ev_entry_end(*value, start);
		const char *base = (const char *) (root->children + 2 * set->count);

		if (unlikely(JBE_ISCONTAINER(*value)))
		{
			if (check->kind != EV_CHECK_TRUE)
				break;
		}
		else if (unlikely((check->types & EV_BIT(type)) == 0))
			return BoolGetDatum(false);
		else if ((check->checked & EV_BIT(type)) != 0)
		{
			if (check->kind == EV_CHECK_NUMBER)
			{
				int32		number = ev_number_small(base + INTALIGN(start));
				const EvBounds *bounds = check->u.bounds;

				if (unlikely(number < 0))
					break;
				if (bounds != NULL && (number < bounds->low_integer || number > bounds->high_integer))
					return BoolGetDatum(false);
			}
			else if (check->kind == EV_CHECK_WORD)
			{
				if (value_end - start != check->length ||
					ev_tail_word(base + value_end, check->length) != check->u.word)
					return BoolGetDatum(false);
			}
			else
				break;
		}
		start = value_end;
	}
	if (check < end)
		return ev_match_rest(program, root, set, (uint32) (check - set->checks), start);
	return BoolGetDatum(true);
}

static pg_noinline Datum
match_values(const EvProgram *program, const JsonbContainer *root, const EvKeySet *set)
{
	if (!set->is_plain)
		return ev_match_rest(program, root, set, 0, set->length);
	return match_known_object(program, root, set, 0, set->length);
}

static pg_noinline Datum
match_values_from_second(const EvProgram *program, const JsonbContainer *root, const EvKeySet *set)
{
	return match_known_object(program, root, set, 1, set->length + JBE_OFFLENFLD(set->constant_entry));
}

/* Matches an object whose keys are not those of the only set in the cache. */
static pg_noinline Datum
match_other_object(const EvProgram *program, const JsonbContainer *root)
{
	const EvObject *object = program->root.u.object;
	const EvKeySet *set;
	EvMatch		m;

	if (!JsonContainerIsObject(root))
		return match_root(program, root);
	if (JsonContainerSize(root) > object->most_properties)
		return BoolGetDatum(false);
	if (JsonContainerSize(root) == 0)
		return BoolGetDatum(object->min_properties == 0 && object->required_count == 0);
	set = ev_find_keys(object->seen, root);
	if (likely(set != NULL))
		return match_values(program, root, set);
	ev_begin_run(&m, program);
	return BoolGetDatum(ev_match_new_object(&m, object, root, NULL));
}

/*
 * Matches an object.  Most objects have the keys of the only set in the cache.
 */
static Datum
match_object(const EvProgram *program, const JsonbContainer *root)
{
	EvSeenKeys *seen = program->root.u.object->seen;
	const EvKeySet *set = seen->only_short;

	if (unlikely(set == NULL || !ev_has_short_keys(set, root)))
		return match_other_object(program, root);
	if (unlikely(seen->budget < 16 * EV_KEY_BUDGET))
		seen->budget++;
	if (set->has_constant)
	{
		if (root->children[set->count] != set->constant_entry ||
			(ev_word_at(root, set->constant_at) & set->constant_mask) != set->constant)
			return BoolGetDatum(false);
		if (set->checked == 1)
			return BoolGetDatum(true);
		return match_values_from_second(program, root, set);
	}
	return set->checked == 0 ? BoolGetDatum(true) : match_values(program, root, set);
}

/* ---------- programs that remember ---------- */

static Datum
match_remembering(const EvProgram *program, const JsonbContainer *root)
{
	const Jsonb *document = (const Jsonb *) ((const char *) root - offsetof(Jsonb, root));
	EvMemory	memory;
	EvMatch		m;
	bool		ok;

	ev_begin_run(&m, program);
	ev_remember_begin(&memory, program);
	m.memory = &memory;
	ok = ev_match_check(&m, &program->root, ev_root_value(document));
	ev_remember_end(&memory);
	return BoolGetDatum(ok);
}

/* ---------- the choice ---------- */

EvMatchFunction
ev_match_function(const EvProgram *program)
{
	const EvCheck *root = &program->root;

	if (root->types == 0)
		return match_none;
	if (root->types == EV_ALL_TYPES && root->checked == 0)
		return match_any;
	if (program->remembers && root->checked != 0)
		return match_remembering;
	if (root->kind == EV_CHECK_OBJECT && (root->types & EV_BIT(EV_OBJECT)) != 0 && root->u.object->has_key_sets)
		return match_object;
	return match_root;
}

const char *
ev_match_function_name(const EvProgram *program)
{
	EvMatchFunction match = program->match;

	return match == match_none ? "match_none" : match == match_any ? "match_any" :
		match == match_remembering ? "match_remembering" : match == match_object ? "match_object" : "match_root";
}

bool
ev_match_is_constant(const EvProgram *program)
{
	return program->match == match_any || program->match == match_none;
}

bool
ev_match_is_by_type(const EvProgram *program)
{
	return program->match == match_root && program->root.checked == 0;
}

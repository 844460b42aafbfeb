/*
 * interpret.c
 *	  The interpreter: runs a program on the binary form of a jsonb, and can
 *	  say why it does not match.
 *
 * The other engine, the fast matcher (fast_match.c), has derived checks instead
 * of instructions, and only answers true or false.  The two files call each
 * other: a check can be a block to interpret, and an instruction can have an
 * object, an array or a check that the fast matcher runs where no violations are
 * collected.
 *
 * One function body, run(), is compiled for three modes:
 *
 * EV_FAST		returns true, or false at the first violation
 * EV_MARKS	the same, and marks the children of the instance that were
 * 			evaluated, for unevaluatedProperties and unevaluatedItems
 * EV_COLLECT	continues after a violation, and passes each to the collector
 *
 * It relies on the properties of programs (program.h) and of jsonb: keys are
 * sorted by length, then bytes, without duplicates.  The first two modes
 * allocate only for uniqueItems of more than a few items, multipleOf of
 * numbers that do not fit in 64 bits, patterns that need PostgreSQL's engine,
 * and unevaluated keywords for more than a few hundred children; all of these
 * free their memory.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/shown_text.h"
#include "jsonb/jsonb_value.h"
#include "match/marks.h"
#include "match/match_checks.h"
#include "match/branch_explain.h"
#include "match/match_internal.h"
#include "match/remember.h"
#include "match/violations.h"

static bool run_marks(EvMatch *m, uint32 at, EvInstance in, EvMarks *marks);
static bool run_collect(EvMatch *m, uint32 at, EvInstance in, EvMarks *marks, const EvStep *step);
static bool run_remembered(EvMatch *m, uint32 at, EvInstance in, EvMarks *marks, const EvStep *step, EvRunMode mode);

/*
 * In run() and its inlined functions: a violation ends a fast run; in
 * EV_COLLECT mode it is passed on, and the run continues.
 */
#define VIOLATION(...) \
	do { \
		if (mode != EV_COLLECT) \
			return false; \
		ok = false; \
		VIOLATE(__VA_ARGS__); \
	} while (0)

/* ---------- entering blocks ---------- */

/* Makes a step into the block at `at`. */
static inline EvStep
step_into(const EvMatch *m, uint32 at, const EvStep *parent, EvStepKind kind, const char *path)
{
	EvStep		step = {0};
	const EvProgram *program = m->program;

	step.parent = parent;
	step.kind = kind;
	step.location = program->blocks[program->sources[at].block].location;
	step.path = path != NULL ? path : step.location->tail;
	return step;
}

/*
 * Enters a block with another value, whose evaluated children do not matter
 * here.
 */
static pg_attribute_always_inline bool
enter_child(EvMatch *m, uint32 at, EvInstance value, const EvStep *parent,
			EvStepKind kind, EvString key, uint32 index, const EvRunMode mode)
{
	EvStep		step;

	if (at >= EV_BLOCK_TRUE)
		return true;
	if (mode != EV_COLLECT)
		return ev_run_block(m, at, value);
	step = step_into(m, at, parent, kind, NULL);
	step.key = key;
	step.index = index;
	return run_collect(m, at, value, NULL, &step);
}

/*
 * May an element of an object or array be skipped, since it is valid?  Only single
 * values are looked at, so that nothing is matched twice again and again.
 */
static pg_attribute_always_inline bool
is_skipped(EvMatch *m, const EvCheck *check, EvInstance value, const EvRunMode mode)
{
	return mode == EV_COLLECT && m->collector->skips_valid && value.type < EV_OBJECT && ev_match_check(m, check, value);
}

/*
 * Enters a block with the same value.  If path is NULL, the path is the
 * block's own.
 */
static pg_attribute_always_inline bool
enter_in_place(EvMatch *m, uint32 at, EvInstance in, EvMarks *marks, const EvStep *parent,
			   const char *path, const EvRunMode mode)
{
	EvStep		step;

	if (at >= EV_BLOCK_TRUE)
		return true;
	if (mode == EV_FAST)
		return ev_run_block(m, at, in);
	if (mode == EV_MARKS)
		return run_marks(m, at, in, marks);
	step = step_into(m, at, parent, EV_STEP_IN_PLACE, path);
	return run_collect(m, at, in, marks, &step);
}

/*
 * Runs a branch.  Keeps its marks only if the branch matches, since
 * annotations of failed subschemas are dropped (2020-12 core, 7.7.1.2).  A
 * report also collects the violations of a branch.
 */
static pg_attribute_always_inline bool
try_branch(EvMatch *m, uint32 at, EvInstance in, EvMarks *marks, const EvStep *step, const EvRunMode mode)
{
	bool		reports = mode == EV_COLLECT && m->collector->enter != NULL;
	uint64		few[8];
	uint64	   *saved = few;
	bool		ok;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (at >= EV_BLOCK_TRUE)
		return true;
	if (mode == EV_FAST || marks == NULL)
		return reports ? enter_in_place(m, at, in, NULL, step, NULL, EV_COLLECT) : ev_run_block(m, at, in);

	if (marks->words > lengthof(few))
		saved = palloc(marks->words * sizeof(uint64));
	memcpy(saved, marks->bits, marks->words * sizeof(uint64));
	ok = reports ? enter_in_place(m, at, in, marks, step, NULL, EV_COLLECT) : run_marks(m, at, in, marks);
	if (!ok)
		memcpy(marks->bits, saved, marks->words * sizeof(uint64));
	if (saved != few)
		pfree(saved);
	return ok;
}

/*
 * Tells a report that the keyword holds, although some of its branches do not
 * match.
 */
static void
forgive(EvMatch *m, const char *keyword)
{
	if (m->collector->forgive != NULL)
		m->collector->forgive(m->collector, keyword);
}

/*
 * TRACK: the rest of the block gets marks of its own.  If it matches, its
 * evaluated children count for the outer schema too.
 */
static bool
run_tracked(EvMatch *m, uint32 at, EvInstance in, EvMarks *outer, const EvStep *step, EvRunMode mode)
{
	uint64		few[8] = {0};
	EvMarks		marks = {few, 0, false};
	bool		ok;

	if (in.type == EV_OBJECT || in.type == EV_ARRAY)
	{
		uint32		count = JsonContainerSize((const JsonbContainer *) in.data);

		marks.words = (count + 63) / 64;
		if (marks.words > lengthof(few))
			marks.bits = palloc0(marks.words * sizeof(uint64));
	}
	ok = mode == EV_COLLECT ? run_collect(m, at, in, &marks, step) : run_marks(m, at, in, &marks);
	if (ok && outer != NULL)
		for (uint32 i = 0; i < marks.words; i++)
			outer->bits[i] |= marks.bits[i];
	if (marks.bits != few)
		pfree(marks.bits);
	return ok;
}

/*
 * TRACK on the fast path, for objects.  Most evaluated properties are known at
 * compile time.  Those that a branch evaluates depend on whether it matches.  The
 * branches are run only if the object has a property that no other schema names.
 */
static bool
match_tracked(EvMatch *m, const EvTracked *tracked, uint32 at, EvInstance in)
{
	EvPendingProperties pending;
	uint64		matched = 0;
	EvMarks		marks = {&matched, 1, true};
	bool		ok;

	if (tracked->object == NULL)
		return run_tracked(m, at + 1, in, NULL, NULL, EV_FAST);
	pending.count = 0;
	pending.room = EV_FEW_PENDING;
	pending.pending = pending.few;
	ok = ev_match_object_with_pending(m, tracked->object, (const JsonbContainer *) in.data, &pending);
	if (ok && pending.count == 0)
		return tracked->rest >= EV_BLOCK_TRUE || ev_run_block(m, tracked->rest, in);
	if (ok && tracked->rest < EV_BLOCK_TRUE)
		ok = run_marks(m, tracked->rest, in, &marks);
	for (uint32 i = 0; ok && i < pending.count; i++)
		ok = (pending.pending[i].sources & matched) != 0 ||
			ev_match_check(m, &tracked->unevaluated, pending.pending[i].value);
	if (pending.pending != pending.few)
		pfree(pending.pending);
	return ok;
}

/* ---------- objects ---------- */

static pg_attribute_always_inline bool
match_object(EvMatch *m, const EvObject *object, EvInstance in, EvMarks *marks, const EvStep *step, const EvRunMode mode)
{
	const JsonbContainer *container = (const JsonbContainer *) in.data;
	uint32		count = JsonContainerSize(container);
	const JEntry *keys = container->children;
	const JEntry *values = container->children + count;
	const char *base = (const char *) (values + count);
	uint32		key_start = 0;
	uint32		value_start;
	uint32		next = 0;
	uint32		required = 0;
	bool		ok = true;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (count < object->min_properties)
		VIOLATION(FACTS(.expected = ev_fact_count(object->min_properties), .actual = &in), "minProperties", "/minProperties", "must have at least %u propert%s, but has %u",
				  object->min_properties, object->min_properties == 1 ? "y" : "ies", count);
	if (count > object->max_properties)
		VIOLATION(FACTS(.expected = ev_fact_count(object->max_properties), .actual = &in), "maxProperties", "/maxProperties", "must have at most %u propert%s, but has %u",
				  object->max_properties, object->max_properties == 1 ? "y" : "ies", count);

	value_start = count > 0 ? getJsonbOffset(container, count) : 0;
	for (uint32 i = 0; i < count; i++)
	{
		uint32		key_end = ev_entry_end(keys[i], key_start);
		uint32		value_end = ev_entry_end(values[i], value_start);
		EvString	key = {base + key_start, key_end - key_start};
		EvInstance	value = ev_entry_value(values[i], base, value_start, value_end);
		uint64		word = object->pattern_count > 0 ? ev_word(key.data, key.length) : 0;
		bool		evaluated = false;
		bool		found;

		CHECK_FOR_INTERRUPTS();
		key_start = key_end;
		value_start = value_end;

		next = ev_seek_property(object, next, key, &found);
		if (found)
		{
			const EvProperty *property = &object->properties[next++];

			required += property->required;
			if (property->block != EV_BLOCK_NONE)
			{
				evaluated = true;
				if (!is_skipped(m, &property->check, value, mode) && !enter_child(m, property->block, value, step, EV_STEP_PROPERTY, key, 0, mode))
				{
					if (mode != EV_COLLECT)
						return false;
					ok = false;
				}
			}
		}
		for (uint32 j = 0; j < object->pattern_count; j++)
		{
			if ((word & object->patterns[j].prefix_mask) != object->patterns[j].prefix ||
				!ev_matches_pattern(object->patterns[j].pattern, key.data, key.length))
				continue;
			evaluated = true;
			if (!enter_child(m, object->patterns[j].block, value, step, EV_STEP_PROPERTY, key, 0, mode))
			{
				if (mode != EV_COLLECT)
					return false;
				ok = false;
			}
		}
		if (!evaluated && object->additional != EV_BLOCK_NONE)
		{
			evaluated = true;
			if (!enter_child(m, object->additional, value, step, EV_STEP_PROPERTY, key, 0, mode))
			{
				if (mode != EV_COLLECT)
					return false;
				ok = false;
			}
		}
		if (object->names != EV_BLOCK_NONE)
		{
			EvInstance	name = {.type = EV_STRING, .length = key.length, .data = key.data};

			if (!enter_child(m, object->names, name, step, EV_STEP_NAME, key, 0, mode))
			{
				if (mode != EV_COLLECT)
					return false;
				ok = false;
			}
		}
		if (mode != EV_FAST && evaluated && marks != NULL)
			ev_mark(marks, i);
	}

	if (required < object->required_count)
	{
		if (mode != EV_COLLECT)
			return false;
		ok = false;
		ev_report_missing(m, container, object, step);
	}
	return ok;
}

/* Applies the block to the children that were not evaluated. */
static pg_attribute_always_inline bool
match_unevaluated(EvMatch *m, uint32 at, EvInstance in, EvMarks *marks, const EvStep *step, const EvRunMode mode)
{
	const JsonbContainer *container = (const JsonbContainer *) in.data;
	uint32		count = JsonContainerSize(container);
	bool		is_object = in.type == EV_OBJECT;
	const JEntry *values = container->children + (is_object ? count : 0);
	const char *base = (const char *) (values + count);
	uint32		key_start = 0;
	uint32		value_start = is_object && count > 0 ? getJsonbOffset(container, count) : 0;
	bool		ok = true;

	for (uint32 i = 0; i < count; i++)
	{
		uint32		key_end = is_object ? ev_entry_end(container->children[i], key_start) : 0;
		uint32		value_end = ev_entry_end(values[i], value_start);
		EvString	key = {base + key_start, key_end - key_start};
		EvInstance	value = ev_entry_value(values[i], base, value_start, value_end);

		CHECK_FOR_INTERRUPTS();
		key_start = key_end;
		value_start = value_end;
		if (ev_is_marked(marks, i))
			continue;
		if (!enter_child(m, at, value, step, is_object ? EV_STEP_PROPERTY : EV_STEP_ITEM, key, i, mode))
		{
			if (mode != EV_COLLECT)
				return false;
			ok = false;
		}
	}
	ev_mark_all(marks, count);
	return ok;
}

/* ---------- arrays ---------- */

static pg_attribute_always_inline bool
match_array(EvMatch *m, const EvArray *array, EvInstance in, EvMarks *marks, const EvStep *step, const EvRunMode mode)
{
	const JsonbContainer *container = (const JsonbContainer *) in.data;
	uint32		count = JsonContainerSize(container);
	const char *base = (const char *) &container->children[count];
	uint32		start = 0;
	uint32		contained = 0;
	bool		ok = true;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (count < array->min_items)
		VIOLATION(FACTS(.expected = ev_fact_count(array->min_items), .actual = &in), "minItems", "/minItems", "must have at least %u item%s, but has %u",
				  array->min_items, ev_plural(array->min_items), count);
	if (count > array->max_items)
		VIOLATION(FACTS(.expected = ev_fact_count(array->max_items), .actual = &in), "maxItems", "/maxItems", "must have at most %u item%s, but has %u",
				  array->max_items, ev_plural(array->max_items), count);

	if (array->prefix_count > 0 || array->items < EV_BLOCK_TRUE || array->contains != EV_BLOCK_NONE)
		for (uint32 i = 0; i < count; i++)
		{
			uint32		end = ev_entry_end(container->children[i], start);
			EvInstance	item = ev_entry_value(container->children[i], base, start, end);
			bool		is_first = i < array->prefix_count;
			uint32		block = is_first ? array->prefix[i] : array->items;

			CHECK_FOR_INTERRUPTS();
			start = end;
			if (block < EV_BLOCK_TRUE && !is_skipped(m, is_first ? &array->prefix_checks[i] : &array->items_check, item, mode) &&
				!enter_child(m, block, item, step, EV_STEP_ITEM, (EvString) {0}, i, mode))
			{
				if (mode != EV_COLLECT)
					return false;
				ok = false;
			}
			if (array->contains != EV_BLOCK_NONE &&
				(array->contains == EV_BLOCK_TRUE || ev_run_block(m, array->contains, item)))
			{
				contained++;
				if (mode != EV_FAST && marks != NULL && array->contains_evaluates)
					ev_mark(marks, i);
			}
		}

	if (mode != EV_FAST && marks != NULL)
		ev_mark_all(marks, array->items != EV_BLOCK_NONE ? count : Min(count, array->prefix_count));

	if (array->contains != EV_BLOCK_NONE)
	{
		if (contained < array->min_contains)
			VIOLATION(FACTS(.expected = ev_fact_count(array->min_contains), .actual = &in),
					  array->min_contains == 1 ? "contains" : "minContains",
					  array->min_contains == 1 ? "/contains" : "/minContains",
					  "must have at least %u item%s that match%s \"contains\", but has %u",
					  array->min_contains, ev_plural(array->min_contains),
					  array->min_contains == 1 ? "es" : "", contained);
		if (contained > array->max_contains)
			VIOLATION(FACTS(.expected = ev_fact_count(array->max_contains), .actual = &in), "maxContains", "/maxContains",
					  "must have at most %u item%s that match%s \"contains\", but has %u",
					  array->max_contains, ev_plural(array->max_contains),
					  array->max_contains == 1 ? "es" : "", contained);
	}
	if (array->unique_items && count > 1)
	{
		uint32		first;
		uint32		second;

		if (ev_find_duplicate(container, &first, &second))
		{
			EvInstance	item = ev_item_at(container, first);

			VIOLATION(FACTS(.actual = &in), "uniqueItems", "/uniqueItems", "items must be unique, but items %u and %u are equal (%s)",
					  first, second, ev_value_show(&item));
		}
	}
	return ok;
}

/* ---------- anyOf, oneOf ---------- */

/* Runs a branch for another collector. */
static void
collect_branch(EvMatch *m, EvCollector *collector, uint32 block, EvInstance in, const EvStep *step)
{
	EvCollector *outer = m->collector;

	m->collector = collector;
	enter_in_place(m, block, in, NULL, step, NULL, EV_COLLECT);
	m->collector = outer;
}

/*
 * Reports a value that matches no branch.  If a branch is chosen, its violations are
 * reported.  Otherwise the keyword is reported, with the violations of each branch.
 */
static void
report_branches(EvMatch *m, const EvSource *source, const EvBranches *branches, EvInstance in, EvMarks *marks, const EvStep *step)
{
	bool		is_any = strcmp(source->keyword, "anyOf") == 0;
	EvTag		tag;
	int			meant = m->collector->enter != NULL ? EV_ANY_BRANCH : ev_choose_branch(m, branches, in, &tag);

	if (meant == EV_NO_BRANCH)
		ev_report_tag(m, source, &tag, step);
	else if (meant != EV_ANY_BRANCH)
		(void) enter_in_place(m, branches->blocks[meant], in, marks, step, NULL, EV_COLLECT);
	else
		VIOLATE(FACTS(.actual = &in), source->keyword, source->path, "must match %s one of %u schema%s, but matches none%s",
				is_any ? "at least" : "exactly", branches->count, ev_plural(branches->count),
				ev_explain_branches(m, branches, in, step, collect_branch));
}

/*
 * anyOf and oneOf.  If only one branch can match, its violations are reported.
 */
static pg_attribute_always_inline bool
match_branches(EvMatch *m, const EvInstruction *instruction, const EvSource *source, EvInstance in, EvMarks *marks, const EvStep *step, const EvRunMode mode)
{
	const EvBranches *branches = instruction->u.branches;
	const uint32 *blocks = branches->blocks;
	bool		is_any = instruction->opcode == EVOP_ANY_OF;
	bool		reports = mode == EV_COLLECT && m->collector->enter != NULL;
	int			only = reports ? EV_ANY_BRANCH : ev_only_branch(branches, in);
	uint32		matched = 0;
	uint32		first = 0;
	bool		ok = true;

	if (only == EV_NO_BRANCH)
	{
		if (mode == EV_COLLECT)
			ev_report_no_branch(m, source, branches, in, step);
		return false;
	}
	if (only != EV_ANY_BRANCH)
		return enter_in_place(m, blocks[only], in, marks, step, NULL, mode);

	for (uint32 i = 0; i < branches->count; i++)
	{
		if (!reports && (branches->types[i] & EV_BIT(in.type)) == 0)
			continue;
		if (!try_branch(m, blocks[i], in, marks, step, mode))
			continue;
		if (matched++ == 0)
			first = i;
		else if (!is_any)
		{
			VIOLATION(FACTS(.actual = &in), source->keyword, source->path,
					  "must match exactly one of %u schemas, but matches schemas %u and %u",
					  branches->count, first, i);
			break;
		}

		/*
		 * with marks, all branches are run; otherwise the first match decides
		 */
		if (is_any && marks == NULL && !reports)
			break;
	}
	if (matched > 0 && mode == EV_COLLECT)
		forgive(m, source->keyword);
	if (matched == 0)
	{
		if (mode == EV_COLLECT)
			report_branches(m, source, branches, in, marks, step);
		return false;
	}
	return ok;
}

/* ---------- the interpreter ---------- */

static pg_attribute_always_inline bool
run(EvMatch *m, uint32 at, EvInstance in, EvMarks *marks, const EvStep *step, const EvRunMode mode)
{
	const EvProgram *program = m->program;
	const EvInstruction *code = program->code;
	bool		ok = true;

	for (;; at++)
	{
		const EvInstruction *instruction = &code[at];
		const EvSource *source = &program->sources[at];

		switch ((EvOpcode) instruction->opcode)
		{
			case EVOP_RETURN:
				return ok;

			case EVOP_FAIL:
				if (mode == EV_COLLECT)
					ev_report_false(m, source, in, step);
				return false;

			case EVOP_TYPE:
				if ((instruction->u.type.types & EV_BIT(in.type)) == 0 ||
					(instruction->u.type.integer && in.type == EV_NUMBER &&
					 !ev_number_is_integer((Numeric) in.data)))
				{
					bool		right_section = (instruction->u.type.types & EV_BIT(in.type)) != 0;

					VIOLATION(FACTS(.expected = ev_fact_types(instruction->u.type.types, instruction->u.type.integer), .actual = &in),
							  source->keyword, source->path, "must be %s, but is %s",
							  ev_show_types(instruction->u.type.types, instruction->u.type.integer), ev_show_typed(&in));
					if (!right_section)
						at = instruction->target - 1;
				}
				break;

			case EVOP_SKIP_UNLESS:
				if ((instruction->u.type.types & EV_BIT(in.type)) == 0)
					at = instruction->target - 1;
				break;

			case EVOP_ENUM:
			case EVOP_ENUM_STRINGS:
				{
					const EvEnum *enumeration = instruction->u.enumeration;

					if (instruction->opcode == EVOP_ENUM ? ev_in_values(enumeration, &in) :
						(in.type == EV_STRING && ev_in_strings(enumeration, in.data, in.length)))
						break;
					if (enumeration->count == 0)
						VIOLATION(FACTS(.actual = &in), source->keyword, source->path, "no value is allowed: \"enum\" is empty");
					else
						VIOLATION(FACTS(.expected = ev_fact_enum(enumeration), .actual = &in), source->keyword, source->path,
								  "must be %s, but is %s",
								  ev_show_values(enumeration), ev_value_show(&in));
					break;
				}

			case EVOP_LENGTH:
				if (!ev_has_length(in.data, in.length, instruction->u.size.minimum, instruction->u.size.maximum))
				{
					uint32		length = mode == EV_COLLECT ? ev_text_length(in.data, in.length) : 0;
					bool		is_short = length < instruction->u.size.minimum;
					uint32		limit = is_short ? instruction->u.size.minimum : instruction->u.size.maximum;

					VIOLATION(FACTS(.expected = ev_fact_count(limit), .actual = &in), is_short ? "minLength" : "maxLength", is_short ? "/minLength" : "/maxLength",
							  "must have at %s %u character%s, but has %u: %s", is_short ? "least" : "most",
							  limit, ev_plural(limit), length, ev_value_show(&in));
				}
				break;

			case EVOP_PATTERN:
				if (mode != EV_COLLECT && instruction->u.pattern.shape != NULL ?
					!ev_shape_matches(instruction->u.pattern.shape, in.data, in.length) :
					!ev_matches_pattern(instruction->u.pattern.compiled, in.data, in.length))
					VIOLATION(FACTS(.expected = ev_fact_string(instruction->u.pattern.source, strlen(instruction->u.pattern.source)), .actual = &in),
							  source->keyword, source->path, "must match the pattern %s, but is %s",
							  ev_show_pattern(instruction->u.pattern.source), ev_value_show(&in));
				break;

			case EVOP_FORMAT:
				if (!ev_matches_format(instruction->u.format->matches, in.data, in.length))
					VIOLATION(FACTS(.expected = ev_fact_string(instruction->u.format->name, strlen(instruction->u.format->name)), .actual = &in),
							  source->keyword, source->path, "must be %s (format \"%s\"), but is %s",
							  instruction->u.format->description, instruction->u.format->name, ev_value_show(&in));
				break;

			case EVOP_CONTENT:
				if (!ev_matches_content(&in, instruction->u.content.base64, instruction->u.content.json))
					VIOLATION(FACTS(.actual = &in), source->keyword, source->path, "must be %s%s%s, but is %s",
							  instruction->u.content.base64 ? "base64" : "",
							  instruction->u.content.base64 && instruction->u.content.json ? " of " : "",
							  instruction->u.content.json ? "a JSON document" : "", ev_value_show(&in));
				break;

			case EVOP_BOUND:
				if (!ev_within_bound(&in, instruction->u.bound.value, instruction->u.bound.kind))
				{
					static const char *const signs[] = {
						[EV_MINIMUM] = ">=",
						[EV_EXCLUSIVE_MINIMUM] = ">",
						[EV_MAXIMUM] = "<=",
						[EV_EXCLUSIVE_MAXIMUM] = "<",
					};

					VIOLATION(FACTS(.expected = ev_fact_number(instruction->u.bound.value), .actual = &in), source->keyword, source->path,
							  "must be %s %s, but is %s",
							  signs[instruction->u.bound.kind], ev_show_number(instruction->u.bound.value),
							  ev_value_show(&in));
				}
				break;

			case EVOP_MULTIPLE_OF:
				if (!ev_number_is_multiple((Numeric) in.data, instruction->u.bound.value))
					VIOLATION(FACTS(.expected = ev_fact_number(instruction->u.bound.value), .actual = &in), source->keyword, source->path,
							  "must be a multiple of %s, but is %s",
							  ev_show_number(instruction->u.bound.value), ev_value_show(&in));
				break;

			case EVOP_OBJECT:
				if (mode == EV_FAST || (mode == EV_MARKS && marks->by_source))
				{
					const EvObject *object = instruction->u.object;

					if (!ev_match_plain_object(m, object, (const JsonbContainer *) in.data))
						return false;
					if (mode == EV_MARKS && object->source != EV_NO_SOURCE)
						*marks->bits |= UINT64CONST(1) << object->source;
					break;
				}
				if (!match_object(m, instruction->u.object, in, marks, step, mode))
				{
					if (mode != EV_COLLECT)
						return false;
					ok = false;
				}
				break;

			case EVOP_DEPENDENT_REQUIRED:
				{
					const EvDependency *dependency = instruction->u.dependency;
					const JsonbContainer *container = (const JsonbContainer *) in.data;

					if (!ev_has_key(container, dependency->property))
						break;
					for (uint32 i = 0; i < dependency->required_count; i++)
					{
						EvString	name = dependency->required[i];

						if (!ev_has_key(container, name))
							VIOLATION(FACTS(.property = name), source->keyword, source->path, "property %s is required where %s is present, but is missing",
									  ev_string_show(name.data, name.length),
									  ev_string_show(dependency->property.data, dependency->property.length));
					}
					break;
				}

			case EVOP_DEPENDENT_SCHEMA:
				if (!ev_has_key((const JsonbContainer *) in.data, instruction->u.dependency->property))
					break;
				if (!enter_in_place(m, instruction->target, in, marks, step, NULL, mode))
				{
					if (mode != EV_COLLECT)
						return false;
					ok = false;
				}
				break;

			case EVOP_ARRAY:
				if (mode == EV_FAST || (mode == EV_MARKS && marks->by_source))
				{
					if (!ev_match_plain_array(m, instruction->u.array, (const JsonbContainer *) in.data))
						return false;
					break;
				}
				if (!match_array(m, instruction->u.array, in, marks, step, mode))
				{
					if (mode != EV_COLLECT)
						return false;
					ok = false;
				}
				break;

			case EVOP_CALL:
				check_stack_depth();
				if (!enter_in_place(m, instruction->target, in, marks, step, NULL, mode))
				{
					if (mode != EV_COLLECT)
						return false;
					ok = false;
				}
				break;

			case EVOP_CALL_REF:
			case EVOP_CALL_DYNAMIC:
				{
					uint32		target = instruction->opcode == EVOP_CALL_REF ? instruction->target :
						ev_dynamic_target(m, instruction->u.dynamic);

					check_stack_depth();

					CHECK_FOR_INTERRUPTS();
					if (!enter_in_place(m, target, in, marks, step, source->path, mode))
					{
						if (mode != EV_COLLECT)
							return false;
						ok = false;
					}
					break;
				}

			case EVOP_REMEMBER:
				return run_remembered(m, at, in, marks, step, mode);

			case EVOP_SCOPE:
				{
					EvDynamicScope scope = {m->scope, instruction->u.resource, 0};

					if (ev_is_in_scope(m->scope, scope.resource))
						break;
					if (program->remembers)
						scope.state = ev_scope_state(m->memory, m->scope, scope.resource);
					m->scope = &scope;
					ok = mode == EV_FAST ? ev_run_block(m, at + 1, in) :
						mode == EV_MARKS ? run_marks(m, at + 1, in, marks) :
						run_collect(m, at + 1, in, marks, step);
					m->scope = scope.outer;
					return ok;
				}

			case EVOP_ANY_OF:
			case EVOP_ONE_OF:
				if (!match_branches(m, instruction, source, in, marks, step, mode))
				{
					if (mode != EV_COLLECT)
						return false;
					ok = false;
				}
				break;

			case EVOP_NOT:
				check_stack_depth();
				if (instruction->target >= EV_BLOCK_TRUE || ev_run_block(m, instruction->target, in))
					VIOLATION(FACTS(.actual = &in), source->keyword, source->path, "must not match the schema in \"not\", but does: %s",
							  ev_value_show(&in));
				break;

			case EVOP_IF:
				{
					bool		holds = try_branch(m, instruction->u.condition.if_block, in,
												   marks, step, mode);

					if (mode == EV_COLLECT)
						forgive(m, "if");
					if (!enter_in_place(m, holds ? instruction->u.condition.then_block :
										instruction->u.condition.else_block,
										in, marks, step, NULL, mode))
					{
						if (mode != EV_COLLECT)
							return false;
						ok = false;
					}
					break;
				}

			case EVOP_ANNOTATE:
				if (mode == EV_COLLECT && m->collector->annotate != NULL)
					m->collector->annotate(m->collector, source->keyword, instruction->u.annotation);
				break;

			case EVOP_TRACK:
				if (mode == EV_FAST || (mode == EV_MARKS && marks->by_source))
				{
					const EvTracked *tracked = instruction->u.tracked;

					if (tracked != NULL && (tracked->types & EV_BIT(in.type)) == 0)
						return false;
					if (tracked != NULL && in.type == EV_OBJECT)
						return match_tracked(m, tracked, at, in);
					if (tracked != NULL && in.type == EV_ARRAY && tracked->array != NULL)
						return ev_match_plain_array(m, tracked->array, (const JsonbContainer *) in.data);
					return run_tracked(m, at + 1, in, NULL, step, EV_FAST);
				}
				return run_tracked(m, at + 1, in, mode == EV_FAST ? NULL : marks, step, mode);

			case EVOP_UNEVALUATED_PROPERTIES:
			case EVOP_UNEVALUATED_ITEMS:
				if (mode == EV_FAST ||
					in.type != (instruction->opcode == EVOP_UNEVALUATED_PROPERTIES ? EV_OBJECT : EV_ARRAY))
					break;
				if (!match_unevaluated(m, instruction->target, in, marks, step, mode))
				{
					if (mode != EV_COLLECT)
						return false;
					ok = false;
				}
				break;
		}
	}
}

bool
ev_run_block(EvMatch *m, uint32 at, EvInstance in)
{
	return run(m, at, in, NULL, NULL, EV_FAST);
}

static bool
run_marks(EvMatch *m, uint32 at, EvInstance in, EvMarks *marks)
{
	return run(m, at, in, marks, NULL, EV_MARKS);
}

static bool
run_collect(EvMatch *m, uint32 at, EvInstance in, EvMarks *marks, const EvStep *step)
{
	EvCollector *collector = m->collector;
	StringInfoData instance_location;
	StringInfoData keyword_location;
	bool		ok;

	/* TRACK and SCOPE continue a block, which enter() already has */
	if (collector->enter == NULL ||
		at != m->program->blocks[m->program->sources[at].block].start)
		return run(m, at, in, marks, step, EV_COLLECT);

	initStringInfo(&instance_location);
	ev_append_instance_location(&instance_location, step);
	initStringInfo(&keyword_location);
	ev_append_keyword_location(&keyword_location, step);
	collector->enter(collector, instance_location.data, keyword_location.data, step->location);
	pfree(instance_location.data);
	pfree(keyword_location.data);
	ok = run(m, at, in, marks, step, EV_COLLECT);
	collector->leave(collector, ok);
	return ok;
}

/* ---------- remembered answers ---------- */

/*
 * REMEMBER: runs a block unless its answer is known.  The block gets marks of
 * its own, so that the marks that it sets are known.  A report shows each
 * application, and raises an error if it becomes too large.
 */
static bool
run_remembered(EvMatch *m, uint32 at, EvInstance in, EvMarks *marks, const EvStep *step, EvRunMode mode)
{
	const EvInstruction *instruction = &m->program->code[at];
	EvAnswer	answer = {.question = ev_make_question(m, at, in, marks, mode)};
	const EvAnswer *known;
	uint64		few[8] = {0};
	EvMarks		own = {few, 0, false};

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (mode == EV_COLLECT && m->collector->enter != NULL)
		return run_collect(m, instruction->target, in, marks, step);
	known = ev_remembered(m->memory, &answer.question);
	if (known != NULL && (mode != EV_COLLECT || known->valid || ev_only_counts(m)))
		return ev_recall(m, known, marks, mode);

	if (marks != NULL)
	{
		own.words = marks->words;
		own.by_source = marks->by_source;
		if (own.words > lengthof(few))
			own.bits = palloc0(own.words * sizeof(uint64));
	}
	if (mode == EV_COLLECT)
	{
		int64		before = m->collector->count;
		bool		again = known != NULL;

		m->memory->again += again;
		answer.valid = run_collect(m, instruction->target, in, marks != NULL ? &own : NULL, step);
		answer.count = m->collector->count - before;
		m->collector->count = before;
		m->memory->again -= again;
	}
	else if (mode == EV_MARKS)
		answer.valid = run_marks(m, instruction->target, in, &own);
	else
		answer.valid = ev_match_check(m, instruction->u.check, in);

	if (own.by_source)
		answer.sources = few[0];
	else if (own.words > 0)
	{
		answer.marks = own.bits;
		answer.words = own.words;
	}
	ev_remember(m->memory, &answer);
	ev_recall(m, &answer, marks, mode);
	if (own.bits != few)
		pfree(own.bits);
	return answer.valid;
}

bool
ev_match_collect(const EvProgram *program, const Jsonb *document, EvCollector *collector)
{
	EvMatch		m = {.program = program, .collector = collector, .top = collector};
	EvStep		root = {.path = "",.location = program->blocks[0].location};
	EvMemory	memory;
	bool		ok;

	if (program->remembers)
	{
		ev_remember_begin(&memory, program);
		m.memory = &memory;
	}
	m.is_utf8 = program->is_utf8;
	/* its first block is kept and has room for the texts of a violation */
	m.context = AllocSetContextCreate(CurrentMemoryContext, "event_validate violations",
									  ALLOCSET_DEFAULT_SIZES);
	ok = run_collect(&m, 0, ev_root_value(document), NULL, &root);
	MemoryContextDelete(m.context);
	if (program->remembers)
		ev_remember_end(&memory);
	return ok;
}

/*
 * interpret.c
 *	  Runs a program on the binary form of a jsonb.
 *
 * One body, run(), serves three ways of running, which are compiled apart:
 *
 *	FAST		yes or no, at once
 *	MARKS		the same, noting which children of the instance were evaluated,
 *				for unevaluatedProperties and unevaluatedItems
 *	COLLECT		goes on after a violation and hands each to the collector
 *
 * It relies on program.h's promises and on a jsonb's: keys sorted by length,
 * then bytes, each once.  On the fast way nothing is allocated but by
 * uniqueItems of more than a few items, multipleOf of numbers that 64 bits
 * cannot hold, patterns that need PostgreSQL's engine, and unevaluated
 * keywords over more than a few hundred children; each frees it.
 */
#include "postgres.h"

#include "common/jsonapi.h"
#include "common/pg_prng.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/encoding.h"
#include "base/short_string.h"
#include "jsonb/jsonb_number.h"
#include "jsonb/jsonb_value.h"
#include "match/match_internal.h"
#include "match/remember.h"

typedef enum RunMode
{
	FAST,
	MARKS,
	COLLECT
} RunMode;

/* Which children of an instance were evaluated: a bit for each. */
typedef struct Marks
{
	uint64	   *bits;
	uint32		words;
	bool		by_source;		/* the bits are those of EvObject.source,
								 * whose properties count as evaluated */
} Marks;

/*
 * How the schema and the instance were come by, for locations: one step for
 * each block that is entered.  COLLECT only.
 */
typedef enum StepKind
{
	STEP_IN_PLACE,				/* the same instance */
	STEP_PROPERTY,				/* the value of a key */
	STEP_ITEM,
	STEP_NAME					/* the key itself, for propertyNames */
} StepKind;

typedef struct Step
{
	const struct Step *parent;
	StepKind	kind;
	EvString	key;
	uint32		index;
	const char *path;			/* JSON Pointer from the schema before */
	const EvLocation *place;	/* of the schema entered */
} Step;

static bool run_marks(EvMatch *m, uint32 at, EvInstance in, Marks *marks);
static bool run_collect(EvMatch *m, uint32 at, EvInstance in, Marks *marks, const Step *step);
static bool run_remembered(EvMatch *m, uint32 at, EvInstance in, Marks *marks, const Step *step, RunMode mode);

/* ---------- violations ---------- */

static void
append_pointer_token(StringInfo pointer, EvString key)
{
	for (uint32 i = 0; i < key.length; i++)
	{
		if (key.data[i] == '~')
			appendStringInfoString(pointer, "~0");
		else if (key.data[i] == '/')
			appendStringInfoString(pointer, "~1");
		else
			appendStringInfoChar(pointer, key.data[i]);
	}
}

static void
append_instance_location(StringInfo pointer, const Step *step)
{
	check_stack_depth();
	if (step == NULL)
		return;
	append_instance_location(pointer, step->parent);
	if (step->kind == STEP_PROPERTY)
	{
		appendStringInfoChar(pointer, '/');
		append_pointer_token(pointer, step->key);
	}
	else if (step->kind == STEP_ITEM)
		appendStringInfo(pointer, "/%u", step->index);
}

static void
append_keyword_location(StringInfo pointer, const Step *step)
{
	check_stack_depth();
	if (step == NULL)
		return;
	append_keyword_location(pointer, step->parent);
	appendStringInfoString(pointer, step->path);
}

/* Hands one violation to the collector; runs in m->context. */
static void
			violate(EvMatch *m, const Step *step, const char *keyword, const char *path,
					const char *format,...) pg_attribute_printf(5, 6);

static void
violate(EvMatch *m, const Step *step, const char *keyword, const char *path,
		const char *format,...)
{
	EvCollector *collector = m->collector;
	StringInfoData instance_location;
	StringInfoData keyword_location;
	StringInfoData message;
	EvViolation violation;

	initStringInfo(&instance_location);
	append_instance_location(&instance_location, step);
	initStringInfo(&keyword_location);
	append_keyword_location(&keyword_location, step);
	appendStringInfoString(&keyword_location, path);

	initStringInfo(&message);
	for (const Step *s = step; s != NULL && s->kind != STEP_PROPERTY && s->kind != STEP_ITEM; s = s->parent)
		if (s->kind == STEP_NAME)
			appendStringInfo(&message, "property name %s: ", ev_string_show(s->key.data, s->key.length));
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&message, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&message, needed);
	}

	violation.instance_location = instance_location.data;
	violation.keyword_location = keyword_location.data;
	violation.keyword = keyword;
	violation.message = message.data;
	violation.place = step->place;
	violation.path = path;
	collector->add(collector, &violation);
	if (collector != m->top)
		return;
	if (m->program->remembers && m->memory->again > 0)
		m->memory->listed_again++;
	MemoryContextReset(m->context);
}

/*
 * Counts a violation and hands it on if the collector still wants it; the
 * arguments are evaluated only then, and in m->context.
 */
#define VIOLATE(...) \
	do { \
		if (++m->collector->count <= m->collector->limit) \
		{ \
			MemoryContext caller = MemoryContextSwitchTo(m->context); \
			violate(m, step, __VA_ARGS__); \
			MemoryContextSwitchTo(caller); \
		} \
	} while (0)

/*
 * Inside run() and what it inlines: a violation ends a fast run; else it is
 * handed on, and the run goes on.
 */
#define VIOLATION(...) \
	do { \
		if (mode != COLLECT) \
			return false; \
		ok = false; \
		VIOLATE(__VA_ARGS__); \
	} while (0)

static const char *
plural(int64 count)
{
	return count == 1 ? "" : "s";
}

/* The first violation of one branch of an anyOf or oneOf. */
typedef struct BranchCollector
{
	EvCollector collector;
	StringInfoData text;
	int			skip;			/* of the instance location: the part that the
								 * whole anyOf has */
} BranchCollector;

static void
add_to_branch(EvCollector *collector, const EvViolation *violation)
{
	BranchCollector *branch = (BranchCollector *) collector;

	if (branch->text.len > 0)
		appendStringInfoString(&branch->text, ", ");
	if (strlen(violation->instance_location) > (size_t) branch->skip)
		appendStringInfo(&branch->text, "%s ", ev_location_show(violation->instance_location + branch->skip));
	appendStringInfoString(&branch->text, violation->message);
}

/* ---------- entering blocks ---------- */

/* A step into the block at `at`. */
static inline Step
step_into(const EvMatch *m, uint32 at, const Step *parent, StepKind kind, const char *path)
{
	Step		step = {0};
	const EvProgram *program = m->program;

	step.parent = parent;
	step.kind = kind;
	step.place = program->blocks[program->sources[at].block].place;
	step.path = path != NULL ? path : step.place->tail;
	return step;
}

/* Another value: what it evaluates is no business of the marks. */
static pg_attribute_always_inline bool
enter_child(EvMatch *m, uint32 at, EvInstance value, const Step *parent,
			StepKind kind, EvString key, uint32 index, const RunMode mode)
{
	Step		step;

	if (at >= EV_BLOCK_TRUE)
		return true;
	if (mode != COLLECT)
		return ev_run_block(m, at, value);
	step = step_into(m, at, parent, kind, NULL);
	step.key = key;
	step.index = index;
	return run_collect(m, at, value, NULL, &step);
}

/* The same value; path NULL: the block's own. */
static pg_attribute_always_inline bool
enter_in_place(EvMatch *m, uint32 at, EvInstance in, Marks *marks, const Step *parent,
			   const char *path, const RunMode mode)
{
	Step		step;

	if (at >= EV_BLOCK_TRUE)
		return true;
	if (mode == FAST)
		return ev_run_block(m, at, in);
	if (mode == MARKS)
		return run_marks(m, at, in, marks);
	step = step_into(m, at, parent, STEP_IN_PLACE, path);
	return run_collect(m, at, in, marks, &step);
}

/*
 * Yes or no, keeping the marks of a branch only where it matches: annotations
 * of what does not are dropped (2020-12 core, 7.7.1.2).  A report wants to
 * know what a branch says, too.
 */
static pg_attribute_always_inline bool
try_branch(EvMatch *m, uint32 at, EvInstance in, Marks *marks, const Step *step, const RunMode mode)
{
	bool		reports = mode == COLLECT && m->collector->enter != NULL;
	uint64		few[8];
	uint64	   *saved = few;
	bool		ok;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (at >= EV_BLOCK_TRUE)
		return true;
	if (mode == FAST || marks == NULL)
		return reports ? enter_in_place(m, at, in, NULL, step, NULL, COLLECT) : ev_run_block(m, at, in);

	if (marks->words > lengthof(few))
		saved = palloc(marks->words * sizeof(uint64));
	memcpy(saved, marks->bits, marks->words * sizeof(uint64));
	ok = reports ? enter_in_place(m, at, in, marks, step, NULL, COLLECT) : run_marks(m, at, in, marks);
	if (!ok)
		memcpy(marks->bits, saved, marks->words * sizeof(uint64));
	if (saved != few)
		pfree(saved);
	return ok;
}

/* The keyword holds, whatever its branches that do not match say. */
static void
forgive(EvMatch *m, const char *keyword)
{
	if (m->collector->forgive != NULL)
		m->collector->forgive(m->collector, keyword);
}

static inline void
mark(Marks *marks, uint32 child)
{
	marks->bits[child / 64] |= UINT64CONST(1) << (child % 64);
}

static inline bool
is_marked(const Marks *marks, uint32 child)
{
	return (marks->bits[child / 64] & (UINT64CONST(1) << (child % 64))) != 0;
}

static void
mark_all(Marks *marks, uint32 count)
{
	for (uint32 i = 0; i < count; i++)
		mark(marks, i);
}

/*
 * TRACK: the rest of the block has marks of its own; if it matches, what it
 * evaluated counts for the schema around it too.
 */
static bool
run_tracked(EvMatch *m, uint32 at, EvInstance in, Marks *outer, const Step *step, RunMode mode)
{
	uint64		few[8] = {0};
	Marks		marks = {few, 0, false};
	bool		ok;

	if (in.type == EV_OBJECT || in.type == EV_ARRAY)
	{
		uint32		count = JsonContainerSize((const JsonbContainer *) in.data);

		marks.words = (count + 63) / 64;
		if (marks.words > lengthof(few))
			marks.bits = palloc0(marks.words * sizeof(uint64));
	}
	ok = mode == COLLECT ? run_collect(m, at, in, &marks, step) : run_marks(m, at, in, &marks);
	if (ok && outer != NULL)
		for (uint32 i = 0; i < marks.words; i++)
			outer->bits[i] |= marks.bits[i];
	if (marks.bits != few)
		pfree(marks.bits);
	return ok;
}

/*
 * TRACK on the fast way, of an object: most is known in advance.  What branches
 * evaluate is known when they have run; only then, and only where the object
 * has a property that no other schema names, they are asked which of them
 * matched.
 */
static bool
match_tracked(EvMatch *m, const EvTracked *tracked, uint32 at, EvInstance in)
{
	EvPendingProperties pending;
	uint64		matched = 0;
	Marks		marks = {&matched, 1, true};
	bool		ok;

	if (tracked->object == NULL)
		return run_tracked(m, at + 1, in, NULL, NULL, FAST);
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

static bool
is_in_scope(const EvDynamicScope *scope, uint32 resource)
{
	for (; scope != NULL; scope = scope->outer)
		if (scope->resource == resource)
			return true;
	return false;
}

/* The block for a $dynamicRef: the outermost resource in scope that has one. */
static uint32
dynamic_target(const EvMatch *m, const EvDynamic *dynamic)
{
	uint32		found = dynamic->initial;

	for (const EvDynamicScope *scope = m->scope; scope != NULL; scope = scope->outer)
	{
		uint32		target = ev_anchor_target(dynamic->anchor, scope->resource);

		if (target != EV_BLOCK_NONE)
			found = target;
	}
	return found;
}

/* ---------- strings ---------- */

/* The value of a character of base64; -1: it is none. */
static inline int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decodes RFC 4648 base64 in place; -1: it is none, else how much remains. */
static int
decode_base64(char *text, int length)
{
	uint32		bits = 0;
	int			data = 0;
	int			out = 0;

	for (; data < length && base64_value(text[data]) >= 0; data++)
	{
		if (data % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		bits = bits << 6 | (uint32) base64_value(text[data]);
		if (data % 4 == 3)
			for (int j = 0; j < 3; j++)
				text[out++] = (char) (bits >> (16 - 8 * j));
	}
	if (length % 4 != 0 || length - data > 2)
		return -1;
	for (int i = data; i < length; i++)
		if (text[i] != '=')
			return -1;
	/* 2 characters are one byte more, 3 are two */
	for (int j = 0; j < data % 4 - 1; j++)
		text[out++] = (char) (bits << (6 * (4 - data % 4)) >> (16 - 8 * j));
	return out;
}

/*
 * Draft 7 lets contentEncoding and contentMediaType be asserted (validation,
 * section 8).  Base64, then JSON, where asked for.
 */
static bool
matches_content(const EvInstance *in, bool base64, bool json)
{
	char	   *text = pnstrdup(in->data, in->length);
	int			length = in->length;
	bool		ok;

	if (base64)
		length = decode_base64(text, length);
	ok = length >= 0;
	if (ok && json)
	{
		text[length] = '\0';
		ok = pg_verify_mbstr(GetDatabaseEncoding(), text, length, true) &&
			ev_json_syntax_error(text, length) == NULL;
	}
	pfree(text);
	return ok;
}

/* Patterns in messages are cut at so many characters. */
#define SHOWN_PATTERN	200

static const char *
show_pattern(const char *pattern)
{
	int			length = strlen(pattern);
	int			shown = ev_text_clip(pattern, length, SHOWN_PATTERN);

	return shown < length ? psprintf("%.*s...", shown, pattern) : pattern;
}

/* ---------- enum ---------- */

bool
ev_in_values(const EvEnum *enumeration, const EvInstance *in)
{
	if ((enumeration->types & EV_BIT(in->type)) == 0)
		return false;
	if (enumeration->slots != NULL)
	{
		uint32		slot = ev_value_slot(enumeration, in);

		for (; enumeration->slots[slot] >= 0; slot = (slot + 1) & enumeration->slot_mask)
		{
			if (ev_values_equal(&enumeration->values[enumeration->slots[slot]], in))
				return true;
			CHECK_FOR_INTERRUPTS();
		}
		return false;
	}
	for (uint32 i = 0; i < enumeration->count; i++)
		if (ev_values_equal(&enumeration->values[i], in))
			return true;
	return false;
}

static char *
show_values(const EvEnum *enumeration)
{
	StringInfoData text;
	uint32		count = Min(enumeration->count, 12);

	initStringInfo(&text);
	for (uint32 i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoString(&text, i + 1 == enumeration->count ? " or " : ", ");
		appendStringInfoString(&text, ev_value_show(&enumeration->shown[i]));
	}
	if (count < enumeration->count)
		appendStringInfo(&text, " or one of %u more", enumeration->count - count);
	return text.data;
}

/* ---------- numbers ---------- */

static inline bool
within_bound(const EvInstance *in, Numeric bound, uint32 kind)
{
	int			order = ev_number_compare((Numeric) in->data, bound);

	switch ((EvBoundKind) kind)
	{
		case EV_MINIMUM:
			return order >= 0;
		case EV_EXCLUSIVE_MINIMUM:
			return order > 0;
		case EV_MAXIMUM:
			return order <= 0;
		case EV_EXCLUSIVE_MAXIMUM:
			return order < 0;
	}
	return false;
}

static char *
show_numeric(Numeric number)
{
	EvInstance	value = {.type = EV_NUMBER, .data = (const char *) number};

	return ev_value_show(&value);
}

/* ---------- objects ---------- */

/* Is there such a key?  By halves, as jsonb finds keys itself. */
static bool
has_key(const JsonbContainer *container, EvString key)
{
	JsonbValue	value;

	return getKeyJsonValueFromContainer(unconstify(JsonbContainer *, container),
										key.data, key.length, &value) != NULL;
}

static void
report_missing(EvMatch *m, const JsonbContainer *container, const EvObject *object, const Step *step)
{
	for (uint32 i = 0; i < object->property_count; i++)
		if (object->properties[i].required && !has_key(container, object->properties[i].name))
			VIOLATE("required", "/required", "required property %s is missing",
					ev_string_show(object->properties[i].name.data, object->properties[i].name.length));
}

static pg_attribute_always_inline bool
match_object(EvMatch *m, const EvObject *object, EvInstance in, Marks *marks, const Step *step, const RunMode mode)
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
		VIOLATION("minProperties", "/minProperties", "must have at least %u propert%s, but has %u",
				  object->min_properties, object->min_properties == 1 ? "y" : "ies", count);
	if (count > object->max_properties)
		VIOLATION("maxProperties", "/maxProperties", "must have at most %u propert%s, but has %u",
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
				if (!enter_child(m, property->block, value, step, STEP_PROPERTY, key, 0, mode))
				{
					if (mode != COLLECT)
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
			if (!enter_child(m, object->patterns[j].block, value, step, STEP_PROPERTY, key, 0, mode))
			{
				if (mode != COLLECT)
					return false;
				ok = false;
			}
		}
		if (!evaluated && object->additional != EV_BLOCK_NONE)
		{
			evaluated = true;
			if (!enter_child(m, object->additional, value, step, STEP_PROPERTY, key, 0, mode))
			{
				if (mode != COLLECT)
					return false;
				ok = false;
			}
		}
		if (object->names != EV_BLOCK_NONE)
		{
			EvInstance	name = {.type = EV_STRING, .length = key.length, .data = key.data};

			if (!enter_child(m, object->names, name, step, STEP_NAME, key, 0, mode))
			{
				if (mode != COLLECT)
					return false;
				ok = false;
			}
		}
		if (mode != FAST && evaluated && marks != NULL)
			mark(marks, i);
	}

	if (required < object->required_count)
	{
		if (mode != COLLECT)
			return false;
		ok = false;
		report_missing(m, container, object, step);
	}
	return ok;
}

/* The children that the block applies to are those that nobody evaluated. */
static pg_attribute_always_inline bool
match_unevaluated(EvMatch *m, uint32 at, EvInstance in, Marks *marks, const Step *step, const RunMode mode)
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
		if (is_marked(marks, i))
			continue;
		if (!enter_child(m, at, value, step, is_object ? STEP_PROPERTY : STEP_ITEM, key, i, mode))
		{
			if (mode != COLLECT)
				return false;
			ok = false;
		}
	}
	mark_all(marks, count);
	return ok;
}

/* ---------- arrays ---------- */

typedef struct Hashed
{
	uint32		hash;
	uint32		index;
} Hashed;

static int
compare_hashed(const void *a, const void *b)
{
	const Hashed *x = a;
	const Hashed *y = b;

	CHECK_FOR_INTERRUPTS();
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->index < y->index ? -1 : 1;
}

static EvInstance
item_at(const JsonbContainer *container, uint32 index)
{
	const char *base = (const char *) &container->children[JsonContainerSize(container)];
	uint32		start = getJsonbOffset(container, index);

	return ev_entry_value(container->children[index], base, start,
						  start + getJsonbLength(container, index));
}

/* The items themselves; the indexes where these are equal. */
static int
compare_items(const void *a, const void *b, void *container)
{
	const Hashed *x = a;
	const Hashed *y = b;
	EvInstance	v = item_at(container, x->index);
	EvInstance	w = item_at(container, y->index);
	int			order = ev_values_compare(&v, &w);

	CHECK_FOR_INTERRUPTS();
	return order != 0 ? order : x->index < y->index ? -1 : 1;
}

/*
 * Finds two equal items; false where there are none.  Few are compared with
 * each other; many are sorted by hash, and those of one hash by what they are:
 * a document may be made so that all have the same hash.
 */
static bool
find_duplicate(const JsonbContainer *container, uint32 *first, uint32 *second)
{
	uint32		count = JsonContainerSize(container);
	const char *base = (const char *) &container->children[count];
	EvInstance	few[16];
	Hashed	   *hashed;
	uint32		start = 0;
	bool		found = false;

	if (count <= lengthof(few))
	{
		for (uint32 i = 0; i < count; i++)
		{
			uint32		end = ev_entry_end(container->children[i], start);

			few[i] = ev_entry_value(container->children[i], base, start, end);
			start = end;
			for (uint32 j = 0; j < i; j++)
				if (ev_values_equal(&few[j], &few[i]))
				{
					*first = j;
					*second = i;
					return true;
				}
		}
		return false;
	}

	hashed = MemoryContextAllocHuge(CurrentMemoryContext, (Size) count * sizeof(Hashed));
	for (uint32 i = 0; i < count; i++)
	{
		uint32		end = ev_entry_end(container->children[i], start);
		EvInstance	item = ev_entry_value(container->children[i], base, start, end);

		start = end;
		CHECK_FOR_INTERRUPTS();
		hashed[i].hash = ev_value_hash(&item);
		hashed[i].index = i;
	}

	/* there is an order of items for which quicksort takes n * n steps */
	for (uint32 i = count - 1; i > 0; i--)
	{
		uint32		other = (uint32) pg_prng_uint64_range(&pg_global_prng_state, 0, i);
		Hashed		swapped = hashed[i];

		hashed[i] = hashed[other];
		hashed[other] = swapped;
	}
	qsort(hashed, count, sizeof(Hashed), compare_hashed);
	for (uint32 i = 0, end; i < count && !found; i = end)
	{
		for (end = i + 1; end < count && hashed[end].hash == hashed[i].hash;)
			end++;
		CHECK_FOR_INTERRUPTS();
		if (end - i > 1)
			qsort_arg(&hashed[i], end - i, sizeof(Hashed), compare_items, unconstify(JsonbContainer *, container));
		for (uint32 j = i + 1; j < end && !found; j++)
		{
			EvInstance	item = item_at(container, hashed[j - 1].index);
			EvInstance	other = item_at(container, hashed[j].index);

			if (ev_values_equal(&item, &other))
			{
				*first = hashed[j - 1].index;
				*second = hashed[j].index;
				found = true;
			}
		}
	}
	pfree(hashed);
	return found;
}

static pg_attribute_always_inline bool
match_array(EvMatch *m, const EvArray *array, EvInstance in, Marks *marks, const Step *step, const RunMode mode)
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
		VIOLATION("minItems", "/minItems", "must have at least %u item%s, but has %u",
				  array->min_items, plural(array->min_items), count);
	if (count > array->max_items)
		VIOLATION("maxItems", "/maxItems", "must have at most %u item%s, but has %u",
				  array->max_items, plural(array->max_items), count);

	if (array->prefix_count > 0 || array->items < EV_BLOCK_TRUE || array->contains != EV_BLOCK_NONE)
		for (uint32 i = 0; i < count; i++)
		{
			uint32		end = ev_entry_end(container->children[i], start);
			EvInstance	item = ev_entry_value(container->children[i], base, start, end);
			uint32		block = i < array->prefix_count ? array->prefix[i] : array->items;

			CHECK_FOR_INTERRUPTS();
			start = end;
			if (!enter_child(m, block, item, step, STEP_ITEM, (EvString) {0}, i, mode))
			{
				if (mode != COLLECT)
					return false;
				ok = false;
			}
			if (array->contains != EV_BLOCK_NONE &&
				(array->contains == EV_BLOCK_TRUE || ev_run_block(m, array->contains, item)))
			{
				contained++;
				if (mode != FAST && marks != NULL && array->contains_evaluates)
					mark(marks, i);
			}
		}

	if (mode != FAST && marks != NULL)
		mark_all(marks, array->items != EV_BLOCK_NONE ? count : Min(count, array->prefix_count));

	if (array->contains != EV_BLOCK_NONE)
	{
		if (contained < array->min_contains)
			VIOLATION(array->min_contains == 1 ? "contains" : "minContains",
					  array->min_contains == 1 ? "/contains" : "/minContains",
					  "must have at least %u item%s that match%s \"contains\", but has %u",
					  array->min_contains, plural(array->min_contains),
					  array->min_contains == 1 ? "es" : "", contained);
		if (contained > array->max_contains)
			VIOLATION("maxContains", "/maxContains",
					  "must have at most %u item%s that match%s \"contains\", but has %u",
					  array->max_contains, plural(array->max_contains),
					  array->max_contains == 1 ? "es" : "", contained);
	}
	if (array->unique_items && count > 1)
	{
		uint32		first;
		uint32		second;

		if (find_duplicate(container, &first, &second))
		{
			EvInstance	item = item_at(container, first);

			VIOLATION("uniqueItems", "/uniqueItems", "items must be unique, but items %u and %u are equal (%s)",
					  first, second, ev_value_show(&item));
		}
	}
	return ok;
}

/* ---------- types ---------- */

static char *
show_types(uint32 types, bool integer)
{
	StringInfoData text;

	initStringInfo(&text);
	for (EvType type = 0; type < EV_TYPE_COUNT; type++)
	{
		if ((types & EV_BIT(type)) == 0 || (type == EV_FALSE && (types & EV_BIT(EV_TRUE)) != 0))
			continue;			/* booleans mostly come in pairs */
		if (text.len > 0)
			appendStringInfoString(&text, " or ");
		appendStringInfoString(&text, type == EV_NUMBER && integer ? "integer" : ev_type_name(type));
	}
	return text.data;
}

/* "null", "string "x"", "an object" */
static char *
show_instance(const EvInstance *in)
{
	if (in->type == EV_NULL || in->type == EV_OBJECT || in->type == EV_ARRAY)
		return pstrdup(ev_type_name(in->type));
	return psprintf("%s %s", ev_type_name(in->type), ev_value_show(in));
}

/* ---------- anyOf, oneOf ---------- */

/*
 * " (0: must be ...; 1: must be ...)" for the branches of an anyOf or oneOf.
 * A report has them anyway.  Branches in branches multiply, so that there is
 * an end to it: at the third level, and where the text is long.
 */
static const char *
explain_branches(EvMatch *m, const uint32 *blocks, uint32 count, EvInstance in, const Step *step)
{
	EvCollector *outer = m->collector;
	StringInfoData text;
	StringInfoData location;

	if (outer->enter != NULL || m->explaining == 2)
		return "";
	m->explaining++;
	initStringInfo(&text);
	appendStringInfoString(&text, " (");
	initStringInfo(&location);
	append_instance_location(&location, step);
	for (uint32 i = 0; i < count; i++)
	{
		BranchCollector branch = {.collector = {.add = add_to_branch, .limit = 1}};

		if (i == 4 || text.len > 500)
		{
			appendStringInfo(&text, "; and %u more", count - i);
			break;
		}
		initStringInfo(&branch.text);
		branch.skip = location.len;
		m->collector = &branch.collector;
		enter_in_place(m, blocks[i], in, NULL, step, NULL, COLLECT);
		m->collector = outer;
		appendStringInfo(&text, "%s%u: %s", i > 0 ? "; " : "", i, branch.text.data);
		if (branch.collector.count > 1)
			appendStringInfo(&text, " and " INT64_FORMAT " more", branch.collector.count - 1);
	}
	appendStringInfoChar(&text, ')');
	m->explaining--;
	return text.data;
}

/* What a search for the only branch that can match may find instead. */
#define ANY_BRANCH	(-1)		/* it is not known before they are tried */
#define NO_BRANCH	(-2)

/* The only branch that can match, by the instance's type or a property of it. */
static inline int
only_branch(const EvBranches *branches, EvInstance in)
{
	int			found = NO_BRANCH;

	if (branches->discriminator.data != NULL)
	{
		if (in.type == EV_OBJECT)
			found = ev_discriminate(branches, (const JsonbContainer *) in.data);
		return found >= 0 ? found : NO_BRANCH;
	}
	for (uint32 i = 0; i < branches->count; i++)
	{
		if ((branches->types[i] & EV_BIT(in.type)) == 0)
			continue;
		if (found != NO_BRANCH)
			return ANY_BRANCH;
		found = i;
	}
	return found;
}

/* Why no branch can match, whatever they say. */
static char *
explain_no_branch(const EvBranches *branches, EvInstance in)
{
	StringInfoData text;
	uint32		types = 0;
	EvString	name = branches->discriminator;
	JsonbValue	value;

	initStringInfo(&text);
	for (uint32 i = 0; i < branches->count; i++)
		types |= branches->types[i];
	if (types == 0)
	{
		appendStringInfoString(&text, "nothing is valid here: all its schemas are false");
		return text.data;
	}
	if ((types & EV_BIT(in.type)) == 0)
	{
		appendStringInfo(&text, "must be %s, but is %s", show_types(types, false), show_instance(&in));
		return text.data;
	}

	appendStringInfo(&text, "property %s must be ", ev_string_show(name.data, name.length));
	for (uint32 i = 0; i < branches->value_count && i < 24; i++)
		appendStringInfo(&text, "%s%s", i == 0 ? "" : i + 1 == branches->value_count ? " or " : ", ",
						 ev_string_show(branches->values[i].value.data, branches->values[i].value.length));
	if (branches->value_count > 24)
		appendStringInfo(&text, " or one of %u more", branches->value_count - 24);
	if (getKeyJsonValueFromContainer((JsonbContainer *) in.data, name.data, name.length, &value) == NULL)
		appendStringInfoString(&text, ", but is missing");
	else if (value.type == jbvString)
		appendStringInfo(&text, ", but is %s", ev_string_show(value.val.string.val, value.val.string.len));
	else
		appendStringInfoString(&text, ", but is no string");
	return text.data;
}

/*
 * anyOf and oneOf.  Where only one branch can match, what it says is what is
 * wrong; else the violation is the keyword's, and says what each branch says.
 */
static pg_attribute_always_inline bool
match_branches(EvMatch *m, const EvInstruction *instruction, EvInstance in, Marks *marks, const Step *step, const RunMode mode)
{
	const EvBranches *branches = instruction->u.branches;
	const uint32 *blocks = branches->blocks;
	bool		is_any = instruction->opcode == EVOP_ANY_OF;
	const char *keyword = is_any ? "anyOf" : "oneOf";
	const char *path = is_any ? "/anyOf" : "/oneOf";
	bool		reports = mode == COLLECT && m->collector->enter != NULL;
	int			only = reports ? ANY_BRANCH : only_branch(branches, in);
	uint32		matched = 0;
	uint32		first = 0;
	bool		ok = true;

	if (only == NO_BRANCH)
	{
		VIOLATION(keyword, path, "%s", explain_no_branch(branches, in));
		return ok;
	}
	if (only != ANY_BRANCH)
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
			VIOLATION(keyword, path, "must match exactly one of %u schemas, but matches schemas %u and %u",
					  branches->count, first, i);
			break;
		}
		/* with marks every branch counts, else the first that matches will do */
		if (is_any && marks == NULL && !reports)
			break;
	}
	if (matched > 0 && mode == COLLECT)
		forgive(m, keyword);
	if (matched == 0)
		VIOLATION(keyword, path, "must match %s one of %u schema%s, but matches none%s",
				  is_any ? "at least" : "exactly", branches->count, plural(branches->count),
				  explain_branches(m, blocks, branches->count, in, step));
	return ok;
}

/* ---------- the interpreter ---------- */

static void
report_false(EvMatch *m, const EvSource *source, const Step *step)
{
	const char *keyword = step != NULL ? step->place->keyword : NULL;
	const char *name = source->keyword;

	if (keyword == NULL)
		VIOLATE("", "", "nothing is valid here: the schema is false");
	else if (strcmp(keyword, "additionalProperties") == 0 || strcmp(keyword, "unevaluatedProperties") == 0)
		VIOLATE(name, "", "property is not allowed: \"%s\" is false", keyword);
	else if (strcmp(keyword, "properties") == 0 || strcmp(keyword, "patternProperties") == 0)
		VIOLATE(name, "", "property is not allowed: its schema is false");
	else if (strcmp(keyword, "propertyNames") == 0)
		VIOLATE(name, "", "no name is allowed");
	else if (step->kind == STEP_ITEM)
		VIOLATE(name, "", "item is not allowed: \"%s\" is false", keyword);
	else
		VIOLATE(name, "", "nothing is valid here: the schema in \"%s\" is false", keyword);
}

static pg_attribute_always_inline bool
run(EvMatch *m, uint32 at, EvInstance in, Marks *marks, const Step *step, const RunMode mode)
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
				if (mode == COLLECT)
					report_false(m, source, step);
				return false;

			case EVOP_TYPE:
				if ((instruction->u.type.types & EV_BIT(in.type)) == 0 ||
					(instruction->u.type.integer && in.type == EV_NUMBER &&
					 !ev_number_is_integer((Numeric) in.data)))
				{
					bool		right_section = (instruction->u.type.types & EV_BIT(in.type)) != 0;

					VIOLATION(source->keyword, source->path, "must be %s, but is %s",
							  show_types(instruction->u.type.types, instruction->u.type.integer), show_instance(&in));
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
						VIOLATION(source->keyword, source->path, "no value is allowed: \"enum\" is empty");
					else
						VIOLATION(source->keyword, source->path, "must be %s, but is %s",
								  show_values(enumeration), ev_value_show(&in));
					break;
				}

			case EVOP_LENGTH:
				if (!ev_has_length(in.data, in.length, instruction->u.size.minimum, instruction->u.size.maximum))
				{
					uint32		length = mode == COLLECT ? ev_text_length(in.data, in.length) : 0;
					bool		is_short = length < instruction->u.size.minimum;
					uint32		limit = is_short ? instruction->u.size.minimum : instruction->u.size.maximum;

					VIOLATION(is_short ? "minLength" : "maxLength", is_short ? "/minLength" : "/maxLength",
							  "must have at %s %u character%s, but has %u: %s", is_short ? "least" : "most",
							  limit, plural(limit), length, ev_value_show(&in));
				}
				break;

			case EVOP_PATTERN:
				if (mode != COLLECT && instruction->u.pattern.shape != NULL ?
					!ev_shape_matches(instruction->u.pattern.shape, in.data, in.length) :
					!ev_matches_pattern(instruction->u.pattern.compiled, in.data, in.length))
					VIOLATION(source->keyword, source->path, "must match the pattern %s, but is %s",
							  show_pattern(instruction->u.pattern.source), ev_value_show(&in));
				break;

			case EVOP_FORMAT:
				if (!ev_matches_format(instruction->u.format->matches, in.data, in.length))
					VIOLATION(source->keyword, source->path, "must be %s (format \"%s\"), but is %s",
							  instruction->u.format->description, instruction->u.format->name, ev_value_show(&in));
				break;

			case EVOP_CONTENT:
				if (!matches_content(&in, instruction->u.content.base64, instruction->u.content.json))
					VIOLATION(source->keyword, source->path, "must be %s%s%s, but is %s",
							  instruction->u.content.base64 ? "base64" : "",
							  instruction->u.content.base64 && instruction->u.content.json ? " of " : "",
							  instruction->u.content.json ? "a JSON document" : "", ev_value_show(&in));
				break;

			case EVOP_BOUND:
				if (!within_bound(&in, instruction->u.bound.value, instruction->u.bound.kind))
				{
					static const char *const signs[] = {
						[EV_MINIMUM] = ">=",
						[EV_EXCLUSIVE_MINIMUM] = ">",
						[EV_MAXIMUM] = "<=",
						[EV_EXCLUSIVE_MAXIMUM] = "<",
					};

					VIOLATION(source->keyword, source->path, "must be %s %s, but is %s",
							  signs[instruction->u.bound.kind], show_numeric(instruction->u.bound.value),
							  ev_value_show(&in));
				}
				break;

			case EVOP_MULTIPLE_OF:
				if (!ev_number_is_multiple((Numeric) in.data, instruction->u.bound.value))
					VIOLATION(source->keyword, source->path, "must be a multiple of %s, but is %s",
							  show_numeric(instruction->u.bound.value), ev_value_show(&in));
				break;

			case EVOP_OBJECT:
				if (mode == FAST || (mode == MARKS && marks->by_source))
				{
					const EvObject *object = instruction->u.object;

					if (!ev_match_plain_object(m, object, (const JsonbContainer *) in.data))
						return false;
					if (mode == MARKS && object->source != EV_NO_SOURCE)
						*marks->bits |= UINT64CONST(1) << object->source;
					break;
				}
				if (!match_object(m, instruction->u.object, in, marks, step, mode))
				{
					if (mode != COLLECT)
						return false;
					ok = false;
				}
				break;

			case EVOP_DEPENDENT_REQUIRED:
				{
					const EvDependency *dependency = instruction->u.dependency;
					const JsonbContainer *container = (const JsonbContainer *) in.data;

					if (!has_key(container, dependency->property))
						break;
					for (uint32 i = 0; i < dependency->required_count; i++)
					{
						EvString	name = dependency->required[i];

						if (!has_key(container, name))
							VIOLATION(source->keyword, source->path, "property %s is required where %s is present, but is missing",
									  ev_string_show(name.data, name.length),
									  ev_string_show(dependency->property.data, dependency->property.length));
					}
					break;
				}

			case EVOP_DEPENDENT_SCHEMA:
				if (!has_key((const JsonbContainer *) in.data, instruction->u.dependency->property))
					break;
				if (!enter_in_place(m, instruction->target, in, marks, step, NULL, mode))
				{
					if (mode != COLLECT)
						return false;
					ok = false;
				}
				break;

			case EVOP_ARRAY:
				if (mode == FAST || (mode == MARKS && marks->by_source))
				{
					if (!ev_match_plain_array(m, instruction->u.array, (const JsonbContainer *) in.data))
						return false;
					break;
				}
				if (!match_array(m, instruction->u.array, in, marks, step, mode))
				{
					if (mode != COLLECT)
						return false;
					ok = false;
				}
				break;

			case EVOP_CALL:
				check_stack_depth();
				if (!enter_in_place(m, instruction->target, in, marks, step, NULL, mode))
				{
					if (mode != COLLECT)
						return false;
					ok = false;
				}
				break;

			case EVOP_CALL_REF:
			case EVOP_CALL_DYNAMIC:
				{
					uint32		target = instruction->opcode == EVOP_CALL_REF ? instruction->target :
						dynamic_target(m, instruction->u.dynamic);

					check_stack_depth();

					CHECK_FOR_INTERRUPTS();
					if (!enter_in_place(m, target, in, marks, step, source->path, mode))
					{
						if (mode != COLLECT)
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

					if (is_in_scope(m->scope, scope.resource))
						break;
					if (program->remembers)
						scope.state = ev_scope_state(m->memory, m->scope, scope.resource);
					m->scope = &scope;
					ok = mode == FAST ? ev_run_block(m, at + 1, in) :
						mode == MARKS ? run_marks(m, at + 1, in, marks) :
						run_collect(m, at + 1, in, marks, step);
					m->scope = scope.outer;
					return ok;
				}

			case EVOP_ANY_OF:
			case EVOP_ONE_OF:
				if (!match_branches(m, instruction, in, marks, step, mode))
				{
					if (mode != COLLECT)
						return false;
					ok = false;
				}
				break;

			case EVOP_NOT:
				check_stack_depth();
				if (instruction->target >= EV_BLOCK_TRUE || ev_run_block(m, instruction->target, in))
					VIOLATION(source->keyword, source->path, "must not match the schema in \"not\", but does: %s",
							  ev_value_show(&in));
				break;

			case EVOP_IF:
				{
					bool		holds = try_branch(m, instruction->u.condition.if_block, in,
												   marks, step, mode);

					if (mode == COLLECT)
						forgive(m, "if");
					if (!enter_in_place(m, holds ? instruction->u.condition.then_block :
										instruction->u.condition.else_block,
										in, marks, step, NULL, mode))
					{
						if (mode != COLLECT)
							return false;
						ok = false;
					}
					break;
				}

			case EVOP_ANNOTATE:
				if (mode == COLLECT && m->collector->annotate != NULL)
					m->collector->annotate(m->collector, source->keyword, instruction->u.annotation);
				break;

			case EVOP_TRACK:
				if (mode == FAST || (mode == MARKS && marks->by_source))
				{
					const EvTracked *tracked = instruction->u.tracked;

					if (tracked != NULL && (tracked->types & EV_BIT(in.type)) == 0)
						return false;
					if (tracked != NULL && in.type == EV_OBJECT)
						return match_tracked(m, tracked, at, in);
					if (tracked != NULL && in.type == EV_ARRAY && tracked->array != NULL)
						return ev_match_plain_array(m, tracked->array, (const JsonbContainer *) in.data);
					return run_tracked(m, at + 1, in, NULL, step, FAST);
				}
				return run_tracked(m, at + 1, in, mode == FAST ? NULL : marks, step, mode);

			case EVOP_UNEVALUATED_PROPERTIES:
			case EVOP_UNEVALUATED_ITEMS:
				if (mode == FAST ||
					in.type != (instruction->opcode == EVOP_UNEVALUATED_PROPERTIES ? EV_OBJECT : EV_ARRAY))
					break;
				if (!match_unevaluated(m, instruction->target, in, marks, step, mode))
				{
					if (mode != COLLECT)
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
	return run(m, at, in, NULL, NULL, FAST);
}

static bool
run_marks(EvMatch *m, uint32 at, EvInstance in, Marks *marks)
{
	return run(m, at, in, marks, NULL, MARKS);
}

static bool
run_collect(EvMatch *m, uint32 at, EvInstance in, Marks *marks, const Step *step)
{
	EvCollector *collector = m->collector;
	StringInfoData instance_location;
	StringInfoData keyword_location;
	bool		ok;

	/* TRACK and SCOPE go on in the middle of a block, which is framed already */
	if (collector->enter == NULL ||
		at != m->program->blocks[m->program->sources[at].block].start)
		return run(m, at, in, marks, step, COLLECT);

	initStringInfo(&instance_location);
	append_instance_location(&instance_location, step);
	initStringInfo(&keyword_location);
	append_keyword_location(&keyword_location, step);
	collector->enter(collector, instance_location.data, keyword_location.data, step->place);
	pfree(instance_location.data);
	pfree(keyword_location.data);
	ok = run(m, at, in, marks, step, COLLECT);
	collector->leave(collector, ok);
	return ok;
}

/* ---------- remembered answers ---------- */

/*
 * What is wrong with a value is listed again for each way in which a schema
 * comes to apply to it, but only so often.
 */
#define MAX_LISTED_AGAIN	1000

#define MAX_COUNT			(PG_INT64_MAX / 2)

/* A question about the block of the REMEMBER at `at`. */
static EvQuestion
make_question(const EvMatch *m, uint32 at, EvInstance in, const Marks *marks, RunMode mode)
{
	EvQuestion	question = {0};

	question.data = in.data;
	question.length = in.type == EV_STRING ? in.length : 0;
	question.type = in.type;
	question.block = at;
	question.scope = m->scope != NULL ? m->scope->state : 0;
	if (mode == COLLECT)
		question.kind = marks != NULL ? EV_ANSWER_COUNT_MARKS : EV_ANSWER_COUNT;
	else if (mode == MARKS)
		question.kind = marks->by_source ? EV_ANSWER_SOURCES : EV_ANSWER_MARKS;
	else
		question.kind = EV_ANSWER_PLAIN;
	return question;
}

/* Are violations that were there before only counted? */
static bool
only_counts(const EvMatch *m)
{
	return m->collector->count >= m->collector->limit ||
		(m->collector == m->top && m->memory->listed_again >= MAX_LISTED_AGAIN);
}

/* What an answer says besides yes or no. */
static bool
recall(EvMatch *m, const EvAnswer *answer, Marks *marks, RunMode mode)
{
	/* what is doubled again and again is more than can be counted */
	if (mode == COLLECT && m->collector->count < MAX_COUNT)
		m->collector->count += Min(answer->count, MAX_COUNT - m->collector->count);
	if (marks != NULL && marks->by_source)
		*marks->bits |= answer->sources;
	else if (marks != NULL && answer->marks != NULL)
		for (uint32 i = 0; i < marks->words; i++)
			marks->bits[i] |= answer->marks[i];
	return answer->valid;
}

/*
 * REMEMBER: runs a block unless its answer is known.  It has marks of its own,
 * so that it is known which it sets.  A report shows every way, and ends where
 * it gets too large.
 */
static bool
run_remembered(EvMatch *m, uint32 at, EvInstance in, Marks *marks, const Step *step, RunMode mode)
{
	const EvInstruction *instruction = &m->program->code[at];
	EvAnswer	answer = {.question = make_question(m, at, in, marks, mode)};
	const EvAnswer *known;
	uint64		few[8] = {0};
	Marks		own = {few, 0, false};

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (mode == COLLECT && m->collector->enter != NULL)
		return run_collect(m, instruction->target, in, marks, step);
	known = ev_remembered(m->memory, &answer.question);
	if (known != NULL && (mode != COLLECT || known->valid || only_counts(m)))
		return recall(m, known, marks, mode);

	if (marks != NULL)
	{
		own.words = marks->words;
		own.by_source = marks->by_source;
		if (own.words > lengthof(few))
			own.bits = palloc0(own.words * sizeof(uint64));
	}
	if (mode == COLLECT)
	{
		int64		before = m->collector->count;
		bool		again = known != NULL;

		m->memory->again += again;
		answer.valid = run_collect(m, instruction->target, in, marks != NULL ? &own : NULL, step);
		answer.count = m->collector->count - before;
		m->collector->count = before;
		m->memory->again -= again;
	}
	else if (mode == MARKS)
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
	recall(m, &answer, marks, mode);
	if (own.bits != few)
		pfree(own.bits);
	return answer.valid;
}

bool
ev_has_equal_items(const JsonbContainer *container)
{
	uint32		first;
	uint32		second;

	return find_duplicate(container, &first, &second);
}

bool
ev_match_collect(const EvProgram *program, const Jsonb *document, EvCollector *collector)
{
	EvMatch		m = {.program = program, .collector = collector, .top = collector};
	Step		root = {.path = "",.place = program->blocks[0].place};
	EvMemory	memory;
	bool		ok;

	if (program->remembers)
	{
		ev_remember_begin(&memory, program);
		m.memory = &memory;
	}
	m.is_utf8 = program->is_utf8;
	m.context = AllocSetContextCreate(CurrentMemoryContext, "event_validate violations",
									  ALLOCSET_SMALL_SIZES);
	ok = run_collect(&m, 0, ev_root_value(document), NULL, &root);
	MemoryContextDelete(m.context);
	if (program->remembers)
		ev_remember_end(&memory);
	return ok;
}

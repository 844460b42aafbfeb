/*
 * merge_allof.c
 *	  Merges the keywords of several schemas for the same instance into one
 *	  object.
 *
 * allOf and $ref combine schemas that all apply to the properties of one
 * object.  On the fast path, these become one merge over its keys.  Then the
 * properties and items for unevaluatedProperties and unevaluatedItems are
 * known at compile time: those that no schema names.  A name that only
 * branches (anyOf, oneOf, if, dependentSchemas) evaluate is a pending
 * property: its check has the set of these branches, and it is known after
 * they ran whether one of them matched.
 *
 * A block for which this is not possible, or that is large, is not merged.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "compile/optimize_internal.h"
#include "match/match_checks.h"
#include "match/match_internal.h"

/* Limits; larger merges would hardly save time. */
#define MAX_PARTS		16
#define MAX_NAMES		256
#define MAX_PATTERNS	32
#define MAX_VISITS		256
#define MAX_SOURCES		64

/* A block and all blocks that it calls for the same instance. */
typedef struct Closure
{
	const EvProgram *program;
	const EvObject *objects[MAX_PARTS];
	uint32		object_count;
	const EvArray *arrays[MAX_PARTS];
	uint32		array_count;
	const EvObject *sources[MAX_SOURCES];
	uint32		source_count;
	uint32		rest[MAX_PARTS];	/* instructions that are run in addition */
	uint32		rest_count;
	bool		rest_of_arrays; /* one of them applies to arrays, too */
	uint32		unevaluated_properties;
	uint32		unevaluated_items;
	bool		evaluates_all;
	uint32		types;
	uint32		others;			/* other types that have instructions */
	uint32		calls;
	uint32		visits;
} Closure;

/* ---------- the keywords of a block ---------- */

static bool
add_rest(Closure *c, uint32 at, bool of_arrays)
{
	if (c->rest_count == MAX_PARTS)
		return false;
	c->rest[c->rest_count++] = at;
	c->rest_of_arrays |= of_arrays;
	return true;
}

static bool
add_source(Closure *c, const EvObject *object)
{
	for (uint32 i = 0; i < c->source_count; i++)
		if (c->sources[i] == object)
			return true;
	if (c->source_count == MAX_SOURCES || object->pattern_count > 0)
		return false;
	c->sources[c->source_count++] = object;
	return true;
}

/*
 * Gathers the properties that a branch evaluates if it matches.  Returns false
 * if they are not known.
 */
static bool
gather_branch(Closure *c, uint32 block)
{
	if (c->visits++ == MAX_VISITS)
		return false;
	if (block >= EV_BLOCK_TRUE)
		return true;
	for (const EvInstruction *instruction = &c->program->code[block];; instruction++)
	{
		bool		known = true;

		switch ((EvOpcode) instruction->opcode)
		{
			case EVOP_RETURN:
			case EVOP_FAIL:
				return true;
			case EVOP_OBJECT:
				known = add_source(c, instruction->u.object);
				break;
			case EVOP_CALL:
			case EVOP_CALL_REF:
			case EVOP_DEPENDENT_SCHEMA:
			case EVOP_REMEMBER:
				known = gather_branch(c, instruction->target);
				break;
			case EVOP_ANY_OF:
			case EVOP_ONE_OF:
				for (uint32 i = 0; known && i < instruction->u.branches->count; i++)
					known = gather_branch(c, instruction->u.branches->blocks[i]);
				break;
			case EVOP_IF:
				known = gather_branch(c, instruction->u.condition.if_block) &&
					gather_branch(c, instruction->u.condition.then_block) &&
					gather_branch(c, instruction->u.condition.else_block);
				break;
			case EVOP_CALL_DYNAMIC:
			case EVOP_SCOPE:
			case EVOP_TRACK:
			case EVOP_UNEVALUATED_PROPERTIES:
			case EVOP_UNEVALUATED_ITEMS:
				return false;
			default:
				break;
		}
		if (!known)
			return false;
	}
}

/* Does a block with TRACK have unevaluatedProperties? */
static bool
is_closed(const EvProgram *program, uint32 block)
{
	for (const EvInstruction *instruction = &program->code[block]; instruction->opcode != EVOP_RETURN; instruction++)
		if (instruction->opcode == EVOP_UNEVALUATED_PROPERTIES)
			return true;
	return false;
}

/*
 * Gathers the instructions of a block that always apply.  Returns false if not
 * all are known.
 */
static bool
gather(Closure *c, uint32 block, bool is_root)
{
	if (c->visits++ == MAX_VISITS)
		return false;
	for (uint32 at = block;; at++)
	{
		const EvInstruction *instruction = &c->program->code[at];
		bool		known = true;

		switch ((EvOpcode) instruction->opcode)
		{
			case EVOP_RETURN:
				return true;
			case EVOP_FAIL:
				c->types = 0;
				return true;
			case EVOP_SKIP_UNLESS:
			case EVOP_ANNOTATE:
				break;
			case EVOP_TYPE:
				c->types &= instruction->u.type.types;
				if (instruction->u.type.integer)
					c->others |= EV_BIT(EV_NUMBER);
				break;
			case EVOP_LENGTH:
			case EVOP_PATTERN:
			case EVOP_FORMAT:
			case EVOP_CONTENT:
				c->others |= EV_BIT(EV_STRING);
				break;
			case EVOP_BOUND:
			case EVOP_MULTIPLE_OF:
				c->others |= EV_BIT(EV_NUMBER);
				break;
			case EVOP_OBJECT:
				known = c->object_count < MAX_PARTS;
				if (known)
					c->objects[c->object_count++] = instruction->u.object;
				break;
			case EVOP_ARRAY:
				known = c->array_count < MAX_PARTS;
				if (known)
					c->arrays[c->array_count++] = instruction->u.array;
				break;
			case EVOP_CALL:
			case EVOP_CALL_REF:
				c->calls++;
				if (instruction->target >= EV_BLOCK_TRUE)
					break;
				if (c->program->code[instruction->target].opcode == EVOP_TRACK)
				{
					/* the block has its own marks, and no checks */
					c->evaluates_all = true;
					known = is_closed(c->program, instruction->target) && add_rest(c, at, true);
				}
				else
					known = gather(c, instruction->target, false);
				break;
			case EVOP_DEPENDENT_REQUIRED:
				known = add_rest(c, at, false);
				break;
			case EVOP_DEPENDENT_SCHEMA:
				known = add_rest(c, at, false) && gather_branch(c, instruction->target);
				break;
			case EVOP_ENUM:
			case EVOP_ENUM_STRINGS:
			case EVOP_NOT:
				known = add_rest(c, at, true);
				break;
			case EVOP_ANY_OF:
			case EVOP_ONE_OF:
				known = add_rest(c, at, true);
				for (uint32 i = 0; known && i < instruction->u.branches->count; i++)
					known = gather_branch(c, instruction->u.branches->blocks[i]);
				break;
			case EVOP_IF:
				known = add_rest(c, at, true) &&
					gather_branch(c, instruction->u.condition.if_block) &&
					gather_branch(c, instruction->u.condition.then_block) &&
					gather_branch(c, instruction->u.condition.else_block);
				break;
			case EVOP_UNEVALUATED_PROPERTIES:
				known = is_root;
				c->unevaluated_properties = instruction->target;
				break;
			case EVOP_UNEVALUATED_ITEMS:
				known = is_root;
				c->unevaluated_items = instruction->target;
				break;
			case EVOP_REMEMBER: /* a merged block is not remembered */
			case EVOP_CALL_DYNAMIC:
			case EVOP_SCOPE:
			case EVOP_TRACK:
				return false;
		}
		if (!known)
			return false;
	}
}

/* Is "additional" a schema other than true? */
static inline bool
is_schema(uint32 block)
{
	return block < EV_BLOCK_TRUE;
}

/*
 * Do its patterns run in linear time, so that they can be matched at compile
 * time?
 */
static bool
are_linear(const EvObject *object)
{
	for (uint32 i = 0; i < object->pattern_count; i++)
		if (!ev_pattern_is_linear(object->patterns[i].pattern))
			return false;
	return true;
}

/* Can the objects be merged? */
static bool
can_merge_objects(const Closure *c, uint32 names_left)
{
	uint32		names = 0;
	uint32		patterns = 0;

	for (uint32 i = 0; i < c->object_count; i++)
	{
		names += c->objects[i]->property_count;
		patterns += c->objects[i]->pattern_count;
		if (patterns > MAX_PATTERNS || !are_linear(c->objects[i]))
			return false;
		/* a key that matches a pattern is additional for the other objects */
		for (uint32 j = 0; c->objects[i]->pattern_count > 0 && j < c->object_count; j++)
			if (j != i && is_schema(c->objects[j]->additional))
				return false;
	}
	for (uint32 i = 0; i < c->source_count; i++)
		names += c->sources[i]->property_count;
	return names <= Min(MAX_NAMES, names_left);
}

/* Can the arrays be merged? */
static bool
can_merge_arrays(const Closure *c)
{
	bool		has_items = false;
	bool		marks = false;
	uint32		contains = 0;

	for (uint32 i = 0; i < c->array_count; i++)
	{
		const EvArray *array = c->arrays[i];

		has_items |= array->items != EV_BLOCK_NONE;
		contains += array->contains != EV_BLOCK_NONE;
		marks |= array->contains != EV_BLOCK_NONE && array->contains_evaluates;
		if (array->prefix_count > MAX_NAMES)
			return false;
	}
	return contains <= 1 && !c->rest_of_arrays &&
		(!marks || has_items || c->unevaluated_items == EV_BLOCK_NONE);
}

/*
 * Numbers the objects of branches.  The numbers are unique in each merge that
 * an object is part of.
 */
static bool
number_sources(const Closure *c)
{
	uint64		used = 0;

	for (uint32 i = 0; i < c->source_count; i++)
	{
		uint8		number = c->sources[i]->source;

		if (number == EV_NO_SOURCE)
			continue;
		if ((used & (UINT64CONST(1) << number)) != 0)
			return false;
		used |= UINT64CONST(1) << number;
	}
	for (uint32 i = 0, next = 0; i < c->source_count; i++)
	{
		EvObject   *object = unconstify(EvObject *, c->sources[i]);

		if (object->source != EV_NO_SOURCE)
			continue;
		while ((used & (UINT64CONST(1) << next)) != 0)
			next++;
		object->source = next++;
	}
	return true;
}

static void *
copy_parts(const void *parts, uint32 count)
{
	void	   *copy = palloc(sizeof(void *) * Max(count, 1));

	memcpy(copy, parts, sizeof(void *) * count);
	return copy;
}

/* Writes the remaining instructions, as a separate block. */
static uint32
write_rest(EvProgram *program, const Closure *c, uint32 *end)
{
	uint32		start = *end;

	if (c->rest_count == 0)
		return EV_BLOCK_TRUE;
	program->code = repalloc(program->code, (start + c->rest_count + 1) * sizeof(EvInstruction));
	program->sources = repalloc(program->sources, (start + c->rest_count + 1) * sizeof(EvSource));
	for (uint32 i = 0; i < c->rest_count; i++)
	{
		program->code[start + i] = program->code[c->rest[i]];
		program->sources[start + i] = program->sources[c->rest[i]];
	}
	program->code[start + c->rest_count] = (EvInstruction) {.opcode = EVOP_RETURN};
	program->sources[start + c->rest_count] = program->sources[c->rest[0]];
	*end = start + c->rest_count + 1;
	return start;
}

/*
 * Returns the merge of the block at this index; NULL if it cannot be merged.
 */
static EvMerge *
find_merge(EvOptimizer *o, uint32 block, uint32 *end)
{
	EvProgram  *program = o->program;
	bool		tracks = program->code[block].opcode == EVOP_TRACK;
	Closure		c = {.program = program, .types = EV_ALL_TYPES,
	.unevaluated_properties = EV_BLOCK_NONE, .unevaluated_items = EV_BLOCK_NONE};
	EvMerge    *merge;
	bool		objects;
	bool		arrays;

	if (!gather(&c, tracks ? block + 1 : block, true) || (!tracks && (c.calls == 0 || c.rest_count > 0)))
		return NULL;
	objects = (c.types & EV_BIT(EV_OBJECT)) != 0 && can_merge_objects(&c, o->names_left) && number_sources(&c);
	arrays = (c.types & EV_BIT(EV_ARRAY)) != 0 && can_merge_arrays(&c);

	merge = palloc0(sizeof(EvMerge));
	merge->types = c.types;
	merge->objects = copy_parts(c.objects, c.object_count);
	merge->object_count = c.object_count;
	merge->sources = copy_parts(c.sources, c.source_count);
	merge->source_count = c.source_count;
	merge->arrays = copy_parts(c.arrays, c.array_count);
	merge->array_count = c.array_count;
	merge->unevaluated_properties = c.unevaluated_properties;
	merge->unevaluated_items = c.unevaluated_items;
	merge->evaluates_all = c.evaluates_all;

	/* types that have keywords */
	if (c.object_count > 0 || c.unevaluated_properties != EV_BLOCK_NONE)
		c.others |= EV_BIT(EV_OBJECT);
	if (c.array_count > 0 || c.unevaluated_items != EV_BLOCK_NONE)
		c.others |= EV_BIT(EV_ARRAY);
	c.others &= c.types;
	merge->is_whole = c.rest_count == 0 &&
		(c.others == 0 || (c.others == EV_BIT(EV_OBJECT) && objects) || (c.others == EV_BIT(EV_ARRAY) && arrays));
	merge->subject = c.others == EV_BIT(EV_OBJECT) ? EV_OBJECT : c.others == EV_BIT(EV_ARRAY) ? EV_ARRAY : EV_TYPE_COUNT;
	if (!tracks && (!merge->is_whole || (c.object_count < 2 && c.array_count < 2)))
		return NULL;

	if (objects && (tracks || c.others == EV_BIT(EV_OBJECT)))
	{
		merge->object = palloc0(sizeof(EvObject));
		merge->object->source = EV_NO_SOURCE;
		for (uint32 i = 0; i < c.object_count; i++)
			o->names_left -= c.objects[i]->property_count;
		for (uint32 i = 0; i < c.source_count; i++)
			o->names_left -= c.sources[i]->property_count;
	}
	if (arrays && (tracks || c.others == EV_BIT(EV_ARRAY)))
		merge->array = palloc0(sizeof(EvArray));
	if (tracks)
	{
		EvTracked  *tracked = palloc0(sizeof(EvTracked));

		tracked->object = merge->object;
		tracked->array = merge->array;
		tracked->types = c.types;
		tracked->rest = write_rest(program, &c, end);
		merge->tracked = tracked;
		program->code[block].u.tracked = tracked;
	}
	return merge;
}

void
ev_find_merges(EvOptimizer *o)
{
	EvProgram  *program = o->program;
	uint32		end = program->length;

	o->merges = palloc0(sizeof(EvMerge *) * Max(program->length, 1));
	o->names_left = 4096 + 4 * program->length;
	for (uint32 i = 0; i < program->length; i++)
		if (program->code[i].opcode == EVOP_OBJECT)
			unconstify(EvObject *, program->code[i].u.object)->source = EV_NO_SOURCE;
	for (uint32 i = 0; i < program->block_count; i++)
	{
		uint32		start = program->blocks[i].start;

		CHECK_FOR_INTERRUPTS();
		if (start < program->length && program->code[start].opcode != EVOP_SCOPE)
			o->merges[start] = find_merge(o, start, &end);
		else if (start + 1 < program->length && program->code[start + 1].opcode == EVOP_TRACK)
			o->merges[start + 1] = find_merge(o, start + 1, &end);
	}
	program->code_length = end;
}

/* ---------- checks that stand for several ---------- */

static EvCheck
true_check(void)
{
	return (EvCheck) {.kind = EV_CHECK_TRUE, .types = EV_ALL_TYPES, .block = EV_BLOCK_TRUE};
}

/* Returns a check for values that pass both checks. */
static EvCheck
combine(EvCheck a, EvCheck b)
{
	EvCheck		check = true_check();
	uint8		types = a.types & b.types;
	const EvCheck *checks[2];
	uint32		count = 0;
	EvChecks   *all;

	if (types == 0)
	{
		check.kind = EV_CHECK_TYPE;
		check.types = 0;
		return check;
	}
	if (a.kind == EV_CHECK_TRUE)
		return b;
	if (b.kind == EV_CHECK_TRUE)
		return a;
	if (a.kind == EV_CHECK_TYPE || b.kind == EV_CHECK_TYPE)
	{
		check = a.kind == EV_CHECK_TYPE ? b : a;
		check.types = types;
		return check;
	}

	checks[0] = &a;
	checks[1] = &b;
	for (int i = 0; i < 2; i++)
		count += checks[i]->kind == EV_CHECK_ALL ? checks[i]->u.all->count : 1;
	all = palloc(offsetof(EvChecks, checks) + sizeof(EvCheck) * count);
	all->count = 0;
	for (int i = 0; i < 2; i++)
	{
		if (checks[i]->kind == EV_CHECK_ALL)
		{
			memcpy(&all->checks[all->count], checks[i]->u.all->checks, sizeof(EvCheck) * checks[i]->u.all->count);
			all->count += checks[i]->u.all->count;
		}
		else
			all->checks[all->count++] = *checks[i];
	}
	check.kind = EV_CHECK_ALL;
	check.checked = EV_ALL_TYPES;
	check.types = types;
	check.u.all = all;
	return check;
}

static int
compare_names(const void *a, const void *b)
{
	return ev_key_order(&((const EvProperty *) a)->name, &((const EvProperty *) b)->name);
}

/*
 * Adds the checks of one object's keywords for a name.  Returns true if one of
 * them evaluates it.
 */
static bool
add_check(const EvOptimizer *o, const EvObject *object, EvString name, EvCheck *check)
{
	const EvProperty *property = ev_declared_property(object, name);
	bool		evaluated = false;

	if (property != NULL && property->block != EV_BLOCK_NONE)
	{
		*check = combine(*check, ev_make_check(o, property->block));
		evaluated = true;
	}
	for (uint32 i = 0; i < object->pattern_count; i++)
	{
		if (!ev_matches_pattern(object->patterns[i].pattern, name.data, name.length))
			continue;
		*check = combine(*check, ev_make_check(o, object->patterns[i].block));
		evaluated = true;
	}
	if (!evaluated && object->additional != EV_BLOCK_NONE)
	{
		*check = combine(*check, ev_make_check(o, object->additional));
		evaluated = true;
	}
	return evaluated;
}

bool
ev_resolve_property(const EvOptimizer *o, const EvObject *object, EvString name, EvCheck *check)
{
	if ((uint64) object->property_count * object->pattern_count > MAX_NAMES || !are_linear(object))
		return false;
	*check = true_check();
	add_check(o, object, name, check);
	return true;
}

/* ---------- filling in ---------- */

/*
 * Returns the check of a property that no keyword always evaluates; if name is
 * NULL, of all other properties.
 */
static EvCheck
unevaluated_check(const EvOptimizer *o, const EvMerge *merge, const EvString *name)
{
	EvCheck		check = true_check();
	uint64		sources = 0;

	if (merge->evaluates_all || merge->unevaluated_properties == EV_BLOCK_NONE)
		return check;
	for (uint32 i = 0; i < merge->source_count; i++)
	{
		const EvObject *source = merge->sources[i];
		const EvProperty *property = name != NULL ? ev_declared_property(source, *name) : NULL;

		if (source->additional != EV_BLOCK_NONE || (property != NULL && property->block != EV_BLOCK_NONE))
			sources |= UINT64CONST(1) << source->source;
	}
	check = ev_make_check(o, merge->unevaluated_properties);
	if (sources == 0 || check.kind == EV_CHECK_TRUE)
		return check;
	check = true_check();
	check.kind = EV_CHECK_PENDING;
	check.u.sources = sources;
	return check;
}

static void
fill_object(const EvOptimizer *o, EvMerge *merge)
{
	EvObject   *object = merge->object;
	const EvObject *parts[MAX_PARTS + MAX_SOURCES];
	uint32		part_count = 0;
	uint32		names = 0;
	uint32		patterns = 0;
	bool		evaluated = false;

	for (uint32 i = 0; i < merge->object_count; i++)
		parts[part_count++] = merge->objects[i];
	for (uint32 i = 0; i < merge->source_count; i++)
		parts[part_count++] = merge->sources[i];
	for (uint32 i = 0; i < part_count; i++)
	{
		names += parts[i]->property_count;
		patterns += parts[i]->pattern_count;
	}

	object->properties = palloc0(sizeof(EvProperty) * Max(names, 1));
	for (uint32 i = 0; i < part_count; i++)
		for (uint32 j = 0; j < parts[i]->property_count; j++)
		{
			EvProperty *property = &object->properties[object->property_count++];

			property->name = parts[i]->properties[j].name;
			property->block = EV_BLOCK_NONE;
			property->required = i < merge->object_count && parts[i]->properties[j].required;
		}
	qsort(object->properties, object->property_count, sizeof(EvProperty), compare_names);
	names = object->property_count;
	object->property_count = 0;
	for (uint32 i = 0; i < names; i++)
	{
		EvProperty *property = &object->properties[i];
		EvProperty *last = object->property_count > 0 ? &object->properties[object->property_count - 1] : NULL;

		if (last != NULL && compare_names(last, property) == 0)
			last->required |= property->required;
		else
			object->properties[object->property_count++] = *property;
	}

	object->patterns = palloc0(sizeof(EvPatternProperty) * Max(patterns, 1));
	object->max_properties = EV_NO_MAXIMUM;
	object->additional = EV_BLOCK_NONE;
	object->names = EV_BLOCK_NONE;
	object->additional_check = true_check();
	object->names_check = true_check();
	for (uint32 i = 0; i < merge->object_count; i++)
	{
		const EvObject *part = parts[i];

		object->min_properties = Max(object->min_properties, part->min_properties);
		object->max_properties = Min(object->max_properties, part->max_properties);
		object->names_check = combine(object->names_check, ev_make_check(o, part->names));
		for (uint32 j = 0; j < part->pattern_count; j++)
		{
			EvPatternProperty *pattern = &object->patterns[object->pattern_count++];

			*pattern = part->patterns[j];
			pattern->check = ev_make_check(o, pattern->block);
		}
		if (part->additional != EV_BLOCK_NONE)
		{
			object->additional_check = combine(object->additional_check, ev_make_check(o, part->additional));
			evaluated = true;
		}
	}
	if (!evaluated)
		object->additional_check = unevaluated_check(o, merge, NULL);

	for (uint32 i = 0; i < object->property_count; i++)
	{
		EvProperty *property = &object->properties[i];

		property->check = true_check();
		evaluated = false;
		for (uint32 j = 0; j < merge->object_count; j++)
			evaluated |= add_check(o, parts[j], property->name, &property->check);
		if (!evaluated)
			property->check = unevaluated_check(o, merge, &property->name);
		object->required_count += property->required;
	}
	object->is_resolved = true;
	ev_finish_object(object);
}

static void
fill_array(const EvOptimizer *o, EvMerge *merge)
{
	EvArray    *array = merge->array;
	bool		evaluated = false;

	array->max_items = EV_NO_MAXIMUM;
	array->items = EV_BLOCK_NONE;
	array->contains = EV_BLOCK_NONE;
	array->contains_check = true_check();
	array->items_check = true_check();
	for (uint32 i = 0; i < merge->array_count; i++)
	{
		const EvArray *part = merge->arrays[i];

		array->min_items = Max(array->min_items, part->min_items);
		array->max_items = Min(array->max_items, part->max_items);
		array->unique_items |= part->unique_items;
		array->prefix_count = Max(array->prefix_count, part->prefix_count);
		if (part->contains != EV_BLOCK_NONE)
		{
			array->contains = part->contains;
			array->contains_check = ev_make_check(o, part->contains);
			array->min_contains = part->min_contains;
			array->max_contains = part->max_contains;
		}
		if (part->items != EV_BLOCK_NONE)
		{
			array->items_check = combine(array->items_check, ev_make_check(o, part->items));
			evaluated = true;
		}
	}
	if (!evaluated)
		array->items_check = ev_make_check(o, merge->unevaluated_items);

	array->prefix_checks = palloc(sizeof(EvCheck) * Max(array->prefix_count, 1));
	for (uint32 i = 0; i < array->prefix_count; i++)
	{
		array->prefix_checks[i] = true_check();
		for (uint32 j = 0; j < merge->array_count; j++)
		{
			const EvArray *part = merge->arrays[j];

			array->prefix_checks[i] = combine(array->prefix_checks[i],
											  ev_make_check(o, i < part->prefix_count ? part->prefix[i] : part->items));
		}
	}
}

void
ev_fill_merges(EvOptimizer *o)
{
	for (uint32 i = 0; i < o->program->length; i++)
	{
		EvMerge    *merge = o->merges[i];

		CHECK_FOR_INTERRUPTS();
		if (merge == NULL)
			continue;
		if (merge->object != NULL)
			fill_object(o, merge);
		if (merge->array != NULL)
			fill_array(o, merge);
		if (merge->tracked != NULL)
			merge->tracked->unevaluated = ev_make_check(o, merge->unevaluated_properties);
	}
}

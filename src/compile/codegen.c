/*
 * codegen.c
 *	  Generates the program of a schema.
 *
 * resolve.c has read the documents: each keyword's value has the right shape,
 * and each reference has a target.  Each subschema becomes one block when it
 * is first used.  Blocks are written from a list and not by recursion, so that
 * a program is not larger than its documents.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/short_string.h"
#include "compile/codegen.h"
#include "compile/discriminator.h"
#include "compile/endless.h"
#include "compile/lint.h"
#include "compile/optimize.h"
#include "compile/program_writer.h"
#include "jsonb/jsonb_number.h"
#include "schema/schema_graph.h"

/* ---------- order ---------- */

static int
compare_properties(const void *a, const void *b)
{
	return ev_key_order(&((const EvProperty *) a)->name, &((const EvProperty *) b)->name);
}

static int
compare_instances(const void *a, const void *b)
{
	const EvInstance *x = a;
	const EvInstance *y = b;
	EvString	s = {x->data, x->length};
	EvString	t = {y->data, y->length};

	return ev_key_order(&s, &t);
}

/* ---------- keywords of all types ---------- */

/*
 * Returns a dynamic anchor with all possible targets, made once for each name.
 */
static EvAnchor *
anchor_of(EvWriter *w, const char *name)
{
	EvProgram  *program = w->program;
	EvAnchor   *anchor;
	List	   *found = ev_dynamic_anchors(w->compiler, name);
	ListCell   *cell;

	for (uint32 i = 0; i < program->anchor_count; i++)
		if (strcmp(program->anchors[i]->name, name) == 0)
			return program->anchors[i];

	ev_compiler_look(w->compiler);
	anchor = ev_program_alloc(w, sizeof(EvAnchor));
	anchor->name = ev_program_string(w, name, strlen(name)).data;
	anchor->targets = ev_program_alloc(w, sizeof(EvDynamicTarget) * Max(list_length(found), 1));
	foreach(cell, found)
	{
		EvDynamicAnchor *dynamic = lfirst(cell);
		EvDynamicTarget *target = &anchor->targets[anchor->target_count++];

		target->resource = dynamic->resource->index;
		target->block = ev_block_of(w, dynamic->target);
	}

	if (program->anchor_count == w->anchor_room)
	{
		w->anchor_room = Max(8, 2 * w->anchor_room);
		program->anchors = program->anchors == NULL ?
			ev_program_alloc(w, w->anchor_room * sizeof(EvAnchor *)) :
			repalloc(program->anchors, w->anchor_room * sizeof(EvAnchor *));
	}
	anchor->index = program->anchor_count++;
	program->anchors[anchor->index] = anchor;
	return anchor;
}

static void
write_references(EvWriter *w)
{
	ListCell   *cell;

	foreach(cell, w->subschema->references)
	{
		EvReference *reference = lfirst(cell);
		EvInstruction *instruction;
		EvDynamic  *dynamic;
		EvSubschema *initial;

		if (reference->dynamic_anchor == NULL)
		{
			instruction = ev_emit(w, EVOP_CALL_REF, reference->keyword);
			instruction->target = ev_block_of(w, reference->target);
			continue;
		}

		dynamic = ev_program_alloc(w, sizeof(EvDynamic));
		initial = reference->target;
		if (initial == NULL)
		{
			/* if no resource in scope has the anchor, no value is valid */
			initial = palloc0(sizeof(EvSubschema));
			initial->is_boolean = true;
			initial->location = ev_location_make(w->compiler, w->subschema->location, reference->keyword,
												 psprintf("/%s", reference->keyword));
			initial->block = EV_BLOCK_NONE;
		}
		dynamic->initial = ev_block_of(w, initial);
		dynamic->anchor = anchor_of(w, reference->dynamic_anchor);
		if (dynamic->anchor->target_count == 0 && reference->target == NULL)
			ev_compile_fault_of(w->compiler, EV_RULE_INVALID_REFERENCE, w->subschema->location,
								psprintf("/%s", reference->keyword),
								"there is no $dynamicAnchor \"%s\"", reference->dynamic_anchor);
		instruction = ev_emit(w, EVOP_CALL_DYNAMIC, reference->keyword);
		instruction->u.dynamic = dynamic;
	}
}

static void
write_branches(EvWriter *w, int keyword, EvOpcode opcode)
{
	EvBranches *branches;

	if (!w->keywords.present[keyword])
		return;
	branches = ev_program_alloc(w, sizeof(EvBranches));
	branches->blocks = ev_array_blocks(w, keyword, &branches->count);
	ev_read_discriminator(w, &w->keywords.values[keyword], branches);
	ev_emit(w, opcode, ev_keywords[keyword].name)->u.branches = branches;
}

static void
write_applicators(EvWriter *w)
{
	EvInstruction *instruction;

	if (w->keywords.present[EV_KW_ALL_OF])
	{
		uint32		count;
		uint32	   *blocks = ev_array_blocks(w, EV_KW_ALL_OF, &count);

		for (uint32 i = 0; i < count; i++)
		{
			if (blocks[i] == EV_BLOCK_TRUE)
				continue;
			instruction = ev_emit_at(w, EVOP_CALL, "allOf", ev_tail_index("allOf", i));
			instruction->target = blocks[i];
		}
	}
	write_branches(w, EV_KW_ANY_OF, EVOP_ANY_OF);
	write_branches(w, EV_KW_ONE_OF, EVOP_ONE_OF);

	if (w->keywords.present[EV_KW_NOT])
	{
		uint32		block = ev_keyword_block(w, EV_KW_NOT);

		instruction = ev_emit(w, EVOP_NOT, "not");
		instruction->target = block;
	}

	/* "then" and "else" have no effect without "if" (2020-12 core, 10.2.2) */
	if (w->keywords.present[EV_KW_IF])
	{
		uint32		if_block = ev_keyword_block(w, EV_KW_IF);
		uint32		then_block = ev_keyword_block(w, EV_KW_THEN);
		uint32		else_block = ev_keyword_block(w, EV_KW_ELSE);

		instruction = ev_emit(w, EVOP_IF, "if");
		instruction->u.condition.if_block = if_block;
		instruction->u.condition.then_block = then_block;
		instruction->u.condition.else_block = else_block;
	}
}

static void
write_enum(EvWriter *w, int keyword)
{
	EvInstruction *instruction;
	EvEnum	   *enumeration;

	if (!w->keywords.present[keyword])
		return;
	enumeration = ev_program_alloc(w, sizeof(EvEnum));
	enumeration->is_const = keyword == EV_KW_CONST;
	enumeration->count = enumeration->is_const ? 1 :
		JsonContainerSize(w->keywords.values[keyword].val.binary.data);
	enumeration->values = ev_program_alloc(w, sizeof(EvInstance) * Max(enumeration->count, 1));
	for (uint32 i = 0; i < enumeration->count; i++)
	{
		JsonbValue *value = enumeration->is_const ? &w->keywords.values[keyword] :
			getIthJsonbValueFromContainer(w->keywords.values[keyword].val.binary.data, i);

		enumeration->values[i] = ev_program_instance(w, value);
		enumeration->types |= EV_BIT(enumeration->values[i].type);
	}
	if (enumeration->types == EV_BIT(EV_STRING))
	{
		enumeration->shown = ev_program_alloc(w, sizeof(EvInstance) * enumeration->count);
		memcpy(enumeration->shown, enumeration->values, sizeof(EvInstance) * enumeration->count);
		qsort(enumeration->values, enumeration->count, sizeof(EvInstance), compare_instances);
	}
	else
		enumeration->shown = enumeration->values;
	instruction = ev_emit(w, enumeration->types == EV_BIT(EV_STRING) ? EVOP_ENUM_STRINGS : EVOP_ENUM,
						  ev_keywords[keyword].name);
	instruction->u.enumeration = enumeration;
}

/* ---------- keywords of one type ---------- */

static bool
has_any(EvWriter *w, const EvKeywordSymbol *keywords, int count)
{
	for (int i = 0; i < count; i++)
		if (w->keywords.present[keywords[i]])
			return true;
	return false;
}

static void
write_string(EvWriter *w)
{
	EvResource *resource = w->subschema->resource;
	EvInstruction *instruction;
	bool		base64;
	bool		json;

	if (ev_count_keyword(w, EV_KW_MIN_LENGTH, 0) > 0 || w->keywords.present[EV_KW_MAX_LENGTH])
	{
		instruction = ev_emit(w, EVOP_LENGTH, w->keywords.present[EV_KW_MIN_LENGTH] ? "minLength" : "maxLength");
		instruction->u.size.minimum = ev_count_keyword(w, EV_KW_MIN_LENGTH, 0);
		instruction->u.size.maximum = ev_count_keyword(w, EV_KW_MAX_LENGTH, EV_NO_MAXIMUM);
	}

	/*
	 * the format is first, since its message is easier to understand than a
	 * pattern's
	 */
	if (w->keywords.present[EV_KW_FORMAT])
	{
		JsonbValue *value = &w->keywords.values[EV_KW_FORMAT];
		const EvFormat *format = ev_asserted_format(resource, value->val.string.val, value->val.string.len);

		if (format != NULL)
			ev_emit(w, EVOP_FORMAT, "format")->u.format = format;
	}
	if (w->keywords.present[EV_KW_PATTERN])
	{
		JsonbValue *value = &w->keywords.values[EV_KW_PATTERN];

		instruction = ev_emit(w, EVOP_PATTERN, "pattern");
		instruction->u.pattern.compiled = ev_compile_pattern(w->compiler, w->subschema->location, "/pattern",
															 value->val.string.val, value->val.string.len);
		instruction->u.pattern.source = ev_program_string(w, value->val.string.val, value->val.string.len).data;
		instruction->u.pattern.shape = ev_pattern_shape(instruction->u.pattern.compiled);
	}

	/* annotations since 2019-09 (2020-12 validation, section 8) */
	base64 = w->keywords.present[EV_KW_CONTENT_ENCODING] &&
		w->keywords.values[EV_KW_CONTENT_ENCODING].val.string.len == 6 &&
		memcmp(w->keywords.values[EV_KW_CONTENT_ENCODING].val.string.val, "base64", 6) == 0;
	json = w->keywords.present[EV_KW_CONTENT_MEDIA_TYPE] &&
		w->keywords.values[EV_KW_CONTENT_MEDIA_TYPE].val.string.len == 16 &&
		memcmp(w->keywords.values[EV_KW_CONTENT_MEDIA_TYPE].val.string.val, "application/json", 16) == 0;
	if (resource->draft == EV_DRAFT7 && resource->assert_format && (base64 || json))
	{
		instruction = ev_emit(w, EVOP_CONTENT, base64 ? "contentEncoding" : "contentMediaType");
		instruction->u.content.base64 = base64;
		instruction->u.content.json = json;
	}
}

static void
write_bound(EvWriter *w, int keyword, EvBoundKind kind, const char *name)
{
	EvInstruction *instruction;

	if (!w->keywords.present[keyword])
		return;
	instruction = ev_emit(w, EVOP_BOUND, name);
	instruction->u.bound.kind = kind;
	instruction->u.bound.value = ev_program_numeric(w, w->keywords.values[keyword].val.numeric);
}

static void
write_number(EvWriter *w)
{
	/*
	 * in draft 4, exclusiveMinimum and exclusiveMaximum are booleans (5.1.2
	 * and 5.1.3)
	 */
	bool		exclusive_minimum = w->keywords.present[EV_KW_EXCLUSIVE_MINIMUM_DRAFT4] &&
		w->keywords.values[EV_KW_EXCLUSIVE_MINIMUM_DRAFT4].val.boolean;
	bool		exclusive_maximum = w->keywords.present[EV_KW_EXCLUSIVE_MAXIMUM_DRAFT4] &&
		w->keywords.values[EV_KW_EXCLUSIVE_MAXIMUM_DRAFT4].val.boolean;

	write_bound(w, EV_KW_MINIMUM, exclusive_minimum ? EV_EXCLUSIVE_MINIMUM : EV_MINIMUM, "minimum");
	write_bound(w, EV_KW_EXCLUSIVE_MINIMUM, EV_EXCLUSIVE_MINIMUM, "exclusiveMinimum");
	write_bound(w, EV_KW_MAXIMUM, exclusive_maximum ? EV_EXCLUSIVE_MAXIMUM : EV_MAXIMUM, "maximum");
	write_bound(w, EV_KW_EXCLUSIVE_MAXIMUM, EV_EXCLUSIVE_MAXIMUM, "exclusiveMaximum");
	if (w->keywords.present[EV_KW_MULTIPLE_OF])
		ev_emit(w, EVOP_MULTIPLE_OF, "multipleOf")->u.bound.value =
			ev_program_numeric(w, w->keywords.values[EV_KW_MULTIPLE_OF].val.numeric);
}

/* Writes properties and required, as one sorted list of names. */
static void
write_properties(EvWriter *w, EvObject *object)
{
	uint32		room = 0;
	uint32		count = 0;
	uint32		out = 0;

	if (w->keywords.present[EV_KW_PROPERTIES])
		room += JsonContainerSize(w->keywords.values[EV_KW_PROPERTIES].val.binary.data);
	if (w->keywords.present[EV_KW_REQUIRED])
		room += JsonContainerSize(w->keywords.values[EV_KW_REQUIRED].val.binary.data);
	if (room == 0)
		return;
	object->properties = ev_program_alloc(w, sizeof(EvProperty) * room);

	if (w->keywords.present[EV_KW_PROPERTIES])
	{
		JsonbIterator *iterator = JsonbIteratorInit(w->keywords.values[EV_KW_PROPERTIES].val.binary.data);
		JsonbIteratorToken token;
		JsonbValue	key;
		JsonbValue	value;

		while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
		{
			if (token != WJB_KEY)
				continue;
			JsonbIteratorNext(&iterator, &value, true);
			object->properties[count].name = ev_program_string(w, key.val.string.val, key.val.string.len);
			object->properties[count].block =
				ev_child_block(w, "properties", ev_tail_name("properties", key.val.string.val, key.val.string.len), &value);
			count++;
		}
	}
	if (w->keywords.present[EV_KW_REQUIRED])
	{
		JsonbContainer *names = w->keywords.values[EV_KW_REQUIRED].val.binary.data;

		for (uint32 i = 0; i < JsonContainerSize(names); i++)
		{
			JsonbValue *name = getIthJsonbValueFromContainer(names, i);

			object->properties[count].name = ev_program_string(w, name->val.string.val, name->val.string.len);
			object->properties[count].block = EV_BLOCK_NONE;
			object->properties[count].required = true;
			count++;
		}
	}

	/* merge names that are in both lists, or twice in required */
	qsort(object->properties, count, sizeof(EvProperty), compare_properties);
	for (uint32 i = 0; i < count; i++)
	{
		EvProperty *property = &object->properties[i];
		EvProperty *last = out > 0 ? &object->properties[out - 1] : NULL;

		if (last != NULL && compare_properties(last, property) == 0)
		{
			last->required |= property->required;
			if (last->block == EV_BLOCK_NONE)
				last->block = property->block;
		}
		else
			object->properties[out++] = *property;
	}
	object->property_count = out;
	for (uint32 i = 0; i < out; i++)
		object->required_count += object->properties[i].required;
}

/*
 * The first bytes of a name distinguish "^x-" from most names.  Only simple
 * prefixes are found: letters, digits, "-" and "_" at the start, and no
 * alternative.
 */
static void
write_prefix(EvPatternProperty *pattern, const char *source, int length)
{
	char		bytes[8];
	char		ones[8];
	int			count = 0;

	pattern->prefix = pattern->prefix_mask = 0;
	if (length == 0 || source[0] != '^' || memchr(source, '|', length) != NULL)
		return;
	while (count + 1 < length &&
		   (isalnum((unsigned char) source[count + 1]) || source[count + 1] == '-' || source[count + 1] == '_') &&
		   !IS_HIGHBIT_SET(source[count + 1]))
		count++;
	/* a repeated character may be missing */
	if (count > 0 && count + 1 < length && strchr("*?{", source[count + 1]) != NULL)
		count--;
	count = Min(count, 8);
	memset(ones, 0xFF, sizeof(ones));
	memcpy(bytes, source + 1, count);
	pattern->prefix = ev_word(bytes, count);
	pattern->prefix_mask = ev_word(ones, count);
}

static void
write_patterns(EvWriter *w, EvObject *object)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	if (!w->keywords.present[EV_KW_PATTERN_PROPERTIES])
		return;
	object->patterns = ev_program_alloc(w, sizeof(EvPatternProperty) *
										(JsonContainerSize(w->keywords.values[EV_KW_PATTERN_PROPERTIES].val.binary.data) + 1));
	iterator = JsonbIteratorInit(w->keywords.values[EV_KW_PATTERN_PROPERTIES].val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		EvPatternProperty *pattern;
		char	   *tail;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		pattern = &object->patterns[object->pattern_count++];
		tail = ev_tail_name("patternProperties", key.val.string.val, key.val.string.len);
		pattern->pattern = ev_compile_pattern(w->compiler, w->subschema->location, tail,
											  key.val.string.val, key.val.string.len);
		write_prefix(pattern, key.val.string.val, key.val.string.len);
		pattern->block = ev_child_block(w, "patternProperties", tail, &value);
	}
}

static EvString *
program_strings(EvWriter *w, const JsonbValue *array, uint32 *count)
{
	EvString   *strings;

	*count = JsonContainerSize(array->val.binary.data);
	strings = ev_program_alloc(w, sizeof(EvString) * Max(*count, 1));
	for (uint32 i = 0; i < *count; i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(array->val.binary.data, i);

		strings[i] = ev_program_string(w, item->val.string.val, item->val.string.len);
	}
	return strings;
}

/* Writes dependencies, dependentRequired and dependentSchemas. */
static void
write_dependencies(EvWriter *w, int keyword)
{
	const char *name = ev_keywords[keyword].name;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	if (!w->keywords.present[keyword])
		return;
	iterator = JsonbIteratorInit(w->keywords.values[keyword].val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		EvInstruction *instruction;
		EvDependency *dependency;
		char	   *tail;
		uint32		block = EV_BLOCK_NONE;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		tail = ev_tail_name(name, key.val.string.val, key.val.string.len);
		dependency = ev_program_alloc(w, sizeof(EvDependency));
		dependency->property = ev_program_string(w, key.val.string.val, key.val.string.len);
		if (ev_node_is_array(&value))
			dependency->required = program_strings(w, &value, &dependency->required_count);
		else
			block = ev_child_block(w, name, tail, &value);
		if (block == EV_BLOCK_TRUE)
			continue;
		instruction = ev_emit_at(w, block == EV_BLOCK_NONE ? EVOP_DEPENDENT_REQUIRED : EVOP_DEPENDENT_SCHEMA,
								 name, tail);
		instruction->u.dependency = dependency;
		instruction->target = block;
	}
}

static void
write_object(EvWriter *w)
{
	static const EvKeywordSymbol merged[] = {
		EV_KW_PROPERTIES, EV_KW_PATTERN_PROPERTIES, EV_KW_ADDITIONAL_PROPERTIES, EV_KW_PROPERTY_NAMES,
		EV_KW_REQUIRED, EV_KW_MIN_PROPERTIES, EV_KW_MAX_PROPERTIES,
	};

	if (has_any(w, merged, lengthof(merged)))
	{
		EvObject   *object = ev_program_alloc(w, sizeof(EvObject));

		object->min_properties = ev_count_keyword(w, EV_KW_MIN_PROPERTIES, 0);
		object->max_properties = ev_count_keyword(w, EV_KW_MAX_PROPERTIES, EV_NO_MAXIMUM);
		object->additional = ev_keyword_block(w, EV_KW_ADDITIONAL_PROPERTIES);
		object->names = ev_keyword_block(w, EV_KW_PROPERTY_NAMES);
		write_properties(w, object);
		write_patterns(w, object);
		ev_emit(w, EVOP_OBJECT, "properties")->u.object = object;
	}
	write_dependencies(w, EV_KW_DEPENDENT_REQUIRED);
	write_dependencies(w, EV_KW_DEPENDENCIES);
	write_dependencies(w, EV_KW_DEPENDENT_SCHEMAS);
}

static void
write_array(EvWriter *w)
{
	EvArray    *array;

	array = ev_program_alloc(w, sizeof(EvArray));
	array->min_items = ev_count_keyword(w, EV_KW_MIN_ITEMS, 0);
	array->max_items = ev_count_keyword(w, EV_KW_MAX_ITEMS, EV_NO_MAXIMUM);
	array->unique_items = w->keywords.present[EV_KW_UNIQUE_ITEMS] && w->keywords.values[EV_KW_UNIQUE_ITEMS].val.boolean;
	array->contains = ev_keyword_block(w, EV_KW_CONTAINS);
	array->min_contains = ev_count_keyword(w, EV_KW_MIN_CONTAINS, 1);
	array->max_contains = ev_count_keyword(w, EV_KW_MAX_CONTAINS, EV_NO_MAXIMUM);
	array->contains_evaluates = w->subschema->resource->draft >= EV_DRAFT2020;

	array->items = EV_BLOCK_NONE;
	if (w->keywords.present[EV_KW_PREFIX_ITEMS])
		array->prefix = ev_array_blocks(w, EV_KW_PREFIX_ITEMS, &array->prefix_count);
	if (w->keywords.present[EV_KW_ITEMS])
		array->items = ev_keyword_block(w, EV_KW_ITEMS);
	if (w->keywords.present[EV_KW_ITEMS_DRAFT4])
	{
		/*
		 * an array has the meaning of prefixItems; then additionalItems
		 * applies
		 */
		if (ev_node_is_array(&w->keywords.values[EV_KW_ITEMS_DRAFT4]))
		{
			array->prefix = ev_array_blocks(w, EV_KW_ITEMS_DRAFT4, &array->prefix_count);
			array->items = ev_keyword_block(w, EV_KW_ADDITIONAL_ITEMS);
		}
		else
			array->items = ev_keyword_block(w, EV_KW_ITEMS_DRAFT4);
	}
	/* additionalItems, minContains and maxContains have no effect alone */
	if (array->items == EV_BLOCK_NONE && array->prefix_count == 0 && array->contains == EV_BLOCK_NONE &&
		array->min_items == 0 && array->max_items == EV_NO_MAXIMUM && !array->unique_items)
		return;
	ev_emit(w, EVOP_ARRAY, "items")->u.array = array;
}

/* ---------- a block ---------- */

typedef struct Section
{
	uint32		type;
	void		(*write) (EvWriter *w);
} Section;

static const Section sections[] = {
	{EV_BIT(EV_STRING), write_string},
	{EV_BIT(EV_NUMBER), write_number},
	{EV_BIT(EV_OBJECT), write_object},
	{EV_BIT(EV_ARRAY), write_array},
};

/*
 * Writes the sections of the types in the set.  An instruction jumps over the
 * section for other types, unless `exact` says that there are none.
 */
static void
write_sections(EvWriter *w, uint32 types, bool exact)
{
	for (int i = 0; i < (int) lengthof(sections); i++)
	{
		const Section *section = &sections[i];
		uint32		guard = w->program->length;

		if ((section->type & types & w->keywords.types) == 0)
			continue;
		if (!exact)
			ev_emit_at(w, EVOP_SKIP_UNLESS, "type", "")->u.type.types = section->type;
		section->write(w);
		if (exact)
			continue;
		if (w->program->length == guard + 1)
			w->program->length = guard; /* the section is empty */
		else
			w->program->code[guard].target = w->program->length;
	}
}

/*
 * Writes the values of annotations, including unknown keywords (2020-12 core,
 * 7.7.1 and 6.5).
 */
static void
write_annotations(EvWriter *w)
{
	EvResource *resource = w->subschema->resource;
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, w->subschema->container));
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		int			keyword;
		Jsonb	   *copy;
		Jsonb	   *annotation;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		keyword = ev_keyword_find(key.val.string.val, key.val.string.len, resource->draft);
		if (keyword >= 0 &&
			(ev_keywords[keyword].vocabulary & (EV_METADATA | EV_FORMAT | EV_CONTENT)) == 0)
			continue;
		copy = JsonbValueToJsonb(&value);
		annotation = ev_program_alloc(w, VARSIZE(copy));
		memcpy(annotation, copy, VARSIZE(copy));
		ev_emit(w, EVOP_ANNOTATE, ev_program_string(w, key.val.string.val, key.val.string.len).data)
			->u.annotation = annotation;
	}
}

static void
write_block(EvWriter *w, EvSubschema *subschema)
{
	EvInstruction *instruction;
	uint32		types = EV_ALL_TYPES;
	uint32		type_at = 0;
	bool		integer = false;
	bool		exact;
	bool		tracks;

	w->subschema = subschema;
	w->block = subschema->block;
	w->program->blocks[w->block].start = w->program->length;
	if (subschema->is_boolean)
	{
		ev_emit_at(w, EVOP_FAIL, subschema->location->keyword ? subschema->location->keyword : "", "");
		return;
	}
	ev_read_keywords(subschema, &w->keywords);

	if (w->compiler->has_dynamic &&
		(subschema->resource->root == subschema || subschema->entered_from_outside))
		ev_emit_at(w, EVOP_SCOPE, "", "")->u.resource = subschema->resource->index;

	if (ev_ref_hides_siblings(subschema, &w->keywords))
	{
		write_references(w);
		ev_emit_at(w, EVOP_RETURN, "", "");
		return;
	}

	if (w->compiler->annotate)
		write_annotations(w);
	tracks = w->keywords.present[EV_KW_UNEVALUATED_PROPERTIES] || w->keywords.present[EV_KW_UNEVALUATED_ITEMS];
	if (tracks)
		ev_emit_at(w, EVOP_TRACK, "", "");
	write_enum(w, EV_KW_ENUM);
	write_enum(w, EV_KW_CONST);
	if (w->keywords.present[EV_KW_TYPE])
	{
		types = ev_type_set(&w->keywords.values[EV_KW_TYPE], &integer);
		type_at = w->program->length;
		instruction = ev_emit(w, EVOP_TYPE, "type");
		instruction->u.type.types = types;
		instruction->u.type.integer = integer;
	}
	exact = types == EV_BIT(EV_STRING) || types == EV_BIT(EV_NUMBER) ||
		types == EV_BIT(EV_OBJECT) || types == EV_BIT(EV_ARRAY);
	write_sections(w, types, exact);
	write_references(w);
	write_applicators(w);

	if (w->keywords.present[EV_KW_UNEVALUATED_PROPERTIES] && (types & EV_BIT(EV_OBJECT)) != 0)
	{
		uint32		block = ev_keyword_block(w, EV_KW_UNEVALUATED_PROPERTIES);

		ev_emit(w, EVOP_UNEVALUATED_PROPERTIES, "unevaluatedProperties")->target = block;
	}
	if (w->keywords.present[EV_KW_UNEVALUATED_ITEMS] && (types & EV_BIT(EV_ARRAY)) != 0)
	{
		uint32		block = ev_keyword_block(w, EV_KW_UNEVALUATED_ITEMS);

		ev_emit(w, EVOP_UNEVALUATED_ITEMS, "unevaluatedItems")->target = block;
	}
	ev_emit_at(w, EVOP_RETURN, "", "");

	/*
	 * In EV_COLLECT mode, an instance of the wrong type continues here: with
	 * the keywords for its own type, then those for all types.
	 */
	if (w->keywords.present[EV_KW_TYPE])
	{
		w->program->code[type_at].target = w->program->length;
		write_sections(w, EV_ALL_TYPES & ~types, false);
		write_references(w);
		write_applicators(w);
		ev_emit_at(w, EVOP_RETURN, "", "");
	}
}

/* ---------- the whole program ---------- */

/*
 * Replaces the index of a block by the address of its first instruction.  A
 * block that returns at once is EV_BLOCK_TRUE.
 */
static void
link_block(uint32 *block, bool in_place pg_attribute_unused(), void *arg)
{
	EvProgram  *program = arg;

	if (*block == EV_BLOCK_NONE || *block == EV_BLOCK_TRUE)
		return;
	Assert(*block < program->block_count);
	*block = program->blocks[*block].start;
	if (program->code[*block].opcode == EVOP_RETURN)
		*block = EV_BLOCK_TRUE;
}

static void
optimize(EvCompiler *c, EvProgram *program)
{
	MemoryContext caller = MemoryContextSwitchTo(c->program_context);

	ev_optimize(program);
	ev_compiler_look(c);
	MemoryContextSwitchTo(caller);
}

static void
begin_program(EvWriter *w, EvCompiler *c)
{
	memset(w, 0, sizeof(*w));
	w->compiler = c;
	w->code_room = 64;
	w->block_room = 16;
	w->program = ev_program_alloc(w, sizeof(EvProgram));
	w->program->is_utf8 = GetDatabaseEncoding() == PG_UTF8;
	w->program->code = ev_program_alloc(w, w->code_room * sizeof(EvInstruction));
	w->program->sources = ev_program_alloc(w, w->code_room * sizeof(EvSource));
	w->program->blocks = ev_program_alloc(w, w->block_room * sizeof(EvBlock));
}

/* Writes the blocks that exist, and those that they lead to.  Returns whether there is no fault. */
static bool
write_blocks(EvWriter *w)
{
	for (uint32 next = 0; next < w->program->block_count && !ev_compile_stops(w->compiler); next++)
	{
		ev_compiler_look(w->compiler);
		write_block(w, list_nth(w->blocks, next));
	}
	ev_find_endless(w);
	return w->compiler->fault->message == NULL;
}

static EvProgram *
write_program(EvCompiler *c, EvSubschema *root)
{
	EvWriter	w;

	begin_program(&w, c);
	if (ev_block_of(&w, root) == EV_BLOCK_TRUE)
	{
		w.program->blocks[0].location = root->location;
		w.program->block_count = 1;
		ev_emit_at(&w, EVOP_RETURN, "", "");
		optimize(c, w.program);
		return w.program;
	}
	if (!write_blocks(&w))
		return NULL;

	/*
	 * Two instructions may have equal operands (see write_block), but each
	 * operand was allocated separately, so each is linked once.
	 */
	for (uint32 i = 0; i < w.program->length; i++)
		ev_visit_blocks(&w.program->code[i], link_block, w.program);
	ev_visit_targets(w.program, link_block, w.program);
	optimize(c, w.program);
	return w.program;
}

static char *
copy_string(const char *string)
{
	return string != NULL ? pstrdup(string) : NULL;
}

/* Copies a fault to CurrentMemoryContext. */
static EvFault *
copy_fault(const EvFault *fault)
{
	EvFault    *copy = palloc(sizeof(EvFault));

	*copy = *fault;
	copy->location = copy_string(fault->location);
	copy->message = copy_string(fault->message);
	copy->detail = copy_string(fault->detail);
	copy->hint = copy_string(fault->hint);
	copy->missing = copy_string(fault->missing);
	return copy;
}

/* Copies a warning to CurrentMemoryContext; its location is the program's. */
static EvWarning *
copy_warning(const EvWarning *warning)
{
	EvWarning  *copy = palloc(sizeof(EvWarning));

	*copy = *warning;
	copy->tail = pstrdup(warning->tail);
	copy->message = pstrdup(warning->message);
	return copy;
}

/* The optional results of a compilation; each may be NULL. */
typedef struct Findings
{
	List	  **functions;		/* OIDs of the functions that were read */
	List	  **warnings;		/* EvWarnings */
	List	  **faults;			/* EvFaults: all of them */
	bool		own_only;		/* no program; only faults of the document
								 * itself */
} Findings;

static EvProgram *
compile(const EvDocument *document, EvResolver resolver, bool annotate, EvFault *fault, Findings findings)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch = AllocSetContextCreate(caller, "event_validate compiler",
												  ALLOCSET_DEFAULT_SIZES);
	EvCompiler	c = {0};
	EvProgram  *program = NULL;
	EvSubschema *root;
	List	   *found_functions = NIL;
	List	   *found_warnings = NIL;
	List	   *found_faults = NIL;
	EvFault		first = {0};
	ListCell   *cell;

	MemoryContextSwitchTo(scratch);
	c.document = document;
	c.resolver = resolver;
	c.annotate = annotate;
	c.own_only = findings.own_only;
	c.fault = &first;
	c.functions = findings.functions != NULL ? &found_functions : NULL;
	c.warnings = findings.warnings != NULL ? &found_warnings : NULL;
	c.faults = findings.faults != NULL ? &found_faults : NULL;
	ev_compiler_init(&c, caller);
	root = ev_resolve_references(&c);
	if (root != NULL && !c.own_only)
		program = write_program(&c, root);
	if (c.warnings != NULL)
		ev_lint(&c);
	MemoryContextSwitchTo(caller);

	*fault = *copy_fault(&first);
	if (findings.functions != NULL)
		*findings.functions = list_copy(found_functions);
	if (findings.faults != NULL)
		*findings.faults = NIL;
	foreach(cell, found_faults)
		* findings.faults = lappend(*findings.faults, copy_fault(lfirst(cell)));
	if (findings.warnings != NULL)
		*findings.warnings = NIL;
	foreach(cell, found_warnings)
		* findings.warnings = lappend(*findings.warnings, copy_warning(lfirst(cell)));
	MemoryContextDelete(scratch);
	return program;
}

EvProgram *
ev_compile(const EvDocument *document, EvResolver resolver, EvFault *fault,
		   List **references, List **warnings)
{
	Findings	findings = {.functions = references, .warnings = warnings};

	return compile(document, resolver, false, fault, findings);
}

EvProgram *
ev_compile_annotated(const EvDocument *document, EvResolver resolver, EvFault *fault)
{
	Findings	findings = {0};

	return compile(document, resolver, true, fault, findings);
}

/* The document to which a warning belongs, by the location of its root. */
typedef struct WarnedDocument
{
	const EvLocation *root;		/* hash key, must be the first member */
	int			number;
} WarnedDocument;

/* Gives each warning to its document, in CurrentMemoryContext. */
static void
distribute_warnings(List *found, List *roots, List **warnings)
{
	HASHCTL		control = {.keysize = sizeof(EvLocation *), .entrysize = sizeof(WarnedDocument),
	.hcxt = CurrentMemoryContext};
	HTAB	   *documents = hash_create("event_validate warnings", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	ListCell   *cell;

	foreach(cell, roots)
	{
		const EvLocation *root = ((EvSubschema *) lfirst(cell))->location;
		WarnedDocument *document = hash_search(documents, &root, HASH_ENTER, NULL);

		document->number = foreach_current_index(cell);
		warnings[document->number] = NIL;
	}
	foreach(cell, found)
	{
		const EvWarning *warning = lfirst(cell);
		const EvLocation *root = warning->at;
		WarnedDocument *document;

		while (root->parent != NULL)
			root = root->parent;
		document = hash_search(documents, &root, HASH_FIND, NULL);
		if (document != NULL)
			warnings[document->number] = lappend(warnings[document->number], copy_warning(warning));
	}
	hash_destroy(documents);
}

bool
ev_compile_group(const EvDocument *documents, int count, EvResolver resolver, List **warnings)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch = AllocSetContextCreate(caller, "event_validate compiler", ALLOCSET_DEFAULT_SIZES);
	List	   *found = NIL;
	EvFault		fault = {0};
	EvCompiler	c = {.document = documents, .resolver = resolver, .fault = &fault, .warnings = &found};
	EvWriter	w;
	List	   *roots;
	ListCell   *cell;
	bool		result;

	MemoryContextSwitchTo(scratch);
	ev_compiler_init(&c, caller);
	roots = ev_resolve_group(&c, documents, count);
	result = roots != NIL;
	if (result)
	{
		begin_program(&w, &c);
		foreach(cell, roots)
			(void) ev_block_of(&w, lfirst(cell));
		result = write_blocks(&w);
	}
	if (result)
		ev_lint(&c);
	MemoryContextSwitchTo(caller);
	if (result)
		distribute_warnings(found, roots, warnings);
	MemoryContextDelete(scratch);
	return result;
}

List *
ev_compile_faults(const EvDocument *document, EvResolver resolver, bool own_only, List **warnings)
{
	List	   *faults;
	Findings	findings = {.warnings = warnings, .faults = &faults, .own_only = own_only};
	EvFault		first;

	compile(document, resolver, false, &first, findings);
	return faults;
}

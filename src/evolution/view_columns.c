/*
 * view_columns.c
 *	  From a registered schema to the columns of a view over its events.
 *
 * The type of a property is found from the facts of its schema, which are true
 * for all valid values.  A column has a narrower type than jsonb if all of
 * these values have that type.  So $ref, allOf, dialects and the many forms of
 * "or null" need no special cases here.
 *
 * Branches (anyOf, oneOf, then and else) are combined.  If some branches
 * declare a property, it is assumed to be absent in the others: producers send
 * what their schema declares, as in the lenient reading of compatibility.
 * view_property.c handles values that do not fit.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#include "changes/changes_internal.h"
#include "evolution/view_property.h"
#include "jsonb/jsonb_number.h"
#include "registry/function_row.h"
#include "registry/names.h"
#include "registry/schema_cache.h"
#include "registry/validation_error.h"

PG_FUNCTION_INFO_V1(ev_event_view_columns);
PG_FUNCTION_INFO_V1(ev_event_function_name);

#define DEEPEST		32			/* nesting depth of branches that are examined */

/* ---------- types of values ---------- */

/* Facts about all strings, as bits. */
#define IS_DATE_TIME	0x01
#define IS_DATE			0x02
#define IS_UUID			0x04
#define IS_DECIMAL		0x08
#define IS_ANYTHING		0x0F	/* if there are no strings at all */

typedef struct ColumnKind
{
	uint32		types;			/* types that values can have */
	bool		integer;		/* all numbers are integers */
	bool		fits[2];		/* and not above, not below a bigint */
	bool		exceeds;		/* a bound shows that there are larger ones */
	int			strings;		/* facts about all strings */
} ColumnKind;

static const ColumnKind anything = {.types = EV_ALL_TYPES};
static const ColumnKind nothing = {.types = 0, .integer = true, .fits = {true, true}, .strings = IS_ANYTHING};

/* Returns the kind of values of one kind or the other. */
static ColumnKind
unite(ColumnKind a, ColumnKind b)
{
	ColumnKind	result = a;

	if ((a.types & EV_BIT(EV_NUMBER)) == 0)
	{
		result.integer = b.integer;
		result.fits[0] = b.fits[0];
		result.fits[1] = b.fits[1];
		result.exceeds = b.exceeds;
	}
	else if ((b.types & EV_BIT(EV_NUMBER)) != 0)
	{
		result.integer &= b.integer;
		result.fits[0] &= b.fits[0];
		result.fits[1] &= b.fits[1];
		result.exceeds |= b.exceeds;
	}
	if ((a.types & EV_BIT(EV_STRING)) == 0)
		result.strings = b.strings;
	else if ((b.types & EV_BIT(EV_STRING)) != 0)
		result.strings &= b.strings;
	result.types |= b.types;
	return result;
}

/* Returns the kind of values of both kinds. */
static ColumnKind
intersect(ColumnKind a, ColumnKind b)
{
	a.types &= b.types;
	a.integer |= b.integer;
	a.fits[0] |= b.fits[0];
	a.fits[1] |= b.fits[1];
	a.exceeds |= b.exceeds;
	a.strings |= b.strings;
	return a;
}

typedef struct DecimalPattern
{
	const EvPattern *pattern;
	bool		is_decimal;
} DecimalPattern;

/*
 * The result for a set of schemas, since branches often lead to the same sets.
 */
typedef struct KnownKind
{
	const EvSchemaSet *set;		/* hash key, must be the first member */
	int			property;		/* number of the property */
	bool		said;
	ColumnKind	kind;
} KnownKind;

/*
 * A document that was read, and its address; its memory may have been freed.
 */
typedef struct Read
{
	Oid			function;
	const char *start;
	const char *end;
} Read;

typedef struct Viewer
{
	EvProver	prover;
	MemoryContext context;		/* for all of this */
	List	   *patterns;		/* of DecimalPattern */
	List	   *documents;		/* of Read, the last one first */
	List	   *visited;		/* of EvSchemaSet, while names are collected */
	HTAB	   *kinds;			/* KnownKind by set of schemas */
	HTAB	   *property_kinds; /* KnownKind, for the current property */
	int			property;		/* number of the current property */
	HTAB	   *properties;		/* Property by name */
	List	   *in_order;		/* of Property */
} Viewer;

static bool
pattern_matches(EvProver *p, const EvPattern *pattern, const char *string, int length)
{
	EvString	tried = {string, length};

	return ev_string_matches(p, pattern, &tried) != EV_NO;
}

/* Does a pattern accept a string of these characters that is not a decimal? */
static bool
accepts_other(EvProver *p, const EvPattern *pattern, char *string, int length, int longest)
{
	static const char characters[] = "07+-.e";

	if (!ev_is_decimal(string, length) && pattern_matches(p, pattern, string, length))
		return true;
	if (length == longest)
		return false;
	for (const char *c = characters; *c != '\0'; c++)
	{
		string[length] = *c;
		if (accepts_other(p, pattern, string, length + 1, longest))
			return true;
	}
	return false;
}

/*
 * Are the strings that match a pattern decimals?  This tries all short strings
 * of the characters of decimals, and all other ASCII characters at some
 * positions.  It is not a proof, and need not be: event_numeric checks its
 * input.
 */
static bool
find_out_decimal(EvProver *p, const EvPattern *pattern)
{
	static const char *const decimals[] = {"0", "1", "10", "1.5", "0.25", "123456789.000000001"};
	static const char *const around[] = {"", "1", "1.", "-"};
	char		string[16];
	int			accepted = 0;

	for (int i = 0; i < (int) lengthof(decimals); i++)
		accepted += pattern_matches(p, pattern, decimals[i], strlen(decimals[i]));
	if (accepted == 0 || accepts_other(p, pattern, string, 0, 5))
		return false;
	for (int c = 1; c < 0x80; c++)
	{
		if (strchr("0123456789+-.", c) != NULL)
			continue;
		for (int i = 0; i < (int) lengthof(around); i++)
			for (int j = 0; j < (int) lengthof(around); j++)
			{
				int			length = snprintf(string, sizeof(string), "%s%c%s", around[i], c, around[j]);

				if (pattern_matches(p, pattern, string, length))
					return false;
			}
	}
	return true;
}

static bool
is_decimal(Viewer *v, const EvPattern *pattern)
{
	DecimalPattern *known;
	ListCell   *cell;

	if (pattern == NULL)
		return false;
	ev_spend(&v->prover, list_length(v->patterns));
	foreach(cell, v->patterns)
	{
		known = lfirst(cell);
		if (known->pattern == pattern)
			return known->is_decimal;
	}
	known = palloc(sizeof(DecimalPattern));
	known->pattern = pattern;
	known->is_decimal = find_out_decimal(&v->prover, pattern);
	v->patterns = lappend(v->patterns, known);
	return known->is_decimal;
}

/* Returns the kind of the facts, without their branches. */
static ColumnKind
kind_of_facts(Viewer *v, const EvFacts *f)
{
	ColumnKind	kind = {.types = f->possible, .integer = f->integer};
	EvNumberFact lower = ev_facts_lower(f);
	EvNumberFact upper = ev_facts_upper(f);
	ListCell   *cell;

	if (f->enums != NIL)
	{
		kind.integer = kind.fits[0] = kind.fits[1] = true;
		foreach(cell, f->values)
		{
			const JsonbValue *value = lfirst(cell);

			if (value->type != jbvNumeric)
				continue;
			kind.integer &= ev_number_is_integer(value->val.numeric);
			for (int i = 0; i < 2; i++)
				kind.fits[i] &= ev_number_fits_int8(value->val.numeric, i == 1);
		}
		kind.exceeds = !kind.fits[0] || !kind.fits[1];
	}
	else
	{
		kind.fits[0] = upper.value != NULL && ev_number_fits_int8(upper.value, false);
		kind.fits[1] = lower.value != NULL && ev_number_fits_int8(lower.value, true);
		kind.exceeds = (upper.value != NULL && !kind.fits[0]) || (lower.value != NULL && !kind.fits[1]);
	}
	foreach(cell, f->formats)
	{
		const char *name = ((EvFormatFact *) lfirst(cell))->format->name;

		kind.strings |= strcmp(name, "date-time") == 0 ? IS_DATE_TIME :
			strcmp(name, "date") == 0 ? IS_DATE :
			strcmp(name, "uuid") == 0 ? IS_UUID : 0;
	}
	foreach(cell, f->patterns)
	{
		if (is_decimal(v, ((EvTextFact *) lfirst(cell))->pattern))
			kind.strings |= IS_DECIMAL;
	}
	return kind;
}

static ColumnKind
kind_of(Viewer *v, EvSchemaSet *set, int depth)
{
	EvProver   *p = &v->prover;
	KnownKind  *known = hash_search(v->kinds, &set, HASH_FIND, NULL);
	EvFacts    *f;
	ColumnKind	kind;
	ListCell   *cell;
	ListCell   *member;

	if (known != NULL)
		return known->kind;
	check_stack_depth();
	ev_spend(p, 20);
	f = ev_facts(p, set, EV_NECESSARY);
	kind = kind_of_facts(v, f);
	if (depth == DEEPEST)
		return kind;
	foreach(cell, f->groups)
	{
		ColumnKind	branches = nothing;

		foreach(member, ((EvGroupFact *) lfirst(cell))->members)
			branches = unite(branches, kind_of(v, ev_set_of(p, lfirst(member)), depth + 1));
		kind = intersect(kind, branches);
	}
	foreach(cell, f->conditions)
	{
		EvConditionFact *condition = lfirst(cell);

		kind = intersect(kind, unite(kind_of(v, ev_set_of(p, condition->then), depth + 1),
									 kind_of(v, ev_set_of(p, condition->otherwise), depth + 1)));
	}
	known = hash_search(v->kinds, &set, HASH_ENTER, NULL);
	known->kind = kind;
	return kind;
}

/* ---------- a property ---------- */

typedef struct Property
{
	NameData	key;			/* hash key: 64 bits of the name's hash, and
								 * its length, as text */
	EvString	name;
	char	   *description;	/* NULL: none */
	Oid			declared_in;	/* function of the document */
	char	   *pointer;		/* and location of the properties in it */
	int			rank;			/* order of these properties among others */
} Property;

/*
 * Returns the branches of facts, each a List of EvSubschema of which one
 * applies.
 */
static List *
branches_of(const EvFacts *f)
{
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, f->groups)
		result = lappend(result, ((EvGroupFact *) lfirst(cell))->members);
	foreach(cell, f->conditions)
	{
		EvConditionFact *condition = lfirst(cell);

		result = lappend(result, list_make2(condition->then, condition->otherwise));
	}
	return result;
}

static bool
names_property(EvProver *p, const EvFacts *f, const EvString *name)
{
	ListCell   *cell;
	ListCell   *named;

	foreach(cell, f->object_shapes)
	{
		ev_spend(p, list_length(((EvObjectShape *) lfirst(cell))->names));
		foreach(named, ((EvObjectShape *) lfirst(cell))->names)
		{
			if (ev_strings_equal(&((EvNamedSchema *) lfirst(named))->name, name))
				return true;
		}
	}
	return false;
}

/* Branches of which one applies. */
typedef struct Branches
{
	ColumnKind	kind;			/* of branches that declare the property */
	int			silent;			/* number of branches that do not */
} Branches;

static bool property_kind(Viewer *v, EvSchemaSet *set, const EvString *name, int depth, ColumnKind *kind);

static bool
find_property_kind(Viewer *v, EvSchemaSet *set, const EvString *name, int depth, ColumnKind *kind)
{
	EvProver   *p = &v->prover;
	EvFacts    *f = ev_facts(p, set, EV_NECESSARY);
	EvSchemaSet *own = ev_facts_property(p, f, name);
	List	   *groups = branches_of(f);
	List	   *telling = NIL;	/* of Branches */
	int			said = own != p->anything || names_property(p, f, name);
	ListCell   *cell;
	ListCell   *member;

	check_stack_depth();
	ev_spend(p, 20);
	*kind = said ? kind_of(v, own, 0) : anything;
	if (depth == DEEPEST)
		return said;

	/* first all branches: how many of the groups declare it? */
	foreach(cell, groups)
	{
		List	   *members = lfirst(cell);
		Branches   *group = palloc(sizeof(Branches));

		group->kind = nothing;
		group->silent = 0;
		foreach(member, members)
		{
			ColumnKind	branch;

			if (property_kind(v, ev_set_of(p, lfirst(member)), name, depth + 1, &branch))
				group->kind = unite(group->kind, branch);
			else
				group->silent++;
		}
		if (group->silent < list_length(members))
		{
			said++;
			telling = lappend(telling, group);
		}
	}
	foreach(cell, telling)
	{
		Branches   *group = lfirst(cell);

		/*
		 * if another group declares it too, branches that do not can have it
		 */
		if (group->silent > 0 && said > 1)
			group->kind = unite(group->kind, anything);
		*kind = intersect(*kind, group->kind);
	}
	if (said == 0)
	{
		ColumnKind	dependent = nothing;

		foreach(cell, f->dependencies)
		{
			EvDependencyFact *dependency = lfirst(cell);
			ColumnKind	branch;

			if (dependency->schema != NULL &&
				property_kind(v, ev_set_of(p, dependency->schema), name, depth + 1, &branch))
			{
				dependent = unite(dependent, branch);
				said++;
			}
		}
		if (said > 0)
			*kind = dependent;
	}
	return said > 0;
}

/*
 * Finds the kind of a property's values under a set of schemas.  Returns false
 * if it is not declared, so that all values are valid.
 */
static bool
property_kind(Viewer *v, EvSchemaSet *set, const EvString *name, int depth, ColumnKind *kind)
{
	KnownKind  *known = hash_search(v->property_kinds, &set, HASH_FIND, NULL);
	bool		said;

	if (known != NULL && known->property == v->property)
	{
		*kind = known->kind;
		return known->said;
	}
	said = find_property_kind(v, set, name, depth, kind);
	known = hash_search(v->property_kinds, &set, HASH_ENTER, NULL);
	known->property = v->property;
	known->said = said;
	known->kind = *kind;
	return said;
}

static Oid
column_type(const ColumnKind *kind, Oid integer_type)
{
	uint32		types = kind->types & ~EV_BIT(EV_NULL);

	if (types == EV_BIT(EV_NUMBER))
	{
		if (!kind->integer)
			return NUMERICOID;
		if (kind->fits[0] && kind->fits[1])
			return INT8OID;
		return kind->exceeds ? NUMERICOID : integer_type;
	}

	/* if the only type is null, the facts about strings may be known */
	if (types == EV_BIT(EV_STRING) || (types == 0 && kind->strings != IS_ANYTHING))
		return (kind->strings & IS_DATE_TIME) != 0 ? TIMESTAMPTZOID :
			(kind->strings & IS_DATE) != 0 ? DATEOID :
			(kind->strings & IS_UUID) != 0 ? UUIDOID : TEXTOID;
	if (types == (EV_BIT(EV_NUMBER) | EV_BIT(EV_STRING)) && (kind->strings & IS_DECIMAL) != 0)
		return NUMERICOID;
	if (types != 0 && (types & ~EV_BOOLEAN_BITS) == 0)
		return BOOLOID;
	return types == 0 ? TEXTOID : JSONBOID;
}

/* ---------- which properties there are ---------- */

/*
 * Returns the description of a schema, or of the schema that it refers to;
 * otherwise the title.
 */
static char *
describe(Viewer *v, EvSubschema *schema, int depth)
{
	EvKeywordValues keywords;
	ListCell   *cell;
	char	   *result = NULL;

	if (schema->is_boolean || depth == DEEPEST)
		return NULL;
	ev_spend(&v->prover, 100 + 5 * JsonContainerSize(schema->container));
	ev_read_keywords(schema, &keywords);
	if (keywords.present[EV_KW_DESCRIPTION])
		return ev_node_string(&keywords.values[EV_KW_DESCRIPTION]);
	if (keywords.present[EV_KW_TITLE])
		return ev_node_string(&keywords.values[EV_KW_TITLE]);
	foreach(cell, schema->references)
	{
		EvReference *reference = lfirst(cell);

		if (result == NULL && reference->target != NULL)
			result = describe(v, reference->target, depth + 1);
	}
	if (result == NULL && keywords.present[EV_KW_ALL_OF])
	{
		JsonbContainer *array = keywords.values[EV_KW_ALL_OF].val.binary.data;

		for (uint32 i = 0; i < JsonContainerSize(array) && result == NULL; i++)
		{
			EvSubschema *member = ev_subschema_find(&v->prover.old, getIthJsonbValueFromContainer(array, i));

			if (member != NULL)
				result = describe(v, member, depth + 1);
		}
	}
	return result;
}

/* Returns the function whose document contains a schema. */
static Oid
document_of(Viewer *v, const EvSubschema *schema)
{
	ListCell   *cell;

	ev_spend(&v->prover, list_length(v->documents));
	foreach(cell, v->documents)
	{
		Read	   *read = lfirst(cell);

		if ((const char *) schema->container >= read->start &&
			(const char *) schema->container < read->end)
			return read->function;
	}
	return InvalidOid;
}

static void
add_property(Viewer *v, const EvObjectShape *shape, const EvNamedSchema *named, int rank, bool is_own)
{
	uint64		hash = DatumGetUInt64(hash_any_extended((const unsigned char *) named->name.data,
														named->name.length, 0));
	NameData	key;
	Property   *property;
	char	   *description;
	bool		found;

	memset(&key, 0, sizeof(key));
	snprintf(NameStr(key), NAMEDATALEN, "%016llx%u", (unsigned long long) hash, named->name.length);
	property = hash_search(v->properties, &key, HASH_ENTER, &found);
	if (!found)
	{
		property->name = named->name;
		property->description = NULL;
		property->declared_in = document_of(v, shape->subschema);
		property->pointer = psprintf("%s/properties", ev_location_pointer(shape->subschema->location, false));
		property->rank = rank;
		v->in_order = lappend(v->in_order, property);
	}
	description = describe(v, named->schema, 0);
	if (description != NULL && (property->description == NULL || is_own))
		property->description = description;
}

/*
 * Adds the properties that the schemas of a set declare; first those of bases
 * ($ref, allOf), then the schema's own.
 */
static void
add_properties(Viewer *v, EvSchemaSet *set, int *rank, int depth)
{
	EvProver   *p = &v->prover;
	EvFacts    *f;
	ListCell   *cell;
	ListCell   *member;

	ev_spend(p, 10 + list_length(v->visited) / 8);
	if (depth == DEEPEST || list_member_ptr(v->visited, set))
		return;
	v->visited = lappend(v->visited, set);
	f = ev_facts(p, set, EV_NECESSARY);
	for (int own = 0; own < 2; own++)
	{
		foreach(cell, f->object_shapes)
		{
			EvObjectShape *shape = lfirst(cell);

			if (!shape->evaluates ||
				list_member_ptr(set->members, shape->subschema) != (own == 1))
				continue;
			++*rank;
			foreach(member, shape->names)
				add_property(v, shape, lfirst(member), *rank, own == 1 && depth == 0);
		}
	}
	foreach(cell, branches_of(f))
	{
		foreach(member, (List *) lfirst(cell))
			add_properties(v, ev_set_of(p, lfirst(member)), rank, depth + 1);
	}
	foreach(cell, f->conditions)
		add_properties(v, ev_set_of(p, ((EvConditionFact *) lfirst(cell))->test), rank, depth + 1);
	foreach(cell, f->dependencies)
	{
		EvDependencyFact *dependency = lfirst(cell);

		if (dependency->schema != NULL)
			add_properties(v, ev_set_of(p, dependency->schema), rank, depth + 1);
	}
}

/* ---------- SQL ---------- */

static Viewer *viewing;

/* Records the address of a document. */
static void
remember(Viewer *v, const EvDocument *document)
{
	Read	   *read = MemoryContextAlloc(v->context, sizeof(Read));
	MemoryContext caller = MemoryContextSwitchTo(v->context);

	read->function = document->function;
	read->start = (const char *) document->schema;
	read->end = read->start + VARSIZE(document->schema);
	v->documents = lcons(read, v->documents);
	MemoryContextSwitchTo(caller);
}

static bool
resolve(const char *uri, EvDocument *document)
{
	if (!ev_registry_resolve(uri, document))
		return false;
	remember(viewing, document);
	return true;
}

static void
read_schema(Viewer *v, EvDocument *document)
{
	Viewer	   *before = viewing;

	remember(v, document);
	viewing = v;
	PG_TRY();
	{
		v->prover.old_root = ev_prover_read(&v->prover.old, document, resolve);
	}
	PG_FINALLY();
	{
		viewing = before;
	}
	PG_END_TRY();
	ev_compiler_init(&v->prover.new, CurrentMemoryContext);
	ev_budget_start(&v->prover, 3 * EV_COMPARISON_WORK);
	ev_prover_init(&v->prover);
}

/*
 * event_view_columns(event_type text, schema_version int, integer_type
 * regtype) returns SETOF (property text, column_type regtype, description
 * text, declared_in regprocedure, pointer text, rank int)
 *
 * Lists the properties that a registered version declares, each with a type
 * for its values (integer_type for integers without significant bounds), the
 * location of its declaration, and the order (rank) of this location among
 * others.  Raises undefined_object if the version is not registered.
 */
Datum
ev_event_view_columns(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	text	   *type = PG_GETARG_TEXT_PP(0);
	Oid			integer_type = PG_GETARG_OID(2);
	HASHCTL		known = {.keysize = sizeof(EvSchemaSet *), .entrysize = sizeof(KnownKind)};
	HASHCTL		control = {.keysize = sizeof(NameData), .entrysize = sizeof(Property)};
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch;
	char	   *name;
	HeapTuple	row;
	EvDocument	document;
	EvFault		fault = {0};
	Viewer	   *v;
	EvSchemaSet *root;
	ListCell   *cell;
	int			rank = 0;

	InitMaterializedSRF(fcinfo, 0);
	row = ev_registered_row(type, PG_GETARG_INT32(1), &name);

	scratch = AllocSetContextCreate(caller, "event_validate view", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(scratch);
	if (!ev_function_document(row, &document, &fault))
		ev_fault_report(&fault, name);
	ReleaseSysCache(row);
	v = palloc0(sizeof(Viewer));
	v->context = scratch;
	control.hcxt = known.hcxt = scratch;
	v->properties = hash_create("event_validate properties", 256, &control,
								HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	v->kinds = hash_create("event_validate kinds", 256, &known, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	v->property_kinds = hash_create("event_validate kinds of a property", 256, &known,
									HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	read_schema(v, &document);
	root = ev_set_of(&v->prover, v->prover.old_root);
	add_properties(v, root, &rank, 0);

	foreach(cell, v->in_order)
	{
		Property   *property = lfirst(cell);
		Datum		values[6];
		bool		nulls[6] = {0};
		ColumnKind	kind;

		v->property++;
		property_kind(v, root, &property->name, 0, &kind);
		values[0] = PointerGetDatum(cstring_to_text_with_len(property->name.data, property->name.length));
		values[1] = ObjectIdGetDatum(column_type(&kind, integer_type));
		nulls[2] = property->description == NULL;
		values[2] = nulls[2] ? (Datum) 0 : CStringGetTextDatum(property->description);
		nulls[3] = !OidIsValid(property->declared_in);
		values[3] = ObjectIdGetDatum(property->declared_in);
		values[4] = CStringGetTextDatum(property->pointer);
		values[5] = Int32GetDatum(property->rank);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
	return (Datum) 0;
}

/*
 * _event_validate.event_function_name(event_type text, schema_version int) → name
 */
Datum
ev_event_function_name(PG_FUNCTION_ARGS)
{
	Name		name = palloc(NAMEDATALEN);

	if (!ev_function_name(ev_require_event_name(PG_GETARG_TEXT_PP(0), PG_GETARG_INT32(1)), name))
		PG_RETURN_NULL();
	PG_RETURN_NAME(name);
}

/*
 * property_rows.c
 *	  The properties of an event as rows, those of referred schemas included.
 *
 * A row describes all subschemas that apply to one property together, its "parts".  The
 * rows of an alternative (anyOf, oneOf, then, else) have a condition.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/shown_text.h"
#include "describe/property_rows.h"
#include "utils/fmgrprotos.h"

#define MOST_ROWS		2000
#define MOST_DEPTH		24		/* levels of the event */
#define MOST_CONDITIONS	4		/* alternatives in alternatives */
#define MOST_PATH		1000	/* bytes */
#define MOST_TAGS		3		/* properties in the words of a condition */
#define SHOWN_TAG		64		/* characters of a value of these */

/* A subschema with children that is being described, and where. */
typedef struct Ancestor
{
	const EvSubschema *schema;
	const char *path;
} Ancestor;

typedef struct PropertyWalk
{
	EvDescribed *d;
	List	   *rows;
	List	   *ancestors;		/* of Ancestor, the root first */
} PropertyWalk;

/* The instance whose children are described. */
typedef struct Level
{
	List	   *parts;
	List	   *around;			/* of an alternative: the parts that apply
								 * beside it */
	const char *path;
	const char *condition;
	int			depth;
	int			conditions;
} Level;

static void describe_children(PropertyWalk *w, const Level *level);

/* ---------- one row ---------- */

static char *
first_string(const List *parts, int keyword)
{
	ListCell   *cell;

	foreach(cell, parts)
	{
		const EvPart *part = lfirst(cell);

		if (part->keywords != NULL && part->keywords->present[keyword] && part->keywords->values[keyword].type == jbvString)
			return ev_node_string(&part->keywords->values[keyword]);
	}
	return NULL;
}

static const JsonbValue *
first_value(const List *parts, int keyword)
{
	ListCell   *cell;

	foreach(cell, parts)
	{
		const EvPart *part = lfirst(cell);

		if (part->keywords != NULL && part->keywords->present[keyword])
			return &part->keywords->values[keyword];
	}
	return NULL;
}

static bool
is_deprecated(const List *parts)
{
	ListCell   *cell;

	foreach(cell, parts)
	{
		const EvPart *part = lfirst(cell);

		/* an annotation of other dialects, but with the same meaning */
		if (part->keywords != NULL)
		{
			JsonbValue *value = getKeyJsonValueFromContainer(unconstify(JsonbContainer *, part->schema->container), "deprecated", strlen("deprecated"), NULL);

			if (value != NULL && value->type == jbvBool && value->val.boolean)
				return true;
		}
	}
	return false;
}

/* Returns the path at which one of the parts is being described already; NULL if none is. */
static const char *
circle_of(const PropertyWalk *w, const List *parts)
{
	ListCell   *cell;
	ListCell   *other;

	foreach(cell, parts)
	{
		const EvPart *part = lfirst(cell);

		if (part->keywords == NULL || !ev_has_children(list_make1(lfirst(cell))))
			continue;
		foreach(other, w->ancestors)
			if (((Ancestor *) lfirst(other))->schema == part->schema)
			return ((Ancestor *) lfirst(other))->path;
	}
	return NULL;
}

static EvPropertyRow *
add_row(PropertyWalk *w, List *parts, List *around, char *path, const char *condition, bool required)
{
	EvPropertyRow *row;
	List	   *all = list_concat_copy(parts, around);
	const JsonbValue *examples = first_value(parts, EV_KW_EXAMPLES);

	if (list_length(w->rows) >= MOST_ROWS)
	{
		w->d->is_cut = true;
		return NULL;
	}
	row = palloc0(sizeof(EvPropertyRow));
	row->path = path;
	row->condition = condition != NULL ? pstrdup(condition) : NULL;
	row->type = ev_type_words(w->d, all);
	row->required = required;
	row->constraints = ev_constraint_words(w->d, parts);
	row->title = first_string(all, EV_KW_TITLE);
	row->description = first_string(all, EV_KW_DESCRIPTION);
	row->default_value = first_value(parts, EV_KW_DEFAULT);
	row->examples = examples != NULL && ev_node_is_array(examples) ? examples : NULL;
	row->deprecated = is_deprecated(parts);
	w->rows = lappend(w->rows, row);
	return row;
}

/* Adds the row of a child, and those of its own children. */
static void
describe_child(PropertyWalk *w, const Level *level, List *parts, List *around, char *path, bool required)
{
	const char *circle = circle_of(w, parts);
	EvPropertyRow *row = add_row(w, parts, around, path, level->condition, required);
	Level		child = {.parts = parts, .around = around, .path = path, .condition = level->condition, .depth = level->depth + 1, .conditions = level->conditions};

	if (row == NULL)
		return;
	if (circle != NULL)
	{
		EvConstraint *constraint = palloc0(sizeof(EvConstraint));

		constraint->words = circle[0] == '\0' ? "as the whole event" : "as %s";
		constraint->value = circle[0] == '\0' ? NULL : circle;
		row->constraints = lappend(row->constraints, constraint);
		return;
	}
	if (level->depth >= MOST_DEPTH || strlen(path) > MOST_PATH)
	{
		w->d->is_cut = true;
		return;
	}
	describe_children(w, &child);
}

/* ---------- paths ---------- */

/* The path of a property: its name as it is, if it is one word, else as a JSON string. */
static char *
path_of_name(const char *path, const EvString *name)
{
	bool		plain = name->length > 0 && !(name->data[0] >= '0' && name->data[0] <= '9');

	for (uint32 i = 0; plain && i < name->length; i++)
	{
		char		c = name->data[i];

		plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("_$@-:", c) != NULL;
	}
	return psprintf("%s%s%s", path, path[0] != '\0' ? "." : "",
					plain ? pnstrdup(name->data, name->length) : ev_quoted(name->data, name->length));
}

/* ---------- properties ---------- */

static bool
has_name(const List *names, const EvString *name)
{
	ListCell   *cell;

	foreach(cell, names)
		if (ev_key_order(lfirst(cell), name) == 0)
		return true;
	return false;
}

/* Returns the names that "required" of the parts lists. */
static List *
required_names(const List *parts)
{
	List	   *names = NIL;
	ListCell   *cell;

	foreach(cell, parts)
	{
		const EvPart *part = lfirst(cell);
		const JsonbValue *list;

		if (!ev_part_has(part, EV_KW_REQUIRED) || !ev_node_is_array(list = &part->keywords->values[EV_KW_REQUIRED]))
			continue;
		for (uint32 i = 0; i < JsonContainerSize(list->val.binary.data); i++)
		{
			EvString   *name = palloc(sizeof(EvString));

			*name = ev_string_of(getIthJsonbValueFromContainer(list->val.binary.data, i));
			names = lappend(names, name);
		}
	}
	return names;
}

/* Returns the parts of a property in schemas that apply together. */
static List *
parts_of_property(PropertyWalk *w, const List *schemas, const EvString *name)
{
	List	   *parts = NIL;
	ListCell   *cell;

	foreach(cell, schemas)
	{
		const EvPart *part = lfirst(cell);
		JsonbValue *value = ev_part_has(part, EV_KW_PROPERTIES) ? ev_object_value(&part->keywords->values[EV_KW_PROPERTIES], name) : NULL;

		if (value != NULL)
			parts = ev_add_parts(w->d, parts, ev_described_child(w->d, part->schema, value));
	}
	return parts;
}

static void
describe_properties(PropertyWalk *w, const Level *level)
{
	List	   *required = required_names(level->parts);
	List	   *done = NIL;
	ListCell   *cell;
	ListCell   *inner;

	/* the schema that is written out there last, after those it refers to */
	for (int i = list_length(level->parts) - 1; i >= 0; i--)
	{
		const EvPart *part = list_nth(level->parts, i);

		if (!ev_part_has(part, EV_KW_PROPERTIES))
			continue;
		foreach(inner, ev_order_names(w->d, part->schema, "properties", ev_object_keys(&part->keywords->values[EV_KW_PROPERTIES])))
		{
			EvString   *name = lfirst(inner);

			if (!ev_describe_step(w->d) || has_name(done, name))
				continue;
			done = lappend(done, name);
			describe_child(w, level, parts_of_property(w, level->parts, name), parts_of_property(w, level->around, name), path_of_name(level->path, name), has_name(required, name));
		}
	}
	foreach(cell, required)
		if (ev_describe_step(w->d) && !has_name(done, lfirst(cell)))
	{
		done = lappend(done, lfirst(cell));
		describe_child(w, level, NIL, parts_of_property(w, level->around, lfirst(cell)), path_of_name(level->path, lfirst(cell)), true);
	}
}

/* Properties by patterns, and others. */
static void
describe_other_properties(PropertyWalk *w, const Level *level)
{
	ListCell   *cell;
	ListCell   *inner;

	foreach(cell, level->parts)
	{
		const EvPart *part = lfirst(cell);
		const JsonbValue *values = part->keywords != NULL ? part->keywords->values : NULL;

		if (ev_part_has(part, EV_KW_PATTERN_PROPERTIES))
			foreach(inner, ev_order_names(w->d, part->schema, "patternProperties", ev_object_keys(&values[EV_KW_PATTERN_PROPERTIES])))
		{
			const EvString *pattern = lfirst(inner);
			EvSubschema *child = ev_described_child(w->d, part->schema, ev_object_value(&values[EV_KW_PATTERN_PROPERTIES], pattern));

			if (ev_describe_step(w->d))
				describe_child(w, level, ev_add_parts(w->d, NIL, child), NIL,
							   psprintf("%s%s/%s/", level->path, level->path[0] != '\0' ? "." : "",
										ev_visible_cut(pnstrdup(pattern->data, pattern->length), EV_SHOWN_PATTERN)), false);
		}
		for (int i = 0; i < 2; i++)
		{
			int			keyword = i == 0 ? EV_KW_ADDITIONAL_PROPERTIES : EV_KW_UNEVALUATED_PROPERTIES;

			if (ev_part_has(part, keyword) && ev_node_is_object(&values[keyword]))
				describe_child(w, level, ev_add_parts(w->d, NIL, ev_described_child(w->d, part->schema, &values[keyword])), NIL,
							   psprintf("%s%s*", level->path, level->path[0] != '\0' ? "." : ""), false);
		}
	}
}

/* ---------- items ---------- */

/* Returns the parts of all items in schemas that apply together. */
static List *
parts_of_items(PropertyWalk *w, const List *schemas)
{
	List	   *parts = NIL;
	ListCell   *cell;

	foreach(cell, schemas)
	{
		const EvPart *part = lfirst(cell);
		int			keyword = ev_part_has(part, EV_KW_ITEMS) ? EV_KW_ITEMS : EV_KW_ITEMS_DRAFT4;

		if (ev_part_has(part, keyword) && ev_node_is_object(&part->keywords->values[keyword]))
			parts = ev_add_parts(w->d, parts, ev_described_child(w->d, part->schema, &part->keywords->values[keyword]));
	}
	return parts;
}

/* Items of an array: its only schema, or those by position. */
static void
describe_items(PropertyWalk *w, const Level *level)
{
	static const int keywords[] = {EV_KW_PREFIX_ITEMS, EV_KW_ITEMS_DRAFT4, EV_KW_ITEMS, EV_KW_ADDITIONAL_ITEMS, EV_KW_UNEVALUATED_ITEMS};
	ListCell   *cell;

	foreach(cell, level->parts)
	{
		const EvPart *part = lfirst(cell);

		for (int i = 0; i < (int) lengthof(keywords); i++)
		{
			const JsonbValue *value;

			if (!ev_part_has(part, keywords[i]))
				continue;
			value = &part->keywords->values[keywords[i]];
			if (ev_node_is_array(value))
				for (uint32 k = 0; k < JsonContainerSize(value->val.binary.data) && ev_describe_step(w->d); k++)
					describe_child(w, level,
								   ev_add_parts(w->d, NIL, ev_described_child(w->d, part->schema, getIthJsonbValueFromContainer(value->val.binary.data, k))),
								   parts_of_items(w, level->around),
								   psprintf("%s[%u]", level->path, k), false);
			else if (ev_node_is_object(value) && ev_describe_step(w->d))
				describe_child(w, level, ev_add_parts(w->d, NIL, ev_described_child(w->d, part->schema, value)),
							   parts_of_items(w, level->around), psprintf("%s[]", level->path), false);
		}
	}
}

/* ---------- alternatives ---------- */

/* Returns '= "a"' or 'one of "a", "b"' for a schema that lists few values; else NULL. */
static char *
listed_values(const EvKeywordValues *keywords)
{
	const JsonbValue *list = &keywords->values[EV_KW_ENUM];
	StringInfoData words;
	uint32		count;

	if (keywords->present[EV_KW_CONST])
		return psprintf("= %s", ev_visible_cut(ev_described_json(&keywords->values[EV_KW_CONST]), SHOWN_TAG));
	if (!keywords->present[EV_KW_ENUM] || !ev_node_is_array(list) || (count = JsonContainerSize(list->val.binary.data)) > MOST_TAGS)
		return NULL;
	initStringInfo(&words);
	for (uint32 i = 0; i < count; i++)
		appendStringInfo(&words, "%s%s", i > 0 ? ", " : count == 1 ? "= " : "one of ",
						 ev_visible_cut(ev_described_json(getIthJsonbValueFromContainer(list->val.binary.data, i)), SHOWN_TAG));
	return words.data;
}

/*
 * Returns the words that tell a schema of an if or a union from others: the values of
 * properties that it lists ('kind = "a"'), or its title, or what it requires; NULL if there
 * are none.
 */
static char *
condition_words(EvDescribed *d, EvSubschema *schema)
{
	List	   *parts = ev_add_parts(d, NIL, schema);
	StringInfoData words;
	int			count = 0;
	ListCell   *cell;
	ListCell   *inner;
	char	   *title;

	initStringInfo(&words);
	foreach(cell, parts)
	{
		const EvPart *part = lfirst(cell);
		const JsonbValue *properties;

		if (!ev_part_has(part, EV_KW_PROPERTIES))
			continue;
		properties = &part->keywords->values[EV_KW_PROPERTIES];
		foreach(inner, ev_order_names(d, part->schema, "properties", ev_object_keys(properties)))
		{
			EvString   *name = lfirst(inner);
			EvSubschema *child = ev_described_child(d, part->schema, ev_object_value(properties, name));
			const EvKeywordValues *keywords = child != NULL && !child->is_boolean ? ev_described_keywords(d, child) : NULL;
			char	   *values = keywords != NULL ? listed_values(keywords) : NULL;

			if (values != NULL && count++ < MOST_TAGS)
				appendStringInfo(&words, "%s%s %s", words.len > 0 ? ", " : "", path_of_name("", name), values);
		}
	}
	if (words.len > 0)
		return words.data;
	title = first_string(parts, EV_KW_TITLE);
	if (title != NULL)
		return ev_visible_cut(title, SHOWN_TAG);
	foreach(cell, required_names(parts))
		if (count++ < MOST_TAGS)
		appendStringInfo(&words, "%s%s", words.len > 0 ? ", " : "with ", path_of_name("", lfirst(cell)));
	return words.len > 0 ? words.data : NULL;
}

static char *
join_conditions(const char *outer, const char *path, const char *own)
{
	return psprintf("%s%s%s%s%s", outer != NULL ? outer : "", outer != NULL ? "; " : "", path, path[0] != '\0' ? ": " : "", own);
}

/* Describes the children of one alternative. */
static void
describe_alternative(PropertyWalk *w, const Level *level, EvSubschema *schema, const char *condition)
{
	Level		inner = *level;

	if (level->conditions >= MOST_CONDITIONS || schema == NULL || !ev_describe_step(w->d))
		return;
	inner.parts = ev_add_parts(w->d, NIL, schema);
	inner.around = list_concat_copy(level->parts, level->around);
	if (condition != NULL)
	{
		inner.condition = join_conditions(level->condition, level->path, condition);
		inner.conditions++;
	}
	if (circle_of(w, inner.parts) == NULL)
		describe_children(w, &inner);
}

static void
describe_alternatives(PropertyWalk *w, const Level *level)
{
	ListCell   *cell;
	ListCell   *inner;

	foreach(cell, level->parts)
	{
		const EvPart *part = lfirst(cell);
		const JsonbValue *values = part->keywords != NULL ? part->keywords->values : NULL;

		for (int i = 0; i < 2; i++)
		{
			List	   *members = ev_alternatives(w->d, part, i == 0 ? EV_KW_ANY_OF : EV_KW_ONE_OF);
			int			number = 0;

			/* an object or null: all else is said by the type */
			if (ev_only_structured(w->d, members) != NULL)
			{
				describe_alternative(w, level, ev_only_structured(w->d, members), NULL);
				continue;
			}
			foreach(inner, members)
			{
				char	   *words = condition_words(w->d, lfirst(inner));

				number++;
				describe_alternative(w, level, lfirst(inner),
									 words != NULL ? words : psprintf("alternative %d of %d", number, list_length(members)));
			}
		}
		if (ev_part_has(part, EV_KW_IF))
		{
			char	   *words = condition_words(w->d, ev_described_child(w->d, part->schema, &values[EV_KW_IF]));

			if (ev_part_has(part, EV_KW_THEN))
				describe_alternative(w, level, ev_described_child(w->d, part->schema, &values[EV_KW_THEN]),
									 words != NULL ? psprintf("if %s", words) : "if a condition holds");
			if (ev_part_has(part, EV_KW_ELSE))
				describe_alternative(w, level, ev_described_child(w->d, part->schema, &values[EV_KW_ELSE]),
									 words != NULL ? psprintf("unless %s", words) : "unless a condition holds");
		}
		if (ev_part_has(part, EV_KW_DEPENDENT_SCHEMAS))
			foreach(inner, ev_object_keys(&values[EV_KW_DEPENDENT_SCHEMAS]))
		{
			EvString   *key = lfirst(inner);

			describe_alternative(w, level, ev_described_child(w->d, part->schema, ev_object_value(&values[EV_KW_DEPENDENT_SCHEMAS], key)),
								 psprintf("if %s is present", path_of_name("", key)));
		}
	}
}

static void
describe_children(PropertyWalk *w, const Level *level)
{
	int			count = list_length(w->ancestors);
	ListCell   *cell;

	check_stack_depth();
	foreach(cell, level->parts)
	{
		Ancestor   *ancestor = palloc(sizeof(Ancestor));

		ancestor->schema = ((EvPart *) lfirst(cell))->schema;
		ancestor->path = level->path;
		w->ancestors = lappend(w->ancestors, ancestor);
	}
	describe_properties(w, level);
	describe_other_properties(w, level);
	describe_items(w, level);
	describe_alternatives(w, level);
	w->ancestors = list_truncate(w->ancestors, count);
}

List *
ev_property_rows(EvDescribed *d)
{
	PropertyWalk w = {.d = d};
	Level		level = {.parts = ev_add_parts(d, NIL, d->root), .path = ""};

	(void) add_row(&w, level.parts, NIL, "", NULL, true);
	describe_children(&w, &level);
	return w.rows;
}

/*
 * components.c
 *	  The registered schemas as components, for event_asyncapi and event_openapi.
 *
 * A filter chooses versions; the schemas to which these refer are components too.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#include "base/hide_context.h"
#include "base/shown_text.h"
#include "base/subtransaction.h"
#include "describe/component_writer.h"
#include "describe/described_uri.h"
#include "describe/example_event.h"
#include "registration/registered_list.h"
#include "registry/function_row.h"

PG_FUNCTION_INFO_V1(ev_schema_components);

/*
 * A page is a jsonb value, which has at most 256 MB; one of half of that takes many seconds.
 * It has so many bytes of one schema, and of all schemas of one owner, so that no role alone
 * makes it too large for everybody.
 * Those whose types the filter names count only for the page as a whole.
 */
#define MOST_OF_OWNER	(64 * 1024 * 1024)
#define MOST_OF_PAGE	(128 * 1024 * 1024)
#define COMPONENT_BYTES	1024	/* for each, with its message and channel */

#define MOST_WARNINGS	10		/* of schemas that are left out */
#define LONGEST_PROBLEM	1000	/* bytes */

#define LONGEST_NAME	200		/* bytes, before a number that makes it
								 * different */

/* What the caller wants. */
typedef struct CatalogueFilter
{
	const JsonbValue *types;	/* an array of names or patterns; NULL: all */
	bool		only_latest;
	bool		no_deprecated;
	bool		names_types;	/* each of the types, without a pattern */
} CatalogueFilter;

/* A registered schema, and whether it is a component. */
typedef struct CatalogueMember
{
	Oid			function;		/* hash key, must be the first member */
	const EvRegistered *registered;
	bool		is_latest;
	bool		is_chosen;		/* by the filter */
	bool		is_wanted;		/* or referred to */
	bool		is_done;		/* in this pass */
	bool		is_left_out;
} CatalogueMember;

/* What the schemas of one role have of a page. */
typedef struct OwnerShare
{
	Oid			owner;			/* hash key, must be the first member */
	int64		bytes;
	int64		most;			/* that these may be */
	bool		is_out;			/* none of them has a component */
} OwnerShare;

typedef struct Catalogue
{
	ReturnSetInfo *result;
	EvComponents components;
	HTAB	   *members;		/* CatalogueMember by function */
	List	   *order;			/* of CatalogueMember * */
	HTAB	   *owners;			/* OwnerShare by role */
	bool		names_types;	/* what is chosen is written, or an error is
								 * raised */
	int64		named_bytes;	/* of what has no owner's share, in this pass */
	int64		total;			/* bytes in this pass */
	int			left_out;		/* how many schemas */
	bool		again;			/* schemas are wanted that were not */
} Catalogue;

/* The schema that is being written. */
typedef struct MemberWork
{
	Catalogue  *catalogue;
	CatalogueMember *member;
	OwnerShare *share;			/* NULL: not counted */
} MemberWork;

/* ---------- the filter ---------- */

static void
refuse_filter(const char *key, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" of the filter must be %s", key, what)));
}

static void
read_filter(Jsonb *filter, CatalogueFilter *result)
{
	JsonbValue	root = {.type = jbvBinary};
	ListCell   *cell;

	root.val.binary.data = &filter->root;
	if (!ev_node_is_object(&root))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the filter must be an object")));
	foreach(cell, ev_object_keys(&root))
	{
		const EvString *key = lfirst(cell);
		char	   *name = pnstrdup(key->data, key->length);
		JsonbValue *value = ev_object_value(&root, key);

		if (strcmp(name, "types") == 0)
		{
			if (!ev_node_is_array(value))
				refuse_filter(name, "an array of event types");
			for (uint32 i = 0; i < JsonContainerSize(value->val.binary.data); i++)
				if (getIthJsonbValueFromContainer(value->val.binary.data, i)->type != jbvString)
					refuse_filter(name, "an array of event types");
			result->types = value;
			result->names_types = true;
			for (uint32 i = 0; i < JsonContainerSize(value->val.binary.data); i++)
			{
				JsonbValue *type = getIthJsonbValueFromContainer(value->val.binary.data, i);

				if (memchr(type->val.string.val, '*', type->val.string.len) != NULL)
					result->names_types = false;
			}
		}
		else if (strcmp(name, "versions") == 0)
		{
			char	   *which = value->type == jbvString ? ev_node_string(value) : "";

			if (strcmp(which, "latest") != 0 && strcmp(which, "all") != 0)
				refuse_filter(name, "\"latest\" or \"all\"");
			result->only_latest = strcmp(which, "latest") == 0;
		}
		else if (strcmp(name, "deprecated") == 0)
		{
			if (value->type != jbvBool)
				refuse_filter(name, "true or false");
			result->no_deprecated = !value->val.boolean;
		}
		else
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unknown key %s in the filter", ev_string_show(key->data, key->length)),
					 errhint("The keys are \"types\", \"versions\" and \"deprecated\".")));
	}
}

/* Does a type match a pattern, in which "*" stands for any characters? */
static bool
matches(const char *pattern, int pattern_length, const char *type, int length)
{
	int			star = -1;
	int			retry = 0;
	int			p = 0;
	int			t = 0;

	while (t < length)
	{
		if (p < pattern_length && pattern[p] == '*')
		{
			star = p++;
			retry = t;
		}
		else if (p < pattern_length && pattern[p] == type[t])
		{
			p++;
			t++;
		}
		else if (star >= 0)
		{
			p = star + 1;
			t = ++retry;
		}
		else
			return false;
	}
	while (p < pattern_length && pattern[p] == '*')
		p++;
	return p == pattern_length;
}

static bool
is_type_wanted(const CatalogueFilter *filter, const char *type, int length)
{
	if (filter->types == NULL)
		return true;
	for (uint32 i = 0; i < JsonContainerSize(filter->types->val.binary.data); i++)
	{
		JsonbValue *pattern = getIthJsonbValueFromContainer(filter->types->val.binary.data, i);
		bool		found = matches(pattern->val.string.val, pattern->val.string.len, type, length);

		CHECK_FOR_INTERRUPTS();
		pfree(pattern);
		if (found)
			return true;
	}
	return false;
}

/* Raises an error if a type without "*" is not registered. */
static void
require_types(const CatalogueFilter *filter, const List *registered)
{
	if (filter->types == NULL)
		return;
	for (uint32 i = 0; i < JsonContainerSize(filter->types->val.binary.data); i++)
	{
		JsonbValue *type = getIthJsonbValueFromContainer(filter->types->val.binary.data, i);
		bool		found = memchr(type->val.string.val, '*', type->val.string.len) != NULL;
		ListCell   *cell;

		CHECK_FOR_INTERRUPTS();
		foreach(cell, registered)
		{
			const EvRegistered *r = lfirst(cell);

			if (found)
				break;
			found = r->type_length == type->val.string.len && memcmp(r->name, type->val.string.val, r->type_length) == 0;
		}
		if (!found)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_OBJECT),
					 errmsg("event type %s is not registered", ev_string_show(type->val.string.val, type->val.string.len))));
		pfree(type);
	}
}

/* ---------- names ---------- */

/* The name of a component: letters, digits, ".", "-" and "_". */
static char *
name_of(const EvRegistered *registered)
{
	StringInfoData name;
	int			length = registered->type_length >= 0 ? registered->type_length : (int) strlen(registered->name);

	initStringInfo(&name);
	for (int i = 0; i < Min(length, LONGEST_NAME); i++)
	{
		char		c = registered->name[i];

		appendStringInfoChar(&name, (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ? c : '_');
	}
	if (registered->type_length >= 0)
		appendStringInfo(&name, ".v%d", registered->version);
	return name.data;
}

/* Names all registered schemas, each differently, so that a name does not depend on the filter. */
static HTAB *
make_names(const List *registered)
{
	HASHCTL		by_function = {.keysize = sizeof(Oid), .entrysize = sizeof(EvComponentName), .hcxt = CurrentMemoryContext};
	HASHCTL		by_name = {.keysize = LONGEST_NAME + 32, .entrysize = LONGEST_NAME + 32, .hcxt = CurrentMemoryContext};
	HTAB	   *names = hash_create("event_validate components", 128, &by_function, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	HTAB	   *taken = hash_create("event_validate component names", 128, &by_name, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	ListCell   *cell;

	foreach(cell, registered)
	{
		const EvRegistered *r = lfirst(cell);
		EvComponentName *entry;
		char	   *name = name_of(r);
		char	   *candidate = name;
		bool		found;

		CHECK_FOR_INTERRUPTS();
		for (int number = 2; (void) hash_search(taken, candidate, HASH_ENTER, &found), found; number++)
			candidate = psprintf("%s_%d", name, number);
		entry = hash_search(names, &r->function, HASH_ENTER, NULL);
		entry->name = candidate;
	}
	return names;
}

/* ---------- rows ---------- */

static const char *
string_of(const EvDocument *document, const char *name)
{
	char	   *string;

	return JB_ROOT_IS_OBJECT(document->schema) && ev_get_string(&document->schema->root, name, &string) ? string : NULL;
}

static Datum
text_or_null(const char *string, bool *is_null)
{
	*is_null = string == NULL;
	return string != NULL ? CStringGetTextDatum(string) : (Datum) 0;
}

/* Is the document only for references: one that accepts no event? */
static bool
accepts_nothing(const EvDescribed *d)
{
	const JsonbValue *not;

	if (d->root->is_boolean)
		return !d->root->boolean;
	not = getKeyJsonValueFromContainer(unconstify(JsonbContainer *, d->root->container), "not", strlen("not"), NULL);
	return not != NULL && ((not->type == jbvBool && not->val.boolean) ||
						   (ev_node_is_object(not) && JsonContainerSize(not->val.binary.data) == 0));
}

/* Returns the number of a dialect, as schemaFormat and others have it: "draft-07", "2020-12". */
static const char *
dialect_name(EvDraft draft)
{
	static const char *const names[] = {"draft-04", "draft-06", "draft-07", "2019-09", "2020-12", "v1"};

	return names[draft];
}

/* Counts what a component takes of the page, and raises an error if what the filter names is too much. */
static void
count_bytes(MemberWork *work, int64 bytes)
{
	Catalogue  *c = work->catalogue;

	c->total += bytes;
	if (work->share != NULL)
	{
		work->share->bytes += bytes;
		return;
	}
	c->named_bytes += bytes;
	if (c->named_bytes > MOST_OF_PAGE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the schemas that the filter names take more than %d MB", MOST_OF_PAGE / (1024 * 1024)),
				 errhint("Name fewer event types in \"types\" of the filter, or only their latest versions, and join the pages.")));
}

static void
put_component(MemberWork *work, EvDescribed *d)
{
	EvComponents *components = &work->catalogue->components;
	ReturnSetInfo *result = work->catalogue->result;
	const CatalogueMember *member = work->member;
	Datum		values[14] = {0};
	bool		nulls[14] = {0};
	List	   *left_out;
	char	   *schema = ev_component_write(d, components, &left_out);
	Jsonb	   *example = member->is_chosen ? ev_example_event(d) : NULL;
	EvDraft		draft = d->root->resource->draft;
	Datum	   *texts = palloc(sizeof(Datum) * (list_length(left_out) + 1));
	int			count = 0;
	int64		bytes = COMPONENT_BYTES + (example != NULL ? VARSIZE(example) : 0);
	ListCell   *cell;

	foreach(cell, left_out)
	{
		bytes += strlen(lfirst(cell));
		texts[count++] = CStringGetTextDatum(lfirst(cell));
	}
	values[0] = CStringGetTextDatum(ev_component_name(components, member->function));
	if (member->registered->type_length >= 0)
	{
		values[1] = PointerGetDatum(cstring_to_text_with_len(member->registered->name, member->registered->type_length));
		values[2] = Int32GetDatum(member->registered->version);
	}
	else
		nulls[1] = nulls[2] = true;
	values[3] = CStringGetTextDatum(ev_described_uri(&d->document));
	/* both are in the message, too */
	values[4] = text_or_null(string_of(&d->document, "title"), &nulls[4]);
	values[5] = text_or_null(string_of(&d->document, "description"), &nulls[5]);
	for (int i = 4; i <= 5; i++)
		bytes += nulls[i] ? 0 : VARSIZE_ANY(DatumGetPointer(values[i]));
	/* lists of short values are longer as jsonb than as text */
	ev_component_limit(components, bytes + strlen(schema));
	values[11] = DirectFunctionCall1(jsonb_in, CStringGetDatum(schema));
	bytes += Max(strlen(schema), VARSIZE(DatumGetPointer(values[11])));
	ev_component_limit(components, bytes);
	values[6] = BoolGetDatum(ev_document_is_deprecated(&d->document));
	values[7] = BoolGetDatum(member->is_latest);
	values[8] = BoolGetDatum(member->is_chosen && !accepts_nothing(d));
	values[9] = CStringGetTextDatum(components->as_draft7 ? "draft-07" : dialect_name(draft));
	values[10] = CStringGetTextDatum(ev_draft_uri(draft));
	values[12] = PointerGetDatum(construct_array(texts, count, TEXTOID, -1, false, TYPALIGN_INT));
	nulls[13] = example == NULL;
	if (example != NULL)
		values[13] = PointerGetDatum(example);
	count_bytes(work, bytes);
	/* else another pass follows, in which less is written */
	if (work->catalogue->total <= MOST_OF_PAGE)
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* Marks the schemas to which one refers, also through others.  Returns true if there are new ones. */
static bool
want_references(const EvDescribed *d, HTAB *members)
{
	bool		result = false;
	ListCell   *cell;

	foreach(cell, d->compiler.resources)
	{
		CatalogueMember *member = hash_search(members, &((EvResource *) lfirst(cell))->function, HASH_FIND, NULL);

		if (member != NULL && !member->is_wanted)
			member->is_wanted = result = true;
	}
	return result;
}

static bool
is_chosen(const CatalogueFilter *filter, const CatalogueMember *member)
{
	EvDocument	document;
	EvFault		fault;
	HeapTuple	row;

	if (member->registered->type_length < 0 ||
		!is_type_wanted(filter, member->registered->name, member->registered->type_length) ||
		(filter->only_latest && !member->is_latest))
		return false;
	if (!filter->no_deprecated)
		return true;
	row = ev_function_row(member->function);
	return HeapTupleIsValid(row) && ev_function_document(row, &document, &fault) && !ev_document_is_deprecated(&document);
}

/* Makes the table of members; returns them in their order too. */
static HTAB *
make_members(const List *registered, const CatalogueFilter *filter, List **order)
{
	HASHCTL		control = {.keysize = sizeof(Oid), .entrysize = sizeof(CatalogueMember), .hcxt = CurrentMemoryContext};
	HTAB	   *members = hash_create("event_validate members", 128, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	int			count = list_length(registered);

	*order = NIL;
	for (int i = 0; i < count; i++)
	{
		const EvRegistered *r = list_nth(registered, i);
		const EvRegistered *next = i + 1 < count ? list_nth(registered, i + 1) : NULL;
		CatalogueMember *member = hash_search(members, &r->function, HASH_ENTER, NULL);

		CHECK_FOR_INTERRUPTS();
		member->registered = r;
		member->is_latest = r->type_length >= 0 &&
			(next == NULL || next->type_length != r->type_length || memcmp(next->name, r->name, r->type_length) != 0);
		member->is_chosen = is_chosen(filter, member);
		member->is_wanted = member->is_chosen;
		member->is_done = member->is_left_out = false;
		*order = lappend(*order, member);
	}
	return members;
}

/* ---------- what is left out ---------- */

static OwnerShare *
share_of(Catalogue *c, const CatalogueMember *member)
{
	bool		found;
	OwnerShare *share;

	if (c->names_types && member->is_chosen)
		return NULL;
	share = hash_search(c->owners, &member->registered->owner, HASH_ENTER, &found);
	if (!found)
	{
		share->bytes = 0;
		share->most = MOST_OF_OWNER;
		share->is_out = false;
	}
	return share;
}

static const char *const too_long = "The schemas of its owner take more of the page than one role can have.";

/* Without a name, references to it are left out in the next pass. */
static void
leave_out(Catalogue *c, CatalogueMember *member, const char *problem)
{
	member->is_left_out = true;
	(void) hash_search(c->components.names, &member->function, HASH_REMOVE, NULL);
	if (c->left_out++ < MOST_WARNINGS)
		ereport(WARNING,
				(errmsg("schema \"%s\" is left out", member->registered->name),
				 errdetail_internal("%.*s", pg_mbcliplen(problem, strlen(problem), LONGEST_PROBLEM), problem),
				 errhint("To see it, name its event type, without \"*\", in \"types\" of the filter.")));
}

/* Returns the length of the text of a schema; 0 if it was dropped. */
static int64
length_of_text(Oid function)
{
	HeapTuple	row = ev_function_row(function);
	bool		is_null = true;
	Datum		body = HeapTupleIsValid(row) ? SysCacheGetAttr(PROCOID, row, Anum_pg_proc_prosrc, &is_null) : (Datum) 0;

	return is_null ? 0 : (int64) toast_raw_datum_size(body);
}

static void
write_member(void *arg)
{
	MemberWork *work = arg;
	EvDescribed *d = ev_describe(work->member->function);

	work->catalogue->again |= want_references(d, work->catalogue->members);
	put_component(work, d);
}

static void
try_member(Catalogue *c, CatalogueMember *member)
{
	MemberWork	work = {c, member, share_of(c, member)};
	int64		length = work.share != NULL ? length_of_text(member->function) : 0;
	ErrorData  *error;

	c->components.most = work.share != NULL ? work.share->most - work.share->bytes : MOST_OF_OWNER;
	c->components.is_too_long = false;
	if (work.share == NULL)
		write_member(&work);
	else if (work.share->is_out || length > c->components.most)
		leave_out(c, member, too_long);
	else if ((error = ev_in_subtransaction(write_member, &work, EV_LET_GO)) != NULL)
	{
		if ((c->names_types && !c->components.is_too_long) || ev_is_interrupt(error) || error->sqlerrcode == ERRCODE_OUT_OF_MEMORY || error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE ||
			ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_TO_CATEGORY(ERRCODE_TRANSACTION_ROLLBACK))
			ReThrowError(error);
		/* what was tried in vain counts, so that the time is bounded */
		work.share->bytes += c->components.is_too_long ? c->components.most / 2 : length + COMPONENT_BYTES;
		leave_out(c, member, c->components.is_too_long ? too_long : error->message);
	}
}

/* ---------- the page ---------- */

/* Writes the schemas that are wanted.  References can lead to schemas earlier in the order. */
static void
write_pass(Catalogue *c, MemoryContext scratch)
{
	MemoryContext caller = CurrentMemoryContext;

	do
	{
		ListCell   *cell;

		c->again = false;
		foreach(cell, c->order)
		{
			CatalogueMember *member = lfirst(cell);

			CHECK_FOR_INTERRUPTS();
			if (!member->is_wanted || member->is_done || member->is_left_out)
				continue;
			member->is_done = true;
			MemoryContextReset(scratch);
			MemoryContextSwitchTo(scratch);
			try_member(c, member);
			MemoryContextSwitchTo(caller);
		}
	} while (c->again);
}

/*
 * Begins a pass.  After the second, of an owner who again has schemas that were left out,
 * all are: so the passes come to an end.
 */
static void
begin_pass(Catalogue *c, int number)
{
	ListCell   *cell;
	HASH_SEQ_STATUS status;
	OwnerShare *share;

	tuplestore_clear(c->result->setResult);
	c->total = c->named_bytes = 0;
	foreach(cell, c->order)
	{
		CatalogueMember *member = lfirst(cell);

		if (number > 2 && member->is_left_out && member->is_done)
			share_of(c, member)->is_out = true; /* chosen by name, none is
												 * left out */
		member->is_done = false;
		member->is_wanted = member->is_chosen;
	}
	hash_seq_init(&status, c->owners);
	while ((share = hash_seq_search(&status)) != NULL)
		share->bytes = 0;
}

static int
compare_shares(const ListCell *a, const ListCell *b)
{
	const OwnerShare *x = lfirst(a);
	const OwnerShare *y = lfirst(b);

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? -1 : 1;
	return x->owner < y->owner ? -1 : 1;
}

/* Divides the page among the owners.  Who has less keeps all of it, so that those who have much make space. */
static void
divide_page(Catalogue *c)
{
	int64		rest = MOST_OF_PAGE - c->named_bytes;
	List	   *shares = NIL;
	HASH_SEQ_STATUS status;
	OwnerShare *share;
	ListCell   *cell;

	hash_seq_init(&status, c->owners);
	while ((share = hash_seq_search(&status)) != NULL)
		shares = lappend(shares, share);
	list_sort(shares, compare_shares);
	foreach(cell, shares)
	{
		share = lfirst(cell);
		share->most = Min(share->most, rest);
		rest -= Min(share->bytes, rest);
	}
	list_free(shares);
}

static void
put_components(Catalogue *c, const CatalogueFilter *filter)
{
	HASHCTL		control = {.keysize = sizeof(Oid), .entrysize = sizeof(OwnerShare), .hcxt = CurrentMemoryContext};
	List	   *registered = ev_registered_functions();
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "event_validate component", ALLOCSET_DEFAULT_SIZES);
	int			before;
	int			number = 1;

	c->members = make_members(registered, filter, &c->order);
	require_types(filter, registered);
	c->components.names = make_names(registered);
	c->owners = hash_create("event_validate owners", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	c->names_types = filter->names_types;
	for (;;)
	{
		before = c->left_out;
		write_pass(c, scratch);
		if (c->left_out == before && c->total <= MOST_OF_PAGE)
			break;
		if (c->total > MOST_OF_PAGE)
			divide_page(c);
		number += c->left_out > before;
		begin_pass(c, number);
	}
	if (c->left_out > MOST_WARNINGS)
		ereport(WARNING,
				(errmsg("%d more schemas are left out", c->left_out - MOST_WARNINGS)));
	MemoryContextDelete(scratch);
}

/* schema_components(filter jsonb, dialect text, suffix text, simple_discriminator boolean) returns SETOF record */
Datum
ev_schema_components(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	CatalogueFilter filter = {0};
	Catalogue	catalogue = {.result = result};
	EvComponents *components = &catalogue.components;
	char	   *dialect = text_to_cstring(PG_GETARG_TEXT_PP(1));
	MemoryContext context;
	MemoryContext caller;

	ev_hide_calling_statement();
	InitMaterializedSRF(fcinfo, 0);
	if (strcmp(dialect, "draft-07") != 0 && strcmp(dialect, "own") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown dialect %s", ev_string_show(dialect, strlen(dialect))),
				 errhint("The dialect is \"draft-07\", into which schemas are translated, or \"own\": that of each schema.")));
	read_filter(PG_GETARG_JSONB_P(0), &filter);
	components->as_draft7 = strcmp(dialect, "draft-07") == 0;
	components->suffix = text_to_cstring(PG_GETARG_TEXT_PP(2));
	components->discriminator_is_name = PG_GETARG_BOOL(3);
	context = AllocSetContextCreate(CurrentMemoryContext, "event_validate components", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	ev_registry_keep_documents(true);
	PG_TRY();
	{
		put_components(&catalogue, &filter);
	}
	PG_FINALLY();
	{
		ev_registry_keep_documents(false);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return (Datum) 0;
}

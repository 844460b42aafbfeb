/*
 * jsonb_value.c
 *	  JSON values inside a jsonb.
 *
 * A jsonb stores the keys of an object sorted and without duplicates, so equal
 * objects have their members in the same order.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "base/encoding.h"
#include "base/shown_text.h"
#include "jsonb/jsonb_number.h"
#include "jsonb/jsonb_value.h"

StaticAssertDecl(EV_STRING == JENTRY_ISSTRING >> 28 && EV_NUMBER == JENTRY_ISNUMERIC >> 28 &&
				 EV_FALSE == JENTRY_ISBOOL_FALSE >> 28 && EV_TRUE == JENTRY_ISBOOL_TRUE >> 28 &&
				 EV_NULL == JENTRY_ISNULL >> 28 && EV_OBJECT == JENTRY_ISCONTAINER >> 28,
				 "types are numbered as JEntry numbers them");

EvInstance
ev_root_value(const Jsonb *jsonb)
{
	const JsonbContainer *root = &jsonb->root;
	EvInstance	value = {0};

	if (JsonContainerIsScalar(root))
	{
		/* a scalar is stored in an array with one element */
		const JEntry entry = root->children[0];

		return ev_entry_value(entry, (const char *) &root->children[1], 0, ev_entry_end(entry, 0));
	}
	value.type = JsonContainerIsArray(root) ? EV_ARRAY : EV_OBJECT;
	value.data = (const char *) root;
	return value;
}

/*
 * Iterates over the entries of a container: keys first, if it is an object,
 * then values, with continuous offsets.
 */
typedef struct Entries
{
	const JsonbContainer *container;
	uint32		count;
	uint32		next;
	uint32		offset;
	const char *base;
} Entries;

static Entries
entries_of(const EvInstance *value)
{
	Entries		entries;

	entries.container = (const JsonbContainer *) value->data;
	entries.count = JsonContainerSize(entries.container) * (value->type == EV_OBJECT ? 2 : 1);
	entries.next = 0;
	entries.offset = 0;
	entries.base = (const char *) &entries.container->children[entries.count];
	return entries;
}

static EvInstance
next_entry(Entries *entries)
{
	JEntry		entry = entries->container->children[entries->next++];
	uint32		start = entries->offset;

	entries->offset = ev_entry_end(entry, start);
	return ev_entry_value(entry, entries->base, start, entries->offset);
}

bool
ev_values_equal(const EvInstance *a, const EvInstance *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type)
	{
		case EV_NULL:
		case EV_TRUE:
		case EV_FALSE:
			return true;
		case EV_STRING:
			return a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
		case EV_NUMBER:
			return ev_number_compare((Numeric) a->data, (Numeric) b->data) == 0;
		case EV_OBJECT:
		case EV_ARRAY:
			break;
	}
	return ev_values_compare(a, b) == 0;
}

int
ev_values_compare(const EvInstance *a, const EvInstance *b)
{
	Entries		x;
	Entries		y;

	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	switch (a->type)
	{
		case EV_NULL:
		case EV_TRUE:
		case EV_FALSE:
			return 0;
		case EV_STRING:
			return ev_key_order(&(EvString) {a->data, a->length}, &(EvString) {b->data, b->length});
		case EV_NUMBER:
			return ev_number_compare((Numeric) a->data, (Numeric) b->data);
		case EV_OBJECT:
		case EV_ARRAY:
			break;
	}

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	x = entries_of(a);
	y = entries_of(b);
	if (x.count != y.count)
		return x.count < y.count ? -1 : 1;
	while (x.next < x.count)
	{
		EvInstance	v = next_entry(&x);
		EvInstance	w = next_entry(&y);
		int			order = ev_values_compare(&v, &w);

		if (order != 0)
			return order;
	}
	return 0;
}

uint32
ev_value_hash(const EvInstance *value)
{
	uint32		hash = value->type;
	Entries		entries;

	switch (value->type)
	{
		case EV_NULL:
		case EV_TRUE:
		case EV_FALSE:
			return hash_bytes_uint32(hash);
		case EV_STRING:
			return hash_bytes((const unsigned char *) value->data, value->length);
		case EV_NUMBER:
			{
				EvDigits	number = ev_number_read((Numeric) value->data);

				/* the display scale is not part of the value */
				hash = hash_bytes((const unsigned char *) number.digits, number.count * sizeof(int16));
				if (number.count > 0)
					hash = hash_combine(hash, hash_bytes_uint32(number.weight * 2 + number.negative));
				return hash;
			}
		case EV_OBJECT:
		case EV_ARRAY:
			break;
	}

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	entries = entries_of(value);
	while (entries.next < entries.count)
	{
		EvInstance	entry = next_entry(&entries);

		hash = hash_combine(hash, ev_value_hash(&entry));
	}
	return hash;
}

const char *
ev_type_name(EvType type)
{
	switch (type)
	{
		case EV_STRING:
			return "string";
		case EV_NUMBER:
			return "number";
		case EV_FALSE:
		case EV_TRUE:
			return "boolean";
		case EV_NULL:
			return "null";
		case EV_OBJECT:
			return "object";
		case EV_ARRAY:
			return "array";
	}
	return "unknown";
}

/*
 * Returns a container as JSON, cut.  A large container is described instead,
 * so that its whole text is not made only to be cut.
 */
static char *
show_container(const EvInstance *value)
{
	JsonbContainer *container = (JsonbContainer *) unconstify(char *, value->data);
	uint32		count = JsonContainerSize(container);
	uint32		entries = value->type == EV_OBJECT ? count * 2 : count;

	if (entries > 100 || getJsonbOffset(container, entries) > 1000)
		return value->type == EV_OBJECT ?
			psprintf("an object of %u %s", count, count == 1 ? "property" : "properties") :
			psprintf("an array of %u %s", count, count == 1 ? "item" : "items");
	return ev_visible_cut(JsonbToCString(NULL, container, 1000), EV_SHOWN_CHARACTERS);
}

char *
ev_value_show(const EvInstance *value)
{
	char	   *text;

	switch (value->type)
	{
		case EV_NULL:
			return pstrdup("null");
		case EV_TRUE:
			return pstrdup("true");
		case EV_FALSE:
			return pstrdup("false");
		case EV_STRING:
			return ev_string_show(value->data, value->length);
		case EV_NUMBER:
			text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum((Numeric) value->data)));
			if (strlen(text) > EV_SHOWN_CHARACTERS)
				strcpy(text + EV_SHOWN_CHARACTERS - 3, "...");
			return text;
		case EV_OBJECT:
		case EV_ARRAY:
			return show_container(value);
	}
	return pstrdup("");
}

EvType
ev_value_type(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			return EV_NULL;
		case jbvBool:
			return value->val.boolean ? EV_TRUE : EV_FALSE;
		case jbvNumeric:
			return EV_NUMBER;
		case jbvString:
			return EV_STRING;
		default:
			return JsonContainerIsArray(value->val.binary.data) ? EV_ARRAY : EV_OBJECT;
	}
}

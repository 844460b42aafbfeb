/*
 * discriminator.c
 *	  OpenAPI's "discriminator" beside anyOf and oneOf.
 *
 * It takes no part in answers.  Messages use it to choose one of several branches
 * that do not match.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "compile/discriminator.h"

/* A mapping of more entries, or for more branches, is not read. */
#define MOST_MAPPED		1000

/* The "$ref" of a branch; length 0: it has none. */
static EvString
branch_reference(JsonbContainer *array, uint32 index)
{
	JsonbValue *branch = getIthJsonbValueFromContainer(array, index);
	JsonbValue	reference;

	if (!ev_node_is_object(branch) ||
		getKeyJsonValueFromContainer(branch->val.binary.data, "$ref", 4, &reference) == NULL ||
		reference.type != jbvString)
		return (EvString) {"", 0};
	return (EvString) {reference.val.string.val, reference.val.string.len};
}

/* The name that a reference ends in: "Cat" of "#/components/schemas/Cat". */
static EvString
name_of_reference(EvString reference)
{
	uint32		start = reference.length;

	while (start > 0 && reference.data[start - 1] != '/' && reference.data[start - 1] != '#')
		start--;
	return (EvString) {reference.data + start, reference.length - start};
}

static void
add_tag_value(EvWriter *w, EvBranches *branches, EvString value, uint32 branch)
{
	branches->tag_values[branches->tag_value_count].value = ev_program_string(w, value.data, value.length);
	branches->tag_values[branches->tag_value_count++].branch = branch;
}

/* The entries of the mapping: a value, and the name or reference of a schema. */
static void
read_mapping(EvWriter *w, EvBranches *branches, const EvString *references, JsonbContainer *mapping)
{
	JsonbIterator *iterator = JsonbIteratorInit(mapping);
	JsonbValue	key;
	JsonbValue	value;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		EvString	target;

		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&iterator, &value, true);
		if (value.type != jbvString)
			continue;
		target = (EvString) {value.val.string.val, value.val.string.len};
		for (uint32 i = 0; i < branches->count; i++)
		{
			EvString	reference = references[i];
			EvString	name = name_of_reference(reference);

			CHECK_FOR_INTERRUPTS();
			if (reference.length == 0 ||
				!(ev_key_order(&reference, &target) == 0 || ev_key_order(&name, &target) == 0))
				continue;
			add_tag_value(w, branches, (EvString) {key.val.string.val, key.val.string.len}, i);
			break;
		}
	}
}

void
ev_read_discriminator(EvWriter *w, const JsonbValue *schemas, EvBranches *branches)
{
	JsonbContainer *schema = unconstify(JsonbContainer *, w->subschema->container);
	JsonbContainer *array = schemas->val.binary.data;
	JsonbContainer *mapping = NULL;
	EvString   *references;
	JsonbValue	discriminator;
	JsonbValue	value;
	uint32		room = branches->count;

	if (getKeyJsonValueFromContainer(schema, "discriminator", strlen("discriminator"), &discriminator) == NULL ||
		!ev_node_is_object(&discriminator) || branches->count > MOST_MAPPED ||
		getKeyJsonValueFromContainer(discriminator.val.binary.data, "propertyName", strlen("propertyName"), &value) == NULL ||
		value.type != jbvString)
		return;
	branches->tag = ev_program_string(w, value.val.string.val, value.val.string.len);
	if (getKeyJsonValueFromContainer(discriminator.val.binary.data, "mapping", strlen("mapping"), &value) != NULL &&
		ev_node_is_object(&value) && JsonContainerSize(value.val.binary.data) <= MOST_MAPPED)
	{
		mapping = value.val.binary.data;
		room += JsonContainerSize(mapping);
	}
	branches->tag_values = ev_program_alloc(w, sizeof(EvBranchValue) * Max(room, 1));
	references = palloc(sizeof(EvString) * Max(branches->count, 1));
	for (uint32 i = 0; i < branches->count; i++)
		references[i] = branch_reference(array, i);
	if (mapping != NULL)
		read_mapping(w, branches, references, mapping);
	for (uint32 i = 0; i < branches->count; i++)
	{
		EvString	name = name_of_reference(references[i]);

		if (name.length > 0)
			add_tag_value(w, branches, name, i);
	}
}

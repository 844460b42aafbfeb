/*
 * row_json.c
 *	  A row as jsonb that can become the same row again.
 *
 * to_jsonb(row) loses what a quarantine must keep: the difference between an
 * SQL NULL and the JSON value null, repeated keys of json, the bounds of
 * arrays, digits of floating-point numbers under extra_float_digits.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/run_as_owner.h"
#include "jsonb/jsonb_value.h"
#include "rows/row_json.h"

/* ---------- JSON text ---------- */

Jsonb *
ev_jsonb_from_text(const text *json, char **fault)
{
	char	   *string = text_to_cstring(json);

	*fault = ev_json_syntax_error(string, strlen(string), NULL);
	if (*fault != NULL)
		return NULL;
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(string)));
}

static int64
count_members(const Jsonb *document)
{
	JsonbIterator *iterator = JsonbIteratorInit((JsonbContainer *) &document->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	int64		count = 0;

	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
		if (token == WJB_KEY)
			count++;
	return count;
}

/*
 * Counts the colons outside strings, which is the number of members.  The
 * syntax has been checked.
 */
static int64
count_colons(const char *json, int length)
{
	int64		count = 0;
	bool		in_string = false;

	for (int i = 0; i < length; i++)
	{
		if (json[i] == '"')
			in_string = !in_string;
		else if (in_string && json[i] == '\\')
			i++;
		else if (!in_string && json[i] == ':')
			count++;
	}
	return count;
}

/*
 * Does jsonb keep the numbers as they are written, and can it store them?  It
 * writes 1e2 as 100, and -0 as 0.  The type json has checked the syntax.
 */
static bool
keeps_numbers(const char *json, int length)
{
	bool		in_string = false;

	for (int i = 0; i < length; i++)
	{
		const char *number = json + i;
		bool		is_zero = true;
		int			digits = 0;

		if (json[i] == '"')
			in_string = !in_string;
		else if (in_string && json[i] == '\\')
			i++;
		if (in_string || !((json[i] >= '0' && json[i] <= '9') || json[i] == '-'))
			continue;
		for (; i < length && strchr("0123456789+-.eE", json[i]) != NULL; i++)
		{
			if (json[i] == 'e' || json[i] == 'E' || ++digits > 1000)
				return false;
			is_zero &= json[i] < '1' || json[i] > '9';
		}
		if (*number == '-' && is_zero)
			return false;
		i--;
	}
	return true;
}

/* Is its nesting shallow enough to become jsonb on any server? */
static bool
is_shallow(const char *json, int length)
{
	bool		in_string = false;
	int			depth = 0;

	for (int i = 0; i < length; i++)
	{
		if (json[i] == '"')
			in_string = !in_string;
		else if (in_string && json[i] == '\\')
			i++;
		else if (!in_string && (json[i] == '[' || json[i] == '{') && ++depth > 200)
			return false;
		else if (!in_string && (json[i] == ']' || json[i] == '}'))
			depth--;
	}
	return true;
}

/*
 * Returns a json column's document as jsonb.  Returns NULL if more than white
 * space and the order of members would be lost, if it cannot be stored, or if
 * it could be mistaken for text.  A string too long for jsonb makes the whole
 * document too long.
 */
static Jsonb *
json_to_jsonb(const text *json)
{
	const char *data = VARDATA_ANY(json);
	int			length = VARSIZE_ANY_EXHDR(json);
	char	   *fault;
	Jsonb	   *document;

	if (length >= 0x0FFFFFFF / 2 || !keeps_numbers(data, length) || !is_shallow(data, length))
		return NULL;
	document = ev_jsonb_from_text(json, &fault);
	if (document == NULL)
		return NULL;
	if (JB_ROOT_IS_SCALAR(document))
	{
		JsonbValue	value;

		if (JsonbExtractScalar(&document->root, &value) && value.type == jbvString)
			return NULL;
		return document;
	}
	return count_members(document) == count_colons(data, length) ? document : NULL;
}

/* ---------- a column's value ---------- */

static void
set_string(JsonbValue *value, char *string)
{
	value->type = jbvString;
	value->val.string.val = string;
	value->val.string.len = strlen(string);
}

/*
 * Sets a number that the server writes as JSON; but a string for values that
 * are not JSON numbers, and for the negative zero, which numeric lacks.
 */
static void
set_number(JsonbValue *value, char *number)
{
	if (strspn(number, "0123456789+-.eE") == strlen(number) && strcmp(number, "-0") != 0)
	{
		value->type = jbvNumeric;
		value->val.numeric =
			DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(number),
												ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	}
	else
		set_string(value, number);
}

/* Sets a document inside another. */
static void
set_document(JsonbValue *value, Jsonb *document)
{
	if (JB_ROOT_IS_SCALAR(document) && JsonbExtractScalar(&document->root, value))
		return;
	value->type = jbvBinary;
	value->val.binary.data = &document->root;
	value->val.binary.len = VARSIZE(document) - VARHDRSZ;
}

/*
 * Returns the type's text form, under settings with which it can be read back.
 */
static char *
type_output(Oid type, Datum datum)
{
	Oid			function;
	bool		is_varlena;
	int			guc_level = NewGUCNestLevel();
	char	   *result;

	static const char *const settings[][2] = {
		{"datestyle", "ISO, YMD"}, {"intervalstyle", "postgres"}, {"timezone", "UTC"},
		{"extra_float_digits", "3"}, {"bytea_output", "hex"}, {"lc_monetary", "C"}, {"search_path", EV_PINNED_SEARCH_PATH}
	};

	for (int i = 0; i < (int) lengthof(settings); i++)
		set_config_option(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_SESSION,
						  GUC_ACTION_SAVE, true, 0, false);
	getTypeOutputInfo(type, &function, &is_varlena);
	result = OidOutputFunctionCall(function, datum);
	AtEOXact_GUC(false, guc_level);
	return result;
}

/* Returns false if the column is left out. */
static bool
column_value(Oid type, Datum datum, bool is_null, JsonbValue *value)
{
	char		buffer[MAXDATELEN + 1];
	Jsonb	   *document;

	type = getBaseType(type);
	if (is_null)
	{
		value->type = jbvNull;
		return type != JSONBOID && type != JSONOID;
	}
	switch (type)
	{
		case BOOLOID:
			value->type = jbvBool;
			value->val.boolean = DatumGetBool(datum);
			break;
		case INT2OID:
			set_number(value, psprintf("%d", DatumGetInt16(datum)));
			break;
		case INT4OID:
			set_number(value, psprintf("%d", DatumGetInt32(datum)));
			break;
		case INT8OID:
			set_number(value, psprintf(INT64_FORMAT, DatumGetInt64(datum)));
			break;
		case NUMERICOID:
			set_number(value, DatumGetCString(DirectFunctionCall1(numeric_out, datum)));
			break;
		case FLOAT4OID:
			{
				char		number[FLOAT_SHORTEST_DECIMAL_LEN];

				float_to_shortest_decimal_buf(DatumGetFloat4(datum), number);
				set_number(value, pstrdup(number));
				break;
			}
		case FLOAT8OID:
			{
				char		number[DOUBLE_SHORTEST_DECIMAL_LEN];

				double_to_shortest_decimal_buf(DatumGetFloat8(datum), number);
				set_number(value, pstrdup(number));
				break;
			}
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			set_string(value, TextDatumGetCString(datum));
			break;
		case DATEOID:
		case TIMESTAMPOID:
			JsonEncodeDateTime(buffer, datum, type, NULL);
			set_string(value, pstrdup(buffer));
			break;
		case TIMESTAMPTZOID:
			{
				int			utc = 0;

				JsonEncodeDateTime(buffer, datum, type, &utc);
				set_string(value, pstrdup(buffer));
				break;
			}
		case JSONBOID:
			set_document(value, DatumGetJsonbP(datum));
			break;
		case JSONOID:
			document = json_to_jsonb(DatumGetTextPP(datum));
			if (document != NULL)
				set_document(value, document);
			else
				set_string(value, TextDatumGetCString(datum));
			break;
		default:
			set_string(value, type_output(type, datum));
			break;
	}
	return true;
}

/* ---------- the object ---------- */

/*
 * pushJsonbValue would take nested documents apart and build them again, which
 * recurses.  But a document that is too deep to be matched must still be
 * diverted.  So the object is written here, in the format that jsonb.h
 * describes, with nested documents unchanged.
 */
typedef struct Member
{
	const char *name;
	int			name_length;
	JsonbValue	value;
} Member;

static int
compare_members(const void *a, const void *b)
{
	const Member *x = (const Member *) a;
	const Member *y = (const Member *) b;

	return ev_key_order(&(EvString) {x->name, x->name_length}, &(EvString) {y->name, y->name_length});
}

/* Numbers and containers are aligned in a jsonb. */
static void
align(StringInfo buffer)
{
	while (buffer->len % ALIGNOF_INT != 0)
		appendStringInfoCharMacro(buffer, '\0');
}

/* Writes a value; returns its type as in a JEntry. */
static JEntry
append_value(StringInfo buffer, const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			return JENTRY_ISNULL;
		case jbvBool:
			return value->val.boolean ? JENTRY_ISBOOL_TRUE : JENTRY_ISBOOL_FALSE;
		case jbvString:
			appendBinaryStringInfo(buffer, value->val.string.val, value->val.string.len);
			return JENTRY_ISSTRING;
		case jbvNumeric:
			align(buffer);
			appendBinaryStringInfo(buffer, (const char *) value->val.numeric,
								   VARSIZE_ANY(value->val.numeric));
			return JENTRY_ISNUMERIC;
		case jbvBinary:
			align(buffer);
			appendBinaryStringInfo(buffer, (const char *) value->val.binary.data,
								   value->val.binary.len);
			return JENTRY_ISCONTAINER;
		default:
			elog(ERROR, "unexpected type of jsonb value: %d", (int) value->type);
	}
}

static Jsonb *
make_object(Member *members, int count)
{
	StringInfoData buffer;
	uint32		header = count | JB_FOBJECT;
	int			entries;		/* offset of the entries */
	int			data;			/* and of the data */

	qsort(members, count, sizeof(Member), compare_members);
	initStringInfo(&buffer);
	appendStringInfoSpaces(&buffer, VARHDRSZ);
	appendBinaryStringInfo(&buffer, (char *) &header, sizeof(header));
	entries = buffer.len;
	appendStringInfoSpaces(&buffer, sizeof(JEntry) * count * 2);
	data = buffer.len;

	/* first the keys, then the values */
	for (int i = 0; i < 2 * count; i++)
	{
		int			start = buffer.len;
		JEntry		entry;

		if (i < count)
		{
			appendBinaryStringInfo(&buffer, members[i].name, members[i].name_length);
			entry = JENTRY_ISSTRING;
		}
		else
			entry = append_value(&buffer, &members[i - count].value);
		if (buffer.len - data > JENTRY_OFFLENMASK)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("row is too large for the quarantine")));
		if (i % JB_OFFSET_STRIDE == 0)
			entry |= (buffer.len - data) | JENTRY_HAS_OFF;
		else
			entry |= buffer.len - start;
		memcpy(buffer.data + entries + i * sizeof(JEntry), &entry, sizeof(JEntry));
	}
	SET_VARSIZE(buffer.data, buffer.len);
	return (Jsonb *) buffer.data;
}

Jsonb *
ev_row_to_jsonb(Relation relation, HeapTuple row)
{
	TupleDesc	descriptor = RelationGetDescr(relation);
	Member	   *members = palloc(sizeof(Member) * (descriptor->natts + 1));
	int			count = 0;

	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(descriptor, i);
		Member	   *member = &members[count];
		bool		is_null;
		Datum		datum;

		if (column->attisdropped || column->attgenerated != '\0')
			continue;
		datum = heap_getattr(row, i + 1, descriptor, &is_null);
		if (!column_value(column->atttypid, datum, is_null, &member->value))
			continue;
		member->name = NameStr(column->attname);
		member->name_length = strlen(member->name);
		count++;
	}
	return make_object(members, count);
}

/* ---------- from jsonb to a row ---------- */

int
ev_row_pin_settings(void)
{
	static const char *const settings[][2] = {
		{"array_nulls", "on"}, {"lc_monetary", "C"}, {"xmloption", "content"}
	};
	int			guc_level = NewGUCNestLevel();

	for (int i = 0; i < (int) lengthof(settings); i++)
		set_config_option(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_SESSION,
						  GUC_ACTION_SAVE, true, 0, false);
	return guc_level;
}

/* The stored value can be anything. */
static void
check_object(Jsonb *row)
{
	if (!JB_ROOT_IS_OBJECT(row))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a row must be a JSON object")));
}

char *
ev_row_stray_member(Relation relation, Jsonb *row)
{
	JsonbIterator *iterator = JsonbIteratorInit(&row->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *name = NULL;

	check_object(row);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			name = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE && value.type != jbvNull &&
				 (strlen(name) >= NAMEDATALEN ||
				  get_attnum(RelationGetRelid(relation), name) <= InvalidAttrNumber))
			return name;
	}
	return NULL;
}

char *
ev_row_insert_command(Relation relation, Jsonb *row)
{
	TupleDesc	descriptor = RelationGetDescr(relation);
	char	   *table = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
												   RelationGetRelationName(relation));
	StringInfoData columns;
	StringInfoData values;

	check_object(row);
	initStringInfo(&columns);
	initStringInfo(&values);
	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(descriptor, i);
		const char *name = quote_identifier(NameStr(column->attname));
		char	   *key = quote_literal_cstr(NameStr(column->attname));
		Oid			base;
		JsonbValue	member;
		bool		is_json;

		if (column->attisdropped || column->attgenerated != '\0')
			continue;
		base = getBaseType(column->atttypid);
		is_json = base == JSONBOID || base == JSONOID;
		if (getKeyJsonValueFromContainer(&row->root, NameStr(column->attname),
										 strlen(NameStr(column->attname)), &member) == NULL &&
			!(is_json && !column->attnotnull))
			continue;

		appendStringInfo(&columns, "%s%s", columns.len > 0 ? ", " : "", name);
		if (values.len > 0)
			appendStringInfoString(&values, ", ");
		if (base == JSONBOID)
			appendStringInfo(&values, "($1 OPERATOR(pg_catalog.->) %s)", key);
		else if (base == JSONOID)
			appendStringInfo(&values,
							 "CASE WHEN pg_catalog.jsonb_typeof($1 OPERATOR(pg_catalog.->) %s) OPERATOR(pg_catalog.=) 'string'"
							 " THEN ($1 OPERATOR(pg_catalog.->>) %s)::pg_catalog.json"
							 " ELSE ($1 OPERATOR(pg_catalog.->) %s)::pg_catalog.json END",
							 key, key, key);
		else
			appendStringInfo(&values, "r.%s", name);
	}
	if (columns.len == 0)
		return psprintf("INSERT INTO %s DEFAULT VALUES", table);
	return psprintf("INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE"
					" SELECT %s FROM pg_catalog.jsonb_populate_record(NULL::%s, $1) AS r",
					table, columns.data, values.data, table);
}

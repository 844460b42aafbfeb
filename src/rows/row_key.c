/*
 * row_key.c
 *	  A row's primary key, for errors about the row.
 *
 * As in PostgreSQL's own errors (BuildIndexValueDescription), the key is shown only
 * to users with the right to read its columns.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "catalog/pg_index.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/syscache.h"

#include "base/encoding.h"
#include "base/shown_text.h"
#include "rows/row_key.h"
#include "rows/table_rights.h"

/* May the user read these columns in all rows of the table? */
static bool
may_read(Oid table, Relation relation, const int2vector *columns, int count)
{
	if (check_enable_rls(table, InvalidOid, true) == RLS_ENABLED)
		return false;
	if (pg_class_aclcheck(table, GetUserId(), ACL_SELECT) == ACLCHECK_OK)
		return true;
	for (int i = 0; i < count; i++)
	{
		const char *name = NameStr(TupleDescAttr(RelationGetDescr(relation), columns->values[i] - 1)->attname);
		AttrNumber	column = get_attnum(table, name);

		if (column == InvalidAttrNumber ||
			pg_attribute_aclcheck(table, column, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
			return false;
	}
	return true;
}

/* A partition is usually read through the whole table. */
static bool
may_read_key(Relation relation, const int2vector *columns, int count)
{
	Oid			table = RelationGetRelid(relation);
	Oid			top = ev_top_table(table);

	return may_read(table, relation, columns, count) ||
		(top != table && may_read(top, relation, columns, count));
}

static char *
shown_value(Datum value, Oid type)
{
	Oid			function;
	bool		is_varlena;

	getTypeOutputInfo(type, &function, &is_varlena);
	return ev_visible_cut(OidOutputFunctionCall(function, value), EV_SHOWN_CHARACTERS);
}

/* InvalidOid: there is none. */
static Oid
primary_key_of(Relation relation)
{
	List	   *indexes = RelationGetIndexList(relation);
	Oid			found = InvalidOid;
	ListCell   *cell;

	foreach(cell, indexes)
	{
		HeapTuple	row = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(cell)));

		if (!HeapTupleIsValid(row))
			continue;
		if (((Form_pg_index) GETSTRUCT(row))->indisprimary)
			found = lfirst_oid(cell);
		ReleaseSysCache(row);
	}
	list_free(indexes);
	return found;
}

char *
ev_row_key(Relation relation, HeapTuple row)
{
	Oid			primary_key = primary_key_of(relation);
	TupleDesc	descriptor = RelationGetDescr(relation);
	Relation	index;
	const int2vector *columns;
	StringInfoData names;
	StringInfoData values;
	bool		is_known;

	if (!OidIsValid(primary_key))
		return NULL;
	index = index_open(primary_key, AccessShareLock);
	columns = &index->rd_index->indkey;
	is_known = may_read_key(relation, columns, index->rd_index->indnkeyatts);
	initStringInfo(&names);
	initStringInfo(&values);
	for (int i = 0; i < index->rd_index->indnkeyatts && is_known; i++)
	{
		Form_pg_attribute column = TupleDescAttr(descriptor, columns->values[i] - 1);
		bool		isnull;
		Datum		value = heap_getattr(row, columns->values[i], descriptor, &isnull);

		is_known = !isnull && column->attgenerated == '\0';
		if (!is_known)
			break;
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", ev_visible(quote_identifier(NameStr(column->attname))));
		appendStringInfo(&values, "%s%s", i > 0 ? ", " : "", shown_value(value, column->atttypid));
	}
	index_close(index, AccessShareLock);
	return is_known ? psprintf("(%s)=(%s)", names.data, values.data) : NULL;
}

/*
 * migrate_relation.c
 *	  The requirements of migrate_events: rights on a table, and writable columns.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/sysattr.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"

#include "base/shown_text.h"
#include "base/table_members.h"
#include "evolution/migrate_relation.h"

/* May the current user read and update a table, or some of its columns? */
static bool
has_rights(Oid table)
{
	static const AclMode modes[] = {ACL_SELECT, ACL_UPDATE};

	for (int i = 0; i < (int) lengthof(modes); i++)
		if (pg_class_aclcheck(table, GetUserId(), modes[i]) != ACLCHECK_OK &&
			pg_attribute_aclcheck_all(table, GetUserId(), modes[i], ACLMASK_ANY) != ACLCHECK_OK)
			return false;
	return true;
}

void
ev_migrate_check_rights(Oid table)
{
	char	   *name = get_rel_name(table);

	if (name != NULL && !has_rights(table))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for table %s", name),
				 errhint("migrate_events needs SELECT and UPDATE on the table, or on each of its partitions.")));
}

void
ev_migrate_check_all_rights(Oid table)
{
	List	   *tables = ev_table_members(table);
	bool		is_parent = get_rel_relkind(table) == RELKIND_PARTITIONED_TABLE && list_length(tables) > 1;
	ListCell   *cell;

	foreach(cell, tables)
		if (lfirst_oid(cell) == table ? !is_parent : get_rel_relkind(lfirst_oid(cell)) == RELKIND_RELATION)
		ev_migrate_check_rights(lfirst_oid(cell));
}

AttrNumber
ev_migrate_find_column(Relation relation, const char *text)
{
	TupleDesc	descriptor = RelationGetDescr(relation);

	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < descriptor->natts; i++)
		{
			Form_pg_attribute attribute = TupleDescAttr(descriptor, i);
			const char *name = NameStr(attribute->attname);

			if (!attribute->attisdropped &&
				(pass == 0 ? strcmp(text, name) == 0 :
				 strcmp(text, quote_identifier(name)) == 0 || pg_strcasecmp(text, quote_identifier(name)) == 0))
				return attribute->attnum;
		}
	return InvalidAttrNumber;
}

bool
ev_migrate_is_of_type(Relation relation, AttrNumber number, bool is_data)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), number - 1);
	Oid			type = getBaseType(attribute->atttypid);

	return is_data ? type == JSONBOID : type == INT2OID || type == INT4OID || type == INT8OID;
}

void
ev_migrate_check_column(Relation relation, AttrNumber number, bool is_data)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), number - 1);

	if (attribute->attgenerated != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
				 errmsg("column \"%s\" of table \"%s\" is generated, and cannot be written",
						NameStr(attribute->attname), RelationGetRelationName(relation))));
	if (!ev_migrate_is_of_type(relation, number, is_data))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of table \"%s\" must be of type %s, not %s",
						NameStr(attribute->attname), RelationGetRelationName(relation),
						is_data ? "jsonb" : "smallint, integer or bigint",
						format_type_be(attribute->atttypid)),
				 is_data ? errhint("Make it jsonb with standardize_event_column.") : 0));
}

char *
ev_migrate_resolve_column(Relation relation, const char *text, bool is_data)
{
	AttrNumber	number = ev_migrate_find_column(relation, text);

	if (number == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("there is no column \"%s\" in table \"%s\"",
						ev_visible_cut(text, EV_SHOWN_ARGUMENT), RelationGetRelationName(relation)),
				 errdetail("migrate_events writes the event's data and version, so they must be columns.")));
	ev_migrate_check_column(relation, number, is_data);
	return pstrdup(NameStr(TupleDescAttr(RelationGetDescr(relation), number - 1)->attname));
}

void
ev_migrate_check_row_security(Oid table)
{
	if (check_enable_rls(table, InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("row-level security of table \"%s\" would hide events from migrate_events", get_rel_name(table)),
				 errhint("Let the table's owner, or a role with BYPASSRLS, call it.")));
}

bool
ev_migrate_is_partition_key(Oid table, const char *data, const char *version)
{
	ListCell   *cell;
	bool		result = false;

	if (!get_rel_relispartition(table))
		return false;
	foreach(cell, get_partition_ancestors(table))
	{
		Relation	ancestor = try_relation_open(lfirst_oid(cell), AccessShareLock);
		Bitmapset  *columns = NULL;
		bool		in_expression;
		const char *names[2] = {data, version};

		if (ancestor == NULL)
			continue;
		for (int i = 0; i < 2; i++)
			columns = bms_add_member(columns, ev_migrate_find_column(ancestor, names[i]) - FirstLowInvalidHeapAttributeNumber);
		if (ancestor->rd_rel->relkind == RELKIND_PARTITIONED_TABLE &&
			has_partition_attrs(ancestor, columns, &in_expression))
			result = true;
		relation_close(ancestor, AccessShareLock);
	}
	return result;
}

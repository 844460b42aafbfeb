/*
 * guard_constraint.c
 *	  The CHECK constraint that a guard stands before.
 *
 * Its row triggers run before a table's constraints.  So if a guard and a
 * constraint check the same, only the guard refuses rows, and gives its error
 * the constraint's name, by which clients know it.
 *
 * Not on the path of valid events.
 */
#include "postgres.h"

#include "base/compat.h"
#include "guard/guard_constraint.h"

/* Does a constraint for these types (text of an array; NULL: all) check this type? */
static bool
has_type(const char *types, const text *type)
{
	text	  **list;
	int			count;

	if (types == NULL)
		return true;
	if (type == NULL)
		return false;
	list = ev_guard_types(types, &count);
	for (int i = 0; i < count; i++)
		if (VARSIZE_ANY_EXHDR(list[i]) == VARSIZE_ANY_EXHDR(type) &&
			memcmp(VARDATA_ANY(list[i]), VARDATA_ANY(type), VARSIZE_ANY_EXHDR(type)) == 0)
			return true;
	return false;
}

static bool
is_operand(const EvGuardOperand *operand, Node *checked)
{
	if (operand->column != 0)
		return ev_guard_expression_column(checked) == operand->column;
	return ev_guard_same_operand(operand->expression, checked);
}

static bool
reads_the_same(const EvGuard *guard, Node *const *checked)
{
	for (int i = 0; i < EV_ROW_PARTS; i++)
		if (!is_operand(&guard->operands[i], checked[i]))
			return false;
	return true;
}

char *
ev_guard_constraint(const EvGuard *guard, Relation relation, const text *type)
{
	const TupleConstr *constraints;

	/*
	 * read anew each time: looking up what a constraint calls can rebuild the
	 * relation's cache entry
	 */
	for (int i = 0; (constraints = RelationGetDescr(relation)->constr) != NULL && i < constraints->num_check; i++)
	{
		const ConstrCheck *check = &constraints->check[i];
		char	   *name = pstrdup(check->ccname);
		Node	   *operands[EV_ROW_PARTS];
		const char *types;

		if (EV_CHECK_ENFORCED(check) &&
			ev_guard_read_check(relation, stringToNode(check->ccbin), operands, &types) &&
			reads_the_same(guard, operands) && has_type(types, type))
			return name;
	}
	return NULL;
}

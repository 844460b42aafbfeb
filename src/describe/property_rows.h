/*
 * property_rows.h
 *	  The properties of an event as rows, those of referred schemas included.
 */
#ifndef EV_PROPERTY_ROWS_H
#define EV_PROPERTY_ROWS_H

#include "describe/constraint_words.h"

typedef struct EvPropertyRow
{
	char	   *path;			/* "a.b", "list[]", "list[0]", "map.*"; "" is
								 * the event itself */
	char	   *condition;		/* of the alternative that the row is in;
								 * NULL: always */
	char	   *type;
	bool		required;
	List	   *constraints;	/* of EvConstraint */
	char	   *title;			/* or NULL */
	char	   *description;	/* or NULL */
	const JsonbValue *default_value;	/* or NULL */
	const JsonbValue *examples; /* an array, or NULL */
	bool		deprecated;
} EvPropertyRow;

/*
 * Returns the rows of a schema, the event itself first, as EvPropertyRow in
 * CurrentMemoryContext.  Sets d->is_cut if there are too many; those are left out.  A
 * property in a circle has a row, but not its parts once more.
 */
extern List *ev_property_rows(EvDescribed *d);

#endif							/* EV_PROPERTY_ROWS_H */

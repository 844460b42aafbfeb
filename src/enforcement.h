/*
 * enforcement.h
 *	  Where events are checked, and which rows need a schema version.
 */
#ifndef EV_ENFORCEMENT_H
#define EV_ENFORCEMENT_H

#include "nodes/pg_list.h"

/* A schema version, in the server encoding. */
typedef struct EvVersion
{
	char	   *type;
	int32		version;
} EvVersion;

/*
 * Raises dependent_objects_still_exist where a row of an enforced table
 * carries one of these versions (a list of EvVersion *), which are being
 * dropped by this transaction.  Enforced is a table with a CHECK constraint,
 * or a column of a domain with one, that calls check_event or validate_event
 * of the extension, whose objects are in the namespace given; and a table with
 * a guard, whatever its mode.
 *
 * Locks enforced tables against writers until the end of the transaction, and
 * sees all that was committed until then.  Needs SPI connected.
 */
extern void ev_enforcement_check_unused(List *versions, Oid extension_namespace);

#endif							/* EV_ENFORCEMENT_H */

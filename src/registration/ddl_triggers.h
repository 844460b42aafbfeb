/*
 * ddl_triggers.h
 *	  The event triggers that protect published schemas.
 */
#ifndef EV_DDL_TRIGGERS_H
#define EV_DDL_TRIGGERS_H

#include "fmgr.h"

/*
 * ddl_command_end: refuses to rename, move or alter schemas so that their
 * answers change.
 */
extern Datum ev_guard_ddl(PG_FUNCTION_ARGS);

/* sql_drop: refuses to drop a schema version that rows need. */
extern Datum ev_guard_drop(PG_FUNCTION_ARGS);

#endif							/* EV_DDL_TRIGGERS_H */

/*
 * table_look.h
 *	  Reads the rows of another role's table safely, whatever its expressions
 *	  do.
 */
#ifndef EV_TABLE_LOOK_H
#define EV_TABLE_LOOK_H

#include "nodes/pg_list.h"

/*
 * Time limit in milliseconds for one table of another role, and for all tables of one
 * role; and for all tables together while locks delay their writers.
 */
#define EV_LOOK_MS			5000
#define EV_OWNER_LOOK_MS	10000
#define EV_LOCKED_LOOK_MS	500

/* Time limits in milliseconds for counting the rows of a table, and of all tables of one role. */
#define EV_COUNT_MS			60000
#define EV_OWNER_COUNT_MS	120000

/* The time that reading the tables of each role took. */
typedef struct EvOwnerTimes
{
	int			most;			/* milliseconds for one role */
	List	   *owners;			/* NIL at first */
} EvOwnerTimes;

typedef struct EvLook
{
	Oid			relation;
	Oid			user;			/* the role that asks */
	CommandId	command;		/* if not 0, only the transaction's rows of
								 * commands before this one */
	int			milliseconds;	/* time limit; 0: none */
	EvOwnerTimes *times;		/* limit the time further, and are added to;
								 * NULL: they do not */
	void		(*work) (void *arg);
	void	   *arg;
	bool		overdue;		/* result: the time limit was exceeded */
	bool		used_up;		/* result: other tables of the role took most
								 * of the time */
	bool		readable;		/* result: the user may see values of the rows
								 * in error messages */
} EvLook;

/*
 * Calls look->work(look->arg) as the table's owner, in a security-restricted
 * operation, with only pg_catalog in the search_path, row security off for the
 * owner, the newest snapshot active, and SPI not yet connected.  Its changes
 * are rolled back, and its locks released afterwards.  It should lock the
 * table (ACCESS SHARE) before reading it.
 *
 * Returns NULL; or the error that ended it, in CurrentMemoryContext, which is
 * the table's fault and must not be shown unless look->readable.  Raises only
 * errors of cancel requests.  The work runs in a memory context that is
 * deleted afterwards.
 */
extern ErrorData *ev_look(EvLook *look);

/*
 * Returns why the table could not be read, as a sentence for DETAIL, in
 * CurrentMemoryContext, without values of the rows unless the user may read
 * them.
 */
extern char *ev_look_reason(const EvLook *look, const ErrorData *error);

#endif							/* EV_TABLE_LOOK_H */

/*
 * table_look.h
 *	  Looking at the rows of somebody's table, whatever its expressions do.
 */
#ifndef EV_TABLE_LOOK_H
#define EV_TABLE_LOOK_H

/*
 * How long we look at a table of others, in milliseconds; and how long at all
 * of them together where locks keep their writers waiting.
 */
#define EV_LOOK_MS			5000
#define EV_LOCKED_LOOK_MS	500

/* How long its rows are counted at most, in milliseconds. */
#define EV_COUNT_MS			60000

typedef struct EvLook
{
	Oid			relation;
	Oid			user;			/* who asks */
	int			milliseconds;	/* how long at most; 0: for as long as it
								 * takes */
	void		(*work) (void *arg);
	void	   *arg;
	bool		overdue;		/* out: it took longer */
	bool		readable;		/* out: the user may see what its rows make
								 * expressions say */
} EvLook;

/*
 * Calls look->work(look->arg) as the table's owner, in a security-restricted
 * operation, with nothing but pg_catalog in the search_path, row security off
 * for the owner, the newest snapshot active, and SPI not yet connected.  What it
 * does is rolled back, and the locks that it takes are gone afterwards; it
 * should lock the table (ACCESS SHARE) before it looks at it.
 *
 * Gives NULL; or the error that ended it, in CurrentMemoryContext, which is the
 * table's fault and not to be shown as it is unless look->readable.  Raises
 * nothing but the answer to a cancel.  The work's memory must be its own:
 * CurrentMemoryContext is one that is deleted afterwards.
 */
extern ErrorData *ev_look(EvLook *look);

/*
 * Why it could not look, as a sentence for DETAIL, in CurrentMemoryContext:
 * nothing that the rows say, unless the user may read them.
 */
extern char *ev_look_reason(const EvLook *look, const ErrorData *error);

#endif							/* EV_TABLE_LOOK_H */

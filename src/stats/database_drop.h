/*
 * database_drop.h
 *	  The statistics of a database go with it.
 */
#ifndef EV_DATABASE_DROP_H
#define EV_DATABASE_DROP_H

/* Watches for DROP DATABASE, if there are statistics; for _PG_init, after ev_shared_stats_init. */
extern void ev_database_drop_init(void);

#endif							/* EV_DATABASE_DROP_H */

/*
 * progress.h
 *	  How far a command is, for the view event_progress.
 *
 * The numbers are in the backend's own entry of PostgreSQL's status array, where
 * VACUUM and others report theirs for pg_stat_progress_vacuum.  So they need no
 * shared memory of ours and no lock, in each server, whether it preloads the library
 * or not, and PostgreSQL removes them when the transaction or the process fails.
 * Its own views do not show them, since the command is none of PostgreSQL's.  As
 * there, a backend reports one command at a time, and none if track_activities is off.
 *
 * A command that runs within another one (audit_events in a trigger of a table that
 * is migrated) hides it until it ends.
 */
#ifndef EV_PROGRESS_H
#define EV_PROGRESS_H

typedef enum EvProgressCommand
{
	EV_PROGRESS_NONE,
	EV_PROGRESS_AUDIT,
	EV_PROGRESS_VALIDATE,
	EV_PROGRESS_MIGRATE,
	EV_PROGRESS_REPLAY,
	EV_PROGRESS_STANDARDIZE,
	EV_PROGRESS_MERGE,
	EV_PROGRESS_USAGE,
	EV_PROGRESS_DROP,
	EV_PROGRESS_COMMANDS
} EvProgressCommand;

typedef enum EvProgressPhase
{
	EV_PHASE_PREPARING,
	EV_PHASE_CHECKING,			/* audit, validate */
	EV_PHASE_MIGRATING,
	EV_PHASE_MIGRATING_AGAIN,	/* the second pass and those after it */
	EV_PHASE_REPLAYING,
	EV_PHASE_TRYING,			/* a dry run of a replay */
	EV_PHASE_COMPARING,			/* standardize, merge: before they change
								 * anything */
	EV_PHASE_CHANGING,			/* they alter the table */
	EV_PHASE_COPYING,			/* merge */
	EV_PHASE_VALIDATING,
	EV_PHASE_COUNTING,			/* usage */
	EV_PHASE_SEARCHING,			/* drop */
	EV_PHASES
} EvProgressPhase;

/* Of numbers that a command does not report. */
#define EV_PROGRESS_UNKNOWN	(-1)

/* Registers callbacks for the end of transactions; for _PG_init. */
extern void ev_progress_init(void);

/*
 * Begins and ends a command.  One that commits transactions is kept at a commit,
 * others end with their transaction at the latest.  An error ends it: neither needs
 * PG_TRY.  The first raises no error but those of reading the catalogs.
 */
extern void ev_progress_start(EvProgressCommand command, Oid relation, bool commits);
extern void ev_progress_end(void);

/*
 * Begins a phase of the current command: no row is done, and the total is the given
 * one (EV_PROGRESS_UNKNOWN: not known, and rows may not be counted).
 */
extern void ev_progress_phase(EvProgressPhase phase, int64 total);

/* Sets the table that is shown, and the numbers. */
extern void ev_progress_relation(Oid relation);
extern void ev_progress_rows(int64 done, int64 changed, int64 failed);

/*
 * For commands that read a table by pages: begins a table or partition, and says
 * which share of its pages was read.  The rows that are done are estimated from them.
 */
extern void ev_progress_part(Oid part);
extern void ev_progress_share(double share, int64 changed, int64 failed);

/* Counts a row.  Cheap: it is shown after some rows.  Parallel workers count, too. */
extern void ev_progress_row(bool failed);

/*
 * Estimates the number of rows of a table and the tables below it, without waiting
 * for a lock; EV_PROGRESS_UNKNOWN for a view.
 */
extern int64 ev_progress_estimate(Oid relation);

/* The same for the table alone, as after FROM ONLY. */
extern int64 ev_progress_estimate_only(Oid relation);

#endif							/* EV_PROGRESS_H */

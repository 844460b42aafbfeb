/*
 * usage_sites.h
 *	  Where events are checked: what the catalogs say.
 */
#ifndef EV_USAGE_SITES_H
#define EV_USAGE_SITES_H

#include "access/htup.h"
#include "rollout/drop_guard.h"
#include "rows/event_calls.h"
#include "nodes/primnodes.h"

/* What is looked for. */
typedef struct EvSearch
{
	List	   *versions;		/* of EvVersion *; NIL: all */
	EvEventFunctions functions;
	Oid			guard;			/* guard_event */
	List	   *wrappers;		/* functions that call them, by their text */
	List	   *schemas;		/* functions in language jsonschema, if they
								 * are looked for */
	List	   *sites;			/* found, of EvSite * */
	List	   *constraints;	/* that were looked at, by OID */
} EvSearch;

/*
 * A constraint on a table, or on the domain of one of its columns; or a guard
 * on a table.
 */
typedef struct EvSite
{
	Oid			relation;
	Oid			trigger;		/* the guard, or InvalidOid */
	Oid			constraint;
	Oid			domain;			/* InvalidOid: it is on the table itself */
	bool		too_many;		/* the domain is in too many places to look at
								 * each */
	char	   *column;			/* that leads to the domain's value, ... */
	List	   *path;			/* ... through fields, by name (char *), and
								 * elements of arrays (NULL) */
} EvSite;

/* A call in a constraint, and what it says of the event. */
typedef struct EvSiteCall
{
	FuncExpr   *call;
	bool		is_wrapper;		/* of a function that calls check_event */
	bool		is_term;		/* the constraint is true only where it is */
	bool		is_by_row;		/* the type is the row's, not a constant that
								 * the rest of the constraint gives to some
								 * rows */
	Node	   *type;			/* NULL: it does not say */
	Node	   *version;
} EvSiteCall;

/*
 * Fills in the functions of the extension.  The versions are the caller's; the
 * rest is found.
 */
extern void ev_search_init(EvSearch *search);

/*
 * Finds search->sites, as the catalogs are now: CHECK constraints of tables and
 * domains that call check_event or validate_event, or a function that does, and
 * guards, on what holds rows.  What cannot be about one of search->versions, as
 * far as its constants tell, is left out.  Takes no lock on the tables.
 */
extern void ev_find_sites(EvSearch *search);

/*
 * Adds the constraints that call a schema function to search->sites, and these
 * functions to search->schemas and search->wrappers.  To be called after ev_find_sites.
 */
extern void ev_find_schema_sites(EvSearch *search);

/* The tables that they are on, in the order of their OIDs. */
extern List *ev_site_tables(const EvSearch *search);

/*
 * The expression of a CHECK constraint that is enforced, in
 * CurrentMemoryContext; NULL where it is gone, or none.
 */
extern Node *ev_check_expression(Oid constraint);

/*
 * Raises unless the expressions of a site may be run as the owner of its table:
 * a role that may add triggers to the table, or that owns the domain, wrote them
 * perhaps, and would run code with the owner's rights.
 */
extern void ev_site_require_trusted(const EvSite *site, const EvSearch *search, List *expressions);

/* The calls in it, of EvSiteCall *. */
extern List *ev_site_calls(Node *expression, const EvSearch *search);

/* The expression with all these calls false. */
extern Node *ev_refuse_calls(Node *expression, const EvSearch *search);

/*
 * The rows or domain values of a site, for FROM: as t, or in a column "value".
 * Where `those` is not NULL, it is a condition on the table's rows, which are t.
 * The search_path must be pinned.
 */
extern char *ev_site_from(const EvSite *site, const char *those);

#endif							/* EV_USAGE_SITES_H */

/*
 * usage_sites.h
 *	  Finds the constraints, indexes, columns and guards that use schemas,
 *	  in the catalogs.
 */
#ifndef EV_USAGE_SITES_H
#define EV_USAGE_SITES_H

#include "access/htup.h"
#include "rollout/drop_guard.h"
#include "rollout/search_bounds.h"
#include "rows/event_calls.h"
#include "nodes/primnodes.h"
#include "utils/hsearch.h"

/* The search, and its result. */
typedef struct EvSearch
{
	List	   *versions;		/* of EvVersion *; NIL: all */
	Oid			user;			/* the role that it is for */
	EvEventFunctions functions;
	Oid			guard;			/* guard_event */
	List	   *wrappers;		/* functions that call them, by their text */
	HTAB	   *wrapper_set;	/* the same */
	List	   *schemas;		/* functions in language jsonschema, if they
								 * are searched */
	HTAB	   *domains;		/* with a CHECK that calls them, and domains
								 * over these */
	List	   *sites;			/* result, of EvSite * */
	HTAB	   *constraints;	/* examined so far, by OID */
	HTAB	   *casts;			/* the same, of those with a cast */
	HTAB	   *placed;			/* constraints that have sites */
	HTAB	   *policies;		/* examined, in rule_sites.c */
	HTAB	   *rules;			/* the same, of views */
	HTAB	   *views;			/* the views that rules belong to */
	EvSearchCounts *counts;
	bool		is_for_unread;	/* the wrappers are functions that may call
								 * them: their text is too long to be read */
	HTAB	   *texts;			/* if so: of ev_unread_text() */
	struct EvSearch *unread;	/* the search for the sites of such functions;
								 * NULL: there are none */
} EvSearch;

/*
 * A usage site: a constraint on a table, or on the domain of one of its
 * columns; a guard on a table; or a policy or a view WITH CHECK OPTION
 * (rule_sites.h).
 */
typedef struct EvSite
{
	Oid			relation;
	Oid			trigger;		/* the guard, or InvalidOid */
	Oid			policy;
	Oid			view;
	Oid			declared;		/* the table of the policy or view: the
								 * relation, or one of which it is a partition
								 * or child */
	Oid			constraint;
	Oid			domain;			/* InvalidOid: the constraint is on the table
								 * itself */
	bool		too_many;		/* the domain is used in too many locations to
								 * read each; or more sites of the owner were
								 * left out */
	bool		is_last;		/* more sites of the owner were left out */
	bool		is_unread;		/* it is not known whether it checks events */
	char	   *column;			/* column with the domain's value, */
	List	   *path;			/* and path to the value in it: fields, by
								 * name (char *), and elements of arrays
								 * (NULL) */
} EvSite;

/*
 * Sets the functions of the extension, and the role that the search is for, within its
 * limits (search_bounds.h).  The caller sets the versions, and ev_find_sites() the rest.
 */
extern void ev_search_init(EvSearch *search, Oid user);

/*
 * Finds search->sites in the current catalogs: CHECK constraints of tables and
 * domains that call check_event or validate_event, directly, through a
 * function or by a cast to a domain, and guards, on relations with rows.  Sites whose constants exclude
 * all of search->versions are left out.  Takes no lock on the tables.
 *
 * What calls functions that were not read (wrappers.h) is found in search->unread.
 * ev_find_rule_sites() adds its sites to search->sites.
 */
extern void ev_find_sites(EvSearch *search);

/*
 * Adds the constraints that call a schema function to search->sites, and these
 * functions to search->schemas and search->wrappers.  Must be called after
 * ev_find_sites().
 */
extern void ev_find_schema_sites(EvSearch *search);

/* Adds a copy of a site, if its relation has rows and its owner not too many sites. */
extern void ev_site_add(EvSearch *search, const EvSite *site);

/* Returns the tables of the sites, in the order of their OIDs. */
extern List *ev_site_tables(const EvSearch *search);

/*
 * Returns the expression of an enforced CHECK constraint, in
 * CurrentMemoryContext; NULL if the constraint does not exist or is another
 * one.
 */
extern Node *ev_check_expression(Oid constraint);

/*
 * Returns SQL for FROM: the rows of a site as t, or its domain values in a
 * column "value". `those`, if not NULL, is a condition on the table's rows,
 * which are t.  The search_path must be pinned.
 */
extern char *ev_site_from(const EvSite *site, const char *those);

#endif							/* EV_USAGE_SITES_H */

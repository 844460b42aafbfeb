/*
 * bundle_options.h
 *	  Options of register_schemas for single schemas of the bundle: accepted
 *	  findings, and renames.
 */
#ifndef EV_BUNDLE_OPTIONS_H
#define EV_BUNDLE_OPTIONS_H

#include "fmgr.h"
#include "schema/document.h"

typedef struct EvBundleOptions
{
	List	   *accept;			/* names of findings, after TYPE@VERSION and a
								 * space */
	Jsonb	   *renames;		/* mappings by TYPE@VERSION, or NULL */
	const char *only;			/* the only version in the bundle, or NULL */
} EvBundleOptions;

/*
 * Reads the arguments accept and renames, from number `first` on, in
 * CurrentMemoryContext.  `versions` are the names of the versions in the bundle
 * (char *).  Raises the errors of ev_definition_accept and ev_renames_argument, and
 * invalid_parameter_value for a name of none of these.
 */
extern void ev_bundle_options(FunctionCallInfo fcinfo, int first, bool breaking, List *versions,
							  EvBundleOptions *options);

/* Returns the findings that a version accepts, in CurrentMemoryContext. */
extern List *ev_bundle_accept(const EvBundleOptions *options, const char *version);

/* Returns the renames of a version, in CurrentMemoryContext; NULL if it has none. */
extern Jsonb *ev_bundle_renames(const EvBundleOptions *options, const char *version);

#endif							/* EV_BUNDLE_OPTIONS_H */

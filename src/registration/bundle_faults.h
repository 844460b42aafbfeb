/*
 * bundle_faults.h
 *	  The faults of the schemas that register_schemas is asked to register.
 */
#ifndef EV_BUNDLE_FAULTS_H
#define EV_BUNDLE_FAULTS_H

#include "schema/document.h"

typedef struct EvBundleFaults EvBundleFaults;

/* The maximum number of faults of one schema in the list. */
#define EV_BUNDLE_SHOWN_OF_ONE	10

/* Makes an empty list for this number of members, in CurrentMemoryContext. */
extern EvBundleFaults *ev_bundle_faults_make(int members);

/*
 * Is an error the fault of a schema?  Others, such as a cancel request, a deadlock or
 * a lack of memory, must be raised again.
 */
extern bool ev_bundle_is_fault(const ErrorData *error);

/*
 * Adds an error as a fault of a member.  The name of the member is put before
 * a message that does not contain it.
 */
extern void ev_bundle_add_error(EvBundleFaults *faults, int member, const ErrorData *error, const char *name);

/*
 * Adds a fault of a member, whose document has this name. cause: the number of
 * another member that causes the fault, or -1.  Such a fault is not reported
 * if the cause has a fault of its own.
 */
extern void ev_bundle_add_fault(EvBundleFaults *faults, int member, const EvFault *fault, const char *name, int cause);

/* Has a member faults? */
extern bool ev_bundle_has_faults(const EvBundleFaults *faults, int member);

/*
 * Raises an ERROR that lists the faults; does nothing if there are none.  Its
 * SQLSTATE is that of the faults if they have the same, otherwise
 * invalid_parameter_value.
 */
extern void ev_bundle_report_faults(const EvBundleFaults *faults);

#endif							/* EV_BUNDLE_FAULTS_H */

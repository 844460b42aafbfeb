/*
 * report.h
 *	  JSON Schema's output formats.
 */
#ifndef EV_REPORT_H
#define EV_REPORT_H

#include "program/program.h"

/*
 * What a document's evaluation gave, in a format of 2019-09 and 2020-12
 * ("flag", "basic", "detailed"; core, section 12.4) or of v1 ("list",
 * "hierarchical").  The program is one with annotations.  In
 * CurrentMemoryContext; NULL where there is no such format.
 */
extern Jsonb *ev_report(const EvProgram *program, const Jsonb *document, const char *format);

#endif							/* EV_REPORT_H */

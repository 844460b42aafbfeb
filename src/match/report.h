/*
 * report.h
 *	  The output formats of JSON Schema.
 */
#ifndef EV_REPORT_H
#define EV_REPORT_H

#include "program/program.h"

/*
 * Returns the result of a document's evaluation, in a format of 2019-09 and
 * 2020-12 ("flag", "basic", "detailed"; core, section 12.4) or of v1 ("list",
 * "hierarchical"), in CurrentMemoryContext; NULL if the format is unknown.
 * The program must have annotations.
 */
extern Jsonb *ev_report(const EvProgram *program, const Jsonb *document, const char *format);

#endif							/* EV_REPORT_H */

/*
 * discriminator.h
 *	  OpenAPI's "discriminator" beside anyOf and oneOf.
 */
#ifndef EV_DISCRIMINATOR_H
#define EV_DISCRIMINATOR_H

#include "compile/program_writer.h"

/*
 * Notes in the branches which property the discriminator of the subschema at hand
 * names, and which values of it mean which branch: those of its mapping, and the
 * names that the branches' references end in.  schemas is the value of anyOf or
 * oneOf.  Allocates in the program's memory.  An invalid discriminator is ignored.
 */
extern void ev_read_discriminator(EvWriter *w, const JsonbValue *schemas, EvBranches *branches);

#endif							/* EV_DISCRIMINATOR_H */

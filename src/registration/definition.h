/*
 * definition.h
 *	  The definition of a schema as an argument of an SQL function, with its
 *	  options.
 */
#ifndef EV_DEFINITION_H
#define EV_DEFINITION_H

#include "fmgr.h"

#include "schema/document.h"

/* A definition that is to be registered, and the options. */
typedef struct EvDefinition
{
	char	   *json;
	bool		is_jsonb;		/* the user gave a jsonb, and not this text */
	bool		is_document;	/* for references, no event */
	bool		assert_format;
	EvFormatSet except_formats;
	bool		breaking;
	List	   *accept;			/* names of findings, see accept_option.h */
	Jsonb	   *renames;		/* of properties, see renames.h; or NULL */
	bool		strict;			/* reject warnings */
	bool		widen;			/* a wider schema may replace the old one */
} EvDefinition;

/*
 * Reads the arguments of an SQL function from number `first` on into *definition:
 * the definition (text, or jsonb), assert_format, breaking, strict, except_formats
 * and accept.  All but the last two are not NULL.  Allocates in
 * CurrentMemoryContext.  Raises errors as ev_format_set_argument and
 * ev_accept_argument do, and invalid_parameter_value for a rule that does not exist, or
 * for findings that are accepted although breaking is set.
 */
extern void ev_definition_arguments(FunctionCallInfo fcinfo, int first, bool is_jsonb, EvDefinition *definition);

/*
 * Reads the argument accept, in CurrentMemoryContext, with the same errors.
 */
extern List *ev_definition_accept(Datum names, bool breaking);

/*
 * Reads the argument renames, number `argument`, into *definition.  Raises
 * invalid_parameter_value if it is no mapping.
 */
extern void ev_definition_renames(FunctionCallInfo fcinfo, int argument, EvDefinition *definition);

/*
 * Parses a definition into *document, in CurrentMemoryContext, with a name and a
 * URI.  Raises invalid_parameter_value if it is not JSON, or begins with a pragma
 * line.
 */
extern void ev_definition_read(const EvDefinition *definition, const char *name, const char *uri,
							   EvDocument *document);

#endif							/* EV_DEFINITION_H */

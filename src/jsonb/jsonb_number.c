/*
 * jsonb_number.c
 *	  Exact comparison and division of numbers in a jsonb.
 *
 * Only multiples that do not fit in 64 bits allocate memory.
 */
#include "postgres.h"

#include "common/int.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"

#include "jsonb/jsonb_number.h"

int
ev_number_compare(Numeric a, Numeric b)
{
	EvDigits	x = ev_number_read(a);
	EvDigits	y = ev_number_read(b);
	int			result = 0;

	if (x.count == 0 || y.count == 0)
	{
		if (x.count > 0)
			return x.negative ? -1 : 1;
		if (y.count > 0)
			return y.negative ? 1 : -1;
		return 0;
	}
	if (x.negative != y.negative)
		return x.negative ? -1 : 1;

	if (x.weight != y.weight)
		result = x.weight < y.weight ? -1 : 1;
	for (int i = 0; result == 0 && i < Min(x.count, y.count); i++)
		if (x.digits[i] != y.digits[i])
			result = x.digits[i] < y.digits[i] ? -1 : 1;
	if (result == 0 && x.count != y.count)
		result = x.count < y.count ? -1 : 1;
	return x.negative ? -result : result;
}

/*
 * Returns the digits as an integer, times 10000 ^ zeros; false if it exceeds
 * 64 bits.
 */
static bool
to_integer(const EvDigits *number, int zeros, int64 *result)
{
	int64		value = 0;

	for (int i = 0; i < number->count + zeros; i++)
		if (pg_mul_s64_overflow(value, 10000, &value) ||
			pg_add_s64_overflow(value, i < number->count ? number->digits[i] : 0, &value))
			return false;
	*result = value;
	return true;
}

/*
 * Is a number followed by `zeros` zeros (of base 10000) a multiple of one with
 * at most 3 digits?  Works digit by digit, in linear time.
 */
static bool
is_multiple_of_few_digits(const EvDigits *number, int zeros, uint64 of)
{
	uint64		remainder = 0;

	for (int i = 0; i < number->count; i++)
		remainder = (remainder * 10000 + number->digits[i]) % of;
	for (int i = 0; i < zeros && remainder != 0; i++)
		remainder = remainder * 10000 % of;
	return remainder == 0;
}

/*
 * numeric_mod cannot be canceled.  Its steps are the number of digits (of base
 * 10000) of the quotient multiplied by those of the divisor.  This limit takes
 * some hundredths of a second.
 */
#define MAX_DIVISION	4000000

bool
ev_number_is_multiple(Numeric number, Numeric of)
{
	EvDigits	x = ev_number_read(number);
	EvDigits	y = ev_number_read(of);
	int			x_end;
	int			y_end;
	int64		a;
	int64		b;
	Numeric		remainder;
	bool		result;

	if (x.count == 0)
		return true;

	/*
	 * the last digits are not zero, so if x has lower ones, it is no multiple
	 */
	x_end = x.weight - x.count + 1;
	y_end = y.weight - y.count + 1;
	if (x_end < y_end || x.weight < y.weight)
		return false;
	y.negative = false;
	if (x_end - y_end <= 5 && to_integer(&x, x_end - y_end, &a) && to_integer(&y, 0, &b))
		return a % b == 0;
	CHECK_FOR_INTERRUPTS();
	if (y.count <= 3 && to_integer(&y, 0, &b))
		return is_multiple_of_few_digits(&x, x_end - y_end, (uint64) b);

	if ((int64) (x.weight - y.weight + 1) * y.count > MAX_DIVISION)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("number has too many digits for \"multipleOf\""),
				 errdetail("The number has some %d digits before the decimal point, \"multipleOf\" some %d in all.",
						   Max(4 * (x.weight + 1), 0), 4 * y.count),
				 errhint("Give \"multipleOf\" fewer digits.")));
	remainder = DatumGetNumeric(DirectFunctionCall2(numeric_mod, NumericGetDatum(number),
													NumericGetDatum(of)));
	result = ev_number_read(remainder).count == 0;
	pfree(remainder);
	return result;
}

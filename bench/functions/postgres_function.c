/* A function of PostgreSQL, spin(path): a turn of each function of spin.h. Compiled with -include postgres.h. */
#include "fmgr.h"
#include "spin.h"
#include "utils/builtins.h"

PG_MODULE_MAGIC;
PG_FUNCTION_INFO_V1(spin);

Datum spin(PG_FUNCTION_ARGS) {
  FILE* said = fopen(text_to_cstring(PG_GETARG_TEXT_PP(0)), "a");

  if (!said) PG_RETURN_INT64(-1);
  turns(said);
  fclose(said);
  PG_RETURN_INT64(0);
}

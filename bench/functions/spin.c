#include "spin.h"

#include <stdlib.h>

int main(int argc, char** argv) {
  FILE* said = argc == 3 ? fopen(argv[1], "w") : NULL;
  uint64_t until = monotonic() + (argc == 3 ? strtoull(argv[2], NULL, 10) * 1000000000ull : 0), sum = 0;

  if (!said) return 2;
  while (monotonic() < until) sum += turns(said);
  return fclose(said) || sum == 1;
}

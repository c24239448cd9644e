/*
 * Two functions that only compute, and a program that executes them in turn and says into a file from when to when it
 * executed which: lines "BEGIN END NAME", in nanoseconds of CLOCK_MONOTONIC.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define ROUNDS 200000
#define TURN_NS 200000000ull

static uint64_t monotonic(void) {
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

__attribute__((noinline)) uint64_t render_invoice(uint64_t sum) {
  for (int i = 0; i < ROUNDS; i++) sum = (sum * 31 + (uint64_t)i) % 1000003;
  return sum;
}

__attribute__((noinline)) uint64_t count_stock(uint64_t sum) {
  for (int i = 0; i < ROUNDS; i++) sum = (sum * 17 + (uint64_t)i) % 1000033;
  return sum;
}

/* One turn of each. */
static uint64_t turns(FILE* said) {
  uint64_t sum = 1, begin = monotonic(), end;

  do {
    sum = render_invoice(sum);
    end = monotonic();
  } while (end < begin + TURN_NS);
  fprintf(said, "%llu %llu render_invoice\n", (unsigned long long)begin, (unsigned long long)end);
  begin = monotonic();
  do {
    sum = count_stock(sum);
    end = monotonic();
  } while (end < begin + TURN_NS);
  fprintf(said, "%llu %llu count_stock\n", (unsigned long long)begin, (unsigned long long)end);
  fflush(said);
  return sum;
}

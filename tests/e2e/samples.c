// Uses the given number of seconds of CPU, nearly all in one function, twelve calls deep; then prints the number.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static volatile unsigned long sink;

static double spent(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

__attribute__((noinline)) void spin_here(double until) {
  while (spent() < until)
    for (int i = 0; i < 5000000; i++) sink += (unsigned long)i * 7;
  sink++;
}
// clang-format off
#define LINK(n, next) \
  __attribute__((noinline)) void link_##n(double until) { next(until); sink++; }
LINK(11, spin_here) LINK(10, link_11) LINK(9, link_10) LINK(8, link_9) LINK(7, link_8) LINK(6, link_7)
LINK(5, link_6) LINK(4, link_5) LINK(3, link_4) LINK(2, link_3) LINK(1, link_2)

int main(int count, char** arguments) {
  link_1(count > 1 ? atof(arguments[1]) : 1);
  printf("%.6f\n", spent());
  return 0;
}

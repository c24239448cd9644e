/* Spends its time in a function that the compiler must put into its caller, for some seconds of CPU time. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

volatile unsigned long sink;

static inline __attribute__((always_inline)) void mix(unsigned long rounds) {
  for (unsigned long i = 0; i < rounds; i++) sink += i * 7; /* line 9 */
}

__attribute__((noinline)) void render(unsigned long rounds) {
  mix(rounds); /* line 13 */
  sink++;
}

__attribute__((noinline)) void serve(double seconds) {
  struct timespec now;
  double end = 0;

  do {
    render(200000); /* line 22 */
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    if (end == 0) end = (double)now.tv_sec + (double)now.tv_nsec / 1e9 + seconds;
  } while ((double)now.tv_sec + (double)now.tv_nsec / 1e9 < end);
  sink++;
}

int main(int argc, char** argv) {
  serve(argc > 1 ? atof(argv[1]) : 1); /* line 30 */
  puts("done");
  return 0;
}

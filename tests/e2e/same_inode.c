// Uses the CPU for some milliseconds in a function whose name is given to the compiler, and prints its process.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

__attribute__((noinline)) double VERSION(long most) {
  struct timespec now;
  double sum = 0;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  const long end = now.tv_sec * 1000 + now.tv_nsec / 1000000 + most;
  do {
    for (int i = 1; i < 1000000; ++i) sum += 1.0 / i;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  } while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < end);
  return sum;
}

int main(int count, char** arguments) {
  printf("%d\n", getpid());
  return VERSION(count > 1 ? atol(arguments[1]) : 0) < 0;
}

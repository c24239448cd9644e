/*
 * System calls in a loop, to measure the cost of recording files: file_calls CALLS.
 *
 * Prints nanoseconds of CPU per call of getpid, read (one byte in the page cache) and open (with its close).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(int argc, char** argv) {
  const int calls = argc > 1 ? atoi(argv[1]) : 100000;
  const int file = open("/etc/hostname", O_RDONLY);
  char byte;
  if (file < 0 || calls < 10) return 1;
  const double begin = now();
  for (int i = 0; i < calls; i++) syscall(SYS_getpid);
  const double asked = now();
  for (int i = 0; i < calls; i++)
    if (pread(file, &byte, 1, 0) != 1) return 1;
  const double read = now();
  for (int i = 0; i < calls / 10; i++) {
    const int again = open("/etc/hostname", O_RDONLY);
    if (again < 0) return 1;
    close(again);
  }
  const double opened = now();
  printf("%.1f %.1f %.1f\n", (asked - begin) / calls, (read - asked) / calls, (opened - read) / (calls / 10));
  return 0;
}

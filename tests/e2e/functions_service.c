// A server whose requests use CPU time in functions of known names: each writes how much of it, for the test that
// counts. functions-service PORT MICROSECONDS: GET /pay uses that much in json_encode, called from render, and 1 ms in
// check_stock.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double cpu_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static volatile unsigned sink;

static double rounds_per_us;

__attribute__((always_inline)) static inline void spin(double us) {
  const unsigned rounds = (unsigned)(us * rounds_per_us);
  for (unsigned i = 0; i < rounds; i++) sink += i * i;
}

// Inlined: the samples are of who calls it. It asks for the time a few times only, which takes 4 us on some machines.
__attribute__((always_inline)) static inline void burn(double us) {
  const double until = cpu_us() + us;
  for (double left = us; left > 10; left = until - cpu_us()) spin(left / 2);
}

static void calibrate(void) {
  const unsigned rounds = 50000000;
  const double begin = cpu_us();
  for (unsigned i = 0; i < rounds; i++) sink += i * i;
  rounds_per_us = rounds / (cpu_us() - begin);
}

__attribute__((noinline)) void json_encode(double us) { burn(us); }
__attribute__((noinline)) void check_stock(void) { burn(1000); }
__attribute__((noinline)) void render(double us) {
  json_encode(us);
  sink++;
}
__attribute__((noinline)) void handle(double us) {
  check_stock();
  render(us);
  sink++;
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const double us = atof(argv[2]);
  calibrate();
  const int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1]))};
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (struct sockaddr*)&address, sizeof address) != 0 || listen(listener, 16) != 0) return 1;
  for (;;) {
    const int c = accept(listener, NULL, NULL);
    if (c < 0) return 1;
    setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    char head[4096];
    for (;;) {
      const ssize_t n = read(c, head, sizeof head - 1);
      if (n <= 0) break;
      const double before = cpu_us();
      handle(us);
      printf("%.3f\n", cpu_us() - before);
      fflush(stdout);
      static const char kAnswer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
      if (write(c, kAnswer, sizeof kAnswer - 1) < 0) break;
    }
    close(c);
  }
}

// A server that uses the CPU time named in the request's path, in a function of that name: GET /spin/500 (ms).
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double cpu_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static volatile unsigned sink;

__attribute__((noinline)) void burn_here(double ms) {
  const double until = cpu_ms() + ms;
  do {
    for (unsigned i = 0; i < 2000000; i++) sink += i * i;
  } while (cpu_ms() < until);
}

int main(int argc, char** argv) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((unsigned short)atoi(argc > 1 ? argv[1] : "8080"))};
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
      head[n] = 0;
      const char* spin = strstr(head, "/spin/");
      if (spin) burn_here(atof(spin + 6));
      static const char kAnswer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
      if (write(c, kAnswer, sizeof kAnswer - 1) < 0) break;
    }
    close(c);
  }
}

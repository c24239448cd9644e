/*
 * An HTTP server that waits in functions that it says: for a lock, for a pipe, asleep. Built without frame pointers.
 *
 *   waits PORT    GET /lock every tenth request waits 30 ms for a mutex that restock() holds; GET /pipe: for a reader
 * of orders; GET /sleep: it sleeps
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

pthread_mutex_t cart_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t held;
static int orders[2], wanted[2];
static volatile int sink; /* keeps calls from being tail calls */

static void pause_ms(long ms) {
  struct timespec time = {0, ms * 1000000};

  nanosleep(&time, NULL);
}

/* Holds the lock for 30 ms, from before the request goes on. */
static void* restock(void* unused) {
  pthread_mutex_lock(&cart_mutex);
  pthread_barrier_wait(&held);
  pause_ms(30);
  pthread_mutex_unlock(&cart_mutex);
  return unused;
}

static void* deliver(void* unused) {
  char byte;

  while (read(wanted[0], &byte, 1) == 1) {
    pause_ms(30);
    (void)!write(orders[1], "x", 1);
  }
  return unused;
}

__attribute__((noinline)) void add_item(void) {
  pthread_mutex_lock(&cart_mutex);
  sink++;
  pthread_mutex_unlock(&cart_mutex);
}

__attribute__((noinline)) void fetch_order(void) {
  char byte = 0;

  (void)!write(wanted[1], "x", 1);
  sink = (int)read(orders[0], &byte, 1);
  sink++;
}

__attribute__((noinline)) void back_off(void) {
  pause_ms(30);
  sink++;
}

__attribute__((noinline)) void serve(const char* request, int slow) {
  pthread_t other;

  if (!strncmp(request, "GET /lock", 9)) {
    if (slow) {
      pthread_create(&other, NULL, restock, NULL);
      pthread_barrier_wait(&held);
    }
    add_item();
    if (slow) pthread_join(other, NULL);
  } else if (!strncmp(request, "GET /pipe", 9) && slow) {
    fetch_order();
  } else if (!strncmp(request, "GET /sleep", 10) && slow) {
    back_off();
  }
  sink++;
}

int main(int argc, char** argv) {
  static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1, served = 0;
  struct sockaddr_in address = {.sin_family = AF_INET};
  pthread_t thread;

  if (argc < 2 || pipe(orders) || pipe(wanted)) return 1;
  pthread_barrier_init(&held, NULL, 2);
  pthread_create(&thread, NULL, deliver, NULL);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((unsigned short)atoi(argv[1]));
  if (bind(listener, (struct sockaddr*)&address, sizeof(address)) || listen(listener, 8)) return 1;
  for (;;) {
    int connection = accept(listener, NULL, NULL);
    char request[4096];
    ssize_t got;

    while ((got = read(connection, request, sizeof(request) - 1)) > 0) {
      request[got] = 0;
      serve(request, ++served % 10 == 7);
      if (write(connection, answer, sizeof(answer) - 1) < 0) break;
    }
    close(connection);
  }
}

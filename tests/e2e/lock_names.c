/*
 * An HTTP server in which every tenth request of a path waits 30 ms for a lock that another thread holds: a variable of
 * the program, a member of one, one of a library, one on the heap, one on the stack.
 *
 *   lock_names PORT   GET /variable, /static, /member, /library, /heap, /stack; says "PATH ADDRESS" of each at its
 * start
 *
 * With -DLIBRARY it is the library.
 */
#include <pthread.h>

#ifdef LIBRARY

pthread_mutex_t library_mutex = PTHREAD_MUTEX_INITIALIZER;

#else

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

extern pthread_mutex_t library_mutex;

static pthread_mutex_t* library(void) { return &library_mutex; }

pthread_mutex_t cart_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct {
  int filled;
  pthread_mutex_t mutex;
} stock = {1, PTHREAD_MUTEX_INITIALIZER}; /* in .data, not in .bss */
struct shop {
  char name[64];
  pthread_mutex_t mutex;
} shop = {.name = "shop", .mutex = PTHREAD_MUTEX_INITIALIZER};

static struct {
  const char* path;
  pthread_mutex_t* mutex;
} locks[6];
static pthread_barrier_t held;

static void* hold(void* mutex) {
  struct timespec time = {0, 30 * 1000000};

  pthread_mutex_lock(mutex);
  pthread_barrier_wait(&held);
  nanosleep(&time, NULL);
  pthread_mutex_unlock(mutex);
  return NULL;
}

static void serve(const char* request, int slow) {
  pthread_t other;

  for (int i = 0; i < 6; i++) {
    size_t length = strlen(locks[i].path);

    if (strncmp(request + 4, locks[i].path, length) || request[4 + length] != ' ') continue;
    if (slow) {
      pthread_create(&other, NULL, hold, locks[i].mutex);
      pthread_barrier_wait(&held);
    }
    pthread_mutex_lock(locks[i].mutex);
    pthread_mutex_unlock(locks[i].mutex);
    if (slow) pthread_join(other, NULL);
  }
}

int main(int argc, char** argv) {
  static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1, served = 0;
  struct sockaddr_in address = {.sin_family = AF_INET};
  pthread_mutex_t on_stack, *on_heap = malloc(sizeof(*on_heap));

  if (argc < 2 || !on_heap) return 1;
  pthread_mutex_init(&on_stack, NULL);
  pthread_mutex_init(on_heap, NULL);
  pthread_barrier_init(&held, NULL, 2);
  locks[0].path = "/variable", locks[0].mutex = &cart_mutex;
  locks[1].path = "/static", locks[1].mutex = &stock.mutex;
  locks[2].path = "/member", locks[2].mutex = &shop.mutex;
  locks[3].path = "/library", locks[3].mutex = library();
  locks[4].path = "/heap", locks[4].mutex = on_heap;
  locks[5].path = "/stack", locks[5].mutex = &on_stack;
  for (int i = 0; i < 6; i++) printf("%s %p\n", locks[i].path, (void*)locks[i].mutex);
  fflush(stdout);
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

#endif

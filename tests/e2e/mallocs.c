/* A server that counts its own allocations, and makes none but those that it is asked for.
 * mallocs PORT OTHER: two threads answer; GET /all/N makes N of each kind, each answer says how many there were so far.
 * A process that it forks for GET /fork answers at the port OTHER. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int listeners[2];
static atomic_long count;
static void* volatile kept; /* so that the compiler leaves no call out */

static void* keep(void* memory) {
  if (!memory) abort();
  atomic_fetch_add(&count, 1);
  return kept = memory;
}

static void allocate(size_t size) {
  void* memory;

  free(keep(malloc(size)));
  free(keep(calloc(3, size)));
  free(keep(realloc(NULL, size)));
  memory = keep(malloc(size));
  free(keep(realloc(memory, 40 * size)));
  free(keep(aligned_alloc(256, 256)));
  free(keep(aligned_alloc(16, size)));
  for (size_t alignment = sizeof(void*); alignment <= 4096; alignment *= 512) {
    if (posix_memalign(&memory, alignment, size) != 0) abort();
    free(keep(memory));
  }
}

static void* serve(void* listener) {
  char head[4096], answer[256], body[64];

  for (;;) {
    int connection = accept(*(int*)listener, NULL, NULL);
    ssize_t length;

    while (connection >= 0 && (length = read(connection, head, sizeof(head) - 1)) > 0) {
      head[length] = 0;
      if (strncmp(head, "GET /all/", 9) == 0)
        for (long left = atol(head + 9); left > 0; left--) allocate(48);
      if (strncmp(head, "GET /fork", 9) == 0 && fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(connection);
        listener = &listeners[1];
        connection = -1;
        break;
      }
      snprintf(body, sizeof(body), "%ld", atomic_load(&count));
      snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
      if (write(connection, answer, strlen(answer)) < 0) perror("write");
    }
    if (connection >= 0) close(connection);
  }
  return NULL;
}

int main(int arguments, char** values) {
  pthread_t thread;
  int yes = 1;

  if (arguments != 3) return 2;
  for (int i = 0; i < 2; i++) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    here.sin_port = htons((unsigned short)(atoi(values[1 + i])));
    listeners[i] = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listeners[i], SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(listeners[i], (struct sockaddr*)&here, sizeof(here)) != 0 || listen(listeners[i], 64) != 0) {
      perror("listen");
      return 1;
    }
  }
  if (pthread_create(&thread, NULL, serve, &listeners[0]) != 0) return 1;
  serve(&listeners[0]);
}

/* Threads that wait in known functions until they are ended, from when the file that is given exists; each says its
 * number. */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char* begin;
static int ends[2];
pthread_mutex_t cart_mutex = PTHREAD_MUTEX_INITIALIZER;
volatile int after;

static void await(void) {
  while (access(begin, F_OK) != 0) usleep(20000);
}

__attribute__((noinline)) void restock(void) {
  pthread_mutex_lock(&cart_mutex);
  await();
  poll(NULL, 0, -1);
  after++;
}

__attribute__((noinline)) void add_item(void) {
  pthread_mutex_lock(&cart_mutex);
  after++;
}

__attribute__((noinline)) void read_order(void) {
  char byte;
  if (read(ends[0], &byte, 1) != 1) after++;
  after++;
}

__attribute__((noinline)) void rest(void) {
  sleep(1000);
  after++;
}

static void* serve(void* what) {
  void (*work)(void) = (void (*)(void))what;
  if (work != restock) await();
  printf("%s %ld\n",
         work == restock      ? "restock"
         : work == add_item   ? "add_item"
         : work == read_order ? "read_order"
                              : "rest",
         syscall(SYS_gettid));
  fflush(stdout);
  work();
  after++;
  return NULL;
}

int main(int argc, char** argv) {
  void (*works[])(void) = {restock, add_item, read_order, rest};
  pthread_t threads[4];

  if (argc < 2 || pipe(ends) != 0) return 1;
  begin = argv[1];
  for (int i = 0; i < 4; i++) {
    pthread_create(&threads[i], NULL, serve, (void*)works[i]);
    usleep(50000); /* the first one has the lock */
  }
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  return 0;
}

/*
 * Processes with files that are dangerous to a process that reads them; hostile_files_test.py starts them.
 *
 *   victim                 prints the result of limit(), repeatedly; it is not recorded
 *   swap HOW FILE OTHER    maps FILE; as soon as it is opened, another file takes its place. HOW: symlink, rename,
 *                          remap (another file mapped at the same address) or rewrite (FILE itself, in place)
 *   map FILE...            maps each FILE and waits
 *   many FILE COUNT        maps FILE COUNT times
 *   lock FILE              maps FILE; after a line of input it keeps the lock of its own memory, as long as FILE does
 * not answer
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* "mov $0x11223301, %eax; ret": a breakpoint in its middle would change the lowest byte of the constant. */
__attribute__((noinline, naked, used)) static int limit(void) { __asm__("mov $0x11223301, %eax; ret"); }

static void say(const char* text) {
  puts(text);
  fflush(stdout);
}

static void* map(const char* path, void* where, size_t size) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  void* at = mmap(where, size, PROT_READ | PROT_EXEC, MAP_PRIVATE | (where ? MAP_FIXED : 0), file, 0);

  if (file < 0 || at == MAP_FAILED) {
    perror(path);
    exit(1);
  }
  close(file);
  return at;
}

static void victim(void) {
  int (*volatile call)(void) = limit;

  for (;;) {
    printf("%x\n", (unsigned)call());
    fflush(stdout);
    usleep(20000);
  }
}

static void rewrite(const char* path) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  struct stat status;
  char byte = (char)0xc3;

  fstat(file, &status);
  for (off_t at = 0x1000; at < status.st_size && at < 0x10000; at++)
    if (pwrite(file, &byte, 1, at) != 1) exit(1);
  close(file);
}

static void swap(const char* how, const char* path, const char* other) {
  char event[4096], link[4096];
  int watch = inotify_init1(IN_CLOEXEC);
  struct stat status;
  void* at;

  stat(path, &status);
  at = map(path, NULL, (size_t)status.st_size);
  snprintf(link, sizeof(link), "%s.link", path);
  if (!strcmp(how, "symlink") && symlink(other, link) != 0) exit(1);
  if (inotify_add_watch(watch, path, IN_OPEN) < 0) exit(1);
  say("mapped");
  while (read(watch, event, sizeof(event)) < 0 && errno == EINTR)
    ;
  if (!strcmp(how, "symlink"))
    rename(link, path);
  else if (!strcmp(how, "rename"))
    rename(other, path);
  else if (!strcmp(how, "remap"))
    map(other, at, (size_t)status.st_size);
  else
    rewrite(path);
  say("swapped");
  for (;;) pause();
}

static void many(const char* path, long count) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  long done = 0;

  /* Every other page: the kernel would merge adjacent mappings. */
  char* room = mmap(NULL, (size_t)count * 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

  munmap(room, (size_t)count * 8192);
  for (; done < count; done++)
    if (mmap(room + done * 8192, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, file, 0) == MAP_FAILED) break;
  printf("mapped %ld\n", done);
  fflush(stdout);
  for (;;) pause();
}

/* The kernel keeps the lock for reading while it reads FILE; a thread that waits for it to map something makes all
 * others wait. */
static void* read_own_memory(void* at) {
  char byte;
  int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);

  if (pread(memory, &byte, 1, (off_t)(uintptr_t)at) < 0) return NULL;
  return at;
}

static void* map_something(void* unused) {
  usleep(300000);
  return mmap(unused, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void lock_memory(const char* path) {
  char* at = map(path, NULL, 4096);
  pthread_t reader, mapper;

  say("mapped");
  if (getchar() == EOF) exit(1);
  pthread_create(&reader, NULL, read_own_memory, at);
  pthread_create(&mapper, NULL, map_something, NULL);
  usleep(600000);
  if (write(1, "locked\n", 7) != 7) exit(1);
  for (;;) pause();
}

int main(int argc, char** argv) {
  if (argc == 2 && !strcmp(argv[1], "victim")) victim();
  if (argc == 5 && !strcmp(argv[1], "swap")) swap(argv[2], argv[3], argv[4]);
  if (argc >= 3 && !strcmp(argv[1], "map")) {
    for (int i = 2; i < argc; i++) map(argv[i], NULL, 4096);
    say("mapped");
    for (;;) pause();
  }
  if (argc == 3 && !strcmp(argv[1], "lock")) lock_memory(argv[2]);
  if (argc == 4 && !strcmp(argv[1], "many")) many(argv[2], atol(argv[3]));
  return 2;
}

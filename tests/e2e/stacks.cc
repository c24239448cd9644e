// An HTTP server with a handler that waits 12 calls deep: it reads a pipe to which another thread writes 20 ms later,
// but not before it sleeps.
//
//   stacks PORT          waits with the system call in the twelfth function itself; /libc: in the C library
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace {

int ends[2];
volatile int sink;  // keeps calls from being tail calls

bool asleep(int thread) {
  char path[64], text[256] = {};
  std::snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
  std::FILE* file = std::fopen(path, "r");
  if (!file) return true;
  (void)!std::fread(text, 1, sizeof text - 1, file);
  std::fclose(file);
  const char* behind_name = std::strrchr(text, ')');
  return behind_name && behind_name[1] && behind_name[2] == 'S';
}

}  // namespace

extern "C" {

__attribute__((noinline)) void link_12(int by_library) {
  char byte = 0;
  if (by_library) {
    sink = static_cast<int>(read(ends[0], &byte, 1));
  } else {
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(SYS_read), "D"(ends[0]), "S"(&byte), "d"(1)
                     : "rcx", "r11", "memory");
    sink = static_cast<int>(result);
  }
  sink++;
}

#define LINK(name, next)                                \
  __attribute__((noinline)) void name(int by_library) { \
    next(by_library);                                   \
    sink++;                                             \
  }
LINK(link_11, link_12)
LINK(link_10, link_11)
LINK(link_9, link_10)
LINK(link_8, link_9)
LINK(link_7, link_8)
LINK(link_6, link_7)
LINK(link_5, link_6)
LINK(link_4, link_5)
LINK(link_3, link_4)
LINK(link_2, link_3)
LINK(link_1, link_2)

}  // extern "C"

int main(int, char** argv) {
  if (pipe(ends) != 0) return 1;
  const int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<unsigned short>(std::atoi(argv[1])));
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(listener, 8) != 0) return 1;
  for (;;) {
    const int connection = accept(listener, nullptr, nullptr);
    char request[4096];
    for (ssize_t got; (got = read(connection, request, sizeof request - 1)) > 0;) {
      request[got] = 0;
      std::thread writer([] {
        do usleep(20000);
        while (!asleep(getpid()));
        (void)!write(ends[1], "x", 1);
      });
      link_1(std::strncmp(request, "GET /libc", 9) == 0);
      writer.join();
      static constexpr char kAnswer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
      if (write(connection, kAnswer, sizeof kAnswer - 1) < 0) break;
    }
    close(connection);
  }
}

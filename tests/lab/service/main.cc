// tailcap-lab-service PORT MODE LOG [NAME=VALUE]…: serves faults (faults.h) in one of three ways, until its standard
// input ends.
//
// MODE: threads (one per connection), loop (one thread, epoll), pool N (one reads, N work). PORT 0: any; it is printed.
// Names: file, pipe (faults.h), backlog, accept_ms (slept before every accept), sndbuf (bytes), nagle (1: Nagle's
// algorithm stays on, and small bodies are written byte by byte).
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "tests/lab/service/faults.h"
#include "tests/lab/service/truth.h"

namespace {

using namespace tailcap::lab;

struct Service {
  Means means;
  Truth truth;
  int backlog = 512, accept_ms = 0, sndbuf = 0, nagle = 0;

  // Serves one request. False: the peer is gone.
  bool answer(int client, const Request& request) {
    const std::int64_t begun = monotonic_ns();
    Done done;
    try {
      done = serve(request, means);
    } catch (const std::exception& e) {
      done = {monotonic_ns() - begun, std::string(e.what()) + "\n", 502};
    }
    if (request.fault == "pieces" && request.argument > 0) return pieces(client, request, begun);
    if (request.fault == "reset" && request.argument > 0) return reset(client, request, begun);
    const std::int64_t writing = monotonic_ns();
    const bool sent =
        write(client, response(done.body, done.status), nagle && request.fault == "small" ? done.body.size() : 0);
    if (request.fault == "big") done.injected_ns = monotonic_ns() - writing;
    truth.note(request, begun, done.injected_ns, monotonic_ns(), done.status);
    return sent;
  }

  // The response is written piece by piece.
  bool pieces(int client, const Request& request, std::int64_t begun) {
    const std::string body(3 << 10, 'p'), whole = response(body, 200);
    std::int64_t slept = 0;
    bool sent = write_all(client, std::string_view(whole).substr(0, whole.size() - (2 << 10)));
    for (std::size_t left = 2 << 10; left > 0 && sent; left -= 1 << 10) {
      const std::int64_t before = monotonic_ns();
      usleep(static_cast<unsigned>(request.argument) * 1000);
      slept += monotonic_ns() - before;
      sent = write_all(client, std::string_view(whole).substr(whole.size() - left, 1 << 10));
    }
    truth.note(request, begun, slept, monotonic_ns(), 200);
    return sent;
  }

  // The connection ends with a reset instead of an answer.
  bool reset(int client, const Request& request, std::int64_t begun) {
    const linger at_once{1, 0};
    setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    truth.note(request, begun, 0, monotonic_ns(), 0);
    return false;
  }

  // Writes the last `single` bytes one by one.
  static bool write(int client, const std::string& bytes, std::size_t single) {
    const std::string_view all = bytes, head = all.substr(0, all.size() - single);
    bool sent = write_all(client, head);
    for (std::size_t at = head.size(); at < all.size() && sent; ++at) sent = write_all(client, all.substr(at, 1));
    return sent;
  }

  int take(int listener) {
    if (accept_ms > 0) usleep(static_cast<unsigned>(accept_ms) * 1000);
    const int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    const int immediate = !nagle;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &immediate, sizeof immediate);
    if (sndbuf > 0) setsockopt(client, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof sndbuf);
    return client;
  }

  void run_connection(int client) {
    std::string buffer;
    Request request;
    for (bool alive = true; alive;) {
      while (alive && take_request(buffer, request)) alive = answer(client, request);
      alive = alive && read_more(client, buffer);
    }
    close(client);
  }

  void run_threads(int listener) {
    for (;;) {
      const int client = take(listener);
      if (client >= 0) std::thread([this, client] { run_connection(client); }).detach();
    }
  }

  // One thread reads all connections and calls `act` with whole requests.
  template <class Act>
  void run_loop(int listener, Act&& act) {
    const int loop = epoll_create1(EPOLL_CLOEXEC);
    const auto watch = [&](int fd) {
      epoll_event e{};
      e.events = EPOLLIN;
      e.data.fd = fd;
      epoll_ctl(loop, EPOLL_CTL_ADD, fd, &e);
    };
    watch(listener);
    std::map<int, std::string> buffers;
    epoll_event events[64];
    for (;;) {
      const int n = epoll_wait(loop, events, 64, -1);
      for (int i = 0; i < n; ++i) {
        const int fd = events[i].data.fd;
        if (fd == listener) {
          const int client = take(listener);
          if (client >= 0) {
            watch(client);
            buffers[client];
          }
          continue;
        }
        std::string& buffer = buffers[fd];
        Request request;
        bool alive = read_more(fd, buffer);
        while (alive && take_request(buffer, request)) alive = act(fd, request);
        if (alive) continue;
        buffers.erase(fd);
        close(fd);
      }
    }
  }

  void run_pool(int listener, int workers) {
    std::mutex lock;
    std::condition_variable there;
    std::deque<std::pair<int, Request>> queue;
    for (int i = 0; i < workers; ++i)
      std::thread([&] {
        for (;;) {
          std::unique_lock hold(lock);
          there.wait(hold, [&] { return !queue.empty(); });
          const auto [client, request] = std::move(queue.front());
          queue.pop_front();
          hold.unlock();
          answer(client, request);
        }
      }).detach();
    run_loop(listener, [&](int client, const Request& request) {
      {
        const std::lock_guard hold(lock);
        queue.emplace_back(client, request);
      }
      there.notify_one();
      return true;
    });
  }
};

int listen_on(std::uint16_t port, int backlog) {
  const int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int one = 1;
  setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  socklen_t size = sizeof a;
  if (bind(s, reinterpret_cast<sockaddr*>(&a), sizeof a) != 0 || listen(s, backlog) != 0 ||
      getsockname(s, reinterpret_cast<sockaddr*>(&a), &size) != 0) {
    std::perror("cannot listen");
    std::exit(1);
  }
  std::printf("%d\n", ntohs(a.sin_port));
  std::fflush(stdout);
  return s;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("usage: tailcap-lab-service PORT threads|loop|poolN LOG [NAME=VALUE]...\n", stderr);
    return 2;
  }
  static Service service;  // threads may outlive main's frame
  for (int i = 4; i < argc; ++i) {
    const std::string word = argv[i];
    const std::string name = word.substr(0, word.find('=')),
                      value = word.substr(std::min(word.find('=') + 1, word.size()));
    if (name == "file") service.means.file = value;
    if (name == "pipe") service.means.pipe = value;
    if (name == "backlog") service.backlog = std::atoi(value.c_str());
    if (name == "accept_ms") service.accept_ms = std::atoi(value.c_str());
    if (name == "nagle") service.nagle = std::atoi(value.c_str());
    if (name == "sndbuf") service.sndbuf = std::atoi(value.c_str());
  }
  const std::string mode = argv[2], log = argv[3];
  const int listener = listen_on(static_cast<std::uint16_t>(std::atoi(argv[1])), service.backlog);
  std::thread([&] {
    if (mode == "threads") service.run_threads(listener);
    if (mode == "loop")
      service.run_loop(listener, [](int client, const Request& r) { return service.answer(client, r); });
    if (mode.rfind("pool", 0) == 0) service.run_pool(listener, std::atoi(mode.c_str() + 4));
  }).detach();
  char byte;
  while (read(0, &byte, 1) > 0) {
  }
  service.truth.write(log);
  std::fflush(stdout);
  _exit(0);
}

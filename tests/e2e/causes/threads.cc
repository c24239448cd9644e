// A multithreaded service that calls another one: threads MODE PORT OTHER-PORT LOG, as service.go describes it.
//
// thread: each connection has a thread that reads, calls and answers. pool: one thread reads all connections and passes
// requests to workers, which call and answer. Meanwhile one thread makes calls that belong to no request.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace {

std::FILE* log_file;
std::mutex logging;
int other_port;

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

sockaddr_in loopback(int port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(static_cast<std::uint16_t>(port));
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

void send_all(int fd, const std::string& text) {
  if (send(fd, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) fail("send");
}

void note(const std::string& served, const std::string& called) {
  const std::lock_guard lock(logging);
  std::fprintf(log_file, "{\"served\": \"%s\", \"called\": [%s]}\n", served.c_str(), called.c_str());
  std::fflush(log_file);
}

// Calls on this thread's own connection.
void call(const std::string& id) {
  thread_local int fd = -1;
  if (fd < 0) {
    fd = socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in a = loopback(other_port);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&a), sizeof a) != 0) fail("connect");
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  send_all(fd, "GET /leaf/" + id + " HTTP/1.1\r\nHost: leaf\r\n\r\n");
  std::string answer;
  while (answer.find("\r\n\r\nok") == std::string::npos) {
    char buffer[4096];
    const ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) fail("recv");
    answer.append(buffer, static_cast<std::size_t>(n));
  }
}

// Answers a whole request head.
void serve(int fd, const std::string& head) {
  const std::size_t begin = head.find("/work/") + 6, end = head.find(' ', begin);
  const std::string served = head.substr(begin, end - begin);
  std::string called;
  for (const char* n : {".0", ".1"}) {
    call(served + n);
    called += (called.empty() ? "\"" : ", \"") + served + n + "\"";
  }
  note(served, called);
  send_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

// False: the client has gone.
bool read_head(int fd, std::string& head) {
  head.clear();
  while (head.find("\r\n\r\n") == std::string::npos) {
    char buffer[4096];
    const ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) return false;
    head.append(buffer, static_cast<std::size_t>(n));
  }
  return true;
}

struct Pool {
  std::mutex mutex;
  std::condition_variable come;
  std::deque<std::pair<int, std::string>> jobs;

  void work() {
    for (;;) {
      std::unique_lock lock(mutex);
      come.wait(lock, [&] { return !jobs.empty(); });
      const auto [fd, head] = std::move(jobs.front());
      jobs.pop_front();
      lock.unlock();
      serve(fd, head);
    }
  }
};

void serve_with_pool(int listener) {
  static Pool pool;
  for (int n = 0; n < 16; ++n) std::thread([] { pool.work(); }).detach();
  const int poll = epoll_create1(0);
  epoll_event event{EPOLLIN, {.fd = listener}};
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    epoll_event ready[64];
    const int count = epoll_wait(poll, ready, 64, -1);
    for (int n = 0; n < count; ++n) {
      const int fd = ready[n].data.fd;
      if (fd == listener) {
        event.data.fd = accept(listener, nullptr, nullptr);
        epoll_ctl(poll, EPOLL_CTL_ADD, event.data.fd, &event);
        continue;
      }
      std::string head;
      if (!read_head(fd, head)) {
        close(fd);
        continue;
      }
      {
        const std::lock_guard lock(pool.mutex);
        pool.jobs.emplace_back(fd, std::move(head));
      }
      pool.come.notify_one();
    }
  }
}

void serve_with_threads(int listener) {
  for (;;)
    std::thread([fd = accept(listener, nullptr, nullptr)] {
      for (std::string head; read_head(fd, head);) serve(fd, head);
      close(fd);
    }).detach();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: threads thread|pool PORT OTHER-PORT LOG\n");
    return 2;
  }
  other_port = std::atoi(argv[3]);
  log_file = std::fopen(argv[4], "w");
  if (!log_file) fail(argv[4]);
  const int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in a = loopback(std::atoi(argv[2]));
  if (bind(listener, reinterpret_cast<const sockaddr*>(&a), sizeof a) != 0 || listen(listener, 256) != 0)
    fail("listen");
  std::thread([] {
    for (int n = 0;; ++n) {
      std::this_thread::sleep_for(std::chrono::milliseconds(7));
      const std::string id = "poll." + std::to_string(n);
      note("", "\"" + id + "\"");
      call(id);
    }
  }).detach();
  if (std::string(argv[1]) == "pool") serve_with_pool(listener);
  serve_with_threads(listener);
}

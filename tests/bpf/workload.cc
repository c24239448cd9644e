// workload SCENARIO BOOKS: does socket I/O in one of the ways that are hard to record, and writes its own books.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <condition_variable>
#include <cstring>
#include <iterator>
#include <mutex>
#include <string>
#include <thread>

#include "tests/bpf/connections.h"
#include "tests/bpf/counted.h"
#include "tests/bpf/framed.h"
#include "tests/bpf/overload.h"

namespace tailcap::workload {
namespace {

// Primes, so that no two of them can be confused and no multiple looks correct.
constexpr int kRequests = 101;
constexpr int kConnections = 7;

// Keep-alive requests and responses on several connections.
void requests(int family, int type) {
  const Listener l = listen_on(family, type);
  for (int c = 0; c < kConnections; c++) {
    const Pair pair = connect_to(l);
    for (int i = 0; i < kRequests; i++) {
      const auto request = static_cast<std::size_t>(17 + i), response = static_cast<std::size_t>(211 + 13 * i);
      counted_write(pair.client, request);
      receive_all(pair.server, request);
      counted_send(pair.server, response, 0);
      receive_all(pair.client, response);
    }
    close_both(pair);
  }
  close(l.descriptor);
}

void inherited() {
  const Pair pair = tcp_pair();
  counted_write(pair.client, 31);
  const pid_t child = fork();
  if (child == 0) {
    books.forget();
    receive_all(pair.server, 31);
    counted_write(pair.server, 37);
    return;  // writes its own books
  }
  receive_all(pair.client, 37);
  waitpid(child, nullptr, 0);
  counted_write(pair.client, 41);
  receive_all(pair.server, 41);
  close_both(pair);
}

void passed() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) die("socketpair");
  const Pair pair = tcp_pair();
  counted_write(pair.client, 43);
  counted_sendmsg(ends[0], 1, 1, pair.server);
  close(pair.server);
  int received = -1;
  counted_recvmsg(ends[1], 1, &received);
  receive_all(received, 43);
  counted_write(received, 47);
  receive_all(pair.client, 47);
  close_both({pair.client, received});
}

// One descriptor number is another socket each time, and each socket has two numbers.
void reused() {
  const Listener l = listen_on(AF_INET, SOCK_STREAM);
  const int fixed = 200, other = 201;
  for (int i = 0; i < 53; i++) {
    const Pair pair = connect_to(l);
    dup2(pair.server, fixed);
    close(pair.server);
    dup2(fixed, other);
    counted_write(pair.client, static_cast<std::size_t>(11 + i));
    counted_read(fixed, 5);
    receive_all(other, static_cast<std::size_t>(6 + i));
    close(other);
    close_both({pair.client, fixed});
  }
}

void calls() {
  const Pair pair = tcp_pair();
  counted_sendfile(pair.client, 60'013);
  receive_all(pair.server, 60'013);
  counted_writev(pair.client, 3, 997);
  counted_readv(pair.server, 3, 997);
  counted_writev(pair.client, 1024, 7);  // more pieces than the recorder looks at
  receive_all(pair.server, 1024 * 7);
  counted_sendmsg(pair.client, 5, 3'001);
  receive_all(pair.server, 5 * 3'001);
  counted_send(pair.client, 509, 0);
  counted_recv(pair.server, 509, MSG_PEEK);
  counted_recv(pair.server, 100, MSG_PEEK);
  counted_recvmsg(pair.server, 509);
  counted_write(pair.client, 23);
  counted_recv(pair.server, 23, MSG_TRUNC);  // discarded unread
  close_both(pair);
}

void many_messages() {
  const Pair pair = tcp_pair();
  counted_sendmmsg(pair.client, 13, 101);
  receive_all(pair.server, 13 * 101);
  counted_write(pair.client, 13 * 101);
  counted_recvmmsg(pair.server, 13, 101);
  close_both(pair);
}

// Kernel TLS without keys: the bytes are still plaintext, but that is not visible from outside.
void layered() {
  const Pair pair = tcp_pair();
  if (setsockopt(pair.client, IPPROTO_TCP, TCP_ULP, "tls", 4) != 0) {
    std::puts("no kernel TLS here");
    return;
  }
  counted_write(pair.client, 97);
  receive_all(pair.server, 97);
  close_both(pair);
}

// A full socket buffer: partial writes, then EAGAIN, repeatedly.
void partial() {
  const Pair pair = tcp_pair();
  fcntl(pair.client, F_SETFL, O_NONBLOCK);
  std::size_t in_flight = 0;
  for (int round = 0; round < 11; round++) {
    ssize_t sent;
    while ((sent = counted_write(pair.client, 1 << 20)) > 0) in_flight += static_cast<std::size_t>(sent);
    receive_all(pair.server, in_flight / 2);
    in_flight -= in_flight / 2;
  }
  receive_all(pair.server, in_flight);
  close_both(pair);
}

void half_close() {
  const Pair pair = tcp_pair();
  counted_write(pair.client, 59);
  shutdown(pair.client, SHUT_WR);
  receive_end(pair.server);  // data and FIN are both waiting
  counted_write(pair.server, 61);
  counted_write(pair.server, 67);
  close(pair.server);
  receive_end(pair.client);
  close(pair.client);
  // The FIN arrives before the read: one call takes the last bytes and the FIN's number.
  const Pair late = tcp_pair();
  counted_write(late.client, 71);
  counted_write(late.client, 73);
  close(late.client);
  usleep(20'000);
  counted_recv(late.server, 100, 0);
  counted_recv(late.server, 1000, 0);
  counted_recv(late.server, 1000, 0);  // the end
  counted_recv(late.server, 1000, 0);  // again
  close(late.server);
}

void refused() {
  Listener l = listen_on(AF_INET, SOCK_STREAM);
  close(l.descriptor);  // the port is now closed
  for (int i = 0; i < 3; i++) {
    const int client = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(client, reinterpret_cast<const sockaddr*>(&l.address), l.size) == 0 || errno != ECONNREFUSED)
      die("was not refused");
    cookie(client);
    close(client);
  }
}

void reset() {
  const Pair pair = tcp_pair();
  counted_write(pair.client, 79);
  receive_all(pair.server, 79);
  const linger now{1, 0};
  setsockopt(pair.client, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(pair.client);
  usleep(20'000);
  counted_recv(pair.server, 100, 0);  // ECONNRESET
  close(pair.server);
}

// before_last: called once, when each thread has only one exchange left.
void exchange_much(
    int family, void (*before_last)() = [] {}) {
  std::vector<std::thread> threads;
  std::barrier at_last(2, [before_last]() noexcept { before_last(); });
  for (int t = 0; t < 2; t++) {
    threads.emplace_back([family, &at_last] {
      int ends[2];
      if (family == AF_UNIX) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) die("socketpair");
      } else {
        const Pair pair = tcp_pair();
        ends[0] = pair.client;
        ends[1] = pair.server;
      }
      for (int i = 0; i < 5'003; i++) {
        if (i == 5'002) at_last.arrive_and_wait();
        counted_send(ends[0], 19, 0);
        counted_recv(ends[1], 19, MSG_WAITALL);
      }
      close(ends[0]);
      close(ends[1]);
    });
  }
  for (auto& thread : threads) thread.join();
}

// More events than a small ring can hold: the recorder, our parent, is stopped for a while in the middle. The last
// exchange comes after it has read the ring again, so that it can carry its socket's number of missed events.
void flood(int family) {
  exchange_much(family);
  kill(getppid(), SIGSTOP);
  exchange_much(family, [] {
    kill(getppid(), SIGCONT);
    usleep(300'000);
  });
  exchange_much(family);
}

// Three sleeps, then one thread wakes another. Prints the tids of sleeper, woken and waker.
void waits() {
  for (int i = 0; i < 3; i++) usleep(20'000);
  std::mutex mutex;
  std::condition_variable changed;
  bool go = false;
  std::atomic<int> woken{0};
  std::thread waiter([&] {
    woken = gettid();
    std::unique_lock guard(mutex);
    changed.wait(guard, [&] { return go; });
  });
  usleep(20'000);  // it is waiting by now
  {
    const std::lock_guard guard(mutex);
    go = true;
  }
  changed.notify_one();
  waiter.join();
  std::printf("tids %d %d %d\n", getpid(), woken.load(), getpid());
}

// Prints its port, waits for a byte, then uses a connection that already existed.
void existing() {
  const Listener l = listen_on(AF_INET, SOCK_STREAM);
  const Pair pair = connect_to(l);
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) die("socketpair");
  (void)!write(pair.client, "before", 6);
  char byte[6];
  (void)!read(pair.server, byte, 6);
  std::printf("%d\n", ntohs(reinterpret_cast<const sockaddr_in&>(l.address).sin_port));
  std::fflush(stdout);
  (void)!read(STDIN_FILENO, byte, 1);
  counted_write(pair.client, 83);
  receive_all(pair.server, 83);
  counted_write(ends[0], 89);
  receive_all(ends[1], 89);
  close_both(pair);
}

// Sends the whole script in calls of every size, from one piece and from many.
void send_all(int descriptor, std::size_t turn) {
  static constexpr std::size_t kSizes[] = {24,   61,   9,     3,     1,      130, 4096, 5, 4097,   9, 16393, 200003, 17,
                                           1000, 8192, 20011, 65536, 100003, 333, 4095, 2, 300007, 12};
  while (const std::size_t left = script_left(descriptor)) {
    const std::size_t size = std::min(left, kSizes[turn++ % std::size(kSizes)]);
    const std::size_t piece = turn % 3 == 1 ? size : size / (turn % 5 == 1 ? 250 : 7) + 1;
    if (piece >= size)
      turn % 2 ? counted_write(descriptor, size) : counted_send(descriptor, size, 0);
    else if (turn % 2)
      counted_writev(descriptor, size / piece, piece);
    else
      counted_sendmsg(descriptor, size / piece, piece);
  }
}

void read_all(int descriptor, std::size_t size, std::size_t turn) {
  static constexpr std::size_t kSizes[] = {24, 9, 5, 16384, 262144, 4096, 13, 70001, 1, 8192, 100};
  while (size > 0) {
    const std::size_t most = std::min(size, kSizes[turn++ % std::size(kSizes)]);
    const ssize_t got = turn % 4 == 0 && most > 64 ? counted_readv(descriptor, 64, most / 64)
                        : turn % 4 == 1            ? counted_recvmsg(descriptor, most)
                        : turn % 4 == 2            ? counted_read(descriptor, most)
                                                   : counted_recv(descriptor, most, 0);
    if (got <= 0) die("read_all");
    size -= static_cast<std::size_t>(got);
  }
}

// Frames from both ends, over connections that cut them in different ways.
void framed(const Framed& from_client, const Framed& from_server) {
  for (const int family : {AF_INET, AF_UNIX}) {
    const Listener l = listen_on(family, SOCK_STREAM);
    for (std::size_t c = 0; c < 3; c++) {
      const Pair pair = connect_to(l);
      send_script(pair.client, from_client.bytes);
      send_script(pair.server, from_server.bytes);
      std::thread client([&] { send_all(pair.client, c); });
      read_all(pair.server, from_client.bytes.size(), c * 5);
      client.join();
      std::thread server([&] { send_all(pair.server, c * 3); });
      read_all(pair.client, from_server.bytes.size(), c);
      server.join();
      close_both(pair);
    }
    close(l.descriptor);
  }
}

}  // namespace

int run(const std::string& name) {
  if (name == "tcp4") {
    requests(AF_INET, SOCK_STREAM);
    return 0;
  }
  if (name == "tcp6") {
    requests(AF_INET6, SOCK_STREAM);
    return 0;
  }
  if (name == "unix") {
    requests(AF_UNIX, SOCK_STREAM);
    return 0;
  }
  if (name == "seqpacket") {
    requests(AF_UNIX, SOCK_SEQPACKET);
    return 0;
  }
  if (name == "inherited") {
    inherited();
    return 0;
  }
  if (name == "passed") {
    passed();
    return 0;
  }
  if (name == "reused") {
    reused();
    return 0;
  }
  if (name == "calls") {
    calls();
    return 0;
  }
  if (name == "many_messages") {
    many_messages();
    return 0;
  }
  if (name == "layered") {
    layered();
    return 0;
  }
  if (name == "partial") {
    partial();
    return 0;
  }
  if (name == "half_close") {
    half_close();
    return 0;
  }
  if (name == "refused") {
    refused();
    return 0;
  }
  if (name == "reset") {
    reset();
    return 0;
  }
  if (name == "flood") {
    flood(AF_UNIX);
    return 0;
  }
  if (name == "flood_tcp") {
    flood(AF_INET);
    return 0;
  }
  if (name == "waits") {
    waits();
    return 0;
  }
  if (name == "http2") {
    framed(http2_stream(true), http2_stream(false));
    return 0;
  }
  if (name == "amqp") {
    framed(amqp_stream(true), amqp_stream(false));
    return 0;
  }
  if (name == "tls") {
    framed(tls_stream(true), tls_stream(false));
    return 0;
  }
  if (name == "existing") {
    existing();
    return 0;
  }
  if (run_overload(name)) return 0;
  std::fprintf(stderr, "workload: no scenario '%s'\n", name.c_str());
  return 2;
}

}  // namespace tailcap::workload

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: workload SCENARIO BOOKS\n", stderr);
    return 2;
  }
  const int code = tailcap::workload::run(argv[1]);
  tailcap::workload::books.write(argv[2]);
  return code;
}

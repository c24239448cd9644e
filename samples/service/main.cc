// tailcap-sample-service: a small shop over HTTP/1.1 (shop.h lists its routes), one thread per connection.
//
// Prints "listening on …" for each socket when it is ready; SIGTERM or SIGINT ends it after the running requests.
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/program_options.hpp>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <mutex>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "samples/service/http.h"
#include "samples/service/journal.h"
#include "samples/service/responder.h"
#include "samples/service/shop.h"

namespace {

using namespace tailcap::samples;

constexpr std::size_t kMaxConnections = 4096;  // a thread each

[[noreturn]] void fail(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

int listen_tcp(const std::string& address, std::uint16_t port) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_flags = AI_NUMERICHOST | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
    throw std::runtime_error("--address wants a numeric IPv4 or IPv6 address, not " + address);
  const int s = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int one = 1;
  setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  if (s < 0 || bind(s, found->ai_addr, found->ai_addrlen) < 0 || listen(s, 1024) < 0 ||
      getsockname(s, reinterpret_cast<sockaddr*>(&bound), &length) < 0)
    fail("cannot listen on " + address + " port " + std::to_string(port));
  freeaddrinfo(found);
  // sin_port and sin6_port are at the same place.
  std::printf("listening on %s port %d\n", address.c_str(), ntohs(reinterpret_cast<sockaddr_in*>(&bound)->sin_port));
  return s;
}

int listen_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("the path of --unix is too long: " + path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  unlink(path.c_str());
  const int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (s < 0 || bind(s, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 || listen(s, 1024) < 0)
    fail("cannot listen on " + path);
  std::printf("listening on %s\n", path.c_str());
  return s;
}

// Runs connections, each on a thread of its own, and waits for all of them in its destructor.
class Connections {
 public:
  Connections(Shop& shop, const Journal& journal) : shop_(shop), journal_(journal) {}

  void start(int client) {
    {
      std::lock_guard hold(lock_);
      if (open_.size() >= kMaxConnections) {
        close(client);
        return;
      }
      open_.insert(client);
    }
    std::thread([this, client] { run(client); }).detach();
  }

  ~Connections() {
    std::unique_lock hold(lock_);
    for (const int client : open_) shutdown(client, SHUT_RD);  // responses in progress are still sent
    idle_.wait(hold, [this] { return open_.empty(); });
  }

 private:
  void run(int client) {
    answer_all(client);
    std::lock_guard hold(lock_);
    close(client);  // under the lock: the destructor must not shut down a number that was reused
    open_.erase(client);
    idle_.notify_all();
  }

  void answer_all(int client) {
    const int one = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    HttpConnection connection(client);
    JournalPage page(journal_);
    HttpRequest request;
    while (connection.read(request)) {
      Responder response(connection, request);
      shop_.serve(request, response);
      page.note(request, response, monotonic_ns());
      if (!response.delivered() || !request.keep_alive) return;
    }
  }

  Shop& shop_;
  const Journal& journal_;
  std::mutex lock_;
  std::condition_variable idle_;
  std::set<int> open_;
};

int serve(const std::vector<int>& listeners, const std::string& journal_name) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const int stop = signalfd(-1, &signals, SFD_CLOEXEC);

  Shop shop;
  Journal journal(journal_name);
  Connections connections(shop, journal);
  std::vector<pollfd> waiting{{stop, POLLIN, 0}};
  for (const int s : listeners) waiting.push_back({s, POLLIN, 0});
  std::fflush(stdout);
  for (;;) {
    if (poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) fail("poll");
    if (waiting[0].revents) return 0;
    for (std::size_t i = 1; i < waiting.size(); ++i) {
      if (!waiting[i].revents) continue;
      const int client = accept4(waiting[i].fd, nullptr, nullptr, SOCK_CLOEXEC);
      if (client >= 0) connections.start(client);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  namespace po = boost::program_options;
  std::string address, unix_path, journal;
  std::uint16_t port = 0;
  po::options_description options(
      "tailcap-sample-service: a small HTTP/1.1 service that is slow in several ways\n\noptions");
  options.add_options()("help,h", "this text")                                                                //
      ("port", po::value(&port)->default_value(8080), "TCP port; 0: any free one")                            //
      ("address", po::value(&address)->default_value("127.0.0.1"), "numeric address; '::1' for IPv6")         //
      ("unix", po::value(&unix_path), "listen on this UNIX socket (instead of TCP, unless --port is given)")  //
      ("log", po::value(&journal), "write one JSON line per request served");
  try {
    po::variables_map given;
    po::store(po::parse_command_line(argc, argv, options), given);
    po::notify(given);
    if (given.count("help")) {
      std::cout << options;
      return 0;
    }
    std::vector<int> listeners;
    if (!unix_path.empty()) listeners.push_back(listen_unix(unix_path));
    if (unix_path.empty() || !given["port"].defaulted()) listeners.push_back(listen_tcp(address, port));
    return serve(listeners, journal);
  } catch (const po::error& e) {
    std::cerr << "tailcap-sample-service: " << e.what() << "; --help lists the options\n";
    return 2;
  } catch (const std::exception& e) {
    std::cerr << "tailcap-sample-service: " << e.what() << "\n";
    return 1;
  }
}

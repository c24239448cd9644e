// The service of bench/gates in two versions: GET anything waits for a time drawn at random, and answers.
//
//   tailcap-bench-gate-service PORT [tail=F] [slow=S] [errors=S] [lock=S]
//
// Waits are lognormal, median 1 ms, 99 % below 3.2 ms. tail: the longest tenth is this times as long. slow: this
// share waits 50 ms more. errors: this share is answered with 500. lock: this share holds for 30 ms the lock that every
// request takes. It draws from the machine's entropy, so that each run differs.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <thread>

#include "samples/service/http.h"
#include "samples/service/responder.h"

namespace {

using namespace tailcap::samples;

struct Version {
  double tail = 1, slow = 0, errors = 0.005, lock = 0;
};

constexpr double kMedianSeconds = 0.001, kSigma = 0.5;
constexpr double kTail = 1.2816;  // standard deviations: a tenth lies above
constexpr double kSlowSeconds = 0.050, kLockSeconds = 0.030;

void wait(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

void answer_all(int client, const Version& version, std::mutex& lock) {
  std::mt19937_64 random(std::random_device{}());
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  HttpConnection connection(client);
  HttpRequest request;
  while (connection.read(request)) {
    const double deviation = normal(random);
    wait(kMedianSeconds * std::exp(kSigma * deviation) * (deviation > kTail ? version.tail : 1));
    if (uniform(random) < version.slow) wait(kSlowSeconds);
    {
      const std::lock_guard hold(lock);
      if (uniform(random) < version.lock) wait(kLockSeconds);
    }
    Responder response(connection, request);
    response.whole(uniform(random) < version.errors ? 500 : 200, "ok");
    if (!response.delivered() || !request.keep_alive) break;
  }
  close(client);
}

bool set(Version& version, std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view name = word.substr(0, equals);
  double* const field = name == "tail"     ? &version.tail
                        : name == "slow"   ? &version.slow
                        : name == "errors" ? &version.errors
                        : name == "lock"   ? &version.lock
                                           : nullptr;
  if (field) *field = std::atof(std::string(word.substr(equals + 1)).c_str());
  return field != nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  Version version;
  bool understood = argc > 1;
  for (int i = 2; i < argc; ++i) understood = set(version, argv[i]) && understood;
  if (!understood) {
    std::fprintf(stderr, "usage: %s PORT [tail=F] [slow=S] [errors=S] [lock=S]\n", argv[0]);
    return 2;
  }
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 || listen(listener, 64) < 0) {
    std::perror("tailcap-bench-gate-service");
    return 1;
  }
  std::mutex lock;
  for (;;) {
    const int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    std::thread([client, &version, &lock] { answer_all(client, version, lock); }).detach();
  }
}

#include "tests/lab/service/downstream.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <stdexcept>

#include "tests/lab/service/request.h"

namespace tailcap::lab {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  a.sin_port = htons(port);
  return a;
}

sockaddr_in resolve(const std::string& name, std::uint16_t port) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(name.c_str(), nullptr, &hints, &found) != 0) throw std::runtime_error("no address for " + name);
  sockaddr_in a = *reinterpret_cast<sockaddr_in*>(found->ai_addr);
  freeaddrinfo(found);
  a.sin_port = htons(port);
  return a;
}

bool get(const sockaddr_in& address, const std::string& path, const std::string& id, int timeout_ms) {
  const int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (timeout_ms > 0) {
    const timeval t{timeout_ms / 1000, timeout_ms % 1000 * 1000};
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
  }
  std::string answer;
  std::size_t head = std::string::npos, wanted = 0;
  bool whole = false;
  if (connect(s, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      write_all(s, "GET " + path + " HTTP/1.1\r\nHost: down\r\nX-Request-Id: " + id + "\r\n\r\n")) {
    while (!whole && read_more(s, answer)) {
      if (head == std::string::npos && (head = answer.find("\r\n\r\n")) != std::string::npos) {
        const std::size_t length = answer.find("Content-Length: ");
        wanted = head + 4 + (length < head ? std::stoul(answer.substr(length + 16)) : 0);
      }
      whole = head != std::string::npos && answer.size() >= wanted;
    }
  }
  close(s);
  return whole;
}

}  // namespace tailcap::lab

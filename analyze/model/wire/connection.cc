#include "analyze/model/wire/connection.h"

#include <arpa/inet.h>

#include <cerrno>

#include "formats/event.h"

namespace tailcap::model {

std::string endpoint(const Connection& connection, bool remote) {
  const auto& address = remote ? connection.remote : connection.local;
  char text[INET6_ADDRSTRLEN] = "";
  switch (connection.family) {
    case formats::Family::inet:
      inet_ntop(AF_INET, address.bytes.data(), text, sizeof text);
      return std::string(text) + ":" + std::to_string(address.port);
    case formats::Family::inet6:
      inet_ntop(AF_INET6, address.bytes.data(), text, sizeof text);
      return "[" + std::string(text) + "]:" + std::to_string(address.port);
    case formats::Family::unix_domain:
      return "unix:" + connection.path;
    case formats::Family::unknown:
      break;
  }
  return "unknown";
}

std::string_view name_of(BindingHow how) {
  constexpr std::string_view names[] = {"none", "nested", "lengths"};
  return names[static_cast<std::size_t>(how)];
}

std::string_view name_of(formats::TlsLibrary library) {
  switch (library) {
    case formats::TlsLibrary::openssl:
      return "openssl";
    case formats::TlsLibrary::gnutls:
      return "gnutls";
    case formats::TlsLibrary::go:
      return "go";
    case formats::TlsLibrary::unknown:
      break;
  }
  return "unknown";
}

std::string_view cause_of(int error) {
  switch (error) {
    case 0:
      return "given up";
    case ECONNREFUSED:
      return "refused";
    case ETIMEDOUT:
      return "timed out";
    case ECONNRESET:
      return "reset by peer";
    case EHOSTUNREACH:
    case ENETUNREACH:
      return "unreachable";
    case ECONNABORTED:
      return "aborted";
    case EPIPE:
      return "broken pipe";
    case EADDRNOTAVAIL:
      return "no free port";
    default:
      return "other error";
  }
}

}  // namespace tailcap::model

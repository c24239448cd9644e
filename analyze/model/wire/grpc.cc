#include "analyze/model/wire/grpc.h"

#include <algorithm>
#include <iterator>

namespace tailcap::model {

std::string_view grpc_status_name(int status) {
  constexpr std::string_view names[] = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  static_assert(std::size(names) == 17);
  return status >= 0 && status < 17 ? names[status] : std::string_view{};
}

std::optional<RpcName> rpc_name(std::string_view path) {
  if (path.empty() || path[0] != '/') return std::nullopt;
  const bool odd =
      std::any_of(path.begin(), path.end(), [](char c) { return c <= ' ' || c == '?' || c == '#' || c == 0x7f; });
  const std::size_t last = path.rfind('/');
  if (odd || last < 2 || last + 1 == path.size()) return std::nullopt;
  return RpcName{path.substr(1, last - 1), path.substr(last + 1)};
}

// The words of: grpc-go, grpc-python, grpc-java (an unregistered method, then a stub), grpc-node, grpc-dotnet.
GrpcCause unimplemented_cause(std::string_view text) {
  const auto has = [&](std::string_view part) { return text.find(part) != text.npos; };
  if (text.empty()) return GrpcCause::unknown;
  if (text.starts_with("unknown service ")) return GrpcCause::unknown_service;
  if (text.starts_with("unknown method ") && has(" for service ")) return GrpcCause::unknown_method;
  if (text == "Method not found!" || text.starts_with("Method not found: ") ||
      text.starts_with("The server does not implement the method"))
    return GrpcCause::unregistered;
  if (text == "Service is unimplemented.") return GrpcCause::unknown_service;
  if (text == "Method is unimplemented.") return GrpcCause::unknown_method;
  if (text == "Method not implemented!" || (text.starts_with("method ") && text.ends_with(" not implemented")) ||
      (text.starts_with("Method ") && text.ends_with(" is unimplemented")))
    return GrpcCause::handler;
  return GrpcCause::other;
}

std::string_view name_of(GrpcCause cause) {
  constexpr std::string_view names[] = {"", "unknown_service", "unknown_method", "unregistered", "handler", "other"};
  return names[static_cast<std::size_t>(cause)];
}

std::string_view name_of(GrpcContext context) {
  constexpr std::string_view names[] = {"", "absent", "head", "late"};
  return names[static_cast<std::size_t>(context)];
}

}  // namespace tailcap::model

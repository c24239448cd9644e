#include "capture/rings/socket_holders.h"

#include <array>
#include <cstring>

#include "bpf/event.h"

namespace tailcap::capture {
namespace {

using Bytes = std::array<std::uint8_t, 16>;

std::string key_of(std::uint32_t net_namespace, std::uint16_t family, const Bytes& local, std::uint16_t local_port,
                   const Bytes& remote, std::uint16_t remote_port) {
  std::string key(2 * sizeof(Bytes), '\0');
  std::memcpy(key.data(), local.data(), sizeof local);
  std::memcpy(key.data() + sizeof local, remote.data(), sizeof remote);
  return key + std::to_string(net_namespace) + " " + std::to_string(family) + " " + std::to_string(local_port) + " " +
         std::to_string(remote_port);
}

}  // namespace

SocketHolders::SocketHolders(std::span<const std::byte> listed) {
  bpf::socket_holder end;
  for (; listed.size() >= sizeof end && holders_.size() < kMost; listed = listed.subspan(sizeof end)) {
    std::memcpy(&end, listed.data(), sizeof end);
    Bytes local, remote;
    std::memcpy(local.data(), end.local, sizeof local);
    std::memcpy(remote.data(), end.remote, sizeof remote);
    const auto [at, added] = holders_.try_emplace(
        key_of(end.net_namespace, end.family, local, end.local_port, remote, end.remote_port), end.pid);
    if (!added && at->second != end.pid) at->second = 0;
  }
}

std::uint32_t SocketHolders::of_other_end(const formats::SocketInfo& s) const {
  if (s.remote.port == 0 || s.type != formats::SocketType::stream) return 0;
  const auto at = holders_.find(key_of(s.net_namespace, static_cast<std::uint16_t>(s.family), s.remote.bytes,
                                       s.remote.port, s.local.bytes, s.local.port));
  return at == holders_.end() ? 0 : at->second;
}

}  // namespace tailcap::capture

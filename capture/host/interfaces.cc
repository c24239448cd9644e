#include "capture/host/interfaces.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include <bit>
#include <cstring>
#include <functional>
#include <map>
#include <memory>

namespace tailcap::capture {
namespace {

std::uint8_t bits_of(const unsigned char* mask, std::size_t n) {
  int bits = 0;
  for (std::size_t i = 0; i < n; ++i) bits += std::popcount(mask[i]);
  return static_cast<std::uint8_t>(bits);
}

// By name. if_nametoindex would ask through a socket of another kind, which the recorder may not open.
std::map<std::string, std::uint32_t, std::less<>> indices() {
  std::map<std::string, std::uint32_t, std::less<>> out;
  const std::unique_ptr<struct if_nameindex, void (*)(struct if_nameindex*)> list(::if_nameindex(), if_freenameindex);
  if (!list) return out;
  for (const struct if_nameindex* i = list.get(); i->if_index != 0 && i->if_name != nullptr; ++i)
    out.emplace(i->if_name, i->if_index);
  return out;
}

}  // namespace

std::vector<InterfaceFacts> interface_facts() {
  std::vector<InterfaceFacts> out;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return out;
  const auto index = indices();
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, freeifaddrs);
  for (const ifaddrs* a = list; a != nullptr && out.size() < kMaxInterfaceAddresses; a = a->ifa_next) {
    if (a->ifa_addr == nullptr || a->ifa_name == nullptr) continue;
    InterfaceFacts f;
    f.name = a->ifa_name;
    // A label like eth0:1 is an address of eth0.
    if (const auto colon = f.name.find(':'); colon != f.name.npos) f.name.resize(colon);
    if (const auto at = index.find(f.name); at != index.end()) f.index = at->second;
    if (a->ifa_addr->sa_family == AF_INET) {
      sockaddr_in address{}, mask{};
      std::memcpy(&address, a->ifa_addr, sizeof address);
      if (a->ifa_netmask != nullptr) std::memcpy(&mask, a->ifa_netmask, sizeof mask);
      f.family = formats::Family::inet;
      std::memcpy(f.address.bytes.data(), &address.sin_addr, sizeof address.sin_addr);
      f.prefix = bits_of(reinterpret_cast<const unsigned char*>(&mask.sin_addr), sizeof mask.sin_addr);
    } else if (a->ifa_addr->sa_family == AF_INET6) {
      sockaddr_in6 address{}, mask{};
      std::memcpy(&address, a->ifa_addr, sizeof address);
      if (a->ifa_netmask != nullptr) std::memcpy(&mask, a->ifa_netmask, sizeof mask);
      f.family = formats::Family::inet6;
      std::memcpy(f.address.bytes.data(), &address.sin6_addr, sizeof address.sin6_addr);
      f.prefix = bits_of(reinterpret_cast<const unsigned char*>(&mask.sin6_addr), sizeof mask.sin6_addr);
    } else {
      continue;
    }
    out.push_back(std::move(f));
  }
  return out;
}

std::uint32_t own_net_namespace() {
  struct stat status {};
  return stat("/proc/self/ns/net", &status) == 0 ? static_cast<std::uint32_t>(status.st_ino) : 0;
}

}  // namespace tailcap::capture

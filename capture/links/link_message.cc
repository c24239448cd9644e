#include "capture/links/link_message.h"

#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cstring>
#include <string_view>

namespace tailcap::capture::links {
namespace {

using Bytes = std::span<const std::byte>;

template <class T>
bool read_front(Bytes bytes, T& value) {
  if (bytes.size() < sizeof value) return false;
  std::memcpy(&value, bytes.data(), sizeof value);
  return true;
}

Bytes behind(Bytes bytes, std::size_t size) { return bytes.size() <= size ? Bytes{} : bytes.subspan(size); }

// Calls take(type, value) for every attribute, until one does not fit.
template <class Take>
void each_attribute(Bytes rest, Take&& take) {
  rtattr head;
  while (read_front(rest, head) && head.rta_len >= sizeof head && head.rta_len <= rest.size()) {
    take(head.rta_type & NLA_TYPE_MASK, rest.subspan(sizeof head, head.rta_len - sizeof head));
    rest = behind(rest, RTA_ALIGN(std::size_t{head.rta_len}));
  }
}

// What follows the headers; nothing where the message is shorter than it says.
template <class Body>
Bytes attributes_of(Bytes message, nlmsghdr& head, Body& body) {
  if (!read_front(message, head) || head.nlmsg_len > message.size() || head.nlmsg_len < sizeof head) return {};
  const Bytes inner = behind(message.first(head.nlmsg_len), NLMSG_ALIGN(sizeof head));
  return read_front(inner, body) ? behind(inner, NLMSG_ALIGN(sizeof body)) : Bytes{};
}

std::string text_of(Bytes value) {
  const std::string_view all(reinterpret_cast<const char*>(value.data()), value.size());
  return std::string(all.substr(0, all.find('\0')));
}

}  // namespace

std::optional<LinkMessage> link_message(Bytes message) {
  nlmsghdr head{};
  ifinfomsg info{};
  const Bytes attributes = attributes_of(message, head, info);
  if (head.nlmsg_type != RTM_NEWLINK && head.nlmsg_type != RTM_DELLINK) return {};
  if (attributes.empty() || info.ifi_family != AF_UNSPEC || info.ifi_index <= 0) return {};
  LinkMessage out;
  out.gone = head.nlmsg_type == RTM_DELLINK;
  LinkFacts& link = out.link;
  link.index = static_cast<std::uint32_t>(info.ifi_index);
  link.up = (info.ifi_flags & IFF_UP) != 0;
  each_attribute(attributes, [&](int type, Bytes value) {
    switch (type) {
      case IFLA_IFNAME:
        link.name = text_of(value).substr(0, IFNAMSIZ - 1);
        break;
      case IFLA_MTU:
        read_front(value, link.mtu);
        break;
      case IFLA_MASTER:
        read_front(value, link.master);
        break;
      case IFLA_LINK:
        read_front(value, link.peer);
        break;
      case IFLA_LINK_NETNSID: {
        std::int32_t id = 0;
        if (read_front(value, id)) link.peer_namespace_id = id;
        break;
      }
      case IFLA_LINKINFO:
        each_attribute(value, [&](int inner, Bytes kind) {
          if (inner == IFLA_INFO_KIND) link.type = text_of(kind).substr(0, 32);
        });
        break;
      default:
        break;
    }
  });
  if (link.name.empty()) return {};
  return out;
}

std::optional<std::int32_t> namespace_id_of(Bytes message) {
  nlmsghdr head{};
  rtgenmsg body{};
  const Bytes attributes = attributes_of(message, head, body);
  std::optional<std::int32_t> found;
  if (head.nlmsg_type != RTM_NEWNSID) return found;
  each_attribute(attributes, [&](int type, Bytes value) {
    std::int32_t id = -1;
    if (type == NETNSA_NSID && read_front(value, id) && id >= 0) found = id;
  });
  return found;
}

}  // namespace tailcap::capture::links

#include "capture/links/link_socket.h"

#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace tailcap::capture::links {
namespace {

constexpr std::size_t kBuffer = 64u << 10;  // the kernel's dumps fill at most 32 KiB at once
constexpr int kPatienceMs = 500;            // the kernel answers at once, unless somebody holds its lock
constexpr std::size_t kReadsAtOnce = 256;   // a namespace whose interfaces keep changing does not hold up the recording

}  // namespace

LinkSocket::LinkSocket() : socket_(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE)) {
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK;
  if (socket_ && bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) socket_.reset();
  if (socket_) buffer_.resize(kBuffer);
}

bool LinkSocket::ask(const void* request, std::size_t size) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  return sendto(socket_.get(), request, size, 0, reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) ==
         static_cast<ssize_t>(size);
}

bool LinkSocket::wait() const {
  pollfd ready{socket_.get(), POLLIN, 0};
  return poll(&ready, 1, kPatienceMs) == 1;
}

// One datagram. done: it ends the answer to the last request.
LinkSocket::Heard LinkSocket::hear(const std::function<void(std::span<const std::byte>)>& take) {
  sockaddr_nl from{};
  socklen_t length = sizeof from;
  const ssize_t size = recvfrom(socket_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT,
                                reinterpret_cast<sockaddr*>(&from), &length);
  if (size < 0) return errno == ENOBUFS ? Heard::lost : Heard::nothing;
  if (from.nl_pid != 0) return Heard::something;  // another program's
  Heard heard = Heard::something;
  std::span<const std::byte> rest(buffer_.data(), static_cast<std::size_t>(size));
  nlmsghdr head;
  while (rest.size() >= sizeof head) {
    std::memcpy(&head, rest.data(), sizeof head);
    if (head.nlmsg_len < sizeof head || head.nlmsg_len > rest.size()) break;
    if (head.nlmsg_seq == asked_ && (head.nlmsg_type == NLMSG_DONE || head.nlmsg_type == NLMSG_ERROR))
      heard = Heard::done;
    else
      take(rest.first(head.nlmsg_len));
    const std::size_t next = NLMSG_ALIGN(std::size_t{head.nlmsg_len});
    rest = next < rest.size() ? rest.subspan(next) : std::span<const std::byte>{};
  }
  return heard;
}

bool LinkSocket::list(std::vector<LinkMessage>& out) {
  struct {
    nlmsghdr head;
    ifinfomsg info;
    rtattr attribute;
    std::uint32_t mask;
  } request{};
  request.head.nlmsg_len = sizeof request;
  request.head.nlmsg_type = RTM_GETLINK;
  request.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.head.nlmsg_seq = ++asked_;
  request.info.ifi_family = AF_UNSPEC;
  request.attribute.rta_type = IFLA_EXT_MASK;
  request.attribute.rta_len = static_cast<unsigned short>(RTA_LENGTH(sizeof request.mask));
  request.mask = RTEXT_FILTER_SKIP_STATS;
  if (!ask(&request, sizeof request)) return false;
  bool whole = true;
  for (std::size_t reads = 0; reads < kReadsAtOnce && wait(); ++reads) {
    const Heard heard = hear([&](std::span<const std::byte> message) {
      nlmsghdr head;
      std::memcpy(&head, message.data(), sizeof head);
      // The list changed while it was read: one that was passed over may be missing.
      if (head.nlmsg_seq == asked_ && (head.nlmsg_flags & NLM_F_DUMP_INTR) != 0) whole = false;
      if (auto link = link_message(message)) out.push_back(std::move(*link));
    });
    if (heard == Heard::done) return whole;
    if (heard == Heard::lost) whole = false;
  }
  return false;
}

bool LinkSocket::changes(std::vector<LinkMessage>& out) {
  for (std::size_t reads = 0; reads < kReadsAtOnce; ++reads) {
    const Heard heard = hear([&](std::span<const std::byte> message) {
      if (auto link = link_message(message)) out.push_back(std::move(*link));
    });
    if (heard == Heard::lost) return false;
    if (heard == Heard::nothing) break;
  }
  return true;
}

std::optional<std::int32_t> LinkSocket::id_of(int name_space) {
  struct {
    nlmsghdr head;
    rtgenmsg body;
    char padding[3];
    rtattr attribute;
    std::int32_t descriptor;
  } request{};
  request.head.nlmsg_len = sizeof request;
  request.head.nlmsg_type = RTM_GETNSID;
  request.head.nlmsg_flags = NLM_F_REQUEST;
  request.head.nlmsg_seq = ++asked_;
  request.attribute.rta_type = NETNSA_FD;
  request.attribute.rta_len = static_cast<unsigned short>(RTA_LENGTH(sizeof request.descriptor));
  request.descriptor = name_space;
  std::optional<std::int32_t> found;
  if (!ask(&request, sizeof request)) return found;
  bool answered = false;
  for (std::size_t reads = 0; reads < kReadsAtOnce && !answered && wait(); ++reads) {
    const Heard heard = hear([&](std::span<const std::byte> message) {
      nlmsghdr head;
      std::memcpy(&head, message.data(), sizeof head);
      if (head.nlmsg_seq != asked_) return;
      answered = true;
      found = namespace_id_of(message);
    });
    if (heard == Heard::done || heard == Heard::lost) break;
  }
  return found;
}

}  // namespace tailcap::capture::links

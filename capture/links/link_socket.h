// A netlink socket in one network namespace: which interfaces are there, and which change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "capture/host/descriptor.h"
#include "capture/links/link_message.h"

namespace tailcap::capture::links {

class LinkSocket {
 public:
  // In the namespace of the calling thread. Not open where the kernel refuses.
  LinkSocket();
  static LinkSocket none() { return LinkSocket(Descriptor()); }
  explicit operator bool() const { return static_cast<bool>(socket_); }
  int descriptor() const { return socket_.get(); }

  // Asks for all interfaces. False: there was no complete answer.
  bool list(std::vector<LinkMessage>& out);
  // The changes that wait, at most some. False: changes were lost, because more came than the socket holds.
  bool changes(std::vector<LinkMessage>& out);
  // The number by which this namespace knows another one.
  std::optional<std::int32_t> id_of(int name_space);

 private:
  explicit LinkSocket(Descriptor&& socket) : socket_(std::move(socket)) {}
  enum class Heard { nothing, something, done, lost };
  bool ask(const void* request, std::size_t size);
  Heard hear(const std::function<void(std::span<const std::byte>)>& take);
  bool wait() const;

  Descriptor socket_;
  std::uint32_t asked_ = 0;  // number of the last request
  std::vector<std::byte> buffer_;
};

}  // namespace tailcap::capture::links

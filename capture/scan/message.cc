#include "capture/scan/message.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tailcap::capture::scan {

namespace {

constexpr std::size_t kInline = 64u << 10;  // well below a socket's default buffer of 208 KiB
constexpr char kHere = 0, kInMemory = 1;    // the first byte: where the rest is
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

Descriptor memory_of(std::string_view bytes) {
  Descriptor memory(memfd_create("tailcap", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  for (std::size_t done = 0; memory && done < bytes.size();) {
    const ssize_t wrote = write(memory.get(), bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return Descriptor();
    done += static_cast<std::size_t>(wrote);
  }
  if (!memory || fcntl(memory.get(), F_ADD_SEALS, kSeals) != 0) return Descriptor();
  return memory;
}

// Only a memfd has seals, so this never waits for a file.
bool read_all(int memory, std::size_t most, std::string& out) {
  struct stat status {};
  if (fcntl(memory, F_GET_SEALS) != kSeals || fstat(memory, &status) != 0 || status.st_size < 0 ||
      static_cast<std::uint64_t>(status.st_size) > most)
    return false;
  out.resize(static_cast<std::size_t>(status.st_size));
  for (std::size_t done = 0; done < out.size();) {
    const ssize_t got = pread(memory, out.data() + done, out.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += static_cast<std::size_t>(got);
  }
  return true;
}

union Control {
  cmsghdr aligned;
  std::array<char, CMSG_SPACE((kMaxDescriptors + 1) * sizeof(int))> bytes;
};

std::vector<Descriptor> descriptors_of(msghdr& header) {
  std::vector<Descriptor> out;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; i++) {
      int descriptor;
      std::memcpy(&descriptor, CMSG_DATA(part) + i * sizeof descriptor, sizeof descriptor);
      out.emplace_back(descriptor);
    }
  }
  return out;
}

}  // namespace

std::optional<std::pair<Descriptor, Descriptor>> connected_pair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return std::nullopt;
  return std::pair{Descriptor(ends[0]), Descriptor(ends[1])};
}

bool send_message(int socket, std::string_view bytes, std::span<const int> descriptors) {
  assert(descriptors.size() <= kMaxDescriptors);
  Descriptor memory;
  std::vector<int> all;
  char where = kHere;
  if (bytes.size() > kInline) {
    memory = memory_of(bytes);
    if (!memory) return false;
    all.push_back(memory.get());
    where = kInMemory;
    bytes = {};
  }
  all.insert(all.end(), descriptors.begin(), descriptors.end());
  std::array<iovec, 2> parts{iovec{&where, 1}, iovec{const_cast<char*>(bytes.data()), bytes.size()}};
  msghdr header{};
  header.msg_iov = parts.data();
  header.msg_iovlen = parts.size();
  Control control{};
  if (!all.empty()) {
    header.msg_control = control.bytes.data();
    header.msg_controllen = CMSG_SPACE(all.size() * sizeof(int));
    cmsghdr* part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(all.size() * sizeof(int));
    std::memcpy(CMSG_DATA(part), all.data(), all.size() * sizeof(int));
  }
  ssize_t sent;
  while ((sent = sendmsg(socket, &header, MSG_NOSIGNAL)) < 0 && errno == EINTR) {
  }
  return sent == static_cast<ssize_t>(bytes.size() + 1);
}

Received receive_message(int socket, Take take, std::size_t most, Message& out,
                         std::optional<std::chrono::steady_clock::time_point> deadline, int interrupt) {
  using std::chrono::steady_clock;
  out = {};
  if (deadline || interrupt >= 0) {
    for (;;) {
      std::array<pollfd, 2> watched{pollfd{socket, POLLIN, 0}, pollfd{interrupt, POLLIN, 0}};
      int wait = -1;
      if (deadline) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - steady_clock::now()).count();
        wait = static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
      }
      const int ready = poll(watched.data(), watched.size(), wait);
      if (ready < 0 && errno != EINTR) return Received::closed;
      if (ready > 0 && watched[1].revents) return Received::interrupted;
      if (ready > 0) break;
      if (ready == 0 && deadline && steady_clock::now() >= *deadline) return Received::late;
    }
  }
  std::string buffer(kInline + 1, '\0');
  iovec part{buffer.data(), buffer.size()};
  Control control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (take == Take::descriptors) {
    header.msg_control = control.bytes.data();
    header.msg_controllen = control.bytes.size();
  }
  ssize_t got;
  while ((got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
  }
  if (got <= 0) return Received::closed;
  out.descriptors = descriptors_of(header);
  if (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) return Received::closed;
  if (buffer[0] == kInMemory) {
    if (out.descriptors.empty() || !read_all(out.descriptors[0].get(), most, out.bytes)) return Received::closed;
    out.descriptors.erase(out.descriptors.begin());
    return Received::message;
  }
  if (static_cast<std::size_t>(got) - 1 > most) return Received::closed;
  out.bytes = buffer.substr(1, static_cast<std::size_t>(got) - 1);
  return Received::message;
}

}  // namespace tailcap::capture::scan

#include "capture/iterators/sockets.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <exception>
#include <string>
#include <system_error>
#include <thread>

#include "bpf/event.h"
#include "bpf/tailcap.skel.h"
#include "capture/iterators/iterator.h"

namespace tailcap::capture::iterators {

namespace {

// The number of a network namespace; 0: it is not known.
std::uint32_t number_of(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? static_cast<std::uint32_t>(status.st_ino) : 0;
}

std::uint32_t own_number() { return number_of("/proc/self/ns/net"); }

template <class Key>
std::vector<Key> keys(const bpf_map* map) {
  std::vector<Key> found;
  Key key{};
  const Key* before = nullptr;
  while (bpf_map_get_next_key(bpf_map__fd(map), before, &key) == 0) {
    found.push_back(key);
    before = &found.back();
  }
  return found;
}

}  // namespace

void Sockets::use(const tailcap_bpf& loaded, bool chooses) {
  list_ = loaded.progs.list_sockets;
  keep_ = loaded.progs.keep_sockets;
  untarget_ = loaded.progs.untarget_sockets;
  round_ = &loaded.bss->untarget_round;
  list_by_address_ = loaded.progs.list_by_address;
  untarget_by_address_ = loaded.progs.untarget_by_address;
  adopt_tcp_ = loaded.progs.adopt_tcp;
  adopt_unix_ = loaded.progs.adopt_unix;
  noted_sockets_ = loaded.maps.noted_sockets;
  noted_namespaces_ = loaded.maps.noted_namespaces;
  chooses_ = chooses;
}

bool Sockets::by_address() const { return bpf_program__autoload(list_by_address_); }

std::vector<std::byte> Sockets::list() {
  if (!by_address()) return iterate(list_);
  listed_ = true;
  std::vector<std::byte> listed = iterate(list_by_address_);
  if (!noted_any() && !chooses_) return listed;
  adopt();
  listed = iterate(list_by_address_);
  forget();
  return listed;
}

bool Sockets::may_untarget() {
  if (!by_address()) return true;
  const std::uint32_t here = own_number();
  const std::vector<std::byte> listed = list();
  for (std::size_t at = 0; at + sizeof(bpf::record_socket) <= listed.size(); at += sizeof(bpf::record_socket)) {
    bpf::record_socket socket;
    std::memcpy(&socket, listed.data() + at, sizeof socket);
    if (socket.net_namespace != here) return false;
  }
  return true;
}

void Sockets::untarget() {
  if (!by_address()) {
    const std::atomic_ref round(*round_);
    // 0 is that of a socket that was never looked at.
    if (round.fetch_add(1) == UINT8_MAX) round.fetch_add(1);
    iterate(keep_);
    iterate(untarget_);
    return;
  }
  iterate(untarget_by_address_);
  adopt();
  forget();
}

void Sockets::stay(bool lists, std::vector<std::string>& not_recorded) {
  if (lists && by_address() && !listed_) (void)list();
  may_enter_ = false;
  if (missed_)
    not_recorded.push_back(
        "connections in other network namespaces that were open before are recorded from their first read or write on: "
        "those namespaces cannot be entered");
}

void Sockets::adopt() {
  adopt_here();
  const std::uint32_t here = own_number();
  for (const auto space : keys<std::uint32_t>(noted_namespaces_)) {
    if (space == here) continue;
    std::uint32_t process = 0;
    if (!may_enter_ || bpf_map_lookup_elem(bpf_map__fd(noted_namespaces_), &space, &process) != 0) continue;
    if (!adopt_in(space, process)) missed_ = true;
  }
}

void Sockets::adopt_here() const {
  iterate(adopt_tcp_);
  iterate(adopt_unix_);
}

// The kernel's iterators begin in the network namespace of the thread that makes them.
bool Sockets::adopt_in(unsigned space, unsigned process) const {
  const std::string path = "/proc/" + std::to_string(process) + "/ns/net";
  if (number_of(path) != space) return false;
  bool done = false;
  std::thread([&] {
    const int entered = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (entered < 0) return;
    if (setns(entered, CLONE_NEWNET) == 0) {
      try {
        adopt_here();
        done = true;
      } catch (const std::exception&) {  // as where it cannot be entered
      }
    }
    close(entered);
  }).join();
  return done;
}

bool Sockets::noted_any() const {
  std::uint64_t key = 0;
  return bpf_map_get_next_key(bpf_map__fd(noted_sockets_), nullptr, &key) == 0;
}

void Sockets::forget() const {
  for (const auto key : keys<std::uint64_t>(noted_sockets_)) bpf_map_delete_elem(bpf_map__fd(noted_sockets_), &key);
  for (const auto key : keys<std::uint32_t>(noted_namespaces_))
    bpf_map_delete_elem(bpf_map__fd(noted_namespaces_), &key);
}

}  // namespace tailcap::capture::iterators

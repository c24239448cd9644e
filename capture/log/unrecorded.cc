#include "capture/log/unrecorded.h"

#include <bpf/bpf.h>

#include "bpf/event.h"
#include "capture/scan/proc.h"
#include "formats/event.h"

namespace tailcap::capture {

namespace {

struct Kind {
  const char* key;
  const char* words;
};

Kind kind_of(std::uint32_t number) {
  switch (number) {
    case bpf::UNRECORDED_MPTCP:
      return {"mptcp", "MPTCP"};
    case bpf::UNRECORDED_SCTP:
      return {"sctp", "SCTP"};
    case bpf::UNRECORDED_VSOCK:
      return {"vsock", "vsock"};
    case bpf::UNRECORDED_SMC:
      return {"smc", "SMC"};
    case bpf::UNRECORDED_UDP:
      return {"udp", "UDP (QUIC is one use of it)"};
    case bpf::UNRECORDED_URING:
      return {"io_uring", "io_uring (lengths are recorded, the bytes are not)"};
    default:
      return {"other", "other protocols"};
  }
}

std::string amount(std::uint64_t count, const char* one, const char* more) {
  return std::to_string(count) + " " + (count == 1 ? one : more);
}

}  // namespace

void Unrecorded::look() {
  bpf::unrecorded_key key{};
  for (int error = bpf_map_get_next_key(map_, nullptr, &key); error == 0;
       error = bpf_map_get_next_key(map_, &key, &key)) {
    bpf::unrecorded_count now{};
    if (bpf_map_lookup_elem(map_, &key, &now) != 0) continue;
    Sum& sum = sums_[{key.pid, key.kind}];
    if (sum.process.empty()) {
      const std::string name = process_facts(key.pid).comm;
      sum.process = (name.empty() ? "process" : name) + " " + std::to_string(key.pid);
    }
    sum.sockets = now.sockets;
    sum.calls = now.calls;
    sum.bytes = now.bytes;
  }
}

std::vector<std::pair<std::string, std::string>> Unrecorded::changed() {
  std::vector<std::pair<std::string, std::string>> notes;
  for (auto& [key, sum] : sums_) {
    if (sum.calls == sum.told) continue;
    sum.told = sum.calls;
    const Kind kind = kind_of(key.second);
    // Where sockets are not distinguished, their number is 0.
    notes.emplace_back(
        kUnrecordedNote + std::to_string(key.first) + "." + kind.key,
        sum.process + ": " + amount(sum.bytes, "byte", "bytes") + " in " + amount(sum.calls, "call", "calls") +
            (sum.sockets ? " on " + amount(sum.sockets, "socket", "sockets") : "") + " by " + kind.words);
  }
  return notes;
}

std::vector<std::string> Unrecorded::lines() const {
  Unrecorded all = *this;
  for (auto& [key, sum] : all.sums_) sum.told = 0;
  std::vector<std::string> lines;
  for (auto& [key, text] : all.changed()) lines.push_back(std::move(text));
  return lines;
}

}  // namespace tailcap::capture

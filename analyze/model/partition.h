// The account of a request: every nanosecond has one phase and one label; both axes sum exactly to the duration.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "analyze/model/label.h"
#include "analyze/model/packed/bytes.h"
#include "analyze/model/packed/numbers.h"
#include "analyze/model/phase.h"
#include "analyze/model/text_pool.h"
#include "analyze/model/wire/exchange.h"

namespace tailcap::model {

// The part of a request's time with this phase, label and evidence.
struct AccountPart {
  Phase phase = Phase::work;
  Label label = Label::unexplained_nocarrier;
  Evidence evidence = Evidence::measured;
  std::uint8_t crowded = 0;  // see crowded_share()
  std::int64_t time = 0;     // ns, > 0
  // Share of the time in which other recorded threads were queued for a CPU, to 1/255.
  double crowded_share() const { return crowded / 255.0; }
  bool operator==(const AccountPart&) const = default;
};

// The connections of a process to one place, which its requests take and give back, or the threads of a pool. As a
// number, so that a blocker can name them.
struct PoolOfConnections {
  TextId remote = 0;  // 0: threads
  std::uint32_t connections = 0;

  static PoolOfConnections of(std::uint64_t number) {
    return {static_cast<TextId>(number >> kBits), static_cast<std::uint32_t>(number & kMost)};
  }
  std::uint64_t number() const { return std::uint64_t{remote} << kBits | std::min<std::uint64_t>(connections, kMost); }

 private:
  static constexpr unsigned kBits = 16;
  static constexpr std::uint64_t kMost = (1u << kBits) - 1;
};

// A blocker behind time under a label that can have one.
struct Culprit {
  Label label = Label::unexplained_nocarrier;
  std::int64_t time = 0;   // ns of this request
  std::uint64_t what = 0;  // lock: its address; down.*: the call's connection; io: device; sched.*: which of
                           // the CPU groups, from 1; a wait on a socket without a request, or for the request's own
                           // peer: which of the peers, from 1; otherwise 0
  ExchangeId request;  // q.loop, q.pool, lock with known holder: the request it worked on; down.*: the call. connection
                       // 0: none
  std::uint32_t tid = 0;  // the lock holder, the waker, or the sender of the stop signal; 0: not known
  bool operator==(const Culprit&) const = default;
};

// A control group with a CPU quota.
struct CpuGroup {
  std::string path;
  std::int64_t quota = 0, period = 0;  // ns of CPU time in each period; 0: they changed during the recording
  bool operator==(const CpuGroup&) const = default;
};

// The other end of a socket that carries no requests.
struct SocketPeer {
  std::string address;       // as endpoint() writes it; empty: not known
  std::uint16_t port = 0;    // 0: none
  std::uint32_t pid = 0;     // of the recorded process that has that end; 0: not known
  std::string process = {};  // its name; empty: not known
  bool operator==(const SocketPeer&) const = default;
};

// The service had written all of a response, and its kernel kept bytes of it, at least for this time.
struct Undelivered {
  ExchangeId request;
  std::int64_t time = 0;             // ns since the request's end
  Label label = Label::send_sndbuf;  // why: net.nagle, send.sndbuf (mostly the peer's window), send.cwnd
  std::uint8_t window = 0;           // per cent of the time in which the peer's window was the reason
  std::int64_t round_trip = 0;       // the least of the connection, ns; 0: not known
  std::uint32_t peer = 0;            // which of the peers, from 1; 0: not known
  bool operator==(const Undelivered&) const = default;
};

// Names of locks, by address.
using LockNames = std::map<std::uint64_t, std::string>;

// At most this time of a request that has not ended has an account: what it waits for now matters.
inline constexpr std::int64_t kUnfinishedShown = 10'000'000'000;  // ns

namespace packed {

// In the second byte of a part, behind its phase.
inline constexpr unsigned kEvidenceAt = 4, kCrowdedAt = 6;
static_assert(kPhases <= 1u << kEvidenceAt && static_cast<unsigned>(Evidence::sampled) < 4);
// In the first byte of a culprit: what of it there is.
inline constexpr unsigned kWhat = 1, kRequest = 2, kTid = 4;

inline void unpack(const std::uint8_t*& at, AccountPart& out) {
  out.label = static_cast<Label>(*at++);
  const unsigned bits = *at++;
  out.phase = static_cast<Phase>(bits & 15);
  out.evidence = static_cast<Evidence>(bits >> kEvidenceAt & 3);
  out.time = static_cast<std::int64_t>(get(at));
  out.crowded = bits >> kCrowdedAt != 0 ? *at++ : std::uint8_t{0};
}

inline void unpack(const std::uint8_t*& at, Culprit& out) {
  const unsigned has = *at++;
  out.label = static_cast<Label>(*at++);
  out.time = static_cast<std::int64_t>(get(at));
  out.what = has & kWhat ? get(at) : 0;
  out.request = {};
  if (has & kRequest) {
    out.request.connection = static_cast<ConnectionId>(get(at));
    out.request.index = static_cast<std::uint32_t>(get(at));
  }
  out.tid = has & kTid ? static_cast<std::uint32_t>(get(at)) : 0;
}

}  // namespace packed

// Parts of an account, or its culprits, as a few bytes each. They are unpacked one after the other, into the same
// place: keep copies, not pointers.
template <class T>
class PackedList {
 public:
  class Iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using reference = const T&;
    using pointer = const T*;
    using iterator_category = std::input_iterator_tag;
    Iterator() = default;
    Iterator(const std::uint8_t* at, std::size_t left) : at_(at), left_(left) { next(); }
    const T& operator*() const { return value_; }
    Iterator& operator++() {
      --left_;
      next();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(const Iterator& other) const { return left_ == other.left_; }

   private:
    void next() {
      if (left_ > 0) packed::unpack(at_, value_);
    }
    const std::uint8_t* at_ = nullptr;
    std::size_t left_ = 0;
    T value_;
  };

  PackedList() = default;  // an empty one
  // What was packed there; it must outlive this.
  explicit PackedList(const std::uint8_t* at) : at_(at) {}
  bool empty() const { return size() == 0; }
  std::size_t size() const {
    const std::uint8_t* at = at_;
    return at ? packed::get(at) : 0;
  }
  Iterator begin() const {
    const std::uint8_t* at = at_;
    const std::size_t n = at ? packed::get(at) : 0;
    return {at, n};
  }
  Iterator end() const { return {}; }

 private:
  const std::uint8_t* at_ = nullptr;  // their number, then they
};

using AccountParts = PackedList<AccountPart>;
using Culprits = PackedList<Culprit>;

// The accounts of all requests. A request without a duration has none.
class Partitions {
 public:
  // Requests may come in any order; call sort() once afterwards. Each (phase, label, evidence) at most once a request.
  void add(ExchangeId request, std::span<const AccountPart> parts, std::span<const Culprit> culprits) {
    std::vector<std::uint8_t> packed;
    pack(parts, culprits, packed);
    add(request, packed);
  }
  // The same in two steps.
  static void pack(std::span<const AccountPart> parts, std::span<const Culprit> culprits,
                   std::vector<std::uint8_t>& packed);
  void add(ExchangeId request, std::span<const std::uint8_t> packed) {
    entries_.push_back({request, bytes_.add(packed)});
  }
  void sort();
  // There will be `requests` requests.
  void reserve(std::size_t requests) { entries_.reserve(requests); }
  // Empty: none. Valid as long as this is.
  AccountParts parts(ExchangeId request) const;
  Culprits culprits(ExchangeId request) const;
  std::size_t size() const { return entries_.size(); }

  void set_groups(std::vector<CpuGroup> groups) { groups_ = std::move(groups); }
  const std::vector<CpuGroup>& groups() const { return groups_; }
  void set_peers(std::vector<SocketPeer> peers) { peers_ = std::move(peers); }
  const std::vector<SocketPeer>& peers() const { return peers_; }
  void set_locks(LockNames locks) { locks_ = std::move(locks); }
  const LockNames& locks() const { return locks_; }
  void set_undelivered(std::vector<Undelivered> undelivered) { undelivered_ = std::move(undelivered); }
  const std::vector<Undelivered>& undelivered() const { return undelivered_; }  // by time

 private:
  struct Entry {
    ExchangeId request;
    std::uint32_t at = 0;  // of its parts in bytes_; behind them its culprits
  };
  const Entry* find(ExchangeId request) const;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> first_of_;  // by connection: its first entry; one more than there are connections
  PackedBytes bytes_;
  std::vector<CpuGroup> groups_;
  std::vector<SocketPeer> peers_;
  LockNames locks_;
  std::vector<Undelivered> undelivered_;
};

// The group with the used-up quota, or that was frozen; nullptr: the culprit is not of that kind, or the group is not
// known.
const CpuGroup* group_of(const Culprit& culprit, std::span<const CpuGroup> groups);
// The peer on which the request waited; nullptr: likewise.
const SocketPeer* peer_of(const Culprit& culprit, std::span<const SocketPeer> peers);
// The name of the lock, or of what a thread waited at until its time limit; empty: likewise.
std::string_view lock_of(const Culprit& culprit, const LockNames& locks);
// What is behind a label and has a name of its own.
struct NamedBlockers {
  std::span<const CpuGroup> groups;
  std::span<const SocketPeer> peers;
  const LockNames& locks;
  explicit NamedBlockers(const Partitions& p) : groups(p.groups()), peers(p.peers()), locks(p.locks()) {}
};

// A stretch of one request's time, for drawing.
struct LabelledStretch {
  Time from = kNoTime, to = kNoTime;
  Label label = Label::unexplained_nocarrier;
  Evidence evidence = Evidence::measured;
  Culprit culprit;
};

// One request's stretches, which partition it, in order of time, and the calls that it made.
struct Course {
  struct Call {
    ExchangeId request;
    bool on_path = false;  // the request waited for it; otherwise it ran beside the path
    Duration slack{};      // off the path: how much later it could have ended
  };
  ExchangeId request;
  std::vector<LabelledStretch> stretches;
  std::vector<Call> calls;
};

}  // namespace tailcap::model

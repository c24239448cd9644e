// The live connection ends: sockets, and the TLS sessions on them.
#pragma once

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyze/model/wire/connection.h"
#include "analyze/streams/duplex.h"
#include "analyze/streams/tls_records.h"
#include "formats/event.h"

namespace tailcap::streams {

struct Session;

// Arrival times of the bytes that the latest reads of a connection end took.
class ReadLog {
 public:
  void add(model::Time done, model::Time arrived) {
    next_ = (next_ + 1) % kKept;
    entries_[next_] = {done, arrived};
  }
  // The arrival for the last read that was done by then; kNoTime: not known, or no longer kept.
  model::Time at(model::Time done) const {
    for (std::size_t i = 0; i < kKept; ++i) {
      const Entry& e = entries_[(next_ + kKept - i) % kKept];
      if (formats::known(e.done) && e.done <= done) return e.arrived;
    }
    return model::kNoTime;
  }

 private:
  // A call of a TLS library takes a record in two reads; an event loop reads hundreds of sockets before it decrypts,
  // but each of them once.
  static constexpr std::size_t kKept = 16;
  struct Entry {
    model::Time done = model::kNoTime, arrived = model::kNoTime;
  };
  Entry entries_[kKept];
  std::size_t next_ = 0;
};

// Kept for a connection end as soon as it seems to carry TLS.
struct TlsCarrier {
  RecordTracker records[2];  // by direction
  ReadLog reads;
  model::Time first_sent = model::kNoTime;  // where the connection's beginning was seen
  model::Time last_sent = model::kNoTime;
  formats::Thread last_sender;
  std::vector<Session*> sessions;
};

struct Slot {
  explicit Slot(model::Connection& c) : facts(c), pair(c.id) {}
  TlsCarrier& carries() {
    if (!carrier) carrier = std::make_unique<TlsCarrier>();
    return *carrier;
  }
  bool tcp() const { return facts.family != formats::Family::unix_domain; }

  model::Connection& facts;
  Duplex pair;
  std::unique_ptr<TlsCarrier> carrier;
  std::uint64_t epoch = 0;  // Losses when the last event of this socket came
  std::uint64_t any_loss = 0;
  model::Time born_at = model::kNoTime;  // of the description that says where both directions begin
  bool waits = false;                    // is in the queue
  bool listener = false;                 // or otherwise no connection: its bytes are not followed
};

// Losses that are not counted on a connection end.
struct UncountedLosses {
  std::uint64_t epoch = 0;     // losses that are not counted on their socket
  std::uint64_t any_loss = 0;  // all losses: the last event of a socket may be among them, and nothing after it says so
  void add(bool on_socket) {
    ++any_loss;
    if (!on_socket) ++epoch;
  }
  // End: a socket or a session that has an event now. True: an event may have been lost since the one before it.
  template <class End>
  bool pass(End& end) const {
    end.any_loss = any_loss;
    return std::exchange(end.epoch, epoch) != epoch;
  }
};

// What a call moved, from `offset` on, done when it returned. Moved: Io, TlsIo. End: of the socket or the session.
template <class Moved, class End>
Piece piece_of(const formats::Event& event, const Moved& moved, std::int64_t offset, const UncountedLosses& losses,
               End& end) {
  Piece piece;
  piece.offset = offset;
  piece.length = moved.length;
  piece.done = event.time;
  piece.thread = {event.thread.pid, event.thread.tid, event.goroutine};
  piece.payload = moved.payload;
  piece.head = moved.head;
  piece.tail = moved.tail;
  if (losses.pass(end) || moved.missed > 0) piece.taints = piece.taints | model::Taint::events_lost;
  return piece;
}

struct SpreadHash {
  std::size_t operator()(std::uint64_t id) const {
    id = (id ^ (id >> 31)) * 0x9e3779b97f4a7c15u;
    return static_cast<std::size_t>(id ^ (id >> 29));
  }
};

// By the number that the recorder gave them. Events of one come in bursts.
template <class T>
class LiveSlots {
 public:
  T* find(std::uint64_t key) {
    if (last_ && last_key_ == key) return last_;
    const auto it = all_.find(key);
    return it == all_.end() ? nullptr : keep(key, it->second.get());
  }
  T* add(std::uint64_t key, std::unique_ptr<T> t) { return keep(key, (all_[key] = std::move(t)).get()); }
  void erase(std::uint64_t key) {
    last_ = nullptr;
    all_.erase(key);
  }
  void clear() {
    last_ = nullptr;
    all_.clear();
  }
  std::size_t size() const { return all_.size(); }
  // In order of their numbers as connections.
  std::vector<T*> in_order() const;

 private:
  T* keep(std::uint64_t key, T* t) {
    last_key_ = key;
    return last_ = t;
  }
  std::unordered_map<std::uint64_t, std::unique_ptr<T>, SpreadHash> all_;
  T* last_ = nullptr;
  std::uint64_t last_key_ = 0;
};

template <class T>
std::vector<T*> LiveSlots<T>::in_order() const {
  std::vector<T*> all;
  all.reserve(all_.size());
  for (const auto& [key, t] : all_) all.push_back(t.get());
  std::sort(all.begin(), all.end(), [](const T* a, const T* b) { return a->facts.id < b->facts.id; });
  return all;
}

}  // namespace tailcap::streams

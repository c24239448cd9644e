// Evidence for which socket carries a TLS session, from each call of the library and each socket call.
//
// Nested: socket calls of the same thread while the library's call lasted. TLS in TLS is the same, a call inside a
// call.
//
// By length: where the library works on memory, an event loop reads a socket and then decrypts what it read, encrypts
// and then sends. Records offered (read from sockets, or written by sessions) are taken by the next call of the same
// thread that fits them exactly: as many bytes as the record holds without the overhead of encryption. That is evidence
// only where a single owner had a fitting offer. Where several had, none of them counts until all are taken, because
// the owner of the remaining ones is not known.
//
// Bytes from captures are hostile; memory is bounded by threads and kMaxOffers.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "analyze/model/wire/connection.h"
#include "formats/event_names.h"
#include "formats/socket_event.h"
#include "formats/tls_event.h"

namespace tailcap::streams {

inline constexpr std::size_t kMaxOffers = 2048;
inline constexpr std::size_t kMaxThreads = 1u << 16;

// A socket, or a TLS session that carries another.
struct CarrierKey {
  bool session = false;
  std::uint64_t id = 0;
  bool operator==(const CarrierKey&) const = default;
};

// Some cipher adds this many bytes to a record's payload.
bool is_record_overhead(std::uint64_t added);

struct Vote {
  formats::TlsSessionId session = 0;
  CarrierKey carrier;
  model::BindingHow how = model::BindingHow::none;
  bool strong = false;         // nested: the lengths fit, too
  std::uint32_t overhead = 0;  // by length: what encryption added
  std::uint64_t moved = 0;     // nested: bytes that the carrier moved inside the call, in its direction
};

// Offers of one owner that another has not taken yet.
class Ledger {
 public:
  void offer(std::uint64_t owner, std::uint32_t amount, formats::Time at);
  // More of the last offer, if that was this owner's.
  void extend(std::uint64_t owner, std::uint32_t amount);
  struct Claim {
    bool fits = false;        // some owner's offer fits
    std::uint64_t owner = 0;  // 0: not known
    std::uint32_t overhead = 0;
  };
  // Takes what fits: the encrypted length less the plain one is a known overhead. encrypted: of `amount`.
  Claim claim(std::uint32_t amount, bool encrypted, formats::Time at);
  // A larger offer is there: more reads may make it up.
  bool larger(std::uint32_t amount) const;
  void drop(std::uint64_t owner);
  void clear() {
    offers_.clear();
    debt_ = 0;
  }

 private:
  struct Offer {
    std::uint64_t owner;
    std::uint32_t amount;
    bool stale;
    formats::Time at;
  };
  void age(formats::Time at);
  void take_stale();
  std::vector<Offer> offers_;
  std::size_t debt_ = 0;  // of the stale ones, taken
  formats::Time distrust_ = formats::kNoTime;
};

class TlsVotes {
 public:
  // A socket call; records: the application data that ends in it. The votes are valid until the next call.
  std::span<const Vote> transfer(const formats::Event& event, const formats::Io& io,
                                 std::span<const std::uint32_t> records);
  // A call of a TLS library that moved something.
  std::span<const Vote> call(const formats::Event& event, const formats::TlsIo& io, formats::TlsLibrary library);
  void exited(std::uint32_t tid) { threads_.erase(tid); }
  // Events were lost: earlier offers are no longer evidence.
  void lost() { ++generation_; }

 private:
  struct Moved {
    CarrierKey carrier;
    formats::Direction direction = formats::Direction::out;
    std::uint32_t last_record = 0;
    std::uint64_t length = 0;
    formats::Time done = formats::kNoTime;
  };
  struct Track {
    std::vector<Moved> recent;  // in the order in which it was done
    Ledger read, written;       // by sockets, by sessions
    formats::TlsSessionId partial_session = 0;
    std::uint32_t partial = 0;  // of a record that is larger
    std::uint64_t generation = 0;
    formats::Time call_done = formats::kNoTime;  // of the library
  };
  Track* track(std::uint32_t tid);
  static void remember(Track& track, const Moved& moved);
  void nested(Track& track, const formats::Event& event, const formats::TlsIo& io, formats::Time began);
  void by_length(Track& track, const formats::Event& event, const formats::TlsIo& io);
  void of_go(Track& track, const formats::TlsIo& io, formats::Time began);

  std::unordered_map<std::uint32_t, std::unique_ptr<Track>> threads_;
  std::vector<Vote> votes_;
  std::uint64_t generation_ = 0;
};

// The result of the votes of one session.
class VoteTally {
 public:
  void add(const Vote& vote);
  struct Verdict {
    model::BindingHow how = model::BindingHow::none;
    CarrierKey carrier;
  };
  Verdict verdict(formats::TlsLibrary library) const;
  // The session stays unbound, regardless of later votes.
  void refuse() { refused_ = true; }
  bool refused() const { return refused_; }

 private:
  struct Entry {
    CarrierKey carrier;
    std::uint32_t strong = 0, weak = 0, lengths = 0;
  };
  std::vector<Entry> entries_;
  std::uint32_t overhead_ = 0;
  bool refused_ = false;
};

}  // namespace tailcap::streams

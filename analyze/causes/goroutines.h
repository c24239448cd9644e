// Facts about the goroutines of Go programs: their creators, the handlers that they entered, the callers for which they
// send requests; and when such events were lost.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "analyze/causes/losses.h"
#include "analyze/model/text_pool.h"
#include "formats/event_names.h"
#include "formats/go_event.h"

namespace tailcap::causes {

// Go's numbers are unique in a process and never reused.
struct Goroutine {
  std::uint32_t pid = 0;
  std::uint64_t number = 0;
  bool operator==(const Goroutine&) const = default;
};

class Goroutines {
 public:
  static constexpr std::size_t kMaxGoroutines = 1u << 20;  // with an origin kept; later ones have none
  static constexpr std::size_t kMaxHandling = 1u << 16;    // that entered handlers, at a time
  static constexpr std::size_t kMaxConnections =
      1u << 16;  // of HTTP clients, at a time; as many header fields of gRPC that wait
  static constexpr std::size_t kMaxStreams = 1u << 20;  // of gRPC whose first sender is kept; later ones have none

  struct Origin {
    std::uint64_t creator = 0;  // 0: the runtime, or not known
    formats::Time at = formats::kNoTime;
  };
  // One that entered a handler.
  struct Child {
    std::uint64_t number = 0;
    formats::Time made = formats::kNoTime;
    model::TextId handler = 0;  // the last one that it entered; 0: its name is not known
  };
  struct Handled {
    bool yes = false;
    model::TextId name = 0;
  };
  struct Asked {
    std::uint64_t caller = 0;  // 0: not known
    formats::Time at = formats::kNoTime;
  };

  void push(const formats::Event& event, model::TextPool& texts);
  const Origin* origin(Goroutine g) const;
  // Whether it entered a handler in [from, to], and the last one. Only of the recent past; ask when the exchange is
  // done.
  Handled handled(Goroutine g, formats::Time from, formats::Time to) const;
  // Those of its children that entered handlers, in order of their making.
  std::vector<Child> handlers_of(Goroutine creator) const;
  // The caller of the request that `writer`, the goroutine of an HTTP client's connection, sent at `sent`. Each caller
  // is returned once, so that a request with a lost event gets none instead of the previous one's.
  Asked take_caller(Goroutine writer, formats::Time sent);
  // gRPC: the caller of the call that `writer`, the goroutine of an HTTP/2 connection, sent as this stream.
  Asked queued(Goroutine writer, std::uint32_t stream) const;
  bool writes_streams(Goroutine writer) const { return writers_.contains(writer); }
  // Complete only after the last event.
  const Losses& losses() const { return losses_; }
  // Connections are sampled: what threads and goroutines did on the others is not recorded.
  void of_some_only() { losses_.of_some_only(Losses::kReads | Losses::kSends); }

 private:
  struct Hash {
    std::size_t operator()(const Goroutine& g) const {
      return (g.number ^ (std::uint64_t{g.pid} << 40)) * 0x9e3779b97f4a7c15u >> 20;
    }
  };
  struct Entry {
    formats::Time at = formats::kNoTime;
    model::TextId name = 0;
  };
  struct Handling {
    std::array<Entry, 8> last{};  // a ring
    std::size_t next = 0;
  };
  struct Sent {
    Asked asked;
    formats::Time at = formats::kNoTime;
    bool taken = false;
  };
  struct Sender {
    std::array<Sent, 8> last{};  // a ring: a connection has one request under way, and its exchange comes soon after
    std::size_t next = 0;
  };

  struct Streams {
    std::unordered_map<std::uint32_t, Asked> first;  // by stream
  };

  void enter(Goroutine g, formats::Time at, model::TextId name);
  void call(Goroutine g, formats::Time at, const formats::GoCall& call);

  Losses losses_;
  std::unordered_map<Goroutine, Origin, Hash> origins_;
  std::unordered_map<Goroutine, Handling, Hash> handling_;
  std::unordered_map<Goroutine, std::vector<Child>, Hash> children_;  // by their maker
  std::size_t children_kept_ = 0;
  std::unordered_map<Goroutine, Asked, Hash> asked_;  // by connection: its number in place of the goroutine's
  std::unordered_map<Goroutine, Sender, Hash> senders_;
  std::unordered_map<Goroutine, Asked, Hash>
      queued_;  // by what is to be sent: its address in place of the goroutine's number
  std::unordered_map<Goroutine, Streams, Hash> writers_;
  std::size_t streams_kept_ = 0;
};

}  // namespace tailcap::causes

// TLS sessions as connection ends of their own: their plaintext in order, bound to the socket that carries it.
//
// Events must come in the order of the capture, and a socket's I/O is passed to moved() before its bytes are put in
// order. A session's plaintext became readable when the last byte that its carrier had read by then had arrived; a
// piece waits until that is known (streams/direction.h says how long). Plaintext without a read of its carrier comes
// from lost reads: its arrival is not known. A session ends with its carrier, or when the library frees it.
#pragma once

#include <cstdint>
#include <queue>
#include <span>
#include <unordered_set>
#include <vector>

#include "analyze/streams/facts.h"
#include "analyze/streams/output.h"
#include "analyze/streams/slot.h"
#include "analyze/streams/tls_votes.h"

namespace tailcap::streams {

// Connection ends followed at a time, of each kind; about 600 bytes each. More are counted and left out.
inline constexpr std::size_t kMaxLive = 1u << 18;
// A connection that is closed while bytes lie unread can still be read by its owner for as long as it likes.
inline constexpr model::Duration kUnreadHold = std::chrono::seconds{30};

struct Session : Slot {
  using Slot::Slot;
  // A read with an arrival that is not yet known. covered: its carrier had read bytes for it that no earlier read had
  // used.
  struct Read {
    std::int64_t begin, end;
    model::Time done;
    bool covered;
  };
  formats::TlsSessionId id = 0;
  std::uint32_t pid = 0;
  Slot* on = nullptr;            // its carrier, while that lives
  std::unique_ptr<ReadLog> log;  // and what is left of it afterwards
  VoteTally tally;
  std::vector<Read> reads;
  std::uint64_t carried = 0;     // bytes that its carrier has read since the last plaintext
  std::uint64_t spare = 0;       // … and before, at most, without plaintext for them
  bool counted = false;          // spare is known: since it was bound, a plaintext was exactly what one record held
  bool handshake_first = false;  // the first that was seen of it was a handshake
  bool failed = false;           // its last event was an error
};

class Sessions {
 public:
  Sessions(ConnectionFacts& facts, Shared& shared, Output& out, const UncountedLosses& losses, LiveSlots<Slot>& sockets)
      : facts_(facts), shared_(shared), out_(out), losses_(losses), sockets_(sockets) {}

  // There were any.
  bool any() const { return any_; }
  void on(const formats::Event& event, const formats::TlsIo& io);
  void on(const formats::Event& event, const formats::TlsStep& step);
  void exited(const formats::Event& event);
  void moved(Slot& socket, const formats::Event& event, const formats::Io& io);
  // Runs of this carrier were handed on, those of out from `from` on.
  void handed_on(Slot& carrier, std::size_t from);
  // Called before it is dropped.
  void gone(Slot& carrier);
  void left_out(Slot& carrier, model::Time at);  // it is not recorded from here on
  void lost() { votes_.lost(); }
  void wake();
  void end_capture();
  const model::TlsSessions& counts() const { return counts_; }

 private:
  static bool began_here(const Session& s);
  Session* open(formats::TlsSessionId id, const formats::Event& event);
  void apply(std::span<const Vote> votes, const Session* now);
  void bind(Session& s, const VoteTally::Verdict& verdict);
  void unbind(Session& s);
  static bool covered(Session& s, std::uint32_t length);
  void resolve(Session& s);
  void after(Session& s);
  void forget(Session& s);
  void note(Session& s);
  void count(const Session& s);
  void end(Session& s, model::End in, model::End out, model::Time at, model::Duration hold);

  struct Wake {
    model::Time at;
    formats::TlsSessionId session;
    model::ConnectionId id;
    bool operator>(const Wake& w) const { return at != w.at ? at > w.at : id > w.id; }
  };

  ConnectionFacts& facts_;
  Shared& shared_;
  Output& out_;
  const UncountedLosses& losses_;
  LiveSlots<Slot>& sockets_;
  LiveSlots<Session> live_;
  TlsVotes votes_;
  std::vector<std::uint32_t> records_;
  std::unordered_set<std::uint32_t> pids_;  // that have had sessions
  std::priority_queue<Wake, std::vector<Wake>, std::greater<>> wakes_;
  model::TlsSessions counts_;
  bool any_ = false;
};

}  // namespace tailcap::streams

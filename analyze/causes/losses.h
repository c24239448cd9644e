// The times and kinds of lost events. The recorder counts losses by kind every 100 ms; nothing finer is known.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "formats/event.h"

namespace tailcap::causes {

// Kinds of events as bits.
using Kinds = std::uint64_t;
constexpr Kinds kinds_of(formats::Kind kind) { return Kinds{1} << static_cast<unsigned>(kind); }

class Losses {
 public:
  static constexpr Kinds kAny = ~Kinds{0};
  static constexpr Kinds kReads = kinds_of(formats::Kind::receive) | kinds_of(formats::Kind::tls_receive);
  static constexpr Kinds kSends = kinds_of(formats::Kind::send) | kinds_of(formats::Kind::tls_send);
  static constexpr Kinds kWaits = kinds_of(formats::Kind::off_cpu);

  void push(const formats::Event& event);
  // From the beginning to the end: such events are recorded of some connections only.
  void of_some_only(Kinds kinds);
  // Events of one of these kinds may have been lost in [from, to].
  bool any(formats::Time from, formats::Time to, Kinds kinds = kAny) const;

 private:
  static_assert(formats::kKinds < 64);
  static constexpr std::size_t kUnknown = formats::kKinds;  // of kinds that are not known
  static constexpr std::size_t kMaxSpans = 4096;            // of each kind; later ones extend the last
  // The recorder reads the clock and then the counters, and may be off the CPU in between.
  static constexpr formats::Duration kSlack = std::chrono::milliseconds{5};
  struct Span {
    formats::Time from = formats::kNoTime, to = formats::kNoTime;
  };
  std::array<std::vector<Span>, formats::kKinds + 1> spans_;  // ascending, disjoint
};

}  // namespace tailcap::causes

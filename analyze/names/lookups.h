// Datagrams of name servers in, lookups out.
//
// A question and its answer are joined by socket, id, name and type. The same question asked again by the same thread
// before an answer came is one lookup with several attempts, whatever socket it is on. A thread that waited for an
// answer and then does something else has given it up.
#pragma once

#include <memory>
#include <span>

#include "analyze/model/wire/lookup.h"
#include "formats/event_names.h"

namespace tailcap::names {

// A question without an answer is given up after kPatience. Resolvers wait 5 s, twice or thrice.
inline constexpr model::Duration kPatience = std::chrono::seconds{30};

class Lookups {
 public:
  Lookups();
  ~Lookups();
  // Those that this event ended; valid until the next push. CaptureEnd ends all.
  std::span<const model::Lookup> push(const formats::Event& event);
  // Names that were asked for in vain, as far as that is known now; as above.
  std::span<const model::FailedName> failed() const;
  // Questions are under way, or it is not known yet what came of them.
  bool pending() const;
  // The event just pushed is of a datagram socket: it has no place in any byte stream.
  bool took() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::names

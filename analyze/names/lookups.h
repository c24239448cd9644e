// Datagrams of name servers in, lookups out.
//
// A question and its answer are joined by socket, id, name and type. The same question asked again by the same thread
// before an answer came is one lookup with several attempts, whatever socket it is on.
#pragma once

#include <memory>
#include <span>

#include "analyze/model/wire/lookup.h"
#include "formats/event_names.h"

namespace tailcap::names {

// A question without an answer is given up after so long. Resolvers wait 5 s, twice or thrice.
inline constexpr model::Duration kPatience = std::chrono::seconds{30};

class Lookups {
 public:
  Lookups();
  ~Lookups();
  // Those that this event ended; valid until the next push. CaptureEnd ends all.
  std::span<const model::Lookup> push(const formats::Event& event);
  // The event just pushed is of a datagram socket: it has no place in any byte stream.
  bool took() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::names

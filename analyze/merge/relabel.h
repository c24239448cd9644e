// Converts an event of one of several captures to its form in the merged one: on the first one's clock, with numbers
// that no other machine's have.
#pragma once

#include <string>

#include "analyze/merge/clock_fit.h"
#include "formats/event_names.h"
#include "formats/machine.h"

namespace tailcap::merge {

class Relabel {
 public:
  // Captures of one machine (one boot) share a machine; TLS sessions are numbered by the recorder, so by capture. `by`
  // is added to all times after `clock` has moved them.
  Relabel(formats::Machine machine, std::uint32_t capture, const ClockEstimate& clock, formats::Duration by,
          std::string name);

  // False: no kernel produces its numbers, so they cannot be made unique. Texts created by the call live until the next
  // call.
  bool apply(formats::Event& event);

  Time time(Time theirs) const;

 private:
  struct Visitor;

  const formats::Machine machine_;
  const std::uint32_t capture_;
  const ClockEstimate clock_;
  const formats::Duration by_;
  const std::string name_;  // of the machine
  std::string text_;
};

}  // namespace tailcap::merge

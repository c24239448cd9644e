// How much of a capture has to be read: often its beginning decides what is asked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "analyze/pipeline/pipeline.h"

namespace tailcap::pipeline {

class WirePass;

class Beginning {
 public:
  // Both must outlive this. Without Options::beginning, everything is read.
  Beginning(const Options& options, Replay& replay);

  // During the first reading, after a batch of events: look() may end it.
  bool due() const;
  // All events so far must be in the rows. Ends the reading where enough was read.
  void look(WirePass& wire);
  // After the first reading and WirePass::end(). False: the capture must be read again, further than before.
  bool decided(WirePass& wire);

 private:
  bool enough(WirePass& wire);
  std::optional<formats::Time> needed(WirePass& wire);

  const Options& options_;
  Replay& replay_;
  const std::uint64_t before_;  // events that are left out
  std::uint64_t least_;         // events to read, with those
  unsigned tries_ = 0;
  std::uint64_t next_look_ = 0;            // after this number of events
  std::size_t looked_at_ = 0;              // rows in which the request to follow is not
  std::optional<formats::Time> followed_;  // the end of that request
};

}  // namespace tailcap::pipeline

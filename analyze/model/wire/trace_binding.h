// When and where a request's trace became known: all of the request carries it, what came before, too.
#pragma once

#include <cstdint>
#include <string>

#include "analyze/model/wire/byte_run.h"

namespace tailcap::model {

struct TraceBinding {
  std::string field;           // whose value names the trace, as it was sent
  std::uint64_t byte = 0;      // the value's last one, from the request's first, which is 0
  std::uint32_t sequence = 0;  // of that byte
  // Server: TCP segments as they arrived; client: calls that sent. Which of them brought that byte, and how many the
  // head came in; 0: not seen.
  std::uint32_t part = 0, parts = 0;
  Time at = kNoTime;    // when that one arrived, or was sent; kNoTime: not seen
  Time read = kNoTime;  // server: when the byte was read
};

}  // namespace tailcap::model

// A connection that was open when recording began: is it TLS?
//
// It is where, in one direction, a run begins with a record's header and the lengths lead to two more of them.
#pragma once

#include <cstdint>

#include "analyze/protocols/tls/record_reader.h"

namespace tailcap::protocols::tls {

class TlsLateStart {
 public:
  TlsLateStart() {
    for (Side& s : sides_) s.reader.start_lost();
  }
  bool push(const model::ByteRun& run);

 private:
  static constexpr std::uint64_t kEnough = 3;
  struct Side {
    RecordReader reader;
    std::uint64_t since = 0;  // records read before the framing was found
  };
  Side sides_[2];
};

}  // namespace tailcap::protocols::tls

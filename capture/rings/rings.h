// Reads the rings of all CPUs as one, in the order of their records' times.
//
// The records of one CPU are in order except for interrupts. Those of several are merged up to the time before which
// all have surely written: a record's time is read a moment before it is in its ring. What finds a ring full is in the
// spill, which is read like one more ring.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "capture/rings/ring.h"
#include "formats/time.h"

namespace tailcap::capture {

struct RingSizes {
  std::uint32_t count = 1;        // of rings, without the spill; a power of two
  std::uint64_t bytes = 0;        // of each
  std::uint64_t spill_bytes = 0;  // 0: there is none
};

// For rings that hold `bytes` together; asked: the number that the user chose, 0: none.
RingSizes ring_sizes(std::uint32_t asked, std::uint64_t bytes);

// Descriptors of the kernel's maps, which outlive what uses them.
struct RingMaps {
  int first = -1;   // a ring buffer
  int others = -1;  // a map of rings: those behind the first are made and put there
  int spill = -1;
  RingSizes sizes;
};

class Rings {
 public:
  // Throws std::system_error.
  explicit Rings(const RingMaps& maps);
  ~Rings();
  Rings(const Rings&) = delete;
  Rings& operator=(const Rings&) = delete;

  // Descriptors of the rings that wake a reader; the spill has none.
  std::span<const int> descriptors() const { return descriptors_; }

  // Begins a round: next() returns the records present now, up to `now` minus a short margin; all: up to now.
  void begin(formats::Time now, bool all);
  // The next record of the round; empty: that was all. Valid until the next call.
  std::span<const std::byte> next();
  // Gives the space of everything read back to the kernel.
  void release();
  std::uint64_t pending() const;  // bytes not read yet
  std::uint64_t held() const;     // bytes that the kernel cannot use again yet; any thread may ask

 private:
  struct Source {
    std::unique_ptr<Ring> ring;
    std::span<const std::byte> front{};
    std::int64_t time = 0;  // of front
  };
  void look(Source& source);
  void close_all();

  std::vector<int> descriptors_;
  std::vector<Source> sources_;
  Source* passed_ = nullptr;  // next() has returned its front
  std::int64_t until_ = 0;
};

}  // namespace tailcap::capture

// Reads a capture quickly where little of it is wanted: every block is inflated, but only some of its events are made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "formats/event_choice.h"
#include "formats/preamble.h"
#include "formats/time.h"

namespace tailcap::formats {

class Skim {
 public:
  // threads: as of Reader, which has the same order of blocks. Throws like it.
  explicit Skim(const std::string& path, unsigned threads = 0);
  ~Skim();
  Skim(const Skim&) = delete;
  Skim& operator=(const Skim&) = delete;

  const Preamble& preamble() const;
  // The next block: gives `choice` the events that it wants. False: there is none, or it is damaged, or something is
  // missing before it; what the choice has of a damaged block is of no use.
  bool next(EventChoice& choice);
  bool sound() const;  // nothing was damaged or missing so far

  // About the block that next() has read:
  std::size_t place() const;  // as of Reader::begin_at()
  Time last() const;          // time of its latest event
  std::uint64_t events() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::formats

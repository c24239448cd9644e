// A process that served requests and ended, or a Go program that panicked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/model/wire/exchange.h"

namespace tailcap::model {

enum class IncidentKind : std::uint8_t {
  ended,     // the process did
  panicked,  // goroutines did, and were recovered: the process went on
};

struct Incident {
  static constexpr std::size_t kListed = 64;  // requests under way

  IncidentKind kind = IncidentKind::ended;
  Time time = kNoTime;  // of panics: the first
  std::uint32_t pid = 0;
  std::string comm;
  int exit_code = -1;  // -1: a signal ended it, or not known
  int signal = 0;      // 0: none
  bool core_dumped = false;
  bool out_of_memory = false;  // the kernel had chosen it, because memory was short
  // Go: the panic that ended it, or, of those recovered, all from one place.
  bool panic = false;
  bool thrown = false;               // by the runtime itself
  std::uint64_t panics = 0;          // recovered ones
  std::uint64_t goroutine = 0;       // 0: not known
  std::string stack;                 // as formats::GoPanic::stack; empty: not known
  std::uint64_t under_way = 0;       // requests that it served then, read and not answered
  std::vector<ExchangeId> requests;  // of these, the first
  // The process that answered next at one of its addresses.
  std::uint32_t next_pid = 0;  // 0: none was seen
  std::string address;         // of the two
  Time started = kNoTime;      // when that process ran its program; kNoTime: not seen
  Time listened = kNoTime;     // … and listened at that port
  Time answered = kNoTime;     // … and answered: its first response's first byte
};

}  // namespace tailcap::model

// What changed while it was recorded, and what became of the latencies: numbers only; analyze/report/sections/changes
// makes sentences of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "formats/time.h"

namespace tailcap::model {

using formats::Duration;
using formats::kNoTime;
using formats::Time;

enum class ChangeKind : std::uint8_t {
  note,     // somebody said so while recording: `key`, `value`
  build,    // a program with another build answers at an address
  restart,  // a program was started that answers at an address that another one answered; same build, or not known
};
constexpr std::string_view name_of(ChangeKind kind) {
  constexpr std::string_view names[] = {"note", "build", "restart"};
  return names[static_cast<std::size_t>(kind)];
}

struct Change {
  Time at = kNoTime;
  ChangeKind kind = ChangeKind::note;
  std::string key, value;                 // note
  std::string comm, address;              // of the program; where it answers
  std::uint32_t pid = 0;                  // of the program
  std::string build_before, build_after;  // build id in hex, or a Go program's revision; empty: not known
  bool operator==(const Change&) const = default;
};

enum class ShiftVerdict : std::uint8_t {
  refused,  // the data does not support a comparison: `reason`
  none,     // no difference that can be distinguished from chance and drift: `reason`
  shifted,  // it became slower or faster there
};
constexpr std::string_view name_of(ShiftVerdict verdict) {
  constexpr std::string_view names[] = {"refused", "none", "shifted"};
  return names[static_cast<std::size_t>(verdict)];
}

// One percentile of a route before and after a change, up to the changes next to it.
struct Shift {
  ShiftVerdict verdict = ShiftVerdict::refused;
  std::string reason;     // a sentence's part
  bool interval = false;  // what follows is meaningful
  Duration before{}, after{};
  Duration low{}, high{};  // 95 % interval of the difference, within this recording
  Duration difference() const { return after - before; }
  bool operator==(const Shift&) const = default;
};

struct RouteShift {
  std::uint32_t change = 0;             // index into ChangeStudy::changes
  std::uint32_t route = 0;              // index into Study::routes
  Time from = kNoTime, to = kNoTime;    // the stretch of time compared
  std::uint64_t before = 0, after = 0;  // requests with a duration in it
  Shift median, p99;
  bool shifted() const { return median.verdict == ShiftVerdict::shifted || p99.verdict == ShiftVerdict::shifted; }
};

// A route's answers were of another kind from then on.
struct StatusShift {
  std::uint32_t route = 0;            // index into Study::routes
  Time from = kNoTime, to = kNoTime;  // the first window that differs: its first and last request began
  std::uint8_t status_class = 0;      // that became more: 5 of 5xx; 0: no answer
  std::uint64_t before = 0, before_of = 0, after = 0,
                after_of = 0;  // of it, of all: since the last shift; in that window
  bool operator==(const StatusShift&) const = default;
};

struct ChangeStudy {
  static constexpr std::size_t kCompared = 3;  // the last ones

  std::vector<Change> changes;  // by time
  std::uint64_t left_out = 0;   // earlier ones that were not kept
  static constexpr std::size_t kMaxStatusShifts = 50;
  std::vector<StatusShift> status_shifts;    // by time
  std::uint64_t status_shifts_left_out = 0;  // later ones
  std::vector<RouteShift>
      shifts;  // of the last kCompared: what shifted first, largest sure effect first; then most requests
};

}  // namespace tailcap::model

// Goroutines that outlive the request under which they were made.
//
// Under a request: by the goroutine that served it, while it did, or by one that was made so. What ends within the
// limit is forgotten at once; of what may have ended while ends were not recorded, or their events were lost, nothing
// is said.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/study/go_study.h"
#include "analyze/model/wire/served.h"
#include "formats/event_names.h"
#include "formats/go_event.h"
#include "formats/time.h"

namespace tailcap::tail::go {

class LeftBehind {
 public:
  static constexpr std::size_t kMaxGoroutines = 1u << 19;  // that live, or lived long; later ones are not looked at
  static constexpr std::size_t kMaxGroups = 1000;

  explicit LeftBehind(formats::Duration after) : after_(after) {}
  void push(const formats::Event& event);
  // served: of the process. end: of the recording. Fills left, left_in_doubt, ends_told.
  void fill(std::uint32_t pid, std::span<const model::Served> served, const model::RequestTable& table,
            formats::Time end, model::GoStudy& study) const;

 private:
  struct Link {
    std::uint64_t creator = 0;
    formats::Time at = formats::kNoTime;
  };
  struct Goroutine {
    std::array<Link, 4> links{};  // its creator, that one's, …
    formats::Time ended = formats::kNoTime;
    model::TextId function = 0, from = 0;
  };
  struct Process {
    std::unordered_map<std::uint64_t, Goroutine> made;
    formats::Time doubt = formats::kNoTime;  // ends of what was made before may have been missed
    formats::Time ended = formats::kNoTime;
    bool told = false, away = false;
    std::uint64_t collecting = 0;  // who makes the collector's workers
    std::uint64_t left_out = 0;
  };
  void create(const formats::Event& event, const formats::GoCreate& create);

  const formats::Duration after_;
  model::TextPool texts_;
  std::map<std::uint32_t, Process> processes_;
  std::size_t kept_ = 0;
};

}  // namespace tailcap::tail::go

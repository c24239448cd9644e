// Processes that come and go.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "analyze/model/study/node_study.h"
#include "analyze/node/names.h"
#include "formats/event_names.h"

namespace tailcap::node {

class ProcessTurnover {
 public:
  static constexpr std::size_t kMaxAlive = 256u << 10;
  static constexpr std::size_t kMaxGroups = 10'000;  // different commands and parents; others are added up as one

  void push(const formats::Event& event, const ProcessNames& names);
  void fill(model::NodeStudy& study) const;

 private:
  struct Alive {
    formats::Time began = formats::kNoTime;
    std::uint32_t parent = 0;
    std::string command;
    bool executed = false;
  };
  void ended(const formats::Event& event, std::int32_t code, const ProcessNames& names);

  std::unordered_map<std::uint32_t, Alive> alive_;  // those whose beginning was seen
  std::map<std::pair<std::string, std::uint32_t>, model::ShortLived> groups_;
  std::uint64_t started_ = 0, ended_ = 0;
};

}  // namespace tailcap::node

// tailcap info --interfaces: the network interfaces of the recorded namespaces, and what changed of them.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "analyze/model/machine/link_table.h"
#include "analyze/model/wall_clock.h"
#include "analyze/report/json/json_type.h"
#include "formats/event_names.h"

namespace tailcap::views {

class Interfaces {
 public:
  static constexpr std::size_t kMaxChanges = 100;  // of one interface
  static constexpr std::size_t kMaxAllChanges = 100'000;
  static constexpr std::size_t kMaxAddresses = 100;  // likewise

  void push(const formats::Event& event);
  std::string text() const;                         // for people
  std::string json() const;                         // one line
  static const report::Description& description();  // of it

 private:
  struct Json;
  using Key = std::pair<std::uint32_t, std::uint32_t>;  // network namespace, index
  struct Change {
    formats::Time time = formats::kNoTime;
    std::string_view what;  // a name of the JSON
    std::string from, to;
  };
  struct Interface {
    model::Link last;
    std::vector<Change> changes;
    std::uint64_t more_changes = 0;
  };
  void note_changes(formats::Time time, const model::Link& now, Interface& known);
  std::string name_in(std::uint32_t net_namespace, std::uint32_t index) const;  // empty: not known

  std::map<Key, Interface> interfaces_;
  // By namespace and name: their events do not always know an index.
  std::map<std::pair<std::uint32_t, std::string>, std::set<std::string>> addresses_;
  std::set<std::uint32_t> own_;  // namespaces of recorders
  model::WallClock clock_;
  std::string left_out_;
  std::size_t changes_ = 0;
};

}  // namespace tailcap::views

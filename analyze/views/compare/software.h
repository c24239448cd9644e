// What the programs in a capture were built of: Go's build information, and build ids.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "analyze/model/gate/software.h"
#include "analyze/pipeline/second_reading.h"

namespace tailcap::views {

class SoftwareReader : public pipeline::SecondReading {
 public:
  void begin(const model::RequestTable&, const pipeline::Recording&) override {}
  void push(const formats::Event& event) override;
  const model::gate::Software& software() const { return software_; }

 private:
  static constexpr std::size_t kMost = 10'000;  // of each: a capture is not to be trusted

  void push(const formats::Mapping& mapping);

  model::gate::Software software_;
  std::map<std::uint32_t, std::string> versions_;  // of Go, by process
  std::size_t build_ids_ = 0, programs_ = 0;
};

// lines: formats::GoBuild::lines. file: of the program. Sets its name.
model::gate::GoProgram go_program_of(std::string_view lines, std::string_view file, std::string& name);

}  // namespace tailcap::views

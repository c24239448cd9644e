// Collects from the events what says how far a capture can be trusted.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/machine/drop_table.h"
#include "analyze/model/request.h"
#include "analyze/model/study/study.h"
#include "formats/event_names.h"
#include "formats/masking.h"
#include "formats/recorder_event.h"

namespace tailcap::tail {

class QualityFacts {
 public:
  explicit QualityFacts(const formats::Preamble& preamble);
  void push(const formats::Event& event);
  // The events so far were not those that are reported on: counts and losses begin anew.
  void forget_counts();
  // The capture begins then, whatever was pushed.
  void begins(formats::Time first) { first_ = first; }
  // Marks incomplete rows that were under way while something was lost, and rows while CLOCK_REALTIME was set.
  void taint(model::RequestTable& table) const;
  // Fills everything that comes from events; requests, connections and findings are counted elsewhere.
  void fill(model::Quality& quality) const;
  formats::Time first() const { return first_; }
  formats::Time last() const { return last_; }
  std::uint64_t samples() const { return samples_; }          // of the CPU
  std::uint64_t wait_stacks() const { return wait_stacks_; }  // of threads that waited
  const model::WallClock& clock() const { return clock_; }

 private:
  struct Program {
    std::uint64_t runs = 0;
    model::Duration time{};
  };
  void take_note(const formats::Note& note, formats::Time time);
  void masked_before(const formats::Note& note);
  void lose(formats::Time from, formats::Time to, std::uint64_t count, std::string what, bool affects_requests);

  model::WallClock clock_;
  model::DropTable drops_;
  formats::Time first_ = formats::kNoTime, last_ = formats::kNoTime;
  std::uint64_t events_ = 0, lost_ = 0, lost_sends_ = 0, lost_receives_ = 0, retransmits_ = 0, samples_ = 0,
                wait_stacks_ = 0;
  bool recorder_known_ = false;
  std::optional<model::Duration> recorder_before_;  // set by the second reading
  formats::RecorderCost recorder_;
  formats::Masking masking_, masking_before_;
  std::array<bool, 4> masked_before_known_{};
  bool masking_known_ = false;
  std::map<std::string, Program, std::less<>> programs_;
  std::vector<std::pair<std::string, std::string>> questions_;  // notes of `tailcap note`
  std::map<std::string, std::string, std::less<>> unrecorded_;  // notes of the recorder on traffic that is not recorded
  std::map<std::string, std::string> tls_ways_;                 // likewise, on how each file or process is read
  model::Sampling sampling_;
  std::vector<model::BudgetStep> steps_;
  std::vector<model::LossSpan> losses_;
  std::vector<std::pair<formats::Time, formats::Time>> doubtful_;  // something that requests are made of was lost
};

}  // namespace tailcap::tail

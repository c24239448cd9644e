// The stacks of requests, collected while a capture is read for the second time, so that it is not read again for each
// picture: samples, and what requests waited in.
//
// Which goroutine served a request is known only when its response has been sent. So stacks are held with their thread,
// goroutine and time until the end, and given to their requests there. Memory is bounded: see StackLimits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyze/flame/left_stacks.h"
#include "analyze/flame/owners.h"
#include "analyze/model/off_cpu_wait.h"
#include "analyze/model/study/flame.h"
#include "analyze/pipeline/second_reading.h"
#include "analyze/views/flame/caption.h"
#include "analyze/views/flame/request_functions.h"
#include "analyze/views/flame/stack_text.h"
#include "analyze/views/flame/stacks.h"
#include "analyze/views/flame/waiting_function.h"
#include "formats/sample.h"

namespace tailcap::views {

// What is held at most, each of some 50 bytes. Later samples and waits are counted and left out.
struct StackLimits {
  std::size_t samples = 1u << 22;
  std::size_t waits = 1u << 20;
  std::size_t texts = 1u << 18, text_bytes = 1u << 28;  // different stacks; others are "(other stacks)"
};

// Different texts, each once.
class StackTexts {
 public:
  explicit StackTexts(const StackLimits& limits) : limits_(limits) {}
  std::uint32_t intern(std::string text);
  const std::string& operator[](std::uint32_t number) const { return *texts_[number]; }

 private:
  const StackLimits limits_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::vector<const std::string*> texts_;
  std::size_t bytes_ = 0;
};

class RequestStacks : public pipeline::SecondReading {
 public:
  // For `show`: samples and preemptions of one request that was served.
  explicit RequestStacks(model::ExchangeId request, StackLimits limits = {});
  // For a report: samples of all requests, and of those that a trigger may name what they waited in. options: those of
  // the analysis; must outlive this.
  explicit RequestStacks(const pipeline::Options& options, StackLimits limits = {});

  void begin(const model::RequestTable& table, const pipeline::Recording& recording) override;
  void push(const formats::Event& event) override;
  void end(const model::RequestTable& table) override;

  // What these requests ran in (samples), were preempted in (likewise), or waited in (ns). By frames.
  std::vector<model::FoldedStack> of(std::span<const model::ExchangeId> requests, formats::SampleKind kind) const;
  // Samples of the requests that were served with this method and route, as `tailcap flame --route` selects them; slow,
  // or all. Only in reports. No stacks: there are none.
  FlameResult of_route(const model::TextPool& texts, std::string_view method, std::string_view route,
                       const FlameChoice& choice) const;
  // The waits of kLongWait and more of the same requests, where they were blocked in one of these; of how many
  // requests. None where there were too many to hold. Only in reports. Valid as long as this.
  struct LongWaits {
    std::vector<StackedWait> waits;
    std::uint64_t requests = 0;
  };
  LongWaits waits_of_route(const model::TextPool& texts, std::string_view method, std::string_view route,
                           const FlameChoice& choice, std::span<const model::Blocked> blocked) const;
  // The samples of a request, and its waits of kLongWait and more where stacks of waits were taken. Only in reports;
  // valid as long as this.
  std::vector<OwnedStack> stacks_of(model::ExchangeId request) const;
  bool has_wait_stacks() const { return long_waits_ && !too_many_long_; }
  // The stack of the wait of this thread that began then; null: it has none. Only for `show`; valid as long as this.
  const std::string* stack_of_wait(std::uint32_t tid, formats::Time left) const;
  bool samples() const { return all_samples_; }  // there are any on a CPU; only in reports
  // Those of them inside several requests at once: whose they are is not known.
  std::uint64_t undecided_samples() const { return undecided_[ran]; }
  // Samples, or waits, that are in no picture and no sum because there were too many.
  std::uint64_t left_out(formats::SampleKind kind) const;

 private:
  struct TimeRange {
    formats::Time from{}, to{};
  };
  struct HeldSample {
    formats::Time time{};
    std::uint64_t goroutine = 0;
    formats::Thread thread;
    std::uint32_t text = 0, weight = 0;
    formats::SampleKind kind{};
  };
  struct HeldWait {
    formats::Time left{}, runnable{}, back{};
    std::uint64_t goroutine = 0;
    formats::Thread thread;
    std::uint32_t process = 0, waiting = 0, queued = 0;  // texts: its name; those without a stack
  };
  struct HeldLong {
    formats::Time left{}, until{};  // until when it waited, as far as is known
    std::uint64_t goroutine = 0;
    formats::Thread thread;
    std::uint32_t process = 0;  // text: its name
    model::Blocked blocked{};
  };
  struct OwnedWait {
    std::uint32_t row = 0, text = 0;
    std::int64_t time = 0;
    model::Blocked blocked{};
    bool stacked = false;  // text is its stack
  };
  struct Owned {  // by a request
    std::uint32_t row = 0, text = 0;
    std::uint64_t value = 0;
  };
  struct ServedRow {
    std::int64_t duration = 0;
    std::uint32_t row = 0;
    model::TextId method = 0, route = 0;
  };
  enum Activity : std::uint8_t { ran, preempted, waited, kActivities };

  static Activity activity_of(formats::SampleKind kind);
  void find_windows(const model::RequestTable& table, const pipeline::Recording& recording);
  bool within(std::uint32_t pid, formats::Time from, formats::Time to) const;
  void hold(const formats::Event& event, const formats::Sample& sample);
  void hold(const formats::Event& event, const formats::OffCpu& off);
  void hold_long(const formats::Event& event, const formats::OffCpu& off);
  void give_long(const HeldLong& wait);
  // The rows of a route, slow or all, by number.
  std::vector<std::uint32_t> chosen_rows(const model::TextPool& texts, std::string_view method, std::string_view route,
                                         FlameRequests cohort, Ranking& ranking) const;
  void give(Activity kind, formats::Thread thread, std::uint64_t goroutine, formats::Time begin, formats::Time end,
            std::uint32_t text, std::uint64_t each);

  const pipeline::Options* const options_ = nullptr;  // null: of one request
  const model::ExchangeId request_;
  const StackLimits limits_;
  bool active_ = false, all_samples_ = false, long_waits_ = false, too_many_long_ = false;
  std::map<std::uint32_t, std::vector<TimeRange>>
      windows_;  // by process: the times of requests whose stacks are wanted
  StackTexts texts_;
  ThreadNames names_;
  flame::Owners owners_;
  flame::LeftStacks left_;
  std::deque<HeldSample> samples_;
  std::deque<HeldWait> waits_;
  std::deque<HeldLong> held_long_;
  std::map<std::pair<std::uint32_t, formats::Time>, std::uint32_t> wait_stacks_;  // texts, of one request
  std::vector<OwnedWait> owned_long_;                                             // by row
  std::array<std::uint64_t, kActivities> left_out_{}, undecided_{};  // undecided: several requests were under way
  std::array<std::vector<Owned>, kActivities> owned_;                // by row
  std::vector<std::pair<model::ExchangeId, std::uint32_t>> rows_;    // of requests with stacks, by id
  std::vector<ServedRow> served_;                                    // all that were, where there are samples
};

// The sum of several requests' stacks.
model::RequestSamples sum_of(const std::vector<model::FoldedStack>& stacks);

}  // namespace tailcap::views

#include "analyze/cli/follow/live_reading.h"

#include <variant>

#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/signals.h"
#include "analyze/query/later.h"
#include "formats/bounds/read_limits.h"

namespace tailcap::cli {
namespace {

// Where nothing more is recorded for this time, nothing more was lost either.
constexpr formats::Duration kSilence = std::chrono::seconds{2};

}  // namespace

void refuse_later(const Selection& selection) {
  if (!selection.routes.empty() || !selection.templates.empty())
    throw UsageError("while it is recorded, routes are not known yet; select by -w 'path matches \"/users/*\"'");
  if (!selection.from.empty() || !selection.to.empty() || !selection.around.empty())
    throw UsageError("requests are followed as they end: no --from, --to and --around while it is recorded");
  for (const std::string& expression : selection.filters)
    if (const std::string field = query::later_field(expression); !field.empty())
      throw UsageError("while it is recorded, '" + field +
                       "' is not known yet: it is decided when the recording has ended");
}

LiveReading::LiveReading(const char* command, const std::string& file) : command_(command), file_(file) {
  end_at_signals();
}

bool LiveReading::read(formats::Duration patience) {
  if (stopped_ || file_.ended() || ended_by_signal()) return false;
  const auto events = file_.next(patience);
  if (!following_ && file_.preamble()) following_.emplace(*file_.preamble());
  for (const formats::Event& event : events) {
    following_->push(event);
    if (const auto* end = std::get_if<formats::CaptureEnd>(&event.body)) state_ = end->state;
  }
  idle_ = events.empty();
  silence_ = idle_ ? silence_ + patience : formats::Duration{};
  stopped_ = too_much();
  return true;
}

bool LiveReading::nothing_to_come() const { return file_.ended() || silence_ >= kSilence; }

bool LiveReading::interrupted() const { return ended_by_signal(); }

bool LiveReading::whole() const {
  return state_ == formats::CaptureState::complete && file_.damaged() == 0 && following_ && following_->lost() == 0;
}

bool LiveReading::too_much() const {
  const auto& limits = formats::read_limits();
  const bool memory = formats::resident_bytes() > limits.memory;
  if (!memory && (!following_ || following_->table().rows.size() <= limits.requests)) return false;
  complain(command_, std::string("ends here: ") + (memory ? formats::text_of(formats::StopReason::memory)
                                                          : formats::text_of(formats::StopReason::requests)));
  return true;
}

}  // namespace tailcap::cli

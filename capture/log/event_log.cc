#include "capture/log/event_log.h"

#include <string>
#include <variant>

namespace tailcap::capture {

using namespace formats;

void EventLog::push(const Event& event) {
  writer_.push(event);
  tally_.events++;
  const auto* io = std::get_if<Io>(&event.body);
  if (io == nullptr || !io->continued) tally_.by_kind[static_cast<std::size_t>(kind_of(event))]++;
}

void EventLog::note(Time now, std::string_view key, std::string_view value) { push({now, {}, Note{key, value}}); }

void EventLog::lose(Time now, Time since, LossCause cause, std::uint8_t kind, std::uint64_t count,
                    const std::string& why) {
  push({now, {}, Loss{since, cause, kind, count}});
  tally_.lost += count;
  tally_.causes.insert(cause);
  const std::string name = std::string(name_of(static_cast<Kind>(kind))) + ": " + why;
  for (auto& [known, sum] : tally_.losses) {
    if (known == name) {
      sum += count;
      return;
    }
  }
  tally_.losses.emplace_back(name, count);
}

}  // namespace tailcap::capture

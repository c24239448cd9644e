#include "capture/record/commands.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string_view>

#include "capture/control/note.h"
#include "capture/host/clocks.h"
#include "capture/log/status.h"
#include "formats/printable.h"

namespace tailcap::capture {
namespace {

constexpr int kAtOnce = 8;
constexpr std::size_t kMostWhy = 256;

// "OUT", and lines behind it as `tailcap watch` sends them. Nothing: they are no such lines.
std::optional<Destination::Snapshot> snapshot_of(std::string_view argument) {
  Destination::Snapshot out;
  out.why = "tailcap snapshot";
  const auto line = [&] {
    const auto end = std::min(argument.find('\n'), argument.size());
    const std::string_view found = argument.substr(0, end);
    argument.remove_prefix(std::min(end + 1, argument.size()));
    return found;
  };
  out.path = line();
  constexpr std::string_view kLast = "last=", kWhy = "why=";
  while (!argument.empty()) {
    const std::string_view option = line();
    if (option.starts_with(kLast)) {
      std::int64_t ns = 0;
      const char* const end = option.data() + option.size();
      const auto read = std::from_chars(option.data() + kLast.size(), end, ns);
      if (read.ec != std::errc() || read.ptr != end || ns < 0) return std::nullopt;
      out.last = formats::Duration{ns};
    } else if (option.starts_with(kWhy) && option.size() <= kMostWhy) {
      out.why = option.substr(kWhy.size());
    } else {
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace

void Commands::obey(Control& control) {
  for (int i = 0; i < kAtOnce; i++) {
    const auto command = control.next();
    if (!command) return;
    obey(control, *command);
  }
}

void Commands::obey(Control& control, const Control::Command& command) {
  if (command.name == "note") return note(control, command.argument);
  if (command.name == "share") return share(control, command.argument);
  if (command.name == "reload") return reload(control, command.argument);
  if (command.name == "stacks") return stacks(control, command.argument);
  if (command.name == "snapshot") return snapshot(control, command.argument);
  if (command.name == "status") return control.answer(Obeyed::done, status());
  if (command.name == "stop") {
    stop_ = true;
    return control.answer(Obeyed::done, "the recording ends");
  }
  control.answer(Obeyed::usage, "'" + command.name +
                                    "' is no command. They are: note KEY=VALUE, reload CONFIG, share 1/N, snapshot, "
                                    "status, stop, stacks on, stacks off");
}

void Commands::note(Control& control, const std::string& argument) {
  const auto note = parse_note(argument);
  if (!note) {
    control.answer(Obeyed::usage, "'" + argument + "' is not a note: write KEY=VALUE");
  } else if (const auto why_not = objection_to(*note); !why_not.empty()) {
    control.answer(Obeyed::usage, why_not);
  } else {
    session_.note(monotonic_now(), note->first, note->second);
    control.answer(Obeyed::done, "noted: " + note->first + "=" + note->second);
  }
}

void Commands::share(Control& control, const std::string& argument) {
  const auto asked = budget::read_asked_share(argument);
  if (!asked) return control.answer(Obeyed::usage, "a share of the connections is written as 1/8");
  if (!policy_)
    return control.answer(Obeyed::failed,
                          "its share of connections is fixed: record with --sample-varies, and --rotate or --last");
  control.answer(Obeyed::done, policy_->ask(*asked));
}

void Commands::reload(Control& control, const std::string& argument) {
  try {
    control.answer(Obeyed::done, reload_.obey(argument, policy_));
  } catch (const UsageError& e) {
    control.answer(Obeyed::usage, e.what());
  } catch (const std::runtime_error& e) {
    control.answer(Obeyed::failed, e.what());
  }
}

// A note records from when on there are none, or some.
void Commands::stacks(Control& control, const std::string& argument) {
  if (argument != "on" && argument != "off")
    return control.answer(Obeyed::usage, "'" + argument + "' is neither on nor off");
  if (!settings_.has(Group::stacks) && !settings_.has(Group::samples))
    return control.answer(Obeyed::failed,
                          "it records neither stacks nor samples: record without --no-stacks or --no-sample");
  probes_.switch_stacks(argument == "on");
  session_.note(monotonic_now(), "tailcap.stacks", argument);
  control.answer(Obeyed::done, "stacks are " + argument);
}

void Commands::snapshot(Control& control, const std::string& argument) {
  // Shared, because a function must be copyable.
  const auto answer = std::make_shared<Answer>(control.answer_later());
  auto wanted = snapshot_of(argument);
  if (!wanted) return answer->give(Obeyed::usage, "a snapshot is asked for as OUT, with lines last=NS and why=TEXT");
  if (wanted->path.empty()) wanted->path = destination_.snapshot_name();
  snapshot(*wanted, [answer](bool error, const std::string& text) {
    answer->give(error ? Obeyed::failed : Obeyed::done, text);
  });
}

void Commands::snapshot(const Destination::Snapshot& wanted, std::function<void(bool error, std::string text)> done) {
  session_.push_samples(stacks::Lacking::lines);  // the latest may be those that it is for
  destination_.snapshot(wanted, std::move(done));
}

void Commands::snapshot_by_signal() {
  snapshot({destination_.snapshot_name(), "SIGUSR1", {}}, [](bool error, const std::string& text) {
    std::fprintf(stderr, "tailcap-record: %s%s\n", error ? "no snapshot: " : "snapshot ",
                 formats::printable_message(text).c_str());
  });
}

std::string Commands::status() const {
  const formats::Time now = monotonic_now();
  char text[64];
  std::snprintf(text, sizeof text, "recording for %.1f s: ", static_cast<double>((now - start_).count()) / 1e9);
  return text + destination_.status(now) + "; " + std::to_string(session_.tally().events) + " events, " +
         std::to_string(session_.tally().lost) + " lost" + (budget_ ? "; " + budget_->status() : "");
}

}  // namespace tailcap::capture

#include "capture/budget/budget.h"

#include <stdexcept>
#include <system_error>
#include <utility>

#include "capture/budget/amount.h"
#include "capture/host/clocks.h"
#include "capture/log/status.h"

namespace tailcap::capture::budget {
namespace {

using formats::Time;

constexpr double kSmoothing = 0.25;  // of a cost, four times a second

StatisticsSwitch& proven(StatisticsSwitch& statistics) {
  if (!statistics.turn(true) || !statistics.turn(false))
    throw std::runtime_error("--budget: the kernel does not measure its programs for this recorder (" +
                             statistics.problem() + "). It has to start with CAP_SYS_ADMIN, as root has it.");
  return statistics;
}

bool has_extras(const ProbeSettings& settings) {
  return settings.stacks_at_once && (settings.has(Group::stacks) || settings.has(Group::samples));
}

}  // namespace

Budget::Budget(double cpus, Probes& probes, StatisticsSwitch& statistics, Share& share,
               std::function<void(bool)> record_plaintext, Time now)
    : cpus_(cpus),
      probes_(probes),
      share_(share),
      record_plaintext_(std::move(record_plaintext)),
      extras_(has_extras(probes.settings())),
      waits_(probes.settings().has(Group::offcpu)),
      meter_(probes, proven(statistics), now),
      controller_(cpus, probes.settings().connections.of, extras_, waits_) {
  note_step(now);
}

void Budget::turn(Time now) {
  const auto cost = meter_.turn(now);
  if (meter_.failed() && !std::exchange(failed_, true)) {
    warn("what recording costs is not measured any more: the budget is not kept from here on");
    const Step before = controller_.step();
    controller_.look(true);
    carry_out(before, now);
  }
  if (!cost) return;
  cost_ = cost_ > 0 ? (1 - kSmoothing) * cost_ + kSmoothing * cost->all() : cost->all();
  const Step before = controller_.step();
  const bool above_before = controller_.above();
  if (controller_.measured(cost->seconds, {cost->all(), cost->waits, cost->runs})) {
    carry_out(before, now);
  } else if (controller_.above() != above_before) {
    note_step(now);
  }
  if (controller_.above() && !std::exchange(warned_, true))
    warn("recording costs more than its budget of " + show_share_of_cpus(cpus_) +
         " even while it records no connection. Fewer targets, or --only, cost less.");
}

void Budget::limit(std::uint32_t of, const std::function<void(Time)>& note) {
  const Step before = controller_.step();
  const Time now = monotonic_now();
  if (controller_.limit(of))
    carry_out(before, now, note);
  else
    note(now);
}

void Budget::carry_out(const Step& before, Time now, const std::function<void(Time)>& note) {
  const Step& step = controller_.step();
  if (step.extras != before.extras) {
    probes_.switch_stacks(step.extras);
    share_.note(now, "tailcap.stacks", step.extras ? "on" : "off");
  }
  const bool other_share = step.looks && step.of != before.of;
  if (other_share || step.waits != before.waits || step.looks != before.looks) {
    if (step.waits != before.waits) switch_waits(now);
    if (step.looks && !before.looks) {
      if (!probes_.record_bytes(true)) return no_look(now);
      record_plaintext_(true);
    }
    share_.change(step.looks ? step.of : 0, [&](Time begun) {
      note_step(begun);
      if (controller_.step().waits && !before.waits) share_.note(begun, kWaitsNote, "on");
      if (note) note(begun);
    });
    // The connections recorded so far were left out: that is in the file.
    if (!step.looks) {
      probes_.record_bytes(false);
      record_plaintext_(false);
    }
  } else {
    note_step(now);
    if (note) note(now);
  }
  meter_.restart(monotonic_now());
}

void Budget::no_look(Time now) {
  controller_.look(false);
  if (!std::exchange(warned_of_looks_, true))
    warn("connections were left out to keep the budget, and cannot be recorded again: the kernel refuses it");
  meter_.restart(now);
}

// The time between the notes includes every moment in which they are not recorded: the note that they are is written
// when the rings are drained.
void Budget::switch_waits(Time now) {
  const bool on = controller_.step().waits;
  if (!on) share_.note(now, kWaitsNote, "off");
  if (probes_.record_waits(on)) return;
  controller_.waits_are_gone();
  warn("off-CPU intervals were left out to keep the budget, and cannot be recorded again: the kernel refuses it");
}

void Budget::note_step(Time now) {
  const Step& step = controller_.step();
  std::string text = step.looks ? "1/" + std::to_string(step.of) : "none";
  text += " cost ";
  text += failed_ ? "unknown" : show_ppm(cost_);
  if (extras_) text += step.extras ? " stacks on" : " stacks off";
  if (waits_) text += step.waits ? " waits on" : " waits off";
  if (controller_.above()) text += " above";
  share_.note(now, kStepNote, text);
}

std::string Budget::status() const {
  const Step& step = controller_.step();
  std::string text = "budget " + show_share_of_cpus(cpus_) + ": ";
  text += failed_ ? "not measured any more" : "costs " + show_share_of_cpus(cost_);
  text += !step.looks    ? ", a pause: no connection is recorded"
          : step.of == 1 ? ", all connections are recorded"
                         : ", 1 of " + std::to_string(step.of) + " connections is recorded";
  if (extras_) text += step.extras ? ", with stacks" : ", without stacks";
  if (!step.waits) text += ", without off-CPU intervals";
  return text;
}

}  // namespace tailcap::capture::budget

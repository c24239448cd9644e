#include "analyze/report/tail/sure_text.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "analyze/model/label_group.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report::tail {
namespace {

using model::CulpritStudy;
using model::Label;
using model::LabelGroup;
using model::VerdictPart;

constexpr std::size_t kCompared = 5;      // requests of a route: with fewer, slow and typical are not compared
constexpr std::int64_t kFarFromMean = 2;  // times the mean

bool recorded_with(const model::Study& study, std::string_view option) {
  return std::ranges::any_of(study.quality.preamble.command_line,
                             [&](const std::string& word) { return word.starts_with(option); });
}

bool stacks(const model::Study& study) { return recorded_with(study, "--stacks") || recorded_with(study, "--profile"); }

bool target(const model::Study& study, std::uint32_t pid) {
  return std::ranges::any_of(study.quality.processes, [&](const auto& p) { return p.pid == pid && p.recorded; });
}

// " To see what process 4711 (postgres) did meanwhile, record it, too: -p 4711."
std::string unrecorded_text(std::uint32_t pid, std::string_view name) {
  return " To see what " + (name.empty() ? "process " : shortened(printable(name), 40) + ", process ") + pid_text(pid) +
         ", did meanwhile, record it, too: -p " + pid_text(pid) + ".";
}

// The port of an address of this machine; empty: it is elsewhere, or not known.
std::string_view port_here(std::string_view address) {
  const bool here = address.starts_with("127.") || address.starts_with("[::1]");
  const auto colon = address.rfind(':');
  return here && colon != address.npos ? address.substr(colon + 1) : std::string_view{};
}

// Who was waited for, if none of its threads was recorded.
std::string other_text(const VerdictPart& part, const model::Study& study, const model::RequestTable& table) {
  const CulpritStudy* last = part.who ? &*part.who : nullptr;
  for (const model::VerdictStep& step : part.chain)
    if (step.who) last = &*step.who;
  if (!last) return {};
  const bool ended = last->tid != 0 && last->pid != 0 && part.beyond_capture;
  if (ended && !target(study, last->pid)) return unrecorded_text(last->pid, last->process);
  const bool call = model::group_of(last->label) == LabelGroup::downstream || last->label == Label::net_unknown_socket;
  if (!call || last->label == Label::down_dns || !last->peer.process.empty() || last->inside_time != 0 ||
      !part.chain.empty())
    return {};
  const std::string address = !last->peer.address.empty() ? last->peer.address : std::string(table.texts[last->at]);
  const std::string_view port = port_here(address);
  if (port.empty() || recorded_with(study, "--port")) return {};
  return " To see what was done there, record it, too: --port " + printable(port) + ".";
}

// How long to record for a comparison, where one of a few requests is far slower than the others.
std::string length_text(const model::Verdict& v, const model::Study& study, const model::RequestTable& table) {
  const double rate = study.routes[v.routes.front()].per_second;
  if (v.of < 2 || v.of >= kCompared || rate <= 0 || v.examples.empty()) return {};
  for (std::uint32_t i = 0; i < table.rows.size(); ++i)
    if (table.rows.id(i) == v.examples.front() && table.rows.duration(i).count() < kFarFromMean * v.slow) return {};
  return " With " + count_text(kCompared) + " requests, slow ones are compared with typical ones: record for about " +
         count_text(static_cast<std::uint64_t>(std::ceil(kCompared / rate))) + " s.";
}

}  // namespace

std::string sure_text(const model::Verdict& v, const model::Study& study, const model::RequestTable& table) {
  if (v.level == model::VerdictLevel::nothing || v.scope == model::VerdictScope::machine || v.routes.empty()) return {};
  if (v.kind == model::VerdictKind::few) return length_text(v, study, table);
  const VerdictPart* part = !v.by_cause.empty() ? &v.by_cause.front().part
                            : v.parts.empty()   ? nullptr
                                                : &v.parts.front();
  if (!part) return {};
  if (const std::string other = other_text(*part, study, table); !other.empty()) return other;
  const Label last = part->chain.empty() ? part->label : part->chain.back().label;
  const auto& who = part->chain.empty() ? part->who : part->chain.back().who;
  const LabelGroup group = model::group_of(last);
  if (part->origin == model::Origin::service && group == LabelGroup::cpu && !v.function) {
    if (study.quality.samples == 0) return " To see in which function: --sample 99.";
    return {};
  }
  const bool held = who && (who->tid != 0 || who->route != 0 || who->method != 0);
  if (stacks(study) || v.waiting) return {};
  if (group == LabelGroup::lock && !held) return " To see where in the code: --stacks.";
  if (group == LabelGroup::causeless && !held) return " To see where in the code: --stacks.";
  return {};
}

}  // namespace tailcap::report::tail

#include "capture/budget/policy_share.h"

#include <algorithm>
#include <charconv>

#include "bpf/event.h"
#include "capture/host/clocks.h"

namespace tailcap::capture::budget {
namespace {

constexpr std::size_t kMostWhy = 256;

}  // namespace

std::optional<AskedShare> read_asked_share(std::string_view argument) {
  constexpr std::string_view kOne = "1/", kWhy = "why=";
  const auto end = std::min(argument.find('\n'), argument.size());
  std::string_view share = argument.substr(0, end), why = argument.substr(std::min(end + 1, argument.size()));
  if (!share.starts_with(kOne)) return std::nullopt;
  share.remove_prefix(kOne.size());
  AskedShare out;
  const char* const last = share.data() + share.size();
  const auto read = std::from_chars(share.data(), last, out.of);
  if (read.ec != std::errc() || read.ptr != last || out.of == 0 || out.of > SAMPLED_OF_MAX) return std::nullopt;
  if (why.empty()) return out;
  if (!why.starts_with(kWhy) || why.size() > kMostWhy || why.find('\n') != why.npos) return std::nullopt;
  out.why = why.substr(kWhy.size());
  return out;
}

std::string PolicyShare::ask(const AskedShare& asked) {
  const std::uint32_t of = std::max(asked.of, largest_);
  const std::string value = "1/" + std::to_string(asked.of) + (asked.why.empty() ? "" : " " + asked.why);
  const auto note = [&](formats::Time now) { share_.note(now, kPolicyNote, value); };
  if (budget_) {
    budget_->limit(of, note);
  } else if (of != share_.of()) {
    share_.change(of, note);
  } else {
    note(monotonic_now());
  }
  std::string text = share_.of() == 0   ? std::string("no connection is recorded until the next evaluation")
                     : share_.of() == 1 ? std::string("all connections are recorded")
                                        : "1 of " + std::to_string(share_.of()) + " connections is recorded";
  if (share_.of() == 0 || share_.of() > of) text += ": the budget allows no more now";
  if (share_.of() > asked.of && largest_ > asked.of) text += ": --sample-connections allows no more";
  return text;
}

}  // namespace tailcap::capture::budget

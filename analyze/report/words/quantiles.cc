#include "analyze/report/words/quantiles.h"

#include <algorithm>
#include <cmath>

#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"

namespace tailcap::report {

using model::Support;

std::string quantile_name(double q) {
  const auto thousandths = std::llround(q * 1000);
  std::string name = "p" + std::to_string(thousandths / 10);
  if (thousandths % 10 != 0) name += "." + std::to_string(thousandths % 10);
  return name;
}

Quantiles rising(Quantiles quantiles) {
  Duration least{};
  for (model::Quantile& q : quantiles) {
    if (q.support == Support::refused) continue;
    if (q.support == Support::lower_only) q.low = std::max(q.low, least);
    least = std::max(least, q.support == Support::lower_only ? q.low : q.value);
  }
  return quantiles;
}

QuantileText quantile_text(const model::Quantile& quantile) {
  QuantileText text;
  switch (quantile.support) {
    case Support::refused:
      text.value = "refused";
      break;
    case Support::lower_only:
      text.value = "≥ " + duration_text(quantile.low);
      break;
    case Support::at_least:
      text.value = "≥ " + duration_text(quantile.value);
      if (quantile.low.count() > 0) text.interval = duration_in_unit_of(quantile.low, quantile.value) + " or more";
      break;
    case Support::low:
    case Support::no_interval:
      text.value = "~" + duration_text(quantile.value);
      break;
    case Support::full:
      text.value = duration_text(quantile.value);
      break;
  }
  if (quantile.support == Support::full || quantile.support == Support::low) {
    const std::string low = duration_in_unit_of(quantile.low, quantile.value),
                      high = duration_in_unit_of(quantile.high, quantile.value);
    text.interval = low + "–" + high;
  }
  // What "≥" and "~" beside an interval mean is said once (signs_text): no note for each.
  if (!quantile.reason.empty() && quantile.support != Support::low && quantile.support != Support::lower_only &&
      quantile.support != Support::at_least)
    text.note = printable(quantile.reason);
  else if (quantile.support == Support::refused)
    text.note = "no request with a known duration";
  return text;
}

render::Cell quantile_cell(const model::Quantile& quantile) {
  QuantileText text = quantile_text(quantile);
  render::Cell cell(std::move(text.value));
  if (!text.interval.empty()) cell.below = {std::move(text.interval)};
  cell.note = std::move(text.note);
  cell.hint = exact_quantile_text(quantile);
  if (quantile.support != Support::full) cell.tone = render::Tone::care;
  const auto key = quantile.support == Support::lower_only ? quantile.low : quantile.value;
  cell.sort_key = quantile.support == Support::refused ? -1 : static_cast<double>(key.count());
  return cell;
}

render::Cell duration_cell(formats::Duration duration) {
  render::Cell cell(duration_text(duration));
  cell.hint = exact_text(duration);
  return cell;
}

std::string signs_text(const model::Study& study, model::Role role) {
  bool lower = false, low = false, open = false;
  for (const auto& route : study.routes) {
    if (route.role != role || route.count + route.other_failures == 0) continue;
    for (const auto* quantiles : {&route.latency, &route.first_byte})
      for (const auto& q : *quantiles) {
        lower |= q.support == Support::lower_only;
        low |= q.support == Support::low;
        open |= q.support == Support::at_least;
      }
  }
  std::string text;
  if (lower) text += "≥ lower bound (too few requests are slower). ";
  if (open)
    text +=
        "≥ above \"or more\": requests broke off or were cut off, and count with the time that they lasted at least. ";
  if (low) text += "~ rough estimate (fewer than ten independent requests are slower, or too many are in doubt).";
  if (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

std::string exact_quantile_text(const model::Quantile& quantile) {
  std::string text = quantile_name(quantile.q) + ": ";
  switch (quantile.support) {
    case Support::refused:
      text += "refused";
      break;
    case Support::no_interval:
      text += exact_text(quantile.value) + ", no interval";
      break;
    case Support::lower_only:
      text += "at least " + exact_text(quantile.low);
      break;
    case Support::at_least:
      text += "at least " + exact_text(quantile.value);
      if (quantile.low.count() > 0) text += ", 95 % interval from " + exact_text(quantile.low);
      break;
    default:
      text += exact_text(quantile.value) + ", 95 % interval " + exact_text(quantile.low) + " to " +
              exact_text(quantile.high);
  }
  if (quantile.effective_n > 0)
    text += ", worth " + count_text(static_cast<std::uint64_t>(std::min(quantile.effective_n, 1e18))) +
            " independent requests";
  if (!quantile.reason.empty()) text += "; " + printable(quantile.reason);
  return text;
}

}  // namespace tailcap::report

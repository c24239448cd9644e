// Labels by what one would do about them: one colour each, wherever they are drawn.
#pragma once

#include <cstdint>
#include <string_view>

#include "analyze/model/label.h"

namespace tailcap::model {

enum class LabelGroup : std::uint8_t {
  cpu,         // running
  scheduler,   // no CPU, throttled, stopped
  go_runtime,  // stopped or not run by Go's runtime
  lock,
  downstream,  // another service
  peer,        // the client, and the way to it
  queue,       // behind other requests
  io,          // files and disk
  memory,
  sleep,
  causeless,  // blocked, reason unknown
  unexplained,
  count_,
};
inline constexpr std::size_t kLabelGroups = static_cast<std::size_t>(LabelGroup::count_);

LabelGroup group_of(Label label);
std::string_view name_of(LabelGroup group);    // "scheduler"
std::string_view text_of(LabelGroup group);    // "waiting for a CPU, throttled, stopped"
std::string_view colour_of(LabelGroup group);  // "#rrggbb"

// Where a culprit with this label has no request, its number is one of the peers, from 1.
constexpr bool names_peer(Label label) {
  return label == Label::net_unknown_socket || label == Label::net_upload || label == Label::net_idle ||
         label == Label::send_sndbuf || (label >= Label::down_dns && label <= Label::down_h2fc);
}

}  // namespace tailcap::model

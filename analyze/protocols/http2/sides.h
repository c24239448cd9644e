// The two directions of a connection, and when what was moved took effect.
#pragma once

#include <cstddef>

#include "analyze/model/wire/message.h"
#include "analyze/protocols/http2/frame_reader.h"

namespace tailcap::protocols::http2 {

inline std::size_t index(model::Direction d) { return static_cast<std::size_t>(d); }
inline model::Direction other(model::Direction d) {
  return d == model::Direction::in ? model::Direction::out : model::Direction::in;
}
inline model::Time at(const Stamp& stamp) { return known(stamp.arrived) ? stamp.arrived : stamp.done; }

}  // namespace tailcap::protocols::http2

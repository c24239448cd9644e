// A connection with planted credentials passes the recorder's gate.
#pragma once

#include "tests/unit/capture/mask_case.h"
#include "tests/unit/formats/planted_streams.h"

namespace tailcap::capture::mask {

using namespace planted;

inline Trial passed(Wire wire, const Choices& choices) {
  return passed(wire, choices,
                [](bool late) { return Passage({}, late ? formats::Origin::existed : formats::Origin::accepted); });
}

}  // namespace tailcap::capture::mask

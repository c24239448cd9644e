// Times that may be unknown, compared: what is unknown comes after all that is known.
#pragma once

#include "formats/time.h"

namespace tailcap::causes {

inline formats::Time or_later(formats::Time t) { return formats::known(t) ? t : formats::kMaxTime; }

}  // namespace tailcap::causes

// HTTP/2 written and read by nghttp2.
#pragma once

#include "tests/unit/formats/planted_http2.h"

namespace tailcap::capture::mask {

using namespace planted;

}  // namespace tailcap::capture::mask

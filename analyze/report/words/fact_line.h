// A labelled line of a report.
#pragma once

#include "analyze/render/document.h"

namespace tailcap::report {

using render::Tone;
using FactLine = render::Facts::Line;  // label: "events", "clock", …

}  // namespace tailcap::report

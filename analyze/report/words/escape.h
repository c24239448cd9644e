// The names under which the report's files use what makes text from a capture harmless.
#pragma once

#include "analyze/render/escape.h"

namespace tailcap::report {

using formats::printable;
using render::columns;
using render::html;
using render::markdown;
using render::shell_word;
using render::shortened;

}  // namespace tailcap::report

// Which versions of V8 are read (bpf/event_v8.h), and how functions of JavaScript are written.
#pragma once

#include "capture/stacks/scripts/language.h"

namespace tailcap::capture::stacks {

extern const ScriptLanguage kV8Language;

}  // namespace tailcap::capture::stacks

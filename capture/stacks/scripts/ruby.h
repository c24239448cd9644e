// Where the fields lie in the structures of Ruby, by its version (bpf/event_ruby.h), and how its functions are written.
#pragma once

#include "capture/stacks/scripts/language.h"

namespace tailcap::capture::stacks {

extern const ScriptLanguage kRubyLanguage;

}  // namespace tailcap::capture::stacks

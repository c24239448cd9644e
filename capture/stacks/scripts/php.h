// Where the fields lie in the structures of PHP, by its version (bpf/event_php.h), and how its functions are written.
#pragma once

#include "capture/stacks/scripts/language.h"

namespace tailcap::capture::stacks {

extern const ScriptLanguage kPhpLanguage;

}  // namespace tailcap::capture::stacks

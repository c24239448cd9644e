// Which versions of HotSpot are read (bpf/event_hotspot.h), and how functions of Java are written.
#pragma once

#include "capture/stacks/scripts/language.h"

namespace tailcap::capture::stacks {

extern const ScriptLanguage kHotspotLanguage;

}  // namespace tailcap::capture::stacks

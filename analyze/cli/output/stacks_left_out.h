// What a command says where there were more stacks than are held in memory.
#pragma once

#include "analyze/views/flame/request_stacks.h"

namespace tailcap::cli {

void complain_of_stacks(const char* command, const views::RequestStacks& stacks);

}  // namespace tailcap::cli

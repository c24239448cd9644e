// Ends commands that run until a signal comes.
#pragma once

namespace tailcap::cli {

// It may take any processor time. From now on SIGINT and SIGTERM do not end the program: they ended_by_signal() says
// that one came.
void end_at_signals();
bool ended_by_signal();

}  // namespace tailcap::cli

// A subcommand of tailcap is one file NAME.cc that defines NAME_command::run; main.cc only looks it up.
//
// argv[0] is the subcommand's name. Returns the exit code (0 done, 1 failed, 2 bad usage, 3 done but data was lost
// or the capture was cut short, 4 undecided; of compare, assert and audit 3: a gate fails); throws for failures of the
// environment, which main prints once.
#pragma once

namespace tailcap::cli {

namespace assert_command {
int run(int argc, char** argv);
}
namespace audit_command {
int run(int argc, char** argv);
}
namespace baseline_command {
int run(int argc, char** argv);
}
namespace cardinality_command {
int run(int argc, char** argv);
}
namespace check_command {
int run(int argc, char** argv);
}
namespace compare_command {
int run(int argc, char** argv);
}
namespace complete_command {
int run(int argc, char** argv);
}
namespace cut_command {
int run(int argc, char** argv);
}
namespace diag_command {
int run(int argc, char** argv);
}
namespace diff_command {
int run(int argc, char** argv);
}
namespace events_command {
int run(int argc, char** argv);
}
namespace export_command {
int run(int argc, char** argv);
}
namespace flame_command {
int run(int argc, char** argv);
}
namespace fleet_command {
int run(int argc, char** argv);
}
namespace info_command {
int run(int argc, char** argv);
}
namespace mcp_command {
int run(int argc, char** argv);
}
namespace merge_command {
int run(int argc, char** argv);
}
namespace note_command {
int run(int argc, char** argv);
}
namespace open_command {
int run(int argc, char** argv);
}
namespace pack_command {
int run(int argc, char** argv);
}
namespace policy_command {
int run(int argc, char** argv);
}
namespace query_command {
int run(int argc, char** argv);
}
namespace recompress_command {
int run(int argc, char** argv);
}
namespace recover_command {
int run(int argc, char** argv);
}
namespace redact_command {
int run(int argc, char** argv);
}
namespace report_command {
int run(int argc, char** argv);
}
namespace requests_command {
int run(int argc, char** argv);
}
namespace scorecard_command {
int run(int argc, char** argv);
}
namespace show_command {
int run(int argc, char** argv);
}
namespace similar_command {
int run(int argc, char** argv);
}
namespace spans_command {
int run(int argc, char** argv);
}
namespace summarise_command {
int run(int argc, char** argv);
}
namespace symbolize_command {
int run(int argc, char** argv);
}
namespace timeline_command {
int run(int argc, char** argv);
}
namespace top_command {
int run(int argc, char** argv);
}
namespace topology_command {
int run(int argc, char** argv);
}
namespace tree_command {
int run(int argc, char** argv);
}
namespace watch_command {
int run(int argc, char** argv);
}

}  // namespace tailcap::cli

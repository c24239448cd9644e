// A subcommand of tailcap is one file NAME.cc that defines run_NAME; main.cc only looks it up.
//
// argv[0] is the subcommand's name. Returns the exit code (0 done, 1 failed, 2 bad usage, 3 done but data was lost
// or the capture was cut short, 4 undecided; of compare, assert and audit 3: a gate fails); throws for failures of the
// environment, which main prints once.
#pragma once

namespace tailcap::cli {

int run_assert(int argc, char** argv);
int run_audit(int argc, char** argv);
int run_check(int argc, char** argv);
int run_compare(int argc, char** argv);
int run_cut(int argc, char** argv);
int run_diag(int argc, char** argv);
int run_events(int argc, char** argv);
int run_export(int argc, char** argv);
int run_flame(int argc, char** argv);
int run_info(int argc, char** argv);
int run_merge(int argc, char** argv);
int run_note(int argc, char** argv);
int run_pack(int argc, char** argv);
int run_policy(int argc, char** argv);
int run_query(int argc, char** argv);
int run_recompress(int argc, char** argv);
int run_recover(int argc, char** argv);
int run_redact(int argc, char** argv);
int run_report(int argc, char** argv);
int run_requests(int argc, char** argv);
int run_show(int argc, char** argv);
int run_spans(int argc, char** argv);
int run_timeline(int argc, char** argv);
int run_topology(int argc, char** argv);
int run_tree(int argc, char** argv);
int run_watch(int argc, char** argv);

}  // namespace tailcap::cli

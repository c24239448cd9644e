// tailcap redact: a copy of a capture that can be given away.
#include "analyze/redact/redact.h"

#include <cstdio>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/read_options.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/redact/verify.h"
#include "analyze/render/document.h"
#include "analyze/report/json/indented.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/report/words/number.h"
#include "formats/file/marker.h"

namespace tailcap::cli::redact_command {
namespace {

using report::bytes_text;
using report::count_text;
using report::printable;

constexpr Definition kKey{"key", 0, "FILE",
                          "read the key of pseudonyms from FILE: pseudonyms are equal in all captures redacted with "
                          "it. Without it, the key is random and kept nowhere",
                          0};
constexpr Definition kDryRun{"dry-run", 0, nullptr,
                             "write nothing; show what would go and what would stay, with examples", 0};
constexpr Definition kVerify{"verify", 0, "OUT", "search the redacted capture OUT for everything that was replaced", 0};
constexpr Definition kAgainst{"against", 0, "IN", "with --verify: the original capture", 0};

constexpr const char* kNotes =
    R"(Times, sizes, ids and labels survive: a report of OUT has the figures of one of IN. Pseudonyms are equal where the
originals are. --verify exits with 1 if anything is found. An empty or damaged result is an error, and is removed.

examples:
  tailcap redact slow.tcap give-away.tcap --level strict
  tailcap redact slow.tcap --dry-run
  tailcap redact --verify give-away.tcap --against slow.tcap
)";

void print_json(const redact::Verification& v) {
  std::string out;
  report::JsonWriter json(out);
  json.begin_object();
  json.field("schema", report::kJsonSchema);
  json.field("ok", v.leaks == 0);
  json.field("originals", v.originals);
  json.field("also_kept", v.also_kept);
  json.field("events", v.events);
  json.field("file_bytes", v.file_bytes);
  json.field("leaks", v.leaks);
  json.key("examples");
  json.begin_array();
  for (const auto& leak : v.examples) {
    json.begin_object();
    json.field("original", leak.original);
    json.field("place", leak.place);
    json.field("form", leak.form);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  std::puts(report::indented(out).c_str());
}

int print_verification(const redact::Verification& v, const std::string& out, bool json) {
  if (json) {
    print_json(v);
    return v.leaks == 0 ? kDone : kFailed;
  }
  for (const auto& leak : v.examples)
    std::printf("FOUND in %s, %s: %s\n", leak.place.c_str(), leak.form.c_str(), printable(leak.original).c_str());
  std::printf(
      "%s: %s of 8 and more characters searched for in %s, in the preamble and in %s of the file, also decompressed: "
      "as "
      "they were, in other capitals, in parts of 12 characters, percent-encoded, in hexadecimal, base64 and Huffman "
      "code: %s\n",
      printable(out).c_str(), count_text(v.originals, "replaced word", "replaced words").c_str(),
      count_text(v.events, "event", "events").c_str(), bytes_text(v.file_bytes).c_str(),
      v.leaks == 0 ? "none found" : (count_text(v.leaks, "time", "times") + " FOUND").c_str());
  if (v.also_kept > 0)
    std::printf("%s also stand where the rules keep them\n",
                count_text(v.also_kept, "of the words does", "of the words do").c_str());
  return v.leaks == 0 ? kDone : kFailed;
}

void print_json(const redact::RedactionResult& result, const redact::RedactionOptions& options) {
  std::string out;
  report::JsonWriter json(out);
  json.begin_object();
  json.field("schema", report::kJsonSchema);
  json.field("written", !options.out.empty());
  json.key("out");
  json.text_or_null(options.out);
  json.field("level", result.level);
  json.field("policy", result.policy_hash);
  json.field("events", result.events);
  json.field("file_bytes", result.file_bytes);
  json.field("withheld_bytes", result.withheld.withheld);
  json.key("fields");
  json.begin_array();
  for (const auto& [name, change] : result.fields) {
    json.begin_object();
    json.field("field", name);
    json.field("values", change.values);
    json.field("changed", change.changed);
    json.field("bytes", change.bytes);
    json.field("bytes_left", change.left);
    if (options.out.empty() && !change.before.empty()) {
      json.field("before", change.before);
      json.field("after", change.after);
    }
    json.end_object();
  }
  json.end_array();
  json.end_object();
  std::puts(report::indented(out).c_str());
}

void print_text(const redact::RedactionResult& result, const redact::RedactionOptions& options) {
  using Kind = render::Column::Kind;
  render::Table table;
  table.columns = {{"field", Kind::word}, {"values"}, {"changed"}, {"bytes"}, {"left"}};
  const bool examples = options.out.empty();
  for (const auto& [name, change] : result.fields)
    table.rows.push_back({{name, count_text(change.values), count_text(change.changed), bytes_text(change.bytes),
                           bytes_text(change.left)}});
  render::Document out;
  out.add(std::move(table));
  std::fputs(render::to_text(out, 120).c_str(), stdout);
  if (examples) {
    std::puts("");
    for (const auto& [name, change] : result.fields)
      if (!change.before.empty())
        std::printf("%s: %s -> %s\n", name.c_str(), printable(change.before).c_str(),
                    change.after.empty() ? "nothing" : printable(change.after).c_str());
  }
  if (result.withheld.withheld > 0)
    std::printf("\n%s of payload were withheld: on %s the meaning of bytes could not be proved\n",
                bytes_text(result.withheld.withheld).c_str(),
                count_text(result.withheld.doubtful, "connection", "connections").c_str());
  if (options.out.empty())
    std::printf("\nNothing was written. Level %s, policy %s\n", result.level.c_str(), result.policy_hash.c_str());
  else
    std::printf("\n%s: %s, %s; level %s, policy %s\n", printable(options.out).c_str(),
                count_text(result.events, "event", "events").c_str(), bytes_text(result.file_bytes).c_str(),
                result.level.c_str(), result.policy_hash.c_str());
}

}  // namespace

int run(int argc, char** argv) {
  redact::RedactionOptions options;
  std::string level, policy, key, verify, against, format;
  bool dry_run = false;
  CommandLine line(
      "redact",
      "tailcap redact makes a copy of a capture that can be given away: nothing is left in it but what its "
      "rules allow. All other commands read it like any capture.");
  line.word("IN", options.in, nullptr);
  line.word("OUT.tcap", options.out, nullptr);
  line.choice(option::kLevel, level, {"default", "strict"});
  line.option(option::kPolicy, &policy, "read the level, and what differs from it, from FILE (YAML; docs/redact.md)");
  line.option(kKey, &key);
  line.option(kDryRun, &dry_run);
  line.option(option::kForce, &options.force);
  line.group("Is nothing left?");
  line.option(kVerify, &verify);
  line.option(kAgainst, &against);
  line.format(format, {"text", "json"}, nullptr, "of what was done");
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  if (!policy.empty() && line.given(option::kLevel))
    return wrong_usage(argv[0], "a policy file names its level; leave out --level");
  if (!policy.empty())
    options.policy = redact::RedactionPolicy::from_file(policy);
  else if (level == "strict")
    options.policy = redact::RedactionPolicy(redact::RedactionLevel::strict);
  if (verify.empty() != against.empty()) return wrong_usage(argv[0], "--verify OUT and --against IN belong together");
  if (!verify.empty()) {
    if (!options.in.empty()) return wrong_usage(argv[0], "--verify writes nothing; leave out " + printable(options.in));
    if (policy.empty() && !line.given(option::kLevel) && formats::marker_of(verify).strict)
      options.policy = redact::RedactionPolicy(redact::RedactionLevel::strict);
    return print_verification(redact::verify(verify, against, options.policy), verify, format == "json");
  }
  if (options.in.empty()) return wrong_usage(argv[0], "no file given");
  if (options.out.empty() != dry_run)
    return wrong_usage(argv[0], dry_run ? "--dry-run writes nothing; leave out OUT" : "no output given: redact IN OUT");
  options.threads = threads_from_environment();
  if (!key.empty()) options.key = redact::key_from_file(key);
  const redact::RedactionResult result = redact::redact(options);
  if (format == "json")
    print_json(result, options);
  else
    print_text(result, options);
  return exit_code(result.in, "redact");
}

}  // namespace tailcap::cli::redact_command

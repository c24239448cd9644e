#include "capture/options/given.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <string_view>

#include "formats/nearest.h"

namespace tailcap::capture {

namespace po = boost::program_options;

Given::Given(int argc, char** argv) {
  po::options_description known;
  auto add = known.add_options();
  add("pid,p", po::value<Texts>()->multitoken())("cgroup", po::value<std::string>())("comm", po::value<Texts>())(
      "port", po::value<Texts>());
  add("all,a", "")("duration,d", po::value<std::string>())("output,o", po::value<std::string>())("force", "")(
      "pack", po::value<std::string>())("yes", "")("last", po::value<std::string>())(
      "rotate", po::value<std::string>())("files", po::value<std::string>());
  add("max-size", po::value<std::string>())("payload", po::value<std::string>())("note", po::value<Texts>());
  add("no-probe", po::value<Texts>())("tls", po::value<std::string>());
  add("unsafe-headers", "")("payload-raw", "")("keep-header", po::value<Texts>())("keep-query", po::value<Texts>())(
      "keep-arguments", "")("keep-statements", "")("keep-keys", "")("list-headers", "");
  add("only", po::value<Texts>())("add", po::value<Texts>())("profile", po::value<std::string>())(
      "sample", po::value<std::string>())("sample-connections", po::value<std::string>())(
      "sample-seed", po::value<std::string>())("sample-varies", "")("budget", po::value<std::string>())(
      "stacks", po::value<std::string>()->implicit_value("on", ""))("no-stacks", "")("no-sample", "")(
      "long-wait", po::value<std::string>())("list", "")("list-probes", "");
  add("slow-file", po::value<std::string>())("slow-io", po::value<std::string>());
  add("name", po::value<Texts>())("service", po::value<Texts>())("container", po::value<Texts>())("unit",
                                                                                                  po::value<Texts>());
  add("user", po::value<std::string>())("ready-fd", po::value<std::string>());
  add("tier", po::value<std::string>())("ring", po::value<std::string>())("rings", po::value<std::string>())(
      "dry-run", "")("timings", "")("verifier-log", "");
  add("help,h", "")("version", "");
  try {
    po::command_line_parser parser(argc, argv);
    // Whole names only: an abbreviation that works today is ambiguous tomorrow.
    parser.options(known).positional({}).style(po::command_line_style::unix_style &
                                               ~po::command_line_style::allow_guessing);
    po::store(parser.run(), values_);
  } catch (const po::unknown_option& e) {
    std::vector<std::string> long_names;
    for (const auto& option : known.options()) long_names.push_back(option->long_name());
    const std::vector<std::string_view> names(long_names.begin(), long_names.end());
    const std::string given_name = e.get_option_name();
    const std::string word = given_name.substr(std::min(given_name.find_first_not_of('-'), given_name.size()));
    throw UsageError(e.what() + (given_name.size() > 2 ? formats::suggestion(word, names, "--") : std::string()));
  } catch (const po::invalid_command_line_syntax& e) {
    // pidof and pgrep print nothing where no process has the name.
    if (e.kind() == po::invalid_syntax::missing_parameter &&
        (e.get_option_name() == "--pid" || e.get_option_name() == "-p"))
      throw UsageError(
          "-p needs a process id, and there is none: --service NAME finds a service by its script, program, unit or "
          "container");
    throw UsageError(e.what());
  } catch (const po::too_many_positional_options_error&) {
    throw UsageError("an argument belongs to no option; a command to record comes after --");
  } catch (const po::error& e) {
    throw UsageError(e.what());
  }
}

}  // namespace tailcap::capture

#include "analyze/commands/file_arguments.h"

#include <boost/program_options.hpp>
#include <cstdio>

namespace po = boost::program_options;

namespace tailcap::commands {

FileArguments parse_file_arguments(int argc, char** argv, const char* help, std::size_t files, Switches switches) {
  FileArguments arguments;
  const std::string command = argv[0];
  po::options_description options;
  options.add_options()("help,h", "")("file", po::value(&arguments.files));
  if (switches == Switches::json) options.add_options()("json", po::bool_switch(&arguments.json));
  if (switches == Switches::force) options.add_options()("force", po::bool_switch(&arguments.force));
  po::positional_options_description positional;
  positional.add("file", -1);
  const auto wrong = [&](const std::string& why) {
    std::fprintf(stderr, "tailcap %s: %s. `tailcap %s --help` shows what it takes.\n", command.c_str(), why.c_str(),
                 command.c_str());
    arguments.exit = 2;
    return arguments;
  };
  try {
    using namespace po::command_line_style;
    po::variables_map values;
    const auto style = unix_style & ~allow_guessing;
    po::store(po::command_line_parser(argc, argv).options(options).positional(positional).style(style).run(), values);
    if (values.count("help") > 0) {
      std::fputs(help, stdout);
      arguments.exit = 0;
      return arguments;
    }
    po::notify(values);
  } catch (const po::error& e) {
    return wrong(e.what());
  }
  if (arguments.files.size() < files)
    return wrong(files == 1 ? "no file given" : "two files are needed, the damaged one and the one to write");
  if (arguments.files.size() > files) return wrong("unexpected argument '" + arguments.files[files] + "'");
  return arguments;
}

}  // namespace tailcap::commands

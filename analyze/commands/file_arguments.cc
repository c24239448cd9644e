#include "analyze/commands/file_arguments.h"

#include <boost/program_options.hpp>
#include <cstdio>

namespace po = boost::program_options;

namespace tailcap::commands {

int wrong_usage(const char* command, const std::string& why) {
  std::fprintf(stderr, "tailcap %s: %s. `tailcap %s --help` shows what it takes.\n", command, why.c_str(), command);
  return 2;
}

FileArguments parse_file_arguments(int argc, char** argv, const char* help, std::initializer_list<const char*> missing,
                                   std::initializer_list<Switch> switches) {
  FileArguments arguments;
  std::vector<std::string>& words = arguments.words;
  po::options_description options;
  options.add_options()("help,h", "")("word", po::value(&words));
  for (const Switch& s : switches) options.add_options()(s.name, po::bool_switch(&s.on));
  po::positional_options_description positional;
  positional.add("word", -1);
  const auto wrong = [&](const std::string& why) {
    arguments.exit = wrong_usage(argv[0], why);
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
  if (words.size() < missing.size()) return wrong(missing.begin()[words.size()]);
  if (words.size() > missing.size()) return wrong("unexpected argument '" + words[missing.size()] + "'");
  return arguments;
}

}  // namespace tailcap::commands

#include "analyze/cli/options/file_arguments.h"

#include <boost/program_options.hpp>
#include <cstdio>

#include "analyze/cli/output/complain.h"
#include "analyze/report/escape.h"
#include "formats/printable.h"

namespace po = boost::program_options;

namespace tailcap::cli {

int wrong_usage(const char* command, const std::string& why) {
  complain(command, why + ". `tailcap " + command + " --help` shows what it takes.");
  return 2;
}

FileArguments parse_file_arguments(int argc, char** argv, const char* help, std::initializer_list<const char*> missing,
                                   std::initializer_list<Option> options, MoreWords more) {
  FileArguments arguments;
  std::vector<std::string>& words = arguments.words;
  po::options_description described;
  described.add_options()("help,h", "")("word", po::value(&words));
  for (const Option& option : options) {
    if (bool* const* on = std::get_if<bool*>(&option.target))
      described.add_options()(option.name, po::bool_switch(*on));
    else if (std::string* const* text = std::get_if<std::string*>(&option.target))
      described.add_options()(option.name, po::value(*text));
    else
      described.add_options()(option.name, po::value(std::get<std::vector<std::uint32_t>*>(option.target)));
  }
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
    po::store(po::command_line_parser(argc, argv).options(described).positional(positional).style(style).run(), values);
    if (values.count("help") > 0) {
      std::fputs(help, stdout);
      arguments.exit = 0;
      return arguments;
    }
    po::notify(values);
  } catch (const po::error& e) {
    return wrong(formats::printable(e.what()));
  }
  if (words.size() < missing.size()) return wrong(missing.begin()[words.size()]);
  if (words.size() > missing.size() && more == MoreWords::refused)
    return wrong("unexpected argument '" + report::printable(words[missing.size()]) + "'");
  return arguments;
}

}  // namespace tailcap::cli

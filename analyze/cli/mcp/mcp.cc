// tailcap mcp: questions about captures over the Model Context Protocol, on standard input and output.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/mcp/tools.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/output/child.h"
#include "analyze/cli/output/exit_code.h"
#include "formats/bounds/process_bounds.h"

namespace tailcap::cli::mcp_command {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kAbout =
    "tailcap mcp answers programs over the Model Context Protocol (JSON-RPC, one message a line, on standard input and "
    "output): what was slow and why, requests, trees, SQL. It only reads captures; it writes no file.";

constexpr const char* kNotes =
    R"(Each answer has at most max_bytes (default 12000) and says what was left out.

examples:
  tailcap mcp
  claude mcp add tailcap -- tailcap mcp
)";

constexpr const char* kVersion = "2025-06-18";  // of the protocol
constexpr std::size_t kLongestLine = 1u << 20;
constexpr int kDeepest = 16;
constexpr std::int64_t kBytes = 12'000, kMostBytes = 200'000;
enum Failure : int { kNoJson = -32700, kNoRequest = -32600, kNoMethod = -32601, kWrongArguments = -32602 };

// What a client did wrong.
struct Refusal : std::runtime_error {
  Failure code;
  Refusal(Failure why, const std::string& says) : std::runtime_error(says), code(why) {}
};

Json schema_of(const Tool& tool) {
  Json properties = Json::object(), needed = Json::array();
  for (const ToolArgument& argument : tool.arguments) {
    Json one = {{"description", argument.says}};
    switch (argument.type) {
      case ToolArgument::Type::text:
        one["type"] = "string";
        break;
      case ToolArgument::Type::number:
        one["type"] = "integer";
        one["minimum"] = 1;
        break;
      case ToolArgument::Type::texts:
        one["type"] = "array";
        one["items"] = {{"type", "string"}};
        break;
    }
    properties[std::string(argument.name)] = one;
    if (argument.needed) needed.push_back(argument.name);
  }
  properties["max_bytes"] = {{"type", "integer"},
                             {"minimum", 1},
                             {"maximum", kMostBytes},
                             {"description", "bytes of the answer at most (default 12000)"}};
  return {{"type", "object"}, {"properties", properties}, {"required", needed}, {"additionalProperties", false}};
}

Json listed() {
  Json all = Json::array();
  for (const Tool& tool : tools())
    all.push_back({{"name", tool.name},
                   {"description", tool.says},
                   {"inputSchema", schema_of(tool)},
                   {"annotations", {{"readOnlyHint", true}}}});
  return {{"tools", all}};
}

// A word that cannot be taken for an option.
std::string word_of(const Json& value, std::string_view name) {
  if (!value.is_string()) throw Refusal(kWrongArguments, std::string(name) + " is a text");
  std::string text = value.get<std::string>();
  if (text.empty() || text.front() == '-' || text.find('\0') != text.npos)
    throw Refusal(kWrongArguments, std::string(name) + " cannot be empty, begin with - or hold a NUL");
  return text;
}

void add(std::vector<std::string>& words, const ToolArgument& argument, const Json& value) {
  if (argument.type == ToolArgument::Type::texts) {
    if (!value.is_array() || value.empty())
      throw Refusal(kWrongArguments, std::string(argument.name) + " is a list of texts");
    if (!argument.option.empty()) words.emplace_back(argument.option);
    for (const Json& one : value) words.push_back(word_of(one, argument.name));
    return;
  }
  std::string text;
  if (argument.type == ToolArgument::Type::number) {
    if (!value.is_number_integer() || value.get<std::int64_t>() < 1)
      throw Refusal(kWrongArguments, std::string(argument.name) + " is a number from 1 on");
    text = std::to_string(value.get<std::int64_t>());
  } else {
    text = word_of(value, argument.name);
  }
  if (!argument.option.empty()) words.emplace_back(argument.option);
  words.push_back(std::move(text));
}

std::vector<std::string> command_of(const Tool& tool, const Json& given) {
  std::vector<std::string> words(tool.command.begin(), tool.command.end());
  for (const auto& [name, value] : given.items())
    if (name != "max_bytes" && std::ranges::none_of(tool.arguments, [&](const auto& a) { return a.name == name; }))
      throw Refusal(kWrongArguments, "there is no argument " + name);
  for (const ToolArgument& argument : tool.arguments) {
    const auto found = given.find(argument.name);
    if (found != given.end())
      add(words, argument, *found);
    else if (argument.needed)
      throw Refusal(kWrongArguments, std::string(argument.name) + " is needed");
  }
  return words;
}

std::size_t bytes_of(const Json& given) {
  const auto found = given.find("max_bytes");
  if (found == given.end()) return kBytes;
  if (!found->is_number_integer() || found->get<std::int64_t>() < 1)
    throw Refusal(kWrongArguments, "max_bytes is a number from 1 on");
  return static_cast<std::size_t>(std::min(found->get<std::int64_t>(), kMostBytes));
}

// This program, for one question. Returns where it cannot be executed.
int become_tailcap(std::vector<std::string> words) {
  std::string program = "tailcap";
  std::vector<char*> arguments = {program.data()};
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
  execv("/proc/self/exe", arguments.data());
  return kFailed;
}

Json called(const Json& parameters) {
  const std::string name = parameters.is_object() ? parameters.value("name", std::string()) : std::string();
  const auto tool = std::ranges::find(tools(), name, &Tool::name);
  if (tool == tools().end()) throw Refusal(kWrongArguments, "there is no tool '" + name + "'");
  const Json given = parameters.value("arguments", Json::object());
  if (!given.is_object()) throw Refusal(kWrongArguments, "arguments is an object");
  const std::vector<std::string> words = command_of(*tool, given);
  const ChildAnswer answer = run_child([&] { return become_tailcap(words); }, bytes_of(given));
  std::string text = answer.text;
  if (answer.left_out > 0)
    text += "[" + std::to_string(answer.left_out) + " bytes more: narrow the question, or raise max_bytes]\n";
  if (!answer.messages.empty()) text += (text.empty() ? "" : "\n") + answer.messages;
  return {{"content", Json::array({{{"type", "text"}, {"text", text}}})},
          {"isError", answer.code == kFailed || answer.code == kBadUsage}};
}

Json result_of(const std::string& method, const Json& parameters) {
  if (method == "initialize")
    return {{"protocolVersion", kVersion},
            {"capabilities", {{"tools", Json::object()}}},
            {"serverInfo", {{"name", "tailcap"}, {"version", TAILCAP_VERSION}}},
            {"instructions",
             "Captures (.tcap) hold a service's requests and what its threads did meanwhile. Ask report first, then "
             "show for one request; query for anything else. What the capture does not hold is unknown, not false."}};
  if (method == "ping") return Json::object();
  if (method == "tools/list") return listed();
  if (method == "tools/call") return called(parameters);
  throw Refusal(kNoMethod, "there is no method '" + method + "'");
}

Json error_of(const Json& id, Failure code, const std::string& says) {
  return {{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", static_cast<int>(code)}, {"message", says}}}};
}

// Unset: a notification, which has no answer.
std::optional<Json> answer(const std::string& line) {
  bool deep = false;
  const Json message = Json::parse(
      line,
      [&](int depth, Json::parse_event_t, Json&) {
        deep = deep || depth > kDeepest;
        return depth <= kDeepest;
      },
      false);
  if (message.is_discarded() || deep) return error_of(nullptr, kNoJson, "a line is one message of JSON");
  if (!message.is_object() || !message.contains("method") || !message["method"].is_string())
    return error_of(nullptr, kNoRequest, "a message is an object with a method");
  if (!message.contains("id")) return std::nullopt;
  const Json& id = message["id"];
  try {
    const Json result = result_of(message["method"].get<std::string>(), message.value("params", Json::object()));
    return Json{{"jsonrpc", "2.0"}, {"id", id}, {"result", result}};
  } catch (const Refusal& why) {
    return error_of(id, why.code, why.what());
  } catch (const Json::exception& why) {
    return error_of(id, kWrongArguments, why.what());
  }
}

// A line without its end. Beyond the bound, the rest of it is left out. False: there is none.
bool read_line(std::string& line, bool& whole) {
  line.clear();
  whole = true;
  for (int c = std::getchar(); c != EOF; c = std::getchar()) {
    if (c == '\n') return true;
    if (line.size() < kLongestLine)
      line += static_cast<char>(c);
    else
      whole = false;
  }
  return !line.empty();
}

}  // namespace

int run(int argc, char** argv) {
  CommandLine line("mcp", kAbout);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  formats::without_processor_limit();
  std::string text;
  for (bool whole = true; read_line(text, whole);) {
    if (text.empty()) continue;
    const std::optional<Json> out = whole ? answer(text) : error_of(nullptr, kNoRequest, "a message has at most 1 MiB");
    if (!out) continue;
    std::puts(out->dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
    std::fflush(stdout);
  }
  return kDone;
}

}  // namespace tailcap::cli::mcp_command

// tailcap-load: HTTP/1.1 load with a known truth, open or closed loop (worker.h says what that means).
//
// --log FILE gets one JSON line per request, times in CLOCK_MONOTONIC, bytes of bodies after transfer decoding:
//   {"id":…,"method":…,"path":…,"status":…,"request_bytes":…,"response_bytes":…,
//    "due_ns":…,"sent_ns":…,"first_byte_ns":…,"done_ns":…,"error":null}
// A failed request has its error as text, and status 0 when no status came.
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <boost/program_options.hpp>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "samples/load/worker.h"

namespace {

using namespace tailcap::samples;
namespace po = boost::program_options;

void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (const int error = pthread_setaffinity_np(pthread_self(), sizeof set, &set); error != 0)
    throw std::system_error(error, std::generic_category(), "cannot run on CPU " + std::to_string(cpu));
}

LoadResult run_all(const LoadPlan& plan, unsigned threads, int cpu) {
  std::vector<LoadPlan> plans(threads, plan);
  std::vector<LoadResult> results(threads);
  std::vector<std::exception_ptr> failures(threads);
  std::vector<std::thread> running;
  for (unsigned i = 0; i < threads; ++i) {
    const auto share = [&](std::uint64_t all) { return all / threads + (i < all % threads ? 1 : 0); };
    plans[i].connections = static_cast<unsigned>(share(plan.connections));
    plans[i].rate = plan.rate / threads;
    plans[i].requests = share(plan.requests);
    plans[i].seed = plan.seed + i;
    if (threads > 1) plans[i].id_prefix += std::to_string(i) + "-";
    running.emplace_back([&, i] {
      try {
        if (cpu >= 0) pin(cpu);
        results[i] = run_load(plans[i]);
      } catch (...) {
        failures[i] = std::current_exception();
      }
    });
  }
  for (auto& t : running) t.join();
  for (const auto& failure : failures)
    if (failure) std::rethrow_exception(failure);

  LoadResult all = std::move(results[0]);
  for (unsigned i = 1; i < threads; ++i) {
    const LoadResult& r = results[i];
    all.latency.add(r.latency);
    all.done += r.done;
    all.failed += r.failed;
    all.status_4xx += r.status_4xx;
    all.status_5xx += r.status_5xx;
    all.bytes += r.bytes;
    all.connects += r.connects;
    all.not_sent += r.not_sent;
    all.begin_ns = std::min(all.begin_ns, r.begin_ns);
    all.end_ns = std::max(all.end_ns, r.end_ns);
    all.log += r.log;
  }
  return all;
}

void print(const LoadResult& r, bool json) {
  const double seconds = static_cast<double>(r.end_ns - r.begin_ns) / 1e9;
  const double rate = static_cast<double>(r.done) / seconds;
  const auto us = [&](double q) { return static_cast<double>(r.latency.quantile(q)) / 1e3; };
  const auto n = [](std::uint64_t v) { return static_cast<unsigned long long>(v); };
  if (json) {
    std::printf(
        R"({"requests":%llu,"failed":%llu,"not_sent":%llu,"status_4xx":%llu,"status_5xx":%llu,"connections":%llu,"seconds":%.6f,"per_second":%.1f,"bytes":%llu,)"
        R"("mean_us":%.1f,"p50_us":%.1f,"p90_us":%.1f,"p99_us":%.1f,"p999_us":%.1f,"max_us":%.1f})"
        "\n",
        n(r.done), n(r.failed), n(r.not_sent), n(r.status_4xx), n(r.status_5xx), n(r.connects), seconds, rate,
        n(r.bytes), r.latency.mean() / 1e3, us(0.5), us(0.9), us(0.99), us(0.999),
        static_cast<double>(r.latency.max()) / 1e3);
    return;
  }
  std::printf("%llu requests in %.2f s (%.0f/s), %llu failed, %llu never sent, %llu 4xx, %llu 5xx, %.1f MB received\n",
              n(r.done), seconds, rate, n(r.failed), n(r.not_sent), n(r.status_4xx), n(r.status_5xx),
              static_cast<double>(r.bytes) / 1e6);
  std::printf("latency in ms: mean %.3f  p50 %.3f  p90 %.3f  p99 %.3f  p99.9 %.3f  max %.3f\n", r.latency.mean() / 1e6,
              us(0.5) / 1e3, us(0.9) / 1e3, us(0.99) / 1e3, us(0.999) / 1e3,
              static_cast<double>(r.latency.max()) / 1e6);
}

}  // namespace

int main(int argc, char** argv) {
  LoadPlan plan;
  std::string url, log;
  std::vector<std::string> routes, headers;
  double duration = 0, timeout = 10;
  unsigned threads = 1;
  int cpu = -1;
  po::options_description options(
      "usage: tailcap-load [OPTION]... http://HOST:PORT | unix:PATH\n"
      "HTTP/1.1 load with a known truth. With --rate requests fall due at fixed times and latency counts from then;\n"
      "without, each connection sends its next request when the last is answered.\n\noptions");
  options.add_options()("help,h", "this text")                                                                   //
      ("rate,r", po::value(&plan.rate)->default_value(0), "requests a second; 0: closed loop")                   //
      ("connections,c", po::value(&plan.connections)->default_value(8), "keep-alive connections")                //
      ("threads,t", po::value(&threads)->default_value(1), "threads that share connections, rate and requests")  //
      ("duration,d", po::value(&duration)->default_value(0), "seconds")                                          //
      ("requests,n", po::value(&plan.requests)->default_value(0), "stop after N requests; 0: do not")            //
      ("timeout", po::value(&timeout)->default_value(10), "seconds until an answer counts as failed")            //
      ("per-connection", po::value(&plan.requests_per_connection)->default_value(0),
       "requests before reconnecting; 0: any number")  //
      ("route", po::value(&routes),
       "'WEIGHT METHOD /PATH [BODYBYTES]', repeatable; {n} a number, {w} a word; default: the sample service's")  //
      ("header", po::value(&headers), "'NAME: VALUE' for every request, repeatable")                              //
      ("id", po::value(&plan.id_prefix)->default_value("load-"), "prefix of the x-request-id of every request")   //
      ("seed", po::value(&plan.seed)->default_value(1), "same seed, same requests")                               //
      ("cpu", po::value(&cpu), "run on this CPU only")                                                            //
      ("log", po::value(&log), "write one JSON line per request")                                                 //
      ("json", "the summary as JSON")                                                                             //
      ("url", po::value(&url), "the target; also without --url");
  po::positional_options_description positional;
  positional.add("url", 1);
  try {
    po::variables_map given;
    po::store(po::command_line_parser(argc, argv).options(options).positional(positional).run(), given);
    po::notify(given);
    if (given.count("help")) {
      std::cout << options;
      return 0;
    }
    if (url.empty()) throw po::error("no target given");
    if (duration <= 0 && plan.requests == 0) throw po::error("say when to end: --duration or --requests");
    if (threads < 1 || plan.connections < threads) throw po::error("each thread needs a connection");
    plan.target = Target::parse(url);
    plan.templates = routes.empty() ? shop_mix() : std::vector<Template>{};
    for (const auto& r : routes) plan.templates.push_back(parse_template(r));
    for (const auto& h : headers) plan.more_headers += h + "\r\n";
    plan.duration_ns = static_cast<std::int64_t>(duration * 1e9);
    plan.timeout_ns = static_cast<std::int64_t>(timeout * 1e9);
    plan.log = !log.empty();
    const LoadResult result = run_all(plan, threads, cpu);
    if (!log.empty() && !(std::ofstream(log) << result.log << std::flush))
      throw std::runtime_error("cannot write " + log);
    print(result, given.count("json") > 0);
    return result.failed == 0 ? 0 : 3;
  } catch (const po::error& e) {
    std::cerr << "tailcap-load: " << e.what() << "; --help lists the options\n";
    return 2;
  } catch (const std::exception& e) {
    std::cerr << "tailcap-load: " << e.what() << "\n";
    return 1;
  }
}

#include "capture/targets/service_name.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace tailcap::capture::targets {
namespace {

std::string name(std::string executable, std::initializer_list<std::string> words, std::string comm = {}) {
  std::string arguments;
  for (const auto& word : words) arguments += (arguments.empty() ? "" : std::string(1, '\0')) + word;
  if (comm.empty()) comm = executable.substr(executable.rfind('/') + 1).substr(0, 15);
  return service_name({executable, arguments, comm}).text;
}
const std::string kPython = "/usr/bin/python3.11", kNode = "/usr/bin/node", kJava = "/usr/lib/jvm/17/bin/java",
                  kRuby = "/usr/bin/ruby3.1", kPhp = "/usr/bin/php8.2", kShell = "/usr/bin/bash";

TEST(ServiceName, OfPythonIsItsScriptOrModule) {
  EXPECT_EQ(name(kPython, {"python3", "/srv/shop/app.py", "--port", "80"}), "app.py");
  EXPECT_EQ(name(kPython, {"python3", "-u", "-W", "ignore", "-X", "dev", "app.py"}), "app.py");
  EXPECT_EQ(name(kPython, {"python3", "-uB", "-Wignore", "app.py"}), "app.py");
  EXPECT_EQ(name(kPython, {"python3", "-m", "http.server", "80"}), "http.server");
  EXPECT_EQ(name(kPython, {"python3", "-um", "http.server"}), "http.server");
  EXPECT_EQ(name(kPython, {"python3", "/srv/shop/__main__.py"}), "shop");
  EXPECT_EQ(name("/usr/bin/python3.13t", {"python3", "app.py"}), "app.py");
  EXPECT_EQ(name("/usr/bin/python3.11 (deleted)", {"python3", "app.py"}, "python3"), "app.py");
}

TEST(ServiceName, OfACommandInAnArgumentIsNotKnown) {
  EXPECT_EQ(name(kPython, {"python3", "-c", "password='x'; app.py"}), "");
  EXPECT_EQ(name(kPython, {"python3", "-"}), "");
  EXPECT_EQ(name(kPython, {"python3"}), "");
  EXPECT_EQ(name(kPython, {}), "");
  EXPECT_EQ(name(kShell, {"bash", "-xec", "secret"}), "");
  EXPECT_EQ(name(kNode, {"node", "-e", "secret"}), "");
  EXPECT_EQ(name(kNode, {"node", "--eval=secret", "x.js"}), "");
  EXPECT_EQ(name("/usr/bin/perl", {"perl", "-lane", "secret"}), "");
  EXPECT_EQ(name(kRuby, {"ruby", "-e", "secret"}), "");
  EXPECT_EQ(name(kPhp, {"php", "-r", "secret"}), "");
}

TEST(ServiceName, OfAKnownServerHasItsApplication) {
  EXPECT_EQ(name(kPython, {"python3", "-m", "gunicorn", "-w", "4", "-b", "127.0.0.1:80", "app:app"}),
            "gunicorn app:app");
  EXPECT_EQ(name(kPython, {"/usr/bin/python3", "/usr/local/bin/gunicorn", "shop.wsgi"}, "gunicorn"),
            "gunicorn shop.wsgi");
  EXPECT_EQ(name(kPython, {"/usr/bin/python3", "/usr/local/bin/gunicorn", "-k", "gevent", "shop.wsgi"}, "gunicorn"),
            "gunicorn shop.wsgi");
  EXPECT_EQ(name(kPython, {"python3", "-m", "uvicorn", "--reload", "shop.main:create()"}),
            "uvicorn shop.main:create()");
  EXPECT_EQ(name(kPython, {"gunicorn: master [shop:app]"}, "gunicorn: maste"), "gunicorn shop:app");
  EXPECT_EQ(name(kPython, {"python3", "-m", "gunicorn", "-c", "conf.py"}), "gunicorn");
}

TEST(ServiceName, HasNoValueOfAnOption) {
  EXPECT_EQ(name(kPython, {"python3", "-m", "uvicorn", "--header", "token:s3cret", "app:app"}), "uvicorn app:app");
  EXPECT_EQ(name(kPython, {"python3", "-m", "gunicorn", "--user", "secret", "-b", ":80"}), "gunicorn");
  EXPECT_EQ(name(kPython, {"python3", "client.py", "--password", "secret"}), "client.py");
  EXPECT_EQ(name(kJava, {"java", "-Dkey=secret", "-cp", "a.jar:b.jar", "shop.Main", "secret"}), "shop.Main");
}

TEST(ServiceName, OfOtherLanguages) {
  EXPECT_EQ(name(kNode, {"node", "--inspect", "-r", "./tracing.js", "/srv/server.js"}), "server.js");
  EXPECT_EQ(name(kNode, {"node", "/srv/server.js"}, "node-MainThread"), "server.js");
  EXPECT_EQ(name(kNode, {"next-server (v14.1.0)"}, "next-server (v1"), "next-server");
  EXPECT_EQ(name(kNode, {"node /srv/server.js"}, "node /srv/serve"), "server.js");
  EXPECT_EQ(name("/usr/bin/deno", {"deno", "run", "--allow-net", "shop.ts"}), "shop.ts");
  EXPECT_EQ(name("/usr/bin/bun", {"bun", "shop.ts"}), "shop.ts");
  EXPECT_EQ(name(kRuby, {"ruby", "-Ilib", "-r", "x", "/usr/bin/rackup"}), "rackup");
  EXPECT_EQ(name(kRuby, {"puma 6.4.0 (tcp://0.0.0.0:9292) [app]"}), "puma");
  EXPECT_EQ(name(kRuby, {"puma: cluster worker 0: 12 [app]"}), "puma");
  EXPECT_EQ(name("/usr/bin/perl", {"perl", "-Mstrict", "-I", "lib", "serve.pl"}), "serve.pl");
  EXPECT_EQ(name(kPhp, {"php", "-d", "a=b", "-S", "127.0.0.1:80", "-t", "web", "router.php"}), "router.php");
  EXPECT_EQ(name(kPhp, {"php", "artisan", "serve"}), "artisan");
  EXPECT_EQ(name(kJava, {"java", "-Xmx1g", "-jar", "/opt/shop-1.2.jar", "--port=80"}), "shop-1.2.jar");
  EXPECT_EQ(name(kJava, {"java", "--module-path", "mods", "-m", "shop/shop.Main"}), "shop.Main");
  EXPECT_EQ(name(kJava, {"java", "-cp", "x", "Shop.java"}), "Shop.java");
  EXPECT_EQ(name(kShell, {"bash", "-x", "-o", "pipefail", "/srv/run.sh"}), "run.sh");
  EXPECT_EQ(name("/usr/bin/dotnet", {"dotnet", "exec", "/srv/Shop.dll"}), "Shop.dll");
}

TEST(ServiceName, OfOtherProgramsIsTheirOwn) {
  EXPECT_EQ(name("/usr/sbin/nginx", {"nginx: master process /usr/sbin/nginx"}), "");
  EXPECT_EQ(name("/usr/lib/postgresql/15/bin/postgres", {"postgres: shop db"}), "");
  EXPECT_EQ(name("/usr/sbin/php-fpm8.2", {"php-fpm: pool www"}), "");
  EXPECT_EQ(name(kShell, {"sleep", "300"}), "");
  EXPECT_EQ(name(kShell, {"/bin/sh", "run.sh"}), "run.sh");
  EXPECT_FALSE(is_interpreter("/srv/pythonic"));
  EXPECT_TRUE(is_interpreter("/usr/bin/python3.11"));
}

TEST(ServiceName, AProgramThatNamesItselfHasThatName) {
  EXPECT_EQ(name(kPython, {"python3", "app.py"}, "shop"), "");
  EXPECT_EQ(name(kPython, {"python3", "app.py"}, "app.py"), "app.py");
  EXPECT_EQ(name(kPython, {"python3", "a-very-long-name.py"}, "a-very-long-nam"), "a-very-long-name.py");
}

TEST(ServiceName, APartOfAProgramHasItsParentsName) {
  constexpr char kArguments[] = "python3\0-c\0from multiprocessing.spawn import spawn_main";
  const std::string_view arguments(kArguments, sizeof kArguments - 1);
  EXPECT_TRUE(service_name({kPython, arguments, "python3"}).as_parent);
}

TEST(ServiceName, IsBoundedAndHasNoToken) {
  EXPECT_EQ(name(kPython, {"python3", "/srv/" + std::string(300, 'a')}).size(), kMaxServiceName);
  EXPECT_EQ(name(kPython, {"python3", "/srv/run-4f9c2a7d8e1b3c5f6a7b.py"}), "run-********************.py");
  EXPECT_EQ(name(kJava, {"java", "com.example.AbstractApplicationContextServer"}),
            "com.example.AbstractApplicationContextServer");
  EXPECT_EQ(bounded_name("a\x1b[1m\xff"), "a?[1m?");
  EXPECT_EQ(bounded_name(std::string(79, 'a') + "\xc3\xa9"), std::string(79, 'a'));
}

TEST(ServiceName, OfAUnit) {
  EXPECT_EQ(unit_of("/system.slice/shop.service"), "shop");
  EXPECT_EQ(unit_of("/system.slice/shop.service/worker"), "shop");
  EXPECT_EQ(unit_of("/user.slice/user-1.slice/user@1.service"), "");
  EXPECT_EQ(unit_of("/user.slice/user-1.slice/user@1.service/app.slice/shop.service"), "shop");
  EXPECT_EQ(unit_of("/"), "");
}

}  // namespace
}  // namespace tailcap::capture::targets

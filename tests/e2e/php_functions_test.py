"""Functions of PHP: a program that says what it executed, from when to when. Each sample there has exactly these functions, or none."""
import collections
import http.client
import json
import pathlib
import re
import shutil
import unittest

import harness
import releases
import script_case
from harness import json_lines

HERE = pathlib.Path(__file__).resolve().parent
OF_A_FILE = re.compile(r"[^;]* \([^();]*:\d+\)")
IN_C = {"array_map", "usort", "time_nanosleep", "Fiber::start"}
DEEPEST = 64


def functions_of(sample):
    """Those of PHP: the program's own functions have no file."""
    return [frame for frame in sample["user"].split(";") if OF_A_FILE.fullmatch(frame) or frame in IN_C]


def shown(function):
    return re.sub(
        r"\((.*) : eval\(\)'d code:", lambda m: f"({m[1].translate(str.maketrans('()', '[]'))} eval:", function
    )


@unittest.skipUnless(shutil.which("php"), "no php")
class Php(script_case.ScriptProgram):
    OPTIONS = []
    SHARE = 0.97

    def php(self):
        return ["php"]

    def record_program(self, *options):
        said = self.scratch / "said"
        command = [*self.php(), *self.OPTIONS, HERE / "interpreters.php", said]
        _, samples = self.record_command(options, command)
        return samples, json.loads(said.read_text())

    def of_span(self, sample, span):
        return sample["pid"] == span["pid"]

    def is_wait(self, span):
        return span["what"] == "wait"

    def check(self, samples, spans):
        """Names are right, or there are none; how many have them."""
        named, seen = collections.Counter(), collections.Counter()
        for sample, span in self.within(samples, spans, functions_of):
            seen[span["what"]] += 1
            functions = functions_of(sample)
            if not functions:
                continue
            named[span["what"]] += 1
            if functions[-1] in IN_C and functions[-1] not in span["functions"][-1:]:
                functions.pop()  # it called PHP's own function just then
            expected = [shown(function) for function in span["functions"]]
            self.assertEqual(functions[-DEEPEST:], expected[-len(functions) :], (span["what"], sample["user"]))
            if len(functions) < len(expected):
                self.assertIn("[cut]", sample["user"].split(";"))
        for what in seen:
            print(f"  {what}: {named[what]} of {seen[what]} samples have names")
        rest = set(seen) - {"loop"}  # the first
        share = sum(named[what] for what in rest) / sum(seen[what] for what in rest)
        print(f"  {share:.2%} in all")
        self.assertGreaterEqual(share, self.SHARE)
        return seen


class Compiled(Php):
    """By opcache's compiler: its code has no frames that the recorder can follow, but PHP's own frames are there."""

    OPTIONS = ["-d", "opcache.enable_cli=1", "-d", "opcache.jit_buffer_size=64M", "-d", "opcache.jit=tracing"]
    SHARE = 0.5


class Php74(Php):
    """Debian 11's: it has no fibers."""

    OPTIONS = ["-d", "extension=json"]

    def php(self):
        return releases.Program("bullseye", "/usr/bin/php7.4", "php7.4-cli").command(self.scratch, HERE)


class Php84(Php):
    """Debian 13's."""

    def php(self):
        return releases.Program("trixie", "/usr/bin/php8.4", "php8.4-cli").command(self.scratch, HERE)


SERVICE = """<?php
function render_invoice(float $seconds): void
{
    $used = fn() => ($use = getrusage())['ru_utime.tv_sec'] + $use['ru_utime.tv_usec'] / 1e6;
    $until = $used() + $seconds;
    while ($used() < $until) {
        for ($i = 0, $sum = 0; $i < 10000; $i++) {
            $sum = ($sum * 31 + $i) % 1000003;
        }
    }
}

class Cart
{
    public function show(bool $slow): void
    {
        render_invoice($slow ? 0.15 : 0.002);
    }
}

$begin = hrtime(true);
(new Cart())->show(($_GET['n'] ?? 0) > 100 && $_GET['n'] % 20 == 7);
file_put_contents(getenv('SAID') ?: $_SERVER['SAID'], json_encode([getmypid(), $begin, hrtime(true)]) . "\\n", FILE_APPEND);
echo 'ok';
"""
ASKED = ("/svc.php?n={n}", 500)  # each request on a connection of its own
EXPECTED = ["{main} (svc.php:1)", "Cart::show (svc.php:15)", "render_invoice (svc.php:2)"]
FPM = shutil.which("php-fpm8.2", path="/usr/sbin")


class Answers(script_case.ScriptService):
    def spans_of(self, said):
        return [json.loads(line) for line in said.read_text().splitlines()]

    def named(self, capture, spans):
        """How many samples of PHP have the functions that its log says they have."""
        samples = json_lines(self.tailcap("events", capture, "--json", "--kind", "sample"))
        inside = [s for s in samples if any(s["pid"] == p and b <= s["time"] <= e for p, b, e in spans)]
        settled = min(sample["time"] for sample in inside) + 0.5e9  # the first samples of a process have no tables
        inside = [sample for sample in inside if sample["time"] > settled]
        with_names = [functions for functions in map(functions_of, inside) if functions]
        right = [f for f in with_names if f[:3] == EXPECTED[: len(f)]]
        self.assertEqual(len(with_names), len(right), [f for f in with_names if f not in right][:2])
        whole = sum(functions[:3] == EXPECTED for functions in right)
        print(f"  {whole} of {len(inside)} samples have all names, {len(right) - whole} some of them")
        self.assertGreater(len(inside), 500)
        self.assertGreaterEqual(whole, 0.95 * len(inside))

    @unittest.skipUnless(shutil.which("php"), "no php")
    def test_slow_requests_name_their_function(self):
        script, said = self.scratch / "svc.php", self.scratch / "said"
        script.write_text(SERVICE)
        command = ["sh", "-c", f"SAID={said} exec php -S 127.0.0.1:PORT {script} 2> /dev/null"]
        recording, verdict = self.slow_requests(command, *ASKED)
        self.named(recording.file, self.spans_of(said))
        self.assertEqual(verdict["function"]["name"], EXPECTED[-1])
        self.assertEqual(self.functions_of_examples(recording, verdict), {EXPECTED[-1]})

    @unittest.skipUnless(FPM and shutil.which("nginx"), "no php-fpm and nginx")
    def test_php_fpm_behind_nginx(self):
        script, said, port = self.scratch / "svc.php", self.scratch / "said", harness.free_port()
        script.write_text(SERVICE)
        said.touch()
        for path in (self.scratch, said):
            path.chmod(0o777)
        socket, pool, config = self.scratch / "fpm.sock", self.scratch / "fpm.conf", self.scratch / "nginx.conf"
        pool.write_text(
            f"[global]\nerror_log = {self.scratch}/fpm.log\ndaemonize = no\n[www]\nuser = www-data\nlisten = {socket}\n"
            "listen.mode = 0666\npm = static\npm.max_children = 2\n"
        )
        config.write_text(
            f"daemon off; worker_processes 1; pid {self.scratch}/nginx.pid; error_log {self.scratch}/nginx.log;\n"
            "events {} http { access_log off; server { listen 127.0.0.1:%d; location / {\n"
            "fastcgi_param SCRIPT_FILENAME %s; fastcgi_param REQUEST_METHOD $request_method;\n"
            "fastcgi_param QUERY_STRING $query_string; fastcgi_param SAID %s; fastcgi_pass unix:%s; } } }\n"
            % (port, script, said, socket)
        )
        fpm = self.start([FPM, "-n", "-F", "-y", pool])
        harness.wait_until(socket.exists, "php-fpm")
        self.start(["nginx", "-c", config])
        harness.wait_until(lambda: harness.answers(("127.0.0.1", port)), "nginx")
        workers = [int(p) for p in pathlib.Path(f"/proc/{fpm.pid}/task/{fpm.pid}/children").read_text().split()]
        with self.record(*[option for pid in workers for option in ("-p", pid)], "--sample", 499) as recording:
            self.ask_all(port, *ASKED)
        self.named(recording.file, self.spans_of(said))


if __name__ == "__main__":
    harness.main()

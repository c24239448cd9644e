"""Versions that make one call more."""
import os
import signal
import threading
import time

from incidents.stage import free_port, http_service

BACKEND = http_service("time.sleep(0.025 if 'auth' in path or 'feature' in path else 0.002)")


def later(stage, seconds, do):
    timer = threading.Timer(seconds, do)
    timer.start()
    stage.stack.callback(timer.cancel)


def nginx(stage):
    port, backend = free_port(), free_port()
    stage.python("backend.py", BACKEND, backend, port=backend)

    def conf(check):
        return stage.script(
            "nginx.conf",
            f"""daemon off; worker_processes 2; pid {stage.folder}/nginx.pid; error_log {stage.folder}/nginx.log;
events {{ }}
http {{ access_log off; server {{ listen 127.0.0.1:{port};
  location / {{ {check} proxy_pass http://127.0.0.1:{backend}; }}
  location = /auth {{ internal; proxy_pass http://127.0.0.1:{backend}/auth; }} }} }}
""",
        )

    proxy = stage.serve("/usr/sbin/nginx", "-c", conf(""), port=port)

    def reload():
        conf("auth_request /auth;")
        os.kill(proxy.pid, signal.SIGHUP)

    with stage.recording(*stage.child_of(proxy)):
        later(stage, 4, reload)
        stage.load(port, ((30, "/item/#"),), 8)
    return {
        "hit": stage.slow("/item", 0.024),
        "what": "since the reload of nginx, each request is checked by GET /auth",
    }


def php(stage):
    port, backend = free_port(), free_port()
    stage.python("backend.py", BACKEND, backend, port=backend)
    index = stage.script("index.php", "<?php usleep(2000); echo 'ok';")
    service = stage.serve("/usr/bin/php", "-S", f"127.0.0.1:{port}", index, port=port)

    def deploy():
        new = stage.script("new.php", f"<?php file_get_contents('http://127.0.0.1:{backend}/feature'); echo 'ok';")
        os.rename(new, index)

    with stage.recording(*stage.child_of(service)):
        later(stage, 4, deploy)
        stage.load(port, ((20, "/item/#"),), 8)
    return {"hit": stage.slow("/item", 0.024), "what": "the new index.php calls GET /feature"}
